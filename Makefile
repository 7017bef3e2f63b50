# make demo [ARGS=--once]   a whole operator's world on this machine, with sales coming in
# make test [ARGS=…]        the tests, on SQLite, but for the slow ones
# make test-more [ARGS=…]   the slow ones, then the storage tests on PostgreSQL
# make faults [ARGS=…]      the long crash tests: killed at every commit, two servers on one database
# make soak [ARGS=--polls=…]  10,000 polls in fast motion, while everything around comes and goes
# make screenshots          the pictures for the README, of the demo's world (needs Chromium)
# make bench [ARGS=--quick]  what it costs, as ratios within the run; figures in .build/bench.json
# make release [ARGS=…]     the zip that LNbits installs and its manifest, in .build
# make check                ruff, mypy --strict, the rooms' one direction, and prettier
# make clean                remove everything that these made
SHELL := /bin/bash
ARGS ?=
# Each worker has an LNbits of its own; the tests of one file stay together, long files first.
WORKERS := -n 2 --dist loadfile --no-loadscope-reorder
PYTHONS := python3.12 python3.11 python3.10 python3 python
# LNbits looks for an extension in a folder of the extension's name, and so does mypy; a checkout
# may be called anything.
EXTENSIONS := .build/extensions
NAME := satmachineclient
BIN := .venv/bin
PRETTIER := npx --yes prettier@3.10.1 --log-level=warn
SCRIPTS := 'static/js/**/*.js'
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: help demo test test-more faults soak screenshots bench release check format clean

help:
	@sed -n '/^# make/s/^# //p' Makefile

demo: .venv/stamp
	@$(BIN)/python -m demo $(ARGS)

test: .venv/stamp $(EXTENSIONS)/$(NAME)
	@$(BIN)/python -m pytest $(WORKERS) $(ARGS)

# Either run is left out where ARGS choose tests themselves and none of them is of its kind (pytest's
# exit code 5: no tests collected).
test-more: .venv/stamp $(EXTENSIONS)/$(NAME)
	@$(BIN)/python -m pytest $(WORKERS) -m 'slow and not faults' $(ARGS) || [ $$? -eq 5 ]
	@$(BIN)/python -m pytest $(WORKERS) -m 'storage and not faults' --lnbits-db=postgres $(ARGS) || [ $$? -eq 5 ]

faults: .venv/stamp
	@$(BIN)/python -m pytest $(WORKERS) -m faults -v -rP $(ARGS)

soak: .venv/stamp
	@$(BIN)/python -m pytest -m soak -s $(ARGS)

screenshots: .venv/stamp
	@$(BIN)/python -m tests.browser.screenshots

bench: .venv/stamp
	@$(BIN)/python -m bench $(ARGS)

release: .venv/stamp
	@$(BIN)/python -m tools.release $(ARGS)

check: .venv/stamp $(EXTENSIONS)/$(NAME)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@cd $(EXTENSIONS) && "$(CURDIR)/$(BIN)/mypy" --config-file "$(CURDIR)/pyproject.toml" \
		--cache-dir "$(CURDIR)/.build/mypy" -p $(NAME)
	@cd $(EXTENSIONS) && "$(CURDIR)/$(BIN)/lint-imports" "$(CURDIR)/pyproject.toml" \
		--no-logo --cache-dir "$(CURDIR)/.build/import-linter"
	@if command -v npx >/dev/null; then $(PRETTIER) --check $(SCRIPTS); \
	else echo 'prettier skipped: no Node.js here'; fi

format: .venv/stamp
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .
	@$(PRETTIER) --write $(SCRIPTS)

clean:
	rm -rf .venv .build .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(EXTENSIONS)/$(NAME):
	@mkdir -p $(EXTENSIONS) && ln -sfn "$(CURDIR)" $@

# Each candidate is run: a version manager may put names on PATH that answer nothing. A .venv that
# works is kept and brought up to date.
FITS := -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 13))' >/dev/null 2>&1

.venv/stamp: pyproject.toml
	@if ! $(BIN)/python $(FITS); then \
		for candidate in $(PYTHONS); do \
			if "$$candidate" $(FITS); then python=$$candidate; break; fi; \
		done; \
		if [ -z "$$python" ]; then \
			echo 'No Python 3.10, 3.11 or 3.12 found on PATH: LNbits 1.6.2 runs on these only.' >&2; \
			exit 1; \
		fi; \
		echo "Making .venv with $$("$$python" --version): a minute or two, once"; \
		"$$python" -m venv --clear .venv || { echo 'Could not make .venv: this Python needs its' \
			'venv module (Debian: the package python3-venv).' >&2; exit 1; }; \
	fi
	@$(BIN)/python -m pip install -qq --upgrade 'pip>=25.1' \
		&& $(BIN)/python -m pip install -qq --group dev \
		&& touch $@ \
		|| { echo 'Could not fill .venv: see the message above. It needs a reachable package' \
			'index; "make clean" starts afresh.' >&2; exit 1; }

"""The measures of the house: a file has one subject, and a function fits on a page."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 50
# Not ours to shorten: a released migration is never edited.
_KEPT = {"migrations.py"}
_ELSEWHERE = {".venv", ".build", "tests", ".git"}


def sources() -> Iterator[Path]:
    for path in sorted(ROOT.rglob("*.py")):
        inside = path.relative_to(ROOT)
        if inside.parts[0] not in _ELSEWHERE and str(inside) not in _KEPT:
            yield inside


def test_no_file_is_too_long() -> None:
    lengths = {str(path): len((ROOT / path).read_text().splitlines()) for path in sources()}
    assert {path: n for path, n in lengths.items() if n > MOST_LINES_OF_A_FILE} == {}


def test_no_function_is_too_long() -> None:
    long = {}
    for path in sources():
        for node in ast.walk(ast.parse((ROOT / path).read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MOST_LINES_OF_A_FUNCTION:
                    long[f"{path}:{node.name}"] = lines
    assert long == {}

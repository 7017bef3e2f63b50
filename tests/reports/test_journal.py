"""The journal, read by the real beancount and hledger: it balances, and their sums are ours."""

import csv
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from demo.lnbits_api import Account
from tests.programme import Programme, add_forward
from tests.rig import API

pytestmark = pytest.mark.storage

Sums = dict[tuple[str, str], Decimal]  # by account and commodity, without the noughts


async def journal(admin: Account, query: str) -> str:
    response = await admin.get(f"{API}/export/journal?{query}")
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    return response.content.decode()


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def beancount_sums(file: Path) -> Sums:
    """What bean-check finds no fault with, and bean-query sums up."""
    tools = Path(sys.executable).parent
    assert run(str(tools / "bean-check"), str(file)) == ""
    query = "SELECT account, currency, sum(number) AS total GROUP BY account, currency"
    text = run(str(tools / "bean-query"), "-f", "csv", str(file), query)
    rows = csv.DictReader(io.StringIO(text))
    return _sums((r["account"].strip(), r["currency"].strip(), r["total"]) for r in rows)


def hledger_sums(file: Path) -> Sums:
    program = shutil.which("hledger")
    if program is None:
        missing = "hledger is not installed (Debian: the package hledger)"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    run(program, "-f", str(file), "check", "--strict", "assertions")
    text = run(program, "-f", str(file), "balance", "--flat", "--layout=bare", "-O", "csv")
    rows = csv.DictReader(io.StringIO(text))
    return _sums(
        (r["account"], r["commodity"], r["balance"]) for r in rows if r["account"] != "total"
    )


def _sums(rows: object) -> Sums:
    found = {(account, code): Decimal(n.strip()) for account, code, n in rows}  # type: ignore[attr-defined]
    return {key: n for key, n in found.items() if n}


FORMS: dict[str, Callable[[Path], Sums]] = {"beancount": beancount_sums, "hledger": hledger_sums}
forms = pytest.mark.parametrize("form", FORMS)


def of(sums: Sums, account: str) -> dict[str, Decimal]:
    """By commodity, of an account and those below it."""
    found: dict[str, Decimal] = {}
    for (name, code), n in sums.items():
        if name == account or name.startswith(f"{account}:"):
            found[code] = found.get(code, Decimal(0)) + n
    return {code: n for code, n in found.items() if n}


async def expected(admin: Account, programme: Programme) -> Sums:
    """What the ledger's own routes say, by the journal's accounts."""
    books = await admin.call("GET", f"{API}/report?{programme.period}")
    found: Sums = {}
    for total in books["totals"]:
        owed = Decimal(total["cash_owed_end"])
        found["Liabilities:Clients:Cash", total["currency"]] = -owed
    own = sum(t["commission_sats"] - t["partners_sats"] for t in books["totals"])
    found["Income:Commission", "SATS"] = Decimal(-own)
    found["Liabilities:Clients:Sats", "SATS"] = Decimal(-books["sats_owed_end"])
    found["Liabilities:Partners", "SATS"] = Decimal(-books["partners_owed_end"])
    found["Equity:Opening", "SATS"] = Decimal(0)
    settled = [t for t in books["totals"] if t["settlements"]]
    for total in settled:
        found["Equity:Settlements", total["currency"]] = -Decimal(total["settled_fiat"])
    found["Equity:Settlements", "SATS"] = Decimal(sum(t["settled_sats"] for t in settled))
    return found


@forms
@pytest.mark.parametrize("clients", ["each", "one"])
async def test_the_programs_sums_are_the_ledgers(
    admin: Account, programme: Programme, tmp_path: Path, form: str, clients: str
) -> None:
    text = await journal(admin, f"format={form}&{programme.period}&clients={clients}")
    file = tmp_path / f"books.{form}"
    file.write_text(text)

    sums = FORMS[form](file)

    for (account, code), n in (await expected(admin, programme)).items():
        assert of(sums, account).get(code, 0) == n, (account, code)
    own = f"Liabilities:Clients:Cash:C{programme.two.id}"
    answer = await admin.call("GET", f"{API}/clients/{programme.two.id}/balance")
    left = Decimal(answer["balances"][0]["remaining_balance"])
    assert of(sums, own) == ({"GTQ": -left} if clients == "each" else {})
    assert text.count("Deposit") == 3 and text.count("Withdrawal") == 1
    assert text.count("Sale at") == 24 and text.count("Cash-in at") == 1


@forms
async def test_a_period_begins_with_what_was_there_before(
    admin: Account, programme: Programme, tmp_path: Path, form: str
) -> None:
    """Two journals, one after the other, end where one of all the time ends."""
    middle = programme.start + timedelta(days=45)
    files = []
    for name, query in (("all", programme.period), ("second", f"from={middle:%Y-%m-%d}")):
        files.append(tmp_path / f"{name}.{form}")
        files[-1].write_text(await journal(admin, f"format={form}&{query}"))
    everything, second = (FORMS[form](file) for file in files)
    for account in ("Assets", "Liabilities"):
        assert of(second, account) == of(everything, account)
    assert of(second, "Income")["SATS"] > of(everything, "Income")["SATS"]


@forms
async def test_unpaid_sats_are_owed_at_a_months_end(
    admin: Account, programme: Programme, tmp_path: Path, form: str
) -> None:
    end = programme.start + timedelta(days=30)
    query = f"{programme.period}&to={end:%Y-%m-%d}"
    file = tmp_path / f"books.{form}"
    file.write_text(await journal(admin, f"format={form}&{query}"))
    books = await admin.call("GET", f"{API}/report?{query}")
    owed = of(FORMS[form](file), "Liabilities:Clients:Sats")
    assert owed == {"SATS": Decimal(-books["sats_owed_end"])} and books["sats_owed_end"] > 0


@forms
async def test_forwards_are_noted_with_their_fee_and_change_no_balance(
    admin: Account, programme: Programme, tmp_path: Path, form: str
) -> None:
    await add_forward(programme, amount_sats=5000, fee_msat=1234)
    file = tmp_path / f"books.{form}"
    file.write_text(await journal(admin, f"format={form}&{programme.period}"))
    sums = FORMS[form](file)
    assert of(sums, "Equity:Forwarded") == {}
    assert of(sums, "Equity:Forwarded:Sent") == {"SATS": Decimal(5000)}
    assert of(sums, "Equity:Forwarded:Fees") == {"SATS": Decimal("1.234")}


@forms
@pytest.mark.usefixtures("configured")
async def test_a_journal_of_nothing_has_its_accounts_only(
    admin: Account, tmp_path: Path, form: str
) -> None:
    file = tmp_path / f"books.{form}"
    file.write_text(await journal(admin, f"format={form}&from=2020-01-01&to=2021-12-31"))
    assert FORMS[form](file) == {}
    assert "Income:Commission" in file.read_text()


@pytest.mark.usefixtures("configured")
async def test_bad_input_is_refused_by_name(admin: Account) -> None:
    for query, field in {
        "": "format",
        "format=ledger": "format",
        "format=hledger&clients=none": "clients",
        "format=hledger&from=2026-02-01&to=2026-01-01": "to",
        "format=beancount&from=1999-01-01": "from",
    }.items():
        response = await admin.get(f"{API}/export/journal?{query}")
        assert response.status_code == 400 and response.json()["detail"].startswith(f"{field}: ")

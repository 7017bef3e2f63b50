"""The files in a real spreadsheet: LibreOffice opens them, and shows what the ledger has.

Skipped where there is no LibreOffice (Debian: libreoffice-calc).
"""

import asyncio
import csv
import io
import shutil
from pathlib import Path

import pytest

from demo.lnbits_api import Account
from tests.programme import Programme
from tests.rig import API, MakeClient, Setup

OFFICE = shutil.which("soffice") or shutil.which("libreoffice")
pytestmark = [
    pytest.mark.storage,
    pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed"),
]
# What its dialog proposes for a file with a byte order mark: comma, quotes, UTF-8.
READ = "Text - txt - csv (StarCalc):44,34,76,1"
# Written again, cells as they are shown.
AGAIN = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false"
NAMES = [
    'Ana "la rápida"; Ñandú, más €',
    "0012345678",
    "12345678901234567890123456789012",
    "12345e678",
    "=1+1",
    '=HYPERLINK("http://127.0.0.1/"; "x")',
    "+1+1",
    "-1-1",
    "@SUM(1;2)",
]


async def opened(text: str, folder: Path) -> list[dict[str, str]]:
    """What LibreOffice has in its cells, formulas worked out."""
    (folder / "export.csv").write_bytes(text.encode())
    assert OFFICE
    process = await asyncio.create_subprocess_exec(
        *(OFFICE, "--headless", f"-env:UserInstallation={(folder / 'profile').as_uri()}"),
        *(f"--infilter={READ}", "--convert-to", AGAIN),
        *("--outdir", str(folder / "out"), str(folder / "export.csv")),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    await asyncio.wait_for(process.wait(), 180)
    found = (folder / "out" / "export.csv").read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(found, newline="")))


def plain(row: dict[str, str]) -> dict[str, str]:
    """Without what only says that a cell is a text."""
    return {name: value.removeprefix("'") for name, value in row.items()}


async def test_names_ids_and_accents_are_in_a_spreadsheet_as_they_are_in_the_ledger(
    configured: Setup, make_client: MakeClient, admin: Account, tmp_path: Path
) -> None:
    clients = {(await make_client(name, {"GTQ": "1234.50"})).id: name for name in NAMES}
    stored = {c["id"]: c["username"] for c in await admin.call("GET", f"{API}/clients")}
    answer = await admin.get(f"{API}/export/clients?format=csv")
    [head, *_] = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")))

    rows = await opened(answer.text, tmp_path)

    assert list(rows[0]) == head
    assert {plain(row)["id"]: plain(row)["username"] for row in rows} == stored
    assert len(stored) == len(clients)
    for row in rows:
        assert row["username"] not in ("2", "3", "-2", "#REF!")
        assert float(row["total_deposits"]) == 1234.5  # a number, and its decimals
        assert plain(row)["wallet_id"] in {
            c["wallet_id"] for c in await admin.call("GET", f"{API}/clients")
        }


@pytest.mark.parametrize(
    "path", ["export/transactions?format=csv", "report?by=month&format=csv", "export/distributions"]
)
async def test_columns_hashes_and_sums_are_as_in_the_file(
    path: str, admin: Account, programme: Programme, tmp_path: Path
) -> None:
    joined = "&" if "?" in path else "?format=csv&"
    period = f"{joined}{programme.period}" if path.startswith("report") else joined
    text = (await admin.get(f"{API}/{path}{period.rstrip('&')}")).text
    written = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))

    rows = await opened(text, tmp_path)

    assert len(rows) == len(written) > 0 and list(rows[0]) == list(written[0])
    for row, was in zip(rows, written, strict=True):
        for name, value in was.items():
            if name.endswith("_sats") or name in ("fiat", "amount_fiat", "fiat_amount"):
                assert row[name] == value or float(row[name]) == float(value), name
            elif name.endswith(("id", "hash", "name", "status", "currency", "month", "code")):
                assert row[name] == value, name

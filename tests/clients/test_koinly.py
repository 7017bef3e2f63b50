"""A client's tax file has Koinly's columns, in the types that Koinly documents."""

import csv
import io
import re
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest

from demo.lnbits_api import Account
from tests.programme import Programme, add_forward
from tests.rig import API

pytestmark = pytest.mark.storage

HEADER = (
    "Date,Sent Amount,Sent Currency,Received Amount,Received Currency,Fee Amount,Fee Currency,"
    "Net Worth Amount,Net Worth Currency,Label,Description,TxHash"
)
AMOUNTS = ("Sent Amount", "Received Amount", "Fee Amount", "Net Worth Amount")
CURRENCIES = ("Sent Currency", "Received Currency", "Fee Currency", "Net Worth Currency")


async def koinly(user: Account, query: str = "") -> list[dict[str, str]]:
    response = await user.get(f"{API}/me/payments?format=koinly{query}")
    assert response.status_code == 200, response.text
    text = response.content.decode()
    assert text.splitlines()[0] == HEADER
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    for row in rows:
        _check_types(row)
    return rows


def _check_types(row: dict[str, str]) -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", row["Date"])
    for amount, currency in zip(AMOUNTS, CURRENCIES, strict=True):
        assert bool(row[amount]) == bool(row[currency])
        assert re.fullmatch(r"(\d+(\.\d+)?)?", row[amount])
        assert re.fullmatch(r"([A-Z]{3})?", row[currency])
    assert re.fullmatch(r"[0-9a-f]{64}", row["TxHash"])
    assert row["Sent Amount"] or row["Received Amount"]


async def test_purchases_are_trades_worth_their_cash_and_forwards_have_their_fee(
    plain_user: Account, programme: Programme
) -> None:
    await add_forward(programme, amount_sats=5000, fee_msat=1234)
    own = f"&client_id={programme.one.id}"
    page: Any = await plain_user.call("GET", f"{API}/me/payments?limit=1000{own}")

    rows = await koinly(plain_user, own)

    bought = [row for row in rows if row["Received Amount"]]
    for name, field, scale in (
        ("Received Amount", "amount_sats", 10**8),
        ("Net Worth Amount", "amount_fiat", 1),
        ("Sent Amount", "amount_fiat", 1),
    ):
        paid = sorted(Decimal(p[field]) / scale for p in page["data"])
        assert sorted(Decimal(row[name]) for row in bought) == paid
    by_time = {
        datetime.fromisoformat(p["transaction_time"]).astimezone(timezone.utc): p
        for p in page["data"]
    }
    assert {row["Date"] for row in bought} == {f"{t:%Y-%m-%d %H:%M} UTC" for t in by_time}
    assert {row["TxHash"] for row in bought} == {p["payment_hash"] for p in page["data"]}
    [sent] = [row for row in rows if not row["Received Amount"]]
    assert (sent["Sent Amount"], sent["Sent Currency"]) == ("0.00005000", "BTC")
    assert (sent["Fee Amount"], sent["Fee Currency"]) == ("0.00000001234", "BTC")


async def test_filters_choose_purchases_and_forwards_are_only_in_the_whole_file(
    plain_user: Account, programme: Programme
) -> None:
    await add_forward(programme, amount_sats=5000, fee_msat=0)
    rows = await koinly(plain_user, f"&client_id={programme.one.id}&currency=USD")
    assert [row["Sent Currency"] for row in rows] == ["USD"]


async def test_others_and_their_forwards_are_not_in_it(
    plain_user: Account, programme: Programme
) -> None:
    await add_forward(programme, amount_sats=5000, fee_msat=0)
    rows = await koinly(plain_user, f"&client_id={programme.two.id}")
    assert rows and all(row["Received Currency"] == "BTC" for row in rows)


async def test_an_unknown_format_is_refused(plain_user: Account, programme: Programme) -> None:
    response = await plain_user.get(f"{API}/me/payments?format=xls")
    assert response.status_code == 400 and response.json()["detail"].startswith("format: ")

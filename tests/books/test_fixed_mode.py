"""The worked examples of the fixed mode in docs/operating.md, line by line."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from satmachineclient.books import planning
from satmachineclient.books.book import Book
from satmachineclient.helpers import fiat_text, minor_units
from satmachineclient.models_clients import Client, ClientTerms
from satmachineclient.models_config import LamassuConfig
from satmachineclient.models_sales import Sale

OPERATING = Path(__file__).parents[2] / "docs" / "operating.md"
_BEGINNING = "2026-01-01 00:00"


def examples() -> list[list[str]]:
    _, _, after = OPERATING.read_text().partition("## Fixed mode, to the letter")
    _, _, table = after.partition("|---|---|---|---|---|---|\n")
    lines, _, _ = table.partition("\n\n")
    return [line.strip("| ").split(" | ") for line in lines.splitlines()]


def test_the_table_is_found() -> None:
    assert len(examples()) == 20


def at(text: str, zone: ZoneInfo) -> datetime:
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=zone)


def terms(text: str, zone: ZoneInfo) -> list[ClientTerms]:
    """`500.00 GTQ, from 2026-03-02 12:00 flow`: a limit, flow or paused; and its changes."""
    parts = [f"from {_BEGINNING} {text}".split(", ")[0], *text.split(", ")[1:]]
    found: list[ClientTerms] = []
    for number, part in enumerate(parts):
        _, day, clock, *what = part.split()
        limit = currency = None
        if len(what) == 2:
            currency = what[1]
            limit = minor_units(Decimal(what[0]), currency)
        found.append(
            ClientTerms(
                id=str(number),
                client_id="client",
                dca_mode="fixed" if limit is not None else "flow",
                fixed_mode_daily_limit=limit,
                currency=currency,
                status="paused" if what == ["paused"] else "active",
                valid_from=at(f"{day} {clock}", zone),
            )
        )
    return found


def sale(text: str, zone: ZoneInfo) -> Sale:
    """`2026-03-02 10:00 300.00 GTQ`, by default at a hundred sats for each unit."""
    text, _, sats = text.removesuffix(" sats").partition(" = ")
    day, clock, amount, currency = text.split()
    return Sale(
        id=text,
        device_id="",
        time=at(f"{day} {clock}", zone),
        crypto_code="BTC",
        crypto_sats=int(sats or Decimal(amount) * 100),
        fiat=minor_units(Decimal(amount), currency),
        fiat_code=currency,
        commission=Decimal(0),
        discount=None,
        fixed_fee=None,
        state="good",
        reason=None,
        facts={},
    )


@pytest.mark.parametrize("row", examples(), ids=lambda row: row[0])
def test_worked_example(row: list[str]) -> None:
    _, zone_name, limits, deposits, sales, expected = row
    zone = ZoneInfo(zone_name)
    config = LamassuConfig(
        host="",
        port=5432,
        database_name="",
        username="",
        source_wallet_id="source",
        credit_source_wallet=False,
        use_ssh_tunnel=False,
        commission_method="markup",
        poll_interval_minutes=60,
        look_back_days=7,
        timezone=zone_name,
        is_active=True,
    )
    first, *later = terms(limits, zone)
    left = {}
    for deposit in deposits.split(", "):
        amount, currency = deposit.split()
        left["client", currency] = minor_units(Decimal(amount), currency)
    client = Client(
        id="client",
        user_id="user",
        wallet_id="wallet",
        dca_mode=first.dca_mode,
        created_at=first.valid_from,
        updated_at=first.valid_from,
    )
    book = Book([client], [first], left, later, timezone=zone_name)

    takes = []
    for text in sales.split(", "):
        each = sale(text, zone)
        _, payments, _ = planning.plan_sale(each, book, config)
        takes.append(fiat_text(sum(p.amount_fiat for p in payments), each.fiat_code))

    assert ", ".join(takes) == expected

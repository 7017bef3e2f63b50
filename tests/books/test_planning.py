"""Whatever cash came out and whatever the zone is: a plan keeps every sat and every cent."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from satmachineclient.books import planning
from satmachineclient.books.book import Book
from satmachineclient.helpers import day_of
from satmachineclient.models_clients import Client, ClientTerms
from satmachineclient.models_config import LamassuConfig
from satmachineclient.models_sales import Payment, Sale

BEGIN = datetime(2026, 3, 1, tzinfo=timezone.utc)
ZONES = ["UTC", "Pacific/Kiritimati", "Etc/GMT+12", "America/Guatemala", "Europe/Madrid"]


def config(zone: str) -> LamassuConfig:
    return LamassuConfig(
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
        timezone=zone,
        is_active=True,
    )


def sale(hours: int, fiat: int, sats: int = 100_000) -> Sale:
    return Sale(
        id=f"{hours}",
        device_id="",
        time=BEGIN + timedelta(hours=hours),
        crypto_code="BTC",
        crypto_sats=sats,
        fiat=fiat,
        fiat_code="GTQ",
        commission=Decimal("0.05"),
        discount=None,
        fixed_fee=None,
        state="good",
        reason=None,
        facts={},
    )


def book_of(
    balances: list[int], limit: int | None, zone: str, before: list[Payment] | None = None
) -> Book:
    """Clients with these balances, less what they took before, which is asked for by the day."""
    ids = [f"c{number}" for number in range(len(balances))]
    clients = [
        Client(id=i, user_id="", wallet_id="", dca_mode="flow", created_at=BEGIN, updated_at=BEGIN)
        for i in ids
    ]
    terms = [
        ClientTerms(
            id=i,
            client_id=i,
            dca_mode="flow" if limit is None else "fixed",
            fixed_mode_daily_limit=limit,
            currency=None if limit is None else "GTQ",
            status="active",
            valid_from=BEGIN,
        )
        for i in ids
    ]
    left = {(i, "GTQ"): balance for i, balance in zip(ids, balances, strict=True)}
    book = Book(clients, terms, left, timezone=zone)
    for payment in before or []:
        book.take(payment)
    return book


cash = st.integers(1, 10**7)


@given(st.lists(cash, max_size=5), cash, st.none() | cash, st.integers(1, 10**9))
def test_all_cash_that_came_out_is_shared_or_stays(
    balances: list[int], fiat: int, cash_out: int | None, sats: int
) -> None:
    book = book_of(balances, None, "UTC")
    row, payments, commission = planning.plan_sale(
        sale(1, fiat, sats), book, config("UTC"), cash_out=cash_out
    )
    planning.check_conservation(row, payments, commission)
    came_out = fiat if cash_out is None else cash_out
    assert row.fiat_amount == max(fiat, came_out)
    assert sum(p.amount_fiat for p in payments) <= min(came_out, sum(balances))
    assert row.base_amount_sats + row.commission_amount_sats == sats


@given(
    st.lists(st.tuples(st.integers(0, 96), cash, st.sampled_from(ZONES)), min_size=1, max_size=8),
    st.integers(1, 10**6),
)
def test_no_day_of_the_present_zone_takes_more_than_the_limit(
    sales: list[tuple[int, int, str]], limit: int
) -> None:
    """Each sale is planned in the zone of that moment; all that was taken before counts in it."""
    taken: list[Payment] = []
    for hours, fiat, zone in sales:
        each = sale(hours, fiat)
        _, payments, _ = planning.plan_sale(
            each, book_of([10**9], limit, zone, taken), config(zone)
        )
        taken += payments
        day = day_of(each.time, ZoneInfo(zone))
        on_day = [p for p in taken if day_of(p.transaction_time, ZoneInfo(zone)) == day]
        if payments:
            assert sum(p.amount_fiat for p in on_day) <= limit


# Crediting on since, the sale's hour, its direction, a test?, and whether it is credited.
CREDITED = """
off    1   cash_out   real   none
0      1   cash_out   real   pending
1      1   cash_out   real   pending
2      1   cash_out   real   none
0      1   cash_in    real   none
0      1   cash_out   test   none
"""


@pytest.mark.parametrize("line", CREDITED.strip().splitlines())
def test_only_a_cash_out_since_crediting_was_switched_on_is_credited(line: str) -> None:
    since, hour, direction, kind, status = line.split()
    crediting = config("UTC")
    if since != "off":
        crediting.credit_source_wallet = True
        crediting.credit_since = BEGIN + timedelta(hours=int(since))
    sold = replace(
        sale(int(hour), 20_000),
        direction="cash_in" if direction == "cash_in" else "cash_out",
        ticker_price=Decimal(10**6),
    )
    row = planning.plan_sale(sold, book_of([], None, "UTC"), crediting, is_test=kind == "test")[0]
    assert row.credit_status == status

"""What makes a person look at a row, one line each: the row as it is good, but for one thing."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from satmachineclient.atm import rows
from satmachineclient.models_sales import Sale

CLOCK = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)
GOOD: dict[str, Any] = {
    "id": "sale",
    "device_id": "kiosk",
    "crypto_atoms": "26630",
    "received_crypto_atoms": "26630",
    "crypto_code": "LN",
    "fiat": "200.00",
    "fiat_code": "GTQ",
    "status": "confirmed",
    "dispense": True,
    "dispense_confirmed": True,
    "error": None,
    "error_code": None,
    "created": CLOCK - timedelta(minutes=5),
    "confirmed_at": CLOCK - timedelta(minutes=4),
    "commission_percentage": "0.05",
    "discount": None,
    "fixed_fee": "0",
    "raw_ticker_price": None,
}

# The column, what stands in it, and what is said.
REFUSED = """
crypto_atoms           0              crypto_atoms is 0
crypto_atoms           -5             crypto_atoms is -5
crypto_atoms           1.5            crypto_atoms is 1.5
crypto_atoms           many           crypto_atoms is many
crypto_atoms           2100000000000001  crypto_atoms is
received_crypto_atoms  20000          only 20000 of its 26630 sats arrived
fiat                   0              fiat 0 is not a positive number
fiat                   -200           fiat -200 is not a positive number
fiat                   0.001          fiat 0.001
fiat_code              gtq            fiat_code:
fiat_code              ZZZ            fiat_code:
fixed_fee              -1             fixed_fee is -1
raw_ticker_price       100000         do not fit its own raw_ticker_price
"""
TAKEN = """
received_crypto_atoms  26580
discount               50
commission_percentage  0
raw_ticker_price       752345.67
"""


def changed(column: str, value: str) -> Sale:
    return rows.to_sale({**GOOD, column: value}, [], CLOCK)


def test_the_row_itself_is_good() -> None:
    sale = rows.to_sale(GOOD, [], CLOCK)
    assert (sale.state, sale.reason) == ("good", None)
    assert (sale.crypto_sats, sale.fiat, sale.time) == (26_630, 20_000, GOOD["confirmed_at"])


@pytest.mark.parametrize("line", REFUSED.strip().splitlines())
def test_a_row_with_one_thing_wrong_waits_and_says_which(line: str) -> None:
    column, value, said = line.split(maxsplit=2)
    sale = changed(column, value)
    assert sale.state == "review"
    assert said in (sale.reason or "")


@pytest.mark.parametrize("line", TAKEN.strip().splitlines())
def test_a_row_with_what_may_be_is_good(line: str) -> None:
    column, value = line.split()
    assert changed(column, value).state == "good"


@pytest.mark.parametrize(
    "time", [CLOCK + timedelta(hours=2), datetime(2008, 1, 1, tzinfo=CLOCK.tzinfo)]
)
def test_a_time_that_cannot_be_is_kept_in_the_facts(time: datetime) -> None:
    sale = rows.to_sale({**GOOD, "confirmed_at": time}, [], CLOCK)
    assert (sale.state, sale.time) == ("review", CLOCK)
    assert sale.facts["time_refused"] == time.isoformat()

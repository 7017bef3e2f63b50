"""A statement as a file, from a period written as a table: each entry, and the balance after it."""

import csv
import io
from datetime import date, datetime, timezone
from typing import Any

from satmachineclient.clients import statements
from satmachineclient.models_clients import Deposit
from satmachineclient.models_programme import Purchase
from satmachineclient.models_sales import Payment

PERIOD = """
2026-03-03 10:00  purchase     150.00  for 2000 sats
2026-03-01 09:00  deposit     1000.00
2026-03-05 09:00  withdrawal   100.00
2026-03-04 18:00  purchase      50.00  for 700 sats, pending
"""
FILE = """
2026-03-01       opening balance                20.00
2026-03-01T09:00 deposit          1000.00     1020.00
2026-03-03T10:00 purchase         -150.00      870.00
2026-03-04T18:00 purchase          -50.00      820.00
2026-03-05T09:00 withdrawal       -100.00      720.00
2026-03-31       closing balance               720.00
"""
SALE = {"direction": "cash_out", "device_id": "kiosk", "device_name": None}


def minor(text: str) -> int:
    return int(text.replace(".", ""))


def entries(text: str) -> tuple[list[Deposit], list[tuple[Payment, Purchase]]]:
    movements: list[Deposit] = []
    bought: list[tuple[Payment, Purchase]] = []
    for number, line in enumerate(text.strip().splitlines()):
        day, clock, entry, amount, *more = line.split()
        time = datetime.fromisoformat(f"{day} {clock}").replace(tzinfo=timezone.utc)
        common: dict[str, Any] = {"id": str(number), "client_id": "ana", "currency": "GTQ"}
        common["created_at"] = common["confirmed_at"] = time
        if entry == "purchase":
            payment = Payment(
                **common,
                transaction_id=str(number),
                transaction_time=time,
                wallet_id="wallet",
                amount_sats=int(more[1]),
                amount_fiat=minor(amount),
                share="1",
                status="pending" if more[-1] == "pending" else "confirmed",
            )
            bought.append((payment, Purchase.of(payment, SALE)))
        else:
            sign = -1 if entry == "withdrawal" else 1
            movements.append(Deposit(**common, amount=sign * minor(amount), status="confirmed"))
    return movements, bought


def statement(opening: str, closing: str) -> statements.Statement:
    movements, bought = entries(PERIOD)
    nowhere = statements._Parts({}, {}, {})
    part = statements._in_currency(
        "GTQ", minor(opening), movements, bought, minor(closing), nowhere
    )
    return statements.Statement(
        client_id="ana",
        username="Ana",
        wallet_id="wallet",
        number="20260301-20260331-ANA",
        operator_name="",
        operator_address="",
        begin=date(2026, 3, 1),
        end=date(2026, 3, 31),
        timezone="UTC",
        generated_at=datetime(2026, 4, 1, tzinfo=timezone.utc),
        currencies=[part],
        forwards=[],
        total_forwarded_sats=0,
        total_forward_fee_sats=0,
    )


def test_every_entry_stands_in_its_order_with_the_balance_after_it() -> None:
    text = statements.as_csv(statement("20.00", "720.00"))
    lines = [
        f"{row['time'][:16]} {row['entry']} {row['amount']} {row['balance']}".split()
        for row in csv.DictReader(io.StringIO(text.lstrip("\ufeff"), newline=""))
    ]
    assert lines == [line.split() for line in FILE.strip().splitlines()]


def test_the_totals_are_those_of_the_entries_and_only_paid_sats_count_as_received() -> None:
    (part,) = statement("20.00", "720.00").currencies
    assert (part.total_deposits, part.total_withdrawals) == ("1000.00", "100.00")
    assert part.total_purchases == "200.00"
    assert (part.total_sats, part.waiting_sats) == (2000, 700)
    assert part.average_price == "7500000.00"  # 150.00 for 2,000 sats


def test_a_statement_that_does_not_add_up_is_never_shown() -> None:
    try:
        statement("20.00", "720.01")
    except AssertionError as exc:
        assert "do not add up" in str(exc)
    else:
        raise AssertionError("it was shown")

"""A client's statement: what came in and went out of their cash in a period, and what it bought.

Deposits and withdrawals stand on the day of their confirmation, purchases on the day of their
sale, both in the operator's time zone. A sale that is read late may still be added to a past day.
"""

import asyncio
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Response
from lnbits.db import Filters
from pydantic import BaseModel

from . import crud_reports, database, exports
from .helpers import average_price, fiat_text, now
from .models import Out, Payment, PaymentFilters
from .models_clients import Client, Deposit, Purchase
from .transaction_processor import config_or_defaults


class Movement(BaseModel):
    """Cash that came in, or, as a positive amount too, that went back to the client."""

    time: datetime
    amount: str
    notes: str | None


class CurrencyStatement(Out):
    """One currency's part. Always: opening + deposits − withdrawals − purchases = closing."""

    currency: str
    opening_balance: str
    deposits: list[Movement]
    withdrawals: list[Movement]
    purchases: list[Purchase]
    total_deposits: str
    total_withdrawals: str
    total_purchases: str
    total_sats: int
    pending_sats: int
    average_price: str | None
    closing_balance: str


class Statement(Out):
    """`begin` and `end` are the first and the last day, `timezone` the operator's."""

    client_id: str
    username: str | None
    wallet_id: str
    begin: date
    end: date
    timezone: str
    generated_at: datetime
    currencies: list[CurrencyStatement]

    class Config:
        fields = {"begin": "from", "end": "to"}
        allow_population_by_field_name = True


async def of_client(client: Client, begin: date | None, end: date | None) -> Statement:
    """The statement of these days, both included; of this month so far without them.

    Raises:
        ValueError: the period ends before it begins.
    """
    zone = ZoneInfo((await config_or_defaults()).timezone)
    end = end or now().astimezone(zone).date()
    begin = begin or end.replace(day=1)
    if end < begin:
        raise ValueError("to: is before from")
    if begin < date(2009, 1, 3) or end > date(9000, 1, 1):
        raise ValueError("from: there was no bitcoin before 2009-01-03")
    first, after = _midnight(begin, zone), _midnight(end + timedelta(days=1), zone)
    before = (begin - timedelta(days=1)).isoformat()
    # Nothing may be planned between one look and the next.
    async with database.ledger() as work:
        opening = _left(
            await crud_reports.put_in_until(work, client.id, first),
            await crud_reports.taken_until(work, client.id, before),
        )
        closing = _left(
            await crud_reports.put_in_until(work, client.id, after),
            await crud_reports.taken_until(work, client.id, end.isoformat()),
        )
        movements = await crud_reports.deposits_within(work, client.id, first, after)
        payments = await crud_reports.payments_within(
            work, client.id, begin.isoformat(), end.isoformat()
        )
    bought = list(zip(payments, await purchases(payments), strict=True))
    moved = {m.currency for m in movements} | {p.currency for p in payments}
    held = {code for code in closing if opening.get(code, 0) or closing[code]}
    return Statement(
        client_id=client.id,
        username=client.username,
        wallet_id=client.wallet_id,
        begin=begin,
        end=end,
        timezone=zone.key,
        generated_at=now(),
        currencies=[
            _in_currency(
                code,
                opening.get(code, 0),
                [m for m in movements if m.currency == code],
                [(p, shown) for p, shown in bought if p.currency == code],
                closing[code],
            )
            for code in sorted(held | moved)
        ],
    )


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(timezone.utc)


def _left(put_in: dict[str, int], taken: dict[str, int]) -> dict[str, int]:
    return {code: put_in.get(code, 0) - taken.get(code, 0) for code in put_in.keys() | taken.keys()}


def _in_currency(
    code: str,
    opening: int,
    movements: list[Deposit],
    bought: list[tuple[Payment, Purchase]],
    closing: int,
) -> CurrencyStatement:
    put_in = sum(m.amount for m in movements if m.amount > 0)
    given_back = -sum(m.amount for m in movements if m.amount < 0)
    spent = sum(payment.amount_fiat for payment, _ in bought)
    if opening + put_in - given_back - spent != closing:
        raise AssertionError(f"the {code} of this statement do not add up")
    paid = [payment for payment, _ in bought if payment.status == "confirmed"]
    sats = sum(payment.amount_sats for payment in paid)
    return CurrencyStatement(
        currency=code,
        opening_balance=fiat_text(opening, code),
        deposits=[_movement(m) for m in movements if m.amount > 0],
        withdrawals=[_movement(m) for m in movements if m.amount < 0],
        purchases=[shown for _, shown in sorted(bought, key=lambda b: b[1].transaction_time)],
        total_deposits=fiat_text(put_in, code),
        total_withdrawals=fiat_text(given_back, code),
        total_purchases=fiat_text(spent, code),
        total_sats=sats,
        pending_sats=sum(payment.amount_sats for payment, _ in bought) - sats,
        average_price=average_price(sum(p.amount_fiat for p in paid), sats, code),
        closing_balance=fiat_text(closing, code),
    )


def _movement(deposit: Deposit) -> Movement:
    return Movement(
        time=deposit.confirmed_at or deposit.created_at,
        amount=fiat_text(abs(deposit.amount), deposit.currency),
        notes=deposit.notes,
    )


async def purchases(payments: list[Payment]) -> list[Purchase]:
    """Shares as the client sees them, in the same order."""
    sales = await crud_reports.sales_of([payment.transaction_id for payment in payments])
    return await asyncio.to_thread(
        lambda: [Purchase.of(p, sales[p.transaction_id]) for p in payments]
    )


# ---- files -----------------------------------------------------------------------------------

_COLUMNS = [
    "time",
    "entry",
    "currency",
    "amount",
    "sats",
    "exchange_rate",
    "balance",
    "status",
    "payment_hash",
    "notes",
]


async def _read_purchases(rows: list[crud_reports.Row]) -> list[exports.Record]:
    payments = [Payment.parse_obj(dict(row)) for row in rows]
    return [purchase.dict() for purchase in await purchases(payments)]


_PURCHASES = exports.Table(
    "dca_payments", "created_at", PaymentFilters, list(Purchase.__fields__), _read_purchases
)


async def purchases_file(filters: Filters[Any]) -> Response:
    """The shares that these filters choose, as CSV, oldest first."""
    name = f"satmachineclient-purchases-{now():%Y-%m-%d}.csv"
    return exports.attachment(await exports.stream(_PURCHASES, filters, "csv"), name, "csv")


def as_csv(statement: Statement) -> str:
    """A line for each entry, in the order of time, with the balance after it."""
    return exports.csv_of(_COLUMNS, _lines(statement))


def _lines(statement: Statement) -> Iterable[exports.Record]:
    for part in statement.currencies:
        balance = Decimal(part.opening_balance)
        yield _line(part, statement.begin, "opening balance", balance=balance)
        for time_, entry, amount, more in sorted(_entries(part), key=lambda each: each[0]):
            balance += Decimal(amount)
            yield _line(part, time_, entry, amount=amount, balance=balance, **more)
        yield _line(part, statement.end, "closing balance", balance=balance, sats=part.total_sats)


def _entries(part: CurrencyStatement) -> Iterable[tuple[datetime, str, str, dict[str, Any]]]:
    for m in part.deposits:
        yield m.time, "deposit", m.amount, {"notes": m.notes}
    for m in part.withdrawals:
        yield m.time, "withdrawal", f"-{m.amount}", {"notes": m.notes}
    for p in part.purchases:
        bought = {
            "sats": p.amount_sats,
            "exchange_rate": p.exchange_rate,
            "status": p.status,
            "payment_hash": p.payment_hash,
        }
        entry = "settlement" if p.direction == "settle_out" else "purchase"
        yield p.transaction_time, entry, f"-{p.amount_fiat}", bought


def _line(
    part: CurrencyStatement, when: date | datetime, entry: str, **more: object
) -> exports.Record:
    blank: exports.Record = dict.fromkeys(_COLUMNS)
    return blank | {"time": when, "entry": entry, "currency": part.currency} | more

"""A client's statement: what came in and went out of their cash in a period, and what it bought.

Deposits and withdrawals stand on the day of their confirmation, purchases on the day of their
sale, both in the operator's time zone. A sale that is read late may still be added to a past day.
"""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Response
from lnbits.db import Filters
from pydantic import Field

from .. import crud_sales, database
from ..configuration import config_or_defaults
from ..crud_clients import get_programme
from ..database import Row
from ..helpers import average_price, day_of, fiat_text, now, start_of
from ..machines.crud import names
from ..models import Out
from ..models_clients import Client, Deposit
from ..models_payouts import Forward, ForwardOut
from ..models_programme import Purchase
from ..models_sales import Payment, PaymentFilters
from ..paying.crud_forwards import forwards_within
from ..reports import files
from . import crud


class Movement(Out):
    """Cash that came in, or, as a positive amount too, that went back to the client."""

    time: datetime
    amount: str
    device_id: str | None = Field(..., description="In which machine it lay; null: in any")
    device_name: str | None
    notes: str | None


class InMachine(Out):
    """What of the balance lies in one machine, and goes out with its sales only."""

    device_id: str
    device_name: str | None
    opening_balance: str
    closing_balance: str


class SentOn(Out):
    """Sats that went on to the client's own keys, on the day when they had arrived."""

    time: datetime
    amount_sats: int
    fee_sats: int
    destination: str
    payment_hash: str | None

    @classmethod
    def of(cls, forward: Forward) -> "SentOn":
        shown = ForwardOut.of(forward)
        return cls(
            time=forward.confirmed_at or forward.created_at,
            amount_sats=shown.amount_sats,
            fee_sats=shown.fee_sats or 0,
            destination=shown.destination,
            payment_hash=shown.payment_hash,
        )


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
    waiting_sats: int
    average_price: str | None
    closing_balance: str
    in_machines: list[InMachine] = Field(
        [], description="Parts of the balances; what is in none of them lies in any machine"
    )


class Statement(Out):
    """`begin` and `end` are the first and the last day, `timezone` the operator's.

    `forwards` is the sats' side: what went on to the client's own keys, and what that cost.
    """

    client_id: str
    username: str | None
    wallet_id: str
    number: str = Field(..., description="The same for the same client and days, whenever asked")
    operator_name: str = Field(..., description="As the programme's settings have it, or empty")
    operator_address: str
    begin: date
    end: date
    timezone: str
    generated_at: datetime
    currencies: list[CurrencyStatement]
    forwards: list[SentOn]
    total_forwarded_sats: int
    total_forward_fee_sats: int

    class Config:
        fields = {"begin": "from", "end": "to"}
        allow_population_by_field_name = True


def number_of(client_id: str, begin: date, end: date) -> str:
    """A statement's number: its days, and what tells the client from others."""
    short = hashlib.sha256(client_id.encode()).hexdigest()[:8].upper()
    return f"{begin:%Y%m%d}-{end:%Y%m%d}-{short}"


async def of_client(client: Client, begin: date | None, end: date | None) -> Statement:
    """The statement of these days, both included; of this month so far without them.

    Raises:
        ValueError: the period ends before it begins.
    """
    zone = ZoneInfo((await config_or_defaults()).timezone)
    begin, end = _period(begin, end or day_of(now(), zone))
    first, after = start_of(begin, zone), start_of(end + timedelta(days=1), zone)
    called = await names()
    programme = await get_programme()
    # Nothing may be planned between one look and the next.
    async with database.ledger() as work:
        opening = _left(
            await crud.put_in_until(work, client.id, first),
            await crud.taken_until(work, client.id, first),
        )
        closing = _left(
            await crud.put_in_until(work, client.id, after),
            await crud.taken_until(work, client.id, after),
        )
        parts = _Parts(
            called,
            await crud.in_machines_until(work, client.id, first),
            await crud.in_machines_until(work, client.id, after),
        )
        movements = await crud.deposits_within(work, client.id, first, after)
        payments = await crud.payments_within(work, client.id, first, after)
        sent = [SentOn.of(f) for f in await forwards_within(work, client.id, first, after)]
    bought = list(zip(payments, await purchases(payments), strict=True))
    # In a thread: of many years it takes a while, in which LNbits serves others.
    currencies = await asyncio.to_thread(_currencies, opening, movements, bought, closing, parts)
    return Statement.construct(  # a long list of what is checked already
        client_id=client.id,
        username=client.username,
        wallet_id=client.wallet_id,
        number=number_of(client.id, begin, end),
        operator_name=programme.operator_name,
        operator_address=programme.operator_address,
        begin=begin,
        end=end,
        timezone=zone.key,
        generated_at=now(),
        currencies=currencies,
        forwards=sent,
        total_forwarded_sats=sum(forward.amount_sats for forward in sent),
        total_forward_fee_sats=sum(forward.fee_sats for forward in sent),
    )


def _period(begin: date | None, end: date) -> tuple[date, date]:
    begin = begin or end.replace(day=1)
    if end < begin:
        raise ValueError("to: is before from")
    if begin < date(2009, 1, 3) or end > date(9000, 1, 1):
        raise ValueError("from: there was no bitcoin before 2009-01-03")
    return begin, end


def _currencies(
    opening: dict[str, int],
    movements: list[Deposit],
    bought: list[tuple[Payment, Purchase]],
    closing: dict[str, int],
    parts: "_Parts",
) -> list[CurrencyStatement]:
    moved = {m.currency for m in movements} | {p.currency for p, _ in bought}
    held = {code for code in closing if opening.get(code, 0) or closing[code]}
    return [
        _in_currency(
            code,
            opening.get(code, 0),
            [m for m in movements if m.currency == code],
            [(p, shown) for p, shown in bought if p.currency == code],
            closing[code],
            parts,
        )
        for code in sorted(held | moved)
    ]


@dataclass(frozen=True)
class _Parts:
    """What the machines are called, and what lay in each, by currency and machine."""

    names: dict[str, str]
    opening: dict[tuple[str, str], int]
    closing: dict[tuple[str, str], int]

    def of(
        self, code: str, movements: list[Deposit], bought: list[tuple[Payment, Purchase]]
    ) -> list[InMachine]:
        """Raises AssertionError if one of them does not add up."""
        spent: dict[str, int] = defaultdict(int)
        for payment, shown in bought:
            spent[shown.device_id] += payment.machine_fiat
        moved: dict[str, int] = defaultdict(int)
        for movement in movements:
            moved[movement.device_id or ""] += movement.amount
        devices = {device for currency, device in self.closing if currency == code}
        for device in devices:
            opening = self.opening.get((code, device), 0)
            if opening + moved[device] - spent[device] != self.closing[code, device]:
                raise AssertionError(f"the {code} in machine {device} do not add up")
        held = {d for d in devices if self.opening.get((code, d)) or self.closing[code, d]}
        return [
            InMachine(
                device_id=device,
                device_name=self.names.get(device),
                opening_balance=fiat_text(self.opening.get((code, device), 0), code),
                closing_balance=fiat_text(self.closing[code, device], code),
            )
            for device in sorted(held | {d for d in moved if d and moved[d]})
        ]


def _left(put_in: dict[str, int], taken: dict[str, int]) -> dict[str, int]:
    return {code: put_in.get(code, 0) - taken.get(code, 0) for code in put_in.keys() | taken.keys()}


def _in_currency(
    code: str,
    opening: int,
    movements: list[Deposit],
    bought: list[tuple[Payment, Purchase]],
    closing: int,
    parts: _Parts,
) -> CurrencyStatement:
    put_in = sum(m.amount for m in movements if m.amount > 0)
    given_back = -sum(m.amount for m in movements if m.amount < 0)
    spent = sum(payment.amount_fiat for payment, _ in bought)
    if opening + put_in - given_back - spent != closing:
        raise AssertionError(f"the {code} of this statement do not add up")
    paid = [payment for payment, _ in bought if payment.status == "confirmed"]
    sats = sum(payment.amount_sats for payment in paid)
    return CurrencyStatement.construct(
        currency=code,
        opening_balance=fiat_text(opening, code),
        deposits=[_movement(m, parts.names) for m in movements if m.amount > 0],
        withdrawals=[_movement(m, parts.names) for m in movements if m.amount < 0],
        purchases=[shown for _, shown in sorted(bought, key=lambda b: b[1].transaction_time)],
        total_deposits=fiat_text(put_in, code),
        total_withdrawals=fiat_text(given_back, code),
        total_purchases=fiat_text(spent, code),
        total_sats=sats,
        waiting_sats=sum(payment.amount_sats for payment, _ in bought) - sats,
        average_price=average_price(sum(p.amount_fiat for p in paid), sats, code),
        closing_balance=fiat_text(closing, code),
        in_machines=parts.of(code, movements, bought),
    )


def _movement(deposit: Deposit, names: dict[str, str]) -> Movement:
    return Movement(
        time=deposit.confirmed_at or deposit.created_at,
        amount=fiat_text(abs(deposit.amount), deposit.currency),
        device_id=deposit.device_id,
        device_name=names.get(deposit.device_id or ""),
        notes=deposit.notes,
    )


async def purchases(payments: list[Payment]) -> list[Purchase]:
    """Shares as the client sees them, in the same order."""
    sales = await crud_sales.sales_of([payment.transaction_id for payment in payments])
    return await asyncio.to_thread(
        lambda: [Purchase.of(p, sales[p.transaction_id]) for p in payments]
    )


# ---- files -----------------------------------------------------------------------------------

_COLUMNS = [
    "time",
    "timezone",
    "entry",
    "currency",
    "amount",
    "sats",
    "exchange_rate",
    "balance",
    "status",
    "payment_hash",
    "notes",
    "machine",
    "from_machine",
]


async def _read_purchases(rows: list[Row]) -> list[files.Record]:
    payments = [Payment.parse_obj(dict(row)) for row in rows]
    return [purchase.dict() for purchase in await purchases(payments)]


_FIELDS = [name for name in Purchase.__fields__ if name != "told"]
_PURCHASES = files.Table("dca_payments", "created_at", PaymentFilters, _FIELDS, _read_purchases)


async def purchases_file(filters: Filters[Any]) -> Response:
    """The shares that these filters choose, as CSV, oldest first."""
    name = f"satmachineclient-purchases-{now():%Y-%m-%d}.csv"
    return files.attachment(await files.stream(_PURCHASES, filters, "csv"), name, "csv")


def as_csv(statement: Statement) -> str:
    """A line for each entry, in the order of time, with the balance after it.

    Days and times are those of the operator's zone, which each line names.
    """
    zone = ZoneInfo(statement.timezone)
    return files.csv_of(_COLUMNS, (_here(line, zone) for line in _lines(statement)))


def _here(line: files.Record, zone: ZoneInfo) -> files.Record:
    time = line["time"]
    here = time.astimezone(zone) if isinstance(time, datetime) else time
    return line | {"time": here, "timezone": zone.key}


def _lines(statement: Statement) -> Iterable[files.Record]:
    for part in statement.currencies:
        balance = Decimal(part.opening_balance)
        yield _line(part, statement.begin, "opening balance", balance=balance)
        for time_, entry, amount, more in sorted(_entries(part), key=lambda each: each[0]):
            balance += Decimal(amount)
            yield _line(part, time_, entry, amount=amount, balance=balance, **more)
        yield _line(part, statement.end, "closing balance", balance=balance, sats=part.total_sats)
    for sent in statement.forwards:
        proof = {"currency": "SATS", "payment_hash": sent.payment_hash, "notes": sent.destination}
        yield _blank() | proof | _sats_line(sent.time, "forward", -sent.amount_sats)
        if sent.fee_sats:
            yield _blank() | proof | _sats_line(sent.time, "forward fee", -sent.fee_sats)


def _entries(part: CurrencyStatement) -> Iterable[tuple[datetime, str, str, dict[str, Any]]]:
    for m in part.deposits:
        yield m.time, "deposit", m.amount, _place(m)
    for m in part.withdrawals:
        yield m.time, "withdrawal", f"-{m.amount}", _place(m)
    for p in part.purchases:
        bought = {
            "sats": p.amount_sats,
            "exchange_rate": p.exchange_rate,
            "status": p.status,
            "payment_hash": p.payment_hash,
            "machine": p.device_name or p.device_id,
            "from_machine": p.machine_fiat,
        }
        entry = "settlement" if p.direction == "settle_out" else "purchase"
        yield p.transaction_time, entry, f"-{p.amount_fiat}", bought


def _place(movement: Movement) -> dict[str, Any]:
    place = movement.device_name or movement.device_id
    return {"notes": movement.notes, "machine": place}


def _line(
    part: CurrencyStatement, when: date | datetime, entry: str, **more: object
) -> files.Record:
    return _blank() | {"time": when, "entry": entry, "currency": part.currency} | more


def _sats_line(when: datetime, entry: str, sats: int) -> files.Record:
    return {"time": when, "entry": entry, "sats": sats, "status": "confirmed"}


def _blank() -> files.Record:
    return dict.fromkeys(_COLUMNS)

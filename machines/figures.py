"""The machines with their sales, and the cash book: what is owed against what should be there.

The figures are shown beside each other, each with its time; a difference is not explained away.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, time, timedelta, timezone
from decimal import ROUND_DOWN, Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ..configuration import config_or_defaults
from ..helpers import fiat_text, now
from . import crud
from .models import (
    NO_MACHINES,
    CashBook,
    Count,
    CountOut,
    Machine,
    MachineCash,
    MachineCashBook,
    MachineOut,
    Turnover,
)

PACE_DAYS = 28


# ---- the machines ----------------------------------------------------------------------------


async def machines() -> list[MachineOut]:
    """All that Lamassu or a sale has named, by their names."""
    zone = ZoneInfo((await config_or_defaults()).timezone)
    today = now().astimezone(zone).date()
    month = datetime.combine(today.replace(day=1), time.min, zone).astimezone(timezone.utc)
    sold: dict[str, list[crud.Sold]] = defaultdict(list)
    for row in await crud.sold(month):
        sold[row.device_id].append(row)
    counts: dict[str, list[Count]] = defaultdict(list)
    for count in await crud.last_counts():
        counts[count.device_id].append(count)
    found = [
        _machine(machine, sold[machine.device_id], counts[machine.device_id])
        for machine in await crud.get_machines()
        if machine.device_id not in NO_MACHINES
    ]
    return sorted(found, key=lambda m: (m.name is None, (m.name or "").lower(), m.device_id))


async def machine(device_id: str) -> MachineOut | None:
    return next((m for m in await machines() if m.device_id == device_id), None)


def _machine(machine: Machine, sold: list[crud.Sold], counts: list[Count]) -> MachineOut:
    return MachineOut(
        device_id=machine.device_id,
        name=machine.shown_name,
        own_name=machine.name,
        lamassu_name=machine.lamassu_name,
        paired=machine.paired,
        first_sale=min((row.first_sale for row in sold), default=None),
        last_sale=max((row.last_sale for row in sold), default=None),
        sales=sum(row.sales for row in sold),
        totals=[
            Turnover(
                currency=row.currency,
                sales=row.sales,
                fiat=fiat_text(row.fiat, row.currency),
                sats=row.sats,
                commission_sats=row.commission_sats,
            )
            for row in sold
        ],
        month=[
            Turnover(
                currency=row.currency,
                sales=row.month_sales,
                fiat=fiat_text(row.month_fiat, row.currency),
                sats=row.month_sats,
                commission_sats=row.month_commission_sats,
            )
            for row in sold
            if row.month_sales
        ],
        last_online=machine.last_online,
        cash=[MachineCash.of(machine, machine.as_of)] if machine.as_of and machine.units else [],
        counts=[CountOut.of(count) for count in counts],
    )


# ---- the cash book ---------------------------------------------------------------------------


async def cash_book(machines: list[Machine]) -> list[CashBook]:
    """A page for each currency in which clients have cash, or one of all these machines has any."""
    at = now()
    owed = {row["currency"]: row["amount"] for row in await crud.owed()}
    by_machine: dict[str, dict[str, int]] = defaultdict(dict)
    for row in await crud.owed_by_machine():
        by_machine[row["currency"]][row["device_id"]] = row["amount"]
    counts = {(count.currency, count.device_id): count for count in await crud.last_counts()}
    paces: dict[str, list[crud.Pace]] = defaultdict(list)
    since = at - timedelta(days=PACE_DAYS)
    for pace in await crud.paces(since):
        paces[pace.currency].append(pace)
    believed = {machine.currency for machine in machines if machine.currency and machine.units}
    codes = owed.keys() | believed | {currency for currency, _ in counts}
    return [
        _page(
            code,
            owed.get(code, 0),
            [
                _Line(
                    machine,
                    by_machine[code].get(machine.device_id, 0),
                    counts.get((code, machine.device_id)),
                    machine.cash() if machine.currency == code else None,
                    [pace for pace in paces[code] if pace.device_id == machine.device_id],
                )
                for machine in machines
            ],
            paces[code],
            at,
        )
        for code in sorted(codes)
    ]


class Missing(NamedTuple):
    """Less cash `there` in a currency, by Lamassu or a person's count, than is `owed`; as text."""

    currency: str
    there: str
    owed: str


async def missing_cash(machines: Iterable[Machine]) -> list[Missing]:
    """The currencies whose page of the cash book has a difference below zero."""
    believed: Counter[str] = Counter()
    counted: Counter[str] = Counter()
    known: set[str] = set()
    for machine in machines:
        known.add(machine.device_id)
        if machine.currency and (cash := machine.cash()) is not None:
            believed[machine.currency] += cash
    for count in await crud.last_counts():
        if count.device_id in known:
            counted[count.currency] += count.amount
    there = {**counted, **believed}  # what Lamassu believes goes first
    if not there:
        return []
    return [
        Missing(code, fiat_text(there[code], code), fiat_text(row["amount"], code))
        for row in await crud.owed()
        if (code := row["currency"]) in there and there[code] < row["amount"]
    ]


class _Line:
    """One machine's figures in one currency, in minor units."""

    def __init__(
        self,
        machine: Machine,
        owed: int,
        count: Count | None,
        believed: int | None,
        paces: list[crud.Pace],
    ) -> None:
        self.machine = machine
        self.owed = owed
        self.count = count
        self.believed = believed
        self.as_of = machine.as_of if believed is not None else None
        self.paces = paces

    @property
    def matters(self) -> bool:
        return bool(self.owed or self.count or self.believed is not None or self.paces)

    @property
    def newest(self) -> int | None:
        """What a person counted, or what Lamassu believes, whichever is newer."""
        if self.count and (self.as_of is None or self.count.counted_at >= self.as_of):
            return self.count.amount
        return self.believed


def _page(
    code: str, owed: int, lines: list[_Line], paces: list[crud.Pace], at: datetime
) -> CashBook:
    lines = [line for line in lines if line.matters]
    believed = _sum(line.believed for line in lines)
    counted = _sum(line.count.amount if line.count else None for line in lines)
    there = counted if believed is None else believed
    per_day, days_left = _pace(owed, paces, code, at)
    return CashBook(
        currency=code,
        owed=fiat_text(owed, code),
        owed_by_machine={
            line.machine.device_id: fiat_text(line.owed, code) for line in lines if line.owed
        },
        owed_anywhere=fiat_text(owed - sum(line.owed for line in lines), code),
        counted=_text(counted, code),
        counted_at=min((line.count.counted_at for line in lines if line.count), default=None),
        in_machines=_text(believed, code),
        as_of=min((line.as_of for line in lines if line.as_of), default=None),
        unknown_notes=sum(
            line.machine.unknown_notes() for line in lines if line.believed is not None
        ),
        difference=None if there is None else fiat_text(there - owed, code),
        covered=_percent(there, owed),
        per_day=per_day,
        days_left=days_left,
        machines=[_in_machine(line, code, at) for line in lines],
    )


def _in_machine(line: _Line, code: str, at: datetime) -> MachineCashBook:
    per_day, days_left = _pace(line.owed, line.paces, code, at)
    newest = line.newest
    return MachineCashBook(
        device_id=line.machine.device_id,
        name=line.machine.shown_name,
        owed=fiat_text(line.owed, code),
        in_machine=_text(line.believed, code),
        as_of=line.as_of,
        unknown_notes=0 if line.believed is None else line.machine.unknown_notes(),
        counted=fiat_text(line.count.amount, code) if line.count else None,
        counted_at=line.count.counted_at if line.count else None,
        difference=None if newest is None else fiat_text(newest - line.owed, code),
        per_day=per_day,
        days_left=days_left if line.owed else None,
    )


def _sum(amounts: Iterable[int | None]) -> int | None:
    """None where nothing is known at all."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None


def _text(amount: int | None, code: str) -> str | None:
    return None if amount is None else fiat_text(amount, code)


def _percent(there: int | None, owed: int) -> str | None:
    """Rounded down, so that 100 means all of it."""
    if there is None or owed <= 0:
        return None
    return str((Decimal(there) * 100 / owed).quantize(Decimal("0.1"), ROUND_DOWN))


def _pace(
    owed: int, paces: list[crud.Pace], code: str, at: datetime
) -> tuple[str | None, int | None]:
    """What goes out in a day, since the first sale of these weeks, and how long the cash lasts."""
    taken = sum(pace.fiat for pace in paces)
    if taken <= 0:
        return None, None
    days = max((at - min(pace.first_sale for pace in paces)).days + 1, 1)
    return fiat_text(taken // days, code), max(owed, 0) * days // taken

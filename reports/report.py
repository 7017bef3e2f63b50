"""The month's books: what was sold, shared out, earned, brought and taken back in a period.

Nothing is frozen at a month's end: what is read or decided on late is added to the month of its
sale, what is voided or taken back late leaves it, and both are said apart (`late_…`).
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timezone
from typing import Any

from pydantic import Field

from ..database import Ledger, reading
from ..helpers import day_of, fiat_text
from ..machines.crud import names
from ..models import Out
from . import crud_books, files
from .crud import QUARTER_SECONDS
from .crud_books import By
from .periods import Month, Period

_FIAT = (
    "fiat",
    "commission_fiat",
    "distributed_fiat",
    "undistributed_fiat",
    "settled_fiat",
    "deposits",
    "withdrawals",
    "late_voided_fiat",
    "late_taken_back_fiat",
)
_PIECE = 250  # rows summed up before others get their turn
_SUMS = [*crud_books.SALE_SUMS, *crud_books.DEPOSIT_SUMS, *crud_books.UNDONE_SUMS]
_Key = tuple[str, str]  # what it is grouped by, then the currency; a machine "" is none
_Sums = dict[str, int]


class Figures(Out):
    """Sums of one currency. Always: sats = base + commission, base = distributed + undistributed.

    A cash-in's `sats` are what was needed for it: what the customer was sent, and the commission.
    """

    currency: str
    sales: int
    fiat: str
    sats: int
    base_sats: int
    commission_sats: int
    commission_fiat: str = Field(
        ..., description="What the commissions were worth at their sales' own prices"
    )
    partners_sats: int = Field(..., description="Of the commission, the partners'")
    distributed_sats: int
    distributed_fiat: str
    undistributed_sats: int
    undistributed_fiat: str
    settlements: int
    settled_sats: int
    settled_fiat: str
    deposits: str
    withdrawals: str
    late_sales: int = Field(
        ..., description="Read, or distributed by a person, after the end of their month"
    )
    late_sats: int
    late_voids: int = Field(
        ..., description="Shares voided after the end of their month; the sums are without them"
    )
    late_voided_sats: int
    late_voided_fiat: str
    late_taken_back: int = Field(
        ..., description="Sales dismissed after the end of a month that counted them"
    )
    late_taken_back_sats: int
    late_taken_back_fiat: str
    cash_owed_begin: str | None = Field(
        None, description="Clients' cash before and after; by machine only in the totals"
    )
    cash_owed_end: str | None = None


class ReportRow(Figures):
    """One of the first four says what it is of, by what was asked for."""

    month: str | None = None
    day: date | None = None
    device_id: str | None = Field(None, description="null, by machine: of no machine in particular")
    device_name: str | None = None


class Report(Out):
    """`totals`: a row for each currency. Sats owed are those of all currencies."""

    begin: date
    end: date
    timezone: str
    by: By
    rows: list[ReportRow]
    totals: list[Figures]
    sats_owed_begin: int = Field(..., description="Bought for clients and not paid yet")
    sats_owed_end: int
    partners_owed_begin: int
    partners_owed_end: int

    class Config:
        fields = {"begin": "from", "end": "to"}
        allow_population_by_field_name = True


async def of_period(period: Period, by: By) -> Report:
    """The report of these days, in the operator's time zone."""
    sums: dict[_Key, _Sums] = defaultdict(lambda: dict.fromkeys(_SUMS, 0))
    async with reading() as work:
        for month in period.months():
            await _add_month(work, sums, month, period, by)
        cash = [await _cash_owed(work, at) for at in (period.begin, period.end)]
        sats = [await crud_books.sats_owed(work, at) for at in (period.begin, period.end)]
        parts = [await crud_books.partners_owed(work, at) for at in (period.begin, period.end)]
    totals = {
        code: {name: sum(s[name] for (_, c), s in sums.items() if c == code) for name in _SUMS}
        for code in sorted(
            {code for _, code in sums} | {code for each in cash for code in each if each[code]}
        )
    }
    return Report(
        begin=period.first,
        end=period.last,
        timezone=period.zone.key,
        by=by,
        rows=await _rows(sums, by, cash[0]),
        totals=[
            Figures(**_shown(code, each, cash[0].get(code, 0), cash[1].get(code, 0)))
            for code, each in totals.items()
        ],
        sats_owed_begin=sum(sats[0].values()),
        sats_owed_end=sum(sats[1].values()),
        partners_owed_begin=sum(parts[0].values()),
        partners_owed_end=sum(parts[1].values()),
    )


async def _cash_owed(work: Ledger, at: datetime) -> dict[str, int]:
    return {code: amount for (_, code), amount in (await crud_books.cash_owed(work, at)).items()}


async def _add_month(
    work: Ledger, sums: dict[_Key, _Sums], month: Month, period: Period, by: By
) -> None:
    begin, end = month.begin, month.end
    sales = await crud_books.sales_within(work, by, begin, end, month.last_moment)
    large = [
        {"key": row["key"], "currency": row["currency"], "commission_fiat": _worth(row)}
        for row in await crud_books.large_sales_within(work, by, begin, end)
    ]
    undone = await crud_books.undone_within(work, by, begin, end, month.last_moment)
    deposits = await crud_books.deposits_within(work, by, begin, end)
    for n, row in enumerate((*sales, *large, *undone, *deposits), 1):
        if n % _PIECE == 0:
            await asyncio.sleep(0)  # others' turn
        found = sums[_group(row["key"], month, period, by), row["currency"]]
        for name in _SUMS:
            found[name] += row.get(name, 0)


def _group(key: Any, month: Month, period: Period, by: By) -> str:
    if by == "day":
        moment = datetime.fromtimestamp(key * QUARTER_SECONDS, timezone.utc)
        return day_of(moment, period.zone).isoformat()
    return {"month": month.name, "machine": key or "", "currency": ""}[by]


def _worth(row: Any) -> int:
    """A commission in minor units at its sale's own price, rounded half up as in SQL."""
    commission, fiat, base = (
        row[name] for name in ("commission_amount_sats", "fiat_amount", "base_amount_sats")
    )
    return int((2 * commission * fiat + base) // (2 * base))


async def _rows(sums: dict[_Key, _Sums], by: By, owed: dict[str, int]) -> list[ReportRow]:
    called = await names() if by == "machine" else {}
    left = dict(owed)
    rows = []
    for (group, code), each in sorted(sums.items()):
        before = left.get(code, 0)
        left[code] = before + each["deposits"] - each["withdrawals"]
        left[code] -= each["distributed_fiat"] + each["settled_fiat"]
        ends = (None, None) if by == "machine" else (before, left[code])
        of: dict[str, Any] = {by: group} if by in ("month", "day") else {}
        if by == "machine" and group:
            of = {"device_id": group, "device_name": called.get(group)}
        rows.append(ReportRow(**_shown(code, each, *ends), **of))
    return rows


def _shown(code: str, sums: _Sums, begin: int | None, end: int | None) -> dict[str, Any]:
    return {
        **sums,
        **{name: fiat_text(sums[name], code) for name in _FIAT},
        "currency": code,
        "cash_owed_begin": None if begin is None else fiat_text(begin, code),
        "cash_owed_end": None if end is None else fiat_text(end, code),
    }


# ---- as a file -------------------------------------------------------------------------------


def as_csv(report: Report) -> str:
    """The rows, then a row `total` for each currency."""
    of = {"machine": ["device_id", "device_name"], "currency": []}.get(report.by, [report.by])
    columns = ["row", *of, *Figures.__fields__]
    return files.csv_of(columns, _lines(report, columns))


def _lines(report: Report, columns: list[str]) -> Iterable[files.Record]:
    blank: files.Record = dict.fromkeys(columns)
    for row in report.rows:
        yield blank | row.dict(include=set(columns)) | {"row": report.by}
    for total in report.totals:
        yield blank | total.dict() | {"row": "total"}

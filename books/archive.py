"""Old shares are kept small: what may be archived, and doing it, piece by piece.

Nothing of a share is lost and nothing is summed up: `crud_shares` reads it back to the last column.
Each piece is one transaction of the ledger, so that it may end anywhere; who asks again goes on.
"""

import asyncio
from datetime import date, datetime, timedelta
from time import monotonic
from zoneinfo import ZoneInfo

from pydantic import Field

from .. import crud, crud_shares
from ..configuration import config_or_defaults
from ..database import Ledger, Row, ledger, reading
from ..helpers import ConflictError, day_of, now
from ..models import AuditEntry, In, Out
from ..reports.periods import Month, Period
from . import reconciliation

MONTHS_KEPT = 13  # this month and the twelve before it are never archived
_SALES, _SHARES = 200, 1000  # at most, in one piece; a sale is never parted
_SECONDS = 20.0  # for which one request goes on
_PAUSE = 0.05  # seconds in which others get the ledger
_STILL_AGREE = 600.0  # seconds for which a request that goes on need not check the books again
_agreed: dict[str, float] = {}  # until which month, and when by this process's clock


class ArchiveIn(In):
    until: str = Field(
        ...,
        regex=r"^[0-9]{4}-(0[1-9]|1[0-2])$",
        description="The last month to archive, as 2025-01",
    )


class ArchiveMonth(Out):
    month: str
    sales: int
    shares: int = Field(..., description="Of its sales, without the voided")
    archived_sales: int
    archived_shares: int


class ArchiveOut(Out):
    timezone: str
    latest: str = Field(..., description="The last month that may be archived")
    months: list[ArchiveMonth] = Field(..., description="Those up to it, newest first")
    archived_shares: int
    open_shares: int = Field(..., description="Those of these months that are not archived")
    bytes: int = Field(..., description="What all tables of the extension take")
    free_bytes: int | None = Field(
        ..., description="Of them free for new rows; PostgreSQL does not say"
    )


class Archived(Out):
    until: str
    shares: int = Field(..., description="How many were archived now, also the voided")
    kept_sales: int = Field(
        ..., description="Sales that stay as they are: a person decided on a share of theirs"
    )
    done: bool = Field(..., description="If not: ask again, and it goes on")


async def read() -> ArchiveOut:
    """What is archived, and what could be."""
    period = await _period()
    months = []
    async with reading() as work:
        first = await crud_shares.first_sale(work)
        for month in _months(first, period):
            row = await crud_shares.sums_within(work, month.begin, month.end)
            if row["sales"]:
                months.append(ArchiveMonth(month=month.name, **row))
        size, free = await crud_shares.sizes(work)
    archived = sum(month.archived_shares for month in months)
    return ArchiveOut(
        timezone=period.zone.key,
        latest=period.last.strftime("%Y-%m"),
        months=months[::-1],
        archived_shares=archived,
        open_shares=sum(month.shares for month in months) - archived,
        bytes=size,
        free_bytes=free,
    )


async def _period() -> Period:
    """The time that may be archived."""
    zone = ZoneInfo((await config_or_defaults()).timezone)
    day = day_of(now(), zone).replace(day=1)
    for _ in range(MONTHS_KEPT - 1):
        day = (day - timedelta(days=1)).replace(day=1)
    return Period(date(2009, 1, 1), day - timedelta(days=1), zone)


def _months(first: datetime | None, period: Period) -> list[Month]:
    if first is None:
        return []
    day = day_of(first, period.zone)
    return list(Period(day.replace(day=1), period.last, period.zone).months())


async def run(until: str, operator: str) -> Archived:
    """Archive the shares of all sales up to the end of this month, for as long as one may wait.

    Raises:
        ValueError: the month is too young.
        ConflictError: something of that time is open still, or the books do not agree.
    """
    period = await _period()
    latest = period.last.strftime("%Y-%m")
    if until > latest:
        raise ValueError(f"until: may be {latest} at most")
    if until < "2009-01":
        raise ValueError("until: there was no bitcoin before 2009-01-03")
    first = date.fromisoformat(f"{until}-01")
    last = (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    end = Period(first, last, period.zone).end
    await _check(end, until)
    audit: AuditEntry | None = AuditEntry.of(operator, "shares archived", until)
    found = Archived(until=until, shares=0, kept_sales=0, done=False)
    after: Row | None = None
    began = monotonic()
    # Each request does something, or comes to the end: past what is kept it goes in any case.
    while not found.shares or monotonic() - began < _SECONDS:
        async with ledger() as work:
            sales = await _piece(work, end, after)
            if not sales:
                found.done = True
                _agreed.clear()
                return found
            ready = await crud_shares.ready(work, [sale["id"] for sale in sales])
            if ready:
                found.shares += await crud_shares.archive(work, ready)
                if audit:
                    await crud.insert_audit(work, audit)
                    audit = None
        found.kept_sales += len(sales) - len(ready)
        after = sales[-1]
        await asyncio.sleep(_PAUSE)
    return found


async def _check(end: datetime, until: str) -> None:
    async with reading() as work:
        number = await crud_shares.count_open(work, end)
    if number:
        raise ConflictError(
            f"Up to the end of {until}, {number} sales, payments or commissions are not finally "
            "settled: settle or decide on them first."
        )
    if monotonic() - _agreed.get(until, -_STILL_AGREE) < _STILL_AGREE:
        return
    books = await reconciliation.reconcile()
    if not books.ok:
        raise ConflictError(
            f"The books differ in {len(books.differences)} places: nothing is archived until they "
            "agree."
        )
    _agreed.clear()
    _agreed[until] = monotonic()


async def _piece(work: Ledger, end: datetime, after: Row | None) -> list[Row]:
    """The next sales whose shares may be moved in one transaction."""
    sales = await crud_shares.next_sales(work, end, after, _SALES)
    number = 0
    for place, sale in enumerate(sales):
        number += sale["clients_count"]
        if place and number > _SHARES:
            return sales[:place]
    return sales

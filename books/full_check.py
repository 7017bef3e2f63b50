"""All of the books, checked after each start and every week, a slice at a time.

Where a check has come to is stored with each slice: cut off, it goes on from there.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from pydantic import BaseModel, validator

from .. import database
from ..helpers import now
from ..models import Difference, Reconciliation
from . import crud_checks
from .adoption import EVERYTHING
from .reconciliation import Findings, check_owners, check_piece

_SLICE_SECONDS = 2.0  # who has to decide something waits for the ledger for longer than that
_AGAIN, _SOONER = timedelta(days=7), timedelta(hours=1)  # sooner where something differed
_STILL_TRUE = timedelta(hours=1)  # what was checked before a check was cut off
_KEPT = 100  # differences that are stored as they were found

Mend = Callable[[Sequence[Difference]], Awaitable[bool]]  # whether there was anything to mend


class FullCheck(BaseModel):
    """The row of `dca_full_check`: the check that runs, or the last one.

    `checked_until`: all before this time was checked; then come clients and partners, up to the id
    `checked_owner`. `differences`: how many it has found so far; `found`: the first of them.
    """

    id: int = 1
    begun_at: datetime | None = None
    noted_at: datetime | None = None
    checked_until: datetime = EVERYTHING
    checked_owner: str = ""
    differences: int = 0
    found: list[Difference] = []
    finished_at: datetime | None = None

    @validator("found", pre=True)
    def _from_text(cls, value: Any) -> Any:
        return json.loads(value) if isinstance(value, str) else value


class _Process:
    """Whether this process has gone on with a check since it started, and whether that failed."""

    has_checked = False
    has_failed = False


async def read() -> FullCheck:
    async with database.reading() as work:
        check = await work.fetch_one(
            FullCheck, "SELECT * FROM satmachineclient.dca_full_check WHERE id = 1"
        )
    return check or FullCheck()


async def known_differences() -> int | None:
    """How many the check that runs has found, or the last one; None: it has found none so far."""
    check = await read()
    return check.differences if check.differences or check.finished_at else None


async def with_known(books: Reconciliation) -> Reconciliation:
    """What was reconciled of some time, with what the last check has found of any other."""
    new = {(each.kind, each.id, each.detail) for each in books.differences}
    known = [d for d in (await read()).found if (d.kind, d.id, d.detail) not in new]
    differences = [*books.differences, *known]
    return books.copy(update={"ok": not differences, "differences": differences})


async def is_due() -> bool:
    return not _is_done(await read())


def look_soon() -> None:
    """Have this process check everything now, not only when its time has come."""
    _Process.has_checked = False


async def forget(work: database.Ledger) -> None:
    """A person has mended what was found, or a part of it: it is looked for anew."""
    look_soon()
    await work.execute("DELETE FROM satmachineclient.dca_full_check")


def note_failure() -> None:
    """It could not go on; who looks after this LNbits is told at each poll, until it can."""
    _Process.has_failed = True


def has_failed() -> bool:
    return _Process.has_failed


def _is_done(check: FullCheck) -> bool:
    """Nothing to do before the next start, or the next week."""
    again = _SOONER if check.differences else _AGAIN
    return _Process.has_checked and _is_within(again, check.finished_at)


def _is_within(time: timedelta, moment: datetime | None) -> bool:
    """Also a moment to come is: two servers' clocks differ a little."""
    return moment is not None and abs(now() - moment) < time


async def go_on(lease: str, mend: Mend) -> Findings:
    """Check the next slice, or begin anew if the last check is over; what differs is logged.

    Where `mend` finds something to mend in it, the slice is checked once more: what differs then
    is what is kept and told.

    Raises:
        LeaseLostError: another process has gone on with it; what was found here is forgotten.
    """
    begin = await read()
    if begin.finished_at or not _is_within(_STILL_TRUE, begin.noted_at):
        begin = FullCheck(begun_at=now())
    end = monotonic() + _SLICE_SECONDS
    check, found = await _slice(begin, lease, lambda _: monotonic() >= end)
    if found.differences and await mend(found.differences):
        first = check
        check, found = await _slice(begin, lease, lambda again: _is_as_far(again, first))
    check.noted_at = now()
    check.differences += len(found.differences)
    check.found = [*check.found, *found.differences][:_KEPT]
    async with database.ledger(lease) as work:
        await _store(work, check)
    _Process.has_checked, _Process.has_failed = True, False
    return found


async def _store(work: database.Ledger, check: FullCheck) -> None:
    found = json.dumps([each.dict(include={"kind", "id", "detail"}) for each in check.found])
    values = {**check.dict(exclude={"found"}), "found": found}
    await work.execute("DELETE FROM satmachineclient.dca_full_check")
    await work.execute(
        "INSERT INTO satmachineclient.dca_full_check (id, begun_at, noted_at, checked_until, "
        "checked_owner, differences, found, finished_at) VALUES (:id, :begun_at, :noted_at, "
        ":checked_until, :checked_owner, :differences, :found, :finished_at)",
        **values,
    )


async def _slice(
    begin: FullCheck, lease: str, is_enough: Callable[[FullCheck], bool]
) -> tuple[FullCheck, Findings]:
    """From there on as far as is enough, or to the end: how far it came, and what differs."""
    check, found = begin.copy(), Findings()
    async for _ in _steps(check, found):
        database.stepped(lease)
        if is_enough(check):
            break
    found.log()
    return check, found


def _is_as_far(check: FullCheck, first: FullCheck) -> bool:
    return not first.finished_at and (check.checked_until, check.checked_owner) >= (
        first.checked_until,
        first.checked_owner,
    )


async def _steps(check: FullCheck, found: Findings) -> AsyncIterator[None]:
    """From where the check has come to, piece by piece, to its end."""
    while check.checked_until != crud_checks.FOREVER:
        check.checked_until = await check_piece(found, check.checked_until)
        yield
    for ids in database.in_time(await crud_checks.owner_ids(check.checked_owner)):
        await check_owners(found, ids, totals=True)
        check.checked_owner = ids[-1]
        yield
    check.finished_at = now()

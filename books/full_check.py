"""All of the books, checked after each start and every week, a slice at a time.

Where a check has come to is stored with each slice: cut off, it goes on from there.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from time import monotonic

from pydantic import BaseModel

from .. import database
from ..helpers import now
from . import crud_checks
from .adoption import EVERYTHING
from .reconciliation import Findings, check_owners, check_piece

_SLICE_SECONDS = 2.0  # who has to decide something waits for the ledger for longer than that
_AGAIN, _SOONER = timedelta(days=7), timedelta(hours=1)  # sooner where something differed
_STILL_TRUE = timedelta(hours=1)  # what was checked before a check was cut off


class FullCheck(BaseModel):
    """The row of `dca_full_check`: the check that runs, or the last one.

    `checked_until`: all before this time was checked; then come clients and partners, up to the id
    `checked_owner`. `differences`: found by it so far.
    """

    id: int = 1
    begun_at: datetime | None = None
    noted_at: datetime | None = None
    checked_until: datetime = EVERYTHING
    checked_owner: str = ""
    differences: int = 0
    finished_at: datetime | None = None


class _Process:
    """Whether this process has begun a check since it started, or gone on with one."""

    has_checked = False


async def read() -> FullCheck:
    async with database.reading() as work:
        check = await work.fetch_one(
            FullCheck, "SELECT * FROM satmachineclient.dca_full_check WHERE id = 1"
        )
    return check or FullCheck()


async def known_differences() -> int | None:
    """How many the check that runs has found, or the last one; None: it has found none so far."""
    check = await read()
    if check.begun_at and not check.finished_at and not check.differences:
        return None
    return check.differences


async def is_due() -> bool:
    return not _is_done(await read())


def _is_done(check: FullCheck) -> bool:
    """Nothing to do before the next start, or the next week; a clock set back does not matter."""
    again = _SOONER if check.differences else _AGAIN
    return _Process.has_checked and _is_within(again, check.finished_at)


def _is_within(time: timedelta, moment: datetime | None) -> bool:
    return moment is not None and timedelta() <= now() - moment < time


async def go_on(lease: str) -> Findings:
    """Check the next slice, or begin anew if the last check is over; what differs is logged.

    Raises:
        LeaseLostError: another process has gone on with it; what was found here is forgotten.
    """
    check = await read()
    if check.finished_at or not _is_within(_STILL_TRUE, check.noted_at):
        check = FullCheck(begun_at=now())
    found = Findings()
    end = monotonic() + _SLICE_SECONDS
    async for _ in _steps(check, found):
        database.stepped(lease)
        if monotonic() >= end:
            break
    check.noted_at = now()
    check.differences += len(found.differences)
    async with database.ledger(lease) as work:
        await work.execute("DELETE FROM satmachineclient.dca_full_check")
        await work.insert("dca_full_check", [check])
    _Process.has_checked = True
    found.log()
    return found


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

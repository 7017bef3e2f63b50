"""Who works on the ledger right now: one at a time, on all servers that share the database.

The lease itself is a row that `database` keeps; here it is held for a block of work.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from time import monotonic

from loguru import logger
from sqlalchemy.exc import SQLAlchemyError

from . import database
from .connection import one_connection
from .helpers import ConflictError

_wanted = asyncio.Event()


def hurry() -> None:
    """Have this server's background task poll now, not only when the interval is over."""
    _wanted.set()


async def wanted_within(seconds: float) -> bool:
    """Wait this long; at once True where somebody is in a hurry."""
    with suppress(asyncio.TimeoutError):
        await asyncio.wait_for(_wanted.wait(), seconds)
    hurried = _wanted.is_set()
    _wanted.clear()
    return hurried


class BusyError(ConflictError):
    """Somebody else works on the ledger right now."""


@asynccontextmanager
async def working(lease: str, wait_seconds: float = 0) -> AsyncIterator[None]:
    """Hold the ledger's lease, renewed while the block gets on, given back after it.

    Who reports no step for `database.STALL_SECONDS` loses it: others need not wait for what stands
    still, and the work notices at its next transaction, if there is one.

    Raises:
        BusyError: somebody else holds it, also after waiting this long.
    """
    async with one_connection():
        done = asyncio.Event()
        renewing: asyncio.Task[None] | None = None
        try:
            await _take_lease(lease, wait_seconds)
            database.stepped(lease)
            renewing = asyncio.create_task(_keep_renewing(lease, done))
            yield
        finally:
            done.set()
            try:
                if renewing:
                    await asyncio.wait([renewing])
            finally:
                with suppress(database.LedgerBusyError, SQLAlchemyError):  # then it runs out
                    await database.give_lease_back(lease)


async def _take_lease(lease: str, wait_seconds: float) -> None:
    deadline = monotonic() + wait_seconds
    while not await database.take_lease(lease):
        if monotonic() >= deadline:
            raise BusyError("A poll is running right now. Wait for it to end, then try again.")
        await asyncio.sleep(0.2)


async def _keep_renewing(lease: str, done: asyncio.Event) -> None:
    while True:
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(done.wait(), database.LEASE_SECONDS / 4)
            return
        if database.stands_still(lease):
            logger.error("satmachineclient: the work on the ledger stands still, others may go on")
            continue  # until it gets on: it may still hold the lease
        try:
            await database.renew_lease(lease)
        except database.LeaseLostError:
            return  # the work itself will notice at its next step
        except (database.LedgerBusyError, SQLAlchemyError, OSError) as exc:
            logger.warning(f"satmachineclient: the lease could not be renewed yet: {exc}")

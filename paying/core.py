"""LNbits' own database as payouts use it: one step at a time, others go first in between."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from lnbits.core.db import db as core_db
from lnbits.db import SQLITE, Connection
from loguru import logger
from sqlalchemy import text

from .. import database
from ..connection import whole
from ..crud_lnbits import CoreConnection, connect_to_core

_PAYING = 7_364_155_210  # any number, the same in all processes: the advisory lock's name
_TURNS = 3  # of others between two steps of ours


class Core:
    """LNbits' own database, step by step, over one connection: to open one costs more than a step.

    LNbits lets one at a time use its database, and the rest of it waits meanwhile: it is held for
    one step of one payment. Who waited then goes first, some times over, as a request needs it.
    """

    def __init__(self, lease: str) -> None:
        self._lease = lease
        self._kept: CoreConnection | None = None

    @asynccontextmanager
    async def step(self) -> AsyncIterator[Connection]:
        """The connection for one step; after an error the next one has a new connection."""
        async with core_db.lock:
            try:
                self._kept = self._kept or await connect_to_core()
                yield self._kept
                await self._kept.conn.commit()
            except BaseException:
                await self.close()
                raise
        await _let_others_go_first()

    @asynccontextmanager
    async def moving_money(self) -> AsyncIterator[Connection]:
        """The connection for one step in which only the holder of the lease moves money."""
        async with self.step() as conn:
            await only_we_pay(conn, self._lease)
            yield conn

    async def close(self) -> None:
        kept, self._kept = self._kept, None
        if kept:
            try:
                await whole(kept.conn.close())
            except Exception as exc:  # a broken one; why it broke has been told already
                logger.debug(f"satmachineclient: a connection did not close: {type(exc).__name__}")
                await kept.conn.invalidate()


@asynccontextmanager
async def open_core(lease: str) -> AsyncIterator[Core]:
    core = Core(lease)
    try:
        yield core
    finally:
        await core.close()


async def _let_others_go_first() -> None:
    """Queue up for LNbits' database some times over, behind all who wait for it."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)
        async with core_db.lock:
            pass


async def only_we_pay(core: Connection, lease: str) -> None:
    """Until this transaction on LNbits' database ends, nobody else moves our money.

    Another poller may have taken over from one that stood still for minutes. On PostgreSQL it
    may be another process: the transaction's advisory lock keeps the two apart, as LNbits' one
    lock per database does within a process; who stands still inside of it is cut off.

    The lease is looked at on the very same connection: the rest of LNbits waits for this one, and
    shall not wait for the extension's other work, too.

    Raises:
        LeaseLostError: the lease has passed to somebody else.
        LedgerBusyError: they are paying right now.
    """
    if core.type != SQLITE:
        locked: Any = await core.fetchone(
            f"SELECT pg_try_advisory_xact_lock({_PAYING}) AS ok, "
            "set_config('idle_in_transaction_session_timeout', '30s', true)"
        )
        if not locked["ok"]:
            raise database.LedgerBusyError("Another LNbits process is in the middle of a payment.")
    await _check_lease(core, lease)


async def _check_lease(core: Connection, lease: str) -> None:
    held = await core.conn.execute(
        text("SELECT 1 FROM satmachineclient.ledger_lease WHERE id = 1 AND holder = :lease"),
        {"lease": lease},
    )
    if held.first() is None:
        raise database.LeaseLostError("another LNbits process has taken over the poll")
    database.stepped(lease)

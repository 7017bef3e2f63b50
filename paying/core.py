"""LNbits' own database as payouts use it: one step at a time, others go first in between."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from lnbits.core.db import db as core_db
from lnbits.db import Connection
from loguru import logger

from .. import database

_TURNS = 3  # of others between two steps of ours


class Core:
    """LNbits' own database, step by step, over one connection: to open one costs more than a step.

    LNbits lets one at a time use its database, and the rest of it waits meanwhile: it is held for
    one step of one payment. Who waited then goes first, some times over, as a request needs it.
    """

    def __init__(self, lease: str) -> None:
        self._lease = lease
        self._kept: database.CoreConnection | None = None

    @asynccontextmanager
    async def step(self) -> AsyncIterator[Connection]:
        """The connection for one step; after an error the next one has a new connection."""
        async with core_db.lock:
            try:
                self._kept = self._kept or await database.connect_to_core()
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
            await database.only_we_pay(conn, self._lease)
            yield conn

    async def close(self) -> None:
        kept, self._kept = self._kept, None
        if kept:
            try:
                await database.whole(kept.conn.close())
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

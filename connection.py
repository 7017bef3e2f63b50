"""Connections to the extension's database, as LNbits gives them or kept open for a while."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TypeVar

from lnbits.db import SQLITE, Connection, Database
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

T = TypeVar("T")

db = Database("ext_satmachineclient")


async def whole(work: Awaitable[T]) -> T:
    """Do this to its end, also if cancelled meanwhile; the cancellation comes after it.

    A statement that is cut off would leave its connection, and on SQLite the file, locked.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # looked at, so that nobody complains that it was not
        raise


async def opened(database: Database) -> AsyncConnection:
    """A new connection to one of LNbits' databases, which on SQLite has our file attached.

    To be used under that database's lock, and closed.
    """
    raw = await database.engine.connect()
    try:
        if db.type == SQLITE:
            await raw.execute(text("ATTACH :path AS satmachineclient"), {"path": db.path})
    except BaseException:
        await raw.close()
        raise
    return raw


class _Kept:
    """A connection to the SQLite file that stays open from one use to the next."""

    def __init__(self) -> None:
        self._connection: Connection | None = None
        self._file = 0
        self.over = False

    async def get(self) -> Connection:
        """For who holds `db.lock`. A file put in the place of the last one is another."""
        path = Path(db.path)
        file = path.stat().st_ino if path.exists() else 0
        if self._connection and self._file != file:
            await self.close()
        if not self._connection:
            self._file = file
            return await whole(self._open())
        return self._connection

    async def _open(self) -> Connection:
        self._connection = Connection(await opened(db), db.type, db.name, db.schema)
        return self._connection

    async def close(self) -> None:
        if closing := self._connection:
            self._connection = None
            await whole(closing.conn.close())

    async def end(self) -> None:
        """No more is kept: who still uses it, a task that was begun in the block, closes it."""
        self.over = True
        async with db.lock:
            await self.close()


_kept: ContextVar[_Kept | None] = ContextVar("_kept", default=None)


@asynccontextmanager
async def one_connection() -> AsyncIterator[None]:
    """In this block the extension's database is used on one connection, also by its tasks.

    On SQLite only, which reads the definitions of all tables twice for each new one (2 of 4 ms);
    LNbits keeps those to PostgreSQL itself. It is nobody's while nothing is asked of it.
    """
    if db.type != SQLITE:
        yield
        return
    kept = _Kept()
    token = _kept.set(kept)
    try:
        yield
    finally:
        _kept.reset(token)
        await whole(kept.end())


@asynccontextmanager
async def connected() -> AsyncIterator[Connection]:
    """A connection for one reading or one transaction, for which nobody else gets one."""
    kept = _kept.get()
    if kept is None:
        async with db.connect() as connection:
            yield connection
        return
    async with db.lock:
        connection = await kept.get()
        try:
            yield connection
            await whole(connection.conn.rollback())
        except BaseException:
            await kept.close()  # whatever state it is in
            raise
        finally:
            if kept.over or connection.conn.invalidated:
                await kept.close()

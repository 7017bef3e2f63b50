"""Connections to the extension's database and LNbits' own, as it gives them or kept for a while."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar

from lnbits.core.db import db as core_db
from lnbits.db import SQLITE, Connection, Database
from sqlalchemy import text
from sqlalchemy.engine import Engine
from sqlalchemy.future import Connection as SyncConnection

from . import sqlite

T = TypeVar("T")

db = Database("ext_satmachineclient")


async def whole(work: Awaitable[T]) -> T:
    """Do this to its end, also if cancelled meanwhile; the cancellation comes after it.

    A statement that is cut off would leave its connection, and on SQLite the file, locked.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as exc:  # some cancel again and again
            cancelled = exc
    if cancelled:
        if not task.cancelled():
            task.exception()  # looked at, so that nobody complains that it was not
        raise cancelled
    return task.result()


def engine_of(database: Database) -> Engine:
    """Where our connections to one of LNbits' databases come from: on SQLite not LNbits' own."""
    return (
        sqlite.engine_of(database.path) if database.type == SQLITE else database.engine.sync_engine
    )


async def opened(database: Database, *, with_ours: bool = False) -> Any:
    """A new connection to one of LNbits' databases, to be used under its lock, and closed.

    Such as SQLAlchemy's AsyncConnection. `with_ours`: on SQLite our tables are attached to it, as
    they are to our own database's; that waits for who writes much to our file.
    """
    if database.type != SQLITE:
        return await database.engine.connect()

    def prepare(connection: SyncConnection) -> None:
        if database is core_db:
            _sum_up_one_wallet(connection)
        if with_ours or database is db:
            connection.execute(*_ATTACH)
        connection.rollback()  # nothing of it is a transaction that somebody waits for

    connection = sqlite.SqliteConnection()
    await connection.open(database.path, prepare)
    return connection


_ATTACH = text("ATTACH :path AS satmachineclient"), {"path": getattr(db, "path", "")}


@asynccontextmanager
async def ours_attached(core: Connection) -> AsyncIterator[None]:
    """In this block our tables can be read on this connection to LNbits' database, also on SQLite.

    It waits for who writes much to our file. After an error the connection is of no use.
    """
    if db.type != SQLITE:
        yield
        return
    await core.conn.execute(*_ATTACH)
    yield
    await core.conn.execute(text("DETACH satmachineclient"))


# LNbits 1.6.2's view of balances as SQLite tells it, on one line; and what stands in for it.
_KNOWN_BALANCES_SHA256 = "540068c1ff92cb6a5703e008da4e294406715d3636ce72728f22f0a2f2e4b100"
_BALANCES_BY_WALLET = (
    "CREATE TEMP VIEW balances AS SELECT id AS wallet_id, ("
    "SELECT SUM(amount - ABS(fee)) FROM apipayments WHERE apipayments.wallet_id = wallets.id "
    "AND (status = 'success' AND amount > 0 OR status IN ('success', 'pending') AND amount < 0)"
    ") AS balance "
    "FROM wallets WHERE COALESCE(deleted, false) = false"
)


def _sum_up_one_wallet(core: SyncConnection) -> None:
    """On this connection to SQLite a balance is summed over the payments of its wallet only.

    SQLite works out LNbits' view of balances for all wallets, whichever is asked for. A temporary
    view of that name, with the same sums, goes before it here, if it is the one that is known.
    """
    stored = core.scalar(
        text("SELECT sql FROM sqlite_master WHERE type = 'view' AND name = 'balances'")
    )
    on_one_line = " ".join(str(stored).split())
    if hashlib.sha256(on_one_line.encode()).hexdigest() == _KNOWN_BALANCES_SHA256:
        core.execute(text(_BALANCES_BY_WALLET))


class _Kept:
    """A connection to a SQLite file that stays open from one use to the next, until it is over."""

    def __init__(self, database: Database, *, over: bool = False) -> None:
        self._database = database
        self._connection: Connection | None = None
        self._file = 0
        self._over = over

    @asynccontextmanager
    async def use(self) -> AsyncIterator[Connection]:
        async with self._database.lock:
            try:
                connection = await self._get()
                yield connection
                await whole(connection.conn.rollback())
            except BaseException:
                await self._close()  # whatever state it is in
                raise
            if self._over or connection.conn.invalidated:
                await self._close()

    async def _get(self) -> Connection:
        """A file put in the place of the last one is another."""
        path = Path(self._database.path)
        file = path.stat().st_ino if path.exists() else 0
        if self._connection and self._file != file:
            await self._close()
        if not self._connection:
            self._file = file
            return await whole(self._open())
        return self._connection

    async def _open(self) -> Connection:
        of = self._database
        self._connection = Connection(await opened(of), of.type, of.name, of.schema)
        return self._connection

    async def _close(self) -> None:
        if closing := self._connection:
            self._connection = None
            await whole(closing.conn.close())

    async def end(self) -> None:
        """No more is kept: who still uses it, a task that was begun in the block, closes it."""
        self._over = True
        async with self._database.lock:
            await self._close()


_kept: ContextVar[Mapping[str, _Kept] | None] = ContextVar("_kept", default=None)


@asynccontextmanager
async def one_connection() -> AsyncIterator[None]:
    """In this block each of the two databases is used on one connection, also by its tasks.

    On SQLite only, which reads the definitions of all tables twice for each new one (2 of 4 ms);
    LNbits keeps those to PostgreSQL itself. It is nobody's while nothing is asked of it.
    """
    if db.type != SQLITE:
        yield
        return
    kept = {database.name: _Kept(database) for database in (db, core_db)}
    token = _kept.set(kept)
    try:
        yield
    finally:
        _kept.reset(token)
        await whole(asyncio.gather(*(each.end() for each in kept.values())))


@asynccontextmanager
async def connected(database: Database = db) -> AsyncIterator[Connection]:
    """A connection for one reading or one transaction, for which nobody else gets one."""
    if database.type != SQLITE:
        async with database.connect() as connection:
            yield connection
        return
    kept = _kept.get()
    async with (kept[database.name] if kept else _Kept(database, over=True)).use() as connection:
        yield connection

"""Connections to SQLite files, each used in a thread of its own: one trip there for a statement.

LNbits' own, SQLAlchemy's over aiosqlite, make four for each: for a cursor, the statement, its rows,
and the cursor's end. That costs more than most of the statements themselves.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy.engine import Engine, Result
from sqlalchemy.future import Connection

T = TypeVar("T")


class SqliteConnection:
    """What LNbits' `Connection` and the code here use of SQLAlchemy's AsyncConnection.

    A call that is cancelled once it has begun goes on in its thread; the next one waits for it.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "satmachineclient-sqlite")
        self._opened: Connection | None = None
        self._holds = False  # a transaction, as far as is known

    async def open(self, engine: Engine, prepare: Callable[[Connection], None]) -> None:
        """Connect, and have the connection made ready; it is closed where that fails.

        The engine must let its connections be used in any thread.
        """
        try:
            self._opened = await self._run(_opened, engine, prepare)
        except BaseException:
            self._thread.shutdown(wait=False)
            raise

    async def execute(self, statement: Any, values: Any = None) -> Result:
        """All rows of a query, or what a statement has changed."""
        self._holds = True  # until it has come back
        return await self._run(self._executed, self._connection, statement, values)

    async def commit(self) -> None:
        await self._run(self._connection.commit)
        self._holds = False

    async def rollback(self) -> None:
        """No trip where SQLite has no transaction: after a commit, or only readings."""
        if self._holds:
            await self._run(self._connection.rollback)
            self._holds = False

    async def close(self) -> None:
        """Rolls back what was not committed. Nothing can be done on the connection any more."""
        try:
            await self._run(self._connection.close)
        finally:
            self._thread.shutdown(wait=False)

    async def invalidate(self) -> None:
        """Let go of a connection that could not be closed."""
        self._connection.invalidate()

    @property
    def invalidated(self) -> bool:
        """Whether the file's connection turned out to be closed."""
        return bool(self._connection.invalidated)

    @property
    def _connection(self) -> Connection:
        if self._opened is None:
            raise RuntimeError("this connection was not opened")
        return self._opened

    def _executed(self, connection: Connection, statement: Any, values: Any) -> Result:
        done = connection.execute(statement, values)
        result = done.freeze()() if done.returns_rows else done
        self._holds = connection.connection.dbapi_connection.in_transaction
        return result

    async def _run(self, work: Callable[..., T], *values: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *values)


def _opened(engine: Engine, prepare: Callable[[Connection], None]) -> Connection:
    connection = engine.connect()
    try:
        prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection

"""Connections to SQLite files, each used in a thread of its own: one trip there for a statement.

LNbits' own, SQLAlchemy's over aiosqlite, make four for each: for a cursor, the statement, its rows,
and the cursor's end. That costs more than most of the statements themselves.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, TypeVar

from lnbits.settings import settings
from sqlalchemy.engine import URL, Engine, Result
from sqlalchemy.exc import ResourceClosedError
from sqlalchemy.future import Connection, create_engine

T = TypeVar("T")


@lru_cache
def engine_of(path: str) -> Engine:
    """Where the connections to this file come from."""
    return create_engine(
        URL.create("sqlite", database=path),
        echo=settings.debug_database,
        connect_args={"check_same_thread": False},  # which thread, `SqliteConnection` sees to
    )


class SqliteConnection:
    """What LNbits' `Connection` and the code here use of SQLAlchemy's AsyncConnection.

    A call that is cancelled goes on in the thread all the same, and the next one waits for it.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "satmachineclient-sqlite")
        self._opened: Connection | None = None
        self._is_over = False
        self._holds = False  # a transaction, as far as is known

    async def open(self, path: str, prepare: Callable[[Connection], None]) -> None:
        """Connect, and have the connection made ready; it is closed where that fails."""
        try:
            await self._run(self._open, path, prepare)
        except BaseException:
            await self.close()
            raise

    async def execute(self, statement: Any, values: Any = None) -> Result:
        """All rows of a query, or what a statement has changed (`rowcount`), not both."""
        self._holds = True  # until it has come back
        result, self._holds = await self._run(self._execute, statement, values)
        return result

    async def commit(self) -> None:
        await self._run(self._connection.commit)
        self._holds = False

    async def rollback(self) -> None:
        """No trip where SQLite has no transaction: after a commit, or only readings."""
        if self._holds:
            await self._run(self._rollback)
            self._holds = False

    async def close(self) -> None:
        """Rolls back what was not committed, and lets go of the file also where that fails."""
        if self._is_over:
            return
        self._is_over = True
        closing = asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)  # when that is done
        await asyncio.shield(closing)

    async def invalidate(self) -> None:
        """After a `close` that failed there is nothing left to be done."""
        await self.close()

    @property
    def invalidated(self) -> bool:
        """Whether the file's connection turned out to be closed."""
        return bool(self._connection.invalidated)

    @property
    def _connection(self) -> Connection:
        if self._opened is None:
            raise ResourceClosedError("This connection is closed.")
        return self._opened

    async def _run(self, work: Callable[..., T], *values: Any) -> T:
        if self._is_over:
            raise ResourceClosedError("This connection is closed.")
        loop = asyncio.get_running_loop()
        return await asyncio.shield(loop.run_in_executor(self._thread, work, *values))

    # ---- in the thread ---------------------------------------------------------------------------

    def _open(self, path: str, prepare: Callable[[Connection], None]) -> None:
        self._opened = engine_of(path).connect()
        prepare(self._opened)

    def _execute(self, statement: Any, values: Any) -> tuple[Result, bool]:
        done = self._connection.execute(statement, values)
        result = done.freeze()() if done.returns_rows else done
        return result, self._connection.connection.dbapi_connection.in_transaction

    def _rollback(self) -> None:
        """SQLAlchemy forgets a transaction whose commit has failed; SQLite still has it."""
        connection = self._connection
        connection.rollback()
        if not connection.invalidated and connection.connection.dbapi_connection.in_transaction:
            connection.connection.dbapi_connection.rollback()

    def _close(self) -> None:
        opened, self._opened = self._opened, None
        if opened is None:
            return
        try:
            opened.close()
        except BaseException:
            opened.invalidate()
            raise

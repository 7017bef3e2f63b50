"""A connection to a SQLite file in a thread of its own: what it does, and what it leaves behind."""

import asyncio
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import bindparam, event, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, OperationalError, ResourceClosedError
from sqlalchemy.future import Connection

INSERT = text("INSERT INTO numbers VALUES (:n)")
# Takes a good part of a second, in which the event loop is free.
LONG = text(
    "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 2000000) "
    "SELECT COUNT(*) FROM c"
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "numbers.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE numbers (n INT)")
    return path


@pytest.fixture
def engine(file: Path) -> Engine:
    from satmachineclient.sqlite import engine_of

    return engine_of(str(file))


async def opened(file: Path, prepare: Any = lambda _: None) -> Any:
    from satmachineclient.sqlite import SqliteConnection

    connection = SqliteConnection()
    await connection.open(str(file), prepare)
    return connection


def in_file(file: Path) -> list[int]:
    with closing(sqlite3.connect(file, timeout=0)) as connection:
        return [n for (n,) in connection.execute("SELECT n FROM numbers ORDER BY n")]


def threads() -> int:
    return sum("satmachineclient-sqlite" in thread.name for thread in threading.enumerate())


async def test_what_is_committed_stays_and_the_rest_does_not(file: Path) -> None:
    connection = await opened(file)
    changed = await connection.execute(INSERT, [{"n": 1}, {"n": 2}])
    assert changed.rowcount == 2
    await connection.commit()
    await connection.execute(INSERT, {"n": 3})
    await connection.rollback()
    await connection.execute(INSERT, {"n": 4})
    some = text("SELECT n, n + 1 AS more FROM numbers WHERE n IN :some ORDER BY n")
    found = await connection.execute(
        some.bindparams(bindparam("some", expanding=True)), {"some": [2, 3, 4]}
    )
    assert [dict(row) for row in found.mappings()] == [{"n": 2, "more": 3}, {"n": 4, "more": 5}]
    assert (await connection.execute(LONG)).scalar() == 2_000_000
    await connection.close()
    assert in_file(file) == [1, 2]


async def test_an_error_is_one_of_sqlalchemys(file: Path) -> None:
    connection = await opened(file)
    with pytest.raises(OperationalError, match="no such table: nowhere"):
        await connection.execute(text("SELECT * FROM nowhere"))
    assert not connection.invalidated
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        await connection.execute(text("PRAGMA busy_timeout = 50"))
        with pytest.raises(OperationalError, match="locked"):
            await connection.execute(INSERT, {"n": 1})
    await connection.rollback()
    await connection.execute(INSERT, {"n": 2})
    await connection.commit()
    await connection.close()
    assert in_file(file) == [2]


@pytest.mark.parametrize("ending", ["commit", "rollback", "close"])
async def test_what_comes_after_one_that_was_cancelled_waits_for_it(
    file: Path, ending: str
) -> None:
    connection = await opened(file)
    await connection.execute(INSERT, {"n": 1})
    cancelled = asyncio.create_task(connection.execute(LONG))
    await asyncio.sleep(0.05)
    cancelled.cancel()
    await asyncio.wait([cancelled])
    assert cancelled.cancelled()
    await getattr(connection, ending)()
    if ending != "close":
        await connection.close()
    assert in_file(file) == ([1] if ending == "commit" else [])


async def test_a_rollback_waits_for_all_that_were_cancelled(file: Path) -> None:
    connection = await opened(file)
    for statement, values in ((LONG, None), (INSERT, {"n": 1})):
        cancelled = asyncio.create_task(connection.execute(statement, values))
        await asyncio.sleep(0.05)
        cancelled.cancel()
        await asyncio.wait([cancelled])
        assert cancelled.cancelled()
    await connection.rollback()
    assert in_file(file) == []
    with closing(sqlite3.connect(file, timeout=0)) as other, other:
        other.execute("INSERT INTO numbers VALUES (2)")
    await connection.commit()
    await connection.close()
    assert in_file(file) == [2]


def test_a_loop_that_ends_leaves_no_lock(file: Path) -> None:
    """It cancels all at once, also who was waiting for the end."""
    kept: list[Any] = []

    async def use() -> None:
        connection = await opened(file)
        kept.append(connection)
        try:
            await connection.execute(INSERT, {"n": 1})
            await connection.execute(LONG)
        finally:
            await connection.close()

    async def begin() -> None:
        kept.append(asyncio.create_task(use()))
        await asyncio.sleep(0.2)

    asyncio.run(begin())
    with closing(sqlite3.connect(file, timeout=5)) as other, other:
        other.execute("INSERT INTO numbers VALUES (2)")
    assert in_file(file) == [2]


async def test_what_was_rolled_back_is_never_committed(file: Path) -> None:
    """Also where the commit before it failed, and SQLAlchemy takes that for the end."""
    connection = await opened(file)
    await connection.execute(text("PRAGMA busy_timeout = 50"))
    await connection.execute(INSERT, {"n": 1})
    with closing(sqlite3.connect(file, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM numbers").fetchall()
        with pytest.raises(OperationalError, match="locked"):
            await connection.commit()
        reader.execute("ROLLBACK")
    await connection.rollback()
    await connection.execute(INSERT, {"n": 2})
    await connection.commit()
    await connection.close()
    assert in_file(file) == [2]


async def test_one_that_is_closed_says_so_and_is_closed_once(file: Path) -> None:
    connection = await opened(file)
    await connection.execute(INSERT, {"n": 1})
    await connection.close()
    await connection.close()
    await connection.invalidate()
    for again in (connection.execute(LONG), connection.commit(), connection.rollback()):
        with pytest.raises(ResourceClosedError, match="is closed"):
            await again
    assert in_file(file) == []


async def test_a_file_is_let_go_of_also_where_closing_fails(engine: Engine, file: Path) -> None:
    connection = await opened(file)
    await connection.execute(INSERT, {"n": 1})

    def fail(_: Any) -> None:
        raise ZeroDivisionError

    event.listen(engine, "rollback", fail)
    with pytest.raises(ZeroDivisionError):
        await connection.close()
    with closing(sqlite3.connect(file, timeout=0)) as other, other:
        other.execute("INSERT INTO numbers VALUES (2)")
    assert in_file(file) == [2]


async def test_nothing_is_left_where_it_cannot_be_opened_or_made_ready(
    engine: Engine, file: Path, tmp_path: Path
) -> None:
    seen: list[str] = []
    for name in ("connect", "close"):
        event.listen(engine, name, lambda *_, name=name: seen.append(name))
    before = threads()

    def fail(_: Connection) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await opened(file, fail)
    with pytest.raises(DBAPIError, match="unable to open"):
        await opened(tmp_path / "no folder" / "file")
    connection = await opened(file)
    await connection.close()
    assert seen == ["connect", "close"] * 2
    for _ in range(100):
        if threads() == before:
            break
        await asyncio.sleep(0.01)
    assert threads() == before


async def test_who_only_reads_holds_nothing(engine: Engine, file: Path) -> None:
    """Others write meanwhile, and what they wrote is read next, rolled back or not."""
    number = text("SELECT COUNT(*) FROM numbers")
    trips: list[str] = []
    event.listen(engine, "rollback", lambda _: trips.append("rollback"))
    connection = await opened(file)
    for n in range(4):
        assert (await connection.execute(number)).scalar() == n
        with closing(sqlite3.connect(file, timeout=0)) as other, other:
            other.execute("INSERT INTO numbers VALUES (?)", (n,))
        if n % 2:
            await connection.rollback()
    assert trips == []
    await connection.execute(INSERT, {"n": 4})
    await connection.execute(number)
    with pytest.raises(DBAPIError):
        await connection.execute(text("SELECT * FROM nowhere"))
    await connection.rollback()
    assert trips == ["rollback"]
    await connection.execute(INSERT, {"n": 4})
    await connection.commit()
    await connection.close()
    assert in_file(file) == [0, 1, 2, 3, 4]


async def test_one_whose_file_was_closed_says_so(file: Path) -> None:
    connection = await opened(file)
    connection._opened.connection.driver_connection.close()
    with pytest.raises(DBAPIError, match="closed database"):
        await connection.execute(LONG)
    assert connection.invalidated
    await connection.close()

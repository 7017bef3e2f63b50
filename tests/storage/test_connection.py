"""Connections to the extension's database: on SQLite each costs as much as eight statements."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from tests.rig import Configure, MakeClient, Poll, Setup

pytestmark = pytest.mark.storage
ONE = "SELECT 1 FROM satmachineclient.ledger_lease"


@contextmanager
def connections() -> Iterator[list[str]]:
    """What is done with connections to the extension's database in this block."""
    from satmachineclient.connection import db

    seen: list[str] = []
    listeners = {name: lambda *_, name=name: seen.append(name) for name in ("checkout", "checkin")}
    for name, listener in listeners.items():
        event.listen(db.engine.sync_engine, name, listener)
    try:
        yield seen
    finally:
        for name, listener in listeners.items():
            event.remove(db.engine.sync_engine, name, listener)


def sqlite_only() -> None:
    from lnbits.db import SQLITE
    from satmachineclient.connection import db

    if db.type != SQLITE:
        pytest.skip("LNbits itself keeps its connections to PostgreSQL")


async def test_what_is_read_together_is_read_on_one_connection(
    configured: Setup, make_client: MakeClient
) -> None:
    from satmachineclient.reports import overview
    from satmachineclient.telling import alerts

    client = await make_client(deposits={"GTQ": "100000.00"})
    with connections() as seen:
        await overview.read()
        await overview.of_client(client.id)
    assert seen.count("checkout") == 2
    with connections() as seen:
        await alerts.evaluate()
    assert seen.count("checkout") == 3  # settings, the overview's figures, its own


async def test_a_reading_ends_where_it_began(configured: Setup) -> None:
    from satmachineclient import database

    with connections() as seen:
        async with database.reading():
            async with database.reading() as inner:
                assert await inner.rows(ONE)
            assert await database.fetch_rows(ONE)
            with pytest.raises(RuntimeError, match="would wait for itself"):
                async with database.ledger():
                    pass
            with pytest.raises(ZeroDivisionError):
                async with database.reading():
                    _ = 1 // 0
            assert await database.fetch_rows(ONE)
    assert seen.count("checkout") == 1
    with connections() as seen:
        async with database.ledger() as work:
            assert await work.rows(ONE)
        assert await database.fetch_rows(ONE)
    assert seen.count("checkout") == 2


async def test_a_poll_has_one_connection(configure: Configure, poll: Poll) -> None:
    sqlite_only()
    await configure()
    await poll()
    with connections() as seen:
        await poll()
    # The request for it asks whether there is a configuration, and so does the poll.
    assert seen.count("checkout") <= 3
    assert seen.count("checkin") == seen.count("checkout")


async def test_what_is_kept_is_nobodys_between_two_uses(configured: Setup) -> None:
    """Another task gets at the database, sees what was written, and may write itself."""
    from satmachineclient import database
    from satmachineclient.connection import one_connection

    sqlite_only()
    written, noticed = asyncio.Event(), asyncio.Event()
    minutes = "SELECT poll_interval_minutes AS minutes FROM satmachineclient.lamassu_config"
    change = "UPDATE satmachineclient.lamassu_config SET poll_interval_minutes"

    async def somebody_else() -> None:
        await written.wait()
        async with database.ledger() as work:
            assert [row["minutes"] for row in await work.rows(minutes)] == [6]
            await work.execute(f"{change} = 7")
        noticed.set()

    other = asyncio.create_task(somebody_else())
    async with one_connection():
        async with database.ledger() as work:
            await work.execute(f"{change} = 6")
        written.set()
        await asyncio.wait_for(noticed.wait(), 5)
        [row] = await database.fetch_rows(minutes)
    await other
    assert row["minutes"] == 7


async def test_after_an_error_there_is_a_new_one(configured: Setup) -> None:
    from satmachineclient import database
    from satmachineclient.connection import one_connection

    sqlite_only()
    minutes = "SELECT poll_interval_minutes AS minutes FROM satmachineclient.lamassu_config"
    [before] = await database.fetch_rows(minutes)
    with connections() as seen:
        async with one_connection():
            for wrong in ("SELECT nothing FROM satmachineclient.lamassu_config", ONE):
                with pytest.raises((DBAPIError, ZeroDivisionError)):
                    async with database.ledger() as work:
                        await work.execute(
                            "UPDATE satmachineclient.lamassu_config SET poll_interval_minutes = 9"
                        )
                        await work.rows(wrong)
                        _ = 1 // 0
            assert await database.fetch_rows(minutes) == [before]
    assert seen == ["checkout", "checkin"] * 3


async def test_a_task_that_goes_on_after_the_block_leaves_nothing_open(configured: Setup) -> None:
    from satmachineclient import database
    from satmachineclient.connection import one_connection

    sqlite_only()
    over = asyncio.Event()

    async def late() -> None:
        await over.wait()
        assert await database.fetch_rows(ONE)
        async with one_connection():
            assert await database.fetch_rows(ONE)
            assert await database.fetch_rows(ONE)

    with connections() as seen:
        async with one_connection():
            task = asyncio.create_task(late())
            assert await database.fetch_rows(ONE)
        over.set()
        await task
    assert seen == ["checkout", "checkin"] * 3


async def test_a_file_that_was_put_in_its_place_is_the_one_that_is_used(
    configured: Setup,
) -> None:
    """What is written to one that was deleted would be lost, and a payout without a trace."""
    from satmachineclient import database
    from satmachineclient.connection import db, one_connection

    sqlite_only()
    path = Path(db.path)
    aside, kept = path.with_suffix(".aside"), path.with_suffix(".kept")
    shutil.copy(path, aside)
    async with one_connection():
        assert await database.fetch_rows(ONE)
        os.replace(path, kept)
        try:
            with pytest.raises(DBAPIError, match="no such table"):
                await database.fetch_rows(ONE)
            shutil.copy(aside, path)
            assert await database.fetch_rows(ONE)
        finally:
            os.replace(kept, path)
            aside.unlink()
    assert await database.fetch_rows(ONE)

"""Connections to the databases: on SQLite each costs as much as eight statements."""

import asyncio
import itertools
import os
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from tests.rig import Configure, MakeClient, Poll, Setup

pytestmark = pytest.mark.storage
ONE = "SELECT 1 FROM satmachineclient.ledger_lease"


@contextmanager
def connections(*, core: bool = False) -> Iterator[list[str]]:
    """What is done with connections to the extension's database, or LNbits' own, in this block."""
    from lnbits.core.db import db as core_db
    from satmachineclient.connection import db, engine_of

    engine = engine_of(core_db if core else db)
    seen: list[str] = []
    listeners = {name: lambda *_, name=name: seen.append(name) for name in ("checkout", "checkin")}
    for name, listener in listeners.items():
        event.listen(engine, name, listener)
    try:
        yield seen
    finally:
        for name, listener in listeners.items():
            event.remove(engine, name, listener)


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
    assert seen.count("checkout") == 2  # the figures, what each condition asks for


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
    from satmachineclient import transaction_processor

    sqlite_only()
    await configure()
    await poll()
    with connections() as seen, connections(core=True) as of_lnbits:
        await transaction_processor.poll("hourly")
    assert seen == of_lnbits == ["checkout", "checkin"]


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


@pytest.mark.parametrize("times", [1, 2, 50])
@pytest.mark.parametrize("of", ["lnbits", "ours", "both"])
async def test_who_is_cancelled_leaves_no_connection_open(
    configured: Setup, of: str, times: int
) -> None:
    """Some cancel at each turn of the loop until it is over, as AnyIO does."""
    from lnbits.core.db import db as core_db
    from satmachineclient.connection import connected, db, whole
    from satmachineclient.crud_lnbits import connect_to_core

    sqlite_only()

    async def use() -> None:
        if of == "both":
            core = await connect_to_core()
            await whole(core.conn.close())
        else:
            async with connected(db if of == "ours" else core_db):
                pass

    with connections(core=of != "ours") as seen:
        for n in range(40):
            using = asyncio.create_task(use())
            await asyncio.sleep(n * 0.0002)
            for _ in range(times):
                using.cancel()
                await asyncio.sleep(0)
            await asyncio.wait([using])
            assert using.cancelled() or not using.exception()
    assert seen.count("checkout") > 10
    assert seen.count("checkin") == seen.count("checkout")


async def test_a_wallet_is_read_while_somebody_writes_much_to_our_file(configured: Setup) -> None:
    """All of LNbits waits for who reads in its database."""
    from satmachineclient import crud_lnbits
    from satmachineclient.connection import db

    sqlite_only()
    with closing(sqlite3.connect(db.path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert await asyncio.wait_for(crud_lnbits.get_wallet(configured.source.id), 2)
        other.execute("ROLLBACK")


# ---- balances of LNbits' wallets on SQLite -----------------------------------------------------


async def test_a_balance_is_the_one_that_lnbits_tells(configured: Setup) -> None:
    """Of every kind of payment, in a wallet that is there and in one that was deleted."""
    from lnbits.core.crud.payments import create_payment
    from lnbits.core.crud.wallets import create_wallet, delete_wallet
    from lnbits.core.db import db as core_db
    from lnbits.core.models.payments import CreatePayment, PaymentState
    from satmachineclient.connection import connected

    sqlite_only()
    of_each = "SELECT wallet_id, balance FROM balances WHERE balance IS NOT NULL ORDER BY 1"
    for amount, fee, status, deleted in itertools.product(
        (-7000, 0, 7000), (0, 300), PaymentState, (False, True)
    ):
        wallet = await create_wallet(user_id=configured.source.user)
        for n in (1, 2):
            key = secrets.token_hex(32)
            data = CreatePayment(
                wallet_id=wallet.id,
                payment_hash=key,
                bolt11="",
                memo="",
                amount_msat=amount * n,
                fee=fee,
            )
            await create_payment(key, data, status)
        if deleted:
            await delete_wallet(configured.source.user, wallet.id)
    told: list[Any] = await core_db.fetchall(of_each)
    async with connected(core_db) as connection:
        assert await connection.fetchall(of_each) == told
        plan: list[Any] = await connection.fetchall(
            "EXPLAIN QUERY PLAN SELECT balance FROM balances WHERE wallet_id = 'any'"
        )
    # Two each, of those that are there: paid or on their way out, and paid in; and the source.
    assert len(told) >= 7
    looks = [step["detail"] for step in plan]
    assert len(looks) >= 2
    assert not [look for look in looks if look.startswith("SCAN")]


async def test_the_wallet_is_the_one_that_lnbits_tells(configured: Setup) -> None:
    from lnbits.core.crud.wallets import get_wallet
    from satmachineclient import crud_lnbits

    assert await crud_lnbits.get_wallet(configured.source.id) == await get_wallet(
        configured.source.id
    )
    assert await crud_lnbits.get_wallet("no such wallet") is None


async def test_another_view_of_balances_is_lnbits_own_affair(configured: Setup) -> None:
    """What a later LNbits counts is not known here: then its own view is asked."""
    from lnbits.core.db import db as core_db
    from satmachineclient.connection import connected

    sqlite_only()
    row: Any = await core_db.fetchone("SELECT sql FROM sqlite_master WHERE name = 'balances'")
    changed = row["sql"].replace("SUM(", "17 + SUM(")
    try:
        await core_db.execute("DROP VIEW balances")
        await core_db.execute(changed)
        async with connected(core_db) as connection:
            temporary: list[Any] = await connection.fetchall("SELECT name FROM sqlite_temp_master")
        assert temporary == []
    finally:
        await core_db.execute("DROP VIEW balances")
        await core_db.execute(row["sql"])

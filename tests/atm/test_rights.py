"""What the reader may and may not do in the ATM's database, and what stops a read half-way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
from satmachineclient.atm import check as lamassu_check
from satmachineclient.atm import limits, postgres
from satmachineclient.atm.way import LamassuError
from satmachineclient.models_config import Target

from demo.lamassu_db import READER, LamassuDatabase, role_sql
from demo.sales import Sale
from demo.ssh_server import SshServer
from tests.lamassu_rig import now, read, read_sales, target_at


@asynccontextmanager
async def without(database: LamassuDatabase, table: str, columns: str = "") -> AsyncIterator[None]:
    """The reader lacks the right to these columns, or to the whole table, while it lasts."""
    owner = await database.connect()
    try:
        named = f"({columns})" if columns else ""
        await owner.execute(f"REVOKE SELECT {named} ON {table} FROM {READER}")  # noqa: S608
        yield
    finally:
        await owner.execute(role_sql())
        await owner.close()


async def failure(target: Target, **how: Any) -> LamassuError:
    with pytest.raises(LamassuError) as caught:
        await read(target, **how)
    return caught.value


def as_owner(database: LamassuDatabase) -> Target:
    return target_at(database, username="postgres", password=database.postgres.password)


# ---- rights ----------------------------------------------------------------------------------


async def test_the_least_rights_are_enough(
    lamassu: LamassuDatabase, lamassu_no_fee: LamassuDatabase
) -> None:
    fee = Decimal("15.00000")
    sale = Sale(created=now(), fixed_fee=fee)
    await lamassu.insert(sale)
    await lamassu_no_fee.insert(Sale(created=now()))
    for method in (True, False):
        (with_fee,) = (await read(target_at(lamassu), needs_fixed_fee=method)).values()
        (without_fee,) = (await read(target_at(lamassu_no_fee), needs_fixed_fee=method)).values()
        assert (with_fee.fixed_fee, without_fee.fixed_fee) == (fee, None)
        assert with_fee.state == without_fee.state == "good"


@pytest.mark.parametrize("column", ["crypto_atoms", "dispense_confirmed", "discount"])
async def test_a_missing_right_on_one_column_names_it(
    lamassu: LamassuDatabase, column: str
) -> None:
    async with without(lamassu, "cash_out_txs", column):
        error = await failure(target_at(lamassu))
    assert error.step == "table_rights"
    assert f"GRANT SELECT ({column}) ON cash_out_txs TO {READER};" in str(error)


async def test_a_missing_right_on_the_table_names_all_columns(lamassu: LamassuDatabase) -> None:
    columns = "id, device_id, crypto_atoms, crypto_code, fiat, fiat_code, status, dispense"
    async with without(lamassu, "cash_out_txs"):
        error = await failure(target_at(lamassu))
    assert error.step == "table_rights"
    assert f"GRANT SELECT ({columns}" in str(error)


async def test_a_missing_right_on_the_schema_is_a_missing_right(lamassu: LamassuDatabase) -> None:
    owner = await lamassu.connect()
    try:
        await owner.execute(f"REVOKE USAGE ON SCHEMA public FROM {READER}, PUBLIC")
        error = await failure(target_at(lamassu))
    finally:
        await owner.execute(f"GRANT USAGE ON SCHEMA public TO {READER}, PUBLIC")
        await owner.close()
    assert error.step == "table_rights"
    assert "GRANT USAGE ON SCHEMA public" in str(error)


async def test_without_the_actions_the_confirmation_is_the_sales_time(
    lamassu: LamassuDatabase,
) -> None:
    sale = Sale(created=now() - timedelta(minutes=3))
    await lamassu.insert(sale)
    async with without(lamassu, "cash_out_actions"):
        (seen,) = (await read(target_at(lamassu))).values()
    assert (seen.time, seen.state) == (sale.paid_at, "good")
    assert seen.facts["actions"] == []


async def test_a_hidden_fixed_fee_stops_the_margin_method_only(lamassu: LamassuDatabase) -> None:
    await lamassu.insert(Sale(created=now()))
    async with without(lamassu, "cash_out_txs", "fixed_fee"):
        (seen,) = (await read(target_at(lamassu))).values()
        error = await failure(target_at(lamassu), needs_fixed_fee=True)
        shown = await lamassu_check.test_connection(target_at(lamassu), now(), "margin")
    assert (seen.fixed_fee, seen.state) == (None, "good")
    assert error.step == "table_rights"
    assert f"GRANT SELECT (fixed_fee) ON cash_out_txs TO {READER};" in str(error)
    assert (shown.success, shown.message) == (False, str(error))


async def test_the_connection_test_says_what_is_lost_without_a_right(
    lamassu: LamassuDatabase,
) -> None:
    await lamassu.insert(Sale(created=now()))

    async def told() -> dict[str, str]:
        since = now().replace(year=2020)
        shown = await lamassu_check.test_connection(target_at(lamassu), since, "markup")
        assert shown.success, shown.message
        return {step.name: step.detail for step in shown.steps}

    whole = await told()
    assert "without the fixed fee" not in whole["commission_method"]
    async with without(lamassu, "cash_out_txs", "fixed_fee"):
        assert "without the fixed fee" in (await told())["commission_method"]
    async with without(lamassu, "cash_out_actions", "dispensed_1"):
        rights = (await told())["table_rights"]
    assert "dispensed_1" in rights and "not compared with the sale" in rights
    assert f"ON cash_out_actions TO {READER};" in rights


async def test_a_database_that_is_not_lamassus_is_said_to_be_none(
    lamassu: LamassuDatabase,
) -> None:
    error = await failure(replace(as_owner(lamassu), database="postgres"))
    assert error.step == "table_rights"
    assert "is it Lamassu's?" in str(error)


async def test_a_version_without_a_needed_column_is_named_as_such(
    lamassu: LamassuDatabase,
) -> None:
    owner = await lamassu.connect()
    try:
        await owner.execute("ALTER TABLE cash_out_txs RENAME COLUMN discount TO reduction")
        error = await failure(target_at(lamassu))
    finally:
        await owner.execute("ALTER TABLE cash_out_txs RENAME COLUMN reduction TO discount")
        await owner.close()
    assert error.step == "table_rights"
    assert "has no column discount" in str(error)


async def test_even_the_owner_cannot_write_in_our_session(lamassu: LamassuDatabase) -> None:
    await lamassu.insert(Sale(created=now()))
    async with postgres.connect(as_owner(lamassu)) as session:
        for statement in (
            "DELETE FROM cash_out_txs",
            "UPDATE cash_out_txs SET fiat = 1",
            "CREATE TABLE ours (id int)",
        ):
            await session.execute("SAVEPOINT before")
            with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
                await session.execute(statement)
            await session.execute("ROLLBACK TO before")
        assert await session.fetchval("SHOW application_name") == "satmachineclient"
        assert await session.fetchval("SHOW statement_timeout") == "30s"


@pytest.mark.parametrize(("of_the_role", "kept"), [("5s", "5s"), ("1min", "30s"), ("0", "30s")])
async def test_a_shorter_limit_of_the_role_stays(
    lamassu: LamassuDatabase, of_the_role: str, kept: str
) -> None:
    owner = await lamassu.connect()
    try:
        await owner.execute(f"ALTER ROLE {READER} SET statement_timeout = '{of_the_role}'")
        async with postgres.connect(target_at(lamassu)) as session:
            assert await session.fetchval("SHOW statement_timeout") == kept
    finally:
        await owner.execute(role_sql())
        await owner.close()


# ---- a read that stops half-way --------------------------------------------------------------


@asynccontextmanager
async def locked(database: LamassuDatabase) -> AsyncIterator[asyncpg.Connection]:
    """Nobody else can read the sales while it lasts."""
    owner = await database.connect()
    try:
        async with owner.transaction():
            await owner.execute("LOCK TABLE cash_out_txs IN ACCESS EXCLUSIVE MODE")
            yield owner
    finally:
        await owner.close()


async def our_backend(owner: asyncpg.Connection) -> int:
    """The process of our session, once it waits for the lock."""
    while True:
        pid = await owner.fetchval(
            "SELECT pid FROM pg_locks WHERE relation = 'cash_out_txs'::regclass AND NOT granted"
        )
        if pid:
            return int(pid)
        await asyncio.sleep(0.02)


async def test_a_locked_table_ends_in_a_time_out(
    lamassu: LamassuDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STATEMENT_SECONDS", 0.3)
    async with locked(lamassu):
        error = await failure(target_at(lamassu))
    assert error.step == "rows"
    assert "did not answer within 0.3 s" in str(error)


async def test_a_server_that_does_not_keep_the_time_out_is_left(
    lamassu: LamassuDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STATEMENT_SECONDS", 0.3)
    monkeypatch.setattr(limits, "OVERRUN_SECONDS", 0.1)
    async with locked(lamassu):
        with pytest.raises(LamassuError) as caught:
            async with postgres.connect(target_at(lamassu)) as session:
                await session.execute("SET statement_timeout = 0")
                await read_sales(session, now())
    assert caught.value.step == "rows"
    assert "timed out" in str(caught.value)


@pytest.mark.parametrize("through_ssh", [False, True], ids=["direct", "tunnel"])
async def test_a_session_that_is_killed_while_reading(
    lamassu: LamassuDatabase, ssh_server: SshServer, through_ssh: bool
) -> None:
    target = target_at(lamassu, ssh_server if through_ssh else None)
    async with locked(lamassu) as owner:
        reading = asyncio.create_task(failure(target))
        await owner.execute(f"SELECT pg_terminate_backend({await our_backend(owner)})")
        error = await asyncio.wait_for(reading, 10)
    assert error.step == "rows"
    assert "The connection to the ATM's database broke while reading" in str(error)


async def test_an_ssh_server_that_goes_down_while_reading(
    lamassu: LamassuDatabase, ssh_server: SshServer
) -> None:
    async with locked(lamassu) as owner:
        reading = asyncio.create_task(failure(target_at(lamassu, ssh_server)))
        await our_backend(owner)
        await asyncio.to_thread(ssh_server.stop)
        error = await asyncio.wait_for(reading, 10)
    assert error.step == "rows"
    assert "The connection to the ATM's database broke while reading" in str(error)


async def test_a_reading_that_is_cancelled_closes_what_it_opened(
    lamassu: LamassuDatabase, ssh_server: SshServer
) -> None:
    async with locked(lamassu) as owner:
        reading = asyncio.create_task(read(target_at(lamassu, ssh_server)))
        await our_backend(owner)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(reading, 10)
    for _ in range(100):
        if not ssh_server.live:
            break
        await asyncio.sleep(0.02)
    assert not ssh_server.live

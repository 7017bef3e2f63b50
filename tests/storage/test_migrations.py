"""What an earlier release has stored is still there, and means the same, after an upgrade."""

import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest

OLD_SALE = {
    "id": "'sale'",
    "lamassu_transaction_id": "'lamassu'",
    "device_id": "'machine'",
    "transaction_time": ":time",
    "processed_at": ":time",
    "day": "'2026-01-02'",
    "crypto_code": "'LN'",
    "crypto_amount_sats": "266800",
    "fiat_amount": "200000",
    "fiat_code": "'GTQ'",
    "commission_percentage": "'0.03000'",
    "commission_method": "'markup'",
    "base_amount_sats": "259029",
    "commission_amount_sats": "7771",
    "distributed_sats": "259029",
    "undistributed_sats": "0",
    "undistributed_fiat": "0",
    "clients_count": "2",
    "status": "'settled'",
    "is_test": "false",
    "credit_status": "'confirmed'",
    "commission_status": "'confirmed'",
}
OLD_CONFIG = {
    "id": "'default'",
    "host": "'localhost'",
    "port": "5432",
    "database_name": "'lamassu'",
    "username": "'dca_ro'",
    "source_wallet_id": "'source'",
    "credit_source_wallet": "true",
    "use_ssh_tunnel": "false",
    "ssh_port": "22",
    "ssl_mode": "'prefer'",
    "commission_method": "'margin'",
    "poll_interval_minutes": "60",
    "look_back_days": "7",
    "timezone": "'UTC'",
    "is_active": "true",
}


@pytest.fixture
async def empty(
    lnbits_app: Any,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Any]:
    """The extension's database as it is before any migration, apart from the tests' own."""
    from lnbits.db import DB_TYPE, SQLITE, Database
    from lnbits.settings import settings

    if DB_TYPE == SQLITE:
        monkeypatch.setattr(settings, "lnbits_data_folder", str(tmp_path))
    else:
        postgres = request.getfixturevalue("postgres")
        name = f"upgraded_{uuid4().hex}"
        postgres.create_database(name)
        monkeypatch.setattr(settings, "lnbits_database_url", postgres.url(name))
    database = Database("ext_satmachineclient")
    yield database
    await database.engine.dispose()


async def store(connection: Any, table: str, row: dict[str, str]) -> None:
    time = connection.timestamp_placeholder("time")
    values = ", ".join(value.replace(":time", time) for value in row.values())
    await connection.execute(
        f"INSERT INTO satmachineclient.{table} ({', '.join(row)}) VALUES ({values})",  # noqa: S608
        {"time": 1_767_312_000.0} if ":time" in row.values() else {},
    )


def released(migrations: ModuleType) -> list[Any]:
    """As LNbits finds them: by their names, in the order of the file."""
    return [value for name, value in vars(migrations).items() if re.match(r"m\d\d\d_", name)]


@pytest.mark.storage
async def test_what_was_stored_before_directions_is_a_cash_out(empty: Any) -> None:
    from satmachineclient import migrations
    from satmachineclient.models_config import LamassuConfig
    from satmachineclient.models_sales import Transaction

    async with empty.connect() as connection:
        await migrations.m001_initial(connection)
        await store(connection, "lamassu_transactions", OLD_SALE)
        await store(connection, "lamassu_config", OLD_CONFIG)

        for migrate in released(migrations)[1:]:
            await migrate(connection)

        (sale,) = await connection.fetchall("SELECT * FROM satmachineclient.lamassu_transactions")
        (config,) = await connection.fetchall("SELECT * FROM satmachineclient.lamassu_config")
    row = Transaction.parse_obj(dict(sale))
    assert (row.direction, row.crypto_amount_sats, row.status) == ("cash_out", 266_800, "settled")
    read = LamassuConfig.parse_obj(dict(config))
    assert (read.direction, read.commission_method, read.host) == (
        "cash_out",
        "margin",
        "localhost",
    )
    # What the next poll would have read is credited as before, and nothing older.
    assert read.credit_since is not None
    age = datetime.now(timezone.utc) - read.credit_since
    assert timedelta(days=7) <= age < timedelta(days=7, minutes=5)
    # Nothing is left that the migration would have missed.
    assert set(dict(sale)) == set(Transaction.__fields__)
    assert set(dict(config)) == set(LamassuConfig.__fields__)


@pytest.mark.storage
async def test_summing_up_begins_anew_where_it_was_cut_off(empty: Any) -> None:
    from satmachineclient import migrations

    class CutOffError(Exception):
        """LNbits is killed before this statement."""

    class Killed:
        """The connection of a migration that LNbits is killed in, after so many statements."""

        def __init__(self, connection: Any, statements: int) -> None:
            self.type, self.big_int = connection.type, connection.big_int
            self._connection, self._left = connection, statements

        async def execute(self, statement: str) -> None:
            if not self._left:
                raise CutOffError
            self._left -= 1
            await self._connection.execute(statement)

    deposit = {
        "id": "'deposit'",
        "client_id": "'client'",
        "amount": "12345",
        "currency": "'GTQ'",
        "status": "'confirmed'",
        "created_at": ":time",
    }
    async with empty.connect() as connection:
        for migrate in released(migrations)[:3]:
            await migrate(connection)
        await store(connection, "dca_deposits", deposit)

        cut_off = 0
        for statements in range(100):
            try:
                await migrations.m004_balances(Killed(connection, statements))  # type: ignore[arg-type]
                break
            except CutOffError:
                cut_off += 1
        assert cut_off > 10

        (row,) = await connection.fetchall("SELECT * FROM satmachineclient.dca_balances")
    assert (row["client_id"], row["currency"], row["deposited"]) == ("client", "GTQ", 12_345)


@pytest.mark.storage
async def test_a_stored_day_gives_way_to_the_time_of_the_sale(empty: Any) -> None:
    from satmachineclient import migrations
    from satmachineclient.models_sales import Payment

    share = {
        "id": "'share'",
        "transaction_id": OLD_SALE["id"],
        "client_id": "'client'",
        "wallet_id": "'wallet'",
        "amount_sats": "259029",
        "amount_fiat": "200000",
        "currency": "'GTQ'",
        "share": "'1'",
        "day": "'2026-01-01'",
        "status": "'confirmed'",
        "created_at": ":time",
        "confirmed_at": ":time",
    }
    async with empty.connect() as connection:
        for migrate in released(migrations):
            if migrate is migrations.m008_no_stored_days:
                await store(connection, "lamassu_transactions", OLD_SALE)
                await store(connection, "dca_payments", share)
                await migrate(connection)  # LNbits was killed before it wrote down that it is done
            await migrate(connection)
        (row,) = await connection.fetchall("SELECT * FROM satmachineclient.dca_payments")
        (sale,) = await connection.fetchall("SELECT * FROM satmachineclient.lamassu_transactions")
    assert row["transaction_time"] == sale["transaction_time"]
    assert Payment.parse_obj(dict(row)).transaction_time.timestamp() == 1_767_312_000.0
    assert set(dict(row)) == set(Payment.__fields__)
    assert "day" not in dict(sale)


@pytest.mark.storage
async def test_cash_of_before_lies_in_any_machine_and_every_balance_is_kept(empty: Any) -> None:
    from satmachineclient import migrations
    from satmachineclient.machines.models import Machine
    from satmachineclient.models_clients import Deposit
    from satmachineclient.models_sales import Payment, Transaction

    deposit = {
        "id": "'deposit'",
        "client_id": "'client'",
        "amount": "300000",
        "currency": "'GTQ'",
        "status": "'confirmed'",
        "created_at": ":time",
        "confirmed_at": ":time",
    }
    share = {
        "id": "'share'",
        "transaction_id": OLD_SALE["id"],
        "client_id": "'client'",
        "wallet_id": "'wallet'",
        "amount_sats": "259029",
        "amount_fiat": "200000",
        "currency": "'GTQ'",
        "share": "'1'",
        "day": "'2026-01-01'",
        "status": "'confirmed'",
        "created_at": ":time",
    }
    balances = "SELECT * FROM satmachineclient.dca_balances"
    async with empty.connect() as connection:
        for migrate in released(migrations)[:3]:
            await migrate(connection)
        await store(connection, "lamassu_transactions", OLD_SALE)
        await store(connection, "dca_deposits", deposit)
        await store(connection, "dca_payments", share)
        before: list[dict[str, Any]] = []
        for migrate in released(migrations)[3:]:
            if migrate is migrations.m012_machines:
                before = [dict(row) for row in await connection.fetchall(balances)]
                await migrate(connection)  # LNbits was killed before it wrote down that it is done
            await migrate(connection)
        after = [dict(row) for row in await connection.fetchall(balances)]
        one = {
            table: dict((await connection.fetchall(f"SELECT * FROM satmachineclient.{table}"))[0])  # noqa: S608
            for table in ("dca_deposits", "dca_payments", "lamassu_transactions", "dca_machines")
        }
        parts = await connection.fetchall("SELECT * FROM satmachineclient.dca_machine_balances")
    assert before == after
    assert (after[0]["deposited"], after[0]["allocated_fiat"]) == (300_000, 200_000)
    assert list(parts) == []
    assert Deposit.parse_obj(one["dca_deposits"]).device_id is None
    assert Payment.parse_obj(one["dca_payments"]).machine_fiat == 0
    assert Transaction.parse_obj(one["lamassu_transactions"]).partners_sats == 0
    assert Machine.parse_obj(one["dca_machines"]).device_id == "machine"
    assert set(one["dca_machines"]) == set(Machine.__fields__)


@pytest.mark.storage
async def test_a_sale_that_waits_for_its_time_says_so_in_its_facts(empty: Any) -> None:
    from satmachineclient import migrations
    from satmachineclient.models_sales import Transaction

    waits = {
        **OLD_SALE,
        "status": "'needs_review'",
        "review_reason": "'Refused: its time is 2026-01-02 02:00:00.5+00:00; <b>so</b>'",
        "lamassu_facts": """'{"error": "<b>a & b</b>"}'""",
    }
    async with empty.connect() as connection:
        for migrate in released(migrations):
            if migrate is migrations.m008_no_stored_days:
                await store(connection, "lamassu_transactions", waits)
            await migrate(connection)
        (row,) = await connection.fetchall("SELECT * FROM satmachineclient.lamassu_transactions")
    sale = Transaction.parse_obj(dict(row))
    assert sale.lamassu_facts == {
        "error": "<b>a & b</b>",
        "time_refused": "2026-01-02T02:00:00.5+00:00",
    }

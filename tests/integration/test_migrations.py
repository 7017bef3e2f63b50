"""What an earlier release has stored is still there, and means the same, after an upgrade."""

import re
from collections.abc import AsyncIterator
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
    from satmachineclient.models import LamassuConfig, Transaction

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

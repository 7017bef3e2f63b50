"""The role's SQL, run as an operator runs it, on the schemas of Lamassu 8 and 9, 10.0, 10.2 and 12.

What the role can read is then tried as that role.
"""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import pytest
from satmachineclient.atm import check as lamassu_check
from satmachineclient.atm.postgres import connect
from satmachineclient.atm.rights import read_columns, sale_rights

from demo.lamassu_db import READER, ROLE_SQL, LamassuDatabase, role_sql
from demo.postgres import Postgres, PostgresError
from demo.sales import Sale, insert_sale
from tests.lamassu_rig import now, read, target_at

_RECYCLERS = [f"recycler_{n}" for n in range(1, 7)]
_COUNTS = ("provisioned", "denomination")
_NO_RECYCLERS = [
    *(f"ALTER TABLE cash_out_txs DROP {kind}_{unit}" for kind in _COUNTS for unit in _RECYCLERS),
    *(
        f"ALTER TABLE cash_out_actions DROP {kind}_{unit}"
        for kind in (*_COUNTS, "dispensed", "rejected")
        for unit in _RECYCLERS
    ),
    *(f"ALTER TABLE devices DROP recycler{n}" for n in range(1, 7)),
    "ALTER TABLE devices DROP number_of_recyclers",
]
_TWELVE = [
    "CREATE TABLE machine_groups (id uuid PRIMARY KEY, name text)",
    "ALTER TABLE devices ADD machine_group_id uuid REFERENCES machine_groups (id)",
    "ALTER TABLE cash_out_txs ADD coupon_id uuid",
    "ALTER TABLE cash_in_txs ADD coupon_id uuid",
]
SCHEMAS = {  # what each differs by from the newest known shape
    "8 and 9": (False, _NO_RECYCLERS),
    "10.0": (False, []),
    "10.2": (True, []),
    "12": (True, _TWELVE),
}


@dataclass
class Machine:
    """A Lamassu database whose role nobody has made yet."""

    database: LamassuDatabase
    postgres: Postgres

    def make_role(self, **choices: bool) -> None:
        self.postgres.sql(role_sql(**choices), self.database.database)

    async def rights(self) -> dict[str, set[str]]:
        """By table, the columns that the role may read."""
        owner = await self.database.connect()
        try:
            rows = await owner.fetch(
                "SELECT table_name, column_name FROM information_schema.column_privileges "
                "WHERE grantee = $1 AND privilege_type = 'SELECT'",
                READER,
            )
        finally:
            await owner.close()
        tables: dict[str, set[str]] = {}
        for row in rows:
            tables.setdefault(row["table_name"], set()).add(row["column_name"])
        return tables


@pytest.fixture(params=SCHEMAS)
async def machine(
    request: pytest.FixtureRequest, postgres: Postgres, lamassu: LamassuDatabase
) -> AsyncIterator[Machine]:
    fixed_fee, changes = SCHEMAS[request.param]
    name = f"lamassu_{secrets.token_hex(4)}"
    password = lamassu.reader_password  # the role is the server's, not the database's
    database = await LamassuDatabase.create(postgres, name, password, fixed_fee=fixed_fee)
    await database.clear()
    nothing = (
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {READER}",
        f"REVOKE ALL ON SCHEMA public FROM {READER}, PUBLIC",
        f"REVOKE ALL ON DATABASE {name} FROM {READER}",
    )
    postgres.sql(";".join((*nothing, *changes)), name)
    yield Machine(database, postgres)
    postgres.sql(f"DROP DATABASE {name}")


async def test_the_role_reads_sales_and_their_notes(machine: Machine) -> None:
    machine.make_role(cash_ins=False)
    target = target_at(machine.database)
    assert (await lamassu_check.test_connection(target, now(), "markup")).success
    async with connect(target) as session:
        rights = sale_rights(await read_columns(session), "cash_out")
        assert await session.fetchval("SELECT name FROM devices") == "Kiosk"
    assert not rights.fixed_fee_hidden
    assert {"raw_ticker_price", "received_crypto_atoms"} <= set(rights.sale_columns)
    assert {"dispensed_1", "provisioned_4", "denomination_2"} <= set(rights.action_columns)
    recyclers = "dispensed_recycler_6" in rights.action_columns
    assert recyclers == ("recycler6" in (await machine.rights())["devices"])


async def test_the_role_reads_nothing_personal_and_writes_nothing(machine: Machine) -> None:
    machine.make_role()
    reader = await machine.database.connect_as_reader()
    try:
        for statement in (
            "SELECT phone FROM cash_out_txs",
            "SELECT to_address FROM cash_in_txs",
            "SELECT * FROM cash_out_txs",
            "SELECT id FROM customers",
            "SELECT location FROM devices",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await reader.execute(statement)
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await reader.execute("UPDATE cash_out_txs SET fiat = 1")
        await reader.execute("SET default_transaction_read_only = off")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.execute("UPDATE cash_out_txs SET fiat = 1")
        assert await reader.fetchval("SHOW statement_timeout") == "20s"
    finally:
        await reader.close()


async def test_run_again_it_gives_exactly_what_is_chosen(machine: Machine) -> None:
    machine.make_role(cash_ins=True, machines=True)
    everything = await machine.rights()
    assert {"cash_in_txs", "devices", "unpaired_devices"} < set(everything)
    machine.make_role(cash_ins=False, machines=False)
    assert set(await machine.rights()) == {"cash_out_txs", "cash_out_actions"}
    machine.make_role(cash_ins=True, machines=True)
    assert await machine.rights() == everything


async def test_as_it_stands_cash_ins_are_not_read(machine: Machine) -> None:
    assert role_sql(cash_ins=False, machines=True) == ROLE_SQL.read_text()
    machine.make_role(cash_ins=False)
    assert "cash_in_txs" not in await machine.rights()


async def test_after_an_upgrade_of_lamassu_it_grants_the_fixed_fee(
    postgres: Postgres, lamassu: LamassuDatabase
) -> None:
    name = f"lamassu_{secrets.token_hex(4)}"
    password = lamassu.reader_password
    database = await LamassuDatabase.create(postgres, name, password, fixed_fee=False)
    await database.clear()
    postgres.sql("ALTER TABLE cash_out_txs ADD fixed_fee numeric(14,5) NOT NULL DEFAULT 0", name)
    async with connect(target_at(database)) as session:
        assert sale_rights(await read_columns(session), "cash_out").fixed_fee_hidden
    postgres.sql(role_sql(), name)
    owner = await database.connect()
    await insert_sale(owner, Sale(created=now()), fixed_fee=True)
    await owner.close()
    (sale,) = (await read(target_at(database), needs_fixed_fee=True)).values()
    assert sale.fixed_fee is not None
    postgres.sql(f"DROP DATABASE {name}")


async def test_another_database_is_refused_with_a_reason(postgres: Postgres) -> None:
    with pytest.raises(PostgresError, match="in Lamassu's own database"):
        postgres.sql(role_sql())

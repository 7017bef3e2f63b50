"""The database itself refuses what may never be in a row: in new tables, and in those of 0.2."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, get_args

import pytest
from loguru import logger
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from .test_migrations import OLD_CONFIG, OLD_SALE, empty, released, store

__all__ = ["empty"]  # a fixture

CLIENT = {
    "id": "'client'",
    "user_id": "'user'",
    "wallet_id": "'wallet'",
    "dca_mode": "'flow'",
    "status": "'active'",
    "created_at": ":time",
    "updated_at": ":time",
}
DEPOSIT = {
    "id": "'deposit'",
    "client_id": "'client'",
    "amount": "200000",
    "currency": "'GTQ'",
    "status": "'confirmed'",
    "created_at": ":time",
    "confirmed_at": ":time",
}
WITHDRAWAL = {**DEPOSIT, "id": "'withdrawal'", "amount": "-500"}
SHARE = {
    "id": "'share'",
    "transaction_id": "'sale'",
    "client_id": "'client'",
    "wallet_id": "'wallet'",
    "amount_sats": "259029",
    "amount_fiat": "200000",
    "currency": "'GTQ'",
    "share": "'1'",
    "day": "'2026-01-02'",
    "status": "'pending'",
    "created_at": ":time",
}
PAYOUT = {
    "id": "'payout'",
    "transfer_id": "'transfer'",
    "kind": "'client'",
    "source_wallet_id": "'source'",
    "wallet_id": "'wallet'",
    "amount_sats": "259029",
    "memo": "'DCA'",
    "status": "'pending'",
    "attempts": "0",
    "created_at": ":time",
}
# While a cash-in waits for a review its total is what the customer was sent: no commission yet.
WAITING_CASH_IN = {
    **OLD_SALE,
    "id": "'waiting'",
    "lamassu_transaction_id": "'waiting'",
    "crypto_amount_sats": "50000",
    "base_amount_sats": "50000",
    "commission_amount_sats": "0",
    "distributed_sats": "0",
    "undistributed_sats": "50000",
    "undistributed_fiat": "200000",
    "status": "'needs_review'",
    "direction": "'cash_in'",
}
OF_0_2 = [
    ("lamassu_transactions", OLD_SALE),
    ("lamassu_transactions", WAITING_CASH_IN),
    ("lamassu_config", OLD_CONFIG),
    ("dca_clients", CLIENT),
    ("dca_deposits", DEPOSIT),
    ("dca_deposits", WITHDRAWAL),
    ("dca_payments", SHARE),
    ("dca_payouts", PAYOUT),
]

# What no row may be changed to.
REFUSED = """
lamassu_transactions   crypto_amount_sats = crypto_amount_sats + 1
lamassu_transactions   commission_amount_sats = commission_amount_sats - 1
lamassu_transactions   distributed_sats = distributed_sats + 1
lamassu_transactions   distributed_sats = base_amount_sats + 1, undistributed_sats = -1
lamassu_transactions   undistributed_fiat = -1
lamassu_transactions   undistributed_fiat = fiat_amount + 1
lamassu_transactions   clients_count = -1
lamassu_transactions   status = 'lost'
lamassu_transactions   direction = 'sideways'
lamassu_transactions   credit_status = 'failed'
dca_deposits           amount = 0
dca_deposits           amount = -1, status = 'pending'
dca_deposits           confirmed_at = NULL
dca_deposits           status = 'lost'
dca_payments           amount_sats = -1
dca_payments           amount_fiat = -1
dca_payments           status = 'confirmed'
dca_payments           status = 'lost'
dca_payouts            amount_sats = 0
dca_payouts            kind = 'gift'
dca_payouts            source_wallet_id = NULL
dca_payouts            attempts = -1
dca_clients            dca_mode = 'fixed'
dca_clients            fixed_mode_daily_limit = 0
dca_clients            status = 'lost'
dca_clients            paused_by = 'nobody'
lamassu_config         port = 0
lamassu_config         max_sats_per_poll = 0
lamassu_config         direction = 'sideways'
ledger_lease           id = 2
"""


@contextmanager
def log_lines() -> Iterator[list[str]]:
    lines: list[str] = []
    sink = logger.add(lines.append, format="{message}", level="WARNING")
    yield lines
    logger.remove(sink)


async def refused(connection: Any, table: str, change: str) -> bool:
    try:
        await connection.conn.execute(
            text(f"UPDATE satmachineclient.{table} SET {change}")  # noqa: S608
        )
    except IntegrityError:
        return True
    finally:
        await connection.conn.rollback()
    return False


async def contents(connection: Any) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of what 0.2 has stored."""
    found = {}
    for table in {table for table, _ in OF_0_2}:
        rows = await connection.fetchall(
            f"SELECT * FROM satmachineclient.{table} ORDER BY id"  # noqa: S608
        )
        found[table] = [tuple(row.values()) for row in rows]
    return found


async def indexes(connection: Any) -> set[str]:
    rows = await connection.fetchall(
        "SELECT name FROM satmachineclient.sqlite_master WHERE type = 'index'"
        if connection.type == "SQLITE"
        else "SELECT indexname AS name FROM pg_indexes WHERE schemaname = 'satmachineclient'"
    )
    # SQLite names those of its own by the table.
    return {row["name"].replace("_new_", "_") for row in rows}


async def fill_as_0_2(connection: Any, *more: tuple[str, dict[str, str]]) -> None:
    from satmachineclient import migrations

    for migrate in released(migrations):
        if migrate is migrations.m006_checks:
            break
        await migrate(connection)
    for table, row in (*OF_0_2, *more):
        await store(connection, table, row)


@pytest.mark.storage
async def test_what_can_never_be_is_refused_and_what_was_stored_stays(empty: Any) -> None:
    from satmachineclient import migrations

    async with empty.connect() as connection:
        await fill_as_0_2(connection)
        before = await contents(connection), await indexes(connection)
        with log_lines() as lines:
            await migrations.m006_checks(connection)
        assert not lines
        assert (await contents(connection), await indexes(connection)) == before

        for line in REFUSED.strip().splitlines():
            table, change = line.split(maxsplit=1)
            assert await refused(connection, table, change), line

        # Those that come after it find tables that they can change.
        names = [migrate.__name__ for migrate in released(migrations)]
        for migrate in released(migrations)[names.index("m006_checks") + 1 :]:
            await migrate(connection)
        assert await refused(connection, "lamassu_transactions", "undistributed_fiat = -1")


@pytest.mark.storage
async def test_a_row_that_breaks_a_rule_stays_and_only_that_rule_is_left_out(empty: Any) -> None:
    from satmachineclient import migrations

    broken = {**OLD_SALE, "id": "'odd'", "lamassu_transaction_id": "'odd'", "status": "'lost'"}
    # Beyond 64 bits, were the parts added up.
    absurd = {**OLD_SALE, "id": "'absurd'", "lamassu_transaction_id": "'absurd'"}
    absurd |= {"crypto_amount_sats": str(2**63 - 1), "commission_amount_sats": str(-(2**63) + 1)}
    async with empty.connect() as connection:
        rows = [("lamassu_transactions", broken), ("lamassu_transactions", absurd)]
        await fill_as_0_2(connection, *rows)
        before = await contents(connection)
        with log_lines() as lines:
            await migrations.m006_checks(connection)

        assert await contents(connection) == before
        rules = [re.findall(r"(\w+) has rows that break the rule '(\w+)'", str(x)) for x in lines]
        assert sorted(rules) == [
            [("lamassu_transactions", "parts")],
            [("lamassu_transactions", "sats")],
            [("lamassu_transactions", "status")],
        ]
        assert not await refused(connection, "lamassu_transactions", "status = 'lost'")
        assert await refused(connection, "lamassu_transactions", "undistributed_fiat = -1")
        assert await refused(connection, "dca_payments", "status = 'lost'")


class KilledError(Exception):
    """LNbits is killed before this statement."""


class Dying:
    """What stands in for a connection's own: it dies after so many statements."""

    def __init__(self, real: Any, statements: int) -> None:
        self._real, self._left = real, statements

    def __getattr__(self, name: str) -> Any:
        if name in ("execute", "exec_driver_sql", "commit"):
            if not self._left:
                raise KilledError
            self._left -= 1
        return getattr(self._real, name)


@pytest.mark.storage
async def test_a_migration_that_is_killed_anywhere_begins_anew(empty: Any) -> None:
    from lnbits.db import Connection
    from satmachineclient import migrations

    async with empty.connect() as connection:
        await fill_as_0_2(connection)
        before = await contents(connection), await indexes(connection)
        killed = 0
        for statements in range(1000):
            dying: Any = Dying(connection.conn, statements)
            try:
                await migrations.m006_checks(
                    Connection(dying, connection.type, connection.name, connection.schema)
                )
                break
            except KilledError:
                killed += 1
            await connection.conn.rollback()
            assert (await contents(connection), await indexes(connection)) == before
        assert killed > 5
        assert (await contents(connection), await indexes(connection)) == before
        for line in REFUSED.strip().splitlines():
            table, change = line.split(maxsplit=1)
            assert await refused(connection, table, change), line


# Columns that were added since: on SQLite they have no CHECK (see m012).
_LATER = {"payout_schedule"}


def test_the_tables_take_just_what_the_models_may_hold() -> None:
    from satmachineclient import migrations
    from satmachineclient.models_clients import Client, ClientTerms, Deposit
    from satmachineclient.models_config import LamassuConfig, Poll
    from satmachineclient.models_payouts import Payout
    from satmachineclient.models_programme import Programme
    from satmachineclient.models_sales import Payment, Transaction

    models: dict[str, type[BaseModel]] = {
        "dca_clients": Client,
        "dca_client_terms": ClientTerms,
        "dca_deposits": Deposit,
        "dca_payments": Payment,
        "dca_payouts": Payout,
        "dca_programme": Programme,
        "lamassu_config": LamassuConfig,
        "lamassu_polls": Poll,
        "lamassu_transactions": Transaction,
    }
    for table, model in models.items():
        checked = {}
        for condition in migrations._CHECKS[table].values():
            if taken := re.fullmatch(r'"?(\w+)"? IN \((.*)\)', condition):
                checked[taken[1]] = set(re.findall(r"'([^']*)'", taken[2]))
        checked.pop("id", None)
        named = {
            name: set(get_args(field.type_))
            for name, field in model.__fields__.items()
            if get_args(field.type_) and name not in _LATER
        }
        assert checked == named, table

"""The tables. A migration that has been released is never edited; a change is a new one.

Fiat amounts are minor units and bitcoin amounts sats, both 64-bit integers; rates are decimal
text. Times are TIMESTAMPTZ on PostgreSQL and Unix seconds on SQLite, as LNbits stores them.
"""

import json
import re
from typing import Any

from lnbits.db import Connection
from loguru import logger
from sqlalchemy.exc import DBAPIError


async def m001_initial(db: Connection) -> None:
    """Clients, deposits, sales with their payments and payouts, configuration, polls, lease."""
    time = "REAL" if db.type == "SQLITE" else "TIMESTAMPTZ"
    for statement in (*_clients(db, time), *_sales(db, time), *_machinery(db, time)):
        await db.execute(statement)


async def m002_client_side(db: Connection) -> None:
    """What clients agreed to and when, the programme they may join, what a payout is about."""
    time = "REAL" if db.type == "SQLITE" else "TIMESTAMPTZ"
    for statement in _client_side(db, time):
        await db.execute(statement)


async def m003_direction(db: Connection) -> None:
    """Which sales are read, and of each sale in which direction its cash went."""
    for table in ("lamassu_config", "lamassu_transactions"):
        await db.execute(
            f"ALTER TABLE satmachineclient.{table} "
            "ADD COLUMN direction TEXT NOT NULL DEFAULT 'cash_out'"
        )


async def m004_balances(db: Connection) -> None:
    """Totals per client and currency, so that a balance costs the same after years; indexes.

    Years of payments are read for it, and LNbits commits each statement by itself: where it was
    cut off, it begins anew.
    """
    for statement in (*_balances(db), *_more_indexes(db)):
        await db.execute(statement)


async def m005_no_index_by_day(db: Connection) -> None:
    """What was taken on a day is only asked of clients in fixed mode: by client, then day."""
    await db.execute(_drop_index("dca_payments", "day", "client_id"))


async def m006_checks(db: Connection) -> None:
    """What may never be in a row is refused by the database itself.

    A rule that a stored row breaks is left out, and logged: the row stays as it is. Begins anew
    where it was cut off. The totals of m004 have none: what is added to them may be negative.
    """
    for table, checks in _CHECKS.items():
        if db.type == "SQLITE":
            await _rebuild_with(db, table, checks)
        else:
            await _add_checks(db, table, checks)


async def m008_no_stored_days(db: Connection) -> None:
    """A share knows its sale's time; days are computed from it, in the zone of whoever asks.

    Begins anew where it was cut off, as m004 does.
    """
    time = "REAL" if db.type == "SQLITE" else "TIMESTAMPTZ"
    payments, sales = "dca_payments", "lamassu_transactions"
    if "transaction_time" not in await _columns(db, payments):
        await db.execute(
            f"ALTER TABLE satmachineclient.dca_payments ADD COLUMN transaction_time {time}"
        )
    await db.execute(
        "UPDATE satmachineclient.dca_payments SET transaction_time = ("
        "SELECT t.transaction_time FROM satmachineclient.lamassu_transactions t "
        "WHERE t.id = dca_payments.transaction_id) WHERE transaction_time IS NULL"
    )
    await db.execute(_drop_index(payments, "client_id", "day", "created_at"))
    await db.execute(_index(db, payments, "client_id", "transaction_time", "created_at"))
    for table in (payments, sales):
        if "day" in await _columns(db, table):
            await db.execute(f"ALTER TABLE satmachineclient.{table} DROP COLUMN day")
    await _mark_refused_times(db)


async def _mark_refused_times(db: Connection) -> None:
    """Sales that wait because of their time only say so in words: it is kept as a fact, too."""
    rows: list[Any] = await db.fetchall(
        "SELECT id, review_reason, lamassu_facts FROM satmachineclient.lamassu_transactions "
        "WHERE status = 'needs_review' AND review_reason LIKE '%its time is %'"
    )
    for row in rows:
        facts = json.loads(row["lamassu_facts"] or "{}")
        refused = re.search(r"its time is (\d[\d: .+-]*\d)", row["review_reason"])
        if "time_refused" not in facts:
            facts["time_refused"] = refused[1].replace(" ", "T") if refused else None
            await db.execute(
                "UPDATE satmachineclient.lamassu_transactions SET lamassu_facts = :facts "
                "WHERE id = :id",
                {"facts": _json(facts), "id": row["id"]},
            )


def _json(facts: dict[str, Any]) -> str:
    """JSON in which LNbits finds no HTML: it would take that out of a statement's values."""
    text = json.dumps(facts)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


async def m009_adopted(db: Connection) -> None:
    """What LNbits has booked for us that our own tables did not know; the fees of payouts.

    Begins anew where it was cut off, as m004 does.
    """
    time = "REAL" if db.type == "SQLITE" else "TIMESTAMPTZ"
    for statement in _adopted(db, time):
        await db.execute(statement)
    if "fee_msat" not in await _columns(db, "dca_payouts"):
        await db.execute(
            f"ALTER TABLE satmachineclient.dca_payouts ADD COLUMN fee_msat {db.big_int}"
        )


def _adopted(db: Connection, time: str) -> list[str]:
    return [
        # One row for each sale that an adopted payment was for; one in all where it does not say.
        f"""
        CREATE TABLE IF NOT EXISTS satmachineclient.dca_adopted (
            id TEXT PRIMARY KEY,
            transfer_id TEXT NOT NULL,
            payment_hash TEXT NOT NULL,
            kind TEXT NOT NULL,
            lamassu_transaction_id TEXT,
            transaction_ids TEXT NOT NULL,
            client_id TEXT,
            wallet_id TEXT NOT NULL,
            amount_sats {db.big_int} NOT NULL,
            amount_fiat {db.big_int},
            currency TEXT,
            paid_at {time} NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('waiting', 'matched', 'unclear', 'closed')),
            note TEXT
        )
        """,
        _index(db, "dca_adopted", "status"),
        _index(db, "dca_adopted", "transfer_id"),
    ]


async def m010_credit_since(db: Connection) -> None:
    """Since when the source wallet is credited: no sale from before it is.

    Where crediting is on already, what the next poll would have read counts as before.
    """
    time = "REAL" if db.type == "SQLITE" else "TIMESTAMPTZ"
    if "credit_since" not in await _columns(db, "lamassu_config"):
        await db.execute(
            f"ALTER TABLE satmachineclient.lamassu_config ADD COLUMN credit_since {time}"
        )
    clock, day = (
        ("CAST(strftime('%s', 'now') AS REAL)", "86400")
        if db.type == "SQLITE"
        else ("now()", "INTERVAL '1 day'")
    )
    began = f"COALESCE(last_successful_poll, {clock}) - look_back_days * {day}"
    await db.execute(
        f"UPDATE satmachineclient.lamassu_config SET credit_since = {began} "  # noqa: S608
        "WHERE credit_source_wallet AND credit_since IS NULL"
    )


async def m011_forwards(db: Connection) -> None:
    """Where clients' sats go on to, and each forward; what the operator's programme allows.

    Begins anew where it was cut off, as m004 does.
    """
    time = "REAL" if db.type == "SQLITE" else "TIMESTAMPTZ"
    known = await _columns(db, "dca_programme")
    for name, kind in (
        ("forwarding", "BOOLEAN NOT NULL DEFAULT TRUE"),
        ("smallest_forward_sats", db.big_int),
    ):
        if name not in known:
            await db.execute(f"ALTER TABLE satmachineclient.dca_programme ADD COLUMN {name} {kind}")
    for statement in _forwards(db, time):
        await db.execute(statement)


async def m012_machines(db: Connection) -> None:
    """Machines with names and cash, in which of them deposits lie, and the commission's partners.

    Deposits of before lie in no machine in particular: their cash goes out with any, as it did.
    Begins anew where it was cut off, as m004 does.
    """
    time = "REAL" if db.type == "SQLITE" else "TIMESTAMPTZ"
    for table, column, kind, condition in (
        ("dca_deposits", "device_id", "TEXT", "device_id <> ''"),
        ("dca_payments", "machine_fiat", f"{db.big_int} NOT NULL DEFAULT 0", _PART_OF_FIAT),
        ("lamassu_transactions", "partners_sats", f"{db.big_int} NOT NULL DEFAULT 0", _PARTNERS),
    ):
        if column not in await _columns(db, table):
            # On SQLite, LNbits has an extension's file open twice in one connection: to look
            # through the rows that are there for a new CHECK, SQLite would wait for itself.
            check = "" if db.type == "SQLITE" else f"CHECK ({condition})"
            await db.execute(
                f"ALTER TABLE satmachineclient.{table} ADD COLUMN {column} {kind} {check}"
            )
    for statement in (*_machines(db, time), *_partners(db, time)):
        await db.execute(statement)


_PART_OF_FIAT = "machine_fiat >= 0 AND machine_fiat <= amount_fiat"
_PARTNERS = "partners_sats >= 0 AND partners_sats <= commission_amount_sats"


async def _columns(db: Connection, table: str) -> set[str]:
    """The columns that a table has."""
    rows: list[Any] = await db.fetchall(
        "SELECT name FROM pragma_table_info(:table, 'satmachineclient')"
        if db.type == "SQLITE"
        else "SELECT column_name AS name FROM information_schema.columns "
        "WHERE table_schema = 'satmachineclient' AND table_name = :table",
        {"table": table},
    )
    return {row["name"] for row in rows}


async def m013_telling(db: Connection) -> None:
    """Alerts, who is told of them and how, the outbox; what a client wants to hear, and a goal."""
    time = "REAL" if db.type == "SQLITE" else "TIMESTAMPTZ"
    for statement in (*_alerts(db, time), *_notices(db, time)):
        await db.execute(statement)


async def m014_every_day(db: Connection) -> None:
    """What a poll found in the way of the money; which terms clients accepted; notes on sales.

    Begins anew where it was cut off, as m004 does.
    """
    time = "REAL" if db.type == "SQLITE" else "TIMESTAMPTZ"
    if "problem" not in await _columns(db, "lamassu_polls"):
        await db.execute("ALTER TABLE satmachineclient.lamassu_polls ADD COLUMN problem TEXT")
    for statement in _every_day(db, time):
        await db.execute(statement)


async def m015_payout_schedule(db: Connection) -> None:
    """When the clients' shares are paid, and from how many sats on.

    Begins anew where it was cut off, as m004 does.
    """
    time = "REAL" if db.type == "SQLITE" else "TIMESTAMPTZ"
    schedules = "payout_schedule IN ('each_poll', 'daily', 'weekly')"
    for table, column, kind, condition in (
        ("lamassu_config", "payout_schedule", "TEXT NOT NULL DEFAULT 'each_poll'", schedules),
        ("lamassu_config", "payout_time", "TEXT NOT NULL DEFAULT '09:00'", None),
        (
            "lamassu_config",
            "payout_weekday",
            "INTEGER NOT NULL DEFAULT 0",
            "payout_weekday BETWEEN 0 AND 6",
        ),
        ("lamassu_config", "payout_min_sats", db.big_int, "payout_min_sats > 0"),
        ("lamassu_config", "payouts_due_until", time, None),
        ("lamassu_config", "payout_schedule_since", time, None),
        ("dca_clients", "payout_min_sats", db.big_int, "payout_min_sats > 0"),
        ("dca_clients", "payouts_due_until", time, None),
    ):
        if column not in await _columns(db, table):
            # No CHECK on SQLite: see m012.
            check = f"CHECK ({condition})" if condition and db.type != "SQLITE" else ""
            await db.execute(
                f"ALTER TABLE satmachineclient.{table} ADD COLUMN {column} {kind} {check}"
            )


async def m017_clocks_and_turns(db: Connection) -> None:
    """How far the ATM's clock was off at each poll; whose turn it is to look for alerts.

    Begins anew where it was cut off.
    """
    time = "REAL" if db.type == "SQLITE" else "TIMESTAMPTZ"
    for table, column, kind in (
        ("lamassu_polls", "clock_offset_seconds", db.big_int),
        ("dca_alert_settings", "looked_at", time),
    ):
        if column not in await _columns(db, table):
            await db.execute(f"ALTER TABLE satmachineclient.{table} ADD COLUMN {column} {kind}")
    await db.execute(_index(db, "dca_outbox", "channel", "next_attempt_at", "at"))
    await db.execute(_index(db, "dca_alerts", "ended_at"))
    # What a counter of the metrics counted when it was last asked for, and its rises in all.
    await db.execute(
        f"""
        CREATE TABLE IF NOT EXISTS satmachineclient.dca_counters (
            name TEXT PRIMARY KEY,
            seen {db.big_int} NOT NULL CHECK (seen >= 0),
            total {db.big_int} NOT NULL CHECK (total >= 0)
        )
        """
    )


async def m018_databases(db: Connection) -> None:
    """Of which of the operator's databases sales are read: ids of another one count apart.

    Begins anew where it was cut off.
    """
    time = "REAL" if db.type == "SQLITE" else "TIMESTAMPTZ"
    for name, kind in (
        ("database_number", f"{db.big_int} NOT NULL DEFAULT 1"),
        ("database_since", time),
    ):
        if name not in await _columns(db, "lamassu_config"):
            await db.execute(
                f"ALTER TABLE satmachineclient.lamassu_config ADD COLUMN {name} {kind}"
            )


async def m020_books(db: Connection) -> None:
    """Whose name is on a statement; when a share was voided, and when a sale was taken back.

    Begins anew where it was cut off, as m004 does.
    """
    time = "REAL" if db.type == "SQLITE" else "TIMESTAMPTZ"
    for table, name, kind in (
        ("dca_programme", "operator_name", "TEXT NOT NULL DEFAULT ''"),
        ("dca_programme", "operator_address", "TEXT NOT NULL DEFAULT ''"),
        ("dca_payments", "voided_at", time),
        ("lamassu_transactions", "taken_back_at", time),
    ):
        if name not in await _columns(db, table):
            await db.execute(f"ALTER TABLE satmachineclient.{table} ADD COLUMN {name} {kind}")
    for table, name in (("dca_payments", "voided_at"), ("lamassu_transactions", "taken_back_at")):
        await db.execute(f"{_index(db, table, name)} WHERE {name} IS NOT NULL")


async def m021_archive(db: Connection) -> None:
    """Where the shares of old sales are kept small (`crud_shares`).

    Begins anew where it was cut off, as m004 does.
    """
    time = "REAL" if db.type == "SQLITE" else "TIMESTAMPTZ"
    for statement in _archive(db, time):
        await db.execute(statement)


async def m022_forwards_by_wallet(db: Connection) -> None:
    """A wallet's forwards, of clients and partners, are told apart by who else sends from it."""
    await db.execute(_index(db, "dca_forward_settings", "wallet_id"))


async def m023_sums_of_machines(db: Connection) -> None:
    """All sales' sums by machine are read from this index alone, not from their wide rows."""
    table = "lamassu_transactions"
    columns = ("device_id", "fiat_code", "transaction_time", "status", "direction", "is_test")
    sums = ("fiat_amount", "crypto_amount_sats", "commission_amount_sats")
    index = _index(db, table, *columns, *sums)
    await db.execute(index.replace(_index_name(table, *columns, *sums), f"{table}_sums"))


async def m024_full_check(db: Connection) -> None:
    """How far the check of all books has come: one row, once it was begun."""
    time = "REAL" if db.type == "SQLITE" else "TIMESTAMPTZ"
    await db.execute(
        f"""
        CREATE TABLE IF NOT EXISTS satmachineclient.dca_full_check (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            begun_at {time} NOT NULL,
            noted_at {time} NOT NULL,
            checked_until {time} NOT NULL,
            checked_owner TEXT NOT NULL,
            differences {db.big_int} NOT NULL CHECK (differences >= 0),
            found TEXT NOT NULL,
            finished_at {time}
        )
        """
    )


async def m025_archived_voids(db: Connection) -> None:
    """A search in the archive gets by indexes to whatever may have its words, as it does elsewhere.

    Not an index of all by status: SQLite would take it for all that asks for what is confirmed.
    """
    others = "status IN ('pending', 'failed', 'voided')"
    await db.execute(f"{_index(db, 'dca_archived_transfers', 'status')} WHERE {others}")


def _archive(db: Connection, time: str) -> list[str]:
    # On SQLite a table without rowids is its own index of the sales.
    by_key = "WITHOUT ROWID" if db.type == "SQLITE" else ""
    return [
        # What all shares of a sale have in common, and the sums of those that are not voided.
        f"""
        CREATE TABLE IF NOT EXISTS satmachineclient.dca_archived_sales (
            number INTEGER PRIMARY KEY,
            transaction_id TEXT NOT NULL UNIQUE,
            currency TEXT NOT NULL,
            transaction_time {time} NOT NULL,
            created_at {time} NOT NULL,
            shares {db.big_int} NOT NULL CHECK (shares > 0),
            clients_count {db.big_int} NOT NULL
                CHECK (clients_count >= 0 AND clients_count <= shares),
            distributed_sats {db.big_int} NOT NULL CHECK (distributed_sats >= 0),
            distributed_fiat {db.big_int} NOT NULL CHECK (distributed_fiat >= 0)
        )
        """,
        # What all shares of a transfer have in common; the voided ones of a client have none.
        f"""
        CREATE TABLE IF NOT EXISTS satmachineclient.dca_archived_transfers (
            number INTEGER PRIMARY KEY,
            client_id TEXT NOT NULL,
            wallet_id TEXT NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('confirmed', 'voided')),
            transfer_id TEXT,
            payment_hash TEXT,
            error TEXT,
            confirmed_at {time},
            voided_at {time},
            CHECK (status <> 'confirmed' OR confirmed_at IS NOT NULL)
        )
        """,
        f"""
        CREATE TABLE IF NOT EXISTS satmachineclient.dca_archived_shares (
            sale INTEGER NOT NULL,
            transfer INTEGER NOT NULL,
            id TEXT NOT NULL,
            amount_sats {db.big_int} NOT NULL CHECK (amount_sats >= 0),
            amount_fiat {db.big_int} NOT NULL CHECK (amount_fiat >= 0),
            machine_fiat {db.big_int} NOT NULL CHECK ({_PART_OF_FIAT}),
            share TEXT NOT NULL,
            PRIMARY KEY (sale, transfer)
        ) {by_key}
        """,
        _index(db, "dca_archived_sales", "transaction_time"),
        _index(db, "dca_archived_sales", "created_at"),
        _index(db, "dca_archived_transfers", "client_id"),
        _index(db, "dca_archived_transfers", "transfer_id"),
        f"{_index(db, 'dca_archived_transfers', 'voided_at')} WHERE voided_at IS NOT NULL",
        _index(db, "dca_archived_shares", "transfer"),
        _index(db, "dca_audit", "subject"),
    ]


def _every_day(db: Connection, time: str) -> list[str]:
    return [
        # Each text once, by its hash; who accepted it is another table.
        f"""
        CREATE TABLE IF NOT EXISTS satmachineclient.dca_terms_texts (
            hash TEXT PRIMARY KEY,
            text TEXT NOT NULL,
            first_accepted_at {time} NOT NULL
        )
        """,
        f"""
        CREATE TABLE IF NOT EXISTS satmachineclient.dca_accepted_terms (
            id TEXT PRIMARY KEY,
            client_id TEXT NOT NULL,
            user_id TEXT NOT NULL,
            terms_hash TEXT NOT NULL,
            accepted_at {time} NOT NULL
        )
        """,
        f"""
        CREATE TABLE IF NOT EXISTS satmachineclient.dca_sale_notes (
            id TEXT PRIMARY KEY,
            transaction_id TEXT NOT NULL,
            author TEXT NOT NULL,
            notes TEXT NOT NULL CHECK (notes <> ''),
            created_at {time} NOT NULL
        )
        """,
        _index(db, "dca_deposits", "currency", "created_at", "amount"),
        _index(db, "dca_accepted_terms", "client_id", "accepted_at"),
        _index(db, "dca_accepted_terms", "accepted_at"),
        _index(db, "dca_sale_notes", "transaction_id", "created_at"),
    ]


def _alerts(db: Connection, time: str) -> list[str]:
    return [
        f"""
        CREATE TABLE IF NOT EXISTS satmachineclient.dca_alerts (
            id TEXT PRIMARY KEY,
            kind TEXT NOT NULL,
            subject TEXT NOT NULL,
            text TEXT NOT NULL,
            began_at {time} NOT NULL,
            ended_at {time},
            told_at {time}
        )
        """,
        f"""
        CREATE TABLE IF NOT EXISTS satmachineclient.dca_alert_settings (
            id TEXT PRIMARY KEY CHECK (id = 'default'),
            source_wallet_below_sats {db.big_int} NOT NULL CHECK (source_wallet_below_sats >= 0),
            cash_lasts_days INTEGER NOT NULL CHECK (cash_lasts_days >= 0),
            waiting_hours INTEGER NOT NULL CHECK (waiting_hours > 0),
            machine_silent_hours INTEGER NOT NULL CHECK (machine_silent_hours > 0),
            digest TEXT NOT NULL CHECK (digest IN ('off', 'daily', 'weekly')),
            digest_hour INTEGER NOT NULL CHECK (digest_hour BETWEEN 0 AND 23),
            digest_last TEXT,
            webhook_url TEXT,
            webhook_secret TEXT,
            webhook_events BOOLEAN NOT NULL
        )
        """,
        "INSERT INTO satmachineclient.dca_alert_settings (id, source_wallet_below_sats, "
        "cash_lasts_days, waiting_hours, machine_silent_hours, digest, digest_hour, "
        "webhook_events) SELECT 'default', 0, 3, 24, 24, 'off', 8, false "
        "WHERE NOT EXISTS (SELECT 1 FROM satmachineclient.dca_alert_settings)",
        f"""
        CREATE TABLE IF NOT EXISTS satmachineclient.dca_outbox (
            id TEXT PRIMARY KEY,
            alert_id TEXT,
            channel TEXT NOT NULL CHECK (channel IN ('admins', 'webhook', 'client')),
            user_id TEXT,
            kind TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('began', 'ended', 'digest', 'event', 'test')),
            subject TEXT NOT NULL,
            text TEXT NOT NULL,
            at {time} NOT NULL,
            attempts INTEGER NOT NULL,
            next_attempt_at {time},
            delivered_at {time},
            error TEXT
        )
        """,
        _unique_while(db, "dca_alerts", "ended_at IS NULL", "kind", "subject"),
        _index(db, "dca_alerts", "began_at"),
        _index(db, "dca_outbox", "next_attempt_at", "at"),
        _index(db, "dca_outbox", "channel", "at"),
        _index(db, "dca_outbox", "delivered_at"),
    ]


def _notices(db: Connection, time: str) -> list[str]:
    return [
        f"""
        CREATE TABLE IF NOT EXISTS satmachineclient.dca_client_notices (
            client_id TEXT PRIMARY KEY,
            deposit_confirmed BOOLEAN NOT NULL,
            cash_low BOOLEAN NOT NULL,
            forward_failed BOOLEAN NOT NULL,
            statement_ready BOOLEAN NOT NULL,
            goal_reached BOOLEAN NOT NULL,
            goal_sats {db.big_int} CHECK (goal_sats > 0),
            goal_fiat {db.big_int} CHECK (goal_fiat > 0),
            goal_currency TEXT,
            goal_by TEXT,
            goal_reached_at {time},
            CHECK (goal_sats IS NULL OR goal_fiat IS NULL)
        )
        """,
        f"""
        CREATE TABLE IF NOT EXISTS satmachineclient.dca_told (
            key TEXT PRIMARY KEY,
            at {time} NOT NULL
        )
        """,
    ]


def _unique_while(db: Connection, table: str, condition: str, *columns: str) -> str:
    """Unique among the rows of which the condition is true."""
    plain = _index(db, table, *columns)
    return f"{plain.replace('CREATE INDEX', 'CREATE UNIQUE INDEX')} WHERE {condition}"


def _one_of(column: str, *values: str) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def _no_less_than_zero(*columns: str) -> str:
    return " AND ".join(f"{column} >= 0" for column in columns)


_TERMS = {
    "mode": _one_of("dca_mode", "flow", "fixed"),
    "status": _one_of("status", "pending", "active", "paused", "closed"),
    "limit": "fixed_mode_daily_limit > 0",
    "fixed": "dca_mode <> 'fixed' OR (fixed_mode_daily_limit IS NOT NULL AND currency IS NOT NULL)",
}
_DIRECTIONS = ("cash_out", "cash_in")
_TRANSFERS = ("none", "pending", "confirmed")
_PAYMENTS = ("pending", "confirmed", "failed", "voided")
# By table and name. They are differences, not sums, so that none can leave 64 bits.
_CHECKS = {
    "dca_clients": {**_TERMS, "paused_by": _one_of("paused_by", "client", "operator")},
    "dca_client_terms": _TERMS,
    "dca_deposits": {
        "status": _one_of("status", "pending", "confirmed", "rejected"),
        # A withdrawal is a deposit of less than nothing, confirmed at once.
        "amount": "amount > 0 OR (amount < 0 AND status = 'confirmed')",
        "confirmed": "status <> 'confirmed' OR confirmed_at IS NOT NULL",
    },
    "lamassu_transactions": {
        "status": _one_of("status", "planned", "settled", "needs_review", "dismissed"),
        "direction": _one_of("direction", *_DIRECTIONS, "settle_out"),
        "commission_method": _one_of("commission_method", "markup", "margin"),
        "credit_status": _one_of("credit_status", *_TRANSFERS),
        "commission_status": _one_of("commission_status", *_TRANSFERS),
        "sats": _no_less_than_zero(
            *("crypto_amount_sats", "base_amount_sats", "commission_amount_sats"),
            *("distributed_sats", "undistributed_sats", "clients_count"),
        ),
        # Of a cash-in that waits for a review, too: its total is without a commission until then.
        "parts": "crypto_amount_sats - commission_amount_sats = base_amount_sats",
        "shares": "base_amount_sats - distributed_sats = undistributed_sats",
        "fiat": "undistributed_fiat >= 0 AND undistributed_fiat <= fiat_amount",
    },
    "dca_payments": {
        "status": _one_of("status", *_PAYMENTS),
        "amounts": _no_less_than_zero("amount_sats", "amount_fiat"),
        "confirmed": "status <> 'confirmed' OR confirmed_at IS NOT NULL",
    },
    "dca_payouts": {
        "kind": _one_of("kind", "credit", "commission", "client", "partner"),
        "status": _one_of("status", *_PAYMENTS),
        "amount": "amount_sats > 0",
        "attempts": _no_less_than_zero("attempts"),
        "source": "kind = 'credit' OR source_wallet_id IS NOT NULL",
    },
    "lamassu_config": {
        "id": _one_of("id", "default"),
        "ports": "port BETWEEN 1 AND 65535 AND ssh_port BETWEEN 1 AND 65535",
        "ssl_mode": _one_of("ssl_mode", "disable", "prefer", "require", "verify-full"),
        "direction": _one_of("direction", *_DIRECTIONS, "both"),
        "commission_method": _one_of("commission_method", "markup", "margin"),
        "times": "poll_interval_minutes > 0 AND look_back_days > 0",
        "ceilings": "max_sats_per_transaction > 0 AND max_sats_per_poll > 0",
    },
    "lamassu_polls": {
        "trigger": _one_of('"trigger"', "startup", "hourly", "manual"),
        "status": _one_of("status", "running", "succeeded", "failed"),
        "counts": _no_less_than_zero(
            *("found", '"new"', "planned", "reviews", "confirmed_payments"),
            *("pending_payments", "failed_payments", "distributed_sats"),
        ),
    },
    "ledger_lease": {"id": "id = 1"},
    "dca_programme": {
        "id": _one_of("id", "default"),
        "registration": _one_of("registration", "open", "approval", "closed"),
        "limits": "smallest_daily_limit > 0 AND largest_daily_limit > 0",
    },
}


# PostgreSQL's codes: check_violation, numeric_value_out_of_range.
_BROKEN = ("23514", "22003")


def _check_name(table: str, name: str) -> str:
    return f"{table}_check_{name}"


async def _add_checks(db: Connection, table: str, checks: dict[str, str]) -> None:
    """PostgreSQL looks through the rows itself, and changes all or nothing."""
    stored: list[Any] = await db.fetchall(
        "SELECT constraint_name AS name FROM information_schema.table_constraints "
        "WHERE table_schema = 'satmachineclient' AND table_name = :table",
        {"table": table},
    )
    there = {row["name"] for row in stored}
    for name, condition in checks.items():
        if _check_name(table, name) in there:
            continue
        try:
            await db.execute(
                f"ALTER TABLE satmachineclient.{table} "
                f"ADD CONSTRAINT {_check_name(table, name)} CHECK ({condition})"
            )
        except DBAPIError as exc:
            await db.conn.rollback()
            if getattr(exc.orig, "pgcode", None) not in _BROKEN:
                raise
            _left_out(table, name, condition)


async def _rebuild_with(db: Connection, table: str, checks: dict[str, str]) -> None:
    """SQLite adds no CHECK to a table: a new one takes its rows, its name and its indexes.

    In one transaction, which LNbits' own `execute` would end with each statement. The rows are
    copied by SQLite itself, so that they need not fit into memory.
    """
    run = db.conn.exec_driver_sql
    await run("BEGIN")
    try:
        # Locks the file. (BEGIN IMMEDIATE would wait for itself: LNbits has the file open twice.)
        await run("UPDATE satmachineclient.ledger_lease SET holder = holder")
        stored = (
            "SELECT sql FROM satmachineclient.sqlite_master "
            "WHERE tbl_name = ? AND type = ? AND sql IS NOT NULL"
        )
        sql = (await run(stored, (table, "table"))).scalar_one()
        clauses = []
        for name, condition in checks.items():
            if _check_name(table, name) in sql:
                continue
            rows = f"satmachineclient.{table} WHERE NOT ({condition})"
            if (await run(f"SELECT EXISTS (SELECT 1 FROM {rows})")).scalar_one():  # noqa: S608
                _left_out(table, name, condition)
            else:
                clauses.append(f"CONSTRAINT {_check_name(table, name)} CHECK ({condition})")
        if clauses:
            indexes = (await run(stored, (table, "index"))).scalars().all()
            body = sql[sql.index("(") : sql.rindex(")")]
            for statement in (
                f"CREATE TABLE satmachineclient.{table}_new {body}, {', '.join(clauses)})",
                f"INSERT INTO satmachineclient.{table}_new "  # noqa: S608
                f"SELECT * FROM satmachineclient.{table}",
                f"DROP TABLE satmachineclient.{table}",
                f"ALTER TABLE satmachineclient.{table}_new RENAME TO {table}",
                *(_in_schema(index) for index in indexes),
            ):
                await run(statement)
        await db.conn.commit()
    except BaseException:
        await db.conn.rollback()
        raise


def _in_schema(index: str) -> str:
    """The statement of an index as SQLite keeps it, for the schema that LNbits attaches."""
    return re.sub(r"\bINDEX ", "INDEX satmachineclient.", index, count=1)


def _left_out(table: str, name: str, condition: str) -> None:
    logger.warning(
        f"satmachineclient: {table} has rows that break the rule '{name}' ({condition}). They stay "
        "as they are, and the database does not hold the table to this rule."
    )


def _clients(db: Connection, time: str) -> list[str]:
    return [
        f"""
        CREATE TABLE satmachineclient.dca_clients (
            id TEXT PRIMARY KEY,
            user_id TEXT NOT NULL,
            wallet_id TEXT NOT NULL,
            username TEXT,
            dca_mode TEXT NOT NULL,
            fixed_mode_daily_limit {db.big_int},
            currency TEXT,
            status TEXT NOT NULL,
            created_at {time} NOT NULL,
            updated_at {time} NOT NULL
        )
        """,
        f"""
        CREATE TABLE satmachineclient.dca_deposits (
            id TEXT PRIMARY KEY,
            client_id TEXT NOT NULL,
            amount {db.big_int} NOT NULL,
            currency TEXT NOT NULL,
            status TEXT NOT NULL,
            notes TEXT,
            created_at {time} NOT NULL,
            confirmed_at {time}
        )
        """,
        _index(db, "dca_clients", "user_id"),
        _index(db, "dca_clients", "wallet_id"),
        _index(db, "dca_clients", "created_at"),
        # Holds all that the balances are summed from: the table itself is not read for them.
        _index(db, "dca_deposits", "client_id", "currency", "status", "confirmed_at", "amount"),
        _index(db, "dca_deposits", "created_at"),
        _index(db, "dca_deposits", "confirmed_at"),
    ]


def _sales(db: Connection, time: str) -> list[str]:
    return [
        f"""
        CREATE TABLE satmachineclient.lamassu_transactions (
            id TEXT PRIMARY KEY,
            lamassu_transaction_id TEXT NOT NULL UNIQUE,
            device_id TEXT NOT NULL,
            transaction_time {time} NOT NULL,
            processed_at {time} NOT NULL,
            day TEXT NOT NULL,
            crypto_code TEXT NOT NULL,
            crypto_amount_sats {db.big_int} NOT NULL,
            fiat_amount {db.big_int} NOT NULL,
            fiat_code TEXT NOT NULL,
            commission_percentage TEXT,
            discount TEXT,
            fixed_fee TEXT,
            effective_commission TEXT,
            commission_method TEXT NOT NULL,
            base_amount_sats {db.big_int} NOT NULL,
            commission_amount_sats {db.big_int} NOT NULL,
            distributed_sats {db.big_int} NOT NULL,
            undistributed_sats {db.big_int} NOT NULL,
            undistributed_fiat {db.big_int} NOT NULL,
            clients_count {db.big_int} NOT NULL,
            exchange_rate TEXT,
            status TEXT NOT NULL,
            is_test BOOLEAN NOT NULL,
            commission_wallet_id TEXT,
            credit_status TEXT NOT NULL,
            credit_transfer_id TEXT,
            commission_status TEXT NOT NULL,
            commission_transfer_id TEXT,
            payout_error TEXT,
            review_reason TEXT,
            review_notes TEXT,
            lamassu_facts TEXT
        )
        """,
        f"""
        CREATE TABLE satmachineclient.dca_payments (
            id TEXT PRIMARY KEY,
            transaction_id TEXT NOT NULL,
            client_id TEXT NOT NULL,
            wallet_id TEXT NOT NULL,
            amount_sats {db.big_int} NOT NULL,
            amount_fiat {db.big_int} NOT NULL,
            currency TEXT NOT NULL,
            share TEXT NOT NULL,
            day TEXT NOT NULL,
            status TEXT NOT NULL,
            transfer_id TEXT,
            payment_hash TEXT,
            error TEXT,
            created_at {time} NOT NULL,
            confirmed_at {time},
            UNIQUE (transaction_id, client_id)
        )
        """,
        f"""
        CREATE TABLE satmachineclient.dca_payouts (
            id TEXT PRIMARY KEY,
            transfer_id TEXT NOT NULL,
            kind TEXT NOT NULL,
            source_wallet_id TEXT,
            wallet_id TEXT NOT NULL,
            amount_sats {db.big_int} NOT NULL,
            memo TEXT NOT NULL,
            status TEXT NOT NULL,
            payment_hash TEXT UNIQUE,
            bolt11 TEXT,
            error TEXT,
            attempts INTEGER NOT NULL,
            next_attempt_at {time},
            created_at {time} NOT NULL,
            confirmed_at {time}
        )
        """,
        _index(db, "lamassu_transactions", "transaction_time"),
        _index(db, "lamassu_transactions", "processed_at"),
        _index(db, "lamassu_transactions", "status"),
        _index(db, "lamassu_transactions", "credit_transfer_id"),
        _index(db, "lamassu_transactions", "commission_transfer_id"),
        # As above for the deposits.
        _index(db, "dca_payments", "client_id", "currency", "status", "amount_fiat", "amount_sats"),
        _index(db, "dca_payments", "day", "client_id"),
        _index(db, "dca_payments", "created_at"),
        _index(db, "dca_payments", "status"),
        _index(db, "dca_payments", "transfer_id"),
        _index(db, "dca_payouts", "transfer_id"),
        _index(db, "dca_payouts", "created_at"),
        _index(db, "dca_payouts", "confirmed_at"),
        _index(db, "dca_payouts", "status"),
    ]


def _machinery(db: Connection, time: str) -> list[str]:
    return [
        f"""
        CREATE TABLE satmachineclient.lamassu_config (
            id TEXT PRIMARY KEY,
            host TEXT NOT NULL,
            port INTEGER NOT NULL,
            database_name TEXT NOT NULL,
            username TEXT NOT NULL,
            password TEXT,
            source_wallet_id TEXT NOT NULL,
            commission_wallet_id TEXT,
            credit_source_wallet BOOLEAN NOT NULL,
            use_ssh_tunnel BOOLEAN NOT NULL,
            ssh_host TEXT,
            ssh_port INTEGER NOT NULL,
            ssh_username TEXT,
            ssh_password TEXT,
            ssh_private_key TEXT,
            ssh_private_key_passphrase TEXT,
            ssh_host_key_fingerprint TEXT,
            ssl_mode TEXT NOT NULL,
            ssl_ca_certificate TEXT,
            commission_method TEXT NOT NULL,
            poll_interval_minutes INTEGER NOT NULL,
            look_back_days INTEGER NOT NULL,
            timezone TEXT NOT NULL,
            is_active BOOLEAN NOT NULL,
            max_sats_per_transaction {db.big_int},
            max_sats_per_poll {db.big_int},
            test_connection_last {time},
            test_connection_success BOOLEAN,
            last_poll_time {time},
            last_successful_poll {time}
        )
        """,
        f"""
        CREATE TABLE satmachineclient.lamassu_polls (
            id TEXT PRIMARY KEY,
            "trigger" TEXT NOT NULL,
            status TEXT NOT NULL,
            started_at {time} NOT NULL,
            finished_at {time},
            found {db.big_int} NOT NULL,
            "new" {db.big_int} NOT NULL,
            planned {db.big_int} NOT NULL,
            reviews {db.big_int} NOT NULL,
            confirmed_payments {db.big_int} NOT NULL,
            pending_payments {db.big_int} NOT NULL,
            failed_payments {db.big_int} NOT NULL,
            distributed_sats {db.big_int} NOT NULL,
            error TEXT
        )
        """,
        # One row: who works on the ledger now, and until when unless renewed (seconds of the
        # database's own clock, so that two servers with different clocks agree).
        """
        CREATE TABLE satmachineclient.ledger_lease (
            id INTEGER PRIMARY KEY,
            holder TEXT,
            expires_at DOUBLE PRECISION NOT NULL
        )
        """,
        "INSERT INTO satmachineclient.ledger_lease (id, holder, expires_at) VALUES (1, NULL, 0)",
        f"""
        CREATE TABLE satmachineclient.dca_audit (
            id TEXT PRIMARY KEY,
            time {time} NOT NULL,
            actor TEXT NOT NULL,
            action TEXT NOT NULL,
            subject TEXT NOT NULL,
            "before" TEXT,
            "after" TEXT
        )
        """,
        _index(db, "dca_audit", "time"),
        _index(db, "lamassu_polls", "started_at"),
    ]


def _client_side(db: Connection, time: str) -> list[str]:
    return [
        "ALTER TABLE satmachineclient.dca_clients ADD COLUMN paused_by TEXT",
        "UPDATE satmachineclient.dca_clients SET paused_by = 'operator' WHERE status = 'paused'",
        # What was in force when: a sale goes by the terms of its own time.
        f"""
        CREATE TABLE satmachineclient.dca_client_terms (
            id TEXT PRIMARY KEY,
            client_id TEXT NOT NULL,
            dca_mode TEXT NOT NULL,
            fixed_mode_daily_limit {db.big_int},
            currency TEXT,
            status TEXT NOT NULL,
            valid_from {time} NOT NULL,
            valid_until {time}
        )
        """,
        """
        INSERT INTO satmachineclient.dca_client_terms (
            id, client_id, dca_mode, fixed_mode_daily_limit, currency, status, valid_from
        ) SELECT id, id, dca_mode, fixed_mode_daily_limit, currency, status, created_at
        FROM satmachineclient.dca_clients
        """,
        _index(db, "dca_client_terms", "valid_until", "valid_from"),
        _index(db, "dca_client_terms", "client_id", "valid_until"),
        f"""
        CREATE TABLE satmachineclient.dca_programme (
            id TEXT PRIMARY KEY,
            registration TEXT NOT NULL,
            terms TEXT NOT NULL,
            deposit_instructions TEXT NOT NULL,
            currency TEXT,
            smallest_daily_limit {db.big_int},
            largest_daily_limit {db.big_int}
        )
        """,
        "ALTER TABLE satmachineclient.dca_payouts ADD COLUMN extra TEXT",
        _index(db, "dca_payments", "client_id", "day", "created_at"),
        _index(db, "dca_deposits", "client_id", "created_at"),
    ]


def _balances(db: Connection) -> list[str]:
    return [
        "DROP TABLE IF EXISTS satmachineclient.dca_balances",
        # What the confirmed deposits (withdrawals are negative ones) and the shares that are not
        # voided add up to. Changed in the transaction that changes those rows (`crud.book`).
        f"""
        CREATE TABLE satmachineclient.dca_balances (
            client_id TEXT NOT NULL,
            currency TEXT NOT NULL,
            deposits {db.big_int} NOT NULL,
            deposited {db.big_int} NOT NULL,
            allocated_fiat {db.big_int} NOT NULL,
            allocated_sats {db.big_int} NOT NULL,
            paid_fiat {db.big_int} NOT NULL,
            paid_sats {db.big_int} NOT NULL,
            PRIMARY KEY (client_id, currency)
        )
        """,
        """
        INSERT INTO satmachineclient.dca_balances
        SELECT client_id, currency, SUM(deposits), SUM(deposited), SUM(allocated_fiat),
            SUM(allocated_sats), SUM(paid_fiat), SUM(paid_sats)
        FROM (
            SELECT client_id, currency, 1 AS deposits, amount AS deposited, 0 AS allocated_fiat,
                0 AS allocated_sats, 0 AS paid_fiat, 0 AS paid_sats
            FROM satmachineclient.dca_deposits WHERE status = 'confirmed'
            UNION ALL
            SELECT client_id, currency, 0, 0, amount_fiat, amount_sats,
                CASE WHEN status = 'confirmed' THEN amount_fiat ELSE 0 END,
                CASE WHEN status = 'confirmed' THEN amount_sats ELSE 0 END
            FROM satmachineclient.dca_payments WHERE status <> 'voided'
        ) entries GROUP BY client_id, currency
        """,
        # The sums that these two were for are in the new table.
        _drop_index(
            "dca_payments", "client_id", "currency", "status", "amount_fiat", "amount_sats"
        ),
        _drop_index("dca_deposits", "client_id", "currency", "status", "confirmed_at", "amount"),
    ]


def _more_indexes(db: Connection) -> list[str]:
    """What the page filters and sorts by, with the time that equal rows are sorted by."""
    sorted_by = (
        *("crypto_amount_sats", "commission_amount_sats", "base_amount_sats"),
        *("distributed_sats", "undistributed_sats", "clients_count"),
    )
    return [
        *(_index(db, "lamassu_transactions", name, "transaction_time") for name in sorted_by),
        _index(db, "lamassu_transactions", "is_test", "transaction_time"),
        _index(db, "dca_deposits", "amount", "created_at"),
        _index(db, "dca_clients", "username", "created_at"),
        _index(db, "dca_clients", "dca_mode", "created_at"),
        _index(db, "dca_audit", "action", "time"),
        _index(db, "dca_client_terms", "valid_from"),
        _drop_index("dca_payments", "status"),
        _index(db, "dca_payments", "status", "created_at"),
        _drop_index("lamassu_transactions", "status"),
        _index(db, "lamassu_transactions", "status", "transaction_time"),
        _index(db, "lamassu_transactions", "device_id", "transaction_time"),
        _index(db, "lamassu_transactions", "fiat_code", "transaction_time"),
        _index(db, "dca_deposits", "status", "created_at"),
        # SQLite prefers an equal status to a range of times: with both it need not choose.
        _drop_index("dca_deposits", "confirmed_at"),
        _index(db, "dca_deposits", "status", "confirmed_at"),
        _drop_index("dca_payouts", "confirmed_at"),
        _drop_index("dca_payouts", "status"),
        _index(db, "dca_payouts", "status", "confirmed_at"),
        _index(db, "dca_deposits", "client_id", "confirmed_at"),
        _index(db, "dca_clients", "status", "created_at"),
        _index(db, "lamassu_polls", "status", "started_at"),
    ]


def _machines(db: Connection, time: str) -> list[str]:
    return [
        # What Lamassu calls each machine and believes of its cash, and what its operator says.
        f"""
        CREATE TABLE IF NOT EXISTS satmachineclient.dca_machines (
            device_id TEXT PRIMARY KEY,
            name TEXT,
            lamassu_name TEXT,
            paired BOOLEAN,
            last_online {time},
            currency TEXT,
            denominations TEXT NOT NULL DEFAULT '{{}}',
            units TEXT NOT NULL DEFAULT '{{}}',
            as_of {time}
        )
        """,
        """
        INSERT INTO satmachineclient.dca_machines (device_id)
        SELECT DISTINCT device_id FROM satmachineclient.lamassu_transactions
        WHERE direction <> 'settle_out' AND NOT is_test AND device_id <> ''
        ON CONFLICT (device_id) DO NOTHING
        """,
        f"""
        CREATE TABLE IF NOT EXISTS satmachineclient.dca_machine_counts (
            id TEXT PRIMARY KEY,
            device_id TEXT NOT NULL,
            currency TEXT NOT NULL,
            amount {db.big_int} NOT NULL CHECK (amount >= 0),
            notes TEXT,
            counted_by TEXT NOT NULL,
            counted_at {time} NOT NULL
        )
        """,
        _index(db, "dca_machine_counts", "device_id", "currency", "counted_at"),
        # Of the totals in dca_balances, the part whose cash lies in one machine.
        f"""
        CREATE TABLE IF NOT EXISTS satmachineclient.dca_machine_balances (
            client_id TEXT NOT NULL,
            currency TEXT NOT NULL,
            device_id TEXT NOT NULL CHECK (device_id <> ''),
            deposited {db.big_int} NOT NULL,
            allocated_fiat {db.big_int} NOT NULL,
            PRIMARY KEY (client_id, currency, device_id)
        )
        """,
        _index(db, "dca_deposits", "device_id", "created_at"),
    ]


def _partners(db: Connection, time: str) -> list[str]:
    return [
        f"""
        CREATE TABLE IF NOT EXISTS satmachineclient.dca_partners (
            id TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            user_id TEXT NOT NULL,
            wallet_id TEXT NOT NULL,
            percent TEXT NOT NULL,
            device_ids TEXT NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('active', 'ended')),
            valid_from {time} NOT NULL,
            created_at {time} NOT NULL
        )
        """,
        # As for the clients: a sale goes by what was in force at its own time.
        f"""
        CREATE TABLE IF NOT EXISTS satmachineclient.dca_partner_terms (
            id TEXT PRIMARY KEY,
            partner_id TEXT NOT NULL,
            percent TEXT NOT NULL,
            device_ids TEXT NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('active', 'ended')),
            valid_from {time} NOT NULL,
            valid_until {time}
        )
        """,
        f"""
        CREATE TABLE IF NOT EXISTS satmachineclient.dca_commission_shares (
            id TEXT PRIMARY KEY,
            transaction_id TEXT NOT NULL,
            partner_id TEXT NOT NULL,
            wallet_id TEXT NOT NULL,
            percent TEXT NOT NULL,
            amount_sats {db.big_int} NOT NULL CHECK (amount_sats > 0),
            status TEXT NOT NULL
                CHECK (status IN ('pending', 'confirmed', 'failed', 'voided')),
            transfer_id TEXT,
            payment_hash TEXT,
            error TEXT,
            created_at {time} NOT NULL,
            confirmed_at {time},
            UNIQUE (transaction_id, partner_id)
        )
        """,
        _index(db, "dca_partners", "user_id"),
        _index(db, "dca_partner_terms", "partner_id", "valid_until"),
        # Holds what a partner's totals are summed from.
        _index(db, "dca_commission_shares", "partner_id", "status", "amount_sats"),
        _index(db, "dca_commission_shares", "status"),
        _index(db, "dca_commission_shares", "transfer_id"),
        _index(db, "dca_commission_shares", "created_at"),
    ]


def _forwards(db: Connection, time: str) -> list[str]:
    return [
        # A destination counts for the wallet for which its owner set it, and for no other.
        f"""
        CREATE TABLE IF NOT EXISTS satmachineclient.dca_forward_settings (
            client_id TEXT PRIMARY KEY,
            wallet_id TEXT NOT NULL,
            destination TEXT NOT NULL,
            threshold_sats {db.big_int} NOT NULL CHECK (threshold_sats > 0),
            min_sats {db.big_int} NOT NULL CHECK (min_sats > 0),
            max_sats {db.big_int} NOT NULL CHECK (max_sats >= min_sats),
            last_forward BOOLEAN NOT NULL,
            stopped BOOLEAN NOT NULL,
            problem TEXT,
            updated_at {time} NOT NULL
        )
        """,
        f"""
        CREATE TABLE IF NOT EXISTS satmachineclient.dca_forwards (
            id TEXT PRIMARY KEY,
            client_id TEXT NOT NULL,
            wallet_id TEXT NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('forward', 'test')),
            destination TEXT NOT NULL,
            amount_sats {db.big_int} NOT NULL CHECK (amount_sats > 0),
            rest_sats {db.big_int} NOT NULL CHECK (rest_sats >= 0),
            fee_msat {db.big_int} CHECK (fee_msat >= 0),
            status TEXT NOT NULL
                CHECK (status IN ('pending', 'in_flight', 'confirmed', 'failed')),
            payment_hash TEXT UNIQUE,
            bolt11 TEXT,
            invoice_expires_at {time},
            error TEXT,
            attempts INTEGER NOT NULL CHECK (attempts >= 0),
            next_attempt_at {time},
            created_at {time} NOT NULL,
            confirmed_at {time},
            CHECK (status NOT IN ('in_flight', 'confirmed')
                OR (payment_hash IS NOT NULL AND bolt11 IS NOT NULL)),
            CHECK (status <> 'confirmed' OR (fee_msat IS NOT NULL AND confirmed_at IS NOT NULL))
        )
        """,
        # Every invoice that was ever asked for: none may come a second time.
        f"""
        CREATE TABLE IF NOT EXISTS satmachineclient.dca_forward_invoices (
            payment_hash TEXT PRIMARY KEY,
            forward_id TEXT NOT NULL,
            created_at {time} NOT NULL
        )
        """,
        # Of one client's forwards one at a time, so that no sats are on their way twice.
        _unique_while(db, "dca_forwards", "status IN ('pending', 'in_flight')", "client_id"),
        _index(db, "dca_forwards", "client_id", "created_at"),
        _index(db, "dca_forwards", "status", "next_attempt_at"),
        _index(db, "dca_forwards", "created_at"),
        _index(db, "dca_forwards", "status", "confirmed_at"),
        _index(db, "dca_forward_invoices", "created_at"),
    ]


def _drop_index(table: str, *columns: str) -> str:
    return f"DROP INDEX IF EXISTS satmachineclient.{_index_name(table, *columns)}"


def _index_name(table: str, *columns: str) -> str:
    return f"{table}_by_{'_'.join(columns)}"


def _index(db: Connection, table: str, *columns: str) -> str:
    """On SQLite the schema belongs to the index's name, on PostgreSQL to the table's."""
    name = _index_name(table, *columns)
    index, on = (
        (f"satmachineclient.{name}", table)
        if db.type == "SQLITE"
        else (name, f"satmachineclient.{table}")
    )
    return f"CREATE INDEX IF NOT EXISTS {index} ON {on} ({', '.join(columns)})"

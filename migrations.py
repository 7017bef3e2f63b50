"""The tables. A migration that has been released is never edited; a change is a new one.

Fiat amounts are minor units and bitcoin amounts sats, both 64-bit integers; rates are decimal
text. Times are TIMESTAMPTZ on PostgreSQL and Unix seconds on SQLite, as LNbits stores them.
"""

from lnbits.db import Connection


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

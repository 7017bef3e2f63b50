"""An LNbits in this process with its ATM, filled by SQL: clients, sales, history.

`open_world` has to come before anything else of LNbits is imported in the process.
"""

import os
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
from asgi_lifespan import LifespanManager

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import EXTENSION, Account, Lnbits, Wallet
from demo.lnbits_server import lnbits_environment, lnbits_home
from demo.postgres import Postgres
from demo.sales import Sale

API = f"/{EXTENSION}/api/v1/dca"
DEPOSIT = 1_000_000_000  # minor units: no client runs dry in any case
_ROWS = 5_000


def now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass
class BenchWorld:
    """What runs, and how it is filled."""

    database: str
    postgres: Postgres
    lamassu: LamassuDatabase
    admin: Account
    source: Wallet
    commission: Wallet
    config: dict[str, Any]
    clients: list[Any] = field(default_factory=list)

    # ---- emptying and filling ----------------------------------------------------------------

    async def clear(self) -> None:
        """An empty ledger, an empty ATM, no LNbits payments, and a full source wallet."""
        from lnbits.core.db import db as core_db

        await self.lamassu.clear()
        for table in (
            *("dca_clients", "dca_client_terms", "dca_deposits", "dca_payments", "dca_payouts"),
            *("dca_balances", "lamassu_transactions", "lamassu_polls"),
        ):
            await self.run(f"DELETE FROM satmachineclient.{table}")
        await self.run("UPDATE satmachineclient.lamassu_config SET last_successful_poll = NULL")
        await core_db.execute("DELETE FROM apipayments")
        await core_db.execute("DELETE FROM wallets WHERE name = 'bench'")
        self.clients.clear()
        await self.admin.top_up(self.source, 50_000_000)

    async def add_clients(self, number: int, deposits_each: int = 1) -> None:
        """Clients in flow mode, with wallets of their own and confirmed deposits."""
        from satmachineclient import crud
        from satmachineclient.database import ledger
        from satmachineclient.helpers import new_id
        from satmachineclient.models_clients import Client, ClientTerms, Deposit

        time = now() - timedelta(days=300)
        self.clients = [
            Client(
                id=new_id(),
                user_id=secrets.token_hex(16),
                wallet_id=secrets.token_hex(16),
                username=f"client {n}",
                dca_mode="flow",
                created_at=time + timedelta(seconds=n),
                updated_at=time,
            )
            for n in range(number)
        ]
        await self._add_wallets([client.wallet_id for client in self.clients])
        await self.insert("dca_clients", self.clients)
        await self.insert("dca_client_terms", [ClientTerms.of(client) for client in self.clients])
        deposits = [
            Deposit(
                id=new_id(),
                client_id=client.id,
                amount=DEPOSIT + n * 1_000,
                currency="GTQ",
                status="confirmed",
                created_at=time + timedelta(hours=n),
                confirmed_at=time + timedelta(hours=n),
            )
            for client in self.clients
            for n in range(deposits_each)
        ]
        await self.insert("dca_deposits", deposits)
        async with ledger() as work:
            await crud.book(work, (crud.entry_of(deposit) for deposit in deposits))

    async def _add_wallets(self, ids: list[str]) -> None:
        from lnbits.core.db import db as core_db
        from sqlalchemy import text

        async with core_db.connect() as connection:
            found = await connection.conn.execute(
                text("SELECT * FROM wallets WHERE id = :id"), {"id": self.source.id}
            )
            model = dict(found.mappings().one())
            rows = [
                {
                    **{**model, "lightning_address": None},
                    **{
                        "id": key,
                        "user": key,
                        "name": "bench",
                        "adminkey": key + "a",
                        "inkey": key + "i",
                    },
                }
                for key in ids
            ]
            names = ", ".join(f'"{name}"' for name in model)
            marks = ", ".join(f":{name}" for name in model)
            await connection.conn.execute(
                text(f"INSERT INTO wallets ({names}) VALUES ({marks})"), rows
            )
            await connection.conn.commit()

    async def add_sales(self, number: int) -> None:
        """Finished sales at the ATM, one a second, the last one a minute ago."""
        begin = now() - timedelta(seconds=60 + number)
        await self.lamassu.insert(
            *(
                Sale(created=begin + timedelta(seconds=n), fiat=Decimal(1000), fiat_code="GTQ")
                for n in range(number)
            )
        )

    async def add_history(self, transactions: int, shares_each: int) -> None:
        """Settled sales of the last year (none of the last week), with their shares."""
        from satmachineclient.helpers import new_id
        from satmachineclient.models import Transaction

        for start in range(0, transactions, _ROWS):
            rows, shares = [], []
            for number in range(start, min(start + _ROWS, transactions)):
                time = now() - timedelta(days=7) - timedelta(days=350) * number / transactions
                row = _settled_sale(Transaction, new_id(), number, time, shares_each)
                rows.append(row)
                for n in range(shares_each):
                    client = self.clients[(number * shares_each + n) % len(self.clients)]
                    shares.append(_paid_share(row, client, new_id()))
            await self.insert("lamassu_transactions", rows)
            await self._insert_shares(shares)
        if self.database == "postgres":
            await self.run("ANALYZE")

    # ---- SQL -----------------------------------------------------------------------------------

    async def insert(self, table: str, rows: Sequence[Any]) -> None:
        from satmachineclient.database import ledger

        for start in range(0, len(rows), _ROWS):
            async with ledger() as work:
                await work.insert(table, rows[start : start + _ROWS])

    async def _insert_shares(self, shares: list[dict[str, Any]]) -> None:
        from satmachineclient.database import ledger

        names = ", ".join(shares[0])
        marks = ", ".join(f":{name}" for name in shares[0])
        async with ledger() as work:
            await work.execute_many(
                f"INSERT INTO satmachineclient.dca_payments ({names}) VALUES ({marks})", shares
            )

    async def run(self, sql: str) -> None:
        from satmachineclient.database import ledger

        async with ledger() as work:
            await work.execute(sql)

    async def rows(self, sql: str) -> list[dict[str, Any]]:
        from satmachineclient.database import reading

        async with reading() as work:
            return [dict(row) for row in await work.rows(sql)]

    async def paid(self) -> int:
        """LNbits payments of the extension so far, counted as debits and credits."""
        from lnbits.core.db import db as core_db

        found: Any = await core_db.fetchone(
            "SELECT COUNT(*) AS number FROM apipayments "
            "WHERE tag = 'satmachineclient' AND status = 'success' AND amount < 0"
        )
        return int(found["number"])


def _settled_sale(model: Any, key: str, number: int, time: datetime, shares: int) -> Any:
    return model(
        id=key,
        lamassu_transaction_id=f"history-{key}",
        transaction_time=time,
        processed_at=time,
        day=time.date().isoformat(),
        crypto_code="LN",
        crypto_amount_sats=110 * shares,
        fiat_amount=10 * shares,
        fiat_code="GTQ",
        base_amount_sats=100 * shares,
        commission_amount_sats=10 * shares,
        distributed_sats=100 * shares,
        clients_count=shares,
        status="settled",
    )


def _paid_share(row: Any, client: Any, key: str) -> dict[str, Any]:
    return {
        "id": key,
        "transaction_id": row.id,
        "client_id": client.id,
        "wallet_id": client.wallet_id,
        "amount_sats": 100,
        "amount_fiat": 10,
        "currency": "GTQ",
        "share": "0.1",
        "day": row.day,
        "status": "confirmed",
        "transfer_id": key,
        "payment_hash": key,
        "created_at": row.processed_at,
        "confirmed_at": row.processed_at,
    }


@asynccontextmanager
async def open_world(database: str) -> AsyncIterator[BenchWorld]:
    """Start everything in a temporary folder; `database` is sqlite or postgres."""
    with tempfile.TemporaryDirectory(prefix="satmachine-bench-") as temporary:
        folder = Path(temporary)
        with Postgres(folder / "postgres") as postgres:
            if database == "postgres":
                postgres.create_database("lnbits")
            environment = lnbits_environment(
                folder / "lnbits", postgres.url("lnbits") if database == "postgres" else None
            )
            os.environ.update(
                environment,
                AUTH_SECRET_KEY=secrets.token_hex(32),
                SATMACHINECLIENT_FIRST_POLL_SECONDS=str(10**9),
            )
            sys.path.insert(0, str(Path(environment["LNBITS_EXTENSIONS_PATH"], "extensions")))
            os.chdir(lnbits_home())
            from lnbits.app import create_app

            async with LifespanManager(create_app(), 60, 30) as manager:
                api = Lnbits("http://lnbits.test", httpx.ASGITransport(manager.app))
                try:
                    yield await _furnish(database, postgres, api)
                finally:
                    await api.close()


async def _furnish(database: str, postgres: Postgres, api: Lnbits) -> BenchWorld:
    lamassu = await LamassuDatabase.create(postgres, "lamassu", "lamassu")
    admin = await api.first_install("admin", secrets.token_hex(8))
    source = await admin.create_wallet("source")
    commission = await admin.create_wallet("commission")
    config = {
        **lamassu.login(),
        "source_wallet_id": source.id,
        "commission_wallet_id": commission.id,
        "credit_source_wallet": True,
        "use_ssh_tunnel": False,
        "look_back_days": 7,
    }
    await admin.call("POST", f"{API}/config", config)
    return BenchWorld(database, postgres, lamassu, admin, source, commission, config)

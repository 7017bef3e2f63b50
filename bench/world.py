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
from demo.sales import MACHINE, Sale

API = f"/{EXTENSION}/api/v1/dca"
DEPOSIT = 1_000_000_000  # minor units: no client runs dry in any case
_ROWS = 2_000
_BETWEEN_SALES = timedelta(days=3_500) / 20_000


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
    app: Any
    clients: list[Any] = field(default_factory=list)

    # ---- emptying and filling ----------------------------------------------------------------

    async def clear(self) -> None:
        """An empty ledger, an empty ATM, no LNbits payments, and a full source wallet."""
        from lnbits.core.db import db as core_db

        await self.lamassu.clear()
        for table in (
            *("dca_clients", "dca_client_terms", "dca_deposits", "dca_payments", "dca_payouts"),
            *("dca_balances", "lamassu_transactions", "lamassu_polls", "dca_commission_shares"),
            *("dca_forwards", "dca_forward_invoices", "dca_forward_settings"),
            *("dca_machine_balances", "dca_partners", "dca_partner_terms"),
            *("dca_archived_sales", "dca_archived_transfers", "dca_archived_shares"),
        ):
            await self.run(f"DELETE FROM satmachineclient.{table}")
        # The bench's sales are of the past.
        long_ago = "0" if self.database == "sqlite" else "'epoch'"
        await self.run(
            "UPDATE satmachineclient.lamassu_config "
            f"SET last_successful_poll = NULL, credit_since = {long_ago}"
        )
        await core_db.execute("DELETE FROM apipayments")
        await core_db.execute(
            "DELETE FROM accounts WHERE id IN (SELECT \"user\" FROM wallets WHERE name = 'bench')"
        )
        await core_db.execute("DELETE FROM wallets WHERE name = 'bench'")
        self.clients.clear()
        await self.admin.top_up(self.source, 50_000_000)

    async def add_clients(
        self, number: int, deposits_each: int = 1, machines: Sequence[str | None] = (None,)
    ) -> None:
        """Clients in flow mode, with wallets of their own and confirmed deposits.

        The cash of each one's deposits lies in these machines by turns; None: in any.
        """
        from satmachineclient import crud_clients
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
        await self.add_wallets([client.wallet_id for client in self.clients])
        await self.insert("dca_clients", self.clients)
        await self.insert("dca_client_terms", [ClientTerms.of(client) for client in self.clients])
        deposits = [
            Deposit(
                id=new_id(),
                client_id=client.id,
                amount=DEPOSIT + n * 1_000,
                currency="GTQ",
                status="confirmed",
                device_id=machines[n % len(machines)],
                created_at=time + timedelta(hours=n),
                confirmed_at=time + timedelta(hours=n),
            )
            for client in self.clients
            for n in range(deposits_each)
        ]
        await self.insert("dca_deposits", deposits)
        async with ledger() as work:
            await crud_clients.book_deposits(work, deposits)

    async def add_wallets(self, ids: list[str], user: str | None = None) -> None:
        """Each with a user of its own, or all of this one: who has none is not paid."""
        nobody = {"username": None, "email": None, "pubkey": None, "external_id": None}
        if user is None:
            await self._copies("accounts", self.source.user, [nobody | {"id": k} for k in ids])
        wallets = [
            {
                "id": key,
                "user": user or key,
                "name": "bench",
                "adminkey": key + "a",
                "inkey": key + "i",
                "lightning_address": None,
            }
            for key in ids
        ]
        await self._copies("wallets", self.source.id, wallets)

    async def _copies(self, table: str, model_id: str, rows: list[dict[str, Any]]) -> None:
        """Copies of one of LNbits' rows, each with these values instead of its own."""
        from lnbits.core.db import db as core_db
        from sqlalchemy import text

        async with core_db.connect() as connection:
            found = await connection.conn.execute(
                text(f"SELECT * FROM {table} WHERE id = :id"), {"id": model_id}
            )
            model = dict(found.mappings().one())
            names = ", ".join(f'"{name}"' for name in model)
            marks = ", ".join(f":{name}" for name in model)
            await connection.conn.execute(
                text(f"INSERT INTO {table} ({names}) VALUES ({marks})"),
                [{name: row.get(name, value) for name, value in model.items()} for row in rows],
            )
            await connection.conn.commit()

    async def add_sales(self, number: int, machines: Sequence[str] = (MACHINE,)) -> None:
        """Finished sales at these ATMs by turns, one a second, the last one a minute ago."""
        begin = now() - timedelta(seconds=60 + number)
        await self.lamassu.insert(
            *(
                Sale(
                    created=begin + timedelta(seconds=n),
                    fiat=Decimal(1000),
                    fiat_code="GTQ",
                    device_id=machines[n % len(machines)],
                )
                for n in range(number)
            )
        )

    async def add_history(self, first: int, last: int, shares_each: int) -> None:
        """Settled sales from number `first` up to `last`, back in time from a week ago.

        Their rate is the same at every length, as in a programme that goes on for years. Each has
        its shares, one payout that carries them, and LNbits' two bookings of it.
        """
        for start in range(first, last, _ROWS):
            numbers = range(start, min(start + _ROWS, last))
            await self._add_settled([self._settled(number, shares_each) for number in numbers])
        if self.database == "postgres":
            await self.run("ANALYZE")

    def _settled(self, number: int, shares_each: int) -> "_Settled":
        time = now() - timedelta(days=7) - _BETWEEN_SALES * number
        first = number * shares_each
        clients = [self.clients[(first + n) % len(self.clients)] for n in range(shares_each)]
        return _Settled(secrets.token_hex(16), time, clients, self.source.id)

    async def _add_settled(self, sales: "list[_Settled]") -> None:
        from lnbits.core.db import db as core_db
        from satmachineclient import crud_clients, crud_sales
        from satmachineclient.database import ledger
        from sqlalchemy import text

        shares = [share for sale in sales for share in sale.shares()]
        async with ledger() as work:
            await work.insert("lamassu_transactions", [sale.transaction() for sale in sales])
            await crud_sales.insert_payments(work, shares)
            await crud_clients.book(
                work,
                (
                    crud_clients.Entry(
                        share.client_id,
                        share.currency,
                        paid_fiat=share.amount_fiat,
                        paid_sats=share.amount_sats,
                    )
                    for share in shares
                ),
            )
            await work.insert("dca_payouts", [sale.payout() for sale in sales])
        async with core_db.connect() as connection:
            found = await connection.conn.execute(text("SELECT * FROM apipayments LIMIT 1"))
            model = dict(found.mappings().one())
            rows = [{**model, **booking} for sale in sales for booking in sale.bookings(model)]
            names = ", ".join(f'"{name}"' for name in model)
            marks = ", ".join(f":{name}" for name in model)
            await connection.conn.execute(
                text(f"INSERT INTO apipayments ({names}) VALUES ({marks})"), rows
            )
            await connection.conn.commit()

    # ---- SQL -----------------------------------------------------------------------------------

    async def insert(self, table: str, rows: Sequence[Any]) -> None:
        from satmachineclient.database import ledger

        for start in range(0, len(rows), _ROWS):
            async with ledger() as work:
                await work.insert(table, rows[start : start + _ROWS])

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


@dataclass
class _Settled:
    """A sale of long ago with all that it left behind, a hundred sats for each client."""

    key: str
    time: datetime
    clients: list[Any]
    source_wallet_id: str

    def transaction(self) -> Any:
        from satmachineclient.models_sales import Transaction

        shares = len(self.clients)
        return Transaction(
            id=self.key,
            lamassu_transaction_id=f"history-{self.key}",
            device_id=f"machine {int(self.key[0], 16)}",
            transaction_time=self.time,
            processed_at=self.time,
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

    def shares(self) -> list[Any]:
        from satmachineclient.models_sales import Payment

        return [
            Payment(
                id=f"{self.key}-{number}",
                transaction_id=self.key,
                client_id=client.id,
                wallet_id=client.wallet_id,
                amount_sats=100,
                amount_fiat=10,
                currency="GTQ",
                share=Decimal("0.1"),
                transaction_time=self.time,
                status="confirmed",
                transfer_id=self.key,
                payment_hash=self.key,
                created_at=self.time,
                confirmed_at=self.time,
            )
            for number, client in enumerate(self.clients)
        ]

    def payout(self) -> Any:
        from satmachineclient.models_payouts import Payout

        return Payout(
            id=f"{self.key}-0001",
            transfer_id=self.key,
            kind="client",
            source_wallet_id=self.source_wallet_id,
            wallet_id=self.clients[0].wallet_id,
            amount_sats=100 * len(self.clients),
            memo="history",
            status="confirmed",
            payment_hash=self.key,
            created_at=self.time,
            confirmed_at=self.time,
        )

    def bookings(self, model: dict[str, Any]) -> list[dict[str, Any]]:
        """The credit and the debit, in the form of LNbits' own rows."""
        time = model["time"]
        at = self.time.replace(tzinfo=None) if isinstance(time, datetime) else self.time.timestamp()
        msat = 100_000 * len(self.clients)
        both = {
            "payment_hash": self.key,
            "time": at,
            "created_at": at,
            "updated_at": at,
            "tag": "satmachineclient",
            "status": "success",
            "fee": 0,
            "external_id": None,
        }
        return [
            both
            | {"checking_id": self.key, "wallet_id": self.clients[0].wallet_id, "amount": msat},
            both
            | {
                "checking_id": f"internal_{self.key}",
                "wallet_id": self.source_wallet_id,
                "amount": -msat,
            },
        ]


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
                    yield await _furnish(database, postgres, api, manager.app)
                finally:
                    await api.close()


async def _furnish(database: str, postgres: Postgres, api: Lnbits, app: Any) -> BenchWorld:
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
    return BenchWorld(database, postgres, lamassu, admin, source, commission, config, app)

"""A year of a large programme, written by the databases themselves: one INSERT … SELECT a table.

Each sale is shared among the next clients in turn, and each client is paid once a week. Rows are
copies of one sale's (`BenchWorld.add_history`) but for what tells them apart, so that a column that
is added later is filled, too.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from .world import BenchWorld, now

MACHINES, SHARES_EACH = 50, 20
YEAR_SALES = 150_000
_BETWEEN = timedelta(days=365) / YEAR_SALES
_WEEK_SALES = YEAR_SALES // 52
# Ids and hashes are as long as real ones: what is stored takes as much.
_SALE = "'sale-000000000000000000000' || (100000 + k.n)"
_HASH = "'hash-of-a-payment-of-these' || "
_FIRST = timedelta(days=8)  # before now: the template is a week old
_SATS, _FIAT = 100, 10


class History:
    """Sales from the newest back; it can be made longer, never shorter."""

    def __init__(self, world: BenchWorld) -> None:
        self._world = world
        self._sqlite = world.database == "sqlite"
        self._template: dict[str, str] = {}
        self._begin = now() - _FIRST
        self._sales = self._polled = self._stage = 0

    async def begin(self, clients: int, deposits_each: int) -> None:
        await self._world.clear()
        await self._world.add_clients(clients, deposits_each)
        await self._world.add_history(0, 1, SHARES_EACH)
        [sale] = await self._world.rows("SELECT id FROM satmachineclient.lamassu_transactions")
        self._template = {"id": sale["id"]}
        await self._world.run(
            "CREATE TABLE satmachineclient.bench_clients (n INTEGER, id TEXT, w TEXT)"
        )
        await self._many(
            "INSERT INTO satmachineclient.bench_clients (n, id, w) VALUES (:n, :id, :w)",
            [{"n": n, "id": c.id, "w": c.wallet_id} for n, c in enumerate(self._world.clients)],
        )
        await self._world.run(
            "CREATE INDEX satmachineclient.bench_n ON bench_clients (n)"
            if self._sqlite
            else "CREATE INDEX bench_n ON satmachineclient.bench_clients (n)"
        )
        for n in range(MACHINES):
            await self._world.run(
                "INSERT INTO satmachineclient.dca_machines (device_id) "
                f"VALUES ('machine {n}') ON CONFLICT (device_id) DO NOTHING"
            )

    async def end(self) -> None:
        await self._world.run("DROP TABLE satmachineclient.bench_clients")

    async def grow_to(self, sales: int) -> None:
        """Add the sales that are missing, with all that they leave behind; sums anew."""
        first, self._sales = self._sales, max(self._sales, sales)
        self._stage += 1
        numbers = self._series("k0", first, self._sales)
        time = self._time("k.n")
        await self._copies(
            "lamassu_transactions",
            numbers,
            "m.id = :id",
            {
                "id": _SALE,
                "lamassu_transaction_id": "'lamassu-' || k.n",
                "device_id": f"'machine ' || (k.n % {MACHINES})",
                "transaction_time": time,
                "processed_at": time,
            },
        )
        await self._shares(numbers, time)
        await self._payouts()
        await self._bookings()
        await self._polls()
        await self._sum_up()
        if not self._sqlite:
            await self._world.run("ANALYZE")

    # ---- one table each ----------------------------------------------------------------------

    async def _shares(self, numbers: str, time: str) -> None:
        """`transfer_id` names the week and the client: what is paid together."""
        each = self._series("j", 0, SHARES_EACH)
        clients = len(self._world.clients)
        transfer = f"'s{self._stage}-' || (k.n / {_WEEK_SALES}) || '-' || k.client"
        await self._copies(
            "dca_payments",
            f"(SELECT s.n AS n, c.id AS client, c.w AS wallet, c.n AS number FROM {numbers} s "
            f"CROSS JOIN {each} e JOIN satmachineclient.bench_clients c "
            f"ON c.n = (s.n * {SHARES_EACH} + e.n) % {clients})",
            "m.id = :id || '-0'",
            {
                "id": "lower(hex(randomblob(16)))" if self._sqlite else "MD5(random()::text)",
                "transaction_id": _SALE,
                "client_id": "k.client",
                "wallet_id": "k.wallet",
                "transaction_time": time,
                "created_at": time,
                "confirmed_at": self._time(f"(k.n / {_WEEK_SALES} * {_WEEK_SALES})"),
                "transfer_id": transfer,
                "payment_hash": _HASH + transfer,
            },
        )

    async def _payouts(self) -> None:
        await self._copies(
            "dca_payouts",
            "(SELECT transfer_id, MIN(wallet_id) AS wallet, MAX(transaction_time) AS time, "
            "CAST(SUM(amount_sats) AS BIGINT) AS sats FROM satmachineclient.dca_payments "
            f"WHERE transfer_id LIKE 's{self._stage}-%' GROUP BY transfer_id)",
            "m.id = :id || '-0001'",
            {
                "id": "'bench-' || k.transfer_id",
                "transfer_id": "k.transfer_id",
                "wallet_id": "k.wallet",
                "amount_sats": "k.sats",
                "payment_hash": f"{_HASH}k.transfer_id",
                "created_at": "k.time",
                "confirmed_at": "k.time",
            },
        )

    async def _bookings(self) -> None:
        """LNbits' credit and debit of each payout; its column of times is of another kind."""
        core = "main.apipayments" if self._sqlite else "apipayments"
        at = "p.confirmed_at" if self._sqlite else "p.confirmed_at AT TIME ZONE 'UTC'"
        columns = await self._columns_of_core()
        debit = {
            "checking_id": "'internal_' || p.payment_hash",
            "payment_hash": "p.payment_hash",
            "wallet_id": "p.source_wallet_id",
            "amount": "-1000 * p.amount_sats",
            **dict.fromkeys(("time", "created_at", "updated_at"), at),
            "external_id": "p.id",
        }
        credit = debit | {
            "checking_id": "p.payment_hash",
            "wallet_id": "p.wallet_id",
            "amount": "1000 * p.amount_sats",
        }
        names = ", ".join(f'"{name}"' for name in columns)
        for booking, template in ((debit, "'internal_' || :id"), (credit, ":id")):
            values = ", ".join(booking.get(name, f'm."{name}"') for name in columns)
            await self._on_core(
                f"INSERT INTO {core} ({names}) SELECT {values} "
                f"FROM satmachineclient.dca_payouts p CROSS JOIN {core} m "
                f"WHERE m.checking_id = {template} AND p.transfer_id LIKE 's{self._stage}-%'"
            )

    async def _polls(self) -> None:
        """One an hour, as far back as the sales go."""
        from satmachineclient import transaction_processor

        stored, wanted = self._polled, int(self._sales * _BETWEEN / timedelta(hours=1))
        self._polled = max(stored, wanted)
        await transaction_processor.poll("hourly")
        time = self._time("k.n", timedelta(hours=1))
        [model] = await self._world.rows(
            "SELECT id FROM satmachineclient.lamassu_polls ORDER BY started_at DESC LIMIT 1"
        )
        self._template["poll"] = model["id"]
        await self._copies(
            "lamassu_polls",
            self._series("k0", stored, self._polled),
            "m.id = :poll",
            {"id": "'poll-' || k.n", "started_at": time, "finished_at": time},
        )

    async def _sum_up(self) -> None:
        """The balances as the ledger's rows add up to them, which reconciliation then checks."""
        for column, what in (
            ("allocated_fiat", "amount_fiat"),
            ("paid_fiat", "amount_fiat"),
            ("allocated_sats", "amount_sats"),
            ("paid_sats", "amount_sats"),
        ):
            await self._world.run(
                f"UPDATE satmachineclient.dca_balances SET {column} = COALESCE((SELECT "
                f"CAST(SUM(p.{what}) AS BIGINT) FROM satmachineclient.dca_payments p "
                "WHERE p.client_id = dca_balances.client_id), 0)"
            )

    # ---- SQL -----------------------------------------------------------------------------------

    def _series(self, name: str, first: int, last: int) -> str:
        if self._sqlite:
            return (
                f"(WITH RECURSIVE {name} (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM {name} "
                f"WHERE n + 1 < {last}) SELECT n FROM {name} WHERE {first} < {last})"
            )
        return f"(SELECT n FROM generate_series({first}, {last - 1}) {name} (n))"

    def _time(self, number: str, between: timedelta = _BETWEEN) -> str:
        seconds = between.total_seconds()
        if self._sqlite:
            return f"({self._begin.timestamp()} - {seconds} * {number})"
        return (
            f"(TIMESTAMPTZ '{self._begin.isoformat()}' - {number} * INTERVAL '{seconds} seconds')"
        )

    async def _copies(
        self, table: str, source: str, template: str, values: Mapping[str, str]
    ) -> None:
        from satmachineclient.database import ledger

        [row] = await self._world.rows(f"SELECT * FROM satmachineclient.{table} LIMIT 1")
        names = ", ".join(f'"{name}"' for name in row)
        chosen = ", ".join(values.get(name, f'm."{name}"') for name in row)
        async with ledger() as work:
            await work.execute(
                f"INSERT INTO satmachineclient.{table} ({names}) SELECT {chosen} "
                f"FROM {source} k CROSS JOIN satmachineclient.{table} m WHERE {template}",
                **{k: v for k, v in self._template.items() if f":{k}" in template + source},
            )

    async def _many(self, sql: str, rows: list[dict[str, Any]]) -> None:
        from satmachineclient.database import ledger

        async with ledger() as work:
            await work.execute_many(sql, rows)

    async def _columns_of_core(self) -> list[str]:
        from lnbits.core.db import db as core_db

        found: Any = await core_db.fetchone("SELECT * FROM apipayments LIMIT 1")
        return list(found)

    async def _on_core(self, sql: str) -> None:
        """A statement on LNbits' own database that sees the ledger, too."""
        from satmachineclient.crud_lnbits import connect_to_core
        from sqlalchemy import text

        connection = await connect_to_core()
        try:
            await connection.conn.execute(text(sql), {"id": self._template["id"]})
            await connection.conn.commit()
        finally:
            await connection.conn.close()

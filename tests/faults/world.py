"""A real LNbits process that is killed and restarted, and an independent look at its books.

The checks here read LNbits' and the extension's tables with SQL of their own: they share no code
with what they check.
"""

import asyncio
import shutil
import signal
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any

import asyncpg
import httpx
import psutil
import pytest

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account, Wallet
from demo.lnbits_server import LnbitsServer
from demo.postgres import Postgres
from demo.sales import MACHINE, Sale

API = "/satmachineclient/api/v1/dca"
# The samples of each run are on SQLite; the long runs are on both.
DATABASES = ["sqlite", pytest.param("postgres", marks=pytest.mark.faults)]
_INJECT = Path(__file__).parent / "inject"


class FaultWorld:
    """One LNbits with three clients, a Lamassu database, and a switch that kills LNbits."""

    def __init__(
        self, database: str, *, credit: bool = True, extra_env: Mapping[str, str] | None = None
    ) -> None:
        self.database = database
        self.credit = credit
        self.sold: dict[str, int] = {}
        self.clients: dict[str, Wallet] = {}
        self._temporary = tempfile.TemporaryDirectory(prefix="satmachineclient-faults-")
        self.folder = Path(self._temporary.name)
        self.postgres = Postgres(self.folder / "postgres")
        self._round = 0
        self._faults = self.folder / "faults"
        self._database_url: str | None = None
        self._environment = {
            "PYTHONPATH": str(_INJECT),
            "SATMACHINE_FAULTS": str(self._faults),
            "SATMACHINECLIENT_FIRST_POLL_SECONDS": "1000000",
            "AUTH_SECRET_KEY": "a key that outlives restarts",
            **(extra_env or {}),
        }

    async def __aenter__(self) -> "FaultWorld":
        self.postgres.start()
        self._faults.mkdir()
        if self.database == "postgres":
            self.postgres.create_database("lnbits")
            self._database_url = self.postgres.url("lnbits")
        self.lamassu = await LamassuDatabase.create(self.postgres, "lamassu", "lamassu")
        self.server = LnbitsServer(
            self.folder / "lnbits", database_url=self._database_url, extra_env=self._environment
        )
        self.server.start()
        self._api = self.server.api()
        self.admin: Account = await self._api.first_install("admin", "a password")
        await self._furnish()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._api.close()
        self.server.stop()
        self.postgres.stop()
        self._temporary.cleanup()

    async def _furnish(self) -> None:
        self.source = await self.admin.create_wallet("source")
        self.commission = await self.admin.create_wallet("commission")
        await self.admin.call(
            "POST",
            f"{API}/config",
            {
                **self.lamassu.login(),
                "source_wallet_id": self.source.id,
                "commission_wallet_id": self.commission.id,
                "credit_source_wallet": self.credit,
                "use_ssh_tunnel": False,
            },
        )
        await self.lamassu.clear()  # no sales, and one machine
        await self.admin.call("POST", f"{API}/manual-poll")  # then it is known
        self.partner = await self.admin.create_wallet("partner")
        body = {"name": "host", "wallet_id": self.partner.id, "percent": "12.5"}
        await self.admin.call("POST", f"{API}/partners", {**body, "device_ids": [MACHINE]})
        for name in ("ana", "ben", "cleo"):
            wallet = await self.admin.create_wallet(name)
            body = {"wallet_id": wallet.id, "username": name, "dca_mode": "flow"}
            client = await self.admin.call("POST", f"{API}/clients", body)
            body = {"client_id": client["id"], "amount": "9000000", "currency": "GTQ"}
            if name == "ana":
                body["device_id"] = MACHINE
            deposit = await self.admin.call("POST", f"{API}/deposits", body)
            path = f"{API}/deposits/{deposit['id']}/status"
            await self.admin.call("PUT", path, {"status": "confirmed"})
            self.clients[client["id"]] = wallet

    async def sell(self, number: int = 1) -> None:
        """So many sales whose cash came out just now."""
        for _ in range(number):
            sale = Sale(created=datetime.now(timezone.utc), fiat=Decimal(200))
            await self.lamassu.insert(sale)
            self.sold[str(sale.id)] = sale.atoms

    # ---- faults ----------------------------------------------------------------------------

    def arm(self, moment: int, number: signal.Signals = signal.SIGKILL) -> None:
        """Send LNbits this signal at this moment (counted from 1) of what it does next."""
        self._round += 1
        (self._faults / "order").write_text(f"{self._round} {moment} {number.value}")

    def disarm(self) -> int:
        """No more signals; the number of moments counted since `arm`."""
        (self._faults / "order").unlink(missing_ok=True)
        moments, _ = self._counted()
        (self._faults / "count").unlink(missing_ok=True)
        return moments

    def set_clock(self, ahead: timedelta) -> None:
        """From its next statement on LNbits takes the time to be so much later."""
        (self._faults / "clock").write_text(str(int(ahead.total_seconds())))

    async def set_atms_clock(self, ahead: timedelta) -> None:
        """The ATM's database tells its reader a time that is so far ahead of the true one."""
        owner = await self.lamassu.connect()
        await owner.execute(
            "CREATE OR REPLACE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql "
            "AS $$SELECT pg_catalog.clock_timestamp() + "
            f"interval '{int(ahead.total_seconds())} seconds'$$; "
            f"ALTER ROLE {self.lamassu.reader} SET search_path = public, pg_catalog"
        )
        await owner.close()

    @property
    def moments(self) -> int:
        """Moments since `arm`."""
        return self._counted()[0]

    def _counted(self) -> tuple[int, int | None]:
        """Moments since `arm`, and the process that counted them."""
        words = _text(self._faults / "count").split()
        return (int(words[0]), int(words[1])) if len(words) == 2 else (0, None)

    async def stopped_in(self, polling: "asyncio.Task[Any]") -> psutil.Process | None:
        """The LNbits process, once it stands still; None if the poll ended before."""
        while not polling.done():
            _, pid = self._counted()
            if pid and psutil.Process(pid).status() == psutil.STATUS_STOPPED:
                return psutil.Process(pid)
            await asyncio.sleep(0.05)
        return None

    async def poll(self, server: LnbitsServer | None = None) -> dict[str, Any] | None:
        """A manual poll; None if LNbits died in it, `{"conflict": …}` if another one runs."""
        url = (server or self.server).url
        try:
            answer = await self.admin.post(f"{url}{API}/manual-poll", timeout=120)
        except httpx.TransportError:
            return None
        if answer.status_code == httpx.codes.CONFLICT:
            return {"conflict": answer.json()["detail"]}
        answer.raise_for_status()
        result: dict[str, Any] = answer.json()
        return result

    async def adopt(self) -> int | None:
        """How many payments were adopted; None if LNbits died in it, or there were none."""
        return await self._do(f"{API}/adopt", "adopted")

    async def pay_again(self) -> int | None:
        """How many shares are paid anew; None if LNbits died in it, or there were none."""
        return await self._do(f"{API}/payments/pay-again", "payments")

    async def _do(self, path: str, count: str) -> int | None:
        try:
            answer = await self.admin.post(f"{self.server.url}{path}", timeout=120)
        except httpx.TransportError:
            return None
        if answer.status_code == httpx.codes.CONFLICT:
            return None
        answer.raise_for_status()
        number: int = answer.json()[count]
        return number

    # ---- backups ---------------------------------------------------------------------------

    def back_up(self, *, core: bool) -> None:
        """Copy LNbits' own database (`core`), or the extension's, as it is now."""
        self.server.stop()
        if self.database == "postgres":
            kept = self.postgres.dump("lnbits", "public" if core else "satmachineclient")
            (self.folder / "backup.sql").write_text(kept)
        else:
            shutil.copy(self._file(core), self.folder / "backup.sqlite3")
        self.server.start()

    def put_back(self, *, core: bool) -> None:
        """Put the last copy in the place of what is there now."""
        self.disarm()
        self.server.stop()
        if self.database == "postgres":
            schema = "public" if core else "satmachineclient"
            self.postgres.sql(f"DROP SCHEMA {schema} CASCADE", "lnbits")
            self.postgres.sql((self.folder / "backup.sql").read_text(), "lnbits")
        else:
            for extra in ("-wal", "-shm", "-journal"):
                Path(f"{self._file(core)}{extra}").unlink(missing_ok=True)
            shutil.copy(self.folder / "backup.sqlite3", self._file(core))
        self.server.start()

    async def restart(self) -> None:
        """Bring LNbits up again, as after a power cut; the dead holder's lease has run out."""
        self.disarm()
        self.server.kill9()
        self.server.start()
        await self.until_served()
        await self.expire_lease()

    async def until_served(self) -> None:
        """LNbits answers before it has put up the extension's routes."""
        deadline = time.monotonic() + 60
        path = f"{self.server.url}{API}/health"
        while (await self.admin.get(path)).status_code == httpx.codes.NOT_FOUND:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)

    async def expire_lease(self) -> None:
        await self.run("UPDATE ledger_lease SET expires_at = 0")

    def pooled_server(self, database_url: str) -> LnbitsServer:
        """Another LNbits on the same database, by this way to it."""
        environment = {**self._environment, "SATMACHINE_FAULTS": ""}
        return LnbitsServer(
            self.folder / "lnbits3", database_url=database_url, extra_env=environment
        )

    def second_server(self) -> LnbitsServer:
        """Another LNbits on the same database."""
        environment = {**self._environment, "SATMACHINE_FAULTS": ""}
        return LnbitsServer(
            self.folder / "lnbits2", database_url=self._database_url, extra_env=environment
        )

    # ---- the independent look ----------------------------------------------------------------

    async def check(self) -> None:
        """Everything sold is stored once, paid once, and adds up; raises AssertionError."""
        rows = await self.rows("SELECT * FROM lamassu_transactions")
        stored = {r["lamassu_transaction_id"]: r["crypto_amount_sats"] for r in rows}
        assert len(rows) == len(stored) and stored == self.sold
        assert {r["status"] for r in rows} <= {"settled"}, Counter(r["status"] for r in rows)
        shares = await self.rows("SELECT * FROM dca_payments")
        assert {s["status"] for s in shares} <= {"confirmed"}
        for row in rows:
            own = [s for s in shares if s["transaction_id"] == row["id"]]
            parts = sum(s["amount_sats"] for s in own)
            assert row["crypto_amount_sats"] == (
                row["commission_amount_sats"] + parts + row["undistributed_sats"]
            )
            assert row["fiat_amount"] == (
                sum(s["amount_fiat"] for s in own) + row["undistributed_fiat"]
            )
        booked = await self.rows("SELECT * FROM apipayments WHERE status = 'success'", core=True)
        incoming = {b["checking_id"]: b for b in booked if b["amount"] > 0}
        for debit in (b for b in booked if b["amount"] < 0):
            credit = incoming[debit["checking_id"].removeprefix("internal_")]
            assert credit["amount"] == -debit["amount"]
        balances: Counter[str] = Counter()
        for payment in booked:
            balances[payment["wallet_id"]] += payment["amount"]
        paid = Counter({wallet.id: 0 for wallet in self.clients.values()})
        for share in shares:
            paid[self.clients[share["client_id"]].id] += share["amount_sats"] * 1000
        assert {w: balances[w] for w in paid} == dict(paid)
        commission = sum(r["commission_amount_sats"] for r in rows) * 1000
        parts_of_it = await self.rows("SELECT * FROM dca_commission_shares")
        assert {p["status"] for p in parts_of_it} <= {"confirmed"}
        partners = sum(p["amount_sats"] for p in parts_of_it) * 1000
        assert partners == sum(r["partners_sats"] for r in rows) * 1000
        assert balances[self.partner.id] == partners
        assert balances[self.commission.id] == commission - partners
        if self.credit:
            total = sum(self.sold.values()) * 1000
            assert balances[self.source.id] == total - commission - sum(paid.values())
        books = await self.admin.call("GET", f"{API}/reconciliation")
        assert books["ok"], books

    async def rows(self, sql: str, *, core: bool = False) -> list[dict[str, Any]]:
        """Read LNbits' own tables (`core`) or the extension's."""
        if self.database == "postgres":
            connection = await self._connection(core)
            try:
                return [dict(row) for row in await connection.fetch(sql)]
            finally:
                await connection.close()
        with sqlite3.connect(self._file(core), timeout=10) as file:
            file.row_factory = sqlite3.Row
            return [dict(row) for row in file.execute(sql)]

    async def run(self, sql: str, *, core: bool = False) -> None:
        if self.database == "postgres":
            connection = await self._connection(core)
            await connection.execute(sql)
            await connection.close()
        else:
            with sqlite3.connect(self._file(core), timeout=10) as file:
                file.execute(sql)

    async def _connection(self, core: bool) -> asyncpg.Connection:
        path = "public" if core else "satmachineclient"
        return await asyncpg.connect(
            self.postgres.url("lnbits"), server_settings={"search_path": path}
        )

    def _file(self, core: bool) -> Path:
        name = "database.sqlite3" if core else "ext_satmachineclient.sqlite3"
        return next((self.folder / "lnbits").rglob(name))


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""

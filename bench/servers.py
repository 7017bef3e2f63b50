"""Two LNbits processes on one PostgreSQL: both serve, one polls, the other takes over its work."""

import asyncio
import secrets
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import EXTENSION, Account
from demo.lnbits_server import LnbitsServer
from demo.postgres import Postgres
from demo.sales import Sale

from .meters import median
from .world import API, now

_CLIENTS, _SALES = 20, 10
_PATIENCE_SECONDS = 240


@dataclass
class _Pair:
    first: LnbitsServer
    second: LnbitsServer
    admin: Account
    lamassu: LamassuDatabase
    database: asyncpg.Connection


async def run(*, quick: bool) -> dict[str, Any]:
    """Seconds from `kill -9` of the polling server until the other polls, and until all is paid."""
    rounds = [await _take_over() for _ in range(1 if quick else 3)]
    return {
        "clients": _CLIENTS,
        "sales": _SALES,
        "rounds": len(rounds),
        "take_over_seconds": median([r["take_over_seconds"] for r in rounds]),
        "longest_take_over_seconds": max(r["take_over_seconds"] for r in rounds),
        "all_paid_seconds": median([r["all_paid_seconds"] for r in rounds]),
        "served_by_both": all(r["served_by_both"] for r in rounds),
        "paid_by_the_dead": [r["paid_by_the_dead"] for r in rounds],
    }


async def _take_over() -> dict[str, Any]:
    async with _pair() as pair:
        served = await _both_serve(pair)
        begin = now() - timedelta(seconds=_SALES)
        await pair.database.execute(  # these sales are of the past
            "UPDATE satmachineclient.lamassu_config SET credit_since = 'epoch'"
        )
        for n in range(_SALES):
            sale = Sale(created=begin + timedelta(seconds=n), fiat=Decimal(1000), fiat_code="GTQ")
            await pair.lamassu.insert(sale)
        polling = asyncio.create_task(pair.admin.post(f"{pair.first.url}{API}/manual-poll"))
        while not await _number(pair, "dca_payouts WHERE status = 'confirmed'"):
            await asyncio.sleep(0.02)
        pair.first.kill9()
        killed = time.monotonic()
        await asyncio.wait([polling])
        if polling.exception() is None:
            raise RuntimeError("the poll was over before its server was killed")
        paid = await _number(pair, "dca_payouts WHERE status = 'confirmed'")
        await _until(
            pair,
            "ledger_lease l, satmachineclient.lamassu_polls p "
            "WHERE l.holder = p.id AND p.trigger <> 'manual'",
        )
        took_over = time.monotonic() - killed
        await _until(
            pair,
            "lamassu_polls WHERE trigger <> 'manual' AND status = 'succeeded' "
            "AND confirmed_payments > 0",
        )
        all_paid = time.monotonic() - killed
        if await _number(pair, "dca_payments WHERE status = 'confirmed'") != _SALES * _CLIENTS:
            raise RuntimeError("the other server did not pay everything")
        books = await pair.admin.get(f"{pair.second.url}{API}/reconciliation")
        if not books.json()["ok"]:
            raise RuntimeError(f"the books differ: {books.json()}")
        return {
            "take_over_seconds": took_over,
            "all_paid_seconds": all_paid,
            "served_by_both": served,
            "paid_by_the_dead": paid,
        }


async def _both_serve(pair: _Pair) -> bool:
    cookies = f"cookie_access_token={pair.admin.token}; is_lnbits_user_authorized=true"
    answers: list[httpx.Response] = []
    for server in (pair.first, pair.second):
        for path in (f"/{EXTENSION}/", f"{API}/overview", f"{API}/clients"):
            url = f"{server.url}{path}"
            answers.append(await pair.admin.get(url, headers={"Cookie": cookies}))
    return all(answer.status_code == httpx.codes.OK for answer in answers)


async def _number(pair: _Pair, rows: str) -> int:
    sql = f"SELECT COUNT(*) FROM satmachineclient.{rows}"
    return int(await pair.database.fetchval(sql))


async def _until(pair: _Pair, rows: str) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not await _number(pair, rows):
        if time.monotonic() > deadline:
            raise RuntimeError(f"the other server did not take over: no {rows}")
        await asyncio.sleep(0.05)


@asynccontextmanager
async def _pair() -> AsyncIterator[_Pair]:
    with tempfile.TemporaryDirectory(prefix="satmachine-bench-") as temporary:
        folder = Path(temporary)
        with Postgres(folder / "postgres") as postgres:
            postgres.create_database("lnbits")
            url = postgres.url("lnbits")
            environment = {"AUTH_SECRET_KEY": secrets.token_hex(32)}
            # Only the second one polls by itself.
            never = {"SATMACHINECLIENT_FIRST_POLL_SECONDS": str(10**6)}
            soon = {"SATMACHINECLIENT_FIRST_POLL_SECONDS": "1"}
            first = LnbitsServer(
                folder / "one", database_url=url, extra_env={**environment, **never}
            )
            second = LnbitsServer(
                folder / "two", database_url=url, extra_env={**environment, **soon}
            )
            lamassu = await LamassuDatabase.create(postgres, "lamassu", "lamassu")
            with first:
                api = first.api()
                admin = await api.first_install("admin", "a password")
                await _furnish(admin, lamassu)
                with second:
                    database = await asyncpg.connect(url)
                    pair = _Pair(first, second, admin, lamassu, database)
                    await _until(pair, "lamassu_polls WHERE status = 'succeeded'")
                    yield pair
                    await database.close()
                await api.close()


async def _furnish(admin: Account, lamassu: LamassuDatabase) -> None:
    source = await admin.create_wallet("source")
    config = {
        **lamassu.login(),
        "source_wallet_id": source.id,
        "credit_source_wallet": True,
        "use_ssh_tunnel": False,
    }
    await admin.call("POST", f"{API}/config", config)
    for _ in range(_CLIENTS):
        wallet = await admin.create_wallet("client")
        body = {"wallet_id": wallet.id, "dca_mode": "flow"}
        client = await admin.call("POST", f"{API}/clients", body)
        body = {"client_id": client["id"], "amount": "9000000", "currency": "GTQ"}
        deposit = await admin.call("POST", f"{API}/deposits", body)
        path = f"{API}/deposits/{deposit['id']}/status"
        await admin.call("PUT", path, {"status": "confirmed"})

"""5,000 clients, 50 machines and a year of sales: what each request and each poll costs then.

Ratios are to LNbits' own page of payments in the same world; processor time is this process's, so
that on SQLite it holds the database's work, on PostgreSQL not.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from .history import MACHINES, SHARES_EACH, YEAR_SALES, History
from .meters import Meter, exponent, median
from .world import API, BenchWorld

CLIENTS, DEPOSITS_EACH = 5_000, 4
_LNBITS = "LNbits: payments/paginated"
_REQUESTS = {
    "overview": "overview",
    "machines": "machines",
    "cash book": "cash",
    **{
        f"page of {name}": f"{name}/paginated?limit=10"
        for name in ("clients", "deposits", "transactions", "payments", "polls", "audit")
    },
    **{
        f"totals of {name}": f"{name}/totals"
        for name in ("clients", "deposits", "transactions", "polls")
    },
    "search clients": "clients/paginated?limit=10&search=client 17",
    "search transactions": "transactions/paginated?limit=10&search=lamassu-9",
    "search payments": "payments/paginated?limit=10&search={client}",
    "statement, a year": "clients/{client}/statement?from={year}&to={today}",
    "report, a month": "report?by=day&from={month}&to={today}",
    "report, a year": "report?by=month&from={year}&to={today}",
    "reconciliation, 35 days": "reconciliation?days=35",
}
_WITHIN = {  # times LNbits' own page
    "overview": 2.0,
    **{name: 2.0 for name in _REQUESTS if name.startswith("page of")},
}


async def run(world: BenchWorld, *, part: float, quick: bool) -> dict[str, Any]:
    """At 1/100, 1/10 and all of a year's sales; `part`: of the clients and of the sales."""
    history = History(world)
    clients = max(SHARES_EACH, int(CLIENTS * part))
    await history.begin(clients, DEPOSITS_EACH)
    growth = []
    for share in (100, 10, 1):
        number = max(20, int(YEAR_SALES * part / share))
        began = time.perf_counter()
        await history.grow_to(number)
        filled = time.perf_counter() - began
        growth.append({**await _measured(world, number, 3 if quick else 5), "fill_seconds": filled})
        print(f"{number} sales filled in {filled:.0f} s", flush=True)
    await history.end()
    last, middle = growth[-1], growth[-2]
    return {
        "clients": clients,
        "machines": MACHINES,
        "by_history": growth,
        "exponents": {
            name: exponent(middle["seconds"][name], value)
            for name, value in last["seconds"].items()
        },
        "to_lnbits": {n: v / last["seconds"][_LNBITS] for n, v in last["seconds"].items()},
        "within": _WITHIN,
    }


async def _measured(world: BenchWorld, sales: int, rounds: int) -> dict[str, Any]:
    """The median of each, the first time left out: a cache is filled by that."""
    found: dict[str, Any] = {"sales": sales, "shares": sales * SHARES_EACH}
    for figure in ("seconds", "cpu_seconds", "peak_mb", "own_step_ms"):
        found[figure] = {}
    found["own_step"] = {}
    for name, (work, times) in requests(world, rounds).items():
        if times > 1:
            await work()
        runs = [await _once(work) for _ in range(times)]
        for figure in ("seconds", "cpu_seconds", "peak_mb", "own_step_ms"):
            found[figure][name] = median([run[figure] for run in runs])
        found["own_step"][name] = runs[-1]["own_step"]
    found |= await _checked(world)
    found["planning_to_plain"] = await _planning(world)
    found["bytes"] = await _bytes(world)
    found["bytes_per_share"] = found["bytes"]["ledger"] / found["shares"]
    return found


async def _once(work: Callable[[], Awaitable[object]]) -> dict[str, Any]:
    began = time.process_time()
    with Meter() as meter:
        await work()
        cpu = time.process_time() - began
    return {
        "seconds": meter.seconds,
        "cpu_seconds": cpu,
        "peak_mb": meter.peak_mb,
        "own_step_ms": meter.ours_cpu * 1000,
        "own_step": meter.where,
    }


def requests(
    world: BenchWorld, rounds: int = 3
) -> dict[str, tuple[Callable[[], Awaitable[object]], int]]:
    """What is measured, and how often."""
    from satmachineclient import transaction_processor
    from satmachineclient.books import reconciliation
    from satmachineclient.paying import claims
    from satmachineclient.telling import alerts

    def asked(path: str, key: str | None = None) -> Callable[[], Awaitable[object]]:
        async def get() -> None:
            headers = {"X-Api-Key": key} if key else None
            answer = await world.admin.get(path, headers=headers, timeout=600)
            answer.raise_for_status()

        return get

    def poll() -> Awaitable[object]:
        return transaction_processor.poll("hourly")

    async def look_ahead() -> None:
        claims.look_at_everything()
        await claims.look_ahead()

    def first_poll() -> Awaitable[object]:
        return transaction_processor.poll("startup")

    first = world.clients[0].id
    days = {
        name: time.strftime("%Y-%m-%d", time.gmtime(time.time() - back * 86_400))
        for name, back in (("today", 0), ("month", 30), ("year", 365))
    }
    found: dict[str, tuple[Callable[[], Awaitable[object]], int]] = {
        _LNBITS: (asked("/api/v1/payments/paginated?limit=10", world.source.inkey), rounds)
    }
    for name, path in _REQUESTS.items():
        found[name] = (asked(f"{API}/{path.format(client=first, **days)}"), rounds)
    found["idle poll"] = (poll, rounds)
    found["alerts"] = (alerts.evaluate, rounds)
    found["reconciliation of everything"] = (reconciliation.reconcile, 1)
    found["look at start-up"] = (look_ahead, 1)
    found["poll at start-up"] = (first_poll, 1)
    return found


async def _checked(world: BenchWorld) -> dict[str, float]:
    """All books checked in slices, and how long others wait meanwhile at most.

    That is somebody's request for the configuration, and who has to decide something.
    """
    from satmachineclient import transaction_processor
    from satmachineclient.books import full_check
    from satmachineclient.helpers import new_id
    from satmachineclient.lease import working

    async def check() -> None:
        full_check.look_soon()
        while True:
            pause = await transaction_processor._check_further()
            if not await full_check.is_due():
                return
            await asyncio.sleep(pause)

    async def ask() -> None:
        (await world.admin.get(f"{API}/config", timeout=600)).raise_for_status()

    async def decide() -> None:
        async with working(new_id(), wait_seconds=600):
            pass

    began = time.perf_counter()
    checking = asyncio.create_task(check())
    longest = {"request_waits_ms": 0.0, "decision_waits_ms": 0.0}
    while not checking.done():
        for name, work in zip(longest, (ask, decide), strict=True):
            at = time.perf_counter()
            await work()
            longest[name] = max(longest[name], (time.perf_counter() - at) * 1000)
            await asyncio.sleep(0.01)
    await checking
    return {"check_in_slices_seconds": time.perf_counter() - began, **longest}


async def _planning(world: BenchWorld) -> float:
    """One sale shared among all clients, as many times one executemany of its very rows."""
    from satmachineclient import crud, transaction_processor
    from satmachineclient.helpers import new_id, now
    from satmachineclient.lease import working
    from satmachineclient.models_config import Poll

    from .backlog import plain_insert

    ratios = []
    for _ in range(3):
        await world.add_sales(1)
        config = await crud.get_config()
        record = Poll(id=new_id(), trigger="manual", started_at=now())
        processor: Any = transaction_processor
        planned, seconds = processor.plan_sales, 0.0

        async def timed(*args: Any, plan: Any = planned) -> Any:
            nonlocal seconds
            began = time.perf_counter()
            rows = await plan(*args)
            seconds += time.perf_counter() - began
            return rows

        processor.plan_sales = timed
        try:
            async with working(record.id):
                await processor._read_and_plan(record, config)
        finally:
            processor.plan_sales = planned
        if record.planned != 1:
            raise RuntimeError(f"the sale was not planned: {record}")
        await world.lamassu.clear()
        ratios.append(seconds / await plain_insert(world, "status IN ('planned', 'pending')"))
        await world.run(
            "UPDATE satmachineclient.dca_balances SET allocated_fiat = paid_fiat, "
            "allocated_sats = paid_sats"
        )
    return median(ratios)


async def _bytes(world: BenchWorld) -> dict[str, int]:
    """On disk: all tables of ours, and the shares with their indexes."""
    if world.database == "sqlite":
        from satmachineclient.connection import db

        path = Path(str(db.path))
        return {"ledger": sum(os.stat(f).st_size for f in path.parent.glob(path.name + "*"))}
    rows = await world.rows(
        "SELECT relname, pg_total_relation_size(c.oid) AS bytes FROM pg_class c "
        "JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = 'satmachineclient' AND relkind = 'r'"
    )
    sizes = {row["relname"]: int(row["bytes"]) for row in rows}
    return {"ledger": sum(sizes.values()), "shares": sizes["dca_payments"]}

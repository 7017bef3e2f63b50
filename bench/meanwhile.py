"""What LNbits' other users feel: a wallet's balance asked for while money moves."""

import asyncio
import time
from collections.abc import Awaitable
from typing import Any

from .backlog import bare_loop
from .meters import Meter, median, percentile
from .world import BenchWorld

_PAUSE_SECONDS = 0.02


async def run(world: BenchWorld, *, quick: bool) -> dict[str, Any]:
    """Latencies in milliseconds: with nothing going on, during the bare loop, during a poll."""
    from satmachineclient import transaction_processor

    clients = 30 if quick else 150
    await world.clear()
    await world.add_clients(clients)
    results: dict[str, Any] = {
        "clients": clients,
        "idle": await _felt(world, asyncio.sleep(2)),
        "bare_loop": await _felt(world, bare_loop(world, clients)),
    }
    await world.add_sales(1)
    results["poll"] = await _felt(world, transaction_processor.poll("manual"))
    for name in ("median_ms", "p99_ms"):
        results[f"poll_to_bare_{name}"] = results["poll"][name] / results["bare_loop"][name]
    return results


async def _felt(world: BenchWorld, work: Awaitable[Any]) -> dict[str, float]:
    with Meter() as meter:
        working = asyncio.ensure_future(work)
        waited = []
        while not working.done():
            began = time.perf_counter()
            await world.admin.balance(world.source)
            waited.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(_PAUSE_SECONDS)
        await working
    return {
        "requests": len(waited),
        "median_ms": median(waited),
        "p99_ms": percentile(waited, 99),
        "longest_step_ms": meter.stall_cpu * 1000,
        "longest_own_step_ms": meter.ours_cpu * 1000,
    }

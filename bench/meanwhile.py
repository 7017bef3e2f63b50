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
    """Latencies in milliseconds: with nothing going on, during the bare loop, during a poll.

    In turns, so that all three meet the same weather.
    """
    from satmachineclient import transaction_processor

    clients, rounds = (20, 2) if quick else (40, 5)
    await world.clear()
    await world.add_clients(clients)
    felt: dict[str, list[float]] = {"idle": [], "bare_loop": [], "poll": []}
    meters: dict[str, list[Meter]] = {name: [] for name in felt}
    for _ in range(rounds):
        works = {"idle": asyncio.sleep(1), "bare_loop": bare_loop(world, clients)}
        await world.add_sales(1)
        for name, work in (*works.items(), ("poll", transaction_processor.poll("manual"))):
            waited, meter, done = await felt_during(world, work)
            felt[name] += waited
            meters[name].append(meter)
        if done.confirmed_payments != clients:
            raise RuntimeError(f"the poll did not pay everything: {done}")
    results: dict[str, Any] = {"clients": clients, "rounds": rounds}
    for name, waited in felt.items():
        results[name] = {
            "requests": len(waited),
            "median_ms": median(waited),
            "p99_ms": percentile(waited, 99),
            "longest_step_ms": max(meter.stall_cpu for meter in meters[name]) * 1000,
            "longest_own_step_ms": max(meter.ours_cpu for meter in meters[name]) * 1000,
        }
    for key in ("median_ms", "p99_ms"):
        results[f"poll_to_bare_{key}"] = results["poll"][key] / results["bare_loop"][key]
    return results


async def felt_during(world: BenchWorld, work: Awaitable[Any]) -> tuple[list[float], Meter, Any]:
    """How many milliseconds each request for a balance takes while this work goes on."""
    with Meter() as meter:
        working = asyncio.ensure_future(work)
        waited = []
        while not working.done():
            began = time.perf_counter()
            await world.admin.balance(world.source)
            waited.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(_PAUSE_SECONDS)
    return waited, meter, await working

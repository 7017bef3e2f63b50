"""The page's first load and the API's lists over a long history; and what a poll costs over it."""

import asyncio
import time
from typing import Any

from demo.lnbits_api import EXTENSION

from .meters import Meter, median
from .world import API, BenchWorld

CLIENTS, DEPOSITS_EACH, TRANSACTIONS, SHARES_EACH = 1_000, 10, 20_000, 10
_LISTS = ("clients", "deposits", "transactions", "payments", "polls")
_FIRST_LOAD = ("overview", "config")


async def run(world: BenchWorld, *, quick: bool) -> dict[str, Any]:
    """At 1x, 10x and 100x of the history: seconds of each request, and of a poll with one sale."""
    await world.clear()
    await world.add_clients(CLIENTS, DEPOSITS_EACH)
    stored, growth = 0, []
    for part in (100, 10, 1):
        number = TRANSACTIONS // part
        await world.add_history(number - stored, SHARES_EACH)
        stored = number
        growth.append(
            {
                "transactions": number,
                "distributions": number * SHARES_EACH,
                "requests": await _requests(world, 3 if quick else 5),
                "own_part_of_a_poll_seconds": await _idle_poll(world, 2 if quick else 3),
            }
        )
    return {
        "clients": CLIENTS,
        "deposits": CLIENTS * DEPOSITS_EACH,
        "by_history": growth,
        "exponents": _exponents(growth),
    }


async def _requests(world: BenchWorld, rounds: int) -> dict[str, float]:
    """Median seconds of each; `first load` is the page and all that it asks for, together."""
    paths = {name: f"{API}/{name}/paginated?limit=10" for name in _LISTS}
    paths |= {name: f"{API}/{name}" for name in _FIRST_LOAD}
    paths["page"] = f"/{EXTENSION}/"
    seconds = {
        name: [await _get(world, path) for _ in range(rounds)] for name, path in paths.items()
    }
    together = []
    for _ in range(rounds):
        began = time.perf_counter()
        await asyncio.gather(*(_get(world, path) for path in paths.values()))
        together.append(time.perf_counter() - began)
    return {name: median(values) for name, values in seconds.items()} | {
        "first load": median(together)
    }


async def _get(world: BenchWorld, path: str) -> float:
    began = time.perf_counter()
    cookies = {"cookie_access_token": world.admin.token, "is_lnbits_user_authorized": "true"}
    answer = await world.admin.get(
        path, headers={"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    )
    answer.raise_for_status()
    return time.perf_counter() - began


async def _idle_poll(world: BenchWorld, rounds: int) -> dict[str, float]:
    """Planning and booking one sale for 1,000 clients is `backlog`'s; here nothing is paid."""
    from satmachineclient import transaction_processor

    meters = []
    for _ in range(rounds):
        with Meter() as meter:
            await transaction_processor.poll("hourly")
        meters.append(meter)
    return {
        "seconds": median([m.seconds for m in meters]),
        "balances_seconds": median([await _time_balances() for _ in range(rounds)]),
        "peak_mb": median([m.peak_mb for m in meters]),
        "longest_own_step_ms": max(m.ours_cpu for m in meters) * 1000,
    }


async def _time_balances() -> float:
    from satmachineclient import crud
    from satmachineclient.database import reading
    from satmachineclient.helpers import now

    began = time.perf_counter()
    async with reading() as work:
        await crud.balances_at(work, now())
    return time.perf_counter() - began


def _exponents(growth: list[dict[str, Any]]) -> dict[str, float]:
    """b in time = a × history^b, between 10x and 100x."""
    from math import log10

    middle, large = growth[-2], growth[-1]
    found = {
        name: log10(large["requests"][name] / middle["requests"][name])
        for name in large["requests"]
    }
    for name in ("seconds", "balances_seconds"):
        key = "own_part_of_a_poll_seconds"
        found[f"idle poll: {name}"] = log10(large[key][name] / middle[key][name])
    return found

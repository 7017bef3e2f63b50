"""The page, the API and a poll over a history of 35 days, a year and ten years.

The sales come at the same rate in all three, so whatever looks at a window of days should cost
the same, and so should whatever looks at balances.
"""

import time
from typing import Any

import httpx

from demo.lnbits_api import EXTENSION

from .browser import first_loads
from .meters import Meter, exponent, median
from .world import API, BenchWorld

CLIENTS, DEPOSITS_EACH, TRANSACTIONS, SHARES_EACH = 1_000, 10, 20_000, 10
_REQUESTS = {
    "clients": "clients/paginated?limit=10",
    "deposits": "deposits/paginated?limit=10",
    "transactions": "transactions/paginated?limit=10",
    "transactions of a machine": "transactions/paginated?limit=10&device_id=machine 3",
    "payments": "payments/paginated?limit=10",
    "polls": "polls/paginated?limit=10",
    "overview": "overview",
    "config": "config",
    "reconciliation, 35 days": "reconciliation?days=35",
    "a client's history": "clients/{client}/history",
}

_OURS, _THEIRS = "page in Chromium", "LNbits: a wallet's page in Chromium"


async def run(world: BenchWorld, *, quick: bool) -> dict[str, Any]:
    """At 1x, 10x and 100x of the history: seconds of each request, of a poll, of planning."""
    await world.clear()
    await world.add_clients(CLIENTS, DEPOSITS_EACH)
    rounds = 3 if quick else 7
    stored = 0
    growth: list[dict[str, Any]] = []
    for part in (100, 10, 1):
        number = TRANSACTIONS // part
        await world.add_history(stored, number, SHARES_EACH)
        stored = number
        await _check_books(world)
        growth.append(
            {
                "transactions": number,
                "distributions": number * SHARES_EACH,
                "seconds": {
                    **await _requests(world, rounds),
                    **await _work(world, rounds),
                    _OURS: await _page(world, f"/{EXTENSION}/", rounds),
                    _THEIRS: await _page(world, f"/wallet/{world.source.id}", rounds),
                },
                "peak_mb": await _peak_mb(),
            }
        )
        ours, theirs = (growth[-1]["seconds"][page] for page in (_OURS, _THEIRS))
        growth[-1]["page_to_wallets"] = theirs and ours / theirs
    last, middle = growth[-1]["seconds"], growth[-2]["seconds"]
    return {
        "clients": CLIENTS,
        "deposits": CLIENTS * DEPOSITS_EACH,
        "by_history": growth,
        "exponents": {
            name: exponent(middle[name], value) if value and middle[name] else None
            for name, value in last.items()
        },
    }


async def _check_books(world: BenchWorld) -> None:
    """Else it would be the wrong work that is measured."""
    books = await world.admin.call("GET", f"{API}/reconciliation")
    if not books["ok"]:
        raise RuntimeError(f"the history does not add up: {books['differences'][:3]}")


async def _requests(world: BenchWorld, rounds: int) -> dict[str, float]:
    """Median seconds of each."""
    found = {}
    for name, path in _REQUESTS.items():
        url = f"{API}/{path.format(client=world.clients[0].id)}"
        found[name] = median([await _get(world, url) for _ in range(rounds)])
    return found


async def _get(world: BenchWorld, path: str) -> float:
    began = time.perf_counter()
    answer: httpx.Response = await world.admin.get(path)
    answer.raise_for_status()
    return time.perf_counter() - began


async def _work(world: BenchWorld, rounds: int) -> dict[str, float]:
    """An idle poll, the plan of one sale for all clients, and LNbits' own look at a wallet."""
    from lnbits.core.crud.wallets import get_wallet
    from satmachineclient import transaction_processor
    from satmachineclient.paying import decisions

    polls, plans, wallets = [], [], []
    for _ in range(rounds):
        began = time.perf_counter()
        await transaction_processor.poll("hourly")
        polls.append(time.perf_counter() - began)
        began = time.perf_counter()
        await decisions.test_transaction(_made_up(), _nobody())
        plans.append(time.perf_counter() - began)
        began = time.perf_counter()
        await get_wallet(world.source.id)
        wallets.append(time.perf_counter() - began)
    return {
        "idle poll": median(polls),
        "plan of a sale": median(plans),
        "LNbits: get_wallet": median(wallets),
    }


def _made_up() -> Any:
    from satmachineclient.models_sales import TestTransactionIn

    return TestTransactionIn(
        crypto_amount_sats=1_000_000,
        fiat_amount="5000",
        fiat_code="GTQ",
        commission_percentage="0.05",
    )


def _nobody() -> Any:
    from satmachineclient.models import AuditEntry

    return AuditEntry.of("bench", "test transaction", "")


async def _page(world: BenchWorld, path: str, rounds: int) -> float | None:
    """Median seconds until a page has all that it asks for; None without Chromium."""
    seconds = await first_loads(world, path, rounds)
    return median(seconds) if seconds else None


async def _peak_mb() -> float:
    """What a poll and a look at the whole history's books take on top."""
    from satmachineclient import transaction_processor
    from satmachineclient.books import reconciliation

    with Meter() as meter:
        await transaction_processor.poll("hourly")
        await reconciliation.reconcile()
    return meter.peak_mb

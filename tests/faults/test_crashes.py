"""Pull the plug at any moment: nothing is lost and nothing is paid twice.

`make test-more` tries a few moments, `make faults` every one, and many random ones.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator

import pytest

from .world import DATABASES, FaultWorld

FULL = pytest.mark.faults
PAST = {"sqlite": "1", "postgres": "TIMESTAMP '2020-01-01'"}


@pytest.fixture(params=DATABASES)
async def world(request: pytest.FixtureRequest) -> AsyncIterator[FaultWorld]:
    async with FaultWorld(request.param) as made:
        yield made


async def _moments_of_a_poll(world: FaultWorld) -> int:
    await world.sell(2)
    world.arm(10**9)
    assert await world.poll()
    moments = world.disarm()
    await world.check()
    return moments


async def _kill_restart_finish(world: FaultWorld, moment: int, meanwhile: str | None) -> bool:
    """One round: die at this moment, perhaps find the invoices changed, go on; True if it died."""
    await world.sell(2)
    world.arm(moment)
    died = await world.poll() is None
    if meanwhile == "expired":
        past = PAST[world.database]
        await world.run(f"UPDATE apipayments SET expiry = {past}", core=True)  # noqa: S608
    elif meanwhile == "failed":  # what LNbits' own check does to invoices it does not know
        await world.run(
            "UPDATE apipayments SET status = 'failed' WHERE status = 'pending'", core=True
        )
    await world.restart()
    result = await world.poll()
    assert result and result["success"], result
    await world.check()
    return died


@pytest.mark.slow
@pytest.mark.parametrize("stride", [pytest.param(37, id="some"), pytest.param(1, marks=FULL)])
async def test_killed_at_every_commit(world: FaultWorld, stride: int) -> None:
    moments = await _moments_of_a_poll(world)
    fates = [None, "expired", "failed"]
    tried = range(1, moments + 1, stride)
    died = [await _kill_restart_finish(world, m, fates[m % 3]) for m in tried]
    assert all(died[: len(died) * 3 // 4])  # a later poll has a few commits less than the first
    print(f"{world.database}: {sum(died)} crash points of {moments} tried, nothing lost or doubled")


@FULL
async def test_killed_at_random_moments(world: FaultWorld) -> None:
    seed = time.time_ns()
    print(f"{world.database}: random kills with seed {seed}")
    chance = random.Random(seed)  # noqa: S311
    for _ in range(40):
        await world.sell(chance.randint(1, 3))
        polling = asyncio.create_task(world.poll())
        await asyncio.sleep(chance.uniform(0, 1))
        world.server.kill9()
        await polling
        await world.restart()
        if chance.random() < 0.5:  # sometimes killed again while it recovers
            world.arm(chance.randint(1, 60))
            await world.poll()
            await world.restart()
        result = await world.poll()
        assert result and result["success"], result
        await world.check()

"""Backups that are put back: of the extension's database, of LNbits', and a crash in Adopt."""

import random
import time
from collections.abc import AsyncIterator

import pytest

from .world import API, DATABASES, FaultWorld

pytestmark = pytest.mark.faults
_STRIDE = 5  # every so many commits


@pytest.fixture(params=DATABASES)
async def world(request: pytest.FixtureRequest) -> AsyncIterator[FaultWorld]:
    async with FaultWorld(request.param) as made:
        yield made


async def _poll(world: FaultWorld) -> None:
    result = await world.poll()
    assert result and result["success"], result


async def _lose_ours(world: FaultWorld) -> None:
    """Some sales, a backup, more sales, perhaps in the middle of a poll; the backup is put back."""
    await world.sell(1)
    await _poll(world)
    world.back_up(core=False)
    await world.sell(2)
    await _poll(world)
    world.put_back(core=False)
    await world.expire_lease()


async def test_our_database_put_back_and_killed_while_it_adopts(world: FaultWorld) -> None:
    await _lose_ours(world)
    world.arm(10**9)
    assert (await world.adopt()) == 6  # credit, commission, partner, three clients
    moments = world.disarm()
    await world.check()
    died = 0
    for moment in range(1, moments, _STRIDE):
        await _lose_ours(world)
        stopped = await world.poll()
        assert stopped and not stopped["success"] and "older" in stopped["error"]
        world.arm(moment)
        died += await world.adopt() is None
        await world.restart()
        if not (result := await world.poll()) or not result["success"]:
            await world.adopt()
        await _poll(world)
        await world.check()
    print(f"{world.database}: {died} crash points of Adopt tried, nothing paid twice")


async def test_a_poll_is_killed_then_our_database_is_put_back(world: FaultWorld) -> None:
    """The copy is from before the poll: LNbits has whatever was booked before it died."""
    seed = time.time_ns()
    print(f"{world.database}: seed {seed}")
    chance = random.Random(seed)  # noqa: S311
    for _ in range(12):
        await world.sell(1)
        await _poll(world)
        if chance.random() < 0.5:  # a copy in which something is planned and half paid
            await world.sell(1)
            world.arm(chance.randint(10, 60))
            await world.poll()
            await world.restart()
        world.back_up(core=False)
        await world.sell(2)
        world.arm(chance.randint(15, 90))
        await world.poll()
        await world.restart()
        world.put_back(core=False)
        await world.expire_lease()
        result = await world.poll()
        if not result or not result["success"]:
            assert await world.adopt()
        await _poll(world)
        await world.check()


async def test_lnbits_database_put_back_and_killed_while_it_pays_again(world: FaultWorld) -> None:
    moments, moment = 10**9, 10**9
    while moment > 0:
        await world.sell(1)
        await _poll(world)
        world.back_up(core=True)
        await world.sell(2)
        await _poll(world)
        world.put_back(core=True)
        await _poll(world)  # pays nothing of it again by itself
        lost = await world.admin.call("GET", f"{API}/adoption")
        assert (len(lost["lost_shares"]), lost["lost_moves"]) == (6, 3)
        world.arm(moment)
        await world.pay_again()
        if moment == 10**9:
            moments = world.disarm()
            moment = moments
        else:
            await world.restart()
        await _poll(world)
        left = await world.admin.call("GET", f"{API}/adoption")
        if left["lost_shares"] or left["lost_moves"]:
            await world.pay_again()
            await _poll(world)
        await world.check()
        moment -= _STRIDE

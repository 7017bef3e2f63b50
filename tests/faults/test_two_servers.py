"""Two LNbits on one PostgreSQL, and polls that meet: one works, the other is told so."""

import asyncio
import signal
from collections.abc import AsyncIterator

import psutil
import pytest

from demo.lnbits_server import LnbitsServer

from .world import FaultWorld

FULL = pytest.mark.faults


@pytest.fixture
async def world() -> AsyncIterator[FaultWorld]:
    async with FaultWorld("postgres") as made:
        yield made


@pytest.fixture
def second(world: FaultWorld) -> LnbitsServer:
    return world.second_server()


@pytest.mark.slow
async def test_polls_that_meet_do_the_work_once(world: FaultWorld, second: LnbitsServer) -> None:
    with second:
        for _ in range(3):
            await world.sell(2)
            answers = await asyncio.gather(
                *(world.poll(server) for server in [world.server, second] * 5)
            )
            done = [a for a in answers if a and a.get("success")]
            told = [a for a in answers if a and "conflict" in a]
            assert len(done) + len(told) == 10
            assert sum(a["planned"] for a in done) == 2
            assert all("running" in a["conflict"] for a in told)
            await world.check()


@FULL
async def test_one_that_stood_still_for_longer_than_its_lease(
    world: FaultWorld, second: LnbitsServer
) -> None:
    """Stopped at any commit, overtaken by the other server, and woken up again."""
    await world.sell(2)
    world.arm(10**9)
    await world.poll()
    moments = world.disarm()
    stopped = 0
    with second:
        for moment in range(1, moments):
            await world.sell(2)
            world.arm(moment, signal.SIGSTOP)
            asleep = asyncio.create_task(world.poll())
            process = await world.stopped_in(asleep)
            if process:
                stopped += 1
                await _overtake(world, second, process)
            world.disarm()
            await asleep
            await world.expire_lease()
            result = await world.poll(second)
            assert result and result.get("success"), (moment, result)
            await world.check()
    assert stopped >= (moments - 1) * 3 // 4
    print(f"{stopped} times stopped and overtaken, nothing lost or doubled")


async def _overtake(world: FaultWorld, second: LnbitsServer, process: psutil.Process) -> None:
    """The lease of the sleeper runs out, the other server polls, then the sleeper wakes up."""
    expiring = asyncio.create_task(world.expire_lease())
    await asyncio.wait({expiring}, timeout=1)  # the sleeper may hold the ledger's row
    overtaking = asyncio.create_task(world.poll(second))
    await asyncio.wait({overtaking}, timeout=3)
    world.disarm()
    process.send_signal(signal.SIGCONT)
    await asyncio.gather(expiring, overtaking)

"""The ATM's side in a crash round: its clock is hours off, or its database stands still."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from demo.sales import Sale

from .world import DATABASES, FaultWorld

pytestmark = pytest.mark.faults


@pytest.fixture(params=DATABASES)
async def world(request: pytest.FixtureRequest) -> AsyncIterator[FaultWorld]:
    async with FaultWorld(request.param) as made:
        yield made


async def _sell(world: FaultWorld, ahead: timedelta) -> None:
    """Two sales of just now, with the times that the ATM's clock gives them."""
    for _ in range(2):
        sale = Sale(created=datetime.now(timezone.utc) + ahead, fiat=Decimal(200))
        await world.lamassu.insert(sale)
        world.sold[str(sale.id)] = sale.atoms


@pytest.mark.parametrize("hours", [-2, 2])
async def test_killed_while_the_atms_clock_is_hours_off(world: FaultWorld, hours: int) -> None:
    """No sale waits for a person, and each is shared out among deposits of before it."""
    ahead = timedelta(hours=hours)
    await world.set_atms_clock(ahead)
    await _sell(world, ahead)
    world.arm(10**9)
    assert await world.poll()
    moments = world.disarm()
    await world.check()
    for moment in range(1, moments, 7):
        await _sell(world, ahead)
        world.arm(moment)
        await world.poll()
        await world.restart()
        result = await world.poll()
        assert result and result["success"], result
        await world.check()
    for row in await world.rows("SELECT * FROM lamassu_transactions"):
        assert (row["clients_count"], row["undistributed_sats"]) == (3, 0)
    print(f"{world.database}: crash points with a clock {hours} h off, nothing lost or held")


async def test_the_atms_backend_stands_still_and_lnbits_is_killed_in_the_next_poll(
    world: FaultWorld,
) -> None:
    """The poll ends by its own time-outs, and what stood still leaves nothing behind."""
    for moment in (9, 47):
        await world.sell(2)
        owner = await world.lamassu.connect()
        try:
            await owner.execute("BEGIN; LOCK TABLE cash_out_txs IN ACCESS EXCLUSIVE MODE")
            polling = asyncio.create_task(world.poll())
            process = await _waiting_backend(world)
            os.kill(process, signal.SIGSTOP)
            try:
                result = await polling
            finally:
                os.kill(process, signal.SIGCONT)
        finally:
            await owner.close()
        assert result and not result["success"] and result["error"], result
        world.arm(moment)
        await world.poll()
        await world.restart()
        result = await world.poll()
        assert result and result["success"], result
        await world.check()


async def _waiting_backend(world: FaultWorld) -> int:
    for _ in range(200):
        found = world.postgres.sql(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'satmachineclient' "
            "AND wait_event_type = 'Lock'"
        ).strip()
        if found:
            return int(found)
        await asyncio.sleep(0.1)
    raise TimeoutError("no poll reads the sales")

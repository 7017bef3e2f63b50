"""A day of hourly polls with a sale each: paid at each poll, or once on a daily schedule."""

import math
from datetime import timedelta
from typing import Any

from .meters import Meter
from .world import API, BenchWorld, now

_POLLS = 24
_CLIENTS, _QUICK = 1_000, 50
_WANTED = 20  # times as long as a daily schedule: a day paid at each poll is cut off there


async def run(world: BenchWorld, *, quick: bool) -> dict[str, Any]:
    """Seconds of the day either way, its one payout included.

    `polls`: of the day paid at each, so many were enough to take the wanted times as long.
    """
    clients = _QUICK if quick else _CLIENTS
    daily, _ = await _day(world, clients, "daily")
    each, polls = await _day(world, clients, "each_poll", daily * _WANTED)
    return {
        "polls": polls,
        "clients": clients,
        "daily_seconds": daily,
        "each_poll_seconds": each,
        "each_poll_to_daily": each / daily,
    }


async def _day(
    world: BenchWorld, clients: int, schedule: str, limit: float = math.inf
) -> tuple[float, int]:
    from satmachineclient import transaction_processor
    from satmachineclient.models import AuditEntry
    from satmachineclient.paying import decisions

    await world.clear()
    await world.add_clients(clients)
    far = (now() + timedelta(hours=12)).strftime("%H:%M")
    scheduled = {**world.config, "payout_schedule": schedule, "payout_time": far}
    await world.admin.call("POST", f"{API}/config", scheduled)
    seconds, paid, polls = 0.0, 0, 0
    try:
        while polls < _POLLS and seconds < limit:
            polls += 1
            await world.add_sales(1)
            with Meter() as meter:
                done = await transaction_processor.poll("hourly")
            if done.error:
                raise RuntimeError(done.error)
            seconds += meter.seconds
            paid += done.confirmed_payments
        if schedule == "daily":
            with Meter() as meter:
                settled = await decisions.pay_all_now(AuditEntry.of("bench", "all paid", ""))
            seconds += meter.seconds
            paid += settled.confirmed_payments
    finally:
        await world.admin.call("POST", f"{API}/config", world.config)
    if paid != clients * polls:
        raise RuntimeError(f"{paid} of {clients * polls} shares are paid")
    return seconds, polls

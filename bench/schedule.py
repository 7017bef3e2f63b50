"""A day of hourly polls with a sale each: paid at each poll, or once on a daily schedule."""

from datetime import timedelta
from typing import Any

from .meters import Meter
from .world import API, BenchWorld, now

_POLLS = 24
_CLIENTS, _QUICK = 1_000, 50


async def run(world: BenchWorld, *, quick: bool) -> dict[str, Any]:
    """Seconds of the day either way, its one payout included."""
    clients = _QUICK if quick else _CLIENTS
    daily = await _day(world, clients, "daily")
    each = await _day(world, clients, "each_poll")
    return {
        "polls": _POLLS,
        "clients": clients,
        "daily_seconds": daily,
        "each_poll_seconds": each,
        "each_poll_to_daily": each / daily,
    }


async def _day(world: BenchWorld, clients: int, schedule: str) -> float:
    from satmachineclient import transaction_processor
    from satmachineclient.models import AuditEntry
    from satmachineclient.paying import decisions

    await world.clear()
    await world.add_clients(clients)
    far = (now() + timedelta(hours=12)).strftime("%H:%M")
    scheduled = {**world.config, "payout_schedule": schedule, "payout_time": far}
    await world.admin.call("POST", f"{API}/config", scheduled)
    seconds, paid = 0.0, 0
    try:
        for _ in range(_POLLS):
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
    if paid != clients * _POLLS:
        raise RuntimeError(f"{paid} of {clients * _POLLS} shares are paid")
    return seconds

"""The one payout of a day to 5,000 clients, and what LNbits' other users feel meanwhile."""

from datetime import timedelta
from typing import Any

from .backlog import bare_loop
from .meanwhile import felt_during
from .meters import Meter, median, percentile
from .world import API, BenchWorld, now

_CLIENTS, _QUICK = 5_000, 50
# Payments of the bare loop that it is compared with, as many before it as after: LNbits sums all
# payments of the source wallet at each, and those are more and more.
_BARE = 250


async def run(world: BenchWorld, *, quick: bool) -> dict[str, Any]:
    """A poll that plans only, then the payout, each payment against one of the bare loop."""
    from satmachineclient import transaction_processor
    from satmachineclient.models import AuditEntry
    from satmachineclient.paying import decisions

    clients = _QUICK if quick else _CLIENTS
    await world.clear()
    await world.add_clients(clients)
    far = (now() + timedelta(hours=12)).strftime("%H:%M")
    scheduled = {**world.config, "payout_schedule": "daily", "payout_time": far}
    await world.admin.call("POST", f"{API}/config", scheduled)
    try:
        await world.add_sales(1)
        with Meter() as planning:
            planned = await transaction_processor.poll("hourly")
        bare = min(_BARE, clients)
        felt_bare, before, _ = await felt_during(world, bare_loop(world, bare))
        work = decisions.pay_all_now(AuditEntry.of("bench", "all paid", ""))
        felt, paying, settled = await felt_during(world, work)
        felt_after, after, _ = await felt_during(world, bare_loop(world, bare))
        felt_bare += felt_after
    finally:
        await world.admin.call("POST", f"{API}/config", world.config)
    if (planned.planned, settled.confirmed_payments) != (1, clients):
        raise RuntimeError(f"{settled.confirmed_payments} of {clients} shares are paid")
    each, each_bare = paying.seconds / clients, (before.seconds + after.seconds) / (2 * bare)
    return {
        "clients": clients,
        "planning_seconds": planning.seconds,
        "payout_seconds": paying.seconds,
        "payment_ms": each * 1000,
        "bare_payment_before_ms": before.seconds / bare * 1000,
        "bare_payment_after_ms": after.seconds / bare * 1000,
        "to_bare_payment": each / each_bare,
        "peak_mb": paying.peak_mb,
        "longest_own_step_ms": paying.ours_cpu * 1000,
        "others_median_to_bare": median(felt) / median(felt_bare),
        "others_p99_to_bare": percentile(felt, 99) / percentile(felt_bare, 99),
    }

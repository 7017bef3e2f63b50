"""How a poll grows with the clients of one sale, and with the sales for twenty clients."""

from typing import Any

from .backlog import timed_poll
from .meters import exponent, median
from .world import BenchWorld

_SIZES = {
    "clients, of one sale": [(1, 4), (1, 40), (1, 400)],
    "sales, for 20 clients": [(5, 20), (50, 20), (500, 20)],
}


async def run(world: BenchWorld, *, quick: bool) -> list[dict[str, Any]]:
    """Seconds of a poll at 1x, 10x and 100x; `quick` leaves the last out of the first."""
    found = []
    for name, sizes in _SIZES.items():
        points = []
        for number, (sales, clients) in enumerate(sizes):
            if quick and number == 2:
                continue
            rounds = 1 if quick or number == 2 else 3
            points.append(await _point(world, sales, clients, rounds))
        first, *_, last = points
        middle = points[1] if len(points) > 2 else first
        found.append(
            {
                "of": name,
                "points": points,
                **{
                    f"{part}_exponent": exponent(middle[part], last[part])
                    for part in ("poll_seconds", "planning_seconds", "settling_seconds")
                },
            }
        )
    return found


async def _point(world: BenchWorld, sales: int, clients: int, rounds: int) -> dict[str, Any]:
    runs = []
    for _ in range(rounds):
        await world.clear()
        await world.add_clients(clients)
        await world.add_sales(sales)
        timed = await timed_poll(world, sales * clients)
        runs.append((timed.meter.seconds, timed.planning, timed.meter.peak_mb))
    seconds, planning, peak = (median(list(values)) for values in zip(*runs, strict=True))
    return {
        "sales": sales,
        "clients": clients,
        "poll_seconds": seconds,
        "planning_seconds": planning,
        "settling_seconds": seconds - planning,
        "peak_mb": peak,
    }

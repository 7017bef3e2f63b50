"""Killed while it archives: each share is in one place, and the next one goes on."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.rig import API, TIMES

from .world import DATABASES, FaultWorld

pytestmark = pytest.mark.faults

_AGO = {"sqlite": "500 * 86400", "postgres": "INTERVAL '500 days'"}


@pytest.fixture(params=DATABASES)
async def world(request: pytest.FixtureRequest) -> AsyncIterator[FaultWorld]:
    async with FaultWorld(request.param) as made:
        yield made


async def _archive(world: FaultWorld, until: str) -> dict[str, Any] | None:
    """None if LNbits died in it."""
    url = f"{world.server.url}{API}/archive"
    try:
        answer = await world.admin.post(url, json={"until": until}, timeout=120)
    except httpx.TransportError:
        return None
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


async def _shares(world: FaultWorld) -> list[Any]:
    found = []
    for sale in await world.admin.call("GET", f"{API}/transactions"):
        path = f"{API}/transactions/{sale['id']}/distributions"
        found.append(await world.admin.call("GET", path))
    return found


async def test_killed_at_each_commit_of_archiving(world: FaultWorld) -> None:
    for _ in range(3):
        await world.sell()
        assert await world.poll()
    for table, columns in TIMES.items():
        back = ", ".join(f"{name} = {name} - {_AGO[world.database]}" for name in columns)
        await world.run(f"UPDATE {table} SET {back}")  # noqa: S608
    before = await _shares(world)
    until = (await world.admin.call("GET", f"{API}/archive"))["latest"]

    died = 0
    for moment in (1, 2, 3):  # before its commit, after it, and of the look whether there is more
        world.arm(moment)
        died += await _archive(world, until) is None
        await world.restart()
        numbers = [
            len(await world.rows(f"SELECT id FROM {table}"))  # noqa: S608
            for table in ("dca_payments", "dca_archived_shares")
        ]
        assert sum(numbers) == 9 and 0 in numbers  # three sales of three clients: one piece
        assert await _shares(world) == before
        assert (await world.admin.call("GET", f"{API}/reconciliation"))["ok"]
    assert died
    done = await _archive(world, until)
    assert done and done["done"]
    assert len(await world.rows("SELECT id FROM dca_archived_shares")) == 9
    assert await _shares(world) == before
    assert (await world.poll() or {})["success"]

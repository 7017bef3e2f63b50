"""From an older version with data in it to this one, while LNbits runs and polls."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from demo.audit import check_all, read_ledger
from demo.lnbits_api import EXTENSION
from demo.sales import Sale
from demo.world import World, build_world
from tests.release.shop import (
    Shop,
    assert_each_task_runs_once,
    open_shop,
    our_tasks,
    present_commit,
    release_of,
    unpack,
)
from tools.release import Release

OLD_VERSION = "0.2.0"
OLD_COMMIT = "ad9e501fa9d9240953914373b7d9fe21b38f6e7b"
_LISTS = ("clients", "deposits", "transactions", "payments/paginated", "polls", "audit")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with open_shop(tmp_path / "shop") as opened:
        yield opened


@dataclass
class Upgrading:
    """An operator's world on the older version, and the present release in the shop."""

    world: World
    shop: Shop
    release: Release

    async def upgrade(self) -> None:
        await self.shop.install(self.world.admin, self.release)


@asynccontextmanager
async def old_world(
    shop: Shop, folder: Path, *, on_postgres: bool, first_poll_seconds: int = 10**6
) -> AsyncIterator[Upgrading]:
    old = release_of(OLD_COMMIT)
    assert old.config["version"] == OLD_VERSION
    unpack(old, folder / "extensions")
    release = release_of(present_commit())
    shop.offer(release)
    environment = {
        **shop.environment(folder / "extensions"),
        "SATMACHINECLIENT_FIRST_POLL_SECONDS": str(first_poll_seconds),
    }
    async with build_world(lnbits_on_postgres=on_postgres, extra_env=environment) as world:
        yield Upgrading(world, shop, release)


@pytest.fixture
def on_postgres(pytestconfig: pytest.Config) -> bool:
    return bool(pytestconfig.getoption("--lnbits-db") == "postgres")


def _sales(number: int) -> list[Sale]:
    """So many customers, one after the other, the last one's cash out a moment ago."""
    now = datetime.now(timezone.utc)
    times = [now - timedelta(milliseconds=number - n) for n in range(number)]
    return [Sale(created=t, confirmed_at=t, cash_at=t, fiat=Decimal(40)) for t in times]


async def _everything(world: World) -> dict[str, list[dict[str, Any]]]:
    """All rows that the API shows, list by list, in the order of their ids."""
    found = {}
    for name in _LISTS:
        answer = await world.call("GET", f"/{name}" + ("?limit=1000" if "/" in name else ""))
        rows = answer["data"] if isinstance(answer, dict) else answer
        found[name] = sorted(rows, key=lambda row: str(row["id"]))
    for client in world.clients:
        balance = await world.call("GET", f"/clients/{client.id}/balance")
        found[f"balance of {client.name}"] = balance["balances"]
    config = await world.call("GET", "/config")
    return {**found, "config": [config]}


def _assert_kept(before: dict[str, list[dict[str, Any]]], after: dict[str, Any]) -> None:
    """Each row is there with each of its values; a newer version may show more of it."""
    for name, rows in before.items():
        assert len(after[name]) >= len(rows), name
        left = {_key(row): row for row in after[name]}
        for row in rows:
            assert _known(left[_key(row)], row) == row, name


def _known(now: Any, before: Any) -> Any:
    """What there is of what was there: fields that came later, at any depth, are left out."""
    if isinstance(before, dict) and isinstance(now, dict):
        return {key: _known(now.get(key), value) for key, value in before.items()}
    if isinstance(before, list) and isinstance(now, list) and len(now) == len(before):
        return [_known(*pair) for pair in zip(now, before, strict=True)]
    return now


def _key(row: dict[str, Any]) -> object:
    return row.get("id") or row.get("currency")


async def _assert_all_is_well(world: World, sales: list[Sale]) -> None:
    problems = {
        name: wrong for name, wrong in check_all(world, sales, await read_ledger(world)) if wrong
    }
    assert not problems
    assert (await world.call("GET", "/reconciliation"))["differences"] == []


@pytest.mark.slow
@pytest.mark.storage
async def test_an_upgrade_leaves_one_task_and_all_data(
    shop: Shop, tmp_path: Path, on_postgres: bool
) -> None:
    async with old_world(shop, tmp_path, on_postgres=on_postgres) as upgrading:
        world = upgrading.world
        sales = _sales(5)
        await world.lamassu.insert(*sales)
        assert (await world.call("POST", "/manual-poll"))["success"]
        before = await _everything(world)
        assert len(before["transactions"]) == 5

        await upgrading.upgrade()

        _assert_kept(before, await _everything(world))
        await assert_each_task_runs_once(world.admin)
        for path in ("/", "/static/image/tile.png"):
            assert (await world.admin.get(f"/{EXTENSION}{path}")).status_code == 200

        more = _sales(3)
        await world.lamassu.insert(*more)
        assert (await world.call("POST", "/manual-poll"))["success"]
        await _assert_all_is_well(world, sales + more)

        before, tasks = await _everything(world), await our_tasks(world.admin)
        world.lnbits.restart()
        _assert_kept(before, await _everything(world))
        assert await our_tasks(world.admin) == tasks


@pytest.mark.slow
async def test_an_upgrade_in_the_middle_of_a_poll_pays_everybody_once(
    shop: Shop, tmp_path: Path, on_postgres: bool
) -> None:
    async with old_world(shop, tmp_path, on_postgres=on_postgres) as upgrading:
        world = upgrading.world
        sales = _sales(60)
        await world.lamassu.insert(*sales)
        polling = asyncio.create_task(world.call("POST", "/manual-poll"))
        while not await world.call("GET", "/transactions"):
            await asyncio.sleep(0.02)

        await upgrading.upgrade()

        assert (await polling)["success"]
        await assert_each_task_runs_once(world.admin)
        more = _sales(2)
        await world.lamassu.insert(*more)
        assert (await world.call("POST", "/manual-poll"))["success"]
        await _assert_all_is_well(world, sales + more)


@pytest.mark.slow
async def test_the_background_task_polls_before_and_after(
    shop: Shop, tmp_path: Path, on_postgres: bool
) -> None:
    async with old_world(
        shop, tmp_path, on_postgres=on_postgres, first_poll_seconds=3
    ) as upgrading:
        world = upgrading.world
        sales = _sales(2)
        await world.lamassu.insert(*sales)
        await _until_polled(world, times=1)

        more = _sales(2)
        await world.lamassu.insert(*more)
        await upgrading.upgrade()
        await _until_polled(world, times=2)
        await _assert_all_is_well(world, sales + more)


async def _until_polled(world: World, times: int) -> None:
    for _ in range(300):
        polls = await world.call("GET", "/polls")
        if sum(1 for each in polls if each["status"] == "succeeded") >= times:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("no poll by itself within 30 s")

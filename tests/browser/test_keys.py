"""Own keys on the page: clients and partners set where their sats go on to, the operator looks."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest

from demo.sales import SECOND_MACHINE, Sale
from demo.world import World, build_world
from tests.browser.conftest import OpenPanel
from tests.browser.panel import PATH

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TITLE = "Own keys for your part of the commission"


@pytest.fixture(scope="module")
async def world() -> AsyncIterator[World]:
    """The demo's, with a world outside in which the first client has a wallet of their own."""
    async with build_world(forwards=True) as built:
        yield built


async def test_a_client_sets_tests_and_sees_their_own_keys(
    world: World, open_panel: OpenPanel
) -> None:
    assert world.outside
    bruno = world.clients[1]
    now = datetime.now(timezone.utc)
    await world.lamassu.insert(Sale(created=now, cash_at=now, fiat=Decimal(400)))
    await world.call("POST", "/manual-poll")
    panel = await open_panel(bruno.owner, path=f"{PATH}my")
    await panel.press("Set it up")
    dialog = panel.dialog("My own keys")
    await panel.fill("Destination", "nobody")
    await panel.press("Ask the destination", dialog)
    await panel.sees(re.compile("no Lightning address"), dialog)
    await panel.fill("Destination", world.outside.destination.lnurl)
    await panel.press("Ask the destination", dialog)
    await panel.sees(re.compile(r"takes 10 to 1,000,000 sats"), dialog)
    await panel.press("Send a test", dialog)
    await panel.sees(re.compile("test is on its way"), dialog)
    await _until_quiet(world)
    await panel.press("Save", dialog)
    await panel.says("Settings saved")
    await _until_quiet(world)
    sent = [f for f in await world.call("GET", "/forwards") if f["client_id"] == bruno.id]
    assert {(f["kind"], f["status"]) for f in sent} == {
        ("test", "confirmed"),
        ("forward", "confirmed"),
    }
    panel.errors[:] = [e for e in panel.errors if "/me/forward/ask" not in e]  # it refused "nobody"
    assert not await panel.is_too_wide()
    assert not await panel.nameless()


async def test_the_operator_sees_forwards(world: World, open_panel: OpenPanel) -> None:
    panel = await open_panel()
    await panel.tab("Forwards")
    await panel.sees("Bruno", panel.page.locator("tbody"))
    await panel.sees("Confirmed", panel.page.locator("tbody tr").first)
    assert not await panel.nameless()


async def test_a_partner_sets_their_own_keys_and_the_operator_sees_whose_they_are(
    world: World, open_panel: OpenPanel
) -> None:
    assert world.outside
    host = await world.open_second_machine()
    now = datetime.now(timezone.utc)
    sale = Sale(created=now, cash_at=now, fiat=Decimal(400), device_id=SECOND_MACHINE)
    await world.lamassu.insert(sale)
    await world.call("POST", "/manual-poll")
    panel = await open_panel(host, path=f"{PATH}my")
    keys = panel.page.get_by_role("region", name=TITLE)
    await panel.press("Set it up", keys)
    dialog = panel.dialog(TITLE)
    await panel.fill("Destination", world.outside.destination.lnurl)
    await panel.press("Ask the destination", dialog)
    await panel.sees("When my part ends, send everything that is left", dialog)
    await panel.press("Save", dialog)
    await panel.says("Settings saved")
    [sent] = await _until_quiet(world, "partner")
    assert sent["username"] == "Café Luna"
    assert not await panel.is_too_wide()
    assert not await panel.nameless()
    operator = await open_panel()
    await operator.tab("Forwards")
    row = operator.page.locator("tbody tr").filter(has_text="Café Luna")
    await operator.sees("Partner", row)


async def _until_quiet(world: World, owner: str = "client") -> list[Any]:
    """The forwards of clients, or of partners, once there are some and all have arrived."""
    for _ in range(120):
        await asyncio.sleep(0.5)
        forwards = [f for f in await world.call("GET", "/forwards") if f["owner"] == owner]
        if forwards and all(f["status"] == "confirmed" for f in forwards):
            return forwards
    raise AssertionError(forwards)

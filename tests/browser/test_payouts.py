"""The schedule of payouts, as the operator sets it and as a client sees it."""

import re
from collections.abc import AsyncIterator
from datetime import datetime, timezone
from decimal import Decimal

import pytest
from playwright.async_api import expect

from demo.sales import Sale
from demo.world import World
from tests.browser.conftest import OpenPanel
from tests.browser.panel import PATH, PHONE, configure

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
async def _each_poll_afterwards(world: World) -> AsyncIterator[None]:
    yield
    await configure(world, payout_schedule="each_poll", payout_min_sats=None)
    await world.call("POST", "/payouts/now")


async def test_what_waits_is_shown_and_paid_at_once_if_wanted(
    world: World, open_panel: OpenPanel
) -> None:
    panel = await open_panel()
    await panel.press("Configure Database")
    dialog = panel.dialog("Configure Database")
    await dialog.get_by_text("Wallets", exact=True).click()
    await panel.choose("Clients are paid", "Weekly")
    await panel.choose("Day", "Friday")
    await panel.fill("Time of day", "25:00")
    await panel.press("Save", dialog)
    await panel.sees("Time of day: as HH:MM, such as 09:00", dialog)
    await panel.fill("Time of day", "18:30")
    await panel.press("Save", dialog)
    await panel.says("Configuration saved")
    saved = await world.call("GET", "/config")
    fields = ("payout_schedule", "payout_weekday", "payout_time", "payout_min_sats")
    assert [saved[name] for name in fields] == ["weekly", 4, "18:30", None]
    await world.call("POST", "/manual-poll")  # the run that begins the rhythm
    await world.lamassu.insert(Sale(created=datetime.now(timezone.utc), fiat=Decimal(200)))
    polled = await world.call("POST", "/manual-poll")
    assert (polled["planned"], polled["confirmed_payments"]) == (1, 0)

    await panel.page.reload()
    await panel.sees(re.compile("sats wait for the next payout"))
    await panel.sees(re.compile("^Next payout: "))
    await expect(panel.page.get_by_text(re.compile("payments? wait"))).to_have_count(0)
    ana = next(client for client in world.clients if client.name == "Ana")
    theirs = await open_panel(account=ana.owner, path=PATH, size=PHONE)
    await theirs.sees("Next payout")
    await theirs.sees(re.compile("on their way|not paid yet"))
    assert not await theirs.is_too_wide()
    await theirs.press("Change")
    await theirs.fill("Smallest payout", "2500")
    await theirs.press("Save")
    await theirs.sees("2,500 sats")

    await panel.press("Pay all now")
    question = panel.dialog("Pay all now")
    await panel.sees("Sum", question)
    await panel.press("Pay all now", question)
    await panel.says(re.compile("sats paid"))
    await expect(panel.page.get_by_role("button", name="Pay all now")).to_have_count(0)
    await world.call("PUT", f"/clients/{ana.id}", {"payout_min_sats": None})

"""Cash-ins on the page: chosen, warned of, and told apart from cash-outs."""

import re
from collections.abc import AsyncIterator
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from playwright.async_api import expect

from demo.cash_in import CashIn
from demo.world import World
from tests.browser.conftest import OpenPanel
from tests.browser.panel import configure

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
async def _cash_outs_before_and_after(world: World) -> AsyncIterator[None]:
    await configure(world, direction="cash_out")
    yield
    await configure(world, direction="cash_out", max_sats_per_transaction=None)


def bought(**fields: Any) -> CashIn:
    return CashIn(
        created=datetime.now(timezone.utc),
        raw_ticker_price=Decimal("750000.00000"),
        commission_percentage=Decimal("0.05000"),
        cash_in_fee=Decimal("10.00000"),
        **fields,
    )


async def test_cash_ins_are_chosen_with_a_warning_and_shown_as_such(
    world: World, open_panel: OpenPanel
) -> None:
    await world.admin.top_up(world.source, 1_000_000)
    await world.lamassu.insert(bought(notes=(200, 200, 100)))
    panel = await open_panel()
    await panel.press("Configure Database")
    dialog = panel.dialog("Configure Database")
    await dialog.get_by_text("Polling", exact=True).click()
    warning = dialog.get_by_text("This adds sales that were left alone so far.")
    await expect(warning).to_have_count(0)
    await panel.choose("Sales that are shared out", "Both")
    await expect(warning).to_be_visible()
    await panel.sees(re.compile("It is never credited"), dialog)
    await panel.press("Test connection", dialog)
    await panel.sees(re.compile("cash_in_txs can be read."), dialog)
    await dialog.get_by_text("Connection", exact=True).click()
    await panel.unfold("A database user with the least rights", dialog)
    await panel.sees(re.compile("cash_ins CONSTANT boolean := true;"), dialog)
    await panel.press("Save", dialog)
    await panel.says("Configuration saved")
    assert (await world.call("GET", "/config"))["direction"] == "both"

    await panel.press("Manual Poll")
    await panel.sees(re.compile("1 not seen before, 1 shared out"))
    await panel.press("Close", panel.dialog("Manual Poll"))
    await panel.tab("Transactions")
    await panel.choose("Direction", "Cash-out")
    await panel.choose("Direction", "Cash-in")
    await expect(panel.page.locator("tbody tr")).to_have_count(2)  # the sale, and the totals
    await panel.sees("Cash-in", panel.page.locator("tbody tr").first)
    await panel.press(re.compile("^Details of the sale of"))
    card = panel.dialog("Transaction")
    await panel.sees("Cash-in", card)
    await panel.sees("What the customer was sent", card)
    await panel.sees(re.compile(r"62,200 × 0\.05 \+ GTQ\s10 / GTQ\s750,000"), card)
    await panel.sees("4,443 sats", card)
    await panel.press("Close", card)
    await panel.tab("Clients")
    await panel.page.get_by_role("link", name="Ana").first.click()
    await panel.sees("Cash-in", panel.dialog("Client"))


async def test_a_reviewed_cash_in_asks_for_no_part_of_its_cash(
    world: World, open_panel: OpenPanel
) -> None:
    await world.admin.top_up(world.source, 1_000_000)
    await configure(world, direction="both", max_sats_per_transaction=1000)
    await world.lamassu.insert(bought())
    assert (await world.call("POST", "/manual-poll"))["reviews"] == 1
    panel = await open_panel()
    await panel.tab("Transactions")
    await panel.choose("Status", "Needs review")
    await panel.press(re.compile("^Details of the sale of"))
    await panel.press("Distribute", panel.dialog("Transaction"))
    question = panel.dialog("Distribute this sale?")
    await panel.sees("Sent to the customer", question)
    await panel.sees("Cash-in", question)
    await expect(question.get_by_text("Cash that really came out")).to_have_count(0)
    await panel.press("Distribute", question)
    await panel.says("Sale distributed")
    page = await world.call("GET", "/transactions/paginated?direction[eq]=cash_in&limit=1")
    assert page["data"][0]["direction"] == "cash_in"
    statuses = {row["status"] for row in page["data"]}
    assert statuses == {"settled"}

"""What the configuration's dialog offers beside its fields, and decisions on a planned sale."""

import re
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.async_api import expect

from demo.sales import Sale
from demo.world import World
from tests.browser.conftest import OpenPanel
from tests.browser.panel import configure

pytestmark = pytest.mark.browser

ROLE = Path(__file__).parents[2] / "static/sql/role.sql"


async def test_the_roles_sql_is_the_one_in_its_file(open_panel: OpenPanel) -> None:
    panel = await open_panel()
    await panel.press("Configure Database")
    dialog = panel.dialog("Configure Database")
    await panel.fill("User name", "o'reader")
    await panel.unfold("A database user with the least rights", dialog)
    await panel.sees(re.compile("reader CONSTANT text"), dialog)
    shown = await dialog.locator("pre").inner_text()
    assert shown.strip() == ROLE.read_text().strip().replace("'dca_ro'", "'o''reader'", 1)


async def test_a_stored_secret_can_be_removed(world: World, open_panel: OpenPanel) -> None:
    config = await world.call("GET", "/config")
    assert config["has_ssh_private_key"]
    await configure(world, ssh_password="one of its own")
    assert (await world.call("GET", "/config"))["has_ssh_password"]
    panel = await open_panel()
    await panel.press("Configure Database")
    dialog = panel.dialog("Configure Database")
    await dialog.get_by_text("SSH tunnel", exact=True).click()
    remove = dialog.get_by_role("checkbox", name="Remove the stored one")
    await expect(remove).to_have_count(2)  # the key and the password
    for each in await remove.all():
        await expect(each).to_have_attribute("aria-checked", "false")
    await remove.last.click()
    await panel.press("Save", dialog)
    await panel.says("Configuration saved")
    after = await world.call("GET", "/config")
    assert (after["has_ssh_private_key"], after["has_ssh_password"]) == (True, False)


async def test_another_machines_database_is_named_after_a_question(
    world: World, open_panel: OpenPanel
) -> None:
    panel = await open_panel()
    await panel.press("Configure Database")
    dialog = panel.dialog("Configure Database")
    await panel.fill("Database name", "lamassu2")
    await panel.sees("The database is now read in another place.", dialog)
    await panel.fill("Database name", "lamassu")
    await dialog.get_by_role("switch", name="This is another machine\u2019s database").click()
    await panel.press("Save", dialog)
    question = panel.dialog("Another machine\u2019s database?")
    await panel.sees(re.compile("Sales that are known by id and amounts are not shared"), question)
    await panel.press("Save as another database", question)
    await panel.says("Configuration saved")
    assert (await world.call("GET", "/config"))["database_number"] == 2
    # It is said once: what is saved later says nothing of it.
    await panel.press("Configure Database")
    await panel.press("Save", dialog)
    await panel.says("Configuration saved")
    assert (await world.call("GET", "/config"))["database_number"] == 2


async def test_currencies_of_today_can_be_chosen(open_panel: OpenPanel) -> None:
    """Also those that LNbits does not know."""
    panel = await open_panel()
    await panel.press("Test Transaction")
    await panel.choose("Currency", "XCG", typed="XCG")


async def test_a_planned_sale_of_which_nothing_moved_is_taken_back(
    world: World, open_panel: OpenPanel
) -> None:
    await configure(world, payout_schedule="weekly", payout_time="00:00", payout_weekday=0)
    await world.call("POST", "/manual-poll")
    await world.lamassu.insert(Sale(created=datetime.now(timezone.utc), fiat=Decimal(240)))
    assert (await world.call("POST", "/manual-poll"))["planned"] == 1
    before = (await world.call("GET", "/overview"))["pools"]
    panel = await open_panel()
    await panel.tab("Transactions")
    await panel.press(re.compile("^Details of the sale of"))
    await panel.press("Take back", panel.dialog("Transaction"))
    question = panel.dialog("Take this sale back?")
    await question.get_by_role("textbox").fill("the machine was tested")
    await panel.press("Take back", question)
    await panel.says("Sale taken back")
    page = await world.call("GET", "/transactions/paginated?limit=1")
    assert page["data"][0]["status"] == "dismissed"
    assert (await world.call("GET", "/overview"))["pools"] != before
    await configure(world, payout_schedule="each_poll")

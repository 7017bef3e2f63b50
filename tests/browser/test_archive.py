"""Old shares below the audit log: asked for a month, archived, and told in the audit log."""

import sqlite3
from datetime import datetime, timezone

import pytest
from playwright.async_api import expect

from demo.sales import Sale
from demo.world import World
from tests.browser.conftest import OpenPanel
from tests.rig import TIMES

pytestmark = pytest.mark.browser


async def test_an_operator_archives_old_shares(world: World, open_panel: OpenPanel) -> None:
    await world.lamassu.insert(Sale(created=datetime.now(timezone.utc)))
    assert (await world.call("POST", "/manual-poll"))["success"]
    with sqlite3.connect(world.lnbits.stored, timeout=30) as database:
        for table, columns in TIMES.items():
            back = ", ".join(f"{name} = {name} - 500 * 86400" for name in columns)
            database.execute(f"UPDATE {table} SET {back}")  # noqa: S608
    offered = await world.call("GET", "/archive")
    assert offered["open_shares"]

    panel = await open_panel()
    await panel.tab("Audit")
    facts = panel.page.get_by_text("Shares that could be, up to ").locator("xpath=../..")
    await expect(facts).to_contain_text(f"{_named(offered['latest'])}{offered['open_shares']}")
    assert await panel.nameless() == []
    await panel.press("Archive old shares")
    dialog = panel.dialog("Old shares")
    month = offered["months"][0]["month"]
    chosen = dialog.get_by_role("combobox", name="Up to the month")
    await expect(chosen).to_have_value(_named(month))
    await panel.press("Archive old shares", dialog)
    await panel.says("Archived: ")
    await panel.sees(f"archived the shares up to {month}")
    archived = await world.call("GET", "/archive")
    assert archived["open_shares"] == 0, archived
    await expect(panel.page.get_by_role("button", name="Archive old shares")).to_be_hidden()
    assert (await world.call("GET", "/reconciliation"))["ok"]


def _named(month: str) -> str:
    return datetime.fromisoformat(f"{month}-01").strftime("%B %Y")

"""The report in the panel: looked at by machine and day, totals, printed, taken away."""

import json
import re
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.async_api import expect

from demo.sales import Sale
from demo.world import World
from tests.browser.conftest import OpenPanel
from tests.browser.panel import PHONE

pytestmark = pytest.mark.browser


async def test_an_operator_looks_at_the_books_and_takes_them_away(
    world: World, open_panel: OpenPanel, tmp_path: Path
) -> None:
    time = datetime.now(timezone.utc)
    await world.lamassu.insert(
        Sale(created=time, confirmed_at=time, cash_at=time, fiat=Decimal(200))
    )
    assert (await world.call("POST", "/manual-poll"))["success"]
    panel = await open_panel(dark=False)
    page = panel.page
    await page.goto("/satmachineclient/?tab=report")
    await panel.sees("sats, not paid yet")
    await expect(page.get_by_role("row", name="Total").first).to_be_visible()
    await panel.choose("By", "Machine")
    await expect(page.get_by_role("columnheader", name="Machine")).to_be_visible()
    await expect(page.get_by_role("row", name="Kiosk")).to_be_visible()  # after its header
    rows = await page.get_by_role("row").count() - 2  # without the headers and the total
    await panel.sees(re.compile(rf"^1–{rows} of {rows}$"))
    assert not await panel.is_too_wide()
    assert await panel.nameless() == []

    taken = await panel.download("Download the report", "JSON", tmp_path)
    assert taken.name.endswith("-by-machine.json")
    found = json.loads(taken.read_text())
    assert found["by"] == "machine"
    assert sum(row["sales"] for row in found["rows"]) >= 1
    name = "Journal for hledger"
    journal = (await panel.download("Download the report", name, tmp_path)).read_text()
    assert "Income:Commission" in journal

    await page.emulate_media(media="print")
    await expect(page.get_by_role("tab", name="Report")).to_be_hidden()
    await expect(page.get_by_role("button", name="Print the report")).to_be_hidden()
    await expect(page.get_by_role("button", name="Manual Poll")).to_be_hidden()
    await expect(page.get_by_role("row", name="Total").first).to_be_visible()
    await page.emulate_media(media="screen")

    await page.get_by_label("From", exact=True).fill("2100-01-01")
    await panel.sees("lies in the future")
    panel.errors.clear()  # the browser itself speaks of the answer 400


async def test_on_a_phone_in_spanish_and_dark_it_fits(world: World, open_panel: OpenPanel) -> None:
    panel = await open_panel(language="es", size=PHONE)
    await panel.page.goto("/satmachineclient/?tab=report")
    await panel.sees("Sats de clientes, aún sin pagar")
    assert not await panel.is_too_wide()

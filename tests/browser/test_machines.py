"""Machines, the cash book and partners, as an operator and a shop's owner see and use them."""

import os
import re
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from demo.lnbits_api import Account
from demo.sales import SECOND_MACHINE, Sale
from demo.world import World
from tests.browser.conftest import OpenPanel
from tests.browser.panel import DESKTOP, PATH, PHONE, Panel

pytestmark = pytest.mark.browser

SHOTS = os.environ.get("SATMACHINE_SHOTS")


async def shot(panel: Panel, name: str) -> None:
    """A picture to look at, if a folder for it is named."""
    if SHOTS:
        await panel.page.wait_for_timeout(700)
        await panel.page.screenshot(path=Path(SHOTS, f"{name}.png"), full_page=True)


@pytest.fixture(scope="module")
async def host(world: World) -> Account:
    """The shop's owner; a sale was made at each machine."""
    account = await world.open_second_machine()
    time = datetime.now(timezone.utc)
    given: dict[str, Any] = {"created": time, "confirmed_at": time, "cash_at": time}
    await world.lamassu.insert(
        Sale(**given, fiat=Decimal(400), device_id=SECOND_MACHINE), Sale(**given, fiat=Decimal(200))
    )
    result = await world.call("POST", "/manual-poll")
    assert result["success"], result
    return account


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_the_tabs_fit_and_can_be_read(
    open_panel: OpenPanel, host: Account, size: dict[str, int], language: str
) -> None:
    dark = language == "en"
    panel = await open_panel(language=language, size=size, dark=dark)
    for tab, name in (
        ({"en": "Machines", "es": "Máquinas"}[language], "machines"),
        ({"en": "Partners", "es": "Socios"}[language], "partners"),
    ):
        await panel.tab(tab)
        await panel.sees("Café Luna")
        await shot(panel, f"{name}-{language}-{size['width']}")
        assert not await panel.is_too_wide()
        assert await panel.nameless() == []


async def test_an_operator_counts_renames_and_sees_whether_the_cash_is_there(
    open_panel: OpenPanel, host: Account
) -> None:
    panel = await open_panel()
    await panel.tab("Machines")
    await panel.press("Count the cash in Café Luna")
    dialog = panel.dialog("Count the cash in Café Luna")
    await panel.fill("Amount counted, in GTQ", "1234.50")
    await panel.press("Count cash", dialog)
    await panel.says("The count is written down")
    await panel.sees(re.compile(r"1,234\.50"))
    await panel.press("Rename Café Luna")
    dialog = panel.dialog("Rename Café Luna")
    await panel.fill("Your name for it", "Zona 10")
    await panel.press("Rename", dialog)
    await panel.sees("Zona 10")
    await panel.press("Rename Zona 10")
    dialog = panel.dialog("Rename Zona 10")
    await panel.fill("Your name for it", "")
    await panel.press("Rename", dialog)
    again = panel.page.get_by_role("button", name="Rename Café Luna")  # its dialog says it, too
    await expect(again).to_be_visible()


async def test_a_deposit_names_its_machine_and_a_sale_shows_whose_the_commission_is(
    open_panel: OpenPanel, world: World, host: Account
) -> None:
    panel = await open_panel()
    await panel.tab("Deposits")
    await panel.press("Add deposit")
    dialog = panel.dialog("Add deposit")
    await panel.choose("Client", "Bruno", "Bruno")
    await panel.fill("Amount of cash", "70")
    await panel.choose("Where the cash lies", "Café Luna")
    await shot(panel, "deposit-dialog")
    await panel.press("Add deposit", dialog)
    await panel.says("recorded")
    deposits = await world.call("GET", "/deposits")
    assert (deposits[0]["device_id"], deposits[0]["amount"]) == (SECOND_MACHINE, "70.00")
    await panel.tab("Transactions")
    await panel.page.get_by_text("Café Luna").first.click()
    dialog = panel.dialog("Transaction")
    await panel.sees("Whose the commission is", dialog)
    await panel.sees("Your own", dialog)
    await shot(panel, "transaction-dialog")


async def test_a_partner_is_added_changed_and_ended_on_the_page(
    open_panel: OpenPanel, host: Account
) -> None:
    wallet = await host.create_wallet("second")
    panel = await open_panel()
    await panel.tab("Partners")
    await panel.press("Add a partner")
    dialog = panel.dialog("Add a partner")
    await panel.fill("Name", "Technician")
    await panel.fill("Wallet id", wallet.id)
    await panel.fill("Part of the commission", "2.5")
    await shot(panel, "partner-dialog")
    await panel.press("Add a partner", dialog)
    await panel.sees("Technician")
    await panel.press("End the part of Technician")
    await panel.press("End", panel.dialog("End the part of Technician"))
    await expect(panel.page.get_by_text("Ended").first).to_be_visible()


async def test_the_shops_owner_sees_their_part_and_saves_its_statement(
    open_panel: OpenPanel, host: Account, tmp_path: Path
) -> None:
    panel = await open_panel(host, path=f"{PATH}my", size=PHONE)
    await panel.sees("Your part of the commission")
    await panel.sees(re.compile("20 % of the commission: Café Luna"))
    await shot(panel, "my-partner-phone")
    assert not await panel.is_too_wide()
    button = panel.page.get_by_role("button", name=re.compile("^Statement of"))
    saved = await panel.save(button.first, tmp_path)
    assert "Café Luna" in saved.read_text()

"""Alerts in the panel, and a client's goal under My DCA."""

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from demo.lnbits_api import Account
from demo.world import API, World
from tests.browser.conftest import OpenPanel
from tests.browser.panel import PATH, PHONE, Panel

pytestmark = pytest.mark.browser


async def test_an_operator_sets_limits_and_sees_what_was_told(
    world: World, open_panel: OpenPanel
) -> None:
    panel = await open_panel()
    page = panel.page
    await page.get_by_role("tab", name="Alerts").click()
    await page.get_by_role("button", name="Alert settings").click()
    dialog = page.get_by_role("dialog", name="Alert settings")
    await dialog.get_by_label("Source wallet below (sats)").fill("900000000")
    await dialog.get_by_role("button", name="Save and send a test").click()
    await expect(dialog.get_by_text("No webhook is set.")).to_be_visible()
    await dialog.get_by_role("button", name="Save", exact=True).click()
    await expect(dialog).not_to_be_visible()
    settings = await world.call("GET", "/alerts/settings")
    assert settings["source_wallet_below_sats"] == 900_000_000
    assert (await world.call("POST", "/manual-poll"))["success"]
    await page.reload()
    await page.get_by_role("tab", name="Alerts").click()
    await expect(page.get_by_text("Source wallet is low")).to_be_visible()
    await page.goto("/satmachineclient/?tab=deposits")
    tab = page.get_by_role("tab", name="Deposits")
    await expect(tab).to_have_attribute("aria-selected", "true")
    await world.call("PUT", "/alerts/settings", {"source_wallet_below_sats": 0})


async def picture(panel: Panel, name: str) -> None:
    """For who wants to look: into the folder that SATMACHINE_PICTURES names."""
    if folder := os.environ.get("SATMACHINE_PICTURES"):
        await panel.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@pytest.mark.parametrize(
    ("language", "says", "button"),
    [
        ("en", "The source wallet holds", "Go there"),
        ("es", "La billetera de origen tiene", "Ir allí"),
    ],
)
@pytest.mark.parametrize("look", [{"dark": True}, {"dark": False}, {"size": PHONE}], ids=str)
async def test_an_alert_is_read_in_the_pages_language_and_leads_to_its_place(
    world: World,
    open_panel: OpenPanel,
    language: str,
    says: str,
    button: str,
    look: dict[str, Any],
) -> None:
    await world.call("PUT", "/alerts/settings", {"source_wallet_below_sats": 900_000_000})
    await world.call("POST", "/manual-poll")
    panel = await open_panel(path=f"{PATH}?tab=alerts", language=language, **look)
    page = panel.page
    text = page.get_by_text(says).first
    await expect(text).to_be_visible()
    await picture(panel, f"alerts-{language}-{'-'.join(map(str, look))}-{look.get('dark', '')}")
    row = page.locator("tbody tr, .q-table__grid-content .q-card").filter(has_text=says).first
    await row.get_by_role("button", name=button).first.click()
    overview = page.get_by_role("tab").first
    await expect(overview).to_have_attribute("aria-selected", "true")
    await world.call("PUT", "/alerts/settings", {"source_wallet_below_sats": 0})


@pytest.fixture(scope="module")
async def saver(world: World) -> Account:
    """A client with cash in the machine, who has bought nothing yet."""
    api = world.lnbits.api()
    account = await api.register("goalie", "a password of theirs")
    wallet = await account.create_wallet("savings")
    body = {"wallet_id": wallet.id, "username": "Goalie", "dca_mode": "flow"}
    client = await world.call("POST", "/clients", body)
    body = {"client_id": client["id"], "amount": "1000", "currency": "GTQ"}
    await world.call("POST", "/deposits", body)
    return account


@pytest.mark.parametrize(
    ("language", "look"),
    [("en", {"dark": True}), ("es", {"dark": False}), ("es", {"size": PHONE})],
    ids=["dark", "light in Spanish", "phone in Spanish"],
)
async def test_a_client_sets_a_goal_and_chooses_what_to_hear_of(
    world: World, open_panel: OpenPanel, saver: Account, language: str, look: dict[str, Any]
) -> None:
    words = {
        "en": ("Set", "Goal and notices", "Goal", "Counted in", "Cash turned", "Save", "a day"),
        "es": ("Fijar", "Meta y avisos", "Meta", "Se cuenta en", "Efectivo", "Guardar", "al día"),
    }[language]
    panel = await open_panel(saver, path=f"{PATH}my", language=language, **look)
    page = panel.page
    await page.get_by_role("button", name=words[0], exact=True).click()
    dialog = page.get_by_role("dialog", name=words[1])
    await dialog.get_by_label(words[2], exact=True).fill("500000")
    await dialog.locator("input[type=date]").fill("2036-01-01")
    cash_low = dialog.get_by_role("checkbox").nth(1)
    before = await cash_low.get_attribute("aria-checked")
    await cash_low.click()
    await picture(panel, f"goal-dialog-{language}-{'-'.join(look)}")
    await dialog.get_by_role("button", name=words[5], exact=True).click()
    await expect(dialog).not_to_be_visible()
    await expect(page.get_by_text(words[6])).to_be_visible()
    await picture(panel, f"goal-{language}-{'-'.join(look)}")
    goal = await saver.call("GET", f"{API}/me/goal")
    assert (goal["sats"], goal["by"], goal["percent"]) == (500_000, "2036-01-01", 0)
    assert int(goal["per_day"]) > 0
    notices = await saver.call("GET", f"{API}/me/notices")
    assert sorted(notices.values()) == ([False] + [True] * 4 if before == "true" else [True] * 5)

    await page.get_by_role("button", name=words[0], exact=True).click()
    await dialog.get_by_label(words[3]).click()
    await page.get_by_role("option", name=words[4]).click()
    await dialog.get_by_label(words[2], exact=True).fill("750.50")
    await dialog.get_by_role("button", name=words[5], exact=True).click()
    await expect(dialog).not_to_be_visible()
    goal = await saver.call("GET", f"{API}/me/goal")
    assert (goal["sats"], goal["fiat"], goal["currency"]) == (None, "750.50", "GTQ")
    await saver.call("PUT", f"{API}/me/goal", {})

"""From an installation that nothing was done to, to sats in a client's wallet: all on the page."""

import re
from datetime import datetime, timezone
from decimal import Decimal

import pytest
from playwright.async_api import expect

from demo.sales import Sale
from demo.world import World
from tests.browser.conftest import Fresh, OpenPanel
from tests.browser.panel import Panel

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def test_from_nothing_to_the_first_payout(
    world: World, fresh: Fresh, open_panel: OpenPanel
) -> None:
    await world.lamassu.clear()  # of the sales of other tests
    panel = await open_panel(fresh.admin, url=fresh.url)
    await panel.sees("0 of 6 done")
    await make_a_wallet(panel)
    await panel.sees("1 of 6 done")
    await set_up_the_connection(panel, world, fresh)
    await panel.sees("2 of 6 done")
    await panel.press("Test it")
    await panel.sees("The connection works; sales can be read.")
    await panel.press("Close", panel.dialog("Connection test"))
    await panel.sees("3 of 6 done")
    await add_the_client(panel)
    await panel.sees("4 of 6 done")
    await add_and_confirm_a_deposit(panel)
    await panel.sees("5 of 6 done")
    sale = Sale(created=datetime.now(timezone.utc), fiat=Decimal(200))
    await world.lamassu.insert(sale)

    await panel.press("Poll now")

    result = panel.page.locator("[data-poll-result]")
    await panel.sees("1 sale found, 1 not seen before, 1 shared out.", result)
    await panel.sees(re.compile("^1 payment made: "), result)
    await panel.press("Close", panel.dialog("Manual Poll"))
    await expect(panel.page.get_by_text("From zero to the first payout")).to_have_count(0)
    await panel.tab("Transactions")
    await panel.sees("Settled")
    base = round(sale.atoms / Decimal("1.055"))
    assert await fresh.client.balance(fresh.wallet) == base


async def make_a_wallet(panel: Panel) -> None:
    await panel.press("Make a wallet")
    await panel.fill("Name of the wallet", "ATM source")
    await panel.press("Make a wallet", panel.dialog("New wallet"))
    await panel.says("Wallet made")


async def set_up_the_connection(panel: Panel, world: World, fresh: Fresh) -> None:
    await panel.press("Set up")
    dialog = panel.dialog("Configure Database")
    login = world.lamassu.login()
    await panel.fill("Database host", str(login["host"]))
    await panel.fill("Port", str(login["port"]))
    await panel.fill("User name", str(login["username"]))
    await panel.fill("Password", str(login["password"]))
    await panel.unfold("A database user with the least rights", dialog)
    await panel.sees("GRANT CONNECT ON DATABASE", dialog)
    await panel.press("Next", dialog)
    await panel.fill("SSH host", fresh.ssh.host)
    await panel.fill("SSH port", str(fresh.ssh.port))
    await panel.fill("SSH user name", fresh.ssh.username)
    await panel.fill("SSH password", fresh.ssh.password or "")
    await panel.press("Test connection", dialog)
    await panel.sees(fresh.ssh.fingerprint, dialog)
    await panel.press("Accept this key", dialog)
    await panel.press("Test connection", dialog)
    await panel.sees("The connection works; sales can be read.", dialog)
    await panel.press("Next", dialog)
    await panel.choose("Source wallet", re.compile("ATM source"))
    await dialog.get_by_text("Credit the source wallet with each sale").click()
    await panel.press("Next", dialog)
    await panel.press("Save", dialog)
    await panel.press("Save with crediting")
    await panel.says("Configuration saved")


async def add_the_client(panel: Panel) -> None:
    await panel.press("Add a client")
    dialog = panel.dialog("Client")
    await panel.choose("LNbits user", "dora", typed="dor")
    await panel.choose("Their wallet", "Dora's savings")
    await panel.fill("Name", "Dora")
    await panel.press("Add client", dialog)
    await panel.says("Client added")


async def add_and_confirm_a_deposit(panel: Panel) -> None:
    await panel.press("Add a deposit")
    dialog = panel.dialog("Add deposit")
    await panel.choose("Client", "Dora", typed="Do")
    await panel.fill("Amount of cash", "500")
    await panel.choose("Currency", "GTQ", typed="GTQ")
    await panel.press("Add deposit", dialog)
    await panel.says("Deposit of GTQ 500.00 recorded")
    await panel.press("Confirm deposit")
    await panel.press("Confirm deposit", panel.page.get_by_role("alertdialog"))
    await panel.says("Deposit confirmed")

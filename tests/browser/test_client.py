"""My DCA and statements: what a client does on the page, and what the operator does with them."""

import csv
import io
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Locator, expect

from demo.lnbits_api import Account, Wallet
from demo.sales import Sale
from demo.world import API, World
from tests.browser.conftest import OpenPanel
from tests.browser.panel import PATH, PHONE, Panel

pytestmark = pytest.mark.browser

MY = f"{PATH}my"
PROGRAMME: dict[str, object] = {
    "registration": "approval",
    "terms": "1. This is not a bank.\n2. Sales come when they come.",
    "deposit_instructions": "Kiosk in Zona 1, Monday to Friday.",
    "currency": "GTQ",
    "smallest_daily_limit": "20.00",
    "largest_daily_limit": "1000.00",
}


@dataclass
class Saver:
    """A user of LNbits, the wallet they save to, and, once registered, their client's id."""

    account: Account
    wallet: Wallet
    id: str = ""

    async def call(self, method: str, path: str, body: dict[str, object] | None = None) -> Any:
        return await self.account.call(method, API + path, body)


@pytest.fixture(scope="module")
async def users(world: World) -> AsyncIterator[dict[str, Saver]]:
    """Users who are no clients yet, under an operator's programme."""
    await world.call("PUT", "/programme", PROGRAMME)
    api = world.lnbits.api()
    users = {}
    for name in ("dora", "erik", "fina", "gabo", "hugo"):
        account = await api.register(name, "a password of theirs")
        users[name] = Saver(account, await account.create_wallet(f"{name.title()}'s savings"))
    yield users
    await api.close()


@pytest.fixture(scope="module")
async def savers(world: World, users: dict[str, Saver]) -> dict[str, Saver]:
    """Clients with cash in the machine and a first sale behind them."""
    await world.call("PUT", "/programme", {"registration": "open"})
    savers = {name: users[name] for name in ("fina", "gabo", "hugo")}
    for name, saver in savers.items():
        body = {
            "wallet_id": saver.wallet.id,
            "dca_mode": "flow",
            "username": name.title(),
            "accept_terms": True,
        }
        saver.id = (await saver.call("POST", "/registration", body))["id"]
        cash = {"client_id": saver.id, "amount": "600.00", "currency": "GTQ", "notes": "envelope"}
        deposit = await world.call("POST", "/deposits", cash)
        await world.call("PUT", f"/deposits/{deposit['id']}/status", {"status": "confirmed"})
    await world.lamassu.insert(Sale(created=datetime.now(timezone.utc), fiat=Decimal(100)))
    assert (await world.call("POST", "/manual-poll"))["success"]
    return savers


def question(panel: Panel) -> Locator:
    return panel.page.get_by_role("alertdialog")


async def look_again(panel: Panel) -> None:
    """What My DCA does each minute."""
    await panel.page.evaluate("satmachine.my.load()")


async def take_part(panel: Panel, wallet: str) -> None:
    await panel.choose("Wallet that receives the sats", re.compile(wallet))
    await panel.page.get_by_role("checkbox", name=re.compile("I accept them")).click()


async def open_drawer(panel: Panel, name: str) -> Locator:
    await panel.tab("Clients")
    await panel.page.get_by_label("Search clients").fill(name)
    await panel.page.get_by_role("link", name=name, exact=True).click()
    return panel.dialog("Client")


# ---- joining ---------------------------------------------------------------------------------


async def test_registering_for_flow_and_being_approved(
    world: World, users: dict[str, Saver], open_panel: OpenPanel
) -> None:
    await world.call("PUT", "/programme", {"registration": "approval"})
    mine = await open_panel(users["dora"].account)
    await mine.sees("The operator approves each client")
    await mine.sees("Kiosk in Zona 1, Monday to Friday.")
    button = mine.page.get_by_role("button", name="Ask to take part")
    await mine.sees("Choose one of your wallets.")
    await expect(button).to_be_disabled()
    await take_part(mine, "Dora's savings")
    await button.click()
    await mine.says("You are registered")
    await mine.sees("Waiting for the operator")

    panel = await open_panel()
    await panel.press("1 client to approve")
    await panel.press("Approve dora")
    await panel.sees("Flow", question(panel))
    await panel.press("Approve", question(panel))
    await panel.says("dora: Active")

    await look_again(mine)
    await mine.sees("Next: your first deposit")


async def test_registering_for_a_fixed_amount_within_the_operators_bounds(
    world: World, users: dict[str, Saver], open_panel: OpenPanel
) -> None:
    await world.call("PUT", "/programme", {"registration": "open"})
    mine = await open_panel(users["erik"].account)
    await mine.page.get_by_role("radio", name="Fixed: so much a day").click()
    await take_part(mine, "Erik's savings")
    for limit, sentence in (
        ("", "Enter a daily limit"),
        ("19.99", "smaller than the operator allows"),
        ("1000.01", "larger than the operator allows"),
    ):
        await mine.fill("Daily limit", limit)
        await mine.sees(re.compile(sentence))
    await mine.sees("From GTQ 20.00 to GTQ 1,000.00")
    await mine.fill("Daily limit", "150")
    await mine.press("Register")
    await mine.sees("Fixed: up to GTQ 150.00 a day")


async def test_the_operator_closes_registration_and_then_there_is_no_form(
    world: World, users: dict[str, Saver], open_panel: OpenPanel
) -> None:
    panel = await open_panel()
    await panel.press("Client registration")
    dialog = panel.dialog("Client registration")
    await dialog.get_by_role("radio", name=re.compile("^Closed")).click()
    await panel.fill("How to make a deposit", "Ring the bell.")
    await panel.fill("Smallest", "2000")
    await panel.sees("The largest limit is smaller than the smallest.", dialog)
    await panel.fill("Smallest", "10")
    await panel.press("Save", dialog)
    await panel.says("Registration saved")
    assert await world.call("GET", "/programme") == {
        **PROGRAMME,
        "forwarding": True,
        "smallest_forward_sats": None,
        "operator_name": "",
        "operator_address": "",
        "registration": "closed",
        "deposit_instructions": "Ring the bell.",
        "smallest_daily_limit": "10.00",
    }
    # An admin may save, too; this one is no client.
    await panel.page.get_by_role("link", name="My DCA").click()
    await panel.sees("Registration is closed")
    await expect(panel.page.get_by_role("radio")).to_have_count(0)


# ---- looking ---------------------------------------------------------------------------------


async def test_my_page_shows_the_figures_of_the_server(
    savers: dict[str, Saver], open_panel: OpenPanel, tmp_path: Path
) -> None:
    fina = savers["fina"]
    me = await fina.call("GET", "/me")
    mine = await open_panel(fina.account)
    await mine.sees(f"{me['total_sats']:,} sats")
    await mine.sees(f"GTQ {Decimal(me['balances'][0]['remaining_balance']):,}")
    await mine.sees(f"GTQ {Decimal(me['average_prices']['GTQ']):,}")
    await mine.sees("LNbits knows no rate at the moment.")
    chart = mine.page.get_by_role("img", name=re.compile("My sats"))
    await expect(chart).to_have_attribute("aria-label", re.compile(f"{me['total_sats']:,} sats"))
    link = mine.page.get_by_role("link", name="Open my wallet")
    await expect(link).to_have_attribute("href", f"/wallet/{fina.wallet.id}")
    button = mine.page.get_by_role("button", name="Download the purchases as CSV")
    (row,) = rows_of(await mine.save(button, tmp_path))
    assert (row["amount_sats"], row["currency"]) == (str(me["total_sats"]), "GTQ")


def rows_of(path: Path) -> list[dict[str, str]]:
    text = path.read_bytes().decode()
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:], newline="")))


async def test_a_statement_on_the_screen_on_paper_and_as_a_file(
    savers: dict[str, Saver], open_panel: OpenPanel, tmp_path: Path
) -> None:
    fina = savers["fina"]
    me = await fina.call("GET", "/me")
    left = f"{Decimal(me['balances'][0]['remaining_balance']):,}"
    mine = await open_panel(fina.account)
    await mine.page.get_by_role("link", name="Statement").click()
    sheet = mine.page.get_by_role("article", name="Statement")
    await mine.sees(f"{me['total_sats']:,}", sheet)
    lines = sheet.get_by_role("row")
    await expect(lines.filter(has_text="Opening balance")).to_contain_text("0.00")
    await expect(lines.filter(has_text="envelope")).to_contain_text("600.00")
    # What the lines add up to is what the server says.
    await expect(lines.filter(has_text="Purchase")).to_contain_text(left)
    await expect(lines.filter(has_text="Closing balance")).to_contain_text(left)

    button = mine.page.get_by_role("button", name="Download the statement as CSV")
    rows = rows_of(await mine.save(button, tmp_path))
    entries = ["opening balance", "deposit", "purchase", "closing balance"]
    assert [row["entry"] for row in rows] == entries
    await on_paper(mine, sheet)

    await mine.choose("Period", "Last month")
    await mine.sees("Nothing happened in this period", sheet)
    await expect(mine.page).to_have_url(re.compile(r"from=\d{4}-\d\d-01&to=\d{4}-\d\d-\d\d$"))


async def on_paper(panel: Panel, sheet: Locator) -> None:
    await panel.page.emulate_media(media="print")
    await expect(sheet).to_be_visible()
    for chrome in (".q-header", ".q-drawer", ".q-footer", ".sat-no-print"):
        await expect(panel.page.locator(chrome).first).to_be_hidden()
    colors = await sheet.evaluate(
        "e => [getComputedStyle(document.body).backgroundColor, getComputedStyle(e).color]"
    )
    assert colors == ["rgb(255, 255, 255)", "rgb(17, 17, 17)"]
    await panel.page.emulate_media(media="screen")


# ---- changing --------------------------------------------------------------------------------


async def test_changing_the_mode_and_pausing(
    world: World, savers: dict[str, Saver], open_panel: OpenPanel
) -> None:
    fina = savers["fina"]
    mine = await open_panel(fina.account)
    await mine.press("Change")
    dialog = mine.dialog("Settings")
    await dialog.get_by_role("radio", name="Fixed: so much a day").click()
    await mine.fill("Daily limit", "40")
    await mine.fill("Name", "Fina R.")
    await mine.press("Save", dialog)
    await mine.says("Settings saved")
    await mine.sees("Fixed: up to GTQ 40.00 a day")
    await mine.press("Pause")
    await mine.press("Pause", question(mine))
    await mine.sees("Resume whenever you like.")
    await mine.press("Resume")
    await mine.press("Resume", question(mine))
    await expect(mine.page.get_by_role("button", name="Pause")).to_be_visible()
    me = await fina.call("GET", "/me")
    assert (me["status"], me["username"], me["dca_mode"]) == ("active", "Fina R.", "fixed")

    await world.call("PUT", f"/clients/{fina.id}", {"status": "paused"})
    await look_again(mine)
    await mine.sees("Paused by the operator")
    await expect(mine.page.get_by_role("button", name="Resume")).to_have_count(0)
    await world.call("PUT", f"/clients/{fina.id}", {"status": "active", "username": "Fina"})


# ---- cash back, and leaving ------------------------------------------------------------------


async def test_cash_is_handed_back_a_part_of_it_and_then_the_rest(
    world: World, savers: dict[str, Saver], open_panel: OpenPanel
) -> None:
    hugo = savers["hugo"]
    panel = await open_panel()
    drawer = await open_drawer(panel, "Hugo")
    await panel.press("Withdraw cash", drawer)
    dialog = panel.dialog("Withdraw cash")
    await panel.fill("Amount to withdraw", "601")
    await panel.sees("More than the balance that is left.", dialog)
    await panel.fill("Amount to withdraw", "100.5")
    await panel.sees("Give a reason.", dialog)
    await panel.fill("Reason", "rent is due")
    await panel.press("Go on", dialog)
    await panel.press(re.compile(r"^Withdraw GTQ\s100\.50$"), question(panel))
    await panel.says("GTQ 100.50 withdrawn")
    await panel.press("Close", drawer)
    await expect(drawer).to_be_hidden()
    await panel.tab("Deposits")
    row = panel.page.get_by_role("row").filter(has_text="rent is due")
    await expect(row).to_contain_text("-GTQ 100.50")
    await expect(row).to_contain_text("Withdrawal")

    cash = {"client_id": hugo.id, "amount": "10.00", "currency": "GTQ"}
    pending = await world.call("POST", "/deposits", cash)
    await open_drawer(panel, "Hugo")
    await panel.sees("+ GTQ 10.00 to confirm", drawer)
    await panel.press("Settle out", drawer)
    dialog = panel.dialog("Settle out")
    await panel.sees("Deposits of GTQ 10.00 are pending", dialog)
    await panel.press("Cancel", dialog)
    await world.call("PUT", f"/deposits/{pending['id']}/status", {"status": "rejected"})
    await panel.page.evaluate("satmachine.changed()")
    await expect(drawer.get_by_text("to confirm")).to_have_count(0)
    await panel.press("Settle out", drawer)
    await dialog.get_by_role("radio", name="Hand the rest back as cash").click()
    hand = re.compile("^Hand back GTQ")
    await panel.press(hand, dialog)
    await panel.press(hand, question(panel))
    await panel.says(re.compile("handed back to Hugo"))
    await panel.sees("Closed", drawer)
    me = await hugo.call("GET", f"/me?client_id={hugo.id}")
    assert me["status"] == "closed"
    assert me["balances"][0]["remaining_balance"] == "0.00"
    await drawer.get_by_role("link", name="Statement").click()
    await panel.sees("rent is due")
    await panel.sees("Client leaves the programme")


async def test_leaving_and_being_paid_out_in_sats(
    world: World, savers: dict[str, Saver], open_panel: OpenPanel
) -> None:
    gabo = savers["gabo"]
    await world.admin.top_up(world.source, 1_000_000)
    mine = await open_panel(gabo.account)
    await mine.press("Settings and leaving")
    await mine.page.get_by_text("Leave", exact=True).click()
    await mine.sees("The rest of your cash is not lost", question(mine))
    await mine.press("Leave", question(mine))
    await mine.sees("You no longer take part, and some of your cash is left")

    panel = await open_panel()
    drawer = await open_drawer(panel, "Gabo")
    await panel.sees("Closed with GTQ", drawer)
    before = await gabo.account.balance(gabo.wallet)
    left = Decimal(
        (await gabo.call("GET", f"/me?client_id={gabo.id}"))["balances"][0]["remaining_balance"]
    )
    await panel.press("Settle out", drawer)
    dialog = panel.dialog("Settle out")
    await panel.fill("Rate in GTQ per bitcoin", "800000")
    await panel.press("Preview", dialog)
    await panel.sees("Nothing stored, nothing paid", dialog)
    pay = re.compile(r"^Pay [\d,]+ sats$")
    await panel.press(pay, dialog)
    await panel.sees("Money moves", question(panel))
    await panel.press(pay, question(panel))
    await panel.says(re.compile("sats paid to Gabo"))
    got = await gabo.account.balance(gabo.wallet) - before
    assert abs(got - left * 10**8 / 800_000) < 1
    await look_again(mine)
    await mine.sees("All your cash is settled.")
    await mine.sees("Paid out by the operator")
    await mine.press("Register again")
    await mine.sees("Save in bitcoin")


# ---- everywhere ------------------------------------------------------------------------------


async def test_a_phone_shows_everything_and_every_control_has_a_name(
    world: World, savers: dict[str, Saver], open_panel: OpenPanel
) -> None:
    await world.call("PUT", "/programme", {"registration": "open"})
    ana = world.clients[0]
    for account, path, dark, text in (
        (ana.owner, MY, True, "My purchases"),
        (ana.owner, f"{PATH}statement", False, "Closing balance"),
        (world.admin, MY, False, "Save in bitcoin"),
    ):
        page = await open_panel(account, path=path, size=PHONE, dark=dark)
        await page.sees(text)
        assert not await page.is_too_wide(), path
        assert await page.nameless() == [], path


async def test_my_page_and_statement_speak_spanish(
    world: World, savers: dict[str, Saver], open_panel: OpenPanel
) -> None:
    ana = world.clients[0]
    for account, path, seen in (
        (ana.owner, MY, "Mis compras"),
        (ana.owner, f"{PATH}statement", "Saldo final"),
        (world.admin, MY, "Ahorre en bitcoin"),
    ):
        page = await open_panel(account, path=path, language="es")
        await page.sees(seen)
        text = await page.page.locator("main").inner_text()
        assert "satmachineclient." not in text
        for english in ("Statement", "Purchase", "Deposit", "Cash", "Status", "Wallet", "Active"):
            assert not re.search(rf"\b{english}\b", text), (path, english)

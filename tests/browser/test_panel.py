"""What an operator does on the page day by day, on the demo's world."""

import csv
import io
import json
import re
from collections.abc import AsyncIterator
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Locator, expect

from demo.sales import Sale
from demo.world import World
from tests.browser.conftest import OpenPanel
from tests.browser.panel import PHONE, Panel

pytestmark = pytest.mark.browser

TABS = ("Overview", "Clients", "Deposits", "Transactions", "Polls", "Alerts", "Audit")


def sale(fiat: int = 200) -> Sale:
    return Sale(created=datetime.now(timezone.utc), fiat=Decimal(fiat))


@pytest.fixture(scope="module", autouse=True)
async def _some_sales(world: World) -> AsyncIterator[None]:
    await world.lamassu.insert(sale(), sale(500))
    assert (await world.call("POST", "/manual-poll"))["success"]
    yield


def text_of(sats: int) -> str:
    return f"{sats:,} sats"


async def test_the_overview_shows_the_figures_of_the_server(
    world: World, open_panel: OpenPanel
) -> None:
    panel = await open_panel()
    figures = await world.call("GET", "/overview")
    pool = next(p for p in figures["pools"] if p["currency"] == "GTQ")
    await panel.sees(f"GTQ {Decimal(pool['remaining']):,}")
    await panel.sees(text_of(figures["days_30"]["sats"]))
    await panel.sees(text_of(figures["source"]["balance_sats"]))
    charts = panel.page.get_by_role("img", name=re.compile("per day|over time"))
    await expect(charts).to_have_count(4)
    await expect(charts.first).to_have_attribute("aria-label", re.compile(r"\d+ sats"))


async def test_a_poll_shows_its_progress_and_says_what_it_did(
    world: World, open_panel: OpenPanel
) -> None:
    panel = await open_panel()
    heard: list[dict[str, Any]] = []
    panel.page.on(
        "websocket",
        lambda socket: socket.on(
            "framereceived",
            lambda data: heard.append(json.loads(data)) if "stage" in str(data) else None,
        ),
    )
    await world.lamassu.insert(*(sale() for _ in range(3)))

    await panel.press("Manual Poll")

    result = panel.page.locator("[data-poll-result]")
    await panel.sees(re.compile("3 not seen before, 3 shared out"), result)
    assert [each["stage"] for each in heard if each["stage"] != "paying"] == ["reading", "planning"]
    assert heard[-1]["stage"] == "paying"
    assert heard[-1]["planned"] == 3
    assert heard[-1]["paid"] == heard[-1]["to_pay"] > 0
    assert set(heard[-1]) == {"stage", "found", "new", "planned", "to_pay", "paid"}
    await panel.sees(f"{heard[-1]['paid']} of {heard[-1]['to_pay']}")


async def test_the_breakdown_of_a_sale_and_the_filters_of_the_table(
    world: World, open_panel: OpenPanel
) -> None:
    newest = (await world.call("GET", "/transactions"))[0]["id"]
    shares = await world.call("GET", f"/transactions/{newest}/distributions")
    panel = await open_panel()
    await panel.tab("Transactions")
    await panel.choose("Status", "Needs review")
    await panel.sees("Nothing matches the search and filters.")
    await panel.press("Show all")
    await panel.choose("Time", "Today")
    await panel.press(re.compile("^Details of the sale of"))
    dialog = panel.dialog("Transaction")
    await panel.sees(re.compile(r"/ \(1 \+ 0\.055\)"), dialog)
    await panel.sees("Shared among clients", dialog)
    assert shares
    for share in shares:
        await panel.sees(share["username"], dialog)
    await expect(dialog.get_by_role("link", name="Open the paying wallet").first).to_be_visible()


async def test_a_failed_payment_is_retried_into_a_new_wallet(
    world: World, open_panel: OpenPanel
) -> None:
    bruno = world.clients[1]
    await world.lamassu.insert(sale())
    # Planned, while nothing can be paid; only then is the wallet gone.
    only_in = "lnbits_only_allow_incoming_payments"
    await world.admin.call("PATCH", "/admin/api/v1/settings", {only_in: True})
    await world.call("POST", "/manual-poll")
    await world.admin.call("PATCH", "/admin/api/v1/settings", {only_in: False})
    await bruno.owner.call("DELETE", f"/api/v1/wallet/{bruno.wallet.id}")
    panel = await open_panel()
    await panel.press("Manual Poll")
    await panel.sees("Failed: 1 payment.")
    await panel.sees(re.compile("The wallet of Bruno, or its user, is gone"))
    await panel.press("Show them", panel.dialog("Manual Poll"))
    await panel.press(re.compile("^Details of the sale of"))
    dialog = panel.dialog("Transaction")
    await panel.sees(re.compile("does not exist any more"), dialog)
    await panel.press("Close", dialog)

    wallet = await bruno.owner.create_wallet("Bruno's new savings")
    await panel.sees("Wallet gone: Bruno")
    await panel.tab("Clients")
    await panel.sees("Wallet gone, waits")
    await panel.press("Edit Bruno")
    await panel.fill("Wallet id", wallet.id)
    await panel.press("Save", panel.dialog("Client"))
    await panel.says("Client saved")
    await panel.press("1 payment failed")
    await panel.press(re.compile("^Details of the sale of"))
    await panel.press("Retry the payment to Bruno", dialog)
    await panel.press("Retry payment", panel.page.get_by_role("alertdialog"))
    await panel.says("Paid")

    assert await bruno.owner.balance(wallet) > 0
    await expect(panel.page.get_by_role("button", name="1 payment failed")).to_have_count(0)


async def test_a_test_transaction_is_previewed_and_then_executed(
    world: World, open_panel: OpenPanel
) -> None:
    await world.admin.top_up(world.source, 50_000)
    panel = await open_panel()
    await panel.press("Test Transaction")
    dialog = panel.dialog("Test Transaction")
    await panel.fill("Total sats", "10000")
    await panel.fill("Fiat amount", "80")
    await panel.choose("Currency", "GTQ", typed="GTQ")
    await panel.press("Preview", dialog)
    await panel.sees("Nothing stored, nothing paid", dialog)
    await panel.press("Execute with real sats", dialog)
    await panel.press("Pay real sats", panel.page.get_by_role("alertdialog"))
    await panel.says("Test transaction executed")
    await panel.press("Open the transaction", dialog)
    await panel.sees("Test", panel.dialog("Transaction"))


async def test_deposits_are_added_confirmed_and_rejected(
    world: World, open_panel: OpenPanel
) -> None:
    panel = await open_panel()
    await panel.tab("Deposits")
    for amount in ("100.50", "7"):
        await panel.press("Add deposit")
        await panel.choose("Client", "Ana", typed="An")
        await panel.fill("Amount of cash", amount)
        await panel.choose("Currency", "GTQ", typed="GTQ")
        await panel.press("Add deposit", panel.dialog("Add deposit"))
        await panel.says(f"Deposit of GTQ {Decimal(amount):.2f} recorded")
        await expect(panel.dialog("Add deposit")).to_be_hidden()
    question = panel.page.get_by_role("alertdialog")

    def waiting(amount: str) -> Locator:  # by itself: which is the first changes when one is done
        return panel.page.get_by_role("listitem").filter(has_text=f"GTQ {amount}")

    await panel.press("Reject deposit", waiting("7.00"))
    await expect(question.get_by_role("button", name="Reject deposit")).to_be_disabled()
    await panel.fill("Reason", "counted wrong")
    await panel.press("Reject deposit", question)
    await panel.says("Deposit rejected")
    await panel.press("Confirm deposit", waiting("100.50"))
    await panel.press("Confirm deposit", question)
    await panel.says("Deposit confirmed")
    newest = (await world.call("GET", "/deposits"))[:2]
    assert {(d["amount"], d["status"]) for d in newest} == {
        ("100.50", "confirmed"),
        ("7.00", "rejected"),
    }


async def test_a_clients_drawer_has_balance_payments_and_statement(
    world: World, open_panel: OpenPanel, tmp_path: Path
) -> None:
    panel = await open_panel()
    await panel.tab("Clients")
    await panel.page.get_by_role("link", name="Ana", exact=True).click()
    drawer = panel.dialog("Client")
    await panel.sees("Average price", drawer)
    await expect(drawer.get_by_role("img", name=re.compile("Balance in GTQ"))).to_be_visible()
    await panel.sees("Confirmed", drawer)
    path = await panel.download("Statement as a file", "Payments as CSV", tmp_path)
    assert {row["username"] for row in rows_of(path)} == {"Ana"}
    await drawer.get_by_role("tab", name="Deposits").click()
    await panel.sees("GTQ 3,000.00", drawer)


def rows_of(path: Path) -> list[dict[str, str]]:
    text = path.read_bytes().decode()
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:], newline="")))


async def test_each_table_is_exported_with_its_filters(
    world: World, open_panel: OpenPanel, tmp_path: Path
) -> None:
    await world.call(
        "PUT", f"/clients/{world.clients[2].id}", {"username": "=HYPERLINK(1)", "status": "paused"}
    )
    panel = await open_panel()
    for tab, label, items in (
        ("Clients", "Export clients", ["Clients"]),
        ("Deposits", "Export deposits", ["Deposits"]),
        ("Transactions", "Export transactions", ["Transactions", "Distributions"]),
        ("Polls", "Export polls", ["Polls"]),
        ("Audit", "Export the audit log", ["Audit"]),
    ):
        await panel.tab(tab)
        for item in items:
            table = rows_of(await panel.download(label, f"{item} as CSV", tmp_path))
            path = await panel.download(label, f"{item} as JSON", tmp_path)
            assert [row["id"] for row in json.loads(path.read_text())] == [r["id"] for r in table]
            assert table, item
    await panel.tab("Clients")
    await panel.choose("Status", "Paused")
    await panel.sees("=HYPERLINK(1)")
    (paused,) = rows_of(await panel.download("Export clients", "Clients as CSV", tmp_path))
    assert paused["username"] == "'=HYPERLINK(1)"
    await world.call(
        "PUT", f"/clients/{world.clients[2].id}", {"username": "Carla", "status": "active"}
    )


async def test_the_configuration_offers_the_method_that_the_machines_use(
    world: World, open_panel: OpenPanel
) -> None:
    panel = await open_panel(dark=False)
    await panel.press("Configure Database")
    dialog = panel.dialog("Configure Database")
    await panel.sees("Set. Leave empty to keep it", dialog)
    await panel.press("Test connection", dialog)
    await panel.sees("The connection works; sales can be read.", dialog)
    await dialog.get_by_text("Polling", exact=True).click()
    await panel.press("Use margin", dialog)
    await panel.press("Save", dialog)
    await panel.says("Configuration saved")
    config = await world.call("GET", "/config")
    assert config["commission_method"] == "margin"


@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
async def test_every_control_has_a_name_and_a_phone_shows_everything(
    open_panel: OpenPanel, dark: bool
) -> None:
    panel = await open_panel(size=PHONE, dark=dark)
    await panel.sees("Distributed to clients")
    for tab in TABS:
        await panel.tab(tab)
        await expect(panel.page.locator(".q-tab-panel")).to_have_count(1)
        assert not await panel.is_too_wide(), tab
        assert await panel.nameless() == [], tab


async def test_an_ordinary_user_gets_their_own_page(world: World, open_panel: OpenPanel) -> None:
    panel = await open_panel(world.clients[0].owner)
    await panel.sees("My DCA")
    await expect(panel.page.get_by_role("button", name="Manual Poll")).to_have_count(0)


async def test_spanish_is_complete(open_panel: OpenPanel) -> None:
    panel = await open_panel(language="es")
    await panel.sees("Distribuido a los clientes")
    for tab in ("Clientes", "Depósitos", "Transacciones", "Consultas"):
        await panel.tab(tab)
        text = await panel.page.locator("main").inner_text()
        assert "satmachineclient." not in text
        for english in ("Search", "Status", "Sales", "Payments", "Confirmed", "Settled"):
            assert not re.search(rf"\b{english}\b", text), (tab, english)
    await panel.tab("Resumen")
    await panel.sees(re.compile(r"^Q\s?[\d,]+\.\d\d$"))
    await panel.press("Configurar base de datos")
    await panel.sees("Servidor de la base de datos")


async def test_the_language_changes_without_loading_the_page_again(open_panel: OpenPanel) -> None:
    panel: Panel = await open_panel()
    await panel.tab("Clients")
    await panel.page.evaluate("window.i18n.global.locale = 'es'")
    await panel.sees("Queda de los depósitos")

"""What an operator reads every day: who did what, and what waits for a person."""

import re
from datetime import datetime, timezone
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from playwright.async_api import expect

from demo.sales import Sale
from demo.world import API, World
from tests.browser.conftest import OpenPanel
from tests.browser.panel import configure
from tests.rig import OpenPage

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("language", "tab", "said", "change"),
    [
        ("en", "Audit", "admin changed the client Ana", "Status: Paused → Active"),
        ("es", "Auditoría", "admin cambió al cliente Ana", "Estado: En pausa → Activo"),
    ],
)
async def test_an_audit_line_reads_like_a_sentence(
    world: World, open_panel: OpenPanel, language: str, tab: str, said: str, change: str
) -> None:
    for status in ("paused", "active"):
        await world.call("PUT", f"/clients/{world.clients[0].id}", {"status": status})
    panel = await open_panel(language=language)
    await panel.tab(tab)
    row = panel.page.get_by_role("row", name=re.compile(said)).first
    await expect(row).to_contain_text(change)


async def test_a_time_of_day_in_the_audit_log_is_no_timestamp(
    world: World, open_panel: OpenPanel
) -> None:
    config = await world.call("GET", "/config")
    for time in ("07:30", config["payout_time"]):
        await configure(world, payout_time=time)
    panel = await open_panel()
    await panel.tab("Audit")
    await panel.sees(re.compile(f"07:30 → {config['payout_time']}"))


async def test_a_client_who_left_with_cash_waits_for_the_operator(
    world: World, open_panel: OpenPanel
) -> None:
    wallet = await world.clients[0].owner.create_wallet("Left")
    body = {"wallet_id": wallet.id, "username": "Livia", "dca_mode": "flow"}
    client = await world.call("POST", "/clients", body)
    cash = {"client_id": client["id"], "amount": "120.00", "currency": "GTQ"}
    deposit = await world.call("POST", "/deposits", cash)
    await world.call("PUT", f"/deposits/{deposit['id']}/status", {"status": "confirmed"})
    await world.call("PUT", f"/clients/{client['id']}", {"status": "closed"})

    panel = await open_panel()
    tab = panel.page.get_by_role("tab", name=re.compile("^Clients"))
    await expect(tab).to_contain_text("1")
    await panel.press("1 client left with cash")

    await expect(tab).to_have_attribute("aria-selected", "true")
    rows = panel.page.locator("tbody tr:visible")
    await expect(rows).to_have_count(2)  # the client, and the totals of who is filtered
    await expect(rows.first).to_contain_text("Livia")
    await expect(rows.last).to_contain_text("GTQ 120.00")
    paid_out = {"amount": "120.00", "currency": "GTQ", "reason": "handed back"}
    await world.call("POST", f"/clients/{client['id']}/withdrawals", paid_out)


async def test_a_client_sees_the_sums_of_what_they_choose(
    world: World, open_panel: OpenPanel
) -> None:
    ana = world.clients[0]
    time = datetime.now(timezone.utc)
    await world.lamassu.insert(*(Sale(created=time, fiat=Decimal(cash)) for cash in (100, 50)))
    assert (await world.call("POST", "/manual-poll"))["success"]

    async def sats(**chosen: str) -> str:
        query = urlencode({"client_id": ana.id, **chosen})
        answer = await ana.owner.call("GET", f"{API}/me/payments/totals?{query}")
        (gtq,) = answer["currencies"]
        return f"{gtq['sats']['amount_sats']:,}"

    panel = await open_panel(ana.owner)
    table = panel.page.locator(".q-table__container", has_text="My purchases").first
    total = table.locator("tbody tr").last
    await expect(total).to_contain_text(await sats())
    await panel.choose("Time", "Last month")
    await panel.sees("Nothing matches the search and filters.")
    await panel.choose("Time", "This month")
    begin = time.strftime("%Y-%m-01T00:00:00+00:00")
    await expect(total).to_contain_text(await sats(**{"transaction_time[ge]": begin}))


async def test_the_panel_opens_from_lnbits_own_pages(world: World, open_page: OpenPage) -> None:
    """Whose router asks for the extension's Vue routes first, and goes there when it has none."""
    page = await open_page(path="/wallets")
    await page.evaluate("router.push('/satmachineclient')")
    await expect(page.get_by_role("tab", name="Deposits")).to_be_visible()
    assert page.url.endswith("/satmachineclient/")

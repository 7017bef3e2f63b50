"""The pages for people who cannot see them well, or have no mouse: axe-core, and the keyboard."""

import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import datetime, timezone
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from demo.lnbits_api import Account
from demo.sales import Sale
from demo.world import World
from tests.browser.conftest import OpenPanel
from tests.browser.panel import PATH, PHONE, Panel

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
TABS = ("Overview", "Clients", "Deposits", "Transactions", "Polls", "Audit")
# Each language, each size and each theme once, and not each with each.
LOOKS = [
    pytest.param({"dark": True}, marks=pytest.mark.slow, id="dark"),
    pytest.param({"dark": False, "language": "es", "size": PHONE}, id="phone in Spanish"),
]
# As a paired machine has it: the hash of its certificate.
_LONG_ID = "8c1f0e5b" * 8
_NAMED_ID = "5b8c1f0e" * 8
_AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text()
# LNbits' header and drawer are its own, and so is its theme's main colour: what is written on it
# or in it is not measured. Of a filled button in a dialog, and of one on a banner there, axe-core
# takes the dimmed page behind the dialog for the background.
_SET_UP = """() => {
    const THEIRS = ['.bg-primary', '.text-primary', '.q-field--highlighted',
        '.q-dialog .q-btn--unelevated', '.q-dialog .q-banner .q-btn']
    const selector = THEIRS.map(each => `:not(${each}):not(${each} *)`).join('')
    axe.configure({rules: [{id: 'color-contrast', selector: `*${selector}`}]})
}"""
_RUN = """async root => {
    const found = await axe.run({include: [[root]], exclude: [['.q-notifications']]},
        {resultTypes: ['violations'], preload: false})
    return found.violations.flatMap(rule => rule.nodes.map(node =>
        `${rule.id}: ${node.html.slice(0, 200)} ${node.failureSummary}`))
}"""
_ROWS = "tbody tr:visible, .q-table__grid-content .q-card:visible"


def _store(world: World) -> sqlite3.Connection:
    return sqlite3.connect(world.lnbits.stored, timeout=30)


_WRITTEN = {
    "dca_partners": "('a', 'Café Luna', 'u', 'w', '20', '[]', 'active', :at, :at)",
    "dca_alerts": "('a', 'client_pending', 'a', 'Dora wants to join. Approve or close.', :at, "
    "NULL, NULL)",
    "dca_forwards": "('a', :client, 'w', 'forward', 'ana@example.com', 5000, 0, NULL, 'failed', "
    "NULL, NULL, NULL, 'There is no way to it.', 3, NULL, :at, NULL)",
}


@pytest.fixture(scope="module", autouse=True)
async def _something_to_show(world: World) -> AsyncIterator[None]:
    now = datetime.now(timezone.utc)
    await world.lamassu.insert(
        Sale(created=now, fiat=Decimal(200), device_id=_LONG_ID),
        Sale(created=now, fiat=Decimal(100), device_id=_NAMED_ID),
        Sale(created=now, fiat=Decimal(300), cash="partial"),
    )
    assert (await world.call("POST", "/manual-poll"))["success"]
    named = {"name": "The machine in the café at the corner of the market"}
    await world.call("PUT", f"/machines/{_NAMED_ID}", named)
    deposit = {"client_id": world.clients[0].id, "amount": "75.00", "currency": "GTQ"}
    deposit |= {"notes": "two envelopes, counted twice by two people", "device_id": _NAMED_ID}
    added = await world.call("POST", "/deposits", deposit)
    values = {"at": now.timestamp(), "client": world.clients[0].id}
    with closing(_store(world)) as store, store:
        for table, row in _WRITTEN.items():
            store.execute(f"INSERT INTO {table} VALUES {row}", values)  # noqa: S608 - our own
    yield
    # Nothing is left that would wait for a person in the tests that come after these.
    with closing(_store(world)) as store, store:
        for table in _WRITTEN:
            store.execute(f"DELETE FROM {table} WHERE id = 'a'")  # noqa: S608 - our own
    await world.call("PUT", f"/deposits/{added['id']}/status", {"status": "rejected"})
    await world.call("PUT", f"/machines/{_NAMED_ID}", {"name": None})
    reviews = await world.call("GET", "/transactions/paginated?status=needs_review")
    for sale in reviews["data"]:
        await world.call("POST", f"/transactions/{sale['id']}/dismiss", {"notes": "a test"})


@pytest.fixture(scope="module")
async def newcomer(world: World) -> Account:
    """A user of LNbits who is no client."""
    api = world.lnbits.api()
    account = await api.register("newcomer", "a password of theirs")
    await account.create_wallet("Savings")
    await api.close()
    return account


async def findings(panel: Panel, root: str = ".q-page") -> list[str]:
    """What axe-core finds below `root` of the page as it stands."""
    if not await panel.page.evaluate("Boolean(window.axe)"):
        await panel.page.evaluate(_AXE)
        await panel.page.evaluate(_SET_UP)
    # Colours are measured when nothing fades any more, and nothing is lit up by mouse or focus.
    await panel.page.mouse.move(0, 0)
    await panel.page.evaluate("document.activeElement?.blur()")
    await panel.page.wait_for_timeout(120)
    found: list[str] = await panel.page.evaluate(_RUN, root)
    return found


@pytest.mark.parametrize("look", LOOKS)
async def test_axe_finds_nothing_in_the_panels_tabs(
    open_panel: OpenPanel, look: dict[str, Any]
) -> None:
    panel = await open_panel(flat=True, **look)
    found = {}
    tabs = panel.page.locator(".q-tabs").get_by_role("tab")
    await expect(tabs).to_have_count(11)
    for number, tab in enumerate(await tabs.all()):
        await tab.click()
        if number:  # the overview comes first, and has tiles
            await expect(panel.page.locator(_ROWS).first).to_be_visible()
        found[await tab.inner_text()] = await findings(panel)
    assert not any(found.values()), found


async def word(panel: Panel, key: str) -> str:
    """A text of the page in its language."""
    await expect(panel.page.locator(".q-card").first).to_be_visible()
    text: str = await panel.page.evaluate("key => satmachine.t(key)", key)
    return text


_STORE = "satmachine.store"
_DIALOGS = {
    "a client": f"{_STORE}.newClient = true",
    "a client's own": f"{_STORE}.client = client.id",
    "a deposit": f"{_STORE}.deposit = {{}}",
    "a withdrawal": f"{_STORE}.withdraw = client",
    "a settle-out": f"{_STORE}.settle = client",
    "a question": "satmachine.setClientStatus(client, 'closed')",
    "a sale": f"{_STORE}.goTo = {{tab: null, id: sale}}",
    "a partner": f"{_STORE}.partner = {{}}",
    "registration": f"{_STORE}.programme = true",
    "alerts": f"{_STORE}.alertSettings = true",
    "the connection test": "satmachine.testConnection()",
    "a test transaction": f"{_STORE}.test = {{}}",
    "a poll": "satmachine.poll()",
}


@pytest.mark.parametrize("look", LOOKS)
async def test_axe_finds_nothing_in_the_panels_dialogs(
    world: World, open_panel: OpenPanel, look: dict[str, Any]
) -> None:
    panel = await open_panel(flat=True, **look)
    await panel.tab(await word(panel, "clients.clients"))
    await expect(panel.page.get_by_role("link", name="Ana", exact=True)).to_be_visible()
    sale = (await world.call("GET", "/transactions/paginated?status=needs_review"))["data"][0]
    (ana,) = (await world.call("GET", "/clients/paginated?username=Ana"))["data"]
    values = {"client": ana, "sale": sale["id"]}
    dialog = panel.page.locator(".q-dialog")
    found = {}
    for name, opened in _DIALOGS.items():
        await panel.page.evaluate(f"({{client, sale}}) => {{{opened}}}", values)
        found[name] = await _of_dialog(panel)
        close = dialog.get_by_role("button", name=_CLOSE)
        await close.first.click()
        await expect(dialog).to_have_count(0)
    await panel.press(await word(panel, "sidebar.configure_database"))
    for step in range(4):
        await dialog.locator(".q-stepper__tab").nth(step).click()
        found[f"configuration {step}"] = await _of_dialog(panel)
    assert not any(found.values()), found


_CLOSE = re.compile("^(Close|Cancel|Cerrar|Cancelar)$")


async def _of_dialog(panel: Panel) -> list[str]:
    dialog = panel.page.locator(".q-dialog")
    await expect(dialog).to_be_visible()
    await expect(dialog).to_have_attribute("aria-label", re.compile(r"\w"))
    return await findings(panel, ".q-dialog")


@pytest.mark.parametrize("look", LOOKS)
async def test_axe_finds_nothing_on_a_clients_pages(
    world: World, open_panel: OpenPanel, newcomer: Account, look: dict[str, Any]
) -> None:
    owner = world.clients[0].owner
    registration = await open_panel(newcomer, flat=True, **look)
    await registration.sees(await word(registration, "my_register.title"))
    found = {"registration": await findings(registration)}
    panel = await open_panel(owner, flat=True, **look)
    await expect(panel.page.locator(_ROWS).first).to_be_visible()
    found["My DCA"] = await findings(panel)
    for key in ("my_part.change", "my_goal.edit", "my_keys.set"):
        await panel.press(await word(panel, key))
        found[key] = await _of_dialog(panel)
        await panel.page.locator(".q-dialog").get_by_role("button", name=_CLOSE).first.click()
        await expect(panel.page.locator(".q-dialog")).to_have_count(0)
    statement = await open_panel(owner, path=f"{PATH}statement", flat=True, **look)
    await statement.sees(await word(statement, "statement.closing"))
    found["statement"] = await findings(statement)
    assert not any(found.values()), found


async def test_a_table_is_sorted_and_its_rows_are_opened_by_keyboard(open_panel: OpenPanel) -> None:
    panel = await open_panel()
    await panel.tab("Transactions")
    header = panel.page.get_by_role("columnheader", name="Total")
    await expect(header).to_have_attribute("aria-sort", "none")
    await header.focus()
    await panel.page.keyboard.press("Enter")
    await expect(header).to_have_attribute("aria-sort", re.compile("^(a|de)scending$"))
    actions = panel.page.get_by_role("columnheader", name="Actions")
    await expect(actions).to_have_count(1)
    row = panel.page.get_by_role("button", name=re.compile("^Details of the sale of")).first
    await row.focus()
    await panel.page.keyboard.press("Enter")
    await expect(panel.dialog("Transaction")).to_be_visible()
    await panel.page.keyboard.press("Escape")
    await expect(panel.dialog("Transaction")).to_have_count(0)


async def test_on_a_phone_a_row_is_a_link_and_the_search_is_wide_enough(
    open_panel: OpenPanel,
) -> None:
    panel = await open_panel(size=PHONE)
    for tab in TABS[1:]:
        await panel.tab(tab)
        search = panel.page.get_by_placeholder(re.compile("."))
        await expect(search).to_have_count(1)
        box = await search.bounding_box()
        assert box
        assert box["width"] > 180, tab
    await panel.tab("Transactions")
    await panel.sees(re.compile(_LONG_ID))
    for card in await panel.page.locator(".q-table__grid-content .q-card").all():
        assert await card.evaluate("card => card.scrollWidth <= card.clientWidth")
    assert not await panel.is_too_wide()
    await panel.page.get_by_role("link", name=re.compile("GTQ")).first.focus()
    await panel.page.keyboard.press("Enter")
    await expect(panel.dialog("Transaction")).to_be_visible()


@pytest.fixture
def long_name(world: World) -> Iterator[None]:
    """A client is called as people are."""

    def rename(name: str | None) -> None:
        with closing(_store(world)) as store, store:
            sql = "UPDATE dca_clients SET username = ? WHERE id = ?"
            store.execute(sql, (name, world.clients[0].id))

    rename("María Fernanda de los Ángeles Castañeda Barrios")
    yield
    rename("Ana")


async def test_every_table_fits_beside_the_sidebar(long_name: None, open_panel: OpenPanel) -> None:
    """With room left for sums of a longer history: a table is as narrow as its content allows."""
    panel = await open_panel()
    short = {}
    for tab in TABS[1:]:
        await panel.tab(tab)
        area = panel.page.locator(".q-table__middle:visible").first
        await expect(area.locator("tbody tr").first).to_be_visible()
        room = await area.evaluate(
            """async area => {
                // Until then an icon is as wide as its name.
                await document.fonts.load("24px 'Material Icons'")
                await document.fonts.ready
                const table = area.querySelector('table')
                table.style.width = '1px'
                return area.clientWidth - table.scrollWidth
            }"""
        )
        if room < (60 if tab == "Transactions" else 20):
            short[tab] = room
    assert not short


async def test_every_icon_of_the_page_is_in_lnbits_font(open_panel: OpenPanel) -> None:
    """A name that the font does not know is drawn as a row of letters, or as nothing."""
    panel = await open_panel()
    await panel.sees("Distributed to clients")
    unknown = await panel.page.evaluate(
        """async names => {
            await document.fonts.ready
            const probe = document.createElement('span')
            probe.className = 'material-icons'
            probe.style.cssText = 'font-size: 24px; position: absolute; width: auto'
            document.body.append(probe)
            return names.filter(name => {
                probe.textContent = name
                return probe.getBoundingClientRect().width > 25
            })
        }""",
        sorted(_icons()),
    )
    assert unknown == []


def _icons() -> set[str]:
    files = [*(ROOT / "static/js").rglob("*.js"), *(ROOT / "templates").rglob("*.html")]
    text = "".join(path.read_text() for path in files if path.parent.name != "lang")
    patterns = (
        r"""(?<![:\w-])icon(?:=|: ?)["']([a-z0-9_]+)["']""",
        r"<q-icon\s+name=\"([a-z0-9_]+)\"",
        r"\['(?:positive|negative|warning|info|grey)', '([a-z0-9_]+)'\]",
        r"(?:cash_out|cash_in|settle_out): '([a-z0-9_]+)'",
    )
    return {name for pattern in patterns for name in re.findall(pattern, text)}

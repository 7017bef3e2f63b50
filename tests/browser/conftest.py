"""Opening the page: on the demo's world, and on an LNbits that nothing was done to yet."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import pytest
from playwright.async_api import Browser, BrowserContext

from demo.lnbits_api import Account, Lnbits, Wallet
from demo.lnbits_server import LnbitsServer
from demo.ssh_server import SshServer
from demo.world import World
from tests.browser.panel import PATH, Panel, log_in


class OpenPanel(Protocol):
    async def __call__(self, account: Account | None = None, **options: Any) -> Panel: ...


@pytest.fixture(scope="session")
async def _logins(browser: Browser) -> AsyncIterator[dict[str, BrowserContext]]:
    """Kept for all tests: LNbits' scripts are then loaded once, not with every page."""
    logins: dict[str, BrowserContext] = {}
    yield logins
    for context in logins.values():
        await context.close()


@pytest.fixture
async def open_panel(
    browser: Browser, world: World, _logins: dict[str, BrowserContext]
) -> AsyncIterator[OpenPanel]:
    """`await open_panel(account=world.admin, path=…, url=…, language=…, size=…, dark=…)`.

    At the end no page may have complained in its console.
    """
    panels: list[Panel] = []

    async def visit(account: Account | None = None, **options: Any) -> Panel:
        who = account or world.admin
        url = options.pop("url", world.lnbits.url)
        path = options.pop("path", PATH)
        key = f"{url} {who.token} {options}"
        if key not in _logins:
            _logins[key] = await log_in(browser, url, who, **options)
        panel = await Panel.open(_logins[key], path)
        panels.append(panel)
        return panel

    yield visit
    for panel in panels:
        await panel.close()


@dataclass
class Fresh:
    """An LNbits with its first admin, and a client's wallet; the ATM's side is the world's."""

    url: str
    admin: Account
    client: Account
    wallet: Wallet
    ssh: SshServer


@pytest.fixture(scope="module")
def password_ssh() -> Iterator[SshServer]:
    with SshServer("operator", password="p&ss<word>") as server:
        yield server


@pytest.fixture(scope="module")
async def fresh(world: World, password_ssh: SshServer) -> AsyncIterator[Fresh]:
    """LNbits just installed, and nothing configured."""
    with LnbitsServer(world.folder / "fresh") as server:
        api: Lnbits = server.api()
        admin = await api.first_install("admin", "first-password")
        client = await api.register("dora", "client-password")
        wallet = await client.create_wallet("Dora's savings")
        yield Fresh(server.url, admin, client, wallet, password_ssh)
        await api.close()

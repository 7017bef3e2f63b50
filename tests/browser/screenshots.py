"""`make screenshots`: the pages' main states as pictures for the README.

The demo's world, with a month of sales in it: deposits are dated back in LNbits' own file, then
the machine's rows are read by an ordinary poll.
"""

import asyncio
import json
import random
import re
import secrets
import shutil
import sqlite3
import sys
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, async_playwright

from demo.sales import Sale
from demo.world import World, build_world
from tests.browser.panel import PATH, PHONE, Panel, configure, log_in

TARGET = Path(__file__).parents[2] / "static/image/screenshots"
WIDE = {"width": 1280, "height": 860}
SHEET = {"width": 900, "height": 1100}
# Fiat per bitcoin, as LNbits hears it there.
PRICE = b"803411.50"
_DAY = 24 * 3600


async def main() -> int:
    """Make all pictures anew."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        print("Chromium is not installed (Debian: the package chromium).", file=sys.stderr)
        return 1
    TARGET.mkdir(parents=True, exist_ok=True)
    async with (
        await asyncio.start_server(_tell_price, "127.0.0.1", 0) as prices,
        build_world(extra_env=_environment(prices.sockets[0].getsockname()[1])) as world,
        async_playwright() as playwright,
    ):
        # Its sales are from before crediting was switched on.
        await world.admin.top_up(world.source, 10_000_000)
        await a_month_of_sales(world)
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = await playwright.chromium.launch(executable_path=program, args=arguments)
        await take_all(browser, world)
        await browser.close()
    return 0


def _environment(price_port: int) -> dict[str, str]:
    provider: dict[str, object] = {
        "name": "here",
        "api_url": f"http://127.0.0.1:{price_port}/",
        "path": "",
        "exclude_to": [],
        "ticker_conversion": [],
    }
    return {
        "SATMACHINECLIENT_FIRST_POLL_SECONDS": str(10**9),
        "LNBITS_EXCHANGE_RATE_PROVIDERS": json.dumps([provider]),
        "AUTH_SECRET_KEY": secrets.token_hex(32),
    }


async def _tell_price(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + PRICE)
    await writer.drain()
    writer.close()


async def a_month_of_sales(world: World) -> None:
    for client, amount in zip(world.clients, ("14000.00", "9000.00", "8000.00"), strict=True):
        await world.deposit(client, amount, "GTQ")
    with sqlite3.connect(world.lnbits.stored, timeout=30) as database:
        longer = (40 * _DAY,)
        database.execute("UPDATE dca_clients SET created_at = created_at - ?", longer)
        database.execute("UPDATE dca_client_terms SET valid_from = valid_from - ?", longer)
        ids = database.execute("SELECT id FROM dca_deposits ORDER BY created_at").fetchall()
        for number, (deposit,) in enumerate(ids):
            back = _DAY * max(36 - 3 * number, 20)
            database.execute(
                "UPDATE dca_deposits SET created_at = created_at - ?, "
                "confirmed_at = confirmed_at - ? WHERE id = ?",
                (back, back, deposit),
            )
    await configure(world, look_back_days=40)
    await world.lamassu.insert(*_sales(random.Random(5)))  # noqa: S311 - the same at each run
    poll = await world.call("POST", "/manual-poll")
    if not poll["success"]:
        raise RuntimeError(poll["error"])
    pending: dict[str, Any] = {"amount": "750.00", "currency": "GTQ", "notes": "two envelopes"}
    await world.call("POST", "/deposits", {"client_id": world.clients[0].id, **pending})
    where = "Kiosko Bitcoin, 6a Avenida 12-33, Zona 1.\nMonday to Friday, 9 to 17 h. Ask for Marta."
    await world.call("PUT", "/programme", {"deposit_instructions": where})


def _sales(pick: random.Random) -> list[Sale]:
    end = datetime.now(timezone.utc)
    days = [day for day in range(29, -1, -1) for _ in range(pick.choice([0, 1, 1, 2, 3]))]
    times = [end - timedelta(days=day, minutes=pick.randint(5, 300)) for day in days]
    return [
        Sale(
            created=time - timedelta(seconds=80),
            confirmed_at=time - timedelta(seconds=60),
            cash_at=time,
            fiat=Decimal(pick.randrange(100, 900, 20)),
            discount=pick.choice([0, 0, 0, 10, 50]),
            raw_ticker_price=Decimal(pick.randrange(70_000_000, 80_000_000)).scaleb(-2),
            cash="partial" if number == len(times) - 4 else "dispensed",
        )
        for number, time in enumerate(times)
    ]


async def take_all(browser: Browser, world: World) -> None:
    url, admin = world.lnbits.url, world.admin
    panel = await Panel.open(await log_in(browser, url, admin, size=WIDE, flat=True))
    await panel.sees("Distributed to clients")
    await take(panel, "overview")
    await panel.tab("Clients")
    await panel.sees("Carla")
    await take(panel, "clients")
    await panel.page.get_by_role("link", name="Ana", exact=True).click()
    await panel.sees("Average price")
    await take(panel, "client")
    await panel.press("Close", panel.dialog("Client"))
    await panel.tab("Transactions")
    await panel.press(re.compile("^Details of the sale of"))
    await panel.sees("Shared among clients")
    await take(panel, "transaction")
    await panel.press("Close", panel.dialog("Transaction"))
    await panel.press("Configure Database")
    dialog = panel.dialog("Configure Database")
    await dialog.get_by_text("SSH tunnel", exact=True).click()
    await panel.sees("Accepted host key")
    await take(panel, "configuration")
    await panel.close()
    light = await Panel.open(await log_in(browser, url, admin, size=WIDE, dark=False, flat=True))
    await light.sees("Distributed to clients")
    await take(light, "overview-light")
    await light.close()
    phone = await Panel.open(
        await log_in(browser, url, admin, size=PHONE, language="es", flat=True)
    )
    await phone.sees("Distribuido a los clientes")
    await take(phone, "phone")
    await phone.close()
    ana = world.clients[0].owner
    mine = await Panel.open(await log_in(browser, url, ana, size=WIDE, flat=True))
    await mine.sees(re.compile("^at GTQ.* per bitcoin"))
    await take(mine, "my-dca")
    await mine.close()
    paper = await log_in(browser, url, ana, size=SHEET, dark=False, flat=True)
    statement = await Panel.open(paper, f"{PATH}statement")
    await statement.sees("Closing balance")
    await take(statement, "statement")
    await statement.close()


async def take(panel: Panel, name: str) -> None:
    await panel.page.wait_for_timeout(900)
    await panel.page.screenshot(path=TARGET / f"{name}.png")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))

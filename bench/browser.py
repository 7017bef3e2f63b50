"""The panel in headless Chromium, on a port of this process' LNbits."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from playwright.async_api import Browser, async_playwright

from demo.processes import LOOPBACK, free_port

from .world import BenchWorld

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_OPTIONS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync")
_LAST_ANSWER = """
    Math.max(...performance.getEntriesByType('navigation').map(e => e.responseEnd),
             ...performance.getEntriesByType('resource').map(e => e.responseEnd)) / 1000
"""


async def first_loads(world: BenchWorld, path: str, rounds: int) -> list[float]:
    """Seconds from the address until the last answer, with an empty cache; none: no Chromium."""
    program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if program is None:
        return []
    async with _served(world) as url, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=list(_OPTIONS))
        found = [await _load(browser, url, path, world.admin.token) for _ in range(rounds)]
        await browser.close()
    return found


async def _load(browser: Browser, url: str, path: str, token: str) -> float:
    context = await browser.new_context(base_url=url)
    cookies = {"cookie_access_token": token, "is_lnbits_user_authorized": "true"}
    await context.add_cookies(
        [{"name": name, "value": value, "url": url} for name, value in cookies.items()]
    )
    await context.add_init_script("localStorage.setItem('lnbits.disclaimerShown', 'true')")
    page = await context.new_page()
    await page.goto(path, wait_until="networkidle", timeout=60_000)
    seconds: float = await page.evaluate(_LAST_ANSWER)
    await context.close()
    return seconds


@asynccontextmanager
async def _served(world: BenchWorld) -> AsyncIterator[str]:
    port = free_port()
    config = uvicorn.Config(
        world.app, host=LOOPBACK, port=port, lifespan="off", log_level="warning"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.05)
    yield f"http://{LOOPBACK}:{port}"
    server.should_exit = True
    await serving

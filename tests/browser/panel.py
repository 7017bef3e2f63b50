"""The extension's pages as the browser tests handle them: by what a person reads on them."""

import asyncio
import re
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Download, Locator, Page, Request, expect

from demo.lnbits_api import EXTENSION, Account
from demo.world import World

PATH = f"/{EXTENSION}/"
DESKTOP = {"width": 1400, "height": 1000}
PHONE = {"width": 390, "height": 844}
# Long enough for a machine that is busy with other things; nobody waits for it otherwise.
expect.set_options(timeout=15_000)
# LNbits itself asks every extension for it, and takes a 404 for an answer.
_EXPECTED_ERRORS = ("/static/routes.json",)


# Nothing moves into its place: each frame of it would be drawn by the processor.
_STILL = """
    addEventListener('DOMContentLoaded', () => {
        const style = document.createElement('style')
        style.textContent =
            '*, ::before, ::after {transition: none !important; animation: none !important}'
        document.head.append(style)
    });
"""

# What a configuration tells and nobody enters.
_TOLD = re.compile(
    "has_|test_connection_|last_|secrets_to_reenter|suggestions|credit_since|database_(number|since)"
)


async def configure(world: World, **changes: Any) -> None:
    """Save the configuration as it is, with these changes."""
    saved = await world.call("GET", "/config")
    kept = {name: value for name, value in saved.items() if not _TOLD.match(name)}
    await world.call("POST", "/config", {**kept, **changes})


async def log_in(
    browser: Browser,
    url: str,
    account: Account,
    *,
    language: str = "en",
    size: dict[str, int] | None = None,
    dark: bool = True,
    flat: bool = False,
) -> BrowserContext:
    """A browser context that is logged in as the account; `flat`: without LNbits' gradients."""
    context = await browser.new_context(
        base_url=url,
        viewport=size or DESKTOP,  # type: ignore[arg-type]
        locale={"en": "en-US", "es": "es-GT"}[language],
        timezone_id="America/Guatemala",
        reduced_motion="reduce",
        accept_downloads=True,
    )
    cookies = {"cookie_access_token": account.token, "is_lnbits_user_authorized": "true"}
    await context.add_cookies(
        [{"name": name, "value": value, "url": url} for name, value in cookies.items()]
    )
    await context.add_init_script(
        "localStorage.setItem('lnbits.disclaimerShown', '__q_bool|1');"
        f"localStorage.setItem('lnbits.darkMode', '__q_bool|{int(dark)}');"
        f"localStorage.setItem('lnbits.lang', '__q_strn|{language}');"
        f"localStorage.setItem('lnbits.gradientBg', '__q_bool|{int(not flat)}');"
        f"localStorage.setItem('lnbits.cardGradient', '__q_bool|{int(not flat)}');"
        f"{_STILL}"
    )
    context.set_default_timeout(30_000)
    return context


class Panel:
    """One open page; `errors` collects whatever its console complains about."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        self.polls: list[dict[str, Any]] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._hear)
        self._writing: set[Request] = set()
        page.on("request", self._begins)
        page.on("requestfinished", self._ended)
        page.on("requestfailed", self._ended)

    def _hear(self, message: Any) -> None:
        place = message.location.get("url", "")
        if message.type == "error" and not place.endswith(_EXPECTED_ERRORS):
            self.errors.append(f"{message.text} ({place})")

    def _begins(self, request: Request) -> None:
        if request.method != "GET":
            self._writing.add(request)

    def _ended(self, request: Request) -> None:
        self._writing.discard(request)

    @classmethod
    async def open(cls, context: BrowserContext, path: str = PATH) -> "Panel":
        """A new page of this login."""
        panel = cls(await context.new_page())
        await panel.page.goto(path)
        return panel

    async def close(self) -> None:
        """Not before what was pressed last is done: the next test finds it so."""
        await self.page.evaluate("0")
        while self._writing:
            await asyncio.sleep(0.05)
        await self.page.close()
        assert not self.errors, self.errors

    async def is_too_wide(self) -> bool:
        """Whether the page would have to be scrolled sideways."""
        wide: int = await self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        return wide > 0

    async def nameless(self) -> list[str]:
        """Buttons and fields that a screen reader could only call by their kind."""
        found: list[str] = await self.page.locator("main").evaluate(
            """area => [...area.querySelectorAll('button, a, input, [role=button]')]
            .filter(e => e.offsetParent && !e.getAttribute('aria-label') && !e.innerText?.trim()
                && !e.labels?.length && !e.title && !e.closest('label') && e.tabIndex >= 0)
            .map(e => e.outerHTML.slice(0, 200))"""
        )
        # Quasar's own pager.
        return [html for html in found if "q-table__" not in html]

    # ---- what a person does ------------------------------------------------------------------

    async def _opens(self, opener: Locator, opened: Locator) -> None:
        """Click until it is open: a click is lost where the page draws itself anew meanwhile."""
        for _ in range(3):
            await opener.click()
            try:
                await expect(opened).to_be_visible(timeout=5_000)
            except AssertionError:
                continue
            return
        await expect(opened).to_be_visible()

    async def tab(self, name: str) -> None:
        named = re.compile(f"^{name}")
        await self._opens(
            self.page.get_by_role("tab", name=named),
            self.page.get_by_role("tab", name=named, selected=True),
        )

    async def press(self, name: str | re.Pattern[str], within: Locator | None = None) -> None:
        exact = isinstance(name, str)
        await (within or self.page).get_by_role("button", name=name, exact=exact).first.click()

    async def unfold(self, title: str, within: Locator | None = None) -> None:
        """Open what is folded away, to its full height.

        Quasar waits 100 ms before it unfolds: until then all stands still, and a click may go
        down on a button that has moved when it comes up.
        """
        await (within or self.page).get_by_text(title, exact=True).click()
        unfolding = self.page.locator(".q-expansion-item__content[style*='height']")
        await expect(unfolding).to_have_count(0)

    async def fill(self, label: str, text: str) -> None:
        await self.page.get_by_label(label, exact=True).fill(text)

    async def choose(self, label: str, option: str | re.Pattern[str], typed: str = "") -> None:
        """Pick from a select; `typed` narrows its options first."""
        field = self.page.get_by_role("combobox", name=label, exact=True)
        if typed:
            await field.click()
            await field.fill(typed)
            await self.page.wait_for_timeout(500)  # the field waits for the end of the typing, too
        else:
            await self._opens(field, self.page.get_by_role("option", name=option).first)
        await self.page.get_by_role("option", name=option).first.click()

    def dialog(self, name: str) -> Locator:
        """An open dialog, by the name that it has itself."""
        return self.page.locator(f'.q-dialog[aria-label="{name}"]').first

    async def sees(self, text: str | re.Pattern[str], within: Locator | None = None) -> None:
        await expect((within or self.page).get_by_text(text).first).to_be_visible()

    async def says(self, text: str | re.Pattern[str]) -> None:
        """A notification appears; it is dismissed by waiting no longer."""
        await expect(self.page.locator(".q-notification", has_text=text).first).to_be_visible()

    async def download(self, label: str, item: str, folder: Path) -> Path:
        """Export through the menu of a table's download button."""
        choice = self.page.get_by_text(item, exact=True)
        await self._opens(self.page.get_by_role("button", name=label, exact=True), choice)
        path = await self.save(choice, folder)
        await expect(choice).to_be_hidden()  # a menu that still closes would not open again
        return path

    async def save(self, button: Locator, folder: Path) -> Path:
        """The file that a click makes."""
        async with self.page.expect_download() as waiting:
            await button.click()
        got: Download = await waiting.value
        path = folder / got.suggested_filename
        await got.save_as(path)
        return path

"""A statement on paper: as the browser prints it into a PDF, on A4 and on letter."""

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
from io import BytesIO
from pathlib import Path

import pytest
from playwright.async_api import expect
from pypdf import PdfReader

from demo.lnbits_api import Account
from demo.world import API, World
from tests.browser.conftest import OpenPanel
from tests.browser.panel import PATH, PHONE, Panel

pytestmark = pytest.mark.browser

POINTS = {"A4": (595, 842), "Letter": (612, 792)}
DEPOSITS = 70  # more than one page of them
NAME = "Añil Cajeros, S. A."


@pytest.fixture(scope="module")
async def saver(world: World) -> AsyncIterator[Account]:
    """A client with many deposits, all of March 2026; what they joined is as before at the end."""
    before = await world.call("GET", "/programme")
    await world.call("PUT", "/programme", {"registration": "open", "terms": ""})
    api = world.lnbits.api()
    account = await api.register("ines", "a password of theirs")
    wallet = await account.create_wallet("Inés saves")
    body = {"wallet_id": wallet.id, "dca_mode": "flow", "username": "Inés Ñandú"}
    me = await account.call("POST", f"{API}/registration", body)
    for number in range(DEPOSITS):
        cash = {"client_id": me["id"], "amount": "1234.50", "currency": "GTQ"}
        deposit = await world.call("POST", "/deposits", {**cash, "notes": f"envelope {number}"})
        await world.call("PUT", f"/deposits/{deposit['id']}/status", {"status": "confirmed"})
    await asyncio.to_thread(_set_back, world, me["id"])
    yield account
    await api.close()
    await world.call("PUT", "/programme", before)


def _set_back(world: World, client_id: str) -> None:
    """As if the deposits had been brought one after another in March 2026."""
    begin = datetime(2026, 3, 2, 15, tzinfo=timezone.utc)
    with sqlite3.connect(world.lnbits.stored, timeout=30) as connection:
        rows = connection.execute(
            "SELECT id FROM dca_deposits WHERE client_id = ? ORDER BY created_at", (client_id,)
        ).fetchall()
        for number, (deposit,) in enumerate(rows):
            moment = (begin + timedelta(hours=7 * number)).timestamp()
            connection.execute(
                "UPDATE dca_deposits SET confirmed_at = ? WHERE id = ?", (moment, deposit)
            )
    connection.close()


async def printed(panel: Panel, to: Path) -> PdfReader:
    """What the browser makes of it, with the page's own paper."""
    content = await panel.page.pdf(prefer_css_page_size=True, path=to, print_background=True)
    return PdfReader(BytesIO(content))


def texts(pdf: PdfReader) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in pdf.pages]


async def test_a_months_statement_is_printed_with_letterhead_and_numbered_pages(
    world: World, saver: Account, open_panel: OpenPanel, tmp_path: Path
) -> None:
    panel = await open_panel()
    await panel.press("Client registration")
    dialog = panel.dialog("Client registration")
    await panel.fill("Your name or company", NAME)
    await panel.fill("Your address", "6a avenida 1-23\nGuatemala")
    await panel.press("Save", dialog)
    await panel.says("Registration saved")

    mine = await open_panel(saver, path=f"{PATH}my", dark=False)
    card = mine.page.get_by_role("region", name="Statements", exact=True)
    months = card.get_by_role("listitem")
    await mine.press("Show more", card)
    await expect(months.last).to_contain_text("March 2026")
    number = await months.last.locator(".q-item__label--caption").inner_text()
    assert re.fullmatch(r"20260301-20260331-[0-9A-F]{8}", number)
    assert await mine.nameless() == []
    save = months.last.get_by_role("button", name=re.compile("Save as a file"))
    await save.click()
    async with mine.page.expect_download() as download:
        await mine.page.get_by_role("menu").get_by_text("Koinly").click()
    name = (await download.value).suggested_filename
    assert name == "satmachineclient-koinly-2026-03-01-2026-03-31.csv"
    await months.last.get_by_role("link").click()
    sheet = mine.page.get_by_role("article", name="Statement")
    await mine.sees(number, sheet)

    for paper, size in POINTS.items():
        await mine.choose("Paper", paper)
        pdf = await printed(mine, tmp_path / f"{paper}.pdf")
        pages = texts(pdf)
        assert len(pages) > 1
        for at, (page, text) in enumerate(zip(pdf.pages, pages, strict=True), 1):
            assert (round(page.mediabox.width), round(page.mediabox.height)) == size
            assert f"{at} / {len(pages)}" in text, text[-200:]
            assert number in text
            assert "Balance" in text  # the columns' heads on each page
        assert NAME in pages[0] and "6a avenida 1-23" in pages[0] and NAME not in pages[1]
        assert "Inés Ñandú" in pages[0] and "Mar 1, 2026" in pages[0]
        everything = " ".join(pages)
        for envelope in range(DEPOSITS):
            assert f"envelope {envelope} " in everything
        assert "86,415.00" in pages[-1]
        assert "Download" not in everything and "Paper" not in everything


async def test_statements_in_spanish_on_a_phone_fit(saver: Account, open_panel: OpenPanel) -> None:
    mine = await open_panel(saver, path=f"{PATH}my", language="es", size=PHONE)
    await mine.sees("Estados de cuenta")
    assert not await mine.is_too_wide()
    assert await mine.nameless() == []
    card = mine.page.get_by_role("region", name="Estados de cuenta")
    await card.get_by_role("link", name=re.compile("Para ver e imprimir")).first.click()
    await mine.sees("Saldo final")
    await expect(mine.page.get_by_label("Papel")).to_have_value("Carta")  # in Guatemala
    assert not await mine.is_too_wide()

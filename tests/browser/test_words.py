"""The page in Spanish where the server refuses, and what it has to warn of all the time."""

import re

import pytest
from playwright.async_api import expect

from demo.lamassu_db import role_sql
from demo.world import World
from tests.browser.conftest import OpenPanel

pytestmark = pytest.mark.browser


async def test_a_refusal_is_told_in_spanish_with_the_fields_own_name(open_panel: OpenPanel) -> None:
    panel = await open_panel(language="es")
    told = await panel.page.evaluate(
        """async () => {
            const refused = async (...request) => {
                try { await satmachine.call(...request) } catch (error) {
                    return satmachine.sentence(error)
                }
            }
            return [
                await refused('POST', '/clients', {dca_mode: 'flow', wallet_id: 'nowhere'}),
                await refused('PUT', '/programme', {currency: 'ABC'}),
                await refused('GET', '/report?from=2026-02-02&to=2026-02-01')
            ]
        }"""
    )
    assert told[0] == "Billetera: no hay ninguna billetera de LNbits con este identificador"
    assert told[1].startswith("Moneda: «ABC» no es un código de moneda ISO 4217 conocido")
    assert told[2] == "Hasta: es anterior al comienzo"
    panel.errors.clear()  # the console's own lines on three answers 400


async def test_a_missing_right_is_shown_with_the_exact_grant_to_copy(
    world: World, open_panel: OpenPanel
) -> None:
    owner = await world.lamassu.connect()
    try:
        await owner.execute("REVOKE SELECT (discount) ON cash_out_txs FROM dca_ro")
        panel = await open_panel(language="es")
        await panel.page.get_by_role("button", name=re.compile("Probar conexión")).first.click()
        grant = "GRANT SELECT (discount) ON cash_out_txs TO dca_ro;"
        line = panel.page.get_by_text(grant).first
        await expect(line).to_be_visible()
        await expect(line).to_contain_text("Ejecute ahí como dueño")
        assert await line.evaluate("e => getComputedStyle(e).userSelect") != "none"
    finally:
        await owner.execute(role_sql())
        await owner.close()


async def test_a_key_that_lies_beside_the_data_is_warned_of_all_the_time(
    world: World, open_panel: OpenPanel
) -> None:
    folders = {path.parent for path in world.folder.rglob("database.sqlite3")}
    assert folders
    warning = "[data-key-beside]"
    panel = await open_panel()
    await expect(panel.page.get_by_role("tab").first).to_be_visible()
    await expect(panel.page.locator(warning)).to_have_count(0)
    keys = [folder / ".lnbits_auth_key" for folder in folders]
    for key in keys:
        key.write_text("of no use")
    try:
        other = await open_panel()
        await expect(other.page.locator(warning)).to_be_visible()
        await other.sees(re.compile("secret key"), other.page.locator(warning))
    finally:
        for key in keys:
            key.unlink()

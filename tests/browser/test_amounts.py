"""What is typed into a field of an amount is understood as the page writes numbers, or refused."""

import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from demo.sales import Sale
from demo.world import World
from tests.browser.conftest import OpenPanel

pytestmark = pytest.mark.browser

REFUSED = "?"
# What is typed, in which language, and what of it is read.
TYPED = [
    ("15.000", "es-ES", "15000"),
    ("15.000", "es-GT", REFUSED),
    ("15.000", "en-US", REFUSED),
    ("15,000", "en-US", "15000"),
    ("15,000", "es-GT", "15000"),
    ("15,000", "es-ES", REFUSED),
    ("1,234.50", "en-US", "1234.5"),
    ("1,234.50", "es-GT", "1234.5"),
    ("1,234.50", "es-ES", REFUSED),
    ("1.234,50", "es-ES", "1234.5"),
    ("1.234,50", "en-US", REFUSED),
    ("1234,5", "es-ES", "1234.5"),
    ("1234,5", "es-GT", REFUSED),
    ("100.50", "es-GT", "100.5"),
    ("100.50", "es-ES", REFUSED),
    ("1,00", "en-US", REFUSED),
    ("1,2345", "en-US", REFUSED),
    ("790000.350", "en-US", "790000.35"),
    ("1,234.567", "en-US", "1234.567"),
    ("0.125", "en-US", "0.125"),
    (".5", "en-US", "0.5"),
    ("5.", "en-US", "5"),
    ("12 345.5", "en-US", "12345.5"),
    ("12'345", "es-GT", "12345"),
    ("1,00,000", "en-IN", "100000"),
    ("1,00,000", "en-US", REFUSED),
    ("1.2.3", "en-US", REFUSED),
    ("-5", "en-US", REFUSED),
    ("1e5", "en-US", REFUSED),
    ("0x10", "en-US", REFUSED),
    ("Q100", "es-GT", REFUSED),
    (".", "en-US", REFUSED),
    ("  ", "en-US", ""),
    ("123456789012345678901234.56", "en-US", "123456789012345678901234.56"),
]
# The same of whole numbers (sats), and of a currency with three decimals.
WHOLE = [
    ("15.000", "es-ES", "15000"),
    ("15.000", "es-GT", REFUSED),
    ("15,000", "es-GT", "15000"),
    ("15,000", "es-ES", REFUSED),
    ("1.5", "en-US", REFUSED),
    ("2,100,000,000,000,000", "en-US", "2100000000000000"),
]
DINARS = [("15.125", "en-US", "15.125"), ("15.125", "es-ES", "15125"), ("1,5", "en-US", REFUSED)]

READ = """rows => rows.map(([typed, tag, options]) =>
    satmachine.format.read(typed, {tag, ...options}).value)"""


async def test_numbers_are_read_as_the_language_writes_them(open_panel: OpenPanel) -> None:
    panel = await open_panel()
    cases: list[tuple[str, str, str, dict[str, Any]]] = [
        *((*row, {"currency": "GTQ"}) for row in TYPED),
        *((*row, {"isWhole": True}) for row in WHOLE),
        *((*row, {"currency": "KWD"}) for row in DINARS),
    ]
    read = await panel.page.evaluate(READ, [[typed, tag, more] for typed, tag, _, more in cases])
    found = {(typed, tag): value for (typed, tag, _, _), value in zip(cases, read, strict=True)}
    assert found == {(typed, tag): value for typed, tag, value, _ in cases}


async def test_what_the_page_itself_writes_is_read_as_the_same(open_panel: OpenPanel) -> None:
    panel = await open_panel()
    wrong = await panel.page.evaluate(
        """() => ['en-US', 'en-GB', 'en-IN', 'es-GT', 'es-ES', 'es-MX', 'es-AR'].flatMap(tag =>
            ['1.5', '12.34', '999.99', '1234', '12345.6', '123456.78', '1234567'].filter(value =>
                satmachine.format.read(new Intl.NumberFormat(tag).format(value), {tag}).value
                    !== value))"""
    )
    assert wrong == []


async def test_an_amount_that_could_mean_two_things_is_refused_with_a_sentence(
    open_panel: OpenPanel,
) -> None:
    panel = await open_panel(language="es")
    await panel.tab("Depósitos")
    await panel.press("Agregar depósito")
    dialog = panel.dialog("Agregar depósito")
    await panel.choose("Moneda", "GTQ", typed="GTQ")
    await panel.fill("Monto en efectivo", "15.000")
    await panel.sees("15.000 puede ser 15,000 o 15. Escriba uno de los dos.", dialog)
    add = dialog.get_by_role("button", name="Agregar depósito", exact=True)
    await expect(add).to_be_disabled()
    await panel.fill("Monto en efectivo", "15,000")
    await panel.sees("Q 15,000.00", dialog)


async def test_a_limit_typed_with_thousands_is_stored_as_it_was_meant(
    world: Any, open_panel: OpenPanel
) -> None:
    panel = await open_panel()
    await panel.tab("Clients")
    await panel.press("Edit Ana")
    dialog = panel.dialog("Client")
    await dialog.get_by_text("Fixed", exact=False).first.click()
    await panel.choose("Currency", "GTQ", typed="GTQ")
    await panel.fill("Daily limit", "1,234.50")
    await panel.sees("GTQ 1,234.50", dialog)
    await panel.press("Save", dialog)
    await panel.says("Client saved")
    ana = next(c for c in await world.call("GET", "/clients") if c["id"] == world.clients[0].id)
    assert ana["fixed_mode_daily_limit"] == "1234.50"
    await world.call("PUT", f"/clients/{ana['id']}", {"dca_mode": "flow"})


_FIELD = re.compile(r"<sat-(?:field|input)\b(.*?)>", re.S)
_OF_A_NUMBER = re.compile(
    r"amount|limit|smallest|largest|sats|rate|percent|threshold|fiat|discount|port|minutes|days|hour"
)


def test_wherever_a_number_is_typed_the_field_is_one_that_reads_numbers() -> None:
    templates = Path(__file__).parents[2] / "templates"
    found = 0
    for file in templates.rglob("*.html"):
        source = file.read_text()
        assert 'type="number"' not in source, file
        assert "<q-input" not in source or file.name in ("fields.html", "currency.html"), file
        for attributes in _FIELD.findall(source):
            model = re.search(r'v-model(?:\.\w+)*="form\.?([^"]*)"', attributes)
            if model and _OF_A_NUMBER.search(model[1]):
                assert re.search(r'kind="[^"]*\b(decimal|whole)\b', attributes), (file, model[1])
                found += 1
    assert found > 15


async def test_a_count_of_cash_is_read_as_the_page_writes_numbers(
    world: World, open_panel: OpenPanel
) -> None:
    time = datetime.now(timezone.utc)
    await world.lamassu.insert(Sale(created=time, confirmed_at=time, cash_at=time))
    assert (await world.call("POST", "/manual-poll"))["success"]
    panel = await open_panel(language="es")
    await panel.tab("Máquinas")
    await panel.press("Contar el efectivo de Kiosk")
    question = panel.dialog("Contar el efectivo de Kiosk")
    await panel.fill("Monto contado, en GTQ", "15.000")
    await panel.sees("15.000 puede ser 15,000 o 15. Escriba uno de los dos.", question)
    go = question.get_by_role("button", name="Contar el efectivo", exact=True)
    await expect(go).to_be_disabled()
    await panel.fill("Monto contado, en GTQ", "15,000")
    await panel.sees("15,000.00", question)
    await expect(go).to_be_enabled()

"""What waits for a person since an older copy was put back, and the decisions on it."""

import re
import sqlite3
from collections.abc import AsyncIterator
from datetime import datetime, timezone
from decimal import Decimal

import pytest
from playwright.async_api import expect

from demo.sales import Sale
from demo.world import World
from tests.browser.conftest import OpenPanel
from tests.browser.panel import PHONE, configure

pytestmark = pytest.mark.browser

REASON = (
    "Held: LNbits has paid shares of this sale that differ from the plan. "
    "Retry it if it is to be paid, or void it."
)


@pytest.fixture
async def held(world: World) -> AsyncIterator[None]:
    """Two planned shares are held, and an adopted payment fits nothing."""
    await configure(world, payout_schedule="weekly", payout_time="00:00", payout_weekday=0)
    await world.call("POST", "/manual-poll")
    await world.lamassu.insert(Sale(created=datetime.now(timezone.utc), fiat=Decimal(600)))
    assert (await world.call("POST", "/manual-poll"))["planned"] == 1
    with sqlite3.connect(world.lnbits.stored, timeout=30) as database:
        database.execute(
            "UPDATE dca_payments SET status = 'failed', error = ?, transfer_id = 'held-' || id "
            "WHERE id IN (SELECT id FROM dca_payments WHERE status = 'pending' LIMIT 2)",
            (REASON,),
        )
        database.execute(
            "INSERT INTO dca_adopted (id, transfer_id, payment_hash, kind, transaction_ids, "
            "wallet_id, client_id, amount_sats, paid_at, status, note) SELECT 'unclear', 't', 'h', "
            "'client', '', wallet_id, id, 12345, created_at, 'unclear', "
            "'By the plan the client''s share is 999 sats.' FROM dca_clients LIMIT 1"
        )
    yield
    await configure(world, payout_schedule="each_poll")
    await world.call("POST", "/payouts/now")


async def test_what_is_held_is_listed_with_who_how_much_since_when_and_why(
    held: None, world: World, open_panel: OpenPanel
) -> None:
    listed = await world.call("GET", "/held")
    assert sorted(each["state"] for each in listed) == ["held", "held", "unclear"]
    assert all(each["name"] and each["since"] for each in listed)
    panel = await open_panel()
    card = panel.page.get_by_test_id("sat-held")
    await panel.sees("Held until you decide", card)
    await expect(card.locator("tbody tr")).to_have_count(3)
    await panel.sees(re.compile("shares of this sale that differ from the plan"), card)
    await panel.sees("By the plan the client's share is 999 sats.", card)
    assert await panel.nameless() == []
    spanish = await open_panel(language="es", size=PHONE)
    await spanish.sees("Retenido hasta que usted decida")
    await spanish.sees(re.compile("Según el plan, la parte del cliente es de 999 sats"))
    assert not await spanish.is_too_wide()

    one, two = [each for each in listed if each["state"] == "held"]
    await panel.press(f"Pay: {one['name']}", card)
    await panel.press("Pay", panel.dialog("Pay this after all?"))
    await panel.says("Done")
    await expect(card.locator("tbody tr")).to_have_count(2)
    await panel.press(f"Void: {two['name']}", card)
    question = panel.dialog("Void this share?")
    await question.get_by_role("textbox").fill("paid before")
    await panel.press("Void", question)
    await expect(card.locator("tbody tr")).to_have_count(1)
    await panel.press(re.compile("^Close: "), card)
    question = panel.dialog("Close this payment?")
    await question.get_by_role("textbox").fill("seen")
    await panel.press("Close", question)
    await expect(card).to_be_hidden()

    assert await world.call("GET", "/held") == []
    await world.call("POST", "/payouts/now")  # by its schedule it would wait for the week's end
    payments = {p["id"]: p for p in (await world.call("GET", "/payments/paginated"))["data"]}
    assert payments[one["id"]]["status"] == "confirmed"
    assert payments[two["id"]]["status"] == "voided"

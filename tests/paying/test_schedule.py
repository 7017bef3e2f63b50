"""Shares are planned at each poll and paid when it is time: once, and in full to who leaves.

Instead of moving the clock, the last payout run is put back in time: by a day, its hour has passed.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account, LnbitsError
from demo.sales import Sale
from tests.rig import API, Configure, DcaClient, MakeClient, MakeWallet, Poll

pytestmark = pytest.mark.storage

Sell = Callable[..., Awaitable[None]]


@pytest.fixture
def sell(lamassu: LamassuDatabase) -> Sell:
    async def one(sats: int = 21_100) -> None:
        time = datetime.now(timezone.utc)
        sale = Sale(created=time, cash_at=time, fiat=Decimal(200), crypto_atoms=sats)
        await lamassu.insert(sale)

    return one


@pytest.fixture
async def daily(configure: Configure, poll: Poll) -> dict[str, Any]:
    """Paid daily at an hour that has just passed, and whose run is over."""
    hour = f"{datetime.now(timezone.utc) - timedelta(minutes=2):%H:%M}"
    setup = await configure(payout_schedule="daily", payout_time=hour, timezone="UTC")
    await poll()
    return setup.body


async def let_a_day_pass() -> None:
    from satmachineclient.database import ledger

    async with ledger() as work:
        await work.execute(
            "UPDATE satmachineclient.lamassu_config "
            "SET payouts_due_until = :at, payout_schedule_since = :at",
            at=datetime.now(timezone.utc) - timedelta(days=1),
        )


async def held(client: DcaClient) -> int:
    return await client.owner.balance(client.wallet)


async def waiting(admin: Account, client: DcaClient) -> int:
    return int((await admin.call("GET", f"{API}/clients/{client.id}/balance"))["waiting_sats"])


async def test_nothing_is_paid_before_the_hour_and_all_of_it_once_then(
    daily: dict[str, Any], admin: Account, make_client: MakeClient, sell: Sell, poll: Poll
) -> None:
    one, two = [await make_client(name, {"GTQ": "1000.00"}) for name in ("one", "two")]
    for _ in range(3):
        await sell()
        result = await poll()
        assert (result["success"], result["planned"], result["confirmed_payments"]) == (True, 1, 0)
    assert (await held(one), await held(two)) == (0, 0)
    assert await waiting(admin, one) == await waiting(admin, two) == 30_000
    overview = await admin.call("GET", f"{API}/overview")
    attention = overview["attention"]
    assert (attention["waiting_payments"], attention["scheduled_payments"]) == (0, 6)
    assert attention["scheduled_sats"] == 60_000
    assert overview["source"]["owed_shares_sats"] == 60_000
    next_payout = datetime.fromisoformat(overview["connection"]["next_payout"])
    assert timedelta(hours=23) < next_payout - datetime.now(timezone.utc) <= timedelta(days=1)

    await let_a_day_pass()
    paid = await poll()

    assert (paid["confirmed_payments"], paid["pending_payments"]) == (6, 0)
    assert (await held(one), await held(two)) == (30_000, 30_000)
    assert await waiting(admin, one) == 0
    await sell()
    again = await poll()
    assert (again["planned"], again["confirmed_payments"]) == (1, 0)
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]


async def test_credit_and_commission_travel_with_the_payout_run(
    configure: Configure, admin: Account, make_client: MakeClient, sell: Sell, poll: Poll
) -> None:
    hour = f"{datetime.now(timezone.utc) - timedelta(minutes=2):%H:%M}"
    setup = await configure(
        balance_sats=0, credit_source_wallet=True, payout_schedule="daily", payout_time=hour
    )
    await poll()
    client = await make_client("one", {"GTQ": "1000.00"})
    for _ in range(2):
        await sell()
        await poll()
    assert await admin.balance(setup.source) == await admin.balance(setup.commission) == 0

    await let_a_day_pass()
    await poll()

    assert await held(client) == 40_000
    assert await admin.balance(setup.commission) == 2_200
    assert await admin.balance(setup.source) == 0
    rows = await admin.call("GET", f"{API}/transactions")
    assert {row["status"] for row in rows} == {"settled"}


async def test_the_loop_begins_a_run_when_its_hour_has_passed(
    daily: dict[str, Any], admin: Account
) -> None:
    from satmachineclient import transaction_processor
    from satmachineclient.database import ledger

    assert not await transaction_processor._is_due()
    hour = datetime.now(timezone.utc) - timedelta(minutes=1)
    async with ledger() as work:  # the last poll was before the hour, and the interval is long
        await work.execute(
            "UPDATE satmachineclient.lamassu_config "
            "SET last_poll_time = :at, payout_schedule_since = :at",
            at=hour - timedelta(minutes=5),
        )
    assert await transaction_processor._is_due()


async def test_small_payouts_wait_until_they_are_worth_it(
    configure: Configure, admin: Account, make_client: MakeClient, sell: Sell, poll: Poll
) -> None:
    """The operator's smallest payout, or the client's own where that is larger."""
    await configure(payout_min_sats=15_000)
    easy = await make_client("easy", {"GTQ": "1000.00"})
    patient = await make_client("patient", {"GTQ": "1000.00"}, payout_min_sats=25_000)
    eager = await make_client("eager", {"GTQ": "1000.00"}, payout_min_sats=1)
    for expected in ([0, 0, 0], [20_000, 0, 20_000], [20_000, 30_000, 20_000]):
        await sell(31_650)
        await poll()
        assert [await held(client) for client in (easy, patient, eager)] == expected
    assert await waiting(admin, easy) == 10_000


async def test_pay_all_now_pays_what_waits_however_little(
    configure: Configure, admin: Account, make_client: MakeClient, sell: Sell, poll: Poll
) -> None:
    hour = f"{datetime.now(timezone.utc) - timedelta(minutes=2):%H:%M}"
    await configure(payout_schedule="weekly", payout_time=hour, payout_min_sats=10**6)
    await poll()
    client = await make_client("one", {"GTQ": "1000.00"})
    await sell()
    await poll()
    assert await held(client) == 0

    paid = await admin.call("POST", f"{API}/payouts/now")

    assert paid == {"confirmed_payments": 1, "distributed_sats": 20_000}
    assert await held(client) == 20_000
    nothing = await admin.call("POST", f"{API}/payouts/now")
    assert nothing == {"confirmed_payments": 0, "distributed_sats": 0}
    audit = await admin.call("GET", f"{API}/audit")
    assert [entry["action"] for entry in audit].count("all paid now") == 2


@pytest.mark.parametrize("how", ["closed", "settled out", "another wallet"])
async def test_who_leaves_or_moves_is_paid_in_full(
    how: str,
    daily: dict[str, Any],
    admin: Account,
    make_client: MakeClient,
    make_wallet: MakeWallet,
    sell: Sell,
    poll: Poll,
) -> None:
    """And nobody else before the hour."""
    leaves, stays = [await make_client(name, {"GTQ": "300.00"}) for name in ("leaves", "stays")]
    await sell()
    await poll()
    wallet = leaves.wallet
    if how == "closed":
        await admin.call("PUT", f"{API}/clients/{leaves.id}", {"status": "closed"})
    elif how == "settled out":
        body: dict[str, Any] = {
            "currency": "GTQ",
            "exchange_rate": "1000000",
            "reason": "moves away",
        }
        await admin.call(
            "POST", f"{API}/clients/{leaves.id}/settle-out", {**body, "dry_run": False}
        )
    else:
        wallet = await make_wallet(leaves.owner)
        await admin.call("PUT", f"{API}/clients/{leaves.id}", {"wallet_id": wallet.id})
    await poll()
    settled = 20_000 if how == "settled out" else 0
    assert await leaves.owner.balance(wallet) == 10_000 + settled
    assert (await held(stays), await waiting(admin, stays)) == (0, 10_000)
    assert await waiting(admin, leaves) == 0


async def test_another_schedule_makes_nothing_overdue_and_holds_nothing_back(
    configure: Configure, admin: Account, make_client: MakeClient, sell: Sell, poll: Poll
) -> None:
    from satmachineclient import transaction_processor

    setup = await configure(balance_sats=0)
    client = await make_client("one", {"GTQ": "1000.00"})
    await sell()
    await poll()  # which would have paid, had the wallet held it
    hours = [f"{datetime.now(timezone.utc) - timedelta(hours=h):%H:%M}" for h in (2, 1)]
    daily = {**setup.body, "payout_schedule": "daily", "timezone": "UTC"}
    await admin.call("POST", f"{API}/config", {**daily, "payout_time": hours[0]})
    await sell()
    await admin.top_up(setup.source, 100_000)
    await poll()
    assert (await held(client), await waiting(admin, client)) == (20_000, 20_000)
    await admin.call("POST", f"{API}/config", {**daily, "payout_time": hours[1]})
    assert not await transaction_processor._is_due()
    await poll()
    assert await waiting(admin, client) == 20_000
    await admin.call("POST", f"{API}/config", setup.body)  # by each poll again
    await poll()
    assert (await held(client), await waiting(admin, client)) == (40_000, 0)


async def test_what_a_poll_noted_is_not_undone_by_who_saves_what_was_read_before(
    configure: Configure, poll: Poll
) -> None:
    from satmachineclient import crud
    from satmachineclient.models import AuditEntry

    await configure()
    read_before = await crud.get_config()
    assert read_before
    await poll()
    noted = await crud.get_config()
    await crud.save_config(read_before, AuditEntry.of("an admin", "saved", "default", None, None))
    kept = await crud.get_config()
    assert noted and kept and noted.last_poll_time != read_before.last_poll_time
    assert kept == noted


async def test_pay_all_now_has_to_wait_for_a_poll(configure: Configure, admin: Account) -> None:
    from satmachineclient.helpers import new_id
    from satmachineclient.lease import working

    await configure()
    async with working(new_id()):
        with pytest.raises(LnbitsError, match=r"409.*poll is running"):
            await admin.call("POST", f"{API}/payouts/now")


async def test_who_is_in_a_hurry_is_not_forgotten_while_the_ledger_is_busy(
    configure: Configure, admin: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    from satmachineclient import lease, transaction_processor
    from satmachineclient.helpers import new_id

    await configure()
    await lease.wanted_within(0)  # what an earlier test has hurried
    monkeypatch.setattr(transaction_processor, "FIRST_POLL_SECONDS", 0)
    monkeypatch.setattr(transaction_processor, "_LOOK_SECONDS", 0.1)

    async def polls_are(*triggers: str) -> None:
        async def look() -> None:
            while True:
                polls = await admin.call("GET", f"{API}/polls")
                if tuple(p["trigger"] for p in polls if p["status"] != "running") == triggers:
                    return
                await asyncio.sleep(0.1)

        await asyncio.wait_for(look(), 20)

    polling = asyncio.create_task(transaction_processor.run_polls())
    try:
        await polls_are("startup")
        async with lease.working(new_id(), wait_seconds=5):
            lease.hurry()
            await asyncio.sleep(1)
            await polls_are("startup")
        await polls_are("hourly", "startup")
    finally:
        polling.cancel()


async def test_a_test_transaction_does_not_wait(
    daily: dict[str, Any], admin: Account, make_client: MakeClient
) -> None:
    client = await make_client("one", {"GTQ": "1000.00"})
    sale = {"crypto_amount_sats": 1_100, "fiat_amount": "10.00", "fiat_code": "GTQ"}
    made = {**sale, "commission_percentage": "0.1", "dry_run": False}
    await admin.call("POST", f"{API}/test-transaction", made)
    assert await held(client) == 1_000


async def test_a_clock_that_was_wrong_delays_nothing_for_long(
    daily: dict[str, Any], admin: Account, make_client: MakeClient, sell: Sell, poll: Poll
) -> None:
    """A run in the future is one of a clock set back since: the next hour counts again."""
    from satmachineclient.crud import get_config
    from satmachineclient.database import ledger

    async with ledger() as work:
        await work.execute(
            "UPDATE satmachineclient.lamassu_config SET payouts_due_until = :at",
            at=datetime.now(timezone.utc) + timedelta(days=400),
        )
    client = await make_client("one", {"GTQ": "1000.00"})
    await sell()
    await poll()
    config = await get_config()
    assert config and config.payouts_due_until
    assert config.payouts_due_until <= datetime.now(timezone.utc)
    await sell()
    await poll()
    await let_a_day_pass()
    await poll()
    assert await held(client) == 40_000


BAD_SCHEDULES: list[tuple[str, Any]] = [
    ("payout_schedule", "hourly"),
    ("payout_time", "24:00"),
    ("payout_time", "9:00"),
    ("payout_time", None),
    ("payout_weekday", 7),
    ("payout_weekday", "1"),
    ("payout_min_sats", 0),
    ("payout_min_sats", 1.5),
]


async def test_a_schedule_that_makes_no_sense_is_refused(
    configure: Configure, admin: Account, subtests: pytest.Subtests
) -> None:
    setup = await configure()
    for field, value in BAD_SCHEDULES:
        with subtests.test(field=field, value=value):
            with pytest.raises(LnbitsError, match=f"400.*{field}"):
                await admin.call("POST", f"{API}/config", {**setup.body, field: value})

"""What LNbits asks for and refuses: pauses, limits, fees; what does not fit waits alone."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account, LnbitsError
from demo.sales import Sale
from tests.paying.test_payments import (
    count_lnbits_payments,
    lnbits_setting,
    remaining,
    shares,
    transactions,
)
from tests.rig import API, Configure, MakeClient, MakeWallet, Poll, Setup

pytestmark = pytest.mark.storage


def sale(seconds_ago: int = 0, **fields: Any) -> Sale:
    time = datetime.now(timezone.utc) - timedelta(seconds=seconds_ago)
    given_fields = {"crypto_atoms": 21_100, "fiat": Decimal(200), "cash_at": time, **fields}
    return Sale(created=time, **given_fields)


async def test_the_oldest_share_is_paid_first_however_large(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    setup = await configure(balance_sats=60_000)
    client = await make_client("one", {"GTQ": "9000.00"})
    await lamassu.insert(sale(crypto_atoms=94_950, fiat=Decimal(900)))
    await poll()
    await lamassu.insert(sale(crypto_atoms=10_550, fiat=Decimal(100)))
    await poll()
    assert await client.owner.balance(client.wallet) == 0  # the small one waits behind it
    found = sorted(await shares(admin), key=lambda share: share["amount_sats"])
    assert [s["amount_sats"] for s in found] == [10_000, 90_000]
    assert all("short of 40000 sats" in s["error"] for s in found)

    await admin.top_up(setup.source, 40_000)
    assert (await poll())["confirmed_payments"] == 2
    assert await client.owner.balance(client.wallet) == 100_000


async def test_a_sale_that_cannot_be_credited_holds_up_no_other_and_can_be_taken_back(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    """By its size it has more parts than are made of one amount: LNbits refuses it as too large."""
    from satmachineclient.database import fetch_rows

    setup = await configure(
        credit_source_wallet=True, balance_sats=0, max_sats_per_transaction=None
    )
    body = {"webhook_url": "https://hook.example/", "webhook_events": True}
    with lnbits_setting("lnbits_callback_url_rules", []):
        await admin.call("PUT", f"{API}/alerts/settings", body)
    client = await make_client("one", {"GTQ": "9000.00"})
    small = [sale(), sale()]
    await lamassu.insert(sale(crypto_atoms=21_100_000), *small)
    with (
        lnbits_setting("lnbits_max_incoming_payment_amount_sats", 20_000),
        lnbits_setting("lnbits_wallet_limit_max_balance", 50_000),
    ):
        result = await poll()
    assert result["failed_payments"] > 0
    rows = {r["lamassu_transaction_id"]: r for r in await transactions(admin)}
    assert {rows[str(s.id)]["status"] for s in small} <= {"settled", "planned"}
    [absurd] = [r for r in rows.values() if r["crypto_amount_sats"] == 21_100_000]
    assert "The credit failed" in absurd["payout_error"]
    [share] = await admin.call("GET", f"{API}/transactions/{absurd['id']}/distributions")
    assert "the sale's credit failed" in share["error"]
    told = await fetch_rows(
        "SELECT kind, text FROM satmachineclient.dca_outbox WHERE channel = 'webhook' "
        "AND kind = 'payout_failed'"
    )
    assert told and all("failed" in letter["text"] for letter in told)

    body = {"notes": "nobody sold that"}
    done = await admin.call("POST", f"{API}/transactions/{absurd['id']}/dismiss", body)
    assert (done["status"], done["undistributed_sats"]) == ("dismissed", 21_100_000)
    await poll()
    assert await remaining(admin, client) == "8600.00"
    assert await client.owner.balance(client.wallet) == 40_000
    assert await admin.balance(setup.source) == 0
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]


async def test_a_backlog_of_credits_that_the_wallet_cannot_hold_at_once(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    setup = await configure(credit_source_wallet=True, balance_sats=0)
    clients = [await make_client(n, {"GTQ": "9000.00"}) for n in ("one", "two", "three", "four")]
    await lamassu.insert(*(sale() for _ in range(9)))
    with lnbits_setting("lnbits_wallet_limit_max_balance", 60_000):
        result = await poll()
    assert (result["confirmed_payments"], result["failed_payments"]) == (36, 0)
    assert [await c.owner.balance(c.wallet) for c in clients] == [45_000] * 4
    assert await admin.balance(setup.source) == 0
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]


async def test_what_is_paid_is_never_taken_back(
    admin: Account, configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    one, two = [await make_client(n, {"GTQ": "1000.00"}) for n in ("one", "two")]
    await lamassu.insert(sale())
    with lnbits_setting("lnbits_wallet_limit_daily_max_withdraw", 10_000):
        await poll()
    assert await one.owner.balance(one.wallet) + await two.owner.balance(two.wallet) == 10_000
    [row] = await transactions(admin)
    with pytest.raises(LnbitsError, match="booked already"):
        await admin.call("POST", f"{API}/transactions/{row['id']}/dismiss", {"notes": "no"})
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]


async def test_the_pause_that_lnbits_asks_for_is_kept_without_failures(
    admin: Account, configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    from satmachineclient.paying import crud_payouts

    for number in range(4):
        await make_client(f"client {number}", {"GTQ": "1000.00"})
    await lamassu.insert(sale())
    with lnbits_setting("lnbits_wallet_limit_secs_between_trans", 1):
        result = await poll()
    assert (result["confirmed_payments"], result["failed_payments"]) == (4, 0)
    await lamassu.insert(sale())
    with lnbits_setting("lnbits_wallet_limit_secs_between_trans", 600):
        result = await poll()
    assert (result["confirmed_payments"], result["failed_payments"]) == (0, 0)
    open_ones = await crud_payouts.due_payouts(["client", "commission"], None)
    assert [(p.status, p.attempts) for p in open_ones] == [("pending", 0)] * 5
    assert await crud_payouts.due_payouts(["client"], datetime.now(timezone.utc)) == []
    assert (await poll())["confirmed_payments"] == 4


async def test_a_days_limit_is_kept_without_failures(
    admin: Account, configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    from satmachineclient.paying import crud_payouts

    clients = [await make_client(n, {"GTQ": "1000.00"}) for n in ("one", "two")]
    await lamassu.insert(sale())
    with lnbits_setting("lnbits_wallet_limit_daily_max_withdraw", 10_000):
        for _ in range(2):
            result = await poll()
            assert result["failed_payments"] == 0
    paid, waits = sorted(await shares(admin), key=lambda share: str(share["status"]))
    assert (paid["status"], waits["status"]) == ("confirmed", "pending")
    assert waits["error"] == "Waiting: LNbits lets a wallet pay 10000 sats a day."
    assert {p.attempts for p in await crud_payouts.due_payouts(["client"], None)} == {0}
    now = datetime.now(timezone.utc)
    assert await crud_payouts.due_payouts(["client"], now) == []
    assert len(await crud_payouts.due_payouts(["client"], now + timedelta(days=2))) == 1

    assert (await poll())["failed_payments"] == 0  # the limit is gone: nobody waits for the day
    assert [await each.owner.balance(each.wallet) for each in clients] == [10_000] * 2
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]


async def test_the_service_fee_is_covered_shown_and_booked(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    make_wallet: MakeWallet,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    setup = await configure(balance_sats=20_100, commission_wallet_id=None)
    client = await make_client("one", {"GTQ": "1000.00"})
    fees = await make_wallet(admin)
    await lamassu.insert(sale())
    with (
        lnbits_setting("lnbits_service_fee", 1.0),
        lnbits_setting("lnbits_service_fee_ignore_internal", False),
        lnbits_setting("lnbits_service_fee_wallet", fees.id),
    ):
        await poll()
        [share] = await shares(admin)
        assert share["error"] == "Waiting: the source wallet is short of 101 sats."
        source = (await admin.call("GET", f"{API}/overview"))["source"]
        assert (source["owed_fees_sats"], source["missing_sats"]) == (201, 101)
        await admin.top_up(setup.source, 101)
        assert (await poll())["confirmed_payments"] == 1
    assert await client.owner.balance(client.wallet) == 20_000
    assert await admin.balance(setup.source) == 1
    assert await admin.balance(fees) == 200
    overview = await admin.call("GET", f"{API}/overview")
    assert overview["days_30"]["fees_sats"] == 200
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]


@given(amounts=st.lists(st.integers(1, 25_000_000), max_size=600))
def test_groups_keep_order_and_stay_below_lnbits_maximum(amounts: list[int]) -> None:
    from satmachineclient.paying import limits, transfers

    groups = transfers._groups(amounts, amounts)
    assert [amount for group in groups for amount in group] == amounts
    for group in groups:
        assert len(group) <= 250
        assert len(group) == 1 or sum(group) <= limits.largest_sats()


@given(
    amounts=st.lists(st.integers(1, 10**7), min_size=1, max_size=50),
    percent=st.sampled_from([0.0, 0.1, 0.37, 1.0, 2.5]),
    most=st.sampled_from([0, 1, 50]),
)
def test_what_parts_need_covers_the_whole_with_its_fee(
    amounts: list[int], percent: float, most: int
) -> None:
    from lnbits.core.services.payments import fee_reserve_total
    from satmachineclient.paying import limits

    with (
        lnbits_setting("lnbits_service_fee", percent),
        lnbits_setting("lnbits_service_fee_max", most),
        lnbits_setting("lnbits_service_fee_ignore_internal", False),
        lnbits_setting("lnbits_service_fee_wallet", "fees"),
    ):
        whole = sum(amounts) * 1000
        assert limits.all_needed_msat(amounts) >= whole + fee_reserve_total(whole, internal=True)


@pytest.mark.slow
async def test_no_sum_leaves_64_bits(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    await configure(credit_source_wallet=True, balance_sats=0, max_sats_per_transaction=None)
    client = await make_client("one", {"GTQ": "1000.00"})
    absurd = [sale(60, crypto_atoms=21 * 10**14, fiat=Decimal(10**6)) for _ in range(4500)]
    await lamassu.insert(*absurd, sale())
    result = await poll()
    assert (result["success"], result["planned"], result["reviews"]) == (True, 1, 4500)
    assert await client.owner.balance(client.wallet) == 20_000
    await admin.call("GET", f"{API}/overview")
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]
    assert await count_lnbits_payments(client.wallet) == 1


async def test_a_clients_wallet_is_none_of_the_programmes_own(
    admin: Account, configured: Setup, make_client: MakeClient, make_wallet: MakeWallet
) -> None:
    client = await make_client("one", owner=admin)
    for wallet in (configured.source, configured.commission):
        body = {"wallet_id": wallet.id, "username": "two", "dca_mode": "flow"}
        with pytest.raises(LnbitsError, match=r"wallet_id: .*own source or commission"):
            await admin.call("POST", f"{API}/clients", body)
        with pytest.raises(LnbitsError, match=r"wallet_id: .*own source or commission"):
            await admin.call("PUT", f"{API}/clients/{client.id}", {"wallet_id": wallet.id})
    for name in ("source_wallet_id", "commission_wallet_id"):
        with pytest.raises(LnbitsError, match=f"{name}: .*a client's wallet"):
            body = {**configured.body, name: client.wallet.id}
            await admin.call("POST", f"{API}/config", body)

"""What failed for a wallet is tried again by itself as soon as that wallet is another."""

from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account
from demo.sales import Sale
from tests.paying.test_payments import delete_wallet, lnbits_setting
from tests.rig import API, MakeClient, MakeWallet, Poll, Setup

pytestmark = pytest.mark.storage


async def planned_while_nothing_can_be_paid(lamassu: LamassuDatabase, poll: Poll) -> None:
    time = datetime.now(timezone.utc)
    sale = Sale(created=time, cash_at=time, fiat=Decimal(200), crypto_atoms=21_100)
    await lamassu.insert(sale)
    with lnbits_setting("lnbits_only_allow_incoming_payments", True):
        await poll()


async def transaction(admin: Account) -> dict[str, Any]:
    (row,) = await admin.call("GET", f"{API}/transactions")
    return dict(row)


async def test_a_clients_new_wallet_gets_what_failed_for_the_old_one(
    admin: Account,
    configured: Setup,
    make_client: MakeClient,
    make_wallet: MakeWallet,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    from satmachineclient.lease import wanted_within

    client = await make_client("one", {"GTQ": "1000.00"})
    await planned_while_nothing_can_be_paid(lamassu, poll)
    await delete_wallet(client.wallet)
    assert (await poll())["failed_payments"] == 1
    assert (await poll())["failed_payments"] == 1  # the same wallet: a person has to act

    new = await make_wallet(client.owner)
    await admin.call("PUT", f"{API}/clients/{client.id}", {"wallet_id": new.id})
    assert await wanted_within(0)  # the background task does not wait for its hour
    result = await poll()

    assert (result["confirmed_payments"], result["failed_payments"]) == (1, 0)
    assert await client.owner.balance(new) == 20_000
    assert (await transaction(admin))["status"] == "settled"
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]


async def test_another_source_and_commission_wallet_take_over_what_failed(
    admin: Account,
    configured: Setup,
    make_client: MakeClient,
    make_wallet: MakeWallet,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    from satmachineclient.lease import wanted_within

    client = await make_client("one", {"GTQ": "1000.00"})
    await planned_while_nothing_can_be_paid(lamassu, poll)
    await delete_wallet(configured.commission)
    source = await make_wallet(admin, 1_000_000)
    commission = await make_wallet(admin)
    wallets = {"source_wallet_id": source.id, "commission_wallet_id": commission.id}
    await wanted_within(0)
    await admin.call("POST", f"{API}/config", {**configured.body, **wallets})
    assert await wanted_within(0)

    result = await poll()

    assert (result["confirmed_payments"], result["failed_payments"]) == (1, 0)
    assert await client.owner.balance(client.wallet) == 20_000
    assert await admin.balance(commission) == 1_100
    assert await admin.balance(source) == 1_000_000 - 21_100
    assert await admin.balance(configured.source) == 10_000_000
    assert (await transaction(admin))["status"] == "settled"
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]

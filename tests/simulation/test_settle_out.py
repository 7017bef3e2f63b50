"""A settlement is cut off at each of its commits, LNbits' own included: it is paid exactly once."""

from decimal import Decimal

import pytest

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account
from tests.rig import API, MakeClient, Poll, Setup

from .test_simulation import Crash, crash_at, let_the_lease_expire

pytestmark = pytest.mark.storage


@pytest.mark.slow
async def test_a_settlement_that_is_cut_off_is_paid_once(
    configured: Setup,
    make_client: MakeClient,
    admin: Account,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    from satmachineclient.models_clients import SettleOut
    from satmachineclient.paying import settle_out

    await lamassu.clear()
    data = SettleOut(currency="GTQ", exchange_rate=Decimal(800_000), reason="moves abroad")
    for moment in range(1, 100):
        client = await make_client(f"client {moment}", {"GTQ": "100.00"})
        crashed = True
        with crash_at(moment):
            try:
                await settle_out.settle_out(client.id, data, admin.user_id)
                crashed = False
            except Crash:
                pass
        await let_the_lease_expire()
        left = (await admin.call("GET", f"{API}/clients/{client.id}/balance"))["balances"][0]
        if left["remaining_balance"] != "0.00":  # it was cut off before it was stored
            assert left["remaining_balance"] == "100.00"
            await settle_out.settle_out(client.id, data, admin.user_id)
        assert (await poll())["success"]
        assert await admin.balance(client.wallet) == 12_500, moment
        if not crashed:
            break
    assert moment > 8
    answer = await admin.call("GET", f"{API}/reconciliation")
    assert answer["ok"], answer["differences"]

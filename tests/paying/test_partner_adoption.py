"""A backup was put back: what partners were paid is adopted, or paid again, as shares are."""

from typing import Any

import pytest

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account, LnbitsError, Wallet
from demo.sales import MACHINE
from tests.paying.test_adoption import (
    copy_of_lnbits,
    copy_of_ours,
    lose_since,
    put_back,
    sale,
    statuses,
)
from tests.rig import API, MakeClient, MakeWallet, Poll, Setup

pytestmark = pytest.mark.storage


async def add_partner(admin: Account, wallet: Wallet, percent: str = "25") -> Any:
    body = {"name": "Shop", "wallet_id": wallet.id, "percent": percent, "device_ids": []}
    return await admin.call("POST", f"{API}/partners", body)


async def parts(admin: Account) -> list[tuple[int, str]]:
    """The partner's part of each sale's commission: sats and state."""
    found = []
    for row in await admin.call("GET", f"{API}/transactions"):
        answer = await admin.call("GET", f"{API}/transactions/{row['id']}/commission")
        found += [(p["amount_sats"], p["status"]) for p in answer if p["partner_id"]]
    return found


async def test_a_partners_part_is_adopted_and_not_paid_twice(
    admin: Account,
    configured: Setup,
    make_client: MakeClient,
    make_wallet: MakeWallet,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    await make_client("one", {"GTQ": "1000.00"})
    shop = await make_wallet(admin)
    partner = await add_partner(admin, shop)
    backup = await copy_of_ours()
    await lamassu.insert(sale(device_id=MACHINE), sale(device_id=MACHINE))
    await poll()
    assert (await admin.balance(shop), await admin.balance(configured.commission)) == (550, 1_650)
    await put_back(backup)
    assert not (await poll())["success"]
    kinds = {u["kind"] for u in (await admin.call("GET", f"{API}/adoption"))["unknown"]}
    assert kinds == {"client", "commission", "partner"}

    done = await admin.call("POST", f"{API}/adopt")

    assert (done["adopted"], done["poll"]["confirmed_payments"]) == (3, 0)
    await poll()
    assert (await admin.balance(shop), await admin.balance(configured.commission)) == (550, 1_650)
    assert await parts(admin) == [(275, "confirmed")] * 2
    (seen,) = await admin.call("GET", f"{API}/partners")
    assert (seen["id"], seen["total_sats"], seen["pending_sats"]) == (partner["id"], 550, 0)
    assert await statuses(admin) == ["settled"] * 2
    books = await admin.call("GET", f"{API}/reconciliation")
    assert books["ok"], books["differences"]


async def test_a_part_that_was_planned_and_unpaid_in_the_older_copy_is_confirmed_not_paid(
    admin: Account,
    configured: Setup,
    make_client: MakeClient,
    make_wallet: MakeWallet,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    from tests.paying.test_payments import lnbits_setting

    await make_client("one", {"GTQ": "1000.00"})
    shop = await make_wallet(admin)
    await add_partner(admin, shop)
    await lamassu.insert(sale())
    with lnbits_setting("lnbits_only_allow_incoming_payments", True):
        await poll()
    backup = await copy_of_ours()
    assert await admin.balance(shop) == 0
    await poll()
    assert await admin.balance(shop) == 275
    await put_back(backup)

    assert (await poll())["success"]  # its payouts are known, only not that they are paid

    await poll()
    assert await admin.balance(shop) == 275
    assert await parts(admin) == [(275, "confirmed")]
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]


@pytest.mark.parametrize("is_complete", [True, False])
async def test_after_changed_percentages_the_commission_is_split_as_it_was_paid_or_waits(
    is_complete: bool,
    admin: Account,
    configured: Setup,
    make_client: MakeClient,
    make_wallet: MakeWallet,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    await make_client("one", {"GTQ": "1000.00"})
    shop = await make_wallet(admin)
    await add_partner(admin, shop)
    backup = await copy_of_ours()
    await lamassu.insert(sale())
    await poll()
    assert await admin.balance(shop) == 275
    for row in (*backup["dca_partners"], *backup["dca_partner_terms"]):
        row["percent"] = "50"  # as it was before a change
    await put_back(backup)
    if not is_complete:  # what LNbits has does not add up to the commission
        got = {row["checking_id"] for row in await copy_of_lnbits(configured.commission.id)}
        got |= {f"internal_{key}" for key in got}
        wallets = (configured.source.id, configured.commission.id)
        paid = await copy_of_lnbits(*wallets)
        await lose_since([row for row in paid if row["checking_id"] not in got], *wallets)

    await admin.call("POST", f"{API}/adopt")
    await poll()

    assert await admin.balance(shop) == 275
    if is_complete:
        assert await parts(admin) == [(275, "confirmed")]
        assert (await admin.call("GET", f"{API}/adoption"))["unclear"] == []
        assert await admin.balance(configured.commission) == 825
        assert await statuses(admin) == ["settled"]
        books = await admin.call("GET", f"{API}/reconciliation")
        assert books["ok"], books["differences"]
        return
    assert await parts(admin) == [(550, "failed")]
    unclear = (await admin.call("GET", f"{API}/adoption"))["unclear"]
    assert {"partner"} <= {each["kind"] for each in unclear}
    assert any("the partner's part is 550 sats" in each["note"] for each in unclear)


async def test_a_payment_of_a_partner_who_is_in_no_plan_waits_for_a_person(
    admin: Account,
    configured: Setup,
    make_client: MakeClient,
    make_wallet: MakeWallet,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    await make_client("one", {"GTQ": "1000.00"})
    shop = await make_wallet(admin)
    backup = await copy_of_ours()  # from before the partner
    partner = await add_partner(admin, shop)
    await lamassu.insert(sale())
    await poll()
    await put_back(backup)

    await admin.call("POST", f"{API}/adopt")
    await poll()

    assert await admin.balance(shop) == 275
    unclear = (await admin.call("GET", f"{API}/adoption"))["unclear"]
    [theirs] = [each for each in unclear if each["kind"] == "partner"]
    assert (theirs["amount_sats"], theirs["client_id"]) == (275, partner["id"])
    assert theirs["note"] == "By the plan this partner has no part of its commission."


async def test_what_lnbits_has_lost_of_a_partners_is_paid_again_once(
    admin: Account,
    configured: Setup,
    make_client: MakeClient,
    make_wallet: MakeWallet,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    client = await make_client("one", {"GTQ": "1000.00"})
    shop = await make_wallet(admin)
    await add_partner(admin, shop)
    wallets = [configured.source.id, configured.commission.id, client.wallet.id, shop.id]
    before = await copy_of_lnbits(*wallets)
    await lamassu.insert(sale(), sale())
    await poll()
    await lose_since(before, *wallets)
    assert (await poll())["success"] and await admin.balance(shop) == 0
    assert (await admin.call("GET", f"{API}/adoption"))["lost_moves"] == 2

    await admin.call("POST", f"{API}/payments/pay-again")

    assert (await admin.balance(shop), await admin.balance(configured.commission)) == (550, 1_650)
    assert await parts(admin) == [(275, "confirmed")] * 2
    await poll()
    assert await admin.balance(shop) == 550
    with pytest.raises(LnbitsError, match="lost nothing"):
        await admin.call("POST", f"{API}/payments/pay-again")
    assert await statuses(admin) == ["settled"] * 2
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]

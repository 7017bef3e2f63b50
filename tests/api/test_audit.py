"""Who did what, and what waits above the operator's ceilings."""

import json
from datetime import datetime, timezone
from decimal import Decimal

import pytest

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account
from demo.sales import Sale
from tests.rig import API, Configure, MakeClient, Poll, Setup

pytestmark = pytest.mark.storage


def sale(sats: int = 21_100) -> Sale:
    time = datetime.now(timezone.utc)
    return Sale(created=time, cash_at=time, fiat=Decimal(200), crypto_atoms=sats)


async def test_what_admins_do_is_kept_with_before_and_after_and_no_secret(
    admin: Account, configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    client = await make_client("one", {"GTQ": "1000.00"})
    await admin.call("PUT", f"{API}/clients/{client.id}", {"status": "paused"})
    await admin.call("PUT", f"{API}/clients/{client.id}", {"status": "active"})
    partial = Sale(created=datetime.now(timezone.utc), cash="partial")
    await lamassu.insert(partial)
    await poll()
    (row,) = await admin.call("GET", f"{API}/transactions")
    await admin.call("POST", f"{API}/transactions/{row['id']}/dismiss", {"notes": "refunded"})

    entries = await admin.call("GET", f"{API}/audit")

    assert [e["action"] for e in reversed(entries)] == [
        "configuration saved",
        "client added",
        "deposit added",
        "deposit confirmed",
        "client changed",
        "client changed",
        "review dismissed",
    ]
    assert {e["actor"] for e in entries} == {admin.user_id}
    added = entries[-2]["after"]
    assert (added["username"], added["status"]) == ("one", "active")
    assert not {"balances", "total_sats", "wallet_gone", "average_prices"} & set(added)
    paused = entries[2]
    assert (paused["before"]["status"], paused["after"]["status"]) == ("active", "paused")
    assert entries[0]["after"] == {"notes": "refunded"}
    assert entries[-1]["after"]["secrets_entered"] == ["password"]
    assert configured.body["password"] not in json.dumps(entries)
    # By name: who, and whose; of a sale there is nobody to name.
    assert {e["actor_name"] for e in entries} == {admin.username}
    assert {e["subject_name"] for e in entries[1:-1]} == {"one"}
    assert {entries[0]["subject_name"], entries[-1]["subject_name"]} == {None}
    page = await admin.call("GET", f"{API}/audit/paginated?action=client changed&limit=1")
    assert (page["total"], len(page["data"])) == (2, 1)


async def test_a_refused_change_leaves_no_entry(
    admin: Account, configured: Setup, make_client: MakeClient
) -> None:
    client = await make_client("one", {"GTQ": "1000.00"})
    before = await admin.call("GET", f"{API}/audit")
    await admin.put(f"{API}/clients/{client.id}", json={"dca_mode": "fixed"})
    await admin.post(f"{API}/deposits", json={"client_id": client.id, "amount": "-1"})
    assert await admin.call("GET", f"{API}/audit") == before


async def test_a_sale_above_a_ceiling_waits_for_a_person(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    await configure(max_sats_per_transaction=30_000, max_sats_per_poll=50_000)
    client = await make_client("one", {"GTQ": "5000.00"})
    sales = [sale(30_001), sale(), sale(), sale()]
    await lamassu.insert(*sales)

    result = await poll()

    assert (result["new"], result["planned"], result["reviews"]) == (4, 2, 2)
    rows = {r["lamassu_transaction_id"]: r for r in await admin.call("GET", f"{API}/transactions")}
    assert rows[str(sales[0].id)]["review_reason"] == (
        "Above the ceiling of 30000 sats per transaction."
    )
    held = [r for r in rows.values() if r["review_reason"]]
    assert {r["review_reason"] for r in held} >= {"Above the ceiling of 50000 sats per poll."}
    assert await client.owner.balance(client.wallet) == 2 * 20_000

    assert (await poll())["planned"] == 0  # a person has to approve, the next poll does not
    for row in held:
        await admin.call("POST", f"{API}/transactions/{row['id']}/distribute", {})
    assert {r["status"] for r in await admin.call("GET", f"{API}/transactions")} == {"settled"}
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]

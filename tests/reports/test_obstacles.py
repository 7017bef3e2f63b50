"""Whatever stops money from moving shows: in the poll's record, in the overview, as an alert."""

from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account, Wallet
from demo.sales import Sale
from tests.rig import API, MakeClient, Poll, Setup

pytestmark = pytest.mark.storage


def sale() -> Sale:
    time = datetime.now(timezone.utc)
    return Sale(created=time, cash_at=time, fiat=Decimal(200), crypto_atoms=21_100)


async def set_deleted(wallet: Wallet, deleted: bool = True) -> None:
    from lnbits.core.db import db

    await db.execute(
        "UPDATE wallets SET deleted = :deleted WHERE id = :id",
        {"deleted": deleted, "id": wallet.id},
    )


async def obstacles(admin: Account) -> list[tuple[str, str]]:
    overview = await admin.call("GET", f"{API}/overview")
    return [(o["code"], o["subject"]) for o in overview["attention"]["obstacles"]]


async def alerts(admin: Account) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = await admin.call("GET", f"{API}/alerts")
    return [row for row in rows if row["kind"] in ("payments_failed", "source_wallet_low")]


async def test_a_poll_without_its_source_wallet_succeeds_with_a_problem(
    admin: Account, configured: Setup, poll: Poll
) -> None:
    assert (await poll())["problem"] is None
    await set_deleted(configured.source)

    from satmachineclient.transaction_processor import poll as poll_by_itself

    await poll_by_itself("hourly")
    (newest, *_) = await admin.call("GET", f"{API}/polls")
    found = await obstacles(admin)
    await set_deleted(configured.source, False)  # it is the other tests' too

    assert newest["status"] == "succeeded"
    assert newest["problem"].startswith(f"The source wallet {configured.source.id} is gone")
    assert found == [("source_wallet_gone", configured.source.id)]


async def test_a_commission_wallet_that_is_gone_is_a_problem_too(
    admin: Account, configured: Setup, poll: Poll
) -> None:
    await set_deleted(configured.commission)
    assert "commission wallet" in (await poll())["problem"]
    assert await obstacles(admin) == [("commission_wallet_gone", configured.commission.id)]


async def test_a_client_whose_wallet_is_gone_waits_aside_and_the_operator_is_told_once(
    admin: Account, configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    one = await make_client("one", {"GTQ": "1000.00"})
    two = await make_client("two", {"GTQ": "1000.00"})
    await set_deleted(one.wallet)
    await lamassu.insert(sale())

    result = await poll()

    # Their cash is not spent on what cannot be paid: the sale is the other's.
    assert (result["confirmed_payments"], result["failed_payments"]) == (1, 0)
    assert await two.owner.balance(two.wallet) == 20_000
    assert result["problem"].startswith("The wallet of one, or its user, is gone")
    clients = {c["username"]: c for c in await admin.call("GET", f"{API}/clients")}
    assert (clients["one"]["wallet_gone"], clients["two"]["wallet_gone"]) == (True, False)
    assert clients["one"]["balances"][0]["remaining_balance"] == "1000.00"
    await poll()
    (alert,) = await alerts(admin)
    assert (alert["subject"], alert["ended_at"]) == (one.id, None)
    assert "one" in alert["text"]

    await set_deleted(one.wallet, False)
    await lamassu.insert(sale())
    assert (await poll())["problem"] is None
    assert await one.owner.balance(one.wallet) > 0
    (alert,) = await alerts(admin)
    assert alert["ended_at"]


async def test_what_was_mended_while_a_poll_ended_is_not_told_again(
    admin: Account, configured: Setup, poll: Poll
) -> None:
    from satmachineclient.reports import obstacles as in_the_way
    from satmachineclient.telling.alerts import evaluate

    await set_deleted(configured.commission)
    await evaluate()
    look = await in_the_way.look()
    assert [one.code for one in look.found] == ["commission_wallet_gone"]
    await set_deleted(configured.commission, False)
    await evaluate()  # as another look, every few minutes
    await evaluate(0, look)
    (alert,) = await alerts(admin)
    assert alert["ended_at"]


async def test_a_client_whose_account_is_gone_waits_aside_too(
    admin: Account, configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    from lnbits.core.db import db

    one = await make_client("one", {"GTQ": "1000.00"})
    # As LNbits leaves it where a user is deleted with their wallets kept.
    await db.execute(
        'UPDATE wallets SET "user" = :gone WHERE id = :id', {"gone": "0" * 32, "id": one.wallet.id}
    )
    await lamassu.insert(sale())
    result = await poll()
    assert (result["planned"], result["failed_payments"]) == (1, 0)
    assert await obstacles(admin) == [("client_wallet_gone", one.id)]


async def test_a_client_who_left_with_cash_is_announced_and_can_be_listed(
    admin: Account, configured: Setup, make_client: MakeClient
) -> None:
    one = await make_client("one", {"GTQ": "1000.00"})
    two = await make_client("two", {"GTQ": "500.00"})
    await make_client("three", {"GTQ": "500.00"})
    for client in (one, two):
        await admin.call("PUT", f"{API}/clients/{client.id}", {"status": "closed"})
    gone = {"amount": "500", "currency": "GTQ", "reason": "all of it"}
    await admin.call("POST", f"{API}/clients/{two.id}/withdrawals", gone)

    overview = await admin.call("GET", f"{API}/overview")

    assert overview["attention"]["clients_to_settle"] == 1
    page = await admin.call("GET", f"{API}/clients/paginated?status=closed&to_settle=true")
    assert [(c["username"], page["total"]) for c in page["data"]] == [("one", 1)]
    table = await admin.call("GET", f"{API}/export/clients?format=json&to_settle=true")
    assert [row["username"] for row in table] == ["one"]

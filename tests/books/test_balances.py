"""The clients' totals: kept with every change, true to their rows, and looked after.

That they agree with a model after every step of a programme is in `tests/simulation`.
"""

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account
from demo.sales import Sale
from tests.rig import API, Configure, DcaClient, MakeClient, Poll

pytestmark = pytest.mark.storage


async def a_busy_ledger(
    admin: Account, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> DcaClient:
    """Two currencies, sales paid and waiting, a deposit pending and one rejected."""
    client = await make_client(deposits={"GTQ": "1000.00", "USD": "300.00"})
    await make_client(deposits={"GTQ": "3000.00"})
    for status in ("pending", "rejected"):
        body = {"client_id": client.id, "amount": "5.00", "currency": "GTQ"}
        deposit = await admin.call("POST", f"{API}/deposits", body)
        if status == "rejected":
            path = f"{API}/deposits/{deposit['id']}/status"
            await admin.call("PUT", path, {"status": status})
    time = datetime.now(timezone.utc)
    await lamassu.insert(Sale(created=time, fiat=Decimal(200)))
    await lamassu.insert(Sale(created=time, fiat=Decimal(20), fiat_code="USD"))
    await poll()
    return client


async def totals() -> list[dict[str, Any]]:
    from satmachineclient.database import reading

    async with reading() as work:
        return [
            dict(row)
            for row in await work.rows(
                "SELECT * FROM satmachineclient.dca_balances ORDER BY client_id, currency"
            )
        ]


async def run(*statements: str) -> None:
    from satmachineclient.database import ledger

    async with ledger() as work:
        for statement in statements:
            await work.execute(statement)


async def test_an_upgrade_sums_up_what_is_there(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    from satmachineclient.connection import db
    from satmachineclient.migrations import m004_balances

    await configure()
    await a_busy_ledger(admin, make_client, lamassu, poll)
    before = await totals()
    assert len(before) == 3 and all(row["paid_sats"] for row in before)

    await run("DROP TABLE satmachineclient.dca_balances")

    class Tables:
        """The connection of a migration, for the statements about the table only."""

        type, big_int = db.type, db.big_int

        async def execute(self, statement: str) -> None:
            if "INDEX" not in statement:
                await run(statement)

    await m004_balances(Tables())  # type: ignore[arg-type]
    assert await totals() == before


async def test_reconciliation_sees_a_total_that_is_not_the_sum_of_its_rows(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    await configure()
    client = await a_busy_ledger(admin, make_client, lamassu, poll)
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]

    await run(
        "UPDATE satmachineclient.dca_balances SET paid_sats = paid_sats + 1 "  # noqa: S608
        f"WHERE client_id = '{client.id}' AND currency = 'GTQ'"
    )

    (difference,) = (await admin.call("GET", f"{API}/reconciliation"))["differences"]
    assert (difference["kind"], difference["id"]) == ("balance", client.id)
    assert "paid_sats by 1" in difference["detail"]


async def test_a_balance_of_the_past_leaves_out_later_deposits_but_no_withdrawal(
    admin: Account, configure: Configure, make_client: MakeClient
) -> None:
    from satmachineclient.books.crud import balances_at
    from satmachineclient.database import reading

    await configure()
    client = await make_client(deposits={"GTQ": "100.00"})
    between = datetime.now(timezone.utc)
    body = {"client_id": client.id, "amount": "40.00", "currency": "GTQ"}
    deposit = await admin.call("POST", f"{API}/deposits", body)
    path = f"{API}/deposits/{deposit['id']}/status"
    await admin.call("PUT", path, {"status": "confirmed"})
    body = {"amount": "30.00", "currency": "GTQ", "reason": "needs cash"}
    await admin.call("POST", f"{API}/clients/{client.id}/withdrawals", body)

    async def at(time: datetime) -> int:
        async with reading() as work:
            return (await balances_at(work, time))[client.id, "GTQ"]

    assert await at(datetime.now(timezone.utc)) == 110_00
    assert await at(between) == 70_00
    assert await at(between - timedelta(days=1)) == -30_00


async def test_reconciliation_looks_at_everything_in_small_batches(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from satmachineclient import crud_lnbits
    from satmachineclient.books import reconciliation
    from satmachineclient.books.crud_checks import FOREVER, confirmed_payouts

    await configure()
    await a_busy_ledger(admin, make_client, lamassu, poll)
    whole = await admin.call("GET", f"{API}/reconciliation")
    assert whole["checked"]["payouts"] == 4  # three balances, and the commissions

    monkeypatch.setattr(crud_lnbits, "_BATCH", 1)
    everything = reconciliation.EVERYTHING
    seen = [one async for [one] in confirmed_payouts(everything, FOREVER, size=1)]
    assert len({payout.id for payout in seen}) == len(seen) == 4
    assert await admin.call("GET", f"{API}/reconciliation") == whole

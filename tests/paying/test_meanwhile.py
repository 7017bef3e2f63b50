"""Beside a poll: the rest of LNbits keeps its turns, and who takes over pays everything once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account
from demo.sales import Sale
from tests.rig import API, Configure, MakeClient, Poll, Setup

pytestmark = pytest.mark.storage


async def a_sale_for(number: int, make_client: MakeClient, lamassu: LamassuDatabase) -> list[Any]:
    clients = [await make_client(deposits={"GTQ": "1000.00"}) for _ in range(number)]
    time = datetime.now(timezone.utc)
    await lamassu.insert(Sale(created=time, cash_at=time, fiat=Decimal(200), crypto_atoms=21_100))
    return clients


async def take_the_lease_away() -> None:
    from satmachineclient.database import ledger

    async with ledger() as work:
        await work.execute("UPDATE satmachineclient.ledger_lease SET holder = 'x', expires_at = 0")


async def test_the_rest_of_lnbits_has_its_turn_between_two_steps(
    configured: Setup,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from lnbits.core.db import db as core_db
    from satmachineclient.paying import core

    await a_sale_for(4, make_client, lamassu)
    steps = 0
    step = core.Core.step

    @asynccontextmanager
    async def counted(core: Any) -> AsyncIterator[Any]:
        nonlocal steps
        async with step(core) as connection:
            steps += 1
            yield connection

    monkeypatch.setattr(core.Core, "step", counted)
    polling = asyncio.create_task(poll())
    most = 0
    while not polling.done():
        before = steps
        async with core_db.connect():
            most = max(most, steps - before)
        await asyncio.sleep(0)
    assert (await polling)["confirmed_payments"] == 4
    assert steps >= 2 * 4
    assert most <= 1


async def broken(connection: Any) -> None:
    """As if the database had closed it."""
    if connection.type == "SQLITE":
        connection.conn._opened.connection.driver_connection.close()
    else:
        raw = await connection.conn.get_raw_connection()
        raw.driver_connection.terminate()


@pytest.mark.parametrize("before", [True, False], ids=["before paying", "after paying"])
async def test_a_broken_connection_costs_one_attempt_at_most(
    admin: Account,
    configured: Setup,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
    monkeypatch: pytest.MonkeyPatch,
    before: bool,
) -> None:
    from lnbits.core.services import payments
    from satmachineclient.paying import steps

    clients = await a_sale_for(4, make_client, lamassu)
    pay = payments.pay_invoice
    left = 2

    async def pay_and_break(**arguments: Any) -> Any:
        nonlocal left
        left -= 1
        if before and not left:
            await broken(arguments["conn"])
        payment = await pay(**arguments)
        if not before and not left:
            await broken(arguments["conn"])
        return payment

    with monkeypatch.context() as patch:
        patch.setattr(steps, "pay_invoice", pay_and_break)
        first = await poll()
    assert (first["confirmed_payments"], first["failed_payments"]) == (4 - before, int(before))
    assert (await poll())["confirmed_payments"] == before

    for client in clients:
        assert await client.owner.balance(client.wallet) == 5_000
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("credited", [False, True])
async def test_invoices_that_lnbits_own_check_cancels_are_replaced_at_once(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
    monkeypatch: pytest.MonkeyPatch,
    credited: bool,
    times: int,
) -> None:
    """LNbits asks its node for all that is pending, every half hour; what that does not know fails.

    Twice in one settling is once too often: then they are tried again later.
    """
    from lnbits.core.services.payments import check_pending_payments
    from satmachineclient.paying import steps

    await configure(credit_source_wallet=credited)
    clients = await a_sale_for(4, make_client, lamassu)
    wait = steps.wait_for_turn
    first_ones: list[str] = []

    async def check_meanwhile(payout: Any, *args: Any) -> None:
        await wait(payout, *args)
        if payout.id in (first_ones or [payout.id]) and len(first_ones) < times:
            first_ones.append(payout.id)
            await check_pending_payments()  # type: ignore[no-untyped-call]

    with monkeypatch.context() as patch:
        patch.setattr(steps, "wait_for_turn", check_meanwhile)
        first = await poll()
    assert len(first_ones) == times
    # The commission is the fifth.
    expected = (4, 0) if times == 1 else (0, 5)
    assert (first["confirmed_payments"], first["failed_payments"]) == expected
    assert (await poll())["confirmed_payments"] == 4 - expected[0]

    for client in clients:
        assert await client.owner.balance(client.wallet) == 5_000
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]


@pytest.mark.parametrize("apart", [False, True], ids=["in one commit", "in two commits"])
async def test_a_debit_without_its_credit(
    admin: Account,
    configured: Setup,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
    monkeypatch: pytest.MonkeyPatch,
    apart: bool,
) -> None:
    """LNbits commits each by itself. We book both together, and finish what is half booked."""
    from lnbits.core.db import db as core_db
    from lnbits.core.services import payments
    from lnbits.db import Connection
    from satmachineclient import crud_lnbits

    [client] = await a_sale_for(1, make_client, lamassu)

    async def fails(*_: Any, **__: Any) -> None:
        raise OSError("the disk is full")

    async def debits() -> int:
        row: Any = await core_db.fetchone(
            "SELECT COUNT(*) AS number FROM apipayments WHERE amount < 0 AND wallet_id = :id",
            {"id": configured.source.id},
        )
        return int(row["number"])

    with monkeypatch.context() as patch:
        patch.setattr(payments, "update_payment", fails)
        if apart:
            patch.setattr(crud_lnbits.CoreConnection, "insert", Connection.insert)
        first = await poll()
    # The commission's failure counts, too.
    assert (first["confirmed_payments"], first["failed_payments"]) == (int(apart), 2 * (not apart))
    assert await debits() == (2 if apart else 0)
    assert (await poll())["confirmed_payments"] == int(not apart)
    assert await client.owner.balance(client.wallet) == 20_000
    assert await debits() == 2  # the client's and the commission's
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]


async def test_nobody_else_may_pay_until_a_payment_is_booked(
    configured: Setup,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where LNbits commits on the way: counting for a daily limit, giving out an address."""
    from lnbits.core.db import db as core_db
    from lnbits.settings import settings
    from satmachineclient.crud_lnbits import CoreConnection

    await a_sale_for(3, make_client, lamassu)
    await core_db.execute("UPDATE wallets SET lightning_address = NULL")
    monkeypatch.setattr(settings, "lnbits_wallet_limit_daily_max_withdraw", 10**9)
    insert = CoreConnection.insert
    locked = []

    async def insert_and_look(self: Any, table: str, row: Any) -> None:
        await insert(self, table, row)
        if row.amount < 0:
            held: Any = {"number": 1}
            if self.type != "SQLITE":
                held = await self.fetchone(
                    "SELECT COUNT(*) AS number FROM pg_locks "
                    "WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
                )
            locked.append(core_db.lock.locked() and held["number"] == 1)

    monkeypatch.setattr(CoreConnection, "insert", insert_and_look)
    assert (await poll())["confirmed_payments"] == 3
    assert locked == [True] * 4  # and the commission


async def test_invoices_of_one_who_was_overtaken_are_never_paid(
    admin: Account,
    configured: Setup,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from lnbits.core.db import db as core_db
    from satmachineclient import database, transaction_processor
    from satmachineclient.paying import steps

    clients = await a_sale_for(2, make_client, lamassu)
    make = steps.invoice_for
    hashes = []

    async def make_and_lose(payout: Any, core: Any) -> None:
        await make(payout, core)
        hashes.append(payout.payment_hash)
        await take_the_lease_away()

    with monkeypatch.context() as patch:
        patch.setattr(steps, "invoice_for", make_and_lose)
        with pytest.raises(database.LeaseLostError):
            await transaction_processor.poll("hourly")
    assert (await poll())["confirmed_payments"] == 2

    assert await clients[0].owner.balance(clients[0].wallet) == 10_000
    assert await clients[1].owner.balance(clients[1].wallet) == 10_000
    for key in hashes:
        row: Any = await core_db.fetchone(
            "SELECT status FROM apipayments WHERE payment_hash = :hash", {"hash": key}
        )
        assert row["status"] != "success"
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]


async def test_a_poll_that_was_cut_off_is_due_at_once(
    configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    from satmachineclient import transaction_processor
    from satmachineclient.database import ledger

    await a_sale_for(1, make_client, lamassu)
    await poll()
    assert not await transaction_processor._is_due()
    async with ledger() as work:
        await work.execute("UPDATE satmachineclient.lamassu_polls SET status = 'running'")
    assert await transaction_processor._is_due()

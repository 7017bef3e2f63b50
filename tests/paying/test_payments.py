"""What happens to payments that fail, wait, are too large, or need a person."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account, LnbitsError, Wallet
from demo.sales import Sale
from tests.rig import API, Configure, MakeClient, MakeWallet, Poll, Setup

pytestmark = pytest.mark.storage


def sale(**fields: Any) -> Sale:
    time = datetime.now(timezone.utc)
    given = {"crypto_atoms": 21_100, "fiat": Decimal(200), "cash_at": time, **fields}
    return Sale(created=time, **given)


async def transactions(admin: Account) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = await admin.call("GET", f"{API}/transactions")
    return rows


async def shares(admin: Account) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for row in await transactions(admin):
        found += await admin.call("GET", f"{API}/transactions/{row['id']}/distributions")
    return found


async def remaining(admin: Account, client: Any) -> str:
    answer = await admin.call("GET", f"{API}/clients/{client.id}/balance")
    text: str = answer["balances"][0]["remaining_balance"]
    return text


async def delete_wallet(wallet: Wallet, deleted: bool = True) -> None:
    from lnbits.core.db import db

    await db.execute(
        "UPDATE wallets SET deleted = :deleted WHERE id = :id",
        {"deleted": deleted, "id": wallet.id},
    )


@contextmanager
def lnbits_setting(name: str, value: Any) -> Iterator[None]:
    from lnbits.settings import settings

    before = getattr(settings, name)
    setattr(settings, name, value)
    try:
        yield
    finally:
        setattr(settings, name, before)


async def count_lnbits_payments(wallet: Wallet) -> int:
    from lnbits.core.db import db

    row: Any = await db.fetchone(
        "SELECT COUNT(*) AS number FROM apipayments WHERE wallet_id = :id", {"id": wallet.id}
    )
    return int(row["number"])


async def test_a_deleted_wallet_stops_only_its_own_client(
    admin: Account, configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    one = await make_client("one", {"GTQ": "1000.00"})
    two = await make_client("two", {"GTQ": "1000.00"})
    await lamassu.insert(sale())
    with lnbits_setting("lnbits_only_allow_incoming_payments", True):
        await poll()
    await delete_wallet(one.wallet)  # after the sale was planned

    result = await poll()

    assert (result["success"], result["confirmed_payments"], result["failed_payments"]) == (
        True,
        1,
        1,
    )
    by_name = {s["username"]: s for s in await shares(admin)}
    assert by_name["two"]["status"] == "confirmed"
    assert by_name["one"]["status"] == "failed"
    assert "does not exist any more" in by_name["one"]["error"]
    assert await two.owner.balance(two.wallet) == 10_000

    again = await poll()  # waits for a person
    assert (again["confirmed_payments"], again["failed_payments"]) == (0, 1)

    await delete_wallet(one.wallet, False)
    retried = await admin.call("POST", f"{API}/payments/{by_name['one']['id']}/retry")
    assert retried["status"] == "confirmed"
    assert retried["error"] is None
    assert await one.owner.balance(one.wallet) == 10_000
    assert {row["status"] for row in await transactions(admin)} == {"settled"}
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]


async def test_a_voided_share_returns_its_fiat_to_the_client(
    admin: Account, configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    client = await make_client("one", {"GTQ": "1000.00"})
    await lamassu.insert(sale())
    with lnbits_setting("lnbits_only_allow_incoming_payments", True):
        await poll()
    assert await remaining(admin, client) == "800.00"
    (share,) = await shares(admin)

    with pytest.raises(LnbitsError, match="reason"):
        await admin.call("POST", f"{API}/payments/{share['id']}/void", {})
    voided = await admin.call(
        "POST", f"{API}/payments/{share['id']}/void", {"reason": "took the cash back"}
    )

    assert (voided["status"], voided["error"]) == ("voided", "took the cash back")
    assert await remaining(admin, client) == "1000.00"
    await poll()  # the commission
    (row,) = await transactions(admin)
    assert (row["status"], row["distributed_sats"], row["undistributed_sats"]) == (
        "settled",
        0,
        20_000,
    )
    assert row["undistributed_fiat"] == "200.00"
    for action, body in (("void", {"reason": "again"}), ("retry", None)):
        with pytest.raises(LnbitsError, match="voided"):
            await admin.call("POST", f"{API}/payments/{share['id']}/{action}", body)
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]


async def test_a_confirmed_share_cannot_be_voided(
    admin: Account, configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    await make_client("one", {"GTQ": "1000.00"})
    await lamassu.insert(sale())
    await poll()
    (share,) = await shares(admin)
    with pytest.raises(LnbitsError, match="confirmed"):
        await admin.call("POST", f"{API}/payments/{share['id']}/void", {"reason": "no"})


async def test_a_refusal_that_may_pass_is_tried_again_with_growing_pauses(
    admin: Account, configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    from satmachineclient import transaction_processor
    from satmachineclient.helpers import now
    from satmachineclient.paying import crud_payouts

    client = await make_client("one", {"GTQ": "1000.00"})
    await lamassu.insert(sale())
    with lnbits_setting("lnbits_only_allow_incoming_payments", True):
        first = await poll()
        assert (first["success"], first["failed_payments"]) == (True, 2)  # with the commission
        (share,) = await shares(admin)
        assert share["error"] == "Only incoming payments allowed."
        pauses = []
        for _ in range(3):
            (payout,) = await crud_payouts.due_payouts(["client"], None)
            assert payout.next_attempt_at
            pauses.append(round((payout.next_attempt_at - now()).total_seconds() / 60))
            await poll()
        assert pauses == [1, 5, 15]
    await transaction_processor.poll("hourly")  # not its turn yet
    assert await client.owner.balance(client.wallet) == 0
    by_hand = await poll()  # a person does not wait
    assert by_hand["confirmed_payments"] == 1
    assert await client.owner.balance(client.wallet) == 20_000


async def test_a_transfer_above_the_maximum_is_split(
    admin: Account, configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    client = await make_client("one", {"GTQ": "1000.00"})
    await lamassu.insert(sale())
    with lnbits_setting("lnbits_max_outgoing_payment_amount_sats", 9_000):
        result = await poll()
    assert result["confirmed_payments"] == 1
    assert await client.owner.balance(client.wallet) == 20_000
    assert await count_lnbits_payments(client.wallet) == 3
    (share,) = await shares(admin)
    assert share["status"] == "confirmed"
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]


async def test_a_backlog_pays_each_wallet_once(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    setup = await configure(credit_source_wallet=True, balance_sats=0)
    clients = [await make_client(name, {"GTQ": "5000.00"}) for name in ("one", "two")]
    await lamassu.insert(*(sale() for _ in range(10)))

    result = await poll()

    assert (result["planned"], result["confirmed_payments"]) == (10, 20)
    for wallet in [c.wallet for c in clients] + [setup.commission]:
        assert await count_lnbits_payments(wallet) == 1
    assert await count_lnbits_payments(setup.source) == 1 + 2 + 1  # credit, clients, commission
    assert await admin.balance(setup.source) == 0


async def test_an_expired_or_cancelled_invoice_is_replaced(
    admin: Account, configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    from lnbits.core.db import db
    from satmachineclient.paying import crud_payouts

    client = await make_client("one", {"GTQ": "1000.00"})
    await lamassu.insert(sale())
    with lnbits_setting("lnbits_only_allow_incoming_payments", True):
        await poll()
    (before,) = await crud_payouts.due_payouts(["client"], None)
    await db.execute(
        "UPDATE apipayments SET status = 'failed' WHERE payment_hash = :hash",
        {"hash": before.payment_hash},
    )
    await poll()
    (share,) = await shares(admin)
    assert share["status"] == "confirmed"
    assert share["payment_hash"] != before.payment_hash
    assert await client.owner.balance(client.wallet) == 20_000


async def test_a_credit_that_lnbits_lost_is_booked_again(
    admin: Account, configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    """LNbits' check of pending invoices may write 'failed' over a payment made meanwhile."""
    from lnbits.core.db import db

    client = await make_client("one", {"GTQ": "1000.00"})
    await lamassu.insert(sale())
    await poll()
    (share,) = await shares(admin)
    await db.execute(
        "UPDATE apipayments SET status = 'failed' WHERE checking_id = :hash",
        {"hash": share["payment_hash"]},
    )
    assert await client.owner.balance(client.wallet) == 0
    assert not (await admin.call("GET", f"{API}/reconciliation"))["ok"]

    await poll()

    assert await client.owner.balance(client.wallet) == 20_000
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]
    assert await admin.call("GET", f"{API}/alerts") == []  # nobody has to do anything


async def test_what_lnbits_lost_long_ago_is_booked_again_without_an_alarm(
    admin: Account, configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    """A poll looks at what is recent; that it found something there, starts a look at all."""
    from lnbits.core.db import db
    from satmachineclient import database, transaction_processor
    from satmachineclient.books import full_check

    client = await make_client("one", {"GTQ": "100000.00"})
    for _ in range(2):
        await lamassu.insert(sale())
        await poll()
    while await full_check.is_due():
        await transaction_processor._check_further()
    long_ago = datetime.now(timezone.utc) - timedelta(days=5)
    old = (await shares(admin))[0]["payment_hash"]
    async with database.ledger() as work:
        for change in (
            "dca_payouts SET confirmed_at = :time WHERE payment_hash = :hash",
            "dca_payments SET confirmed_at = :time WHERE payment_hash = :hash",
        ):
            await work.execute(f"UPDATE satmachineclient.{change}", time=long_ago, hash=old)
    await db.execute(
        "UPDATE apipayments SET status = 'failed' WHERE wallet_id = :wallet AND amount > 0",
        {"wallet": client.wallet.id},
    )

    await poll()

    assert await client.owner.balance(client.wallet) == 20_000
    assert await full_check.is_due()
    while await full_check.is_due():
        await transaction_processor._check_further()
    assert await client.owner.balance(client.wallet) == 40_000
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]
    assert await admin.call("GET", f"{API}/alerts") == []


async def test_a_commission_wallet_that_is_gone_is_replaced_by_the_configured_one(
    admin: Account,
    configured: Setup,
    make_client: MakeClient,
    make_wallet: MakeWallet,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    await make_client("one", {"GTQ": "1000.00"})
    await delete_wallet(configured.commission)
    await lamassu.insert(sale())
    await poll()
    (row,) = await transactions(admin)
    assert (row["status"], row["commission_status"]) == ("planned", "pending")

    other = await make_wallet(admin)
    await admin.call("POST", f"{API}/config", {**configured.body, "commission_wallet_id": other.id})
    await admin.call("POST", f"{API}/transactions/{row['id']}/retry")

    (row,) = await transactions(admin)
    assert (row["status"], row["commission_status"]) == ("settled", "confirmed")
    assert await admin.balance(other) == row["commission_amount_sats"] == 1_100


async def test_a_person_decides_on_a_sale_whose_cash_did_not_all_come_out(
    admin: Account, configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    client = await make_client("one", {"GTQ": "1000.00"})
    partial, cancelled = sale(cash="partial"), sale(cash="cancelled")
    await lamassu.insert(partial, cancelled)

    result = await poll()

    assert (result["new"], result["planned"], result["reviews"]) == (0, 0, 2)
    rows = {row["lamassu_transaction_id"]: row for row in await transactions(admin)}
    first, second = rows[str(partial.id)], rows[str(cancelled.id)]
    assert {first["status"], second["status"]} == {"needs_review"}
    assert "Jam in cassette 2" in first["review_reason"]
    assert any(a["action"] == "dispenseError" for a in first["lamassu_facts"]["actions"])
    assert "Operator cancel" in second["review_reason"]

    with pytest.raises(LnbitsError, match="fiat_amount"):
        body = {"fiat_amount": "200.01"}
        await admin.call("POST", f"{API}/transactions/{first['id']}/distribute", body)
    body = {"fiat_amount": "50.00", "notes": "counted"}
    done = await admin.call("POST", f"{API}/transactions/{first['id']}/distribute", body)
    assert (done["status"], done["distributed_sats"], done["undistributed_sats"]) == (
        "settled",
        5_000,
        15_000,
    )
    assert done["review_notes"] == "counted"
    assert await remaining(admin, client) == "950.00"
    assert await client.owner.balance(client.wallet) == 5_000

    with pytest.raises(LnbitsError, match="notes"):
        await admin.call("POST", f"{API}/transactions/{second['id']}/dismiss", {})
    dismissed = await admin.call(
        "POST", f"{API}/transactions/{second['id']}/dismiss", {"notes": "refunded by hand"}
    )
    assert (dismissed["status"], dismissed["distributed_sats"]) == ("dismissed", 0)
    for row in (first, second):
        with pytest.raises(LnbitsError, match="nothing to decide"):
            await admin.call("POST", f"{API}/transactions/{row['id']}/distribute", {})
    await poll()
    assert len(await transactions(admin)) == 2
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]


async def test_a_dispense_reported_late_is_planned_once_without_a_person(
    admin: Account, configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    client = await make_client("one", {"GTQ": "1000.00"})
    late = sale()
    yesterday = late.created - timedelta(days=1)
    silent = replace(late, created=yesterday, cash_at=yesterday, cash="machine_died")
    await lamassu.insert(silent)
    await poll()
    (row,) = await transactions(admin)
    assert row["status"] == "needs_review"

    await lamassu.insert(late)
    result = await poll()

    assert result["planned"] == 1
    (row,) = await transactions(admin)
    assert row["status"] == "settled"
    assert await client.owner.balance(client.wallet) == 20_000
    assert (await poll())["planned"] == 0


async def test_a_failed_read_loses_nothing(
    admin: Account, configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    client = await make_client("one", {"GTQ": "1000.00"})
    await lamassu.insert(sale())
    wrong = {**configured.body, "password": "not the password"}
    await admin.call("POST", f"{API}/config", wrong)

    failed = await poll()

    assert failed["success"] is False
    assert "password" in failed["error"]
    assert await transactions(admin) == []
    config = await admin.call("GET", f"{API}/config")
    assert config["last_successful_poll"] is None
    assert config["last_poll_time"] is not None

    await admin.call("POST", f"{API}/config", configured.body)
    assert (await poll())["planned"] == 1
    assert await client.owner.balance(client.wallet) == 20_000
    polls = await admin.call("GET", f"{API}/polls")
    assert [(p["status"], bool(p["error"])) for p in polls] == [
        ("succeeded", False),
        ("failed", True),
    ]


async def test_nothing_is_paid_into_a_wallet_deleted_after_its_invoice_was_made(
    admin: Account, configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    client = await make_client("one", {"GTQ": "1000.00"})
    await lamassu.insert(sale())
    with lnbits_setting("lnbits_only_allow_incoming_payments", True):
        await poll()
    await delete_wallet(client.wallet)

    await poll()

    (share,) = await shares(admin)
    assert share["status"] == "failed"
    assert "does not exist any more" in share["error"]
    assert await admin.balance(configured.source) == 10_000_000 - 1_100  # the commission


async def test_the_rest_of_a_partly_paid_transfer_goes_to_the_clients_new_wallet(
    admin: Account,
    configured: Setup,
    make_client: MakeClient,
    make_wallet: MakeWallet,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    client = await make_client("one", {"GTQ": "1000.00"})
    await lamassu.insert(sale())
    with (
        lnbits_setting("lnbits_max_outgoing_payment_amount_sats", 9_000),
        lnbits_setting("lnbits_wallet_limit_daily_max_withdraw", 9_500),
    ):
        await poll()  # LNbits' limit for the day lets one part of three pass
    assert await client.owner.balance(client.wallet) == 9_000
    (share,) = await shares(admin)
    assert share["status"] == "pending"
    assert share["error"] == "Waiting: LNbits lets a wallet pay 9500 sats a day."
    await delete_wallet(client.wallet)
    with pytest.raises(LnbitsError, match="a part of it"):
        await admin.call("POST", f"{API}/payments/{share['id']}/void", {"reason": "gone"})

    new = await make_wallet(client.owner)
    await admin.call("PUT", f"{API}/clients/{client.id}", {"wallet_id": new.id})
    await admin.call("POST", f"{API}/payments/{share['id']}/retry")

    assert await client.owner.balance(new) == 11_000
    (share,) = await shares(admin)
    assert share["status"] == "confirmed"
    assert {row["status"] for row in await transactions(admin)} == {"settled"}
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]


@pytest.mark.slow
async def test_a_poll_cancelled_at_any_time_leaves_the_ledger_free(
    admin: Account, configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    from satmachineclient import transaction_processor

    client = await make_client("one", {"GTQ": "9000.00"})
    for step in range(30):
        await lamassu.insert(sale())
        polling = asyncio.create_task(transaction_processor.poll("hourly"))
        await asyncio.sleep(step * 0.012)
        polling.cancel()
        await asyncio.wait([polling])
        started = time.monotonic()
        await admin.call(
            "POST", f"{API}/deposits", {"client_id": client.id, "amount": "1", "currency": "GTQ"}
        )
        assert time.monotonic() - started < 2
    assert (await poll())["success"]
    assert await client.owner.balance(client.wallet) == 30 * 20_000
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]


async def test_an_invoice_that_a_stranger_paid_does_not_count_as_our_payment(
    admin: Account,
    configured: Setup,
    make_client: MakeClient,
    make_wallet: MakeWallet,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    from lnbits.core.services import pay_invoice
    from satmachineclient.paying import crud_payouts

    client = await make_client("one", {"GTQ": "1000.00"})
    stranger = await make_wallet(admin, 50_000)
    await lamassu.insert(sale())
    with lnbits_setting("lnbits_only_allow_incoming_payments", True):
        await poll()
    (payout,) = await crud_payouts.due_payouts(["client"], None)
    await pay_invoice(wallet_id=stranger.id, payment_request=payout.bolt11 or "")

    await poll()

    (share,) = await shares(admin)
    assert share["status"] == "confirmed"
    assert await client.owner.balance(client.wallet) == 2 * 20_000  # a gift, and the share
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]  # what others pay is theirs


async def test_a_sale_that_cannot_be_planned_stops_no_other(
    admin: Account,
    configured: Setup,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from satmachineclient.books import distribution

    client = await make_client("one", {"GTQ": "1000.00"})
    bad, good = sale(fiat=Decimal(13)), sale()
    await lamassu.insert(bad, good)
    distribute = distribution.distribute

    def stumbling(base: int, fiat: int, *rest: Any) -> distribution.Distribution:
        if fiat == 1300:
            raise ZeroDivisionError
        return distribute(base, fiat, *rest)

    monkeypatch.setattr(distribution, "distribute", stumbling)
    result = await poll()

    assert (result["success"], result["planned"], result["reviews"]) == (True, 1, 1)
    assert await client.owner.balance(client.wallet) == 20_000
    rows = {row["lamassu_transaction_id"]: row for row in await transactions(admin)}
    assert "ZeroDivisionError" in rows[str(bad.id)]["review_reason"]
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]


async def test_a_poll_with_nothing_to_pay_does_not_have_the_wallet_summed_up(
    configured: Setup,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """LNbits sums all payments of a wallet for its balance: of a year's that takes a second."""
    from satmachineclient.paying import moved, transfers

    asked: list[str] = []
    for module in (moved, transfers):
        get_wallet: Any = module.get_wallet

        async def counted(wallet_id: str, ask: Any = get_wallet) -> Any:
            asked.append(wallet_id)
            return await ask(wallet_id)

        monkeypatch.setattr(module, "get_wallet", counted)
    client = await make_client("one", {"GTQ": "1000.00"})
    await poll()
    assert asked == []
    await lamassu.insert(sale())
    await poll()
    assert asked == [configured.source.id]
    assert await client.owner.balance(client.wallet) == 20_000


_OPEN = {
    "lamassu_transactions": "planned",
    "dca_payments": "failed",
    "dca_payouts": "pending",
}


async def test_a_settling_goes_on_for_as_long_as_anything_is_open(
    configure: Configure, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    from satmachineclient.database import fetch_rows, ledger
    from satmachineclient.paying.crud_open import is_anything_open

    await configure()
    await make_client(deposits={"GTQ": "1000.00"})
    await lamassu.insert(sale())
    assert not await is_anything_open()
    await poll()
    assert not await is_anything_open()
    for table, status in _OPEN.items():
        [row] = await fetch_rows(
            f"SELECT id, status FROM satmachineclient.{table} ORDER BY id LIMIT 1"  # noqa: S608
        )
        for now, expected in ((status, True), (row["status"], False)):
            async with ledger() as work:
                await work.execute(
                    f"UPDATE satmachineclient.{table} "  # noqa: S608
                    "SET status = :now WHERE id = :id",
                    now=now,
                    id=row["id"],
                )
            assert await is_anything_open() == expected, (table, now)

"""From a sale at the ATM to sats in the clients' wallets, on real parts."""

import asyncio
from collections import defaultdict
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from demo.catalogue import real_input
from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account
from demo.sales import Sale
from tests.rig import API, Configure, MakeClient, Poll, Setup

pytestmark = pytest.mark.storage


def now() -> datetime:
    return datetime.now(timezone.utc)


async def ledger(admin: Account) -> dict[str, tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Each stored transaction with its distributions, by Lamassu's id."""
    rows = await admin.call("GET", f"{API}/transactions")
    return {
        row["lamassu_transaction_id"]: (
            row,
            await admin.call("GET", f"{API}/transactions/{row['id']}/distributions"),
        )
        for row in rows
    }


async def test_a_sale_becomes_sats_in_proportion_to_the_balances(
    admin: Account, configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    one = await make_client("one", {"GTQ": "1000.00"})
    two = await make_client("two", {"GTQ": "3000.00"})
    sale = Sale(
        created=now(),
        fiat=Decimal(2000),
        crypto_atoms=266_800,
        commission_percentage=Decimal("0.03000"),
    )
    await lamassu.insert(sale)

    result = await poll()

    assert result["success"], result
    assert (result["found"], result["new"], result["planned"]) == (1, 1, 1)
    assert (result["confirmed_payments"], result["distributed_sats"]) == (2, 259_029)
    ((row, shares),) = (await ledger(admin)).values()
    assert row["status"] == "settled"
    assert row["base_amount_sats"] == 259_029
    assert row["commission_amount_sats"] == 7_771
    assert {s["username"]: (s["amount_sats"], s["amount_fiat"]) for s in shares} == {
        "one": (64_757, "500.00"),
        "two": (194_272, "1500.00"),
    }
    assert all(s["status"] == "confirmed" and s["payment_hash"] for s in shares)
    assert await one.owner.balance(one.wallet) == 64_757
    assert await two.owner.balance(two.wallet) == 194_272
    assert await admin.balance(configured.commission) == 7_771
    assert await admin.balance(configured.source) == 10_000_000 - 266_800
    balance = await admin.call("GET", f"{API}/clients/{one.id}/balance")
    assert balance["balances"] == [
        {
            "currency": "GTQ",
            "total_deposits": "1000.00",
            "pending_deposits": "0.00",
            "total_distributed": "500.00",
            "remaining_balance": "500.00",
            "remaining_by_machine": {},
        }
    ]
    assert balance["total_sats"] == 64_757


async def test_a_second_poll_pays_nothing_again(
    admin: Account, configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    client = await make_client(deposits={"GTQ": "1000.00"})
    await lamassu.insert(Sale(created=now(), fiat=Decimal(200)))
    await poll()
    paid = await client.owner.balance(client.wallet)

    again = await poll()

    assert (again["found"], again["new"], again["planned"], again["confirmed_payments"]) == (
        1,
        0,
        0,
        0,
    )
    assert await client.owner.balance(client.wallet) == paid > 0


async def test_only_the_good_rows_of_real_input_are_distributed(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    setup = await configure(credit_source_wallet=True, balance_sats=0)
    clients = [
        await make_client("ana", {"GTQ": "5000.00", "USD": "100.00"}),
        await make_client("ben", {"GTQ": "9000.00"}),
        await make_client(
            "fix",
            {"GTQ": "9000.00"},
            dca_mode="fixed",
            fixed_mode_daily_limit="500",
            currency="GTQ",
        ),
    ]
    sales = real_input(now())
    await lamassu.insert(*sales)

    result = await poll()

    assert result["success"], result
    stored = await ledger(admin)
    good = {str(sale.id): sale for sale in sales if sale.good}
    assert result["new"] == result["planned"] == len(good)
    for sale in sales:
        row, shares = stored.get(str(sale.id), (None, []))
        if sale.good:
            assert row is not None and row["status"] == "settled", (sale.name, sale.why, row)
            assert shares, sale.name
        else:
            assert row is None or row["status"] == "needs_review", (sale.name, sale.why)
            assert not shares, sale.name
    received: dict[str, int] = defaultdict(int)
    for sale in good.values():
        row, shares = stored[str(sale.id)]
        parts = sum(s["amount_sats"] for s in shares)
        assert row["crypto_amount_sats"] == sale.atoms
        assert row["crypto_amount_sats"] == (
            row["commission_amount_sats"] + parts + row["undistributed_sats"]
        )
        assert Decimal(row["fiat_amount"]) == sum(
            Decimal(s["amount_fiat"]) for s in shares
        ) + Decimal(row["undistributed_fiat"])
        assert {s["currency"] for s in shares} == {sale.fiat_code}
        for share in shares:
            received[share["client_id"]] += share["amount_sats"]
    for client in clients:
        assert await client.owner.balance(client.wallet) == received[client.id]
    total = sum(
        row["crypto_amount_sats"] for row, _ in stored.values() if row["status"] == "settled"
    )
    commission = sum(row["commission_amount_sats"] for row, _ in stored.values())
    assert await admin.balance(setup.commission) == commission
    assert await admin.balance(setup.source) == total - commission - sum(received.values())
    fixed = [s for _, shares in stored.values() for s in shares if s["username"] == "fix"]
    assert sum(Decimal(s["amount_fiat"]) for s in fixed) == 500


async def test_cash_confirmed_after_the_sale_did_not_go_out_in_it(
    admin: Account, configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    early = now() - timedelta(minutes=5)
    client = await make_client(deposits={"GTQ": "1000.00"})
    await lamassu.insert(Sale(created=early, fiat=Decimal(200)))

    await poll()

    ((row, shares),) = (await ledger(admin)).values()
    assert shares == []
    assert row["undistributed_sats"] == row["base_amount_sats"] > 0
    assert await client.owner.balance(client.wallet) == 0


async def test_a_short_source_wallet_pays_what_it_can_and_says_what_is_missing(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    setup = await configure(balance_sats=30_000, commission_wallet_id=None)
    client = await make_client(deposits={"GTQ": "1000.00"})
    times = [now() + timedelta(seconds=n) for n in range(3)]
    await lamassu.insert(*(Sale(created=t, crypto_atoms=20_000) for t in times))

    first = await poll()

    assert first["success"]
    assert (first["confirmed_payments"], first["pending_payments"]) == (1, 2)
    waiting = [s for _, shares in (await ledger(admin)).values() for s in shares if s["error"]]
    assert len(waiting) == 2
    missing = 3 * 18_957 - 30_000
    assert {s["error"] for s in waiting} == {
        f"Waiting: the source wallet is short of {missing} sats."
    }

    await admin.top_up(setup.source, missing)
    second = await poll()

    assert (second["confirmed_payments"], second["pending_payments"]) == (2, 0)
    assert await client.owner.balance(client.wallet) == 3 * 18_957
    assert await admin.balance(setup.source) == 0


async def test_a_test_transaction_is_a_dry_run_unless_asked(
    admin: Account, configured: Setup, make_client: MakeClient, poll: Poll
) -> None:
    client = await make_client(deposits={"GTQ": "1000.00"})
    body = {
        "crypto_amount_sats": 266_800,
        "fiat_amount": 500,
        "fiat_code": "GTQ",
        "commission_percentage": "0.03",
        "discount": 0,
    }
    plan = await admin.call("POST", f"{API}/test-transaction", body)
    assert plan["dry_run"] is True
    assert [d["amount_sats"] for d in plan["distributions"]] == [259_029]
    assert await ledger(admin) == {}
    assert await client.owner.balance(client.wallet) == 0

    done = await admin.call("POST", f"{API}/test-transaction", {**body, "dry_run": False})

    assert done["transaction"]["is_test"] is True
    assert done["transaction"]["status"] == "settled"
    assert done["distributions"][0]["status"] == "confirmed"
    assert await client.owner.balance(client.wallet) == 259_029
    assert await admin.balance(configured.source) == 10_000_000 - 266_800


async def test_polls_at_the_same_time_do_the_work_once(
    admin: Account, configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase
) -> None:
    from satmachineclient import transaction_processor

    client = await make_client(deposits={"GTQ": "1000.00"})
    await lamassu.insert(*(Sale(created=now(), crypto_atoms=21_100) for _ in range(3)))

    hourly = asyncio.create_task(transaction_processor.poll("hourly"))
    answers = await asyncio.gather(*(admin.post(f"{API}/manual-poll") for _ in range(10)))
    await asyncio.wait([hourly])

    done = [a.json() for a in answers if a.status_code == 200]
    told = [a.json()["detail"] for a in answers if a.status_code == 409]
    assert len(done) + len(told) == 10
    assert all("A poll is running right now" in sentence for sentence in told)
    polls = await admin.call("GET", f"{API}/polls")
    assert sum(p["planned"] for p in polls) == 3
    assert {p["status"] for p in polls} == {"succeeded"}
    assert await client.owner.balance(client.wallet) == 3 * 20_000


async def test_admins_are_told_when_polls_begin_to_fail_and_when_they_succeed_again(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    from satmachineclient import transaction_processor
    from satmachineclient.telling import outbox

    told: list[str] = []

    async def tell(telegram: Any, nostr: Any, addresses: Any, text: str, kind: str) -> None:
        told.append(text)

    monkeypatch.setattr(outbox, "send_notification", tell)
    fields: list[tuple[dict[str, Any], int]] = [({"port": 1}, 2), ({}, 2), ({"port": 1}, 1)]
    for change, polls in fields:
        await configure(**change)
        for _ in range(polls):
            await transaction_processor._scheduled_poll("hourly")
            await outbox.deliver_due()

    assert len(told) == 3
    assert told[0].startswith("Polls fail;") and "port" in told[0]
    assert told[1].startswith("Over: Polls fail;")
    assert told[2].startswith("Polls fail;")

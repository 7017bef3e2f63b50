"""The sums under a list are those of all rows that its filters choose; files say their period."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account, LnbitsError
from demo.sales import Sale
from tests.rig import API, Configure, MakeClient, Poll, Setup

pytestmark = pytest.mark.storage


def sale(fiat: int = 200, sats: int = 21_100) -> Sale:
    time = datetime.now(timezone.utc)
    return Sale(created=time, cash_at=time, fiat=Decimal(fiat), crypto_atoms=sats)


async def totals(admin: Account, path: str) -> dict[str, Any]:
    answer: dict[str, Any] = await admin.call("GET", f"{API}/{path}")
    return answer


async def test_each_list_has_the_sums_of_what_is_filtered_by_currency(
    admin: Account, configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    one = await make_client("one", {"GTQ": "1000.00", "USD": "50.00"})
    await make_client("two", {"GTQ": "500.00"})
    await lamassu.insert(sale(), sale(100, 10_550))
    await poll()

    sales = await totals(admin, "transactions/totals")
    (gtq,) = sales["currencies"]
    rows = await admin.call("GET", f"{API}/transactions")
    assert (sales["rows"], gtq["rows"], gtq["currency"]) == (2, 2, "GTQ")
    assert gtq["fiat"] == {"fiat_amount": "300.00"}
    assert gtq["sats"] == {name: sum(row[name] for row in rows) for name in gtq["sats"]}
    assert gtq["sats"]["distributed_sats"] == 30_000
    tomorrow = (datetime.now(timezone.utc) + timedelta(days=1)).strftime("%Y-%m-%dT00:00:00Z")
    nothing = await totals(admin, f"transactions/totals?transaction_time[ge]={tomorrow}")
    assert nothing == {"rows": 0, "currencies": []}

    deposits = await totals(admin, f"deposits/totals?client_id={one.id}")
    assert {c["currency"]: c["fiat"]["amount"] for c in deposits["currencies"]} == {
        "GTQ": "1000.00",
        "USD": "50.00",
    }
    shares = await admin.call("GET", f"{API}/payments/paginated?client_id={one.id}")
    paid = await totals(admin, f"payments/totals?client_id={one.id}&status=confirmed")
    assert (paid["rows"], shares["total"]) == (2, 2)
    (got,) = paid["currencies"]
    assert got["sats"]["amount_sats"] == sum(share["amount_sats"] for share in shares["data"])
    assert got["sats"]["confirmed_amount_sats"] == got["sats"]["amount_sats"]
    assert Decimal(got["fiat"]["amount_fiat"]) == sum(
        Decimal(share["amount_fiat"]) for share in shares["data"]
    )
    clients = await totals(admin, "clients/totals?username=two")
    shared = await admin.call("GET", f"{API}/clients/paginated?username=two")
    (balance,) = shared["data"][0]["balances"]
    (mine,) = clients["currencies"]
    assert (clients["rows"], mine["sats"]["total_sats"]) == (1, shared["data"][0]["total_sats"])
    assert mine["fiat"]["remaining_balance"] == balance["remaining_balance"]
    polls = await totals(admin, "polls/totals")
    assert polls["currencies"][0]["sats"]["distributed_sats"] == 30_000
    with pytest.raises(LnbitsError, match="there is no such filter"):
        await totals(admin, "polls/totals?colour=green")


async def test_a_sum_beyond_64_bits_is_a_number_all_the_same(
    admin: Account, configured: Setup, lamassu: LamassuDatabase, poll: Poll
) -> None:
    from satmachineclient.database import ledger

    await lamassu.insert(*(sale() for _ in range(5)))
    await poll()
    most = 2**62
    async with ledger() as work:
        await work.execute(
            "UPDATE satmachineclient.lamassu_transactions SET crypto_amount_sats = :most, "
            "undistributed_sats = :most, base_amount_sats = :most, commission_amount_sats = 0, "
            "distributed_sats = 0",
            most=most,
        )
    (gtq,) = (await totals(admin, "transactions/totals"))["currencies"]
    assert gtq["sats"]["crypto_amount_sats"] == 5 * most


async def test_a_file_is_named_by_its_period_and_has_the_operators_day_and_the_commission_in_fiat(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    await configure(timezone="Pacific/Kiritimati")  # 14 hours ahead
    await make_client("one", {"GTQ": "1000.00"})
    await lamassu.insert(sale())
    await poll()

    period = "transaction_time[ge]=2026-01-31T10:00:00Z&transaction_time[lt]=2036-02-29T10:00:00Z"
    answer = await admin.get(f"{API}/export/transactions?format=json&{period}")

    assert (
        'filename="satmachineclient-transactions-2026-02-01-2036-02-29.json"'
        in (answer.headers["content-disposition"])
    )
    (row,) = answer.json()
    time = datetime.fromisoformat(row["transaction_time"])
    assert row["day"] == f"{time + timedelta(hours=14):%Y-%m-%d}"
    assert row["timezone"] == "Pacific/Kiritimati"
    assert row["commission_fiat"] == "11.00"  # 1,100 of 21,100 sats, at 200.00 for 20,000
    (deposit,) = (await admin.get(f"{API}/export/deposits?format=json")).json()
    assert deposit["timezone"] == "Pacific/Kiritimati"
    assert deposit["day"]


async def test_a_client_has_the_sums_of_their_own_lists_and_of_nobody_elses(
    admin: Account, configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    one = await make_client("one", {"GTQ": "1000.00"})
    await make_client("two", {"GTQ": "500.00"})
    pending = {"client_id": one.id, "amount": "40.00", "currency": "GTQ"}
    await admin.call("POST", f"{API}/deposits", pending)
    await lamassu.insert(sale(), sale(100, 10_550))
    await poll()
    mine = f"client_id={one.id}"
    failed = await admin.call("GET", f"{API}/payments/paginated?client_id={one.id}&limit=1")
    await _fail(failed["data"][0]["id"])

    deposits = await totals(one.owner, f"me/deposits/totals?{mine}")
    assert deposits["currencies"][0]["fiat"] == {
        "amount": "1040.00",
        "confirmed_amount": "1000.00",
    }
    page = await one.owner.call("GET", f"{API}/me/payments?{mine}")
    payments = await totals(one.owner, f"me/payments/totals?{mine}")
    (gtq,) = payments["currencies"]
    assert (payments["rows"], page["total"]) == (2, 2)
    assert gtq["sats"] == {
        "amount_sats": sum(share["amount_sats"] for share in page["data"]),
        "confirmed_amount_sats": sum(
            share["amount_sats"] for share in page["data"] if share["status"] == "confirmed"
        ),
    }
    tomorrow = (datetime.now(timezone.utc) + timedelta(days=1)).strftime("%Y-%m-%dT00:00:00Z")
    later = f"transaction_time[ge]={tomorrow}"
    assert (await totals(one.owner, f"me/payments/totals?{mine}&{later}"))["rows"] == 0
    assert (await one.owner.call("GET", f"{API}/me/payments?{mine}&{later}"))["total"] == 0


async def _fail(payment_id: str) -> None:
    from satmachineclient.database import ledger

    async with ledger() as work:
        await work.execute(
            "UPDATE satmachineclient.dca_payments SET status = 'failed' WHERE id = :id",
            id=payment_id,
        )


async def test_the_fees_of_forwards_add_up_as_they_are_shown(
    admin: Account, configured: Setup, make_client: MakeClient
) -> None:
    from satmachineclient.database import ledger
    from satmachineclient.models_payouts import Forward

    one, two = [await make_client(name) for name in ("one", "two")]
    time = datetime.now(timezone.utc)
    common = {"destination": "a@b.example", "attempts": 1, "created_at": time}
    sent = {**common, "status": "confirmed", "bolt11": "x", "confirmed_at": time}
    rows = [
        Forward(id=f"{n}", payment_hash=f"{n}", amount_sats=1000, fee_msat=fee, **who, **sent)
        for n, (who, fee) in enumerate(
            [
                ({"client_id": one.id, "wallet_id": one.wallet.id}, 1_001),
                ({"client_id": one.id, "wallet_id": one.wallet.id}, 1),
                ({"client_id": two.id, "wallet_id": two.wallet.id}, 0),
            ]
        )
    ]
    lost = {"client_id": one.id, "wallet_id": one.wallet.id, "amount_sats": 500}
    rows.append(Forward(id="lost", status="failed", **lost, **common))
    async with ledger() as work:
        await work.insert("dca_forwards", rows)

    (own,) = (await totals(one.owner, f"me/forwards/totals?client_id={one.id}"))["currencies"]
    assert own["sats"] == {"amount_sats": 2500, "confirmed_amount_sats": 2000, "fee_sats": 3}
    shown = await one.owner.call("GET", f"{API}/me/forwards?client_id={one.id}")
    assert sum(forward["fee_sats"] or 0 for forward in shown) == 3
    (all_of_them,) = (await totals(admin, "forwards/totals?status=confirmed"))["currencies"]
    assert all_of_them["sats"]["amount_sats"] == 3000

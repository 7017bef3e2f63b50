"""A backup was put back, of the extension's database or of LNbits': nothing is paid twice."""

import json
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account, LnbitsError
from demo.sales import Sale
from tests.rig import API, Configure, DcaClient, MakeClient, MakeWallet, Poll, Setup

pytestmark = pytest.mark.storage

_TABLES = (
    *("dca_adopted", "dca_audit", "dca_balances", "dca_clients", "dca_client_terms"),
    *("dca_deposits", "dca_payments", "dca_payouts", "dca_programme", "lamassu_config"),
    *("lamassu_polls", "lamassu_transactions"),
    *("dca_partners", "dca_partner_terms", "dca_commission_shares"),
)
Copy = dict[str, list[dict[str, Any]]]


def sale(**fields: Any) -> Sale:
    time = datetime.now(timezone.utc)
    given = {"crypto_atoms": 21_100, "fiat": Decimal(200), "cash_at": time, **fields}
    return Sale(created=time, **given)


async def copy_of_ours() -> Copy:
    """A backup of the extension's database."""
    from satmachineclient.database import fetch_rows

    return {
        table: [dict(row) for row in await fetch_rows(f"SELECT * FROM satmachineclient.{table}")]  # noqa: S608
        for table in _TABLES
    }


async def put_back(copy: Copy) -> None:
    from satmachineclient.connection import db
    from sqlalchemy import text

    async with db.connect() as connection:
        for table, rows in copy.items():
            await connection.conn.execute(text(f"DELETE FROM satmachineclient.{table}"))  # noqa: S608
            for row in rows:
                names = ", ".join(f'"{name}"' for name in row)
                marks = ", ".join(f":{name}" for name in row)
                statement = f"INSERT INTO satmachineclient.{table} ({names}) VALUES ({marks})"  # noqa: S608
                await connection.conn.execute(text(statement), row)
        await connection.conn.commit()


async def copy_of_lnbits(*wallets: str) -> list[dict[str, Any]]:
    from lnbits.core.db import db
    from sqlalchemy import bindparam, text

    statement = text("SELECT checking_id FROM apipayments WHERE wallet_id IN :wallets")
    async with db.connect() as connection:
        rows = await connection.conn.execute(
            statement.bindparams(bindparam("wallets", expanding=True)), {"wallets": list(wallets)}
        )
        return [dict(row) for row in rows.mappings()]


async def lose_since(before: list[dict[str, Any]], *wallets: str) -> None:
    """LNbits' payments of these wallets as they were."""
    from lnbits.core.db import db

    kept = {row["checking_id"] for row in before}
    for row in await copy_of_lnbits(*wallets):
        if row["checking_id"] not in kept:
            await db.execute(
                "DELETE FROM apipayments WHERE checking_id = :id", {"id": row["checking_id"]}
            )


async def balances(*clients: DcaClient) -> list[int]:
    return [await client.owner.balance(client.wallet) for client in clients]


async def archive_everything() -> None:
    """The shares of all sales, as if they were old."""
    from satmachineclient import crud_shares
    from satmachineclient.database import fetch_rows, ledger

    rows = await fetch_rows("SELECT id FROM satmachineclient.lamassu_transactions")
    async with ledger() as work:
        ready = await crud_shares.ready(work, [row["id"] for row in rows])
        assert await crud_shares.archive(work, ready) == 4


async def statuses(admin: Account) -> list[str]:
    rows = await admin.call("GET", f"{API}/transactions")
    return sorted(row["status"] for row in rows)


async def test_nothing_is_paid_or_credited_twice_after_an_older_copy_was_put_back(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    setup = await configure(credit_source_wallet=True, balance_sats=0)
    one, two = [await make_client(n, {"GTQ": "1000.00"}) for n in ("one", "two")]
    first, second, third = sale(), sale(), sale()
    await lamassu.insert(first)
    await poll()
    backup = await copy_of_ours()
    await lamassu.insert(second, third)
    await poll()
    assert await balances(one, two) == [30_000, 30_000]
    await put_back(backup)

    stopped = await poll()

    assert stopped["success"] is False and "older than LNbits'" in stopped["error"]
    for one_sale in (second, third):
        assert str(one_sale.id) in stopped["error"]
    assert (stopped["planned"], await statuses(admin)) == (0, ["settled"])
    books = await admin.call("GET", f"{API}/reconciliation")
    assert {d["kind"] for d in books["differences"]} == {"lnbits_payment"}
    with pytest.raises(LnbitsError, match="older than LNbits'"):
        body = {"crypto_amount_sats": 1000, "fiat_amount": "1", "fiat_code": "GTQ"}
        body |= {"commission_percentage": "0", "dry_run": False}
        await admin.call("POST", f"{API}/test-transaction", body)

    seen = await admin.call("GET", f"{API}/adoption")
    assert len(seen["unknown"]) == 4  # a credit, a commission, two clients
    done = await admin.call("POST", f"{API}/adopt")

    assert (done["adopted"], done["poll"]["planned"]) == (4, 2)
    assert done["poll"]["success"] and done["poll"]["confirmed_payments"] == 0
    assert await balances(one, two) == [30_000, 30_000]
    assert await admin.balance(setup.source) == 0
    assert await admin.balance(setup.commission) == 3_300
    assert await statuses(admin) == ["settled"] * 3
    assert (await admin.call("GET", f"{API}/reconciliation"))["differences"] == []
    await lamassu.insert(sale())
    assert (await poll())["confirmed_payments"] == 2
    assert await balances(one, two) == [40_000, 40_000]
    with pytest.raises(LnbitsError, match="nothing to adopt"):
        await admin.call("POST", f"{API}/adopt")


async def test_who_starts_looks_at_old_bookings_before_anybody_has_to_wait_for_it(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from satmachineclient.books import adoption
    from satmachineclient.paying import claims

    await configure(credit_source_wallet=True, balance_sats=0)
    await make_client("one", {"GTQ": "1000.00"})
    backup = await copy_of_ours()
    await lamassu.insert(sale())
    await poll()
    begun: list[datetime] = []
    look = adoption.unknown_payments

    async def noted(begin: datetime, *end: datetime) -> adoption.Found:
        if not end:  # else it is the check of what is recent
            begun.append(begin)
        return await look(begin, *end)

    monkeypatch.setattr(adoption, "unknown_payments", noted)
    claims.look_at_everything()
    await claims.look_ahead()
    assert (await poll())["success"]
    assert begun[0] == adoption.EVERYTHING
    assert len(begun) > 1 and adoption.EVERYTHING not in begun[1:]

    await put_back(backup)
    claims.look_at_everything()
    await claims.look_ahead()
    stopped = await poll()
    assert stopped["success"] is False and "older than LNbits'" in stopped["error"]


async def test_what_was_planned_and_unpaid_in_the_older_copy_is_confirmed_not_paid(
    admin: Account, configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    """Also where the copy still has the transfer, with an invoice that was replaced since."""
    from lnbits.core.db import db

    from tests.paying.test_payments import lnbits_setting

    client = await make_client("one", {"GTQ": "1000.00"})
    await lamassu.insert(sale())
    with lnbits_setting("lnbits_only_allow_incoming_payments", True):
        await poll()
    backup = await copy_of_ours()
    await db.execute(
        "UPDATE apipayments SET status = 'failed' WHERE status = 'pending' AND tag = :tag",
        {"tag": "satmachineclient"},
    )
    await poll()
    assert await balances(client) == [20_000]
    await put_back(backup)

    assert not (await poll())["success"]
    await admin.call("POST", f"{API}/adopt")

    assert await balances(client) == [20_000]
    assert await statuses(admin) == ["settled"]
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]


async def test_what_an_earlier_release_paid_is_matched_by_its_sums_or_held(
    admin: Account, configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    """It told our own ids of the sales, which a new plan does not have."""
    from lnbits.core.db import db

    one, two = [await make_client(n, {"GTQ": "1000.00"}) for n in ("one", "two")]
    backup = await copy_of_ours()
    await lamassu.insert(sale(), sale(crypto_atoms=42_200, fiat=Decimal(400)))
    await poll()
    assert await balances(one, two) == [30_000, 30_000]
    booked: list[Any] = await db.fetchall(
        "SELECT checking_id, extra FROM apipayments WHERE tag = :tag", {"tag": "satmachineclient"}
    )
    for row in booked:
        extra = json.loads(row["extra"])
        extra.pop("sales")
        if extra.get("client_id") == two.id:
            extra["amount_fiat"] = "299.00"  # no plan adds up to it
        await db.execute(
            "UPDATE apipayments SET extra = :extra, external_id = "
            "CASE WHEN amount < 0 THEN NULL ELSE external_id END WHERE checking_id = :id",
            {"extra": json.dumps(extra), "id": row["checking_id"]},
        )
    await put_back(backup)
    assert not (await poll())["success"]

    done = await admin.call("POST", f"{API}/adopt")

    assert done["poll"]["confirmed_payments"] == 0
    assert await balances(one, two) == [30_000, 30_000]
    seen = await admin.call("GET", f"{API}/adoption")
    [unclear] = seen["unclear"]
    assert (unclear["client_id"], unclear["amount_sats"]) == (two.id, 30_000)
    held = [
        share
        for row in await admin.call("GET", f"{API}/transactions")
        for share in await admin.call("GET", f"{API}/transactions/{row['id']}/distributions")
        if share["client_id"] == two.id
    ]
    assert {(s["status"], "Held" in s["error"]) for s in held} == {("failed", True)}
    await poll()
    assert await balances(one, two) == [30_000, 30_000]
    for share in held:
        body = {"reason": "paid before"}
        await admin.call("POST", f"{API}/payments/{share['id']}/void", body)
    closed = await admin.call("POST", f"{API}/adopted/{unclear['id']}/close", {"reason": "seen"})
    assert closed["unclear"] == []
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]


async def test_what_does_not_fit_the_plan_waits_for_a_person(
    admin: Account, configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    one = await make_client("one", {"GTQ": "1000.00"})
    two = await make_client("two")
    backup = await copy_of_ours()
    body = {"client_id": two.id, "amount": "1000", "currency": "GTQ"}
    deposit = await admin.call("POST", f"{API}/deposits", body)
    path = f"{API}/deposits/{deposit['id']}/status"
    await admin.call("PUT", path, {"status": "confirmed"})
    await lamassu.insert(sale())
    await poll()
    assert await balances(one, two) == [10_000, 10_000]
    await put_back(backup)  # the second deposit is not in it: all of the sale would be one's

    await admin.call("POST", f"{API}/adopt")
    await poll()

    assert await balances(one, two) == [10_000, 10_000]
    seen = await admin.call("GET", f"{API}/adoption")
    assert sorted(each["client_id"] for each in seen["unclear"]) == sorted([one.id, two.id])
    [row] = await admin.call("GET", f"{API}/transactions")
    [share] = await admin.call("GET", f"{API}/transactions/{row['id']}/distributions")
    assert (share["status"], share["amount_sats"]) == ("failed", 20_000)
    await admin.call("POST", f"{API}/payments/{share['id']}/retry")  # a person may have it so
    assert await balances(one) == [30_000]


async def test_a_payment_claims_its_sale_whenever_that_is_planned(
    admin: Account, configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    """As where the ATM cannot be read when the payments are adopted."""
    client = await make_client("one", {"GTQ": "1000.00"})
    backup = await copy_of_ours()
    await lamassu.insert(sale())
    await poll()
    await put_back(backup)
    await admin.call("POST", f"{API}/config", {**configured.body, "password": "wrong"})

    done = await admin.call("POST", f"{API}/adopt")

    assert (done["adopted"], done["poll"]["success"], done["poll"]["planned"]) == (2, False, 0)
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]
    await admin.call("POST", f"{API}/config", configured.body)
    assert (await poll())["planned"] == 1
    assert await balances(client) == [20_000]
    assert await statuses(admin) == ["settled"]


@pytest.mark.parametrize("archived", [False, True])
async def test_what_lnbits_has_lost_is_paid_again_when_a_person_says_so(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
    archived: bool,
) -> None:
    setup = await configure(credit_source_wallet=True, balance_sats=0)
    one, two = [await make_client(n, {"GTQ": "1000.00"}) for n in ("one", "two")]
    wallets = [setup.source.id, setup.commission.id, one.wallet.id, two.wallet.id]
    await lamassu.insert(sale())
    await poll()
    before = await copy_of_lnbits(*wallets)
    await lamassu.insert(sale())
    await poll()
    if archived:
        await archive_everything()
    await lose_since(before, *wallets)
    assert await balances(one, two) == [10_000, 10_000]

    assert (await poll())["success"]

    assert await balances(one, two) == [10_000, 10_000]
    books = await admin.call("GET", f"{API}/reconciliation")
    assert [d["kind"] for d in books["differences"]] == ["lost"] * 4
    seen = await admin.call("GET", f"{API}/adoption")
    assert (len(seen["lost_shares"]), seen["lost_moves"]) == (2, 2)
    share = next(s for s in seen["lost_shares"] if s["client_id"] == one.id)
    paid = await admin.call("POST", f"{API}/payments/{share['id']}/pay-again")
    assert paid["status"] == "confirmed" and paid["payment_hash"] != share["payment_hash"]
    assert await balances(one, two) == [20_000, 10_000]
    with pytest.raises(LnbitsError, match="still has this payment"):
        await admin.call("POST", f"{API}/payments/{share['id']}/pay-again")
    assert (await admin.call("POST", f"{API}/payments/pay-again")) == {"payments": 1}
    assert await balances(one, two) == [20_000, 20_000]
    assert await admin.balance(setup.source) == 0
    assert await admin.balance(setup.commission) == 2_200
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]
    assert await statuses(admin) == ["settled"] * 2


async def test_a_strangers_tag_neither_stops_nor_alarms(
    admin: Account,
    plain_user: Account,
    configured: Setup,
    make_client: MakeClient,
    make_wallet: MakeWallet,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    """Whatever they write: into a payment of their own, or into an invoice of theirs."""
    from lnbits.core.services import create_invoice, pay_invoice

    client = await make_client("one", {"GTQ": "1000.00"})
    payer, receiver = await make_wallet(plain_user, 5_000), await make_wallet(plain_user)
    payout_id = f"{'0' * 32}-0001"
    for kind, target in (("client", receiver.id), ("credit", configured.source.id)):
        extra = {"tag": "satmachineclient", "kind": kind, "payout_id": payout_id}
        extra["transfer_id"] = "0" * 32
        invoice = await create_invoice(
            wallet_id=target,
            amount=1_000,
            memo="",
            internal=True,
            extra=dict(extra),
            external_id=payout_id,
        )
        await pay_invoice(
            wallet_id=payer.id,
            payment_request=invoice.bolt11,
            extra=dict(extra),
            external_id=payout_id,
        )
    await lamassu.insert(sale())

    assert (await poll())["confirmed_payments"] == 1

    assert await balances(client) == [20_000]
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]
    assert (await admin.call("GET", f"{API}/adoption"))["unknown"] == []


async def test_a_wallet_that_got_less_by_a_fee_is_a_difference(
    admin: Account, configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    from lnbits.core.db import db

    client = await make_client("one", {"GTQ": "1000.00"})
    await lamassu.insert(sale())
    await poll()
    await db.execute(
        "UPDATE apipayments SET fee = -20000000 WHERE wallet_id = :id AND amount > 0",
        {"id": client.wallet.id},
    )
    assert await balances(client) == [0]
    books = await admin.call("GET", f"{API}/reconciliation")
    assert [d["kind"] for d in books["differences"]] == ["payout"]


async def test_that_another_database_was_named_is_known_again_from_what_was_paid(
    admin: Account, configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    """Its sales are kept under ids with its number, and so are the payments for them."""
    client = await make_client("one", {"GTQ": "1000.00"})
    await lamassu.insert(sale())
    await poll()
    backup = await copy_of_ours()
    await lamassu.insert(sale())
    await poll()
    await admin.call("POST", f"{API}/config", {**configured.body, "another_database": True})
    await lamassu.insert(sale())
    await poll()
    paid = await balances(client)
    await put_back(backup)
    assert (await admin.call("GET", f"{API}/config"))["database_number"] == 1

    await admin.call("POST", f"{API}/adopt")

    assert (await admin.call("GET", f"{API}/config"))["database_number"] == 2
    rows = await admin.call("GET", f"{API}/transactions")
    assert sorted("@2" in row["lamassu_transaction_id"] for row in rows) == [False, False, True]
    assert await balances(client) == paid and await statuses(admin) == ["settled"] * 3
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]
    await poll()
    assert await balances(client) == paid

"""Partners are paid what is theirs: exactly, once, and whatever becomes of the others."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account, Wallet
from demo.sales import MACHINE, UNPAIRED_MACHINE, Sale
from tests.lamassu_rig import now
from tests.rig import API, Configure, MakeClient, MakeWallet, Poll, Setup

pytestmark = pytest.mark.storage


def sale(device: str = MACHINE, **fields: Any) -> Sale:
    """Base 20,000 sats, commission 1,100."""
    time = now()
    given = {"crypto_atoms": 21_100, "fiat": Decimal(200), "cash_at": time, **fields}
    return Sale(created=time, confirmed_at=time, device_id=device, **given)


async def add(admin: Account, wallet: Wallet, percent: str, name: str, *devices: str) -> Any:
    body = {"name": name, "wallet_id": wallet.id, "percent": percent, "device_ids": devices}
    return await admin.call("POST", f"{API}/partners", body)


async def commission(admin: Account) -> list[dict[str | None, tuple[int, str]]]:
    """Per sale, oldest first: by name the sats and their state; the operator's own is None."""
    found = []
    rows = await admin.call("GET", f"{API}/transactions")
    for row in sorted(rows, key=lambda row: row["transaction_time"]):
        parts = await admin.call("GET", f"{API}/transactions/{row['id']}/commission")
        assert sum(part["amount_sats"] for part in parts) == row["commission_amount_sats"]
        assert parts[-1]["partner_id"] is None
        assert sum(part["amount_sats"] for part in parts[:-1]) == row["partners_sats"]
        for part in parts:
            assert (part["payment_hash"] is not None) == (part["status"] == "confirmed")
        found.append({part["name"]: (part["amount_sats"], part["status"]) for part in parts})
    return found


async def delete_wallet(wallet: Wallet, deleted: bool = True) -> None:
    from lnbits.core.db import db

    values = {"deleted": deleted, "id": wallet.id}
    await db.execute("UPDATE wallets SET deleted = :deleted WHERE id = :id", values)


async def number_of_payments(wallet: Wallet) -> int:
    from lnbits.core.db import db

    row: Any = await db.fetchone(
        "SELECT COUNT(*) AS number FROM apipayments WHERE wallet_id = :id", {"id": wallet.id}
    )
    return int(row["number"])


async def reconciled(admin: Account) -> None:
    books = await admin.call("GET", f"{API}/reconciliation")
    assert books["ok"], books["differences"]


@pytest.fixture
async def known(lamassu: LamassuDatabase, configured: Setup, poll: Poll) -> None:
    """Two machines, known by sales without a commission."""
    await lamassu.insert(*(sale(d, commission_percentage=Decimal(0)) for d in MACHINES))
    await poll()


MACHINES = (MACHINE, UNPAIRED_MACHINE)


@pytest.mark.usefixtures("known")
async def test_each_gets_their_part_in_one_payment_a_poll(
    admin: Account,
    plain_user: Account,
    configured: Setup,
    make_client: MakeClient,
    make_wallet: MakeWallet,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    await make_client("saver", {"GTQ": "1000.00"})
    shop, owner = await make_wallet(plain_user), await make_wallet(plain_user)
    made = await add(admin, shop, "12.5", "Shop", MACHINE)
    await add(admin, owner, "33.3333", "Owner")
    await lamassu.insert(sale(), sale(), sale(UNPAIRED_MACHINE))
    assert (await poll())["success"]
    assert (await commission(admin))[2:] == [
        {"Shop": (137, "confirmed"), "Owner": (367, "confirmed"), None: (596, "confirmed")},
        {"Shop": (137, "confirmed"), "Owner": (367, "confirmed"), None: (596, "confirmed")},
        {"Owner": (367, "confirmed"), None: (733, "confirmed")},
    ]
    assert await admin.balance(shop) == 2 * 137
    assert await admin.balance(owner) == 3 * 367
    assert await admin.balance(configured.commission) == 2 * 596 + 733
    assert (await number_of_payments(shop), await number_of_payments(owner)) == (1, 1)
    (seen,) = [p for p in await admin.call("GET", f"{API}/partners") if p["id"] == made["id"]]
    assert (seen["total_sats"], seen["pending_sats"]) == (274, 0)
    rows = await admin.call("GET", f"{API}/transactions")
    assert {row["status"] for row in rows} == {"settled"}
    await reconciled(admin)


@pytest.mark.usefixtures("known")
async def test_all_of_it_may_be_theirs_and_nothing_is_left_to_move(
    admin: Account,
    plain_user: Account,
    make_wallet: MakeWallet,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    wallet = await make_wallet(plain_user)
    await add(admin, wallet, "100", "All")
    await lamassu.insert(sale())
    await poll()
    assert (await commission(admin))[-1] == {"All": (1100, "confirmed"), None: (0, "none")}
    assert await admin.balance(wallet) == 1100
    await reconciled(admin)


@pytest.mark.usefixtures("known")
async def test_who_cannot_be_paid_holds_up_nobody_and_is_paid_later(
    admin: Account,
    plain_user: Account,
    make_client: MakeClient,
    make_wallet: MakeWallet,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    client = await make_client("saver", {"GTQ": "1000.00"})
    gone, fine = await make_wallet(plain_user), await make_wallet(plain_user)
    made = await add(admin, gone, "10", "Gone")
    await add(admin, fine, "10", "Fine")
    await delete_wallet(gone)
    await lamassu.insert(sale())
    await poll()
    await lamassu.insert(sale())
    await poll()
    assert (await commission(admin))[2:] == [
        {"Gone": (110, "failed"), "Fine": (110, "confirmed"), None: (880, "confirmed")}
    ] * 2
    assert await admin.balance(client.wallet) == 40_000
    (seen,) = [p for p in await admin.call("GET", f"{API}/partners") if p["id"] == made["id"]]
    assert (seen["total_sats"], seen["pending_sats"]) == (0, 220)
    # Ended, and with another wallet, they are still paid what is theirs.
    another = await make_wallet(plain_user)
    change = {"wallet_id": another.id, "status": "ended"}
    await admin.call("PUT", f"{API}/partners/{made['id']}", change)
    await lamassu.insert(sale())
    rows = await admin.call("GET", f"{API}/transactions")
    for row in rows:
        await admin.call("POST", f"{API}/transactions/{row['id']}/retry")
    await poll()
    assert await admin.balance(another) == 220
    assert (await commission(admin))[-1] == {"Fine": (110, "confirmed"), None: (990, "confirmed")}
    rows = await admin.call("GET", f"{API}/transactions")
    assert {row["status"] for row in rows} == {"settled"}
    await reconciled(admin)


async def test_sales_of_before_keep_the_split_of_their_time(
    admin: Account,
    plain_user: Account,
    configured: Setup,
    make_wallet: MakeWallet,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    """Read late, a sale goes by what was in force when it was made."""
    wallet = await make_wallet(plain_user)
    before = sale()
    made = await add(admin, wallet, "10", "Shop")
    first = sale()
    await admin.call("PUT", f"{API}/partners/{made['id']}", {"percent": "20"})
    second = sale()
    await admin.call("PUT", f"{API}/partners/{made['id']}", {"status": "ended"})
    await lamassu.insert(before, first, second, sale())
    await poll()
    assert [parts.get("Shop", (0, ""))[0] for parts in await commission(admin)] == [0, 110, 220, 0]
    await reconciled(admin)


@pytest.mark.usefixtures("known")
async def test_a_short_source_wallet_pays_partners_after_clients_and_before_the_operator(
    admin: Account,
    plain_user: Account,
    configure: Configure,
    make_client: MakeClient,
    make_wallet: MakeWallet,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    setup = await configure(balance_sats=20_000 + 110)
    client = await make_client("saver", {"GTQ": "1000.00"})
    wallet = await make_wallet(plain_user)
    await add(admin, wallet, "10", "Shop")
    await lamassu.insert(sale())
    await poll()
    assert await admin.balance(client.wallet) == 20_000
    assert (await commission(admin))[-1] == {"Shop": (110, "confirmed"), None: (990, "pending")}
    overview = await admin.call("GET", f"{API}/overview")
    assert overview["source"]["owed_commission_sats"] == 990
    await admin.top_up(setup.source, 990)
    await poll()
    assert (await commission(admin))[-1][None] == (990, "confirmed")
    await reconciled(admin)


@pytest.mark.usefixtures("known")
async def test_a_test_transaction_shows_whose_the_commission_would_be(
    admin: Account, plain_user: Account, make_wallet: MakeWallet
) -> None:
    wallet = await make_wallet(plain_user)
    await add(admin, wallet, "10", "Shop", UNPAIRED_MACHINE)
    body = {
        "crypto_amount_sats": 21_100,
        "fiat_amount": "200",
        "fiat_code": "GTQ",
        "commission_percentage": "0.055",
        "discount": 0,
    }

    async def whose(device: str | None, dry_run: bool = True) -> dict[str | None, int]:
        sent = {**body, "device_id": device, "dry_run": dry_run}
        answer = await admin.call("POST", f"{API}/test-transaction", sent)
        return {part["name"]: part["amount_sats"] for part in answer["commission"]}

    assert await whose(None) == {None: 1100}
    assert await whose(MACHINE) == {None: 1100}
    assert await whose(UNPAIRED_MACHINE) == {"Shop": 110, None: 990}
    assert await admin.balance(wallet) == 0
    assert await whose(UNPAIRED_MACHINE, dry_run=False) == {"Shop": 110, None: 990}
    assert await admin.balance(wallet) == 110
    await reconciled(admin)


@pytest.mark.usefixtures("known")
async def test_a_partner_sees_their_months_and_has_a_statement(
    admin: Account,
    plain_user: Account,
    configured: Setup,
    make_wallet: MakeWallet,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    wallet = await make_wallet(plain_user)
    made = await add(admin, wallet, "10", "Shop")
    await lamassu.insert(sale(), sale(UNPAIRED_MACHINE))
    await poll()
    path = f"{API}/me/partner?partner_id={made['id']}"
    mine = await plain_user.call("GET", path)
    month = f"{now():%Y-%m}"
    assert mine["months"] == [{"month": month, "sats": 220, "sales": 2}]
    assert (mine["total_sats"], mine["pending_sats"]) == (220, 0)
    # Days and months are those of the configured zone.
    zone = "Pacific/Kiritimati"
    await admin.call("POST", f"{API}/config", {**configured.body, "timezone": zone})
    there = now() + timedelta(hours=14)
    mine = await plain_user.call("GET", path)
    assert [m["month"] for m in mine["months"]] == [f"{there:%Y-%m}"]
    path = f"{API}/me/partner/statement?partner_id={made['id']}"
    statement = await plain_user.call("GET", path)
    assert [line["amount_sats"] for line in statement["lines"]] == [110, 110]
    assert {line["device_name"] for line in statement["lines"]} == {"Kiosk", None}
    assert (statement["total_sats"], statement["to"]) == (220, f"{there:%Y-%m-%d}")
    text = (await plain_user.get(f"{path}&format=csv")).text
    assert len(text.splitlines()) == 3
    earlier = await plain_user.call("GET", f"{path}&from=2026-01-01&to=2026-01-31")
    assert earlier["lines"] == []
    export = (await admin.get(f"{API}/export/commission")).text
    assert len(export.splitlines()) == 3
    assert "Shop" in export


@pytest.mark.usefixtures("known")
async def test_parts_that_do_not_add_up_are_told(
    admin: Account,
    plain_user: Account,
    make_wallet: MakeWallet,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    from satmachineclient.database import ledger

    await add(admin, await make_wallet(plain_user), "10", "Shop")
    await lamassu.insert(sale())
    await poll()
    async with ledger() as work:
        await work.execute("UPDATE satmachineclient.dca_commission_shares SET amount_sats = 111")
    books = await admin.call("GET", f"{API}/reconciliation")
    assert {d["kind"] for d in books["differences"]} >= {"commission", "transfer"}

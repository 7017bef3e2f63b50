"""An id that comes back with another sale behind it waits for a person; the first stays."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from demo.cash_in import CashIn
from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account, LnbitsError
from demo.sales import Sale
from tests.rig import API, Configure, MakeClient, Poll

pytestmark = pytest.mark.storage


async def transactions(admin: Account) -> dict[str, dict[str, Any]]:
    rows = await admin.call("GET", f"{API}/transactions")
    return {row["lamassu_transaction_id"]: row for row in rows}


@pytest.mark.parametrize("changed", ["fiat", "crypto_atoms", "fiat_code"])
async def test_another_sale_with_a_known_id_waits_for_a_person(
    changed: str,
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    poll: Poll,
    lamassu: LamassuDatabase,
) -> None:
    await configure()
    client = await make_client(deposits={"GTQ": "1000.00", "USD": "1000.00"})
    first = Sale(created=datetime.now(timezone.utc), fiat=Decimal(200), crypto_atoms=28_000)
    await lamassu.insert(first)
    assert (await poll())["planned"] == 1
    paid = await client.owner.balance(client.wallet)
    other: dict[str, Any] = {"fiat": Decimal(300), "crypto_atoms": 29_000, "fiat_code": "USD"}
    await lamassu.insert(replace(first, **{changed: other[changed]}))

    results = [await poll() for _ in range(2)]

    assert [(r["planned"], r["reviews"]) for r in results] == [(0, 1), (0, 0)]
    assert [r["new"] for r in results] == [0, 0]
    rows = await transactions(admin)
    stored, waits = rows.pop(str(first.id)), next(iter(rows.values()))
    assert len(rows) == 1 and stored["status"] == "settled"
    assert waits["lamassu_transaction_id"].startswith(f"{first.id}#")
    assert waits["status"] == "needs_review"
    assert "28000 sats for 200.00 GTQ" in waits["review_reason"]
    assert await client.owner.balance(client.wallet) == paid

    path = f"{API}/transactions/{waits['id']}/distribute"
    done = await admin.call("POST", path, {"notes": "the machine was set up anew"})
    assert done["status"] == "settled"
    assert await client.owner.balance(client.wallet) == paid + done["distributed_sats"]
    assert (await poll())["reviews"] == 0


async def test_a_sale_that_was_decided_on_stays_the_same_sale(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    poll: Poll,
    lamassu: LamassuDatabase,
) -> None:
    """Also where a person has distributed other amounts than Lamassu's, or its data was refused."""
    await configure(direction="both")
    await make_client(deposits={"GTQ": "1000.00"})
    time = datetime.now(timezone.utc)
    partial = Sale(created=time, fiat=Decimal(400), cash="partial")
    unknown = Sale(created=time, fiat_code="ZZZ")
    bought = CashIn(created=time, commission_percentage=None, crypto_atoms=25_200)
    await lamassu.insert(partial, unknown, bought, Sale(created=time), CashIn(created=time))
    assert (await poll())["reviews"] == 3
    rows = await transactions(admin)
    path = f"{API}/transactions/{rows[str(partial.id)]['id']}/distribute"
    await admin.call("POST", path, {"fiat_amount": "200.00"})
    path = f"{API}/transactions/{rows[str(bought.id)]['id']}/dismiss"
    await admin.call("POST", path, {"notes": "no"})

    result = await poll()

    assert (result["reviews"], len(await transactions(admin))) == (0, 5)


async def test_an_unknown_currency_keeps_its_number(
    admin: Account, configure: Configure, poll: Poll, lamassu: LamassuDatabase
) -> None:
    await configure()
    await lamassu.insert(Sale(created=datetime.now(timezone.utc), fiat_code="ZZZ"))
    await poll()
    (row,) = (await transactions(admin)).values()
    assert (row["status"], row["fiat_amount"], row["fiat_code"]) == (
        "needs_review",
        "200.00",
        "ZZZ",
    )


def amounts(row: dict[str, Any]) -> tuple[str, str, str, int]:
    return row["direction"], row["status"], row["fiat_amount"], row["base_amount_sats"]


async def test_a_sale_of_the_other_direction_with_a_known_id_waits_for_a_person(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    poll: Poll,
    lamassu: LamassuDatabase,
) -> None:
    """Also where the direction is changed in the configuration, so that both are never read."""
    setup = await configure(direction="cash_in")
    client = await make_client(deposits={"GTQ": "1000.00"})
    time = datetime.now(timezone.utc)
    bought = CashIn(created=time, crypto_atoms=25_200)
    sold = Sale(created=time, fiat=Decimal(300), crypto_atoms=42_000, id=bought.id)
    await lamassu.insert(bought)
    assert (await poll())["planned"] == 1
    paid = await client.owner.balance(client.wallet)
    await lamassu.insert(sold)
    await admin.call("POST", f"{API}/config", {**setup.body, "direction": "cash_out"})

    results = [await poll() for _ in range(2)]
    await admin.call("POST", f"{API}/config", {**setup.body, "direction": "both"})
    results += [await poll() for _ in range(2)]

    assert [(r["planned"], r["reviews"]) for r in results] == [(0, 1), (0, 0), (0, 0), (0, 0)]
    rows = await transactions(admin)
    stored, waits = rows.pop(str(bought.id)), next(iter(rows.values()))
    assert (stored["direction"], stored["status"]) == ("cash_in", "settled")
    assert amounts(waits) == ("cash_out", "needs_review", "300.00", 42_000)
    assert "a cash-in of 25200 sats for 200.00 GTQ" in waits["review_reason"]
    assert "a cash-out of 42000 sats for 300.00 GTQ" in waits["review_reason"]
    assert len(rows) == 1 and await client.owner.balance(client.wallet) == paid


async def test_an_id_that_stands_in_both_tables_is_two_sales_of_which_one_waits(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    poll: Poll,
    lamassu: LamassuDatabase,
) -> None:
    await configure(direction="both")
    await make_client(deposits={"GTQ": "1000.00"})
    time = datetime.now(timezone.utc)
    sold = Sale(created=time, fiat=Decimal(200), crypto_atoms=28_000)
    await lamassu.insert(sold, CashIn(created=time, crypto_atoms=28_000, id=sold.id))

    results = [await poll() for _ in range(3)]

    assert [(r["planned"], r["reviews"]) for r in results] == [(1, 0), (0, 1), (0, 0)]
    rows = await transactions(admin)
    assert rows.pop(str(sold.id))["direction"] == "cash_out"
    [waits] = rows.values()
    assert amounts(waits) == ("cash_in", "needs_review", "200.00", 28_000)


async def test_a_sale_that_was_taken_back_is_not_another_one_when_it_is_read_again(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    poll: Poll,
    lamassu: LamassuDatabase,
) -> None:
    await configure(direction="both", balance_sats=0)
    await make_client(deposits={"GTQ": "1000.00"})
    time = datetime.now(timezone.utc)
    bought = CashIn(created=time, crypto_atoms=25_200)
    await lamassu.insert(bought, Sale(created=time))
    assert (await poll())["planned"] == 2
    for row in (await transactions(admin)).values():
        path = f"{API}/transactions/{row['id']}/dismiss"
        await admin.call("POST", path, {"notes": "a test of the machine"})

    result = await poll()

    assert (result["planned"], result["reviews"]) == (0, 0)
    assert {row["status"] for row in (await transactions(admin)).values()} == {"dismissed"}


# ---- another machine's database --------------------------------------------------------------


async def test_a_database_named_another_by_mistake_pays_nothing_twice(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    poll: Poll,
    lamassu: LamassuDatabase,
) -> None:
    """All of the look-back window is read again: whatever became of each sale, it stays that."""
    setup = await configure(direction="both")
    client = await make_client(deposits={"GTQ": "3000.00"})
    time = datetime.now(timezone.utc)
    partial, refused = Sale(created=time, cash="partial"), Sale(created=time, fiat_code="ZZZ")
    dismissed = Sale(created=time, cash="partial")
    await lamassu.insert(Sale(created=time), CashIn(created=time), partial, refused, dismissed)
    await poll()
    rows = await transactions(admin)
    path = f"{API}/transactions/{rows[str(partial.id)]['id']}/distribute"
    await admin.call("POST", path, {"fiat_amount": "100.00"})
    path = f"{API}/transactions/{rows[str(dismissed.id)]['id']}/dismiss"
    await admin.call("POST", path, {"notes": "no"})
    paid, before = await client.owner.balance(client.wallet), await transactions(admin)

    named = await admin.call("POST", f"{API}/config", {**setup.body, "another_database": True})
    results = [await poll() for _ in range(2)]

    assert (named["database_number"], named["database_since"] is not None) == (2, True)
    assert [(r["planned"], r["reviews"]) for r in results] == [(0, 0)] * 2
    assert await transactions(admin) == before
    assert await client.owner.balance(client.wallet) == paid
    for result in results:
        assert "from the one before it, by their ids and amounts: 5." in result["problem"]
        assert [told["code"] for told in result["told"]] == ["same_database"]
    [audit, *_] = await admin.call("GET", f"{API}/audit")
    assert (audit["before"]["database_number"], audit["after"]["database_number"]) == (1, 2)
    later = Sale(created=datetime.now(timezone.utc))
    await lamassu.insert(later)
    saved = await admin.call("POST", f"{API}/config", setup.body)  # says nothing of databases
    assert saved["database_number"] == 2
    assert [(await poll())["planned"] for _ in range(2)] == [1, 0]
    assert set(await transactions(admin)) - set(before) == {f"{later.id}@2"}
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]


@pytest.mark.parametrize("is_named", [False, True])
async def test_ids_of_another_machines_database_count_apart_once_it_is_named(
    is_named: bool,
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    poll: Poll,
    lamassu: LamassuDatabase,
    lamassu_no_fee: LamassuDatabase,
) -> None:
    setup = await configure()
    client = await make_client(deposits={"GTQ": "3000.00"})
    ago = datetime.now(timezone.utc) - timedelta(minutes=5)
    first = Sale(created=datetime.now(timezone.utc), crypto_atoms=28_000)
    await lamassu.insert(first)
    await poll()
    paid = await client.owner.balance(client.wallet)
    early, late = [replace(first, fiat=Decimal(300), crypto_atoms=42_000) for _ in range(2)]
    early = replace(early, created=ago, cash_at=ago)
    await lamassu_no_fee.insert(early, Sale(created=first.created))

    body = {**setup.body, **lamassu_no_fee.login(), "another_database": is_named}
    await admin.call("POST", f"{API}/config", body)
    result = await poll()

    # A known id is another sale's: of before the naming that is for a person to say.
    assert (result["planned"], result["reviews"], result["problem"]) == (1, 1, None)
    waits = [r for r in (await transactions(admin)).values() if r["status"] == "needs_review"]
    assert "28000 sats for 200.00 GTQ" in waits[0]["review_reason"]
    assert "42000 sats for 300.00 GTQ" in waits[0]["review_reason"]
    await lamassu_no_fee.clear()
    time = datetime.now(timezone.utc)
    await lamassu_no_fee.insert(replace(late, created=time, cash_at=time, fiat=Decimal(400)))
    result = await poll()
    assert (result["planned"], result["reviews"]) == ((1, 0) if is_named else (0, 1))
    assert await client.owner.balance(client.wallet) > paid
    assert (f"{first.id}@2" in await transactions(admin)) is is_named


async def test_there_has_to_be_a_database_that_another_one_can_differ_from(
    admin: Account, configure: Configure
) -> None:
    with pytest.raises(LnbitsError, match="another_database: there is none yet"):
        await configure(another_database=True)

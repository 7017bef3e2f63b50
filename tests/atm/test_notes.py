"""The notes of all dispense actions are what came out; the last action tells the state."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account, LnbitsError
from demo.sales import Sale, insert_row
from tests.lamassu_rig import now, read, target_at
from tests.rig import API, Configure, MakeClient, Poll

NOTES_OF_500 = {"denomination_1": 100, "dispensed_1": 5}


async def with_actions(
    lamassu: LamassuDatabase, sale: Sale, *actions: tuple[str, int, dict[str, Any]]
) -> None:
    """The sale with this log: what, how many seconds after it was paid, and the notes."""
    await lamassu.insert(sale)
    owner = await lamassu.connect()
    try:
        await owner.execute("DELETE FROM cash_out_actions WHERE tx_id = $1", sale.id)
        for action, seconds, more in actions:
            await insert_row(owner, "cash_out_actions", row_of(sale, action, seconds, more))
    finally:
        await owner.close()


def row_of(sale: Sale, action: str, seconds: int, more: dict[str, Any]) -> dict[str, Any]:
    created = sale.paid_at + timedelta(seconds=seconds)
    common = {"tx_id": sale.id, "action": action, "created": created, "device_id": sale.device_id}
    return {**common, **more}


async def read_one(lamassu: LamassuDatabase) -> Any:
    (row,) = (await read(target_at(lamassu))).values()
    return row


def paid(minutes: int = 1, **fields: Any) -> Sale:
    return Sale(created=now() - timedelta(minutes=minutes), fiat=Decimal(500), **fields)


# ---- how many came out -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "came_out"),
    [([5, 5], "1000"), ([3], "300"), ([0], "0"), ([3, 2], None), ([5], None), ([5, 0], None)],
)
async def test_all_notes_together_have_to_be_the_sales_cash(
    lamassu: LamassuDatabase, counts: list[int], came_out: str | None
) -> None:
    log = [
        ("dispense", 10 + number, {"denomination_1": 100, "dispensed_1": count})
        for number, count in enumerate(counts)
    ]
    await with_actions(lamassu, paid(), *log)
    row = await read_one(lamassu)
    if came_out is None:
        assert (row.state, row.reason) == ("good", None)
    else:
        assert row.state == "review"
        assert f"{came_out} GTQ of 500.00 GTQ came out" in row.reason
        assert row.facts["counted_fiat"] == came_out


async def test_recyclers_are_counted_too(lamassu: LamassuDatabase) -> None:
    notes = {"denomination_recycler_6": 50, "dispensed_recycler_6": 2}
    await with_actions(
        lamassu, paid(), ("dispense", 10, {**notes, "denomination_1": 200, "dispensed_1": 2})
    )
    assert (await read_one(lamassu)).state == "good"


@pytest.mark.parametrize("hidden", ["dispensed_recycler_6", "denomination_1"])
async def test_a_part_of_the_counts_is_not_used(lamassu: LamassuDatabase, hidden: str) -> None:
    await with_actions(lamassu, paid(), ("dispense", 10, {**NOTES_OF_500, "dispensed_1": 3}))
    owner = await lamassu.connect()
    try:
        await _grant(owner, "REVOKE", hidden)
        assert (await read_one(lamassu)).state == "good"
    finally:
        await _grant(owner, "GRANT", hidden)
        await owner.close()


async def _grant(owner: asyncpg.Connection, what: str, column: str) -> None:
    towards = "TO" if what == "GRANT" else "FROM"
    await owner.execute(f"{what} SELECT ({column}) ON cash_out_actions {towards} dca_ro")


@pytest.mark.storage
@pytest.mark.parametrize(("count", "cash"), [(10, "1000.00"), (3, "300.00")])
async def test_the_counted_cash_is_offered_and_can_be_distributed(
    count: int,
    cash: str,
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    poll: Poll,
    lamassu: LamassuDatabase,
) -> None:
    await configure()
    client = await make_client(deposits={"GTQ": "2000.00"})
    sale = paid(0)
    await with_actions(lamassu, sale, ("dispense", 1, {**NOTES_OF_500, "dispensed_1": count}))
    assert (await poll())["reviews"] == 1
    (row,) = await admin.call("GET", f"{API}/transactions")
    assert (row["status"], row["fiat_amount"], row["counted_fiat"]) == (
        "needs_review",
        "500.00",
        cash,
    )
    path = f"{API}/transactions/{row['id']}/distribute"
    with pytest.raises(LnbitsError, match="400"):
        await admin.call("POST", path, {"fiat_amount": "1000.01"})

    done = await admin.call("POST", path, {"fiat_amount": cash})

    assert done["status"] == "settled"
    (left,) = (await admin.call("GET", f"{API}/clients/{client.id}/balance"))["balances"]
    assert left["total_distributed"] == cash
    shared = done["base_amount_sats"] if count == 10 else round(done["base_amount_sats"] * 0.6)
    assert await client.owner.balance(client.wallet) == done["distributed_sats"] == shared
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]
    assert (await poll())["new"] == 0


# ---- when ------------------------------------------------------------------------------------


async def test_the_time_of_a_sale_is_its_first_dispense(lamassu: LamassuDatabase) -> None:
    sale = paid(90)
    notes = {"denomination_1": 100}
    await with_actions(
        lamassu,
        sale,
        ("provisionNotes", 5, {}),
        ("dispense", 10, {**notes, "dispensed_1": 2}),
        ("dispense", 3600, {**notes, "dispensed_1": 3}),
    )
    row = await read_one(lamassu)
    assert (row.state, row.time) == ("good", sale.paid_at + timedelta(seconds=10))


# ---- what the last action says ---------------------------------------------------------------

FAILED = ("provisionNotesError", 1, {"error": "Denominations and counts do not match!"})
PLANNED: tuple[str, int, dict[str, Any]] = ("provisionNotes", 60, {})
DIED = {"cash": "machine_died"}


@pytest.mark.parametrize(
    ("log", "minutes", "reason"),
    [
        ([FAILED, PLANNED], 10, None),
        ([FAILED, PLANNED], 30, "never reported whether the cash came out."),
        ([FAILED], 10, None),
        ([FAILED], 30, "no cash came out: Denominations and counts do not match!"),
        ([FAILED, PLANNED, ("dispense", 70, NOTES_OF_500)], 2, "did not confirm"),
        (
            [PLANNED, ("dispenseError", 70, {"error": "Jam", **NOTES_OF_500, "dispensed_1": 1})],
            2,
            "not all of the cash came out (by the notes' count 100 of 500.00000): Jam",
        ),
        ([PLANNED, ("dispense", 70, {**NOTES_OF_500, "dispensed_1": 0})], 2, "no cash came out."),
    ],
)
async def test_the_last_of_the_actions_tells_the_state_and_its_own_error(
    log: list[Any], minutes: int, reason: str | None, lamassu: LamassuDatabase
) -> None:
    await with_actions(lamassu, paid(minutes, **DIED), *log)
    row = await read_one(lamassu)
    if reason is None:
        assert (row.state, row.reason) == ("waiting", None)
    else:
        assert (row.state == "review" and row.reason.endswith(reason)) or reason in row.reason
        assert "Denominations" not in row.reason or log == [FAILED]


def test_the_rig_counts_from_the_payment() -> None:
    sale = paid()
    assert isinstance(row_of(sale, "dispense", 1, {})["created"], datetime)

"""Machines by name, what Lamassu believes is in them, what was counted, and the cash book."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from satmachineclient.atm import machines as atm
from satmachineclient.atm import postgres
from satmachineclient.atm.rights import read_columns

from demo.lamassu_db import READER, LamassuDatabase, role_sql
from demo.lnbits_api import Account, LnbitsError
from demo.sales import MACHINE, UNPAIRED_MACHINE, Sale
from tests.lamassu_rig import now, target_at
from tests.rig import API, Configure, MakeClient, Poll, Setup

pytestmark = pytest.mark.storage


async def as_owner(database: LamassuDatabase, *statements: str) -> None:
    owner = await database.connect()
    try:
        for statement in statements:
            await owner.execute(statement)
    finally:
        await owner.close()


@asynccontextmanager
async def without(database: LamassuDatabase, what: str) -> AsyncIterator[None]:
    """The reader lacks this right while it lasts."""
    await as_owner(database, f"REVOKE SELECT {what} FROM {READER}")  # noqa: S608
    try:
        yield
    finally:
        await as_owner(database, role_sql())


async def unpaired(database: LamassuDatabase, *names: str) -> None:
    statements = [
        "INSERT INTO unpaired_devices (id, device_id, name, unpaired) "  # noqa: S608
        f"VALUES ('{uuid4()}', '{UNPAIRED_MACHINE}', '{name}', '2026-01-0{day}')"
        for day, name in enumerate(names, 1)
    ]
    await as_owner(database, *statements)


async def seen(database: LamassuDatabase) -> dict[str, Any]:
    async with postgres.connect(target_at(database)) as session:
        columns = await read_columns(session)
        found = await atm.read_machines(session, columns, now() - timedelta(days=7))
    return {machine.device_id: machine for machine in found}


async def listed(admin: Account) -> dict[str, Any]:
    return {m["device_id"]: m for m in await admin.call("GET", f"{API}/machines")}


# ---- what is read ----------------------------------------------------------------------------


async def test_a_machine_has_lamassus_name_and_an_unpaired_one_its_last(
    lamassu: LamassuDatabase,
) -> None:
    await unpaired(lamassu, "Old corner", "Corner")
    found = await seen(lamassu)
    assert (found[MACHINE].lamassu_name, found[MACHINE].paired) == ("Kiosk", True)
    assert (found[UNPAIRED_MACHINE].lamassu_name, found[UNPAIRED_MACHINE].paired) == (
        "Corner",
        False,
    )
    assert found[MACHINE].last_online is not None


async def test_notes_times_denominations_of_the_last_cash_out_are_the_cash(
    lamassu: LamassuDatabase,
) -> None:
    assert (await seen(lamassu))[MACHINE].cash() is None  # nobody knows what a note is worth
    assert (await seen(lamassu))[MACHINE].unknown_notes() == 2000
    await lamassu.insert(Sale(created=now()))
    machine = (await seen(lamassu))[MACHINE]
    assert machine.currency == "GTQ"
    assert machine.denominations == {
        "cassette1": 200,
        "cassette2": 100,
        "cassette3": 50,
        "cassette4": 20,
    }
    assert machine.cash() == 500 * (200 + 100 + 50 + 20) * 100
    assert machine.unknown_notes() == 0


async def test_denominations_may_be_told_by_sales_or_log_or_by_neither(
    lamassu: LamassuDatabase,
) -> None:
    await lamassu.insert(Sale(created=now()))
    columns = ", ".join(f"denomination_{n}" for n in (1, 2, 3, 4))
    async with without(lamassu, "ON cash_out_actions"):
        assert (await seen(lamassu))[MACHINE].cash() is None
        await as_owner(lamassu, f"GRANT SELECT ({columns}) ON cash_out_txs TO {READER}")
        assert (await seen(lamassu))[MACHINE].cash() == 500 * 370 * 100


async def test_a_unit_of_unknown_worth_is_told_and_not_guessed(lamassu: LamassuDatabase) -> None:
    await lamassu.insert(Sale(created=now()))
    await as_owner(lamassu, "UPDATE devices SET recycler2 = 7, cassette1 = -3")
    machine = (await seen(lamassu))[MACHINE]
    assert machine.units["cassette1"] == 0
    assert machine.unknown_notes() == 7
    assert machine.cash() == 500 * 170 * 100


@pytest.mark.parametrize("what", ["ON devices", "(name) ON devices"])
async def test_without_the_right_sales_are_read_all_the_same_and_the_test_names_the_grant(
    admin: Account, configured: Setup, lamassu: LamassuDatabase, poll: Poll, what: str
) -> None:
    await lamassu.insert(Sale(created=now()))
    async with without(lamassu, what):
        assert await seen(lamassu) == {}
        test = await admin.call("POST", f"{API}/test-connection", {})
        assert test["success"]
        rights = next(s for s in test["steps"] if s["name"] == "table_rights")["detail"]
        assert "GRANT SELECT (device_id, name" in rights
        assert (await poll())["new"] == 1
    assert (await listed(admin))[MACHINE]["name"] is None


# ---- names -----------------------------------------------------------------------------------


async def test_the_operators_own_name_wins_until_it_is_taken_away(
    admin: Account, configured: Setup, lamassu: LamassuDatabase, poll: Poll
) -> None:
    await lamassu.insert(Sale(created=now()), Sale(created=now(), device_id=UNPAIRED_MACHINE))
    await poll()
    machines = await listed(admin)
    assert (machines[MACHINE]["name"], machines[UNPAIRED_MACHINE]["name"]) == ("Kiosk", None)
    path = f"{API}/machines/{UNPAIRED_MACHINE}"
    assert (await admin.call("PUT", path, {"name": " Zona 10 "}))["name"] == "Zona 10"
    own = await admin.call("PUT", f"{API}/machines/{MACHINE}", {"name": "Shop"})
    assert (own["name"], own["own_name"], own["lamassu_name"]) == ("Shop", "Shop", "Kiosk")
    await poll()
    for row in await admin.call("GET", f"{API}/transactions"):
        assert (
            row["device_name"] == {MACHINE: "Shop", UNPAIRED_MACHINE: "Zona 10"}[row["device_id"]]
        )
    back = await admin.call("PUT", f"{API}/machines/{MACHINE}", {"name": None})
    assert (back["name"], back["own_name"]) == ("Kiosk", None)
    actions = [e["action"] for e in await admin.call("GET", f"{API}/audit")]
    assert actions.count("machine named") == 3


async def test_sales_are_found_by_the_name_of_their_machine(
    admin: Account, configured: Setup, lamassu: LamassuDatabase, poll: Poll
) -> None:
    await lamassu.insert(Sale(created=now()), Sale(created=now(), device_id=UNPAIRED_MACHINE))
    await poll()
    path = f"{API}/transactions/paginated"
    for query in ("device_name=Kiosk", "search=kios", "device_name[like]=osk"):
        page = await admin.call("GET", f"{path}?{query}")
        assert [row["device_id"] for row in page["data"]] == [MACHINE], query
        assert page["total"] == 1
    page = await admin.call("GET", f"{path}?sortby=device_name&direction=desc")
    assert len(page["data"]) == 2
    export = (await admin.get(f"{API}/export/transactions?device_name=Kiosk")).text
    assert "device_name" in export.splitlines()[0]
    assert export.count("Kiosk") == 1


BAD_NAMES: list[dict[str, str]] = [{}, {"name": ""}, {"name": "x" * 101}, {"name": "a\nb"}]


async def test_a_name_that_is_none_is_refused(
    admin: Account,
    configured: Setup,
    lamassu: LamassuDatabase,
    poll: Poll,
    subtests: pytest.Subtests,
) -> None:
    await poll()
    for body in BAD_NAMES:
        with subtests.test(body=body):
            answer = await admin.put(f"{API}/machines/{MACHINE}", json=body)
            assert answer.status_code == 400
            assert answer.json()["detail"].startswith("name:")


# ---- figures ---------------------------------------------------------------------------------


async def test_a_machine_knows_what_it_sold(
    admin: Account, configured: Setup, lamassu: LamassuDatabase, poll: Poll
) -> None:
    long_ago = now() - timedelta(days=40)
    await admin.call("POST", f"{API}/config", {**configured.body, "look_back_days": 60})
    old = Sale(created=long_ago, fiat=Decimal(100))
    new = Sale(created=now(), fiat=Decimal(200))
    await lamassu.insert(old, new, Sale(created=now(), device_id=UNPAIRED_MACHINE))
    await poll()
    rows = [r for r in await admin.call("GET", f"{API}/transactions") if r["device_id"] == MACHINE]
    machine = (await listed(admin))[MACHINE]
    assert machine["sales"] == 2
    (total,), (month,) = machine["totals"], machine["month"]
    assert (total["currency"], total["fiat"]) == ("GTQ", "300.00")
    assert total["sats"] == sum(row["crypto_amount_sats"] for row in rows)
    assert total["commission_sats"] == sum(row["commission_amount_sats"] for row in rows)
    assert (month["sales"], month["fiat"]) == (1, "200.00")
    assert machine["first_sale"] == min(row["transaction_time"] for row in rows)
    assert machine["last_sale"] == max(row["transaction_time"] for row in rows)


# ---- the cash book ---------------------------------------------------------------------------


async def count(admin: Account, body: dict[str, Any], device: str = MACHINE) -> Any:
    return await admin.call("POST", f"{API}/machines/{device}/counts", body)


async def test_the_cash_book_sets_what_is_owed_beside_what_is_there(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    await configure()
    await make_client(deposits={"GTQ": "370000.00", "USD": "10.00"})
    await lamassu.insert(Sale(created=now(), fiat=Decimal(200)))
    await poll()
    book = {page["currency"]: page for page in await admin.call("GET", f"{API}/cash")}
    page = book["GTQ"]
    assert (page["owed"], page["in_machines"]) == ("369800.00", "185000.00")
    assert (page["difference"], page["covered"]) == ("-184800.00", "50.0")
    assert page["counted"] is None
    assert page["as_of"] is not None
    assert (page["per_day"], page["days_left"]) == ("200.00", 1849)
    assert (book["USD"]["covered"], book["USD"]["in_machines"]) == (None, None)
    counted = await count(admin, {"amount": "1000.50", "currency": "GTQ", "notes": "Sunday"})
    assert (counted["amount"], counted["notes"]) == ("1000.50", "Sunday")
    await count(admin, {"amount": "0", "currency": "GTQ"})
    page = {p["currency"]: p for p in await admin.call("GET", f"{API}/cash")}["GTQ"]
    assert page["counted"] == "0.00"
    (machine,) = page["machines"]
    assert (machine["counted"], machine["in_machine"], machine["difference"]) == (
        "0.00",
        "185000.00",
        "0.00",
    )
    assert "cash counted" in [e["action"] for e in await admin.call("GET", f"{API}/audit")]


BAD_COUNTS: list[tuple[str, dict[str, Any]]] = [
    ("currency", {"currency": "USD"}),
    ("currency", {"currency": "QQQ"}),
    ("amount", {"amount": "-1"}),
    ("amount", {"amount": "1.005"}),
    ("amount", {"amount": "NaN"}),
    ("amount", {"amount": True}),
    ("notes", {"notes": "x" * 1001}),
]


async def test_a_count_that_is_none_is_refused(
    admin: Account,
    configured: Setup,
    lamassu: LamassuDatabase,
    poll: Poll,
    subtests: pytest.Subtests,
) -> None:
    await lamassu.insert(Sale(created=now()))
    await poll()
    for field, change in BAD_COUNTS:
        with subtests.test(field=field, change=change):
            body = {"amount": "1.00", "currency": "GTQ", **change}
            with pytest.raises(LnbitsError, match=rf"400.*{field}:"):
                await count(admin, body)


async def test_a_count_in_a_machine_that_nobody_knows_is_refused(
    admin: Account, configured: Setup
) -> None:
    with pytest.raises(LnbitsError, match="404"):
        await count(admin, {"amount": "1", "currency": "GTQ"}, "nobody")

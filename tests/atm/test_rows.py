"""What becomes of each row: good, for a person to look at, or left alone for now."""

import tracemalloc
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from time import monotonic
from typing import Any

import asyncpg
import pytest
from satmachineclient.atm import lamassu as atm
from satmachineclient.atm import postgres
from satmachineclient.atm.way import LamassuError

from demo.catalogue import real_input
from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account
from demo.sales import Sale
from tests.lamassu_rig import now, read, read_sales, target_at
from tests.rig import API, Configure, MakeClient, Poll

REASONS = {
    "cancelled": "Operator cancel",
    "partial dispense": "Jam in cassette 2",
    "short count": "not all of the cash came out",
    "out of bills": "no cash came out",
}
LATER = {
    "never collected": "never collected the cash",
    "machine died": "never reported whether the cash came out",
}


_NUMBERS = (
    "crypto_atoms fiat commission_percentage raw_ticker_price fixed_fee discount "
    "received_crypto_atoms"
).split()
_NULLABLE = "crypto_atoms fiat fiat_code dispense created fixed_fee device_id".split()


@pytest.fixture(scope="module")
async def _lawless(_lamassu_databases: dict[bool, LamassuDatabase]) -> LamassuDatabase:
    like = _lamassu_databases[True]
    database = await LamassuDatabase.create(like.postgres, "lawless", like.reader_password)
    owner = await database.connect()
    changes = [
        "DROP CONSTRAINT cash_out_txs_pkey",
        *(f"ALTER COLUMN {name} TYPE numeric" for name in _NUMBERS),
        *(f"ALTER COLUMN {name} DROP NOT NULL" for name in _NULLABLE),
    ]
    await owner.execute(f"ALTER TABLE cash_out_txs {', '.join(changes)}")
    await owner.execute("ALTER TABLE cash_out_actions ALTER COLUMN created DROP NOT NULL")
    await owner.close()
    return database


@pytest.fixture
async def lawless(_lawless: LamassuDatabase) -> LamassuDatabase:
    """An empty Lamassu database in which anything can stand anywhere."""
    await _lawless.clear()
    return _lawless


@pytest.fixture
async def owner(lawless: LamassuDatabase) -> AsyncIterator[asyncpg.Connection]:
    connection = await lawless.connect()
    yield connection
    await connection.close()


async def insert_with(
    database: LamassuDatabase, owner: asyncpg.Connection, setting: str, **sale: Any
) -> Sale:
    """A good sale, then `UPDATE … SET setting`."""
    written = Sale(**{"created": now(), **sale})
    await database.insert(written)
    if setting:
        await owner.execute(f"UPDATE cash_out_txs SET {setting} WHERE id = $1", written.id)  # noqa: S608
    return written


# ---- the kinds that occur --------------------------------------------------------------------


@pytest.mark.parametrize("fixed_fee", [True, False], ids=["with fee", "before 10.2"])
async def test_every_kind_of_real_row_is_told_apart(
    lamassu: LamassuDatabase, lamassu_no_fee: LamassuDatabase, fixed_fee: bool
) -> None:
    database = lamassu if fixed_fee else lamassu_no_fee
    sales = real_input(now(), fixed_fee=fixed_fee)
    await database.insert(*sales)

    seen = await read(target_at(database))

    for sale in sales:
        row = seen.get(str(sale.id))
        if sale.good:
            assert row and (row.state, row.reason) == ("good", None), sale.name
            assert (row.crypto_sats, row.fiat, row.fiat_code) == (
                sale.atoms,
                int(sale.fiat * 100),
                sale.fiat_code,
            )
            assert row.commission == sale.commission_percentage
            assert row.discount == Decimal(sale.discount or 0)
            assert row.fixed_fee == (sale.fixed_fee if fixed_fee else None)
            assert row.time == sale.dispensed_at
        elif sale.name in REASONS:
            assert row and row.state == "review", sale.name
            assert REASONS[sale.name] in (row.reason or "")
        elif sale.name in LATER:
            assert row and (row.state, row.reason) == ("waiting", None), sale.name
        else:
            assert row is None, sale.name


async def test_a_row_that_stays_open_is_shown_to_a_person_in_the_end(
    lamassu: LamassuDatabase,
) -> None:
    sales = [s for s in real_input(now() - timedelta(hours=25)) if s.name in LATER]
    await lamassu.insert(*sales)
    seen = await read(target_at(lamassu))
    for sale in sales:
        row = seen[str(sale.id)]
        assert row.state == "review" and LATER[sale.name] in (row.reason or "")


async def test_a_partial_dispense_shows_the_notes_that_were_planned_and_came_out(
    lamassu: LamassuDatabase,
) -> None:
    await lamassu.insert(Sale(created=now(), cash="partial"))
    (row,) = (await read(target_at(lamassu))).values()
    told = row.facts["actions"][-1]
    assert (told["action"], told["error"]) == ("dispenseError", "Jam in cassette 2")
    assert (told["provisioned_1"], told["dispensed_1"]) == (1, 0)


async def test_the_time_is_when_the_cash_went_out(lamassu: LamassuDatabase) -> None:
    created = now() - timedelta(hours=5)
    late = Sale(created=created, confirmed_at=created + timedelta(hours=3))
    late = replace(late, cash_at=created + timedelta(hours=4))
    instant = Sale(created=created, status="instant")
    silent = Sale(created=created, status="instant", columns={"confirmed_at": None})
    await lamassu.insert(late, instant, silent)
    connection = await lamassu.connect()
    await connection.execute("DELETE FROM cash_out_actions WHERE tx_id = $1", silent.id)
    await connection.close()
    seen = await read(target_at(lamassu))
    assert seen[str(late.id)].time == late.cash_at
    assert seen[str(instant.id)].time == instant.dispensed_at
    assert seen[str(silent.id)].time == created
    assert {row.state for row in seen.values()} == {"good"}


# ---- odd rows --------------------------------------------------------------------------------

_TOO_FAR = "now() + interval '2 hours'"
ODD = {
    "crypto_atoms = NULL": "crypto_atoms is NULL",
    "crypto_atoms = 'NaN'": "crypto_atoms is NaN",
    "crypto_atoms = 'Infinity'": "crypto_atoms is Infinity",
    "crypto_atoms = -266800": "crypto_atoms is -266800",
    "crypto_atoms = 0": "crypto_atoms is 0",
    "crypto_atoms = 266800.5": "crypto_atoms is 266800.5",
    "crypto_atoms = 10::numeric ^ 30": "crypto_atoms is 1000",
    "crypto_atoms = 10::numeric ^ 120000": "crypto_atoms is 1000",
    "received_crypto_atoms = 1000": "only 1000 of its",
    "fiat = NULL": "fiat NULL is not a positive number",
    "fiat = 'NaN'": "fiat NaN is not a positive number",
    "fiat = '-Infinity'": "fiat -Infinity is not a positive number",
    "fiat = -200": "fiat -200 is not a positive number",
    "fiat = 10::numeric ^ 40": "is too large",
    "fiat = 200.005": "more than the 2 decimals of GTQ",
    "fiat_code = 'JPY', fiat = 200.5": "more than the 0 decimals of JPY",
    "fiat_code = NULL": "fiat_code: 'None' is not a known",
    "fiat_code = 'gtq'": "fiat_code: 'gtq' is not a known",
    "crypto_atoms = 5e9, received_crypto_atoms = NULL": "do not fit its own raw_ticker_price",
    "fiat = 100": "do not fit its own raw_ticker_price",
    "raw_ticker_price = 0": "do not fit its own raw_ticker_price of 0",
    "raw_ticker_price = 1": "do not fit its own raw_ticker_price of 1",
    "fiat_code = repeat('<b>', 4000)": "fiat_code: '<b><b><b><' is not a known",
    "commission_percentage = NULL": "commission_percentage is not known",
    "commission_percentage = 'NaN'": "commission_percentage is not known",
    "commission_percentage = 'Infinity'": "commission_percentage is not known",
    "commission_percentage = 1": "100 % or more",
    "commission_percentage = 5.5": "100 % or more",
    "discount = -1": "discount is -1",
    "discount = 101": "discount is 101",
    "discount = 'NaN'": "discount is NaN",
    "fixed_fee = NULL": "fixed_fee is NULL",
    "fixed_fee = 'NaN'": "fixed_fee is NaN",
    "fixed_fee = -2": "fixed_fee is -2",
    "created = NULL, confirmed_at = NULL": "its time is None",
    f"confirmed_at = {_TOO_FAR}": "its time is 20",
    "confirmed_at = 'infinity'": "its time is 3000",
    "confirmed_at = '40000-01-01'": "its time is 3000",
    "created = '-infinity', confirmed_at = NULL": None,  # out of every window, as a true old one
    "error = repeat('<script>', 2000)": "Lamassu reports an error: <script><script>",
    "error = E'a\\x01\\x1b[31m\\u202e'": "reports an error: a\x01\x1b[31m\u202e",
    "error = ''": "Lamassu reports an error",
    "dispense = NULL": None,  # not dispensed yet
    "dispense_confirmed = NULL": "did not confirm that the cash came out",
}
HARMLESS = (
    "device_id = repeat('<img src=x onerror=alert(1)>', 400)",
    "device_id = E'\\x01\\x1b[31m\\u202e'",
    "device_id = NULL",
    "raw_ticker_price = 'NaN'",
    "raw_ticker_price = NULL",
    "received_crypto_atoms = NULL",
    "error_code = repeat('x', 10000)",
    "discount = NULL",
)


@pytest.mark.storage
async def test_odd_rows_wait_for_a_person_and_never_stop_the_good_ones(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    poll: Poll,
    lawless: LamassuDatabase,
    owner: asyncpg.Connection,
) -> None:
    await configure(lawless)
    client = await make_client(deposits={"GTQ": "100000.00"})
    odd = {}
    for setting, reason in ODD.items():
        sale = await insert_with(lawless, owner, setting)
        if "_at =" in setting or "created =" in setting:  # else the dispense gives the time
            await owner.execute("DELETE FROM cash_out_actions WHERE tx_id = $1", sale.id)
        odd[str(sale.id)] = (setting, reason)
    good = [await insert_with(lawless, owner, setting) for setting in ("", *HARMLESS)]
    await owner.execute(  # one that is there twice
        "INSERT INTO cash_out_txs SELECT * FROM cash_out_txs WHERE id = $1", good[0].id
    )

    result = await poll()

    assert result["success"], result
    assert result["planned"] == result["confirmed_payments"] == len(good)
    assert result["reviews"] == sum(1 for _, reason in odd.values() if reason)
    stored = {
        row["lamassu_transaction_id"]: row for row in await admin.call("GET", f"{API}/transactions")
    }
    for key, (setting, reason) in odd.items():
        row = stored.get(key)
        assert (row is None) == (reason is None), setting
        if row and reason:
            assert row["status"] == "needs_review", setting
            assert reason in row["review_reason"], (setting, row["review_reason"])
            assert row["distributed_sats"] == row["clients_count"] == 0
            assert row["crypto_amount_sats"] == row["undistributed_sats"] >= 0
            assert len(str(row)) < 20_000, setting
    assert {stored[str(sale.id)]["status"] for sale in good} == {"settled"}
    paid = sum(stored[str(sale.id)]["distributed_sats"] for sale in good)
    assert await client.owner.balance(client.wallet) == result["distributed_sats"] == paid
    html = stored[str(good[1].id)]["device_id"]
    assert html.startswith("<img src=x onerror=alert(1)>") and len(html) == 200

    again = await poll()

    assert (again["success"], again["planned"], again["reviews"]) == (True, 0, 0)
    assert await client.owner.balance(client.wallet) == paid


@pytest.mark.parametrize("created", ["'infinity'", "'2011-11-11'", "NULL", "'-infinity'"])
async def test_an_odd_action_does_not_stop_the_reading(
    lawless: LamassuDatabase, owner: asyncpg.Connection, created: str
) -> None:
    sale = await insert_with(lawless, owner, "")
    await owner.execute(
        f"UPDATE cash_out_actions SET created = {created}, error = repeat('x', 9999)"  # noqa: S608
    )
    (row,) = (await read(target_at(lawless))).values()
    assert row.id == str(sale.id)
    assert len(str(row.facts)) < 10_000
    if created == "'infinity'":
        assert row.state == "review" and "its time is 3000" in (row.reason or "")


# ---- from poll to poll -----------------------------------------------------------------------


async def test_a_sale_from_before_the_last_poll_that_is_confirmed_after_it_is_found(
    configure: Configure, make_client: MakeClient, poll: Poll, lamassu: LamassuDatabase
) -> None:
    await configure()
    await make_client(deposits={"GTQ": "1000.00"})
    sale = Sale(
        created=now() - timedelta(hours=20), crypto_code="BTC", status="authorized", cash_at=now()
    )
    await lamassu.insert(sale)
    first = await poll()
    assert (first["success"], first["found"], first["planned"]) == (True, 0, 0)

    await lamassu.insert(replace(sale, status="confirmed", confirmed_at=now()))
    second = await poll()

    assert (second["found"], second["planned"], second["confirmed_payments"]) == (1, 1, 1)


async def test_a_dispense_that_is_reported_a_day_late_is_planned_once(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    poll: Poll,
    lamassu: LamassuDatabase,
) -> None:
    await configure()
    client = await make_client(deposits={"GTQ": "1000.00"})
    sale = Sale(created=now() - timedelta(days=1), cash="machine_died")
    await lamassu.insert(sale)
    first = await poll()
    assert (first["planned"], first["reviews"]) == (0, 1)

    await lamassu.insert(replace(sale, cash="dispensed", cash_at=now()))
    results = [await poll() for _ in range(3)]

    assert [r["planned"] for r in results] == [1, 0, 0]
    (row,) = await admin.call("GET", f"{API}/transactions")
    assert row["status"] == "settled"
    assert await client.owner.balance(client.wallet) == row["distributed_sats"] > 0


# ---- many rows -------------------------------------------------------------------------------

MANY = 200_000


@pytest.fixture(scope="module")
async def crowded(_lamassu_databases: dict[bool, LamassuDatabase]) -> LamassuDatabase:
    """50 sales of today, and many from three months ago, one a second."""
    like = _lamassu_databases[True]
    database = await LamassuDatabase.create(like.postgres, "crowded", like.reader_password)
    new = [Sale(created=now()) for _ in range(50)]
    await database.insert(*new)
    owner = await database.connect()
    columns = [
        row["column_name"]
        for row in await owner.fetch(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'cash_out_txs'"
        )
    ]
    changed = {
        "id": "gen_random_uuid()",
        "created": "now() - interval '90 days' + n * interval '1 s'",
    }
    changed["confirmed_at"] = changed["created"]
    values = ", ".join(changed.get(name, name) for name in columns)
    await owner.execute(
        f"INSERT INTO cash_out_txs ({', '.join(columns)}) "  # noqa: S608
        f"SELECT {values} FROM cash_out_txs, generate_series(1, {MANY}) n WHERE id = $1",
        new[0].id,
    )
    await owner.close()
    return database


async def test_a_few_new_sales_among_200_000_are_read_in_one_query(
    crowded: LamassuDatabase,
) -> None:
    queries = []
    start = monotonic()
    async with postgres.connect(target_at(crowded)) as session:
        session.add_query_logger(lambda record: queries.append(record.query))
        found, sales = await read_sales(session, now() - timedelta(days=7))
    took = monotonic() - start
    assert found == len(sales) == 50
    for table in ("cash_out_txs", "cash_out_actions"):
        assert sum(1 for query in queries if f"FROM public.{table}" in query) == 1
    print(f"50 of {MANY} sales read in {took * 1000:.0f} ms")
    assert took < 5


async def test_more_rows_than_can_be_worth_reading_are_a_clear_error(
    crowded: LamassuDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atm, "MAX_ROWS", 1000)
    tracemalloc.start()
    start = monotonic()
    with pytest.raises(LamassuError) as caught:
        await read(target_at(crowded), days=100)
    took = monotonic() - start
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.step == "rows"
    assert "More than 1000 rows" in str(caught.value) and "look_back_days" in str(caught.value)
    assert peak < 20_000_000
    assert took < 5


async def test_a_poll_of_too_many_rows_fails_and_plans_nothing(
    admin: Account,
    configure: Configure,
    poll: Poll,
    lamassu: LamassuDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await configure()
    monkeypatch.setattr("satmachineclient.atm.lamassu.MAX_ROWS", 10)
    await lamassu.insert(*(Sale(created=now()) for _ in range(11)))
    result = await poll()
    assert (result["success"], result["planned"]) == (False, 0)
    assert "More than 10 rows" in result["error"]
    assert await admin.call("GET", f"{API}/transactions") == []

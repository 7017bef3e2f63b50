"""Cash-ins as a source: customers who buy bitcoin, for whom the operator has bought before."""

import csv
import io
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from satmachineclient.atm import check as lamassu_check
from satmachineclient.atm import lamassu as atm
from satmachineclient.atm import postgres
from satmachineclient.atm.way import LamassuError
from satmachineclient.models_config import SourceDirection
from satmachineclient.models_sales import Found, SaleKey

from demo.cash_in import CashIn, cash_in_kinds
from demo.lamassu_db import READER, LamassuDatabase, role_sql
from demo.lnbits_api import Account
from demo.sales import Sale
from demo.ssh_server import SshServer
from tests.lamassu_rig import now, read, read_sales, target_at
from tests.rig import API, Configure, MakeClient, Poll

FEW = timedelta(seconds=5)
OPERATING = Path(__file__).parents[2] / "docs" / "operating.md"
REASONS = {
    "a fee at an unknown price": "there is a cash_in_fee of 10.00000, but raw_ticker_price is not",
    "unknown commission": "commission_percentage is not known",
}


async def rows_of(admin: Account, query: str = "") -> dict[str, dict[str, Any]]:
    """The stored transactions by Lamassu's id, those of this page where there is a query."""
    answer = await admin.call("GET", f"{API}/transactions{query}")
    rows = answer["data"] if query else answer
    return {row["lamassu_transaction_id"]: row for row in rows}


async def distributions(admin: Account, row: dict[str, Any]) -> list[dict[str, Any]]:
    shares: list[dict[str, Any]] = await admin.call(
        "GET", f"{API}/transactions/{row['id']}/distributions"
    )
    return shares


def expected_commission(sold: CashIn) -> int:
    """By lamassu.md's identity, in decimals: what was sent × e, and the fee at the market."""
    rate = (sold.commission_percentage or Decimal(0)) * (100 - (sold.discount or 0)) / 100
    fee = sold.cash_in_fee / sold.raw_ticker_price * 10**8 if sold.raw_ticker_price else Decimal(0)
    return round(sold.atoms * rate + fee)


# ---- from the machine to the wallets ---------------------------------------------------------


@pytest.mark.storage
async def test_the_readmes_example(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    """The customer's price is the clients' price; the commission goes to its wallet."""
    setup = await configure(direction="cash_in", credit_source_wallet=True)
    one = await make_client("one", {"GTQ": "1000.00"})
    two = await make_client("two", {"GTQ": "3000.00"})
    bought = CashIn(
        created=now(),
        notes=(200, 200, 100),
        raw_ticker_price=Decimal("750000.00000"),
        commission_percentage=Decimal("0.05000"),
        cash_in_fee=Decimal("10.00000"),
    )
    await lamassu.insert(bought, Sale(created=now()))

    result = await poll()

    assert (result["success"], result["found"], result["planned"]) == (True, 1, 1), result
    ((key, row),) = (await rows_of(admin)).items()
    assert (key, row["direction"], row["status"]) == (str(bought.id), "cash_in", "settled")
    assert (row["fiat_amount"], row["fixed_fee"]) == ("500.00", "10.00000")
    assert (row["base_amount_sats"], row["commission_amount_sats"]) == (62_200, 4_443)
    assert (row["crypto_amount_sats"], row["undistributed_sats"]) == (66_643, 0)
    assert (row["exchange_rate"], row["credit_status"]) == ("803858.52", "none")
    shares = await distributions(admin, row)
    assert {s["username"]: (s["amount_sats"], s["amount_fiat"]) for s in shares} == {
        "one": (15_550, "125.00"),
        "two": (46_650, "375.00"),
    }
    assert {s["direction"] for s in shares} == {"cash_in"}
    assert await one.owner.balance(one.wallet) == 15_550
    assert await two.owner.balance(two.wallet) == 46_650
    assert await admin.balance(setup.commission) == 4_443
    assert await admin.balance(setup.source) == 10_000_000 - 66_643  # not credited
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]
    section = OPERATING.read_text().split("## Cash-in as a source")[1].split("\n## ")[0]
    figures = set(re.findall(r"\d[\d,.]*\d", section))
    assert {"500.00", "750,000", "62,200", "4,443", "66,643", "15,550", "46,650"} <= figures
    assert {"125.00", "375.00", "803,858.52"} <= figures


@pytest.mark.storage
@pytest.mark.parametrize("direction", ["cash_out", "cash_in", "both"])
async def test_every_kind_of_row_is_told_apart(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
    direction: str,
) -> None:
    setup = await configure(direction=direction, commission_method="margin")
    await make_client("ana", {"GTQ": "50000.00", "USD": "1000.00"})
    kinds = cash_in_kinds(now())
    sales = [Sale(created=now()), Sale(created=now(), cash="partial")]
    await lamassu.insert(*kinds, *sales)

    result = await poll()

    assert result["success"], result
    good = [kind for kind in kinds if kind.good and direction != "cash_out"]
    outs = 0 if direction == "cash_in" else 1
    assert result["planned"] == len(good) + outs
    assert result["reviews"] == (len(REASONS) if direction != "cash_out" else 0) + outs
    stored = await rows_of(admin)
    for kind in kinds:
        row = stored.pop(str(kind.id), None)
        if kind in good:
            assert row is not None and row["status"] == "settled", kind.name
            commission = expected_commission(kind)
            assert (row["direction"], row["device_id"]) == ("cash_in", kind.device_id)
            assert row["base_amount_sats"] == kind.atoms == row["distributed_sats"], kind.name
            assert row["commission_amount_sats"] == commission, kind.name
            assert row["crypto_amount_sats"] == kind.atoms + commission
            assert Decimal(row["fiat_amount"]) == kind.fiat
            assert datetime.fromisoformat(row["transaction_time"]) == kind.sent_at
            assert row["commission_method"] == "margin"  # as configured; it had no influence
        elif kind.name in REASONS and direction != "cash_out":
            assert row is not None and row["status"] == "needs_review", kind.name
            assert REASONS[kind.name] in row["review_reason"]
            assert row["crypto_amount_sats"] == kind.atoms == row["undistributed_sats"]
        else:
            assert row is None, kind.name
    assert {row["direction"] for row in stored.values()} == ({"cash_out"} if outs else set())
    paid = sum(expected_commission(kind) for kind in good)
    paid += sum(row["commission_amount_sats"] for row in stored.values())
    assert await admin.balance(setup.commission) == paid
    again = await poll()
    assert (again["planned"], again["reviews"], again["confirmed_payments"]) == (0, 0, 0)


@pytest.mark.storage
async def test_both_directions_are_shared_out_in_order_of_time_and_only_cash_outs_are_credited(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    setup = await configure(direction="both", credit_source_wallet=True, balance_sats=500_000)
    client = await make_client(deposits={"GTQ": "500.00"})
    start = now()
    bought = [
        CashIn(created=start, send_time=start + n * FEW, notes=(200,), name=f"in {n}")
        for n in (1, 3, 5)
    ]
    sold = [Sale(created=start, cash_at=start + n * FEW, name=f"out {n}") for n in (2, 4)]
    await lamassu.insert(*reversed(bought), *reversed(sold))

    result = await poll()

    assert (result["found"], result["planned"]) == (5, 5), result
    stored = await rows_of(admin)
    everything: list[CashIn | Sale] = [*bought, *sold]
    taken = {
        sale.name: Decimal(sale.fiat) - Decimal(stored[str(sale.id)]["undistributed_fiat"])
        for sale in everything
    }
    assert taken == {"in 1": 200, "out 2": 200, "in 3": 100, "out 4": 0, "in 5": 0}
    assert {row["status"] for row in stored.values()} == {"settled"}
    assert {stored[str(s.id)]["credit_status"] for s in sold} == {"confirmed"}
    assert {stored[str(s.id)]["credit_status"] for s in bought} == {"none"}
    credited = sum(sale.atoms for sale in sold)
    shares = sum(row["distributed_sats"] for row in stored.values())
    commissions = sum(row["commission_amount_sats"] for row in stored.values())
    assert await client.owner.balance(client.wallet) == shares
    assert await admin.balance(setup.commission) == commissions
    assert await admin.balance(setup.source) == 500_000 + credited - shares - commissions
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]


async def test_without_sats_in_the_source_wallet_a_cash_in_waits(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    setup = await configure(direction="cash_in", credit_source_wallet=True, balance_sats=0)
    client = await make_client(deposits={"GTQ": "500.00"})
    bought = CashIn(created=now())
    await lamassu.insert(bought)
    result = await poll()
    assert (result["planned"], result["pending_payments"]) == (1, 1)
    (share,) = await distributions(admin, (await rows_of(admin))[str(bought.id)])
    assert "short of" in share["error"]
    await admin.top_up(setup.source, 1_000_000)
    assert (await poll())["confirmed_payments"] == 1
    assert await client.owner.balance(client.wallet) == bought.atoms


async def test_a_direction_that_is_added_reaches_back_over_the_window(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    setup = await configure()
    await make_client(deposits={"GTQ": "500.00"})
    bought = CashIn(created=now())
    old = CashIn(created=now() - timedelta(days=30))
    sent_late = CashIn(created=now() - timedelta(days=30), send_time=now())
    await lamassu.insert(bought, old, sent_late)
    assert (await poll())["found"] == 0
    body = {**setup.body, "direction": "both"}
    saved = await admin.call("POST", f"{API}/config", body)
    assert saved["direction"] == "both"
    assert (await poll())["planned"] == 2
    assert set(await rows_of(admin)) == {str(bought.id), str(sent_late.id)}
    await admin.call("POST", f"{API}/config", {**setup.body, "direction": "cash_out"})
    assert (await poll())["found"] == 0  # what was shared out stays
    assert len(await rows_of(admin)) == 2


# ---- what a person decides -------------------------------------------------------------------


@pytest.mark.storage
async def test_a_ceiling_counts_the_commission_and_a_person_may_distribute(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    bought = CashIn(created=now(), cash_in_fee=Decimal(10), name="in")
    total = bought.atoms + expected_commission(bought)
    setup = await configure(direction="both", max_sats_per_transaction=total - 1)
    client = await make_client(deposits={"GTQ": "500.00"})
    await lamassu.insert(bought)
    assert (await poll())["reviews"] == 1
    row = (await rows_of(admin))[str(bought.id)]
    assert "Above the ceiling" in row["review_reason"]
    assert (row["crypto_amount_sats"], row["commission_amount_sats"]) == (bought.atoms, 0)

    part = await admin.post(f"{API}/transactions/{row['id']}/distribute", json={"fiat_amount": "5"})
    assert part.status_code == 409
    assert part.json()["detail"].startswith("fiat_amount: leave it out")
    assert (await rows_of(admin))[str(bought.id)] == row

    path = f"{API}/transactions/{row['id']}/distribute"
    done = await admin.call("POST", path, {"notes": "looked at"})
    assert (done["status"], done["direction"]) == ("settled", "cash_in")
    assert (done["crypto_amount_sats"], done["base_amount_sats"]) == (total, bought.atoms)
    assert (done["credit_status"], done["review_notes"]) == ("none", "looked at")
    assert await client.owner.balance(client.wallet) == bought.atoms
    assert await admin.balance(setup.commission) == total - bought.atoms
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]


async def test_what_cannot_be_computed_can_only_be_dismissed(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    await configure(direction="cash_in")
    await make_client(deposits={"GTQ": "500.00"})
    bad = [kind for kind in cash_in_kinds(now()) if kind.name in REASONS]
    await lamassu.insert(*bad)
    assert (await poll())["reviews"] == len(bad) == 2
    for row in (await rows_of(admin)).values():
        path = f"{API}/transactions/{row['id']}"
        refused = await admin.post(f"{path}/distribute", json={})
        assert refused.status_code == 409
        assert "It cannot be distributed: " in refused.json()["detail"]
        done = await admin.call("POST", f"{path}/dismiss", {"notes": "settled by hand"})
        assert (done["status"], done["distributed_sats"]) == ("dismissed", 0)


async def test_a_reviewed_cash_in_never_becomes_good_by_itself(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    """Not by a change of its own row, and not by a cash-out with the same id."""
    await configure(direction="both")
    await make_client(deposits={"GTQ": "500.00"})
    bad = next(kind for kind in cash_in_kinds(now()) if kind.name in REASONS)
    await lamassu.insert(bad)
    await poll()
    mended = replace(bad, raw_ticker_price=Decimal(750_000))
    await lamassu.insert(mended, Sale(created=now(), id=bad.id))
    result = await poll()
    assert (result["success"], result["planned"]) == (True, 0), result
    rows = await rows_of(admin)
    assert {row["status"] for row in rows.values()} == {"needs_review"}
    assert rows.pop(str(bad.id))["direction"] == "cash_in"
    assert [row["direction"] for row in rows.values()] == ["cash_out"]  # another sale, that waits


async def test_an_id_in_both_tables_is_planned_once(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    await configure(direction="both")
    await make_client(deposits={"GTQ": "5000.00"})
    sold = Sale(created=now(), cash="partial")
    other = Sale(created=now())
    await lamassu.insert(sold, CashIn(created=now(), id=sold.id))
    await lamassu.insert(other, CashIn(created=now(), id=other.id))
    results = [await poll() for _ in range(2)]
    assert [(r["success"], r["planned"], r["reviews"]) for r in results] == [
        (True, 1, 1),
        (True, 0, 2),
    ]
    rows = await rows_of(admin)
    waiting = [row["direction"] for row in rows.values() if row["status"] == "needs_review"]
    assert sorted(waiting) == ["cash_in", "cash_in", "cash_out"]
    assert rows[str(sold.id)]["status"] == "needs_review"


# ---- odd rows --------------------------------------------------------------------------------

_TOO_FAR = "now() + interval '2 hours'"
ODD = {
    "crypto_atoms = NULL": "crypto_atoms is NULL",
    "crypto_atoms = 'NaN'": "crypto_atoms is NaN",
    "crypto_atoms = -5": "crypto_atoms is -5",
    "crypto_atoms = 1000.5": "crypto_atoms is 1000.5",
    "crypto_atoms = 10::numeric ^ 30": "crypto_atoms is 1000",
    "crypto_atoms = 2100000000000000": "do not fit its own raw_ticker_price",
    "crypto_atoms = 2100000000000000, raw_ticker_price = NULL": "No sale of a machine is worth",
    "cash_in_fee = 9, raw_ticker_price = 0.00000001": "do not fit its own raw_ticker_price",
    "fiat = NULL": "fiat NULL is not a positive number",
    "fiat = -200": "fiat -200 is not a positive number",
    "fiat = 200.005": "more than the 2 decimals of GTQ",
    "fiat_code = 'gtq'": "fiat_code: 'gtq' is not a known",
    "commission_percentage = 'NaN'": "commission_percentage is not known",
    "commission_percentage = 1": "100 % or more",
    "discount = 101": "discount is 101",
    "cash_in_fee = NULL": "cash_in_fee is NULL",
    "cash_in_fee = 'NaN'": "cash_in_fee is NaN",
    "cash_in_fee = -1": "cash_in_fee is -1",
    "cash_in_fee = 200": "cash_in_fee is 200, all of its 200 GTQ or more",
    "cash_in_fee = 5, raw_ticker_price = 0": "do not fit its own raw_ticker_price of 0",
    "cash_in_fee = 5, raw_ticker_price = -1": "do not fit its own raw_ticker_price of -1",
    "cash_in_fee = 5, raw_ticker_price = NULL": "but raw_ticker_price is not known",
    "cash_in_fee = 5, raw_ticker_price = 'NaN'": "but raw_ticker_price is not known",
    f"send_time = {_TOO_FAR}": "its time is 20",
    "send_time = 'infinity'": "its time is 3000",
    "send_time = NULL, created = NULL": "its time is None",
    "error = ''": None,
    "error = 'Operator cancel', operator_completed = true": None,
    "operator_completed = true": None,
    "operator_completed = NULL": None,
    "send_confirmed = NULL": None,
    "fiat = 0": None,
    "crypto_atoms = 0": None,
    "crypto_code = 'ltc'": None,
}
HARMLESS = (
    "commission_percentage = -0.05",
    "raw_ticker_price = 'NaN'",
    "device_id = NULL",
    "device_id = repeat('<img src=x onerror=alert(1)>', 400)",
    "send_time = NULL",
)


@pytest.fixture(scope="module")
async def lawless(_lamassu_databases: dict[bool, LamassuDatabase]) -> LamassuDatabase:
    """A Lamassu database in which anything can stand anywhere in cash_in_txs."""
    like = _lamassu_databases[True]
    database = await LamassuDatabase.create(like.postgres, "lawless_in", like.reader_password)
    numbers = "crypto_atoms fiat commission_percentage raw_ticker_price discount cash_in_fee"
    nullable = (
        "crypto_atoms fiat created device_id cash_in_fee operator_completed send_confirmed".split()
    )
    changes = [
        *(f"ALTER COLUMN {name} TYPE numeric" for name in numbers.split()),
        *(f"ALTER COLUMN {name} DROP NOT NULL" for name in nullable),
    ]
    owner = await database.connect()
    await owner.execute(f"ALTER TABLE cash_in_txs {', '.join(changes)}")
    await owner.close()
    return database


async def insert_with(owner: asyncpg.Connection, database: LamassuDatabase, setting: str) -> CashIn:
    """A good cash-in, then `UPDATE … SET setting`."""
    written = CashIn(created=now())
    await database.insert(written)
    if setting:
        await owner.execute(f"UPDATE cash_in_txs SET {setting} WHERE id = $1", written.id)  # noqa: S608
    return written


@pytest.mark.storage
async def test_odd_rows_wait_for_a_person_and_never_stop_the_good_ones(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    poll: Poll,
    lawless: LamassuDatabase,
) -> None:
    setup = await configure(lawless, direction="cash_in")
    client = await make_client(deposits={"GTQ": "100000.00"})
    owner = await lawless.connect()
    odd = {
        str((await insert_with(owner, lawless, setting)).id): (setting, reason)
        for setting, reason in ODD.items()
    }
    good = [await insert_with(owner, lawless, setting) for setting in ("", *HARMLESS)]
    await owner.close()

    result = await poll()

    assert result["success"], result
    assert result["planned"] == len(good)
    assert result["reviews"] == sum(1 for _, reason in odd.values() if reason)
    stored = await rows_of(admin)
    for key, (setting, reason) in odd.items():
        row = stored.get(key)
        assert (row is None) == (reason is None), setting
        if row and reason:
            assert row["status"] == "needs_review", setting
            assert reason in row["review_reason"], (setting, row["review_reason"])
            assert row["distributed_sats"] == row["clients_count"] == 0
            assert len(str(row)) < 20_000, setting
    assert {stored[str(sold.id)]["status"] for sold in good} == {"settled"}
    assert stored[str(good[1].id)]["commission_amount_sats"] == 0  # a negative commission
    assert await client.owner.balance(client.wallet) == sum(sold.atoms for sold in good)
    commission = sum(row["commission_amount_sats"] for row in stored.values())
    assert await admin.balance(setup.commission) == commission


# ---- rights ----------------------------------------------------------------------------------


@asynccontextmanager
async def without(database: LamassuDatabase, what: str) -> AsyncIterator[None]:
    """The reader may not `SELECT` this while it lasts."""
    owner = await database.connect()
    try:
        await owner.execute(f"REVOKE SELECT {what} FROM {READER}")  # noqa: S608
        yield
    finally:
        await owner.execute(role_sql())
        await owner.close()


async def failure(database: LamassuDatabase, direction: SourceDirection) -> LamassuError:
    with pytest.raises(LamassuError) as caught:
        await read(target_at(database), direction=direction)
    return caught.value


@pytest.mark.parametrize("column", ["id", "send_confirmed", "cash_in_fee"])
@pytest.mark.parametrize("direction", ["cash_in", "both"])
async def test_a_missing_right_names_its_column_and_table(
    lamassu: LamassuDatabase, column: str, direction: SourceDirection
) -> None:
    async with without(lamassu, f"({column}) ON cash_in_txs"):
        error = await failure(lamassu, direction)
        assert await read(target_at(lamassu)) == {}  # cash-outs alone do not need it
        shown = await lamassu_check.test_connection(target_at(lamassu), now(), "markup", direction)
    assert error.step == "table_rights"
    assert f"GRANT SELECT ({column}) ON cash_in_txs TO {READER};" in str(error)
    assert (shown.success, shown.message) == (False, str(error))


async def test_cash_ins_alone_need_no_right_to_cash_outs(
    lamassu: LamassuDatabase, ssh_server: SshServer
) -> None:
    bought = CashIn(created=now())
    await lamassu.insert(bought, Sale(created=now()))
    target, since = target_at(lamassu, ssh_server), now() - timedelta(days=7)
    async with without(lamassu, "ON cash_out_txs, cash_out_actions"):
        seen = await read(target, direction="cash_in", needs_fixed_fee=True)
        shown = await lamassu_check.test_connection(target, since, "margin", "cash_in")
        assert (await failure(lamassu, "both")).step == "table_rights"
    (sale,) = seen.values()
    assert (sale.id, sale.direction, sale.state) == (str(bought.id), "cash_in", "good")
    assert shown.success, shown
    said = {step.name: step.detail for step in shown.steps}
    assert said["table_rights"].startswith("cash_in_txs can be read.")
    assert said["rows"].startswith("1 cash-ins that were sent since ")
    assert "Of a cash-in the commission is what the machine charged" in said["commission_method"]


async def test_a_hidden_price_is_told_and_only_a_fee_needs_it(lamassu: LamassuDatabase) -> None:
    plain = CashIn(created=now())
    charged = CashIn(created=now(), cash_in_fee=Decimal(10))
    await lamassu.insert(plain, charged, Sale(created=now()))
    async with without(lamassu, "(raw_ticker_price) ON cash_in_txs"):
        seen = await read(target_at(lamassu), direction="both")
        shown = await lamassu_check.test_connection(target_at(lamassu), now(), "markup", "both")
    assert len(seen) == 3
    assert seen[str(charged.id)].ticker_price is None
    assert shown.success
    rights = next(step.detail for step in shown.steps if step.name == "table_rights")
    assert f"GRANT SELECT (raw_ticker_price) ON cash_in_txs TO {READER};" in rights


async def test_a_database_without_cash_ins_is_said_to_be_none(lamassu: LamassuDatabase) -> None:
    owner = await lamassu.connect()
    try:
        await owner.execute("ALTER TABLE cash_in_txs RENAME TO something_else")
        error = await failure(lamassu, "both")
        assert await read(target_at(lamassu)) == {}
    finally:
        await owner.execute("ALTER TABLE something_else RENAME TO cash_in_txs")
        await owner.close()
    assert "There is no table cash_in_txs" in str(error)


async def test_the_most_rows_are_counted_over_both_tables(
    lamassu: LamassuDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atm, "MAX_ROWS", 10)
    await lamassu.insert(*(Sale(created=now()) for _ in range(5)))
    await lamassu.insert(*(CashIn(created=now()) for _ in range(5)))
    assert len(await read(target_at(lamassu), direction="both")) == 10
    await lamassu.insert(CashIn(created=now()))
    error = await failure(lamassu, "both")
    assert (error.step, "More than 10 rows" in str(error)) == ("rows", True)
    assert len(await read(target_at(lamassu), direction="cash_in")) == 6


async def test_both_tables_are_read_in_one_query_each(lamassu: LamassuDatabase) -> None:
    await lamassu.insert(*(Sale(created=now()) for _ in range(3)))
    await lamassu.insert(*(CashIn(created=now()) for _ in range(3)))
    queries: list[str] = []

    async def known(rows: list[Found]) -> set[SaleKey]:
        assert len(rows) == 6
        return set()

    async with postgres.connect(target_at(lamassu)) as session:
        session.add_query_logger(lambda record: queries.append(record.query))
        found, sales = await read_sales(session, now() - timedelta(days=7), known, direction="both")
    assert found == len(sales) == 6
    for table in ("cash_out_txs", "cash_out_actions", "cash_in_txs"):
        assert sum(1 for query in queries if f"FROM public.{table}" in query) == 1


# ---- what is shown ---------------------------------------------------------------------------


@pytest.mark.storage
async def test_the_direction_is_filtered_sorted_by_and_exported(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    await configure(direction="both")
    client = await make_client(deposits={"GTQ": "5000.00"})
    await lamassu.insert(CashIn(created=now()), CashIn(created=now()), Sale(created=now()))
    await poll()
    page = "/paginated?direction[eq]="
    assert len(await rows_of(admin, f"{page}cash_in")) == 2
    assert len(await rows_of(admin, f"{page}cash_out")) == 1
    assert await rows_of(admin, f"{page}settle_out") == {}
    some = "/paginated?direction[in]=cash_in,settle_out"
    assert len(await rows_of(admin, some)) == 2
    for order in ("asc", "desc"):
        path = f"{API}/transactions/paginated?sortby=direction&direction={order}"
        data = (await admin.call("GET", path))["data"]
        directions = [row["direction"] for row in data]
        assert directions == sorted(directions, reverse=order == "desc")
    for path in ("/transactions/paginated?", "/export/transactions?format=csv&"):
        refused = await admin.get(f"{API}{path}direction=cash_in")
        assert refused.status_code == 400
        assert refused.json()["detail"].startswith("direction: ")

    for table, number in (("transactions", 2), ("transaction_distributions", 2)):
        text = (await admin.get(f"{API}/export/{table}?format=csv&direction[eq]=cash_in")).text
        rows = list(csv.DictReader(io.StringIO(text[1:], newline="")))
        assert [row["direction"] for row in rows] == ["cash_in"] * number
    paid = await admin.call("GET", f"{API}/payments/paginated?client_id={client.id}")
    assert sorted(p["direction"] for p in paid["data"]) == ["cash_in", "cash_in", "cash_out"]


async def test_test_transactions_are_cash_outs(
    admin: Account, configure: Configure, make_client: MakeClient
) -> None:
    await configure(direction="cash_in")
    await make_client(deposits={"GTQ": "5000.00"})
    sale = {"crypto_amount_sats": 100_000, "fiat_amount": "700", "fiat_code": "GTQ"}
    for dry_run in (True, False):
        body = {**sale, "commission_percentage": "0.05", "dry_run": dry_run}
        answer = await admin.call("POST", f"{API}/test-transaction", body)
        assert answer["transaction"]["direction"] == "cash_out"
        assert [share["direction"] for share in answer["distributions"]] == ["cash_out"]
        assert answer["transaction"]["base_amount_sats"] == 95_238

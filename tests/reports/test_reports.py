"""What the reports say of a ledger whose every number is known, and what the exports contain."""

import csv
import io
import json
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from satmachineclient.models_config import Poll as PollRow
from satmachineclient.reports import exports, files, overview

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account
from demo.sales import Sale
from tests.rig import API, Configure, MakeClient, Poll, Setup

pytestmark = pytest.mark.storage


async def figures(admin: Account) -> Any:
    return await admin.call("GET", f"{API}/overview")


async def export(admin: Account, table: str, form: str, query: str = "") -> str:
    response = await admin.get(f"{API}/export/{table}?format={form}{query}")
    assert response.status_code == 200, response.text
    return response.content.decode()


def rows_of(text: str) -> list[dict[str, str]]:
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:], newline="")))


@pytest.mark.usefixtures("ledger_clean")
async def test_an_empty_installation_has_nothing_but_its_first_run_to_do(admin: Account) -> None:
    found = await figures(admin)
    assert found["setup"] == {
        "configured": False,
        "tested": False,
        "clients": 0,
        "deposits": 0,
        "confirmed_deposits": 0,
        "polled": False,
        "request_bodies_logged": False,
        "secret_key_beside_data": False,
    }
    assert found["source"] is None
    assert found["pools"] == []
    assert found["days_30"]["sats"] == 0
    assert len(found["series"]["days"]) == 30


async def test_the_figures_follow_from_the_sales(
    admin: Account,
    configured: Setup,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    one = await make_client("one", {"GTQ": "1000.00"})
    await make_client("two", {"GTQ": "3000.00"})
    await lamassu.insert(
        Sale(
            created=datetime.now(timezone.utc),
            fiat=Decimal(2000),
            crypto_atoms=266_800,
            commission_percentage=Decimal("0.03"),
        )
    )
    await poll()

    found = await figures(admin)

    for period in ("today", "days_7", "days_30"):
        assert found[period] == {
            "sats": 259_029,
            "commission_sats": 7_771,
            "fees_sats": 0,
            "sales": 1,
            "fiat": [{"currency": "GTQ", "amount": "2000.00"}],
        }
    assert found["pools"] == [
        {
            "currency": "GTQ",
            "remaining": "2000.00",
            "total_deposits": "4000.00",
            "pending_deposits": "0.00",
            "clients": 2,
            "per_day": "2000.00",
            "days_left": 1,
        }
    ]
    series = found["series"]
    assert series["sats"][-1] == sum(series["sats"]) == 259_029
    assert series["fiat"] == [{"currency": "GTQ", "values": ["0.00"] * 29 + ["2000.00"]}]
    assert series["pool"] == [{"currency": "GTQ", "values": ["0.00"] * 29 + ["2000.00"]}]
    source = found["source"]
    assert source["balance_sats"] == 10_000_000 - 266_800
    assert (source["owed_shares_sats"], source["missing_sats"]) == (0, 0)
    assert found["connection"]["last_poll"]["status"] == "succeeded"
    assert found["setup"]["polled"] is True

    history = await admin.call("GET", f"{API}/clients/{one.id}/history")
    assert history["balance"] == [{"currency": "GTQ", "values": ["0.00"] * 29 + ["500.00"]}]
    assert history["paid"] == [
        {"currency": "GTQ", "sats": 64_757, "fiat": "500.00", "average_price": "772117.30"}
    ]
    page = await admin.call("GET", f"{API}/payments/paginated?client_id={one.id}")
    assert (page["total"], page["data"][0]["amount_sats"]) == (1, 64_757)


async def test_a_sale_of_tomorrow_is_not_part_of_the_pace(
    admin: Account,
    configured: Setup,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    from satmachineclient.database import ledger

    await make_client("one", {"GTQ": "1000.00"})
    sales = [Sale(created=datetime.now(timezone.utc), fiat=Decimal(100)) for _ in range(2)]
    await lamassu.insert(*sales)
    await poll()
    assert (await figures(admin))["pools"][0]["per_day"] == "200.00"
    async with ledger() as work:  # the ATM's clock was ahead
        await work.execute(
            "UPDATE satmachineclient.lamassu_transactions SET transaction_time = :time "
            "WHERE lamassu_transaction_id = :id",
            time=datetime.now(timezone.utc) + timedelta(days=1),
            id=str(sales[0].id),
        )

    (pool,) = (await figures(admin))["pools"]

    assert (pool["per_day"], pool["days_left"], pool["remaining"]) == ("100.00", 8, "800.00")


async def test_what_the_source_wallet_is_short_of_is_said(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    await configure(balance_sats=10_000)
    await make_client(deposits={"GTQ": "1000.00"})
    await lamassu.insert(Sale(created=datetime.now(timezone.utc), crypto_atoms=20_000))
    await poll()

    source = (await figures(admin))["source"]

    assert source["owed_shares_sats"] == 18_957
    assert source["owed_commission_sats"] == 1_043
    assert source["missing_sats"] == 10_000
    assert (await figures(admin))["attention"]["waiting_payments"] == 1


def test_a_balance_is_followed_back_from_today() -> None:
    days = overview._days_until(datetime(2026, 3, 30).date())[-3:]
    first, second, third = days
    ends = overview._back_from(70, days, {second: 100}, {second: 20, third: 10})
    assert ends == [0, 80, 70]
    assert first < second < third


def test_an_average_price_is_fiat_per_whole_bitcoin() -> None:
    from satmachineclient.helpers import average_price

    assert average_price(50_000, 64_757, "GTQ") == "772117.30"
    assert average_price(1_000_000, 10_000_000, "JPY") == "10000000"
    assert average_price(100, 0, "GTQ") is None


# ---- exports ---------------------------------------------------------------------------------


async def test_every_table_is_exported_as_csv_and_json(
    admin: Account,
    configured: Setup,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    client = await make_client("María “=Peña”", {"GTQ": "1000.00", "USD": "5.00"})
    await lamassu.insert(Sale(created=datetime.now(timezone.utc)))
    await poll()
    expected = {"clients": 2, "deposits": 2, "transactions": 1, "distributions": 1, "polls": 1}
    audit = json.loads(await export(admin, "audit", "json"))
    expected["audit"] = len(audit)
    assert {"client added", "deposit added"} <= {entry["action"] for entry in audit}
    expected["transaction_distributions"] = 1
    elsewhere = {
        "commission",
        "counts",
        "forwards",
        "accepted_terms",
    }  # nothing of these here; tests of their own
    assert set(expected) | elsewhere == set(exports.EXPORTS)
    for table, number in expected.items():
        as_csv = rows_of(await export(admin, table, "csv"))
        as_json = json.loads(await export(admin, table, "json"))
        assert len(as_csv) == len(as_json) == number, table
        assert list(as_csv[0]) == list(as_json[0]) == exports.EXPORTS[table].columns
        assert [row["id"] for row in as_csv] == [row["id"] for row in as_json]
    (share,) = rows_of(await export(admin, "distributions", "csv", f"&client_id={client.id}"))
    assert share["username"] == "María “=Peña”"
    assert datetime.fromisoformat(share["created_at"]).utcoffset() == timedelta(0)
    by_currency = {r["balance_currency"]: r for r in rows_of(await export(admin, "clients", "csv"))}
    assert by_currency["USD"]["sats_received"] == "0"
    assert by_currency["GTQ"]["sats_received"] == share["amount_sats"]
    assert by_currency["GTQ"]["remaining_balance"] == "800.00"


async def test_the_filters_in_force_are_those_of_the_export(
    admin: Account, configured: Setup, make_client: MakeClient
) -> None:
    await make_client(deposits={"GTQ": "10.00", "USD": "20.00"})
    (only,) = rows_of(await export(admin, "deposits", "csv", "&currency=USD"))
    assert (only["amount"], only["status"]) == ("20.00", "confirmed")
    assert rows_of(await export(admin, "deposits", "csv", "&status=pending")) == []
    assert json.loads(await export(admin, "deposits", "json", "&status=pending")) == []
    assert rows_of(await export(admin, "deposits", "csv", "&search=gtq"))[0]["amount"] == "10.00"
    tomorrow = (datetime.now(timezone.utc) + timedelta(days=1)).isoformat().replace("+", "%2B")
    assert rows_of(await export(admin, "deposits", "csv", f"&created_at[ge]={tomorrow}")) == []
    for wrong in ("format=xlsx", "format=csv&nonsense=1", "format=csv&amount[ge]=1"):
        assert (await admin.get(f"{API}/export/deposits?{wrong}")).status_code == 400
    assert (await admin.get(f"{API}/export/lamassu_config?format=csv")).status_code == 404


async def test_no_row_is_lost_or_doubled_between_two_batches(
    admin: Account, configured: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    from satmachineclient.database import ledger

    at = datetime(2026, 1, 1, tzinfo=timezone.utc)
    rows = [
        PollRow(
            id=f"poll-{n:04}",
            trigger="hourly",
            status="succeeded",
            started_at=at + timedelta(days=n // 4),
        )
        for n in range(25)
    ]
    async with ledger() as work:
        await work.insert("lamassu_polls", rows)
    monkeypatch.setattr(files, "BATCH", 5)

    text = await export(admin, "polls", "csv")

    assert [row["id"] for row in rows_of(text)] == [row.id for row in rows]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+502 5555", "'+502 5555"),
        ("-cmd", "'-cmd"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("-12.50", "-12.50"),
        ("Ana", "Ana"),
        (None, ""),
        (True, "true"),
        (7, "7"),
        (datetime(2026, 1, 2, 3, 4, tzinfo=timezone.utc), "2026-01-02T03:04:00+00:00"),
    ],
)
def test_no_cell_is_a_formula(value: object, written: str) -> None:
    assert files.cell(value) == written


async def test_distributions_are_exported_by_the_filters_of_their_sales(
    admin: Account, configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    await make_client("one", {"GTQ": "1000.00", "USD": "1000.00"})
    time = datetime.now(timezone.utc)
    sales = [Sale(created=time, cash_at=time, fiat_code=code) for code in ("GTQ", "USD")]
    await lamassu.insert(*sales)
    await poll()
    path = f"{API}/export/transaction_distributions?format=json"

    everything = (await admin.get(path)).json()
    dollars = (await admin.get(f"{path}&fiat_code=USD")).json()

    assert {row["currency"] for row in everything} == {"GTQ", "USD"}
    assert [row["lamassu_transaction_id"] for row in dollars] == [str(sales[1].id)]

"""The month's books: whatever they are put together by, they add up to the ledger."""

import csv
import io
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal, localcontext
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from satmachineclient.database import fetch_rows, ledger
from satmachineclient.reports import report

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account
from demo.sales import Sale
from tests.programme import ZONE, Programme, set_back
from tests.rig import API, Configure, MakeClient, Poll

pytestmark = pytest.mark.storage

SATS = (
    "sales",
    "sats",
    "base_sats",
    "commission_sats",
    "partners_sats",
    "distributed_sats",
    "undistributed_sats",
    "settled_sats",
)
FIAT = ("fiat", "commission_fiat", "distributed_fiat", "settled_fiat", "deposits", "withdrawals")


async def read(admin: Account, query: str) -> Any:
    return await admin.call("GET", f"{API}/report?{query}")


async def refused(admin: Account, query: str) -> str:
    response = await admin.get(f"{API}/report?{query}")
    assert response.status_code == 400, response.text
    return str(response.json()["detail"])


async def the_ledger() -> Any:
    [row] = await fetch_rows(
        "SELECT CAST(SUM(crypto_amount_sats) AS BIGINT) AS sats, "
        "CAST(SUM(commission_amount_sats) AS BIGINT) AS commission, "
        "CAST(SUM(partners_sats) AS BIGINT) AS partners, "
        "CAST(SUM(distributed_sats) AS BIGINT) AS distributed, "
        "CAST(SUM(undistributed_sats) AS BIGINT) AS undistributed "
        "FROM satmachineclient.lamassu_transactions"
    )
    return row


@pytest.mark.parametrize("by", ["machine", "month", "day", "currency"])
async def test_rows_add_up_to_totals_and_totals_to_the_ledger(
    admin: Account, programme: Programme, by: str
) -> None:
    books = await read(admin, f"{programme.period}&by={by}")

    assert (books["timezone"], books["by"]) == (ZONE, by)
    for total in books["totals"]:
        rows = [row for row in books["rows"] if row["currency"] == total["currency"]]
        for name in SATS:
            assert total[name] == sum(row[name] for row in rows)
        for name in FIAT:
            assert Decimal(total[name]) == sum(Decimal(row[name]) for row in rows)
        owed = Decimal(total["cash_owed_begin"]) + Decimal(total["deposits"])
        owed -= Decimal(total["withdrawals"])
        owed -= Decimal(total["distributed_fiat"]) + Decimal(total["settled_fiat"])
        assert owed == Decimal(total["cash_owed_end"])
        if by in ("month", "day"):
            for before, after in pairwise(rows):
                assert before["cash_owed_end"] == after["cash_owed_begin"]
            assert rows[-1]["cash_owed_end"] == total["cash_owed_end"]
    sums = {name: sum(total[name] for total in books["totals"]) for name in SATS}
    kept = await the_ledger()
    assert sums["sats"] + sums["settled_sats"] == kept["sats"]
    assert sums["base_sats"] + sums["commission_sats"] == sums["sats"]
    assert (sums["commission_sats"], sums["partners_sats"]) == (
        kept["commission"],
        kept["partners"],
    )
    assert sums["distributed_sats"] + sums["settled_sats"] == kept["distributed"]
    assert sums["undistributed_sats"] == kept["undistributed"]
    assert kept["partners"] > 0 and sums["settled_sats"] > 0


async def test_what_is_owed_at_the_end_is_what_the_clients_have_left(
    admin: Account, programme: Programme
) -> None:
    checked = await admin.call("GET", f"{API}/reconciliation")
    assert checked["ok"], checked["differences"]
    books = await read(admin, programme.period)
    left: dict[str, Decimal] = {}
    for client in (programme.one, programme.two):
        answer = await admin.call("GET", f"{API}/clients/{client.id}/balance")
        for balance in answer["balances"]:
            code = balance["currency"]
            left[code] = left.get(code, Decimal(0)) + Decimal(balance["remaining_balance"])
    assert {t["currency"]: Decimal(t["cash_owed_end"]) for t in books["totals"]} == left
    assert books["sats_owed_begin"] == books["sats_owed_end"] == 0
    assert books["partners_owed_end"] == 0


async def test_sats_that_were_bought_and_not_paid_yet_are_owed(
    admin: Account, programme: Programme
) -> None:
    """The payouts of the first half came forty days after the start, all together."""
    end = programme.start + timedelta(days=30)
    books = await read(admin, f"{programme.period}&to={end:%Y-%m-%d}")
    [gtq] = [total for total in books["totals"] if total["currency"] == "GTQ"]
    assert books["sats_owed_end"] == gtq["distributed_sats"] > 0
    assert books["partners_owed_end"] == gtq["partners_sats"] > 0


async def worth_of_commissions(admin: Account) -> Decimal:
    """To the cent of each sale, half up."""
    worth = Decimal(0)
    for sale in await admin.call("GET", f"{API}/transactions"):
        with localcontext() as context:
            context.prec = 60
            exact = Decimal(sale["commission_amount_sats"]) * Decimal(sale["fiat_amount"])
            exact /= sale["base_amount_sats"]
            worth += exact.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return worth


async def test_a_commission_is_worth_its_part_of_the_cash(
    admin: Account, programme: Programme
) -> None:
    """Each sale of 200.00 GTQ has a commission of 5.5 %: 11.00 GTQ, but for what a sat makes."""
    books = await read(admin, f"{programme.period}&by=currency")
    gtq = next(total for total in books["totals"] if total["currency"] == "GTQ")
    assert Decimal(gtq["commission_fiat"]) == await worth_of_commissions(admin)
    assert abs(Decimal(gtq["commission_fiat"]) - 25 * 11) < Decimal("0.25")


async def test_a_commission_beyond_64_bits_is_worth_as_much(
    admin: Account, programme: Programme
) -> None:
    async with ledger() as work:
        await work.execute(
            "UPDATE satmachineclient.lamassu_transactions SET fiat_amount = 900000000000000, "
            "base_amount_sats = 2000000000000000, commission_amount_sats = 500000000000001, "
            "crypto_amount_sats = 2500000000000001, "
            "undistributed_sats = 2000000000000000 - distributed_sats "
            "WHERE direction = 'cash_in'"
        )
    worth = await worth_of_commissions(admin)
    for by in ("month", "day", "machine"):
        books = await read(admin, f"{programme.period}&by={by}")
        total = next(t for t in books["totals"] if t["currency"] == "GTQ")
        assert Decimal(total["commission_fiat"]) == worth


async def test_a_day_is_the_operators(admin: Account, programme: Programme) -> None:
    books = await read(admin, f"{programme.period}&by=day")
    rows = await fetch_rows(
        "SELECT transaction_time FROM satmachineclient.lamassu_transactions "
        "WHERE direction <> 'settle_out'"
    )
    days: dict[str, int] = {}
    for row in rows:
        time = row["transaction_time"]
        if not isinstance(time, datetime):
            time = datetime.fromtimestamp(time, timezone.utc)
        day = time.astimezone(ZoneInfo(ZONE)).date().isoformat()
        days[day] = days.get(day, 0) + 1
    assert {row["day"]: row["sales"] for row in books["rows"] if row["sales"]} == days


async def test_a_sale_read_late_changes_its_month_and_is_told(
    admin: Account, programme: Programme
) -> None:
    books = await read(admin, f"{programme.period}&by=month")
    late = [row for row in books["rows"] if row["late_sales"]]
    assert [(row["late_sales"], row["late_sats"]) for row in late] == [(1, 21_100)]
    zone = ZoneInfo(ZONE)
    first = programme.start + timedelta(days=1)
    assert late[0]["month"] == first.astimezone(zone).strftime("%Y-%m")


async def test_as_csv_it_has_the_same_rows_and_the_totals(
    admin: Account, programme: Programme
) -> None:
    books = await read(admin, f"{programme.period}&by=machine")
    response = await admin.get(f"{API}/report?{programme.period}&by=machine&format=csv")
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    text = response.content.decode()
    rows = list(csv.DictReader(io.StringIO(text[1:], newline="")))
    assert [row["row"] for row in rows] == ["machine"] * len(books["rows"]) + ["total"] * len(
        books["totals"]
    )
    for row, shown in zip(rows, [*books["rows"], *books["totals"]], strict=True):
        for name in (*SATS, *FIAT, "currency"):
            assert row[name] == str(shown[name])


@pytest.mark.usefixtures("configured")
async def test_a_period_that_makes_no_sense_is_refused_by_name(admin: Account) -> None:
    later = datetime.now(timezone.utc) + timedelta(days=3)
    for query, sentence in {
        f"from={later:%Y-%m-%d}": "from: lies in the future",
        f"from={later:%Y-%m-%d}&to=2020-01-01": "from: lies in the future",
        "from=2026-02-01&to=2026-01-31": "to: is before from",
        "from=2009-01-03&to=2109-01-03": "to: a period is at most 10 years",
        "from=1926-01-01&to=2026-01-01": "from: there was no bitcoin",
        "from=2026-02-30": "from: ",
        "to=yesterday": "to: ",
        "by=client": "by: ",
        "format=pdf": "format: ",
    }.items():
        assert (await refused(admin, query)).startswith(sentence), query


@pytest.mark.usefixtures("configured")
async def test_a_time_of_nothing_has_no_rows(admin: Account) -> None:
    for form in ("json", "csv"):
        response = await admin.get(f"{API}/report?from=2020-01-01&to=2020-12-31&format={form}")
        assert response.status_code == 200
        if form == "json":
            assert (response.json()["rows"], response.json()["totals"]) == ([], [])
        else:
            assert len(response.text.splitlines()) == 1


async def test_without_days_it_is_of_this_month(admin: Account, programme: Programme) -> None:
    books = await read(admin, "")
    today = datetime.now(ZoneInfo(ZONE)).date()
    assert (books["from"], books["to"]) == (today.replace(day=1).isoformat(), today.isoformat())


def test_sums_and_figures_have_the_same_names() -> None:
    assert set(report._SUMS) <= set(report.Figures.__fields__)


async def test_what_is_undone_after_a_months_end_is_told_with_its_month(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    """Two sales of forty days ago that could not be paid: of one a share is voided, one is taken
    back. Of today's sale a share is voided, too, which is not late."""
    await configure(timezone=ZONE, look_back_days=60, balance_sats=0)
    await make_client("one", {"GTQ": "5000.00"})
    before = datetime.now(timezone.utc) - timedelta(days=40)
    for table, columns in (
        ("dca_deposits", ("created_at", "confirmed_at")),
        ("dca_clients", ("created_at",)),
        ("dca_client_terms", ("valid_from",)),
    ):
        await set_back(table, columns, before - timedelta(days=1))
    await lamassu.clear()
    times = [before, before + timedelta(hours=1), datetime.now(timezone.utc)]
    await lamassu.insert(*(Sale(created=t, confirmed_at=t, cash_at=t) for t in times))
    await poll()
    async with ledger() as work:
        await work.execute(
            "UPDATE satmachineclient.lamassu_transactions SET processed_at = transaction_time"
        )
    period = f"from={before - timedelta(days=3):%Y-%m-%d}&by=month"
    as_it_was = (await read(admin, period))["rows"][0]
    assert (as_it_was["sales"], as_it_was["late_sales"], as_it_was["late_voids"]) == (2, 0, 0)
    sales = sorted(
        await admin.call("GET", f"{API}/transactions"), key=lambda s: s["transaction_time"]
    )
    for sale in (sales[0], sales[2]):
        [share] = await admin.call("GET", f"{API}/transactions/{sale['id']}/distributions")
        body = {"reason": "the wallet is gone"}
        await admin.call("POST", f"{API}/payments/{share['id']}/void", body)
    body = {"notes": "never happened"}
    await admin.call("POST", f"{API}/transactions/{sales[1]['id']}/dismiss", body)

    for by in ("month", "day", "machine", "currency"):
        books = await read(admin, f"{period}&by={by}")
        [total] = books["totals"]
        undone = {name: value for name, value in total.items() if name.startswith("late_")}
        assert undone == {
            "late_sales": 0,
            "late_sats": 0,
            "late_voids": 1,
            "late_voided_sats": sales[0]["distributed_sats"],
            "late_voided_fiat": sales[0]["fiat_amount"],
            "late_taken_back": 1,
            "late_taken_back_sats": sales[1]["crypto_amount_sats"],
            "late_taken_back_fiat": sales[1]["fiat_amount"],
        }
        assert sum(row["late_voids"] for row in books["rows"]) == 1
    now = (await read(admin, period))["rows"][0]
    assert as_it_was["sats"] - now["sats"] == now["late_taken_back_sats"]
    shared = as_it_was["distributed_sats"] - sales[1]["distributed_sats"]
    assert shared - now["distributed_sats"] == now["late_voided_sats"]

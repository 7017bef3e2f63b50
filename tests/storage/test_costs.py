"""What a poll costs in statements of ours, and that the page's queries are answered from an index.

Times are the business of `make bench`: they depend on the machine, these counts do not.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from lnbits.db import Filters
from sqlalchemy import event, text

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account
from demo.sales import Sale
from tests.rig import API, Configure, MakeClient, Poll, Setup

pytestmark = pytest.mark.storage


@contextmanager
def counted() -> Iterator[list[tuple[str, Any]]]:
    """The statements that reach the extension's own database in this block, and their values."""
    from satmachineclient.connection import db, engine_of

    seen: list[tuple[str, Any]] = []

    def note(_conn: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if "dca_" in statement or "lamassu_" in statement:
            seen.append((statement, values))

    event.listen(engine_of(db), "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine_of(db), "before_cursor_execute", note)


async def sell(lamassu: LamassuDatabase, number: int) -> None:
    """Sales that begin now: after the deposits that were confirmed before."""
    begin = datetime.now(timezone.utc)
    for n in range(number):
        sale = Sale(created=begin + timedelta(milliseconds=n), fiat=Decimal(200))
        await lamassu.insert(sale)


async def test_no_statement_per_client_sale_or_share(
    configure: Configure, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    await configure()
    for _ in range(2):
        await make_client(deposits={"GTQ": "100000.00"})
    for _ in range(2):  # the first has no earlier payments to look at
        await sell(lamassu, 1)
        await poll()
    await sell(lamassu, 1)
    with counted() as small:
        assert (await poll())["confirmed_payments"] == 2
    for _ in range(6):
        await make_client(deposits={"GTQ": "100000.00"})
    await sell(lamassu, 20)
    with counted() as large:
        assert (await poll())["confirmed_payments"] == 8 * 20

    # 8 clients still fit into one batch of payouts, 20 sales into one of planning.
    assert len(large) <= len(small), "\n".join(
        sorted({sql for sql, _ in large} - {sql for sql, _ in small})
    )


async def test_the_atms_rows_are_read_with_one_query(
    configure: Configure, lamassu: LamassuDatabase, monkeypatch: pytest.MonkeyPatch, poll: Poll
) -> None:
    import asyncpg

    await configure()
    queries: list[str] = []
    fetch = asyncpg.Connection.fetch

    async def noted(self: Any, query: str, *args: Any, **kwargs: Any) -> Any:
        queries.append(query)
        return await fetch(self, query, *args, **kwargs)

    monkeypatch.setattr(asyncpg.Connection, "fetch", noted)
    await sell(lamassu, 12)
    assert (await poll())["planned"] == 12
    # Another one answers a row for each machine.
    queries = [query for query in queries if "DISTINCT ON (t.device_id)" not in query]
    assert sum("FROM public.cash_out_txs" in query for query in queries) == 1
    assert sum("FROM public.cash_out_actions" in query for query in queries) == 1


async def test_no_statement_per_row_of_a_page(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    await configure()

    async def asked() -> list[int]:
        numbers = []
        for path in (*_LISTS, *_VIEWS, "clients", "transactions", "deposits"):
            with counted() as seen:
                await admin.call("GET", f"{API}/{path}")
            numbers.append(len(seen))
        return numbers

    for _ in range(4):  # with a reconciliation's pieces of 1, 2, 4, … there is room for more
        await make_client(deposits={"GTQ": "100000.00"})
    await sell(lamassu, 1)
    await poll()
    few = await asked()
    for _ in range(3):
        await make_client(deposits={"GTQ": "100000.00"})
    await sell(lamassu, 8)
    await poll()
    assert await asked() == few


# ---- from an index ---------------------------------------------------------------------------

# What the panel asks for: its lists with each of their filters and sort columns.
_LISTS = [
    f"{table}/paginated?limit=10&{query}"
    for table, queries in {
        "clients": [
            "",
            "status=active",
            "status=closed&to_settle=true",
            "sortby=username",
            "sortby=dca_mode",
            "sortby=status",
        ],
        "deposits": ["", "status=confirmed", "client_id=x", "sortby=amount", "sortby=status"],
        "transactions": [
            *("", "status=settled", "is_test=false", "device_id=x", "fiat_code=GTQ"),
            "transaction_time[ge]=2026-01-01T00:00:00Z&transaction_time[lt]=2026-02-01T00:00:00Z",
            "device_id=x&transaction_time[ge]=2026-01-01T00:00:00Z",
            *("sortby=crypto_amount_sats", "sortby=commission_amount_sats"),
            *("sortby=base_amount_sats", "sortby=distributed_sats"),
            *("sortby=undistributed_sats", "sortby=clients_count", "sortby=status"),
        ],
        "payments": ["", "status=failed"],
        "polls": ["", "status=failed", "sortby=status"],
        "audit": ["", "sortby=action"],
    }.items()
    for query in queries
]
_VIEWS = ["overview", "reconciliation", "reconciliation?days=35"]
_VIEWS += ["clients/paginated?limit=10&id[in]=x,y"]
_VIEWS += ["transactions/totals", "deposits/totals", "deposits/totals?status=confirmed"]
_VIEWS += ["payments/totals?client_id=x", "deposits/totals?client_id=x"]
_ONES = ["clients/{client}/history", "transactions/{sale}/distributions/paginated"]
# Not among them: one row, or one for each client and currency, machine, or partner.
_GROWING = re.compile(
    r"FROM satmachineclient\.(dca_(?!balances|programme|machines|partner)|lamassu_(?!config))",
    re.IGNORECASE,
)

# A row for each client and currency, or for each who has set something; or one row.
_SMALL = "dca_balances|dca_machine_balances|dca_alert_settings|dca_forward_settings"
_DERIVED = {
    "entries",
    "found",
    "shares",
    "transfers",
    "wallets",
    "o",
    "ROW",
}  # subqueries in a plan of SQLite


@pytest.mark.parametrize("direction", ["asc", "desc"])
async def test_a_page_of_a_list_comes_in_the_order_of_an_index(
    admin: Account, configured: Setup, direction: str
) -> None:
    for path in _LISTS:
        with counted() as seen:
            await admin.call("GET", f"{API}/{path}&direction={direction}")
        page = max(n for n, statement in enumerate(seen) if "LIMIT" in statement[0])
        for statement in seen[page - 1 : page + 1]:  # how many there are, and the first ones
            await check_plan(path, statement, of_list=True)


async def test_every_query_of_the_page_and_of_a_poll_is_answered_from_an_index(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    await configure(credit_source_wallet=True)
    client = await make_client(deposits={"GTQ": "100000.00"})
    await sell(lamassu, 2)
    with counted() as seen:
        await poll()
        sale = (await admin.call("GET", f"{API}/transactions/paginated"))["data"][0]["id"]
        for path in (*_VIEWS, *_ONES):
            await admin.call("GET", f"{API}/{path.format(client=client.id, sale=sale)}")
    checked = 0
    for statement in seen:
        # All clients take part in planning, and their number is counted for the first run.
        if (
            _GROWING.search(statement[0])
            and "FROM satmachineclient.dca_clients" not in (statement[0])
        ):
            await check_plan("", statement, of_list=False)
            checked += 1
    assert checked > 30


async def test_sums_of_all_sales_by_machine_are_read_from_an_index_alone(
    configured: Setup,
) -> None:
    from lnbits.db import SQLITE
    from satmachineclient.connection import db
    from satmachineclient.machines import crud

    if db.type != SQLITE:
        pytest.skip("PostgreSQL decides by how many there are")
    with counted() as seen:
        await crud.sold(datetime.now(timezone.utc))
    [statement] = [each for each in seen if "lamassu_transactions" in each[0]]
    assert "COVERING INDEX lamassu_transactions_sums" in " ".join(await plan_of(statement))


async def test_the_next_rows_of_a_file_are_found_in_an_index(configured: Setup) -> None:
    """Else each piece of a long file would read all that stands before it."""
    from lnbits.db import SQLITE
    from satmachineclient.connection import db
    from satmachineclient.reports import crud, crud_books, exports

    time = datetime.now(timezone.utc)
    behind = {"id": "x", "transaction_time": time, "confirmed_at": time}
    with counted() as seen:
        for name, table in exports.EXPORTS.items():
            if name == "counts":  # as many as a person counts
                continue
            filters: Filters[Any] = Filters(model=table.filters)
            last = {"id": "x", table.time_column: time}
            await crud.batch(table.table, table.time_column, filters, last, 500)
        await crud_books.sales_after(time, time, time, behind, 500)
        for kind in ("deposit", "payout", "forward"):
            await crud_books.movements_after(kind, time, time, behind, 500)
    asked = [statement for statement in seen if "LIMIT" in statement[0]]
    assert len(asked) == len(exports.EXPORTS) + 3
    place = r"SEARCH .*\(.*\w>\?" if db.type == SQLITE else "Index Cond: .* >= "
    for statement in asked:
        plan = await plan_of(statement, "bitmapscan", "sort")
        assert any(re.search(place, line) for line in plan), (statement, plan)


async def test_the_archive_is_searched_by_its_indexes_and_listed_in_order(
    admin: Account, configure: Configure, make_client: MakeClient
) -> None:
    """SQLite does not know how many rows have which status: an index of it would mislead."""
    from lnbits.db import SQLITE
    from satmachineclient.connection import db

    if db.type != SQLITE:
        pytest.skip("PostgreSQL decides by how many there are")
    await configure()
    client = await make_client(deposits={"GTQ": "100000.00"})

    async def plans(query: str) -> list[str]:
        with counted() as seen:
            await admin.call("GET", f"{API}/payments/paginated?limit=10&{query}")
        of_archive = [each for each in seen if "dca_archived_shares" in each[0]]
        assert len(of_archive) == 2
        return [line for each in of_archive for line in await plan_of(each)]

    for word in (client.id[:9], client.id, "voided", "FAIL", "gone"):
        plan = await plans(f"search={word}")
        assert sum("SEARCH x USING INDEX" in line for line in plan) >= 2, plan
        assert not [line for line in plan if re.match(r"SCAN (?!CONSTANT)", line)], plan
    for query in ("status=confirmed", "search=confirmed"):
        plan = await plans(query)
        assert sum("SEARCH s USING INDEX dca_archived_sales_by_created_at" in p for p in plan), plan
        assert not [line for line in plan if "SEARCH x USING INDEX" in line], plan
    mine = await plans(f"status=confirmed&client_id={client.id}")
    assert sum("x USING INDEX dca_archived_transfers_by_client_id" in p for p in mine) == 2, mine


async def test_a_machine_with_few_sales_is_listed_by_its_own_index(
    admin: Account, configure: Configure
) -> None:
    """Nearly all sales are settled; SQLite takes both filters for equal, and a new index first."""
    from lnbits.db import SQLITE
    from satmachineclient.connection import db

    if db.type != SQLITE:
        pytest.skip("PostgreSQL decides by how many there are")
    await configure()
    for filters, index in (
        ("device_id=rare&status=settled", "lamassu_transactions_by_device_id_transaction_time"),
        ("fiat_code=USD&status=settled", "lamassu_transactions_by_fiat_code_transaction_time"),
    ):
        with counted() as seen:
            await admin.call("GET", f"{API}/transactions/paginated?limit=10&{filters}")
        [asked] = [each for each in seen if "LIMIT" in each[0]]
        assert index in " ".join(await plan_of(asked)), filters


async def test_a_round_of_alerts_reads_no_more_as_history_grows(
    configure: Configure, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    """It comes every few minutes and after each poll: who reads settled sales names a time."""
    from satmachineclient.telling import alerts

    await configure()
    await make_client(deposits={"GTQ": "100000.00"})
    await sell(lamassu, 2)
    await poll()
    with counted() as seen:
        await alerts.evaluate()
    of_settled = [sql for sql, _ in seen if "lamassu_transactions" in sql and "'settled'" in sql]
    assert of_settled  # those of the overview's days
    for sql in of_settled:
        assert re.search(r"WHERE .*transaction_time >=", sql), sql


async def check_plan(what: str, statement: tuple[str, Any], *, of_list: bool) -> None:
    """An empty table is not worth an index to PostgreSQL, unless it is told so."""
    from lnbits.db import SQLITE
    from satmachineclient.connection import db

    sqlite = db.type == SQLITE
    sql = statement[0]
    in_order = of_list and "LIMIT" in sql
    if not sql.lstrip().upper().startswith(("SELECT", "WITH", "UPDATE")):
        return
    plan = await plan_of(statement, "bitmapscan", "sort") if in_order else await plan_of(statement)
    unaided = re.compile(
        rf"SCAN (?!.* USING |.*(?:{_SMALL}))" if sqlite else rf".*Seq Scan on (?!(?:{_SMALL}))"
    )
    bare = [line for line in plan if unaided.match(line) and line.split()[-1] not in _DERIVED]
    assert not bare, (what, sql, plan)
    if in_order:
        sorts = [
            line
            for line in plan
            if "TEMP B-TREE FOR ORDER BY" in line or re.match(r"\s*(->\s+)?Sort +\(cost", line)
        ]
        assert not sorts, (what, sql, plan)


async def plan_of(statement: tuple[str, Any], *without: str) -> list[str]:
    """The database's plan, on PostgreSQL without scans of tables and these other ways."""
    from lnbits.db import SQLITE
    from satmachineclient.connection import db

    sql, values = statement
    async with db.connect() as connection:
        if db.type != SQLITE:
            for way in ("seqscan", *without):
                await connection.conn.execute(text(f"SET LOCAL enable_{way} = off"))
        prefix = "EXPLAIN QUERY PLAN" if db.type == SQLITE else "EXPLAIN"
        rows = await connection.conn.exec_driver_sql(f"{prefix} {sql}", values)
        plan = [str(row[-1]) for row in rows]
        await connection.conn.rollback()
    return plan

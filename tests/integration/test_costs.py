"""What a poll costs in statements of ours, and that the page's queries are answered from an index.

Times are the business of `make bench`: they depend on the machine, these counts do not.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event, text

from demo.lamassu_db import LamassuDatabase
from demo.sales import Sale
from tests.rig import Configure, MakeClient, Poll

pytestmark = pytest.mark.storage


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that reach the extension's own database in this block."""
    from satmachineclient.database import db

    seen: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "dca_" in statement or "lamassu_" in statement:
            seen.append(statement)

    event.listen(db.engine.sync_engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine.sync_engine, "before_cursor_execute", note)


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
    await sell(lamassu, 1)
    with counted() as small:
        assert (await poll())["confirmed_payments"] == 2
    for _ in range(6):
        await make_client(deposits={"GTQ": "100000.00"})
    await sell(lamassu, 20)
    with counted() as large:
        assert (await poll())["confirmed_payments"] == 8 * 20

    # 8 clients still fit into one batch of payouts, 20 sales into one of planning.
    assert len(large) <= len(small) + 2, "\n".join(sorted(set(large) - set(small)))


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
    assert sum("FROM public.cash_out_txs" in query for query in queries) == 1
    assert sum("FROM public.cash_out_actions" in query for query in queries) == 1


# As `crud` and `crud_reports` ask them.
_QUERIES = {
    "clients": "SELECT * FROM {s}.dca_clients ORDER BY created_at DESC, id LIMIT 10",
    "deposits": "SELECT * FROM {s}.dca_deposits ORDER BY created_at DESC, id LIMIT 10",
    "transactions": "SELECT * FROM {s}.lamassu_transactions "
    "ORDER BY transaction_time DESC, id LIMIT 10",
    "payments": "SELECT * FROM {s}.dca_payments ORDER BY created_at DESC, id LIMIT 10",
    "polls": "SELECT * FROM {s}.lamassu_polls ORDER BY started_at DESC, id LIMIT 10",
    "audit": "SELECT * FROM {s}.dca_audit ORDER BY time DESC, id LIMIT 10",
    "distributions": "SELECT * FROM {s}.dca_payments WHERE transaction_id = 'x'",
    "one client's balance": "SELECT client_id, currency, SUM(amount_fiat) FROM {s}.dca_payments "
    "WHERE status <> 'voided' AND client_id IN ('x', 'y') GROUP BY client_id, currency",
    "open shares": "SELECT status, COUNT(*) FROM {s}.dca_payments "
    "WHERE status IN ('pending', 'failed') GROUP BY status",
    "taken on days": "SELECT client_id, SUM(amount_fiat) FROM {s}.dca_payments "
    "WHERE status <> 'voided' AND day IN ('2026-01-01') GROUP BY client_id",
    "due payouts": "SELECT * FROM {s}.dca_payouts WHERE status IN ('pending', 'failed')",
    "recent payouts": "SELECT * FROM {s}.dca_payouts "
    "WHERE status = 'confirmed' AND confirmed_at >= {recent}",
    "recent transactions": "SELECT COUNT(*) FROM {s}.lamassu_transactions "
    "WHERE processed_at >= {recent}",
}


@pytest.mark.parametrize("name", _QUERIES)
async def test_queries_are_answered_from_an_index(ledger_clean: None, name: str) -> None:
    plan = await explained(_QUERIES[name])
    assert "index" in plan.lower(), plan
    assert "seq scan" not in plan.lower(), plan


async def explained(query: str) -> str:
    """The database's plan; an empty table is not worth an index to PostgreSQL unless told so."""
    from lnbits.db import SQLITE
    from satmachineclient.database import db

    sqlite = db.type == SQLITE
    recent = "1" if sqlite else "now()"
    sql = query.format(s="satmachineclient", recent=recent)
    async with db.connect() as connection:
        if not sqlite:
            await connection.conn.execute(text("SET LOCAL enable_seqscan = off"))
            await connection.conn.execute(text("SET LOCAL enable_bitmapscan = off"))
        prefix = "EXPLAIN QUERY PLAN" if sqlite else "EXPLAIN"
        rows = await connection.conn.execute(text(f"{prefix} {sql}"))
        plan = "\n".join(str(row[-1]) for row in rows)
        await connection.conn.rollback()
    return plan

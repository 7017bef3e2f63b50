"""A million rows are taken away as a file, and cost no more memory than a thousand."""

import os
from datetime import datetime, timezone
from time import monotonic
from typing import Any

import psutil
import pytest
from lnbits.db import Filters

from demo.lamassu_db import LamassuDatabase
from demo.sales import Sale
from tests.rig import MakeClient, Poll, Setup

pytestmark = [pytest.mark.storage, pytest.mark.faults]

ROWS = 1_000_000
ROOM = 64 * 2**20  # bytes beyond what the same file of few rows needs


def resident() -> int:
    found: int = psutil.Process(os.getpid()).memory_info().rss
    return found


async def multiply_the_sale() -> None:
    """A million like the one that is there, one second after the other."""
    from satmachineclient.connection import db
    from satmachineclient.database import ledger

    later = "numbers.n * INTERVAL '1 second'" if db.type != "SQLITE" else "numbers.n"
    async with ledger() as work:
        [row] = await work.rows("SELECT * FROM satmachineclient.lamassu_transactions")
        values = {
            **{name: name for name in row},
            "id": "id || '-' || numbers.n",
            "lamassu_transaction_id": "lamassu_transaction_id || '-' || numbers.n",
            "transaction_time": f"transaction_time - {later}",
        }
        await work.execute(
            "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL "  # noqa: S608
            f"SELECT n + 1 FROM numbers WHERE n < {ROWS - 1}) "
            f"INSERT INTO satmachineclient.lamassu_transactions ({', '.join(values)}) "
            f"SELECT {', '.join(values.values())} "
            "FROM satmachineclient.lamassu_transactions one CROSS JOIN numbers"
        )


async def test_a_million_sales_are_streamed_in_bounded_memory(
    configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    from satmachineclient.reports import exports, files

    await lamassu.clear()
    await make_client("one", {"GTQ": "1000.00"})
    await lamassu.insert(Sale(created=datetime.now(timezone.utc)))
    await poll()
    table = exports.EXPORTS["transactions"]
    filters: Filters[Any] = Filters(model=table.filters)
    async for _ in await files.stream(table, filters, "csv"):
        pass
    await multiply_the_sale()
    before, most, lines, begin = resident(), 0, -1, monotonic()
    async for piece in await files.stream(table, filters, "csv"):
        lines += piece.count("\n")
        most = max(most, resident())
    grown = most - before
    print(f"{lines} rows in {monotonic() - begin:.0f} s, {grown / 2**20:.1f} MiB more at most")
    assert lines == ROWS
    assert grown < ROOM

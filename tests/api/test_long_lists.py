"""Lists without pages: years of sales go out piece by piece, and nobody else waits for them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone
from time import thread_time
from typing import Any

import pytest

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account
from demo.sales import Sale
from tests.rig import API, DcaClient, MakeClient, Poll, Setup

SALES = 3000


@asynccontextmanager
async def others_wait_at_most(seconds: float) -> AsyncIterator[None]:
    """How long LNbits' event loop computes at a stretch, which is what another request waits.

    In the processor's time, so that it is the same on a machine that is busy with others.
    """
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            before = thread_time()
            await asyncio.sleep(0.01)
            longest = max(longest, thread_time() - before)

    watching = asyncio.create_task(watch())
    yield
    watching.cancel()
    assert longest < seconds, longest


async def answer(app: Any, account: Account, path: str, query: str = "") -> list[bytes]:
    """The pieces in which an answer goes out, as they reach the server that sends them."""
    pieces: list[bytes] = []
    begun = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if begun.is_set():
            await asyncio.Event().wait()
        begun.set()
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            assert message["status"] == 200
        elif message.get("body"):
            pieces.append(message["body"])

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [
            (b"host", b"lnbits.test"),
            (b"authorization", f"Bearer {account.token}".encode()),
        ],
        "client": ("127.0.0.1", 1),
        "server": ("lnbits.test", 80),
        "state": {},
    }
    await app(scope, receive, send)
    return pieces


@pytest.fixture
async def client(
    configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> DcaClient:
    """A client with a purchase in each of very many sales, two at a time."""
    from satmachineclient import crud_sales
    from satmachineclient.database import ledger
    from satmachineclient.models_sales import Payment, Transaction

    client = await make_client("one", {"GTQ": "20000000.00"})
    await lamassu.insert(Sale(created=datetime.now(timezone.utc)))
    await poll()
    async with ledger() as work:
        (row,) = await work.fetch(
            Transaction, "SELECT * FROM satmachineclient.lamassu_transactions"
        )
        (share,) = await work.fetch(Payment, "SELECT * FROM satmachineclient.dca_payments")
        ids = [f"{number:05}" for number in range(SALES - 1)]
        times = [row.transaction_time - timedelta(minutes=n // 2) for n in range(SALES - 1)]
        await work.insert(
            "lamassu_transactions",
            [
                row.copy(update={"id": i, "lamassu_transaction_id": i, "transaction_time": time})
                for i, time in zip(ids, times, strict=True)
            ],
        )
        await crud_sales.insert_payments(
            work,
            [
                share.copy(update={"id": i, "transaction_id": i, "transaction_time": time})
                for i, time in zip(ids, times, strict=True)
            ],
        )
    return client


@pytest.mark.storage
async def test_all_sales_are_one_array_in_pieces_newest_first(
    lnbits_app: Any, admin: Account, client: DcaClient
) -> None:
    async with others_wait_at_most(1):
        pieces = await answer(lnbits_app, admin, f"{API}/transactions")
    rows = json.loads(b"".join(pieces))
    assert len(rows) == SALES == len({row["id"] for row in rows})
    order = [(row["transaction_time"], row["id"]) for row in rows]
    by_id = sorted(order, key=lambda each: each[1])
    assert order == sorted(by_id, key=lambda each: each[0], reverse=True)
    # Never more than a part of it at a time.
    assert max(map(len, pieces)) < sum(map(len, pieces)) / 4
    # The very rows of the pages.
    page = await admin.call("GET", f"{API}/transactions/paginated?limit=20")
    assert rows[:20] == page["data"]


async def test_a_statement_of_years_holds_up_nobody(
    lnbits_app: Any, admin: Account, client: DcaClient
) -> None:
    async with others_wait_at_most(1):
        path = f"{API}/clients/{client.id}/statement"
        pieces = await answer(lnbits_app, admin, path, "from=2020-01-01")
    (part,) = json.loads(b"".join(pieces))["currencies"]
    assert part["total_purchases"] == f"{SALES * 200}.00"


@pytest.mark.usefixtures("ledger_clean")
async def test_an_empty_list_is_an_empty_array(admin: Account) -> None:
    for name in ("transactions", "clients", "deposits", "forwards", "polls", "audit"):
        assert await admin.call("GET", f"{API}/{name}") == [], name


async def test_clients_and_deposits_are_those_of_their_pages(
    admin: Account, configured: Setup, make_client: MakeClient
) -> None:
    for number in range(3):
        await make_client(f"client {number}", {"GTQ": "10.00", "USD": "5.00"})
    for name, order in (("clients", 1), ("deposits", -1)):
        page = await admin.call("GET", f"{API}/{name}/paginated?limit=100")
        rows = await admin.call("GET", f"{API}/{name}")
        assert sorted(rows, key=lambda row: row["id"]) == sorted(
            page["data"], key=lambda row: row["id"]
        )
        times = [row["created_at"] for row in rows]
        assert times == sorted(times, reverse=order < 0)

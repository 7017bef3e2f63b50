"""Shares in the archive: what they take on disk before and after, and what reading them costs."""

import time
from typing import Any

from .history import SHARES_EACH, History
from .large import requests
from .meters import median
from .world import BenchWorld

_SALES, _CLIENTS = 3_000, 250
_SHARES_IN_A_PIECE = 1_000
_TABLES = ("dca_payments", "dca_archived_sales", "dca_archived_transfers", "dca_archived_shares")
_ASKED = (
    *("page of payments", "statement, a year", "report, a year", "search payments"),
    *("overview", "reconciliation, 35 days", "reconciliation of everything"),
)


async def run(world: BenchWorld, *, quick: bool) -> dict[str, Any]:
    """A history of sales, as it is and with all of its shares archived."""
    sales = _SALES // 10 if quick else _SALES
    history = History(world)
    await history.begin(_CLIENTS, 4)
    await history.grow_to(sales)
    shares = sales * SHARES_EACH
    live = await _measured(world, shares)
    began = time.perf_counter()
    longest = await _archive_all(world)
    seconds = time.perf_counter() - began
    archived = await _measured(world, shares)
    await history.end()
    return {
        "clients": _CLIENTS,
        "shares": shares,
        "live": live,
        "archived": archived,
        "shares_a_second": shares / seconds,
        "longest_piece_seconds": longest,
    }


async def _archive_all(world: BenchWorld) -> float:
    """Piece by piece, as `books/archive.py` does; the seconds of the longest one."""
    from satmachineclient import crud_shares
    from satmachineclient.database import ledger

    rows = await world.rows("SELECT id FROM satmachineclient.lamassu_transactions")
    ids, longest = [row["id"] for row in rows], 0.0
    each = _SHARES_IN_A_PIECE // SHARES_EACH
    for start in range(0, len(ids), each):
        began = time.perf_counter()
        async with ledger() as work:
            ready = await crud_shares.ready(work, ids[start : start + each])
            if len(ready) != len(ids[start : start + each]):
                raise RuntimeError("a sale cannot be archived")
            await crud_shares.archive(work, ready)
        longest = max(longest, time.perf_counter() - began)
    return longest


async def _measured(world: BenchWorld, shares: int) -> dict[str, Any]:
    """The medians of three, and the bytes that are in use (SQLite keeps its file's length)."""
    from satmachineclient import crud_shares
    from satmachineclient.database import reading

    if world.database == "postgres":
        await _vacuum(world)
    seconds = {}
    for name, (work, _) in requests(world).items():
        if name in _ASKED:
            runs = []
            for _ in range(3):
                began = time.perf_counter()
                await work()
                runs.append(time.perf_counter() - began)
            seconds[name] = median(runs)
    async with reading() as read:
        size, free = await crud_shares.sizes(read)
    return {
        "seconds": seconds,
        "ledger_bytes": size - (free or 0),
        "bytes_per_share": await _bytes(world) / shares,
    }


async def _bytes(world: BenchWorld) -> int:
    """Of the tables of shares, with their indexes."""
    if world.database == "sqlite":
        names = ", ".join(f"'{table}'" for table in _TABLES)
        rows = await world.rows(
            "SELECT SUM(pgsize) AS bytes FROM dbstat('satmachineclient') WHERE name IN ("
            f"SELECT name FROM satmachineclient.sqlite_master WHERE tbl_name IN ({names}))"
        )
    else:
        sizes = " + ".join(f"pg_total_relation_size('satmachineclient.{t}')" for t in _TABLES)
        rows = await world.rows(f"SELECT {sizes} AS bytes")
    return int(rows[0]["bytes"])


async def _vacuum(world: BenchWorld) -> None:
    """As PostgreSQL does by itself in time, and a VACUUM FULL gives the room back."""
    from satmachineclient.connection import db

    async with db.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        for table in _TABLES:
            await connection.exec_driver_sql(f"VACUUM FULL ANALYZE satmachineclient.{table}")

"""The ATM's side: the queries for the sales.

What comes back are `Sale`s, checked row by row by `rows.py`; deciding who gets what of
them is not this room's business. The way into that database is `postgres.py`'s, and the connection
test is `check.py`'s.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import asyncpg

from ..helpers import now
from ..models_sales import Direction, Found, Sale, SaleKey
from .rights import Rights, check_fixed_fee
from .rows import is_good, on_our_clock, to_cash_in, to_sale
from .texts import as_bytes, decoded
from .way import LamassuError, reading

MAX_ROWS = 50_000  # some 200 MB if all of them are new
NOISE = timedelta(seconds=3)  # two clocks that differ by less agree


async def read_sales(
    session: asyncpg.Connection,
    rights: Rights,
    since: datetime,
    drop_known: Callable[[list[Found]], Awaitable[set[SaleKey]]],
    *,
    needs_fixed_fee: bool,
) -> tuple[int, list[Sale], timedelta]:
    """The paid sales since then that are new: how many good rows there were, and the new rows.

    And how far the clock of the ATM's database is ahead of ours.

    The session is one transaction, so that rows and actions are of one instant.
    `drop_known` gets all rows found and answers the keys of those that need not be read again.

    Raises:
        LamassuError: any part of the reading failed; nothing may be concluded from the rest.
    """
    check_fixed_fee(rights, needs_fixed_fee)
    ahead = await clock_offset(session)
    offset = ahead if abs(ahead) > NOISE else timedelta(0)
    rows = await read_rows(session, rights, since + offset)
    sent = {row["id"]: row for row in rows.cash_ins}
    new = {row["id"]: row for row in rows.cash_outs}
    found = [_found("cash_out", row) for row in new.values()]
    found += [_found("cash_in", row) for row in sent.values()]
    known = await drop_known(found)
    sent = {key: row for key, row in sent.items() if (key, "cash_in") not in known}
    new = {key: row for key, row in new.items() if (key, "cash_out") not in known}
    actions = await _read_actions(session, rights, list(new))
    sales = []
    if new or sent:
        sales = await asyncio.to_thread(_checked, new.values(), sent.values(), actions, offset)
    good = sum(1 for row in rows.cash_outs if is_good(row))
    return good + len(rows.cash_ins), sales, ahead


def _found(direction: Direction, row: dict[str, Any]) -> Found:
    return Found(row["id"], direction, row["crypto_atoms"], row["fiat"], row["fiat_code"])


def _checked(
    new: Iterable[dict[str, Any]],
    sent: Iterable[dict[str, Any]],
    action_rows: list[dict[str, Any]],
    offset: timedelta,
) -> list[Sale]:
    """In a thread: a long backlog takes seconds, in which the event loop has others to serve."""
    clock = now()
    actions: dict[str, list[dict[str, Any]]] = {}
    for row in action_rows:
        action = {name: value for name, value in row.items() if value is not None}
        actions.setdefault(row["tx_id"], []).append(on_our_clock(action, offset))
    sales = [
        *(to_sale(on_our_clock(row, offset), actions.get(row["id"], []), clock) for row in new),
        *(to_cash_in(on_our_clock(row, offset), clock) for row in sent),
    ]
    if offset:
        for sale in sales:  # whoever compares it with Lamassu's own page sees other times there
            sale.facts["clock_offset_seconds"] = round(offset.total_seconds())
    return sales


async def clock_offset(session: asyncpg.Connection) -> timedelta:
    """How far the clock of the ATM's database is ahead of ours, to half the time of asking."""
    with reading("clock"):
        before = now()
        theirs: datetime = await session.fetchval(f"SELECT {_bounded('clock_timestamp()')}")
        return theirs - before - (now() - before) / 2


_FLAGS = ("dispense", "dispense_confirmed", "send_confirmed", "operator_completed")
_TIMES = ("created", "confirmed_at", "send_time")


def _selected(name: str) -> str:
    """A column, so that reading it cannot fail half-way whatever stands there.

    Numbers and enums come as text, text as bytes and never long, and no time is out of Python's
    range. A time without a zone, as in an older database, is in the zone of that server.
    """
    if name in _FLAGS:
        return name
    if name in _TIMES:
        bounded = _bounded(f"{name}::timestamptz")
        return f"CASE WHEN {name} IS NOT NULL THEN {bounded} END AS {name}"
    return f"{as_bytes(name)} AS {name}"


def _bounded(time: str) -> str:
    """A time that Python can hold, also after an offset is taken from it."""
    return f"LEAST(GREATEST({time}, '2000-01-01Z'), '3000-01-01Z')"


class Rows(NamedTuple):
    """Rows of `cash_out_txs` that were paid, and of `cash_in_txs` whose coins were sent."""

    cash_outs: list[dict[str, Any]]
    cash_ins: list[dict[str, Any]]


async def read_rows(session: asyncpg.Connection, rights: Rights, since: datetime) -> Rows:
    """The rows since then of the tables that `rights` has columns of, each oldest first."""
    cash_outs = await _read_cash_outs(session, rights, since) if rights.sale_columns else []
    if not rights.cash_in_columns:
        return Rows(cash_outs, [])
    left = MAX_ROWS - len(cash_outs)
    cash_ins = await _read_cash_ins(session, rights, since, left + 1)
    _check_number(len(cash_outs) + len(cash_ins))
    return Rows(cash_outs, cash_ins)


async def _read_cash_outs(
    session: asyncpg.Connection, rights: Rights, since: datetime
) -> list[dict[str, Any]]:
    with reading("rows"):
        rows = await session.fetch(
            f"SELECT {', '.join(map(_selected, rights.sale_columns))} FROM public.cash_out_txs "
            "WHERE crypto_code IN ('BTC', 'LN') AND status::text IN ('confirmed', 'instant') "
            "AND fiat IS DISTINCT FROM 0 "
            "AND COALESCE(GREATEST(created::timestamptz, confirmed_at::timestamptz), 'infinity') "
            ">= $1::timestamptz "
            "ORDER BY COALESCE(cash_out_txs.confirmed_at, cash_out_txs.created), cash_out_txs.id "
            f"LIMIT {MAX_ROWS + 1}",
            since,
        )
    _check_number(len(rows))
    return await _decoded(rows, rights)


async def _read_cash_ins(
    session: asyncpg.Connection, rights: Rights, since: datetime, limit: int
) -> list[dict[str, Any]]:
    """Those whose coins were sent and nobody cancelled; the others are no sales, or none yet."""
    with reading("rows"):
        rows = await session.fetch(
            f"SELECT {', '.join(map(_selected, rights.cash_in_columns))} FROM public.cash_in_txs "
            "WHERE crypto_code IN ('BTC', 'LN') AND send_confirmed AND error IS NULL "
            "AND NOT operator_completed "
            "AND fiat IS DISTINCT FROM 0 AND crypto_atoms IS DISTINCT FROM 0 "
            "AND COALESCE(GREATEST(created::timestamptz, send_time::timestamptz), 'infinity') "
            ">= $1::timestamptz "
            "ORDER BY COALESCE(cash_in_txs.send_time, cash_in_txs.created), cash_in_txs.id "
            f"LIMIT {limit}",
            since,
        )
    return await _decoded(rows, rights)


async def _decoded(rows: list[asyncpg.Record], rights: Rights) -> list[dict[str, Any]]:
    return await asyncio.to_thread(decoded, rows, rights.encoding) if rows else []


def _check_number(rows: int) -> None:
    if rows > MAX_ROWS:
        raise LamassuError(
            "rows",
            f"More than {MAX_ROWS} rows to read at once. Lower look_back_days in the "
            "configuration; if it is low already, this is not the work of an ATM.",
        )


async def _read_actions(
    session: asyncpg.Connection, rights: Rights, ids: list[str]
) -> list[dict[str, Any]]:
    if not rights.action_columns or not ids:
        return []
    numbers = {name for name in rights.action_columns if name[-1].isdigit()}
    columns = ", ".join(n if n in numbers else _selected(n) for n in rights.action_columns)
    with reading("rows"):
        # As text: asyncpg would first ask the server what an array of anything else is.
        rows = await session.fetch(
            f"SELECT {columns} FROM public.cash_out_actions "
            "JOIN unnest($1::text[]::uuid[]) AS wanted(wanted_id) ON wanted_id = tx_id WHERE "
            "action IN ('dispense', 'dispenseError', 'provisionNotes', 'provisionNotesError') "
            f"ORDER BY cash_out_actions.created LIMIT {4 * MAX_ROWS + 1}",
            ids,
        )
    _check_number(len(rows) // 4)
    return await _decoded(rows, rights)

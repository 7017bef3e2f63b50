"""The ATM's side: which columns may be read, and the queries for the sales.

What comes back are `Sale`s, checked row by row by `rows.py`; deciding who gets what of
them is not this room's business. The way into that database is `postgres.py`'s, and the connection
test is `check.py`'s.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import asyncpg

from ..helpers import now
from ..models_config import SourceDirection
from ..models_sales import Direction, Found, Sale, SaleKey
from .rows import is_good, on_our_clock, to_cash_in, to_sale
from .texts import as_bytes, decoded, encoding_of, text
from .way import LamassuError, reading

MAX_ROWS = 50_000  # some 200 MB if all of them are new
NOISE = timedelta(seconds=3)  # two clocks that differ by less agree

_NEEDED = (
    "id device_id crypto_atoms crypto_code fiat fiat_code status dispense dispense_confirmed error "
    "created confirmed_at commission_percentage discount"
).split()
_WELCOME = "received_crypto_atoms raw_ticker_price error_code fixed_fee".split()
_CASH_IN_NEEDED = (
    "id device_id crypto_atoms crypto_code fiat fiat_code send_confirmed operator_completed error "
    "created send_time commission_percentage discount cash_in_fee"
).split()
_CASH_IN_WELCOME = ["raw_ticker_price"]
_ACTION_NEEDED = "tx_id action created".split()
_ACTION_WELCOME = [
    "error",
    "error_code",
    *(
        f"{what}_{unit}"
        for what in ("provisioned", "dispensed", "denomination")
        for unit in ("1", "2", "3", "4", *(f"recycler_{n}" for n in range(1, 7)))
    ),
]


@dataclass(frozen=True)
class Rights:
    """Which columns there are, and which of them this role may read.

    Of a table that the configured direction leaves out there are none.
    """

    sale_columns: list[str]
    action_columns: list[str]  # empty: cash_out_actions cannot be used
    cash_in_columns: list[str]
    fixed_fee_hidden: bool
    hidden_counts: list[str]  # of cash_out_actions: there, but not readable
    role: str
    encoding: str  # of the text that is read, by Python's name


async def read_rights(session: asyncpg.Connection, direction: SourceDirection) -> Rights:
    """What may be read of the tables of this direction.

    Raises:
        LamassuError: naming the missing table or columns and the GRANT to run.
    """
    with reading("table_rights"):
        rows = await session.fetch(
            """
            SELECT t.name AS table_name, a.attname::text AS name,
                   has_column_privilege(a.attrelid, a.attnum, 'SELECT') AS readable
            FROM (VALUES ('cash_out_txs'), ('cash_out_actions'), ('cash_in_txs')) AS t(name)
            JOIN pg_attribute a ON a.attrelid = to_regclass('public.' || t.name)
            WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attname = ANY($1::name[])
            """,
            [*_NEEDED, *_WELCOME, *_CASH_IN_NEEDED, *_ACTION_NEEDED, *_ACTION_WELCOME],
        )
        encoding = encoding_of(session)
        role = text(
            await session.fetchval(f"SELECT {as_bytes('quote_ident(current_user)')}"), encoding
        )
    exists = {(r["table_name"], r["name"]) for r in rows}
    readable = {(r["table_name"], r["name"]) for r in rows if r["readable"]}
    sales: list[str] = []
    actions: list[str] = []
    cash_ins: list[str] = []
    hidden, counts = False, []
    if direction != "cash_in":
        _check_columns("cash_out_txs", _NEEDED, exists, readable, role)
        sales = [*_NEEDED, *(n for n in _WELCOME if ("cash_out_txs", n) in readable)]
        if all(("cash_out_actions", name) in readable for name in _ACTION_NEEDED):
            actions = _action_columns(exists, readable)
            unread = {name for table, name in exists - readable if table == "cash_out_actions"}
            counts = [name for name in _ACTION_WELCOME if name in unread and name[-1].isdigit()]
        fee = ("cash_out_txs", "fixed_fee")
        hidden = fee in exists and fee not in readable
    if direction != "cash_out":
        _check_columns("cash_in_txs", _CASH_IN_NEEDED, exists, readable, role)
        welcome = [n for n in _CASH_IN_WELCOME if ("cash_in_txs", n) in readable]
        cash_ins = [*_CASH_IN_NEEDED, *welcome]
    return Rights(sales, actions, cash_ins, hidden, counts, role, encoding)


def _action_columns(exists: set[tuple[str, str]], readable: set[tuple[str, str]]) -> list[str]:
    """Those that may be read; of the denominations none, where a part of the counts is hidden.

    Notes are only worth something with their denomination, and a part would be a wrong sum.
    """
    table = "cash_out_actions"
    counts = {n for n in _ACTION_WELCOME if n.startswith(("dispensed", "denomination"))}
    hidden = any((table, name) in exists - readable for name in counts)
    wanted = [*_ACTION_NEEDED, *_ACTION_WELCOME]
    usable = [n for n in wanted if not (hidden and n.startswith("denomination"))]
    return [n for n in usable if (table, n) in readable]


def _check_columns(
    table: str,
    needed: list[str],
    exists: set[tuple[str, str]],
    readable: set[tuple[str, str]],
    role: str,
) -> None:
    if not any(name == table for name, _ in exists):
        raise LamassuError(
            "table_rights",
            f"There is no table {table} in this database's schema public: is it Lamassu's?",
        )
    absent = [name for name in needed if (table, name) not in exists]
    if absent:
        raise LamassuError(
            "table_rights",
            f"{table} has no column {', '.join(absent)}: this is not a Lamassu version that "
            "can be read (8.0 to 10.2 are known).",
        )
    missing = [name for name in needed if (table, name) not in readable]
    if missing:
        raise _missing_right(table, missing, role)


def _missing_right(table: str, columns: list[str], role: str, why: str = "") -> LamassuError:
    names = ", ".join(columns)
    return LamassuError(
        "table_rights",
        f"{why}This user may not read {names} of {table}. Run there as owner: "
        f"GRANT SELECT ({names}) ON {table} TO {role};",
    )


def check_fixed_fee(rights: Rights, needed: bool) -> None:
    if needed and rights.fixed_fee_hidden:
        why = "The margin method needs the fixed fee. "
        raise _missing_right("cash_out_txs", ["fixed_fee"], rights.role, why)


async def read_sales(
    session: asyncpg.Connection,
    since: datetime,
    drop_known: Callable[[list[Found]], Awaitable[set[SaleKey]]],
    *,
    needs_fixed_fee: bool,
    direction: SourceDirection = "cash_out",
) -> tuple[int, list[Sale], timedelta]:
    """The paid sales since then that are new: how many good rows there were, and the new rows.

    And how far the clock of the ATM's database is ahead of ours.

    The session is one transaction, so that rows and actions are of one instant.
    `drop_known` gets all rows found and answers the keys of those that need not be read again.

    Raises:
        LamassuError: any part of the reading failed; nothing may be concluded from the rest.
    """
    rights = await read_rights(session, direction)
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
    return await asyncio.to_thread(decoded, rows, rights.encoding)


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
    return await asyncio.to_thread(decoded, rows, rights.encoding)


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
        rows = await session.fetch(
            f"SELECT {columns} FROM public.cash_out_actions "
            "JOIN unnest($1::uuid[]) AS wanted(wanted_id) ON wanted_id = tx_id WHERE action "
            "IN ('dispense', 'dispenseError', 'provisionNotes', 'provisionNotesError') "
            f"ORDER BY cash_out_actions.created LIMIT {4 * MAX_ROWS + 1}",
            ids,
        )
    _check_number(len(rows) // 4)
    return await asyncio.to_thread(decoded, rows, rights.encoding)

"""The ATM's side: which columns may be read, and the queries for the sales.

What comes back are `Sale`s, checked row by row by `lamassu_rows.py`; deciding who gets what of
them is not this room's business. The way into that database is `tunnel.py`'s, and the connection
test is `lamassu_check.py`'s.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import asyncpg

from . import tunnel
from .helpers import now
from .lamassu_rows import Sale, is_good, to_cash_in, to_sale
from .models import SourceDirection
from .tunnel import LamassuError, Target, connect, plain

__all__ = [
    "LamassuError",
    "Rights",
    "Rows",
    "Sale",
    "Target",
    "check_fixed_fee",
    "connect",
    "read_rights",
    "read_rows",
    "read_sales",
    "reading",
]

MAX_ROWS = 50_000  # some 200 MB if all of them are new

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
    role: str


@contextmanager
def reading(step: str) -> Iterator[None]:
    """What the database or the way to it may answer to a query, as LamassuErrors."""
    try:
        yield
    except asyncpg.InsufficientPrivilegeError as exc:
        raise LamassuError(
            "table_rights",
            f"A right is missing: {plain(exc)}. Run there as owner: GRANT USAGE ON SCHEMA public, "
            "and the other GRANTs that the README lists.",
        ) from None
    except (asyncpg.QueryCanceledError, asyncio.TimeoutError) as exc:
        raise LamassuError(
            step,
            f"The ATM's database did not answer within {tunnel.STATEMENT_SECONDS:g} s "
            f"({plain(exc)}). It may be locked or busy; lower look_back_days if this stays so.",
        ) from None
    except (asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError, OSError) as exc:
        raise LamassuError(
            step,
            f"The connection to the ATM's database broke while reading ({plain(exc)}). Check that "
            "PostgreSQL, the SSH server and the network stay up.",
        ) from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as exc:
        raise LamassuError(
            step, f"Reading the ATM's database failed ({plain(exc)}). Check that it is Lamassu's."
        ) from None


async def read_rights(session: asyncpg.Connection, direction: SourceDirection) -> Rights:
    """What may be read of the tables of this direction.

    Raises:
        LamassuError: naming the missing table or columns and the GRANT to run.
    """
    with reading("table_rights"):
        rows = await session.fetch(
            """
            SELECT t.name AS table_name, a.attname AS name,
                   has_column_privilege(a.attrelid, a.attnum, 'SELECT') AS readable
            FROM (VALUES ('cash_out_txs'), ('cash_out_actions'), ('cash_in_txs')) AS t(name)
            JOIN pg_attribute a ON a.attrelid = to_regclass('public.' || t.name)
            WHERE a.attnum > 0 AND NOT a.attisdropped
            """
        )
        role = await session.fetchval("SELECT quote_ident(current_user)")
    exists = {(r["table_name"], r["name"]) for r in rows}
    readable = {(r["table_name"], r["name"]) for r in rows if r["readable"]}
    sales: list[str] = []
    actions: list[str] = []
    cash_ins: list[str] = []
    hidden = False
    if direction != "cash_in":
        _check_columns("cash_out_txs", _NEEDED, exists, readable, role)
        sales = [*_NEEDED, *(n for n in _WELCOME if ("cash_out_txs", n) in readable)]
        if all(("cash_out_actions", name) in readable for name in _ACTION_NEEDED):
            wanted = (*_ACTION_NEEDED, *_ACTION_WELCOME)
            actions = [name for name in wanted if ("cash_out_actions", name) in readable]
        fee = ("cash_out_txs", "fixed_fee")
        hidden = fee in exists and fee not in readable
    if direction != "cash_out":
        _check_columns("cash_in_txs", _CASH_IN_NEEDED, exists, readable, role)
        welcome = [n for n in _CASH_IN_WELCOME if ("cash_in_txs", n) in readable]
        cash_ins = [*_CASH_IN_NEEDED, *welcome]
    return Rights(sales, actions, cash_ins, hidden, role)


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
    drop_known: Callable[[list[str]], Awaitable[set[str]]],
    *,
    needs_fixed_fee: bool,
    direction: SourceDirection = "cash_out",
) -> tuple[int, list[Sale]]:
    """The paid sales since then that are new: how many good rows there were, and the new rows.

    `drop_known` gets the ids of all rows found and answers those that need not be read again.

    Raises:
        LamassuError: any part of the reading failed; nothing may be concluded from the rest.
    """
    with reading("rows"):
        # Rows and actions of one instant. It ends with the session: there is nothing to commit.
        await session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    rights = await read_rights(session, direction)
    check_fixed_fee(rights, needs_fixed_fee)
    rows = await read_rows(session, rights, since)
    known = await drop_known([row["id"] for row in (*rows.cash_outs, *rows.cash_ins)])
    new = {row["id"]: row for row in rows.cash_outs if row["id"] not in known}
    # An id is a sale's only key: one that stands in both tables counts once.
    sent = {
        row["id"]: row for row in rows.cash_ins if row["id"] not in known and row["id"] not in new
    }
    actions = await _read_actions(session, rights, list(new))
    sales = await asyncio.to_thread(_checked, new.values(), sent.values(), actions, now())
    good = sum(1 for row in rows.cash_outs if is_good(row))
    return good + len(rows.cash_ins), sales


def _checked(
    new: Iterable[asyncpg.Record],
    sent: Iterable[asyncpg.Record],
    action_rows: list[asyncpg.Record],
    clock: datetime,
) -> list[Sale]:
    """In a thread: a long backlog takes seconds, in which the event loop has others to serve."""
    actions: dict[str, list[dict[str, Any]]] = {}
    for row in action_rows:
        action = {name: value for name, value in row.items() if value is not None}
        actions.setdefault(row["tx_id"], []).append(action)
    return [
        *(to_sale(dict(row), actions.get(row["id"], []), clock) for row in new),
        *(to_cash_in(dict(row), clock) for row in sent),
    ]


_FLAGS = ("dispense", "dispense_confirmed", "send_confirmed", "operator_completed")
_TIMES = ("created", "confirmed_at", "send_time")


def _selected(name: str) -> str:
    """A column, so that reading it cannot fail half-way whatever stands there.

    Numbers and enums come as text, no text is long, and no time is out of Python's range.
    """
    if name in _FLAGS:
        return name
    if name in _TIMES:
        bounded = f"LEAST(GREATEST({name}, '2000-01-01Z'), '3000-01-01Z')"
        return f"CASE WHEN {name} IS NOT NULL THEN {bounded} END AS {name}"
    return f"left({name}::text, 300) AS {name}"


class Rows(NamedTuple):
    """Rows of `cash_out_txs` that were paid, and of `cash_in_txs` whose coins were sent."""

    cash_outs: list[asyncpg.Record]
    cash_ins: list[asyncpg.Record]


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
) -> list[asyncpg.Record]:
    with reading("rows"):
        rows: list[asyncpg.Record] = await session.fetch(
            f"SELECT {', '.join(map(_selected, rights.sale_columns))} FROM public.cash_out_txs "
            "WHERE crypto_code IN ('BTC', 'LN') AND status::text IN ('confirmed', 'instant') "
            "AND fiat IS DISTINCT FROM 0 "
            "AND COALESCE(GREATEST(created, confirmed_at), 'infinity') >= $1 "
            "ORDER BY COALESCE(cash_out_txs.confirmed_at, cash_out_txs.created), cash_out_txs.id "
            f"LIMIT {MAX_ROWS + 1}",
            since,
        )
    _check_number(len(rows))
    return rows


async def _read_cash_ins(
    session: asyncpg.Connection, rights: Rights, since: datetime, limit: int
) -> list[asyncpg.Record]:
    """Those whose coins were sent and nobody cancelled; the others are no sales, or none yet."""
    with reading("rows"):
        rows: list[asyncpg.Record] = await session.fetch(
            f"SELECT {', '.join(map(_selected, rights.cash_in_columns))} FROM public.cash_in_txs "
            "WHERE crypto_code IN ('BTC', 'LN') AND send_confirmed AND error IS NULL "
            "AND NOT operator_completed "
            "AND fiat IS DISTINCT FROM 0 AND crypto_atoms IS DISTINCT FROM 0 "
            "AND COALESCE(GREATEST(created, send_time), 'infinity') >= $1 "
            "ORDER BY COALESCE(cash_in_txs.send_time, cash_in_txs.created), cash_in_txs.id "
            f"LIMIT {limit}",
            since,
        )
    return rows


def _check_number(rows: int) -> None:
    if rows > MAX_ROWS:
        raise LamassuError(
            "rows",
            f"More than {MAX_ROWS} rows to read at once. Lower look_back_days in the "
            "configuration; if it is low already, this is not the work of an ATM.",
        )


async def _read_actions(
    session: asyncpg.Connection, rights: Rights, ids: list[str]
) -> list[asyncpg.Record]:
    if not rights.action_columns or not ids:
        return []
    numbers = {name for name in rights.action_columns if name[-1].isdigit()}
    columns = ", ".join(n if n in numbers else _selected(n) for n in rights.action_columns)
    with reading("rows"):
        rows: list[asyncpg.Record] = await session.fetch(
            f"SELECT {columns} FROM public.cash_out_actions "
            "JOIN unnest($1::uuid[]) AS wanted(wanted_id) ON wanted_id = tx_id WHERE action "
            "IN ('dispense', 'dispenseError', 'provisionNotes', 'provisionNotesError') "
            f"ORDER BY cash_out_actions.created LIMIT {4 * MAX_ROWS + 1}",
            ids,
        )
    _check_number(len(rows) // 4)
    return rows

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
from typing import Any

import asyncpg

from . import tunnel
from .helpers import now
from .lamassu_rows import Sale, is_good, to_sale
from .tunnel import LamassuError, Target, connect, plain

__all__ = [
    "LamassuError",
    "Rights",
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
    """Which columns there are, and which of them this role may read."""

    sale_columns: list[str]
    action_columns: list[str]  # empty: cash_out_actions cannot be used
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


async def read_rights(session: asyncpg.Connection) -> Rights:
    """Raises LamassuError naming the missing table or columns and the GRANT to run."""
    with reading("table_rights"):
        rows = await session.fetch(
            """
            SELECT t.name AS table_name, a.attname AS name,
                   has_column_privilege(a.attrelid, a.attnum, 'SELECT') AS readable
            FROM (VALUES ('cash_out_txs'), ('cash_out_actions')) AS t(name)
            JOIN pg_attribute a ON a.attrelid = to_regclass('public.' || t.name)
            WHERE a.attnum > 0 AND NOT a.attisdropped
            """
        )
        role = await session.fetchval("SELECT quote_ident(current_user)")
    exists = {(r["table_name"], r["name"]) for r in rows}
    readable = {(r["table_name"], r["name"]) for r in rows if r["readable"]}
    if not any(table == "cash_out_txs" for table, _ in exists):
        raise LamassuError(
            "table_rights",
            "There is no table cash_out_txs in this database's schema public: is it Lamassu's?",
        )
    absent = [name for name in _NEEDED if ("cash_out_txs", name) not in exists]
    if absent:
        raise LamassuError(
            "table_rights",
            f"cash_out_txs has no column {', '.join(absent)}: this is not a Lamassu version that "
            "can be read (8.0 to 10.2 are known).",
        )
    missing = [name for name in _NEEDED if ("cash_out_txs", name) not in readable]
    if missing:
        raise _missing_right(missing, role)
    actions: list[str] = []
    if all(("cash_out_actions", name) in readable for name in _ACTION_NEEDED):
        wanted = (*_ACTION_NEEDED, *_ACTION_WELCOME)
        actions = [name for name in wanted if ("cash_out_actions", name) in readable]
    fee = ("cash_out_txs", "fixed_fee")
    return Rights(
        [*_NEEDED, *(name for name in _WELCOME if ("cash_out_txs", name) in readable)],
        actions,
        fee in exists and fee not in readable,
        role,
    )


def _missing_right(columns: list[str], role: str, why: str = "") -> LamassuError:
    names = ", ".join(columns)
    return LamassuError(
        "table_rights",
        f"{why}This user may not read {names} of cash_out_txs. Run there as owner: "
        f"GRANT SELECT ({names}) ON cash_out_txs TO {role};",
    )


def check_fixed_fee(rights: Rights, needed: bool) -> None:
    if needed and rights.fixed_fee_hidden:
        raise _missing_right(["fixed_fee"], rights.role, "The margin method needs the fixed fee. ")


async def read_sales(
    session: asyncpg.Connection,
    since: datetime,
    drop_known: Callable[[list[str]], Awaitable[set[str]]],
    *,
    needs_fixed_fee: bool,
) -> tuple[int, list[Sale]]:
    """The paid cash-outs since then that are new: how many good rows there were, and the new rows.

    `drop_known` gets the ids of all rows found and answers those that need not be read again.

    Raises:
        LamassuError: any part of the reading failed; nothing may be concluded from the rest.
    """
    with reading("rows"):
        # Rows and actions of one instant. It ends with the session: there is nothing to commit.
        await session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    rights = await read_rights(session)
    check_fixed_fee(rights, needs_fixed_fee)
    rows = await read_rows(session, rights, since)
    known = await drop_known([row["id"] for row in rows])
    new = {row["id"]: row for row in rows if row["id"] not in known}
    actions = await _read_actions(session, rights, list(new))
    return await asyncio.to_thread(_checked, rows, new.values(), actions, now())


def _checked(
    rows: list[asyncpg.Record],
    new: Iterable[asyncpg.Record],
    action_rows: list[asyncpg.Record],
    clock: datetime,
) -> tuple[int, list[Sale]]:
    """In a thread: a long backlog takes seconds, in which the event loop has others to serve."""
    actions: dict[str, list[dict[str, Any]]] = {}
    for row in action_rows:
        action = {name: value for name, value in row.items() if value is not None}
        actions.setdefault(row["tx_id"], []).append(action)
    sales = [to_sale(dict(row), actions.get(row["id"], []), clock) for row in new]
    return sum(1 for row in rows if is_good(row)), sales


_FLAGS = ("dispense", "dispense_confirmed")
_TIMES = ("created", "confirmed_at")


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


async def read_rows(
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

"""What this role may read of Lamassu's tables: asked for once in a session, then gone by."""

from dataclasses import dataclass

import asyncpg

from ..models_config import SourceDirection
from .texts import as_bytes, encoding_of, text
from .way import LamassuError, reading

_TABLES = ("cash_out_txs", "cash_out_actions", "cash_in_txs", "devices", "unpaired_devices")
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
class Columns:
    """The columns of Lamassu's tables, as pairs of table and column, and those of them to be read.

    `encoding`: of the text that is read, by Python's name. `role`: quoted as in SQL; '' where there
    are no columns.
    """

    there: set[tuple[str, str]]
    readable: set[tuple[str, str]]
    role: str
    encoding: str


async def read_columns(session: asyncpg.Connection) -> Columns:
    """Which columns there are, and which of them this role may read.

    Raises:
        LamassuError: the connection broke.
    """
    with reading("table_rights"):
        rows = await session.fetch(
            f"""
            SELECT t.name AS table_name, a.attname::text AS name,
                   has_column_privilege(a.attrelid, a.attnum, 'SELECT') AS readable,
                   {as_bytes("quote_ident(current_user)")} AS role
            FROM (VALUES {", ".join(f"('{table}')" for table in _TABLES)}) AS t(name)
            JOIN pg_attribute a ON a.attrelid = to_regclass('public.' || t.name)
            WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attname ~ '^[a-z0-9_]+$'
            """
        )
    encoding = encoding_of(session)
    return Columns(
        there={(row["table_name"], row["name"]) for row in rows},
        readable={(row["table_name"], row["name"]) for row in rows if row["readable"]},
        role=text(rows[0]["role"], encoding) if rows else "",
        encoding=encoding,
    )


@dataclass(frozen=True)
class Rights:
    """Which columns are read of the tables of the sales.

    Of a table that the configured direction leaves out there are none.
    """

    sale_columns: list[str]
    action_columns: list[str]  # empty: cash_out_actions cannot be used
    cash_in_columns: list[str]
    fixed_fee_hidden: bool
    hidden_counts: list[str]  # of cash_out_actions: there, but not readable
    role: str
    encoding: str  # of the text that is read, by Python's name


def sale_rights(columns: Columns, direction: SourceDirection) -> Rights:
    """What may be read of the tables of this direction.

    Raises:
        LamassuError: naming the missing table or columns and the GRANT to run.
    """
    there, readable = columns.there, columns.readable
    sales: list[str] = []
    actions: list[str] = []
    cash_ins: list[str] = []
    hidden, counts = False, []
    if direction != "cash_in":
        _check_columns("cash_out_txs", _NEEDED, columns)
        sales = [*_NEEDED, *(n for n in _WELCOME if ("cash_out_txs", n) in readable)]
        if all(("cash_out_actions", name) in readable for name in _ACTION_NEEDED):
            actions = _action_columns(columns)
            unread = {name for table, name in there - readable if table == "cash_out_actions"}
            counts = [name for name in _ACTION_WELCOME if name in unread and name[-1].isdigit()]
        hidden = ("cash_out_txs", "fixed_fee") in there - readable
    if direction != "cash_out":
        _check_columns("cash_in_txs", _CASH_IN_NEEDED, columns)
        welcome = [n for n in _CASH_IN_WELCOME if ("cash_in_txs", n) in readable]
        cash_ins = [*_CASH_IN_NEEDED, *welcome]
    return Rights(sales, actions, cash_ins, hidden, counts, columns.role, columns.encoding)


def _action_columns(columns: Columns) -> list[str]:
    """Those that may be read; of the denominations none, where a part of the counts is hidden.

    Notes are only worth something with their denomination, and a part would be a wrong sum.
    """
    table = "cash_out_actions"
    counts = {n for n in _ACTION_WELCOME if n.startswith(("dispensed", "denomination"))}
    hidden = any((table, name) in columns.there - columns.readable for name in counts)
    wanted = [*_ACTION_NEEDED, *_ACTION_WELCOME]
    usable = [n for n in wanted if not (hidden and n.startswith("denomination"))]
    return [n for n in usable if (table, n) in columns.readable]


def _check_columns(table: str, needed: list[str], columns: Columns) -> None:
    if not any(name == table for name, _ in columns.there):
        raise LamassuError(
            "table_rights",
            f"There is no table {table} in this database's schema public: is it Lamassu's?",
        )
    absent = [name for name in needed if (table, name) not in columns.there]
    if absent:
        raise LamassuError(
            "table_rights",
            f"{table} has no column {', '.join(absent)}: this is not a Lamassu version that "
            "can be read (8.0 to 10.2 are known).",
        )
    missing = [name for name in needed if (table, name) not in columns.readable]
    if missing:
        raise _missing_right(table, missing, columns.role)


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

"""The ATM's side: the queries, the check of what they answer, the connection test.

What comes back are `Sale`s, checked row by row; deciding who gets what of them is not this
room's business. The content of the ATM's database is data from outside: nothing in it is trusted.
The way into that database is `tunnel.py`'s.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Literal

import asyncpg

from . import distribution, tunnel
from .helpers import MAX_SATS, decimal_text, known_currency, minor_units, now, to_decimal
from .models import ConnectionStep, ConnectionTest
from .tunnel import LamassuError, Target, Way, connect, plain

__all__ = [
    "LamassuError",
    "Rights",
    "Sale",
    "Target",
    "connect",
    "failed_configuration",
    "read_rights",
    "read_sales",
    "test_connection",
]

MAX_ROWS = 50_000  # some 200 MB if all of them are new
# A row that may still change by itself is left alone for this long before a person is asked.
DISPENSE_GRACE = timedelta(minutes=15)
COLLECT_GRACE = timedelta(hours=24)
_CLOCK_TOLERANCE = timedelta(hours=1)
_EARLIEST = datetime(2009, 1, 3, tzinfo=timezone.utc)  # there was no bitcoin before
_FUDGE_SATS = 100  # Lamassu may accept a payment that is short of this
_COMPARED = 1000  # sales on which the connection test tries the commission methods

SaleState = Literal["good", "review", "waiting"]


@dataclass(frozen=True)
class Sale:
    """One cash-out at a machine, as read.

    `fiat` in minor units of `fiat_code`; the rates as Lamassu keeps them (`commission` a fraction,
    `discount` percent, `fixed_fee` fiat). `state`: good (paid, and the cash is out), review (a
    person has to look; `reason` says at what), waiting (may still become good by itself).
    """

    id: str
    device_id: str
    time: datetime
    crypto_code: str
    crypto_sats: int
    fiat: int
    fiat_code: str
    commission: Decimal | None
    discount: Decimal | None
    fixed_fee: Decimal | None
    state: SaleState
    reason: str | None
    facts: dict[str, Any]


# ---- reading ---------------------------------------------------------------------------------

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
def _reading(step: str) -> Iterator[None]:
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
    with _reading("table_rights"):
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


def _check_fixed_fee(rights: Rights, needed: bool) -> None:
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
    with _reading("rows"):
        # Rows and actions of one instant. It ends with the session: there is nothing to commit.
        await session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    rights = await read_rights(session)
    _check_fixed_fee(rights, needs_fixed_fee)
    rows = await _read_rows(session, rights, since)
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
    sales = [_to_sale(dict(row), actions.get(row["id"], []), clock) for row in new]
    return sum(1 for row in rows if _is_good(row)), sales


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


async def _read_rows(
    session: asyncpg.Connection, rights: Rights, since: datetime
) -> list[asyncpg.Record]:
    with _reading("rows"):
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
    with _reading("rows"):
        rows: list[asyncpg.Record] = await session.fetch(
            f"SELECT {columns} FROM public.cash_out_actions "
            "JOIN unnest($1::uuid[]) AS wanted(wanted_id) ON wanted_id = tx_id WHERE action "
            "IN ('dispense', 'dispenseError', 'provisionNotes', 'provisionNotesError') "
            f"ORDER BY cash_out_actions.created LIMIT {4 * MAX_ROWS + 1}",
            ids,
        )
    _check_number(len(rows) // 4)
    return rows


# ---- checking one row ------------------------------------------------------------------------


def _is_good(row: Any) -> bool:
    """The sats are ours and the cash is out (design section 3)."""
    return bool(row["dispense"] and row["dispense_confirmed"] is True and row["error"] is None)


def _to_sale(row: dict[str, Any], actions: list[dict[str, Any]], clock: datetime) -> Sale:
    """Check one row. Where an amount cannot be used it is 0 and the state is review."""
    problems: list[str] = []
    sats = _checked_sats(row, problems)
    code, fiat = _checked_fiat(row, problems)
    fee = _checked_fee(row, problems)
    dispensed = [a["created"] for a in actions if a["action"] == "dispense" and "created" in a]
    time = max(dispensed, default=None) or row["confirmed_at"] or row["created"]
    if time is None or not _EARLIEST < time < clock + _CLOCK_TOLERANCE:
        problems.append(f"its time is {time}")
        time = clock
    state, reason = _state(row, actions, clock)
    if problems:
        refused = "Not distributed by itself: " + "; ".join(problems)
        state, reason = "review", f"{reason} {refused}" if reason else refused
    return Sale(
        id=row["id"],
        device_id=(row["device_id"] or "")[:200],
        time=time,
        crypto_code=row["crypto_code"],
        crypto_sats=sats,
        fiat=fiat,
        fiat_code=code,
        commission=_number(row["commission_percentage"]),
        discount=_discount(row["discount"]),
        fixed_fee=fee,
        state=state,
        reason=reason,
        facts=_facts(row, actions),
    )


def _number(text: str | None) -> Decimal | None:
    """None for what is no finite number, or too long to have been read whole."""
    return to_decimal(text) if text is not None and len(text) < 100 else None


def _discount(text: str | None) -> Decimal:
    """A NULL discount is none; what is no number stays NaN and is refused later."""
    number = Decimal(0) if text is None else _number(text)
    return Decimal("NaN") if number is None else number


def _checked_sats(row: dict[str, Any], problems: list[str]) -> int:
    sats = _number(row["crypto_atoms"])
    if sats is None or sats != sats.to_integral_value() or not 0 < sats <= MAX_SATS:
        problems.append(f"crypto_atoms is {_short(row['crypto_atoms'])}")
        return 0
    # A confirmed payment is complete; NULL stands where the ATM's wallet does not tell.
    received = row.get("received_crypto_atoms")
    if row["status"] == "confirmed" and received is not None:
        arrived = _number(received)
        if arrived is None or arrived < sats - _FUDGE_SATS:
            problems.append(f"only {_short(received)} of its {sats} sats arrived")
    return int(sats)


def _checked_fiat(row: dict[str, Any], problems: list[str]) -> tuple[str, int]:
    code = str(row["fiat_code"])
    try:
        known_currency(code)
    except ValueError as exc:
        problems.append(f"fiat_code: {exc}")
        return "XXX", 0
    amount = _number(row["fiat"])
    try:
        if amount is None or amount <= 0:
            raise ValueError("is not a positive number")
        return code, minor_units(amount, code)
    except ValueError as exc:
        problems.append(f"fiat {_short(row['fiat'])} {exc}")
        return code, 0


def _checked_fee(row: dict[str, Any], problems: list[str]) -> Decimal | None:
    """None where this Lamassu has no fixed fee, or it may not be read."""
    if "fixed_fee" not in row:
        return None
    fee = _number(row["fixed_fee"])
    if fee is None or fee < 0:
        problems.append(f"fixed_fee is {_short(row['fixed_fee'])}")
        return None
    return fee


def _short(text: str | None) -> str:
    return "NULL" if text is None else text[:40]


def _state(
    row: dict[str, Any], actions: list[dict[str, Any]], clock: datetime
) -> tuple[SaleState, str | None]:
    """Good, or what is not good about it, or not decided yet."""
    if _is_good(row):
        return "good", None
    if row["error"] is not None:
        return "review", f"Paid, but Lamassu reports an error: {row['error']}"
    names = [a["action"] for a in actions]
    times = [row["created"], row["confirmed_at"], *(a.get("created") for a in actions)]
    last = max((t for t in times if t and t <= clock + _CLOCK_TOLERANCE), default=_EARLIEST)
    if not row["dispense"]:
        if clock - last < COLLECT_GRACE:
            return "waiting", None
        return "review", "Paid, but the customer never collected the cash."
    if "provisionNotesError" in names and "dispense" not in names:
        return "review", "Paid, but the machine had not enough notes: no cash came out."
    if "dispense" in names or "dispenseError" in names:
        return "review", "Paid, but not all of the cash came out."
    if clock - last < DISPENSE_GRACE:
        return "waiting", None
    return "review", "Paid, but the machine never reported whether the cash came out."


def _facts(row: dict[str, Any], actions: list[dict[str, Any]]) -> dict[str, Any]:
    """What Lamassu knows of the row, in JSON's types, for the person who looks at it."""
    facts = {name: _json(value) for name, value in row.items()}
    facts["actions"] = [
        {name: _json(value) for name, value in action.items() if name != "tx_id"}
        for action in actions[-20:]
    ]
    return facts


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str):
        return value[:300]
    return value if value is None or isinstance(value, (bool, int)) else str(value)[:300]


# ---- the connection test ---------------------------------------------------------------------

STEPS = (
    "configuration",
    "ssh",
    "host_key",
    "login",
    "database",
    "table_rights",
    "rows",
    "clock",
    "commission_method",
)


async def test_connection(
    target: Target, since: datetime, commission_method: distribution.CommissionMethod
) -> ConnectionTest:
    """Try each step on the way to the sales; the first that fails ends the test."""
    way = Way()
    try:
        async with connect(target, way) as session:
            await _test_session(session, target, since, commission_method, way)
    except LamassuError as exc:
        way.failed(exc)
    unused = () if target.use_ssh_tunnel else ("ssh", "host_key", "login")
    return _result(way, dict.fromkeys(unused, "No SSH tunnel is configured."))


def failed_configuration(reason: str) -> ConnectionTest:
    """The result where the settings do not even allow an attempt."""
    way = Way()
    way.failed(LamassuError("configuration", reason))
    return _result(way, {})


def _result(way: Way, unused: dict[str, str]) -> ConnectionTest:
    """The steps in their fixed order, with those that were not reached."""
    done = {step.name: step for step in way.steps}
    skipped = {
        name: ConnectionStep(name=name, status="skipped", detail=unused.get(name, "Not reached."))
        for name in STEPS
    }
    error = next((step.detail for step in way.steps if step.status == "failed"), None)
    return ConnectionTest(
        success=error is None,
        message=error or "The connection works; sales can be read.",
        steps=[done.get(name, skipped[name]) for name in STEPS],
        ssh_host_key_fingerprint=way.fingerprint,
    )


async def _test_session(
    session: asyncpg.Connection,
    target: Target,
    since: datetime,
    commission_method: distribution.CommissionMethod,
    way: Way,
) -> None:
    with _reading("database"):
        way.passed("database", await _describe_server(session, target))
    rights = await read_rights(session)
    _check_fixed_fee(rights, commission_method == "margin")
    way.passed("table_rights", _describe_rights(rights))
    rows = await _read_rows(session, rights, since)
    way.passed("rows", _describe_rows(rows, since))
    with _reading("clock"):
        way.passed("clock", await _describe_clock(session))
    way.passed("commission_method", _describe_commission(rows[-_COMPARED:], commission_method))


async def _describe_server(session: asyncpg.Connection, target: Target) -> str:
    version = await session.fetchval("SHOW server_version")
    encrypted = await session.fetchval(
        "SELECT COALESCE((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false)"
    )
    if encrypted:
        link = "the link is encrypted (TLS)"
    elif target.use_ssh_tunnel:
        link = "the link is encrypted by SSH"
        if not _is_local(target.host):
            link += f" as far as the SSH server, but NOT from there to {target.host}"
    elif _is_local(target.host):
        link = "the link is not encrypted, but local"
    else:
        link = "WARNING: the link is NOT encrypted: use the SSH tunnel, or ssl_mode require"
    return f"PostgreSQL {version}, read-only session as {target.username}; {link}."


def _is_local(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def _describe_rights(rights: Rights) -> str:
    if rights.action_columns:
        return "cash_out_txs and cash_out_actions can be read."
    return (
        "cash_out_txs can be read. cash_out_actions cannot: the time of a sale is then that of its "
        "confirmation, and partial dispenses show no counts."
    )


def _describe_rows(rows: list[asyncpg.Record], since: datetime) -> str:
    good = sum(1 for row in rows if _is_good(row))
    others = f", {len(rows) - good} paid ones whose cash is not (all) out" if rows else ""
    return f"{good} finished sales since {since:%Y-%m-%d}{others}."


async def _describe_clock(session: asyncpg.Connection) -> str:
    before = now()
    theirs = await session.fetchval("SELECT clock_timestamp()")
    zone = await session.fetchval("SHOW TimeZone")
    seconds = round((theirs - before).total_seconds())
    if abs(seconds) <= 1:
        text = "The ATM server's clock and this one agree"
    else:
        text = f"The ATM server's clock is {abs(seconds)} s {'ahead' if seconds > 0 else 'behind'}"
    warning = ": set it right, deposits are matched to sales by time" if abs(seconds) > 60 else ""
    return f"{text}{warning}; its time zone is {zone}."


def _describe_commission(rows: list[asyncpg.Record], method: distribution.CommissionMethod) -> str:
    """Compare both formulas with the market value of the cash, fiat / raw_ticker_price."""
    if rows and "raw_ticker_price" not in rows[0]:
        return "raw_ticker_price cannot be read, so the commission methods cannot be compared."
    off: dict[distribution.CommissionMethod, int] = {"markup": 0, "margin": 0}
    compared = 0
    for row in rows:
        bases = _bases(row)
        if bases:
            compared += 1
            for name in off:
                off[name] += abs(bases[name] - bases["market"])
    if not compared or off["markup"] == off["margin"]:
        return "No sale yet to compare the commission methods with."
    fits: distribution.CommissionMethod = "markup" if off["markup"] < off["margin"] else "margin"
    verdict = "as configured" if fits == method else f"but configured is {method}"
    average = {name: decimal_text(Decimal(off[name] // compared)) for name in off}
    return (
        f"These machines compute with {fits}, {verdict}: over {compared} sales the base is off the "
        f"market value by {average['markup']} sats (markup) or {average['margin']} sats (margin)."
    )


def _bases(row: asyncpg.Record) -> dict[str, int] | None:
    """A sale's base in sats by each method, and by the market; None if it cannot be computed."""
    price, fiat = _number(row["raw_ticker_price"]), _number(row["fiat"])
    sats = _number(row["crypto_atoms"])
    if not _is_good(row) or not (price and fiat and sats) or min(price, fiat, sats) <= 0:
        return None
    fee = _number(row.get("fixed_fee")) or Decimal(0)
    methods: tuple[distribution.CommissionMethod, ...] = ("markup", "margin")
    try:
        effective = distribution.effective_commission(
            _number(row["commission_percentage"]), _discount(row["discount"])
        )
        bases: dict[str, int] = {
            name: distribution.base_amount(int(sats), effective, name, fiat=fiat, fixed_fee=fee)
            for name in methods
        }
    except distribution.DistributionError:
        return None
    return {**bases, "market": int(fiat / price * 10**8)}

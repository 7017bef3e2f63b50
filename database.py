"""LNbits' database as this extension uses it: transactions that are whole, and the one lease.

Everything that changes the ledger runs inside `ledger()`: one database transaction that commits
as a whole, and that no other such transaction on the same database overlaps, whatever process it
runs in. Values are bound as they are (LNbits' own raw SQL strips what looks like HTML). What is
read and written is in `crud`.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import datetime, timezone
from decimal import Decimal
from time import monotonic
from typing import Any, TypeVar

from lnbits.db import SQLITE, Connection
from loguru import logger
from pydantic import BaseModel
from sqlalchemy import bindparam, text
from sqlalchemy.exc import DBAPIError

from .connection import connected, db, whole
from .helpers import SatMachineError, decimal_text

Model = TypeVar("Model", bound=BaseModel)
T = TypeVar("T")
Row = Mapping[str, Any]

LEASE_SECONDS = 60
# A lease is not renewed for one who has reported no step for so long.
STALL_SECONDS: float = 300
_CHUNK = 1000  # values in one IN (…)
_SOON: float = 0.1  # seconds: who waits for the database so long does not mind
_PIECE = 250  # rows turned into or out of the database's form before others get their turn

# Seconds since 1970 by the database's own clock: two servers need not agree on the time.
_CLOCK = (
    "((julianday('now') - 2440587.5) * 86400.0)"
    if db.type == SQLITE
    else "EXTRACT(EPOCH FROM clock_timestamp())"
)


class LeaseLostError(SatMachineError):
    """Another process has taken over the work on the ledger: this one has to stop at once."""


class LedgerBusyError(SatMachineError):
    """The ledger could not be locked in time; nothing was changed."""


def trouble(exc: DBAPIError) -> str:
    """What a person is told of an error of LNbits' own database."""
    if "prepared statement" in str(exc.orig):
        return (
            "LNbits' database does not keep prepared statements, as PgBouncer in transaction mode: "
            "connect LNbits to PostgreSQL itself, or through PgBouncer in session mode. "
            "Nothing is lost; the next poll goes on."
        )
    return (
        f"LNbits' database failed ({type(exc.orig).__name__}). Nothing is lost; the next poll goes "
        "on. LNbits' log has the details."
    )


class Ledger:
    """The statements of one database transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection.conn

    async def execute(self, sql: str, **values: Any) -> int:
        """Run a statement; the number of rows it changed."""
        result = await whole(self._connection.execute(*_bound(sql, values)))
        return int(result.rowcount)

    async def rows(self, sql: str, **values: Any) -> list[Mapping[str, Any]]:
        result = (await whole(self._connection.execute(*_bound(sql, values)))).mappings()
        found: list[Mapping[str, Any]] = []
        while piece := result.fetchmany(_PIECE):
            found += piece
            if len(piece) == _PIECE:
                await asyncio.sleep(0)
        return found

    async def fetch(self, model: type[Model], sql: str, **values: Any) -> list[Model]:
        found: list[Model] = []
        for piece in _pieces(await self.rows(sql, **values)):
            found += [model.parse_obj(dict(row)) for row in piece]
            await asyncio.sleep(0)
        return found

    async def fetch_one(self, model: type[Model], sql: str, **values: Any) -> Model | None:
        found = await self.fetch(model, sql, **values)
        return found[0] if found else None

    async def insert(self, table: str, rows: Sequence[BaseModel]) -> None:
        """Insert all rows, of one model."""
        if not rows:
            return
        names = list(rows[0].__fields__)
        columns = ", ".join(f'"{name}"' for name in names)
        marks = ", ".join(f":{name}" for name in names)
        sql = f"INSERT INTO satmachineclient.{table} ({columns}) VALUES ({marks})"
        await self.execute_many(sql, [row.__dict__ for row in rows])

    async def execute_many(self, sql: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run one statement for each of these sets of values, together."""
        statement = text(sql)
        for piece in _pieces(rows):
            values = [_stored(row) for row in piece]
            await whole(self._connection.execute(statement, values))

    async def update(self, table: str, row: BaseModel) -> None:
        """Write all columns of the row with this id."""
        values = _stored(row.dict())
        sets = ", ".join(f'"{name}" = :{name}' for name in values if name != "id")
        sql = f"UPDATE satmachineclient.{table} SET {sets} WHERE id = :id"
        await whole(self._connection.execute(text(sql), values))


def _bound(sql: str, values: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    lists = [bindparam(k, expanding=True) for k, v in values.items() if isinstance(v, list)]
    statement = text(sql)
    return (statement.bindparams(*lists) if lists else statement), _stored(values)


def _pieces(rows: Sequence[T]) -> Iterable[Sequence[T]]:
    return (rows[i : i + _PIECE] for i in range(0, len(rows), _PIECE))


_FORMS: dict[type, Callable[[Any], Any]] = {Decimal: decimal_text, dict: json.dumps}
if db.type == SQLITE:
    _FORMS[datetime] = datetime.timestamp


def _stored(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values in the form in which the database keeps them."""
    stored = dict(values)
    for name, value in values.items():
        form = _FORMS.get(type(value))
        if form:
            stored[name] = form(value)
    return stored


def moment_of(stored: datetime | float) -> datetime:
    """A time of our tables as the database gives it: seconds since 1970 on SQLite."""
    if isinstance(stored, datetime):
        return stored
    return datetime.fromtimestamp(stored, timezone.utc)


_read_with: ContextVar[Ledger | None] = ContextVar("_read_with", default=None)


@asynccontextmanager
async def reading() -> AsyncIterator[Ledger]:
    """Read only: statements on one connection, also those of the readings within this one.

    On SQLite a connection costs as much as eight statements. Nobody else in this process gets to
    the extension's database meanwhile: keep it short, and wait for nothing else in it.
    """
    if outer := _read_with.get():
        yield outer
        return
    async with connected() as connection:
        work = Ledger(connection)
        token = _read_with.set(work)
        try:
            yield work
        finally:
            _read_with.reset(token)


async def fetch_rows(sql: str, **values: Any) -> list[Row]:
    """The rows of one query on its own."""
    async with reading() as work:
        return await work.rows(sql, **values)


@asynccontextmanager
async def ledger(lease: str | None = None) -> AsyncIterator[Ledger]:
    """One transaction on the ledger, all or nothing, one at a time on this database.

    With `lease` it also renews that lease.

    Raises:
        LeaseLostError: `lease` has passed to somebody else; nothing was changed.
        LedgerBusyError: another process holds the ledger and does not let go.
    """
    async with _transaction(lease) as work:
        if lease:
            stepped(lease)
        yield work


@asynccontextmanager
async def _transaction(lease: str | None = None) -> AsyncIterator[Ledger]:
    if _read_with.get():
        raise RuntimeError("a transaction on the ledger within a reading would wait for itself")
    async with connected() as connection:
        work = Ledger(connection)
        try:
            await _lock(work, lease)
            yield work
            await whole(connection.conn.commit())
        except BaseException:
            await whole(connection.conn.rollback())
            raise


async def _lock(work: Ledger, lease: str | None) -> None:
    """Make all such transactions wait for each other, by writing the one lease row first.

    On PostgreSQL its row is locked by that, on SQLite the file.
    """
    try:
        if db.type != SQLITE:
            # Nobody waits for long for one who stands still, and who does is cut off.
            await work.rows(
                "SELECT set_config('lock_timeout', '10s', true), "
                "set_config('idle_in_transaction_session_timeout', '30s', true)"
            )
        if lease is None:
            await work.execute(
                "UPDATE satmachineclient.ledger_lease SET holder = holder WHERE id = 1"
            )
        elif not await _renew(work, lease):
            raise LeaseLostError("another LNbits process has taken over the poll")
    except DBAPIError as exc:
        logger.warning(f"satmachineclient: the ledger could not be locked: {exc.orig}")
        if "prepared statement" in str(exc.orig):
            raise LedgerBusyError(trouble(exc)) from None
        raise LedgerBusyError("The ledger is in use by another process. Try again.") from None


async def _renew(work: Ledger, lease: str) -> bool:
    return bool(
        await work.execute(
            f"UPDATE satmachineclient.ledger_lease SET expires_at = {_CLOCK} + {LEASE_SECONDS} "
            "WHERE id = 1 AND holder = :lease",
            lease=lease,
        )
    )


# ---- the lease -------------------------------------------------------------------------------


async def take_lease(lease: str) -> bool:
    """Become the one who works on the ledger, if nobody does; False if somebody does.

    An expiry further away than any lease lasts comes from a clock set back: it does not count.
    """
    async with ledger() as work:
        return bool(
            await work.execute(
                f"UPDATE satmachineclient.ledger_lease "
                f"SET holder = :lease, expires_at = {_CLOCK} + {LEASE_SECONDS} "
                f"WHERE id = 1 AND (holder IS NULL OR expires_at <= {_CLOCK} "
                f"OR expires_at > {_CLOCK} + {2 * LEASE_SECONDS})",
                lease=lease,
            )
        )


async def renew_lease(lease: str) -> None:
    """Raises LeaseLostError if it has passed to somebody else. This is no step of the work."""
    async with _transaction(lease):
        pass


_steps: dict[str, float] = {}  # when the holder of a lease last got on, by this process's clock


def stepped(lease: str) -> None:
    """The holder of this lease gets on with its work.

    Said by each transaction on the ledger and each payment under the lease; who works for long
    without either says so.
    """
    _steps[lease] = monotonic()


def stands_still(lease: str) -> bool:
    """Whether no step was reported for so long that others shall not wait any more."""
    return monotonic() - _steps.setdefault(lease, monotonic()) > STALL_SECONDS


async def give_lease_back(lease: str) -> None:
    _steps.pop(lease, None)
    async with ledger() as work:
        await work.execute(
            "UPDATE satmachineclient.ledger_lease SET holder = NULL, expires_at = 0 "
            "WHERE id = 1 AND holder = :lease",
            lease=lease,
        )


def beyond(column: str, key: str = "id", sign: str = ">") -> str:
    """SQL: the rows behind `:at` in this column's order, and of that time those behind `:behind`.

    The first half alone finds its place in an index; with an OR of both a database begins at the
    first row each time.
    """
    return f"{column} {sign}= :at AND ({column} {sign} :at OR {key} > :behind)"


def first(most: int | None) -> str:
    """SQL for the end of a query: at most so many rows; None for all."""
    return "" if most is None else f" LIMIT {most}"


def each_of(table: str, column: str) -> str:
    """SQL: the values of a column that leads an index, each once, as `value`.

    From one to the next in the index: a plain DISTINCT reads all of it.
    """
    return (
        f"(WITH RECURSIVE found (value) AS (SELECT MIN({column}) FROM {table} UNION ALL "
        f"SELECT (SELECT MIN({column}) FROM {table} WHERE {column} > found.value) "
        "FROM found WHERE found.value IS NOT NULL) "
        "SELECT value FROM found WHERE value IS NOT NULL) each_value"
    )


def chunks(values: Iterable[str]) -> Iterable[list[str]]:
    everything = sorted(set(values))
    return [everything[i : i + _CHUNK] for i in range(0, len(everything), _CHUNK)]


def in_time(values: Sequence[T]) -> Iterable[Sequence[T]]:
    """These in pieces, larger ones as long as what is done with each takes a moment only."""
    begin, size = 0, 1
    while piece := values[begin : begin + size]:
        began = monotonic()
        yield piece
        took = monotonic() - began
        begin += size
        if took < _SOON:
            size = min(2 * size, _CHUNK)
        elif took > 2 * _SOON:
            size = max(size // 2, 1)

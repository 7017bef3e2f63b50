"""Tables as files: CSV for spreadsheets, JSON for programs, streamed batch by batch.

Values are raw: decimals as text with a point, times ISO 8601 in UTC, names as the API has them.
A further table is one more line in `EXPORTS`.
"""

import csv
import io
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from fastapi.responses import Response, StreamingResponse
from lnbits.db import FilterModel, Filters
from pydantic import BaseModel

from . import crud_clients, crud_reports
from .helpers import fiat_text
from .models import (
    AuditEntry,
    AuditFilters,
    DistributionOut,
    Payment,
    PaymentFilters,
    Poll,
    PollFilters,
    Transaction,
    TransactionFilters,
    TransactionOut,
)
from .models_clients import (
    Balance,
    Client,
    ClientFilters,
    ClientOut,
    Deposit,
    DepositFilters,
    DepositOut,
)

Format = Literal["csv", "json"]
Record = dict[str, Any]
_Read = Callable[[list[crud_reports.Row]], Awaitable[list[Record]]]

MEDIA_TYPES: dict[Format, str] = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
BATCH = 500
_BOM = "\ufeff"  # tells a spreadsheet that the file is UTF-8
_FORMULA = re.compile(r"[=+\-@\t\r\n]")
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)


@dataclass(frozen=True)
class Table:
    """Where an export's rows come from: table, the time they are ordered by, columns, reading."""

    table: str
    time_column: str
    filters: type[FilterModel]
    columns: list[str]
    read: _Read


# ---- rows ------------------------------------------------------------------------------------


def _names(model: type[BaseModel], *without: str) -> list[str]:
    return [name for name in model.__fields__ if name not in without]


async def _clients(rows: list[crud_reports.Row]) -> list[Record]:
    """A row for each client and currency, so that a column's sum means something."""
    clients = [Client.parse_obj(dict(row)) for row in rows]
    ids = [client.id for client in clients]
    paid = await crud_clients.get_paid(ids)
    balances: dict[str, list[Balance]] = {}
    for balance in await crud_clients.get_balances(ids):
        balances.setdefault(balance.client_id, []).append(balance)
    return [
        {
            **ClientOut.of(client, [], {}).dict(include=set(_CLIENT_COLUMNS)),
            **_balance(balance),
            "sats_received": paid.get(client.id, {}).get(balance.currency, (0, 0))[0]
            if balance
            else 0,
        }
        for client in clients
        for balance in balances.get(client.id) or [None]  # type: ignore[list-item]
    ]


_CLIENT_COLUMNS = _names(ClientOut, "balances", "total_sats", "average_prices")
_BALANCE_COLUMNS = [
    "balance_currency",
    "total_deposits",
    "pending_deposits",
    "total_distributed",
    "remaining_balance",
]


def _balance(balance: Balance | None) -> Record:
    if balance is None:
        return dict.fromkeys(_BALANCE_COLUMNS)
    sums = ("total_deposits", "pending_deposits", "total_distributed")
    return {
        "balance_currency": balance.currency,
        **{name: fiat_text(getattr(balance, name), balance.currency) for name in sums},
        "remaining_balance": fiat_text(balance.remaining, balance.currency),
    }


async def _deposits(rows: list[crud_reports.Row]) -> list[Record]:
    names = await crud_clients.usernames(row["client_id"] for row in rows)
    return [
        {
            **DepositOut.of(Deposit.parse_obj(dict(row))).dict(),
            "username": names.get(row["client_id"]),
        }
        for row in rows
    ]


async def _transactions(rows: list[crud_reports.Row]) -> list[Record]:
    return [TransactionOut.of(Transaction.parse_obj(dict(row))).dict() for row in rows]


async def _distributions(rows: list[crud_reports.Row]) -> list[Record]:
    names = await crud_clients.usernames(row["client_id"] for row in rows)
    sales = await crud_reports.sales_of([row["transaction_id"] for row in rows])
    records = []
    for row in rows:
        payment = Payment.parse_obj(dict(row))
        sale = Transaction.construct(**sales[payment.transaction_id])
        records.append(
            {
                **DistributionOut.of(payment, names.get(payment.client_id), sale.direction).dict(),
                "day": payment.day,
                "lamassu_transaction_id": sale.lamassu_transaction_id,
                "device_id": sale.device_id,
            }
        )
    return records


async def _distributions_of_sales(rows: list[crud_reports.Row]) -> list[Record]:
    return await _distributions(await crud_reports.payments_of_sales([row["id"] for row in rows]))


async def _polls(rows: list[crud_reports.Row]) -> list[Record]:
    return [Poll.parse_obj(dict(row)).dict() for row in rows]


async def _audit(rows: list[crud_reports.Row]) -> list[Record]:
    return [AuditEntry.parse_obj(dict(row)).dict() for row in rows]


_DISTRIBUTION_COLUMNS = [
    *_names(DistributionOut),
    "day",
    "lamassu_transaction_id",
    "device_id",
]

EXPORTS = {
    "clients": Table(
        "dca_clients",
        "created_at",
        ClientFilters,
        [*_CLIENT_COLUMNS, *_BALANCE_COLUMNS, "sats_received"],
        _clients,
    ),
    "deposits": Table(
        "dca_deposits",
        "created_at",
        DepositFilters,
        [*_names(DepositOut), "username"],
        _deposits,
    ),
    "transactions": Table(
        "lamassu_transactions",
        "transaction_time",
        TransactionFilters,
        _names(TransactionOut),
        _transactions,
    ),
    "distributions": Table(
        "dca_payments", "created_at", PaymentFilters, _DISTRIBUTION_COLUMNS, _distributions
    ),
    # The same rows, chosen by the filters of their sales.
    "transaction_distributions": Table(
        "lamassu_transactions",
        "transaction_time",
        TransactionFilters,
        _DISTRIBUTION_COLUMNS,
        _distributions_of_sales,
    ),
    "audit": Table("dca_audit", "time", AuditFilters, _names(AuditEntry), _audit),
    "polls": Table("lamassu_polls", "started_at", PollFilters, _names(Poll), _polls),
}


# ---- files -----------------------------------------------------------------------------------


def attachment(content: str | AsyncIterator[str], name: str, form: Format) -> Response:
    """A file to be kept, whole or in pieces."""
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }
    kind = Response if isinstance(content, str) else StreamingResponse
    return kind(content, media_type=MEDIA_TYPES[form], headers=headers)


async def stream(table: Table, filters: Filters[Any], form: Format) -> AsyncIterator[str]:
    """The file in pieces. Its first rows are read before this returns, so that errors show.

    Raises:
        ValueError: a filter's value does not fit its column.
    """
    batches = _batches(table, filters)
    first = await anext(batches)
    return (_as_csv if form == "csv" else _as_json)(table, first, batches)


async def _batches(table: Table, filters: Filters[Any]) -> AsyncIterator[list[Record]]:
    """At least one batch, which may be empty."""
    after: crud_reports.Row | None = None
    while True:
        rows = await crud_reports.batch(table.table, table.time_column, filters, after, BATCH)
        yield await table.read(rows)
        if len(rows) < BATCH:
            return
        after = rows[-1]


async def _as_csv(
    table: Table, first: list[Record], rest: AsyncIterator[list[Record]]
) -> AsyncIterator[str]:
    yield _BOM + _lines([table.columns])
    yield _lines([[cell(record[name]) for name in table.columns] for record in first])
    async for records in rest:
        yield _lines([[cell(record[name]) for name in table.columns] for record in records])


def csv_of(columns: list[str], records: Iterable[Record]) -> str:
    """A whole CSV file, of what is small enough to be held."""
    return _BOM + _lines(
        [columns, *([cell(record[name]) for name in columns] for record in records)]
    )


def _lines(rows: list[list[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


def cell(value: object) -> str:
    """A value as a spreadsheet's cell; what would run as a formula gets an apostrophe first."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    text = json.dumps(value) if isinstance(value, dict) else str(value)
    harmful = _FORMULA.match(text) and not _NUMBER.fullmatch(text)
    return f"'{text}" if harmful else text


async def _as_json(
    table: Table, first: list[Record], rest: AsyncIterator[list[Record]]
) -> AsyncIterator[str]:
    yield "["
    separator = "\n"
    for record in first:
        yield separator + _json(table, record)
        separator = ",\n"
    async for records in rest:
        for record in records:
            yield separator + _json(table, record)
            separator = ",\n"
    yield "\n]\n"


def _json(table: Table, record: Record) -> str:
    return json.dumps(
        {name: record[name] for name in table.columns}, ensure_ascii=False, default=_iso
    )


def _iso(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)

"""A client's purchases and forwards as Koinly's universal CSV, for the tax office.

A purchase is a trade of the client's cash for bitcoin at the sale's time, worth the cash. A
forward is what was sent on to their own keys, with its fee. Times are UTC, as Koinly wants them.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Response
from lnbits.db import Filters

from ..database import moment_of, reading
from ..helpers import decimal_text, fiat_text, now, start_of
from ..models_programme import Purchase
from ..models_sales import Payment, PaymentFilters
from ..paying.crud_forwards import forwards_within
from ..reports import files
from ..reports.crud_books import forwards_of
from .statements import Statement

COLUMNS = [
    "Date",
    "Sent Amount",
    "Sent Currency",
    "Received Amount",
    "Received Currency",
    "Fee Amount",
    "Fee Currency",
    "Net Worth Amount",
    "Net Worth Currency",
    "Label",
    "Description",
    "TxHash",
]
_BLANK: files.Record = dict.fromkeys(COLUMNS)


async def file_of(client_id: str, filters: Filters[Any]) -> Response:
    """What `filters` choose of the client's paid purchases; their forwards, too, where no filter
    but the client's own is set: those are no filters of forwards.

    Raises:
        ValueError: a filter's value does not fit its column.
    """
    rows = await files.stream(_PURCHASES, filters, "csv")
    wants_forwards = len(filters.filters) == 1 and not filters.search
    name = f"satmachineclient-koinly-{now():%Y-%m-%d}.csv"
    return files.attachment(_pieces(rows, client_id if wants_forwards else None), name, "csv")


async def of_statement(statement: Statement) -> str:
    """The same of a statement's days, in the order of time."""
    zone = ZoneInfo(statement.timezone)
    begin, end = (start_of(d, zone) for d in (statement.begin, statement.end + timedelta(days=1)))
    async with reading() as work:
        forwards = await forwards_within(work, statement.client_id, begin, end)
    rows = [
        _purchase(each.transaction_time, each.amount_fiat, each)
        for part in statement.currencies
        for each in part.purchases
        if each.status == "confirmed"
    ]
    rows += [_forward(forward.dict()) for forward in forwards]
    rows.sort(key=lambda row: str(row["Date"]))
    return files.csv_of(COLUMNS, rows).removeprefix(files.BOM)


async def _pieces(rows: AsyncIterator[str], client_id: str | None) -> AsyncIterator[str]:
    async for piece in rows:
        yield piece.removeprefix(files.BOM)  # it would be a part of the first column's name
    if client_id is None:
        return
    after = None
    while found := await forwards_of(client_id, after, files.BATCH):
        yield files.lines_of(COLUMNS, [_forward(row) for row in found])
        after = found[-1]


async def _purchases(rows: list[Any]) -> list[files.Record]:
    payments = [Payment.parse_obj(dict(row)) for row in rows]
    return [
        _purchase(p.transaction_time, fiat_text(p.amount_fiat, p.currency), p)
        for p in payments
        if p.status == "confirmed"
    ]


_PURCHASES = files.Table("dca_payments", "created_at", PaymentFilters, COLUMNS, _purchases)


def _purchase(time: datetime, fiat: str, payment: Payment | Purchase) -> files.Record:
    return _BLANK | {
        "Date": _time(time),
        "Sent Amount": fiat,
        "Sent Currency": payment.currency,
        "Received Amount": _bitcoin(payment.amount_sats * 1000),
        "Received Currency": "BTC",
        "Net Worth Amount": fiat,
        "Net Worth Currency": payment.currency,
        "Description": "DCA purchase",
        "TxHash": payment.payment_hash,
    }


def _forward(row: Any) -> files.Record:
    fee = row["fee_msat"] or 0
    return _BLANK | {
        "Date": _time(row["confirmed_at"]),
        "Sent Amount": _bitcoin(row["amount_sats"] * 1000),
        "Sent Currency": "BTC",
        "Fee Amount": _bitcoin(fee) if fee else None,
        "Fee Currency": "BTC" if fee else None,
        "Description": "Forwarded to own keys",
        "TxHash": row["payment_hash"],
    }


def _bitcoin(msat: int) -> str:
    """With eight decimals, or eleven where there are parts of a sat."""
    amount = Decimal(msat).scaleb(-11)
    return decimal_text(amount if msat % 1000 else amount.quantize(Decimal(1).scaleb(-8)))


def _time(moment: datetime | float) -> str:
    return f"{moment_of(moment).astimezone(timezone.utc):%Y-%m-%d %H:%M} UTC"

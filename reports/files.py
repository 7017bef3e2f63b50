"""Tables as files: CSV for spreadsheets, JSON for programs, streamed batch by batch.

Values are raw: decimals as text with a point, times ISO 8601 in UTC, names as the API has them.
"""

import asyncio
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

from ..database import Row
from . import crud

Format = Literal["csv", "json"]
Record = dict[str, Any]
_Read = Callable[[list[Row]], Awaitable[list[Record]]]

MEDIA_TYPES: dict[Format, str] = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
BATCH = 500
_PIECE = 100_000  # characters that go out together
BOM = "\ufeff"  # tells a spreadsheet that the file is UTF-8
_FORMULA = re.compile(r"[=+\-@\t\r\n]")
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
# What a spreadsheet takes for a number and would not write as it was: a telephone number's or a
# client's leading noughts, an id longer than the fifteen digits that it counts with, 12e5.
_NO_AMOUNT = re.compile(r"0\d+|\d{16,}|\d+(\.\d*)?[eE][+-]?\d+", re.ASCII)


@dataclass(frozen=True)
class Table:
    """Where an export's rows come from: table, the time they are ordered by, columns, reading."""

    table: str
    time_column: str
    filters: type[FilterModel]
    columns: list[str]
    read: _Read


def answer(content: str, form: Format, headers: dict[str, str] | None = None) -> Response:
    """A text that is answered, a long one in pieces.

    LNbits compresses what goes out as hard as it can, in the event loop: 7 MB at once hold
    everybody up for a quarter of a second.
    """
    if len(content) <= _PIECE:
        return Response(content, media_type=MEDIA_TYPES[form], headers=headers)
    return StreamingResponse(_in_pieces(content), media_type=MEDIA_TYPES[form], headers=headers)


async def _in_pieces(content: str) -> AsyncIterator[str]:
    for start in range(0, len(content), _PIECE):
        yield content[start : start + _PIECE]
        await asyncio.sleep(0)


def attachment(content: str | AsyncIterator[str], name: str, form: Format) -> Response:
    """A file to be kept, whole or in pieces."""
    if isinstance(content, str):
        return answer(content, form, _kept(name))
    return StreamingResponse(content, media_type=MEDIA_TYPES[form], headers=_kept(name))


def text_attachment(pieces: AsyncIterator[str], name: str) -> Response:
    """A plain text to be kept."""
    return StreamingResponse(pieces, media_type="text/plain; charset=utf-8", headers=_kept(name))


def _kept(name: str) -> dict[str, str]:
    return {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }


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
    after: Row | None = None
    while True:
        rows = await crud.batch(table.table, table.time_column, filters, after, BATCH)
        yield await table.read(rows)
        if len(rows) < BATCH:
            return
        after = rows[-1]


async def _as_csv(
    table: Table, first: list[Record], rest: AsyncIterator[list[Record]]
) -> AsyncIterator[str]:
    yield BOM + _lines([table.columns])
    yield lines_of(table.columns, first)
    async for records in rest:
        yield lines_of(table.columns, records)


def lines_of(columns: list[str], records: Iterable[Record]) -> str:
    """Further lines of a CSV file."""
    return _lines([[cell(record[name]) for name in columns] for record in records])


def csv_of(columns: list[str], records: Iterable[Record]) -> str:
    """A whole CSV file, of what is small enough to be held."""
    return BOM + _lines([columns]) + lines_of(columns, records)


def _lines(rows: list[list[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


def cell(value: object) -> str:
    """A value as a spreadsheet's cell.

    A text that would run as a formula, or be taken for a number and lose digits, gets an
    apostrophe first.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    text = json.dumps(value) if isinstance(value, dict) else str(value)
    is_run = _FORMULA.match(text) and not _NUMBER.fullmatch(text)
    harmful = is_run or (isinstance(value, str) and _NO_AMOUNT.fullmatch(text))
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

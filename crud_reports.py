"""The SQL of the overview and of the exports: sums by day, and tables in batches. Reads only.

Fiat sums are minor units, bitcoin sums sats; days are those of the configured time zone, as they
stand in the rows.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lnbits.db import SQLITE, Filters
from sqlalchemy.exc import DBAPIError

from .database import chunks, db, reading

Row = Mapping[str, Any]

# Deposits are summed by the quarter of an hour: every time zone's days begin at one.
QUARTER_SECONDS = 900
_QUARTER = (
    f"CAST(confirmed_at / {QUARTER_SECONDS} AS INTEGER)"
    if db.type == SQLITE
    else f"CAST(FLOOR(EXTRACT(EPOCH FROM confirmed_at) / {QUARTER_SECONDS}) AS BIGINT)"
)


# ---- the overview ----------------------------------------------------------------------------


async def shares_by_day(since_day: str, client_id: str | None = None) -> list[Row]:
    """Per day and currency: sats and fiat that are paid, and fiat that is allocated."""
    return await _rows(
        "SELECT day, currency, "
        "CAST(SUM(CASE WHEN status = 'confirmed' THEN amount_sats ELSE 0 END) AS BIGINT) AS sats, "
        "CAST(SUM(CASE WHEN status = 'confirmed' THEN amount_fiat ELSE 0 END) AS BIGINT) AS fiat, "
        "CAST(SUM(amount_fiat) AS BIGINT) AS allocated FROM satmachineclient.dca_payments "
        "WHERE status <> 'voided' AND day >= :day AND (client_id = :client OR :client = '') "
        "GROUP BY day, currency ORDER BY day, currency",
        day=since_day,
        client=client_id or "",
    )


async def sales_by_day(since: datetime) -> list[Row]:
    """Per day: how many sales were shared out, and their commission."""
    return await _rows(
        "SELECT day, COUNT(*) AS sales, CAST(SUM(commission_amount_sats) AS BIGINT) AS commission "
        "FROM satmachineclient.lamassu_transactions "
        "WHERE transaction_time >= :since AND status IN ('planned', 'settled') GROUP BY day",
        since=since,
    )


async def deposits_by_quarter(since: datetime, client_id: str | None = None) -> list[Row]:
    """Confirmed deposits per currency and quarter of an hour since 1970."""
    return await _rows(
        f"SELECT currency, {_QUARTER} AS quarter, "  # noqa: S608 - a constant of this file
        "CAST(SUM(amount) AS BIGINT) AS amount FROM satmachineclient.dca_deposits "
        "WHERE status = 'confirmed' AND confirmed_at >= :since "
        "AND (client_id = :client OR :client = '') GROUP BY 1, 2",
        since=since,
        client=client_id or "",
    )


async def deposits_by_currency() -> list[Row]:
    return await _rows(
        "SELECT currency, "
        "CAST(SUM(CASE WHEN status = 'confirmed' THEN amount ELSE 0 END) AS BIGINT) AS confirmed, "
        "CAST(SUM(CASE WHEN status = 'pending' THEN amount ELSE 0 END) AS BIGINT) AS pending, "
        "CAST(SUM(CASE WHEN status = 'pending' THEN 1 ELSE 0 END) AS BIGINT) AS waiting, "
        "COUNT(DISTINCT CASE WHEN status = 'confirmed' THEN client_id END) AS clients "
        "FROM satmachineclient.dca_deposits WHERE status <> 'rejected' "
        "GROUP BY currency ORDER BY currency"
    )


async def allocated_by_currency() -> dict[str, int]:
    rows = await _rows(
        "SELECT currency, CAST(SUM(amount_fiat) AS BIGINT) AS amount "
        "FROM satmachineclient.dca_payments WHERE status <> 'voided' GROUP BY currency"
    )
    return {row["currency"]: row["amount"] for row in rows}


async def open_shares() -> dict[str, tuple[int, int]]:
    """By status (pending, failed): how many shares are not paid, and their sats."""
    rows = await _rows(
        "SELECT status, COUNT(*) AS number, CAST(SUM(amount_sats) AS BIGINT) AS sats "
        "FROM satmachineclient.dca_payments WHERE status IN ('pending', 'failed') GROUP BY status"
    )
    return {row["status"]: (row["number"], row["sats"]) for row in rows}


async def open_sales() -> Row:
    """How many sales wait, and the sats of commissions and credits that are still to be moved."""
    rows = await _rows(
        "SELECT CAST(COALESCE(SUM(CASE WHEN status = 'planned' THEN 1 ELSE 0 END), 0) AS BIGINT) "
        "AS unsettled, "
        "CAST(COALESCE(SUM(CASE WHEN status = 'needs_review' THEN 1 ELSE 0 END), 0) AS BIGINT) "
        "AS reviews, "
        "CAST(COALESCE(SUM(CASE WHEN status = 'planned' AND commission_status = 'pending' "
        "THEN commission_amount_sats ELSE 0 END), 0) AS BIGINT) AS commission, "
        "CAST(COALESCE(SUM(CASE WHEN status = 'planned' AND credit_status = 'pending' "
        "THEN crypto_amount_sats ELSE 0 END), 0) AS BIGINT) AS credit "
        "FROM satmachineclient.lamassu_transactions WHERE status IN ('planned', 'needs_review')"
    )
    return rows[0]


async def numbers() -> Row:
    """How many clients, deposits and successful polls there are: what a first run has done."""
    rows = await _rows(
        "SELECT (SELECT COUNT(*) FROM satmachineclient.dca_clients) AS clients, "
        "(SELECT COUNT(*) FROM satmachineclient.dca_clients WHERE status = 'active') AS active, "
        "(SELECT COUNT(*) FROM satmachineclient.dca_deposits) AS deposits, "
        "(SELECT COUNT(*) FROM satmachineclient.dca_deposits WHERE status = 'confirmed') "
        "AS confirmed_deposits"
    )
    return rows[0]


async def machines() -> list[str]:
    """The machines that sales were read of, and the currencies are in `deposits_by_currency`."""
    rows = await _rows(
        "SELECT DISTINCT device_id FROM satmachineclient.lamassu_transactions ORDER BY device_id"
    )
    return [row["device_id"] for row in rows]


async def sale_currencies() -> list[str]:
    rows = await _rows(
        "SELECT DISTINCT fiat_code FROM satmachineclient.lamassu_transactions ORDER BY fiat_code"
    )
    return [row["fiat_code"] for row in rows]


# ---- the exports -----------------------------------------------------------------------------


async def sales_of(transaction_ids: list[str]) -> dict[str, Row]:
    """What a distribution's row says of its sale, by the sale's id."""
    found: dict[str, Row] = {}
    for ids in chunks(transaction_ids):
        for row in await _rows(
            "SELECT id, lamassu_transaction_id, transaction_time, device_id "
            "FROM satmachineclient.lamassu_transactions WHERE id IN :ids",
            ids=ids,
        ):
            found[row["id"]] = row
    return found


async def payments_of_sales(transaction_ids: list[str]) -> list[Row]:
    """The shares of these sales, sale by sale in the given order."""
    rows: list[Row] = []
    for ids in chunks(transaction_ids):
        rows += await _rows(
            "SELECT * FROM satmachineclient.dca_payments WHERE transaction_id IN :ids", ids=ids
        )
    place = {key: number for number, key in enumerate(transaction_ids)}
    return sorted(rows, key=lambda row: (place[row["transaction_id"]], row["client_id"]))


async def batch(
    table: str, time_column: str, filters: Filters[Any], after: Row | None, limit: int
) -> list[Row]:
    """The next rows of a table, oldest first, behind the row `after`.

    Each batch is a short query of its own: LNbits has one connection at a time for an extension,
    and a slow download must not keep the polls from it.

    Raises:
        ValueError: a filter's value does not fit its column.
    """
    values: dict[str, Any] = {
        name: value.timestamp() if isinstance(value, datetime) else value
        for name, value in filters.values().items()
    }
    behind = []
    if after is not None:
        behind = [f"({time_column} > :at OR ({time_column} = :at AND id > :behind))"]
        values |= {"at": after[time_column], "behind": after["id"]}
    sql = (
        f"SELECT * FROM satmachineclient.{table} {filters.where(behind)} "  # noqa: S608
        f"ORDER BY {time_column}, id LIMIT {limit}"
    )
    try:
        return await _rows(sql, **values)
    except DBAPIError:
        raise ValueError("a filter's value does not fit its field") from None


async def _rows(sql: str, **values: Any) -> list[Row]:
    async with reading() as work:
        return await work.rows(sql, **values)

"""The SQL of overview, exports and reconciliation: sums by day, tables in batches, sums that
must agree. Reads only.

Fiat sums are minor units, bitcoin sums sats; days are those of the configured time zone, as they
stand in the rows.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from lnbits.core.db import db as core_db
from lnbits.db import SQLITE, Filters
from sqlalchemy import bindparam, text
from sqlalchemy.exc import DBAPIError

from . import crud
from .database import Ledger, chunks, db, reading
from .models import Payment
from .models_clients import Deposit

Row = Mapping[str, Any]

BATCH = 1000  # rows that reconciliation looks at together

# Deposits are summed by the quarter of an hour: every time zone's days begin at one.
QUARTER_SECONDS = 900
_QUARTER = (
    f"CAST(confirmed_at / {QUARTER_SECONDS} AS INTEGER)"
    if db.type == SQLITE
    else f"CAST(FLOOR(EXTRACT(EPOCH FROM confirmed_at) / {QUARTER_SECONDS}) AS BIGINT)"
)


# ---- the overview ----------------------------------------------------------------------------


async def sales_by_day(since: datetime) -> list[Row]:
    """Per day and currency: how many sales were shared out, their commission, and what went out.

    A sale's row says what its shares are worth, so that the shares need not be read.
    """
    return await _rows(
        "SELECT day, fiat_code AS currency, "
        "CAST(SUM(CASE WHEN direction = 'settle_out' THEN 0 ELSE 1 END) AS BIGINT) AS sales, "
        "CAST(SUM(commission_amount_sats) AS BIGINT) AS commission, "
        "CAST(SUM(distributed_sats) AS BIGINT) AS sats, "
        "CAST(SUM(fiat_amount - undistributed_fiat) AS BIGINT) AS allocated "
        "FROM satmachineclient.lamassu_transactions "
        "WHERE transaction_time >= :since AND status IN ('planned', 'settled') "
        "GROUP BY day, fiat_code ORDER BY day, fiat_code",
        since=since,
    )


async def open_shares_by_day() -> list[Row]:
    """Per day of the sale and currency: sats and fiat of the shares that are not paid yet."""
    return await _rows(
        "SELECT day, currency, CAST(SUM(amount_sats) AS BIGINT) AS sats, "
        "CAST(SUM(amount_fiat) AS BIGINT) AS fiat FROM satmachineclient.dca_payments "
        "WHERE status IN ('pending', 'failed') GROUP BY day, currency"
    )


async def shares_by_day(since_day: str, client_id: str) -> list[Row]:
    """One client's, per day and currency: sats and fiat that are paid, fiat that is allocated."""
    return await _rows(
        "SELECT day, currency, "
        "CAST(SUM(CASE WHEN status = 'confirmed' THEN amount_sats ELSE 0 END) AS BIGINT) AS sats, "
        "CAST(SUM(CASE WHEN status = 'confirmed' THEN amount_fiat ELSE 0 END) AS BIGINT) AS fiat, "
        "CAST(SUM(amount_fiat) AS BIGINT) AS allocated FROM satmachineclient.dca_payments "
        "WHERE status <> 'voided' AND client_id = :client AND day >= :day "
        "GROUP BY day, currency ORDER BY day, currency",
        day=since_day,
        client=client_id,
    )


async def deposits_by_quarter(since: datetime, client_id: str | None = None) -> list[Row]:
    """Confirmed deposits per currency and quarter of an hour since 1970."""
    return await _rows(
        f"SELECT currency, {_QUARTER} AS quarter, "
        "CAST(SUM(amount) AS BIGINT) AS amount FROM satmachineclient.dca_deposits "
        "WHERE status = 'confirmed' AND confirmed_at >= :since "
        f"{'' if client_id is None else 'AND client_id = :client'} GROUP BY 1, 2",
        since=since,
        **({} if client_id is None else {"client": client_id}),
    )


async def deposits_by_currency() -> list[Row]:
    """What all clients have put in and what of it went out, what waits, and how many they are."""
    return await _rows(
        "SELECT currency, CAST(SUM(deposited) AS BIGINT) AS confirmed, "
        "CAST(SUM(allocated) AS BIGINT) AS allocated, CAST(SUM(pending) AS BIGINT) AS pending, "
        "CAST(SUM(waiting) AS BIGINT) AS waiting, CAST(SUM(clients) AS BIGINT) AS clients, "
        "CAST(SUM(deposits) AS BIGINT) AS deposits FROM ("
        "SELECT currency, deposited, allocated_fiat AS allocated, deposits, "
        "CASE WHEN deposits > 0 THEN 1 ELSE 0 END AS clients, 0 AS pending, 0 AS waiting "
        "FROM satmachineclient.dca_balances "
        "UNION ALL SELECT currency, 0, 0, 0, 0, amount, 1 "
        "FROM satmachineclient.dca_deposits WHERE status = 'pending'"
        ") entries GROUP BY currency ORDER BY currency"
    )


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
    """How many clients there are, and how many of them wait for approval."""
    rows = await _rows(
        "SELECT (SELECT COUNT(*) FROM satmachineclient.dca_clients) AS clients, "
        "(SELECT COUNT(*) FROM satmachineclient.dca_clients WHERE status = 'pending') AS pending"
    )
    return rows[0]


async def machines() -> list[str]:
    """The machines that sales were read of."""
    return await _distinct("device_id")


async def sale_currencies() -> list[str]:
    return await _distinct("fiat_code")


async def _distinct(column: str) -> list[str]:
    """The values of a column of the sales, from one to the next in its index.

    A plain DISTINCT reads the whole index.
    """
    table = "satmachineclient.lamassu_transactions"
    rows = await _rows(
        f"WITH RECURSIVE found (value) AS (SELECT MIN({column}) FROM {table} UNION ALL "
        f"SELECT (SELECT MIN({column}) FROM {table} WHERE {column} > found.value) "
        "FROM found WHERE found.value IS NOT NULL) "
        "SELECT value FROM found WHERE value IS NOT NULL ORDER BY value"
    )
    return [row["value"] for row in rows]


# ---- the exports -----------------------------------------------------------------------------


async def sales_of(transaction_ids: list[str]) -> dict[str, Row]:
    """What a distribution's row says of its sale, by the sale's id."""
    found: dict[str, Row] = {}
    for ids in chunks(transaction_ids):
        for row in await _rows(
            "SELECT id, lamassu_transaction_id, direction, transaction_time, device_id "
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
        f"SELECT * FROM satmachineclient.{table} {filters.where(behind)} "
        f"ORDER BY {time_column}, id LIMIT {limit}"
    )
    try:
        return await _rows(sql, **values)
    except DBAPIError:
        raise ValueError("a filter's value does not fit its field") from None


async def _rows(sql: str, **values: Any) -> list[Row]:
    async with reading() as work:
        return await work.rows(sql, **values)


# ---- statements ------------------------------------------------------------------------------


async def put_in_until(work: Ledger, client_id: str, end: datetime) -> dict[str, int]:
    """Per currency, a client's confirmed deposits before this time, less the withdrawals."""
    return await _until(
        work,
        "SELECT currency, deposited AS amount FROM satmachineclient.dca_balances "
        "WHERE client_id = :client",
        "SELECT currency, CAST(SUM(amount) AS BIGINT) AS amount FROM satmachineclient.dca_deposits "
        "WHERE client_id = :client AND status = 'confirmed' AND confirmed_at >= :end "
        "GROUP BY currency",
        client=client_id,
        end=end,
    )


async def taken_until(work: Ledger, client_id: str, last_day: str) -> dict[str, int]:
    """Per currency, what went out of a client's cash up to the end of this day."""
    return await _until(
        work,
        "SELECT currency, allocated_fiat AS amount FROM satmachineclient.dca_balances "
        "WHERE client_id = :client",
        "SELECT currency, CAST(SUM(amount_fiat) AS BIGINT) AS amount "
        "FROM satmachineclient.dca_payments "
        "WHERE client_id = :client AND status <> 'voided' AND day > :day GROUP BY currency",
        client=client_id,
        day=last_day,
    )


async def _until(work: Ledger, total: str, later: str, client: str, **limit: Any) -> dict[str, int]:
    """A total of today less what came later: who asks, asks of recent times."""
    amounts = {row["currency"]: row["amount"] for row in await work.rows(total, client=client)}
    for row in await work.rows(later, client=client, **limit):
        amounts[row["currency"]] -= row["amount"]
    return amounts


async def deposits_within(
    work: Ledger, client_id: str, begin: datetime, end: datetime
) -> list[Deposit]:
    """A client's confirmed deposits and withdrawals of this time, in their order."""
    return await work.fetch(
        Deposit,
        "SELECT * FROM satmachineclient.dca_deposits WHERE client_id = :client "
        "AND status = 'confirmed' AND confirmed_at >= :begin AND confirmed_at < :end "
        "ORDER BY confirmed_at, id",
        client=client_id,
        begin=begin,
        end=end,
    )


async def payments_within(
    work: Ledger, client_id: str, first_day: str, last_day: str
) -> list[Payment]:
    """A client's shares in the sales of these days, in the order of planning."""
    return await work.fetch(
        Payment,
        "SELECT * FROM satmachineclient.dca_payments WHERE client_id = :client "
        "AND status <> 'voided' AND day >= :first AND day <= :last ORDER BY day, created_at, id",
        client=client_id,
        first=first_day,
        last=last_day,
    )


# ---- reconciliation: where sums that must agree do not ---------------------------------------


async def count(table: str, time_column: str, since: datetime) -> int:
    async with reading() as work:
        rows = await work.rows(
            f"SELECT COUNT(*) AS number FROM satmachineclient.{table} "
            f"WHERE {time_column} >= :since",
            since=since,
        )
    return int(rows[0]["number"])


async def unbalanced_transactions(since: datetime) -> list[Row]:
    """Sales whose parts do not add up, by themselves or with their shares."""
    async with reading() as work:
        return await work.rows(
            "SELECT t.id, t.crypto_amount_sats, t.commission_amount_sats, t.base_amount_sats, "
            "t.distributed_sats, t.undistributed_sats, t.fiat_amount, t.undistributed_fiat, "
            "t.clients_count, COUNT(p.id) AS shares, "
            "CAST(COALESCE(SUM(p.amount_sats), 0) AS BIGINT) AS share_sats, "
            "CAST(COALESCE(SUM(p.amount_fiat), 0) AS BIGINT) AS share_fiat "
            "FROM satmachineclient.lamassu_transactions t "
            "LEFT JOIN satmachineclient.dca_payments p "
            "ON p.transaction_id = t.id AND p.status <> 'voided' "
            "WHERE t.processed_at >= :since GROUP BY t.id, t.crypto_amount_sats, "
            "t.commission_amount_sats, t.base_amount_sats, t.distributed_sats, "
            "t.undistributed_sats, t.fiat_amount, t.undistributed_fiat, t.clients_count "
            "HAVING t.crypto_amount_sats <> t.commission_amount_sats + t.base_amount_sats "
            "OR t.base_amount_sats <> t.distributed_sats + t.undistributed_sats "
            "OR t.distributed_sats <> COALESCE(SUM(p.amount_sats), 0) "
            "OR t.fiat_amount <> t.undistributed_fiat + COALESCE(SUM(p.amount_fiat), 0) "
            "OR t.clients_count <> COUNT(p.id)",
            since=since,
        )


async def unbalanced_transfers(since: datetime) -> list[Row]:
    """Transfers whose payouts are not worth what they carry."""
    carried = " + ".join(
        f"COALESCE((SELECT SUM({amount}) FROM satmachineclient.{table} "
        f"WHERE {column} = o.transfer_id), 0)"
        for table, column, amount in (
            ("dca_payments", "transfer_id", "amount_sats"),
            ("lamassu_transactions", "credit_transfer_id", "crypto_amount_sats"),
            ("lamassu_transactions", "commission_transfer_id", "commission_amount_sats"),
        )
    )
    return await _rows(
        "SELECT * FROM (SELECT DISTINCT o.transfer_id AS id, o.kind, "
        "CAST((SELECT SUM(amount_sats) FROM satmachineclient.dca_payouts "
        "WHERE transfer_id = o.transfer_id AND status <> 'voided') AS BIGINT) AS payout_sats, "
        f"CAST({carried} AS BIGINT) AS carried_sats FROM satmachineclient.dca_payouts o "
        "WHERE o.status <> 'voided' AND o.created_at >= :since"
        ") transfers WHERE payout_sats <> carried_sats",
        since=since,
    )


async def wrong_totals() -> list[Row]:
    """Totals that differ from the sums of their rows: by how much, per client and currency."""
    names = [field.name for field in fields(crud.Entry)][2:]
    differences = ", ".join(f"CAST(SUM({name}) AS BIGINT) AS {name}" for name in names)
    return await _rows(
        f"SELECT client_id, currency, {differences} FROM ("
        f"SELECT client_id, currency, {', '.join(names)} FROM satmachineclient.dca_balances "
        "UNION ALL SELECT client_id, currency, -1, -amount, 0, 0, 0, 0 "
        "FROM satmachineclient.dca_deposits WHERE status = 'confirmed' "
        "UNION ALL SELECT client_id, currency, 0, 0, -amount_fiat, -amount_sats, "
        "CASE WHEN status = 'confirmed' THEN -amount_fiat ELSE 0 END, "
        "CASE WHEN status = 'confirmed' THEN -amount_sats ELSE 0 END "
        "FROM satmachineclient.dca_payments WHERE status <> 'voided'"
        ") entries GROUP BY client_id, currency "
        f"HAVING {' OR '.join(f'SUM({name}) <> 0' for name in names)}"
    )


async def unpaid_but_confirmed(since: datetime) -> list[Row]:
    """Shares marked as confirmed without a transfer that is confirmed as a whole."""
    async with reading() as work:
        return await work.rows(
            "SELECT p.id FROM satmachineclient.dca_payments p "
            "WHERE p.status = 'confirmed' AND p.created_at >= :since AND COALESCE(("
            "SELECT MIN(CASE WHEN o.status = 'confirmed' THEN 1 ELSE 0 END) "
            "FROM satmachineclient.dca_payouts o WHERE o.transfer_id = p.transfer_id), 0) = 0",
            since=since,
        )


async def known_hashes(hashes: Iterable[str]) -> set[str]:
    """Those of these payment hashes that belong to a payout which is not voided."""
    known: set[str] = set()
    async with reading() as work:
        for chunk in chunks(hashes):
            rows = await work.rows(
                "SELECT payment_hash FROM satmachineclient.dca_payouts "
                "WHERE status <> 'voided' AND payment_hash IN :hashes",
                hashes=chunk,
            )
            known.update(row["payment_hash"] for row in rows)
    return known


async def lnbits_payments_tagged(since: datetime, tag: str) -> AsyncIterator[list[Row]]:
    """What LNbits itself has booked with our tag since then (its own table), in batches."""
    after: Row | None = None
    while True:
        time = core_db.timestamp_placeholder("since") if after is None else ":since"
        values = {"tag": tag, "since": since.timestamp(), "id": ""}
        if after is not None:
            values |= {"since": after["time"], "id": after["checking_id"]}
        async with core_db.connect() as connection:
            found = await connection.conn.execute(
                text(
                    "SELECT checking_id, payment_hash, time FROM apipayments "
                    # By the index on time: nearly all successful payments may be ours.
                    "WHERE COALESCE(tag, '') = :tag AND COALESCE(status, '') = 'success' "
                    f"AND time >= {time} "
                    f"AND (time > {time} OR checking_id > :id) "
                    f"ORDER BY time, checking_id LIMIT {BATCH}"
                ),
                values,
            )
            rows = list(found.mappings().all())
        if rows:
            yield rows
        if len(rows) < BATCH:
            return
        after = rows[-1]


async def lnbits_payments(checking_ids: Iterable[str]) -> list[Row]:
    """LNbits' own bookings with these ids."""
    statement = text(
        "SELECT checking_id, wallet_id, amount, status FROM apipayments WHERE checking_id IN :ids"
    ).bindparams(bindparam("ids", expanding=True))
    found: list[Row] = []
    for ids in chunks(checking_ids):
        async with core_db.connect() as connection:
            rows = await connection.conn.execute(statement, {"ids": ids})
            found += rows.mappings().all()
    return found

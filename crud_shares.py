"""SQL of the shares at rest: where shares are read from, and how those of old sales are kept small.

A share is a row of `dca_payments`, or, once its sale is archived, one of `dca_archived_shares`,
which holds what is this share's alone; what all shares of its sale have in common stands once in
`dca_archived_sales`, what all of one transfer have in `dca_archived_transfers`. Read from `SHARES`
both are the same rows, to the last column. The shares of one sale are always in one place.

Only what is paid or voided is archived: who looks for open shares reads `dca_payments` alone.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from lnbits.db import SQLITE, Filters

from .connection import db
from .database import Ledger, Row, beyond, chunks, fetch_rows, moment_of
from .helpers import ConflictError
from .models_sales import Payment

LIVE = "satmachineclient.dca_payments"
_OPEN = {"pending", "failed"}

# What is kept once for all the shares that have it in common.
_OF_SALE = ("transaction_id", "currency", "transaction_time", "created_at")
_OF_TRANSFER = (
    *("client_id", "wallet_id", "status", "transfer_id", "payment_hash", "error"),
    *("confirmed_at", "voided_at"),
)
_OF_SHARE = ("id", "amount_sats", "amount_fiat", "machine_fiat", "share")
_PLACES = {
    **dict.fromkeys(_OF_SALE, "s"),
    **dict.fromkeys(_OF_TRANSFER, "x"),
    **dict.fromkeys(_OF_SHARE, "h"),
}
_COLUMNS = list(Payment.__fields__)
_NAMES = ", ".join(_COLUMNS)
# SQLite begins with the sales, in the order of their times, where nothing else is asked for: it
# has no statistics by which it would, and each sale has been made at some time.
_SOMETIME = "WHERE s.created_at > 0" if db.type == SQLITE else ""
_LIVE = f"SELECT {_NAMES} FROM {LIVE}"
_ARCHIVED = (
    f"SELECT {', '.join(f'{_PLACES[name]}.{name}' for name in _COLUMNS)} "
    "FROM satmachineclient.dca_archived_sales s "
    "JOIN satmachineclient.dca_archived_shares h ON h.sale = s.number "
    f"JOIN satmachineclient.dca_archived_transfers x ON x.number = h.transfer {_SOMETIME}"
)
# A query names them `shares`.
ARCHIVED = f"({_ARCHIVED}) shares"
SHARES = f"({_LIVE} UNION ALL {_ARCHIVED}) shares"

# Of a transfer `o` of payouts: the sats of its archived shares, and whose they are.
ARCHIVED_SATS_OF_TRANSFER = (
    "(SELECT SUM(h.amount_sats) FROM satmachineclient.dca_archived_transfers x "
    "JOIN satmachineclient.dca_archived_shares h ON h.transfer = x.number "
    "WHERE x.transfer_id = o.transfer_id)"
)
CLIENT_OF_TRANSFER = (
    f"COALESCE((SELECT MIN(p.client_id) FROM {LIVE} p WHERE p.transfer_id = o.transfer_id), "
    "(SELECT MIN(x.client_id) FROM satmachineclient.dca_archived_transfers x "
    "WHERE x.transfer_id = o.transfer_id))"
)


def chosen(filters: Filters[Any]) -> str:
    """Where the shares that these filters choose are read from: open ones are not archived."""
    for each in filters.filters:
        if each.field == "status" and each.op.value in ("eq", "in"):
            if set((each.values or {}).values()) <= _OPEN:
                return LIVE
    return SHARES


def first_rows(source: str, where: str, order: str, number: int) -> str:
    """Where the first rows in this order are read from, at most so many.

    PostgreSQL would put the whole archive in order for them. SQLite merges the two as they come.
    """
    if source != SHARES or db.type == SQLITE:
        return source
    parts = (
        f"SELECT * FROM (SELECT * FROM {place} {where} ORDER BY {order} LIMIT {number}) {name}"
        for place, name in ((f"({_LIVE}) shares", "live"), (ARCHIVED, "archived"))
    )
    return f"({' UNION ALL '.join(parts)}) shares"


def number_of(source: str, where: str) -> str:
    """SQL: how many rows there are; the two kinds of shares are counted apart, by an index each."""
    if source != SHARES:
        return f"SELECT COUNT(*) AS number FROM {source} {where}"
    live, archived = (f"(SELECT COUNT(*) FROM {place} {where})" for place in (LIVE, ARCHIVED))
    return f"SELECT {live} + {archived} AS number"


async def between(work: Ledger, begin: datetime, end: datetime) -> str:
    """Where the shares in the sales of this time are read from."""
    rows = await work.rows(
        "SELECT 1 FROM satmachineclient.dca_archived_sales "
        "WHERE transaction_time >= :begin AND transaction_time < :end LIMIT 1",
        begin=begin,
        end=end,
    )
    return SHARES if rows else f"{LIVE} shares"


async def voided_since(work: Ledger, time: datetime) -> str:
    """Where the shares that were voided since then are read from."""
    rows = await work.rows(
        "SELECT 1 FROM satmachineclient.dca_archived_transfers WHERE voided_at >= :time LIMIT 1",
        time=time,
    )
    return SHARES if rows else f"{LIVE} shares"


# ---- into the archive, and out of it again ---------------------------------------------------


async def archive(work: Ledger, transaction_ids: Sequence[str]) -> int:
    """Move all shares of these sales into the archive; how many they were.

    They are read back before the originals go.

    Raises:
        ConflictError: one of them would not come back as it was.
    """
    rows = await work.rows(f"{_LIVE} WHERE transaction_id IN :ids", ids=list(transaction_ids))
    sales = await _insert_sales(work, rows)
    transfers = await _insert_transfers(work, rows)
    await work.execute_many(
        _insert("dca_archived_shares", "sale", "transfer", *_OF_SHARE),
        [
            {
                "sale": sales[row["transaction_id"]],
                "transfer": transfers[_of(row, _OF_TRANSFER)],
                **{name: row[name] for name in _OF_SHARE},
            }
            for row in rows
        ],
    )
    lost = await work.rows(
        f"{_LIVE} WHERE transaction_id IN :ids "
        f"EXCEPT SELECT {_NAMES} FROM {ARCHIVED} WHERE transaction_id IN :ids",
        ids=list(transaction_ids),
    )
    gone = await work.execute(
        f"DELETE FROM {LIVE} WHERE transaction_id IN :ids", ids=list(transaction_ids)
    )
    if lost or gone != len(rows):
        raise ConflictError("A share would not be the same in the archive: it stays where it is.")
    return gone


def _insert(table: str, *names: str) -> str:
    marks = ", ".join(f":{name}" for name in names)
    return f"INSERT INTO satmachineclient.{table} ({', '.join(names)}) VALUES ({marks})"


def _of(row: Row, names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


async def _next_number(work: Ledger, table: str) -> int:
    [row] = await work.rows(
        f"SELECT COALESCE(MAX(number), 0) + 1 AS number FROM satmachineclient.{table}"
    )
    return int(row["number"])


async def _insert_sales(work: Ledger, rows: Sequence[Row]) -> dict[str, int]:
    """What the shares of each sale have in common, and their sums; the sales' numbers."""
    number = await _next_number(work, "dca_archived_sales")
    sales: dict[str, dict[str, Any]] = {}
    for row in rows:
        sale = sales.setdefault(
            row["transaction_id"],
            {
                "number": number + len(sales),
                **{name: row[name] for name in _OF_SALE},
                **dict.fromkeys(_SUMS, 0),
            },
        )
        sale["shares"] += 1
        if row["status"] != "voided":
            sale["clients_count"] += 1
            sale["distributed_sats"] += row["amount_sats"]
            sale["distributed_fiat"] += row["amount_fiat"]
    await work.execute_many(
        _insert("dca_archived_sales", "number", *_OF_SALE, *_SUMS), list(sales.values())
    )
    return {key: sale["number"] for key, sale in sales.items()}


_SUMS = ("shares", "clients_count", "distributed_sats", "distributed_fiat")


async def _insert_transfers(work: Ledger, rows: Sequence[Row]) -> dict[tuple[Any, ...], int]:
    """What shares of one transfer have in common, if it is not there yet; each one's number."""
    number = await _next_number(work, "dca_archived_transfers")
    numbers: dict[tuple[Any, ...], int] = {}
    for ids in chunks(row["transfer_id"] for row in rows if row["transfer_id"]):
        for stored in await work.rows(
            f"SELECT number, {', '.join(_OF_TRANSFER)} "
            "FROM satmachineclient.dca_archived_transfers WHERE transfer_id IN :ids",
            ids=ids,
        ):
            numbers[_of(stored, _OF_TRANSFER)] = stored["number"]
    new = sorted({_of(row, _OF_TRANSFER) for row in rows} - set(numbers), key=str)
    numbers |= {each: number + n for n, each in enumerate(new)}
    await work.execute_many(
        _insert("dca_archived_transfers", "number", *_OF_TRANSFER),
        [{"number": numbers[each], **dict(zip(_OF_TRANSFER, each, strict=True))} for each in new],
    )
    return numbers


async def restore(work: Ledger, transfer_id: str) -> None:
    """Bring the sales back out of the archive of which this transfer carries shares."""
    sales = await work.rows(
        "SELECT s.transaction_id FROM satmachineclient.dca_archived_sales s "
        "WHERE s.number IN (SELECT h.sale FROM satmachineclient.dca_archived_shares h "
        "JOIN satmachineclient.dca_archived_transfers x ON x.number = h.transfer "
        "WHERE x.transfer_id = :transfer)",
        transfer=transfer_id,
    )
    for ids in chunks(sale["transaction_id"] for sale in sales):
        await _restore_sales(work, ids)


async def _restore_sales(work: Ledger, ids: list[str]) -> None:
    await work.execute(
        f"INSERT INTO {LIVE} ({_NAMES}) "
        f"SELECT {_NAMES} FROM {ARCHIVED} WHERE transaction_id IN :ids",
        ids=ids,
    )
    of_these = (
        "WHERE sale IN (SELECT number FROM satmachineclient.dca_archived_sales "
        "WHERE transaction_id IN :ids)"
    )
    carried = await work.rows(
        f"SELECT DISTINCT transfer FROM satmachineclient.dca_archived_shares {of_these}", ids=ids
    )
    await work.execute(
        f"DELETE FROM satmachineclient.dca_archived_shares {of_these}",
        ids=ids,
    )
    await work.execute(
        "DELETE FROM satmachineclient.dca_archived_sales WHERE transaction_id IN :ids", ids=ids
    )
    await work.execute_many(
        "DELETE FROM satmachineclient.dca_archived_transfers WHERE number = :number "
        "AND NOT EXISTS (SELECT 1 FROM satmachineclient.dca_archived_shares h "
        "WHERE h.transfer = :number)",
        [{"number": row["transfer"]} for row in carried],
    )


# ---- what may be archived --------------------------------------------------------------------


async def next_sales(work: Ledger, end: datetime, after: Row | None, limit: int) -> list[Row]:
    """The next sales from before this time that have shares in no archive, oldest first."""
    place, values = "", dict[str, Any]()
    if after is not None:
        place = f"AND {beyond('t.transaction_time', 't.id')}"
        values = {"at": after["transaction_time"], "behind": after["id"]}
    return await work.rows(
        "SELECT t.id, t.transaction_time, t.clients_count "
        f"FROM satmachineclient.lamassu_transactions t WHERE t.transaction_time < :end {place} "
        f"AND EXISTS (SELECT 1 FROM {LIVE} p WHERE p.transaction_id = t.id) "
        f"ORDER BY t.transaction_time, t.id LIMIT {limit}",
        end=end,
        **values,
    )


async def ready(work: Ledger, transaction_ids: Sequence[str]) -> list[str]:
    """Those of these sales that may be archived: all that hangs on them is done.

    What a person has decided on, share by share, stays: the audit log finds it by its id.
    """
    same = " AND ".join(f"MIN(p.{name}) = MAX(p.{name})" for name in _OF_SALE)
    rows = await work.rows(
        "SELECT t.id FROM satmachineclient.lamassu_transactions t "
        "WHERE t.id IN :ids AND t.status IN ('settled', 'dismissed') AND NOT EXISTS ("
        f"SELECT 1 FROM {LIVE} p WHERE p.transaction_id = t.id AND ("
        "p.status IN ('pending', 'failed') "
        "OR EXISTS (SELECT 1 FROM satmachineclient.dca_payouts o "
        "WHERE o.transfer_id = p.transfer_id AND o.status IN ('pending', 'failed')) "
        "OR EXISTS (SELECT 1 FROM satmachineclient.dca_audit a WHERE a.subject = p.id))) "
        f"AND (SELECT {same} FROM {LIVE} p WHERE p.transaction_id = t.id) "
        "ORDER BY t.transaction_time, t.id",
        ids=list(transaction_ids),
    )
    return [row["id"] for row in rows]


async def count_open(work: Ledger, end: datetime) -> int:
    """Sales, shares, payouts and commissions from before this time that are not finally settled.

    With them LNbits' payments that were adopted and fit nothing yet, of whatever time.
    """
    unpaid = "status IN ('pending', 'failed')"
    [row] = await work.rows(
        "SELECT (SELECT COUNT(*) FROM satmachineclient.lamassu_transactions "
        "WHERE status IN ('planned', 'needs_review') AND transaction_time < :end) "
        f"+ (SELECT COUNT(*) FROM {LIVE} WHERE {unpaid} AND transaction_time < :end) "
        f"+ (SELECT COUNT(*) FROM satmachineclient.dca_payouts WHERE {unpaid} "
        "AND created_at < :end) "
        f"+ (SELECT COUNT(*) FROM satmachineclient.dca_commission_shares WHERE {unpaid} "
        "AND created_at < :end) "
        "+ (SELECT COUNT(*) FROM satmachineclient.dca_adopted "
        "WHERE status IN ('waiting', 'unclear')) AS number",
        end=end,
    )
    return int(row["number"])


async def sums_within(work: Ledger, begin: datetime, end: datetime) -> Row:
    """Of the sales of this time: how many have shares, the shares, and what of it is archived."""
    [row] = await work.rows(
        "SELECT COUNT(*) AS sales, CAST(COALESCE(SUM(t.clients_count), 0) AS BIGINT) AS shares, "
        "COUNT(a.number) AS archived_sales, "
        "CAST(COALESCE(SUM(a.clients_count), 0) AS BIGINT) AS archived_shares "
        "FROM satmachineclient.lamassu_transactions t "
        "LEFT JOIN satmachineclient.dca_archived_sales a ON a.transaction_id = t.id "
        "WHERE t.transaction_time >= :begin AND t.transaction_time < :end "
        "AND t.clients_count > 0",
        begin=begin,
        end=end,
    )
    return row


async def first_sale(work: Ledger) -> datetime | None:
    """When the first sale was, if there is one."""
    [row] = await work.rows(
        "SELECT MIN(transaction_time) AS at FROM satmachineclient.lamassu_transactions"
    )
    return None if row["at"] is None else moment_of(row["at"])


async def sizes(work: Ledger) -> tuple[int, int | None]:
    """The bytes of all tables of ours, and of them those that are free for new rows, if known."""
    if db.type == SQLITE:
        names = ("page_size", "page_count", "freelist_count")
        size, pages, free = [
            (await work.rows(f"PRAGMA satmachineclient.{name}"))[0][name] for name in names
        ]
        return pages * size, free * size
    [row] = await work.rows(
        "SELECT CAST(SUM(pg_total_relation_size(c.oid)) AS BIGINT) AS bytes FROM pg_class c "
        "JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = 'satmachineclient' AND c.relkind = 'r'"
    )
    return row["bytes"], None


# ---- does the archive agree with itself ------------------------------------------------------


async def differing_sales(begin: datetime, end: datetime) -> list[Row]:
    """Sales whose archived shares do not add up to what was archived, or that have others, too.

    Of those whose shares were made in this time.
    """
    made = "created_at >= :begin AND created_at < :end"
    return await fetch_rows(
        "SELECT transaction_id AS id FROM ("
        "SELECT transaction_id, shares, clients_count, distributed_sats, distributed_fiat "
        f"FROM satmachineclient.dca_archived_sales WHERE {made} UNION ALL "
        "SELECT transaction_id, -1, CASE WHEN status = 'voided' THEN 0 ELSE -1 END, "
        "CASE WHEN status = 'voided' THEN 0 ELSE -amount_sats END, "
        "CASE WHEN status = 'voided' THEN 0 ELSE -amount_fiat END "
        f"FROM {ARCHIVED} WHERE {made}) entries GROUP BY transaction_id "
        f"HAVING {' OR '.join(f'SUM({name}) <> 0' for name in _SUMS)} "
        "UNION SELECT s.transaction_id "
        f"FROM satmachineclient.dca_archived_sales s JOIN {LIVE} p "
        f"ON p.transaction_id = s.transaction_id WHERE s.{made.replace('AND ', 'AND s.')}",
        begin=begin,
        end=end,
    )

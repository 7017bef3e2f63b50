"""LNbits' own database: a connection on which little commits, and SQL of its tables.

Nowhere else but in `paying` is there any: booked payments, wallets, users.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timezone
from typing import Any

from lnbits.core.crud import wallets as core_wallets
from lnbits.core.db import db as core_db
from lnbits.core.models import Payment as LnbitsPayment
from lnbits.core.models import Wallet
from lnbits.db import Connection, insert_query, model_to_dict, update_query
from pydantic import BaseModel
from sqlalchemy import bindparam, text

from .connection import connected, opened, ours_attached, whole
from .database import Row, chunks

_BATCH = 1000


class CoreConnection(Connection):
    """A connection to LNbits' own database on which only a change of a payment commits.

    LNbits' own commits after every statement, and after some that only read. To pay inside itself
    it inserts the debit and then changes the invoice to paid, which is the credit: so both are
    booked in one commit, before LNbits tells anybody, and nothing before that ends the
    transaction that `core.only_we_pay` has locked.
    """

    async def insert(self, table_name: str, model: BaseModel) -> None:
        await self.conn.execute(text(insert_query(table_name, model)), model_to_dict(model))

    async def update(
        self, table_name: str, model: BaseModel, where: str = "WHERE id = :id"
    ) -> None:
        await self.conn.execute(text(update_query(table_name, model, where)), model_to_dict(model))
        if table_name == "apipayments":
            await self.conn.commit()

    async def execute(self, query: str, values: dict[str, Any] | None = None) -> Any:
        bound = self.rewrite_values(values) if values else {}
        return await self.conn.execute(text(self.rewrite_query(query)), bound)


async def connect_to_core() -> CoreConnection:
    """A connection to LNbits' own database, to be used under LNbits' lock and closed.

    On SQLite the ledger's file is attached to it.
    """
    opening = asyncio.ensure_future(opened(core_db, with_ours=True))
    try:
        raw = await whole(opening)
    except asyncio.CancelledError:
        if not opening.cancelled() and not opening.exception():
            await whole(opening.result().close())
        raise
    return CoreConnection(raw, core_db.type, core_db.name, core_db.schema)


async def get_wallet(wallet_id: str) -> Wallet | None:
    """LNbits' own function, on a connection on which SQLite adds up no other wallet's balance."""
    async with connected(core_db) as connection:
        return await core_wallets.get_wallet(wallet_id, conn=connection)


# ---- SQL of its tables -----------------------------------------------------------------------


async def tagged_payments(since: datetime, until: datetime, tag: str) -> AsyncIterator[list[Row]]:
    """What bears this tag and may be ours, booked from `since` to before `until`, in batches.

    That is every debit, and what says of itself that it is a credit. Anybody can write a tag.
    """
    begin: Any = since.timestamp()
    time = core_db.timestamp_placeholder("begin")
    before = f"time < {core_db.timestamp_placeholder('until')}"
    while begin is not None:
        # By the index on time: nearly all successful payments may be ours. PostgreSQL takes them
        # for few, and with a LIMIT here would read all for each batch.
        async with connected(core_db) as connection:
            later = await _fetched(
                connection,
                f"SELECT time FROM apipayments WHERE time > {time} AND {before} "
                f"ORDER BY time LIMIT 1 OFFSET {_BATCH}",
                begin=begin,
                until=until.timestamp(),
            )
            end = {"end": later[0]["time"]} if later else {}
            rows = await _fetched(
                connection,
                "SELECT checking_id, payment_hash, wallet_id, amount, fee, bolt11, time, extra, "
                "external_id FROM apipayments "
                "WHERE COALESCE(tag, '') = :tag AND COALESCE(status, '') = 'success' "
                "AND (amount < 0 OR extra LIKE :credit) "
                f"AND time >= {time} AND {'time < :end' if end else before} "
                "ORDER BY time, checking_id",
                begin=begin,
                tag=tag,
                credit='%"kind": "credit"%',
                **(end or {"until": until.timestamp()}),
            )
        if rows:
            yield rows
        begin, time = end.get("end"), ":begin"


async def bookings(checking_ids: Iterable[str]) -> dict[str, Row]:
    """LNbits' own bookings with these ids, by them."""
    found: dict[str, Row] = {}
    for ids in chunks(checking_ids):
        for row in await _rows(
            "SELECT checking_id, wallet_id, amount, fee, status, external_id FROM apipayments "
            "WHERE checking_id IN :ids",
            ids=ids,
        ):
            found[row["checking_id"]] = row
    return found


async def lnbits_debit(wallet_id: str, payment_hash: str) -> LnbitsPayment | None:
    """What this wallet paid, pays or tried to pay of the invoice with this hash."""
    found: list[LnbitsPayment] = await core_db.fetchall(
        "SELECT * FROM apipayments "
        "WHERE payment_hash = :hash AND wallet_id = :wallet AND amount < 0",
        {"hash": payment_hash, "wallet": wallet_id},
        LnbitsPayment,
    )
    return found[0] if found else None


async def lnbits_invoice_wallet(payment_hash: str) -> str | None:
    """The wallet of this LNbits that the invoice with this hash pays, if it is one of its own."""
    rows: list[Row] = await core_db.fetchall(
        "SELECT wallet_id FROM apipayments "
        "WHERE payment_hash = :hash AND amount > 0 AND checking_id NOT LIKE 'service_fee_%'",
        {"hash": payment_hash},
    )
    return str(rows[0]["wallet_id"]) if rows else None


async def lnbits_debits(payment_hashes: Iterable[str]) -> list[Row]:
    """LNbits' outgoing bookings with these hashes."""
    statement = text(
        "SELECT payment_hash, wallet_id, amount, fee, status FROM apipayments "
        "WHERE amount < 0 AND payment_hash IN :hashes"
    ).bindparams(bindparam("hashes", expanding=True))
    found: list[Row] = []
    for hashes in chunks(payment_hashes):
        async with connected(core_db) as connection:
            rows = await connection.conn.execute(statement, {"hashes": hashes})
            found += rows.mappings().all()
    return found


async def owners(wallet_ids: Iterable[str]) -> dict[str, str]:
    """Whose these wallets are, also those that were deleted."""
    found: dict[str, str] = {}
    for ids in chunks(wallet_ids):
        for row in await _rows('SELECT id, "user" FROM wallets WHERE id IN :ids', ids=ids):
            found[row["id"]] = row["user"]
    return found


async def _rows(sql: str, **values: Any) -> list[Row]:
    async with connected(core_db) as connection:
        return await _fetched(connection, sql, **values)


async def _fetched(connection: Connection, sql: str, **values: Any) -> list[Row]:
    lists = [bindparam(k, expanding=True) for k, v in values.items() if isinstance(v, list)]
    statement = text(sql).bindparams(*lists) if lists else text(sql)
    return list((await connection.conn.execute(statement, values)).mappings().all())


def time_of(value: Any) -> datetime:
    """A time as LNbits stores it: seconds on SQLite, UTC without its zone on PostgreSQL."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=timezone.utc)
    return datetime.fromtimestamp(float(value), timezone.utc)


# ---- what the limits of a wallet go by, on the connection of a payment --------------------------


async def last_booking(conn: Connection, wallet_id: str) -> datetime | None:
    """When anything was last booked on this wallet, in or out."""
    row: Any = await conn.fetchone(
        "SELECT MAX(time) AS time FROM apipayments WHERE wallet_id = :id", {"id": wallet_id}
    )
    return time_of(row["time"]) if row and row["time"] is not None else None


async def spent_since(conn: Connection, wallet_id: str, since: datetime) -> tuple[int, int]:
    """How many payments left this wallet since then, and how much they were, in msat."""
    row: Any = await conn.fetchone(
        "SELECT COUNT(*) AS number, CAST(COALESCE(SUM(-amount), 0) AS BIGINT) AS msat "
        "FROM apipayments WHERE wallet_id = :id AND amount < 0 "
        f"AND time > {core_db.timestamp_placeholder('since')}",
        {"id": wallet_id, "since": int(since.timestamp())},
    )
    return int(row["number"]), int(row["msat"])


async def user_names(user_ids: Iterable[str]) -> dict[str, str]:
    """What LNbits calls its users, by their ids; who has no name there is left out."""
    statement = text(
        "SELECT id, COALESCE(NULLIF(username, ''), email) AS name FROM accounts WHERE id IN :ids"
    ).bindparams(bindparam("ids", expanding=True))
    names: dict[str, str] = {}
    for ids in chunks(user_ids):
        async with connected(core_db) as connection:
            rows = await connection.conn.execute(statement, {"ids": ids})
            names |= {row["id"]: row["name"] for row in rows.mappings() if row["name"]}
    return names


async def without_wallet(named: str, order: str) -> list[Row]:
    """Of the rows of this query those whose `wallet_id` is no wallet, or one whose user is gone.

    `named`, called so in `order`, reads the extension's tables: both databases are asked at once,
    so that what is well, which is nearly all, need not be read, nor be put in order.
    """
    sql = (
        f"SELECT named.* FROM ({named}) named "
        "LEFT JOIN wallets w ON w.id = named.wallet_id AND w.deleted = false "
        f'LEFT JOIN accounts a ON a.id = w."user" WHERE a.id IS NULL ORDER BY {order}'
    )
    async with connected(core_db) as core, ours_attached(core):
        return await _fetched(core, sql)


async def living_wallets(wallet_ids: Iterable[str]) -> set[str]:
    """Those of these wallets that are there, and whose user is."""
    living = (
        'FROM wallets w JOIN accounts a ON a.id = w."user" WHERE w.deleted = false AND w.id IN :ids'
    )
    ids = bindparam("ids", expanding=True)
    number = text(f"SELECT COUNT(*) {living}").bindparams(ids)
    those = text(f"SELECT w.id {living}").bindparams(ids)
    found: set[str] = set()
    for part in chunks(wallet_ids):
        async with connected(core_db) as connection:
            # Most often all are there, and which ones need not be asked.
            if (await connection.conn.execute(number, {"ids": part})).scalar() == len(part):
                found.update(part)
                continue
            rows = await connection.conn.execute(those, {"ids": part})
            found |= {str(row["id"]) for row in rows.mappings()}
    return found

"""SQL of overview, exports and the audit log's names: sums by day, tables in batches. Reads only.

Fiat sums are minor units, bitcoin sums sats. What is told by the day is summed by the quarter of an
hour here: every time zone's days begin at one.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from lnbits.db import SQLITE, Filters
from sqlalchemy.exc import DBAPIError

from ..connection import db
from ..crud import OWNERS, first_shown, shown
from ..crud_shares import SHARES
from ..database import Row, beyond, chunks, each_of, fetch_rows, reading
from ..models_payouts import Owner

QUARTER_SECONDS = 900


def quarter_of(time_column: str) -> str:
    """Which quarter of an hour since 1970 a time is in, as SQL."""
    if db.type == SQLITE:
        return f"CAST({time_column} / {QUARTER_SECONDS} AS INTEGER)"
    return f"CAST(FLOOR(EXTRACT(EPOCH FROM {time_column}) / {QUARTER_SECONDS}) AS BIGINT)"


# ---- the overview ----------------------------------------------------------------------------


async def sales_by_quarter(since: datetime) -> list[Row]:
    """Per quarter and currency: how many sales were shared out, their commission, what went out.

    A sale's row says what its shares are worth, so that the shares need not be read.
    """
    return await fetch_rows(
        f"SELECT {quarter_of('transaction_time')} AS quarter, fiat_code AS currency, "
        "CAST(SUM(CASE WHEN direction = 'settle_out' THEN 0 ELSE 1 END) AS BIGINT) AS sales, "
        "CAST(SUM(commission_amount_sats) AS BIGINT) AS commission, "
        "CAST(SUM(distributed_sats) AS BIGINT) AS sats, "
        "CAST(SUM(fiat_amount - undistributed_fiat) AS BIGINT) AS allocated "
        "FROM satmachineclient.lamassu_transactions "
        "WHERE transaction_time >= :since AND status IN ('planned', 'settled') "
        "GROUP BY 1, fiat_code",
        since=since,
    )


async def gone_by_currency(since: datetime, until: datetime) -> list[Row]:
    """Per currency: how much of the clients' cash sales took in this time, and the `first` when.

    Where nothing went out there is no row.
    """
    return await fetch_rows(
        "SELECT fiat_code AS currency, MIN(transaction_time) AS first, "
        "CAST(SUM(fiat_amount - undistributed_fiat) AS BIGINT) AS amount "
        "FROM satmachineclient.lamassu_transactions "
        "WHERE transaction_time >= :since AND transaction_time < :until "
        "AND status IN ('planned', 'settled') AND fiat_amount > undistributed_fiat "
        "GROUP BY fiat_code",
        since=since,
        until=until,
    )


async def open_shares_by_quarter() -> list[Row]:
    """Per quarter of the sale and currency: sats and fiat of the shares that are not paid yet."""
    return await fetch_rows(
        f"SELECT {quarter_of('transaction_time')} AS quarter, currency, "
        "CAST(SUM(amount_sats) AS BIGINT) AS sats, "
        "CAST(SUM(amount_fiat) AS BIGINT) AS fiat FROM satmachineclient.dca_payments "
        "WHERE status IN ('pending', 'failed') GROUP BY 1, currency"
    )


async def shares_by_quarter(since: datetime, client_id: str) -> list[Row]:
    """One client's, per quarter and currency: sats and fiat paid, fiat that is allocated."""
    return await fetch_rows(
        f"SELECT {quarter_of('transaction_time')} AS quarter, currency, "
        "CAST(SUM(CASE WHEN status = 'confirmed' THEN amount_sats ELSE 0 END) AS BIGINT) AS sats, "
        "CAST(SUM(CASE WHEN status = 'confirmed' THEN amount_fiat ELSE 0 END) AS BIGINT) AS fiat, "
        f"CAST(SUM(amount_fiat) AS BIGINT) AS allocated FROM {SHARES} "
        "WHERE status <> 'voided' AND client_id = :client AND transaction_time >= :since "
        "GROUP BY 1, currency",
        since=since,
        client=client_id,
    )


async def deposits_by_quarter(since: datetime, client_id: str | None = None) -> list[Row]:
    """Confirmed deposits per currency and quarter of an hour since 1970."""
    return await fetch_rows(
        f"SELECT currency, {quarter_of('confirmed_at')} AS quarter, "
        "CAST(SUM(amount) AS BIGINT) AS amount FROM satmachineclient.dca_deposits "
        "WHERE status = 'confirmed' AND confirmed_at >= :since "
        f"{'' if client_id is None else 'AND client_id = :client'} GROUP BY 1, 2",
        since=since,
        **({} if client_id is None else {"client": client_id}),
    )


async def fees_by_quarter(since: datetime) -> list[Row]:
    """LNbits' service fees of payouts, in msat, per quarter of an hour since 1970."""
    return await fetch_rows(
        f"SELECT {quarter_of('confirmed_at')} AS quarter, CAST(SUM(fee_msat) AS BIGINT) AS fee "
        "FROM satmachineclient.dca_payouts WHERE status = 'confirmed' "
        "AND confirmed_at >= :since AND fee_msat > 0 GROUP BY 1",
        since=since,
    )


async def deposits_by_currency() -> list[Row]:
    """What all clients have put in and what of it went out, what waits, and how many they are."""
    return await fetch_rows(
        "SELECT currency, CAST(SUM(deposited) AS BIGINT) AS confirmed, "
        "CAST(SUM(allocated) AS BIGINT) AS allocated, CAST(SUM(pending) AS BIGINT) AS pending, "
        "CAST(SUM(waiting) AS BIGINT) AS waiting, CAST(SUM(clients) AS BIGINT) AS clients, "
        "CAST(SUM(deposits) AS BIGINT) AS deposits FROM ("
        "SELECT currency, SUM(deposited) AS deposited, SUM(allocated_fiat) AS allocated, "
        "SUM(deposits) AS deposits, SUM(CASE WHEN deposits > 0 THEN 1 ELSE 0 END) AS clients, "
        "0 AS pending, 0 AS waiting FROM satmachineclient.dca_balances GROUP BY currency "
        "UNION ALL SELECT currency, 0, 0, 0, 0, SUM(amount), COUNT(*) "
        "FROM satmachineclient.dca_deposits WHERE status = 'pending' GROUP BY currency"
        ") entries GROUP BY currency ORDER BY currency"
    )


async def open_shares() -> dict[str, tuple[int, int]]:
    """By state: how many shares are not paid, and their sats.

    Of the pending ones those are `scheduled` that wait for nothing but the next payout: no transfer
    carries them yet, and none was refused.
    """
    rows = await fetch_rows(
        "SELECT CASE WHEN status = 'pending' AND transfer_id IS NULL AND error IS NULL "
        "THEN 'scheduled' ELSE status END AS state, "
        "COUNT(*) AS number, CAST(SUM(amount_sats) AS BIGINT) AS sats "
        "FROM satmachineclient.dca_payments WHERE status IN ('pending', 'failed') GROUP BY 1"
    )
    return {row["state"]: (row["number"], row["sats"]) for row in rows}


async def open_sales() -> Row:
    """How many sales wait, and the sats of commissions and credits that are still to be moved."""
    rows = await fetch_rows(
        "SELECT CAST(COALESCE(SUM(CASE WHEN status = 'planned' THEN 1 ELSE 0 END), 0) AS BIGINT) "
        "AS unsettled, "
        "CAST(COALESCE(SUM(CASE WHEN status = 'needs_review' THEN 1 ELSE 0 END), 0) AS BIGINT) "
        "AS reviews, "
        "CAST(COALESCE(SUM(CASE WHEN status = 'planned' AND commission_status = 'pending' "
        "THEN commission_amount_sats - partners_sats ELSE 0 END), 0) AS BIGINT) AS commission, "
        "CAST(COALESCE(SUM(CASE WHEN status = 'planned' AND commission_status = 'pending' "
        "THEN 1 ELSE 0 END), 0) AS BIGINT) AS commissions, "
        "CAST(COALESCE(SUM(CASE WHEN status = 'planned' AND credit_status = 'pending' "
        "THEN crypto_amount_sats ELSE 0 END), 0) AS BIGINT) AS credit "
        "FROM satmachineclient.lamassu_transactions WHERE status IN ('planned', 'needs_review')"
    )
    return rows[0]


async def numbers() -> Row:
    """How many clients there are, how many wait for approval, and how many left with cash."""
    rows = await fetch_rows(
        "SELECT (SELECT COUNT(*) FROM satmachineclient.dca_clients) AS clients, "
        "(SELECT COUNT(*) FROM satmachineclient.dca_clients WHERE status = 'pending') AS pending, "
        f"(SELECT COUNT(*) FROM {shown('dca_clients')} "
        "WHERE status = 'closed' AND to_settle = true) AS to_settle"
    )
    return rows[0]


async def partner_names() -> dict[str, str]:
    rows = await fetch_rows("SELECT id, name FROM satmachineclient.dca_partners")
    return {row["id"]: row["name"] for row in rows}


async def open_partner_sats() -> tuple[int, int]:
    """What is the partners' and not paid yet, and in how many parts."""
    [row] = await fetch_rows(
        "SELECT COUNT(*) AS number, CAST(COALESCE(SUM(amount_sats), 0) AS BIGINT) AS sats "
        "FROM satmachineclient.dca_commission_shares WHERE status IN ('pending', 'failed')"
    )
    return int(row["sats"]), int(row["number"])


async def machines() -> list[str]:
    """The machines that sales were read of."""
    return await _distinct("device_id")


async def sale_currencies() -> list[str]:
    return await _distinct("fiat_code")


async def _distinct(column: str) -> list[str]:
    values = each_of("satmachineclient.lamassu_transactions", column)
    return [row["value"] for row in await fetch_rows(f"SELECT value FROM {values} ORDER BY value")]


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
        behind = [beyond(time_column)]
        values |= {"at": after[time_column], "behind": after["id"]}
    where, order = filters.where(behind), f"{time_column}, id"
    source = first_shown(table, filters, where, order, limit)
    sql = f"SELECT * FROM {source} {where} ORDER BY {order} LIMIT {limit}"
    try:
        return await fetch_rows(sql, **values)
    except DBAPIError:
        raise ValueError("a filter's value does not fit its field") from None


# The wallets that money is paid from and into, and whose they are: of clients who have not left.
NEEDED_WALLETS = (
    "SELECT 'source' AS what, source_wallet_id AS id, NULL AS name, source_wallet_id AS wallet_id "
    "FROM satmachineclient.lamassu_config UNION ALL "
    "SELECT 'commission', commission_wallet_id, NULL, commission_wallet_id "
    "FROM satmachineclient.lamassu_config WHERE commission_wallet_id <> source_wallet_id UNION ALL "
    "SELECT 'client', id, username, wallet_id "
    "FROM satmachineclient.dca_clients WHERE status IN ('active', 'paused') "
    "UNION ALL SELECT 'partner', id, name, wallet_id FROM satmachineclient.dca_partners "
    "WHERE status = 'active'"
)


# ---- totals of a list ------------------------------------------------------------------------

_MILLION = 1_000_000


async def sums(
    table: str, currency: str | None, columns: Mapping[str, str], filters: Filters[Any]
) -> list[Row]:
    """The sums over the rows that the filters choose, by currency; `columns`: name to SQL.

    Each row has its `code`, the `number` of rows, and the columns.

    Raises:
        ValueError: a filter's value does not fit its column.
    """
    code = currency or "''"
    return await _summed(
        f"SELECT {code} AS code, COUNT(*) AS number{_in_halves(columns)} "
        f"FROM {shown(table, filters)} {filters.where()} GROUP BY 1 ORDER BY 1",
        columns,
        filters,
    )


async def sums_of_balances(columns: Mapping[str, str], filters: Filters[Any]) -> list[Row]:
    """The same of the balances of the clients whom the filters choose."""
    return await _summed(
        f"SELECT currency AS code, COUNT(*) AS number{_in_halves(columns)} "
        "FROM satmachineclient.dca_balances WHERE client_id IN ("
        f"SELECT id FROM {shown('dca_clients')} {filters.where()}) GROUP BY 1 ORDER BY 1",
        columns,
        filters,
    )


def _in_halves(columns: Mapping[str, str]) -> str:
    """Sums of millions and of the rest: whole, they could leave 64 bits, which ends a query."""
    return "".join(
        f", CAST(SUM(({what}) / {_MILLION}) AS BIGINT) AS {name}_high"
        f", CAST(SUM(({what}) % {_MILLION}) AS BIGINT) AS {name}_low"
        for name, what in columns.items()
    )


async def _summed(sql: str, columns: Iterable[str], filters: Filters[Any]) -> list[Row]:
    values = {
        name: value.timestamp() if isinstance(value, datetime) else value
        for name, value in filters.values().items()
    }
    try:
        rows = await fetch_rows(sql, **values)
    except DBAPIError:
        raise ValueError("a filter's value does not fit its field") from None
    return [
        {
            "code": row["code"],
            "number": row["number"],
            **{n: row[f"{n}_high"] * _MILLION + row[f"{n}_low"] for n in columns},
        }
        for row in rows
    ]


# ---- by name ---------------------------------------------------------------------------------


async def owners(ids: Iterable[str]) -> dict[str, Owner]:
    """The clients and partners with these ids."""
    found: dict[str, Owner] = {}
    async with reading() as work:
        for some in chunks(ids):
            rows = await work.fetch(Owner, f"SELECT * FROM {OWNERS} WHERE id IN :ids", ids=some)
            found |= {owner.id: owner for owner in rows}
    return found


_OWNERS = (
    f"SELECT id, name AS username FROM {OWNERS} WHERE id IN :ids",
    "SELECT d.id, c.username FROM satmachineclient.dca_deposits d "
    "JOIN satmachineclient.dca_clients c ON c.id = d.client_id WHERE d.id IN :ids",
    "SELECT p.id, c.username FROM satmachineclient.dca_payments p "
    "JOIN satmachineclient.dca_clients c ON c.id = p.client_id WHERE p.id IN :ids",
)


async def owner_names(ids: Iterable[str]) -> dict[str, str]:
    """The named clients whose client, deposit or share each of these ids is, and the partners."""
    names: dict[str, str] = {}
    for some in chunks(ids):
        for sql in _OWNERS:
            names |= {r["id"]: r["username"] for r in await fetch_rows(sql, ids=some)}
    return {key: name for key, name in names.items() if name}


async def terms_texts(hashes: Iterable[str]) -> dict[str, str]:
    """The texts of terms that somebody accepted, by their hashes."""
    texts: dict[str, str] = {}
    for some in chunks(hashes):
        rows = await fetch_rows(
            "SELECT hash, text FROM satmachineclient.dca_terms_texts WHERE hash IN :hashes",
            hashes=some,
        )
        texts |= {row["hash"]: row["text"] for row in rows}
    return texts

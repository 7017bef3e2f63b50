"""SQL of the month's books: what moved in a time, and what was owed at its ends. Reads only.

Fiat sums are minor units, bitcoin sums sats. A sale counts at its own time, a deposit when it was
confirmed, a payout when it was paid. Sales that nobody has decided on, and dismissed ones, are in
no sum.
"""

from datetime import datetime
from typing import Any, Literal

from ..crud import NAMED_SALES, shown
from ..crud_shares import CLIENT_OF_TRANSFER, SHARES, voided_since
from ..database import Ledger, Row, beyond, chunks, fetch_rows
from ..helpers import now
from .crud import quarter_of

By = Literal["machine", "month", "day", "currency"]

_DECIDED = "status IN ('planned', 'settled')"
_SALE = "direction <> 'settle_out'"
# The fiat that a commission is worth is commission × fiat / base, rounded half up, of each sale by
# itself. SQLite would go on in floating point where the product leaves 64 bits: those few sales
# are left to Python.
_SMALL = "commission_amount_sats <= 1000000000 AND fiat_amount <= 4000000000"
_WORTH = (
    f"CASE WHEN {_SMALL} AND base_amount_sats > 0 THEN "
    "(2 * commission_amount_sats * fiat_amount + base_amount_sats) / (2 * base_amount_sats) "
    "ELSE 0 END"
)
SALE_SUMS = {
    "sales": f"CASE WHEN {_SALE} THEN 1 ELSE 0 END",
    "fiat": f"CASE WHEN {_SALE} THEN fiat_amount ELSE 0 END",
    "sats": f"CASE WHEN {_SALE} THEN crypto_amount_sats ELSE 0 END",
    "base_sats": f"CASE WHEN {_SALE} THEN base_amount_sats ELSE 0 END",
    "commission_sats": "commission_amount_sats",
    "commission_fiat": _WORTH,
    "partners_sats": "partners_sats",
    "distributed_sats": f"CASE WHEN {_SALE} THEN distributed_sats ELSE 0 END",
    "distributed_fiat": f"CASE WHEN {_SALE} THEN fiat_amount - undistributed_fiat ELSE 0 END",
    "undistributed_sats": "undistributed_sats",
    "undistributed_fiat": "undistributed_fiat",
    "settlements": f"CASE WHEN {_SALE} THEN 0 ELSE 1 END",
    "settled_sats": f"CASE WHEN {_SALE} THEN 0 ELSE distributed_sats END",
    "settled_fiat": f"CASE WHEN {_SALE} THEN 0 ELSE fiat_amount - undistributed_fiat END",
    "late_sales": "CASE WHEN processed_at >= :late THEN 1 ELSE 0 END",
    "late_sats": "CASE WHEN processed_at >= :late THEN crypto_amount_sats ELSE 0 END",
}
DEPOSIT_SUMS = {
    "deposits": "CASE WHEN amount > 0 THEN amount ELSE 0 END",
    "withdrawals": "CASE WHEN amount < 0 THEN -amount ELSE 0 END",
}


def _key(by: By, time_column: str, device: str) -> str:
    """What rows of one month are put together by; of a month and a currency there is one row."""
    if by == "day":
        return quarter_of(time_column)
    return device if by == "machine" else "NULL"


def _sums(sums: dict[str, str]) -> str:
    return ", ".join(f"CAST(SUM({sql}) AS BIGINT) AS {name}" for name, sql in sums.items())


async def sales_within(
    work: Ledger, by: By, begin: datetime, end: datetime, late: datetime
) -> list[Row]:
    """Sums of the sales of this time; `key` is a machine, or a quarter of an hour since 1970.

    `late`: from when on whatever was read came too late for its month.
    """
    device = f"CASE WHEN {_SALE} THEN device_id ELSE NULL END"
    return await work.rows(
        f"SELECT key, currency, {', '.join(f'{n}' for n in SALE_SUMS)} FROM ("
        f"SELECT {_key(by, 'transaction_time', device)} AS key, fiat_code AS currency, "
        f"{_sums(SALE_SUMS)} FROM satmachineclient.lamassu_transactions "
        f"WHERE transaction_time >= :begin AND transaction_time < :end AND {_DECIDED} "
        "GROUP BY 1, 2) sums",
        begin=begin,
        end=end,
        late=late,
    )


async def large_sales_within(work: Ledger, by: By, begin: datetime, end: datetime) -> list[Row]:
    """The sales whose commission's worth is not in the sums: their products leave 64 bits."""
    return await work.rows(
        f"SELECT {_key(by, 'transaction_time', 'device_id')} AS key, fiat_code AS currency, "
        "commission_amount_sats, fiat_amount, base_amount_sats "
        "FROM satmachineclient.lamassu_transactions "
        f"WHERE transaction_time >= :begin AND transaction_time < :end AND {_DECIDED} "
        f"AND NOT ({_SMALL}) AND base_amount_sats > 0",
        begin=begin,
        end=end,
    )


UNDONE_SUMS = (
    *("late_voids", "late_voided_sats", "late_voided_fiat"),
    *("late_taken_back", "late_taken_back_sats", "late_taken_back_fiat"),
)


async def undone_within(
    work: Ledger, by: By, begin: datetime, end: datetime, late: datetime
) -> list[Row]:
    """What left the books of these sales after `late`: voided shares, and sales taken back.

    The shares of a sale that was taken back are not counted beside it.
    """
    device = f"CASE WHEN {_SALE} THEN t.device_id ELSE NULL END"
    key = _key(by, "t.transaction_time", device)
    sums = ", ".join(f"CAST(SUM({name}) AS BIGINT) AS {name}" for name in UNDONE_SUMS)
    voided, taken_back = UNDONE_SUMS[:3], UNDONE_SUMS[3:]
    return await work.rows(
        f"SELECT key, currency, {sums} FROM ("
        f"SELECT {key} AS key, t.fiat_code AS currency, 1 AS {voided[0]}, "
        f"shares.amount_sats AS {voided[1]}, shares.amount_fiat AS {voided[2]}, "
        f"{', '.join(f'0 AS {name}' for name in taken_back)} "
        f"FROM {await voided_since(work, late)} "
        "JOIN satmachineclient.lamassu_transactions t ON t.id = shares.transaction_id "
        f"WHERE shares.voided_at >= :late AND t.{_DECIDED} "
        "AND t.transaction_time >= :begin AND t.transaction_time < :end "
        f"UNION ALL SELECT {key}, t.fiat_code, {', '.join('0' for _ in voided)}, "
        "1, t.crypto_amount_sats, t.fiat_amount "
        "FROM satmachineclient.lamassu_transactions t "
        "WHERE t.taken_back_at >= :late AND t.status = 'dismissed' "
        "AND t.transaction_time >= :begin AND t.transaction_time < :end"
        ") undone GROUP BY key, currency",
        begin=begin,
        end=end,
        late=late,
    )


async def deposits_within(work: Ledger, by: By, begin: datetime, end: datetime) -> list[Row]:
    """Sums of the confirmed deposits and withdrawals of this time, with a `key` as the sales."""
    return await work.rows(
        f"SELECT {_key(by, 'confirmed_at', 'device_id')} AS key, currency, {_sums(DEPOSIT_SUMS)} "
        "FROM satmachineclient.dca_deposits WHERE status = 'confirmed' "
        "AND confirmed_at >= :begin AND confirmed_at < :end GROUP BY 1, 2",
        begin=begin,
        end=end,
    )


# ---- what was owed at a moment ---------------------------------------------------------------


async def cash_owed(
    work: Ledger, at: datetime, each: bool = False, cut: datetime | None = None
) -> dict[tuple[str, str], int]:
    """The clients' cash by currency (and by client, with `each`; else ""), at this moment.

    Today's totals less what came later: who asks, asks of recent times. `cut`: as if nothing had
    been read since.
    """
    who = "client_id" if each else "''"
    rows = await work.rows(
        "SELECT client, currency, CAST(SUM(amount) AS BIGINT) AS amount FROM ("
        f"SELECT {who} AS client, currency, deposited - allocated_fiat AS amount "
        "FROM satmachineclient.dca_balances "
        f"UNION ALL SELECT {who}, currency, -amount FROM satmachineclient.dca_deposits "
        "WHERE status = 'confirmed' AND confirmed_at >= :at "
        f"UNION ALL SELECT {who}, currency, amount_fiat FROM {SHARES} "
        "WHERE status <> 'voided' AND (transaction_time >= :at OR created_at > :cut)"
        ") entries GROUP BY 1, 2 ORDER BY 1, 2",
        at=at,
        cut=cut or now(),
    )
    return {(row["client"], row["currency"]): row["amount"] for row in rows}


# Whose a payout is, by a transfer's shares: a transfer is for one client or one partner.
_PARTNER_OF = (
    "(SELECT MIN(s.partner_id) FROM satmachineclient.dca_commission_shares s "
    "WHERE s.transfer_id = o.transfer_id)"
)


async def sats_owed(
    work: Ledger, at: datetime, each: bool = False, cut: datetime | None = None
) -> dict[str, int]:
    """What was bought for clients and not paid at this moment, by client with `each`; else ""."""
    who, paid_to = ("client_id", CLIENT_OF_TRANSFER) if each else ("''", "''")
    rows = await work.rows(
        "SELECT client, CAST(SUM(amount) AS BIGINT) AS amount FROM ("
        f"SELECT {who} AS client, allocated_sats AS amount FROM satmachineclient.dca_balances "
        f"UNION ALL SELECT {who}, -amount_sats FROM {SHARES} "
        "WHERE status <> 'voided' AND (transaction_time >= :at OR created_at > :cut) "
        f"UNION ALL SELECT {paid_to}, -o.amount_sats FROM satmachineclient.dca_payouts o "
        "WHERE o.kind = 'client' AND o.status = 'confirmed' AND o.confirmed_at < :at"
        ") entries GROUP BY 1 ORDER BY 1",
        at=at,
        cut=cut or now(),
    )
    return {row["client"]: row["amount"] for row in rows}


async def partners_owed(work: Ledger, at: datetime, cut: datetime | None = None) -> dict[str, int]:
    """By partner: their parts of the commissions of sales before this moment, less what was paid.

    Who never had a part is not named.
    """
    rows = await work.rows(
        "SELECT partner, CAST(SUM(amount) AS BIGINT) AS amount FROM ("
        "SELECT s.partner_id AS partner, s.amount_sats AS amount "
        "FROM satmachineclient.dca_commission_shares s "
        "JOIN satmachineclient.lamassu_transactions t ON t.id = s.transaction_id "
        "WHERE t.transaction_time < :at AND t.processed_at <= :cut "
        f"UNION ALL SELECT {_PARTNER_OF}, -o.amount_sats FROM satmachineclient.dca_payouts o "
        "WHERE o.kind = 'partner' AND o.status = 'confirmed' AND o.confirmed_at < :at"
        ") entries GROUP BY 1 ORDER BY 1",
        at=at,
        cut=cut or now(),
    )
    return {row["partner"]: row["amount"] for row in rows}


# ---- the journal -----------------------------------------------------------------------------
#
# `cut`: what was written after this moment is not looked at, so that a journal which is read for
# minutes is of one moment.

_COUNTED = f"{_DECIDED} AND processed_at <= :cut"


async def sales_after(
    begin: datetime, end: datetime, cut: datetime, after: Row | None, limit: int
) -> list[Row]:
    """The next sales of this time behind the row `after`, oldest first."""
    place, values = _from("transaction_time", begin, after)
    return await fetch_rows(
        "SELECT id, lamassu_transaction_id, direction, is_test, transaction_time, fiat_code, "
        "fiat_amount, undistributed_fiat, crypto_amount_sats, base_amount_sats, "
        "commission_amount_sats, partners_sats, distributed_sats, device_id, device_name "
        f"FROM {NAMED_SALES} WHERE {place} AND transaction_time < :end "
        f"AND {_COUNTED} ORDER BY transaction_time, id LIMIT {limit}",
        end=end,
        cut=cut,
        **values,
    )


def _from(
    column: str, begin: datetime, after: Row | None, key: str = "id"
) -> tuple[str, dict[str, Any]]:
    """The condition, with its values, for rows from `begin` on, or behind the row `after`."""
    if after is None:
        return f"{column} >= :at", {"at": begin}
    return beyond(column, key), {"at": after[column.rpartition(".")[2]], "behind": after["id"]}


async def shares_of_sales(ids: list[str]) -> dict[str, list[Row]]:
    """Their shares that are not voided, by sale."""
    return await _by_sale("dca_payments", "client_id, amount_sats, amount_fiat", ids)


async def parts_of_sales(ids: list[str]) -> dict[str, list[Row]]:
    """The partners' parts of their commissions, by sale."""
    return await _by_sale("dca_commission_shares", "partner_id, amount_sats", ids)


async def _by_sale(table: str, columns: str, ids: list[str]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for chunk in chunks(ids):
        for row in await fetch_rows(
            f"SELECT transaction_id, {columns} FROM {shown(table)} "
            "WHERE transaction_id IN :ids AND status <> 'voided'",
            ids=chunk,
        ):
            found.setdefault(row["transaction_id"], []).append(row)
    return found


async def movements_after(
    kind: Literal["deposit", "payout", "forward"],
    begin: datetime,
    end: datetime,
    after: Row | None,
    limit: int,
) -> list[Row]:
    """The next deposits, payouts or forwards that were confirmed in this time, oldest first."""
    table, columns = {
        "deposit": ("dca_deposits", "o.client_id, o.currency, o.amount, o.notes"),
        "payout": (
            "dca_payouts",
            f"o.kind, o.amount_sats, o.payment_hash, {CLIENT_OF_TRANSFER} AS client_id, "
            f"{_PARTNER_OF} AS partner_id",
        ),
        "forward": (
            "dca_forwards",
            "o.client_id, o.amount_sats, o.fee_msat, o.payment_hash, EXISTS (SELECT 1 "
            "FROM satmachineclient.dca_partners p WHERE p.id = o.client_id) AS of_partner",
        ),
    }[kind]
    place, values = _from("o.confirmed_at", begin, after, "o.id")
    return await fetch_rows(
        f"SELECT o.id, o.confirmed_at, {columns} FROM satmachineclient.{table} o "
        f"WHERE o.status = 'confirmed' AND {place} AND o.confirmed_at < :end "
        f"ORDER BY o.confirmed_at, o.id LIMIT {limit}",
        end=end,
        **values,
    )


async def sale_sums(work: Ledger, at: datetime, cut: datetime) -> list[Row]:
    """Of all sales before this moment, per kind and currency."""
    names = (
        *("crypto_amount_sats", "base_amount_sats", "commission_amount_sats", "partners_sats"),
        *("distributed_sats", "fiat_amount", "undistributed_fiat"),
    )
    return await work.rows(
        f"SELECT direction, is_test, fiat_code, {_sums({name: name for name in names})} "
        "FROM satmachineclient.lamassu_transactions "
        f"WHERE transaction_time < :at AND {_COUNTED} GROUP BY direction, is_test, fiat_code",
        at=at,
        cut=cut,
    )


async def deposit_sums(work: Ledger, at: datetime) -> dict[str, int]:
    """Confirmed deposits less withdrawals before this moment, by currency."""
    rows = await work.rows(
        "SELECT currency, CAST(SUM(amount) AS BIGINT) AS amount FROM satmachineclient.dca_deposits "
        "WHERE status = 'confirmed' AND confirmed_at < :at GROUP BY currency",
        at=at,
    )
    return {row["currency"]: row["amount"] for row in rows}


async def payout_sums(work: Ledger, at: datetime) -> dict[str, int]:
    """What was paid before this moment, by the payouts' kind."""
    rows = await work.rows(
        "SELECT kind, CAST(SUM(amount_sats) AS BIGINT) AS sats FROM satmachineclient.dca_payouts "
        "WHERE status = 'confirmed' AND confirmed_at < :at GROUP BY kind",
        at=at,
    )
    return {row["kind"]: row["sats"] for row in rows}


async def client_names() -> dict[str, str | None]:
    """All clients, also those who have left."""
    rows = await fetch_rows(
        "SELECT id, username FROM satmachineclient.dca_clients ORDER BY created_at, id"
    )
    return {row["id"]: row["username"] for row in rows}


async def currencies() -> list[str]:
    """Those of deposits and sales."""
    rows = await fetch_rows(
        "SELECT DISTINCT currency AS code FROM satmachineclient.dca_deposits "
        "UNION SELECT DISTINCT fiat_code FROM satmachineclient.lamassu_transactions ORDER BY 1"
    )
    return [row["code"] for row in rows]


async def forwards_of(client_id: str, after: Row | None, limit: int) -> list[Row]:
    """A client's next confirmed forwards behind the row `after`, oldest first."""
    behind = f"AND {beyond('confirmed_at')} " if after else ""
    return await fetch_rows(
        "SELECT id, confirmed_at, amount_sats, fee_msat, payment_hash "
        "FROM satmachineclient.dca_forwards WHERE status = 'confirmed' AND client_id = :client "
        f"{behind}ORDER BY confirmed_at, id LIMIT {limit}",
        client=client_id,
        **({"at": after["confirmed_at"], "behind": after["id"]} if after else {}),
    )

"""SQL of reconciliation: where sums that must agree do not. Reads only, in pieces.

A piece is a time, from `begin` to before `end`, or some clients and partners: others get to the
extension's database between two of them. Fiat sums are minor units, bitcoin sums sats.
"""

from collections.abc import AsyncIterator, Iterable
from dataclasses import fields
from datetime import datetime, timedelta, timezone
from typing import TypeVar

from .. import crud_clients, crud_shares
from ..crud import shown
from ..crud_shares import ARCHIVED, ARCHIVED_SATS_OF_TRANSFER, SHARES
from ..database import Row, beyond, chunks, each_of, fetch_rows, moment_of, reading
from ..models_payouts import Forward, Payout

_Paid = TypeVar("_Paid", Payout, Forward)
# (Seconds beyond the year 2603 are milliseconds to pydantic.)
FOREVER = datetime(2500, 1, 1, tzinfo=timezone.utc)
_SALES, _SHARES, _PAYOUTS = 1000, 10_000, 1000  # about so many in one piece
_ROWS = 1000
_THOSE = "client_id BETWEEN :first AND :last"
# SQLite, without statistics, would begin with all that are confirmed.
_CONFIRMED = "COALESCE({}, '') = 'confirmed'"

# ---- pieces ----------------------------------------------------------------------------------


async def end_of_piece(begin: datetime) -> datetime:
    """Until when a piece that begins then goes, by the sales, their shares and the payouts."""
    return min(await _end_of_sales(begin), await _end_of_payouts(begin))


async def _end_of_sales(begin: datetime) -> datetime:
    rows = await fetch_rows(
        "SELECT processed_at, clients_count FROM satmachineclient.lamassu_transactions "
        "WHERE processed_at > :begin ORDER BY processed_at LIMIT :sales",
        begin=begin,
        sales=_SALES,
    )
    shares = 0
    for row in rows:
        shares += row["clients_count"]
        if shares > _SHARES:
            return _after(begin, row["processed_at"])
    return _after(begin, rows[-1]["processed_at"]) if len(rows) == _SALES else FOREVER


def _after(begin: datetime, stored: datetime | float) -> datetime:
    return max(moment_of(stored), begin + timedelta(microseconds=1))


async def _end_of_payouts(begin: datetime) -> datetime:
    """On a payday thousands are paid between two sales."""
    rows = await fetch_rows(
        "SELECT confirmed_at FROM satmachineclient.dca_payouts WHERE status = 'confirmed' "
        f"AND confirmed_at > :begin ORDER BY confirmed_at LIMIT 1 OFFSET {_PAYOUTS}",
        begin=begin,
    )
    return _after(begin, rows[0]["confirmed_at"]) if rows else FOREVER


async def owner_ids(after: str = "") -> list[str]:
    """Clients and partners after this id who have a total, a forward or rows that make a total.

    In the order in which the database compares.
    """
    tables = ("dca_payments", "dca_archived_transfers", "dca_deposits", "dca_balances")
    each = [
        f"SELECT value AS id FROM {each_of(f'satmachineclient.{table}', 'client_id')} "
        "WHERE value > :after"
        for table in (*tables, "dca_machine_balances", "dca_forwards")
    ]
    rows = await fetch_rows(f"{' UNION '.join(each)} ORDER BY id", after=after)
    return [row["id"] for row in rows]


async def forwarding_since(since: datetime) -> list[str]:
    """Clients and partners from whom something arrived since then, or is on its way."""
    rows = await fetch_rows(
        "SELECT client_id FROM satmachineclient.dca_forwards WHERE status = 'in_flight' "
        "UNION SELECT client_id FROM satmachineclient.dca_forwards "
        "WHERE status = 'confirmed' AND confirmed_at >= :since",
        since=since,
    )
    return [row["client_id"] for row in rows]


# ---- sums of each row ------------------------------------------------------------------------


async def count(table: str, time_column: str, begin: datetime) -> int:
    """How many rows of a table are of then or later."""
    where = f"WHERE {time_column} >= :begin"
    rows = await fetch_rows(crud_shares.number_of(shown(table), where), begin=begin)
    return int(rows[0]["number"])


async def unbalanced_transactions(begin: datetime, end: datetime) -> list[Row]:
    """Sales whose parts do not add up, by themselves or with their shares.

    Of archived shares the sale's sums count: `crud_shares.differing_sales` looks at their rows.
    """
    shares = "COUNT(p.id) + COALESCE(MAX(a.clients_count), 0)"
    sats = "COALESCE(SUM(p.amount_sats), 0) + COALESCE(MAX(a.distributed_sats), 0)"
    fiat = "COALESCE(SUM(p.amount_fiat), 0) + COALESCE(MAX(a.distributed_fiat), 0)"
    return await fetch_rows(
        "SELECT t.id, t.crypto_amount_sats, t.commission_amount_sats, t.base_amount_sats, "
        "t.distributed_sats, t.undistributed_sats, t.fiat_amount, t.undistributed_fiat, "
        f"t.clients_count, {shares} AS shares, "
        f"CAST({sats} AS BIGINT) AS share_sats, CAST({fiat} AS BIGINT) AS share_fiat "
        "FROM satmachineclient.lamassu_transactions t "
        "LEFT JOIN satmachineclient.dca_payments p "
        "ON p.transaction_id = t.id AND p.status <> 'voided' "
        "LEFT JOIN satmachineclient.dca_archived_sales a ON a.transaction_id = t.id "
        "WHERE t.processed_at >= :begin AND t.processed_at < :end "
        "GROUP BY t.id, t.crypto_amount_sats, "
        "t.commission_amount_sats, t.base_amount_sats, t.distributed_sats, "
        "t.undistributed_sats, t.fiat_amount, t.undistributed_fiat, t.clients_count "
        "HAVING t.crypto_amount_sats <> t.commission_amount_sats + t.base_amount_sats "
        "OR t.base_amount_sats <> t.distributed_sats + t.undistributed_sats "
        f"OR t.distributed_sats <> {sats} "
        f"OR t.fiat_amount <> t.undistributed_fiat + {fiat} "
        f"OR t.clients_count <> {shares}",
        begin=begin,
        end=end,
    )


async def unbalanced_commissions(begin: datetime, end: datetime) -> list[Row]:
    """Sales whose partners' parts are not what their row says, or more than the commission."""
    return await fetch_rows(
        "SELECT t.id, t.commission_amount_sats, t.partners_sats, "
        "CAST(COALESCE(SUM(s.amount_sats), 0) AS BIGINT) AS share_sats "
        "FROM satmachineclient.lamassu_transactions t "
        "LEFT JOIN satmachineclient.dca_commission_shares s "
        "ON s.transaction_id = t.id AND s.status <> 'voided' "
        "WHERE t.processed_at >= :begin AND t.processed_at < :end "
        "GROUP BY t.id, t.commission_amount_sats, t.partners_sats "
        "HAVING t.partners_sats <> COALESCE(SUM(s.amount_sats), 0) "
        "OR t.partners_sats > t.commission_amount_sats",
        begin=begin,
        end=end,
    )


async def unbalanced_transfers(begin: datetime, end: datetime) -> list[Row]:
    """Transfers whose payouts are not worth what they carry."""
    carried = " + ".join(
        f"COALESCE((SELECT SUM({amount}) FROM satmachineclient.{table} "
        f"WHERE {column} = o.transfer_id), 0)"
        for table, column, amount in (
            ("dca_payments", "transfer_id", "amount_sats"),
            ("lamassu_transactions", "credit_transfer_id", "crypto_amount_sats"),
            (
                "lamassu_transactions",
                "commission_transfer_id",
                "commission_amount_sats - partners_sats",
            ),
            ("dca_commission_shares", "transfer_id", "amount_sats"),
        )
    )
    # With what was adopted and has no sale of ours to carry (yet).
    carried += (
        f" + COALESCE({ARCHIVED_SATS_OF_TRANSFER}, 0)"
        " + COALESCE((SELECT SUM(a.amount_sats) FROM satmachineclient.dca_adopted a "
        "WHERE a.transfer_id = o.transfer_id AND a.status <> 'matched'), 0)"
    )
    return await fetch_rows(
        "SELECT * FROM (SELECT DISTINCT o.transfer_id AS id, o.kind, "
        "CAST((SELECT SUM(amount_sats) FROM satmachineclient.dca_payouts "
        "WHERE transfer_id = o.transfer_id AND status <> 'voided') AS BIGINT) AS payout_sats, "
        f"CAST({carried} AS BIGINT) AS carried_sats FROM satmachineclient.dca_payouts o "
        "WHERE o.status <> 'voided' AND o.created_at >= :begin AND o.created_at < :end"
        ") transfers WHERE payout_sats <> carried_sats",
        begin=begin,
        end=end,
    )


async def unpaid_but_confirmed(begin: datetime, end: datetime) -> list[Row]:
    """Shares, also of commissions, marked as confirmed without a transfer that is as a whole."""
    found: list[Row] = []
    for source in (
        "satmachineclient.dca_payments shares",
        "satmachineclient.dca_commission_shares shares",
        ARCHIVED,
    ):
        found += await fetch_rows(
            f"SELECT shares.id FROM {source} WHERE {_CONFIRMED.format('shares.status')} "
            "AND shares.created_at >= :begin AND shares.created_at < :end AND COALESCE(("
            "SELECT MIN(CASE WHEN o.status = 'confirmed' THEN 1 ELSE 0 END) "
            "FROM satmachineclient.dca_payouts o "
            "WHERE o.transfer_id = shares.transfer_id), 0) = 0",
            begin=begin,
            end=end,
        )
    return found


# ---- totals of clients -----------------------------------------------------------------------


async def wrong_totals(first: str, last: str) -> list[Row]:
    """Totals that differ from the sums of their rows: by how much, per client and currency.

    Of the clients from the first id to the last.
    """
    names = [field.name for field in fields(crud_clients.Entry)][2:]
    differences = ", ".join(f"CAST(SUM({name}) AS BIGINT) AS {name}" for name in names)
    return await fetch_rows(
        f"SELECT client_id, currency, {differences} FROM ("
        f"SELECT client_id, currency, {', '.join(names)} FROM satmachineclient.dca_balances "
        f"WHERE {_THOSE} "
        "UNION ALL SELECT client_id, currency, -1, -amount, 0, 0, 0, 0 "
        f"FROM satmachineclient.dca_deposits WHERE {_CONFIRMED.format('status')} AND {_THOSE} "
        "UNION ALL SELECT client_id, currency, 0, 0, -amount_fiat, -amount_sats, "
        "CASE WHEN status = 'confirmed' THEN -amount_fiat ELSE 0 END, "
        "CASE WHEN status = 'confirmed' THEN -amount_sats ELSE 0 END "
        f"FROM {SHARES} WHERE status <> 'voided' AND {_THOSE}"
        ") entries GROUP BY client_id, currency "
        f"HAVING {' OR '.join(f'SUM({name}) <> 0' for name in names)}",
        first=first,
        last=last,
    )


async def wrong_machine_totals(first: str, last: str) -> list[Row]:
    """The same of the cash that lies in one machine, per client, currency and machine."""
    return await fetch_rows(
        "SELECT client_id, currency, device_id, CAST(SUM(deposited) AS BIGINT) AS deposited, "
        "CAST(SUM(allocated_fiat) AS BIGINT) AS allocated_fiat FROM ("
        "SELECT client_id, currency, device_id, deposited, allocated_fiat "
        f"FROM satmachineclient.dca_machine_balances WHERE {_THOSE} "
        "UNION ALL SELECT client_id, currency, device_id, -amount, 0 "
        "FROM satmachineclient.dca_deposits "
        f"WHERE {_CONFIRMED.format('status')} AND device_id IS NOT NULL AND {_THOSE} "
        "UNION ALL SELECT shares.client_id, shares.currency, t.device_id, 0, -shares.machine_fiat "
        f"FROM {SHARES} "
        "JOIN satmachineclient.lamassu_transactions t ON t.id = shares.transaction_id "
        f"WHERE shares.status <> 'voided' AND shares.machine_fiat <> 0 AND shares.{_THOSE}"
        ") entries GROUP BY client_id, currency, device_id "
        "HAVING SUM(deposited) <> 0 OR SUM(allocated_fiat) <> 0",
        first=first,
        last=last,
    )


async def count_balances() -> int:
    [row] = await fetch_rows("SELECT COUNT(*) AS number FROM satmachineclient.dca_balances")
    return int(row["number"])


async def overdrawn_balances() -> list[Row]:
    """Clients of whose cash more went out than they brought."""
    return await fetch_rows(
        "SELECT client_id, currency FROM satmachineclient.dca_balances "
        "WHERE allocated_fiat > deposited ORDER BY client_id, currency"
    )


async def overdrawn_machines() -> list[Row]:
    """Where more of a client's cash in one machine went out than lay there."""
    return await fetch_rows(
        "SELECT client_id, currency, device_id FROM satmachineclient.dca_machine_balances "
        "WHERE allocated_fiat > deposited"
    )


# ---- against LNbits --------------------------------------------------------------------------


async def confirmed_payouts(
    begin: datetime, end: datetime, size: int = _ROWS
) -> AsyncIterator[list[Payout]]:
    """In batches, in the order of their confirmation."""
    async for batch in _confirmed("dca_payouts", Payout, begin, end, size):
        yield batch


async def confirmed_forwards(
    begin: datetime, end: datetime, size: int = _ROWS
) -> AsyncIterator[list[Forward]]:
    """In batches, in the order of their confirmation."""
    async for batch in _confirmed("dca_forwards", Forward, begin, end, size):
        yield batch


async def _confirmed(
    table: str, model: type[_Paid], begin: datetime, end: datetime, size: int
) -> AsyncIterator[list[_Paid]]:
    at, behind = begin, ""
    while True:
        async with reading() as work:
            batch = await work.fetch(
                model,
                f"SELECT * FROM satmachineclient.{table} WHERE status = 'confirmed' AND "
                f"{beyond('confirmed_at')} AND confirmed_at < :end "
                f"ORDER BY confirmed_at, id LIMIT {size}",
                at=at,
                behind=behind,
                end=end,
            )
        if batch:
            yield batch
        if len(batch) < size:
            return
        at, behind = batch[-1].confirmed_at or begin, batch[-1].id


async def known_hashes(hashes: Iterable[str]) -> set[str]:
    """Those of these payment hashes that belong to a payout which is not voided, or a forward."""
    known: set[str] = set()
    async with reading() as work:
        for chunk in chunks(hashes):
            rows = await work.rows(
                "SELECT payment_hash FROM satmachineclient.dca_payouts "
                "WHERE status <> 'voided' AND payment_hash IN :hashes "
                "UNION SELECT payment_hash FROM satmachineclient.dca_forwards "
                "WHERE payment_hash IN :hashes",
                hashes=chunk,
            )
            known.update(row["payment_hash"] for row in rows)
    return known


async def given_up_invoices(begin: datetime, end: datetime) -> list[Row]:
    """Invoices of forwards, made in this time, in whose place another one was paid, or none."""
    return await fetch_rows(
        "SELECT i.payment_hash, i.forward_id, f.wallet_id "
        "FROM satmachineclient.dca_forward_invoices i "
        "JOIN satmachineclient.dca_forwards f ON f.id = i.forward_id "
        "WHERE i.created_at >= :begin AND i.created_at < :end "
        "AND (f.status = 'failed' OR COALESCE(f.payment_hash, '') <> i.payment_hash) "
        "ORDER BY i.created_at, i.payment_hash",
        begin=begin,
        end=end,
    )


def _brought(source: str) -> str:
    """SQL: the confirmed shares of a forward's client and wallet."""
    return (
        f"COALESCE((SELECT SUM(shares.amount_sats) FROM {source} "
        "WHERE shares.client_id = f.client_id AND shares.wallet_id = f.wallet_id "
        "AND shares.status = 'confirmed'), 0)"
    )


async def overdrawn_wallets(client_ids: list[str]) -> list[Row]:
    """Wallets out of which more was forwarded, or is on its way, than the programme brought.

    Of each of these owners by themselves: what a client is paid is not sent on as a partner's.
    """
    return await fetch_rows(
        "SELECT * FROM (SELECT client_id, wallet_id, "
        "CAST(SUM(amount_sats + (COALESCE(fee_msat, 0) + 999) / 1000) AS BIGINT) AS sent, "
        f"CAST({_brought('satmachineclient.dca_payments shares')} + {_brought(ARCHIVED)} "
        "+ COALESCE((SELECT SUM(h.amount_sats) FROM satmachineclient.dca_commission_shares h "
        "WHERE h.partner_id = f.client_id AND h.wallet_id = f.wallet_id "
        "AND h.status = 'confirmed'), 0) AS BIGINT) AS brought "
        "FROM satmachineclient.dca_forwards f WHERE client_id IN :ids "
        "AND status IN ('confirmed', 'in_flight') "
        "GROUP BY client_id, wallet_id) wallets WHERE sent > brought",
        ids=client_ids,
    )

"""SQL of planning (balances and terms at a time) and of reconciliation (sums that must agree).

Fiat sums are minor units, bitcoin sums sats.
"""

from collections.abc import Iterable
from dataclasses import fields
from datetime import date, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

from .. import crud_clients, crud_shares
from ..crud import shown
from ..crud_shares import ARCHIVED, ARCHIVED_SATS_OF_TRANSFER, SHARES
from ..database import Ledger, Row, beyond, chunks, fetch_rows, reading
from ..helpers import start_of
from ..models_clients import Client, ClientTerms, Deposit
from ..models_payouts import Forward, Payout

# ---- planning: what the shares of new sales depend on ----------------------------------------


async def open_clients(work: Ledger) -> list[Client]:
    """All that are not closed."""
    return await work.fetch(
        Client, "SELECT * FROM satmachineclient.dca_clients WHERE status <> 'closed'"
    )


async def terms_at(work: Ledger, time: datetime) -> list[ClientTerms]:
    """Each client's mode, limit and status that were in force at this time."""
    return await work.fetch(
        ClientTerms,
        "SELECT * FROM satmachineclient.dca_client_terms "
        "WHERE valid_until IS NULL AND valid_from <= :time "
        "UNION ALL SELECT * FROM satmachineclient.dca_client_terms "
        "WHERE valid_until > :time AND valid_from <= :time",
        time=time,
    )


async def terms_between(work: Ledger, after: datetime, until: datetime) -> list[ClientTerms]:
    """Those that came into force in this time, in their order; not what was so for no time."""
    return await work.fetch(
        ClientTerms,
        "SELECT * FROM satmachineclient.dca_client_terms "
        "WHERE valid_from > :after AND valid_from <= :until "
        "AND (valid_until IS NULL OR valid_until > valid_from) ORDER BY valid_from, id",
        after=after,
        until=until,
    )


async def balances_at(work: Ledger, time: datetime) -> dict[tuple[str, str], int]:
    """Per client and currency: deposits confirmed by then, less all that was allocated so far.

    Withdrawals count as allocations do, whenever they were made: that cash is gone.
    """
    balances: dict[tuple[str, str], int] = {}
    today = await work.rows(
        "SELECT client_id, currency, deposited - allocated_fiat AS amount "
        "FROM satmachineclient.dca_balances"
    )
    later = await work.rows(
        "SELECT client_id, currency, CAST(-SUM(amount) AS BIGINT) AS amount "
        "FROM satmachineclient.dca_deposits WHERE status = 'confirmed' "
        "AND amount > 0 AND confirmed_at > :time GROUP BY client_id, currency",
        time=time,
    )
    for row in (*today, *later):
        key = (row["client_id"], row["currency"])
        balances[key] = balances.get(key, 0) + row["amount"]
    return balances


async def machine_balances_at(work: Ledger, time: datetime) -> dict[tuple[str, str, str], int]:
    """The same of the cash that lies in one machine, per client, currency and machine."""
    balances: dict[tuple[str, str, str], int] = {}
    today = await work.rows(
        "SELECT client_id, currency, device_id, deposited - allocated_fiat AS amount "
        "FROM satmachineclient.dca_machine_balances"
    )
    later = await work.rows(
        "SELECT client_id, currency, device_id, CAST(-SUM(amount) AS BIGINT) AS amount "
        "FROM satmachineclient.dca_deposits WHERE status = 'confirmed' AND device_id IS NOT NULL "
        "AND amount > 0 AND confirmed_at > :time GROUP BY client_id, currency, device_id",
        time=time,
    )
    for row in (*today, *later):
        key = (row["client_id"], row["currency"], row["device_id"])
        balances[key] = balances.get(key, 0) + row["amount"]
    return balances


async def deposits_between(work: Ledger, after: datetime, until: datetime) -> list[Deposit]:
    """Deposits confirmed in this time, in the order of their confirmation."""
    return await work.fetch(
        Deposit,
        "SELECT * FROM satmachineclient.dca_deposits WHERE status = 'confirmed' "
        "AND amount > 0 AND confirmed_at > :after AND confirmed_at <= :until "
        "ORDER BY confirmed_at, id",
        after=after,
        until=until,
    )


async def taken_on_days(
    work: Ledger, client_ids: set[str], days: set[date], zone: ZoneInfo
) -> dict[tuple[str, str, date], int]:
    """Fiat already allocated to these clients in sales of these days of the zone.

    By client, currency and day.
    """
    taken: dict[tuple[str, str, date], int] = {}
    for ids, day in product(chunks(client_ids), sorted(days)):
        begin, end = start_of(day, zone), start_of(day + timedelta(days=1), zone)
        for row in await work.rows(
            "SELECT client_id, currency, CAST(SUM(amount_fiat) AS BIGINT) AS amount "
            f"FROM {await crud_shares.between(work, begin, end)} "
            "WHERE client_id IN :ids AND status <> 'voided' "
            "AND transaction_time >= :begin AND transaction_time < :end "
            "GROUP BY client_id, currency",
            ids=ids,
            begin=begin,
            end=end,
        ):
            taken[row["client_id"], row["currency"], day] = row["amount"]
    return taken


async def confirmed_payouts(
    since: datetime, after: Payout | None = None, limit: int = 1000
) -> list[Payout]:
    """The next ones behind `after`, in the order of their confirmation."""
    async with reading() as work:
        return await work.fetch(
            Payout,
            f"SELECT * FROM satmachineclient.dca_payouts WHERE status = 'confirmed' AND "
            f"{beyond('confirmed_at')} ORDER BY confirmed_at, id LIMIT :limit",
            at=after.confirmed_at if after else since,
            behind=after.id if after else "",
            limit=limit,
        )


# ---- reconciliation: where sums that must agree do not ---------------------------------------


async def count(table: str, time_column: str, since: datetime) -> int:
    async with reading() as work:
        rows = await work.rows(
            crud_shares.number_of(shown(table), f"WHERE {time_column} >= :since"),
            since=since,
        )
    return int(rows[0]["number"])


async def unbalanced_transactions(since: datetime) -> list[Row]:
    """Sales whose parts do not add up, by themselves or with their shares.

    Of archived shares the sale's sums count: `crud_shares.differing_sales` looks at their rows.
    """
    shares = "COUNT(p.id) + COALESCE(MAX(a.clients_count), 0)"
    sats = "COALESCE(SUM(p.amount_sats), 0) + COALESCE(MAX(a.distributed_sats), 0)"
    fiat = "COALESCE(SUM(p.amount_fiat), 0) + COALESCE(MAX(a.distributed_fiat), 0)"
    async with reading() as work:
        return await work.rows(
            "SELECT t.id, t.crypto_amount_sats, t.commission_amount_sats, t.base_amount_sats, "
            "t.distributed_sats, t.undistributed_sats, t.fiat_amount, t.undistributed_fiat, "
            f"t.clients_count, {shares} AS shares, "
            f"CAST({sats} AS BIGINT) AS share_sats, CAST({fiat} AS BIGINT) AS share_fiat "
            "FROM satmachineclient.lamassu_transactions t "
            "LEFT JOIN satmachineclient.dca_payments p "
            "ON p.transaction_id = t.id AND p.status <> 'voided' "
            "LEFT JOIN satmachineclient.dca_archived_sales a ON a.transaction_id = t.id "
            "WHERE t.processed_at >= :since GROUP BY t.id, t.crypto_amount_sats, "
            "t.commission_amount_sats, t.base_amount_sats, t.distributed_sats, "
            "t.undistributed_sats, t.fiat_amount, t.undistributed_fiat, t.clients_count "
            "HAVING t.crypto_amount_sats <> t.commission_amount_sats + t.base_amount_sats "
            "OR t.base_amount_sats <> t.distributed_sats + t.undistributed_sats "
            f"OR t.distributed_sats <> {sats} "
            f"OR t.fiat_amount <> t.undistributed_fiat + {fiat} "
            f"OR t.clients_count <> {shares}",
            since=since,
        )


async def unbalanced_commissions(since: datetime) -> list[Row]:
    """Sales whose partners' parts are not what their row says, or more than the commission."""
    async with reading() as work:
        return await work.rows(
            "SELECT t.id, t.commission_amount_sats, t.partners_sats, "
            "CAST(COALESCE(SUM(s.amount_sats), 0) AS BIGINT) AS share_sats "
            "FROM satmachineclient.lamassu_transactions t "
            "LEFT JOIN satmachineclient.dca_commission_shares s "
            "ON s.transaction_id = t.id AND s.status <> 'voided' "
            "WHERE t.processed_at >= :since "
            "GROUP BY t.id, t.commission_amount_sats, t.partners_sats "
            "HAVING t.partners_sats <> COALESCE(SUM(s.amount_sats), 0) "
            "OR t.partners_sats > t.commission_amount_sats",
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
        "WHERE o.status <> 'voided' AND o.created_at >= :since"
        ") transfers WHERE payout_sats <> carried_sats",
        since=since,
    )


async def wrong_totals() -> list[Row]:
    """Totals that differ from the sums of their rows: by how much, per client and currency."""
    names = [field.name for field in fields(crud_clients.Entry)][2:]
    differences = ", ".join(f"CAST(SUM({name}) AS BIGINT) AS {name}" for name in names)
    return await fetch_rows(
        f"SELECT client_id, currency, {differences} FROM ("
        f"SELECT client_id, currency, {', '.join(names)} FROM satmachineclient.dca_balances "
        "UNION ALL SELECT client_id, currency, -1, -amount, 0, 0, 0, 0 "
        "FROM satmachineclient.dca_deposits WHERE status = 'confirmed' "
        "UNION ALL SELECT client_id, currency, 0, 0, -amount_fiat, -amount_sats, "
        "CASE WHEN status = 'confirmed' THEN -amount_fiat ELSE 0 END, "
        "CASE WHEN status = 'confirmed' THEN -amount_sats ELSE 0 END "
        f"FROM {SHARES} WHERE status <> 'voided'"
        ") entries GROUP BY client_id, currency "
        f"HAVING {' OR '.join(f'SUM({name}) <> 0' for name in names)}"
    )


async def wrong_machine_totals() -> list[Row]:
    """The same of the cash that lies in one machine, per client, currency and machine."""
    return await fetch_rows(
        "SELECT client_id, currency, device_id, CAST(SUM(deposited) AS BIGINT) AS deposited, "
        "CAST(SUM(allocated_fiat) AS BIGINT) AS allocated_fiat FROM ("
        "SELECT client_id, currency, device_id, deposited, allocated_fiat "
        "FROM satmachineclient.dca_machine_balances "
        "UNION ALL SELECT client_id, currency, device_id, -amount, 0 "
        "FROM satmachineclient.dca_deposits "
        "WHERE status = 'confirmed' AND device_id IS NOT NULL "
        "UNION ALL SELECT shares.client_id, shares.currency, t.device_id, 0, -shares.machine_fiat "
        f"FROM {SHARES} "
        "JOIN satmachineclient.lamassu_transactions t ON t.id = shares.transaction_id "
        "WHERE shares.status <> 'voided' AND shares.machine_fiat <> 0"
        ") entries GROUP BY client_id, currency, device_id "
        "HAVING SUM(deposited) <> 0 OR SUM(allocated_fiat) <> 0"
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


async def unpaid_but_confirmed(since: datetime) -> list[Row]:
    """Shares, also of commissions, marked as confirmed without a transfer that is as a whole."""
    found: list[Row] = []
    async with reading() as work:
        for source in (
            "satmachineclient.dca_payments shares",
            "satmachineclient.dca_commission_shares shares",
            ARCHIVED,
        ):
            found += await work.rows(
                f"SELECT shares.id FROM {source} "
                "WHERE shares.status = 'confirmed' AND shares.created_at >= :since AND COALESCE(("
                "SELECT MIN(CASE WHEN o.status = 'confirmed' THEN 1 ELSE 0 END) "
                "FROM satmachineclient.dca_payouts o "
                "WHERE o.transfer_id = shares.transfer_id), 0) = 0",
                since=since,
            )
    return found


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


async def confirmed_forwards(
    since: datetime, after: Forward | None = None, limit: int = 1000
) -> list[Forward]:
    """The next ones behind `after`, in the order of their confirmation."""
    async with reading() as work:
        return await work.fetch(
            Forward,
            f"SELECT * FROM satmachineclient.dca_forwards WHERE status = 'confirmed' AND "
            f"{beyond('confirmed_at')} ORDER BY confirmed_at, id LIMIT :limit",
            at=after.confirmed_at if after else since,
            behind=after.id if after else "",
            limit=limit,
        )


async def given_up_invoices(since: datetime) -> list[Row]:
    """Invoices of forwards, made since then, in whose place another one was paid, or none."""
    return await fetch_rows(
        "SELECT i.payment_hash, i.forward_id, f.wallet_id "
        "FROM satmachineclient.dca_forward_invoices i "
        "JOIN satmachineclient.dca_forwards f ON f.id = i.forward_id WHERE i.created_at >= :since "
        "AND (f.status = 'failed' OR COALESCE(f.payment_hash, '') <> i.payment_hash) "
        "ORDER BY i.created_at, i.payment_hash",
        since=since,
    )


def _brought(source: str) -> str:
    """SQL: the confirmed shares of a forward's client and wallet."""
    return (
        f"COALESCE((SELECT SUM(shares.amount_sats) FROM {source} "
        "WHERE shares.client_id = f.client_id AND shares.wallet_id = f.wallet_id "
        "AND shares.status = 'confirmed'), 0)"
    )


async def overdrawn_wallets() -> list[Row]:
    """Wallets out of which more was forwarded, or is on its way, than the programme brought.

    Of each owner by themselves: what a client is paid is not sent on as a partner's.
    """
    return await fetch_rows(
        "SELECT * FROM (SELECT client_id, wallet_id, "
        "CAST(SUM(amount_sats + (COALESCE(fee_msat, 0) + 999) / 1000) AS BIGINT) AS sent, "
        f"CAST({_brought('satmachineclient.dca_payments shares')} + {_brought(ARCHIVED)} "
        "+ COALESCE((SELECT SUM(h.amount_sats) FROM satmachineclient.dca_commission_shares h "
        "WHERE h.partner_id = f.client_id AND h.wallet_id = f.wallet_id "
        "AND h.status = 'confirmed'), 0) AS BIGINT) AS brought "
        "FROM satmachineclient.dca_forwards f WHERE status IN ('confirmed', 'in_flight') "
        "GROUP BY client_id, wallet_id) wallets WHERE sent > brought"
    )

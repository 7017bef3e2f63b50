"""SQL of alerts, their settings, clients' wishes, and of the figures that are watched.

Fiat sums are minor units, bitcoin sums sats.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..crud_shares import SHARES
from ..database import Ledger, LedgerBusyError, Row, fetch_rows, ledger, moment_of, reading
from ..models import AuditEntry
from .crud_outbox import insert_letters
from .models import Alert, AlertSettings, Letter, Wishes

# ---- settings --------------------------------------------------------------------------------


async def get_settings() -> AlertSettings:
    async with reading() as work:
        row = await work.fetch_one(
            AlertSettings, "SELECT * FROM satmachineclient.dca_alert_settings WHERE id = 'default'"
        )
    return row or AlertSettings()


async def save_settings(settings: AlertSettings, audit: AuditEntry) -> None:
    async with ledger() as work:
        if await work.rows("SELECT 1 FROM satmachineclient.dca_alert_settings"):
            await work.update("dca_alert_settings", settings)
        else:
            await work.insert("dca_alert_settings", [settings])
        await work.insert("dca_audit", [audit])


async def insert_digest(day: str, letters: Sequence[Letter]) -> bool:
    """Write this day's digest, unless it is written; of all servers one does it, once."""
    async with ledger() as work:
        first = await work.execute(
            "UPDATE satmachineclient.dca_alert_settings SET digest_last = :day "
            "WHERE id = 'default' AND (digest_last IS NULL OR digest_last < :day)",
            day=day,
        )
        if first:
            await insert_letters(work, letters)
        return bool(first)


async def last_digest() -> str | None:
    """The day (ISO) whose digest was written last."""
    rows = await fetch_rows("SELECT digest_last FROM satmachineclient.dca_alert_settings")
    return rows[0]["digest_last"] if rows else None


async def claim_look(time: datetime, before: datetime) -> bool:
    """Whether it is our turn to look: the last look of any server was before this time."""
    async with ledger() as work:
        return bool(
            await work.execute(
                "UPDATE satmachineclient.dca_alert_settings SET looked_at = :time "
                "WHERE looked_at IS NULL OR looked_at < :before OR looked_at > :time",
                time=time,
                before=before,
            )
        )


# ---- alerts ----------------------------------------------------------------------------------


async def open_alerts(work: Ledger | None = None) -> list[Alert]:
    sql = "SELECT * FROM satmachineclient.dca_alerts WHERE ended_at IS NULL ORDER BY began_at, id"
    if work:
        return await work.fetch(Alert, sql)
    async with reading() as own:
        return await own.fetch(Alert, sql)


async def get_alerts(limit: int = 1000) -> list[Alert]:
    """The newest ones."""
    async with reading() as work:
        return await work.fetch(
            Alert,
            "SELECT * FROM satmachineclient.dca_alerts ORDER BY began_at DESC, id LIMIT :limit",
            limit=limit,
        )


async def ended_since(work: Ledger, time: datetime) -> set[tuple[str, str]]:
    """Kind and subject of the alerts that ended after this time."""
    rows = await work.rows(
        "SELECT kind, subject FROM satmachineclient.dca_alerts WHERE ended_at > :time", time=time
    )
    return {(row["kind"], row["subject"]) for row in rows}


async def reword(work: Ledger, alert_id: str, text: str) -> None:
    await work.execute(
        "UPDATE satmachineclient.dca_alerts SET text = :text WHERE id = :id",
        text=text,
        id=alert_id,
    )


async def end(work: Ledger, alerts: Iterable[Alert], time: datetime) -> None:
    await work.execute_many(
        "UPDATE satmachineclient.dca_alerts SET ended_at = :time "
        "WHERE id = :id AND ended_at IS NULL",
        [{"time": time, "id": alert.id} for alert in alerts],
    )


# ---- what is watched -------------------------------------------------------------------------


async def waiting(before: datetime) -> Row:
    """How many sales wait for a person, deposits for their confirmation, since before this time.

    And how many shares have failed, of how many sats.
    """
    rows = await fetch_rows(
        "SELECT (SELECT COUNT(*) FROM satmachineclient.lamassu_transactions "
        "WHERE status = 'needs_review' AND processed_at < :before) AS sales, "
        "(SELECT COUNT(*) FROM satmachineclient.dca_deposits "
        "WHERE status = 'pending' AND created_at < :before) AS deposits, "
        "(SELECT COUNT(*) FROM satmachineclient.dca_payments WHERE status = 'failed') AS failed, "
        "(SELECT CAST(COALESCE(SUM(amount_sats), 0) AS BIGINT) FROM satmachineclient.dca_payments "
        "WHERE status = 'failed') AS failed_sats, "
        "(SELECT COUNT(*) FROM satmachineclient.lamassu_transactions "
        "WHERE status = 'planned' AND payout_error IS NOT NULL) AS stuck_sales",
        before=before,
    )
    return rows[0]


async def clock_offset_seconds() -> int | None:
    """How far the ATM's clock was ahead of ours when it was last asked; None: never."""
    rows = await fetch_rows(
        "SELECT clock_offset_seconds AS seconds FROM satmachineclient.lamassu_polls "
        "WHERE clock_offset_seconds IS NOT NULL ORDER BY started_at DESC LIMIT 1"
    )
    return rows[0]["seconds"] if rows else None


async def failing_forwards() -> Row:
    """Forwards that were tried some times, and clients whose forwarding needs a person."""
    [row] = await fetch_rows(
        "SELECT (SELECT COUNT(*) FROM satmachineclient.dca_forwards "
        "WHERE status = 'pending' AND attempts >= 4) + "
        "(SELECT COUNT(*) FROM satmachineclient.dca_forward_settings WHERE stopped) AS number"
    )
    return row


async def pending_clients() -> list[Row]:
    return await fetch_rows(
        "SELECT id, username FROM satmachineclient.dca_clients WHERE status = 'pending' "
        "ORDER BY created_at, id LIMIT 100"
    )


async def figures_between(since: datetime, until: datetime) -> Row:
    """What a digest counts: sales and their sats by the time of the sale, new clients."""
    rows = await fetch_rows(
        "SELECT COUNT(*) AS sales, CAST(COALESCE(SUM(distributed_sats), 0) AS BIGINT) AS sats, "
        "CAST(COALESCE(SUM(commission_amount_sats), 0) AS BIGINT) AS commission, "
        "(SELECT COUNT(*) FROM satmachineclient.dca_clients "
        "WHERE created_at >= :since AND created_at < :until) AS clients "
        "FROM satmachineclient.lamassu_transactions WHERE transaction_time >= :since "
        "AND transaction_time < :until AND status IN ('planned', 'settled') "
        "AND direction <> 'settle_out'",
        since=since,
        until=until,
    )
    return rows[0]


async def owed_cash() -> list[Row]:
    """Per currency, what of the clients' cash is not used up."""
    return await fetch_rows(
        "SELECT currency, CAST(SUM(deposited - allocated_fiat) AS BIGINT) AS amount "
        "FROM satmachineclient.dca_balances GROUP BY currency ORDER BY currency"
    )


@dataclass(frozen=True)
class Counts:
    """What the metrics count; `total` only rises, the others are what is so now, by state."""

    total: Mapping[str, int]
    sales: Mapping[str, int]
    payouts: Mapping[str, int]
    forwards: Mapping[str, int]
    newest_sale: datetime | None


async def counters() -> Counts:
    polls = await _by_status("lamassu_polls")
    sales = await _by_status("lamassu_transactions")
    [sums] = await fetch_rows(
        "SELECT (SELECT CAST(COALESCE(SUM(paid_sats), 0) AS BIGINT) "
        "FROM satmachineclient.dca_balances) AS paid, "
        "(SELECT CAST(COALESCE(SUM(amount_sats), 0) AS BIGINT) FROM satmachineclient.dca_forwards "
        "WHERE status = 'confirmed' AND kind = 'forward') AS forwarded"
    )
    seen = {
        "polls_succeeded": polls.get("succeeded", 0),
        "polls_failed": polls.get("failed", 0),
        "sales": sum(sales.values()),
        "paid_sats": sums["paid"],
        "forwarded_sats": sums["forwarded"],
    }
    [newest] = await fetch_rows(
        "SELECT MAX(transaction_time) AS time FROM satmachineclient.lamassu_transactions"
    )
    return Counts(
        total=await _only_risen(seen),
        sales=sales,
        payouts=await _by_status("dca_payouts"),
        forwards=await _by_status("dca_forwards"),
        newest_sale=None if newest["time"] is None else moment_of(newest["time"]),
    )


async def _by_status(table: str) -> dict[str, int]:
    rows = await fetch_rows(
        f"SELECT status, COUNT(*) AS number FROM satmachineclient.{table} "
        "GROUP BY status ORDER BY status"
    )
    return {row["status"]: row["number"] for row in rows}


async def _only_risen(seen: Mapping[str, int]) -> dict[str, int]:
    """By how much each figure has risen in all, however often it fell in between.

    It falls where rows are taken out of the tables, or a payment that LNbits has lost is reopened:
    to a monitor that would look like a counter that began anew.
    """
    try:
        async with ledger() as work:
            rows = await work.rows("SELECT * FROM satmachineclient.dca_counters")
            stored = {row["name"]: (row["seen"], row["total"]) for row in rows}
            total = {}
            for name, number in seen.items():
                before, sum_so_far = stored.get(name, (0, 0))
                total[name] = sum_so_far + max(0, number - before)
                if number != before:
                    await work.execute(
                        "INSERT INTO satmachineclient.dca_counters (name, seen, total) "
                        "VALUES (:name, :seen, :total) ON CONFLICT (name) "
                        "DO UPDATE SET seen = excluded.seen, total = excluded.total",
                        name=name,
                        seen=number,
                        total=total[name],
                    )
            return total
    except LedgerBusyError:  # a poll plans for long: what was told last, until it is done
        rows = await fetch_rows("SELECT name, total FROM satmachineclient.dca_counters")
        return dict.fromkeys(seen, 0) | {row["name"]: row["total"] for row in rows}


# ---- clients ---------------------------------------------------------------------------------


async def get_wishes(client_id: str) -> Wishes | None:
    async with reading() as work:
        return await work.fetch_one(
            Wishes,
            "SELECT * FROM satmachineclient.dca_client_notices WHERE client_id = :id",
            id=client_id,
        )


async def save_wishes(wish: Wishes, audit: AuditEntry) -> None:
    async with ledger() as work:
        await work.execute(
            "DELETE FROM satmachineclient.dca_client_notices WHERE client_id = :id",
            id=wish.client_id,
        )
        await work.insert("dca_client_notices", [wish])
        await work.insert("dca_audit", [audit])


async def nearly_used_up() -> list[Row]:
    """Clients' cash of which less than a tenth of the last deposit is left, not told yet."""
    return await fetch_rows(
        "SELECT * FROM (SELECT b.client_id, b.currency, "
        "b.deposited - b.allocated_fiat AS remaining, (SELECT d.id "
        "FROM satmachineclient.dca_deposits d WHERE d.client_id = b.client_id "
        "AND d.currency = b.currency AND d.status = 'confirmed' AND d.amount > 0 "
        "AND d.amount > 10 * (b.deposited - b.allocated_fiat) "
        "ORDER BY d.confirmed_at DESC, d.id LIMIT 1) AS deposit_id, (SELECT d.id "
        "FROM satmachineclient.dca_deposits d WHERE d.client_id = b.client_id "
        "AND d.currency = b.currency AND d.status = 'confirmed' AND d.amount > 0 "
        "ORDER BY d.confirmed_at DESC, d.id LIMIT 1) AS last_id "
        "FROM satmachineclient.dca_balances b "
        "JOIN satmachineclient.dca_clients c ON c.id = b.client_id AND c.status = 'active'"
        ") low WHERE deposit_id = last_id AND NOT EXISTS ("
        "SELECT 1 FROM satmachineclient.dca_told t WHERE t.key = 'cash_low:' || deposit_id)"
    )


async def reached_goals() -> list[Row]:
    """Goals that are reached and were not marked so yet."""
    return await fetch_rows(
        "SELECT n.client_id, n.goal_sats, n.goal_fiat, n.goal_currency "
        "FROM satmachineclient.dca_client_notices n WHERE n.goal_reached_at IS NULL AND ("
        "(n.goal_sats IS NOT NULL AND n.goal_sats <= (SELECT COALESCE(SUM(b.paid_sats), 0) "
        "FROM satmachineclient.dca_balances b WHERE b.client_id = n.client_id)) OR "
        "(n.goal_fiat IS NOT NULL AND n.goal_fiat <= (SELECT COALESCE(SUM(b.paid_fiat), 0) "
        "FROM satmachineclient.dca_balances b WHERE b.client_id = n.client_id "
        "AND b.currency = n.goal_currency)))"
    )


async def mark_goals(work: Ledger, client_ids: list[str], time: datetime) -> None:
    await work.execute_many(
        "UPDATE satmachineclient.dca_client_notices SET goal_reached_at = :time "
        "WHERE client_id = :id AND goal_reached_at IS NULL",
        [{"time": time, "id": client_id} for client_id in client_ids],
    )


async def is_told(key: str) -> bool:
    return bool(
        await fetch_rows("SELECT 1 FROM satmachineclient.dca_told WHERE key = :key", key=key)
    )


async def mark_told(key: str, time: datetime) -> None:
    async with ledger() as work:
        await work.execute(
            "INSERT INTO satmachineclient.dca_told (key, at) VALUES (:key, :at) "
            "ON CONFLICT (key) DO NOTHING",
            key=key,
            at=time,
        )


async def moved_between(since: datetime, until: datetime) -> list[str]:
    """Clients who put in, took out or bought in this time."""
    rows = await fetch_rows(
        "SELECT DISTINCT client_id FROM ("
        "SELECT client_id FROM satmachineclient.dca_deposits WHERE status = 'confirmed' "
        "AND confirmed_at >= :since AND confirmed_at < :until "
        f"UNION ALL SELECT shares.client_id FROM {SHARES} "
        "JOIN satmachineclient.lamassu_transactions t ON t.id = shares.transaction_id "
        "WHERE shares.status <> 'voided' AND t.transaction_time >= :since "
        "AND t.transaction_time < :until) moved ORDER BY client_id",
        since=since,
        until=until,
    )
    return [row["client_id"] for row in rows]

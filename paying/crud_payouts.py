"""SQL of transfers and payouts: what has to be moved, and the LNbits payments that move it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from ..crud import note
from ..crud_clients import Entry, book
from ..database import Ledger, chunks, reading
from ..models_payouts import Payout

_TOGETHER = 1000  # rows prepared before others get their turn


async def carry_shares(work: Ledger, carried: Sequence[tuple[str, str, str]]) -> None:
    """Give shares to transfers: their id, the transfer's, and the wallet that it pays."""
    for start in range(0, len(carried), _TOGETHER):
        await work.execute_many(
            "UPDATE satmachineclient.dca_payments "
            "SET transfer_id = :transfer, wallet_id = :wallet, error = NULL WHERE id = :id",
            [
                {"id": share, "transfer": transfer, "wallet": wallet}
                for share, transfer, wallet in carried[start : start + _TOGETHER]
            ],
        )


async def carry_transactions(
    work: Ledger, column: str, transaction_ids: Iterable[str], transfer_id: str
) -> None:
    """`column` is credit_transfer_id or commission_transfer_id."""
    for ids in chunks(transaction_ids):
        await work.execute(
            f"UPDATE satmachineclient.lamassu_transactions SET {column} = :transfer "
            "WHERE id IN :ids",
            transfer=transfer_id,
            ids=ids,
        )


async def set_waiting(work: Ledger, payment_ids: Iterable[str], error: str) -> None:
    for ids in chunks(payment_ids):
        await work.execute(
            "UPDATE satmachineclient.dca_payments SET error = :error WHERE id IN :ids",
            error=error,
            ids=ids,
        )


async def get_payouts_of(work: Ledger, transfer_id: str) -> list[Payout]:
    return await work.fetch(
        Payout,
        "SELECT * FROM satmachineclient.dca_payouts WHERE transfer_id = :id ORDER BY id",
        id=transfer_id,
    )


async def due_payouts(kinds: list[str], time: datetime | None) -> list[Payout]:
    """Unpaid payouts whose turn it is at this time, or, without one, all that may be retried."""
    due = "next_attempt_at IS NOT NULL" if time is None else "next_attempt_at <= :time"
    waits = "" if time is None else "AND (next_attempt_at IS NULL OR next_attempt_at <= :time)"
    async with reading() as work:
        return await work.fetch(
            Payout,
            "SELECT * FROM satmachineclient.dca_payouts WHERE ((status = 'pending' "
            f"{waits}) OR (status = 'failed' AND {due})) AND kind IN :kinds "
            "ORDER BY kind, created_at, id",
            kinds=kinds,
            **({} if time is None else {"time": time}),
        )


async def store_invoices(work: Ledger, payouts: Sequence[Payout]) -> None:
    await work.execute_many(
        "UPDATE satmachineclient.dca_payouts SET payment_hash = :hash, bolt11 = :bolt11 "
        "WHERE id = :id",
        [{"hash": p.payment_hash, "bolt11": p.bolt11, "id": p.id} for p in payouts],
    )


async def confirm_payouts(
    work: Ledger, payouts: Sequence[Payout], time: datetime
) -> tuple[int, int]:
    """Mark payouts as paid, and what they carried once all parts of a transfer are.

    The number of shares whose transfers are complete by it, and their sats.
    """
    await work.execute_many(
        "UPDATE satmachineclient.dca_payouts SET status = 'confirmed', error = NULL, "
        "next_attempt_at = NULL, confirmed_at = :time, fee_msat = :fee WHERE id = :id",
        [{"time": time, "fee": payout.fee_msat, "id": payout.id} for payout in payouts],
    )
    first_parts: list[Payout] = []
    for ids in chunks(payout.transfer_id for payout in payouts):
        first_parts += await work.fetch(
            Payout,
            "SELECT * FROM satmachineclient.dca_payouts o WHERE transfer_id IN :ids "
            "AND id = (SELECT MIN(f.id) FROM satmachineclient.dca_payouts f "
            "WHERE f.transfer_id = o.transfer_id) AND NOT EXISTS ("
            "SELECT 1 FROM satmachineclient.dca_payouts u "
            "WHERE u.transfer_id = o.transfer_id AND u.status <> 'confirmed')",
            ids=ids,
        )
    return await _confirm_transfers(work, first_parts, time)


async def _confirm_transfers(
    work: Ledger, first_parts: Sequence[Payout], time: datetime
) -> tuple[int, int]:
    for kind in ("credit", "commission"):
        await work.execute_many(
            "UPDATE satmachineclient.lamassu_transactions "
            f"SET {kind}_status = 'confirmed', payout_error = NULL "
            f"WHERE {kind}_transfer_id = :transfer",
            [{"transfer": part.transfer_id} for part in first_parts if part.kind == kind],
        )
    await work.execute_many(
        "UPDATE satmachineclient.dca_commission_shares SET status = 'confirmed', error = NULL, "
        "payment_hash = :hash, confirmed_at = :time "
        "WHERE transfer_id = :transfer AND status <> 'confirmed'",
        [
            {"hash": part.payment_hash, "time": time, "transfer": part.transfer_id}
            for part in first_parts
            if part.kind == "partner"
        ],
    )
    to_clients = [part for part in first_parts if part.kind == "client"]
    newly_paid = await _paid_by(work, [p.transfer_id for p in to_clients], "status <> 'confirmed'")
    await work.execute_many(
        "UPDATE satmachineclient.dca_payments SET status = 'confirmed', error = NULL, "
        "payment_hash = :hash, confirmed_at = :time "
        "WHERE transfer_id = :transfer AND status <> 'confirmed'",
        [
            {"hash": part.payment_hash, "time": time, "transfer": part.transfer_id}
            for part in to_clients
        ],
    )
    await book(work, (entry for _, entry in newly_paid))
    number = sum(shares for shares, _ in newly_paid)
    return number, sum(entry.paid_sats for _, entry in newly_paid)


async def _paid_by(
    work: Ledger, transfer_ids: Iterable[str], condition: str
) -> list[tuple[int, Entry]]:
    """Per client and currency, how many shares these transfers carry, and what they are worth."""
    found: list[tuple[int, Entry]] = []
    for ids in chunks(transfer_ids):
        rows = await work.rows(
            "SELECT client_id, currency, COUNT(*) AS shares, "
            "CAST(SUM(amount_fiat) AS BIGINT) AS fiat, CAST(SUM(amount_sats) AS BIGINT) AS sats "
            "FROM satmachineclient.dca_payments "
            f"WHERE transfer_id IN :ids AND {condition} GROUP BY client_id, currency",
            ids=ids,
        )
        for row in rows:
            paid = Entry(
                row["client_id"], row["currency"], paid_fiat=row["fiat"], paid_sats=row["sats"]
            )
            found.append((row["shares"], paid))
    return found


async def fail_payout(work: Ledger, payout: Payout) -> None:
    """Store a failed attempt, and show its error on the shares that the payout carries."""
    await work.execute(
        "UPDATE satmachineclient.dca_payouts SET status = 'failed', error = :error, "
        "attempts = :attempts, next_attempt_at = :next WHERE id = :id",
        error=payout.error,
        attempts=payout.attempts,
        next=payout.next_attempt_at,
        id=payout.id,
    )
    for table in ("dca_payments", "dca_commission_shares"):
        await work.execute(
            f"UPDATE satmachineclient.{table} SET status = 'failed', error = :error "
            "WHERE transfer_id = :transfer AND status IN ('pending', 'failed')",
            error=payout.error,
            transfer=payout.transfer_id,
        )
    text = f"A payout ({payout.kind}) of {payout.amount_sats} sats failed: {payout.error}"
    await note(work, "payout_failed", {payout.id: text})
    if payout.kind in ("credit", "commission"):
        await work.execute(
            "UPDATE satmachineclient.lamassu_transactions SET payout_error = :error "
            f"WHERE {payout.kind}_transfer_id = :transfer",
            error=f"The {payout.kind} failed: {payout.error}",
            transfer=payout.transfer_id,
        )
    if payout.kind == "credit":
        await work.execute(
            "UPDATE satmachineclient.dca_payments SET error = :error "
            "WHERE status = 'pending' AND transaction_id IN ("
            "SELECT id FROM satmachineclient.lamassu_transactions "
            "WHERE credit_transfer_id = :transfer)",
            error=f"Waiting: the sale's credit failed: {payout.error}",
            transfer=payout.transfer_id,
        )


async def postpone_payout(work: Ledger, payout: Payout, until: datetime, error: str) -> None:
    """Let a payout wait until then, as LNbits' own limits ask for; no attempt is counted."""
    await work.execute(
        "UPDATE satmachineclient.dca_payouts SET next_attempt_at = :until, error = :error "
        "WHERE id = :id",
        until=until,
        error=error,
        id=payout.id,
    )
    for table in ("dca_payments", "dca_commission_shares"):
        await work.execute(
            f"UPDATE satmachineclient.{table} SET error = :error "
            "WHERE transfer_id = :transfer AND status IN ('pending', 'failed')",
            error=error,
            transfer=payout.transfer_id,
        )


async def count_failed_moves() -> int:
    """How many credits and commissions, also partners', have failed and are not booked yet."""
    async with reading() as work:
        [row] = await work.rows(
            "SELECT COUNT(*) AS number FROM satmachineclient.dca_payouts "
            "WHERE status = 'failed' AND kind <> 'client'"
        )
    return int(row["number"])


async def reopen_unpaid_parts(work: Ledger, transfer_id: str) -> None:
    """Let what is left of a partly paid transfer be paid anew, to the wallet of today."""
    await work.execute(
        "UPDATE satmachineclient.dca_payouts SET status = 'pending', payment_hash = NULL, "
        "bolt11 = NULL, next_attempt_at = NULL, wallet_id = COALESCE(("
        "SELECT MAX(c.wallet_id) FROM satmachineclient.dca_payments p "
        "JOIN satmachineclient.dca_clients c ON c.id = p.client_id "
        "WHERE p.transfer_id = :transfer), ("
        "SELECT MAX(p.wallet_id) FROM satmachineclient.dca_commission_shares s "
        "JOIN satmachineclient.dca_partners p ON p.id = s.partner_id "
        "WHERE s.transfer_id = :transfer), wallet_id) "
        "WHERE transfer_id = :transfer AND status IN ('pending', 'failed')",
        transfer=transfer_id,
    )


async def dissolve_transfer(work: Ledger, transfer_id: str) -> None:
    """Void the unpaid payouts of a transfer; what it carried is open again."""
    await work.execute(
        "UPDATE satmachineclient.dca_payouts SET status = 'voided', next_attempt_at = NULL "
        "WHERE transfer_id = :transfer AND status <> 'confirmed'",
        transfer=transfer_id,
    )
    for _, entry in await _paid_by(work, [transfer_id], "status = 'confirmed'"):
        taken_back = replace(entry, paid_fiat=-entry.paid_fiat, paid_sats=-entry.paid_sats)
        await book(work, [taken_back])
    await work.execute(
        "UPDATE satmachineclient.dca_payments SET status = 'pending', transfer_id = NULL, "
        "error = NULL WHERE transfer_id = :transfer",
        transfer=transfer_id,
    )
    await work.execute(
        "UPDATE satmachineclient.dca_commission_shares SET status = 'pending', "
        "transfer_id = NULL, payment_hash = NULL, confirmed_at = NULL, error = NULL "
        "WHERE transfer_id = :transfer",
        transfer=transfer_id,
    )
    for column in ("credit_transfer_id", "commission_transfer_id"):
        await work.execute(
            "UPDATE satmachineclient.lamassu_transactions "
            f"SET {column} = NULL, payout_error = NULL "
            f"WHERE {column} = :transfer",
            transfer=transfer_id,
        )


async def get_payouts(payout_ids: Iterable[str]) -> list[Payout]:
    found: list[Payout] = []
    async with reading() as work:
        for ids in chunks(payout_ids):
            found += await work.fetch(
                Payout, "SELECT * FROM satmachineclient.dca_payouts WHERE id IN :ids", ids=ids
            )
    return found


async def open_amounts(work: Ledger, source_wallet_id: str) -> list[int]:
    """Sats of each payout that is to leave this wallet as soon as it can be paid."""
    rows = await work.rows(
        "SELECT amount_sats FROM satmachineclient.dca_payouts WHERE source_wallet_id = :wallet "
        "AND (status = 'pending' OR (status = 'failed' AND next_attempt_at IS NOT NULL))",
        wallet=source_wallet_id,
    )
    return [row["amount_sats"] for row in rows]


async def open_transfers(work: Ledger) -> list[str]:
    """The transfers that have payouts which are not paid yet."""
    rows = await work.rows(
        "SELECT DISTINCT transfer_id FROM satmachineclient.dca_payouts "
        "WHERE status IN ('pending', 'failed') ORDER BY transfer_id"
    )
    return [row["transfer_id"] for row in rows]

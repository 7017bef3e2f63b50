"""SQL of matching adopted payments with what is planned, of taking back, and of paying again."""

from collections.abc import Mapping, Sequence

from ..books.crud_adoption import Claim
from ..crud_clients import Entry, book
from ..crud_shares import SHARES, restore
from ..database import Ledger, Row
from ..helpers import now
from ..models_payouts import Payout
from ..models_sales import PayoutKind

# What a held share, credit or commission carries for a transfer: there are no payouts of it, so
# that it is released like any other that is surely unpaid.
_HELD = "'held-' || id"


async def sale_by_lamassu_id(work: Ledger, lamassu_id: str) -> Row | None:
    rows = await work.rows(
        "SELECT * FROM satmachineclient.lamassu_transactions WHERE lamassu_transaction_id = :id",
        id=lamassu_id,
    )
    return rows[0] if rows else None


async def share_for(work: Ledger, claim: Claim, transaction_id: str) -> Row | None:
    """The share of the sale that is the client's, or is paid into the very wallet."""
    rows = await work.rows(
        f"SELECT shares.* FROM {SHARES} "
        "JOIN satmachineclient.dca_clients c ON c.id = shares.client_id "
        "WHERE shares.transaction_id = :sale "
        "AND (shares.client_id = :client OR c.wallet_id = :wallet) "
        "ORDER BY CASE WHEN shares.client_id = :client THEN 0 ELSE 1 END",
        sale=transaction_id,
        client=claim.client_id,
        wallet=claim.wallet_id,
    )
    return rows[0] if rows else None


async def part_for(work: Ledger, claim: Claim, transaction_id: str) -> Row | None:
    """The part of the sale's commission that is the partner's, or is paid into the very wallet."""
    rows = await work.rows(
        "SELECT s.* FROM satmachineclient.dca_commission_shares s "
        "JOIN satmachineclient.dca_partners p ON p.id = s.partner_id "
        "WHERE s.transaction_id = :sale AND (s.partner_id = :partner OR p.wallet_id = :wallet) "
        "ORDER BY CASE WHEN s.partner_id = :partner THEN 0 ELSE 1 END",
        sale=transaction_id,
        partner=claim.client_id,
        wallet=claim.wallet_id,
    )
    return rows[0] if rows else None


async def take_part(work: Ledger, claim: Claim, part_id: str) -> None:
    """Mark a partner's part as paid by the claim's payment."""
    await work.execute(
        "UPDATE satmachineclient.dca_commission_shares SET status = 'confirmed', error = NULL, "
        "transfer_id = :transfer, payment_hash = :hash, wallet_id = :wallet, confirmed_at = :time "
        "WHERE id = :id",
        transfer=claim.transfer_id,
        hash=claim.payment_hash,
        wallet=claim.wallet_id,
        time=claim.paid_at,
        id=part_id,
    )


async def open_parts(work: Ledger, transaction_id: str) -> set[str]:
    """The partners' parts of a sale, if all of them are open and in no transfer; else none."""
    rows = await work.rows(
        "SELECT id, status, transfer_id FROM satmachineclient.dca_commission_shares "
        "WHERE transaction_id = :sale",
        sale=transaction_id,
    )
    is_open = all(r["status"] in ("pending", "failed") and not r["transfer_id"] for r in rows)
    return {row["id"] for row in rows} if is_open else set()


async def split_commission(work: Ledger, transaction_id: str, amounts: Mapping[str, int]) -> None:
    """Give the partners' parts of a sale these sats; the rest of its commission is the operator's.

    A part's percentage stays that of the plan: no payment says by which it was made.
    """
    await work.execute_many(
        "UPDATE satmachineclient.dca_commission_shares SET amount_sats = :sats WHERE id = :id",
        [{"id": part_id, "sats": sats} for part_id, sats in amounts.items()],
    )
    await work.execute(
        "UPDATE satmachineclient.lamassu_transactions SET partners_sats = :sats WHERE id = :id",
        sats=sum(amounts.values()),
        id=transaction_id,
    )


async def hold_part(work: Ledger, part_id: str, error: str) -> None:
    await work.execute(
        "UPDATE satmachineclient.dca_commission_shares SET status = 'failed', error = :error, "
        f"transfer_id = {_HELD} WHERE id = :id",
        error=error,
        id=part_id,
    )


async def open_shares_of(work: Ledger, transaction_id: str) -> list[Row]:
    """The shares of a sale that may still be put into a transfer."""
    return await work.rows(
        "SELECT id FROM satmachineclient.dca_payments WHERE transaction_id = :sale "
        "AND status IN ('pending', 'failed') AND transfer_id IS NULL",
        sale=transaction_id,
    )


async def open_before(work: Ledger, claim: Claim) -> list[Row]:
    """What is open, no newer than the claim, and could be what it paid; oldest first."""
    if claim.kind == "client":
        return await work.rows(
            "SELECT p.*, t.id AS sale FROM satmachineclient.dca_payments p "
            "JOIN satmachineclient.lamassu_transactions t ON t.id = p.transaction_id "
            "JOIN satmachineclient.dca_clients c ON c.id = p.client_id "
            "WHERE p.status IN ('pending', 'failed') AND p.transfer_id IS NULL "
            "AND (p.client_id = :client OR c.wallet_id = :wallet) AND p.currency = :currency "
            "AND t.transaction_time <= :time "
            "ORDER BY t.transaction_time, t.lamassu_transaction_id",
            client=claim.client_id,
            wallet=claim.wallet_id,
            currency=claim.currency,
            time=claim.paid_at,
        )
    amount = "crypto_amount_sats" if claim.kind == "credit" else "commission_amount_sats"
    return await work.rows(
        f"SELECT id, id AS transaction_id, {amount} AS amount_sats, NULL AS amount_fiat "
        "FROM satmachineclient.lamassu_transactions WHERE status = 'planned' "
        f"AND {claim.kind}_status = 'pending' AND {claim.kind}_transfer_id IS NULL "
        "AND transaction_time <= :time ORDER BY transaction_time, lamassu_transaction_id",
        time=claim.paid_at,
    )


async def take_shares(work: Ledger, claim: Claim, shares: Sequence[Row]) -> None:
    """Mark shares as paid by the claim's payment."""
    await work.execute_many(
        "UPDATE satmachineclient.dca_payments SET status = 'confirmed', transfer_id = :transfer, "
        "payment_hash = :hash, wallet_id = :wallet, confirmed_at = :time, error = NULL "
        "WHERE id = :id",
        [
            {
                "transfer": claim.transfer_id,
                "hash": claim.payment_hash,
                "wallet": claim.wallet_id,
                "time": claim.paid_at,
                "id": share["id"],
            }
            for share in shares
        ],
    )
    await book(
        work,
        [
            Entry(
                s["client_id"],
                s["currency"],
                paid_fiat=s["amount_fiat"],
                paid_sats=s["amount_sats"],
            )
            for s in shares
        ],
    )


async def take_move(work: Ledger, claim: Claim, transaction_id: str) -> None:
    """Mark a sale's credit, or commission, as booked by the claim's payment."""
    await work.execute(
        f"UPDATE satmachineclient.lamassu_transactions SET {claim.kind}_status = 'confirmed', "
        f"{claim.kind}_transfer_id = :transfer, payout_error = NULL WHERE id = :id",
        transfer=claim.transfer_id,
        id=transaction_id,
    )


async def hold_shares(work: Ledger, share_ids: Sequence[str], error: str) -> None:
    await work.execute_many(
        "UPDATE satmachineclient.dca_payments SET status = 'failed', error = :error, "
        f"transfer_id = {_HELD} WHERE id = :id",
        [{"error": error, "id": share_id} for share_id in share_ids],
    )


async def hold_move(work: Ledger, kind: PayoutKind, transaction_id: str, error: str) -> None:
    await work.execute(
        f"UPDATE satmachineclient.lamassu_transactions SET payout_error = :error, "
        f"{kind}_transfer_id = {_HELD} WHERE id = :id",
        error=error,
        id=transaction_id,
    )


async def give_hash(work: Ledger, payout: Payout) -> bool:
    """Tell an unpaid payout of ours which LNbits payment has paid it; False if it is none."""
    return bool(
        await work.execute(
            "UPDATE satmachineclient.dca_payouts SET payment_hash = :hash, bolt11 = :bolt11, "
            "wallet_id = :wallet, source_wallet_id = :source "
            "WHERE id = :id AND kind = :kind AND status IN ('pending', 'failed') "
            "AND amount_sats = :sats",
            hash=payout.payment_hash,
            bolt11=payout.bolt11,
            wallet=payout.wallet_id,
            source=payout.source_wallet_id,
            id=payout.id,
            kind=payout.kind,
            sats=payout.amount_sats,
        )
    )


async def insert_adopted(work: Ledger, payout: Payout) -> None:
    """Store a payout that LNbits has paid; beside one with its id that was given up, if any was."""
    if await work.rows("SELECT id FROM satmachineclient.dca_payouts WHERE id = :id", id=payout.id):
        payout = payout.copy(update={"id": f"{payout.id}-{(payout.payment_hash or '')[:8]}"})
    await work.insert("dca_payouts", [payout])


# ---- taking back -----------------------------------------------------------------------------


async def anything_booked(work: Ledger, transaction_id: str) -> bool:
    """Whether a sale is not planned any more, or credit, commission or a share of it is moved."""
    rows = await work.rows(
        "SELECT id FROM satmachineclient.lamassu_transactions t WHERE t.id = :sale "
        "AND t.status = 'planned' AND t.credit_status <> 'confirmed' "
        "AND t.commission_status <> 'confirmed' AND t.credit_transfer_id IS NULL "
        "AND t.commission_transfer_id IS NULL AND NOT EXISTS ("
        "SELECT 1 FROM satmachineclient.dca_payments p WHERE p.transaction_id = t.id "
        "AND (p.status = 'confirmed' OR p.transfer_id IS NOT NULL)) AND NOT EXISTS ("
        "SELECT 1 FROM satmachineclient.dca_commission_shares s WHERE s.transaction_id = t.id "
        "AND (s.status = 'confirmed' OR s.transfer_id IS NOT NULL))",
        sale=transaction_id,
    )
    return not rows


async def dismiss_planned(work: Ledger, transaction_id: str, notes: str) -> None:
    """A sale of which nothing was booked, and whose shares are voided, is nobody's any more."""
    await work.execute(
        "UPDATE satmachineclient.dca_commission_shares SET status = 'voided', error = :notes "
        "WHERE transaction_id = :id",
        notes=notes,
        id=transaction_id,
    )
    await work.execute(
        "UPDATE satmachineclient.lamassu_transactions SET status = 'dismissed', "
        "review_notes = :notes, credit_status = 'none', commission_status = 'none', "
        "payout_error = NULL, commission_amount_sats = 0, partners_sats = 0, "
        "base_amount_sats = crypto_amount_sats, "
        "distributed_sats = 0, undistributed_sats = crypto_amount_sats, "
        "undistributed_fiat = fiat_amount, clients_count = 0, taken_back_at = :now "
        "WHERE id = :id",
        notes=notes,
        id=transaction_id,
        now=now(),
    )


# ---- paying again ----------------------------------------------------------------------------


async def reopen_lost(work: Ledger, transfer_id: str, payout_ids: Sequence[str]) -> int:
    """Let be paid anew what LNbits has lost of a transfer; the number of its shares.

    The caller knows that LNbits has neither their invoices nor their debits.
    """
    await work.execute_many(
        "UPDATE satmachineclient.dca_payouts SET status = 'failed', next_attempt_at = :now, "
        "confirmed_at = NULL, fee_msat = NULL WHERE id = :id AND status = 'confirmed'",
        [{"id": payout_id, "now": now()} for payout_id in payout_ids],
    )
    for kind in ("credit", "commission"):
        await work.execute(
            f"UPDATE satmachineclient.lamassu_transactions SET {kind}_status = 'pending', "
            f"status = 'planned' WHERE {kind}_transfer_id = :transfer "
            f"AND {kind}_status = 'confirmed' AND status IN ('planned', 'settled')",
            transfer=transfer_id,
        )
    shares = await _reopen_shares(work, transfer_id)
    parts = await _reopen_parts(work, transfer_id)
    await work.execute_many(
        "UPDATE satmachineclient.lamassu_transactions SET status = 'planned' "
        "WHERE id = :id AND status = 'settled'",
        [{"id": transaction_id} for transaction_id in (*shares, *parts)],
    )
    return len(shares)


async def _reopen_shares(work: Ledger, transfer_id: str) -> list[str]:
    """The confirmed shares of a transfer are pending again; each one's sale."""
    await restore(work, transfer_id)
    shares = await work.rows(
        "SELECT id, client_id, currency, amount_sats, amount_fiat, transaction_id "
        "FROM satmachineclient.dca_payments WHERE transfer_id = :transfer AND status = 'confirmed'",
        transfer=transfer_id,
    )
    await book(
        work,
        [
            Entry(
                s["client_id"],
                s["currency"],
                paid_fiat=-s["amount_fiat"],
                paid_sats=-s["amount_sats"],
            )
            for s in shares
        ],
    )
    await work.execute_many(
        "UPDATE satmachineclient.dca_payments SET status = 'pending', confirmed_at = NULL, "
        "payment_hash = NULL WHERE id = :id",
        [{"id": share["id"]} for share in shares],
    )
    return [share["transaction_id"] for share in shares]


async def _reopen_parts(work: Ledger, transfer_id: str) -> list[str]:
    """The partners' confirmed parts of a transfer are pending again; each one's sale."""
    parts = await work.rows(
        "SELECT id, transaction_id FROM satmachineclient.dca_commission_shares "
        "WHERE transfer_id = :transfer AND status = 'confirmed'",
        transfer=transfer_id,
    )
    await work.execute_many(
        "UPDATE satmachineclient.dca_commission_shares SET status = 'pending', "
        "confirmed_at = NULL, payment_hash = NULL WHERE id = :id",
        [{"id": part["id"]} for part in parts],
    )
    return [part["transaction_id"] for part in parts]


async def parts_left(work: Ledger, transfer_id: str) -> int:
    """How many payouts of a transfer are confirmed."""
    [row] = await work.rows(
        "SELECT COUNT(*) AS number FROM satmachineclient.dca_payouts "
        "WHERE transfer_id = :transfer AND status = 'confirmed'",
        transfer=transfer_id,
    )
    return int(row["number"])


async def has_failed_payouts(work: Ledger) -> bool:
    return bool(
        await work.rows(
            "SELECT 1 FROM satmachineclient.dca_payouts WHERE status = 'failed' LIMIT 1"
        )
    )


async def moved_transfers(
    work: Ledger, *, source: str, payer: str | None, commission: str | None
) -> list[str]:
    """Failed transfers whose payer or payee is another wallet today than when they were formed.

    `source`: what is credited; `payer`: the wallet that pays for it, None if it is gone;
    `commission`: where the operator's commission goes, None where that is not configured.
    """
    rows = await work.rows(
        "SELECT DISTINCT p.transfer_id FROM satmachineclient.dca_payouts p "
        "WHERE p.status = 'failed' AND ("
        "(p.kind = 'credit' AND p.wallet_id <> :source) "
        "OR (p.kind <> 'credit' AND p.source_wallet_id <> COALESCE(:payer, p.source_wallet_id)) "
        "OR (p.kind = 'commission' AND p.wallet_id <> COALESCE(:commission, p.wallet_id)) "
        "OR (p.kind = 'client' AND EXISTS (SELECT 1 FROM satmachineclient.dca_payments s "
        "JOIN satmachineclient.dca_clients c ON c.id = s.client_id "
        "WHERE s.transfer_id = p.transfer_id AND c.wallet_id <> p.wallet_id)) "
        "OR (p.kind = 'partner' AND EXISTS (SELECT 1 FROM satmachineclient.dca_commission_shares s "
        "JOIN satmachineclient.dca_partners o ON o.id = s.partner_id "
        "WHERE s.transfer_id = p.transfer_id AND o.wallet_id <> p.wallet_id))) "
        "ORDER BY p.transfer_id",
        source=source,
        payer=payer,
        commission=commission,
    )
    return [row["transfer_id"] for row in rows]

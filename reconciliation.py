"""Do the books agree? Recomputes every sum from its rows, and compares with LNbits' payments.

Reads only. A poll that is paying meanwhile makes no difference: what is confirmed here was booked
by LNbits before, and what LNbits has booked was stored here before.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from loguru import logger

from . import crud, crud_clients, crud_reports
from .models import Difference, Payout, Reconciliation
from .payouts import TAG

EVERYTHING = datetime(2009, 1, 3, tzinfo=timezone.utc)
_LOGGED = 10  # differences shown in one line of the log
_OVERLAP = timedelta(days=1)  # LNbits stores times without their zone


async def reconcile(since: datetime = EVERYTHING) -> Reconciliation:
    """Check all that was processed since then; what differs is logged as an error."""
    transactions = await crud_reports.unbalanced_transactions(since)
    transfers = await crud_reports.unbalanced_transfers(since)
    shares = await crud_reports.unpaid_but_confirmed(since)
    balances = await crud_clients.get_balances()
    confirmed = await crud.confirmed_payouts(since)
    ids = [key for payout in confirmed for key, *_ in _bookings_of(payout)]
    booked = await crud_reports.lnbits_payments(ids)
    tagged = await crud_reports.lnbits_payments_tagged(since - _OVERLAP, TAG)
    paid_hashes = {row["payment_hash"] for row in tagged}
    strangers = paid_hashes - await crud_reports.known_hashes(paid_hashes)
    differences = [
        *(_transaction_difference(row) for row in transactions),
        *(
            Difference(
                kind="transfer",
                id=row["id"],
                detail=f"Its payouts are {row['payout_sats']} sats, what it carries is "
                f"{row['carried_sats']} sats.",
            )
            for row in transfers
        ),
        *(
            Difference(kind="payment", id=row["id"], detail="Confirmed, but its payout is not.")
            for row in shares
        ),
        *(
            Difference(
                kind="balance",
                id=b.client_id,
                detail=f"More {b.currency} was distributed than deposited.",
            )
            for b in balances
            if b.remaining < 0
        ),
        *_payout_differences(confirmed, booked),
        *(
            Difference(
                kind="lnbits_payment", id=key, detail="Booked with our tag, but no payout knows it."
            )
            for key in sorted(strangers)
        ),
    ]
    if differences:
        first = "; ".join(f"{d.kind} {d.id}: {d.detail}" for d in differences[:_LOGGED])
        logger.error(f"satmachineclient: {len(differences)} differences in the books: {first}")
    return Reconciliation(
        ok=not differences,
        checked={
            "transactions": await crud_reports.count("lamassu_transactions", "processed_at", since),
            "payments": await crud_reports.count("dca_payments", "created_at", since),
            "payouts": len(confirmed),
            "balances": len(balances),
            "lnbits_payments": len(tagged),
        },
        differences=differences,
    )


def _transaction_difference(row: Mapping[str, Any]) -> Difference:
    return Difference(
        kind="transaction",
        id=row["id"],
        detail=(
            f"{row['crypto_amount_sats']} sats against {row['commission_amount_sats']} commission "
            f"+ {row['share_sats']} in {row['shares']} shares + {row['undistributed_sats']} "
            f"undistributed; fiat {row['fiat_amount']} against {row['share_fiat']} + "
            f"{row['undistributed_fiat']} (minor units)."
        ),
    )


def _payout_differences(
    payouts: Iterable[Payout], booked: Iterable[Mapping[str, Any]]
) -> Iterable[Difference]:
    """Each confirmed payout has its credit in LNbits, and its debit, of exactly its amount."""
    by_id = {row["checking_id"]: row for row in booked}
    for payout in payouts:
        for key, wallet_id, msat in _bookings_of(payout):
            row = by_id.get(key)
            found = row and (row["wallet_id"], row["amount"], row["status"])
            if found != (wallet_id, msat, "success"):
                yield Difference(
                    kind="payout",
                    id=payout.id,
                    detail=f"LNbits' booking {key} should be {msat} msat on wallet {wallet_id}, "
                    f"successful; it is {found or 'missing'}.",
                )


def _bookings_of(payout: Payout) -> Iterable[tuple[str, str, int]]:
    """What LNbits books for a payout: id, wallet, msat."""
    msat = payout.amount_sats * 1000
    yield payout.payment_hash or "", payout.wallet_id, msat
    if payout.kind != "credit":
        yield f"internal_{payout.payment_hash}", payout.source_wallet_id or "", -msat

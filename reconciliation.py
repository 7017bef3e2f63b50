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
    """Check all that was processed since then; what differs is logged as an error.

    Asked for everything, it also sums up every row for the clients' totals.
    """
    balances = await crud_clients.get_balances()
    differences = [
        *(_transaction_difference(r) for r in await crud_reports.unbalanced_transactions(since)),
        *(
            Difference(
                kind="transfer",
                id=row["id"],
                detail=f"Its payouts are {row['payout_sats']} sats, what it carries is "
                f"{row['carried_sats']} sats.",
            )
            for row in await crud_reports.unbalanced_transfers(since)
        ),
        *(
            Difference(kind="payment", id=row["id"], detail="Confirmed, but its payout is not.")
            for row in await crud_reports.unpaid_but_confirmed(since)
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
    ]
    if since == EVERYTHING:
        differences += [_total_difference(row) for row in await crud_reports.wrong_totals()]
    payouts, found = await _check_payouts(since)
    differences += found
    tagged, found = await _check_lnbits_payments(since)
    differences += found
    if differences:
        first = "; ".join(f"{d.kind} {d.id}: {d.detail}" for d in differences[:_LOGGED])
        logger.error(f"satmachineclient: {len(differences)} differences in the books: {first}")
    return Reconciliation(
        ok=not differences,
        checked={
            "transactions": await crud_reports.count("lamassu_transactions", "processed_at", since),
            "payments": await crud_reports.count("dca_payments", "created_at", since),
            "payouts": payouts,
            "balances": len(balances),
            "lnbits_payments": tagged,
        },
        differences=differences,
    )


async def _check_payouts(since: datetime) -> tuple[int, list[Difference]]:
    """Each confirmed payout against LNbits' bookings: how many there are, and what differs."""
    number = 0
    differences: list[Difference] = []
    last: Payout | None = None
    while batch := await crud.confirmed_payouts(since, last):
        ids = [key for payout in batch for key, *_ in _bookings_of(payout)]
        differences += _payout_differences(batch, await crud_reports.lnbits_payments(ids))
        number, last = number + len(batch), batch[-1]
    return number, differences


async def _check_lnbits_payments(since: datetime) -> tuple[int, list[Difference]]:
    """LNbits' payments with our tag against our payouts: how many, and those we do not know."""
    number = 0
    strangers: set[str] = set()
    async for batch in crud_reports.lnbits_payments_tagged(since - _OVERLAP, TAG):
        hashes = {row["payment_hash"] for row in batch}
        strangers |= hashes - await crud_reports.known_hashes(hashes)
        number += len(batch)
    return number, [
        Difference(
            kind="lnbits_payment", id=key, detail="Booked with our tag, but no payout knows it."
        )
        for key in sorted(strangers)
    ]


def _total_difference(row: Mapping[str, Any]) -> Difference:
    wrong = {key: value for key, value in row.items() if isinstance(value, int) and value}
    sums = ", ".join(f"{name} by {value}" for name, value in wrong.items())
    return Difference(
        kind="balance",
        id=row["client_id"],
        detail=f"The totals in {row['currency']} differ from the sums of their rows: {sums}.",
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

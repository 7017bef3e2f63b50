"""The forwards checked against what LNbits has booked, and against what the programme brought."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from .. import crud_lnbits
from ..models import Difference
from ..models_payouts import Forward
from . import crud_checks


async def check(begin: datetime, end: datetime) -> tuple[int, list[Difference]]:
    """How many forwards were confirmed in this time, and what differs.

    Each has one outgoing payment in LNbits, of its amount and fee, successful; and no invoice was
    paid that was given up.
    """
    number = 0
    differences: list[Difference] = []
    async for batch in crud_checks.confirmed_forwards(begin, end):
        hashes = [forward.payment_hash or "" for forward in batch]
        differences += _differences(batch, await crud_lnbits.lnbits_debits(hashes))
        number += len(batch)
    return number, differences + await _paid_although_given_up(begin, end)


async def overdrawn(owners: Sequence[str]) -> list[Difference]:
    """Out of which of these clients' and partners' wallets went more than the programme brought."""
    return [
        Difference(
            kind="forward",
            id=row["client_id"],
            detail=f"{row['sent']} sats were forwarded from the wallet {row['wallet_id']}, with "
            f"fees, and {row['brought']} were brought.",
        )
        for row in await crud_checks.overdrawn_wallets(list(owners))
    ]


async def _paid_although_given_up(begin: datetime, end: datetime) -> list[Difference]:
    given_up = {
        (row["payment_hash"], row["wallet_id"]): row["forward_id"]
        for row in await crud_checks.given_up_invoices(begin, end)
    }
    booked = await crud_lnbits.lnbits_debits(payment_hash for payment_hash, _ in given_up)
    return [
        Difference(
            kind="forward",
            id=given_up[row["payment_hash"], row["wallet_id"]],
            detail=f"LNbits has paid its invoice {row['payment_hash']} "
            f"({-row['amount'] // 1000} sats), which was given up as not paid.",
        )
        for row in booked
        if row["status"] == "success" and (row["payment_hash"], row["wallet_id"]) in given_up
    ]


def _differences(
    forwards: Iterable[Forward], booked: Iterable[Mapping[str, Any]]
) -> Iterable[Difference]:
    found: dict[tuple[str, str], tuple[int, int, str]] = {
        (row["payment_hash"], row["wallet_id"]): (row["amount"], abs(row["fee"]), row["status"])
        for row in booked
    }
    for forward in forwards:
        expected = (-forward.amount_sats * 1000, forward.fee_msat, "success")
        payment = found.get((forward.payment_hash or "", forward.wallet_id))
        if payment != expected:
            yield Difference(
                kind="forward",
                id=forward.id,
                detail=f"LNbits' payment {forward.payment_hash} should be {expected[0]} msat with "
                f"a fee of {expected[1]}, successful; it is {payment or 'missing'}.",
            )

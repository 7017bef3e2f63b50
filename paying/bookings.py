"""What LNbits has booked for a payout, and what is done to it: the rows of its own table."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from lnbits.core.crud.payments import update_payment
from lnbits.core.models import Payment as LnbitsPayment
from lnbits.core.models.payments import PaymentState
from lnbits.db import Connection
from lnbits.exceptions import InvoiceError, PaymentError
from lnbits.task_manager import task_manager
from loguru import logger

from ..connection import whole
from ..helpers import TAG, SatMachineError
from ..models_payouts import Payout


class PayoutError(SatMachineError):
    """LNbits refused a transfer; `permanent` if trying again is of no use until a person acts."""

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


@dataclass(frozen=True)
class Bookings:
    """What LNbits has booked for a payout: its invoice, and the debit that paid it."""

    invoice: LnbitsPayment | None = None
    debit: LnbitsPayment | None = None


async def bookings_of(payout: Payout, conn: Connection) -> Bookings:
    if not payout.payment_hash:
        return Bookings()
    rows: list[LnbitsPayment] = await conn.fetchall(
        "SELECT * FROM apipayments WHERE payment_hash = :hash",
        {"hash": payout.payment_hash},
        LnbitsPayment,
    )
    # An internal invoice's id is its hash; a service fee may have the same hash.
    by_id = {row.checking_id: row for row in rows}
    return Bookings(by_id.get(payout.payment_hash), by_id.get(f"internal_{payout.payment_hash}"))


async def is_paid(payout: Payout, booked: Bookings, conn: Connection) -> bool:
    """Whether LNbits has booked this payout; finishes one that it left half booked.

    LNbits debits and credits in two commits. Where only the debit is there (it died in between,
    or its check of pending invoices overwrote the credit), the credit is booked here.
    """
    invoice, debit = booked.invoice, booked.debit
    if payout.kind == "credit":
        return bool(invoice and invoice.success)
    if not debit or not debit.success or debit.wallet_id != payout.source_wallet_id:
        return False  # anybody may pay an invoice that they see: that is a gift, not our payment
    if invoice is None:
        raise PayoutError(
            f"LNbits debited the payment {payout.payment_hash} but has lost its invoice.",
            permanent=True,
        )
    if not invoice.success:
        logger.warning(
            f"satmachineclient: finishing the half-booked payment {invoice.payment_hash}"
        )
        await book_incoming(invoice, conn)
    payout.fee_msat = abs(debit.fee)
    return True


async def book_incoming(invoice: LnbitsPayment, conn: Connection) -> None:
    invoice.status = PaymentState.SUCCESS.value
    await update_payment(invoice, conn=conn)
    task_manager.internal_invoice_queue.put_nowait(invoice)


async def retire(invoice: LnbitsPayment | None, conn: Connection) -> None:
    """See to it that an unpaid invoice can never be paid."""
    if invoice and invoice.pending:
        invoice.status = PaymentState.FAILED.value
        await update_payment(invoice, conn=conn)


async def lnbits(work: Awaitable[LnbitsPayment]) -> LnbitsPayment:
    """LNbits' refusals as PayoutErrors."""
    try:
        return await whole(work)
    except (PaymentError, InvoiceError) as exc:
        raise PayoutError(exc.message) from None
    except ValueError as exc:
        raise PayoutError(str(exc)) from None


def extra_of(payout: Payout) -> dict[str, Any]:
    return {
        **payout.extra,
        "tag": TAG,
        "kind": payout.kind,
        "transfer_id": payout.transfer_id,
        "payout_id": payout.id,
    }

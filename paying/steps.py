"""The steps of one payout: its invoice, its turn, its payment; each looks first what is booked."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from lnbits.core.crud.wallets import get_wallet
from lnbits.core.services.payments import create_invoice, pay_invoice

from .. import database
from ..helpers import now
from ..models_payouts import Payout
from . import limits
from .bookings import PayoutError, book_incoming, bookings_of, extra_of, is_paid, lnbits, retire
from .core import Core

NOT_OURS = (database.LeaseLostError, database.LedgerBusyError)
_INVOICE_SECONDS = 24 * 3600


class PostponedError(PayoutError):
    """LNbits' own limits let a payment wait until a time that is known."""

    def __init__(self, message: str, until: datetime) -> None:
        super().__init__(message)
        self.until = until


class InvoiceCancelledError(PayoutError):
    """LNbits' own check of what is pending has cancelled the invoice before it was paid."""


@dataclass
class Patience:
    """The seconds that may still be spent, in one settling, on LNbits' pause between payments."""

    seconds: float = 45


async def wait_for_turn(payout: Payout, core: Core, patience: Patience) -> None:
    """Let the pause pass that LNbits asks for between payments, if it is a short one.

    Raises:
        PostponedError: it is a long one, or the day's limit is reached.
    """
    while True:
        async with core.moving_money() as conn:
            if await is_paid(payout, await bookings_of(payout, conn), conn):
                return
            waits = await limits.wait_until(payout, conn)
        if waits is None:
            return
        until, reason = waits
        seconds = (until - now()).total_seconds()
        if seconds > patience.seconds:
            raise PostponedError(reason, until)
        patience.seconds -= seconds
        await asyncio.sleep(max(seconds, 0.1))


async def needs_invoice(payout: Payout, core: Core) -> bool:
    """False if the payout is paid already, or has an invoice that can be paid.

    An invoice that cannot is cancelled for good, before another one takes its place.
    """
    if not payout.payment_hash:
        return True
    async with core.moving_money() as conn:
        booked = await bookings_of(payout, conn)
        if await is_paid(payout, booked, conn):
            return False
        wallet = await get_wallet(payout.wallet_id, conn=conn)
        invoice = booked.invoice
        if wallet is not None and wallet.can_receive_payments and invoice:
            # A credit's invoice is only a row to be marked as paid: no expiry can hinder that.
            if payout.kind == "credit" or (invoice.pending and not invoice.is_expired):
                return False
        await retire(invoice, conn)
    return True


async def invoice_for(payout: Payout, core: Core) -> None:
    """Give the payout a new invoice. Nobody pays it before its hash is stored under the lease.

    Raises:
        PayoutError: the wallet is gone, may not receive, or LNbits refuses the invoice.
    """
    if payout.wallet_id == payout.source_wallet_id:
        raise PayoutError("It would be paid into the source wallet itself.", permanent=True)
    async with core.step() as conn:
        try:
            created = await lnbits(
                create_invoice(
                    wallet_id=payout.wallet_id,
                    amount=payout.amount_sats,
                    memo=payout.memo,
                    # Letter by letter in the invoice, a memo would cost milliseconds at each use.
                    description_hash=sha256(payout.memo.encode()).digest(),
                    internal=True,
                    expiry=_INVOICE_SECONDS,
                    extra=extra_of(payout),
                    external_id=payout.id,
                    conn=conn,
                )
            )
        except PayoutError:
            wallet = await get_wallet(payout.wallet_id, conn=conn)
            if wallet is not None and wallet.can_receive_payments:
                raise
            what = "does not exist any more" if wallet is None else "may not receive"
            raise PayoutError(f"The wallet {payout.wallet_id} {what}.", permanent=True) from None
    payout.payment_hash, payout.bolt11 = created.payment_hash, created.bolt11


async def pay(payout: Payout, core: Core) -> None:
    """Pay the payout's invoice from the source wallet, unless that was done already.

    Raises:
        InvoiceCancelledError: not paid; it needs a new invoice.
        PayoutError: it surely was not paid, and why.
    """
    try:
        async with core.moving_money() as conn:
            booked = await bookings_of(payout, conn)
            if await is_paid(payout, booked, conn):
                return
            if booked.invoice is None or not booked.invoice.pending:
                # LNbits would try such an invoice on the Lightning network.
                raise InvoiceCancelledError(
                    "The invoice was cancelled meanwhile; a new one is made."
                )
            payment = await lnbits(
                pay_invoice(
                    wallet_id=payout.source_wallet_id or "",
                    payment_request=payout.bolt11 or "",
                    description=payout.memo,
                    extra=extra_of(payout),
                    external_id=payout.id,
                    conn=conn,
                )
            )
    except NOT_OURS:
        raise
    except Exception:  # what matters is whether LNbits has booked it
        async with core.moving_money() as conn:
            paid = await is_paid(payout, await bookings_of(payout, conn), conn)
        if not paid:
            raise
    else:
        if payment.checking_id != f"internal_{payout.payment_hash}" or not payment.success:
            raise PayoutError("LNbits did not book the payment as an internal one.")
        payout.fee_msat = abs(payment.fee)


async def credit(payout: Payout, core: Core) -> None:
    """Book the credit: an internal invoice marked as paid is all that a credit is in LNbits."""
    async with core.moving_money() as conn:
        invoice = (await bookings_of(payout, conn)).invoice
        if invoice is None:
            raise InvoiceCancelledError(
                "The credit's invoice was removed meanwhile; a new one is made."
            )
        if not invoice.success:
            await book_incoming(invoice, conn)

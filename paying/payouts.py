"""The wallet side: credit, commission and shares become LNbits payments, each exactly once.

A *payout* is one LNbits payment of a transfer (a single amount above LNbits' maximum has several).
Every payout obeys one order: create the internal invoice, store its hash, pay it, mark it
confirmed. Whatever stops in between, the stored hash tells on resuming what has happened.

All work is done under a lease on the ledger (`database.take_lease`), which the caller holds.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from loguru import logger
from sqlalchemy.exc import DBAPIError

from .. import crud_sales, database
from ..helpers import log_unexpected, now
from ..models_config import LamassuConfig
from ..models_payouts import Payout
from . import claims, crud_open, crud_payouts, forwards, limits, schedule, steps, transfers
from .bookings import PayoutError as PayoutError
from .bookings import bookings_of, is_paid, retire
from .core import Core, open_core
from .steps import NOT_OURS, InvoiceCancelledError, Patience, PostponedError

_OUTGOING = ["client", "partner", "commission"]
KINDS = ["credit", *_OUTGOING]
_BATCH = 10  # payouts whose invoices, and whose confirmations, share one commit of ours
_MOST_ROUNDS = 20  # of credits and payments, where a wallet may not hold all credits at once
_PAUSES = [timedelta(minutes=m) for m in (1, 5, 15, 60, 180, 360)]


@dataclass
class Settled:
    """What one settling has paid to clients.

    `moved`: payouts of any kind that were confirmed; `full`: credits that their wallet could not
    hold.
    """

    confirmed_payments: int = 0
    distributed_sats: int = 0
    moved: int = 0
    full: int = 0
    patience: Patience = field(default_factory=Patience)


Progress = Callable[[Settled], Any]


async def settle(
    lease: str,
    config: LamassuConfig,
    *,
    retry_all: bool = False,
    progress: Progress | None = None,
) -> Settled:
    """Bring everything that is due as far as it goes: credits, then clients, then commissions.

    Failed payouts are tried again when their pause is over, or with `retry_all` at once. When the
    source wallet is short, the oldest sales are paid first, and clients before the partners, who
    come before the operator's own commission.

    Raises:
        claims.OlderDatabaseError: LNbits has payments of ours that no payout knows.
        database.LeaseLostError: another process has taken over; what is open is theirs now.
    """
    await claims.check(lease)
    due, settled = await schedule.begin(lease, config), Settled()
    if not await crud_open.is_anything_open():
        return settled
    await claims.match(lease)
    for number in range(_MOST_ROUNDS):
        moved, settled.full = settled.moved, 0
        await transfers.form_credits(lease, config, due)
        await _pay_due(lease, ["credit"], settled, retry_all or number > 0, progress)
        await _pay_due(lease, _OUTGOING, settled, retry_all and number == 0, progress)
        await transfers.form_transfers(lease, config, due)
        await _pay_due(lease, _OUTGOING, settled, False, progress)
        if not settled.full or settled.moved == moved:
            break  # else what has left the wallet since has made room for more credits
    async with database.ledger(lease) as work:
        await crud_sales.settle_finished(work)
    forwards.wake()
    return settled


async def release(lease: str, transfer_id: str) -> bool:
    """Dissolve a transfer of which surely nothing was paid; False if any of it was.

    What it carried is open again, to be paid anew or voided; of a partly paid one, the rest is to
    be paid with new invoices.

    Raises:
        PayoutError: LNbits' bookings make no sense; a person has to look.
    """
    async with database.reading() as work:
        parts = await crud_payouts.get_payouts_of(work, transfer_id)
    paid = []
    async with open_core(lease) as core:
        for part in parts:
            async with core.moving_money() as conn:
                booked = await bookings_of(part, conn)
                if await is_paid(part, booked, conn):
                    paid.append(part)
                else:
                    await retire(booked.invoice, conn)
    async with database.ledger(lease) as work:
        if paid:
            await crud_payouts.confirm_payouts(work, paid, now())
            await crud_sales.settle_finished(work)
            await crud_payouts.reopen_unpaid_parts(work, transfer_id)
            return False
        await crud_payouts.dissolve_transfer(work, transfer_id)
    return True


async def is_lost(payout: Payout, core: Core) -> bool:
    """Whether LNbits has no trace of a payout any more: neither its invoice nor its debit."""
    async with core.moving_money() as conn:
        booked = await bookings_of(payout, conn)
    return booked.invoice is None and booked.debit is None


async def finish(lease: str, payout: Payout) -> None:
    """Book again what LNbits has lost of a confirmed payout after it was paid."""
    async with open_core(lease) as core:
        if payout.kind == "credit":
            await steps.credit(payout, core)
        else:
            async with core.moving_money() as conn:
                await is_paid(payout, await bookings_of(payout, conn), conn)


# ---- paying ----------------------------------------------------------------------------------


async def _pay_due(
    lease: str, kinds: list[str], settled: Settled, retry_all: bool, progress: Progress | None
) -> None:
    parted = True
    while parted:  # at once again, for the halves of what LNbits refused
        due = await crud_payouts.due_payouts(kinds, None if retry_all else now())
        parted = retry_all = False
        for start in range(0, len(due), _BATCH):
            refused = await _pay_batch(lease, due[start : start + _BATCH], settled)
            for payout in refused:
                parted |= await _part(lease, payout, settled)
            if progress:
                await progress(settled)


async def _part(lease: str, payout: Payout, settled: Settled) -> bool:
    """Part what LNbits refuses for its amount, until only the member that cannot go waits."""
    async with open_core(lease) as core:
        async with core.step() as conn:
            if not await limits.is_too_much(payout, conn):
                return False
    if payout.kind == "credit":
        settled.full += 1
    async with database.reading() as work:
        parts = await crud_payouts.get_payouts_of(work, payout.transfer_id)
    if len(parts) > 1 or not await _is_void(lease, payout):
        return False
    return await transfers.part(lease, payout)


async def _is_void(lease: str, payout: Payout) -> bool:
    """Whether nothing was paid, and now never can be with the invoice that there is."""
    async with open_core(lease) as core:
        async with core.moving_money() as conn:
            booked = await bookings_of(payout, conn)
            if await is_paid(payout, booked, conn):
                return False
            await retire(booked.invoice, conn)
    return True


class _Batch:
    """Payouts that are paid together, and what became of each."""

    def __init__(self) -> None:
        self.fresh: list[Payout] = []
        self.cancelled: list[Payout] = []
        self.paid: list[Payout] = []
        self.failed: list[Payout] = []
        self.refused: list[Payout] = []
        self.postponed: list[tuple[Payout, PostponedError]] = []

    async def succeeds(self, payout: Payout, work: Awaitable[None], *, last: bool = True) -> bool:
        """Do it; False if it failed. One payout's trouble, of any kind, is not the others'.

        Whatever it was, the next attempt looks first what has happened. `last`: a cancelled
        invoice is a failure, too.
        """
        try:
            await work
        except NOT_OURS:
            raise
        except PostponedError as exc:
            self.postponed.append((payout, exc))
            return False
        except Exception as exc:
            if isinstance(exc, InvoiceCancelledError) and not last:
                self.cancelled.append(payout)
                return False
            self.failed.append(_failure(payout, exc))
            if isinstance(exc, PayoutError) and not exc.permanent:
                self.refused.append(self.failed[-1])
            return False
        return True

    async def invoice(self, payout: Payout, core: Core) -> None:
        if await steps.needs_invoice(payout, core):
            await steps.invoice_for(payout, core)
            self.fresh.append(payout)

    async def pay(self, payout: Payout, core: Core, settled: Settled) -> None:
        if payout.kind == "credit":
            await steps.credit(payout, core)
        else:
            await steps.wait_for_turn(payout, core, settled.patience)
            await steps.pay(payout, core)
        self.paid.append(payout)


async def _pay_batch(lease: str, payouts: list[Payout], settled: Settled) -> list[Payout]:
    """Pay these; the answer are those that LNbits refused.

    Those whose invoices LNbits cancelled meanwhile are paid once more, with new ones.
    """
    batch = _Batch()
    async with open_core(lease) as core:
        for last in (False, True):
            invoiced = [p for p in payouts if await batch.succeeds(p, batch.invoice(p, core))]
            if batch.fresh:
                async with database.ledger(lease) as work:
                    await crud_payouts.store_invoices(work, batch.fresh)
            for payout in invoiced:
                await batch.succeeds(payout, batch.pay(payout, core, settled), last=last)
            payouts, batch.cancelled, batch.fresh = batch.cancelled, [], []
    async with database.ledger(lease) as work:
        number, sats = await crud_payouts.confirm_payouts(work, batch.paid, now())
        for payout in batch.failed:
            await crud_payouts.fail_payout(work, payout)
        for payout, exc in batch.postponed:
            await crud_payouts.postpone_payout(work, payout, exc.until, str(exc))
    settled.confirmed_payments += number
    settled.distributed_sats += sats
    settled.moved += len(batch.paid)
    return batch.refused


def _failure(payout: Payout, error: Exception) -> Payout:
    """The payout as failed: tried again after a growing pause, unless that is of no use."""
    permanent = isinstance(error, PayoutError) and error.permanent
    message = str(error) if isinstance(error, PayoutError) else type(error).__name__
    if isinstance(error, DBAPIError):
        message = database.trouble(error)
    line = f"satmachineclient: payout {payout.id} of {payout.amount_sats} sats failed: {message}"
    logger.error(line)
    if not isinstance(error, PayoutError):
        log_unexpected("a payout failed", error)
    pause = _PAUSES[min(payout.attempts, len(_PAUSES) - 1)]
    return payout.copy(
        update={
            "error": message[:1000],
            "attempts": payout.attempts + 1,
            "next_attempt_at": None if permanent else now() + pause,
        }
    )

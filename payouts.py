"""The wallet side: credit, commission and shares become LNbits payments, each exactly once.

A *transfer* is an amount for one wallet: the open shares of one client in one currency, the
commissions or the credits of one poll. A *payout* is one LNbits payment of it (a transfer above
LNbits' maximum has several). Every payout obeys one order: create the internal invoice, store its
hash, pay it, mark it confirmed. Whatever stops in between, the stored hash tells on resuming what
has happened.

All work is done under a lease on the ledger (`database.take_lease`), which the caller holds.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

from lnbits.core.crud.payments import update_payment
from lnbits.core.crud.wallets import get_wallet
from lnbits.core.db import db as core_db
from lnbits.core.models import Payment as LnbitsPayment
from lnbits.core.models.payments import PaymentState
from lnbits.core.services.payments import create_invoice, pay_invoice
from lnbits.db import Connection
from lnbits.exceptions import InvoiceError, PaymentError
from lnbits.settings import settings
from lnbits.task_manager import task_manager
from loguru import logger

from . import crud, database
from .helpers import average_price, fiat_text, log_unexpected, new_id, now
from .models import LamassuConfig, Payout, PayoutKind

TAG = "satmachineclient"
KINDS = ["credit", "client", "commission"]
_BATCH = 10  # payouts whose invoices, and whose confirmations, share one commit of ours
_MOST_PARTS = 1000
_TURNS = 3  # of others between two steps of ours
_INVOICE_SECONDS = 24 * 3600
_NOT_OURS = (database.LeaseLostError, database.LedgerBusyError)
_PAUSES = [timedelta(minutes=m) for m in (1, 5, 15, 60, 180, 360)]


class PayoutError(Exception):
    """LNbits refused a transfer; `permanent` if trying again is of no use until a person acts."""

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


@dataclass
class Settled:
    """What one settling has paid to clients."""

    confirmed_payments: int = 0
    distributed_sats: int = 0


Progress = Callable[[Settled], Any]


async def settle(
    lease: str,
    config: LamassuConfig,
    *,
    retry_all: bool = False,
    progress: Progress | None = None,
) -> Settled:
    """Bring everything that is open as far as it goes: credits, then clients, then commissions.

    Failed payouts are tried again when their pause is over, or with `retry_all` at once. When the
    source wallet is short, the oldest sales are paid first, and clients before the commission.

    Raises:
        database.LeaseLostError: another process has taken over; what is open is theirs now.
    """
    settled = Settled()
    await _form_credits(lease, config)
    await _pay_due(lease, ["credit"], settled, retry_all, progress)
    await _pay_due(lease, ["client", "commission"], settled, retry_all, progress)
    await _form_transfers(lease, config)
    await _pay_due(lease, ["client", "commission"], settled, False, progress)
    async with database.ledger(lease) as work:
        await crud.settle_finished(work)
    return settled


async def release(lease: str, transfer_id: str) -> bool:
    """Dissolve a transfer of which surely nothing was paid; False if any of it was.

    What it carried is open again, to be paid anew or voided; of a partly paid one, the rest is to
    be paid with new invoices.

    Raises:
        PayoutError: LNbits' bookings make no sense; a person has to look.
    """
    async with database.reading() as work:
        parts = await crud.get_payouts_of(work, transfer_id)
    paid = []
    async with _core(lease) as core:
        for part in parts:
            async with core.moving_money() as conn:
                booked = await _bookings(part, conn)
                if await _is_paid(part, booked, conn):
                    paid.append(part)
                else:
                    await _retire(booked.invoice, conn)
    async with database.ledger(lease) as work:
        if paid:
            await crud.confirm_payouts(work, paid, now())
            await crud.settle_finished(work)
            await crud.reopen_unpaid_parts(work, transfer_id)
            return False
        await crud.dissolve_transfer(work, transfer_id)
    return True


async def finish(lease: str, payout: Payout) -> None:
    """Book again what LNbits has lost of a confirmed payout after it was paid."""
    async with _core(lease) as core:
        if payout.kind == "credit":
            await _credit(payout, core)
        else:
            async with core.moving_money() as conn:
                await _is_paid(payout, await _bookings(payout, conn), conn)


# ---- forming transfers -----------------------------------------------------------------------


async def _form_credits(lease: str, config: LamassuConfig) -> None:
    async with database.ledger(lease) as work:
        sales = await crud.uncredited_sales(work)
        if sales:
            transfer = _Transfer("credit", None, config.source_wallet_id)
            total = sum(s.amount_sats for s in sales)
            ids = [s.id for s in sales]
            memo, extra = _credit_memo(sales), {"transaction_ids": ids}
            await work.insert("dca_payouts", transfer.payouts(total, memo, extra))
            await crud.carry_transactions(work, "credit_transfer_id", ids, transfer.id)


async def _form_transfers(lease: str, config: LamassuConfig) -> None:
    """Group what the source wallet can cover into transfers; the rest waits, and says why."""
    source = await get_wallet(config.source_wallet_id)
    async with database.ledger(lease) as work:
        shares = await crud.unpaid_shares(work)
        sales = await crud.unpaid_commissions(work)
        if source is None:
            error = f"The source wallet {config.source_wallet_id} is gone: choose another."
            await crud.set_waiting(work, [s.id for s in shares], error)
            return
        reserved = await crud.open_payouts_sats(work, source.source_wallet_id)
        # In threads: of a hundred thousand shares it takes a while, in which LNbits serves others.
        available = source.balance_msat // 1000 - reserved
        covered, waiting, available = await asyncio.to_thread(_cover, shares, available)
        formed, carried = await asyncio.to_thread(_to_clients, covered, source.source_wallet_id)
        await crud.carry_shares(work, carried)
        commissions: dict[str, list[crud.OpenSale]] = {}
        for sale in sales:
            if not waiting and sale.amount_sats <= available:
                available -= sale.amount_sats
                wallet_id = config.commission_wallet_id or sale.wallet_id or ""
                commissions.setdefault(wallet_id, []).append(sale)
        for wallet_id, group_of_sales in commissions.items():
            transfer = _Transfer("commission", source.source_wallet_id, wallet_id)
            amount = sum(s.amount_sats for s in group_of_sales)
            ids = [s.id for s in group_of_sales]
            memo = f"DCA commission of {_sales(len(group_of_sales))}"
            formed += transfer.payouts(amount, memo, {"transaction_ids": ids})
            await crud.carry_transactions(work, "commission_transfer_id", ids, transfer.id)
        await work.insert("dca_payouts", formed)
        if waiting:
            missing = sum(s.amount_sats for s in waiting) - available
            error = f"Waiting: the source wallet is short of {missing} sats."
            await crud.set_waiting(work, [s.id for s in waiting], error)
            logger.warning(f"satmachineclient: {len(waiting)} shares wait. {error}")


def _cover(
    shares: list[crud.OpenShare], available: int
) -> tuple[list[crud.OpenShare], list[crud.OpenShare], int]:
    """In their order, the shares that the balance covers; those that do not fit; what is left."""
    covered, waiting = [], []
    for share in shares:
        if share.amount_sats <= available:
            available -= share.amount_sats
            covered.append(share)
        else:
            waiting.append(share)
    return covered, waiting, available


def _to_clients(
    shares: Sequence[crud.OpenShare], source_wallet_id: str
) -> tuple[list[Payout], list[tuple[str, str, str]]]:
    """A transfer for each client and currency; and each share's id, its transfer and wallet."""
    formed: list[Payout] = []
    carried: list[tuple[str, str, str]] = []
    for group in _by_client_and_currency(shares):
        transfer = _Transfer("client", source_wallet_id, group[0].wallet_id)
        bought = _Bought(group)
        formed += transfer.payouts(bought.sats, bought.memo(), bought.extra())
        carried += [(s.id, transfer.id, s.wallet_id) for s in group]
    return formed, carried


def _by_client_and_currency(shares: Sequence[crud.OpenShare]) -> list[list[crud.OpenShare]]:
    groups: dict[tuple[str, str], list[crud.OpenShare]] = {}
    for share in shares:
        groups.setdefault((share.client_id, share.currency), []).append(share)
    return list(groups.values())


class _Transfer:
    """A transfer to be stored as one payout, or as several where LNbits' maximum asks for it."""

    def __init__(self, kind: PayoutKind, source_wallet_id: str | None, wallet_id: str) -> None:
        self.id = new_id()
        self.kind: PayoutKind = kind
        self.source_wallet_id = source_wallet_id
        self.wallet_id = wallet_id

    def payouts(self, amount_sats: int, memo: str, extra: dict[str, Any]) -> list[Payout]:
        """Its parts, to be stored together with what it carries; `extra`: what it is about."""
        largest = min(
            settings.lnbits_max_incoming_payment_amount_sats,
            settings.lnbits_max_outgoing_payment_amount_sats,
        )
        amounts = [amount_sats]  # LNbits refuses it, if its maximum makes no sense
        if 0 < largest < amount_sats <= largest * _MOST_PARTS:
            full, rest = divmod(amount_sats, largest)
            amounts = [largest] * full + [rest] * (rest > 0)
        created = now()
        return [
            Payout(
                id=f"{self.id}-{part:04}",
                transfer_id=self.id,
                kind=self.kind,
                source_wallet_id=self.source_wallet_id,
                wallet_id=self.wallet_id,
                amount_sats=amount,
                memo=memo,
                created_at=created,
                extra=extra,
            )
            for part, amount in enumerate(amounts, 1)
        ]


def _sales(number: int) -> str:
    return f"{number} ATM sale{'s' if number != 1 else ''}"


def _credit_memo(sales: Sequence[crud.OpenSale]) -> str:
    return f"Lamassu: sats received in {_sales(len(sales))}"


class _Bought:
    """What one client's shares in one currency bought, as their LNbits payment says it.

    The rate is fiat per whole bitcoin, with the currency's decimals.
    """

    def __init__(self, shares: Sequence[crud.OpenShare]) -> None:
        self._shares = shares
        self.sats = sum(s.amount_sats for s in shares)
        fiat = sum(s.amount_fiat for s in shares)
        self._currency = shares[0].currency
        self._fiat = fiat_text(fiat, self._currency)
        self._rate = average_price(fiat, self.sats, self._currency)

    def memo(self) -> str:
        return (
            f"DCA: {self.sats} sats for {self._fiat} {self._currency} "
            f"at {self._rate} {self._currency}/BTC ({self._what()})"
        )

    def _what(self) -> str:
        sales = sum(s.direction != "settle_out" for s in self._shares)
        settled = len(self._shares) > sales
        return " and ".join([_sales(sales)] * (sales > 0) + ["the rest of your cash"] * settled)

    def extra(self) -> dict[str, Any]:
        """For other software; for a transfer in several parts, of the whole of it."""
        return {
            "client_id": self._shares[0].client_id,
            "transaction_ids": [s.transaction_id for s in self._shares],
            "amount_sats": self.sats,
            "amount_fiat": self._fiat,
            "currency": self._currency,
            "exchange_rate": self._rate,
        }


# ---- paying ----------------------------------------------------------------------------------


async def _pay_due(
    lease: str, kinds: list[str], settled: Settled, retry_all: bool, progress: Progress | None
) -> None:
    due = await crud.due_payouts(kinds, None if retry_all else now())
    for start in range(0, len(due), _BATCH):
        await _pay_batch(lease, due[start : start + _BATCH], settled)
        if progress:
            await progress(settled)


async def _pay_batch(lease: str, payouts: list[Payout], settled: Settled) -> None:
    failed: list[Payout] = []
    invoiced: list[Payout] = []
    fresh: list[Payout] = []
    paid: list[Payout] = []
    async with _core(lease) as core:
        for payout in payouts:
            try:
                if await _needs_invoice(payout, core):
                    await _invoice_for(payout, core)
                    fresh.append(payout)
                invoiced.append(payout)
            except _NOT_OURS:
                raise
            except Exception as exc:  # one payout's trouble, of any kind, is not the others'
                failed.append(_failure(payout, exc))
        if fresh:
            async with database.ledger(lease) as work:
                await crud.store_invoices(work, fresh)
        for payout in invoiced:
            try:
                await (_credit if payout.kind == "credit" else _pay)(payout, core)
                paid.append(payout)
            except _NOT_OURS:
                raise
            except Exception as exc:  # as above; the next attempt looks first what has happened
                failed.append(_failure(payout, exc))
    async with database.ledger(lease) as work:
        number, sats = await crud.confirm_payouts(work, paid, now())
        for payout in failed:
            await crud.fail_payout(work, payout)
    settled.confirmed_payments += number
    settled.distributed_sats += sats


class _Core:
    """LNbits' own database, step by step, over one connection: to open one costs more than a step.

    LNbits lets one at a time use its database, and the rest of it waits meanwhile: it is held for
    one step of one payment. Who waited then goes first, some times over, as a request needs it.
    """

    def __init__(self, lease: str) -> None:
        self._lease = lease
        self._kept: database.CoreConnection | None = None

    @asynccontextmanager
    async def step(self) -> AsyncIterator[Connection]:
        """The connection for one step; after an error the next one has a new connection."""
        async with core_db.lock:
            try:
                self._kept = self._kept or await database.connect_to_core()
                yield self._kept
                await self._kept.conn.commit()
            except BaseException:
                await self.close()
                raise
        await _let_others_go_first()

    @asynccontextmanager
    async def moving_money(self) -> AsyncIterator[Connection]:
        """The connection for one step in which only the holder of the lease moves money."""
        async with self.step() as conn:
            await database.only_we_pay(conn, self._lease)
            yield conn

    async def close(self) -> None:
        kept, self._kept = self._kept, None
        if kept:
            try:
                await database.whole(kept.conn.close())
            except Exception as exc:  # a broken one; why it broke has been told already
                logger.debug(f"satmachineclient: a connection did not close: {type(exc).__name__}")
                await kept.conn.invalidate()


@asynccontextmanager
async def _core(lease: str) -> AsyncIterator[_Core]:
    core = _Core(lease)
    try:
        yield core
    finally:
        await core.close()


async def _let_others_go_first() -> None:
    """Queue up for LNbits' database some times over, behind all who wait for it."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)
        async with core_db.lock:
            pass


async def _needs_invoice(payout: Payout, core: _Core) -> bool:
    """False if the payout is paid already, or has an invoice that can be paid.

    An invoice that cannot is cancelled for good, before another one takes its place.
    """
    if not payout.payment_hash:
        return True
    async with core.moving_money() as conn:
        booked = await _bookings(payout, conn)
        if await _is_paid(payout, booked, conn):
            return False
        wallet = await get_wallet(payout.wallet_id, conn=conn)
        invoice = booked.invoice
        if wallet is not None and wallet.can_receive_payments and invoice:
            # A credit's invoice is only a row to be marked as paid: no expiry can hinder that.
            if payout.kind == "credit" or (invoice.pending and not invoice.is_expired):
                return False
        await _retire(invoice, conn)
    return True


async def _invoice_for(payout: Payout, core: _Core) -> None:
    """Give the payout a new invoice. Nobody pays it before its hash is stored under the lease.

    Raises:
        PayoutError: the wallet is gone, may not receive, or LNbits refuses the invoice.
    """
    async with core.step() as conn:
        try:
            created = await _lnbits(
                create_invoice(
                    wallet_id=payout.wallet_id,
                    amount=payout.amount_sats,
                    memo=payout.memo,
                    # Letter by letter in the invoice, a memo would cost milliseconds at each use.
                    description_hash=sha256(payout.memo.encode()).digest(),
                    internal=True,
                    expiry=_INVOICE_SECONDS,
                    extra=_extra(payout),
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


async def _pay(payout: Payout, core: _Core) -> None:
    """Pay the payout's invoice from the source wallet, unless that was done already.

    Raises:
        PayoutError: it surely was not paid, and why.
    """
    try:
        async with core.moving_money() as conn:
            booked = await _bookings(payout, conn)
            if await _is_paid(payout, booked, conn):
                return
            if booked.invoice is None or not booked.invoice.pending:
                # LNbits would try such an invoice on the Lightning network.
                raise PayoutError("The invoice was cancelled meanwhile; a new one is made.")
            payment = await _lnbits(
                pay_invoice(
                    wallet_id=payout.source_wallet_id or "",
                    payment_request=payout.bolt11 or "",
                    description=payout.memo,
                    extra=_extra(payout),
                    conn=conn,
                )
            )
    except _NOT_OURS:
        raise
    except Exception:  # what matters is whether LNbits has booked it
        async with core.moving_money() as conn:
            paid = await _is_paid(payout, await _bookings(payout, conn), conn)
        if not paid:
            raise
    else:
        if payment.checking_id != f"internal_{payout.payment_hash}" or not payment.success:
            raise PayoutError("LNbits did not book the payment as an internal one.")


async def _credit(payout: Payout, core: _Core) -> None:
    """Book the credit: an internal invoice marked as paid is all that a credit is in LNbits."""
    async with core.moving_money() as conn:
        invoice = (await _bookings(payout, conn)).invoice
        if invoice is None:
            raise PayoutError("The credit's invoice was removed meanwhile; a new one is made.")
        if not invoice.success:
            await _book_incoming(invoice, conn)


@dataclass(frozen=True)
class _Bookings:
    """What LNbits has booked for a payout: its invoice, and the debit that paid it."""

    invoice: LnbitsPayment | None = None
    debit: LnbitsPayment | None = None


async def _bookings(payout: Payout, conn: Connection) -> _Bookings:
    if not payout.payment_hash:
        return _Bookings()
    rows: list[LnbitsPayment] = await conn.fetchall(
        "SELECT * FROM apipayments WHERE payment_hash = :hash",
        {"hash": payout.payment_hash},
        LnbitsPayment,
    )
    # An internal invoice's id is its hash; a service fee may have the same hash.
    by_id = {row.checking_id: row for row in rows}
    return _Bookings(by_id.get(payout.payment_hash), by_id.get(f"internal_{payout.payment_hash}"))


async def _is_paid(payout: Payout, booked: _Bookings, conn: Connection) -> bool:
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
        await _book_incoming(invoice, conn)
    return True


async def _book_incoming(invoice: LnbitsPayment, conn: Connection) -> None:
    invoice.status = PaymentState.SUCCESS.value
    await update_payment(invoice, conn=conn)
    task_manager.internal_invoice_queue.put_nowait(invoice)


async def _retire(invoice: LnbitsPayment | None, conn: Connection) -> None:
    """See to it that an unpaid invoice can never be paid."""
    if invoice and invoice.pending:
        invoice.status = PaymentState.FAILED.value
        await update_payment(invoice, conn=conn)


async def _lnbits(work: Any) -> LnbitsPayment:
    """LNbits' refusals as PayoutErrors."""
    try:
        payment: LnbitsPayment = await database.whole(work)
    except (PaymentError, InvoiceError) as exc:
        raise PayoutError(exc.message) from None
    except ValueError as exc:
        raise PayoutError(str(exc)) from None
    return payment


def _extra(payout: Payout) -> dict[str, Any]:
    return {
        **payout.extra,
        "tag": TAG,
        "kind": payout.kind,
        "transfer_id": payout.transfer_id,
        "payout_id": payout.id,
    }


def _failure(payout: Payout, error: Exception) -> Payout:
    """The payout as failed: tried again after a growing pause, unless that is of no use."""
    permanent = isinstance(error, PayoutError) and error.permanent
    message = str(error) if isinstance(error, PayoutError) else type(error).__name__
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

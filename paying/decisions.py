"""What a person decides: test transactions, retries, voided shares, sales that needed a review.

Each works on the ledger under the same lease as a poll, and is written down in the audit log.
"""

from collections.abc import Sequence, Set
from datetime import datetime

from .. import crud, crud_sales, database
from ..atm.rows import EARLIEST, ticker_price
from ..books import planning
from ..books.book import Book
from ..configuration import config_or_defaults, ready_config
from ..helpers import ConflictError, new_id, now
from ..lease import working
from ..machines import register as machines
from ..models import AuditEntry, positive_minor_units
from ..models_config import LamassuConfig
from ..models_payouts import CommissionShare
from ..models_sales import Payment, Sale, TestTransactionIn, Transaction
from ..partners.crud import shares_of
from ..reports import obstacles
from . import claims, crud_open, payouts
from . import crud as paying_crud


async def test_transaction(data: TestTransactionIn, audit: AuditEntry) -> planning.Plan:
    """Plan a made-up sale by the very same code; executed, it is stored and really paid.

    Raises:
        ValueError: naming the field.
        ConflictError: executing without a configuration, or without its source wallet.
        BusyError: executing while a poll runs.
    """
    fiat = positive_minor_units("fiat_amount", data.fiat_amount, data.fiat_code)
    if data.device_id is not None:
        await machines.known(data.device_id)
    sale = _made_up_sale(data, fiat)
    if data.dry_run:
        config = await config_or_defaults()
        aside = await obstacles.clients_aside()
        async with database.reading() as work:
            book = await _book_for(work, sale, config, aside)
            return planning.plan_sale(sale, book, config, is_test=True)
    config = await ready_config()
    lease = new_id()
    async with working(lease, wait_seconds=5):
        await claims.check(lease)
        aside = await obstacles.clients_aside()
        async with database.ledger(lease) as work:
            book = await _book_for(work, sale, config, aside)
            plan = planning.plan_sale(sale, book, config, is_test=True)
            row = plan.row
            await crud.insert_audit(work, audit.copy(update={"subject": row.id}))
            await work.insert("lamassu_transactions", [row])
            await planning.store_shares(work, [plan])
            await crud_sales.settle_finished(work)
        await payouts.settle(lease, config)
    return planning.Plan(
        await crud_sales.get_transaction(row.id) or row,
        await crud_sales.get_payments_of(row.id),
        await shares_of(row.id),
    )


def _made_up_sale(data: TestTransactionIn, fiat: int) -> Sale:
    return Sale(
        id=f"test-{new_id()}",
        device_id=data.device_id or "test",
        time=now(),
        crypto_code="BTC",
        crypto_sats=data.crypto_amount_sats,
        fiat=fiat,
        fiat_code=data.fiat_code,
        commission=data.commission_percentage,
        discount=data.discount,
        fixed_fee=None,
        state="good",
        reason=None,
        facts={},
    )


async def _book_for(
    work: database.Ledger, sale: Sale, config: LamassuConfig, aside: Set[str]
) -> Book:
    """`aside`: who cannot be paid; asked for before, as a transaction leaves room for no other."""
    return await Book.open(work, [sale.time], config.timezone, aside)


async def pay_all_now(audit: AuditEntry) -> payouts.Settled:
    """Pay all that waits for a payout, however little it is.

    Raises:
        BusyError: a poll is running. ConflictError: no usable configuration.
    """
    config = await ready_config()
    lease = new_id()
    async with working(lease, wait_seconds=5):
        await claims.check(lease)
        async with database.ledger(lease) as work:
            await crud_open.let_all_be_paid(work, now())
            await crud.insert_audit(work, audit)
        return await payouts.settle(lease, config, retry_all=True)


async def retry(transfer_ids: set[str], audit: AuditEntry) -> None:
    """Try the payouts of these transfers again now, with new invoices where that is safe.

    Raises:
        BusyError: a poll is running. ConflictError: no usable configuration.
    """
    config = await ready_config()
    lease = new_id()
    async with working(lease, wait_seconds=5):
        await claims.check(lease)
        async with database.ledger(lease) as work:
            await crud.insert_audit(work, audit)
        for transfer_id in sorted(transfer_ids):
            await _release(lease, transfer_id)
        await payouts.settle(lease, config, retry_all=True)


async def _release(lease: str, transfer_id: str) -> bool:
    try:
        return await payouts.release(lease, transfer_id)
    except payouts.PayoutError as exc:
        raise ConflictError(str(exc)) from None


def failed_transfers(row: Transaction, shares: Sequence[Payment | CommissionShare]) -> set[str]:
    """The transfers of a transaction that were formed and are not paid."""
    transfers = {share.transfer_id for share in shares if share.status in ("failed", "pending")}
    if row.credit_status == "pending":
        transfers.add(row.credit_transfer_id)
    if row.commission_status == "pending":
        transfers.add(row.commission_transfer_id)
    return {transfer for transfer in transfers if transfer}


async def void(payment: Payment, reason: str, audit: AuditEntry) -> None:
    """Give up a share: its fiat returns to the client's balance, its sats stay undistributed.

    Raises:
        ConflictError: it is paid or voided already. BusyError: a poll is running.
    """
    lease = new_id()
    async with working(lease, wait_seconds=5):
        await claims.check(lease)
        if payment.transfer_id and not await _release(lease, payment.transfer_id):
            raise ConflictError("It is paid, or a part of it is: it can only be tried again.")
        async with database.ledger(lease) as work:
            if not await crud_sales.void_payment(work, payment, reason):
                raise ConflictError("This payment is confirmed or voided already.")
            await crud.insert_audit(work, audit)
            await crud_sales.settle_finished(work)


async def take_back(row: Transaction, notes: str, audit: AuditEntry) -> None:
    """Dismiss a planned sale after the fact, with its shares voided: nothing of it was booked.

    Raises:
        ConflictError: something of it is booked, or it is not planned any more.
        BusyError: a poll is running.
    """
    lease = new_id()
    async with working(lease, wait_seconds=5):
        await claims.check(lease)
        payments = await crud_sales.get_payments_of(row.id)
        shares: list[Payment | CommissionShare] = [*payments, *await shares_of(row.id)]
        for transfer_id in sorted(failed_transfers(row, shares)):
            await _release(lease, transfer_id)
        async with database.ledger(lease) as work:
            if await paying_crud.anything_booked(work, row.id):
                raise ConflictError(
                    "A part of this sale is booked already, or it is decided on: void open shares."
                )
            for share in payments:
                await crud_sales.void_payment(work, share, notes)
            await paying_crud.dismiss_planned(work, row.id, notes)
            await crud.insert_audit(work, audit)


async def distribute_reviewed(
    row: Transaction, cash_out: int | None, notes: str | None, audit: AuditEntry
) -> None:
    """Distribute a sale that needed review, as a person decided; its shares are paid at once.

    `cash_out`: the fiat that really came out, in minor units; None for all of it.

    Raises:
        ConflictError: it needs no review (any more), its amounts cannot be distributed, or a part
            of a cash-in's cash is named.
        BusyError: a poll is running.
    """
    if cash_out is not None and row.direction == "cash_in":
        raise ConflictError(
            "fiat_amount: leave it out. The customer of a cash-in put all of the cash in; no part "
            "of it can be missing."
        )
    config = await ready_config()
    sale = _reviewed_sale(row)
    lease = new_id()
    async with working(lease, wait_seconds=5):
        await claims.check(lease)
        aside = await obstacles.clients_aside()
        async with database.ledger(lease) as work:
            known = await crud_sales.known_transactions(work, [row.lamassu_transaction_id])
            if known[row.lamassu_transaction_id]["status"] != "needs_review":
                raise ConflictError("This transaction has been decided on already.")
            book = await _book_for(work, sale, config, aside)
            plan = planning.plan_sale(
                sale, book, config, is_test=row.is_test, cash_out=cash_out, row_id=row.id
            )
            if plan.row.status == "needs_review":
                raise ConflictError(f"It cannot be distributed: {plan.row.review_reason}")
            planned = plan.row.copy(
                update={"review_reason": row.review_reason, "review_notes": notes}
            )
            await crud_sales.replace_transaction(work, planned)
            await planning.store_shares(work, [plan])
            await crud.insert_audit(work, audit)
            await crud_sales.settle_finished(work)
        await payouts.settle(lease, config)


def _reviewed_sale(row: Transaction) -> Sale:
    if not row.crypto_amount_sats or not row.fiat_amount:
        raise ConflictError("Its amounts are not usable; it can only be dismissed.")
    facts = row.lamassu_facts or {}
    return Sale(
        id=row.lamassu_transaction_id,
        device_id=row.device_id,
        time=_time_of(row),
        crypto_code=row.crypto_code,
        crypto_sats=row.crypto_amount_sats,
        fiat=row.fiat_amount,
        fiat_code=row.fiat_code,
        commission=row.commission_percentage,
        discount=row.discount,
        fixed_fee=row.fixed_fee,
        state="good",
        reason=None,
        facts=facts,
        direction=row.direction,
        ticker_price=ticker_price(facts) if row.direction == "cash_in" else None,
    )


def _time_of(row: Transaction) -> datetime:
    """Its own time also where that was refused, once it has come: a clock was wrong, not the sale.

    Until then, that of its reading.
    """
    refused = row.time_refused
    return refused if refused and EARLIEST < refused <= now() else row.transaction_time

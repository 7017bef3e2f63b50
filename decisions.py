"""What a person decides: test transactions, retries, voided shares, sales that needed a review.

Each works on the ledger under the same lease as a poll, and is written down in the audit log.
"""

from . import crud, database, lamassu, lamassu_rows, payouts, planning
from .helpers import ConflictError, new_id, now
from .models import (
    AuditEntry,
    LamassuConfig,
    Payment,
    TestTransactionIn,
    Transaction,
    positive_minor_units,
)
from .transaction_processor import config_or_defaults, ready_config, working


async def test_transaction(
    data: TestTransactionIn, audit: AuditEntry
) -> tuple[Transaction, list[Payment]]:
    """Plan a made-up sale by the very same code; executed, it is stored and really paid.

    Raises:
        ValueError: naming the field.
        ConflictError: executing without a configuration, or without its source wallet.
        BusyError: executing while a poll runs.
    """
    fiat = positive_minor_units("fiat_amount", data.fiat_amount, data.fiat_code)
    sale = _made_up_sale(data, fiat)
    if data.dry_run:
        config = await config_or_defaults()
        async with database.reading() as work:
            book = await _book_for(work, sale, config)
            return planning.plan_sale(sale, book, config, is_test=True)
    config = await ready_config()
    lease = new_id()
    async with working(lease, wait_seconds=5):
        async with database.ledger(lease) as work:
            book = await _book_for(work, sale, config)
            row, payments = planning.plan_sale(sale, book, config, is_test=True)
            await crud.insert_audit(work, audit.copy(update={"subject": row.id}))
            await work.insert("lamassu_transactions", [row])
            await crud.insert_payments(work, payments)
            await crud.settle_finished(work)
        await payouts.settle(lease, config)
    return await crud.get_transaction(row.id) or row, await crud.get_payments_of(row.id)


def _made_up_sale(data: TestTransactionIn, fiat: int) -> lamassu.Sale:
    return lamassu.Sale(
        id=f"test-{new_id()}",
        device_id="test",
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
    work: database.Ledger, sale: lamassu.Sale, config: LamassuConfig
) -> planning.Book:
    return await planning.Book.open(
        work, sale.time, sale.time, {planning.day_of(sale.time, config)}
    )


async def retry(transfer_ids: set[str], audit: AuditEntry) -> None:
    """Try the payouts of these transfers again now, with new invoices where that is safe.

    Raises:
        BusyError: a poll is running. ConflictError: no usable configuration.
    """
    config = await ready_config()
    lease = new_id()
    async with working(lease, wait_seconds=5):
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


def failed_transfers(row: Transaction, payments: list[Payment]) -> set[str]:
    """The transfers of a transaction that were tried and are not paid."""
    transfers = {p.transfer_id for p in payments if p.status == "failed"}
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
        if payment.transfer_id and not await _release(lease, payment.transfer_id):
            raise ConflictError("It is paid, or a part of it is: it can only be tried again.")
        async with database.ledger(lease) as work:
            if not await crud.void_payment(work, payment, reason):
                raise ConflictError("This payment is confirmed or voided already.")
            await crud.insert_audit(work, audit)
            await crud.settle_finished(work)


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
        async with database.ledger(lease) as work:
            known = await crud.known_transactions(work, [row.lamassu_transaction_id])
            if known[row.lamassu_transaction_id]["status"] != "needs_review":
                raise ConflictError("This transaction has been decided on already.")
            book = await _book_for(work, sale, config)
            planned, payments = planning.plan_sale(
                sale, book, config, is_test=row.is_test, cash_out=cash_out, row_id=row.id
            )
            if planned.status == "needs_review":
                raise ConflictError(f"It cannot be distributed: {planned.review_reason}")
            planned = planned.copy(
                update={"review_reason": row.review_reason, "review_notes": notes}
            )
            await crud.replace_transaction(work, planned)
            await crud.insert_payments(work, payments)
            await crud.insert_audit(work, audit)
            await crud.settle_finished(work)
        await payouts.settle(lease, config)


def _reviewed_sale(row: Transaction) -> lamassu.Sale:
    if not row.crypto_amount_sats or not row.fiat_amount:
        raise ConflictError("Its amounts are not usable; it can only be dismissed.")
    facts = row.lamassu_facts or {}
    return lamassu.Sale(
        id=row.lamassu_transaction_id,
        device_id=row.device_id,
        time=row.transaction_time,
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
        ticker_price=lamassu_rows.ticker_price(facts) if row.direction == "cash_in" else None,
    )

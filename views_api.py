"""REST: who may, what comes in, one call, what goes out. The contract is in docs/api.md."""

import asyncio
import json
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Query, Response
from lnbits.db import Filters, Page
from lnbits.helpers import generate_filter_params_openapi
from pydantic import parse_obj_as

from . import configuration, crud, crud_sales, transaction_processor
from .atm import check
from .atm.models import ConnectionTest, ConnectionTestIn
from .books import full_check, reconciliation
from .books.crud_adoption import get_claim
from .configuration import check_crediting, check_wallets, merged
from .crud_lnbits import user_names
from .database import Row
from .helpers import ConflictError, SecretError, new_id, now
from .lease import hurry
from .machines.crud import names as machine_names
from .models import SECRETS, AuditEntry, Channel, Reason, Reconciliation, positive_minor_units
from .models_config import (
    Adopted,
    ConfigIn,
    ConfigOut,
    PollFilters,
    PollOut,
    PollResult,
)
from .models_payouts import AdoptionOut, HeldPayment, PaidAgain, PaidNow
from .models_sales import (
    DistributionOut,
    NewSaleNote,
    Payment,
    PaymentFilters,
    ReviewDismiss,
    ReviewDistribute,
    SaleNote,
    SaleNoteOut,
    TestTransactionIn,
    Transaction,
    TransactionFilters,
    TransactionOut,
)
from .partners import figures as partners
from .partners.crud import shares_of as partners_shares
from .partners.models import TestTransactionOut
from .paying import adoption, decisions
from .rest import (
    Operator,
    as_array,
    check_operator,
    distributions_of,
    filter_of,
    found,
    page_of,
    router_for,
)
from .telling import progress

satmachineclient_api = router_for(check_operator)


# ---- transactions ----------------------------------------------------------------------------


@satmachineclient_api.get("/transactions", response_model=list[TransactionOut])
async def list_transactions() -> Response:
    return await as_array(crud.in_batches("lamassu_transactions", "transaction_time"), _shown)


async def _shown(rows: list[Row]) -> list[TransactionOut]:
    called = await machine_names()
    return await asyncio.to_thread(
        lambda: [TransactionOut.of(Transaction.parse_obj(dict(row)), called) for row in rows]
    )


@satmachineclient_api.get(
    "/transactions/paginated", openapi_extra=generate_filter_params_openapi(TransactionFilters)
)
async def page_of_transactions(
    filters: Annotated[Filters[TransactionFilters], Depends(page_of(TransactionFilters))],
) -> Page[TransactionOut]:
    page = await crud.get_page("lamassu_transactions", Transaction, filters, "transaction_time")
    called = await machine_names()
    return Page(data=[TransactionOut.of(row, called) for row in page.data], total=page.total)


@satmachineclient_api.get("/transactions/{transaction_id}/distributions")
async def list_distributions(transaction_id: str) -> list[DistributionOut]:
    found(await crud_sales.get_transaction(transaction_id), "transaction")
    return await distributions_of(await crud_sales.get_payments_of(transaction_id))


@satmachineclient_api.get(
    "/transactions/{transaction_id}/distributions/paginated",
    openapi_extra=generate_filter_params_openapi(PaymentFilters),
)
async def page_of_distributions(
    transaction_id: str,
    filters: Annotated[Filters[PaymentFilters], Depends(page_of(PaymentFilters))],
) -> Page[DistributionOut]:
    found(await crud_sales.get_transaction(transaction_id), "transaction")
    number = len(filters.filters)
    filters.filters.append(filter_of("transaction_id", [transaction_id], PaymentFilters, number))
    page = await crud.get_page("dca_payments", Payment, filters, "amount_sats")
    return Page(data=await distributions_of(page.data), total=page.total)


@satmachineclient_api.get("/transactions/{transaction_id}/notes")
async def list_notes(transaction_id: str) -> list[SaleNoteOut]:
    found(await crud_sales.get_transaction(transaction_id), "transaction")
    return await _named_notes(await crud_sales.get_notes(transaction_id))


@satmachineclient_api.post("/transactions/{transaction_id}/notes", status_code=HTTPStatus.CREATED)
async def add_note(transaction_id: str, data: NewSaleNote, operator: Operator) -> SaleNoteOut:
    """At any time, in whatever state the sale is; a note is never changed."""
    row: Transaction = found(await crud_sales.get_transaction(transaction_id), "transaction")
    note = SaleNote(
        id=new_id(),
        transaction_id=row.id,
        author=operator,
        notes=data.notes.strip(),
        created_at=now(),
    )
    audit = AuditEntry.of(operator, "note added", row.id, after=data)
    await crud_sales.insert_note(note, audit)
    return (await _named_notes([note]))[0]


async def _named_notes(notes: list[SaleNote]) -> list[SaleNoteOut]:
    names = await user_names(note.author for note in notes)
    return [SaleNoteOut(**note.dict(), author_name=names.get(note.author)) for note in notes]


@satmachineclient_api.post("/transactions/{transaction_id}/retry")
async def retry_transaction(transaction_id: str, operator: Operator) -> list[DistributionOut]:
    row: Transaction = found(await crud_sales.get_transaction(transaction_id), "transaction")
    payments = await crud_sales.get_payments_of(transaction_id)
    audit = AuditEntry.of(operator, "transaction retried", row.id)
    shares = await partners_shares(transaction_id)
    transfers = decisions.failed_transfers(row, [*payments, *shares])
    await decisions.retry(transfers, audit)
    return await distributions_of(await crud_sales.get_payments_of(transaction_id))


@satmachineclient_api.post("/transactions/{transaction_id}/distribute")
async def distribute_transaction(
    transaction_id: str, data: ReviewDistribute, operator: Operator
) -> TransactionOut:
    row: Transaction = found(await crud_sales.get_transaction(transaction_id), "transaction")
    _check_needs_review(row)
    cash_out = None
    if data.fiat_amount is not None:
        cash_out = positive_minor_units("fiat_amount", data.fiat_amount, row.fiat_code)
        if cash_out > max(row.fiat_amount, row.counted_fiat or 0):
            raise ValueError("fiat_amount: more than the sale's own amount cannot have come out")
    audit = AuditEntry.of(operator, "review distributed", row.id, TransactionOut.of(row), data)
    await decisions.distribute_reviewed(row, cash_out, data.notes, audit)
    decided = found(await crud_sales.get_transaction(transaction_id), "transaction")
    return TransactionOut.of(decided, await machine_names())


@satmachineclient_api.post("/transactions/{transaction_id}/dismiss")
async def dismiss_transaction(
    transaction_id: str, data: ReviewDismiss, operator: Operator
) -> TransactionOut:
    row: Transaction = found(await crud_sales.get_transaction(transaction_id), "transaction")
    if row.status == "planned":
        audit = AuditEntry.of(operator, "sale taken back", row.id, TransactionOut.of(row), data)
        await decisions.take_back(row, data.notes, audit)
        row = found(await crud_sales.get_transaction(transaction_id), "transaction")
        return TransactionOut.of(row)
    _check_needs_review(row)
    audit = AuditEntry.of(operator, "review dismissed", row.id, TransactionOut.of(row), data)
    if not await crud_sales.dismiss_transaction(transaction_id, data.notes, audit):
        raise ConflictError("This transaction has been decided on already.")
    decided = found(await crud_sales.get_transaction(transaction_id), "transaction")
    return TransactionOut.of(decided, await machine_names())


def _check_needs_review(row: Transaction) -> None:
    if row.status != "needs_review":
        raise ConflictError(f"This transaction is {row.status}: there is nothing to decide.")


@satmachineclient_api.post("/payments/{payment_id}/retry")
async def retry_payment(payment_id: str, operator: Operator) -> DistributionOut:
    payment: Payment = found(await crud_sales.get_payment(payment_id), "payment")
    if payment.status not in ("failed", "pending"):
        raise ConflictError(f"This payment is {payment.status}: there is nothing to try again.")
    audit = AuditEntry.of(operator, "payment retried", payment.id, after={"error": payment.error})
    await decisions.retry({payment.transfer_id} if payment.transfer_id else set(), audit)
    return (await distributions_of([found(await crud_sales.get_payment(payment_id), "payment")]))[0]


@satmachineclient_api.post("/payments/{payment_id}/void")
async def void_payment(payment_id: str, data: Reason, operator: Operator) -> DistributionOut:
    payment: Payment = found(await crud_sales.get_payment(payment_id), "payment")
    if payment.status not in ("failed", "pending"):
        raise ConflictError(f"This payment is {payment.status} and cannot be voided.")
    (before,) = await distributions_of([payment])
    audit = AuditEntry.of(operator, "payment voided", payment.id, before, data)
    await decisions.void(payment, data.reason, audit)
    return (await distributions_of([found(await crud_sales.get_payment(payment_id), "payment")]))[0]


# ---- a backup that was put back ----------------------------------------------------------------


@satmachineclient_api.get("/adoption")
async def read_adoption() -> AdoptionOut:
    """What LNbits has paid and we do not know, what of it was adopted, and what LNbits has lost."""
    return await adoption.read()


@satmachineclient_api.get("/held")
async def list_held() -> list[HeldPayment]:
    """What waits for a person since an older copy of the database was put back."""
    return await adoption.read_held()


@satmachineclient_api.post("/adopt")
async def adopt(operator: Operator) -> Adopted:
    """Take payments of ours that no payout knows into the books, then poll."""
    adopted = await adoption.adopt(operator)
    return Adopted(adopted=adopted, poll=PollResult.of(await transaction_processor.poll("manual")))


@satmachineclient_api.post("/adopted/{adopted_id}/close")
async def close_adopted(adopted_id: str, data: Reason, operator: Operator) -> AdoptionOut:
    """An adopted payment that fits nothing is dealt with otherwise, and no difference any more."""
    found(await get_claim(adopted_id), "adopted payment")
    await adoption.close(adopted_id, data.reason, operator)
    return await adoption.read()


@satmachineclient_api.post("/payments/pay-again")
async def pay_all_again(operator: Operator) -> PaidAgain:
    """Pay anew all that LNbits has lost, credits and commissions included."""
    audit = AuditEntry.of(operator, "lost payments paid again", "")
    return PaidAgain(payments=await adoption.pay_again(None, audit))


@satmachineclient_api.post("/payments/{payment_id}/pay-again")
async def pay_again(payment_id: str, operator: Operator) -> DistributionOut:
    """Pay a share anew whose payment LNbits has lost, with those that travelled with it."""
    payment: Payment = found(await crud_sales.get_payment(payment_id), "payment")
    if payment.status != "confirmed":
        raise ConflictError(f"This payment is {payment.status}: retry it.")
    (before,) = await distributions_of([payment])
    audit = AuditEntry.of(operator, "lost payment paid again", payment.id, before)
    await adoption.pay_again(payment, audit)
    return (await distributions_of([found(await crud_sales.get_payment(payment_id), "payment")]))[0]


# ---- configuration ---------------------------------------------------------------------------


@satmachineclient_api.get("/config")
async def read_config() -> ConfigOut | None:
    config = await crud.get_config()
    return ConfigOut.of(config, configuration.lost_secrets(config)) if config else None


@satmachineclient_api.post("/config")
async def save_config(data: ConfigIn, operator: Operator) -> ConfigOut:
    stored = await crud.get_config()
    config = merged(data, stored)
    await check_wallets(config)
    check_crediting(config, stored, operator)
    before = ConfigOut.of(stored, configuration.lost_secrets(stored)) if stored else None
    out = ConfigOut.of(config, configuration.lost_secrets(config))
    entered = [name for name in SECRETS if getattr(data, name) is not None]
    after = {**json.loads(out.json()), "secrets_entered": entered}
    await crud.save_config(
        config, AuditEntry.of(operator, "configuration saved", config.id, before, after)
    )
    wallets = ("source_wallet_id", "commission_wallet_id")
    if stored and any(getattr(config, name) != getattr(stored, name) for name in wallets):
        hurry()  # what was failed for the old ones is paid by the new ones
    return out


@satmachineclient_api.post("/test-connection")
async def test_connection(data: ConnectionTestIn | None = None) -> ConnectionTest:
    stored = await crud.get_config()
    body = data.dict() if data else None
    if body:
        config = merged(parse_obj_as(ConfigIn, body), stored)
    elif stored:
        config = stored
    else:
        raise ConflictError("There is no configuration yet: send one, or save it first.")
    try:
        target = configuration.target_of(config)
    except SecretError as exc:
        result = check.failed_configuration(str(exc))
    else:
        since = configuration.look_back_from(config)
        result = await check.test_connection(
            target, since, config.commission_method, config.direction
        )
    if not body:
        await crud.record_connection_test(now(), result.success)
    return result


# ---- operations ------------------------------------------------------------------------------


@satmachineclient_api.post("/manual-poll")
async def manual_poll() -> PollResult:
    await configuration.ready_config()
    return PollResult.of(await transaction_processor.poll("manual"))


@satmachineclient_api.post("/payouts/now")
async def pay_all_now(operator: Operator) -> PaidNow:
    """Pay all that waits for the next payout, however little it is."""
    settled = await decisions.pay_all_now(AuditEntry.of(operator, "all paid now", ""))
    return PaidNow(
        confirmed_payments=settled.confirmed_payments, distributed_sats=settled.distributed_sats
    )


@satmachineclient_api.post("/test-transaction")
async def test_transaction(data: TestTransactionIn, operator: Operator) -> TestTransactionOut:
    audit = AuditEntry.of(operator, "test transaction executed", "", after=data)
    row, payments, commission = await decisions.test_transaction(data, audit)
    return TestTransactionOut(
        dry_run=data.dry_run,
        transaction=TransactionOut.of(row, await machine_names()),
        distributions=await distributions_of(payments),
        commission=await partners.parts(row, commission),
    )


@satmachineclient_api.get("/polls")
async def list_polls() -> list[PollOut]:
    return [PollOut(**poll.dict()) for poll in await crud.get_polls()]


@satmachineclient_api.get(
    "/polls/paginated", openapi_extra=generate_filter_params_openapi(PollFilters)
)
async def page_of_polls(
    filters: Annotated[Filters[PollFilters], Depends(page_of(PollFilters))],
) -> Page[PollOut]:
    return await crud.get_page("lamassu_polls", PollOut, filters, "started_at")


@satmachineclient_api.get("/polls/channel")
async def name_of_progress_channel() -> Channel:
    return Channel(channel=progress.channel())


@satmachineclient_api.get("/reconciliation")
async def reconcile(
    days: Annotated[
        int | None,
        Query(
            ge=1,
            le=36_500,
            description="Only so far back, with what the last check of everything has found",
        ),
    ] = None,
) -> Reconciliation:
    if days is None:
        return await reconciliation.reconcile()
    books = await reconciliation.reconcile(now() - timedelta(days=days))
    return await full_check.with_known(books)

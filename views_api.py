"""REST: who may, what comes in, one call, what goes out. The contract is in the README."""

import json
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.exceptions import HTTPException
from lnbits.core.crud.wallets import get_wallet
from lnbits.db import Filters, Page
from lnbits.helpers import generate_filter_params_openapi
from lnbits.settings import settings
from pydantic import parse_obj_as

from . import (
    crud,
    crud_clients,
    crud_reports,
    decisions,
    lamassu_check,
    reconciliation,
    transaction_processor,
)
from .helpers import ConflictError, SecretError, encrypt, now
from .models import (
    SECRETS,
    AuditEntry,
    AuditFilters,
    ConfigIn,
    ConfigOut,
    ConnectionTest,
    ConnectionTestIn,
    DistributionOut,
    LamassuConfig,
    Payment,
    PaymentFilters,
    Poll,
    PollFilters,
    PollResult,
    Reason,
    Reconciliation,
    ReviewDismiss,
    ReviewDistribute,
    TestTransactionIn,
    TestTransactionOut,
    Transaction,
    TransactionFilters,
    TransactionOut,
    positive_minor_units,
)
from .rest import PREFIX, PROBLEMS, Operator, Route, check_operator, filter_of, found, page_of

satmachineclient_api = APIRouter(
    prefix=PREFIX,
    route_class=Route,
    dependencies=[Depends(check_operator)],
    responses=PROBLEMS,
)


# ---- transactions ----------------------------------------------------------------------------


@satmachineclient_api.get("/transactions")
async def list_transactions() -> list[TransactionOut]:
    return [TransactionOut.of(row) for row in await crud.get_transactions()]


@satmachineclient_api.get(
    "/transactions/paginated", openapi_extra=generate_filter_params_openapi(TransactionFilters)
)
async def page_of_transactions(
    filters: Annotated[Filters[TransactionFilters], Depends(page_of(TransactionFilters))],
) -> Page[TransactionOut]:
    page = await crud.get_page("lamassu_transactions", Transaction, filters, "transaction_time")
    return Page(data=[TransactionOut.of(row) for row in page.data], total=page.total)


@satmachineclient_api.get("/transactions/{transaction_id}/distributions")
async def list_distributions(transaction_id: str) -> list[DistributionOut]:
    found(await crud.get_transaction(transaction_id), "transaction")
    return await distributions_of(await crud.get_payments_of(transaction_id))


@satmachineclient_api.get(
    "/transactions/{transaction_id}/distributions/paginated",
    openapi_extra=generate_filter_params_openapi(PaymentFilters),
)
async def page_of_distributions(
    transaction_id: str,
    filters: Annotated[Filters[PaymentFilters], Depends(page_of(PaymentFilters))],
) -> Page[DistributionOut]:
    found(await crud.get_transaction(transaction_id), "transaction")
    number = len(filters.filters)
    filters.filters.append(filter_of("transaction_id", [transaction_id], PaymentFilters, number))
    page = await crud.get_page("dca_payments", Payment, filters, "amount_sats")
    return Page(data=await distributions_of(page.data), total=page.total)


async def distributions_of(payments: list[Payment]) -> list[DistributionOut]:
    names = await crud_clients.usernames(p.client_id for p in payments)
    sales = await crud_reports.sales_of([p.transaction_id for p in payments])
    return [
        # A dry run's transaction, a cash-out, is not stored.
        DistributionOut.of(
            p,
            names.get(p.client_id),
            sales[p.transaction_id]["direction"] if p.transaction_id in sales else "cash_out",
        )
        for p in payments
    ]


@satmachineclient_api.post("/transactions/{transaction_id}/retry")
async def retry_transaction(transaction_id: str, operator: Operator) -> list[DistributionOut]:
    row: Transaction = found(await crud.get_transaction(transaction_id), "transaction")
    payments = await crud.get_payments_of(transaction_id)
    audit = AuditEntry.of(operator, "transaction retried", row.id)
    transfers = decisions.failed_transfers(row, payments)
    await decisions.retry(transfers, audit)
    return await distributions_of(await crud.get_payments_of(transaction_id))


@satmachineclient_api.post("/transactions/{transaction_id}/distribute")
async def distribute_transaction(
    transaction_id: str, data: ReviewDistribute, operator: Operator
) -> TransactionOut:
    row: Transaction = found(await crud.get_transaction(transaction_id), "transaction")
    _check_needs_review(row)
    cash_out = None
    if data.fiat_amount is not None:
        cash_out = positive_minor_units("fiat_amount", data.fiat_amount, row.fiat_code)
        if cash_out > row.fiat_amount:
            raise ValueError("fiat_amount: more than the sale's own amount cannot have come out")
    audit = AuditEntry.of(operator, "review distributed", row.id, TransactionOut.of(row), data)
    await decisions.distribute_reviewed(row, cash_out, data.notes, audit)
    return TransactionOut.of(found(await crud.get_transaction(transaction_id), "transaction"))


@satmachineclient_api.post("/transactions/{transaction_id}/dismiss")
async def dismiss_transaction(
    transaction_id: str, data: ReviewDismiss, operator: Operator
) -> TransactionOut:
    row: Transaction = found(await crud.get_transaction(transaction_id), "transaction")
    _check_needs_review(row)
    audit = AuditEntry.of(operator, "review dismissed", row.id, TransactionOut.of(row), data)
    if not await crud.dismiss_transaction(transaction_id, data.notes, audit):
        raise ConflictError("This transaction has been decided on already.")
    return TransactionOut.of(found(await crud.get_transaction(transaction_id), "transaction"))


def _check_needs_review(row: Transaction) -> None:
    if row.status != "needs_review":
        raise ConflictError(f"This transaction is {row.status}: there is nothing to decide.")


@satmachineclient_api.post("/payments/{payment_id}/retry")
async def retry_payment(payment_id: str, operator: Operator) -> DistributionOut:
    payment: Payment = found(await crud.get_payment(payment_id), "payment")
    if payment.status not in ("failed", "pending"):
        raise ConflictError(f"This payment is {payment.status}: there is nothing to try again.")
    failed = payment.status == "failed" and payment.transfer_id
    audit = AuditEntry.of(operator, "payment retried", payment.id, after={"error": payment.error})
    await decisions.retry({failed} if failed else set(), audit)
    return (await distributions_of([found(await crud.get_payment(payment_id), "payment")]))[0]


@satmachineclient_api.post("/payments/{payment_id}/void")
async def void_payment(payment_id: str, data: Reason, operator: Operator) -> DistributionOut:
    payment: Payment = found(await crud.get_payment(payment_id), "payment")
    if payment.status not in ("failed", "pending"):
        raise ConflictError(f"This payment is {payment.status} and cannot be voided.")
    (before,) = await distributions_of([payment])
    audit = AuditEntry.of(operator, "payment voided", payment.id, before, data)
    await decisions.void(payment, data.reason, audit)
    return (await distributions_of([found(await crud.get_payment(payment_id), "payment")]))[0]


# ---- configuration ---------------------------------------------------------------------------


@satmachineclient_api.get("/config")
async def read_config() -> ConfigOut | None:
    config = await crud.get_config()
    return ConfigOut.of(config, transaction_processor.lost_secrets(config)) if config else None


@satmachineclient_api.post("/config")
async def save_config(data: ConfigIn, operator: Operator) -> ConfigOut:
    stored = await crud.get_config()
    config = _merged(data, stored)
    await _check_wallets(config)
    _check_crediting(config, stored, operator)
    before = ConfigOut.of(stored, transaction_processor.lost_secrets(stored)) if stored else None
    out = ConfigOut.of(config, transaction_processor.lost_secrets(config))
    entered = [name for name in SECRETS if getattr(data, name) is not None]
    after = {**json.loads(out.json()), "secrets_entered": entered}
    await crud.save_config(
        config, AuditEntry.of(operator, "configuration saved", config.id, before, after)
    )
    return out


# What decides how much a credit is, and where it goes.
_CREDIT_DEPENDS_ON = (
    "host",
    "port",
    "database_name",
    "use_ssh_tunnel",
    "ssh_host",
    "ssh_port",
    "ssh_host_key_fingerprint",
    "source_wallet_id",
)


def _check_crediting(config: LamassuConfig, stored: LamassuConfig | None, operator: str) -> None:
    """Crediting makes balance of what one database says: who may name another one may make money.

    Raises:
        HTTPException: 403, this is the super user's.
    """
    if not config.credit_source_wallet or settings.is_super_user(operator):
        return
    if not stored or not stored.credit_source_wallet:
        raise HTTPException(
            HTTPStatus.FORBIDDEN,
            "credit_source_wallet: makes LNbits balance out of the ATM's word, so only the super "
            "user may switch it on.",
        )
    for field in _CREDIT_DEPENDS_ON:
        if getattr(config, field) != getattr(stored, field):
            raise HTTPException(
                HTTPStatus.FORBIDDEN,
                f"{field}: only the super user may change it while crediting is on.",
            )


# A stored secret goes only to the host, port and user that it was entered for.
_BELONGS_TO = {
    "password": ("host", "port", "username", "use_ssh_tunnel", "ssh_host", "ssh_port"),
    "ssh_password": ("ssh_host", "ssh_port", "ssh_username"),
    "ssh_private_key": ("ssh_host", "ssh_port", "ssh_username"),
    "ssh_private_key_passphrase": ("ssh_host", "ssh_port", "ssh_username"),
}


def _merged(data: ConfigIn, stored: LamassuConfig | None) -> LamassuConfig:
    """What came in, completed by the stored secrets as far as they may be used for it.

    Raises:
        ValueError: a stored secret belongs to another host, port or user.
    """
    fields = data.dict()
    for name in SECRETS:
        if fields[name] is not None:
            fields[name] = encrypt(fields[name])
        elif stored and getattr(stored, name):
            _check_same_place(name, data, stored)
            fields[name] = getattr(stored, name)
    if stored:
        for name in (
            "test_connection_last",
            "test_connection_success",
            "last_poll_time",
            "last_successful_poll",
        ):
            fields[name] = getattr(stored, name)
    return LamassuConfig(**fields)


def _check_same_place(name: str, data: ConfigIn, stored: LamassuConfig) -> None:
    # Also while the tunnel is off: what is kept now would go to the new place when it is on again.
    for field in _BELONGS_TO[name]:
        if getattr(data, field) != getattr(stored, field):
            raise ValueError(f"{name}: enter it again, because {field} changes")


async def _check_wallets(config: LamassuConfig) -> None:
    for name in ("source_wallet_id", "commission_wallet_id"):
        wallet_id = getattr(config, name)
        if wallet_id is None:
            continue
        wallet = await get_wallet(wallet_id)
        if wallet is None:
            raise ValueError(f"{name}: there is no LNbits wallet with this id")
        if not settings.is_admin_user(wallet.user) or wallet.is_lightning_shared_wallet:
            raise ValueError(f"{name}: this wallet does not belong to an admin")
        if name == "source_wallet_id" and not wallet.can_send_payments:
            raise ValueError(f"{name}: this wallet may not send payments")
        if not wallet.can_receive_payments:
            raise ValueError(f"{name}: this wallet may not receive payments")


@satmachineclient_api.post("/test-connection")
async def test_connection(data: ConnectionTestIn | None = None) -> ConnectionTest:
    stored = await crud.get_config()
    body = data.dict() if data else None
    if body:
        config = _merged(parse_obj_as(ConfigIn, body), stored)
    elif stored:
        config = stored
    else:
        raise ConflictError("There is no configuration yet: send one, or save it first.")
    try:
        target = transaction_processor.target_of(config)
    except SecretError as exc:
        result = lamassu_check.failed_configuration(str(exc))
    else:
        since = transaction_processor.look_back_from(config)
        result = await lamassu_check.test_connection(
            target, since, config.commission_method, config.direction
        )
    if not body:
        await crud.record_connection_test(now(), result.success)
    return result


# ---- operations ------------------------------------------------------------------------------


@satmachineclient_api.post("/manual-poll")
async def manual_poll() -> PollResult:
    await transaction_processor.ready_config()
    return PollResult.of(await transaction_processor.poll("manual"))


@satmachineclient_api.post("/test-transaction")
async def test_transaction(data: TestTransactionIn, operator: Operator) -> TestTransactionOut:
    audit = AuditEntry.of(operator, "test transaction executed", "", after=data)
    row, payments = await decisions.test_transaction(data, audit)
    return TestTransactionOut(
        dry_run=data.dry_run,
        transaction=TransactionOut.of(row),
        distributions=await distributions_of(payments),
    )


@satmachineclient_api.get("/polls")
async def list_polls() -> list[Poll]:
    return await crud.get_polls()


@satmachineclient_api.get(
    "/polls/paginated", openapi_extra=generate_filter_params_openapi(PollFilters)
)
async def page_of_polls(
    filters: Annotated[Filters[PollFilters], Depends(page_of(PollFilters))],
) -> Page[Poll]:
    return await crud.get_page("lamassu_polls", Poll, filters, "started_at")


@satmachineclient_api.get("/reconciliation")
async def reconcile(
    days: Annotated[int | None, Query(ge=1, le=36_500, description="Only so far back")] = None,
) -> Reconciliation:
    since = reconciliation.EVERYTHING if days is None else now() - timedelta(days=days)
    return await reconciliation.reconcile(since)


@satmachineclient_api.get("/audit")
async def list_audit() -> list[AuditEntry]:
    return await crud.get_audit()


@satmachineclient_api.get(
    "/audit/paginated", openapi_extra=generate_filter_params_openapi(AuditFilters)
)
async def page_of_audit(
    filters: Annotated[Filters[AuditFilters], Depends(page_of(AuditFilters))],
) -> Page[AuditEntry]:
    return await crud.get_page("dca_audit", AuditEntry, filters, "time")

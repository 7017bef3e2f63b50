"""REST: who may, what comes in, one call, what goes out. The contract is in the README."""

from collections.abc import Callable, Coroutine, Iterable
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.exceptions import HTTPException, RequestValidationError
from fastapi.routing import APIRoute
from lnbits.core.crud.wallets import get_wallet
from lnbits.core.models import Wallet
from lnbits.core.services.users import create_user_account_no_ckeck
from lnbits.db import Filter, FilterModel, Filters, Page
from lnbits.db import Operator as Comparison
from lnbits.decorators import (
    api_key_header,
    api_key_query,
    check_access_token,
    check_account_exists,
    check_admin,
    require_admin_key,
)
from lnbits.helpers import generate_filter_params_openapi
from lnbits.settings import settings
from pydantic import UUID4, ValidationError, parse_obj_as

from . import crud, database, lamassu, reconciliation, transaction_processor
from .helpers import SecretError, encrypt, known_currency, minor_units, new_id, now
from .models import (
    SECRETS,
    Balance,
    BalanceOut,
    Client,
    ClientBalance,
    ClientFilters,
    ClientOut,
    ConfigIn,
    ConfigOut,
    ConnectionStep,
    ConnectionTest,
    ConnectionTestIn,
    CreateClient,
    CreateDeposit,
    Deposit,
    DepositFilters,
    DepositOut,
    DistributionOut,
    LamassuConfig,
    Payment,
    PaymentFilters,
    Poll,
    PollFilters,
    PollResult,
    Problem,
    Reason,
    Reconciliation,
    ReviewDismiss,
    ReviewDistribute,
    TestTransactionIn,
    TestTransactionOut,
    Transaction,
    TransactionFilters,
    TransactionOut,
    UpdateClient,
    UpdateDepositStatus,
    positive_minor_units,
)
from .transaction_processor import BusyError, ConflictError


class _Route(APIRoute):
    """Errors as `{"detail": "<one sentence>"}`, with the field's name in front."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                _check_address(request)
                return await handle(request)
            except (RequestValidationError, ValidationError) as exc:
                raise HTTPException(HTTPStatus.BAD_REQUEST, _sentence(exc.errors())) from None
            except ValueError as exc:
                raise HTTPException(HTTPStatus.BAD_REQUEST, str(exc)) from None
            except (
                ConflictError,
                BusyError,
                database.LeaseLostError,
                database.LedgerBusyError,
            ) as exc:
                raise HTTPException(HTTPStatus.CONFLICT, str(exc)) from None

        return answer


def _check_address(request: Request) -> None:
    """PostgreSQL takes no NUL in any text: an id, a filter, a key."""
    if "\0" in request.scope["path"] or b"%00" in request.scope["query_string"]:
        raise ValueError("The address contains a NUL character.")


def _sentence(errors: Iterable[Any]) -> str:
    parts = []
    for error in errors:
        # Where the body is not JSON at all, a number in `loc` says at which character.
        place = [p for p in error["loc"] if isinstance(p, str) and p not in ("query", "__root__")]
        field = ".".join(p for p in place if p != "body") or ".".join(place)
        # What `__root__` says of several fields names them itself.
        whole = error["loc"][-1] == "__root__"
        parts.append(str(error["msg"]) if whole else f"{field}: {error['msg']}")
    return "; ".join(parts)[:1000].encode(errors="replace").decode()


async def check_operator(
    request: Request,
    key_in_header: Annotated[str | None, Depends(api_key_header)],
    key_in_query: Annotated[str | None, Depends(api_key_query)],
    access_token: Annotated[str | None, Depends(check_access_token)],
    usr: UUID4 | None = None,
) -> str:
    """The id of the admin who asks, by session, bearer or ACL token, or a wallet's admin key."""
    key = key_in_header or key_in_query
    if key:
        try:
            wallet = (await require_admin_key(request, key, "")).wallet
        except HTTPException as exc:
            if exc.status_code == HTTPStatus.NOT_FOUND:  # LNbits' answer to an unknown key
                raise HTTPException(HTTPStatus.UNAUTHORIZED, "Unknown API key.") from None
            raise
        if not settings.is_admin_user(wallet.user):
            raise HTTPException(HTTPStatus.FORBIDDEN, "This wallet does not belong to an admin.")
        return str(wallet.user)
    account = await check_account_exists(request, access_token, usr)
    return str((await check_admin(account)).id)


Operator = Annotated[str, Depends(check_operator)]

satmachineclient_api = APIRouter(
    prefix="/api/v1/dca",
    route_class=_Route,
    dependencies=[Depends(check_operator)],
    responses={
        400: {"model": Problem, "description": "Bad input; the sentence names the field"},
        401: {"model": Problem, "description": "Not logged in, or an unknown key"},
        403: {"model": Problem, "description": "Not an admin, or only the super user may"},
        404: {"model": Problem, "description": "There is nothing with this id"},
        409: {"model": Problem, "description": "Conflicts with the present state"},
        502: {"model": Problem, "description": "The ATM's side failed"},
        "4XX": {"model": Problem, "description": "Refused; the sentence says why"},
    },
)


def _found(row: Any, what: str) -> Any:
    if row is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"There is no {what} with this id.")
    return row


# ---- pages -----------------------------------------------------------------------------------

_PAGING = ("limit", "offset", "sortby", "direction", "search", "usr", "api-key")
_IN_CURRENCY = {"amount": "currency", "amount_fiat": "currency", "fiat_amount": "fiat_code"}


def _page_of(model: type[FilterModel]) -> Callable[..., Filters[Any]]:
    """LNbits' own paging and filters; but what LNbits passes over in silence is refused."""

    def parse(
        request: Request,
        limit: Annotated[int, Query(ge=0)] = 10,
        offset: Annotated[int, Query(ge=0, lt=2**63)] = 0,
        sortby: str | None = None,
        direction: Literal["asc", "desc"] | None = None,
        search: Annotated[str | None, Query(max_length=200)] = None,
    ) -> Filters[Any]:
        query = request.query_params
        keys = [key for key in query if key not in _PAGING]
        filters = [_filter(key, query.getlist(key), model, i) for i, key in enumerate(keys)]
        for each in filters:
            if each.field in _IN_CURRENCY:
                _to_minor_units(each, query.get(_IN_CURRENCY[each.field]))
        if sortby and sortby not in (model.__sort_fields__ or []):
            raise ValueError(f"sortby: use one of {', '.join(model.__sort_fields__ or [])}")
        return Filters(
            filters=filters,
            limit=min(limit or 1000, 1000),
            offset=offset,
            sortby=sortby,
            direction=direction,
            search=search,
            model=model,
        )

    return parse


def _filter(key: str, values: list[str], model: type[FilterModel], i: int) -> Filter[Any]:
    name = key.split("[")[0]
    if name not in model.__fields__:
        raise ValueError(f"{name[:50]}: there is no such filter")
    try:
        found: Filter[Any] = Filter.parse_query(key, values, model, i)
    except ValueError:
        raise ValueError(f"{name}: the filter's operator or value does not fit") from None
    if found.op in (Comparison.LIKE, Comparison.EVERY, Comparison.ANY):
        if model.__fields__[name].type_ is not str:
            raise ValueError(f"{name}: this operator is for text only")
    return found


def _to_minor_units(found: Filter[Any], currency: str | None) -> None:
    """Amounts are stored in minor units, and how many those are depends on the currency."""
    name = found.field
    if not currency:
        raise ValueError(f"{name}: filter by {_IN_CURRENCY[name]}, too")
    try:
        code = known_currency(currency)
        found.values = {key: minor_units(v, code) for key, v in (found.values or {}).items()}
    except ValueError as exc:
        raise ValueError(f"{name}: {exc}") from None


# ---- clients ---------------------------------------------------------------------------------


@satmachineclient_api.get("/clients")
async def list_clients() -> list[ClientOut]:
    return await _clients_out(await crud.get_clients(), None)


@satmachineclient_api.get(
    "/clients/paginated", openapi_extra=generate_filter_params_openapi(ClientFilters)
)
async def page_of_clients(
    filters: Annotated[Filters[ClientFilters], Depends(_page_of(ClientFilters))],
) -> Page[ClientOut]:
    page = await crud.get_page("dca_clients", Client, filters, "created_at")
    return Page(data=await _clients_out(page.data, [c.id for c in page.data]), total=page.total)


async def _clients_out(clients: list[Client], ids: list[str] | None) -> list[ClientOut]:
    """`ids`: whose balances to read; None for everybody's."""
    balances: dict[str, list[Balance]] = {}
    for balance in await crud.get_balances(ids):
        balances.setdefault(balance.client_id, []).append(balance)
    sats = await crud.get_total_sats(ids)
    return [ClientOut.of(c, balances.get(c.id, []), sats.get(c.id, 0)) for c in clients]


async def _client_out(client: Client) -> ClientOut:
    return (await _clients_out([client], [client.id]))[0]


@satmachineclient_api.get("/clients/{client_id}/balance")
async def client_balance(client_id: str) -> ClientBalance:
    _found(await crud.get_client(client_id), "client")
    return ClientBalance(
        client_id=client_id,
        balances=[BalanceOut.of(b) for b in await crud.get_balances([client_id])],
        total_sats=(await crud.get_total_sats([client_id])).get(client_id, 0),
    )


@satmachineclient_api.post("/clients", status_code=HTTPStatus.CREATED)
async def create_client(data: CreateClient) -> ClientOut:
    limit = data.daily_limit(data.currency)
    _check_mode(data.dca_mode, limit)
    wallet = await (_trial_wallet(data) if data.test else _client_wallet(data.wallet_id))
    time = now()
    client = Client(
        id=new_id(),
        user_id=wallet.user,
        wallet_id=wallet.id,
        username=data.username,
        dca_mode=data.dca_mode,
        fixed_mode_daily_limit=limit,
        currency=data.currency,
        created_at=time,
        updated_at=time,
    )
    await crud.insert_client(client)
    return await _client_out(client)


@satmachineclient_api.put("/clients/{client_id}")
async def update_client(client_id: str, data: UpdateClient) -> ClientOut:
    client: Client = _found(await crud.get_client(client_id), "client")
    sent = data.dict(exclude_unset=True)
    for name in ("dca_mode", "status", "wallet_id"):
        if name in sent and sent[name] is None:
            raise ValueError(f"{name}: cannot be empty")
    reopened = client.status == "closed" and data.status not in (None, "closed")
    if reopened or sent.get("wallet_id", client.wallet_id) != client.wallet_id:
        wallet = await _client_wallet(sent.get("wallet_id", client.wallet_id))
        sent["user_id"] = wallet.user
    if "fixed_mode_daily_limit" in sent:
        sent["fixed_mode_daily_limit"] = data.daily_limit(sent.get("currency", client.currency))
    elif client.fixed_mode_daily_limit and sent.get("currency", client.currency) != client.currency:
        raise ValueError("fixed_mode_daily_limit: give the limit in the new currency, too")
    client = client.copy(update={**sent, "updated_at": now()})
    _check_mode(client.dca_mode, client.fixed_mode_daily_limit)
    await crud.update_client(client)
    return await _client_out(client)


def _check_mode(mode: str, daily_limit: int | None) -> None:
    if mode == "fixed" and daily_limit is None:
        raise ValueError("fixed_mode_daily_limit: needed in fixed mode, with its currency")


async def _client_wallet(wallet_id: str | None) -> Wallet:
    """A wallet that can be a client's: it exists, may receive, and is no other client's."""
    if not wallet_id:
        raise ValueError("wallet_id: the client's LNbits wallet is needed")
    wallet = await get_wallet(wallet_id)
    if wallet is None:
        raise ValueError("wallet_id: there is no LNbits wallet with this id")
    if wallet.is_lightning_shared_wallet:
        raise ValueError("wallet_id: this is another user's shared wallet; give a wallet of theirs")
    if not wallet.can_receive_payments:
        raise ValueError("wallet_id: this wallet may not receive payments")
    other = await crud.get_client_by_wallet(wallet_id)
    if other:
        raise ConflictError(f"wallet_id: already the wallet of client {other.username or other.id}")
    return wallet


async def _trial_wallet(data: CreateClient) -> Wallet:
    if not settings.debug:
        raise HTTPException(
            HTTPStatus.FORBIDDEN,
            "test: trial clients are made only when LNbits runs with DEBUG=true",
        )
    user = await create_user_account_no_ckeck(wallet_name=data.username or "DCA trial")
    return user.wallets[0]


# ---- deposits --------------------------------------------------------------------------------


@satmachineclient_api.get("/deposits")
async def list_deposits() -> list[DepositOut]:
    return [DepositOut.of(deposit) for deposit in await crud.get_deposits()]


@satmachineclient_api.get(
    "/deposits/paginated", openapi_extra=generate_filter_params_openapi(DepositFilters)
)
async def page_of_deposits(
    filters: Annotated[Filters[DepositFilters], Depends(_page_of(DepositFilters))],
) -> Page[DepositOut]:
    page = await crud.get_page("dca_deposits", Deposit, filters, "created_at")
    return Page(data=[DepositOut.of(deposit) for deposit in page.data], total=page.total)


@satmachineclient_api.post("/deposits", status_code=HTTPStatus.CREATED)
async def create_deposit(data: CreateDeposit) -> DepositOut:
    client: Client = _found(await crud.get_client(data.client_id), "client")
    if client.status == "closed":
        raise ConflictError("client_id: this client is closed and takes no deposits")
    deposit = Deposit(
        id=new_id(),
        client_id=client.id,
        amount=positive_minor_units("amount", data.amount, data.currency),
        currency=data.currency,
        notes=data.notes,
        created_at=now(),
    )
    await crud.insert_deposit(deposit)
    return DepositOut.of(deposit)


@satmachineclient_api.put("/deposits/{deposit_id}/status")
async def update_deposit_status(deposit_id: str, data: UpdateDepositStatus) -> DepositOut:
    deposit: Deposit = _found(await crud.get_deposit(deposit_id), "deposit")
    if deposit.status == "pending":
        resolved = deposit.copy(
            update={
                "status": data.status,
                "notes": deposit.notes if data.notes is None else data.notes,
                "confirmed_at": now() if data.status == "confirmed" else None,
            }
        )
        if await crud.resolve_deposit(resolved):
            return DepositOut.of(resolved)
        deposit = _found(await crud.get_deposit(deposit_id), "deposit")  # somebody was faster
    if deposit.status != data.status:
        raise ConflictError(
            f"status: this deposit is {deposit.status} already, which is final. Correct a mistake "
            "with a new entry."
        )
    return DepositOut.of(deposit)


# ---- transactions ----------------------------------------------------------------------------


@satmachineclient_api.get("/transactions")
async def list_transactions() -> list[TransactionOut]:
    return [TransactionOut.of(row) for row in await crud.get_transactions()]


@satmachineclient_api.get(
    "/transactions/paginated", openapi_extra=generate_filter_params_openapi(TransactionFilters)
)
async def page_of_transactions(
    filters: Annotated[Filters[TransactionFilters], Depends(_page_of(TransactionFilters))],
) -> Page[TransactionOut]:
    page = await crud.get_page("lamassu_transactions", Transaction, filters, "transaction_time")
    return Page(data=[TransactionOut.of(row) for row in page.data], total=page.total)


@satmachineclient_api.get("/transactions/{transaction_id}/distributions")
async def list_distributions(transaction_id: str) -> list[DistributionOut]:
    _found(await crud.get_transaction(transaction_id), "transaction")
    return await _distributions(await crud.get_payments_of(transaction_id))


@satmachineclient_api.get(
    "/transactions/{transaction_id}/distributions/paginated",
    openapi_extra=generate_filter_params_openapi(PaymentFilters),
)
async def page_of_distributions(
    transaction_id: str,
    filters: Annotated[Filters[PaymentFilters], Depends(_page_of(PaymentFilters))],
) -> Page[DistributionOut]:
    _found(await crud.get_transaction(transaction_id), "transaction")
    number = len(filters.filters)
    filters.filters.append(_filter("transaction_id", [transaction_id], PaymentFilters, number))
    page = await crud.get_page("dca_payments", Payment, filters, "amount_sats")
    return Page(data=await _distributions(page.data), total=page.total)


async def _distributions(payments: list[Payment]) -> list[DistributionOut]:
    clients = {c.id: c.username for c in await crud.get_clients(p.client_id for p in payments)}
    return [DistributionOut.of(p, clients.get(p.client_id)) for p in payments]


@satmachineclient_api.post("/transactions/{transaction_id}/retry")
async def retry_transaction(transaction_id: str) -> list[DistributionOut]:
    row: Transaction = _found(await crud.get_transaction(transaction_id), "transaction")
    payments = await crud.get_payments_of(transaction_id)
    await transaction_processor.retry(transaction_processor.failed_transfers(row, payments))
    return await _distributions(await crud.get_payments_of(transaction_id))


@satmachineclient_api.post("/transactions/{transaction_id}/distribute")
async def distribute_transaction(transaction_id: str, data: ReviewDistribute) -> TransactionOut:
    row: Transaction = _found(await crud.get_transaction(transaction_id), "transaction")
    _check_needs_review(row)
    cash_out = None
    if data.fiat_amount is not None:
        cash_out = positive_minor_units("fiat_amount", data.fiat_amount, row.fiat_code)
        if cash_out > row.fiat_amount:
            raise ValueError("fiat_amount: more than the sale's own amount cannot have come out")
    await transaction_processor.distribute_reviewed(row, cash_out, data.notes)
    return TransactionOut.of(_found(await crud.get_transaction(transaction_id), "transaction"))


@satmachineclient_api.post("/transactions/{transaction_id}/dismiss")
async def dismiss_transaction(transaction_id: str, data: ReviewDismiss) -> TransactionOut:
    row: Transaction = _found(await crud.get_transaction(transaction_id), "transaction")
    _check_needs_review(row)
    if not await crud.dismiss_transaction(transaction_id, data.notes):
        raise ConflictError("This transaction has been decided on already.")
    return TransactionOut.of(_found(await crud.get_transaction(transaction_id), "transaction"))


def _check_needs_review(row: Transaction) -> None:
    if row.status != "needs_review":
        raise ConflictError(f"This transaction is {row.status}: there is nothing to decide.")


@satmachineclient_api.post("/payments/{payment_id}/retry")
async def retry_payment(payment_id: str) -> DistributionOut:
    payment: Payment = _found(await crud.get_payment(payment_id), "payment")
    if payment.status not in ("failed", "pending"):
        raise ConflictError(f"This payment is {payment.status}: there is nothing to try again.")
    failed = payment.status == "failed" and payment.transfer_id
    await transaction_processor.retry(
        {payment.transfer_id} if failed and payment.transfer_id else set()
    )
    return (await _distributions([_found(await crud.get_payment(payment_id), "payment")]))[0]


@satmachineclient_api.post("/payments/{payment_id}/void")
async def void_payment(payment_id: str, data: Reason) -> DistributionOut:
    payment: Payment = _found(await crud.get_payment(payment_id), "payment")
    if payment.status not in ("failed", "pending"):
        raise ConflictError(f"This payment is {payment.status} and cannot be voided.")
    await transaction_processor.void(payment, data.reason)
    return (await _distributions([_found(await crud.get_payment(payment_id), "payment")]))[0]


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
    switched_on = config.credit_source_wallet and not (stored and stored.credit_source_wallet)
    if switched_on and not settings.is_super_user(operator):
        raise HTTPException(
            HTTPStatus.FORBIDDEN,
            "credit_source_wallet: makes LNbits balance out of the ATM's word, so only the super "
            "user may switch it on.",
        )
    await crud.save_config(config)
    return ConfigOut.of(config, transaction_processor.lost_secrets(config))


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
        step = ConnectionStep(name="configuration", status="failed", detail=str(exc))
        result = ConnectionTest(success=False, message=str(exc), steps=[step])
    else:
        since = transaction_processor.look_back_from(config)
        result = await lamassu.test_connection(target, since, config.commission_method)
    if not body:
        await crud.record_connection_test(now(), result.success)
    return result


# ---- operations ------------------------------------------------------------------------------


@satmachineclient_api.post("/manual-poll")
async def manual_poll() -> PollResult:
    await transaction_processor.ready_config()
    return PollResult.of(await transaction_processor.poll("manual"))


@satmachineclient_api.post("/test-transaction")
async def test_transaction(data: TestTransactionIn) -> TestTransactionOut:
    row, payments = await transaction_processor.test_transaction(data)
    return TestTransactionOut(
        dry_run=data.dry_run,
        transaction=TransactionOut.of(row),
        distributions=await _distributions(payments),
    )


@satmachineclient_api.get("/polls")
async def list_polls() -> list[Poll]:
    return await crud.get_polls()


@satmachineclient_api.get(
    "/polls/paginated", openapi_extra=generate_filter_params_openapi(PollFilters)
)
async def page_of_polls(
    filters: Annotated[Filters[PollFilters], Depends(_page_of(PollFilters))],
) -> Page[Poll]:
    return await crud.get_page("lamassu_polls", Poll, filters, "started_at")


@satmachineclient_api.get("/reconciliation")
async def reconcile() -> Reconciliation:
    return await reconciliation.reconcile()

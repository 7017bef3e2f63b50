"""REST of the clients and their deposits, as the operator sees them."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.exceptions import HTTPException
from lnbits.core.crud.wallets import get_wallet
from lnbits.core.models import Wallet
from lnbits.core.services.users import create_user_account_no_ckeck
from lnbits.db import Filters, Page
from lnbits.helpers import generate_filter_params_openapi
from lnbits.settings import settings

from . import crud, crud_clients
from .helpers import new_id, now
from .models import AuditEntry, positive_minor_units
from .models_clients import (
    Balance,
    BalanceOut,
    Client,
    ClientBalance,
    ClientFilters,
    ClientOut,
    CreateClient,
    CreateDeposit,
    Deposit,
    DepositFilters,
    DepositOut,
    UpdateClient,
    UpdateDepositStatus,
)
from .rest import PREFIX, PROBLEMS, Operator, Route, check_operator, found, page_of
from .transaction_processor import ConflictError

satmachineclient_clients = APIRouter(
    prefix=PREFIX,
    route_class=Route,
    dependencies=[Depends(check_operator)],
    responses=PROBLEMS,
)


# ---- clients ---------------------------------------------------------------------------------


@satmachineclient_clients.get("/clients")
async def list_clients() -> list[ClientOut]:
    return await _clients_out(await crud_clients.get_clients(), None)


@satmachineclient_clients.get(
    "/clients/paginated", openapi_extra=generate_filter_params_openapi(ClientFilters)
)
async def page_of_clients(
    filters: Annotated[Filters[ClientFilters], Depends(page_of(ClientFilters))],
) -> Page[ClientOut]:
    page = await crud.get_page("dca_clients", Client, filters, "created_at")
    return Page(data=await _clients_out(page.data, [c.id for c in page.data]), total=page.total)


async def _clients_out(clients: list[Client], ids: list[str] | None) -> list[ClientOut]:
    """`ids`: whose balances to read; None for everybody's."""
    balances: dict[str, list[Balance]] = {}
    for balance in await crud_clients.get_balances(ids):
        balances.setdefault(balance.client_id, []).append(balance)
    paid = await crud_clients.get_paid(ids)
    return [ClientOut.of(c, balances.get(c.id, []), paid.get(c.id, {})) for c in clients]


async def _client_out(client: Client) -> ClientOut:
    return (await _clients_out([client], [client.id]))[0]


@satmachineclient_clients.get("/clients/{client_id}/balance")
async def client_balance(client_id: str) -> ClientBalance:
    found(await crud_clients.get_client(client_id), "client")
    paid = await crud_clients.get_paid([client_id])
    return ClientBalance(
        client_id=client_id,
        balances=[BalanceOut.of(b) for b in await crud_clients.get_balances([client_id])],
        total_sats=sum(sats for sats, _ in paid.get(client_id, {}).values()),
    )


@satmachineclient_clients.post("/clients", status_code=HTTPStatus.CREATED)
async def create_client(data: CreateClient, operator: Operator) -> ClientOut:
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
    out = ClientOut.of(client, [], {})
    if not await crud_clients.insert_client(
        client, AuditEntry.of(operator, "client added", client.id, after=out)
    ):
        raise ConflictError("wallet_id: already the wallet of another client")
    return out


@satmachineclient_clients.put("/clients/{client_id}")
async def update_client(client_id: str, data: UpdateClient, operator: Operator) -> ClientOut:
    client: Client = found(await crud_clients.get_client(client_id), "client")
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
    before = await _client_out(client)
    client = client.copy(update={**sent, "updated_at": now()})
    _check_mode(client.dca_mode, client.fixed_mode_daily_limit)
    out = await _client_out(client)
    audit = AuditEntry.of(operator, "client changed", client.id, before, out)
    if not await crud_clients.update_client(client, audit):
        raise ConflictError("wallet_id: already the wallet of another client")
    return out


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
    other = await crud_clients.get_client_by_wallet(wallet_id)
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


@satmachineclient_clients.get("/deposits")
async def list_deposits() -> list[DepositOut]:
    return [DepositOut.of(deposit) for deposit in await crud_clients.get_deposits()]


@satmachineclient_clients.get(
    "/deposits/paginated", openapi_extra=generate_filter_params_openapi(DepositFilters)
)
async def page_of_deposits(
    filters: Annotated[Filters[DepositFilters], Depends(page_of(DepositFilters))],
) -> Page[DepositOut]:
    page = await crud.get_page("dca_deposits", Deposit, filters, "created_at")
    return Page(data=[DepositOut.of(deposit) for deposit in page.data], total=page.total)


@satmachineclient_clients.post("/deposits", status_code=HTTPStatus.CREATED)
async def create_deposit(data: CreateDeposit, operator: Operator) -> DepositOut:
    client: Client = found(await crud_clients.get_client(data.client_id), "client")
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
    out = DepositOut.of(deposit)
    audit = AuditEntry.of(operator, "deposit added", deposit.id, after=out)
    await crud_clients.insert_deposit(deposit, audit)
    return out


@satmachineclient_clients.put("/deposits/{deposit_id}/status")
async def update_deposit_status(
    deposit_id: str, data: UpdateDepositStatus, operator: Operator
) -> DepositOut:
    deposit: Deposit = found(await crud_clients.get_deposit(deposit_id), "deposit")
    if deposit.status == "pending":
        resolved = deposit.copy(
            update={
                "status": data.status,
                "notes": deposit.notes if data.notes is None else data.notes,
                "confirmed_at": now() if data.status == "confirmed" else None,
            }
        )
        out = DepositOut.of(resolved)
        audit = AuditEntry.of(
            operator, f"deposit {data.status}", deposit.id, DepositOut.of(deposit), out
        )
        if await crud_clients.resolve_deposit(resolved, audit):
            return out
        deposit = found(
            await crud_clients.get_deposit(deposit_id), "deposit"
        )  # somebody was faster
    if deposit.status != data.status:
        raise ConflictError(
            f"status: this deposit is {deposit.status} already, which is final. Correct a mistake "
            "with a new entry."
        )
    return DepositOut.of(deposit)

"""REST of the clients and their deposits, as the operator sees them."""

import asyncio
from datetime import date
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import Depends, Query, Response
from fastapi.exceptions import HTTPException
from lnbits.core.models import Wallet
from lnbits.core.services.users import create_user_account_no_ckeck
from lnbits.db import Filters, Page
from lnbits.helpers import generate_filter_params_openapi
from lnbits.settings import settings
from lnbits.utils.exchange_rates import get_fiat_rate_and_price_satoshis

from .. import crud_clients
from ..crud import get_page, in_batches
from ..crud_lnbits import living_wallets
from ..database import Row
from ..helpers import ConflictError, decimal_text, fiat_text, new_id, now, rounded_minor_units
from ..machines import register as machines
from ..machines.crud import names as machine_names
from ..models import AuditEntry, positive_minor_units
from ..models_clients import (
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
    SettleOut,
    UpdateClient,
    UpdateDepositStatus,
    Withdrawal,
    withdrawal_of,
)
from ..models_programme import (
    AcceptedTermsOut,
    ProgrammeOut,
    SettledOut,
    UpdateProgramme,
    Value,
    Values,
)
from ..models_sales import DistributionOut, TransactionOut
from ..paying import settle_out
from ..reports import files
from ..reports import source as source_wallet
from ..rest import (
    Operator,
    as_array,
    check_operator,
    found,
    json_text,
    page_of,
    router_for,
)
from . import changes, crud, crud_deposits, koinly, statements

StatementFormat = Literal["json", "csv", "koinly"]
_RATE_SECONDS = 10

satmachineclient_clients = router_for(check_operator)


# ---- clients ---------------------------------------------------------------------------------


@satmachineclient_clients.get("/clients", response_model=list[ClientOut])
async def list_clients() -> Response:
    return await as_array(in_batches("dca_clients", "created_at", newest_first=False), _shown)


async def _shown(rows: list[Row]) -> list[ClientOut]:
    clients = [Client.parse_obj(dict(row)) for row in rows]
    return await _clients_out(clients, [client.id for client in clients])


@satmachineclient_clients.get(
    "/clients/paginated", openapi_extra=generate_filter_params_openapi(ClientFilters)
)
async def page_of_clients(
    filters: Annotated[Filters[ClientFilters], Depends(page_of(ClientFilters))],
) -> Page[ClientOut]:
    page = await get_page("dca_clients", Client, filters, "created_at")
    return Page(data=await _clients_out(page.data, [c.id for c in page.data]), total=page.total)


async def _clients_out(rows: list[Client], ids: list[str]) -> list[ClientOut]:
    """`ids`: whose balances to read."""
    balances: dict[str, list[Balance]] = {}
    for balance in await crud_clients.get_balances(ids):
        balances.setdefault(balance.client_id, []).append(balance)
    paid = await crud_clients.get_paid(ids)
    alive = await living_wallets(c.wallet_id for c in rows)
    return [
        ClientOut.of(c, balances.get(c.id, []), paid.get(c.id, {})).copy(
            update={"wallet_gone": c.wallet_id not in alive}
        )
        for c in rows
    ]


async def client_out(client: Client) -> ClientOut:
    return (await _clients_out([client], [client.id]))[0]


@satmachineclient_clients.get("/clients/{client_id}/balance")
async def client_balance(client_id: str) -> ClientBalance:
    found(await crud_clients.get_client(client_id), "client")
    paid = await crud_clients.get_paid([client_id])
    return ClientBalance(
        client_id=client_id,
        balances=[BalanceOut.of(b) for b in await crud_clients.get_balances([client_id])],
        total_sats=sum(sats for sats, _ in paid.get(client_id, {}).values()),
        waiting_sats=await crud_clients.get_unpaid_sats(client_id),
    )


@satmachineclient_clients.post("/clients", status_code=HTTPStatus.CREATED)
async def create_client(data: CreateClient, operator: Operator) -> ClientOut:
    wallet = await (_trial_wallet(data) if data.test else changes.client_wallet(data.wallet_id))
    return ClientOut.of(await changes.add(data, wallet, operator), [], {})


@satmachineclient_clients.put("/clients/{client_id}")
async def update_client(client_id: str, data: UpdateClient, operator: Operator) -> ClientOut:
    client: Client = found(await crud_clients.get_client(client_id), "client")
    return await client_out(await changes.change(client, data, operator, "operator"))


async def _trial_wallet(data: CreateClient) -> Wallet:
    if not settings.debug:
        raise HTTPException(
            HTTPStatus.FORBIDDEN,
            "test: trial clients are made only when LNbits runs with DEBUG=true",
        )
    user = await create_user_account_no_ckeck(wallet_name=data.username or "DCA trial")
    return user.wallets[0]


@satmachineclient_clients.get("/clients/{client_id}/value")
async def client_value(client_id: str) -> Values:
    """What the client's sats are worth at the rate that LNbits knows."""
    return await value_of(found(await crud_clients.get_client(client_id), "client"))


async def value_of(client: Client) -> Values:
    """Asks price servers, where LNbits has not done so lately: it may take seconds."""
    out = await client_out(client)
    prices = await asyncio.gather(*(_price(b.currency) for b in out.balances))
    return Values(
        total_sats=out.total_sats,
        values=[
            Value(
                currency=balance.currency,
                exchange_rate=price and decimal_text(price),
                value=price and _worth(out.total_sats, price, balance.currency),
            )
            for balance, price in zip(out.balances, prices, strict=True)
        ],
    )


async def _price(currency: str) -> Decimal | None:
    """Fiat per whole bitcoin; None if LNbits cannot tell soon."""
    try:
        _, price = await asyncio.wait_for(
            get_fiat_rate_and_price_satoshis(currency), timeout=_RATE_SECONDS
        )
    except (asyncio.TimeoutError, ValueError):
        return None
    return Decimal(repr(price)).quantize(Decimal("0.01")) if price > 0 else None


def _worth(sats: int, price: Decimal, currency: str) -> str:
    return fiat_text(rounded_minor_units(price * sats / 10**8, currency), currency)


@satmachineclient_clients.get("/clients/{client_id}/statement", response_model=statements.Statement)
async def client_statement(
    client_id: str,
    begin: Annotated[date | None, Query(alias="from")] = None,
    end: Annotated[date | None, Query(alias="to")] = None,
    form: Annotated[StatementFormat, Query(alias="format")] = "json",
) -> Response:
    """Opening balance, every entry, totals and closing balance, per currency."""
    client = found(await crud_clients.get_client(client_id), "client")
    return await statement_as(form, client, begin, end)


async def statement_as(
    form: StatementFormat, client: Client, begin: date | None, end: date | None
) -> Response:
    """In a thread: of many years it takes seconds, in which LNbits serves others."""
    statement = await statements.of_client(client, begin, end)
    if form == "json":
        content = await asyncio.to_thread(json_text, statement)
        return files.answer(content, "json")
    if form == "koinly":
        content = await koinly.of_statement(statement)
    else:
        content = await asyncio.to_thread(statements.as_csv, statement)
    kind = "koinly" if form == "koinly" else "statement"
    name = f"satmachineclient-{kind}-{statement.begin}-{statement.end}.csv"
    return files.attachment(content, name, "csv")


@satmachineclient_clients.get("/clients/{client_id}/terms")
async def accepted_terms(client_id: str) -> list[AcceptedTermsOut]:
    """Which terms the client accepted when, newest first."""
    found(await crud_clients.get_client(client_id), "client")
    return await crud.accepted_by(client_id)


@satmachineclient_clients.get("/programme")
async def read_programme() -> ProgrammeOut:
    return ProgrammeOut.of(await crud_clients.get_programme())


@satmachineclient_clients.put("/programme")
async def update_programme(data: UpdateProgramme, operator: Operator) -> ProgrammeOut:
    programme = await crud.update_programme(
        data.applied_to,
        lambda before, after: AuditEntry.of(
            operator,
            "programme changed",
            after.id,
            ProgrammeOut.of(before),
            ProgrammeOut.of(after),
        ),
    )
    return ProgrammeOut.of(programme)


# ---- deposits --------------------------------------------------------------------------------


@satmachineclient_clients.get("/deposits", response_model=list[DepositOut])
async def list_deposits() -> Response:
    return await as_array(in_batches("dca_deposits", "created_at"), _shown_deposits)


async def _shown_deposits(rows: list[Row]) -> list[DepositOut]:
    called = await machine_names()
    return await asyncio.to_thread(
        lambda: [DepositOut.of(Deposit.parse_obj(dict(row)), called) for row in rows]
    )


@satmachineclient_clients.get(
    "/deposits/paginated", openapi_extra=generate_filter_params_openapi(DepositFilters)
)
async def page_of_deposits(
    filters: Annotated[Filters[DepositFilters], Depends(page_of(DepositFilters))],
) -> Page[DepositOut]:
    page = await get_page("dca_deposits", Deposit, filters, "created_at")
    called = await machine_names()
    return Page(data=[DepositOut.of(deposit, called) for deposit in page.data], total=page.total)


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
        device_id=data.device_id,
        notes=data.notes,
        created_at=now(),
    )
    if data.device_id is not None:
        await machines.check_currency(await machines.known(data.device_id), data.currency)
    out = DepositOut.of(deposit, await machine_names())
    audit = AuditEntry.of(operator, "deposit added", deposit.id, after=out)
    await crud_deposits.insert_deposit(deposit, audit)
    return out


@satmachineclient_clients.post("/clients/{client_id}/withdrawals", status_code=HTTPStatus.CREATED)
async def create_withdrawal(client_id: str, data: Withdrawal, operator: Operator) -> DepositOut:
    found(await crud_clients.get_client(client_id), "client")
    withdrawal = withdrawal_of(
        client_id,
        positive_minor_units("amount", data.amount, data.currency),
        data.currency,
        data.reason,
        data.device_id,
    )
    if data.device_id is not None:
        await machines.known(data.device_id)
    out = DepositOut.of(withdrawal, await machine_names())
    audit = AuditEntry.of(operator, "withdrawal added", withdrawal.id, after=out)
    await crud_deposits.withdraw(withdrawal, audit)
    return out


@satmachineclient_clients.post("/clients/{client_id}/settle-out")
async def settle_out_client(client_id: str, data: SettleOut, operator: Operator) -> SettledOut:
    found(await crud_clients.get_client(client_id), "client")
    if data.dry_run:
        settled = await settle_out.dry_run(client_id, data)
    else:
        settled = await settle_out.settle_out(client_id, data, operator)
    to_pay = tuple(p.amount_sats for p in settled.payments) if data.dry_run else ()
    source = await source_wallet.read(to_pay)
    return SettledOut(
        source_balance_sats=source.balance_sats if source and source.exists else None,
        missing_sats=source.missing_sats if source and data.dry_run else 0,
        dry_run=data.dry_run,
        client=await client_out(settled.client),
        transaction=TransactionOut.of(settled.transaction),
        distributions=[
            DistributionOut.of(p, settled.client.username, "settle_out") for p in settled.payments
        ],
    )


@satmachineclient_clients.put("/deposits/{deposit_id}/status")
async def update_deposit_status(
    deposit_id: str, data: UpdateDepositStatus, operator: Operator
) -> DepositOut:
    deposit: Deposit = found(await crud_deposits.get_deposit(deposit_id), "deposit")
    called = await machine_names()
    if deposit.status == "pending":
        resolved = deposit.copy(
            update={
                "status": data.status,
                "notes": deposit.notes if data.notes is None else data.notes,
                "confirmed_at": now() if data.status == "confirmed" else None,
            }
        )
        out = DepositOut.of(resolved, called)
        audit = AuditEntry.of(
            operator, f"deposit {data.status}", deposit.id, DepositOut.of(deposit, called), out
        )
        if await crud_deposits.resolve_deposit(resolved, audit):
            return out
        # Somebody was faster.
        deposit = found(await crud_deposits.get_deposit(deposit_id), "deposit")
    if deposit.status != data.status:
        raise ConflictError(
            f"status: this deposit is {deposit.status} already, which is final. Correct a mistake "
            "with a new entry."
        )
    return DepositOut.of(deposit, called)

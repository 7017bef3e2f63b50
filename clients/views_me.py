"""REST of the client's own side: join, look, change, leave. Nobody sees what is another's."""

from datetime import date, timedelta
from http import HTTPStatus
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import Depends, Query, Response
from fastapi.exceptions import HTTPException
from lnbits.db import Filters, Page
from lnbits.helpers import generate_filter_params_openapi

from .. import crud_clients
from ..configuration import config_or_defaults, next_payout
from ..crud import get_page
from ..helpers import day_of, now, start_of
from ..machines.crud import names as machine_names
from ..models_clients import Client, DepositFilters, DepositOut, Register, UpdateClient
from ..models_programme import (
    AcceptTerms,
    MeOut,
    OwnClient,
    ProgrammeOut,
    Purchase,
    PurchaseFilters,
    RegistrationOut,
    Values,
)
from ..models_sales import Payment, PaymentFilters
from ..partners.crud import get_partners_of
from ..reports import overview, totals
from ..reports.crud import shares_by_quarter
from ..rest import Member, check_member, found, page_of, router_for
from . import changes, crud_deposits, koinly, months, statements, terms
from .views import StatementFormat, client_out, statement_as, value_of

satmachineclient_me = router_for(check_member)

RECENT_DAYS = 30

Asking = Annotated[Member, Depends(check_member)]


async def own_client(member: Asking, client_id: str | None = None) -> Client:
    """The client who asks: the one with this id, else the one who has not left."""
    own = await _own_clients(member)
    if client_id is not None:
        own = [client for client in own if client.id == client_id]
        return found(own[0] if own else None, "client of yours")  # type: ignore[no-any-return]
    if not own:
        raise HTTPException(HTTPStatus.NOT_FOUND, "You are not registered yet.")
    return own[0]


async def _own_clients(member: Member) -> list[Client]:
    """Those who have not left first, then the newest; with a wallet's key only that wallet's."""
    rows = await crud_clients.get_clients_of(member.user_id)
    own = [c for c in rows if member.wallet_id in (None, c.wallet_id)]
    return sorted(own, key=lambda client: client.status == "closed")


def _check_key(member: Member, wallet_id: str | None) -> None:
    """Raises ValueError where a wallet's key names another wallet than its own."""
    if wallet_id and member.wallet_id not in (None, wallet_id):
        raise ValueError("wallet_id: a wallet's key speaks for that wallet only; log in instead")


Own = Annotated[Client, Depends(own_client)]


# ---- joining ---------------------------------------------------------------------------------


@satmachineclient_me.get("/registration")
async def read_registration(member: Asking) -> RegistrationOut:
    programme = ProgrammeOut.of(await crud_clients.get_programme())
    own = await _own_clients(member)
    here = own[0] if own and own[0].status != "closed" else None
    return RegistrationOut(
        **programme.dict(),
        client_id=here.id if here else None,
        status=here.status if here else None,
        clients=[OwnClient(**client.dict()) for client in own],
        partner=bool(await get_partners_of(member.user_id)),
    )


@satmachineclient_me.post("/registration", status_code=HTTPStatus.CREATED)
async def register(data: Register, member: Asking) -> MeOut:
    _check_key(member, data.wallet_id)
    wallet = await changes.client_wallet(data.wallet_id or member.wallet_id, member.user_id)
    try:
        client = await changes.register(data, wallet)
    except changes.RegistrationClosedError as exc:
        raise HTTPException(HTTPStatus.FORBIDDEN, str(exc)) from None
    return await _me(client, member)


# ---- looking and changing --------------------------------------------------------------------


@satmachineclient_me.get("/me")
async def read_me(client: Own, member: Asking) -> MeOut:
    return await _me(client, member)


@satmachineclient_me.put("/me")
async def update_me(data: UpdateClient, client: Own, member: Asking) -> MeOut:
    _check_key(member, data.wallet_id)
    return await _me(await changes.change(client, data, member.user_id, "client"), member)


@satmachineclient_me.post("/me/terms")
async def accept_terms(data: AcceptTerms, client: Own, member: Asking) -> MeOut:
    """Accept the programme's terms as they are now."""
    await terms.accept(client, data, member.user_id)
    return await _me(client, member)


async def _me(client: Client, member: Member) -> MeOut:
    config = await config_or_defaults()
    zone = ZoneInfo(config.timezone)
    since = start_of(day_of(now(), zone) - timedelta(days=RECENT_DAYS - 1), zone)
    programme = await crud_clients.get_programme()
    recent = await shares_by_quarter(since, client.id)
    return MeOut(
        **(await client_out(client)).dict(),
        waiting_sats=await crud_clients.get_unpaid_sats(client.id),
        recent_sats=sum(row["sats"] for row in recent),
        next_poll=overview.next_poll(config),
        next_payout=next_payout(config, now()),
        smallest_payout_sats=config.payout_min_sats,
        timezone=config.timezone,
        programme=ProgrammeOut.of(programme),
        terms_to_accept=await terms.to_accept(client, programme),
        clients=[OwnClient(**c.dict()) for c in await _own_clients(member)],
    )


@satmachineclient_me.get("/me/deposits")
async def list_own_deposits(client: Own) -> list[DepositOut]:
    called = await machine_names()
    return [DepositOut.of(d, called) for d in await crud_deposits.get_deposits_of(client.id)]


@satmachineclient_me.get(
    "/me/deposits/totals", openapi_extra=generate_filter_params_openapi(DepositFilters)
)
async def totals_of_own_deposits(
    client: Own,
    filters: Annotated[Filters[DepositFilters], Depends(page_of(DepositFilters, "client_id"))],
) -> totals.Totals:
    return await totals.of_client("deposits", client.id, filters)


@satmachineclient_me.get("/me/history")
async def own_history(client: Own) -> overview.ClientHistory:
    return await overview.of_client(client.id)


@satmachineclient_me.get("/me/value")
async def own_value(client: Own) -> Values:
    """What the sats are worth at the rate that LNbits knows; it asks price servers for it."""
    return await value_of(client)


@satmachineclient_me.get(
    "/me/payments",
    openapi_extra=generate_filter_params_openapi(PurchaseFilters),
    response_model=Page[Purchase],
)
async def own_payments(
    client: Own,
    filters: Annotated[
        Filters[PurchaseFilters], Depends(page_of(PurchaseFilters, "client_id", "format"))
    ],
    form: Annotated[Literal["csv", "koinly"] | None, Query(alias="format")] = None,
) -> Page[Purchase] | Response:
    """What was bought, latest sale first; with a `format` all of it as a file.

    `koinly` has Koinly's columns, paid purchases only, and the forwards where no filter is set.
    """
    totals.only_of(client.id, filters, PaymentFilters)
    if form == "csv":
        return await statements.purchases_file(filters)
    if form == "koinly":
        return await koinly.file_of(client.id, filters)
    page = await get_page("dca_payments", Payment, filters, "transaction_time DESC, created_at")
    return Page(data=await statements.purchases(page.data), total=page.total)


@satmachineclient_me.get(
    "/me/payments/totals", openapi_extra=generate_filter_params_openapi(PurchaseFilters)
)
async def totals_of_own_payments(
    client: Own,
    filters: Annotated[Filters[PurchaseFilters], Depends(page_of(PurchaseFilters, "client_id"))],
) -> totals.Totals:
    return await totals.of_client("payments", client.id, filters)


@satmachineclient_me.get("/me/statement", response_model=statements.Statement)
async def own_statement(
    client: Own,
    begin: Annotated[date | None, Query(alias="from")] = None,
    end: Annotated[date | None, Query(alias="to")] = None,
    form: Annotated[StatementFormat, Query(alias="format")] = "json",
) -> Response:
    """Opening balance, every entry, totals and closing balance, per currency.

    `koinly` is a file of Koinly's columns, of what was paid and forwarded on these days.
    """
    return await statement_as(form, client, begin, end)


@satmachineclient_me.get("/me/statements")
async def own_statements(client: Own) -> list[months.StatementMonth]:
    """The months that have ended and have a statement, newest first."""
    return await months.of_client(client)

"""REST of a client's own keys: where their sats go on to. Only the client sets it."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends
from lnbits.db import Filters, Page
from lnbits.helpers import generate_filter_params_openapi

from ..crud import get_page
from ..models_payouts import (
    AskDestination,
    DestinationOut,
    Forward,
    ForwardFilters,
    ForwardingOut,
    ForwardOut,
    SetForward,
    TestForward,
)
from ..paying import crud_forwards, own_keys
from ..reports import totals
from ..rest import PREFIX, PROBLEMS, Route, check_member, page_of
from .views_me import Asking, Own

satmachineclient_forward = APIRouter(
    prefix=PREFIX,
    route_class=Route,
    dependencies=[Depends(check_member)],
    responses=PROBLEMS,
)


@satmachineclient_forward.get("/me/forward")
async def read_forward(client: Own) -> ForwardingOut:
    return await own_keys.forwarding_of(client)


@satmachineclient_forward.put("/me/forward")
async def set_forward(data: SetForward, client: Own, member: Asking) -> ForwardingOut:
    await own_keys.set_forward(client, data, member.user_id)
    return await own_keys.forwarding_of(client)


@satmachineclient_forward.post("/me/forward/ask")
async def ask_destination(data: AskDestination, client: Own) -> DestinationOut:
    """What a destination takes, and a threshold at which the fee reserve weighs little."""
    return await own_keys.ask(data.destination)


@satmachineclient_forward.post("/me/forward/test", status_code=HTTPStatus.CREATED)
async def test_destination(data: TestForward, client: Own, member: Asking) -> ForwardOut:
    """Send the smallest amount, to see at the other end whether it arrives."""
    return ForwardOut.of(await own_keys.send_test(client, data.destination, member.user_id))


@satmachineclient_forward.get("/me/forwards")
async def list_own_forwards(client: Own) -> list[ForwardOut]:
    return [ForwardOut.of(forward) for forward in await crud_forwards.get_forwards(client.id)]


@satmachineclient_forward.get(
    "/me/forwards/paginated", openapi_extra=generate_filter_params_openapi(ForwardFilters)
)
async def page_of_own_forwards(
    client: Own,
    filters: Annotated[Filters[ForwardFilters], Depends(page_of(ForwardFilters, "client_id"))],
) -> Page[ForwardOut]:
    totals.only_of(client.id, filters, ForwardFilters)
    page = await get_page("dca_forwards", Forward, filters, "created_at")
    return Page(data=[ForwardOut.of(forward) for forward in page.data], total=page.total)


@satmachineclient_forward.get(
    "/me/forwards/totals", openapi_extra=generate_filter_params_openapi(ForwardFilters)
)
async def totals_of_own_forwards(
    client: Own,
    filters: Annotated[Filters[ForwardFilters], Depends(page_of(ForwardFilters, "client_id"))],
) -> totals.Totals:
    return await totals.of_client("forwards", client.id, filters)

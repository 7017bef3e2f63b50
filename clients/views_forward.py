"""REST of own keys: where a client's or partner's sats go on to. Only they themselves set it.

The routes are there twice, for the client who asks below `/me` and for the partner who asks below
`/me/partner`; whose sats it is about is all that differs.
"""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request
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
    Owner,
    SetForward,
    TestForward,
)
from ..partners.models import Partner
from ..partners.views import own_partner
from ..paying import crud_forwards, crud_owners, own_keys
from ..reports import totals
from ..rest import Route, check_member, found, page_of, router_for
from .views_me import Asking, Own

satmachineclient_forward = router_for(check_member)
_routes = APIRouter(route_class=Route)


async def _client(request: Request, client: Own) -> None:
    request.state.owner = found(await crud_owners.get_owner(client.id), "client of yours")


async def _partner(request: Request, partner: Annotated[Partner, Depends(own_partner)]) -> None:
    request.state.owner = found(await crud_owners.get_owner(partner.id), "partner of yours")


def _owner(request: Request) -> Owner:
    owner: Owner = request.state.owner
    return owner


Whose = Annotated[Owner, Depends(_owner)]
Chosen = Annotated[
    Filters[ForwardFilters], Depends(page_of(ForwardFilters, "client_id", "partner_id"))
]


@_routes.get("/forward")
async def read_forward(owner: Whose) -> ForwardingOut:
    return await own_keys.forwarding_of(owner)


@_routes.put("/forward")
async def set_forward(data: SetForward, owner: Whose, member: Asking) -> ForwardingOut:
    await own_keys.set_forward(owner, data, member.user_id)
    return await own_keys.forwarding_of(owner)


@_routes.post("/forward/ask")
async def ask_destination(data: AskDestination, owner: Whose) -> DestinationOut:
    """What a destination takes, and a threshold at which the fee reserve weighs little."""
    return await own_keys.ask(data.destination)


@_routes.post("/forward/test", status_code=HTTPStatus.CREATED)
async def test_destination(data: TestForward, owner: Whose, member: Asking) -> ForwardOut:
    """Send the smallest amount, to see at the other end whether it arrives."""
    return ForwardOut.of(await own_keys.send_test(owner, data.destination, member.user_id))


@_routes.get("/forwards")
async def list_own_forwards(owner: Whose) -> list[ForwardOut]:
    return [ForwardOut.of(forward) for forward in await crud_forwards.get_forwards(owner.id)]


@_routes.get("/forwards/paginated", openapi_extra=generate_filter_params_openapi(ForwardFilters))
async def page_of_own_forwards(owner: Whose, filters: Chosen) -> Page[ForwardOut]:
    totals.only_of(owner.id, filters, ForwardFilters)
    page = await get_page("dca_forwards", Forward, filters, "created_at")
    return Page(data=[ForwardOut.of(forward) for forward in page.data], total=page.total)


@_routes.get("/forwards/totals", openapi_extra=generate_filter_params_openapi(ForwardFilters))
async def totals_of_own_forwards(owner: Whose, filters: Chosen) -> totals.Totals:
    return await totals.of_client("forwards", owner.id, filters)


for _path, _asking in (("/me", _client), ("/me/partner", _partner)):
    satmachineclient_forward.include_router(_routes, prefix=_path, dependencies=[Depends(_asking)])

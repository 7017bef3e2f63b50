"""REST of the forwards as the operator sees them: look, search, try again, close."""

from collections.abc import Iterable
from typing import Annotated

from fastapi import Depends, Response
from lnbits.db import Filters, Page
from lnbits.helpers import generate_filter_params_openapi

from ..crud import get_page, in_batches
from ..database import Row
from ..models import Reason
from ..models_payouts import Forward, ForwardFilters, OperatorForwardOut
from ..reports.crud import owners
from ..rest import Operator, as_array, check_operator, found, page_of, router_for
from . import crud_forwards, own_keys

satmachineclient_forwards = router_for(check_operator)


async def _named(forwards: Iterable[Forward]) -> list[OperatorForwardOut]:
    rows = list(forwards)
    whose = await owners(row.client_id for row in rows)
    return [OperatorForwardOut.of_owner(row, whose.get(row.client_id)) for row in rows]


@satmachineclient_forwards.get("/forwards", response_model=list[OperatorForwardOut])
async def list_forwards() -> Response:
    return await as_array(in_batches("dca_forwards", "created_at"), _shown)


async def _shown(rows: list[Row]) -> list[OperatorForwardOut]:
    return await _named([Forward.parse_obj(dict(row)) for row in rows])


@satmachineclient_forwards.get(
    "/forwards/paginated", openapi_extra=generate_filter_params_openapi(ForwardFilters)
)
async def page_of_forwards(
    filters: Annotated[Filters[ForwardFilters], Depends(page_of(ForwardFilters))],
) -> Page[OperatorForwardOut]:
    page = await get_page("dca_forwards", Forward, filters, "created_at")
    return Page(data=await _named(page.data), total=page.total)


@satmachineclient_forwards.post("/forwards/{forward_id}/retry")
async def retry_forward(forward_id: str, operator: Operator) -> OperatorForwardOut:
    forward = found(await crud_forwards.get_forward(forward_id), "forward")
    [shown] = await _named([await own_keys.retry(forward, operator)])
    return shown


@satmachineclient_forwards.post("/forwards/{forward_id}/close")
async def close_forward(forward_id: str, data: Reason, operator: Operator) -> OperatorForwardOut:
    """End as not paid what LNbits will never know the end of."""
    forward = found(await crud_forwards.get_forward(forward_id), "forward")
    [shown] = await _named([await own_keys.close(forward, data.reason, operator)])
    return shown

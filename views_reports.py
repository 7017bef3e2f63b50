"""REST of the reports: overview, a client's history, all payments, and the exports."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from lnbits.db import Filters, Page
from lnbits.helpers import generate_filter_params_openapi

from . import crud, crud_clients, exports, overview
from .helpers import now
from .models import DistributionOut, Payment, PaymentFilters
from .rest import (
    IN_CURRENCY,
    PAGING,
    PREFIX,
    PROBLEMS,
    Route,
    check_operator,
    filter_of,
    found,
    page_of,
    to_minor_units,
)
from .views_api import distributions_of

satmachineclient_reports = APIRouter(
    prefix=PREFIX,
    route_class=Route,
    dependencies=[Depends(check_operator)],
    responses=PROBLEMS,
)


@satmachineclient_reports.get("/overview")
async def read_overview() -> overview.Overview:
    return await overview.read()


@satmachineclient_reports.get("/clients/{client_id}/history")
async def client_history(client_id: str) -> overview.ClientHistory:
    found(await crud_clients.get_client(client_id), "client")
    return await overview.of_client(client_id)


@satmachineclient_reports.get(
    "/payments/paginated", openapi_extra=generate_filter_params_openapi(PaymentFilters)
)
async def page_of_payments(
    filters: Annotated[Filters[PaymentFilters], Depends(page_of(PaymentFilters))],
) -> Page[DistributionOut]:
    page = await crud.get_page("dca_payments", Payment, filters, "created_at")
    return Page(data=await distributions_of(page.data), total=page.total)


@satmachineclient_reports.get("/export/{table}", response_class=StreamingResponse)
async def export_table(
    request: Request,
    table: str,
    form: Annotated[exports.Format, Query(alias="format")] = "csv",
    search: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    chosen = found(exports.EXPORTS.get(table), "table to export")
    pieces = await exports.stream(chosen, _filters(request, chosen, search), form)
    name = f"satmachineclient-{table}-{now():%Y-%m-%d}.{form}"
    return exports.attachment(pieces, name, form)


def _filters(request: Request, table: exports.Table, search: str | None) -> Filters[Any]:
    """The same filters as on the table's pages; paging itself means nothing here.

    Raises:
        ValueError: naming the filter that is none.
    """
    query = request.query_params
    if query.get("direction", "asc") not in ("asc", "desc"):
        raise ValueError("direction: is the order; filter by direction[eq]")
    keys = [key for key in query if key not in (*PAGING, "format")]
    filters = [filter_of(key, query.getlist(key), table.filters, i) for i, key in enumerate(keys)]
    for each in filters:
        if each.field in IN_CURRENCY:
            to_minor_units(each, query.get(IN_CURRENCY[each.field]))
    return Filters(filters=filters, search=search, model=table.filters)

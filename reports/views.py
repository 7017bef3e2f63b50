"""REST of the reports: overview, a client's history, all payments, and the exports."""

from datetime import date, datetime, timedelta, timezone
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from lnbits.db import Filters, Page
from lnbits.helpers import generate_filter_params_openapi
from pydantic import parse_obj_as

from .. import crud_clients
from ..configuration import config_or_defaults
from ..crud import get_audit, get_page
from ..crud_search import filters_of
from ..helpers import day_of, now
from ..models import AuditEntry, AuditFilters
from ..models_sales import DistributionOut, Payment, PaymentFilters
from ..rest import (
    IN_CURRENCY,
    PAGING,
    check_operator,
    distributions_of,
    filter_of,
    found,
    page_of,
    router_for,
    to_minor_units,
)
from . import exports, files, journal, overview, report, totals
from .accounts import Clients
from .audit import AuditOut, named
from .crud_books import By
from .periods import period_of

satmachineclient_reports = router_for(check_operator)


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
    page = await get_page("dca_payments", Payment, filters, "created_at")
    return Page(data=await distributions_of(page.data), total=page.total)


def _add_totals(name: str, summed: totals.Summed) -> None:
    async def read(
        filters: Annotated[Filters[Any], Depends(page_of(summed.filters))],
    ) -> totals.Totals:
        return await totals.of(summed, filters)

    satmachineclient_reports.add_api_route(
        f"/{name}/totals",
        read,
        name=f"totals_of_{name}",
        openapi_extra=generate_filter_params_openapi(summed.filters),
    )


for _name, _summed in totals.LISTS.items():
    _add_totals(_name, _summed)


@satmachineclient_reports.get("/audit")
async def list_audit() -> list[AuditOut]:
    return await named(await get_audit())


@satmachineclient_reports.get(
    "/audit/paginated", openapi_extra=generate_filter_params_openapi(AuditFilters)
)
async def page_of_audit(
    filters: Annotated[Filters[AuditFilters], Depends(page_of(AuditFilters))],
) -> Page[AuditOut]:
    page = await get_page("dca_audit", AuditEntry, filters, "time")
    return Page(data=await named(page.data), total=page.total)


@satmachineclient_reports.get("/report", response_model=report.Report)
async def read_report(
    answer: Response,
    begin: Annotated[date | None, Query(alias="from")] = None,
    end: Annotated[date | None, Query(alias="to")] = None,
    by: By = "month",
    form: Annotated[files.Format, Query(alias="format")] = "json",
) -> report.Report | Response:
    """Sales, commission, cash and sats of these days; without them, of this month so far."""
    books = await report.of_period(await period_of(begin, end), by)
    name = f"satmachineclient-report-{books.begin}-{books.end}-by-{by}.{form}"
    if form == "json":
        answer.headers["Content-Disposition"] = f'inline; filename="{name}"'
        return books
    return files.attachment(report.as_csv(books), name, form)


@satmachineclient_reports.get("/export/journal", responses={200: {"content": {"text/plain": {}}}})
async def export_journal(
    form: Annotated[journal.Form, Query(alias="format")],
    begin: Annotated[date | None, Query(alias="from")] = None,
    end: Annotated[date | None, Query(alias="to")] = None,
    clients: Clients = "each",
) -> Response:
    """Plain-text accounting; `clients`: an account for each of them, or one for all."""
    period = await period_of(begin, end)
    name = f"satmachineclient-{period.first}-{period.last}.{journal.ENDINGS[form]}"
    return files.text_attachment(journal.stream(period, form, clients), name)


@satmachineclient_reports.get("/export/{table}", response_class=StreamingResponse)
async def export_table(
    request: Request,
    table: str,
    form: Annotated[files.Format, Query(alias="format")] = "csv",
    search: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    chosen = found(exports.EXPORTS.get(table), "table to export")
    pieces = await files.stream(chosen, await _filters(request, chosen, search), form)
    name = f"satmachineclient-{table}-{await _period(chosen, request)}.{form}"
    return files.attachment(pieces, name, form)


async def _period(table: files.Table, request: Request) -> str:
    """The days of the operator that the filters choose, for a file's name."""
    zone = ZoneInfo((await config_or_defaults()).timezone)
    ends = [
        parse_obj_as(datetime, query) if query else None
        for query in (request.query_params.get(f"{table.time_column}[{op}]") for op in ("ge", "lt"))
    ]
    days = [
        end and day_of(_in_utc(end) - before, zone)
        for end, before in zip(ends, _EDGES, strict=True)
    ]
    begin, end = days[0], days[1] or day_of(now(), zone)
    return f"{begin}-{end}" if begin else f"until-{end}"


# The end of a period is no part of it any more.
_EDGES = (timedelta(0), timedelta(microseconds=1))


def _in_utc(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)


async def _filters(request: Request, table: files.Table, search: str | None) -> Filters[Any]:
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
    return await filters_of(table.filters, filters=filters, search=search)

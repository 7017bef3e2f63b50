"""REST of alerts, their settings, health and metrics."""

from typing import Annotated

from fastapi import Depends, Request, Response
from lnbits.db import Filters, Page
from lnbits.helpers import generate_filter_params_openapi

from .. import crud as root_crud
from ..helpers import encrypt
from ..models import AuditEntry
from ..rest import Operator, check_operator, check_watcher, page_of, router_for
from . import crud, crud_outbox, health, outbox
from .models import (
    AlertFilters,
    AlertOut,
    AlertSettingsIn,
    AlertSettingsOut,
    Health,
    Test,
)

satmachineclient_telling = router_for()
_OPERATORS = [Depends(check_operator)]
_WATCHERS = [Depends(check_watcher)]


@satmachineclient_telling.get("/alerts", dependencies=_OPERATORS)
async def list_alerts() -> list[AlertOut]:
    """The newest thousand."""
    return [AlertOut(**alert.dict()) for alert in await crud.get_alerts()]


@satmachineclient_telling.get(
    "/alerts/paginated",
    dependencies=_OPERATORS,
    openapi_extra=generate_filter_params_openapi(AlertFilters),
)
async def page_of_alerts(
    filters: Annotated[Filters[AlertFilters], Depends(page_of(AlertFilters))],
) -> Page[AlertOut]:
    return await root_crud.get_page("dca_alerts", AlertOut, filters, "began_at")


@satmachineclient_telling.get("/alerts/settings", dependencies=_OPERATORS)
async def read_settings() -> AlertSettingsOut:
    return AlertSettingsOut.of(await crud.get_settings(), **await crud_outbox.webhook_counts())


@satmachineclient_telling.put("/alerts/settings")
async def save_settings(
    data: AlertSettingsIn, request: Request, operator: Operator
) -> AlertSettingsOut:
    """What is left out stays as it is; `webhook_url` null takes the webhook away."""
    before = await crud.get_settings()
    given = set(await request.json())
    changes = {name: value for name, value in data.dict().items() if name in given}
    for name, value in changes.items():
        if value is None and not name.startswith("webhook_"):
            raise ValueError(f"{name}: cannot be empty")
    if changes.get("webhook_events", True) is None:
        raise ValueError("webhook_events: cannot be empty")
    if changes.get("webhook_secret") == "":
        del changes["webhook_secret"]
    elif changes.get("webhook_secret"):
        changes["webhook_secret"] = encrypt(changes["webhook_secret"])
    elif changes.get("webhook_url", before.webhook_url) != before.webhook_url:
        if "webhook_secret" not in changes:  # a stored secret goes only where it was entered for
            changes["webhook_secret"] = None
    after = before.copy(update=changes)
    shown = AlertSettingsOut.of(before), AlertSettingsOut.of(after)
    audit = AuditEntry.of(operator, "alert settings saved", after.id, *shown)
    await crud.save_settings(after, audit)
    if after.webhook_url != before.webhook_url:
        await crud_outbox.hold_no_letters_back("webhook")
    return AlertSettingsOut.of(after, **await crud_outbox.webhook_counts())


@satmachineclient_telling.post("/alerts/test", dependencies=_OPERATORS)
async def send_test() -> Test:
    """A test message to LNbits' admins and the webhook; a way that fails says why."""
    return await outbox.send_test()


@satmachineclient_telling.get(
    "/health",
    dependencies=_WATCHERS,
    response_model=Health,
    responses={503: {"model": Health, "description": "Something is not well"}},
)
async def read_health() -> Response:
    """200 if all is well, else 503, with the kinds of what is not."""
    state = await health.health()
    return Response(state.json(), 200 if state.ok else 503, media_type="application/json")


@satmachineclient_telling.get(
    "/metrics", dependencies=_WATCHERS, responses={200: {"content": {"text/plain": {}}}}
)
async def read_metrics() -> Response:
    return Response(await health.metrics(), media_type="text/plain; version=0.0.4")

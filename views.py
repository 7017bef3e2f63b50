"""The pages."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from lnbits.core.models import User
from lnbits.decorators import check_admin, check_user_exists
from lnbits.helpers import template_renderer

satmachineclient_pages = APIRouter()


@satmachineclient_pages.get(
    "/",
    response_class=HTMLResponse,
    description="The operator's panel",
    dependencies=[Depends(check_admin)],
)
async def index(
    request: Request, user: Annotated[User, Depends(check_user_exists)]
) -> HTMLResponse:
    return template_renderer(["satmachineclient/templates"]).TemplateResponse(
        request, "satmachineclient/index.html", {"user": user.json()}
    )

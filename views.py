"""The pages."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from lnbits.core.models import Account, User
from lnbits.decorators import check_account_exists, check_admin, check_user_exists
from lnbits.helpers import template_renderer
from lnbits.settings import settings

from .money.currencies import CURRENT

satmachineclient_pages = APIRouter(prefix="/satmachineclient", tags=["satmachineclient"])

_User = Annotated[User, Depends(check_user_exists)]


def _page(request: Request, name: str, user: User) -> HTMLResponse:
    return template_renderer(["satmachineclient/templates"]).TemplateResponse(
        request,
        f"satmachineclient/{name}.html",
        {"user": user.json(), "currencies": sorted(CURRENT)},
    )


@satmachineclient_pages.get("/", response_class=HTMLResponse)
async def index(
    request: Request, user: _User, account: Annotated[Account, Depends(check_account_exists)]
) -> HTMLResponse:
    """The operator's panel for LNbits admins, My DCA for everybody else."""
    if not settings.is_admin_user(user.id):
        return _page(request, "client", user)
    await check_admin(account)
    return _page(request, "index", user)


@satmachineclient_pages.get("/my", response_class=HTMLResponse)
async def my_dca(request: Request, user: _User) -> HTMLResponse:
    """My DCA, for an admin, too: they may be a client."""
    return _page(request, "client", user)


@satmachineclient_pages.get("/statement", response_class=HTMLResponse)
async def statement(request: Request, user: _User) -> HTMLResponse:
    """A statement to be printed; what it shows it asks of REST."""
    return _page(request, "statement", user)

"""The pages."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from lnbits.core.models import Account, User
from lnbits.decorators import check_account_exists, check_admin, check_user_exists
from lnbits.helpers import template_renderer
from lnbits.settings import settings

from .money.currencies import CURRENT

satmachineclient_pages = APIRouter(prefix="/satmachineclient", tags=["satmachineclient"])

_User = Annotated[User, Depends(check_user_exists)]


class _Compiled(BytecodeCache):
    """Templates compiled, as long as their text is the same.

    LNbits makes a renderer for each page, which would compile all its templates and ours anew:
    a quarter of a second in which nobody else is answered.
    """

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if code := self._code.get(bucket.key):
            bucket.bytecode_from_string(code)  # nothing, if it is of another text

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key] = bucket.bytecode_to_string()


_compiled = _Compiled()


def _page(request: Request, name: str, user: User) -> HTMLResponse:
    renderer = template_renderer(["satmachineclient/templates"])
    renderer.env.bytecode_cache = _compiled
    return renderer.TemplateResponse(
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

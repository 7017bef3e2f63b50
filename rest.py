"""What all REST routes share: who may ask, how errors are answered, paging and filters."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.exceptions import HTTPException, RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.routing import APIRoute
from lnbits.core.models import Wallet, WalletTypeInfo
from lnbits.db import Filter, FilterModel, Filters
from lnbits.db import Operator as Comparison
from lnbits.decorators import (
    api_key_header,
    api_key_query,
    check_access_token,
    check_account_exists,
    check_admin,
    require_admin_key,
    require_invoice_key,
)
from lnbits.exceptions import render_html_error
from lnbits.settings import settings
from loguru import logger
from pydantic import UUID4, BaseModel, ValidationError
from pydantic.json import pydantic_encoder
from sqlalchemy.exc import DBAPIError

from . import crud, crud_clients, crud_sales, database
from .connection import whole
from .crud_search import filters_of
from .helpers import ConflictError, known_currency, log_unexpected, minor_units
from .models import Problem
from .models_sales import DistributionOut, Payment
from .words.told import told


class Route(APIRoute):
    """Errors as `{"detail": "<one sentence>"}`, with the field's name in front.

    Beside it stands the same as codes with values, for the languages of the page.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                _check_address(request)
                # To its end, also if the client goes away: nothing is left half done.
                return await whole(handle(request))
            except (RequestValidationError, ValidationError) as exc:
                return _refusal(request, HTTPStatus.BAD_REQUEST, *_sentences(exc.errors()))
            except ValueError as exc:
                return _refusal(request, HTTPStatus.BAD_REQUEST, str(exc))
            except (
                ConflictError,
                database.LeaseLostError,
                database.LedgerBusyError,
            ) as exc:
                return _refusal(request, HTTPStatus.CONFLICT, str(exc))
            except DBAPIError as exc:
                log_unexpected("LNbits' database failed", exc)
                detail = database.trouble(exc)
                return _refusal(request, HTTPStatus.SERVICE_UNAVAILABLE, detail)
            except HTTPException as exc:
                if exc.headers or exc.status_code not in (
                    HTTPStatus.FORBIDDEN,
                    HTTPStatus.NOT_FOUND,
                ):
                    raise
                return _refusal(request, HTTPStatus(exc.status_code), str(exc.detail))

        return answer


def _refusal(request: Request, status: HTTPStatus, *sentences: str) -> Response:
    """As LNbits answers and logs an HTTPException, with the codes beside its sentence."""
    error = HTTPException(status, _cut("; ".join(sentences)))
    logger.error(f"HTTPException {error.status_code}: {error.detail}")
    said = [each.dict() for sentence in sentences for each in told(_cut(sentence))]
    answer = JSONResponse({"detail": error.detail, "told": said}, status)
    return render_html_error(request, error) or answer


def _cut(text: str) -> str:
    return text[:1000].encode(errors="replace").decode()


def _check_address(request: Request) -> None:
    """PostgreSQL takes no NUL in any text: an id, a filter, a key."""
    if "\0" in request.scope["path"] or b"%00" in request.scope["query_string"]:
        raise ValueError("The address contains a NUL character.")


def _sentences(errors: Iterable[Any]) -> list[str]:
    parts = []
    for error in errors:
        # Where the body is not JSON at all, a number in `loc` says at which character.
        place = [p for p in error["loc"] if isinstance(p, str) and p not in ("query", "__root__")]
        field = ".".join(p for p in place if p != "body") or ".".join(place)
        # What `__root__` says of several fields names them itself.
        whole = error["loc"][-1] == "__root__"
        parts.append(str(error["msg"]) if whole else f"{field}: {error['msg']}")
    return parts


async def check_operator(
    request: Request,
    key_in_header: Annotated[str | None, Depends(api_key_header)],
    key_in_query: Annotated[str | None, Depends(api_key_query)],
    access_token: Annotated[str | None, Depends(check_access_token)],
    usr: UUID4 | None = None,
) -> str:
    """The id of the admin who asks, by session, bearer or ACL token, or a wallet's admin key."""
    key = key_in_header or key_in_query
    if key:
        wallet = await _wallet_of(request, key, require_admin_key)
        if not settings.is_admin_user(wallet.user):
            raise HTTPException(HTTPStatus.FORBIDDEN, "This wallet does not belong to an admin.")
        return str(wallet.user)
    account = await check_account_exists(request, access_token, usr)
    return str((await check_admin(account)).id)


Operator = Annotated[str, Depends(check_operator)]


async def check_watcher(
    request: Request,
    key_in_header: Annotated[str | None, Depends(api_key_header)],
    key_in_query: Annotated[str | None, Depends(api_key_query)],
    access_token: Annotated[str | None, Depends(check_access_token)],
    usr: UUID4 | None = None,
) -> None:
    """An admin, or any key of the source wallet: what an uptime monitor can be given."""
    key = key_in_header or key_in_query
    if key:
        wallet = await _wallet_of(request, key, require_invoice_key)
        config = await crud.get_config()
        if config and wallet.id == config.source_wallet_id:
            return
    await check_operator(request, key_in_header, key_in_query, access_token, usr)


@dataclass(frozen=True)
class Member:
    """The LNbits user who asks for themselves; with a wallet's key, for that wallet only."""

    user_id: str
    wallet_id: str | None = None


async def check_member(
    request: Request,
    key_in_header: Annotated[str | None, Depends(api_key_header)],
    key_in_query: Annotated[str | None, Depends(api_key_query)],
    access_token: Annotated[str | None, Depends(check_access_token)],
    usr: UUID4 | None = None,
) -> Member:
    """Any LNbits user, by session or token or a wallet's key; the invoice key may read."""
    key = key_in_header or key_in_query
    if key:
        require_key = require_invoice_key if request.method == "GET" else require_admin_key
        wallet = await _wallet_of(request, key, require_key)
        return Member(str(wallet.user), str(wallet.id))
    return Member(str((await check_account_exists(request, access_token, usr)).id))


async def _wallet_of(
    request: Request, key: str, require_key: Callable[..., Awaitable[WalletTypeInfo]]
) -> Wallet:
    try:
        return (await require_key(request, key, "")).wallet
    except HTTPException as exc:
        if exc.status_code == HTTPStatus.NOT_FOUND:  # LNbits' answer to an unknown key
            raise HTTPException(HTTPStatus.UNAUTHORIZED, "Unknown API key.") from None
        raise


def found(row: Any, what: str) -> Any:
    if row is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"There is no {what} with this id.")
    return row


def router_for(*who: Callable[..., Any]) -> APIRouter:
    """A router of REST routes that all of these dependencies have to let pass."""
    return APIRouter(
        prefix="/satmachineclient/api/v1/dca",
        tags=["satmachineclient"],
        dependencies=[Depends(check) for check in who],
        route_class=Route,
        responses=PROBLEMS,
    )


# ---- pages -----------------------------------------------------------------------------------

PAGING = ("limit", "offset", "sortby", "direction", "search", "usr", "api-key")
IN_CURRENCY = {"amount": "currency", "amount_fiat": "currency", "fiat_amount": "fiat_code"}


def page_of(model: type[FilterModel], *others: str) -> Callable[..., Awaitable[Filters[Any]]]:
    """LNbits' own paging and filters; but what LNbits passes over in silence is refused.

    `others`: parameters of the route that are no filters.
    """

    async def parse(
        request: Request,
        limit: Annotated[int, Query(ge=0)] = 10,
        offset: Annotated[int, Query(ge=0, lt=2**63)] = 0,
        sortby: str | None = None,
        direction: Literal["asc", "desc"] | None = None,
        search: Annotated[str | None, Query(max_length=200)] = None,
    ) -> Filters[Any]:
        query = request.query_params
        keys = [key for key in query if key not in (*PAGING, *others)]
        filters = [filter_of(key, query.getlist(key), model, i) for i, key in enumerate(keys)]
        for each in filters:
            if each.field in IN_CURRENCY:
                to_minor_units(each, query.get(IN_CURRENCY[each.field]))
        if sortby and sortby not in (model.__sort_fields__ or []):
            raise ValueError(f"sortby: use one of {', '.join(model.__sort_fields__ or [])}")
        return await filters_of(
            model,
            filters=filters,
            limit=min(limit or 1000, 1000),
            offset=offset,
            sortby=sortby,
            direction=direction,
            search=search,
        )

    return parse


def filter_of(key: str, values: list[str], model: type[FilterModel], i: int) -> Filter[Any]:
    name = key.split("[")[0]
    if name not in model.__fields__:
        raise ValueError(f"{name[:50]}: there is no such filter")
    try:
        parsed: Filter[Any] = Filter.parse_query(key, values, model, i)
    except ValueError:
        raise ValueError(f"{name}: the filter's operator or value does not fit") from None
    if parsed.op in (Comparison.LIKE, Comparison.EVERY, Comparison.ANY):
        if model.__fields__[name].type_ is not str:
            raise ValueError(f"{name}: this operator is for text only")
    return parsed


def to_minor_units(parsed: Filter[Any], currency: str | None) -> None:
    """Amounts are stored in minor units, and how many those are depends on the currency."""
    name = parsed.field
    if not currency:
        raise ValueError(f"{name}: filter by {IN_CURRENCY[name]}, too")
    try:
        code = known_currency(currency)
        parsed.values = {key: minor_units(v, code) for key, v in (parsed.values or {}).items()}
    except ValueError as exc:
        raise ValueError(f"{name}: {exc}") from None


# ---- long answers ----------------------------------------------------------------------------

_T = TypeVar("_T")


async def as_array(
    batches: AsyncIterator[_T], show: Callable[[_T], Awaitable[Iterable[BaseModel]]]
) -> Response:
    """All rows as one JSON array, made and sent batch by batch: never all of them in memory.

    `show` makes of a batch of rows what goes out. The first batch is made before this returns, so
    that an error there is answered as one.
    """
    pieces = _array(batches, show)
    first = await anext(pieces)

    async def answer() -> AsyncIterator[str]:
        yield first
        async for piece in pieces:
            yield piece

    return StreamingResponse(answer(), media_type="application/json")


async def _array(
    batches: AsyncIterator[_T], show: Callable[[_T], Awaitable[Iterable[BaseModel]]]
) -> AsyncIterator[str]:
    before = "["
    async for batch in batches:
        yield before + await asyncio.to_thread(_joined, await show(batch))
        before = ","
    yield "]" if before == "," else "[]"


def _joined(models: Iterable[BaseModel]) -> str:
    return ",".join(map(json_text, models))


def json_text(model: BaseModel) -> str:
    """The model as JSON, the models in its lists one by one.

    For a thread: Pydantic's own `json` is one long step of compiled code, which no other thread
    can interrupt; this is many short ones.
    """
    plain: dict[str, Any] = {}
    lists = []
    for name, field in model.__fields__.items():
        value = getattr(model, name)
        if isinstance(value, list) and value and isinstance(value[0], BaseModel):
            lists.append(f"{json.dumps(field.alias)}:[{_joined(value)}]")
        else:
            plain[field.alias] = value
    text = json.dumps(plain, default=pydantic_encoder, separators=(",", ":"))
    parts = [text[1:-1]] if plain else []
    return f"{{{','.join([*parts, *lists])}}}"


# ---- errors ----------------------------------------------------------------------------------

PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "Bad input; the sentence names the field"},
    401: {"model": Problem, "description": "Not logged in, or an unknown key"},
    403: {"model": Problem, "description": "Not an admin, or only the super user may"},
    404: {"model": Problem, "description": "There is nothing with this id"},
    409: {"model": Problem, "description": "Conflicts with the present state"},
    502: {"model": Problem, "description": "The ATM's side failed"},
    503: {"model": Problem, "description": "LNbits' own database failed"},
    "4XX": {"model": Problem, "description": "Refused; the sentence says why"},
}


async def distributions_of(payments: list[Payment]) -> list[DistributionOut]:
    names = await crud_clients.usernames(p.client_id for p in payments)
    sales = await crud_sales.sales_of([p.transaction_id for p in payments])
    return [
        # A dry run's transaction, a cash-out, is not stored.
        DistributionOut.of(
            p,
            names.get(p.client_id),
            sales[p.transaction_id]["direction"] if p.transaction_id in sales else "cash_out",
        )
        for p in payments
    ]

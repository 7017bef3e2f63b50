"""REST of what a client wants to hear of, and of the goal that they save for."""

from datetime import date
from typing import Any

from fastapi import Request

from .. import crud_clients
from ..helpers import fiat_text, known_currency, now
from ..models import AuditEntry, positive_minor_units
from ..models_clients import Client
from ..rest import check_member, router_for
from ..telling import wishes
from ..telling.models import Goal, GoalIn, Notices, NoticesIn, Wishes
from .views_me import Asking, Own

satmachineclient_wishes = router_for(check_member)


@satmachineclient_wishes.get("/me/notices")
async def read_notices(client: Own) -> Notices:
    return Notices(**(await wishes.of_client(client.id)).dict())


@satmachineclient_wishes.put("/me/notices")
async def save_notices(data: NoticesIn, client: Own, member: Asking) -> Notices:
    """What is left out stays; who is told by which way is set in LNbits' own account settings."""
    before = await wishes.of_client(client.id)
    changes = {name: value for name, value in data.dict().items() if value is not None}
    after = before.copy(update=changes)
    audit = AuditEntry.of(
        member.user_id, "notices saved", client.id, Notices(**before.dict()), data
    )
    await wishes.save(after, audit)
    return Notices(**after.dict())


@satmachineclient_wishes.get("/me/goal")
async def read_goal(client: Own) -> Goal:
    return await _goal(client, await wishes.of_client(client.id))


@satmachineclient_wishes.put("/me/goal")
async def save_goal(data: GoalIn, request: Request, client: Own, member: Asking) -> Goal:
    """So many sats, or so much cash turned into sats, by a day; `{}` takes the goal away."""
    before = await wishes.of_client(client.id)
    after = before.copy(update={**_target(data), "goal_reached_at": None})
    audit = AuditEntry.of(member.user_id, "goal saved", client.id, None, data)
    await wishes.save(after, audit)
    return await _goal(client, after)


def _target(data: GoalIn) -> dict[str, Any]:
    if data.sats and data.fiat is not None:
        raise ValueError("fiat: name sats or fiat, not both")
    if data.fiat is not None and not data.currency:
        raise ValueError("currency: needed with fiat")
    if data.by and data.by <= now().date():
        raise ValueError("by: has to be a day to come")
    currency = known_currency(data.currency) if data.currency else None
    fiat = None
    if data.fiat is not None and currency:
        fiat = positive_minor_units("fiat", data.fiat, currency)
    return {
        "goal_sats": data.sats,
        "goal_fiat": fiat,
        "goal_currency": currency if fiat else None,
        "goal_by": data.by.isoformat() if data.by and (data.sats or fiat) else None,
    }


async def _goal(client: Client, wish: Wishes) -> Goal:
    """Progress is what was paid so far; `percent` of the goal, rounded down, at most 100."""
    paid = (await crud_clients.get_paid([client.id])).get(client.id, {})
    sats = sum(each for each, _ in paid.values())
    currency = wish.goal_currency
    fiat = paid.get(currency, (0, 0))[1] if currency else 0
    target, reached = (wish.goal_sats, sats) if wish.goal_sats else (wish.goal_fiat, fiat)
    return Goal(
        sats=wish.goal_sats,
        fiat=fiat_text(wish.goal_fiat, currency) if wish.goal_fiat and currency else None,
        currency=currency,
        by=date.fromisoformat(wish.goal_by) if wish.goal_by else None,
        reached_sats=sats,
        reached_fiat=fiat_text(fiat, currency) if currency else None,
        percent=min(100, reached * 100 // target) if target else None,
        per_day=_pace(wish, target, reached, currency),
        reached_at=wish.goal_reached_at,
    )


def _pace(wish: Wishes, target: int | None, reached: int, currency: str | None) -> str | None:
    """What each day up to the goal's has to bring, in sats or fiat, rounded up."""
    if not target or not wish.goal_by or reached >= target:
        return None
    days = (date.fromisoformat(wish.goal_by) - now().date()).days
    if days <= 0:
        return None
    each = -(-(target - reached) // days)
    return str(each) if wish.goal_sats or not currency else fiat_text(each, currency)

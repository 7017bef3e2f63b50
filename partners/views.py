"""REST of the partners: the operator's side, and each partner's own."""

import asyncio
from datetime import date
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Query, Response
from fastapi.exceptions import HTTPException

from .. import crud_sales
from ..models_sales import Transaction
from ..reports import files
from ..rest import Member, Operator, check_member, check_operator, found, router_for
from . import changes, crud, figures
from .models import (
    CommissionPart,
    CreatePartner,
    Partner,
    PartnerMe,
    PartnerOut,
    PartnerStatement,
    Totals,
    UpdatePartner,
)

satmachineclient_partners = router_for(check_operator)
satmachineclient_partner_me = router_for(check_member)


# ---- the operator's side ---------------------------------------------------------------------


@satmachineclient_partners.get("/partners")
async def list_partners() -> list[PartnerOut]:
    totals = await crud.totals()
    return [PartnerOut.of(p, totals.get(p.id, Totals())) for p in await crud.get_partners()]


@satmachineclient_partners.post("/partners", status_code=HTTPStatus.CREATED)
async def create_partner(data: CreatePartner, operator: Operator) -> PartnerOut:
    return PartnerOut.of(await changes.add(data, operator), Totals())


@satmachineclient_partners.put("/partners/{partner_id}")
async def update_partner(partner_id: str, data: UpdatePartner, operator: Operator) -> PartnerOut:
    partner: Partner = found(await crud.get_partner(partner_id), "partner")
    changed = await changes.change(partner, data, operator)
    return PartnerOut.of(changed, (await crud.totals()).get(partner_id, Totals()))


@satmachineclient_partners.get("/transactions/{transaction_id}/commission")
async def read_commission(transaction_id: str) -> list[CommissionPart]:
    """Whose the commission of this sale is; the operator's own part has no partner_id."""
    row: Transaction = found(await crud_sales.get_transaction(transaction_id), "transaction")
    return await figures.commission_of(row)


# ---- a partner's own side --------------------------------------------------------------------

Asking = Annotated[Member, Depends(check_member)]


async def _own(member: Asking) -> list[Partner]:
    """Those who have not ended first, then the newest; with a wallet's key that wallet's only."""
    rows = await crud.get_partners_of(member.user_id)
    own = [p for p in rows if member.wallet_id in (None, p.wallet_id)]
    return sorted(own, key=lambda partner: partner.status == "ended")


Own = Annotated[list[Partner], Depends(_own)]


async def own_partner(own: Own, partner_id: str | None = None) -> Partner:
    """The partnership of the one who asks: that with this id, else the first."""
    if partner_id is not None:
        of_this_id = [partner for partner in own if partner.id == partner_id]
        return found(of_this_id[0] if of_this_id else None, "partner of yours")  # type: ignore[no-any-return]
    if not own:
        raise HTTPException(HTTPStatus.NOT_FOUND, "No part of the commission is yours.")
    return own[0]


One = Annotated[Partner, Depends(own_partner)]


@satmachineclient_partner_me.get("/me/partner")
async def read_own(partner: One, own: Own) -> PartnerMe:
    return await figures.me(partner, own)


@satmachineclient_partner_me.get("/me/partner/statement", response_model=PartnerStatement)
async def read_own_statement(
    partner: One,
    begin: Annotated[date | None, Query(alias="from")] = None,
    end: Annotated[date | None, Query(alias="to")] = None,
    form: Annotated[files.Format, Query(alias="format")] = "json",
) -> Response:
    """The own part of each sale of these days."""
    statement = await figures.statement(partner, begin, end)
    if form == "json":
        content = await asyncio.to_thread(statement.json, by_alias=True)
        return Response(content, media_type=files.MEDIA_TYPES[form])
    content = await asyncio.to_thread(figures.as_csv, statement)
    name = f"satmachineclient-partner-{statement.begin}-{statement.end}.csv"
    return files.attachment(content, name, form)

"""Whose part of a sale's commission, and what one partner sees of their own."""

import asyncio
from collections import defaultdict
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

from ..configuration import config_or_defaults
from ..helpers import now
from ..machines.crud import names
from ..models_payouts import CommissionShare
from ..models_sales import Transaction
from ..reports import files
from . import crud
from .models import (
    CommissionPart,
    Month,
    OwnPartnership,
    Partner,
    PartnerMe,
    PartnerStatement,
    StatementLine,
    Totals,
    percent_text,
)


async def commission_of(row: Transaction) -> list[CommissionPart]:
    """The parts of a stored sale's commission, the partners' and the operator's own."""
    transfer = row.commission_transfer_id
    paid_by = await crud.hash_of_transfer(transfer) if transfer else None
    return await parts(row, await crud.shares_of(row.id), paid_by)


async def parts(
    row: Transaction, shares: list[CommissionShare], own_hash: str | None = None
) -> list[CommissionPart]:
    """They add up to the sale's commission; the operator's own comes last."""
    called = {partner.id: partner.name for partner in await crud.get_partners()}
    found = [
        CommissionPart(
            partner_id=share.partner_id,
            name=called.get(share.partner_id),
            wallet_id=share.wallet_id,
            percent=percent_text(share.percent),
            amount_sats=share.amount_sats,
            status=share.status,
            payment_hash=share.payment_hash,
            error=share.error,
        )
        for share in shares
    ]
    given = sum((share.percent for share in shares), Decimal(0))
    own = CommissionPart(
        partner_id=None,
        name=None,
        wallet_id=row.commission_wallet_id,
        percent=percent_text(100 - given),
        amount_sats=row.commission_amount_sats - sum(share.amount_sats for share in shares),
        status=row.commission_status,
        payment_hash=own_hash,
        error=row.payout_error if row.commission_status == "pending" else None,
    )
    return [*found, own]


# ---- a partner's own side --------------------------------------------------------------------


async def me(partner: Partner, own: list[Partner]) -> PartnerMe:
    """`own`: all partnerships of the one who asks."""
    zone = ZoneInfo((await config_or_defaults()).timezone)
    called = await names()
    totals = (await crud.totals()).get(partner.id, Totals())
    return PartnerMe(
        **partner.dict(include={"id", "name", "wallet_id", "status", "valid_from"}),
        percent=percent_text(partner.percent),
        device_names=[called.get(device_id, device_id) for device_id in partner.device_ids],
        **totals.dict(),
        months=await _months(partner.id, zone),
        timezone=zone.key,
        partners=[OwnPartnership(id=p.id, name=p.name, status=p.status) for p in own],
    )


async def _months(partner_id: str, zone: ZoneInfo) -> list[Month]:
    """Newest first."""
    sats: dict[str, int] = defaultdict(int)
    sales: dict[str, int] = defaultdict(int)
    for row in await crud.by_quarter(partner_id):
        moment = datetime.fromtimestamp(row["quarter"] * crud.QUARTER_SECONDS, timezone.utc)
        month = moment.astimezone(zone).strftime("%Y-%m")
        sats[month] += row["sats"]
        sales[month] += row["sales"]
    return [
        Month(month=month, sats=sats[month], sales=sales[month])
        for month in sorted(sats, reverse=True)
    ]


async def statement(partner: Partner, begin: date | None, end: date | None) -> PartnerStatement:
    """The parts of the sales of these days; of this month so far without them.

    Raises:
        ValueError: the period ends before it begins.
    """
    zone = ZoneInfo((await config_or_defaults()).timezone)
    end = end or now().astimezone(zone).date()
    begin = begin or end.replace(day=1)
    if end < begin:
        raise ValueError("to: is before from")
    if begin < date(2009, 1, 3) or end > date(9000, 1, 1):
        raise ValueError("from: there was no bitcoin before 2009-01-03")
    shares = await crud.shares_within(
        partner.id, _midnight(begin, zone), _midnight(end + timedelta(days=1), zone)
    )
    lines = await asyncio.to_thread(lambda: [_line(share) for share in shares])
    return PartnerStatement(
        partner_id=partner.id,
        name=partner.name,
        begin=begin,
        end=end,
        timezone=zone.key,
        generated_at=now(),
        lines=lines,
        total_sats=sum(s.amount_sats for s in shares if s.status == "confirmed"),
        pending_sats=sum(s.amount_sats for s in shares if s.status != "confirmed"),
    )


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(timezone.utc)


def _line(share: crud.SharedSale) -> StatementLine:
    fields = share.dict(include={*StatementLine.__fields__})
    return StatementLine(**{**fields, "percent": percent_text(share.percent)})


def as_csv(of: PartnerStatement) -> str:
    return files.csv_of([*StatementLine.__fields__], (line.dict() for line in of.lines))

"""All clients' cash in one currency: what is left of it, and how long it lasts."""

from collections.abc import Iterable
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from ..database import Row, moment_of, reading
from ..helpers import day_of, fiat_text, now, start_of
from . import crud

DAYS = 30


class Pool(BaseModel):
    """All clients' cash in one currency; `days_left` at the pace of the last 30 days."""

    currency: str
    remaining: str
    total_deposits: str
    pending_deposits: str
    clients: int
    per_day: str | None
    days_left: int | None


async def read(zone: ZoneInfo) -> list[Pool]:
    """Each currency's, as of now."""
    async with reading():
        return await of(await crud.deposits_by_currency(), day_of(now(), zone), zone)


async def of(deposits: Iterable[Row], today: date, zone: ZoneInfo) -> list[Pool]:
    """Of these sums by currency.

    The pace is that since the day in this zone on which anything went out, of the last 30.
    """
    begin, end = today - timedelta(days=DAYS - 1), today + timedelta(days=1)
    gone = await crud.gone_by_currency(start_of(begin, zone), start_of(end, zone))
    lately = {row["currency"]: row for row in gone}
    return [_pool(row, lately.get(row["currency"]), today, zone) for row in deposits]


def _pool(row: Row, gone: Row | None, today: date, zone: ZoneInfo) -> Pool:
    currency = row["currency"]
    remaining, taken, days = row["confirmed"] - row["allocated"], 0, 0
    if gone:
        taken, first = gone["amount"], moment_of(gone["first"])
        days = (today - day_of(first, zone)).days + 1
    return Pool(
        currency=currency,
        remaining=fiat_text(remaining, currency),
        total_deposits=fiat_text(row["confirmed"], currency),
        pending_deposits=fiat_text(row["pending"], currency),
        clients=row["clients"],
        per_day=fiat_text(taken // days, currency) if taken else None,
        days_left=max(remaining, 0) * days // taken if taken else None,
    )

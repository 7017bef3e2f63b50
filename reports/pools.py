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
    today = day_of(now(), zone)
    async with reading():
        deposits = await crud.deposits_by_currency()
        gone = await crud.gone_by_currency(start_of(today - timedelta(days=DAYS - 1), zone))
    return of(deposits, gone, today, zone)


def of(deposits: Iterable[Row], gone: Iterable[Row], today: date, zone: ZoneInfo) -> list[Pool]:
    """From what was put in and what went out of late, by currency.

    The pace is that since the day in this zone on which anything first went out.
    """
    lately = {row["currency"]: row for row in gone}
    return [_pool(row, lately.get(row["currency"]), today, zone) for row in deposits]


def _pool(row: Row, gone: Row | None, today: date, zone: ZoneInfo) -> Pool:
    currency = row["currency"]
    remaining, taken, days = row["confirmed"] - row["allocated"], 0, 0
    if gone:
        taken, first = gone["amount"], moment_of(gone["first"])
        days = max((today - day_of(first, zone)).days, 0) + 1  # the ATM's clock may be ahead
    return Pool(
        currency=currency,
        remaining=fiat_text(remaining, currency),
        total_deposits=fiat_text(row["confirmed"], currency),
        pending_deposits=fiat_text(row["pending"], currency),
        clients=row["clients"],
        per_day=fiat_text(taken // days, currency) if taken else None,
        days_left=max(remaining, 0) * days // taken if taken else None,
    )

"""The months of which a client has a statement: they are ready when a month has ended."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from ..configuration import config_or_defaults
from ..database import moment_of
from ..helpers import day_of, now
from ..models import Out
from ..models_clients import Client
from . import crud
from .statements import number_of


class StatementMonth(Out):
    """`begin` and `end` are its first and its last day, in the operator's zone."""

    month: str
    begin: date
    end: date
    number: str

    class Config:
        fields = {"begin": "from", "end": "to"}
        allow_population_by_field_name = True


async def of_client(client: Client) -> list[StatementMonth]:
    """From the month of the first entry to the one before this, newest first.

    Of who has left, to the month of the last entry.
    """
    zone = ZoneInfo((await config_or_defaults()).timezone)
    moved = await crud.first_and_last_move(client.id)
    if moved is None:
        return []
    first, last = (_month_of(moment, zone) for moment in moved)
    month = _before(_month_of(now(), zone))
    if client.status == "closed":
        month = min(month, last)
    found = []
    while month >= first:
        end = _after(month) - timedelta(days=1)
        found.append(
            StatementMonth(
                month=month.isoformat()[:7],
                begin=month,
                end=end,
                number=number_of(client.id, month, end),
            )
        )
        month = _before(month)
    return found


def _month_of(moment: datetime | float, zone: ZoneInfo) -> date:
    """Its first day."""
    return day_of(moment_of(moment), zone).replace(day=1)


def _before(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)


def _after(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)

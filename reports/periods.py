"""Periods of days and their months, in the operator's time zone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from ..configuration import config_or_defaults
from ..helpers import day_of, now, start_of

LONGEST_YEARS = 10
_FIRST = date(2009, 1, 3)


@dataclass(frozen=True)
class Month:
    """The part of a month that lies in a period: its moments, and when the month itself ends."""

    name: str
    begin: datetime
    end: datetime
    last_moment: datetime


@dataclass(frozen=True)
class Period:
    """The days from `first` to `last`, both included."""

    first: date
    last: date
    zone: ZoneInfo

    @property
    def begin(self) -> datetime:
        return start_of(self.first, self.zone)

    @property
    def end(self) -> datetime:
        """The moment after its last day."""
        return start_of(self.last + timedelta(days=1), self.zone)

    def months(self) -> Iterator[Month]:
        """In their order; the first and the last may be parts of one."""
        day = self.first
        while day <= self.last:
            following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
            yield Month(
                day.strftime("%Y-%m"),
                start_of(day, self.zone),
                min(start_of(following, self.zone), self.end),
                start_of(following, self.zone),
            )
            day = following


async def period_of(first: date | None, last: date | None) -> Period:
    """Without days this month so far.

    Raises:
        ValueError: the period makes no sense; named is the field.
    """
    zone = ZoneInfo((await config_or_defaults()).timezone)
    today = day_of(now(), zone)
    last = last or (today if first is None or first <= today else first)
    first = first or last.replace(day=1)
    if first < _FIRST:
        raise ValueError(f"from: there was no bitcoin before {_FIRST}")
    if first > today:
        raise ValueError(f"from: lies in the future; today is {today} ({zone.key})")
    if last < first:
        raise ValueError("to: is before from")
    if (last - first).days > 366 * LONGEST_YEARS:
        raise ValueError(f"to: a period is at most {LONGEST_YEARS} years long")
    return Period(first, last, zone)

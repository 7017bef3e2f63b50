"""When payouts are due: each scheduled moment begins one run, whatever the clocks do."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from satmachineclient import configuration
from satmachineclient.models_config import LamassuConfig
from satmachineclient.paying import schedule

ZONES = ["UTC", "America/Guatemala", "Europe/Berlin", "Pacific/Kiritimati", "Australia/Lord_Howe"]
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(timezone.utc))
HOURS = st.times().map(lambda time: f"{time:%H:%M}")


def config(**fields: object) -> LamassuConfig:
    return configuration.defaults().copy(update=fields)


CONFIGS = st.builds(
    config,
    payout_schedule=st.sampled_from(["daily", "weekly"]),
    payout_time=HOURS,
    payout_weekday=st.integers(0, 6),
    timezone=st.sampled_from(ZONES),
)


@given(CONFIGS, MOMENTS)
def test_the_last_and_the_next_moment_enclose_any_time(made: LamassuConfig, at: datetime) -> None:
    last, following = configuration.last_payout(made, at), configuration.next_payout(made, at)
    assert last and following
    assert last <= at < following
    days = 1 if made.payout_schedule == "daily" else 7
    # A day has 23 to 25 hours where clocks are changed.
    assert abs(following - last - timedelta(days=days)) <= timedelta(hours=1)
    local = last.astimezone(ZoneInfo(made.timezone))
    if made.payout_schedule == "weekly":
        assert local.weekday() == made.payout_weekday
    assert configuration.next_payout(made, last - timedelta(microseconds=1)) == last


@given(CONFIGS, st.lists(MOMENTS, min_size=1, max_size=30))
def test_each_moment_begins_one_run_and_none_is_left_out(
    made: LamassuConfig, looks: list[datetime]
) -> None:
    """Looked at at any times, by any number of servers, down as long as may be."""
    runs = []
    for at in sorted(looks):
        until = configuration.due_until(made, at)
        if until != made.payouts_due_until:
            runs.append(at)
        made = made.copy(update={"payouts_due_until": until})
        last = configuration.last_payout(made, at)
        assert last and last <= until <= at
    for before, after in pairwise(runs):
        moment = configuration.last_payout(made, after)
        assert moment and before < moment <= after


@given(CONFIGS, MOMENTS, st.timedeltas(timedelta(seconds=1), timedelta(days=4000)))
def test_a_clock_that_jumps_back_begins_no_second_wait(
    made: LamassuConfig, at: datetime, ahead: timedelta
) -> None:
    made = made.copy(update={"payouts_due_until": at + ahead})
    assert configuration.due_until(made, at) == at


def test_each_poll_has_no_moments() -> None:
    at = datetime(2026, 5, 1, tzinfo=timezone.utc)
    made = config(payout_schedule="each_poll")
    assert configuration.last_payout(made, at) is configuration.next_payout(made, at) is None
    assert not configuration.payouts_begin(made, at)


@pytest.mark.parametrize(
    ("zone", "hour", "day", "expected"),
    [
        # Clocks went from 02:00 to 03:00: an hour that does not exist is taken an hour later.
        ("Europe/Berlin", "02:30", (2026, 3, 29), "2026-03-29T01:30:00+00:00"),
        # Clocks went from 03:00 back to 02:00: the first of the two.
        ("Europe/Berlin", "02:30", (2026, 10, 25), "2026-10-25T00:30:00+00:00"),
        ("Pacific/Kiritimati", "09:00", (2026, 5, 1), "2026-04-30T19:00:00+00:00"),
    ],
)
def test_hours_that_do_not_exist_or_come_twice(
    zone: str, hour: str, day: tuple[int, int, int], expected: str
) -> None:
    made = config(payout_schedule="daily", payout_time=hour, timezone=zone)
    noon = datetime(*day, 12, tzinfo=ZoneInfo(zone)).astimezone(timezone.utc)
    assert configuration.last_payout(made, noon) == datetime.fromisoformat(expected)


@dataclass(frozen=True)
class Owed:
    client_id: str
    amount_sats: int
    in_full: bool
    payout_min_sats: int


@given(
    st.lists(
        st.builds(
            Owed,
            client_id=st.sampled_from("abc"),
            amount_sats=st.integers(1, 1000),
            in_full=st.booleans(),
            payout_min_sats=st.just(0),
        )
    ),
    st.one_of(st.none(), st.integers(1, 3000)),
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 3000)),
)
def test_a_client_is_paid_all_or_nothing(
    shares: list[Owed], smallest: int | None, own: dict[str, int]
) -> None:
    shares = [Owed(s.client_id, s.amount_sats, s.in_full, own.get(s.client_id, 0)) for s in shares]
    paid = schedule.worth_paying(shares, smallest)
    for client_id in "abc":
        of_client = [share for share in shares if share.client_id == client_id]
        enough = sum(s.amount_sats for s in of_client) >= max(smallest or 0, own.get(client_id, 0))
        whole = enough or any(share.in_full for share in of_client)
        assert [s for s in paid if s.client_id == client_id] == (of_client if whole else [])

"""A sale's day is that of the present time zone, for limits, statements, overview and exports."""

from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st
from satmachineclient.helpers import day_of, start_of

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account
from demo.sales import Sale
from tests.rig import API, Configure, MakeClient, Poll

zones = st.sampled_from(sorted(available_timezones())).map(ZoneInfo)
dates = st.dates(date(2009, 1, 3), date(2040, 1, 1))


@given(dates, zones)
def test_a_day_begins_where_the_one_before_ends(day: date, zone: ZoneInfo) -> None:
    begin, end = start_of(day, zone), start_of(day + timedelta(days=1), zone)
    if begin < end:  # else the zone has left this day out, as Samoa did in 2011
        assert day_of(begin, zone) == day_of(end - timedelta(seconds=1), zone) == day
    assert day_of(begin - timedelta(seconds=1), zone) < day


@given(st.datetimes(datetime(2009, 1, 3), datetime(2040, 1, 1)), zones)
def test_a_moment_is_within_its_day(moment: datetime, zone: ZoneInfo) -> None:
    moment = moment.replace(tzinfo=timezone.utc)
    day = day_of(moment, zone)
    assert start_of(day, zone) <= moment < start_of(day + timedelta(days=1), zone)


# ---- after the time zone was changed ---------------------------------------------------------

FAR_EAST, FAR_WEST = "Pacific/Kiritimati", "Etc/GMT+12"


async def move_to(admin: Account, body: dict[str, Any], zone: str) -> None:
    await admin.call("POST", f"{API}/config", {**body, "timezone": zone})


def lasting(zone: str, other: str) -> datetime:
    """A recent moment that has different dates in the two zones."""
    noon = datetime.combine(datetime.now(timezone.utc).date(), time(11, 30), timezone.utc)
    moment = noon - timedelta(days=1)
    assert day_of(moment, ZoneInfo(zone)) != day_of(moment, ZoneInfo(other))
    return moment


@pytest.mark.storage
@pytest.mark.parametrize("zones", [(FAR_EAST, FAR_WEST), (FAR_WEST, FAR_EAST)])
async def test_a_changed_time_zone_does_not_pay_a_days_limit_twice(
    zones: tuple[str, str],
    configure: Configure,
    make_client: MakeClient,
    admin: Account,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    setup = await configure(timezone=zones[0])
    fixed: dict[str, Any] = {
        "dca_mode": "fixed",
        "currency": "GTQ",
        "fixed_mode_daily_limit": "100.00",
    }
    client = await make_client(deposits={"GTQ": "1000.00"}, **fixed)
    await lamassu.insert(Sale(created=datetime.now(timezone.utc), fiat=Decimal(100)))
    await poll()
    await move_to(admin, setup.body, zones[1])
    await lamassu.insert(Sale(created=datetime.now(timezone.utc), fiat=Decimal(100)))
    await poll()

    (left,) = (await admin.call("GET", f"{API}/clients/{client.id}/balance"))["balances"]
    assert left["total_distributed"] == "100.00"


@pytest.mark.storage
@pytest.mark.parametrize("zones", [(FAR_EAST, FAR_WEST), (FAR_WEST, FAR_EAST)])
async def test_after_a_change_of_the_zone_everything_tells_one_day(
    zones: tuple[str, str],
    configure: Configure,
    make_client: MakeClient,
    admin: Account,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    setup = await configure(timezone=zones[0])
    client = await make_client(deposits={"GTQ": "100.00"})
    moment = lasting(*zones)
    await _backdate(moment - timedelta(seconds=60))
    await lamassu.insert(Sale(created=moment, fiat=Decimal(100), cash_at=moment))
    await poll()
    await move_to(admin, setup.body, zones[1])
    day = day_of(moment, ZoneInfo(zones[1]))

    for back in range(-2, 3):
        on = day + timedelta(days=back)
        path = f"{API}/clients/{client.id}/statement?from={on}&to={on}"
        parts = (await admin.call("GET", path))["currencies"]
        balances = [p[name] for p in parts for name in ("opening_balance", "closing_balance")]
        assert not [b for b in balances if b.startswith("-")]
        bought = [p["amount_fiat"] for part in parts for p in part["purchases"]]
        assert bought == (["100.00"] if on == day else [])
    series = (await admin.call("GET", f"{API}/overview"))["series"]
    assert [d for d, sats in zip(series["days"], series["sats"], strict=True) if sats] == [str(day)]
    history = await admin.call("GET", f"{API}/clients/{client.id}/history")
    told = zip(history["days"], history["sats"], strict=True)
    assert [d for d, sats in told if sats] == [str(day)]
    (row,) = await admin.call("GET", f"{API}/export/distributions?format=json")
    assert row["day"] == str(day)


async def _backdate(moment: datetime) -> None:
    """The client and their deposit were there before this moment."""
    from satmachineclient.database import ledger

    async with ledger() as work:
        for table, column in (("dca_client_terms", "valid_from"), ("dca_deposits", "confirmed_at")):
            await work.execute(
                f"UPDATE satmachineclient.{table} SET {column} = :moment",  # noqa: S608
                moment=moment,
            )

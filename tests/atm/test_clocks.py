"""Sale times are put on our clock, and a row held only for its time is looked at again."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from satmachineclient.atm import lamassu as atm

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account
from demo.sales import Sale
from tests.lamassu_rig import now, read, target_at
from tests.rig import API, Configure, MakeClient, Poll

HOURS = [-48, -2, 2, 48]
SetClock = Callable[[timedelta], None]


def _set_clock(monkeypatch: pytest.MonkeyPatch, module: Any, by: timedelta) -> None:
    def shifted() -> datetime:
        return datetime.now(timezone.utc) + by

    if isinstance(module, str):
        monkeypatch.setattr(f"{module}.now", shifted)
    else:
        monkeypatch.setattr(module, "now", shifted)


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """Let our clock be ahead of the ATM's by so much."""

    def be_ahead(by: timedelta) -> None:
        for module in (atm, "satmachineclient.atm.lamassu"):  # LNbits has imported it anew
            _set_clock(monkeypatch, module, by)

    return be_ahead


@pytest.mark.parametrize("hours", HOURS)
async def test_a_sale_is_good_whatever_the_two_clocks_say(
    hours: int, lamassu: LamassuDatabase, set_clock: SetClock
) -> None:
    sale = Sale(created=now())
    died = Sale(created=now(), cash="machine_died")
    await lamassu.insert(sale, died)
    set_clock(timedelta(hours=hours))
    seen = await read(target_at(lamassu))
    row = seen[str(sale.id)]
    assert (row.state, row.reason) == ("good", None)
    off = row.time - timedelta(hours=hours) - sale.dispensed_at
    assert abs(off) < timedelta(seconds=2)
    assert row.facts["clock_offset_seconds"] == -hours * 3600
    assert seen[str(died.id)].state == "waiting"


async def test_noise_between_two_clocks_changes_no_time(
    lamassu: LamassuDatabase, set_clock: SetClock
) -> None:
    sale = Sale(created=now() - timedelta(minutes=1))
    await lamassu.insert(sale)
    set_clock(timedelta(seconds=2))
    (row,) = (await read(target_at(lamassu))).values()
    assert row.time == sale.dispensed_at and "clock_offset_seconds" not in row.facts


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "and this one agree"),
        (-30, "The ATM server's clock is 30 s ahead; the times of sales are put on this clock"),
        (7200, "WARNING: the ATM server's clock is 7200 s behind: set both by NTP"),
    ],
)
async def test_the_connection_test_shows_the_offset(
    seconds: int,
    told: str,
    admin: Account,
    configure: Configure,
    set_clock: SetClock,
) -> None:
    await configure()
    set_clock(timedelta(seconds=seconds))
    answer = await admin.call("POST", f"{API}/test-connection")
    detail = {step["name"]: step["detail"] for step in answer["steps"]}["clock"]
    assert answer["success"] and told in detail


# ---- a time that cannot be -------------------------------------------------------------------


async def held(
    lamassu: LamassuDatabase, poll: Poll, monkeypatch: pytest.MonkeyPatch
) -> tuple[Sale, timedelta]:
    """A sale that was read while its time was two days in the future, by a wrong clock of ours."""
    sale = Sale(created=now() - timedelta(minutes=1))
    await lamassu.insert(sale)
    by = timedelta(days=2)

    async def as_in_the_past(*args: Any) -> timedelta:
        return timedelta(0)

    with monkeypatch.context() as patched:
        # As it was before the clocks were compared: the ATM's times against ours of then.
        patched.setattr("satmachineclient.atm.lamassu.clock_offset", as_in_the_past)
        _set_clock(patched, "satmachineclient.atm.lamassu", -by)
        assert (await poll())["reviews"] == 1
    return sale, by


@pytest.mark.storage
async def test_a_sale_held_for_its_time_is_planned_once_the_clock_is_right(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    poll: Poll,
    lamassu: LamassuDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await configure()
    await make_client(deposits={"GTQ": "1000.00"})
    sale, _ = await held(lamassu, poll, monkeypatch)
    results = [await poll() for _ in range(2)]
    assert [r["planned"] for r in results] == [1, 0]
    (row,) = await admin.call("GET", f"{API}/transactions")
    assert row["status"] == "settled"
    assert datetime.fromisoformat(row["transaction_time"]) == sale.dispensed_at


@pytest.mark.storage
async def test_a_person_books_it_on_the_right_day(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    poll: Poll,
    lamassu: LamassuDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await configure()
    await make_client(deposits={"GTQ": "1000.00"})
    sale, by = await held(lamassu, poll, monkeypatch)
    (row,) = await admin.call("GET", f"{API}/transactions")
    assert datetime.fromisoformat(row["transaction_time"]) < now() - by / 2

    done = await admin.call("POST", f"{API}/transactions/{row['id']}/distribute", {})

    assert datetime.fromisoformat(done["transaction_time"]) == sale.dispensed_at

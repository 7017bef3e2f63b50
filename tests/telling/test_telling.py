"""Alerts begin once, are told once, and end once; letters arrive; monitors see what is wrong."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from prometheus_client.parser import text_string_to_metric_families

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account, Lnbits
from demo.sales import Sale
from tests.receiver import Receiver
from tests.rig import API, Configure, MakeClient, Poll, Setup

pytestmark = pytest.mark.storage

SECRET = "a shared secret"
ROOT = Path(__file__).parents[2]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    served = Receiver()
    await served.start()
    yield served
    await served.stop()


@pytest.fixture
async def told(
    admin: Account, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, ledger_clean: None
) -> Receiver:
    """The receiver, as the operator's webhook: LNbits allows private addresses for it."""
    from lnbits.settings import settings

    monkeypatch.setattr(settings, "lnbits_callback_allow_private_ips", True)
    monkeypatch.setattr(settings, "lnbits_callback_url_rules", [])
    body = {"webhook_url": receiver.url, "webhook_secret": SECRET}
    await admin.call("PUT", f"{API}/alerts/settings", body)
    return receiver


def recently() -> datetime:
    return datetime.now(timezone.utc)


async def look() -> None:
    from satmachineclient.telling import alerts, outbox

    await alerts.evaluate()
    while await outbox.deliver_due():
        pass


async def kinds(admin: Account) -> set[str]:
    alerts = await admin.call("GET", f"{API}/alerts")
    return {alert["kind"] for alert in alerts if alert["ended_at"] is None}


async def test_an_alert_begins_is_told_and_ends_once(
    admin: Account, configure: Configure, told: Receiver
) -> None:
    await configure(balance_sats=0)
    settings = {"source_wallet_below_sats": 1000}
    await admin.call("PUT", f"{API}/alerts/settings", settings)

    for _ in range(3):
        await look()
    assert [(m["kind"], m["state"]) for m in told.got] == [("source_wallet_low", "began")]
    assert "Top it up" in told.got[0]["text"] and "satmachineclient" in told.got[0]["text"]
    (alert,) = await admin.call("GET", f"{API}/alerts")
    assert alert["told_at"] and alert["ended_at"] is None

    await admin.call("PUT", f"{API}/alerts/settings", {"source_wallet_below_sats": 0})
    for _ in range(3):
        await look()
    assert [m["state"] for m in told.got] == ["began", "ended"]
    (alert,) = await admin.call("GET", f"{API}/alerts")
    assert alert["ended_at"]


async def test_two_servers_begin_an_alert_once(
    admin: Account, configure: Configure, told: Receiver
) -> None:
    from satmachineclient.telling import alerts, outbox

    await configure(balance_sats=0)
    await admin.call("PUT", f"{API}/alerts/settings", {"source_wallet_below_sats": 1000})
    await asyncio.gather(*(alerts.evaluate() for _ in range(5)))
    await asyncio.gather(*(outbox.deliver_due() for _ in range(5)))
    assert len(told.got) == 1


async def test_each_of_these_is_an_alert(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    plain_user: Account,
    lamassu: LamassuDatabase,
    poll: Poll,
    told: Receiver,
) -> None:
    from satmachineclient.database import ledger

    await configure(balance_sats=100, max_sats_per_transaction=1000)
    client = await make_client("one", {"GTQ": "1000.00"}, owner=admin)
    body = {"client_id": client.id, "amount": "5", "currency": "GTQ"}
    await admin.call("POST", f"{API}/deposits", body)
    await lamassu.insert(Sale(created=recently(), fiat=Decimal(500)))
    await poll()
    wallet = await plain_user.create_wallet("joins")
    registered = {"wallet_id": wallet.id, "username": "Joe", "dca_mode": "flow"}
    await plain_user.call("POST", f"{API}/registration", registered)
    long_ago = datetime.now(timezone.utc) - timedelta(hours=25)
    async with ledger() as work:
        await work.execute(
            "UPDATE satmachineclient.lamassu_transactions SET processed_at = :t", t=long_ago
        )
        await work.execute("UPDATE satmachineclient.dca_deposits SET created_at = :t", t=long_ago)
    await look()
    assert await kinds(admin) == {"sales_waiting", "deposit_unconfirmed", "client_pending"}
    about = {m["kind"]: m["text"] for m in told.got}
    assert "Joe wants to join" in about["client_pending"]


async def test_a_failed_poll_begins_an_alert_and_a_good_one_ends_it(
    admin: Account, configure: Configure, told: Receiver, poll: Poll
) -> None:
    await configure(port=1)
    await poll()
    assert await kinds(admin) == {"polls_failing"}
    await configure()
    await poll()
    assert await kinds(admin) == set()


@pytest.mark.parametrize("seconds", [-3600, 3600])
async def test_clocks_that_differ_are_an_alert_until_a_read_finds_them_alike(
    admin: Account,
    configured: Setup,
    told: Receiver,
    poll: Poll,
    seconds: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from satmachineclient.atm import lamassu as atm

    with monkeypatch.context() as moved:
        moved.setattr(atm, "now", lambda: recently() - timedelta(seconds=seconds))
        await poll()
    (alert,) = await admin.call("GET", f"{API}/alerts")
    assert (alert["kind"], alert["ended_at"], alert["tab"]) == ("clocks_differ", None, "polls")
    (sentence,) = alert["told"]
    assert sentence["code"] == ("clock_ahead" if seconds > 0 else "clock_behind")
    assert sentence["values"] == {"seconds": "3600"}
    (stored,) = await admin.call("GET", f"{API}/polls")
    assert stored["clock_offset_seconds"] == seconds
    await admin.call("POST", f"{API}/config", {**configured.body, "port": 1})
    await poll()  # says nothing of the clock
    assert "clocks_differ" in await kinds(admin)
    await admin.call("POST", f"{API}/config", configured.body)
    await poll()
    assert await kinds(admin) == set()


async def test_the_balance_is_asked_for_only_where_it_matters(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """LNbits adds it up over all payments of the wallet, each time."""
    from satmachineclient.crud_lnbits import get_wallet
    from satmachineclient.reports import source
    from satmachineclient.telling import alerts

    asked: list[str] = []

    async def noted(wallet_id: str) -> Any:
        asked.append(wallet_id)
        return await get_wallet(wallet_id)

    monkeypatch.setattr(source, "get_wallet", noted)
    setup = await configure(balance_sats=0)
    await poll()
    assert not asked
    await admin.call("PUT", f"{API}/alerts/settings", {"source_wallet_below_sats": 1})
    await alerts.evaluate()
    assert asked == [setup.source.id]
    assert await kinds(admin) == {"source_wallet_low"}
    await admin.call("PUT", f"{API}/alerts/settings", {"source_wallet_below_sats": 0})
    await alerts.evaluate()
    assert await kinds(admin) == set()
    await make_client(deposits={"GTQ": "2000.00"})
    await lamassu.insert(Sale(created=recently(), fiat=Decimal(1000)))
    await poll()
    assert "source_wallet_low" in await kinds(admin)  # what is owed, it cannot pay


async def test_the_look_of_one_server_does_not_undo_what_another_found_meanwhile(
    admin: Account, configure: Configure, told: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    from satmachineclient.reports import obstacles
    from satmachineclient.telling import alerts, rounds

    await configure(balance_sats=0)
    look = obstacles.look

    async def look_while_another_does() -> Any:
        found = await look()
        monkeypatch.setattr(obstacles, "look", look)
        await admin.call("PUT", f"{API}/alerts/settings", {"source_wallet_below_sats": 1000})
        await alerts.evaluate()
        return found

    monkeypatch.setattr(obstacles, "look", look_while_another_does)
    await alerts.evaluate()
    assert await kinds(admin) == {"source_wallet_low"}
    assert await rounds.look_once() is True
    assert [await rounds.look_once() for _ in range(3)] == [False] * 3


async def test_saving_the_settings_does_not_forget_that_the_digest_was_written(
    admin: Account, configured: Setup, told: Receiver
) -> None:
    from satmachineclient.telling import digest, outbox

    at = datetime(2026, 11, 20, 9, tzinfo=timezone.utc)
    await admin.call("PUT", f"{API}/alerts/settings", {"digest": "daily"})
    await asyncio.gather(*(digest.digest_if_due(at) for _ in range(3)))
    await admin.call("PUT", f"{API}/alerts/settings", {"waiting_hours": 5})
    await digest.digest_if_due(at)
    await outbox.deliver_due()
    assert [m["state"] for m in told.got] == ["digest"]


async def test_a_letter_is_signed_and_repeated_with_the_same_id_until_a_2xx(
    admin: Account, configure: Configure, told: Receiver
) -> None:
    from satmachineclient.database import ledger
    from satmachineclient.telling import alerts, outbox

    await configure(balance_sats=0)
    await admin.call("PUT", f"{API}/alerts/settings", {"source_wallet_below_sats": 1000})
    told.answers = [500, 302]
    await alerts.evaluate()
    for _ in range(3):
        await outbox.deliver_due()
        shown = await admin.call("GET", f"{API}/alerts/settings")
        async with ledger() as work:  # its pause is over
            await work.execute(
                "UPDATE satmachineclient.dca_outbox SET next_attempt_at = at "
                "WHERE next_attempt_at IS NOT NULL"
            )
        if not told.got:
            assert shown["letters_waiting"] == 1 and "answered" in shown["last_error"]
    (message,) = told.got
    assert set(message) == {"id", "kind", "state", "subject", "text", "at"}
    expected = hmac.new(SECRET.encode(), told.bodies[0], hashlib.sha256).hexdigest()
    assert told.headers[0]["x-signature"] == f"sha256={expected}"
    shown = await admin.call("GET", f"{API}/alerts/settings")
    assert shown["letters_waiting"] == 0 and shown["has_webhook_secret"] is True
    assert SECRET not in str(shown)


async def test_a_letter_that_nobody_takes_is_given_up_after_three_days_and_shown(
    admin: Account, configure: Configure, told: Receiver
) -> None:
    from satmachineclient.database import ledger
    from satmachineclient.telling import alerts, outbox

    await configure(balance_sats=0)
    await admin.call("PUT", f"{API}/alerts/settings", {"source_wallet_below_sats": 1000})
    await alerts.evaluate()
    long_ago = datetime.now(timezone.utc) - timedelta(days=3, hours=1)
    async with ledger() as work:
        await work.execute("UPDATE satmachineclient.dca_outbox SET at = :t", t=long_ago)
    told.answers = [500]
    await outbox.deliver_due()
    shown = await admin.call("GET", f"{API}/alerts/settings")
    assert (shown["letters_waiting"], shown["letters_given_up"]) == (0, 1)


async def test_a_slow_receiver_holds_up_neither_polls_nor_others(
    admin: Account, configure: Configure, told: Receiver, poll: Poll, monkeypatch: Any
) -> None:
    from satmachineclient.telling import alerts, outbox

    monkeypatch.setattr(outbox, "_TIMEOUT_SECONDS", 9.0)
    await configure(balance_sats=0)
    await admin.call("PUT", f"{API}/alerts/settings", {"source_wallet_below_sats": 1000})
    await alerts.evaluate()
    told.slow = 60
    delivering = asyncio.create_task(outbox.deliver_due())
    await asyncio.sleep(0.2)
    result = await asyncio.wait_for(poll(), 8)
    assert result["success"] is True
    await delivering
    shown = await admin.call("GET", f"{API}/alerts/settings")
    assert "did not answer" in shown["last_error"]


async def test_a_deaf_receiver_is_asked_once_in_a_round_however_much_waits(
    admin: Account, told: Receiver, ledger_clean: None
) -> None:
    from satmachineclient.database import ledger
    from satmachineclient.telling import crud_outbox, outbox
    from satmachineclient.telling.models import Letter

    at = datetime.now(timezone.utc)
    letters = [
        Letter(
            id=f"letter-{n:05}",
            channel="webhook",
            kind="x",
            state="event",
            subject="",
            text="t",
            at=at,
            next_attempt_at=at,
        )
        for n in range(10_000)
    ]
    async with ledger() as work:
        await crud_outbox.insert_letters(work, letters)
    told.answers = [500] * 3
    assert await outbox.deliver_due() == 2  # and one more, to know whether it is the receiver
    assert told.answers == []
    assert [await outbox.deliver_due() for _ in range(3)] == [0, 0, 0]


async def test_a_private_address_is_not_called_unless_lnbits_allows_it(
    admin: Account, receiver: Receiver, ledger_clean: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lnbits.settings import settings

    answer = await admin.put(f"{API}/alerts/settings", json={"webhook_url": receiver.url})
    assert answer.status_code == 400  # LNbits' own rules for the addresses of callbacks
    assert answer.json()["detail"].startswith("webhook_url: Callback URL origin")
    monkeypatch.setattr(settings, "lnbits_callback_url_rules", [])
    await admin.call("PUT", f"{API}/alerts/settings", {"webhook_url": receiver.url})
    answer = await admin.call("POST", f"{API}/alerts/test")
    assert "private address" in answer["webhook"] and receiver.got == []


BAD_SETTINGS: list[dict[str, Any]] = [
    {"webhook_url": "ftp://example.com"},
    {"webhook_url": "https://user:pw@example.com/"},
    {"webhook_url": "not a url"},
    {"webhook_url": 5},
    {"waiting_hours": 0},
    {"waiting_hours": 1.5},
    {"waiting_hours": None},
    {"cash_lasts_days": -1},
    {"digest": "hourly"},
    {"digest_hour": 24},
    {"source_wallet_below_sats": -1},
    {"source_wallet_below_sats": True},
    {"webhook_secret": "x" * 1001},
    {"webhook_events": "yes"},
    {"unknown": 1},
]


async def test_bad_settings_are_refused_and_change_nothing(
    admin: Account, ledger_clean: None, subtests: pytest.Subtests
) -> None:
    before = await admin.call("GET", f"{API}/alerts/settings")
    for body in BAD_SETTINGS:
        with subtests.test(body=body):
            answer = await admin.put(f"{API}/alerts/settings", json=body)
            assert answer.status_code == 400
            assert next(iter(body)) in answer.json()["detail"]
            assert await admin.call("GET", f"{API}/alerts/settings") == before


async def test_a_secret_is_not_sent_to_another_address_than_it_was_entered_for(
    admin: Account, told: Receiver
) -> None:
    other = Receiver()
    await other.start()
    saved = await admin.call("PUT", f"{API}/alerts/settings", {"webhook_url": other.url})
    assert saved["has_webhook_secret"] is False
    assert (await admin.call("POST", f"{API}/alerts/test"))["webhook"] == "The webhook answered."
    assert "x-signature" not in other.headers[0]
    await other.stop()


async def test_the_digest_comes_once_a_day_and_says_that_all_is_well(
    admin: Account, configured: Setup, told: Receiver
) -> None:
    from satmachineclient.telling import digest, outbox

    await admin.call("PUT", f"{API}/alerts/settings", {"digest": "daily", "digest_hour": 8})
    day = datetime(2026, 11, 20, tzinfo=timezone.utc)
    for hour in (7, 8, 9, 23):
        await digest.digest_if_due(day + timedelta(hours=hour))
        await outbox.deliver_due()
    assert [(m["state"], m["subject"]) for m in told.got] == [("digest", "2026-11-20")]
    assert "All is well." in told.got[0]["text"]
    await digest.digest_if_due(day + timedelta(days=1, hours=20))
    await outbox.deliver_due()
    assert len(told.got) == 2


async def test_a_digest_whose_time_came_while_lnbits_was_down_is_written_later(
    admin: Account, configured: Setup, told: Receiver
) -> None:
    """The first one comes at its time, and not for what was before somebody asked for it."""
    from satmachineclient.telling import digest, outbox

    await admin.call("PUT", f"{API}/alerts/settings", {"digest": "weekly", "digest_hour": 8})
    for day, hour in ((18, 9), (22, 23), (23, 7), (23, 8), (24, 1), (29, 5), (29, 6)):
        await digest.digest_if_due(datetime(2026, 11, day, hour, tzinfo=timezone.utc))
    await digest.digest_if_due(datetime(2026, 12, 2, 3, tzinfo=timezone.utc))  # a Wednesday
    await digest.digest_if_due(datetime(2026, 12, 6, 3, tzinfo=timezone.utc))
    await outbox.deliver_due()
    assert [m["subject"] for m in told.got] == ["2026-11-23", "2026-11-30"]


async def test_health_and_metrics_for_monitors(
    lnbits: Lnbits,
    admin: Account,
    configured: Setup,
    poll: Poll,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
) -> None:
    await make_client("one", {"GTQ": "100000.00"})
    await lamassu.insert(Sale(created=recently(), fiat=Decimal(500)))
    await poll()
    monitor = lnbits.anonymous({"X-Api-Key": configured.source.inkey})
    answer = await monitor.get(f"{API}/health")
    assert answer.status_code == 200, answer.text
    assert answer.json()["ok"] is True and answer.json()["problems"] == []

    text = (await monitor.get(f"{API}/metrics")).text
    found = list(text_string_to_metric_families(text))
    families = {f.name: f for f in found}
    assert len(families) == len(found)
    assert all(name.startswith("satmachineclient_") for name in families)
    paid = families["satmachineclient_paid_sats"].samples[0].value
    assert families["satmachineclient_paid_sats"].type == "counter" and paid > 0
    assert families["satmachineclient_polls"].type == "counter"

    figures = {s.name: s.value for f in families.values() for s in f.samples if not s.labels}
    assert figures["satmachineclient_sales_total"] == 1
    assert figures["satmachineclient_clock_offset_seconds"] == 0
    assert figures["satmachineclient_last_poll_seconds"] > 0
    for name, family in families.items():
        assert family.documentation, name
        if family.samples:
            assert (family.type == "counter") == family.samples[0].name.endswith("_total"), name
    named = (ROOT / "docs/api.md").read_text()
    assert all(name.removeprefix("satmachineclient_") in named for name in families)

    await admin.call("PUT", f"{API}/alerts/settings", {"source_wallet_below_sats": 10**12})
    await look()
    answer = await monitor.get(f"{API}/health")
    assert answer.status_code == 503
    assert answer.json()["problems"] == ["source_wallet_low"]
    stranger = await lnbits.anonymous().get(f"{API}/health")
    assert stranger.status_code == 401


async def test_counters_only_rise_whatever_is_taken_out_of_the_tables(
    admin: Account,
    configured: Setup,
    poll: Poll,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
) -> None:
    from satmachineclient.database import ledger

    async def counters() -> dict[str, float]:
        families = text_string_to_metric_families((await admin.get(f"{API}/metrics")).text)
        return {
            f"{sample.name} {sample.labels}": sample.value
            for family in families
            if family.type == "counter"
            for sample in family.samples
        }

    await make_client("one", {"GTQ": "100000.00"})
    await lamassu.insert(Sale(created=recently(), fiat=Decimal(500)))
    await poll()
    await poll()
    before = await counters()
    polls = "satmachineclient_polls_total {'status': 'succeeded'}"
    assert before[polls] == 2
    async with ledger() as work:
        await work.execute("DELETE FROM satmachineclient.lamassu_polls")
        await work.execute("UPDATE satmachineclient.dca_balances SET paid_sats = paid_sats - 500")
    assert await counters() == before
    await poll()
    after = await counters()
    assert after[polls] == 3
    assert all(after[name] >= value for name, value in before.items())


async def test_events_are_told_where_the_operator_wants_them(
    admin: Account,
    configured: Setup,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
    told: Receiver,
) -> None:
    await make_client("quiet", {"GTQ": "1.00"})
    await admin.call("PUT", f"{API}/alerts/settings", {"webhook_events": True})
    await make_client("one", {"GTQ": "1000.00"})
    await lamassu.insert(
        Sale(created=recently(), fiat=Decimal(500)), Sale(created=recently(), cash="partial")
    )
    await poll()
    await look()
    events = [m["kind"] for m in told.got if m["state"] == "event"]
    assert sorted(events) == ["deposit_confirmed", "sale_needs_person", "sale_settled"]


async def test_a_client_is_told_once_of_what_they_chose(
    admin: Account,
    plain_user: Account,
    configured: Setup,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from satmachineclient.telling import outbox, wishes

    heard: list[str] = []

    async def hear(telegram: Any, nostr: Any, addresses: Any, text: str, kind: str) -> None:
        heard.append(text)

    monkeypatch.setattr(outbox, "send_notification", hear)
    await make_client("one", {"GTQ": "520.00"})
    await plain_user.call("PUT", f"{API}/me/goal", {"sats": 1000})
    await lamassu.insert(Sale(created=recently(), fiat=Decimal(500)))  # of 500
    await poll()
    for _ in range(2):
        await wishes.tell_clients()
        while await outbox.deliver_due("client"):
            pass
    assert [text.split(":")[0].split(" is ")[0] for text in heard] == [
        "Your deposit of 520.00 GTQ",
        "Your cash in GTQ",
        "You have reached your savings goal of 1000 sats.",
    ]
    goal = await plain_user.call("GET", f"{API}/me/goal")
    assert goal["percent"] == 100 and goal["reached_at"]

    await plain_user.call("PUT", f"{API}/me/notices", {"statement_ready": False})
    next_month = datetime.now(timezone.utc) + timedelta(days=32)
    await wishes.tell_clients(next_month)
    await outbox.deliver_due("client")
    assert len(heard) == 3
    saved = await plain_user.call("GET", f"{API}/me/notices")
    assert saved["statement_ready"] is False and saved["cash_low"] is True


async def test_a_months_statement_is_told_once_and_not_before_the_operators_month_ends(
    configure: Configure, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from satmachineclient.telling import outbox, wishes

    heard: list[str] = []

    async def hear(telegram: Any, nostr: Any, addresses: Any, text: str, kind: str) -> None:
        heard.append(text)

    monkeypatch.setattr(outbox, "send_notification", hear)
    zone = ZoneInfo("America/Guatemala")  # six hours behind UTC, all the year
    await configure(timezone=zone.key)
    await make_client("one", {"GTQ": "520.00"})
    here = datetime.now(zone)
    following = (here.replace(day=1) + timedelta(days=32)).replace(day=1)
    turn = following.replace(hour=0, minute=0, second=0, microsecond=0)
    for moment in (turn - timedelta(minutes=1), turn, turn + timedelta(days=9)):
        await wishes.tell_clients(moment.astimezone(timezone.utc))
        while await outbox.deliver_due("client"):
            pass
        told = [text for text in heard if "statement" in text]
        assert len(told) == (moment >= turn)
    assert told == [f"Your statement of {here:%Y-%m} is ready under My DCA."]


BAD_GOALS: list[tuple[dict[str, Any], str]] = [
    ({"sats": 0}, "sats"),
    ({"sats": 1.5}, "sats"),
    ({"sats": 5, "fiat": "5", "currency": "GTQ"}, "fiat"),
    ({"fiat": "5"}, "currency"),
    ({"fiat": "5", "currency": "NIX"}, "NIX"),
    ({"fiat": "5.001", "currency": "GTQ"}, "fiat"),
    ({"sats": 5, "by": "2020-01-01"}, "by"),
    ({"sats": 5, "by": "soon"}, "by"),
]


async def test_a_goal_that_makes_no_sense_is_refused(
    plain_user: Account, configured: Setup, make_client: MakeClient, subtests: pytest.Subtests
) -> None:
    await make_client("one")
    for body, field in BAD_GOALS:
        with subtests.test(body=body, field=field):
            answer = await plain_user.put(f"{API}/me/goal", json=body)
            assert answer.status_code == 400
            assert field in answer.json()["detail"]

"""The webhook: the documented receiver, a deaf one, a slow one, and ten thousand letters."""

import asyncio
import re
import sys
import time
import tracemalloc
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
import pytest

from demo.lnbits_api import Account
from demo.processes import LOOPBACK, Child, free_port, wait_for_port
from tests.receiver import Receiver
from tests.rig import API

pytestmark = pytest.mark.storage

ROOT = Path(__file__).parents[2]
SECRET = "a shared secret"


@pytest.fixture
async def receiver(
    admin: Account, ledger_clean: None, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Receiver]:
    """The operator's webhook: LNbits allows private addresses for it."""
    allow_loopback(monkeypatch)
    served = Receiver()
    await served.start()
    await admin.call("PUT", f"{API}/alerts/settings", {"webhook_url": served.url})
    yield served
    await served.stop()


def allow_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    from lnbits.settings import settings

    monkeypatch.setattr(settings, "lnbits_callback_allow_private_ips", True)
    monkeypatch.setattr(settings, "lnbits_callback_url_rules", [])


class Clock:
    """The time of the outbox, which a test moves."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(timezone.utc) + self.ahead


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    from satmachineclient.telling import outbox

    made = Clock()
    monkeypatch.setattr(outbox, "now", made.now)
    return made


async def write(number: int, channel: str = "webhook", **fields: Any) -> None:
    """So many letters, one after the other."""
    from satmachineclient.database import ledger
    from satmachineclient.telling import crud_outbox
    from satmachineclient.telling.models import Letter

    begin = datetime.now(timezone.utc) - timedelta(seconds=1)
    letters = [
        Letter(
            id=f"{channel}-{n:05}",
            channel=channel,
            kind="sale_settled",
            state="event",
            subject=str(n),
            text="t",
            at=begin + timedelta(microseconds=n),
            next_attempt_at=begin,
            **fields,
        )
        for n in range(number)
    ]
    async with ledger() as work:
        await crud_outbox.insert_letters(work, letters)


async def waiting(admin: Account) -> int:
    shown = await admin.call("GET", f"{API}/alerts/settings")
    number: int = shown["letters_waiting"]
    return number


async def test_the_receiver_of_the_docs_takes_what_is_signed_once_and_nothing_else(
    admin: Account, ledger_clean: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from satmachineclient.telling import outbox

    allow_loopback(monkeypatch)
    docs = (ROOT / "docs/api.md").read_text()
    example = re.search(r"<!-- receiver -->\n```python\n(.*?)```", docs, re.DOTALL)
    assert example
    (tmp_path / "receiver.py").write_text(example[1])
    port, log = free_port(), tmp_path / "log"
    environment = {"WEBHOOK_SECRET": SECRET, "PORT": str(port)}
    child = Child(
        [sys.executable, tmp_path / "receiver.py"], log=log, cwd=tmp_path, env=environment
    )
    try:
        wait_for_port(LOOPBACK, port)
        url = f"http://{LOOPBACK}:{port}/"
        body = {"webhook_url": url, "webhook_secret": SECRET}
        await admin.call("PUT", f"{API}/alerts/settings", body)
        assert (await admin.call("POST", f"{API}/alerts/test"))["webhook"] == (
            "The webhook answered."
        )
        await write(2)
        assert await outbox.deliver_due("webhook") == 2
        body = {"webhook_url": url, "webhook_secret": "another"}
        await admin.call("PUT", f"{API}/alerts/settings", body)
        assert "403" in (await admin.call("POST", f"{API}/alerts/test"))["webhook"]
        signed = {"X-Signature": outbox.sign(b'{"id": "x"}', SECRET)}
        async with httpx.AsyncClient() as anybody:
            changed = await anybody.post(url, content=b'{"id": "y"}', headers=signed)
        assert changed.status_code == 403
    finally:
        child.stop()
    heard = [line for line in log.read_text().splitlines() if " event " in line or "test" in line]
    assert [line.split()[:3] for line in heard if "HTTP/" not in line] == [
        ["test", "test", "Sat"],
        ["sale_settled", "event", "0"],
        ["sale_settled", "event", "1"],
    ]


async def test_an_hour_of_deafness_costs_few_requests_and_loses_nothing(
    admin: Account, receiver: Receiver, clock: Clock
) -> None:
    from satmachineclient.telling import outbox

    await write(200)
    receiver.answers = [500] * 10**5
    for _ in range(61):
        await outbox.deliver_due("webhook")
        clock.ahead += timedelta(minutes=1)
    asked = 10**5 - len(receiver.answers)
    assert 15 <= asked <= 40
    assert await waiting(admin) == 200
    receiver.answers = []
    clock.ahead += timedelta(hours=1)
    while await outbox.deliver_due("webhook"):
        pass
    ids = [m["id"] for m in receiver.got]
    assert ids == sorted(ids) and len(ids) == 200
    assert await waiting(admin) == 0


async def test_letters_that_are_refused_do_not_stop_the_others(
    admin: Account, receiver: Receiver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from satmachineclient.telling import outbox

    await write(20)
    post = outbox.post

    async def refuse_some(settings: Any, letter: Any) -> None:
        if int(letter.subject) < 5:
            raise outbox.DeliveryError("The webhook answered 400, not a 2xx.")
        await post(settings, letter)

    monkeypatch.setattr(outbox, "post", refuse_some)
    for _ in range(60):
        await outbox.deliver_due("webhook")
        clock.ahead += timedelta(minutes=1)
    assert [int(m["subject"]) for m in receiver.got] == list(range(5, 20))
    assert await waiting(admin) == 5


async def test_what_is_written_while_the_receiver_is_deaf_waits_with_the_rest(
    receiver: Receiver, clock: Clock
) -> None:
    from satmachineclient.telling import outbox

    await write(9)
    receiver.answers = [500] * 3
    assert await outbox.deliver_due("webhook") == 2
    await write(3, channel="admins")
    assert [await outbox.deliver_due("webhook") for _ in range(3)] == [0] * 3
    assert receiver.answers == [] and receiver.got == []
    assert await outbox.deliver_due("admins") == 3  # another way does not wait
    clock.ahead += timedelta(minutes=2)
    assert await outbox.deliver_due("webhook") == 9


async def test_nothing_is_tried_any_more_after_three_days(
    admin: Account, receiver: Receiver, clock: Clock
) -> None:
    from satmachineclient.telling import outbox

    await write(50)
    clock.ahead = timedelta(days=3, minutes=1)
    receiver.answers = [500] * 3
    await outbox.deliver_due("webhook")
    shown = await admin.call("GET", f"{API}/alerts/settings")
    assert (shown["letters_waiting"], shown["letters_given_up"]) == (0, 50)
    assert await outbox.deliver_due("webhook") == 0


async def test_a_slow_webhook_keeps_no_other_way_waiting(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    from satmachineclient.telling import outbox, rounds

    heard: list[float] = []

    async def hear(telegram: Any, nostr: Any, addresses: Any, text: str, kind: str) -> None:
        heard.append(time.monotonic())

    monkeypatch.setattr(outbox, "send_notification", hear)
    monkeypatch.setattr(rounds, "_FIRST_SECONDS", 0)
    receiver.slow = 60
    await write(100)
    await write(3, channel="admins")
    await write(3, channel="client", user_id="nobody")
    begin = time.monotonic()
    delivering = asyncio.create_task(rounds.deliver())
    while len(heard) < 6 and time.monotonic() < begin + 20:
        await asyncio.sleep(0.05)
    delivering.cancel()
    await asyncio.gather(delivering, return_exceptions=True)
    assert len(heard) == 6 and heard[-1] - begin < 10


@pytest.mark.slow
@pytest.mark.parametrize("number", [300, pytest.param(10_000, marks=pytest.mark.faults)])
async def test_many_letters_go_in_their_order_by_bounded_rounds(
    admin: Account, receiver: Receiver, number: int
) -> None:
    from satmachineclient.telling import outbox

    await write(number)
    tracemalloc.start()
    begin, rounds = time.monotonic(), 0
    while tried := await outbox.deliver_due("webhook"):
        assert tried <= 50
        rounds += 1
        receiver.bodies.clear()
        receiver.headers.clear()
    took = time.monotonic() - begin
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [m["subject"] for m in receiver.got] == [str(n) for n in range(number)]
    assert rounds == -(-number // 50) and await waiting(admin) == 0
    print(f"{number} letters: {rounds} rounds, {took:.0f} s, at most {most / 1e6:.1f} MB")
    assert most < 60e6  # most of it is what the receiver here keeps

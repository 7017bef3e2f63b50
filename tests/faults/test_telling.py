"""LNbits is killed while it tells, and two servers tell from one database: each alert once.

The webhook may hear a letter again, with the same id. People hear it once; again only if LNbits
died between sending and writing down that it was sent, and then the text says so.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.mailbox import Mailbox
from tests.receiver import Receiver

from .world import API, DATABASES, FaultWorld

pytestmark = pytest.mark.faults
ADMIN = "operator@example.com"
_AGAIN = "LNbits was stopped while it sent this"
_ENVIRONMENT = {"SATMACHINECLIENT_FIRST_POLL_SECONDS": "1"}  # the rounds begin with the server
_PAST = {"sqlite": "1", "postgres": "TIMESTAMP '2020-01-01'"}


async def _answers(url: str) -> bool:
    async with httpx.AsyncClient() as client:
        try:
            return (await client.get(f"{url}/api/v1/health")).is_success
        except httpx.TransportError:
            return False


class Telling:
    """A world whose LNbits tells a webhook and, by e-mail, its admins."""

    def __init__(self, world: FaultWorld, receiver: Receiver, mailbox: Mailbox) -> None:
        self.world, self.receiver, self.mailbox = world, receiver, mailbox

    async def furnish(self) -> None:
        """LNbits' settings, ours, and no polls of its own accord."""
        await self.world.admin.call(
            "PATCH",
            "/admin/api/v1/settings",
            {
                **self.mailbox.settings(ADMIN),
                "lnbits_callback_url_rules": [],
                "lnbits_callback_allow_private_ips": True,
                "lnbits_notification_credit_debit": False,
            },
        )
        await self.world.admin.call(
            "PUT", f"{API}/alerts/settings", {"webhook_url": self.receiver.url}
        )
        await self.world.run("UPDATE lamassu_config SET is_active = false")

    async def begin_or_end(self, low: bool) -> None:
        """The source wallet is low from now on, or is not any more; found out by the next poll."""
        limit = {"source_wallet_below_sats": 10**12 if low else 0}
        await self.world.admin.call("PUT", f"{API}/alerts/settings", limit)

    async def until_told(self, began: int, ended: int) -> None:
        """Wait until so many were told, then for what would come twice."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not self._are_told(began, ended):
            await asyncio.sleep(0.1)
        await asyncio.sleep(1)

    async def dies(self, began: int, ended: int) -> bool:
        """Whether LNbits dies before all of this is told and written down."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and not self._are_told(began, ended):
            if not await _answers(self.world.server.url):
                return True
            await asyncio.sleep(0.2)
        await asyncio.sleep(0.5)
        return not await _answers(self.world.server.url)

    def _are_told(self, began: int, ended: int) -> bool:
        told = [len(self.letters(state)) for state in ("began", "ended")]
        mails = [len(self.mails(is_end)) for is_end in (False, True)]
        return told == [began, ended] and mails[0] >= began and mails[1] >= ended

    async def nobody_waits(self) -> None:
        """As if the time had passed after which what was cut off is told again."""
        past = _PAST[self.world.database]
        await self.world.run(
            f"UPDATE dca_outbox SET next_attempt_at = {past} "  # noqa: S608
            "WHERE next_attempt_at IS NOT NULL"
        )

    async def check(self, began: int, ended: int) -> None:
        alerts = await self.world.rows("SELECT * FROM dca_alerts WHERE kind = 'source_wallet_low'")
        assert len(alerts) == began
        assert sum(alert["ended_at"] is not None for alert in alerts) == ended
        assert len(self.letters("began")) == began
        assert len(self.letters("ended")) == ended
        for is_end, number in ((False, began), (True, ended)):
            mails = self.mails(is_end)
            repeated = sum(_AGAIN in text for text in mails)
            assert number <= len(mails) <= number + repeated, mails

    def letters(self, state: str) -> Counter[str]:
        """By id, how often the webhook got each."""
        return Counter(m["id"] for m in self.receiver.got if m["state"] == state)

    def mails(self, ended: bool) -> list[str]:
        return [
            text
            for text in self.mailbox.to(ADMIN)
            if "source wallet" in text and ("Over: " in text) == ended
        ]


@pytest.fixture(params=DATABASES)
async def telling(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Telling]:
    receiver = Receiver()
    await receiver.start()
    with Mailbox(tmp_path) as mailbox:
        async with FaultWorld(request.param, extra_env=_ENVIRONMENT) as world:
            made = Telling(world, receiver, mailbox)
            await made.furnish()
            yield made
    await receiver.stop()


async def test_killed_while_it_tells(telling: Telling) -> None:
    """At the commits of a poll that begins or ends an alert, and of the telling of it."""
    world = telling.world
    last = began = ended = died = 0
    for low in (True, False):  # a first poll has more to do than the later ones
        await telling.begin_or_end(low)
        world.arm(10**9)
        await world.poll()
        began, ended = began + low, ended + (not low)
        await telling.until_told(began, ended)
        last = world.disarm()
    moments = range(1, last + 1)
    for moment in moments:
        low = began == ended
        await telling.begin_or_end(low)
        world.arm(moment)
        await world.poll()
        began, ended = began + low, ended + (not low)
        died += await telling.dies(began, ended)
        await world.restart()
        await telling.nobody_waits()
        await world.poll()
        await telling.until_told(began, ended)
        await telling.check(began, ended)
    assert died >= len(moments) * 2 // 3
    print(f"{world.database}: killed {died} times; {began} alerts begun, {ended} ended, told once")


async def test_two_servers_tell_once(tmp_path: Path) -> None:
    receiver = Receiver()
    await receiver.start()
    with Mailbox(tmp_path) as mailbox:
        async with FaultWorld("postgres", extra_env=_ENVIRONMENT) as world:
            telling = Telling(world, receiver, mailbox)
            await telling.furnish()
            with world.second_server() as second:
                for number in range(1, 4):
                    for low in (True, False):
                        await telling.begin_or_end(low)
                        await asyncio.gather(*(world.poll(s) for s in [world.server, second] * 3))
                        await telling.until_told(number, number - low)
                await telling.check(3, 3)
            assert set(telling.letters("began").values()) == {1}
            assert set(telling.letters("ended").values()) == {1}
            assert len(telling.mails(ended=False)) == len(telling.mails(ended=True)) == 3
    await receiver.stop()

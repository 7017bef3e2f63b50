"""Forwards whose LNbits is killed or stands still: nothing is lost, and nothing is sent twice."""

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Any

import httpx
import psutil
import pytest

from demo.lnbits_api import Wallet
from demo.lnbits_server import LnbitsServer
from demo.outside import Outside
from tests.gate import Gate
from tests.misbehaving import BAD, Behaviour, hangs, with_invoice

from .world import API, DATABASES, FaultWorld

pytestmark = pytest.mark.faults
THRESHOLD, HOSTS_THRESHOLD = 1000, 100  # of a sale some 170 sats are the partner's


class ForwardWorld(FaultWorld):
    """The world of the crashes, and a second LNbits to pay through.

    One client forwards; they are the partner, too, whose part goes on from the same wallet.
    """

    async def __aenter__(self) -> "ForwardWorld":
        self.outside = Outside(self.folder / "outside")
        self.outside.start()
        await self.outside.furnish()
        self.gate = Gate(self.outside.lnbits.url)
        self.stranded: set[str] = set()
        self.closed = 0
        self.past = "'2020-01-01'" if self.database == "postgres" else "0"
        self._environment |= {
            **self.outside.funding(self.gate.url),
            "LNBITS_FUNDING_SOURCE_PAY_INVOICE_WAIT_SECONDS": "1",
            "SATMACHINECLIENT_FORWARD_SECONDS": "1",
        }
        await super().__aenter__()
        self.saver, self.wallet = next(iter(self.clients.items()))
        self.neighbour = await self.admin.create_wallet("a neighbour's")
        [partner] = await self.admin.call("GET", f"{API}/partners")
        self.host = partner["id"]
        body = {"wallet_id": self.wallet.id}
        await self.admin.call("PUT", f"{API}/partners/{self.host}", body)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.gate.close()
        await self.outside.close()
        await super().__aexit__(exc_type, exc, traceback)

    async def set_forward(self, destination: str | None) -> None:
        """Set it; LNbits may die meanwhile, or be cut off by PostgreSQL for standing still."""
        for own, threshold in (
            (f"me/forward?client_id={self.saver}", THRESHOLD),
            (f"me/partner/forward?partner_id={self.host}", HOSTS_THRESHOLD),
        ):
            body = {"destination": destination, "threshold_sats": threshold}
            try:
                path = f"{self.server.url}{API}/{own}"
                answer = await self.admin.put(path, json=body, timeout=60)
                if not answer.is_server_error:
                    answer.raise_for_status()
            except httpx.TransportError:
                pass

    async def bring(self) -> None:
        """New sats for the client while forwarding is off."""
        await self.set_forward(None)
        await self.sell()
        result = await self.poll()
        assert result and result["success"], result

    async def is_stopped(self) -> bool:
        """Whether a destination that did not do as it should was given up."""
        rows = await self.rows("SELECT stopped FROM dca_forward_settings")
        return any(row["stopped"] for row in rows)

    async def statuses(self) -> Counter[str]:
        rows = await self.rows("SELECT status FROM dca_forwards")
        return Counter(row["status"] for row in rows)

    async def finish(self) -> None:
        """No pauses, until nothing more is open or due."""
        deadline = time.monotonic() + 240
        quiet = 0
        while quiet < 3:
            assert time.monotonic() < deadline, await self.rows(
                "SELECT * FROM dca_forwards WHERE status IN ('pending', 'in_flight')"
            )
            await self.run(
                "UPDATE dca_forwards SET next_attempt_at = NULL WHERE status <> 'failed'"
            )
            await self.age_payments()
            await self.close_stranded()
            await asyncio.sleep(1.2)
            found = await self.statuses()
            quiet = 0 if found["pending"] + found["in_flight"] else quiet + 1

    async def look_what_is_under_way(self) -> None:
        """To be called while LNbits is dead: what the node does not know then, it never will."""
        rows = await self.rows("SELECT payment_hash FROM dca_forwards WHERE status = 'in_flight'")
        self.stranded |= {row["payment_hash"] for row in rows}

    async def close_stranded(self) -> None:
        """As an operator does with what LNbits died over before it told its node.

        LNbits asks its node about it for ever, and takes "unknown" for "on its way".
        """
        rows = await self.rows("SELECT * FROM dca_forwards WHERE status = 'in_flight'")
        for row in rows:
            if row["payment_hash"] not in self.stranded - self.gate.arrived:
                continue
            await self.run(
                f"UPDATE dca_forwards SET invoice_expires_at = {self.past} WHERE id = '{row['id']}'"
            )
            path = f"{self.server.url}{API}/forwards/{row['id']}/close"
            reason = {"reason": "the node does not know it"}
            answer = await self.admin.post(path, json=reason, timeout=60)
            if answer.status_code == httpx.codes.CONFLICT:  # it has ended by itself meanwhile
                left = await self.rows(
                    f"SELECT payment_hash FROM dca_forwards WHERE id = '{row['id']}' "
                    "AND status = 'in_flight'"
                )
                assert left != [{"payment_hash": row["payment_hash"]}], answer.text
                continue
            answer.raise_for_status()
            self.closed += 1

    async def age_payments(self) -> None:
        """As if LNbits had booked what is on its way a minute ago."""
        earlier = (
            "created_at - INTERVAL '60 seconds'"
            if self.database == "postgres"
            else "created_at - 60"
        )
        await self.run(
            f"UPDATE apipayments SET created_at = {earlier} "
            "WHERE status = 'pending' AND amount < 0",
            core=True,
        )

    async def check_forwards(self) -> None:
        """An independent look: each forward one payment, and every sat accounted for."""
        forwards = await self.rows("SELECT * FROM dca_forwards WHERE status = 'confirmed'")
        booked = await self.rows(
            "SELECT * FROM apipayments WHERE amount < 0 AND status <> 'failed' "
            f"AND wallet_id = '{self.wallet.id}'",
            core=True,
        )
        assert {b["status"] for b in booked} <= {"success"}
        sent = Counter({b["payment_hash"]: -b["amount"] for b in booked})
        assert sent == Counter({f["payment_hash"]: f["amount_sats"] * 1000 for f in forwards})
        total = sum(f["amount_sats"] for f in forwards)
        inside = await self.admin.balance(self.neighbour)
        assert await self.outside.received() + inside == total
        brought = {
            owner: await self._brought(table, column, owner)
            for table, column, owner in (
                ("dca_payments", "client_id", self.saver),
                ("dca_commission_shares", "partner_id", self.host),
            )
        }
        gone: Counter[str] = Counter()
        for f in forwards:
            gone[f["client_id"]] += f["amount_sats"] + (f["fee_msat"] + 999) // 1000
        settings = await self.rows("SELECT * FROM dca_forward_settings")
        assert 0 <= brought[self.saver] - gone[self.saver] < THRESHOLD, settings
        assert 0 <= brought[self.host] - gone[self.host] < HOSTS_THRESHOLD, settings
        assert {f["client_id"] for f in forwards} == {self.saver, self.host}
        held = await self.admin.balance(self.wallet)
        assert held + sum(gone.values()) == sum(brought.values())
        books = await self.admin.call("GET", f"{API}/reconciliation")
        assert books["ok"], books

    async def _brought(self, table: str, column: str, owner: str) -> int:
        [row] = await self.rows(
            f"SELECT COALESCE(SUM(amount_sats), 0) AS sats FROM {table} "
            f"WHERE {column} = '{owner}' AND status = 'confirmed'"
        )
        return int(row["sats"])


@pytest.fixture(params=DATABASES)
async def world(request: pytest.FixtureRequest) -> AsyncIterator[ForwardWorld]:
    async with ForwardWorld(request.param) as made:
        yield made


async def _moments_of_a_forward(world: ForwardWorld) -> int:
    await world.bring()
    world.arm(10**9)
    await world.set_forward(world.outside.destination.lnurl)
    await world.finish()
    moments = world.disarm()
    await world.check_forwards()
    return moments


async def _kill_restart_finish(world: ForwardWorld, moment: int) -> bool:
    await world.bring()
    # What is on its way when LNbits dies arrives, fails, or is held while LNbits starts again.
    world.gate.mode = "hold" if moment % 3 == 1 else "pass"
    world.arm(moment)
    await world.set_forward(world.outside.destination.lnurl)
    died = await _dies(world, moment)
    await world.look_what_is_under_way()
    if moment % 2:
        world.gate.settle()
    else:
        world.gate.cancel()
    await world.restart()
    await world.set_forward(world.outside.destination.lnurl)
    await world.finish()
    await world.check_forwards()
    return died


async def _dies(world: ForwardWorld, moment: int, seconds: float = 8) -> bool:
    """Whether LNbits has come to its last moment."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if world.moments >= moment:
            return True
        await asyncio.sleep(0.1)
    return False


async def test_killed_at_every_commit(world: ForwardWorld) -> None:
    moments = await _moments_of_a_forward(world)
    tried = range(1, moments + 1)
    died = [await _kill_restart_finish(world, moment) for moment in tried]
    print(
        f"{world.database}: {sum(died)} crash points of {moments} tried; "
        f"{(await world.statuses())['confirmed']} forwards, {world.closed} closed by hand, "
        "nothing lost or sent twice"
    )
    assert sum(died) >= len(died) // 2, died


async def test_killed_at_random_moments(world: ForwardWorld) -> None:
    """While the node and the destination misbehave in all their ways."""
    seed = time.time_ns()
    print(f"{world.database}: random kills with seed {seed}")
    chance = random.Random(seed)  # noqa: S311
    behaviours = await _behaviours(world)
    met: Counter[str] = Counter()
    for _ in range(40):
        await world.bring()
        world.gate.mode = chance.choice(["pass", "pass", "hold", "refuse", "down"])
        name = chance.choice(["does well", *behaviours])
        met[name] += 1
        # Who sets a destination asks it, and nothing goes there before both have.
        await world.admin.call("PUT", f"{API}/programme", {"forwarding": False})
        await world.set_forward(world.outside.destination.lnurl)
        world.outside.destination.before = behaviours.get(name, _does_well)
        await world.admin.call("PUT", f"{API}/programme", {"forwarding": True})
        await asyncio.sleep(chance.uniform(0, 2.5))
        world.server.kill9()
        await world.look_what_is_under_way()
        at_once = chance.choice([True, False])
        if at_once:
            chance.choice([world.gate.settle, world.gate.cancel])()
        await world.restart()
        if not at_once:  # only when LNbits looks for it again
            chance.choice([world.gate.settle, world.gate.cancel])()
        world.outside.destination.before = _does_well
        await world.set_forward(world.outside.destination.lnurl)
        await world.finish()
        if await world.is_stopped():  # by an attempt that began before, and ended after it was set
            await world.set_forward(world.outside.destination.lnurl)
            await world.finish()
        await world.check_forwards()
    print(
        f"{(await world.statuses())['confirmed']} forwards, {world.closed} closed by hand, "
        f"nothing lost or sent twice; destinations: {dict(met)}"
    )


def _does_well(path: str, query: dict[str, str]) -> None:
    return None


async def _behaviours(world: ForwardWorld) -> dict[str, Behaviour]:
    def invoice_here(wallet: Wallet) -> Callable[[int], str]:
        def make(msat: int) -> str:
            answer = httpx.post(
                f"{world.server.url}/api/v1/payments",
                json={"out": False, "amount": msat // 1000, "memo": "comes back"},
                headers={"X-Api-Key": wallet.inkey},
                timeout=30,
            )
            return str(answer.json()["bolt11"])

        return make

    return {
        **BAD,
        "answers late": hangs(1.5),
        "another amount": with_invoice(lambda msat: world.outside.invoice(msat * 2)),
        "the same LNbits": with_invoice(invoice_here(world.neighbour)),
        "the client's own wallet": with_invoice(invoice_here(world.wallet)),
    }


# ---- two servers -----------------------------------------------------------------------------


@pytest.fixture
async def shared() -> AsyncIterator[ForwardWorld]:
    async with ForwardWorld("postgres") as made:
        yield made


async def test_two_servers_send_each_forward_once(shared: ForwardWorld) -> None:
    with shared.second_server():
        for _ in range(4):
            await shared.bring()
            await shared.set_forward(shared.outside.destination.lnurl)
            await shared.finish()
            await shared.check_forwards()
    assert (await shared.statuses())["confirmed"] >= 4


async def test_one_that_stood_still_is_overtaken(shared: ForwardWorld) -> None:
    """Stopped at any commit of a forward, overtaken by the other server, and woken up again."""
    moments = await _moments_of_a_forward(shared)
    stopped = 0
    for moment in range(1, moments + 1):
        await shared.bring()
        shared.arm(moment, signal.SIGSTOP)
        setting = asyncio.create_task(shared.set_forward(shared.outside.destination.lnurl))
        waiting = asyncio.create_task(asyncio.sleep(6))
        process = await shared.stopped_in(waiting)
        waiting.cancel()
        if process:
            stopped += 1
            await _overtake(shared, process)
        shared.disarm()
        await setting
        await shared.set_forward(shared.outside.destination.lnurl)
        await shared.finish()
        await shared.check_forwards()
    assert stopped
    print(f"{stopped} times stopped and overtaken, nothing lost or sent twice")


async def _overtake(world: ForwardWorld, process: psutil.Process) -> None:
    second: LnbitsServer = world.second_server()
    with second:

        async def free() -> Any:
            await world.run("UPDATE dca_forwards SET next_attempt_at = NULL")

        freeing = asyncio.create_task(free())
        await asyncio.wait({freeing}, timeout=2)  # the sleeper may hold the row
        await asyncio.sleep(4)
        world.disarm()
        process.send_signal(signal.SIGCONT)
        await freeing
        await asyncio.sleep(2)

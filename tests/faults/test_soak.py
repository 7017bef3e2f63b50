"""More than a year of hourly polls in fast motion, while everything around it comes and goes.

LNbits and the ATM's database are given a clock that is moved on by an hour before each poll
(time-outs go on in real time). LNbits' threads, files, connections, memory and data are looked at
on the way: what one poll leaves behind, ten thousand would show.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from random import Random

import httpx
import psutil
import pytest

from demo.sales import Sale
from demo.ssh_server import SshServer

from .world import API, FaultWorld

pytestmark = pytest.mark.soak

_LOOKS = 20
_SALES, _TROUBLE = 0.05, 0.02  # of all polls


class Clock:
    """What time it is for LNbits and for the ATM's database."""

    def __init__(self, world: FaultWorld) -> None:
        self._world = world
        self._ahead = timedelta()

    async def move(self, by: timedelta) -> None:
        self._ahead += by
        self._world.set_clock(self._ahead)
        await self._world.set_atms_clock(self._ahead)

    def now(self) -> datetime:
        return datetime.now(timezone.utc) + self._ahead


@dataclass(frozen=True)
class Look:
    """What LNbits' processes hold at one moment, and what is stored."""

    threads: int
    files: int
    connections: int
    megabytes: int
    stored_kilobytes: int


@dataclass
class Soak:
    world: FaultWorld
    ssh: SshServer
    clock: Clock

    async def poll(self) -> bool:
        try:
            result = await self.world.poll()
        except httpx.HTTPStatusError as exc:
            # LNbits' own database may be on the server that went.
            assert exc.response.status_code == httpx.codes.SERVICE_UNAVAILABLE
            return False
        return bool(result and result.get("success"))

    async def sell(self) -> None:
        sale = Sale(created=self.clock.now(), fiat=Decimal(200))
        await self.world.lamassu.insert(sale)
        self.world.sold[str(sale.id)] = sale.atoms

    async def lose_ssh(self, chance: Random) -> None:
        self.ssh.stop()
        assert not await self.poll()
        self.ssh.start()

    async def lose_the_atm(self, chance: Random) -> None:
        self.world.postgres.stop()
        assert not await self.poll()
        self.world.postgres.start()

    async def lose_lnbits(self, chance: Random) -> None:
        await self.world.restart()

    async def lose_lnbits_in_mid_poll(self, chance: Random) -> None:
        self.world.arm(chance.randint(1, 40))
        await self.poll()
        await self.world.restart()

    async def look(self) -> Look:
        server = psutil.Process(self.world.server.pid)
        processes = [server, *server.children(recursive=True)]
        return Look(
            sum(process.num_threads() for process in processes),
            sum(process.num_fds() for process in processes),
            sum(len(process.net_connections(kind="tcp")) for process in processes),
            sum(process.memory_info().rss for process in processes) // 2**20,
            await self._stored() // 2**10,
        )

    async def _stored(self) -> int:
        """Bytes of the extension's own database."""
        sql = {
            "sqlite": "SELECT page_count * page_size AS size "
            "FROM pragma_page_count(), pragma_page_size()",
            "postgres": "SELECT CAST(SUM(pg_total_relation_size(oid)) AS BIGINT) AS size "
            "FROM pg_class WHERE relkind = 'r' "
            "AND relnamespace = 'satmachineclient'::regnamespace",
        }
        [row] = await self.world.rows(sql[self.world.database])
        return int(row["size"])


@pytest.fixture(params=["sqlite", "postgres"])
async def soak(request: pytest.FixtureRequest) -> AsyncIterator[Soak]:
    environment = {"AUTH_TOKEN_EXPIRE_MINUTES": "10000000"}
    with SshServer(password="let me in") as ssh:
        async with FaultWorld(request.param, extra_env=environment) as world:
            made = Soak(world, ssh, Clock(world))
            await _tunnel(made)
            yield made


async def _tunnel(soak: Soak) -> None:
    """From now on the ATM is reached through SSH."""
    admin = soak.world.admin
    saved = await admin.call("GET", f"{API}/config")
    body = {
        **{name: saved[name] for name in ("source_wallet_id", "commission_wallet_id")},
        **soak.world.lamassu.login(),
        "credit_source_wallet": True,
        **soak.ssh.login(),
    }
    await admin.call("POST", f"{API}/config", body)


async def test_polls_leave_nothing_behind(soak: Soak, pytestconfig: pytest.Config) -> None:
    polls = pytestconfig.getoption("--polls")
    troubles = [soak.lose_ssh, soak.lose_the_atm, soak.lose_lnbits, soak.lose_lnbits_in_mid_poll]
    looks = []
    seed = secrets.randbits(32)
    chance = Random(seed)  # noqa: S311 - no secret
    print(f"{soak.world.database}, seed {seed}")
    for number in range(1, polls + 1):
        await soak.clock.move(timedelta(hours=1))
        if chance.random() < _SALES:
            await soak.sell()
        if chance.random() < _TROUBLE:
            await chance.choice(troubles)(chance)
        assert await _goes_on(soak), f"poll {number}"
        if number % max(1, polls // _LOOKS) == 0:
            await soak.world.check()
            looks.append(await soak.look())
            print(f"{number} polls, {len(soak.world.sold)} sales: {looks[-1]}", flush=True)
    _check_flat(looks)
    grown = looks[-1].stored_kilobytes - looks[0].stored_kilobytes
    assert grown < 2 * polls, "a poll leaves less than 2 kB, its sale included"


async def _goes_on(soak: Soak) -> bool:
    """A poll succeeds, at the latest at the third try."""
    for _ in range(3):
        if await soak.poll():
            return True
        await asyncio.sleep(1)
    return False


def _check_flat(looks: list[Look]) -> None:
    """What the process holds is no more in the second half than in the first, but for noise."""
    half = len(looks) // 2
    for name, spare in (("threads", 3), ("files", 12), ("connections", 6), ("megabytes", 40)):
        values = [getattr(look, name) for look in looks]
        assert max(values[half:]) <= max(values[:half]) + spare, (name, values)

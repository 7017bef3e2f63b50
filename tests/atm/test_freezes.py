"""What stands still, or never ends, holds up neither a poll nor anybody else."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from time import monotonic
from typing import Any

import pytest
from satmachineclient import database, lease
from satmachineclient.atm import limits, postgres
from satmachineclient.atm.deadline import read_in_time
from satmachineclient.atm.way import LamassuError, reading
from satmachineclient.models_config import Target

from demo.lamassu_db import LamassuDatabase
from demo.sales import Sale
from demo.ssh_server import SshServer
from tests.lamassu_rig import now, read_sales, target_at
from tests.rig import Configure, Poll

QUICK = {"CLOSE_SECONDS": 0.3, "CLEAN_UP_SECONDS": 0.5, "STATEMENT_SECONDS": 0.3}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**QUICK, "OVERRUN_SECONDS": 0.2}.items():
        monkeypatch.setattr(limits, name, value)


@contextmanager
def stopped(process: int) -> Iterator[None]:
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGCONT)


def freeze(server: SshServer, seconds: float) -> None:
    """It serves nobody for so long."""
    assert server._loop
    server._loop.call_soon_threadsafe(time.sleep, seconds)


async def read_and_freeze(target: Target, server: SshServer | None = None) -> None:
    """A reading in whose middle the backend, or this SSH server, stands still."""
    async with postgres.connect(target) as session:
        process = await session.fetchval("SELECT pg_backend_pid()")

        async def drop_known(rows: list[Any]) -> set[Any]:
            if server:
                freeze(server, 6)
            else:
                os.kill(process, signal.SIGSTOP)
            return set()

        try:
            since = now().replace(year=2020)
            await read_sales(session, since, drop_known)
        finally:
            if not server:
                asyncio.get_running_loop().call_later(4, os.kill, process, signal.SIGCONT)


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("frozen", ["backend", "backend behind ssh", "ssh"])
async def test_a_server_that_stands_still_ends_the_reading_soon(
    lamassu: LamassuDatabase, ssh_server: SshServer, frozen: str
) -> None:
    await lamassu.insert(Sale(created=now()))
    target = target_at(lamassu, None if frozen == "backend" else ssh_server)
    start = monotonic()
    with pytest.raises(LamassuError):
        await read_and_freeze(target, ssh_server if frozen == "ssh" else None)
    assert monotonic() - start < 4
    await asyncio.sleep(4)


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
async def test_an_ssh_server_that_stands_still_before_the_login_ends_the_reading_soon(
    lamassu: LamassuDatabase, ssh_server: SshServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The port still takes connections: the system does that, whatever the process does."""
    monkeypatch.setattr(limits, "CONNECT_SECONDS", 0.5)
    target = target_at(lamassu, ssh_server)
    freeze(ssh_server, 5)
    start = monotonic()
    with pytest.raises(LamassuError, match=r"does not speak SSH as expected \(timed out\)"):
        await read_and_freeze(target, ssh_server)
    assert monotonic() - start < 3
    await asyncio.sleep(4)


@pytest.mark.usefixtures("quick")
async def test_a_reading_has_one_deadline_whatever_its_parts_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "READ_SECONDS", 0.3)
    stubborn = 0

    async def read() -> None:
        nonlocal stubborn
        for _ in range(4):  # cancelled, it goes on all the same
            with suppress(asyncio.CancelledError):
                stubborn += 1
                await asyncio.sleep(3)
                return

    start = monotonic()
    with pytest.raises(LamassuError, match=r"was not done after 0\.3 s and was given up"):
        await read_in_time(read())
    assert stubborn == 2 and monotonic() - start < 2
    await asyncio.sleep(3)


async def test_a_poll_ends_although_the_backend_stands_still(
    lamassu: LamassuDatabase, configure: Configure, poll: Poll, monkeypatch: pytest.MonkeyPatch
) -> None:
    from satmachineclient.atm import limits  # LNbits' own, which has loaded it anew

    for name, value in {"READ_SECONDS": 1, "CLOSE_SECONDS": 0.3, "CLEAN_UP_SECONDS": 1}.items():
        monkeypatch.setattr(limits, name, value)
    await configure()
    owner = await lamassu.connect()
    try:
        await owner.execute("BEGIN; LOCK TABLE cash_out_txs IN ACCESS EXCLUSIVE MODE")
        polling = asyncio.create_task(poll())
        process = None
        while process is None:
            await owner.execute("SELECT pg_stat_clear_snapshot()")
            process = await owner.fetchval(
                "SELECT pid FROM pg_stat_activity "
                "WHERE application_name = 'satmachineclient' AND wait_event_type = 'Lock'"
            )
        with stopped(process):
            result = await asyncio.wait_for(polling, 10)
    finally:
        await owner.close()
    assert not result["success"] and "was given up" in result["error"]
    assert (await poll())["success"]


# ---- without an end --------------------------------------------------------------------------


@asynccontextmanager
async def endless_server() -> AsyncIterator[tuple[int, list[int]]]:
    """Its port, and what it could send: to each who says a word one message that never ends."""
    sent = [0]

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(b"E\x7f\xff\xff\xff")
        with suppress(OSError):
            while True:
                writer.write(b"x" * 2**20)
                await writer.drain()
                sent[0] += 2**20

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], sent


@pytest.mark.parametrize("through_ssh", [False, True], ids=["direct", "tunnel"])
async def test_a_server_that_sends_without_an_end_is_cut_off(
    lamassu: LamassuDatabase,
    ssh_server: SshServer,
    through_ssh: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "SESSION_BYTES", 8 * 2**20)
    async with endless_server() as (port, sent):
        target = target_at(
            lamassu, ssh_server if through_ssh else None, port=port, ssl_mode="disable"
        )
        with pytest.raises(LamassuError, match="sent more than 8 MB and was cut off"):
            async with postgres.connect(target):
                pass
    assert sent[0] < 40 * 2**20  # what lies in buffers on the way


async def test_a_row_without_an_end_is_cut_off(
    lamassu: LamassuDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SESSION_BYTES", 8 * 2**20)
    with pytest.raises(LamassuError, match="sent more than 8 MB and was cut off") as caught:
        async with postgres.connect(target_at(lamassu)) as session:
            with reading("rows"):
                await session.fetchval("SELECT repeat('x', 100000000)")
    assert caught.value.step == "rows"


# ---- the lease -------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.usefixtures("ledger_clean")
async def test_a_lease_is_lost_by_who_stands_still_and_kept_by_who_gets_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(database, "LEASE_SECONDS", 1)
    monkeypatch.setattr(database, "STALL_SECONDS", 1)

    async def taken_by_another(steps: Any) -> bool:
        async with lease.working("one"):
            for _ in range(8):
                await asyncio.sleep(0.5)
                await steps()
            try:
                async with lease.working("another"):
                    pass
            except lease.BusyError:
                return False
        return True

    async def nothing() -> None:
        pass

    async def said() -> None:
        database.stepped("one")

    async def written() -> None:
        async with database.ledger("one"):
            pass

    assert await taken_by_another(nothing)
    assert not await taken_by_another(said)
    assert not await taken_by_another(written)
    assert database._steps == {}

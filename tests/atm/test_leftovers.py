"""After reading nothing is left behind, and while it waits everything else goes on."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from time import monotonic

import asyncssh
import psutil
import pytest
from satmachineclient.atm import limits
from satmachineclient.atm.way import LamassuError
from satmachineclient.models_config import Target

from demo.lamassu_db import LamassuDatabase
from demo.processes import free_port
from demo.sales import Sale
from demo.ssh_server import SshServer
from tests.lamassu_rig import now, read, silent_port, target_at

READS = 200
AT_ONCE = 8


def possessions() -> dict[str, set[object]]:
    """What this process holds, but for the pool of threads that asyncio keeps for later work."""
    me = psutil.Process()
    return {
        "threads": {t.name for t in threading.enumerate() if not t.name.startswith("asyncio_")},
        "connections": {(c.fd, c.laddr, c.raddr, c.status) for c in me.net_connections("all")},
        "files": {f.path for f in me.open_files()},
        "children": {child.pid for child in me.children(recursive=True) if is_ours(child)},
    }


def left_behind(before: dict[str, set[object]]) -> dict[str, set[object]]:
    """What is there now and was not then."""
    return {what: new for what, held in possessions().items() if (new := held - before[what])}


def is_ours(child: psutil.Process) -> bool:
    """PostgreSQL's own processes come and go by its own rules."""
    with suppress(psutil.NoSuchProcess):
        return "postgres" not in child.name()
    return False


async def settled(wanted: Callable[[], bool]) -> None:
    for _ in range(150):
        if wanted():
            return
        await asyncio.sleep(0.1)


@pytest.mark.slow
async def test_after_200_reads_half_of_them_failing_nothing_is_left(
    lamassu: LamassuDatabase, ssh_server: SshServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CONNECT_SECONDS", 5)
    await lamassu.insert(Sale(created=now()))
    key = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    good = target_at(lamassu, ssh_server)
    with silent_port() as silent:
        bad = [
            replace(good, ssh_port=free_port()),
            replace(good, ssh_port=lamassu.postgres.port),
            replace(good, ssh_host_key_fingerprint="SHA256:other"),
            replace(good, ssh_password="wrong"),
            replace(good, ssh_private_key=key),
            replace(good, ssh_private_key="no key"),
            replace(good, port=free_port()),
            replace(good, password="wrong"),
            replace(good, database="nothing"),
            replace(good, ssl_mode="require"),
            replace(good, use_ssh_tunnel=False, port=free_port()),
        ]
        await read(good)  # what is made once is made
        await settled(lambda: not ssh_server.live)
        before = possessions()
        done = await _in_parallel([good] * (READS // 2) + (bad * READS)[: READS // 2])
        interrupted = [asyncio.create_task(read(replace(good, ssh_port=silent))) for _ in range(3)]
        await asyncio.sleep(0.3)
        for task in interrupted:
            task.cancel()
        await asyncio.gather(*interrupted, return_exceptions=True)
        await settled(lambda: not ssh_server.live and not left_behind(before))
        assert left_behind(before) == {}
    assert (done.count("read"), done.count("failed")) == (READS // 2, READS // 2)
    sessions = lamassu.postgres.sql(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'satmachineclient'"
    )
    assert sessions == "0"


async def _in_parallel(targets: list[Target]) -> list[str]:
    waiting = asyncio.Semaphore(AT_ONCE)

    async def one(target: Target) -> str:
        async with waiting:
            try:
                assert len(await read(target)) == 1
            except LamassuError:
                return "failed"
        return "read"

    return await asyncio.gather(*map(one, targets))


async def longest_pause(work: Awaitable[object]) -> float:
    """Seconds for which the event loop served nobody else while this was going on."""
    task = asyncio.ensure_future(work)
    longest, last = 0.0, monotonic()
    while not task.done():
        await asyncio.sleep(0.005)
        longest, last = max(longest, monotonic() - last), monotonic()
    await task
    return longest


async def test_others_go_on_while_an_ssh_server_does_not_answer(
    lamassu: LamassuDatabase, ssh_server: SshServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CONNECT_SECONDS", 1)

    async def hanging(target: Target) -> None:
        start = monotonic()
        with pytest.raises(LamassuError):
            await read(target)
        assert monotonic() - start >= 1

    with silent_port() as port:
        ssh = await longest_pause(hanging(target_at(lamassu, ssh_server, ssh_port=port)))
        database = await longest_pause(hanging(target_at(lamassu, port=port)))
    print(f"longest pause {ssh * 1000:.0f} ms (SSH), {database * 1000:.0f} ms (PostgreSQL)")
    assert max(ssh, database) < 0.2


@pytest.mark.filterwarnings("ignore:Warning. bcrypt")
async def test_others_go_on_while_a_key_is_decrypted_and_sales_are_read(
    lamassu: LamassuDatabase, ssh_server: SshServer, ssh_key: asyncssh.SSHKey
) -> None:
    await lamassu.insert(*(Sale(created=now()) for _ in range(20)))
    key = ssh_key.export_private_key(passphrase="a passphrase", rounds=16).decode()
    target = target_at(
        lamassu, ssh_server, ssh_private_key=key, ssh_private_key_passphrase="a passphrase"
    )
    pause = await longest_pause(read(target))
    print(f"longest pause {pause * 1000:.0f} ms")
    assert pause < 0.2


async def test_a_poll_that_is_stopped_does_not_wait_for_the_time_out(
    lamassu: LamassuDatabase, ssh_server: SshServer
) -> None:
    with silent_port() as port:
        task = asyncio.create_task(read(target_at(lamassu, ssh_server, ssh_port=port)))
        await asyncio.sleep(0.3)
        start = monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert monotonic() - start < 2

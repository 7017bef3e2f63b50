"""LNbits behind PgBouncer in transaction mode, where prepared statements come and go."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from demo.processes import LOOPBACK, Child, free_port

from .world import API, FaultWorld


@pytest.fixture
async def world() -> AsyncIterator[FaultWorld]:
    async with FaultWorld("postgres") as made:
        yield made


@pytest.fixture
def pooled(world: FaultWorld) -> Iterator[str]:
    """The URL of LNbits' database through a PgBouncer."""
    program = shutil.which("pgbouncer")
    if program is None:
        pytest.skip("PgBouncer is not installed (Debian: the package pgbouncer)")
    port = free_port()
    folder = Path(world.postgres.folder)
    (folder / "users").write_text(f'"postgres" "{world.postgres.password}"\n')
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\nlnbits = host={LOOPBACK} port={world.postgres.port} dbname=lnbits\n"
        f"[pgbouncer]\nlisten_addr = {LOOPBACK}\nlisten_port = {port}\nauth_type = scram-sha-256\n"
        f"auth_file = {folder / 'users'}\npool_mode = transaction\ndefault_pool_size = 3\n"
        "unix_socket_dir =\nserver_round_robin = 1\n"
    )
    for path in (folder / "users", folder / "pgbouncer.ini"):
        path.chmod(0o644)
    uid = world.postgres.uid
    child = Child(
        [Path(program), folder / "pgbouncer.ini"],
        log=world.folder / "pgbouncer.log",
        cwd=folder,
        uid=uid,
    )
    yield f"postgres://postgres:{world.postgres.password}@{LOOPBACK}:{port}/lnbits"
    child.stop()


@pytest.mark.slow
async def test_a_poll_says_what_is_wrong_and_the_books_stay_in_order(
    world: FaultWorld, pooled: str
) -> None:
    await world.sell(2)
    answers: list[httpx.Response] = []
    with world.pooled_server(pooled) as server:
        for _ in range(6):
            answer = await world.admin.post(f"{server.url}{API}/manual-poll", timeout=120)
            answers.append(answer)
            await asyncio.sleep(0.1)
    told = [a.json() for a in answers]
    for answer, body in zip(answers, told, strict=True):
        text = str(body.get("error") or body.get("detail") or "")
        assert body.get("success") or "PgBouncer in transaction mode" in text, (answer, body)
    await world.expire_lease()
    await world.sell(1)
    result = await world.poll()
    assert result and result["success"], result
    await world.check()

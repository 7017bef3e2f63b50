"""Other servers than a plain PostgreSQL: a pooler before it, a hot standby, one with settings."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from satmachineclient.atm import check, postgres
from satmachineclient.atm.way import LamassuError

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account
from demo.pgbouncer import PgBouncer
from demo.postgres import Postgres
from demo.sales import Sale
from demo.ssh_server import SshServer
from tests.lamassu_rig import now, read, read_sales, target_at
from tests.rig import API, Configure, Poll

# ---- PgBouncer -------------------------------------------------------------------------------


@pytest.fixture(params=["session", "transaction"])
def pooler(lamassu: LamassuDatabase, request: pytest.FixtureRequest) -> Iterator[PgBouncer]:
    if PgBouncer.program() is None:
        missing = "PgBouncer is not installed (Debian: the package pgbouncer)"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    with PgBouncer(lamassu, request.param) as running:
        yield running


@pytest.mark.parametrize("through_ssh", [False, True], ids=["direct", "tunnel"])
async def test_sales_are_read_through_a_pooler_and_nothing_stays_set_there(
    lamassu: LamassuDatabase, pooler: PgBouncer, ssh_server: SshServer, through_ssh: bool
) -> None:
    sale = Sale(created=now())
    await lamassu.insert(sale)
    ssh = ssh_server if through_ssh else None
    target = target_at(lamassu, ssh, port=pooler.port)

    for _ in range(3):
        assert list(await read(target)) == [str(sale.id)]
    shown = await check.test_connection(target, now(), "markup")
    assert shown.success, shown.message

    other = await asyncpg.connect(  # who gets the same server connection next
        host=pooler.host,
        port=pooler.port,
        user=lamassu.reader,
        password=lamassu.reader_password,
        database=lamassu.database,
        statement_cache_size=0,
    )
    try:
        assert await other.fetchval("SHOW statement_timeout") == "20s"  # the role's own
        assert await other.fetchval("SHOW transaction_isolation") == "read committed"
    finally:
        await other.close()


# ---- settings --------------------------------------------------------------------------------


@asynccontextmanager
async def role_setting(database: LamassuDatabase, name: str, value: str) -> AsyncIterator[None]:
    before = "'20s'" if name == "statement_timeout" else "DEFAULT"
    database.postgres.sql(f"ALTER ROLE {database.reader} SET {name} = '{value}'")
    yield
    database.postgres.sql(f"ALTER ROLE {database.reader} SET {name} = {before}")


@pytest.mark.parametrize(("own", "counts"), [("0", "30s"), ("7s", "7s"), ("5min", "30s")])
async def test_the_lower_statement_timeout_counts(
    lamassu: LamassuDatabase, own: str, counts: str
) -> None:
    async with (
        role_setting(lamassu, "statement_timeout", own),
        postgres.connect(target_at(lamassu)) as session,
    ):
        assert await session.fetchval("SHOW statement_timeout") == counts


async def test_the_environment_of_lnbits_has_no_influence(
    lamassu: LamassuDatabase, ssh_server: SshServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale = Sale(created=now())
    await lamassu.insert(sale)
    environment = {
        "PGHOST": "192.0.2.1",
        "PGPORT": "1",
        "PGUSER": "nobody",
        "PGPASSWORD": "nothing",
        "PGDATABASE": "nothing",
        "PGSERVICE": "nothing",
        "PGSERVICEFILE": "/nowhere",
        "PGPASSFILE": "/nowhere",
        "PGSSLMODE": "verify-full",
        "PGSSLNEGOTIATION": "direct",
        "PGSSLROOTCERT": "/nowhere",
        "PGTARGETSESSIONATTRS": "standby",
        "PGKRBSRVNAME": "nothing",
        "PGGSSLIB": "nothing",
        "PGCLIENTENCODING": "LATIN1",
        "PGOPTIONS": "-c search_path=nothing",
        "PGTZ": "Asia/Tokyo",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for ssh in (None, ssh_server):
        assert list(await read(target_at(lamassu, ssh))) == [str(sale.id)]


# ---- a hot standby ---------------------------------------------------------------------------


class Standby(Postgres):
    """A server that follows another, and ends at once what is in the way of that."""

    def __init__(self, primary: Postgres, folder: Path) -> None:
        super().__init__(folder)
        self.password = primary.password
        self._primary = primary

    def _init(self, data: Path) -> None:
        source = ["-d", self._primary.url("postgres"), "-D", str(data)]
        self._run(["pg_basebackup", *source, "-R", "-X", "stream", "-c", "fast"], uid=self._uid)
        with (data / "postgresql.auto.conf").open("a") as file:
            file.write("max_standby_streaming_delay = 0\nwal_receiver_status_interval = 1\n")


@pytest.fixture
def standby(postgres: Postgres, lamassu: LamassuDatabase) -> Iterator[Postgres]:
    folder = Path(tempfile.mkdtemp(prefix="satmachineclient-standby-"))
    with Standby(postgres, folder) as running:
        yield running
    shutil.rmtree(folder, ignore_errors=True)


async def change_what_is_read(database: LamassuDatabase, standby: Postgres) -> None:
    """On the primary: a table that a reader of the standby has in use is changed."""
    owner = await database.connect()
    try:
        await owner.execute("ALTER TABLE cash_out_txs ALTER notified SET DEFAULT false")
    finally:
        await owner.close()
    await followed(database, standby)


async def followed(database: LamassuDatabase, standby: Postgres) -> None:
    """Wait until the standby has all that the primary has."""
    position = database.postgres.sql("SELECT pg_current_wal_insert_lsn()")
    for _ in range(200):
        if standby.sql(f"SELECT pg_last_wal_replay_lsn() >= '{position}'") == "t":
            return
        await asyncio.sleep(0.05)
    raise TimeoutError("the standby does not follow")


async def test_a_conflict_with_recovery_is_named_and_passes(
    lamassu: LamassuDatabase, standby: Postgres
) -> None:
    await lamassu.insert(Sale(created=now()))
    await followed(lamassu, standby)

    async def drop_known(rows: list[Any]) -> set[Any]:
        await change_what_is_read(lamassu, standby)
        return set()

    with pytest.raises(LamassuError) as caught:
        async with postgres.connect(target_at(lamassu, port=standby.port)) as session:
            await read_sales(session, _SINCE, drop_known)
    assert caught.value.passing
    assert "conflict with recovery" in str(caught.value)
    async with postgres.connect(target_at(lamassu, port=standby.port)) as session:
        found, _ = await read_sales(session, _SINCE)
    assert found == 1


_SINCE = now().replace(year=2020)


async def test_a_poll_of_a_standby_tries_again(
    lamassu: LamassuDatabase,
    standby: Postgres,
    configure: Configure,
    admin: Account,
    poll: Poll,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from satmachineclient import crud_sales  # LNbits' own, which has loaded them anew
    from satmachineclient.atm import limits

    monkeypatch.setattr(limits, "PAUSE_SECONDS", 0.1)
    await configure(port=standby.port)
    await lamassu.insert(Sale(created=now()))
    await followed(lamassu, standby)
    real, conflicts = crud_sales.known_transactions, [2, 99]

    async def known_transactions(*args: Any) -> Any:
        if conflicts[0]:
            conflicts[0] -= 1
            await change_what_is_read(lamassu, standby)
        return await real(*args)

    monkeypatch.setattr(crud_sales, "known_transactions", known_transactions)
    result = await poll()
    assert (result["success"], result["planned"], conflicts[0]) == (True, 1, 0), result["error"]

    conflicts[0] = 99
    await lamassu.insert(Sale(created=now(), name="another"))
    await followed(lamassu, standby)
    result = await poll()
    assert (result["success"], result["planned"]) == (False, 0)
    assert "conflict with recovery" in result["error"]
    assert 99 - conflicts[0] == limits.ATTEMPTS
    assert len(await admin.call("GET", f"{API}/transactions")) == 1

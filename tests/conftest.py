"""The world of the tests: a real LNbits in this process, a real PostgreSQL, a real SSH server.

LNbits reads its settings when it is first imported, so they are made before any test module is:
a data folder of its own, and a folder in which this checkout has the extension's name. With
`--lnbits-db=postgres` LNbits itself lives on the embedded PostgreSQL instead of SQLite.
"""

import itertools
import os
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

import asyncssh
import httpx
import pytest
from asgi_lifespan import LifespanManager
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import EXTENSION, Account, Lnbits, Wallet
from demo.lnbits_server import lnbits_environment, lnbits_home
from demo.outside import Outside
from demo.postgres import Postgres
from demo.ssh_server import SshServer
from demo.world import World, build_world
from tests.gate import Gate
from tests.rig import API, Configure, DcaClient, MakeClient, MakeWallet, OpenPage, Poll, Setup

_numbers = itertools.count(1)

_MEMORY, _ROOM = Path("/dev/shm"), 4 * 2**30  # noqa: S108 - what Linux calls it
# SQLite waits for the disk at each commit, which a test has no use for.
if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM:
    tempfile.tempdir = str(_MEMORY)


class _World:
    """What the whole run shares; PostgreSQL starts when something first asks for it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="satmachineclient-tests-"))
        self._postgres: Postgres | None = None

    @property
    def postgres(self) -> Postgres:
        if self._postgres is None:
            # What makes a stolen hash dear would cost each login a fortieth of a second.
            cheap = {"scram_iterations": "1"}
            self._postgres = Postgres(self.folder / "postgres", settings=cheap)
            self._postgres.start()
        return self._postgres

    def close(self) -> None:
        if self._postgres is not None:
            self._postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


_world = pytest.StashKey[_World]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--lnbits-db", choices=("sqlite", "postgres"), default="sqlite")
    parser.addoption("--polls", type=int, default=10_000, help="of the soak")


def pytest_configure(config: pytest.Config) -> None:
    world = config.stash[_world] = _World()
    database_url = None
    if config.getoption("--lnbits-db") == "postgres":
        world.postgres.create_database("lnbits")
        database_url = world.postgres.url("lnbits")
    environment = lnbits_environment(world.folder / "lnbits", database_url)
    os.environ.clear()
    os.environ.update(
        environment,
        AUTH_SECRET_KEY=secrets.token_hex(32),
        SATMACHINECLIENT_FIRST_POLL_SECONDS=str(10**9),  # tests poll when they want to
    )
    sys.path.insert(0, str(Path(environment["LNBITS_EXTENSIONS_PATH"], "extensions")))

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clear up then, too
    config.pluginmanager.register(_RootIsNoTestPackage())


class _RootIsNoTestPackage:
    """The root's `__init__.py` is the extension's: pytest would import it, under another name."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collect_directory(
        self, path: Path, parent: pytest.Collector
    ) -> pytest.Collector | None:
        if path != parent.config.rootpath:
            return None
        folder: pytest.Collector = pytest.Dir.from_parent(parent, path=path)
        return folder


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[_world].close()


# Their files take minutes each: begun last, one of them would keep one worker busy alone.
_LONG = ("faults", "simulation", "release")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not set(_LONG) & set(item.path.parts))


def pytest_report_header(config: pytest.Config) -> str:
    return f"LNbits on {config.getoption('--lnbits-db')}"


# ---- LNbits ----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgres(pytestconfig: pytest.Config) -> Postgres:
    """The embedded PostgreSQL server."""
    return pytestconfig.stash[_world].postgres


@pytest.fixture(scope="session")
async def lnbits_app() -> AsyncIterator[Any]:
    """LNbits' ASGI application, started, with the extension installed."""
    before = Path.cwd()
    os.chdir(lnbits_home())
    from bcrypt import gensalt
    from lnbits.app import create_app
    from lnbits.core.models import users

    with pytest.MonkeyPatch.context() as patch:
        # What makes a stolen hash dear would cost each new account of a test a quarter of a second.
        patch.setattr(users, "gensalt", partial(gensalt, rounds=4))
        async with LifespanManager(create_app(), startup_timeout=60, shutdown_timeout=30) as made:
            yield made.app
    os.chdir(before)


@pytest.fixture(scope="session")
async def lnbits(lnbits_app: Any) -> AsyncIterator[Lnbits]:
    """Accounts and anonymous clients of that LNbits."""
    # An error in the application has to look as it does from outside: an answer 500.
    transport = httpx.ASGITransport(lnbits_app, raise_app_exceptions=False)
    api = Lnbits("http://lnbits.test", transport)
    yield api
    await api.close()


@pytest.fixture(scope="session")
async def admin(lnbits: Lnbits) -> Account:
    """The super user, logged in, with the extension enabled."""
    return await lnbits.first_install("admin", secrets.token_hex(8))


@pytest.fixture(scope="session")
async def plain_user(lnbits: Lnbits, admin: Account) -> Account:
    """A user who is no admin, logged in, with the extension enabled."""
    return await lnbits.register("plain_user", secrets.token_hex(8))


@pytest.fixture(scope="session")
async def other_admin(lnbits: Lnbits, admin: Account) -> Account:
    """An admin who is not the super user."""
    from lnbits.settings import settings

    account = await lnbits.register("other_admin", secrets.token_hex(8))
    settings.lnbits_admin_users.append(account.user_id)
    return account


@pytest.fixture(scope="session")
async def admin_key_client(lnbits: Lnbits, admin: Account) -> httpx.AsyncClient:
    """Nobody logged in, but with the admin key of a wallet that the admin owns."""
    wallet = await admin.create_wallet("of the admin")
    return lnbits.anonymous({"X-Api-Key": wallet.adminkey})


@pytest.fixture
async def make_wallet(lnbits_app: Any, admin: Account) -> AsyncIterator[MakeWallet]:
    """`await make_wallet(owner, balance_sats=0, name=None)`: a wallet without a currency.

    After the test they are gone: at each payment LNbits reads all the wallets of who is paid.
    """
    from lnbits.core.db import db as core_db

    made: list[str] = []

    async def make(owner: Account, balance_sats: int = 0, name: str | None = None) -> Wallet:
        wallet = await owner.create_wallet(name or f"wallet {next(_numbers)}")
        made.append(wallet.id)
        await admin.top_up(wallet, balance_sats)
        return wallet

    yield make
    for wallet_id in made:
        await core_db.execute("UPDATE wallets SET deleted = true WHERE id = :id", {"id": wallet_id})


# ---- the ATM's side --------------------------------------------------------------------------


@pytest.fixture(scope="session")
async def _lamassu_databases(postgres: Postgres) -> dict[bool, LamassuDatabase]:
    password = "d'ca%40 <ro>&\"é"  # what SQL, URLs and HTML would each damage
    return {
        fee: await LamassuDatabase.create(postgres, name, password, fixed_fee=fee)
        for fee, name in ((True, "lamassu"), (False, "lamassu_10_1"))
    }


@pytest.fixture
async def lamassu(_lamassu_databases: dict[bool, LamassuDatabase]) -> LamassuDatabase:
    """An empty Lamassu database with `fixed_fee`; `await lamassu.insert(sale, …)`."""
    database = _lamassu_databases[True]
    await database.clear()
    return database


@pytest.fixture
async def lamassu_no_fee(_lamassu_databases: dict[bool, LamassuDatabase]) -> LamassuDatabase:
    """An empty Lamassu database from before 10.2, without `fixed_fee`."""
    database = _lamassu_databases[False]
    await database.clear()
    return database


@pytest.fixture(scope="session")
def ssh_key() -> asyncssh.SSHKey:
    """A client's Ed25519 key, authorized on `ssh_server`."""
    return asyncssh.generate_private_key("ssh-ed25519")


@pytest.fixture
def ssh_server(ssh_key: asyncssh.SSHKey) -> Iterator[SshServer]:
    """A running SSH server with a password and one authorized key."""
    authorized = [ssh_key.export_public_key().decode()]
    with SshServer(password=secrets.token_hex(8), authorized_keys=authorized) as server:
        yield server


# ---- the extension ---------------------------------------------------------------------------


@pytest.fixture
async def ledger_clean(lnbits_app: Any) -> None:
    """Nothing in the extension's tables, and nobody holding its one lease."""
    from lnbits.core.db import db as core_db
    from satmachineclient.connection import db
    from sqlalchemy import text

    list_tables = {
        "SQLITE": "SELECT name FROM satmachineclient.sqlite_master WHERE type = 'table'",
        "POSTGRES": "SELECT tablename FROM pg_tables WHERE schemaname = 'satmachineclient'",
    }[db.type or ""]
    async with db.connect() as connection:
        tables = set((await connection.conn.execute(text(list_tables))).scalars())
        for table in tables - {"ledger_lease"}:
            await connection.conn.execute(text(f"DELETE FROM {EXTENSION}.{table}"))  # noqa: S608
        free = "UPDATE satmachineclient.ledger_lease SET holder = NULL, expires_at = 0"
        await connection.conn.execute(text(free))
        await connection.conn.commit()
    # What LNbits booked for an earlier test would be strangers to this one's reconciliation.
    await core_db.execute("UPDATE apipayments SET tag = 'earlier' WHERE tag = 'satmachineclient'")


@pytest.fixture
async def configure(
    admin: Account, make_wallet: MakeWallet, lamassu: LamassuDatabase, ledger_clean: None
) -> Configure:
    """`await configure(database=lamassu, balance_sats=10_000_000, **fields)`: save one.

    Where crediting is on, sales of any time are credited.
    """
    from satmachineclient import database as database_of_ours

    async def save(
        database: LamassuDatabase | None = None, balance_sats: int = 10_000_000, **fields: Any
    ) -> Setup:
        source = await make_wallet(admin, balance_sats, "source")
        commission = await make_wallet(admin, name="commission")
        body = {
            **(database or lamassu).login(),
            "source_wallet_id": source.id,
            "commission_wallet_id": commission.id,
            "use_ssh_tunnel": False,
            **fields,
        }
        saved = await admin.call("POST", f"{API}/config", body)
        async with database_of_ours.ledger() as work:  # as if crediting had been on all along
            await work.execute(
                "UPDATE satmachineclient.lamassu_config SET credit_since = :long_ago "
                "WHERE credit_since IS NOT NULL",
                long_ago=datetime(2009, 1, 3, tzinfo=timezone.utc),
            )
        return Setup(body, saved, source, commission)

    return save


@pytest.fixture
async def configured(configure: Configure) -> Setup:
    """Direct connection to `lamassu`, ten million sats in the source wallet, an empty ledger."""
    return await configure()


@pytest.fixture
def make_client(admin: Account, plain_user: Account, make_wallet: MakeWallet) -> MakeClient:
    """`await make_client(username, deposits={"GTQ": "1000.00"}, owner=plain_user, **fields)`.

    The deposits are confirmed before it returns.
    """

    async def make(
        username: str | None = None,
        deposits: dict[str, str] | None = None,
        owner: Account | None = None,
        **fields: Any,
    ) -> DcaClient:
        owner = owner or plain_user
        name = username or f"client {next(_numbers)}"
        wallet = await make_wallet(owner, name=name)
        body = {"wallet_id": wallet.id, "username": name, "dca_mode": "flow", **fields}
        client = await admin.call("POST", f"{API}/clients", body)
        for currency, amount in (deposits or {}).items():
            body = {"client_id": client["id"], "amount": amount, "currency": currency}
            deposit = await admin.call("POST", f"{API}/deposits", body)
            status = {"status": "confirmed"}
            await admin.call("PUT", f"{API}/deposits/{deposit['id']}/status", status)
        return DcaClient(client["id"], wallet, owner)

    return make


@pytest.fixture
def poll(admin: Account) -> Poll:
    """`await poll()`: a manual poll, answered as JSON."""

    async def run() -> dict[str, Any]:
        answer: dict[str, Any] = await admin.call("POST", f"{API}/manual-poll")
        return answer

    return run


@pytest.fixture
async def programme(
    admin: Account,
    plain_user: Account,
    configure: Configure,
    make_client: MakeClient,
    make_wallet: MakeWallet,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> Any:
    """Some months of a programme with a partner, for what reads the books: a `Programme`."""
    from tests.programme import build

    return await build(admin, plain_user, configure, make_client, make_wallet, lamassu, poll)


# ---- the page, in a browser ------------------------------------------------------------------

_CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--js-flags=--no-turbofan --no-maglev",  # no page lives long enough for it to pay
]


@pytest.fixture(scope="session")
async def world() -> AsyncIterator[World]:
    """The demo's world: LNbits as a process of its own, SSH tunnel on, three clients, no sales."""
    async with build_world() as built:
        yield built


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Headless Chromium. Skips where there is none, but not in CI."""
    program = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if program is None:
        missing = "Chromium is not installed (Debian: chromium-headless-shell)"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=program, args=_CHROMIUM_OPTIONS)
        yield started
        await started.close()


@pytest.fixture
async def open_page(browser: Browser, world: World) -> AsyncIterator[OpenPage]:
    """`await open_page(account=world.admin, path="/satmachineclient/", **context_options)`.

    A new browser context that is logged in as the account. At the end no page may have had an
    uncaught JavaScript error.
    """
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    async def visit(
        account: Account | None = None, path: str = f"/{EXTENSION}/", **options: Any
    ) -> Page:
        url = world.lnbits.url
        context = await browser.new_context(base_url=url, **options)
        contexts.append(context)
        token = (account or world.admin).token
        cookies = {"cookie_access_token": token, "is_lnbits_user_authorized": "true"}
        await context.add_cookies(
            [{"name": name, "value": value, "url": url} for name, value in cookies.items()]
        )
        # LNbits' own first-visit dialog.
        await context.add_init_script("localStorage.setItem('lnbits.disclaimerShown', 'true')")
        page = await context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        await page.goto(path)
        return page

    yield visit
    for context in contexts:
        await context.close()
    assert not errors, errors


@pytest.fixture(scope="module")
async def outside(
    lnbits_app: Any, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Outside]:
    async with Outside(tmp_path_factory.mktemp("outside")) as made:
        yield made


@pytest.fixture
async def gate(outside: Outside) -> AsyncIterator[Gate]:
    """LNbits pays over the second one for the time of a test."""
    from lnbits.settings import settings
    from lnbits.wallets import set_funding_source

    made = Gate(outside.lnbits.url)
    settings.lnbits_endpoint, settings.lnbits_key = made.url, outside.node.adminkey
    settings.lnbits_lnurl_allow_private_ips = True
    settings.lnbits_funding_source_pay_invoice_wait_seconds = 1
    set_funding_source("LNbitsWallet")
    yield made
    set_funding_source("FakeWallet")
    settings.lnbits_lnurl_allow_private_ips = False
    settings.lnbits_funding_source_pay_invoice_wait_seconds = 5
    made.close()

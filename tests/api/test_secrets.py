"""Secrets go in, are kept encrypted, work when they are needed, and never come out again."""

import base64
import itertools
import json
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import asyncpg
import asyncssh
import httpx
import pytest

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account
from demo.postgres import Postgres
from demo.processes import free_port
from demo.ssh_server import SshServer
from tests.rig import API, Configure, Poll, Setup

pytestmark = pytest.mark.storage

ODD = '<b>&amp; "it\'s" 100%40 a:b@c/d?e#f \\n 🔑 é'  # what SQL, HTML, URLs and JSON would damage
SSH_ODD = ODD.replace("🔑", "")  # the test's SSH server prepares passwords by Unicode 3.2
KINDS = ("password", "ssh_password", "ssh_private_key", "ssh_private_key_passphrase")
# The host, port and user that each secret belongs to, and another value for each.
ELSEWHERE: dict[str, Any] = {
    "host": "192.0.2.99",
    "port": 5433,
    "username": "somebody",
    "ssh_host": "192.0.2.98",
    "ssh_port": 2222,
    "ssh_username": "somebody",
}
BELONGS_TO = {
    "password": ("host", "port", "username", "ssh_host", "ssh_port"),
    **dict.fromkeys(KINDS[1:], ("ssh_host", "ssh_port", "ssh_username")),
}


def new_key(passphrase: str | None = None) -> asyncssh.SSHKey:
    return asyncssh.generate_private_key("ssh-ed25519", comment=passphrase or "")


@dataclass
class Vault:
    """A server with both ways in, and every secret that was ever sent to LNbits."""

    ssh: SshServer
    key_text: str
    passphrase: str
    password: str
    sent: set[str] = field(default_factory=set)

    @property
    def tunnel(self) -> dict[str, Any]:
        return {
            "use_ssh_tunnel": True,
            "ssh_host": self.ssh.host,
            "ssh_port": self.ssh.port,
            "ssh_username": self.ssh.username,
            "ssh_host_key_fingerprint": self.ssh.fingerprint,
        }

    @property
    def by_key(self) -> dict[str, Any]:
        key = {"ssh_private_key": self.key_text, "ssh_private_key_passphrase": self.passphrase}
        return {**self.tunnel, **key}

    @property
    def by_password(self) -> dict[str, Any]:
        return {**self.tunnel, "ssh_password": self.password}


@pytest.fixture(scope="module")
def vault() -> Iterator[Vault]:
    key = new_key()
    passphrase, password = f"phrase {ODD}", f"ssh {SSH_ODD}"
    text = key.export_private_key(
        "openssh", passphrase=passphrase, rounds=1, ignore_few_rounds=True
    ).decode()
    authorized = [key.export_public_key().decode()]
    with SshServer(password=password, authorized_keys=authorized) as server:
        yield Vault(server, text, passphrase, password)


@pytest.fixture
async def odd_password(lamassu: LamassuDatabase, postgres: Postgres) -> AsyncIterator[str]:
    """The reader's password while the test runs: one that every careless layer damages."""
    password = f"pg {ODD}"
    postgres.create_role(lamassu.reader, password)
    yield password
    postgres.create_role(lamassu.reader, lamassu.reader_password)


def needles(secret: str) -> set[bytes]:
    """A secret in the forms in which careless code writes it; of a key, a line in its middle."""
    lines = secret.strip().splitlines()
    text = lines[len(lines) // 2] if len(lines) > 1 else secret
    raw = text.encode()
    forms = {raw, repr(text)[1:-1].encode(), json.dumps(text)[1:-1].encode(), raw.hex().encode()}
    forms |= {json.dumps(text, ensure_ascii=False)[1:-1].encode()}
    forms |= {quote(text).encode(), quote_plus(text).encode(), text.replace("'", "''").encode()}
    for shift in range(3):  # base64 of a text that stands anywhere in a longer one
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            forms.add(encode(b"x" * shift + raw)[4:-4])
    return {form for form in forms if len(form) > 8}


def found_in(haystack: bytes, secrets: set[str]) -> set[str]:
    return {secret[:30] for secret in secrets for form in needles(secret) if form in haystack}


async def everything_stored(postgres: Postgres) -> bytes:
    """All files of LNbits' data folder, and all rows of its PostgreSQL if it has one."""
    from lnbits.settings import settings

    content = [
        path.read_bytes() for path in Path(settings.lnbits_data_folder).rglob("*") if path.is_file()
    ]
    assert content
    if settings.lnbits_database_url:
        connection = await asyncpg.connect(settings.lnbits_database_url)
        tables = await connection.fetch(
            "SELECT schemaname, tablename FROM pg_tables "
            "WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        for schema, table in tables:
            rows = await connection.fetch(f'SELECT t::text FROM "{schema}"."{table}" t')  # noqa: S608
            content += [row[0].encode() for row in rows]
        await connection.close()
    return b"\n".join(content)


@pytest.fixture
def written() -> Iterator[list[str]]:
    """All that the process logs: loguru at TRACE with the values of variables, logging at DEBUG."""
    from loguru import logger

    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if not record.name.startswith("asyncssh"):  # the test's own server
                lines.append(self.format(record))

    handler, root = Keep(), logging.getLogger()
    level = root.level
    sink = logger.add(
        lambda line: lines.append(str(line)), level="TRACE", backtrace=True, diagnose=True
    )
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lines
    root.removeHandler(handler)
    root.setLevel(level)
    logger.remove(sink)


def test_the_search_itself_finds_what_it_looks_for() -> None:
    for secret in (ODD, new_key().export_private_key("openssh").decode()):
        for text in (
            secret,
            json.dumps({"a": secret}),
            repr([secret]),
            f"http://x/?{quote(secret)}",
        ):
            assert found_in(f"log: {text}.".encode(), {secret})
        for offset in range(3):
            assert found_in(base64.b64encode(b"-" * offset + secret.encode() + b"--"), {secret})
    assert not found_in(b"nothing of it", {ODD})


# ---- they work -------------------------------------------------------------------------------


async def test_odd_secrets_work_after_they_were_stored(
    configure: Configure, vault: Vault, odd_password: str, poll: Poll, admin: Account
) -> None:
    for way in ({}, vault.by_password, vault.by_key):
        await configure(password=odd_password, **way)
        result = await poll()
        assert result["success"], result["error"]
        tested = await admin.call("POST", f"{API}/test-connection", {})
        assert tested["success"], tested["message"]


async def test_a_key_without_a_passphrase_and_with_windows_line_ends_works(
    configure: Configure, poll: Poll
) -> None:
    key = new_key()
    authorized = [key.export_public_key().decode()]
    text = key.export_private_key("openssh").decode().replace("\n", "\r\n")
    with SshServer(authorized_keys=authorized) as server:
        await configure(**Vault(server, text, "", "").tunnel, ssh_private_key=text)
        result = await poll()
    assert result["success"], result["error"]


# ---- they do not come out --------------------------------------------------------------------


async def test_secrets_are_in_no_file_row_answer_or_log(
    configure: Configure,
    vault: Vault,
    odd_password: str,
    admin: Account,
    postgres: Postgres,
    written: list[str],
    lamassu: LamassuDatabase,
) -> None:
    from satmachineclient import transaction_processor

    answers: list[str] = []
    sent = {odd_password, vault.password, vault.passphrase, vault.key_text}

    async def ask(method: str, path: str, body: Any = None) -> None:
        sent.update(str(body[kind]) for kind in KINDS if body and body.get(kind))
        answer = await admin.request(method, f"{API}{path}", json=body)
        assert answer.status_code < 500, answer.text
        answers.append(answer.text)

    def another(kind: str) -> str:
        return f"wrong {kind} {ODD} {len(sent)}"

    setup = await configure(password=odd_password, **vault.by_key)
    all_four = {**setup.body, **vault.by_password}
    foreign_key = new_key().export_private_key("openssh").decode()
    ways: list[dict[str, Any]] = [
        {},
        {"ssh_password": vault.password},
        {"password": another("password")},
        {"ssh_private_key_passphrase": another("passphrase")},
        {"ssh_private_key": foreign_key},
        {"ssh_private_key": f"-----BEGIN {another('key')} KEY-----\n{another('line')}\n-"},
        {"ssh_private_key": "-----BEGIN OPENSSH PRIVATE KEY-----\n" + another("key")},
        {"ssh_host_key_fingerprint": "SHA256:" + "A" * 43},
        {"database_name": "no such database"},
        {"port": free_port()},
        {"ssh_port": free_port()},
        {"use_ssh_tunnel": False, "port": free_port()},
        {"use_ssh_tunnel": False, "host": "no-such-host.invalid"},
        {"ssl_mode": "require"},
        {"ssl_mode": "verify-full", "ssl_ca_certificate": "no certificate"},
        {"timezone": "Nowhere/Nowhere"},  # refused as a whole
        {"unknown": another("unknown")},
        {"password": "x" * 1001},
    ]
    for way in ways:
        body = {**all_four, **way}
        await ask("POST", "/test-connection", body)
        await ask("POST", "/config", body)
        await ask("POST", "/manual-poll")
        await ask("POST", "/test-connection", {})
        await transaction_processor._scheduled_poll("hourly")
    for path in ("/config", "/polls", "/polls/paginated", "/transactions", "/reconciliation"):
        await ask("GET", path)

    results = [json.loads(text) for text in answers]
    assert {r["success"] for r in results if "poll_id" in r} == {True, False}
    assert len(written) > 100 and "poll failed" in "\n".join(written)
    assert len(sent) > 8
    secrets = sent - {"x" * 1001}
    assert not found_in("\n".join(answers).encode(), secrets)
    assert not found_in("\n".join(written).encode(errors="replace"), secrets)
    assert not found_in(await everything_stored(postgres), secrets)


async def test_no_answer_shows_even_the_encrypted_form(configured: Setup, admin: Account) -> None:
    from satmachineclient import crud

    stored = await crud.get_config()
    assert stored and stored.password and stored.password not in (configured.body["password"], "")
    for path in ("/config", "/polls"):
        assert stored.password not in (await admin.get(f"{API}{path}")).text
    await admin.call("POST", f"{API}/config", configured.body)
    again = await crud.get_config()
    assert again and again.password != stored.password  # another form each time


# ---- they are kept, and for one place only ---------------------------------------------------


@pytest.fixture
async def with_all(configure: Configure) -> dict[str, Any]:
    """A saved configuration with all four secrets; its body without them."""
    place: dict[str, Any] = {"host": "192.0.2.1", "port": 5432, "username": "dca_ro"}
    tunnel: dict[str, Any] = {"ssh_host": "192.0.2.2", "ssh_port": 22, "ssh_username": "tunnel"}
    all_four: dict[str, Any] = {kind: f"{kind} of now" for kind in KINDS}
    setup = await configure(**place, **tunnel, **all_four, use_ssh_tunnel=True)
    return {name: value for name, value in setup.body.items() if name not in KINDS}


async def stored_secrets() -> dict[str, str | None]:
    from satmachineclient import crud
    from satmachineclient.helpers import decrypt

    config = await crud.get_config()
    assert config
    return {kind: (t := getattr(config, kind)) and decrypt(t) for kind in KINDS}


async def test_a_secret_left_out_or_empty_keeps_the_stored_one(
    with_all: dict[str, Any], admin: Account
) -> None:
    before = await stored_secrets()
    for nothing in ({}, dict.fromkeys(KINDS, "")):
        saved = await admin.call("POST", f"{API}/config", {**with_all, **nothing})
        assert all(saved[f"has_{kind}"] for kind in KINDS)
        assert await stored_secrets() == before
    await admin.call("POST", f"{API}/config", {**with_all, "ssh_password": "new"})
    assert await stored_secrets() == {**before, "ssh_password": "new"}


async def test_null_removes_a_secret_and_only_that(
    with_all: dict[str, Any], admin: Account
) -> None:
    left = await stored_secrets()
    for kind in KINDS:
        saved = await admin.call("POST", f"{API}/config", {**with_all, kind: None})
        left[kind] = None
        assert await stored_secrets() == left
        assert not saved[f"has_{kind}"]


async def test_at_a_new_place_one_login_is_enough_and_the_other_kind_is_dropped(
    with_all: dict[str, Any], admin: Account, subtests: pytest.Subtests
) -> None:
    places, logins = ("ssh_host", "ssh_port", "ssh_username"), ("ssh_password", "ssh_private_key")
    others: list[dict[str, Any]] = [{}, *(dict.fromkeys(KINDS[1:], rest) for rest in ("", None))]
    for name, login, nothing in itertools.product(places, logins, others):
        with subtests.test(name=name, login=login, others=nothing):
            here = {kind: f"{kind} of now" for kind in KINDS}
            await admin.call("POST", f"{API}/config", {**with_all, **here})
            new = {"password": "new", login: "new"}
            place = {name: ELSEWHERE[name]}
            await admin.call("POST", f"{API}/config", {**with_all, **place, **nothing, **new})
            assert await stored_secrets() == {**dict.fromkeys(KINDS), **new}


@pytest.mark.parametrize("path", ["/config", "/test-connection"])
async def test_another_place_needs_a_login_of_its_own(
    path: str, with_all: dict[str, Any], admin: Account
) -> None:
    before = await stored_secrets()
    given = {
        "password": dict.fromkeys(KINDS[1:], "given again"),
        "ssh_password": {"password": "again", "ssh_private_key_passphrase": "no login by itself"},
    }
    for kind, others in given.items():
        for name in BELONGS_TO[kind]:
            for nothing in ({}, {kind: ""}):
                body = {**with_all, **others, name: ELSEWHERE[name], **nothing}
                answer = await admin.post(f"{API}{path}", json=body)
                assert answer.status_code == 400, (kind, name)
                detail = answer.json()["detail"]
                assert detail.startswith(f"{kind}: enter ") and f"because {name} changes" in detail
    for tunnel_off in ({"use_ssh_tunnel": False},):  # the database is then another's neighbour
        answer = await admin.post(f"{API}{path}", json={**with_all, **tunnel_off})
        assert answer.status_code == 400 and "password" in answer.json()["detail"]
    assert await stored_secrets() == before


async def test_given_again_they_go_to_the_new_place(
    with_all: dict[str, Any], admin: Account
) -> None:
    again = {kind: f"{kind} of then" for kind in KINDS}
    await admin.call("POST", f"{API}/config", {**with_all, **ELSEWHERE, **again})
    assert await stored_secrets() == again


async def test_no_detour_over_a_tunnel_switched_off_frees_a_secret(
    with_all: dict[str, Any], admin: Account, configure: Configure
) -> None:
    """Else: switch it off, move the host, switch it on, and the secret goes to the new host."""
    off = {**with_all, "use_ssh_tunnel": False, "password": "anything"}
    for name in ("ssh_host", "ssh_port", "ssh_username"):
        answer = await admin.post(f"{API}/config", json={**off, name: ELSEWHERE[name]})
        assert answer.status_code == 400, name
    answer = await admin.post(f"{API}/config", json={**off, "ssh_host": None})
    assert answer.status_code == 400
    assert (await admin.call("POST", f"{API}/config", off))["has_ssh_password"]  # same place: kept


async def test_an_unsaved_place_never_gets_a_stored_secret(
    configure: Configure, vault: Vault, admin: Account
) -> None:
    """A server of an attacker's, with the stored password, would have been logged in to."""
    await configure(**vault.by_password)
    with SshServer(password=vault.password) as theirs:
        body = {**vault.tunnel, "ssh_port": theirs.port}
        body["ssh_host_key_fingerprint"] = theirs.fingerprint
        stored = await admin.call("GET", f"{API}/config")
        for name in ("host", "port", "database_name", "username", "source_wallet_id"):
            body[name] = stored[name]
        answer = await admin.post(f"{API}/test-connection", json={**body, "password": "x"})
        assert answer.status_code == 400 and answer.json()["detail"].startswith("ssh_password:")
        assert theirs.logins == 0


# ---- LNbits' own key has changed -------------------------------------------------------------


@pytest.fixture
def another_server_key() -> Iterator[None]:
    from lnbits.settings import settings

    before = settings.auth_secret_key
    yield
    settings.auth_secret_key = before


@pytest.mark.usefixtures("another_server_key")
async def test_with_another_server_key_it_says_what_to_enter_again(
    configure: Configure,
    vault: Vault,
    odd_password: str,
    admin_key_client: httpx.AsyncClient,
) -> None:
    from lnbits.settings import settings
    from satmachineclient import transaction_processor

    setup = await configure(password=odd_password, **vault.by_key)
    settings.auth_secret_key = "another key"  # sessions end with it, wallets' keys do not
    lost = ["password", "ssh_private_key", "ssh_private_key_passphrase"]

    config = (await admin_key_client.get(f"{API}/config")).json()
    assert config["secrets_to_reenter"] == lost
    answer = await admin_key_client.post(f"{API}/manual-poll")
    assert answer.status_code == 200 and answer.json()["success"] is False
    assert f"Enter again in the configuration: {', '.join(lost)}" in answer.json()["error"]
    tested = (await admin_key_client.post(f"{API}/test-connection", json={})).json()
    assert tested["success"] is False and answer.json()["error"] == tested["message"]
    await transaction_processor._scheduled_poll("hourly")  # nor does the hourly task crash
    polls = (await admin_key_client.get(f"{API}/polls")).json()
    assert [poll["error"] for poll in polls] == [tested["message"]] * 2

    saved = (await admin_key_client.post(f"{API}/config", json=setup.body)).json()
    assert saved["secrets_to_reenter"] == []
    assert (await admin_key_client.post(f"{API}/manual-poll")).json()["success"]


async def test_damaged_stored_text_is_a_lost_secret(configured: Setup, admin: Account) -> None:
    from satmachineclient import crud
    from satmachineclient.models import AuditEntry

    config = await crud.get_config()
    assert config and config.password
    for damaged in (config.password[:-9], "", "x", config.password.swapcase(), "é"):
        audit = AuditEntry.of("test", "damaged", "default")
        await crud.save_config(config.copy(update={"password": damaged}), audit)
        shown = await admin.call("GET", f"{API}/config")
        assert shown["secrets_to_reenter"] == (["password"] if damaged else [])
        assert (await admin.call("POST", f"{API}/manual-poll"))["success"] is False


async def test_the_checklist_warns_while_lnbits_logs_the_bodies_of_these_requests(
    admin: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lnbits.settings import settings

    async def warns() -> bool:
        overview = await admin.call("GET", f"{API}/overview")
        return bool(overview["setup"]["request_bodies_logged"])

    assert not await warns()
    monkeypatch.setattr(settings, "lnbits_audit_log_request_body", True)
    assert await warns()
    monkeypatch.setattr(settings, "lnbits_audit_exclude_paths", ["/satmachineclient/.*"])
    assert not await warns()

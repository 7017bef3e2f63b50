"""Ways into the ATM's database: those that work, and what is said of each that does not."""

import asyncio
import secrets
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from satmachineclient.atm import limits, postgres, tunnel
from satmachineclient.atm.way import LamassuError
from satmachineclient.models_config import Target

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account
from demo.processes import free_port
from demo.sales import Sale
from demo.ssh_server import SshServer
from tests.lamassu_rig import now, read, silent_port, target_at
from tests.rig import API, Configure, MakeClient, Poll

PASSPHRASE = "a <b> 'ö' %"
FORMS = {
    "openssh": PrivateFormat.OpenSSH,
    "pkcs8": PrivateFormat.PKCS8,
    "traditional": PrivateFormat.TraditionalOpenSSL,
}


@pytest.fixture(scope="module")
def keys() -> dict[str, Any]:
    return {
        "rsa": rsa.generate_private_key(65537, 2048),
        "ecdsa": ec.generate_private_key(ec.SECP384R1()),
        "ed25519": ed25519.Ed25519PrivateKey.generate(),
    }


@pytest.fixture(scope="module")
def key_server(keys: dict[str, Any]) -> Iterator[SshServer]:
    """It lets these keys in, and no password."""
    lines = [
        key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
        for key in keys.values()
    ]
    with SshServer(authorized_keys=lines) as server:
        yield server


async def refused(target: Target) -> LamassuError:
    """What connecting fails with; no secret in it."""
    with pytest.raises(LamassuError) as caught:
        async with postgres.connect(target):
            pass
    for name in ("password", "ssh_password", "ssh_private_key_passphrase"):
        assert not (secret := getattr(target, name)) or secret not in str(caught.value)
    return caught.value


def check(error: LamassuError, step: str, *parts: str) -> None:
    assert error.step == step, error
    for part in parts:
        assert part in str(error)


# ---- what works ------------------------------------------------------------------------------


async def test_sales_are_read_directly(lamassu: LamassuDatabase) -> None:
    sale = Sale(created=now())
    await lamassu.insert(sale)
    assert list(await read(target_at(lamassu))) == [str(sale.id)]


async def test_sales_are_read_through_the_tunnel_with_a_password(
    lamassu: LamassuDatabase, ssh_server: SshServer
) -> None:
    sale = Sale(created=now())
    await lamassu.insert(sale)
    assert list(await read(target_at(lamassu, ssh_server))) == [str(sale.id)]
    assert ssh_server.logins == 1
    assert set(ssh_server.forwarded) == {(lamassu.postgres.host, lamassu.postgres.port)}


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE], ids=["plain", "encrypted"])
@pytest.mark.parametrize(
    ("kind", "form"),
    [(k, f) for k in ("rsa", "ecdsa", "ed25519") for f in FORMS if (k, f[0]) != ("ed25519", "t")],
)
async def test_sales_are_read_through_the_tunnel_with_a_key(
    lamassu: LamassuDatabase,
    key_server: SshServer,
    keys: dict[str, Any],
    kind: str,
    form: str,
    passphrase: str | None,
) -> None:
    secret = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    text = keys[kind].private_bytes(Encoding.PEM, FORMS[form], secret).decode()
    target = target_at(
        lamassu, key_server, ssh_private_key=text, ssh_private_key_passphrase=passphrase
    )
    sale = Sale(created=now())
    await lamassu.insert(sale)
    assert list(await read(target)) == [str(sale.id)]


async def test_the_users_own_files_and_agent_play_no_part(
    lamassu: LamassuDatabase,
    ssh_server: SshServer,
    ssh_key: asyncssh.SSHKey,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = {
        ".ssh/config": "Host *\n HostName 192.0.2.1\n Port 1\n User nobody\n ProxyCommand false\n",
        ".ssh/known_hosts": f"* {asyncssh.generate_private_key('ssh-rsa').export_public_key()!r}",
        ".ssh/id_ed25519": ssh_key.export_private_key().decode(),
        ".pgpass": f"*:*:*:*:{lamassu.reader_password.replace(':', chr(92) + ':')}\n",
        ".postgresql/postgresql.crt": "no certificate",
        ".postgresql/postgresql.key": "no key",
        ".postgresql/root.crt": "no certificate",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    with socket.socket(socket.AF_UNIX) as agent:
        agent.bind(str(tmp_path / "agent"))
        agent.listen()
        agent.setblocking(False)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
        good = target_at(lamassu, ssh_server)

        await read(good)
        wrong = await refused(replace(good, ssh_password="wrong"))
        no_secret = await refused(replace(good, ssh_password=None))
        no_database_password = await refused(replace(good, password=None))

        check(wrong, "login")  # although a key that fits lies in the home folder
        check(no_secret, "configuration", "enter a private key or an SSH password")
        check(no_database_password, "database", "refused user")  # although .pgpass has it
        with pytest.raises(BlockingIOError):
            agent.accept()


# ---- what does not ---------------------------------------------------------------------------


async def test_a_wrong_ssh_password_is_refused_at_the_login(
    lamassu: LamassuDatabase, ssh_server: SshServer
) -> None:
    error = await refused(target_at(lamassu, ssh_server, ssh_password="wrong-secret"))
    check(error, "login", "did not let user 'tunnel' in with this password", "Check ssh_username")


async def test_an_unknown_ssh_user_is_refused_at_the_login(
    lamassu: LamassuDatabase, ssh_server: SshServer
) -> None:
    error = await refused(target_at(lamassu, ssh_server, ssh_username="somebody"))
    check(error, "login", "user 'somebody'")


async def test_a_key_that_is_not_authorized_is_refused_at_the_login(
    lamassu: LamassuDatabase, ssh_server: SshServer
) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    error = await refused(target_at(lamassu, ssh_server, ssh_private_key=key))
    check(error, "login", "with this private key", "authorized_keys")


async def test_a_password_where_only_keys_are_let_in_is_told_so(
    lamassu: LamassuDatabase, key_server: SshServer
) -> None:
    error = await refused(target_at(lamassu, key_server, ssh_password="some-secret"))
    check(error, "login", "allowed types: ['publickey']")


async def test_an_unusable_key_is_found_before_anything_is_sent(
    lamassu: LamassuDatabase, ssh_server: SshServer
) -> None:
    error = await refused(target_at(lamassu, ssh_server, ssh_private_key="no key"))
    check(error, "configuration", "ssh_private_key: is not a private key")
    assert ssh_server.logins == 0


async def test_no_ssh_server_at_that_port(lamassu: LamassuDatabase, ssh_server: SshServer) -> None:
    port = free_port()
    error = await refused(target_at(lamassu, ssh_server, ssh_port=port))
    check(error, "ssh", f"No SSH server answers at 127.0.0.1:{port} ", "refused", "firewall")


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 70, "a..b", "-"])
async def test_a_name_that_is_no_host(
    lamassu: LamassuDatabase, ssh_server: SshServer, host: str
) -> None:
    check(await refused(target_at(lamassu, ssh_server, ssh_host=host)), "ssh", "Check ssh_host")
    check(await refused(target_at(lamassu, host=host)), "database", "Check host")


async def test_a_port_that_is_not_ssh(lamassu: LamassuDatabase, ssh_server: SshServer) -> None:
    error = await refused(target_at(lamassu, ssh_server, ssh_port=lamassu.postgres.port))
    check(error, "ssh", "does not speak SSH", "Check ssh_host and ssh_port")


async def test_a_port_that_is_not_postgresql(
    lamassu: LamassuDatabase, ssh_server: SshServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CONNECT_SECONDS", 1)
    error = await refused(target_at(lamassu, port=ssh_server.port))
    check(error, "database", "No PostgreSQL session", "Check host, port")


@pytest.mark.parametrize("answer", [b"S", b"N" * 9, b"R\xff\xff\xff\xff", b"E\0\0\0\x05\0", b"\0"])
async def test_a_server_that_talks_nonsense_does_no_harm(
    lamassu: LamassuDatabase,
    ssh_server: SshServer,
    answer: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "CONNECT_SECONDS", 0.3)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(answer * 3)
        await reader.read(100)
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        for mode in ("disable", "prefer", "require"):
            check(await refused(target_at(lamassu, port=port, ssl_mode=mode)), "database")
        check(await refused(target_at(lamassu, ssh_server, ssh_port=port)), "ssh")


async def test_a_server_that_never_answers_ends_in_a_time_out(
    lamassu: LamassuDatabase, ssh_server: SshServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CONNECT_SECONDS", 0.3)
    with silent_port() as port:
        check(await refused(target_at(lamassu, ssh_server, ssh_port=port)), "ssh", "timed out")
        check(await refused(target_at(lamassu, port=port)), "database", "timed out")
        behind = target_at(lamassu, ssh_server, port=port)
        check(await refused(behind), "database", "timed out", "seen from the SSH server")


async def test_a_host_key_that_is_not_accepted_yet_is_shown(
    lamassu: LamassuDatabase, ssh_server: SshServer
) -> None:
    error = await refused(target_at(lamassu, ssh_server, ssh_host_key_fingerprint=None))
    check(error, "host_key", ssh_server.fingerprint, "not accepted yet", "ssh-keygen -lf")
    assert ssh_server.logins == 0


async def test_a_changed_host_key_is_refused_and_both_are_shown(
    lamassu: LamassuDatabase, ssh_server: SshServer
) -> None:
    target = target_at(lamassu, ssh_server)
    accepted = ssh_server.fingerprint
    ssh_server.restart(host_key=asyncssh.generate_private_key("ssh-ed25519"))
    error = await refused(target)
    check(error, "host_key", "has changed", accepted, ssh_server.fingerprint, "accept the new key")
    assert ssh_server.logins == 0


async def test_a_refused_tunnel_target_says_what_the_ssh_server_said(
    lamassu: LamassuDatabase, ssh_server: SshServer
) -> None:
    down = await refused(target_at(lamassu, ssh_server, port=free_port()))
    check(down, "database", "The SSH server cannot connect to PostgreSQL at 127.0.0.1:", "failed")
    forbidden = await refused(target_at(lamassu, ssh_server, host="192.0.2.9"))
    check(forbidden, "database", "192.0.2.9", "AllowTcpForwarding")


async def test_a_server_that_ends_the_connection_after_the_login(
    lamassu: LamassuDatabase, ssh_server: SshServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As sshd does for an account that has expired. sshtunnel's own stop would wait for ever."""
    log_in = tunnel.Tunnel._log_in

    def cut(self: Any, transport: Any) -> None:
        log_in(self, transport)
        transport.close()

    monkeypatch.setattr(tunnel.Tunnel, "_log_in", cut)
    error = await asyncio.wait_for(refused(target_at(lamassu, ssh_server)), 10)
    check(error, "login", "right after user 'tunnel'")


async def test_a_wrong_database_password_user_or_name(lamassu: LamassuDatabase) -> None:
    target = target_at(lamassu)
    wrong = await refused(replace(target, password="wrong-secret"))
    check(wrong, "database", "refused user 'dca_ro'", "pg_hba.conf")
    check(await refused(replace(target, username="nobody")), "database", "refused user 'nobody'")
    no_database = await refused(replace(target, database="nothing", username="postgres"))
    check(no_database, "database", "refused user")  # who may not enter is not told what there is
    password = lamassu.postgres.password
    superuser = replace(target, username="postgres", password=password)
    nothing = await refused(replace(superuser, database="nothing"))
    check(nothing, "database", "There is no database 'nothing'", "usually 'lamassu'")


async def test_without_the_packages_only_the_tunnel_is_missing(
    lamassu: LamassuDatabase, ssh_server: SshServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tunnel, "paramiko", None)  # installed since LNbits started
    check(await refused(target_at(lamassu, ssh_server)), "ssh", "restart LNbits")
    async with postgres.connect(target_at(lamassu)) as session:  # directly it works as before
        assert await session.fetchval("SELECT 1") == 1


# ---- what a failed way in does to the poll ---------------------------------------------------


@pytest.mark.filterwarnings("ignore:Warning. bcrypt")
async def test_a_failed_read_is_a_failed_poll_and_the_next_good_one_finds_everything(
    admin: Account,
    configure: Configure,
    make_client: MakeClient,
    poll: Poll,
    lamassu: LamassuDatabase,
    ssh_server: SshServer,
    ssh_key: asyncssh.SSHKey,
) -> None:
    key = ssh_key.export_private_key().decode()
    encrypted = ssh_key.export_private_key(passphrase=PASSPHRASE, rounds=4).decode()
    setup = await configure(
        use_ssh_tunnel=True,
        ssh_host=ssh_server.host,
        ssh_port=ssh_server.port,
        ssh_username=ssh_server.username,
        ssh_private_key=key,
        ssh_host_key_fingerprint=ssh_server.fingerprint,
    )
    client = await make_client(deposits={"GTQ": "1000.00"})
    await lamassu.insert(*(Sale(created=now(), name=f"{n}") for n in range(2)))
    secrets_again = {"password": setup.body["password"], "ssh_private_key": key}
    other = "SHA256:" + secrets.token_hex(8)
    failures: dict[str, dict[str, Any]] = {
        "No SSH server answers": {"ssh_port": free_port(), **secrets_again},
        "does not speak SSH": {"ssh_port": lamassu.postgres.port, **secrets_again},
        "has changed": {"ssh_host_key_fingerprint": other},
        "not accepted yet": {"ssh_host_key_fingerprint": None},
        "this private key": {"ssh_username": "somebody", **secrets_again},
        "cannot connect to PostgreSQL": {"port": free_port(), **secrets_again},
        "refused user": {"password": "not it"},
        "this SSH key is encrypted": {"ssh_private_key": encrypted},
        "passphrase is wrong": {
            "ssh_private_key": encrypted,
            "ssh_private_key_passphrase": "not it",
        },
    }
    before = await admin.call("GET", f"{API}/config")
    for reason, wrong in failures.items():
        await admin.call("POST", f"{API}/config", {**setup.body, **wrong})

        result = await poll()

        assert (result["success"], result["planned"]) == (False, 0)
        assert reason in result["error"]
        record = next(
            p for p in await admin.call("GET", f"{API}/polls") if p["id"] == result["poll_id"]
        )
        assert (record["status"], record["error"]) == ("failed", result["error"])
    assert await admin.call("GET", f"{API}/transactions") == []
    after = await admin.call("GET", f"{API}/config")
    assert after["last_successful_poll"] == before["last_successful_poll"] is None

    await admin.call("POST", f"{API}/config", setup.body)
    good = await poll()

    assert (good["success"], good["planned"], good["confirmed_payments"]) == (True, 2, 2)
    assert await client.owner.balance(client.wallet) == good["distributed_sats"] > 0

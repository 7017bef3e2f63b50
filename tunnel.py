"""The way into the ATM's database: the SSH tunnel and the read-only session at its end.

Whatever can go wrong on the way becomes a `LamassuError` that says where, why and what to do, and
never holds a secret. What is read in the session is `lamassu.py`'s subject.
"""

import asyncio
import base64
import hashlib
import io
import logging
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Literal

import asyncpg
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from .models import ConnectionStep

try:
    import paramiko
    from sshtunnel import BaseSSHTunnelForwarderError, SSHTunnelForwarder
except ImportError:  # LNbits installs no packages for an extension
    paramiko = None  # type: ignore[assignment]
    SSHTunnelForwarder = object
    BaseSSHTunnelForwarderError = OSError

INSTALL_COMMAND = "pip install sshtunnel==0.5.1 paramiko==5.1.0"
CONNECT_SECONDS: float = 15
STATEMENT_SECONDS: float = 30
_OVERRUN_SECONDS: float = 5  # for a server that does not keep the statement time-out
_CLOSE_SECONDS = 5
_LOG = "satmachineclient.sshtunnel"
_NO_SESSION = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, asyncio.TimeoutError)


class LamassuError(Exception):
    """The ATM's side failed: what, and what to do about it. Never holds a secret."""

    def __init__(self, step: str, message: str) -> None:
        super().__init__(message)
        self.step = step
        self.raised_at = monotonic()


@dataclass(frozen=True)
class Target:
    """Where the ATM's database is and how to get in, with the secrets in clear."""

    host: str
    port: int
    database: str
    username: str
    password: str | None = field(default=None, repr=False)
    use_ssh_tunnel: bool = False
    ssh_host: str | None = None
    ssh_port: int = 22
    ssh_username: str | None = None
    ssh_password: str | None = field(default=None, repr=False)
    ssh_private_key: str | None = field(default=None, repr=False)
    ssh_private_key_passphrase: str | None = field(default=None, repr=False)
    ssh_host_key_fingerprint: str | None = None
    ssl_mode: str = "prefer"
    ssl_ca_certificate: str | None = None


class Way:
    """How far a connection has come: the steps so far, each with the time that it took."""

    def __init__(self) -> None:
        self.steps: list[ConnectionStep] = []
        self.fingerprint: str | None = None
        """Of the SSH server that answered, also where it is not the accepted one."""
        self._since = monotonic()

    def passed(self, step: str, detail: str) -> None:
        self._add(step, "ok", detail, monotonic())

    def failed(self, error: LamassuError) -> None:
        self._add(error.step, "failed", str(error), error.raised_at)

    def _add(self, name: str, status: Literal["ok", "failed"], detail: str, at: float) -> None:
        took = round((at - self._since) * 1000)
        self.steps.append(ConnectionStep(name=name, status=status, detail=detail, duration_ms=took))
        self._since = at


def plain(exc: BaseException) -> str:
    """The reason in one short line; some exceptions have no text of their own."""
    if isinstance(exc, asyncio.TimeoutError | TimeoutError):
        return "timed out"
    return (str(exc).strip().splitlines() or [type(exc).__name__])[0][:300]


# ---- the SSH key -----------------------------------------------------------------------------


def host_key_fingerprint(key_bytes: bytes) -> str:
    """OpenSSH's form: SHA256 and unpadded base64."""
    digest = hashlib.sha256(key_bytes).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def load_private_key(text: str, passphrase: str | None) -> "paramiko.PKey":
    """An RSA, ECDSA or Ed25519 key from its OpenSSH, PEM or PKCS#8 text.

    Raises:
        LamassuError: malformed, wrong or missing passphrase, or another kind of key.
    """
    raw = "\n".join(line.strip() for line in text.strip().splitlines()).encode() + b"\n"
    if b"PRIVATE KEY-----" not in raw:
        raise _key_error(
            "is not a private key in OpenSSH or PEM form (PuTTY: export it in OpenSSH form)"
        )
    openssh = b"BEGIN OPENSSH PRIVATE KEY" in raw
    load = serialization.load_ssh_private_key if openssh else serialization.load_pem_private_key
    secret = passphrase.encode() if passphrase else None
    try:
        try:
            key = load(raw, password=secret)
        except TypeError:  # encrypted and no passphrase, or the other way round
            if secret is None:
                raise LamassuError(
                    "configuration",
                    "ssh_private_key_passphrase: this SSH key is encrypted; enter its passphrase",
                ) from None
            key = load(raw, password=None)
        if isinstance(key, RSAPrivateKey):
            kind: type[paramiko.PKey] = paramiko.RSAKey
        elif isinstance(key, EllipticCurvePrivateKey):
            kind = paramiko.ECDSAKey
        elif isinstance(key, Ed25519PrivateKey):
            kind = paramiko.Ed25519Key
        else:
            raise _key_error("is of a kind that is not supported: use RSA, ECDSA or Ed25519")
        openssh_form = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.OpenSSH,
            serialization.NoEncryption(),
        )
        return kind.from_private_key(io.StringIO(openssh_form.decode()))
    except LamassuError:
        raise
    # Anything may come out of the parsers, and the traceback of these lines would hold the key.
    except Exception:
        hint = "or ssh_private_key_passphrase is wrong, " if secret else ""
        raise _key_error(f"cannot be read: it is damaged, {hint}or not an SSH key") from None


def _key_error(problem: str) -> LamassuError:
    remedy = "Paste the whole file, from -----BEGIN to END-----."
    return LamassuError("configuration", f"ssh_private_key: {problem}. {remedy}")


# ---- the tunnel ------------------------------------------------------------------------------


class _Tunnel(SSHTunnelForwarder):  # type: ignore[misc]
    """sshtunnel's forwarder over a connection that we open: host key first, then the login.

    sshtunnel's own way in hides every reason and has no time-outs. Its methods here block and are
    called in threads.
    """

    def __init__(self, target: Target, key: "paramiko.PKey | None", way: Way) -> None:
        self._target = target
        self._key = key
        self._way = way
        self._connection: socket.socket | None = None
        logger = logging.getLogger(_LOG)
        logger.setLevel(logging.CRITICAL + 1)  # a failed poll says it once, in its own record
        super().__init__(
            (target.ssh_host, target.ssh_port),
            ssh_username=target.ssh_username,
            ssh_password=None if key else target.ssh_password,
            ssh_pkey=key,
            remote_bind_address=(target.host, target.port),
            local_bind_address=("127.0.0.1", 0),
            ssh_config_file=None,
            allow_agent=False,
            host_pkey_directories=[],
            logger=logger,
        )

    def __str__(self) -> str:
        # sshtunnel's own shows the password.
        return f"<tunnel to {self._target.ssh_host}:{self._target.ssh_port}>"

    def close(self) -> None:
        """End everything; also what an unsuccessful `start` has left."""
        if self.is_alive:
            self.stop(force=True)
        else:  # nothing serves yet, and sshtunnel's own stop would wait for it to end
            for server in self._server_list:
                server.server_close()
        self.abort()

    def abort(self) -> None:
        """Cut the connection, from any thread."""
        if self._connection:
            self._connection.close()

    def refusal(self) -> str | None:
        """Why the SSH server does not connect us with the database; None if it does."""
        database = (self._target.host, self._target.port)
        try:
            channel = self._transport.open_channel(
                "direct-tcpip", database, ("127.0.0.1", 0), timeout=CONNECT_SECONDS
            )
        except paramiko.ChannelException as exc:
            return str(exc.text)
        except (paramiko.SSHException, OSError, EOFError) as exc:
            return plain(exc)
        channel.close()
        return None

    def _connect_to_gateway(self) -> None:
        """Called by sshtunnel's `start`."""
        self._transport = transport = self._open()
        try:
            self._check_host_key(transport)
            self._log_in(transport)
        except BaseException:
            transport.close()
            raise

    def _open(self) -> "paramiko.Transport":
        where = f"{self._target.ssh_host}:{self._target.ssh_port}"
        try:
            self._connection = socket.create_connection(
                (self._target.ssh_host, self._target.ssh_port), timeout=CONNECT_SECONDS
            )
        except (OSError, UnicodeError) as exc:  # UnicodeError: no possible host name
            raise LamassuError(
                "ssh",
                f"No SSH server answers at {where} ({plain(exc)}). Check ssh_host, ssh_port and "
                "the firewall.",
            ) from None
        transport = paramiko.Transport(self._connection)
        transport.set_log_channel(_LOG)
        transport.set_keepalive(10)
        transport.auth_timeout = CONNECT_SECONDS
        transport.banner_timeout = 2 * CONNECT_SECONDS  # start_client's own is to be the first
        try:
            transport.start_client(timeout=CONNECT_SECONDS)
            key = transport.get_remote_server_key()  # start_client says nothing of a time-out
        except Exception as exc:  # paramiko hands on whatever the other side made it stumble over
            reason = "timed out" if transport.is_active() else plain(exc)
            transport.close()
            raise LamassuError(
                "ssh",
                f"What answers at {where} does not speak SSH as expected ({reason}). Check "
                "ssh_host and ssh_port.",
            ) from None
        self._way.fingerprint = host_key_fingerprint(key.asbytes())
        self._way.passed("ssh", f"An SSH server answers at {where}.")
        return transport

    def _check_host_key(self, transport: "paramiko.Transport") -> None:
        shown = self._way.fingerprint
        accepted = self._target.ssh_host_key_fingerprint
        if not accepted:
            raise LamassuError(
                "host_key",
                f"The SSH server's host key {shown} is not accepted yet. Compare it with the "
                "server's own (there: for f in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf $f; "
                "done), then accept it in the configuration.",
            )
        if accepted.rstrip("=") != shown:
            raise LamassuError(
                "host_key",
                f"The SSH server's host key has changed: accepted is {accepted}, the server shows "
                f"{shown}. Nothing was sent to it. If the server was really reinstalled, accept "
                "the new key in the configuration; if not, somebody may be in between.",
            )
        self._way.passed("host_key", f"The host key is the accepted one, {shown}.")

    def _log_in(self, transport: "paramiko.Transport") -> None:
        user = self._target.ssh_username or ""
        try:
            if self._key:
                transport.auth_publickey(user, self._key)
            else:
                transport.auth_password(user, self._target.ssh_password or "", fallback=False)
        # As above; and the traceback of these lines would hold the password.
        except Exception as exc:
            kind = "private key" if self._key else "password"
            raise LamassuError(
                "login",
                f"The SSH server did not let user '{user}' in with this {kind} ({plain(exc)}). "
                f"Check ssh_username and the {kind}, and that the server allows this way of "
                "logging in"
                + (" (the key's public half in authorized_keys)." if self._key else "."),
            ) from None
        if not transport.is_authenticated():
            raise LamassuError(
                "login",
                f"The SSH server wants a further step than one secret of user '{user}'. Allow one "
                "login by private key alone for this user.",
            )


async def _new_tunnel(target: Target, way: Way) -> _Tunnel:
    key = None
    if paramiko is None:
        raise LamassuError(
            "ssh",
            "The SSH tunnel needs two Python packages beside LNbits. In LNbits' environment run: "
            + INSTALL_COMMAND,
        )
    if target.ssh_private_key:
        key = await asyncio.to_thread(
            load_private_key, target.ssh_private_key, target.ssh_private_key_passphrase
        )
    elif not target.ssh_password:
        raise LamassuError(
            "configuration", "ssh_private_key: enter a private key or an SSH password"
        )
    return _Tunnel(target, key, way)


@asynccontextmanager
async def _opened(tunnel: _Tunnel, target: Target, way: Way) -> AsyncIterator[int]:
    """The tunnel's local port, for as long as the block lasts; the work is done in threads."""
    starting = asyncio.ensure_future(asyncio.to_thread(tunnel.start))
    try:
        try:
            await asyncio.shield(starting)
            port = tunnel.local_bind_port
        except BaseSSHTunnelForwarderError:
            raise LamassuError(
                "login",
                f"The SSH server ended the connection right after user '{target.ssh_username}' "
                "logged in. Check that this user may forward ports (AllowTcpForwarding).",
            ) from None
        way.passed("login", f"Logged in as {target.ssh_username}.")
        yield port
    finally:
        if not starting.done():  # cancelled: the thread ends as soon as its connection is cut
            tunnel.abort()
        await asyncio.wait({starting})
        starting.exception()  # seen already, or of no interest any more
        await asyncio.to_thread(tunnel.close)


# ---- the session -----------------------------------------------------------------------------


@asynccontextmanager
async def connect(target: Target, way: Way | None = None) -> AsyncIterator[asyncpg.Connection]:
    """A read-only session with the ATM's database, through the tunnel if there is one.

    `way` is told each step that was passed.

    Raises:
        LamassuError: with the step that failed and what to do.
    """
    way = way or Way()
    async with AsyncExitStack() as stack:
        tls = _tls(target)
        tunnel = await _new_tunnel(target, way) if target.use_ssh_tunnel else None
        way.passed("configuration", "The settings are complete.")
        host, port = target.host, target.port
        if tunnel:
            host = "127.0.0.1"
            port = await stack.enter_async_context(_opened(tunnel, target, way))
        yield await stack.enter_async_context(_session(target, host, port, tls, tunnel))


@asynccontextmanager
async def _session(
    target: Target, host: str, port: int, tls: Any, tunnel: _Tunnel | None
) -> AsyncIterator[asyncpg.Connection]:
    try:
        session = await _log_in_with_tls(target, host, port, tls)
    # asyncpg stumbles in many ways over what is no PostgreSQL, and the traceback of these lines
    # would hold the password.
    except Exception as exc:
        refusal = None
        answered = isinstance(exc, asyncpg.PostgresError)
        if tunnel and (not answered or isinstance(exc, asyncpg.PostgresConnectionError)):
            refusal = await asyncio.to_thread(tunnel.refusal)
        raise _session_error(target, exc, refusal) from None
    try:
        yield session
    finally:
        try:
            with suppress(*_NO_SESSION):
                await session.close(timeout=_CLOSE_SECONDS)
        finally:
            session.terminate()


async def _log_in_with_tls(target: Target, host: str, port: int, tls: Any) -> asyncpg.Connection:
    if target.ssl_mode == "prefer":
        with suppress(ConnectionError, ssl.SSLError):  # the server has no TLS: then without
            return await _log_in(target, host, port, tls)
        tls = False
    return await _log_in(target, host, port, tls)


async def _log_in(target: Target, host: str, port: int, tls: Any) -> asyncpg.Connection:
    return await asyncio.wait_for(
        asyncpg.connect(
            host=host,
            port=port,
            user=target.username,
            password=target.password or "",
            database=target.database,
            ssl=tls,
            timeout=CONNECT_SECONDS,
            command_timeout=STATEMENT_SECONDS + _OVERRUN_SECONDS,
            statement_cache_size=0,
            server_settings={
                "application_name": "satmachineclient",
                "default_transaction_read_only": "on",
                "statement_timeout": str(round(STATEMENT_SECONDS * 1000)),
            },
        ),
        CONNECT_SECONDS + 1,
    )


def _session_error(target: Target, exc: Exception, refusal: str | None) -> LamassuError:
    where = f"{target.host}:{target.port}"
    if refusal:
        text = (
            f"The SSH server cannot connect to PostgreSQL at {where} ({refusal}). Check host and "
            "port as seen from the SSH server, that PostgreSQL runs there, and that the server "
            "allows forwarding (AllowTcpForwarding, PermitOpen)."
        )
    elif isinstance(exc, asyncpg.InvalidAuthorizationSpecificationError):
        text = (
            f"PostgreSQL at {where} refused user '{target.username}' ({plain(exc)}). Check "
            "username, password and pg_hba.conf."
        )
    elif isinstance(exc, asyncpg.InvalidCatalogNameError):
        text = (
            f"There is no database '{target.database}' at {where}. Lamassu's is usually 'lamassu'."
        )
    elif isinstance(exc, ssl.SSLCertVerificationError):
        text = (
            f"The certificate of PostgreSQL at {where} is not trusted ({exc.verify_message}). "
            "Check host and ssl_ca_certificate."
        )
    elif "rejected SSL upgrade" in str(exc):
        text = (
            f"PostgreSQL at {where} offers no TLS, which ssl_mode {target.ssl_mode} needs. Switch "
            "it on there (ssl = on), or use the SSH tunnel."
        )
    else:
        seen_from = "the SSH server" if target.use_ssh_tunnel else "LNbits"
        text = (
            f"No PostgreSQL session at {where}, seen from {seen_from} ({plain(exc)}). Check host, "
            "port, database_name, listen_addresses and ssl_mode."
        )
    return LamassuError("database", text)


class _TlsContext(ssl.SSLContext):
    """Expects the database's own name in the certificate, also at the end of a tunnel."""

    server_name: str

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        return super().wrap_bio(*args, **{**kwargs, "server_hostname": self.server_name})


def _tls(target: Target) -> Any:
    """asyncpg's `ssl` for PostgreSQL's own sslmode names.

    Contexts are made here, because asyncpg's would look for files in the user's home folder.

    Raises:
        LamassuError: the CA certificate is none.
    """
    if target.ssl_mode == "disable":
        return False
    context = _TlsContext(ssl.PROTOCOL_TLS_CLIENT)
    context.server_name = target.host
    if target.ssl_mode != "verify-full":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    try:
        context.load_verify_locations(cadata=target.ssl_ca_certificate or "")
    except (ssl.SSLError, ValueError, TypeError):  # TypeError: not even ASCII
        raise LamassuError(
            "configuration",
            "ssl_ca_certificate: is no certificate in PEM form. Paste the CA's certificate, from "
            "-----BEGIN CERTIFICATE to END CERTIFICATE-----.",
        ) from None
    return context

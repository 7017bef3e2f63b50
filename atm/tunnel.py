"""The SSH tunnel to the ATM's server: host key first, then the login.

Whatever can go wrong on the way becomes a `LamassuError` that says where, why and what to do, and
never holds a secret. The session at its end is `postgres.py`'s subject.
"""

import asyncio
import logging
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from ..models_config import Target
from ..words.told import say
from . import limits
from .keys import host_key_fingerprint, load_private_key
from .offers import Offers
from .packages import BaseSSHTunnelForwarderError, SSHTunnelForwarder, paramiko, problem
from .way import LamassuError, Way, plain

_LOG = "satmachineclient.sshtunnel"

_types: dict[str, str] = {}
"""Of which type an accepted host key is, by its fingerprint, as it was seen here last."""


class Tunnel(SSHTunnelForwarder):  # type: ignore[misc]
    """sshtunnel's forwarder over a connection that we open: host key first, then the login.

    sshtunnel's own way in hides every reason and has no time-outs. Its methods here block and are
    called in threads.
    """

    def __init__(self, target: Target, key: "paramiko.PKey | None", way: Way) -> None:
        self._target = target
        self._key = key
        self._way = way
        self._connection: socket.socket | None = None
        self._given_up = False
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
        """Cut the connection, also one that is still being made; from any thread."""
        self._given_up = True
        if self._connection:
            self._connection.close()

    def refusal(self) -> str | None:
        """Why the SSH server does not connect us with the database; None if it does."""
        database = (self._target.host, self._target.port)
        try:
            channel = self._transport.open_channel(
                "direct-tcpip", database, ("127.0.0.1", 0), timeout=limits.CONNECT_SECONDS
            )
        except paramiko.ChannelException as exc:
            return str(exc.text)
        except (paramiko.SSHException, OSError, EOFError) as exc:
            return plain(exc)
        channel.close()
        return None

    def _connect_to_gateway(self) -> None:
        """Called by sshtunnel's `start`."""
        transport, offers = self._open_as_accepted()
        self._way.fingerprint = _fingerprint(transport)
        where = f"{self._target.ssh_host}:{self._target.ssh_port}"
        self._way.passed("ssh", f"An SSH server answers at {where}.")
        try:
            transport = self._with_accepted_key(transport, offers)
            self._check_host_key(transport)
            self._log_in(transport)
            self._transport = transport
        except BaseException:
            transport.close()
            raise

    def _open_as_accepted(self) -> "tuple[paramiko.Transport, Offers]":
        """A connection, with the host key's type asked for that the accepted key is of.

        Servers slow down, or lock out, who connects often without a login.
        """
        accepted = (self._target.ssh_host_key_fingerprint or "").rstrip("=")
        if accepted not in _types:
            return self._open()
        try:
            return self._open(_types[accepted])
        except LamassuError:  # no key of that type any more: whichever it has is compared
            _types.pop(accepted, None)  # another connection may have found it out, too
            return self._open()

    def _with_accepted_key(
        self, transport: "paramiko.Transport", offers: Offers
    ) -> "paramiko.Transport":
        """The connection, or another on which the server shows the accepted key.

        A server has a key of each type, and may get one of a type that is preferred to the accepted
        one's. Nothing is sent before the key is the accepted one.
        """
        accepted = (self._target.ssh_host_key_fingerprint or "").rstrip("=")
        if not accepted or _fingerprint(transport) == accepted:
            return transport
        seen = {_family(transport.host_key_type or "")}
        for kind in offers.host_keys:
            if _family(kind) in seen:
                continue
            seen.add(_family(kind))
            other, _ = self._open(kind)
            if _fingerprint(other) == accepted:
                transport.close()
                return other
            other.close()
        return transport

    def _open(self, key_type: str | None = None) -> "tuple[paramiko.Transport, Offers]":
        """A connection, with the server's host key of this type where one is given."""
        where = f"{self._target.ssh_host}:{self._target.ssh_port}"
        try:
            self._connection = socket.create_connection(
                (self._target.ssh_host, self._target.ssh_port), timeout=limits.CONNECT_SECONDS
            )
        except (OSError, UnicodeError) as exc:  # UnicodeError: no possible host name
            raise LamassuError(
                "ssh",
                f"No SSH server answers at {where} ({plain(exc)}). Check ssh_host, ssh_port and "
                "the firewall.",
            ) from None
        if self._given_up:
            self._connection.close()
            raise LamassuError("ssh", f"The connection to {where} was given up.")
        transport = new_transport(self._connection)
        offers = Offers(transport)
        if key_type:
            transport.get_security_options().key_types = (key_type,)
        transport.set_log_channel(_LOG)
        transport.set_keepalive(10)
        transport.auth_timeout = limits.CONNECT_SECONDS
        transport.banner_timeout = (
            2 * limits.CONNECT_SECONDS
        )  # start_client's own is to be the first
        try:
            transport.start_client(timeout=limits.CONNECT_SECONDS)
            transport.get_remote_server_key()  # start_client says nothing of a time-out
        except Exception as exc:  # paramiko hands on whatever the other side made it stumble over
            reason = "timed out" if transport.is_active() else plain(exc)
            transport.close()
            if missing := offers.nothing_in_common():
                raise LamassuError(
                    "ssh", f"An SSH server answers at {where}, but {missing}"
                ) from None
            raise LamassuError(
                "ssh",
                f"What answers at {where} does not speak SSH as expected ({reason}). Check "
                "ssh_host and ssh_port.",
            ) from None
        return transport, offers

    def _check_host_key(self, transport: "paramiko.Transport") -> None:
        shown = _fingerprint(transport)
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
        _types[shown] = transport.host_key_type or ""
        self._way.passed("host_key", f"The host key is the accepted one, {shown}.")

    def _log_in(self, transport: "paramiko.Transport") -> None:
        user = self._target.ssh_username or ""
        try:
            if self._key:
                transport.auth_publickey(user, self._key)
            else:
                self._log_in_by_password(transport, user)
        except LamassuError:
            raise
        # As above; and the traceback of these lines would hold the password.
        except Exception as exc:
            code = "key_refused" if self._key else "password_refused"
            raise LamassuError("login", say(code, user=user, reason=plain(exc))) from None
        if not transport.is_authenticated():
            raise LamassuError(
                "login",
                f"The SSH server wants a further step than one secret of user '{user}'. Allow one "
                "login by private key alone for this user.",
            )

    def _log_in_by_password(self, transport: "paramiko.Transport", user: str) -> None:
        """By password, or, where the server takes it only so, as the answer to its one question."""
        password = self._target.ssh_password or ""
        try:
            transport.auth_password(user, password, fallback=False)
            return
        except paramiko.BadAuthenticationType as exc:
            if "keyboard-interactive" not in exc.allowed_types:
                raise
        asked: list[str] = []

        def answer(title: str, instructions: str, prompts: list[tuple[str, bool]]) -> list[str]:
            asked.extend(prompt for prompt, _ in prompts)
            if len(asked) > 1 or any(is_shown for _, is_shown in prompts):
                asked.append("")
                raise paramiko.SSHException("more is asked than a password")
            return [password for _ in prompts]

        try:
            transport.auth_interactive(user, answer)
        except Exception:
            if len(asked) < 2:
                raise
            questions = ", ".join(repr(plain(Exception(q))[:80]) for q in asked if q)
            raise LamassuError(
                "login",
                f"The SSH server asks user '{user}' for more than a password: "
                f"{questions}. Allow one login by private key alone for this user.",
            ) from None


def new_transport(connection: socket.socket) -> "paramiko.Transport":
    """paramiko's transport that asks for the login's service once, which some servers insist on.

    Its own way of logging in makes the event that the server's answer sets only after it has asked:
    an answer that is quicker is lost, and the login ends in a time-out. Here the event is there
    before.
    """
    handler: Any = paramiko.auth_handler.AuthOnlyHandler
    base: Any = paramiko.ServiceRequestingTransport  # type: ignore[attr-defined]

    class Asking(handler):  # type: ignore[misc]
        _answered: threading.Event | None = None

        @property
        def auth_event(self) -> threading.Event | None:
            return self._answered

        @auth_event.setter
        def auth_event(self, event: threading.Event | None) -> None:
            """Of a request that is under way the event stays."""

        def send_auth_request(self, *args: Any, **kwargs: Any) -> Any:
            self._answered = threading.Event()
            return super().send_auth_request(*args, **kwargs)

    class Requesting(base):  # type: ignore[misc]
        def get_auth_handler(self) -> Asking:
            return Asking(self)

    transport: paramiko.Transport = Requesting(connection)
    return transport


def _fingerprint(transport: "paramiko.Transport") -> str:
    return host_key_fingerprint(transport.get_remote_server_key().asbytes())


def _family(key_type: str) -> str:
    """An RSA key is one key, whatever it signs with."""
    return "rsa" if "rsa" in key_type else key_type


async def new_tunnel(target: Target, way: Way) -> Tunnel:
    key = None
    if paramiko is None:
        raise LamassuError("ssh", await asyncio.to_thread(problem))
    if target.ssh_private_key:
        key = await asyncio.to_thread(
            load_private_key, target.ssh_private_key, target.ssh_private_key_passphrase
        )
    elif not target.ssh_password:
        raise LamassuError(
            "configuration", "ssh_private_key: enter a private key or an SSH password"
        )
    return Tunnel(target, key, way)


@asynccontextmanager
async def opened(tunnel: Tunnel, target: Target, way: Way) -> AsyncIterator[int]:
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
        starting.add_done_callback(lambda done: done.exception())  # of no interest any more
        await asyncio.wait({starting}, timeout=limits.CLOSE_SECONDS)
        closing = asyncio.ensure_future(asyncio.to_thread(tunnel.close))
        try:
            await asyncio.wait({closing}, timeout=limits.CLOSE_SECONDS)
        finally:  # threads cannot be cancelled, but cut off
            tunnel.abort()

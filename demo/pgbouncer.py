"""PgBouncer before a Lamassu database, as some operators have it."""

import os
import pwd
import shutil
import tempfile
from pathlib import Path

from .lamassu_db import LamassuDatabase
from .processes import LOOPBACK, Child, Running, free_port, wait_for_port


class PgBouncer(Running):
    """A pooler of one server connection for that database's reader; a context manager."""

    host = LOOPBACK

    def __init__(self, database: LamassuDatabase, mode: str) -> None:
        self.port = free_port()
        self._database = database
        self._mode = mode
        self._child: Child | None = None
        self._folder: Path | None = None

    @staticmethod
    def program() -> str | None:
        """None where it is not installed (Debian: the package pgbouncer)."""
        return shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")

    def start(self) -> None:
        self._folder = folder = Path(tempfile.mkdtemp(prefix="satmachineclient-pgbouncer-"))
        # It refuses to run as root.
        uid = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
        files = {"pgbouncer.ini": self._settings(folder), "users": self._users()}
        for name, text in files.items():
            (folder / name).write_text(text)
        for path in (folder, *(folder / name for name in files)):
            if uid is not None:
                os.chown(path, uid, -1)
        program = self.program()
        assert program  # noqa: S101 - whoever uses it has asked
        self._child = Child(
            [program, folder / "pgbouncer.ini"], log=folder / "log", cwd=folder, uid=uid
        )
        wait_for_port(self.host, self.port)

    def stop(self) -> None:
        if self._child:
            self._child.stop()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _users(self) -> str:
        database = self._database
        return f'"{database.reader}" "{_quoted(database.reader_password)}"\n'

    def _settings(self, folder: Path) -> str:
        server = self._database.postgres
        return f"""
[databases]
{self._database.database} = host={server.host} port={server.port}

[pgbouncer]
listen_addr = {self.host}
listen_port = {self.port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder / "users"}
pool_mode = {self._mode}
default_pool_size = 1
"""


def _quoted(text: str) -> str:
    return text.replace('"', '""')

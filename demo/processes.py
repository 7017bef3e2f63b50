"""Child processes that do not outlive us, and free ports for them."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

import psutil
from typing_extensions import Self

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """A TCP port of the loopback address that nobody listens on at this moment.

    Drawn from below the range that systems give to outgoing connections, so that it is still
    free a moment later and when a server comes back to it.
    """
    while True:
        port = 20_000 + secrets.randbelow(10_000)
        with socket.socket() as probe:
            if probe.connect_ex((LOOPBACK, port)) != 0:
                return port


def wait_for_port(host: str, port: int, seconds: float = 10) -> None:
    """Until something listens there. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex((host, port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens at {host}:{port}")


# Ends the group once its input closes, and that closes when we die, in whatever way.
_GUARD = "import os, sys; sys.stdin.buffer.read(); os.killpg(int(sys.argv[1]), 9)"


class Running(ABC):
    """Something that is started and stopped: as a context manager, too."""

    @abstractmethod
    def start(self) -> None: ...

    @abstractmethod
    def stop(self) -> None: ...

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


class Child:
    """A program in a session of its own, so that a Ctrl-C meant for us does not reach it first."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        uid: int | None = None,
    ) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own programs, no shell
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env=env,
                start_new_session=True,
                user=uid,
                group=uid,
                extra_groups=None if uid is None else [],
            )
        self._guard = subprocess.Popen(  # noqa: S603 - our own text, no shell
            [sys.executable, "-ISc", _GUARD, str(self.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def running(self) -> bool:
        return self._process.poll() is None

    def log_tail(self, lines: int = 20) -> str:
        """The end of what it printed, for the text of an error."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self, first: signal.Signals = signal.SIGTERM, grace_seconds: int = 10) -> None:
        """End the program and all it started: politely, then by force."""
        family = self._family()
        for sign, patience in ((first, grace_seconds), (signal.SIGKILL, 5)):
            self._signal_group(sign)
            if self._has_ended(family, patience):
                break
        self._guard.kill()
        self._guard.communicate()

    def _has_ended(self, family: list[psutil.Process], patience: int) -> bool:
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            self._process.poll()
            if not any(_alive(member) for member in family):
                return True
            time.sleep(0.02)
        return False

    def _signal_group(self, sign: signal.Signals) -> None:
        try:
            os.killpg(self._process.pid, sign)
        except ProcessLookupError:
            pass

    def _family(self) -> list[psutil.Process]:
        # Both are needed: a child may have left the group, an orphan the tree.
        group = [process for process in psutil.process_iter() if _group(process) == self.pid]
        try:
            return group + psutil.Process(self.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return group


def _group(process: psutil.Process) -> int | None:
    try:
        return os.getpgid(process.pid)
    except ProcessLookupError:
        return None


def _alive(process: psutil.Process) -> bool:
    # An orphan stays a zombie where process 1 reaps nobody (containers): it is dead all the same.
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False

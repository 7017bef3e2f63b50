"""A real LNbits process with this checkout as its extension."""

import importlib.util
import os
import signal
import sysconfig
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

from .lnbits_api import EXTENSION, NO_TLS, Lnbits
from .processes import LOOPBACK, Child, Running, free_port

CHECKOUT = Path(__file__).resolve().parent.parent
_START_SECONDS = 60


class LnbitsServerError(Exception):
    """LNbits did not start; the text holds the end of its log."""


def lnbits_home() -> Path:
    """The folder that holds the package: LNbits looks for its static files relative to it."""
    spec = importlib.util.find_spec("lnbits")
    if spec is None or spec.origin is None:
        raise LnbitsServerError("The package lnbits is not installed.")
    return Path(spec.origin).parent.parent


def _program() -> Path:
    return Path(sysconfig.get_path("scripts"), "lnbits")


def link_extension(folder: Path) -> Path:
    """A folder for LNBITS_EXTENSIONS_PATH in which this checkout has the extension's name."""
    extensions = folder / "extensions"
    extensions.mkdir(parents=True, exist_ok=True)
    link = extensions / EXTENSION
    if not link.exists():
        link.symlink_to(CHECKOUT)
    return folder


def lnbits_environment(folder: Path, database_url: str | None = None) -> dict[str, str]:
    """Settings of an LNbits that lives in `folder`, funds nobody and asks nobody.

    The caller's own LNBITS_ variables do not reach it.
    """
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("LNBITS_")
    }
    environment |= {
        "LNBITS_DATA_FOLDER": str(folder / "data"),
        "LNBITS_EXTENSIONS_PATH": str(link_extension(folder / "code")),
        "LNBITS_EXTENSIONS_MANIFESTS": "[]",
        "LNBITS_WASM_EXTENSIONS_MANIFESTS": "[]",
        "LNBITS_ADMIN_UI": "true",
        "LNBITS_BACKEND_WALLET_CLASS": "FakeWallet",
        "LNBITS_RATE_LIMIT_NO": "1000000",
        "LNBITS_PRICE_AGGREGATOR_ENABLED": "false",
        "LNBITS_EXCHANGE_RATE_PROVIDERS": "[]",
        "AUTH_HTTPS_ONLY": "false",  # a browser on plain http must get its cookie
        "ENABLE_LOG_TO_FILE": "false",
    }
    if database_url:
        environment["LNBITS_DATABASE_URL"] = database_url
    return environment


class LnbitsServer(Running):
    """One server whose data live in `folder`; a context manager, or `start()` and `stop()`."""

    host = LOOPBACK

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        database_url: str | None = None,
        extra_env: Mapping[str, str] | None = None,
        program: Path | None = None,
    ) -> None:
        """`program`: the command `lnbits` of another Python environment than this one."""
        self.folder = folder
        self._program = program or _program()
        self.port = port or free_port()
        self.database_url = database_url
        self.extra_env = dict(extra_env or {})
        self._child: Child | None = None

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def pid(self) -> int:
        """Of the running server."""
        if self._child is None:
            raise LnbitsServerError("LNbits is not running")
        return self._child.pid

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def stored(self) -> Path:
        """The file of the extension's own database, where LNbits runs on SQLite."""
        return self.folder / "data" / "ext_satmachineclient.sqlite3"

    def api(self) -> Lnbits:
        return Lnbits(self.url)

    def start(self) -> None:
        """Start and wait until it answers. Raises LnbitsServerError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._child = Child(
            [self._program, "--host", self.host, "--port", str(self.port)],
            log=self.log,
            cwd=lnbits_home(),
            env={**lnbits_environment(self.folder, self.database_url), **self.extra_env},
        )
        try:
            self._wait_until_healthy(self._child)
        except BaseException:
            self.kill9()
            raise

    def stop(self) -> None:
        """Let it shut down as on a SIGTERM; does nothing if it is not running."""
        self._end(signal.SIGTERM)

    def kill9(self) -> None:
        """End it in the middle of whatever it does."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop, if it runs, and start again on the same data and port."""
        self.stop()
        self.start()

    def _end(self, sign: signal.Signals) -> None:
        if self._child is not None:
            self._child.stop(sign)
            self._child = None

    def _wait_until_healthy(self, child: Child) -> None:
        deadline = time.monotonic() + _START_SECONDS
        with httpx.Client(base_url=self.url, verify=NO_TLS, timeout=5) as client:
            while child.running() and time.monotonic() < deadline:
                try:
                    # Before the first installation it redirects every request to that page.
                    if not client.get("/api/v1/health").is_error:
                        return
                except httpx.TransportError:
                    pass
                time.sleep(0.1)
        raise LnbitsServerError(f"LNbits did not start:\n{child.log_tail(40)}")

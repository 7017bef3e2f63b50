"""A shop for extensions on loopback, and an operator who installs from it as LNbits' page does."""

import functools
import http.server
import io
import json
import threading
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from demo.lnbits_api import EXTENSION, Account
from tools.release import CHECKOUT, Release, ReleaseError, build, git, write

INSTALLER = "/api/v1/extension"
TASK = "ext_satmachineclient_polls"


@dataclass
class Shop:
    """A manifest with releases, and their zips, served by a real HTTP server."""

    folder: Path
    url: str
    entries: list[dict[str, object]] = field(default_factory=list)

    @property
    def manifest(self) -> str:
        return f"{self.url}/manifest.json"

    def environment(self, code: Path) -> dict[str, str]:
        """Settings of an LNbits that buys here, and keeps its extensions in the folder `code`."""
        return {
            "LNBITS_EXTENSIONS_PATH": str(code),
            "LNBITS_EXTENSIONS_MANIFESTS": json.dumps([self.manifest]),
        }

    def offer(self, release: Release) -> None:
        _, manifest = write(release, self.folder, self.url)
        self.entries += json.loads(manifest.read_text())["extensions"]
        (self.folder / "manifest.json").write_text(json.dumps({"extensions": self.entries}))

    async def install(self, admin: Account, release: Release) -> None:
        """What LNbits' page sends when an admin presses *Install* at this release."""
        offered = await admin.call("GET", f"{INSTALLER}/{EXTENSION}/releases")
        (chosen,) = (each for each in offered if each["version"] == release.config["version"])
        assert chosen["is_version_compatible"]
        body = {
            "ext_id": EXTENSION,
            "archive": chosen["archive"],
            "source_repo": chosen["source_repo"],
            "version": chosen["version"],
        }
        await admin.call("POST", INSTALLER, body)
        await admin.call("PUT", f"{INSTALLER}/{EXTENSION}/activate")


@contextmanager
def open_shop(folder: Path) -> Iterator[Shop]:
    folder.mkdir()
    handler = functools.partial(_Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Shop(folder, f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
        thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its own name
        pass


def release_of(commit: str) -> Release:
    """The release that this commit is; the test is skipped where its history is not there."""
    try:
        return build(commit)
    except ReleaseError as exc:
        pytest.skip(f"the history of this checkout does not reach {commit}: {exc}")


def present_commit() -> str:
    """What lies here, also where it is not committed yet; only what git does not know is not."""
    try:
        return git(CHECKOUT, "stash", "create").decode().strip() or "HEAD"
    except ReleaseError:
        return "HEAD"


def next_version(release: Release, version: str) -> Release:
    """The same code under another version."""
    config = {**release.config, "version": version}
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(release.archive)) as old,
        zipfile.ZipFile(packed, "w") as new,
    ):
        for name in old.namelist():
            file = name.split("/", 1)[1]
            content = json.dumps(config).encode() if file == "config.json" else old.read(name)
            new.writestr(f"{EXTENSION}-{version}/{file}", content)
    return replace(release, config=config, archive=packed.getvalue())


def unpack(release: Release, code: Path) -> None:
    """Lay the release into this folder for extensions, as LNbits does."""
    with zipfile.ZipFile(io.BytesIO(release.archive)) as archive:
        archive.extractall(code / "extensions")
    (code / "extensions" / release.name).rename(code / "extensions" / EXTENSION)


async def our_tasks(admin: Account) -> Counter[str]:
    """How often each background task of the extension runs in that LNbits."""
    tasks = await admin.call("GET", "/admin/api/v1/monitor")
    return Counter(task["name"] for task in tasks if EXTENSION in task["name"])


async def assert_each_task_runs_once(admin: Account) -> None:
    tasks = await our_tasks(admin)
    assert TASK in tasks
    assert set(tasks.values()) == {1}

"""Disabled, enabled and upgraded while LNbits runs: afterwards there is exactly one hourly task."""

import functools
import hashlib
import http.server
import json
import shutil
import threading
import zipfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from demo.lnbits_api import EXTENSION, Account
from demo.lnbits_server import CHECKOUT, LnbitsServer

TASK = "ext_satmachineclient_polls"
NEW_VERSION = "99.0.0"


def _copy_extension(to: Path) -> None:
    """What a release holds, without the checkout's own tools."""
    leave = shutil.ignore_patterns(".*", "tests", "demo", "data", "__pycache__")
    shutil.copytree(CHECKOUT, to, ignore=leave)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[str]:
    """A manifest with a newer release of the extension, served on loopback; its URL."""
    folder = tmp_path / "shop"
    source = folder / f"{EXTENSION}-{NEW_VERSION}"
    _copy_extension(source)
    config = json.loads((source / "config.json").read_text())
    (source / "config.json").write_text(json.dumps({**config, "version": NEW_VERSION}))
    archive = folder / "release.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        for path in source.rglob("*"):
            zipped.write(path, path.relative_to(folder))
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        release = {
            "id": EXTENSION,
            "name": config["name"],
            "version": NEW_VERSION,
            "archive": f"{url}/release.zip",
            "hash": hashlib.sha256(archive.read_bytes()).hexdigest(),
            "repo": url,
        }
        (folder / "manifest.json").write_text(json.dumps({"extensions": [release]}))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield url
        server.shutdown()
        thread.join()


@pytest.fixture
async def operator(shop: str, tmp_path: Path) -> AsyncIterator[Account]:
    folder = tmp_path / "lnbits"
    _copy_extension(folder / "code" / "extensions" / EXTENSION)
    environment = {
        "LNBITS_EXTENSIONS_MANIFESTS": json.dumps([f"{shop}/manifest.json"]),
        "SATMACHINECLIENT_FIRST_POLL_SECONDS": "1000000",
    }
    with LnbitsServer(folder, extra_env=environment) as server:
        api = server.api()
        yield await api.first_install("admin", "a password")
        await api.close()


async def _loops(operator: Account) -> int:
    tasks = await operator.call("GET", "/admin/api/v1/monitor")
    return sum(1 for task in tasks if task["name"] == TASK)


async def test_exactly_one_loop_after_disabling_enabling_and_upgrading(
    operator: Account, shop: str
) -> None:
    assert await _loops(operator) == 1

    await operator.call("PUT", f"/api/v1/extension/{EXTENSION}/deactivate")
    assert await _loops(operator) == 0

    for _ in range(2):
        await operator.call("PUT", f"/api/v1/extension/{EXTENSION}/activate")
        assert await _loops(operator) == 1

    release = {
        "ext_id": EXTENSION,
        "archive": f"{shop}/release.zip",
        "source_repo": f"{shop}/manifest.json",
        "version": NEW_VERSION,
    }
    await operator.call("POST", "/api/v1/extension", release)
    await operator.call("PUT", f"/api/v1/extension/{EXTENSION}/activate")
    assert await _loops(operator) == 1
    assert await operator.call("GET", f"/{EXTENSION}/api/v1/dca/clients") == []

"""The release: what is in it, and that LNbits installs, upgrades and uninstalls that very zip."""

import io
import json
import re
import secrets
import shutil
import zipfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from demo.lnbits_api import EXTENSION, Account
from demo.lnbits_server import LnbitsServer
from demo.postgres import Postgres
from tests.release.shop import (
    INSTALLER,
    Shop,
    assert_each_task_runs_once,
    next_version,
    open_shop,
    our_tasks,
    present_commit,
)
from tests.rig import API
from tools import release as tool
from tools.release import CHECKOUT, Release, ReleaseError, build, git


@pytest.fixture(scope="module")
def release() -> Release:
    try:
        return build(present_commit())
    except ReleaseError as exc:
        pytest.skip(f"no release can be made of this checkout: {exc}")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with open_shop(tmp_path / "shop") as opened:
        yield opened


@pytest.fixture
def server(
    shop: Shop, tmp_path: Path, pytestconfig: pytest.Config, request: pytest.FixtureRequest
) -> Iterator[LnbitsServer]:
    """An LNbits without the extension, which buys at the shop."""
    url = None
    if pytestconfig.getoption("--lnbits-db") == "postgres":
        postgres: Postgres = request.getfixturevalue("postgres")
        name = f"installing_{secrets.token_hex(4)}"
        postgres.create_database(name)
        url = postgres.url(name)
    environment = shop.environment(tmp_path / "extensions")
    with LnbitsServer(tmp_path / "lnbits", database_url=url, extra_env=environment) as running:
        yield running


@pytest.fixture
async def admin(server: LnbitsServer) -> AsyncIterator[Account]:
    api = server.api()
    yield await api.first_install("admin", "a password", enable=False)
    await api.close()


# ---- the zip ---------------------------------------------------------------------------------


def test_the_same_commit_gives_the_same_bytes(release: Release, tmp_path: Path) -> None:
    commit = present_commit()
    clone = tmp_path / "elsewhere"
    git(CHECKOUT, "clone", "-q", ".", str(clone))
    git(clone, "fetch", "-q", str(CHECKOUT), commit)
    assert build(commit, clone).sha256 == build(commit).sha256


def test_one_top_folder_with_what_runs_and_nothing_else(release: Release) -> None:
    with zipfile.ZipFile(io.BytesIO(release.archive)) as archive:
        paths = [Path(name) for name in archive.namelist()]
    version = release.config["version"]
    assert {path.parts[0] for path in paths} == {f"{EXTENSION}-{version}"}
    inside = [path.relative_to(paths[0].parts[0]) for path in paths]
    for needed in ("LICENSE", "README.md", "__init__.py", "config.json", "manifest.json"):
        assert Path(needed) in inside
    others = {"tests", "bench", "demo", "docs", "tools", "screenshots", "Makefile"}
    assert not [path for path in inside if others & set(path.parts)]
    assert not [path for path in inside if any(part.startswith(".") for part in path.parts)]
    assert len(release.archive) < 2_000_000


def test_the_store_is_told_one_version_and_what_a_registry_asks_for(release: Release) -> None:
    config, entry = release.config, release.entry()
    project = re.search(r'^version = "(.+)"$', (CHECKOUT / "pyproject.toml").read_text(), re.M)
    assert project
    assert config["version"] == entry["version"] == project[1]
    assert str(entry["archive"]).endswith(f"/{EXTENSION}-{config['version']}.zip")
    assert entry["min_lnbits_version"] == config["min_lnbits_version"]
    for name in ("name", "short_description"):
        text = str(entry[name])
        assert text[0].isupper()
        assert not text.endswith(".")
    assert config["license"] == "MIT"
    for picture in config["images"]:
        assert (CHECKOUT / picture["uri"].split("/main/")[1]).is_file()
    assert (CHECKOUT / config["description_md"].split("/main/")[1]).is_file()
    tile = str(entry["icon"]).split(f"/v{config['version']}/")[1]
    assert (CHECKOUT / tile).is_file()


def test_a_folder_without_git_is_refused_with_a_reason(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="git archive"):
        build(checkout=tmp_path)


def test_the_manifest_beside_the_zip_names_where_it_is_served_from(
    release: Release, tmp_path: Path
) -> None:
    archive, manifest = tool.write(release, tmp_path, "https://example.org/shop/")
    (entry,) = json.loads(manifest.read_text())["extensions"]
    assert entry["archive"] == f"https://example.org/shop/{archive.name}"
    assert entry["hash"] == release.sha256


# ---- that very zip in LNbits -----------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.storage
async def test_installed_upgraded_uninstalled_and_installed_again_with_the_data_kept(
    release: Release, shop: Shop, admin: Account
) -> None:
    newer = next_version(release, "99.0.0")
    shop.offer(release)
    shop.offer(newer)

    await shop.install(admin, release)
    await admin.enable_extension()
    await assert_each_task_runs_once(admin)
    wallet = await admin.create_wallet("a client's")
    body = {"wallet_id": wallet.id, "username": "Ana", "dca_mode": "flow"}
    client = await admin.call("POST", f"{API}/clients", body)
    assert (await admin.get(f"/{EXTENSION}/static/image/tile.png")).status_code == 200
    assert (await admin.get(f"/{EXTENSION}/")).status_code == 200

    await shop.install(admin, newer)
    await assert_each_task_runs_once(admin)
    assert await admin.call("GET", f"{API}/clients") == [client]

    await admin.call("DELETE", f"{INSTALLER}/{EXTENSION}")
    assert await our_tasks(admin) == {}
    assert (await admin.get(f"{API}/clients")).is_error

    await shop.install(admin, release)
    await assert_each_task_runs_once(admin)
    assert await admin.call("GET", f"{API}/clients") == [client]


@pytest.mark.slow
async def test_exactly_one_task_after_disabling_and_enabling(
    release: Release, shop: Shop, admin: Account
) -> None:
    shop.offer(release)
    await shop.install(admin, release)
    await admin.call("PUT", f"{INSTALLER}/{EXTENSION}/deactivate")
    assert await our_tasks(admin) == {}
    for _ in range(2):
        await admin.call("PUT", f"{INSTALLER}/{EXTENSION}/activate")
        await assert_each_task_runs_once(admin)


@pytest.mark.slow
async def test_a_container_that_is_made_anew_has_the_extension_again(
    release: Release, shop: Shop, server: LnbitsServer, admin: Account, tmp_path: Path
) -> None:
    shop.offer(release)
    await shop.install(admin, release)
    await admin.enable_extension()

    server.stop()
    shutil.rmtree(tmp_path / "extensions")
    (shop.folder / f"{release.name}.zip").unlink()  # what is in LNbits' data is enough
    server.start()

    await assert_each_task_runs_once(admin)
    assert await admin.call("GET", f"{API}/clients") == []


@pytest.mark.slow
async def test_a_zip_with_another_sum_is_not_installed(
    release: Release, shop: Shop, admin: Account
) -> None:
    shop.offer(release)
    (shop.folder / f"{release.name}.zip").write_bytes(release.archive + b"\0")
    with pytest.raises(Exception, match="File hash"):
        await shop.install(admin, release)
    assert await our_tasks(admin) == {}

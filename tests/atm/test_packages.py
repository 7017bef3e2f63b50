"""The tunnel's two packages beside LNbits' data: in real environments that lack them.

Each environment is made as people make theirs, by uv (which has no pip) or by venv. What it holds
beside Python is linked to this one's packages; those that only the tunnel needs are left out.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from satmachineclient.atm import packages

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account
from demo.lnbits_server import LnbitsServer, lnbits_environment, lnbits_home
from demo.ssh_server import SshServer
from tests.rig import API

_LEFT_OUT = {"paramiko", "sshtunnel", "nacl", "pynacl", "invoke", "pip", "uv"}
_MAKE = {"uv": ["uv", "venv", "-q", "--python", sys.executable], "venv": ["venv"]}


def _run_module(command: Sequence[str]) -> None:
    subprocess.run([sys.executable, "-m", *command], check=True, capture_output=True)  # noqa: S603


@dataclass
class Environment:
    """A Python environment with LNbits and without the tunnel's packages."""

    folder: Path
    kind: str

    def make(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        _run_module([*_MAKE[self.kind], str(self.folder)])
        for entry in lnbits_home().iterdir():
            link = self.packages / entry.name
            name = entry.name.lower().partition("-")[0].removesuffix(".py")
            if name not in _LEFT_OUT and not link.exists():
                link.symlink_to(entry)
        self.program.write_text(
            f"#!{self.folder}/bin/python\nfrom lnbits.server import main\nmain()\n"
        )
        self.program.chmod(0o755)

    @property
    def packages(self) -> Path:
        (found,) = self.folder.glob("lib/python*/site-packages")
        return found

    @property
    def program(self) -> Path:
        return self.folder / "bin" / "lnbits"


@dataclass
class Operator:
    """Who wants to reach the ATM through SSH, with an LNbits in such an environment."""

    server: LnbitsServer
    admin: Account
    settings: dict[str, Any]

    async def test_connection(self) -> dict[str, Any]:
        shown = await self.admin.call("POST", f"{API}/test-connection", self.settings)
        fingerprint = shown["ssh_host_key_fingerprint"]
        body = {**self.settings, "ssh_host_key_fingerprint": fingerprint}
        answer: dict[str, Any] = await self.admin.call("POST", f"{API}/test-connection", body)
        return answer


def _run_as_told(message: str) -> None:
    """Run the command that stands at the end of the connection test's message."""
    _, _, command = message.partition("then restart LNbits: ")
    parts = shlex.split(command)
    if parts[1] == "exec":  # these tests may run in a container: no need to enter it
        parts = parts[3:]
    if parts[0] == "uv":
        parts = [sys.executable, "-m", *parts]
    subprocess.run(parts, check=True, capture_output=True)  # noqa: S603 - what is tested here


@pytest.fixture(params=["uv", pytest.param("venv", marks=pytest.mark.faults)])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> Environment:
    made = Environment(tmp_path / "environment", request.param)
    made.make()
    return made


@pytest.fixture
def server(environment: Environment, tmp_path: Path) -> Iterator[LnbitsServer]:
    # With a custom path the extension has its own name, and lies beside the environment.
    with LnbitsServer(tmp_path / "lnbits", program=environment.program) as running:
        yield running


@pytest.mark.slow
async def test_they_survive_an_environment_that_is_made_anew(
    environment: Environment,
    server: LnbitsServer,
    lamassu: LamassuDatabase,
    ssh_server: SshServer,
    ssh_key: asyncssh.SSHKey,
) -> None:
    api = server.api()
    admin = await api.first_install("admin", "a password")
    wallet = await admin.create_wallet("source")
    operator = Operator(
        server,
        admin,
        {
            **lamassu.login(),
            "source_wallet_id": wallet.id,
            "use_ssh_tunnel": True,
            "ssh_host": ssh_server.host,
            "ssh_port": ssh_server.port,
            "ssh_username": ssh_server.username,
            "ssh_private_key": ssh_key.export_private_key().decode(),
        },
    )
    lacking = await operator.test_connection()
    assert not lacking["success"]
    assert "needs two Python packages" in lacking["message"]
    assert ("uv pip install" in lacking["message"]) == (environment.kind == "uv")

    _run_as_told(lacking["message"])
    assert "are there: restart LNbits" in (await operator.test_connection())["message"]
    server.restart()
    assert (await operator.test_connection())["success"]

    server.stop()
    environment.make()
    server.start()
    assert (await operator.test_connection())["success"]
    await api.close()


@pytest.mark.slow
@pytest.mark.parametrize("environment", ["uv"], indirect=True)
def test_what_does_not_fit_or_is_not_trusted_is_named_and_left_alone(
    environment: Environment, tmp_path: Path
) -> None:
    place = tmp_path / "lnbits" / "data" / "satmachineclient-packages"
    place.parent.mkdir(parents=True)
    problem = partial(_problem, environment, tmp_path / "lnbits")
    _run_as_told(problem())
    assert "restart LNbits, and it uses them" in problem()

    for built in place.glob("nacl/_sodium*.so"):  # as if it were Python 3.9's
        built.rename(built.with_name("_sodium.cpython-39-x86_64-linux-gnu.so"))
    assert f"What lies in {place} does not fit this Python 3." in problem()
    _run_as_told(problem())
    assert "restart LNbits, and it uses them" in problem()

    (place / "sshtunnel.py").chmod(0o666)
    assert f"others may write to {place}/sshtunnel.py" in problem()


def _problem(environment: Environment, folder: Path) -> str:
    """What a connection test would say in this environment about the packages."""
    settings = lnbits_environment(folder)
    done = subprocess.run(  # noqa: S603 - our own text
        [
            environment.folder / "bin" / "python",
            "-c",
            "from satmachineclient.atm import packages; print(packages.problem())",
        ],
        env={**settings, "PYTHONPATH": f"{settings['LNBITS_EXTENSIONS_PATH']}/extensions"},
        cwd=environment.packages,  # LNbits' static files are found from there
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.splitlines()[-1]


# ---- what is trusted -------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path: Path) -> Path:
    found = tmp_path / "satmachineclient-packages"
    (found / "paramiko").mkdir(parents=True)
    (found / "paramiko" / "__init__.py").write_text("")
    return found


def test_what_only_we_may_write_is_trusted(place: Path) -> None:
    (place / ".lock").touch()
    (place / ".lock").chmod(0o666)  # as uv leaves it
    assert packages.distrust(place) is None


@pytest.mark.parametrize("part", ["", "paramiko", "paramiko/__init__.py"])
def test_what_others_may_write_is_not(place: Path, part: str) -> None:
    (place / part).chmod(0o777)
    assert packages.distrust(place) == f"others may write to {(place / part).resolve()}"


def test_what_lies_where_others_may_exchange_it_is_not(place: Path) -> None:
    place.parent.chmod(0o777)
    assert packages.distrust(place) == f"others may write to {place.parent}"


def test_a_link_is_not(place: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.py").write_text("")
    (place / "sshtunnel.py").symlink_to(tmp_path / "elsewhere.py")
    assert packages.distrust(place) == f"{place}/sshtunnel.py is a link"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_belongs_to_another_user_is_not(place: Path) -> None:
    os.chown(place / "paramiko", 65534, -1)
    assert "belongs to the user with the number 65534" in (packages.distrust(place) or "")


# ---- the command -----------------------------------------------------------------------------


def test_an_appimage_is_filled_by_any_other_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPIMAGE", "/opt/LNbits.AppImage")
    command = packages.install_command()
    assert command.startswith(f"python3 -m pip install --upgrade --target {packages.folder()} ")
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert f"--python-version {version} --only-binary=:all: sshtunnel==" in command


@pytest.mark.parametrize(
    ("mounts", "command"),
    [
        ("/var/lib/docker/containers/{id}/hostname /etc/hostname rw", "docker exec abcdef012345 "),
        ("/data/containers/{id}/resolv.conf /etc/resolv.conf rw", "docker exec abcdef012345 "),
        (
            "/storage/overlay-containers/{id}/userdata/hosts /etc/hosts rw",
            "podman exec abcdef012345 ",
        ),
        ("/ / rw,relatime shared:1 - ext4 /dev/sda1 rw", ""),
    ],
)
def test_a_container_is_entered_by_its_id(mounts: str, command: str) -> None:
    key = "abcdef0123456789" * 4
    assert packages.into_container(f"1 2 0:3 {mounts.replace('{id}', key)}\n") == command

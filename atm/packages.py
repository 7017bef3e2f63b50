"""The two packages of the SSH tunnel: LNbits brings neither, and installs none for an extension.

Where its environment lacks them they are looked for in a folder beside its data: that one is still
there when the environment has been made anew, as at each update of a container. The folder comes
last on Python's path, so that nothing in it takes the place of what LNbits has itself.
"""

import importlib
import importlib.util
import os
import re
import shlex
import stat
import sys
from pathlib import Path

from lnbits.settings import settings

PACKAGES = ("sshtunnel==0.5.1", "paramiko==5.1.0")
_FOLDER = "satmachineclient-packages"
_MODULES = ("paramiko", "sshtunnel")


def folder() -> Path:
    """Where the packages may lie, beside LNbits' data."""
    return Path(settings.lnbits_data_folder, _FOLDER).absolute()


# ---- finding them ----------------------------------------------------------------------------


def find() -> str | None:
    """Make the packages importable; None if they are, else why what there is cannot be used.

    An empty reason: there is nothing.
    """
    if _failure() is None:
        return None
    place = folder()
    if not place.is_dir():
        return ""
    reason = distrust(place)
    if reason:
        return (
            f"What lies in {place} is not used: {reason}. All of it has to belong to the user who "
            "runs LNbits or to root, and nobody else may write there."
        )
    sys.path.append(str(place))
    importlib.invalidate_caches()
    failure = _failure()
    if failure is None:
        return None
    sys.path.remove(str(place))
    version = ".".join(map(str, sys.version_info[:2]))
    return f"What lies in {place} does not fit this Python {version} ({failure})."


def _failure() -> str | None:
    try:
        for name in _MODULES:
            importlib.import_module(name)
    # What was built for another Python may fail in any way at all, and LNbits has to start.
    except Exception as exc:
        return (str(exc).strip().splitlines() or [type(exc).__name__])[0][:200]
    return None


def distrust(place: Path) -> str | None:
    """Why code from this folder is not to be run by LNbits; None if it may be."""
    if os.name != "posix":
        return None
    place = place.resolve()
    if place.parent.stat().st_mode & (stat.S_IWOTH | stat.S_ISVTX) == stat.S_IWOTH:
        return f"others may write to {place.parent}"
    for path in (place, *place.rglob("*")):
        if any(part.startswith(".") for part in path.relative_to(place).parts):
            continue  # nothing that Python imports; uv leaves a lock file that all may write
        found = path.lstat()
        if found.st_uid not in (0, os.geteuid()):
            return f"{path} belongs to the user with the number {found.st_uid}"
        if stat.S_ISLNK(found.st_mode):
            return f"{path} is a link"
        # On many systems each user has a group of their own, and files belong to it.
        others = stat.S_IWOTH | (stat.S_IWGRP if found.st_gid != os.getegid() else 0)
        if found.st_mode & others:
            return f"others may write to {path}"
    return None


# ---- where they are missing ------------------------------------------------------------------


def problem() -> str:
    """What to do, where the tunnel could not be used since LNbits started."""
    reason = find()
    if reason is None:
        return "The SSH tunnel's two packages are there: restart LNbits, and it uses them."
    what = reason or "The SSH tunnel needs two Python packages beside LNbits."
    return (
        f"{what} Run this on LNbits' server, as the user who runs it, then restart LNbits: "
        f"{install_command()}"
    )


def install_command() -> str:
    """The one command that puts the packages into the folder, for this very environment."""
    target = f"--target {shlex.quote(str(folder()))}"
    packages = " ".join(PACKAGES)
    python = shlex.quote(sys.executable)
    if os.environ.get("APPIMAGE"):  # it is read-only; any other Python's pip will do
        version = ".".join(map(str, sys.version_info[:2]))
        only = f"--python-version {version} --only-binary=:all:"
        return f"python3 -m pip install --upgrade {target} {only} {packages}"
    if importlib.util.find_spec("pip"):
        command = f"{python} -m pip install --upgrade {target} {packages}"
    else:  # an environment made by uv has no pip
        command = f"uv pip install --reinstall --python {python} {target} {packages}"
    return f"{into_container(_mounts())}{command}"


def into_container(mounts: str) -> str:
    """How to get from the server into the container that has these mounts; empty: it is none.

    Docker and Podman mount files such as /etc/hosts from a folder with the container's id, which
    is one of its names.
    """
    for program, folder_of in (("podman", "overlay-containers"), ("docker", "containers")):
        found = re.search(rf"/{folder_of}/([0-9a-f]{{64}})/", mounts)
        if found:
            return f"{program} exec {found[1][:12]} "
    return ""


def _mounts() -> str:
    try:
        return Path("/proc/self/mountinfo").read_text()
    except OSError:  # not Linux
        return ""


if find() is None:
    import paramiko
    from sshtunnel import BaseSSHTunnelForwarderError, SSHTunnelForwarder
else:
    paramiko = None  # type: ignore[assignment]
    SSHTunnelForwarder = object
    BaseSSHTunnelForwarderError = OSError

__all__ = ["BaseSSHTunnelForwarderError", "SSHTunnelForwarder", "paramiko", "problem"]

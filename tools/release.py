"""The zip that LNbits installs, and the manifest that tells LNbits of it.

Both are made from a commit, never from the working folder, and the same commit gives the same
bytes on every machine: files in order, at the commit's time, and stored as they are, since two
builds of zlib do not compress alike. What is left out stands in `.gitattributes`.
"""

import argparse
import hashlib
import io
import json
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parent.parent
BUILD = CHECKOUT / ".build"
# A registry asks for these; LNbits cannot install without the second and third.
_REQUIRED = ("LICENSE", "__init__.py", "config.json", "README.md", "manifest.json")


class ReleaseError(Exception):
    """No release can be made of this; the text says why."""


@dataclass(frozen=True)
class Release:
    """A zip as bytes, with what its `config.json` and `manifest.json` say."""

    config: Mapping[str, Any]
    repository: str
    """Where the project lives on GitHub, as owner/name."""
    archive: bytes

    @property
    def name(self) -> str:
        return f"{self.config['id']}-{self.config['version']}"

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.archive).hexdigest()

    def entry(self, url: str | None = None) -> dict[str, object]:
        """What a manifest says of this release; `url` is the folder that the zip is served from.

        Without it, the files of the release on GitHub.
        """
        config, tag = self.config, f"v{self.config['version']}"
        home = f"https://github.com/{self.repository}"
        tile = str(config["tile"]).removeprefix(f"/{config['id']}/")
        base = (url or f"{home}/releases/download/{tag}").rstrip("/")
        return {
            "id": config["id"],
            "repo": home,
            "name": config["name"],
            "version": config["version"],
            "min_lnbits_version": config["min_lnbits_version"],
            "short_description": config["short_description"],
            "icon": f"{home}/raw/{tag}/{tile}",
            "details_link": f"https://raw.githubusercontent.com/{self.repository}/{tag}/config.json",
            "html_url": f"{home}/releases/tag/{tag}",
            "archive": f"{base}/{self.name}.zip",
            "hash": self.sha256,
        }


def build(commit: str = "HEAD", checkout: Path = CHECKOUT) -> Release:
    """The release that this commit is.

    Raises:
        ReleaseError: there is no git here, no such commit, or a file is missing in it.
    """
    files = _files(commit, checkout)
    missing = [name for name in _REQUIRED if name not in files]
    if missing:
        raise ReleaseError(f"{commit} has no {', '.join(missing)}")
    config = json.loads(files["config.json"])
    (home,) = json.loads(files["manifest.json"])["repos"]
    made = int(git(checkout, "show", "-s", "--format=%ct", commit))
    archive = _zip(f"{config['id']}-{config['version']}", files, made)
    return Release(config, f"{home['organisation']}/{home['repository']}", archive)


def _files(commit: str, checkout: Path) -> dict[str, bytes]:
    """The commit's files, less what `.gitattributes` leaves out, in order of their names."""
    packed = io.BytesIO(git(checkout, "archive", "--format=tar", commit))
    with tarfile.open(fileobj=packed) as tar:
        members = sorted((member for member in tar if member.isfile()), key=lambda each: each.name)
        read = ((member.name, tar.extractfile(member)) for member in members)
        return {name: content.read() for name, content in read if content}


def _zip(top: str, files: Mapping[str, bytes], unix_time: int) -> bytes:
    made = datetime.fromtimestamp(unix_time, timezone.utc).timetuple()[:6]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(f"{top}/{name}", made)
            info.create_system = 3  # Unix, whatever this runs on: it tells how to read the mode
            info.external_attr = 0o100644 << 16
            archive.writestr(info, content)
    return packed.getvalue()


def git(checkout: Path, *arguments: str) -> bytes:
    """What this git command prints about the checkout. Raises ReleaseError."""
    try:
        return subprocess.run(  # noqa: S603 - no shell, and nothing from outside
            ["git", "-C", str(checkout), *arguments],  # noqa: S607
            check=True,
            capture_output=True,
        ).stdout
    except FileNotFoundError:
        raise ReleaseError("A release is made with git, and there is none here.") from None
    except subprocess.CalledProcessError as exc:
        raise ReleaseError(f"git {arguments[0]}: {exc.stderr.decode().strip()}") from None


def write(release: Release, folder: Path, url: str | None = None) -> tuple[Path, Path]:
    """Put the zip and a manifest with this one release into the folder; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    archive, manifest = folder / f"{release.name}.zip", folder / f"{release.name}.json"
    archive.write_bytes(release.archive)
    text = json.dumps({"extensions": [release.entry(url)]}, indent=2, ensure_ascii=False)
    manifest.write_text(f"{text}\n")
    return archive, manifest


def main() -> int:
    parser = argparse.ArgumentParser(prog="make release")
    parser.add_argument("--url", help="the folder that the zip will be served from")
    url = parser.parse_args().url
    try:
        if git(CHECKOUT, "status", "--porcelain"):
            print("There are changes that no commit has: the release is that of HEAD.")
        release = build()
    except ReleaseError as exc:
        print(exc, file=sys.stderr)
        return 1
    archive, manifest = write(release, BUILD, url)
    print(f"{archive.relative_to(CHECKOUT)}   {len(release.archive) / 1000:,.0f} kB")
    print(f"{manifest.relative_to(CHECKOUT)}  sha256 {release.sha256}")
    print(f"LNbits will fetch {release.entry(url)['archive']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The pages: short where they have to be, no dead links, and a layout that is the code's."""

import re
from pathlib import Path

import pytest

from tools.release import CHECKOUT

PAGES = [
    CHECKOUT / "README.md",
    CHECKOUT / "SECURITY.md",
    *sorted((CHECKOUT / "docs").glob("*.md")),
]


def _anchors(page: Path) -> set[str]:
    """GitHub's own anchors of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_first_page_is_for_the_first_ten_minutes() -> None:
    assert len((CHECKOUT / "README.md").read_bytes()) < 14_000


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_link_leads_nowhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        assert file.is_file(), target
        if anchor:
            assert anchor in _anchors(file), target


def test_the_layout_names_every_room_and_no_other() -> None:
    page = (CHECKOUT / "docs" / "developing.md").read_text()
    layout = page.split("## Layout")[1].split("```")[1]
    named = set(re.findall(r"\b(\w+\.py|\w+/)(?=[\s,;:)']|$)", layout, re.M))
    at_the_root = {path.name for path in CHECKOUT.glob("*.py")}
    rooms = {
        f"{path.name}/"
        for path in CHECKOUT.iterdir()
        if path.is_dir() and path.name[0] not in "._" and path.name not in ("data", "logs")
    }
    assert at_the_root | rooms <= named
    for wing in (room for room in rooms if (CHECKOUT / room / "__init__.py").is_file()):
        if wing in ("bench/", "demo/", "tools/"):
            continue
        for module in (CHECKOUT / wing).glob("*.py"):
            assert module.name in named | {"__init__.py"}, f"{wing}{module.name}"
    real = {path.name for path in CHECKOUT.rglob("*.py") if ".venv" not in path.parts}
    assert not {name for name in named if name.endswith(".py")} - real


def test_every_dependency_has_its_reason() -> None:
    project = (CHECKOUT / "pyproject.toml").read_text()
    groups = project.split("[dependency-groups]")[1].split("[tool.")[0]
    needed = re.findall(r'^    "([\w-]+)', groups, re.M)
    assert len(needed) > 20
    page = (CHECKOUT / "docs" / "developing.md").read_text()
    reasons = page.split("## Dependencies")[1].split("\n## ")[0]
    assert not [name for name in needed if not re.search(rf"\b{name}\b", reasons)]

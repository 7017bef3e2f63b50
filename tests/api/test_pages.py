"""The pages as LNbits serves them: quickly, and with LNbits' settings of the moment."""

from uuid import uuid4

import pytest
from jinja2 import Environment

from demo.lnbits_api import EXTENSION, Account


async def text_of(admin: Account) -> str:
    answer = await admin.get(f"/{EXTENSION}/")
    answer.raise_for_status()
    return answer.text


async def test_a_page_is_compiled_once(admin: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """LNbits' renderer forgets what it compiled, a quarter of a second for each page."""
    compiled = []
    compile_text = Environment._compile

    def noting(self: Environment, source: str, filename: str) -> object:
        compiled.append(filename)
        return compile_text(self, source, filename)

    monkeypatch.setattr(Environment, "_compile", noting)
    first = await text_of(admin)
    compiled.clear()
    assert (await text_of(admin), compiled) == (first, [])


async def test_a_page_shows_lnbits_settings_of_the_moment(
    admin: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lnbits.settings import settings

    await text_of(admin)
    monkeypatch.setattr(settings, "lnbits_site_title", f"Bank of {uuid4().hex}")
    assert settings.lnbits_site_title in await text_of(admin)


async def test_lnbits_need_not_render_an_error_page_beside_ours(admin: Account) -> None:
    """Its page asks for this file each time, and takes one that is no JSON as if it was missing."""
    answer = await admin.get(f"/{EXTENSION}/static/routes.json")
    assert (answer.status_code, answer.content) == (200, b"")

"""The page's texts: every language has the same ones, and every one that is used exists."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_USED = (
    re.compile(r"\$t\(\s*'satmachineclient\.([a-z_]+\.\w+)'"),
    re.compile(r"\b(?:t|tIf)\(\s*'([a-z_]+\.\w+)'"),
    re.compile(r"\bt\([^()'`]*\?\s*'([a-z_]+\.\w+)'\s*:\s*'[a-z_]+\.\w+'"),
    re.compile(r"\?\s*'[a-z_]+\.\w+'\s*:\s*'([a-z_]+\.\w+)'"),
    re.compile(r"'(config_form\.\w+)'"),
    re.compile(r"more\([^']*'([a-z_]+\.\w+)'"),
)
# Keys that are put together while the page runs.
_MADE = re.compile(
    r"(alert_kinds|amounts|audit_fields|audit_said|count|differences|directions|notices|my_notices|obstacles|payouts|states|steps|told|triggers|units|ways)\.|alerts\.(digest|set)_|report\.by_|alerts\.secret_kept|alerts\.webhook_secret|"
    r"sidebar\.checked_|transactions\.|"
    r"held\.(client|partner|credit|commission|held|unclear|lost|pay|void|close)$"
)


def texts(language: str) -> dict[str, str]:
    """Key to text, as the file has them: two levels, one text after its key."""
    found: dict[str, str] = {}
    group = ""
    source = (ROOT / f"static/js/lang/{language}.js").read_text()
    for line in re.sub(r":\n\s+", ": ", source).splitlines():
        if opening := re.fullmatch(r"  (\w+): \{", line):
            group = opening[1]
        elif entry := re.fullmatch(r"""    (\w+): (['"])(.*)\2,?""", line):
            assert f"{group}.{entry[1]}" not in found
            found[f"{group}.{entry[1]}"] = entry[3]
    return found


def used() -> set[str]:
    files = [
        *(ROOT / "static/js").rglob("*.js"),
        *(ROOT / "templates/satmachineclient").rglob("*.html"),
    ]
    sources = [path.read_text() for path in files]
    return {key for source in sources for pattern in _USED for key in pattern.findall(source)}


def test_english_and_spanish_have_the_same_texts() -> None:
    english, spanish = texts("en"), texts("es")
    assert len(english) > 400
    assert set(english) == set(spanish)
    for key, text in english.items():
        names = sorted(re.findall(r"\{\w+\}", text))
        assert sorted(re.findall(r"\{\w+\}", spanish[key])) == names, key
        assert text.strip(), key
        assert spanish[key].strip(), key


def test_every_text_that_is_used_exists_and_every_one_that_exists_is_used() -> None:
    english = texts("en")
    assert used() - set(english) == set()
    assert {key for key in set(english) - used() if not _MADE.match(key)} == set()


def test_no_template_holds_a_text_of_its_own() -> None:
    """What a person reads comes from the language files; only `…` and the like stand alone."""
    for path in (ROOT / "templates/satmachineclient").rglob("*.html"):
        source = re.sub(r"\{[%#].*?[%#]\}", "", path.read_text(), flags=re.S)
        bare = re.findall(r"(?<=[\"'\w/]>)\s*([^<>{}]*[A-Za-z]{3}[^<>{}]*)<", source)
        assert [text for text in bare if "=" not in text] == [], path.name
        attributes = re.findall(
            r"\s(?:label|hint|placeholder|aria-label|title|suffix)=\"([^\"]*[A-Za-z]{2}[^\"]*)\"",
            source,
        )
        assert set(attributes) <= {"sats"}, path.name  # a unit, the same in every language


@pytest.mark.parametrize("language", ["en", "es"])
def test_no_text_holds_what_i18n_would_read_as_syntax(language: str) -> None:
    for key, text in texts(language).items():
        assert not re.search(r"[@|]", text), key
        assert json.dumps(text), key


# One word for each thing, and the client and the operator are *usted*.
_OTHER_WORDS = {
    "billetera": r"\b(monedero|cartera)",
    "reenvío": r"\benvíos?\b",
    "máquina": r"\bcajeros?\b",
    "usted": r"\b(tú|tus?|tuy[oa]s?|puedes|quieres|tienes)\b",
}


@pytest.mark.parametrize("word", _OTHER_WORDS)
def test_spanish_has_one_word_for_each_thing(word: str) -> None:
    other = re.compile(_OTHER_WORDS[word], re.IGNORECASE)
    assert {key: text for key, text in texts("es").items() if other.search(text)} == {}

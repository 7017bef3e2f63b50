"""Every sentence about a payment, and of a connection test that works, has a code and values."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.test_texts import texts

ROOT = Path(__file__).parents[2]
# Where the sentences are made that reach the page with a payment or a poll's problem.
_FILES = (
    *("paying/steps.py", "paying/transfers.py", "paying/limits.py", "reports/obstacles.py"),
    *("paying/forwards.py", "paying/own_keys.py", "paying/claims.py", "paying/crud_forwards.py"),
    *("atm/tunnel.py", "atm/postgres.py", "atm/way.py", "atm/packages.py", "atm/deadline.py"),
    *("atm/lamassu.py", "atm/check.py", "atm/machines.py", "atm/rows.py"),
    *("books/identity.py", "books/planning.py", "telling/outbox.py"),
    *("database.py",),
)
# What a request is answered with at once, and the letters that LNbits takes to a client.
_ANSWERS = ("ConflictError", "ValueError")
_LETTERS = ("told", "text")
# Put together with others, and looked at with them.
_PARTS = (
    *("The wallet 7 7.", "The destination 7.7", "Given up: 7."),
    *("Held: 7 Retry it if it is to be paid, or void it.",),
    *("LNbits has paid shares of this sale that differ from the plan.",),
    *("LNbits has paid 7 sats for this part.",),
    *("LNbits has paid 7 sats for sales that the payment does not name.",),
    "Lamassu's id 7 is stored already7, as 7 of 7 sats for 7 7. This is another sale, 7 of 7 sats "
    "for 7 7: 7. Compare the two.",
    # A test's letter, which stays English as all of them.
    "Sat Machine DCA: this is a test. Alerts would arrive here.",
)


def written(path: Path) -> Iterator[str]:
    """The sentences in a file, each with 7 for a value."""
    tree = ast.parse(path.read_text())
    docs = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    inside = {id(v) for n in ast.walk(tree) if isinstance(n, ast.JoinedStr) for v in n.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in _ANSWERS:
            inside |= {id(each) for argument in node.args for each in ast.walk(argument)}
        if isinstance(node, ast.Assign) and path.name in ("own_keys.py", "crud_forwards.py"):
            if getattr(node.targets[0], "id", "") in _LETTERS:
                inside |= {id(each) for each in ast.walk(node.value)}
    for node in ast.walk(tree):
        if id(node) in docs | inside:
            continue
        text = ""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        elif isinstance(node, ast.JoinedStr):
            text = "".join(
                str(v.value) if isinstance(v, ast.Constant) else "7" for v in node.values
            )
        if re.match(r"[A-Z].* .*\.$", text):
            yield text


@pytest.mark.parametrize("name", _FILES)
def test_each_sentence_has_a_code(name: str) -> None:
    from satmachineclient.words.told import told

    sentences = [text for text in written(ROOT / name) if text not in _PARTS]
    assert sentences or name == "paying/crud_forwards.py"
    for sentence in sentences:
        assert all(each.code for each in told(sentence)), sentence


def test_each_sentence_about_a_destination_has_a_code() -> None:
    from satmachineclient.words.told import told

    tree = ast.parse((ROOT / "paying/destinations.py").read_text())
    raised = [
        node.args[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "DestinationError"
    ]
    assert len(raised) > 8
    for node in raised:
        text = ast.unparse(node).strip("f'\"")
        text = re.sub(r"\{.*\}", "7", text)
        for advice in ("Set it again, or another one.", "It is asked again later."):
            said = told(f"The destination {text}. {advice}")
            assert [bool(each.code) for each in said] == [True, True], text
        (refused,) = told(f"destination: {text}")
        assert refused.field == "destination" and refused.code, text
    for why in ("the destination was changed", "forwarding was switched off"):
        assert told(f"Given up: {why}.")[0].code, why
    for reason in (
        "LNbits has paid shares of this sale that differ from the plan.",
        "LNbits has paid 7 sats for this part.",
        "LNbits has paid 7 sats for sales that the payment does not name.",
    ):
        (held,) = told(f"Held: {reason} Retry it if it is to be paid, or void it.")
        assert held.code, reason


def test_a_text_is_taken_apart_into_sentences_with_their_values() -> None:
    from satmachineclient.words.told import told

    text = (
        "The source wallet abc is gone: nothing can be paid. Choose another in the configuration. "
        "The wallet of Ana. B, or its user, is gone: their cash waits and buys nothing until they "
        "have another wallet. And 2 more of this kind."
    )
    assert [(each.code, each.values) for each in told(text)] == [
        ("source_wallet_is_gone", {"wallet": "abc"}),
        ("client_wallet_is_gone", {"name": "Ana. B"}),
        ("more_of_this_kind", {"n": "2"}),
    ]
    assert " ".join(each.text for each in told(text)) == text
    (failed,) = told("Waiting: the sale's credit failed: no. Really. No.")
    assert failed.values == {"reason": "no. Really. No."}
    assert told(None) == told("") == []
    (other,) = told("Something that nobody knows. At all.")
    assert (other.code, other.text) == (None, "Something that nobody knows. At all.")


@pytest.mark.parametrize("language", ["en", "es"])
def test_each_code_has_words_in_each_language(language: str) -> None:
    from satmachineclient.words.told import SENTENCES

    known = {key.removeprefix("told."): t for key, t in texts(language).items() if "told." in key}
    assert set(known) == set(SENTENCES)
    for code, template in SENTENCES.items():
        assert set(re.findall(r"\{\w+\}", known[code])) == set(re.findall(r"\{\w+\}", template))
        if language == "es":
            assert known[code] != template, code


def test_each_sentence_is_found_again_with_a_fields_name_too() -> None:
    from satmachineclient.words.told import SENTENCES, told

    for code, template in SENTENCES.items():
        sentence = re.sub(r"\{\w+\}", "7", template)
        assert [each.code for each in told(sentence)] == [code]
        assert [(each.field, each.code) for each in told(f"x: {sentence}")] == [("x", code)]


_LINK = "PostgreSQL 15.3, read-only session as dca_ro; the link is"
_ID = "Lamassu's id 7 is stored already"


@pytest.mark.parametrize(
    "text, codes, within",
    [
        (f"{_LINK} encrypted (TLS).", ["postgres_session"], ["link_tls"]),
        (
            f"{_LINK} encrypted by SSH as far as the SSH server, but NOT from there to 10.0.0.5.",
            ["postgres_session"],
            ["link_ssh_partly"],
        ),
        (
            "12 finished sales since 2026-01-01, 3 paid ones whose cash is not (all) out. 4 "
            "cash-ins that were sent since 2026-01-01.",
            ["sales_found_others", "cash_ins_found"],
            [],
        ),
        (
            "These machines compute with markup, but configured is margin: over 3 sales the base "
            "is off the market value by 1 sats (markup) or 5 sats (margin).",
            ["compute_with"],
            ["configured_is"],
        ),
        (
            "ssh_private_key: cannot be read: it is damaged, or not an SSH key. Paste the whole "
            "file, from -----BEGIN to END-----.",
            ["paste_whole_file"],
            ["key_damaged"],
        ),
        (
            f"{_ID}, from the database before this one, as a cash-out of 5 sats for 1.00 GTQ. This "
            "is another sale, a cash-in of 6 sats for 2.00 GTQ: it is from before this database "
            "was named another one. Compare the two. Not distributed by itself: cash_in_fee is -1",
            ["id_stored_before", "not_by_itself"],
            ["a_cash_out", "a_cash_in", "fee_odd"],
        ),
        (
            "5 sats for 1.00 GTQ are off the rate that LNbits knows, 700000 GTQ per bitcoin, by "
            "more than a factor of 3.",
            ["off_known_rate"],
            [],
        ),
        ("There is no client with this id.", ["not_found"], ["a_client"]),
        (
            "percent: the partners would get 120 % of the commission at machine ab, more than all "
            "of it",
            ["partners_above_all"],
            ["one_machine"],
        ),
        (
            "An SSH server answers at h:22, but no common MAC algorithm was found: it offers a; "
            "LNbits can use b, c. Allow one of these there, in sshd_config: MACs +b",
            ["nothing_in_common"],
            [],
        ),
    ],
)
def test_words_inside_a_sentence_are_told_in_turn(
    text: str, codes: list[str], within: list[str]
) -> None:
    from satmachineclient.words.told import told

    said = told(text)
    assert [each.code for each in said] == codes
    inside: list[Any] = []
    for one in said:
        for sentences in one.within.values():
            inside += sentences
    assert sorted(found.code for found in inside) == sorted(within)


def _below(model: type[Any]) -> Iterator[type[Any]]:
    for each in model.__subclasses__():
        yield each
        yield from _below(each)


@pytest.mark.parametrize("language", ["en", "es"])
def test_each_field_that_is_sent_has_a_name_of_the_page(language: str) -> None:
    from satmachineclient import models_config, models_payouts, models_programme  # noqa: F401
    from satmachineclient.machines import models as machines  # noqa: F401
    from satmachineclient.models import In
    from satmachineclient.partners import models as partners  # noqa: F401
    from satmachineclient.telling import models as telling  # noqa: F401

    sent = {
        field.alias
        for model in _below(In)
        if model.__module__.startswith("satmachineclient.") and issubclass(model, In)
        for field in model.__fields__.values()
    }
    assert len(sent) > 50
    named = {key.removeprefix("audit_fields.") for key in texts(language)}
    assert sent - named <= {"test", "dry_run"}  # which the page itself sends

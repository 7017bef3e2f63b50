"""What a request is refused with, and what a person has to look at, has a code and values, too."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel, Field, ValidationError

ROOT = Path(__file__).parents[2]
_ERRORS = (
    *("ConflictError", "ValueError", "RegistrationClosedError", "BusyError", "LedgerBusyError"),
    *("LeaseLostError", "SecretError", "HTTPException", "DistributionError", "_key_error"),
)
_NOT_THE_SERVER = ("tests", "bench", "demo", "tools", "words", "templates", "static", "docs")
# Of each file: whatever is raised anywhere may reach the page.
_REFUSING = [
    path
    for path in (*ROOT.glob("*.py"), *ROOT.glob("[a-z]*/*.py"))
    if path.relative_to(ROOT).parts[0] not in _NOT_THE_SERVER
]
# Not to be met by who uses the page; or put together with others, and looked at with them.
_OTHERS = (
    *("a filter's value does not fit its field", "amount: 7", "x: 7"),
    *("the stored secret cannot be decrypted", "It 7: it cannot be tried again.", "destination: 7"),
    *("fixed_mode_daily_limit: has to be 7 7", "amount: at most 7 7 is left77"),
    *("x: enter 7, because 7 changes", "cannot be read: it is damaged, 7or not an SSH key"),
    *("x: there is no such filter", "x: this operator is for text only", "sortby: use one of 7"),
    *("x: the filter's operator or value does not fit", "x: filter by 7, too"),
    *("direction: is the order; filter by direction[eq]", "Unknown API key."),
    *("This wallet does not belong to an admin.", "The address contains a NUL character."),
)


def _text(node: ast.expr) -> str:
    """A sentence as it is written, with 7 for a value."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(v.value) if isinstance(v, ast.Constant) else "7" for v in node.values)
    return ""


def raised(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if not (isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)):
            continue
        name = getattr(node.exc.func, "id", "")
        if name in _ERRORS or (
            name == "LamassuError" and _text(node.exc.args[0]) == "configuration"
        ):
            text = re.sub(r"^7(?=: )", "x", _text(node.exc.args[-1]))
            if text and text != "7":
                yield text


def test_each_refusal_has_a_code() -> None:
    from satmachineclient.words.told import told

    sentences = {sentence for path in _REFUSING for sentence in raised(path)}
    assert len(sentences) > 120
    for sentence in sentences - set(_OTHERS):
        assert all(each.code for each in told(sentence)), sentence
    assert sentences >= set(_OTHERS)  # none is left of what is not raised any more


def test_what_is_put_together_has_a_code() -> None:
    from satmachineclient.words.told import told

    for sentence in (
        "It is paid: it cannot be tried again.",
        "It may still arrive: it cannot be tried again.",
        "fixed_mode_daily_limit: has to be at least 5.00 GTQ",
        "amount: at most 5.00 GTQ is left in this machine",
        "amount: at most 5.00 GTQ is left; 9.00 more lies in machines: name one in device_id",
        "ssh_private_key: cannot be read: it is damaged, or not an SSH key",
        "ssh_private_key: cannot be read: it is damaged, or ssh_private_key_passphrase is wrong, "
        "or not an SSH key",
        "password: enter it again, because host changes",
        "ssh_password: enter ssh_password or ssh_private_key again, because ssh_host changes",
    ):
        assert [bool(each.code) for each in told(sentence)] == [True], sentence


@pytest.mark.parametrize("name", ["books/reconciliation.py", "books/forwarded.py"])
def test_each_difference_in_the_books_has_a_code(name: str) -> None:
    from satmachineclient.words.told import told

    details = [
        _text(node.value)
        for node in ast.walk(ast.parse((ROOT / name).read_text()))
        if isinstance(node, ast.keyword) and node.arg == "detail"
    ]
    assert details
    for detail in details:
        said = told(detail.replace(" in 77 differ", " in 7 differ"))
        assert all(each.code for each in said), detail


def test_an_error_names_its_field_and_several_stand_apart() -> None:
    from satmachineclient.words.told import told

    (one,) = told("wallet_id: there is no LNbits wallet with this id")
    assert (one.field, one.code) == ("wallet_id", "no_such_wallet")
    both = told("host: field required; port: value is not a valid integer")
    assert [(each.field, each.code) for each in both] == [
        ("host", "field_required"),
        ("port", "no_integer"),
    ]
    (other,) = told("Somewhere: nobody; knows: this")
    assert (other.code, other.field) == (None, None)


def test_a_reason_that_is_a_sentence_of_ours_is_told_in_turn() -> None:
    from satmachineclient.words.told import told

    sale, other = told("Not distributed by itself: crypto_atoms is NULL; cash_in_fee is -1")
    assert (sale.code, other.code) == ("not_by_itself", "fee_odd")
    assert [each.code for each in sale.within["reason"]] == ["atoms_odd"]
    (sale,) = told("Paid, but no cash came out (by the notes' count 0 of 100).")
    (reason,) = sale.within["reason"]
    assert [each.code for each in reason.within["reason"]] == ["no_cash_came_out"]
    (credit,) = told("Waiting: the sale's credit failed: connection refused")
    assert credit.within == {}


class _Form(BaseModel):
    count: int = Field(..., ge=1)
    amount: int = Field(..., lt=9)
    name: str = Field(..., min_length=2, max_length=3)
    kind: str = Field(..., regex="^a$")


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"count": None, "amount": "x", "name": "", "kind": ""},
        {"count": 0, "amount": 9, "name": "abcd", "kind": "b"},
    ],
)
def test_pydantics_own_messages_have_codes(sent: dict[str, object]) -> None:
    from satmachineclient.words.told import told

    with pytest.raises(ValidationError) as caught:
        _Form(**sent)
    assert len(caught.value.errors()) == 4
    for error in caught.value.errors():
        assert all(each.code for each in told(error["msg"])), error

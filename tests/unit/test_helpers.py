"""`helpers.py`: money in and out of text is exact, and a stored secret is readable to us only."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lnbits.settings import settings
from satmachineclient.helpers import (
    MAX_MINOR_UNITS,
    SecretError,
    currency_decimals,
    decimal_text,
    decrypt,
    encrypt,
    fiat_text,
    known_currency,
    minor_units,
    to_decimal,
)
from satmachineclient.money.currencies import CURRENT, RETIRED

every_currency = st.sampled_from(sorted(CURRENT | RETIRED))


@pytest.fixture
def server_key() -> Iterator[None]:
    """LNbits' own key may be changed, and is put back."""
    before = settings.auth_secret_key
    yield
    settings.auth_secret_key = before


# ---- money -----------------------------------------------------------------------------------


@given(every_currency, st.integers(-MAX_MINOR_UNITS, MAX_MINOR_UNITS))
def test_money_survives_the_way_out_and_in(code: str, minor: int) -> None:
    shown = fiat_text(minor, code)
    assert minor_units(Decimal(shown), code) == minor
    assert len(shown.partition(".")[2]) == currency_decimals(code)
    assert "E" not in shown


@given(every_currency, st.integers(0, 10**12), st.integers(0, 8))
def test_zeros_after_the_last_decimal_change_nothing(code: str, minor: int, zeros: int) -> None:
    shown = fiat_text(minor, code)
    padded = shown + ("" if "." in shown else ".") + "0" * zeros
    assert minor_units(Decimal(padded), code) == minor


@given(every_currency, st.integers(0, 10**12), st.integers(0, 200))
def test_one_decimal_too_many_is_refused_however_far_out(code: str, minor: int, far: int) -> None:
    shown = fiat_text(minor, code)
    too_fine = shown + ("" if "." in shown else ".") + "0" * far + "1"
    with pytest.raises(ValueError, match=f"decimals of {code}"):
        minor_units(Decimal(too_fine), code)


@given(every_currency, st.decimals())
def test_any_decimal_is_taken_exactly_or_refused(code: str, amount: Decimal) -> None:
    try:
        minor = minor_units(amount, code)
    except ValueError:
        return
    assert Decimal(fiat_text(minor, code)) == amount


@pytest.mark.parametrize(
    ("amount", "reason"),
    [
        ("NaN", "not a number"),
        ("sNaN", "not a number"),
        ("Infinity", "not a number"),
        ("-Infinity", "not a number"),
        ("1e15", "too large"),
        ("1e30", "too large"),
        ("1e999999", "too large"),
        ("1e1000000", "too large"),
        ("-1e1000000", "too large"),
        ("1e-1000000", "decimals"),
        ("0.001", "decimals"),
    ],
)
def test_what_is_no_amount_is_refused(amount: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        minor_units(Decimal(amount), "GTQ")


@pytest.mark.parametrize("code", ["gtq", "Gtq", "", " ", "XX", "BTC", "sats", "G" * 10_000, "\0"])
def test_an_unknown_currency_is_refused_in_a_short_sentence(code: str) -> None:
    with pytest.raises(ValueError, match="is not a known ISO 4217 currency code") as refusal:
        known_currency(code)
    assert len(str(refusal.value)) < 100


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9))
def test_rates_survive_the_way_out_and_in(rate: Decimal) -> None:
    assert Decimal(decimal_text(rate)) == rate
    assert "E" not in decimal_text(rate)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "", "x", None, [], "1,5", "1 5"])
def test_what_is_no_number_is_none(value: object) -> None:
    assert to_decimal(value) is None


# ---- secrets ---------------------------------------------------------------------------------


@given(st.text())
def test_a_secret_survives_storage_and_is_never_stored_alike_twice(secret: str) -> None:
    one, other = encrypt(secret), encrypt(secret)
    assert decrypt(one) == decrypt(other) == secret
    assert one != other


@given(st.text(min_size=12))  # shorter, and any stored text may hold it by chance
def test_what_is_stored_does_not_hold_the_secret(secret: str) -> None:
    assert secret not in encrypt(secret)


@given(
    st.text(),
    st.fractions(0, 1),
    st.lists(st.sampled_from("Aaz9_é\0"), min_size=2, max_size=2, unique=True),
)
def test_damaged_text_is_refused(secret: str, part: Fraction, letters: list[str]) -> None:
    token = encrypt(secret).rstrip("=")
    place = int(part * (len(token) - 2))  # the last one holds padding bits
    letter = next(each for each in letters if each != token[place])
    with pytest.raises(SecretError):
        decrypt(token[:place] + letter + token[place + 1 :])
    with pytest.raises(SecretError):
        decrypt(token[:place])


@given(st.text())
def test_what_was_never_encrypted_is_refused(stored: str) -> None:
    with pytest.raises(SecretError):
        decrypt(stored)


@pytest.mark.usefixtures("server_key")
def test_another_server_key_cannot_read_it() -> None:
    token = encrypt("secret")
    settings.auth_secret_key = "another"
    with pytest.raises(SecretError, match="cannot be decrypted"):
        decrypt(token)

"""The list of currencies is today's ISO 4217, as libraries that are looked after have it."""

import pycountry
import pytest
from babel.numbers import get_currency_precision
from lnbits.utils.exchange_rates import currencies as lnbits_currencies
from satmachineclient.helpers import currency_decimals, known_currency
from satmachineclient.money.currencies import CURRENT, RETIRED

# Babel's numbers are how people *show* money (Unicode CLDR): where the small coins fell out of use
# it has no decimals, while ISO 4217, and so every bank account, keeps them.
SHOWN_WITHOUT_COINS = {
    **dict.fromkeys("AFN ALL IRR KPW LAK LBP MGA MMK MRO RSD SLL SOS STD SYP YER".split(), 2),
    "IQD": 3,
}


def test_the_codes_are_those_of_today() -> None:
    assert set(CURRENT) == {c.alpha_3 for c in pycountry.currencies} - {"XXX", "XTS"}
    assert not set(CURRENT) & set(RETIRED)


def test_what_lnbits_knows_is_taken_too() -> None:
    """Deposits were taken in any of these; none of them may become unusable."""
    assert set(lnbits_currencies) <= set(CURRENT | RETIRED)


@pytest.mark.parametrize("code", sorted(CURRENT | RETIRED))
def test_decimals_are_those_of_iso_4217(code: str) -> None:
    assert currency_decimals(code) == SHOWN_WITHOUT_COINS.get(code, get_currency_precision(code))


@pytest.mark.parametrize("code", "XCG ZWG SLE VED MRU STN CUP".split())
def test_a_currency_that_lnbits_does_not_know_is_one(code: str) -> None:
    assert code not in lnbits_currencies
    assert known_currency(code) == code


@pytest.mark.parametrize("code", ["XXX", "XTS", "gtq", "", "BTC", "ZZZ"])
def test_what_is_no_currency_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="not a known ISO 4217"):
        known_currency(code)

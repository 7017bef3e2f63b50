"""The commission of a cash-in: what the customer's cash was worth, less what they were sent."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from satmachineclient.books.distribution import (
    DistributionError,
    cash_in_commission,
    effective_commission,
)

from demo.cash_in import machine_cash_in_atoms

NO_FEE = Decimal(0)
sats = st.integers(min_value=1, max_value=21 * 10**14)
rates = st.decimals(min_value=Decimal("-0.15"), max_value=Decimal("0.99999"), places=5)
fees = st.decimals(min_value=0, max_value=1000, places=5)
prices = st.decimals(min_value=Decimal("0.00001"), max_value=10**9, places=5)
discounts = st.integers(min_value=0, max_value=100)


@pytest.mark.parametrize(
    ("net", "effective", "fee", "price", "commission"),
    [
        (252_000, "0.055", "0", None, 13_860),
        (252_000, "0.0495", "0", None, 12_474),
        (238_600, "0.055", "10", "752345.67", 14_452),  # 13,123 and 1,329.18 for the fee
        (100, "0.005", "0", None, 0),  # 0.5, half to even
        (300, "0.005", "0", None, 2),  # 1.5
        (100_000, "0", "0", None, 0),
        (100_000, "-0.15", "0", None, 0),
        (100_000, "-0.01", "20", "1000000", 1_000),  # 2,000 for the fee, less 1,000
        (1, "0.99999", "0", None, 1),
    ],
)
def test_commission_is_the_rate_on_what_was_sent_and_the_fee(
    net: int, effective: str, fee: str, price: str | None, commission: int
) -> None:
    market = None if price is None else Decimal(price)
    assert cash_in_commission(net, Decimal(effective), Decimal(fee), market) == commission


@pytest.mark.parametrize("price", [None, "0", "-5", "NaN", "Infinity"])
def test_a_fee_needs_the_price_and_nothing_else_does(price: str | None) -> None:
    market = None if price is None else Decimal(price)
    assert cash_in_commission(1000, Decimal("0.05"), NO_FEE, market) == 50
    with pytest.raises(DistributionError, match=r"cash_in_fee of 10\.5, but raw_ticker_price"):
        cash_in_commission(1000, Decimal("0.05"), Decimal("10.5"), market)


@pytest.mark.parametrize("fee", [None, "NaN", "-1", "Infinity"])
def test_a_fee_that_is_not_known_is_never_guessed(fee: str | None) -> None:
    with pytest.raises(DistributionError, match="cash_in_fee is not known"):
        cash_in_commission(
            1000, Decimal(0), None if fee is None else Decimal(fee), Decimal(750_000)
        )


@given(sats, rates, discounts, fees, prices)
def test_it_is_a_whole_number_within_half_a_sat_of_the_formula_and_never_negative(
    net: int, rate: Decimal, discount: int, fee: Decimal, price: Decimal
) -> None:
    effective = effective_commission(rate, Decimal(discount))
    commission = cash_in_commission(net, effective, fee, price)
    exact = net * Fraction(rate) * (100 - discount) / 100 + Fraction(fee) / Fraction(price) * 10**8
    assert isinstance(commission, int)
    assert abs(commission - max(Fraction(0), exact)) <= Fraction(1, 2)


@given(sats, rates, rates, fees, fees, prices, prices, st.integers(0, 10**9))
def test_more_never_costs_less(
    net: int,
    rate: Decimal,
    other_rate: Decimal,
    fee: Decimal,
    other_fee: Decimal,
    price: Decimal,
    other_price: Decimal,
    more: int,
) -> None:
    """It rises with rate and fee, and with what was sent (at a rate that is not negative)."""
    low, high = sorted((rate, other_rate))
    small, large = sorted((fee, other_fee))
    cheap, dear = sorted((price, other_price))
    assert cash_in_commission(net, low, fee, price) <= cash_in_commission(net, high, fee, price)
    assert cash_in_commission(net, rate, small, price) <= cash_in_commission(
        net, rate, large, price
    )
    assert cash_in_commission(net, rate, fee, dear) <= cash_in_commission(net, rate, fee, cheap)
    if rate >= 0:
        assert cash_in_commission(net, rate, fee, price) <= cash_in_commission(
            net + more, rate, fee, price
        )


@settings(max_examples=500)
@given(
    st.lists(st.sampled_from([20, 50, 100, 200, 500]), min_size=1, max_size=12),
    st.decimals(min_value=1000, max_value=10**7, places=5),
    st.decimals(min_value=0, max_value=Decimal("0.20"), places=5),
    discounts,
    st.decimals(min_value=0, max_value=15, places=5),
)
def test_it_is_what_the_machine_kept_within_its_own_rounding(
    notes: list[int], ask: Decimal, rate: Decimal, discount: int, fee: Decimal
) -> None:
    """Market value of the cash less what was sent: off by at most 50 sats for each note.

    The machine rounds what it sends for a note to 100 sats (after cutting off parts of a sat);
    those 50 sats are then worth their commission, too. Its rate is rounded to five decimals.
    """
    sent = machine_cash_in_atoms(notes, ask, rate, discount, fee)
    effective = effective_commission(rate, Decimal(discount))
    commission = cash_in_commission(sent, effective, fee, ask)
    market = Fraction(sum(notes)) / Fraction(ask) * 10**8
    rounding = len(notes) * 51 * (1 + Fraction(effective))
    rate_rounding = market * Fraction(1, 200_000) / Fraction(ask)
    assert abs(commission - (market - sent)) <= rounding + rate_rounding + 1

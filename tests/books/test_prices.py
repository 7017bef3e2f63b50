"""What a machine computes fits its price; an absurd amount does not, and waits for a person."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from satmachineclient.books.prices import OFF_ITS_OWN_PRICE, KnownRates, off_by
from satmachineclient.models_sales import Direction, Sale

from demo.cash_in import machine_cash_in_atoms
from demo.sales import machine_atoms
from tests.lamassu_rig import now

prices = st.decimals(Decimal(100), Decimal(10**8), places=5)
cash = st.integers(1, 100_000).map(Decimal)
rates = st.decimals(Decimal("-0.15"), Decimal("0.9"), places=5)
fees = st.decimals(Decimal(0), Decimal(50), places=2)
absurd = st.fractions(2, 1000)


@given(prices, cash, rates, fees)
def test_what_a_machine_asks_for_fits(
    price: Decimal, fiat: Decimal, rate: Decimal, fee: Decimal
) -> None:
    atoms = machine_atoms(fiat, price, rate, fixed_fee=fee)
    assert off_by(price, atoms, fiat, rate, fee) < OFF_ITS_OWN_PRICE


@given(prices, cash, st.decimals(Decimal("-0.15"), Decimal("0.3"), places=5), absurd, st.booleans())
def test_an_absurd_amount_does_not(
    price: Decimal, fiat: Decimal, rate: Decimal, factor: Decimal, more: bool
) -> None:
    fitting = machine_atoms(fiat, price, rate)
    assume(fitting > 10_000)
    atoms = int(fitting * factor) if more else int(fitting / factor)
    assert off_by(price, atoms, fiat, rate, Decimal(0)) > OFF_ITS_OWN_PRICE


@given(prices, st.lists(st.sampled_from([20, 50, 100, 200]), min_size=1, max_size=9), rates, fees)
def test_what_a_machine_sends_fits(
    price: Decimal, notes: list[int], rate: Decimal, fee: Decimal
) -> None:
    assume(fee < 20)
    atoms = machine_cash_in_atoms(notes, price, rate, fee=fee)
    assume(atoms > 100 * len(notes) * 2)  # below that the rounding of each note is the amount
    off = off_by(price, atoms, Decimal(sum(notes)), rate, fee, "cash_in")
    assert off < OFF_ITS_OWN_PRICE


# ---- a rate from elsewhere -------------------------------------------------------------------


def sale(sats: int, hours_ago: int = 1, direction: Direction = "cash_out") -> Sale:
    return Sale(
        id="sale",
        device_id="",
        time=now() - timedelta(hours=hours_ago),
        crypto_code="BTC",
        crypto_sats=sats,
        fiat=100_00,
        fiat_code="EUR",
        commission=Decimal("0.05"),
        discount=None,
        fixed_fee=None,
        state="good",
        reason=None,
        facts={},
        direction=direction,
    )


@pytest.mark.parametrize("direction", ["cash_out", "cash_in"])
@pytest.mark.parametrize(
    ("sats", "state"),
    [
        (100_000, "good"),
        (180_000, "good"),
        (60_000, "good"),
        (220_000, "review"),
        (40_000, "review"),
    ],
)
def test_a_sale_far_off_a_known_rate_waits(sats: int, state: str, direction: Direction) -> None:
    held = KnownRates({"EUR": Decimal(100_000)}, now()).hold(sale(sats, direction=direction))
    assert held.state == state
    assert state == "good" or "off the rate that LNbits knows" in (held.reason or "")


def test_without_a_rate_and_for_an_old_sale_nothing_is_compared() -> None:
    assert KnownRates({}, now()).hold(sale(1)).state == "good"
    assert KnownRates({"USD": Decimal(1)}, now()).hold(sale(1)).state == "good"
    assert KnownRates({"EUR": Decimal(100_000)}, now()).hold(sale(1, 24 * 7)).state == "good"

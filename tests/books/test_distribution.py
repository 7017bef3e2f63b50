"""The money rules of `distribution.py`: each as a property that holds for all inputs."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from satmachineclient.books.distribution import (
    DistributionError,
    Participant,
    base_amount,
    distribute,
    effective_commission,
    fixed_cap,
    largest_remainder,
    sats_for,
)

sats = st.integers(min_value=0, max_value=21 * 10**14)
fiat = st.integers(min_value=0, max_value=10**12)
rates = st.decimals(min_value=0, max_value=Decimal("0.99999"), places=5)
discounts = st.integers(min_value=0, max_value=100)


@st.composite
def crowds(draw: st.DrawFn) -> list[Participant]:
    balances = draw(st.lists(st.integers(-(10**6), 10**9), max_size=12))
    return [
        Participant(f"c{i:02}", b, draw(st.one_of(st.just(b), st.integers(0, max(b, 0)))))
        for i, b in enumerate(balances)
    ]


# ---- commission ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("commission", "discount", "effective"),
    [
        ("0.03", 0, "0.03"),
        ("0.03", None, "0.03"),
        ("0.05500", 10, "0.0495"),
        ("0.05500", 90, "0.0055"),
        ("0.05500", 100, "0"),
        ("-0.15", 0, "-0.15"),
    ],
)
def test_discount_is_a_percentage_of_the_commission(
    commission: str, discount: int | None, effective: str
) -> None:
    percent = None if discount is None else Decimal(discount)
    assert effective_commission(Decimal(commission), percent) == Decimal(effective)


@pytest.mark.parametrize(
    ("commission", "discount"),
    [(None, 0), ("NaN", 0), ("Infinity", 0), ("1", 0), ("1.5", 10), ("0.05", -1), ("0.05", 101)],
)
def test_a_commission_that_makes_no_sense_is_never_guessed(
    commission: str | None, discount: int
) -> None:
    with pytest.raises(DistributionError):
        effective_commission(None if commission is None else Decimal(commission), Decimal(discount))


@pytest.mark.parametrize(
    ("total", "effective", "base"),
    [
        (266800, "0.03", 259029),  # the spec's formula: 266800 / 1.03 = 259029.126…
        (103, "0.03", 100),
        (3, "1E-10", 3),
        (5, "0.25", 4),
        (7, "0", 7),
        (100, "-0.15", 100),
    ],
)
def test_markup_is_the_formula_of_the_spec(total: int, effective: str, base: int) -> None:
    assert base_amount(total, Decimal(effective)) == base


def test_base_is_rounded_half_to_even() -> None:
    assert base_amount(3, Decimal("0.2")) == 2  # 2.5
    assert base_amount(9, Decimal("0.2")) == 8  # 7.5


@pytest.mark.parametrize(
    ("total", "effective", "fiat_amount", "fee", "base"),
    [  # rows of the table in lamassu.md, made with the machine's own code
        (22900, "0.055", 20, 0, 21640),
        (114600, "0.055", 100, 0, 108297),
        (227900, "0.0495", 200, 0, 216619),
        (116900, "0.055", 100, 2, 108304),
        (218700, "0", 200, 2, 216535),
    ],
)
def test_margin_is_what_lamassu_machines_compute(
    total: int, effective: str, fiat_amount: int, fee: int, base: int
) -> None:
    got = base_amount(
        total, Decimal(effective), "margin", fiat=Decimal(fiat_amount), fixed_fee=Decimal(fee)
    )
    assert got == base


@pytest.mark.parametrize(("cash", "fee"), [(0, 0), (-5, 0), (10, -1)])
def test_margin_refuses_amounts_without_sense(cash: int, fee: int) -> None:
    with pytest.raises(DistributionError):
        base_amount(1, Decimal(0), "margin", fiat=Decimal(cash), fixed_fee=Decimal(fee))


@given(sats, rates, discounts, st.sampled_from(["markup", "margin"]), st.integers(1, 10**6))
def test_base_is_within_the_total_and_within_half_a_sat_of_the_formula(
    total: int, rate: Decimal, discount: int, method: str, cash: int
) -> None:
    effective = effective_commission(rate, Decimal(discount))
    base = base_amount(total, effective, method, fiat=Decimal(cash))  # type: ignore[arg-type]
    assert 0 <= base <= total
    e = Fraction(rate) * (100 - discount) / 100
    exact = total / (1 + e) if method == "markup" else total * (1 - e)
    assert abs(base - exact) <= Fraction(1, 2)


# ---- remainders ------------------------------------------------------------------------------


@given(sats, st.lists(st.integers(0, 10**15), min_size=1, max_size=30).filter(any))
def test_largest_remainder_leaves_nothing_over_and_is_less_than_one_off(
    total: int, weights: list[int]
) -> None:
    parts = largest_remainder(total, weights)
    assert sum(parts) == total
    whole = sum(weights)
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(total * weight, whole)) < 1


def test_a_tie_goes_to_the_earlier_client() -> None:
    assert largest_remainder(100, [1, 1, 1]) == [34, 33, 33]
    shares = distribute(100, 300, [Participant(c, 100, 100) for c in ("b", "c", "a")]).shares
    assert [(s.client_id, s.sats) for s in shares] == [("a", 34), ("b", 33), ("c", 33)]


# ---- shares ----------------------------------------------------------------------------------


@settings(max_examples=500)
@given(sats, fiat, crowds(), st.one_of(st.none(), fiat))
def test_nothing_is_lost_and_no_cap_is_broken(
    base: int, cash: int, crowd: list[Participant], cash_out: int | None
) -> None:
    result = distribute(base, cash, crowd, cash_out)
    assert sum(s.sats for s in result.shares) + result.undistributed_sats == base
    assert sum(s.fiat for s in result.shares) + result.undistributed_fiat == cash
    assert result.undistributed_sats >= 0
    assert result.undistributed_fiat >= 0
    assert sum(s.fiat for s in result.shares) <= (cash if cash_out is None else cash_out)
    caps = {p.client_id: min(p.balance, p.cap) for p in crowd}
    for share in result.shares:
        assert 0 < share.fiat <= caps[share.client_id]
        assert share.sats > 0


@settings(max_examples=500)
@given(st.integers(10**6, 10**12), st.integers(10**4, 10**9), crowds())
def test_everything_is_taken_until_all_are_capped(
    base: int, cash: int, crowd: list[Participant]
) -> None:
    result = distribute(base, cash, crowd)
    room = sum(max(0, min(p.balance, p.cap)) for p in crowd)
    taken = cash - result.undistributed_fiat
    if len(result.shares) == sum(1 for p in crowd if min(p.balance, p.cap) > 0):
        assert taken == min(cash, room)
    if taken == cash:
        assert result.undistributed_sats == 0


@settings(max_examples=300)
@given(st.integers(10**6, 10**12), st.integers(10**4, 10**9), crowds())
def test_uncapped_clients_share_in_proportion_to_their_balances(
    base: int, cash: int, crowd: list[Participant]
) -> None:
    result = distribute(base, cash, crowd)
    by_id = {p.client_id: p for p in crowd}
    free = [s for s in result.shares if s.fraction * cash < by_id[s.client_id].cap]
    for one in free:
        for other in free:
            a, b = by_id[one.client_id].balance, by_id[other.client_id].balance
            assert one.fraction * b == other.fraction * a
    for share in result.shares:  # a capped client never gets more than an uncapped one would
        assert abs(share.sats - share.fraction * base) < 1
        assert abs(share.fiat - share.fraction * cash) < 1


@given(sats, fiat, crowds(), st.randoms())
def test_the_order_of_the_clients_changes_nothing(
    base: int, cash: int, crowd: list[Participant], random: object
) -> None:
    shuffled = list(crowd)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert distribute(base, cash, crowd) == distribute(base, cash, shuffled)


def test_capped_share_goes_to_the_others() -> None:
    crowd = [Participant("a", 1000, 50), Participant("b", 1000, 1000), Participant("c", 2000, 2000)]
    result = distribute(40_000, 400, crowd)
    got = {s.client_id: (s.fiat, s.sats) for s in result.shares}
    # a takes 50 of its 100; the other 350 go 1 : 2
    assert got == {"a": (50, 5000), "b": (117, 11667), "c": (233, 23333)}


def test_what_nobody_can_take_stays_undistributed() -> None:
    result = distribute(10_000, 1000, [Participant("a", 300, 300), Participant("b", 100, 100)])
    assert [(s.fiat, s.sats) for s in result.shares] == [(300, 3000), (100, 1000)]
    assert (result.undistributed_fiat, result.undistributed_sats) == (600, 6000)


def test_nobody_pays_for_nothing_or_is_paid_for_nothing() -> None:
    crowd = [Participant("dust", 1, 1), Participant("whale", 10**8, 10**8)]
    (only,) = distribute(100_000, 10_000, crowd).shares
    assert (only.client_id, only.fiat, only.sats) == ("whale", 10_000, 100_000)


def test_clients_without_balance_or_limit_take_no_part() -> None:
    crowd = [Participant("a", -5, 10), Participant("b", 0, 0), Participant("c", 10, 0)]
    assert distribute(100, 100, crowd).shares == ()


def test_only_the_cash_that_came_out_is_shared() -> None:
    result = distribute(10_000, 1000, [Participant("a", 5000, 5000)], cash_out=600)
    (share,) = result.shares
    assert (share.fiat, share.sats) == (600, 6000)
    assert (result.undistributed_fiat, result.undistributed_sats) == (400, 4000)


@pytest.mark.parametrize(
    ("balance", "limit", "taken", "cap"),
    [(100, 50, 0, 50), (30, 50, 0, 30), (100, 50, 20, 30), (100, 50, 60, 0), (-5, 50, 0, 0)],
)
def test_fixed_mode_takes_what_is_left_of_balance_and_limit(
    balance: int, limit: int, taken: int, cap: int
) -> None:
    assert fixed_cap(balance, limit, taken) == cap


@given(st.decimals("0.01", "1e9", places=2), st.decimals("0.00000001", "1e12", places=8))
def test_sats_for_fiat_are_its_worth_to_the_half_sat(fiat: Decimal, rate: Decimal) -> None:
    sats = sats_for(fiat, rate)
    assert abs(Fraction(sats) * Fraction(rate) / 10**8 - Fraction(fiat)) <= Fraction(rate) / (
        2 * 10**8
    )


def test_sats_for_fiat_need_a_rate() -> None:
    with pytest.raises(DistributionError):
        sats_for(Decimal(1), Decimal(0))

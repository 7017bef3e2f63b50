"""The partners' parts of a commission: exact, and by the terms of the sale's time."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from satmachineclient.books.distribution import DistributionError
from satmachineclient.books.partners import PartnerBook, split
from satmachineclient.helpers import MAX_SATS
from satmachineclient.partners.models import Partner, PartnerTerms

START = datetime(2026, 1, 1, tzinfo=timezone.utc)


def terms(
    partner_id: str,
    percent: str | Decimal,
    *devices: str,
    hours: int = 0,
    until: int | None = None,
    status: str = "active",
) -> PartnerTerms:
    return PartnerTerms(
        id=f"{partner_id} {hours}",
        partner_id=partner_id,
        percent=percent,
        device_ids=list(devices),
        status=status,
        valid_from=START + timedelta(hours=hours),
        valid_until=None if until is None else START + timedelta(hours=until),
    )


def partner(partner_id: str) -> Partner:
    return Partner(
        id=partner_id,
        name=partner_id,
        user_id="user",
        wallet_id=f"wallet of {partner_id}",
        percent=Decimal(1),
        device_ids=[],
        valid_from=START,
        created_at=START,
    )


def sats(commission: int, *given: PartnerTerms) -> dict[str, int]:
    return {part.partner_id: part.sats for part in split(commission, given)}


def test_each_gets_their_percentage_and_the_operator_the_rest() -> None:
    assert sats(7771, terms("a", "12.5"), terms("b", "40")) == {"a": 971, "b": 3109}


def test_the_sat_left_over_goes_to_the_largest_remainder_on_a_tie_to_the_smaller_id() -> None:
    assert sats(1, terms("b", "50"), terms("a", "50")) == {"a": 1}
    assert sats(101, terms("b", "50"), terms("a", "50")) == {"a": 51, "b": 50}
    assert sats(101, terms("a", "50")) == {"a": 51}  # a partner before the operator


def test_less_than_a_sat_is_the_operators() -> None:
    assert sats(10, terms("a", "0.0001")) == {}


def test_more_than_all_of_it_is_never_split() -> None:
    with pytest.raises(DistributionError, match="above 100"):
        split(100, [terms("a", "60"), terms("b", "40.0001")])


percents = st.decimals(Decimal("0.0001"), Decimal(100), places=4)


@given(st.integers(0, MAX_SATS), st.lists(percents, max_size=8))
def test_partners_and_operator_together_are_the_commission(
    commission: int, shares: list[Decimal]
) -> None:
    while sum(shares) > 100:
        shares.pop()
    given_terms = [terms(f"p{number}", share) for number, share in enumerate(shares)]
    parts = split(commission, given_terms)
    own = commission - sum(part.sats for part in parts)
    assert own >= 0
    if sum(shares) == 100:
        assert own == 0
    exact = {t.partner_id: commission * Fraction(t.percent) / 100 for t in given_terms}
    for part in parts:
        assert abs(part.sats - exact[part.partner_id]) < 1
    for missing in exact.keys() - {part.partner_id for part in parts}:
        assert exact[missing] < 1


def test_a_sale_goes_by_the_terms_of_its_own_time_and_machine() -> None:
    first = terms("a", "10", until=2)
    later = [
        terms("b", "50", "m1", hours=1, until=4),
        terms("a", "20", hours=2),
        terms("b", "50", "m1", hours=4, status="ended"),
    ]
    book = PartnerBook([partner("a"), partner("b")], [first], later)

    def at(hours: int, device: str) -> dict[str, int]:
        book.advance(START + timedelta(hours=hours))
        return {part.partner_id: part.sats for part in book.parts(100, device)}

    assert at(0, "m1") == {"a": 10}
    assert at(1, "m2") == {"a": 10}
    assert at(1, "m1") == {"a": 10, "b": 50}
    assert at(3, "m1") == {"a": 20, "b": 50}
    assert at(4, "m1") == {"a": 20}
    assert book.parts(0, "m1") == []
    assert book.wallet_of("b") == "wallet of b"


changes = st.lists(
    st.tuples(
        st.integers(1, 20), st.sampled_from("abc"), st.integers(1, 33), st.sampled_from(["", "m1"])
    ),
    max_size=10,
)


@given(changes, st.lists(st.tuples(st.integers(0, 22), st.sampled_from(["m1", "m2"])), max_size=10))
def test_a_backlog_gives_the_same_as_planning_each_sale_at_once(
    made: list[tuple[int, str, int, str]], sales: list[tuple[int, str]]
) -> None:
    """Over changes of partners: all sales through one book, or each through a book of its time."""
    later: list[PartnerTerms] = []
    for hour, who, percent, device in sorted(made, key=lambda change: change[0]):
        changed = terms(who, str(percent), *([device] if device else []), hours=hour)
        for number, old in enumerate(later):
            if old.partner_id == who and old.valid_until is None:
                later[number] = old.copy(update={"valid_until": changed.valid_from})
        later.append(changed)
    counting = [t for t in later if t.valid_until is None or t.valid_until > t.valid_from]
    whole = PartnerBook([partner(p) for p in "abc"], [], counting)
    for hour, device in sorted(sales):
        moment = START + timedelta(hours=hour)
        in_force = [
            t
            for t in later
            if t.valid_from <= moment and (t.valid_until is None or t.valid_until > moment)
        ]
        alone = PartnerBook([partner(p) for p in "abc"], in_force)
        whole.advance(moment)
        assert whole.parts(1001, device) == alone.parts(1001, device)

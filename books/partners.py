"""The partners' parts of a sale's commission, by the terms of the sale's own time.

`split` is a pure function; the book goes through the terms in the order of time, as the clients'
book does through theirs.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from .. import database
from ..partners import crud
from ..partners.models import Partner, PartnerTerms
from .distribution import DistributionError, largest_remainder

_WHOLE = 100 * 10**4  # a percentage has at most four decimals


@dataclass(frozen=True)
class Part:
    """What of a commission is one partner's."""

    partner_id: str
    percent: Decimal
    sats: int


def split(commission_sats: int, terms: Sequence[PartnerTerms]) -> list[Part]:
    """Each partner's part in sats; what is not in it is the operator's own.

    To the sat, by the largest remainder, on a tie to the smaller id, and to a partner before the
    operator. A part that is less than one sat is nobody's but the operator's.

    Raises:
        DistributionError: the percentages are above 100 together.
    """
    partners = sorted(terms, key=lambda each: each.partner_id)
    weights = [int(each.percent.scaleb(4)) for each in partners]
    own = _WHOLE - sum(weights)
    if own < 0:
        raise DistributionError("the partners' percentages are above 100 together")
    *sats, _ = largest_remainder(commission_sats, [*weights, own])
    return [
        Part(each.partner_id, each.percent, amount)
        for each, amount in zip(partners, sats, strict=True)
        if amount > 0
    ]


class PartnerBook:
    """The partners' terms while sales are planned one after the other, oldest first."""

    def __init__(
        self,
        partners: Iterable[Partner] = (),
        terms: Iterable[PartnerTerms] = (),
        later_terms: Iterable[PartnerTerms] = (),
    ) -> None:
        """`later_terms` in the order of time."""
        self._wallets = {partner.id: partner.wallet_id for partner in partners}
        self._terms = {each.partner_id: each for each in terms}
        self._later = deque(later_terms)

    @classmethod
    async def open(cls, work: database.Ledger, first: datetime, last: datetime) -> "PartnerBook":
        """The book at the time of the first sale, ready to go on to the last."""
        return cls(
            await crud.all_partners(work),
            await crud.terms_at(work, first),
            await crud.terms_between(work, first, last),
        )

    def advance(self, time: datetime) -> None:
        """Go on to this time."""
        while self._later and self._later[0].valid_from <= time:
            terms = self._later.popleft()
            self._terms[terms.partner_id] = terms

    def parts(self, commission_sats: int, device_id: str) -> list[Part]:
        """Whose part of a commission at this machine, by the terms of this moment."""
        here = [terms for terms in self._terms.values() if terms.counts_at(device_id)]
        return split(commission_sats, here) if here and commission_sats > 0 else []

    def wallet_of(self, partner_id: str) -> str:
        return self._wallets[partner_id]

"""A destination outside: what it takes, and invoices of it, by LNbits' own LNURL functions.

LNbits refuses private addresses, plain HTTP and what is too large, as it is set up to. Every
question has one deadline as a whole.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TypeVar

import bolt11
from lnbits.core.models.lnurl import CreateLnurlPayment
from lnbits.core.services.lnurl import fetch_lnurl_pay_request, handle
from lnbits.core.services.payments import fee_reserve_total
from lnbits.settings import settings
from lnurl import InvalidLnurl, LnurlErrorResponse, LnurlException, LnurlPayResponse

from ..helpers import MAX_SATS, SatMachineError, now

ASK_SECONDS = 20
_SHORTEST_LIFE = timedelta(seconds=30)
_PREFIXES = ("lnurl1", "lnurlp://")
_STEPS: list[int] = [digit * 10**power for power in range(1, 16) for digit in (1, 2, 5)]

T = TypeVar("T")


class DestinationError(SatMachineError):
    """A destination did not do what is asked of it; `permanent` if asking again is of no use."""

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


@dataclass(frozen=True)
class Destination:
    """A destination that has answered, and the smallest and largest sats that it takes at once."""

    address: str
    min_sats: int
    max_sats: int
    answer: LnurlPayResponse


@dataclass(frozen=True)
class Invoice:
    """An invoice of a destination; `amount_sats` is the amount that it was asked for."""

    bolt11: str
    payment_hash: str
    amount_sats: int
    expires_at: datetime


def normal(address: str) -> str:
    """A Lightning address or LNURL-pay as it is stored.

    Raises:
        DestinationError: it is neither.
    """
    address = address.strip()
    if address.lower().startswith("lightning:"):
        address = address[len("lightning:") :]
    if address.lower().startswith(_PREFIXES):
        return address
    if "@" in address and "/" not in address:
        return address.lower()
    raise DestinationError("is no Lightning address and no LNURL-pay", permanent=True)


async def ask(address: str) -> Destination:
    """What the destination takes.

    Raises:
        DestinationError: it does not answer, or is nothing that can be paid.
    """
    answer = await _answer(handle(address, user_agent=settings.user_agent, timeout=10))
    if isinstance(answer, LnurlErrorResponse):
        raise DestinationError(f"refuses: {_short(answer.reason)}")
    if not isinstance(answer, LnurlPayResponse):
        raise DestinationError("is an LNURL, but none that can be paid", permanent=True)
    least = max(1, -(-int(answer.minSendable) // 1000))
    most = min(int(answer.maxSendable) // 1000, MAX_SATS)
    if most < least:
        raise DestinationError("takes no amount of whole sats", permanent=True)
    return Destination(address, least, most, answer)


async def invoice_of(destination: Destination, sats: int) -> Invoice:
    """An invoice of this amount.

    Raises:
        DestinationError: there is none, or it is not what was asked for.
    """
    data = CreateLnurlPayment(res=destination.answer, amount=sats * 1000)
    _, action = await _answer(fetch_lnurl_pay_request(data))
    try:
        read = bolt11.decode(action.pr)
    except Exception:  # the package raises what its parsers raise, of many kinds
        raise DestinationError("answered with an invoice that cannot be read") from None
    if read.amount_msat != sats * 1000:
        raise DestinationError("answered with an invoice of another amount")
    expires = datetime.fromtimestamp(read.date + (read.expiry or 3600), timezone.utc)
    if expires < now() + _SHORTEST_LIFE:
        raise DestinationError("answered with an invoice that has expired")
    return Invoice(action.pr, read.payment_hash, sats, expires)


def is_payable(expires_at: datetime | None) -> bool:
    """Whether an invoice lives long enough to be paid."""
    return expires_at is not None and expires_at > now() + _SHORTEST_LIFE / 2


async def _answer(question: Awaitable[T]) -> T:
    try:
        return await asyncio.wait_for(question, ASK_SECONDS)
    except asyncio.TimeoutError:
        raise DestinationError("did not answer in time") from None
    except InvalidLnurl:
        raise DestinationError("is no Lightning address and no LNURL-pay", permanent=True) from None
    except (LnurlException, ValueError, OSError) as exc:
        raise DestinationError(f"did not answer as it has to: {_short(str(exc))}") from None


def _short(text: str) -> str:
    """A text from outside, in one line that can be stored and shown."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:200]


# ---- amounts ---------------------------------------------------------------------------------


def reserve(sats: int) -> int:
    """What LNbits wants to hold for the fees of a payment of so many sats."""
    msat: int = fee_reserve_total(sats * 1000)
    return (msat + 999) // 1000


def fitting(sats: int) -> int:
    """The largest amount that fits into so many sats together with its fee reserve."""
    low, high = 0, max(0, sats)
    while low < high:
        middle = (low + high + 1) // 2
        if middle + reserve(middle) <= sats:
            low = middle
        else:
            high = middle - 1
    return low


def suggested_threshold(min_sats: int, smallest: int = 1) -> int:
    """The smallest round amount of which the fee reserve is at most 1 %, or else its usual part."""
    least = max(min_sats + reserve(min_sats), smallest)
    usual = max(100, reserve(10**9) * 10**4 // 10**9)  # in hundredths of a percent
    for sats in _STEPS:
        if sats >= least and reserve(sats) * 10**4 <= usual * sats:
            return sats
    return least

"""The arithmetic of one sale: its commission, the clients' shares, caps and remainders.

Pure functions: integers and exact fractions in, integers out. Nothing here reads a database,
a clock or a setting. Units: bitcoin in sats, fiat in minor units of its currency (cents),
commission rates as fractions (0.055 is 5.5 %), discounts in percent of the commission.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction

from ..helpers import SatMachineError
from ..models_sales import CommissionMethod

_EXACT_DIGITS = 60  # more than any product of the bounded inputs can have


class DistributionError(SatMachineError, ValueError):
    """A commission from which no base amount may be computed; a person has to look."""


@dataclass(frozen=True)
class Participant:
    """A client who may take part in a sale.

    `balance` is what is left of their deposits, `cap` the most they may take of this sale;
    both in minor units of the sale's currency.
    """

    client_id: str
    balance: int
    cap: int


@dataclass(frozen=True)
class Share:
    """What one client gets: `sats`, for `fiat` minor units of their balance.

    `fraction` is their part of the sale, before rounding to whole units.
    """

    client_id: str
    sats: int
    fiat: int
    fraction: Fraction


@dataclass(frozen=True)
class Distribution:
    """The shares of a sale and what nobody could take."""

    shares: tuple[Share, ...]
    undistributed_sats: int
    undistributed_fiat: int


def effective_commission(commission: Decimal | None, discount: Decimal | None) -> Decimal:
    """The commission after the discount: `commission × (100 − discount) / 100`, exactly.

    `commission` is a fraction, `discount` percent of the commission (None is none).
    Source: the spec's "commission tracking with discount support"; Lamassu's `discount` column.

    Raises:
        DistributionError: the commission is unknown, the discount is not within 0 to 100, or the
            result is 1 or more.
    """
    if commission is None or not commission.is_finite():
        raise DistributionError("commission_percentage is not known")
    percent = Decimal(0) if discount is None else discount
    if not percent.is_finite() or not 0 <= percent <= 100:
        raise DistributionError(f"discount is {percent}, not a percentage from 0 to 100")
    with localcontext() as context:
        context.prec = _EXACT_DIGITS
        effective = commission * (100 - percent) / 100
    if effective >= 1:
        raise DistributionError(f"the effective commission is {effective}, 100 % or more")
    return effective


def base_amount(
    total_sats: int,
    effective: Decimal,
    method: CommissionMethod = "markup",
    *,
    fiat: Decimal = Decimal(0),
    fixed_fee: Decimal = Decimal(0),
) -> int:
    """The sats of a sale that are shared out; the rest of `total_sats` is commission.

    `markup` is the spec's formula, `total / (1 + effective)`. `margin` is what Lamassu machines
    since 8.0 charge, `total × (1 − effective) × fiat / (fiat + fixed_fee)`, with `fiat` and
    `fixed_fee` in the same unit. Rounded half to even; a negative commission gives the total.

    Raises:
        DistributionError: `margin` without a positive fiat amount, or with a negative fixed fee.
    """
    rate = Fraction(effective)
    if method == "markup":
        exact = total_sats / (1 + rate) if rate > 0 else Fraction(total_sats)
    else:
        if fiat <= 0 or fixed_fee < 0:
            raise DistributionError(
                "the margin method needs a positive fiat amount and no negative fee"
            )
        cash = Fraction(fiat)
        exact = total_sats * (1 - rate) * cash / (cash + Fraction(fixed_fee))
    return max(0, min(total_sats, round(exact)))


def cash_in_commission(
    net_sats: int, effective: Decimal, fee: Decimal | None, price: Decimal | None
) -> int:
    """The commission of a cash-in in sats, on top of what the customer was sent.

    What the customer's cash was worth, less what they got for it: `net_sats × effective +
    fee / price × 10^8`, rounded half to even, and never less than 0. `net_sats` is what was sent,
    `fee` the machine's fixed fee in fiat, `price` the market price in fiat per whole bitcoin,
    without commission; it is needed only where there is a fee.
    Source: the machine sends, for each note, `(note − fee) / (price × (1 + effective))`, with the
    fee on the first note only; each note is rounded to a multiple of 100 sats.

    Raises:
        DistributionError: the fee is unknown or negative, or there is one and no positive price.
    """
    if fee is None or not fee.is_finite() or fee < 0:
        raise DistributionError("cash_in_fee is not known")
    exact = net_sats * Fraction(effective)
    if fee > 0:
        if price is None or not price.is_finite() or price <= 0:
            raise DistributionError(
                f"there is a cash_in_fee of {fee:f}, but raw_ticker_price is not known"
            )
        exact += Fraction(fee) / Fraction(price) * 10**8
    return max(0, round(exact))


def sats_for(fiat: Decimal, exchange_rate: Decimal) -> int:
    """The sats that `fiat` is worth at `exchange_rate` fiat per whole bitcoin, half to even.

    Raises:
        DistributionError: the rate is not positive.
    """
    if exchange_rate <= 0:
        raise DistributionError("the exchange rate has to be more than zero")
    return round(Fraction(fiat) * 10**8 / Fraction(exchange_rate))


def fixed_cap(balance: int, daily_limit: int, taken_today: int) -> int:
    """The most a client in fixed mode may take: what is left of balance and daily limit."""
    return max(0, min(balance, daily_limit - taken_today))


def largest_remainder(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` units in proportion to non-negative `weights`, leaving nothing over.

    Everyone gets their exact part rounded down; the units left go one each to the largest
    remainders, on a tie to the earlier weight (Hamilton's method).
    """
    whole = sum(weights)
    parts = [total * weight // whole for weight in weights]
    remainders = [total * weight % whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: -remainders[i])
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts


def distribute(
    base_sats: int, fiat: int, participants: Sequence[Participant], cash_out: int | None = None
) -> Distribution:
    """Share `base_sats`, bought for `fiat` minor units, among the participants.

    In proportion to their balances; what a capped client cannot take is shared again among the
    others, until all are capped or nothing is left. What nobody can take stays undistributed.
    A part too small to be a whole sat and a whole minor unit is left to the others: nobody pays
    for nothing, and nobody is paid for nothing. Where less than `fiat` came out of the machine,
    `cash_out` says how much, and only that part is shared.
    """
    limit = fiat if cash_out is None else min(fiat, cash_out)
    taking = sorted(
        (p for p in participants if p.balance > 0 and p.cap > 0), key=lambda p: p.client_id
    )
    while taking and base_sats > 0 and limit > 0:
        taken, scale = _fill(limit, taking)
        cash = sum(taken) // scale  # whole: either all caps together, or all of the limit
        fiats = largest_remainder(cash, taken)
        *sats, _ = largest_remainder(base_sats, [*taken, (fiat - cash) * scale])
        whole = [p for p, s, f in zip(taking, sats, fiats, strict=True) if s > 0 and f > 0]
        if len(whole) == len(taking):
            return _distribution(base_sats, fiat, taking, sats, fiats, taken, scale)
        taking = whole
    return Distribution((), base_sats, fiat)


def _fill(fiat: int, taking: Sequence[Participant]) -> tuple[list[int], int]:
    """Water-filling: each one's exact part of `fiat`, as numerators over one common scale.

    The parts are proportional to the balances, but never above a cap.
    """
    left, weight = fiat, sum(p.balance for p in taking)
    capped: set[str] = set()
    # Whoever is capped earliest as the water rises has the smallest cap per unit of balance.
    for p in sorted(taking, key=lambda p: Fraction(p.cap, p.balance)):
        if p.cap * weight > p.balance * left:
            break
        capped.add(p.client_id)
        left -= p.cap
        weight -= p.balance
    scale = weight or 1
    return [p.cap * scale if p.client_id in capped else p.balance * left for p in taking], scale


def _distribution(
    base_sats: int,
    fiat: int,
    taking: Sequence[Participant],
    sats: Sequence[int],
    fiats: Sequence[int],
    taken: Sequence[int],
    scale: int,
) -> Distribution:
    shares = tuple(
        Share(p.client_id, s, f, Fraction(t, scale * fiat))
        for p, s, f, t in zip(taking, sats, fiats, taken, strict=True)
    )
    result = Distribution(shares, base_sats - sum(sats), fiat - sum(fiats))
    # Rule 2, conservation, and rule 4, caps: cheap to hold, dear to break.
    if result.undistributed_sats < 0 or result.undistributed_fiat < 0:
        raise AssertionError("more was shared out than there is")
    if any(f > p.cap for p, f in zip(taking, fiats, strict=True)):
        raise AssertionError("a share is above its cap")
    return result

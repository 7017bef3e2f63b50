"""Whether a sale's sats and cash fit a market price: what does not waits for a person."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from ..helpers import fiat_text
from ..models_sales import Direction, Sale
from . import distribution

OFF_ITS_OWN_PRICE = Decimal("1.5")
OFF_A_KNOWN_RATE = Decimal(2)
_RECENT = timedelta(days=2)  # an older sale is not compared with a rate of today
_ROUNDING_SATS = 100  # machines round to a millionth of a bitcoin


def off_by(
    price: Decimal,
    sats: int,
    fiat: Decimal,
    effective: Decimal,
    fee: Decimal,
    direction: Direction = "cash_out",
) -> Decimal:
    """By which factor, 1 or more, the sats are off what the cash was worth at this market price.

    `price` and `fiat` in whole units of the currency, commission and fixed fee counted. A cash-out
    fits by either commission method, and what rounding may do is no difference.
    """
    worth = Decimal(10**8) / price
    if direction == "cash_in":
        fitting = [worth * (fiat - fee) / (1 + effective)]
    else:
        fitting = [worth * fiat * (1 + effective), worth * (fiat + fee) / (1 - effective)]
    return min(_factor(Decimal(sats), each) for each in fitting)


def _factor(sats: Decimal, fitting: Decimal) -> Decimal:
    if abs(sats - fitting) <= _ROUNDING_SATS:
        return Decimal(1)
    if min(sats, fitting) <= 0:
        return Decimal("Infinity")
    return max(sats / fitting, fitting / sats)


class KnownRates:
    """Rates from elsewhere, in fiat per whole bitcoin, with which recent sales are compared."""

    def __init__(self, rates: Mapping[str, Decimal], at: datetime) -> None:
        self._rates = rates
        self._since = at - _RECENT

    def hold(self, sale: Sale) -> Sale:
        """The sale as it is, or for review if it is far off the rate of its currency."""
        rate = self._rates.get(sale.fiat_code)
        if rate is None or sale.state != "good" or sale.time < self._since:
            return sale
        try:
            effective = distribution.effective_commission(sale.commission, sale.discount)
        except distribution.DistributionError:
            return sale  # it waits for that
        fiat, fee = Decimal(fiat_text(sale.fiat, sale.fiat_code)), sale.fixed_fee or Decimal(0)
        off = off_by(rate, sale.crypto_sats, fiat, effective, fee, sale.direction)
        if off <= OFF_A_KNOWN_RATE:
            return sale
        reason = (
            f"{sale.crypto_sats} sats for {fiat} {sale.fiat_code} are off the rate that LNbits "
            f"knows, {rate:f} {sale.fiat_code} per bitcoin, by more than a factor of "
            f"{OFF_A_KNOWN_RATE}."
        )
        return replace(sale, state="review", reason=reason)

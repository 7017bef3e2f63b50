"""LNbits' exchange rates, for comparison only: where it knows none, or not soon, there are none.

A poll waits for them once, for a moment. Where nothing answered they are not asked for again for an
hour, so that a server without a way to the price servers does not wait at each poll.
"""

import asyncio
from collections.abc import Iterable
from decimal import Decimal
from time import monotonic

from lnbits.settings import settings
from lnbits.utils.exchange_rates import allowed_currencies, get_fiat_rate_and_price_satoshis
from loguru import logger

from ..helpers import to_decimal

WAIT_SECONDS = 2.0
_SILENCE_SECONDS = 3600.0

_silent_until = 0.0


async def ask_rates(currencies: Iterable[str]) -> dict[str, Decimal]:
    """Fiat per whole bitcoin, of those of these currencies of which LNbits knows a rate soon."""
    global _silent_until
    known = sorted(set(currencies) & set(allowed_currencies()))
    if not known or not _is_asked() or monotonic() < _silent_until:
        return {}
    tasks = {code: asyncio.create_task(_rate(code)) for code in known}
    await asyncio.wait(tasks.values(), timeout=WAIT_SECONDS)
    rates = {}
    for code, task in tasks.items():
        if not task.done():
            task.cancel()
        elif not task.cancelled() and task.exception() is None and (rate := task.result()):
            rates[code] = rate
    if not rates:
        _silent_until = monotonic() + _SILENCE_SECONDS
        logger.info("satmachineclient: LNbits knows no rate; sales are not compared with one")
    return rates


def _is_asked() -> bool:
    """Whether the operator of this LNbits lets it ask price servers at all."""
    aggregator = settings.lnbits_price_aggregator_enabled and settings.lnbits_price_aggregator_url
    return bool(aggregator or settings.lnbits_exchange_rate_providers)


async def _rate(currency: str) -> Decimal | None:
    _, price = await get_fiat_rate_and_price_satoshis(currency)
    rate = to_decimal(repr(price))
    return rate if rate and rate > 0 else None

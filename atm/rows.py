"""Checking one row of the ATM's database: a `Sale`, or why a person has to look at it.

Pure functions of what was read. The content of the ATM's database is data from outside: nothing
in it is trusted.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from ..books import distribution, prices
from ..helpers import (
    MAX_SATS,
    currency_decimals,
    fiat_text,
    known_currency,
    minor_units,
    to_decimal,
)
from ..models_sales import Direction, Sale, SaleState
from ..money.currencies import UNKNOWN
from . import notes

# A row that may still change by itself is left alone for this long before a person is asked.
DISPENSE_GRACE = timedelta(minutes=15)
COLLECT_GRACE = timedelta(hours=24)
_CLOCK_TOLERANCE = timedelta(hours=1)
EARLIEST = datetime(2009, 1, 3, tzinfo=timezone.utc)  # there was no bitcoin before
_LOOKS_LIKE_A_CODE = re.compile("[A-Z]{3}")
_FUDGE_SATS = 100  # Lamassu may accept a payment that is short of this


def is_good(row: Any) -> bool:
    """The sats are ours and the cash is out (design section 3)."""
    return bool(row["dispense"] and row["dispense_confirmed"] is True and row["error"] is None)


def on_our_clock(row: Mapping[str, Any], offset: timedelta) -> dict[str, Any]:
    """A row or an action as it would be if the ATM's clock, which is ahead by this, went right."""
    return {
        name: value - offset if isinstance(value, datetime) else value
        for name, value in row.items()
    }


def to_sale(row: dict[str, Any], actions: list[dict[str, Any]], clock: datetime) -> Sale:
    """Check one cash-out. Where an amount cannot be used it is 0 and the state is review."""
    problems: list[str] = []
    sats = _checked_sats(row, problems)
    _check_received(row, sats, problems)
    code, fiat = _checked_fiat(row, problems)
    fee = _checked_fee(row, "fixed_fee", problems)
    _check_price(row, sats, fiat, code, fee, "cash_out", problems)
    facts = _facts(row, actions)
    found = notes.first_dispense(actions) or row["confirmed_at"] or row["created"]
    time = _checked_time(found, clock, problems, facts)
    state, reason = _state(row, actions, clock)
    came_out = notes.counted(actions)
    if fiat and came_out is not None and came_out != number(row["fiat"]):
        facts["counted_fiat"] = f"{came_out:f}"
        if state == "good":
            state, reason = "review", _miscounted(came_out, fiat_text(fiat, code), code)
    if problems:
        state, reason = "review", f"{reason} {_refused(problems)}" if reason else _refused(problems)
    return Sale(
        id=row["id"],
        device_id=(row["device_id"] or "")[:200],
        time=time,
        crypto_code=row["crypto_code"],
        crypto_sats=sats,
        fiat=fiat,
        fiat_code=code,
        commission=number(row["commission_percentage"]),
        discount=discount(row["discount"]),
        fixed_fee=fee,
        state=state,
        reason=reason,
        facts=facts,
    )


def _miscounted(came_out: Decimal, fiat: str, code: str) -> str:
    return (
        f"Reported as complete, but by the notes' count {came_out:f} {code} of {fiat} {code} "
        "came out of the machine."
    )


def to_cash_in(row: dict[str, Any], clock: datetime) -> Sale:
    """Check one cash-in, of which only those whose coins were sent are read."""
    problems: list[str] = []
    sats = _checked_sats(row, problems)
    code, fiat = _checked_fiat(row, problems)
    fee = _checked_fee(row, "cash_in_fee", problems)
    if fee and fiat and fee.scaleb(currency_decimals(code)) >= fiat:
        problems.append(f"cash_in_fee is {fee:f}, all of its {row['fiat']} {code} or more")
        fee = None
    else:
        _check_price(row, sats, fiat, code, fee, "cash_in", problems)
    facts = {name: _json(value) for name, value in row.items()}
    return Sale(
        id=row["id"],
        direction="cash_in",
        device_id=(row["device_id"] or "")[:200],
        time=_checked_time(row["send_time"] or row["created"], clock, problems, facts),
        crypto_code=row["crypto_code"],
        crypto_sats=sats,
        fiat=fiat,
        fiat_code=code,
        commission=number(row["commission_percentage"]),
        discount=discount(row["discount"]),
        fixed_fee=fee,
        ticker_price=ticker_price(row),
        state="review" if problems else "good",
        reason=_refused(problems) if problems else None,
        facts=facts,
    )


def ticker_price(row: Mapping[str, Any]) -> Decimal | None:
    """The machine's market price, fiat per whole bitcoin; None if it is none, or not readable."""
    return number(row.get("raw_ticker_price"))


def _refused(problems: list[str]) -> str:
    return "Not distributed by itself: " + "; ".join(problems)


def number(text: str | None) -> Decimal | None:
    """None for what is no finite number, or too long to have been read whole."""
    return to_decimal(text) if text is not None and len(text) < 100 else None


def discount(text: str | None) -> Decimal:
    """A NULL discount is none; what is no number stays NaN and is refused later."""
    value = Decimal(0) if text is None else number(text)
    return Decimal("NaN") if value is None else value


def _checked_sats(row: dict[str, Any], problems: list[str]) -> int:
    sats = number(row["crypto_atoms"])
    if sats is None or sats != sats.to_integral_value() or not 0 < sats <= MAX_SATS:
        problems.append(f"crypto_atoms is {_short(row['crypto_atoms'])}")
        return 0
    return int(sats)


def _check_received(row: dict[str, Any], sats: int, problems: list[str]) -> None:
    """A confirmed payment is complete; NULL stands where the ATM's wallet does not tell."""
    received = row.get("received_crypto_atoms")
    if row["status"] == "confirmed" and received is not None and sats:
        arrived = number(received)
        if arrived is None or arrived < sats - _FUDGE_SATS:
            problems.append(f"only {_short(received)} of its {sats} sats arrived")


def _check_price(
    row: dict[str, Any],
    sats: int,
    fiat: int,
    code: str,
    fee: Decimal | None,
    direction: Direction,
    problems: list[str],
) -> None:
    """Sats and cash have to fit the row's own price; one that cannot be told is no problem."""
    price = ticker_price(row)
    if price is None or not (sats and fiat) or problems:
        return
    try:
        rates = number(row["commission_percentage"]), discount(row["discount"])
        effective = distribution.effective_commission(*rates)
    except distribution.DistributionError:
        return  # it is refused for that
    cash = Decimal(fiat_text(fiat, code))
    allowed = prices.OFF_ITS_OWN_PRICE
    if (
        price <= 0
        or effective <= -1
        or prices.off_by(price, sats, cash, effective, fee or Decimal(0), direction) > allowed
    ):
        problems.append(
            f"{sats} sats for {cash} {code} do not fit its own raw_ticker_price of {price:f} "
            f"within a factor of {allowed}"
        )


def _checked_time(
    time: datetime | None, clock: datetime, problems: list[str], facts: dict[str, Any]
) -> datetime:
    """Where the time cannot be, that of the reading, and `facts` say what stood there."""
    if time is None or not EARLIEST < time < clock + _CLOCK_TOLERANCE:
        problems.append(f"its time is {time}")
        facts["time_refused"] = _json(time)
        return clock
    return time


def _checked_fiat(row: dict[str, Any], problems: list[str]) -> tuple[str, int]:
    """The currency and the amount in minor units; of an unknown currency, with two decimals."""
    code = str(row["fiat_code"])
    try:
        known_currency(code)
    except ValueError as exc:
        problems.append(f"fiat_code: {exc}")
        code = code if _LOOKS_LIKE_A_CODE.fullmatch(code) else UNKNOWN
    amount = number(row["fiat"])
    try:
        if amount is None or amount <= 0:
            raise ValueError("is not a positive number")
        return code, minor_units(amount, code)
    except ValueError as exc:
        problems.append(f"fiat {_short(row['fiat'])} {exc}")
        return code, 0


def _checked_fee(row: dict[str, Any], name: str, problems: list[str]) -> Decimal | None:
    """None where this Lamassu has no such fee, or it may not be read."""
    if name not in row:
        return None
    fee = number(row[name])
    if fee is None or fee < 0:
        problems.append(f"{name} is {_short(row[name])}")
        return None
    return fee


def _short(text: str | None) -> str:
    return "NULL" if text is None else text[:40]


def _state(
    row: dict[str, Any], actions: list[dict[str, Any]], clock: datetime
) -> tuple[SaleState, str | None]:
    """Good, or what is not good about it, or not decided yet."""
    if is_good(row):
        return "good", None
    if row["error"] is not None:
        return "review", f"Paid, but Lamassu reports an error: {row['error']}"
    times = [row["created"], row["confirmed_at"], *(a.get("created") for a in actions)]
    last = max((t for t in times if t and t <= clock + _CLOCK_TOLERANCE), default=EARLIEST)
    if not row["dispense"]:
        if clock - last < COLLECT_GRACE:
            return "waiting", None
        return "review", "Paid, but the customer never collected the cash."
    if not notes.reported(actions) and clock - last < DISPENSE_GRACE:
        return "waiting", None
    return "review", f"Paid, but {notes.shortfall(actions, number(row['fiat']))}"


def _facts(row: dict[str, Any], actions: list[dict[str, Any]]) -> dict[str, Any]:
    """What Lamassu knows of the row, in JSON's types, for the person who looks at it."""
    facts = {name: _json(value) for name, value in row.items()}
    facts["actions"] = [
        {name: _json(value) for name, value in action.items() if name != "tx_id"}
        for action in actions[-20:]
    ]
    return facts


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str):
        return value[:300]
    return value if value is None or isinstance(value, (bool, int)) else str(value)[:300]

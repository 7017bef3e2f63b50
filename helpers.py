"""Small things used by several rooms: money in and out of text, secrets at rest, times, ids."""

import base64
import traceback
from datetime import date, datetime, time, timezone
from decimal import ROUND_HALF_EVEN, Decimal, Inexact, InvalidOperation, localcontext
from uuid import uuid4
from zoneinfo import ZoneInfo

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from lnbits.core.services.payments import fee_reserve_total
from lnbits.settings import settings
from loguru import logger

from .money import currencies

MAX_MINOR_UNITS = 10**15
MAX_SATS = 21 * 10**14  # all bitcoin there will ever be


class SatMachineError(Exception):
    """What this extension raises; each kind stands where its subject is."""


class SecretError(SatMachineError, ValueError):
    """A stored secret cannot be decrypted: LNbits' secret key is another than then."""


class ConflictError(SatMachineError, RuntimeError):
    """What was asked for does not fit the present state."""


def now() -> datetime:
    """The current time, with its zone (UTC)."""
    return datetime.now(timezone.utc)


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    """The date of a moment in this time zone.

    Days are not stored: a limit, a statement and a report go by one zone, the present one.
    """
    return moment.astimezone(zone).date()


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """The moment at which a date begins in this time zone, in UTC."""
    return datetime.combine(day, time.min, zone).astimezone(timezone.utc)


def new_id() -> str:
    return uuid4().hex


def log_unexpected(what: str, error: BaseException) -> None:
    """Log an error with its traceback, but, unlike loguru's own, without the variables' values."""
    trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    logger.error(f"satmachineclient: {what} unexpectedly\n{trace}")


def known_currency(code: str) -> str:
    """The ISO 4217 code, if there is such a currency.

    Raises:
        ValueError: it does not.
    """
    if not currencies.is_known(code):
        raise ValueError(f"'{code[:10]}' is not a known ISO 4217 currency code, such as GTQ or USD")
    return code


def currency_decimals(code: str) -> int:
    """How many decimals amounts of this currency have (ISO 4217)."""
    return currencies.decimals_of(code)


def minor_units(amount: Decimal, currency: str) -> int:
    """A fiat amount as an integer number of minor units of its currency (12.50 GTQ is 1250).

    Raises:
        ValueError: not a finite number, more decimals than the currency has, or beyond all bounds.
    """
    if not amount.is_finite():
        raise ValueError("is not a number")
    decimals = currency_decimals(currency)
    if amount.copy_abs() > MAX_MINOR_UNITS:  # before scaleb, which would overflow on 1e999999
        raise ValueError("is too large")
    with localcontext() as context:
        context.prec, context.traps[Inexact] = 60, True
        try:
            scaled = amount.scaleb(decimals).to_integral_exact()
        except Inexact:
            raise ValueError(f"has more than the {decimals} decimals of {currency}") from None
    if abs(scaled) > MAX_MINOR_UNITS:
        raise ValueError("is too large")
    return int(scaled)


def rounded_minor_units(amount: Decimal, currency: str) -> int:
    """A computed fiat amount as minor units, rounded half to even (for show, not for the books)."""
    decimals = currency_decimals(currency)
    return minor_units(amount.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN), currency)


def fiat_text(minor: int, currency: str) -> str:
    """Minor units as decimal text with the currency's number of decimals (1250 GTQ is "12.50")."""
    return str(Decimal(minor).scaleb(-currency_decimals(currency)))


def internal_fee_msat(amount_sats: int) -> int:
    """What LNbits charges the payer of so many sats from one of its wallets to another, in msat."""
    return int(fee_reserve_total(amount_sats * 1000, internal=True))


def average_price(fiat: int, sats: int, currency: str) -> str | None:
    """Fiat per whole bitcoin, as text, of `fiat` minor units that bought `sats`."""
    if not sats:
        return None
    decimals = currency_decimals(currency)
    price = Decimal(fiat).scaleb(8 - decimals) / sats
    return str(price.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN))


def decimal_text(value: Decimal) -> str:
    """A Decimal as plain text, never in exponent form."""
    return format(value, "f")


def to_decimal(value: object) -> Decimal | None:
    """A number from outside as a finite Decimal, or None if it is not one."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _fernet() -> Fernet:
    key = HKDF(SHA256(), 32, salt=None, info=b"satmachineclient secrets v1").derive(
        settings.auth_secret_key.encode()
    )
    return Fernet(base64.urlsafe_b64encode(key))


def encrypt(secret: str) -> str:
    """Encrypt a secret for storage, under a key derived from LNbits' own secret key."""
    return _fernet().encrypt(secret.encode()).decode()


def decrypt(token: str) -> str:
    """The secret that `encrypt` stored.

    Raises:
        SecretError: LNbits' secret key has changed since, or the stored text is damaged.
    """
    try:
        return _fernet().decrypt(token.encode()).decode()
    except InvalidToken:
        raise SecretError("the stored secret cannot be decrypted") from None


TAG = "satmachineclient"

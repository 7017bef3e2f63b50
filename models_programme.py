"""The programme that clients may join, and what a client sees of their own savings."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, Field, StrictBool, validator

from .helpers import (
    average_price,
    decimal_text,
    fiat_text,
    known_currency,
)
from .models import In, Out, RowFilters, Sats, positive_minor_units
from .models_clients import ClientOut, ClientStatus
from .models_sales import Direction, DistributionOut, Payment, PaymentStatus, TransactionOut
from .words.told import Told, say, told

Registration = Literal["open", "approval", "closed"]


# ---- the programme ---------------------------------------------------------------------------


class Programme(BaseModel):
    """The one row of `dca_programme`: who may join, and to what; limits in minor units.

    `forwarding`: whether clients' sats may go on to their own keys at all.
    """

    id: str = "default"
    registration: Registration = "approval"
    terms: str = ""
    deposit_instructions: str = ""
    currency: str | None = None
    smallest_daily_limit: int | None = None
    largest_daily_limit: int | None = None
    forwarding: bool = True
    smallest_forward_sats: int | None = None
    operator_name: str = ""
    operator_address: str = ""

    def check_daily_limit(self, limit: int, currency: str) -> None:
        """Raises ValueError, naming the field, if clients may not choose this limit."""
        if self.currency is None:
            return
        if currency != self.currency:
            raise ValueError(f"currency: this programme's is {self.currency}")
        smallest, largest = self.smallest_daily_limit, self.largest_daily_limit
        if smallest is not None and limit < smallest:
            bound = f"at least {fiat_text(smallest, currency)}"
        elif largest is not None and limit > largest:
            bound = f"at most {fiat_text(largest, currency)}"
        else:
            return
        raise ValueError(f"fixed_mode_daily_limit: has to be {bound} {currency}")


class ProgrammeOut(Out):
    registration: Registration
    terms: str
    deposit_instructions: str
    currency: str | None
    smallest_daily_limit: str | None
    largest_daily_limit: str | None
    forwarding: bool
    smallest_forward_sats: int | None
    operator_name: str = Field(..., description="At the head of statements, with the address")
    operator_address: str

    @classmethod
    def of(cls, programme: Programme) -> "ProgrammeOut":
        fields = programme.dict(exclude={"id"})
        for name in ("smallest_daily_limit", "largest_daily_limit"):
            if fields[name] is not None:
                fields[name] = fiat_text(fields[name], programme.currency or "")
        return cls(**fields)


_NEVER_NULL = (
    *("registration", "terms", "deposit_instructions", "forwarding"),
    *("operator_name", "operator_address"),
)


class UpdateProgramme(In):
    """Any of the fields; the daily limits are amounts of `currency`."""

    registration: Registration | None = None
    terms: str | None = Field(None, max_length=20_000)
    deposit_instructions: str | None = Field(None, max_length=5_000)
    currency: str | None = None
    smallest_daily_limit: Decimal | None = None
    largest_daily_limit: Decimal | None = None
    forwarding: StrictBool | None = None
    smallest_forward_sats: Sats | None = None
    operator_name: str | None = Field(None, max_length=200)
    operator_address: str | None = Field(None, max_length=500)

    _currency = validator("currency", allow_reuse=True)(
        lambda code: None if code is None else known_currency(code)
    )

    def applied_to(self, stored: Programme) -> Programme:
        """The programme with these fields changed.

        Raises:
            ValueError: naming the field.
        """
        sent = self.dict(exclude_unset=True)
        for name in _NEVER_NULL:
            if name in sent and sent[name] is None:
                raise ValueError(f"{name}: cannot be empty")
        currency = sent.get("currency", stored.currency)
        limits = ("smallest_daily_limit", "largest_daily_limit")
        for name in limits:
            if sent.get(name) is not None:
                if currency is None:
                    raise ValueError("currency: the daily limits need one, such as GTQ")
                sent[name] = positive_minor_units(name, sent[name], currency)
        programme = stored.copy(update=sent)
        if currency != stored.currency:
            kept = [n for n in limits if n not in sent and getattr(stored, n) is not None]
            if kept:
                raise ValueError(f"{kept[0]}: give it in the new currency, or null")
        smallest, largest = (getattr(programme, name) for name in limits)
        if None not in (smallest, largest) and smallest > largest:
            raise ValueError("largest_daily_limit: is smaller than smallest_daily_limit")
        return programme


class OwnClient(BaseModel):
    id: str
    username: str | None
    wallet_id: str
    status: ClientStatus


class RegistrationOut(ProgrammeOut):
    """What somebody can join, and whether they have; `clients`: also what they have left."""

    client_id: str | None
    status: ClientStatus | None
    clients: list[OwnClient]
    partner: bool = Field(False, description="Whether a part of the commission is theirs")


class AcceptedTerms(Out):
    """A row of `dca_accepted_terms`: who accepted which text when."""

    id: str
    client_id: str
    user_id: str
    terms_hash: str = Field(..., description="SHA-256 of the text")
    accepted_at: datetime


class AcceptedTermsOut(AcceptedTerms):
    terms: str


class AcceptedTermsFilters(RowFilters):
    __search_fields__ = ["client_id", "user_id", "terms_hash"]
    __sort_fields__ = ["accepted_at"]

    client_id: str | None
    user_id: str | None
    terms_hash: str | None
    accepted_at: datetime | None


class AcceptTerms(In):
    """`terms_hash`: of the text that was read, so that no other is accepted."""

    terms_hash: str = Field(..., min_length=1, max_length=64)


# ---- a client's own view ---------------------------------------------------------------------


class MeOut(ClientOut):
    """`recent_sats` came in the last 30 days; `waiting_sats` are planned, not paid yet."""

    # Where LNbits allows the login by user id, it is a password: a wallet's key must not tell it.
    user_id: str = Field("", exclude=True)
    waiting_sats: int
    recent_sats: int
    next_poll: datetime | None
    next_payout: datetime | None = Field(
        None, description="When what waits is paid; null where each poll pays"
    )
    smallest_payout_sats: int | None = Field(
        None, description="The operator's; the client's own `payout_min_sats` counts if it is more"
    )
    timezone: str
    programme: ProgrammeOut
    terms_to_accept: str | None = Field(
        None, description="The hash of the programme's terms, where they are not accepted yet"
    )
    clients: list[OwnClient]


class Purchase(Out):
    """A client's share of a sale, as they see it; `exchange_rate` is fiat per whole bitcoin."""

    id: str
    transaction_id: str
    transaction_time: datetime
    direction: Direction
    amount_sats: int
    amount_fiat: str
    machine_fiat: str = Field(..., description="Of it, from the cash that lay in that machine")
    device_id: str
    device_name: str | None
    currency: str
    exchange_rate: str | None
    share: str
    status: PaymentStatus
    payment_hash: str | None
    error: str | None
    told: list[Told] = Field([], description="`error` as codes with values")
    created_at: datetime
    confirmed_at: datetime | None

    @classmethod
    def of(cls, payment: Payment, sale: Mapping[str, Any]) -> "Purchase":
        return cls(
            **{
                **payment.dict(include=set(cls.__fields__)),
                "direction": sale["direction"],
                "device_id": sale["device_id"],
                "device_name": sale["device_name"],
                "amount_fiat": fiat_text(payment.amount_fiat, payment.currency),
                "machine_fiat": fiat_text(payment.machine_fiat, payment.currency),
                # Of a settlement the one that was agreed.
                "exchange_rate": sale["exchange_rate"]
                if sale["direction"] == "settle_out"
                else average_price(payment.amount_fiat, payment.amount_sats, payment.currency),
                "share": decimal_text(payment.share),
                "error": payment.error and _FOR_CLIENTS[payment.status],
                "told": told(payment.error and _FOR_CLIENTS[payment.status]),
            }
        )


# What stands in a payment's row is for the operator: it speaks of their wallets.
_FOR_CLIENTS: dict[PaymentStatus, str | None] = {
    "pending": say("purchase_waits"),
    "failed": say("purchase_failed"),
    "voided": say("purchase_given_up"),
    "confirmed": None,
}


class PurchaseFilters(RowFilters):
    __search_fields__ = ["status", "payment_hash"]
    __sort_fields__ = ["created_at", "amount_sats", "amount_fiat", "status", "confirmed_at"]

    id: str | None
    transaction_id: str | None
    amount_sats: int | None
    amount_fiat: Decimal | None
    currency: str | None
    status: str | None
    payment_hash: str | None
    transaction_time: datetime | None
    created_at: datetime | None
    confirmed_at: datetime | None


class Value(Out):
    """What a client's sats are worth now; None where LNbits knows no rate."""

    currency: str
    exchange_rate: str | None
    value: str | None


class Values(BaseModel):
    total_sats: int
    values: list[Value]


class SettledOut(BaseModel):
    dry_run: bool
    client: ClientOut
    transaction: TransactionOut
    distributions: list[DistributionOut]
    source_balance_sats: int | None = Field(
        None, description="What the source wallet holds; null if there is none"
    )
    missing_sats: int = Field(
        0, description="Of a dry run: what it lacks for this and all that is owed before it"
    )

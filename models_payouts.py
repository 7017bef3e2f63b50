"""Money in motion: partners' parts, payouts, payments that nobody knows, and forwards."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, Field, StrictBool, validator

from .models import In, Out, RowFilters, Sats
from .models_sales import DistributionOut, PaymentStatus, PayoutKind
from .words.told import Told, told, told_of

# ---- the commission's owners ------------------------------------------------------------------


class CommissionShare(BaseModel):
    """A row of `dca_commission_shares`: one partner's part of one sale's commission.

    `percent` is what was theirs by the terms of the sale's time.
    """

    id: str
    transaction_id: str
    partner_id: str
    wallet_id: str
    percent: Decimal
    amount_sats: int
    status: PaymentStatus = "pending"
    transfer_id: str | None = None
    payment_hash: str | None = None
    error: str | None = None
    created_at: datetime
    confirmed_at: datetime | None = None


class CommissionShareFilters(RowFilters):
    __search_fields__ = ["partner_id", "wallet_id", "status", "payment_hash", "error"]
    __sort_fields__ = ["amount_sats", "status", "created_at", "confirmed_at"]

    id: str | None
    transaction_id: str | None
    partner_id: str | None
    wallet_id: str | None
    amount_sats: int | None
    status: str | None
    payment_hash: str | None
    created_at: datetime | None
    confirmed_at: datetime | None


# ---- payouts ---------------------------------------------------------------------------------


class Payout(BaseModel):
    """A row of `dca_payouts`: one LNbits transfer, or one part of a large one.

    `wallet_id` receives; `source_wallet_id` pays, and is None for a credit. `next_attempt_at` says
    when a failed payout is tried again by itself; None: only when a person asks. Of a pending one
    it says how long LNbits' own limits let it wait. `extra` is what other software is told about it
    in LNbits. `fee_msat`: the service fee that LNbits booked; None of what an earlier release paid.
    """

    id: str
    transfer_id: str
    kind: PayoutKind
    source_wallet_id: str | None = None
    wallet_id: str
    amount_sats: int
    memo: str
    status: PaymentStatus = "pending"
    payment_hash: str | None = None
    bolt11: str | None = None
    error: str | None = None
    attempts: int = 0
    next_attempt_at: datetime | None = None
    created_at: datetime
    confirmed_at: datetime | None = None
    extra: dict[str, Any] = {}
    fee_msat: int | None = None

    @validator("extra", pre=True)
    def _extra_from_text(cls, value: Any) -> Any:
        return json.loads(value or "{}") if isinstance(value, str | None) else value


class UnknownPayment(BaseModel):
    """A payment of ours that LNbits has booked and no payout knows."""

    payment_hash: str
    kind: PayoutKind
    amount_sats: int
    wallet_id: str
    time: datetime
    lamassu_transaction_ids: list[str] = Field(
        ..., description="Empty where an earlier release has paid: it did not say them"
    )


class UnclearPayment(Out):
    """An adopted payment that fits no share, credit or commission; a person has to look."""

    id: str
    payment_hash: str
    kind: PayoutKind
    lamassu_transaction_id: str | None
    client_id: str | None
    amount_sats: int
    amount_fiat: str | None
    currency: str | None
    paid_at: datetime
    note: str | None


class HeldPayment(Out):
    """What waits for a person since an older copy of the database was put back.

    `state` held: a share, a partner's part, a credit or a commission (`kind`) that is not paid
    before somebody says so. `state` unclear: a payment of LNbits' that fits none of them.
    """

    id: str = Field(..., description="Of the payment, part or sale; of the adopted payment")
    state: Literal["held", "unclear"]
    kind: PayoutKind
    name: str | None = Field(..., description="Of the client or partner")
    transaction_id: str | None
    lamassu_transaction_id: str | None
    amount_sats: int
    since: datetime = Field(..., description="When it was planned, or when LNbits paid it")
    reason: str | None
    told: list[Told] = Field([], description="`reason` as codes with values")

    _told = told_of("reason")


class AdoptionOut(BaseModel):
    """What one of the two databases does not know, since it is older than the other.

    While anything is `unknown` nothing is paid or credited. `lost_shares`: confirmed, but LNbits
    has lost their payment; `lost_moves`: credits and commissions of which it has.
    """

    unknown: list[UnknownPayment]
    unclear: list[UnclearPayment]
    lost_shares: list[DistributionOut]
    lost_moves: int


class PaidNow(BaseModel):
    confirmed_payments: int
    distributed_sats: int


class PaidAgain(BaseModel):
    payments: int = Field(..., description="How many shares are paid anew")


# ---- on to the client's own keys -------------------------------------------------------------

ForwardStatus = Literal["pending", "in_flight", "confirmed", "failed"]
ForwardKind = Literal["forward", "test"]


OwnerKind = Literal["client", "partner"]


class Owner(BaseModel):
    """Whose sats may go on to keys of their own; `has_left`: a closed client, an ended partner.

    What a partner's wallet was paid as their part of the commission goes on as a client's does.
    """

    id: str
    kind: OwnerKind
    user_id: str
    wallet_id: str
    name: str | None
    has_left: bool


class ForwardSettings(BaseModel):
    """A row of `dca_forward_settings`: where an owner's sats go on to, and from which wallet.

    `client_id` is the client's or the partner's. `min_sats` and `max_sats` are the destination's
    own, as it last told them. `stopped`: nothing goes until its owner saves it again or the
    operator tries again.
    """

    client_id: str
    wallet_id: str
    destination: str
    threshold_sats: int
    min_sats: int
    max_sats: int
    last_forward: bool = False
    stopped: bool = False
    problem: str | None = None
    updated_at: datetime


class Forward(BaseModel):
    """A row of `dca_forwards`: one payment out of LNbits, or the intention to make it.

    `client_id` is the client's or the partner's. While it is pending without an invoice,
    `amount_sats` is what is to go; the amount is chosen anew when an invoice is asked for.
    `rest_sats` is more than the destination takes at once, and goes as further forwards. `fee_msat`
    is what LNbits booked as its fee.
    """

    id: str
    client_id: str
    wallet_id: str
    kind: ForwardKind = "forward"
    destination: str
    amount_sats: int
    rest_sats: int = 0
    fee_msat: int | None = None
    status: ForwardStatus = "pending"
    payment_hash: str | None = None
    bolt11: str | None = None
    invoice_expires_at: datetime | None = None
    error: str | None = None
    attempts: int = 0
    next_attempt_at: datetime | None = None
    created_at: datetime
    confirmed_at: datetime | None = None


class ForwardOut(Out):
    """`fee_sats` is rounded up to a whole sat; null until it is known."""

    id: str
    client_id: str = Field(..., description="The client's, or the partner's")
    kind: ForwardKind
    amount_sats: int
    fee_sats: int | None
    destination: str
    status: ForwardStatus
    payment_hash: str | None
    error: str | None
    told: list[Told] = Field([], description="`error` as codes with values")
    attempts: int
    next_attempt_at: datetime | None
    created_at: datetime
    confirmed_at: datetime | None

    @classmethod
    def of(cls, forward: Forward) -> "ForwardOut":
        fee = forward.fee_msat
        return cls(
            **forward.dict(include=set(cls.__fields__)),
            told=told(forward.error),
            fee_sats=None if fee is None else -(-fee // 1000),
        )


class OperatorForwardOut(ForwardOut):
    username: str | None = Field(..., description="The client's name, or the partner's")
    owner: OwnerKind = Field("client", description="Whose id and name these are")

    @classmethod
    def of_owner(cls, forward: Forward, owner: Owner | None) -> "OperatorForwardOut":
        whose = {"username": owner and owner.name, "owner": owner.kind if owner else "client"}
        return cls(**ForwardOut.of(forward).dict(), **whose)


class ForwardFilters(RowFilters):
    __search_fields__ = ["status", "destination", "payment_hash", "error", "client_id"]
    __sort_fields__ = ["created_at", "amount_sats", "status", "attempts", "confirmed_at"]

    id: str | None
    client_id: str | None
    kind: str | None
    amount_sats: int | None
    destination: str | None
    status: str | None
    payment_hash: str | None
    attempts: int | None
    created_at: datetime | None
    confirmed_at: datetime | None


class SetForward(In):
    """`destination`: a Lightning address or an LNURL-pay; null switches forwarding off.

    `last_forward`: when its owner leaves, everything that is left is sent after them.
    """

    destination: str | None = Field(..., max_length=2000)
    threshold_sats: Sats | None = None
    last_forward: StrictBool | None = None


class AskDestination(In):
    destination: str = Field(..., max_length=2000)


class TestForward(In):
    """Without a destination the one that is set."""

    destination: str | None = Field(None, max_length=2000)


class DestinationOut(BaseModel):
    """What a destination takes at once, and a threshold at which the fee reserve weighs little."""

    destination: str
    min_sats: int
    max_sats: int
    suggested_threshold_sats: int


class ForwardingOut(Out):
    """An owner's forwarding: what is set, and how many sats wait, are on their way, were sent."""

    destination: str | None
    threshold_sats: int | None
    min_sats: int | None
    max_sats: int | None
    last_forward: bool
    waiting_sats: int
    in_flight_sats: int
    forwarded_sats: int
    fee_sats: int
    problem: str | None
    told: list[Told] = Field([], description="`problem` as codes with values")

    _told = told_of("problem")

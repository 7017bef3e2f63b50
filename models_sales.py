"""Sales, their shares and their payouts: as read, as stored, and as they go out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, Field, StrictBool, validator

from .helpers import decimal_text, fiat_text, known_currency, minor_units, to_decimal
from .models import In, Out, RowFilters, Sats
from .words.told import Told, told

CommissionMethod = Literal["markup", "margin"]
TransactionStatus = Literal["planned", "settled", "needs_review", "dismissed"]
PaymentStatus = Literal["pending", "confirmed", "failed", "voided"]
TransferStatus = Literal["none", "pending", "confirmed"]
PayoutKind = Literal["credit", "commission", "client", "partner"]
# Of a sale: cash_out, the customer sold bitcoin for the machine's cash; cash_in, the customer
# bought bitcoin with cash; settle_out, the operator settled with a client.
Direction = Literal["cash_out", "cash_in", "settle_out"]
SaleState = Literal["good", "review", "waiting"]
SaleKey = tuple[str, Direction]  # of a row of the ATM's database: its id and table

# ---- sales, as read --------------------------------------------------------------------------


class Found(NamedTuple):
    """A row of the ATM's database before it is checked: its id, and its amounts as they stand."""

    id: str
    direction: Direction
    crypto_atoms: str | None
    fiat: str | None
    fiat_code: str | None

    @property
    def key(self) -> SaleKey:
        return self.id, self.direction


@dataclass(frozen=True)
class Sale:
    """One cash-out or cash-in at a machine, as read.

    `fiat` in minor units of `fiat_code`; the rates as Lamassu keeps them (`commission` a fraction,
    `discount` percent, `fixed_fee` fiat, `ticker_price` fiat per whole bitcoin). `crypto_sats` is
    what passed between customer and machine: of a cash-in what the customer was sent, to which
    its commission comes. `state`: good (paid, and the cash is out; or the coins are sent), review
    (a person has to look; `reason` says at what), waiting (may still become good by itself).
    """

    id: str
    device_id: str
    time: datetime
    crypto_code: str
    crypto_sats: int
    fiat: int
    fiat_code: str
    commission: Decimal | None
    discount: Decimal | None
    fixed_fee: Decimal | None
    state: SaleState
    reason: str | None
    facts: dict[str, Any]
    direction: Direction = "cash_out"
    ticker_price: Decimal | None = None  # of a cash-in, for its fee


# ---- transactions and their shares -----------------------------------------------------------


class Transaction(BaseModel):
    """A row of `lamassu_transactions`: one sale and how it was split.

    `fiat_amount` and `undistributed_fiat` in minor units of `fiat_code`. Always, to the sat:
    `crypto_amount_sats = commission_amount_sats + distributed_sats + undistributed_sats`.
    Of a cash-in the base is what the customer was sent and the total is that and the commission
    (while it waits for a review: without it); `fixed_fee` is Lamassu's `cash_in_fee`, and the
    commission method has no influence.
    """

    id: str
    lamassu_transaction_id: str
    direction: Direction = "cash_out"
    device_id: str = ""
    transaction_time: datetime
    processed_at: datetime
    crypto_code: str
    crypto_amount_sats: int
    fiat_amount: int
    fiat_code: str
    commission_percentage: Decimal | None = None
    discount: Decimal | None = None
    fixed_fee: Decimal | None = None
    effective_commission: Decimal | None = None
    commission_method: CommissionMethod = "markup"
    base_amount_sats: int
    commission_amount_sats: int = 0
    partners_sats: int = 0
    distributed_sats: int = 0
    undistributed_sats: int = 0
    undistributed_fiat: int = 0
    clients_count: int = 0
    exchange_rate: Decimal | None = None
    status: TransactionStatus
    is_test: bool = False
    commission_wallet_id: str | None = None
    credit_status: TransferStatus = "none"
    credit_transfer_id: str | None = None
    commission_status: TransferStatus = "none"
    commission_transfer_id: str | None = None
    payout_error: str | None = None
    review_reason: str | None = None
    review_notes: str | None = None
    lamassu_facts: dict[str, Any] | None = None
    taken_back_at: datetime | None = None

    @validator("lamassu_facts", pre=True)
    def _facts_from_text(cls, value: Any) -> Any:
        return json.loads(value) if isinstance(value, str) else value

    @property
    def counted_fiat(self) -> int | None:
        """What the notes were worth that came out, in minor units, if not the sale's fiat."""
        counted = to_decimal((self.lamassu_facts or {}).get("counted_fiat"))
        try:
            return None if counted is None else minor_units(counted, self.fiat_code)
        except ValueError:
            return None

    @property
    def time_refused(self) -> datetime | None:
        """The time that Lamassu has of it, if it was refused: it was in the future, say."""
        try:
            return datetime.fromisoformat((self.lamassu_facts or {})["time_refused"])
        except (KeyError, TypeError, ValueError):
            return None


class TransactionOut(Out):
    id: str
    lamassu_transaction_id: str
    direction: Direction = Field(
        ...,
        description="cash_out: the customer sold bitcoin for the machine's cash; cash_in: the "
        "customer bought bitcoin with cash; settle_out: the operator settled with a client",
    )
    device_id: str
    device_name: str | None = Field(None, description="What the machine is called, if anything")
    transaction_time: datetime
    processed_at: datetime
    crypto_code: str
    crypto_amount_sats: int = Field(
        ...,
        description="Commission and base. Of a cash-in that waits for a review: what the customer "
        "was sent, to which the commission is added when it is distributed",
    )
    fiat_amount: str
    fiat_code: str
    commission_percentage: str | None
    discount: str | None
    fixed_fee: str | None = Field(None, description="In fiat; of a cash-in its cash_in_fee")
    effective_commission: str | None
    commission_method: CommissionMethod = Field(
        ...,
        description="As configured when it was read. Of a cash-in it has no influence: the "
        "commission is base × effective_commission + fixed_fee at the machine's market price",
    )
    base_amount_sats: int = Field(
        ..., description="What is shared among the clients; of a cash-in what the customer was sent"
    )
    commission_amount_sats: int
    partners_sats: int = Field(0, description="What of the commission is the partners'")
    distributed_sats: int
    undistributed_sats: int
    undistributed_fiat: str
    counted_fiat: str | None = Field(
        None,
        description="What came out by the dispenser's count of the notes, where it is not the "
        "sale's fiat: the amount to distribute",
    )
    clients_count: int
    exchange_rate: str | None
    status: TransactionStatus
    is_test: bool
    commission_wallet_id: str | None
    credit_status: TransferStatus
    commission_status: TransferStatus
    payout_error: str | None
    payout_told: list[Told] = Field([], description="`payout_error` as codes with values")
    review_reason: str | None
    review_told: list[Told] = Field([], description="`review_reason` as codes with values")
    review_notes: str | None
    lamassu_facts: dict[str, Any] | None

    @classmethod
    def of(cls, row: Transaction, names: Mapping[str, str] | None = None) -> "TransactionOut":
        """`names`: what the machines are called."""
        fields = {**row.dict(), "device_name": (names or {}).get(row.device_id)}
        for name in (
            "commission_percentage",
            "discount",
            "fixed_fee",
            "effective_commission",
            "exchange_rate",
        ):
            value = fields[name]
            fields[name] = None if value is None else decimal_text(value)
        fields["payout_told"] = told(row.payout_error)
        fields["review_told"] = told(row.review_reason)
        fields["fiat_amount"] = fiat_text(row.fiat_amount, row.fiat_code)
        fields["undistributed_fiat"] = fiat_text(row.undistributed_fiat, row.fiat_code)
        if row.counted_fiat is not None:
            fields["counted_fiat"] = fiat_text(row.counted_fiat, row.fiat_code)
        return cls(**fields)


class TransactionFilters(RowFilters):
    __search_fields__ = [
        "lamassu_transaction_id",
        "device_id",
        "device_name",
        "fiat_code",
        "status",
    ]
    __sort_fields__ = [
        "transaction_time",
        "processed_at",
        "direction",
        "device_id",
        "device_name",
        "crypto_amount_sats",
        "fiat_amount",
        "commission_amount_sats",
        "base_amount_sats",
        "distributed_sats",
        "undistributed_sats",
        "clients_count",
        "status",
    ]

    id: str | None
    lamassu_transaction_id: str | None
    # Plain `direction` is the order of a page, ascending or descending.
    direction: str | None = Field(None, alias="direction[eq]")
    device_id: str | None
    device_name: str | None
    transaction_time: datetime | None
    processed_at: datetime | None
    crypto_code: str | None
    crypto_amount_sats: int | None
    fiat_amount: Decimal | None
    fiat_code: str | None
    base_amount_sats: int | None
    commission_amount_sats: int | None
    distributed_sats: int | None
    undistributed_sats: int | None
    clients_count: int | None
    status: str | None
    is_test: bool | None


class Payment(BaseModel):
    """A row of `dca_payments`: one client's share of one sale.

    `amount_fiat` in minor units of `currency`; `share` is the fraction of the sale, and
    `transaction_time` its time, from which its day is computed wherever it is asked for.
    `machine_fiat` is what of `amount_fiat` came out of their cash in the sale's own machine.
    `transfer_id` names the payouts that carry it, `payment_hash` the first of them once paid.
    """

    id: str
    transaction_id: str
    client_id: str
    wallet_id: str
    amount_sats: int
    amount_fiat: int
    machine_fiat: int = 0
    currency: str
    share: Decimal
    transaction_time: datetime
    status: PaymentStatus = "pending"
    transfer_id: str | None = None
    payment_hash: str | None = None
    error: str | None = None
    created_at: datetime
    confirmed_at: datetime | None = None
    voided_at: datetime | None = None


class DistributionOut(Out):
    id: str
    transaction_id: str
    direction: Direction = Field(..., description="Of the transaction")
    client_id: str
    username: str | None
    wallet_id: str
    amount_sats: int
    amount_fiat: str
    machine_fiat: str = Field(..., description="Of it, from their cash in the sale's own machine")
    currency: str
    share: str
    status: PaymentStatus
    payment_hash: str | None
    error: str | None
    told: list[Told] = Field([], description="`error` as codes with values")
    created_at: datetime
    confirmed_at: datetime | None

    @classmethod
    def of(cls, payment: Payment, username: str | None, direction: Direction) -> "DistributionOut":
        fields = payment.dict()
        fields["amount_fiat"] = fiat_text(payment.amount_fiat, payment.currency)
        fields["machine_fiat"] = fiat_text(payment.machine_fiat, payment.currency)
        fields["share"] = decimal_text(payment.share)
        fields["told"] = told(payment.error)
        return cls(**fields, username=username, direction=direction)


class PaymentFilters(RowFilters):
    __search_fields__ = ["client_id", "wallet_id", "status", "payment_hash", "error"]
    __sort_fields__ = ["client_id", "amount_sats", "amount_fiat", "status", "confirmed_at"]

    id: str | None
    transaction_id: str | None
    client_id: str | None
    wallet_id: str | None
    amount_sats: int | None
    amount_fiat: Decimal | None
    currency: str | None
    status: str | None
    payment_hash: str | None
    created_at: datetime | None
    confirmed_at: datetime | None


class TestTransactionIn(In):
    """A made-up sale. `commission_percentage` is a fraction, `discount` percent of it."""

    __test__ = False  # not a test case for pytest

    crypto_amount_sats: Sats
    fiat_amount: Decimal
    fiat_code: str
    commission_percentage: Decimal = Field(..., ge=0, lt=1, decimal_places=20)
    discount: Decimal = Field(Decimal(0), ge=0, le=100, decimal_places=10)
    device_id: str | None = Field(
        None, max_length=200, description="At this machine; without one, as at a machine of no cash"
    )
    dry_run: StrictBool = True

    _currency = validator("fiat_code", allow_reuse=True)(lambda code: known_currency(code))


class ReviewDistribute(In):
    fiat_amount: Decimal | None = None
    notes: str | None = Field(None, max_length=1000)


class ReviewDismiss(In):
    notes: str = Field(..., min_length=1, max_length=1000)


class SaleNote(Out):
    """A row of `dca_sale_notes`: what a person noted on a sale. Never changed, never deleted."""

    id: str
    transaction_id: str
    author: str
    notes: str
    created_at: datetime


class SaleNoteOut(SaleNote):
    author_name: str | None = None


class NewSaleNote(In):
    notes: str = Field(..., min_length=1, max_length=1000)

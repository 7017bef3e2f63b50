"""What is stored, what comes in and what goes out (Pydantic v1, as LNbits).

Stored rows keep fiat as integer minor units and rates as decimal text; what goes out shows fiat
as decimal text with the currency's decimals. Bounds on what comes in are written here, once.
"""

import json
import re
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lnbits.db import FilterModel
from pydantic import BaseModel, ConstrainedInt, Field, StrictBool, root_validator, validator
from pydantic.fields import ModelField

from .distribution import CommissionMethod
from .helpers import (
    MAX_SATS,
    decimal_text,
    fiat_text,
    known_currency,
    minor_units,
    new_id,
    now,
)

TransactionStatus = Literal["planned", "settled", "needs_review", "dismissed"]
PaymentStatus = Literal["pending", "confirmed", "failed", "voided"]
TransferStatus = Literal["none", "pending", "confirmed"]
PayoutKind = Literal["credit", "commission", "client"]
PollTrigger = Literal["startup", "hourly", "manual"]
PollStatus = Literal["running", "succeeded", "failed"]
SslMode = Literal["disable", "prefer", "require", "verify-full"]
# Of a sale: cash_out, the customer sold bitcoin for the machine's cash; cash_in, the customer
# bought bitcoin with cash; settle_out, the operator settled with a client.
Direction = Literal["cash_out", "cash_in", "settle_out"]
# Which sales are read.
SourceDirection = Literal["cash_out", "cash_in", "both"]

SECRETS = ("password", "ssh_password", "ssh_private_key", "ssh_private_key_passphrase")

# What may have several lines, and tabs; no other control character is text.
_MULTILINE = {*SECRETS, "ssl_ca_certificate", "notes", "reason", "terms", "deposit_instructions"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_CONTROL_BUT_LINES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_MAX_STORED = 2**63 - 1


class Port(ConstrainedInt):
    strict, ge, le = True, 1, 65535


class Minutes(ConstrainedInt):
    strict, ge, le = True, 1, 24 * 60


class Days(ConstrainedInt):
    strict, ge, le = True, 1, 365


class Sats(ConstrainedInt):
    strict, gt, le = True, 0, MAX_SATS


class In(BaseModel):
    """What comes in: unknown fields are refused, so that a typing error is not silently ignored."""

    class Config:
        extra = "forbid"
        anystr_strip_whitespace = False

    @classmethod
    def validate(cls, value: Any) -> Any:
        """Pydantic would also take a list of pairs for an object, and `[]` for `{}`."""
        if not isinstance(value, dict):
            raise TypeError("has to be a JSON object")
        return super().validate(value)

    @validator("*", pre=True)
    def _text_is_storable(cls, value: Any, field: ModelField) -> Any:
        """PostgreSQL refuses NUL, and UTF-8 lone surrogates; other controls are not text either."""
        if value is None or not _is(field, str):
            return value
        if not isinstance(value, str):
            raise ValueError("has to be text")
        if field.required and not value.strip():
            raise ValueError("cannot be empty")
        if (_CONTROL_BUT_LINES if field.name in _MULTILINE else _CONTROL).search(value):
            raise ValueError("contains a character that is not text")
        return value

    @validator("*", pre=True)
    def _number_is_plain(cls, value: Any, field: ModelField) -> Any:
        """Python would also take 1_000, other alphabets' digits and, as 1, true."""
        if _is(field, Decimal) and isinstance(value, (bool, str)):
            if isinstance(value, bool) or not _NUMBER.fullmatch(value):
                raise ValueError("has to be a number, such as 150.00")
        return value


def _is(field: ModelField, kind: type) -> bool:
    return isinstance(field.type_, type) and issubclass(field.type_, kind)


class Out(BaseModel):
    """What goes out."""

    class Config:
        @staticmethod
        def schema_extra(schema: dict[str, Any], model: type[BaseModel]) -> None:
            """Says in OpenAPI which fields may be null, what Pydantic v1 leaves out."""
            for name, field in model.__fields__.items():
                if field.allow_none:
                    schema["properties"][name] = {
                        "anyOf": [schema["properties"][name], {"type": "null"}]
                    }


class RowFilters(FilterModel):
    """What a page may be filtered by; times without a zone are UTC."""

    @validator("*")
    def _fits_its_column(cls, value: Any) -> Any:
        if isinstance(value, datetime) and value.tzinfo is None:
            return value.replace(tzinfo=timezone.utc)
        if isinstance(value, int) and abs(value) > _MAX_STORED:
            raise ValueError("is too large")
        return value


class Problem(BaseModel):
    """Why a request was refused, in one sentence that names the field."""

    detail: str


# ---- transactions and their payments ---------------------------------------------------------


class Transaction(BaseModel):
    """A row of `lamassu_transactions`: one sale and how it was split.

    `fiat_amount` and `undistributed_fiat` in minor units of `fiat_code`. Always, to the sat:
    `crypto_amount_sats = commission_amount_sats + distributed_sats + undistributed_sats`.
    `day` is the transaction's date in the operator's time zone, for the daily limits.
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
    day: str
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

    @validator("lamassu_facts", pre=True)
    def _facts_from_text(cls, value: Any) -> Any:
        return json.loads(value) if isinstance(value, str) else value


class TransactionOut(Out):
    id: str
    lamassu_transaction_id: str
    direction: Direction = Field(
        ...,
        description="cash_out: the customer sold bitcoin for the machine's cash; cash_in: the "
        "customer bought bitcoin with cash; settle_out: the operator settled with a client",
    )
    device_id: str
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
    distributed_sats: int
    undistributed_sats: int
    undistributed_fiat: str
    clients_count: int
    exchange_rate: str | None
    status: TransactionStatus
    is_test: bool
    commission_wallet_id: str | None
    credit_status: TransferStatus
    commission_status: TransferStatus
    payout_error: str | None
    review_reason: str | None
    review_notes: str | None
    lamassu_facts: dict[str, Any] | None

    @classmethod
    def of(cls, row: Transaction) -> "TransactionOut":
        fields = row.dict()
        for name in (
            "commission_percentage",
            "discount",
            "fixed_fee",
            "effective_commission",
            "exchange_rate",
        ):
            value = fields[name]
            fields[name] = None if value is None else decimal_text(value)
        fields["fiat_amount"] = fiat_text(row.fiat_amount, row.fiat_code)
        fields["undistributed_fiat"] = fiat_text(row.undistributed_fiat, row.fiat_code)
        return cls(**fields)


class TransactionFilters(RowFilters):
    __search_fields__ = ["lamassu_transaction_id", "device_id", "fiat_code", "status"]
    __sort_fields__ = [
        "transaction_time",
        "processed_at",
        "direction",
        "device_id",
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

    `amount_fiat` in minor units of `currency`; `share` is the fraction of the sale.
    `transfer_id` names the payouts that carry it, `payment_hash` the first of them once paid.
    """

    id: str
    transaction_id: str
    client_id: str
    wallet_id: str
    amount_sats: int
    amount_fiat: int
    currency: str
    share: Decimal
    day: str
    status: PaymentStatus = "pending"
    transfer_id: str | None = None
    payment_hash: str | None = None
    error: str | None = None
    created_at: datetime
    confirmed_at: datetime | None = None


class DistributionOut(Out):
    id: str
    transaction_id: str
    direction: Direction = Field(..., description="Of the transaction")
    client_id: str
    username: str | None
    wallet_id: str
    amount_sats: int
    amount_fiat: str
    currency: str
    share: str
    status: PaymentStatus
    payment_hash: str | None
    error: str | None
    created_at: datetime
    confirmed_at: datetime | None

    @classmethod
    def of(cls, payment: Payment, username: str | None, direction: Direction) -> "DistributionOut":
        fields = payment.dict()
        fields["amount_fiat"] = fiat_text(payment.amount_fiat, payment.currency)
        fields["share"] = decimal_text(payment.share)
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


class Payout(BaseModel):
    """A row of `dca_payouts`: one LNbits transfer, or one part of a large one.

    `wallet_id` receives; `source_wallet_id` pays, and is None for a credit. `next_attempt_at` says
    when a failed payout is tried again by itself; None: only when a person asks. `extra` is what
    other software is told about it in LNbits.
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

    @validator("extra", pre=True)
    def _extra_from_text(cls, value: Any) -> Any:
        return json.loads(value or "{}") if isinstance(value, str | None) else value


# ---- configuration ---------------------------------------------------------------------------


class LamassuConfig(BaseModel):
    """The one row of `lamassu_config`. Secrets are stored encrypted (`helpers.encrypt`)."""

    id: str = "default"
    host: str
    port: int
    database_name: str
    username: str
    password: str | None = Field(None, repr=False)
    source_wallet_id: str
    commission_wallet_id: str | None = None
    credit_source_wallet: bool
    use_ssh_tunnel: bool
    ssh_host: str | None = None
    ssh_port: int = 22
    ssh_username: str | None = None
    ssh_password: str | None = Field(None, repr=False)
    ssh_private_key: str | None = Field(None, repr=False)
    ssh_private_key_passphrase: str | None = Field(None, repr=False)
    ssh_host_key_fingerprint: str | None = None
    ssl_mode: SslMode = "prefer"
    ssl_ca_certificate: str | None = None
    direction: SourceDirection = "cash_out"
    commission_method: CommissionMethod
    poll_interval_minutes: int
    look_back_days: int
    timezone: str
    is_active: bool
    max_sats_per_transaction: int | None = None
    max_sats_per_poll: int | None = None
    test_connection_last: datetime | None = None
    test_connection_success: bool | None = None
    last_poll_time: datetime | None = None
    last_successful_poll: datetime | None = None


class ConfigIn(In):
    """The configuration as it comes in; a secret left out or empty keeps the stored one."""

    host: str = Field(..., min_length=1, max_length=253)
    port: Port = Port(5432)
    database_name: str = Field("lamassu", min_length=1, max_length=63)
    username: str = Field(..., min_length=1, max_length=63)
    password: str | None = Field(None, max_length=1000, repr=False)
    source_wallet_id: str = Field(..., min_length=1, max_length=64)
    commission_wallet_id: str | None = Field(None, max_length=64)
    credit_source_wallet: StrictBool = False
    use_ssh_tunnel: StrictBool = True
    ssh_host: str | None = Field(None, max_length=253)
    ssh_port: Port = Port(22)
    ssh_username: str | None = Field(None, max_length=63)
    ssh_password: str | None = Field(None, max_length=1000, repr=False)
    ssh_private_key: str | None = Field(None, max_length=16384, repr=False)
    ssh_private_key_passphrase: str | None = Field(None, max_length=1000, repr=False)
    ssh_host_key_fingerprint: str | None = Field(None, max_length=100)
    ssl_mode: SslMode = "prefer"
    ssl_ca_certificate: str | None = Field(None, max_length=65536)
    direction: SourceDirection = Field(
        "cash_out",
        description="Which sales are shared out. A direction that is added counts from the "
        "look-back window on: what it holds and is not known yet is shared out, too",
    )
    commission_method: CommissionMethod = Field(
        "markup", description="Of cash-outs; a cash-in's commission is what its machine charged"
    )
    poll_interval_minutes: Minutes = Minutes(60)
    look_back_days: Days = Days(7)
    timezone: str = Field("UTC", max_length=64)
    is_active: StrictBool = True
    max_sats_per_transaction: Sats | None = Field(
        None, description="A sale above it waits until a person has looked at it"
    )
    max_sats_per_poll: Sats | None = Field(
        None, description="Sales that would exceed it in one poll wait for a person, too"
    )

    @root_validator(pre=True)
    def _empty_is_none(cls, values: dict[str, Any]) -> dict[str, Any]:
        """A form sends empty text where nothing was filled in."""
        required = {"host", "username", "source_wallet_id", "database_name", "timezone"}
        return {k: None if v == "" and k not in required else v for k, v in values.items()}

    @validator("host", "ssh_host")
    def _host_is_a_name(cls, value: str | None) -> str | None:
        try:
            if value is not None and (re.search(r"[\s/@]", value) or not value.encode("idna")):
                raise ValueError
        except ValueError:  # also what the idna codec raises: a..b, labels beyond 63 characters
            raise ValueError("give a host name or an IP address only, such as 192.0.2.10") from None
        return value

    @validator("ssh_host_key_fingerprint")
    def _fingerprint_form(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith("SHA256:"):
            raise ValueError("give it as OpenSSH prints it: SHA256:…")
        return value

    @validator("timezone")
    def _zone_exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("is not a known time zone, such as America/Guatemala") from None
        return value

    @root_validator(skip_on_failure=True)
    def _complete_tunnel_and_tls(cls, values: dict[str, Any]) -> dict[str, Any]:
        if values["use_ssh_tunnel"]:
            for name in ("ssh_host", "ssh_username"):
                if not values.get(name):
                    raise ValueError(f"{name}: needed while the SSH tunnel is on")
        if values["ssl_mode"] == "verify-full" and not values.get("ssl_ca_certificate"):
            raise ValueError("ssl_ca_certificate: needed with ssl_mode verify-full")
        return values


class ConfigOut(Out):
    host: str
    port: int
    database_name: str
    username: str
    has_password: bool
    source_wallet_id: str
    commission_wallet_id: str | None
    credit_source_wallet: bool
    use_ssh_tunnel: bool
    ssh_host: str | None
    ssh_port: int
    ssh_username: str | None
    has_ssh_password: bool
    has_ssh_private_key: bool
    has_ssh_private_key_passphrase: bool
    ssh_host_key_fingerprint: str | None
    ssl_mode: SslMode
    ssl_ca_certificate: str | None
    direction: SourceDirection
    commission_method: CommissionMethod
    poll_interval_minutes: int
    look_back_days: int
    timezone: str
    is_active: bool
    max_sats_per_transaction: int | None
    max_sats_per_poll: int | None
    test_connection_last: datetime | None
    test_connection_success: bool | None
    last_poll_time: datetime | None
    last_successful_poll: datetime | None
    secrets_to_reenter: list[str] = []

    @classmethod
    def of(cls, config: LamassuConfig, secrets_to_reenter: list[str]) -> "ConfigOut":
        present = {f"has_{name}": getattr(config, name) is not None for name in SECRETS}
        return cls(**config.dict(), **present, secrets_to_reenter=secrets_to_reenter)


class ConnectionTestIn(In):
    """`{}` for the configuration that is saved, or a whole one, as it is saved."""

    class Config:
        extra = "allow"  # `ConfigIn` looks at what is in it


class ConnectionStep(BaseModel):
    name: str
    status: Literal["ok", "failed", "skipped"]
    detail: str
    duration_ms: int = 0


class ConnectionTest(Out):
    success: bool
    message: str
    steps: list[ConnectionStep]
    ssh_host_key_fingerprint: str | None = None


# ---- polls and operations --------------------------------------------------------------------


class Poll(Out):
    """A row of `lamassu_polls`."""

    id: str
    trigger: PollTrigger
    status: PollStatus = "running"
    started_at: datetime
    finished_at: datetime | None = None
    found: int = 0
    new: int = 0
    planned: int = 0
    reviews: int = 0
    confirmed_payments: int = 0
    pending_payments: int = 0
    failed_payments: int = 0
    distributed_sats: int = 0
    error: str | None = None


class PollResult(Out):
    poll_id: str
    success: bool
    found: int
    new: int
    planned: int
    reviews: int
    confirmed_payments: int
    pending_payments: int
    failed_payments: int
    distributed_sats: int
    error: str | None
    duration_ms: int

    @classmethod
    def of(cls, poll: Poll) -> "PollResult":
        took = (poll.finished_at or poll.started_at) - poll.started_at
        return cls(
            **poll.dict(),
            poll_id=poll.id,
            success=poll.status == "succeeded",
            duration_ms=round(took.total_seconds() * 1000),
        )


class PollFilters(RowFilters):
    __search_fields__ = ["error", "trigger", "status"]
    __sort_fields__ = ["started_at", "finished_at", "trigger", "status", "found", "new"]

    id: str | None
    trigger: str | None
    status: str | None
    started_at: datetime | None
    finished_at: datetime | None


class TestTransactionIn(In):
    """A made-up sale. `commission_percentage` is a fraction, `discount` percent of it."""

    __test__ = False  # not a test case for pytest

    crypto_amount_sats: Sats
    fiat_amount: Decimal
    fiat_code: str
    commission_percentage: Decimal = Field(..., ge=0, lt=1, decimal_places=20)
    discount: Decimal = Field(Decimal(0), ge=0, le=100, decimal_places=10)
    dry_run: StrictBool = True

    _currency = validator("fiat_code", allow_reuse=True)(lambda code: known_currency(code))


class TestTransactionOut(BaseModel):
    __test__ = False

    dry_run: bool
    transaction: TransactionOut
    distributions: list[DistributionOut]


class Reason(In):
    reason: str = Field(..., min_length=1, max_length=1000)


class ReviewDistribute(In):
    fiat_amount: Decimal | None = None
    notes: str | None = Field(None, max_length=1000)


class ReviewDismiss(In):
    notes: str = Field(..., min_length=1, max_length=1000)


class AuditEntry(BaseModel):
    """A row of `dca_audit`: what a person did. Never holds a secret."""

    id: str
    time: datetime
    actor: str
    action: str
    subject: str
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None

    _from_text = validator("before", "after", pre=True, allow_reuse=True)(
        lambda value: json.loads(value) if isinstance(value, str) else value
    )

    @classmethod
    def of(
        cls,
        actor: str,
        action: str,
        subject: str,
        before: BaseModel | dict[str, Any] | None = None,
        after: BaseModel | dict[str, Any] | None = None,
    ) -> "AuditEntry":
        """`actor` is the LNbits user's id, `subject` that of what was changed."""
        return cls(
            id=new_id(),
            time=now(),
            actor=actor,
            action=action,
            subject=subject,
            before=_plain(before),
            after=_plain(after),
        )


def _plain(value: BaseModel | dict[str, Any] | None) -> dict[str, Any] | None:
    """In JSON's types, with decimals as text: a number would become a float."""
    if not isinstance(value, BaseModel):
        return value
    plain: dict[str, Any] = json.loads(
        value.json(encoder=lambda v: str(v) if isinstance(v, Decimal) else v.isoformat())
    )
    return plain


class AuditFilters(FilterModel):
    __search_fields__ = ["actor", "action", "subject"]
    __sort_fields__ = ["time", "actor", "action", "subject"]

    id: str | None
    time: datetime | None
    actor: str | None
    action: str | None
    subject: str | None


class Difference(BaseModel):
    kind: str
    id: str
    detail: str


class Reconciliation(BaseModel):
    ok: bool
    checked: dict[str, int]
    differences: list[Difference]


def positive_minor_units(field: str, amount: Decimal, currency: str) -> int:
    """A positive fiat amount in minor units; errors name the field.

    Raises:
        ValueError: zero, negative, or not an amount of this currency.
    """
    try:
        minor = minor_units(amount, currency)
    except ValueError as exc:
        raise ValueError(f"{field}: {exc}") from None
    if minor <= 0:
        raise ValueError(f"{field}: has to be more than zero")
    return minor

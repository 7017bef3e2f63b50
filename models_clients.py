"""Clients and their deposits: what is stored, what comes in and what goes out."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, Field, StrictBool, validator

from .helpers import (
    MAX_MINOR_UNITS,
    average_price,
    decimal_text,
    fiat_text,
    known_currency,
    new_id,
    now,
)
from .models import (
    Direction,
    DistributionOut,
    In,
    Out,
    Payment,
    PaymentStatus,
    RowFilters,
    TransactionOut,
    positive_minor_units,
)

DcaMode = Literal["flow", "fixed"]
ClientStatus = Literal["pending", "active", "paused", "closed"]
Party = Literal["client", "operator"]
Registration = Literal["open", "approval", "closed"]
DepositStatus = Literal["pending", "confirmed", "rejected"]

# ---- clients ---------------------------------------------------------------------------------


class Client(BaseModel):
    """A row of `dca_clients`; `fixed_mode_daily_limit` in minor units of `currency`."""

    id: str
    user_id: str
    wallet_id: str
    username: str | None = None
    dca_mode: DcaMode
    fixed_mode_daily_limit: int | None = None
    currency: str | None = None
    status: ClientStatus = "active"
    paused_by: Party | None = None
    created_at: datetime
    updated_at: datetime


class ClientTerms(BaseModel):
    """A row of `dca_client_terms`: what was in force from then on, until it changed."""

    id: str
    client_id: str
    dca_mode: DcaMode
    fixed_mode_daily_limit: int | None = None
    currency: str | None = None
    status: ClientStatus
    valid_from: datetime
    valid_until: datetime | None = None

    @classmethod
    def of(cls, client: Client) -> "ClientTerms":
        fields = {"id", "dca_mode", "fixed_mode_daily_limit", "currency", "status"}
        return cls(
            **{**client.dict(include=fields), "id": new_id()},
            client_id=client.id,
            valid_from=client.updated_at,
        )

    def same_as(self, other: "ClientTerms") -> bool:
        """Whether they say the same, whenever."""
        when = {"id", "valid_from", "valid_until"}
        return self.dict(exclude=when) == other.dict(exclude=when)


class Balance(BaseModel):
    """One client's cash in one currency, in minor units."""

    client_id: str
    currency: str
    total_deposits: int = 0
    pending_deposits: int = 0
    total_distributed: int = 0

    @property
    def remaining(self) -> int:
        return self.total_deposits - self.total_distributed


class BalanceOut(BaseModel):
    currency: str
    total_deposits: str
    pending_deposits: str
    total_distributed: str
    remaining_balance: str

    @classmethod
    def of(cls, balance: Balance) -> "BalanceOut":
        return cls(
            currency=balance.currency,
            total_deposits=fiat_text(balance.total_deposits, balance.currency),
            pending_deposits=fiat_text(balance.pending_deposits, balance.currency),
            total_distributed=fiat_text(balance.total_distributed, balance.currency),
            remaining_balance=fiat_text(balance.remaining, balance.currency),
        )


class ClientBalance(BaseModel):
    client_id: str
    balances: list[BalanceOut]
    total_sats: int


class ClientOut(Out):
    id: str
    user_id: str
    wallet_id: str
    username: str | None
    dca_mode: DcaMode
    fixed_mode_daily_limit: str | None
    currency: str | None
    status: ClientStatus
    paused_by: Party | None
    created_at: datetime
    updated_at: datetime
    balances: list[BalanceOut] = []
    total_sats: int = 0
    average_prices: dict[str, str] = Field({}, description="Fiat per whole bitcoin, by currency")

    @classmethod
    def of(
        cls, client: Client, balances: list[Balance], paid: dict[str, tuple[int, int]]
    ) -> "ClientOut":
        """`paid`: by currency, the sats received and the minor units they were bought for."""
        fields = client.dict()
        if client.fixed_mode_daily_limit is not None and client.currency:
            limit = fiat_text(client.fixed_mode_daily_limit, client.currency)
            fields["fixed_mode_daily_limit"] = limit
        prices = {code: average_price(fiat, sats, code) for code, (sats, fiat) in paid.items()}
        return cls(
            **fields,
            balances=[BalanceOut.of(balance) for balance in balances],
            total_sats=sum(sats for sats, _ in paid.values()),
            average_prices={code: price for code, price in prices.items() if price},
        )


class _ClientFields(In):
    username: str | None = Field(None, max_length=100)
    dca_mode: DcaMode | None = None
    fixed_mode_daily_limit: Decimal | None = Field(
        None, description="Fiat in `currency`; needed in fixed mode"
    )
    currency: str | None = None

    _currency = validator("currency", allow_reuse=True)(
        lambda code: None if code is None else known_currency(code)
    )

    def daily_limit(self, currency: str | None) -> int | None:
        """The daily limit in minor units of `currency`.

        Raises:
            ValueError: not positive, or not an amount of that currency.
        """
        if self.fixed_mode_daily_limit is None:
            return None
        if currency is None:
            raise ValueError("currency: the daily limit needs one, such as GTQ")
        return positive_minor_units("fixed_mode_daily_limit", self.fixed_mode_daily_limit, currency)


class CreateClient(_ClientFields):
    wallet_id: str | None = Field(None, max_length=64)
    dca_mode: DcaMode
    test: StrictBool = False


class UpdateClient(_ClientFields):
    wallet_id: str | None = Field(None, max_length=64)
    status: Literal["active", "paused", "closed"] | None = None


class Register(_ClientFields):
    """What a client asks for who joins by themselves."""

    wallet_id: str | None = Field(None, max_length=64)
    dca_mode: DcaMode
    accept_terms: StrictBool = False


class ClientFilters(RowFilters):
    __search_fields__ = ["username", "wallet_id", "user_id"]
    __sort_fields__ = ["username", "dca_mode", "status", "created_at", "updated_at"]

    id: str | None
    user_id: str | None
    wallet_id: str | None
    username: str | None
    dca_mode: str | None
    currency: str | None
    status: str | None
    created_at: datetime | None
    updated_at: datetime | None


# ---- deposits --------------------------------------------------------------------------------


class Deposit(BaseModel):
    """A row of `dca_deposits`; `amount` in minor units of `currency`."""

    id: str
    client_id: str
    amount: int
    currency: str
    status: DepositStatus = "pending"
    notes: str | None = None
    created_at: datetime
    confirmed_at: datetime | None = None


def withdrawal_of(client_id: str, minor: int, currency: str, reason: str) -> Deposit:
    """A withdrawal of so many minor units: a deposit of less than nothing, confirmed at once."""
    time = now()
    return Deposit(
        id=new_id(),
        client_id=client_id,
        amount=-minor,
        currency=currency,
        status="confirmed",
        notes=reason,
        created_at=time,
        confirmed_at=time,
    )


class DepositOut(Out):
    id: str
    client_id: str
    amount: str
    currency: str
    status: DepositStatus
    notes: str | None
    created_at: datetime
    confirmed_at: datetime | None

    @classmethod
    def of(cls, deposit: Deposit) -> "DepositOut":
        return cls(**{**deposit.dict(), "amount": fiat_text(deposit.amount, deposit.currency)})


class CreateDeposit(In):
    client_id: str = Field(..., max_length=64)
    amount: Decimal
    currency: str
    notes: str | None = Field(None, max_length=1000)

    _currency = validator("currency", allow_reuse=True)(lambda code: known_currency(code))


class Withdrawal(In):
    """Cash that goes back to the client, or corrects a deposit that was a mistake."""

    amount: Decimal
    currency: str
    reason: str = Field(..., min_length=1, max_length=1000)

    _currency = validator("currency", allow_reuse=True)(lambda code: known_currency(code))


class SettleOut(In):
    """Pay what is left of a client's cash in sats, at `exchange_rate` fiat per whole bitcoin."""

    currency: str
    exchange_rate: Decimal = Field(..., gt=0, le=MAX_MINOR_UNITS, decimal_places=8)
    reason: str = Field(..., min_length=1, max_length=1000)
    dry_run: StrictBool = False

    _currency = validator("currency", allow_reuse=True)(lambda code: known_currency(code))


class UpdateDepositStatus(In):
    status: Literal["confirmed", "rejected"]
    notes: str | None = Field(None, max_length=1000)


class DepositFilters(RowFilters):
    __search_fields__ = ["notes", "client_id", "currency"]
    __sort_fields__ = ["amount", "currency", "status", "created_at", "confirmed_at"]

    id: str | None
    client_id: str | None
    amount: Decimal | None
    currency: str | None
    status: str | None
    created_at: datetime | None
    confirmed_at: datetime | None


# ---- the programme ---------------------------------------------------------------------------


class Programme(BaseModel):
    """The one row of `dca_programme`: who may join, and to what; limits in minor units."""

    id: str = "default"
    registration: Registration = "approval"
    terms: str = ""
    deposit_instructions: str = ""
    currency: str | None = None
    smallest_daily_limit: int | None = None
    largest_daily_limit: int | None = None

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

    @classmethod
    def of(cls, programme: Programme) -> "ProgrammeOut":
        fields = programme.dict(exclude={"id"})
        for name in ("smallest_daily_limit", "largest_daily_limit"):
            if fields[name] is not None:
                fields[name] = fiat_text(fields[name], programme.currency or "")
        return cls(**fields)


class UpdateProgramme(In):
    """Any of the fields; the daily limits are amounts of `currency`."""

    registration: Registration | None = None
    terms: str | None = Field(None, max_length=20_000)
    deposit_instructions: str | None = Field(None, max_length=5_000)
    currency: str | None = None
    smallest_daily_limit: Decimal | None = None
    largest_daily_limit: Decimal | None = None

    _currency = validator("currency", allow_reuse=True)(
        lambda code: None if code is None else known_currency(code)
    )

    def applied_to(self, stored: Programme) -> Programme:
        """The programme with these fields changed.

        Raises:
            ValueError: naming the field.
        """
        sent = self.dict(exclude_unset=True)
        for name in ("registration", "terms", "deposit_instructions"):
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


# ---- a client's own view ---------------------------------------------------------------------


class MeOut(ClientOut):
    """`recent_sats` came in the last 30 days; `pending_sats` are planned, not paid yet."""

    # Where LNbits allows the login by user id, it is a password: a wallet's key must not tell it.
    user_id: str = Field("", exclude=True)
    pending_sats: int
    recent_sats: int
    next_poll: datetime | None
    timezone: str
    programme: ProgrammeOut
    clients: list[OwnClient]


class Purchase(Out):
    """A client's share of a sale, as they see it; `exchange_rate` is fiat per whole bitcoin."""

    id: str
    transaction_id: str
    transaction_time: datetime
    direction: Direction
    amount_sats: int
    amount_fiat: str
    currency: str
    exchange_rate: str | None
    share: str
    status: PaymentStatus
    payment_hash: str | None
    error: str | None
    created_at: datetime
    confirmed_at: datetime | None

    @classmethod
    def of(cls, payment: Payment, sale: Mapping[str, Any]) -> "Purchase":
        return cls(
            **{
                **payment.dict(include=set(cls.__fields__)),
                "transaction_time": sale["transaction_time"],
                "direction": sale["direction"],
                "amount_fiat": fiat_text(payment.amount_fiat, payment.currency),
                "exchange_rate": average_price(
                    payment.amount_fiat, payment.amount_sats, payment.currency
                ),
                "share": decimal_text(payment.share),
                "error": payment.error and _FOR_CLIENTS[payment.status],
            }
        )


# What stands in a payment's row is for the operator: it speaks of their wallets.
_FOR_CLIENTS: dict[PaymentStatus, str | None] = {
    "pending": "Waits until the operator's wallet can cover it.",
    "failed": "Could not be paid yet. It is tried again; ask the operator if it stays so.",
    "voided": "Given up; the cash is back in your balance.",
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

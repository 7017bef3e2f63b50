"""Clients and their deposits: what is stored, what comes in and what goes out."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, Field, StrictBool, validator

from .helpers import MAX_MINOR_UNITS, average_price, fiat_text, known_currency, new_id, now
from .models import In, Out, RowFilters, Sats, positive_minor_units

DcaMode = Literal["flow", "fixed"]
ClientStatus = Literal["pending", "active", "paused", "closed"]
Party = Literal["client", "operator"]
DepositStatus = Literal["pending", "confirmed", "rejected"]

# ---- clients ---------------------------------------------------------------------------------


class Client(BaseModel):
    """A row of `dca_clients`; `fixed_mode_daily_limit` in minor units of `currency`.

    `payout_min_sats`: the smallest payout that the client wants, if more than the operator's.
    """

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
    payout_min_sats: int | None = None
    # What was planned until then is paid in full, whatever the schedule says.
    payouts_due_until: datetime | None = None


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
    in_machines: dict[str, int] = {}

    @property
    def remaining(self) -> int:
        return self.total_deposits - self.total_distributed


class BalanceOut(BaseModel):
    currency: str
    total_deposits: str
    pending_deposits: str
    total_distributed: str
    remaining_balance: str
    remaining_by_machine: dict[str, str] = Field(
        {}, description="Of it, what goes out with one machine's sales only; the rest with any"
    )

    @classmethod
    def of(cls, balance: Balance) -> "BalanceOut":
        return cls(
            currency=balance.currency,
            total_deposits=fiat_text(balance.total_deposits, balance.currency),
            pending_deposits=fiat_text(balance.pending_deposits, balance.currency),
            total_distributed=fiat_text(balance.total_distributed, balance.currency),
            remaining_balance=fiat_text(balance.remaining, balance.currency),
            remaining_by_machine={
                device_id: fiat_text(amount, balance.currency)
                for device_id, amount in balance.in_machines.items()
            },
        )


class ClientBalance(BaseModel):
    client_id: str
    balances: list[BalanceOut]
    total_sats: int
    waiting_sats: int = Field(..., description="Planned and not paid yet")


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
    payout_min_sats: int | None
    balances: list[BalanceOut] = []
    total_sats: int = 0
    wallet_gone: bool = Field(
        False, description="The wallet, or its user, is gone: the cash waits and buys nothing"
    )
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
    payout_min_sats: Sats | None = Field(
        None, description="The smallest payout wanted; counts where it is above the operator's"
    )

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
    to_settle: bool | None  # left, and some of the cash is theirs still
    created_at: datetime | None
    updated_at: datetime | None


# ---- deposits --------------------------------------------------------------------------------


class Deposit(BaseModel):
    """A row of `dca_deposits`; `amount` in minor units of `currency`.

    With a `device_id` the cash lies in that machine, and goes out with its sales only.
    """

    id: str
    client_id: str
    amount: int
    currency: str
    device_id: str | None = None
    status: DepositStatus = "pending"
    notes: str | None = None
    created_at: datetime
    confirmed_at: datetime | None = None


def withdrawal_of(
    client_id: str, minor: int, currency: str, reason: str, device_id: str | None = None
) -> Deposit:
    """A withdrawal of so many minor units: a deposit of less than nothing, confirmed at once."""
    time = now()
    return Deposit(
        id=new_id(),
        client_id=client_id,
        amount=-minor,
        currency=currency,
        device_id=device_id,
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
    device_id: str | None = Field(..., description="Where its cash lies; null: in any machine")
    device_name: str | None
    status: DepositStatus
    notes: str | None
    created_at: datetime
    confirmed_at: datetime | None

    @classmethod
    def of(cls, deposit: Deposit, names: Mapping[str, str] | None = None) -> "DepositOut":
        """`names`: what the machines are called."""
        fields = {**deposit.dict(), "amount": fiat_text(deposit.amount, deposit.currency)}
        return cls(**fields, device_name=(names or {}).get(deposit.device_id or ""))


class CreateDeposit(In):
    client_id: str = Field(..., max_length=64)
    amount: Decimal
    currency: str
    device_id: str | None = Field(
        None, max_length=200, description="The machine that its cash lies in; null: any"
    )
    notes: str | None = Field(None, max_length=1000)

    _currency = validator("currency", allow_reuse=True)(lambda code: known_currency(code))


class Withdrawal(In):
    """Cash that goes back to the client, or corrects a deposit that was a mistake."""

    amount: Decimal
    currency: str
    device_id: str | None = Field(
        None, max_length=200, description="From the cash in this machine; null: from the rest"
    )
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
    __search_fields__ = ["notes", "client_id", "currency", "device_id"]
    __sort_fields__ = ["amount", "currency", "status", "created_at", "confirmed_at"]

    id: str | None
    client_id: str | None
    amount: Decimal | None
    currency: str | None
    device_id: str | None
    status: str | None
    created_at: datetime | None
    confirmed_at: datetime | None

"""Clients and their deposits: what is stored, what comes in and what goes out."""

from datetime import datetime
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, Field, StrictBool, validator

from .helpers import average_price, fiat_text, known_currency
from .models import In, Out, RowFilters, positive_minor_units

DcaMode = Literal["flow", "fixed"]
ClientStatus = Literal["active", "paused", "closed"]
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
    created_at: datetime
    updated_at: datetime


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
    status: ClientStatus | None = None


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

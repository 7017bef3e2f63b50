"""A machine, what somebody counted in it, and the cash book: stored, coming in, going out."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, Field, validator

from ..helpers import MAX_MINOR_UNITS, currency_decimals, fiat_text, known_currency
from ..models import In, Out, RowFilters

# What stands where a sale names a machine and there is none.
NO_MACHINES = ("", "test", "settle-out")


class Machine(BaseModel):
    """A row of `dca_machines`. `name` is the operator's own, `lamassu_name` what Lamassu calls it.

    `units`: how many notes Lamassu believes to be in each cassette and recycler, at `as_of`;
    `denominations`: what a note in each is worth, in whole `currency`, as of its last cash-out.
    """

    device_id: str
    name: str | None = None
    lamassu_name: str | None = None
    paired: bool | None = None
    last_online: datetime | None = None
    currency: str | None = None
    denominations: dict[str, int] = {}
    units: dict[str, int] = {}
    as_of: datetime | None = None

    @validator("denominations", "units", pre=True)
    def _from_text(cls, value: Any) -> Any:
        return json.loads(value) if isinstance(value, str) else value

    @property
    def shown_name(self) -> str | None:
        return self.name or self.lamassu_name

    def cash(self) -> int | None:
        """What Lamassu believes is in it, in minor units; None if it cannot be told.

        Notes whose denomination is not known are not in it.
        """
        known = [unit for unit in self.units if unit in self.denominations]
        if self.currency is None or not known:
            return None
        whole = sum(self.units[unit] * self.denominations[unit] for unit in known)
        minor = whole * 10 ** currency_decimals(self.currency)
        return minor if minor <= MAX_MINOR_UNITS else None

    def unknown_notes(self) -> int:
        """Notes that are counted, but of which nobody knows what they are worth."""
        return sum(n for unit, n in self.units.items() if unit not in self.denominations)


class Count(BaseModel):
    """A row of `dca_machine_counts`: what a person counted; minor units of `currency`."""

    id: str
    device_id: str
    currency: str
    amount: int
    notes: str | None = None
    counted_by: str
    counted_at: datetime


class CountOut(Out):
    id: str
    device_id: str
    currency: str
    amount: str
    notes: str | None
    counted_by: str
    counted_at: datetime

    @classmethod
    def of(cls, count: Count) -> "CountOut":
        return cls(**{**count.dict(), "amount": fiat_text(count.amount, count.currency)})


class CountFilters(RowFilters):
    __search_fields__ = ["device_id", "currency", "notes"]
    __sort_fields__ = ["counted_at", "device_id"]

    id: str | None
    device_id: str | None
    currency: str | None
    counted_at: datetime | None


class CreateCount(In):
    amount: Decimal
    currency: str
    notes: str | None = Field(None, max_length=1000)

    _currency = validator("currency", allow_reuse=True)(lambda code: known_currency(code))


class UpdateMachine(In):
    """`name`: the operator's own; null: Lamassu's again."""

    name: str | None = Field(..., max_length=100)


class Unit(BaseModel):
    """One cassette or recycler; `denomination` is null where no sale has told it yet."""

    unit: str
    notes: int
    denomination: int | None


class MachineCash(Out):
    """What Lamassu believes is in a machine; `unknown_notes` are not in `amount`."""

    currency: str | None
    amount: str | None
    as_of: datetime
    unknown_notes: int
    units: list[Unit]

    @classmethod
    def of(cls, machine: Machine, as_of: datetime) -> "MachineCash":
        amount = machine.cash()
        return cls(
            currency=machine.currency,
            amount=None if amount is None else fiat_text(amount, machine.currency or ""),
            as_of=as_of,
            unknown_notes=machine.unknown_notes(),
            units=[
                Unit(unit=unit, notes=notes, denomination=machine.denominations.get(unit))
                for unit, notes in machine.units.items()
            ],
        )


class Turnover(BaseModel):
    """A machine's sales in one currency: the cash of them, their sats and their commission."""

    currency: str
    sales: int
    fiat: str
    sats: int
    commission_sats: int


class MachineOut(Out):
    device_id: str
    name: str | None = Field(..., description="The operator's own, else Lamassu's")
    own_name: str | None
    lamassu_name: str | None
    paired: bool | None = Field(..., description="null where Lamassu's devices cannot be read")
    first_sale: datetime | None
    last_sale: datetime | None
    sales: int
    totals: list[Turnover]
    month: list[Turnover] = Field(..., description="Of this month, in the configured time zone")
    last_online: datetime | None
    cash: list[MachineCash]
    counts: list[CountOut] = Field(..., description="The last one in each currency")


class MachineCashBook(Out):
    """One machine's part of the cash book. Amounts of cash as of the time beside them."""

    device_id: str
    name: str | None
    owed: str
    in_machine: str | None
    as_of: datetime | None
    unknown_notes: int
    counted: str | None
    counted_at: datetime | None
    difference: str | None = Field(
        ..., description="Of the newer of both figures to what is owed of this machine's own cash"
    )
    per_day: str | None
    days_left: int | None


class CashBook(Out):
    """One currency: what is owed to clients against the cash that should be in the machines."""

    currency: str
    owed: str = Field(..., description="All that clients put in and that has not gone out yet")
    owed_by_machine: dict[str, str] = Field(
        ..., description="The part of it that lies in one machine only; the rest lies in any"
    )
    owed_anywhere: str
    counted: str | None = Field(..., description="The last counts of all machines together")
    counted_at: datetime | None = Field(..., description="The oldest of them")
    in_machines: str | None = Field(..., description="What Lamassu believes is in them")
    as_of: datetime | None = Field(..., description="When it was read; of several the oldest")
    unknown_notes: int
    difference: str | None = Field(..., description="Of what is in the machines to what is owed")
    covered: str | None = Field(
        ..., description="Percent of what is owed, by Lamassu's counts; without them by a person's"
    )
    per_day: str | None = Field(..., description="What went out of clients' cash, last 28 days")
    days_left: int | None
    machines: list[MachineCashBook]

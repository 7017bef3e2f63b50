"""Partners and their terms: what is stored, what comes in and what goes out."""

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConstrainedDecimal, Field, validator

from ..helpers import decimal_text, new_id
from ..models import In, Out
from ..models_sales import DistributionOut, PaymentStatus, TransactionOut, TransferStatus
from ..words.told import Told, told_of

PartnerStatus = Literal["active", "ended"]


class Percent(ConstrainedDecimal):
    """Of a commission: above 0, at most all of it, and at most four decimals."""

    gt, le, decimal_places = Decimal(0), Decimal(100), 4


class _Terms(BaseModel):
    percent: Decimal
    device_ids: list[str]
    status: PartnerStatus = "active"
    valid_from: datetime

    @validator("device_ids", pre=True)
    def _from_text(cls, value: Any) -> Any:
        return json.loads(value) if isinstance(value, str) else value

    def counts_at(self, device_id: str) -> bool:
        """Whether a sale at this machine is one that these terms are about."""
        return self.status == "active" and (not self.device_ids or device_id in self.device_ids)


class Partner(_Terms):
    """A row of `dca_partners`: a percentage of the commission of all machines, or of some."""

    id: str
    name: str
    user_id: str
    wallet_id: str
    created_at: datetime


class PartnerTerms(_Terms):
    """A row of `dca_partner_terms`: what was in force from then on, until it changed."""

    id: str
    partner_id: str
    valid_until: datetime | None = None

    @classmethod
    def of(cls, partner: Partner) -> "PartnerTerms":
        fields = partner.dict(include={"percent", "device_ids", "status", "valid_from"})
        return cls(**fields, id=new_id(), partner_id=partner.id)


class Totals(BaseModel):
    """What a partner has been paid, and what is theirs and not paid yet; sats."""

    total_sats: int = 0
    pending_sats: int = 0


class PartnerOut(Out):
    id: str
    name: str
    wallet_id: str
    percent: str = Field(..., description="Of the commission; 12.5 is an eighth of it")
    device_ids: list[str] = Field(..., description="Only at these machines; empty: at all")
    status: PartnerStatus
    valid_from: datetime = Field(..., description="Sales from then on go by these terms")
    created_at: datetime
    total_sats: int
    pending_sats: int = Field(..., description="Theirs, and not paid yet")

    @classmethod
    def of(cls, partner: Partner, totals: Totals) -> "PartnerOut":
        fields = partner.dict(exclude={"user_id", "percent"})
        return cls(**fields, **totals.dict(), percent=percent_text(partner.percent))


class CreatePartner(In):
    name: str = Field(..., max_length=100)
    wallet_id: str = Field(..., max_length=64)
    percent: Percent
    device_ids: list[str] = Field([], max_items=1000)


class UpdatePartner(In):
    name: str | None = Field(None, max_length=100)
    wallet_id: str | None = Field(None, max_length=64)
    percent: Percent | None = None
    device_ids: list[str] | None = Field(None, max_items=1000)
    status: PartnerStatus | None = None

    @validator("name")
    def _is_a_name(cls, value: str | None) -> str | None:
        if value is not None and not value.strip():
            raise ValueError("cannot be empty")
        return value


class CommissionPart(Out):
    """Whose part of one sale's commission; `partner_id` is null for the operator's own."""

    partner_id: str | None
    name: str | None
    wallet_id: str | None = Field(..., description="null: it stays in the source wallet")
    percent: str
    amount_sats: int
    status: PaymentStatus | TransferStatus
    payment_hash: str | None
    error: str | None
    told: list[Told] = Field([], description="`error` as codes with values")

    _told = told_of("error")


class TestTransactionOut(BaseModel):
    """A made-up sale, how its base is shared, and whose its commission is."""

    __test__ = False  # not a test case for pytest

    dry_run: bool
    transaction: TransactionOut
    distributions: list[DistributionOut]
    commission: list[CommissionPart]


class OwnPartnership(Out):
    id: str
    name: str
    status: PartnerStatus


class Month(BaseModel):
    """`sats` of the sales of this month, paid or not; `sales` that any of it comes from."""

    month: str
    sats: int
    sales: int


class PartnerMe(Out):
    """What a partner sees of themselves, and of nobody else."""

    id: str
    name: str
    wallet_id: str
    percent: str
    device_names: list[str] = Field(..., description="Only at these machines; empty: at all")
    status: PartnerStatus
    valid_from: datetime
    total_sats: int
    pending_sats: int
    months: list[Month]
    timezone: str
    partners: list[OwnPartnership] = Field(..., description="All that the one who asks has")


class StatementLine(Out):
    transaction_id: str
    transaction_time: datetime
    device_id: str
    device_name: str | None
    percent: str
    amount_sats: int
    status: PaymentStatus
    payment_hash: str | None
    confirmed_at: datetime | None


class PartnerStatement(Out):
    """A partner's parts of the sales of these days, `begin` and `end` included."""

    partner_id: str
    name: str
    begin: date
    end: date
    timezone: str
    generated_at: datetime
    lines: list[StatementLine]
    total_sats: int
    pending_sats: int

    class Config:
        fields = {"begin": "from", "end": "to"}
        allow_population_by_field_name = True


def percent_text(percent: Decimal) -> str:
    """Without the zeros at its end."""
    return decimal_text(percent.normalize())

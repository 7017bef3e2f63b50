"""What all models share: bounds of what comes in, the form of what goes out, the audit log.

Pydantic v1, as LNbits. Stored rows keep fiat as integer minor units and rates as decimal text;
what goes out shows fiat as decimal text with the currency's decimals. The models themselves stand
by noun in the other `models_` files.
"""

import json
import re
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

from lnbits.db import FilterModel
from pydantic import BaseModel, ConstrainedInt, Field, validator
from pydantic.fields import ModelField

from .helpers import MAX_SATS, minor_units, new_id, now
from .words.told import Told, told_of

SECRETS = ("password", "ssh_password", "ssh_private_key", "ssh_private_key_passphrase")

# What may have several lines, and tabs; no other control character is text.
_MULTILINE = {
    *SECRETS,
    *("ssl_ca_certificate", "notes", "reason", "terms", "deposit_instructions"),
    "operator_address",
}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_CONTROL_BUT_LINES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_MAX_STORED = 2**63 - 1


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
        if isinstance(value, list) and field.outer_type_ is not field.type_:
            return [cls._text_is_storable(each, field) for each in value]
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
    told: list[Told] = Field([], description="`detail` as codes with values")


class Reason(In):
    reason: str = Field(..., min_length=1, max_length=1000)


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
    """In JSON's types, with decimals as text: a number would become a float.

    Without the codes of its sentences, which are found again from the sentences.
    """
    if not isinstance(value, BaseModel):
        return value
    codes = {name for name in value.__fields__ if name == "told" or name.endswith("_told")}
    plain: dict[str, Any] = json.loads(
        value.json(
            exclude=codes,
            encoder=lambda v: str(v) if isinstance(v, Decimal) else v.isoformat(),
        )
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
    told: list[Told] = Field([], description="`detail` as codes with values")

    _told = told_of("detail")


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


class Channel(Out):
    channel: str = Field(
        ...,
        description="LNbits' websocket `/api/v1/ws/{channel}` tells the counts of a running poll. "
        "Ask before each poll: when one has ended the name changes",
    )

"""The configuration and the polls: as stored, as they come in and go out."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConstrainedInt, Field, StrictBool, root_validator, validator

from .models import SECRETS, In, Out, RowFilters, Sats
from .models_sales import CommissionMethod
from .words.told import Told, told_of

PollTrigger = Literal["startup", "hourly", "manual"]
PollStatus = Literal["running", "succeeded", "failed"]
SslMode = Literal["disable", "prefer", "require", "verify-full"]
# Which sales are read.
SourceDirection = Literal["cash_out", "cash_in", "both"]
# When what is planned is paid.
PayoutSchedule = Literal["each_poll", "daily", "weekly"]


class Port(ConstrainedInt):
    strict, ge, le = True, 1, 65535


class Minutes(ConstrainedInt):
    strict, ge, le = True, 1, 24 * 60


class Days(ConstrainedInt):
    strict, ge, le = True, 1, 365


class Weekday(ConstrainedInt):
    """0 is Monday."""

    strict, ge, le = True, 0, 6


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
    payout_schedule: PayoutSchedule = "each_poll"
    payout_time: str = "09:00"
    payout_weekday: int = 0
    payout_min_sats: int | None = None
    # What was planned until then is due: when the last payout run began.
    payouts_due_until: datetime | None = None
    # Since when this schedule counts: no moment of it before is one that was missed.
    payout_schedule_since: datetime | None = None
    test_connection_last: datetime | None = None
    test_connection_success: bool | None = None
    last_poll_time: datetime | None = None
    last_successful_poll: datetime | None = None
    # Since when crediting is on without a break: no sale from before it is ever credited.
    credit_since: datetime | None = None
    database_number: int = 1
    database_since: datetime | None = None  # when it was named another than the one before

    def succeeding(self, stored: "LamassuConfig", at: datetime) -> "LamassuConfig":
        """This, saved at that time in the place of what is stored: what polls have noted stays.

        What each poll would have paid until then is not made to wait by a schedule.
        """
        kept: dict[str, object] = {name: getattr(stored, name) for name in _NOTED}
        if stored.database_number >= self.database_number:  # a number is never taken back
            kept |= {name: getattr(stored, name) for name in ("database_number", "database_since")}
        if any(getattr(self, name) != getattr(stored, name) for name in _SCHEDULE):
            kept["payout_schedule_since"] = at
            if stored.payout_schedule == "each_poll":
                kept["payouts_due_until"] = at
        return self.copy(update=kept)


_NOTED = (
    "test_connection_last",
    "test_connection_success",
    "last_poll_time",
    "last_successful_poll",
    "payouts_due_until",
    "payout_schedule_since",
)
_SCHEDULE = ("payout_schedule", "payout_time", "payout_weekday", "timezone")


class ConfigIn(In):
    """The configuration as it comes in.

    A secret left out or empty keeps the stored one; null removes it.
    """

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
        Sats(100_000_000),
        description="A sale above it waits until a person has looked at it; null for no ceiling "
        "but that of 100 bitcoin",
    )
    max_sats_per_poll: Sats | None = Field(
        None, description="Sales that would exceed it in one poll wait for a person, too"
    )
    payout_schedule: PayoutSchedule = Field(
        "each_poll", description="When the clients' shares are paid; they are planned at each poll"
    )
    payout_time: str = Field(
        "09:00", description="HH:MM in the configured time zone, of a daily or weekly payout"
    )
    payout_weekday: Weekday = Field(
        Weekday(0), description="Of a weekly payout: 0 is Monday, 6 Sunday"
    )
    payout_min_sats: Sats | None = Field(
        None, description="The smallest payout to a client; null: any. A client may ask for more"
    )

    another_database: StrictBool = Field(
        False,
        description="True says: this is another machine's database than the one before, and ids "
        "of its sales count apart from those known. Never for the same database in another place",
    )

    @root_validator(pre=True)
    def _empty_is_none(cls, values: dict[str, Any]) -> dict[str, Any]:
        """A form sends empty text where nothing was filled in."""
        required = {"host", "username", "source_wallet_id", "database_name", "timezone"}
        # A secret that is not filled in is left out: null means that it goes.
        kept = {k: v for k, v in values.items() if not (k in SECRETS and v == "")}
        return {k: None if v == "" and k not in required else v for k, v in kept.items()}

    def removes(self, secret: str) -> bool:
        """Whether this stored secret is to go; one that is left out or empty stays."""
        return secret in self.__fields_set__ and getattr(self, secret) is None

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

    @validator("payout_time")
    def _time_of_day(cls, value: str) -> str:
        if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value, re.ASCII):
            raise ValueError("give it as HH:MM, such as 09:00")
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
    credit_since: datetime | None = Field(
        ..., description="While crediting is on: only sales from then on are credited"
    )
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
    payout_schedule: PayoutSchedule
    payout_time: str
    payout_weekday: int
    payout_min_sats: int | None
    test_connection_last: datetime | None
    test_connection_success: bool | None
    last_poll_time: datetime | None
    last_successful_poll: datetime | None
    database_number: int = Field(..., description="One more each time that another was named")
    database_since: datetime | None
    secrets_to_reenter: list[str] = []
    suggestions: list[str] = Field([], description="What would be safer, each with its field")

    @classmethod
    def of(cls, config: LamassuConfig, secrets_to_reenter: list[str]) -> "ConfigOut":
        present = {f"has_{name}": getattr(config, name) is not None for name in SECRETS}
        return cls(
            **config.dict(),
            **present,
            secrets_to_reenter=secrets_to_reenter,
            suggestions=_suggestions(config),
        )


def _suggestions(config: LamassuConfig) -> list[str]:
    """Crediting makes balance of what one row says: a ceiling bounds what a false row can make."""
    if not config.credit_source_wallet:
        return []
    ceilings = {
        "max_sats_per_transaction": "the largest sale that your machines make",
        "max_sats_per_poll": "what they sell between two polls on a busy day",
    }
    return [
        f"{name}: crediting is on without this ceiling. Set one a little above {most}; what is "
        "above waits for a person."
        for name, most in ceilings.items()
        if getattr(config, name) is None
    ]


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
    problem: str | None = Field(None, description="What stops money from moving all the same")
    clock_offset_seconds: int | None = Field(
        None, description="How far the ATM's clock was ahead of ours, where it could be read"
    )


class PollOut(Poll):
    """As it goes out: also with the codes of its sentences."""

    told: list[Told] = Field([], description="`error` and `problem` as codes with values")

    _told = told_of("error", "problem")


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
    problem: str | None
    duration_ms: int
    told: list[Told] = Field([], description="`error` and `problem` as codes with values")

    @classmethod
    def of(cls, poll: Poll) -> "PollResult":
        took = (poll.finished_at or poll.started_at) - poll.started_at
        return cls(
            **PollOut(**poll.dict()).dict(),
            poll_id=poll.id,
            success=poll.status == "succeeded",
            duration_ms=round(took.total_seconds() * 1000),
        )


class Adopted(BaseModel):
    adopted: int = Field(..., description="Payments that were taken into the books")
    poll: PollResult


class PollFilters(RowFilters):
    __search_fields__ = ["error", "trigger", "status"]
    __sort_fields__ = ["started_at", "finished_at", "trigger", "status", "found", "new"]

    id: str | None
    trigger: str | None
    status: str | None
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True)
class Target:
    """Where the ATM's database is and how to get in, with the secrets in clear."""

    host: str
    port: int
    database: str
    username: str
    password: str | None = field(default=None, repr=False)
    use_ssh_tunnel: bool = False
    ssh_host: str | None = None
    ssh_port: int = 22
    ssh_username: str | None = None
    ssh_password: str | None = field(default=None, repr=False)
    ssh_private_key: str | None = field(default=None, repr=False)
    ssh_private_key_passphrase: str | None = field(default=None, repr=False)
    ssh_host_key_fingerprint: str | None = None
    ssl_mode: str = "prefer"
    ssl_ca_certificate: str | None = None

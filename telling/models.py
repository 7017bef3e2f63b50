"""Alerts, letters and who wants to hear of what: as stored, as they come in and go out."""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from lnbits.helpers import check_callback_url
from pydantic import BaseModel, ConstrainedInt, Field, StrictBool, validator

from ..models import In, Out, RowFilters, Sats
from ..words.told import Told, told, told_of

AlertKind = Literal[
    "polls_failing",
    "source_wallet_low",
    "sales_waiting",
    "payments_failed",
    "books_differ",
    "cash_running_out",
    "cash_not_covered",
    "deposit_unconfirmed",
    "client_pending",
    "machine_silent",
    "forwards_failing",
    "clocks_differ",
    "secrets_unreadable",
]
LetterState = Literal["began", "ended", "digest", "event", "test"]
# Who a letter is for: LNbits' admins, the operator's webhook, one client.
Channel = Literal["admins", "webhook", "client"]
DigestRhythm = Literal["off", "daily", "weekly"]


class DaysAhead(ConstrainedInt):
    strict, ge, le = True, 0, 365


class Hours(ConstrainedInt):
    strict, ge, le = True, 1, 24 * 90


class HourOfDay(ConstrainedInt):
    strict, ge, le = True, 0, 23


class Alert(Out):
    """A row of `dca_alerts`: it begins once, is told once, ends once.

    `subject` tells alerts of one kind apart: a currency, a machine, a client, or nothing.
    """

    id: str
    kind: AlertKind
    subject: str
    text: str
    began_at: datetime
    ended_at: datetime | None = None
    told_at: datetime | None = None


class AlertOut(Alert):
    """As it goes out: also with the codes of its sentences, and the panel's tab that it names."""

    told: list[Told] = Field([], description="`text` without its link, as codes with values")
    tab: str | None = Field(None, description="Where in the panel the matter stands")

    @validator("told", always=True)
    def _told(cls, _: list[Told], values: dict[str, Any]) -> list[Told]:
        return told(_parted(values.get("text", ""))[0])

    @validator("tab", always=True)
    def _tab(cls, _: str | None, values: dict[str, Any]) -> str | None:
        return _parted(values.get("text", ""))[1]


def _parted(text: str) -> tuple[str, str | None]:
    """A text without the link at its end, and the tab that the link names."""
    body, _, last = text.rpartition(" ")
    _, found, tab = last.partition("/satmachineclient/?tab=")
    return (body, tab) if found else (text, None)


class AlertFilters(RowFilters):
    __search_fields__ = ["kind", "subject", "text"]
    __sort_fields__ = ["began_at", "ended_at", "kind", "subject"]

    id: str | None
    kind: str | None
    subject: str | None
    began_at: datetime | None
    ended_at: datetime | None


class AlertSettings(BaseModel):
    """The one row of `dca_alert_settings`; `webhook_secret` is stored encrypted.

    `source_wallet_below_sats` 0: only when it cannot pay what is owed. `cash_lasts_days` 0: only
    when a currency's cash is used up. Its columns `digest_last` (the day of the last digest, ISO,
    in the operator's time zone) and `looked_at` belong to whoever claims a turn.
    """

    id: str = "default"
    source_wallet_below_sats: int = 0
    cash_lasts_days: int = 3
    waiting_hours: int = 24
    machine_silent_hours: int = 24
    digest: DigestRhythm = "off"
    digest_hour: int = 8
    webhook_url: str | None = None
    webhook_secret: str | None = Field(None, repr=False)
    webhook_events: bool = False


class AlertSettingsIn(In):
    """What changes; what is left out stays. An empty secret keeps the stored one, null drops it."""

    source_wallet_below_sats: Sats | Literal[0] | None = None
    cash_lasts_days: DaysAhead | None = None
    waiting_hours: Hours | None = None
    machine_silent_hours: Hours | None = None
    digest: DigestRhythm | None = None
    digest_hour: HourOfDay | None = Field(None, description="In the operator's time zone")
    webhook_url: str | None = Field(None, max_length=2000)
    webhook_secret: str | None = Field(None, max_length=1000, repr=False)
    webhook_events: StrictBool | None = Field(
        None, description="Also deposits, sales, failed payouts and forwards, one by one"
    )

    @validator("webhook_url")
    def _url_may_be_called(cls, value: str | None) -> str | None:
        """LNbits' own rules for callbacks; where the name leads to is asked at each delivery."""
        if not value:
            return None
        if not re.fullmatch(r"[!-~]+", value):
            raise ValueError("is not an address such as https://example.com/hook")
        check_callback_url(value)
        return value


class AlertSettingsOut(Out):
    source_wallet_below_sats: int
    cash_lasts_days: int
    waiting_hours: int
    machine_silent_hours: int
    digest: DigestRhythm
    digest_hour: int
    webhook_url: str | None
    has_webhook_secret: bool
    webhook_events: bool
    letters_waiting: int = Field(0, description="For the webhook, not delivered yet")
    letters_given_up: int = Field(0, description="For the webhook, after three days")
    last_error: str | None = None
    told: list[Told] = Field([], description="`last_error` as codes with values")

    _told = told_of("last_error")

    @classmethod
    def of(cls, settings: AlertSettings, **counts: Any) -> "AlertSettingsOut":
        return cls(
            **settings.dict(exclude={"webhook_secret"}),
            has_webhook_secret=settings.webhook_secret is not None,
            **counts,
        )


class Letter(BaseModel):
    """A row of `dca_outbox`: what is to be told to whom, written with the event itself.

    `kind` an alert's kind or an event's name. `user_id` of the LNbits user whom a client's letter
    is for. `next_attempt_at` None: delivered or given up, `error` says why.
    """

    id: str
    alert_id: str | None = None
    channel: Channel
    user_id: str | None = None
    kind: str
    state: LetterState
    subject: str
    text: str
    at: datetime
    attempts: int = 0
    next_attempt_at: datetime | None = None
    delivered_at: datetime | None = None
    error: str | None = None


class Test(Out):
    """What a test message came to, way by way."""

    __test__ = False  # not a test case for pytest

    admins: str
    webhook: str
    admins_told: list[Told] = Field([], description="`admins` as codes with values")
    webhook_told: list[Told] = Field([], description="`webhook` as codes with values")

    _admins_told = told_of("admins", into="admins_told")
    _webhook_told = told_of("webhook", into="webhook_told")


class Health(Out):
    ok: bool
    last_successful_poll: datetime | None
    problems: list[str]


class Wishes(BaseModel):
    """A row of `dca_client_notices`: what a client wants to hear of, and their goal.

    `goal_sats` or `goal_fiat` (minor units of `goal_currency`), `goal_by` a day (ISO).
    """

    client_id: str
    deposit_confirmed: bool = True
    cash_low: bool = True
    forward_failed: bool = True
    statement_ready: bool = True
    goal_reached: bool = True
    goal_sats: int | None = None
    goal_fiat: int | None = None
    goal_currency: str | None = None
    goal_by: str | None = None
    goal_reached_at: datetime | None = None


class Notices(Out):
    deposit_confirmed: bool
    cash_low: bool
    forward_failed: bool
    statement_ready: bool
    goal_reached: bool


class NoticesIn(In):
    """What is left out stays."""

    deposit_confirmed: StrictBool | None = None
    cash_low: StrictBool | None = None
    forward_failed: StrictBool | None = None
    statement_ready: StrictBool | None = None
    goal_reached: StrictBool | None = None


class GoalIn(In):
    sats: Sats | None = None
    fiat: Decimal | None = None
    currency: str | None = Field(None, max_length=3)
    by: date | None = None


class Goal(Out):
    sats: int | None
    fiat: str | None
    currency: str | None
    by: date | None
    reached_sats: int
    reached_fiat: str | None
    percent: int | None
    per_day: str | None = Field(None, description="Needed from now on, in sats or in fiat")
    reached_at: datetime | None

"""What uptime monitors ask for: is all well, and figures in Prometheus' text format."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, get_args

from .. import crud as root_crud
from ..database import Row
from ..helpers import fiat_text, now
from ..reports import overview
from . import crud, crud_outbox
from .models import Alert, AlertKind, Health

_OVERDUE = timedelta(hours=3)
_NAME = "satmachineclient"
Value = int | str
Sample = tuple[dict[str, str], Value]


@dataclass(frozen=True)
class Family:
    """One figure with its samples: what a counter tells only rises, a gauge is what is so now."""

    name: str
    kind: Literal["counter", "gauge"]
    about: str
    samples: list[Sample]


async def health() -> Health:
    """All is well if no alert is open and the last successful poll is not long ago.

    The time of the poll is asked for here: a server whose background task has died begins no
    alerts.
    """
    config = await root_crud.get_config()
    problems = {str(alert.kind) for alert in await crud.open_alerts()}
    last = config.last_successful_poll if config else None
    if config and config.is_active and last:
        if now() - last > max(_OVERDUE, 3 * timedelta(minutes=config.poll_interval_minutes)):
            problems.add("polls_failing")
    return Health(ok=not problems, last_successful_poll=last, problems=sorted(problems))


async def metrics() -> str:
    """Prometheus' text format, version 0.0.4: sats and seconds, fiat in whole units."""
    figures = await overview.read()
    counts = await crud.counters()
    families = [
        *_polls(figures, counts, await crud.clock_offset_seconds()),
        *_sales(counts),
        *_payments(figures, counts),
        *_owed(figures, await crud.owed_cash()),
        *_letters(await crud.open_alerts(), await crud_outbox.webhook_counts()),
    ]
    return "".join(_metric(family) for family in families)


def _polls(
    figures: overview.Overview, counts: crud.Counts, clock_offset: int | None
) -> list[Family]:
    last = figures.connection.last_poll
    took = (last.finished_at - last.started_at).total_seconds() if last and last.finished_at else 0
    good = figures.connection.last_successful_poll
    return [
        Family(
            "polls_total",
            "counter",
            "Polls by how they ended.",
            [({"status": s}, counts.total[f"polls_{s}"]) for s in ("failed", "succeeded")],
        ),
        Family("last_poll_seconds", "gauge", "How long the last poll took.", one(f"{took:.3f}")),
        Family(
            "last_successful_poll_timestamp_seconds",
            "gauge",
            "When the last poll that read the ATM began, in seconds since 1970.",
            one(round(good.timestamp())) if good else [],
        ),
        Family(
            "clock_offset_seconds",
            "gauge",
            "How far the clock of the ATM's server is ahead.",
            one(clock_offset) if clock_offset is not None else [],
        ),
    ]


def _sales(counts: crud.Counts) -> list[Family]:
    newest = counts.newest_sale
    return [
        Family("sales_total", "counter", "Sales that were read.", one(counts.total["sales"])),
        Family("sales_in_state", "gauge", "Sales by state.", by("status", counts.sales)),
        Family(
            "newest_sale_age_seconds",
            "gauge",
            "Since the newest sale that was read.",
            one(round((now() - newest).total_seconds())) if newest else [],
        ),
    ]


def _payments(figures: overview.Overview, counts: crud.Counts) -> list[Family]:
    total, waiting = counts.total, figures.attention
    open_shares = {"pending": waiting.waiting_payments, "failed": waiting.failed_payments}
    return [
        Family("paid_sats_total", "counter", "Sats paid to clients.", one(total["paid_sats"])),
        Family("payments", "gauge", "Shares that are not paid.", by("status", open_shares)),
        Family("payouts", "gauge", "Payments in LNbits, by state.", by("status", counts.payouts)),
        Family(
            "forwarded_sats_total",
            "counter",
            "Sats that arrived at clients' and partners' own destinations.",
            one(total["forwarded_sats"]),
        ),
        Family(
            "forwards",
            "gauge",
            "Forwards to clients' and partners' own destinations, by state.",
            by("status", counts.forwards),
        ),
    ]


def _owed(figures: overview.Overview, cash: list[Row]) -> list[Family]:
    source = figures.source
    return [
        Family(
            "source_wallet_sats",
            "gauge",
            "Balance of the source wallet.",
            one(source.balance_sats) if source else [],
        ),
        Family(
            "owed_sats",
            "gauge",
            "Sats of shares that are not paid.",
            one(source.owed_shares_sats if source else 0),
        ),
        Family(
            "owed_fiat",
            "gauge",
            "Clients' cash that is not used up.",
            by("currency", {r["currency"]: fiat_text(r["amount"], r["currency"]) for r in cash}),
        ),
    ]


def _letters(alerts: list[Alert], letters: Row) -> list[Family]:
    kinds: tuple[str, ...] = get_args(AlertKind)
    return [
        Family(
            "alerts",
            "gauge",
            "Open alerts by kind.",
            by("kind", {kind: sum(a.kind == kind for a in alerts) for kind in kinds}),
        ),
        Family(
            "webhook_letters_waiting",
            "gauge",
            "Letters for the webhook that are not delivered.",
            one(letters["letters_waiting"]),
        ),
        Family(
            "webhook_letters_given_up",
            "gauge",
            "Letters for the webhook that were given up in the last 30 days.",
            one(letters["letters_given_up"]),
        ),
    ]


def one(value: Value) -> list[Sample]:
    """A figure without labels."""
    return [({}, value)]


def by(label: str, values: Mapping[str, Value]) -> list[Sample]:
    """A figure for each value of a label."""
    return [({label: name}, value) for name, value in values.items()]


def _metric(family: Family) -> str:
    full = f"{_NAME}_{family.name}"
    lines = [f"# HELP {full} {family.about}", f"# TYPE {full} {family.kind}"]
    for labels, value in family.samples:
        marks = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        lines.append(f"{full}{{{marks}}} {value}" if marks else f"{full} {value}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')

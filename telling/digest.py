"""The digest: what happened in a day or a week, what is open, or that all is well."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from .. import crud as root_crud
from ..helpers import fiat_text, now, start_of
from ..reports import overview
from . import crud
from .alerts import count, letters_to_operator
from .models import AlertSettings


async def digest_if_due(at: datetime | None = None) -> None:
    """Write the digest, once a day or week, at or after its hour in the operator's zone."""
    settings = await crud.get_settings()
    if settings.digest == "off":
        return
    config = await root_crud.get_config()
    zone = ZoneInfo(config.timezone if config else "UTC")
    local = (at or now()).astimezone(zone)
    day = _last_day(local, settings)
    last = await crud.last_digest()
    if last is None and day < local.date():
        return  # the first one comes at its time, not with what was before it was asked for
    if last is not None and last >= day.isoformat():
        return
    days = 7 if settings.digest == "weekly" else 1
    begin = start_of(day - timedelta(days=days), zone)
    text = await _digest_text(begin, start_of(day, zone), days, await overview.read())
    letters = letters_to_operator(
        settings, kind="digest", state="digest", subject=day.isoformat(), text=text
    )
    await crud.insert_digest(day.isoformat(), letters)


def _last_day(local: datetime, settings: AlertSettings) -> date:
    """The latest day whose digest's time has come: a server that was down then writes it later."""
    day = local.date() - timedelta(days=int(local.hour < settings.digest_hour))
    return day - timedelta(days=day.weekday()) if settings.digest == "weekly" else day


async def _digest_text(
    since: datetime, until: datetime, days: int, figures: overview.Overview
) -> str:
    row = await crud.figures_between(since, until)
    alerts = await crud.open_alerts()
    owed = [
        f"{fiat_text(cash['amount'], cash['currency'])} {cash['currency']}"
        for cash in await crud.owed_cash()
        if cash["amount"]
    ]
    source = figures.source
    lines = [
        f"Sat Machine DCA, {'the last 7 days' if days == 7 else 'yesterday'}:",
        f"{count(row['sales'], 'sale')}, {row['sats']} sats for clients, {row['commission']} sats "
        f"commission, {count(row['clients'], 'new client')}.",
        f"Owed to clients: {', '.join(owed) or 'no cash'}; "
        f"{source.owed_shares_sats if source else 0} sats wait to be paid.",
        *_what_waits(figures.attention),
    ]
    if alerts:
        lines += ["Open:", *(f"- {alert.text}" for alert in alerts)]
    else:
        lines.append("All is well.")
    return "\n".join(lines)


def _what_waits(attention: overview.Attention) -> list[str]:
    waiting = [
        count(number, what)
        for number, what in (
            (attention.reviews, "sale"),
            (attention.pending_deposits, "deposit"),
            (attention.pending_clients, "client"),
            (attention.failed_payments, "failed payment"),
        )
        if number
    ]
    return [f"Waiting for you: {', '.join(waiting)}."] if waiting else []

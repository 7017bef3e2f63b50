"""Alerts: what an operator should hear of without looking. Each begins once and ends once.

A condition is asked for what is so right now; the difference to the open alerts is what began and
what ended, and it is stored in one transaction with the letters that tell it.
"""

from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from lnbits.settings import settings as lnbits_settings
from loguru import logger

from .. import crud as root_crud
from .. import database
from ..configuration import lost_secrets
from ..helpers import new_id, now
from ..machines import crud as machine_crud
from ..machines import figures as machine_figures
from ..machines.models import NO_MACHINES, Machine
from ..reports import obstacles, pools, source
from ..words.told import say
from . import crud, crud_outbox
from .models import Alert, AlertKind, AlertSettings, Channel, Letter, LetterState

Found = dict[tuple[AlertKind, str], str]


class Figures(NamedTuple):
    """What the conditions go by, beside what they ask for themselves.

    `source`: None where nothing is owed and no limit is set, so that its balance need not be known.
    """

    settings: AlertSettings
    source: source.SourceWallet | None
    pools: list[pools.Pool]
    lost_secrets: list[str]
    obstacles: list[obstacles.Obstacle]


Condition = Callable[[Figures], Awaitable[Found]]

CLOCKS_DIFFER_SECONDS = 60  # the connection test warns above it, too
_OBSTACLE_TABS = {
    "commission_wallet_gone": "overview",
    "client_wallet_gone": "clients",
    "partner_wallet_gone": "partners",
}


async def evaluate(
    differences: int | None = None, in_the_way: obstacles.Look | None = None
) -> None:
    """Look at everything that is watched; begin and end alerts.

    `differences`: how many the last look at the books found; None: it was not looked at.
    `in_the_way`: what a poll has just found to be; None: it is asked for here.
    """
    asked = in_the_way.at if in_the_way else now()
    figures = await _figures(in_the_way)
    settings = figures.settings
    found: Found = {}
    async with database.reading() as work:
        for condition in CONDITIONS:
            found |= await condition(figures)
        known = {(a.kind, a.subject): a.text for a in await crud.open_alerts(work)}
    if differences:
        found["books_differ", ""] = _text("overview", "books_do_not_agree", n=differences)
    elif differences is None:
        found |= {key: text for key, text in known.items() if key[0] == "books_differ"}
    if found == known:
        return
    async with database.ledger() as work:
        open_now = {(alert.kind, alert.subject): alert for alert in await crud.open_alerts(work)}
        if differences is None:
            found |= {key: a.text for key, a in open_now.items() if a.kind == "books_differ"}
        newer = await crud.ended_since(work, asked)
        # What another server has found out meanwhile is newer than what was found here.
        began = [
            _begin(*key, text)
            for key, text in found.items()
            if key not in open_now and key not in newer
        ]
        ended = [a for key, a in open_now.items() if key not in found and a.began_at <= asked]
        for key, alert in open_now.items():
            if key in found and found[key] != alert.text:
                await crud.reword(work, alert.id, found[key])
        await work.insert("dca_alerts", began)
        await crud.end(work, ended, now())
        letters = [letter for alert in began for letter in _letters(alert, "began", settings)]
        letters += [letter for alert in ended for letter in _letters(alert, "ended", settings)]
        await crud_outbox.insert_letters(work, letters)
    for alert in began:
        logger.warning(f"satmachineclient: alert {alert.kind} {alert.subject}: {alert.text}")


async def _figures(in_the_way: obstacles.Look | None) -> Figures:
    async with database.reading():
        settings, config = await crud.get_settings(), await root_crud.get_config()
        of_clients = await pools.read(ZoneInfo(config.timezone if config else "UTC"))
        owed = await source.owed()
    # LNbits adds the balance up over all payments of the wallet.
    is_needed = owed.sats or settings.source_wallet_below_sats
    return Figures(
        settings=settings,
        source=await source.of(config, owed) if is_needed else None,
        pools=of_clients,
        lost_secrets=lost_secrets(config) if config else [],
        obstacles=(in_the_way or await obstacles.look()).found,
    )


def _begin(kind: AlertKind, subject: str, text: str) -> Alert:
    return Alert(id=new_id(), kind=kind, subject=subject, text=text, began_at=now())


def _letters(alert: Alert, state: LetterState, settings: AlertSettings) -> list[Letter]:
    text = alert.text if state == "began" else f"Over: {alert.text}"
    return letters_to_operator(
        settings, kind=alert.kind, state=state, subject=alert.subject, text=text, alert_id=alert.id
    )


def letters_to_operator(
    settings: AlertSettings,
    *,
    kind: str,
    state: LetterState,
    subject: str,
    text: str,
    alert_id: str | None = None,
) -> list[Letter]:
    """One for LNbits' admins, and one for the webhook if there is one."""
    channels: list[Channel] = ["admins", "webhook"] if settings.webhook_url else ["admins"]
    at = now()
    return [
        Letter(
            id=new_id(),
            alert_id=alert_id,
            channel=channel,
            kind=kind,
            state=state,
            subject=subject,
            text=text,
            at=at,
            next_attempt_at=at,
        )
        for channel in channels
    ]


def link(tab: str) -> str:
    """Where in the panel the matter stands."""
    return f"{lnbits_settings.lnbits_baseurl.rstrip('/')}/satmachineclient/?tab={tab}"


def _text(tab: str, code: str, **values: object) -> str:
    return f"{say(code, **values)} {link(tab)}"


# ---- conditions ------------------------------------------------------------------------------


async def _polls(figures: Figures) -> Found:
    polls = await root_crud.get_polls(2)
    finished = [poll for poll in polls if poll.status != "running"][:1]
    if not finished or finished[0].status != "failed":
        return {}
    return {("polls_failing", ""): _text("polls", "polls_fail", error=finished[0].error)}


async def _source_wallet(figures: Figures) -> Found:
    wallet, limit = figures.source, figures.settings.source_wallet_below_sats
    gone = [each.subject for each in figures.obstacles if each.code == "source_wallet_gone"]
    if wallet and not wallet.exists:
        gone.append(wallet.wallet_id)
    if gone:
        text = _text("overview", "source_wallet_is_gone", wallet=gone[0])
    elif wallet is None:
        return {}
    elif missing := wallet.missing_sats:
        text = _text(
            "overview", "source_wallet_misses", missing=missing, balance=wallet.balance_sats
        )
    elif wallet.balance_sats < limit:
        text = _text("overview", "source_wallet_below", balance=wallet.balance_sats, limit=limit)
    else:
        return {}
    return {("source_wallet_low", ""): text}


async def _what_waits(figures: Figures) -> Found:
    hours = figures.settings.waiting_hours
    row = await crud.waiting(now() - timedelta(hours=hours))
    found: Found = {}
    if n := row["sales"]:
        found["sales_waiting", ""] = _text("transactions", "sales_wait", hours=hours, n=n)
    if n := row["deposits"]:
        found["deposit_unconfirmed", ""] = _text("deposits", "deposits_wait", hours=hours, n=n)
    failed = []
    if n := row["failed"]:
        failed.append(say("shares_failed", n=n, sats=row["failed_sats"]))
    if n := row["stuck_sales"]:
        failed.append(say("sales_stuck", n=n))
    if failed:
        found["payments_failed", ""] = " ".join([*failed, link("transactions")])
    if n := (await crud.failing_forwards())["number"]:
        found["forwards_failing", ""] = _text("forwards", "forwards_fail", n=n)
    for client in await crud.pending_clients():
        name = client["username"] or client["id"]
        found["client_pending", client["id"]] = _text("clients", "client_wants_to_join", name=name)
    return found


async def _cash(figures: Figures) -> Found:
    """Only a currency of which something goes out: else it lasts for ever."""
    return {
        ("cash_running_out", pool.currency): _text(
            "deposits",
            "cash_lasts",
            currency=pool.currency,
            remaining=pool.remaining,
            days=pool.days_left,
        )
        for pool in figures.pools
        if pool.days_left is not None and pool.days_left < max(figures.settings.cash_lasts_days, 1)
    }


async def _machines(figures: Figures) -> Found:
    machines = await machine_crud.get_machines()
    return _silent(machines, figures.settings) | await _cash_book(machines)


def _silent(machines: Iterable[Machine], settings: AlertSettings) -> Found:
    """Only machines that Lamassu still knows, and only where it says when they were online."""
    silent = now() - timedelta(hours=settings.machine_silent_hours)
    return {
        ("machine_silent", machine.device_id): _text(
            "machines",
            "machine_is_silent",
            name=machine.shown_name or machine.device_id[:8],
            time=f"{machine.last_online:%Y-%m-%d %H:%M}",
        )
        for machine in machines
        if machine.device_id not in NO_MACHINES
        and machine.paired
        and machine.last_online
        and machine.last_online < silent
    }


async def _cash_book(machines: list[Machine]) -> Found:
    """Where the machines hold less, as Lamassu believes or a person counted, than is owed."""
    return {
        ("cash_not_covered", cash.currency): _text(
            "machines",
            "cash_is_missing",
            owed=cash.owed,
            currency=cash.currency,
            there=cash.there,
        )
        for cash in await machine_figures.missing_cash(machines)
    }


async def _secrets(figures: Figures) -> Found:
    lost = figures.lost_secrets
    if not lost:
        return {}
    return {("secrets_unreadable", ""): _text("overview", "secrets_lost", names=", ".join(lost))}


async def _clocks(figures: Figures) -> Found:
    """By the last poll that could ask: one that failed says nothing about the clocks."""
    offset = await crud.clock_offset_seconds()
    if offset is None or abs(offset) <= CLOCKS_DIFFER_SECONDS:
        return {}
    code = "clock_ahead" if offset > 0 else "clock_behind"
    return {("clocks_differ", ""): _text("polls", code, seconds=abs(offset))}


async def _obstacles(figures: Figures) -> Found:
    """Each told once; of the source wallet `source_wallet_low` tells."""
    return {
        ("payments_failed", each.subject): f"{each.text} {link(_OBSTACLE_TABS[each.code])}"
        for each in figures.obstacles
        if each.code != "source_wallet_gone"
    }


CONDITIONS: Iterable[Condition] = (
    _obstacles,
    _polls,
    _source_wallet,
    _what_waits,
    _cash,
    _machines,
    _secrets,
    _clocks,
)


def count(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number != 1 else ''}"

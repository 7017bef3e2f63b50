"""The poll: read the ATM's sales, plan their shares, settle what is open; and the hourly task.

One poll runs at a time, on all servers that share the database: the lease in `database` sees to it.
A plan is stored as a whole before anything is paid, so that a poll may stop at any point and the
next one goes on from there.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from time import monotonic
from typing import Any

from lnbits.core.crud.wallets import get_wallet
from lnbits.core.models.notifications import NotificationType
from lnbits.core.services.notifications import send_admin_notification
from lnbits.core.services.websockets import websocket_updater
from lnbits.settings import settings
from lnbits.task_manager import task_manager
from loguru import logger
from sqlalchemy.exc import SQLAlchemyError

from . import crud, database, lamassu, payouts, planning, reconciliation
from .helpers import ConflictError, SecretError, decrypt, log_unexpected, new_id, now
from .models import (
    SECRETS,
    LamassuConfig,
    Payment,
    Poll,
    PollTrigger,
    Transaction,
)

TASK_NAME = "ext_satmachineclient_polls"
PROGRESS_CHANNEL = "satmachineclient-polls"
FIRST_POLL_SECONDS = int(os.environ.get("SATMACHINECLIENT_FIRST_POLL_SECONDS", "10"))
_LOOK_SECONDS = 15  # how often the hourly task looks whether a poll is due
_RECENT = timedelta(days=2)  # what each poll checks the books of
# Planned in one database transaction: at most so many sales, and about so many shares.
_MOST_SALES, _MOST_SHARES = 500, 10_000


class BusyError(RuntimeError):
    """Somebody else works on the ledger right now."""


# ---- the lease -------------------------------------------------------------------------------


@asynccontextmanager
async def working(lease: str, wait_seconds: float = 0) -> AsyncIterator[None]:
    """Hold the ledger's lease, renewed while the block lasts, given back after it.

    Raises:
        BusyError: somebody else holds it, also after waiting this long.
    """
    done = asyncio.Event()
    renewing: asyncio.Task[None] | None = None
    try:
        await _take_lease(lease, wait_seconds)
        renewing = asyncio.create_task(_keep_renewing(lease, done))
        yield
    finally:
        done.set()
        try:
            if renewing:
                await asyncio.wait([renewing])
        finally:
            with suppress(database.LedgerBusyError, SQLAlchemyError):  # then it runs out
                await database.give_lease_back(lease)


async def _take_lease(lease: str, wait_seconds: float) -> None:
    deadline = monotonic() + wait_seconds
    while not await database.take_lease(lease):
        if monotonic() >= deadline:
            raise BusyError("A poll is running right now. Wait for it to end, then try again.")
        await asyncio.sleep(0.2)


async def _keep_renewing(lease: str, done: asyncio.Event) -> None:
    while True:
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(done.wait(), database.LEASE_SECONDS / 4)
            return
        try:
            await database.renew_lease(lease)
        except database.LeaseLostError:
            return  # the work itself will notice at its next step
        except (database.LedgerBusyError, SQLAlchemyError, OSError) as exc:
            logger.warning(f"satmachineclient: the lease could not be renewed yet: {exc}")


# ---- the poll --------------------------------------------------------------------------------


async def poll(trigger: PollTrigger) -> Poll:
    """Read, plan, settle. The poll's record says how it went; a failed read is a failed poll.

    Once begun it goes to its end, also if who asked for it is cancelled meanwhile: LNbits' own
    statements, cut off, would leave its SQLite files locked.

    Raises:
        BusyError: another poll is running.
        ConflictError: there is no configuration yet.
    """
    return await database.whole(_poll(trigger))


async def _poll(trigger: PollTrigger) -> Poll:
    config = await crud.get_config()
    if config is None:
        raise ConflictError("There is no configuration yet: fill in 'Configure Database' first.")
    record = Poll(id=new_id(), trigger=trigger, started_at=now())
    async with working(record.id):
        await crud.start_poll(record)
        try:
            read_succeeded = await _try_to_read_and_plan(record, config)
            await _settle(record, config)
            record.status = "succeeded" if read_succeeded else "failed"
            await _check_books(record)
        except BaseException as exc:
            record.status = "failed"
            record.error = _reason(exc)
            read_succeeded = False
            raise
        finally:
            waiting = await crud.count_open_payments()
            record.pending_payments = waiting.get("pending", 0)
            record.failed_payments = waiting.get("failed", 0)
            record.finished_at = now()
            await crud.finish_poll(record, read_succeeded=read_succeeded)
            _log(record)
    return record


async def _settle(record: Poll, config: LamassuConfig) -> None:
    to_pay = sum((await crud.count_open_payments()).values())

    async def progress(settled: payouts.Settled) -> None:
        record.confirmed_payments = settled.confirmed_payments
        record.distributed_sats = settled.distributed_sats
        await _tell("paying", record, to_pay)

    await progress(payouts.Settled())
    await progress(
        await payouts.settle(
            record.id, config, retry_all=record.trigger == "manual", progress=progress
        )
    )


async def _tell(stage: str, record: Poll, to_pay: int = 0) -> None:
    """Counts only, for the page's progress bar: LNbits lets anybody listen who knows the name."""
    counts = {
        "stage": stage,
        "found": record.found,
        "new": record.new,
        "planned": record.planned,
        "to_pay": to_pay,
        "paid": record.confirmed_payments,
    }
    with suppress(Exception):  # a page that went away, or stands still, must not end a poll
        await asyncio.wait_for(websocket_updater(PROGRESS_CHANNEL, json.dumps(counts)), 1)


async def _check_books(record: Poll) -> None:
    """After each poll what is recent, at start-up everything; a difference is logged, and shown."""
    everything = record.trigger == "startup"
    since = reconciliation.EVERYTHING if everything else record.started_at - _RECENT
    books = await reconciliation.reconcile(since)
    differing = {difference.id for difference in books.differences if difference.kind == "payout"}
    for payout in await crud.get_payouts(differing):
        try:
            await payouts.finish(record.id, payout)
        except payouts.PayoutError as exc:
            logger.error(f"satmachineclient: payout {payout.id} needs a person: {exc}")


def _reason(exc: BaseException) -> str:
    if isinstance(exc, asyncio.CancelledError):
        return "The poll was stopped; what it had planned is taken up again."
    if isinstance(exc, (database.LeaseLostError, database.LedgerBusyError)):
        return str(exc)
    return f"Unexpected: {type(exc).__name__}. LNbits' log has the details."


def _log(record: Poll) -> None:
    line = (
        f"satmachineclient: {record.trigger} poll {record.status}: {record.found} sales found, "
        f"{record.new} new, {record.planned} planned, {record.confirmed_payments} payments "
        f"confirmed ({record.distributed_sats} sats), {record.pending_payments} pending, "
        f"{record.failed_payments} failed"
    )
    if record.error:
        logger.error(f"{line}. {record.error}")
    else:
        logger.info(line)


async def _try_to_read_and_plan(record: Poll, config: LamassuConfig) -> bool:
    """Whatever goes wrong at the ATM's side, what is open is settled all the same."""
    try:
        return await _read_and_plan(record, config)
    except (database.LeaseLostError, database.LedgerBusyError):
        raise
    except Exception as exc:
        log_unexpected("reading the ATM failed", exc)
        record.error = _reason(exc)
        return False


async def _read_and_plan(record: Poll, config: LamassuConfig) -> bool:
    """False, with the reason in the record, if the ATM could not be read; nothing is planned."""
    await _tell("reading", record)
    try:
        record.found, sales = await _read(config)
    except (lamassu.LamassuError, SecretError) as exc:
        record.error = str(exc)
        return False
    record.new = sum(1 for sale in sales if sale.state == "good")
    sales = sorted(
        (sale for sale in sales if sale.state != "waiting"), key=lambda sale: (sale.time, sale.id)
    )
    ceilings = planning.Ceilings(config)
    clients = await crud.count_open_clients()
    together = min(_MOST_SALES, max(1, _MOST_SHARES // max(1, clients)))
    for start in range(0, len(sales), together):
        await _tell("planning", record)
        for row in await _plan(record.id, config, ceilings, sales[start : start + together]):
            if row.status == "needs_review":
                record.reviews += 1
            else:
                record.planned += 1
    return True


async def _read(config: LamassuConfig) -> tuple[int, list[lamassu.Sale]]:
    since = look_back_from(config)

    async def drop_known(ids: list[str]) -> set[str]:
        async with database.reading() as work:
            known = await crud.known_transactions(work, ids)
        return {key for key, row in known.items() if not planning.may_become_good(row)}

    async with lamassu.connect(target_of(config)) as session:
        return await lamassu.read_sales(
            session,
            since,
            drop_known,
            needs_fixed_fee=config.commission_method == "margin",
            direction=config.direction,
        )


async def config_or_defaults() -> LamassuConfig:
    """The configuration, or what a dry run goes by before anything is configured."""
    return await crud.get_config() or LamassuConfig(
        host="",
        port=5432,
        database_name="",
        username="",
        source_wallet_id="",
        credit_source_wallet=False,
        use_ssh_tunnel=False,
        commission_method="markup",
        poll_interval_minutes=60,
        look_back_days=7,
        timezone="UTC",
        is_active=False,
    )


async def ready_config() -> LamassuConfig:
    """The configuration, if payments can be made from its source wallet.

    Raises:
        ConflictError: there is none, or the wallet is gone.
    """
    config = await crud.get_config()
    if config is None:
        raise ConflictError("There is no configuration yet: fill in 'Configure Database' first.")
    if await get_wallet(config.source_wallet_id) is None:
        raise ConflictError(
            f"source_wallet_id: the wallet {config.source_wallet_id} does not exist any more. "
            "Choose another source wallet in the configuration."
        )
    return config


def look_back_from(config: LamassuConfig) -> datetime:
    """From when on sales are read: the look-back window before the last poll that read them."""
    last = config.last_successful_poll or now()
    return min(last, now()) - timedelta(days=config.look_back_days)


def target_of(config: LamassuConfig) -> lamassu.Target:
    """Where the configuration points to, with its secrets decrypted.

    Raises:
        SecretError: naming the secrets that have to be entered again.
    """
    lost = lost_secrets(config)
    if lost:
        raise SecretError(
            f"Enter again in the configuration: {', '.join(lost)}. LNbits' secret key "
            "(AUTH_SECRET_KEY) is not the one they were stored under."
        )
    clear = {name: getattr(config, name) for name in SECRETS}
    clear = {name: decrypt(token) if token else None for name, token in clear.items()}
    return lamassu.Target(
        host=config.host,
        port=config.port,
        database=config.database_name,
        username=config.username,
        use_ssh_tunnel=config.use_ssh_tunnel,
        ssh_host=config.ssh_host,
        ssh_port=config.ssh_port,
        ssh_username=config.ssh_username,
        ssh_host_key_fingerprint=config.ssh_host_key_fingerprint,
        ssl_mode=config.ssl_mode,
        ssl_ca_certificate=config.ssl_ca_certificate,
        **clear,
    )


def lost_secrets(config: LamassuConfig) -> list[str]:
    """The stored secrets that cannot be decrypted any more."""
    lost = []
    for name in SECRETS:
        token = getattr(config, name)
        try:
            if token:
                decrypt(token)
        except SecretError:
            lost.append(name)
    return lost


# ---- planning --------------------------------------------------------------------------------


async def _plan(
    lease: str, config: LamassuConfig, ceilings: planning.Ceilings, sales: list[lamassu.Sale]
) -> list[Transaction]:
    """Store these sales with their shares, in one database transaction; what was stored."""
    async with database.ledger(lease) as work:
        known = await crud.known_transactions(work, [sale.id for sale in sales])
        book = await planning.Book.open(
            work,
            sales[0].time,
            sales[-1].time,
            {planning.day_of(sale.time, config) for sale in sales},
        )
        # In a thread: with many clients it takes a while, in which LNbits serves others.
        planned = await asyncio.to_thread(_plan_all, sales, known, book, ceilings, config)
        for sale_id, exc in planned.errors.items():
            log_unexpected(f"planning sale {sale_id} failed", exc)
        await work.insert("lamassu_transactions", planned.new)
        for row in planned.changed:
            await crud.replace_transaction(work, row)
        await crud.insert_payments(work, planned.payments)
        await crud.settle_finished(work)
    stored = [*planned.new, *planned.changed]
    for row in stored:
        logger.info(
            f"satmachineclient: sale {row.lamassu_transaction_id} {row.status}: "
            f"{row.crypto_amount_sats} sats = {row.commission_amount_sats} commission "
            f"+ {row.distributed_sats} for {row.clients_count} clients "
            f"+ {row.undistributed_sats} undistributed"
        )
    return stored


@dataclass
class _Planned:
    """What is to be stored: new sales, those that waited for a review, and the shares of both."""

    new: list[Transaction] = field(default_factory=list)
    changed: list[Transaction] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    errors: dict[str, Exception] = field(default_factory=dict)  # by Lamassu's id of the sale


def _plan_all(
    sales: list[lamassu.Sale],
    known: Mapping[str, Mapping[str, Any]],
    book: planning.Book,
    ceilings: planning.Ceilings,
    config: LamassuConfig,
) -> _Planned:
    planned = _Planned()
    for sale in sales:
        old = known.get(sale.id)
        if old and not (sale.direction == "cash_out" and planning.may_become_good(old)):
            continue
        held, row_id = ceilings.hold(sale), old["id"] if old else None
        try:
            row, shares = planning.plan_sale(held, book, config, row_id=row_id)
        except Exception as exc:  # one bad row never stops the good ones: a person looks at it
            planned.errors[sale.id] = exc
            reason = f"Not distributed by itself: unexpected {type(exc).__name__}, see LNbits' log."
            held = replace(held, state="review", reason=reason)
            row, shares = planning.plan_sale(held, book, config, row_id=row_id)
        if not old:
            planned.new.append(row)
        elif row.status != "needs_review":
            planned.changed.append(row)
        planned.payments += shares
    return planned


# ---- the hourly task -------------------------------------------------------------------------


async def run_polls() -> None:
    """Poll soon after the start, then at the configured interval, until LNbits stops."""
    await asyncio.sleep(FIRST_POLL_SECONDS)
    while not await _scheduled_poll("startup"):
        await asyncio.sleep(_LOOK_SECONDS)  # the lease of a process that died is still held
    while settings.lnbits_running:
        await asyncio.sleep(_LOOK_SECONDS)
        if await _is_due():
            await _scheduled_poll("hourly")


async def _is_due() -> bool:
    """When the interval is over, a payout is to be tried again, or a poll was cut off.

    By the last poll in the database, so that two servers do not poll twice as often; a last poll
    in the future comes from a clock set back.
    """
    config = await crud.get_config()
    if config is None:
        return False
    last = config.last_poll_time or datetime.fromtimestamp(0, timezone.utc)
    waiting = timedelta(0) <= now() - last < timedelta(minutes=config.poll_interval_minutes)
    if not waiting or await crud.due_payouts(payouts.KINDS, now()):
        return True
    return await crud.last_poll_runs()  # if its process lives, it holds the lease


async def _scheduled_poll(trigger: PollTrigger) -> bool:
    """False if it has to be left out, because somebody else works on the ledger."""
    config = await crud.get_config()
    if config is None or not config.is_active:
        return True
    try:
        await poll(trigger)
    except (BusyError, database.LedgerBusyError):
        logger.debug("satmachineclient: another poll is running, this one is left out")
        return False
    except Exception as exc:  # the top of the background loop: one bad poll must not end all
        log_unexpected("the poll failed", exc)
    await _tell_admins()
    return True


async def _tell_admins() -> None:
    """By LNbits' own notifications, when polls begin to fail and when they succeed again."""
    polls = await crud.get_polls(2)
    failed = [poll.status == "failed" for poll in polls]
    if failed in ([True], [True, False]):
        reason = polls[0].error
        text = f"Sat Machine DCA: polls fail. {reason} Nothing is lost; they are tried again."
    elif failed == [False, True]:
        text = "Sat Machine DCA: polls succeed again."
    else:
        return
    await send_admin_notification(text, NotificationType.text_message.value)


def start() -> None:
    """Start the one background task, in place of any from before an upgrade."""
    task_manager.create_permanent_task(run_polls, name=TASK_NAME)


async def stop() -> None:
    """End the background task, and wait until it has ended."""
    task = task_manager.get_task(TASK_NAME)
    if task:
        task_manager.cancel_task(task)
        with suppress(asyncio.CancelledError):
            await task.task

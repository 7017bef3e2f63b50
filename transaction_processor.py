"""The poll: read the ATM's sales, plan their shares, settle what is open; and the hourly task.

One poll runs at a time, on all servers that share the database: the lease in `database` sees to it.
A plan is stored as a whole before anything is paid, so that a poll may stop at any point and the
next one goes on from there.
"""

import asyncio
import os
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from functools import partial
from time import monotonic
from typing import NamedTuple

from lnbits.settings import settings
from loguru import logger
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from . import crud, crud_clients, crud_sales, database
from .atm import lamassu, limits, machines, postgres
from .atm.deadline import read_in_time
from .atm.rights import read_columns, sale_rights
from .atm.way import LamassuError
from .books import full_check, planning, reconciliation
from .books.identity import Identities
from .books.planning import plan_sales
from .books.prices import KnownRates
from .books.rates import ask_rates
from .configuration import look_back_from, payouts_begin, target_of
from .connection import whole
from .helpers import ConflictError, SatMachineError, SecretError, log_unexpected, new_id, now
from .lease import BusyError, wanted_within, working
from .machines.crud import note_machines, store_seen
from .machines.models import Machine
from .models import Difference
from .models_config import LamassuConfig, Poll, PollTrigger
from .models_sales import Sale
from .paying import claims, crud_payouts, moved, payouts
from .reports import obstacles
from .telling import alerts, progress
from .words.told import say

FIRST_POLL_SECONDS = int(os.environ.get("SATMACHINECLIENT_FIRST_POLL_SECONDS", "10"))
_TRIES = 5  # to store how a poll went
_LOOK_SECONDS = 15.0  # how often the hourly task looks whether a poll is due
# Between two slices of the check of all books, in which others get the ledger; after one failed.
_PAUSE_SECONDS, _AFTER_FAILURE_SECONDS = 1.0, 600.0
_PATIENCE = 5.0  # seconds that a manual poll waits for the ledger: a slice of that check takes two
_RECENT = timedelta(days=2)  # each poll checks the books of that
# Planned in one database transaction: at most so many sales, and about so many shares.
_MOST_SALES, _MOST_SHARES = 500, 10_000


# ---- the poll --------------------------------------------------------------------------------


async def poll(trigger: PollTrigger) -> Poll:
    """Read, plan, settle. The poll's record says how it went; a failed read is a failed poll.

    Once begun it goes to its end, also if who asked for it is cancelled meanwhile: LNbits' own
    statements, cut off, would leave its SQLite files locked.

    Raises:
        BusyError: another poll is running.
        ConflictError: there is no configuration yet.
    """
    return await whole(_poll(trigger))


async def _poll(trigger: PollTrigger) -> Poll:
    record = Poll(id=new_id(), trigger=trigger, started_at=now())
    differences, in_the_way = None, None
    async with working(record.id, wait_seconds=_PATIENCE if trigger == "manual" else 0):
        config = await crud.get_config()
        if config is None:
            raise ConflictError(
                "There is no configuration yet: fill in 'Configure Database' first."
            )
        await crud.start_poll(record)
        read_succeeded = False
        try:
            await claims.check(record.id)
            read_succeeded = await _try_to_read_and_plan(record, config)
            await _settle(record, config)
            record.status = "succeeded" if read_succeeded else "failed"
            differences = await _check_books(record)
            in_the_way = await obstacles.look()
            problem = obstacles.sentence(in_the_way.found)
            unchecked = say("books_unchecked") if full_check.has_failed() else None
            record.problem = " ".join(filter(None, (record.problem, problem, unchecked))) or None
        except claims.OlderDatabaseError as exc:
            record.status, record.error = "failed", str(exc)
        except DBAPIError as exc:
            log_unexpected("LNbits' database failed in the poll", exc)
            record.status, record.error = "failed", database.trouble(exc)
        except BaseException as exc:
            record.status = "failed"
            record.error = _reason(exc)
            raise
        finally:
            await _finish(record, read_succeeded)
            await _look_for_alerts(differences, in_the_way)
    return record


async def _finish(record: Poll, read_succeeded: bool) -> None:
    """Store how the poll went; a database that stumbles is asked some times over."""
    for left in reversed(range(_TRIES)):
        try:
            async with database.reading():
                waiting = await crud_sales.count_open_payments()
                moves = await crud_payouts.count_failed_moves()
            record.pending_payments = waiting.get("pending", 0)
            record.failed_payments = waiting.get("failed", 0) + moves
            record.finished_at = now()
            await crud.finish_poll(record, read_succeeded=read_succeeded)
            break
        except (DBAPIError, database.LedgerBusyError):
            if not left:
                raise
            await asyncio.sleep(0.2)
    _log(record)
    progress.change_name()


async def _look_for_alerts(
    differences: int | None, in_the_way: obstacles.Look | None = None
) -> None:
    """What was found is told; whether it can be told changes nothing about a poll.

    `differences`: of what is recent; what the check of everything knows of is as true.
    """
    try:
        if differences is not None:
            known = await full_check.known_differences()
            differences = max(differences, known or 0) or known
        await alerts.evaluate(differences, in_the_way)
    except (SatMachineError, SQLAlchemyError, OSError) as exc:
        log_unexpected("looking for alerts failed", exc)


async def _settle(record: Poll, config: LamassuConfig) -> None:
    await claims.check(record.id)
    await moved.release(record.id, config)
    to_pay = sum((await crud_sales.count_open_payments()).values())

    async def paid(settled: payouts.Settled) -> None:
        record.confirmed_payments = settled.confirmed_payments
        record.distributed_sats = settled.distributed_sats
        progress.tell("paying", record, to_pay)

    await paid(payouts.Settled())
    await paid(
        await payouts.settle(record.id, config, retry_all=record.trigger == "manual", progress=paid)
    )


async def _check_books(record: Poll) -> int:
    """Of what is recent: how many differences there are, but for what could be mended."""
    since = record.started_at - _RECENT
    found = await reconciliation.check(since, lambda: database.stepped(record.id))
    if found.differences:
        full_check.look_soon()  # what is not recent may differ, too
        if await _mended(record.id, found.differences):
            found = await reconciliation.check(since, lambda: database.stepped(record.id))
    return len(found.differences)


async def _mended(lease: str, differences: Sequence[Difference]) -> bool:
    """Mend what LNbits has lost of a payout, and look closely where it knows more than we do.

    Whether there was anything to mend.
    """
    if any(difference.kind == "lnbits_payment" for difference in differences):
        claims.look_at_everything()
    differing = {difference.id for difference in differences if difference.kind == "payout"}
    to_mend = await crud_payouts.get_payouts(differing) if differing else []
    for payout in to_mend:
        try:
            await payouts.finish(lease, payout)
        except payouts.PayoutError as exc:
            logger.error(f"satmachineclient: payout {payout.id} needs a person: {exc}")
    return bool(to_mend)


def _reason(exc: BaseException) -> str:
    if isinstance(exc, asyncio.CancelledError):
        return "The poll was stopped; what it had planned is taken up again."
    if isinstance(exc, DBAPIError):
        return database.trouble(exc)
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
    progress.tell("reading", record)
    try:
        record.found, sales, seen, offset, again = await read_in_time(_read(config))
    except (LamassuError, SecretError) as exc:
        record.error = str(exc)
        return False
    record.clock_offset_seconds = round(offset.total_seconds())
    record.problem = say("same_database", n=again) if again else None
    async with database.ledger(record.id) as work:
        await store_seen(work, seen)
        await note_machines(work, (sale.device_id for sale in sales))
    if not sales:
        return True
    record.new = sum(1 for sale in sales if sale.state == "good")
    sales = sorted(
        (sale for sale in sales if sale.state != "waiting"), key=lambda sale: (sale.time, sale.id)
    )
    codes = {sale.fiat_code for sale in sales if sale.state == "good"}
    ceilings = planning.Ceilings(config, KnownRates(await ask_rates(codes), now()))
    clients = await crud_clients.count_open_clients()
    aside = await obstacles.clients_aside()
    together = min(_MOST_SALES, max(1, _MOST_SHARES // max(1, clients)))
    for start in range(0, len(sales), together):
        progress.tell("planning", record)
        part = sales[start : start + together]
        for row in await plan_sales(record.id, config, ceilings, part, aside):
            if row.status == "needs_review":
                record.reviews += 1
            else:
                record.planned += 1
    return True


class Reading(NamedTuple):
    """How many good sales there are, the new ones, what the ATM says of its machines, its clock.

    `clock_offset`: how far the clock of its database is ahead of ours. `again`: how many of its
    sales are known from a database before it.
    """

    found: int
    sales: list[Sale]
    machines: list[Machine]
    clock_offset: timedelta
    again: int


async def _read(config: LamassuConfig) -> Reading:
    """Tried again where what ended it may be over in a moment; nothing is kept of what failed."""
    for attempt in range(1, limits.ATTEMPTS):
        try:
            return await _read_once(config)
        except LamassuError as exc:
            if not exc.passing:
                raise
            logger.info(f"satmachineclient: attempt {attempt} at reading the ATM failed: {exc}")
        await asyncio.sleep(limits.PAUSE_SECONDS)
    return await _read_once(config)


async def _read_once(config: LamassuConfig) -> Reading:
    since = look_back_from(config)
    identities = Identities(config.database_number, config.database_since)
    async with postgres.connect(target_of(config)) as session:
        columns = await read_columns(session)
        count, sales, offset = await lamassu.read_sales(
            session,
            sale_rights(columns, config.direction),
            since,
            identities.drop_known,
            needs_fixed_fee=config.commission_method == "margin",
        )
        try:
            seen = await machines.read_machines(session, columns, since)
        except LamassuError as exc:  # the sales are what counts
            logger.warning(f"satmachineclient: the machines could not be read: {exc}")
            seen = []
    return Reading(count, [identities.name(sale) for sale in sales], seen, offset, identities.again)


# ---- the hourly task -------------------------------------------------------------------------


async def run_polls() -> None:
    """Poll soon after the start, then at the configured interval, until LNbits stops."""
    await asyncio.sleep(FIRST_POLL_SECONDS)
    try:
        await claims.look_ahead()
    except (SQLAlchemyError, OSError) as exc:  # the poll itself looks, then
        log_unexpected("the look at what LNbits has booked failed", exc)
    while not await _scheduled_poll("startup"):
        await asyncio.sleep(_LOOK_SECONDS)  # the lease of a process that died is still held
    hurried = False
    check_at = monotonic()
    while settings.lnbits_running:
        wait = min(_LOOK_SECONDS, max(check_at - monotonic(), 0))
        hurried = await wanted_within(wait) or hurried
        if (hurried or await _is_due()) and await _scheduled_poll("hourly"):
            hurried = False  # while the ledger is busy, who was in a hurry is not forgotten
        if monotonic() >= check_at:
            check_at = monotonic() + await whole(_check_further())


async def _check_further() -> float:
    """Check the next slice of all books, if it is time to; seconds until the next one."""
    lease = new_id()
    try:
        if not await full_check.is_due():
            return _LOOK_SECONDS
        async with working(lease):
            await full_check.go_on(lease, partial(_mended, lease))
        if await full_check.is_due():
            return _PAUSE_SECONDS
        await _look_for_alerts(0)
    except (BusyError, database.LedgerBusyError, database.LeaseLostError):
        return _PAUSE_SECONDS
    except Exception as exc:  # the top of the background loop: polls must go on
        log_unexpected("checking all books failed", exc)
        full_check.note_failure()
        return _AFTER_FAILURE_SECONDS
    return _LOOK_SECONDS


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
    if waiting and claims.is_stopped():
        return False
    if not waiting or await crud_payouts.due_payouts(payouts.KINDS, now()):
        return True
    if payouts_begin(config, now()):
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
    return True

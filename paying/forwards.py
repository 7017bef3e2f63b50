"""Clients' and partners' sats go on to their own keys: which forwards are due, and each one's way.

A forward obeys the order of a payout: ask for an invoice, store its hash, pay, mark. Whatever
stops in between, LNbits' booking of the stored hash tells on resuming what has happened:

    none      surely not paid: the booking and our mark *in flight* are one commit (`booking`)
    pending   on its way, for as long as LNbits says so; there is no second invoice meanwhile
    success   confirmed, with the fee that LNbits booked
    failed    surely not paid: pending again, tried after a growing pause with a new invoice

Of one owner there is one open forward at a time, which the database sees to; so two servers, or
two looks, may do any of this at the same time. While the network works nothing is locked: neither
the ledger, nor its lease, nor LNbits' database.
"""

import asyncio
import os
from contextlib import suppress
from datetime import datetime, timedelta

from lnbits.core.models import Payment as LnbitsPayment
from lnbits.core.services.payments import (
    check_payment_status,
    update_payment_success_status,
    update_pending_payment,
)
from lnbits.exceptions import InvoiceError, PaymentError
from lnbits.settings import settings
from loguru import logger
from sqlalchemy.exc import DBAPIError

from .. import crud_clients, database
from ..connection import whole
from ..crud_lnbits import get_wallet, lnbits_debit, lnbits_invoice_wallet
from ..helpers import ConflictError, SatMachineError, log_unexpected, new_id, now
from ..models_payouts import Forward, ForwardSettings
from ..words.told import say
from . import crud_forwards, crud_owners, destinations, in_flight
from .destinations import Destination, DestinationError

LOOK_SECONDS = int(os.environ.get("SATMACHINECLIENT_FORWARD_SECONDS", "60"))
TAKEN_FOR = timedelta(minutes=2)  # longer than any attempt lasts
_AT_ONCE = 8
# LNbits' own work for a payment is done after so long; what comes then is the network's.
_TURN_SECONDS = 1
_REST_SECONDS = 0.1  # after each payment: others' turn
_PAUSES = [timedelta(minutes=m) for m in (1, 5, 15, 60, 180, 360, 720, 1440)]
_HOUR = timedelta(hours=1)
_YOUNG = timedelta(seconds=30)  # LNbits itself still waits for the funding source's word
_TOLD_AFTER = 4  # attempts, some twenty minutes

_SHORT_FOR = timedelta(minutes=10)

_MOVED = {"client": "forward_wallet_changed", "partner": "partner_wallet_changed"}
_LEFT = {"client": "client_has_left", "partner": "partner_has_left"}

# Owners whose wallet held too little, with what waited then, and until when that is believed.
_short: dict[str, tuple[int, datetime]] = {}
_awake = asyncio.Event()
_looking = asyncio.Lock()


class ForwardError(SatMachineError):
    """An attempt that surely paid nothing; `permanent` if only a person can help.

    `longest`: the pause before the next attempt grows up to this.
    """

    def __init__(
        self, message: str, *, permanent: bool = False, longest: timedelta = _PAUSES[-1]
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.longest = longest


# ---- looking ---------------------------------------------------------------------------------


def wake() -> None:
    """Have the background task look now."""
    _awake.set()


async def look() -> None:
    """Begin the forwards that are due, and take all open ones as far as they go."""
    async with _looking:
        at_once, turn = asyncio.Semaphore(_AT_ONCE), asyncio.Lock()
        while True:
            programme = await crud_clients.get_programme()
            if programme.forwarding:
                await _begin_due(programme.smallest_forward_sats or 1)
            due = await crud_forwards.due_forwards(now(), paying=programme.forwarding)
            done = await _each(due, at_once, turn)
            if not any(done):  # what follows a forward, such as the next part, is due at once
                return


async def _each(due: list[Forward], at_once: asyncio.Semaphore, turn: asyncio.Lock) -> list[bool]:
    async def one(forward: Forward) -> bool:
        async with at_once:
            try:
                return await _advance(forward, turn)
            except (database.LedgerBusyError, DBAPIError) as exc:
                logger.warning(f"satmachineclient: forward {forward.id} has to wait: {exc}")
            except Exception as exc:  # one forward's trouble, of any kind, is not the others'
                log_unexpected(f"the forward {forward.id} failed", exc)
            return False

    return list(await asyncio.gather(*(one(forward) for forward in due)))


async def _begin_due(smallest: int) -> None:
    """Where enough sats wait, there is a forward from now on."""
    for found in await crud_owners.may_be_due(smallest):
        async with database.reading() as work:
            owner = await crud_owners.owner_at(work, found.client_id)
            sums = await crud_owners.sums_of(work, found.client_id, found.wallet_id)
        waiting = sums.waiting
        threshold = 0 if owner and owner.has_left else max(found.threshold_sats, smallest)
        if waiting < threshold or _is_short(found.client_id, waiting):
            continue
        wallet = await get_wallet(found.wallet_id)
        # That it is gone, shows later.
        held = sums.held_of(wallet.balance_msat // 1000) if wallet else waiting
        amount = destinations.fitting(min(waiting, held))
        if held < threshold or amount < found.min_sats:
            if not sums.before:  # else it may be more without anything paid to it
                _short[found.client_id] = (waiting, now() + _SHORT_FOR)
            continue
        await _begin(found, amount)


def _is_short(owner_id: str, waiting: int) -> bool:
    """Whether the wallet held too little a moment ago, and nothing was paid to it since."""
    then, until = _short.get(owner_id, (0, now()))
    return then == waiting and now() < until


async def _begin(found: ForwardSettings, amount: int) -> None:
    async with database.ledger() as work:
        owner = await crud_owners.owner_at(work, found.client_id)
        unchanged = await crud_forwards.settings_at(work, found.client_id) == found
        if unchanged and owner and owner.wallet_id == found.wallet_id:
            await crud_forwards.insert_forward(work, _forward(found, amount))


def _forward(of: ForwardSettings | Forward, amount: int) -> Forward:
    return Forward(
        id=new_id(),
        client_id=of.client_id,
        wallet_id=of.wallet_id,
        destination=of.destination,
        amount_sats=amount,
        created_at=now(),
    )


# ---- one forward -----------------------------------------------------------------------------


async def _advance(forward: Forward, turn: asyncio.Lock) -> bool:
    """Take it as far as it goes; whether it is confirmed by that."""
    if not await crud_forwards.take(forward, now() + TAKEN_FOR, now()):
        return False
    if forward.status == "in_flight":
        return await follow(forward)
    debit = await debit_of(forward)
    if debit:  # somebody has paid this invoice from this wallet, beside us
        await crud_forwards.mark_in_flight(forward)
        return await follow(forward)
    try:
        if not destinations.is_payable(forward.invoice_expires_at):
            forward = await _with_invoice(forward)
        refusal = await _pay_in_turn(forward, turn)
    except ForwardError as exc:
        await _fail(forward, exc)
        return False
    except ConflictError as exc:
        logger.info(f"satmachineclient: forward {forward.id}: {exc}")
        return False
    return await follow(forward, refusal)


async def _with_invoice(forward: Forward) -> Forward:
    """The forward with an invoice of all that can go now, stored.

    Raises:
        ForwardError: there is none. ConflictError: somebody else has taken it further.
    """
    await _check_owner(forward)
    try:
        destination = await destinations.ask(forward.destination)
        await crud_forwards.note_bounds(
            forward.client_id, forward.destination, destination.min_sats, destination.max_sats
        )
        amount, rest = await _amounts(forward, destination)
        invoice = await destinations.invoice_of(destination, amount)
    except DestinationError as exc:
        advice = " Set it again, or another one." if exc.permanent else " It is asked again later."
        raise ForwardError(f"The destination {exc}.{advice}", permanent=exc.permanent) from None
    own = await lnbits_invoice_wallet(invoice.payment_hash) == forward.wallet_id
    if own or await lnbits_debit(forward.wallet_id, invoice.payment_hash):
        raise ForwardError(
            say("destination_own_wallet" if own else "destination_paid_before"), permanent=True
        )
    replaced = forward.payment_hash
    forward = forward.copy(
        update={
            "amount_sats": amount,
            "rest_sats": rest,
            "payment_hash": invoice.payment_hash,
            "bolt11": invoice.bolt11,
            "invoice_expires_at": invoice.expires_at,
            "next_attempt_at": now() + TAKEN_FOR,
        }
    )
    async with database.ledger() as work:
        sums = await crud_owners.sums_of(work, forward.client_id, forward.wallet_id)
        if amount + destinations.reserve(amount) > sums.waiting:
            raise ConflictError("fewer sats wait than a moment ago")
        await crud_forwards.store_invoice(work, forward, replaced)
    return forward


async def _check_owner(forward: Forward) -> None:
    """Raises ForwardError if this owner's sats may not go there any more."""
    set_now = await crud_forwards.get_settings(forward.client_id)
    owner = await crud_owners.get_owner(forward.client_id)
    if owner is None or owner.wallet_id != forward.wallet_id:
        raise ForwardError(say(_MOVED[owner.kind if owner else "client"]), permanent=True)
    if forward.kind == "test":
        return
    if set_now is None or set_now.destination != forward.destination:
        raise ForwardError("The destination was changed.", permanent=True)
    if owner.has_left and not set_now.last_forward:
        raise ForwardError(say(_LEFT[owner.kind]), permanent=True)


async def _amounts(forward: Forward, destination: Destination) -> tuple[int, int]:
    """How many sats go now, and how many after them, because the destination takes no more.

    Raises:
        ForwardError: fewer than the destination takes.
    """
    # Before the balance: what another sends on from the wallet meanwhile is missed in neither.
    async with database.reading() as work:
        sums = await crud_owners.sums_of(work, forward.client_id, forward.wallet_id)
    wallet = await get_wallet(forward.wallet_id)
    if wallet is None or not wallet.can_send_payments:
        raise ForwardError("The wallet is closed, or may not pay.", permanent=True)
    waiting, held = sums.waiting, sums.held_of(wallet.balance_msat // 1000)
    fits = destinations.fitting(min(waiting, held))
    least = destination.min_sats
    if fits < least:
        text = (
            say("too_little_held", least=least, held=held)
            if held < waiting
            else say("too_little_waits", least=least, waiting=waiting)
        )
        raise ForwardError(text, longest=_HOUR)
    if forward.kind == "test":
        return least, 0
    most = min(destination.max_sats, settings.lnbits_max_outgoing_payment_amount_sats)
    if most < least:
        raise ForwardError(
            f"The destination takes at least {least} sats at once, LNbits pays at most {most}."
        )
    amount = min(fits, most)
    return amount, fits - amount


async def _pay_in_turn(forward: Forward, turn: asyncio.Lock) -> str | None:
    """`_pay`, begun when no other is busy; one that only waits for the network holds up nobody."""
    async with turn:
        attempt = asyncio.create_task(_pay(forward))
        try:
            await asyncio.wait([attempt], timeout=_TURN_SECONDS)
            await asyncio.sleep(_REST_SECONDS)
        except asyncio.CancelledError:
            attempt.cancel()
            raise
    return await attempt


async def _pay(forward: Forward) -> str | None:
    """Have it paid; what has come of it, LNbits' booking tells afterwards. What LNbits complained.

    Raises:
        ForwardError: LNbits has booked nothing, and why. ConflictError: somebody was first.
    """
    try:
        await in_flight.pay(forward)
    except in_flight.TooLateError as exc:
        raise ConflictError(str(exc)) from None
    except (PaymentError, InvoiceError) as exc:
        refusal = exc.message
    except (ValueError, AssertionError) as exc:
        refusal = str(exc)
    except Exception as exc:
        log_unexpected(f"LNbits did not pay forward {forward.id}", exc)
        refusal = type(exc).__name__
    else:
        return None
    if await debit_of(forward) is None:
        raise ForwardError(f"LNbits refused it: {refusal[:300]} It is tried again later.")
    return refusal


async def debit_of(forward: Forward) -> LnbitsPayment | None:
    if not forward.payment_hash:
        return None
    return await lnbits_debit(forward.wallet_id, forward.payment_hash)


async def follow(forward: Forward, refusal: str | None = None) -> bool:
    """What LNbits says of a forward that it has booked; whether it is confirmed."""
    debit = await debit_of(forward)
    if debit and debit.pending and now() - debit.created_at > _YOUNG:
        await whole(update_pending_payment(debit))  # asks the funding source
        debit = await debit_of(forward)
    if debit and debit.failed:
        await _recheck(debit)
    if debit is None or debit.pending:
        await _wait(forward, lost=debit is None)
        return False
    if debit.success:
        return await _confirm(forward, debit)
    reopened = await crud_forwards.reopen(forward)
    if reopened:
        why = refusal or "no route, too little liquidity, or a fee above the reserve."
        await _fail(reopened, ForwardError(f"It did not arrive: {why[:300]} It is tried again."))
    return False


async def _recheck(debit: LnbitsPayment) -> None:
    """Ask the funding source once more before a second invoice is asked for."""
    status = await check_payment_status(debit)
    if status.success:
        await whole(update_payment_success_status(debit, status))


async def _wait(forward: Forward, *, lost: bool) -> None:
    age = now() - forward.created_at
    pause = min(max(timedelta(minutes=1), age / 10), _HOUR)
    text = None
    if lost:
        text = (
            "LNbits has lost its booking of this payment. It counts as on its way until a person "
            "has looked into the funding source, and closes it."
        )
    elif age > timedelta(minutes=5):
        text = "On its way: the destination holds it, or the network still looks for a route."
    await crud_forwards.look_later(forward, text, now() + pause)


async def _confirm(forward: Forward, debit: LnbitsPayment) -> bool:
    then = _forward(forward, forward.rest_sats) if forward.rest_sats else None
    done = await crud_forwards.confirm(forward, abs(debit.fee), now(), then)
    if done:
        logger.info(
            f"satmachineclient: forwarded {forward.amount_sats} sats of {forward.client_id}, "
            f"fee {abs(debit.fee)} msat"
        )
    return done


async def _fail(forward: Forward, error: ForwardError) -> None:
    """A test is tried once: somebody waits for its outcome."""
    pause = _PAUSES[min(forward.attempts, len(_PAUSES) - 1)]
    ends = error.permanent or forward.kind == "test"
    message = str(error)[:1000]
    next_attempt = now() + min(pause, error.longest)
    tell = ends or forward.attempts + 1 >= _TOLD_AFTER
    if await crud_forwards.postpone(forward, message, next_attempt, ends=ends, tell=tell):
        logger.warning(f"satmachineclient: forward {forward.id} was not sent: {message}")


# ---- in the background -----------------------------------------------------------------------


async def run_forwards() -> None:
    """Look every minute, and whenever something was settled, until LNbits stops."""
    while settings.lnbits_running:
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(_awake.wait(), LOOK_SECONDS)
        _awake.clear()
        try:
            await look()
        except Exception as exc:  # the top of the background loop: one bad look must not end all
            log_unexpected("looking for forwards failed", exc)

"""What a client or partner decides about forwarding: where to, from when on, a test, or not at all.

Only its owner decides it. The operator sees it, may stop all of it, may try a forward again, and
close one that LNbits will never know the end of.
"""

from .. import crud_clients, database
from ..crud_lnbits import get_wallet
from ..helpers import ConflictError, new_id, now
from ..models import AuditEntry
from ..models_payouts import (
    DestinationOut,
    Forward,
    ForwardingOut,
    ForwardSettings,
    Owner,
    SetForward,
)
from ..words.told import say
from . import crud_forwards, crud_owners, destinations, forwards, in_flight
from .destinations import Destination, DestinationError


async def ask(address: str) -> DestinationOut:
    """What a destination takes, before it is set.

    Raises:
        ValueError: naming the field.
    """
    destination = await _asked(address)
    programme = await crud_clients.get_programme()
    smallest = programme.smallest_forward_sats or 1
    return DestinationOut(
        destination=destination.address,
        min_sats=destination.min_sats,
        max_sats=destination.max_sats,
        suggested_threshold_sats=destinations.suggested_threshold(destination.min_sats, smallest),
    )


async def _asked(address: str) -> Destination:
    try:
        return await destinations.ask(destinations.normal(address))
    except DestinationError as exc:
        raise ValueError(f"destination: {exc}") from None


async def set_forward(owner: Owner, data: SetForward, user_id: str) -> None:
    """Set, change or switch off where the owner's sats go on to.

    Raises:
        ValueError: naming the field; nothing was changed.
    """
    before = await crud_forwards.get_settings(owner.id)
    if data.destination is None:
        if before:
            audit = AuditEntry.of(user_id, "forwarding switched off", owner.id, _shown(before))
            told = "Your sats are not sent on any more. If this was not you, log in and look."
            await crud_forwards.remove_settings(owner.id, audit, told)
        return
    if data.threshold_sats is None:
        raise ValueError("threshold_sats: give the number of sats from which on they are sent")
    destination = await _asked(data.destination)
    await _check_threshold(data.threshold_sats, destination)
    last = data.last_forward
    after = ForwardSettings(
        client_id=owner.id,
        wallet_id=owner.wallet_id,
        destination=destination.address,
        threshold_sats=data.threshold_sats,
        min_sats=destination.min_sats,
        max_sats=destination.max_sats,
        last_forward=bool(before and before.last_forward) if last is None else last,
        updated_at=now(),
    )
    audit = AuditEntry.of(
        user_id, "forwarding set", owner.id, before and _shown(before), _shown(after)
    )
    told = (
        f"From {after.threshold_sats} sats on, your sats are sent on to {after.destination}. If "
        "this was not you, log in and switch it off."
    )
    await crud_forwards.save_settings(after, audit, told)
    forwards.wake()


def _shown(settings: ForwardSettings) -> dict[str, object]:
    return settings.dict(include={"wallet_id", "destination", "threshold_sats", "last_forward"})


async def _check_threshold(threshold: int, destination: Destination) -> None:
    programme = await crud_clients.get_programme()
    if threshold < destination.min_sats:
        raise ValueError(
            f"threshold_sats: the destination takes at least {destination.min_sats} sats"
        )
    if threshold < (programme.smallest_forward_sats or 0):
        raise ValueError(
            f"threshold_sats: the operator asks for at least {programme.smallest_forward_sats} sats"
        )


async def send_test(owner: Owner, address: str | None, user_id: str) -> Forward:
    """Send the smallest amount, out of what waits, to this destination or the one that is set.

    It is a step of its own, and a destination counts without it: that sats arrived somewhere LNbits
    can tell, but whether that is their own wallet only its owner can see.

    Raises:
        ValueError: naming the field. ConflictError: it cannot be sent now.
    """
    set_now = await crud_forwards.get_settings(owner.id)
    if address is None and set_now is None:
        raise ConflictError("destination: none is set, so name the one to test")
    programme = await crud_clients.get_programme()
    if not programme.forwarding:
        raise ConflictError("The operator has stopped all forwarding.")
    destination = await _asked(address or (set_now.destination if set_now else ""))
    amount = destination.min_sats
    test = Forward(
        id=new_id(),
        client_id=owner.id,
        wallet_id=owner.wallet_id,
        kind="test",
        destination=destination.address,
        amount_sats=amount,
        created_at=now(),
    )
    audit = AuditEntry.of(
        user_id, "test forward", owner.id, after={"id": test.id, "destination": test.destination}
    )
    async with database.ledger() as work:
        waiting = (await crud_owners.sums_of(work, owner.id, owner.wallet_id)).waiting
        if waiting < amount + destinations.reserve(amount):
            raise ConflictError(
                f"A test takes {amount} sats and a fee, and {waiting} sats wait. Try again when "
                "the programme has brought more."
            )
        if not await crud_forwards.insert_forward(work, test):
            raise ConflictError("Another forward is under way. Try again when it has ended.")
        await work.insert("dca_audit", [audit])
    forwards.wake()
    return test


async def forwarding_of(owner: Owner) -> ForwardingOut:
    """What is set, and how many sats wait, are on their way and were sent."""
    set_now = await crud_forwards.get_settings(owner.id)
    async with database.reading() as work:
        sums = await crud_owners.sums_of(work, owner.id, owner.wallet_id)
    wallet = await get_wallet(owner.wallet_id)
    held = sums.held_of(wallet.balance_msat // 1000 if wallet else 0)
    return ForwardingOut(
        destination=set_now.destination if set_now else None,
        threshold_sats=set_now.threshold_sats if set_now else None,
        min_sats=set_now.min_sats if set_now else None,
        max_sats=set_now.max_sats if set_now else None,
        last_forward=bool(set_now and set_now.last_forward),
        waiting_sats=min(sums.waiting, held),
        in_flight_sats=sums.in_flight,
        forwarded_sats=sums.forwarded,
        fee_sats=sums.fees,
        problem=await _problem(owner, set_now) or _too_little(set_now, sums.waiting, held),
    )


async def _problem(owner: Owner, set_now: ForwardSettings | None) -> str | None:
    """Why nothing goes, in a sentence that says what to do."""
    if set_now is None:
        return None
    if set_now.wallet_id != owner.wallet_id:
        return "The wallet was changed since: set the destination again."
    if not (await crud_clients.get_programme()).forwarding:
        return "The operator has stopped all forwarding. Your sats stay in your wallet."
    if owner.has_left and not set_now.last_forward:
        return say("you_have_left" if owner.kind == "client" else "your_part_has_ended")
    return set_now.problem


def _too_little(set_now: ForwardSettings | None, waiting: int, held: int) -> str | None:
    if set_now is None or not held < set_now.threshold_sats <= waiting:
        return None
    return (
        f"Your wallet holds {held} sats of the {waiting} that could be sent: they go when there "
        f"are {set_now.threshold_sats}."
    )


async def retry(forward: Forward, operator: str) -> Forward:
    """Try again now what surely was not paid.

    Raises:
        ConflictError: it is paid, or may be, or nothing would come of it.
    """
    if not (await crud_clients.get_programme()).forwarding:
        raise ConflictError("All forwarding is stopped; allow it in the programme first.")
    if forward.status not in ("pending", "failed"):
        what = "is paid" if forward.status == "confirmed" else "may still arrive"
        raise ConflictError(f"It {what}: it cannot be tried again.")
    if forward.kind == "test":
        raise ConflictError("A test is its owner's to repeat.")
    await crud_forwards.try_again(
        forward, now(), AuditEntry.of(operator, "forward retried", forward.id)
    )
    forwards.wake()
    return await crud_forwards.get_forward(forward.id) or forward


async def close(forward: Forward, reason: str, operator: str) -> Forward:
    """End one that stays on its way for ever, because a person saw that its node paid nothing.

    LNbits may have lost it, or have died before it told the node, of which LNbits never learns.
    Not before its invoice can be paid no more; LNbits asks the node once more before.

    Raises:
        ConflictError: it is not on its way, or may still be paid.
    """
    if forward.status != "in_flight":
        raise ConflictError("It is not on its way: there is nothing to close.")
    expires = forward.invoice_expires_at
    if expires is None or expires > now():
        until = f"{expires:%Y-%m-%d %H:%M} UTC" if expires else "later"
        raise ConflictError(f"Its invoice may still be paid: wait until {until}.")
    await forwards.follow(forward)
    latest = await crud_forwards.get_forward(forward.id) or forward
    if latest.status != "in_flight":
        raise ConflictError("LNbits has learnt what became of it: look at it again.")
    audit = AuditEntry.of(
        operator,
        "forward closed",
        forward.id,
        latest.dict(include={"status", "payment_hash", "amount_sats", "destination"}),
        {"status": "failed", "reason": reason},
    )
    debit = await forwards.debit_of(latest)
    await in_flight.close(latest, debit, f"Closed as not paid: {reason}", audit)
    forwards.wake()
    return await crud_forwards.get_forward(forward.id) or latest

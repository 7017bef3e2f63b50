"""SQL of the forwards: what is set, and each forward on its way to its destination.

Every change of a forward's state names the state that it starts from, so that of two servers only
one makes it. Sats, but for `fee_msat`. A `client_id` is a client's or a partner's.
"""

from datetime import datetime

from ..crud import note, tell_client, tell_clients
from ..database import Ledger, ledger, reading
from ..helpers import ConflictError
from ..models import AuditEntry
from ..models_payouts import Forward, ForwardSettings
from .crud_owners import owner_at

# ---- what is set -----------------------------------------------------------------------------


async def get_settings(client_id: str) -> ForwardSettings | None:
    async with reading() as work:
        return await settings_at(work, client_id)


async def settings_at(work: Ledger, client_id: str) -> ForwardSettings | None:
    return await work.fetch_one(
        ForwardSettings,
        "SELECT * FROM satmachineclient.dca_forward_settings WHERE client_id = :id",
        id=client_id,
    )


async def save_settings(settings: ForwardSettings, audit: AuditEntry, told: str) -> None:
    """Set or change it, audited and told to its owner."""
    async with ledger() as work:
        before = await settings_at(work, settings.client_id)
        if before and (before.destination, before.wallet_id) != (
            settings.destination,
            settings.wallet_id,
        ):
            await _give_up(work, settings.client_id, "the destination was changed")
        await work.execute(
            "DELETE FROM satmachineclient.dca_forward_settings WHERE client_id = :id",
            id=settings.client_id,
        )
        await work.insert("dca_forward_settings", [settings])
        await work.insert("dca_audit", [audit])
        await tell_client(work, "forward_set", audit.id, settings.client_id, told)


async def remove_settings(client_id: str, audit: AuditEntry, told: str) -> None:
    """Switch off; what LNbits is already paying goes to its end."""
    async with ledger() as work:
        await _give_up(work, client_id, "forwarding was switched off")
        await work.execute(
            "DELETE FROM satmachineclient.dca_forward_settings WHERE client_id = :id", id=client_id
        )
        await work.insert("dca_audit", [audit])
        await tell_client(work, "forward_set", audit.id, client_id, told)


async def _give_up(work: Ledger, client_id: str, why: str) -> None:
    """End what surely is not paid; its sats wait again."""
    await work.execute(
        "UPDATE satmachineclient.dca_forwards SET status = 'failed', next_attempt_at = NULL, "
        "error = :error WHERE client_id = :client AND status = 'pending'",
        error=f"Given up: {why}.",
        client=client_id,
    )


async def note_bounds(client_id: str, destination: str, min_sats: int, max_sats: int) -> None:
    """What the destination takes, as it has just told."""
    async with ledger() as work:
        await work.execute(
            "UPDATE satmachineclient.dca_forward_settings "
            "SET min_sats = :least, max_sats = :most "
            "WHERE client_id = :client AND destination = :destination",
            least=min_sats,
            most=max_sats,
            client=client_id,
            destination=destination,
        )


# ---- forwards --------------------------------------------------------------------------------


async def get_forward(forward_id: str) -> Forward | None:
    async with reading() as work:
        return await work.fetch_one(
            Forward, "SELECT * FROM satmachineclient.dca_forwards WHERE id = :id", id=forward_id
        )


async def get_forwards(client_id: str) -> list[Forward]:
    """One owner's, newest first."""
    async with reading() as work:
        return await work.fetch(
            Forward,
            "SELECT * FROM satmachineclient.dca_forwards WHERE client_id = :client "
            "ORDER BY created_at DESC, id",
            client=client_id,
        )


async def insert_forward(work: Ledger, forward: Forward) -> bool:
    """False if its owner has an open one already."""
    names = list(forward.__fields__)
    return bool(
        await work.execute(
            f"INSERT INTO satmachineclient.dca_forwards ({', '.join(names)}) "
            f"VALUES ({', '.join(f':{name}' for name in names)}) ON CONFLICT DO NOTHING",
            **forward.dict(),
        )
    )


async def due_forwards(time: datetime, *, paying: bool) -> list[Forward]:
    """Open ones whose turn it is, those under way first; without `paying` only those."""
    states = ["in_flight", "pending"] if paying else ["in_flight"]
    async with reading() as work:
        return await work.fetch(
            Forward,
            "SELECT * FROM satmachineclient.dca_forwards WHERE status IN :states "
            "AND (next_attempt_at IS NULL OR next_attempt_at <= :time) "
            "ORDER BY status, created_at, id",
            states=states,
            time=time,
        )


async def take(forward: Forward, until: datetime, time: datetime) -> bool:
    """Work on it until then, so that another server does not at the same time; False if it does.

    It only spares work: that nothing is paid twice does not depend on it.
    """
    async with ledger() as work:
        return bool(
            await work.execute(
                "UPDATE satmachineclient.dca_forwards SET next_attempt_at = :until "
                "WHERE id = :id AND status = :status "
                "AND (next_attempt_at IS NULL OR next_attempt_at <= :time)",
                until=until,
                time=time,
                id=forward.id,
                status=forward.status,
            )
        )


async def store_invoice(work: Ledger, forward: Forward, in_place_of: str | None) -> None:
    """Give a pending forward its invoice, in place of one that surely was not paid.

    Raises:
        ConflictError: it is not as it was, or the invoice was known before.
    """
    if not await work.execute(
        "INSERT INTO satmachineclient.dca_forward_invoices (payment_hash, forward_id, created_at) "
        "VALUES (:hash, :id, :time) ON CONFLICT DO NOTHING",
        hash=forward.payment_hash,
        id=forward.id,
        time=forward.next_attempt_at,
    ):
        raise ConflictError("The destination answered with an invoice that it has given before.")
    if not await work.execute(
        "UPDATE satmachineclient.dca_forwards SET amount_sats = :amount, rest_sats = :rest, "
        "payment_hash = :hash, bolt11 = :bolt11, invoice_expires_at = :expires "
        "WHERE id = :id AND status = 'pending' AND COALESCE(payment_hash, '') = :before",
        amount=forward.amount_sats,
        rest=forward.rest_sats,
        hash=forward.payment_hash,
        bolt11=forward.bolt11,
        expires=forward.invoice_expires_at,
        id=forward.id,
        before=in_place_of or "",
    ):
        raise ConflictError("This forward was changed meanwhile.")


async def postpone(
    forward: Forward, error: str, next_attempt_at: datetime, *, ends: bool, tell: bool
) -> bool:
    """After an attempt that surely paid nothing: why, and when it is tried again; or it `ends`.

    Its invoice is dropped: what can go then is another amount. `tell`: its owner, too, once for
    each forward. False if it is not as it was.
    """
    async with ledger() as work:
        changed = await work.execute(
            "UPDATE satmachineclient.dca_forwards SET status = :new, error = :error, "
            "attempts = attempts + 1, next_attempt_at = :next, payment_hash = NULL, "
            "bolt11 = NULL, invoice_expires_at = NULL "
            "WHERE id = :id AND status = 'pending' AND COALESCE(payment_hash, '') = :hash",
            new="failed" if ends else "pending",
            error=error,
            next=None if ends else next_attempt_at,
            id=forward.id,
            hash=forward.payment_hash or "",
        )
        if changed and forward.kind == "forward":
            await _set_problem(work, forward, error, stopped=ends)
            if tell:
                text = f"Your sats could not be sent on. {error}"
                await tell_clients(work, "forward_failed", {forward.id: (forward.client_id, text)})
    return bool(changed)


async def _set_problem(
    work: Ledger, forward: Forward, problem: str | None, *, stopped: bool
) -> None:
    await work.execute(
        "UPDATE satmachineclient.dca_forward_settings "
        "SET problem = :problem, stopped = :stopped "
        "WHERE client_id = :client AND destination = :destination",
        problem=problem,
        stopped=stopped,
        client=forward.client_id,
        destination=forward.destination,
    )


async def mark_in_flight(forward: Forward) -> None:
    """LNbits has booked it, whoever asked it to."""
    async with ledger() as work:
        await work.execute(
            "UPDATE satmachineclient.dca_forwards SET status = 'in_flight' "
            "WHERE id = :id AND status = 'pending' AND payment_hash = :hash",
            id=forward.id,
            hash=forward.payment_hash,
        )


async def look_later(forward: Forward, error: str | None, next_look: datetime) -> None:
    """LNbits does not know yet what has become of it."""
    async with ledger() as work:
        await work.execute(
            "UPDATE satmachineclient.dca_forwards SET error = :error, next_attempt_at = :next "
            "WHERE id = :id AND status = 'in_flight' AND payment_hash = :hash",
            error=error,
            next=next_look,
            id=forward.id,
            hash=forward.payment_hash,
        )


async def reopen(forward: Forward) -> Forward | None:
    """Surely failed at LNbits: pending again, without an invoice. None if somebody was first."""
    async with ledger() as work:
        changed = await work.execute(
            "UPDATE satmachineclient.dca_forwards SET status = 'pending', payment_hash = NULL, "
            "bolt11 = NULL, invoice_expires_at = NULL "
            "WHERE id = :id AND status = 'in_flight' AND payment_hash = :hash",
            id=forward.id,
            hash=forward.payment_hash,
        )
    if not changed:
        return None
    return forward.copy(update={"status": "pending", "payment_hash": None, "bolt11": None})


async def confirm(forward: Forward, fee_msat: int, time: datetime, then: Forward | None) -> bool:
    """It is paid; the next part of what was too much at once follows. False if it was known."""
    async with ledger() as work:
        changed = await work.execute(
            "UPDATE satmachineclient.dca_forwards SET status = 'confirmed', fee_msat = :fee, "
            "confirmed_at = :time, error = NULL, next_attempt_at = NULL "
            "WHERE id = :id AND status = 'in_flight' AND payment_hash = :hash",
            fee=fee_msat,
            time=time,
            id=forward.id,
            hash=forward.payment_hash,
        )
        if changed:
            settings = await settings_at(work, forward.client_id)
            if settings and settings.destination == forward.destination:
                await _set_problem(work, forward, None, stopped=False)
                if then and settings.wallet_id == forward.wallet_id:
                    await insert_forward(work, then)
            if forward.kind == "forward":
                owner = await owner_at(work, forward.client_id)
                whose = owner.kind if owner else "client"
                text = f"{forward.amount_sats} sats arrived at a {whose}'s own destination."
                await note(work, "forward_confirmed", {forward.id: text})
    return bool(changed)


async def try_again(forward: Forward, time: datetime, audit: AuditEntry) -> None:
    """By a person's decision: its turn is now.

    Raises:
        ConflictError: it is not surely unpaid, or nothing would come of it.
    """
    async with ledger() as work:
        settings = await settings_at(work, forward.client_id)
        if settings is None or settings.destination != forward.destination:
            raise ConflictError("The destination was changed since; this one is over.")
        if forward.status == "failed" and await work.rows(
            "SELECT 1 FROM satmachineclient.dca_forwards "
            "WHERE client_id = :client AND status IN ('pending', 'in_flight')",
            client=forward.client_id,
        ):
            raise ConflictError("Another forward of theirs is under way.")
        if not await work.execute(
            "UPDATE satmachineclient.dca_forwards SET status = 'pending', next_attempt_at = :time "
            "WHERE id = :id AND status IN ('pending', 'failed')",
            time=time,
            id=forward.id,
        ):
            raise ConflictError("It is not surely unpaid: it cannot be tried again.")
        await _set_problem(work, forward, None, stopped=False)
        await work.insert("dca_audit", [audit])


async def forwards_within(
    work: Ledger, client_id: str, begin: datetime, end: datetime
) -> list[Forward]:
    """An owner's forwards that arrived in this time, in their order."""
    return await work.fetch(
        Forward,
        "SELECT * FROM satmachineclient.dca_forwards WHERE client_id = :client "
        "AND status = 'confirmed' AND confirmed_at >= :begin AND confirmed_at < :end "
        "ORDER BY confirmed_at, id",
        client=client_id,
        begin=begin,
        end=end,
    )

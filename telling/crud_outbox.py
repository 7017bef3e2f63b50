"""SQL of the outbox: letters that wait, whose turn it is, and what became of them."""

from collections.abc import Sequence
from datetime import datetime

from ..database import Ledger, Row, fetch_rows, ledger, reading
from .models import Channel, Letter


async def due_letters(channel: Channel, time: datetime, limit: int) -> list[Letter]:
    """Letters whose turn it is, in the order in which they were written."""
    async with reading() as work:
        return await work.fetch(
            Letter,
            "SELECT * FROM satmachineclient.dca_outbox WHERE channel = :channel "
            "AND next_attempt_at <= :time ORDER BY at, id LIMIT :limit",
            channel=channel,
            time=time,
            limit=limit,
        )


async def first_untried(time: datetime) -> Letter | None:
    """The first of the webhook's letters that was never tried and whose turn it is."""
    async with reading() as work:
        return await work.fetch_one(
            Letter,
            "SELECT * FROM satmachineclient.dca_outbox WHERE channel = 'webhook' "
            "AND next_attempt_at <= :time AND attempts = 0 ORDER BY at, id LIMIT 1",
            time=time,
        )


async def webhook_held_until(time: datetime) -> datetime | None:
    """Until when the webhook is left alone: a letter that was never tried waits only then."""
    async with reading() as work:
        held = await work.fetch_one(
            Letter,
            "SELECT * FROM satmachineclient.dca_outbox WHERE channel = 'webhook' "
            "AND next_attempt_at > :time AND attempts = 0 ORDER BY next_attempt_at DESC LIMIT 1",
            time=time,
        )
    return held.next_attempt_at if held else None


async def hold_webhook(until: datetime) -> None:
    """Let all of the webhook's letters wait until then, so that they go in their order."""
    async with ledger() as work:
        await work.execute(
            "UPDATE satmachineclient.dca_outbox SET next_attempt_at = :until "
            "WHERE channel = 'webhook' AND next_attempt_at < :until",
            until=until,
        )


async def give_up_webhook(before: datetime) -> None:
    """Whatever was written before this time is not tried any more."""
    async with ledger() as work:
        await work.execute(
            "UPDATE satmachineclient.dca_outbox SET next_attempt_at = NULL, "
            "error = COALESCE(error, 'The webhook has not answered for three days.') "
            "WHERE channel = 'webhook' AND next_attempt_at IS NOT NULL AND at < :before",
            before=before,
        )


async def claim_letter(letter: Letter, next_attempt: datetime | None) -> bool:
    """Take one attempt, and say when the next one would be; False if somebody else has it."""
    async with ledger() as work:
        return bool(
            await work.execute(
                "UPDATE satmachineclient.dca_outbox "
                "SET attempts = attempts + 1, next_attempt_at = :next "
                "WHERE id = :id AND attempts = :attempts AND next_attempt_at IS NOT NULL",
                next=next_attempt,
                id=letter.id,
                attempts=letter.attempts,
            )
        )


async def delivered(letter: Letter, time: datetime) -> None:
    async with ledger() as work:
        await work.execute(
            "UPDATE satmachineclient.dca_outbox SET delivered_at = :time, error = NULL, "
            "next_attempt_at = NULL WHERE id = :id",
            time=time,
            id=letter.id,
        )
        await work.execute(
            "UPDATE satmachineclient.dca_alerts SET told_at = :time "
            "WHERE id = :alert AND told_at IS NULL",
            time=time,
            alert=letter.alert_id,
        )


async def not_delivered(letter: Letter, error: str, *, give_up: bool) -> None:
    async with ledger() as work:
        await work.execute(
            "UPDATE satmachineclient.dca_outbox SET error = :error"
            f"{', next_attempt_at = NULL' if give_up else ''} WHERE id = :id",
            error=error,
            id=letter.id,
        )


async def hold_no_letters_back(channel: str) -> None:
    """Let everything that waits for its next attempt be tried now: the address is another."""
    async with ledger() as work:
        await work.execute(
            "UPDATE satmachineclient.dca_outbox SET next_attempt_at = at "
            "WHERE channel = :channel AND next_attempt_at IS NOT NULL",
            channel=channel,
        )


async def webhook_counts() -> Row:
    """Letters for the webhook that wait, that were given up, and the last error of one."""
    rows = await fetch_rows(
        "SELECT (SELECT COUNT(*) FROM satmachineclient.dca_outbox "
        "WHERE channel = 'webhook' AND next_attempt_at IS NOT NULL) AS letters_waiting, "
        "(SELECT COUNT(*) FROM satmachineclient.dca_outbox WHERE channel = 'webhook' "
        "AND next_attempt_at IS NULL AND delivered_at IS NULL) AS letters_given_up, "
        "(SELECT error FROM satmachineclient.dca_outbox WHERE channel = 'webhook' "
        "AND delivered_at IS NULL AND error IS NOT NULL ORDER BY at DESC LIMIT 1) AS last_error"
    )
    return rows[0]


async def forget_letters(before: datetime) -> None:
    """Letters that were delivered or given up are no ledger: what they told stands elsewhere."""
    async with ledger() as work:
        await work.execute(
            "DELETE FROM satmachineclient.dca_outbox WHERE next_attempt_at IS NULL "
            "AND at < :before AND (delivered_at IS NULL OR delivered_at < :before)",
            before=before,
        )


async def insert_letters(work: Ledger, letters: Sequence[Letter]) -> None:
    await work.insert("dca_outbox", letters)

"""Before anything is paid: does LNbits know payments of ours that we do not; what was adopted.

An adopted payment claims the sales that it says it was for. Where the plan of such a sale agrees,
its share is confirmed with the payment's hash instead of paid again; what does not fit is held
until a person decides.
"""

from collections.abc import Iterable, Sequence
from time import monotonic

from loguru import logger

from .. import database
from ..books import adoption, crud_adoption
from ..books.crud_adoption import Claim
from ..helpers import ConflictError
from ..words.told import say
from . import crud

_SHOWN = 5  # sales named in one sentence
_STILL_TRUE_SECONDS = 10


class OlderDatabaseError(ConflictError):
    """LNbits has payments of ours that no payout knows: nothing may be paid before they are."""


class _Checked:
    """Whether this process has looked at everything since it started, and what it found last."""

    everything = False
    stopped = False
    lease, at = "", 0.0  # under which all was well last, and when


def is_stopped() -> bool:
    """Whether the last check has stopped all paying."""
    return _Checked.stopped


def look_at_everything() -> None:
    """Let the next check look at all that LNbits has booked, not only at what is recent."""
    _Checked.everything, _Checked.lease = False, ""


async def look_ahead() -> None:
    """Look at all that LNbits has booked while nobody waits for it: it takes long at a year's size.

    The next check need not, then, but for what is newer. What is found here it finds again, and
    tells.
    """
    _Checked.everything = not (await adoption.unknown_payments(adoption.EVERYTHING)).unknown


async def check(lease: str) -> None:
    """That LNbits has no payment of ours which our tables do not know.

    Who works on the ledger under this lease need not look again for some seconds.

    Raises:
        OlderDatabaseError: it has; saying which sales are concerned.
    """
    if _Checked.lease == lease and monotonic() - _Checked.at < _STILL_TRUE_SECONDS:
        return
    since = await adoption.since_newest() if _Checked.everything else adoption.EVERYTHING
    unknown = (await adoption.unknown_payments(since)).unknown
    _Checked.everything, _Checked.stopped = not unknown, bool(unknown)
    if unknown:
        raise OlderDatabaseError(_sentence(unknown))
    _Checked.lease, _Checked.at = lease, monotonic()


def _sentence(unknown: Sequence[adoption.Booked]) -> str:
    sales = sorted({key for booked in unknown for key in booked.lamassu_ids})
    named, more = ", ".join(sales[:_SHOWN]), len(sales) - _SHOWN
    concerned = (
        say("sales_concerned_unknown")
        if not named
        else say("sales_concerned_more", sales=named, n=more)
        if more > 0
        else say("sales_concerned", sales=named)
    )
    older = say("older_database", n=len(unknown))
    return f"{older} {concerned} {say('choose_adopt')}"


# ---- matching --------------------------------------------------------------------------------


async def match(lease: str) -> None:
    """Confirm what adopted payments have paid already, and hold what does not fit."""
    async with database.reading() as work:
        if not await crud_adoption.claims_with(work, "waiting"):
            return
    async with database.ledger(lease) as work:
        unsure: set[str] = set()
        await _split_as_paid(work, await crud_adoption.claims_with(work, "waiting"))
        for claim in await crud_adoption.claims_with(work, "waiting"):
            problem: str | None
            if claim.lamassu_transaction_id:
                sale = await crud.sale_by_lamassu_id(work, claim.lamassu_transaction_id)
                if sale is None or sale["status"] == "needs_review":
                    continue  # not planned yet
                problem = await _take(work, claim, sale)
                if problem and claim.kind == "client":
                    unsure.add(sale["id"])
            else:
                found = await _match_untold(work, claim)
                if found is None:
                    continue
                problem = found
            await crud_adoption.set_claim(
                work, claim.id, "unclear" if problem else "matched", problem or None
            )
            if problem:
                logger.error(f"satmachineclient: adopted payment {claim.payment_hash}: {problem}")
        # Where one client's share is not what was paid, the others' may not be either.
        for sale_id in sorted(unsure):
            reason = "LNbits has paid shares of this sale that differ from the plan."
            await _hold(
                work, [row["id"] for row in await crud.open_shares_of(work, sale_id)], reason
            )


async def _split_as_paid(work: database.Ledger, waiting: Iterable[Claim]) -> None:
    """Where what LNbits has paid adds up to a sale's commission, that is how it is split.

    The plan goes by the partners' percentages of today, which may have changed since. Only where
    the plan has a part for each paid partner and for nobody else: else a person has to look.
    """
    paid: dict[str, list[Claim]] = {}
    for claim in waiting:
        if claim.lamassu_transaction_id and claim.kind in ("commission", "partner"):
            paid.setdefault(claim.lamassu_transaction_id, []).append(claim)
    for lamassu_id, found in paid.items():
        sale = await crud.sale_by_lamassu_id(work, lamassu_id)
        if sale is None or sale["status"] != "planned" or sale["commission_status"] == "confirmed":
            continue
        if sum(claim.amount_sats for claim in found) != sale["commission_amount_sats"]:
            continue
        theirs = [claim for claim in found if claim.kind == "partner"]
        parts = [await crud.part_for(work, claim, sale["id"]) for claim in theirs]
        amounts = {
            part["id"]: claim.amount_sats for part, claim in zip(parts, theirs, strict=True) if part
        }
        if len(amounts) == len(theirs) and set(amounts) == await crud.open_parts(work, sale["id"]):
            await crud.split_commission(work, sale["id"], amounts)


async def _take(work: database.Ledger, claim: Claim, sale: database.Row) -> str:
    """Match a claim with its sale; what does not fit, or an empty text."""
    if claim.kind == "partner":
        return await _take_part(work, claim, sale["id"])
    if claim.kind != "client":
        amount = "crypto_amount_sats" if claim.kind == "credit" else "commission_amount_sats"
        if sale[f"{claim.kind}_status"] == "confirmed":
            return say(f"{claim.kind}_booked_already")
        await crud.take_move(work, claim, sale["id"])
        planned = sale[amount] - (sale["partners_sats"] if claim.kind == "commission" else 0)
        if planned != claim.amount_sats:
            return f"The plan says {planned} sats; it is not paid again."
        return ""
    share = await crud.share_for(work, claim, sale["id"])
    if share is None:
        return "By the plan this client has no share of it."
    if share["status"] not in ("pending", "failed") or share["transfer_id"]:
        return f"The client's share is {share['status']} already."
    theirs = (share["amount_sats"], share["amount_fiat"], share["currency"])
    if theirs != (claim.amount_sats, claim.amount_fiat, claim.currency):
        return f"By the plan the client's share is {share['amount_sats']} sats."
    await crud.take_shares(work, claim, [share])
    return ""


async def _take_part(work: database.Ledger, claim: Claim, sale_id: str) -> str:
    """Match a claim with a partner's part of the commission."""
    part = await crud.part_for(work, claim, sale_id)
    if part is None:
        return "By the plan this partner has no part of its commission."
    if part["status"] not in ("pending", "failed") or part["transfer_id"]:
        return f"The partner's part is {part['status']} already."
    if part["amount_sats"] != claim.amount_sats:
        reason = f"LNbits has paid {claim.amount_sats} sats for this part."
        await crud.hold_part(work, part["id"], _held(reason))
        return f"By the plan the partner's part is {part['amount_sats']} sats."
    await crud.take_part(work, claim, part["id"])
    return ""


async def _match_untold(work: database.Ledger, claim: Claim) -> str | None:
    """A payment of an earlier release, which does not say Lamassu's ids: matched by its sums.

    That is by our own ids where we still have them, else by as many open sales in a row of exactly
    the same amount. What could be meant and does not fit is held. None: nothing to match yet.
    """
    rows = await crud.open_before(work, claim)
    if not rows:
        return None
    own = [row for row in rows if row["transaction_id"] in claim.transaction_ids]
    number = max(len(claim.transaction_ids), 1)
    windows = [own, *(rows[i : i + number] for i in range(len(rows) - number + 1))]
    for window in windows:
        if len(window) == number and _sums(window) == (claim.amount_sats, claim.amount_fiat):
            if claim.kind == "client":
                await crud.take_shares(work, claim, window)
            else:
                for row in window:
                    await crud.take_move(work, claim, row["id"])
            return ""
    reason = f"LNbits has paid {claim.amount_sats} sats for sales that the payment does not name."
    if claim.kind == "client":
        await _hold(work, [row["id"] for row in rows], reason)
    else:
        for row in rows:
            await crud.hold_move(work, claim.kind, row["id"], _held(reason))
    return "Open sales before it do not add up to it; they are held."


def _sums(rows: Iterable[database.Row]) -> tuple[int, int | None]:
    fiat = [row["amount_fiat"] for row in rows]
    return sum(row["amount_sats"] for row in rows), None if None in fiat else sum(fiat)


async def _hold(work: database.Ledger, share_ids: Sequence[str], reason: str) -> None:
    """Shares that only a person may let go: by a retry they are paid, else they are voided."""
    await crud.hold_shares(work, share_ids, _held(reason))


def _held(reason: str) -> str:
    return f"Held: {reason} Retry it if it is to be paid, or void it."

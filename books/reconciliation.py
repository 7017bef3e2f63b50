"""Do the books agree? Recomputes every sum from its rows, and compares with LNbits' payments.

Reads only. A poll that is paying meanwhile makes no difference: what is confirmed here was booked
by LNbits before, and what LNbits has booked was stored here before.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from loguru import logger

from .. import crud_lnbits, crud_shares
from ..database import in_time, reading
from ..models import Difference, Reconciliation
from ..models_payouts import Payout
from . import adoption, crud_adoption, crud_checks, forwarded
from .adoption import EVERYTHING as EVERYTHING

_LOGGED = 10  # differences shown in one line of the log


class Findings:
    """What differs, and how many payouts, LNbits' payments and forwards were looked at."""

    def __init__(self) -> None:
        self.differences: list[Difference] = []
        self.checked = Counter[str]()

    def log(self) -> None:
        """As one error, if anything differs."""
        if self.differences:
            first = "; ".join(f"{d.kind} {d.id}: {d.detail}" for d in self.differences[:_LOGGED])
            logger.error(
                f"satmachineclient: {len(self.differences)} differences in the books: {first}"
            )


async def reconcile(
    since: datetime = EVERYTHING, stepped: Callable[[], None] = lambda: None
) -> Reconciliation:
    """Check all that was processed since then, and tell how much of each kind that was."""
    found = await check(since, stepped)
    checked = {
        "transactions": await crud_checks.count("lamassu_transactions", "processed_at", since),
        "payments": await crud_checks.count("dca_payments", "created_at", since),
        "balances": await crud_checks.count_balances(),
        **{name: found.checked[name] for name in ("payouts", "lnbits_payments", "forwards")},
    }
    return Reconciliation(ok=not found.differences, checked=checked, differences=found.differences)


async def check(since: datetime, stepped: Callable[[], None] = lambda: None) -> Findings:
    """Check all that was processed since then; what differs is logged as an error.

    Asked for everything, it also sums up every row for the clients' totals. It goes piece by
    piece, and in between others get to the database; `stepped` is called after each.
    """
    found = Findings()
    begin = since
    while begin != crud_checks.FOREVER:
        begin = await check_piece(found, begin)
        stepped()
    everything = since == EVERYTHING
    owners = await (crud_checks.owner_ids() if everything else crud_checks.forwarding_since(since))
    for ids in in_time(owners):
        await check_owners(found, ids, totals=everything)
        stepped()
    found.log()
    return found


async def check_piece(found: Findings, begin: datetime) -> datetime:
    """Check all that is of a piece of time from then on, among our rows and against LNbits.

    Until when it went; at last that is FOREVER, with what is true of no time but now.
    """
    async with reading():
        end = await crud_checks.end_of_piece(begin)
        found.differences += await _piece(begin, end)
        if end == crud_checks.FOREVER:
            found.differences += await _of_now()
    await _check_payouts(found, begin, end)
    ours = await adoption.unknown_payments(begin, end)
    found.differences += [_unknown(booked) for booked in ours.unknown]
    forwards, differing = await forwarded.check(begin, end)
    found.differences += differing
    found.checked.update(lnbits_payments=ours.looked_at, forwards=forwards)
    return end


async def check_owners(found: Findings, ids: Sequence[str], *, totals: bool) -> None:
    """Check what these clients and partners sent on; with `totals` also their rows' sums.

    `ids`: for totals, all that there are from the first to the last, in the database's order.
    """
    async with reading():
        if totals:
            found.differences += await wrong_totals(ids[0], ids[-1])
        found.differences += await forwarded.overdrawn(ids)


async def _piece(begin: datetime, end: datetime) -> list[Difference]:
    """What does not add up of the sales, shares and transfers of this time."""
    return [
        *map(_transaction_difference, await crud_checks.unbalanced_transactions(begin, end)),
        *map(_commission_difference, await crud_checks.unbalanced_commissions(begin, end)),
        *map(_archive_difference, await crud_shares.differing_sales(begin, end)),
        *(
            Difference(
                kind="transfer",
                id=row["id"],
                detail=f"Its payouts are {row['payout_sats']} sats, what it carries is "
                f"{row['carried_sats']} sats.",
            )
            for row in await crud_checks.unbalanced_transfers(begin, end)
        ),
        *(
            Difference(kind="payment", id=row["id"], detail="Confirmed, but its payout is not.")
            for row in await crud_checks.unpaid_but_confirmed(begin, end)
        ),
    ]


async def _of_now() -> list[Difference]:
    """More that went out than was there, and what was adopted and does not fit."""
    return [
        *(
            Difference(
                kind="balance",
                id=row["client_id"],
                detail=f"More {row['currency']} was distributed than deposited.",
            )
            for row in await crud_checks.overdrawn_balances()
        ),
        *(
            Difference(
                kind="balance",
                id=row["client_id"],
                detail=f"More {row['currency']} went out of machine {row['device_id']} than was "
                "theirs there.",
            )
            for row in await crud_checks.overdrawn_machines()
        ),
        *(await _unclear()),
    ]


async def wrong_totals(first: str, last: str) -> list[Difference]:
    """Totals that are not the sums of their rows, of the clients from the first id to the last."""
    wrong = await crud_checks.wrong_totals(first, last)
    wrong += await crud_checks.wrong_machine_totals(first, last)
    return [_total_difference(row) for row in wrong]


async def _check_payouts(found: Findings, begin: datetime, end: datetime) -> None:
    """Each payout confirmed in this time against LNbits' bookings."""
    async for batch in crud_checks.confirmed_payouts(begin, end):
        ids = [key for payout in batch for key in adoption.checking_ids(payout)]
        found.differences += _payout_differences(batch, await crud_lnbits.bookings(ids))
        found.checked["payouts"] += len(batch)


def _unknown(booked: adoption.Booked) -> Difference:
    sales = ", ".join(booked.lamassu_ids) or "which sales, it does not say"
    return Difference(
        kind="lnbits_payment",
        id=booked.payment_hash,
        detail=f"LNbits has booked this {booked.kind} of {booked.amount_sats} sats, but no payout "
        f"knows it: the extension's database is older than LNbits'. Sales: {sales}.",
    )


async def _unclear() -> list[Difference]:
    """What was adopted and does not fit."""
    async with reading() as work:
        unclear = await crud_adoption.claims_with(work, "unclear")
    return [
        Difference(
            kind="adopted",
            id=claim.id,
            detail=f"LNbits has paid a {claim.kind} of {claim.amount_sats} sats for sale "
            f"{claim.lamassu_transaction_id or '(not told)'}. {claim.note}",
        )
        for claim in unclear
    ]


def _total_difference(row: Mapping[str, Any]) -> Difference:
    wrong = {key: value for key, value in row.items() if isinstance(value, int) and value}
    sums = ", ".join(f"{name} by {value}" for name, value in wrong.items())
    where = f" of machine {row['device_id']}" if "device_id" in row else ""
    return Difference(
        kind="balance",
        id=row["client_id"],
        detail=f"The totals in {row['currency']}{where} differ from the sums of their rows: "
        f"{sums}.",
    )


def _archive_difference(row: Mapping[str, Any]) -> Difference:
    return Difference(
        kind="archive",
        id=row["id"],
        detail="Its archived shares are not what was archived of it.",
    )


def _commission_difference(row: Mapping[str, Any]) -> Difference:
    return Difference(
        kind="commission",
        id=row["id"],
        detail=f"Of {row['commission_amount_sats']} sats of commission {row['partners_sats']} are "
        f"the partners', and their parts are {row['share_sats']} sats.",
    )


def _transaction_difference(row: Mapping[str, Any]) -> Difference:
    return Difference(
        kind="transaction",
        id=row["id"],
        detail=(
            f"{row['crypto_amount_sats']} sats against {row['commission_amount_sats']} commission "
            f"+ {row['share_sats']} in {row['shares']} shares + {row['undistributed_sats']} "
            f"undistributed; fiat {row['fiat_amount']} against {row['share_fiat']} + "
            f"{row['undistributed_fiat']} (minor units)."
        ),
    )


def _payout_differences(
    payouts: list[Payout], booked: Mapping[str, Mapping[str, Any]]
) -> Iterable[Difference]:
    """Each confirmed payout has its credit in LNbits, and its debit, of exactly its amount.

    A fee may be on the payer's side only, and what an earlier release paid is not known.
    """
    lost = {payout.id for payout in adoption.lost_of(payouts, booked)}
    for payout in payouts:
        if payout.id in lost:
            yield Difference(
                kind="lost",
                id=payout.id,
                detail=f"LNbits has lost this {payout.kind} of {payout.amount_sats} sats, which "
                "was booked: its database is older than the extension's.",
            )
            continue
        for key, wallet_id, msat, fee_msat in _bookings_of(payout):
            row = booked.get(key)
            found = row and (row["wallet_id"], row["amount"], row["status"])
            fee = abs(row["fee"] or 0) if row else 0
            if found != (wallet_id, msat, "success") or fee_msat not in (None, fee):
                yield Difference(
                    kind="payout",
                    id=payout.id,
                    detail=f"LNbits' booking {key} should be {msat} msat on wallet {wallet_id}, "
                    f"successful, with a fee of {fee_msat or 0} msat; it is "
                    f"{(found and (*found, fee)) or 'missing'}.",
                )


def _bookings_of(payout: Payout) -> Iterable[tuple[str, str, int, int | None]]:
    """What LNbits books for a payout: id, wallet, msat, and the fee in msat if it is known."""
    msat = payout.amount_sats * 1000
    invoice, debit = adoption.checking_ids(payout)
    yield invoice, payout.wallet_id, msat, 0
    if payout.kind != "credit":
        yield debit, payout.source_wallet_id or "", -msat, payout.fee_msat

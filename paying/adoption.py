"""A backup was put back: payments that LNbits knows and we do not, or the other way round.

Both are a person's decision: *Adopt* takes unknown payments of ours into the books, so that they
are not paid again; *Pay again* pays what LNbits has lost.
"""

from collections.abc import Iterable
from decimal import Decimal

from .. import crud, crud_sales, database
from ..books import adoption, crud_adoption, full_check, identity
from ..books.adoption import Booked
from ..books.crud_adoption import Claim
from ..configuration import ready_config
from ..helpers import ConflictError, fiat_text, minor_units, new_id
from ..lease import working
from ..models import AuditEntry
from ..models_payouts import AdoptionOut, HeldPayment, Payout, UnclearPayment, UnknownPayment
from ..models_sales import Payment
from ..rest import distributions_of
from . import claims, crud_held, crud_payouts, payouts
from . import crud as paying_crud
from .bookings import PayoutError
from .core import open_core

# Sales that are not Lamassu's are not read again.
_OURS_ONLY = ("settle-out-", "test-")


async def adopt(operator: str) -> int:
    """Take payments of ours that no payout knows into the books; how many they were.

    What they were for is matched with the sales as soon as those are planned (`claims.match`).

    Raises:
        ConflictError: there are none. BusyError: a poll is running.
    """
    await ready_config()
    lease = new_id()
    async with working(lease, wait_seconds=5):
        unknown = (await adoption.unknown_payments(adoption.EVERYTHING)).unknown
        if not unknown:
            raise ConflictError(
                "There is nothing to adopt: every payment of ours that LNbits has booked is known."
            )
        claims.look_at_everything()
        await _release_all(lease, unknown)
        left = (await adoption.unknown_payments(adoption.EVERYTHING)).unknown
        hashes = [booked.payment_hash for booked in unknown]
        audit = AuditEntry.of(operator, "payments adopted", "", after={"payment_hashes": hashes})
        async with database.ledger(lease) as work:
            for booked in left:
                await paying_crud.insert_adopted(work, _payout(booked))
            await crud_adoption.insert_claims(work, _claims(left))
            ids = (key for booked in unknown for key in booked.lamassu_ids)
            await crud_adoption.raise_database_number(work, identity.highest_number(ids))
            await full_check.forget(work)
            await crud.insert_audit(work, audit)
    return len(unknown)


async def _release_all(lease: str, unknown: list[Booked]) -> None:
    """Free what open transfers carry, for the payments to claim; those that are paid are confirmed.

    A payout that we still have may have been paid with an invoice that we have lost.
    """
    async with database.ledger(lease) as work:
        for booked in unknown:
            await paying_crud.give_hash(work, _payout(booked))
        open_ones = await crud_payouts.open_transfers(work)
    for transfer_id in open_ones:
        try:
            await payouts.release(lease, transfer_id)
        except PayoutError as exc:
            raise ConflictError(str(exc)) from None


def _payout(booked: Booked) -> Payout:
    return Payout(
        id=booked.payout_id,
        transfer_id=booked.transfer_id,
        kind=booked.kind,
        source_wallet_id=booked.source_wallet_id,
        wallet_id=booked.wallet_id,
        amount_sats=booked.amount_sats,
        memo="adopted",
        status="confirmed",
        payment_hash=booked.payment_hash,
        bolt11=booked.bolt11,
        created_at=booked.time,
        confirmed_at=booked.time,
        extra=booked.extra,
        fee_msat=booked.fee_msat,
    )


def _claims(unknown: Iterable[Booked]) -> list[Claim]:
    transfers: dict[str, list[Booked]] = {}
    for booked in unknown:
        transfers.setdefault(booked.transfer_id, []).append(booked)
    return [claim for parts in transfers.values() for claim in _claims_of(parts)]


def _claims_of(parts: list[Booked]) -> list[Claim]:
    """What the parts of one transfer say together that they paid for."""
    first = parts[0]
    paid = sum(part.amount_sats for part in parts)
    currency = first.extra.get("currency")
    client = first.extra.get("client_id") or first.extra.get("partner_id")
    own_ids = first.extra.get("transaction_ids")
    common = Claim(
        id=new_id(),
        transfer_id=first.transfer_id,
        payment_hash=first.payment_hash,
        kind=first.kind,
        lamassu_transaction_id=None,
        transaction_ids=own_ids if isinstance(own_ids, list) else [],
        client_id=str(client) if client else None,
        wallet_id=first.wallet_id,
        amount_sats=paid,
        amount_fiat=_fiat(first.extra.get("amount_fiat"), currency),
        currency=currency,
        paid_at=first.time,
    )
    sales = first.sales
    if sum(sale["amount_sats"] for sale in sales) != paid:
        return [common]  # an earlier release's, or a part of a transfer only
    return [
        common.copy(
            update={
                "id": new_id(),
                "lamassu_transaction_id": sale["lamassu_transaction_id"],
                "transaction_ids": [],
                "amount_sats": sale["amount_sats"],
                "amount_fiat": _fiat(sale.get("amount_fiat"), currency),
                **_lost_for_good(sale["lamassu_transaction_id"]),
            }
        )
        for sale in sales
    ]


def _lost_for_good(sale_id: str) -> dict[str, str]:
    if not sale_id.startswith(_OURS_ONLY):
        return {}
    note = "It was no sale of Lamassu's, so it is not read again: book a withdrawal, if it was one."
    return {"status": "unclear", "note": note}


def _fiat(amount: object, currency: object) -> int | None:
    try:
        return minor_units(Decimal(str(amount)), str(currency))
    except (ValueError, ArithmeticError):
        return None


async def read() -> AdoptionOut:
    """What either database does not know."""
    unknown = (await adoption.unknown_payments(adoption.EVERYTHING)).unknown
    async with database.reading() as work:
        unclear = await crud_adoption.claims_with(work, "unclear")
    lost = await adoption.lost_payouts()
    clients = [payout.transfer_id for payout in lost if payout.kind == "client"]
    shares = await crud_sales.get_payments_carried(clients)
    return AdoptionOut(
        unknown=[
            UnknownPayment(**vars(each), lamassu_transaction_ids=each.lamassu_ids)
            for each in unknown
        ],
        unclear=[_unclear(claim) for claim in unclear],
        lost_shares=await distributions_of(shares),
        lost_moves=len(lost) - len(clients),
    )


async def read_held() -> list[HeldPayment]:
    """What waits for a person since an older copy was put back, oldest first."""
    async with database.reading() as work:
        return await crud_held.held_payments(work)


def _unclear(claim: Claim) -> UnclearPayment:
    fiat = claim.amount_fiat
    text = None if fiat is None or not claim.currency else fiat_text(fiat, claim.currency)
    return UnclearPayment(**{**claim.dict(), "amount_fiat": text})


async def close(claim_id: str, reason: str, operator: str) -> None:
    """Say of an adopted payment that does not fit: looked at, and nothing is left to do.

    Raises:
        ConflictError: there is none that waits for it.
    """
    claim = await crud_adoption.get_claim(claim_id)
    audit = AuditEntry.of(operator, "adopted payment closed", claim_id, claim, {"reason": reason})
    async with database.ledger() as work:
        if not await crud_adoption.set_claim(work, claim_id, "closed", reason):
            raise ConflictError("This payment has been decided on already.")
        await full_check.forget(work)
        await crud.insert_audit(work, audit)


# ---- what LNbits has lost --------------------------------------------------------------------


async def pay_again(payment: Payment | None, audit: AuditEntry) -> int:
    """Pay anew what LNbits has lost: what this share travelled in, and its sale's credit; or all.

    How many shares are paid anew. LNbits has neither the invoice nor the debit, or it is no loss.

    Raises:
        ConflictError: nothing of it is lost, or LNbits knows payments that we do not.
        BusyError: a poll is running.
    """
    config = await ready_config()
    lease = new_id()
    async with working(lease, wait_seconds=5):
        await claims.check(lease)
        lost = await adoption.lost_payouts()
        if payment is not None:
            sale = await crud_sales.get_transaction(payment.transaction_id)
            asked = {payment.transfer_id, sale.credit_transfer_id if sale else None}
            if all(payout.transfer_id != payment.transfer_id for payout in lost):
                raise ConflictError("LNbits still has this payment: it is not paid again.")
            lost = [payout for payout in lost if payout.transfer_id in asked]
        if not lost:
            raise ConflictError("LNbits has lost nothing: there is nothing to pay again.")
        number = await _reopen(lease, lost, audit)
        await payouts.settle(lease, config)
    return number


async def _reopen(lease: str, lost: list[Payout], audit: AuditEntry) -> int:
    transfers: dict[str, list[str]] = {}
    async with open_core(lease) as core:
        for payout in lost:
            if await payouts.is_lost(payout, core):
                transfers.setdefault(payout.transfer_id, []).append(payout.id)
    number = 0
    async with database.ledger(lease) as work:
        for transfer_id, payout_ids in transfers.items():
            number += await paying_crud.reopen_lost(work, transfer_id, payout_ids)
            if await paying_crud.parts_left(work, transfer_id):
                await crud_payouts.reopen_unpaid_parts(work, transfer_id)
            else:
                await crud_payouts.dissolve_transfer(work, transfer_id)
        await full_check.forget(work)
        await crud.insert_audit(work, audit)
    return number

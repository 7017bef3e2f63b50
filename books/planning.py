"""A sale becomes a row with its shares: the clients' balances in order of time, and the split.

What is planned here is stored as a whole by the poll before anything is paid.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, NamedTuple

from loguru import logger

from .. import crud, crud_sales, database
from ..helpers import (
    MAX_SATS,
    currency_decimals,
    fiat_text,
    log_unexpected,
    new_id,
    now,
)
from ..models_config import LamassuConfig
from ..models_payouts import CommissionShare
from ..models_sales import Payment, Sale, Transaction
from . import distribution
from .book import Book
from .distribution import DistributionError, Share
from .partners import Part
from .prices import KnownRates

# A hundred bitcoin: nobody's cash. Sums of so many sats stay far below 64 bits.
MOST_SALE_SATS = 10**10


class Ceilings:
    """A sale above the operator's limits, or off a known rate, waits until a person has looked."""

    def __init__(self, config: LamassuConfig, rates: KnownRates) -> None:
        self._rates = rates
        self._per_transaction = config.max_sats_per_transaction
        self._per_poll = config.max_sats_per_poll
        self._so_far = 0

    def hold(self, sale: Sale) -> Sale:
        """The sale as it is, or for review if it is above a ceiling or far off a rate."""
        sale = self._rates.hold(sale)
        if sale.state != "good":
            return sale
        total = _total_sats(sale)
        if total > MOST_SALE_SATS:
            reason = f"No sale of a machine is worth more than {MOST_SALE_SATS} sats."
            return replace(sale, state="review", reason=reason)
        if self._per_transaction is not None and total > self._per_transaction:
            reason = f"Above the ceiling of {self._per_transaction} sats per transaction."
            return replace(sale, state="review", reason=reason)
        if self._per_poll is not None and self._so_far + total > self._per_poll:
            reason = f"Above the ceiling of {self._per_poll} sats per poll."
            return replace(sale, state="review", reason=reason)
        self._so_far += total
        return sale


def may_become_good(known: Mapping[str, Any]) -> bool:
    """Whether a stored sale may still be planned by itself.

    Only one in review whose time could not be when it was stored, as a wrong clock passes, or a
    cash-out whose cash was not (reported as) all out; anything else that Lamassu writes never
    changes, so a person has to decide.
    """
    if known["status"] != "needs_review":
        return False
    facts = json.loads(known["facts"] or "{}")
    if "time_refused" in facts:
        return True
    open_cash = facts.get("dispense_confirmed") is not True or facts.get("error") is not None
    return known["direction"] == "cash_out" and open_cash


class Plan(NamedTuple):
    """A sale's row, its clients' shares, and its partners' parts of the commission."""

    row: Transaction
    payments: list[Payment]
    commission: list[CommissionShare]


def plan_sale(
    sale: Sale,
    book: Book,
    config: LamassuConfig,
    *,
    is_test: bool = False,
    cash_out: int | None = None,
    row_id: str | None = None,
) -> Plan:
    """One sale's row and its shares, taken from the book. Bad data makes a row that needs review.

    `cash_out`: how much fiat really came out, in minor units, if not the sale's; where it is more,
    the clients' cash bought the same sats for more of it. `row_id`: of the row that waited for a
    review, if there is one.
    """
    row = _unsplit(sale, config, is_test)
    row.id = row_id or row.id
    if sale.state == "review":
        return Plan(row, [], [])
    book.advance(sale.time)
    try:
        effective = distribution.effective_commission(sale.commission, sale.discount)
        base, commission = _split(sale, effective, config)
        parts = book.partners.parts(commission, sale.device_id)
    except DistributionError as exc:
        row.review_reason = f"Not distributed by itself: {exc}"
        return Plan(row, [], [])
    if cash_out is not None and cash_out > sale.fiat:
        sale = replace(sale, fiat=cash_out)
    split = distribution.distribute(
        base, sale.fiat, book.participants(sale.fiat_code, sale.time, sale.device_id), cash_out
    )
    payments = [_payment(share, row, book) for share in split.shares]
    partners_sats = sum(part.sats for part in parts)
    row = row.copy(
        update={
            **_split_columns(sale, base, commission, split),
            "effective_commission": effective,
            "partners_sats": partners_sats,
            **_transfers_due(sale, commission - partners_sats, config, is_test),
        }
    )
    shares = [_commission_share(part, row, book) for part in parts]
    check_conservation(row, payments, shares)
    for payment in payments:
        book.take(payment, sale.device_id)
    return Plan(row, payments, shares)


def _split_columns(
    sale: Sale, base: int, commission: int, split: distribution.Distribution
) -> dict[str, Any]:
    """What a planned sale's row says of how it was split."""
    return {
        "status": "planned",
        "fiat_amount": sale.fiat,
        "review_reason": None,
        "crypto_amount_sats": base + commission,
        "base_amount_sats": base,
        "commission_amount_sats": commission,
        "distributed_sats": sum(share.sats for share in split.shares),
        "undistributed_sats": split.undistributed_sats,
        "undistributed_fiat": split.undistributed_fiat,
        "clients_count": len(split.shares),
        "exchange_rate": _exchange_rate(sale, base),
    }


def _split(sale: Sale, effective: Decimal, config: LamassuConfig) -> tuple[int, int]:
    """A sale's base and its commission in sats.

    A cash-out's are parts of what the customer sent. A cash-in's base is what the customer was
    sent, so that the clients buy at the customer's own price; its commission comes on top.

    Raises:
        DistributionError: no commission may be computed from what Lamassu says.
    """
    if sale.direction == "cash_in":
        return sale.crypto_sats, _cash_in_commission(sale, effective)
    base = distribution.base_amount(
        sale.crypto_sats,
        effective,
        config.commission_method,
        fiat=Decimal(sale.fiat).scaleb(-currency_decimals(sale.fiat_code)),
        fixed_fee=sale.fixed_fee or Decimal(0),
    )
    return base, sale.crypto_sats - base


def _cash_in_commission(sale: Sale, effective: Decimal) -> int:
    commission = distribution.cash_in_commission(
        sale.crypto_sats, effective, sale.fixed_fee, sale.ticker_price
    )
    if sale.crypto_sats + commission > MAX_SATS:
        raise DistributionError(f"the commission would be {commission} sats")
    return commission


def _total_sats(sale: Sale) -> int:
    """With a cash-in's commission; where that cannot be told, a person has to look anyway."""
    if sale.direction != "cash_in":
        return sale.crypto_sats
    try:
        effective = distribution.effective_commission(sale.commission, sale.discount)
        return sale.crypto_sats + _cash_in_commission(sale, effective)
    except DistributionError:
        return sale.crypto_sats


def _payment(share: Share, row: Transaction, book: Book) -> Payment:
    return Payment.construct(  # nothing in it is from outside; a backlog has a hundred thousand
        id=new_id(),
        transaction_id=row.id,
        client_id=share.client_id,
        wallet_id=book.wallet_of(share.client_id),
        amount_sats=share.sats,
        amount_fiat=share.fiat,
        machine_fiat=book.part_here(share.client_id, row.fiat_code, row.device_id, share.fiat),
        currency=row.fiat_code,
        share=_rounded(Decimal(share.fraction.numerator) / share.fraction.denominator, 8),
        transaction_time=row.transaction_time,
        created_at=row.processed_at,
    )


def _commission_share(part: Part, row: Transaction, book: Book) -> CommissionShare:
    return CommissionShare(
        id=new_id(),
        transaction_id=row.id,
        partner_id=part.partner_id,
        wallet_id=book.partners.wallet_of(part.partner_id),
        percent=part.percent,
        amount_sats=part.sats,
        created_at=row.processed_at,
    )


def _transfers_due(
    sale: Sale, own_sats: int, config: LamassuConfig, is_test: bool
) -> dict[str, Any]:
    """Whether the sale's total is to be credited, and the operator's own part of its commission
    paid to another wallet.

    Only a cash-out brings sats: the operator has bought what the clients of a cash-in are paid.
    The sats of a sale from before crediting was switched on have come to the operator another way.
    """
    since = config.credit_since if config.credit_source_wallet else None
    is_due = since is not None and sale.time >= since
    credited = is_due and sale.direction == "cash_out" and not is_test
    kept = config.commission_wallet_id in (None, config.source_wallet_id)
    pays = own_sats > 0 and not kept
    return {
        "credit_status": "pending" if credited else "none",
        "commission_status": "pending" if pays else "none",
        "commission_wallet_id": config.commission_wallet_id if pays else None,
    }


def check_conservation(
    row: Transaction, payments: list[Payment], commission: list[CommissionShare]
) -> None:
    """Rule 2: a sale's parts add up to the sat and to the minor unit.

    Raises:
        AssertionError: they do not; nothing may be stored.
    """
    sats = sum(p.amount_sats for p in payments)
    fiat = sum(p.amount_fiat for p in payments)
    if row.crypto_amount_sats != row.commission_amount_sats + sats + row.undistributed_sats:
        raise AssertionError(f"the sats of sale {row.lamassu_transaction_id} do not add up")
    partners = sum(share.amount_sats for share in commission)
    if partners != row.partners_sats or not 0 <= partners <= row.commission_amount_sats:
        raise AssertionError(f"the commission of sale {row.lamassu_transaction_id} does not add up")
    if row.fiat_amount != fiat + row.undistributed_fiat:
        raise AssertionError(f"the fiat of sale {row.lamassu_transaction_id} does not add up")


def _unsplit(sale: Sale, config: LamassuConfig, is_test: bool) -> Transaction:
    """The sale's row before any split: a person has to look, and all of it is undistributed."""
    return Transaction(
        id=new_id(),
        lamassu_transaction_id=sale.id,
        direction=sale.direction,
        device_id=sale.device_id,
        transaction_time=sale.time,
        processed_at=now(),
        crypto_code=sale.crypto_code,
        crypto_amount_sats=sale.crypto_sats,
        fiat_amount=sale.fiat,
        fiat_code=sale.fiat_code,
        commission_percentage=sale.commission,
        discount=sale.discount if sale.discount and sale.discount.is_finite() else Decimal(0),
        fixed_fee=sale.fixed_fee,
        commission_method=config.commission_method,
        base_amount_sats=sale.crypto_sats,
        undistributed_sats=sale.crypto_sats,
        undistributed_fiat=sale.fiat,
        status="needs_review",
        is_test=is_test,
        review_reason=sale.reason,
        lamassu_facts=sale.facts,
    )


def _exchange_rate(sale: Sale, base_sats: int) -> Decimal | None:
    """Fiat per whole bitcoin of the base."""
    if not base_sats:
        return None
    fiat = Decimal(fiat_text(sale.fiat, sale.fiat_code))
    return _rounded(fiat * 10**8 / base_sats, 2)


def _rounded(value: Decimal, decimals: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-decimals))


# ---- planning --------------------------------------------------------------------------------


async def plan_sales(
    lease: str,
    config: LamassuConfig,
    ceilings: Ceilings,
    sales: list[Sale],
    aside: Set[str] = frozenset(),
) -> list[Transaction]:
    """Store these sales with their shares, in one database transaction; what was stored.

    `aside`: clients who take no part, as they cannot be paid.
    """
    async with database.ledger(lease) as work:
        known = await crud_sales.known_transactions(work, [sale.id for sale in sales])
        book = await Book.open(work, [sale.time for sale in sales], config.timezone, aside)
        # In a thread: with many clients it takes a while, in which LNbits serves others.
        planned = await asyncio.to_thread(_plan_all, sales, known, book, ceilings, config)
        for sale_id, exc in planned.errors.items():
            log_unexpected(f"planning sale {sale_id} failed", exc)
        await work.insert("lamassu_transactions", planned.new)
        for row in planned.changed:
            await crud_sales.replace_transaction(work, row)
        await store_shares(work, planned.plans)
        await crud_sales.settle_finished(work)
        for_a_person = {
            row.id: f"Sale {row.lamassu_transaction_id} needs a person: {row.review_reason}"
            for row in planned.new
            if row.status == "needs_review"
        }
        await crud.note(work, "sale_needs_person", for_a_person)
    stored = [*planned.new, *planned.changed]
    for row in stored:
        logger.info(
            f"satmachineclient: sale {row.lamassu_transaction_id} {row.status}: "
            f"{row.crypto_amount_sats} sats = {row.commission_amount_sats} commission "
            f"+ {row.distributed_sats} for {row.clients_count} clients "
            f"+ {row.undistributed_sats} undistributed"
        )
    return stored


async def store_shares(work: database.Ledger, plans: Sequence[Plan]) -> None:
    """Store what belongs to these sales' rows."""
    devices = {plan.row.id: plan.row.device_id for plan in plans}
    await crud_sales.insert_payments(work, [p for plan in plans for p in plan.payments], devices)
    shares = [share for plan in plans for share in plan.commission]
    await work.insert("dca_commission_shares", shares)


@dataclass
class _Planned:
    """What is to be stored: new sales, those that waited for a review, and the shares of both."""

    new: list[Transaction] = field(default_factory=list)
    changed: list[Transaction] = field(default_factory=list)
    plans: list[Plan] = field(default_factory=list)
    errors: dict[str, Exception] = field(default_factory=dict)  # by Lamassu's id of the sale


def _plan_all(
    sales: list[Sale],
    known: Mapping[str, Mapping[str, Any]],
    book: Book,
    ceilings: Ceilings,
    config: LamassuConfig,
) -> _Planned:
    planned = _Planned()
    for sale in sales:
        old = known.get(sale.id)
        if old and not (sale.direction == old["direction"] and may_become_good(old)):
            continue
        held, row_id = ceilings.hold(sale), old["id"] if old else None
        try:
            plan = plan_sale(held, book, config, row_id=row_id)
        except Exception as exc:  # one bad row never stops the good ones: a person looks at it
            planned.errors[sale.id] = exc
            reason = f"Not distributed by itself: unexpected {type(exc).__name__}, see LNbits' log."
            held = replace(held, state="review", reason=reason)
            plan = plan_sale(held, book, config, row_id=row_id)
        if not old:
            planned.new.append(plan.row)
        elif plan.row.status != "needs_review":
            planned.changed.append(plan.row)
        planned.plans.append(plan)
    return planned

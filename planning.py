"""A sale becomes a row with its shares: the clients' balances in order of time, and the split.

What is planned here is stored as a whole by the poll before anything is paid.
"""

import json
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from . import crud, database, distribution
from .distribution import DistributionError, Participant, Share
from .helpers import MAX_SATS, currency_decimals, fiat_text, new_id, now
from .lamassu import Sale
from .models import LamassuConfig, Payment, Transaction
from .models_clients import Client, ClientTerms, Deposit


class Book:
    """The clients' balances while sales are planned one after the other, oldest first."""

    def __init__(
        self,
        clients: list[Client],
        terms: list[ClientTerms],
        balances: dict[tuple[str, str], int],
        later_terms: Iterable[ClientTerms] = (),
        later_deposits: Iterable[Deposit] = (),
        taken: dict[tuple[str, str, str], int] | None = None,
    ) -> None:
        """`later_…` in the order of time; `taken`: by who is in fixed mode on which day."""
        self._clients = {client.id: client for client in clients}
        self._terms = {each.client_id: each for each in terms}
        self._balances = balances
        self._later_terms = deque(later_terms)
        self._later_deposits = deque(later_deposits)
        self._taken = taken or {}

    @classmethod
    async def open(
        cls, work: database.Ledger, first: datetime, last: datetime, days: set[str]
    ) -> "Book":
        """The book at the time of the first sale, ready to go on to the last."""
        terms = await crud.terms_at(work, first)
        later_terms = await crud.terms_between(work, first, last)
        fixed = {each.client_id for each in (*terms, *later_terms) if each.dca_mode == "fixed"}
        return cls(
            await crud.open_clients(work),
            terms,
            await crud.balances_at(work, first),
            later_terms,
            await crud.deposits_between(work, first, last),
            await crud.taken_on_days(work, fixed, days),
        )

    def advance(self, time: datetime) -> None:
        """Go on to this time: count the deposits confirmed up to then, and the terms in force.

        Cash that was not yet in the machine did not go out.
        """
        while self._later_deposits and (self._later_deposits[0].confirmed_at or time) <= time:
            deposit = self._later_deposits.popleft()
            key = (deposit.client_id, deposit.currency)
            self._balances[key] = self._balances.get(key, 0) + deposit.amount
        while self._later_terms and self._later_terms[0].valid_from <= time:
            terms = self._later_terms.popleft()
            self._terms[terms.client_id] = terms

    def participants(self, currency: str, day: str) -> list[Participant]:
        """Who takes part now, by the terms of this moment; who was closed since never does."""
        found = []
        for client_id in self._clients:
            terms = self._terms.get(client_id)
            if terms is None or terms.status != "active":
                continue
            balance = self._balances.get((client_id, currency), 0)
            cap = balance
            if terms.dca_mode == "fixed":
                if terms.currency != currency:
                    continue
                taken = self._taken.get((client_id, currency, day), 0)
                cap = distribution.fixed_cap(balance, terms.fixed_mode_daily_limit or 0, taken)
            found.append(Participant(client_id, balance, cap))
        return found

    def take(self, payment: Payment) -> None:
        key = (payment.client_id, payment.currency)
        self._balances[key] -= payment.amount_fiat
        day = (*key, payment.day)
        self._taken[day] = self._taken.get(day, 0) + payment.amount_fiat

    def wallet_of(self, client_id: str) -> str:
        return self._clients[client_id].wallet_id


class Ceilings:
    """The operator's limits: a sale above one waits until a person has looked at it."""

    def __init__(self, config: LamassuConfig) -> None:
        self._per_transaction = config.max_sats_per_transaction
        self._per_poll = config.max_sats_per_poll
        self._so_far = 0

    def hold(self, sale: Sale) -> Sale:
        """The sale as it is, or for review if it is above a ceiling."""
        if sale.state != "good":
            return sale
        total = _total_sats(sale)
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

    Only a cash-out in review whose cash was not (reported as) all out when it was stored; anything
    else that Lamassu writes never changes, so a person has to decide.
    """
    if known["status"] != "needs_review" or known["direction"] != "cash_out":
        return False
    facts = json.loads(known["facts"] or "{}")
    return facts.get("dispense_confirmed") is not True or facts.get("error") is not None


def plan_sale(
    sale: Sale,
    book: Book,
    config: LamassuConfig,
    *,
    is_test: bool = False,
    cash_out: int | None = None,
    row_id: str | None = None,
) -> tuple[Transaction, list[Payment]]:
    """One sale's row and its shares, taken from the book. Bad data makes a row that needs review.

    `cash_out`: how much of the fiat really came out, in minor units, if not all. `row_id`: of the
    row that waited for a review, if there is one.
    """
    row = _unsplit(sale, config, is_test)
    row.id = row_id or row.id
    if sale.state == "review":
        return row, []
    try:
        effective = distribution.effective_commission(sale.commission, sale.discount)
        base, commission = _split(sale, effective, config)
    except DistributionError as exc:
        row.review_reason = f"Not distributed by itself: {exc}"
        return row, []
    book.advance(sale.time)
    split = distribution.distribute(
        base, sale.fiat, book.participants(sale.fiat_code, row.day), cash_out
    )
    payments = [_payment(share, row, book) for share in split.shares]
    row = row.copy(
        update={
            "status": "planned",
            "review_reason": None,
            "effective_commission": effective,
            "crypto_amount_sats": base + commission,
            "base_amount_sats": base,
            "commission_amount_sats": commission,
            "distributed_sats": sum(p.amount_sats for p in payments),
            "undistributed_sats": split.undistributed_sats,
            "undistributed_fiat": split.undistributed_fiat,
            "clients_count": len(payments),
            "exchange_rate": _exchange_rate(sale, base),
            **_transfers_due(sale, commission, config, is_test),
        }
    )
    check_conservation(row, payments)
    for payment in payments:
        book.take(payment)
    return row, payments


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
        currency=row.fiat_code,
        share=_rounded(Decimal(share.fraction.numerator) / share.fraction.denominator, 8),
        day=row.day,
        created_at=row.processed_at,
    )


def _transfers_due(
    sale: Sale, commission_sats: int, config: LamassuConfig, is_test: bool
) -> dict[str, Any]:
    """Whether the sale's total is to be credited, and its commission paid to another wallet.

    Only a cash-out brings sats: the operator has bought what the clients of a cash-in are paid.
    """
    credited = config.credit_source_wallet and sale.direction == "cash_out" and not is_test
    kept = config.commission_wallet_id in (None, config.source_wallet_id)
    pays = commission_sats > 0 and not kept
    return {
        "credit_status": "pending" if credited else "none",
        "commission_status": "pending" if pays else "none",
        "commission_wallet_id": config.commission_wallet_id if pays else None,
    }


def check_conservation(row: Transaction, payments: list[Payment]) -> None:
    """Rule 2: a sale's parts add up to the sat and to the minor unit.

    Raises:
        AssertionError: they do not; nothing may be stored.
    """
    sats = sum(p.amount_sats for p in payments)
    fiat = sum(p.amount_fiat for p in payments)
    if row.crypto_amount_sats != row.commission_amount_sats + sats + row.undistributed_sats:
        raise AssertionError(f"the sats of sale {row.lamassu_transaction_id} do not add up")
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
        day=day_of(sale.time, config),
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


def day_of(time: datetime, config: LamassuConfig) -> str:
    """The date in the operator's time zone: daily limits go by it."""
    return time.astimezone(ZoneInfo(config.timezone)).date().isoformat()

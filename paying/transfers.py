"""Forming transfers: what is open becomes amounts for wallets, stored before anything is paid.

A *transfer* is an amount for one wallet: open shares of one client in one currency, commissions or
credits of one poll. What travels together stays below LNbits' maximum; a single amount above it
becomes several payouts.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from loguru import logger

from .. import database
from ..crud_lnbits import get_wallet
from ..helpers import average_price, fiat_text, new_id, now
from ..models_config import LamassuConfig
from ..models_payouts import Payout
from ..models_sales import PayoutKind
from ..partners import crud as partners
from ..partners.crud import OpenPart
from . import crud_open, crud_payouts, limits, schedule

_MOST_PARTS = 1000
_MOST_TOGETHER = 250  # sales: LNbits keeps with each payment what it was for

Member = TypeVar("Member")


async def form_credits(lease: str, config: LamassuConfig, due: datetime | None) -> None:
    """`due`: of what was planned until then, and what no schedule holds back; None for all."""
    async with database.ledger(lease) as work:
        sales = await crud_open.uncredited_sales(work, due)
        for group in _groups(sales, [sale.amount_sats for sale in sales]):
            await _carry_sales(work, "credit", None, config.source_wallet_id, group)


async def form_transfers(lease: str, config: LamassuConfig, due: datetime | None) -> None:
    """Group what the source wallet can cover into transfers; the rest waits, and says why.

    `due`: of what was planned until then, and what no schedule holds back; None for all. The
    oldest sales go first: what comes after a share that does not fit waits with it.
    """
    if not await _is_anything_due(due):
        return
    source = await get_wallet(config.source_wallet_id)
    async with database.ledger(lease) as work:
        shares = await crud_open.unpaid_shares(work, due)
        shares = await asyncio.to_thread(schedule.worth_paying, shares, config.payout_min_sats)
        sales = await crud_open.unpaid_commissions(work, due)
        if source is None:
            error = f"The source wallet {config.source_wallet_id} is gone: choose another."
            await crud_payouts.set_waiting(work, [s.id for s in shares], error)
            return
        payer = source.source_wallet_id
        reserved = limits.all_needed_msat(await crud_payouts.open_amounts(work, payer))
        # In threads: of a hundred thousand shares it takes a while, in which LNbits serves others.
        available = source.balance_msat - reserved
        number, available = await asyncio.to_thread(_covered, shares, available)
        covered, waiting = shares[:number], shares[number:]
        formed, carried = await asyncio.to_thread(_to_clients, covered, payer)
        await crud_payouts.carry_shares(work, carried)
        await work.insert("dca_payouts", formed)
        if waiting:
            needed = limits.all_needed_msat(share.amount_sats for share in waiting)
            missing = limits.whole_sats(needed - available)
            error = f"Waiting: the source wallet is short of {missing} sats."
            await crud_payouts.set_waiting(work, [s.id for s in waiting], error)
            logger.warning(f"satmachineclient: {len(waiting)} shares wait. {error}")
            return
        open_parts = await partners.unpaid_parts(work, due)
        available = await _to_partners(work, open_parts, payer, available)
        number, _ = _covered(sales, available)
        await _form_commissions(work, sales[:number], config, payer)


async def _is_anything_due(due: datetime | None) -> bool:
    """Asked before the balance, for which LNbits sums all payments of the source wallet."""
    async with database.reading() as work:
        return bool(
            await crud_open.unpaid_shares(work, due, most=1)
            or await crud_open.unpaid_commissions(work, due, most=1)
            or await partners.unpaid_parts(work, due, most=1)
        )


async def _to_partners(
    work: database.Ledger, parts: list[OpenPart], payer: str, available_msat: int
) -> int:
    """Transfers for the parts of each partner that are covered, oldest first; what is left then.

    Who has to wait holds up no other partner.
    """
    by_partner: dict[str, list[OpenPart]] = {}
    for each in parts:
        by_partner.setdefault(each.partner_id, []).append(each)
    for of_partner in by_partner.values():
        number, available_msat = _covered(of_partner, available_msat)
        for group in _groups(of_partner[:number], [p.amount_sats for p in of_partner[:number]]):
            await _carry_parts(work, group, payer)
        waiting = of_partner[number:]
        if waiting:
            needed = limits.all_needed_msat(each.amount_sats for each in waiting)
            missing = limits.whole_sats(needed - available_msat)
            error = f"Waiting: the source wallet is short of {missing} sats."
            await partners.set_waiting(work, [each.id for each in waiting], error)
    return available_msat


async def _carry_parts(work: database.Ledger, parts: Sequence[OpenPart], payer: str) -> None:
    """A transfer for these parts of one partner."""
    transfer = _Transfer("partner", payer, parts[0].wallet_id)
    extra = {
        "partner_id": parts[0].partner_id,
        "transaction_ids": [each.transaction_id for each in parts],
        "sales": [
            {
                "lamassu_transaction_id": each.lamassu_transaction_id,
                "amount_sats": each.amount_sats,
            }
            for each in parts
        ],
    }
    ids = [each.id for each in parts]
    await partners.carry_parts(work, ids, transfer.id, parts[0].wallet_id)
    amount = sum(each.amount_sats for each in parts)
    memo = f"DCA: your part of the commission of {_sales(len(parts))}"
    await work.insert("dca_payouts", transfer.payouts(amount, memo, extra))


async def _form_commissions(
    work: database.Ledger,
    sales: Sequence[crud_open.OpenSale],
    config: LamassuConfig,
    payer: str,
) -> None:
    by_wallet: dict[str, list[crud_open.OpenSale]] = {}
    for sale in sales:
        wallet_id = config.commission_wallet_id or sale.wallet_id or ""
        by_wallet.setdefault(wallet_id, []).append(sale)
    for wallet_id, of_wallet in by_wallet.items():
        for group in _groups(of_wallet, [sale.amount_sats for sale in of_wallet]):
            await _carry_sales(work, "commission", payer, wallet_id, group)


async def part(lease: str, refused: Payout) -> bool:
    """Put two transfers of half as much each in the place of one that LNbits refuses.

    It must surely be unpaid, and its invoice void. False if it is for one sale only, which then
    waits alone.
    """
    payer = refused.source_wallet_id or ""
    async with database.ledger(lease) as work:
        members = await _members(work, refused)
        if len(members) < 2:
            return False
        await crud_payouts.dissolve_transfer(work, refused.transfer_id)
        middle = len(members) // 2
        for half in (members[:middle], members[middle:]):
            if refused.kind == "client":
                formed, carried = _to_client(half, payer)
                await crud_payouts.carry_shares(work, carried)
                await work.insert("dca_payouts", formed)
            elif refused.kind == "partner":
                await _carry_parts(work, half, payer)
            else:
                source = refused.source_wallet_id
                await _carry_sales(work, refused.kind, source, refused.wallet_id, half)
    return True


async def _members(work: database.Ledger, transfer: Payout) -> Sequence[Any]:
    """What an unpaid transfer carries, oldest sale first."""
    if transfer.kind == "client":
        return await crud_open.shares_of_transfer(work, transfer.transfer_id)
    if transfer.kind == "partner":
        return await partners.parts_of_transfer(work, transfer.transfer_id)
    return await crud_open.sales_of_transfer(work, transfer.kind, transfer.transfer_id)


async def _carry_sales(
    work: database.Ledger,
    kind: PayoutKind,
    source_wallet_id: str | None,
    wallet_id: str,
    sales: Sequence[crud_open.OpenSale],
) -> None:
    """One transfer for the credits, or the commissions, of these sales."""
    transfer = _Transfer(kind, source_wallet_id, wallet_id)
    what = "Lamassu: sats received in" if kind == "credit" else "DCA commission of"
    ids = [sale.id for sale in sales]
    extra = {
        "transaction_ids": ids,
        "sales": [
            {"lamassu_transaction_id": s.lamassu_transaction_id, "amount_sats": s.amount_sats}
            for s in sales
        ],
    }
    amount = sum(sale.amount_sats for sale in sales)
    await work.insert(
        "dca_payouts", transfer.payouts(amount, f"{what} {_sales(len(sales))}", extra)
    )
    await crud_payouts.carry_transactions(work, f"{kind}_transfer_id", ids, transfer.id)


def _covered(
    queue: Sequence[crud_open.OpenShare | crud_open.OpenSale | OpenPart], available_msat: int
) -> tuple[int, int]:
    """How many, from the front of the queue, the balance covers; and what is left of it."""
    for number, each in enumerate(queue):
        needed = limits.needed_msat(each.amount_sats)
        if needed > available_msat:
            return number, available_msat
        available_msat -= needed
    return len(queue), available_msat


def _groups(members: Sequence[Member], amounts: Sequence[int]) -> list[list[Member]]:
    """Members that travel together, in their order: never above LNbits' maximum, unless one is."""
    largest = limits.largest_sats()
    groups: list[list[Member]] = []
    total = 0
    for member, amount in zip(members, amounts, strict=True):
        if not groups or len(groups[-1]) >= _MOST_TOGETHER or total + amount > largest:
            groups.append([])
            total = 0
        groups[-1].append(member)
        total += amount
    return groups


def _to_clients(
    shares: Sequence[crud_open.OpenShare], source_wallet_id: str
) -> tuple[list[Payout], list[tuple[str, str, str]]]:
    """Transfers for each client and currency; and each share's id, its transfer and wallet."""
    formed: list[Payout] = []
    carried: list[tuple[str, str, str]] = []
    for of_client in _by_client_and_currency(shares):
        for group in _groups(of_client, [share.amount_sats for share in of_client]):
            payouts, with_it = _to_client(group, source_wallet_id)
            formed += payouts
            carried += with_it
    return formed, carried


def _to_client(
    group: Sequence[crud_open.OpenShare], source_wallet_id: str
) -> tuple[list[Payout], list[tuple[str, str, str]]]:
    transfer = _Transfer("client", source_wallet_id, group[0].wallet_id)
    bought = _Bought(group)
    carried = [(share.id, transfer.id, share.wallet_id) for share in group]
    return transfer.payouts(bought.sats, bought.memo(), bought.extra()), carried


def _by_client_and_currency(
    shares: Sequence[crud_open.OpenShare],
) -> list[list[crud_open.OpenShare]]:
    groups: dict[tuple[str, str], list[crud_open.OpenShare]] = {}
    for share in shares:
        groups.setdefault((share.client_id, share.currency), []).append(share)
    return list(groups.values())


class _Transfer:
    """A transfer to be stored as one payout, or as several where LNbits' maximum asks for it."""

    def __init__(self, kind: PayoutKind, source_wallet_id: str | None, wallet_id: str) -> None:
        self.id = new_id()
        self.kind: PayoutKind = kind
        self.source_wallet_id = source_wallet_id
        self.wallet_id = wallet_id

    def payouts(self, amount_sats: int, memo: str, extra: dict[str, Any]) -> list[Payout]:
        """Its parts, to be stored together with what it carries; `extra`: what it is about."""
        largest = limits.largest_sats()
        amounts = [amount_sats]  # LNbits refuses it, if its maximum makes no sense
        if 0 < largest < amount_sats <= largest * _MOST_PARTS:
            full, rest = divmod(amount_sats, largest)
            amounts = [largest] * full + [rest] * (rest > 0)
        created = now()
        return [
            Payout(
                id=f"{self.id}-{part:04}",
                transfer_id=self.id,
                kind=self.kind,
                source_wallet_id=self.source_wallet_id,
                wallet_id=self.wallet_id,
                amount_sats=amount,
                memo=memo,
                created_at=created,
                extra=extra,
            )
            for part, amount in enumerate(amounts, 1)
        ]


def _sales(number: int) -> str:
    return f"{number} ATM sale{'s' if number != 1 else ''}"


class _Bought:
    """What one client's shares in one currency bought, as their LNbits payment says it.

    The rate is fiat per whole bitcoin, with the currency's decimals.
    """

    def __init__(self, shares: Sequence[crud_open.OpenShare]) -> None:
        self._shares = shares
        self.sats = sum(s.amount_sats for s in shares)
        fiat = sum(s.amount_fiat for s in shares)
        self._currency = shares[0].currency
        self._fiat = fiat_text(fiat, self._currency)
        self._rate = average_price(fiat, self.sats, self._currency)

    def memo(self) -> str:
        return (
            f"DCA: {self.sats} sats for {self._fiat} {self._currency} "
            f"at {self._rate} {self._currency}/BTC ({self._what()})"
        )

    def _what(self) -> str:
        sales = sum(s.direction != "settle_out" for s in self._shares)
        settled = len(self._shares) > sales
        return " and ".join([_sales(sales)] * (sales > 0) + ["the rest of your cash"] * settled)

    def extra(self) -> dict[str, Any]:
        """For other software; for a transfer in several parts, of the whole of it."""
        return {
            "client_id": self._shares[0].client_id,
            "transaction_ids": [s.transaction_id for s in self._shares],
            "sales": [
                {
                    "lamassu_transaction_id": s.lamassu_transaction_id,
                    "amount_sats": s.amount_sats,
                    "amount_fiat": fiat_text(s.amount_fiat, s.currency),
                }
                for s in self._shares
            ],
            "amount_sats": self.sats,
            "amount_fiat": self._fiat,
            "currency": self._currency,
            "exchange_rate": self._rate,
        }

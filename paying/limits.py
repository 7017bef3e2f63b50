"""What LNbits itself allows, and asks for: largest amounts, pauses, a day's limit, service fees.

LNbits refuses what is beyond them when it is asked; here they are known before, so that a payment
waits for its time instead of failing again and again.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone

from lnbits.core.crud.wallets import get_wallet
from lnbits.db import Connection
from lnbits.settings import settings

from .. import crud_lnbits
from ..helpers import internal_fee_msat, now
from ..models_payouts import Payout


def largest_sats() -> int:
    """The most that one payment may be, in sats."""
    return min(
        settings.lnbits_max_incoming_payment_amount_sats,
        settings.lnbits_max_outgoing_payment_amount_sats,
    )


def needed_msat(amount_sats: int) -> int:
    """What the payer has to hold for this amount, wherever it travels, in msat.

    LNbits rounds the fee of a whole payment down: a millisat more for each part of it covers that.
    """
    fee = internal_fee_msat(amount_sats)
    return amount_sats * 1000 + (fee + 1 if fee else 0)


def all_needed_msat(amounts_sats: Iterable[int]) -> int:
    return sum(needed_msat(amount) for amount in amounts_sats)


def whole_sats(msat: int) -> int:
    """So many msat as whole sats, rounded up: who tops up exactly that has enough."""
    return -(-msat // 1000)


async def wait_until(payout: Payout, conn: Connection) -> tuple[datetime, str] | None:
    """Until when LNbits would refuse this payment, and why; None if it may go now."""
    source = payout.source_wallet_id or ""
    seconds = settings.lnbits_wallet_limit_secs_between_trans
    if seconds > 0:
        last = await crud_lnbits.last_booking(conn, source)
        # LNbits counts whole seconds.
        free = last + timedelta(seconds=seconds + 1) if last else None
        if free and now() < free <= now() + timedelta(seconds=seconds + 1):
            return free, f"Waiting: LNbits asks for {seconds} seconds between payments."
    limit = settings.lnbits_wallet_limit_daily_max_withdraw
    if limit > 0:
        today = now().astimezone(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
        number, spent_msat = await crud_lnbits.spent_since(conn, source, today)
        # The first payment of a day passes, however large it is.
        if number and spent_msat + payout.amount_sats * 1000 > limit * 1000:
            tomorrow = today + timedelta(days=1, seconds=5)
            return tomorrow, f"Waiting: LNbits lets a wallet pay {limit} sats a day."
    return None


async def is_too_much(payout: Payout, conn: Connection) -> bool:
    """Whether it is the amount that LNbits refuses: a smaller one might pass."""
    amount = payout.amount_sats
    if amount > largest_sats():
        return True
    receiver = await get_wallet(payout.wallet_id, conn=conn)
    most = settings.lnbits_wallet_limit_max_balance
    if receiver and 0 < most < whole_sats(receiver.balance_msat) + amount:
        return True
    if payout.kind == "credit":
        return False
    payer = await get_wallet(payout.source_wallet_id or "", conn=conn)
    needed = amount * 1000 + internal_fee_msat(amount)
    return bool(payer and payer.balance_msat < needed)

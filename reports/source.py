"""The source wallet: what it holds against what it still has to pay."""

from lnbits.core.crud.wallets import get_wallet
from pydantic import BaseModel

from ..crud import get_config
from ..database import Row, reading
from ..helpers import internal_fee_msat
from ..models_config import LamassuConfig
from . import crud


class SourceWallet(BaseModel):
    """What the source wallet holds against what it still has to pay, in sats."""

    wallet_id: str
    exists: bool
    balance_sats: int
    owed_shares_sats: int
    owed_commission_sats: int
    owed_fees_sats: int
    owed_partners_sats: int
    to_credit_sats: int
    missing_sats: int


async def read(more: tuple[int, ...] = ()) -> SourceWallet | None:
    """The source wallet as it is now, against what it owes and these sats of further shares."""
    async with reading():
        config, shares = await get_config(), await crud.open_shares()
        waiting, partners = await crud.open_sales(), await crud.open_partner_sats()
    number, sats = shares.get("pending", (0, 0))
    shares |= {"pending": (number + len(more), sats + sum(more))}
    return await of(config, shares, waiting, partners)


async def of(
    config: LamassuConfig | None,
    shares: dict[str, tuple[int, int]],
    waiting: Row,
    partners: tuple[int, int],
) -> SourceWallet | None:
    if config is None:
        return None
    wallet = await get_wallet(config.source_wallet_id)
    balance = wallet.balance_msat // 1000 if wallet else 0
    owed_shares = sum(sats for _, sats in shares.values())
    owed_partners, parts = partners
    owed = owed_shares + owed_partners + waiting["commission"]
    payments = sum(number for number, _ in shares.values()) + parts + waiting["commissions"]
    fees = _most_fees(owed, payments)
    return SourceWallet(
        wallet_id=config.source_wallet_id,
        exists=wallet is not None,
        balance_sats=balance,
        owed_shares_sats=owed_shares,
        owed_commission_sats=waiting["commission"],
        owed_fees_sats=fees,
        owed_partners_sats=owed_partners,
        to_credit_sats=waiting["credit"],
        missing_sats=max(owed + fees - balance - waiting["credit"], 0),
    )


def _most_fees(sats: int, payments: int) -> int:
    """LNbits' service fees for so many sats in up to so many payments, in sats, rounded up.

    The fee grows with the amount up to a maximum, so that equal payments cost the most.
    """
    fee = internal_fee_msat(-(-sats // payments)) if payments else 0
    return -(-(fee + 1) * payments // 1000) if fee else 0

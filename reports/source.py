"""The source wallet: what it holds against what it still has to pay."""

from typing import NamedTuple

from pydantic import BaseModel

from ..crud import get_config
from ..crud_lnbits import get_wallet
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


class Owed(NamedTuple):
    """What is to be paid: shares by state, commissions and credits, and the partners' parts."""

    shares: dict[str, tuple[int, int]]
    sales: Row
    partners: tuple[int, int]

    @property
    def sats(self) -> int:
        """All of it, without LNbits' service fees."""
        shares = sum(sats for _, sats in self.shares.values())
        return shares + self.partners[0] + int(self.sales["commission"])


async def owed() -> Owed:
    async with reading():
        return Owed(
            await crud.open_shares(), await crud.open_sales(), await crud.open_partner_sats()
        )


async def read(more: tuple[int, ...] = ()) -> SourceWallet | None:
    """The source wallet as it is now, against what it owes and these sats of further shares."""
    async with reading():
        config, waiting = await get_config(), await owed()
    number, sats = waiting.shares.get("pending", (0, 0))
    waiting.shares["pending"] = number + len(more), sats + sum(more)
    return await of(config, waiting)


async def of(config: LamassuConfig | None, waiting: Owed) -> SourceWallet | None:
    """The source wallet as it is now, against what waits; not within a reading of ours."""
    if config is None:
        return None
    wallet = await get_wallet(config.source_wallet_id)
    balance = wallet.balance_msat // 1000 if wallet else 0
    owed_shares = sum(sats for _, sats in waiting.shares.values())
    owed_partners, parts = waiting.partners
    sales = waiting.sales
    owed = waiting.sats
    payments = sum(number for number, _ in waiting.shares.values()) + parts + sales["commissions"]
    fees = _most_fees(owed, payments)
    return SourceWallet(
        wallet_id=config.source_wallet_id,
        exists=wallet is not None,
        balance_sats=balance,
        owed_shares_sats=owed_shares,
        owed_commission_sats=sales["commission"],
        owed_fees_sats=fees,
        owed_partners_sats=owed_partners,
        to_credit_sats=sales["credit"],
        missing_sats=max(owed + fees - balance - sales["credit"], 0),
    )


def _most_fees(sats: int, payments: int) -> int:
    """LNbits' service fees for so many sats in up to so many payments, in sats, rounded up.

    The fee grows with the amount up to a maximum, so that equal payments cost the most.
    """
    fee = internal_fee_msat(-(-sats // payments)) if payments else 0
    return -(-(fee + 1) * payments // 1000) if fee else 0

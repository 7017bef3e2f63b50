"""What failed for a wallet is tried again by itself as soon as that wallet is another."""

from loguru import logger

from .. import database
from ..crud_lnbits import get_wallet
from ..models_config import LamassuConfig
from . import crud, payouts


async def release(lease: str, config: LamassuConfig) -> int:
    """Dissolve the failed transfers from, or to, wallets that are others by now; how many.

    What they carried is open again, so that the next settling pays it by the wallets of today.
    One of which a part is paid keeps that part.
    """
    async with database.reading() as work:
        if not await crud.has_failed_payouts(work):
            return 0
    source = await get_wallet(config.source_wallet_id)
    async with database.reading() as work:
        moved = await crud.moved_transfers(
            work,
            source=config.source_wallet_id,
            payer=source.source_wallet_id if source else None,
            commission=config.commission_wallet_id,
        )
    for transfer_id in moved:
        try:
            await payouts.release(lease, transfer_id)
        except payouts.PayoutError as exc:
            logger.error(f"satmachineclient: transfer {transfer_id} needs a person: {exc}")
    return len(moved)

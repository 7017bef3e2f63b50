"""The two background tasks of telling: looking every few minutes, delivering all the time."""

import asyncio
import os
from datetime import timedelta

from lnbits.settings import settings

from ..helpers import log_unexpected, now
from . import alerts, crud, crud_outbox, digest, outbox, wishes
from .models import Channel

_FIRST_SECONDS = int(os.environ.get("SATMACHINECLIENT_FIRST_POLL_SECONDS", "10"))
_LOOK_SECONDS = 180
_TURN_SECONDS = 170  # a server's own next look comes a little later than its last one
_DELIVER_SECONDS = 5
_KEEP = timedelta(days=30)


async def look() -> None:
    """Evaluate the alerts, and write the digest when it is due, until LNbits stops."""
    await asyncio.sleep(_FIRST_SECONDS)
    while settings.lnbits_running:
        try:
            await look_once()
        except Exception as exc:  # the top of a background loop: the next look may succeed
            log_unexpected("looking for alerts failed", exc)
        await asyncio.sleep(_LOOK_SECONDS)


async def look_once() -> bool:
    """One look, unless another server has just looked; whether it was ours."""
    at = now()
    if not await crud.claim_look(at, at - timedelta(seconds=_TURN_SECONDS)):
        return False
    await alerts.evaluate()
    await digest.digest_if_due()
    await wishes.tell_clients()
    await crud_outbox.forget_letters(at - _KEEP)
    return True


async def deliver() -> None:
    """Deliver what is in the outbox, until LNbits stops; no way of telling waits for another."""
    await asyncio.sleep(_FIRST_SECONDS)
    await asyncio.gather(*(_deliver_by(channel) for channel in outbox.CHANNELS))


async def _deliver_by(channel: Channel) -> None:
    while settings.lnbits_running:
        try:
            while await outbox.deliver_due(channel):
                await asyncio.sleep(0)
        except Exception as exc:  # as above
            log_unexpected("delivering letters failed", exc)
        await asyncio.sleep(_DELIVER_SECONDS)

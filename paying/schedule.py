"""When what is planned is paid: at each poll, or at one moment of the day or the week.

A payout run pays all that was planned until it began. It begins with the first settling after a
scheduled moment, so that a server that was down then pays when it is back, and pays once.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol, TypeVar

from .. import crud, database
from ..configuration import due_until
from ..helpers import now
from ..models_config import LamassuConfig
from . import crud_open


async def begin(lease: str, config: LamassuConfig) -> datetime | None:
    """Until when something has to be planned to be paid in this settling; None: all of it is due.

    A run that begins is stored before anything of it is paid.
    """
    if config.payout_schedule == "each_poll":
        return None
    async with database.ledger(lease) as work:
        stored = await crud.fetch_config(work) or config
        until = due_until(stored, now())
        if until != stored.payouts_due_until:
            await crud_open.set_payouts_due_until(work, until)
    return until


class Waiting(Protocol):
    """`in_full`: it is paid, however little it is."""

    @property
    def client_id(self) -> str: ...
    @property
    def amount_sats(self) -> int: ...
    @property
    def in_full(self) -> bool: ...
    @property
    def payout_min_sats(self) -> int: ...


Share = TypeVar("Share", bound=Waiting)


def worth_paying(shares: Iterable[Share], smallest_sats: int | None) -> list[Share]:
    """The shares of those clients who have enough together, in their order.

    Enough is what the operator has set, or the client where that is more.
    """
    together: dict[str, int] = {}
    in_full: set[str] = set()
    queue = list(shares)
    for share in queue:
        together[share.client_id] = together.get(share.client_id, 0) + share.amount_sats
        if share.in_full:
            in_full.add(share.client_id)
    return [
        share
        for share in queue
        if share.client_id in in_full
        or together[share.client_id] >= max(smallest_sats or 0, share.payout_min_sats)
    ]

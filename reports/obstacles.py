"""What stops money from moving until a person acts: wallets that are gone, or whose user is."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, NamedTuple, get_args

from pydantic import BaseModel

from ..crud_lnbits import without_wallet
from ..helpers import now
from . import crud

ObstacleCode = Literal[
    "source_wallet_gone", "commission_wallet_gone", "client_wallet_gone", "partner_wallet_gone"
]
_NAMED = 3  # in one sentence about many


class Obstacle(BaseModel):
    """`subject`: the id of the client or partner, else of the wallet; `name`: theirs."""

    code: ObstacleCode
    subject: str
    name: str | None = None

    @property
    def text(self) -> str:
        who = self.name or self.subject
        return {
            "source_wallet_gone": f"The source wallet {who} is gone: nothing can be paid. Choose "
            "another in the configuration.",
            "commission_wallet_gone": f"The commission wallet {who} is gone: the commission cannot "
            "be paid. Choose another in the configuration.",
            "client_wallet_gone": f"The wallet of {who}, or its user, is gone: their cash waits "
            "and buys nothing until they have another wallet.",
            "partner_wallet_gone": f"The wallet of the partner {who}, or its user, is gone: their "
            "part of the commission cannot be paid. Give them another wallet.",
        }[self.code]


async def find() -> list[Obstacle]:
    """All that stands in the way now, what concerns most first."""
    found = [
        Obstacle(code=f"{row['what']}_wallet_gone", subject=row["id"], name=row["name"])
        for row in await without_wallet(crud.NEEDED_WALLETS, "named.name, named.id")
    ]
    return sorted(found, key=lambda obstacle: get_args(ObstacleCode).index(obstacle.code))


class Look(NamedTuple):
    """What stood in the way, and the time just before it was asked for."""

    at: datetime
    found: list[Obstacle]


async def look() -> Look:
    return Look(now(), await find())


async def clients_aside() -> set[str]:
    """The clients who wait: what they would be paid has nowhere to go."""
    return {o.subject for o in await find() if o.code == "client_wallet_gone"}


def sentence(obstacles: Iterable[Obstacle]) -> str | None:
    """All of it in a few sentences; None if there is nothing."""
    texts = [obstacle.text for obstacle in obstacles]
    more = len(texts) - _NAMED
    ending = [f"And {more} more of this kind."] if more > 0 else []
    return " ".join([*texts[:_NAMED], *ending]) or None

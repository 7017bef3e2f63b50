"""What stops money from moving until a person acts: wallets that are gone, or whose user is."""

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel

from ..crud_lnbits import living_wallets, without_wallet
from ..models_config import LamassuConfig
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


async def find(config: LamassuConfig | None) -> list[Obstacle]:
    """All that stands in the way now, what concerns most first."""
    own = {} if config is None else {"source_wallet_gone": config.source_wallet_id}
    if config and config.commission_wallet_id not in (None, config.source_wallet_id):
        own["commission_wallet_gone"] = config.commission_wallet_id or ""
    alive = await living_wallets(own.values())
    owners = await without_wallet(f"{crud.PAID_OWNERS} ORDER BY 1, 3, 2")
    return [
        *(Obstacle(code=code, subject=key) for code, key in own.items() if key not in alive),
        *(
            Obstacle(code=f"{row['what']}_wallet_gone", subject=row["id"], name=row["name"])
            for row in owners
        ),
    ]


async def clients_aside() -> set[str]:
    """The clients who wait: what they would be paid has nowhere to go."""
    return {o.subject for o in await find(None) if o.code == "client_wallet_gone"}


def sentence(obstacles: Iterable[Obstacle]) -> str | None:
    """All of it in a few sentences; None if there is nothing."""
    texts = [obstacle.text for obstacle in obstacles]
    more = len(texts) - _NAMED
    ending = [f"And {more} more of this kind."] if more > 0 else []
    return " ".join([*texts[:_NAMED], *ending]) or None

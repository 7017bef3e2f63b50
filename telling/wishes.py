"""What clients are told, each once: cash nearly used up, a goal reached, a statement ready.

Deposits and forwards are told where they happen (`crud.tell_clients`). Single payments are not
told: LNbits does that.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from .. import crud as root_crud
from .. import database
from ..helpers import fiat_text, now, start_of
from ..models import AuditEntry
from . import crud
from .models import Wishes

_TOGETHER = 100  # clients told in one transaction


async def of_client(client_id: str) -> Wishes:
    """What the client has chosen; all notices and no goal, where they have chosen nothing."""
    return await crud.get_wishes(client_id) or Wishes(client_id=client_id)


async def save(wish: Wishes, audit: AuditEntry) -> None:
    await crud.save_wishes(wish, audit)


async def tell_clients(at: datetime | None = None) -> None:
    """Look who is to be told something, and write the letters."""
    await _tell_in_pieces("cash_low", await _cash_low())
    await _tell_in_pieces("goal_reached", await _goals())
    await _tell_statements(at or now())


async def _tell_in_pieces(kind: str, told: dict[str, tuple[str, str]]) -> None:
    keys = list(told)
    for start in range(0, len(keys), _TOGETHER):
        piece = {key: told[key] for key in keys[start : start + _TOGETHER]}
        async with database.ledger() as work:
            await root_crud.tell_clients(work, kind, piece)
            if kind == "goal_reached":
                await crud.mark_goals(work, [client_id for client_id, _ in piece.values()], now())


async def _cash_low() -> dict[str, tuple[str, str]]:
    """Less than a tenth of the last deposit is left; told once for each deposit."""
    return {
        row["deposit_id"]: (
            row["client_id"],
            f"Your cash in {row['currency']} is nearly used up: "
            f"{fiat_text(row['remaining'], row['currency'])} {row['currency']} is left. "
            "Bring a deposit to go on buying.",
        )
        for row in await crud.nearly_used_up()
    }


async def _goals() -> dict[str, tuple[str, str]]:
    """Told once for each goal; who changes theirs may reach the next."""
    return {
        f"{row['client_id']}:{row['goal_sats'] or row['goal_fiat']}": (
            row["client_id"],
            "You have reached your savings goal of "
            + (
                f"{row['goal_sats']} sats."
                if row["goal_sats"]
                else f"{fiat_text(row['goal_fiat'], row['goal_currency'])} {row['goal_currency']}."
            ),
        )
        for row in await crud.reached_goals()
    }


async def _tell_statements(at: datetime) -> None:
    """At the turn of the month in the operator's zone: last month's, of who has something in it.

    That all of them are told is remembered, so that nobody is looked for again.
    """
    config = await root_crud.get_config()
    zone = ZoneInfo(config.timezone if config else "UTC")
    first = at.astimezone(zone).date().replace(day=1)
    before = (first - timedelta(days=1)).replace(day=1)
    month = before.isoformat()[:7]
    since, until = start_of(before, zone), start_of(first, zone)
    if await crud.is_told(f"statements:{month}"):
        return
    told = {
        f"{client_id}:{month}": (client_id, f"Your statement of {month} is ready under My DCA.")
        for client_id in await crud.moved_between(since, until)
    }
    await _tell_in_pieces("statement_ready", told)
    await crud.mark_told(f"statements:{month}", now())

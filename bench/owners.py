"""What machines that hold cash of their own, and partners, cost the planning of a backlog."""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from .backlog import timed_poll
from .meters import median
from .world import BenchWorld, now

_MACHINES = 5
_SIZE = (500, 200)
_QUICK = (100, 50)


async def run(world: BenchWorld, *, quick: bool) -> dict[str, Any]:
    """Seconds of planning the same sales and clients, without and with them, by turns."""
    sales, clients = _QUICK if quick else _SIZE
    plain, owned = [], []
    for _ in range(1 if quick else 3):
        plain.append(await _planning(world, sales, clients, owners=False))
        owned.append(await _planning(world, sales, clients, owners=True))
    return {
        "sales": sales,
        "clients": clients,
        "machines": _MACHINES,
        "plain_seconds": median(plain),
        "owned_seconds": median(owned),
        "owned_to_plain": median(owned) / median(plain),
    }


async def _planning(world: BenchWorld, sales: int, clients: int, *, owners: bool) -> float:
    """Every client has a balance for every sale in both cases: the shares are as many."""
    await world.clear()
    machines = [secrets.token_hex(16) for _ in range(_MACHINES)]
    lies_in = [None, *machines] if owners else [None]
    await world.add_clients(clients, deposits_each=_MACHINES + 1, machines=lies_in)
    if owners:
        await _add_partners(world, machines)
    await world.add_sales(sales, machines)
    planning = (await timed_poll(world, sales * clients)).planning
    # The first partner has a part of every sale, each other one of those at their machine.
    wanted = sales + sales * (_MACHINES - 1) // _MACHINES if owners else 0
    parts = len(await world.rows("SELECT id FROM satmachineclient.dca_commission_shares"))
    if parts != wanted:
        raise RuntimeError(f"partners have {parts} parts, not {wanted}")
    if owners and not await world.rows(
        "SELECT client_id FROM satmachineclient.dca_machine_balances WHERE allocated_fiat > 0"
    ):
        raise RuntimeError("no sale has drawn on the cash in its machine")
    return planning


async def _add_partners(world: BenchWorld, machines: Sequence[str]) -> None:
    """The first gets an eighth of all commission, each other a tenth of one machine's.

    Their terms are older than all sales.
    """
    from satmachineclient.helpers import new_id
    from satmachineclient.models import AuditEntry
    from satmachineclient.partners import crud
    from satmachineclient.partners.models import Partner

    for n, machine in enumerate(machines):
        partner = Partner(
            id=new_id(),
            name=f"partner {n}",
            user_id=secrets.token_hex(16),
            wallet_id=secrets.token_hex(16),
            percent=Decimal(10 if n else "12.5"),
            device_ids=[machine] if n else [],
            valid_from=now() - timedelta(days=300),
            created_at=now(),
        )
        await world.add_wallets([partner.wallet_id])
        audit = AuditEntry.of("bench", "partner added", partner.id)
        await crud.insert_partner(partner, lambda _: None, audit)

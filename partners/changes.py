"""What happens to a partner: added, changed, ended; what is asked of them.

Terms count from the moment at which they are set: sales of before keep the split of their time.
"""

from collections.abc import Iterable
from decimal import Decimal

from lnbits.core.models import Wallet

from ..crud import get_config
from ..crud_lnbits import get_wallet
from ..helpers import new_id, now
from ..machines.crud import known_ids
from ..models import AuditEntry
from . import crud
from .models import CreatePartner, Partner, PartnerOut, Totals, UpdatePartner, percent_text


async def add(data: CreatePartner, operator: str) -> Partner:
    """Raises ValueError, naming the field."""
    wallet = await _wallet(data.wallet_id)
    await _check_machines(data.device_ids)
    time = now()
    partner = Partner(
        id=new_id(),
        name=data.name.strip(),
        user_id=wallet.user,
        wallet_id=wallet.id,
        percent=data.percent,
        device_ids=sorted({*data.device_ids}),
        valid_from=time,
        created_at=time,
    )
    audit = AuditEntry.of(operator, "partner added", partner.id, after=_shown(partner))
    await crud.insert_partner(partner, lambda all_: check_together(all_, "percent"), audit)
    return partner


async def change(partner: Partner, data: UpdatePartner, operator: str) -> Partner:
    """Change name, wallet or terms; who has ended is still paid what is theirs.

    Raises:
        ValueError: naming the field.
    """
    sent = data.dict(exclude_unset=True)
    for name, value in sent.items():
        if value is None:
            raise ValueError(f"{name}: cannot be empty")
    if sent.get("wallet_id", partner.wallet_id) != partner.wallet_id:
        sent["user_id"] = (await _wallet(sent["wallet_id"])).user
    if "device_ids" in sent:
        await _check_machines(set(sent["device_ids"]) - {*partner.device_ids})
        sent["device_ids"] = sorted({*sent["device_ids"]})
    if "name" in sent:
        sent["name"] = sent["name"].strip()
    field = next((name for name in ("percent", "device_ids", "status") if name in sent), "percent")
    return await crud.update_partner(
        partner.id,
        lambda before: before.copy(update={**sent, "valid_from": now()}),
        lambda all_: check_together(all_, field),
        lambda before, after: AuditEntry.of(
            operator, "partner changed", after.id, _shown(before), _shown(after)
        ),
    )


def _shown(partner: Partner) -> PartnerOut:
    return PartnerOut.of(partner, Totals())


def check_together(partners: Iterable[Partner], field: str) -> None:
    """Nobody's commission is given away twice.

    Raises:
        ValueError: at some machine the active percentages are above 100 together.
    """
    active = [partner for partner in partners if partner.status == "active"]
    machines = {device_id for partner in active for device_id in partner.device_ids}
    for device_id in ("", *sorted(machines)):
        together = sum((p.percent for p in active if p.counts_at(device_id)), Decimal(0))
        if together > 100:
            where = f"machine {device_id}" if device_id else "every machine"
            raise ValueError(
                f"{field}: the partners would get {percent_text(together)} % of the commission "
                f"at {where}, more than all of it"
            )


async def _wallet(wallet_id: str) -> Wallet:
    """A wallet that can be a partner's; a client's may be one, the paying one may not.

    Raises:
        ValueError: it cannot, and why.
    """
    wallet = await get_wallet(wallet_id)
    if wallet is None:
        raise ValueError("wallet_id: there is no LNbits wallet with this id")
    if wallet.is_lightning_shared_wallet:
        raise ValueError("wallet_id: this is another user's shared wallet; give a wallet of theirs")
    if not wallet.can_receive_payments:
        raise ValueError("wallet_id: this wallet may not receive payments")
    config = await get_config()
    if config and config.source_wallet_id == wallet.id:
        raise ValueError("wallet_id: this is the source wallet, which pays the partners")
    return wallet


async def _check_machines(device_ids: Iterable[str]) -> None:
    known = await known_ids()
    for device_id in device_ids:
        if device_id not in known:
            raise ValueError(
                f"device_ids: neither Lamassu nor a sale has named a machine {device_id[:80]}"
            )

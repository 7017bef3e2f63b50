"""What happens to a machine: named, counted; and whether there is one of this id."""

from ..helpers import minor_units, new_id, now
from ..models import AuditEntry
from . import crud
from .models import Count, CountOut, CreateCount, Machine


async def rename(machine: Machine, name: str | None, operator: str) -> Machine | None:
    """The operator's own name for it, without spaces around it; None: Lamassu's again."""

    def audit(before: Machine, after: Machine) -> AuditEntry:
        return AuditEntry.of(
            operator,
            "machine named",
            machine.device_id,
            {"name": before.name},
            {"name": after.name},
        )

    return await crud.rename(machine.device_id, name and name.strip(), audit)


async def count(machine: Machine, data: CreateCount, operator: str) -> Count:
    """Write down what a person has counted in a machine; nothing of it changes any balance.

    Raises:
        ValueError: naming the field.
    """
    await check_currency(machine, data.currency)
    try:
        amount = minor_units(data.amount, data.currency)
    except ValueError as exc:
        raise ValueError(f"amount: {exc}") from None
    if amount < 0:
        raise ValueError("amount: cannot be less than nothing")
    counted = Count(
        id=new_id(),
        device_id=machine.device_id,
        currency=data.currency,
        amount=amount,
        notes=data.notes,
        counted_by=operator,
        counted_at=now(),
    )
    audit = AuditEntry.of(operator, "cash counted", machine.device_id, after=CountOut.of(counted))
    await crud.insert_count(counted, audit)
    return counted


async def known(device_id: str) -> Machine:
    """The machine, if Lamassu or a sale has ever named it.

    Raises:
        ValueError: neither has.
    """
    machine = await crud.get_machine(device_id)
    if machine is None:
        raise ValueError("device_id: neither Lamassu nor a sale has named such a machine")
    return machine


async def check_currency(machine: Machine, currency: str) -> None:
    """Raises ValueError if this machine deals in other currencies; unknown ones take any."""
    dealt_in = await crud.currencies_of(machine.device_id) | {machine.currency or ""} - {""}
    if dealt_in and currency not in dealt_in:
        raise ValueError(f"currency: this machine's is {', '.join(sorted(dealt_in))}")

"""REST of the machines and of the cash book."""

from http import HTTPStatus

from ..rest import Operator, check_operator, found, router_for
from . import crud, figures, register
from .models import CashBook, CountOut, CreateCount, Machine, MachineOut, UpdateMachine

satmachineclient_machines = router_for(check_operator)


@satmachineclient_machines.get("/machines")
async def list_machines() -> list[MachineOut]:
    return await figures.machines()


@satmachineclient_machines.put("/machines/{device_id}")
async def update_machine(device_id: str, data: UpdateMachine, operator: Operator) -> MachineOut:
    machine: Machine = found(await crud.get_machine(device_id), "machine")
    found(await register.rename(machine, data.name, operator), "machine")
    out: MachineOut = found(await figures.machine(device_id), "machine")
    return out


@satmachineclient_machines.post("/machines/{device_id}/counts", status_code=HTTPStatus.CREATED)
async def create_count(device_id: str, data: CreateCount, operator: Operator) -> CountOut:
    machine: Machine = found(await crud.get_machine(device_id), "machine")
    return CountOut.of(await register.count(machine, data, operator))


@satmachineclient_machines.get("/cash")
async def read_cash() -> list[CashBook]:
    """Owed to clients against counted and believed cash, per currency and machine."""
    return await figures.cash_book(await crud.get_machines())

"""SQL of deposits and withdrawals as a person records and decides them."""

from ..crud import note, tell_clients
from ..crud_clients import book_deposits, remaining, remaining_in_machines
from ..database import ledger, reading
from ..helpers import fiat_text
from ..models import AuditEntry
from ..models_clients import Deposit


async def insert_deposit(deposit: Deposit, audit: AuditEntry) -> None:
    async with ledger() as work:
        await work.insert("dca_deposits", [deposit])
        await work.insert("dca_audit", [audit])


async def get_deposit(deposit_id: str) -> Deposit | None:
    async with reading() as work:
        return await work.fetch_one(
            Deposit, "SELECT * FROM satmachineclient.dca_deposits WHERE id = :id", id=deposit_id
        )


async def withdraw(deposit: Deposit, audit: AuditEntry) -> None:
    """Store a withdrawal: a confirmed deposit of less than nothing.

    Raises:
        ValueError: it is more than what is left there: in its machine, or without one in none
            in particular.
    """
    async with ledger() as work:
        in_machines = await remaining_in_machines(work, deposit.client_id, deposit.currency)
        if deposit.device_id:
            left = in_machines.get(deposit.device_id, 0)
        else:
            all_of_it = (await remaining(work, deposit.client_id)).get(deposit.currency, 0)
            left = all_of_it - sum(in_machines.values())
        if left < -deposit.amount:
            amount = fiat_text(max(left, 0), deposit.currency)
            where = " in this machine" if deposit.device_id else ""
            elsewhere = sum(in_machines.values()) if not deposit.device_id else 0
            more = fiat_text(elsewhere, deposit.currency)
            hint = f"; {more} more lies in machines: name one in device_id" if elsewhere else ""
            raise ValueError(f"amount: at most {amount} {deposit.currency} is left{where}{hint}")
        await work.insert("dca_deposits", [deposit])
        await book_deposits(work, [deposit])
        await work.insert("dca_audit", [audit])


async def get_deposits_of(client_id: str) -> list[Deposit]:
    """One client's, newest first."""
    async with reading() as work:
        return await work.fetch(
            Deposit,
            "SELECT * FROM satmachineclient.dca_deposits WHERE client_id = :id "
            "ORDER BY created_at DESC, id",
            id=client_id,
        )


async def resolve_deposit(deposit: Deposit, audit: AuditEntry) -> bool:
    """Confirm or reject a deposit that is still pending; False if it no longer is."""
    async with ledger() as work:
        resolved = await work.execute(
            "UPDATE satmachineclient.dca_deposits "
            "SET status = :status, notes = :notes, confirmed_at = :confirmed_at "
            "WHERE id = :id AND status = 'pending'",
            id=deposit.id,
            status=deposit.status,
            notes=deposit.notes,
            confirmed_at=deposit.confirmed_at,
        )
        if resolved:
            if deposit.status == "confirmed":
                await book_deposits(work, [deposit])
                amount = f"{fiat_text(deposit.amount, deposit.currency)} {deposit.currency}"
                await note(
                    work, "deposit_confirmed", {deposit.id: f"Deposit of {amount} confirmed."}
                )
                text = f"Your deposit of {amount} is confirmed: the next sales buy bitcoin with it."
                await tell_clients(
                    work, "deposit_confirmed", {deposit.id: (deposit.client_id, text)}
                )
            await work.insert("dca_audit", [audit])
        return bool(resolved)

"""SQL of the clients, their deposits and their balances."""

from collections.abc import Iterable
from typing import Any

from .database import Ledger, chunks, ledger, reading
from .models import AuditEntry
from .models_clients import Balance, Client, Deposit

# ---- clients ---------------------------------------------------------------------------------


async def insert_client(client: Client, audit: AuditEntry) -> bool:
    """False, and nothing is stored, if the wallet is another client's."""
    async with ledger() as work:
        if await _wallet_is_taken(work, client):
            return False
        await work.insert("dca_clients", [client])
        await work.insert("dca_audit", [audit])
        return True


async def _wallet_is_taken(work: Ledger, client: Client) -> bool:
    """One wallet for each client: only the closed may share theirs."""
    return client.status != "closed" and bool(
        await work.rows(
            "SELECT id FROM satmachineclient.dca_clients "
            "WHERE wallet_id = :wallet AND id <> :id AND status <> 'closed'",
            wallet=client.wallet_id,
            id=client.id,
        )
    )


async def get_client(client_id: str) -> Client | None:
    async with reading() as work:
        return await work.fetch_one(
            Client, "SELECT * FROM satmachineclient.dca_clients WHERE id = :id", id=client_id
        )


async def get_clients(client_ids: Iterable[str] | None = None) -> list[Client]:
    """All clients, or those with these ids; oldest first."""
    async with reading() as work:
        if client_ids is None:
            return await work.fetch(
                Client, "SELECT * FROM satmachineclient.dca_clients ORDER BY created_at, id"
            )
        clients: list[Client] = []
        for ids in chunks(client_ids):
            clients += await work.fetch(
                Client, "SELECT * FROM satmachineclient.dca_clients WHERE id IN :ids", ids=ids
            )
        return clients


async def usernames(client_ids: Iterable[str]) -> dict[str, str | None]:
    """The clients' names, by their ids."""
    return {client.id: client.username for client in await get_clients(client_ids)}


async def get_client_by_wallet(wallet_id: str) -> Client | None:
    """The client who is paid into this wallet, unless closed."""
    async with reading() as work:
        return await work.fetch_one(
            Client,
            "SELECT * FROM satmachineclient.dca_clients "
            "WHERE wallet_id = :wallet_id AND status <> 'closed'",
            wallet_id=wallet_id,
        )


async def update_client(client: Client, audit: AuditEntry) -> bool:
    """False, and nothing is changed, if the wallet is another client's."""
    async with ledger() as work:
        if await _wallet_is_taken(work, client):
            return False
        await work.update("dca_clients", client)
        await work.insert("dca_audit", [audit])
        return True


async def get_balances(client_ids: Iterable[str] | None = None) -> list[Balance]:
    """What each client has deposited, and what of it was distributed, per currency."""
    found: dict[tuple[str, str], Balance] = {}
    async with reading() as work:
        for condition, values in _of_clients(client_ids):
            deposits = await work.rows(
                "SELECT client_id, currency, "
                "CAST(SUM(CASE WHEN status = 'confirmed' THEN amount ELSE 0 END) AS BIGINT) "
                "AS total_deposits, "
                "CAST(SUM(CASE WHEN status = 'pending' THEN amount ELSE 0 END) AS BIGINT) "
                "AS pending_deposits "
                f"FROM satmachineclient.dca_deposits WHERE {condition} "
                "GROUP BY client_id, currency",
                **values,
            )
            taken = await work.rows(
                "SELECT client_id, currency, CAST(SUM(amount_fiat) AS BIGINT) AS total_distributed "
                "FROM satmachineclient.dca_payments "
                f"WHERE status <> 'voided' AND {condition} GROUP BY client_id, currency",
                **values,
            )
            for row in (*deposits, *taken):
                key = (row["client_id"], row["currency"])
                blank = Balance(client_id=key[0], currency=key[1])
                found[key] = found.get(key, blank).copy(update=dict(row))
    return [found[key] for key in sorted(found)]


async def get_paid(
    client_ids: Iterable[str] | None = None,
) -> dict[str, dict[str, tuple[int, int]]]:
    """Per client and currency, the sats paid so far and the minor units they were bought for."""
    paid: dict[str, dict[str, tuple[int, int]]] = {}
    async with reading() as work:
        for condition, values in _of_clients(client_ids):
            for row in await work.rows(
                "SELECT client_id, currency, CAST(SUM(amount_sats) AS BIGINT) AS sats, "
                "CAST(SUM(amount_fiat) AS BIGINT) AS fiat FROM satmachineclient.dca_payments "
                f"WHERE status = 'confirmed' AND {condition} GROUP BY client_id, currency",
                **values,
            ):
                of_client = paid.setdefault(row["client_id"], {})
                of_client[row["currency"]] = (row["sats"], row["fiat"])
    return paid


def _of_clients(client_ids: Iterable[str] | None) -> Iterable[tuple[str, dict[str, Any]]]:
    if client_ids is None:
        return [("1 = 1", {})]
    return [("client_id IN :ids", {"ids": ids}) for ids in chunks(client_ids)]


# ---- deposits --------------------------------------------------------------------------------


async def insert_deposit(deposit: Deposit, audit: AuditEntry) -> None:
    async with ledger() as work:
        await work.insert("dca_deposits", [deposit])
        await work.insert("dca_audit", [audit])


async def get_deposit(deposit_id: str) -> Deposit | None:
    async with reading() as work:
        return await work.fetch_one(
            Deposit, "SELECT * FROM satmachineclient.dca_deposits WHERE id = :id", id=deposit_id
        )


async def get_deposits() -> list[Deposit]:
    async with reading() as work:
        return await work.fetch(
            Deposit, "SELECT * FROM satmachineclient.dca_deposits ORDER BY created_at DESC, id"
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
            await work.insert("dca_audit", [audit])
        return bool(resolved)

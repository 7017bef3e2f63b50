"""SQL of the clients, their deposits and their balances."""

from collections.abc import Callable, Iterable
from typing import Any

from . import crud
from .database import Ledger, chunks, ledger, reading
from .helpers import ConflictError, fiat_text
from .models import AuditEntry
from .models_clients import Balance, Client, ClientTerms, Deposit, Programme

# ---- clients ---------------------------------------------------------------------------------


async def insert_client(client: Client, audit: AuditEntry, *, only_one: bool = False) -> None:
    """Store a new client. `only_one`: unless the user has one already.

    Raises:
        ConflictError: the wallet is another client's, or the user is a client already.
    """
    async with ledger() as work:
        await _check_wallet_is_free(work, client)
        if only_one and await work.rows(
            "SELECT id FROM satmachineclient.dca_clients "
            "WHERE user_id = :user_id AND status <> 'closed'",
            user_id=client.user_id,
        ):
            raise ConflictError("You are registered already.")
        await work.insert("dca_clients", [client])
        await work.insert("dca_client_terms", [ClientTerms.of(client)])
        await work.insert("dca_audit", [audit])


async def _check_wallet_is_free(work: Ledger, client: Client) -> None:
    """One wallet for each client: only the closed may share theirs."""
    if client.status != "closed" and await work.rows(
        "SELECT id FROM satmachineclient.dca_clients "
        "WHERE wallet_id = :wallet AND id <> :id AND status <> 'closed'",
        wallet=client.wallet_id,
        id=client.id,
    ):
        raise ConflictError("wallet_id: already the wallet of another client")


async def get_client(client_id: str) -> Client | None:
    async with reading() as work:
        return await _client(work, client_id)


async def client_at(work: Ledger, client_id: str) -> Client:
    """The client as they stand within this transaction.

    Raises:
        ConflictError: gone since they were looked up.
    """
    client = await _client(work, client_id)
    if client is None:
        raise ConflictError("This client is gone.")
    return client


async def _client(work: Ledger, client_id: str) -> Client | None:
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


async def get_clients_of(user_id: str) -> list[Client]:
    """The clients that belong to an LNbits user, newest first."""
    async with reading() as work:
        return await work.fetch(
            Client,
            "SELECT * FROM satmachineclient.dca_clients WHERE user_id = :user_id "
            "ORDER BY created_at DESC, id",
            user_id=user_id,
        )


async def update_client(
    client_id: str,
    change: Callable[[Client], Client],
    audit: Callable[[Client, Client], AuditEntry],
) -> Client:
    """Change a client as it stands at this moment; what `change` raises leaves it as it is.

    Where nothing changes nothing is written.

    Raises:
        ConflictError: the wallet is another client's.
    """
    async with ledger() as work:
        before = await client_at(work, client_id)
        client = change(before)
        if client == before.copy(update={"updated_at": client.updated_at}):
            return before
        await write_client(work, before, client)
        await work.insert("dca_audit", [audit(before, client)])
        return client


async def write_client(work: Ledger, before: Client, client: Client) -> None:
    """Write a changed client; its new terms, if they are, count from now on.

    They end all that was to hold after that, also where the clock was set back since.

    Raises:
        ConflictError: the wallet is another client's.
    """
    await _check_wallet_is_free(work, client)
    await work.update("dca_clients", client)
    terms = ClientTerms.of(client)
    if not terms.same_as(ClientTerms.of(before)):
        await work.execute(
            "UPDATE satmachineclient.dca_client_terms SET valid_until = :now "
            "WHERE client_id = :id AND (valid_until IS NULL OR valid_until > :now)",
            now=terms.valid_from,
            id=client.id,
        )
        await work.insert("dca_client_terms", [terms])


async def get_balances(client_ids: Iterable[str] | None = None) -> list[Balance]:
    """What each client has deposited, and what of it was distributed, per currency."""
    found: dict[tuple[str, str], Balance] = {}
    async with reading() as work:
        for condition, values in _of_clients(client_ids):
            totals = await work.rows(
                "SELECT client_id, currency, deposited AS total_deposits, "
                "allocated_fiat AS total_distributed "
                f"FROM satmachineclient.dca_balances WHERE {condition}",
                **values,
            )
            waiting = await work.rows(
                "SELECT client_id, currency, CAST(SUM(amount) AS BIGINT) AS pending_deposits "
                "FROM satmachineclient.dca_deposits "
                f"WHERE status = 'pending' AND {condition} GROUP BY client_id, currency",
                **values,
            )
            for row in (*totals, *waiting):
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
                "SELECT client_id, currency, paid_sats, paid_fiat "
                f"FROM satmachineclient.dca_balances WHERE paid_sats > 0 AND {condition}",
                **values,
            ):
                of_client = paid.setdefault(row["client_id"], {})
                of_client[row["currency"]] = (row["paid_sats"], row["paid_fiat"])
    return paid


async def get_unpaid_sats(client_id: str) -> int:
    """The sats of a client's shares that are planned and not paid yet."""
    async with reading() as work:
        rows = await work.rows(
            "SELECT allocated_sats - paid_sats AS sats "
            "FROM satmachineclient.dca_balances WHERE client_id = :id",
            id=client_id,
        )
    return sum(row["sats"] for row in rows)


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


async def withdraw(deposit: Deposit, audit: AuditEntry) -> None:
    """Store a withdrawal: a confirmed deposit of less than nothing.

    Raises:
        ValueError: it is more than what is left.
    """
    async with ledger() as work:
        left = (await remaining(work, deposit.client_id)).get(deposit.currency, 0)
        if left < -deposit.amount:
            amount = fiat_text(max(left, 0), deposit.currency)
            raise ValueError(f"amount: at most {amount} {deposit.currency} is left")
        await work.insert("dca_deposits", [deposit])
        await crud.book(work, [crud.entry_of(deposit)])
        await work.insert("dca_audit", [audit])


async def remaining(work: Ledger, client_id: str) -> dict[str, int]:
    """Per currency, what a client has confirmed and not yet had allocated, in minor units."""
    rows = await work.rows(
        "SELECT currency, deposited - allocated_fiat AS amount "
        "FROM satmachineclient.dca_balances WHERE client_id = :id",
        id=client_id,
    )
    return {row["currency"]: row["amount"] for row in rows}


async def pending_currencies(work: Ledger, client_id: str) -> set[str]:
    """In which currencies a client has deposits that are neither confirmed nor rejected."""
    rows = await work.rows(
        "SELECT DISTINCT currency FROM satmachineclient.dca_deposits "
        "WHERE client_id = :id AND status = 'pending'",
        id=client_id,
    )
    return {row["currency"] for row in rows}


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
                await crud.book(work, [crud.entry_of(deposit)])
            await work.insert("dca_audit", [audit])
        return bool(resolved)


# ---- the programme ---------------------------------------------------------------------------


async def get_programme() -> Programme:
    async with reading() as work:
        return await _programme(work) or Programme()


async def _programme(work: Ledger) -> Programme | None:
    return await work.fetch_one(
        Programme, "SELECT * FROM satmachineclient.dca_programme WHERE id = 'default'"
    )


async def update_programme(
    change: Callable[[Programme], Programme], audit: Callable[[Programme, Programme], AuditEntry]
) -> Programme:
    async with ledger() as work:
        stored = await _programme(work)
        before = stored or Programme()
        programme = change(before)
        if stored:
            await work.update("dca_programme", programme)
        else:
            await work.insert("dca_programme", [programme])
        await work.insert("dca_audit", [audit(before, programme)])
        return programme

"""SQL of the clients and their balances, and of the programme that they are in."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from .database import Ledger, chunks, ledger, reading
from .helpers import ConflictError
from .models import AuditEntry
from .models_clients import Balance, Client, ClientTerms, Deposit
from .models_programme import Programme


async def count_open_clients() -> int:
    async with reading() as work:
        [row] = await work.rows(
            "SELECT COUNT(*) AS number FROM satmachineclient.dca_clients WHERE status <> 'closed'"
        )
    return int(row["number"])


@dataclass
class Entry:
    """What a change of the ledger adds to the totals of one client in one currency.

    `deposited`, `allocated_fiat` and `paid_fiat` in minor units; `deposits` is a number of rows.
    Confirmed deposits and withdrawals (negative) are deposited, shares that are not voided
    allocated, and those that are confirmed paid.
    """

    client_id: str
    currency: str
    deposits: int = 0
    deposited: int = 0
    allocated_fiat: int = 0
    allocated_sats: int = 0
    paid_fiat: int = 0
    paid_sats: int = 0


_TOTALS = tuple(field.name for field in fields(Entry))[2:]
_BOOK = (
    f"INSERT INTO satmachineclient.dca_balances (client_id, currency, {', '.join(_TOTALS)}) "
    f"VALUES (:client_id, :currency, {', '.join(f':{name}' for name in _TOTALS)}) "
    "ON CONFLICT (client_id, currency) DO UPDATE SET "
    + ", ".join(f"{name} = dca_balances.{name} + excluded.{name}" for name in _TOTALS)
)


async def book(work: Ledger, entries: Iterable[Entry]) -> None:
    """Add to the totals; whoever changes deposits or payments does it in the same transaction."""
    sums: dict[tuple[str, str], dict[str, Any]] = {}
    for entry in entries:
        key = (entry.client_id, entry.currency)
        if key in sums:
            for name in _TOTALS:
                sums[key][name] += getattr(entry, name)
        else:
            sums[key] = dict(entry.__dict__)
    await work.execute_many(_BOOK, [sums[key] for key in sorted(sums)])


@dataclass
class MachineEntry:
    """What a change of the ledger adds to one client's cash in one machine, in minor units."""

    client_id: str
    currency: str
    device_id: str
    deposited: int = 0
    allocated_fiat: int = 0


async def book_machines(work: Ledger, entries: Iterable[MachineEntry]) -> None:
    """Of what `book` adds, the part whose cash lies in one machine."""
    sums: dict[tuple[str, str, str], dict[str, Any]] = {}
    for entry in entries:
        key = (entry.client_id, entry.currency, entry.device_id)
        if key in sums:
            sums[key]["deposited"] += entry.deposited
            sums[key]["allocated_fiat"] += entry.allocated_fiat
        else:
            sums[key] = dict(entry.__dict__)
    await work.execute_many(
        "INSERT INTO satmachineclient.dca_machine_balances "
        "(client_id, currency, device_id, deposited, allocated_fiat) "
        "VALUES (:client_id, :currency, :device_id, :deposited, :allocated_fiat) "
        "ON CONFLICT (client_id, currency, device_id) DO UPDATE SET "
        "deposited = dca_machine_balances.deposited + excluded.deposited, "
        "allocated_fiat = dca_machine_balances.allocated_fiat + excluded.allocated_fiat",
        [sums[key] for key in sorted(sums)],
    )


async def book_deposits(work: Ledger, deposits: Sequence[Deposit]) -> None:
    """Book confirmed deposits and withdrawals."""
    await book(work, (entry_of(deposit) for deposit in deposits))
    await book_machines(
        work,
        (
            MachineEntry(
                deposit.client_id, deposit.currency, deposit.device_id, deposited=deposit.amount
            )
            for deposit in deposits
            if deposit.device_id
        ),
    )


def entry_of(deposit: Deposit) -> Entry:
    """What a deposit, or a withdrawal, adds once it is confirmed."""
    return Entry(deposit.client_id, deposit.currency, deposits=1, deposited=deposit.amount)


# ---- clients ---------------------------------------------------------------------------------


async def insert_client(
    client: Client,
    audit: AuditEntry,
    *,
    only_one: bool = False,
    also: Callable[[Ledger], Awaitable[None]] | None = None,
) -> None:
    """Store a new client. `only_one`: unless the user has one already.

    `also`: what else belongs into the same transaction.

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
        if also:
            await also(work)


async def _check_wallet_is_free(work: Ledger, client: Client) -> None:
    """One wallet for each client: only the closed may share theirs."""
    if client.status != "closed" and await work.rows(
        "SELECT id FROM satmachineclient.dca_clients "
        "WHERE wallet_id = :wallet AND id <> :id AND status <> 'closed'",
        wallet=client.wallet_id,
        id=client.id,
    ):
        raise ConflictError("wallet_id: already the wallet of another client")
    if client.status != "closed" and await work.rows(
        "SELECT id FROM satmachineclient.lamassu_config "
        "WHERE source_wallet_id = :wallet OR commission_wallet_id = :wallet",
        wallet=client.wallet_id,
    ):
        raise ConflictError(
            "wallet_id: this is the programme's own source or commission wallet; a client's sats "
            "would be mixed with the operator's"
        )


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


async def get_clients(client_ids: Iterable[str]) -> list[Client]:
    """Those with these ids."""
    async with reading() as work:
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
            for row in await work.rows(
                "SELECT client_id, currency, device_id, deposited - allocated_fiat AS amount "
                "FROM satmachineclient.dca_machine_balances "
                f"WHERE deposited <> allocated_fiat AND {condition} ORDER BY device_id",
                **values,
            ):
                balance = found[row["client_id"], row["currency"]]
                balance.in_machines = {**balance.in_machines, row["device_id"]: row["amount"]}
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


async def remaining(work: Ledger, client_id: str) -> dict[str, int]:
    """Per currency, what a client has confirmed and not yet had allocated, in minor units."""
    rows = await work.rows(
        "SELECT currency, deposited - allocated_fiat AS amount "
        "FROM satmachineclient.dca_balances WHERE client_id = :id",
        id=client_id,
    )
    return {row["currency"]: row["amount"] for row in rows}


async def remaining_in_machines(work: Ledger, client_id: str, currency: str) -> dict[str, int]:
    """Of that, what lies in one machine, by machine."""
    rows = await work.rows(
        "SELECT device_id, deposited - allocated_fiat AS amount "
        "FROM satmachineclient.dca_machine_balances "
        "WHERE client_id = :id AND currency = :currency ORDER BY device_id",
        id=client_id,
        currency=currency,
    )
    return {row["device_id"]: row["amount"] for row in rows if row["amount"]}


async def pending_currencies(work: Ledger, client_id: str) -> set[str]:
    """In which currencies a client has deposits that are neither confirmed nor rejected."""
    rows = await work.rows(
        "SELECT DISTINCT currency FROM satmachineclient.dca_deposits "
        "WHERE client_id = :id AND status = 'pending'",
        id=client_id,
    )
    return {row["currency"] for row in rows}


# ---- the programme ---------------------------------------------------------------------------


async def get_programme() -> Programme:
    async with reading() as work:
        return await programme_at(work) or Programme()


async def programme_at(work: Ledger) -> Programme | None:
    return await work.fetch_one(
        Programme, "SELECT * FROM satmachineclient.dca_programme WHERE id = 'default'"
    )

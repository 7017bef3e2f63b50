"""SQL, and nothing but SQL: what is read from the tables and written to them.

Functions that take `work` are one step of a transaction that the caller has opened.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from itertools import product
from typing import Any, TypeVar

from lnbits.db import Filters, Page
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError

from .database import Ledger, chunks, ledger, reading
from .models import (
    AuditEntry,
    Direction,
    LamassuConfig,
    Payment,
    Payout,
    Poll,
    Transaction,
)
from .models_clients import Client, ClientTerms, Deposit

Model = TypeVar("Model", bound=BaseModel)

_TOGETHER = 1000  # rows prepared before others get their turn

# ---- planning: what the shares of new sales depend on ----------------------------------------


async def open_clients(work: Ledger) -> list[Client]:
    """All that are not closed."""
    return await work.fetch(
        Client, "SELECT * FROM satmachineclient.dca_clients WHERE status <> 'closed'"
    )


async def count_open_clients() -> int:
    async with reading() as work:
        [row] = await work.rows(
            "SELECT COUNT(*) AS number FROM satmachineclient.dca_clients WHERE status <> 'closed'"
        )
    return int(row["number"])


async def terms_at(work: Ledger, time: datetime) -> list[ClientTerms]:
    """Each client's mode, limit and status that were in force at this time."""
    return await work.fetch(
        ClientTerms,
        "SELECT * FROM satmachineclient.dca_client_terms "
        "WHERE valid_until IS NULL AND valid_from <= :time "
        "UNION ALL SELECT * FROM satmachineclient.dca_client_terms "
        "WHERE valid_until > :time AND valid_from <= :time",
        time=time,
    )


async def terms_between(work: Ledger, after: datetime, until: datetime) -> list[ClientTerms]:
    """Those that came into force in this time, in their order; not what was so for no time."""
    return await work.fetch(
        ClientTerms,
        "SELECT * FROM satmachineclient.dca_client_terms "
        "WHERE valid_from > :after AND valid_from <= :until "
        "AND (valid_until IS NULL OR valid_until > valid_from) ORDER BY valid_from, id",
        after=after,
        until=until,
    )


async def balances_at(work: Ledger, time: datetime) -> dict[tuple[str, str], int]:
    """Per client and currency: deposits confirmed by then, less all that was allocated so far.

    Withdrawals count as allocations do, whenever they were made: that cash is gone.
    """
    balances: dict[tuple[str, str], int] = {}
    today = await work.rows(
        "SELECT client_id, currency, deposited - allocated_fiat AS amount "
        "FROM satmachineclient.dca_balances"
    )
    later = await work.rows(
        "SELECT client_id, currency, CAST(-SUM(amount) AS BIGINT) AS amount "
        "FROM satmachineclient.dca_deposits WHERE status = 'confirmed' "
        "AND amount > 0 AND confirmed_at > :time GROUP BY client_id, currency",
        time=time,
    )
    for row in (*today, *later):
        key = (row["client_id"], row["currency"])
        balances[key] = balances.get(key, 0) + row["amount"]
    return balances


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


def entry_of(deposit: Deposit) -> Entry:
    """What a deposit, or a withdrawal, adds once it is confirmed."""
    return Entry(deposit.client_id, deposit.currency, deposits=1, deposited=deposit.amount)


async def deposits_between(work: Ledger, after: datetime, until: datetime) -> list[Deposit]:
    """Deposits confirmed in this time, in the order of their confirmation."""
    return await work.fetch(
        Deposit,
        "SELECT * FROM satmachineclient.dca_deposits WHERE status = 'confirmed' "
        "AND amount > 0 AND confirmed_at > :after AND confirmed_at <= :until "
        "ORDER BY confirmed_at, id",
        after=after,
        until=until,
    )


async def taken_on_days(
    work: Ledger, client_ids: set[str], days: set[str]
) -> dict[tuple[str, str, str], int]:
    """Fiat already allocated to these clients, by client, currency and day."""
    taken: dict[tuple[str, str, str], int] = {}
    for ids, chunk in product(chunks(client_ids), chunks(days)):
        for row in await work.rows(
            "SELECT client_id, currency, day, CAST(SUM(amount_fiat) AS BIGINT) AS amount "
            "FROM satmachineclient.dca_payments "
            "WHERE client_id IN :ids AND day IN :days AND status <> 'voided' "
            "GROUP BY client_id, currency, day",
            ids=ids,
            days=chunk,
        ):
            taken[row["client_id"], row["currency"], row["day"]] = row["amount"]
    return taken


# ---- transactions and payments ---------------------------------------------------------------


async def known_transactions(
    work: Ledger, lamassu_ids: Iterable[str]
) -> dict[str, Mapping[str, Any]]:
    """Those of these Lamassu ids that are stored already.

    Each with its id, status and direction, and the facts of one that waits for a review.
    """
    known: dict[str, Mapping[str, Any]] = {}
    for ids in chunks(lamassu_ids):
        for row in await work.rows(
            "SELECT lamassu_transaction_id, id, status, direction, "
            "CASE WHEN status = 'needs_review' THEN lamassu_facts END AS facts "
            "FROM satmachineclient.lamassu_transactions "
            "WHERE lamassu_transaction_id IN :ids",
            ids=ids,
        ):
            known[row["lamassu_transaction_id"]] = row
    return known


async def replace_transaction(work: Ledger, row: Transaction) -> None:
    """Write the outcome of a review over the row that waited for it."""
    await work.update("lamassu_transactions", row)


async def dismiss_transaction(transaction_id: str, notes: str, audit: AuditEntry) -> bool:
    """Close a review without distributing anything; False if it was decided on already."""
    async with ledger() as work:
        dismissed = await work.execute(
            "UPDATE satmachineclient.lamassu_transactions "
            "SET status = 'dismissed', review_notes = :notes "
            "WHERE id = :id AND status = 'needs_review'",
            id=transaction_id,
            notes=notes,
        )
        if dismissed:
            await work.insert("dca_audit", [audit])
        return bool(dismissed)


async def get_transaction(transaction_id: str) -> Transaction | None:
    async with reading() as work:
        return await work.fetch_one(
            Transaction,
            "SELECT * FROM satmachineclient.lamassu_transactions WHERE id = :id",
            id=transaction_id,
        )


async def get_transactions() -> list[Transaction]:
    async with reading() as work:
        return await work.fetch(
            Transaction,
            "SELECT * FROM satmachineclient.lamassu_transactions "
            "ORDER BY transaction_time DESC, id",
        )


async def get_payment(payment_id: str) -> Payment | None:
    async with reading() as work:
        return await work.fetch_one(
            Payment, "SELECT * FROM satmachineclient.dca_payments WHERE id = :id", id=payment_id
        )


async def get_payments_of(transaction_id: str) -> list[Payment]:
    async with reading() as work:
        return await work.fetch(
            Payment,
            "SELECT * FROM satmachineclient.dca_payments "
            "WHERE transaction_id = :id ORDER BY amount_sats DESC, client_id",
            id=transaction_id,
        )


async def count_open_payments() -> dict[str, int]:
    """How many shares are not paid yet, by status (pending, failed)."""
    async with reading() as work:
        rows = await work.rows(
            "SELECT status, COUNT(*) AS number FROM satmachineclient.dca_payments "
            "WHERE status IN ('pending', 'failed') GROUP BY status"
        )
    return {row["status"]: row["number"] for row in rows}


async def insert_payments(work: Ledger, payments: Sequence[Payment]) -> None:
    """Store planned shares: from now on they lower the clients' balances."""
    await work.insert("dca_payments", payments)
    await book(
        work,
        (
            Entry(
                payment.client_id,
                payment.currency,
                allocated_fiat=payment.amount_fiat,
                allocated_sats=payment.amount_sats,
            )
            for payment in payments
        ),
    )


async def void_payment(work: Ledger, payment: Payment, reason: str) -> bool:
    """Take a share back that no transfer carries: its fiat and sats become undistributed."""
    voided = await work.execute(
        "UPDATE satmachineclient.dca_payments SET status = 'voided', error = :reason "
        "WHERE id = :id AND status IN ('pending', 'failed') AND transfer_id IS NULL",
        id=payment.id,
        reason=reason,
    )
    if not voided:
        return False
    await work.execute(
        "UPDATE satmachineclient.lamassu_transactions "
        "SET distributed_sats = distributed_sats - :sats, "
        "undistributed_sats = undistributed_sats + :sats, "
        "undistributed_fiat = undistributed_fiat + :fiat, clients_count = clients_count - 1 "
        "WHERE id = :transaction_id",
        sats=payment.amount_sats,
        fiat=payment.amount_fiat,
        transaction_id=payment.transaction_id,
    )
    returned = Entry(
        payment.client_id,
        payment.currency,
        allocated_fiat=-payment.amount_fiat,
        allocated_sats=-payment.amount_sats,
    )
    await book(work, [returned])
    return True


async def settle_finished(work: Ledger) -> None:
    """Mark the planned transactions of which everything is paid or voided."""
    await work.execute(
        "UPDATE satmachineclient.lamassu_transactions SET status = 'settled' "
        "WHERE status = 'planned' AND credit_status <> 'pending' "
        "AND commission_status <> 'pending' AND NOT EXISTS ("
        "SELECT 1 FROM satmachineclient.dca_payments p "
        "WHERE p.transaction_id = lamassu_transactions.id AND p.status IN ('pending', 'failed'))"
    )


# ---- transfers: what has to be moved, and the payouts that move it ---------------------------


@dataclass(frozen=True)
class OpenSale:
    """A sale whose credit, or commission, no transfer carries yet, and how much that is.

    `wallet_id` is the commission's wallet when the sale was planned, if it was not the source.
    """

    id: str
    amount_sats: int
    wallet_id: str | None


async def uncredited_sales(work: Ledger) -> list[OpenSale]:
    """Sales whose total is still to be credited, oldest first."""
    rows = await work.rows(
        "SELECT id, crypto_amount_sats, NULL AS wallet_id "
        "FROM satmachineclient.lamassu_transactions WHERE status = 'planned' "
        "AND credit_status = 'pending' AND credit_transfer_id IS NULL "
        "ORDER BY transaction_time, lamassu_transaction_id",
    )
    return [OpenSale(*row.values()) for row in rows]


async def unpaid_commissions(work: Ledger) -> list[OpenSale]:
    """Sales, credited where they are to be, whose commission is still to be paid; oldest first."""
    rows = await work.rows(
        "SELECT id, commission_amount_sats, commission_wallet_id "
        "FROM satmachineclient.lamassu_transactions WHERE status = 'planned' "
        "AND credit_status <> 'pending' AND commission_status = 'pending' "
        "AND commission_transfer_id IS NULL ORDER BY transaction_time, lamassu_transaction_id",
    )
    return [OpenSale(*row.values()) for row in rows]


@dataclass(frozen=True)
class OpenShare:
    """A share that no transfer carries yet; `wallet_id` is the client's wallet of today."""

    id: str
    transaction_id: str
    client_id: str
    wallet_id: str
    amount_sats: int
    amount_fiat: int
    currency: str
    direction: Direction


async def unpaid_shares(work: Ledger) -> list[OpenShare]:
    """Shares of credited sales that no transfer carries yet, oldest sale first."""
    rows = await work.rows(
        "SELECT p.id, p.transaction_id, p.client_id, c.wallet_id, p.amount_sats, p.amount_fiat, "
        "p.currency, t.direction "
        "FROM satmachineclient.dca_payments p "
        "JOIN satmachineclient.lamassu_transactions t ON t.id = p.transaction_id "
        "JOIN satmachineclient.dca_clients c ON c.id = p.client_id "
        "WHERE p.status = 'pending' AND p.transfer_id IS NULL AND t.credit_status <> 'pending' "
        "ORDER BY t.transaction_time, t.lamassu_transaction_id, p.client_id"
    )
    return await asyncio.to_thread(lambda: [OpenShare(*row.values()) for row in rows])


async def carry_shares(work: Ledger, carried: Sequence[tuple[str, str, str]]) -> None:
    """Give shares to transfers: their id, the transfer's, and the wallet that it pays."""
    for start in range(0, len(carried), _TOGETHER):
        await work.execute_many(
            "UPDATE satmachineclient.dca_payments "
            "SET transfer_id = :transfer, wallet_id = :wallet, error = NULL WHERE id = :id",
            [
                {"id": share, "transfer": transfer, "wallet": wallet}
                for share, transfer, wallet in carried[start : start + _TOGETHER]
            ],
        )


async def carry_transactions(
    work: Ledger, column: str, transaction_ids: Iterable[str], transfer_id: str
) -> None:
    """`column` is credit_transfer_id or commission_transfer_id."""
    for ids in chunks(transaction_ids):
        await work.execute(
            f"UPDATE satmachineclient.lamassu_transactions SET {column} = :transfer "
            "WHERE id IN :ids",
            transfer=transfer_id,
            ids=ids,
        )


async def set_waiting(work: Ledger, payment_ids: Iterable[str], error: str) -> None:
    for ids in chunks(payment_ids):
        await work.execute(
            "UPDATE satmachineclient.dca_payments SET error = :error WHERE id IN :ids",
            error=error,
            ids=ids,
        )


async def get_payouts_of(work: Ledger, transfer_id: str) -> list[Payout]:
    return await work.fetch(
        Payout,
        "SELECT * FROM satmachineclient.dca_payouts WHERE transfer_id = :id ORDER BY id",
        id=transfer_id,
    )


async def due_payouts(kinds: list[str], time: datetime | None) -> list[Payout]:
    """Unpaid payouts whose turn it is at this time, or, without one, all that may be retried."""
    retry = "next_attempt_at IS NOT NULL" if time is None else "next_attempt_at <= :time"
    async with reading() as work:
        return await work.fetch(
            Payout,
            "SELECT * FROM satmachineclient.dca_payouts "
            f"WHERE (status = 'pending' OR (status = 'failed' AND {retry})) AND kind IN :kinds "
            "ORDER BY kind, created_at, id",
            kinds=kinds,
            **({} if time is None else {"time": time}),
        )


async def store_invoices(work: Ledger, payouts: Sequence[Payout]) -> None:
    await work.execute_many(
        "UPDATE satmachineclient.dca_payouts SET payment_hash = :hash, bolt11 = :bolt11 "
        "WHERE id = :id",
        [{"hash": p.payment_hash, "bolt11": p.bolt11, "id": p.id} for p in payouts],
    )


async def confirm_payouts(
    work: Ledger, payouts: Sequence[Payout], time: datetime
) -> tuple[int, int]:
    """Mark payouts as paid, and what they carried once all parts of a transfer are.

    The number of shares whose transfers are complete by it, and their sats.
    """
    await work.execute_many(
        "UPDATE satmachineclient.dca_payouts SET status = 'confirmed', error = NULL, "
        "next_attempt_at = NULL, confirmed_at = :time WHERE id = :id",
        [{"time": time, "id": payout.id} for payout in payouts],
    )
    first_parts: list[Payout] = []
    for ids in chunks(payout.transfer_id for payout in payouts):
        first_parts += await work.fetch(
            Payout,
            "SELECT * FROM satmachineclient.dca_payouts o WHERE transfer_id IN :ids "
            "AND id = (SELECT MIN(f.id) FROM satmachineclient.dca_payouts f "
            "WHERE f.transfer_id = o.transfer_id) AND NOT EXISTS ("
            "SELECT 1 FROM satmachineclient.dca_payouts u "
            "WHERE u.transfer_id = o.transfer_id AND u.status <> 'confirmed')",
            ids=ids,
        )
    return await _confirm_transfers(work, first_parts, time)


async def _confirm_transfers(
    work: Ledger, first_parts: Sequence[Payout], time: datetime
) -> tuple[int, int]:
    for kind in ("credit", "commission"):
        await work.execute_many(
            "UPDATE satmachineclient.lamassu_transactions "
            f"SET {kind}_status = 'confirmed', payout_error = NULL "
            f"WHERE {kind}_transfer_id = :transfer",
            [{"transfer": part.transfer_id} for part in first_parts if part.kind == kind],
        )
    to_clients = [part for part in first_parts if part.kind == "client"]
    newly_paid = await _paid_by(work, [p.transfer_id for p in to_clients], "status <> 'confirmed'")
    await work.execute_many(
        "UPDATE satmachineclient.dca_payments SET status = 'confirmed', error = NULL, "
        "payment_hash = :hash, confirmed_at = :time "
        "WHERE transfer_id = :transfer AND status <> 'confirmed'",
        [
            {"hash": part.payment_hash, "time": time, "transfer": part.transfer_id}
            for part in to_clients
        ],
    )
    await book(work, (entry for _, entry in newly_paid))
    number = sum(shares for shares, _ in newly_paid)
    return number, sum(entry.paid_sats for _, entry in newly_paid)


async def _paid_by(
    work: Ledger, transfer_ids: Iterable[str], condition: str
) -> list[tuple[int, Entry]]:
    """Per client and currency, how many shares these transfers carry, and what they are worth."""
    found: list[tuple[int, Entry]] = []
    for ids in chunks(transfer_ids):
        rows = await work.rows(
            "SELECT client_id, currency, COUNT(*) AS shares, "
            "CAST(SUM(amount_fiat) AS BIGINT) AS fiat, CAST(SUM(amount_sats) AS BIGINT) AS sats "
            "FROM satmachineclient.dca_payments "
            f"WHERE transfer_id IN :ids AND {condition} GROUP BY client_id, currency",
            ids=ids,
        )
        for row in rows:
            paid = Entry(
                row["client_id"], row["currency"], paid_fiat=row["fiat"], paid_sats=row["sats"]
            )
            found.append((row["shares"], paid))
    return found


async def fail_payout(work: Ledger, payout: Payout) -> None:
    """Store a failed attempt, and show its error on the shares that the payout carries."""
    await work.execute(
        "UPDATE satmachineclient.dca_payouts SET status = 'failed', error = :error, "
        "attempts = :attempts, next_attempt_at = :next WHERE id = :id",
        error=payout.error,
        attempts=payout.attempts,
        next=payout.next_attempt_at,
        id=payout.id,
    )
    await work.execute(
        "UPDATE satmachineclient.dca_payments SET status = 'failed', error = :error "
        "WHERE transfer_id = :transfer AND status IN ('pending', 'failed')",
        error=payout.error,
        transfer=payout.transfer_id,
    )
    if payout.kind != "client":
        await work.execute(
            "UPDATE satmachineclient.lamassu_transactions SET payout_error = :error "
            f"WHERE {payout.kind}_transfer_id = :transfer",
            error=f"The {payout.kind} failed: {payout.error}",
            transfer=payout.transfer_id,
        )


async def reopen_unpaid_parts(work: Ledger, transfer_id: str) -> None:
    """Let what is left of a partly paid transfer be paid anew, to the client's wallet of today."""
    await work.execute(
        "UPDATE satmachineclient.dca_payouts SET status = 'pending', payment_hash = NULL, "
        "bolt11 = NULL, next_attempt_at = NULL, wallet_id = COALESCE(("
        "SELECT MAX(c.wallet_id) FROM satmachineclient.dca_payments p "
        "JOIN satmachineclient.dca_clients c ON c.id = p.client_id "
        "WHERE p.transfer_id = :transfer), wallet_id) "
        "WHERE transfer_id = :transfer AND status IN ('pending', 'failed')",
        transfer=transfer_id,
    )


async def dissolve_transfer(work: Ledger, transfer_id: str) -> None:
    """Void the unpaid payouts of a transfer; what it carried is open again."""
    await work.execute(
        "UPDATE satmachineclient.dca_payouts SET status = 'voided', next_attempt_at = NULL "
        "WHERE transfer_id = :transfer AND status <> 'confirmed'",
        transfer=transfer_id,
    )
    for _, entry in await _paid_by(work, [transfer_id], "status = 'confirmed'"):
        taken_back = replace(entry, paid_fiat=-entry.paid_fiat, paid_sats=-entry.paid_sats)
        await book(work, [taken_back])
    await work.execute(
        "UPDATE satmachineclient.dca_payments SET status = 'pending', transfer_id = NULL, "
        "error = NULL WHERE transfer_id = :transfer",
        transfer=transfer_id,
    )
    for column in ("credit_transfer_id", "commission_transfer_id"):
        await work.execute(
            "UPDATE satmachineclient.lamassu_transactions "
            f"SET {column} = NULL, payout_error = NULL "
            f"WHERE {column} = :transfer",
            transfer=transfer_id,
        )


async def confirmed_payouts(
    since: datetime, after: Payout | None = None, limit: int = 1000
) -> list[Payout]:
    """The next ones behind `after`, in the order of their confirmation."""
    async with reading() as work:
        return await work.fetch(
            Payout,
            "SELECT * FROM satmachineclient.dca_payouts "
            "WHERE status = 'confirmed' AND confirmed_at >= :since "
            "AND (confirmed_at > :since OR id > :id) ORDER BY confirmed_at, id LIMIT :limit",
            since=after.confirmed_at if after else since,
            id=after.id if after else "",
            limit=limit,
        )


async def get_payouts(payout_ids: Iterable[str]) -> list[Payout]:
    found: list[Payout] = []
    async with reading() as work:
        for ids in chunks(payout_ids):
            found += await work.fetch(
                Payout, "SELECT * FROM satmachineclient.dca_payouts WHERE id IN :ids", ids=ids
            )
    return found


async def open_payouts_sats(work: Ledger, source_wallet_id: str) -> int:
    """Sats of payouts that are to leave this wallet as soon as they can be paid."""
    rows = await work.rows(
        "SELECT CAST(COALESCE(SUM(amount_sats), 0) AS BIGINT) AS sats "
        "FROM satmachineclient.dca_payouts WHERE source_wallet_id = :wallet AND "
        "(status = 'pending' OR (status = 'failed' AND next_attempt_at IS NOT NULL))",
        wallet=source_wallet_id,
    )
    return int(rows[0]["sats"])


# ---- configuration and polls -----------------------------------------------------------------


async def get_config() -> LamassuConfig | None:
    async with reading() as work:
        return await work.fetch_one(
            LamassuConfig, "SELECT * FROM satmachineclient.lamassu_config WHERE id = 'default'"
        )


async def save_config(config: LamassuConfig, audit: AuditEntry) -> None:
    async with ledger() as work:
        existing = await work.rows("SELECT id FROM satmachineclient.lamassu_config")
        if existing:
            await work.update("lamassu_config", config)
        else:
            await work.insert("lamassu_config", [config])
        await work.insert("dca_audit", [audit])


async def get_audit(limit: int = 1000) -> list[AuditEntry]:
    """The newest entries."""
    async with reading() as work:
        return await work.fetch(
            AuditEntry,
            "SELECT * FROM satmachineclient.dca_audit ORDER BY time DESC, id LIMIT :limit",
            limit=limit,
        )


async def insert_audit(work: Ledger, audit: AuditEntry) -> None:
    await work.insert("dca_audit", [audit])


async def record_connection_test(time: datetime, success: bool) -> None:
    async with ledger() as work:
        await work.execute(
            "UPDATE satmachineclient.lamassu_config "
            "SET test_connection_last = :time, test_connection_success = :success",
            time=time,
            success=success,
        )


async def start_poll(poll: Poll) -> None:
    """Store the poll; polls still marked as running were cut off, and are marked so."""
    async with ledger(poll.id) as work:
        await work.execute(
            "UPDATE satmachineclient.lamassu_polls SET status = 'failed', finished_at = :now, "
            "error = 'The poll was cut off; what it had planned is taken up again.' "
            "WHERE status = 'running'",
            now=poll.started_at,
        )
        await work.insert("lamassu_polls", [poll])
        await work.execute(
            "UPDATE satmachineclient.lamassu_config SET last_poll_time = :now", now=poll.started_at
        )


async def last_poll_runs() -> bool:
    """Whether the newest poll is marked as running: it is, or its process has died."""
    polls = await get_polls(1)
    return bool(polls) and polls[0].status == "running"


async def finish_poll(poll: Poll, *, read_succeeded: bool) -> None:
    async with ledger() as work:
        await work.update("lamassu_polls", poll)
        if read_succeeded:
            await work.execute(
                "UPDATE satmachineclient.lamassu_config SET last_successful_poll = :now",
                now=poll.started_at,
            )


async def get_polls(limit: int = 1000) -> list[Poll]:
    async with reading() as work:
        return await work.fetch(
            Poll,
            "SELECT * FROM satmachineclient.lamassu_polls ORDER BY started_at DESC, id "
            "LIMIT :limit",
            limit=limit,
        )


# ---- pages -----------------------------------------------------------------------------------


async def get_page(
    table: str, model: type[Model], filters: Filters[Any], newest: str
) -> Page[Model]:
    """One page of a table in LNbits' own form; by default newest first, by the column `newest`.

    Rows that are equal in the column sorted by follow each other in the order of time.

    Raises:
        ValueError: a filter's value does not fit its column.
    """
    where = filters.where()
    values = {
        name: value.timestamp() if isinstance(value, datetime) else value
        for name, value in filters.values().items()
    }
    order = f"{newest} DESC"
    if filters.sortby:
        direction = "DESC" if filters.direction == "desc" else "ASC"
        order = f"{filters.sortby} {direction}, {newest} {direction}"
    limit = min(max(filters.limit if filters.limit is not None else 10, 1), 1000)
    async with reading() as work:
        try:
            rows = await work.fetch(
                model,
                f"SELECT * FROM satmachineclient.{table} {where} "
                f"ORDER BY {order}, id LIMIT {limit} OFFSET {max(filters.offset or 0, 0)}",
                **values,
            )
            total = await work.rows(
                f"SELECT COUNT(*) AS number FROM satmachineclient.{table} {where}",
                **values,
            )
        except DBAPIError:
            raise ValueError("a filter's value does not fit its field") from None
    return Page(data=rows, total=total[0]["number"])

"""SQL of the sales and their shares: `lamassu_transactions` and `dca_payments`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .crud import NAMED_SALES, note
from .crud_clients import Entry, MachineEntry, book, book_machines
from .crud_shares import ARCHIVED, LIVE, SHARES
from .database import Ledger, Row, chunks, fetch_rows, ledger, reading
from .helpers import now
from .models import AuditEntry
from .models_sales import Payment, SaleNote, Transaction


async def known_transactions(
    work: Ledger, lamassu_ids: Iterable[str]
) -> dict[str, Mapping[str, Any]]:
    """Those of these Lamassu ids that are stored already.

    Each with its id, status, direction and amounts, and the facts of one that needed a
    review or was taken back.
    """
    known: dict[str, Mapping[str, Any]] = {}
    for ids in chunks(lamassu_ids):
        for row in await work.rows(
            "SELECT lamassu_transaction_id, id, status, direction, crypto_amount_sats, "
            "base_amount_sats, fiat_amount, fiat_code, CASE WHEN status = 'needs_review' "
            "OR status = 'dismissed' OR review_reason IS NOT NULL THEN lamassu_facts END AS facts "
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


async def get_payment(payment_id: str) -> Payment | None:
    async with reading() as work:
        # The archive has no index of its shares' ids: hardly anybody asks for one.
        for source in (LIVE, ARCHIVED):
            found = await work.fetch_one(
                Payment, f"SELECT * FROM {source} WHERE id = :id", id=payment_id
            )
            if found:
                return found
    return None


async def get_payments_of(transaction_id: str) -> list[Payment]:
    async with reading() as work:
        return await work.fetch(
            Payment,
            f"SELECT * FROM {SHARES} "
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


async def get_payments_carried(transfer_ids: list[str]) -> list[Payment]:
    """The shares that these transfers carry."""
    found: list[Payment] = []
    async with reading() as work:
        for ids in chunks(transfer_ids):
            found += await work.fetch(
                Payment,
                f"SELECT * FROM {SHARES} WHERE transfer_id IN :ids",
                ids=ids,
            )
    return found


async def insert_payments(
    work: Ledger, payments: Sequence[Payment], devices: Mapping[str, str] | None = None
) -> None:
    """Store planned shares: from now on they lower the clients' balances.

    `devices`: the machines of their sales, by the sales' ids.
    """
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
    await book_machines(
        work,
        (
            MachineEntry(
                payment.client_id,
                payment.currency,
                (devices or {})[payment.transaction_id],
                allocated_fiat=payment.machine_fiat,
            )
            for payment in payments
            if payment.machine_fiat
        ),
    )


async def void_payment(work: Ledger, payment: Payment, reason: str) -> bool:
    """Take a share back that no transfer carries: its fiat and sats become undistributed."""
    voided = await work.execute(
        "UPDATE satmachineclient.dca_payments "
        "SET status = 'voided', error = :reason, voided_at = :now "
        "WHERE id = :id AND status IN ('pending', 'failed') AND transfer_id IS NULL",
        id=payment.id,
        reason=reason,
        now=now(),
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
    if payment.machine_fiat:
        [sale] = await work.rows(
            "SELECT device_id FROM satmachineclient.lamassu_transactions WHERE id = :id",
            id=payment.transaction_id,
        )
        back = MachineEntry(
            payment.client_id,
            payment.currency,
            sale["device_id"],
            allocated_fiat=-payment.machine_fiat,
        )
        await book_machines(work, [back])
    return True


async def settle_finished(work: Ledger) -> None:
    """Mark the planned transactions of which everything is paid or voided."""
    finished = await work.rows(
        "SELECT id, lamassu_transaction_id, distributed_sats, clients_count "
        "FROM satmachineclient.lamassu_transactions t "
        "WHERE status = 'planned' AND credit_status <> 'pending' "
        "AND commission_status <> 'pending' AND NOT EXISTS ("
        "SELECT 1 FROM satmachineclient.dca_payments p "
        "WHERE p.transaction_id = t.id AND p.status IN ('pending', 'failed')) "
        "AND NOT EXISTS (SELECT 1 FROM satmachineclient.dca_commission_shares s "
        "WHERE s.transaction_id = t.id AND s.status IN ('pending', 'failed'))"
    )
    for ids in chunks(row["id"] for row in finished):
        await work.execute(
            "UPDATE satmachineclient.lamassu_transactions SET status = 'settled' "
            "WHERE id IN :ids AND status = 'planned'",
            ids=ids,
        )
    texts = {
        row["id"]: f"Sale {row['lamassu_transaction_id']} settled: {row['distributed_sats']} sats "
        f"to {row['clients_count']} clients."
        for row in finished
    }
    await note(work, "sale_settled", texts)


# ---- the exports -----------------------------------------------------------------------------


async def sales_of(transaction_ids: list[str]) -> dict[str, Row]:
    """What a distribution's row says of its sale, by the sale's id."""
    found: dict[str, Row] = {}
    for ids in chunks(transaction_ids):
        for row in await fetch_rows(
            "SELECT id, lamassu_transaction_id, direction, transaction_time, device_id, "
            f"device_name, exchange_rate FROM {NAMED_SALES} WHERE id IN :ids",
            ids=ids,
        ):
            found[row["id"]] = row
    return found


async def payments_of_sales(transaction_ids: list[str]) -> list[Row]:
    """The shares of these sales, sale by sale in the given order."""
    rows: list[Row] = []
    for ids in chunks(transaction_ids):
        rows += await fetch_rows(f"SELECT * FROM {SHARES} WHERE transaction_id IN :ids", ids=ids)
    place = {key: number for number, key in enumerate(transaction_ids)}
    return sorted(rows, key=lambda row: (place[row["transaction_id"]], row["client_id"]))


async def insert_note(note: SaleNote, audit: AuditEntry) -> None:
    async with ledger() as work:
        await work.insert("dca_sale_notes", [note])
        await work.insert("dca_audit", [audit])


async def get_notes(transaction_id: str) -> list[SaleNote]:
    """What was noted on a sale, oldest first."""
    async with reading() as work:
        return await work.fetch(
            SaleNote,
            "SELECT * FROM satmachineclient.dca_sale_notes WHERE transaction_id = :id "
            "ORDER BY created_at, id",
            id=transaction_id,
        )

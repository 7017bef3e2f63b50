"""SQL of what no transfer carries yet, and of when it is due."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..database import Ledger, fetch_rows, first
from ..models_sales import Direction, PayoutKind


@dataclass(frozen=True)
class OpenSale:
    """A sale whose credit, or commission, is to be moved, and how much that is.

    `wallet_id` is the commission's wallet when the sale was planned, if it was not the source.
    """

    id: str
    lamassu_transaction_id: str
    amount_sats: int
    wallet_id: str | None


# Due are what was planned until a payout run began, and what no schedule holds back: a test, and
# what is paid in full to one client (who has left, say).
_IN_FULL = "(c.status = 'closed' OR t.is_test OR p.created_at <= c.payouts_due_until)"


async def is_anything_open() -> bool:
    """Whether a sale, share, part or payout is not final, or what was adopted not matched yet."""
    each = [
        f"SELECT 1 FROM satmachineclient.{table} WHERE status IN ({statuses})"
        for table, statuses in (
            ("lamassu_transactions", "'planned'"),
            ("dca_payments", "'pending', 'failed'"),
            ("dca_commission_shares", "'pending', 'failed'"),
            ("dca_payouts", "'pending', 'failed'"),
            ("dca_adopted", "'waiting'"),
        )
    ]
    return bool(await fetch_rows(f"{' UNION ALL '.join(each)} LIMIT 1"))


async def uncredited_sales(work: Ledger, due: datetime | None) -> list[OpenSale]:
    """Sales whose total is still to be credited, oldest first: those of what is due.

    `due`: what was planned until then; None for all.
    """
    condition = "credit_transfer_id IS NULL"
    values = dict[str, Any]()
    if due is not None:
        values["due"] = due
        condition += (
            " AND (processed_at <= :due OR id IN ("
            "SELECT p.transaction_id FROM satmachineclient.dca_payments p "
            "JOIN satmachineclient.lamassu_transactions t ON t.id = p.transaction_id "
            "JOIN satmachineclient.dca_clients c ON c.id = p.client_id "
            f"WHERE p.status = 'pending' AND p.transfer_id IS NULL AND {_IN_FULL}))"
        )
    return await _open_sales(work, _CREDIT, condition, **values)


async def unpaid_commissions(
    work: Ledger, due: datetime | None, most: int | None = None
) -> list[OpenSale]:
    """Sales, credited where they are to be, whose commission is still to be paid; oldest first.

    `due`: of those planned until then; None for all. At most so many.
    """
    condition = "commission_transfer_id IS NULL AND credit_status <> 'pending'"
    if due is None:
        return await _open_sales(work, _COMMISSION, condition, most)
    condition += " AND (processed_at <= :due OR is_test)"
    return await _open_sales(work, _COMMISSION, condition, most, due=due)


async def set_payouts_due_until(work: Ledger, until: datetime) -> None:
    """What was planned until then is due."""
    await work.execute(
        "UPDATE satmachineclient.lamassu_config SET payouts_due_until = :until", until=until
    )


async def let_all_be_paid(work: Ledger, until: datetime) -> None:
    """All that was planned until then is due in full, however little it is."""
    await set_payouts_due_until(work, until)
    await work.execute(
        "UPDATE satmachineclient.dca_clients SET payouts_due_until = :until WHERE id IN ("
        "SELECT client_id FROM satmachineclient.dca_payments "
        "WHERE status = 'pending' AND transfer_id IS NULL)",
        until=until,
    )


async def sales_of_transfer(work: Ledger, kind: PayoutKind, transfer_id: str) -> list[OpenSale]:
    """The sales whose credit, or commission, this unpaid transfer carries; oldest first."""
    what = _CREDIT if kind == "credit" else _COMMISSION
    return await _open_sales(work, what, f"{kind}_transfer_id = :transfer", transfer=transfer_id)


_CREDIT = ("crypto_amount_sats", "NULL", "credit_status")
_COMMISSION = (
    "commission_amount_sats - partners_sats",
    "commission_wallet_id",
    "commission_status",
)


async def _open_sales(
    work: Ledger,
    what: tuple[str, str, str],
    condition: str,
    most: int | None = None,
    **values: str | datetime,
) -> list[OpenSale]:
    amount, wallet, status = what
    rows = await work.rows(
        f"SELECT id, lamassu_transaction_id, {amount} AS sats, {wallet} AS wallet_id "
        "FROM satmachineclient.lamassu_transactions WHERE status = 'planned' "
        f"AND {status} = 'pending' AND {condition} "
        f"ORDER BY transaction_time, lamassu_transaction_id{first(most)}",
        **values,
    )
    return [OpenSale(*row.values()) for row in rows]


@dataclass(frozen=True)
class OpenShare:
    """A share that no transfer carries yet; `wallet_id` is the client's wallet of today.

    `in_full`: it is paid, however little it is; `payout_min_sats`: what the client asks for.
    """

    id: str
    transaction_id: str
    client_id: str
    wallet_id: str
    amount_sats: int
    amount_fiat: int
    currency: str
    direction: Direction
    lamassu_transaction_id: str
    in_full: bool
    payout_min_sats: int


async def unpaid_shares(
    work: Ledger, due: datetime | None, most: int | None = None
) -> list[OpenShare]:
    """Shares of credited sales that no transfer carries yet, oldest sale first.

    `due`: those planned until then; None for all. At most so many.
    """
    condition = "p.status = 'pending' AND p.transfer_id IS NULL AND t.credit_status <> 'pending'"
    if due is None:
        return await _open_shares(work, condition, most)
    return await _open_shares(
        work, f"{condition} AND (p.created_at <= :due OR {_IN_FULL})", most, due=due
    )


async def shares_of_transfer(work: Ledger, transfer_id: str) -> list[OpenShare]:
    """The shares that this unpaid transfer carries, oldest sale first."""
    condition = "p.status IN ('pending', 'failed') AND p.transfer_id = :transfer"
    return await _open_shares(work, condition, transfer=transfer_id)


async def _open_shares(
    work: Ledger, condition: str, most: int | None = None, **values: str | datetime
) -> list[OpenShare]:
    rows = await work.rows(
        "SELECT p.id, p.transaction_id, p.client_id, c.wallet_id, p.amount_sats, p.amount_fiat, "
        "p.currency, t.direction, t.lamassu_transaction_id, "
        f"CASE WHEN {_IN_FULL} THEN 1 ELSE 0 END AS in_full, "
        "COALESCE(c.payout_min_sats, 0) AS payout_min_sats "
        "FROM satmachineclient.dca_payments p "
        "JOIN satmachineclient.lamassu_transactions t ON t.id = p.transaction_id "
        "JOIN satmachineclient.dca_clients c ON c.id = p.client_id "
        f"WHERE {condition} ORDER BY t.transaction_time, t.lamassu_transaction_id, p.client_id"
        f"{first(most)}",
        **values,
    )
    return await asyncio.to_thread(lambda: [OpenShare(*row.values()) for row in rows])

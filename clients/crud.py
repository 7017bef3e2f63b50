"""SQL of a client's cash and purchases in a period, accepted terms, and the programme's changes."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from ..crud_clients import programme_at
from ..crud_shares import SHARES
from ..database import Ledger, fetch_rows, ledger
from ..models import AuditEntry
from ..models_clients import Deposit
from ..models_programme import AcceptedTerms, AcceptedTermsOut, Programme
from ..models_sales import Payment


async def put_in_until(work: Ledger, client_id: str, end: datetime) -> dict[str, int]:
    """Per currency, a client's confirmed deposits before this time, less the withdrawals."""
    return await _until(
        work,
        "SELECT currency, deposited AS amount FROM satmachineclient.dca_balances "
        "WHERE client_id = :client",
        "SELECT currency, CAST(SUM(amount) AS BIGINT) AS amount FROM satmachineclient.dca_deposits "
        "WHERE client_id = :client AND status = 'confirmed' AND confirmed_at >= :end "
        "GROUP BY currency",
        client=client_id,
        end=end,
    )


async def taken_until(work: Ledger, client_id: str, end: datetime) -> dict[str, int]:
    """Per currency, what went out of a client's cash in sales before this time."""
    return await _until(
        work,
        "SELECT currency, allocated_fiat AS amount FROM satmachineclient.dca_balances "
        "WHERE client_id = :client",
        "SELECT currency, CAST(SUM(amount_fiat) AS BIGINT) AS amount "
        f"FROM {SHARES} "
        "WHERE client_id = :client AND status <> 'voided' AND transaction_time >= :end "
        "GROUP BY currency",
        client=client_id,
        end=end,
    )


async def _until(work: Ledger, total: str, later: str, client: str, **limit: Any) -> dict[str, int]:
    """A total of today less what came later: who asks, asks of recent times."""
    amounts = {row["currency"]: row["amount"] for row in await work.rows(total, client=client)}
    for row in await work.rows(later, client=client, **limit):
        amounts[row["currency"]] -= row["amount"]
    return amounts


async def in_machines_until(
    work: Ledger, client_id: str, end: datetime
) -> dict[tuple[str, str], int]:
    """Per currency and machine, what is left at this time of a client's cash that lies in it."""
    left: dict[tuple[str, str], int] = {}
    today = await work.rows(
        "SELECT currency, device_id, deposited - allocated_fiat AS amount "
        "FROM satmachineclient.dca_machine_balances WHERE client_id = :client",
        client=client_id,
    )
    moved_later = await work.rows(
        "SELECT currency, device_id, CAST(-SUM(amount) AS BIGINT) AS amount "
        "FROM satmachineclient.dca_deposits WHERE client_id = :client AND status = 'confirmed' "
        "AND device_id IS NOT NULL AND confirmed_at >= :end GROUP BY currency, device_id",
        client=client_id,
        end=end,
    )
    taken_later = await work.rows(
        "SELECT shares.currency, t.device_id, CAST(SUM(shares.machine_fiat) AS BIGINT) AS amount "
        f"FROM {SHARES} "
        "JOIN satmachineclient.lamassu_transactions t ON t.id = shares.transaction_id "
        "WHERE shares.client_id = :client AND shares.status <> 'voided' "
        "AND shares.machine_fiat > 0 AND shares.transaction_time >= :end "
        "GROUP BY shares.currency, t.device_id",
        client=client_id,
        end=end,
    )
    for row in (*today, *moved_later, *taken_later):
        key = (row["currency"], row["device_id"])
        left[key] = left.get(key, 0) + row["amount"]
    return left


async def deposits_within(
    work: Ledger, client_id: str, begin: datetime, end: datetime
) -> list[Deposit]:
    """A client's confirmed deposits and withdrawals of this time, in their order."""
    return await work.fetch(
        Deposit,
        "SELECT * FROM satmachineclient.dca_deposits WHERE client_id = :client "
        "AND status = 'confirmed' AND confirmed_at >= :begin AND confirmed_at < :end "
        "ORDER BY confirmed_at, id",
        client=client_id,
        begin=begin,
        end=end,
    )


async def payments_within(
    work: Ledger, client_id: str, begin: datetime, end: datetime
) -> list[Payment]:
    """A client's shares in the sales of this time, in their order."""
    return await work.fetch(
        Payment,
        f"SELECT * FROM {SHARES} WHERE client_id = :client "
        "AND status <> 'voided' AND transaction_time >= :begin AND transaction_time < :end "
        "ORDER BY transaction_time, created_at, id",
        client=client_id,
        begin=begin,
        end=end,
    )


# ---- accepted terms --------------------------------------------------------------------------


async def insert_accepted(work: Ledger, accepted: AcceptedTerms, text: str) -> None:
    await work.execute(
        "INSERT INTO satmachineclient.dca_terms_texts (hash, text, first_accepted_at) "
        "VALUES (:hash, :text, :at) ON CONFLICT (hash) DO NOTHING",
        hash=accepted.terms_hash,
        text=text,
        at=accepted.accepted_at,
    )
    await work.insert("dca_accepted_terms", [accepted])


async def last_accepted(client_id: str) -> str | None:
    """The hash of the terms that the client accepted last."""
    rows = await fetch_rows(
        "SELECT terms_hash FROM satmachineclient.dca_accepted_terms WHERE client_id = :client "
        "ORDER BY accepted_at DESC LIMIT 1",
        client=client_id,
    )
    return str(rows[0]["terms_hash"]) if rows else None


async def accepted_by(client_id: str) -> list[AcceptedTermsOut]:
    """What a client has accepted, with its text, newest first."""
    rows = await fetch_rows(
        "SELECT a.*, t.text AS terms FROM satmachineclient.dca_accepted_terms a "
        "JOIN satmachineclient.dca_terms_texts t ON t.hash = a.terms_hash "
        "WHERE a.client_id = :client ORDER BY a.accepted_at DESC, a.id",
        client=client_id,
    )
    return [AcceptedTermsOut.parse_obj(dict(row)) for row in rows]


async def first_and_last_move(client_id: str) -> tuple[Any, Any] | None:
    """When cash or sats of a client first moved, and when last, as the database keeps times."""
    [row] = await fetch_rows(
        "SELECT MIN(at) AS first_at, MAX(at) AS last_at FROM ("
        "SELECT confirmed_at AS at FROM satmachineclient.dca_deposits "
        "WHERE client_id = :client AND status = 'confirmed' "
        f"UNION ALL SELECT transaction_time FROM {SHARES} "
        "WHERE client_id = :client AND status <> 'voided' "
        "UNION ALL SELECT confirmed_at FROM satmachineclient.dca_forwards "
        "WHERE client_id = :client AND status = 'confirmed') moves",
        client=client_id,
    )
    return None if row["first_at"] is None else (row["first_at"], row["last_at"])


async def update_programme(
    change: Callable[[Programme], Programme], audit: Callable[[Programme, Programme], AuditEntry]
) -> Programme:
    async with ledger() as work:
        stored = await programme_at(work)
        before = stored or Programme()
        programme = change(before)
        if stored:
            await work.update("dca_programme", programme)
        else:
            await work.insert("dca_programme", [programme])
        await work.insert("dca_audit", [audit(before, programme)])
        return programme

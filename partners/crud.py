"""SQL of the partners, their terms by time, and their parts of the commissions."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lnbits.db import SQLITE
from pydantic import BaseModel

from ..connection import db
from ..crud import NAMED_SALES
from ..database import Ledger, Row, chunks, fetch_rows, first, ledger, reading
from ..helpers import ConflictError
from ..models import AuditEntry
from ..models_payouts import CommissionShare
from .models import Partner, PartnerTerms, Totals

QUARTER_SECONDS = 900
_QUARTER = (
    f"CAST(t.transaction_time / {QUARTER_SECONDS} AS INTEGER)"
    if db.type == SQLITE
    else f"CAST(FLOOR(EXTRACT(EPOCH FROM t.transaction_time) / {QUARTER_SECONDS}) AS BIGINT)"
)


async def get_partners() -> list[Partner]:
    """All of them, oldest first."""
    async with reading() as work:
        return await _partners(work)


async def _partners(work: Ledger) -> list[Partner]:
    return await work.fetch(
        Partner, "SELECT * FROM satmachineclient.dca_partners ORDER BY created_at, id"
    )


async def get_partner(partner_id: str) -> Partner | None:
    async with reading() as work:
        return await work.fetch_one(
            Partner, "SELECT * FROM satmachineclient.dca_partners WHERE id = :id", id=partner_id
        )


async def get_partners_of(user_id: str) -> list[Partner]:
    """Those whose wallets are this LNbits user's, newest first."""
    async with reading() as work:
        return await work.fetch(
            Partner,
            "SELECT * FROM satmachineclient.dca_partners WHERE user_id = :user_id "
            "ORDER BY created_at DESC, id",
            user_id=user_id,
        )


async def insert_partner(
    partner: Partner, check: Callable[[list[Partner]], None], audit: AuditEntry
) -> None:
    """Store a new partner with their terms, if `check` finds nothing wrong with all of them."""
    async with ledger() as work:
        check([*await _partners(work), partner])
        await work.execute_many(_INSERT_PARTNER, [_stored(partner)])
        await _begin(work, partner)
        await work.insert("dca_audit", [audit])


async def update_partner(
    partner_id: str,
    change: Callable[[Partner], Partner],
    check: Callable[[list[Partner]], None],
    audit: Callable[[Partner, Partner], AuditEntry],
) -> Partner:
    """Change a partner as they stand at this moment; changed terms count from now on.

    Raises:
        ConflictError: gone since they were looked up.
    """
    async with ledger() as work:
        partners = {partner.id: partner for partner in await _partners(work)}
        before = partners.get(partner_id)
        if before is None:
            raise ConflictError("This partner is gone.")
        partner = change(before)
        if partner == before.copy(update={"valid_from": partner.valid_from}):
            return before
        check([*(partners | {partner_id: partner}).values()])
        if _terms_of(partner) == _terms_of(before):
            partner = partner.copy(update={"valid_from": before.valid_from})
        else:
            await _end(work, partner)
            await _begin(work, partner)
        await work.execute_many(_UPDATE_PARTNER, [_stored(partner)])
        await work.insert("dca_audit", [audit(before, partner)])
        return partner


_COLUMNS = list(Partner.__fields__)
_INSERT_PARTNER = (
    f"INSERT INTO satmachineclient.dca_partners ({', '.join(_COLUMNS)}) "
    f"VALUES ({', '.join(f':{name}' for name in _COLUMNS)})"
)
_UPDATE_PARTNER = (
    "UPDATE satmachineclient.dca_partners SET "
    f"{', '.join(f'{name} = :{name}' for name in _COLUMNS if name != 'id')} WHERE id = :id"
)


def _stored(row: BaseModel) -> dict[str, Any]:
    fields = row.dict()
    return {**fields, "device_ids": json.dumps(fields["device_ids"])}


def _terms_of(partner: Partner) -> tuple[Any, ...]:
    return partner.percent, partner.device_ids, partner.status


async def _end(work: Ledger, partner: Partner) -> None:
    """Also of what was to hold after that, where the clock was set back since."""
    await work.execute(
        "UPDATE satmachineclient.dca_partner_terms SET valid_until = :now "
        "WHERE partner_id = :id AND (valid_until IS NULL OR valid_until > :now)",
        now=partner.valid_from,
        id=partner.id,
    )


async def _begin(work: Ledger, partner: Partner) -> None:
    terms = PartnerTerms.of(partner)
    names = list(PartnerTerms.__fields__)
    await work.execute_many(
        f"INSERT INTO satmachineclient.dca_partner_terms ({', '.join(names)}) "
        f"VALUES ({', '.join(f':{name}' for name in names)})",
        [_stored(terms)],
    )


# ---- planning --------------------------------------------------------------------------------


async def all_partners(work: Ledger) -> list[Partner]:
    return await _partners(work)


async def terms_at(work: Ledger, time: datetime) -> list[PartnerTerms]:
    """What was in force for each partner at this time."""
    return await work.fetch(
        PartnerTerms,
        "SELECT * FROM satmachineclient.dca_partner_terms "
        "WHERE valid_from <= :time AND (valid_until IS NULL OR valid_until > :time)",
        time=time,
    )


async def terms_between(work: Ledger, after: datetime, until: datetime) -> list[PartnerTerms]:
    """Those that came into force in this time, in their order; not what was so for no time."""
    return await work.fetch(
        PartnerTerms,
        "SELECT * FROM satmachineclient.dca_partner_terms "
        "WHERE valid_from > :after AND valid_from <= :until "
        "AND (valid_until IS NULL OR valid_until > valid_from) ORDER BY valid_from, id",
        after=after,
        until=until,
    )


# ---- paying ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class OpenPart:
    """A part that is to be paid; `wallet_id` is the partner's wallet of today."""

    id: str
    transaction_id: str
    lamassu_transaction_id: str
    partner_id: str
    wallet_id: str
    amount_sats: int


async def unpaid_parts(
    work: Ledger, due: datetime | None, most: int | None = None
) -> list[OpenPart]:
    """Parts of credited sales' commissions that no transfer carries yet, oldest sale first.

    `due`: those planned until then; None for all. At most so many.
    """
    condition = "s.status = 'pending' AND s.transfer_id IS NULL AND t.credit_status <> 'pending'"
    if due is None:
        return await _open_parts(work, condition, most)
    condition += " AND (s.created_at <= :due OR t.is_test)"
    return await _open_parts(work, condition, most, due=due)


async def parts_of_transfer(work: Ledger, transfer_id: str) -> list[OpenPart]:
    """The parts that this unpaid transfer carries, oldest sale first."""
    condition = "s.status IN ('pending', 'failed') AND s.transfer_id = :transfer"
    return await _open_parts(work, condition, transfer=transfer_id)


async def _open_parts(
    work: Ledger, condition: str, most: int | None = None, **values: str | datetime
) -> list[OpenPart]:
    rows = await work.rows(
        "SELECT s.id, s.transaction_id, t.lamassu_transaction_id, s.partner_id, p.wallet_id, "
        "s.amount_sats FROM satmachineclient.dca_commission_shares s "
        "JOIN satmachineclient.lamassu_transactions t ON t.id = s.transaction_id "
        "JOIN satmachineclient.dca_partners p ON p.id = s.partner_id "
        f"WHERE {condition} ORDER BY t.transaction_time, t.lamassu_transaction_id, s.partner_id"
        f"{first(most)}",
        **values,
    )
    return [OpenPart(*row.values()) for row in rows]


async def carry_parts(
    work: Ledger, part_ids: Iterable[str], transfer_id: str, wallet_id: str
) -> None:
    """Give parts to the transfer that pays them."""
    for ids in chunks(part_ids):
        await work.execute(
            "UPDATE satmachineclient.dca_commission_shares "
            "SET transfer_id = :transfer, wallet_id = :wallet, error = NULL WHERE id IN :ids",
            transfer=transfer_id,
            wallet=wallet_id,
            ids=ids,
        )


async def set_waiting(work: Ledger, part_ids: Iterable[str], error: str) -> None:
    for ids in chunks(part_ids):
        await work.execute(
            "UPDATE satmachineclient.dca_commission_shares SET error = :error WHERE id IN :ids",
            error=error,
            ids=ids,
        )


# ---- what is theirs --------------------------------------------------------------------------


async def shares_of(transaction_id: str) -> list[CommissionShare]:
    """The partners' parts of one sale's commission."""
    async with reading() as work:
        return await work.fetch(
            CommissionShare,
            "SELECT * FROM satmachineclient.dca_commission_shares "
            "WHERE transaction_id = :id AND status <> 'voided' ORDER BY partner_id",
            id=transaction_id,
        )


async def totals() -> dict[str, Totals]:
    """By partner: the sats that were paid, and those that are theirs and not paid yet."""
    rows = await fetch_rows(
        "SELECT partner_id, "
        "CAST(SUM(CASE WHEN status = 'confirmed' THEN amount_sats ELSE 0 END) AS BIGINT) AS paid, "
        "CAST(SUM(CASE WHEN status = 'confirmed' THEN 0 ELSE amount_sats END) AS BIGINT) AS open "
        "FROM satmachineclient.dca_commission_shares WHERE status <> 'voided' GROUP BY partner_id"
    )
    return {
        row["partner_id"]: Totals(total_sats=row["paid"], pending_sats=row["open"]) for row in rows
    }


async def by_quarter(partner_id: str) -> list[Row]:
    """A partner's sats and sales, by the quarter of an hour of the sale since 1970.

    Every time zone's days and months begin at one.
    """
    return await fetch_rows(
        f"SELECT {_QUARTER} AS quarter, COUNT(*) AS sales, "
        "CAST(SUM(s.amount_sats) AS BIGINT) AS sats "
        "FROM satmachineclient.dca_commission_shares s "
        "JOIN satmachineclient.lamassu_transactions t ON t.id = s.transaction_id "
        "WHERE s.partner_id = :id AND s.status <> 'voided' GROUP BY 1",
        id=partner_id,
    )


class SharedSale(CommissionShare):
    """A partner's part with what they may know of its sale."""

    transaction_time: datetime
    device_id: str
    device_name: str | None


async def shares_within(partner_id: str, begin: datetime, end: datetime) -> list[SharedSale]:
    """A partner's parts of the sales of this time, oldest first."""
    async with reading() as work:
        return await work.fetch(
            SharedSale,
            "SELECT s.*, named_sales.transaction_time, named_sales.device_id, "
            f"named_sales.device_name FROM {NAMED_SALES} "
            "JOIN satmachineclient.dca_commission_shares s "
            "ON s.transaction_id = named_sales.id AND s.partner_id = :id AND s.status <> 'voided' "
            "WHERE named_sales.transaction_time >= :begin "
            "AND named_sales.transaction_time < :end "
            "ORDER BY named_sales.transaction_time, s.id",
            id=partner_id,
            begin=begin,
            end=end,
        )


async def hash_of_transfer(transfer_id: str) -> str | None:
    """The payment hash of a transfer's first payout, once it is paid."""
    rows = await fetch_rows(
        "SELECT payment_hash FROM satmachineclient.dca_payouts "
        "WHERE transfer_id = :id AND status = 'confirmed' ORDER BY id LIMIT 1",
        id=transfer_id,
    )
    return rows[0]["payment_hash"] if rows else None

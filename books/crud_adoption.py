"""SQL of what was adopted: for which sale each payment was that our tables did not know."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, validator

from ..database import Ledger, fetch_rows, reading
from ..models_sales import PayoutKind

ClaimStatus = Literal["waiting", "matched", "unclear", "closed"]


class Claim(BaseModel):
    """A row of `dca_adopted`: LNbits has paid this, says the payment, for this sale.

    `transaction_ids`: our own ids of the sales, where the payment does not say Lamassu's; then the
    row is for all of them. `status`: waiting until its sale is planned; matched with the share, the
    credit or the commission; unclear, a person has to look; closed by a person.
    """

    id: str
    transfer_id: str
    payment_hash: str
    kind: PayoutKind
    lamassu_transaction_id: str | None
    transaction_ids: list[str]
    client_id: str | None
    wallet_id: str
    amount_sats: int
    amount_fiat: int | None
    currency: str | None
    paid_at: datetime
    status: ClaimStatus = "waiting"
    note: str | None = None

    @validator("transaction_ids", pre=True)
    def _from_text(cls, value: Any) -> Any:
        return value.split() if isinstance(value, str) else value


async def insert_claims(work: Ledger, claims: Sequence[Claim]) -> None:
    for claim in claims:
        values = {**claim.dict(), "transaction_ids": " ".join(claim.transaction_ids)}
        await work.execute(
            "INSERT INTO satmachineclient.dca_adopted (id, transfer_id, payment_hash, kind, "
            "lamassu_transaction_id, transaction_ids, client_id, wallet_id, amount_sats, "
            "amount_fiat, currency, paid_at, status, note) VALUES (:id, :transfer_id, "
            ":payment_hash, :kind, :lamassu_transaction_id, :transaction_ids, :client_id, "
            ":wallet_id, :amount_sats, :amount_fiat, :currency, :paid_at, :status, :note)",
            **values,
        )


async def claims_with(work: Ledger, status: ClaimStatus) -> list[Claim]:
    return await work.fetch(
        Claim,
        "SELECT * FROM satmachineclient.dca_adopted WHERE status = :status ORDER BY paid_at, id",
        status=status,
    )


async def claimed_ids(work: Ledger) -> set[str]:
    """Lamassu's ids of the sales that were paid, by what was adopted, and are not matched yet."""
    rows = await work.rows(
        "SELECT DISTINCT lamassu_transaction_id AS id FROM satmachineclient.dca_adopted "
        "WHERE status = 'waiting' AND lamassu_transaction_id IS NOT NULL"
    )
    return {row["id"] for row in rows}


async def raise_database_number(work: Ledger, number: int) -> None:
    """LNbits has paid sales of the database of this number: it was named, which we have lost."""
    await work.execute(
        "UPDATE satmachineclient.lamassu_config SET database_number = :number "
        "WHERE database_number < :number",
        number=number,
    )


async def set_claim(work: Ledger, claim_id: str, status: ClaimStatus, note: str | None) -> bool:
    return bool(
        await work.execute(
            "UPDATE satmachineclient.dca_adopted SET status = :status, note = :note "
            "WHERE id = :id AND status IN ('waiting', 'unclear')",
            id=claim_id,
            status=status,
            note=note,
        )
    )


async def get_claim(claim_id: str) -> Claim | None:
    async with reading() as work:
        return await work.fetch_one(
            Claim, "SELECT * FROM satmachineclient.dca_adopted WHERE id = :id", id=claim_id
        )


async def newest_confirmation() -> datetime | None:
    """When the newest payout was confirmed."""
    async with reading() as work:
        rows = await work.rows(
            "SELECT MAX(confirmed_at) AS time FROM satmachineclient.dca_payouts "
            "WHERE status = 'confirmed'"
        )
    return _Time(time=rows[0]["time"]).time


class _Time(BaseModel):
    time: datetime | None


async def paying_wallets() -> set[str]:
    """Every wallet that payouts have left, or that was credited."""
    rows = await fetch_rows(
        "SELECT DISTINCT source_wallet_id AS id FROM satmachineclient.dca_payouts "
        "WHERE source_wallet_id IS NOT NULL UNION SELECT DISTINCT wallet_id "
        "FROM satmachineclient.dca_payouts WHERE kind = 'credit'"
    )
    return {row["id"] for row in rows}

"""Payments of ours that no payout knows, and payouts whose payments LNbits has lost.

Either says that one of the two databases is older than the other: a backup was put back. What is
ours is told by what only we can have booked, since anybody can write a tag: debits of wallets that
belong to the operator, with our payout's id as external id, and credits that no debit has paid.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from lnbits.settings import settings

from .. import crud, crud_lnbits
from ..database import Row
from ..helpers import TAG
from ..models_payouts import Payout
from ..models_sales import PayoutKind
from . import crud_adoption
from .crud_checks import FOREVER, confirmed_payouts, known_hashes

EVERYTHING = datetime(2009, 1, 3, tzinfo=timezone.utc)
OVERLAP = timedelta(days=1)  # LNbits stores times without their zone
_OUTGOING = ("client", "commission", "partner")
_PAYOUT_ID = re.compile(r"[0-9a-f]{32}-\d{4,}")


@dataclass(frozen=True)
class Booked:
    """A payment that LNbits has booked for a payout of ours; `extra` is what it says it was for."""

    payout_id: str
    transfer_id: str
    kind: PayoutKind
    payment_hash: str
    bolt11: str
    source_wallet_id: str | None
    wallet_id: str
    amount_sats: int
    fee_msat: int
    time: datetime
    extra: dict[str, Any] = field(repr=False)

    @property
    def lamassu_ids(self) -> list[str]:
        """Lamassu's ids of its sales; empty where an earlier release has paid."""
        return [each["lamassu_transaction_id"] for each in self.sales]

    @property
    def sales(self) -> list[dict[str, Any]]:
        """What it says of each sale, as far as that can be understood."""
        listed = self.extra.get("sales")
        if not isinstance(listed, list) or not all(_is_about_a_sale(each) for each in listed):
            return []
        return listed


def _is_about_a_sale(each: Any) -> bool:
    return (
        isinstance(each, dict)
        and isinstance(each.get("lamassu_transaction_id"), str)
        and isinstance(each.get("amount_sats"), int)
    )


@dataclass(frozen=True)
class Found:
    """How many payments of ours were looked at, and those that no payout knows."""

    looked_at: int
    unknown: list[Booked]


async def unknown_payments(begin: datetime, end: datetime = FOREVER) -> Found:
    """Payments of ours that LNbits has booked in this time, and that no payout of ours knows."""
    number = 0
    unknown: list[Booked] = []
    async for batch in crud_lnbits.tagged_payments(begin - OVERLAP, end - OVERLAP, TAG):
        number += len(batch)
        known = await known_hashes(row["payment_hash"] for row in batch)
        strange = [row for row in batch if row["payment_hash"] not in known]
        unknown += await _ours(strange)
    return Found(number, sorted(unknown, key=lambda booked: (booked.time, booked.payout_id)))


async def since_newest() -> datetime:
    """From when on a payment would be unknown if an older copy of our database was put back.

    What is missing in it was booked after all that is in it.
    """
    return await crud_adoption.newest_confirmation() or EVERYTHING


async def _our_wallets() -> set[str]:
    """The wallets that pay, or have paid."""
    config = await crud.get_config()
    used = await crud_adoption.paying_wallets()
    return used | ({config.source_wallet_id} if config else set())


async def _ours(rows: list[Row]) -> list[Booked]:
    """Those of these bookings that only we can have made."""
    if not rows:
        return []
    wallets = await _our_wallets()
    owners = await crud_lnbits.owners(row["wallet_id"] for row in rows)
    rows = [
        row
        for row in rows
        if row["wallet_id"] in wallets or settings.is_admin_user(owners.get(row["wallet_id"], ""))
    ]
    ids = {row["payment_hash"] for row in rows} | {f"internal_{r['payment_hash']}" for r in rows}
    booked = await crud_lnbits.bookings(ids)
    return [found for row in rows if (found := _read(row, booked))]


def _read(row: Row, booked: Mapping[str, Row]) -> Booked | None:
    """The row as a payment of ours, if it is one."""
    payment_hash = row["payment_hash"]
    invoice, debit = booked.get(payment_hash), booked.get(f"internal_{payment_hash}")
    extra = _json(row["extra"])
    payout_id = str(extra.get("payout_id"))
    kind = extra.get("kind")
    named = row["external_id"] or (invoice and invoice["external_id"])
    if named != payout_id or not _PAYOUT_ID.fullmatch(payout_id):
        return None
    if row["amount"] > 0:
        if kind != "credit" or debit or row["checking_id"] != payment_hash:
            return None  # somebody has paid it: it made no balance
    elif kind not in ("client", "commission", "partner") or not row["checking_id"].startswith(
        "internal_"
    ):
        return None
    receiver = row["wallet_id"] if row["amount"] > 0 else invoice and invoice["wallet_id"]
    return Booked(
        payout_id=payout_id,
        transfer_id=payout_id.rsplit("-", 1)[0],
        kind=kind,
        payment_hash=payment_hash,
        bolt11=row["bolt11"],
        source_wallet_id=row["wallet_id"] if row["amount"] < 0 else None,
        wallet_id=receiver or "",
        amount_sats=abs(row["amount"]) // 1000,
        fee_msat=abs(row["fee"]),
        time=crud_lnbits.time_of(row["time"]),
        extra=extra,
    )


def _json(text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


# ---- the other way round ---------------------------------------------------------------------


async def lost_payouts() -> list[Payout]:
    """Confirmed payouts of which LNbits has no trace any more."""
    lost: list[Payout] = []
    async for batch in confirmed_payouts(EVERYTHING, FOREVER):
        ids = [key for payout in batch for key in checking_ids(payout)]
        booked = await crud_lnbits.bookings(ids)
        lost += lost_of(batch, booked)
    return lost


def lost_of(payouts: Iterable[Payout], booked: Mapping[str, Row]) -> list[Payout]:
    return [p for p in payouts if not any(key in booked for key in checking_ids(p))]


def checking_ids(payout: Payout) -> tuple[str, str]:
    """LNbits' ids of a payout's invoice and of the debit that pays it."""
    return payout.payment_hash or "", f"internal_{payout.payment_hash}"

"""SQL of the machines: their names, what was counted in them, and the sums of their sales.

Fiat sums are minor units, bitcoin sums sats.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from pydantic import BaseModel

from ..database import Ledger, Row, fetch_rows, ledger, reading
from ..models import AuditEntry
from .models import NO_MACHINES, Count, Machine

# COALESCE: nearly all sales have one of these states; no index of them is to be begun with.
_SOLD = (
    "COALESCE(status, '') IN ('planned', 'settled') AND direction <> 'settle_out' AND NOT is_test"
)


async def get_machines() -> list[Machine]:
    async with reading() as work:
        return await work.fetch(
            Machine, "SELECT * FROM satmachineclient.dca_machines ORDER BY device_id"
        )


async def get_machine(device_id: str) -> Machine | None:
    async with reading() as work:
        return await _machine(work, device_id)


async def _machine(work: Ledger, device_id: str) -> Machine | None:
    return await work.fetch_one(
        Machine, "SELECT * FROM satmachineclient.dca_machines WHERE device_id = :id", id=device_id
    )


async def names() -> dict[str, str]:
    """What each machine is called, by its id; those without a name are left out."""
    rows = await fetch_rows(
        "SELECT device_id, COALESCE(name, lamassu_name) AS name "
        "FROM satmachineclient.dca_machines WHERE COALESCE(name, lamassu_name) IS NOT NULL"
    )
    return {row["device_id"]: row["name"] for row in rows}


async def known_ids() -> set[str]:
    """All machines that Lamassu or a sale has named."""
    rows = await fetch_rows("SELECT device_id FROM satmachineclient.dca_machines")
    return {row["device_id"] for row in rows}


async def note_machines(work: Ledger, device_ids: Iterable[str]) -> None:
    """Remember machines that sales were made at."""
    await work.execute_many(
        "INSERT INTO satmachineclient.dca_machines (device_id) VALUES (:id) "
        "ON CONFLICT (device_id) DO NOTHING",
        [{"id": device_id} for device_id in sorted({*device_ids} - {*NO_MACHINES})],
    )


_SEEN = ("lamassu_name", "paired", "last_online", "units", "as_of")
_TOLD = ("currency", "denominations")  # of a machine without a recent cash-out they stay


async def store_seen(work: Ledger, machines: Iterable[Machine]) -> None:
    """Write down what the ATM's database says of its machines; own names stay."""
    columns = ("device_id", *_SEEN, *_TOLD)
    sets = [f"{name} = excluded.{name}" for name in _SEEN]
    sets += [
        f"{name} = CASE WHEN excluded.currency IS NULL THEN dca_machines.{name} "
        f"ELSE excluded.{name} END"
        for name in _TOLD
    ]
    await work.execute_many(
        f"INSERT INTO satmachineclient.dca_machines ({', '.join(columns)}) "
        f"VALUES ({', '.join(f':{name}' for name in columns)}) "
        f"ON CONFLICT (device_id) DO UPDATE SET {', '.join(sets)}",
        [machine.dict(include=set(columns)) for machine in machines],
    )


async def rename(
    device_id: str, name: str | None, audit: Callable[[Machine, Machine], AuditEntry]
) -> Machine | None:
    """Give a machine the operator's own name, or with None take it away; None if unknown."""
    async with ledger() as work:
        before = await _machine(work, device_id)
        if before is None or before.name == name:
            return before
        after = before.copy(update={"name": name})
        await work.execute(
            "UPDATE satmachineclient.dca_machines SET name = :name WHERE device_id = :id",
            name=name,
            id=device_id,
        )
        await work.insert("dca_audit", [audit(before, after)])
        return after


# ---- counts ----------------------------------------------------------------------------------


async def insert_count(count: Count, audit: AuditEntry) -> None:
    async with ledger() as work:
        await work.insert("dca_machine_counts", [count])
        await work.insert("dca_audit", [audit])


async def last_counts() -> list[Count]:
    """The newest of each machine and currency."""
    async with reading() as work:
        return await work.fetch(
            Count,
            "SELECT * FROM satmachineclient.dca_machine_counts c WHERE NOT EXISTS ("
            "SELECT 1 FROM satmachineclient.dca_machine_counts l "
            "WHERE l.device_id = c.device_id AND l.currency = c.currency "
            "AND (l.counted_at > c.counted_at OR (l.counted_at = c.counted_at AND l.id > c.id))) "
            "ORDER BY device_id, currency",
        )


async def currencies_of(device_id: str) -> set[str]:
    """The currencies of a machine's sales."""
    rows = await fetch_rows(
        "SELECT DISTINCT fiat_code FROM satmachineclient.lamassu_transactions "
        "WHERE device_id = :id AND NOT is_test AND fiat_code <> 'XXX'",
        id=device_id,
    )
    return {row["fiat_code"] for row in rows}


# ---- sums ------------------------------------------------------------------------------------


class Sold(BaseModel):
    """Sums of one machine's sales in one currency; `month_…` of this month."""

    device_id: str
    currency: str
    first_sale: datetime
    last_sale: datetime
    sales: int
    fiat: int
    sats: int
    commission_sats: int
    month_sales: int
    month_fiat: int
    month_sats: int
    month_commission_sats: int


async def sold(month: datetime) -> list[Sold]:
    """What was sold at each machine, ever and since the beginning of this month."""
    sums = {
        "sales": "1",
        "fiat": "fiat_amount",
        "sats": "crypto_amount_sats",
        "commission_sats": "commission_amount_sats",
    }
    columns = [f"CAST(SUM({what}) AS BIGINT) AS {name}" for name, what in sums.items()]
    columns += [
        f"CAST(SUM(CASE WHEN transaction_time >= :month THEN {what} ELSE 0 END) AS BIGINT) "
        f"AS month_{name}"
        for name, what in sums.items()
    ]
    async with reading() as work:
        return await work.fetch(
            Sold,
            "SELECT device_id, fiat_code AS currency, MIN(transaction_time) AS first_sale, "
            f"MAX(transaction_time) AS last_sale, {', '.join(columns)} "
            f"FROM satmachineclient.lamassu_transactions WHERE {_SOLD} "
            "GROUP BY device_id, fiat_code ORDER BY device_id, fiat_code",
            month=month,
        )


class Pace(BaseModel):
    """What went out of the clients' cash at one machine since a time, and since when any did."""

    device_id: str
    currency: str
    first_sale: datetime
    fiat: int


async def paces(since: datetime) -> list[Pace]:
    async with reading() as work:
        return await work.fetch(
            Pace,
            "SELECT device_id, fiat_code AS currency, MIN(transaction_time) AS first_sale, "
            "CAST(SUM(fiat_amount - undistributed_fiat) AS BIGINT) AS fiat "
            "FROM satmachineclient.lamassu_transactions "
            f"WHERE transaction_time >= :since AND {_SOLD} "
            "AND fiat_amount > undistributed_fiat GROUP BY device_id, fiat_code",
            since=since,
        )


async def owed() -> list[Row]:
    """Per currency what is left of the clients' cash."""
    return await fetch_rows(
        "SELECT currency, CAST(SUM(deposited - allocated_fiat) AS BIGINT) AS amount "
        "FROM satmachineclient.dca_balances GROUP BY currency ORDER BY currency"
    )


async def owed_by_machine() -> list[Row]:
    """Per currency and machine what is left of the cash that lies in that machine."""
    return await fetch_rows(
        "SELECT currency, device_id, CAST(SUM(deposited - allocated_fiat) AS BIGINT) AS amount "
        "FROM satmachineclient.dca_machine_balances GROUP BY currency, device_id "
        "HAVING SUM(deposited - allocated_fiat) <> 0 ORDER BY currency, device_id"
    )

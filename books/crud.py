"""SQL of planning: the balances and terms at a time. Fiat sums are minor units."""

from datetime import date, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

from .. import crud_shares
from ..database import Ledger, chunks
from ..helpers import start_of
from ..models_clients import Client, ClientTerms, Deposit

# ---- planning: what the shares of new sales depend on ----------------------------------------


async def open_clients(work: Ledger) -> list[Client]:
    """All that are not closed."""
    return await work.fetch(
        Client, "SELECT * FROM satmachineclient.dca_clients WHERE status <> 'closed'"
    )


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


async def machine_balances_at(work: Ledger, time: datetime) -> dict[tuple[str, str, str], int]:
    """The same of the cash that lies in one machine, per client, currency and machine."""
    balances: dict[tuple[str, str, str], int] = {}
    today = await work.rows(
        "SELECT client_id, currency, device_id, deposited - allocated_fiat AS amount "
        "FROM satmachineclient.dca_machine_balances"
    )
    later = await work.rows(
        "SELECT client_id, currency, device_id, CAST(-SUM(amount) AS BIGINT) AS amount "
        "FROM satmachineclient.dca_deposits WHERE status = 'confirmed' AND device_id IS NOT NULL "
        "AND amount > 0 AND confirmed_at > :time GROUP BY client_id, currency, device_id",
        time=time,
    )
    for row in (*today, *later):
        key = (row["client_id"], row["currency"], row["device_id"])
        balances[key] = balances.get(key, 0) + row["amount"]
    return balances


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
    work: Ledger, client_ids: set[str], days: set[date], zone: ZoneInfo
) -> dict[tuple[str, str, date], int]:
    """Fiat already allocated to these clients in sales of these days of the zone.

    By client, currency and day.
    """
    taken: dict[tuple[str, str, date], int] = {}
    for ids, day in product(chunks(client_ids), sorted(days)):
        begin, end = start_of(day, zone), start_of(day + timedelta(days=1), zone)
        for row in await work.rows(
            "SELECT client_id, currency, CAST(SUM(amount_fiat) AS BIGINT) AS amount "
            f"FROM {await crud_shares.between(work, begin, end)} "
            "WHERE client_id IN :ids AND status <> 'voided' "
            "AND transaction_time >= :begin AND transaction_time < :end "
            "GROUP BY client_id, currency",
            ids=ids,
            begin=begin,
            end=end,
        ):
            taken[row["client_id"], row["currency"], day] = row["amount"]
    return taken

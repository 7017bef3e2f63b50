"""SQL of the configuration, the polls, the audit log, and of the pages of any table.

Further SQL stands by noun in `crud_clients`, `crud_sales`, `crud_payouts` and `crud_lnbits`
(LNbits' own tables), and in the wing that alone needs it. Functions that take `work` are
one step of a transaction that the caller has opened.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from lnbits.db import Filters, Page
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError

from . import crud_shares
from .database import Ledger, Row, beyond, fetch_rows, ledger, reading
from .helpers import now
from .models import AuditEntry
from .models_config import LamassuConfig, Poll

Model = TypeVar("Model", bound=BaseModel)

# A sale is shown, filtered and sorted with the name of its machine.
NAMED_SALES = (
    "(SELECT t.*, COALESCE(m.name, m.lamassu_name) AS device_name "
    "FROM satmachineclient.lamassu_transactions t "
    "LEFT JOIN satmachineclient.dca_machines m ON m.device_id = t.device_id) named_sales"
)

# A client with whether they left and some of the cash is theirs still.
SETTLED_CLIENTS = (
    "(SELECT c.*, CASE WHEN c.status = 'closed' AND EXISTS (SELECT 1 "
    "FROM satmachineclient.dca_balances b WHERE b.client_id = c.id "
    "AND b.deposited > b.allocated_fiat) THEN true ELSE false END AS to_settle "
    "FROM satmachineclient.dca_clients c) settled_clients"
)

# Whose sats may go on to keys of their own: the forwards' `client_id` is an id of these.
OWNERS = (
    "(SELECT id, 'client' AS kind, user_id, wallet_id, username AS name, "
    "status = 'closed' AS has_left FROM satmachineclient.dca_clients "
    "UNION ALL SELECT id, 'partner', user_id, wallet_id, name, status = 'ended' "
    "FROM satmachineclient.dca_partners) owners"
)


def shown(table: str, filters: Filters[Any] | None = None) -> str:
    """Where the rows of a table are read from to be shown; those that these filters choose."""
    named = {
        "lamassu_transactions": NAMED_SALES,
        "dca_clients": SETTLED_CLIENTS,
        "dca_payments": crud_shares.chosen(filters) if filters else crud_shares.SHARES,
    }
    return named.get(table, f"satmachineclient.{table}")


def first_shown(table: str, filters: Filters[Any], where: str, order: str, number: int) -> str:
    """Where the first rows of a table in this order are read from, at most so many."""
    return crud_shares.first_rows(shown(table, filters), where, order, number)


async def get_config() -> LamassuConfig | None:
    async with reading() as work:
        return await fetch_config(work)


async def fetch_config(work: Ledger) -> LamassuConfig | None:
    return await work.fetch_one(LamassuConfig, "SELECT * FROM satmachineclient.lamassu_config")


async def save_config(config: LamassuConfig, audit: AuditEntry) -> None:
    """Store the configuration.

    Raises:
        ValueError: one of its wallets is a client's, whose sats would pay the others.
    """
    async with ledger() as work:
        for name in ("source_wallet_id", "commission_wallet_id"):
            if await work.rows(
                "SELECT c.id FROM satmachineclient.dca_clients c WHERE c.wallet_id = :wallet "
                "AND (c.status <> 'closed' OR EXISTS ("
                "SELECT 1 FROM satmachineclient.dca_payments p WHERE p.client_id = c.id "
                "AND p.status IN ('pending', 'failed')))",
                wallet=getattr(config, name),
            ):
                raise ValueError(f"{name}: this is a client's wallet; choose one of your own")
        stored = await fetch_config(work)
        if stored:
            await work.update("lamassu_config", config.succeeding(stored, now()))
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


# ---- events, told with what they are about --------------------------------------------------


async def note(work: Ledger, kind: str, events: Mapping[str, str]) -> None:
    """Events for the operator's webhook, if it wants them: a text for each subject's id.

    An event's letter has the id of its subject: told again, it is the same letter.
    """
    if events and await work.rows(
        "SELECT 1 FROM satmachineclient.dca_alert_settings "
        "WHERE webhook_url IS NOT NULL AND webhook_events"
    ):
        await _post(work, "webhook", kind, [(key, None, text) for key, text in events.items()])


async def tell_clients(work: Ledger, kind: str, told: Mapping[str, tuple[str, str]]) -> None:
    """Tell clients or partners something once: for each key the id of whom, and the text.

    `kind` is a column of `dca_client_notices`: who has switched it off hears nothing.
    """
    letters = []
    for key, (client_id, text) in told.items():
        first = await work.execute(
            "INSERT INTO satmachineclient.dca_told (key, at) VALUES (:key, :at) "
            "ON CONFLICT (key) DO NOTHING",
            key=f"{kind}:{key}",
            at=now(),
        )
        wanted = await work.rows(
            f"SELECT user_id FROM {OWNERS} WHERE id = :id AND COALESCE((SELECT n.{kind} "
            "FROM satmachineclient.dca_client_notices n WHERE n.client_id = :id), true)",
            id=client_id,
        )
        if first and wanted:
            letters.append((key, wanted[0]["user_id"], text))
    await _post(work, "client", kind, letters)


async def tell_client(work: Ledger, kind: str, key: str, client_id: str, text: str) -> None:
    """Tell a client or partner what they cannot switch off: what was changed in their name."""
    rows = await work.rows(f"SELECT user_id FROM {OWNERS} WHERE id = :id", id=client_id)
    await _post(work, "client", kind, [(key, row["user_id"], text) for row in rows])


async def _post(
    work: Ledger, channel: str, kind: str, letters: Iterable[tuple[str, str | None, str]]
) -> None:
    at = now()
    await work.execute_many(
        "INSERT INTO satmachineclient.dca_outbox (id, channel, user_id, kind, state, subject, "
        "text, at, attempts, next_attempt_at) VALUES (:id, :channel, :user, :kind, 'event', "
        ":subject, :text, :at, 0, :at) ON CONFLICT (id) DO NOTHING",
        [
            {
                "id": f"{channel}:{kind}:{key}",
                "channel": channel,
                "user": user_id,
                "kind": kind,
                "subject": key,
                "text": text,
                "at": at,
            }
            for key, user_id, text in letters
        ],
    )


# ---- pages -----------------------------------------------------------------------------------


async def in_batches(
    table: str, time_column: str, *, newest_first: bool = True, size: int = 500
) -> AsyncIterator[list[Row]]:
    """All rows of a table, in the order of this time, then of their ids.

    Each batch is a short query of its own: LNbits has one connection at a time for an extension,
    and who reads slowly must not keep the polls from it.
    """
    order, sign = ("DESC", "<") if newest_first else ("ASC", ">")
    condition, values = "1 = 1", dict[str, Any]()
    while True:
        rows = await fetch_rows(
            f"SELECT * FROM {shown(table)} WHERE {condition} "
            f"ORDER BY {time_column} {order}, id LIMIT {size}",
            **values,
        )
        if rows:
            yield rows
        if len(rows) < size:
            return
        condition = beyond(time_column, sign=sign)
        values = {"at": rows[-1][time_column], "behind": rows[-1]["id"]}


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
    order += ", id"
    limit = min(max(filters.limit if filters.limit is not None else 10, 1), 1000)
    offset = max(filters.offset or 0, 0)
    source = first_shown(table, filters, where, order, limit + offset)
    async with reading() as work:
        try:
            rows = await work.fetch(
                model,
                f"SELECT * FROM {source} {where} ORDER BY {order} LIMIT {limit} OFFSET {offset}",
                **values,
            )
            total = await work.rows(crud_shares.number_of(shown(table, filters), where), **values)
        except DBAPIError:
            raise ValueError("a filter's value does not fit its field") from None
    return Page(data=rows, total=total[0]["number"])

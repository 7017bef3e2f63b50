"""What the tests of the ATM's side share: where to read, reading it, and a dead end or two."""

import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import asyncpg
from satmachineclient.atm import lamassu, postgres
from satmachineclient.atm.rights import read_columns, sale_rights
from satmachineclient.models_config import SourceDirection, Target
from satmachineclient.models_sales import Found, Sale, SaleKey

from demo.lamassu_db import LamassuDatabase
from demo.ssh_server import SshServer


def now() -> datetime:
    return datetime.now(timezone.utc)


def target_at(database: LamassuDatabase, ssh: SshServer | None = None, **fields: Any) -> Target:
    """The reader's way into this database, through this SSH server where one is given."""
    login: dict[str, Any] = {"database": database.database, **database.login()}
    del login["database_name"]
    if ssh:
        login |= ssh.login()
    return replace(Target(**login), **fields)


async def none_known(rows: list[Found]) -> set[SaleKey]:
    return set()


async def read_sales(
    session: asyncpg.Connection,
    since: datetime,
    drop_known: Callable[[list[Found]], Awaitable[set[SaleKey]]] = none_known,
    *,
    needs_fixed_fee: bool = False,
    direction: SourceDirection = "cash_out",
) -> tuple[int, list[Sale]]:
    """How many good sales there are since then, and those that are new."""
    rights = sale_rights(await read_columns(session), direction)
    found, sales, _ = await lamassu.read_sales(
        session, rights, since, drop_known, needs_fixed_fee=needs_fixed_fee
    )
    return found, sales


async def read(
    target: Target,
    days: int = 7,
    *,
    needs_fixed_fee: bool = False,
    direction: SourceDirection = "cash_out",
) -> dict[str, Sale]:
    """All sales of the last days, by id."""
    since = now() - timedelta(days=days)
    async with postgres.connect(target) as session:
        _, sales = await read_sales(
            session, since, needs_fixed_fee=needs_fixed_fee, direction=direction
        )
    return {sale.id: sale for sale in sales}


@contextmanager
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]

"""What the tests of the ATM's side share: where to read, reading it, and a dead end or two."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

from satmachineclient.atm import lamassu, postgres
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
        _, sales, _ = await lamassu.read_sales(
            session, since, none_known, needs_fixed_fee=needs_fixed_fee, direction=direction
        )
    return {sale.id: sale for sale in sales}


@contextmanager
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]

"""The ATM's machines: their names, when they were last seen, and the notes believed to be in them.

All of it is optional. What may not be read, or does not exist in this version of Lamassu, is left
out, and the sales are read all the same. Denominations are settings of Lamassu's that stand in no
readable table: the ones of each machine's last cash-out are taken.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from ..helpers import known_currency, now
from ..machines.models import NO_MACHINES, Machine
from .rights import Columns
from .texts import as_bytes, decoded
from .way import reading

_MOST = 10_000  # machines
_LATEST = 20_000  # rows of the log of cash-outs
_MOST_NOTES = 1_000_000  # in a unit, and what one of them is worth
_CASSETTES = {f"cassette{n}": f"denomination_{n}" for n in range(1, 5)}
_RECYCLERS = {f"recycler{n}": f"denomination_recycler_{n}" for n in range(1, 7)}
_UNITS = {**_CASSETTES, **_RECYCLERS}
_WELCOME = ("last_online", *_UNITS)
_LAST_ONLINE = (
    "CASE WHEN last_online IS NOT NULL THEN "
    "LEAST(GREATEST(last_online::timestamptz, '2000-01-01Z'), '3000-01-01Z') END AS last_online"
)
_CONTROL = dict.fromkeys((*range(32), *range(127, 160)), " ")


@dataclass(frozen=True)
class MachineRights:
    """Which columns this role may read of each of the tables that speak of machines.

    `hidden`: columns of `devices` that exist and may not be read.
    """

    devices: list[str]
    unpaired: list[str]
    sales: list[str]  # of cash_out_txs
    actions: list[str]
    hidden: list[str]
    encoding: str  # of the text that is read, by Python's name

    @property
    def named(self) -> bool:
        return {"device_id", "name"} <= {*self.devices}


def machine_rights(columns: Columns) -> MachineRights:
    readable = columns.readable
    devices = [n for n in ("device_id", "name", *_WELCOME) if ("devices", n) in readable]
    there = {name for table, name in columns.there if table == "devices"}
    wanted = ("device_id", "name", *_WELCOME)

    def denominations(table: str, needed: Iterable[str]) -> list[str]:
        if not all((table, name) in readable for name in needed):
            return []
        return [name for name in _UNITS.values() if (table, name) in readable]

    unpaired = ("device_id", "name", "unpaired")
    return MachineRights(
        devices=devices,
        unpaired=[name for name in unpaired if ("unpaired_devices", name) in readable],
        sales=denominations("cash_out_txs", ("device_id", "fiat_code", "created")),
        actions=denominations("cash_out_actions", ("id", "tx_id", "created")),
        hidden=[name for name in wanted if name in there and name not in devices],
        encoding=columns.encoding,
    )


def describe_rights(rights: MachineRights, role: str) -> str:
    """For the connection test: what is known of the machines, and the GRANT for the rest."""
    told = []
    if rights.named:
        told.append("The machines' names can be read.")
    if rights.hidden:
        told.append(
            f"{', '.join(rights.hidden)} of devices cannot: optional, for the machines' names and "
            "what Lamassu believes is in them. To allow it, run there as owner: "
            f"GRANT SELECT (device_id, {', '.join(n for n in rights.hidden if n != 'device_id')}) "
            f"ON devices TO {role};"
        )
    if set(rights.devices) & set(_UNITS) and not (rights.sales or rights.actions):
        told.append(
            "What a note in each cassette is worth cannot be told: optional, GRANT SELECT "
            "(denomination_1, denomination_2, denomination_3, denomination_4) ON cash_out_actions "
            f"TO {role};"
        )
    return " ".join(told)


async def read_machines(
    session: asyncpg.Connection, columns: Columns, since: datetime
) -> list[Machine]:
    """What this role may read of the machines, in the session's own transaction.

    `since`: from when on cash-outs are looked at for the denominations.

    Raises:
        LamassuError: the connection broke, or there is no end of machines.
    """
    rights = machine_rights(columns)
    if not rights.named:
        return []
    found = {row["device_id"]: row for row in await _unpaired(session, rights)}
    found |= {row["device_id"]: row for row in await _devices(session, rights)}
    told = await _denominations(session, rights, since)
    at = now()
    return [
        _machine(row, told.get(device_id), at)
        for device_id, row in found.items()
        if device_id not in NO_MACHINES
    ]


async def _devices(session: asyncpg.Connection, rights: MachineRights) -> list[Mapping[str, Any]]:
    columns = [f"{as_bytes('device_id')} AS device_id", f"{as_bytes('name')} AS name"]
    if "last_online" in rights.devices:
        columns.append(_LAST_ONLINE)
    columns += [name for name in _UNITS if name in rights.devices]
    with reading("rows"):
        rows = await session.fetch(
            f"SELECT {', '.join(columns)} FROM public.devices ORDER BY device_id LIMIT {_MOST}"
        )
    return [{**row, "paired": True} for row in decoded(rows, rights.encoding)]


async def _unpaired(session: asyncpg.Connection, rights: MachineRights) -> list[Mapping[str, Any]]:
    """Those that were taken away: of each the latest name, if it may be read which that is."""
    if not {"device_id", "name"} <= {*rights.unpaired}:
        return []
    latest = "unpaired DESC NULLS LAST, " if "unpaired" in rights.unpaired else ""
    with reading("rows"):
        rows = await session.fetch(
            f"SELECT DISTINCT ON (device_id) {as_bytes('device_id')} AS device_id, "
            f"{as_bytes('name')} AS name FROM public.unpaired_devices "
            f"ORDER BY device_id, {latest}name LIMIT {_MOST}"
        )
    return [{**row, "paired": False} for row in decoded(rows, rights.encoding)]


async def _denominations(
    session: asyncpg.Connection, rights: MachineRights, since: datetime
) -> dict[str, Mapping[str, Any]]:
    """Of each machine's last cash-out: its currency, and what was in which unit."""
    columns = rights.sales or rights.actions
    if not columns or not {*rights.devices} & {*_UNITS}:
        return {}
    of = "t" if rights.sales else "a"
    # The log has no index but its key: only its latest rows are looked at.
    actions = (
        ""
        if rights.sales
        else "JOIN public.cash_out_actions a ON a.tx_id = t.id AND a.id > "
        f"(SELECT COALESCE(MAX(id), 0) - {_LATEST} FROM public.cash_out_actions)"
    )
    with reading("rows"):
        rows = await session.fetch(
            f"SELECT DISTINCT ON (t.device_id) {as_bytes('t.device_id')} AS device_id, "
            f"{as_bytes('t.fiat_code')} AS fiat_code, "
            f"{', '.join(f'{of}.{name} AS {name}' for name in columns)} "
            f"FROM public.cash_out_txs t {actions} WHERE t.created::timestamptz >= $1 "
            f"AND ({' OR '.join(f'{of}.{name} > 0' for name in columns)}) "
            f"ORDER BY t.device_id, {of}.created DESC, t.id LIMIT {_MOST}",
            since,
        )
    return {row["device_id"]: row for row in decoded(rows, rights.encoding)}


def _machine(row: Mapping[str, Any], told: Mapping[str, Any] | None, at: datetime) -> Machine:
    name = " ".join(row["name"].translate(_CONTROL).split())[:100] if row["name"] else None
    units = {unit: row.get(unit) for unit in _UNITS}
    currency, denominations = _told(told or {})
    return Machine(
        device_id=row["device_id"],
        lamassu_name=name or None,
        paired=row["paired"],
        last_online=row.get("last_online"),
        currency=currency,
        denominations=denominations,
        # Where there is no such unit its denomination is not known and its count 0.
        units={
            unit: min(max(notes, 0), _MOST_NOTES)
            for unit, notes in units.items()
            if notes is not None and (notes or unit in denominations)
        },
        as_of=at,
    )


def _told(told: Mapping[str, Any]) -> tuple[str | None, dict[str, int]]:
    try:
        currency = known_currency(str(told.get("fiat_code")))
    except ValueError:
        return None, {}
    worth = {unit: told.get(column) for unit, column in _UNITS.items()}
    return currency, {unit: n for unit, n in worth.items() if n and 0 < n <= _MOST_NOTES}

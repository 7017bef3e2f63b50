"""Whether the sale behind an id is still the one that is stored, and under which id it is kept.

Lamassu's ids are random UUIDs that its machines make, and the amounts of a row never change: an id
that comes back with other amounts, or in the other direction, comes from another database, or a
machine or a row that was set up anew. Such a sale is stored beside the first, under its id and a
mark, and waits for a person.

Databases have numbers. That another machine's database is read from now on is said by the operator
and nobody else; its sales are kept under their ids with its number, so that an id of it that is
known already is no obstacle. Said by mistake, it pays nothing twice: what agrees with a stored sale
in id, direction and amounts is that sale, whatever the number, and what differs waits for a person
if it is from before it was said, as all of a look-back window is.
"""

import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Set
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from hashlib import sha256
from typing import Any, NamedTuple

from .. import crud_sales, database
from ..connection import whole
from ..helpers import fiat_text, minor_units, to_decimal
from ..models_sales import Direction, Found, Sale, SaleKey
from . import crud_adoption
from .planning import may_become_good

Stored = Mapping[str, Mapping[str, Any]]  # what is stored, by its id
LookUp = Callable[[Iterable[str]], Awaitable[Stored]]

_NUMBER = re.compile(r"@(\d{1,6})(?=#|$)")
_NAMES: dict[Direction, str] = {
    "cash_out": "a cash-out",
    "cash_in": "a cash-in",
    "settle_out": "a settle-out",
}


class Told(NamedTuple):
    """What a row that was found is.

    `id`: under which it is stored, or is to be. `known`: what is stored of it. `other`: what is
    stored with its Lamassu id and is another sale. `apart`: that is only from a database of before.
    `reason`: why it waits for a person all the same.
    """

    id: str
    known: Mapping[str, Any] | None = None
    other: Mapping[str, Any] | None = None
    apart: bool = False
    reason: str | None = None

    @property
    def is_settled(self) -> bool:
        """Whether nothing can become of it any more: it need not be read again."""
        return self.known is not None and ("#" in self.id or not may_become_good(self.known))


def tell(found: Found, stored: Stored, claimed: Set[str], number: int) -> Told:
    """Which sale this is, for the database of this number.

    `claimed`: ids of sales that LNbits has paid, as was adopted, and that are not stored again yet.
    """
    ids = _ids(found, number)
    for key in ids:
        if key in stored and not is_another(stored[key], found):
            return Told(key, known=stored[key])
    marked = _marked(found, number)
    for key in marked:
        if key in stored:
            return Told(key, known=stored[key])
    own = ids[0]
    if own in stored:
        return Told(_mark(own, found), other=stored[own])
    paid = [key for key in (*marked, *ids) if key in claimed]
    if paid and ("#" in paid[0] or len(paid) > 1):
        reason = "LNbits has paid a sale with this id that is not in the books again yet."
        return Told(paid[0] if "#" in paid[0] else _mark(own, found), reason=reason)
    if paid:
        return Told(paid[0])
    others = [stored[key] for key in ids if key in stored]
    return Told(own, other=others[0], apart=True) if others else Told(own)


def is_another(known: Mapping[str, Any], found: Found) -> bool:
    """Whether a row that was found is another sale than the stored one with its id."""
    if known["direction"] != found.direction:
        return True
    if known["facts"]:
        facts = json.loads(known["facts"])
        names = ("crypto_atoms", "fiat", "fiat_code")
        return not all(_same(facts.get(name), getattr(found, name)) for name in names)
    atoms, fiat = _number(found.crypto_atoms), _number(found.fiat)
    code: str = known["fiat_code"]
    if atoms != _stored_sats(known) or fiat is None or found.fiat_code != code:
        return True
    try:
        return bool(minor_units(fiat, code) != known["fiat_amount"])
    except ValueError:
        return True


def _stored_sats(known: Mapping[str, Any]) -> Any:
    """What passed between customer and machine: of a cash-in without its commission."""
    return known["base_amount_sats" if known["direction"] == "cash_in" else "crypto_amount_sats"]


def _same(stored: str | None, found: str | None) -> bool:
    return stored == found or (_number(stored) is not None and _number(stored) == _number(found))


def _number(text: str | None) -> Decimal | None:
    return None if text is None or len(text) > 100 else to_decimal(text)


# ---- ids -------------------------------------------------------------------------------------


def numbered(lamassu_id: str, number: int) -> str:
    """Under which id a sale of the database of this number is kept; the first has no number."""
    return lamassu_id if number == 1 else f"{lamassu_id}@{number}"


def highest_number(ids: Iterable[str]) -> int:
    """Of which database the newest of these stored ids is."""
    return max((int(found[1]) for key in ids if (found := _NUMBER.search(key))), default=1)


def _ids(found: Found, number: int) -> list[str]:
    """Under which ids it may be stored, the present database's first."""
    return [numbered(found.id, n) for n in range(number, 0, -1)]


def _mark(key: str, found: Found) -> str:
    """The id of another sale: the same each time that this id, direction and amounts are read."""
    text = f"{found.crypto_atoms} {found.fiat} {found.fiat_code} {found.direction}"
    return f"{key}#{sha256(text.encode()).hexdigest()[:8]}"


def _marked(found: Found, number: int) -> list[str]:
    """Under which ids it may be stored as another sale than the first with its id."""
    return [_mark(key, found) for key in _ids(found, number)]


# ---- a read ----------------------------------------------------------------------------------


class Identities:
    """What one read of the ATM's database finds, told from what is stored.

    `number`: of that database. `since`: when it was said that it is another than the one before.
    `again`: how many sales of it are known from a database before it.
    """

    def __init__(self, number: int, since: datetime | None) -> None:
        self._number, self._since = number, since
        self._told: dict[SaleKey, Told] = {}
        self._found: dict[SaleKey, Found] = {}
        self.again = 0

    async def drop_known(self, rows: list[Found]) -> set[SaleKey]:
        """Those of these rows that need not be read again."""
        return await whole(self._look_up(rows))  # no deadline cuts it off half-way

    async def _look_up(self, rows: list[Found]) -> set[SaleKey]:
        async with database.reading() as work:
            claimed = await crud_adoption.claimed_ids(work) if self._number > 1 else set()
            return await self.take(rows, partial(crud_sales.known_transactions, work), claimed)

    async def take(self, rows: list[Found], look_up: LookUp, claimed: Set[str]) -> set[SaleKey]:
        """Tell these rows by what is stored; those of them that need not be read again."""
        ids = {row.key: _ids(row, self._number) for row in rows}
        stored = dict(await look_up(key for keys in ids.values() for key in keys))
        met = [row for row in rows if _is_met(row, ids[row.key], stored, claimed)]
        if met:
            stored |= await look_up(key for row in met for key in _marked(row, self._number))
        self._found = {row.key: row for row in rows}
        self._told = {row.key: tell(row, stored, claimed, self._number) for row in rows}
        self.again = sum(self._is_before(told) for told in self._told.values())
        # Where an id stands in both tables, the second waits until the first is stored.
        new = {told.id for (_, table), told in self._told.items() if table == "cash_out"}
        return {
            key
            for key, told in self._told.items()
            if told.is_settled or (key[1] == "cash_in" and not told.known and told.id in new)
        }

    def _is_before(self, told: Told) -> bool:
        return told.known is not None and highest_number([told.id]) != self._number

    def name(self, sale: Sale) -> Sale:
        """The sale under the id that it is to be stored by; for a person, if it is another's."""
        told = self._told[(sale.id, sale.direction)]
        if sale.state == "waiting":
            return sale
        if told.reason:
            return _for_a_person(sale, told.id, told.reason)
        if told.other is None:
            return replace(sale, id=told.id)
        if not told.apart:
            return _for_a_person(sale, told.id, _reason(sale, told.other))
        if self._since is not None and sale.time >= self._since:
            return replace(sale, id=told.id)
        key = _mark(told.id, self._found[(sale.id, sale.direction)])
        return _for_a_person(sale, key, _reason(sale, told.other, before=True))


def _is_met(found: Found, ids: list[str], stored: Stored, claimed: Set[str]) -> bool:
    """Whether its id is known, but not of this very sale."""
    if not claimed.isdisjoint(ids):
        return True
    rows = [stored[key] for key in ids if key in stored]
    return bool(rows) and all(is_another(row, found) for row in rows)


def _for_a_person(sale: Sale, key: str, reason: str) -> Sale:
    reason = f"{reason} {sale.reason}" if sale.reason else reason
    return replace(sale, id=key, state="review", reason=reason)


def _reason(sale: Sale, known: Mapping[str, Any], before: bool = False) -> str:
    fiat = fiat_text(known["fiat_amount"], known["fiat_code"])
    where = ", from the database before this one" if before else ""
    why = (
        "it is from before this database was named another one"
        if before
        else "from another database or a machine that was set up anew, or its amounts were changed"
    )
    return (
        f"Lamassu's id {sale.id} is stored already{where}, as {_NAMES[known['direction']]} of "
        f"{_stored_sats(known)} sats for {fiat} {known['fiat_code']}. This is another sale, "
        f"{_NAMES[sale.direction]} of {sale.crypto_sats} sats for "
        f"{fiat_text(sale.fiat, sale.fiat_code)} {sale.fiat_code}: {why}. Compare the two."
    )

"""Whatever is said of the ATM's databases, no sale is planned twice and none is dropped in silence.

A programme of any length: sales come in at several databases, rows are changed, a database is
copied, another one is read, and the operator says, truly or by mistake, that it is another
machine's.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, NamedTuple

import hypothesis
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from satmachineclient.books.identity import Identities, highest_number, numbered
from satmachineclient.books.planning import may_become_good
from satmachineclient.models_sales import Direction, Found, Sale, SaleState

BEGIN = datetime(2026, 3, 1, tzinfo=timezone.utc)


class Row(NamedTuple):
    """A sale as it stands in one of the ATM's databases; `time` in hours."""

    id: str
    direction: Direction
    sats: int
    fiat: int
    time: int
    state: SaleState = "good"

    @property
    def as_sold(self) -> tuple[str, Direction, int, int]:
        return self.id, self.direction, self.sats, self.fiat


@dataclass
class World:
    """The databases' rows by (id, table), and what is stored of them."""

    databases: dict[str, dict[tuple[str, str], Row]] = field(
        default_factory=lambda: {"first": {}, "second": {}}
    )
    reads: str = "first"
    number: int = 1
    since: datetime | None = None
    hours: int = 0
    stored: dict[str, dict[str, Any]] = field(default_factory=dict)
    planned: list[tuple[str, Direction, int, int]] = field(default_factory=list)
    times: list[tuple[str, Direction, datetime]] = field(default_factory=list)  # of `planned`
    again: int = 0

    def name_another(self) -> None:
        self.number += 1
        self.since = BEGIN + timedelta(hours=self.hours)

    def read(self) -> None:
        rows = dict(sorted(self.databases[self.reads].items(), key=_cash_outs))
        found = [
            Found(r.id, r.direction, f"{r.sats}", f"{r.fiat}.00", "GTQ") for r in rows.values()
        ]
        identities = Identities(self.number, self.since)
        known = asyncio.run(identities.take(found, self._look_up, set()))
        self.again = identities.again
        sales = [_sale(row) for key, row in rows.items() if key not in known]
        for sale in sorted(sales, key=lambda sale: (sale.time, sale.id)):
            self._store(identities.name(sale), sale.id)

    async def _look_up(self, ids: Iterable[str]) -> Mapping[str, Mapping[str, Any]]:
        """As `known_transactions` answers."""
        found = {key: dict(self.stored[key]) for key in ids if key in self.stored}
        for row in found.values():
            if row["status"] not in ("needs_review", "dismissed") and not row["review_reason"]:
                row["facts"] = None
        return found

    def _store(self, sale: Sale, lamassu_id: str) -> None:
        """As the poll plans it, of which a person decides nothing here."""
        if sale.state == "waiting":
            return
        old = self.stored.get(sale.id)
        if old and not (old["direction"] == sale.direction and may_become_good(old)):
            return
        if sale.state == "good":
            self.planned.append((lamassu_id, sale.direction, sale.crypto_sats, sale.fiat // 100))
            self.times.append((lamassu_id, sale.direction, sale.time))
        commission = 100 if sale.direction == "cash_in" and sale.state == "good" else 0
        self.stored[sale.id] = {
            "direction": sale.direction,
            "status": "settled" if sale.state == "good" else "needs_review",
            "review_reason": sale.reason,
            "crypto_amount_sats": sale.crypto_sats + commission,
            "base_amount_sats": sale.crypto_sats,
            "fiat_amount": sale.fiat,
            "fiat_code": sale.fiat_code,
            "facts": json.dumps(sale.facts),
        }

    def decide(self, number: int) -> None:
        """A person distributes or dismisses what waits, or takes a planned sale back."""
        keys = sorted(self.stored)
        if not keys:
            return
        row = self.stored[keys[number % len(keys)]]
        if row["status"] == "settled":
            row |= {"status": "dismissed", "base_amount_sats": row["crypto_amount_sats"]}
        elif row["status"] == "needs_review":
            row["status"] = ("settled", "dismissed")[number % 2]

    def kept(self) -> list[tuple[str, Direction, int, int]]:
        """What is stored, with Lamassu's own ids."""
        kept = []
        for key, row in self.stored.items():
            facts = json.loads(row["facts"])
            bare = key.split("#")[0].split("@")[0]
            kept.append(
                (bare, row["direction"], int(facts["crypto_atoms"]), row["fiat_amount"] // 100)
            )
        return kept


def _cash_outs(item: tuple[tuple[str, str], Row]) -> tuple[bool, str]:
    return item[1].direction == "cash_in", item[1].id


def _sale(row: Row) -> Sale:
    facts = {"crypto_atoms": f"{row.sats}", "fiat": f"{row.fiat}.00", "fiat_code": "GTQ"}
    return Sale(
        id=row.id,
        device_id="",
        time=BEGIN + timedelta(hours=row.time),
        crypto_code="BTC",
        crypto_sats=row.sats,
        fiat=row.fiat * 100,
        fiat_code="GTQ",
        commission=Decimal("0.05"),
        discount=None,
        fixed_fee=None,
        state=row.state,
        reason="a reason" if row.state == "review" else None,
        facts={**facts, "dispense_confirmed": row.state == "good"},
        direction=row.direction,
    )


ids = st.sampled_from(["a", "b"])
directions = st.sampled_from(["cash_out", "cash_in"])
places = st.sampled_from(["first", "second"])
sale = st.tuples(
    st.just("sale"),
    places,
    ids,
    directions,
    st.integers(1, 2),
    st.sampled_from(["good", "good", "review", "waiting"]),
)
step = st.one_of(
    sale,
    st.tuples(st.just("copy"), places),
    st.tuples(st.just("finish"), places),
    st.tuples(st.just("read from"), places, st.booleans()),
    st.tuples(st.just("name another")),
    st.tuples(st.just("decide"), st.integers(0, 50)),
)
# Each with whether a poll follows.
steps = st.lists(st.tuples(step, st.booleans()), max_size=30)
many = hypothesis.settings(max_examples=300)


def take(world: World, step: tuple[Any, ...]) -> None:
    world.hours += 1
    match step:
        case ("sale", place, key, direction, size, state):
            old = world.databases[place].get((key, direction))
            time = old.time if old else world.hours  # a row that is changed keeps its time
            row = Row(key, direction, 1_000 * size, 100 * size, time, state)
            world.databases[place][key, direction] = row
        case ("copy", place):
            other = {"first": "second", "second": "first"}[place]
            world.databases[other] = dict(world.databases[place])
        case ("finish", place):
            rows = world.databases[place]
            world.databases[place] = {k: row._replace(state="good") for k, row in rows.items()}
        case ("read from", place, is_named):
            world.reads = place
            if is_named:
                world.name_another()
        case ("name another",):
            world.name_another()
        case ("decide", number):
            world.decide(number)


# An id that stands in both tables with the same amounts, at a database that is named too late.
SAME_AMOUNTS = [
    (("sale", "first", "a", "cash_out", 1, "good"), False),
    (("sale", "second", "a", "cash_out", 2, "good"), False),
    (("sale", "second", "a", "cash_in", 2, "good"), True),
    (("name another",), False),
]


@many
@given(steps)
@example(SAME_AMOUNTS)
def test_no_sale_is_planned_twice_and_none_is_dropped(
    steps: list[tuple[tuple[Any, ...], bool]],
) -> None:
    world = World()
    for step, polls in [*steps, (("read from", "second", False), True)]:
        take(world, step)
        for _ in range(2 * polls):  # where an id stands in both tables, the second comes later
            world.read()
        kept = world.kept()
        assert len(set(world.planned)) == len(world.planned)
        assert len(set(world.times)) == len(world.times)  # nor one whose amounts were changed
        assert len(set(kept)) == len(kept)
    read = world.databases[world.reads].values()
    unfinished = {row.id for row in read if row.state == "waiting"}
    assert {row.as_sold for row in read if row.id not in unfinished} <= set(kept)


@many
@given(steps)
def test_what_a_person_has_decided_on_is_never_planned_by_itself(
    steps: list[tuple[tuple[Any, ...], bool]],
) -> None:
    world = World()
    for step, polls in steps:
        take(world, step)
        before, decided = len(world.planned), set(world.kept())
        open_ones = {
            _sold(key, row)
            for key, row in world.stored.items()
            if "#" not in key and may_become_good(row)
        }
        for _ in range(2 * polls):
            world.read()
        assert not (set(world.planned[before:]) & decided) - open_ones


def _sold(key: str, row: dict[str, Any]) -> tuple[str, Direction, int, int]:
    bare = key.split("@")[0]
    return bare, row["direction"], row["base_amount_sats"], row["fiat_amount"] // 100


# ---- one by one ------------------------------------------------------------------------------


def world_with(*rows: Row) -> World:
    world = World(hours=10)
    world.databases["first"] = {(row.id, row.direction): row for row in rows}
    world.read()
    return world


@pytest.mark.parametrize("is_named", [False, True])
def test_a_copy_of_the_same_database_is_never_shared_out_again(is_named: bool) -> None:
    world = world_with(Row("a", "cash_out", 1000, 100, 1), Row("b", "cash_out", 2000, 200, 2))
    assert len(world.planned) == 2
    take(world, ("copy", "first"))
    take(world, ("read from", "second", is_named))
    take(world, ("sale", "second", "c", "cash_out", 2, "good"))

    world.read()

    assert len(world.planned) == 3 and len(world.stored) == 3
    assert world.again == (2 if is_named else 0)


def test_ids_of_another_machines_database_count_apart() -> None:
    world = world_with(Row("a", "cash_out", 1000, 100, 1))
    take(world, ("read from", "second", True))
    take(world, ("sale", "second", "a", "cash_out", 2, "good"))

    for _ in range(2):
        world.read()

    assert world.planned == [("a", "cash_out", 1000, 100), ("a", "cash_out", 2000, 200)]
    assert set(world.stored) == {"a", "a@2"}


def test_a_known_id_from_before_another_database_was_named_waits_for_a_person() -> None:
    world = world_with(Row("a", "cash_out", 1000, 100, 1))
    take(world, ("sale", "second", "a", "cash_out", 2, "good"))
    take(world, ("read from", "second", True))

    for _ in range(2):
        world.read()

    assert len(world.planned) == 1
    [key] = set(world.stored) - {"a"}
    assert key.startswith("a@2#") and world.stored[key]["status"] == "needs_review"
    reason = world.stored[key]["review_reason"]
    assert "a cash-out of 1000 sats for 100.00 GTQ" in reason
    assert "a cash-out of 2000 sats for 200.00 GTQ" in reason


def test_what_lnbits_has_paid_before_the_books_were_put_back_keeps_its_id() -> None:
    """The copy knows neither the sale nor that another database was named."""
    for claimed, key, state in (
        ({"a"}, "a", "good"),
        ({"a@2"}, "a@2", "good"),
        ({"a", "a@2"}, None, "review"),
    ):
        identities = Identities(2, None)
        row = Row("a", "cash_out", 1000, 100, 1)
        found = Found("a", "cash_out", "1000", "100.00", "GTQ")
        world = World()
        assert asyncio.run(identities.take([found], world._look_up, claimed)) == set()
        sale = identities.name(_sale(row))
        assert sale.state == state and (sale.id == key or (not key and sale.id.startswith("a@2#")))


def test_a_stored_id_says_of_which_database_it_is() -> None:
    assert [numbered("a", n) for n in (1, 2, 17)] == ["a", "a@2", "a@17"]
    assert highest_number([]) == highest_number(["a", "a#01234567", "test-1"]) == 1
    assert highest_number(["a@2", "a@17#01234567", "a"]) == 17

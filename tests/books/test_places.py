"""Wherever cash lies: no client's part of it is ever overdrawn, lost, or taken by another machine.

Deposits, sales of several machines and currencies, and changes of partners, in any order of time;
planned as a backlog or each at its own moment, the result is the same.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from satmachineclient.books import planning
from satmachineclient.books.book import Book
from satmachineclient.books.partners import PartnerBook
from satmachineclient.models_clients import Client, ClientTerms, Deposit
from satmachineclient.models_sales import Sale
from satmachineclient.partners.models import Partner, PartnerTerms

from tests.books.test_planning import BEGIN, config

CLIENTS = ("ana", "bruno", "carla")
PLACES = st.sampled_from(["", "m1", "m2"])
CURRENCIES = st.sampled_from(["GTQ", "JPY"])
HOURS = st.integers(0, 20)


@dataclass(frozen=True)
class PutIn:
    hour: int
    client: str
    currency: str
    amount: int
    place: str


@dataclass(frozen=True)
class Sold:
    hour: int
    machine: str
    currency: str
    fiat: int
    sats: int


@dataclass(frozen=True)
class Agreed:
    hour: int
    partner: str
    percent: Decimal
    machine: str


put_in = st.builds(
    PutIn, HOURS, st.sampled_from(CLIENTS), CURRENCIES, st.integers(1, 10**6), PLACES
)
sold = st.builds(
    Sold,
    HOURS,
    st.sampled_from(["m1", "m2", "m3"]),
    CURRENCIES,
    st.integers(1, 10**6),
    st.integers(1, 10**7),
)
agreed = st.builds(
    Agreed,
    HOURS,
    st.sampled_from("pq"),
    st.decimals(Decimal("0.0001"), Decimal(50), places=4),
    st.sampled_from(["", "m1"]),
)


def at(hour: int) -> datetime:
    return BEGIN + timedelta(hours=hour)


def sale_of(number: int, each: Sold) -> Sale:
    return Sale(
        id=f"{number}",
        device_id=each.machine,
        time=at(each.hour) + timedelta(minutes=30),
        crypto_code="BTC",
        crypto_sats=each.sats,
        fiat=each.fiat,
        fiat_code=each.currency,
        commission=Decimal("0.05"),
        discount=None,
        fixed_fee=None,
        state="good",
        reason=None,
        facts={},
    )


def deposits_of(made: list[PutIn]) -> list[Deposit]:
    return [
        Deposit(
            id=f"{number}",
            client_id=each.client,
            amount=each.amount,
            currency=each.currency,
            device_id=each.place or None,
            status="confirmed",
            created_at=at(each.hour),
            confirmed_at=at(each.hour),
        )
        for number, each in enumerate(sorted(made, key=lambda each: each.hour))
    ]


def terms_of(changes: list[Agreed]) -> list[PartnerTerms]:
    """One after the other; those that held for no time are left out, as they are when read."""
    terms: list[PartnerTerms] = []
    for number, each in enumerate(sorted(changes, key=lambda each: each.hour)):
        for index, old in enumerate(terms):
            if old.partner_id == each.partner and old.valid_until is None:
                terms[index] = old.copy(update={"valid_until": at(each.hour)})
        terms.append(
            PartnerTerms(
                id=f"{number}",
                partner_id=each.partner,
                percent=each.percent,
                device_ids=[each.machine] if each.machine else [],
                valid_from=at(each.hour),
            )
        )
    return [t for t in terms if t.valid_until is None or t.valid_until > t.valid_from]


def book_from(
    time: datetime,
    deposits: list[Deposit],
    gone: dict[tuple[str, str, str], int],
    terms: list[PartnerTerms],
) -> Book:
    """As it is read at this time: what was deposited by then, less all that went out so far."""
    clients = [
        Client(id=i, user_id="", wallet_id=i, dca_mode="flow", created_at=BEGIN, updated_at=BEGIN)
        for i in CLIENTS
    ]
    client_terms = [
        ClientTerms(id=i, client_id=i, dca_mode="flow", status="active", valid_from=BEGIN)
        for i in CLIENTS
    ]
    total: dict[tuple[str, str], int] = defaultdict(int)
    in_machines: dict[tuple[str, str, str], int] = defaultdict(int)
    entries = [
        (d.client_id, d.currency, d.device_id or "", d.amount)
        for d in deposits
        if d.confirmed_at and d.confirmed_at <= time
    ]
    entries += [(*place, -amount) for place, amount in gone.items()]
    for client, currency, place, amount in entries:
        total[client, currency] += amount
        if place:
            in_machines[client, currency, place] += amount
    partners = [
        Partner(
            id=i,
            name=i,
            user_id="",
            wallet_id=i,
            percent=Decimal(1),
            device_ids=[],
            valid_from=BEGIN,
            created_at=BEGIN,
        )
        for i in "pq"
    ]
    in_force = [
        t for t in terms if t.valid_from <= time and (t.valid_until is None or t.valid_until > time)
    ]
    return Book(
        clients,
        client_terms,
        dict(total),
        later_deposits=[d for d in deposits if d.confirmed_at and d.confirmed_at > time],
        in_machines=dict(in_machines),
        partners=PartnerBook(partners, in_force, [t for t in terms if t.valid_from > time]),
    )


def note(gone: dict[tuple[str, str, str], int], plan: planning.Plan) -> None:
    for p in plan.payments:
        gone[p.client_id, p.currency, plan.row.device_id] += p.machine_fiat
        gone[p.client_id, p.currency, ""] += p.amount_fiat - p.machine_fiat


Outcome = tuple[list[tuple[str, int, int, int]], list[tuple[str, int]]]


def outcome(plan: planning.Plan) -> Outcome:
    shares = [(p.client_id, p.amount_sats, p.amount_fiat, p.machine_fiat) for p in plan.payments]
    return sorted(shares), sorted((s.partner_id, s.amount_sats) for s in plan.commission)


@given(
    st.lists(put_in, max_size=8),
    st.lists(sold, max_size=8),
    st.lists(agreed, max_size=5),
)
def test_a_backlog_gives_the_same_as_polling_at_each_moment_and_nothing_is_lost(
    made: list[PutIn], sales: list[Sold], changes: list[Agreed]
) -> None:
    deposits, terms = deposits_of(made), terms_of(changes)
    in_order = [
        sale_of(number, each)
        for number, each in enumerate(sorted(sales, key=lambda each: each.hour))
    ]
    in_order.sort(key=lambda each: (each.time, each.id))
    gone: dict[tuple[str, str, str], int] = defaultdict(int)
    at_once: dict[tuple[str, str, str], int] = defaultdict(int)
    backlog = book_from(BEGIN - timedelta(hours=1), deposits, {}, terms)
    for each in in_order:
        plan = planning.plan_sale(each, backlog, config("UTC"))
        planning.check_conservation(*plan)
        note(gone, plan)
        alone = planning.plan_sale(
            each, book_from(each.time, deposits, at_once, terms), config("UTC")
        )
        note(at_once, alone)
        assert outcome(plan) == outcome(alone)
        for payment in plan.payments:
            # Nothing of another machine's cash, and the own part first.
            put = sum(
                d.amount
                for d in deposits
                if (d.client_id, d.currency) == (payment.client_id, payment.currency)
                and d.device_id == each.device_id
                and d.confirmed_at
                and d.confirmed_at <= each.time
            )
            left = put - gone[payment.client_id, payment.currency, each.device_id]
            assert left >= 0
            assert payment.machine_fiat == payment.amount_fiat or left == 0
    lies = {(d.client_id, d.currency, d.device_id or "") for d in deposits}
    for place, amount in gone.items():
        put = sum(
            d.amount for d in deposits if (d.client_id, d.currency, d.device_id or "") == place
        )
        assert 0 <= amount <= put
        assert place in lies or amount == 0


@given(st.lists(put_in, min_size=1, max_size=6), st.lists(sold, min_size=1, max_size=6))
def test_a_sale_that_is_read_late_takes_only_what_is_still_there(
    made: list[PutIn], sales: list[Sold]
) -> None:
    """In whatever order sales become known, no part of anybody's cash goes below nothing."""
    deposits = deposits_of(made)
    gone: dict[tuple[str, str, str], int] = defaultdict(int)
    for number, each in enumerate(sales):
        late = sale_of(number, each)
        book = book_from(late.time, deposits, gone, [])
        note(gone, planning.plan_sale(late, book, config("UTC")))
        for place, amount in gone.items():
            put = sum(
                d.amount for d in deposits if (d.client_id, d.currency, d.device_id or "") == place
            )
            assert 0 <= amount <= put

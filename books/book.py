"""The clients' balances in the order of time, from which the shares of sales are taken."""

from collections import deque
from collections.abc import Iterable, Set
from datetime import date, datetime
from zoneinfo import ZoneInfo

from .. import database
from ..helpers import day_of
from ..models_clients import Client, ClientTerms, Deposit
from ..models_sales import Payment
from . import crud, distribution
from .distribution import Participant
from .partners import PartnerBook


class Book:
    """The clients' balances while sales are planned one after the other, oldest first.

    What is left of a client's cash lies in machines of which each goes out with its own sales
    only, or anywhere, and then goes out with any.
    """

    def __init__(
        self,
        clients: list[Client],
        terms: list[ClientTerms],
        balances: dict[tuple[str, str], int],
        later_terms: Iterable[ClientTerms] = (),
        later_deposits: Iterable[Deposit] = (),
        taken: dict[tuple[str, str, date], int] | None = None,
        timezone: str = "UTC",
        in_machines: dict[tuple[str, str, str], int] | None = None,
        partners: PartnerBook | None = None,
        aside: Set[str] = frozenset(),
    ) -> None:
        """`later_…` in the order of time; `taken`: by who is in fixed mode on which day.

        `balances`: all of it, by client and currency; `in_machines`: the part that lies in one
        machine, by client, currency and machine; `aside`: who cannot be paid, and waits.
        """
        self._zone = ZoneInfo(timezone)
        self._clients = {client.id: client for client in clients}
        self._aside = aside
        self._terms = {each.client_id: each for each in terms}
        self._in_machines = in_machines or {}
        self._anywhere = balances
        for (client_id, currency, _), amount in self._in_machines.items():
            key = (client_id, currency)
            self._anywhere[key] = self._anywhere.get(key, 0) - amount
        self.partners = partners or PartnerBook()
        self._later_terms = deque(later_terms)
        self._later_deposits = deque(later_deposits)
        self._taken = taken or {}

    @classmethod
    async def open(
        cls,
        work: database.Ledger,
        times: list[datetime],
        timezone: str,
        aside: Set[str] = frozenset(),
    ) -> "Book":
        """The book at the time of the first sale, ready to go on to the last.

        `times` are those of the sales, oldest first, `timezone` the one whose days limits go by.
        """
        first, last, zone = times[0], times[-1], ZoneInfo(timezone)
        terms = await crud.terms_at(work, first)
        later_terms = await crud.terms_between(work, first, last)
        fixed = {each.client_id for each in (*terms, *later_terms) if each.dca_mode == "fixed"}
        return cls(
            await crud.open_clients(work),
            terms,
            await crud.balances_at(work, first),
            later_terms,
            await crud.deposits_between(work, first, last),
            await crud.taken_on_days(work, fixed, {day_of(time, zone) for time in times}, zone),
            timezone,
            await crud.machine_balances_at(work, first),
            await PartnerBook.open(work, first, last),
            aside,
        )

    def advance(self, time: datetime) -> None:
        """Go on to this time: count the deposits confirmed up to then, and the terms in force.

        Cash that was not yet in the machine did not go out.
        """
        while self._later_deposits and (self._later_deposits[0].confirmed_at or time) <= time:
            deposit = self._later_deposits.popleft()
            self._add(deposit)
        while self._later_terms and self._later_terms[0].valid_from <= time:
            terms = self._later_terms.popleft()
            self._terms[terms.client_id] = terms
        self.partners.advance(time)

    def _add(self, deposit: Deposit) -> None:
        if deposit.device_id:
            place = (deposit.client_id, deposit.currency, deposit.device_id)
            self._in_machines[place] = self._in_machines.get(place, 0) + deposit.amount
        else:
            key = (deposit.client_id, deposit.currency)
            self._anywhere[key] = self._anywhere.get(key, 0) + deposit.amount

    def participants(self, currency: str, time: datetime, device_id: str = "") -> list[Participant]:
        """Who takes part now, by the terms of this moment; who was closed since never does.

        With what is theirs at this machine and what is theirs anywhere. A part may be short of
        what later sales took from later deposits: then it has nothing to give, and the other
        does not answer for it.
        """
        found = []
        day = day_of(time, self._zone)
        for client_id in self._clients:
            terms = self._terms.get(client_id)
            if terms is None or terms.status != "active" or client_id in self._aside:
                continue
            balance = max(self._anywhere.get((client_id, currency), 0), 0)
            if self._in_machines:
                balance += self._here(client_id, currency, device_id)
            cap = balance
            if terms.dca_mode == "fixed":
                if terms.currency != currency:
                    continue
                taken = self._taken.get((client_id, currency, day), 0)
                cap = distribution.fixed_cap(balance, terms.fixed_mode_daily_limit or 0, taken)
            found.append(Participant(client_id, balance, cap))
        return found

    def _here(self, client_id: str, currency: str, device_id: str) -> int:
        return max(self._in_machines.get((client_id, currency, device_id), 0), 0)

    def part_here(self, client_id: str, currency: str, device_id: str, fiat: int) -> int:
        """How much of this cash comes out of what is theirs at the machine: that goes first."""
        return min(fiat, self._here(client_id, currency, device_id)) if self._in_machines else 0

    def take(self, payment: Payment, device_id: str = "") -> None:
        key = (payment.client_id, payment.currency)
        anywhere = payment.amount_fiat - payment.machine_fiat
        self._anywhere[key] = self._anywhere.get(key, 0) - anywhere
        if payment.machine_fiat:
            self._in_machines[(*key, device_id)] -= payment.machine_fiat
        day = (*key, day_of(payment.transaction_time, self._zone))
        self._taken[day] = self._taken.get(day, 0) + payment.amount_fiat

    def wallet_of(self, client_id: str) -> str:
        return self._clients[client_id].wallet_id

"""The ledger as a plain-text journal, for beancount and for hledger.

It opens its accounts, has one transaction for each sale, deposit, withdrawal, settlement, payout
and forward, each of which balances in every commodity, and asserts at each month's end what the
ledger's own sums say. It is written month by month and batch by batch, so that its length costs no
memory.
"""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from ..database import Row, moment_of, reading
from ..helpers import day_of, now
from . import crud_books
from .accounts import COMMISSION, OPENING, SATS, Accounts, Amounts, Clients, amount_text
from .periods import Month, Period

Form = Literal["beancount", "hledger"]
ENDINGS: dict[Form, str] = {"beancount": "beancount", "hledger": "journal"}
BATCH = 500


@dataclass(frozen=True)
class Entry:
    """A transaction of the journal; `of` names what it is of, as `sale` and its id."""

    day: date
    what: str
    of: dict[str, str | None]
    amounts: Amounts


def stream(period: Period, form: Form, clients: Clients) -> AsyncIterator[str]:
    """The journal of these days, in pieces; what is later than this moment is not in it."""
    return _Journal(period, _FORMS[form], Accounts(clients), now()).pieces()


@dataclass(frozen=True)
class _Journal:
    period: Period
    text: "_Beancount"
    accounts: Accounts
    cut: datetime

    async def pieces(self) -> AsyncIterator[str]:
        names = await self.accounts.all()
        yield self.text.head(self.period, [SATS, *await crud_books.currencies()])
        yield "".join(self.text.account(self.period.first, each, names[each]) for each in names)
        begin = min(self.period.begin, self.cut)
        opening = await self._balances(begin)
        yield self.text.entry(_opening(self.period.first, opening))
        earned = opening.get((COMMISSION, SATS), 0)
        for month in self.period.months():
            if month.begin >= self.cut:
                return
            end = min(month.end, self.cut)
            async for entries in self._entries(month, end):
                yield "".join(map(self.text.entry, entries))
            held = await self._balances(end)
            held[COMMISSION, SATS] = held.get((COMMISSION, SATS), 0) - earned
            last = day_of(end - timedelta(microseconds=1), self.period.zone)
            yield self.text.assertions(last, held)

    async def _balances(self, at: datetime) -> Amounts:
        async with reading() as work:
            return dict(await self.accounts.balances(work, at, self.cut))

    async def _entries(self, month: Month, end: datetime) -> AsyncIterator[list[Entry]]:
        after: Row | None = None
        while rows := await crud_books.sales_after(month.begin, end, self.cut, after, BATCH):
            yield await self._sales(rows)
            after = rows[-1]
        kinds: tuple[Literal["deposit", "payout", "forward"], ...]
        kinds = ("deposit", "payout", "forward")
        for kind in kinds:
            after = None
            while rows := await crud_books.movements_after(kind, month.begin, end, after, BATCH):
                yield [self._movement(kind, row) for row in rows]
                after = rows[-1]

    async def _sales(self, rows: list[Row]) -> list[Entry]:
        ids = [row["id"] for row in rows]
        shares = await crud_books.shares_of_sales(ids) if self.accounts.each else {}
        parts = await crud_books.parts_of_sales([r["id"] for r in rows if r["partners_sats"]])
        return [
            Entry(
                self._day(row["transaction_time"]),
                _sale_text(row),
                {"sale": row["lamassu_transaction_id"]},
                self.accounts.sale(row, shares.get(row["id"], []), parts.get(row["id"], [])),
            )
            for row in rows
        ]

    def _movement(self, kind: str, row: Row) -> Entry:
        day = self._day(row["confirmed_at"])
        if kind == "deposit":
            what = "Deposit" if row["amount"] > 0 else "Withdrawal"
            what = f"{what}: {row['notes']}" if row["notes"] else what
            return Entry(day, what, {"deposit": row["id"]}, self.accounts.deposit(row))
        of = {kind: row["id"], "payment_hash": row["payment_hash"]}
        if kind == "forward":
            whose = "partner" if row["of_partner"] else "client"
            what = f"Forwarded to a {whose}'s own keys"
            return Entry(day, what, of, self.accounts.forward(row))
        return Entry(day, _PAYOUTS[row["kind"]], of, self.accounts.payout(row))

    def _day(self, time: Any) -> date:
        return _day(time, self.period.zone)


_PAYOUTS = {
    "credit": "Credit of the source wallet",
    "client": "Payout to a client",
    "partner": "Payout to a partner",
    "commission": "Payout of the commission",
}
_SALES = {"cash_out": "Sale", "cash_in": "Cash-in", "settle_out": "Settlement"}


def _sale_text(row: Row) -> str:
    what = "Test" if row["is_test"] else _SALES[row["direction"]]
    place = row["device_name"] or row["device_id"]
    return what if row["direction"] == "settle_out" or not place else f"{what} at {place}"


def _day(time: datetime | float, zone: ZoneInfo) -> date:
    return day_of(moment_of(time), zone)


def _opening(day: date, held: Amounts) -> Entry:
    """What was there before; not the income of before, which is the operator's own by now."""
    amounts = {key: n for key, n in held.items() if n and key[0] != COMMISSION}
    for commodity in sorted({commodity for _, commodity in amounts}):
        rest = -sum(n for (_, c), n in amounts.items() if c == commodity)
        amounts[OPENING, commodity] = rest
    return Entry(day, "Opening balances", {}, amounts)


# ---- as text ---------------------------------------------------------------------------------


def _postings(amounts: Amounts, ending: str = "") -> str:
    return "".join(
        f"    {account}  {amount_text(n, commodity)} {commodity}{ending}\n"
        for (account, commodity), n in sorted(amounts.items())
    )


class _Beancount:
    def head(self, period: Period, commodities: Iterable[str]) -> str:
        lines = [
            f"; The books of {period.first} to {period.last}, days of {period.zone.key}",
            'option "title" "satmachineclient"',
            *(f"{period.first} commodity {commodity}" for commodity in commodities),
        ]
        return "\n".join(lines) + "\n\n"

    def account(self, day: date, account: str, name: str | None) -> str:
        return f"{day} open {account}\n" + (f"  name: {self._quoted(name)}\n" if name else "")

    def entry(self, entry: Entry) -> str:
        if not entry.amounts:
            return ""
        of = "".join(f"  {key}: {self._quoted(v)}\n" for key, v in entry.of.items() if v)
        return f"\n{entry.day} * {self._quoted(entry.what)}\n{of}{_postings(entry.amounts)}"

    def assertions(self, last: date, held: Amounts) -> str:
        """Beancount asserts what there is before a day begins."""
        day = last + timedelta(days=1)
        return "\n" + "".join(
            f"{day} balance {account}  {amount_text(n, commodity)} ~ 0 {commodity}\n"
            for (account, commodity), n in sorted(held.items())
        )

    def _quoted(self, text: str) -> str:
        text = " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"')
        return f'"{text}"'


class _Hledger(_Beancount):
    def head(self, period: Period, commodities: Iterable[str]) -> str:
        lines = [f"; The books of {period.first} to {period.last}, days of {period.zone.key}"]
        for commodity in commodities:
            sample = "1000.000" if commodity == SATS else amount_text(100_000, commodity)
            lines.append(f"commodity {sample if '.' in sample else f'{sample}.'} {commodity}")
        return "\n".join(lines) + "\n\n"

    def account(self, day: date, account: str, name: str | None) -> str:
        return f"account {account}" + (f"  ; name:{self._plain(name)}\n" if name else "\n")

    def entry(self, entry: Entry) -> str:
        if not entry.amounts:
            return ""
        of = "".join(f"    ; {key}:{self._plain(v)}\n" for key, v in entry.of.items() if v)
        return f"\n{entry.day} * {self._plain(entry.what)}\n{of}{_postings(entry.amounts)}"

    def assertions(self, last: date, held: Amounts) -> str:
        lines = "".join(
            f"    {account}  0 {commodity} = {amount_text(n, commodity)} {commodity}\n"
            for (account, commodity), n in sorted(held.items())
        )
        return f"\n{last} * Balances at the end of the day\n{lines}" if lines else ""

    def _plain(self, text: str) -> str:
        """Without what ends a description, or a tag's value, or begins a note."""
        return " ".join(text.split()).replace(";", " ").replace("|", "/").replace(",", " ")


_FORMS: dict[Form, _Beancount] = {"beancount": _Beancount(), "hledger": _Hledger()}

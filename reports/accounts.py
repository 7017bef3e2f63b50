"""The journal's accounts: which there are, and what an entry of the ledger does to them.

Assets and expenses are positive, liabilities, equity and income negative, as in plain-text
accounting. Amounts are integers: minor units of a currency, or thousandths of a sat.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from ..database import Ledger, Row
from ..helpers import fiat_text
from . import crud_books
from .crud import partner_names

Clients = Literal["each", "one"]

SATS = "SATS"
MSAT = 1000
CASH = "Assets:Cash"
RECEIVED = "Assets:Received"
SOURCE = "Assets:Source-Wallet"
COMMISSION_WALLET = "Assets:Commission-Wallet"
OWED_CASH = "Liabilities:Clients:Cash"
OWED_SATS = "Liabilities:Clients:Sats"
PARTNERS = "Liabilities:Partners"
COMMISSION = "Income:Commission"
OPENING = "Equity:Opening"
FORWARDED = "Equity:Forwarded"
FORWARD_PARTS = tuple(f"{FORWARDED}:{part}" for part in ("Wallets", "Sent", "Fees"))
# What is the operator's own business of a sale, and makes its entry add up.
OWN = {
    "cash_out": "Equity:Undistributed",
    "cash_in": "Equity:Cash-In",
    "settle_out": "Equity:Settlements",
    "test": "Equity:Tests",
}

Amounts = dict[tuple[str, str], int]  # by account and commodity


def amount_text(amount: int, commodity: str) -> str:
    """With the decimals of a currency; of sats with none, unless there are parts of one."""
    if commodity != SATS:
        return fiat_text(amount, commodity)
    if amount % MSAT == 0:
        return str(amount // MSAT)
    return str(Decimal(amount).scaleb(-3))


@dataclass(frozen=True)
class Accounts:
    """Clients' accounts: one `each`, or `one` for all of them."""

    clients: Clients

    @property
    def each(self) -> bool:
        return self.clients == "each"

    def client(self, account: str, client_id: str | None) -> str:
        return f"{account}:C{_plain(client_id)}" if self.each and client_id else account

    def partner(self, partner_id: str | None) -> str:
        return f"{PARTNERS}:P{_plain(partner_id)}" if partner_id else PARTNERS

    # ---- entries -----------------------------------------------------------------------------

    def sale(self, sale: Row, shares: Iterable[Row], parts: Iterable[Row]) -> Amounts:
        """What is the clients' and the partners' of it, the operator's income, and the rest.

        Of a cash-out the machine's cash goes, and its sats come in; of a cash-in it is the other
        way round, and what the clients get comes from the operator. A test moves shares only.
        """
        code = sale["fiat_code"]
        found: Amounts = defaultdict(int)
        self._machine(found, sale)
        own = sale["commission_amount_sats"] - sale["partners_sats"]
        found[COMMISSION, SATS] -= own * MSAT
        if self.each:
            for share in shares:
                found[self.client(OWED_CASH, share["client_id"]), code] += share["amount_fiat"]
                sats = share["amount_sats"] * MSAT
                found[self.client(OWED_SATS, share["client_id"]), SATS] -= sats
        else:
            found[OWED_CASH, code] += sale["fiat_amount"] - sale["undistributed_fiat"]
            found[OWED_SATS, SATS] -= sale["distributed_sats"] * MSAT
        for part in parts:
            found[self.partner(part["partner_id"]), SATS] -= part["amount_sats"] * MSAT
        return _balanced(found, OWN[_kind(sale)])

    def _machine(self, found: Amounts, sale: Row) -> None:
        code, kind = sale["fiat_code"], _kind(sale)
        if kind == "cash_out":
            found[CASH, code] -= sale["fiat_amount"]
            found[RECEIVED, SATS] += sale["crypto_amount_sats"] * MSAT
        elif kind == "cash_in":
            found[CASH, code] += sale["fiat_amount"]
            found[RECEIVED, SATS] -= sale["base_amount_sats"] * MSAT

    def deposit(self, row: Row) -> Amounts:
        account = self.client(OWED_CASH, row["client_id"])
        code = row["currency"]
        return {(CASH, code): row["amount"], (account, code): -row["amount"]}

    def payout(self, row: Row) -> Amounts:
        sats = row["amount_sats"] * MSAT
        if row["kind"] == "credit":
            return {(SOURCE, SATS): sats, (RECEIVED, SATS): -sats}
        to = {
            "client": self.client(OWED_SATS, row["client_id"]),
            "partner": self.partner(row["partner_id"]),
        }.get(row["kind"], COMMISSION_WALLET)
        return {(to, SATS): sats, (SOURCE, SATS): -sats}

    def forward(self, row: Row) -> Amounts:
        """The owner's own money, out of their own wallet: it is only noted."""
        sats, fee = row["amount_sats"] * MSAT, row["fee_msat"] or 0
        wallets, sent, fees = FORWARD_PARTS
        return {(wallets, SATS): -sats - fee, (sent, SATS): sats, (fees, SATS): fee}

    # ---- what an account holds ---------------------------------------------------------------

    async def balances(self, work: Ledger, at: datetime, cut: datetime) -> Amounts:
        """What the ledger's sums say of the accounts at a moment; not of those of equity."""
        found: Amounts = defaultdict(int)
        for row in await crud_books.sale_sums(work, at, cut):
            self._machine(found, row)
            own = row["commission_amount_sats"] - row["partners_sats"]
            found[COMMISSION, SATS] -= own * MSAT
        for code, amount in (await crud_books.deposit_sums(work, at)).items():
            found[CASH, code] += amount
        for kind, sats in (await crud_books.payout_sums(work, at)).items():
            found[SOURCE, SATS] += (sats if kind == "credit" else -sats) * MSAT
            if kind == "credit":
                found[RECEIVED, SATS] -= sats * MSAT
            elif kind == "commission":
                found[COMMISSION_WALLET, SATS] += sats * MSAT
        owed = await crud_books.cash_owed(work, at, self.each, cut)
        for (client, code), amount in owed.items():
            found[self.client(OWED_CASH, client), code] -= amount
        for client, sats in (await crud_books.sats_owed(work, at, self.each, cut)).items():
            found[self.client(OWED_SATS, client), SATS] -= sats * MSAT
        for partner, sats in (await crud_books.partners_owed(work, at, cut)).items():
            found[self.partner(partner), SATS] -= sats * MSAT
        return found

    async def all(self) -> Mapping[str, str | None]:
        """Every account that entries may name, and what it is called, if anything."""
        found: dict[str, str | None] = dict.fromkeys(
            [CASH, RECEIVED, SOURCE, COMMISSION_WALLET, OWED_CASH, OWED_SATS, PARTNERS, COMMISSION]
        )
        found |= dict.fromkeys([OPENING, *OWN.values(), *FORWARD_PARTS])
        if self.each:
            for client, name in (await crud_books.client_names()).items():
                found[self.client(OWED_CASH, client)] = name
                found[self.client(OWED_SATS, client)] = name
        for partner, name in (await partner_names()).items():
            found[self.partner(partner)] = name
        return found


def _kind(sale: Mapping[str, Any]) -> str:
    return "test" if sale["is_test"] else str(sale["direction"])


def _plain(key: str | None) -> str:
    """What both programs take as a part of an account's name."""
    return re.sub(r"[^A-Za-z0-9-]", "-", key or "")


def _balanced(amounts: Amounts, account: str) -> Amounts:
    for commodity in {commodity for _, commodity in amounts}:
        rest = -sum(amount for (_, c), amount in amounts.items() if c == commodity)
        if rest:
            amounts[account, commodity] = rest
    return {key: amount for key, amount in amounts.items() if amount}

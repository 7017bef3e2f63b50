"""The types of what `conftest.py` hands to the tests, and the prefix of the API."""

from dataclasses import dataclass
from typing import Any, Protocol

from playwright.async_api import Page

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import EXTENSION, Account, Wallet

API = f"/{EXTENSION}/api/v1/dca"

# Of each table, what says when: for tests that make all that is there older.
TIMES = {
    "lamassu_transactions": ("transaction_time", "processed_at"),
    "dca_payments": ("transaction_time", "created_at", "confirmed_at"),
    "dca_payouts": ("created_at", "confirmed_at"),
    "dca_deposits": ("created_at", "confirmed_at"),
}


@dataclass(frozen=True)
class Setup:
    """A saved configuration: what was sent, what came back, and its wallets."""

    body: dict[str, Any]
    config: dict[str, Any]
    source: Wallet
    commission: Wallet


@dataclass(frozen=True)
class DcaClient:
    """A client of the extension with the LNbits wallet that is paid, and the wallet's owner."""

    id: str
    wallet: Wallet
    owner: Account


class MakeWallet(Protocol):
    async def __call__(
        self, owner: Account, balance_sats: int = 0, name: str | None = None
    ) -> Wallet: ...


class Configure(Protocol):
    async def __call__(
        self,
        database: LamassuDatabase | None = None,
        balance_sats: int = 10_000_000,
        **fields: Any,
    ) -> Setup: ...


class MakeClient(Protocol):
    async def __call__(
        self,
        username: str | None = None,
        deposits: dict[str, str] | None = None,
        owner: Account | None = None,
        **fields: Any,
    ) -> DcaClient: ...


class OpenPage(Protocol):
    async def __call__(
        self, account: Account | None = None, path: str = ..., **options: Any
    ) -> Page: ...


class Poll(Protocol):
    async def __call__(self) -> dict[str, Any]: ...

"""What an operator and the clients do in LNbits itself: accounts, wallets, balances."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

EXTENSION = "satmachineclient"
# All is on this machine, in plain HTTP: else httpx reads every authority's certificate for each
# client that is made.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
# LNbits' default maximum of one payment.
_TOP_UP_SATS = 10_000_000


class LnbitsError(Exception):
    """LNbits refused a request; the text holds its reason."""


@dataclass(frozen=True)
class Wallet:
    """An LNbits wallet with its keys."""

    id: str
    user: str
    name: str
    adminkey: str
    inkey: str


class Account(httpx.AsyncClient):
    """An HTTP client that is logged in as one user."""

    def __init__(
        self,
        username: str,
        password: str,
        token: str,
        base_url: str,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        super().__init__(
            base_url=base_url, transport=transport, headers=headers, verify=NO_TLS, timeout=60
        )
        self.username = username
        self.password = password
        self.token = token
        self.user_id = ""

    async def enable_extension(self) -> None:
        await self.call("PUT", f"/api/v1/extension/{EXTENSION}/enable")

    async def create_wallet(self, name: str = "wallet") -> Wallet:
        """A wallet without a currency: LNbits then asks no price server for its payments."""
        made = await self.call("POST", "/api/v1/wallet", {"name": name})
        wallet = Wallet(**{key: made[key] for key in ("id", "user", "name", "adminkey", "inkey")})
        key = {"X-Api-Key": wallet.adminkey}
        await self.call("PATCH", "/api/v1/wallet", {"currency": ""}, headers=key)
        return wallet

    async def top_up(self, wallet: Wallet, sats: int) -> None:
        """Credit a wallet out of nothing, as LNbits' super user may."""
        while sats > 0:
            part = min(sats, _TOP_UP_SATS)
            body = {"id": wallet.id, "amount": part}
            await self.call("PUT", "/users/api/v1/balance", body)
            sats -= part

    async def balance(self, wallet: Wallet) -> int:
        """What the wallet holds, in sats."""
        key = {"X-Api-Key": wallet.inkey}
        answer = await self.call("GET", "/api/v1/wallet", headers=key)
        msat: int = answer["balance"]
        return msat // 1000

    async def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """The JSON answer of a request that has to succeed. Raises LnbitsError."""
        return _answer(await self.request(method, path, json=body, headers=headers))


class Lnbits:
    """One LNbits, reached over the network or, with an ASGI transport, inside this process."""

    def __init__(self, base_url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.base_url = base_url
        self._transport = transport
        self._clients: list[httpx.AsyncClient] = []

    def anonymous(self, headers: Mapping[str, str] | None = None) -> httpx.AsyncClient:
        """A client that is not logged in; a wallet's key goes in as the header `X-Api-Key`."""
        client = httpx.AsyncClient(
            base_url=self.base_url,
            transport=self._transport,
            headers=headers,
            verify=NO_TLS,
            timeout=60,
        )
        self._clients.append(client)
        return client

    async def first_install(self, username: str, password: str, *, enable: bool = True) -> Account:
        """Make the super user, on a fresh LNbits; `enable` the extension, if it is installed."""
        return await self._new_account("PUT", "first_install", username, password, enable)

    async def register(self, username: str, password: str) -> Account:
        """Make an ordinary user."""
        return await self._new_account("POST", "register", username, password)

    async def log_in(self, username: str, password: str) -> Account:
        body = {"username": username, "password": password}
        return await self._account("POST", "", username, password, body)

    async def close(self) -> None:
        """Close every client that was made here."""
        for client in self._clients:
            await client.aclose()
        self._clients.clear()

    async def _new_account(
        self, method: str, path: str, username: str, password: str, enable: bool = True
    ) -> Account:
        body = {"username": username, "password": password, "password_repeat": password}
        account = await self._account(method, f"/{path}", username, password, body)
        if enable:
            await account.enable_extension()
        return account

    async def _account(
        self, method: str, path: str, username: str, password: str, body: Mapping[str, str]
    ) -> Account:
        async with httpx.AsyncClient(
            base_url=self.base_url, transport=self._transport, verify=NO_TLS
        ) as client:
            login = _answer(await client.request(method, f"/api/v1/auth{path}", json=body))
        token = login["access_token"]
        account = Account(username, password, token, self.base_url, self._transport)
        self._clients.append(account)
        account.user_id = (await account.call("GET", "/api/v1/auth"))["id"]
        return account


def _answer(response: httpx.Response) -> Any:
    if response.is_error:
        request = f"{response.request.method} {response.request.url.path}"
        raise LnbitsError(f"{request}: {response.status_code} {response.text[:500]}")
    return response.json()

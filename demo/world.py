"""The parts put together as an operator has them: an ATM's database behind SSH, and LNbits.

Everything that can be done through the extension's REST API is done through it, with the tunnel
on and the SSH server's key accepted the way the page does it.
"""

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh

from .lamassu_db import LamassuDatabase
from .lnbits_api import EXTENSION, Account, Wallet
from .lnbits_server import LnbitsServer
from .outside import Outside
from .postgres import Postgres
from .sales import SECOND_MACHINE
from .ssh_server import SshServer

API = f"/{EXTENSION}/api/v1/dca"

# Who they are, how they take part, and what they have handed in.
_CLIENTS: list[tuple[str, dict[str, object], dict[str, str]]] = [
    ("Ana", {"dca_mode": "flow"}, {"GTQ": "3000.00"}),
    ("Bruno", {"dca_mode": "flow"}, {"GTQ": "2000.00", "USD": "150.00"}),
    (
        "Carla",
        {"dca_mode": "fixed", "fixed_mode_daily_limit": "300.00", "currency": "GTQ"},
        {"GTQ": "1000.00"},
    ),
]


class WorldError(Exception):
    """The extension did not do what the world needs to stand."""


@dataclass(frozen=True)
class Client:
    """One of the operator's clients, and the wallet that is paid."""

    id: str
    name: str
    wallet: Wallet
    owner: Account


@dataclass
class World:
    """What runs, and who is who in it."""

    folder: Path
    postgres: Postgres
    lamassu: LamassuDatabase
    ssh: SshServer
    lnbits: LnbitsServer
    admin: Account
    source: Wallet
    commission: Wallet
    clients: list[Client]
    outside: Outside | None = None
    """Where the first client's sats go on to, if they do."""

    async def call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        """A request of the admin to the extension's API, with its JSON answer."""
        return await self.admin.call(method, API + path, body)

    async def deposit(
        self, client: Client, amount: str, currency: str, device_id: str | None = None
    ) -> None:
        """The client hands in cash, and it is put into the ATM at once; into this one, if named."""
        body = {"client_id": client.id, "amount": amount, "currency": currency}
        if device_id:
            body["device_id"] = device_id
        deposit = await self.call("POST", "/deposits", body)
        await self.call("PUT", f"/deposits/{deposit['id']}/status", {"status": "confirmed"})

    async def open_second_machine(self) -> Account:
        """A second machine in a shop, whose owner gets a fifth of its commission; their account.

        It is known once a poll has read it.
        """
        await self.lamassu.add_machine(SECOND_MACHINE, "Café Luna")
        await self.call("POST", "/manual-poll")
        host = await self.lnbits.api().register("luna", secrets.token_hex(6))
        wallet = await host.create_wallet("Café Luna")
        body = {"name": "Café Luna", "wallet_id": wallet.id, "percent": "20"}
        await self.call("POST", "/partners", {**body, "device_ids": [SECOND_MACHINE]})
        await self.deposit(self.clients[0], "1500.00", "GTQ", SECOND_MACHINE)
        count = {"amount": "3000.00", "currency": "GTQ", "notes": "Filled up"}
        await self.call("POST", f"/machines/{SECOND_MACHINE}/counts", count)
        return host


@asynccontextmanager
async def build_world(
    *,
    port: int | None = None,
    lnbits_on_postgres: bool = False,
    extra_env: Mapping[str, str] | None = None,
    forwards: bool = False,
) -> AsyncIterator[World]:
    """Start everything in a temporary folder; at the end all of it stops and goes.

    With `forwards` the first client's sats go on to a wallet of their own, outside.
    """
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="satmachine-")))
        outside = Outside(folder / "outside") if forwards else None
        starting = asyncio.create_task(_start(outside, stack))
        postgres = stack.enter_context(Postgres(folder / "postgres"))
        lamassu = await LamassuDatabase.create(postgres, "lamassu", secrets.token_hex(12))
        await lamassu.clear()
        key = asyncssh.generate_private_key("ssh-ed25519")
        authorized = [key.export_public_key().decode()]
        ssh = stack.enter_context(SshServer("operator", authorized_keys=authorized))
        database_url = None
        if lnbits_on_postgres:
            postgres.create_database("lnbits")
            database_url = postgres.url("lnbits")
        await starting
        environment = {**(outside.funding() if outside else {}), **(extra_env or {})}
        lnbits = stack.enter_context(
            LnbitsServer(
                folder / "lnbits", port=port, database_url=database_url, extra_env=environment
            )
        )
        api = lnbits.api()
        try:
            admin = await api.first_install("admin", secrets.token_hex(6))
            source = await admin.create_wallet("ATM source")
            commission = await admin.create_wallet("ATM commission")
            world = World(folder, postgres, lamassu, ssh, lnbits, admin, source, commission, [])
            await _configure(world, key)
            for name, mode, deposits in _CLIENTS:
                owner = await api.register(name.lower(), secrets.token_hex(6))
                await _add_client(world, name, owner, mode, deposits)
            if outside:
                world.outside = outside
                await _forward(world.clients[0], outside)
            yield world
        finally:
            await api.close()


async def _start(outside: Outside | None, stack: AsyncExitStack) -> None:
    """The world outside starts while the rest does."""
    if outside:
        await asyncio.to_thread(outside.start)
        stack.callback(outside.lnbits.stop)
        await outside.furnish()
        stack.push_async_callback(outside.close)


async def _forward(client: Client, outside: Outside) -> None:
    """The client decides it: from 10,000 sats on."""
    body = {"destination": outside.destination.lnurl, "threshold_sats": 10_000}
    await client.owner.call("PUT", f"{API}/me/forward", body)


async def _configure(world: World, key: asyncssh.SSHKey) -> None:
    body = {
        **world.lamassu.login(),
        "source_wallet_id": world.source.id,
        "commission_wallet_id": world.commission.id,
        "credit_source_wallet": True,
        "use_ssh_tunnel": True,
        "ssh_host": world.ssh.host,
        "ssh_port": world.ssh.port,
        "ssh_username": world.ssh.username,
        "ssh_private_key": key.export_private_key().decode(),
        "timezone": "America/Guatemala",
    }
    shown = await world.call("POST", "/test-connection", body)
    body["ssh_host_key_fingerprint"] = shown["ssh_host_key_fingerprint"]
    await world.call("POST", "/config", body)
    test = await world.call("POST", "/test-connection", {})
    if not test["success"]:
        raise WorldError(f"The connection test failed: {test['message']} {test['steps']}")


async def _add_client(
    world: World,
    name: str,
    owner: Account,
    mode: Mapping[str, object],
    deposits: Mapping[str, str],
) -> None:
    wallet = await owner.create_wallet(f"{name}'s savings")
    body = {"wallet_id": wallet.id, "username": name, **mode}
    made = await world.call("POST", "/clients", body)
    client = Client(made["id"], name, wallet, owner)
    world.clients.append(client)
    for currency, amount in deposits.items():
        await world.deposit(client, amount, currency)

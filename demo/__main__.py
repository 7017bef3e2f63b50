"""`python -m demo`: sales come in and are distributed until Ctrl-C; `--once`: one audited poll."""

import argparse
import asyncio
import secrets
import signal
import sys
from datetime import datetime, timezone
from decimal import Decimal
from http import HTTPStatus
from types import FrameType

from .audit import Ledger, check_all, read_ledger
from .cash_in import cash_in_kinds
from .catalogue import SPREAD, real_input
from .lnbits_api import LnbitsError
from .sales import MACHINE, SECOND_MACHINE, Sale
from .world import API, World, build_world

_LOW_BALANCE = Decimal(500)
_NEW_DEPOSIT = "2000.00"


def main() -> int:
    arguments = _arguments()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        return asyncio.run(_run(arguments))
    except KeyboardInterrupt:
        print("\nStopped; nothing is left behind.")
        return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="one poll of every kind of row")
    parser.add_argument("--port", type=int, help="LNbits' port (default: a free one)")
    parser.add_argument(
        "--interval", type=float, default=5, metavar="SECONDS", help="between two sales"
    )
    parser.add_argument("--postgres", action="store_true", help="LNbits on PostgreSQL, not SQLite")
    return parser.parse_args()


def _interrupt(number: int, frame: FrameType | None) -> None:
    # A second Ctrl-C must not break off the clearing up.
    for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(other, signal.SIG_IGN)
    raise KeyboardInterrupt


async def _run(arguments: argparse.Namespace) -> int:
    print("Starting PostgreSQL, SSH and LNbits …", flush=True)
    async with build_world(
        port=arguments.port, lnbits_on_postgres=arguments.postgres, forwards=True
    ) as world:
        if arguments.once:
            return await _once(world)
        await _forever(world, arguments.interval)
    return 0


# ---- --once ----------------------------------------------------------------------------------


async def _once(world: World) -> int:
    # A deposit counts for the sales whose cash came out after it was confirmed: all of these.
    sales = real_input(datetime.now(timezone.utc))
    await asyncio.sleep(SPREAD.total_seconds())
    # The machine's cash-ins are not shared out, because the direction is cash_out.
    await world.lamassu.insert(*sales, *cash_in_kinds(datetime.now(timezone.utc)))
    poll = await _poll(world)
    if poll is None or not poll["success"]:
        print(f"FAILED  the poll: {poll and poll['error']}")
        return 1
    await _forwards_end(world)
    ledger = await read_ledger(world)
    _print_table(world, sales, ledger)
    failed = False
    for name, problems in check_all(world, sales, ledger):
        print(f"{'FAILED' if problems else 'ok':8}{name}")
        for problem in problems:
            print(f"        - {problem}")
        failed = failed or bool(problems)
    return 1 if failed else 0


def _print_table(world: World, sales: list[Sale], ledger: Ledger) -> None:
    names = "".join(f"{client.name:>18}" for client in world.clients)
    print(
        f"\n{'sale':22}{'cash':>12}{'sats':>10}{'commission':>12}{'base':>10}{names}{'nobody':>9}"
    )
    rows = {row["lamassu_transaction_id"]: row for row in ledger.transactions}
    for sale in sales:
        row = rows.get(str(sale.id))
        if row is None or row["status"] != "settled":
            print(f"{sale.name:22}{sale.fiat:>8} {sale.fiat_code}   {_why_not(row, sale)}")
            continue
        shares = {payment["client_id"]: payment for payment in ledger.payments[row["id"]]}
        cells = "".join(f"{_share(shares.get(client.id)):>18}" for client in world.clients)
        print(
            f"{sale.name:22}{row['fiat_amount']:>8} {row['fiat_code']}"
            f"{row['crypto_amount_sats']:>10}{row['commission_amount_sats']:>12}"
            f"{row['base_amount_sats']:>10}{cells}{row['undistributed_sats']:>9}"
        )
    print()
    for client in world.clients:
        left = ", ".join(
            f"{balance['remaining_balance']} of {balance['total_deposits']} {balance['currency']}"
            for balance in ledger.balances[client.id]
        )
        print(f"{client.name:12}{ledger.wallets[client.wallet.id]:>10} sats; left: {left}")
    if world.outside:
        print(f"{world.clients[0].name}'s own wallet, outside: {ledger.received} sats forwarded")
    print(f"{'commission':12}{ledger.wallets[world.commission.id]:>10} sats")
    print(f"{'source':12}{ledger.wallets[world.source.id]:>10} sats\n")


def _share(payment: dict[str, str] | None) -> str:
    return f"{payment['amount_sats']} ({payment['amount_fiat']})" if payment else "-"


def _why_not(row: dict[str, str] | None, sale: Sale) -> str:
    return f"({'not taken' if row is None else row['status']}) {sale.why}"


# ---- until Ctrl-C ----------------------------------------------------------------------------


async def _forever(world: World, interval: float) -> None:
    print(f"\n{world.lnbits.url}/satmachineclient/", flush=True)
    print(f"login {world.admin.username}, password {world.admin.password}")
    for client in world.clients:
        print(f"client {client.name}: {client.owner.username}, {client.owner.password}")
    host = await world.open_second_machine()
    print(f"host of the second machine: {host.username}, {host.password}")
    if world.outside:
        print(f"{world.clients[0].name}'s sats go on to {world.outside.destination.lnurl}")
    print("Ctrl-C stops it and removes everything.\n", flush=True)
    shown: set[str] = set()
    while True:
        await _keep_clients_funded(world)
        await world.lamassu.insert(_customer())
        poll = await _poll(world)
        if poll is not None and not poll["success"]:
            print(f"poll failed: {poll['error']}", flush=True)
        await _print_new(world, shown)
        await asyncio.sleep(interval)


def _customer() -> Sale:
    """A walk-in with a random amount and discount, whose cash has just come out."""
    pick = secrets.SystemRandom()
    now = datetime.now(timezone.utc)
    return Sale(
        created=now,
        confirmed_at=now,
        cash_at=now,
        fiat=Decimal(pick.randrange(20, 620, 20)),
        device_id=pick.choice([MACHINE, SECOND_MACHINE]),
        crypto_code=pick.choice(["LN", "LN", "BTC"]),
        raw_ticker_price=Decimal(pick.randrange(70_000_000, 80_000_000)).scaleb(-2),
        discount=pick.choice([None, 0, 0, 0, 10, 50, 100]),
    )


async def _forwards_end(world: World) -> None:
    """Wait until what went on to a client's own keys has arrived."""
    for _ in range(60):
        forwards = await world.call("GET", "/forwards")
        if forwards and all(f["status"] in ("confirmed", "failed") for f in forwards):
            return
        await asyncio.sleep(0.5)


async def _poll(world: World) -> dict[str, str] | None:
    """A manual poll's answer; None if another one, the extension's own, does not end."""
    for _ in range(30):
        response = await world.admin.post(f"{API}/manual-poll")
        if response.status_code != HTTPStatus.CONFLICT:
            if response.is_error:
                raise LnbitsError(f"manual-poll: {response.status_code} {response.text[:500]}")
            answer: dict[str, str] = response.json()
            return answer
        await asyncio.sleep(1)
    return None


async def _print_new(world: World, shown: set[str]) -> None:
    """One line for each sale that was distributed since the last time, oldest first."""
    transactions = await world.call("GET", "/transactions")
    for row in reversed([row for row in transactions if row["id"] not in shown]):
        shown.add(row["id"])
        payments = await world.call("GET", f"/transactions/{row['id']}/distributions")
        shares = ", ".join(f"{p['username']} {p['amount_sats']}" for p in payments) or "nobody"
        rest = row["undistributed_sats"]
        print(
            f"{datetime.now():%H:%M:%S}  {row['fiat_amount']:>7} {row['fiat_code']} for"
            f" {row['crypto_amount_sats']} sats: commission {row['commission_amount_sats']},"
            f" {shares}{f', undistributed {rest}' if rest else ''} ({row['status']})",
            flush=True,
        )


async def _keep_clients_funded(world: World) -> None:
    for client in world.clients:
        answer = await world.call("GET", f"/clients/{client.id}/balance")
        for balance in answer["balances"]:
            if (
                Decimal(balance["remaining_balance"]) < _LOW_BALANCE
                and balance["currency"] == "GTQ"
            ):
                await world.deposit(client, _NEW_DEPOSIT, "GTQ")
                print(f"          {client.name} hands in {_NEW_DEPOSIT} GTQ", flush=True)


if __name__ == "__main__":
    sys.exit(main())

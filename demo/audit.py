"""Does everything add up? The demo's own sums, made from what the API and the wallets say.

Nothing of the extension's code is used here: the commission is computed again from Lamassu's
rows, and each total is compared from two sides.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from .sales import Sale
from .world import Client, World

Row = dict[str, Any]


@dataclass(frozen=True)
class Ledger:
    """All that the extension says it has done, and what the wallets hold."""

    transactions: list[Row]
    payments: dict[str, list[Row]]
    """By transaction id."""
    balances: dict[str, list[Row]]
    """By client id: one row for each currency."""
    wallets: dict[str, int]
    """Sats by wallet id."""
    forwards: list[Row]
    received: int
    """What has arrived in the forwarding client's own wallet, outside, in sats."""


async def read_ledger(world: World) -> Ledger:
    """Ask the API and the wallets for everything."""
    transactions = await world.call("GET", "/transactions")
    payments = {
        row["id"]: await world.call("GET", f"/transactions/{row['id']}/distributions")
        for row in transactions
    }
    balances = {
        client.id: (await world.call("GET", f"/clients/{client.id}/balance"))["balances"]
        for client in world.clients
    }
    wallets = {
        wallet.id: await world.admin.balance(wallet)
        for wallet in (world.source, world.commission, *(c.wallet for c in world.clients))
    }
    forwards, received = [], 0
    if world.outside:
        forwards = await world.call("GET", "/forwards")
        received = await world.outside.received()
    return Ledger(transactions, payments, balances, wallets, forwards, received)


def check_all(world: World, sales: Sequence[Sale], ledger: Ledger) -> list[tuple[str, list[str]]]:
    """Each check's name with what is wrong about it; nothing wrong is an empty list."""
    return [
        ("every good sale is settled, and no other", list(_right_sales(sales, ledger))),
        ("sats of each sale add up", list(_sats_add_up(ledger))),
        ("cash of each sale adds up", list(_cash_adds_up(ledger))),
        ("each commission follows from Lamassu's row", list(_commissions(sales, ledger))),
        ("every share is paid", list(_shares_paid(ledger))),
        ("each client's cash balance is what came in less what went out", list(_balances(ledger))),
        ("what was forwarded has arrived, each once", list(_forwards(ledger))),
        (
            "each wallet holds what the ledger says",
            list(_wallets(world.source.id, world.commission.id, world.clients, ledger)),
        ),
    ]


def _right_sales(sales: Sequence[Sale], ledger: Ledger) -> Iterator[str]:
    settled = {
        row["lamassu_transaction_id"] for row in ledger.transactions if row["status"] == "settled"
    }
    for sale in sales:
        if sale.good and str(sale.id) not in settled:
            yield f"{sale.name} is not settled, but: {sale.why}"
        if not sale.good and str(sale.id) in settled:
            yield f"{sale.name} is settled, but: {sale.why}"
    for row in ledger.transactions:
        if row["status"] != "settled" and ledger.payments[row["id"]]:
            yield f"{row['lamassu_transaction_id']} is {row['status']} and has payments"
    known = [row["lamassu_transaction_id"] for row in ledger.transactions]
    if strangers := set(known) - {str(sale.id) for sale in sales}:
        yield f"nobody sold {', '.join(sorted(strangers))}"
    if len(known) != len(set(known)):
        yield "a Lamassu transaction stands there twice"


def _sats_add_up(ledger: Ledger) -> Iterator[str]:
    for row in _settled(ledger):
        shares = sum(payment["amount_sats"] for payment in ledger.payments[row["id"]])
        parts = row["commission_amount_sats"] + shares + row["undistributed_sats"]
        if parts != row["crypto_amount_sats"]:
            yield f"{row['lamassu_transaction_id']}: {parts} of {row['crypto_amount_sats']} sats"
        if shares != row["distributed_sats"]:
            yield f"{row['lamassu_transaction_id']}: shares are {shares} sats"


def _cash_adds_up(ledger: Ledger) -> Iterator[str]:
    for row in _settled(ledger):
        shares = sum(Decimal(payment["amount_fiat"]) for payment in ledger.payments[row["id"]])
        parts = shares + Decimal(row["undistributed_fiat"])
        if parts != Decimal(row["fiat_amount"]):
            yield f"{row['lamassu_transaction_id']}: {parts} of {row['fiat_amount']}"


def _commissions(sales: Sequence[Sale], ledger: Ledger) -> Iterator[str]:
    by_id = {str(sale.id): sale for sale in sales}
    for row in _settled(ledger):
        sale = by_id[row["lamassu_transaction_id"]]
        rate = (sale.commission_percentage or Decimal(0)) * (100 - (sale.discount or 0)) / 100
        base = int((sale.atoms / (1 + rate)).quantize(Decimal(1), ROUND_HALF_EVEN))
        expected = (sale.atoms, base, sale.atoms - base)
        names = ("crypto_amount_sats", "base_amount_sats", "commission_amount_sats")
        found = tuple(row[name] for name in names)
        if found != expected:
            yield f"{sale.name}: total, base and commission are {found}, not {expected}"


def _shares_paid(ledger: Ledger) -> Iterator[str]:
    for payments in ledger.payments.values():
        for payment in payments:
            if payment["status"] != "confirmed" or not payment["payment_hash"]:
                yield f"{payment['username']}: {payment['status']} {payment['error'] or ''}"


def _balances(ledger: Ledger) -> Iterator[str]:
    given: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for payments in ledger.payments.values():
        for payment in payments:
            key = (payment["client_id"], payment["currency"])
            given[key] += Decimal(payment["amount_fiat"])
    for client_id, balances in ledger.balances.items():
        for row in balances:
            left = Decimal(row["total_deposits"]) - given[client_id, row["currency"]]
            if left != Decimal(row["remaining_balance"]) or left < 0:
                yield f"{client_id}: {row['remaining_balance']} {row['currency']}, not {left}"


def _forwards(ledger: Ledger) -> Iterator[str]:
    for forward in ledger.forwards:
        if forward["status"] != "confirmed":
            yield f"{forward['amount_sats']} sats: {forward['status']} {forward['error'] or ''}"
    sent = [forward for forward in ledger.forwards if forward["status"] == "confirmed"]
    if len({forward["payment_hash"] for forward in sent}) != len(sent):
        yield "two forwards have the same payment"
    total = sum(forward["amount_sats"] for forward in sent)
    if total != ledger.received:
        yield f"{total} sats were forwarded, {ledger.received} arrived"


def _wallets(
    source: str, commission: str, clients: Sequence[Client], ledger: Ledger
) -> Iterator[str]:
    expected: defaultdict[str, int] = defaultdict(int)
    for row in _settled(ledger):
        expected[source] += row["undistributed_sats"]
        expected[commission] += row["commission_amount_sats"]
        for payment in ledger.payments[row["id"]]:
            expected[payment["wallet_id"]] += payment["amount_sats"]
    wallet_of = {client.id: client.wallet.id for client in clients}
    for forward in ledger.forwards:
        if forward["status"] == "confirmed":
            expected[wallet_of[forward["client_id"]]] -= (
                forward["amount_sats"] + forward["fee_sats"]
            )
    names = {source: "source", commission: "commission"}
    names |= {client.wallet.id: client.name for client in clients}
    for wallet_id, held in ledger.wallets.items():
        if held != expected[wallet_id]:
            yield f"{names[wallet_id]}: {held} sats, not {expected[wallet_id]}"


def _settled(ledger: Ledger) -> list[Row]:
    return [row for row in ledger.transactions if row["status"] == "settled"]

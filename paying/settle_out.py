"""Closing a client's account: what is left of their cash is paid in sats at once.

It is a sale like any other to the rest of the ledger: one in which the client is alone, at the
rate that the operator has entered, without commission, paid from the source wallet and never
credited.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from .. import crud, crud_clients, crud_sales, database
from ..books import distribution, planning
from ..books.book import Book
from ..configuration import config_or_defaults, ready_config
from ..helpers import MAX_SATS, ConflictError, fiat_text, new_id, now
from ..lease import working
from ..models import AuditEntry
from ..models_clients import Client, ClientOut, ClientTerms, Deposit, SettleOut, withdrawal_of
from ..models_config import LamassuConfig
from ..models_sales import Payment, Sale, Transaction
from . import claims, payouts


@dataclass(frozen=True)
class Settlement:
    """The client as they stand afterwards, and the sale with its one share.

    `moved`: what of their cash lay in one machine and lies in none in particular any more, as
    withdrawals there and deposits here: the settlement takes all of it.
    """

    client: Client
    transaction: Transaction
    payments: list[Payment]
    moved: list[Deposit]


async def dry_run(client_id: str, data: SettleOut) -> Settlement:
    """What would be paid; nothing is stored.

    Raises:
        ConflictError: there is nothing to settle, or a deposit is still pending.
        ValueError: naming the field.
    """
    config = await config_or_defaults()
    async with database.reading() as work:
        client = await crud_clients.client_at(work, client_id)
        return await _settlement(work, client, data, config)


async def settle_out(client_id: str, data: SettleOut, operator: str) -> Settlement:
    """Pay what is left, and close the client if nothing is left in any other currency.

    Raises:
        BusyError: a poll is running. Otherwise as `dry_run`.
    """
    config = await ready_config()
    lease = new_id()
    async with working(lease, wait_seconds=5):
        await claims.check(lease)
        async with database.ledger(lease) as work:
            before = await crud_clients.client_at(work, client_id)
            settled = await _settlement(work, before, data, config)
            await work.insert("dca_deposits", settled.moved)
            await crud_clients.book_deposits(work, settled.moved)
            await work.insert("lamassu_transactions", [settled.transaction])
            await crud_sales.insert_payments(work, settled.payments)
            await crud_clients.write_client(work, before, settled.client)
            audit = AuditEntry.of(
                operator,
                "client settled out",
                client_id,
                ClientOut.of(before, [], {}),
                ClientOut.of(settled.client, [], {}),
            )
            await crud.insert_audit(work, audit)
        await payouts.settle(lease, config)
    row = await crud_sales.get_transaction(settled.transaction.id)
    payments = await crud_sales.get_payments_of(settled.transaction.id)
    return Settlement(settled.client, row or settled.transaction, payments, settled.moved)


async def _settlement(
    work: database.Ledger, client: Client, data: SettleOut, config: LamassuConfig
) -> Settlement:
    left = await crud_clients.remaining(work, client.id)
    pending = await crud_clients.pending_currencies(work, client.id)
    fiat = left.pop(data.currency, 0)
    if data.currency in pending:
        raise ConflictError(f"A deposit in {data.currency} is pending: confirm or reject it first.")
    if fiat <= 0:
        raise ConflictError(f"currency: no {data.currency} is left to settle")
    time = now()
    sale = _sale(fiat, data, time)
    book = Book([client], [_alone(client, time)], {(client.id, data.currency): fiat})
    transaction, payments, _ = planning.plan_sale(sale, book, config)
    if [p.amount_fiat for p in payments] != [fiat]:
        raise AssertionError(f"the rest of client {client.id} is not settled as a whole")
    # The rate that was agreed: what the whole sats come to differs in the decimals.
    agreed = {"review_notes": data.reason, "exchange_rate": data.exchange_rate}
    transaction = transaction.copy(update=agreed)
    # What waits for a payout is paid with it.
    client = client.copy(update={"payouts_due_until": now(), "updated_at": time})
    if not any(left.values()) and not pending:
        client = client.copy(update={"status": "closed", "paused_by": None})
    in_machines = await crud_clients.remaining_in_machines(work, client.id, data.currency)
    moved = [
        entry
        for device_id, amount in in_machines.items()
        for entry in _moved(client.id, amount, data.currency, device_id)
    ]
    return Settlement(client, transaction, payments, moved)


def _moved(client_id: str, amount: int, currency: str, device_id: str) -> list[Deposit]:
    note = "Settled out: this cash lies in no machine in particular any more."
    out = withdrawal_of(client_id, amount, currency, note, device_id)
    back = out.copy(update={"id": new_id(), "amount": amount, "device_id": None})
    return [out, back]


def _sale(fiat: int, data: SettleOut, time: datetime) -> Sale:
    amount = Decimal(fiat_text(fiat, data.currency))
    sats = distribution.sats_for(amount, data.exchange_rate)
    if not 0 < sats <= MAX_SATS:
        raise ValueError(f"exchange_rate: {amount} {data.currency} would be {sats} sats")
    return Sale(
        id=f"settle-out-{new_id()}",
        device_id="settle-out",
        time=time,
        crypto_code="BTC",
        crypto_sats=sats,
        fiat=fiat,
        fiat_code=data.currency,
        commission=Decimal(0),
        discount=None,
        fixed_fee=None,
        state="good",
        reason=None,
        facts={},
        direction="settle_out",
    )


def _alone(client: Client, time: datetime) -> ClientTerms:
    """Whatever their mode and state are: all that is left is paid."""
    return ClientTerms(
        id=client.id, client_id=client.id, dca_mode="flow", status="active", valid_from=time
    )

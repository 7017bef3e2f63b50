"""What the exports contain, table by table: which rows, which columns, how a row is read.

A further table is one more line in `EXPORTS`.
"""

from fractions import Fraction
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from .. import crud_clients, crud_sales
from ..configuration import config_or_defaults
from ..database import Row
from ..helpers import day_of, decimal_text, fiat_text
from ..machines.crud import names as machine_names
from ..machines.models import Count, CountFilters, CountOut
from ..models import AuditEntry, AuditFilters
from ..models_clients import (
    Balance,
    BalanceOut,
    Client,
    ClientFilters,
    ClientOut,
    Deposit,
    DepositFilters,
    DepositOut,
)
from ..models_config import Poll, PollFilters
from ..models_payouts import (
    CommissionShare,
    CommissionShareFilters,
    Forward,
    ForwardFilters,
    OperatorForwardOut,
)
from ..models_programme import AcceptedTerms, AcceptedTermsFilters, AcceptedTermsOut
from ..models_sales import (
    DistributionOut,
    Payment,
    PaymentFilters,
    Transaction,
    TransactionFilters,
    TransactionOut,
)
from . import crud
from .audit import AuditOut, named
from .files import Record, Table

# ---- rows ------------------------------------------------------------------------------------


def _names(model: type[BaseModel], *without: str) -> list[str]:
    return [name for name in model.__fields__ if name not in without]


async def _clients(rows: list[Row]) -> list[Record]:
    """A row for each client and currency, so that a column's sum means something."""
    clients = [Client.parse_obj(dict(row)) for row in rows]
    ids = [client.id for client in clients]
    paid = await crud_clients.get_paid(ids)
    balances: dict[str, list[Balance]] = {}
    for balance in await crud_clients.get_balances(ids):
        balances.setdefault(balance.client_id, []).append(balance)
    return [
        {
            **ClientOut.of(client, [], {}).dict(include=set(_CLIENT_COLUMNS)),
            **_balance(balance),
            "sats_received": paid.get(client.id, {}).get(balance.currency, (0, 0))[0]
            if balance
            else 0,
        }
        for client in clients
        for balance in balances.get(client.id) or [None]  # type: ignore[list-item]
    ]


_CLIENT_COLUMNS = _names(ClientOut, "balances", "total_sats", "average_prices")
_BALANCE_COLUMNS = [
    "balance_currency",
    "total_deposits",
    "pending_deposits",
    "total_distributed",
    "remaining_balance",
    "remaining_by_machine",
]


def _balance(balance: Balance | None) -> Record:
    if balance is None:
        return dict.fromkeys(_BALANCE_COLUMNS)
    sums = ("total_deposits", "pending_deposits", "total_distributed")
    return {
        "balance_currency": balance.currency,
        **{name: fiat_text(getattr(balance, name), balance.currency) for name in sums},
        "remaining_balance": fiat_text(balance.remaining, balance.currency),
        "remaining_by_machine": BalanceOut.of(balance).remaining_by_machine,
    }


async def _deposits(rows: list[Row]) -> list[Record]:
    names = await crud_clients.usernames(row["client_id"] for row in rows)
    called = await machine_names()
    zone = await _zone()
    deposits = [DepositOut.of(Deposit.parse_obj(dict(row)), called) for row in rows]
    return [
        {
            **deposit.dict(),
            "username": names.get(deposit.client_id),
            "day": day_of(deposit.confirmed_at or deposit.created_at, zone),
            "timezone": zone.key,
        }
        for deposit in deposits
    ]


async def _transactions(rows: list[Row]) -> list[Record]:
    called = await machine_names()
    zone = await _zone()
    sales = [Transaction.parse_obj(dict(row)) for row in rows]
    return [
        {
            **TransactionOut.of(sale, called).dict(),
            "commission_fiat": _commission_fiat(sale),
            "day": day_of(sale.transaction_time, zone),
            "timezone": zone.key,
        }
        for sale in sales
    ]


def _commission_fiat(sale: Transaction) -> str | None:
    """What the commission is worth at the sale's own price, by which the base is the fiat."""
    if sale.effective_commission is None or not sale.base_amount_sats:
        return None
    worth = Fraction(sale.fiat_amount * sale.commission_amount_sats, sale.base_amount_sats)
    return fiat_text(round(worth), sale.fiat_code)


async def _zone() -> ZoneInfo:
    """The operator's time zone, by which their days go."""
    return ZoneInfo((await config_or_defaults()).timezone)


async def _distributions(rows: list[Row]) -> list[Record]:
    names = await crud_clients.usernames(row["client_id"] for row in rows)
    sales = await crud_sales.sales_of([row["transaction_id"] for row in rows])
    zone = await _zone()
    records = []
    for row in rows:
        payment = Payment.parse_obj(dict(row))
        sale = sales[payment.transaction_id]
        records.append(
            {
                **DistributionOut.of(
                    payment, names.get(payment.client_id), sale["direction"]
                ).dict(),
                "day": day_of(payment.transaction_time, zone),
                "timezone": zone.key,
                **{name: sale[name] for name in _OF_SALE if name != "transaction_time"},
            }
        )
    return records


async def _distributions_of_sales(rows: list[Row]) -> list[Record]:
    return await _distributions(await crud_sales.payments_of_sales([row["id"] for row in rows]))


async def _commission(rows: list[Row]) -> list[Record]:
    """The partners' parts; what is in none of them is the operator's own."""
    partners = await crud.partner_names()
    sales = await crud_sales.sales_of([row["transaction_id"] for row in rows])
    records = []
    for row in rows:
        share = CommissionShare.parse_obj(dict(row))
        sale = sales[share.transaction_id]
        records.append(
            {
                **share.dict(),
                "percent": decimal_text(share.percent.normalize()),
                "partner": partners.get(share.partner_id),
                **{name: sale[name] for name in _OF_SALE},
            }
        )
    return records


_OF_SALE = ("lamassu_transaction_id", "transaction_time", "device_id", "device_name")


async def _counts(rows: list[Row]) -> list[Record]:
    called = await machine_names()
    return [
        {
            **CountOut.of(Count.parse_obj(dict(row))).dict(),
            "device_name": called.get(row["device_id"]),
        }
        for row in rows
    ]


async def _polls(rows: list[Row]) -> list[Record]:
    return [Poll.parse_obj(dict(row)).dict() for row in rows]


async def _accepted_terms(rows: list[Row]) -> list[Record]:
    names = await crud_clients.usernames(row["client_id"] for row in rows)
    texts = await crud.terms_texts(row["terms_hash"] for row in rows)
    return [
        {**row, "terms": texts[row["terms_hash"]], "username": names.get(row["client_id"])}
        for row in (AcceptedTerms.parse_obj(dict(each)).dict() for each in rows)
    ]


async def _audit(rows: list[Row]) -> list[Record]:
    entries = await named([AuditEntry.parse_obj(dict(row)) for row in rows])
    return [entry.dict() for entry in entries]


async def _forwards(rows: list[Row]) -> list[Record]:
    whose = await crud.owners(row["client_id"] for row in rows)
    forwards = [Forward.parse_obj(dict(row)) for row in rows]
    return [OperatorForwardOut.of_owner(f, whose.get(f.client_id)).dict() for f in forwards]


_DAY = ["day", "timezone"]  # the operator's, beside the times in UTC

_DISTRIBUTION_COLUMNS = [
    *_names(DistributionOut, "told"),
    *_DAY,
    "lamassu_transaction_id",
    "device_id",
    "device_name",
]

EXPORTS = {
    "clients": Table(
        "dca_clients",
        "created_at",
        ClientFilters,
        [*_CLIENT_COLUMNS, *_BALANCE_COLUMNS, "sats_received"],
        _clients,
    ),
    "deposits": Table(
        "dca_deposits",
        "created_at",
        DepositFilters,
        [*_names(DepositOut), "username", *_DAY],
        _deposits,
    ),
    "transactions": Table(
        "lamassu_transactions",
        "transaction_time",
        TransactionFilters,
        [*_names(TransactionOut), "commission_fiat", *_DAY],
        _transactions,
    ),
    "distributions": Table(
        "dca_payments", "created_at", PaymentFilters, _DISTRIBUTION_COLUMNS, _distributions
    ),
    # The same rows, chosen by the filters of their sales.
    "transaction_distributions": Table(
        "lamassu_transactions",
        "transaction_time",
        TransactionFilters,
        _DISTRIBUTION_COLUMNS,
        _distributions_of_sales,
    ),
    "commission": Table(
        "dca_commission_shares",
        "created_at",
        CommissionShareFilters,
        [*_names(CommissionShare, "transfer_id"), "partner", *_OF_SALE],
        _commission,
    ),
    "counts": Table(
        "dca_machine_counts",
        "counted_at",
        CountFilters,
        [*_names(CountOut), "device_name"],
        _counts,
    ),
    "forwards": Table(
        "dca_forwards", "created_at", ForwardFilters, _names(OperatorForwardOut), _forwards
    ),
    "accepted_terms": Table(
        "dca_accepted_terms",
        "accepted_at",
        AcceptedTermsFilters,
        [*_names(AcceptedTermsOut), "username"],
        _accepted_terms,
    ),
    "audit": Table("dca_audit", "time", AuditFilters, _names(AuditOut), _audit),
    "polls": Table("lamassu_polls", "started_at", PollFilters, _names(Poll), _polls),
}

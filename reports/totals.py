"""The sums under a list: of all rows that its filters choose, not of the page alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lnbits.db import FilterModel, Filters
from pydantic import BaseModel, Field

from ..helpers import fiat_text
from ..models_clients import ClientFilters, DepositFilters
from ..models_config import PollFilters
from ..models_payouts import ForwardFilters
from ..models_sales import PaymentFilters, TransactionFilters
from ..rest import filter_of
from . import crud


class CurrencyTotals(BaseModel):
    """`currency` is empty where the list has none; the sums have the names of their fields."""

    currency: str
    rows: int
    sats: dict[str, int] = Field({}, description="Also plain numbers, such as of payments")
    fiat: dict[str, str] = {}


class Totals(BaseModel):
    rows: int
    currencies: list[CurrencyTotals]


@dataclass(frozen=True)
class Summed:
    """What is summed of a table's rows, by the currency in which its fiat is.

    Each sum has a name and the SQL of what a row adds to it.
    """

    table: str
    filters: type[FilterModel]
    currency: str | None
    sats: Mapping[str, str] = field(default_factory=dict)
    fiat: Mapping[str, str] = field(default_factory=dict)


def _plain(*columns: str) -> dict[str, str]:
    return {name: name for name in columns}


def _confirmed(column: str) -> dict[str, str]:
    """A column's sum, and of it what is confirmed: the rest may never count."""
    return {
        column: column,
        f"confirmed_{column}": f"CASE WHEN status = 'confirmed' THEN {column} ELSE 0 END",
    }


LISTS = {
    "clients": Summed("dca_clients", ClientFilters, None),
    "deposits": Summed("dca_deposits", DepositFilters, "currency", fiat=_confirmed("amount")),
    "forwards": Summed(
        "dca_forwards",
        ForwardFilters,
        None,
        # Each fee as it is shown: rounded up to a whole sat.
        {**_confirmed("amount_sats"), "fee_sats": "(COALESCE(fee_msat, 0) + 999) / 1000"},
    ),
    "payments": Summed(
        "dca_payments",
        PaymentFilters,
        "currency",
        _confirmed("amount_sats"),
        _confirmed("amount_fiat"),
    ),
    "polls": Summed(
        "lamassu_polls",
        PollFilters,
        None,
        _plain("found", "new", "confirmed_payments", "distributed_sats"),
    ),
    "transactions": Summed(
        "lamassu_transactions",
        TransactionFilters,
        "fiat_code",
        _plain(
            *("crypto_amount_sats", "commission_amount_sats", "base_amount_sats"),
            *("distributed_sats", "undistributed_sats"),
        ),
        _plain("fiat_amount"),
    ),
}
_OF_CLIENTS = _plain("deposited", "allocated_fiat", "paid_sats")


async def of(summed: Summed, filters: Filters) -> Totals:  # type: ignore[type-arg]
    """The sums of a list, by currency.

    Raises:
        ValueError: a filter's value does not fit its column.
    """
    if summed.table == "dca_clients":
        return await _of_clients(filters)
    columns = {**summed.sats, **summed.fiat}
    rows = await crud.sums(summed.table, summed.currency, columns, filters)
    return Totals(
        rows=sum(row["number"] for row in rows),
        currencies=[
            CurrencyTotals(
                currency=row["code"] or "",
                rows=row["number"],
                sats={name: row[name] for name in summed.sats},
                fiat={name: fiat_text(row[name], row["code"]) for name in summed.fiat},
            )
            for row in rows
        ],
    )


async def of_client(name: str, client_id: str, filters: Filters) -> Totals:  # type: ignore[type-arg]
    """The sums of one client's rows of a list; the rest as `of`."""
    summed = LISTS[name]
    only_of(client_id, filters, summed.filters)
    return await of(summed, filters)


def only_of(client_id: str, filters: Filters, model: type[FilterModel]) -> None:  # type: ignore[type-arg]
    """Add to filters that it is this client's; `model` has the field, the filters' own may not."""
    filters.filters.append(filter_of("client_id", [client_id], model, len(filters.filters)))


async def _of_clients(filters: Filters) -> Totals:  # type: ignore[type-arg]
    """Of the chosen clients: what they put in, what is left of it, and the sats they got."""
    rows = await crud.sums("dca_clients", None, {}, filters)
    balances = await crud.sums_of_balances(_OF_CLIENTS, filters)
    return Totals(
        rows=sum(row["number"] for row in rows),
        currencies=[
            CurrencyTotals(
                currency=row["code"],
                rows=row["number"],
                sats={"total_sats": row["paid_sats"]},
                fiat={
                    "total_deposits": fiat_text(row["deposited"], row["code"]),
                    "total_distributed": fiat_text(row["allocated_fiat"], row["code"]),
                    "remaining_balance": fiat_text(
                        row["deposited"] - row["allocated_fiat"], row["code"]
                    ),
                },
            )
            for row in balances
        ],
    )

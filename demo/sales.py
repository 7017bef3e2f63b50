"""Sales as Lamassu's machines and server write them: the row, the log of actions, the amounts.

Sources: the machine's own arithmetic for `crypto_atoms`, and what each ending of a sale leaves in
`cash_out_txs` and `cash_out_actions`.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal, localcontext
from typing import Literal

import asyncpg

MACHINE = "8c1f0e5b7d2a4396"
"""A machine that is in `devices`."""
UNPAIRED_MACHINE = "00aa11bb22cc33dd"
"""One that is not there any more."""
MARKET_PRICE = Decimal("752345.67000")
"""Quetzales per bitcoin, where a sale names no other price."""
SECOND_MACHINE = "c0ffee5b7d2a4396"
"""Another one, which a shop hosts; it is in `devices` once it was added."""
UNIT_SCALE = {"BTC": 8, "LN": 8, "BCH": 8, "DASH": 8, "LTC": 8, "ZEC": 8, "ETH": 18, "XMR": 12}
DENOMINATIONS = (200, 100, 50, 20)  # what the four cassettes hold

# provisioned_1 ... denomination_recycler_6: the same columns stand in two tables.
_UNITS = [*map(str, range(1, 5)), *(f"recycler_{n}" for n in range(1, 7))]


def counters(*kinds: str) -> list[str]:
    """Names such as `dispensed_1` and `dispensed_recycler_6`, for each place that holds notes."""
    return [f"{kind}_{unit}" for kind in kinds for unit in _UNITS]


Cash = Literal[
    "dispensed",
    "not_asked",
    "never_collected",
    "out_of_bills",
    "machine_died",
    "partial",
    "short_count",
    "cancelled",
]
"""What became of the notes; the row's flags, error and actions follow from it."""

# dispense, dispense_confirmed, error, error_code
_FLAGS: dict[Cash, tuple[bool, bool, str | None, str | None]] = {
    "dispensed": (True, True, None, None),
    "not_asked": (False, False, None, None),
    "never_collected": (False, False, None, None),
    "out_of_bills": (True, False, None, None),
    "machine_died": (True, False, None, None),
    "partial": (True, False, "Jam in cassette 2", None),
    "short_count": (True, False, None, None),
    "cancelled": (True, False, "Operator cancel", "operatorCancel"),
}


@dataclass(frozen=True, kw_only=True)
class Sale:
    """One walk-in customer selling coins for cash: a row of cash_out_txs and its actions.

    Without more than a time and an amount it is a Lightning sale that was paid and whose cash
    came out. `columns` overrides any column of cash_out_txs with what the machine would not
    write by itself (`{"dispense_confirmed": None}`).
    """

    created: datetime
    fiat: Decimal = Decimal(200)
    fiat_code: str = "GTQ"
    name: str = "sale"
    good: bool = True
    why: str = ""
    id: uuid.UUID = field(default_factory=uuid.uuid4)
    device_id: str = MACHINE
    crypto_code: str = "LN"
    crypto_atoms: int | None = None
    """Smallest units asked for; None: as the machine computes them."""
    raw_ticker_price: Decimal | None = MARKET_PRICE
    """Fiat per whole coin."""
    commission_percentage: Decimal | None = Decimal("0.05500")
    """A fraction."""
    discount: int | None = 0
    """Percent of the commission."""
    fixed_fee: Decimal = Decimal(0)
    status: str = "confirmed"
    confirmed_at: datetime | None = None
    """None: three seconds after `created` where the status is `confirmed`."""
    received_crypto_atoms: int | None = None
    """None: what was asked for, or nothing where the status is `notSeen`."""
    cash: Cash = "dispensed"
    cash_at: datetime | None = None
    """When the machine reported about the notes; None: ten seconds after the payment."""
    columns: Mapping[str, object] = field(default_factory=dict)

    @property
    def atoms(self) -> int:
        """Smallest units of the coin that the customer was asked for, all charges included."""
        if self.crypto_atoms is not None:
            return self.crypto_atoms
        if self.raw_ticker_price is None:
            raise ValueError("a sale without a ticker price needs its crypto_atoms given")
        return machine_atoms(
            self.fiat,
            self.raw_ticker_price,
            self.commission_percentage or Decimal(0),
            self.discount or 0,
            self.fixed_fee,
            UNIT_SCALE[self.crypto_code],
        )

    @property
    def paid_at(self) -> datetime:
        return self.confirmed_at or self.created + timedelta(seconds=3)

    @property
    def ticker_price(self) -> Decimal | None:
        """The price in the row: what was asked for was computed from one."""
        if self.crypto_atoms is None or self.raw_ticker_price != MARKET_PRICE:
            return self.raw_ticker_price
        effective = (self.commission_percentage or 0) * Decimal(100 - (self.discount or 0)) / 100
        return fitting_price((self.fiat + self.fixed_fee) / (1 - effective), self.crypto_atoms)

    @property
    def dispensed_at(self) -> datetime:
        """When the cash came out, or the machine reported why it did not."""
        return self.cash_at or self.paid_at + timedelta(seconds=10)


def fitting_price(cash: Decimal, atoms: int) -> Decimal | None:
    """Fiat per bitcoin at which `cash` is worth so many sats; None beyond what a row can hold."""
    price = (cash * 10**8 / atoms).quantize(Decimal("1e-5")) if atoms > 0 else Decimal(0)
    return price if 0 < price < 10**9 else None


def machine_atoms(
    fiat: Decimal,
    ticker: Decimal,
    commission: Decimal,
    discount: int = 0,
    fixed_fee: Decimal = Decimal(0),
    scale: int = 8,
) -> int:
    """Smallest units that the machine asks for `fiat` of cash (its own rounding, step by step).

    `ticker` is fiat per whole coin, `commission` a fraction, `discount` percent of the commission,
    `scale` the coin's decimals. The result is a multiple of a millionth of a coin.
    """
    with localcontext() as context:
        context.prec = 60
        effective = commission * (100 - discount) / 100
        rate = (ticker * (1 - effective)).quantize(Decimal("1e-5"), ROUND_HALF_EVEN)
        coins = ((fiat + fixed_fee) / rate).quantize(Decimal(1).scaleb(-scale), ROUND_DOWN)
        return int(coins.quantize(Decimal("1e-6"), ROUND_HALF_EVEN).scaleb(scale))


async def insert_sale(
    connection: asyncpg.Connection, sale: Sale, *, fixed_fee: bool = True
) -> None:
    """Write one sale's row and its actions, replacing an earlier state of the same sale."""
    await connection.execute("DELETE FROM cash_out_txs WHERE id = $1", sale.id)
    await connection.execute("DELETE FROM cash_out_actions WHERE tx_id = $1", sale.id)
    row = _row(sale)
    if fixed_fee:
        row["fixed_fee"] = sale.fixed_fee
    elif sale.fixed_fee:
        raise ValueError("this Lamassu has no fixed_fee column")
    await insert_row(connection, "cash_out_txs", row)
    for action in _actions(sale):
        await insert_row(connection, "cash_out_actions", {"tx_id": sale.id, **action})


async def insert_row(connection: asyncpg.Connection, table: str, row: Mapping[str, object]) -> None:
    places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
    await connection.execute(
        f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})",  # noqa: S608 - our own names
        *row.values(),
    )


def _row(sale: Sale) -> dict[str, object]:
    paid = sale.status in ("confirmed", "instant", "authorized", "rejected", "published")
    received = sale.received_crypto_atoms
    if received is None:
        received = sale.atoms if paid else 0
    dispense, dispense_confirmed, error, error_code = _FLAGS[sale.cash]
    return {
        "id": sale.id,
        "device_id": sale.device_id,
        "to_address": f"lnbc-demo-{sale.id}",
        "crypto_atoms": Decimal(sale.atoms),
        "crypto_code": sale.crypto_code,
        "fiat": sale.fiat,
        "fiat_code": sale.fiat_code,
        "status": sale.status,
        "dispense": dispense,
        "dispense_confirmed": dispense_confirmed,
        "redeem": sale.cash == "never_collected",
        "error": error,
        "error_code": error_code,
        "phone": "+502 5555 0100",
        "created": sale.created,
        "published_at": sale.paid_at if paid else None,
        "confirmed_at": sale.paid_at if sale.status == "confirmed" else None,
        "tx_version": 3,
        "terms_accepted": True,
        "commission_percentage": sale.commission_percentage,
        "raw_ticker_price": sale.ticker_price,
        "received_crypto_atoms": Decimal(received),
        "discount": sale.discount,
        "discount_source": "promoCode" if sale.discount else None,
        **(_notes("provisioned", sale) if _notes_were_planned(sale) else {}),
        **(_denominations() if _notes_were_planned(sale) else {}),
        **sale.columns,
    }


def _actions(sale: Sale) -> list[dict[str, object]]:
    """The log lines that the server writes on the way to this state, oldest first."""
    machine = {"device_id": sale.device_id}
    log: list[dict[str, object]] = [
        {"action": "provisionAddress", "created": sale.created, **machine}
    ]
    if sale.status != "notSeen":
        log.append({"action": sale.status, "created": sale.paid_at, **machine})
    about_cash: dict[str, object] = {"created": sale.dispensed_at, **machine}
    planned = {
        **about_cash,
        "action": "provisionNotes",
        "created": sale.dispensed_at - timedelta(seconds=5),
        **_notes("provisioned", sale),
        **_denominations(),
    }
    if _notes_were_planned(sale):
        log.append(planned)
    if sale.cash in ("dispensed", "short_count", "partial"):
        error = _FLAGS[sale.cash][2]
        counted = {
            **_notes("provisioned", sale),
            **_came_out(sale),
            **_notes("rejected", sale, missing=None),
            **_denominations(),
        }
        action = "dispenseError" if error else "dispense"
        log.append({**about_cash, "action": action, "error": error, **counted})
    elif sale.cash == "out_of_bills":
        nothing = {**_notes("provisioned", sale, missing=None), **_denominations()}
        log.append({**planned, **nothing})
        log.append(
            {**about_cash, "action": "dispense", **nothing, **_notes("dispensed", sale, None)}
        )
    elif sale.cash == "never_collected":
        log.append({**about_cash, "action": "redeemLater", "redeem": True})
    elif sale.cash == "cancelled":
        log.append({**about_cash, "action": "operatorCompleted", "device_id": ""})
    return log


def _notes_were_planned(sale: Sale) -> bool:
    return sale.cash in ("dispensed", "machine_died", "partial", "short_count")


def _came_out(sale: Sale) -> dict[str, object]:
    """The notes that were counted; none are told of cash that no notes of this machine make."""
    made = sum(n * left for n, left in zip(DENOMINATIONS, _counts(sale.fiat), strict=True))
    if made != sale.fiat and sale.cash == "dispensed":
        return {}
    return _notes("dispensed", sale, missing=0 if sale.cash == "dispensed" else 1)


def _notes(kind: str, sale: Sale, missing: int | None = 0) -> dict[str, object]:
    """Notes per cassette for the sale's cash, the largest first; `missing` of them stay inside.

    `missing=None` counts none at all.
    """
    counts = [0 if missing is None else count for count in _counts(sale.fiat)]
    for cassette, count in enumerate(counts):
        taken = min(count, missing or 0)
        counts[cassette] -= taken
        missing = (missing or 0) - taken
    return {f"{kind}_{unit}": count for unit, count in zip(_UNITS, counts, strict=False)}


def _counts(fiat: Decimal) -> list[int]:
    counts, left = [], int(fiat)
    for denomination in DENOMINATIONS:
        counts.append(left // denomination)
        left %= denomination
    return counts


def _denominations() -> dict[str, object]:
    return {f"denomination_{unit}": n for unit, n in zip(_UNITS, DENOMINATIONS, strict=False)}

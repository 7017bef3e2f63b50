"""Cash-ins as Lamassu's machines and server write them: customers who buy coins with cash.

Sources: the machine's own arithmetic for `crypto_atoms`, and what each ending of a purchase
leaves in `cash_in_txs` and `bills`.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal, localcontext
from typing import Literal

import asyncpg

from .sales import MACHINE, MARKET_PRICE, UNIT_SCALE, fitting_price, insert_row

Coins = Literal["sent", "unsent", "failed", "cancelled"]
"""What became of the coins; the row's flags and error follow from it."""

_ERRORS: dict[Coins, tuple[str | None, str | None]] = {
    "sent": (None, None),
    "unsent": (None, None),
    "failed": ("Insufficient funds in the wallet", "InsufficientFundsError"),
    "cancelled": ("Operator cancel", "operatorCancel"),
}
_STEP = timedelta(milliseconds=100)


@dataclass(frozen=True, kw_only=True)
class CashIn:
    """One walk-in customer buying coins for cash: a row of cash_in_txs and its bills.

    Without more than a time it is a Lightning purchase whose coins were sent. `columns` overrides
    any column of cash_in_txs with what would not stand there by itself.
    """

    created: datetime
    notes: Sequence[int] = (200,)
    """What was put in, in the order of the notes."""
    fiat_code: str = "GTQ"
    name: str = "cash-in"
    good: bool = True
    why: str = ""
    id: uuid.UUID = field(default_factory=uuid.uuid4)
    device_id: str = MACHINE
    crypto_code: str = "LN"
    crypto_atoms: int | None = None
    """Smallest units that are sent; None: as the machine computes them."""
    raw_ticker_price: Decimal | None = MARKET_PRICE
    """Fiat per whole coin."""
    commission_percentage: Decimal | None = Decimal("0.05500")
    """A fraction."""
    discount: int | None = 0
    """Percent of the commission."""
    cash_in_fee: Decimal = Decimal(0)
    """Fiat, taken from the first note."""
    coins: Coins = "sent"
    send_time: datetime | None = None
    """None: twenty seconds after `created`."""
    columns: Mapping[str, object] = field(default_factory=dict)

    @property
    def fiat(self) -> Decimal:
        return Decimal(sum(self.notes))

    @property
    def atoms(self) -> int:
        """Smallest units of the coin that the customer is sent, after all charges."""
        if self.crypto_atoms is not None:
            return self.crypto_atoms
        if self.raw_ticker_price is None:
            raise ValueError("a cash-in without a ticker price needs its crypto_atoms given")
        return machine_cash_in_atoms(
            self.notes,
            self.raw_ticker_price,
            self.commission_percentage or Decimal(0),
            self.discount or 0,
            self.cash_in_fee,
            UNIT_SCALE[self.crypto_code],
        )

    @property
    def ticker_price(self) -> Decimal | None:
        """The price in the row: what is sent was computed from one."""
        if self.crypto_atoms is None or self.raw_ticker_price != MARKET_PRICE:
            return self.raw_ticker_price
        effective = (self.commission_percentage or 0) * Decimal(100 - (self.discount or 0)) / 100
        return fitting_price((self.fiat - self.cash_in_fee) / (1 + effective), self.crypto_atoms)

    @property
    def sent_at(self) -> datetime:
        return self.send_time or self.created + timedelta(seconds=20)


def machine_cash_in_atoms(
    notes: Sequence[int],
    ticker: Decimal,
    commission: Decimal,
    discount: int = 0,
    fee: Decimal = Decimal(0),
    scale: int = 8,
) -> int:
    """Smallest units that the machine sends for these notes (its own rounding, step by step).

    `ticker` is fiat per whole coin, `commission` a fraction, `discount` percent of the commission,
    `fee` fiat that comes off the first note, `scale` the coin's decimals.
    """
    with localcontext() as context:
        context.prec = 60
        effective = commission * (100 - discount) / 100
        rate = (ticker * (1 + effective)).quantize(Decimal("1e-5"), ROUND_HALF_EVEN)
        atoms = 0
        for number, note in enumerate(notes):
            worth = note - (fee if number == 0 else 0)
            coins = (worth / rate).quantize(Decimal(1).scaleb(-scale), ROUND_DOWN)
            atoms += int(coins.quantize(Decimal("1e-6"), ROUND_HALF_EVEN).scaleb(scale))
        return atoms


async def insert_cash_in(connection: asyncpg.Connection, cash_in: CashIn) -> None:
    """Write one cash-in's row and its bills, replacing an earlier state of the same cash-in."""
    await connection.execute("DELETE FROM cash_in_txs WHERE id = $1", cash_in.id)
    await connection.execute("DELETE FROM bills WHERE cash_in_txs_id = $1", cash_in.id)
    await insert_row(connection, "cash_in_txs", _row(cash_in))
    for number, note in enumerate(cash_in.notes):
        bill: dict[str, object] = {
            "id": uuid.uuid4(),
            "fiat": note,
            "fiat_code": cash_in.fiat_code,
            "cash_in_txs_id": cash_in.id,
            "device_time": int(cash_in.created.timestamp() * 1000),
            "created": cash_in.created,
            "crypto_code": cash_in.crypto_code,
            "cash_in_fee": cash_in.cash_in_fee if number == 0 else Decimal(0),
        }
        await insert_row(connection, "bills", bill)


def _row(cash_in: CashIn) -> dict[str, object]:
    tried = cash_in.coins in ("sent", "failed")
    error, error_code = _ERRORS[cash_in.coins]
    return {
        "id": cash_in.id,
        "device_id": cash_in.device_id,
        "to_address": f"lnbc-demo-{cash_in.id}",
        # The amount stands there from the moment on in which the coins are to be sent.
        "crypto_atoms": Decimal(cash_in.atoms if tried else 0),
        "crypto_code": cash_in.crypto_code,
        "fiat": cash_in.fiat,
        "fiat_code": cash_in.fiat_code,
        "fee": 150 if cash_in.coins == "sent" else None,
        "tx_hash": cash_in.id.hex if cash_in.coins == "sent" else None,
        "phone": "+502 5555 0101",
        "error": error,
        "error_code": error_code,
        "created": cash_in.created,
        "send": tried,
        "send_confirmed": cash_in.coins == "sent",
        "send_time": cash_in.sent_at if tried else None,
        "operator_completed": cash_in.coins == "cancelled",
        "cash_in_fee": cash_in.cash_in_fee,
        "minimum_tx": 10,
        "tx_version": 3,
        "terms_accepted": True,
        "commission_percentage": cash_in.commission_percentage,
        "raw_ticker_price": cash_in.ticker_price,
        "discount": cash_in.discount,
        "discount_source": "promoCode" if cash_in.discount else None,
        **cash_in.columns,
    }


def cash_in_kinds(now: datetime) -> list[CashIn]:
    """One cash-in of each kind, sent at `now` or a few hundred milliseconds after it.

    `good` says whether it must be distributed where cash-ins are read, `why` the reason.
    """
    kinds = [*_good_kinds(now), *_bad_kinds(now)]
    return [
        replace(kind, created=at - timedelta(seconds=80), send_time=at)
        for kind, at in zip(kinds, (now + step * _STEP for step in range(len(kinds))), strict=True)
    ]


def _good_kinds(now: datetime) -> list[CashIn]:
    return [
        CashIn(created=now, name="bought", why="The coins were sent."),
        CashIn(
            created=now,
            name="bought on chain",
            crypto_code="BTC",
            notes=(200, 100, 100, 50),
            why="Several notes; each is rounded by itself.",
        ),
        CashIn(
            created=now,
            name="bought for dollars",
            notes=(100,),
            fiat_code="USD",
            raw_ticker_price=Decimal("97345.67000"),
            why="A second currency: only clients with a balance in it take part.",
        ),
        CashIn(
            created=now,
            name="bought with a fee",
            notes=(100, 100),
            cash_in_fee=Decimal("10.00000"),
            why="The fee comes off the first note.",
        ),
        CashIn(created=now, name="bought, discount 10", discount=10, why="A tenth is forgiven."),
        CashIn(created=now, name="bought, discount 100", discount=100, why="No commission at all."),
        CashIn(
            created=now,
            name="bought, discount None",
            discount=None,
            why="NULL means no discount.",
        ),
        CashIn(
            created=now,
            name="bought at an unknown price",
            raw_ticker_price=None,
            crypto_atoms=25_200,
            why="Without a fee no price is needed.",
        ),
    ]


def _bad_kinds(now: datetime) -> list[CashIn]:
    return [
        CashIn(
            created=now,
            name="a fee at an unknown price",
            raw_ticker_price=None,
            crypto_atoms=25_200,
            cash_in_fee=Decimal("10.00000"),
            good=False,
            why="What the fee was worth in sats cannot be told: a person has to look.",
        ),
        CashIn(
            created=now,
            name="unknown commission",
            commission_percentage=None,
            crypto_atoms=25_200,
            good=False,
            why="What the machine charged cannot be told: a person has to look.",
        ),
        CashIn(created=now, name="unsent", coins="unsent", good=False, why="Still at the machine."),
        CashIn(
            created=now, name="failed to send", coins="failed", good=False, why="Nothing was sent."
        ),
        CashIn(
            created=now,
            name="cash-in cancelled",
            coins="cancelled",
            good=False,
            why="The operator cancelled it.",
        ),
        CashIn(
            created=now,
            name="litecoin bought",
            crypto_code="LTC",
            raw_ticker_price=Decimal("845.12000"),
            good=False,
            why="Eight decimals, yet not sats.",
        ),
        CashIn(created=now, name="no notes", notes=(), good=False, why="Nothing was put in."),
        CashIn(
            created=now,
            name="no sats",
            crypto_atoms=0,
            good=False,
            why="Nothing was sent, whatever the flag says.",
        ),
    ]

"""Every kind of row that an operator's Lamassu holds, and what has to become of each."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4

from .sales import UNPAIRED_MACHINE, Cash, Sale

# GTQ for one litecoin, USD for one bitcoin.
_LTC_IN_GTQ = Decimal("845.12000")
_BTC_IN_USD = Decimal("97345.67000")
_STEP = timedelta(milliseconds=100)

SPREAD = timedelta(seconds=3)
"""From the first sale's cash to the last one's."""


def real_input(now: datetime, *, fixed_fee: bool = True) -> list[Sale]:
    """One sale of each kind; the cash of each comes out at `now` or within `SPREAD` after it.

    `good` says whether it must be distributed, `why` the reason. `fixed_fee=False` leaves out
    what a Lamassu before 10.2 cannot hold.
    """
    kinds = [*_plain_sales(now), *_discounts(now), *_amounts(now), *_unpaid(now), *_cash_kept(now)]
    if fixed_fee:
        kinds += _fees(now)
    sales = [_timed(sale, now + step * _STEP) for step, sale in enumerate(kinds)]
    return sales + _odd_times(now + len(sales) * _STEP)


def _timed(sale: Sale, cash_at: datetime) -> Sale:
    """An ordinary customer: pays after twenty seconds, has the cash after a minute more."""
    created = cash_at - timedelta(seconds=80)
    paid = created + timedelta(seconds=20) if sale.status == "confirmed" else None
    return replace(sale, created=created, confirmed_at=paid, cash_at=cash_at)


def _plain_sales(now: datetime) -> list[Sale]:
    return [
        Sale(created=now, name="lightning", why="The invoice was paid and the cash came out."),
        Sale(
            created=now,
            name="on chain",
            crypto_code="BTC",
            fiat=Decimal(500),
            why="A block confirmed the payment and the cash came out.",
        ),
        Sale(
            created=now,
            name="dollars",
            fiat=Decimal(100),
            fiat_code="USD",
            raw_ticker_price=_BTC_IN_USD,
            why="A second currency: only clients with a balance in it take part.",
        ),
        Sale(
            created=now,
            name="unpaired machine",
            device_id=UNPAIRED_MACHINE,
            why="The machine was unpaired since and is not in devices; the sale is as good.",
        ),
    ]


def _discounts(now: datetime) -> list[Sale]:
    reasons: dict[int | None, str] = {
        10: "A tenth of the commission is forgiven.",
        90: "Nearly the whole commission is forgiven.",
        100: "No commission at all: everything is the clients'.",
        None: "NULL means no discount; it stands in rows from before discounts existed.",
    }
    return [
        Sale(created=now, name=f"discount {percent}", discount=percent, why=why)
        for percent, why in reasons.items()
    ]


def _amounts(now: datetime) -> list[Sale]:
    return [
        Sale(
            created=now,
            name="over-paid",
            crypto_code="BTC",
            received_crypto_atoms=99_000,
            why="The customer sent too much; the amount asked for is what was sold.",
        ),
        Sale(
            created=now,
            name="litecoin",
            crypto_code="LTC",
            raw_ticker_price=_LTC_IN_GTQ,
            good=False,
            why="Eight decimals, yet not sats.",
        ),
    ]


def _unpaid(now: datetime) -> list[Sale]:
    def bad(name: str, status: str, cash: Cash, why: str, received: int | None = None) -> Sale:
        return Sale(
            created=now,
            name=name,
            crypto_code="BTC",
            status=status,
            cash=cash,
            received_crypto_atoms=received,
            good=False,
            why=why,
        )

    return [
        bad("never paid", "notSeen", "not_asked", "Nobody paid."),
        bad("under-paid", "notSeen", "not_asked", "Less arrived than asked for.", 9_999),
        bad("rejected", "rejected", "not_asked", "Zero-conf was refused, and no block came yet."),
        bad(
            "zero-conf",
            "authorized",
            "dispensed",
            "The cash is out, but the coins may still be spent twice: wait for the block.",
        ),
    ]


def _cash_kept(now: datetime) -> list[Sale]:
    reasons: dict[str, tuple[Cash, str]] = {
        "never collected": ("never_collected", "Paid, but the customer did not come back."),
        "cancelled": ("cancelled", "The operator cancelled it after the payment."),
        "partial dispense": ("partial", "The dispenser reported an error, some notes came out."),
        "short count": ("short_count", "A note too few came out, and no error was reported."),
        "out of bills": (
            "out_of_bills",
            "Paid, but the machine had no notes for it: its count is nothing.",
        ),
        "machine died": ("machine_died", "The machine never reported what came out."),
    }
    return [
        Sale(created=now, name=name, fiat=Decimal(400), cash=cash, good=False, why=why)
        for name, (cash, why) in reasons.items()
    ]


def _fees(now: datetime) -> list[Sale]:
    return [
        Sale(
            created=now,
            name="fixed fee",
            fixed_fee=Decimal("15.00000"),
            why="A fee on top: in the coins asked for, not in the cash handed out.",
        )
    ]


def _odd_times(cash_at: datetime) -> list[Sale]:
    twin = _timed(
        Sale(created=cash_at, name="twin 1", why="Same instant as its twin; each counts once."),
        cash_at,
    )
    late = Sale(
        created=cash_at - timedelta(hours=5),
        confirmed_at=cash_at - timedelta(minutes=4),
        cash_at=cash_at + _STEP,
        name="confirmed hours later",
        crypto_code="BTC",
        fiat=Decimal(1000),
        why="Over the zero-conf limit: the block came hours later, then the cash was fetched.",
    )
    return [twin, replace(twin, id=uuid4(), name="twin 2"), late]

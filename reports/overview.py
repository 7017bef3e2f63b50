"""Figures for the overview and for one client: what is going on, and is all well.

Every figure is one query, however many clients there are. Fiat goes out as decimal text, sats as
integers; days are those of the configured time zone.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from .. import configuration, crud_clients
from ..crud import get_config, get_polls
from ..database import Row, reading
from ..helpers import average_price, day_of, fiat_text, now, start_of
from ..models_config import LamassuConfig, PollOut
from . import crud, obstacles, pools, source
from .obstacles import Obstacle
from .pools import DAYS, Pool
from .source import SourceWallet

_Daily = dict[str, dict[date, int]]  # by currency and day, in minor units


class Amount(BaseModel):
    currency: str
    amount: str


class Distributed(BaseModel):
    """What was paid to clients in some days, and the commission of their sales.

    `fees_sats`: LNbits' service fees for it, in whole sats, rounded up.
    """

    sats: int = 0
    commission_sats: int = 0
    fees_sats: int = 0
    sales: int = 0
    fiat: list[Amount] = []


class Connection(BaseModel):
    configured: bool
    is_active: bool
    tested_at: datetime | None
    test_success: bool | None
    last_poll: PollOut | None
    last_successful_poll: datetime | None
    next_poll: datetime | None
    next_payout: datetime | None
    secrets_to_reenter: list[str]


class Attention(BaseModel):
    """How many things wait for a person, or for the next poll.

    `scheduled_payments` wait for nothing but the next payout.
    """

    failed_payments: int
    waiting_payments: int
    scheduled_payments: int
    scheduled_sats: int
    unsettled: int
    reviews: int
    pending_deposits: int
    pending_clients: int
    clients_to_settle: int
    obstacles: list[Obstacle]


class Setup(BaseModel):
    """What a first run has done so far."""

    configured: bool
    tested: bool
    clients: int
    deposits: int
    confirmed_deposits: int
    polled: bool
    request_bodies_logged: bool
    """LNbits' own log of requests keeps what is entered here: secrets, too."""
    secret_key_beside_data: bool
    """A copy of the data folder holds the key to the stored secrets, too."""


class Line(BaseModel):
    """A currency's amount for each day, as decimal text."""

    currency: str
    values: list[str]


class Series(BaseModel):
    days: list[date]
    sats: list[int]
    commission_sats: list[int]
    fiat: list[Line]
    pool: list[Line]


class Overview(BaseModel):
    as_of: datetime
    timezone: str
    connection: Connection
    source: SourceWallet | None
    pools: list[Pool]
    today: Distributed
    days_7: Distributed
    days_30: Distributed
    attention: Attention
    setup: Setup
    machines: list[str]
    currencies: list[str]
    series: Series


class ClientCurrency(BaseModel):
    """One client's figures in one currency; `average_price` is fiat per whole bitcoin."""

    currency: str
    sats: int
    fiat: str
    average_price: str | None


class ClientHistory(BaseModel):
    client_id: str
    days: list[date]
    sats: list[int]
    balance: list[Line]
    paid: list[ClientCurrency]


async def read() -> Overview:
    """All figures of the overview."""
    at = now()
    async with reading():
        config = await get_config()
        zone = ZoneInfo(config.timezone if config else "UTC")
        days = _days_until(day_of(at, zone))
        since = start_of(days[0], zone)
        sums = _Sums(zone)
        sums.add_sales(await crud.sales_by_quarter(since), await crud.open_shares_by_quarter())
        for row in await crud.fees_by_quarter(since):
            sums.fees[_day(row, zone)] += row["fee"]
        deposits = await crud.deposits_by_currency()
        put_in = _by_day(await crud.deposits_by_quarter(since), zone)
        of_clients = await pools.of(deposits, days[-1], zone)
        owed, numbers = await source.owed(), await crud.numbers()
        connection = await _connection(config)
        machines, currencies = await crud.machines(), await crud.sale_currencies()
    remaining = {row["currency"]: row["confirmed"] - row["allocated"] for row in deposits}
    return Overview(
        as_of=at,
        timezone=zone.key,
        connection=connection,
        source=await source.of(config, owed),
        pools=of_clients,
        today=sums.of(days[-1:]),
        days_7=sums.of(days[-7:]),
        days_30=sums.of(days),
        attention=_attention(owed, deposits, numbers, await obstacles.find()),
        setup=_setup(config, numbers, deposits),
        machines=machines,
        currencies=currencies,
        series=Series(
            days=days,
            sats=[sums.sats[day] for day in days],
            commission_sats=[sums.sales.get(day, (0, 0))[1] for day in days],
            fiat=[_line(code, [by[day] for day in days]) for code, by in sorted(sums.fiat.items())],
            pool=[
                _line(code, _back_from(remaining[code], days, put_in[code], sums.allocated[code]))
                for code in sorted(remaining)
            ],
        ),
    )


async def of_client(client_id: str) -> ClientHistory:
    """One client's balance at the end of each of the last days, and the average price so far."""
    async with reading():
        config = await get_config()
        zone = ZoneInfo(config.timezone if config else "UTC")
        days = _days_until(day_of(now(), zone))
        since = start_of(days[0], zone)
        put_in = _by_day(await crud.deposits_by_quarter(since, client_id), zone)
        sums = _Sums(zone)
        sums.add_shares(await crud.shares_by_quarter(since, client_id))
        balances = await crud_clients.get_balances([client_id])
        paid = (await crud_clients.get_paid([client_id])).get(client_id, {})
    return ClientHistory(
        client_id=client_id,
        days=days,
        sats=[sums.sats.get(day, 0) for day in days],
        balance=[
            _line(
                b.currency,
                _back_from(b.remaining, days, put_in[b.currency], sums.allocated[b.currency]),
            )
            for b in balances
        ],
        paid=[
            ClientCurrency(
                currency=currency,
                sats=sats,
                fiat=fiat_text(fiat, currency),
                average_price=average_price(fiat, sats, currency),
            )
            for currency, (sats, fiat) in sorted(paid.items())
        ],
    )


# ---- days ------------------------------------------------------------------------------------


def _days_until(today: date) -> list[date]:
    return [today - timedelta(days=back) for back in reversed(range(DAYS))]


def _day(row: Row, zone: ZoneInfo) -> date:
    """The day of a row that is summed by the quarter of an hour."""
    seconds = row["quarter"] * crud.QUARTER_SECONDS
    return day_of(datetime.fromtimestamp(seconds, timezone.utc), zone)


def _by_day(rows: Iterable[Row], zone: ZoneInfo) -> _Daily:
    sums: _Daily = defaultdict(lambda: defaultdict(int))
    for row in rows:
        sums[row["currency"]][_day(row, zone)] += row["amount"]
    return sums


def _back_from(
    balance: int, days: list[date], put_in: dict[date, int], taken: dict[date, int]
) -> list[int]:
    """The balance at each day's end, from today's back: less what came in later, plus what went."""
    ends = []
    for day in reversed(days):
        ends.append(balance)
        balance += taken.get(day, 0) - put_in.get(day, 0)
    return ends[::-1]


def _line(currency: str, values: list[int]) -> Line:
    return Line(currency=currency, values=[fiat_text(value, currency) for value in values])


# ---- figures ---------------------------------------------------------------------------------


class _Sums:
    """What went out on each day: sats and fiat that are paid, fiat that is allocated, sales.

    From rows that are summed by the quarter of an hour; the days are those of the zone.
    """

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self.sats: dict[date, int] = defaultdict(int)
        self.fiat: _Daily = defaultdict(lambda: defaultdict(int))
        self.allocated: _Daily = defaultdict(lambda: defaultdict(int))
        self.sales: dict[date, tuple[int, int]] = {}  # their number, and their commission in sats
        self.fees: dict[date, int] = defaultdict(int)  # in msat

    def add_shares(self, shares: Iterable[Row]) -> None:
        """What the shares themselves say."""
        for row in shares:
            day = _day(row, self._zone)
            self.sats[day] += row["sats"]
            self.fiat[row["currency"]][day] += row["fiat"]
            self.allocated[row["currency"]][day] += row["allocated"]

    def add_sales(self, sales: Iterable[Row], open_shares: Iterable[Row]) -> None:
        """What the sales say: all that was shared out, less what is not paid yet."""
        unpaid = {(row["quarter"], row["currency"]): row for row in open_shares}
        for row in sales:
            day, code = _day(row, self._zone), row["currency"]
            number, commission = self.sales.get(day, (0, 0))
            self.sales[day] = (number + row["sales"], commission + row["commission"])
            if row["allocated"]:
                waits = unpaid.get((row["quarter"], code), {"sats": 0, "fiat": 0})
                self.sats[day] += row["sats"] - waits["sats"]
                self.fiat[code][day] += row["allocated"] - waits["fiat"]
                self.allocated[code][day] += row["allocated"]

    def of(self, days: list[date]) -> Distributed:
        """The sums over these days."""
        amounts = {code: sum(by[day] for day in days) for code, by in self.fiat.items()}
        sales = [self.sales.get(day, (0, 0)) for day in days]
        return Distributed(
            sats=sum(self.sats[day] for day in days),
            sales=sum(number for number, _ in sales),
            commission_sats=sum(commission for _, commission in sales),
            fees_sats=-(-sum(self.fees[day] for day in days) // 1000),
            fiat=[
                Amount(currency=code, amount=fiat_text(amount, code))
                for code, amount in sorted(amounts.items())
                if amount
            ],
        )


def _attention(
    owed: source.Owed, deposits: list[Row], numbers: Row, found: list[Obstacle]
) -> Attention:
    shares, sales = owed.shares, owed.sales
    return Attention(
        failed_payments=shares.get("failed", (0, 0))[0],
        waiting_payments=shares.get("pending", (0, 0))[0],
        scheduled_payments=shares.get("scheduled", (0, 0))[0],
        scheduled_sats=shares.get("scheduled", (0, 0))[1],
        unsettled=sales["unsettled"],
        reviews=sales["reviews"],
        pending_deposits=sum(row["waiting"] for row in deposits),
        pending_clients=numbers["pending"],
        clients_to_settle=numbers["to_settle"],
        obstacles=found,
    )


def _setup(config: LamassuConfig | None, numbers: Row, deposits: list[Row]) -> Setup:
    """Rejected deposits do not count: the first run is not done with them."""
    confirmed = sum(row["deposits"] for row in deposits)
    return Setup(
        configured=config is not None,
        tested=bool(config and (config.test_connection_success or config.last_successful_poll)),
        clients=numbers["clients"],
        deposits=confirmed + sum(row["waiting"] for row in deposits),
        confirmed_deposits=confirmed,
        polled=bool(config and config.last_successful_poll),
        request_bodies_logged=configuration.request_bodies_are_logged(),
        secret_key_beside_data=configuration.secret_key_lies_beside_the_data(),
    )


async def _connection(config: LamassuConfig | None) -> Connection:
    polls = await get_polls(1)
    return Connection(
        configured=config is not None,
        is_active=bool(config and config.is_active),
        tested_at=config.test_connection_last if config else None,
        test_success=config.test_connection_success if config else None,
        last_poll=PollOut(**polls[0].dict()) if polls else None,
        last_successful_poll=config.last_successful_poll if config else None,
        next_poll=next_poll(config),
        next_payout=configuration.next_payout(config, now()) if config else None,
        secrets_to_reenter=configuration.lost_secrets(config) if config else [],
    )


def next_poll(config: LamassuConfig | None) -> datetime | None:
    """When the next poll is due; None while there is nothing to poll."""
    if config is None or not config.is_active:
        return None
    if config.last_poll_time is None:
        return now()
    return config.last_poll_time + timedelta(minutes=config.poll_interval_minutes)

"""A backlog of sales, settled by a poll, against LNbits' own payments one by one."""

import time
from dataclasses import dataclass
from typing import Any

from .meters import Meter, median
from .world import BenchWorld

CASES = ((50, 20), (5, 100), (200, 5), (500, 200), (1, 1000))
_LONG = 100_000  # shares from which on a case is not repeated as often
_SATS = 100


@dataclass
class Bare:
    """Seconds for each payment, one by one: with a connection each, and on one shared."""

    each: float
    shared: float


async def bare_sample(world: BenchWorld, number: int) -> Bare:
    """Pay so many shares with LNbits' plain functions, in both ways."""
    from lnbits.core.db import db as core_db

    each = await bare_loop(world, number)
    began = time.perf_counter()
    async with core_db.connect() as conn:
        await bare_loop(world, number, conn)
    return Bare(each, (time.perf_counter() - began) / number)


async def bare_loop(world: BenchWorld, number: int, conn: Any = None) -> float:
    """Seconds for each of so many payments."""
    from lnbits.core.services.payments import create_invoice, pay_invoice

    began = time.perf_counter()
    for n in range(number):
        wallet = world.clients[n % len(world.clients)].wallet_id
        invoice = await create_invoice(
            wallet_id=wallet, amount=_SATS, memo="share", internal=True, conn=conn
        )
        await pay_invoice(wallet_id=world.source.id, payment_request=invoice.bolt11, conn=conn)
    return (time.perf_counter() - began) / number


async def run(world: BenchWorld, *, quick: bool) -> list[dict[str, Any]]:
    found = []
    for sales, clients in CASES:
        if quick and (sales * clients >= _LONG or clients >= 1000):
            continue
        # A poll of a second often: one slow moment of the machine changes it by half.
        rounds = 7 if clients < 100 else 3
        if quick or clients >= 1000 or sales * clients >= _LONG:
            rounds = 1
        sample = 10 if quick else 100 if clients >= 1000 else 25
        runs = [await _once(world, sales, clients, sample) for _ in range(rounds)]
        found.append({"sales": sales, "clients": clients, **_medians(runs)})
    return found


def _medians(runs: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        name: median([run[name] for run in runs]) if not isinstance(value, str) else value
        for name, value in runs[-1].items()
    }


async def _once(world: BenchWorld, sales: int, clients: int, sample: int) -> dict[str, Any]:
    """One poll between two halves of the bare samples, so that both meet the same wallets."""
    await world.clear()
    await world.add_clients(clients)
    await world.add_sales(sales)
    before = await bare_sample(world, sample)
    shares = sales * clients
    timed = await timed_poll(world, shares)
    meter, planning = timed.meter, timed.planning
    payments = await world.paid()
    after = await bare_sample(world, sample)
    each = (before.each + after.each) / 2 * shares
    shared = (before.shared + after.shared) / 2 * shares
    plain = await plain_insert(world)
    return {
        "poll_seconds": meter.seconds,
        "bare_seconds": each,
        "shared_seconds": shared,
        "faster_than_bare": each / meter.seconds,
        "faster_than_shared": shared / meter.seconds,
        "part_of_bare": meter.seconds / each,
        "bare_sampled_payments": 2 * sample,
        "lnbits_payments": payments,
        "peak_mb": meter.peak_mb,
        "planning_seconds": planning,
        "plain_insert_seconds": plain,
        "planning_to_plain": planning / plain,
        "longest_step_ms": meter.stall_cpu * 1000,
        "longest_own_step_ms": meter.ours_cpu * 1000,
        "own_step": meter.where,
        "longest_garbage_collection_ms": meter.collection_cpu * 1000,
    }


@dataclass
class TimedPoll:
    """What a poll took, and how much of it was planning (seconds)."""

    meter: Meter
    planning: float


async def timed_poll(world: BenchWorld, shares: int) -> TimedPoll:
    """Run a poll that has to pay so many shares."""
    from satmachineclient import transaction_processor

    processor: Any = transaction_processor
    plan = processor.plan_sales
    seconds = 0.0

    async def timed(*args: Any) -> Any:
        nonlocal seconds
        began = time.perf_counter()
        try:
            return await plan(*args)
        finally:
            seconds += time.perf_counter() - began

    processor.plan_sales = timed
    try:
        with Meter() as meter:
            result = await transaction_processor.poll("manual")
    finally:
        processor.plan_sales = plan
    if result.status != "succeeded" or result.confirmed_payments != shares:
        raise RuntimeError(f"the poll did not pay everything: {result}")
    return TimedPoll(meter, seconds)


async def plain_insert(world: BenchWorld, chosen: str = "1 = 1") -> float:
    """Seconds to put the very rows that the poll has planned there with one executemany each.

    `chosen`: which rows of the sales and of the shares these are. They are gone afterwards.
    """
    from satmachineclient.connection import db
    from sqlalchemy import text

    tables = {}
    for table in ("lamassu_transactions", "dca_payments"):
        tables[table] = await world.rows(f"SELECT * FROM satmachineclient.{table} WHERE {chosen}")
        await world.run(f"DELETE FROM satmachineclient.{table} WHERE {chosen}")
    began = time.perf_counter()
    async with db.connect() as connection:
        for table, rows in tables.items():
            names = ", ".join(f'"{name}"' for name in rows[0])
            marks = ", ".join(f":{name}" for name in rows[0])
            sql = f"INSERT INTO satmachineclient.{table} ({names}) VALUES ({marks})"
            await connection.conn.execute(text(sql), rows)
        await connection.conn.commit()
    seconds = time.perf_counter() - began
    for table in tables:
        await world.run(f"DELETE FROM satmachineclient.{table} WHERE {chosen}")
    return seconds

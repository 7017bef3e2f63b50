"""Where the time of one internal payment goes inside LNbits: its statements, by core function.

The bare loop's own two calls, `create_invoice` and `pay_invoice`, and what LNbits does after them.
Each statement and each commit is timed where SQLAlchemy runs it, and put down to the functions of
LNbits' core that are on the stack.
"""

import asyncio
import secrets
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import greenlet
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.ext.asyncio import AsyncConnection

from .backlog import bare_loop
from .world import BenchWorld

_CORE = ("lnbits/core/crud/", "lnbits/core/services/", "lnbits/core/tasks")
Key = tuple[str, str]


async def run(world: BenchWorld, *, quick: bool) -> dict[str, Any]:
    """Milliseconds and numbers of statements per payment, by function; and all the rest."""
    number = 30 if quick else 150
    await world.clear()
    await world.add_clients(1)
    await bare_loop(world, 5)
    await _quiet()
    with _counted() as (spent, times):
        began, cpu = time.perf_counter(), time.process_time()
        seconds = await bare_loop(world, number) * number
        await _quiet()
        whole, cpu = time.perf_counter() - began, time.process_time() - cpu
    database = sum(spent.values())
    crowded = {wallets: await _among(world, wallets, quick) for wallets in (1, 100, 1_000)}
    return {
        "crowded_cpu_ms": crowded,
        "payments": number,
        "whole_ms": whole / number * 1000,
        "paid_ms": seconds / number * 1000,
        "cpu_ms": cpu / number * 1000,
        "database_ms": database / number * 1000,
        "by_function": [
            {
                "caller": caller,
                "function": function,
                "statements": times[caller, function] / number,
                "ms": value / number * 1000,
            }
            for (caller, function), value in sorted(spent.items(), key=lambda each: -each[1])
        ],
    }


async def _among(world: BenchWorld, wallets: int, quick: bool) -> float:
    """Processor milliseconds of a payment to a user who has so many wallets."""
    number = 10 if quick else 50
    await world.clear()
    await world.add_clients(1)
    user = world.clients[0].wallet_id
    if wallets > 1:
        await world.add_wallets([secrets.token_hex(16) for _ in range(wallets - 1)], user)
    await bare_loop(world, 2)
    await _quiet()
    cpu = time.process_time()
    await bare_loop(world, number)
    await _quiet()
    return (time.process_time() - cpu) / number * 1000


async def _quiet() -> None:
    """What LNbits does after a payment, its notifications, has time to end."""
    await asyncio.sleep(2)


@contextmanager
def _counted() -> Iterator[tuple[dict[Key, float], dict[Key, int]]]:
    spent: dict[Key, float] = defaultdict(float)
    times: dict[Key, int] = defaultdict(int)
    begun: dict[int, float] = {}

    def note(key: Key, seconds: float) -> None:
        spent[key] += seconds
        times[key] += 1

    def before(connection: Any, *_: Any) -> None:
        begun[id(connection)] = time.perf_counter()

    def after(connection: Any, *_: Any) -> None:
        note(_where(), time.perf_counter() - begun.pop(id(connection)))

    def timed(name: str, work: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def run(*args: Any, **values: Any) -> Any:
            caller, function = _where()
            began = time.perf_counter()
            try:
                return await work(*args, **values)
            finally:
                note((caller, f"{function}: {name}"), time.perf_counter() - began)

        return run

    kept = {name: getattr(AsyncConnection, name) for name in ("start", "commit", "close")}
    event.listen(Engine, "before_cursor_execute", before)
    event.listen(Engine, "after_cursor_execute", after)
    for name, work in kept.items():
        setattr(AsyncConnection, name, timed(name, work))
    try:
        yield spent, times
    finally:
        for name, work in kept.items():
            setattr(AsyncConnection, name, work)
        event.remove(Engine, "before_cursor_execute", before)
        event.remove(Engine, "after_cursor_execute", after)


def _where() -> Key:
    """The outermost and the innermost function of LNbits' core that is running."""
    names = [name for frame in _frames() if (name := _of_core(frame))]
    if not names:
        return ("", "other")
    return (names[-1], names[0])


def _frames() -> Iterator[FrameType]:
    """The stack, also of the coroutine behind SQLAlchemy's greenlet."""
    frame: FrameType | None = sys._getframe(1)
    current = greenlet.getcurrent()
    while True:
        while frame is not None:
            yield frame
            frame = frame.f_back
        if current.parent is None:
            return
        current = current.parent
        frame = current.gr_frame


def _of_core(frame: FrameType) -> str | None:
    path = frame.f_code.co_filename
    return frame.f_code.co_name if any(part in path for part in _CORE) else None

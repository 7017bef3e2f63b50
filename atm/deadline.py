"""Deadlines that hold whatever the work does when it is told to stop."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from . import limits
from .way import LamassuError

T = TypeVar("T")


async def read_in_time(work: Coroutine[Any, Any, T]) -> T:
    """All of a reading of the ATM, with one deadline for it as a whole.

    Raises:
        LamassuError: it was not done by then, whatever stood still.
    """
    task = asyncio.ensure_future(work)
    if await ended(task, limits.READ_SECONDS):
        return task.result()
    raise LamassuError(
        "rows",
        f"Reading the ATM was not done after {limits.READ_SECONDS:g} s and was given up: its "
        "database or the SSH server stands still, or the line is too slow. Check them; lower "
        "look_back_days if there is much to read.",
    )


async def ended(task: "asyncio.Future[Any]", seconds: float) -> bool:
    """Wait for it so long, then cancel it; False if it had to be.

    Unlike with `asyncio.wait_for`, a task that does not end when it is cancelled is left to itself.
    """
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        in_time = task.done()
        if not in_time:
            task.cancel()
            task.add_done_callback(seen)
            await asyncio.wait({task}, timeout=limits.CLEAN_UP_SECONDS)
    return in_time


def seen(task: "asyncio.Future[Any]") -> None:
    """So that nobody complains of an exception that was never looked at."""
    if not task.cancelled():
        task.exception()

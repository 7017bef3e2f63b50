"""One run on one database, in a process of its own: LNbits reads its settings only once."""

import argparse
import asyncio
import json
import os
import sys
import time
import traceback
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from loguru import logger

from .world import BenchWorld, open_world

_LONG = {"schedule", "payday"}  # only if they are named


class Case(Protocol):
    """What is measured in a world; the figures as JSON."""

    async def __call__(self, world: BenchWorld, *, quick: bool) -> Any: ...


async def _run(
    database: str, quick: bool, only: set[str], part: float | None, output: Path
) -> None:
    from . import (
        archive,
        backlog,
        forwards,
        growth,
        large,
        meanwhile,
        owners,
        pages,
        payday,
        payment,
        reading,
        schedule,
        servers,
    )

    cases: dict[str, Case] = {
        "meanwhile": meanwhile.run,
        "forwards": forwards.run,
        "reading": reading.run,
        "pages": pages.run,
        "growth": growth.run,
        "payment": payment.run,
        "owners": owners.run,
        "schedule": schedule.run,
        "payday": payday.run,
        "archive": archive.run,
        "backlog": backlog.run,
    }
    if part is not None:
        cases, only = {"large": partial(large.run, part=part)}, {"large"}
    results: dict[str, Any] = {}
    if database == "postgres" and (not only or "servers" in only):
        results["servers"] = await servers.run(quick=quick)
    output.write_text(json.dumps(results, indent=1))
    wanted = {n: case for n, case in cases.items() if n in only or not (only or n in _LONG)}
    if not wanted:
        return
    async with open_world(database) as world:
        for name, case in wanted.items():
            began = time.monotonic()
            results[name] = await case(world, quick=quick)
            output.write_text(json.dumps(results, indent=1))
            logger.warning(f"{name} took {time.monotonic() - began:.0f} s")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("database")
    parser.add_argument("output", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--large", type=float)
    arguments = parser.parse_args()
    output = arguments.output.resolve()
    logger.remove()
    logger.add(sys.stderr, level="WARNING")
    try:
        asyncio.run(
            _run(
                arguments.database,
                arguments.quick,
                set(arguments.only),
                arguments.large,
                output,
            )
        )
    except BaseException:
        traceback.print_exc()
        os._exit(1)  # a half-open connection's thread would keep the process alive
    os._exit(0)


if __name__ == "__main__":
    main()

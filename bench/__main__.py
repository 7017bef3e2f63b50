"""Run the cases on both databases, print the figures as tables and write them as JSON."""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from . import report

_LIMIT_SECONDS = 4 * 3600
ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds and no large backlog")
    parser.add_argument("--database", choices=("sqlite", "postgres"), action="append")
    parser.add_argument(
        "--only",
        nargs="*",
        default=[],
        help="servers, meanwhile, forwards, reading, pages, growth, payment, owners, archive, "
        "backlog; payday and schedule (an hour) only if they are named",
    )
    parser.add_argument(
        "--large",
        nargs="?",
        const=1.0,
        type=float,
        help="only this: 5,000 clients and a year of sales, or this part of it",
    )
    parser.add_argument("--output", type=Path, default=ROOT / ".build" / "bench.json")
    arguments = parser.parse_args()
    results: dict[str, Any] = {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "load_at_start": os.getloadavg()[0],
        "quick": arguments.quick,
    }
    failed = False
    for database in arguments.database or ["sqlite", "postgres"]:
        print(f"LNbits on {database} …", flush=True)
        results[database], ended_well = _run(database, arguments)
        failed = failed or not ended_well
        print(report.tables(database, results[database]), flush=True)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(results, indent=1))
    print(f"All figures: {arguments.output}")
    return int(failed)


def _run(database: str, arguments: argparse.Namespace) -> tuple[dict[str, Any], bool]:
    """What the cases measured, also if one of them failed (which is printed)."""
    with tempfile.TemporaryDirectory(prefix="satmachine-bench-") as folder:
        output, log = Path(folder, "results.json"), Path(folder, "log")
        command = [sys.executable, "-m", "bench.worker", database, str(output)]
        command += ["--quick"] * arguments.quick
        command += ["--only", *arguments.only] if arguments.only else []
        command += ["--large", str(arguments.large)] if arguments.large else []
        ended_well = False
        try:
            with log.open("w") as file:
                done = subprocess.run(  # noqa: S603 - our own program, no shell
                    command, cwd=ROOT, stdout=file, stderr=file, timeout=_LIMIT_SECONDS, check=False
                )
            ended_well = done.returncode == 0
        except subprocess.TimeoutExpired:
            print(f"It was cut off after {_LIMIT_SECONDS} s.")
        if not ended_well:
            print("\n".join(log.read_text(errors="replace").splitlines()[-40:]))
        found: dict[str, Any] = json.loads(output.read_text()) if output.exists() else {}
        return found, ended_well


if __name__ == "__main__":
    sys.exit(main())

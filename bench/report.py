"""The figures as tables for a person to read; targets stand beside what they are held against."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

# Issue 7: how many times faster than one bare payment per share; what part of the bare loop.
_FASTER = {(50, 20): 15, (200, 5): 40}
_PART = {(1, 1000): 0.65}


def tables(database: str, results: dict[str, Any]) -> str:
    parts = [f"\n== LNbits on {database} =="]
    for name, show in _shown().items():
        if name in results:
            parts += [f"\n{name}", *_aligned(show(results[name]))]
    return "\n".join(parts)


def _aligned(rows: Iterable[Sequence[object]]) -> list[str]:
    cells = [[_text(cell) for cell in row] for row in rows]
    widths = [max(len(row[n]) for row in cells) for n in range(len(cells[0]))]
    return [
        "  " + "  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True))
        for row in cells
    ]


def _text(cell: object) -> str:
    return f"{cell:.3g}" if isinstance(cell, float) and cell < 1000 else str(cell)


def _backlog(cases: list[dict[str, Any]]) -> Iterable[Sequence[object]]:
    yield (
        *("sales x clients", "poll s", "bare s*", "one connection s*", "times faster", "target"),
        *("payments", "peak MB", "plan/plain", "longest own step ms", "longest gc ms"),
    )
    for case in cases:
        key = (case["sales"], case["clients"])
        target = f">= {_FASTER[key]}" if key in _FASTER else "-"
        if key in _PART:
            target = f">= {1 / _PART[key]:.2f}"
        yield (
            f"{key[0]} x {key[1]}",
            *(case[n] for n in ("poll_seconds", "bare_seconds", "shared_seconds")),
            *(case["faster_than_bare"], target, case["lnbits_payments"], case["peak_mb"]),
            *(case["planning_to_plain"], case["longest_own_step_ms"]),
            case["longest_garbage_collection_ms"],
        )
    sampled = min(case["bare_sampled_payments"] for case in cases)
    yield (f"* from {sampled} payments each time, or more", *[""] * 10)


def _reading(case: dict[str, Any]) -> Iterable[Sequence[object]]:
    yield ("reading", "seconds")
    for name, value in case.items():
        if name.endswith("_seconds"):
            yield name.removesuffix("_seconds"), value
    yield "ssh / direct", case["ssh_to_direct"]


def _pages(case: dict[str, Any]) -> Iterable[Sequence[object]]:
    growth = case["by_history"]
    yield ("over history, ms", *(f"{part['distributions']} shares" for part in growth), "exponent")
    for name, power in case["exponents"].items():
        values = [part["seconds"][name] for part in growth]
        yield name, *(value and value * 1000 for value in values), power
    yield "first load of the page to a wallet's", *(p["page_to_wallets"] for p in growth), ""
    yield "peak MB of a poll and a full reconciliation", *(p["peak_mb"] for p in growth), ""


def _payment(case: dict[str, Any]) -> Iterable[Sequence[object]]:
    yield ("one internal payment, in", "function of LNbits' core", "times", "ms")
    for row in case["by_function"]:
        yield row["caller"], row["function"], row["statements"], row["ms"]
    yield "", "database in all", "", case["database_ms"]
    yield "", "processor time", "", case["cpu_ms"]
    yield "", "until pay_invoice has returned", "", case["paid_ms"]
    for wallets, milliseconds in case["crowded_cpu_ms"].items():
        yield "", f"processor time, the payee's user has {wallets} wallets", "", milliseconds


def _growth(cases: list[dict[str, Any]]) -> Iterable[Sequence[object]]:
    yield ("growing", "sales x clients", "poll s", "planning s", "settling s", "peak MB")
    for case in cases:
        for point in case["points"]:
            size = f"{point['sales']} x {point['clients']}"
            seconds = [point[f"{part}_seconds"] for part in ("poll", "planning", "settling")]
            yield case["of"], size, *seconds, point["peak_mb"]
        powers = [case[f"{part}_seconds_exponent"] for part in ("poll", "planning", "settling")]
        yield case["of"], "exponent", *powers, ""


def _servers(case: dict[str, Any]) -> Iterable[Sequence[object]]:
    yield ("two servers, one killed", "")
    for name in ("take_over_seconds", "longest_take_over_seconds", "all_paid_seconds"):
        yield name.replace("_", " "), case[name]
    yield "page and API served by both", case["served_by_both"]


def _meanwhile(case: dict[str, Any]) -> Iterable[Sequence[object]]:
    yield ("GET /api/v1/wallet", "median ms", "p99 ms", "longest own step ms")
    for name in ("idle", "bare_loop", "poll"):
        yield name, *(case[name][k] for k in ("median_ms", "p99_ms", "longest_own_step_ms"))
    ratios = [case[f"poll_to_bare_{k}"] for k in ("median_ms", "p99_ms")]
    yield "poll / bare_loop", *ratios, "target <= 1"


def _forwards(case: dict[str, Any]) -> Iterable[Sequence[object]]:
    yield ("GET /api/v1/wallet", "median ms", "p99 ms", "longest own step ms", "seconds")
    keys = ("median_ms", "p99_ms", "longest_own_step_ms", "seconds")
    for name in ("idle", "bare_lnurl", "forwards"):
        yield name, *(case[name][key] for key in keys)
    ratios = [case[f"forwards_to_bare_{key}"] for key in keys[:2]]
    yield "forwards / bare_lnurl", *ratios, "target <= 1", ""


def _owners(case: dict[str, Any]) -> Iterable[Sequence[object]]:
    number = case["machines"]
    yield f"{case['sales']} x {case['clients']}", "planning s", "times", "target"
    yield "without machines and partners", case["plain_seconds"], "", ""
    with_them = f"with {number} machines and {number} partners"
    yield with_them, case["owned_seconds"], case["owned_to_plain"], "<= 1.3"


def _schedule(case: dict[str, Any]) -> Iterable[Sequence[object]]:
    yield f"a day of polls, {case['clients']} clients", "seconds", "times", "target"
    each = f"paid at each, {case['polls']} of them"
    yield each, case["each_poll_seconds"], case["each_poll_to_daily"], ">= 20"
    yield "paid once a day", case["daily_seconds"], "", ""


def _payday(case: dict[str, Any]) -> Iterable[Sequence[object]]:
    yield f"one payout to {case['clients']} clients", ""
    for name in case:
        if name != "clients":
            yield name.replace("_", " "), case[name]


def _archive(case: dict[str, Any]) -> Iterable[Sequence[object]]:
    live, archived = case["live"], case["archived"]
    yield f"{case['shares']} shares, {case['clients']} clients", "live", "archived", "archived/live"
    for name in ("bytes_per_share", "ledger_bytes"):
        yield name.replace("_", " "), live[name], archived[name], archived[name] / live[name]
    for name, seconds in live["seconds"].items():
        later = archived["seconds"][name]
        yield f"{name}, ms", seconds * 1000, later * 1000, later / seconds
    yield "archiving, shares a second", "", case["shares_a_second"], ""
    yield "longest transaction of it, ms", "", case["longest_piece_seconds"] * 1000, ""


def _large(case: dict[str, Any]) -> Iterable[Sequence[object]]:
    parts = case["by_history"]
    yield (
        *("a year of sales, ms", *(f"{part['shares']} shares" for part in parts)),
        *("exponent", "/ LNbits", "wanted", "cpu ms", "peak MB", "own step ms"),
    )
    last = parts[-1]
    for name, power in case["exponents"].items():
        yield (
            *(name, *(part["seconds"][name] * 1000 for part in parts), power),
            *(case["to_lnbits"][name], case["within"].get(name, "")),
            *(last["cpu_seconds"][name] * 1000, last["peak_mb"][name], last["own_step_ms"][name]),
        )
    for name in (
        *("check_in_slices_seconds", "request_waits_ms", "decision_waits_ms"),
        *("planning_to_plain", "bytes_per_share", "fill_seconds"),
    ):
        yield name.replace("_", " "), *(part[name] for part in parts), *[""] * 6


def _shown() -> dict[str, Callable[[Any], Iterable[Sequence[object]]]]:
    return {
        "backlog": _backlog,
        "meanwhile": _meanwhile,
        "forwards": _forwards,
        "reading": _reading,
        "pages": _pages,
        "growth": _growth,
        "payment": _payment,
        "owners": _owners,
        "schedule": _schedule,
        "payday": _payday,
        "servers": _servers,
        "archive": _archive,
        "large": _large,
    }

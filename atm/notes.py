"""What became of a sale's notes, from the log of the machine's actions, oldest first.

An action is `provisionNotes` (the notes are planned), `provisionNotesError`, `dispense` (the
machine has counted what came out, be it nothing) or `dispenseError`. A later one says more than an
earlier one: what failed at first may have gone well since.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

_REPORTS = ("dispense", "dispenseError")

Actions = Sequence[dict[str, Any]]


def first_dispense(actions: Actions) -> datetime | None:
    """When the cash began to go out; None where the log does not tell."""
    times = [a["created"] for a in actions if a["action"] == "dispense" and "created" in a]
    return min(times, default=None)


def counted(actions: Actions) -> Decimal | None:
    """The worth of the notes of all reports together, in fiat; None where a count is missing.

    A machine that dispensed twice has reported twice, and all of these notes came out.
    """
    reports = [_counted(a) for a in actions if a["action"] in _REPORTS]
    known = [worth for worth in reports if worth is not None]
    return sum(known, Decimal(0)) if reports and len(known) == len(reports) else None


def _counted(action: dict[str, Any]) -> Decimal | None:
    counts = {name: n for name, n in action.items() if name.startswith("dispensed_")}
    if not counts or not any(name.startswith("denomination_") for name in action):
        return None
    worth = Decimal(0)
    for name, count in counts.items():
        face = action.get(name.replace("dispensed_", "denomination_"))
        if count and face is None:
            return None
        worth += count * (face or 0)
    return worth


def reported(actions: Actions) -> bool:
    """Whether the last word is a report; before it the machine may be counting, or try again."""
    return bool(actions) and actions[-1]["action"] in _REPORTS


def shortfall(actions: Actions, fiat: Decimal | None) -> str:
    """What the last action says of a sale whose cash is not known to be all out."""
    last = actions[-1] if actions else {"action": "provisionNotes"}
    worth = counted(actions)
    if last["action"] == "provisionNotes":
        text = "the machine never reported whether the cash came out"
    elif last["action"] == "provisionNotesError":
        text = "the machine could not plan the notes, no cash came out"
    elif worth == 0:
        text = "no cash came out"
    elif worth is not None and fiat is not None and worth >= fiat:
        text = "the machine did not confirm that the cash came out"
    else:
        text = "not all of the cash came out"
    if worth and fiat is not None:
        text += f" (by the notes' count {worth:f} of {fiat:f})"
    error = last.get("error")
    return f"{text}: {error}" if error else f"{text}."

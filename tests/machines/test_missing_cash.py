"""What the alerts say of the cash is what the cash book says."""

import asyncio
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

CODES = st.sampled_from(["GTQ", "USD", "JPY"])
DEVICES = st.sampled_from(["a", "b", "c", "test"])
AMOUNTS = st.integers(0, 300)
NOW = datetime.now(timezone.utc)
machines = st.lists(
    st.fixed_dictionaries(
        {
            "device_id": DEVICES,
            "currency": st.none() | CODES,
            "denominations": st.dictionaries(st.sampled_from("12"), st.integers(1, 3)),
            "units": st.dictionaries(st.sampled_from("12"), AMOUNTS),
            "as_of": st.just(NOW),
        }
    ),
    unique_by=lambda machine: str(machine["device_id"]),
)
counts = st.dictionaries(st.tuples(DEVICES, CODES), AMOUNTS)
owed = st.dictionaries(CODES, st.integers(-100, 50_000))


@given(machines=machines, counts=counts, owed=owed)
def test_missing_is_what_the_cash_book_has_below_zero(
    machines: list[dict[str, Any]], counts: dict[tuple[str, str], int], owed: dict[str, int]
) -> None:
    from satmachineclient.machines import crud, figures
    from satmachineclient.machines.models import Count, Machine

    async def last_counts() -> list[Count]:
        return [
            Count(
                id=device + code,
                device_id=device,
                currency=code,
                amount=amount,
                counted_by="somebody",
                counted_at=NOW,
            )
            for (device, code), amount in counts.items()
        ]

    async def owed_rows() -> list[dict[str, Any]]:
        return [{"currency": code, "amount": amount} for code, amount in owed.items()]

    async def nothing(*_: Any) -> list[Any]:
        return []

    there = [Machine(**machine) for machine in machines]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crud, "last_counts", last_counts)
        patch.setattr(crud, "owed", owed_rows)
        patch.setattr(crud, "owed_by_machine", nothing)
        patch.setattr(crud, "paces", nothing)
        missing = asyncio.run(figures.missing_cash(there))
        pages = asyncio.run(figures.cash_book(there))
    assert sorted(missing) == sorted(
        (page.currency, page.in_machines or page.counted, page.owed)
        for page in pages
        if page.difference is not None and Decimal(page.difference) < 0
    )

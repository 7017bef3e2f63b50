"""All of the books is checked piece by piece: nothing is missed, and nobody waits for the whole."""

import asyncio
from typing import Any

import pytest

from demo.lnbits_api import Account
from tests.programme import Programme
from tests.rig import API

pytestmark = pytest.mark.storage

# One row of each kind that differs, at both ends of time and somewhere in between.
_DAMAGE = {
    "lamassu_transactions": ("clients_count = clients_count + 1", "transaction_time"),
    "dca_payments": ("amount_sats = amount_sats + 1", "transaction_time"),
    "dca_archived_shares": ("amount_sats = amount_sats + 1", "id"),
    "dca_commission_shares": ("amount_sats = amount_sats + 1", "id"),
    "dca_payouts": ("amount_sats = amount_sats + 1", "created_at"),
    "dca_balances": ("paid_sats = paid_sats + 1", "client_id"),
    "dca_machine_balances": ("allocated_fiat = allocated_fiat + 1", "client_id"),
}


@pytest.fixture
async def damaged(admin: Account, programme: Programme, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the shares are archived, and rows everywhere are not what they were."""
    from satmachineclient.books import archive
    from satmachineclient.database import ledger

    monkeypatch.setattr(archive, "MONTHS_KEPT", 1)
    latest = (await admin.call("GET", f"{API}/archive"))["latest"]
    assert (await admin.call("POST", f"{API}/archive", {"until": latest}))["shares"]
    async with ledger() as work:
        for table, (change, order) in _DAMAGE.items():
            name = f"satmachineclient.{table}"
            key = "client_id" if "balances" in table else "id"
            for place in (f"{order} LIMIT 1", f"{order} DESC LIMIT 1", f"{order} LIMIT 1 OFFSET 2"):
                await work.execute(
                    f"UPDATE {name} SET {change} "  # noqa: S608
                    f"WHERE {key} IN (SELECT {key} FROM {name} ORDER BY {place})"
                )
        await work.execute(
            "UPDATE satmachineclient.dca_payouts SET status = 'failed' WHERE id IN ("
            "SELECT id FROM satmachineclient.dca_payouts WHERE kind = 'client' LIMIT 1)"
        )


async def _books(**limits: int) -> tuple[list[str], dict[str, int], int]:
    """The differences, in an order; what was checked; in how many steps."""
    from satmachineclient.books import crud_checks, reconciliation

    steps = 0

    def stepped() -> None:
        nonlocal steps
        steps += 1

    with pytest.MonkeyPatch.context() as patch:
        for name, value in limits.items():
            patch.setattr(crud_checks, name, value)
        books = await reconciliation.reconcile(stepped=stepped)
    found = sorted(f"{each.kind} {each.id} {each.detail}" for each in books.differences)
    return found, books.checked, steps


async def test_in_pieces_the_books_differ_where_they_do_as_a_whole(damaged: None) -> None:
    whole, checked, steps = await _books()
    kinds = {line.split()[0] for line in whole}
    assert kinds >= {"transaction", "balance", "transfer", "payment", "commission", "archive"}
    for sales, shares in ((1, 10**6), (3, 10**6), (1000, 0), (1000, 5)):
        found, again, more_steps = await _books(_SALES=sales, _SHARES=shares)
        assert (found, again) == (whole, checked)
        assert more_steps > steps + 3


async def test_others_get_to_the_database_between_two_pieces(programme: Programme) -> None:
    from satmachineclient import crud

    done = asyncio.Event()
    asked = 0

    async def another() -> None:
        nonlocal asked
        while not done.is_set():
            await crud.get_config()
            asked += 1

    other = asyncio.create_task(another())
    checked: Any = await _books(_SALES=1)
    done.set()
    await other
    assert not checked[0] and asked > 20

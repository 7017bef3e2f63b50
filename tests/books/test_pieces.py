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
    for payouts in (0, 1, 2):
        found, again, more_steps = await _books(_PAYOUTS=payouts)
        assert (found, again) == (whole, checked)
        assert more_steps > steps


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


# ---- all of it, a slice at a time --------------------------------------------------------------


async def _slice(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the next slice finds, of one piece, in a process that has just started."""
    from satmachineclient.books import crud_checks, full_check
    from satmachineclient.helpers import new_id
    from satmachineclient.lease import working

    monkeypatch.setattr(full_check, "_SLICE_SECONDS", 0)
    full_check.look_soon()
    monkeypatch.setattr(crud_checks, "_SALES", 3)
    lease = new_id()
    async with working(lease):
        found = await full_check.go_on(lease, _nothing_to_mend)
    return [f"{each.kind} {each.id} {each.detail}" for each in found.differences]


async def _nothing_to_mend(_: Any) -> bool:
    return False


async def _check_all(monkeypatch: pytest.MonkeyPatch) -> int:
    """Slices until the check is over; how many."""
    from satmachineclient.books import full_check

    for slices in range(200):
        if (await full_check.read()).finished_at:
            return slices
        await _slice(monkeypatch)
    raise AssertionError("the check does not come to its end")


async def _books_differ(admin: Account) -> bool:
    alerts = await admin.call("GET", f"{API}/alerts")
    return any(a["kind"] == "books_differ" and not a["ended_at"] for a in alerts)


async def test_a_check_that_is_cut_off_again_and_again_finds_all_of_it_once(
    damaged: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from satmachineclient.books import full_check

    whole, _, _ = await _books()
    found: list[str] = []
    slices = 0
    while not (await full_check.read()).finished_at:
        found += await _slice(monkeypatch)
        slices += 1
        assert slices < 200
        check = await full_check.read()
        assert check.differences == len(found)
    assert sorted(found) == whole
    assert slices > 5
    assert await full_check.known_differences() == len(whole)
    assert [f"{d.kind} {d.id} {d.detail}" for d in (await full_check.read()).found] == found


async def test_what_was_checked_long_before_a_start_is_checked_anew(
    programme: Programme, monkeypatch: pytest.MonkeyPatch
) -> None:
    from satmachineclient.books import full_check, reconciliation
    from satmachineclient.database import ledger

    for _ in range(3):
        await _slice(monkeypatch)
    far: Any = await full_check.read()
    assert far.checked_until > reconciliation.EVERYTHING and not far.finished_at
    assert await full_check.known_differences() is None  # nobody is told that all is well again
    async with ledger() as work:
        long_ago = far.copy(update={"noted_at": far.noted_at - full_check._STILL_TRUE})
        await full_check._store(work, long_ago)
    await _slice(monkeypatch)
    anew: Any = await full_check.read()
    assert anew.begun_at > far.begun_at and anew.checked_until < far.checked_until


async def test_it_is_due_at_a_start_then_weekly_and_sooner_where_something_differs(
    programme: Programme, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta

    from satmachineclient.books import full_check
    from satmachineclient.database import ledger

    await _check_all(monkeypatch)
    assert not await full_check.is_due()
    done: Any = await full_check.read()

    async def is_due(ago: timedelta, differences: int = 0) -> bool:
        changes = {"finished_at": done.finished_at - ago, "differences": differences}
        async with ledger() as work:
            await full_check._store(work, done.copy(update=changes))
        return await full_check.is_due()

    assert not await is_due(timedelta(days=6.9))
    assert await is_due(timedelta(days=7))
    assert await is_due(timedelta(hours=1), differences=1)
    assert not await is_due(timedelta(seconds=-2))  # by another server's clock
    assert await is_due(timedelta(days=-8))  # a clock that was set back
    assert not await is_due(timedelta())
    full_check.look_soon()
    assert await full_check.is_due()


async def test_two_servers_with_different_clocks_go_on_with_each_others_check(
    programme: Programme, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta

    from satmachineclient.books import full_check
    from satmachineclient.helpers import now

    slices = 0
    while not (await full_check.read()).finished_at:
        ahead = timedelta(seconds=2 * (slices % 2))
        monkeypatch.setattr(full_check, "now", lambda by=ahead: now() + by)
        await _slice(monkeypatch)
        slices += 1
        assert slices < 200
    assert slices > 5
    assert not await full_check.is_due()


async def test_a_difference_is_told_of_for_as_long_as_it_lasts(
    programme: Programme, admin: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when what differs is not recent any more, and the last check was before it."""
    from datetime import timedelta

    from satmachineclient import transaction_processor
    from satmachineclient.books import full_check
    from satmachineclient.database import ledger

    await _check_all(monkeypatch)
    assert not await full_check.is_due()
    async with ledger() as work:
        await work.execute(
            "UPDATE satmachineclient.lamassu_transactions SET clients_count = clients_count + 1"
        )
    await admin.call("POST", f"{API}/manual-poll")
    assert await _books_differ(admin) and await full_check.is_due()
    monkeypatch.setattr(full_check, "_SLICE_SECONDS", 60)
    await transaction_processor._check_further()
    monkeypatch.setattr(transaction_processor, "_RECENT", timedelta())
    await admin.call("POST", f"{API}/manual-poll")
    assert await _books_differ(admin)


async def test_a_check_that_fails_is_said_at_each_poll_until_it_works(
    programme: Programme, admin: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    from satmachineclient import transaction_processor
    from satmachineclient.books import crud_checks, full_check

    async def problem() -> str:
        await admin.call("POST", f"{API}/manual-poll")
        text: str = (await admin.call("GET", f"{API}/polls"))[0]["problem"] or ""
        return text

    async def broken(after: str = "") -> list[str]:
        raise ValueError("no such id")

    full_check.look_soon()
    with monkeypatch.context() as patch:
        patch.setattr(crud_checks, "owner_ids", broken)
        pause = await transaction_processor._check_further()
        assert pause == transaction_processor._AFTER_FAILURE_SECONDS
        assert "check of all books fails" in await problem()
    await transaction_processor._check_further()
    assert (await full_check.read()).finished_at
    assert "check of all books" not in await problem()


async def test_a_manual_poll_waits_for_a_slice_of_the_check(
    programme: Programme, admin: Account
) -> None:
    from satmachineclient.helpers import new_id
    from satmachineclient.lease import working

    async def a_slice() -> None:
        async with working(new_id()):
            await asyncio.sleep(1)

    checking = asyncio.create_task(a_slice())
    await asyncio.sleep(0.2)
    assert (await admin.call("POST", f"{API}/manual-poll"))["success"]
    await checking


async def test_the_background_task_checks_all_and_tells_of_what_differs(
    programme: Programme, admin: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    from satmachineclient import transaction_processor
    from satmachineclient.books import full_check
    from satmachineclient.database import ledger

    async def change_totals(by: int) -> None:
        async with ledger() as work:
            await work.execute(
                "UPDATE satmachineclient.dca_balances SET paid_sats = paid_sats + :by", by=by
            )

    async def comes(expected: bool) -> None:
        for _ in range(200):
            if await _books_differ(admin) == expected:
                return
            await asyncio.sleep(0.1)
        raise AssertionError(await full_check.read())

    monkeypatch.setattr(transaction_processor, "FIRST_POLL_SECONDS", 0)
    monkeypatch.setattr(transaction_processor, "_LOOK_SECONDS", 0.1)
    monkeypatch.setattr(transaction_processor, "_PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(full_check, "_SLICE_SECONDS", 0)
    full_check.look_soon()
    await change_totals(1)
    running = asyncio.create_task(transaction_processor.run_polls())
    try:
        await comes(True)
        check = await full_check.read()
        assert check.finished_at and check.differences
        shown = await admin.call("GET", f"{API}/reconciliation?days=1")
        assert len(shown["differences"]) == check.differences
        await admin.call("POST", f"{API}/manual-poll")  # what is recent is in order
        assert await _books_differ(admin)
        await change_totals(-1)
        monkeypatch.setattr(full_check, "_SOONER", full_check._SOONER * 0)
        await comes(False)
    finally:
        running.cancel()

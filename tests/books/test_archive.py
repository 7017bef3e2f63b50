"""Archiving old shares changes nothing that anybody sees, whatever is archived, wherever it ends.

The programme of `tests/programme.py` is looked at from all sides before, meanwhile and after.
"""

import asyncio
import itertools
import re
from collections.abc import Awaitable
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from demo.lnbits_api import Account
from tests.programme import Programme
from tests.rig import API

pytestmark = pytest.mark.storage

T = TypeVar("T")
Seen = dict[str, Any]
_OF_NOW = re.compile(r'"(generated_at|as_of)":"[^"]*"')

_AS_OPERATOR = (
    *("clients", "transactions", "overview", "reconciliation", "adoption", "cash", "machines"),
    *("clients/{one}/balance", "clients/{one}/history", "clients/{one}/value?{period}"),
    *("clients/{one}/statement?{period}", "clients/{two}/statement?{period}"),
    *("clients/{one}/statement?{period}&format=csv", "transactions/{sale}/distributions"),
    *("clients/{two}/statement?{period}&format=koinly", "clients/totals", "transactions/totals"),
    "transactions/{sale}/distributions/paginated?limit=3",
    *(
        f"payments/{what}"
        for what in (
            *("totals", "totals?client_id={one}", "totals?status=confirmed&search=x"),
            *(
                "paginated?limit=500",
                "paginated?limit=7&offset=5",
                "paginated?limit=9&status=failed",
            ),
            *("paginated?limit=4&direction=asc", "paginated?limit=6&sortby=amount_sats&offset=2"),
            *("paginated?client_id={one}&currency=GTQ", "paginated?limit=3&search={two}"),
            *("paginated?status=confirmed&limit=3", "paginated?status[in]=confirmed,voided"),
        )
    ),
    *(f"report?{{period}}&by={by}" for by in ("day", "month", "machine", "currency")),
    *(
        f"export/{table}?format={form}"
        for table in ("distributions", "transaction_distributions", "clients", "transactions")
        for form in ("csv", "json")
    ),
    *(f"export/journal?{{period}}&format={form}&clients=each" for form in ("beancount", "hledger")),
)
_AS_CLIENT = (
    *("me", "me/history", "me/payments?limit=4", "me/payments?format=csv", "me/payments/totals"),
    *("me/payments?format=koinly", "me/statement?{period}", "me/statements", "me/forward"),
)


async def look(admin: Account, programme: Programme, sale: str) -> Seen:
    """All that anybody sees of shares, but for the time of the answer itself."""
    values = {
        "one": programme.one.id,
        "two": programme.two.id,
        "sale": sale,
        "period": programme.period,
    }
    seen: Seen = {}
    for path in _AS_OPERATOR:
        answer = await admin.get(f"{API}/{path.format(**values)}")
        assert answer.status_code == 200, (path, answer.text)
        seen[path] = answer.text
    for path in _AS_CLIENT:
        key = {"X-Api-Key": programme.one.wallet.adminkey}
        answer = await admin.get(f"{API}/{path.format(**values)}", headers=key)
        assert answer.status_code == 200, (path, answer.text)
        seen[f"client: {path}"] = answer.text
    return seen


def changes(before: Seen, after: Seen) -> Seen:
    """Each answer that is another one, from a little before the first difference on."""
    found: Seen = {}
    for path, text in before.items():
        if _OF_NOW.sub("", text) != _OF_NOW.sub("", after[path]):
            pairs = enumerate(zip(text, after[path], strict=False))
            same = next((n for n, (one, other) in pairs if one != other), 0)
            found[path] = (text[max(0, same - 80) : same + 80], after[path][same : same + 80])
    return found


async def counted(what: str) -> int:
    from satmachineclient.database import fetch_rows

    [row] = await fetch_rows(f"SELECT COUNT(*) AS number FROM satmachineclient.{what}")  # noqa: S608
    return int(row["number"])


@pytest.fixture
async def sale(admin: Account, programme: Programme) -> str:
    """The oldest one, which has shares."""
    page = await admin.call(
        "GET", f"{API}/transactions/paginated?sortby=transaction_time&direction=asc"
    )
    return str(page["data"][0]["id"])


@pytest.fixture
async def latest(admin: Account, programme: Programme, monkeypatch: pytest.MonkeyPatch) -> str:
    """Months that are over may be archived: the programme is not older."""
    from satmachineclient.books import archive

    monkeypatch.setattr(archive, "MONTHS_KEPT", 1)
    return str((await admin.call("GET", f"{API}/archive"))["latest"])


async def test_archiving_changes_nothing_that_is_seen(
    admin: Account, programme: Programme, sale: str, latest: str
) -> None:
    before = await look(admin, programme, sale)
    shares = await counted("dca_payments")
    offered = await admin.call("GET", f"{API}/archive")
    assert offered["archived_shares"] == 0 and offered["open_shares"] > 10

    done = await admin.call("POST", f"{API}/archive", {"until": latest})

    assert done["done"] and done["shares"] >= offered["open_shares"], done
    assert await counted("dca_archived_shares") == done["shares"]
    assert await counted("dca_payments") == shares - done["shares"]
    assert changes(before, await look(admin, programme, sale)) == {}
    archived = await admin.call("GET", f"{API}/archive")
    assert archived["open_shares"] == 0
    assert archived["archived_shares"] == offered["open_shares"]
    entry = (await admin.call("GET", f"{API}/audit"))[0]
    assert (entry["action"], entry["subject"]) == ("shares archived", latest)
    # Asked again it has nothing to do, and says nothing to the audit log.
    again = await admin.call("POST", f"{API}/archive", {"until": latest})
    assert (again["done"], again["shares"]) == (True, 0)
    assert (await admin.call("GET", f"{API}/audit"))[0]["id"] == entry["id"]


@pytest.mark.slow
async def test_whatever_is_archived_and_brought_back_nothing_changes(
    admin: Account, programme: Programme, sale: str
) -> None:
    """Any sales, in any order and in pieces of any size, some brought back again in between."""
    from satmachineclient import crud_shares
    from satmachineclient.database import fetch_rows, ledger

    loop = asyncio.get_running_loop()
    before = await look(admin, programme, sale)
    sales = [
        row["id"]
        for row in await fetch_rows(
            "SELECT DISTINCT transaction_id AS id FROM satmachineclient.dca_payments ORDER BY 1"
        )
    ]

    def run(work: Awaitable[T]) -> T:
        async def awaited() -> T:
            return await work

        return asyncio.run_coroutine_threadsafe(awaited(), loop).result()

    async def piece(ids: list[str]) -> None:
        async with ledger() as work:
            ready = await crud_shares.ready(work, ids)
            if ready:
                await crud_shares.archive(work, ready)

    async def back(number: int) -> None:
        transfers = await fetch_rows(
            "SELECT DISTINCT transfer_id AS id FROM satmachineclient.dca_archived_transfers "
            "WHERE transfer_id IS NOT NULL ORDER BY 1"
        )
        if transfers:
            async with ledger() as work:
                await crud_shares.restore(work, transfers[number % len(transfers)]["id"])

    steps = st.lists(
        st.lists(st.sampled_from(sales), min_size=1, max_size=9, unique=True) | st.integers(0, 9),
        min_size=1,
        max_size=4,
    )
    seen = itertools.count()

    @settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(steps)
    def check(steps: list[list[str] | int]) -> None:
        next(seen)
        for step in steps:
            run(piece(step) if isinstance(step, list) else back(step))
        assert changes(before, run(look(admin, programme, sale))) == {}

    await asyncio.to_thread(check)
    assert next(seen) > 1


@pytest.mark.slow
async def test_killed_in_the_middle_the_next_one_goes_on(
    admin: Account,
    programme: Programme,
    sale: str,
    latest: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from satmachineclient import crud_shares
    from satmachineclient.books import archive

    class KilledError(BaseException):
        """The process ends here."""

    before = await look(admin, programme, sale)
    shares = await counted("dca_payments")
    monkeypatch.setattr(archive, "_SALES", 3)
    moved = crud_shares.archive
    pieces = itertools.count(1)

    async def dies(*args: Any) -> int:
        number = await moved(*args)
        if next(pieces) == 3:  # all is written, and nothing committed
            raise KilledError
        return number

    monkeypatch.setattr(crud_shares, "archive", dies)
    with pytest.raises(KilledError):
        await archive.run(latest, admin.user_id)
    archived = await counted("dca_archived_shares")
    assert 0 < archived and archived + await counted("dca_payments") == shares
    assert changes(before, await look(admin, programme, sale)) == {}

    done = await admin.call("POST", f"{API}/archive", {"until": latest})
    assert done["done"] and await counted("dca_archived_shares") == archived + done["shares"]
    assert changes(before, await look(admin, programme, sale)) == {}


async def test_requests_that_go_on_check_the_books_once(
    admin: Account, programme: Programme, latest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from satmachineclient.books import archive, reconciliation

    checks = 0
    check = reconciliation.reconcile

    async def counting() -> Any:
        nonlocal checks
        checks += 1
        return await check()

    monkeypatch.setattr(reconciliation, "reconcile", counting)
    monkeypatch.setattr(archive, "_SECONDS", 0)
    monkeypatch.setattr(archive, "_SALES", 5)
    requests = 0
    while not (await admin.call("POST", f"{API}/archive", {"until": latest}))["done"]:
        requests += 1
    assert requests > 1 and checks == 1
    await admin.call("POST", f"{API}/archive", {"until": latest})  # another time
    assert checks == 2


async def test_what_is_young_or_open_is_not_archived(
    admin: Account, programme: Programme, sale: str, latest: str
) -> None:
    from satmachineclient.database import ledger

    young = await admin.request("POST", f"{API}/archive", json={"until": "2999-01"})
    assert young.status_code == 400 and latest in young.text
    for wrong in ("2024-13", "2024-1", "0000-01", "2024-01\n", "٢٠٢٤-01", "x", ""):
        answer = await admin.request("POST", f"{API}/archive", json={"until": wrong})
        assert answer.status_code == 400, wrong

    async def refused(change: str, back: str) -> str:
        async with ledger() as work:
            await work.execute(change)
        answer = await admin.request("POST", f"{API}/archive", json={"until": latest})
        async with ledger() as work:
            await work.execute(back)
        assert answer.status_code == 409
        return answer.text

    table = "UPDATE satmachineclient.lamassu_transactions SET"
    of_one = f"WHERE id = '{sale}'"
    text = await refused(
        f"{table} status = 'needs_review' {of_one}", f"{table} status = 'settled' {of_one}"
    )
    assert "not finally settled" in text
    table = "UPDATE satmachineclient.dca_balances SET"
    text = await refused(f"{table} paid_sats = paid_sats + 1", f"{table} paid_sats = paid_sats - 1")
    assert "The books differ" in text
    assert await counted("dca_archived_shares") == 0
    later = await admin.call("POST", f"{API}/archive", {"until": latest})
    assert later["done"] and later["shares"]


async def test_a_damaged_archive_is_a_difference_in_the_books(
    admin: Account, programme: Programme, latest: str
) -> None:
    from satmachineclient.database import ledger

    await admin.call("POST", f"{API}/archive", {"until": latest})
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]
    async with ledger() as work:
        await work.execute(
            "UPDATE satmachineclient.dca_archived_shares SET amount_sats = amount_sats + 1 "
            "WHERE id = (SELECT MIN(id) FROM satmachineclient.dca_archived_shares)"
        )
    books = await admin.call("GET", f"{API}/reconciliation")
    kinds = {each["kind"] for each in books["differences"]}
    assert not books["ok"] and {"archive", "balance", "transfer"} <= kinds


async def test_what_a_person_decided_on_stays_where_the_audit_log_finds_it(
    admin: Account, programme: Programme, sale: str, latest: str
) -> None:
    from satmachineclient.database import ledger
    from satmachineclient.models import AuditEntry

    [share, *_] = await admin.call("GET", f"{API}/transactions/{sale}/distributions")
    async with ledger() as work:
        entry = AuditEntry.of(admin.user_id, "payment retried", share["id"])
        await work.insert("dca_audit", [entry])
    done = await admin.call("POST", f"{API}/archive", {"until": latest})
    assert done["done"] and done["kept_sales"] == 1
    found = (await admin.call("GET", f"{API}/audit/paginated?limit=100"))["data"]
    assert [e["subject_name"] for e in found if e["subject"] == share["id"]] == [share["username"]]


async def test_an_archived_share_is_final(
    admin: Account, programme: Programme, sale: str, latest: str
) -> None:
    await admin.call("POST", f"{API}/archive", {"until": latest})
    [share, *_] = await admin.call("GET", f"{API}/transactions/{sale}/distributions")
    for what, body in (("retry", {}), ("void", {"reason": "no"}), ("pay-again", {})):
        answer = await admin.request("POST", f"{API}/payments/{share['id']}/{what}", json=body)
        assert answer.status_code == 409, (what, answer.text)

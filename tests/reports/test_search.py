"""A search in the shares finds what a look at each of them would, archived or not."""

from typing import Any
from urllib.parse import quote

import pytest

from demo.lnbits_api import Account
from tests.programme import Programme
from tests.rig import API

pytestmark = pytest.mark.storage


async def page(admin: Account, query: str) -> dict[str, Any]:
    found: dict[str, Any] = await admin.call("GET", f"{API}/payments/paginated?limit=1000{query}")
    return found


def words_of(shares: list[dict[str, Any]]) -> set[str]:
    """Whole ones and parts, of every kind of share there is."""
    words = {"confirmed", "FAIL", "pending", "void", "nothing like it", "e", "ed"}
    for one in {share["status"]: share for share in shares}.values():
        for name in ("client_id", "username", "wallet_id", "payment_hash", "error"):
            if text := one[name]:
                words |= {text[:60], text[3:9], text[-7:].upper()}
    return {word for word in words if "\\" not in word}  # which PostgreSQL's LIKE takes for itself


def has(share: dict[str, Any], word: str) -> bool:
    names = ("client_id", "username", "wallet_id", "status", "payment_hash", "error")
    return any(word.lower() in (share[name] or "").lower() for name in names)


async def say_of(share_id: str, status: str, error: str) -> None:
    from satmachineclient.database import ledger

    async with ledger() as work:
        await work.execute(
            "UPDATE satmachineclient.dca_payments SET status = :status, error = :error "
            "WHERE id = :id",
            status=status,
            error=error,
            id=share_id,
        )


@pytest.mark.parametrize("few", [0, 1, 5000])
async def test_a_search_in_the_shares(
    few: int, admin: Account, programme: Programme, monkeypatch: pytest.MonkeyPatch
) -> None:
    from satmachineclient import crud_search, crud_shares
    from satmachineclient.database import ledger

    monkeypatch.setattr(crud_search, "_FEW", few)
    [_, *some] = (await page(admin, ""))["data"]
    await say_of(some[0]["id"], "voided", "Took the cash back")
    await say_of(some[1]["id"], "failed", "The wallet is gone")
    for kind in ("live", "archived"):
        shares = (await page(admin, ""))["data"]
        for word in words_of(shares):
            found = await page(admin, f"&search={quote(word)}")
            expected = [share["id"] for share in shares if has(share, word)]
            assert [share["id"] for share in found["data"]] == expected, word
            assert found["total"] == len(expected)
        if kind == "live":
            await say_of(some[1]["id"], "voided", "The wallet is gone")
            async with ledger() as work:
                assert await crud_shares.archive(work, [s["transaction_id"] for s in shares])


async def test_a_search_among_what_was_filtered(admin: Account, programme: Programme) -> None:
    """The page, the sums above it and the exported file."""
    only = "&status=confirmed&amount_sats[gt]=1"
    shares = (await page(admin, ""))["data"]
    name = programme.one.id[:10]
    expected = [
        share
        for share in shares
        if has(share, name) and share["status"] == "confirmed" and share["amount_sats"] > 1
    ]
    assert expected
    found = await page(admin, f"{only}&search={name}&sortby=amount_sats&direction=asc")
    assert found["total"] == len(expected)
    assert [s["amount_sats"] for s in found["data"]] == sorted(s["amount_sats"] for s in expected)
    totals = await admin.call("GET", f"{API}/payments/totals?search={name}{only}")
    assert totals["rows"] == len(expected)
    rows = await admin.call("GET", f"{API}/export/distributions?format=json&search={name}{only}")
    assert {row["id"] for row in rows} == {share["id"] for share in expected}


async def test_a_name_is_found_as_it_is_written(admin: Account, programme: Programme) -> None:
    """SQLite knows capitals of the English alphabet only."""
    from satmachineclient.database import ledger

    async with ledger() as work:
        await work.execute(
            "UPDATE satmachineclient.dca_clients SET username = 'Óscar Ñandú' WHERE id = :id",
            id=programme.one.id,
        )
    shares = (await page(admin, f"&client_id={programme.one.id}"))["total"]
    for words in ("Óscar", "Ñandú", "SCAR", " Óscar Ñ "):
        assert (await page(admin, f"&search={quote(words)}"))["total"] == shares, words

"""The client's own side: registering, looking, changing, leaving; and never at somebody else's."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import EXTENSION, Account, Lnbits, LnbitsError, Wallet
from demo.sales import Sale
from tests.rig import API, DcaClient, MakeClient, MakeWallet, Poll, Setup

pytestmark = pytest.mark.storage


@pytest.fixture
async def user(lnbits: Lnbits, admin: Account, ledger_clean: None) -> Account:
    """A user of their own, who is no client yet."""
    return await lnbits.register(f"user_{uuid4().hex[:8]}", uuid4().hex)


async def programme(admin: Account, **fields: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await admin.call("PUT", f"{API}/programme", fields)
    return answer


async def register(user: Account, wallet: Wallet, **fields: Any) -> dict[str, Any]:
    body = {"wallet_id": wallet.id, "dca_mode": "flow", **fields}
    answer: dict[str, Any] = await user.call("POST", f"{API}/registration", body)
    return answer


async def refusal(work: Any) -> str:
    """The status and the sentence of a request that has to be refused."""
    with pytest.raises(LnbitsError) as caught:
        await work
    return str(caught.value).split(": ", 1)[1]


def sale(**fields: Any) -> Sale:
    time = datetime.now(timezone.utc)
    given = {"crypto_atoms": 21_100, "fiat": Decimal(200), "cash_at": time, **fields}
    return Sale(created=time, **given)


# ---- registering -----------------------------------------------------------------------------


async def test_by_default_the_operator_approves_who_registers(
    user: Account, admin: Account, make_wallet: MakeWallet
) -> None:
    before = await user.call("GET", f"{API}/registration")
    assert (before["registration"], before["client_id"]) == ("approval", None)
    wallet = await make_wallet(user)

    me = await register(user, wallet, username="Ana")

    assert (me["status"], me["username"], me["wallet_id"]) == ("pending", "Ana", wallet.id)
    after = await user.call("GET", f"{API}/registration")
    assert (after["client_id"], after["status"]) == (me["id"], "pending")
    overview = await admin.call("GET", f"{API}/overview")
    assert overview["attention"]["pending_clients"] == 1
    assert "409 " in await refusal(user.call("PUT", f"{API}/me", {"status": "active"}))
    assert "409 " in await refusal(user.call("PUT", f"{API}/me", {"status": "paused"}))

    await admin.call("PUT", f"{API}/clients/{me['id']}", {"status": "active"})

    assert (await user.call("GET", f"{API}/me"))["status"] == "active"


async def test_who_registers_where_it_is_open_takes_part_at_once(
    user: Account, admin: Account, make_wallet: MakeWallet
) -> None:
    await programme(admin, registration="open")
    assert (await register(user, await make_wallet(user)))["status"] == "active"


async def test_where_registration_is_closed_nobody_registers(
    user: Account, admin: Account, make_wallet: MakeWallet
) -> None:
    await programme(admin, registration="closed")
    wallet = await make_wallet(user)
    assert "403 " in await refusal(register(user, wallet))
    assert await admin.call("GET", f"{API}/clients") == []


async def test_terms_have_to_be_accepted(
    user: Account, admin: Account, make_wallet: MakeWallet
) -> None:
    await programme(admin, terms="Cash is put in within a day.\n<b>Ask</b> us & see.")
    shown = await user.call("GET", f"{API}/registration")
    assert shown["terms"] == "Cash is put in within a day.\n<b>Ask</b> us & see."
    wallet = await make_wallet(user)
    assert "accept_terms" in await refusal(register(user, wallet))
    assert (await register(user, wallet, accept_terms=True))["status"] == "pending"


async def test_one_registration_for_each_user_and_again_after_leaving(
    user: Account, make_wallet: MakeWallet
) -> None:
    wallet = await make_wallet(user)
    first = await register(user, wallet)
    assert "409 " in await refusal(register(user, await make_wallet(user)))

    await user.call("PUT", f"{API}/me", {"status": "closed"})
    assert "409 " in await refusal(user.call("PUT", f"{API}/me", {"status": "active"}))
    again = await register(user, wallet)

    assert again["id"] != first["id"]
    assert [c["id"] for c in again["clients"]] == [again["id"], first["id"]]


async def test_only_own_wallets_and_no_unknown_ones(
    user: Account, admin: Account, make_wallet: MakeWallet, make_client: MakeClient
) -> None:
    others = await make_wallet(admin)
    client = await make_client("somebody else")
    for wallet in (others, client.wallet):
        refused = await refusal(register(user, wallet))
        assert '"detail":"wallet_id: this is not a wallet of yours"' in refused
    me = await register(user, await make_wallet(user))
    for wallet in (others, client.wallet):
        refused = await refusal(user.call("PUT", f"{API}/me", {"wallet_id": wallet.id}))
        assert '"detail":"wallet_id: this is not a wallet of yours"' in refused
    change = user.call("PUT", f"{API}/me", {"wallet_id": "0" * 32})
    assert "wallet_id: there is no LNbits wallet" in await refusal(change)
    other = await make_wallet(user)
    changed = await user.call("PUT", f"{API}/me", {"wallet_id": other.id})
    assert (changed["id"], changed["wallet_id"]) == (me["id"], other.id)


async def test_a_change_that_the_operator_overtook_is_refused(
    user: Account,
    plain_user: Account,
    admin: Account,
    make_client: MakeClient,
    make_wallet: MakeWallet,
) -> None:
    """Between a client's request and its turn they became another user's, with another wallet."""
    from satmachineclient import crud_clients
    from satmachineclient.clients import changes as clients
    from satmachineclient.helpers import ConflictError
    from satmachineclient.models_clients import UpdateClient

    client = await make_client("mine", owner=user)
    seen = await crud_clients.get_client(client.id)
    assert seen
    now_others = await make_wallet(plain_user)
    path = f"{API}/clients/{client.id}"
    await admin.call("PUT", path, {"wallet_id": now_others.id})

    for wallet in (client.wallet, await make_wallet(user)):
        with pytest.raises(ConflictError, match="changed meanwhile"):
            await clients.change(seen, UpdateClient(wallet_id=wallet.id), user.user_id, "client")

    stored = await crud_clients.get_client(client.id)
    assert stored
    assert (stored.user_id, stored.wallet_id) == (plain_user.user_id, now_others.id)


BAD_REGISTRATIONS: list[tuple[dict[str, Any], str]] = [
    ({"wallet_id": ""}, "wallet_id: the client's LNbits wallet is needed"),
    ({"wallet_id": "x" * 65}, "wallet_id: "),
    ({"dca_mode": "both"}, "dca_mode: "),
    ({"username": "a" * 101}, "username: "),
    ({"username": "a\0b"}, "username: contains a character that is not text"),
    ({"dca_mode": "fixed"}, "fixed_mode_daily_limit: needed in fixed mode"),
    ({"dca_mode": "fixed", "fixed_mode_daily_limit": 5}, "currency: the daily limit needs one"),
    (
        {"dca_mode": "fixed", "fixed_mode_daily_limit": True, "currency": "GTQ"},
        "fixed_mode_daily_limit: has to be a number",
    ),
    ({"accept_terms": "yes"}, "accept_terms: "),
    ({"status": "active"}, "status: "),
    ({"paused_by": None}, "paused_by: "),
]


async def test_a_bad_registration_names_the_field(
    user: Account, admin: Account, make_wallet: MakeWallet, subtests: pytest.Subtests
) -> None:
    for fields, sentence in BAD_REGISTRATIONS:
        with subtests.test(fields=fields, sentence=sentence):
            refused = await refusal(register(user, await make_wallet(user), **fields))
            assert refused.startswith("400 ") and sentence in refused
            assert await admin.call("GET", f"{API}/clients") == []


BAD_CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"status": "pending"}, "status: "),
    ({"status": None}, "status: cannot be empty"),
    ({"wallet_id": None}, "wallet_id: cannot be empty"),
    ({"user_id": "0" * 32}, "user_id: "),
    (
        {"dca_mode": "fixed", "fixed_mode_daily_limit": "1e400", "currency": "GTQ"},
        "fixed_mode_daily_limit: ",
    ),
]


async def test_a_bad_change_names_the_field_and_changes_nothing(
    user: Account, make_wallet: MakeWallet, subtests: pytest.Subtests
) -> None:
    me = await register(user, await make_wallet(user))
    for fields, sentence in BAD_CHANGES:
        with subtests.test(fields=fields, sentence=sentence):
            refused = await refusal(
                user.call("PUT", f"{API}/me", {"username": "changed", **fields})
            )
            assert refused.startswith("400 ") and sentence in refused
            assert await user.call("GET", f"{API}/me") == me


# ---- the programme's limits ------------------------------------------------------------------


@pytest.fixture
async def bounded(admin: Account, ledger_clean: None) -> None:
    await programme(
        admin,
        registration="open",
        currency="GTQ",
        smallest_daily_limit="50.00",
        largest_daily_limit="1000.00",
    )


@pytest.mark.usefixtures("bounded")
async def test_daily_limits_stay_within_the_programmes(
    user: Account, make_wallet: MakeWallet
) -> None:
    wallet = await make_wallet(user)
    for limit, sentence in (("49.99", "at least 50.00 GTQ"), ("1000.01", "at most 1000.00 GTQ")):
        asked = register(user, wallet, dca_mode="fixed", fixed_mode_daily_limit=limit)
        assert f"fixed_mode_daily_limit: has to be {sentence}" in await refusal(asked)
    asked = register(user, wallet, dca_mode="fixed")
    assert "fixed_mode_daily_limit: needed" in await refusal(asked)
    asked = register(user, wallet, dca_mode="fixed", fixed_mode_daily_limit="60", currency="USD")
    assert "currency: this programme's is GTQ" in await refusal(asked)

    me = await register(user, wallet, dca_mode="fixed", fixed_mode_daily_limit="50")

    assert (me["fixed_mode_daily_limit"], me["currency"]) == ("50.00", "GTQ")
    change = user.call("PUT", f"{API}/me", {"fixed_mode_daily_limit": "5000"})
    assert "at most 1000.00 GTQ" in await refusal(change)
    await user.call("PUT", f"{API}/me", {"fixed_mode_daily_limit": 1000})
    flow = await user.call("PUT", f"{API}/me", {"dca_mode": "flow"})
    assert flow["dca_mode"] == "flow"


@pytest.mark.usefixtures("bounded")
async def test_from_flow_to_fixed_in_the_programmes_currency(
    user: Account, make_wallet: MakeWallet
) -> None:
    await register(user, await make_wallet(user))
    change = {"dca_mode": "fixed", "fixed_mode_daily_limit": "75.5"}
    me = await user.call("PUT", f"{API}/me", change)
    assert (me["fixed_mode_daily_limit"], me["currency"]) == ("75.50", "GTQ")


BAD_PROGRAMMES: list[tuple[dict[str, Any], str]] = [
    ({"smallest_daily_limit": "10"}, "currency: the daily limits need one"),
    ({"currency": "GTQ", "smallest_daily_limit": "1.001"}, "smallest_daily_limit: has more"),
    ({"currency": "GTQ", "largest_daily_limit": 0}, "largest_daily_limit: has to be more"),
    (
        {"currency": "GTQ", "smallest_daily_limit": 20, "largest_daily_limit": 10},
        "largest_daily_limit: is smaller",
    ),
    ({"currency": "QQQ"}, "currency: "),
    ({"registration": "maybe"}, "registration: "),
    ({"registration": None}, "registration: cannot be empty"),
    ({"terms": "a" * 20_001}, "terms: "),
    ({"unknown": 1}, "unknown: "),
]


async def test_a_bad_programme_is_refused_as_a_whole(
    admin: Account, ledger_clean: None, subtests: pytest.Subtests
) -> None:
    before = await admin.call("GET", f"{API}/programme")
    for fields, sentence in BAD_PROGRAMMES:
        with subtests.test(fields=fields, sentence=sentence):
            refused = await refusal(
                programme(admin, **{"deposit_instructions": "changed", **fields})
            )
            assert refused.startswith("400 ") and sentence in refused
            assert await admin.call("GET", f"{API}/programme") == before


async def test_another_currency_needs_its_own_limits(admin: Account, bounded: None) -> None:
    refused = await refusal(programme(admin, currency="JPY"))
    assert "smallest_daily_limit: give it in the new currency" in refused
    changed = await programme(
        admin, currency="JPY", smallest_daily_limit=500, largest_daily_limit=None
    )
    assert (changed["smallest_daily_limit"], changed["largest_daily_limit"]) == ("500", None)


async def test_a_change_of_nothing_is_not_written(
    user: Account, admin: Account, make_wallet: MakeWallet
) -> None:
    me = await register(user, await make_wallet(user), username="Ana")
    entries = len(await admin.call("GET", f"{API}/audit"))
    assert await user.call("PUT", f"{API}/me", {"username": "Ana", "dca_mode": "flow"}) == me
    assert await user.call("PUT", f"{API}/me", {}) == me
    assert len(await admin.call("GET", f"{API}/audit")) == entries


# ---- pausing and leaving ---------------------------------------------------------------------


async def test_a_client_resumes_what_they_paused_and_not_what_the_operator_did(
    user: Account, admin: Account, make_wallet: MakeWallet
) -> None:
    await programme(admin, registration="open")
    me = await register(user, await make_wallet(user))
    path = f"{API}/clients/{me['id']}"

    paused = await user.call("PUT", f"{API}/me", {"status": "paused"})
    assert (paused["status"], paused["paused_by"]) == ("paused", "client")
    resumed = await user.call("PUT", f"{API}/me", {"status": "active"})
    assert (resumed["status"], resumed["paused_by"]) == ("active", None)

    await admin.call("PUT", path, {"status": "paused"})
    assert "ask them to resume" in await refusal(
        user.call("PUT", f"{API}/me", {"status": "active"})
    )
    still = await user.call("PUT", f"{API}/me", {"status": "paused"})
    assert still["paused_by"] == "operator"
    assert (await admin.call("PUT", path, {"status": "active"}))["paused_by"] is None


async def test_who_pauses_takes_no_part_in_the_sales_of_that_time_only(
    configured: Setup,
    make_client: MakeClient,
    plain_user: Account,
    admin: Account,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    """Three sales, read together afterwards: before the pause, during it, after it."""
    await lamassu.clear()
    client = await make_client("one", {"GTQ": "1000.00"})
    me = f"{API}/me?client_id={client.id}"
    before = sale()
    await lamassu.insert(before)
    await plain_user.call("PUT", me, {"status": "paused"})
    during = sale()
    await lamassu.insert(during)
    await plain_user.call("PUT", me, {"status": "active"})
    after = sale()
    await lamassu.insert(after)

    assert (await poll())["planned"] == 3

    rows = {
        row["lamassu_transaction_id"]: row["clients_count"]
        for row in await admin.call("GET", f"{API}/transactions")
    }
    assert [rows[str(s.id)] for s in (before, during, after)] == [1, 0, 1]


async def test_terms_that_a_clock_set_back_has_overtaken_do_not_come_back(
    configured: Setup,
    make_client: MakeClient,
    admin: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Fixed at +3 h, then the clock is set back, and paused at +1 h: from then on paused."""
    from satmachineclient.books.book import Book
    from satmachineclient.clients import changes as clients
    from satmachineclient.database import reading

    client = await make_client("one", {"GTQ": "1000.00"})
    start = datetime.now(timezone.utc)
    fixed = {"dca_mode": "fixed", "fixed_mode_daily_limit": "5", "currency": "GTQ"}
    for hours, change in ((3, fixed), (1, {"status": "paused"})):
        monkeypatch.setattr(clients, "now", lambda h=hours: start + timedelta(hours=h))
        await admin.call("PUT", f"{API}/clients/{client.id}", change)

    async def take_part(first: float, last: float) -> bool:
        at = start + timedelta(hours=last)
        async with reading() as work:
            book = await Book.open(work, [start + timedelta(hours=first), at], "UTC")
        book.advance(at)
        return bool(book.participants("GTQ", at))

    assert await take_part(0.5, 0.5)
    for first, last in ((0.5, 2), (0.5, 4), (2, 2), (2, 4), (4, 4)):
        assert not await take_part(first, last), (first, last)


async def test_who_has_left_gets_nothing_more_and_keeps_their_books(
    configured: Setup,
    user: Account,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    await lamassu.clear()
    client = await make_client("leaver", {"GTQ": "1000.00"}, owner=user)
    await lamassu.insert(sale())
    await poll()
    await lamassu.insert(sale())

    await user.call("PUT", f"{API}/me", {"status": "closed"})

    assert (await poll())["confirmed_payments"] == 0
    me = await user.call("GET", f"{API}/me")
    assert (me["id"], me["status"], me["total_sats"]) == (client.id, "closed", 20_000)
    assert me["balances"][0]["remaining_balance"] == "800.00"
    assert (await user.call("GET", f"{API}/me/payments"))["total"] == 1


# ---- looking ---------------------------------------------------------------------------------


@pytest.fixture
async def two(
    configured: Setup,
    lnbits: Lnbits,
    user: Account,
    plain_user: Account,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> tuple[DcaClient, DcaClient]:
    """Two clients of two users, both with deposits, shares and payments."""
    await lamassu.clear()
    mine = await make_client("mine", {"GTQ": "1000.00"}, owner=user)
    others = await make_client("others", {"GTQ": "3000.00"}, owner=plain_user)
    await lamassu.insert(sale())
    await lamassu.insert(sale(fiat=Decimal(400), crypto_atoms=42_200))
    assert (await poll())["confirmed_payments"] == 4
    return mine, others


READS = [
    "me",
    "me/deposits",
    "me/history",
    "me/payments",
    "me/payments?format=csv",
    "me/payments?format=koinly",
    "me/statement",
    "me/statement?format=csv",
    "me/value",
]


async def test_what_a_client_sees(two: tuple[DcaClient, DcaClient], user: Account) -> None:
    mine, _ = two
    me = await user.call("GET", f"{API}/me")
    assert (me["id"], me["total_sats"], me["recent_sats"], me["waiting_sats"]) == (
        mine.id,
        15_000,
        15_000,
        0,
    )
    assert me["balances"] == [
        {
            "currency": "GTQ",
            "total_deposits": "1000.00",
            "pending_deposits": "0.00",
            "total_distributed": "150.00",
            "remaining_balance": "850.00",
            "remaining_by_machine": {},
        }
    ]
    assert me["average_prices"] == {"GTQ": "1000000.00"}
    assert me["next_poll"] > me["created_at"]
    assert await user.balance(mine.wallet) == 15_000

    page = await user.call("GET", f"{API}/me/payments")
    assert page["total"] == 2
    assert [p["amount_fiat"] for p in page["data"]] == ["100.00", "50.00"]
    assert {p["exchange_rate"] for p in page["data"]} == {"1000000.00"}
    assert all(p["payment_hash"] and p["status"] == "confirmed" for p in page["data"])
    sorted_up = await user.call(
        "GET", f"{API}/me/payments?sortby=amount_sats&direction=asc&limit=1"
    )
    assert [p["amount_sats"] for p in sorted_up["data"]] == [5_000]
    history = await user.call("GET", f"{API}/me/history")
    assert sum(history["sats"]) == 15_000 and len(history["sats"]) == len(history["days"])

    csv = (await user.get(f"{API}/me/payments?format=csv")).text
    assert csv.count("\r\n") == 3 and "100.00" in csv


async def test_nobody_sees_anothers(
    two: tuple[DcaClient, DcaClient], user: Account, plain_user: Account, lnbits: Lnbits
) -> None:
    mine, others = two
    secrets = {others.id, others.wallet.id, plain_user.user_id}
    secrets |= {
        p["payment_hash"]
        for p in (await plain_user.call("GET", f"{API}/me/payments?client_id={others.id}"))["data"]
    }
    key = lnbits.anonymous({"X-Api-Key": mine.wallet.adminkey})
    invoice_key = lnbits.anonymous({"X-Api-Key": mine.wallet.inkey})
    for path in READS:
        join = "&" if "?" in path else "?"
        for asking in (user, key, invoice_key):
            own = await asking.get(f"{API}/{path}")
            assert own.status_code == 200, own.text
            assert not [secret for secret in secrets if secret in own.text], path
            foreign = await asking.get(f"{API}/{path}{join}client_id={others.id}")
            assert foreign.status_code == 404, (path, foreign.text)
    for field in ("client_id[ne]", "client_id[like]", "wallet_id"):
        answer = await user.get(f"{API}/me/payments", params={field: others.id})
        assert answer.status_code == 400 or answer.json()["total"] == 2
    change = {"status": "paused"}
    refused = await user.put(f"{API}/me?client_id={others.id}", json=change)
    assert refused.status_code == 404
    assert (await invoice_key.put(f"{API}/me", json=change)).status_code == 403


async def test_a_wallets_key_speaks_for_its_own_client_only(
    ledger_clean: None,
    user: Account,
    make_client: MakeClient,
    make_wallet: MakeWallet,
    lnbits: Lnbits,
) -> None:
    one, two = await make_client("one", owner=user), await make_client("two", owner=user)
    for client in (one, two):
        asking = lnbits.anonymous({"X-Api-Key": client.wallet.inkey})
        answer = await asking.get(f"{API}/me")
        assert answer.json()["id"] == client.id
        assert [c["id"] for c in answer.json()["clients"]] == [client.id]
    both = await user.call("GET", f"{API}/me")
    assert {c["id"] for c in both["clients"]} == {one.id, two.id}
    assert (await user.call("GET", f"{API}/me?client_id={one.id}"))["id"] == one.id
    stranger = await make_wallet(user)
    answer = await lnbits.anonymous({"X-Api-Key": stranger.adminkey}).get(f"{API}/me")
    assert answer.status_code == 404


async def test_a_key_registers_its_own_wallet(
    user: Account, make_wallet: MakeWallet, lnbits: Lnbits
) -> None:
    wallet = await make_wallet(user)
    asking = lnbits.anonymous({"X-Api-Key": wallet.adminkey})
    answer = await asking.post(f"{API}/registration", json={"dca_mode": "flow"})
    assert answer.status_code == 201, answer.text
    assert answer.json()["wallet_id"] == wallet.id


async def test_a_key_names_no_other_wallet(
    user: Account, make_wallet: MakeWallet, lnbits: Lnbits
) -> None:
    wallet, other = await make_wallet(user), await make_wallet(user)
    asking = lnbits.anonymous({"X-Api-Key": wallet.adminkey})
    body = {"dca_mode": "flow", "wallet_id": other.id}
    answer = await asking.post(f"{API}/registration", json=body)
    assert answer.status_code == 400 and "wallet_id: " in answer.text
    await register(user, wallet)
    answer = await asking.put(f"{API}/me", json={"wallet_id": other.id})
    assert answer.status_code == 400 and "wallet_id: " in answer.text
    answer = await asking.put(f"{API}/me", json={"wallet_id": wallet.id, "username": "Ana"})
    assert answer.json()["username"] == "Ana"


async def test_a_wallets_key_is_not_told_the_user_id(
    user: Account, make_wallet: MakeWallet, lnbits: Lnbits
) -> None:
    """Where LNbits allows the login by user id, it opens all of the user's wallets."""
    wallet = await make_wallet(user)
    asking = lnbits.anonymous({"X-Api-Key": wallet.adminkey})
    answer = await asking.post(f"{API}/registration", json={"dca_mode": "flow"})
    assert answer.status_code == 201 and user.user_id not in answer.text
    reading = lnbits.anonymous({"X-Api-Key": wallet.inkey})
    for path in (*READS, "registration"):
        answer = await reading.get(f"{API}/{path}")
        assert answer.status_code == 200 and user.user_id not in answer.text, path


async def test_what_is_wrong_with_the_operators_wallet_is_not_the_clients_to_see(
    configured: Setup,
    user: Account,
    make_client: MakeClient,
    admin: Account,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    await lamassu.clear()
    await make_client("mine", {"GTQ": "100000.00"}, owner=user)
    await lamassu.insert(sale(fiat=Decimal(90_000), crypto_atoms=90_000_000))
    await poll()
    page = await user.call("GET", f"{API}/me/payments")
    assert page["data"][0]["status"] == "pending"
    assert page["data"][0]["error"] == "Waits until the operator's wallet can cover it."
    me = await user.call("GET", f"{API}/me")
    assert me["total_sats"] == 0 and me["waiting_sats"] == page["data"][0]["amount_sats"]


# ---- messages --------------------------------------------------------------------------------


async def test_a_payment_says_what_it_is(
    two: tuple[DcaClient, DcaClient], user: Account, admin: Account
) -> None:
    mine, _ = two
    key = {"X-Api-Key": mine.wallet.inkey}
    payments = await user.call("GET", "/api/v1/payments", headers=key)
    assert len(payments) == 1
    payment = payments[0]
    assert payment["memo"] == "DCA: 15000 sats for 150.00 GTQ at 1000000.00 GTQ/BTC (2 ATM sales)"
    rows = await admin.call("GET", f"{API}/transactions")
    extra = payment["extra"]
    assert extra["tag"] == EXTENSION and extra["kind"] == "client"
    assert extra["client_id"] == mine.id
    assert sorted(extra["transaction_ids"]) == sorted(row["id"] for row in rows)
    assert (extra["amount_sats"], extra["amount_fiat"], extra["currency"]) == (
        15_000,
        "150.00",
        "GTQ",
    )
    assert extra["exchange_rate"] == "1000000.00"

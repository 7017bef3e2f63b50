"""A partner's part of the commission goes on to their own keys, as a client's sats do."""

import asyncio
import contextlib
from datetime import datetime, timezone
from decimal import Decimal

import httpx
import pytest

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account, Lnbits, Wallet
from demo.outside import LnurlServer, Outside, json_answer
from demo.sales import Sale
from tests.gate import Gate
from tests.paying.test_forwards import Saver, books_agree, invoice_here, look, spend
from tests.rig import API, Configure, DcaClient, MakeClient, MakeWallet, Poll

pytestmark = [pytest.mark.storage, pytest.mark.slow]


@pytest.fixture
def destination(outside: Outside) -> LnurlServer:
    server = outside.destination
    server.least, server.most = 10, 1_000_000
    server.before = lambda path, query: None
    server.asked.clear()
    return server


async def bring(lamassu: LamassuDatabase, poll: Poll, commission: int = 20_000) -> None:
    """A sale with this commission; five times as much for the clients."""
    time = datetime.now(timezone.utc)
    await lamassu.insert(
        Sale(
            created=time,
            cash_at=time,
            crypto_atoms=6 * commission,
            fiat=Decimal(200),
            commission_percentage=Decimal("0.2"),
        )
    )
    assert (await poll())["success"]


async def add_shop(admin: Account, owner: Account, wallet: Wallet, outside: Outside) -> Saver:
    body = {"name": "Shop", "wallet_id": wallet.id, "percent": "100"}
    made = await admin.call("POST", f"{API}/partners", body)
    of_it = DcaClient(made["id"], wallet, owner)
    return Saver(of_it, outside, admin, me="/me/partner", named="partner_id")


@pytest.fixture
async def shop(
    gate: Gate,
    outside: Outside,
    configure: Configure,
    make_wallet: MakeWallet,
    plain_user: Account,
    admin: Account,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> Saver:
    """A partner into whose wallet the programme has just brought 20,000 sats."""
    await configure()
    made = await add_shop(admin, plain_user, await make_wallet(plain_user), outside)
    await bring(lamassu, poll)
    assert await made.held() == 20_000
    return made


@pytest.fixture
async def both(
    gate: Gate,
    outside: Outside,
    configure: Configure,
    make_client: MakeClient,
    admin: Account,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> tuple[Saver, Saver]:
    """A client who is a partner too, with one wallet: 100,000 sats as the one, 20,000 as the other.

    Whose id is smaller comes first.
    """
    await configure()
    client = await make_client(deposits={"GTQ": "9000.00"})
    partner = await add_shop(admin, client.owner, client.wallet, outside)
    await bring(lamassu, poll)
    one = Saver(client, outside, admin)
    assert await one.held() == 120_000
    first, second = sorted((one, partner), key=lambda saver: saver.client.id)
    return first, second


# ---- it is sent ------------------------------------------------------------------------------


async def test_a_partners_part_is_sent_on_and_everybody_sees_it(
    shop: Saver, destination: LnurlServer, outside: Outside, admin: Account
) -> None:
    before = await outside.received()
    answer = await shop.put(destination.lnurl, 1000)
    assert answer["waiting_sats"] == 20_000
    await look()
    forward = await shop.one("confirmed")
    assert (forward["amount_sats"], forward["client_id"]) == (19_801, shop.client.id)
    assert await outside.received() - before == 19_801
    state = await shop.state()
    assert (state["forwarded_sats"], state["problem"]) == (19_801, None)
    assert await shop.held() == state["waiting_sats"] == 199 - state["fee_sats"]
    [seen] = await admin.call("GET", f"{API}/forwards")
    assert (seen["username"], seen["owner"], seen["client_id"]) == (
        "Shop",
        "partner",
        shop.client.id,
    )
    page = await admin.call("GET", f"{API}/forwards/paginated?client_id={shop.client.id}")
    assert page["data"] == [seen]
    [exported] = (await admin.get(f"{API}/export/forwards?format=json")).json()
    assert (exported["username"], exported["owner"]) == ("Shop", "partner")
    journal = (await admin.get(f"{API}/export/journal?format=beancount")).text
    assert "Forwarded to a partner's own keys" in journal
    [entry] = [
        e for e in await admin.call("GET", f"{API}/audit") if e["action"] == "forwarding set"
    ]
    assert (entry["subject_name"], entry["actor"]) == ("Shop", shop.client.owner.user_id)
    await books_agree(admin)


async def test_what_was_not_paid_as_their_part_stays(
    shop: Saver, destination: LnurlServer, admin: Account, lamassu: LamassuDatabase, poll: Poll
) -> None:
    await admin.top_up(shop.client.wallet, 50_000)
    await shop.put(destination.lnurl, 25_000)
    await look()
    assert await shop.forwards() == []  # below the threshold: 20,000 are theirs as a partner
    await bring(lamassu, poll, 6_000)
    await look()
    assert (await shop.one("confirmed"))["amount_sats"] == 25_742
    assert await shop.held() == 50_000 + 26_000 - 25_742


async def test_their_own_lists_are_theirs_alone(
    shop: Saver, destination: LnurlServer, make_client: MakeClient, other_admin: Account
) -> None:
    await shop.put(destination.lnurl)
    await look()
    page = await shop.call("GET", "/me/forwards/paginated")
    sums = await shop.call("GET", "/me/forwards/totals")
    assert page["total"] == sums["rows"] == 1
    assert page["data"] == await shop.forwards()
    client = await make_client(owner=shop.client.owner)
    as_client = await client.owner.call("GET", f"{API}/me/forwards?client_id={client.id}")
    assert as_client == []
    for path in ("forward", "forwards", "forwards/paginated", "forwards/totals"):
        query = f"partner_id={shop.client.id}"
        assert (await other_admin.get(f"{API}/me/partner/{path}?{query}")).status_code == 404
        query = f"client_id={shop.client.id}"
        assert (await client.owner.get(f"{API}/me/{path}?{query}")).status_code == 404


async def test_a_test_is_sent_and_switched_off_nothing_more(
    shop: Saver, destination: LnurlServer, gate: Gate, outside: Outside
) -> None:
    before = await outside.received()
    asked = await shop.call("POST", "/me/forward/ask", {"destination": destination.lnurl})
    assert (asked["min_sats"], asked["suggested_threshold_sats"]) == (10, 200)
    await shop.call("POST", "/me/forward/test", {"destination": destination.lnurl})
    await look()
    assert (await shop.one("confirmed"))["kind"] == "test"
    assert await outside.received() - before == 10
    gate.mode = "refuse"
    await shop.put(destination.lnurl)
    await look()
    assert (await shop.put(None, None))["destination"] is None
    gate.mode = "pass"
    await look()
    assert {f["status"] for f in await shop.forwards()} == {"confirmed", "failed"}
    assert await outside.received() - before == 10


# ---- a wallet that is a client's, too --------------------------------------------------------


async def test_each_sends_what_was_brought_to_them(
    both: tuple[Saver, Saver], destination: LnurlServer, outside: Outside, admin: Account
) -> None:
    before = await outside.received()
    for saver in both:
        await saver.put(destination.lnurl)
    await look()
    sent = {saver.named: (await saver.one("confirmed"))["amount_sats"] for saver in both}
    assert sent == {"client_id": 99_009, "partner_id": 19_801}
    assert await outside.received() - before == sum(sent.values())
    await books_agree(admin)


async def test_of_a_wallet_that_holds_less_no_sat_counts_for_two(
    both: tuple[Saver, Saver], destination: LnurlServer, outside: Outside, admin: Account
) -> None:
    first = both[0]
    before = await outside.received()
    for saver in both:  # nothing goes yet
        await saver.put(destination.lnurl, 1_000_000)
    await spend(first, 70_000)
    states = [await saver.state() for saver in both]
    brought = {"client_id": 100_000, "partner_id": 20_000}
    waits = min(50_000, brought[first.named])
    assert [state["waiting_sats"] for state in states] == [waits, 50_000 - waits]
    for saver in both:
        await saver.put(destination.lnurl)
    await look()
    await look()
    sent = {saver.named: sum(f["amount_sats"] for f in await saver.ended()) for saver in both}
    assert sent[first.named] in (49_504, 19_801)
    assert all(sent[name] <= brought[name] for name in sent)
    assert await outside.received() - before == sum(sent.values())
    assert await first.held() >= 0
    await books_agree(admin)


async def test_who_has_set_nothing_leaves_it_to_the_other(
    both: tuple[Saver, Saver], destination: LnurlServer
) -> None:
    first, second = both
    await spend(first, 110_000)
    await second.put(destination.lnurl)
    assert (await second.state())["waiting_sats"] == 10_000
    assert (await first.state())["waiting_sats"] == 0
    await look()
    assert (await second.one("confirmed"))["amount_sats"] == 9_900


async def test_many_looks_at_once_send_each_once(
    both: tuple[Saver, Saver], destination: LnurlServer, gate: Gate, outside: Outside
) -> None:
    from satmachineclient.paying import forwards

    before = await outside.received()
    for saver in both:
        await saver.put(destination.lnurl)
    kept, forwards._looking = forwards._looking, contextlib.nullcontext()  # type: ignore[assignment]
    try:
        await asyncio.gather(*(look() for _ in range(6)))
    finally:
        forwards._looking = kept
    await look()
    sent = sum([(await saver.one("confirmed"))["amount_sats"] for saver in both])
    assert await outside.received() - before == sent == 99_009 + 19_801


async def test_what_is_a_clients_does_not_cover_what_a_partner_sent(
    both: tuple[Saver, Saver], destination: LnurlServer, admin: Account
) -> None:
    from satmachineclient.database import ledger

    partner = next(saver for saver in both if saver.named == "partner_id")
    await partner.put(destination.lnurl)
    await look()
    await partner.one("confirmed")
    async with ledger() as work:  # as if it had been sent without having been brought
        await work.execute("UPDATE satmachineclient.dca_commission_shares SET amount_sats = 10000")
    books = await admin.call("GET", f"{API}/reconciliation")
    [difference] = [d for d in books["differences"] if d["kind"] == "forward"]
    assert difference["id"] == partner.client.id and "10000 were brought" in difference["detail"]


# ---- who decides -----------------------------------------------------------------------------


async def test_only_the_partner_sets_the_destination(
    shop: Saver,
    destination: LnurlServer,
    lnbits: Lnbits,
    admin: Account,
    other_admin: Account,
    make_wallet: MakeWallet,
    plain_user: Account,
) -> None:
    body = {"destination": destination.lnurl, "threshold_sats": 1000}
    another = await make_wallet(plain_user)
    keys = (shop.client.wallet.inkey, another.adminkey, "no key")
    asking: list[httpx.AsyncClient] = [admin, other_admin]
    asking += [lnbits.anonymous({"X-Api-Key": key}) for key in keys]
    for client in asking:
        for path in ("/me/forward", "/me/forward/test"):
            method = client.put if path.endswith("forward") else client.post
            answer = await method(shop.address(path), json=body)
            assert 400 <= answer.status_code < 500, answer.text
    assert (await shop.state())["destination"] is None and await shop.forwards() == []
    with_key = lnbits.anonymous({"X-Api-Key": shop.client.wallet.adminkey})
    answer = await with_key.put(f"{API}/me/partner/forward", json=body)
    assert answer.json()["destination"] == destination.lnurl
    reading = lnbits.anonymous({"X-Api-Key": shop.client.wallet.inkey})
    seen = (await reading.get(f"{API}/me/partner/forward")).json()
    assert seen["threshold_sats"] == 1000
    await look()  # what was woken by it ends before the next test


async def test_the_operator_stops_all(
    shop: Saver, destination: LnurlServer, admin: Account
) -> None:
    await admin.call("PUT", f"{API}/programme", {"forwarding": False, "smallest_forward_sats": 500})
    refused = await shop.client.owner.put(
        shop.address("/me/forward"),
        json={"destination": destination.lnurl, "threshold_sats": 499},
    )
    assert "threshold_sats: the operator asks" in refused.json()["detail"]
    await shop.put(destination.lnurl)
    await look()
    assert await shop.forwards() == []
    assert "operator has stopped" in (await shop.state())["problem"]
    await admin.call("PUT", f"{API}/programme", {"forwarding": True})
    await look()
    await shop.one("confirmed")


async def test_a_destination_does_not_follow_to_another_wallet(
    shop: Saver,
    destination: LnurlServer,
    gate: Gate,
    make_wallet: MakeWallet,
    lamassu: LamassuDatabase,
    poll: Poll,
    admin: Account,
) -> None:
    gate.mode = "refuse"
    await shop.put(destination.lnurl)
    await look()
    await shop.one("pending")
    wallet = await make_wallet(shop.client.owner)
    path = f"{API}/partners/{shop.client.id}"
    await admin.call("PUT", path, {"wallet_id": wallet.id})
    await bring(lamassu, poll)
    gate.mode = "pass"
    await look()
    failed = await shop.one("failed")
    assert "partner's wallet was changed" in failed["error"] and failed["told"][0]["code"]
    state = await shop.state()
    assert "set the destination again" in state["problem"] and state["waiting_sats"] == 20_000
    assert await shop.held() == 20_000 and await admin.balance(wallet) == 20_000


@pytest.mark.parametrize("last", [True, False])
async def test_who_has_ended_gets_the_rest_only_if_they_asked_for_it(
    shop: Saver, destination: LnurlServer, admin: Account, last: bool
) -> None:
    await shop.put(destination.lnurl, 1_000_000, last_forward=last)
    await look()
    assert await shop.forwards() == []
    await admin.call("PUT", f"{API}/partners/{shop.client.id}", {"status": "ended"})
    await look()
    state = await shop.state()
    if last:
        assert {f["status"] for f in await shop.forwards()} == {"confirmed"}
        assert state["waiting_sats"] < 15
    else:
        assert await shop.forwards() == []
        assert "part of the commission has ended" in state["problem"] and state["told"][0]["code"]


# ---- being told ------------------------------------------------------------------------------


async def test_the_partner_is_told_and_so_is_the_webhook(
    shop: Saver, destination: LnurlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lnbits.settings import settings
    from satmachineclient.database import fetch_rows

    monkeypatch.setattr(settings, "lnbits_callback_url_rules", [])
    body = {"webhook_url": "https://hook.example/", "webhook_events": True}
    await shop.admin.call("PUT", f"{API}/alerts/settings", body)
    own = await invoice_here(shop.client.wallet, 19_801)
    destination.before = lambda path, query: (
        json_answer({"pr": own, "routes": []}) if path == "/invoice" else None
    )
    await shop.put(destination.lnurl)
    await look()
    failed = await shop.one("failed")
    destination.before = lambda path, query: None
    await shop.admin.call("POST", f"{API}/forwards/{failed['id']}/retry")
    await look()
    await shop.one("confirmed")
    letters = await fetch_rows(
        "SELECT channel, user_id, kind, text FROM satmachineclient.dca_outbox "
        "WHERE kind LIKE 'forward%'"
    )
    told = {(row["channel"], row["kind"]): (row["user_id"], row["text"]) for row in letters}
    for kind in ("forward_set", "forward_failed"):
        assert told["client", kind][0] == shop.client.owner.user_id
    assert "the very wallet" in told["client", "forward_failed"][1]
    assert told["webhook", "forward_confirmed"][1] == (
        "19801 sats arrived at a partner's own destination."
    )

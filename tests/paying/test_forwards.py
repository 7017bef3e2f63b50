"""Sats go on to the client's own keys: really, through a second LNbits, and never twice."""

import asyncio
import contextlib
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import httpx
import pytest

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account, Lnbits, Wallet
from demo.outside import LnurlServer, Outside, json_answer
from demo.sales import Sale
from tests.gate import Gate
from tests.misbehaving import BAD
from tests.rig import API, Configure, DcaClient, MakeClient, MakeWallet, Poll

pytestmark = pytest.mark.storage


@pytest.fixture
def destination(outside: Outside) -> LnurlServer:
    server = outside.destination
    server.least, server.most = 10, 1_000_000
    server.before = lambda path, query: None
    server.asked.clear()
    return server


@dataclass
class Saver:
    """A client, or a partner, who saves: their side of the API, and what they have outside."""

    client: DcaClient
    outside: Outside
    admin: Account
    me: str = "/me"
    named: str = "client_id"

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        return await self.client.owner.call(method, self.address(path), body)

    def address(self, path: str) -> str:
        own = path.replace("/me", self.me, 1)
        return f"{API}{own}?{self.named}={self.client.id}"

    async def put(self, destination: str | None, threshold: int | None = 1000, **more: Any) -> Any:
        body = {"destination": destination, "threshold_sats": threshold, **more}
        return await self.call("PUT", "/me/forward", body)

    async def state(self) -> dict[str, Any]:
        found: dict[str, Any] = await self.call("GET", "/me/forward")
        return found

    async def forwards(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self.call("GET", "/me/forwards")
        return found

    async def one(self, status: str) -> dict[str, Any]:
        """The one forward there is."""
        [forward] = await (self.ended() if status == "confirmed" else self.forwards())
        assert forward["status"] == status, forward
        return forward

    async def ended(self) -> list[dict[str, Any]]:
        """All forwards, none under way: on a busy machine LNbits asks its node once more."""
        for _ in range(20):
            found = await self.forwards()
            if not any(forward["status"] == "in_flight" for forward in found):
                break
            await grown_old()
            await look()
        return found

    async def held(self) -> int:
        return await self.client.owner.balance(self.client.wallet)


@pytest.fixture
async def saver(
    gate: Gate,
    outside: Outside,
    configure: Configure,
    make_client: MakeClient,
    admin: Account,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> Saver:
    """A client into whose wallet the programme has just brought 20,000 sats."""
    await configure()
    client = await make_client(deposits={"GTQ": "9000.00"})
    made = Saver(client, outside, admin)
    await bring(lamassu, poll, 20_000)
    assert await made.held() == 20_000
    return made


async def bring(lamassu: LamassuDatabase, poll: Poll, sats: int) -> None:
    time = datetime.now(timezone.utc)
    await lamassu.insert(
        Sale(
            created=time,
            cash_at=time,
            crypto_atoms=sats,
            fiat=Decimal(200),
            commission_percentage=Decimal(0),
        )
    )
    assert (await poll())["success"]


async def look(*, at_once: bool = True) -> None:
    """As the background task looks; `at_once` as if all pauses were over."""
    from satmachineclient.database import ledger
    from satmachineclient.paying import forwards

    if at_once:
        async with ledger() as work:
            await work.execute("UPDATE satmachineclient.dca_forwards SET next_attempt_at = NULL")
    await forwards.look()


async def grown_old() -> None:
    """As if LNbits had booked its payments a minute ago."""
    from lnbits.core.db import db

    earlier = datetime.fromtimestamp(time.time() - 60, timezone.utc)
    await db.execute(
        f"UPDATE apipayments SET created_at = {db.timestamp_placeholder('time')} "  # noqa: S608
        "WHERE status = 'pending'",
        {"time": earlier.timestamp()},
    )


async def invoices_expire() -> None:
    from satmachineclient.database import ledger

    async with ledger() as work:
        await work.execute(
            "UPDATE satmachineclient.dca_forwards SET invoice_expires_at = :past",
            past=datetime(2020, 1, 1, tzinfo=timezone.utc),
        )


async def books_agree(admin: Account) -> None:
    books = await admin.call("GET", f"{API}/reconciliation")
    assert books["ok"], books


# ---- it is sent ------------------------------------------------------------------------------


async def test_what_waits_is_sent_on_with_its_fee(
    saver: Saver, destination: LnurlServer, outside: Outside, admin: Account
) -> None:
    before = await outside.received()
    answer = await saver.put(destination.lnurl, 1000)
    assert (answer["min_sats"], answer["max_sats"]) == (10, 1_000_000)
    assert answer["waiting_sats"] == 20_000
    await look()
    forward = await saver.one("confirmed")
    # As much as fits together with 1 % for the fee.
    assert forward["amount_sats"] == 19_801
    assert forward["payment_hash"] and forward["confirmed_at"]
    assert await outside.received() - before == 19_801
    state = await saver.state()
    assert state["forwarded_sats"] == 19_801
    assert state["waiting_sats"] + state["fee_sats"] == 20_000 - 19_801
    assert state["in_flight_sats"] == 0 and state["problem"] is None
    assert await saver.held() == state["waiting_sats"]
    await books_agree(admin)


async def test_below_the_threshold_it_waits(
    saver: Saver, destination: LnurlServer, lamassu: LamassuDatabase, poll: Poll
) -> None:
    await saver.put(destination.lnurl, 25_000)
    await look()
    assert await saver.forwards() == []
    await bring(lamassu, poll, 6_000)
    await look()
    assert (await saver.one("confirmed"))["amount_sats"] == 25_742  # and 257 for the fee


async def test_other_sats_in_the_wallet_are_not_touched(
    saver: Saver, destination: LnurlServer, admin: Account
) -> None:
    await admin.top_up(saver.client.wallet, 50_000)
    await saver.put(destination.lnurl)
    await look()
    assert (await saver.one("confirmed"))["amount_sats"] == 19_801
    assert await saver.held() == 50_000 + 199


async def test_more_than_the_destination_takes_goes_in_parts(
    saver: Saver, destination: LnurlServer, outside: Outside, admin: Account
) -> None:
    destination.most = 8_000
    before = await outside.received()
    await saver.put(destination.lnurl, 15_000)
    await look()
    forwards = await saver.forwards()
    assert sorted(f["amount_sats"] for f in forwards)[1:] == [8_000, 8_000]
    assert {f["status"] for f in forwards} == {"confirmed"}
    assert await outside.received() - before == sum(f["amount_sats"] for f in forwards)
    assert (await saver.state())["waiting_sats"] < 200
    await books_agree(admin)


async def test_an_address_on_the_same_lnbits_is_paid_inside(
    saver: Saver, destination: LnurlServer, admin: Account, make_wallet: MakeWallet
) -> None:
    wallet = await make_wallet(admin)
    invoices = iter([await invoice_here(wallet, 19_801)])
    destination.before = lambda path, query: (
        json_answer({"pr": next(invoices), "routes": []}) if path == "/invoice" else None
    )
    await saver.put(destination.lnurl)
    await look()
    assert (await saver.one("confirmed"))["fee_sats"] == 0
    assert await admin.balance(wallet) == 19_801
    await books_agree(admin)


async def invoice_here(wallet: Wallet, sats: int) -> str:
    from lnbits.core.services.payments import create_invoice

    return str((await create_invoice(wallet_id=wallet.id, amount=sats, memo="")).bolt11)


# ---- it is sent once -------------------------------------------------------------------------


async def test_a_held_payment_is_on_its_way_and_has_no_second_invoice(
    saver: Saver, destination: LnurlServer, gate: Gate, outside: Outside, admin: Account
) -> None:
    before = await outside.received()
    gate.mode = "hold"
    await saver.put(destination.lnurl)
    for _ in range(3):
        await look()
    forward = await saver.one("in_flight")
    state = await saver.state()
    assert state["in_flight_sats"] == forward["amount_sats"] and state["waiting_sats"] < 200
    assert len(gate.sent) == 1 and destination.asked.count("/invoice") == 1
    retry = await admin.post(f"{API}/forwards/{forward['id']}/retry")
    assert retry.status_code == httpx.codes.CONFLICT
    gate.settle()
    await grown_old()
    await look()
    assert (await saver.one("confirmed"))["payment_hash"] == forward["payment_hash"]
    assert await outside.received() - before == forward["amount_sats"]
    await books_agree(admin)


async def test_a_payment_that_failed_late_is_sent_again_with_a_new_invoice(
    saver: Saver, destination: LnurlServer, gate: Gate, outside: Outside, admin: Account
) -> None:
    before = await outside.received()
    gate.mode = "hold"
    await saver.put(destination.lnurl)
    await look()
    first = await saver.one("in_flight")
    gate.cancel()
    await grown_old()
    await look()
    failed = await saver.one("pending")
    assert failed["attempts"] == 1 and "tried again" in failed["error"]
    await look()
    second = await saver.one("confirmed")
    assert second["payment_hash"] != first["payment_hash"]
    assert await outside.received() - before == second["amount_sats"]
    await books_agree(admin)


async def test_no_route_waits_and_is_tried_again(
    saver: Saver, destination: LnurlServer, gate: Gate, outside: Outside
) -> None:
    gate.mode = "refuse"
    await saver.put(destination.lnurl)
    await look()
    forward = await saver.one("pending")
    assert "no route" in forward["error"]
    assert (await saver.state())["problem"] == forward["error"]
    assert await saver.held() == 20_000
    await look(at_once=False)
    assert len(gate.sent) == 1  # the pause is not over
    gate.mode = "pass"
    await look()
    await saver.one("confirmed")
    assert (await saver.state())["problem"] is None


async def test_an_unknown_answer_of_the_funding_source_is_not_a_failure(
    saver: Saver, destination: LnurlServer, gate: Gate, outside: Outside
) -> None:
    gate.mode = "down"
    await saver.put(destination.lnurl)
    await look()
    await grown_old()
    await look()
    await saver.one("in_flight")
    assert len(gate.sent) == 1 and destination.asked.count("/invoice") == 1


@pytest.fixture
async def stranded(
    saver: Saver, destination: LnurlServer, gate: Gate, outside: Outside
) -> dict[str, Any]:
    """A forward of which LNbits' node never heard; its invoice can be paid no more."""
    gate.mode = "down"
    await saver.put(destination.lnurl)
    await look()
    gate.mode = "pass"
    await invoices_expire()
    await grown_old()
    return await saver.one("in_flight")


async def close(admin: Account, forward: dict[str, Any], reason: Any = "unknown") -> httpx.Response:
    return await admin.post(f"{API}/forwards/{forward['id']}/close", json={"reason": reason})


async def test_what_lnbits_will_never_know_is_closed_by_hand_and_sent_again(
    saver: Saver, stranded: dict[str, Any], outside: Outside, admin: Account
) -> None:
    before = await outside.received()
    await look()
    assert await saver.held() == 0  # with the reserve for the fee; LNbits asks its node for ever
    assert (await close(admin, stranded)).json()["status"] == "failed"
    assert await saver.held() == 20_000
    await look()
    newest, closed = await saver.forwards()
    assert (newest["status"], closed["status"]) == ("confirmed", "failed")
    assert closed["error"] == "Closed as not paid: unknown"
    assert await outside.received() - before == newest["amount_sats"]
    [entry] = [e for e in await admin.call("GET", f"{API}/audit") if e["subject"] == closed["id"]]
    assert (entry["action"], entry["after"]["reason"]) == ("forward closed", "unknown")
    assert entry["before"]["payment_hash"] == stranded["payment_hash"]
    assert (await close(admin, stranded)).status_code == httpx.codes.CONFLICT
    await books_agree(admin)


async def test_a_closed_one_that_lnbits_lost_is_sent_again(
    saver: Saver, stranded: dict[str, Any], outside: Outside, admin: Account
) -> None:
    from lnbits.core.db import db

    await db.execute(
        "DELETE FROM apipayments WHERE payment_hash = :hash", {"hash": stranded["payment_hash"]}
    )
    await look()
    assert "has lost its booking" in (await saver.one("in_flight"))["error"]
    assert (await close(admin, stranded)).json()["status"] == "failed"
    await look()
    assert [forward["status"] for forward in await saver.forwards()] == ["confirmed", "failed"]
    await books_agree(admin)


async def test_what_was_closed_and_paid_all_the_same_shows_in_the_books(
    saver: Saver, stranded: dict[str, Any], admin: Account
) -> None:
    from lnbits.core.db import db

    assert (await close(admin, stranded)).json()["status"] == "failed"
    await db.execute(
        "UPDATE apipayments SET status = 'success' WHERE payment_hash = :hash AND amount < 0",
        {"hash": stranded["payment_hash"]},
    )
    books = await admin.call("GET", f"{API}/reconciliation")
    [difference] = [each for each in books["differences"] if each["kind"] == "forward"]
    assert difference["id"] == stranded["id"] and "given up" in difference["detail"]


async def test_only_what_can_be_paid_no_more_is_closed(
    saver: Saver, destination: LnurlServer, gate: Gate, outside: Outside, admin: Account
) -> None:
    gate.mode = "hold"
    await saver.put(destination.lnurl)
    await look()
    forward = await saver.one("in_flight")
    refused = await close(admin, forward)
    assert refused.status_code == httpx.codes.CONFLICT and "may still be paid" in refused.text
    assert (await close(admin, forward, reason="")).status_code == httpx.codes.BAD_REQUEST
    gate.settle()
    await grown_old()
    await look()
    await saver.one("confirmed")
    assert "not on its way" in (await close(admin, forward)).text


async def test_the_node_is_asked_once_more_before_one_is_closed(
    saver: Saver, destination: LnurlServer, gate: Gate, outside: Outside, admin: Account
) -> None:
    gate.mode = "hold"
    await saver.put(destination.lnurl)
    await look()
    forward = await saver.one("in_flight")
    gate.settle()
    await grown_old()
    await invoices_expire()
    refused = await close(admin, forward)
    assert refused.status_code == httpx.codes.CONFLICT and "learnt" in refused.text
    await saver.one("confirmed")
    await books_agree(admin)


async def test_many_looks_at_once_send_it_once(
    saver: Saver, destination: LnurlServer, gate: Gate, outside: Outside
) -> None:
    """As two servers do: each with its own lock, so none here."""
    from satmachineclient.paying import forwards

    before = await outside.received()
    await saver.put(destination.lnurl)
    kept, forwards._looking = forwards._looking, contextlib.nullcontext()  # type: ignore[assignment]
    try:
        await asyncio.gather(*(look() for _ in range(6)))
    finally:
        forwards._looking = kept
    await look()
    forward = await saver.one("confirmed")
    assert await outside.received() - before == forward["amount_sats"]


async def test_who_comes_too_late_pays_nothing(
    saver: Saver, destination: LnurlServer, gate: Gate
) -> None:
    """A server that stood still between storing the invoice and paying it, overtaken meanwhile."""
    from satmachineclient.paying import crud_forwards, in_flight

    gate.mode = "refuse"
    await saver.put(destination.lnurl)
    await look()
    row = await crud_forwards.get_forward((await saver.one("pending"))["id"])
    assert row is not None
    stale = row.copy(
        update={"bolt11": saver.outside.invoice(19_801_000), "payment_hash": "its hash then"}
    )
    gate.mode = "pass"
    with pytest.raises(in_flight.TooLateError):
        await in_flight.pay(stale)
    assert await saver.held() == 20_000 and len(gate.sent) == 1


# ---- destinations that misbehave -------------------------------------------------------------


@pytest.mark.parametrize("behaviour", BAD)
async def test_a_destination_that_fails_is_asked_again_later(
    saver: Saver,
    destination: LnurlServer,
    gate: Gate,
    behaviour: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from satmachineclient.paying import destinations

    await saver.put(destination.lnurl)
    monkeypatch.setattr(destinations, "ASK_SECONDS", 2)
    destination.before = BAD[behaviour]
    await look()
    forward = await saver.one("pending")
    assert forward["error"].startswith("The destination ")
    assert forward["next_attempt_at"] > forward["created_at"]
    assert gate.sent == [] and await saver.held() == 20_000
    destination.before = lambda path, query: None
    await look()
    await saver.one("confirmed")


async def test_an_invoice_of_another_amount_is_not_paid(
    saver: Saver, destination: LnurlServer, gate: Gate, outside: Outside
) -> None:
    await saver.put(destination.lnurl)
    destination.before = lambda path, query: (
        json_answer({"pr": outside.invoice(1_000_000), "routes": []})
        if path == "/invoice"
        else None
    )
    await look()
    await saver.one("pending")
    assert gate.sent == []


async def test_the_same_invoice_is_not_paid_for_two_forwards(
    saver: Saver,
    destination: LnurlServer,
    gate: Gate,
    outside: Outside,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    destination.most = destination.least = 5_000
    only = outside.invoice(5_000_000)
    destination.before = lambda path, query: (
        json_answer({"pr": only, "routes": []}) if path == "/invoice" else None
    )
    await saver.put(destination.lnurl, 5_000)
    await look()
    forwards = await saver.ended()
    assert [f["status"] for f in forwards if f["status"] == "confirmed"] == ["confirmed"]
    [other] = [f for f in forwards if f["status"] != "confirmed"]
    assert "paid before" in other["error"]
    assert len(gate.sent) == 1


async def test_a_destination_that_loops_to_the_clients_wallet_needs_a_person(
    saver: Saver, destination: LnurlServer, admin: Account
) -> None:
    loop = await invoice_here(saver.client.wallet, 19_801)
    await saver.put(destination.lnurl)
    destination.before = lambda path, query: (
        json_answer({"pr": loop, "routes": []}) if path == "/invoice" else None
    )
    await look()
    forward = await saver.one("failed")
    assert "the very wallet" in forward["error"]
    await look()
    await saver.one("failed")  # nothing more until somebody acts
    destination.before = lambda path, query: None
    answer = await admin.call("POST", f"{API}/forwards/{forward['id']}/retry")
    assert answer["username"] is not None
    await look()
    await saver.one("confirmed")


async def test_a_failing_destination_does_not_hold_up_the_others(
    saver: Saver,
    destination: LnurlServer,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
    outside: Outside,
) -> None:
    other = Saver(await make_client(deposits={"GTQ": "9000.00"}), outside, saver.admin)
    await bring(lamassu, poll, 20_000)
    await other.put(destination.lnurl)
    await saver.put(destination.lnurl_of("/pay?gone=1"))
    destination.before = lambda path, query: (404, {}, b"") if "gone" in query else None
    await look()
    await saver.one("pending")
    await other.one("confirmed")


# ---- the wallet ------------------------------------------------------------------------------


async def test_a_wallet_emptied_by_its_owner_sends_what_it_holds(
    saver: Saver, destination: LnurlServer, outside: Outside
) -> None:
    await spend(saver, 15_000)
    await saver.put(destination.lnurl)
    assert (await saver.state())["waiting_sats"] == 5_000
    await look()
    assert (await saver.one("confirmed"))["amount_sats"] == 4_950
    assert (await saver.state())["waiting_sats"] == 50


async def test_an_empty_wallet_says_so(saver: Saver, destination: LnurlServer) -> None:
    await spend(saver, 19_995)
    await saver.put(destination.lnurl)
    await look()
    assert await saver.forwards() == []
    state = await saver.state()
    assert state["waiting_sats"] == 5 and "Your wallet holds 5 sats" in state["problem"]


async def spend(saver: Saver, sats: int) -> None:
    """The client pays somebody on the same LNbits by hand."""
    from lnbits.core.services.payments import create_invoice, pay_invoice

    somebody = await saver.admin.create_wallet("somebody")
    invoice = await create_invoice(wallet_id=somebody.id, amount=sats, memo="", internal=True)
    await pay_invoice(wallet_id=saver.client.wallet.id, payment_request=invoice.bolt11)


async def test_lnbits_daily_limit_waits(saver: Saver, destination: LnurlServer) -> None:
    from lnbits.settings import settings

    await saver.put(destination.lnurl)
    settings.lnbits_wallet_limit_secs_between_trans = 3600
    try:
        await look()
    finally:
        settings.lnbits_wallet_limit_secs_between_trans = 0
    assert "LNbits refused it" in (await saver.one("pending"))["error"]
    await look()
    await saver.one("confirmed")


# ---- who decides -----------------------------------------------------------------------------


async def test_only_the_client_sets_the_destination(
    saver: Saver,
    destination: LnurlServer,
    lnbits: Lnbits,
    admin: Account,
    other_admin: Account,
    make_client: MakeClient,
) -> None:
    body = {"destination": destination.lnurl, "threshold_sats": 1000}
    path = f"{API}/me/forward"
    mine = f"{path}?client_id={saver.client.id}"
    another = await make_client(owner=other_admin)
    keys = (saver.client.wallet.inkey, another.wallet.adminkey, "no key")
    for asking in (admin, *(lnbits.anonymous({"X-Api-Key": key}) for key in keys)):
        answer = await asking.put(mine, json=body)
        assert 400 <= answer.status_code < 500, answer.text
    assert (await saver.state())["destination"] is None
    with_key = lnbits.anonymous({"X-Api-Key": saver.client.wallet.adminkey})
    answer = await with_key.put(path, json=body)
    assert answer.status_code == httpx.codes.OK, answer.text
    assert answer.json()["destination"] == destination.lnurl
    reading = lnbits.anonymous({"X-Api-Key": saver.client.wallet.inkey})
    assert (await reading.get(path)).json()["threshold_sats"] == 1000
    [entry] = [
        e for e in await admin.call("GET", f"{API}/audit") if e["action"] == "forwarding set"
    ]
    assert entry["after"]["destination"] == destination.lnurl
    await look()  # what was woken by it ends before the next test


WRONG: list[tuple[Any, Any, str]] = [
    ("nobody", 1000, "destination"),
    ("", 1000, "destination"),
    (7, 1000, "destination"),
    ("https://example.com/pay", 1000, "destination"),
    ("ana@does-not-resolve.invalid", 1000, "destination"),
    ("lnurlw://127.0.0.1/x", 1000, "destination"),
    ("lnurl1qqqqqq", 1000, "destination"),
    ("x" * 2001, 1000, "destination"),
    *(("here", bad, "threshold_sats") for bad in (0, -5, 1.5, "1000", True, None, 9)),
    ("here", 21 * 10**14 + 1, "threshold_sats"),
    ("withdraw", 1000, "destination"),
    ("login", 1000, "destination"),
    ("gone", 1000, "destination"),
    ("refuses", 1000, "destination"),
]


async def test_bad_input_names_its_field_and_changes_nothing(
    saver: Saver, destination: LnurlServer, gate: Gate, subtests: pytest.Subtests
) -> None:
    withdraw = {
        "tag": "withdrawRequest",
        "callback": destination.url,
        "k1": "00",
        "defaultDescription": "",
        "minWithdrawable": 1000,
        "maxWithdrawable": 1000,
    }
    odd = {"/withdraw": withdraw, "/refuses": {"status": "ERROR", "reason": "not for you"}}
    destination.before = lambda path, query: json_answer(odd[path]) if path in odd else None
    named = {
        "here": destination.lnurl,
        "withdraw": destination.lnurl_of("/withdraw"),
        "login": destination.lnurl_of("/login?tag=login&k1=" + "00" * 32),
        "gone": destination.lnurl_of("/gone"),
        "refuses": destination.lnurl_of("/refuses"),
    }
    for address, threshold, field in WRONG:
        with subtests.test(address=address, threshold=threshold, field=field):
            answer = await saver.client.owner.put(
                f"{API}/me/forward?client_id={saver.client.id}",
                json={"destination": named.get(address, address), "threshold_sats": threshold},
            )
            assert answer.status_code == httpx.codes.BAD_REQUEST, answer.text
            assert answer.json()["detail"].startswith(f"{field}: "), answer.text
            assert (await saver.state())["destination"] is None
            assert await saver.forwards() == [] and await saver.held() == 20_000


async def test_a_private_address_is_refused_unless_lnbits_allows_it(
    saver: Saver, destination: LnurlServer
) -> None:
    from lnbits.settings import settings

    settings.lnbits_lnurl_allow_private_ips = False
    answer = await saver.client.owner.put(
        f"{API}/me/forward?client_id={saver.client.id}",
        json={"destination": destination.lnurl, "threshold_sats": 1000},
    )
    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert answer.json()["detail"].startswith("destination: ")
    assert destination.asked == []


async def test_the_operator_stops_all_and_sets_the_smallest(
    saver: Saver, destination: LnurlServer, admin: Account
) -> None:
    await admin.call("PUT", f"{API}/programme", {"smallest_forward_sats": 5_000})
    answer = await saver.client.owner.put(
        f"{API}/me/forward?client_id={saver.client.id}",
        json={"destination": destination.lnurl, "threshold_sats": 4_999},
    )
    assert "threshold_sats: the operator asks" in answer.json()["detail"]
    await admin.call("PUT", f"{API}/programme", {"forwarding": False})
    await saver.put(destination.lnurl, 5_000)
    await look()
    assert await saver.forwards() == []
    assert "operator has stopped" in (await saver.state())["problem"]
    await admin.call("PUT", f"{API}/programme", {"forwarding": True})
    await look()
    await saver.one("confirmed")


async def test_a_destination_does_not_follow_to_another_wallet(
    saver: Saver,
    destination: LnurlServer,
    make_wallet: MakeWallet,
    plain_user: Account,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    await saver.put(destination.lnurl, 30_000)
    wallet = await make_wallet(plain_user)
    await saver.admin.call("PUT", f"{API}/clients/{saver.client.id}", {"wallet_id": wallet.id})
    await bring(lamassu, poll, 40_000)
    await look()
    assert await saver.forwards() == []
    assert "set the destination again" in (await saver.state())["problem"]


async def test_switched_off_nothing_is_sent(
    saver: Saver, destination: LnurlServer, gate: Gate
) -> None:
    gate.mode = "refuse"
    await saver.put(destination.lnurl)
    await look()
    await saver.one("pending")
    answer = await saver.put(None, None)
    assert answer["destination"] is None and answer["waiting_sats"] == 20_000
    gate.mode = "pass"
    await look()
    assert "switched off" in (await saver.one("failed"))["error"]
    assert len(gate.sent) == 1


async def test_a_test_sends_the_smallest_amount_before_anything_is_set(
    saver: Saver, destination: LnurlServer, outside: Outside, admin: Account
) -> None:
    before = await outside.received()
    asked = await saver.call("POST", "/me/forward/ask", {"destination": destination.lnurl})
    assert asked["min_sats"] == 10 and asked["suggested_threshold_sats"] == 200
    await saver.call("POST", "/me/forward/test", {"destination": destination.lnurl})
    await look()
    forward = await saver.one("confirmed")
    assert (forward["kind"], forward["amount_sats"]) == ("test", 10)
    assert await outside.received() - before == 10
    assert (await saver.state())["destination"] is None
    await books_agree(admin)


async def test_who_leaves_gets_the_rest_if_they_asked_for_it(
    saver: Saver, destination: LnurlServer
) -> None:
    await saver.put(destination.lnurl, 1_000_000, last_forward=True)
    await look()
    assert await saver.forwards() == []
    await saver.call("PUT", "/me", {"status": "closed"})
    await look()
    assert {f["status"] for f in await saver.forwards()} == {"confirmed"}
    assert (await saver.state())["waiting_sats"] < 15


async def test_who_leaves_without_asking_keeps_it(saver: Saver, destination: LnurlServer) -> None:
    await saver.put(destination.lnurl, 1_000_000)
    await saver.call("PUT", "/me", {"status": "closed"})
    await look()
    assert await saver.forwards() == []


# ---- seeing it -------------------------------------------------------------------------------


async def test_the_operator_searches_and_exports(
    saver: Saver, destination: LnurlServer, admin: Account
) -> None:
    await saver.put(destination.lnurl)
    await look()
    [forward] = await admin.call("GET", f"{API}/forwards")
    assert forward["username"] and forward["client_id"] == saver.client.id
    page = await admin.call("GET", f"{API}/forwards/paginated?search=confirmed&limit=5")
    assert page["total"] == 1 and page["data"] == [forward]
    page = await admin.call("GET", f"{API}/forwards/paginated?status=failed")
    assert page["total"] == 0
    exported = await admin.get(f"{API}/export/forwards?format=json")
    assert exported.json()[0]["payment_hash"] == forward["payment_hash"]


async def test_a_difference_to_lnbits_is_found(
    saver: Saver, destination: LnurlServer, admin: Account
) -> None:
    from satmachineclient.database import ledger

    await saver.put(destination.lnurl)
    await look()
    async with ledger() as work:
        await work.execute("UPDATE satmachineclient.dca_forwards SET fee_msat = fee_msat + 500000")
    books = await admin.call("GET", f"{API}/reconciliation")
    assert {d["kind"] for d in books["differences"]} == {"forward"}
    assert len(books["differences"]) == 2  # the fee, and more than was brought


async def test_the_statement_has_forwards_and_their_fees(
    saver: Saver, destination: LnurlServer, gate: Gate
) -> None:
    gate.fee_msat = 3_500
    await saver.put(destination.lnurl)
    await look()
    forward = await saver.one("confirmed")
    assert forward["fee_sats"] == 4  # a part of a sat counts as one
    statement = await saver.call("GET", "/me/statement")
    assert (statement["total_forwarded_sats"], statement["total_forward_fee_sats"]) == (19_801, 4)
    [line] = statement["forwards"]
    assert line["payment_hash"] == forward["payment_hash"]
    assert (await saver.state())["waiting_sats"] == 20_000 - 19_801 - 4
    csv = await saver.client.owner.get(f"{API}/me/statement?client_id={saver.client.id}&format=csv")
    assert ",forward,SATS,,-19801," in csv.text and ",forward fee,SATS,,-4," in csv.text
    await books_agree(saver.admin)


async def test_an_arrived_forward_is_told_to_the_webhook_that_wants_events(
    saver: Saver, destination: LnurlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lnbits.settings import settings
    from satmachineclient.database import fetch_rows

    monkeypatch.setattr(settings, "lnbits_callback_url_rules", [])
    body = {"webhook_url": "https://hook.example/", "webhook_events": True}
    await saver.admin.call("PUT", f"{API}/alerts/settings", body)
    await saver.put(destination.lnurl)
    await look()
    forward = await saver.one("confirmed")
    await look()
    letters = await fetch_rows(
        "SELECT id, subject, text FROM satmachineclient.dca_outbox WHERE kind = 'forward_confirmed'"
    )
    assert [dict(letter) for letter in letters] == [
        {
            "id": f"webhook:forward_confirmed:{forward['id']}",
            "subject": forward["id"],
            "text": f"{forward['amount_sats']} sats arrived at a client's own destination.",
        }
    ]

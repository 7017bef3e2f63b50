"""Cash that lies in one machine goes out with that machine's sales, and with no other's."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account, LnbitsError
from demo.sales import MACHINE, UNPAIRED_MACHINE, Sale
from tests.lamassu_rig import now
from tests.rig import API, DcaClient, MakeClient, Poll, Setup

pytestmark = pytest.mark.storage

HERE, THERE = MACHINE, UNPAIRED_MACHINE


def sale(fiat: int, device: str = HERE, ago: int = 0) -> Sale:
    time = now() - timedelta(minutes=ago)
    return Sale(
        created=time,
        confirmed_at=time,
        cash_at=time,
        fiat=Decimal(fiat),
        device_id=device,
        crypto_atoms=fiat * 100,
        commission_percentage=Decimal(0),
    )


@pytest.fixture
async def two(configured: Setup, lamassu: LamassuDatabase, poll: Poll) -> None:
    """Both machines are known, and nobody had cash yet."""
    await lamassu.insert(sale(100), sale(100, THERE))
    await poll()


async def deposit(
    admin: Account, client: DcaClient, amount: str, device: str | None = None, **fields: Any
) -> Any:
    body = {"client_id": client.id, "amount": amount, "currency": "GTQ", "device_id": device}
    made = await admin.call("POST", f"{API}/deposits", {**body, **fields})
    path = f"{API}/deposits/{made['id']}/status"
    return await admin.call("PUT", path, {"status": "confirmed"})


async def parts(admin: Account, client: DcaClient) -> tuple[str, dict[str, str]]:
    """What is left of it all, and of it in each machine."""
    answer = await admin.call("GET", f"{API}/clients/{client.id}/balance")
    (balance,) = answer["balances"]
    return balance["remaining_balance"], balance["remaining_by_machine"]


async def shares(admin: Account) -> list[tuple[str, str, str, str]]:
    """Per sale, oldest first: machine, client, fiat, and of it the machine's own."""
    found = []
    rows = await admin.call("GET", f"{API}/transactions")
    for row in sorted(rows, key=lambda row: row["transaction_time"]):
        for share in await admin.call("GET", f"{API}/transactions/{row['id']}/distributions"):
            found.append(
                (row["device_id"], share["username"], share["amount_fiat"], share["machine_fiat"])
            )
    return found


async def reconciled(admin: Account) -> None:
    books = await admin.call("GET", f"{API}/reconciliation")
    assert books["ok"], books["differences"]


@pytest.mark.usefixtures("two")
async def test_a_sale_draws_on_what_lies_there_and_on_what_lies_anywhere(
    admin: Account, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    here, there, anywhere = [await make_client(name) for name in ("here", "there", "anywhere")]
    assert (await deposit(admin, here, "300.00", HERE))["device_name"] == "Kiosk"
    await deposit(admin, there, "300.00", THERE)
    await deposit(admin, anywhere, "300.00")
    await lamassu.insert(sale(200))
    await poll()
    assert sorted(await shares(admin)) == [
        (HERE, "anywhere", "100.00", "0.00"),
        (HERE, "here", "100.00", "100.00"),
    ]
    assert await parts(admin, here) == ("200.00", {HERE: "200.00"})
    assert await parts(admin, there) == ("300.00", {THERE: "300.00"})
    assert await parts(admin, anywhere) == ("200.00", {})
    await reconciled(admin)


@pytest.mark.usefixtures("two")
async def test_the_weight_is_both_parts_and_the_machines_own_goes_first(
    admin: Account, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    both, other = await make_client("both"), await make_client("other", {"GTQ": "300.00"})
    await deposit(admin, both, "50.00", HERE)
    await deposit(admin, both, "250.00")
    await deposit(admin, both, "1000.00", THERE)
    await lamassu.insert(sale(200))
    await poll()
    assert sorted(await shares(admin)) == [
        (HERE, "both", "100.00", "50.00"),
        (HERE, "other", "100.00", "0.00"),
    ]
    assert await parts(admin, both) == ("1200.00", {THERE: "1000.00"})
    assert await parts(admin, other) == ("200.00", {})
    await reconciled(admin)


@pytest.mark.usefixtures("two")
async def test_a_share_that_is_voided_goes_back_to_where_it_came_from(
    admin: Account,
    configured: Setup,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from lnbits.settings import settings

    client = await make_client("gone")
    await deposit(admin, client, "50.00", HERE)
    await deposit(admin, client, "100.00")
    monkeypatch.setattr(settings, "lnbits_only_allow_incoming_payments", True)
    await lamassu.insert(sale(70))
    await poll()
    assert await parts(admin, client) == ("80.00", {})
    rows = await admin.call("GET", f"{API}/transactions")
    row = max(rows, key=lambda row: row["transaction_time"])
    (share,) = await admin.call("GET", f"{API}/transactions/{row['id']}/distributions")
    await admin.call("POST", f"{API}/payments/{share['id']}/void", {"reason": "gone"})
    assert await parts(admin, client) == ("150.00", {HERE: "50.00"})
    await reconciled(admin)


@pytest.mark.usefixtures("two")
async def test_a_withdrawal_says_from_which_part(admin: Account, make_client: MakeClient) -> None:
    client = await make_client("client", {"GTQ": "100.00"})
    await deposit(admin, client, "40.00", HERE)
    path = f"{API}/clients/{client.id}/withdrawals"

    async def withdraw(amount: str, device: str | None = None) -> Any:
        body = {"amount": amount, "currency": "GTQ", "reason": "back", "device_id": device}
        return await admin.call("POST", path, body)

    with pytest.raises(LnbitsError, match=r"amount: at most 100.00 GTQ is left; 40.00 more"):
        await withdraw("100.01")
    with pytest.raises(LnbitsError, match=r"amount: at most 40.00 GTQ is left in this machine"):
        await withdraw("40.01", HERE)
    with pytest.raises(LnbitsError, match=r"amount: at most 0.00 GTQ is left in this machine"):
        await withdraw("1.00", THERE)
    with pytest.raises(LnbitsError, match=r"400.*device_id:"):
        await withdraw("1.00", "nobody")
    assert (await withdraw("15.00", HERE))["device_id"] == HERE
    await withdraw("100.00")
    assert await parts(admin, client) == ("25.00", {HERE: "25.00"})
    await reconciled(admin)


@pytest.mark.usefixtures("two")
async def test_a_settlement_takes_all_of_it_wherever_it_lies(
    admin: Account, make_client: MakeClient
) -> None:
    client = await make_client("leaving", {"GTQ": "100.00"})
    await deposit(admin, client, "40.00", HERE)
    await deposit(admin, client, "10.00", THERE)
    path = f"{API}/clients/{client.id}/settle-out"
    body = {"currency": "GTQ", "exchange_rate": "750000", "reason": "leaves"}
    tried = await admin.call("POST", path, {**body, "dry_run": True})
    assert tried["distributions"][0]["amount_fiat"] == "150.00"
    assert await parts(admin, client) == ("150.00", {HERE: "40.00", THERE: "10.00"})
    settled = await admin.call("POST", path, body)
    assert settled["distributions"][0]["amount_fiat"] == "150.00"
    assert settled["client"]["status"] == "closed"
    assert await parts(admin, client) == ("0.00", {})
    statement = await admin.call("GET", f"{API}/clients/{client.id}/statement")
    assert statement["currencies"][0]["closing_balance"] == "0.00"
    await reconciled(admin)


@pytest.mark.usefixtures("two")
async def test_a_statement_says_what_lies_in_which_machine(
    admin: Account, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    client = await make_client("client", {"GTQ": "100.00"})
    await deposit(admin, client, "40.00", HERE)
    await deposit(admin, client, "10.00", THERE)
    await lamassu.insert(sale(20))
    await poll()
    path = f"{API}/clients/{client.id}/statement"
    (part,) = (await admin.call("GET", path))["currencies"]
    assert part["closing_balance"] == "130.00"
    assert part["in_machines"] == [
        {
            "device_id": THERE,
            "device_name": None,
            "opening_balance": "0.00",
            "closing_balance": "10.00",
        },
        {
            "device_id": HERE,
            "device_name": "Kiosk",
            "opening_balance": "0.00",
            "closing_balance": "20.00",
        },
    ]
    assert [d["device_name"] for d in part["deposits"]] == [None, "Kiosk", None]
    (purchase,) = part["purchases"]
    assert (purchase["device_name"], purchase["machine_fiat"]) == ("Kiosk", "20.00")
    text = (await admin.get(f"{path}?format=csv")).text
    assert text.splitlines()[0].endswith(",machine,from_machine")


@pytest.mark.usefixtures("two")
async def test_a_test_transaction_names_its_machine(
    admin: Account, make_client: MakeClient
) -> None:
    here, anywhere = await make_client("here"), await make_client("anywhere", {"GTQ": "50.00"})
    await deposit(admin, here, "50.00", HERE)
    body = {
        "crypto_amount_sats": 10_000,
        "fiat_amount": "10.00",
        "fiat_code": "GTQ",
        "commission_percentage": "0",
        "discount": 0,
    }

    async def takes_part(device: str | None) -> set[str]:
        answer = await admin.call("POST", f"{API}/test-transaction", {**body, "device_id": device})
        return {share["client_id"] for share in answer["distributions"]}

    assert await takes_part(None) == {anywhere.id}
    assert await takes_part(THERE) == {anywhere.id}
    assert await takes_part(HERE) == {anywhere.id, here.id}
    with pytest.raises(LnbitsError, match=r"400.*device_id:"):
        await takes_part("nobody")
    done = await admin.call(
        "POST", f"{API}/test-transaction", {**body, "device_id": HERE, "dry_run": False}
    )
    assert done["transaction"]["device_name"] == "Kiosk"
    assert await parts(admin, here) == ("45.00", {HERE: "45.00"})
    await reconciled(admin)


UNKNOWN_MACHINES: list[Any] = ["nobody", "", "test", "settle-out", "x" * 201, "a\nb", 5]


@pytest.mark.usefixtures("two")
async def test_a_deposit_in_a_machine_that_nobody_knows_is_refused(
    admin: Account, make_client: MakeClient, subtests: pytest.Subtests
) -> None:
    for device in UNKNOWN_MACHINES:
        with subtests.test(device=device):
            with pytest.raises(LnbitsError, match=r"400.*device_id:"):
                await deposit(admin, await make_client(), "1.00", device)


@pytest.mark.usefixtures("two")
async def test_a_deposit_in_another_currency_than_the_machines_would_never_go_out(
    admin: Account, make_client: MakeClient
) -> None:
    with pytest.raises(LnbitsError, match=r"400.*currency: this machine's is GTQ"):
        await deposit(admin, await make_client(), "1.00", HERE, currency="USD")


@pytest.mark.usefixtures("two")
async def test_cash_that_came_later_does_not_answer_for_an_earlier_sale_elsewhere(
    admin: Account, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    """The part that later sales have taken from later deposits has nothing to give."""
    client = await make_client("client")
    await deposit(admin, client, "50.00", HERE)
    between = now()
    await deposit(admin, client, "100.00")
    await lamassu.insert(sale(70, THERE))
    await poll()
    assert await parts(admin, client) == ("80.00", {HERE: "50.00"})
    # Reported late: when it was, only the machine's own part was there.
    late = sale(70)
    moment = {"created": between, "confirmed_at": between, "cash_at": between}
    await lamassu.insert(Sale(**{**late.__dict__, **moment}))
    await poll()
    assert await parts(admin, client) == ("30.00", {})
    await reconciled(admin)


@pytest.mark.usefixtures("two")
async def test_totals_of_a_machine_that_are_off_are_told(
    admin: Account, make_client: MakeClient
) -> None:
    from satmachineclient.database import ledger

    client = await make_client("client")
    await deposit(admin, client, "50.00", HERE)
    async with ledger() as work:
        await work.execute("UPDATE satmachineclient.dca_machine_balances SET allocated_fiat = 6000")
    books = await admin.call("GET", f"{API}/reconciliation")
    details = " ".join(d["detail"] for d in books["differences"])
    assert f"More GTQ went out of machine {HERE}" in details
    assert (
        f"of machine {HERE} differ from the sums of their rows: allocated_fiat by 6000" in details
    )

"""Partners at the REST interface: added, changed, ended; what is refused; what they see."""

from typing import Any

import pytest

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account, LnbitsError
from demo.sales import MACHINE, UNPAIRED_MACHINE, Sale
from tests.lamassu_rig import now
from tests.rig import API, MakeClient, MakeWallet, Poll, Setup

pytestmark = pytest.mark.storage


@pytest.fixture
async def known(configured: Setup, lamassu: LamassuDatabase, poll: Poll) -> None:
    """Two machines that sales were made at."""
    await lamassu.insert(Sale(created=now()), Sale(created=now(), device_id=UNPAIRED_MACHINE))
    await poll()


async def add(admin: Account, wallet_id: str, percent: Any = "10", **fields: Any) -> Any:
    body = {"name": "Shop", "wallet_id": wallet_id, "percent": percent, **fields}
    return await admin.call("POST", f"{API}/partners", body)


async def change(admin: Account, partner: Any, **fields: Any) -> Any:
    return await admin.call("PUT", f"{API}/partners/{partner['id']}", fields)


@pytest.mark.usefixtures("known")
async def test_a_partner_is_added_changed_and_ended(
    admin: Account, plain_user: Account, make_wallet: MakeWallet
) -> None:
    wallet = await make_wallet(plain_user)
    made = await add(admin, wallet.id, "12.5000", device_ids=[MACHINE])
    assert (made["name"], made["percent"], made["device_ids"]) == ("Shop", "12.5", [MACHINE])
    assert (made["status"], made["total_sats"], made["pending_sats"]) == ("active", 0, 0)
    named = await change(admin, made, name="Shop 2")
    assert (named["name"], named["valid_from"]) == ("Shop 2", made["valid_from"])
    more = await change(admin, made, percent=20, device_ids=[])
    assert (more["percent"], more["device_ids"]) == ("20", [])
    assert more["valid_from"] > made["valid_from"]
    same = await change(admin, made, percent="20.00")
    assert same["valid_from"] == more["valid_from"]
    ended = await change(admin, made, status="ended")
    assert ended["status"] == "ended"
    assert (await admin.call("GET", f"{API}/partners")) == [ended]
    actions = [e["action"] for e in await admin.call("GET", f"{API}/audit")]
    assert (actions.count("partner added"), actions.count("partner changed")) == (1, 3)


BAD_PERCENTAGES: list[Any] = [
    *(0, "0", "-1", "100.0001", "NaN", "Infinity", "1.23456", True, "1_0", None, [], "x"),
]


@pytest.mark.usefixtures("known")
async def test_a_percentage_that_is_none_is_refused(
    admin: Account, plain_user: Account, make_wallet: MakeWallet, subtests: pytest.Subtests
) -> None:
    wallet = await make_wallet(plain_user)
    made = await add(admin, wallet.id)
    for percent in BAD_PERCENTAGES:
        with subtests.test(percent=percent):
            with pytest.raises(LnbitsError, match=r"400.*percent:"):
                await add(admin, wallet.id, percent)
            with pytest.raises(LnbitsError, match=r"400.*percent:"):
                await change(admin, made, percent=percent)


@pytest.mark.usefixtures("known")
async def test_together_they_never_get_more_than_all_of_it_at_any_machine(
    admin: Account, plain_user: Account, make_wallet: MakeWallet
) -> None:
    wallet = (await make_wallet(plain_user)).id
    everywhere = await add(admin, wallet, "40")
    here = await add(admin, wallet, "60", device_ids=[MACHINE])
    there = await add(admin, wallet, "60", device_ids=[UNPAIRED_MACHINE])
    with pytest.raises(LnbitsError, match=r"400.*percent: the partners would get 100.0001 %"):
        await add(admin, wallet, "0.0001")
    with pytest.raises(LnbitsError, match=r"400.*percent:"):
        await change(admin, everywhere, percent="40.0001")
    with pytest.raises(LnbitsError, match=r"400.*device_ids:"):
        await change(admin, here, device_ids=[])
    await change(admin, there, status="ended")
    await change(admin, everywhere, device_ids=[MACHINE])
    more = await add(admin, wallet, "41", device_ids=[UNPAIRED_MACHINE])
    with pytest.raises(LnbitsError, match=r"400.*status:"):
        await change(admin, there, status="active")
    await change(admin, more, percent="40")
    assert (await change(admin, there, status="active"))["status"] == "active"


@pytest.mark.usefixtures("known")
async def test_the_wallet_exists_may_receive_and_is_not_the_one_that_pays(
    admin: Account,
    configured: Setup,
    plain_user: Account,
    make_client: MakeClient,
    make_wallet: MakeWallet,
) -> None:
    client = await make_client()
    assert (await add(admin, client.wallet.id))["wallet_id"] == client.wallet.id
    own = await add(admin, (await make_wallet(plain_user)).id)
    for wallet_id in (configured.source.id, "0" * 32, "", "x" * 65):
        with pytest.raises(LnbitsError, match=r"400.*wallet_id:"):
            await add(admin, wallet_id)
        with pytest.raises(LnbitsError, match=r"400.*wallet_id:"):
            await change(admin, own, wallet_id=wallet_id)


BAD_PARTNERS: list[tuple[str, dict[str, Any]]] = [
    ("device_ids", {"device_ids": ["nobody"]}),
    ("device_ids", {"device_ids": ["a\0b"]}),
    ("device_ids", {"device_ids": [1]}),
    ("device_ids", {"device_ids": "all"}),
    ("name", {"name": ""}),
    ("name", {"name": " "}),
    ("name", {"name": "x" * 101}),
    ("valid_from", {"valid_from": "2026-01-01T00:00:00Z"}),
    ("status", {"status": "paused"}),
]


@pytest.mark.usefixtures("known")
async def test_bad_input_names_its_field(
    admin: Account, plain_user: Account, make_wallet: MakeWallet, subtests: pytest.Subtests
) -> None:
    wallet = (await make_wallet(plain_user)).id
    made = await add(admin, wallet)
    for field, body in BAD_PARTNERS:
        with subtests.test(field=field, body=body):
            with pytest.raises(LnbitsError, match=rf"400.*{field}"):
                await add(admin, wallet, **body)
            with pytest.raises(LnbitsError, match=rf"400.*{field}"):
                await change(admin, made, **body)


@pytest.mark.usefixtures("known")
async def test_a_partner_sees_their_own_and_nobody_elses(
    admin: Account, plain_user: Account, other_admin: Account, make_wallet: MakeWallet, lnbits: Any
) -> None:
    wallet, another = await make_wallet(plain_user), await make_wallet(plain_user)
    made = await add(admin, wallet.id, "10", device_ids=[MACHINE])
    second = await add(admin, another.id, "5", name="Also mine")
    await add(admin, (await make_wallet(other_admin)).id, "1", name="Not mine")
    mine = await plain_user.call("GET", f"{API}/me/partner?partner_id={made['id']}")
    assert (mine["name"], mine["percent"], mine["device_names"]) == ("Shop", "10", ["Kiosk"])
    assert {p["id"] for p in mine["partners"]} == {made["id"], second["id"]}
    assert "user_id" not in mine
    by_key = lnbits.anonymous({"X-Api-Key": wallet.inkey})
    seen = (await by_key.get(f"{API}/me/partner")).json()
    assert [p["id"] for p in seen["partners"]] == [made["id"]]
    answer = await by_key.get(f"{API}/me/partner?partner_id={second['id']}")
    assert answer.status_code == 404

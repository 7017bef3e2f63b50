"""Who may: every route of the extension, against everybody who could knock."""

import re
from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import httpx
import pytest

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import EXTENSION, Account, Lnbits, LnbitsError, Wallet
from demo.sales import Sale
from tests.rig import API, Configure, MakeClient, MakeWallet, Poll, Setup

# Every route, and what an admin is answered who asks it with nothing to work on and an empty body.
ROUTES = {
    ("GET", f"{API}/clients"): 200,
    ("POST", f"{API}/clients"): 400,
    ("GET", f"{API}/clients/paginated"): 200,
    ("PUT", f"{API}/clients/{{client_id}}"): 404,
    ("GET", f"{API}/clients/{{client_id}}/balance"): 404,
    ("GET", f"{API}/clients/{{client_id}}/statement"): 404,
    ("GET", f"{API}/clients/{{client_id}}/value"): 404,
    ("POST", f"{API}/clients/{{client_id}}/withdrawals"): 400,
    ("POST", f"{API}/clients/{{client_id}}/settle-out"): 400,
    ("GET", f"{API}/programme"): 200,
    ("PUT", f"{API}/programme"): 200,
    ("GET", f"{API}/adoption"): 200,
    ("GET", f"{API}/held"): 200,
    ("POST", f"{API}/adopt"): 409,
    ("POST", f"{API}/adopted/{{adopted_id}}/close"): 400,
    ("POST", f"{API}/payments/pay-again"): 409,
    ("POST", f"{API}/payments/{{payment_id}}/pay-again"): 404,
    ("GET", f"{API}/deposits"): 200,
    ("POST", f"{API}/deposits"): 400,
    ("GET", f"{API}/deposits/paginated"): 200,
    ("PUT", f"{API}/deposits/{{deposit_id}}/status"): 400,
    ("GET", f"{API}/transactions"): 200,
    ("GET", f"{API}/transactions/paginated"): 200,
    ("GET", f"{API}/transactions/{{transaction_id}}/distributions"): 404,
    ("GET", f"{API}/transactions/{{transaction_id}}/distributions/paginated"): 404,
    ("POST", f"{API}/transactions/{{transaction_id}}/retry"): 404,
    ("POST", f"{API}/transactions/{{transaction_id}}/distribute"): 404,
    ("POST", f"{API}/transactions/{{transaction_id}}/dismiss"): 400,
    ("POST", f"{API}/payments/{{payment_id}}/retry"): 404,
    ("POST", f"{API}/payments/{{payment_id}}/void"): 400,
    ("GET", f"{API}/config"): 200,
    ("POST", f"{API}/config"): 400,
    ("POST", f"{API}/test-connection"): 409,
    ("POST", f"{API}/manual-poll"): 409,
    ("POST", f"{API}/payouts/now"): 409,
    ("POST", f"{API}/test-transaction"): 400,
    ("GET", f"{API}/polls"): 200,
    ("GET", f"{API}/polls/paginated"): 200,
    ("GET", f"{API}/polls/channel"): 200,
    ("GET", f"{API}/audit"): 200,
    ("GET", f"{API}/audit/paginated"): 200,
    ("GET", f"{API}/reconciliation"): 200,
    ("GET", f"{API}/archive"): 200,
    ("POST", f"{API}/archive"): 400,
    ("GET", f"{API}/overview"): 200,
    ("GET", f"{API}/report"): 200,
    ("GET", f"{API}/export/journal"): 400,
    ("GET", f"{API}/clients/{{client_id}}/history"): 404,
    ("GET", f"{API}/payments/paginated"): 200,
    ("GET", f"{API}/export/{{table}}"): 404,
    ("GET", f"{API}/alerts"): 200,
    ("GET", f"{API}/alerts/paginated"): 200,
    ("GET", f"{API}/alerts/settings"): 200,
    ("PUT", f"{API}/alerts/settings"): 200,
    ("POST", f"{API}/alerts/test"): 200,
    ("GET", f"{API}/health"): 200,
    ("GET", f"{API}/metrics"): 200,
    ("GET", f"{API}/machines"): 200,
    ("PUT", f"{API}/machines/{{device_id}}"): 400,
    ("POST", f"{API}/machines/{{device_id}}/counts"): 400,
    ("GET", f"{API}/cash"): 200,
    ("GET", f"{API}/partners"): 200,
    ("POST", f"{API}/partners"): 400,
    ("PUT", f"{API}/partners/{{partner_id}}"): 404,
    ("GET", f"{API}/transactions/{{transaction_id}}/commission"): 404,
    ("GET", f"{API}/transactions/{{transaction_id}}/notes"): 404,
    ("POST", f"{API}/transactions/{{transaction_id}}/notes"): 400,
    ("GET", f"{API}/clients/{{client_id}}/terms"): 404,
    ("GET", f"{API}/clients/totals"): 200,
    ("GET", f"{API}/deposits/totals"): 200,
    ("GET", f"{API}/forwards/totals"): 200,
    ("GET", f"{API}/payments/totals"): 200,
    ("GET", f"{API}/polls/totals"): 200,
    ("GET", f"{API}/transactions/totals"): 200,
    ("GET", f"{API}/forwards"): 200,
    ("GET", f"{API}/forwards/paginated"): 200,
    ("POST", f"{API}/forwards/{{forward_id}}/retry"): 404,
    ("POST", f"{API}/forwards/{{forward_id}}/close"): 400,
}

# What any user may, for themselves only; and what a user is answered who is no client.
OWN_ROUTES = {
    ("GET", f"/{EXTENSION}/"): 200,
    ("GET", f"/{EXTENSION}/my"): 200,
    ("GET", f"/{EXTENSION}/statement"): 200,
    ("GET", f"{API}/registration"): 200,
    ("POST", f"{API}/registration"): 400,
    ("GET", f"{API}/me"): 404,
    ("PUT", f"{API}/me"): 404,
    ("GET", f"{API}/me/deposits"): 404,
    ("GET", f"{API}/me/deposits/totals"): 404,
    ("POST", f"{API}/me/terms"): 404,
    ("GET", f"{API}/me/history"): 404,
    ("GET", f"{API}/me/payments"): 404,
    ("GET", f"{API}/me/payments/totals"): 404,
    ("GET", f"{API}/me/statement"): 404,
    ("GET", f"{API}/me/statements"): 404,
    ("GET", f"{API}/me/value"): 404,
    ("GET", f"{API}/me/notices"): 404,
    ("PUT", f"{API}/me/notices"): 404,
    ("GET", f"{API}/me/goal"): 404,
    ("PUT", f"{API}/me/goal"): 404,
    ("GET", f"{API}/me/partner"): 404,
    ("GET", f"{API}/me/partner/statement"): 404,
    ("GET", f"{API}/me/forward"): 404,
    ("PUT", f"{API}/me/forward"): 404,
    ("POST", f"{API}/me/forward/ask"): 404,
    ("POST", f"{API}/me/forward/test"): 404,
    ("GET", f"{API}/me/forwards"): 404,
    ("GET", f"{API}/me/forwards/paginated"): 404,
    ("GET", f"{API}/me/forwards/totals"): 404,
    ("GET", f"{API}/me/partner/forward"): 404,
    ("PUT", f"{API}/me/partner/forward"): 404,
    ("POST", f"{API}/me/partner/forward/ask"): 404,
    ("POST", f"{API}/me/partner/forward/test"): 404,
    ("GET", f"{API}/me/partner/forwards"): 404,
    ("GET", f"{API}/me/partner/forwards/paginated"): 404,
    ("GET", f"{API}/me/partner/forwards/totals"): 404,
}
PAGES = {route for route in OWN_ROUTES if not route[1].startswith(API)}


def named(routes: Iterable[tuple[str, str]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "route", routes, ids=lambda route: f"{route[0]} {route[1].removeprefix(f'/{EXTENSION}')}"
    )


routes = named(ROUTES)
own_routes = named(OWN_ROUTES)


@pytest.fixture(scope="module")
async def admin_without_it(lnbits: Lnbits, admin: Account) -> AsyncIterator[Account]:
    """An admin who has not enabled the extension."""
    from lnbits.settings import settings

    account = await lnbits.register("admin_without_it", uuid4().hex)
    await account.call("PUT", f"/api/v1/extension/{EXTENSION}/disable")
    settings.lnbits_admin_users.append(account.user_id)
    yield account
    settings.lnbits_admin_users.remove(account.user_id)


@pytest.fixture(scope="module")
async def user_without_it(lnbits: Lnbits, admin: Account) -> Account:
    """A user who is no admin and has not enabled the extension."""
    account = await lnbits.register("user_without_it", uuid4().hex)
    await account.call("PUT", f"/api/v1/extension/{EXTENSION}/disable")
    return account


@pytest.fixture(scope="module")
async def refused(
    lnbits: Lnbits,
    admin: Account,
    plain_user: Account,
    admin_without_it: Account,
    user_without_it: Account,
) -> dict[str, tuple[int, httpx.AsyncClient]]:
    """Everybody who must be turned away, and with which status."""
    admins, users = await admin.create_wallet(), await plain_user.create_wallet()
    without, its = await admin_without_it.create_wallet(), await user_without_it.create_wallet()

    def key(key: str) -> httpx.AsyncClient:
        return lnbits.anonymous({"X-Api-Key": key})

    return {
        "nobody": (401, lnbits.anonymous()),
        "an unknown key": (401, key(uuid4().hex)),
        "an unknown token": (401, lnbits.anonymous({"Authorization": "Bearer no.such.token"})),
        "an unknown cookie": (401, lnbits.anonymous({"Cookie": "cookie_access_token=a.b.c"})),
        "a user's session": (403, plain_user),
        "a user's admin key": (403, key(users.adminkey)),
        "a user's invoice key": (403, key(users.inkey)),
        "an admin's invoice key": (403, key(admins.inkey)),
        "a session of a user without it": (403, user_without_it),
        "a key of a user without it": (403, key(its.adminkey)),
        "a session of an admin without it": (403, admin_without_it),
        "a key of an admin without it": (403, key(without.adminkey)),
    }


@pytest.fixture(scope="module")
async def admitted(
    lnbits: Lnbits, admin: Account, other_admin: Account
) -> dict[str, httpx.AsyncClient]:
    """Everybody who may."""
    own, others = await admin.create_wallet(), await other_admin.create_wallet()
    return {
        "the super user's session": admin,
        "the super user's cookie": lnbits.anonymous(
            {"Cookie": f"cookie_access_token={admin.token}; is_lnbits_user_authorized=true"}
        ),
        "the super user's admin key": lnbits.anonymous({"X-Api-Key": own.adminkey}),
        "another admin's session": other_admin,
        "another admin's admin key": lnbits.anonymous({"X-Api-Key": others.adminkey}),
    }


def ask(client: httpx.AsyncClient, route: tuple[str, str]) -> Any:
    method, path = route
    path = re.sub(r"\{\w+\}", "0" * 32, path)
    return client.request(method, path, json=None if method == "GET" else {})


async def test_every_route_of_the_extension_stands_in_the_table(lnbits_app: Any) -> None:
    from satmachineclient import satmachineclient_ext

    found = {
        (method, getattr(route, "path", ""))
        for route in satmachineclient_ext.routes
        for method in getattr(route, "methods", ["MOUNT"])
    }
    assert found == {*ROUTES, *OWN_ROUTES}


async def test_nothing_is_ever_deleted(admin: Account) -> None:
    assert not [route for route in ROUTES if route[0] == "DELETE"]
    assert not [route for route in OWN_ROUTES if route[0] == "DELETE"]
    for method, path in ROUTES:
        if method == "PUT":
            assert (await ask(admin, ("DELETE", path))).status_code == 405


@routes
async def test_whoever_is_no_admin_is_turned_away(
    route: tuple[str, str], refused: dict[str, tuple[int, httpx.AsyncClient]]
) -> None:
    for who, (status, client) in refused.items():
        response = await ask(client, route)
        assert response.status_code == status, (who, response.text)
        assert isinstance(response.json()["detail"], str), who


@routes
async def test_every_admin_may(
    route: tuple[str, str], admitted: dict[str, httpx.AsyncClient], ledger_clean: None
) -> None:
    for who, client in admitted.items():
        response = await ask(client, route)
        assert response.status_code == ROUTES[route], (who, response.text)


@own_routes
async def test_every_user_may_what_is_their_own(
    route: tuple[str, str],
    lnbits: Lnbits,
    plain_user: Account,
    admitted: dict[str, httpx.AsyncClient],
    ledger_clean: None,
) -> None:
    wallet = await plain_user.create_wallet()
    users = {
        "the user's session": plain_user,
        "the user's admin key": lnbits.anonymous({"X-Api-Key": wallet.adminkey}),
    }
    for who, client in (admitted | users).items():
        response = await ask(client, route)
        status = OWN_ROUTES[route]
        if who.endswith("key") and route in PAGES:
            status = 401  # a page knows sessions only
        assert response.status_code == status, (who, response.text)


@own_routes
async def test_an_invoice_key_may_read_only(
    route: tuple[str, str], lnbits: Lnbits, plain_user: Account, ledger_clean: None
) -> None:
    wallet = await plain_user.create_wallet()
    response = await ask(lnbits.anonymous({"X-Api-Key": wallet.inkey}), route)
    status = 401 if route in PAGES else OWN_ROUTES[route] if route[0] == "GET" else 403
    assert response.status_code == status, response.text


@own_routes
async def test_who_is_nobody_here_is_turned_away(
    route: tuple[str, str], refused: dict[str, tuple[int, httpx.AsyncClient]]
) -> None:
    for who, (status, client) in refused.items():
        if who.startswith(("a user's", "an admin's")):
            continue
        if route in PAGES and " key" in who:
            status = 401
        response = await ask(client, route)
        assert response.status_code == status, (who, response.text)


async def test_the_key_may_stand_in_the_address(admin: Account, lnbits: Lnbits) -> None:
    wallet = await admin.create_wallet()
    anyone = lnbits.anonymous()
    path = f"{API}/clients"
    assert (await anyone.get(path, params={"api-key": wallet.adminkey})).status_code == 200
    assert (await anyone.get(path, params={"api-key": wallet.inkey})).status_code == 403
    assert (await anyone.get(path, params={"api-key": "\0"})).status_code == 400


async def test_a_key_decides_where_a_session_is_given_too(
    admin: Account, plain_user: Account
) -> None:
    wallet = await plain_user.create_wallet()
    answer = await admin.get(f"{API}/clients", headers={"X-Api-Key": wallet.adminkey})
    assert answer.status_code == 403


async def test_an_admin_who_is_one_no_longer_is_turned_away(lnbits: Lnbits, admin: Account) -> None:
    from lnbits.settings import settings

    account = await lnbits.register("former_admin", uuid4().hex)
    settings.lnbits_admin_users.append(account.user_id)
    wallet = await account.create_wallet()
    key = {"X-Api-Key": wallet.adminkey}
    assert (await account.get(f"{API}/clients")).status_code == 200

    settings.lnbits_admin_users.remove(account.user_id)

    assert (await account.get(f"{API}/clients")).status_code == 403
    assert (await lnbits.anonymous(key).get(f"{API}/clients")).status_code == 403


# ---- crediting the source wallet: only the super user may switch it on -----------------------


def crediting(setup: Setup, **fields: Any) -> dict[str, Any]:
    return {**setup.body, "credit_source_wallet": True, **fields}


async def test_another_admin_may_not_switch_crediting_on(
    configured: Setup, admin: Account, other_admin: Account, lnbits: Lnbits
) -> None:
    wallet = await other_admin.create_wallet()
    for client in (other_admin, lnbits.anonymous({"X-Api-Key": wallet.adminkey})):
        answer = await client.post(f"{API}/config", json=crediting(configured))
        assert answer.status_code == 403
        assert answer.json()["detail"].startswith("credit_source_wallet:")
    config = await admin.call("GET", f"{API}/config")
    assert config["credit_source_wallet"] is False


@pytest.mark.usefixtures("ledger_clean")
async def test_another_admin_may_not_begin_with_crediting_on(
    configure: Configure, other_admin: Account, make_wallet: MakeWallet
) -> None:
    source = await make_wallet(other_admin)
    body: dict[str, Any] = {"host": "127.0.0.1", "username": "u"}
    body["source_wallet_id"] = source.id
    body |= {"use_ssh_tunnel": False, "credit_source_wallet": True}
    answer = await other_admin.post(f"{API}/config", json=body)
    assert answer.status_code == 403
    assert (await other_admin.get(f"{API}/config")).json() is None


async def test_the_super_user_may_by_session_and_by_key(
    configured: Setup, admin: Account, admin_key_client: httpx.AsyncClient
) -> None:
    for client in (admin, admin_key_client):
        await admin.call("POST", f"{API}/config", configured.body)
        answer = await client.post(f"{API}/config", json=crediting(configured))
        assert answer.status_code == 200, answer.text
        assert answer.json()["credit_source_wallet"] is True


CERTIFICATE = "-----BEGIN CERTIFICATE-----"
OTHER_FIELDS: dict[str, Any] = {
    "another_database": True,
    "host": "localhost",
    "port": 5433,
    "database_name": "another",
    "username": "another",
    "use_ssh_tunnel": True,
    "ssh_host": "192.0.2.1",
    "ssh_port": 2222,
    "ssh_username": "another",
    "ssh_host_key_fingerprint": "SHA256:another",
    "ssl_mode": "disable",
    "ssl_ca_certificate": CERTIFICATE,
    "direction": "both",
    "commission_method": "margin",
    "look_back_days": 365,
    "timezone": "Asia/Tokyo",
    "max_sats_per_transaction": None,
    "max_sats_per_poll": None,
}
HARMLESS: dict[str, Any] = {
    "poll_interval_minutes": 30,
    "is_active": False,
    "payout_schedule": "weekly",
    "payout_time": "18:30",
    "payout_weekday": 4,
    "payout_min_sats": 10_000,
    "ssh_password": "another",
    "ssh_private_key": "another",
    "ssh_private_key_passphrase": "another",
}


async def test_while_crediting_is_on_another_admin_changes_harmless_fields_only(
    configured: Setup, admin: Account, other_admin: Account, make_wallet: MakeWallet
) -> None:
    from satmachineclient.models_config import ConfigIn

    theirs = (await make_wallet(other_admin)).id
    fields = {**OTHER_FIELDS, "source_wallet_id": theirs, "commission_wallet_id": theirs}
    # Each field there is, also one that is added: it is harmless, or the super user's.
    others = {"credit_source_wallet", "password"}
    assert fields.keys() | HARMLESS.keys() | others == ConfigIn.__fields__.keys()
    ceilings = {"max_sats_per_transaction": 10**6, "max_sats_per_poll": 10**7}
    on = crediting(configured, ssh_host="192.0.2.9", ssh_username="u", **ceilings)
    await admin.call("POST", f"{API}/config", on)
    stored = await admin.call("GET", f"{API}/config")

    for name, value in fields.items():
        answer = await other_admin.post(
            f"{API}/config",
            json={**on, "password": "entered again", name: value},
        )
        assert answer.status_code == 403, name
        assert answer.json()["detail"].startswith(f"{name}: only the super user"), name
    assert await admin.call("GET", f"{API}/config") == stored

    for name, value in HARMLESS.items():
        await other_admin.call("POST", f"{API}/config", {**on, name: value})


async def test_another_admin_may_switch_crediting_off_but_not_on_again(
    configured: Setup, admin: Account, other_admin: Account
) -> None:
    await admin.call("POST", f"{API}/config", crediting(configured))
    off = await other_admin.call("POST", f"{API}/config", configured.body)
    assert (off["credit_source_wallet"], off["credit_since"]) == (False, None)
    answer = await other_admin.post(f"{API}/config", json=crediting(configured))
    assert answer.status_code == 403


async def test_a_sale_from_before_crediting_was_switched_on_is_never_credited(
    configured: Setup,
    admin: Account,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    await make_client("ana", {"GTQ": "1000.00"})
    before = Sale(created=datetime.now(timezone.utc) - timedelta(minutes=10))
    await lamassu.insert(before)
    on = crediting(configured, look_back_days=365)
    first = await admin.call("POST", f"{API}/config", on)
    after = Sale(created=datetime.now(timezone.utc))
    await lamassu.insert(after)
    # What else is saved later does not begin it anew.
    again = await admin.call("POST", f"{API}/config", {**on, "poll_interval_minutes": 5})
    assert again["credit_since"] == first["credit_since"]

    assert (await poll())["planned"] == 2

    rows = await admin.call("GET", f"{API}/transactions")
    credited = {row["lamassu_transaction_id"]: row["credit_status"] for row in rows}
    assert credited == {str(before.id): "none", str(after.id): "confirmed"}


# ---- wallets ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["source_wallet_id", "commission_wallet_id"])
async def test_source_and_commission_wallets_belong_to_an_admin(
    name: str, configured: Setup, other_admin: Account, plain_user: Account
) -> None:
    users, admins = await plain_user.create_wallet(), await other_admin.create_wallet()
    answer = await other_admin.post(f"{API}/config", json={**configured.body, name: users.id})
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(f"{name}:")
    saved = await other_admin.call("POST", f"{API}/config", {**configured.body, name: admins.id})
    assert saved[name] == admins.id


async def shared_with(owner: Account, guest: Account, permissions: list[str]) -> Wallet:
    """A wallet of the guest that is the owner's, seen through LNbits' sharing."""
    wallet = await owner.create_wallet("shared")
    key = {"X-Api-Key": wallet.adminkey}
    invitation = {"username": guest.username, "permissions": permissions, "status": "invite_sent"}
    await owner.call("PUT", "/api/v1/wallet/share/invite", invitation, key)
    mirrored = await guest.call(
        "POST",
        "/api/v1/wallet",
        {
            "name": "of somebody else",
            "wallet_type": "lightning-shared",
            "shared_wallet_id": wallet.id,
        },
    )
    answer = await owner.call("GET", "/api/v1/auth")
    shares = next(w for w in answer["wallets"] if w["id"] == wallet.id)["extra"]["shared_with"]
    await owner.call("PUT", "/api/v1/wallet/share", {**shares[0], "status": "approved"}, key)
    return Wallet(**{k: mirrored[k] for k in ("id", "user", "name", "adminkey", "inkey")})


async def test_a_wallet_that_a_user_shares_with_an_admin_is_not_the_admins(
    configured: Setup, admin: Account, plain_user: Account
) -> None:
    wallet = await shared_with(plain_user, admin, ["receive-payments", "send-payments"])
    body = {**configured.body, "source_wallet_id": wallet.id}
    answer = await admin.post(f"{API}/config", json=body)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("source_wallet_id:")


@pytest.mark.parametrize("permissions", [["view-payments"], ["receive-payments"]])
async def test_a_clients_wallet_is_their_own_and_may_receive(
    permissions: list[str],
    ledger_clean: None,
    admin: Account,
    plain_user: Account,
) -> None:
    shared = await shared_with(admin, plain_user, permissions)
    answer = await admin.post(f"{API}/clients", json={"wallet_id": shared.id, "dca_mode": "flow"})
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("wallet_id: this is another user's shared wallet")
    assert (await admin.get(f"{API}/clients")).json() == []


async def test_while_crediting_is_on_only_the_super_user_may_name_another_atm(
    admin: Account, other_admin: Account, configured: Setup
) -> None:
    """Who names the database says how much is credited."""
    await admin.call("POST", f"{API}/config", crediting(configured))
    for change in ({"host": "127.0.0.2"}, {"port": 1}, {"database_name": "mine"}):
        body = {**crediting(configured), **change}
        with pytest.raises(LnbitsError, match=next(iter(change))):
            await other_admin.call("POST", f"{API}/config", body)

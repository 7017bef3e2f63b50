"""What every endpoint promises: its status, its fields, their types and formats."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account
from demo.postgres import Postgres
from demo.sales import Sale
from demo.ssh_server import SshServer
from tests.rig import API, MakeClient, MakeWallet, Poll, Setup

pytestmark = pytest.mark.storage

# ---- the types of the contract ---------------------------------------------------------------

Check = Callable[[Any], bool]


def text(value: Any) -> bool:
    return isinstance(value, str)


def whole(value: Any) -> bool:
    return type(value) is int


def yes_or_no(value: Any) -> bool:
    return isinstance(value, bool)


def time(value: Any) -> bool:
    """ISO 8601 with offset, UTC."""
    return text(value) and bool(
        re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00", value)
    )


def number(value: Any) -> bool:
    """A rate as plain decimal text."""
    return text(value) and bool(re.fullmatch(r"-?\d+(\.\d+)?", value))


def fiat(value: Any) -> bool:
    """An amount of GTQ: two decimals."""
    return text(value) and bool(re.fullmatch(r"-?\d+\.\d\d", value))


def or_null(check: Check) -> Check:
    return lambda value: value is None or check(value)


def one_of(*values: object) -> Check:
    return lambda value: value in values


def list_of(fields: Mapping[str, Check]) -> Check:
    return lambda value: isinstance(value, list) and all(wrong(v, fields) == {} for v in value)


def wrong(answer: Mapping[str, Any], fields: Mapping[str, Check]) -> dict[str, Any]:
    """The promised fields that are missing or of another form, with what they are."""
    return {
        name: answer.get(name, "missing")
        for name, check in fields.items()
        if name not in answer or not check(answer[name])
    }


BALANCE: dict[str, Check] = {
    "currency": text,
    "total_deposits": fiat,
    "pending_deposits": fiat,
    "total_distributed": fiat,
    "remaining_balance": fiat,
    "remaining_by_machine": lambda value: (
        isinstance(value, dict) and all(text(k) and fiat(v) for k, v in value.items())
    ),
}
CLIENT: dict[str, Check] = {
    "id": text,
    "user_id": text,
    "wallet_id": text,
    "username": or_null(text),
    "dca_mode": one_of("flow", "fixed"),
    "fixed_mode_daily_limit": or_null(fiat),
    "currency": or_null(text),
    "status": one_of("active", "paused", "closed"),
    "created_at": time,
    "updated_at": time,
    "balances": list_of(BALANCE),
}
DEPOSIT: dict[str, Check] = {
    "id": text,
    "client_id": text,
    "amount": fiat,
    "currency": text,
    "status": one_of("pending", "confirmed", "rejected"),
    "notes": or_null(text),
    "created_at": time,
    "confirmed_at": or_null(time),
}
TRANSACTION: dict[str, Check] = {
    "id": text,
    "lamassu_transaction_id": text,
    "direction": one_of("cash_out", "cash_in", "settle_out"),
    "device_id": text,
    "transaction_time": time,
    "processed_at": time,
    "crypto_code": one_of("BTC", "LN"),
    "crypto_amount_sats": whole,
    "fiat_amount": fiat,
    "fiat_code": text,
    "commission_percentage": number,
    "discount": number,
    "effective_commission": number,
    "commission_method": one_of("markup", "margin"),
    "base_amount_sats": whole,
    "commission_amount_sats": whole,
    "distributed_sats": whole,
    "undistributed_sats": whole,
    "clients_count": whole,
    "exchange_rate": number,
    "status": one_of("planned", "settling", "settled", "needs_review", "dismissed"),
    "is_test": yes_or_no,
}
DISTRIBUTION: dict[str, Check] = {
    "id": text,
    "direction": one_of("cash_out", "cash_in", "settle_out"),
    "client_id": text,
    "username": or_null(text),
    "wallet_id": text,
    "amount_sats": whole,
    "amount_fiat": fiat,
    "currency": text,
    "share": number,
    "status": one_of("pending", "confirmed", "failed", "voided"),
    "payment_hash": or_null(text),
    "error": or_null(text),
    "created_at": time,
    "confirmed_at": or_null(time),
}
CONFIG: dict[str, Check] = {
    "host": text,
    "port": whole,
    "database_name": text,
    "username": text,
    "has_password": yes_or_no,
    "source_wallet_id": text,
    "commission_wallet_id": or_null(text),
    "credit_source_wallet": yes_or_no,
    "credit_since": or_null(time),
    "use_ssh_tunnel": yes_or_no,
    "ssh_host": or_null(text),
    "ssh_port": whole,
    "ssh_username": or_null(text),
    "has_ssh_password": yes_or_no,
    "has_ssh_private_key": yes_or_no,
    "ssh_host_key_fingerprint": or_null(text),
    "direction": one_of("cash_out", "cash_in", "both"),
    "commission_method": one_of("markup", "margin"),
    "poll_interval_minutes": whole,
    "look_back_days": whole,
    "timezone": text,
    "is_active": yes_or_no,
    "test_connection_last": or_null(time),
    "test_connection_success": or_null(yes_or_no),
    "last_poll_time": or_null(time),
    "last_successful_poll": or_null(time),
    "database_number": whole,
    "database_since": or_null(time),
    "secrets_to_reenter": lambda value: isinstance(value, list),
    "suggestions": lambda value: isinstance(value, list),
}
CONNECTION_STEP: dict[str, Check] = {
    "name": text,
    "status": one_of("ok", "failed", "skipped"),
    "detail": text,
    "duration_ms": whole,
}
CONNECTION_TEST: dict[str, Check] = {
    "success": yes_or_no,
    "message": text,
    "steps": list_of(CONNECTION_STEP),
    "ssh_host_key_fingerprint": or_null(text),
}
POLL: dict[str, Check] = {
    "poll_id": text,
    "success": yes_or_no,
    "found": whole,
    "new": whole,
    "planned": whole,
    "confirmed_payments": whole,
    "pending_payments": whole,
    "failed_payments": whole,
    "distributed_sats": whole,
    "error": or_null(text),
    "duration_ms": whole,
}
POLL_RECORD: dict[str, Check] = {
    "id": text,
    "trigger": one_of("startup", "hourly", "manual"),
    "status": one_of("running", "succeeded", "failed"),
    "started_at": time,
    "finished_at": or_null(time),
    "found": whole,
    "error": or_null(text),
}


def ago(**how_long: float) -> datetime:
    return datetime.now(timezone.utc) - timedelta(**how_long)


@pytest.fixture
def clients(admin: Account, admin_key_client: httpx.AsyncClient) -> list[httpx.AsyncClient]:
    """Both kinds of credential."""
    return [admin, admin_key_client]


@pytest.fixture
async def world(
    configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll, admin: Account
) -> dict[str, Any]:
    """Two clients, three deposits, three sales, one poll."""
    one = await make_client("one", {"GTQ": "1000.00"})
    two = await make_client(
        "two", {"GTQ": "3000"}, dca_mode="fixed", fixed_mode_daily_limit="100.5", currency="GTQ"
    )
    body = {"client_id": one.id, "amount": 12.5, "currency": "GTQ", "notes": "<b>later</b>"}
    pending = await admin.call("POST", f"{API}/deposits", body)
    await lamassu.insert(*(Sale(created=ago(minutes=-i)) for i in (1, 2, 3)))
    return {"one": one, "two": two, "pending": pending, "poll": await poll()}


# ---- each endpoint ---------------------------------------------------------------------------


async def test_clients_come_with_their_balances(
    clients: list[httpx.AsyncClient], world: dict[str, Any]
) -> None:
    for client in clients:
        answer = await client.get(f"{API}/clients")
        assert answer.status_code == 200
        first, second = answer.json()
        assert wrong(first, CLIENT) == wrong(second, CLIENT) == {}
        assert [first["username"], second["username"]] == ["one", "two"]
        assert second["fixed_mode_daily_limit"] == "100.50"
        assert first["balances"][0]["pending_deposits"] == "12.50"


async def test_a_clients_balance(clients: list[httpx.AsyncClient], world: dict[str, Any]) -> None:
    for client in clients:
        answer = (await client.get(f"{API}/clients/{world['one'].id}/balance")).json()
        assert set(answer) == {"client_id", "balances", "total_sats", "waiting_sats"}
        assert answer["client_id"] == world["one"].id
        assert whole(answer["total_sats"]) and answer["total_sats"] > 0
        assert answer["waiting_sats"] == 0
        (balance,) = answer["balances"]
        assert wrong(balance, BALANCE) == {} and set(balance) == set(BALANCE)
        left = Decimal(balance["total_deposits"]) - Decimal(balance["total_distributed"])
        assert Decimal(balance["remaining_balance"]) == left


async def test_a_client_is_made_and_changed(
    clients: list[httpx.AsyncClient],
    ledger_clean: None,
    plain_user: Account,
    make_wallet: MakeWallet,
) -> None:
    for client in clients:
        wallet = await make_wallet(plain_user)
        body: dict[str, Any] = {"wallet_id": wallet.id, "dca_mode": "flow"}
        made = await client.post(f"{API}/clients", json=body)
        assert made.status_code == 201
        assert wrong(made.json(), CLIENT) == {}
        assert (made.json()["user_id"], made.json()["status"]) == (plain_user.user_id, "active")

        limit = {"dca_mode": "fixed", "fixed_mode_daily_limit": "2000", "currency": "JPY"}
        path = f"{API}/clients/{made.json()['id']}"
        fixed = await client.put(path, json={**limit, "username": "new"})
        assert fixed.status_code == 200
        assert fixed.json()["username"] == "new"
        assert fixed.json()["fixed_mode_daily_limit"] == "2000"  # yen have no decimals
        other = await make_wallet(plain_user)
        moved = await client.put(path, json={"wallet_id": other.id})
        assert moved.json()["wallet_id"] == other.id
        for status in ("paused", "closed", "active"):
            changed = await client.put(path, json={"status": status})
            assert changed.json()["status"] == status
        assert changed.json()["fixed_mode_daily_limit"] == "2000"  # what is left out stays
        assert changed.json()["updated_at"] > made.json()["updated_at"]


async def test_trial_clients_are_made_only_in_debug_mode(
    admin: Account, ledger_clean: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lnbits.settings import settings

    body = {"test": True, "username": "trial", "dca_mode": "flow"}
    refused = await admin.post(f"{API}/clients", json=body)
    assert refused.status_code == 403 and "DEBUG=true" in refused.json()["detail"]

    monkeypatch.setattr(settings, "debug", True)
    made = await admin.post(f"{API}/clients", json=body)

    assert made.status_code == 201
    assert wrong(made.json(), CLIENT) == {}
    assert made.json()["user_id"] != admin.user_id


async def test_deposits_newest_first(
    clients: list[httpx.AsyncClient], world: dict[str, Any]
) -> None:
    for client in clients:
        rows = (await client.get(f"{API}/deposits")).json()
        assert [wrong(row, DEPOSIT) for row in rows] == [{}] * 3
        assert rows[0] == world["pending"]
        assert rows == sorted(rows, key=lambda row: row["created_at"], reverse=True)


@pytest.mark.parametrize(
    ("currency", "amount", "shown"),
    [("GTQ", "150", "150.00"), ("GTQ", 0.1, "0.10"), ("JPY", 7, "7"), ("KWD", "1.005", "1.005")],
)
async def test_a_deposit_is_recorded_as_pending_in_its_currencys_decimals(
    currency: str,
    amount: object,
    shown: str,
    admin: Account,
    make_client: MakeClient,
    ledger_clean: None,
) -> None:
    client = await make_client()
    body = {"client_id": client.id, "amount": amount, "currency": currency}
    answer = await admin.post(f"{API}/deposits", json=body)
    assert answer.status_code == 201
    deposit = answer.json()
    assert (deposit["amount"], deposit["status"], deposit["notes"]) == (shown, "pending", None)
    assert deposit["confirmed_at"] is None


async def test_a_deposit_is_decided_once(
    clients: list[httpx.AsyncClient], make_client: MakeClient, ledger_clean: None
) -> None:
    dca = await make_client()
    for client, first, second in (
        (clients[0], "confirmed", "rejected"),
        (clients[1], "rejected", "confirmed"),
    ):
        body = {"client_id": dca.id, "amount": "5", "currency": "GTQ", "notes": "a & b"}
        path = f"{API}/deposits/{(await client.post(f'{API}/deposits', json=body)).json()['id']}"
        decided = await client.put(f"{path}/status", json={"status": first})
        assert decided.status_code == 200
        assert decided.json()["notes"] == "a & b"
        assert (decided.json()["confirmed_at"] is not None) == (first == "confirmed")

        again = await client.put(f"{path}/status", json={"status": first, "notes": "another"})
        assert (again.status_code, again.json()) == (200, decided.json())
        other = await client.put(f"{path}/status", json={"status": second})
        assert other.status_code == 409 and first in other.json()["detail"]
        rows = (await client.get(f"{API}/deposits")).json()
        assert decided.json() in rows


async def test_transactions_newest_first_with_their_distributions(
    clients: list[httpx.AsyncClient], world: dict[str, Any]
) -> None:
    for client in clients:
        rows = (await client.get(f"{API}/transactions")).json()
        assert [wrong(row, TRANSACTION) for row in rows] == [{}] * 3
        assert rows == sorted(rows, key=lambda row: row["transaction_time"], reverse=True)
        for row in rows:
            path = f"{API}/transactions/{row['id']}/distributions"
            shares = (await client.get(path)).json()
            assert [wrong(share, DISTRIBUTION) for share in shares] == [{}] * len(shares)
            assert row["clients_count"] == len(shares) > 0
            assert sum(share["amount_sats"] for share in shares) == row["distributed_sats"]
            for share in shares:
                assert share["status"] == "confirmed"
                assert len(share["payment_hash"]) == 64 and share["confirmed_at"]
        assert rows[0]["commission_percentage"] == "0.05500"
        assert Decimal(rows[0]["discount"]) == 0


async def test_the_configuration_is_null_before_it_is_saved(
    clients: list[httpx.AsyncClient], ledger_clean: None
) -> None:
    for client in clients:
        answer = await client.get(f"{API}/config")
        assert (answer.status_code, answer.json()) == (200, None)


async def test_the_configuration_is_saved_and_shown_without_its_secrets(
    clients: list[httpx.AsyncClient], configured: Setup
) -> None:
    for client in clients:
        body = {**configured.body, "commission_wallet_id": None, "timezone": "America/Guatemala"}
        saved = await client.post(f"{API}/config", json=body)
        assert saved.status_code == 200
        shown = (await client.get(f"{API}/config")).json()
        assert shown == saved.json()
        assert wrong(shown, CONFIG) == {}
        assert shown["timezone"] == "America/Guatemala" and shown["commission_wallet_id"] is None
        assert not {"password", "ssh_password", "ssh_private_key"} & set(shown)


async def test_the_connection_test_goes_step_by_step(
    clients: list[httpx.AsyncClient], configured: Setup, lamassu: LamassuDatabase
) -> None:
    for client in clients:
        for body in ({}, configured.body, None):
            answer = await client.post(f"{API}/test-connection", json=body)
            assert answer.status_code == 200
            result = answer.json()
            assert wrong(result, CONNECTION_TEST) == {} and result["success"], result
            assert {"ssh", "host_key", "login"} == {
                step["name"] for step in result["steps"] if step["status"] == "skipped"
            }
    config = (await clients[0].get(f"{API}/config")).json()
    assert config["test_connection_success"] is True and time(config["test_connection_last"])


async def test_a_connection_that_fails_is_an_answer_not_an_error(
    clients: list[httpx.AsyncClient], configured: Setup, lamassu: LamassuDatabase
) -> None:
    for client in clients:
        body = {**configured.body, "password": "wrong"}
        answer = await client.post(f"{API}/test-connection", json=body)
        assert answer.status_code == 200
        result = answer.json()
        assert wrong(result, CONNECTION_TEST) == {} and not result["success"]
        failed = [step for step in result["steps"] if step["status"] == "failed"]
        assert [step["name"] for step in failed] == ["database"]
        assert result["message"] == failed[0]["detail"]
    config = (await clients[0].get(f"{API}/config")).json()
    assert config["test_connection_last"] is None  # what is saved was not tested


async def test_the_fingerprint_is_that_of_the_server_that_answered(
    admin: Account, configured: Setup, ssh_server: SshServer
) -> None:
    body = {
        **configured.body,
        "use_ssh_tunnel": True,
        "ssh_host": ssh_server.host,
        "ssh_port": ssh_server.port,
        "ssh_username": ssh_server.username,
        "ssh_password": ssh_server.password,
    }
    own = ssh_server.fingerprint
    for accepted, success in ((None, False), ("SHA256:another", False), (own, True)):
        body["ssh_host_key_fingerprint"] = accepted
        result = await admin.call("POST", f"{API}/test-connection", body)
        assert (result["ssh_host_key_fingerprint"], result["success"]) == (own, success), result


async def test_with_the_tunnel_on_and_no_key_accepted_it_is_saved_and_polls_say_so(
    admin: Account, configured: Setup, ssh_server: SshServer, poll: Poll
) -> None:
    tunnel = {"use_ssh_tunnel": True, "ssh_host": ssh_server.host, "ssh_port": ssh_server.port}
    login = {"ssh_username": ssh_server.username, "ssh_password": ssh_server.password}
    await admin.call("POST", f"{API}/config", {**configured.body, **tunnel, **login})
    result = await poll()
    assert not result["success"]
    assert "is not accepted yet" in result["error"] and ssh_server.fingerprint in result["error"]


async def test_a_poll_reports_what_it_did(
    clients: list[httpx.AsyncClient], world: dict[str, Any]
) -> None:
    first = world["poll"]
    assert wrong(first, POLL) == {}
    assert (first["success"], first["found"], first["new"], first["planned"]) == (True, 3, 3, 3)
    for client in clients:
        answer = await client.post(f"{API}/manual-poll")
        assert answer.status_code == 200
        assert wrong(answer.json(), POLL) == {}
        assert (answer.json()["found"], answer.json()["new"]) == (3, 0)
    records = (await clients[1].get(f"{API}/polls")).json()
    assert [wrong(record, POLL_RECORD) for record in records] == [{}] * 3
    assert records[-1]["id"] == first["poll_id"]  # newest first


async def test_a_poll_that_fails_is_an_answer_not_an_error(
    clients: list[httpx.AsyncClient], configured: Setup
) -> None:
    body = {**configured.body, "port": Postgres(Path("unused")).port}
    await clients[0].post(f"{API}/config", json={**body, "password": "x"})
    for client in clients:
        answer = await client.post(f"{API}/manual-poll")
        assert answer.status_code == 200
        assert wrong(answer.json(), POLL) == {}
        assert answer.json()["success"] is False and "No PostgreSQL" in answer.json()["error"]


async def test_a_poll_while_another_runs_is_refused(
    clients: list[httpx.AsyncClient], configured: Setup
) -> None:
    from satmachineclient.lease import working

    async with working("another poll"):
        for client in clients:
            answer = await client.post(f"{API}/manual-poll")
            assert answer.status_code == 409
            assert "running" in answer.json()["detail"]
    assert (await clients[0].post(f"{API}/manual-poll")).json()["success"]


async def test_a_test_transaction_is_a_dry_run_by_default(
    clients: list[httpx.AsyncClient], world: dict[str, Any]
) -> None:
    sale = {
        "crypto_amount_sats": 100_000,
        "fiat_amount": "20.00",
        "fiat_code": "GTQ",
        "commission_percentage": "0.055",
        "discount": 10,
    }
    before = (await clients[0].get(f"{API}/transactions")).json()
    for client in clients:
        answer = await client.post(f"{API}/test-transaction", json=sale)
        assert answer.status_code == 200
        result = answer.json()
        assert set(result) == {"dry_run", "transaction", "distributions", "commission"}
        assert result["dry_run"]
        assert wrong(result["transaction"], TRANSACTION) == {}
        assert wrong(result["distributions"][0], DISTRIBUTION) == {}
        assert result["transaction"]["effective_commission"] == "0.0495"
        assert result["transaction"]["is_test"] is True
    assert (await clients[0].get(f"{API}/transactions")).json() == before

    executed = await clients[1].post(f"{API}/test-transaction", json={**sale, "dry_run": False})
    assert executed.json()["dry_run"] is False
    assert wrong(executed.json()["transaction"], TRANSACTION) == {}
    stored = (await clients[0].get(f"{API}/transactions")).json()
    assert len(stored) == len(before) + 1 and executed.json()["transaction"] in stored


# ---- the pages -------------------------------------------------------------------------------


async def test_each_list_has_a_page_in_lnbits_own_form(
    clients: list[httpx.AsyncClient], world: dict[str, Any]
) -> None:
    for client in clients:
        for name in ("clients", "deposits", "transactions", "polls"):
            everything = (await client.get(f"{API}/{name}")).json()
            path = f"{API}/{name}/paginated"
            page = (await client.get(path)).json()
            assert set(page) == {"data", "total"} and page["total"] == len(everything)
            by_id = {row["id"]: row for row in everything}
            assert {row["id"]: row for row in page["data"]} == by_id
            first = (await client.get(path, params={"limit": 1})).json()
            assert first["data"] == page["data"][:1] and first["total"] == len(everything)
            rest = (await client.get(path, params={"limit": 0, "offset": 1})).json()
            assert rest["data"] == page["data"][1:] and rest["total"] == len(everything)
            assert (await client.get(path, params={"offset": 10**6})).json()["data"] == []


async def test_distributions_have_a_page_too(admin: Account, world: dict[str, Any]) -> None:
    for row in await admin.call("GET", f"{API}/transactions"):
        path = f"{API}/transactions/{row['id']}/distributions"
        shares = await admin.call("GET", path)
        assert await admin.call("GET", f"{path}/paginated") == {
            "data": shares,
            "total": len(shares),
        }
        one = await admin.call("GET", f"{path}/paginated?client_id={world['one'].id}")
        assert [share["username"] for share in one["data"]] == ["one"]


async def test_pages_are_sorted(admin: Account, world: dict[str, Any]) -> None:
    from satmachineclient import models_clients, models_config, models_sales

    for name, model in (
        ("clients", models_clients.ClientFilters),
        ("deposits", models_clients.DepositFilters),
        ("transactions", models_sales.TransactionFilters),
        ("polls", models_config.PollFilters),
    ):
        for field in model.__sort_fields__ or []:
            query = f"{API}/{name}/paginated?sortby={field}&direction="
            up = [row["id"] for row in (await admin.call("GET", f"{query}asc"))["data"]]
            down = [row["id"] for row in (await admin.call("GET", f"{query}desc"))["data"]]
            assert set(up) == set(down), field
    newest = await admin.call("GET", f"{API}/deposits/paginated?sortby=amount&direction=desc")
    assert [d["amount"] for d in newest["data"]] == ["3000.00", "1000.00", "12.50"]


FILTERS = [
    ("clients", "search=ON", 1),
    ("clients", "username=two", 1),
    ("clients", "username[like]=w", 1),
    ("clients", "username[in]=one,two,three", 2),
    ("clients", "username[ex]=one", 1),
    ("clients", "dca_mode[ne]=fixed", 1),
    ("clients", "status=paused", 0),
    ("clients", "username=' OR 1=1 --", 0),
    ("deposits", "status=pending", 1),
    ("deposits", "status=confirmed&currency=GTQ", 2),
    ("deposits", "search=<b>later", 1),
    ("deposits", "amount=12.5&currency=GTQ", 1),
    ("deposits", "amount[gt]=12.50&currency=GTQ", 2),
    ("deposits", "amount[ge]=1000&amount[lt]=3000&currency=GTQ", 1),
    ("transactions", "crypto_code=LN&status=settled", 3),
    ("transactions", "is_test=true", 0),
    ("transactions", "is_test=false", 3),
    ("transactions", "fiat_amount[le]=200&fiat_code=GTQ", 3),
    ("transactions", "crypto_amount_sats[gt]=1", 3),
    ("transactions", "transaction_time[ge]=2020-01-01T00:00:00Z", 3),
    ("transactions", "transaction_time[lt]=2020-01-01T00:00:00", 0),
    ("polls", "trigger=manual&status=succeeded", 1),
    ("polls", "started_at[gt]=2999-01-01T00:00:00%2B00:00", 0),
    ("clients", "direction=asc&limit=1", 2),
]


async def test_pages_are_filtered(admin: Account, world: dict[str, Any]) -> None:
    for name, query, count in FILTERS:
        page = await admin.call("GET", f"{API}/{name}/paginated?{query}")
        assert page["total"] == count, (name, query)


async def test_pages_are_filtered_by_times_to_the_instant(
    admin: Account, world: dict[str, Any]
) -> None:
    rows = await admin.call("GET", f"{API}/transactions")
    middle = datetime.fromisoformat(rows[1]["transaction_time"])
    for zone in (timezone.utc, timezone(timedelta(hours=-6))):
        moment = middle.astimezone(zone).isoformat().replace("+", "%2B")
        for operator, found in (("gt", 1), ("ge", 2), ("lt", 1), ("le", 2), ("eq", 1)):
            query = f"transaction_time[{operator}]={moment}"
            page = await admin.call("GET", f"{API}/transactions/paginated?{query}")
            assert page["total"] == found, (query, [r["transaction_time"] for r in rows])
    naive = middle.replace(tzinfo=None).isoformat()  # without a zone: UTC, wherever LNbits runs
    page = await admin.call("GET", f"{API}/transactions/paginated?transaction_time[eq]={naive}")
    assert page["total"] == 1


async def test_a_page_does_not_ask_the_database_once_per_row(
    admin: Account, world: dict[str, Any], make_client: MakeClient
) -> None:
    from satmachineclient.connection import db, engine_of
    from sqlalchemy import event

    statements: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    async def asked(path: str) -> int:
        statements.clear()
        await admin.call("GET", f"{API}/{path}")
        return sum(s.lstrip().startswith("SELECT") for s in statements)

    (row, *_) = await admin.call("GET", f"{API}/transactions")
    paths = ("clients", "clients/paginated?limit=100", f"transactions/{row['id']}/distributions")
    event.listen(engine_of(db), "before_cursor_execute", note)
    try:
        before = [await asked(path) for path in paths]
        for _ in range(5):
            await make_client(deposits={"GTQ": "1", "USD": "1"})
        assert [await asked(path) for path in paths] == before
        assert max(before) <= 6
    finally:
        event.remove(engine_of(db), "before_cursor_execute", note)

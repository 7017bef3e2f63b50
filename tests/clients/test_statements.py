"""Withdrawals, and statements that add up."""

import asyncio
import csv
import io
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import pairwise
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from satmachineclient.database import ledger

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account, LnbitsError
from demo.sales import Sale
from tests.rig import API, Configure, DcaClient, MakeClient, Poll, Setup

pytestmark = pytest.mark.storage


def sale(**fields: Any) -> Sale:
    time = datetime.now(timezone.utc)
    given = {"crypto_atoms": 21_100, "fiat": Decimal(200), "cash_at": time, **fields}
    return Sale(created=time, **given)


async def withdraw(admin: Account, client: DcaClient, amount: str, **fields: Any) -> Any:
    body = {"amount": amount, "currency": "GTQ", "reason": "cash handed back", **fields}
    return await admin.call("POST", f"{API}/clients/{client.id}/withdrawals", body)


async def balance(admin: Account, client: DcaClient) -> dict[str, str]:
    answer = await admin.call("GET", f"{API}/clients/{client.id}/balance")
    found: dict[str, str] = answer["balances"][0]
    return found


# ---- withdrawals -----------------------------------------------------------------------------


async def test_a_withdrawal_is_a_confirmed_deposit_of_less_than_nothing(
    ledger_clean: None, make_client: MakeClient, admin: Account
) -> None:
    client = await make_client("one", {"GTQ": "1000.00"})
    made = await withdraw(admin, client, "250.50", reason="typed one nought\ntoo many")
    assert (made["amount"], made["status"]) == ("-250.50", "confirmed")
    assert made["notes"] == "typed one nought\ntoo many" and made["confirmed_at"]
    left = await balance(admin, client)
    assert (left["total_deposits"], left["remaining_balance"]) == ("749.50", "749.50")
    deposits = await admin.call("GET", f"{API}/deposits")
    assert {d["amount"] for d in deposits} == {"1000.00", "-250.50"}
    again = await admin.call("PUT", f"{API}/deposits/{made['id']}/status", {"status": "confirmed"})
    assert again == made
    with pytest.raises(LnbitsError, match="409"):
        await admin.call("PUT", f"{API}/deposits/{made['id']}/status", {"status": "rejected"})
    entries = await admin.call("GET", f"{API}/audit")
    assert entries[0]["action"] == "withdrawal added" and entries[0]["subject"] == made["id"]


BAD_WITHDRAWALS: list[tuple[dict[str, Any], str]] = [
    ({"amount": "1000.01"}, "amount: at most 1000.00 GTQ is left"),
    ({"amount": "1", "currency": "USD"}, "amount: at most 0.00 USD is left"),
    ({"amount": "0"}, "amount: has to be more than zero"),
    ({"amount": "-5"}, "amount: has to be more than zero"),
    ({"amount": "1.001"}, "amount: has more than the 2 decimals"),
    ({"amount": True}, "amount: has to be a number"),
    ({"amount": "1", "reason": " "}, "reason: cannot be empty"),
    ({"amount": "1", "reason": "a" * 1001}, "reason: "),
    ({"amount": "1", "currency": "QQQ"}, "currency: "),
]


async def test_bad_withdrawals_are_refused_and_nothing_changes(
    ledger_clean: None, make_client: MakeClient, admin: Account, subtests: pytest.Subtests
) -> None:
    client = await make_client("one", {"GTQ": "1000.00"})
    for fields, sentence in BAD_WITHDRAWALS:
        with subtests.test(fields=fields, sentence=sentence):
            with pytest.raises(LnbitsError, match="400") as caught:
                await withdraw(admin, client, **fields)
            assert sentence in str(caught.value)
            assert len(await admin.call("GET", f"{API}/deposits")) == 1


async def test_withdrawn_cash_buys_nothing_not_even_in_a_sale_before_it(
    configured: Setup, make_client: MakeClient, admin: Account, lamassu: LamassuDatabase, poll: Poll
) -> None:
    """The sale was read only after the cash was handed back: it can no longer be the client's."""
    await lamassu.clear()
    client = await make_client("one", {"GTQ": "150.00"})
    await lamassu.insert(sale())
    await withdraw(admin, client, "100.00")

    await poll()

    left = await balance(admin, client)
    assert (left["total_distributed"], left["remaining_balance"]) == ("50.00", "0.00")
    with pytest.raises(LnbitsError, match=r"at most 0\.00 GTQ"):
        await withdraw(admin, client, "0.01")
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]


# ---- statements ------------------------------------------------------------------------------


async def move(table: str, column: str, key: str, days: int) -> None:
    """Let something have happened earlier."""

    async with ledger() as work:
        time = datetime.now(timezone.utc) - timedelta(days=days)
        await work.execute(
            f"UPDATE satmachineclient.{table} SET {column} = :time WHERE id = :key",  # noqa: S608
            time=time,
            key=key,
        )


async def test_a_statement_adds_up(
    configure: Configure,
    make_client: MakeClient,
    plain_user: Account,
    admin: Account,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    await configure(timezone="America/Guatemala")
    await lamassu.clear()
    client = await make_client("=one", {"GTQ": "1000.00"})
    await make_client("another", {"GTQ": "1000.00"})
    old = (await admin.call("GET", f"{API}/clients/{client.id}/statement"))["currencies"][0]
    assert (old["opening_balance"], old["closing_balance"]) == ("0.00", "1000.00")
    first = next(
        d for d in await admin.call("GET", f"{API}/deposits") if d["client_id"] == client.id
    )
    await move("dca_deposits", "confirmed_at", first["id"], days=40)
    await lamassu.insert(sale(fiat=Decimal(200)))
    await lamassu.insert(sale(fiat=Decimal(400), crypto_atoms=42_200))
    await poll()
    await withdraw(admin, client, "100.00")

    statement = await admin.call("GET", f"{API}/clients/{client.id}/statement")

    today = datetime.now(timezone.utc).astimezone().date()
    assert statement["timezone"] == "America/Guatemala"
    assert abs(date.fromisoformat(statement["to"]) - today) <= timedelta(days=1)
    assert statement["from"] == f"{statement['to'][:8]}01"
    part = statement["currencies"][0]
    assert part["currency"] == "GTQ"
    assert part["opening_balance"] == "1000.00"
    assert part["deposits"] == []
    assert [w["amount"] for w in part["withdrawals"]] == ["100.00"]
    assert part["withdrawals"][0]["notes"] == "cash handed back"
    assert [p["amount_fiat"] for p in part["purchases"]] == ["100.00", "200.00"]
    assert part["total_purchases"] == "300.00" and part["total_withdrawals"] == "100.00"
    assert (part["total_sats"], part["waiting_sats"]) == (30_000, 0)
    assert part["average_price"] == "1000000.00"
    assert part["closing_balance"] == "600.00"

    own = await plain_user.call("GET", f"{API}/me/statement?client_id={client.id}")
    assert own["currencies"] == statement["currencies"]

    period = "from=2009-01-03&to=2030-01-01"
    whole = await admin.call("GET", f"{API}/clients/{client.id}/statement?{period}")
    assert whole["currencies"][0]["opening_balance"] == "0.00"
    assert [d["amount"] for d in whole["currencies"][0]["deposits"]] == ["1000.00"]
    before = await admin.call(
        "GET", f"{API}/clients/{client.id}/statement?from=2020-01-01&to=2020-12-31"
    )
    assert before["currencies"] == []

    answer = await admin.get(f"{API}/clients/{client.id}/statement?{period}&format=csv")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row["entry"] for row in rows] == [
        "opening balance",
        "deposit",
        "purchase",
        "purchase",
        "withdrawal",
        "closing balance",
    ]
    assert [row["balance"] for row in rows] == [
        "0.00",
        "1000.00",
        "900.00",
        "700.00",
        "600.00",
        "600.00",
    ]
    assert [row["amount"] for row in rows][1:5] == ["1000.00", "-100.00", "-200.00", "-100.00"]


async def test_a_statement_of_many_years_does_not_hold_up_the_others(
    configured: Setup,
    make_client: MakeClient,
    plain_user: Account,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    from satmachineclient import crud_sales
    from satmachineclient.models_sales import Transaction

    await lamassu.clear()
    client = await make_client("one", {"GTQ": "2000000.00"})
    await lamassu.insert(sale())
    await poll()
    async with ledger() as work:
        (row,) = await work.fetch(
            Transaction, "SELECT * FROM satmachineclient.lamassu_transactions"
        )
    (share,) = await crud_sales.get_payments_of(row.id)
    ids = [f"{number:05}" for number in range(5000)]
    sales = [row.copy(update={"id": i, "lamassu_transaction_id": i}) for i in ids]
    shares = [share.copy(update={"id": i, "transaction_id": i}) for i in ids]
    async with ledger() as work:
        await work.insert("lamassu_transactions", sales)
        await crud_sales.insert_payments(work, shares)
    longest_wait = 0.0

    async def watch() -> None:
        nonlocal longest_wait
        while True:
            before = monotonic()
            await asyncio.sleep(0.01)
            longest_wait = max(longest_wait, monotonic() - before)

    watching = asyncio.create_task(watch())
    begin = monotonic()
    statement = await plain_user.call("GET", f"{API}/me/statement?client_id={client.id}")
    took = monotonic() - begin
    watching.cancel()

    (part,) = statement["currencies"]
    assert len(part["purchases"]) == 5001 and part["closing_balance"] == "999800.00"
    assert longest_wait < took / 2


async def test_a_months_statement_begins_where_the_last_ended(
    configure: Configure, make_client: MakeClient, admin: Account, ledger_clean: None
) -> None:
    await configure(timezone="Europe/Madrid")
    client = await make_client("one", {"GTQ": "10.00", "JPY": "500"})
    days = [date(2026, 1, 1), date(2026, 4, 1), date(2027, 1, 1), date(2028, 1, 1)]
    closing: dict[str, str] = {}
    for begin, end in pairwise(days):
        query = f"from={begin}&to={end - timedelta(days=1)}"
        answer = await admin.call("GET", f"{API}/clients/{client.id}/statement?{query}")
        for part in answer["currencies"]:
            assert part["opening_balance"] == closing.get(part["currency"], part["opening_balance"])
            closing[part["currency"]] = part["closing_balance"]
    assert closing == {"GTQ": "10.00", "JPY": "500"}


async def test_each_month_that_has_ended_has_a_statement_with_its_own_number(
    configure: Configure, make_client: MakeClient, plain_user: Account, ledger_clean: None
) -> None:
    await configure(timezone="America/Guatemala")
    client = await make_client("one", {"GTQ": "10.00"})
    path = f"{API}/me/statements?client_id={client.id}"
    assert await plain_user.call("GET", path) == []  # nothing but of this month
    # Two hours into March by UTC, which is still February in Guatemala.
    moment = datetime(2026, 3, 1, 2, tzinfo=timezone.utc)
    async with ledger() as work:
        await work.execute(
            "UPDATE satmachineclient.dca_deposits SET confirmed_at = :moment", moment=moment
        )
    months = await plain_user.call("GET", path)
    today = datetime.now(ZoneInfo("America/Guatemala")).date()
    assert months[0]["month"] == (today.replace(day=1) - timedelta(days=1)).isoformat()[:7]
    assert (months[-1]["from"], months[-1]["to"]) == ("2026-02-01", "2026-02-28")
    assert [m["month"] for m in months] == sorted({m["month"] for m in months}, reverse=True)
    for month in (months[0], months[-1]):
        days = f"client_id={client.id}&from={month['from']}&to={month['to']}"
        for _ in range(2):
            statement = await plain_user.call("GET", f"{API}/me/statement?{days}")
            assert statement["number"] == month["number"]
    assert len({m["number"] for m in months}) == len(months)
    other = await make_client("two", {"GTQ": "10.00"})
    days = f"client_id={other.id}&from=2026-02-01&to=2026-02-28"
    statement = await plain_user.call("GET", f"{API}/me/statement?{days}")
    assert statement["number"] != months[-1]["number"]


async def test_the_operators_name_and_address_head_a_statement(
    configured: Setup, make_client: MakeClient, plain_user: Account, admin: Account
) -> None:
    client = await make_client("one", {"GTQ": "10.00"})
    path = f"{API}/me/statement?client_id={client.id}"
    blank = await plain_user.call("GET", path)
    assert (blank["operator_name"], blank["operator_address"]) == ("", "")
    named = {"operator_name": "Cajeros Añil, S. A.", "operator_address": "6a avenida 1-23\nZona 1"}
    await admin.call("PUT", f"{API}/programme", named)
    statement = await plain_user.call("GET", path)
    assert {name: statement[name] for name in named} == named
    for body, sentence in (
        ({"operator_name": "a" * 201}, "operator_name: "),
        ({"operator_address": "a" * 501}, "operator_address: "),
        ({"operator_name": None}, "operator_name: cannot be empty"),
    ):
        with pytest.raises(LnbitsError, match="400") as caught:
            await admin.call("PUT", f"{API}/programme", body)
        assert sentence in str(caught.value)
    await admin.call("PUT", f"{API}/programme", {"operator_name": "", "operator_address": ""})


async def test_a_months_tax_file_has_its_purchases_and_forwards_and_no_others(
    configured: Setup,
    make_client: MakeClient,
    plain_user: Account,
    admin: Account,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    await lamassu.clear()
    client = await make_client("one", {"GTQ": "1000.00"})
    await lamassu.insert(sale())
    await poll()
    moment = datetime(2026, 3, 5, 12, tzinfo=timezone.utc)
    async with ledger() as work:
        for table in ("dca_payments", "lamassu_transactions"):
            await work.execute(
                f"UPDATE satmachineclient.{table} SET transaction_time = :at",  # noqa: S608
                at=moment,
            )
    await forwarded(client, datetime(2026, 3, 31, 23, 59, tzinfo=timezone.utc))

    async def rows(days: str, who: Account, path: str) -> list[dict[str, str]]:
        answer = await who.get(f"{API}/{path}{days}&format=koinly")
        assert answer.headers["content-disposition"].endswith('-03-31.csv"') or "04" in days
        return list(csv.DictReader(io.StringIO(answer.text)))

    mine = f"me/statement?client_id={client.id}&"
    bought, sent = await rows("from=2026-03-01&to=2026-03-31", plain_user, mine)
    assert (bought["Date"], bought["Net Worth Amount"]) == ("2026-03-05 12:00 UTC", "200.00")
    assert bought["TxHash"] and bought["Received Currency"] == "BTC"
    assert (sent["Date"], sent["Sent Amount"]) == ("2026-03-31 23:59 UTC", "0.00001000")
    assert sent["Fee Amount"] == "0.00000001500"
    theirs = f"clients/{client.id}/statement?"
    assert await rows("from=2026-03-01&to=2026-03-31", admin, theirs) == [bought, sent]
    assert await rows("from=2026-04-01&to=2026-04-30", plain_user, mine) == []


async def forwarded(client: DcaClient, moment: datetime) -> None:
    """As the forwards' own table has it: a thousand sats, and a fee of one and a half."""
    values = {
        "id": "forward",
        "client_id": client.id,
        "wallet_id": client.wallet.id,
        "kind": "forward",
        "destination": "one@example.com",
        "amount_sats": 1000,
        "rest_sats": 0,
        "fee_msat": 1500,
        "status": "confirmed",
        "payment_hash": "f0" * 32,
        "bolt11": "lnbc",
        "attempts": 1,
        "created_at": moment,
        "confirmed_at": moment,
    }
    async with ledger() as work:
        await work.execute(
            f"INSERT INTO satmachineclient.dca_forwards ({', '.join(values)}) "  # noqa: S608
            f"VALUES ({', '.join(f':{name}' for name in values)})",
            **values,
        )


BAD_PERIODS = [
    ("from=2026-02-01&to=2026-01-31", "to: is before from"),
    ("from=yesterday", "from: "),
    ("from=0001-01-01", "from: "),
    ("from=9999-12-31&to=9999-12-31", "from: "),
    ("format=pdf", "format: "),
]


async def test_a_bad_period_is_refused(
    ledger_clean: None, make_client: MakeClient, admin: Account, subtests: pytest.Subtests
) -> None:
    client = await make_client("one")
    for query, sentence in BAD_PERIODS:
        with subtests.test(query=query, sentence=sentence):
            with pytest.raises(LnbitsError, match="400") as caught:
                await admin.call("GET", f"{API}/clients/{client.id}/statement?{query}")
            assert sentence in str(caught.value)


# ---- settling out ----------------------------------------------------------------------------


async def settle(admin: Account, client: DcaClient, **fields: Any) -> Any:
    body = {"currency": "GTQ", "exchange_rate": "800000", "reason": "moves abroad", **fields}
    return await admin.call("POST", f"{API}/clients/{client.id}/settle-out", body)


async def test_a_client_is_closed_by_paying_the_rest_at_the_operators_rate(
    configured: Setup, make_client: MakeClient, plain_user: Account, admin: Account
) -> None:
    client = await make_client(
        "one", {"GTQ": "123.45"}, dca_mode="fixed", currency="GTQ", fixed_mode_daily_limit="1"
    )
    preview = await settle(admin, client, dry_run=True)
    assert preview["dry_run"] and preview["transaction"]["crypto_amount_sats"] == 15_431
    assert preview["client"]["status"] == "closed"
    assert (preview["source_balance_sats"], preview["missing_sats"]) == (10_000_000, 0)
    assert await admin.call("GET", f"{API}/transactions") == []

    done = await settle(admin, client)

    row, share = done["transaction"], done["distributions"][0]
    assert (row["direction"], row["status"], row["credit_status"]) == (
        "settle_out",
        "settled",
        "none",
    )
    assert (row["crypto_amount_sats"], row["commission_amount_sats"]) == (15_431, 0)
    assert (row["fiat_amount"], row["exchange_rate"]) == ("123.45", "800000")
    assert row["review_notes"] == "moves abroad"
    assert (share["amount_sats"], share["amount_fiat"], share["status"]) == (
        15_431,
        "123.45",
        "confirmed",
    )
    assert done["client"]["status"] == "closed"
    assert (await balance(admin, client))["remaining_balance"] == "0.00"
    assert await admin.balance(client.wallet) == 15_431
    key = {"X-Api-Key": client.wallet.inkey}
    payment = (await plain_user.call("GET", "/api/v1/payments", headers=key))[0]
    assert payment["memo"].endswith("GTQ/BTC (the rest of your cash)")
    statement = await plain_user.call("GET", f"{API}/me/statement?client_id={client.id}")
    bought = statement["currencies"][0]["purchases"][0]
    assert (bought["direction"], bought["exchange_rate"]) == ("settle_out", "800000")
    assert (await admin.call("GET", f"{API}/reconciliation"))["ok"]
    assert (await admin.call("GET", f"{API}/audit"))[0]["action"] == "client settled out"
    with pytest.raises(LnbitsError, match="409"):
        await settle(admin, client)


async def test_a_dry_run_says_what_the_source_wallet_lacks(
    configure: Configure, make_client: MakeClient, admin: Account
) -> None:
    await configure(balance_sats=10_000)
    client = await make_client("one", {"GTQ": "123.45"})
    preview = await settle(admin, client, dry_run=True)
    assert (preview["source_balance_sats"], preview["missing_sats"]) == (10_000, 5_431)


async def test_a_client_with_two_currencies_is_closed_with_the_second(
    configured: Setup, make_client: MakeClient, admin: Account
) -> None:
    client = await make_client("one", {"GTQ": "100.00", "USD": "20.00"})
    assert (await settle(admin, client))["client"]["status"] == "active"
    await withdraw(admin, client, "19.99", currency="USD")
    done = await settle(admin, client, currency="USD", exchange_rate="100000")
    assert done["client"]["status"] == "closed"
    assert done["transaction"]["crypto_amount_sats"] == 10


async def test_a_pending_deposit_is_decided_on_first(
    configured: Setup, make_client: MakeClient, admin: Account
) -> None:
    client = await make_client("one", {"GTQ": "100.00"})
    body = {"client_id": client.id, "amount": "50", "currency": "GTQ"}
    deposit = await admin.call("POST", f"{API}/deposits", body)
    with pytest.raises(LnbitsError, match=r"409.*pending"):
        await settle(admin, client)
    await admin.call("PUT", f"{API}/deposits/{deposit['id']}/status", {"status": "rejected"})
    assert (await settle(admin, client))["client"]["status"] == "closed"


async def test_what_the_source_wallet_cannot_cover_waits(
    configure: Configure, make_client: MakeClient, admin: Account, poll: Poll
) -> None:
    setup = await configure(balance_sats=0)
    client = await make_client("one", {"GTQ": "100.00"})
    done = await settle(admin, client)
    assert done["distributions"][0]["status"] == "pending"
    assert "short of 12500 sats" in done["distributions"][0]["error"]
    await admin.top_up(setup.source, 12_500)
    assert (await poll())["confirmed_payments"] == 1
    assert await admin.balance(client.wallet) == 12_500


BAD_SETTLEMENTS: list[tuple[dict[str, Any], str]] = [
    ({"exchange_rate": 0}, "exchange_rate: "),
    ({"exchange_rate": "-1"}, "exchange_rate: "),
    ({"exchange_rate": "NaN"}, "exchange_rate: "),
    ({"exchange_rate": True}, "exchange_rate: "),
    ({"exchange_rate": "999999999999999"}, "exchange_rate: 100.00 GTQ would be 0 sats"),
    ({"exchange_rate": "0.00000001"}, "exchange_rate: "),
    ({"reason": ""}, "reason: "),
    ({"currency": "QQQ"}, "currency: "),
    ({"dry_run": "yes"}, "dry_run: "),
]


async def test_a_bad_settlement_is_refused_and_nothing_is_stored(
    configured: Setup, make_client: MakeClient, admin: Account, subtests: pytest.Subtests
) -> None:
    client = await make_client("one", {"GTQ": "100.00"})
    for fields, sentence in BAD_SETTLEMENTS:
        with subtests.test(fields=fields, sentence=sentence):
            with pytest.raises(LnbitsError, match="400") as caught:
                await settle(admin, client, **fields)
            assert sentence in str(caught.value)
            assert await admin.call("GET", f"{API}/transactions") == []
            assert (await admin.call("GET", f"{API}/clients"))[0]["status"] == "active"

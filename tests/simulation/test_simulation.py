"""Hypothesis drives the real thing and the model side by side; after every step they agree.

The steps are taken on a real LNbits with a real Lamassu database; a crash is an exception thrown
at one of the commits of a poll.
"""

import asyncio
import os
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from demo.cash_in import CashIn
from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account, LnbitsError, Wallet
from demo.sales import Sale

from .model import Model, ModelCashIn, ModelClient, ModelSale

API = "/satmachineclient/api/v1/dca"
T = TypeVar("T")


class Crash(BaseException):
    """Not an Exception: nothing in the code under test may catch it and go on."""


@contextmanager
def crash_at(moment: int) -> Iterator[None]:
    """Throw at this commit, counted from 1; odd ones before it is done, even ones after it."""
    commit, count = AsyncConnection.commit, 0

    async def counted(self: AsyncConnection) -> None:
        nonlocal count
        count += 1
        if count == moment and moment % 2:
            raise Crash
        await commit(self)
        if count == moment:
            raise Crash

    AsyncConnection.commit = counted
    try:
        yield
    finally:
        AsyncConnection.commit = commit


class World:
    """What the steps need of the fixtures, called from the machine's own thread."""

    def __init__(self, admin: Account, lamassu: LamassuDatabase, source: Wallet) -> None:
        self.admin = admin
        self.lamassu = lamassu
        self.source = source
        self.loop = asyncio.get_running_loop()
        self.steps = 0

    def run(self, work: Awaitable[T]) -> T:
        async def wait() -> T:
            return await work

        return asyncio.run_coroutine_threadsafe(wait(), self.loop).result(timeout=120)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        return self.run(self.admin.call(method, f"{API}{path}", body))


class Programme(RuleBasedStateMachine):
    world: World

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.wallets: dict[str, Wallet] = {}
        self.broken: set[str] = set()

    @initialize(
        members=st.lists(
            st.tuples(st.one_of(st.none(), st.integers(1, 30_000)), st.integers(1, 100_000)),
            min_size=1,
            max_size=3,
        )
    )
    def begin(self, members: list[tuple[int | None, int]]) -> None:
        self.world.run(_forget_everything(self.world.lamassu))
        for limit, minor in members:
            self._confirm_deposit(self._add_client(limit), minor)

    # ---- people --------------------------------------------------------------------

    @precondition(lambda self: len(self.model.clients) < 4)
    @rule(limit=st.one_of(st.none(), st.integers(1, 30_000)))
    def join(self, limit: int | None) -> None:
        self._add_client(limit)

    @rule(data=st.data(), minor=st.integers(1, 100_000))
    def deposit(self, data: st.DataObject, minor: int) -> None:
        self._confirm_deposit(self._someone(data), minor)

    @rule(data=st.data(), minor=st.integers(1, 100_000))
    def deposit_that_is_rejected(self, data: st.DataObject, minor: int) -> None:
        self._resolve_deposit(self._someone(data), minor, "rejected")

    @rule(data=st.data(), limit=st.one_of(st.none(), st.integers(1, 30_000)))
    def change_mode(self, data: st.DataObject, limit: int | None) -> None:
        client = self._someone(data)
        self._change(client, limit, client.terms[-1][2], _mode(limit))

    @rule(data=st.data())
    def pause_or_resume(self, data: st.DataObject) -> None:
        client = self._someone(data)
        _, limit, active = client.terms[-1]
        self._change(client, limit, not active, {"status": "paused" if active else "active"})

    @rule(data=st.data(), part=st.fractions(0, Fraction(6, 5)))
    def withdraw(self, data: st.DataObject, part: Fraction) -> None:
        """Up to a fifth more than is left, which has to be refused."""
        client = self._someone(data)
        minor = max(1, int(client.left() * part))
        amount = str(Decimal(minor).scaleb(-2))
        body = {"amount": amount, "currency": "GTQ", "reason": "simulated"}
        try:
            self.world.call("POST", f"/clients/{client.id}/withdrawals", body)
        except LnbitsError as refused:
            assert "is left" in str(refused)
            assert minor > client.left()
        else:
            assert minor <= client.left()
            client.withdrawn += minor

    @rule(data=st.data())
    def delete_or_restore_wallet(self, data: st.DataObject) -> None:
        client = self._someone(data)
        self.broken ^= {client.id}
        self.world.run(_set_deleted(self.wallets[client.id], client.id in self.broken))

    # ---- the machine and the polls ---------------------------------------------------

    @rule(
        fiat=st.integers(1, 60_000),
        sats=st.integers(1, 300_000),
        commission=st.integers(0, 20_000),
    )
    def sell(self, fiat: int, sats: int, commission: int) -> None:
        time = datetime.now(timezone.utc)
        rate = Decimal(commission).scaleb(-5)
        sale = Sale(
            created=time,
            confirmed_at=time,
            cash_at=time,
            fiat=Decimal(fiat).scaleb(-2),
            crypto_atoms=sats,
            commission_percentage=rate,
        )
        self.world.run(self.world.lamassu.insert(sale))
        key = str(sale.id)
        self.model.sales[key] = ModelSale(key, time, sats, fiat, Fraction(rate))

    @rule(
        notes=st.lists(st.sampled_from([1, 20, 100, 200]), min_size=1, max_size=3),
        sats=st.integers(1, 300_000),
        commission=st.integers(-15_000, 20_000),
        fee=st.integers(0, 99),
    )
    def buy(self, notes: list[int], sats: int, commission: int, fee: int) -> None:
        time = datetime.now(timezone.utc)
        rate, fiat_fee = Decimal(commission).scaleb(-5), Decimal(fee).scaleb(-2)
        bought = CashIn(
            created=time,
            send_time=time,
            notes=notes,
            crypto_atoms=sats,
            commission_percentage=rate,
            cash_in_fee=fiat_fee,
        )
        self.world.run(self.world.lamassu.insert(bought))
        key = str(bought.id)
        price = Fraction(bought.raw_ticker_price or 0)
        self.model.sales[key] = ModelCashIn.of(
            key, time, sats, sum(notes) * 100, Fraction(rate), Fraction(fiat_fee) / price * 10**8
        )

    @rule()
    def poll(self) -> None:
        result = self.world.call("POST", "/manual-poll")
        assert result["success"], result
        self.model.plan(set(self.model.sales) - self.model.planned)
        assert {row["lamassu_transaction_id"] for row in self._rows()} == self.model.planned

    @rule(moment=st.integers(1, 60))
    def poll_that_crashes(self, moment: int) -> None:
        from satmachineclient import transaction_processor

        async def run() -> None:
            with crash_at(moment):
                try:
                    await transaction_processor.poll("hourly")
                except Crash:
                    await let_the_lease_expire()

        self.world.run(run())
        stored = {row["lamassu_transaction_id"] for row in self._rows()}
        self.model.plan(stored - self.model.planned)

    @rule()
    def retry_or_void_what_failed(self) -> None:
        for row in self._rows():
            sale = row["lamassu_transaction_id"]
            for share in self.world.call("GET", f"/transactions/{row['id']}/distributions"):
                if share["status"] != "failed":
                    continue
                if share["client_id"] in self.broken:
                    reason = {"reason": "the wallet is gone"}
                    self.world.call("POST", f"/payments/{share['id']}/void", reason)
                    self.model.void(sale, share["client_id"])
                else:
                    self.world.call("POST", f"/payments/{share['id']}/retry")

    # ---- what always holds -----------------------------------------------------------

    @invariant()
    def fiat_and_sats_agree_with_the_model(self) -> None:
        self.world.steps += 1
        shares = []
        for row in self._rows():
            sale = self.model.sales[row["lamassu_transaction_id"]]
            own = self.world.call("GET", f"/transactions/{row['id']}/distributions")
            kept = [s for s in own if s["status"] != "voided"]
            assert {s["client_id"]: (s["amount_sats"], _minor(s["amount_fiat"])) for s in kept} == {
                key: (s.sats, s.fiat) for key, s in sale.shares.items()
            }
            assert row["base_amount_sats"] == sale.base
            assert row["direction"] == sale.direction
            assert (row["credit_status"] == "none") == (sale.direction == "cash_in")
            assert (
                row["crypto_amount_sats"]
                == sale.total
                == (
                    row["commission_amount_sats"]
                    + sum(s["amount_sats"] for s in kept)
                    + row["undistributed_sats"]
                )
            )
            assert sale.fiat == _minor(row["undistributed_fiat"]) + sum(
                _minor(s["amount_fiat"]) for s in kept
            )
            shares += kept
        self._balances_agree()
        self._totals_agree()
        self._wallets_agree(shares)

    def _balances_agree(self) -> None:
        for client in self.world.call("GET", "/clients"):
            model = self.model.clients[client["id"]]
            real = {b["currency"]: b for b in client["balances"]}.get("GTQ")
            remaining = _minor(real["remaining_balance"]) if real else 0
            assert remaining == model.left() >= 0

    def _totals_agree(self) -> None:
        """The clients' totals are the sums of their rows, wherever a poll has crashed."""
        from satmachineclient import crud_reports

        assert self.world.run(crud_reports.wrong_totals()) == []

    def _wallets_agree(self, shares: list[dict[str, Any]]) -> None:
        """Between polls LNbits may have paid what is not confirmed yet, but never more."""
        for client_id, wallet in self.wallets.items():
            if client_id in self.broken:
                continue
            own = [s for s in shares if s["client_id"] == client_id]
            confirmed = sum(s["amount_sats"] for s in own if s["status"] == "confirmed")
            most = sum(s["amount_sats"] for s in own)
            assert confirmed <= self.world.run(self.world.admin.balance(wallet)) <= most

    def teardown(self) -> None:
        for client_id in self.broken:
            self.world.run(_set_deleted(self.wallets[client_id], False))
        self.broken = set()
        self.poll()
        self.retry_or_void_what_failed()
        self.fiat_and_sats_agree_with_the_model()
        for row in self._rows():
            assert row["status"] == "settled", row
        assert self.world.call("GET", "/reconciliation")["ok"]

    def _add_client(self, limit: int | None) -> ModelClient:
        wallet = self.world.run(self.world.admin.create_wallet("simulated"))
        body = {"wallet_id": wallet.id, **_mode(limit)}
        made = self.world.call("POST", "/clients", body)
        since = datetime.fromisoformat(made["created_at"])
        client = ModelClient(made["id"], [(since, limit, True)])
        self.model.clients[client.id] = client
        self.wallets[client.id] = wallet
        return client

    def _change(
        self, client: ModelClient, limit: int | None, active: bool, body: dict[str, Any]
    ) -> None:
        changed = self.world.call("PUT", f"/clients/{client.id}", body)
        client.terms.append((datetime.fromisoformat(changed["updated_at"]), limit, active))

    def _confirm_deposit(self, client: ModelClient, minor: int) -> None:
        confirmed = self._resolve_deposit(client, minor, "confirmed")
        client.deposits.append((datetime.fromisoformat(confirmed["confirmed_at"]), minor))

    def _resolve_deposit(self, client: ModelClient, minor: int, status: str) -> dict[str, Any]:
        amount = str(Decimal(minor).scaleb(-2))
        body = {"client_id": client.id, "amount": amount, "currency": "GTQ"}
        made = self.world.call("POST", "/deposits", body)
        path = f"/deposits/{made['id']}/status"
        answer: dict[str, Any] = self.world.call("PUT", path, {"status": status})
        return answer

    def _rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.world.call("GET", "/transactions")
        return rows

    def _someone(self, data: st.DataObject) -> ModelClient:
        return self.model.clients[data.draw(st.sampled_from(sorted(self.model.clients)))]


def _mode(limit: int | None) -> dict[str, Any]:
    if limit is None:
        return {"dca_mode": "flow"}
    text = str(Decimal(limit).scaleb(-2))
    return {"dca_mode": "fixed", "fixed_mode_daily_limit": text, "currency": "GTQ"}


def _minor(text: str) -> int:
    return int(Decimal(text).scaleb(2))


async def _set_deleted(wallet: Wallet, deleted: bool) -> None:
    from lnbits.core.db import db

    await db.execute(
        "UPDATE wallets SET deleted = :deleted WHERE id = :id",
        {"deleted": deleted, "id": wallet.id},
    )


async def let_the_lease_expire() -> None:
    from satmachineclient.database import ledger

    async with ledger() as work:
        await work.execute("UPDATE satmachineclient.ledger_lease SET expires_at = 0")


async def _forget_everything(lamassu: LamassuDatabase) -> None:
    from satmachineclient.database import ledger

    await lamassu.clear()
    async with ledger() as work:
        for table in (
            "dca_clients dca_client_terms dca_deposits dca_balances lamassu_transactions "
            "dca_payments dca_payouts lamassu_polls"
        ).split():
            await work.execute(f"DELETE FROM satmachineclient.{table}")  # noqa: S608
    await _forget_bookings()


async def _forget_bookings() -> None:
    """Bookings of an earlier example would be strangers to the reconciliation of this one."""
    from lnbits.core.db import db

    await db.execute("UPDATE apipayments SET tag = 'earlier' WHERE tag = 'satmachineclient'")


@pytest.mark.parametrize(
    ("examples", "steps"),
    [pytest.param(4, 20, id="some"), pytest.param(60, 50, id="many", marks=pytest.mark.faults)],
)
async def test_the_programme_agrees_with_its_model(
    admin: Account,
    configure: Any,
    lamassu: LamassuDatabase,
    monkeypatch: pytest.MonkeyPatch,
    examples: int,
    steps: int,
) -> None:
    from lnbits.settings import settings as lnbits_settings

    # Hypothesis seeds `random` for each example, and LNbits would draw the same addresses again.
    monkeypatch.setattr(lnbits_settings, "lnbits_ln_address_mode", "extension_only")
    # Cash-outs bring their sats; those of the cash-ins are there from the start.
    setup = await configure(direction="both", balance_sats=2_000_000_000, credit_source_wallet=True)
    world = Programme.world = World(admin, lamassu, setup.source)
    await asyncio.to_thread(
        run_state_machine_as_test,
        Programme,
        settings=settings(
            max_examples=int(os.environ.get("SIMULATED_EXAMPLES", examples)),
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(f"{world.steps} simulated steps, sats and fiat agree after each")

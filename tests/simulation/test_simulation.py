"""Hypothesis drives the real thing and the model side by side; after every step they agree.

The steps are taken on a real LNbits with a real Lamassu database; a crash is an exception thrown
at one of the commits of a poll.
"""

import asyncio
import os
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

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
from sqlalchemy.future import Connection

from demo.cash_in import CashIn
from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account, LnbitsError, Wallet
from demo.sales import MACHINE, UNPAIRED_MACHINE, Sale

from .model import ANYWHERE, Model, ModelCashIn, ModelClient, ModelPartner, ModelSale

API = "/satmachineclient/api/v1/dca"
ZONES = ["UTC", "Pacific/Kiritimati", "America/Guatemala", "Asia/Kathmandu", "Etc/GMT+12"]
MACHINES = st.sampled_from([MACHINE, UNPAIRED_MACHINE])
PLACES = st.sampled_from([ANYWHERE, MACHINE, UNPAIRED_MACHINE])
PERCENTS = st.decimals(Decimal("0.0001"), Decimal(25), places=4)
"""Of four partners never more than all of it together."""
AGO = st.integers(0, 60)
"""How many hours ago something was: on one of three or four days."""
EXPLORING = 50
T = TypeVar("T")


class Crash(BaseException):
    """Not an Exception: nothing in the code under test may catch it and go on."""


@contextmanager
def crash_at(moment: int) -> Iterator[None]:
    """Throw at this commit, counted from 1; odd ones before it is done, even ones after it."""
    commit, count = Connection.commit, 0

    def counted(self: Connection) -> None:
        nonlocal count
        count += 1
        if count == moment and moment % 2:
            raise Crash
        commit(self)
        if count == moment:
            raise Crash

    Connection.commit = counted
    try:
        yield
    finally:
        Connection.commit = commit


class World:
    """What the steps need of the fixtures, called from the machine's own thread."""

    def __init__(self, admin: Account, lamassu: LamassuDatabase, config: dict[str, Any]) -> None:
        self.admin = admin
        self.lamassu = lamassu
        self.config = config
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
        self.partner_wallets: dict[str, Wallet] = {}
        self.broken: set[str] = set()
        self.settings: dict[str, Any] = {}
        self.run_is_due = True
        self.paid_until: datetime | None = None
        self.may_be_paid: set[str] = set()  # the sales that were planned when last it was paid

    @initialize(
        members=st.lists(
            st.tuples(st.one_of(st.none(), st.integers(1, 30_000)), st.integers(1, 100_000)),
            min_size=1,
            max_size=3,
        )
    )
    def begin(self, members: list[tuple[int | None, int]]) -> None:
        self.world.run(_forget_everything(self.world.lamassu))
        self.world.run(_put_the_last_run_back(None))
        self.move_to("UTC")
        for limit, minor in members:
            self._confirm_deposit(self._add_client(limit), minor, 60, ANYWHERE)

    # ---- people --------------------------------------------------------------------

    @precondition(lambda self: len(self.model.clients) < 4)
    @rule(limit=st.one_of(st.none(), st.integers(1, 30_000)))
    def join(self, limit: int | None) -> None:
        self._add_client(limit)

    @rule(data=st.data(), minor=st.integers(1, 100_000), ago=AGO, place=PLACES)
    def deposit(self, data: st.DataObject, minor: int, ago: int, place: str) -> None:
        self._confirm_deposit(self._someone(data), minor, ago, place)

    @rule(data=st.data(), minor=st.integers(1, 100_000))
    def deposit_that_is_rejected(self, data: st.DataObject, minor: int) -> None:
        self._resolve_deposit(self._someone(data), minor, "rejected", MACHINE)

    @rule(data=st.data(), limit=st.one_of(st.none(), st.integers(1, 30_000)))
    def change_mode(self, data: st.DataObject, limit: int | None) -> None:
        client = self._someone(data)
        self._change(client, limit, client.terms[-1][2], _mode(limit))

    @rule(data=st.data())
    def pause_or_resume(self, data: st.DataObject) -> None:
        client = self._someone(data)
        _, limit, active = client.terms[-1]
        self._change(client, limit, not active, {"status": "paused" if active else "active"})

    @rule(data=st.data(), part=st.fractions(0, Fraction(6, 5)), place=PLACES)
    def withdraw(self, data: st.DataObject, part: Fraction, place: str) -> None:
        """Up to a fifth more than is left there, which has to be refused."""
        client = self._someone(data)
        left = client.part(place)
        minor = max(1, int(left * part))
        amount = str(Decimal(minor).scaleb(-2))
        body = {"amount": amount, "currency": "GTQ", "reason": "simulated"}
        body |= {"device_id": place} if place else {}
        try:
            self.world.call("POST", f"/clients/{client.id}/withdrawals", body)
        except LnbitsError as refused:
            assert "is left" in str(refused)
            assert minor > left
        else:
            assert minor <= left
            client.go(place, minor)

    @rule(data=st.data())
    def delete_or_restore_wallet(self, data: st.DataObject) -> None:
        client = self._someone(data)
        self.broken ^= {client.id}
        self.world.run(_set_deleted(self.wallets[client.id], client.id in self.broken))

    # ---- partners --------------------------------------------------------------------

    @precondition(lambda self: len(self.model.partners) < 4)
    @rule(percent=PERCENTS, machines=st.sets(MACHINES))
    def add_partner(self, percent: Decimal, machines: set[str]) -> None:
        self._add_partner(self._create_wallet("a partner's"), percent, machines)

    def _create_wallet(self, name: str) -> Wallet:
        return self.world.run(self.world.admin.create_wallet(name))

    def _add_partner(self, wallet: Wallet, percent: Decimal, machines: set[str]) -> None:
        terms = {"percent": str(percent), "device_ids": sorted(machines)}
        body = {"name": "partner", "wallet_id": wallet.id, **terms}
        made = self.world.call("POST", "/partners", body)
        since = _hours_ago(72)
        backdated = _backdate("dca_partner_terms", "valid_from", "partner_id", made["id"], since)
        self.world.run(backdated)
        terms_of_it = [(since, Fraction(percent), machines, True)]
        self.model.partners[made["id"]] = ModelPartner(made["id"], terms_of_it)
        self.partner_wallets[made["id"]] = wallet

    @precondition(lambda self: self.model.partners)
    @rule(data=st.data(), percent=PERCENTS, machines=st.sets(MACHINES), active=st.booleans())
    def change_partner(
        self, data: st.DataObject, percent: Decimal, machines: set[str], active: bool
    ) -> None:
        partner = self.model.partners[data.draw(st.sampled_from(sorted(self.model.partners)))]
        body = {
            "percent": str(percent),
            "device_ids": sorted(machines),
            "status": "active" if active else "ended",
        }
        changed = self.world.call("PUT", f"/partners/{partner.id}", body)
        since = datetime.fromisoformat(changed["valid_from"])
        if (Fraction(percent), machines, active) != partner.terms[-1][1:]:
            partner.terms.append((since, Fraction(percent), machines, active))

    @rule(zone=st.sampled_from(ZONES))
    def move_to(self, zone: str) -> None:
        self._configure(timezone=zone)
        self.model.zone = ZoneInfo(zone)

    # ---- when it is paid -----------------------------------------------------------

    @rule(
        schedule=st.sampled_from(["each_poll", "daily", "weekly"]),
        smallest=st.one_of(st.none(), st.integers(1, 200_000)),
    )
    def pay(self, schedule: str, smallest: int | None) -> None:
        """Whenever shares are paid, what is theirs is the same."""
        self._configure(payout_schedule=schedule, payout_min_sats=smallest)

    # Not a precondition: whether there was a run yet may depend on the real clock, and hypothesis
    # has to find the same rules when it goes the same way again.
    @rule()
    def the_hour_comes(self) -> None:
        if self.paid_until is None:
            return
        self.paid_until = _hours_ago(8 * 24)
        self.world.run(_put_the_last_run_back(self.paid_until))
        self.run_is_due = True

    @rule()
    def pay_all_now(self) -> None:
        self.run_is_due = True
        self.world.call("POST", "/payouts/now")
        self._look_whether_it_was_paid(surely=True)

    def _configure(self, **settings: Any) -> None:
        """The hour is half a day away, in whatever zone."""
        each_poll_paid = self._each_poll_pays()
        before = self.world.call("GET", "/config")
        self.settings |= settings
        zone = ZoneInfo(self.settings.get("timezone", "UTC"))
        hour = f"{datetime.now(zone) + timedelta(hours=12):%H:%M}"
        body = {**self.world.config, **self.settings, "payout_time": hour}
        after = self.world.call("POST", "/config", body)
        schedule = ("payout_schedule", "payout_time", "payout_weekday", "timezone")
        if any(before[name] != after[name] for name in schedule):
            self.run_is_due = False  # the new schedule's first moment is to come
            if each_poll_paid:
                self.paid_until = self.world.run(_last_run())
                self.may_be_paid |= self.model.planned

    def _each_poll_pays(self) -> bool:
        return bool(self.settings.get("payout_schedule", "each_poll") == "each_poll")

    def _look_whether_it_was_paid(self, *, surely: bool) -> None:
        """At the hour, once; and never else, but where each poll pays."""
        paid_until = self.world.run(_last_run())
        has_run = paid_until != self.paid_until
        assert has_run <= self.run_is_due
        if surely and not self._each_poll_pays():
            assert has_run == self.run_is_due
        if has_run or self._each_poll_pays():
            self.may_be_paid |= self.model.planned
        if has_run:
            self.run_is_due = False
        self.paid_until = paid_until

    # ---- the machine and the polls ---------------------------------------------------

    @rule(
        fiat=st.integers(1, 60_000),
        sats=st.integers(1, 300_000),
        commission=st.integers(0, 20_000),
        ago=AGO,
        machine=MACHINES,
    )
    def sell(self, fiat: int, sats: int, commission: int, ago: int, machine: str) -> None:
        time = _hours_ago(ago)
        rate = Decimal(commission).scaleb(-5)
        sale = Sale(
            created=time,
            confirmed_at=time,
            cash_at=time,
            fiat=Decimal(fiat).scaleb(-2),
            crypto_atoms=sats,
            commission_percentage=rate,
            device_id=machine,
        )
        self.world.run(self.world.lamassu.insert(sale))
        key = str(sale.id)
        self.model.sales[key] = ModelSale(key, time, sats, fiat, Fraction(rate), machine)

    @rule(
        notes=st.lists(st.sampled_from([1, 20, 100, 200]), min_size=1, max_size=3),
        sats=st.integers(1, 300_000),
        commission=st.integers(-15_000, 20_000),
        fee=st.integers(0, 99),
        ago=AGO,
        machine=MACHINES,
    )
    def buy(
        self, notes: list[int], sats: int, commission: int, fee: int, ago: int, machine: str
    ) -> None:
        time = _hours_ago(ago)
        rate, fiat_fee = Decimal(commission).scaleb(-5), Decimal(fee).scaleb(-2)
        bought = CashIn(
            created=time,
            send_time=time,
            notes=notes,
            crypto_atoms=sats,
            commission_percentage=rate,
            cash_in_fee=fiat_fee,
            device_id=machine,
        )
        if bought.ticker_price is None:  # of no market: what a fee was worth could not be told
            fiat_fee = Decimal(0)
            bought = replace(bought, cash_in_fee=fiat_fee)
        self.world.run(self.world.lamassu.insert(bought))
        key = str(bought.id)
        fee_sats = Fraction(0)
        if fiat_fee:
            fee_sats = Fraction(fiat_fee) / Fraction(bought.ticker_price or 0) * 10**8
        fiat = sum(notes) * 100
        self.model.sales[key] = ModelCashIn.of(
            key, time, sats, fiat, Fraction(rate), fee_sats, machine
        )

    @rule()
    def poll(self) -> None:
        result = self.world.call("POST", "/manual-poll")
        assert result["success"], result
        self.model.plan(set(self.model.sales) - self.model.planned, self.broken)
        assert {row["lamassu_transaction_id"] for row in self._rows()} == self.model.planned
        self._look_whether_it_was_paid(surely=True)

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
        self.model.plan(stored - self.model.planned, self.broken)
        self._look_whether_it_was_paid(surely=False)

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
        self._look_whether_it_was_paid(surely=False)

    # ---- what always holds -----------------------------------------------------------

    @invariant()
    def fiat_and_sats_agree_with_the_model(self) -> None:
        self.world.steps += 1
        shares = []
        for row in self._rows():
            sale = self.model.sales[row["lamassu_transaction_id"]]
            own = self.world.call("GET", f"/transactions/{row['id']}/distributions")
            kept = [s for s in own if s["status"] != "voided"]
            if sale.id not in self.may_be_paid:
                moved = {row["credit_status"], row["commission_status"]}
                assert "confirmed" not in moved | {s["status"] for s in own}
            assert {
                s["client_id"]: (
                    s["amount_sats"],
                    *map(_minor, (s["amount_fiat"], s["machine_fiat"])),
                )
                for s in kept
            } == {key: (s.sats, s.fiat, s.own) for key, s in sale.shares.items()}
            self._commission_agrees(row, sale)
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
        self.world.run(_nothing_is_left_out())
        self._wallets_agree(shares)
        self._partners_agree()

    def _commission_agrees(self, row: dict[str, Any], sale: ModelSale) -> None:
        parts = self.world.call("GET", f"/transactions/{row['id']}/commission")
        assert {p["partner_id"]: p["amount_sats"] for p in parts[:-1]} == sale.parts
        assert sum(p["amount_sats"] for p in parts) == row["commission_amount_sats"]

    def _partners_agree(self) -> None:
        planned = [self.model.sales[key] for key in self.model.planned]
        for partner in self.world.call("GET", "/partners"):
            theirs = sum(sale.parts.get(partner["id"], 0) for sale in planned)
            assert partner["total_sats"] + partner["pending_sats"] == theirs

    def _balances_agree(self) -> None:
        for client in self.world.call("GET", "/clients"):
            model = self.model.clients[client["id"]]
            real = {b["currency"]: b for b in client["balances"]}.get("GTQ")
            remaining = _minor(real["remaining_balance"]) if real else 0
            assert remaining == model.left() >= 0
            by_machine = real["remaining_by_machine"] if real else {}
            for machine in (MACHINE, UNPAIRED_MACHINE):
                assert _minor(by_machine.get(machine, "0")) == model.part(machine) >= 0
            assert model.part(ANYWHERE) >= 0

    def _totals_agree(self) -> None:
        """The clients' totals are the sums of their rows, wherever a poll has crashed."""
        from satmachineclient.books.crud_checks import owner_ids
        from satmachineclient.books.reconciliation import wrong_totals

        owners = self.world.run(owner_ids())
        assert not owners or self.world.run(wrong_totals(owners[0], owners[-1])) == []

    def _wallets_agree(self, shares: list[dict[str, Any]]) -> None:
        """Between polls LNbits may have paid what is not confirmed yet, but never more.

        A partner's wallet may be a client's, too.
        """
        paid = [(s["client_id"], s["amount_sats"], s["status"] == "confirmed") for s in shares]
        for partner in self.world.call("GET", "/partners"):
            paid.append((partner["id"], partner["total_sats"], True))
            paid.append((partner["id"], partner["pending_sats"], False))
        whose: dict[str, tuple[Wallet, set[str]]] = {}
        for owner_id, wallet in {**self.wallets, **self.partner_wallets}.items():
            whose.setdefault(wallet.id, (wallet, set()))[1].add(owner_id)
        for wallet, owners in whose.values():
            if owners & self.broken:
                continue
            confirmed = sum(sats for owner, sats, done in paid if owner in owners and done)
            most = sum(sats for owner, sats, _ in paid if owner in owners)
            surely, perhaps = self._gone_on_msat(owners)
            held = self.world.run(self.world.admin.balance(wallet)) * 1000
            assert confirmed * 1000 - surely - perhaps < held + 1000
            assert held <= most * 1000 - surely

    def _gone_on_msat(self, owners: set[str]) -> tuple[int, int]:
        """What surely went on from these owners' wallet, fees included, and what perhaps did."""
        return 0, 0

    def teardown(self) -> None:
        if not self.wallets:
            return  # an example that hypothesis gave up before it began
        for client_id in self.broken:
            self.world.run(_set_deleted(self.wallets[client_id], False))
        self.broken = set()
        self._configure(payout_schedule="each_poll", payout_min_sats=None)
        self.poll()
        self.retry_or_void_what_failed()
        for row in self._rows():
            if row["status"] == "planned":  # the part of a partner whose wallet was gone
                self.world.call("POST", f"/transactions/{row['id']}/retry")
        self.fiat_and_sats_agree_with_the_model()
        for row in self._rows():
            assert row["status"] == "settled", row
        assert self.world.call("GET", "/reconciliation")["ok"]

    def _add_client(self, limit: int | None) -> ModelClient:
        wallet = self.world.run(self.world.admin.create_wallet("simulated"))
        body = {"wallet_id": wallet.id, **_mode(limit)}
        made = self.world.call("POST", "/clients", body)
        since = _hours_ago(72)
        self.world.run(_backdate("dca_client_terms", "valid_from", "client_id", made["id"], since))
        client = ModelClient(made["id"], [(since, limit, True)])
        self.model.clients[client.id] = client
        self.wallets[client.id] = wallet
        return client

    def _change(
        self, client: ModelClient, limit: int | None, active: bool, body: dict[str, Any]
    ) -> None:
        changed = self.world.call("PUT", f"/clients/{client.id}", body)
        client.terms.append((datetime.fromisoformat(changed["updated_at"]), limit, active))

    def _confirm_deposit(self, client: ModelClient, minor: int, ago: int, place: str) -> None:
        confirmed = self._resolve_deposit(client, minor, "confirmed", place)
        time = _hours_ago(ago)
        self.world.run(_backdate("dca_deposits", "confirmed_at", "id", confirmed["id"], time))
        client.deposits.append((time, minor, place))

    def _resolve_deposit(
        self, client: ModelClient, minor: int, status: str, place: str
    ) -> dict[str, Any]:
        amount = str(Decimal(minor).scaleb(-2))
        body = {"client_id": client.id, "amount": amount, "currency": "GTQ"}
        body |= {"device_id": place} if place else {}
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


def _hours_ago(hours: int) -> datetime:
    return datetime.now(timezone.utc) - timedelta(hours=hours)


async def _backdate(table: str, column: str, key: str, value: str, time: datetime) -> None:
    """Let something have happened earlier."""
    from satmachineclient.database import ledger

    async with ledger() as work:
        await work.execute(
            f"UPDATE satmachineclient.{table} SET {column} = :time WHERE {key} = :value",  # noqa: S608
            time=time,
            value=value,
        )


def _minor(text: str) -> int:
    return int(Decimal(text).scaleb(2))


async def _set_deleted(wallet: Wallet, deleted: bool) -> None:
    from lnbits.core.db import db

    await db.execute(
        "UPDATE wallets SET deleted = :deleted WHERE id = :id",
        {"deleted": deleted, "id": wallet.id},
    )


async def _last_run() -> datetime | None:
    from satmachineclient.crud import get_config

    config = await get_config()
    return config.payouts_due_until if config else None


async def _put_the_last_run_back(until: datetime | None) -> None:
    from satmachineclient.database import ledger

    async with ledger() as work:
        await work.execute(
            "UPDATE satmachineclient.lamassu_config "
            "SET payouts_due_until = :until, payout_schedule_since = :until",
            until=until,
        )


async def _nothing_is_left_out() -> None:
    """Where a settling ends before it begins, since all is final, it would have found nothing."""
    from satmachineclient.database import reading
    from satmachineclient.partners import crud as partners
    from satmachineclient.paying import crud_open, crud_payouts, payouts

    if await crud_open.is_anything_open():
        return
    async with reading() as work:
        assert not await crud_open.uncredited_sales(work, None)
        assert not await crud_open.unpaid_shares(work, None)
        assert not await crud_open.unpaid_commissions(work, None)
        assert not await partners.unpaid_parts(work, None)
        assert not await crud_payouts.due_payouts(payouts.KINDS, None)


async def let_the_lease_expire() -> None:
    from satmachineclient.database import ledger

    async with ledger() as work:
        await work.execute("UPDATE satmachineclient.ledger_lease SET expires_at = 0")


async def _forget_everything(lamassu: LamassuDatabase) -> None:
    from satmachineclient.database import ledger
    from satmachineclient.machines.crud import note_machines

    await lamassu.clear()
    async with ledger() as work:
        for table in (
            "dca_clients dca_client_terms dca_deposits dca_balances lamassu_transactions "
            "dca_payments dca_payouts lamassu_polls dca_machine_balances dca_partners "
            "dca_partner_terms dca_commission_shares dca_forwards dca_forward_settings "
            "dca_forward_invoices"
        ).split():
            await work.execute(f"DELETE FROM satmachineclient.{table}")  # noqa: S608
        await note_machines(work, (MACHINE, UNPAIRED_MACHINE))
    await _forget_bookings()


async def _forget_bookings() -> None:
    """Bookings of an earlier example would be strangers to the reconciliation of this one."""
    from lnbits.core.db import db

    await db.execute("UPDATE apipayments SET tag = 'earlier' WHERE tag = 'satmachineclient'")


async def simulate(
    programme: type[Programme], monkeypatch: pytest.MonkeyPatch, examples: int, steps: int
) -> None:
    from lnbits.settings import settings as lnbits_settings

    # Hypothesis seeds `random` for each example, and LNbits would draw the same addresses again.
    monkeypatch.setattr(lnbits_settings, "lnbits_ln_address_mode", "extension_only")
    await asyncio.to_thread(
        run_state_machine_as_test,
        programme,
        settings=settings(
            max_examples=int(os.environ.get("SIMULATED_EXAMPLES", examples)),
            stateful_step_count=steps,
            deadline=None,
            # The few of each run are always the same: the long run is the one that explores.
            derandomize=steps < EXPLORING,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("examples", "steps"),
    [
        pytest.param(4, 20, id="some"),
        pytest.param(60, EXPLORING, id="many", marks=pytest.mark.faults),
    ],
)
async def test_the_programme_agrees_with_its_model(
    admin: Account,
    configure: Any,
    lamassu: LamassuDatabase,
    monkeypatch: pytest.MonkeyPatch,
    examples: int,
    steps: int,
) -> None:
    # Cash-outs bring their sats; those of the cash-ins are there from the start.
    setup = await configure(direction="both", balance_sats=2_000_000_000, credit_source_wallet=True)
    world = Programme.world = World(admin, lamassu, setup.body)
    await simulate(Programme, monkeypatch, examples, steps)
    print(f"{world.steps} simulated steps, sats and fiat agree after each")

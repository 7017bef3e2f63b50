"""The simulated programme, whose clients and partners have their sats sent on to wallets outside.

The node holds payments, refuses them, or says nothing; looks crash at their commits. After each
step what arrived outside, what the forwards say and what the wallets hold agree. Some partners are
paid into a client's wallet: what is in it goes on once, as the one's or as the other's.
"""

import asyncio
from collections import Counter
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account, Lnbits
from demo.outside import Outside
from tests.gate import Gate, Mode

from .model import ModelClient
from .test_simulation import (
    API,
    EXPLORING,
    MACHINES,
    PERCENTS,
    Crash,
    Programme,
    World,
    crash_at,
    simulate,
)

_MODES = st.sampled_from(["pass", "pass", "hold", "refuse", "down"])


class ForwardingWorld(World):
    def __init__(
        self,
        admin: Account,
        lamassu: LamassuDatabase,
        config: dict[str, Any],
        lnbits: Lnbits,
        outside: Outside,
        gate: Gate,
    ) -> None:
        super().__init__(admin, lamassu, config)
        self.lnbits = lnbits
        self.outside = outside
        self.gate = gate
        self.sent = 0


class ForwardingProgramme(Programme):
    world: ForwardingWorld

    def __init__(self) -> None:
        super().__init__()
        outside = self.world.outside
        self.world.gate.mode = "pass"
        self.world.gate.fee_msat = 1_500
        self.world.run(outside.admin.top_up(outside.node, 10_000_000))
        self.received_before = self.world.run(outside.received())

    # ---- what clients and partners decide --------------------------------------------

    @precondition(lambda self: len(self.model.partners) < 4)
    @rule(data=st.data(), percent=PERCENTS, machines=st.sets(MACHINES))
    def a_client_is_a_partner_too(
        self, data: st.DataObject, percent: Decimal, machines: set[str]
    ) -> None:
        client = self._someone(data)
        if client.id not in self.broken:
            self._add_partner(self.wallets[client.id], percent, machines)

    def _add_client(self, limit: int | None) -> ModelClient:
        client = super()._add_client(limit)
        self._set_forward(client.id, 10)  # so that much goes on, until they decide otherwise
        return client

    @rule(data=st.data(), threshold=st.integers(10, 20_000))
    def forward(self, data: st.DataObject, threshold: int) -> None:
        self._set_forward(self._some_owner(data), threshold)

    @rule(data=st.data())
    def forward_no_more(self, data: st.DataObject) -> None:
        self._set_forward(self._some_owner(data), None)

    def _some_owner(self, data: st.DataObject) -> str:
        return str(data.draw(st.sampled_from(sorted({**self.wallets, **self.partner_wallets}))))

    def _set_forward(self, owner: str, threshold: int | None) -> None:
        """Send on from this many sats, or no more."""
        owners = {**self.wallets, **self.partner_wallets}
        if owners[owner].id in {self.wallets[each].id for each in self.broken}:
            return
        destination = None if threshold is None else self.world.outside.destination.lnurl
        body = {"destination": destination, "threshold_sats": threshold}
        asking = self.world.lnbits.anonymous({"X-Api-Key": owners[owner].adminkey})
        path = f"{API}{self._own_path(owner, '/forward')}"
        answer = self.world.run(asking.put(path, json=body))
        assert answer.status_code == httpx.codes.OK, answer.text
        self.look("pass")

    def _own_path(self, owner: str, suffix: str) -> str:
        if owner in self.wallets:
            return f"/me{suffix}?client_id={owner}"
        return f"/me/partner{suffix}?partner_id={owner}"

    # ---- what becomes of it ----------------------------------------------------------

    @rule(mode=_MODES)
    def look(self, mode: Mode) -> None:
        self.world.gate.mode = mode
        self.world.run(_look())

    @rule(mode=_MODES, moment=st.integers(1, 12))
    def look_that_crashes(self, mode: Mode, moment: int) -> None:
        async def run() -> None:
            with crash_at(moment):
                try:
                    await _look()
                except Crash:
                    await asyncio.sleep(0.5)  # the other forwards of this look crash, or end

        self.world.gate.mode = mode
        self.world.run(run())

    @rule(arrives=st.booleans())
    def what_was_held_ends(self, arrives: bool) -> None:
        """Perhaps nothing was: that depends on the real clock, so it is no precondition."""
        self.world.gate.settle() if arrives else self.world.gate.cancel()

    # ---- what always holds -----------------------------------------------------------

    def _forwards(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.world.run(_rows())
        return rows

    @invariant()
    def what_arrived_is_what_was_sent(self) -> None:
        forwards = self._forwards()
        sure = sum(f["amount_sats"] for f in forwards if f["status"] == "confirmed")
        perhaps = sum(f["amount_sats"] for f in forwards if f["status"] == "in_flight")
        received = self.world.run(self.world.outside.received()) - self.received_before
        assert sure <= received <= sure + perhaps
        open_ones = [f["client_id"] for f in forwards if f["status"] in ("pending", "in_flight")]
        assert len(open_ones) == len(set(open_ones))

    def _gone_on_msat(self, owners: set[str]) -> tuple[int, int]:
        own = [f for f in self._forwards() if f["client_id"] in owners]
        surely = sum(
            f["amount_sats"] * 1000 + f["fee_msat"] for f in own if f["status"] == "confirmed"
        )
        perhaps = sum(
            f["amount_sats"] * 1000 + max(2000, f["amount_sats"] * 10)
            for f in own
            if f["status"] == "in_flight"
        )
        return surely, perhaps

    def teardown(self) -> None:
        if not self.wallets:
            return
        self._come_to_rest()
        super().teardown()
        self._come_to_rest()
        self.what_arrived_is_what_was_sent()
        self.fiat_and_sats_agree_with_the_model()
        self._what_waits_is_there()
        assert self.world.call("GET", "/reconciliation")["ok"]
        self.world.sent += sum(f["status"] == "confirmed" for f in self._forwards())

    def _what_waits_is_there(self) -> None:
        """Of a wallet that several send on from, no sat waits for two."""
        waiting: Counter[str] = Counter()
        owners = {**self.wallets, **self.partner_wallets}
        for owner, wallet in owners.items():
            asked = f"{API}{self._own_path(owner, '/forward')}"
            state = self.world.run(self.world.admin.call("GET", asked))
            if state["destination"] and not state["problem"]:
                waiting[wallet.id] += state["waiting_sats"]
        for wallet in owners.values():
            assert waiting[wallet.id] <= self.world.run(self.world.admin.balance(wallet))

    def _come_to_rest(self) -> None:
        """What is held arrives; what LNbits died over before it told the node, a person closes."""
        gate = self.world.gate
        gate.settle()
        for _ in range(20):
            self.look("pass")
            under_way = [f for f in self._forwards() if f["status"] == "in_flight"]
            for lost in (f for f in under_way if f["payment_hash"] not in gate.arrived):
                self.world.run(_expire(lost["id"]))
                reason = {"reason": "the node does not know it"}
                self.world.call("POST", f"/forwards/{lost['id']}/close", reason)
            if not any(f["status"] in ("pending", "in_flight") for f in self._forwards()):
                return
        raise AssertionError(self._forwards())


async def _look() -> None:
    """As the background task looks, when all pauses are over."""
    from lnbits.core.db import db
    from satmachineclient.database import ledger
    from satmachineclient.paying import forwards

    await db.execute(
        "UPDATE apipayments SET created_at = "  # noqa: S608
        f"{db.timestamp_placeholder('time')} WHERE status = 'pending'",
        {"time": datetime.now(timezone.utc).timestamp() - 60},
    )
    async with ledger() as work:
        await work.execute("UPDATE satmachineclient.dca_forwards SET next_attempt_at = NULL")
    forwards._short.clear()
    await forwards.look()


async def _rows() -> list[dict[str, Any]]:
    from satmachineclient.database import fetch_rows

    rows = await fetch_rows("SELECT * FROM satmachineclient.dca_forwards")
    return [dict(row) for row in rows]


async def _expire(forward_id: str) -> None:
    from satmachineclient.database import ledger

    async with ledger() as work:
        await work.execute(
            "UPDATE satmachineclient.dca_forwards SET invoice_expires_at = :past WHERE id = :id",
            past=datetime(2020, 1, 1, tzinfo=timezone.utc),
            id=forward_id,
        )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("examples", "steps"),
    [
        pytest.param(2, 15, id="some"),
        pytest.param(40, EXPLORING, id="many", marks=pytest.mark.faults),
    ],
)
async def test_what_goes_on_is_sent_once_and_to_the_sat(
    admin: Account,
    lnbits: Lnbits,
    configure: Any,
    lamassu: LamassuDatabase,
    outside: Outside,
    gate: Gate,
    monkeypatch: pytest.MonkeyPatch,
    examples: int,
    steps: int,
) -> None:
    setup = await configure(direction="both", balance_sats=2_000_000_000, credit_source_wallet=True)
    world = ForwardingWorld(admin, lamassu, setup.body, lnbits, outside, gate)
    ForwardingProgramme.world = world
    await simulate(ForwardingProgramme, monkeypatch, examples, steps)
    print(f"{world.steps} simulated steps with {world.sent} forwards, each sent once")

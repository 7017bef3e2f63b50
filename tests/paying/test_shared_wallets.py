"""Of a wallet that several send on from, whoever they are, no sat counts for two."""

import itertools
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.storage

TIME = datetime(2026, 1, 1, tzinfo=timezone.utc)
SATS = st.integers(1, 50_000)
_numbers = itertools.count()


@dataclass(frozen=True)
class Holder:
    """Who is paid into the wallet, and what has gone on of it; `set_from`: their threshold."""

    kind: Literal["client", "partner"]
    has_left: bool
    set_from: int | None
    last: bool
    brought: list[tuple[int, bool]]
    sent: list[tuple[int, int]]
    in_flight: int | None

    @property
    def confirmed(self) -> int:
        brought = sum(sats for sats, confirmed in self.brought if confirmed)
        return brought - sum(sats + -(-fee_msat // 1000) for sats, fee_msat in self.sent)

    @property
    def waiting(self) -> int:
        return max(0, self.confirmed - (self.in_flight or 0))

    @property
    def in_force(self) -> bool:
        return self.set_from is not None and (not self.has_left or self.last)

    def may_be_due(self, smallest: int) -> bool:
        least = 10 if self.has_left else max(self.set_from or 0, smallest)
        return self.in_force and self.in_flight is None and self.confirmed >= least


HOLDERS = st.builds(
    Holder,
    kind=st.sampled_from(["client", "partner"]),
    has_left=st.sampled_from([False, False, False, True]),
    set_from=st.one_of(SATS, SATS, SATS, st.none()),
    last=st.booleans(),
    brought=st.lists(st.tuples(SATS, st.booleans()), max_size=4),
    sent=st.lists(st.tuples(st.integers(1, 5_000), st.integers(0, 60_000)), max_size=2),
    in_flight=st.one_of(st.none(), st.none(), st.integers(1, 5_000)),
)


async def store(holder: Holder, owner: str, wallet: str) -> None:
    from satmachineclient import crud_clients
    from satmachineclient.database import ledger

    async with ledger() as work:
        if holder.kind == "client":
            await work.insert("dca_clients", [_client(holder, owner, wallet)])
            await work.insert("dca_payments", list(_shares(holder, owner, wallet)))
            paid = sum(sats for sats, confirmed in holder.brought if confirmed)
            await crud_clients.book(work, [crud_clients.Entry(owner, "GTQ", paid_sats=paid)])
        else:
            await work.execute(
                "INSERT INTO satmachineclient.dca_partners (id, name, user_id, wallet_id, percent, "
                "device_ids, status, valid_from, created_at) VALUES (:id, 'x', 'x', :wallet, '1', "
                "'[]', :status, :time, :time)",
                id=owner,
                wallet=wallet,
                status="ended" if holder.has_left else "active",
                time=TIME,
            )
            await work.insert("dca_commission_shares", list(_parts(holder, owner, wallet)))
        await work.insert("dca_forwards", list(_forwards(holder, owner, wallet)))
        if holder.set_from is not None:
            await work.insert("dca_forward_settings", [_settings(holder, owner, wallet)])


def _client(holder: Holder, owner: str, wallet: str) -> Any:
    from satmachineclient.models_clients import Client

    status = "closed" if holder.has_left else "active"
    times = {"created_at": TIME, "updated_at": TIME}
    return Client(id=owner, user_id="x", wallet_id=wallet, dca_mode="flow", status=status, **times)


def _shares(holder: Holder, owner: str, wallet: str) -> Any:
    from satmachineclient.models_sales import Payment

    for sats, confirmed in holder.brought:
        number = str(next(_numbers))
        yield Payment(
            id=number,
            transaction_id=number,
            client_id=owner,
            wallet_id=wallet,
            amount_sats=sats,
            amount_fiat=1,
            currency="GTQ",
            share=Decimal(1),
            transaction_time=TIME,
            created_at=TIME,
            **_state(confirmed),
        )


def _parts(holder: Holder, owner: str, wallet: str) -> Any:
    from satmachineclient.models_payouts import CommissionShare

    for sats, confirmed in holder.brought:
        number = str(next(_numbers))
        yield CommissionShare(
            id=number,
            transaction_id=number,
            partner_id=owner,
            wallet_id=wallet,
            percent=Decimal(1),
            amount_sats=sats,
            created_at=TIME,
            **_state(confirmed),
        )


def _state(confirmed: bool) -> dict[str, Any]:
    if not confirmed:
        return {"status": "failed"}
    return {"status": "confirmed", "confirmed_at": TIME, "payment_hash": str(next(_numbers))}


def _forwards(holder: Holder, owner: str, wallet: str) -> Any:
    from satmachineclient.models_payouts import Forward

    common = {
        "client_id": owner,
        "wallet_id": wallet,
        "destination": "a@b.example",
        "bolt11": "lnbc",
        "created_at": TIME,
    }
    done = {"status": "confirmed", "confirmed_at": TIME}
    for sats, fee_msat in holder.sent:
        number = str(next(_numbers))
        yield Forward(
            id=number, payment_hash=number, amount_sats=sats, fee_msat=fee_msat, **common, **done
        )
    if holder.in_flight:
        number = str(next(_numbers))
        under_way = {"status": "in_flight", "amount_sats": holder.in_flight}
        yield Forward(id=number, payment_hash=number, **common, **under_way)


def _settings(holder: Holder, owner: str, wallet: str) -> Any:
    from satmachineclient.models_payouts import ForwardSettings

    return ForwardSettings(
        client_id=owner,
        wallet_id=wallet,
        destination="a@b.example",
        threshold_sats=holder.set_from,
        min_sats=10,
        max_sats=10**6,
        last_forward=holder.last,
        updated_at=TIME,
    )


@pytest.mark.usefixtures("ledger_clean")
@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    holders=st.lists(HOLDERS, min_size=2, max_size=4),
    balance=st.integers(0, 60_000),
    smallest=st.integers(1, 20_000),
)
async def test_what_they_may_send_is_never_more_than_the_wallet_holds(
    holders: list[Holder], balance: int, smallest: int
) -> None:
    from satmachineclient.database import reading
    from satmachineclient.paying import crud_owners

    wallet = f"wallet {next(_numbers)}"
    owners = {f"{next(_numbers):08}": holder for holder in holders}
    for owner, holder in owners.items():
        await store(holder, owner, wallet)
    async with reading() as work:
        sums = {owner: await crud_owners.sums_of(work, owner, wallet) for owner in owners}
    assert {o: s.waiting for o, s in sums.items()} == {o: h.waiting for o, h in owners.items()}

    claims = {owner: min(s.waiting, s.held_of(balance)) for owner, s in sums.items()}
    sending = [owner for owner, holder in owners.items() if holder.in_force]
    assert sum(claims[o] for o in sending if not owners[o].in_flight) <= balance
    for first in sending[:1]:
        assert claims[first] == min(owners[first].waiting, balance)
    for owner in owners.keys() - set(sending):
        kept = sum(sums[o].at_rest for o in sending)
        assert claims[owner] == min(owners[owner].waiting, max(0, balance - kept))

    due = {s.client_id for s in await crud_owners.may_be_due(smallest) if s.wallet_id == wallet}
    assert due == {owner for owner, holder in owners.items() if holder.may_be_due(smallest)}

"""What reconciliation says of one confirmed payout, by what LNbits has booked for it."""

from datetime import datetime, timezone
from typing import Any

import pytest
from satmachineclient.books import reconciliation
from satmachineclient.models_payouts import Payout

PAYOUT = Payout(
    id="payout",
    transfer_id="transfer",
    kind="client",
    source_wallet_id="source",
    wallet_id="ana",
    amount_sats=25,
    memo="DCA",
    status="confirmed",
    payment_hash="hash",
    created_at=datetime(2026, 3, 2, tzinfo=timezone.utc),
    fee_msat=0,
)

# What LNbits' rows are, each `wallet, msat, status, fee`, and the bookings that differ.
CASES = """
ana 25000 success 0   | source -25000 success 0    | none
ana 24000 success 0   | source -25000 success 0    | hash
ana 25000 success 0   | source -24000 success 0    | internal_hash
ana 25000 pending 0   | source -25000 success 0    | hash
ben 25000 success 0   | source -25000 success 0    | hash
ana 25000 success 0   | another -25000 success 0   | internal_hash
ana 25000 success -25000 | source -25000 success 0 | hash
ana 25000 success 0   | source -25000 success -500 | internal_hash
"""


def booked(text: str) -> dict[str, Any]:
    wallet, msat, status, fee = text.split()
    return {"wallet_id": wallet, "amount": int(msat), "status": status, "fee": int(fee)}


@pytest.mark.parametrize("line", CASES.strip().splitlines())
def test_a_payout_is_its_credit_and_its_debit_to_the_millisat(line: str) -> None:
    credit, debit, differing = line.split("|")
    rows = {"hash": booked(credit), "internal_hash": booked(debit)}
    found = [d.detail for d in reconciliation._payout_differences([PAYOUT], rows)]
    if differing.strip() == "none":
        assert found == []
    else:
        assert len(found) == 1
        assert found[0].startswith(f"LNbits' booking {differing.strip()} should be ")


def test_the_fee_of_a_payout_that_an_earlier_release_made_is_not_known() -> None:
    rows = {
        "hash": booked("ana 25000 success 0"),
        "internal_hash": booked("source -25000 success -500"),
    }
    earlier = PAYOUT.copy(update={"fee_msat": None})
    assert not list(reconciliation._payout_differences([earlier], rows))


def test_a_credit_has_no_debit() -> None:
    credit = PAYOUT.copy(update={"kind": "credit", "source_wallet_id": None})
    rows = {"hash": booked("ana 25000 success 0")}
    assert not list(reconciliation._payout_differences([credit], rows))

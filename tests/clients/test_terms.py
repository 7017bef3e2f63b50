"""The terms that a client accepted are kept, with who and when; a changed text asks again."""

from hashlib import sha256
from typing import Any

import pytest

from demo.lnbits_api import Account, LnbitsError
from tests.rig import API, Configure, MakeWallet

pytestmark = pytest.mark.storage


async def set_terms(admin: Account, terms: str) -> None:
    await admin.call("PUT", f"{API}/programme", {"registration": "open", "terms": terms})


async def test_accepted_terms_are_kept_exported_and_asked_for_again_when_they_change(
    admin: Account, configure: Configure, plain_user: Account, make_wallet: MakeWallet
) -> None:
    await configure()
    await set_terms(admin, "Pay in cash.")
    wallet = await make_wallet(plain_user)
    body: dict[str, Any] = {"wallet_id": wallet.id, "username": "Ana", "dca_mode": "flow"}
    with pytest.raises(LnbitsError, match="accept_terms"):
        await plain_user.call("POST", f"{API}/registration", body)

    me = await plain_user.call("POST", f"{API}/registration", {**body, "accept_terms": True})

    assert me["terms_to_accept"] is None
    (kept,) = await admin.call("GET", f"{API}/clients/{me['id']}/terms")
    assert (kept["terms"], kept["user_id"]) == ("Pay in cash.", plain_user.user_id)
    assert kept["terms_hash"] == sha256(b"Pay in cash.").hexdigest()
    assert kept["accepted_at"]

    await set_terms(admin, "Pay in cash, and be kind.")
    wanted = (await plain_user.call("GET", f"{API}/me"))["terms_to_accept"]
    assert wanted == sha256(b"Pay in cash, and be kind.").hexdigest()
    with pytest.raises(LnbitsError, match=r"409.*terms_hash"):  # the text that was read before
        await plain_user.call("POST", f"{API}/me/terms", {"terms_hash": kept["terms_hash"]})
    me = await plain_user.call("POST", f"{API}/me/terms", {"terms_hash": wanted})
    assert me["terms_to_accept"] is None

    rows = await admin.call("GET", f"{API}/export/accepted_terms?format=json")
    assert [(r["username"], r["terms"]) for r in rows] == [
        ("Ana", "Pay in cash."),
        ("Ana", "Pay in cash, and be kind."),
    ]
    entry = (await admin.call("GET", f"{API}/audit"))[0]
    assert (entry["action"], entry["subject_name"]) == ("terms accepted", "Ana")

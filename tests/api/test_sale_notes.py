"""Notes on a sale: at any time, by whom, and never changed."""

from datetime import datetime, timezone
from decimal import Decimal

import pytest

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account, LnbitsError
from demo.sales import Sale
from tests.rig import API, MakeClient, Poll, Setup

pytestmark = pytest.mark.storage


async def test_notes_are_added_to_a_settled_sale_with_their_author(
    admin: Account, configured: Setup, make_client: MakeClient, lamassu: LamassuDatabase, poll: Poll
) -> None:
    await make_client("one", {"GTQ": "1000.00"})
    time = datetime.now(timezone.utc)
    await lamassu.insert(Sale(created=time, cash_at=time, fiat=Decimal(200)))
    await poll()
    (row,) = await admin.call("GET", f"{API}/transactions")
    notes = f"{API}/transactions/{row['id']}/notes"
    assert await admin.call("GET", notes) == []

    await admin.call("POST", notes, {"notes": "The customer called.\nA note was torn."})
    second = await admin.call("POST", notes, {"notes": "Settled by phone <b>"})

    assert (second["author"], second["author_name"]) == (admin.user_id, admin.username)
    assert [n["notes"] for n in await admin.call("GET", notes)] == [
        "The customer called.\nA note was torn.",
        "Settled by phone <b>",
    ]
    for method in ("PUT", "DELETE", "PATCH"):
        assert (await admin.request(method, notes)).status_code == 405
    for bad in ("", "  ", "x" * 1001, None, 5):
        with pytest.raises(LnbitsError, match=r"400.*notes: "):
            await admin.call("POST", notes, {"notes": bad})
    with pytest.raises(LnbitsError, match="404"):
        await admin.call("POST", f"{API}/transactions/nobody/notes", {"notes": "x"})
    assert (await admin.call("GET", f"{API}/audit"))[0]["action"] == "note added"

"""What people are told really arrives by e-mail, through LNbits' own notifications."""

from collections.abc import AsyncIterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from demo.lnbits_api import Account
from tests.mailbox import Mailbox
from tests.rig import API, Configure, MakeClient, Poll

ADMIN, CLIENT = "operator@example.com", "client@example.com"


@pytest.fixture
async def mailbox(
    plain_user: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Mailbox]:
    """LNbits' admins and `plain_user` hear by e-mail."""
    from lnbits.core.crud.users import get_account, update_account
    from lnbits.settings import settings

    account = await get_account(plain_user.user_id)
    assert account
    account.extra.notifications.email_address = CLIENT
    await update_account(account)
    with Mailbox(tmp_path) as served:
        for name, value in served.settings(ADMIN).items():
            monkeypatch.setattr(settings, name, value)
        yield served
    account.extra.notifications.email_address = None
    await update_account(account)


async def deliver() -> None:
    from satmachineclient.telling import outbox

    while await outbox.deliver_due():
        pass


async def test_an_alert_and_its_end_a_digest_and_a_clients_notice_arrive(
    admin: Account, configure: Configure, make_client: MakeClient, poll: Poll, mailbox: Mailbox
) -> None:
    from satmachineclient.telling import digest

    await configure(balance_sats=0, port=1)
    await poll()
    await deliver()
    (text,) = mailbox.to(ADMIN)
    assert text.startswith("Polls fail; nothing is lost")
    assert text.strip().endswith("/satmachineclient/?tab=polls")

    await configure()
    await poll()
    await deliver()
    assert [text.split(";")[0] for text in mailbox.to(ADMIN)] == ["Polls fail", "Over: Polls fail"]

    await admin.call("PUT", f"{API}/alerts/settings", {"digest": "daily"})
    await digest.digest_if_due(datetime(2026, 11, 20, 9, tzinfo=timezone.utc))
    await make_client("one", {"GTQ": "520.00"})
    await deliver()
    assert "All is well." in mailbox.to(ADMIN)[2]
    (text,) = mailbox.to(CLIENT)
    assert text.startswith("Your deposit of 520.00 GTQ is confirmed")
    await deliver()
    assert (len(mailbox.to(ADMIN)), len(mailbox.to(CLIENT))) == (3, 1)


async def test_the_test_button_names_the_way_and_its_mail_arrives(
    admin: Account, ledger_clean: None, mailbox: Mailbox
) -> None:
    import asyncio

    answer = await admin.call("POST", f"{API}/alerts/test")
    assert answer["admins"] == "Handed to LNbits for e-mail."
    for _ in range(100):
        if mailbox.mails:
            break
        await asyncio.sleep(0.1)
    assert "this is a test" in mailbox.to(ADMIN)[0]

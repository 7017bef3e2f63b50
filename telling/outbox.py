"""Delivering letters: outside every lock, as often as needed, by one server at a time.

An attempt is claimed by a conditional update before it is made. A letter to the webhook is repeated
with the same id until it is answered with a 2xx, with growing pauses, for three days. A letter to
people (LNbits' admins, a client) is sent once; only where LNbits was killed in the middle of
sending, so that nobody knows whether it went, it is sent again, and says so.
"""

import asyncio
import hashlib
import hmac
import ipaddress
import json
import socket
import ssl
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache

import httpx
from lnbits.core.crud.users import get_user
from lnbits.core.models.notifications import NotificationType
from lnbits.core.services.notifications import send_admin_notification, send_notification
from lnbits.helpers import check_callback_url
from lnbits.settings import settings as lnbits_settings
from loguru import logger

from ..connection import whole
from ..helpers import SatMachineError, SecretError, decrypt, new_id, now
from . import crud, crud_outbox
from .models import AlertSettings, Channel, Letter, Test

_TOGETHER = 50  # letters of one round
_TIMEOUT_SECONDS = 15.0
_GIVE_UP = timedelta(days=3)
_PAUSES = [timedelta(minutes=m) for m in (1, 2, 5, 15, 30, 60)]
_SURELY_DEAD = timedelta(minutes=5)  # nobody is still sending a letter that was claimed before
_MOST_SENDINGS = 3
_AGAIN = "LNbits was stopped while it sent this, so you may have it twice:"
_HUMAN = NotificationType.text_message.value
CHANNELS: tuple[Channel, ...] = ("admins", "client", "webhook")


class DeliveryError(SatMachineError):
    """A letter did not arrive, and why."""


async def deliver_due(*channels: Channel) -> int:
    """Try the letters whose turn it is, up to a number for each way; how many were tried."""
    tried = 0
    for channel in channels or CHANNELS:
        tried += await (_to_webhook() if channel == "webhook" else _to_people(channel))
    return tried


# ---- people ----------------------------------------------------------------------------------


async def _to_people(channel: Channel) -> int:
    letters = await crud_outbox.due_letters(channel, now(), _TOGETHER)
    for letter in letters:
        # To its end also where LNbits shuts down, so that an orderly stop repeats nothing.
        await whole(_send(letter))
    return len(letters)


async def _send(letter: Letter) -> None:
    ways = await _ways_to(letter)
    last = letter.attempts + 1 >= _MOST_SENDINGS
    if not await crud_outbox.claim_letter(letter, None if last else now() + _SURELY_DEAD):
        return
    text = _plain(letter.text)
    if letter.attempts:
        text = f"{_AGAIN}\n{text}"
    # Waited for, so that a thousand letters are not a thousand threads, but not for ever.
    with suppress(asyncio.TimeoutError):
        await asyncio.wait_for(send_notification(*ways, text, _HUMAN), _TIMEOUT_SECONDS)
    await crud_outbox.delivered(letter, now())


async def _ways_to(letter: Letter) -> tuple[str | None, list[str], list[str]]:
    """Telegram, Nostr and e-mail of whom it is for, as they are set up in LNbits."""
    if letter.channel == "admins":
        return (
            lnbits_settings.lnbits_telegram_notifications_chat_id or None,
            lnbits_settings.lnbits_nostr_notifications_identifiers,
            lnbits_settings.lnbits_email_notifications_to_emails,
        )
    user = await get_user(letter.user_id or "")
    if user is None:
        return None, [], []
    own = user.extra.notifications
    return (
        own.telegram_chat_id,
        [own.nostr_identifier] if own.nostr_identifier else [],
        [own.email_address] if own.email_address else [],
    )


def _plain(text: str) -> str:
    """Telegram reads texts as markdown, and refuses one whose marks do not pair up."""
    return text.translate({ord(mark): None for mark in "*`["}).replace("_", " ")


# ---- the webhook -----------------------------------------------------------------------------


async def _to_webhook() -> int:
    """In the order in which the letters were written.

    When two in a row fail, one that was never tried tells whether it is the letters or the
    receiver. A receiver that is deaf is left alone, for as long as it was deaf so far, at most an
    hour: it is not asked once for each letter.
    """
    if held := await crud_outbox.webhook_held_until(now()):
        await crud_outbox.hold_webhook(held)  # those that were written meanwhile
        return 0
    settings = await crud.get_settings()
    letters = await crud_outbox.due_letters("webhook", now(), _TOGETHER)
    tried = failed = 0
    for letter in letters:
        tried += 1
        failed = 0 if await _try_webhook(letter, settings) else failed + 1
        if failed < 2:
            continue
        untried = await crud_outbox.first_untried(now())
        if untried is None or not await _try_webhook(untried, settings):
            deaf = now() - letters[0].at
            await crud_outbox.give_up_webhook(now() - _GIVE_UP)
            await crud_outbox.hold_webhook(now() + min(max(deaf, _PAUSES[0]), _PAUSES[-1]))
            break
        tried, failed = tried + 1, 0
    return tried


async def _try_webhook(letter: Letter, settings: AlertSettings) -> bool:
    """False if it did not arrive."""
    pause = _PAUSES[min(letter.attempts, len(_PAUSES) - 1)]
    if not await crud_outbox.claim_letter(letter, now() + pause):
        return True
    try:
        await post(settings, letter)
    except DeliveryError as exc:
        over = now() - letter.at > _GIVE_UP
        await crud_outbox.not_delivered(letter, str(exc), give_up=over)
        logger.warning(
            f"satmachineclient: webhook {letter.kind} {letter.id} not delivered: {exc}"
            f"{' It is given up.' if over else ''}"
        )
        return False
    await crud_outbox.delivered(letter, now())
    return True


async def post(settings: AlertSettings, letter: Letter) -> None:
    """Post a letter to the operator's webhook, signed.

    Raises:
        DeliveryError: LNbits' rules forbid the address, it did not answer, or not with a 2xx.
    """
    if not settings.webhook_url:
        raise DeliveryError("There is no webhook any more.")
    body = json.dumps(
        {
            **letter.dict(include={"id", "kind", "state", "subject", "text"}),
            "at": letter.at.isoformat(),
        },
        ensure_ascii=False,
    ).encode()
    try:
        response = await asyncio.wait_for(_post(settings, body), _TIMEOUT_SECONDS)
    except asyncio.TimeoutError:
        raise DeliveryError(f"The webhook did not answer in {_TIMEOUT_SECONDS:g} s.") from None
    except httpx.HTTPError as exc:
        reason = str(exc) or type(exc).__name__
        raise DeliveryError(f"No answer from the webhook ({reason[:200]}).") from None
    if not response.is_success:
        raise DeliveryError(f"The webhook answered {response.status_code}, not a 2xx.")


async def _post(settings: AlertSettings, body: bytes) -> httpx.Response:
    """As LNbits posts its own webhooks: to an address looked up and checked before."""
    url = httpx.URL(settings.webhook_url or "")
    address = await _checked_address(url)
    headers = {
        "Host": url.netloc.decode(),
        "Content-Type": "application/json",
        "User-Agent": lnbits_settings.user_agent,
    }
    if settings.webhook_secret:
        headers["X-Signature"] = sign(body, _secret(settings.webhook_secret))
    async with httpx.AsyncClient(verify=_tls(), follow_redirects=False, trust_env=False) as client:
        async with client.stream(
            "POST",
            url.copy_with(host=address),
            headers=headers,
            extensions={"sni_hostname": url.host},
            content=body,
            timeout=None,  # the whole of it has one, of whoever calls
        ) as response:  # only its status counts: however long its text is, it is not read
            return response


@lru_cache
def _tls() -> ssl.SSLContext:
    """Made once: reading the authorities' certificates takes longer than a POST."""
    return httpx.create_ssl_context(trust_env=False)


def sign(body: bytes, secret: str) -> str:
    """The value of X-Signature: HMAC-SHA256 of the body, in hex."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _secret(token: str) -> str:
    try:
        return decrypt(token)
    except SecretError as exc:
        raise DeliveryError(f"webhook_secret: {exc}; enter it again.") from None


async def _checked_address(url: httpx.URL) -> str:
    try:
        check_callback_url(str(url))
        addresses = await asyncio.to_thread(_addresses, url.host, url.port)
    except (ValueError, OSError) as exc:
        raise DeliveryError(f"webhook_url: {exc}") from None
    private = [a for a in addresses if not ipaddress.ip_address(a).is_global]
    if private and not lnbits_settings.lnbits_callback_allow_private_ips:
        raise DeliveryError(
            f"webhook_url: leads to {private[0]}, a private address, which LNbits does not allow "
            "(LNBITS_CALLBACK_ALLOW_PRIVATE_IPS)."
        )
    return addresses[0]


def _addresses(host: str, port: int | None) -> list[str]:
    found = socket.getaddrinfo(host, port or 443, type=socket.SOCK_STREAM)
    return [str(info[4][0]) for info in found]


async def send_test() -> Test:
    """Tell a test to everybody who would be told, now; how it went."""
    settings = await crud.get_settings()
    at = now()
    letter = Letter(
        id=new_id(),
        channel="webhook",
        kind="test",
        state="test",
        subject="",
        text="Sat Machine DCA: this is a test. Alerts would arrive here.",
        at=at,
    )
    await send_admin_notification(letter.text, _HUMAN)
    try:
        webhook = "No webhook is set."
        if settings.webhook_url:
            await post(settings, letter)
            webhook = "The webhook answered."
    except DeliveryError as exc:
        webhook = str(exc)
    return Test(admins=_ways(), webhook=webhook)


def _ways() -> str:
    """Through which of LNbits' own ways its admins are told, as they are set up there."""
    ways = [
        name
        for name, works in (
            (
                "Telegram",
                lnbits_settings.lnbits_telegram_notifications_chat_id
                and lnbits_settings.is_telegram_notifications_configured(),
            ),
            (
                "Nostr",
                lnbits_settings.lnbits_nostr_notifications_identifiers
                and lnbits_settings.is_nostr_notifications_configured(),
            ),
            (
                "e-mail",
                lnbits_settings.lnbits_email_notifications_enabled
                and lnbits_settings.lnbits_email_notifications_to_emails,
            ),
        )
        if works
    ]
    if not ways:
        return "LNbits tells its admins nothing yet: set it up under Settings, Notifications."
    return f"Handed to LNbits for {', '.join(ways)}."

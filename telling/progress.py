"""A poll's counts while it runs, for the pages of admins who listen.

LNbits lets everybody listen to a channel who knows its name. So the name cannot be guessed, only
admins are told, and it changes with each poll. Sending is the work of tasks of their own: a
listener who does not read keeps neither the poll nor the other listeners waiting, and is dropped.
"""

import asyncio
import json
from collections import deque
from contextlib import suppress
from secrets import token_urlsafe

from lnbits.core.services.websockets import WebsocketConnection, websocket_manager

from ..models_config import Poll

_SEND_SECONDS = 2
_MOST_WAITING = 100  # messages for one listener; the oldest make room

_name = token_urlsafe(32)
_waiting: dict[int, deque[str]] = {}  # by the listener's identity, while a task sends
_tasks: set[asyncio.Task[None]] = set()


def channel() -> str:
    """The name to listen to on LNbits' websocket, good until the next poll has ended."""
    return f"satmachineclient-{_name}"


def tell(stage: str, record: Poll, to_pay: int = 0) -> None:
    """Counts only. Returns at once, whoever listens."""
    message = json.dumps(
        {
            "stage": stage,
            "found": record.found,
            "new": record.new,
            "planned": record.planned,
            "to_pay": to_pay,
            "paid": record.confirmed_payments,
        }
    )
    for listener in websocket_manager.get_connections(channel()):
        if waiting := _waiting.get(id(listener)):
            waiting.append(message)
            continue
        _waiting[id(listener)] = deque([message], maxlen=_MOST_WAITING)
        task = asyncio.create_task(_send(listener))
        _tasks.add(task)
        task.add_done_callback(_tasks.discard)


def change_name() -> None:
    """Who was told the name so far hears of no poll to come."""
    global _name
    _name = token_urlsafe(32)


async def _send(listener: WebsocketConnection) -> None:
    waiting = _waiting[id(listener)]
    try:
        while waiting:
            # Taken out after it was sent: what is told meanwhile joins this queue.
            await asyncio.wait_for(listener.websocket.send_text(waiting[0]), _SEND_SECONDS)
            waiting.popleft()
    except Exception:  # gone or standing still: either way there is nobody to tell
        with suppress(ValueError):
            websocket_manager.active_connections.remove(listener)
        with suppress(Exception):
            await asyncio.wait_for(listener.websocket.close(), _SEND_SECONDS)
    finally:
        _waiting.pop(id(listener), None)

"""What a running poll tells: to admins only, and whoever listens, the poll is not held up."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from typing import Any

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account
from demo.sales import Sale
from tests.rig import API, MakeClient, Poll, Setup


class Listener:
    """One websocket at LNbits, as uvicorn would serve it; `reads` or stands still."""

    def __init__(self, channel: str, *, reads: bool = True) -> None:
        self.heard: list[dict[str, Any]] = []
        self._path = f"/api/v1/ws/{channel}"
        self._reads = reads
        self._accepted = asyncio.Event()
        self._left = asyncio.Event()
        self._began = False

    async def _receive(self) -> dict[str, Any]:
        if not self._began:
            self._began = True
            return {"type": "websocket.connect"}
        await self._left.wait()
        return {"type": "websocket.disconnect", "code": 1000}

    async def _send(self, message: Any) -> None:
        if message["type"] == "websocket.accept":
            self._accepted.set()
        elif not self._reads:
            await self._left.wait()  # its buffers are full
        elif message["type"] == "websocket.send":
            self.heard.append(json.loads(message["text"]))

    @asynccontextmanager
    async def listening(self, app: Any) -> AsyncIterator[None]:
        scope = {
            "type": "websocket",
            "asgi": {"version": "3.0"},
            "scheme": "ws",
            "path": self._path,
            "raw_path": self._path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(b"host", b"lnbits.test")],
            "client": ("127.0.0.1", 1),
            "server": ("lnbits.test", 80),
            "subprotocols": [],
            "state": {},
        }
        task = asyncio.create_task(app(scope, self._receive, self._send))
        await asyncio.wait_for(self._accepted.wait(), 10)
        yield
        self._left.set()
        await asyncio.wait_for(task, 10)


async def name(admin: Account) -> str:
    return str((await admin.call("GET", f"{API}/polls/channel"))["channel"])


async def test_twenty_who_never_read_hold_up_neither_the_poll_nor_who_reads(
    lnbits_app: Any,
    admin: Account,
    configured: Setup,
    make_client: MakeClient,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> None:
    from lnbits.core.services.websockets import websocket_manager

    for number in range(25):  # paid in three pieces, each of which is told
        await make_client(f"client {number}", {"GTQ": "100.00"})
    await lamassu.insert(Sale(created=datetime.now(timezone.utc)))
    channel = await name(admin)
    still = [Listener(channel, reads=False) for _ in range(20)]
    reader = Listener(channel)
    async with listening(lnbits_app, *still, reader):
        began = asyncio.get_running_loop().time()
        result = await poll()
        took = asyncio.get_running_loop().time() - began
        await asyncio.sleep(5)
        left = websocket_manager.get_connections(channel)
    assert (result["planned"], result["confirmed_payments"]) == (1, 25)
    assert [each["stage"] for each in reader.heard][:3] == ["reading", "planning", "paying"]
    assert (reader.heard[-1]["paid"], reader.heard[-1]["to_pay"]) == (25, 25)
    assert len(left) == 1  # those who stood still are dropped
    assert took < 20, took


@asynccontextmanager
async def listening(app: Any, *listeners: Listener) -> AsyncIterator[None]:
    if not listeners:
        yield
        return
    async with listeners[0].listening(app), listening(app, *listeners[1:]):
        yield


async def test_the_channels_name_is_new_for_each_poll_and_nobody_hears_of_it_by_another(
    lnbits_app: Any, admin: Account, configured: Setup, poll: Poll
) -> None:
    first = await name(admin)
    assert len(first) > 40
    assert await name(admin) == first
    stranger, late = Listener("satmachineclient-polls"), Listener(first)
    async with listening(lnbits_app, stranger, late):
        await poll()
        heard = len(late.heard)
        second = await name(admin)
        await poll()
    assert second != first
    assert heard > 0
    assert len(late.heard) == heard
    assert not stranger.heard

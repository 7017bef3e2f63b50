"""The local end of a session with the ATM's database: it counts what comes in.

asyncpg holds a message in memory until it is whole, however long a server makes it. Here what one
session may receive is bounded, whichever way it goes and whatever stands in it (TLS included).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from . import limits

_PIECE = 65536


class Relay:
    """Connects a port of the loopback address with the place that it was made for."""

    def __init__(self, host: str, port: int) -> None:
        self._place = (host, port)
        self._tasks: set[asyncio.Task[None]] = set()
        self._received = 0
        self.failure: OSError | UnicodeError | None = None
        """Why the place could not be connected to, the last time that it was tried."""

    @property
    def flooded(self) -> bool:
        """More has come in than a session may receive; it was cut off."""
        return self._received > limits.SESSION_BYTES

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[int]:
        """The port, for as long as the block lasts."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks)

    async def _serve(self, ours: asyncio.StreamReader, to_us: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task  # noqa: S101 - asyncio serves each connection in a task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        with suppress(asyncio.CancelledError):  # asyncio would log it
            try:
                await self._connect(ours, to_us)
            finally:
                to_us.transport.abort() if self.flooded else to_us.close()

    async def _connect(self, ours: asyncio.StreamReader, to_us: asyncio.StreamWriter) -> None:
        self.failure = None
        try:
            theirs, to_them = await asyncio.open_connection(*self._place)
        except (OSError, UnicodeError) as exc:  # UnicodeError: no possible host name
            self.failure = exc
            return
        ways = (self._pass_on(ours, to_them), self._pass_on(theirs, to_us, counted=True))
        tasks = {asyncio.ensure_future(way) for way in ways}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            to_them.transport.abort() if self.flooded else to_them.close()

    async def _pass_on(
        self, source: asyncio.StreamReader, to: asyncio.StreamWriter, *, counted: bool = False
    ) -> None:
        with suppress(OSError):
            while data := await source.read(_PIECE):
                if counted:
                    self._received += len(data)
                    if self.flooded:
                        return
                to.write(data)
                await to.drain()

"""A webhook's receiver: a real HTTP server on loopback that keeps what it was sent."""

import asyncio
import json
from typing import Any


class Receiver:
    """Answers each request with the next of `answers`, then with 204; `slow` waits before."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.slow = 0.0
        self.got: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)

    @property
    def url(self) -> str:
        assert self._server
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/hook"

    async def stop(self) -> None:
        if self._server:
            self._server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = head.split("\r\n")[1:]
        headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        await asyncio.sleep(self.slow)
        status = self.answers.pop(0) if self.answers else 204
        if 200 <= status < 300:
            self.got.append(json.loads(body))
            self.bodies.append(body)
            self.headers.append(headers)
        writer.write(f"HTTP/1.1 {status} x\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()

"""A long answer leaves everybody their turn, though LNbits compresses it in the event loop."""

import asyncio
import json
import time

import httpx
import pytest
from fastapi import FastAPI, Response
from satmachineclient.reports import files
from starlette.middleware.gzip import GZipMiddleware

_ROWS = [
    {"time": f"2026-03-01T12:00:{n % 60:02}Z", "amount_sats": n * 7919 % 100_003, "id": f"{n:x}"}
    for n in range(100_000)
]


@pytest.mark.parametrize("form", ["csv", "json"])
async def test_a_long_text_is_compressed_in_short_steps(form: files.Format) -> None:
    text = json.dumps(_ROWS)
    app = FastAPI()
    app.add_middleware(GZipMiddleware, minimum_size=1000)

    @app.get("/")
    async def read() -> Response:
        if form == "csv":
            return files.attachment(text, "statement.csv", form)
        return files.answer(text, form)

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        task = asyncio.ensure_future(client.get("/"))
        longest = 0.0
        while not task.done():
            began = time.thread_time()
            await asyncio.sleep(0)
            longest = max(longest, time.thread_time() - began)
    answer = await task
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.text == text
    assert longest < 0.1


def test_a_short_text_goes_out_whole() -> None:
    assert bytes(files.answer("a,b", "csv").body) == b"a,b"

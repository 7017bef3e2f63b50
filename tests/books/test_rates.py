"""LNbits' rate never makes a poll slow or fail."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from time import monotonic
from typing import Any

import pytest
from lnbits.settings import settings
from lnbits.utils.cache import cache
from satmachineclient.books import rates

from tests.lamassu_rig import silent_port


@pytest.fixture(autouse=True)
def one_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """LNbits asks its aggregator only, and has asked for nothing yet."""
    monkeypatch.setattr(rates, "_silent_until", 0.0)
    monkeypatch.setattr(settings, "lnbits_exchange_rate_providers", [])
    monkeypatch.setattr(settings, "lnbits_price_aggregator_enabled", True)
    monkeypatch.setattr(settings, "lnbits_exchange_rate_cache_seconds", 0)
    monkeypatch.setattr(settings, "lnbits_price_aggregator_url", "")
    monkeypatch.setattr(cache, "_values", {})


@asynccontextmanager
async def aggregator(body: bytes) -> AsyncIterator[list[bytes]]:
    """A price server that gives this answer; what it was asked for."""
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        settings.lnbits_price_aggregator_url = _url(server.sockets[0].getsockname()[1])
        yield asked
    finally:
        server.close()


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


async def test_a_known_rate_is_told_and_asked_for_once() -> None:
    async with aggregator(b'{"rates": {"median": 100000.5}}') as asked:
        found = await rates.ask_rates(["EUR", "EUR", "XCG"])
    assert found == {"EUR": Decimal("100000.5")}
    assert len(asked) == 1


@pytest.mark.parametrize("body", [b"nonsense", b'{"rates": {"median": -5}}', b"{}"])
async def test_an_answer_that_is_none_is_no_rate(body: bytes) -> None:
    async with aggregator(body):
        assert await rates.ask_rates(["EUR"]) == {}


async def test_a_server_that_stays_silent_is_waited_for_once_and_not_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rates, "WAIT_SECONDS", 0.3)
    with silent_port() as port:
        settings.lnbits_price_aggregator_url = _url(port)
        for most in (1.0, 0.05):
            start = monotonic()
            assert await rates.ask_rates(["EUR", "USD", "GTQ"]) == {}
            assert monotonic() - start < most


async def test_where_lnbits_asks_nobody_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "lnbits_price_aggregator_enabled", False)

    def fail(*args: Any) -> Any:
        raise AssertionError("asked")

    monkeypatch.setattr(rates, "get_fiat_rate_and_price_satoshis", fail)
    assert await rates.ask_rates(["EUR"]) == {}

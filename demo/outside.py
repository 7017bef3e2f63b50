"""The world outside the operator's LNbits: a second LNbits as its node, and a client's own wallet.

The second LNbits is the first one's funding source, so that what leaves the first really goes; the
client's own wallet is one of the second, and a small LNURL server answers for it.
"""

import json
import secrets
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from urllib.parse import parse_qs, urlsplit

import httpx
from lnurl import encode as lnurl_encode
from typing_extensions import Self

from .lnbits_api import NO_TLS, Account, Wallet
from .lnbits_server import LnbitsServer
from .processes import LOOPBACK

Answer = tuple[int, dict[str, str], bytes]


class LnurlServer:
    """LNURL-pay over plain HTTP on this machine; invoices are made by `invoice(msat)`.

    `least` and `most` are sats; `before` may answer a request in its own way instead.
    """

    def __init__(self, invoice: Callable[[int], str]) -> None:
        self.invoice = invoice
        self.least, self.most = 10, 1_000_000
        self.before: Callable[[str, dict[str, str]], Answer | None] = lambda path, query: None
        self.asked: list[str] = []
        self._server = ThreadingHTTPServer((LOOPBACK, 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self._server.server_port}"

    @property
    def lnurl(self) -> str:
        """What the client enters as the destination."""
        return self.lnurl_of("/pay")

    def lnurl_of(self, path: str) -> str:
        return str(lnurl_encode(self.url + path).bech32)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        own = self.before(path, query)
        if own is not None:
            return own
        if path == "/pay":
            return json_answer(
                {
                    "tag": "payRequest",
                    "callback": f"{self.url}/invoice",
                    "minSendable": self.least * 1000,
                    "maxSendable": self.most * 1000,
                    "metadata": json.dumps([["text/plain", "A client's own wallet"]]),
                }
            )
        if path == "/invoice":
            return json_answer({"pr": self.invoice(int(query["amount"])), "routes": []})
        return 404, {}, b"not here"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        lnurl_server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = {key: values[0] for key, values in parse_qs(parts.query).items()}
                lnurl_server.asked.append(parts.path)
                status, headers, body = lnurl_server.answer(parts.path, query)
                try:
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except (BrokenPipeError, ConnectionResetError):
                    pass  # who asked has gone

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        return Handler


def json_answer(body: object) -> Answer:
    return 200, {"Content-Type": "application/json"}, json.dumps(body).encode()


class Outside:
    """The second LNbits with the node's wallet and the client's own, and the LNURL server."""

    lnbits: LnbitsServer
    admin: Account
    node: Wallet
    own: Wallet
    destination: LnurlServer

    def __init__(self, folder: Path) -> None:
        self.lnbits = LnbitsServer(folder)

    def start(self) -> None:
        self.lnbits.start()

    async def furnish(self, *, node_sats: int = 50_000_000) -> None:
        self._api = self.lnbits.api()
        self.admin = await self._api.first_install("node", secrets.token_hex(6))
        self.node = await self.admin.create_wallet("node of the operator")
        self.own = await self.admin.create_wallet("own wallet of a client")
        await self.admin.top_up(self.node, node_sats)
        self.destination = LnurlServer(self.invoice)

    def invoice(self, msat: int, wallet: Wallet | None = None) -> str:
        """An invoice of the client's own wallet, or another one."""
        answer = httpx.post(
            f"{self.lnbits.url}/api/v1/payments",
            json={"out": False, "amount": msat // 1000, "memo": "to my own keys"},
            headers={"X-Api-Key": (wallet or self.own).inkey},
            verify=NO_TLS,
            timeout=30,
        )
        answer.raise_for_status()
        return str(answer.json()["bolt11"])

    async def received(self) -> int:
        """What the client's own wallet holds, in sats."""
        return await self.admin.balance(self.own)

    def funding(self, url: str | None = None) -> dict[str, str]:
        """Settings of an LNbits that is funded by this one; `url` if something stands between."""
        return {
            "LNBITS_BACKEND_WALLET_CLASS": "LNbitsWallet",
            "LNBITS_ENDPOINT": url or self.lnbits.url,
            "LNBITS_KEY": self.node.adminkey,
            "LNBITS_LNURL_ALLOW_PRIVATE_IPS": "true",
        }

    async def close(self) -> None:
        self.destination.close()
        await self._api.close()
        self.lnbits.stop()

    async def __aenter__(self) -> Self:
        self.start()
        await self.furnish()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

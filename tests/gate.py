"""What stands between an LNbits and its funding source: payments pass, are held, or are refused.

A held payment is on its way for as long as the test wants: it settles later, for real, or fails.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

import httpx

from demo.processes import LOOPBACK

Mode = Literal["pass", "hold", "refuse", "down"]


class Gate:
    """An HTTP proxy of the second LNbits' payments API."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.mode: Mode = "pass"
        self.fee_msat = 0
        self.held: dict[str, tuple[bytes, dict[str, str]]] = {}
        self.cancelled: set[str] = set()
        self.sent: list[str] = []
        self.arrived: set[str] = set()  # of those sent: what the node knows
        self._server = ThreadingHTTPServer((LOOPBACK, 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def settle(self) -> None:
        """Let what is held arrive."""
        for body, headers in self.held.values():
            httpx.post(f"{self.target}/api/v1/payments", content=body, headers=headers, timeout=60)
        self.held.clear()
        self.mode = "pass"

    def cancel(self) -> None:
        """Let what is held fail."""
        self.cancelled |= set(self.held)
        self.held.clear()
        self.mode = "pass"

    # ---- as the first LNbits sees it -----------------------------------------------------------

    def post(self, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        import bolt11

        data = json.loads(body)
        if not data.get("out"):
            return self._forward("POST", "/api/v1/payments", body, headers)
        payment_hash = bolt11.decode(data["bolt11"]).payment_hash
        self.sent.append(payment_hash)
        if self.mode == "refuse":
            return 520, json.dumps({"detail": "no route", "status": "failed"}).encode()
        if self.mode == "down":
            return 502, b"bad gateway"
        self.arrived.add(payment_hash)
        if self.mode == "hold":
            self.held[payment_hash] = (body, headers)
            return 201, json.dumps({"payment_hash": payment_hash}).encode()
        return self._forward("POST", "/api/v1/payments", body, headers)

    def get(self, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
        payment_hash = path.rsplit("/", 1)[-1]
        if payment_hash in self.held:
            return 200, json.dumps({"paid": False, "status": "pending"}).encode()
        if payment_hash in self.cancelled:
            return 200, json.dumps({"paid": False, "status": "failed"}).encode()
        status, body = self._forward("GET", path, b"", headers)
        if self.fee_msat and status == httpx.codes.OK:
            data = json.loads(body)
            if data.get("details"):
                data["details"]["fee"] = -self.fee_msat
            body = json.dumps(data).encode()
        return status, body

    def _forward(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        answer = httpx.request(
            method, self.target + path, content=body, headers=headers, timeout=60
        )
        return answer.status_code, answer.content

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gate = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self, status: int, body: bytes) -> None:
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except (BrokenPipeError, ConnectionResetError):
                    pass

            def _headers(self) -> dict[str, str]:
                kept = ("x-api-key", "content-type")
                return {k: v for k, v in self.headers.items() if k.lower() in kept}

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self._answer(*gate.post(body, self._headers()))

            def do_GET(self) -> None:
                self._answer(*gate.get(self.path, self._headers()))

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        return Handler

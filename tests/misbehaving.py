"""Destinations that misbehave: what an LNURL server may answer instead of an invoice to be paid."""

import time
from collections.abc import Callable

from demo.outside import Answer, json_answer

Behaviour = Callable[[str, dict[str, str]], Answer | None]


def hangs(seconds: float) -> Behaviour:
    def answer(path: str, query: dict[str, str]) -> Answer | None:
        time.sleep(seconds)
        return None

    return answer


def on_invoice(answer: Answer) -> Behaviour:
    return lambda path, query: answer if path == "/invoice" else None


def with_invoice(make: Callable[[int], str]) -> Behaviour:
    """Whose invoice, of so many millisatoshis asked for, is made by this."""

    def answer(path: str, query: dict[str, str]) -> Answer | None:
        if path != "/invoice":
            return None
        return json_answer({"pr": make(int(query["amount"])), "routes": []})

    return answer


BAD: dict[str, Behaviour] = {
    "fails": lambda path, query: (500, {}, b"oh"),
    "refuses": lambda path, query: json_answer({"status": "ERROR", "reason": "no such <user>"}),
    "redirects": lambda path, query: (302, {"Location": "http://127.0.0.1:1/pay"}, b""),
    "is no JSON": lambda path, query: (200, {}, b"<html>"),
    "a megabyte": lambda path, query: (200, {}, b"[" + b"1," * 500_000 + b"1]"),
    "no invoice": on_invoice(json_answer({"pr": "lnbc1", "routes": []})),
    "refuses invoices": on_invoice(json_answer({"status": "ERROR", "reason": "closed"})),
    "hangs": hangs(4),
}

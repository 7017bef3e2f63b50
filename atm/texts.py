"""Text from the ATM's database, read so that no content of any row can fail the read.

A cluster in SQL_ASCII holds any byte, and one of another encoding may hold damaged text. PostgreSQL
and asyncpg both refuse what is not valid, and a refused row would fail each poll for ever. So text
travels as the bytes that are stored, and is decoded here; what cannot be read is shown escaped.
"""

import codecs
from collections.abc import Iterable, Mapping
from typing import Any

import asyncpg

_MOST_BYTES = 1200
_MOST_CHARACTERS = 300
# PostgreSQL's names that are not Python's with the same letters.
_NAMES = {"SQL_ASCII": "utf-8", "KOI8R": "koi8_r", "KOI8U": "koi8_u", "EUC_CN": "gb2312"}


def as_bytes(expression: str) -> str:
    """SQL for a value's text as it is stored, and not too much of it.

    Neither `convert_to` nor `textsend` will do: both check that the text is valid.
    """
    escaped = rf"replace(({expression})::text, E'\\', E'\\\\')"
    return f"substring(decode({escaped}, 'escape') from 1 for {_MOST_BYTES})"


def python_encoding(server_encoding: str) -> str:
    """Python's name of PostgreSQL's encoding; UTF-8 where there is none, or it is not known.

    That is a guess for SQL_ASCII, and never a wrong one for what is ASCII.
    """
    name = server_encoding.upper()
    name = _NAMES.get(name) or name.replace("WIN", "cp")
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "utf-8"


def encoding_of(session: asyncpg.Connection) -> str:
    """Python's name of the encoding that the server has told at the login."""
    return python_encoding(getattr(session.get_settings(), "server_encoding", ""))


def decoded(rows: Iterable[Mapping[str, Any]], encoding: str) -> list[dict[str, Any]]:
    """The rows with their bytes as text, `\\xed` for each byte that is none."""
    return [{name: text(value, encoding) for name, value in row.items()} for row in rows]


def text(value: Any, encoding: str) -> Any:
    if not isinstance(value, bytes):
        return value
    return value.decode(encoding, "backslashreplace")[:_MOST_CHARACTERS]

"""How far the way to the ATM's database was come: its steps, and what ends it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Literal

import asyncpg

from ..helpers import SatMachineError
from . import limits
from .models import ConnectionStep


class LamassuError(SatMachineError):
    """The ATM's side failed: what, and what to do about it. Never holds a secret."""

    def __init__(self, step: str, message: str, *, passing: bool = False) -> None:
        super().__init__(message)
        self.step = step
        self.passing = passing
        """Whether it may well be over in a moment."""
        self.raised_at = monotonic()


class Way:
    """How far a connection has come: the steps so far, each with the time that it took."""

    def __init__(self) -> None:
        self.steps: list[ConnectionStep] = []
        self.fingerprint: str | None = None
        """Of the SSH server that answered, also where it is not the accepted one."""
        self._since = monotonic()

    def passed(self, step: str, detail: str) -> None:
        self._add(step, "ok", detail, monotonic())

    def failed(self, error: LamassuError) -> None:
        self._add(error.step, "failed", str(error), error.raised_at)

    def _add(self, name: str, status: Literal["ok", "failed"], detail: str, at: float) -> None:
        took = round((at - self._since) * 1000)
        self.steps.append(ConnectionStep(name=name, status=status, detail=detail, duration_ms=took))
        self._since = at


@contextmanager
def reading(step: str) -> Iterator[None]:
    """What the database or the way to it may answer to a query, as LamassuErrors."""
    try:
        yield
    except asyncpg.InsufficientPrivilegeError as exc:
        raise LamassuError(
            "table_rights",
            f"A right is missing: {plain(exc)}. Run there as owner: GRANT USAGE ON SCHEMA public, "
            "or the role's whole SQL again (static/sql/role.sql).",
        ) from None
    except (asyncpg.QueryCanceledError, asyncio.TimeoutError) as exc:
        raise LamassuError(
            step,
            f"The ATM's database did not answer within {limits.STATEMENT_SECONDS:g} s, or within a "
            f"lower statement_timeout of its own ({plain(exc)}). It may be locked or busy; lower "
            "look_back_days if this stays so.",
        ) from None
    except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError) as exc:
        raise LamassuError(
            step,
            f"The ATM's database took the query back ({plain(exc)}). A hot standby does so when "
            "the primary changes what is being read: set hot_standby_feedback = on or a longer "
            "max_standby_streaming_delay there, or read the primary.",
            passing=True,
        ) from None
    except (asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError, OSError) as exc:
        raise _broken(step, exc) from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as exc:
        if "connection is closed" in str(exc):  # it was ended between two queries
            raise _broken(step, exc) from None
        raise LamassuError(
            step, f"Reading the ATM's database failed ({plain(exc)}). Check that it is Lamassu's."
        ) from None


def _broken(step: str, exc: BaseException) -> LamassuError:
    return LamassuError(
        step,
        f"The connection to the ATM's database broke while reading ({plain(exc)}). Check that "
        "PostgreSQL, the SSH server and the network stay up.",
        passing=True,
    )


def plain(exc: BaseException) -> str:
    """The reason in one short line; some exceptions have no text of their own."""
    if isinstance(exc, asyncio.TimeoutError | TimeoutError):
        return "timed out"
    return (str(exc).strip().splitlines() or [type(exc).__name__])[0][:300]

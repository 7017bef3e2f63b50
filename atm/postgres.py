"""The read-only session with the ATM's PostgreSQL, through the tunnel or directly.

Whatever can go wrong becomes a `LamassuError` that says where, why and what to do, and never holds
a secret. What is read in the session is `lamassu.py`'s subject.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import asyncpg

from ..models_config import Target
from ..words.told import say
from . import limits
from .deadline import ended, seen
from .relay import Relay
from .tunnel import Tunnel, new_tunnel, opened
from .way import LamassuError, Way, plain


@asynccontextmanager
async def connect(target: Target, way: Way | None = None) -> AsyncIterator[asyncpg.Connection]:
    """A read-only session with the ATM's database, through the tunnel if there is one.

    `way` is told each step that was passed.

    Raises:
        LamassuError: with the step that failed and what to do.
    """
    way = way or Way()
    async with AsyncExitStack() as stack:
        tls = _tls(target)
        tunnel = await new_tunnel(target, way) if target.use_ssh_tunnel else None
        way.passed("configuration", "The settings are complete.")
        host, port = target.host, target.port
        if tunnel:
            host = "127.0.0.1"
            port = await stack.enter_async_context(opened(tunnel, target, way))
        relay = Relay(host, port)
        local = await stack.enter_async_context(relay.opened())
        logged_in = _session(target, relay, local, tls, tunnel)
        session, follows = await stack.enter_async_context(logged_in)
        try:
            yield session
        except LamassuError as exc:
            if relay.flooded:
                raise _flooded(exc.step) from None
            if exc.passing and follows and "conflict with recovery" not in str(exc):
                raise _conflict(exc) from None
            raise


@asynccontextmanager
async def _session(
    target: Target, relay: Relay, port: int, tls: Any, tunnel: Tunnel | None
) -> AsyncIterator[tuple[asyncpg.Connection, bool]]:
    """The session, and whether its server is a hot standby."""
    try:
        session, follows = await _log_in_with_tls(target, port, tls)
    # asyncpg stumbles in many ways over what is no PostgreSQL, and the traceback of these lines
    # would hold the password.
    except Exception as exc:
        if relay.flooded:
            raise _flooded("database") from None
        exc = relay.failure or exc
        refusal = None
        answered = isinstance(exc, asyncpg.PostgresError)
        if tunnel and (not answered or isinstance(exc, asyncpg.PostgresConnectionError)):
            refusal = await asyncio.to_thread(tunnel.refusal)
        raise _session_error(target, exc, refusal) from None
    try:
        yield session, follows
    finally:
        # asyncpg's own time-out does not count while it tries to have a query cancelled.
        closing = asyncio.ensure_future(session.close())
        try:
            if await ended(closing, limits.CLOSE_SECONDS):
                seen(closing)  # it is closed one way or the other
        finally:
            session.terminate()


def _conflict(exc: LamassuError) -> LamassuError:
    """asyncpg does not hand on what a server says when it ends a session between two queries."""
    return LamassuError(
        exc.step,
        "The ATM's database is a hot standby and ended the session, most likely by a conflict with "
        "recovery (its primary changed what was being read): set hot_standby_feedback = on or a "
        f"longer max_standby_streaming_delay there, or read the primary. {exc}",
        passing=True,
    )


def _flooded(step: str) -> LamassuError:
    return LamassuError(
        step,
        f"The ATM's database sent more than {limits.SESSION_BYTES // 1024**2} MB and was cut off: "
        "this is not the work of an ATM. Check host and port; lower look_back_days if it is.",
    )


async def _log_in_with_tls(target: Target, port: int, tls: Any) -> tuple[asyncpg.Connection, bool]:
    if target.ssl_mode == "prefer":
        with suppress(ConnectionError, ssl.SSLError):  # the server has no TLS: then without
            return await _log_in(target, port, tls)
        tls = False
    return await _log_in(target, port, tls)


async def _log_in(target: Target, port: int, tls: Any) -> tuple[asyncpg.Connection, bool]:
    """Logged in, and in the one read-only transaction that the session is for.

    And whether the server is a hot standby.

    What it needs is set in that transaction and ends with it: a pooler (PgBouncer) refuses it at
    the login, and hands the session on to others.
    """
    logging_in = asyncio.ensure_future(
        asyncpg.connect(
            host="127.0.0.1",
            port=port,
            user=target.username,
            password=target.password or "",
            database=target.database,
            ssl=tls,
            timeout=limits.CONNECT_SECONDS,
            command_timeout=limits.STATEMENT_SECONDS + limits.OVERRUN_SECONDS,
            statement_cache_size=0,
            server_settings={"application_name": "satmachineclient"},
            # Else asyncpg takes them from LNbits' environment.
            target_session_attrs="any",
            direct_tls=False,
            krbsrvname="postgres",
            gsslib="gssapi",
        )
    )
    if not await ended(logging_in, limits.CONNECT_SECONDS + 1):
        raise asyncio.TimeoutError
    session = logging_in.result()
    try:
        await session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        # A lower limit of the role's own is what its owner wants.
        [row] = await session.fetch(
            "SELECT pg_is_in_recovery() AS follows, set_config('statement_timeout', "
            "CASE WHEN setting::int BETWEEN 1 AND $1::int THEN setting ELSE $1::int::text END, "
            "true) FROM pg_catalog.pg_settings WHERE name = 'statement_timeout'",
            round(limits.STATEMENT_SECONDS * 1000),
        )
        return session, row["follows"]
    except BaseException:
        session.terminate()
        raise


def _session_error(target: Target, exc: Exception, refusal: str | None) -> LamassuError:
    where = f"{target.host}:{target.port}"
    if refusal:
        text = (
            f"The SSH server cannot connect to PostgreSQL at {where} ({refusal}). Check host and "
            "port as seen from the SSH server, that PostgreSQL runs there, and that the server "
            f"allows forwarding to exactly {where} (AllowTcpForwarding, PermitOpen: there, "
            "localhost and 127.0.0.1 are not the same)."
        )
    elif isinstance(exc, asyncpg.InvalidAuthorizationSpecificationError):
        text = (
            f"PostgreSQL at {where} refused user '{target.username}' ({plain(exc)}). Check "
            "username, password and pg_hba.conf."
        )
    elif isinstance(exc, asyncpg.InvalidCatalogNameError):
        text = (
            f"There is no database '{target.database}' at {where}. Lamassu's is usually 'lamassu'."
        )
    elif isinstance(exc, ssl.SSLCertVerificationError):
        text = (
            f"The certificate of PostgreSQL at {where} is not trusted ({exc.verify_message}). "
            "Check host and ssl_ca_certificate."
        )
    elif "rejected SSL upgrade" in str(exc):
        text = (
            f"PostgreSQL at {where} offers no TLS, which ssl_mode {target.ssl_mode} needs. Switch "
            "it on there (ssl = on), or use the SSH tunnel."
        )
    else:
        code = "no_session_by_ssh" if target.use_ssh_tunnel else "no_session"
        text = say(code, where=where, reason=plain(exc))
    return LamassuError("database", text)


class _TlsContext(ssl.SSLContext):
    """Expects the database's own name in the certificate, also at the end of a tunnel."""

    server_name: str

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        return super().wrap_bio(*args, **{**kwargs, "server_hostname": self.server_name})


def _tls(target: Target) -> Any:
    """asyncpg's `ssl` for PostgreSQL's own sslmode names.

    Contexts are made here, because asyncpg's would look for files in the user's home folder.

    Raises:
        LamassuError: the CA certificate is none.
    """
    if target.ssl_mode == "disable":
        return False
    context = _TlsContext(ssl.PROTOCOL_TLS_CLIENT)
    context.server_name = target.host
    if target.ssl_mode != "verify-full":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    try:
        context.load_verify_locations(cadata=target.ssl_ca_certificate or "")
    except (ssl.SSLError, ValueError, TypeError):  # TypeError: not even ASCII
        raise LamassuError(
            "configuration",
            "ssl_ca_certificate: is no certificate in PEM form. Paste the CA's certificate, from "
            "-----BEGIN CERTIFICATE to END CERTIFICATE-----.",
        ) from None
    return context

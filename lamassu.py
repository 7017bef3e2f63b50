"""The ATM's side: the tunnel, the read-only session, the queries, the connection test.

What comes back are `Sale`s, checked row by row; deciding who gets what of them is not this
room's business. The content of the ATM's database is data from outside: nothing in it is trusted.
"""

import asyncio
import base64
import hashlib
import io
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from time import monotonic
from typing import Any, Literal, TypeVar

import asyncpg

from . import distribution
from .helpers import MAX_SATS, decimal_text, known_currency, minor_units, now, to_decimal
from .models import ConnectionStep, ConnectionTest

try:
    import paramiko
    from cryptography.hazmat.primitives import serialization
    from sshtunnel import BaseSSHTunnelForwarderError, SSHTunnelForwarder
except ImportError:  # LNbits installs no packages for an extension
    paramiko = None  # type: ignore[assignment]
    SSHTunnelForwarder = object
    BaseSSHTunnelForwarderError = OSError

INSTALL_COMMAND = "pip install sshtunnel==0.5.1 paramiko==5.1.0"
CONNECT_SECONDS = 15
STATEMENT_SECONDS = 30
MAX_ROWS = 100_000
# A row that may still change by itself is left alone for this long before a person is asked.
DISPENSE_GRACE = timedelta(minutes=15)
COLLECT_GRACE = timedelta(hours=24)
_CLOCK_TOLERANCE = timedelta(hours=1)

SaleState = Literal["good", "review", "waiting"]
T = TypeVar("T")


class LamassuError(Exception):
    """The ATM's side failed: what, and what to do about it. Never holds a secret."""

    def __init__(self, step: str, message: str) -> None:
        super().__init__(message)
        self.step = step


@dataclass(frozen=True)
class Target:
    """Where the ATM's database is and how to get in, with the secrets in clear."""

    host: str
    port: int
    database: str
    username: str
    password: str | None = field(default=None, repr=False)
    use_ssh_tunnel: bool = False
    ssh_host: str | None = None
    ssh_port: int = 22
    ssh_username: str | None = None
    ssh_password: str | None = field(default=None, repr=False)
    ssh_private_key: str | None = field(default=None, repr=False)
    ssh_private_key_passphrase: str | None = field(default=None, repr=False)
    ssh_host_key_fingerprint: str | None = None
    ssl_mode: str = "prefer"
    ssl_ca_certificate: str | None = None


@dataclass(frozen=True)
class Sale:
    """One cash-out at a machine, as read.

    `fiat` in minor units of `fiat_code`; the rates as Lamassu keeps them (`commission` a fraction,
    `discount` percent, `fixed_fee` fiat). `state`: good (paid, and the cash is out), review (a
    person has to look; `reason` says at what), waiting (may still become good by itself).
    """

    id: str
    device_id: str
    time: datetime
    crypto_code: str
    crypto_sats: int
    fiat: int
    fiat_code: str
    commission: Decimal | None
    discount: Decimal | None
    fixed_fee: Decimal | None
    state: SaleState
    reason: str | None
    facts: dict[str, Any]


# ---- the tunnel ------------------------------------------------------------------------------


def host_key_fingerprint(key_bytes: bytes) -> str:
    """OpenSSH's form: SHA256 and unpadded base64."""
    digest = hashlib.sha256(key_bytes).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def load_private_key(text: str, passphrase: str | None) -> "paramiko.PKey":
    """An RSA, ECDSA or Ed25519 key from its OpenSSH, PEM or PKCS#8 text.

    Raises:
        LamassuError: malformed, wrong or missing passphrase, or another kind of key.
    """
    raw = text.strip().encode() + b"\n"
    openssh = b"OPENSSH PRIVATE KEY" in raw
    load = serialization.load_ssh_private_key if openssh else serialization.load_pem_private_key
    secret = passphrase.encode() if passphrase else None
    try:
        try:
            key = load(raw, password=secret)
        except TypeError:
            if secret is None:
                raise LamassuError(
                    "login", "ssh_private_key_passphrase: this SSH key is encrypted; enter it"
                ) from None
            key = load(raw, password=None)  # a passphrase was given for a key that has none
    except ValueError:
        hint = (
            "or ssh_private_key_passphrase is wrong"
            if secret
            else "paste the whole file, from -----BEGIN to END-----"
        )
        raise LamassuError("login", f"ssh_private_key: cannot be read; {hint}") from None
    except Exception as exc:  # cryptography raises its own types for ciphers it does not know
        raise LamassuError("login", f"ssh_private_key: {type(exc).__name__}") from None
    plain = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    ).decode()
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key(io.StringIO(plain))
        except paramiko.SSHException:
            continue
    raise LamassuError("login", "ssh_private_key: use an RSA, ECDSA or Ed25519 key")


class _Tunnel(SSHTunnelForwarder):  # type: ignore[misc]
    """sshtunnel's forwarder over a session that we open: host key first, then the login.

    sshtunnel's own way in hides every reason and has no time-outs.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self.fingerprint: str | None = None
        self.steps: list[tuple[str, float]] = []  # what succeeded, and the seconds it took
        logger = logging.getLogger("satmachineclient.sshtunnel")
        logger.setLevel(logging.CRITICAL)
        key = None
        if target.ssh_private_key:
            key = load_private_key(target.ssh_private_key, target.ssh_private_key_passphrase)
        elif not target.ssh_password:
            raise LamassuError("login", "Enter an SSH password or a private key")
        super().__init__(
            (target.ssh_host, target.ssh_port),
            ssh_username=target.ssh_username,
            ssh_password=None if key else target.ssh_password,
            ssh_pkey=key,
            remote_bind_address=(target.host, target.port),
            local_bind_address=("127.0.0.1", 0),
            ssh_config_file=None,
            allow_agent=False,
            host_pkey_directories=[],
            logger=logger,
        )

    def _connect_to_gateway(self) -> None:
        """Called by sshtunnel's `start`."""
        transport = self._timed("ssh", self._open)
        self._transport = transport
        try:
            self._timed("host_key", lambda: self._check_host_key(transport))
            self._timed("login", lambda: self._log_in(transport))
        except BaseException:
            transport.close()
            raise

    def _timed(self, step: str, work: Callable[[], T]) -> T:
        start = monotonic()
        result = work()
        self.steps.append((step, monotonic() - start))
        return result

    def _open(self) -> "paramiko.Transport":
        where = f"{self._target.ssh_host}:{self._target.ssh_port}"
        try:
            connection = socket.create_connection(
                (self._target.ssh_host, self._target.ssh_port), timeout=CONNECT_SECONDS
            )
        except OSError as exc:
            raise LamassuError(
                "ssh",
                f"No SSH server answers at {where} ({_plain(exc)}). Check host, port, firewall.",
            ) from None
        transport = paramiko.Transport(connection)
        transport.set_keepalive(10)
        transport.banner_timeout = transport.auth_timeout = CONNECT_SECONDS
        try:
            transport.start_client(timeout=CONNECT_SECONDS)
        except (paramiko.SSHException, OSError, EOFError) as exc:
            transport.close()
            raise LamassuError(
                "ssh", f"{where} does not speak SSH as expected ({_plain(exc)}). Check the port."
            ) from None
        return transport

    def _check_host_key(self, transport: "paramiko.Transport") -> None:
        self.fingerprint = host_key_fingerprint(transport.get_remote_server_key().asbytes())
        accepted = self._target.ssh_host_key_fingerprint
        if not accepted:
            raise LamassuError(
                "host_key",
                f"The SSH server's host key {self.fingerprint} is not accepted yet. Compare it "
                "with the server's own (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then "
                "accept it in the configuration.",
            )
        if accepted != self.fingerprint:
            raise LamassuError(
                "host_key",
                f"The SSH server's host key has changed: accepted is {accepted}, the server "
                f"shows {self.fingerprint}. Nothing was sent to it. If the server was really "
                "reinstalled, accept the new key in the configuration; if not, somebody may be in "
                "between.",
            )

    def _log_in(self, transport: "paramiko.Transport") -> None:
        user = self._target.ssh_username or ""
        try:
            if self.ssh_pkeys:
                transport.auth_publickey(user, self.ssh_pkeys[0])
            else:
                transport.auth_password(user, self._target.ssh_password or "", fallback=False)
        except (paramiko.SSHException, OSError, EOFError) as exc:
            kind = "private key" if self.ssh_pkeys else "password"
            raise LamassuError(
                "login",
                f"The SSH server refused user '{user}' with this {kind} ({_plain(exc)}). Check "
                "ssh_username and the secret, and that the server allows this way of logging in.",
            ) from None
        if not transport.is_authenticated():
            raise LamassuError("login", "The SSH server wants a further step than one secret")


async def _new_tunnel(target: Target) -> _Tunnel:
    if paramiko is None:
        raise LamassuError(
            "ssh",
            "The SSH tunnel needs two Python packages beside LNbits. In LNbits' environment run: "
            + INSTALL_COMMAND,
        )
    return await asyncio.to_thread(_Tunnel, target)


@asynccontextmanager
async def _opened(tunnel: _Tunnel) -> AsyncIterator[int]:
    """The tunnel's local port, for as long as the block lasts; the work is done in threads."""
    starting = asyncio.ensure_future(asyncio.to_thread(tunnel.start))
    try:
        try:
            await asyncio.shield(starting)
        except BaseSSHTunnelForwarderError as exc:
            raise LamassuError("ssh", f"The SSH tunnel failed: {_plain(exc)}") from None
        yield tunnel.local_bind_port
    finally:
        # A cancelled poll waits for the thread (it has time-outs), then closes what it opened.
        await asyncio.wait({starting})
        await asyncio.to_thread(tunnel.stop, True)


# ---- the session -----------------------------------------------------------------------------


@asynccontextmanager
async def connect(target: Target) -> AsyncIterator[asyncpg.Connection]:
    """A read-only session with the ATM's database, through the tunnel if there is one.

    Raises:
        LamassuError: with the step that failed and what to do.
    """
    if not target.use_ssh_tunnel:
        async with _session(target, target.host, target.port) as session:
            yield session
        return
    tunnel = await _new_tunnel(target)
    async with _opened(tunnel) as port, _session(target, "127.0.0.1", port) as session:
        yield session


@asynccontextmanager
async def _session(target: Target, host: str, port: int) -> AsyncIterator[asyncpg.Connection]:
    where = f"{target.host}:{target.port}"
    try:
        session = await asyncio.wait_for(
            asyncpg.connect(
                host=host,
                port=port,
                user=target.username,
                password=target.password or "",
                database=target.database,
                ssl=_tls(target),
                timeout=CONNECT_SECONDS,
                command_timeout=STATEMENT_SECONDS + 5,
                statement_cache_size=0,
                server_settings={
                    "application_name": "satmachineclient",
                    "default_transaction_read_only": "on",
                    "statement_timeout": str(STATEMENT_SECONDS * 1000),
                },
            ),
            CONNECT_SECONDS + 1,
        )
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError) as exc:
        raise LamassuError(
            "database",
            f"PostgreSQL at {where} refused user '{target.username}' ({_plain(exc)}). Check "
            "username, password and pg_hba.conf.",
        ) from None
    except asyncpg.InvalidCatalogNameError:
        raise LamassuError(
            "database",
            f"There is no database '{target.database}' at {where}. Lamassu's is usually 'lamassu'.",
        ) from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, asyncio.TimeoutError) as exc:
        seen_from = "the SSH server" if target.use_ssh_tunnel else "LNbits"
        raise LamassuError(
            "database",
            f"No PostgreSQL session at {where}, seen from {seen_from} ({_plain(exc)}). Check host, "
            "port, listen_addresses and ssl_mode.",
        ) from None
    try:
        yield session
    finally:
        try:
            await session.close(timeout=5)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, asyncio.TimeoutError):
            session.terminate()


def _tls(target: Target) -> Any:
    """asyncpg's `ssl` for PostgreSQL's own sslmode names.

    Contexts are made here, because asyncpg's would look for files in the user's home folder.
    """
    if target.ssl_mode in ("disable", "prefer"):
        return False if target.ssl_mode == "disable" else "prefer"
    if target.ssl_mode == "verify-full":
        try:
            return ssl.create_default_context(cadata=target.ssl_ca_certificate)
        except (ssl.SSLError, ValueError):
            raise LamassuError("database", "ssl_ca_certificate: is not a PEM certificate") from None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _plain(exc: BaseException) -> str:
    """The reason in one short line; a time-out has none of its own."""
    text = str(exc).splitlines()[0] if str(exc) else ""
    return (text or {"TimeoutError": "timed out"}.get(type(exc).__name__, type(exc).__name__))[:300]


# ---- reading ---------------------------------------------------------------------------------

_NEEDED = (
    "id device_id crypto_atoms crypto_code fiat fiat_code status dispense dispense_confirmed error "
    "created confirmed_at commission_percentage discount"
).split()
_WELCOME = "received_crypto_atoms raw_ticker_price error_code fixed_fee".split()
_ACTION_NEEDED = "tx_id action created".split()
_ACTION_WELCOME = [
    "error",
    "error_code",
    *(
        f"{what}_{unit}"
        for what in ("provisioned", "dispensed", "denomination")
        for unit in ("1", "2", "3", "4", *(f"recycler_{n}" for n in range(1, 7)))
    ),
]


@dataclass(frozen=True)
class Rights:
    """Which columns there are, and which of them this role may read."""

    sale_columns: list[str]
    action_columns: list[str]  # empty: cash_out_actions cannot be used
    fixed_fee_hidden: bool


async def read_rights(session: asyncpg.Connection) -> Rights:
    """Raises LamassuError naming the missing table or columns and the GRANT to run."""
    rows = await session.fetch(
        """
        SELECT t.name AS table_name, a.attname AS name,
               has_column_privilege(a.attrelid, a.attnum, 'SELECT') AS readable
        FROM (VALUES ('cash_out_txs'), ('cash_out_actions')) AS t(name)
        JOIN pg_attribute a ON a.attrelid = to_regclass('public.' || t.name)
        WHERE a.attnum > 0 AND NOT a.attisdropped
        """
    )
    exists = {(r["table_name"], r["name"]) for r in rows}
    readable = {(r["table_name"], r["name"]) for r in rows if r["readable"]}
    if not any(table == "cash_out_txs" for table, _ in exists):
        raise LamassuError(
            "table_rights",
            "There is no table cash_out_txs in this database's schema public: is it Lamassu's?",
        )
    missing = [name for name in _NEEDED if ("cash_out_txs", name) not in readable]
    if missing:
        raise LamassuError(
            "table_rights",
            f"This user may not read {', '.join(missing)} of cash_out_txs. Run as owner: "
            f"GRANT SELECT ({', '.join(missing)}) ON cash_out_txs TO the user.",
        )
    actions: list[str] = []
    if all(("cash_out_actions", name) in readable for name in _ACTION_NEEDED):
        wanted = (*_ACTION_NEEDED, *_ACTION_WELCOME)
        actions = [name for name in wanted if ("cash_out_actions", name) in readable]
    fee = ("cash_out_txs", "fixed_fee")
    return Rights(
        [*_NEEDED, *(name for name in _WELCOME if ("cash_out_txs", name) in readable)],
        actions,
        fee in exists and fee not in readable,
    )


async def read_sales(
    session: asyncpg.Connection,
    since: datetime,
    drop_known: Callable[[list[str]], Awaitable[set[str]]],
    *,
    needs_fixed_fee: bool,
) -> tuple[int, list[Sale]]:
    """The paid cash-outs since then that are new: how many good rows there were, and the new rows.

    `drop_known` gets the ids of all rows found and answers those that need not be read again.

    Raises:
        LamassuError: any part of the reading failed; nothing may be concluded from the rest.
    """
    try:
        async with session.transaction(isolation="repeatable_read", readonly=True):
            rights = await read_rights(session)
            if rights.fixed_fee_hidden and needs_fixed_fee:
                raise LamassuError(
                    "table_rights",
                    "The margin method needs the fixed fee. Run as owner: "
                    "GRANT SELECT (fixed_fee) ON cash_out_txs TO the user.",
                )
            rows = await _read_rows(session, rights, since)
            known = await drop_known([row["id"] for row in rows])
            new = [row for row in rows if row["id"] not in known]
            actions = await _read_actions(session, rights, [row["id"] for row in new])
    except LamassuError:
        raise
    except asyncpg.InsufficientPrivilegeError as exc:
        raise LamassuError("table_rights", f"A right is missing: {_plain(exc)}") from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, asyncio.TimeoutError) as exc:
        raise LamassuError("rows", f"Reading the sales failed: {_plain(exc)}") from None
    clock = now()
    found = sum(1 for row in rows if _is_good(row))
    sales = [_to_sale(dict(row), actions.get(row["id"], []), clock) for row in new]
    return found, sales


async def _read_rows(
    session: asyncpg.Connection, rights: Rights, since: datetime
) -> list[asyncpg.Record]:
    # Numbers and enums come as text: whatever stands there, reading it cannot fail half-way.
    columns = ", ".join(
        f"{c}::text"
        if c not in ("dispense", "dispense_confirmed", "created", "confirmed_at")
        else c
        for c in rights.sale_columns
    )
    rows: list[asyncpg.Record] = await session.fetch(
        f"SELECT {columns} FROM public.cash_out_txs "
        "WHERE crypto_code IN ('BTC', 'LN') AND status::text IN ('confirmed', 'instant') "
        "AND fiat <> 0 AND GREATEST(created, confirmed_at) >= $1 "
        f"ORDER BY COALESCE(confirmed_at, created), id LIMIT {MAX_ROWS + 1}",
        since,
    )
    if len(rows) > MAX_ROWS:
        raise LamassuError(
            "rows", f"More than {MAX_ROWS} sales to read at once: lower look_back_days."
        )
    return rows


async def _read_actions(
    session: asyncpg.Connection, rights: Rights, ids: list[str]
) -> dict[str, list[dict[str, Any]]]:
    if not rights.action_columns or not ids:
        return {}
    columns = ", ".join(f"{c}::text" if c == "tx_id" else c for c in rights.action_columns)
    rows = await session.fetch(
        f"SELECT {columns} FROM public.cash_out_actions WHERE tx_id = ANY($1::uuid[]) "
        "AND action IN ('dispense', 'dispenseError', 'provisionNotes', 'provisionNotesError') "
        "ORDER BY created",
        ids,
    )
    actions: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        actions.setdefault(row["tx_id"], []).append(dict(row))
    return actions


def _is_good(row: Any) -> bool:
    """The sats are ours and the cash is out (design section 3)."""
    return bool(row["dispense"] and row["dispense_confirmed"] is True and row["error"] is None)


def _to_sale(row: dict[str, Any], actions: list[dict[str, Any]], clock: datetime) -> Sale:
    """Check one row. Where an amount cannot be used it is 0 and the state is review."""
    problems: list[str] = []
    sats = to_decimal(row["crypto_atoms"])
    if sats is None or sats != sats.to_integral_value() or not 0 < sats <= MAX_SATS:
        problems.append(f"crypto_atoms is {str(row['crypto_atoms'])[:40]}")
        sats = Decimal(0)
    code, fiat = _checked_fiat(row, problems)
    dispensed = [a["created"] for a in actions if a["action"] == "dispense"]
    time = max(dispensed, default=None) or row["confirmed_at"] or row["created"]
    if time is None or time > clock + _CLOCK_TOLERANCE:
        problems.append(f"its time is {time}")
        time = clock
    state, reason = _state(row, actions, clock)
    if problems and state == "good":
        state, reason = "review", "Not distributed by itself: " + "; ".join(problems)
    return Sale(
        id=row["id"],
        device_id=(row["device_id"] or "")[:200],
        time=time,
        crypto_code=row["crypto_code"],
        crypto_sats=int(sats),
        fiat=fiat,
        fiat_code=code,
        commission=to_decimal(row["commission_percentage"]),
        discount=_discount(row["discount"]),
        fixed_fee=to_decimal(row.get("fixed_fee")),
        state=state,
        reason=reason,
        facts=_facts(row, actions),
    )


def _discount(value: Any) -> Decimal:
    """A NULL discount is none; what is no number stays NaN and is refused later."""
    number = Decimal(0) if value is None else to_decimal(value)
    return Decimal("NaN") if number is None else number


def _checked_fiat(row: dict[str, Any], problems: list[str]) -> tuple[str, int]:
    code = str(row["fiat_code"])
    try:
        known_currency(code)
    except ValueError as exc:
        problems.append(f"fiat_code: {exc}")
        return "XXX", 0
    amount = to_decimal(row["fiat"])
    try:
        if amount is None or amount <= 0:
            raise ValueError("is not a positive number")
        return code, minor_units(amount, code)
    except ValueError as exc:
        problems.append(f"fiat {str(row['fiat'])[:40]} {exc}")
        return code, 0


def _state(
    row: dict[str, Any], actions: list[dict[str, Any]], clock: datetime
) -> tuple[SaleState, str | None]:
    """Good, or what is not good about it, or not decided yet."""
    if _is_good(row):
        return "good", None
    if row["error"] is not None:
        return "review", f"Paid, but Lamassu reports an error: {row['error'][:300]}"
    names = [a["action"] for a in actions]
    last = max(
        [t for t in (row["created"], row["confirmed_at"]) if t] + [a["created"] for a in actions]
    )
    if not row["dispense"]:
        if clock - last < COLLECT_GRACE:
            return "waiting", None
        return "review", "Paid, but the customer never collected the cash."
    if "provisionNotesError" in names and "dispense" not in names:
        return "review", "Paid, but the machine had not enough notes: no cash came out."
    if "dispense" in names or "dispenseError" in names:
        return "review", "Paid, but not all of the cash came out."
    if clock - last < DISPENSE_GRACE:
        return "waiting", None
    return "review", "Paid, but the machine never reported whether the cash came out."


def _facts(row: dict[str, Any], actions: list[dict[str, Any]]) -> dict[str, Any]:
    """What Lamassu knows of the row, in JSON's types, for the person who looks at it."""
    plain = {name: _json(value) for name, value in row.items()}
    plain["actions"] = [
        {
            name: _json(value)
            for name, value in action.items()
            if value is not None and name != "tx_id"
        }
        for action in actions[-20:]
    ]
    return plain


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str):
        return value[:300]
    return value if value is None or isinstance(value, (bool, int)) else str(value)[:300]


# ---- the connection test ---------------------------------------------------------------------

STEPS = (
    "configuration",
    "ssh",
    "host_key",
    "login",
    "database",
    "table_rights",
    "rows",
    "clock",
    "commission_method",
)


async def test_connection(
    target: Target, since: datetime, commission_method: distribution.CommissionMethod
) -> ConnectionTest:
    """Try each step on the way to the sales; the first that fails ends the test."""
    steps = [ConnectionStep(name="configuration", status="ok", detail="The settings are complete.")]
    tunnel: _Tunnel | None = None
    error: LamassuError | None = None
    start = monotonic()
    try:
        if target.use_ssh_tunnel:
            tunnel = await _new_tunnel(target)
            async with _opened(tunnel) as port, _session(target, "127.0.0.1", port) as session:
                await _test_session(session, target, since, commission_method, steps, start)
        else:
            async with _session(target, target.host, target.port) as session:
                await _test_session(session, target, since, commission_method, steps, start)
    except LamassuError as exc:
        error = exc
        took = round((monotonic() - start) * 1000)
        steps.append(
            ConnectionStep(name=exc.step, status="failed", detail=str(exc), duration_ms=took)
        )
    if tunnel:
        steps += _tunnel_steps(tunnel, target)
    done = {step.name for step in steps}
    for name in STEPS:
        if name not in done:
            direct = name in ("ssh", "host_key", "login") and not target.use_ssh_tunnel
            detail = "No SSH tunnel is configured." if direct else "Not reached."
            steps.append(ConnectionStep(name=name, status="skipped", detail=detail))
    steps.sort(key=lambda step: STEPS.index(step.name))
    message = str(error) if error else "The connection works; sales can be read."
    return ConnectionTest(
        success=error is None,
        message=message,
        steps=steps,
        ssh_host_key_fingerprint=tunnel.fingerprint if tunnel else None,
    )


def _tunnel_steps(tunnel: _Tunnel, target: Target) -> list[ConnectionStep]:
    details = {
        "ssh": f"{target.ssh_host}:{target.ssh_port} answers.",
        "host_key": f"The host key is the accepted one, {tunnel.fingerprint}.",
        "login": f"Logged in as {target.ssh_username}.",
    }
    return [
        ConnectionStep(name=name, status="ok", detail=details[name], duration_ms=round(t * 1000))
        for name, t in tunnel.steps
    ]


async def _test_session(
    session: asyncpg.Connection,
    target: Target,
    since: datetime,
    commission_method: distribution.CommissionMethod,
    steps: list[ConnectionStep],
    start: float,
) -> None:
    async def step(name: str, work: Awaitable[str]) -> None:
        nonlocal start
        try:
            detail = await work
        except asyncpg.PostgresError as exc:
            raise LamassuError(name, f"{_plain(exc)}") from None
        except (asyncpg.InterfaceError, OSError, asyncio.TimeoutError) as exc:
            raise LamassuError(name, f"The connection broke: {_plain(exc)}") from None
        took = round((monotonic() - start) * 1000)
        steps.append(ConnectionStep(name=name, status="ok", detail=detail, duration_ms=took))
        start = monotonic()

    await step("database", _describe_server(session, target))
    await step("table_rights", _describe_rights(session, commission_method))
    await step("rows", _describe_rows(session, since))
    await step("clock", _describe_clock(session))
    await step("commission_method", _describe_commission(session, since, commission_method))


async def _describe_server(session: asyncpg.Connection, target: Target) -> str:
    version = await session.fetchval("SHOW server_version")
    encrypted = await session.fetchval(
        "SELECT COALESCE((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false)"
    )
    local = target.host in ("localhost", "127.0.0.1", "::1")
    if target.use_ssh_tunnel:
        link = "the way there is encrypted by SSH"
    elif encrypted:
        link = "the link is encrypted (TLS)"
    else:
        link = "the link is NOT encrypted" + (
            ", but local" if local else ": use the SSH tunnel, or ssl_mode require"
        )
    return f"PostgreSQL {version}, read-only session as {target.username}; {link}."


async def _describe_rights(session: asyncpg.Connection, method: str) -> str:
    rights = await read_rights(session)
    if rights.fixed_fee_hidden and method == "margin":
        raise LamassuError(
            "table_rights",
            "The margin method needs the fixed fee. Run as owner: "
            "GRANT SELECT (fixed_fee) ON cash_out_txs TO the user.",
        )
    if rights.action_columns:
        return "cash_out_txs and cash_out_actions can be read."
    return (
        "cash_out_txs can be read. cash_out_actions cannot: the time of a sale is then that of its "
        "confirmation, and partial dispenses show no counts."
    )


async def _describe_rows(session: asyncpg.Connection, since: datetime) -> str:
    rows = await _read_rows(session, await read_rights(session), since)
    good = sum(1 for row in rows if _is_good(row))
    text = f"{good} finished sales since {since:%Y-%m-%d}"
    return text + (f", {len(rows) - good} paid ones whose cash is not (all) out." if rows else ".")


async def _describe_clock(session: asyncpg.Connection) -> str:
    theirs = await session.fetchval("SELECT clock_timestamp()")
    zone = await session.fetchval("SHOW TimeZone")
    seconds = round((theirs - now()).total_seconds())
    text = f"The ATM server's clock is {abs(seconds)} s {'ahead' if seconds > 0 else 'behind'}"
    warning = ": set it right, deposits are matched to sales by time" if abs(seconds) > 60 else ""
    return f"{text}{warning}; its time zone is {zone}."


async def _describe_commission(
    session: asyncpg.Connection, since: datetime, method: distribution.CommissionMethod
) -> str:
    """Compare both formulas with the market value of the cash, fiat / raw_ticker_price."""
    rights = await read_rights(session)
    if "raw_ticker_price" not in rights.sale_columns:
        return "raw_ticker_price cannot be read, so the commission methods cannot be compared."
    off: dict[distribution.CommissionMethod, int] = {"markup": 0, "margin": 0}
    compared = 0
    for row in await _read_rows(session, rights, since):
        price, fiat = to_decimal(row["raw_ticker_price"]), to_decimal(row["fiat"])
        sats, fee = to_decimal(row["crypto_atoms"]), to_decimal(row.get("fixed_fee")) or Decimal(0)
        if not _is_good(row) or not price or price <= 0 or not fiat or fiat <= 0 or not sats:
            continue
        try:
            effective = distribution.effective_commission(
                to_decimal(row["commission_percentage"]), _discount(row["discount"])
            )
            worth = int(fiat / price * 10**8)
            for name in off:
                base = distribution.base_amount(
                    int(sats), effective, name, fiat=fiat, fixed_fee=fee
                )
                off[name] += abs(base - worth)
        except distribution.DistributionError:
            continue
        compared += 1
    if not compared or off["markup"] == off["margin"]:
        return "No sale yet to compare the commission methods with."
    fits: distribution.CommissionMethod = "markup" if off["markup"] < off["margin"] else "margin"
    verdict = "as configured" if fits == method else f"but configured is {method}"
    average = {name: decimal_text(Decimal(off[name] // compared)) for name in off}
    return (
        f"These machines compute with {fits}, {verdict}: over {compared} sales the base is off the "
        f"market value by {average['markup']} sats (markup) or {average['margin']} sats (margin)."
    )

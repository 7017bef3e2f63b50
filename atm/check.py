"""The connection test: each step on the way to the sales, what it found, and what to do."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import asyncpg

from .. import models_sales
from ..books import distribution
from ..helpers import decimal_text
from ..models_config import SourceDirection, Target
from . import machines
from .deadline import read_in_time
from .lamassu import NOISE, Rows, clock_offset, read_rows
from .models import ConnectionStep, ConnectionTest
from .postgres import connect
from .rights import Rights, check_fixed_fee, read_columns, sale_rights
from .rows import discount, is_good, number, ticker_price
from .way import LamassuError, Way, reading

_COMPARED = 1000  # sales on which the test tries the commission methods

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
    target: Target,
    since: datetime,
    commission_method: models_sales.CommissionMethod,
    direction: SourceDirection = "cash_out",
) -> ConnectionTest:
    """Try each step on the way to the sales; the first that fails ends the test."""
    way = Way()

    async def go() -> None:
        async with connect(target, way) as session:
            await _test_session(session, target, since, commission_method, direction, way)

    try:
        await read_in_time(go())
    except LamassuError as exc:
        way.failed(exc)
    unused = () if target.use_ssh_tunnel else ("ssh", "host_key", "login")
    return _result(way, dict.fromkeys(unused, "No SSH tunnel is configured."))


def failed_configuration(reason: str) -> ConnectionTest:
    """The result where the settings do not even allow an attempt."""
    way = Way()
    way.failed(LamassuError("configuration", reason))
    return _result(way, {})


def _result(way: Way, unused: dict[str, str]) -> ConnectionTest:
    """The steps in their fixed order, with those that were not reached."""
    done = {step.name: step for step in way.steps}
    skipped = {
        name: ConnectionStep(name=name, status="skipped", detail=unused.get(name, "Not reached."))
        for name in STEPS
    }
    error = next((step.detail for step in way.steps if step.status == "failed"), None)
    return ConnectionTest(
        success=error is None,
        message=error or "The connection works; sales can be read.",
        steps=[done.get(name, skipped[name]) for name in STEPS],
        ssh_host_key_fingerprint=way.fingerprint,
    )


async def _test_session(
    session: asyncpg.Connection,
    target: Target,
    since: datetime,
    commission_method: models_sales.CommissionMethod,
    direction: SourceDirection,
    way: Way,
) -> None:
    with reading("database"):
        way.passed("database", await _describe_server(session, target))
    columns = await read_columns(session)
    rights = sale_rights(columns, direction)
    check_fixed_fee(rights, commission_method == "margin")
    named = machines.describe_rights(machines.machine_rights(columns), rights.role)
    way.passed("table_rights", " ".join([_describe_rights(rights), *[named] * bool(named)]))
    rows = await read_rows(session, rights, since)
    way.passed("rows", _describe_rows(rows, rights, since))
    way.passed("clock", await _describe_clock(session))
    method = "Of a cash-in the commission is what the machine charged: no method is needed."
    if rights.sale_columns:
        method = _describe_commission(rows.cash_outs[-_COMPARED:], commission_method)
        if rights.fixed_fee_hidden:
            method += (
                " This is without the fixed fee, which cannot be read: where there is one, margin "
                "comes out too high. Run there as owner: "
                f"GRANT SELECT (fixed_fee) ON cash_out_txs TO {rights.role};"
            )
    way.passed("commission_method", method)


async def _describe_server(session: asyncpg.Connection, target: Target) -> str:
    version = await session.fetchval("SHOW server_version")
    encrypted = await session.fetchval(
        "SELECT COALESCE((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false)"
    )
    if encrypted:
        link = "the link is encrypted (TLS)"
    elif target.use_ssh_tunnel:
        link = "the link is encrypted by SSH"
        if not _is_local(target.host):
            link += f" as far as the SSH server, but NOT from there to {target.host}"
    elif _is_local(target.host):
        link = "the link is not encrypted, but local"
    else:
        link = "WARNING: the link is NOT encrypted: use the SSH tunnel, or ssl_mode require"
    return f"PostgreSQL {version}, read-only session as {target.username}; {link}."


def _is_local(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def _describe_rights(rights: Rights) -> str:
    told = []
    if rights.action_columns:
        told.append("cash_out_txs and cash_out_actions can be read.")
    elif rights.sale_columns:
        told.append(
            "cash_out_txs can be read. cash_out_actions cannot: the time of a sale is then that of "
            "its confirmation, and partial dispenses show no counts."
        )
    if rights.hidden_counts:
        names = ", ".join(rights.hidden_counts)
        told.append(
            f"Its counts {names} cannot: what came out of the machine is then not compared with "
            "the sale, and a partial dispense does not show how much. Run there as owner: "
            f"GRANT SELECT ({names}) ON cash_out_actions TO {rights.role};"
        )
    if rights.cash_in_columns:
        told.append("cash_in_txs can be read.")
        if "raw_ticker_price" not in rights.cash_in_columns:
            told.append(
                "Its raw_ticker_price cannot: cash-ins with a fixed fee then wait for a review, "
                "and cannot be distributed. Run there as owner: "
                f"GRANT SELECT (raw_ticker_price) ON cash_in_txs TO {rights.role};"
            )
    return " ".join(told)


def _describe_rows(rows: Rows, rights: Rights, since: datetime) -> str:
    told = []
    if rights.sale_columns:
        good = sum(1 for row in rows.cash_outs if is_good(row))
        bad = len(rows.cash_outs) - good
        others = f", {bad} paid ones whose cash is not (all) out" if rows.cash_outs else ""
        told.append(f"{good} finished sales since {since:%Y-%m-%d}{others}.")
    if rights.cash_in_columns:
        told.append(f"{len(rows.cash_ins)} cash-ins that were sent since {since:%Y-%m-%d}.")
    return " ".join(told)


async def _describe_clock(session: asyncpg.Connection) -> str:
    offset = await clock_offset(session)
    with reading("clock"):
        zone = await session.fetchval("SHOW TimeZone")
    seconds = round(offset.total_seconds())
    if abs(offset) <= NOISE:
        return f"The ATM server's clock and this one agree; its time zone is {zone}."
    text = f"the ATM server's clock is {abs(seconds)} s {'ahead' if seconds > 0 else 'behind'}"
    if abs(seconds) > 60:
        text = f"WARNING: {text}: set both by NTP"
    return (
        f"{text[0].upper()}{text[1:]}; the times of sales are put on this clock. "
        f"Its time zone is {zone}."
    )


def _describe_commission(rows: list[dict[str, Any]], method: models_sales.CommissionMethod) -> str:
    """Compare both formulas with the market value of the cash, fiat / raw_ticker_price."""
    if rows and "raw_ticker_price" not in rows[0]:
        return "raw_ticker_price cannot be read, so the commission methods cannot be compared."
    off: dict[models_sales.CommissionMethod, int] = {"markup": 0, "margin": 0}
    compared = 0
    for row in rows:
        bases = _bases(row)
        if bases:
            compared += 1
            for name in off:
                off[name] += abs(bases[name] - bases["market"])
    if not compared or off["markup"] == off["margin"]:
        return "No sale yet to compare the commission methods with."
    fits: models_sales.CommissionMethod = "markup" if off["markup"] < off["margin"] else "margin"
    verdict = "as configured" if fits == method else f"but configured is {method}"
    average = {name: decimal_text(Decimal(off[name] // compared)) for name in off}
    return (
        f"These machines compute with {fits}, {verdict}: over {compared} sales the base is off the "
        f"market value by {average['markup']} sats (markup) or {average['margin']} sats (margin)."
    )


def _bases(row: dict[str, Any]) -> dict[str, int] | None:
    """A sale's base in sats by each method, and by the market; None if it cannot be computed."""
    price, fiat = ticker_price(row), number(row["fiat"])
    sats = number(row["crypto_atoms"])
    if not is_good(row) or not (price and fiat and sats) or min(price, fiat, sats) <= 0:
        return None
    fee = number(row.get("fixed_fee")) or Decimal(0)
    methods: tuple[models_sales.CommissionMethod, ...] = ("markup", "margin")
    try:
        effective = distribution.effective_commission(
            number(row["commission_percentage"]), discount(row["discount"])
        )
        bases: dict[str, int] = {
            name: distribution.base_amount(int(sats), effective, name, fiat=fiat, fixed_fee=fee)
            for name in methods
        }
    except distribution.DistributionError:
        return None
    return {**bases, "market": int(fiat / price * 10**8)}

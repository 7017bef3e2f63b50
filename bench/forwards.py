"""What LNbits' other users feel while clients' sats go on to their own keys, outside."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from demo.outside import Outside

from .meanwhile import felt_during
from .meters import Meter, median, percentile
from .world import BenchWorld, now

_SATS = 198  # what fits into the two hundred of a round together with the fee reserve


async def run(world: BenchWorld, *, quick: bool) -> dict[str, Any]:
    """Latencies in milliseconds during forwards, and during as many bare LNURL payments.

    In turns, from the same wallets to the same destination over the same second LNbits.
    """
    clients, rounds = (10, 2) if quick else (50, 4)
    async with _outside() as outside:
        await world.clear()
        await world.add_clients(clients)
        await _fill_wallets(world)
        felt: dict[str, list[float]] = {"idle": [], "bare_lnurl": [], "forwards": []}
        meters: dict[str, list[Meter]] = {name: [] for name in felt}
        seconds: dict[str, float] = dict.fromkeys(felt, 0.0)
        for number in range(rounds):
            await world.add_history(2 * number, 2 * number + 2, clients)
            works = {
                "idle": asyncio.sleep(1),
                "bare_lnurl": _bare(world, outside.destination.lnurl),
                "forwards": _forwards(world, outside.destination.lnurl),
            }
            for name, work in works.items():
                began = time.monotonic()
                waited, meter, _ = await felt_during(world, work)
                seconds[name] += time.monotonic() - began
                felt[name] += waited
                meters[name].append(meter)
        sent = await world.rows(
            "SELECT COUNT(*) AS number FROM satmachineclient.dca_forwards "
            "WHERE status = 'confirmed'"
        )
        if sent[0]["number"] != clients * rounds:
            raise RuntimeError(f"{sent[0]['number']} forwards of {clients * rounds} arrived")
    results: dict[str, Any] = {"payments": clients * rounds}
    for name, waited in felt.items():
        results[name] = {
            "requests": len(waited),
            "median_ms": median(waited),
            "p99_ms": percentile(waited, 99),
            "longest_own_step_ms": max(meter.ours_cpu for meter in meters[name]) * 1000,
            "seconds": seconds[name],
        }
    for key in ("median_ms", "p99_ms"):
        results[f"forwards_to_bare_{key}"] = results["forwards"][key] / results["bare_lnurl"][key]
    return results


async def _fill_wallets(world: BenchWorld) -> None:
    """The history that is added has shares, but not all their sats in LNbits."""
    from lnbits.core.crud.wallets import get_wallet
    from lnbits.core.services.payments import update_wallet_balance

    for client in world.clients:
        wallet = await get_wallet(client.wallet_id)
        if wallet is None:
            raise RuntimeError("a client without a wallet")
        await update_wallet_balance(wallet, 100_000)


async def _bare(world: BenchWorld, lnurl: str) -> None:
    """What anybody's program would do: an invoice, paid, the next one."""
    from lnbits.core.services.lnurl import get_pr_from_lnurl
    from lnbits.core.services.payments import pay_invoice

    for client in world.clients:
        invoice = await get_pr_from_lnurl(lnurl, _SATS * 1000)
        await pay_invoice(wallet_id=client.wallet_id, payment_request=invoice)


async def _forwards(world: BenchWorld, lnurl: str) -> None:
    from satmachineclient.models_payouts import ForwardSettings
    from satmachineclient.paying import forwards

    await world.run("DELETE FROM satmachineclient.dca_forward_settings")
    await world.insert(
        "dca_forward_settings",
        [
            ForwardSettings(
                client_id=client.id,
                wallet_id=client.wallet_id,
                destination=lnurl,
                threshold_sats=50,
                min_sats=10,
                max_sats=10_000,
                updated_at=now(),
            )
            for client in world.clients
        ],
    )
    await forwards.look()


@asynccontextmanager
async def _outside() -> AsyncIterator[Outside]:
    """LNbits pays over a second one for as long as this lasts."""
    from lnbits.settings import settings
    from lnbits.wallets import set_funding_source

    with tempfile.TemporaryDirectory(prefix="satmachine-bench-") as folder:
        async with Outside(Path(folder)) as outside:
            settings.lnbits_endpoint = outside.lnbits.url
            settings.lnbits_key = outside.node.adminkey
            settings.lnbits_lnurl_allow_private_ips = True
            set_funding_source("LNbitsWallet")
            outside.destination.most = 10_000
            try:
                yield outside
            finally:
                set_funding_source("FakeWallet")
                settings.lnbits_lnurl_allow_private_ips = False

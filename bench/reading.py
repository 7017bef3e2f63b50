"""Reading the ATM: many old rows, some known ones in the window, fifty new."""

import secrets
import time
from datetime import timedelta
from typing import Any

from demo.ssh_server import SshServer

from .meters import median
from .world import API, BenchWorld, now

ROWS, DAYS, NEW = 200_000, 1_400, 50


async def run(world: BenchWorld, *, quick: bool) -> dict[str, Any]:
    """Median seconds of reading, direct and through SSH, with few and with many rows there."""
    from satmachineclient import transaction_processor

    rounds = 3 if quick else 5
    results: dict[str, Any] = {"rows": ROWS, "new": NEW, "rounds": rounds}
    await world.clear()
    await world.add_clients(3)
    # At first only the window's share of the rows, so that what the others cost can be seen.
    await _old_rows(world, days=10)
    await transaction_processor.poll("manual")
    await world.add_sales(NEW)
    results["direct_1000_rows_seconds"] = await _time_reads(rounds)
    await _old_rows(world, days=DAYS, skip=10)
    results["direct_seconds"] = await _time_reads(rounds)
    with SshServer("bench", password=secrets.token_hex(8)) as ssh:
        tunnel = ssh.login()
        await world.admin.call("POST", f"{API}/config", {**world.config, **tunnel})
        results["ssh_seconds"] = await _time_reads(rounds)
    direct = {**world.config, **tunnel, "use_ssh_tunnel": False}
    await world.admin.call("POST", f"{API}/config", direct)
    results["ssh_to_direct"] = results["ssh_seconds"] / results["direct_seconds"]
    return results


async def _time_reads(rounds: int) -> float:
    from satmachineclient import crud, transaction_processor

    config = await crud.get_config()
    if config is None:
        raise RuntimeError("no configuration")
    # The window ends at the last reading: the poll before it must not move it.
    config = config.copy(update={"last_successful_poll": None})
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        sales = (await transaction_processor._read(config)).sales
        seconds.append(time.perf_counter() - began)
        if len(sales) != NEW:
            raise RuntimeError(f"{len(sales)} new rows were read, not {NEW}")
    return median(seconds)


async def _old_rows(world: BenchWorld, days: int, skip: int = 0) -> None:
    """The same number of finished sales each day, of the last `days` but `skip`."""
    a_day = ROWS // DAYS
    connection = await world.lamassu.connect()
    try:
        await connection.execute(
            "INSERT INTO cash_out_txs (id, device_id, to_address, crypto_atoms, crypto_code, fiat, "
            "fiat_code, status, dispense, dispense_confirmed, created, confirmed_at, tx_version, "
            "commission_percentage, discount) "
            "SELECT gen_random_uuid(), 'bench', 'ln', 100000, 'LN', 200, 'GTQ', 'confirmed', true, "
            "true, t, t, 3, 0.055, 0 FROM (SELECT $1::timestamptz - n * ($2::interval) AS t "
            "FROM generate_series($3::int, $4::int) AS n) AS times",
            now() - timedelta(hours=1),
            timedelta(days=1) / a_day,
            skip * a_day + 1,
            days * a_day,
        )
        await connection.execute("ANALYZE cash_out_txs")
    finally:
        await connection.close()

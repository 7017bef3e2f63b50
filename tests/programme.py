"""A programme of some months, all of it through the real thing, for what reads the books."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from satmachineclient.database import ledger

from demo.cash_in import CashIn
from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account
from demo.sales import MACHINE, UNPAIRED_MACHINE, Sale
from tests.rig import API, Configure, DcaClient, MakeClient, MakeWallet, Poll

ZONE = "America/Guatemala"
DAYS = 80


@dataclass(frozen=True)
class Programme:
    """Two clients, a partner, two machines; `start` is when all of it had begun."""

    one: DcaClient
    two: DcaClient
    start: datetime

    @property
    def period(self) -> str:
        return f"from={self.start - timedelta(days=2):%Y-%m-%d}"


async def set_back(table: str, columns: tuple[str, ...], moment: datetime) -> None:
    """As if these rows had been written at this moment."""
    async with ledger() as work:
        changes = ", ".join(f"{column} = :moment" for column in columns)
        await work.execute(
            f"UPDATE satmachineclient.{table} SET {changes}",  # noqa: S608
            moment=moment,
        )


async def build(
    admin: Account,
    plain_user: Account,
    configure: Configure,
    make_client: MakeClient,
    make_wallet: MakeWallet,
    lamassu: LamassuDatabase,
    poll: Poll,
) -> Programme:
    """Sales of both directions over eighty days, a withdrawal, a settlement, payouts at once.

    The sales were read when they were made but for one, which came a month late.
    """
    await configure(timezone=ZONE, look_back_days=DAYS + 10, direction="both")
    one = await make_client('Ana "la rápida"; \\ y más', {"GTQ": "3000.00", "USD": "100.00"})
    two = await make_client("=two", {"GTQ": "7000.00"})
    start = datetime.now(timezone.utc) - timedelta(days=DAYS)
    await set_back("dca_deposits", ("created_at", "confirmed_at"), start)
    await set_back("dca_clients", ("created_at",), start)
    await set_back("dca_client_terms", ("valid_from",), start)
    await lamassu.insert(*_sales(start))
    wallet = await make_wallet(plain_user, name="partner")
    partner: dict[str, Any] = {"name": "Café | Ñandú", "wallet_id": wallet.id, "percent": "12.5"}
    await admin.call("POST", f"{API}/partners", partner)
    for table in ("dca_partners", "dca_partner_terms"):
        await set_back(table, ("valid_from",), start)
    await poll()
    await _paid_at_once()
    back = {"amount": "120.50", "currency": "GTQ", "reason": "needed it"}
    await admin.call("POST", f"{API}/clients/{two.id}/withdrawals", back)
    out = {"currency": "USD", "exchange_rate": "95000", "reason": "moved away"}
    body = {**out, "dry_run": False}
    await admin.call("POST", f"{API}/clients/{one.id}/settle-out", body)
    return Programme(one, two, start)


def _sales(start: datetime) -> list[Sale | CashIn]:
    made: list[Sale | CashIn] = []
    for number in range(24):
        time = start + timedelta(days=3 * number + 1, hours=number)
        made.append(
            Sale(
                created=time,
                confirmed_at=time,
                cash_at=time,
                device_id=(MACHINE, UNPAIRED_MACHINE)[number % 2],
                crypto_atoms=21_100 + number,
                fiat=Decimal(200),
                commission_percentage=Decimal("0.055"),
            )
        )
    time = start + timedelta(days=40)
    made.append(CashIn(created=time))
    return made


async def _paid_at_once() -> None:
    """As if each sale had been read and paid in its own hour, but for the first: a month late."""
    async with ledger() as work:
        for table, sale in (
            ("dca_payments", "dca_payments.transaction_id"),
            ("dca_commission_shares", "dca_commission_shares.transaction_id"),
        ):
            await work.execute(
                f"UPDATE satmachineclient.{table} SET confirmed_at = (SELECT t.transaction_time "  # noqa: S608
                f"FROM satmachineclient.lamassu_transactions t WHERE t.id = {sale}) "
                "WHERE status = 'confirmed'"
            )
        await work.execute(
            "UPDATE satmachineclient.lamassu_transactions SET processed_at = transaction_time"
        )
        [first] = await work.rows(
            "SELECT id, transaction_time FROM satmachineclient.lamassu_transactions "
            "ORDER BY transaction_time LIMIT 1"
        )
        await work.execute(
            "UPDATE satmachineclient.lamassu_transactions SET processed_at = :now WHERE id = :id",
            now=datetime.now(timezone.utc),
            id=first["id"],
        )
        # All shares were paid together: half of the transfers in the middle of the time.
        await work.execute(
            "UPDATE satmachineclient.dca_payouts SET confirmed_at = :middle "
            "WHERE status = 'confirmed' AND kind IN ('client', 'commission')",
            middle=datetime.now(timezone.utc) - timedelta(days=DAYS // 2),
        )


async def add_forward(programme: Programme, amount_sats: int, fee_msat: int) -> None:
    """As the forwards' own tables have it."""
    values = {
        "id": "forward",
        "client_id": programme.one.id,
        "wallet_id": programme.one.wallet.id,
        "kind": "forward",
        "destination": "one@example.com",
        "amount_sats": amount_sats,
        "rest_sats": 0,
        "fee_msat": fee_msat,
        "status": "confirmed",
        "payment_hash": "f0" * 32,
        "bolt11": "lnbc",
        "attempts": 1,
        "created_at": datetime.now(timezone.utc) - timedelta(days=3),
        "confirmed_at": datetime.now(timezone.utc) - timedelta(days=3),
    }
    async with ledger() as work:
        await work.execute(
            f"INSERT INTO satmachineclient.dca_forwards ({', '.join(values)}) "  # noqa: S608
            f"VALUES ({', '.join(f':{name}' for name in values)})",
            **values,
        )

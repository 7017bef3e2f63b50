"""LNbits' payment of a forward, booked together with our mark that it is on its way.

LNbits books a payment that leaves it in one commit, before it asks its funding source. Here that
commit also turns the forward from pending to in flight, if it still is what it was: so whoever
comes too late, after a standstill or on another server, books nothing and pays nothing.
"""

from typing import Any

from lnbits.core.models import Payment as LnbitsPayment
from lnbits.core.services.payments import pay_invoice
from lnbits.db import Connection, insert_query, model_to_dict, update_query
from pydantic import BaseModel
from sqlalchemy import text

from .. import database
from ..connection import whole
from ..crud_lnbits import CoreConnection, connect_to_core
from ..helpers import TAG, ConflictError, SatMachineError
from ..models import AuditEntry
from ..models_payouts import Forward

_INTERNAL = "internal_"


class TooLateError(SatMachineError):
    """The forward is not what it was: somebody else has taken it further."""


class OnceConnection(Connection):
    """A connection to LNbits' own database whose first booking takes the forward with it.

    It is used without LNbits' lock on its database, so that others are served while the network
    works: nothing of it stays open between two statements, but what belongs together.
    """

    def __init__(self, core: CoreConnection, forward: Forward) -> None:
        super().__init__(core.conn, core.type, core.name, core.schema)
        self._forward = forward
        self._taken = False
        self._open = False

    async def fetchone(self, *args: Any, **values: Any) -> Any:
        found = await super().fetchone(*args, **values)
        await self._leave_nothing_open()
        return found

    async def fetchall(self, *args: Any, **values: Any) -> Any:
        found = await super().fetchall(*args, **values)
        await self._leave_nothing_open()
        return found

    async def insert(self, table_name: str, model: BaseModel) -> None:
        if not self._taken:
            await self._take()
        await self.conn.execute(text(insert_query(table_name, model)), model_to_dict(model))
        # A payment inside LNbits is debit and credit: the credit's update commits both.
        self._open = str(getattr(model, "checking_id", "")).startswith(_INTERNAL)
        if not self._open:
            await self.conn.commit()

    async def update(
        self, table_name: str, model: BaseModel, where: str = "WHERE id = :id"
    ) -> None:
        await self.conn.execute(text(update_query(table_name, model, where)), model_to_dict(model))
        await self.conn.commit()
        self._open = False

    async def _take(self) -> None:
        taken = await self.conn.execute(
            text(
                "UPDATE satmachineclient.dca_forwards SET status = 'in_flight', error = NULL "
                "WHERE id = :id AND status = 'pending' AND payment_hash = :hash"
            ),
            {"id": self._forward.id, "hash": self._forward.payment_hash},
        )
        if taken.rowcount != 1:
            await self.conn.rollback()
            raise TooLateError("This forward was changed meanwhile.")
        self._taken = True

    async def _leave_nothing_open(self) -> None:
        if not self._open:
            await self.conn.rollback()


async def pay(forward: Forward) -> None:
    """Have LNbits pay the forward's invoice; whether it did so, its booking tells.

    It waits some seconds for the funding source, and no longer: what is on its way then, is.

    Raises:
        TooLateError: nothing was paid, because somebody else has taken the forward further.
        Exception: whatever LNbits raises.
    """
    core = await connect_to_core()
    try:
        await whole(
            pay_invoice(
                wallet_id=forward.wallet_id,
                payment_request=forward.bolt11 or "",
                description=f"Sat Machine DCA: to {forward.destination}"[:200],
                extra={"tag": TAG, "kind": "forward", "forward_id": forward.id},
                conn=OnceConnection(core, forward),
            )
        )
    finally:
        await whole(core.conn.close())


async def close(
    forward: Forward, debit: LnbitsPayment | None, error: str, audit: AuditEntry
) -> None:
    """End a forward of which a person says that it was not paid; its sats wait again.

    In one commit with LNbits' booking, where there is one: it counts as failed from then on.

    Raises:
        ConflictError: it, or the booking, is not as it was; nothing was changed.
    """
    core = await connect_to_core()
    try:
        await whole(_close(core, forward, debit, error, audit))
    finally:
        await whole(core.conn.close())


async def _close(
    core: CoreConnection,
    forward: Forward,
    debit: LnbitsPayment | None,
    error: str,
    audit: AuditEntry,
) -> None:
    work = database.Ledger(core)
    changed = await work.execute(
        "UPDATE satmachineclient.dca_forwards SET status = 'failed', error = :error, "
        "next_attempt_at = NULL "
        "WHERE id = :id AND status = 'in_flight' AND payment_hash = :hash",
        error=error,
        id=forward.id,
        hash=forward.payment_hash,
    )
    if changed and debit:
        changed = await work.execute(
            "UPDATE apipayments SET status = 'failed' "
            "WHERE checking_id = :id AND wallet_id = :wallet AND status = 'pending'",
            id=debit.checking_id,
            wallet=debit.wallet_id,
        )
    if not changed:
        raise ConflictError("More is known of it just now: look at it again.")
    await work.insert("dca_audit", [audit])
    await core.conn.commit()

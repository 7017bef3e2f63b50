"""SQL of what waits for a person since an older copy of the database was put back."""

from ..database import Ledger
from ..models_payouts import HeldPayment

_MOVED = {
    "credit": "t.crypto_amount_sats",
    "commission": "t.commission_amount_sats - t.partners_sats",
}


async def held_payments(work: Ledger) -> list[HeldPayment]:
    """What is held, and the adopted payments that fit nothing; oldest first."""
    columns = "t.id AS transaction_id, t.lamassu_transaction_id"
    moves = " UNION ALL ".join(
        f"SELECT t.id, 'held' AS state, '{kind}' AS kind, NULL AS name, {columns}, "
        f"{amount} AS amount_sats, t.processed_at AS since, t.payout_error AS reason "
        "FROM satmachineclient.lamassu_transactions t "
        f"WHERE t.status = 'planned' AND t.{kind}_transfer_id LIKE 'held-%'"
        for kind, amount in _MOVED.items()
    )
    return await work.fetch(
        HeldPayment,
        "SELECT * FROM ("
        f"SELECT p.id, 'held' AS state, 'client' AS kind, c.username AS name, {columns}, "
        "p.amount_sats, p.created_at AS since, p.error AS reason "
        "FROM satmachineclient.dca_payments p "
        "JOIN satmachineclient.lamassu_transactions t ON t.id = p.transaction_id "
        "JOIN satmachineclient.dca_clients c ON c.id = p.client_id "
        "WHERE p.status = 'failed' AND p.transfer_id LIKE 'held-%' UNION ALL "
        f"SELECT s.id, 'held' AS state, 'partner' AS kind, o.name, {columns}, "
        "s.amount_sats, s.created_at AS since, s.error AS reason "
        "FROM satmachineclient.dca_commission_shares s "
        "JOIN satmachineclient.lamassu_transactions t ON t.id = s.transaction_id "
        "JOIN satmachineclient.dca_partners o ON o.id = s.partner_id "
        "WHERE s.status = 'failed' AND s.transfer_id LIKE 'held-%' UNION ALL "
        f"{moves} UNION ALL "
        "SELECT a.id, 'unclear' AS state, a.kind, COALESCE(c.username, o.name) AS name, "
        "t.id AS transaction_id, a.lamassu_transaction_id, a.amount_sats, a.paid_at AS since, "
        "a.note AS reason FROM satmachineclient.dca_adopted a "
        "LEFT JOIN satmachineclient.dca_clients c ON c.id = a.client_id "
        "LEFT JOIN satmachineclient.dca_partners o ON o.id = a.client_id "
        "LEFT JOIN satmachineclient.lamassu_transactions t "
        "ON t.lamassu_transaction_id = a.lamassu_transaction_id "
        "WHERE a.status = 'unclear') held ORDER BY since, id",
    )

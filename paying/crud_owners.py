"""SQL of those whose sats go on to keys of their own: what the programme brought, and what waits.

They are the clients and the commission's partners; `client_id` of the forwards' tables is the id
of either. What was brought is a client's shares or a partner's parts, paid to the wallet in
question: no sat is both.
"""

from dataclasses import dataclass, replace

from ..crud import OWNERS
from ..crud_shares import SHARES
from ..database import Ledger, reading
from ..models_payouts import ForwardSettings, Owner
from .destinations import reserve

_FEE_SATS = "(fee_msat + 999) / 1000"

# Settings by which something may go: of an owner who still has that wallet, and is there, or asked
# for everything when they left.
_IN_FORCE = (
    "satmachineclient.dca_forward_settings s "
    "LEFT JOIN satmachineclient.dca_clients c ON c.id = s.client_id "
    "LEFT JOIN satmachineclient.dca_partners p ON p.id = s.client_id "
    "WHERE COALESCE(c.wallet_id, p.wallet_id) = s.wallet_id "
    "AND (s.last_forward OR COALESCE(c.status, p.status) NOT IN ('closed', 'ended'))"
)


@dataclass(frozen=True)
class Sums:
    """Of one owner's wallet: sats that the programme brought them, and what became of them.

    `waiting` is what is not sent and not on its way, whatever the wallet holds. `before` is what
    waits in the same wallet for others whose turn is before theirs.
    """

    brought: int = 0
    forwarded: int = 0
    fees: int = 0
    in_flight: int = 0
    before: int = 0

    @property
    def waiting(self) -> int:
        return max(0, self.brought - self.forwarded - self.fees - self.in_flight)

    @property
    def at_rest(self) -> int:
        """Of it, what LNbits does not keep for the fee of what is on its way."""
        return max(0, self.waiting - reserve(self.in_flight)) if self.in_flight else self.waiting

    def held_of(self, balance_sats: int) -> int:
        """What a wallet of this balance holds for them, so that no sat counts for two."""
        return max(0, balance_sats - self.before)


async def get_owner(owner_id: str) -> Owner | None:
    async with reading() as work:
        return await owner_at(work, owner_id)


async def owner_at(work: Ledger, owner_id: str) -> Owner | None:
    """The client or partner as they stand within this transaction."""
    return await work.fetch_one(Owner, f"SELECT * FROM {OWNERS} WHERE id = :id", id=owner_id)


async def sums_of(work: Ledger, owner_id: str, wallet_id: str) -> Sums:
    others = await _before(work, owner_id, wallet_id)
    before = [(await _own_sums(work, other, wallet_id)).at_rest for other in others]
    return replace(await _own_sums(work, owner_id, wallet_id), before=sum(before))


async def _before(work: Ledger, owner_id: str, wallet_id: str) -> list[str]:
    """Who else's sats go on from this wallet and come first: by their ids, the rest after them."""
    rows = await work.rows(
        f"SELECT s.client_id AS id FROM {_IN_FORCE} AND s.wallet_id = :wallet", wallet=wallet_id
    )
    ids = [row["id"] for row in rows]
    return [each for each in ids if each < owner_id] if owner_id in ids else ids


async def _own_sums(work: Ledger, owner_id: str, wallet_id: str) -> Sums:
    whose = {"owner": owner_id, "wallet": wallet_id}
    [brought] = await work.rows(
        f"SELECT CAST(COALESCE((SELECT SUM(amount_sats) FROM {SHARES} "
        "WHERE client_id = :owner AND wallet_id = :wallet AND status = 'confirmed'), 0) "
        "+ COALESCE((SELECT SUM(amount_sats) FROM satmachineclient.dca_commission_shares "
        "WHERE partner_id = :owner AND wallet_id = :wallet AND status = 'confirmed'), 0) "
        "AS BIGINT) AS sats",
        **whose,
    )
    rows = await work.rows(
        "SELECT status, CAST(SUM(amount_sats) AS BIGINT) AS sats, "
        f"CAST(SUM(COALESCE({_FEE_SATS}, 0)) AS BIGINT) AS fees "
        "FROM satmachineclient.dca_forwards WHERE client_id = :owner AND wallet_id = :wallet "
        "AND status IN ('confirmed', 'in_flight') GROUP BY status",
        **whose,
    )
    by_status = {row["status"]: row for row in rows}
    sent, under_way = by_status.get("confirmed"), by_status.get("in_flight")
    return Sums(
        brought=brought["sats"],
        forwarded=sent["sats"] if sent else 0,
        fees=sent["fees"] if sent else 0,
        in_flight=under_way["sats"] if under_way else 0,
    )


async def may_be_due(smallest: int) -> list[ForwardSettings]:
    """Settings for which, over all wallets of an owner, enough waits; none with an open forward.

    Cheap, from the totals: `sums_of` says it exactly.
    """
    async with reading() as work:
        return await work.fetch(
            ForwardSettings,
            f"SELECT s.* FROM {_IN_FORCE} AND NOT s.stopped "
            "AND NOT EXISTS (SELECT 1 FROM satmachineclient.dca_forwards o "
            "WHERE o.client_id = s.client_id AND o.status IN ('pending', 'in_flight')) "
            "AND (SELECT COALESCE(SUM(b.paid_sats), 0) FROM satmachineclient.dca_balances b "
            "WHERE b.client_id = s.client_id) + "
            "(SELECT COALESCE(SUM(h.amount_sats), 0) FROM satmachineclient.dca_commission_shares h "
            "WHERE h.partner_id = s.client_id AND h.status = 'confirmed') - "
            f"(SELECT COALESCE(SUM(f.amount_sats + {_FEE_SATS}), 0) "
            "FROM satmachineclient.dca_forwards f "
            "WHERE f.client_id = s.client_id AND f.status = 'confirmed') "
            # Who leaves asked for all that the destination takes.
            ">= CASE WHEN COALESCE(c.status, p.status) IN ('closed', 'ended') THEN s.min_sats "
            "WHEN s.threshold_sats > :smallest THEN s.threshold_sats ELSE :smallest END "
            "ORDER BY s.client_id",
            smallest=smallest,
        )

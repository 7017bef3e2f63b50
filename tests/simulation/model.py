"""A simple model of the savings programme, to compare the real one with.

Written from the rules (design section 2) alone, with fractions and loops where the real code has
closed forms; it knows nothing of transfers, invoices, leases or databases.
"""

from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction


@dataclass
class ModelClient:
    """Amounts in minor units; `deposits` wait until a sale is as old as they, `withdrawn` never.

    `terms`: from when on which daily limit (None: flow mode) counts, and whether they take part.
    """

    id: str
    terms: list[tuple[datetime, int | None, bool]]
    allocated: int = 0
    withdrawn: int = 0
    deposits: list[tuple[datetime, int]] = field(default_factory=list)
    taken: dict[str, int] = field(default_factory=dict)

    def balance(self, time: datetime) -> int:
        put_in = sum(amount for at, amount in self.deposits if at <= time)
        return put_in - self.withdrawn - self.allocated

    def left(self) -> int:
        return sum(amount for _, amount in self.deposits) - self.withdrawn - self.allocated

    def in_force(self, time: datetime) -> tuple[int | None, bool]:
        found = [(limit, active) for since, limit, active in self.terms if since <= time]
        return found[-1] if found else (None, False)


@dataclass
class ModelShare:
    sats: int
    fiat: int


@dataclass
class ModelSale:
    id: str
    time: datetime
    total: int
    fiat: int
    commission: Fraction
    direction: str = "cash_out"
    shares: dict[str, ModelShare] = field(default_factory=dict)

    @property
    def base(self) -> int:
        return round(self.total / (1 + self.commission))


@dataclass
class ModelCashIn(ModelSale):
    """What the machine sent is the base, for all of the cash; the commission comes on top."""

    sent: int = 0
    direction: str = "cash_in"

    @classmethod
    def of(
        cls, key: str, time: datetime, sent: int, fiat: int, rate: Fraction, fee: Fraction
    ) -> "ModelCashIn":
        """`fee` in sats, at the market's price."""
        commission = max(0, round(sent * rate + fee))
        return cls(key, time, sent + commission, fiat, rate, sent=sent)

    @property
    def base(self) -> int:
        return self.sent


class Model:
    """What every client should have, after the sales that were planned so far."""

    def __init__(self) -> None:
        self.clients: dict[str, ModelClient] = {}
        self.sales: dict[str, ModelSale] = {}
        self.planned: set[str] = set()

    def plan(self, sale_ids: set[str]) -> None:
        """Share these sales out, oldest first, as things stand now."""
        for sale in sorted((self.sales[i] for i in sale_ids), key=lambda s: (s.time, s.id)):
            self._share_out(sale)
            self.planned.add(sale.id)

    def void(self, sale_id: str, client_id: str) -> None:
        share = self.sales[sale_id].shares.pop(client_id)
        client = self.clients[client_id]
        client.allocated -= share.fiat
        client.taken[self.sales[sale_id].time.date().isoformat()] -= share.fiat

    def _share_out(self, sale: ModelSale) -> None:
        day = sale.time.date().isoformat()
        taking = [c for c in self.clients.values() if c.in_force(sale.time)[1]]
        while taking:
            parts = self._fill(sale, taking, day)
            fiat = _round_up_the_largest(sum(parts.values(), Fraction()), parts)
            scale = Fraction(sale.base, sale.fiat)
            sats_parts = {i: part * scale for i, part in parts.items()}
            sats_parts["~nobody"] = sale.base - sum(sats_parts.values(), Fraction())
            sats = _round_up_the_largest(Fraction(sale.base), sats_parts)
            empty = [c for c in taking if not fiat.get(c.id) or not sats.get(c.id)]
            if not empty:
                for client in taking:
                    share = ModelShare(sats[client.id], fiat[client.id])
                    sale.shares[client.id] = share
                    client.allocated += share.fiat
                    client.taken[day] = client.taken.get(day, 0) + share.fiat
                return
            taking = [c for c in taking if c not in empty]

    def _fill(self, sale: ModelSale, taking: list[ModelClient], day: str) -> dict[str, Fraction]:
        """Give in proportion; cap who would get too much, and begin anew with the others."""
        caps = {}
        for client in taking:
            cap = client.balance(sale.time)
            limit, _ = client.in_force(sale.time)
            if limit is not None:
                cap = min(cap, limit - client.taken.get(day, 0))
            caps[client.id] = max(0, cap)
        parts: dict[str, Fraction] = {}
        free = [c for c in taking if caps[c.id] > 0]
        left = Fraction(sale.fiat)
        while free:
            weight = sum(c.balance(sale.time) for c in free)
            over = [c for c in free if left * c.balance(sale.time) / weight >= caps[c.id]]
            if not over:
                return parts | {c.id: left * c.balance(sale.time) / weight for c in free}
            for client in over:
                parts[client.id] = Fraction(caps[client.id])
            left -= sum(caps[c.id] for c in over)
            free = [c for c in free if c not in over]
        return parts


def _round_up_the_largest(total: Fraction, parts: dict[str, Fraction]) -> dict[str, int]:
    """Whole numbers with the same sum: hand the missing units out by the size of what was cut."""
    whole = {key: int(part) for key, part in parts.items()}
    missing = int(total) - sum(whole.values())
    by_cut = sorted(parts, key=lambda key: (whole[key] - parts[key], key))
    for key in by_cut[:missing]:
        whole[key] += 1
    return whole

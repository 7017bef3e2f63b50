"""A simple model of the savings programme, to compare the real one with.

Written from the rules (design section 2) alone, with fractions and loops where the real code has
closed forms; it knows nothing of transfers, invoices, leases or databases.
"""

from collections.abc import Set
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

ANYWHERE = ""


@dataclass
class ModelClient:
    """Amounts in minor units; `deposits` wait until a sale is as old as they, `withdrawn` never.

    Each lies in a machine, or anywhere; `gone` is what went out of each of these places.
    `terms`: from when on which daily limit (None: flow mode) counts, and whether they take part.
    """

    id: str
    terms: list[tuple[datetime, int | None, bool]]
    gone: dict[str, int] = field(default_factory=dict)
    deposits: list[tuple[datetime, int, str]] = field(default_factory=list)
    taken: list[tuple[datetime, int]] = field(default_factory=list)

    def part(self, place: str, time: datetime | None = None) -> int:
        """What is theirs in one place, at a time or after all."""
        put_in = (
            m for at, m, where in self.deposits if where == place and (not time or at <= time)
        )
        return sum(put_in) - self.gone.get(place, 0)

    def balance(self, time: datetime, machine: str) -> int:
        """What can go out with a sale of this machine."""
        return sum(max(0, self.part(place, time)) for place in {machine, ANYWHERE})

    def take(self, time: datetime, machine: str, fiat: int) -> int:
        """The machine's own part first; how much that was."""
        own = min(fiat, max(0, self.part(machine, time))) if machine else 0
        self.go(machine, own)
        self.go(ANYWHERE, fiat - own)
        return own

    def go(self, place: str, fiat: int) -> None:
        self.gone[place] = self.gone.get(place, 0) + fiat

    def left(self) -> int:
        return sum(amount for _, amount, _ in self.deposits) - sum(self.gone.values())

    def taken_on_the_day_of(self, time: datetime, zone: ZoneInfo) -> int:
        day = time.astimezone(zone).date()
        return sum(fiat for at, fiat in self.taken if at.astimezone(zone).date() == day)

    def in_force(self, time: datetime) -> tuple[int | None, bool]:
        found = [(limit, active) for since, limit, active in self.terms if since <= time]
        return found[-1] if found else (None, False)


@dataclass
class ModelShare:
    sats: int
    fiat: int
    own: int
    """Of the fiat, what lay in the sale's own machine."""


@dataclass
class ModelPartner:
    """`terms`: from when on which percentage counts, at which machines (none: all), if any."""

    id: str
    terms: list[tuple[datetime, Fraction, set[str], bool]]

    def percent(self, time: datetime, machine: str) -> Fraction:
        _, percent, machines, active = [t for t in self.terms if t[0] <= time][-1]
        return percent if active and (not machines or machine in machines) else Fraction()


@dataclass
class ModelSale:
    id: str
    time: datetime
    total: int
    fiat: int
    commission: Fraction
    machine: str
    direction: str = "cash_out"
    parts: dict[str, int] = field(default_factory=dict)
    """The partners' of the commission."""
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
        cls,
        key: str,
        time: datetime,
        sent: int,
        fiat: int,
        rate: Fraction,
        fee: Fraction,
        machine: str,
    ) -> "ModelCashIn":
        """`fee` in sats, at the market's price."""
        commission = max(0, round(sent * rate + fee))
        return cls(key, time, sent + commission, fiat, rate, machine, sent=sent)

    @property
    def base(self) -> int:
        return self.sent


class Model:
    """What every client should have, after the sales that were planned so far."""

    def __init__(self) -> None:
        self.clients: dict[str, ModelClient] = {}
        self.partners: dict[str, ModelPartner] = {}
        self.sales: dict[str, ModelSale] = {}
        self.planned: set[str] = set()
        self.zone = ZoneInfo("UTC")

    def plan(self, sale_ids: set[str], aside: Set[str]) -> None:
        """Share these sales out, oldest first, as things stand now.

        `aside`: clients who cannot be paid take no part.
        """
        for sale in sorted((self.sales[i] for i in sale_ids), key=lambda s: (s.time, s.id)):
            self._share_out(sale, aside)
            self._split_commission(sale)
            self.planned.add(sale.id)

    def void(self, sale_id: str, client_id: str) -> None:
        share = self.sales[sale_id].shares.pop(client_id)
        client = self.clients[client_id]
        sale = self.sales[sale_id]
        client.go(sale.machine, -share.own)
        client.go(ANYWHERE, share.own - share.fiat)
        client.taken.append((sale.time, -share.fiat))

    def _split_commission(self, sale: ModelSale) -> None:
        commission = sale.total - sale.base
        percents = {key: p.percent(sale.time, sale.machine) for key, p in self.partners.items()}
        exact = {key: commission * percent / 100 for key, percent in percents.items() if percent}
        exact["~operator"] = commission - sum(exact.values(), Fraction())
        whole = _round_up_the_largest(Fraction(commission), exact)
        del whole["~operator"]
        sale.parts = {key: sats for key, sats in whole.items() if sats}

    def _share_out(self, sale: ModelSale, aside: Set[str]) -> None:
        taking = [
            c for c in self.clients.values() if c.in_force(sale.time)[1] and c.id not in aside
        ]
        while taking:
            parts = self._fill(sale, taking)
            fiat = _round_up_the_largest(sum(parts.values(), Fraction()), parts)
            scale = Fraction(sale.base, sale.fiat)
            sats_parts = {i: part * scale for i, part in parts.items()}
            sats_parts["~nobody"] = sale.base - sum(sats_parts.values(), Fraction())
            sats = _round_up_the_largest(Fraction(sale.base), sats_parts)
            empty = [c for c in taking if not fiat.get(c.id) or not sats.get(c.id)]
            if not empty:
                for client in taking:
                    own = client.take(sale.time, sale.machine, fiat[client.id])
                    share = ModelShare(sats[client.id], fiat[client.id], own)
                    sale.shares[client.id] = share
                    client.taken.append((sale.time, share.fiat))
                return
            taking = [c for c in taking if c not in empty]

    def _fill(self, sale: ModelSale, taking: list[ModelClient]) -> dict[str, Fraction]:
        """Give in proportion; cap who would get too much, and begin anew with the others."""
        caps = {}
        for client in taking:
            cap = client.balance(sale.time, sale.machine)
            limit, _ = client.in_force(sale.time)
            if limit is not None:
                cap = min(cap, limit - client.taken_on_the_day_of(sale.time, self.zone))
            caps[client.id] = max(0, cap)
        parts: dict[str, Fraction] = {}
        free = [c for c in taking if caps[c.id] > 0]
        left = Fraction(sale.fiat)
        while free:
            weight = sum(c.balance(sale.time, sale.machine) for c in free)
            over = [
                c for c in free if left * c.balance(sale.time, sale.machine) / weight >= caps[c.id]
            ]
            if not over:
                return parts | {
                    c.id: left * c.balance(sale.time, sale.machine) / weight for c in free
                }
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

"""SQL of a search where there are too many rows to read them all: among the shares of clients.

LNbits' own search puts the columns of each row together and looks for the words in that. What a
share has of words is its client's or its payout's, of which there are few: those are searched, and
indexes lead from what is found to the shares.
"""

from collections.abc import Iterable
from typing import Any

from lnbits.db import FilterModel, Filters

from .database import reading
from .models_sales import PaymentFilters

_SOURCES = {
    "client_id": "SELECT id FROM satmachineclient.dca_clients "
    "WHERE LOWER(id || ' ' || COALESCE(username, '')) LIKE :search OR username LIKE :typed",
    "transfer_id": "SELECT transfer_id FROM satmachineclient.dca_payouts "
    "WHERE wallet_id LIKE :search OR payment_hash LIKE :search",
}
_SHARE = (
    "LOWER(wallet_id || ' ' || COALESCE(payment_hash, '') || ' ' || COALESCE(error, '')) "
    "LIKE :search"
)
_NOT_PAID = ("pending", "failed", "voided")
# PostgreSQL uses the indexes only where it is told what was found, by name. Where it is more than
# so many, rows are read in the order asked for: there soon are enough for a page.
_FEW = 5000


async def filters_of(model: type[FilterModel], **fields: Any) -> Filters[Any]:
    """LNbits' filters of this model's rows; a search in the shares is the one described above."""
    words = (fields.pop("search", None) or "").strip() or None
    if model is not PaymentFilters or words is None:
        return Filters(model=model, search=words, **fields)
    filters = _ShareFilters(model=model, search=words, **fields)
    values = filters.values()
    async with reading() as work:
        for column, query in _SOURCES.items():
            rows = await work.rows(
                f"{query} LIMIT {_FEW + 1}", search=values["search"], typed=values["typed"]
            )
            filters.found[column] = [next(iter(row.values())) for row in rows]
    return filters


class _ShareFilters(Filters[PaymentFilters]):
    """Shares with these words in their client's id or name, wallet, status, hash or error.

    A payment's hash finds all shares that it pays, also in part. `found`: which clients and
    transfers have the words, up to one more than a few of each.
    """

    search: str
    found: dict[str, list[str]] = {}

    def where(self, where_stmts: list[str] | None = None) -> str:
        others = Filters[PaymentFilters](filters=self.filters, model=self.model)
        return str(others.where([*(where_stmts or []), self._ways()]))

    def values(self, values: dict[str, Any] | None = None) -> dict[str, Any]:
        few = {f"{name}s": ids for name, ids in self.found.items() if 0 < len(ids) <= _FEW}
        return {**super().values(values), "typed": f"%{self.search}%", **few}

    def _ways(self) -> str:
        words = self.search.lower()
        named = [status for status in _NOT_PAID if words in status]
        rest = f"({_SHARE} OR {_any_of(named)})" if named else _SHARE
        # As in the archive's index, or it is not used.
        ways = [f"{_any_of(_NOT_PAID)} AND {rest}"]
        for column, ids in self.found.items():
            if ids:
                those = f":{column}s" if len(ids) <= _FEW else f"({_SOURCES[column]})"
                ways.append(f"{column} IN {those}")
        many = any(len(ids) > _FEW for ids in self.found.values())
        if words in "confirmed":
            ways.append(_any_of(["confirmed"]))
            many = True
        return f"({' OR '.join(ways)}){' IS TRUE' if many else ''}"


def _any_of(statuses: Iterable[str]) -> str:
    names = ", ".join(f"'{status}'" for status in statuses)
    return f"status IN ({names})"

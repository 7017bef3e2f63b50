"""SQL of a search where there are too many rows to read them all: among the shares of clients.

LNbits' own search puts the columns of each row together and looks for the words in that. What a
share has of words is its client's or its payout's, of which there are few: those are searched, and
indexes lead from what is found to the shares.
"""

from typing import Any, get_args

from lnbits.db import FilterModel, Filters

from .database import reading
from .models_sales import PaymentFilters, PaymentStatus

_SOURCES = {
    "client_id": "SELECT id FROM satmachineclient.dca_clients "
    "WHERE LOWER(id || ' ' || COALESCE(username, '')) LIKE :search",
    "transfer_id": "SELECT transfer_id FROM satmachineclient.dca_payouts "
    "WHERE wallet_id LIKE :search OR payment_hash LIKE :search",
}
_SHARE = (
    "LOWER(wallet_id || ' ' || COALESCE(payment_hash, '') || ' ' || COALESCE(error, '')) "
    "LIKE :search"
)
# PostgreSQL uses the indexes only where it is told what was found. Of more than so many of either
# it is not: then nearly all shares may be meant.
_FEW = 1000


async def filters_of(model: type[FilterModel], **fields: Any) -> Filters[Any]:
    """LNbits' filters of this model's rows; a search in the shares is the one described above."""
    if model is not PaymentFilters or not fields.get("search"):
        return Filters(model=model, **fields)
    filters = _ShareFilters(model=model, **fields)
    words = filters.values()
    async with reading() as work:
        for column, query in _SOURCES.items():
            rows = await work.rows(f"{query} LIMIT {_FEW + 1}", search=words["search"])
            filters.found[column] = [next(iter(row.values())) for row in rows]
    return filters


class _ShareFilters(Filters[PaymentFilters]):
    """`found`: which clients and transfers have the words, up to one more than a few of each."""

    found: dict[str, list[str]] = {}

    def where(self, where_stmts: list[str] | None = None) -> str:
        others = Filters[PaymentFilters](filters=self.filters, model=self.model)
        return str(others.where([*(where_stmts or []), f"({self._ways()})"]))

    def values(self, values: dict[str, Any] | None = None) -> dict[str, Any]:
        few = {f"{name}s": ids for name, ids in self.found.items() if 0 < len(ids) <= _FEW}
        return {**super().values(values), **few}

    def _ways(self) -> str:
        """SQL: these words are in the client's id or name, the wallet, status, hash or error."""
        words = (self.search or "").lower()
        named = [f"'{status}'" for status in get_args(PaymentStatus) if words in status]
        ways = [f"status IN ('pending', 'failed', 'voided') AND {_SHARE}"]
        if named:
            ways.append(f"status IN ({', '.join(named)})")
        for column, ids in self.found.items():
            if ids:
                those = f":{column}s" if len(ids) <= _FEW else f"({_SOURCES[column]})"
                ways.append(f"{column} IN {those}")
        return " OR ".join(ways)

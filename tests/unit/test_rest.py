"""A model's JSON in short steps says what Pydantic's own says."""

import json
from datetime import datetime, timezone
from decimal import Decimal

from pydantic import BaseModel, Field
from satmachineclient.rest import json_text


class Inner(BaseModel):
    amount: Decimal = Decimal("1.50")
    time: datetime = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)


class Outer(BaseModel):
    begin: str = Field('a "quoted" ñ', alias="from")
    inner: Inner = Inner()
    many: list[Inner] = [Inner(), Inner(amount=Decimal(2))]
    none: list[Inner] = []
    names: list[str] = ["x", "y"]
    facts: dict[str, int | None] = {"a": 1, "b": None}


class OnlyLists(BaseModel):
    many: list[Inner] = [Inner()]


def test_it_is_the_json_that_pydantic_makes() -> None:
    for model in (Outer(), OnlyLists(), Inner()):
        assert json.loads(json_text(model)) == json.loads(model.json(by_alias=True))

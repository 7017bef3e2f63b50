"""Whatever stands in the ATM's database, in whatever encoding, no row fails the read."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import asyncpg
import pytest
from satmachineclient.atm.texts import python_encoding

from demo.cash_in import CashIn
from demo.lamassu_db import LamassuDatabase
from demo.postgres import Postgres
from demo.sales import Sale
from tests.lamassu_rig import now, read, target_at

_names = count(1)


async def database_in(postgres: Postgres, encoding: str, password: str) -> LamassuDatabase:
    name = f"lamassu_{encoding.lower()}_{next(_names)}"
    return await LamassuDatabase.create(postgres, name, password, encoding=encoding)


@asynccontextmanager
async def owner_of(database: LamassuDatabase) -> AsyncIterator[asyncpg.Connection]:
    connection = await database.connect()
    try:
        yield connection
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("encoding", "written", "shown"),
    [
        ("SQL_ASCII", r"vac\xedo", r"vac\xedo"),
        ("SQL_ASCII", r"vac\xc3\xado", "vacío"),
        ("SQL_ASCII", r"\xff\xfe\x80 \\ \xc3", r"\xff\xfe\x80 \ \xc3"),
        ("LATIN1", r"vac\xedo", "vacío"),
        ("WIN1252", r"10 \x80 \x81", r"10 € \x81"),
        ("EUC_JP", r"\xb0\xa1 \xf9\xa1", r"亜 \xf9\xa1"),
        ("EUC_TW", r"x \xc4\xe3", r"x \xc4\xe3"),
    ],
)
async def test_text_of_any_encoding_is_read_and_shown(
    lamassu: LamassuDatabase, postgres: Postgres, encoding: str, written: str, shown: str
) -> None:
    database = await database_in(postgres, encoding, lamassu.reader_password)
    sales = Sale(created=now()), Sale(created=now(), name="other")
    await database.insert(*sales)
    async with owner_of(database) as owner:
        for column in ("error", "error_code", "device_id", "fiat_code"):
            sql = f"UPDATE cash_out_txs SET {column} = E'{written}' WHERE id = $1"  # noqa: S608
            await owner.execute(sql, sales[0].id)
        await owner.execute(f"UPDATE cash_out_actions SET error = E'{written}'")  # noqa: S608

    seen = await read(target_at(database))

    assert set(seen) == {str(sale.id) for sale in sales}
    odd, other = seen[str(sales[0].id)], seen[str(sales[1].id)]
    assert other.state == "good"
    assert odd.state == "review" and odd.device_id == shown
    assert f"Lamassu reports an error: {shown}" in str(odd.reason)
    assert odd.facts["fiat_code"] == odd.facts["actions"][0]["error"] == shown


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "UTF8"])
async def test_a_long_text_may_be_cut_anywhere(
    lamassu: LamassuDatabase, postgres: Postgres, encoding: str
) -> None:
    database = await database_in(postgres, encoding, lamassu.reader_password)
    async with owner_of(database) as owner:
        for number in range(4):
            sale = Sale(created=now(), name=f"{number}")
            await database.insert(sale)
            text = "x" * number + "€" * 1000
            await owner.execute("UPDATE cash_out_txs SET error = $1 WHERE id = $2", text, sale.id)
    seen = (await read(target_at(database))).values()
    assert len(seen) == 4
    assert all(
        sale.facts["error"].strip("x") == "€" * (300 - n)
        for n, sale in enumerate(sorted(seen, key=lambda sale: str(sale.facts["error"]).count("x")))
    )


async def test_damaged_text_in_a_database_of_another_encoding(
    lamassu: LamassuDatabase, postgres: Postgres
) -> None:
    """What a repair of the catalogue or a broken disk leaves: bytes that are no UTF-8."""
    database = await database_in(postgres, "SQL_ASCII", lamassu.reader_password)
    sale, cash_in = Sale(created=now()), CashIn(created=now())
    await database.insert(sale, cash_in)
    async with owner_of(database) as owner:
        await owner.execute(r"UPDATE cash_out_txs SET device_id = E'vac\xedo\xe2'")
        await owner.execute(r"UPDATE cash_in_txs SET device_id = E'vac\xedo\xe2'")
    utf8 = f"UPDATE pg_database SET encoding = 6 WHERE datname = '{database.database}'"  # noqa: S608
    postgres.sql(utf8)
    seen = await read(target_at(database), direction="both")
    assert {sale.device_id for sale in seen.values()} == {r"vac\xedo\xe2"}
    assert len(seen) == 2


async def test_columns_that_nobody_reads_may_be_called_anything(
    lamassu: LamassuDatabase, postgres: Postgres
) -> None:
    database = await database_in(postgres, "SQL_ASCII", lamassu.reader_password)
    async with owner_of(database) as owner:
        await owner.execute(r"""DO $$ BEGIN
            EXECUTE E'ALTER TABLE cash_out_txs ADD COLUMN "vac\xedo" text'; END $$""")
    await database.insert(Sale(created=now()))
    assert len(await read(target_at(database))) == 1


ZONE = "America/Guatemala"


async def test_times_without_a_zone_are_in_the_servers_own(
    lamassu: LamassuDatabase, postgres: Postgres
) -> None:
    database = await database_in(postgres, "UTF8", lamassu.reader_password)
    postgres.sql(f"ALTER DATABASE {database.database} SET timezone = '{ZONE}'")
    sale, cash_in = Sale(created=now()), CashIn(created=now())
    await database.insert(sale, cash_in)
    target = target_at(database)
    with_zones = await read(target, direction="both")
    columns = {
        "cash_out_txs": ("created", "confirmed_at"),
        "cash_out_actions": ("created",),
        "cash_in_txs": ("created", "send_time"),
    }
    async with owner_of(database) as owner:
        for table, names in columns.items():
            for name in names:
                await owner.execute(f"ALTER TABLE {table} ALTER {name} TYPE timestamp")

    without = await read(target, direction="both")

    assert {key: _when(sale) for key, sale in without.items()} == {
        key: _when(sale) for key, sale in with_zones.items()
    }
    assert len(without) == 2
    assert await read(target, days=-1, direction="both") == {}


def _when(sale: Any) -> tuple[datetime, str]:
    assert sale.time.utcoffset() == timedelta(0)
    return sale.time, sale.state


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("UTF8", "utf-8"),
        ("SQL_ASCII", "utf-8"),
        ("LATIN1", "iso8859-1"),
        ("LATIN9", "iso8859-15"),
        ("ISO_8859_5", "iso8859-5"),
        ("WIN1251", "cp1251"),
        ("WIN866", "cp866"),
        ("KOI8R", "koi8-r"),
        ("EUC_KR", "euc_kr"),
        ("EUC_TW", "utf-8"),
        ("no such thing", "utf-8"),
    ],
)
def test_postgresqls_names_of_encodings_are_known(theirs: str, ours: str) -> None:
    assert python_encoding(theirs) == ours

"""Lamassu's database: tables in its true shape, and a role that may read what the poller needs.

Source: the schema that lamassu-server's own migrations make. The tables are the ones that a
reader of sales can meet; foreign keys to tables that are not here are left out. What stands in
the rows is the subject of `sales.py`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from typing_extensions import Self

from .cash_in import CashIn, insert_cash_in
from .postgres import Postgres
from .sales import MACHINE, Sale, counters, insert_sale

READER = "dca_ro"


def _integers(names: Sequence[str]) -> str:
    return ", ".join(f"{name} integer" for name in names)


_SCHEMA = f"""
CREATE TYPE status_stage AS ENUM ('notSeen', 'published', 'authorized', 'instant', 'confirmed',
    'rejected', 'insufficientFunds');
CREATE TYPE discount_source AS ENUM ('individualDiscount', 'promoCode');
CREATE TYPE cash_unit AS ENUM ('cashbox', 'cassette1', 'cassette2', 'cassette3', 'cassette4',
    'recycler1', 'recycler2', 'recycler3', 'recycler4', 'recycler5', 'recycler6');

CREATE TABLE customers (id uuid PRIMARY KEY, is_test_customer boolean NOT NULL DEFAULT false);
INSERT INTO customers (id) VALUES ('47ac1184-8102-11e7-9079-8f13a7117867');

CREATE TABLE devices (
    device_id text PRIMARY KEY, name text NOT NULL, paired boolean NOT NULL DEFAULT true,
    display boolean NOT NULL DEFAULT true, created timestamptz NOT NULL DEFAULT now(),
    last_online timestamptz NOT NULL DEFAULT now(), location json NOT NULL DEFAULT '{{}}',
    version text, model text, cassette1 integer NOT NULL DEFAULT 0,
    cassette2 integer NOT NULL DEFAULT 0, cassette3 integer NOT NULL DEFAULT 0,
    cassette4 integer NOT NULL DEFAULT 0, recycler1 integer NOT NULL DEFAULT 0,
    recycler2 integer NOT NULL DEFAULT 0, recycler3 integer NOT NULL DEFAULT 0,
    recycler4 integer NOT NULL DEFAULT 0, recycler5 integer NOT NULL DEFAULT 0,
    recycler6 integer NOT NULL DEFAULT 0, number_of_cassettes integer NOT NULL DEFAULT 2,
    number_of_recyclers integer NOT NULL DEFAULT 0, user_config_id integer
);
CREATE TABLE unpaired_devices (
    id uuid PRIMARY KEY, device_id text NOT NULL, model text, name text NOT NULL,
    paired timestamp, unpaired timestamp NOT NULL DEFAULT now()
);

CREATE TABLE cash_out_txs (
    id uuid PRIMARY KEY, device_id text NOT NULL, to_address text NOT NULL,
    crypto_atoms numeric(30,0) NOT NULL, crypto_code text NOT NULL,
    fiat numeric(14,5) NOT NULL, fiat_code text NOT NULL,
    status status_stage NOT NULL DEFAULT 'notSeen', dispense boolean NOT NULL DEFAULT false,
    dispense_confirmed boolean DEFAULT false, notified boolean NOT NULL DEFAULT false,
    redeem boolean NOT NULL DEFAULT false, phone text, email text, error text, error_code text,
    created timestamptz NOT NULL DEFAULT now(), published_at timestamptz,
    confirmed_at timestamptz, hd_index integer UNIQUE, swept boolean NOT NULL DEFAULT false,
    timedout boolean NOT NULL DEFAULT false, {_integers(counters("provisioned", "denomination"))},
    customer_id uuid DEFAULT '47ac1184-8102-11e7-9079-8f13a7117867' REFERENCES customers (id),
    tx_version integer NOT NULL, terms_accepted boolean NOT NULL DEFAULT false,
    layer_2_address text, commission_percentage numeric(14,5), raw_ticker_price numeric(14,5),
    received_crypto_atoms numeric(30,0), discount smallint, discount_source discount_source,
    wallet_score smallint, tx_customer_photo_at timestamptz, tx_customer_photo_path text
);

CREATE TABLE cash_out_actions (
    id serial PRIMARY KEY, tx_id uuid NOT NULL, action text NOT NULL,
    created timestamptz NOT NULL DEFAULT now(), device_id text NOT NULL DEFAULT '',
    redeem boolean NOT NULL DEFAULT false, to_address text, layer_2_address text, tx_hash text,
    error text, error_code text, device_time bigint,
    {_integers(counters("provisioned", "dispensed", "rejected", "denomination"))}
);

CREATE TABLE cash_in_txs (
    id uuid PRIMARY KEY, device_id text NOT NULL, to_address text NOT NULL,
    crypto_atoms numeric(30,0) NOT NULL, crypto_code text NOT NULL,
    fiat numeric(14,5) NOT NULL, fiat_code text NOT NULL, fee bigint, tx_hash text,
    phone text, email text, error text, error_code text,
    created timestamptz NOT NULL DEFAULT now(), send boolean NOT NULL DEFAULT false,
    send_confirmed boolean NOT NULL DEFAULT false, timedout boolean NOT NULL DEFAULT false,
    send_time timestamptz, operator_completed boolean NOT NULL DEFAULT false,
    send_pending boolean NOT NULL DEFAULT false, cash_in_fee numeric(14,5) NOT NULL,
    minimum_tx integer NOT NULL,
    customer_id uuid DEFAULT '47ac1184-8102-11e7-9079-8f13a7117867' REFERENCES customers (id),
    tx_version integer NOT NULL, terms_accepted boolean NOT NULL DEFAULT false,
    commission_percentage numeric(14,5), raw_ticker_price numeric(14,5),
    is_paper_wallet boolean DEFAULT false, discount smallint, discount_source discount_source,
    batched boolean NOT NULL DEFAULT false, batch_id uuid, batch_time timestamptz,
    wallet_score smallint, tx_customer_photo_at timestamptz, tx_customer_photo_path text
);
CREATE INDEX ON cash_in_txs (to_address);

CREATE TABLE bills (
    id uuid PRIMARY KEY, fiat integer NOT NULL, fiat_code text NOT NULL,
    cash_in_txs_id uuid NOT NULL, device_time bigint NOT NULL,
    created timestamptz NOT NULL DEFAULT now(), crypto_code text DEFAULT 'BTC',
    cash_in_fee numeric(14,5) NOT NULL, legacy boolean DEFAULT false, cashbox_batch_id uuid,
    destination_unit cash_unit NOT NULL DEFAULT 'cashbox'
);
"""  # noqa: S608 - our own names only
# Since Lamassu 10.2; absent in 10.0 and 10.1.
_FIXED_FEE = "ALTER TABLE cash_out_txs ADD COLUMN fixed_fee numeric(14,5) NOT NULL DEFAULT 0"

# What an operator runs, too; here cash-ins may be shared out as well.
ROLE_SQL = Path(__file__).resolve().parent.parent / "static" / "sql" / "role.sql"


def role_sql(*, cash_ins: bool = True, machines: bool = True) -> str:
    """The statements that make the reader's role and give it its rights, with these choices."""
    text = ROLE_SQL.read_text()
    for name, chosen in {"cash_ins": cash_ins, "machines": machines}.items():
        text, found = re.subn(rf"({name} CONSTANT boolean :=) \w+", rf"\1 {chosen}".lower(), text)
        assert found == 1, name  # noqa: S101 - or the file does not say what it did
    return text


@dataclass(frozen=True)
class LamassuDatabase:
    """One such database on a server of ours, with its reader's login."""

    postgres: Postgres
    database: str
    has_fixed_fee: bool
    reader_password: str
    reader: str = READER

    @classmethod
    async def create(
        cls,
        postgres: Postgres,
        database: str,
        reader_password: str,
        *,
        fixed_fee: bool = True,
        encoding: str | None = None,
    ) -> Self:
        """Make the database, its tables, and the read-only role with the least rights."""
        postgres.create_database(database, encoding=encoding)
        postgres.create_role(READER, reader_password)
        self = cls(postgres, database, fixed_fee, reader_password)
        connection = await self.connect()
        try:
            await connection.execute(_SCHEMA)
            if fixed_fee:
                await connection.execute(_FIXED_FEE)
            await connection.execute(role_sql())
        finally:
            await connection.close()
        return self

    def login(self) -> dict[str, object]:
        """The reader's way in, under the names that the extension's configuration uses."""
        return {
            "host": self.postgres.host,
            "port": self.postgres.port,
            "database_name": self.database,
            "username": self.reader,
            "password": self.reader_password,
        }

    async def connect(self) -> asyncpg.Connection:
        """A connection as the owner, as lamassu-server has it."""
        return await asyncpg.connect(self.postgres.url(self.database))

    async def connect_as_reader(self) -> asyncpg.Connection:
        return await asyncpg.connect(
            host=self.postgres.host,
            port=self.postgres.port,
            database=self.database,
            user=self.reader,
            password=self.reader_password,
        )

    async def insert(self, *sales: Sale | CashIn) -> None:
        """Write the sales; one that is there already (same id) is replaced by its new state."""
        connection = await self.connect()
        try:
            async with connection.transaction():
                for sale in sales:
                    if isinstance(sale, CashIn):
                        await insert_cash_in(connection, sale)
                    else:
                        await insert_sale(connection, sale, fixed_fee=self.has_fixed_fee)
        finally:
            await connection.close()

    async def add_machine(self, device_id: str, name: str) -> None:
        """Pair another machine; what is in its cassettes is less than what clients handed in."""
        connection = await self.connect()
        try:
            await connection.execute(
                "INSERT INTO devices (device_id, name, cassette1, cassette2, cassette3, cassette4)"
                " VALUES ($1, $2, 12, 20, 40, 30) ON CONFLICT DO NOTHING",
                device_id,
                name,
            )
        finally:
            await connection.close()

    async def clear(self) -> None:
        """No sales, and one machine, as after `create`."""
        connection = await self.connect()
        try:
            await connection.execute(
                "TRUNCATE cash_out_txs, cash_out_actions, cash_in_txs, bills, devices, "
                "unpaired_devices"
            )
            await connection.execute(
                "INSERT INTO devices (device_id, name, cassette1, cassette2, cassette3, cassette4)"
                " VALUES ($1, 'Kiosk', 500, 500, 500, 500)",
                MACHINE,
            )
        finally:
            await connection.close()

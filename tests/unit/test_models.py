"""`models.py`: the bounds of what comes in, and the form of what goes out."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lnbits.db import FilterModel
from pydantic import BaseModel, ValidationError
from satmachineclient import models_clients, models_config, models_sales
from satmachineclient.models import SECRETS, Reason
from satmachineclient.models_clients import (
    CreateClient,
    CreateDeposit,
    UpdateClient,
    UpdateDepositStatus,
)
from satmachineclient.models_config import ConfigIn, ConfigOut, LamassuConfig
from satmachineclient.models_sales import ReviewDismiss, ReviewDistribute

CONFIG = {"host": "192.0.2.1", "username": "u", "source_wallet_id": "w", "use_ssh_tunnel": False}
VALID: dict[type[BaseModel], dict[str, Any]] = {
    CreateClient: {"wallet_id": "w", "dca_mode": "flow"},
    UpdateClient: {},
    CreateDeposit: {"client_id": "c", "amount": "1", "currency": "GTQ"},
    UpdateDepositStatus: {"status": "confirmed"},
    ConfigIn: CONFIG,
    models_sales.TestTransactionIn: {
        "crypto_amount_sats": 1,
        "fiat_amount": "1",
        "fiat_code": "GTQ",
        "commission_percentage": "0",
    },
    Reason: {"reason": "r"},
    ReviewDistribute: {},
    ReviewDismiss: {"notes": "n"},
}
TEXT_FIELDS = [
    (model, field.name)
    for model in VALID
    for field in model.__fields__.values()
    if isinstance(field.type_, type) and issubclass(field.type_, str)
]
LINES = {*SECRETS, "ssl_ca_certificate", "notes", "reason"}


def fields_refused(model: type[BaseModel], **values: Any) -> set[str]:
    try:
        model(**{**VALID[model], **values})
    except ValidationError as exc:
        return {str(error["loc"][0]) for error in exc.errors()}
    return set()


@pytest.mark.parametrize("model", VALID, ids=lambda model: model.__name__)
def test_unknown_fields_are_refused(model: type[BaseModel]) -> None:
    assert fields_refused(model) == set()
    assert fields_refused(model, nmae="typing error") == {"nmae"}


@pytest.mark.parametrize(("model", "name"), TEXT_FIELDS)
def test_every_text_has_a_bound_or_a_list(model: type[BaseModel], name: str) -> None:
    assert fields_refused(model, **{name: "G" * 70_000}) == {name}


@pytest.mark.parametrize(("model", "name"), TEXT_FIELDS)
def test_text_is_text_that_every_database_can_store(model: type[BaseModel], name: str) -> None:
    value: Any
    for value in ("a\0b", "a\x1bb", "a\x7f", "\ud800", "a\udfffb", 5, 1.5, True, [], {}):
        assert fields_refused(model, **{name: value}) == {name}, repr(value)
    for value in ("a\nb", "a\r\nb", "a\tb"):
        stored = fields_refused(model, **{name: value}) == set()
        assert stored == (name in LINES), repr(value)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=100))
def test_any_name_is_kept_as_it_is(name: str) -> None:
    assert CreateClient(dca_mode="flow", username=name).username == name


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=1000))
def test_any_password_is_kept_as_it_is(password: str) -> None:
    assert ConfigIn(**CONFIG, password=password).password == password


NO_NUMBERS: list[Any] = [
    *("", " ", "x", "1,5", "1_000", "\uff11\uff12", "\u0663", "0x10", "1 000"),
    *("NaN", "inf", "1e", ".", "--1"),
    *(True, False, None, [], {}, float("nan"), float("inf"), float("1e999999")),
]


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_amounts_are_plain_numbers(value: Any) -> None:
    assert fields_refused(CreateDeposit, amount=value) == {"amount"}
    assert fields_refused(models_sales.TestTransactionIn, fiat_amount=value) == {"fiat_amount"}
    rate = {"commission_percentage": value}
    assert fields_refused(models_sales.TestTransactionIn, **rate) == {"commission_percentage"}
    assert fields_refused(models_sales.TestTransactionIn, discount=value) == {"discount"}


@pytest.mark.parametrize(
    ("value", "amount"),
    [("150.00", "150"), (150, "150"), (0.1, "0.1"), ("1e2", "100"), ("-5", "-5"), ("007", "7")],
)
def test_amounts_come_in_as_text_or_number(value: Any, amount: str) -> None:
    deposit = CreateDeposit(client_id="c", amount=value, currency="GTQ")
    assert deposit.amount == Decimal(amount)


@pytest.mark.parametrize("sats", [1.5, "1", "x", True, 0, -1, 21 * 10**14 + 1, 10**30, None, []])
def test_sats_are_whole_positive_and_exist(sats: Any) -> None:
    refused = fields_refused(models_sales.TestTransactionIn, crypto_amount_sats=sats)
    assert refused == {"crypto_amount_sats"}


@pytest.mark.parametrize(
    ("name", "values"),
    {
        "port": [0, 65536, -1, 1.5, "5432", True, None, 10**30],
        "ssh_port": [0, 65536, -1, 1.5, "22", True, None],
        "poll_interval_minutes": [0, -1, 1441, 1.5, "60", True, None],
        "look_back_days": [0, -1, 366, 1.5, "7", True, None],
        "host": ["", " ", "a b", "user@host", "/tmp/socket", "a..b", "x" * 64, "x." * 127, None],  # noqa: S108
        "username": ["", " ", "x" * 64, None],
        "database_name": ["x" * 64, None],
        "source_wallet_id": ["", " ", None, 5],
        "timezone": ["", "x", "utc+1", "../UTC", "a\0", "America", "x" * 65, None],
        "direction": ["", "CASH_IN", "settle_out", "in", None, [], {}, 1],
        "commission_method": ["", "MARKUP", "x", None, [], {}],
        "ssl_mode": ["", "allow", None, []],
        "ssh_host_key_fingerprint": ["MD5:1", "SHA1:x"],
        "ssh_private_key": ["x" * 16_385],
        "password": ["x" * 1_001],
        "credit_source_wallet": ["true", 1, 0, None],
        "is_active": ["yes", 1, None],
    }.items(),
)
def test_each_setting_has_its_bounds(name: str, values: list[Any]) -> None:
    for value in values:
        assert fields_refused(ConfigIn, **{name: value}) == {name}, repr(value)


@pytest.mark.parametrize("host", ["localhost", "::1", "10.0.0.1", "db.example.com", "bücher.de"])
def test_hosts_are_names_and_addresses(host: str) -> None:
    assert fields_refused(ConfigIn, host=host) == set()


@pytest.mark.parametrize("missing", ["ssh_host", "ssh_username"])
def test_a_tunnel_needs_a_host_and_a_user(missing: str) -> None:
    tunnel = {"ssh_host": "h", "ssh_username": "u", "use_ssh_tunnel": True}
    assert fields_refused(ConfigIn, **tunnel) == set()
    with pytest.raises(ValidationError, match=f"{missing}: needed"):
        ConfigIn(**{**CONFIG, **tunnel, missing: ""})


def test_an_empty_field_of_a_form_is_one_left_out() -> None:
    config = ConfigIn(**CONFIG, password="", ssh_host="", commission_wallet_id="")
    assert (config.password, config.ssh_host, config.commission_wallet_id) == (None, None, None)


@pytest.mark.parametrize("credited", [True, False])
def test_a_ceiling_is_suggested_while_crediting_is_on(credited: bool) -> None:
    def suggested(**fields: Any) -> list[str]:
        data = ConfigIn(**CONFIG, credit_source_wallet=credited, **fields)
        out = ConfigOut.of(LamassuConfig(**data.dict()), [])
        return [text.partition(":")[0] for text in out.suggestions]

    both = ["max_sats_per_transaction", "max_sats_per_poll"]
    none: dict[str, Any] = {"max_sats_per_transaction": None, "max_sats_per_poll": None}
    assert suggested(**none) == (both if credited else [])
    assert suggested(max_sats_per_transaction=None, max_sats_per_poll=1_000_000) == (
        both[:1] if credited else []
    )
    assert suggested(max_sats_per_poll=1_000_000, max_sats_per_transaction=500_000) == []


def test_what_goes_out_has_no_place_for_a_secret() -> None:
    assert not set(SECRETS) & set(ConfigOut.__fields__)
    config = LamassuConfig(**ConfigIn(**CONFIG, **dict.fromkeys(SECRETS, "s3cret")).dict())
    assert "s3cret" not in repr(config) and "s3cret" not in str(config)
    assert "s3cret" not in repr(ConfigIn(**CONFIG, password="s3cret"))
    assert "s3cret" not in ConfigOut.of(config, []).json()


@pytest.mark.parametrize(
    ("model", "row"),
    [
        (models_clients.ClientFilters, models_clients.Client),
        (models_clients.DepositFilters, models_clients.Deposit),
        (models_sales.TransactionFilters, models_sales.Transaction),
        (models_sales.PaymentFilters, models_sales.Payment),
        (models_config.PollFilters, models_config.Poll),
    ],
)
def test_pages_search_and_sort_by_what_is_stored(
    model: type[FilterModel], row: type[BaseModel]
) -> None:
    used = {*model.__fields__, *model.__search_fields__, *(model.__sort_fields__ or [])}
    elsewhere = {"device_name", "to_settle"}  # machines by their ids; what is left, of balances
    assert used - elsewhere <= set(row.__fields__)

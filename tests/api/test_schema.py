"""What the OpenAPI page says is what the API does, also for input that nobody thought of."""

from collections import Counter
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import Case as AnyCase
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from demo.lnbits_api import Account
from demo.processes import free_port
from tests.rig import API, MakeClient, Setup

EXAMPLES = 3  # of each operation, valid and again invalid
REFUSALS = {"400", "401", "403", "404", "409", "502"}
Case = AnyCase[Any]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
async def openapi(admin: Account) -> dict[str, Any]:
    """The extension's part of LNbits' OpenAPI."""
    whole: dict[str, Any] = await admin.call("GET", "/openapi.json")
    paths = {path: item for path, item in whole["paths"].items() if path.startswith(API)}
    assert paths
    for schema in whole["components"]["schemas"].values():
        may_be_null(schema)
    return {**whole, "paths": paths}


def may_be_null(schema: dict[str, Any]) -> None:
    """Pydantic v1 cannot say it: what is not required is `null` where there is nothing."""
    for name, field in schema.get("properties", {}).items():
        if name not in schema.get("required", []) and "anyOf" not in field:
            schema["properties"][name] = {"anyOf": [field, {"type": "null"}]}


def operations(openapi: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, item in openapi["paths"].items()
        for method, operation in item.items()
    ]


async def test_every_refusal_is_documented(openapi: dict[str, Any]) -> None:
    for method, path, operation in operations(openapi):
        documented = operation["responses"]
        assert set(documented) >= REFUSALS, (method, path)
        assert "422" not in documented, (method, path)  # LNbits and we answer 400
        for status in REFUSALS:
            schema = documented[status]["content"]["application/json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/Problem"}
    assert openapi["components"]["schemas"]["Problem"]["required"] == ["detail"]


async def test_every_answer_has_a_model(openapi: dict[str, Any]) -> None:
    for method, path, operation in operations(openapi):
        if "/export/" in path or path.endswith("/metrics"):
            continue  # a file, or plain text
        (status,) = {"200", "201"} & set(operation["responses"])
        schema = operation["responses"][status]["content"]["application/json"]["schema"]
        assert schema, (method, path)
        makes = method == "post" and path.endswith(
            (
                *("clients", "deposits", "withdrawals", "registration", "counts", "partners"),
                *("notes", "forward/test"),
            )
        )
        assert status == ("201" if makes else "200"), (method, path)


async def test_no_model_that_goes_out_has_a_place_for_a_secret(openapi: dict[str, Any]) -> None:
    config = openapi["components"]["schemas"]["ConfigOut"]["properties"]
    assert {"has_password", "has_ssh_private_key"} <= set(config)
    assert not {"password", "ssh_password", "ssh_private_key"} & set(config)


async def test_pages_document_their_filters(openapi: dict[str, Any]) -> None:
    pages = [path for path in openapi["paths"] if path.endswith("/paginated")]
    assert len(pages) >= 5
    for path in pages:
        names = {parameter["name"] for parameter in openapi["paths"][path]["get"]["parameters"]}
        assert {"limit", "offset", "sortby", "direction", "search", "id"} <= names


# ---- schemathesis ----------------------------------------------------------------------------


def made_up(operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode) -> list[Case]:
    """Input for one operation, always the same; valid by its schema, or (negative) not."""
    cases: list[Case] = []

    @seed(1)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def make(case: Case) -> None:
        cases.append(case)

    make()
    return cases


def aimed(case: Case, ids: dict[str, str], config: dict[str, Any]) -> Case:
    """So that it gets past the door, meets what is there, and knocks at no stranger's server."""
    case.headers.clear()
    case.cookies.clear()
    for name in ("usr", "api-key"):
        case.query.pop(name, None)
    for name in set(ids) & set(case.path_parameters):
        case.path_parameters[name] = ids[name]
    if isinstance(case.body, dict):
        for name in set(config) & set(case.body):
            case.body[name] = config[name]
    return case


async def send(admin: Account, case: Case) -> httpx.Response:
    parts = case.as_transport_kwargs(base_url="http://lnbits.test")
    names = ("method", "url", "params", "json", "data")
    prepared = requests.Request(**{n: parts[n] for n in names if n in parts}).prepare()
    kind = {"Content-Type": case.media_type} if case.media_type else {}
    content: Any = prepared.body
    return await admin.request(
        str(prepared.method), str(prepared.url), content=content, headers=kind
    )


@pytest.mark.slow
async def test_whatever_comes_in_is_answered_as_documented(
    openapi: dict[str, Any], admin: Account, configured: Setup, make_client: MakeClient
) -> None:
    client = await make_client(deposits={"GTQ": "1000"})
    (deposit,) = await admin.call("GET", f"{API}/deposits")
    ids = {"client_id": client.id, "deposit_id": deposit["id"]}
    here = {"host": "127.0.0.1", "port": free_port(), "ssh_host": "127.0.0.1"}
    here |= {"ssh_port": free_port(), "source_wallet_id": configured.source.id}
    statuses: Counter[int] = Counter()
    for found in schemathesis.openapi.from_dict(openapi).get_all_operations():
        operation = found.ok()  # type: ignore[union-attr]
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            for number, case in enumerate(made_up(operation, mode)):
                aimed(case, ids if number % 2 else {}, here)
                response = await send(admin, case)
                statuses[response.status_code] += 1
                case.validate_response(response, checks=CHECKS)
                assert str(response.status_code) in operation.definition.raw["responses"]
                if response.is_error:
                    assert isinstance(response.json()["detail"], str)
    assert statuses[200] > 50 and statuses[400] > 100, statuses
    assert not [status for status in statuses if status >= 500]

"""The connection test over REST: each step in its order, what failed, and what to do about it."""

import sys
import time
from dataclasses import replace
from typing import Any

import asyncssh
import pytest
from satmachineclient.atm import check as lamassu_check
from satmachineclient.atm import postgres

from demo.lamassu_db import LamassuDatabase
from demo.lnbits_api import Account
from demo.processes import free_port
from demo.sales import Sale
from demo.ssh_server import SshServer
from tests.lamassu_rig import now, silent_port, target_at
from tests.rig import API, Configure, Setup

STEPS = [
    "configuration",
    "ssh",
    "host_key",
    "login",
    "database",
    "table_rights",
    "rows",
    "clock",
    "commission_method",
]


@pytest.fixture
async def through_ssh(
    configure: Configure, ssh_server: SshServer, ssh_key: asyncssh.SSHKey
) -> dict[str, Any]:
    """A full configuration through the tunnel, in the form that comes in; nothing of it saved."""
    setup = await configure()
    return {
        **setup.body,
        "use_ssh_tunnel": True,
        "ssh_host": ssh_server.host,
        "ssh_port": ssh_server.port,
        "ssh_username": ssh_server.username,
        "ssh_private_key": ssh_key.export_private_key().decode(),
        "ssh_host_key_fingerprint": ssh_server.fingerprint,
    }


async def run_test(admin: Account, body: dict[str, Any]) -> dict[str, Any]:
    """The answer, after what holds for each: the order, and nothing tried after a failure."""
    answer: dict[str, Any] = await admin.call("POST", f"{API}/test-connection", body)
    assert [step["name"] for step in answer["steps"]] == STEPS
    states = [step["status"] for step in answer["steps"]]
    assert answer["success"] == ("failed" not in states)
    if not answer["success"]:
        failed = states.index("failed")
        assert set(states[failed + 1 :]) <= {"skipped"}
        assert answer["message"] == answer["steps"][failed]["detail"]
    assert all(step["detail"] and step["duration_ms"] >= 0 for step in answer["steps"])
    return answer


def failing(answer: dict[str, Any]) -> str | None:
    return next((s["name"] for s in answer["steps"] if s["status"] == "failed"), None)


def detail(answer: dict[str, Any], name: str) -> str:
    return str(next(s["detail"] for s in answer["steps"] if s["name"] == name))


async def test_a_way_that_works_passes_every_step(
    admin: Account, through_ssh: dict[str, Any], ssh_server: SshServer, lamassu: LamassuDatabase
) -> None:
    await lamassu.insert(*(Sale(created=now()) for _ in range(3)))
    await lamassu.insert(Sale(created=now(), cash="partial"))

    answer = await run_test(admin, through_ssh)

    assert answer["success"], answer
    assert {step["status"] for step in answer["steps"]} == {"ok"}
    assert answer["ssh_host_key_fingerprint"] == ssh_server.fingerprint
    assert ssh_server.fingerprint in detail(answer, "host_key")
    assert "encrypted by SSH" in detail(answer, "database")
    assert detail(answer, "rows").startswith("3 finished sales since ")
    assert "1 paid ones whose cash is not (all) out" in detail(answer, "rows")
    assert "agree" in detail(answer, "clock")
    assert "compute with margin, but configured is markup" in detail(answer, "commission_method")
    assert sum(step["duration_ms"] for step in answer["steps"]) > 0


async def test_without_a_tunnel_its_steps_are_skipped(admin: Account, configured: Setup) -> None:
    answer = await run_test(admin, {})
    assert answer["success"]
    skipped = [s["name"] for s in answer["steps"] if s["status"] == "skipped"]
    assert skipped == ["ssh", "host_key", "login"]
    assert detail(answer, "ssh") == "No SSH tunnel is configured."
    assert "not encrypted, but local" in detail(answer, "database")
    assert answer["ssh_host_key_fingerprint"] is None


async def test_each_failure_is_at_its_step_with_a_remedy(
    admin: Account, through_ssh: dict[str, Any], lamassu: LamassuDatabase, ssh_server: SshServer
) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    failures: list[tuple[str, str, dict[str, Any]]] = [
        ("configuration", "Paste the whole file", {"ssh_private_key": "no key"}),
        ("ssh", "Check ssh_host", {"ssh_port": free_port()}),
        ("ssh", "Check ssh_host", {"ssh_port": lamassu.postgres.port}),
        ("host_key", "accept it in the configuration", {"ssh_host_key_fingerprint": ""}),
        ("host_key", "has changed", {"ssh_host_key_fingerprint": "SHA256:other"}),
        ("login", "Check ssh_username", {"ssh_private_key": key}),
        ("database", "Check host and port", {"port": free_port()}),
        ("database", "pg_hba.conf", {"password": "wrong"}),
        ("database", "offers no TLS", {"ssl_mode": "require"}),
    ]
    for step, remedy, wrong in failures:
        answer = await run_test(admin, {**through_ssh, **wrong})
        assert failing(answer) == step, (wrong, answer)
        assert remedy in answer["message"]
        reached = STEPS.index(step) >= STEPS.index("host_key")
        shown = ssh_server.fingerprint if reached else None
        assert answer["ssh_host_key_fingerprint"] == shown


async def test_another_servers_fingerprint_is_shown_before_anything_is_sent_to_it(
    admin: Account, through_ssh: dict[str, Any], ssh_server: SshServer
) -> None:
    ssh_server.restart(host_key=asyncssh.generate_private_key("ssh-rsa"))
    answer = await run_test(admin, through_ssh)
    assert failing(answer) == "host_key"
    assert answer["ssh_host_key_fingerprint"] == ssh_server.fingerprint
    assert through_ssh["ssh_host_key_fingerprint"] in answer["message"]
    assert ssh_server.fingerprint in answer["message"]
    assert ssh_server.logins == 0


async def test_a_step_is_charged_with_its_own_time_only(
    admin: Account, through_ssh: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = sys.modules["satmachineclient.atm.limits"]  # LNbits imports its extensions anew
    monkeypatch.setattr(limits, "CONNECT_SECONDS", 0.5)
    with silent_port() as port:
        answer = await run_test(admin, {**through_ssh, "port": port})
    took = {step["name"]: step["duration_ms"] for step in answer["steps"]}
    assert failing(answer) == "database"
    assert 450 <= took["database"] < 3000
    assert took["ssh"] > 0
    assert took["rows"] == took["clock"] == 0
    rest = 0.4  # a stand-in for a slow way in: the next step must not be charged with it
    tunnel = sys.modules["satmachineclient.atm.tunnel"]
    check = tunnel.Tunnel._check_host_key

    def slowly(self: Any, transport: Any) -> None:
        time.sleep(rest)
        check(self, transport)

    monkeypatch.setattr(limits, "CONNECT_SECONDS", 10)
    monkeypatch.setattr(tunnel.Tunnel, "_check_host_key", slowly)
    wrong = {**through_ssh, "ssh_username": "somebody"}
    answer = await run_test(admin, wrong)
    took = {step["name"]: step["duration_ms"] for step in answer["steps"]}
    assert failing(answer) == "login"
    assert took["host_key"] >= rest * 1000 > took["configuration"]
    elsewhere = await run_test(admin, {**through_ssh, "ssh_host_key_fingerprint": "SHA256:other"})
    took = {step["name"]: step["duration_ms"] for step in elsewhere["steps"]}
    assert took["host_key"] >= rest * 1000


async def test_missing_rights_are_named_with_the_grant(
    admin: Account, configured: Setup, lamassu: LamassuDatabase
) -> None:
    owner = await lamassu.connect()
    try:
        await owner.execute("REVOKE SELECT (discount) ON cash_out_txs FROM dca_ro")
        answer = await run_test(admin, {})
    finally:
        await owner.execute("GRANT SELECT (discount) ON cash_out_txs TO dca_ro")
        await owner.close()
    assert failing(answer) == "table_rights"
    assert "GRANT SELECT (discount) ON cash_out_txs TO dca_ro;" in answer["message"]


async def test_the_saved_configurations_result_is_remembered(
    admin: Account, configured: Setup, lamassu: LamassuDatabase
) -> None:
    await run_test(admin, {})
    config = await admin.call("GET", f"{API}/config")
    assert config["test_connection_success"] is True
    assert config["test_connection_last"]
    await run_test(admin, {**configured.body, "database_name": "nothing"})  # not the saved one
    config = await admin.call("GET", f"{API}/config")
    assert config["test_connection_success"] is True


def test_unusable_settings_fail_the_first_step_and_skip_the_rest() -> None:
    result = lamassu_check.failed_configuration("Enter again: password")
    assert [step.name for step in result.steps] == STEPS
    assert [step.status for step in result.steps] == ["failed"] + ["skipped"] * 8
    assert (result.success, result.message) == (False, "Enter again: password")


@pytest.mark.parametrize("host", ["db.example.org", "192.0.2.7"])
async def test_an_open_link_to_elsewhere_is_warned_of(lamassu: LamassuDatabase, host: str) -> None:
    target = target_at(lamassu)
    async with postgres.connect(target) as session:
        text = await lamassu_check._describe_server(session, replace(target, host=host))
        behind = replace(target, host=host, use_ssh_tunnel=True)
        tunnelled = await lamassu_check._describe_server(session, behind)
    assert "WARNING: the link is NOT encrypted: use the SSH tunnel, or ssl_mode require" in text
    assert f"as far as the SSH server, but NOT from there to {host}" in tunnelled

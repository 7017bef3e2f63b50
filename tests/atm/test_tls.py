"""TLS to the ATM's database: the four modes that PostgreSQL's users know.

The embedded PostgreSQL is built without TLS, so these tests want one of the system's (Debian's
`postgresql`); what needs none is tested without.
"""

import ipaddress
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from satmachineclient.atm import check as lamassu_check
from satmachineclient.atm.way import LamassuError
from satmachineclient.models_config import Target

from demo.lamassu_db import LamassuDatabase
from demo.postgres import Postgres
from demo.sales import Sale
from demo.ssh_server import SshServer
from tests.lamassu_rig import now, read, target_at

_PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
needs_tls_server = pytest.mark.skipif(
    not _PROGRAMS, reason="no PostgreSQL with TLS here (Debian: apt-get install postgresql)"
)


# ---- certificates ----------------------------------------------------------------------------


@dataclass
class Authority:
    """A CA of our own."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def create(cls, name: str) -> "Authority":
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(name)
        constraint = x509.BasicConstraints(ca=True, path_length=0)
        return cls(key, _builder(subject, subject, key, constraint).sign(key, hashes.SHA256()))

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def issue(self, *hosts: str) -> tuple[str, str]:
        """A server's certificate for these names and addresses, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [
            x509.IPAddress(ipaddress.ip_address(h)) if h[0].isdigit() else x509.DNSName(h)
            for h in hosts
        ]
        constraint = x509.BasicConstraints(ca=False, path_length=None)
        builder = _builder(_name(hosts[0]), self.certificate.subject, key, constraint)
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate = builder.sign(self.key, hashes.SHA256())
        text = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return certificate.public_bytes(serialization.Encoding.PEM).decode(), text.decode()


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    constraint: x509.BasicConstraints,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - timedelta(days=1))
        .not_valid_after(now() + timedelta(days=1))
        .add_extension(constraint, critical=True)
    )


# ---- a PostgreSQL with TLS -------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.create("the operator's CA")


@pytest.fixture(scope="module")
def tls_server(
    authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Postgres]:
    """Its certificate is for 127.0.0.1 only, not for localhost."""
    server = Postgres(tmp_path_factory.mktemp("tls") / "postgres")
    server._bin = _PROGRAMS[-1].parent
    with server:
        certificate, key = authority.issue("127.0.0.1")
        _serve_with(server, certificate, key)
        yield server


def _serve_with(server: Postgres, certificate: str, key: str) -> None:
    for name, text in (("server.crt", certificate), ("server.key", key)):
        path = server.folder / "data" / name
        path.write_text(text)
        path.chmod(0o600)
        os.chown(path, server._uid or -1, -1)
    server.sql("ALTER SYSTEM SET ssl = on")
    server.sql("SELECT pg_reload_conf()")


@pytest.fixture(scope="module")
async def tls_lamassu(tls_server: Postgres) -> LamassuDatabase:
    database = await LamassuDatabase.create(tls_server, "lamassu", "a password")
    await database.insert(Sale(created=now()))
    return database


async def how(target: Target) -> str:
    """What the connection test says of the link; raises AssertionError where it fails."""
    result = await lamassu_check.test_connection(target, now() - timedelta(days=7), "markup")
    assert result.success, result.message
    assert len(await read(target)) == 1
    return next(step.detail for step in result.steps if step.name == "database")


async def refused(target: Target) -> str:
    with pytest.raises(LamassuError) as caught:
        await read(target)
    assert caught.value.step == "database"
    return str(caught.value)


@needs_tls_server
@pytest.mark.parametrize("mode", ["prefer", "require"])
async def test_the_link_is_encrypted_where_the_server_can(
    tls_lamassu: LamassuDatabase, mode: str
) -> None:
    assert "the link is encrypted (TLS)" in await how(target_at(tls_lamassu, ssl_mode=mode))


@needs_tls_server
async def test_disable_uses_no_tls_although_the_server_could(tls_lamassu: LamassuDatabase) -> None:
    said = await how(target_at(tls_lamassu, ssl_mode="disable"))
    assert "the link is not encrypted, but local" in said


@needs_tls_server
async def test_verify_full_trusts_the_given_ca_and_no_other(
    tls_lamassu: LamassuDatabase, authority: Authority
) -> None:
    good = target_at(tls_lamassu, ssl_mode="verify-full", ssl_ca_certificate=authority.pem)
    assert "encrypted (TLS)" in await how(good)
    stranger = Authority.create("somebody else's CA")
    said = await refused(replace(good, ssl_ca_certificate=stranger.pem))
    assert "is not trusted" in said and "Check host and ssl_ca_certificate" in said


@needs_tls_server
async def test_verify_full_wants_the_hosts_own_name_in_the_certificate(
    tls_lamassu: LamassuDatabase, authority: Authority, ssh_server: SshServer
) -> None:
    tls = {"ssl_mode": "verify-full", "ssl_ca_certificate": authority.pem}
    for ssh in (None, ssh_server):  # at the end of a tunnel, too
        assert "encrypted (TLS)" in await how(target_at(tls_lamassu, ssh, **tls))
        said = await refused(replace(target_at(tls_lamassu, ssh, **tls), host="localhost"))
        assert "is not trusted" in said and "localhost" in said


@needs_tls_server
async def test_a_database_that_takes_tls_only_says_so_to_disable(
    tls_lamassu: LamassuDatabase,
) -> None:
    rules = tls_lamassu.postgres.folder / "data" / "pg_hba.conf"
    before = rules.read_text()
    try:
        rules.write_text("hostssl all all all scram-sha-256\nhost all postgres all scram-sha-256\n")
        tls_lamassu.postgres.sql("SELECT pg_reload_conf()")
        said = await refused(target_at(tls_lamassu, ssl_mode="disable"))
        assert "encrypted (TLS)" in await how(target_at(tls_lamassu))
    finally:
        rules.write_text(before)
        tls_lamassu.postgres.sql("SELECT pg_reload_conf()")
    assert "refused user" in said and "pg_hba.conf" in said


# ---- without a TLS server --------------------------------------------------------------------


async def test_prefer_goes_on_without_tls_and_require_does_not(lamassu: LamassuDatabase) -> None:
    await lamassu.insert(Sale(created=now()))
    assert "not encrypted" in await how(target_at(lamassu, ssl_mode="prefer"))
    for mode in ("require", "verify-full"):
        ca = Authority.create("a CA").pem
        said = await refused(target_at(lamassu, ssl_mode=mode, ssl_ca_certificate=ca))
        assert f"offers no TLS, which ssl_mode {mode} needs" in said


@pytest.mark.parametrize("text", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nx\n", "ö"])
async def test_what_is_no_certificate_is_found_before_anything_is_sent(
    lamassu: LamassuDatabase, text: str
) -> None:
    target = target_at(lamassu, ssl_mode="verify-full", ssl_ca_certificate=text)
    with pytest.raises(LamassuError) as caught:
        await read(target)
    assert caught.value.step == "configuration"
    assert str(caught.value).startswith("ssl_ca_certificate: is no certificate in PEM form")

"""SSH servers with settings of their own: many host keys, few algorithms, questions to answer."""

import asyncssh
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from satmachineclient.atm import keys, postgres
from satmachineclient.atm.way import LamassuError, Way

from demo.lamassu_db import LamassuDatabase
from demo.sales import Sale
from demo.ssh_server import SshServer
from tests.atm.test_tunnel import check, refused
from tests.lamassu_rig import now, read, target_at

# ---- host keys -------------------------------------------------------------------------------

KINDS = ("ssh-rsa", "ecdsa-sha2-nistp256", "ssh-ed25519")


@pytest.mark.parametrize("accepted", KINDS)
async def test_the_accepted_host_key_is_found_among_those_that_the_server_has(
    lamassu: LamassuDatabase, accepted: str
) -> None:
    """As where sshd got a key of a further type later."""
    await lamassu.insert(Sale(created=now()))
    mine, *others = sorted(KINDS, key=lambda kind: kind != accepted)
    more = [asyncssh.generate_private_key(kind) for kind in others]
    key = asyncssh.generate_private_key(mine)
    with SshServer(password="secret", host_key=key, more_host_keys=more) as server:
        assert len(await read(target_at(lamassu, server))) == 1
        way = Way()
        async with postgres.connect(target_at(lamassu, server), way):
            pass
        assert [step.name for step in way.steps].count("ssh") == 1
        other = target_at(lamassu, server, ssh_host_key_fingerprint="SHA256:" + "A" * 43)
        check(await refused(other), "host_key", "has changed", "SHA256:" + "A" * 43)
        assert server.logins == 2


async def test_the_type_of_the_accepted_host_key_is_asked_for_first(
    lamassu: LamassuDatabase,
) -> None:
    """A server slows down, or locks out, who connects again and again without a login."""
    await lamassu.insert(Sale(created=now()))
    key, added = (asyncssh.generate_private_key(kind) for kind in ("ssh-rsa", "ssh-ed25519"))
    with SshServer(password="secret", host_key=key) as server:
        target = target_at(lamassu, server)
        assert len(await read(target)) == 1
        server.more_host_keys = [added]
        server.restart()
        before = server.connections
        for _ in range(3):
            assert len(await read(target)) == 1
        assert server.connections - before == 3

        server.more_host_keys = []
        server.restart(added)  # the accepted one is gone
        check(await refused(target), "host_key", "has changed")
        server.restart(key)
        assert len(await read(target)) == 1


# ---- algorithms ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("algorithms", "parts"),
    [
        (
            {"kex_algs": ["curve448-sha512"]},
            ("key exchange", "offers curve448-sha512;", "ecdh-sha2-nistp256", "KexAlgorithms +"),
        ),
        (
            {"kex_algs": ["curve25519-sha256"]},
            ("key exchange", "offers curve25519-sha256;", "KexAlgorithms +ecdh-sha2-nistp256"),
        ),
        (
            {"encryption_algs": ["chacha20-poly1305@openssh.com"]},
            ("cipher", "offers chacha20-poly1305@openssh.com;", "Ciphers +aes256-ctr"),
        ),
        (
            {"mac_algs": ["umac-128-etm@openssh.com"]},
            ("MAC", "offers umac-128-etm@openssh.com;", "MACs +hmac-sha2-256-etm@openssh.com"),
        ),
    ],
)
async def test_a_server_with_no_common_algorithm_says_which_to_allow(
    lamassu: LamassuDatabase, algorithms: dict[str, list[str]], parts: tuple[str, ...]
) -> None:
    with SshServer(password="secret", algorithms=algorithms) as server:
        error = await refused(target_at(lamassu, server))
    check(error, "ssh", "An SSH server answers", "no common", "sshd_config", *parts)


async def test_a_host_key_of_no_common_type_is_named(lamassu: LamassuDatabase) -> None:
    key = asyncssh.generate_private_key("ssh-ed448")
    with SshServer(password="secret", host_key=key) as server:
        error = await refused(target_at(lamassu, server))
    check(error, "ssh", "no common host key", "ssh-ed448", "HostKeyAlgorithms +ssh-ed25519")


@pytest.mark.filterwarnings("ignore:Warning. bcrypt")
@pytest.mark.parametrize(
    "cipher", ["chacha20-poly1305@openssh.com", "aes128-ctr", "3des-cbc", "aes192-cbc"]
)
def test_a_key_in_a_cipher_that_cannot_be_read_names_it(cipher: str) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    name = cipher.removesuffix("@openssh.com")
    text = key.export_private_key(
        passphrase="secret", cipher_name=cipher if "chacha" in name else name, rounds=4
    ).decode()
    with pytest.raises(LamassuError) as caught:
        keys.load_private_key(text, "secret")
    check(caught.value, "configuration", f"encrypted with {cipher}", "ssh-keygen -p -Z aes256-ctr")


def test_a_readable_key_stays_readable() -> None:
    text = ed25519.Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()
    )
    assert keys.load_private_key(text.decode(), None).get_name() == "ssh-ed25519"


# ---- questions -------------------------------------------------------------------------------


async def test_a_password_is_the_answer_to_the_one_hidden_question(
    lamassu: LamassuDatabase,
) -> None:
    await lamassu.insert(Sale(created=now()))
    with SshServer(password="secret", prompts=[("Password: ", False)]) as server:
        assert len(await read(target_at(lamassu, server))) == 1
        wrong = await refused(target_at(lamassu, server, ssh_password="wrong"))
    check(wrong, "login", "did not let user 'tunnel' in with this password")


@pytest.mark.parametrize(
    "prompts",
    [
        [("Password: ", False), ("Verification code: ", False)],
        [("Verification code: ", True)],
    ],
)
async def test_more_than_a_hidden_password_is_named_and_nothing_is_sent(
    lamassu: LamassuDatabase, prompts: list[tuple[str, bool]]
) -> None:
    with SshServer(password="secret", prompts=prompts) as server:
        error = await refused(target_at(lamassu, server))
        assert server.logins == 0
    check(error, "login", "'Verification code:'", "Allow one login by private key alone")

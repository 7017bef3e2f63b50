"""Private keys as operators paste them: what is read, and what is said of what cannot be."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from satmachineclient.atm.keys import load_private_key
from satmachineclient.atm.way import LamassuError

PASSPHRASE = "correct <horse> 'é' %40"
KEYS: dict[str, Any] = {
    "rsa": rsa.generate_private_key(65537, 2048),
    "ecdsa": ec.generate_private_key(ec.SECP256R1()),
    "ecdsa-521": ec.generate_private_key(ec.SECP521R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate(),
}
FORMATS = {
    "openssh": PrivateFormat.OpenSSH,
    "pkcs8": PrivateFormat.PKCS8,
    "traditional": PrivateFormat.TraditionalOpenSSL,
}
CASES = [
    (kind, form, secret)
    for kind in KEYS
    for form in FORMATS
    for secret in (None, PASSPHRASE)
    if (kind, form) != ("ed25519", "traditional")  # there is no such format
]


def key_text(key: Any, form: str = "openssh", passphrase: str | None = None) -> str:
    secret = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    text: bytes = key.private_bytes(Encoding.PEM, FORMATS[form], secret)
    return text.decode()


def refusal(text: str, passphrase: str | None = None) -> str:
    with pytest.raises(LamassuError) as caught:
        load_private_key(text, passphrase)
    assert caught.value.step == "configuration"
    message = str(caught.value)
    assert passphrase is None or passphrase not in message
    assert not any(line in message for line in text.splitlines() if len(line) > 30)
    return message


@pytest.mark.parametrize(("kind", "form", "passphrase"), CASES)
def test_every_usual_kind_and_form_is_read(kind: str, form: str, passphrase: str | None) -> None:
    key = load_private_key(key_text(KEYS[kind], form, passphrase), passphrase)
    public = KEYS[kind].public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    assert f"{key.get_name()} {key.get_base64()}" == public.decode()


def test_what_pasting_does_to_a_key_does_no_harm() -> None:
    text = key_text(KEYS["ed25519"])
    pasted = "\n  " + text.replace("\n", " \r\n  ") + "\n\n"
    assert load_private_key(pasted, None).get_name() == "ssh-ed25519"


def test_a_passphrase_for_a_key_without_one_is_left_aside() -> None:
    for form in FORMATS:
        assert load_private_key(key_text(KEYS["rsa"], form), "needless").get_name() == "ssh-rsa"


@pytest.mark.parametrize("form", FORMATS)
def test_a_missing_passphrase_is_asked_for(form: str) -> None:
    text = key_text(KEYS["rsa"], form, PASSPHRASE)
    assert "ssh_private_key_passphrase: this SSH key is encrypted" in refusal(text)


@pytest.mark.parametrize("form", FORMATS)
def test_a_wrong_passphrase_is_named(form: str) -> None:
    text = key_text(KEYS["rsa"], form, PASSPHRASE)
    assert "ssh_private_key_passphrase is wrong" in refusal(text, "wrong passphrase")


def test_a_damaged_key_is_told_from_a_wrong_passphrase() -> None:
    for form in FORMATS:
        lines = key_text(KEYS["rsa"], form).splitlines()
        message = refusal("\n".join([*lines[:3], *lines[8:]]))
        assert "damaged" in message and "passphrase" not in message
        assert "-----BEGIN to END-----" in message


@pytest.mark.parametrize(
    "text",
    [
        "no key at all",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPlN operator@home",
        "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n",
        "/home/operator/.ssh/id_ed25519",
    ],
)
def test_what_is_no_private_key_is_said_to_be_none(text: str) -> None:
    assert "is not a private key in OpenSSH or PEM form" in refusal(text)


@pytest.mark.parametrize(
    "key",
    [dsa.generate_private_key(2048), ed448.Ed448PrivateKey.generate()],
    ids=["dsa", "ed448"],
)
def test_another_kind_of_key_is_refused(key: Any) -> None:
    message = refusal(key_text(key, "pkcs8"))
    assert message.startswith("ssh_private_key: ")


def test_a_curve_that_ssh_does_not_know_is_refused() -> None:
    message = refusal(key_text(ec.generate_private_key(ec.SECP256K1()), "pkcs8"))
    assert message.startswith("ssh_private_key: ")

"""SSH keys: the fingerprint of a server's, and reading an operator's private one."""

import base64
import hashlib
import io
import re

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from .packages import paramiko
from .way import LamassuError

_OTHER_KIND = "is of a kind that is not supported: use RSA, ECDSA or Ed25519"
_READABLE_CIPHERS = ("none", "aes256-ctr", "aes256-cbc", "aes256-gcm@openssh.com")


def host_key_fingerprint(key_bytes: bytes) -> str:
    """OpenSSH's form: SHA256 and unpadded base64."""
    digest = hashlib.sha256(key_bytes).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def load_private_key(text: str, passphrase: str | None) -> "paramiko.PKey":
    """An RSA, ECDSA or Ed25519 key from its OpenSSH, PEM or PKCS#8 text.

    Raises:
        LamassuError: malformed, wrong or missing passphrase, or another kind of key.
    """
    raw = "\n".join(line.strip() for line in text.strip().splitlines()).encode() + b"\n"
    if b"PRIVATE KEY-----" not in raw:
        raise _key_error(
            "is not a private key in OpenSSH or PEM form (PuTTY: export it in OpenSSH form)"
        )
    openssh = b"BEGIN OPENSSH PRIVATE KEY" in raw
    load = serialization.load_ssh_private_key if openssh else serialization.load_pem_private_key
    secret = passphrase.encode() if passphrase else None
    try:
        try:
            key = load(raw, password=secret)
        except TypeError:  # encrypted and no passphrase, or the other way round
            if secret is None:
                raise LamassuError(
                    "configuration",
                    "ssh_private_key_passphrase: this SSH key is encrypted; enter its passphrase",
                ) from None
            key = load(raw, password=None)
        kind = _kind_of(key)
        openssh_form = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.OpenSSH,
            serialization.NoEncryption(),
        )
        return kind.from_private_key(io.StringIO(openssh_form.decode()))
    except LamassuError:
        raise
    except UnsupportedAlgorithm:
        cipher = _cipher(raw)
        if cipher in _READABLE_CIPHERS:
            raise _key_error(_OTHER_KIND) from None
        raise LamassuError(
            "configuration",
            f"ssh_private_key: is encrypted with {cipher}, which cannot be read here. Encrypt it "
            "anew, then paste it: ssh-keygen -p -Z aes256-ctr -f <the key's file>",
        ) from None
    # Anything may come out of the parsers, and the traceback of these lines would hold the key.
    except Exception:
        hint = "or ssh_private_key_passphrase is wrong, " if secret else ""
        raise _key_error(f"cannot be read: it is damaged, {hint}or not an SSH key") from None


def _kind_of(key: object) -> "type[paramiko.PKey]":
    if isinstance(key, RSAPrivateKey):
        return paramiko.RSAKey
    if isinstance(key, EllipticCurvePrivateKey):
        return paramiko.ECDSAKey
    if isinstance(key, Ed25519PrivateKey):
        return paramiko.Ed25519Key
    raise _key_error(_OTHER_KIND)


def _cipher(raw: bytes) -> str:
    """What this key is encrypted with, as its own unencrypted head says."""
    text = raw.decode(errors="replace")
    if named := re.search(r"^DEK-Info: ([\w-]{1,40}),", text, re.MULTILINE):
        return named[1]
    try:
        body = base64.b64decode("".join(text.split("-----")[2].split()))
        start = len(b"openssh-key-v1\0") + 4
        name = body[start : start + int.from_bytes(body[start - 4 : start], "big")].decode("ascii")
    except (ValueError, IndexError):
        name = ""
    return name if re.fullmatch(r"[\w@.-]{1,60}", name) else "a cipher"


def _key_error(problem: str) -> LamassuError:
    remedy = "Paste the whole file, from -----BEGIN to END-----."
    return LamassuError("configuration", f"ssh_private_key: {problem}. {remedy}")

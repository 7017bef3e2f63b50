"""A mail server on loopback that wants TLS and a login, and keeps what it was given."""

import email
import ssl
from datetime import datetime, timedelta, timezone
from email.message import Message
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from demo.processes import LOOPBACK, Running, free_port

USER, PASSWORD = "lnbits@example.com", "a mail password"


class Mailbox(Running):
    """`mails` as they came: to whom, and the text."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.mails: list[tuple[list[str], str]] = []
        self._controller = Controller(
            self,
            hostname=LOOPBACK,
            port=self.port,
            tls_context=_context(folder),
            require_starttls=True,
            auth_required=True,
            authenticator=self._authenticate,
        )

    def start(self) -> None:
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop()

    def to(self, address: str) -> list[str]:
        """The texts of what this address was sent, without LNbits' own news of its payments."""
        return [
            text
            for addresses, text in self.mails
            if address in addresses and not text.startswith("[LNbits]")
        ]

    def settings(self, admins: str) -> dict[str, Any]:
        """LNbits' settings with which it sends mail here, its own alerts to `admins`."""
        return {
            "lnbits_email_notifications_enabled": True,
            "lnbits_email_notifications_email": USER,
            "lnbits_email_notifications_username": USER,
            "lnbits_email_notifications_password": PASSWORD,
            "lnbits_email_notifications_server": LOOPBACK,
            "lnbits_email_notifications_port": self.port,
            "lnbits_email_notifications_to_emails": [admins],
        }

    def _authenticate(
        self, server: Any, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        good = isinstance(data, LoginPassword) and data.password == PASSWORD.encode()
        return AuthResult(success=good and session.ssl is not None)

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802
        message = email.message_from_bytes(envelope.original_content or b"")
        self.mails.append((list(envelope.rcpt_tos), _text(message)))
        return "250 taken"


def _text(message: Message) -> str:
    parts = [part for part in message.walk() if part.get_content_type() == "text/plain"]
    return "".join(bytes(part.get_payload(decode=True)).decode() for part in parts)


def _context(folder: Path) -> ssl.SSLContext:
    """TLS with a certificate of its own: LNbits does not look at whose it is."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, LOOPBACK)])
    at = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = folder / "mail.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context

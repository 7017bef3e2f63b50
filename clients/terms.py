"""Which of the programme's terms a client has accepted, and when: kept, and asked for anew."""

from hashlib import sha256

from .. import crud_clients, database
from ..helpers import ConflictError, new_id, now
from ..models import AuditEntry
from ..models_clients import Client
from ..models_programme import AcceptedTerms, AcceptTerms, Programme
from . import crud


def hash_of(text: str) -> str:
    """SHA-256 of the text as UTF-8, in hex: another text is another hash."""
    return sha256(text.encode()).hexdigest()


async def keep(work: database.Ledger, client: Client, text: str) -> None:
    """Note, in the transaction of whatever it is accepted with, that this text was accepted."""
    accepted = AcceptedTerms(
        id=new_id(),
        client_id=client.id,
        user_id=client.user_id,
        terms_hash=hash_of(text),
        accepted_at=now(),
    )
    await crud.insert_accepted(work, accepted, text)


async def accept(client: Client, data: AcceptTerms, actor: str) -> None:
    """The client accepts the terms of today.

    Raises:
        ConflictError: the text is another than the one that was read, or there is none.
    """
    programme: Programme = await crud_clients.get_programme()
    if not programme.terms or data.terms_hash != hash_of(programme.terms):
        raise ConflictError("terms_hash: the terms have changed. Read them again, then accept.")
    audit = AuditEntry.of(actor, "terms accepted", client.id, after=data)
    async with database.ledger() as work:
        await keep(work, client, programme.terms)
        await work.insert("dca_audit", [audit])


async def to_accept(client: Client, programme: Programme) -> str | None:
    """The hash of the terms that the client has not accepted yet; None if all is well."""
    if not programme.terms or client.status == "closed":
        return None
    last = await crud.last_accepted(client.id)
    wanted = hash_of(programme.terms)
    return None if last == wanted else wanted

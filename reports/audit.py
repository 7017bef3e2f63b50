"""The audit log as it is read: who did what to whose, by name."""

from ..crud_lnbits import user_names
from ..models import AuditEntry
from . import crud


class AuditOut(AuditEntry):
    """`actor_name` is the LNbits user's, `subject_name` the client's or partner's concerned."""

    actor_name: str | None = None
    subject_name: str | None = None


async def named(entries: list[AuditEntry]) -> list[AuditOut]:
    """The entries with the names that belong to their ids today."""
    users = await user_names(entry.actor for entry in entries)
    owners = await crud.owner_names(entry.subject for entry in entries)
    return [
        AuditOut(
            **entry.dict(),
            actor_name=users.get(entry.actor),
            subject_name=owners.get(entry.subject),
        )
        for entry in entries
    ]

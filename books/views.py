"""REST of the archive of old shares."""

from ..rest import Operator, check_operator, router_for
from . import archive

satmachineclient_books = router_for(check_operator)


@satmachineclient_books.get("/archive")
async def read_archive() -> archive.ArchiveOut:
    """What is archived, what could be, and how large the tables are."""
    return await archive.read()


@satmachineclient_books.post("/archive")
async def archive_shares(data: archive.ArchiveIn, operator: Operator) -> archive.Archived:
    """Keep the shares of all sales up to the end of this month in a small form.

    Nothing is lost: statements, lists, exports and reports show them as before. It goes on for at
    most some twenty seconds; ask again until it is `done`.
    """
    return await archive.run(data.until, operator)

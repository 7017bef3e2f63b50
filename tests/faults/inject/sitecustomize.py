"""Loaded by the LNbits process of a fault test: kills or stops it at a chosen commit.

With a file `order` in the folder that SATMACHINE_FAULTS names, the process counts two moments for
each database commit, just before it and just after it, writes the count and its process id to
`count`, and sends itself a signal at the moment that the file tells: "<round> <moment> <signal>".
Both LNbits' and our commits count.

With a file `clock` there, the process takes the time to be so many seconds later than it is, from
its next statement on.
"""

import os
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

_FOLDER = os.environ.get("SATMACHINE_FAULTS")


class _Killer:
    def __init__(self, folder: Path) -> None:
        self.order = folder / "order"
        self.count = folder / "count"
        self.moments = 0
        self.armed: str | None = None

    def moment(self) -> None:
        try:
            order = self.order.read_text()
        except FileNotFoundError:
            return
        if order != self.armed:  # a new round starts a new count
            self.armed, self.moments = order, 0
        self.moments += 1
        self.count.write_text(f"{self.moments} {os.getpid()}")
        _, moment, number = order.split()
        if self.moments == int(moment):
            os.kill(os.getpid(), int(number))


class _Clock:
    def __init__(self, file: Path) -> None:
        self.file = file
        self.ahead = 0
        self.traveller: Any = None

    def look(self) -> None:
        try:
            ahead = int(self.file.read_text() or self.ahead)
        except FileNotFoundError:
            return
        if self.traveller is None:
            import time_machine

            self.traveller = time_machine.travel(datetime.now(timezone.utc), tick=True).start()
        self.traveller.shift(ahead - self.ahead)
        self.ahead = ahead


if _FOLDER:
    from sqlalchemy import event
    from sqlalchemy.engine import Engine
    from sqlalchemy.future import Connection

    killer = _Killer(Path(_FOLDER))
    clock = _Clock(Path(_FOLDER, "clock"))
    commit = Connection.commit
    opening = ("ATTACH", "CREATE SCHEMA")  # how LNbits opens a connection: nothing to commit

    def note(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        clock.look()
        connection.info["opening"] = statement.startswith(opening)

    def commit_and_count(self: Connection) -> None:
        counts = not self.info.get("opening")
        if counts:
            killer.moment()
        commit(self)
        if counts:
            killer.moment()

    event.listen(Engine, "before_cursor_execute", note)
    Connection.commit = commit_and_count

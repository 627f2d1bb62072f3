"""Brings the tables after the journal, where large records were committed without their rows.

The same `Book.apply` and the same `project` as in the desk's own transaction, a stretch of records at a time, with the
place reached written in the same transaction: killed at any moment, the next one goes on where this one committed.
Whoever needs the tables (a reader, a desk that opens an account) calls `catch_up` first; a bulk desk has a process of
its own do it meanwhile.
"""

from __future__ import annotations

import gc
import select
import signal
import subprocess
import sys
from dataclasses import dataclass
from time import monotonic

from sniper_cli.books.book import Book
from sniper_cli.books.events import decode
from sniper_cli.books.loading import Pairs, load_book
from sniper_cli.books.projecting import project
from state.database import Database
from state.writing import Statements, Writer, read_hex, read_micros, transact

STRETCH = 4
"""Records a transaction. On SQLite the desk waits meanwhile: four records of a thousand orders are 40 ms."""

PLACES = (
    "SELECT p.seq, h.desk_seq FROM projection p, journal_head h WHERE p.name = 'desk' AND h.name = 'journal'"
)
"""How far the tables are, and how far the journal."""

RECORDS = "SELECT seq, at, subject, body FROM journal WHERE seq > ? AND seq <= ? AND kind LIKE 'desk.%' ORDER BY seq"

IDLE_SECONDS = 0.01

BEHIND_SECONDS = 0.25
"""How long rows wait for a desk that is writing."""


class Projector:
    """Follows the journal, with the books of the accounts that it met in memory."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._writer = Writer(database)
        self._books: dict[str, Book] = {}
        self._reached = -1
        self._pairs: Pairs | None = None

    def places(self) -> tuple[int, int]:
        """How far the tables are, and how far the journal."""
        seq, head = self._writer.row(PLACES)
        return seq, head

    def step(self) -> int:
        """One stretch; how many records it brought in. 0: the tables are where the journal is.

        The records are applied to the books before the transaction begins: on SQLite the desk waits for as long as
        that lasts.
        """
        seq, head = self.places()
        if seq >= head:
            return 0
        if seq != self._reached:
            self._books.clear()  # somebody else brought the tables further
        self._reached = -1
        with self.database.admitted():
            self._pairs = self._pairs or Pairs(self._writer)
            applied = read_on(self._writer, self._books, self._pairs, seq, head, STRETCH)
        done = transact(self.database, self._writer, lambda writer: self._write(writer, seq, applied))
        self._reached = applied[-1].place if done else -1
        return len(applied)

    @staticmethod
    def _write(writer: Writer, seq: int, applied: list[Applied]) -> bool:
        """False, and nothing written, where somebody else was faster."""
        if writer.row(PLACES + ("" if writer.on_sqlite else " FOR UPDATE OF p"))[0] != seq:
            return False
        for one in applied:
            one.rows.write(writer)
            one.book.shelf.unwritten.drop(one.place)  # type: ignore[attr-defined]
        writer.run("UPDATE projection SET seq = ? WHERE name = 'desk'", (applied[-1].place,))
        return True

    def catch_up(self) -> int:
        """Until the tables show what had been journalled by now; how many records that took.

        What others journal meanwhile is theirs to bring in: a desk may write faster than anybody can follow.
        """
        until, total = self.places()[1], 0
        while self.places()[0] < until:
            total += self.step()
        return total

    def close(self) -> None:
        self._writer.close()


@dataclass(frozen=True, slots=True)
class Applied:
    """A record applied to its account's book: what has to be written."""

    place: int
    book: Book
    rows: Statements


def read_on(
    writer: Writer,
    books: dict[str, Book],
    pairs: Pairs,
    seq: int,
    head: int,
    limit: int | None = None,
) -> list[Applied]:
    """Apply the trading records after `seq` up to `head` to the books; books not there yet are read from the tables."""
    query = RECORDS if limit is None else f"{RECORDS} LIMIT {limit}"
    applied = []
    for place, at, subject, body in writer.rows(query, (seq, head)):
        account = read_hex(subject.replace("-", ""))
        book = books.get(account)
        if book is None:
            book = books[account] = load_book(writer, account, pairs)
        for event in decode(body).data.events:
            book.apply(event, place)
        changes = book.take_changes()
        # The next record may be about what this one's rows will show.
        book.shelf.unwritten.keep(place, changes)  # type: ignore[attr-defined]
        rows = Statements(on_sqlite=writer.on_sqlite)
        project(rows, book, changes, place, read_micros(at))
        applied.append(Applied(place, book, rows))
    return applied


def follow(writer: Writer, head: int) -> None:
    """Bring the tables to `head`, in a transaction of somebody who holds the journal's head."""
    query = f"SELECT seq FROM projection WHERE name = 'desk'{writer.for_update}"  # noqa: S608 - words of ours
    seq = writer.row(query)[0]
    if seq >= head:
        return
    applied = read_on(writer, {}, Pairs(writer), seq, head)
    for one in applied:
        one.rows.write(writer)
    writer.run("UPDATE projection SET seq = ? WHERE name = 'desk'", (head,))


def catch_up(database: Database) -> int:
    """Bring the tables to where the journal now is; how many records that took. One query if there is nothing to do."""
    projector = Projector(database)
    try:
        return projector.catch_up()
    finally:
        projector.close()


class Courtesy:
    """When to let the desk go first: on SQLite who writes rows keeps it from writing records.

    While records come in, rows wait, for a quarter of a second at most: a burst is acknowledged at full speed, and
    under a steady load the rows stay that far behind.
    """

    def __init__(self) -> None:
        self._head = 0
        self._behind_since: float | None = None

    def gives_way(self, seq: int, head: int) -> bool:
        now = monotonic()
        if seq >= head:
            self._behind_since = None
            return False
        if self._behind_since is None:
            self._behind_since = now
        coming, self._head = head != self._head, head
        return coming and now - self._behind_since < BEHIND_SECONDS


class ProjectorProcess:
    """A projector beside a bulk desk, on the other core: started at the first record whose rows were left to it.

    It ends when the desk closes it or is gone; whatever it had not brought in by then, the next reader does.
    """

    def __init__(self, database: Database) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sniper_cli.books.projector"], stdin=subprocess.PIPE, text=True
        )
        assert self._process.stdin is not None
        # Not in argv, where every user of the machine could read a password.
        self._process.stdin.write(database.url.render_as_string(hide_password=False) + "\n")
        self._process.stdin.flush()

    def close(self) -> None:
        """Let it bring in what there is, and end."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def main() -> None:
    """Follow until the desk closes the pipe or dies; then catch up and end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    url = sys.stdin.readline().strip()
    if not url:
        return  # the desk was killed before it could say
    gc.freeze()
    gc.disable()  # the books' structs are not its business, and a collection would stop everything for 0.1 s
    with Database(url) as database:
        projector = Projector(database)
        courtesy = Courtesy()
        while True:
            if not courtesy.gives_way(*projector.places()) and projector.step():
                continue
            gc.collect()
            readable, _, _ = select.select([sys.stdin], [], [], IDLE_SECONDS)
            if readable:
                break
        projector.catch_up()
        projector.close()


if __name__ == "__main__":
    main()

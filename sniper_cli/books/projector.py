"""Brings the tables after the journal, where large records were committed without their rows.

The same `Book.apply` and the same `project` as in the desk's own transaction, a stretch of records at a time, with the
place reached written in the same transaction: killed at any moment, the next one goes on where this one committed.
Whoever needs the tables (a reader, a desk that opens an account) calls `catch_up` first; a bulk desk has a process of
its own do it meanwhile.
"""

from __future__ import annotations

import signal
import sys
from time import monotonic, sleep

from sniper_cli.books.book import Book
from sniper_cli.books.events import decode
from sniper_cli.books.loading import load_book, read_pairs
from sniper_cli.books.projecting import project
from state.database import Database
from state.writing import Writer, read_hex, read_micros, transact

STRETCH = 20
"""Records a transaction: 20,000 orders at most, a fifth of a second."""

IDLE_SECONDS = 0.01


class Projector:
    """Follows the journal, with the books of the accounts that it met in memory."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._writer = Writer(database)
        self._books: dict[str, Book] = {}
        self._reached = -1
        self._pairs: dict[str, tuple[str, str]] = {}

    def step(self) -> int:
        """One stretch; how many records it brought in. 0: the tables are where the journal is."""
        row = self._writer.row("SELECT seq, head FROM projection WHERE name = 'desk'")
        if row[0] >= row[1]:
            return 0
        return transact(self.database, self._writer, self._stretch)

    def _stretch(self, writer: Writer) -> int:
        query = "SELECT seq, head FROM projection WHERE name = 'desk'" + writer.for_update
        seq, head = writer.row(query)
        if seq >= head:
            return 0
        if seq != self._reached:
            self._books.clear()  # somebody else brought the tables further
        self._reached = -1
        done, reached = bring(writer, self._books, self._pairs, seq, head, STRETCH)
        self._reached = reached
        return done

    def catch_up(self) -> int:
        """Until the tables are where the journal is; how many records that took."""
        total = 0
        while done := self.step():
            total += done
        return total

    def close(self) -> None:
        self._writer.close()


def bring(
    writer: Writer,
    books: dict[str, Book],
    pairs: dict[str, tuple[str, str]],
    seq: int,
    head: int,
    limit: int | None = None,
) -> tuple[int, int]:
    """Apply records after `seq` up to `head` to the tables; how many there were, and the last one's place."""
    query = (
        "SELECT seq, at, subject, body FROM journal WHERE seq > ? AND seq <= ? AND kind LIKE 'desk.%' ORDER BY seq"
        + (f" LIMIT {limit}" if limit else "")
    )
    rows = writer.rows(query, (seq, head))
    for place, at, subject, body in rows:
        account = read_hex(subject.replace("-", ""))
        book = books.get(account)
        if book is None:
            pairs.update(read_pairs(writer))
            book = books[account] = load_book(writer, account, pairs)
        for event in decode(body).data.events:
            book.apply(event, place)
        project(writer, book, book.take_changes(), place, read_micros(at))
    reached = rows[-1][0] if rows else head
    writer.run("UPDATE projection SET seq = ? WHERE name = 'desk'", (reached,))
    return len(rows), reached


def follow(writer: Writer, seq: int, head: int) -> None:
    """Bring the tables to `head` inside a transaction that holds the projection's row."""
    bring(writer, {}, {}, seq, head)


def catch_up(database: Database) -> int:
    """Bring the tables to where the journal is; how many records that took. One query when there is nothing to do."""
    projector = Projector(database)
    try:
        return projector.catch_up()
    finally:
        projector.close()


def main() -> None:
    """The process beside a bulk desk: follows until its parent is gone or says stop, then catches up and ends."""
    url, parent = sys.argv[1], sys.stdin
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    del parent
    with Database(url) as database:
        projector = Projector(database)
        quiet = monotonic()
        while True:
            if projector.step():
                quiet = monotonic()
            elif stopping or monotonic() - quiet > 30:
                break
            else:
                sleep(IDLE_SECONDS)
        projector.close()


if __name__ == "__main__":
    main()

"""Writing the books: one record a transaction, and the tables with it.

A `Page` is one account's turn: its row is taken, its book is brought up to the last record, events are added and
applied, and at the end they are one record of the journal, committed together with the rows that it changed. Where a
record is large the rows may follow: then the record is committed alone (that is the promise), and the projector
brings the tables after it.

    with the account's row locked:  book at version n → events → record n+1 → rows → version n+1
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, TypeVar
from uuid import UUID

from sqlmodel import Session

from sniper_cli.books.book import Book
from sniper_cli.books.events import Batch, Body, Event, decode, encode
from sniper_cli.books.loading import Pairs, load_book
from sniper_cli.books.projecting import project
from sniper_cli.books.shelf import Elsewhere, NotHere, TableShelf
from state.checkpoints import Checkpoints
from state.columns import timestamp, utc_now
from state.database import Database
from state.errors import RowNotFound
from state.journal import chain_hash
from state.projections import DESK
from state.writing import Writer, insertion, micros, transact

if TYPE_CHECKING:
    from sniper_cli.books.projector import ProjectorProcess

T = TypeVar("T")

PATIENCE = 8
"""Turns with the locks held, after one without was in vain."""

INLINE = 200
"""Records of up to so many events write their rows at once; larger ones may leave them to the projector."""

STANDING = (
    "SELECT a.version, h.seq, h.hash, p.seq, h.desk_seq, c.version "
    "FROM account a, journal_head h, projection p, control_version c "
    "WHERE a.id = ? AND h.name = 'journal' AND p.name = 'desk' AND c.name = 'controls'"
)
LOCKED = STANDING + " FOR UPDATE OF a, h"
"""The projection's row is not taken: who follows the journal may work on while a record is written."""
APPEND = insertion("journal", "seq, at, actor, kind, subject, body, previous_hash, hash")


@dataclass(slots=True)
class Standing:
    """What was read under the lock."""

    version: int
    seq: int
    hash: str
    projected: int
    head: int
    controls: int = 0
    """Grows when a limit or a kill switch changes (`state.controls`)."""


class Stale(Exception):
    """Somebody wrote meanwhile: what was worked out without the locks does not hold."""


class Fence(Protocol):
    """A lease under which orders are placed: its epoch, and whether it is still held (raises LeaseLost)."""

    @property
    def epoch(self) -> int: ...

    def require_on(self, writer: Writer) -> None: ...


class Page:
    """One account's turn in one transaction: its book, and the events added so far."""

    def __init__(self, writer: Writer, book: Book, standing: Standing, *, actor: str) -> None:
        self.writer = writer
        self.book = book
        self.actor = actor
        self.at = utc_now()
        self.now = micros(self.at)
        self.seq = standing.seq + 1
        """The record that this page will be."""
        self.events: list[Event] = []
        self.standing = standing
        self.fence: Fence | None = None
        """Asked before the page is committed, through its own connection: who lost the lease writes nothing."""

    def add(self, event: Event) -> None:
        """Write an event down and let the book follow. Raises IllegalTransition."""
        self.book.apply(event, self.seq)
        self.events.append(event)

    def append(self, event: Event) -> None:
        """Write down an event that the book has taken in already (`Book.add`)."""
        self.events.append(event)


class Books:
    """The books of a database's accounts, kept in memory between transactions and true to the journal."""

    def __init__(self, database: Database, *, actor: str = "sniper", defer_above: int | None = None) -> None:
        """`defer_above`: records of more events than this leave their rows to the projector; none never do."""
        self.database = database
        self.actor = actor
        self.defer_above = defer_above
        self._writer = Writer(database)
        self._books: dict[str, Book] = {}
        self._pairs: Pairs | None = None
        self._checkpoints: Checkpoints | None = None
        self._projector: ProjectorProcess | None = None
        self._left: Standing | None = None
        """The journal as this process last wrote it."""
        self._patience = 0
        """Turns for which the locks are taken first, because working first has just been in vain."""
        self._unconfirmed: set[str] = set()
        """Accounts whose book holds a page that is not known to be committed: it is read anew at the next turn."""
        self.deferred = 0
        """Records of this process whose rows were left to the projector."""

    def checkpoint_in_background(self) -> None:
        """For a process that lives long: no transaction of it does the log's housekeeping (3 to 10 ms at a time)."""
        self._checkpoints = Checkpoints(self.database)
        self._writer.leave_checkpoints()

    def close(self) -> None:
        if self._projector is not None:
            self._projector.close()
            self._projector = None
        if self._checkpoints is not None:
            self._checkpoints.close()
            self._checkpoints = None
        self._writer.close()
        self._books.clear()

    def turn(self, account_id: UUID, work: Callable[[Page], T], *, kind: str = "desk.orders") -> T:
        """Run `work` on the account's page in a transaction of its own; a busy database is tried again.

        `work` may run more than once, each time on a fresh page, and must have no effect outside it. A bulk desk works
        first and takes the locks for the writing only; if anything was journalled meanwhile (another process's
        order, a limit, a switch), that was in vain, and it works again with the locks held.
        """
        account = account_id.hex

        def attempt(writer: Writer) -> T:
            with self._page(writer, account, kind) as page:
                return work(page)

        if self.defer_above is not None and self._patience == 0:
            with suppress(Stale):
                return self._work_first(account, work, kind)
            self._patience = PATIENCE
        self._patience = max(0, self._patience - 1)
        done = transact(self.database, self._writer, attempt)
        self._unconfirmed.discard(account)
        return done

    def _work_first(self, account: str, work: Callable[[Page], T], kind: str) -> T:
        """Raises Stale where the book, or the journal, is not as this process left it."""
        book, standing = self._books.get(account), self._left
        if book is None or standing is None or account in self._unconfirmed:
            raise Stale
        standing = replace(standing, version=book.version)
        book.shelf.writer = book.pairs.writer = self._writer  # type: ignore[attr-defined]
        page = Page(self._writer, book, standing, actor=self.actor)
        try:
            with self.database.admitted():
                done = work(page)
            if not page.events:
                return done
            self._unconfirmed.add(account)

            def write(writer: Writer) -> None:
                found = self._lock(writer, account)
                if (found.version, found.seq, found.hash) != (standing.version, standing.seq, standing.hash):
                    raise Stale
                page.standing = found
                _settle_shelf(book, writer, found)
                self._seal(page, kind)

            transact(self.database, self._writer, write)
        except BaseException:
            self.forget(UUID(account))
            raise
        self._unconfirmed.discard(account)
        return done

    def turn_with_session(
        self, account_id: UUID, work: Callable[[Session, Page], T], *, kind: str = "desk.orders"
    ) -> T:
        """The same with a session, for what writes other tables too."""

        def attempt(session: Session) -> T:
            with self.within(session, account_id, kind=kind) as page:
                return work(session, page)

        done = self.database.transact(attempt, idempotent=True)
        self._unconfirmed.discard(account_id.hex)
        return done

    @contextmanager
    def within(self, session: Session, account_id: UUID, *, kind: str = "desk.orders") -> Iterator[Page]:
        """The account's page inside a session's transaction; what the session had read is read again afterwards."""
        session.flush()
        writer = Writer(self.database, session=session)
        with self._page(writer, account_id.hex, kind, whole=True) as page:
            yield page
        session.flush()  # what was changed beside the page; expiring would take it back
        session.expire_all()

    @contextmanager
    def _page(self, writer: Writer, account: str, kind: str, *, whole: bool = False) -> Iterator[Page]:
        """`whole`: the tables must show everything, for they are asked beside the book."""
        standing = self._lock(writer, account)
        if account in self._unconfirmed:
            self.forget(UUID(account))
        book = self._books.get(account)
        try:
            if whole or book is None or self.defer_above is None:
                self._bring(writer, standing)
            if book is None:
                book = self._load(writer, account, standing)
            elif book.version != standing.version:
                book = self._catch_up(writer, account, book, standing)
            _settle_shelf(book, writer, standing)
            page = Page(writer, book, standing, actor=self.actor)
            yield page
            if page.events:
                self._unconfirmed.add(account)
                if whole:
                    _move_up(page)
                self._seal(page, kind)
        except BaseException:
            # Memory may be ahead of what is on disk: it is dropped, and read again at the next turn.
            self._books.pop(account, None)
            raise

    def _leave_to_projector(self) -> None:
        if self._projector is None:
            from sniper_cli.books.projector import ProjectorProcess

            self._projector = ProjectorProcess(self.database)

    def forget(self, account_id: UUID) -> None:
        """Read an account's book again at its next turn."""
        self._books.pop(account_id.hex, None)
        self._unconfirmed.discard(account_id.hex)

    def _lock(self, writer: Writer, account: str) -> Standing:
        row = writer.row(STANDING if writer.on_sqlite else LOCKED, (account,))
        if row is None:
            raise RowNotFound(f"there is no account {account}", hint="sniper init")
        return Standing(*row)

    def _load(self, writer: Writer, account: str, standing: Standing) -> Book:
        if self._pairs is None:
            self._pairs = Pairs(writer)
        self._pairs.writer = writer
        book = load_book(writer, account, self._pairs)
        book.version = standing.version
        self._books[account] = book
        return book

    def _bring(self, writer: Writer, standing: Standing) -> None:
        """Bring the tables to where the journal is, before they are read or written to."""
        if standing.projected == standing.head:
            return
        from sniper_cli.books.projector import follow

        follow(writer, standing.head)
        standing.projected = standing.head

    def _catch_up(self, writer: Writer, account: str, book: Book, standing: Standing) -> Book:
        """Another process wrote meanwhile: its records, taken in here; where memory does not suffice, the tables."""
        if standing.projected < standing.head:
            # Who follows the journal stops here: what the tables show must not change while they are asked.
            query = "SELECT seq FROM projection WHERE name = 'desk'" + writer.for_update  # noqa: S608
            standing.projected = writer.row(query)[0]
        shelf: TableShelf = book.shelf  # type: ignore[assignment]
        shelf.writer = writer
        try:
            self._take_in(writer, account, book, shelf, standing)
        except NotHere:
            self._bring(writer, standing)
            return self._load(writer, account, standing)
        finally:
            book.shelf = shelf
        book.version = standing.version
        return book

    def _take_in(
        self, writer: Writer, account: str, book: Book, shelf: TableShelf, standing: Standing
    ) -> None:
        assert self._pairs is not None
        self._pairs.writer = writer
        query = "SELECT seq, body FROM journal WHERE subject = ? AND seq > ? ORDER BY seq"
        for seq, body in writer.rows(query, (_subject(account), book.seq)):
            written = seq <= standing.projected
            book.shelf = Elsewhere(None if written else shelf)
            changes = book.take_in(decode(body).data.events, seq, written=written)
            if not written:
                shelf.unwritten.keep(seq, changes)

    def _seal(self, page: Page, kind: str) -> None:
        book, writer, standing = page.book, page.writer, page.standing
        if page.fence is not None:
            page.fence.require_on(writer)
        body = encode(
            Body(
                self.actor, timestamp(page.at), Batch(page.events), kind, page.seq, _subject(book.account_key)
            )
        )
        digest = chain_hash(standing.hash, body)
        inline = standing.projected == standing.head and (
            self.defer_above is None or len(page.events) <= self.defer_above
        )
        changes = book.take_changes()
        writer.run(
            APPEND,
            (
                page.seq,
                writer.moment(page.now),
                page.actor,
                kind,
                _subject(book.account_key),
                body,
                standing.hash,
                digest,
            ),
        )
        writer.run(
            "UPDATE journal_head SET seq = ?, hash = ?, desk_seq = ? WHERE name = 'journal'",
            (page.seq, digest, page.seq),
        )
        writer.run("UPDATE account SET version = version + 1 WHERE id = ?", (book.account_key,))
        if inline:
            writer.run("UPDATE projection SET seq = ? WHERE name = 'desk'", (page.seq,))
            project(writer, book, changes, page.seq, page.now)
        else:
            book.shelf.unwritten.keep(page.seq, changes)  # type: ignore[attr-defined]
            self.deferred += 1
            self._leave_to_projector()
        book.seq = page.seq
        book.version = standing.version + 1
        projected = page.seq if inline else standing.projected
        self._left = Standing(0, page.seq, digest, projected, page.seq, standing.controls)


def _move_up(page: Page) -> None:
    """A session's transaction may have journalled acts of its own since the page was begun: it comes after them."""
    seq, digest = page.writer.row("SELECT seq, hash FROM journal_head WHERE name = 'journal'")
    if seq == page.standing.seq:
        return
    page.standing.seq, page.standing.hash, page.seq = seq, digest, seq + 1
    changes = page.book.changes
    for order in changes.orders:
        order.seq = page.seq
    for fill in changes.fills:
        fill.seq = page.seq


def _settle_shelf(book: Book, writer: Writer, standing: Standing) -> None:
    """The book's look at the tables: through the connection at hand, and with what they do not show yet."""
    shelf: TableShelf = book.shelf  # type: ignore[assignment]
    pairs: Pairs = book.pairs  # type: ignore[assignment]
    shelf.writer = pairs.writer = writer
    shelf.unwritten.drop(standing.projected)
    if standing.projected == standing.head:
        book.forget_recent()


def _subject(account: str) -> str:
    """An account's id as records name it."""
    return str(UUID(account))


__all__ = ["DESK", "INLINE", "Books", "Fence", "Page", "Standing"]

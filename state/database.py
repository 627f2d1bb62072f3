"""One door to the database, SQLite or Postgres by URL, with transactions that cannot lose an update.

SQLAlchemy's default transactions on SQLite begin deferred and lose updates silently (4 processes × 100
increments gave 129); so a write begins IMMEDIATE here and a read is a plain BEGIN. Transactions are short
and never span a network call.

A transaction is done again only when it certainly was not done. The one moment that hides this is a COMMIT whose
answer is lost: that is `CommitUnknown`, unless the caller can look (`confirm`) or does not mind (`idempotent`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Protocol, TypeVar
from weakref import WeakSet

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import PoolProxiedConnection
from sqlmodel import Session, create_engine

from state import faults, postgres, sqlite
from state.columns import timestamp, utc_now
from state.errors import CommitUnknown, DatabaseBusy, DatabaseUnavailable, StateError
from state.resilience import CONTENTION, OUTAGE, Breaker, CircuitOpen, Patience

T = TypeVar("T")

BUSY_SECONDS = 5.0
"""How long a writer waits for another one, or for a server that went away, before it gives up."""

BACKENDS = ("sqlite", "postgresql", "postgres")

CIRCUIT_OPEN = "circuit_open"


class Borrower(Protocol):
    """Who keeps a connection (`state.writing.Writer`)."""

    def close(self) -> None: ...


class Database:
    """Opens sessions. `read()` sees a snapshot, `write()` is exclusive on SQLite and commits at its end."""

    def __init__(self, url: str, *, durability: str = "normal", breaker: Breaker | None = None) -> None:
        """`durability` is SQLite's `synchronous`: `normal` survives kill -9, `full` also a power cut."""
        self.url = normalized(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.breaker = breaker or Breaker()
        self._durability = durability
        self._met = False
        """Whether a connection was ever made."""
        self._borrowers: WeakSet[Borrower] = WeakSet()
        self._file = sqlite.OneFile(self.url) if self.is_sqlite else None
        self.engine = self._open()

    def _open(self) -> Engine:
        if self.is_sqlite:
            engine = create_engine(
                self.url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False}
            )
            event.listen(engine, "do_connect", self._make_file)
            event.listen(engine, "connect", self._prepare_sqlite)
            event.listen(engine, "checkout", self._check_file)
            event.listen(engine, "begin", sqlite.begin)
            event.listen(engine, "handle_error", sqlite.end_with_it)
            return engine
        engine = create_engine(
            self.url,
            pool_size=5,
            max_overflow=10,
            # Also where the server's default is stricter: what follows a lock must see what came before it.
            isolation_level="READ COMMITTED",
            connect_args=postgres.connect_arguments(self.url),
        )
        event.listen(engine, "connect", self._prepare_postgres)
        event.listen(engine, "checkout", postgres.require_live)
        return engine

    def _prepare_sqlite(self, connection: Any, _record: object) -> None:
        sqlite.prepare(connection, BUSY_SECONDS, synchronous=self._durability)
        if self._file is not None:
            self._file.opened()
        self._met = True

    def _make_file(self, *_: object) -> None:
        self._check_file()  # one that was there and is gone is not made anew
        sqlite.make_private(self.url)

    def _check_file(self, *_: object) -> None:
        if self._file is not None:
            self._file.require()

    def _prepare_postgres(self, connection: Any, record: Any) -> None:
        postgres.prepare(connection, record, BUSY_SECONDS)
        self._met = True

    # -- transactions -------------------------------------------------------------------------------------------

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that only reads; never waits for a writer on SQLite (WAL)."""
        with self._connected() as connection:
            # A snapshot on Postgres too: a chain or a balance read in two queries must not change between them.
            options = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
            reader = connection.execution_options(sniper_readonly=True, **options)
            with Session(reader) as session:
                yield session
                session.rollback()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session that writes: begun IMMEDIATE on SQLite, committed at the end, rolled back on any error.

        Raises CommitUnknown where the answer to COMMIT was lost.
        """
        with self._connected() as connection, Session(connection, expire_on_commit=False) as session:
            yield session
            session.flush()
            if not connection.in_transaction():
                return  # nothing was asked, or the caller rolled it back
            with self.committing(connection.connection):
                session.commit()

    def transact(
        self,
        work: Callable[[Session], T],
        *,
        confirm: Callable[[Session], T | None] | None = None,
        idempotent: bool = False,
    ) -> T:
        """Run `work` in a write transaction; tried again for a while where it certainly was not done.

        `work` may run more than once, each time from a clean session, and must have no effect outside it.
        `confirm` decides a COMMIT whose answer was lost: it looks in the database, and gives back the result if the
        work was done, None if not. `idempotent` work does no harm when it is done twice.

        Raises DatabaseBusy, DatabaseUnavailable, and CommitUnknown where neither is given.
        """

        def attempt() -> T:
            with self.write() as session:
                return work(session)

        return self.retried(attempt, confirm=confirm, idempotent=idempotent)

    def retried(
        self,
        attempt: Callable[[], T],
        *,
        confirm: Callable[[Session], T | None] | None = None,
        idempotent: bool = False,
    ) -> T:
        """Run `attempt`, which makes a transaction of its own, as `transact` runs its work."""
        patience = Patience(BUSY_SECONDS)
        trouble: StateError | None = None
        while True:
            try:
                return attempt()
            except CommitUnknown as unknown:
                if confirm is not None:
                    done = self._look(confirm, unknown)
                    if done is not None:
                        return done
                elif not idempotent:
                    raise
                trouble = unknown
            except (DatabaseBusy, DatabaseUnavailable) as error:
                refused = error.details.get("reason") == CIRCUIT_OPEN
                # Who was let in waits for the next probe; who comes while the circuit is open is told at once.
                if not error.details.get("retry") or (refused and trouble is None):
                    raise
                trouble = error
            if not patience.wait(_pace(trouble), least=_least(trouble)):
                raise self._given_up(trouble, looked=confirm is not None)

    def _look(self, confirm: Callable[[Session], T | None], unknown: CommitUnknown) -> T | None:
        """What `confirm` finds once the lost transaction is over. Raises `unknown` if that cannot be found out."""
        patience = Patience(BUSY_SECONDS)
        while True:
            try:
                # Two transactions: a snapshot older than the lost one's end would not show what it did.
                if self._is_over(unknown):
                    with self.read() as session:
                        found = confirm(session)
                        session.expunge_all()
                    return found
            except (DatabaseBusy, DatabaseUnavailable) as error:
                if not error.details.get("retry") or not patience.wait(OUTAGE, least=_least(error)):
                    raise unknown from error
            else:
                if not patience.wait(OUTAGE):
                    raise unknown

    def _is_over(self, unknown: CommitUnknown) -> bool:
        if not isinstance(unknown.backend, postgres.Backend):
            return True
        with self.read() as session:
            return postgres.has_ended(session, unknown.backend)

    def _given_up(self, trouble: StateError, *, looked: bool) -> StateError:
        if isinstance(trouble, CommitUnknown) and looked:
            lost = self._lost("is lost at every COMMIT")
            lost.__cause__ = trouble
            return lost
        return trouble

    @contextmanager
    def committing(self, pooled: PoolProxiedConnection) -> Iterator[None]:
        """Around a COMMIT on a pooled connection.

        Before it, what can be known to have failed fails here, for certain; after it, an answer that did not come
        is CommitUnknown.
        """
        driver: Any = pooled.driver_connection
        self._require_committable(driver)
        backend = pooled.info.get(postgres.BACKEND)  # a lost connection's record is emptied
        try:
            yield
        except (DBAPIError, self.engine.dialect.loaded_dbapi.Error) as error:
            if not faults.hides_the_outcome(error):
                raise
            unknown = CommitUnknown(
                f"the answer of {self.display_url} to a COMMIT was lost: the change may have been made or not",
                hint="sniper doctor",
            )
            unknown.backend = backend
            raise unknown from error

    def _require_committable(self, driver: Any) -> None:
        self._check_file()
        if not self.is_sqlite and postgres.is_gone(driver):
            raise self._lost("was lost before the COMMIT")
        if not driver.in_transaction if self.is_sqlite else postgres.has_failed(driver):
            # Postgres answers such a COMMIT with ROLLBACK and no error; SQLite has rolled back already.
            raise self._failed_before()

    # -- trouble ------------------------------------------------------------------------------------------------

    @contextmanager
    def admitted(self) -> Iterator[None]:
        """Through the breaker, with the driver's errors translated: around whatever talks to the database."""
        try:
            ticket = self.breaker.admit()
        except CircuitOpen as circuit:
            raise self._refused(circuit) from circuit
        try:
            with self._translated():
                yield
            self.breaker.answered()
        finally:
            self.breaker.leave(ticket)

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        with self.admitted(), self.engine.connect() as connection:
            try:
                yield connection
            except PendingRollbackError as error:
                if not connection.invalidated:
                    raise
                trouble = self._failed_before() if self.is_sqlite else self._lost("was lost")
                raise trouble from error

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """The driver's errors become ours, with what the person can do about them; the breaker counts outages."""
        try:
            yield
        except DBAPIError as error:
            fault = faults.fault_of(error)
            if fault is not None and fault.outage:
                self.breaker.failed()
            else:
                self.breaker.answered()
            trouble = faults.translate(
                error,
                self.display_url,
                self._file.path if self._file is not None else None,
                met=self._met,
                seconds=BUSY_SECONDS,
            )
            if trouble is None:
                raise
            raise trouble from error
        except CommitUnknown:
            self.breaker.failed()
            raise
        except PoolTimeout as error:
            raise DatabaseBusy(
                f"all connections of this process to {self.display_url} are in use",
                hint="sniper db locks",
                retry=False,
            ) from error

    def _lost(self, how: str) -> DatabaseUnavailable:
        return DatabaseUnavailable(
            f"the connection to {self.display_url} {how}; {faults.NOTHING_KEPT}",
            hint="sniper doctor",
            reason=faults.LOST.reason,
            retry=True,
        )

    def _failed_before(self) -> StateError:
        return StateError(
            f"a statement had failed before the COMMIT; {faults.NOTHING_KEPT}", hint="sniper doctor"
        )

    def _refused(self, circuit: CircuitOpen) -> DatabaseUnavailable:
        return DatabaseUnavailable(
            f"the database {self.display_url} has not answered {circuit.failures} times in a row;"
            f" it is tried again in {circuit.seconds:.1f} s",
            hint="sniper doctor",
            reason=CIRCUIT_OPEN,
            retry=True,
            retry_in=f"{circuit.seconds:.3f}",
            retry_at=timestamp(utc_now() + timedelta(seconds=circuit.seconds)),
        )

    @property
    def display_url(self) -> str:
        """The URL without its password."""
        return self.url.render_as_string(hide_password=True)

    def lend(self, borrower: Borrower) -> None:
        """Somebody keeps a connection of this database for good: it is taken back when the database is closed."""
        self._borrowers.add(borrower)

    def close(self) -> None:
        for borrower in list(self._borrowers):
            borrower.close()
        self.engine.dispose()

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _pace(trouble: StateError) -> tuple[float, float]:
    return CONTENTION if isinstance(trouble, DatabaseBusy) else OUTAGE


def _least(trouble: StateError) -> float:
    """How long the circuit stays open, if that is the trouble."""
    return float(str(trouble.details.get("retry_in", 0.0)))


def normalized(url: str) -> URL:
    """`postgres://` and `postgresql://` mean psycopg. Raises DatabaseUnavailable for what is no URL of ours."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is None or parsed.get_backend_name() not in BACKENDS:
        raise DatabaseUnavailable(
            "database_url is neither sqlite:///… nor postgresql://…", hint="sniper config get database_url"
        )
    if parsed.drivername in ("postgres", "postgresql"):
        return parsed.set(drivername="postgresql+psycopg")
    return parsed


def lock_row(session: Session, model: type[T], key: object) -> T | None:
    """Read a row for change: `SELECT … FOR UPDATE` on Postgres.

    On SQLite the write transaction is exclusive: a row read in it once is good until its end, and not read again.
    """
    if session.get_bind().dialect.name == "sqlite":
        return session.get(model, key)
    return session.get(model, key, with_for_update=True, populate_existing=True)


def insert_ignoring(session: Session, model: type[Any], rows: list[dict[str, Any]], keys: list[str]) -> int:
    """Insert rows whose keys are not there yet; how many were new."""
    if not rows:
        return 0
    statement: Any
    if session.get_bind().dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert as sqlite_insert

        statement = sqlite_insert(model)
    else:
        from sqlalchemy.dialects.postgresql import insert as postgres_insert

        statement = postgres_insert(model)
    # Counted by what comes back: the drivers' row counts do not agree on a list of rows.
    first = sa.inspect(model).local_table.c[keys[0]]
    new = statement.values(rows).on_conflict_do_nothing(index_elements=keys).returning(first)
    return len(session.execute(new).all())


def count_rows(session: Session, model: type[Any]) -> int:
    """How many rows a table holds."""
    return int(session.execute(sa.select(sa.func.count()).select_from(model)).scalar_one())

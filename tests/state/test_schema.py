"""The schema is made, checked and upgraded, whatever state it is found in, and by whom at once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from state import journal, schema
from state.database import Database
from state.errors import SchemaMissing, SchemaNewer, SchemaOlder
from state.schema import HEAD, REVISIONS, SchemaState

ROOT = Path(__file__).parents[2]


@pytest.fixture
def earlier(monkeypatch: pytest.MonkeyPatch) -> None:
    """This program knows one revision more than the database has."""
    monkeypatch.setattr(schema, "REVISIONS", ("0000", *REVISIONS))


def set_version(database: Database, version: str) -> None:
    with database.write() as session:
        session.execute(sa.text("UPDATE alembic_version SET version_num = :version"), {"version": version})


def test_a_new_database_gets_the_schema_and_its_record(empty_url: str) -> None:
    with Database(empty_url) as database:
        done = schema.upgrade(database, actor="user:test")
        with database.read() as session:
            record = journal.read_latest(session, 1)[0]
            session.expunge(record)

        assert (done.before, done.after, done.revisions, done.backup) == (None, HEAD, REVISIONS, None)
        assert schema.status(database).state is SchemaState.CURRENT
        assert (record.kind, record.actor, record.data["to"]) == ("schema.upgraded", "user:test", HEAD)


def test_a_second_upgrade_does_nothing(database: Database) -> None:
    done = schema.upgrade(database)

    assert not done.changed
    with database.read() as session:
        assert journal.verify(session).records == 1


def test_the_migrations_make_exactly_the_tables(database: Database) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from state.tables import metadata

    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        assert compare_metadata(context, metadata) == []


def test_the_revisions_are_those_in_the_folder() -> None:
    files = sorted((ROOT / "state" / "migrations" / "versions").glob("[0-9]*.py"))

    assert tuple(file.name.partition("_")[0] for file in files) == REVISIONS


def test_every_table_of_the_models_is_in_the_one_list() -> None:
    from state.tables import TABLES, metadata

    assert {model.__tablename__ for model in TABLES} == set(metadata.tables)


def test_an_empty_database_is_missing_its_schema(empty_url: str) -> None:
    with Database(empty_url) as database, pytest.raises(SchemaMissing) as caught:
        schema.require_current(database)

    assert caught.value.hint == "sniper init"


def test_looking_at_a_database_that_is_not_there_does_not_make_it(tmp_path: Path) -> None:
    file = tmp_path / "nowhere" / "sniper.db"

    with Database(f"sqlite:///{file}") as database:
        assert schema.status(database).state is SchemaState.MISSING
    assert not file.parent.exists()


def test_a_newer_schema_stops_the_program_and_its_upgrade(database: Database) -> None:
    set_version(database, "9999")

    with pytest.raises(SchemaNewer, match="9999"):
        schema.require_current(database)
    with pytest.raises(SchemaNewer):
        schema.upgrade(database)


@pytest.mark.usefixtures("earlier")
def test_an_older_schema_stops_the_program(database: Database) -> None:
    set_version(database, "0000")

    with pytest.raises(SchemaOlder) as caught:
        schema.require_current(database)
    assert caught.value.hint == "sniper db upgrade"
    assert schema.status(database).pending == REVISIONS


@pytest.mark.usefixtures("earlier")
def test_a_copy_is_made_before_a_database_with_content_is_upgraded(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_version(sqlite_database, "0000")
    monkeypatch.setattr(schema, "_migrate", lambda connection: None)

    done = schema.upgrade(sqlite_database)

    assert done.backup is not None
    assert oct(done.backup.stat().st_mode & 0o777) == "0o600"
    with Database(f"sqlite:///{done.backup}") as copy, copy.read() as session:
        assert journal.verify(session).whole


def test_a_failed_upgrade_changes_nothing(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_: object) -> None:
        raise RuntimeError("halfway")

    monkeypatch.setattr(schema, "_journal", break_down)
    with Database(empty_url) as database:
        with pytest.raises(RuntimeError, match="halfway"):
            schema.upgrade(database)

        assert schema.status(database).state is SchemaState.MISSING
        assert sa.inspect(database.engine).get_table_names() == []


def test_four_processes_that_upgrade_at_once_do_it_once(empty_url: str) -> None:
    script = (
        "import sys; from state import schema; from state.database import Database;"
        "schema.upgrade(Database(sys.argv[1]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", script, empty_url]
    processes = [subprocess.Popen(command, cwd=ROOT, env=environment) for _ in range(4)]

    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0, 0]
    with Database(empty_url) as database, database.read() as session:
        assert journal.verify(session).records == 1


def test_the_check_at_every_start_imports_no_alembic(sqlite_database: Database) -> None:
    script = (
        "import sys; from state import schema; from state.database import Database;"
        "schema.require_current(Database(sys.argv[1])); sys.exit('alembic' in sys.modules)"
    )
    command = [sys.executable, "-c", script, str(sqlite_database.url)]

    assert (
        subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False).returncode
        == 0
    )

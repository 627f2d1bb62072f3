"""Walks the whole command tree and holds every command to the contract of the command line.

What reads takes -o, --json and --fields; what writes takes --dry-run; every help ends with examples that parse; no
secret ever stands in argv; the fields of every reading command are kept in tests/golden, one file a command.
"""

from __future__ import annotations

import ast
import inspect
import re
import shlex
import subprocess
import sys
import textwrap
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from commands.options import KIND
from sniper_cli.entry import hoist_profile
from sniper_cli.groups import GROUPS
from sniper_cli.output import Column
from sniper_cli.tree import LazyCommand, build, walk

OPERATORS = re.compile(r"\s(?:\||&&|>|<|;|&)(?:\s|$)")
GOLDEN = Path(__file__).parents[1] / "golden"
SECRETS = (
    "--secret",
    "--password",
    "--passphrase",
    "--private-key",
    "--key",
    "--mnemonic",
    "--token",
    "--api-key",
)
HEAVY = (
    "sqlalchemy",
    "sqlmodel",
    "pydantic",
    "pydantic_settings",
    "web3",
    "eth_account",
    "textual",
    "alembic",
    "keyring",
)


@cache
def root() -> Any:
    return build()


@cache
def tree() -> list[tuple[str, Any]]:
    return [(" ".join(path), command) for path, command in walk(root(), skip_missing=True)]


def kind(command: Any) -> str | None:
    return getattr(command.callback, KIND, None)


def options(command: Any, *, flags: bool = True) -> set[str]:
    return {
        name
        for parameter in command.params
        if flags or not getattr(parameter, "is_flag", False)
        for name in parameter.opts
    }


def each(*kinds: str) -> pytest.MarkDecorator:
    found = [(name, command) for name, command in tree() if not kinds or kind(command) in kinds]
    return pytest.mark.parametrize(("name", "command"), found, ids=[name for name, _ in found])


@pytest.mark.parametrize("spec", GROUPS, ids=lambda spec: spec.name)
def test_a_group_is_there_and_says_what_the_table_says(spec: Any) -> None:
    command = root().commands[spec.name]
    assert isinstance(command, LazyCommand)

    words = " ".join((command.load().help or "").partition("\n\n")[0].split())

    assert words == spec.help


@each()
def test_a_command_declares_what_it_does(name: str, command: Any) -> None:
    assert kind(command) in ("reads", "writes", "runs")


@each()
def test_help_is_a_sentence(name: str, command: Any) -> None:
    first = " ".join((command.help or "").partition("\n\n")[0].split())

    assert first.endswith(".")
    assert first[0].isupper()


def calls(command: Any) -> list[list[str]]:
    """The calls of Sniper in a command's examples, pipes and redirections apart."""
    parts = [
        part.strip() for example in getattr(command, "examples", []) for part in OPERATORS.split(example)
    ]
    return [
        hoist_profile(shlex.split(part, comments=True)[1:]) for part in parts if part.startswith("sniper ")
    ]


@each()
def test_help_ends_with_two_examples(name: str, command: Any) -> None:
    assert len(getattr(command, "examples", [])) >= 2
    assert len(calls(command)) >= 2
    assert any(call[: len(name.split())] == name.split() for call in calls(command))


@each()
def test_the_examples_parse(name: str, command: Any) -> None:
    size = len(name.split())
    for call in calls(command):
        if call[:size] == name.split():
            command.make_context(name, call[size:])


@each()
def test_every_option_is_explained(name: str, command: Any) -> None:
    silent = [
        parameter.name
        for parameter in command.params
        if not parameter.hidden and not getattr(parameter, "help", "")
    ]

    assert not silent


@each()
def test_no_secret_stands_in_argv(name: str, command: Any) -> None:
    """A flag that asks for a secret's export carries none; an option with a value would."""
    assert not options(command, flags=False) & set(SECRETS)


@each()
def test_a_profile_may_stand_anywhere(name: str, command: Any) -> None:
    assert {"-p", "--profile"} <= options(command)


@each("reads")
def test_what_reads_takes_the_formats(name: str, command: Any) -> None:
    assert {"-o", "--output", "--json", "--fields"} <= options(command)


@each("writes")
def test_what_writes_can_be_tried_dry(name: str, command: Any) -> None:
    assert "--dry-run" in options(command)


@each("reads")
def test_fields_are_never_renamed(name: str, command: Any) -> None:
    """A new field is added to the golden file; one that is missing breaks somebody's script."""
    fields = fields_of(command)
    file = GOLDEN / f"{name.replace(' ', '-')}.txt"
    if not file.exists():
        file.parent.mkdir(exist_ok=True)
        file.write_text("".join(f"{field}\n" for field in fields))
        pytest.fail(f"{file.name} was missing and is written now: look at it and commit it")

    kept = file.read_text().split()

    assert [field for field in kept if field not in fields] == []
    assert [field for field in fields if field not in kept] == [], "new fields: add them to the golden file"


def fields_of(command: Any) -> list[str]:
    """The names of all columns that the command, or a function of its module that it calls, names."""
    names = [column.name for column in _columns(inspect.unwrap(command.callback), set())]
    assert names, (
        "the columns must be a module's own tuple, so that they are known without running the command"
    )
    return list(dict.fromkeys(names))


def _columns(function: Any, seen: set[Any]) -> list[Column]:
    if function in seen:
        return []
    seen.add(function)
    space = {**vars(import_module(function.__module__))}
    body = list(ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))))
    for node in body:
        if isinstance(node, ast.ImportFrom) and node.module:
            module = import_module(node.module)
            names = {alias.asname or alias.name: alias.name for alias in node.names}
            space.update({known_as: getattr(module, name, None) for known_as, name in names.items()})
    found: list[Column] = []
    for node in body:
        value = space.get(node.id) if isinstance(node, ast.Name) else None
        if isinstance(node, ast.keyword) and node.arg == "columns" and isinstance(node.value, ast.Tuple):
            value = eval(compile(ast.Expression(node.value), "columns", "eval"), space)
        if isinstance(value, Column):
            found.append(value)
        elif isinstance(value, tuple) and value and all(isinstance(item, Column) for item in value):
            found += value
        elif inspect.isfunction(value) and _shows(value, function):
            found += _columns(value, seen)
    return found


def _shows(called: Any, caller: Any) -> bool:
    return called.__module__ in (caller.__module__, "sniper_cli.audit.reading")


def test_root_help_loads_nothing_heavy() -> None:
    script = (
        "import sys; from sniper_cli.entry import main; main(['--help']);"
        f"print([m for m in sys.modules if m.split('.')[0] in {HEAVY!r} or m.startswith('commands.')], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize("group", [spec.name for spec in GROUPS])
def test_the_help_of_a_group_loads_no_service(group: str) -> None:
    heavy = tuple(name for name in HEAVY if name != "pydantic")  # Typer's own, for options
    script = (
        f"import sys; from sniper_cli.entry import main; main([{group!r}, '--help']);"
        f"print([m for m in sys.modules if m.split('.')[0] in {heavy!r}], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stderr.strip() == "[]"


def test_the_version_needs_no_typer() -> None:
    script = (
        "import sys; from sniper_cli.entry import main; main(['--version']);"
        "sys.exit(any(name in sys.modules for name in ('typer', 'rich', 'pydantic', 'json')))"
    )

    assert subprocess.run([sys.executable, "-c", script], capture_output=True, check=False).returncode == 0

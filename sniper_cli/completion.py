"""What the shell completes: group names without importing Typer, names and ids from the local database.

Python's own sqlite3 reads the file: SQLAlchemy takes 170 ms to import, and a person waits for <TAB>. Never
the network; whatever fails, nothing is offered.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path

from sniper_cli.groups import GROUPS

LATEST = 50
"""Ids offered at most."""

TABLES = {
    "order": "order",
    "position": "position",
    "launch": "launch",
    "transaction": "chain_transaction",
}


def complete_first_word() -> bool:
    """Answer the shell if it asks for a group's name or for a profile; False leaves the answer to Typer."""
    shell = os.environ.get("_SNIPER_COMPLETE", "").removeprefix("complete_")
    words, incomplete = _words(shell)
    if words and words[-1] in ("-p", "--profile"):
        return _answer(shell, [(name, "") for name in profile_names_starting(incomplete)])
    if words or incomplete.startswith("-"):
        return False
    return _answer(shell, [(group.name, group.help) for group in GROUPS if group.name.startswith(incomplete)])


def _words(shell: str) -> tuple[list[str], str]:
    """The finished words after `sniper`, and the one being typed."""
    if shell == "bash":
        words = os.environ.get("COMP_WORDS", "").split()
        place = int(os.environ.get("COMP_CWORD", "1"))
        return words[1:place], words[place] if place < len(words) else ""
    line = os.environ.get("_TYPER_COMPLETE_ARGS", "")
    words = line.split()[1:]
    return (words[:-1], words[-1]) if words and not line.endswith(" ") else (words, "")


def _answer(shell: str, found: list[tuple[str, str]]) -> bool:
    if shell == "bash":
        lines = [name for name, _ in found]
    elif shell == "zsh" and found:
        inner = "\n".join(f'"{name}":"{_zsh(help_)}"' if help_ else f'"{name}"' for name, help_ in found)
        lines = [f"_arguments '*: :(({inner}))'"]
    elif shell == "fish" and os.environ.get("_TYPER_COMPLETE_FISH_ACTION") == "get-args":
        lines = [f"{name}\t{help_}" for name, help_ in found]
    else:
        return False
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return True


def _zsh(text: str) -> str:
    return text.replace('"', '""').replace("'", "''").replace(":", r"\\:")


def profile_names_starting(incomplete: str) -> list[str]:
    """Profiles: built-in ones and those of the file."""
    import tomllib

    from sniper_cli.settings.paths import home_paths

    names = ["paper", "devnet"]
    with suppress(OSError, tomllib.TOMLDecodeError):
        tables = tomllib.loads(home_paths().config_file.read_text(encoding="utf-8"))
        names += [name for name in tables.get("profile", {}) if name not in names]
    return _starting(names, incomplete)


def ids_starting(table: str, incomplete: str) -> list[str]:
    """The latest ids of a table, as short as tables show them."""
    rows = _query(f'SELECT id FROM "{TABLES[table]}" ORDER BY id DESC LIMIT {LATEST}')  # noqa: S608 - own words
    short = [str(identifier).replace("-", "")[-12:] for identifier in rows]
    return _starting(short, incomplete)


def instruments_starting(incomplete: str) -> list[str]:
    """Symbols: the simulated market's, and those of other venues seen so far. `b` completes as `B` does."""
    from sniper_cli.market.instruments import INSTRUMENTS

    seen = _query("SELECT DISTINCT symbol FROM instrument ORDER BY symbol LIMIT 500")
    symbols = dict.fromkeys([*(spec.symbol for spec in INSTRUMENTS.values()), *map(str, seen)])
    return _starting(symbols, incomplete) or _starting(symbols, incomplete.upper())


def accounts_starting(incomplete: str) -> list[str]:
    """Names of accounts."""
    names = _query("SELECT name FROM account ORDER BY name LIMIT 500")
    return _starting([str(name) for name in names], incomplete)


def endpoints_starting(incomplete: str) -> list[str]:
    """Names of the endpoints on the desk's list."""
    names = _query("SELECT name FROM endpoint ORDER BY name LIMIT 500")
    return _starting([str(name) for name in names], incomplete)


def leases_starting(incomplete: str) -> list[str]:
    """Names of the leases that somebody holds."""
    names = _query("SELECT name FROM lease WHERE holder <> '' ORDER BY name LIMIT 500")
    return _starting([str(name) for name in names], incomplete)


def _query(sql: str) -> list[object]:
    import sqlite3

    file = _database_file()
    if file is None or not file.is_file():
        return []
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=0.1)) as connection,
    ):
        return [row[0] for row in connection.execute(sql)]
    return []


def _database_file() -> Path | None:
    """The SQLite file of the active profile, as far as that can be told without loading the settings."""
    from sniper_cli.settings.paths import home_paths

    url = os.environ.get("SNIPER_DATABASE_URL", "")
    if url:
        return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None
    return home_paths().database_file


def _starting(candidates: Iterable[str], incomplete: str) -> list[str]:
    return [candidate for candidate in candidates if candidate.startswith(incomplete)]

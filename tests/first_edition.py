"""A database as the first edition left it: schema 0001 with what its own code wrote, taken down row by row.

A paper account that bought, sold, let orders rest and was killed between recording an order and sending it; an account
on a chain with a fee in tokens, a sale out of two lots, a reorganisation that took a sale back, and tokens that
vanished.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from state.database import Database

FILE = Path(__file__).parent / "state" / "databases" / "first_edition.json"

TRUTHS = {"tripped"}
TIMES = {
    "at", "closed_at", "created_at", "expires_at", "judged_at", "marked_at", "opened_at", "reversed_at", "seen_at",
    "sent_at", "settled_at", "updated_at",
}  # fmt: skip


def lay(url: str) -> dict[str, list[dict[str, Any]]]:
    """Make that database; the rows that it holds."""
    content: dict[str, list[dict[str, Any]]] = json.loads(FILE.read_text())
    with Database(url) as database, database.engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(files("state") / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        del content["alembic_version"]
        for table, rows in content.items():
            for row in rows:
                _insert(connection, table, row, on_sqlite=database.is_sqlite)
    return content


def _insert(connection: sa.Connection, table: str, row: dict[str, Any], *, on_sqlite: bool) -> None:
    names = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join(f":{name}" for name in row)
    values = row if on_sqlite else {name: _for_postgres(name, value) for name, value in row.items()}
    connection.execute(sa.text(f'INSERT INTO "{table}" ({names}) VALUES ({marks})'), values)


def _for_postgres(name: str, value: Any) -> Any:
    if name in TIMES and value is not None:
        return f"{value}+00"
    return bool(value) if name in TRUTHS else value

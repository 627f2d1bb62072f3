"""`sniper config`: the settings, where each came from, and how to change them."""

from __future__ import annotations

from typing import Annotated

import typer

from commands.options import (
    DryRunOption,
    FieldsOption,
    FormatOption,
    JsonOption,
    ProfileOption,
    reads,
    runs,
    writes,
)
from sniper_cli.output import Column, Format, emit, format_of, note

app = typer.Typer(help="Show, change and validate the settings.")

SETTINGS = (
    Column("key", priority=0),
    Column("value", priority=0),
    Column("origin", priority=1, style=lambda origin: "dim" if origin == "code" else "accent"),
    Column("place", priority=2, elastic=True),
)
CHANGE = (
    Column("key"),
    Column("before"),
    Column("after"),
    Column("file"),
    Column("dry_run"),
    Column("journalled"),
)
PROBLEMS = (
    Column("key", priority=0),
    Column("message", priority=0, elastic=True),
    Column("line", right=True),
    Column("near"),
    Column("file", priority=3, elastic=True),
)
PATHS = (Column("what", priority=0), Column("path", priority=0), Column("exists"))


def complete_keys(incomplete: str) -> list[str]:
    """Dotted keys, for the shell."""
    from sniper_cli.settings.keys import known_keys

    return [key for key in known_keys() if key.startswith(incomplete)]


KeyArgument = Annotated[
    str, typer.Argument(help="A dotted key: sniping.amount.", autocompletion=complete_keys)
]


@app.command()
@reads
def show(
    changed: Annotated[
        bool, typer.Option("--changed", help="Only what differs from the code's defaults.")
    ] = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Show every setting with its origin; secrets are hidden.

    Examples:
        $ sniper config show --changed
        $ sniper config show --json --fields key,value
    """
    from sniper_cli.settings import load
    from sniper_cli.settings.reading import rows

    found = [row for row in rows(load(profile)) if not changed or row["origin"] != "code"]
    emit(found, fmt=format_of(output, json), fields=fields, columns=SETTINGS)


@app.command()
@reads
def get(
    key: KeyArgument,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Show one setting and where it comes from.

    Examples:
        $ sniper config get sniping.amount
        $ sniper config get sniping.exits.stop_loss_pct --json
    """
    from sniper_cli.settings import load
    from sniper_cli.settings.reading import row

    emit(row(load(profile), key), fmt=format_of(output, json), fields=fields, columns=SETTINGS)


@app.command("set")
@writes
def set_(
    key: KeyArgument,
    value: Annotated[str, typer.Argument(help="The new value.")],
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Set a value for all profiles, or with -p for one; comments in the file stay.

    Examples:
        $ sniper config set sniping.amount 0.05 --dry-run
        $ sniper config set sniping.max_open_positions 5 -p devnet
    """
    from sniper_cli.audit.acts import apply_change
    from sniper_cli.settings.paths import home_paths
    from sniper_cli.settings.writing import set_value

    paths = home_paths()
    change = set_value(paths.config_file, key, value, profile=profile)
    journalled = False if dry_run else apply_change(change, paths)
    row = {"key": change.subject, **change.data, "dry_run": dry_run, "journalled": journalled}
    emit(row, fmt=format_of(output, json), fields=fields, columns=CHANGE)


@app.command()
@writes
def unset(
    key: KeyArgument,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Take a value out of the file, so that the next weaker source counts.

    Examples:
        $ sniper config unset sniping.amount --dry-run
        $ sniper config unset sniping.amount -p devnet
    """
    from sniper_cli.audit.acts import apply_change
    from sniper_cli.settings.paths import home_paths
    from sniper_cli.settings.writing import unset_value

    paths = home_paths()
    change = unset_value(paths.config_file, key, profile=profile)
    journalled = False if dry_run else apply_change(change, paths)
    row = {"key": change.subject, **change.data, "dry_run": dry_run, "journalled": journalled}
    emit(row, fmt=format_of(output, json), fields=fields, columns=CHANGE)


@app.command()
@reads
def validate(
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Check the file, every profile in it and the environment; problems come with file, line and the near key.

    Examples:
        $ sniper config validate
        $ sniper config validate --json
    """
    from sniper_cli.settings.reading import all_problems, require_none

    problems = all_problems()
    emit(
        problems, fmt=format_of(output, json), fields=fields, columns=PROBLEMS, empty="the settings are sound"
    )
    require_none(problems)


@app.command()
@reads
def path(
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Show where Sniper keeps its files.

    Examples:
        $ sniper config path
        $ sniper config path -o csv --fields what,path
    """
    from sniper_cli.settings.reading import places

    emit(places(), fmt=format_of(output, json), fields=fields, columns=PATHS)


@app.command()
@runs
def schema() -> None:
    """Print the JSON Schema of a profile's table, for editors.

    Examples:
        $ sniper config schema
        $ sniper config schema > sniper.schema.json
    """
    from sniper_cli.settings.reading import json_schema

    typer.echo(json_schema())
    note("the schema of [default] and of each [profile.NAME]", "dim")

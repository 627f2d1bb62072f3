"""`sniper profile`: which settings are in force together, and what they trade with."""

from __future__ import annotations

from typing import Annotated

import typer

from commands.options import (
    DryRunOption,
    FieldsOption,
    FormatOption,
    JsonOption,
    YesOption,
    complete_profiles,
    reads,
    writes,
)
from sniper_cli.output import Column, Format, confirm, emit, format_of

app = typer.Typer(help="List, choose, create and delete profiles.")

PROFILES = (
    Column("name", priority=0),
    Column("mode", priority=0, style=lambda mode: "bad" if mode == "live" else "good"),
    Column("active"),
    Column("built_in", header="built in"),
    Column("database", priority=2, elastic=True),
    Column("chain_id", header="chain id", right=True, priority=1),
    Column("account", priority=1),
)
CHANGE = (
    Column("profile"),
    Column("before"),
    Column("after"),
    Column("file"),
    Column("dry_run"),
    Column("journalled"),
)

NameArgument = Annotated[str, typer.Argument(help="The profile's name.", autocompletion=complete_profiles)]


@app.command("list")
@reads
def list_(
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """List the profiles, built-in ones first.

    Examples:
        $ sniper profile list
        $ sniper profile list --json --fields name,mode
    """
    from sniper_cli.settings.profiles import summaries

    emit(summaries(), fmt=format_of(output, json), fields=fields, columns=PROFILES)


@app.command()
@reads
def show(
    name: NameArgument,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Show one profile; all its settings are in config show.

    Examples:
        $ sniper profile show paper
        $ sniper profile show devnet --json
    """
    from sniper_cli.settings.profiles import summary

    emit(summary(name), fmt=format_of(output, json), fields=fields, columns=PROFILES)


@app.command()
@writes
def use(
    name: NameArgument,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Make a profile the active one, wherever -p and SNIPER_PROFILE say nothing.

    Examples:
        $ sniper profile use devnet --dry-run
        $ sniper profile use paper
    """
    from sniper_cli.audit.acts import change_profile

    emit(
        change_profile("use", name, dry_run=dry_run),
        fmt=format_of(output, json),
        fields=fields,
        columns=CHANGE,
    )


@app.command()
@writes
def create(
    name: Annotated[str, typer.Argument(help="The new profile's name.")],
    copy_of: Annotated[
        str | None,
        typer.Option("--from", help="Start as a copy of this one.", autocompletion=complete_profiles),
    ] = None,
    values: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting; repeatable.")
    ] = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Create a profile in the configuration file.

    Examples:
        $ sniper profile create careful --from devnet --set sniping.amount=0.01 --dry-run
        $ sniper profile create second --from paper --set account=second
    """
    from sniper_cli.audit.acts import change_profile
    from sniper_cli.settings.profiles import assignments

    row = change_profile("create", name, copy_of=copy_of, values=assignments(values or []), dry_run=dry_run)
    emit(row, fmt=format_of(output, json), fields=fields, columns=CHANGE)


@app.command()
@writes
def delete(
    name: NameArgument,
    yes: YesOption = False,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Delete a profile from the configuration file; its orders and accounts stay in the database.

    Examples:
        $ sniper profile create spare --from paper
        $ sniper profile delete spare --yes
    """
    from sniper_cli.audit.acts import change_profile

    if not dry_run:
        change_profile("delete", name, dry_run=True)
        confirm(f"Delete the profile {name!r} from the configuration file?", yes=yes)
    emit(
        change_profile("delete", name, dry_run=dry_run),
        fmt=format_of(output, json),
        fields=fields,
        columns=CHANGE,
    )

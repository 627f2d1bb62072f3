"""`sniper help`: topics that belong to no single command, and the man page."""

from __future__ import annotations

import typer

from commands.options import FieldsOption, FormatOption, JsonOption, reads, runs
from sniper_cli.output import Column, Format, emit, format_of

app = typer.Typer(help="Topics: exit codes, formats, environment, the man page.")

TOPIC_COLUMNS = (Column("topic", priority=0), Column("about", elastic=True))
CODES = (Column("code", right=True, priority=0), Column("name", priority=0), Column("meaning", elastic=True))


@app.command()
@reads
def topics(
    output: FormatOption = Format.TABLE, json: JsonOption = False, fields: FieldsOption = None
) -> None:
    """List the topics.

    Examples:
        $ sniper help topics
        $ sniper help topics --json
    """
    from sniper_cli.topics import TOPICS

    rows = [{"topic": name, "about": about} for name, (about, _) in TOPICS.items()]
    emit(rows, fmt=format_of(output, json), fields=fields, columns=TOPIC_COLUMNS)


@app.command("exit-codes")
@reads
def exit_codes(
    output: FormatOption = Format.TABLE, json: JsonOption = False, fields: FieldsOption = None
) -> None:
    """Say what each exit code means.

    Examples:
        $ sniper help exit-codes
        $ sniper help exit-codes --json
    """
    from sniper_cli.topics import EXIT_CODES

    rows = [{"code": code, "name": name, "meaning": meaning} for code, name, meaning in EXIT_CODES]
    emit(rows, fmt=format_of(output, json), fields=fields, columns=CODES)


@app.command()
@runs
def formats() -> None:
    """Explain output formats, fields, limits and times.

    Examples:
        $ sniper help formats
        $ sniper help formats | head -1
    """
    _tell("formats")


@app.command()
@runs
def environment() -> None:
    """List the environment variables that Sniper reads.

    Examples:
        $ sniper help environment
        $ sniper help environment | grep HOME
    """
    _tell("environment")


@app.command()
@runs
def settings() -> None:
    """Explain where settings come from.

    Examples:
        $ sniper help settings
        $ sniper help settings | head -1
    """
    _tell("settings")


@app.command()
@runs
def journal() -> None:
    """Explain the record that answers for every act.

    Examples:
        $ sniper help journal
        $ sniper help journal | head -1
    """
    _tell("journal")


@app.command()
@runs
def man() -> None:
    """Print the manual in roff, for man -l -.

    Examples:
        $ sniper help man
        $ sniper help man > sniper.1
    """
    from sniper_cli.topics import man_page

    typer.echo(man_page(), nl=False)


def _tell(topic: str) -> None:
    from sniper_cli.topics import TOPICS

    typer.echo(TOPICS[topic][1]())

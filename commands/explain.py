"""`sniper explain`: why it happened, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from commands.options import (
    FieldsOption,
    FormatOption,
    JsonOption,
    ProfileOption,
    complete_orders,
    reads,
)
from sniper_cli.output import Column, Format, emit, format_of, paint

if TYPE_CHECKING:
    from sniper_cli.trading.explanation import Chapter

app = typer.Typer()

STORY = (
    Column("kind"),
    Column("title"),
    Column("id", exact=True),
    Column("at"),
    Column("ok"),
    Column("facts"),
    Column("chapters"),
)
MARKS = {True: ("✓", "good"), False: ("✗", "bad"), None: ("", "")}


@app.command()
@reads
def explain(
    subject: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="An order, a launch or a position; its id's tail will do.",
            autocompletion=complete_orders,
        ),
    ],
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Tell the whole story of an order or a launch.

    The signal, every check with its figures, transactions, fills, lots and the journal's records.

    Examples:
        $ sniper explain my-first-order
        $ sniper explain my-first-order --json --fields title,facts
    """
    from sniper_cli.context import open_context
    from sniper_cli.trading import explanation

    fmt = format_of(output, json)
    with open_context(profile) as context, context.database.read() as session:
        story = explanation.explain(session, subject)
    if fmt is Format.TABLE and fields is None:
        for line in _lines(story):
            typer.echo(line)
        return
    emit(story, columns=STORY, fmt=fmt, fields=fields)


def _lines(chapter: Chapter, indent: str = "", branch: str = "") -> Iterator[str]:
    """The story as a tree, a line for a chapter and one for its figures."""
    mark, colour = MARKS[chapter.ok]
    told = f"{paint(mark, colour)} {chapter.title}" if mark else chapter.title
    name = paint(chapter.kind.replace("_", " "), "dim")
    yield f"{indent}{branch}{name} {told}"
    deeper = indent + {"": "", "├─ ": "│  ", "└─ ": "   "}[branch]
    stem = "│  " if chapter.chapters else "   "
    for fact in _facts(chapter):
        yield f"{deeper}{stem}{paint(fact, 'dim')}"
    for index, below in enumerate(chapter.chapters):
        last = index == len(chapter.chapters) - 1
        yield from _lines(below, deeper, "└─ " if last else "├─ ")


def _facts(chapter: Chapter) -> Iterator[str]:
    """Figures as short lines; those of checks, records and reasons are in the title or in the JSON."""
    if chapter.kind == "record":
        return
    if chapter.id is not None:
        yield f"id {chapter.id}"
    figures = {name: value for name, value in chapter.facts.items() if not isinstance(value, dict)}
    words = [f"{name.replace('_', ' ')} {_word(value)}" for name, value in figures.items()]
    for start in range(0, len(words), 3):
        yield ", ".join(words[start : start + 3])


def _word(value: object) -> str:
    from datetime import datetime
    from decimal import Decimal

    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%SZ")
    if isinstance(value, Decimal):
        return f"{value:f}"
    return "; ".join(map(str, value)) if isinstance(value, list) else str(value)

"""The terminal: whether there is one, how wide it is, its colours, and questions to the person before it.

No escape byte leaves for a pipe, under NO_COLOR or with TERM=dumb, not even where a CI variable
(GITHUB_ACTIONS) makes other libraries colour pipes.
"""

from __future__ import annotations

import os
import shutil
import sys
from typing import TextIO

from sniper_cli.errors import ConfirmationNeeded

CODES = {"good": "32", "bad": "31", "warn": "33", "dim": "2", "strong": "1", "accent": "36"}

NARROWEST = 20


def stdout_is_terminal() -> bool:
    return sys.stdout.isatty()


def stderr_is_terminal() -> bool:
    """Progress is only shown to a person."""
    return sys.stderr.isatty()


def coloured(stream: TextIO) -> bool:
    """Whether escape codes may go to a stream."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(os.environ.get("FORCE_COLOR")) or stream.isatty()


def paint(text: str, style: str | None, stream: TextIO | None = None) -> str:
    """The text in a colour, where colours may go."""
    if style is None or not text or not coloured(stream or sys.stdout):
        return text
    return f"\x1b[{CODES[style]}m{text}\x1b[0m"


def width() -> int | None:
    """Columns of the terminal; None for a pipe, which takes any width."""
    if os.environ.get("COLUMNS", "").isdigit():
        return max(int(os.environ["COLUMNS"]), NARROWEST)
    return max(shutil.get_terminal_size().columns, NARROWEST) if stdout_is_terminal() else None


def encodable(text: str, fallback: str) -> str:
    """`text` if stdout's encoding has it, else the fallback: an ASCII locale gets ASCII."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return fallback
    return text


def note(text: str, style: str | None = None) -> None:
    """Narration, on stderr."""
    print(paint(text, style, sys.stderr), file=sys.stderr, flush=True)  # noqa: T201 - this is where text leaves


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something is done that cannot be undone. Returns if agreed.

    Raises ConfirmationNeeded without a terminal (a script never hangs here) and Declined on "no".
    """
    if yes:
        return
    if not (sys.stdin.isatty() and stderr_is_terminal()):
        raise ConfirmationNeeded(
            f"{question} There is no terminal to ask on", hint="add --yes to agree beforehand"
        )
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)  # noqa: T201
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Declined("nothing was done")


class Declined(ConfirmationNeeded):
    """The person said no."""

    code = "declined"

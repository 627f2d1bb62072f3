"""Errors as a person or a program reads them, and the strangers among them translated into ours."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from sniper_cli.entry import STORAGE
from sniper_cli.errors import ConfigurationError, SniperError, UsageProblem
from sniper_cli.output.formats import plain
from sniper_cli.output.terminal import paint


class StorageProblem(ConfigurationError):
    """The disk is full, read-only or not ours."""

    code = "storage"


class Aborted(UsageProblem):
    """The person left a prompt."""

    code = "aborted"


def render(error: SniperError, *, as_json: bool) -> None:
    """One line and a hint on stderr, or one JSON object."""
    if as_json:
        body = {
            "code": error.code,
            "message": error.message,
            "hint": error.hint,
            "details": plain(error.details),
        }
        print(json.dumps({"error": body}), file=sys.stderr)  # noqa: T201 - this is where text leaves
        return
    print(f"{paint('error:', 'bad', sys.stderr)} {one_line(error.message)}", file=sys.stderr)  # noqa: T201
    if error.hint:
        print(f"{paint('hint:', 'accent', sys.stderr)} {one_line(error.hint)}", file=sys.stderr)  # noqa: T201


def one_line(text: str) -> str:
    """On one line, without control characters: parts of it may come from a chain or a file."""
    joined = " ".join(text.split())
    return "".join(letter if letter.isprintable() else "�" for letter in joined)


def as_sniper_error(error: Exception, arguments: Sequence[str]) -> SniperError | None:
    """Typer's complaints, the disk's and a left prompt as errors of ours; None for a bug."""
    import typer
    from typer.exceptions import TyperException

    if isinstance(error, TyperException):
        return _usage(error, arguments)
    if isinstance(error, typer.Abort):
        return Aborted("aborted")
    if isinstance(error, OSError) and error.errno in STORAGE:
        where = f": {error.filename}" if error.filename else ""
        return StorageProblem(f"{STORAGE[error.errno]}{where}", hint="sniper doctor")
    return None


def _usage(error: Exception, arguments: Sequence[str]) -> SniperError:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "sniper"
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    return UsageProblem(message.rstrip("."), hint=f"{path} --help", arguments=list(arguments))

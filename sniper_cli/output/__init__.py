"""What leaves the program: data on stdout in the format that was asked for, narration and questions on stderr."""

from __future__ import annotations

from sniper_cli.output.emission import cut, emit
from sniper_cli.output.formats import Column, Format, format_of
from sniper_cli.output.terminal import confirm, note, paint, stderr_is_terminal, stdout_is_terminal

__all__ = [
    "Column",
    "Format",
    "confirm",
    "cut",
    "emit",
    "format_of",
    "note",
    "paint",
    "stderr_is_terminal",
    "stdout_is_terminal",
]

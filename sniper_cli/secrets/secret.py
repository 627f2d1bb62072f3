"""A secret in memory: it shows itself to nobody who does not ask for it by name.

A log line, an error's details, a repr in a traceback and the journal all go through `str`; so `str` and `repr`
of a secret are stars, and only `reveal()` gives the text.
"""

from __future__ import annotations

import hmac
import re
from typing import NoReturn

from sniper_cli.errors import UsageProblem

HIDDEN = "********"

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
"""A secret's name is a file name, a part of an environment variable and an argument: plain in all three."""


class Secret:
    """A text that must not be shown."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the one call that needs it."""
        return self._text

    def __repr__(self) -> str:
        return f"Secret({HIDDEN!r})"

    def __str__(self) -> str:
        return HIDDEN

    def __format__(self, spec: str) -> str:
        return format(HIDDEN, spec)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written to a file or sent to another process")


def checked_name(name: str) -> str:
    """The name, if it may stand in a path and in an environment variable.

    Raises UsageProblem.
    """
    if not NAME.fullmatch(name):
        raise UsageProblem(
            f"{name!r} is no name for a secret: lower-case letters, digits, - and _, at most 64",
            hint="sniper wallet list",
        )
    return name

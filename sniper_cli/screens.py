"""The registry of full-screen views: how a command opens one without importing `tui`.

Commands and the TUI stand side by side and never import each other; both know this table of names. A
view is loaded when it is opened, so that no other command pays for Textual.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import RenderableType

    Runtime = Callable[[], Awaitable["RenderableType | None"]]
    """Work that lives inside a screen: started when the screen opens, cancelled and awaited when it closes.

    What it returns, text or a Rich renderable, is its final report and stands in the summary screen.
    """

SCREENS = {
    "dashboard": "tui.app:run",
    "demo": "tui.app:run_demo",
}
"""`dashboard(context, *, panel="launches")`; `demo(context, runtime) -> what the runtime returned`."""


def open_screen(name: str, *args: Any, **options: Any) -> Any:
    """Open a full-screen view and return when the person leaves it. Raises KeyError for a name not in the table."""
    module, _, function = SCREENS[name].partition(":")
    return getattr(import_module(module), function)(*args, **options)


def has_terminal() -> bool:
    """Whether there is a terminal to draw on and to read keys from."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def require_terminal() -> None:
    """Raise UsageProblem where there is none: a pipe gets the commands' own output instead."""
    from sniper_cli.errors import UsageProblem

    if not has_terminal():
        raise UsageProblem(
            "the dashboard needs a terminal to draw on and to read keys from",
            hint="sniper snipe launches --json",
        )

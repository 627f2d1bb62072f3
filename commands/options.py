"""The options that mean the same in every command, and the mark that says whether a command reads or writes.

A conformance test walks the whole tree and holds every command to its mark: what reads takes the formats,
what writes takes --dry-run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

import typer

from sniper_cli.output.formats import Column, Format
from sniper_cli.output.terminal import stdout_is_terminal

F = TypeVar("F", bound=Callable[..., Any])

KIND = "__sniper_kind__"


def reads(function: F) -> F:
    """Marks a command that only reads: it takes -o, --json and --fields."""
    setattr(function, KIND, "reads")
    return function


def writes(function: F) -> F:
    """Marks a command that changes something: it takes --dry-run."""
    setattr(function, KIND, "writes")
    return function


def runs(function: F) -> F:
    """Marks a command that opens something for a person or a long run (a screen, a demo, a shell): neither kind."""
    setattr(function, KIND, "runs")
    return function


def complete_profiles(incomplete: str) -> list[str]:
    """Names of profiles, for the shell."""
    from sniper_cli.completion import profile_names_starting

    return profile_names_starting(incomplete)


def complete_orders(incomplete: str) -> list[str]:
    """Ids of recent orders, for the shell."""
    from sniper_cli.completion import ids_starting

    return ids_starting("order", incomplete)


def complete_transactions(incomplete: str) -> list[str]:
    """Ids of recent transactions, for the shell."""
    from sniper_cli.completion import ids_starting

    return ids_starting("transaction", incomplete)


def complete_positions(incomplete: str) -> list[str]:
    """Ids of recent positions, for the shell."""
    from sniper_cli.completion import ids_starting

    return ids_starting("position", incomplete)


def complete_launches(incomplete: str) -> list[str]:
    """Ids of recent launches, for the shell."""
    from sniper_cli.completion import ids_starting

    return ids_starting("launch", incomplete)


def complete_instruments(incomplete: str) -> list[str]:
    """Symbols of known instruments, for the shell."""
    from sniper_cli.completion import instruments_starting

    return instruments_starting(incomplete)


def complete_accounts(incomplete: str) -> list[str]:
    """Names of accounts, for the shell."""
    from sniper_cli.completion import accounts_starting

    return accounts_starting(incomplete)


def complete_endpoints(incomplete: str) -> list[str]:
    """Names of endpoints, for the shell."""
    from sniper_cli.completion import endpoints_starting

    return endpoints_starting(incomplete)


def complete_leases(incomplete: str) -> list[str]:
    """Names of leases that are held, for the shell."""
    from sniper_cli.completion import leases_starting

    return leases_starting(incomplete)


ProfileOption = Annotated[
    str | None,
    typer.Option(
        "--profile", "-p", metavar="NAME", help="The profile to use.", autocompletion=complete_profiles
    ),
]
AccountOption = Annotated[
    str | None,
    typer.Option("--account", metavar="NAME", help="Only this account.", autocompletion=complete_accounts),
]
FormatOption = Annotated[Format, typer.Option("--output", "-o", help="How to write the result.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Short for -o json; errors are JSON too.")]
FieldsOption = Annotated[
    str | None, typer.Option("--fields", metavar="A,B", help="Only these fields, in this order.")
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be done and do nothing.")]
LimitOption = Annotated[int, typer.Option("--limit", min=1, metavar="N", help="At most so many.")]
AfterOption = Annotated[str | None, typer.Option("--after", metavar="CURSOR", help="Go on after this one.")]
AllOption = Annotated[bool, typer.Option("--all", help="Without a limit.")]
SinceOption = Annotated[
    str | None, typer.Option("--since", metavar="TIME", help="Only later: 2h, now-1d, 2026-01-31.")
]
UntilOption = Annotated[
    str | None, typer.Option("--until", metavar="DAY", help="Up to this day: 7d, 2026-01-31.")
]
WatchOption = Annotated[
    float | None,
    typer.Option("--watch", min=0.1, metavar="SECONDS", help="Again and again, so often, until ^C."),
]


def require_fields(columns: Sequence[Column], fields: str | None) -> None:
    """Refuse an unknown field before anything is written, not after. Raises UsageProblem."""
    from sniper_cli.output.emission import choose

    choose(columns, fields)


def watched(seconds: float | None, output: Format, show: Callable[[Format], None]) -> None:
    """Show once, or again every `seconds`: on a cleared screen in a terminal, as JSON lines in a pipe."""
    if seconds is None:
        show(output)
        return
    terminal = stdout_is_terminal()
    chosen = output if terminal or output is not Format.TABLE else Format.JSONL
    while True:
        if terminal and chosen is Format.TABLE:
            typer.echo("\x1b[H\x1b[2J", nl=False)
        show(chosen)
        time.sleep(seconds)

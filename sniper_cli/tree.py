"""The command tree for Typer, built from the table of groups without importing any of them."""

from __future__ import annotations

import os
import re
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from sniper_cli.errors import SniperError
from sniper_cli.groups import GROUPS, Lazy

EXAMPLES = re.compile(r"(?:^|\n)\s*Examples:[ \t]*\n(?P<lines>.*)\Z", re.DOTALL)
"""The block that ends every command's docstring."""

COMPLETION = ("install_completion", "show_completion")


class GroupMissing(SniperError):
    """This build does not contain the group."""

    code = "group_missing"


class LazyCommand(TyperGroup):
    """Stands in for a group until somebody enters it."""

    def __init__(self, spec: Lazy) -> None:
        super().__init__(name=spec.name, help=spec.help, short_help=spec.help, rich_help_panel=spec.panel)
        self._spec = spec
        self._real: Any = None

    def load(self) -> Any:
        """Import the module and build the real command, once."""
        if self._real is None:
            try:
                module = import_module(self._spec.module)
            except ModuleNotFoundError as error:
                if error.name != self._spec.module:
                    raise
                raise GroupMissing(
                    f"this build has no {self._spec.name!r}", hint="uv tool install --reinstall sniper-cli"
                ) from error
            self._real = typer.main.get_command(module.app)
            self._real.name = self._spec.name
            # Typer offers completion's options at every app; ours stand at the root alone.
            self._real.params = [p for p in self._real.params if p.name not in COMPLETION]
            dress(self._real)
        return self._real

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **extra: Any) -> Any:
        """Enter the group: from here on the context holds the real command. A bare name shows its help."""
        real = self.load()
        if not args and isinstance(real, TyperGroup) and not real.invoke_without_command:
            args = ["--help"]
        return real.make_context(info_name, args, *rest, **extra)

    # What walks the tree: documentation, tests, completion.
    def list_commands(self, ctx: Any) -> list[str]:
        real = self.load()
        return real.list_commands(ctx) if isinstance(real, TyperGroup) else []

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return self.load().get_command(ctx, cmd_name)

    def get_params(self, ctx: Any) -> Any:
        return self.load().get_params(ctx)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        pieces: list[str] = self.load().collect_usage_pieces(ctx)
        return pieces


class Root(TyperGroup):
    """The root: its groups are lazy, in the order of the table."""

    def __init__(self, **options: Any) -> None:
        own = options.pop("commands", None) or {}
        super().__init__(commands={**own, **{spec.name: LazyCommand(spec) for spec in GROUPS}}, **options)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - Typer's signature
        return [spec.name for spec in GROUPS]


def build() -> Any:
    """The root command."""
    app = typer.Typer(
        name="sniper",
        cls=Root,
        help="Sniper: launches judged and traded, orders that are never lost or doubled, a record that answers for it.",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["--help"]},
    )

    @app.callback()
    def root(
        profile: str = typer.Option(
            "", "--profile", "-p", metavar="NAME", help="The profile to use; may stand anywhere."
        ),
        version: bool = typer.Option(False, "--version", help="Print the version and leave."),
    ) -> None:
        # Both are answered at the door, before Typer; they stand here for the help.
        del profile, version

    return typer.main.get_command(app)


def _profile_option() -> Any:
    """The option that a command without a profile of its own takes and ignores."""
    app = typer.Typer(add_completion=False)

    @app.command()
    def carrier(profile: str = typer.Option("", "--profile", "-p", hidden=True)) -> None:
        del profile

    option = typer.main.get_command(app).params[0]
    option.expose_value = False
    return option


def dress(command: Any) -> None:
    """Move the examples of every command to the end of its help, and keep Rich from reading brackets as markup."""
    rich = os.environ.get("TYPER_USE_RICH") != "0"
    text = command.help or ""
    if isinstance(command, TyperGroup):
        for sub in command.commands.values():
            dress(sub)
    elif not any("--profile" in parameter.opts for parameter in command.params):
        command.params.append(_profile_option())
    if found := EXAMPLES.search(text):
        lines = [line.strip() for line in found["lines"].splitlines() if line.strip()]
        command.examples = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        # Rich joins the lines of a paragraph; the plain formatter keeps those after \b.
        command.epilog = (
            "\n\n".join(["Examples:", *lines])
            if rich
            else "\n".join(["\b", "Examples:", *(f"  {x}" for x in lines)])
        )
        text = text[: found.start()]
    command.help = text.rstrip()
    # Left to itself, the list of commands cuts a sentence at the line's end.
    command.short_help = command.short_help or " ".join(command.help.partition("\n\n")[0].split())
    if rich:
        from rich.markup import escape

        command.help = escape(command.help)
        command.short_help = escape(command.short_help)
        command.epilog = escape(command.epilog) if command.epilog else None
        for parameter in command.params:
            if getattr(parameter, "help", None):
                parameter.help = escape(parameter.help)


def walk(
    command: Any, path: tuple[str, ...] = (), *, skip_missing: bool = False
) -> list[tuple[tuple[str, ...], Any]]:
    """Every command that can be run, with its words: for the reference, the man page and the tests."""
    if isinstance(command, LazyCommand):
        try:
            command = command.load()
        except GroupMissing:
            if skip_missing:
                return []
            raise
    if not isinstance(command, TyperGroup):
        return [(path, command)]
    found = []
    for name in command.list_commands(None):  # type: ignore[arg-type]
        found.extend(walk(command.commands[name], (*path, name), skip_missing=skip_missing))
    return found

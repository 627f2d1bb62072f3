"""The reference as text: a page a group from the command tree, the exit codes, the settings, the man page."""

from __future__ import annotations

import os
from typing import Any

# Rich help would put its escapes into the words.
os.environ["TYPER_USE_RICH"] = "0"

from sniper_cli.groups import GROUPS, Lazy
from sniper_cli.topics import ENVIRONMENT, EXIT_CODES, man_page
from sniper_cli.tree import build, walk

NOTE = "<!-- Written by `python -m docs.make` from the program itself. -->\n"


def pages() -> dict[str, str]:
    """Every file of docs/reference by its name."""
    tree = walk(build())
    written = {"index.md": index()}
    for group in GROUPS:
        written[f"{group.name}.md"] = page(
            group, [(path, command) for path, command in tree if path[0] == group.name]
        )
    written["exit-codes.md"] = exit_codes()
    written["settings.md"] = settings()
    written["sniper.1"] = man_page()
    return written


def index() -> str:
    """The groups by panel."""
    lines = [NOTE, "# Command reference", ""]
    for panel in dict.fromkeys(group.panel for group in GROUPS):
        lines += [f"## {panel}", ""]
        lines += [
            f"- [`sniper {group.name}`]({group.name}.md): {group.help}"
            for group in GROUPS
            if group.panel == panel
        ]
        lines.append("")
    lines += [
        "See also [exit codes and environment](exit-codes.md), [settings](settings.md), the [man page](sniper.1).",
        "",
    ]
    return "\n".join(lines)


def page(group: Lazy, commands: list[tuple[tuple[str, ...], Any]]) -> str:
    """A group and its commands."""
    lines = [NOTE, f"# sniper {group.name}", "", group.help, ""]
    for path, command in commands:
        if len(path) > 1:
            lines += [f"## sniper {' '.join(path)}", "", (command.help or "").strip(), ""]
        elif rest := (command.help or "").strip().removeprefix(group.help).strip():
            lines += [rest, ""]
        lines += ["```", usage(path, command), "```", ""]
        lines += _parameters(command)
        lines += ["Examples:", "", "```sh", *command.examples, "```", ""]
    return "\n".join(lines)


def usage(path: tuple[str, ...], command: Any) -> str:
    """The line of usage."""
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    words = [f"<{p.name}>" if p.required else f"[<{p.name}>]" for p in arguments]
    return " ".join(["sniper", *path, *words, "[OPTIONS]"])


def _parameters(command: Any) -> list[str]:
    shown = [parameter for parameter in command.params if not getattr(parameter, "hidden", False)]
    if not shown:
        return []
    lines = ["| | |", "| --- | --- |"]
    for parameter in shown:
        if parameter.param_type_name == "argument":
            name = f"<{parameter.name}>"
        else:
            name = ", ".join([*parameter.opts, *parameter.secondary_opts])
        lines.append(f"| `{name}` | {(parameter.help or '').replace('|', chr(92) + '|')} |")
    return [*lines, ""]


def exit_codes() -> str:
    """The exit codes and the environment."""
    lines = [NOTE, "# Exit codes", "", "| | | |", "| --- | --- | --- |"]
    lines += [f"| {code} | {name} | {meaning} |" for code, name, meaning in EXIT_CODES]
    return "\n".join([*lines, "", "# Environment", "", "```", ENVIRONMENT, "```", ""])


def settings() -> str:
    """The configuration file as `sniper init` writes it."""
    from sniper_cli.settings.template import commented_config

    return "\n".join(
        [
            NOTE,
            "# Settings",
            "",
            "The file as `sniper init` writes it. `sniper config show` tells where each value came from.",
            "",
            "```toml",
            commented_config().rstrip(),
            "```",
            "",
        ]
    )

"""The help topics, and the man page, written from the same command tree as the reference in docs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sniper_cli import __version__

EXIT_CODES = (
    (0, "ok", "it was done, or there was nothing to do"),
    (1, "failed", "it failed: a reconciliation, a broken journal, a failed check, or a bug of ours"),
    (2, "usage", "what was typed does not fit, or a question could not be asked without a terminal"),
    (
        3,
        "configuration",
        "a setting, a profile, the database's schema or an installation is missing or wrong",
    ),
    (4, "not allowed", "a secret is missing or wrong, or live money was not confirmed"),
    (5, "network", "a node did not answer; the same call may succeed later"),
    (6, "refused", "a risk rule or a guard said no"),
    (7, "not found", "what was named is not there"),
    (8, "partly done", "some of a batch succeeded; the details say which"),
    (9, "locked", "another process holds the database or the work"),
    (130, "interrupted", "^C"),
)

FORMATS = """\
stdout is data, stderr is narration (notes, progress, questions, errors).

-o table|json|jsonl|csv|yaml   how to write it; --json is short for -o json
--fields a,b                   only these fields, in this order
--limit N, --after CURSOR      part of a long list; --all for the whole
--since 2h|now-1d|2026-01-31   only what is later (UTC)

In JSON, money, sizes and ids are strings, times are ISO-8601 with a Z. An empty list is [] and exits 0.
With --json an error is one object on stderr: {"error": {"code", "message", "hint", "details"}}."""

ENVIRONMENT = """\
SNIPER_HOME               all files under this folder, in place of the platform's own folders
SNIPER_PROFILE            the profile in force when no -p names one
SNIPER_<KEY>              a setting: SNIPER_DATABASE_URL, SNIPER_SNIPING__AMOUNT, SNIPER_CHAIN__RPC_URL
SNIPER_SECRET__<NAME>     a secret, for the store `environment`
SNIPER_DEVNET_DIR         where the local chain's programs are kept
SNIPER_DEBUG=1            the traceback of an error
NO_COLOR, TERM=dumb       no colours; FORCE_COLOR=1 colours even in a pipe
COLUMNS                   the width that tables fit into"""

SETTINGS = """\
A flag beats the environment, that beats the profile, that beats [default] in the file, that beats the code.

sniper config show        every setting, and where it came from
sniper config validate    problems with file, line and the near key
sniper config set         changes the file and journals it"""

JOURNAL = """\
Every act that changes something is one record of a hash-chained journal: hash = sha256(previous hash ‖ body).

sniper audit tail         the latest records
sniper audit verify       names every record changed, removed, inserted or reordered
sniper audit head         the last hash: keep it elsewhere, and give it to verify --head
sniper audit export       JSON lines that anybody can check with sha256"""


def exit_codes() -> str:
    """The exit codes as a table of text."""
    return "\n".join(f"{code:>3}  {name:<14} {meaning}" for code, name, meaning in EXIT_CODES)


TOPICS: dict[str, tuple[str, Callable[[], str]]] = {
    "exit-codes": ("What each exit code means.", exit_codes),
    "formats": ("Output formats, fields, limits, times.", lambda: FORMATS),
    "environment": ("Environment variables.", lambda: ENVIRONMENT),
    "settings": ("Where settings come from.", lambda: SETTINGS),
    "journal": ("The record that answers for every act.", lambda: JOURNAL),
}


def man_page() -> str:
    """The manual in roff: `sniper help man | man -l -`."""
    from sniper_cli.tree import build, walk

    lines = [
        f'.TH SNIPER 1 "" "sniper {__version__}" "Sniper"',
        ".SH NAME",
        r"sniper \- launches judged and traded, orders never lost or doubled, a record that answers for it",
        ".SH SYNOPSIS",
        r".B sniper \fR[\fB\-p\fR \fIPROFILE\fR] \fIGROUP\fR [\fICOMMAND\fR] [\fIOPTIONS\fR]",
        ".SH COMMANDS",
    ]
    for path, command in walk(build(), skip_missing=True):
        lines += _man_command(path, command)
    for title, (_, text) in TOPICS.items():
        lines += [
            f".SH {title.replace('-', ' ').upper()}",
            ".nf",
            *(_roff(line) for line in text().splitlines()),
            ".fi",
        ]
    return "\n".join(lines) + "\n"


def _man_command(path: tuple[str, ...], command: Any) -> list[str]:
    lines = [f".SS sniper {_roff(' '.join(path))}", _roff(" ".join((command.help or "").split()))]
    for parameter in command.params:
        if parameter.name == "help":
            continue
        names = ", ".join(parameter.opts) if parameter.param_type_name == "option" else f"<{parameter.name}>"
        lines += [".TP", rf"\fB{_roff(names)}\fR", _roff(getattr(parameter, "help", None) or "")]
    for example in getattr(command, "examples", []):
        lines += [".PP", ".RS", _roff(f"$ {example}"), ".RE"]
    return lines


def _roff(text: str) -> str:
    escaped = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped

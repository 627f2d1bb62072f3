"""The door: argv in, an exit code out. Exit codes and errors are an API, so nothing else decides them.

`--version` answers before Typer is imported. An error of ours is one line and a hint on stderr, or one JSON
object when JSON was asked for; a bug is one line, with the traceback under SNIPER_DEBUG=1; ^C exits 130; a
closed pipe is no error.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from sniper_cli import __version__

if TYPE_CHECKING:
    from sniper_cli.errors import SniperError

PROFILE_FLAGS = ("-p", "--profile")
STORAGE = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EEXIST: "something else has this name",
    errno.ENOTDIR: "a file stands where a folder should",
    errno.EISDIR: "a folder stands where a file should",
    errno.EIO: "the disk fails",
}
"""What the disk says, in words. These are a matter of the installation, not bugs."""


def run() -> NoReturn:
    """The console script."""
    status = main(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        status = 0
        _silence(sys.stdout.fileno())
    except ValueError:  # stdout was closed before we started
        pass
    sys.exit(status)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] in (["--version"], ["-V"]):
        print(f"sniper {__version__}")  # noqa: T201 - before anything is imported
        return 0
    _prepare_streams()
    # Pydantic looks for plugins in the metadata of every installed package: 15 ms, and there are none of ours.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    if "_SNIPER_COMPLETE" in os.environ:
        from sniper_cli.completion import complete_first_word

        if complete_first_word():
            return 0
    return _guarded(hoist_profile(arguments) or ["--help"])


def _prepare_streams() -> None:
    """An ASCII terminal gets replacements, not a crash; a pipe gets no escape byte, whatever a CI variable says."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    plain = not sys.stdout.isatty() or bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    encoding = (sys.stdout.encoding or "ascii").lower().replace("-", "")
    if (plain and not os.environ.get("FORCE_COLOR")) or encoding != "utf8":
        os.environ["TYPER_USE_RICH"] = "0"  # plain help, and 60 ms saved
        os.environ["_TYPER_FORCE_DISABLE_TERMINAL"] = "1"


def hoist_profile(arguments: list[str]) -> list[str]:
    """`-p NAME` may stand anywhere: take it out and put it at the end, where the command reads it."""
    rest: list[str] = []
    chosen: list[str] = []
    words = iter(arguments)
    tail: list[str] = []
    for word in words:
        if word == "--":
            tail = ["--", *words]
            break
        if word in PROFILE_FLAGS:
            value = next(words, None)
            chosen = [word] if value is None else ["--profile", value]
        elif word.startswith("--profile="):
            chosen = [word]
        else:
            rest.append(word)
    if chosen and "--help" in rest:
        chosen = []
    return [*rest, *chosen, *tail]


def _guarded(arguments: list[str]) -> int:
    as_json = wants_json(arguments)
    try:
        return _invoke(arguments)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return _closed_pipe()
    except SystemExit as error:
        # Typer answers EPIPE with SystemExit(1) behind a wrapper around stdout, whatever the mode.
        if type(sys.stdout).__name__ == "PacifyFlushWrapper":
            return _closed_pipe()
        return error.code if isinstance(error.code, int) else 1
    except Exception as error:  # noqa: BLE001 - this is the one place where bugs end
        return _reported(error, arguments, as_json)


def _invoke(arguments: list[str]) -> int:
    from sniper_cli.tree import build

    status = build().main(arguments, prog_name="sniper", standalone_mode=False)
    sys.stdout.flush()
    return status if isinstance(status, int) else 0


def _reported(error: Exception, arguments: list[str], as_json: bool) -> int:
    """Say what went wrong and return the exit code that belongs to it."""
    from sniper_cli.errors import SniperError
    from sniper_cli.reporting import as_sniper_error, render

    known = error if isinstance(error, SniperError) else as_sniper_error(error, arguments)
    if known is None:
        if os.environ.get("SNIPER_DEBUG"):
            raise error
        known = _bug(error)
    elif os.environ.get("SNIPER_DEBUG"):
        import traceback

        traceback.print_exception(error)
    render(known, as_json=as_json)
    return int(known.exit)


def _bug(error: Exception) -> SniperError:
    from sniper_cli.errors import SniperError

    return SniperError(
        f"unexpected {type(error).__name__}: {error}",
        hint="run it again with SNIPER_DEBUG=1 for the traceback",
    )


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether JSON was asked for, however the rest of the line turns out."""
    if "--json" in arguments:
        return True
    for word, following in zip(arguments, [*arguments[1:], ""], strict=True):
        value = following if word in ("-o", "--output") else word.removeprefix("--output=").removeprefix("-o")
        if word.startswith(("-o", "--output")) and value in ("json", "jsonl"):
            return True
    return False


def _closed_pipe() -> int:
    """Whoever read us has enough. Nothing may be written at exit, or Python complains."""
    _silence(1)
    return 0


def _silence(descriptor: int) -> None:
    hole = os.open(os.devnull, os.O_WRONLY)
    os.dup2(hole, descriptor)

"""How a wallet's passphrase is come by: a file, stdin, the secret stores, then a prompt. Never argv."""

from __future__ import annotations

import sys
from pathlib import Path

from sniper_cli.errors import NotFound, SecretMissing, UsageProblem
from sniper_cli.secrets import files, stores
from sniper_cli.secrets.secret import Secret
from sniper_cli.secrets.wallets import secret_name
from sniper_cli.settings.model import SecretSettings


def ask_hidden(question: str) -> Secret | None:
    """Ask on the terminal without showing what is typed; None without a terminal."""
    if not sys.stdin.isatty():
        return None
    import getpass

    try:
        return Secret(getpass.getpass(f"{question}: ", stream=sys.stderr))
    except EOFError:
        raise UsageProblem("nothing was typed", hint="sniper wallet --help") from None


def ask(question: str, *, new: bool) -> Secret | None:
    """Ask on the terminal, twice for what is being chosen; None without a terminal."""
    return ask_twice(question) if new else ask_hidden(question)


def ask_twice(question: str) -> Secret | None:
    """Ask for a new passphrase, twice, until both are alike (three times at most)."""
    for _ in range(3):
        first = ask_hidden(question)
        if first is None:
            return None
        if first == ask_hidden("The same again"):
            return first
        sys.stderr.write("The two are not alike.\n")
    raise UsageProblem("the two passphrases were not alike", hint="sniper wallet create --help")


def read_stdin() -> Secret:
    """A secret from stdin, to its end. What comes by a pipe is not shown; on a terminal it is asked for hidden."""
    typed = ask_hidden("Secret")
    if typed is not None:
        return typed
    return Secret(stores.without_line_end(sys.stdin.buffer.read(), "stdin"))


def read_file(path: Path) -> Secret:
    """A secret from a file that only its owner can read.

    Raises NotFound, NotAllowed, ConfigurationError.
    """
    content = files.read_private(path.expanduser())
    if content is None:
        raise NotFound(f"there is no file {path}", hint=f"ls -l {path.parent}")
    return Secret(stores.without_line_end(content, path))


def given(file: Path | None, from_stdin: bool) -> Secret | None:
    """What the options name, None if they name nothing.

    Raises UsageProblem when they name two sources; the errors of `read_file`.
    """
    if file is not None and from_stdin:
        raise UsageProblem(
            "--passphrase-file and --passphrase-stdin exclude each other", hint="sniper wallet --help"
        )
    if file is not None:
        return read_file(file)
    return read_stdin() if from_stdin else None


def find_passphrase(settings: SecretSettings, data: Path, wallet: str) -> stores.Found | None:
    """A wallet's passphrase from the stores, None if none holds it.

    Raises NotAllowed, ConfigurationError.
    """
    return stores.search(stores.open_stores(settings, data, ask=ask), secret_name(wallet))


def passphrase_for(
    settings: SecretSettings, data: Path, wallet: str, *, file: Path | None = None, from_stdin: bool = False
) -> Secret:
    """The passphrase of a wallet that exists: options, stores, prompt.

    Raises SecretMissing, NotAllowed, ConfigurationError.
    """
    if (secret := given(file, from_stdin)) is not None:
        return secret
    if (found := find_passphrase(settings, data, wallet)) is not None:
        return found.secret
    if (secret := ask_hidden(f"Passphrase of the wallet {wallet}")) is not None:
        return secret
    raise _missing(wallet)


def new_passphrase_for(
    settings: SecretSettings, data: Path, wallet: str, *, file: Path | None = None, from_stdin: bool = False
) -> Secret:
    """The passphrase of a wallet to be made: options, stores, a prompt asked twice.

    Raises SecretMissing, UsageProblem, NotAllowed, ConfigurationError.
    """
    if (secret := given(file, from_stdin)) is not None:
        return secret
    if (found := find_passphrase(settings, data, wallet)) is not None:
        return found.secret
    if (secret := ask_twice(f"New passphrase for the wallet {wallet}")) is not None:
        return secret
    raise _missing(wallet)


def _missing(wallet: str) -> SecretMissing:
    variable = stores.variable_of(secret_name(wallet))
    return SecretMissing(
        f"no secret store holds the passphrase of the wallet {wallet!r}, and there is no terminal to ask on",
        hint=f"export {variable}=…",
        secret=secret_name(wallet),
    )

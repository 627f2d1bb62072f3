"""Giving a key out of the house: a question that must be answered by name, and a file only its owner reads."""

from __future__ import annotations

import sys
from pathlib import Path

from sniper_cli.errors import ConfirmationNeeded, UsageProblem
from sniper_cli.secrets import files
from sniper_cli.secrets.wallets import Wallet


def require_typed_name(wallet: Wallet, *, yes: bool) -> None:
    """Have the person type the wallet's name before its bare key is shown. Returns if they did, or with `yes`.

    Raises ConfirmationNeeded without a terminal, and for any other answer.
    """
    if yes:
        return
    question = f"Whoever sees the private key of {wallet.address} has its money."
    if not sys.stdin.isatty():
        raise ConfirmationNeeded(
            f"{question} There is no terminal to ask on", hint="add --yes to agree beforehand"
        )
    sys.stderr.write(f"{question}\nType the wallet's name to go on: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip() != wallet.name:
        raise ConfirmationNeeded("nothing was given out", hint=f"sniper wallet export {wallet.name}")


def write_export(path: Path, text: str) -> None:
    """Write to a new file of mode 0600.

    Raises UsageProblem if there is one, ConfigurationError.
    """
    try:
        files.write_new(path.expanduser(), f"{text}\n".encode())
    except FileExistsError:
        raise UsageProblem(f"{path} is there already, and is not overwritten", hint=f"ls -l {path}") from None

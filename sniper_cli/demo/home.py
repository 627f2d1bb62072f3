"""The demo's home: thrown away with the demo, or the one that SNIPER_HOME or --home names, which is kept.

A kept home has a configuration that makes its devnet profile the one in force, so that every other command
(`sniper order list`, `sniper explain`, `sniper audit verify`) can be tried on what the demo left.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any

from sniper_cli.errors import ConfigurationError
from sniper_cli.secrets.keystore import THROWAWAY_WORK_FACTOR
from sniper_cli.settings import load
from sniper_cli.settings.paths import Paths, home_paths, write_private

if TYPE_CHECKING:
    from sniper_cli.context import Context
    from sniper_cli.venues.evm import Signer

PROFILE = "devnet"
NAME = "demo"
"""The wallet's and the account's name."""
PREFIX = "sniper-demo-"
EXITS: dict[str, Any] = {
    "take_profit_pct": "60",
    "stop_loss_pct": "30",
    "trailing_activation_pct": "15",
    "trailing_pct": "10",
    "max_age_seconds": 22,
}
"""A minute holds many lives: what nothing else ended is left by time."""


@contextmanager
def demo_context(home: Path | None, actor: str) -> Iterator[Context]:
    """A home with its database, configured for the demo. A throw-away one is gone at the end.

    Raises ConfigurationError, DatabaseUnavailable, SchemaNewer.
    """
    given = home or (Path(os.environ["SNIPER_HOME"]) if os.environ.get("SNIPER_HOME") else None)
    folder = given or _throw_away_folder()
    former = os.environ.get("SNIPER_HOME")
    os.environ["SNIPER_HOME"] = str(folder)
    try:
        with _opened(actor) as context:
            yield context
    finally:
        if former is None:
            del os.environ["SNIPER_HOME"]
        else:
            os.environ["SNIPER_HOME"] = former
        if given is None:
            shutil.rmtree(folder, ignore_errors=True)


def _throw_away_folder() -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix=PREFIX))
    except OSError as error:
        raise ConfigurationError(
            f"no folder for a throw-away home can be made: {error.strerror or error}",
            hint="sniper demo --home /a/writable/folder",
        ) from error


@contextmanager
def _opened(actor: str) -> Iterator[Context]:
    from sniper_cli.context import Context, open_database
    from state import schema

    paths = home_paths().ensure()
    if not paths.config_file.exists():
        write_private(paths.config_file, _config(paths))
    resolved = load(PROFILE, **_overrides(paths))
    with open_database(resolved, paths) as database:
        schema.upgrade(database, actor=actor)
        yield Context(resolved, paths, database, actor)


def signer_of(context: Context) -> Signer:
    """The demo's wallet, made with a random passphrase in the home's file store when it is not there."""
    from sniper_cli.secrets.secret import Secret
    from sniper_cli.secrets.stores import find_secret, store_secret
    from sniper_cli.secrets.wallets import create_wallet, file_of, open_wallet, secret_name

    paths, secrets = context.paths, context.settings.secrets
    if not file_of(paths, NAME).exists():
        Path(secrets.directory).mkdir(mode=0o700, parents=True, exist_ok=True)
        passphrase = Secret(token_urlsafe(24))
        store_secret(secrets, paths.data, secret_name(NAME), passphrase, store="file")
        create_wallet(
            paths,
            context.database,
            NAME,
            passphrase,
            actor=context.actor,
            work_factor=THROWAWAY_WORK_FACTOR,
        )
    found = find_secret(secrets, paths.data, secret_name(NAME))
    return open_wallet(paths, NAME, found.secret)


def _overrides(paths: Paths) -> dict[str, Any]:
    """What the demo needs whatever else the home's configuration says."""
    return {
        "mode": "devnet",
        "account": NAME,
        "wallet": NAME,
        "chain": {"block_seconds": "1"},
        "sniping": {"exits": EXITS},
        "secrets": {"directory": str(_secrets(paths))},
    }


def _secrets(paths: Paths) -> Path:
    return paths.data / "secrets"


def _config(paths: Paths) -> str:
    exits = "\n".join(f"{key} = {value}" for key, value in EXITS.items())
    return (
        "# Written by `sniper demo`: the local chain, its wallet and the exits of the demo.\n"
        f'active = "{PROFILE}"\n\n[profile.{PROFILE}]\nmode = "devnet"\naccount = "{NAME}"\nwallet = "{NAME}"\n\n'
        f'[profile.{PROFILE}.secrets]\ndirectory = "{_secrets(paths)}"\n\n'
        f"[profile.{PROFILE}.sniping.exits]\n{exits}\n"
    )

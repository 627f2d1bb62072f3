"""Where secrets come from: stores tried in the order of the settings, the first that holds one answers.

environment   SNIPER_SECRET__WALLET_MAIN
file          one file a secret, mode 0600, in secrets.directory or systemd's $CREDENTIALS_DIRECTORY
command       a password manager's command, run without a shell
keyring       the operating system's own, where there is a real one
encrypted     secrets.enc in the data folder, under a passphrase of its own
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sniper_cli.errors import ConfigurationError, NotAllowed, SecretMissing, UsageProblem
from sniper_cli.secrets import files
from sniper_cli.secrets.secret import Secret, checked_name
from sniper_cli.settings.model import SecretSettings

ENVIRONMENT_PREFIX = "SNIPER_SECRET__"

COMMAND_SECONDS = 60
"""A password manager may ask its owner to unlock it."""


class Ask(Protocol):
    """Asks a person for a secret; None where there is nobody to ask."""

    def __call__(self, question: str, *, new: bool) -> Secret | None:
        """`new`: it is being chosen, so it is asked for twice."""
        ...


class SecretStore(Protocol):
    """A place that secrets are found in, and that may take new ones."""

    name: str

    def obstacle(self) -> str | None:
        """Why this store cannot answer at all on this machine; None if it can."""
        ...

    def holds(self, name: str) -> bool:
        """Whether it would answer for this name, found out without a prompt of ours."""
        ...

    def find(self, name: str) -> Secret | None:
        """The secret, None if this store does not hold it. Raises NotAllowed, ConfigurationError."""
        ...

    def keep(self, name: str, secret: Secret) -> None:
        """Store a secret, in place of an older one. Raises UsageProblem where the store cannot be written."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """A secret and the store that answered."""

    secret: Secret
    store: str


def _read_only(store: str, hint: str) -> UsageProblem:
    return UsageProblem(f"the store {store!r} is only read by Sniper", hint=hint)


class EnvironmentStore:
    """Environment variables `SNIPER_SECRET__<NAME>`."""

    name = "environment"

    def obstacle(self) -> str | None:
        return None

    def holds(self, name: str) -> bool:
        return variable_of(name) in os.environ

    def find(self, name: str) -> Secret | None:
        text = os.environ.get(variable_of(name))
        return None if text is None else Secret(text)

    def keep(self, name: str, secret: Secret) -> None:  # noqa: ARG002 - the protocol's
        raise _read_only(self.name, f"export {variable_of(name)}=…")


def variable_of(name: str) -> str:
    """The environment variable of a secret."""
    return ENVIRONMENT_PREFIX + name.upper().replace("-", "_")


class FileStore:
    """One file a secret in a folder; a trailing line break does not belong to the secret."""

    name = "file"

    def __init__(self, directory: str) -> None:
        given = directory or os.environ.get("CREDENTIALS_DIRECTORY", "")
        self._folder = Path(given).expanduser() if given else None
        # systemd grants its credentials to the service's user by an ACL, whose mask stands in the group bits.
        self._refused = files.OTHERS if directory else 0o007

    def obstacle(self) -> str | None:
        if self._folder is None:
            return "no folder is set (secrets.directory) and there is no $CREDENTIALS_DIRECTORY"
        return None if self._folder.is_dir() else f"there is no folder {self._folder}"

    def holds(self, name: str) -> bool:
        return self._folder is not None and (self._folder / checked_name(name)).is_file()

    def find(self, name: str) -> Secret | None:
        if self._folder is None:
            return None
        content = files.read_private(self._folder / checked_name(name), refused=self._refused)
        return None if content is None else Secret(without_line_end(content, self._folder / name))

    def keep(self, name: str, secret: Secret) -> None:
        if self._folder is None:
            raise UsageProblem(
                "no folder is set for secret files", hint="sniper config set secrets.directory ~/.secrets"
            )
        files.replace(self._folder / checked_name(name), secret.reveal().encode())


def without_line_end(content: bytes, source: object) -> str:
    """The text of a secret file or stream, less one line break at its end.

    Raises ConfigurationError for bytes that are no text.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError:
        # `from None`: the decoder's own error would carry the bytes.
        raise ConfigurationError(f"what {source} holds is not UTF-8 text", hint=f"file {source}") from None
    return text.removesuffix("\n").removesuffix("\r")


class CommandStore:
    """A command that prints a secret. Split like a shell would, but no shell runs it."""

    name = "command"

    def __init__(self, command: str) -> None:
        self._command = command

    def obstacle(self) -> str | None:
        return None if self._command else "no command is set (secrets.command)"

    def holds(self, name: str) -> bool:
        return self.find(name) is not None

    def find(self, name: str) -> Secret | None:
        if not self._command:
            return None
        arguments = self._arguments(checked_name(name))
        try:
            done = subprocess.run(
                arguments,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=COMMAND_SECONDS,
                env=_without_secrets(),
                check=False,
            )
        except FileNotFoundError:
            raise ConfigurationError(
                f"secrets.command names {arguments[0]!r}, which is not installed",
                hint="sniper config show secrets.command",
            ) from None
        except (OSError, subprocess.TimeoutExpired):
            # The error itself would carry what the command has printed so far.
            raise ConfigurationError(
                f"secrets.command ({arguments[0]}) gave no answer within {COMMAND_SECONDS} s",
                hint="sniper config show secrets.command",
            ) from None
        if done.returncode != 0 or not done.stdout:
            return None
        return Secret(without_line_end(done.stdout, f"secrets.command ({arguments[0]})").split("\n", 1)[0])

    def keep(self, name: str, secret: Secret) -> None:  # noqa: ARG002 - the protocol's
        raise _read_only(self.name, "sniper wallet passphrase NAME --store encrypted")

    def _arguments(self, name: str) -> list[str]:
        try:
            arguments = shlex.split(self._command)
        except ValueError as error:
            raise ConfigurationError(
                f"secrets.command cannot be read: {error}", hint="sniper config edit"
            ) from None
        return [part.replace("{name}", name) for part in arguments]


def _without_secrets() -> dict[str, str]:
    """This process's environment for a child that has no business with our other secrets."""
    return {key: value for key, value in os.environ.items() if not key.startswith("SNIPER_SECRET")}


def open_stores(settings: SecretSettings, data: Path, *, ask: Ask | None = None) -> list[SecretStore]:
    """The stores of the settings in their order. `ask` prompts for the encrypted file's passphrase.

    Raises ConfigurationError for a name that is no store.
    """
    return [open_store(name, settings, data, ask=ask) for name in settings.stores]


def open_store(name: str, settings: SecretSettings, data: Path, *, ask: Ask | None = None) -> SecretStore:
    """One store by its name, whether the settings list it or not.

    Raises ConfigurationError.
    """
    from sniper_cli.secrets.encrypted import EncryptedStore
    from sniper_cli.secrets.system_keyring import KeyringStore

    known: dict[str, Callable[[], SecretStore]] = {
        "environment": EnvironmentStore,
        "file": lambda: FileStore(settings.directory),
        "command": lambda: CommandStore(settings.command),
        "keyring": KeyringStore,
        "encrypted": lambda: EncryptedStore(data / "secrets.enc", ask=ask),
    }
    if name not in known:
        raise ConfigurationError(
            f"there is no secret store {name!r}: {', '.join(known)}", hint="sniper config show secrets.stores"
        )
    return known[name]()


def search(stores: list[SecretStore], name: str) -> Found | None:
    """The first store's answer, None if no store holds the secret.

    Raises NotAllowed and ConfigurationError from a store that holds it but may not use it.
    """
    checked_name(name)
    for store in stores:
        if store.obstacle() is None and (secret := store.find(name)) is not None:
            return Found(secret, store.name)
    return None


def find_secret(settings: SecretSettings, data: Path, name: str, *, ask: Ask | None = None) -> Found:
    """The secret of this name and which store answered.

    Raises SecretMissing; NotAllowed and ConfigurationError as `search` does.
    """
    stores = open_stores(settings, data, ask=ask)
    found = search(stores, name)
    if found is None:
        tried = {store.name: store.obstacle() or "does not hold it" for store in stores}
        raise SecretMissing(
            f"no secret store holds {name!r} (tried: {', '.join(tried) or 'none'})",
            hint="sniper wallet status",
            secret=name,
            tried=tried,
        )
    return found


def store_secret(
    settings: SecretSettings,
    data: Path,
    name: str,
    secret: Secret,
    *,
    store: str,
    ask: Ask | None = None,
) -> None:
    """Keep a secret in the store of this name: always one that was named, never a guess.

    Raises UsageProblem, ConfigurationError, NotAllowed.
    """
    place = open_store(store, settings, data, ask=ask)
    obstacle = place.obstacle()
    if obstacle is not None:
        raise NotAllowed(f"the store {store!r} cannot be used: {obstacle}", hint="sniper wallet status")
    place.keep(checked_name(name), secret)

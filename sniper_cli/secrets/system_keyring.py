"""The operating system's keyring, where there is a real one.

`keyring` picks a backend by itself, and with keyrings.alt merely installed picks one that asks for a password on
the terminal (it breaks cron) or one that writes base64. So the choice is made here: a backend of priority 1 or more
that is no part of keyrings.alt, out of a chain if need be, and called directly.
"""

from __future__ import annotations

from typing import Any

from sniper_cli.errors import NotAllowed
from sniper_cli.secrets.secret import Secret

SERVICE = "sniper"

UNTRUSTED = ("keyring.backends.fail", "keyring.backends.null", "keyrings.")
"""The one that always fails, the one that forgets, and the file-based stand-ins that prompt or do not encrypt."""


class KeyringStore:
    """macOS Keychain, Secret Service, KWallet, Windows Credential Locker."""

    name = "keyring"

    def __init__(self) -> None:
        self._searched = False
        self._backend: Any = None
        self._seen = ""

    def obstacle(self) -> str | None:
        if self._real() is None:
            return f"this machine has no keyring service that can be trusted ({self._seen})"
        return None

    def holds(self, name: str) -> bool:
        return self.find(name) is not None

    def find(self, name: str) -> Secret | None:
        from keyring.errors import KeyringError

        backend = self._real()
        if backend is None:
            return None
        try:
            text = backend.get_password(SERVICE, name)
        except KeyringError as error:
            raise _unusable(backend, error) from None
        return None if text is None else Secret(text)

    def keep(self, name: str, secret: Secret) -> None:
        from keyring.errors import KeyringError

        backend = self._real()
        try:
            backend.set_password(SERVICE, name, secret.reveal())
        except KeyringError as error:
            raise _unusable(backend, error) from None

    def _real(self) -> Any:
        if not self._searched:
            import keyring

            chosen = keyring.get_keyring()
            self._seen = _called(chosen)
            self._backend = next((one for one in _members(chosen) if _is_real(one)), None)
            self._searched = True
        return self._backend


def _members(backend: Any) -> list[Any]:
    """The backends of a chain, or the backend itself."""
    if type(backend).__module__ == "keyring.backends.chainer":
        return list(backend.backends)
    return [backend]


def _is_real(backend: Any) -> bool:
    # A backend that cannot run here says so by raising RuntimeError from its priority.
    try:
        return not type(backend).__module__.startswith(UNTRUSTED) and float(backend.priority) >= 1
    except RuntimeError:
        return False


def _called(backend: Any) -> str:
    return f"{type(backend).__module__}.{type(backend).__qualname__}"


def _unusable(backend: Any, error: Exception) -> NotAllowed:
    return NotAllowed(
        f"the keyring {_called(backend)} refused: {type(error).__name__}",
        hint="sniper wallet status",
    )

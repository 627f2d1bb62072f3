"""Keys that come from elsewhere: read from a file, stdin or a hidden prompt, and recognised by their form."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sniper_cli.errors import UsageProblem
from sniper_cli.secrets import keystore, passphrases
from sniper_cli.secrets.keystore import address_of
from sniper_cli.secrets.secret import Secret
from sniper_cli.settings.model import SecretSettings

__all__ = ["Material", "address_of", "read_material"]


@dataclass(frozen=True, slots=True)
class Material:
    """What a key is made from: `keystore`, `mnemonic` or `private_key`."""

    kind: str
    text: Secret
    index: int = 0
    keystore: dict[str, Any] | None = None

    def passphrase_for(
        self, settings: SecretSettings, data: Path, wallet: str, *, file: Path | None, from_stdin: bool
    ) -> Secret:
        """The passphrase the wallet will have: a keystore's own, or a new one."""
        if self.keystore is not None:
            return passphrases.passphrase_for(settings, data, wallet, file=file, from_stdin=from_stdin)
        return passphrases.new_passphrase_for(settings, data, wallet, file=file, from_stdin=from_stdin)

    def key(self, passphrase: Secret) -> bytes:
        """The private key.

        Raises WrongPassphrase, UsageProblem, ConfigurationError.
        """
        if self.keystore is not None:
            return keystore.decrypt(self.keystore, passphrase)
        if self.kind == "mnemonic":
            return keystore.key_from_mnemonic(self.text, path=f"m/44'/60'/0'/0/{self.index}")
        return keystore.key_from_hex(self.text)


def read_material(source: str | None, index: int, *, passphrase_from_stdin: bool) -> Material:
    """Read and recognise what is to be imported. `source` is a file, `-` for stdin, or nothing: then it is asked for.

    Raises UsageProblem, NotFound, NotAllowed, ConfigurationError.
    """
    if source == "-" and passphrase_from_stdin:
        raise UsageProblem("stdin cannot give the key and the passphrase", hint="sniper wallet import --help")
    if source is None:
        text = passphrases.ask_hidden("Private key or mnemonic")
        if text is None:
            raise UsageProblem(
                "there is nothing to import, and no terminal to ask on",
                hint="add --from FILE, or --from - for stdin",
            )
    else:
        text = passphrases.read_stdin() if source == "-" else passphrases.read_file(Path(source))
    return _recognised(text, source or "what was typed", index)


def _recognised(text: Secret, source: str, index: int) -> Material:
    content = text.reveal().strip()
    if content.startswith("{"):
        return Material("keystore", text, keystore=keystore.parse(content.encode(), source))
    if len(content.split()) > 1:
        return Material("mnemonic", text, index)
    return Material("private_key", text)

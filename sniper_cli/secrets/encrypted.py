"""A file of secrets under one passphrase: scrypt (RFC 7914) for the key, AES-256-GCM for every entry.

The names stand in clear, so that a search asks for the passphrase only when the file holds what is sought; each
entry is bound to its name, so that two entries cannot be swapped.
"""

from __future__ import annotations

import json
import os
import sys
from base64 import b64decode, b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sniper_cli.errors import ConfigurationError, SecretMissing, WrongPassphrase
from sniper_cli.secrets import files
from sniper_cli.secrets.secret import Secret

if TYPE_CHECKING:
    from sniper_cli.secrets.stores import Ask

PASSPHRASE_VARIABLE = "SNIPER_SECRETS_PASSPHRASE"  # noqa: S105
DESCRIPTOR_VARIABLE = "SNIPER_SECRETS_PASSPHRASE_FD"
"""A file descriptor the passphrase can be read from: `3< passphrase.txt`."""

FORMAT = "sniper-secrets-1"

SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**17, 8, 1
"""128 MiB and about a third of a second: OWASP's first choice for scrypt."""

LARGEST_N = 2**20
"""A file that asks for more (1 GiB) was not written by us, or not for our good."""

_PROOF = "passphrase"
"""Encrypted under no name: opens if and only if the passphrase is right."""


class EncryptedStore:
    """`secrets.enc` in the data folder."""

    name = "encrypted"

    def __init__(self, path: Path, *, ask: Ask | None = None, n: int = SCRYPT_N) -> None:
        self._path = path
        self._ask = ask
        self._n = n
        self._key: tuple[str, bytes] | None = None
        """The file's salt and the key that has opened it."""

    def obstacle(self) -> str | None:
        return None

    def holds(self, name: str) -> bool:
        content = self._read()
        return content is not None and name in content["entries"]

    def find(self, name: str) -> Secret | None:
        content = self._read()
        if content is None or name not in content["entries"]:
            return None
        return Secret(_decrypt(self._opened(content), content["entries"][name], name))

    def keep(self, name: str, secret: Secret) -> None:
        with files.locked(self._path):
            content = self._read() or self._new_file()
            content["entries"][name] = _encrypt(self._opened(content), secret.reveal(), name)
            files.replace(self._path, json.dumps(content, indent=1, sort_keys=True).encode())

    def _read(self) -> dict[str, Any] | None:
        raw = files.read_private(self._path)
        if raw is None:
            return None
        try:
            content: dict[str, Any] = json.loads(raw)
            known = (
                content["format"] == FORMAT
                and isinstance(content["entries"], dict)
                and content["n"] <= LARGEST_N
            )
        except (ValueError, KeyError, TypeError):
            known = False
        if not known:
            raise ConfigurationError(
                f"{self._path} is no secret file of Sniper's", hint=f"ls -l {self._path}"
            )
        return content

    def _new_file(self) -> dict[str, Any]:
        passphrase = self._passphrase(new=True)
        content: dict[str, Any] = {
            "format": FORMAT,
            "kdf": "scrypt",
            "n": self._n,
            "r": SCRYPT_R,
            "p": SCRYPT_P,
            "salt": b64encode(os.urandom(16)).decode(),
            "entries": {},
        }
        key = _derive(content, passphrase)
        content["proof"] = _encrypt(key, _PROOF, "")
        self._key = content["salt"], key
        return content

    def _opened(self, content: dict[str, Any]) -> bytes:
        """The file's key, derived once a process and proven right.

        Raises WrongPassphrase, SecretMissing.
        """
        if self._key is None or self._key[0] != content["salt"]:
            key = _derive(content, self._passphrase(new=False))
            _decrypt(key, content["proof"], "")
            self._key = content["salt"], key
        return self._key[1]

    def _passphrase(self, *, new: bool) -> Secret:
        """The file's own passphrase: environment, file descriptor, then a prompt.

        Raises SecretMissing.
        """
        if (text := os.environ.get(PASSPHRASE_VARIABLE)) is not None:
            return Secret(text)
        if (descriptor := os.environ.get(DESCRIPTOR_VARIABLE)) is not None:
            return _from_descriptor(descriptor)
        question = "New passphrase of the secret file" if new else "Passphrase of the secret file"
        if self._ask is not None and (secret := self._ask(question, new=new)):
            return secret
        raise SecretMissing(
            f"the passphrase of {self._path} is needed and cannot be asked for here",
            hint=f"export {PASSPHRASE_VARIABLE}=…",
        )


_from_descriptors: dict[str, Secret] = {}
"""A pipe can be read once; a process may need the passphrase twice."""


def _from_descriptor(descriptor: str) -> Secret:
    from sniper_cli.secrets.stores import without_line_end

    if descriptor not in _from_descriptors:
        try:
            with os.fdopen(int(descriptor), "rb") as stream:
                content = stream.read()
        except (ValueError, OSError):
            raise ConfigurationError(
                f"{DESCRIPTOR_VARIABLE} is no open file descriptor",
                hint=f"{DESCRIPTOR_VARIABLE}=3 {Path(sys.argv[0]).name} wallet status 3< passphrase.txt",
            ) from None
        _from_descriptors[descriptor] = Secret(without_line_end(content, DESCRIPTOR_VARIABLE))
    return _from_descriptors[descriptor]


def _derive(content: dict[str, Any], passphrase: Secret) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    scrypt = Scrypt(
        salt=b64decode(content["salt"]), length=32, n=content["n"], r=content["r"], p=content["p"]
    )
    return scrypt.derive(passphrase.reveal().encode())


def _encrypt(key: bytes, text: str, name: str) -> str:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(12)
    return b64encode(nonce + AESGCM(key).encrypt(nonce, text.encode(), _bound_to(name))).decode()


def _decrypt(key: bytes, box: str, name: str) -> str:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    raw = b64decode(box)
    try:
        return AESGCM(key).decrypt(raw[:12], raw[12:], _bound_to(name)).decode()
    except InvalidTag:
        raise WrongPassphrase(
            "the secret file does not open: the passphrase is wrong, or the file has been changed",
            hint="sniper wallet status",
        ) from None


def _bound_to(name: str) -> bytes:
    return f"{FORMAT}:{name}".encode()

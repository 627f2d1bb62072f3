"""Web3 Secret Storage, version 3: one private key under one passphrase, as every Ethereum wallet reads it.

https://ethereum.org/developers/docs/data-structures-and-encoding/web3-secret-storage
"""

from __future__ import annotations

import json
from typing import Any

from sniper_cli.errors import ConfigurationError, UsageProblem, WrongPassphrase
from sniper_cli.secrets.secret import Secret

WORK_FACTOR = 2**18
"""scrypt's n in geth's standard keystores: a quarter GiB and about a second for every attempt."""

THROWAWAY_WORK_FACTOR = 2**12
"""For the keys of a demo's throw-away wallet, which hold play money for a minute: ten milliseconds."""

LARGEST_MEMORY = 2**30
"""Bytes that a foreign keystore may make us spend (scrypt needs 128·n·r)."""

LARGEST_ITERATIONS = 10_000_000

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""The order of secp256k1 (SEC 2, §2.4.1): private keys are 1 … order - 1."""


def encrypt(key: bytes, passphrase: Secret, *, work_factor: int = WORK_FACTOR) -> dict[str, Any]:
    """A keystore of the key, by scrypt."""
    from eth_keyfile.keyfile import create_keyfile_json

    content = create_keyfile_json(
        key, passphrase.reveal().encode(), kdf="scrypt", iterations=work_factor, salt_size=32
    )
    return {**content, "address": content["address"].lower()}


def decrypt(content: dict[str, Any], passphrase: Secret) -> bytes:
    """The private key.

    Raises WrongPassphrase, ConfigurationError for what is no keystore.
    """
    from eth_keyfile.keyfile import decode_keyfile_json

    require_keystore(content)
    try:
        key: bytes = decode_keyfile_json(content, passphrase.reveal().encode())
    except (KeyError, TypeError, AssertionError) as error:
        raise _malformed(f"{type(error).__name__}: {error}") from None
    except ValueError as error:
        if "MAC mismatch" in str(error):
            raise WrongPassphrase(
                "the passphrase does not open the wallet", hint="sniper wallet status"
            ) from None
        raise _malformed(str(error)) from None
    return key


def parse(raw: bytes, source: object) -> dict[str, Any]:
    """A keystore file's content.

    Raises ConfigurationError.
    """
    try:
        content: Any = json.loads(raw)
    except ValueError:
        raise ConfigurationError(
            f"{source} is no keystore: it is not JSON", hint="sniper wallet import --help"
        ) from None
    require_keystore(content)
    return dict(content)


def require_keystore(content: Any) -> None:
    """Raise ConfigurationError unless this is a keystore of version 3 that asks for no more than we give."""
    if not isinstance(content, dict) or content.get("version") != 3:
        raise _malformed("it has no version 3")
    crypto = {key.lower(): value for key, value in content.items()}.get("crypto")
    if not isinstance(crypto, dict) or not isinstance(crypto.get("kdfparams"), dict):
        raise _malformed("it has no crypto section")
    cost = crypto["kdfparams"]
    try:
        memory = 128 * int(cost.get("n", 0)) * int(cost.get("r", 0)) * int(cost.get("p", 1))
        too_much = memory > LARGEST_MEMORY or int(cost.get("c", 0)) > LARGEST_ITERATIONS
    except (TypeError, ValueError):
        raise _malformed("its kdfparams are no numbers") from None
    if too_much:
        raise _malformed(
            f"its key derivation asks for more than {LARGEST_MEMORY >> 20} MiB or too many rounds"
        )


def _malformed(reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"this is no keystore that can be used: {reason}", hint="sniper wallet import --help"
    )


def key_from_hex(text: Secret) -> bytes:
    """A private key written as 64 hex digits, with or without 0x.

    Raises UsageProblem, which never quotes what was given.
    """
    digits = text.reveal().strip().removeprefix("0x").removeprefix("0X")
    try:
        key = bytes.fromhex(digits) if digits.isalnum() else b""
    except ValueError:
        key = b""
    if len(key) != 32 or not 0 < int.from_bytes(key) < ORDER:
        raise UsageProblem(
            "this is no private key: 64 hex digits are wanted", hint="sniper wallet import --help"
        )
    return key


def key_from_mnemonic(words: Secret, *, path: str = "m/44'/60'/0'/0/0") -> bytes:
    """The key at a BIP-44 path under a BIP-39 mnemonic.

    Raises UsageProblem, which never quotes what was given.
    """
    from eth_account.hdaccount import key_from_seed, seed_from_mnemonic
    from eth_utils.exceptions import ValidationError

    try:
        return bytes(key_from_seed(seed_from_mnemonic(" ".join(words.reveal().split()), ""), path))
    except (ValidationError, ValueError):
        raise UsageProblem(
            "these words are no BIP-39 mnemonic, or the path is none", hint="sniper wallet import --help"
        ) from None


def address_of(key: bytes) -> str:
    """The key's address, with its EIP-55 checksum."""
    from eth_keys.datatypes import PrivateKey

    return PrivateKey(key).public_key.to_checksum_address()

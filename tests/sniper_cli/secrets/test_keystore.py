"""Keystores are what the Web3 Secret Storage definition says, and wrong ones are refused with a reason."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from sniper_cli.errors import ConfigurationError, UsageProblem, WrongPassphrase
from sniper_cli.secrets import keystore
from sniper_cli.secrets.secret import Secret

# The two test vectors of the Web3 Secret Storage definition: password `testpassword`, and this key.
# https://ethereum.org/developers/docs/data-structures-and-encoding/web3-secret-storage#test-vectors
PUBLISHED_KEY = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d"
PUBLISHED: dict[str, dict[str, Any]] = {
    "pbkdf2": {
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": {"iv": "6087dab2f9fdbbfaddc31a909735c1e6"},
            "ciphertext": "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
            "kdf": "pbkdf2",
            "kdfparams": {
                "c": 262144,
                "dklen": 32,
                "prf": "hmac-sha256",
                "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd",
            },
            "mac": "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2",
        },
        "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
        "version": 3,
    },
    "scrypt": {
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": {"iv": "83dbcc02d8ccb40e466191a123791e0e"},
            "ciphertext": "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c",
            "kdf": "scrypt",
            "kdfparams": {
                "dklen": 32,
                "n": 262144,
                "r": 1,
                "p": 8,
                "salt": "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19",
            },
            "mac": "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097",
        },
        "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
        "version": 3,
    },
}
KEY = bytes.fromhex(PUBLISHED_KEY)


@pytest.mark.parametrize("kdf", ["pbkdf2", "scrypt"])
def test_the_published_keystores_open(kdf: str) -> None:
    assert keystore.decrypt(PUBLISHED[kdf], Secret("testpassword")) == KEY


def test_a_keystore_opens_with_its_passphrase_only() -> None:
    content = keystore.encrypt(KEY, Secret("pässphrase ✓"), work_factor=2**10)
    assert keystore.decrypt(content, Secret("pässphrase ✓")) == KEY
    with pytest.raises(WrongPassphrase) as raised:
        keystore.decrypt(content, Secret("passphrase"))
    assert raised.value.exit == 4


def test_the_standard_work_factor_is_geths() -> None:
    # go-ethereum, accounts/keystore: StandardScryptN = 1 << 18
    assert keystore.encrypt(KEY, Secret("testpassword"))["crypto"]["kdfparams"]["n"] == 262144


# Anvil's first two accounts (https://book.getfoundry.sh/anvil): mnemonic `test … junk`, m/44'/60'/0'/0/i.
JUNK = "test test test test test test test test test test test junk"


@pytest.mark.parametrize(
    ("index", "key", "address"),
    [
        (0, "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
         "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"),
        (1, "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
         "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"),
    ],
)  # fmt: skip
def test_a_mnemonic_gives_the_published_accounts(index: int, key: str, address: str) -> None:
    found = keystore.key_from_mnemonic(Secret(JUNK.replace(" ", "  ") + "\n"), path=f"m/44'/60'/0'/0/{index}")
    assert found == keystore.key_from_hex(Secret(key))
    assert keystore.address_of(found) == address


@pytest.mark.parametrize(
    "text",
    ["", "0x", "ac09", "zz" * 32, PUBLISHED_KEY + "00", "00" * 32, hex(keystore.ORDER), "1 " * 32, "ff" * 32],
)
def test_what_is_no_private_key_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(UsageProblem) as raised:
        keystore.key_from_hex(Secret(text))
    assert raised.value.message == "this is no private key: 64 hex digits are wanted"


@pytest.mark.parametrize("words", ["test test test", "hunter2", JUNK.replace("junk", "test")])
def test_what_is_no_mnemonic_is_refused_and_not_quoted(words: str) -> None:
    with pytest.raises(UsageProblem) as raised:
        keystore.key_from_mnemonic(Secret(words))
    assert words not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


def changed(*path: str, to: object) -> dict[str, Any]:
    """The published scrypt keystore with one value changed."""
    content = copy.deepcopy(PUBLISHED["scrypt"])
    place = content
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return content


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([], "no version 3"),
        ({"version": 4}, "no version 3"),
        ({"version": 3}, "no crypto section"),
        (changed("crypto", "kdfparams", "n", to=2**40), "asks for more than 1024 MiB"),
        (changed("crypto", "kdfparams", "n", to="many"), "no numbers"),
        (changed("crypto", "kdf", to="argon2"), "Unsupported key derivation"),
        (changed("crypto", "kdfparams", to={"dklen": 32}), "KeyError"),
    ],
)
def test_a_keystore_that_cannot_be_used_says_why(content: Any, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        keystore.decrypt(content, Secret("testpassword"))

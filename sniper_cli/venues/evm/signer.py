"""Who signs: an address and a way to sign a transaction, wherever the key is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from sniper_cli.chains.envelopes import is_plain, sign_envelope


class Signer(Protocol):
    """Signs for one address."""

    @property
    def address(self) -> str:
        """The address in lower case."""
        ...

    def sign(self, transaction: Mapping[str, Any]) -> tuple[str, str]:
        """Sign an EIP-1559 transaction; its raw bytes and its hash, as 0x hex."""
        ...


class LocalSigner:
    """Signs with a private key held in memory."""

    def __init__(self, private_key: str | bytes) -> None:
        from coincurve import PrivateKey
        from eth_account import Account

        self._account = Account.from_key(private_key)
        self._key = PrivateKey(bytes(self._account.key))
        self._address = str(self._account.address).lower()

    @property
    def address(self) -> str:
        return self._address

    def sign(self, transaction: Mapping[str, Any]) -> tuple[str, str]:
        if is_plain(transaction):
            raw, tx_hash = sign_envelope(self._key, transaction)
            return "0x" + raw.hex(), "0x" + tx_hash.hex()
        signed = self._account.sign_transaction(dict(transaction))
        return "0x" + bytes(signed.raw_transaction).hex(), "0x" + bytes(signed.hash).hex()

    def __repr__(self) -> str:
        return f"LocalSigner({self.address})"

"""Who signs: an address and a way to sign a transaction, wherever the key is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


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
        from eth_account import Account

        self._account = Account.from_key(private_key)

    @property
    def address(self) -> str:
        return str(self._account.address).lower()

    def sign(self, transaction: Mapping[str, Any]) -> tuple[str, str]:
        signed = self._account.sign_transaction(dict(transaction))
        return "0x" + bytes(signed.raw_transaction).hex(), "0x" + bytes(signed.hash).hex()

    def __repr__(self) -> str:
        return f"LocalSigner({self.address})"

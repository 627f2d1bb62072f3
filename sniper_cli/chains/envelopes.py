"""An EIP-1559 transaction as signed bytes: a library for every kind of transaction takes ten times as long for them.

An envelope of type 2 is its type and a list in RLP (EIP-2718, EIP-1559; Yellow Paper, appendix B). The signature is
libsecp256k1's, with the nonce of RFC 6979: the same bytes as eth-account makes, a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coincurve import PrivateKey

TYPE = b"\x02"
FIELDS = frozenset(
    {"type", "chainId", "nonce", "to", "value", "gas", "data", "maxFeePerGas", "maxPriorityFeePerGas"}
)
"""What an envelope without an access list consists of; with more or less it is somebody else's to encode."""


def is_plain(transaction: Mapping[str, Any]) -> bool:
    """Whether these are the fields of a type 2 transaction without an access list, to somebody."""
    return transaction.keys() == FIELDS and transaction["type"] == 2


def sign_envelope(key: PrivateKey, transaction: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """The signed bytes and their hash, of what `is_plain`."""
    from eth_utils.crypto import keccak

    items = [
        _whole(transaction["chainId"]),
        _whole(transaction["nonce"]),
        _whole(transaction["maxPriorityFeePerGas"]),
        _whole(transaction["maxFeePerGas"]),
        _whole(transaction["gas"]),
        _item(bytes.fromhex(transaction["to"][2:])),
        _whole(transaction["value"]),
        _item(bytes.fromhex(transaction["data"][2:])),
        b"\xc0",  # no access list
    ]
    digest = keccak(TYPE + _list(items))
    signature = key.sign_recoverable(digest, hasher=None)
    parity, first, second = signature[64], signature[:32], signature[32:64]
    signed = [*items, _whole(parity), _whole(int.from_bytes(first)), _whole(int.from_bytes(second))]
    raw = TYPE + _list(signed)
    return raw, keccak(raw)


def _whole(number: int) -> bytes:
    """A number, without leading zeros."""
    if number < 0:
        raise ValueError(f"{number} is no amount")
    return _item(number.to_bytes((number.bit_length() + 7) // 8))


def _item(data: bytes) -> bytes:
    if len(data) == 1 and data[0] < 0x80:
        return data
    return _head(0x80, len(data)) + data


def _list(items: Sequence[bytes]) -> bytes:
    body = b"".join(items)
    return _head(0xC0, len(body)) + body


def _head(base: int, length: int) -> bytes:
    if length < 56:
        return bytes([base + length])
    size = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes([base + 55 + len(size)]) + size


__all__ = ["is_plain", "sign_envelope"]

"""The bytes that we sign are those that eth-account signs, whatever the fields."""

from __future__ import annotations

from typing import Any

import pytest
from coincurve import PrivateKey
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from sniper_cli.chains.envelopes import is_plain, sign_envelope
from sniper_cli.venues.evm import LocalSigner

WEI = st.integers(0, 2**128)
FIELDS = st.fixed_dictionaries(
    {
        "type": st.just(2),
        "chainId": st.integers(1, 2**40),
        "nonce": st.integers(0, 2**40),
        "to": st.binary(min_size=20, max_size=20).map(lambda each: "0x" + each.hex()),
        "value": WEI,
        "gas": st.integers(21_000, 2**40),
        "data": st.binary(max_size=700).map(lambda each: "0x" + each.hex()),
        "maxFeePerGas": WEI,
        "maxPriorityFeePerGas": WEI,
    }
)
KEYS = st.binary(min_size=32, max_size=32).filter(lambda key: 0 < int.from_bytes(key) < 2**255)


def by_eth_account(key: bytes, transaction: dict[str, Any]) -> tuple[bytes, bytes]:
    from eth_utils.address import to_checksum_address

    told = {**transaction, "to": to_checksum_address(transaction["to"])}
    signed = Account.from_key(key).sign_transaction(told)
    return bytes(signed.raw_transaction), bytes(signed.hash)


@settings(max_examples=60, deadline=None)
@given(KEYS, FIELDS)
def test_the_same_bytes_as_eth_account_makes(key: bytes, transaction: dict[str, Any]) -> None:
    assert sign_envelope(PrivateKey(key), transaction) == by_eth_account(key, transaction)


@pytest.mark.parametrize(
    ("name", "value"), [("data", "0x"), ("data", "0x00"), ("data", "0x7f"), ("data", "0x80"), ("nonce", 0)]
)
def test_the_edges_of_the_encoding(name: str, value: Any) -> None:
    transaction = {
        "type": 2, "chainId": 1, "nonce": 7, "to": "0x" + "00" * 20, "value": 0, "gas": 21_000, "data": "0x",
        "maxFeePerGas": 0, "maxPriorityFeePerGas": 0,
    } | {name: value}  # fmt: skip
    key = b"\x42" * 32
    assert sign_envelope(PrivateKey(key), transaction) == by_eth_account(key, transaction)


def test_what_it_does_not_know_is_eth_account_s() -> None:
    legacy = {
        "chainId": 1,
        "nonce": 0,
        "to": "0x" + "00" * 20,
        "value": 1,
        "gas": 21_000,
        "data": "0x",
        "gasPrice": 1,
    }
    assert not is_plain(legacy)
    raw, tx_hash = LocalSigner(b"\x42" * 32).sign(legacy)
    assert (raw, tx_hash) == tuple("0x" + each.hex() for each in by_eth_account(b"\x42" * 32, legacy))


def test_a_negative_amount_is_never_signed() -> None:
    with pytest.raises(ValueError, match="no amount"):
        sign_envelope(
            PrivateKey(b"\x42" * 32),
            {"chainId": 1, "nonce": -1, "maxPriorityFeePerGas": 0, "maxFeePerGas": 0, "gas": 0},
        )

"""What v4's manager keeps of a pool, by the slots of its storage: it has no getters, only `extsload`.

One call reads any number of slots, so a pool costs three calls where one of V3 costs a call for every word and tick:
the price with the fees and the liquidity; the words of the bitmap; the ticks. Source: v4-core StateLibrary.sol and
Pool.sol (Pool.State: slot0, two fee growths, liquidity, ticks, bitmap, positions).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from eth_utils.crypto import keccak

from sniper_cli.pools.pool import Pool
from sniper_cli.pools.words import WORD, words

EXTSLOAD = "0xdbd035ff"
"""extsload(bytes32[] slots)"""
POOLS_SLOT = 6
"""Of the mapping from ids to pools."""
LIQUIDITY_AT, TICKS_AT, BITMAP_AT, POSITIONS_AT = 3, 4, 5, 6
"""Where in a pool's state they stand."""
PIPS = 1_000_000


class Slot0(NamedTuple):
    """A pool's price and fees, which share one word."""

    sqrt_price_x96: int
    tick: int
    fee_downwards: int
    """What is taken of token0 coming in: the protocol's part first, then of the rest the liquidity's."""
    fee_upwards: int
    """… and of token1."""


def pool_slot(pool: Pool) -> int:
    """Where a pool's state begins."""
    return _number(keccak(bytes.fromhex(pool.id[2:]) + POOLS_SLOT.to_bytes(WORD)))


def first_slots(pool: Pool) -> tuple[int, int]:
    """The slots of the price and of the liquidity."""
    start = pool_slot(pool)
    return start, start + LIQUIDITY_AT


def tick_slots(pool: Pool, ticks: Iterable[int]) -> list[int]:
    """Where the ticks' liquidity stands."""
    return _mapped(pool_slot(pool) + TICKS_AT, ticks)


def bitmap_slots(pool: Pool, places: Iterable[int]) -> list[int]:
    """Where the words of the bitmap stand."""
    return _mapped(pool_slot(pool) + BITMAP_AT, places)


def position_slot(pool: Pool, owner: str, lower: int, upper: int, salt: str) -> int:
    """Where the liquidity of a position stands: keccak(keccak(owner ‖ lower ‖ upper ‖ salt) ‖ mapping)."""
    ends = b"".join(tick.to_bytes(3, signed=True) for tick in (lower, upper))
    position = keccak(bytes.fromhex(owner[2:]) + ends + bytes.fromhex(salt[2:]))
    return _number(keccak(position + (pool_slot(pool) + POSITIONS_AT).to_bytes(WORD)))


def ask(pool: Pool, slots: Iterable[int], at: str) -> tuple[str, list[Any]]:
    """The request for so many slots of the manager's storage."""
    return "eth_call", [{"to": pool.exchange.factory, "data": load_data(slots)}, at]


def load_data(slots: Iterable[int]) -> str:
    """The same as calldata for the manager."""
    wanted = list(slots)
    return EXTSLOAD + words(WORD, len(wanted), *wanted)


def read(answer: Any) -> list[int]:
    """The slots' values; none where the answer is no array: no manager stands there."""
    if not isinstance(answer, str) or len(answer) < 2 + 64 * 2:
        return []
    body = bytes.fromhex(answer[2:])
    return [_number(body[at : at + WORD]) for at in range(2 * WORD, len(body), WORD)]


def slot0_of(value: int) -> Slot0:
    """Take apart the first word: from its end the price, the tick, the protocol's two fees, the liquidity's fee."""
    tick = value >> 160 & 0xFFFFFF
    protocol, fee = value >> 184 & 0xFFFFFF, value >> 208 & 0xFFFFFF
    return Slot0(
        value & (1 << 160) - 1,
        tick - (1 << 24) if tick >> 23 else tick,
        whole_fee(protocol & 0xFFF, fee),
        whole_fee(protocol >> 12, fee),
    )


def whole_fee(protocol: int, liquidity: int) -> int:
    """Both fees as one, of the whole amount; ProtocolFeeLibrary.calculateSwapFee."""
    return protocol + liquidity - protocol * liquidity // PIPS


def net_of(value: int) -> int:
    """What crossing a tick upwards adds to the liquidity: the upper half of its first word, signed."""
    net = value >> 128
    return net - (1 << 128) if net >> 127 else net


def _mapped(mapping: int, keys: Iterable[int]) -> list[int]:
    """Slots of a mapping from signed integers: keccak(key ‖ mapping)."""
    tail = mapping.to_bytes(WORD)
    return [_number(keccak(key.to_bytes(WORD, signed=True) + tail)) for key in keys]


def _number(word: bytes) -> int:
    return int.from_bytes(word)

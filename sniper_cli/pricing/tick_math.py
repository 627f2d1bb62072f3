"""Ticks and square-root prices of concentrated liquidity, bit for bit as Uniswap's TickMath computes them.

A tick t stands for the price 1.0001^t of token0 in units of token1; pools keep √price as a Q64.96 integer. The contract
multiplies precomputed powers in Q128.128 and rounds up at the end, so its square roots are not the mathematical ones to
the last digit: whoever wants to predict a swap to the wei must make the same roundings.

Source: Uniswap v3-core, TickMath; the constants are 2^128 / √1.0001^(2^i), rounded as published.
"""

from __future__ import annotations

from functools import lru_cache
from math import floor, log2

MIN_TICK, MAX_TICK = -887_272, 887_272
MIN_SQRT_RATIO = 4_295_128_739
"""√price at the lowest tick."""
MAX_SQRT_RATIO = 1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_342
"""√price at the highest tick; a pool's price stays below it."""
Q96 = 1 << 96
Q128 = 1 << 128
MAX_UINT256 = (1 << 256) - 1

_POWERS = (
    0xFFFCB933BD6FAD37AA2D162D1A594001,
    0xFFF97272373D413259A46990580E213A,
    0xFFF2E50F5F656932EF12357CF3C7FDCC,
    0xFFE5CACA7E10E4E61C3624EAA0941CD0,
    0xFFCB9843D60F6159C9DB58835C926644,
    0xFF973B41FA98C081472E6896DFB254C0,
    0xFF2EA16466C96A3843EC78B326B52861,
    0xFE5DEE046A99A2A811C461F1969C3053,
    0xFCBE86C7900A88AEDCFFC83B479AA3A4,
    0xF987A7253AC413176F2B074CF7815E54,
    0xF3392B0822B70005940C7A398E4B70F3,
    0xE7159475A2C29B7443B29C7FA6E889D9,
    0xD097F3BDFD2022B8845AD8F792AA5825,
    0xA9F746462D870FDF8A65DC1F90E061E5,
    0x70D869A156D2A1B890BB3DF62BAF32F7,
    0x31BE135F97D08FD981231505542FCFA6,
    0x9AA508B5B7A84E1C677DE54F3E99BC9,
    0x5D6AF8DEDB81196699C329225EE604,
    0x2216E584F5FA1EA926041BEDFE98,
    0x48A170391F7DC42444E8FA2,
)
_LOG2_OF_SQRT_TICK = log2(1.0001) / 2


class TickOutOfRange(ValueError):
    """The contract's `T`: no such tick."""


class PriceOutOfRange(ValueError):
    """The contract's `R`: no tick has this price."""


@lru_cache(maxsize=8192)
def sqrt_ratio_at_tick(tick: int) -> int:
    """√1.0001^tick in Q64.96, rounded up from Q128.128. Raises TickOutOfRange."""
    size = abs(tick)
    if size > MAX_TICK:
        raise TickOutOfRange(f"tick {tick} lies outside ±{MAX_TICK}")
    ratio = _POWERS[0] if size & 1 else Q128
    for bit in range(1, len(_POWERS)):
        if size >> bit & 1:
            ratio = ratio * _POWERS[bit] >> 128
    if tick > 0:
        ratio = MAX_UINT256 // ratio
    return (ratio >> 32) + (1 if ratio & 0xFFFFFFFF else 0)


def tick_at_sqrt_ratio(sqrt_price_x96: int) -> int:
    """The highest tick whose √price is not above this one. Raises PriceOutOfRange."""
    if not MIN_SQRT_RATIO <= sqrt_price_x96 < MAX_SQRT_RATIO:
        raise PriceOutOfRange(f"no tick has the square-root price {sqrt_price_x96}")
    # The logarithm is a guess, good to a tick or two; the contract's own powers decide.
    tick = floor((log2(sqrt_price_x96) - 96) / _LOG2_OF_SQRT_TICK)
    tick = min(max(tick, MIN_TICK), MAX_TICK)
    while sqrt_ratio_at_tick(tick) > sqrt_price_x96:
        tick -= 1
    while tick < MAX_TICK and sqrt_ratio_at_tick(tick + 1) <= sqrt_price_x96:
        tick += 1
    return tick

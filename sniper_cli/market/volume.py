"""How much trades in the simulated market: drawn for a block of 4,096 seconds and split down to the second.

A sum over a day would need 86,400 seconds if each second had a volume of its own. So it is the other way round: a
block's volume is drawn, more in a storm than in a calm, and each half gets a share of it, down to the second. Halves
add up to the whole exactly, and the volume of any stretch is that of its whole blocks and two halved ones.

No second trades more than a side of its book holds: the largest block (2.64 · 1.24 times the mean) with the largest
shares (0.6245 twelve times over, 14.4 times the mean of its seconds) comes to 7.8 depths, the thinnest book holds 8.1.
"""

from __future__ import annotations

from sniper_cli.market.simulated import DAY, HOUR, PricePath

SECONDS_A_DEPTH = 6
"""What one level of the book holds, roughly, trades in so many seconds of mean weather."""


def volume(path: PricePath, first: int, last: int) -> int:
    """Lots traded in the seconds from `first` to `last`."""
    begin, end = first + path.phase, last + 1 + path.phase
    whole = sum(_of_block(path, block) for block in range(begin >> HOUR, end >> HOUR))
    return whole - _before(path, begin) + _before(path, end)


def _of_block(path: PricePath, block: int) -> int:
    """Lots of a block of 2^12 seconds."""
    weather = path.mood(DAY, block >> (DAY - HOUR)) * path.mood(HOUR, block)
    luck = 48 + path.draw(b"volume" + block.to_bytes(8, signed=True), 1)[0] % 32
    return (path.spec.depth_lots * weather * luck << HOUR) // (SECONDS_A_DEPTH * 256 * 64)


def _before(path: PricePath, position: int) -> int:
    """Lots of a position's block that trade before it."""
    lots, before = _of_block(path, position >> HOUR), 0
    for level in range(HOUR, 0, -1):
        left = lots * _share(path, level, position >> level) >> 16
        if position >> (level - 1) & 1:
            before, lots = before + left, lots - left
        else:
            lots = left
    return before


def _share(path: PricePath, level: int, index: int) -> int:
    """The earlier half's share in 2^16ths: a half, an eighth more or less at most."""
    one, two = path.draw(b"share" + level.to_bytes() + index.to_bytes(8, signed=True), 2)
    return (1 << 15) + 32 * (one + two - 255)

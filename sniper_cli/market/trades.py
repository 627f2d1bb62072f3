"""What others trade in the simulated market: the prints of each second, a pure function of the path.

They take from the book of their second, best price first and never beyond it; their lots are the second's volume.
Which side takes leans towards the price's last move, never towards its next one: the tape tells nothing of the future.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sniper_cli.market.simulated import Level, PricePath
from sniper_cli.market.volume import volume

MOST = 5
"""Takers a second; one that sweeps several levels prints at each."""
LEAN = 24
"""By so many 256ths the side of the last move is likelier."""


@dataclass(frozen=True, slots=True)
class Trade:
    """One print."""

    step: int
    index: int
    """Which one of its second."""
    bought: bool
    """Whether the taker bought: the print is at an ask."""
    ticks: int
    lots: int

    @property
    def id(self) -> int:
        """The same for everybody who looks, and growing: the second, then the place in it."""
        return self.step * 100 + self.index

    @property
    def side(self) -> str:
        """The taker's."""
        return "buy" if self.bought else "sell"


def trades(path: PricePath, first: int, last: int) -> Iterator[Trade]:
    """The prints of the seconds from `first` to `last`, in their order."""
    for step in range(first, last + 1):
        yield from trades_of(path, step)


def latest_trades(path: PricePath, step: int, count: int) -> list[Trade]:
    """The last prints up to a second, newest first."""
    found: list[Trade] = []
    while len(found) < count:
        found.extend(reversed(trades_of(path, step)))
        step -= 1
    return found[:count]


def trades_of(path: PricePath, step: int) -> list[Trade]:
    """The prints of one second."""
    book = path.book(step)
    sides = {True: _Side(book.asks), False: _Side(book.bids)}
    # At a price of a few ticks there may be no bid: then whoever takes, buys.
    takers = ((bought or not book.bids, lots) for bought, lots in _takers(path, step))
    prints = [(bought, *taken) for bought, lots in takers for taken in sides[bought].take(lots)]
    return [Trade(step, index, *print_) for index, print_ in enumerate(prints)]


def _takers(path: PricePath, step: int) -> Iterator[tuple[bool, int]]:
    """Whether each taker of a second buys, and how many lots; together they are the second's volume."""
    draw = path.draw(b"trades" + step.to_bytes(8, signed=True), 1 + 2 * MOST)
    number = 1 + draw[0] % MOST
    moved = path.ticks(step) - path.ticks(step - 1)
    buyers = 128 + (LEAN if moved > 0 else -LEAN if moved < 0 else 0)
    weights = [1 + weight for weight in draw[1 : 1 + number]]
    lots, whole = volume(path, step, step), sum(weights)
    dealt = given = 0
    for weight, side in zip(weights, draw[1 + MOST :], strict=False):
        dealt += weight
        share = lots * dealt // whole - given
        given += share
        yield side < buyers, share


class _Side:
    """One side of a book while a second's takers take from it."""

    def __init__(self, levels: tuple[Level, ...]) -> None:
        self._left = [[level.ticks, level.lots] for level in levels]

    def take(self, lots: int) -> Iterator[tuple[int, int]]:
        """(price, lots) of what is taken, best price first. The last level refills: nothing goes beyond the book."""
        while lots:
            best = self._left[0]
            got = min(lots, best[1]) if len(self._left) > 1 else lots
            yield best[0], got
            lots -= got
            best[1] -= got
            if best[1] <= 0 and len(self._left) > 1:
                del self._left[0]

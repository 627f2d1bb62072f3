"""What an order may wait for besides a time and another order's fill: a price, or what is held."""

from __future__ import annotations

from sniper_cli.books.book import Book
from sniper_cli.books.holdings import BookedOrder
from sniper_cli.trading.intents import Condition

POSITIONS = ("open", "closed", "long", "short")
"""What a condition may ask of a position."""


def position_holds(condition: Condition, order: BookedOrder, book: Book) -> bool:
    """Whether what is held is as a condition wants it; true where it wants nothing of it."""
    if condition.position is None:
        return True
    position = book.positions.get(condition.instrument or order.instrument_id)
    held = 0 if position is None else position.quantity
    return {"open": held != 0, "closed": held == 0, "long": held > 0, "short": held < 0}[condition.position]


def in_words(condition: Condition, symbol: str) -> str:
    """What is waited for: `BTC/USDT at 60000 or above and held`."""
    words = []
    if condition.above is not None:
        words.append(f"at {condition.above:f} or above")
    if condition.below is not None:
        words.append(f"at {condition.below:f} or below")
    if condition.position is not None:
        words.append(f"with the position {condition.position}")
    return f"{symbol} " + " and ".join(words)

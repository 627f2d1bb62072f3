"""The day's sums of a strategy and of an instrument, to which every fill adds and every reversal takes away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sniper_cli.books.changes import InstrumentFigures, StrategyFigures
from sniper_cli.books.holdings import BookedFill, BookedOrder, BookedPosition
from state.orders import Side
from state.writing import day_of

if TYPE_CHECKING:
    from sniper_cli.books.book import Book


def count(
    book: Book,
    order: BookedOrder,
    fill: BookedFill,
    quote: str,
    position: BookedPosition | None,
    sign: int = 1,
) -> None:
    """The day's sums of the strategy and of the instrument."""
    day = day_of(fill.at)
    first = (day, order.strategy or "", quote)
    strategy = book.strategy_days.get(first)
    if strategy is None:
        strategy = book.shelf.strategy_day(first) or StrategyFigures()
        book.strategy_days[first] = strategy
    book.changes.strategy_days[first] = strategy
    realised = fill.realised
    strategy.realised += sign * realised
    strategy.fees += sign * fill.fee_value
    strategy.fills += sign
    if fill.side is Side.BUY:
        strategy.bought += sign * fill.notional
    else:
        strategy.sold += sign * fill.notional
    if realised > 0:
        strategy.wins += sign
        strategy.won += sign * realised
    elif realised < 0:
        strategy.losses += sign
        strategy.lost += sign * -realised
    second = (day, fill.instrument_id)
    traded = book.instrument_days.get(second)
    if traded is None:
        traded = book.shelf.instrument_day(second) or InstrumentFigures()
        book.instrument_days[second] = traded
    book.changes.instrument_days[second] = traded
    traded.quantity += sign * fill.quantity
    traded.notional += sign * fill.notional
    traded.fills += sign
    traded.realised += sign * realised
    traded.fees += sign * fill.fee_value
    now = position or book.positions.get(fill.instrument_id)
    traded.held, traded.basis = (now.quantity, now.basis) if now is not None else (0, 0)
    if book.watch is not None:
        lost = sign * (fill.fee_value - realised)
        book.watch.counted(day, order.strategy or "", quote, fill.instrument_id, lost)

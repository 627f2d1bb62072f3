"""What an order takes from the simulated market at once: level by level, best price first, with fees.

Our own orders leave no trace in the market: the next second's book is as full as if nobody had bought. Conditions make
that harder: slippage moves every price that a taker gets against it, impact does so the more the larger the share of
the visible depth that the order takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from sniper_cli.market.simulated import Book, Level
from state.orders import Side

BPS = 10_000

SLIPPAGE_BPS = 100
"""How far from the best price a market order may go when it does not say: 1 %."""


@dataclass(frozen=True, slots=True)
class FeeSchedule:
    """Fees in basis points of the notional, charged in the quote asset and rounded up."""

    maker_bps: int = 2
    taker_bps: int = 10


@dataclass(frozen=True, slots=True)
class Conditions:
    """How kind the paper market is. The defaults are an exchange's fees and nothing else."""

    fees: FeeSchedule = FeeSchedule()
    latency_ms: int = 0
    """From the order's recording until the market sees it."""
    slippage_bps: int = 0
    """Every price that a taker gets is worse by so much."""
    impact_bps: int = 0
    """… and by so much more where it takes the whole visible side of the book, in proportion where it takes less."""


@dataclass(frozen=True, slots=True)
class Taker:
    """An order in ticks and lots that takes at once. Exactly one of `lots` and `budget` is given."""

    side: Side
    worst: int
    """The worst price it still takes."""
    lots: int | None
    budget: int | None = None
    """Quote units to spend, fees included."""


class Execution(msgspec.Struct, frozen=True, gc=False):
    """One trade of ours."""

    step: int
    index: int
    """Which one of its second."""
    ticks: int
    lots: int
    notional: int
    fee: int
    maker: bool


def take(
    book: Book, taker: Taker, conditions: Conditions, tick_of_lot: int
) -> tuple[tuple[Execution, ...], bool]:
    """What a book gives at once, best price first, and whether that is all that was wanted.

    `tick_of_lot`: quote units of one lot at a price of one tick, the instrument's.
    """
    executions: list[Execution] = []
    lots, budget, fee_bps = taker.lots, taker.budget, conditions.fees.taker_bps
    for level in offered(book, taker, conditions):
        wanted = affordable(level.ticks * tick_of_lot, budget, fee_bps) if lots is None else lots
        if wanted == 0:
            return tuple(executions), bool(executions)
        got = min(level.lots, wanted)
        notional = level.ticks * got * tick_of_lot
        one = Execution(
            book.step, len(executions), level.ticks, got, notional, fee_on(notional, fee_bps), False
        )
        executions.append(one)
        if lots is not None:
            lots -= got
        elif budget is not None:
            budget -= one.notional + one.fee
        if got < level.lots or lots == 0:
            return tuple(executions), True
    spent = budget is not None and affordable(taker.worst * tick_of_lot, budget, fee_bps) == 0
    return tuple(executions), spent and bool(executions)


def offered(book: Book, taker: Taker, conditions: Conditions) -> Sequence[Level]:
    """The levels that a taker reaches, at the prices that it gets."""
    buying = taker.side is Side.BUY
    levels = book.asks if buying else book.bids
    if conditions.slippage_bps or conditions.impact_bps:
        levels = _worsened(levels, taker, conditions)
    if buying:
        return [level for level in levels if level.ticks <= taker.worst]
    return [level for level in levels if level.ticks >= taker.worst]


def _worsened(levels: Sequence[Level], taker: Taker, conditions: Conditions) -> tuple[Level, ...]:
    """Prices moved against the taker, to whole ticks on the far side."""
    depth = sum(level.lots for level in levels)
    wanted = depth if taker.lots is None else min(taker.lots, depth)
    worse = conditions.slippage_bps * depth + conditions.impact_bps * wanted
    scale = BPS * depth
    if taker.side is Side.BUY:
        return tuple(Level(-(-level.ticks * (scale + worse) // scale), level.lots) for level in levels)
    return tuple(Level(max(1, level.ticks * (scale - worse) // scale), level.lots) for level in levels)


def affordable(lot_price: int, budget: int | None, fee_bps: int) -> int:
    """How many lots a budget pays for at a price of a lot in quote units, with the fee."""
    if not budget:
        return 0
    lots = budget * BPS // (lot_price * (BPS + fee_bps))
    # The fee is rounded up: it may be one unit more than the division has reckoned with.
    while lots and lots * lot_price + fee_on(lots * lot_price, fee_bps) > budget:
        lots -= 1
    return lots


def fee_on(notional: int, fee_bps: int) -> int:
    """The fee in quote units, rounded up."""
    return -(-notional * fee_bps // BPS)

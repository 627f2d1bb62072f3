"""How an order fares against the simulated market: a pure function of the order, the market and the time.

What is marketable takes from the book of the second in which it was recorded, level by level, as a taker. What
rests waits for a second in which the other side trades through its price, and then gets what stands there, at its
own price, as a maker. Nothing is remembered between two looks: whoever looks again finds the same fills, so an
order can be settled at any time, by any process, as often as one likes.

Our own orders leave no trace in the market: the next second's book is as full as if nobody had bought.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sniper_cli.market.instruments import Spec
from sniper_cli.market.simulated import Book, Level, PricePath
from state.orders import OrderState, OrderType, Side, TimeInForce

BPS = 10_000


@dataclass(frozen=True, slots=True)
class FeeSchedule:
    """Fees in basis points of the notional, charged in the quote asset and rounded up."""

    maker_bps: int = 2
    taker_bps: int = 10


@dataclass(frozen=True, slots=True)
class Wish:
    """An order in ticks and lots. Exactly one of `lots` and `budget` is given."""

    side: Side
    type: OrderType
    time_in_force: TimeInForce
    worst: int
    """The limit; for a market order the worst price it still takes."""
    lots: int | None
    budget: int | None = None
    """Quote units to spend, fees included: a purchase at market."""


@dataclass(frozen=True, slots=True)
class Execution:
    """One trade of ours."""

    step: int
    index: int
    """Which one of its second."""
    ticks: int
    lots: int
    notional: int
    fee: int
    maker: bool


@dataclass(frozen=True, slots=True)
class Course:
    """What has become of an order so far."""

    state: OrderState
    executions: tuple[Execution, ...]
    explanation: str | None = None

    @property
    def lots(self) -> int:
        return sum(execution.lots for execution in self.executions)

    @property
    def notional(self) -> int:
        return sum(execution.notional for execution in self.executions)

    @property
    def fee(self) -> int:
        return sum(execution.fee for execution in self.executions)


def follow(path: PricePath, wish: Wish, fees: FeeSchedule, start: int, until: int) -> Course:
    """What has become of an order recorded at second `start`, as of second `until`."""
    book = path.book(start)
    taken, satisfied = take(book, wish, fees)
    if satisfied:
        return Course(OrderState.FILLED, taken)
    if wish.time_in_force is TimeInForce.FOK:
        return Course(OrderState.CANCELLED, (), _killed(path.spec, wish, taken))
    if wish.type is OrderType.MARKET or wish.time_in_force is TimeInForce.IOC:
        return Course(OrderState.CANCELLED, taken, _cut_short(path.spec, wish, taken))
    assert wish.lots is not None
    executions = (*taken, *_rest(path, wish, fees, start, until, sum(one.lots for one in taken)))
    filled = sum(one.lots for one in executions)
    if filled == wish.lots:
        return Course(OrderState.FILLED, executions)
    return Course(OrderState.PARTIALLY_FILLED if executions else OrderState.OPEN, executions)


def take(book: Book, wish: Wish, fees: FeeSchedule) -> tuple[tuple[Execution, ...], bool]:
    """What a book gives at once, best price first, and whether that is all that was wanted."""
    executions: list[Execution] = []
    lots, budget = wish.lots, wish.budget
    for level in reachable(book, wish):
        wanted = affordable(book.spec, level.ticks, budget, fees.taker_bps) if lots is None else lots
        if wanted == 0:
            return tuple(executions), bool(executions)
        got = min(level.lots, wanted)
        one = _execution(
            book.spec, book.step, level.ticks, got, fees.taker_bps, index=len(executions), maker=False
        )
        executions.append(one)
        if lots is not None:
            lots -= got
        elif budget is not None:
            budget -= one.notional + one.fee
        if got < level.lots or lots == 0:
            return tuple(executions), True
    spent = budget is not None and affordable(book.spec, wish.worst, budget, fees.taker_bps) == 0
    return tuple(executions), spent and bool(executions)


def reachable(book: Book, wish: Wish) -> Sequence[Level]:
    """The levels of the other side that are no worse than the wish's worst price."""
    if wish.side is Side.BUY:
        return [level for level in book.asks if level.ticks <= wish.worst]
    return [level for level in book.bids if level.ticks >= wish.worst]


def affordable(spec: Spec, ticks: int, budget: int | None, fee_bps: int) -> int:
    """How many lots a budget pays for at a price, with the fee."""
    if not budget:
        return 0
    lots = budget * BPS // (spec.notional(ticks, 1) * (BPS + fee_bps))
    # The fee is rounded up: it may be one unit more than the division has reckoned with.
    while lots and spec.notional(ticks, lots) + fee_on(spec.notional(ticks, lots), fee_bps) > budget:
        lots -= 1
    return lots


def fee_on(notional: int, fee_bps: int) -> int:
    """The fee in quote units, rounded up."""
    return -(-notional * fee_bps // BPS)


def _rest(
    path: PricePath, wish: Wish, fees: FeeSchedule, start: int, until: int, filled: int
) -> Iterator[Execution]:
    """The trades of what is left in the book, from the second after `start` on."""
    assert wish.lots is not None
    left, step = wish.lots - filled, start
    while left:
        # The best price of the other side lies beyond the middle, so the middle must pass the limit first.
        passed = path.next_below if wish.side is Side.BUY else path.next_above
        found = passed(wish.worst, step, until)
        if found is None:
            return
        step = found
        there = sum(level.lots for level in reachable(path.book(step), wish))
        if got := min(left, there):
            left -= got
            yield _execution(path.spec, step, wish.worst, got, fees.maker_bps, index=0, maker=True)


def _execution(
    spec: Spec, step: int, ticks: int, lots: int, fee_bps: int, *, index: int, maker: bool
) -> Execution:
    notional = spec.notional(ticks, lots)
    return Execution(step, index, ticks, lots, notional, fee_on(notional, fee_bps), maker)


def _killed(spec: Spec, wish: Wish, taken: Sequence[Execution]) -> str:
    return f"not all of it could be had at once: {_there(spec, wish, taken)}"


def _cut_short(spec: Spec, wish: Wish, taken: Sequence[Execution]) -> str:
    return f"the rest was not to be had at once: {_there(spec, wish, taken)}"


def _there(spec: Spec, wish: Wish, taken: Sequence[Execution]) -> str:
    there = sum(one.lots for one in taken)
    verb = "stood" if wish.side is Side.BUY else "were bid for"
    return f"{plain(there * spec.lot)} {spec.base} {verb} at {plain(spec.price(wish.worst))} or better"


def plain(value: Decimal) -> str:
    """A Decimal without an exponent and without zeros at the end."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text

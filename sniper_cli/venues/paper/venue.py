"""The paper venue: the order desk's protocol over the simulated market.

It keeps nothing of its own. What the desk records with an order (the market's seed, the second it was recorded in,
its worst price) is all that its fills depend on, so a crash can lose nothing: asked again, the venue gives the same
answer, fills under the same ids.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from sqlmodel import Session

from sniper_cli.errors import OrderRefused
from sniper_cli.market.instruments import (
    BASE_DECIMALS,
    MINIMUM_NOTIONAL,
    QUOTE,
    QUOTE_DECIMALS,
    Spec,
    find_spec,
)
from sniper_cli.market.simulated import Book, SimulatedMarket, step_of, time_of
from sniper_cli.trading.intents import OrderIntent
from sniper_cli.venues.paper.matching import (
    BPS,
    Course,
    Execution,
    FeeSchedule,
    Wish,
    affordable,
    fee_on,
    follow,
    plain,
    take,
)
from sniper_cli.venues.venue import FillReport, Plan, Report
from state.accounts import Account, Instrument, VenueKind
from state.columns import utc_now
from state.orders import Order, OrderState, OrderType, Side, TimeInForce

SLIPPAGE_BPS = 100
"""How far from the best price a market order may go when it does not say: 1 %."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Which market an order is in, and since which second: its `venue_reference`."""

    seed: int
    step: int

    @classmethod
    def of(cls, order: Order) -> Placement:
        if order.venue_reference is None:
            raise ValueError(f"the order {order.id} was never recorded with the paper venue")
        _, seed, step = order.venue_reference.split(":")
        return cls(int(seed), int(step))

    def __str__(self) -> str:
        return f"simulated:{self.seed}:{self.step}"


class PaperVenue:
    """Takes orders for paper accounts."""

    kind = VenueKind.PAPER

    def __init__(
        self,
        market: SimulatedMarket,
        *,
        clock: Callable[[], datetime] = utc_now,
        fees: FeeSchedule = FeeSchedule(),  # noqa: B008 - frozen
    ) -> None:
        self.market = market
        self._clock = clock
        self._fees = fees

    async def plan(self, account: Account, instrument: Instrument, intent: OrderIntent) -> Plan:  # noqa: ARG002
        """Walk the present book. Raises OrderRefused for what does not fit the instrument, NotFound."""
        spec = find_spec(instrument.id)
        book = self.market.book(instrument.id, self._clock())
        wish = _wish_of(spec, book, intent, self._fees)
        taken, satisfied = take(book, wish, self._fees)
        if wish.time_in_force is TimeInForce.FOK and not satisfied:
            taken = ()
        needed = _needed(spec, wish, self._fees) if wish.side is Side.BUY else 0
        return Plan(intent, _summary(spec, book, wish, taken, self._fees), needed, request=wish)

    def record(self, session: Session, account: Account, order: Order, plan: Plan) -> None:  # noqa: ARG002
        """Fix what the fills will depend on: market, second and worst price."""
        spec = find_spec(order.instrument_id)
        order.venue_reference = str(Placement(self.market.seed, step_of(self._clock())))
        order.limit_price = spec.price(plan.request.worst)

    async def send(self, order: Order) -> Report:
        """What the market gives at once. The same again gives the same again."""
        return self._report(order)

    async def report(self, orders: Sequence[Order]) -> list[Report]:
        """What the path of the price has done to these orders until now."""
        return [self._report(order) for order in orders]

    def settle(self, session: Session, account: Account, order: Order, report: Report) -> None:
        """Nothing: the venue keeps nothing of its own."""

    async def cancel(self, order: Order) -> Report:
        """End an order; what it has got until now counts. Raises OrderRefused when there is nothing left to end."""
        if not order.is_working:
            raise OrderRefused(
                f"the order is {order.state.value} already", hint=f"sniper order show {order.id}"
            )
        report = self._report(order)
        if report.state in (OrderState.OPEN, OrderState.PARTIALLY_FILLED):
            return Report(order.id, OrderState.CANCELLED, report.fills, "cancelled by request", report.facts)
        return report

    def proceeds(self, instrument_id: str, quantity: int) -> int:
        """Quote units that selling so many base units would bring now, fees taken off: a position's mark.

        What the book does not hold is reckoned at its last price.
        """
        spec = find_spec(instrument_id)
        bids = self.market.book(instrument_id, self._clock()).bids
        left, notional = quantity // spec.lot_units, 0
        for level in bids:
            got = min(left, level.lots)
            notional += spec.notional(level.ticks, got)
            left -= got
        notional += spec.notional(bids[-1].ticks, left)
        return notional - fee_on(notional, self._fees.taker_bps)

    def _report(self, order: Order) -> Report:
        placement = Placement.of(order)
        # An order stays in the market it was recorded in, though the setting may have changed since.
        market = self.market if placement.seed == self.market.seed else SimulatedMarket(placement.seed)
        path = market.path(order.instrument_id)
        until = max(placement.step, step_of(self._clock()))
        course = follow(path, _wish_recorded(path.spec, order, self._fees), self._fees, placement.step, until)
        return Report(
            order.id,
            course.state,
            tuple(_news(path.spec, order, course)),
            course.explanation,
            facts={"settled_until": time_of(until)},
        )


def _wish_of(spec: Spec, book: Book, intent: OrderIntent, fees: FeeSchedule) -> Wish:
    """The intent in ticks and lots.

    Raises OrderRefused for what is no whole number of them.
    """
    if intent.type is OrderType.LIMIT:
        worst = _limit_ticks(spec, intent.limit_price)
    else:
        worst = _worst_ticks(spec, book, intent)
    wish = Wish(
        intent.side,
        intent.type,
        intent.time_in_force,
        worst,
        _whole_lots(spec, intent.quantity),
        intent.budget,
    )
    wish = _sized(spec, wish, fees)
    if wish.lots is not None and spec.notional(wish.worst, wish.lots) < MINIMUM_NOTIONAL:
        least = plain(Decimal(MINIMUM_NOTIONAL).scaleb(-QUOTE_DECIMALS))
        raise OrderRefused(f"an order is worth at least {least} {QUOTE}", hint="sniper order place --help")
    if wish.lots is None and affordable(spec, worst, wish.budget, fees.taker_bps) == 0:
        raise OrderRefused(
            f"the budget does not pay for one lot ({plain(spec.lot)} {spec.base})",
            hint="sniper order place --help",
        )
    return wish


def _wish_recorded(spec: Spec, order: Order, fees: FeeSchedule) -> Wish:
    """The recorded order in ticks and lots: the same as the intent was, for `record` stored the worst price."""
    assert order.limit_price is not None
    lots = None if order.quantity is None else order.quantity // spec.lot_units
    worst = int(order.limit_price / spec.tick)
    return _sized(spec, Wish(order.side, order.type, order.time_in_force, worst, lots, order.budget), fees)


def _sized(spec: Spec, wish: Wish, fees: FeeSchedule) -> Wish:
    """A budget at a limit is a number of lots; at market it stays a budget."""
    if wish.lots is not None or wish.type is OrderType.MARKET:
        return wish
    lots = affordable(spec, wish.worst, wish.budget, fees.taker_bps)
    return Wish(wish.side, wish.type, wish.time_in_force, wish.worst, lots)


def _limit_ticks(spec: Spec, limit_price: Decimal | None) -> int:
    if limit_price is None or limit_price <= 0:
        raise OrderRefused("a limit order needs a price above zero", hint="sniper order place --help")
    ticks = limit_price / spec.tick
    if ticks != int(ticks):
        raise OrderRefused(
            f"{plain(limit_price)} is no multiple of the tick {plain(spec.tick)} of {spec.symbol}",
            hint="sniper order place --help",
            tick=str(spec.tick),
        )
    return int(ticks)


def _worst_ticks(spec: Spec, book: Book, intent: OrderIntent) -> int:
    """The best price and the slippage it may have, to whole ticks on the near side."""
    slippage = SLIPPAGE_BPS if intent.max_slippage_bps is None else intent.max_slippage_bps
    if intent.side is Side.BUY:
        worst = book.asks[0].ticks * (BPS + slippage) // BPS
        return (
            worst if intent.limit_price is None else min(worst, _ticks(spec, intent.limit_price, ROUND_FLOOR))
        )
    worst = max(1, -(-book.bids[0].ticks * (BPS - slippage) // BPS))
    return (
        worst if intent.limit_price is None else max(worst, _ticks(spec, intent.limit_price, ROUND_CEILING))
    )


def _ticks(spec: Spec, price: Decimal, rounding: str) -> int:
    return int((price / spec.tick).to_integral_value(rounding))


def _whole_lots(spec: Spec, quantity: int | None) -> int | None:
    if quantity is None:
        return None
    if quantity <= 0 or quantity % spec.lot_units:
        amount = plain(Decimal(quantity).scaleb(-BASE_DECIMALS))
        raise OrderRefused(
            f"{amount} {spec.base} is no multiple of the lot {plain(spec.lot)}",
            hint="sniper order place --help",
            lot=str(spec.lot),
        )
    return quantity // spec.lot_units


def _needed(spec: Spec, wish: Wish, fees: FeeSchedule) -> int:
    """What a purchase may cost at most, with the higher fee and one unit a level for its rounding."""
    if wish.budget is not None:
        return wish.budget
    assert wish.lots is not None
    notional = spec.notional(wish.worst, wish.lots)
    return notional + fee_on(notional, max(fees.taker_bps, fees.maker_bps)) + 10


def _summary(
    spec: Spec, book: Book, wish: Wish, taken: Sequence[Execution], fees: FeeSchedule
) -> dict[str, Any]:
    """What the order would do at this second, for people and dry runs."""
    summary: dict[str, Any] = {
        "instrument": spec.symbol,
        "side": wish.side.value,
        "best_price": spec.price((book.asks if wish.side is Side.BUY else book.bids)[0].ticks),
        "worst_price": spec.price(wish.worst),
        "fee_bps": {"maker": fees.maker_bps, "taker": fees.taker_bps},
    }
    lots = sum(one.lots for one in taken)
    if lots:
        notional = sum(one.notional for one in taken)
        summary["fills_now"] = lots * spec.lot_units
        summary["notional_now"] = notional
        summary["fee_now"] = sum(one.fee for one in taken)
        average = spec.tick * notional / (lots * spec.tick_of_lot)
        summary["average_price"] = average.quantize(spec.tick.scaleb(-2))
    left = (wish.lots or 0) - lots
    if left and wish.type is OrderType.LIMIT and wish.time_in_force is TimeInForce.GTC:
        summary["rests"] = left * spec.lot_units
        # What all of it is worth at the limit: at most for a purchase, at least for a sale.
        at_limit = spec.notional(wish.worst, wish.lots or 0)
        summary["spend" if wish.side is Side.BUY else "least"] = at_limit
    return summary


def _news(spec: Spec, order: Order, course: Course) -> list[FillReport]:
    """The fills that the record does not have yet. They come in the same order every time."""
    fills, so_far = [], 0
    for one in course.executions:
        so_far += one.lots * spec.lot_units
        if so_far > order.filled_quantity:
            fills.append(_fill(spec, order, one))
    return fills


def _fill(spec: Spec, order: Order, one: Execution) -> FillReport:
    return FillReport(
        venue_trade_id=f"{order.id}:{one.step}:{one.index}",
        quantity=one.lots * spec.lot_units,
        notional=one.notional,
        fee_asset=spec.quote_asset,
        fee=one.fee,
        # Its second began before the order was recorded; the trade did not.
        at=max(order.created_at, time_of(one.step)),
    )

"""What becomes of an order on the floor follows from the order, the market and the time, and from nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sniper_cli.books.book import Book
from sniper_cli.books.holdings import BookedOrder
from sniper_cli.market.instruments import INSTRUMENTS, Spec
from sniper_cli.market.simulated import PricePath, SimulatedMarket
from sniper_cli.trading.intents import Terms, terms_json, terms_of
from sniper_cli.venues.paper.estimating import estimate
from sniper_cli.venues.paper.floor import Floor, Happening
from sniper_cli.venues.paper.matching import BPS, Conditions, Execution, fee_on
from sniper_cli.venues.paper.seconds import touch, trails
from state.identifiers import new_key
from state.orders import OrderState, OrderType, Side, TimeInForce

START = 1_795_176_000  # 2026-11-20T12:00:00Z
NOBODY = "0" * 32
FEES = Conditions().fees
BTC = INSTRUMENTS["paper:BTC/USDT"]

sides = st.sampled_from(Side)
tifs = st.sampled_from((TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK))


@dataclass
class Account:
    """A floor and the book under it; what happens is booked as the desk would, with nothing but sizes and states."""

    seed: int
    conditions: Conditions = Conditions()  # noqa: RUF009 - frozen
    book: Book = field(init=False)
    floor: Floor = field(init=False)
    executions: list[tuple[str, Execution]] = field(default_factory=list)
    said: dict[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        pairs = {spec.id: (spec.base_asset, spec.quote_asset) for spec in INSTRUMENTS.values()}
        self.book = Book(NOBODY, None, pairs)  # type: ignore[arg-type] - nothing here is ever over and asked for
        self.floor = Floor(SimulatedMarket(self.seed), self.conditions, self.book)

    def place(self, order: BookedOrder, step: int) -> None:
        self.book.add(order)
        self._book(self.floor.place(order, terms_of(order), step))

    def run(self, after: int, until: int) -> int:
        """Everything in (after, until]; how many seconds were looked at."""
        looked = 0
        while (step := self.floor.next_touch(after, until)) is not None:
            looked += 1
            for instrument in self.floor.instruments():
                for happening in touch(self.floor, instrument, step):
                    self._book(happening)
            after = step
        return looked

    def read_anew(self) -> None:
        """Another process: the floor as it is rebuilt from the book."""
        self.floor = Floor(SimulatedMarket(self.seed), self.conditions, self.book)

    def _book(self, happening: Happening) -> None:
        order = self.book._new[happening.order]
        if happening.terms is not None:
            order.terms_json = terms_json(happening.terms)
        lot = INSTRUMENTS[order.instrument_id].lot_units
        for one in happening.executions:
            self.executions.append((order.key, one))
            order.filled_quantity += one.lots * lot
            order.filled_notional += one.notional
            order.state = OrderState.PARTIALLY_FILLED
        if order.filled_quantity == order.quantity:
            order.state = OrderState.FILLED
        if happening.state is not None:
            order.state = happening.state
            self.said[order.key] = happening.explanation
        if not order.is_working:
            self.book.orders.pop(order.key, None)


@dataclass(frozen=True)
class Wish:
    """An order for an instrument, in lots and ticks."""

    seed: int
    spec: Spec
    side: Side
    tif: TimeInForce
    limit: int
    lots: int

    @property
    def path(self) -> PricePath:
        return SimulatedMarket(self.seed).path(self.spec.id)

    def within(self, ticks: int) -> bool:
        return ticks <= self.limit if self.side is Side.BUY else ticks >= self.limit

    def order(self, **options: object) -> BookedOrder:
        return order_of(self.spec, self.side, self.lots, limit=self.limit, tif=self.tif, **options)


def order_of(
    spec: Spec,
    side: Side,
    lots: int | None,
    *,
    limit: int | None = None,
    kind: OrderType | None = None,
    tif: TimeInForce = TimeInForce.GTC,
    budget: int | None = None,
    terms: Terms | None = None,
) -> BookedOrder:
    return BookedOrder(
        new_key(),
        new_key(),
        spec.id,
        side,
        kind or (OrderType.MARKET if limit is None else OrderType.LIMIT),
        tif,
        None if lots is None else lots * spec.lot_units,
        budget,
        None if limit is None else spec.price(limit),
        OrderState.OPEN,
        0,
        START * 1_000_000,
        terms_json=terms_json(terms),
    )


@st.composite
def wishes(draw: st.DrawFn, tif: TimeInForce | None = None) -> Wish:
    """A limit order within half a per cent of the price, from a lot to more than the book holds."""
    seed, spec = draw(st.integers(0, 10_000)), draw(st.sampled_from([*INSTRUMENTS.values()]))
    limit = max(
        2, SimulatedMarket(seed).path(spec.id).ticks(START) * (BPS + draw(st.integers(-50, 50))) // BPS
    )
    lots = draw(st.integers(1, spec.depth_lots * 120))
    return Wish(seed, spec, draw(sides), tif or draw(tifs), limit, lots)


def follow(wish: Wish, until: int) -> tuple[BookedOrder, list[Execution], str | None]:
    """What becomes of it: the order, its trades, and what was said at its end."""
    account, order = Account(wish.seed), wish.order()
    account.place(order, START)
    account.run(START, until)
    return order, [one for _, one in account.executions], account.said.get(order.key)


# -- limits -----------------------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(wishes(), st.integers(0, 900))
def test_a_limit_order_never_fills_at_a_worse_price_nor_for_more(wish: Wish, length: int) -> None:
    order, executions, _ = follow(wish, START + length)
    for one in executions:
        assert wish.within(one.ticks)
        assert one.notional == wish.spec.notional(one.ticks, one.lots)
        assert one.fee == fee_on(one.notional, FEES.maker_bps if one.maker else FEES.taker_bps)
        assert START <= one.step <= START + length
        assert one.maker == (one.step > START)
        assert not one.maker or one.ticks == wish.limit
    got = sum(one.lots for one in executions)
    assert got <= wish.lots
    assert (order.state is OrderState.FILLED) == (got == wish.lots)


@settings(max_examples=100, deadline=None)
@given(wishes(), st.lists(st.integers(0, 900), min_size=2, max_size=5))
def test_settled_in_pieces_is_settled_in_one_go(wish: Wish, lengths: list[int]) -> None:
    courses = [follow(wish, START + length) for length in sorted(lengths)]
    for (earlier, first, _), (later, second, _) in pairwise(courses):
        assert second[: len(first)] == first
        assert earlier.is_working or later.state is earlier.state


@settings(max_examples=60, deadline=None)
@given(wishes(TimeInForce.GTC), st.integers(1, 900), st.lists(st.integers(1, 899), max_size=4))
def test_read_anew_between_two_looks_it_goes_on_as_if_it_had_not_been(
    wish: Wish, length: int, pauses: list[int]
) -> None:
    _, expected, _ = follow(wish, START + length)
    account, order, after = Account(wish.seed), wish.order(), START
    account.place(order, START)
    for pause in sorted(pauses):
        if pause < length:
            account.run(after, START + pause)
            account.read_anew()
            after = START + pause
    account.run(after, START + length)
    assert [one for _, one in account.executions] == expected


@settings(max_examples=60, deadline=None)
@given(wishes(TimeInForce.GTC), st.integers(0, 300))
def test_a_resting_order_gets_what_a_walk_second_by_second_gives(wish: Wish, length: int) -> None:
    """The search that passes over quiet intervals, against looking at every book."""
    left, walked = wish.lots, []
    for step in range(START, START + length + 1):
        book = wish.path.book(step)
        levels = book.asks if wish.side is Side.BUY else book.bids
        got = min(left, sum(level.lots for level in levels if wish.within(level.ticks)))
        if got:
            walked.append((step, got))
            left -= got
    by_step = Counter[int]()
    for one in follow(wish, START + length)[1]:
        by_step[one.step] += one.lots
    assert sorted(by_step.items()) == walked


@settings(deadline=None)
@given(wishes(TimeInForce.FOK))
def test_fill_or_kill_is_all_or_nothing_and_at_once(wish: Wish) -> None:
    order, executions, said = follow(wish, START + 500)
    assert order.state in (OrderState.FILLED, OrderState.CANCELLED)
    assert sum(one.lots for one in executions) == (wish.lots if order.state is OrderState.FILLED else 0)
    assert said or order.state is OrderState.FILLED


@settings(deadline=None)
@given(wishes(TimeInForce.IOC))
def test_immediate_or_cancel_takes_what_is_there_and_ends(wish: Wish) -> None:
    order, executions, _ = follow(wish, START + 500)
    assert order.state in (OrderState.FILLED, OrderState.CANCELLED)
    assert {one.step for one in executions} <= {START}
    assert executions == follow(wish, START)[1]


def test_a_month_is_settled_in_a_few_looks() -> None:
    """An order far from the price, and a large one that fills bit by bit."""
    path, until = SimulatedMarket(7).path(BTC.id), START + 30 * 86_400
    account = Account(7)
    far = order_of(BTC, Side.BUY, 10, limit=path.ticks(START) // 2)
    account.place(far, START)
    assert account.run(START, until) < 5
    assert far.state is OrderState.OPEN
    large = Wish(7, BTC, Side.BUY, TimeInForce.GTC, path.book(START).asks[0].ticks, 10**6)
    order, executions, _ = follow(large, until)
    assert order.state is OrderState.FILLED
    assert len(executions) > 3


# -- several orders ---------------------------------------------------------------------------------------------


def test_at_one_price_who_came_first_is_filled_first() -> None:
    path = SimulatedMarket(7).path(BTC.id)
    account, limit = Account(7), path.book(START).bids[0].ticks
    first, second = (order_of(BTC, Side.BUY, 10**6, limit=limit) for _ in range(2))
    account.place(first, START)
    account.place(second, START)
    account.run(START, START + 86_400)
    owners = [key for key, _ in account.executions]
    assert second.filled_quantity < 10**6 * BTC.lot_units or owners.index(second.key) > owners.index(
        first.key
    )
    assert owners == sorted(owners, key=[first.key, second.key].index)
    assert first.filled_quantity >= second.filled_quantity > 0


def test_a_better_price_goes_before_who_came_first() -> None:
    path = SimulatedMarket(7).path(BTC.id)
    account, limit = Account(7), path.book(START).bids[0].ticks
    worse = order_of(BTC, Side.BUY, 10, limit=limit - 5000)
    better = order_of(BTC, Side.BUY, 10, limit=limit - 1000)
    account.place(worse, START)
    account.place(better, START)
    account.run(START, START + 30 * 86_400)
    assert [key for key, _ in account.executions] == [better.key, worse.key]


def test_what_would_trade_with_an_order_of_ours_ends_instead() -> None:
    path = SimulatedMarket(7).path(BTC.id)
    account, book = Account(7), path.book(START)
    middle = (book.bids[0].ticks + book.asks[0].ticks) // 2
    bid = order_of(BTC, Side.BUY, 10, limit=middle)
    ask = order_of(BTC, Side.SELL, 10, limit=middle)
    account.place(bid, START)
    account.place(ask, START)
    assert (bid.state, ask.state) == (OrderState.OPEN, OrderState.CANCELLED)
    assert "an order of your own" in (account.said[ask.key] or "")


def test_post_only_is_rejected_where_it_would_take() -> None:
    path = SimulatedMarket(7).path(BTC.id)
    account, book = Account(7), path.book(START)
    crossing = order_of(BTC, Side.BUY, 10, limit=book.asks[0].ticks, terms=Terms(post_only=True))
    resting = order_of(BTC, Side.BUY, 10, limit=book.bids[0].ticks, terms=Terms(post_only=True))
    account.place(crossing, START)
    account.place(resting, START)
    assert (crossing.state, resting.state) == (OrderState.REJECTED, OrderState.OPEN)
    assert f"{BTC.price(book.asks[0].ticks):f}" in (account.said[crossing.key] or "")


# -- triggers ---------------------------------------------------------------------------------------------------


def prices(path: PricePath, length: int) -> Iterator[tuple[int, int]]:
    return ((step, path.ticks(step)) for step in range(START + 1, START + length + 1))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from([*INSTRUMENTS.values()]),
    sides,
    st.sampled_from((OrderType.STOP, OrderType.TAKE_PROFIT)),
    st.integers(1, 30),
)
def test_a_trigger_goes_off_in_the_first_second_whose_price_reaches_it(
    seed: int, spec: Spec, side: Side, kind: OrderType, away: int
) -> None:
    path = SimulatedMarket(seed).path(spec.id)
    above = (side is Side.BUY) == (kind is OrderType.STOP)
    now = path.ticks(START)
    trigger = now * (BPS + (away if above else -away)) // BPS
    if trigger in (0, now):
        return
    account = Account(seed)
    order = order_of(spec, side, 1, kind=kind, terms=Terms(trigger_price=spec.price(trigger)))
    account.place(order, START)
    account.run(START, START + 900)
    reached = (step for step, price in prices(path, 900) if (price >= trigger if above else price <= trigger))
    first = next(reached, None)
    assert terms_of(order).triggered_at == (None if first is None else first * 1_000_000)
    assert {one.step for _, one in account.executions} <= {first}


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10_000), st.sampled_from([*INSTRUMENTS.values()]), sides, st.integers(1, 40), st.booleans()
)
def test_a_trailing_stop_follows_the_best_price_second_by_second(
    seed: int, spec: Spec, side: Side, bps: int, pause: bool
) -> None:
    """Against a walk over every price; read anew in the middle it is the same."""
    path = SimulatedMarket(seed).path(spec.id)
    buys, best, walked = side is Side.BUY, path.ticks(START), None
    for step, price in prices(path, 900):
        stop = -(-best * (BPS + bps) // BPS) if buys else max(1, best * (BPS - bps) // BPS)
        if price >= stop if buys else price <= stop:
            walked = step
            break
        best = min(best, price) if buys else max(best, price)
    account = Account(seed)
    order = order_of(spec, side, 1, kind=OrderType.TRAILING_STOP, terms=Terms(trail_bps=bps))
    account.place(order, START)
    if pause:
        account.run(START, START + 450)
        for moved, terms in trails(account.floor):
            moved.terms_json = terms_json(terms)
        account.read_anew()
        account.run(START + 450, START + 900)
    else:
        account.run(START, START + 900)
    fired = terms_of(order).triggered_at
    assert fired == (None if walked is None else walked * 1_000_000)


def test_a_stop_with_a_limit_rests_at_it_once_it_goes_off() -> None:
    path = SimulatedMarket(7).path(BTC.id)
    now = path.ticks(START)
    trigger = now * 9_990 // BPS
    account = Account(7)
    order = order_of(
        BTC,
        Side.SELL,
        100,
        kind=OrderType.STOP_LIMIT,
        limit=now * 10_020 // BPS,
        terms=Terms(trigger_price=BTC.price(trigger)),
    )
    account.place(order, START)
    account.run(START, START + 86_400)
    fired = terms_of(order).triggered_at
    assert fired is not None
    assert all(one.maker and one.ticks == now * 10_020 // BPS for _, one in account.executions)
    assert all(one.step * 1_000_000 > fired for _, one in account.executions)


# -- figures ----------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(wishes(), st.booleans(), st.integers(1, 10**12))
def test_a_purchase_never_costs_more_than_was_put_aside(wish: Wish, by_budget: bool, budget: int) -> None:
    account = Account(wish.seed)
    order = (
        order_of(wish.spec, Side.BUY, None, budget=budget)
        if by_budget
        else order_of(wish.spec, Side.BUY, wish.lots, limit=wish.limit)
    )
    needed = estimate(account.floor, order, terms_of(order), START).needed
    account.place(order, START)
    account.run(START, START + 600)
    assert sum(one.notional + one.fee for _, one in account.executions) <= needed


@pytest.mark.parametrize("side", Side)
def test_a_market_order_stops_a_hundredth_from_the_best_price(side: Side) -> None:
    account = Account(7)
    order = order_of(BTC, side, 10**9)
    account.place(order, START)
    book = SimulatedMarket(7).path(BTC.id).book(START)
    best = (book.asks if side is Side.BUY else book.bids)[0].ticks
    assert order.state is OrderState.CANCELLED
    assert "was not to be had at once" in (account.said[order.key] or "")
    worst = max((abs(Decimal(one.ticks - best)) / best for _, one in account.executions), default=Decimal(0))
    assert 0 < worst <= Decimal("0.01")

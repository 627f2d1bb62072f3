"""What no sequence of prices, cancellations and restarts may bring about with orders that hang on each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sniper_cli.trading.families import Family
from sniper_cli.trading.intents import OrderIntent
from state.orders import WORKING, Order, Side
from tests.desk_fixtures import assert_books_balance
from tests.paper_fixtures import PaperDesk
from tests.sniper_cli.trading.test_replays import Trader, fresh

KINDS = (
    Trader.bracket,
    Trader.bracket,
    Trader.pair,
    Trader.grid,
    Trader.slices,
    Trader.trailing,
    Trader.market,
)


@pytest.mark.timeout(300)
@settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # a seed has no smaller seed that means the same
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 10**6))
def test_families_keep_their_promises(tmp_path: Path, sqlite_template: Path, seed: int) -> None:
    random = Random(seed)
    with fresh(tmp_path, sqlite_template) as desk:
        trader = Trader(desk, seed)
        families = [random.choice(KINDS)(trader) for _ in range(10)]
        desk.place(*families)
        for _ in range(14):
            desk.clock.now += timedelta(seconds=random.choice((1, 60, 3_600, 20_000)) * random.random())
            _meddle(desk, random)
            _hold_to(desk, families)
        assert_books_balance(desk.database)


def _meddle(desk: PaperDesk, random: Random) -> None:
    """Another process, a cancellation by hand, a sale by hand, or nothing."""
    act = random.random()
    if act < 0.25:
        desk.restart()
    elif act < 0.45:
        at_work = [order for order in desk.orders().values() if order.state in WORKING]
        if at_work:
            key = random.choice(at_work).id.hex
            desk.walk(lambda walk: _cancel_if_working(walk, key))
    elif act < 0.6:
        held = desk.walk(lambda walk: [(p.instrument_id, p.quantity) for p in walk.book.positions.values()])
        if held:
            instrument, quantity = random.choice(held)
            lot = desk.venue.market.path(instrument).spec.lot_units
            part = quantity // lot // 2 * lot
            if part:
                desk.place(desk.intent(Side.SELL, instrument, quantity=part))
    desk.settle()


def _cancel_if_working(walk: object, key: str) -> None:
    order = walk.book.orders.get(key)  # type: ignore[attr-defined]
    if order is not None:
        walk.cancel(order, "by hand")  # type: ignore[attr-defined]


def _hold_to(desk: PaperDesk, families: Sequence[OrderIntent | Family]) -> None:
    orders = desk.orders()
    for family in families:
        if not isinstance(family, Family) or family.head.client_order_id not in orders:
            continue
        head = orders[family.head.client_order_id]
        legs = [orders[leg.client_order_id] for leg in family.legs if leg.client_order_id in orders]
        suffix = {leg.client_order_id.rsplit("/", 1)[-1] for leg in legs}
        if suffix & {"tp", "sl"}:
            assert sum(leg.filled_quantity for leg in legs) <= head.filled_quantity, (
                "an exit sold what was not bought"
            )
        elif head.terms and head.terms.get("ladder", {}).get("kind") == "grid":
            _hold_grid_to(head, list(orders.values()))
        elif head.terms and "cancels" in head.terms:
            asked = family.head.quantity or 0
            assert head.filled_quantity + sum(leg.filled_quantity for leg in legs) <= asked, (
                "both halves filled"
            )
    _hold_account_to(desk)


def _hold_grid_to(head: Order, orders: Sequence[Order]) -> None:
    """In each gap what was bought is sold again before it is bought again."""
    gaps: dict[int, int] = defaultdict(int)
    largest: dict[int, int] = defaultdict(int)
    for order in orders:
        if order.parent_id == head.id and order.terms is not None:
            gap = order.terms.get("rung", 0)
            gaps[gap] += order.filled_quantity if order.side is Side.BUY else -order.filled_quantity
            largest[gap] = max(largest[gap], order.quantity or 0)
    assert all(0 <= held <= largest[gap] for gap, held in gaps.items())


def _hold_account_to(desk: PaperDesk) -> None:
    """Nothing is owed, and what is put aside is what a process that begins anew would put aside."""

    def claims(walk: object) -> tuple[dict[str, int], ...]:
        book = walk.book  # type: ignore[attr-defined]
        assert all(amount >= 0 for amount in book.cash.values())
        kinds = (book.reserved, book.selling, book.buying)
        return tuple({name: amount for name, amount in kind.items() if amount} for kind in kinds)

    here = desk.walk(claims)
    desk.desk.books.forget(desk.account.id)  # type: ignore[union-attr]
    assert desk.walk(claims) == here

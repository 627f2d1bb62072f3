"""Changing an order at work: what may be changed, what it claims afterwards, and whether it keeps its place."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from sniper_cli.errors import OrderRefused, UsageProblem
from sniper_cli.trading.amending import Amended, Amendment, amend
from sniper_cli.trading.families import grid
from sniper_cli.trading.intents import Terms
from state.database import Database
from state.orders import OrderState, OrderType, Side, TimeInForce
from state.writing import micros
from tests.paper_fixtures import COIN, PaperDesk, paper_desk, until_above, until_below

S = OrderState


@pytest.fixture
def desk(sqlite_database: Database) -> Iterator[PaperDesk]:
    with paper_desk(sqlite_database) as desk:
        yield desk


def change(desk: PaperDesk, client_id: str, *, dry_run: bool = False, **wanted: Any) -> Amended:
    assert desk.desk is not None
    return amend(desk.desk, desk.order(client_id).id, Amendment(**wanted), dry_run=dry_run)


def low(desk: PaperDesk, quantity: int = COIN // 10, **options: Any) -> None:
    desk.put(desk.limit(Side.BUY, desk.near("0.9"), quantity, client_order_id="a", **options))


def test_fewer_units_at_the_same_price_keep_their_place(desk: PaperDesk) -> None:
    low(desk)

    changed = change(desk, "a", quantity=COIN // 20)

    assert changed.keeps_place
    assert (changed.before, desk.order("a").quantity) == ({"quantity": str(COIN // 10)}, COIN // 20)


@pytest.mark.parametrize("wanted", [{"quantity": COIN // 5}, {"limit_price": Decimal(50_000)}])
def test_anything_else_queues_up_anew(desk: PaperDesk, wanted: dict[str, Any]) -> None:
    low(desk)
    assert not change(desk, "a", **wanted).keeps_place


def test_the_claim_on_money_follows_the_change(desk: PaperDesk) -> None:
    low(desk)
    before = desk.order("a").reserved

    change(desk, "a", quantity=COIN // 5)

    assert desk.order("a").reserved == pytest.approx(2 * before, abs=20)
    assert desk.walk(lambda walk: walk.book.reserved["paper:USDT"]) == desk.order("a").reserved


def test_a_change_that_cannot_be_paid_for_leaves_the_order_as_it_was(desk: PaperDesk) -> None:
    low(desk)
    with pytest.raises(OrderRefused, match="needed at most"):
        change(desk, "a", quantity=COIN * 3)
    assert (desk.order("a").quantity, desk.order("a").state) == (COIN // 10, S.OPEN)


def test_a_change_may_use_what_the_order_itself_has_put_aside(desk: PaperDesk) -> None:
    """All the money is in it: another price for the same sum must not count it twice."""
    low(desk, COIN * 18 // 10)
    change(desk, "a", limit_price=desk.near("0.91"))
    assert desk.order("a").limit_price == desk.near("0.91")


def test_a_price_that_the_market_has_reached_trades_at_once(desk: PaperDesk) -> None:
    low(desk)
    change(desk, "a", limit_price=desk.near("1.001"))
    assert desk.order("a").state is S.FILLED


def test_a_trigger_moves(desk: PaperDesk) -> None:
    desk.put(desk.intent(Side.BUY, quantity=COIN // 10))
    desk.put(desk.stop(Side.SELL, desk.near("0.5"), COIN // 10, client_order_id="s"))
    trigger = desk.near("0.995")

    change(desk, "s", trigger_price=trigger)
    until_below(desk, trigger)

    assert desk.order("s").state is S.FILLED


def test_a_trailing_stop_keeps_what_it_has_seen_when_its_distance_changes(desk: PaperDesk) -> None:
    desk.put(desk.intent(Side.BUY, quantity=COIN // 10))
    terms = Terms(trail_bps=5_000)
    desk.put(
        desk.intent(
            Side.SELL, quantity=COIN // 10, type=OrderType.TRAILING_STOP, terms=terms, client_order_id="t"
        )
    )
    until_above(desk, desk.near("1.01"))
    top = desk.price()

    change(desk, "t", trail_bps=50)
    until_below(desk, top * Decimal("0.994"))

    order = desk.order("t")
    assert order.state is S.FILLED
    assert Decimal(order.terms["best_price"]) >= top


def test_an_end_can_be_set_and_taken_back(desk: PaperDesk) -> None:
    low(desk)
    end = micros(desk.clock.now + timedelta(hours=1))
    change(desk, "a", expires_at=end)
    change(desk, "a", for_good=True)
    desk.clock.forward(hours=2)
    desk.settle()
    assert desk.order("a").state is S.OPEN

    change(desk, "a", expires_at=micros(desk.clock.now + timedelta(hours=1)))
    desk.clock.forward(hours=2)
    desk.settle()
    assert desk.order("a").state is S.EXPIRED


def test_a_repeat_under_its_name_still_means_the_order_that_was_changed(desk: PaperDesk) -> None:
    intent = desk.limit(Side.BUY, desk.near("0.9"), COIN // 10, client_order_id="a")
    desk.place(intent)
    change(desk, "a", quantity=COIN // 20, limit_price=desk.near("0.8"))

    (outcome,) = desk.place(intent)[0]

    assert outcome.replayed
    with pytest.raises(OrderRefused, match="has been used for another order"):
        desk.place(desk.limit(Side.BUY, desk.near("0.8"), COIN // 20, client_order_id="a"))


def test_a_rehearsal_changes_nothing(desk: PaperDesk) -> None:
    low(desk)
    assert change(desk, "a", dry_run=True, quantity=COIN // 20).order.quantity == COIN // 20
    assert desk.order("a").quantity == COIN // 10


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"trigger_price": Decimal(1)}, "a limit order has no trigger price"),
        ({"trail_bps": 100}, "a limit order does not trail"),
        ({"quantity": 5}, "must be a multiple of 0.0001 BTC"),
        ({"limit_price": Decimal("1.001")}, "must be a multiple of 0.01"),
        ({"display": COIN}, "an iceberg shows more than nothing and less than"),
    ],
)
def test_what_cannot_be_changed_is_told(desk: PaperDesk, wanted: dict[str, Any], said: str) -> None:
    low(desk)
    with pytest.raises(OrderRefused, match=said):
        change(desk, "a", **wanted)


def test_nothing_to_change_is_told(desk: PaperDesk) -> None:
    low(desk)
    with pytest.raises(UsageProblem, match="nothing is to be changed"):
        change(desk, "a")


def test_an_order_that_is_over_is_not_changed(desk: PaperDesk) -> None:
    desk.put(desk.intent(Side.BUY, quantity=COIN // 10, client_order_id="a"))
    with pytest.raises(OrderRefused, match="the order is filled already"):
        change(desk, "a", quantity=COIN)


def test_what_may_only_rest_is_not_moved_to_where_it_would_trade(desk: PaperDesk) -> None:
    low(desk, terms=Terms(post_only=True))
    with pytest.raises(OrderRefused, match="post-only, and it would trade at once"):
        change(desk, "a", limit_price=desk.near("1.01"))
    assert desk.order("a").state is S.OPEN


def test_a_grid_is_not_changed_as_a_whole(desk: PaperDesk) -> None:
    prices = [desk.near(share) for share in ("0.98", "0.99", "1")]
    desk.place(grid(desk.intent(Side.BUY, client_order_id="g"), prices, [COIN // 100] * 2, desk.price()))
    with pytest.raises(OrderRefused, match="changed one by one"):
        change(desk, "g", quantity=COIN)
    assert change(desk, "g/0.0", quantity=COIN // 200).order.quantity == COIN // 200


def test_a_held_order_is_changed_before_it_goes(desk: PaperDesk) -> None:
    terms = Terms(starts_at=micros(desk.clock.now + timedelta(hours=1)))
    desk.put(desk.limit(Side.BUY, desk.near("0.9"), COIN // 10, client_order_id="h", terms=terms))

    change(desk, "h", quantity=COIN // 50, limit_price=desk.near("1.01"))
    desk.clock.forward(hours=2)
    desk.settle()

    order = desk.order("h")
    assert (order.state, order.filled_quantity, order.time_in_force) == (
        S.FILLED,
        COIN // 50,
        TimeInForce.GTC,
    )

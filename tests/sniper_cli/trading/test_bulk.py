"""Many orders ended at once, by what they have in common."""

from __future__ import annotations

from decimal import Decimal

from sniper_cli.trading.bulk import Selection, cancel_here
from sniper_cli.trading.families import Exit, bracket
from state.orders import OrderState, OrderType, Side
from state.writing import micros
from tests.paper_fixtures import BTC, COIN, ETH, PaperDesk

S = OrderState


def test_orders_are_cancelled_by_what_they_have_in_common(desk: PaperDesk) -> None:
    desk.buy()
    desk.place(
        desk.limit(Side.BUY, desk.near("0.5"), client_order_id="btc-buy", strategy="s"),
        desk.limit(Side.SELL, desk.near("2"), client_order_id="btc-sell"),
        desk.intent(
            Side.BUY, ETH, client_order_id="eth", type=OrderType.LIMIT, limit_price=Decimal(10), quantity=COIN
        ),
    )

    for selection, gone in (
        (Selection(instrument_id=BTC, side=Side.SELL), {"btc-sell"}),
        (Selection(strategy="s"), {"btc-buy"}),
        (Selection(before=micros(desk.clock.now)), set()),
        (Selection(type=OrderType.LIMIT), {"eth"}),
    ):
        ended = desk.walk(lambda walk, wanted=selection: cancel_here(walk, wanted, "all"))  # type: ignore[misc]
        assert {order.client_order_id for order in ended} == gone


def test_a_rehearsal_of_a_mass_cancellation_changes_nothing(desk: PaperDesk) -> None:
    entry = desk.intent(Side.BUY, quantity=COIN // 10, client_order_id="e")
    exits = Exit(desk.near("1.01")), Exit(desk.near("0.98"))
    desk.place(bracket(entry, take_profit=exits[0], stop_loss=exits[1]))

    ended = desk.walk(lambda walk: cancel_here(walk, Selection(), "all"), dry_run=True)

    assert {order.client_order_id for order in ended} == {"e/tp", "e/sl"}
    assert desk.states() == {"e": S.FILLED, "e/tp": S.OPEN, "e/sl": S.OPEN}

"""Every limit holds to the last unit: what comes to exactly the limit passes, one unit less of a limit refuses it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from sniper_cli.market.instruments import INSTRUMENTS
from state.database import Database
from state.orders import Fill, OrderType
from tests.risk_fixtures import (
    BTC,
    BUY,
    COIN,
    DOLLAR,
    ETH,
    SELL,
    SOL,
    OrderState,
    RiskDesk,
    passed,
    refused_by,
    risk_desk,
)

TENTH = COIN // 10
CENT = COIN // 100
CASH = 100_000 * DOLLAR


@pytest.fixture
def desk(sqlite_database: Database) -> Iterator[RiskDesk]:
    with risk_desk(sqlite_database) as found:
        yield found


def low(desk: RiskDesk, instrument: str = BTC) -> Decimal:
    """Half of the price: an order to buy there rests."""
    return desk.paper.near("0.5", instrument)


def taken(order: object) -> bool:
    return getattr(order, "state", None) is not OrderState.REFUSED


def at_the_border(
    desk: RiskDesk, name: str, exactly: int, place: Callable[[], object], **options: object
) -> None:
    """With one unit less the order is refused, by this limit alone; with exactly so much it is taken."""
    desk.limit(name, desk.dollars(exactly - 1), **options)
    refused = place()
    assert refused_by(refused) == {name}  # type: ignore[arg-type]
    desk.limit(name, desk.dollars(exactly), **options)
    assert taken(place())


# -- of an order --------------------------------------------------------------------------------------------------


def test_order_notional_is_what_an_order_may_cost_at_its_own_price(desk: RiskDesk) -> None:
    """0.1 BTC at 50,000 are 5,000 dollars."""
    at_the_border(desk, "order_notional", 5_000 * DOLLAR, lambda: desk.place(BUY, TENTH, price=50_000))


def test_order_notional_of_a_budget_is_the_budget(desk: RiskDesk) -> None:
    at_the_border(desk, "order_notional", 300 * DOLLAR, lambda: desk.place(BUY, budget=300 * DOLLAR))


def test_order_quantity_is_counted_in_the_asset_it_names(desk: RiskDesk) -> None:
    desk.limit("order_quantity", "0.0999 BTC")
    assert refused_by(desk.place(BUY, TENTH)) == {"order_quantity"}
    assert taken(desk.place(BUY, COIN, ETH)), "an ether is not a bitcoin"
    desk.limit("order_quantity", "0.1 BTC")
    assert taken(desk.place(BUY, TENTH))


@pytest.mark.parametrize(("side", "sign"), [(BUY, 1), (SELL, -1)])
def test_the_collar_is_there_by_itself_and_holds_what_would_trade_far_from_the_market(
    desk: RiskDesk, side: object, sign: int
) -> None:
    """1,000 basis points, rounded up: a price of exactly 10 % worse than the middle passes, a tick further fails."""
    if side is SELL:
        desk.place(BUY, TENTH)
    middle = desk.paper.price()
    tick = INSTRUMENTS[BTC].tick
    edge = middle * (Decimal(1) + sign * Decimal("0.1"))
    inside = edge // tick * tick if sign > 0 else -(-edge // tick) * tick
    assert refused_by(desk.place(side, CENT, price=inside + sign * tick)) == {"collar"}  # type: ignore[arg-type]
    order = desk.place(side, CENT, price=inside)  # type: ignore[arg-type]
    assert taken(order)
    assert passed(order, "collar")[1] == 1_000


def test_a_price_better_than_the_market_s_may_be_as_far_away_as_one_likes(desk: RiskDesk) -> None:
    order = desk.place(BUY, TENTH, price=1_000)
    assert taken(order)
    assert passed(order, "collar") == [0, 1_000]


def test_a_collar_that_somebody_set_takes_the_place_of_the_one_of_the_house(desk: RiskDesk) -> None:
    far = desk.paper.near("1.2")
    assert refused_by(desk.place(BUY, CENT, price=far)) == {"collar"}
    desk.limit("collar", "25%")
    assert taken(desk.place(BUY, CENT, price=far))


def test_a_stop_s_limit_is_held_against_its_trigger_not_against_the_market(desk: RiskDesk) -> None:
    trigger, limit = desk.paper.near("1.3"), desk.paper.near("1.31")
    intent = desk.paper.stop(BUY, trigger, CENT, type=OrderType.STOP_LIMIT, limit_price=limit)
    assert taken(desk.batch([intent])[0])
    wild = desk.paper.stop(BUY, trigger, CENT, type=OrderType.STOP_LIMIT, limit_price=desk.paper.near("1.6"))
    assert refused_by(desk.batch([wild])[0]) == {"collar"}


# -- of a position ------------------------------------------------------------------------------------------------


def test_position_notional_counts_what_is_held_and_what_is_on_its_way(desk: RiskDesk) -> None:
    """0.1 held, 0.1 resting, 0.1 more: three tenths at the present price."""
    desk.place(BUY, TENTH)
    desk.place(BUY, TENTH, price=low(desk))
    at_the_border(
        desk, "position_notional", 3 * desk.worth(TENTH), lambda: desk.place(BUY, TENTH, price=low(desk))
    )


def test_position_quantity_counts_the_same_in_coins(desk: RiskDesk) -> None:
    desk.place(BUY, TENTH)
    desk.place(BUY, TENTH, price=low(desk))
    desk.limit("position_quantity", "0.2999", instrument="BTC/USDT")
    assert refused_by(desk.place(BUY, TENTH, price=low(desk))) == {"position_quantity"}
    assert taken(desk.place(BUY, COIN, ETH)), "another instrument"
    desk.limit("position_quantity", "0.3", instrument="BTC/USDT")
    assert taken(desk.place(BUY, TENTH, price=low(desk)))


def test_concentration_is_a_share_of_the_equity(desk: RiskDesk) -> None:
    """Of 100,000 dollars in cash, 9 % are 9,000: what is worth a lot more fails, a lot less passes."""
    lot = INSTRUMENTS[BTC].lot_units
    lots = 9_000 * DOLLAR // desk.worth(lot)
    desk.limit("concentration", "9%")
    assert refused_by(desk.place(BUY, (lots + 1) * lot, price=low(desk))) == {"concentration"}
    assert taken(desk.place(BUY, lots * lot, price=low(desk)))


# -- of an account ------------------------------------------------------------------------------------------------


def test_gross_exposure_adds_up_all_instruments(desk: RiskDesk) -> None:
    desk.place(BUY, TENTH)
    desk.place(BUY, COIN, ETH)
    whole = desk.worth(TENTH) + desk.worth(COIN, ETH) + desk.worth(COIN, SOL)
    at_the_border(desk, "gross_exposure", whole, lambda: desk.place(BUY, COIN, SOL, price=low(desk, SOL)))


def test_gross_exposure_counts_money_that_is_to_be_spent(desk: RiskDesk) -> None:
    """A budget at a limit far below rests: 400 dollars, whatever they will buy."""
    desk.place(BUY, budget=400 * DOLLAR, price=50_000)
    at_the_border(
        desk,
        "gross_exposure",
        400 * DOLLAR + desk.worth(COIN, SOL),
        lambda: desk.place(BUY, COIN, SOL, price=low(desk, SOL)),
    )


def test_net_exposure_takes_short_off_long(desk: RiskDesk) -> None:
    """Long 0.1 BTC, short 1 ETH; one more tenth long leaves two tenths less an ether."""
    desk.margin("5")
    desk.place(BUY, TENTH)
    desk.place(SELL, COIN, ETH)
    net = 2 * desk.worth(TENTH) - desk.worth(COIN, ETH)
    at_the_border(desk, "net_exposure", net, lambda: desk.place(BUY, TENTH, price=low(desk)))


def test_gross_exposure_adds_short_to_long(desk: RiskDesk) -> None:
    desk.margin("5")
    desk.place(BUY, TENTH)
    whole = desk.worth(TENTH) + desk.worth(COIN, ETH)
    at_the_border(
        desk, "gross_exposure", whole, lambda: desk.place(SELL, COIN, ETH, price=desk.paper.near("1.5", ETH))
    )


def test_leverage_is_gross_exposure_over_equity(desk: RiskDesk) -> None:
    """Half of 100,000 dollars of cash."""
    lot = INSTRUMENTS[BTC].lot_units
    lots = 50_000 * DOLLAR // desk.worth(lot)
    desk.limit("leverage", "0.5x")
    assert refused_by(desk.place(BUY, (lots + 1) * lot, price=low(desk))) == {"leverage"}
    assert taken(desk.place(BUY, lots * lot, price=low(desk)))


def test_an_account_with_margin_holds_no_more_than_its_margin_allows(desk: RiskDesk) -> None:
    """Three times 100,000 dollars, without anybody having set a limit."""
    desk.margin("3")
    lot = INSTRUMENTS[BTC].lot_units
    lots = 300_000 * DOLLAR // desk.worth(lot)
    order = desk.place(BUY, (lots + 1) * lot, price=low(desk))
    assert refused_by(order) == {"leverage"}
    assert taken(desk.place(BUY, lots * lot, price=low(desk)))


def test_correlated_exposure_is_the_net_of_a_group(desk: RiskDesk) -> None:
    desk.place(BUY, TENTH)
    both = desk.worth(TENTH) + desk.worth(COIN, ETH)
    group = {"group": "majors", "members": ["BTC/USDT", "ETH/USDT"]}
    at_the_border(
        desk, "correlated_exposure", both, lambda: desk.place(BUY, COIN, ETH, price=low(desk, ETH)), **group
    )
    assert taken(desk.place(BUY, 100 * COIN, SOL, price=low(desk, SOL))), "no member of the group"


def test_total_spend_counts_costs_and_what_purchases_may_still_cost(desk: RiskDesk) -> None:
    """1,000 dollars spent as a budget, fees within; a limit of 500 resting; 300 more."""
    order = desk.place(BUY, budget=1_000 * DOLLAR)
    desk.place(BUY, COIN // 100, price=50_000)
    cost, resting = order.filled_notional, 500 * DOLLAR
    reserve = resting + resting // 1_000 + 10  # ten basis points of fee, and ten units for its rounding
    at_the_border(
        desk, "total_spend", cost + reserve + 300 * DOLLAR, lambda: desk.place(BUY, budget=300 * DOLLAR)
    )


def test_open_positions_counts_instruments_held_or_being_bought(desk: RiskDesk) -> None:
    desk.place(BUY, TENTH)
    desk.place(BUY, COIN, ETH, price=low(desk, ETH))
    desk.limit("open_positions", 2)
    assert refused_by(desk.place(BUY, COIN, SOL, price=low(desk, SOL))) == {"open_positions"}
    assert taken(desk.place(BUY, COIN, ETH, price=low(desk, ETH))), "that one is counted already"
    desk.limit("open_positions", 3)
    assert taken(desk.place(BUY, COIN, SOL, price=low(desk, SOL)))


def test_open_orders_counts_those_at_work(desk: RiskDesk) -> None:
    for _ in range(2):
        desk.place(BUY, CENT, price=low(desk))
    desk.limit("open_orders", 2)
    assert refused_by(desk.place(BUY, CENT, price=low(desk))) == {"open_orders"}
    desk.limit("open_orders", 3)
    assert taken(desk.place(BUY, CENT, price=low(desk)))


# -- over time ----------------------------------------------------------------------------------------------------


def test_orders_per_second_lets_so_many_through_and_then_one_for_each_part_of_a_second(
    desk: RiskDesk,
) -> None:
    desk.limit("orders_per_second", 3)
    states = [
        taken(order) for order in desk.batch([desk.intent(BUY, CENT, price=low(desk)) for _ in range(5)])
    ]
    assert states == [True, True, True, False, False]
    desk.clock.now += timedelta(microseconds=333_333)
    assert refused_by(desk.place(BUY, CENT, price=low(desk))) == {"orders_per_second"}, (
        "a third and a bit is needed"
    )
    desk.clock.now += timedelta(microseconds=1)
    assert taken(desk.place(BUY, CENT, price=low(desk)))
    desk.clock.forward(seconds=1)
    states = [
        taken(order) for order in desk.batch([desk.intent(BUY, CENT, price=low(desk)) for _ in range(4)])
    ]
    assert states == [True, True, True, False]


def test_what_was_refused_takes_no_part_of_the_second(desk: RiskDesk) -> None:
    desk.limit("orders_per_second", 1)
    for _ in range(3):
        assert refused_by(desk.place(BUY, CENT, price=1_000_000)) == {"collar"}
    assert taken(desk.place(BUY, CENT, price=low(desk)))


def lose(desk: RiskDesk, quantity: int = TENTH, **fields: object) -> int:
    """Buy and sell at once: the spread and the fees are lost. Quote units."""
    bought = desk.place(BUY, quantity, **fields)
    sold = desk.place(SELL, quantity, **fields)
    fees = sum(fill.fee for fill in desk.paper.rows(Fill) if fill.order_id in (bought.id, sold.id))
    return bought.filled_notional - sold.filled_notional + fees


def test_daily_loss_counts_what_trades_have_lost_with_their_fees(desk: RiskDesk) -> None:
    lost = lose(desk)
    at_the_border(desk, "daily_loss", lost, lambda: desk.place(BUY, CENT, price=low(desk)))


def test_a_new_day_begins_with_nothing_lost(desk: RiskDesk) -> None:
    lost = lose(desk)
    desk.limit("daily_loss", desk.dollars(lost - 1))
    assert refused_by(desk.place(BUY, CENT, price=low(desk))) == {"daily_loss"}
    desk.clock.forward(hours=12)
    assert taken(desk.place(BUY, CENT, price=low(desk)))


def test_drawdown_is_measured_from_the_highest_equity_since_it_was_set(desk: RiskDesk) -> None:
    """What a round trip loses of 100,000 dollars, in basis points: one below refuses, one above passes."""
    desk.limit("drawdown", "1bps")
    desk.place(BUY, CENT, price=low(desk))  # the peak is seen
    desk.unlimit("drawdown")
    desk.limit("drawdown", "1bps")
    desk.place(BUY, CENT, price=low(desk))
    lost = lose(desk, COIN)
    bps = lost * 10_000 // CASH
    assert bps >= 2
    assert refused_by(desk.place(BUY, CENT, price=low(desk))) == {"drawdown"}
    use = desk.uses()["drawdown"]
    assert (use.value, use.most) == (lost, CASH // 10_000)


def test_setting_the_drawdown_again_measures_anew(desk: RiskDesk) -> None:
    desk.limit("drawdown", "1bps")
    desk.place(BUY, CENT, price=low(desk))
    lose(desk, COIN)
    assert refused_by(desk.place(BUY, CENT, price=low(desk))) == {"drawdown"}
    desk.limit("drawdown", "1bps")
    assert taken(desk.place(BUY, CENT, price=low(desk)))


def test_after_losses_in_a_row_nothing_new_is_begun_until_the_rest_has_ended(desk: RiskDesk) -> None:
    desk.limit("losing_streak", 2, cooldown_seconds=600)
    lose(desk)
    assert taken(desk.place(BUY, CENT, price=low(desk)))
    desk.paper.walk(lambda walk: [walk.cancel(one, "test") for one in list(walk.book.orders.values())])
    lose(desk)
    assert refused_by(desk.place(BUY, CENT, price=low(desk))) == {"losing_streak"}
    desk.clock.forward(seconds=599)
    assert refused_by(desk.place(BUY, CENT, price=low(desk))) == {"losing_streak"}
    desk.clock.forward(seconds=1)
    assert taken(desk.place(BUY, CENT, price=low(desk)))

"""From what was typed to the orders that it means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from sniper_cli.errors import UsageProblem
from sniper_cli.trading.asking import read
from sniper_cli.trading.families import Family
from sniper_cli.trading.listings import Listing
from sniper_cli.trading.requests import Ground, OrderRequest
from state.accounts import Asset, VenueKind
from state.orders import OrderType, Side, TimeInForce
from state.writing import micros

BTC = Asset(id="paper:BTC", symbol="BTC", name="Bitcoin", decimals=8)
USDT = Asset(id="paper:USDT", symbol="USDT", name="Tether", decimals=6)
LISTING = Listing(
    "paper:BTC/USDT",
    VenueKind.PAPER,
    "BTC/USDT",
    Decimal("0.01"),
    10_000,
    5_000_000,
    5_000_000_000_000,
    BTC,
    USDT,
    None,
)
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
GROUND = Ground(uuid4(), LISTING, Decimal(50_000), micros(NOW), instrument=lambda text: f"paper:{text}")


def asked(side: str = "buy", ground: Ground = GROUND, **words: Any) -> Family:
    words.setdefault("quantity", None if "budget" in words else "0.1")
    return read(OrderRequest(side=side, instrument="BTC/USDT", **words), ground).family


def notes(**words: Any) -> list[str]:
    words.setdefault("quantity", "0.1")
    return read(OrderRequest(side=words.pop("side", "buy"), instrument="BTC/USDT", **words), GROUND).notes


def problem(side: str = "buy", **words: Any) -> UsageProblem:
    with pytest.raises(UsageProblem) as caught:
        asked(side, **words)
    return caught.value


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ({}, OrderType.MARKET),
        ({"price": "49000"}, OrderType.LIMIT),
        ({"trigger": "51000"}, OrderType.STOP),
        ({"trigger": "51000", "price": "51100"}, OrderType.STOP_LIMIT),
        ({"trail": "2%"}, OrderType.TRAILING_STOP),
        ({"type": "take-profit", "trigger": "49000"}, OrderType.TAKE_PROFIT),
    ],
)
def test_the_kind_follows_from_the_prices(words: dict[str, str], kind: OrderType) -> None:
    assert asked(**words).head.type is kind


def test_amounts_are_read_in_base_units() -> None:
    assert asked(quantity="0.1").head.quantity == 10_000_000
    assert asked(budget="250").head.budget == 250_000_000


def test_an_end_makes_it_good_till_a_date() -> None:
    head = asked(price="49000", expires="2h").head
    assert head.time_in_force is TimeInForce.GTD
    assert head.terms is not None
    assert head.terms.expires_at == micros(NOW + timedelta(hours=2))


def test_on_a_chain_a_limit_bounds_what_trades_at_once_unless_it_is_asked_to_rest() -> None:
    ground = Ground(uuid4(), LISTING, None, micros(NOW), on_chain=True)
    assert asked(ground=ground, price="1").head.time_in_force is TimeInForce.IOC
    assert asked(ground=ground, price="1", time_in_force="gtc").head.time_in_force is TimeInForce.GTC


def test_a_bracket_reckons_its_exits_from_the_limit_to_the_tick() -> None:
    family = asked(price="49999.99", take_profit="5%", stop_loss="3%")
    profit, loss = family.legs
    assert (profit.type, profit.limit_price) == (OrderType.LIMIT, Decimal("52499.99"))
    assert loss.terms is not None
    assert (loss.type, loss.terms.trigger_price) == (OrderType.STOP, Decimal("48499.99"))
    assert {leg.side for leg in family.legs} == {Side.SELL}


def test_a_bracket_of_a_sale_lies_the_other_way_round() -> None:
    profit, loss = asked("sell", take_profit="5%", stop_loss="3%").legs
    assert profit.limit_price == Decimal(47_500)
    assert loss.terms is not None
    assert loss.terms.trigger_price == Decimal(51_500)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"take_profit": "40000"}, "were --take-profit and --stop-loss swapped"),
        ({"stop_loss": "60000"}, "were --stop-loss and --take-profit swapped"),
        ({"stop_limit": "40000"}, "--stop-limit is the limit of --stop-loss"),
        ({"stop_loss": "3%", "stop_trail": "2%"}, "either --stop-loss or --stop-trail"),
        ({"price": "1", "type": "market"}, "a market order has no price"),
        ({"budget": "5", "quantity": "1"}, "either --quantity or --budget"),
        ({"quantity": None}, "how much?"),
        ({"expires": "2020-01-01"}, "is past"),
        ({"expires": "2h", "time_in_force": "gtc", "price": "1"}, "good till cancelled has no end"),
        ({"times": 3}, "how many and how often"),
        ({"steps": 3}, "how many steps and how far"),
        ({"grid_low": "1"}, "its lowest and highest price"),
        ({"times": 3, "every": "1h", "take_profit": "5%"}, "one thing at a time"),
        ({"if_instrument": "ETH/USDT"}, "what must it be?"),
        ({"or_stop": "1"}, "stands beside a limit order"),
        ({"price": "80000"}, "looks like a slip"),
        ({"times": 2_000, "every": "1h"}, "between 1 and 1000"),
        ({"quantity": "0.0002", "times": 3, "every": "1h"}, "so little cannot be cut into 3"),
        (
            {"quantity": "0.1", "grid_low": "60000", "grid_high": "70000", "grid_levels": 3},
            "there is nothing to buy in it",
        ),
    ],
)
def test_what_makes_no_sense_is_told(words: dict[str, Any], said: str) -> None:
    assert said in problem(**words).message


def test_a_sale_by_what_it_should_bring_is_told_in_units() -> None:
    found = problem("sell", budget="100")
    assert "100 USDT is about 0.002 BTC now" in found.message


def test_a_distant_limit_is_worth_a_word() -> None:
    assert notes(price="30000") == ["the limit is 40 % below the market's 50000: it may wait for long"]
    assert notes(price="62000") == ["the limit is 24 % above the market's 50000: it trades at once"]
    assert notes(price="49000") == []


def test_only_where_it_is_asked_for_a_number_is_rounded_and_that_is_told() -> None:
    assert asked(quantity="0.00015", price="49000.009").head.quantity == 15_000
    found = read(
        OrderRequest(side="buy", instrument="BTC/USDT", quantity="0.00025", price="49000.009", round=True),
        GROUND,
    )
    assert (found.family.head.quantity, found.family.head.limit_price) == (20_000, Decimal("49000.00"))
    assert found.notes == [
        "--price 49000.009 was rounded to 49000",
        "--quantity 0.00025 was rounded to 0.0002",
    ]


def test_a_size_below_the_minimum_is_rounded_up_to_it() -> None:
    found = read(OrderRequest(side="buy", instrument="BTC/USDT", quantity="0.00001", round=True), GROUND)
    assert found.family.head.quantity == 10_000


def test_slices_add_up_and_are_so_far_apart() -> None:
    family = asked(quantity="0.001", times=3, every="1h")
    assert [leg.quantity for leg in family.legs] == [40_000, 30_000, 30_000]
    starts = [leg.terms.starts_at for leg in family.legs if leg.terms is not None]
    assert starts == [micros(NOW + timedelta(hours=n)) for n in range(3)]


def test_an_averaging_ladder_steps_away_and_grows() -> None:
    family = asked(quantity="0.1", price="50000", steps=2, step="1", step_scale="2", size_scale="2")
    assert [(leg.limit_price, leg.quantity) for leg in family.legs] == [
        (Decimal("50000.00"), 10_000_000),
        (Decimal("49500.00"), 10_000_000),
        (Decimal("48500.00"), 20_000_000),
    ]


def test_a_grid_buys_below_the_market_and_only_sells_above_it_what_is_owned() -> None:
    words = {"grid_low": "48000", "grid_high": "52000", "grid_levels": 5, "budget": "480"}
    assert [leg.limit_price for leg in asked(**words).legs] == [Decimal(48_000), Decimal(49_000)]
    both = asked(grid_from_stock=True, **words)
    assert [(leg.side, leg.limit_price) for leg in both.legs] == [
        (Side.BUY, Decimal(48_000)),
        (Side.BUY, Decimal(49_000)),
        (Side.SELL, Decimal(51_000)),
        (Side.SELL, Decimal(52_000)),
    ]
    assert both.legs[0].quantity == 1_000_000


def test_a_pair_is_a_limit_and_a_stop_of_the_same_size() -> None:
    first, (second,) = (family := asked("sell", price="60000", or_stop="40000")).head, family.legs
    assert second.terms is not None
    assert first.terms is not None
    assert (second.type, second.quantity, second.terms.trigger_price) == (
        OrderType.STOP,
        first.quantity,
        Decimal(40_000),
    )
    assert first.terms.cancels == second.terms.cancels

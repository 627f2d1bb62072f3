"""A look at the thresholds says the same as the rules themselves, whatever the figures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from sniper_cli.sniping.exits import ExitRules, PositionFigures, decide, figures_of, rules_of
from sniper_cli.sniping.thresholds import Thresholds, Watchlist
from state.positions import Position
from state.writing import micros

OPENED = datetime(2026, 3, 1, 12, tzinfo=UTC)
percent = st.decimals(0, 99, places=2)
amount = st.one_of(st.integers(0, 300), st.integers(0, 10**24))
rules = st.builds(
    ExitRules,
    take_profit_pct=percent,
    stop_loss_pct=percent,
    trailing_activation_pct=percent,
    trailing_pct=percent,
    max_age_seconds=st.integers(0, 100),
    liquidity_drop_pct=percent,
    take_profit=st.sampled_from([(), ("20:50",), ("10:25", "80:75")]),
    break_even_pct=percent,
    break_even_steps=st.integers(0, 2),
    no_profit_seconds=st.integers(0, 100),
    volume_stall_blocks=st.integers(0, 2),
    volume_stall_coins=st.decimals(0, "0.0001", places=18),
    price_stall_blocks=st.integers(0, 2),
    price_stall_pct=percent,
)
ranges = st.none() | st.tuples(amount, amount).map(lambda pair: (min(pair), max(pair)))


@settings(max_examples=500, deadline=None)
@given(
    rules=rules, paid=amount, value=amount, above=amount, received=amount, liquidity=st.none() | amount,
    entry=st.none() | amount, age=st.integers(0, 200_000_000), volume=st.none() | amount, prices=ranges,
)  # fmt: skip
def test_a_threshold_is_reached_exactly_when_a_rule_fires(
    rules: ExitRules,
    paid: int,
    value: int,
    above: int,
    received: int,
    liquidity: int | None,
    entry: int | None,
    age: int,
    volume: int | None,
    prices: tuple[int, int] | None,
) -> None:
    now = OPENED + timedelta(microseconds=age)
    figures = PositionFigures(
        paid, value, value + received + above, OPENED, received, liquidity=liquidity, entry_liquidity=entry,
        volume=volume, low=prices and prices[0], high=prices and prices[1],
    )  # fmt: skip

    reached = Thresholds(rules, figures).reached(
        figures.worth, figures.peak, micros(now), liquidity, volume, prices
    )

    assert reached == (decide(rules, figures, now) is not None)


@settings(max_examples=200, deadline=None)
@given(
    rules=rules, paid=amount, marks=st.lists(amount, min_size=1, max_size=5), liquidity=st.none() | amount,
    entry=st.none() | amount, more=st.integers(0, 50), received=st.just(0) | amount, basis=amount,
    sold=st.sampled_from([(), ((Decimal(20), 3),), ((Decimal(10), 40),)]), volume=st.none() | amount, prices=ranges,
)  # fmt: skip
def test_a_watchlist_says_what_the_rules_say_at_every_mark(
    rules: ExitRules, paid: int, marks: list[int], liquidity: int | None, entry: int | None, more: int,
    received: int, basis: int, sold: tuple[tuple[Decimal, int], ...], volume: int | None,
    prices: tuple[int, int] | None,
) -> None:  # fmt: skip
    position = Position(instrument_id="a", account_id=uuid4(), spent=paid, opened_at=OPENED)
    position.exit_rules = rules.as_json() | ({} if entry is None else {"entry_liquidity": str(entry)})
    position.quantity, position.received, position.basis = 100, received, basis
    position.exit_rules["original"] = "150"
    watchlist = Watchlist()
    for seconds, value in enumerate(marks):
        now = OPENED + timedelta(seconds=seconds * 20)
        position.mark_value, position.peak_value = value, max(position.peak_value, value + received)
        position.exit_rules = {
            **position.exit_rules,
            **({} if liquidity is None else {"liquidity": str(liquidity)}),
        }

        fires = watchlist.fires(position, micros(now), liquidity, sold=sold, volume=volume, prices=prices)

        figures = figures_of(position, liquidity=liquidity, sold=sold, volume=volume, prices=prices)
        assert fires == (decide(rules_of(position), figures, now) is not None)
        position.spent += more


def test_rules_that_were_changed_count_at_once() -> None:
    position = Position(instrument_id="a", account_id=uuid4(), spent=1000, mark_value=800, opened_at=OPENED)
    watchlist = Watchlist()
    assert not watchlist.fires(position, micros(OPENED))

    position.exit_rules = {"stop_loss_pct": "10"}

    assert watchlist.fires(position, micros(OPENED))


def test_a_loss_of_thirty_percent_is_reached_at_the_unit() -> None:
    bought = PositionFigures(1000, 1000, 1000, OPENED)
    seen = Thresholds(ExitRules(stop_loss_pct=Decimal(30)), bought)

    assert seen.reached(700, 1000, micros(OPENED))
    assert not seen.reached(701, 1000, micros(OPENED))

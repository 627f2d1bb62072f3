"""What orders say about a position's sales: steps done, failures in a row, the size that goes through."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from sniper_cli.sniping.attempts import divisor, failures, part, sold_by_steps, sold_for
from sniper_cli.sniping.distances import distances
from sniper_cli.sniping.exits import PositionFigures, decide, signals, step_left
from sniper_cli.sniping.rules import ExitRule, ExitRules, Step
from state.orders import Order, OrderState, Side
from tests.sniper_cli.sniping.test_exits import ETH, OPENED, SOON

FILLED, REJECTED, DROPPED = OrderState.FILLED, OrderState.REJECTED, OrderState.DROPPED


def sale(state: OrderState, quantity: int = 100, filled: int | None = None, **reason: object) -> Order:
    got = filled if filled is not None else quantity if state is FILLED else 0
    return Order(
        account_id=uuid4(), client_order_id="position-x-exit-1", instrument_id="i", side=Side.SELL, state=state,
        quantity=quantity, filled_quantity=got, reason=reason,
    )  # fmt: skip


def test_a_fill_counts_for_the_steps_that_its_order_was_for_lowest_first() -> None:
    orders = [sale(FILLED, 70, steps=[["100", 50], ["300", 20]]), sale(FILLED, 5, steps=[["300", 5]])]
    assert sold_by_steps(orders) == ((Decimal(100), 50), (Decimal(300), 25))


def test_what_failed_or_waits_has_sold_nothing() -> None:
    orders = [sale(REJECTED, 50, steps=[["100", 50]]), sale(OrderState.SENT, 50, steps=[["100", 50]])]
    assert sold_by_steps(orders) == ()


def test_a_fill_that_a_reorganisation_took_back_is_a_step_not_done() -> None:
    order = sale(FILLED, 50, steps=[["100", 50]])
    order.state, order.filled_quantity = OrderState.SENT, 0
    assert sold_by_steps([order]) == ()


def test_a_pool_that_paid_for_less_than_was_sold_does_not_leave_a_step_open() -> None:
    assert sold_by_steps([sale(FILLED, 50, 49, steps=[["100", 50]])]) == ((Decimal(100), 50),)


def test_a_request_counts_its_own_sales() -> None:
    assert sold_for("a", [sale(FILLED, 10, request="a"), sale(FILLED, 7, request="b")]) == 10


def test_failures_end_at_the_last_sale_that_brought_something() -> None:
    orders = [sale(REJECTED), sale(FILLED), sale(REJECTED), sale(DROPPED)]
    assert len(failures(orders)) == 2


def test_two_refusals_halve_the_size_and_what_goes_through_stays_the_size() -> None:
    assert [divisor([sale(REJECTED)] * count) for count in range(6)] == [1, 1, 2, 2, 4, 4]
    assert divisor([sale(FILLED, divisor=4)]) == 4
    assert divisor([sale(DROPPED)] * 5) == 1, "what was never mined says nothing about the size"


@given(st.integers(1, 10**24), st.integers(0, 12))
def test_parts_come_to_an_end_once_they_go_through(held: int, refused: int) -> None:
    """Halves of what is left would go on for ever, and leave dust that no gas is worth."""
    orders, left = [sale(REJECTED)] * refused, held
    cut, sold = divisor(orders), 0
    while left:
        taken = part(left, orders)
        assert 0 < taken <= left
        reason = {"divisor": cut} if cut > 1 else {}
        orders, left, sold = [*orders, sale(FILLED, taken, **reason)], left - taken, sold + 1
    assert sold <= cut


def test_a_small_step_that_went_through_in_parts_does_not_make_all_later_sales_small() -> None:
    small = sale(FILLED, 10, divisor=2)
    assert part(1000, [small]) == 500
    assert part(1000, [small, sale(REJECTED), sale(REJECTED)]) == 250


LADDERS = st.lists(
    st.tuples(st.integers(1, 900), st.integers(1, 33)), min_size=1, max_size=3, unique_by=lambda step: step[0]
).map(lambda steps: ExitRules(take_profit=tuple(f"{gain}:{share}" for gain, share in sorted(steps))))


def figures(value: int, original: int, sold: tuple[tuple[Decimal, int], ...], cost: int) -> PositionFigures:
    gone = sum(units for _, units in sold)
    return PositionFigures(
        ETH, value, value, OPENED, quantity=original - gone, original=original, sold=sold, basis=cost
    )


@given(LADDERS, st.integers(1, 10**24), st.integers(1, 20))
def test_steps_sold_at_once_are_the_steps_sold_one_by_one(rules: ExitRules, original: int, gain: int) -> None:
    price = ETH * gain
    at_once = decide(rules, figures(price, original, (), ETH), SOON)
    sold: dict[Decimal, int] = {}
    for step in rules.steps:  # the price climbs step by step to the same height
        if price * 100 < ETH * (100 + step.gain):
            break
        signal = decide(
            ExitRules(take_profit=(f"{step.gain}:{step.share}",)), figures(price, original, (), ETH), SOON
        )
        sold |= {} if signal is None else dict(signal.steps)
    assert dict(at_once.steps if at_once else ()) == sold


@given(LADDERS, st.integers(1, 10**24), st.integers(1, 20))
def test_a_step_that_is_done_never_sells_again(rules: ExitRules, original: int, gain: int) -> None:
    first = decide(rules, figures(ETH * gain, original, (), ETH), SOON)
    if first is None:
        return
    again = decide(rules, figures(ETH * gain, original, first.steps, ETH), SOON)
    assert again is None


@given(LADDERS, st.integers(1, 10**24))
def test_a_step_fires_on_its_unit_and_not_one_before(rules: ExitRules, original: int) -> None:
    step: Step = rules.steps[0]
    level = -(-ETH * int(100 + step.gain) // 100)
    assert decide(rules, figures(level - 1, original, (), ETH), SOON) is None
    due = step_left(step, figures(level, original, (), ETH))
    signal = decide(rules, figures(level, original, (), ETH), SOON)
    assert (signal is not None) == bool(due)


@given(
    st.builds(
        ExitRules,
        stop_loss_pct=st.sampled_from([Decimal(0), Decimal(30)]),
        break_even_pct=st.sampled_from([Decimal(0), Decimal(10)]),
        trailing_pct=st.sampled_from([Decimal(0), Decimal(12)]),
        take_profit=st.sampled_from([(), ("20:50",)]),
        no_profit_seconds=st.sampled_from([0, 3]),
        max_age_seconds=st.sampled_from([0, 4]),
    ),
    st.integers(1, 3 * ETH),
    st.integers(1, 3 * ETH),
)
def test_a_combination_says_what_its_rules_say_one_after_the_other(
    rules: ExitRules, value: int, peak: int
) -> None:
    seen = PositionFigures(ETH, value, max(value, peak), OPENED, quantity=100, original=100)
    each = list(signals(rules, seen, SOON))
    whole = [signal for signal in each if signal.quantity is None]
    assert decide(rules, seen, SOON) == next(iter(whole or each), None)


def test_the_distance_of_a_ladder_is_that_of_its_next_step() -> None:
    rules = ExitRules(take_profit=("100:50", "300:25"))
    sold = ((Decimal(100), 50),)
    row = next(iter(distances(rules, figures(ETH, 100, sold, ETH // 2), SOON)))
    # What is left cost half a coin and is worth one; at +300 % it is worth two.
    assert (row.rule, row.level, row.share_pct) == (ExitRule.TAKE_PROFIT, 2 * ETH, Decimal(100))


def test_a_moon_bag_trails_by_its_own_price() -> None:
    rules = ExitRules(trailing_activation_pct=Decimal(15), trailing_pct=Decimal(10))
    # Half sold for all that was paid; the rest has been worth 1.0 and is worth 0.9: 10 % below its peak.
    left = PositionFigures(ETH, ETH * 9 // 10, 2 * ETH, OPENED, ETH, basis=ETH // 2, rest_peak=ETH)
    signal = decide(rules, left, SOON)
    assert signal is not None
    assert signal.rule is ExitRule.TRAILING_STOP

"""What brings a portfolio to its weights: figures by hand, and properties for all others."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sniper_cli.errors import UsageProblem
from sniper_cli.portfolio.targets import Stand, Trade, parse_targets, trades

ONE = Decimal(1)


def stand(name: str, held: int, price: int, *, lot: int = 1, minimum: int = 0, worse: int = 0) -> Stand:
    """So many units at so much each; buying costs and selling brings `worse` less favourable units a thousand."""
    return Stand(
        name, held, (price, 1), lot, minimum, (price * (1000 + worse), 1000), (price * (1000 - worse), 1000)
    )


def quantities(found: list[Trade]) -> dict[str, int]:
    return {one.instrument: one.quantity for one in found}


def test_what_is_below_its_target_is_bought_and_what_is_above_sold_sales_first() -> None:
    stands = [stand("A", 10, 10), stand("B", 50, 10)]  # 100 and 500 of 1,000

    found = trades(stands, {"A": Decimal(30), "B": Decimal(30)}, 1000, 400, ONE)

    assert [(one.instrument, one.quantity, one.why) for one in found] == [
        ("B", -20, "above its target"),
        ("A", 20, "below its target"),
    ]
    assert [(one.weight, one.drift) for one in found] == [(50, 20), (10, -20)]


def test_what_is_within_the_band_is_left_alone() -> None:
    [found] = trades([stand("A", 29, 10)], {"A": Decimal(30)}, 1000, 710, ONE)

    assert (found.quantity, found.why) == (0, "within the band")


def test_trading_to_the_edge_goes_no_further_than_the_band() -> None:
    stands, targets = [stand("A", 20, 10), stand("B", 40, 10)], {"A": Decimal(30), "B": Decimal(30)}

    found = trades(stands, targets, 1000, 400, Decimal(5), to_edge=True)

    assert quantities(found) == {"A": 5, "B": -5}


def test_purchases_are_cut_to_the_cash_and_the_sales_in_proportion() -> None:
    stands = [stand("A", 0, 10), stand("B", 0, 10), stand("C", 40, 10)]
    targets = {"A": Decimal(40), "B": Decimal(20), "C": Decimal(10)}

    found = trades(stands, targets, 1000, 0, ONE)

    assert quantities(found) == {"C": -30, "A": 20, "B": 10}, "300 from the sale: two thirds and one third"
    assert {one.why for one in found if one.quantity > 0} == {"below its target, cut to the cash there is"}


def test_a_target_of_nothing_sells_all_of_it_to_the_last_lot() -> None:
    [found] = trades([stand("A", 107, 3, lot=5)], {"A": Decimal(0)}, 1000, 679, ONE)

    assert found.quantity == -105


def test_what_is_less_than_the_smallest_order_is_left_alone() -> None:
    found = trades(
        [stand("A", 0, 100, lot=7), stand("B", 0, 10, minimum=400)],
        {"A": Decimal(30), "B": Decimal(30)},
        1000,
        1000,
        ONE,
    )

    assert {one.instrument: one.why for one in found} == {
        "A": "less than the smallest quantity is missing",
        "B": "less than the smallest order is missing",
    }


def test_without_equity_there_is_nothing_to_share_out() -> None:
    with pytest.raises(UsageProblem, match="no equity"):
        trades([stand("A", 0, 10)], {"A": Decimal(30)}, 0, 0, ONE)


@settings(max_examples=300, deadline=None)
@given(
    holdings=st.lists(
        st.tuples(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(1, 50), st.integers(0, 30)),
        min_size=1,
        max_size=6,
    ),
    weights=st.lists(st.integers(0, 100), min_size=6, max_size=6),
    cash=st.integers(0, 10**9),
    band=st.integers(0, 10),
    to_edge=st.booleans(),
)
def test_nothing_is_bought_that_cannot_be_paid_nor_sold_that_is_not_held(
    holdings: list[tuple[int, int, int, int]], weights: list[int], cash: int, band: int, to_edge: bool
) -> None:
    stands = [
        stand(str(n), held, price, lot=lot, worse=worse)
        for n, (held, price, lot, worse) in enumerate(holdings)
    ]
    total = sum(weights[: len(stands)]) or 1
    targets = {one.instrument: Decimal(weights[n] * 100 // max(100, total)) for n, one in enumerate(stands)}
    equity = cash + sum(one.worth for one in stands)
    if equity <= 0:
        return

    found = trades(stands, targets, equity, cash, Decimal(band), to_edge=to_edge)

    by_name = {one.instrument: one for one in stands}
    purse = cash
    for one in found:  # in their order: the sales pay for the purchases
        known = by_name[one.instrument]
        assert one.quantity % known.lot == 0
        if one.quantity < 0:
            assert -one.quantity <= known.held
            purse += -one.quantity * known.selling[0] // known.selling[1]
        elif one.quantity > 0:
            purse -= -(-one.quantity * known.buying[0] // known.buying[1])
        assert purse >= 0
        after = (known.held + one.quantity) * known.middle[0]
        before = known.worth
        goal = one.target * equity / 100
        if one.quantity:
            assert abs(after - goal) <= abs(before - goal), "no trade leads away from the target"


def test_targets_are_read_from_words_and_lines() -> None:
    assert parse_targets(["BTC/USDT=50", "eth/usdt = 30%"]) == {"BTC/USDT": 50, "ETH/USDT": 30}
    lines = ["instrument,weight", "", "# half of it", "BTC/USDT,50", "ETH/USDT;12.5 # the rest"]
    assert parse_targets(lines) == {"BTC/USDT": 50, "ETH/USDT": Decimal("12.5")}


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["BTC/USDT"], "no target"),
        (["BTC=much"], "no weight"),
        (["BTC=-1"], "between 0 and 100"),
        (["BTC=101"], "between 0 and 100"),
        (["BTC=60", "ETH=41"], "101 %"),
        (["BTC=1", "btc=2"], "named twice"),
    ],
)
def test_targets_that_are_none_are_refused(texts: list[str], said: str) -> None:
    with pytest.raises(UsageProblem, match=said):
        parse_targets(texts)

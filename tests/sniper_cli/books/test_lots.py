"""Which lots go first, and that no unit and no cent is lost on the way, whatever the method and the order of sales."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sniper_cli.books.lots import (
    LotsDoNotReach,
    OpenLot,
    Part,
    after,
    cost_left,
    in_order,
    pooled,
    share_of_cost,
    take,
)
from state.positions import LotMethod

DAY = date(2026, 1, 1)
CHEAP = OpenLot("cheap", DAY + timedelta(days=1), 10, 10, 100)
OLD = OpenLot("old", DAY, 10, 10, 200)
DEAR = OpenLot("dear", DAY + timedelta(days=2), 10, 10, 300)
LOTS = [CHEAP, OLD, DEAR]
METHODS = [method.value for method in LotMethod if method is not LotMethod.SPECIFIC]


def taken(parts: list[Part]) -> list[tuple[object, int, int]]:
    return [(part.lot, part.quantity, part.cost) for part in parts]


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("fifo", [("old", 10, 200), ("cheap", 5, 50)]),
        ("lifo", [("dear", 10, 300), ("cheap", 5, 50)]),
        ("hifo", [("dear", 10, 300), ("old", 5, 100)]),
        ("lofo", [("cheap", 10, 100), ("old", 5, 100)]),
        ("average", [("old", 15, 300)]),
    ],
)
def test_each_method_takes_its_lots_first(method: str, expected: list[tuple[str, int, int]]) -> None:
    assert taken(take(LOTS, 15, method)) == expected


def test_the_order_of_the_state_is_understood() -> None:
    assert taken(take(LOTS, 10, LotMethod.HIFO)) == [("dear", 10, 300)]


def test_an_order_may_name_its_lots_and_how_much_of_each() -> None:
    assert taken(take(LOTS, 6, "specific", chosen={"cheap": 4, "dear": 2})) == [
        ("cheap", 4, 40),
        ("dear", 2, 60),
    ]
    assert taken(take(LOTS, 12, "specific", chosen=["dear", "old"])) == [("dear", 10, 300), ("old", 2, 40)]
    assert taken(take(LOTS, 3, "fifo", chosen=["cheap"])) == [("cheap", 3, 30)]


@pytest.mark.parametrize(
    ("quantity", "method", "chosen", "sentence"),
    [
        (31, "fifo", None, "31 units are to be taken, there are 30"),
        (11, "specific", ["old"], "11 units are to be taken, the named lots hold 10"),
        (1, "specific", ["new"], "there is no open lot new"),
        (1, "specific", {"old": 11}, "of lot old 10 units are open, not 11"),
        (1, "specific", None, "the specific method takes the lots that the order names, and it names none"),
    ],
)
def test_what_cannot_be_taken_is_refused(
    quantity: int, method: str, chosen: dict[str, int] | list[str] | None, sentence: str
) -> None:
    with pytest.raises(LotsDoNotReach, match=sentence):
        take(LOTS, quantity, method, chosen=chosen)


def test_an_unknown_method_is_named_with_those_that_are_known() -> None:
    with pytest.raises(
        ValueError, match="no lot method 'filo'; there are fifo, lifo, hifo, lofo, average, specific"
    ):
        take(LOTS, 1, "filo")


def test_unit_costs_are_compared_exactly() -> None:
    """Both quotients are the same float; the second lot is dearer by less than 1e-20 a unit."""
    one = OpenLot("one", DAY, 10**20, 10**20, 3 * 10**20)
    two = OpenLot("two", DAY, 10**20, 10**20, 3 * 10**20 + 1)
    assert one.cost / one.quantity == two.cost / two.quantity
    assert [lot.id for lot in in_order([one, two], "hifo")] == ["two", "one"]
    assert [lot.id for lot in in_order([two, one], "lofo")] == ["one", "two"]


def test_lots_of_the_same_cost_go_oldest_first() -> None:
    twins = [OpenLot(n, DAY + timedelta(days=n), 1, 1, 5) for n in (3, 1, 2)]
    assert (
        [lot.id for lot in in_order(twins, "hifo")]
        == [lot.id for lot in in_order(twins, "lofo")]
        == [1, 2, 3]
    )


def test_proceeds_beyond_what_is_held_belong_to_no_lot() -> None:
    """12 units were sold for 120, 10 were held."""
    assert [part.proceeds for part in take([OLD], 10, proceeds=120, of=12)] == [100]


def test_a_later_purchase_does_not_change_the_cost_of_earlier_sales_from_a_pool() -> None:
    """10 at 10 each, 5 sold for a cost of 50; 5 more at 20 each: the pool holds 10 for 150, so 5 cost 75."""
    first = OpenLot("pool", DAY, 10, 10, 100)
    left = after([first], take([first], 5, "average"), "average")
    held = [*left, OpenLot("new", DAY + timedelta(days=1), 5, 5, 100)]
    assert taken(take(held, 5, "average")) == [("pool", 5, 75)]
    assert pooled(held) == OpenLot("pool", DAY, 10, 10, 150)


@st.composite
def open_lots(draw: st.DrawFn) -> list[OpenLot]:
    lots = []
    for number in range(draw(st.integers(1, 6))):
        quantity = draw(st.integers(1, 10**20))
        remaining = draw(st.integers(1, quantity))
        day = DAY + timedelta(days=draw(st.integers(0, 5)))
        lots.append(OpenLot(number, day, quantity, remaining, draw(st.integers(0, 10**24))))
    return lots


@given(
    open_lots(),
    st.sampled_from(METHODS),
    st.lists(st.integers(1, 10**20), max_size=8),
    st.integers(0, 10**24),
)
def test_sale_after_sale_units_and_cost_are_conserved(
    lots: list[OpenLot], method: str, sales: list[int], proceeds: int
) -> None:
    held, cost = sum(lot.remaining for lot in lots), sum(map(cost_left, lots))
    for wanted in [*sales, 10**30]:  # the last one takes everything that is left
        quantity = min(wanted, sum(lot.remaining for lot in lots))
        parts = take(lots, quantity, method, proceeds=proceeds)
        assert sum(part.quantity for part in parts) == quantity
        assert sum(part.proceeds for part in parts) == (proceeds if quantity else 0)
        lots = after(lots, parts, method)
        held, cost = held - quantity, cost - sum(part.cost for part in parts)
        assert held == sum(lot.remaining for lot in lots)
        assert cost == sum(map(cost_left, lots))
    assert held == cost == 0


@given(open_lots(), st.data())
def test_named_lots_conserve_units_and_cost_too(lots: list[OpenLot], data: st.DataObject) -> None:
    chosen = {lot.id: data.draw(st.integers(0, lot.remaining)) for lot in lots}
    parts = take(lots, sum(chosen.values()), "specific", chosen=chosen)
    assert {part.lot: part.quantity for part in parts} == {
        name: most for name, most in chosen.items() if most
    }
    left = after(lots, parts)
    assert sum(map(cost_left, left)) + sum(part.cost for part in parts) == sum(map(cost_left, lots))


@given(open_lots(), st.integers(1, 10**20), st.sampled_from(["hifo", "lofo"]))
def test_what_is_left_is_never_dearer_than_what_hifo_took(
    lots: list[OpenLot], wanted: int, method: str
) -> None:
    quantity = min(wanted, sum(lot.remaining for lot in lots))
    by_id = {lot.id: lot for lot in lots}
    gone = take(lots, quantity, method)
    unit = [Fraction(by_id[part.lot].cost, by_id[part.lot].quantity) for part in gone]
    left = [Fraction(lot.cost, lot.quantity) for lot in after(lots, gone)]
    if left and method == "hifo":
        assert min(unit) >= max(left)
    if left and method == "lofo":
        assert max(unit) <= min(left)


@given(open_lots(), st.integers(0, 10**20))
def test_a_part_costs_its_share_to_the_unit(lots: list[OpenLot], wanted: int) -> None:
    lot = lots[0]
    taken_ = min(wanted, lot.remaining)
    assert abs(share_of_cost(lot, taken_) - Fraction(lot.cost * taken_, lot.quantity)) < 1

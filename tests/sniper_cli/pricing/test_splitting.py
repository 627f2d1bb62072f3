"""Splits: never worse than one path, near the optimum that equal marginal prices make, exact in what they promise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isqrt

import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from sniper_cli.pricing.choosing import best_of_many, candidates
from sniper_cli.pricing.constant_product import ImpossibleSwap
from sniper_cli.pricing.routes import Hop, Path, PoolsAfter, RoutePool, path_pays, paths_between
from sniper_cli.pricing.splitting import best_single, best_split
from tests.mixed_pools import concentrated, market, product, side_by_side, weighted

DEPTH = 10**22


def direct(*pools: RoutePool) -> tuple[list[Path], dict[str, RoutePool]]:
    return [Path((Hop(pool.id, "a", "b"),)) for pool in pools], {pool.id: pool for pool in pools}


def test_two_equal_pools_take_half_each() -> None:
    paths, pools = direct(product("one", ("a", "b"), DEPTH), product("two", ("a", "b"), DEPTH))

    split = best_split(DEPTH // 10, paths, pools)

    assert [leg.amount_in for leg in split.legs] == [DEPTH // 20, DEPTH // 20]
    assert split.amount_out == 2 * path_pays(paths[0], DEPTH // 20, pools)


def test_pools_of_one_price_are_filled_by_their_depth() -> None:
    """Constant products of one price: the optimum leaves them at one price again, so shares are as the depths."""
    paths, pools = direct(
        product("deep", ("a", "b"), 3 * DEPTH),
        product("middle", ("a", "b"), 2 * DEPTH),
        product("shallow", ("a", "b"), DEPTH),
    )
    amount = 6 * DEPTH // 10

    split = best_split(amount, paths, pools)

    for leg, share in zip(split.legs, (3, 2, 1), strict=True):
        assert abs(leg.amount_in - amount * share // 6) <= amount // 2_000


def test_gas_keeps_a_small_amount_on_one_path() -> None:
    paths, pools = direct(product("one", ("a", "b"), DEPTH), product("two", ("a", "b"), DEPTH))
    amount = DEPTH // 1_000
    gained = best_split(amount, paths, pools).amount_out - best_single(amount, paths, pools).amount_out

    cheap = best_split(amount, paths, pools, [gained - 1] * 2)
    dear = best_split(amount, paths, pools, [gained + 1] * 2)

    assert len(cheap.legs) == 2
    assert len(dear.legs) == 1
    assert dear.cost == gained + 1


def test_only_a_split_takes_what_no_path_takes_alone() -> None:
    """A weighted pool takes 30 % of its balance at most."""
    paths, pools = direct(weighted("one", ("a", "b"), DEPTH, 50), weighted("two", ("a", "b"), DEPTH, 50))
    amount = DEPTH // 2
    with pytest.raises(ImpossibleSwap):
        best_single(amount, paths, pools)

    split = best_split(amount, paths, pools)

    assert split.amount_in == amount
    with pytest.raises(ImpossibleSwap, match="together"):
        best_split(DEPTH, paths, pools)


def test_where_two_paths_do_not_take_it_more_of_them_may() -> None:
    paths, pools = direct(
        *(weighted(name, ("a", "b"), DEPTH, 50) for name in ("one", "two", "three", "four"))
    )
    amount = DEPTH

    split = best_of_many(amount, paths, pools)

    assert (split.amount_in, len(split.legs)) == (amount, 4)


@pytest.mark.parametrize("amount", [1, 2, 3, 17])
def test_a_few_units_are_all_divided(amount: int) -> None:
    paths, pools = direct(product("one", ("a", "b"), DEPTH, 9_000), product("two", ("a", "b"), DEPTH, 20_000))

    assert best_split(amount, paths, pools).amount_in == amount


def test_a_path_that_is_good_for_little_gets_its_little() -> None:
    """A pool of a ten-thousandth of the amount, at a price of half as much again: by the formula of its optimum."""
    paths, pools = direct(
        product("deep", ("a", "b"), 1_000 * DEPTH), product("tiny", ("a", "b"), DEPTH // 5_000, 22_500)
    )
    amount = DEPTH

    split = best_split(amount, paths, pools)

    # Where both pay one price: (x + in)² = x·y in a constant product, the fee and the deep one's impact apart.
    best = isqrt(DEPTH // 5_000 * (DEPTH // 5_000 * 22_500 // 10_000)) - DEPTH // 5_000
    (little,) = [leg.amount_in for leg in split.legs if leg.path.pools == ("tiny",)]
    assert abs(little - best) <= best // 50


def test_of_many_paths_the_deep_and_the_well_priced_are_taken() -> None:
    pools = [product(str(place), ("a", "b"), DEPTH, 9_000 + place) for place in range(10)]
    pools += [
        product("deep", ("a", "b"), 100 * DEPTH, 8_900),
        product("good", ("a", "b"), DEPTH // 50, 10_500),
    ]
    paths, by_id = direct(*pools)

    found = [path.pools[0] for path in candidates(DEPTH // 5, paths, by_id)]

    assert len(found) == 5
    assert {"deep", "good"} <= set(found)
    assert "0" not in found


def promised(split_legs: Sequence[object], pools: Mapping[str, RoutePool]) -> list[int]:
    after = PoolsAfter(pools)
    return [after.trade(leg.path, leg.amount_in)[-1] for leg in split_legs]  # type: ignore[attr-defined]


@settings(max_examples=60, deadline=None)
@given(market(), st.integers(10**15, 10**22), st.integers(0, 10**17))
def test_a_split_is_never_worse_than_any_single_path(
    pools: Mapping[str, RoutePool], amount: int, gas: int
) -> None:
    paths = candidates(amount, paths_between(pools.values(), "coin", "token"), pools)
    costs = [gas * len(path.hops) for path in paths]
    try:
        split = best_split(amount, paths, pools, costs)
    except ImpossibleSwap:
        assume(False)

    assert split.amount_in == amount
    assert all(leg.amount_in > 0 for leg in split.legs)
    assert split.cost == sum(gas * len(leg.path.hops) for leg in split.legs)
    assert [leg.amount_out for leg in split.legs] == promised(split.legs, pools)
    for path, cost in zip(paths, costs, strict=True):
        try:
            assert path_pays(path, amount, pools) - cost <= split.net
        except ImpossibleSwap:
            continue


# Without shrinking: an example takes a tenth of a second, and a failing one would be shrunk for minutes.
@settings(max_examples=15, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(side_by_side(), st.integers(10**17, 10**22))
def test_nearly_all_that_equal_marginal_prices_would_gain(
    drawn: tuple[list[Path], dict[str, RoutePool]], amount: int
) -> None:
    paths, pools = drawn
    try:
        single = best_single(amount, paths, pools).amount_out
        optimum = at_one_price(amount, paths, pools)
    except ImpossibleSwap:
        assume(False)
    gain = optimum - single
    assume(gain > single // 10**5)

    split = best_split(amount, paths, pools)

    assert (split.amount_out - single) * 100 >= gain * 97


def at_one_price(amount: int, paths: Sequence[Path], pools: Mapping[str, RoutePool]) -> int:
    """The optimum found another way: by the marginal price at which all paths together take the amount."""
    scale = 10**18
    low, high = 0, 4 * scale
    for _ in range(26):
        price = (low + high) // 2
        if sum(taken_at(price, amount, path, pools) for path in paths) > amount:
            low = price
        else:
            high = price
    shares = [taken_at(high, amount, path, pools) for path in paths]
    left = amount - sum(shares)
    best = 0
    for place, _ in enumerate(paths):  # what is left over goes to whichever takes it best
        filled = [share + (left if each == place else 0) for each, share in enumerate(shares)]
        best = max(best, sum(path_pays(p, s, pools) for p, s in zip(paths, filled, strict=True) if s))
    return best


def taken_at(price: int, most: int, path: Path, pools: Mapping[str, RoutePool]) -> int:
    """How much goes down a path until one more unit pays less than the price."""
    step = max(1, most // 10_000)
    low, high = 0, most
    while high - low > step:
        middle = (low + high) // 2
        try:
            pays = path_pays(path, middle + step, pools) - (path_pays(path, middle, pools) if middle else 0)
        except ImpossibleSwap:
            high = middle
            continue
        if pays * 10**18 >= price * step:
            low = middle
        else:
            high = middle
    return low


def test_paths_that_share_a_pool_are_worth_what_they_pay_in_turn() -> None:
    pools = {
        "shared": product("shared", ("a", "b"), DEPTH),
        "one": concentrated("one", ("b", "c"), DEPTH),
        "two": product("two", ("b", "c"), DEPTH),
        "other": product("other", ("a", "c"), DEPTH, 9_800),
    }
    paths = [
        Path((Hop("shared", "a", "b"), Hop("one", "b", "c"))),
        Path((Hop("shared", "a", "b"), Hop("two", "b", "c"))),
        Path((Hop("other", "a", "c"),)),
    ]

    split = best_split(DEPTH // 10, paths, pools)

    assert len(split.legs) == 3
    assert [leg.amount_out for leg in split.legs] == promised(split.legs, pools)
    assert split.amount_out > best_single(DEPTH // 10, paths, pools).amount_out


def test_of_many_paths_those_that_help_each_other_are_taken() -> None:
    """Two shallow pools behind one deep one: each path alone ranks last, both together take a good part."""
    pools = {
        pool.id: pool
        for pool in (
            product("direct", ("a", "c"), DEPTH),
            product("worse", ("a", "c"), DEPTH // 3, 9_900),
            product("worst", ("a", "c"), DEPTH // 3, 9_850),
            product("deep", ("a", "b"), 100 * DEPTH),
            product("one", ("b", "c"), DEPTH // 4),
            product("two", ("b", "c"), DEPTH // 4),
        )
    }
    paths = paths_between(pools.values(), "a", "c")
    amount = DEPTH // 2

    split = best_of_many(amount, paths, pools)

    assert {leg.path.pools for leg in split.legs} == {path.pools for path in paths}
    assert split.amount_in == amount
    assert [leg.amount_out for leg in split.legs] == promised(split.legs, pools)
    few = candidates(amount, paths, pools, most=2)
    assert split.amount_out > best_split(amount, few, pools).amount_out


@settings(max_examples=25, deadline=None)
@given(market(8), st.integers(10**17, 10**22), st.integers(0, 10**16))
def test_the_best_of_many_is_no_worse_than_the_best_of_the_first(
    pools: Mapping[str, RoutePool], amount: int, gas: int
) -> None:
    paths = paths_between(pools.values(), "coin", "token")
    costs = {path: gas * len(path.hops) for path in paths}
    try:
        split = best_of_many(amount, paths, pools, costs)
    except ImpossibleSwap:
        assume(False)

    first = candidates(amount, paths, pools, most=2, costs=costs)
    assert split.net >= best_split(amount, first, pools, [costs[path] for path in first]).net
    for path in candidates(amount, paths, pools, most=1, costs=costs):
        try:
            assert split.net >= path_pays(path, amount, pools) - costs[path]
        except ImpossibleSwap:
            continue

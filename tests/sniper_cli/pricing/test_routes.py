"""Paths over pools of every kind: each hop takes what the one before paid, and a pool is used as it then stands."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sniper_cli.pricing.constant_product import ImpossibleSwap, Reserves
from sniper_cli.pricing.routes import Hop, Path, PoolsAfter, RoutePool, path_pays, paths_between
from tests.mixed_pools import concentrated, market, product, stable, weighted

DEPTH = 10**22


def by_id(*pools: RoutePool) -> dict[str, RoutePool]:
    return {pool.id: pool for pool in pools}


def test_two_hops_by_the_formula_of_v2() -> None:
    pools = by_id(product("first", ("a", "b"), 1_000_000), product("second", ("b", "c"), 2_000_000))
    path = Path((Hop("first", "a", "b"), Hop("second", "b", "c")))
    # 10,000 · 997 · 1,000,000 / (1,000,000 · 1000 + 10,000 · 997) = 9,871; then 9,871 into 2,000,000 each.
    assert 10_000 * 997 * 1_000_000 // (1_000_000 * 1000 + 10_000 * 997) == 9_871

    assert path_pays(path, 10_000, pools) == 9_871 * 997 * 2_000_000 // (2_000_000 * 1000 + 9_871 * 997)


def test_a_pool_is_used_in_either_direction() -> None:
    pool = RoutePool("pool", ("a", "b"), Reserves(1_000, 4_000))

    assert pool.pays(100, "a", "b") == Reserves(1_000, 4_000).pays(100)
    assert pool.pays(100, "b", "a") == Reserves(4_000, 1_000).pays(100)
    assert pool.trade(100, "b", "a")[1].state == Reserves(4_000, 1_000).moved(100).reversed


@pytest.mark.parametrize(
    "pool",
    [
        product("p", ("a", "b"), DEPTH),
        concentrated("p", ("a", "b"), DEPTH),
        stable("p", ("a", "b"), DEPTH),
        weighted("p", ("a", "b"), DEPTH),
    ],
    ids=["product", "concentrated", "stable", "weighted"],
)
@pytest.mark.parametrize(("token_in", "token_out"), [("a", "b"), ("b", "a")])
def test_a_second_trade_finds_the_pool_as_the_first_left_it(
    pool: RoutePool, token_in: str, token_out: str
) -> None:
    amount = DEPTH // 50
    first = pool.pays(amount, token_in, token_out)

    paid, after = pool.trade(amount, token_in, token_out)
    second = after.pays(amount, token_in, token_out)
    whole = pool.pays(2 * amount, token_in, token_out)

    assert second < first == paid
    # In two parts it brings the whole but for roundings and what the first part's fee added to the pool.
    assert abs(first + second - whole) <= whole // 10_000


def test_a_path_through_one_pool_twice_takes_its_state_after_the_first_time() -> None:
    pools = by_id(stable("three", ("a", "b", "c"), DEPTH))
    path = Path((Hop("three", "a", "b"), Hop("three", "b", "c")))
    amount = DEPTH // 10

    between, after = pools["three"].trade(amount, "a", "b")

    assert path_pays(path, amount, pools) == after.pays(between, "b", "c")
    assert after.pays(between, "b", "c") != pools["three"].pays(between, "b", "c")


def test_what_cannot_be_traded_moves_nothing() -> None:
    pools = by_id(product("first", ("a", "b"), 10**6), weighted("second", ("b", "c"), 10**6))
    after = PoolsAfter(pools)

    with pytest.raises(ImpossibleSwap):
        after.trade(Path((Hop("first", "a", "b"), Hop("second", "b", "c"))), 10**9)

    assert after["first"] == pools["first"]


def test_no_pool_trades_what_it_does_not_hold() -> None:
    with pytest.raises(ImpossibleSwap, match="does not trade"):
        product("pool", ("a", "b"), 10**6).pays(1, "a", "c")
    with pytest.raises(ImpossibleSwap, match="does not trade"):
        product("pool", ("a", "b"), 10**6).pays(1, "a", "a")


def test_paths_of_up_to_three_hops_without_turning_back() -> None:
    pools = [
        product("ab", ("a", "b"), 1),
        product("bc", ("b", "c"), 1),
        product("ac", ("a", "c"), 1),
        product("cd", ("c", "d"), 1),
        product("bd", ("b", "d"), 1),
    ]

    found = [path.pools for path in paths_between(pools, "a", "d")]

    assert found[:2] == [("ab", "bd"), ("ac", "cd")]
    assert set(found[2:]) == {("ab", "bc", "cd"), ("ac", "bc", "bd")}
    assert [path.pools for path in paths_between(pools, "a", "d", most_hops=2)] == found[:2]
    assert paths_between(pools, "a", "a") == []
    assert paths_between(pools, "a", "nowhere") == []


@settings(max_examples=60, deadline=None)
@given(market(), st.integers(10**15, 10**20))
def test_more_never_brings_less(pools: Mapping[str, RoutePool], amount: int) -> None:
    for path in paths_between(pools.values(), "coin", "token")[:6]:
        try:
            less, more = path_pays(path, amount, pools), path_pays(path, amount + amount // 10, pools)
        except ImpossibleSwap:
            continue
        assert less <= more


@settings(max_examples=60, deadline=None)
@given(market(), st.integers(10**15, 10**20))
def test_there_and_back_gains_nothing(pools: Mapping[str, RoutePool], amount: int) -> None:
    for path in paths_between(pools.values(), "coin", "token")[:6]:
        after = PoolsAfter(pools)
        back = Path(tuple(Hop(hop.pool, hop.token_out, hop.token_in) for hop in reversed(path.hops)))
        try:
            paid = after.trade(path, amount)
            assert after.trade(back, paid[-1])[-1] <= amount
        except ImpossibleSwap:
            continue


def test_no_pair_takes_more_than_it_can_keep() -> None:
    """Reserves are uint112; what would go beyond reverts with OVERFLOW."""
    pool = RoutePool("pair", ("a", "b"), Reserves(2**111, 10**18))

    assert pool.pays(2**111 - 1, "a", "b") > 0
    with pytest.raises(ImpossibleSwap, match="uint112"):
        pool.pays(2**111, "a", "b")


def test_no_pair_pays_nothing() -> None:
    """UniswapV2: INSUFFICIENT_OUTPUT_AMOUNT."""
    pool = RoutePool("pair", ("a", "b"), Reserves(10**18, 10**15))

    assert pool.pays(1_004, "a", "b") == 1
    with pytest.raises(ImpossibleSwap, match="nothing comes out"):
        pool.pays(1_003, "a", "b")
    with pytest.raises(ImpossibleSwap, match="nothing comes out"):
        pool.trade(1_003, "a", "b")

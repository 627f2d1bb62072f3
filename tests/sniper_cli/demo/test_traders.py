"""What the traders do to prices: their planned trades, played against a pool that starts like the launch's."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sniper_cli.demo.plan import Script, plan_launches
from sniper_cli.demo.traders import ALL, CROWD, QUIET_MS, WHALE, Side, plan_trades

seeds = st.integers(min_value=0, max_value=2**63)


def launch_of(seed: int, script: Script):
    return next(launch for launch in plan_launches(seed, 60) if launch.script is script)


def prices(seed: int, launch) -> list[float]:
    """The token's price after each trade, in multiples of the first: x · y = k with Uniswap's fee of 0.3 %."""
    coins, tokens = float(launch.pool_wei), float(launch.listed)
    held = dict.fromkeys(range(CROWD), 0.0) | {WHALE: float(launch.supply - launch.listed)}
    path, first = [], coins / tokens
    for trade in plan_trades(launch, seed):
        if trade.side is Side.BUY:
            paid = trade.wei * 0.997
            bought = tokens * paid / (coins + paid)
            coins, tokens = coins + trade.wei, tokens - bought
            held[trade.trader] += bought
        else:
            given_in = held[trade.trader] * trade.share_bps / ALL
            assert given_in > 0, "somebody sells what he does not have"
            held[trade.trader] -= given_in
            got = coins * given_in * 0.997 / (tokens + given_in * 0.997)
            coins, tokens = coins - got, tokens + given_in
        path.append(coins / tokens / first)
    return path


@given(seeds)
def test_the_same_seed_gives_the_same_trades(seed):
    for launch in plan_launches(seed, 60):
        assert plan_trades(launch, seed) == plan_trades(launch, seed)


@given(seeds)
def test_a_soaring_token_passes_a_take_profit_of_sixty_per_cent(seed):
    path = prices(seed, launch_of(seed, Script.SOAR))
    assert max(path) > 2
    # On the way it never falls back enough to wake a trailing stop of 12 % first.
    assert all(later > earlier for earlier, later in pairwise(path[:8]))


@given(seeds)
def test_a_swinging_token_rises_past_fifteen_per_cent_and_comes_back_before_sixty(seed):
    path = prices(seed, launch_of(seed, Script.SWING))
    assert 1.25 < max(path) < 1.45
    assert path[-1] < max(path) * 0.8


@given(seeds)
def test_a_fading_token_falls_past_a_stop_of_thirty_per_cent(seed):
    path = prices(seed, launch_of(seed, Script.FADE))
    assert min(path) < 0.55
    assert max(path) < 1.1


@given(seeds)
def test_a_resting_token_moves_by_less_than_three_per_cent(seed):
    path = prices(seed, launch_of(seed, Script.REST))
    assert max(path) < 1.03
    assert min(path) > 0.97


@given(seeds)
def test_a_rug_lures_with_a_rise_and_is_pulled_after_most_of_its_buyers_came(seed):
    launch = launch_of(seed, Script.LURE)
    trades = plan_trades(launch, seed)
    assert 1.25 < max(prices(seed, launch)) < 1.45
    assert [trade.side for trade in trades] == [Side.BUY] * 4
    assert trades[-1].at_ms < launch.pulled_ms


@given(seeds)
def test_nobody_trades_in_the_first_seconds_but_the_accomplice_of_a_trap(seed):
    for launch in plan_launches(seed, 60):
        for trade in plan_trades(launch, seed):
            quiet = 0 if launch.role.kind == "second_sell" else QUIET_MS
            assert trade.at_ms >= launch.opened_ms + quiet


@pytest.mark.parametrize("seed", range(40))
def test_the_one_sale_that_a_second_sell_trap_allows_is_taken_within_three_seconds(seed):
    for launch in plan_launches(seed, 90):
        if launch.role.kind == "second_sell":
            sale = next(trade for trade in plan_trades(launch, seed) if trade.side is Side.SELL)
            assert sale.at_ms - launch.opened_ms < 3_000
            assert sale.share_bps == ALL

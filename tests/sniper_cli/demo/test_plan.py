"""The plan of launches, over all seeds."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sniper_cli.chains.exchange import Protocol
from sniper_cli.demo.cast import TRAPS
from sniper_cli.demo.plan import ACT, FEES, Script, on_v2, plan_launches

seeds = st.integers(min_value=0, max_value=2**63)
TRAP_KINDS = {role.kind for role in TRAPS}


@given(seeds)
def test_the_same_seed_gives_the_same_plan(seed):
    assert plan_launches(seed, 60) == plan_launches(seed, 60)


def test_another_seed_gives_another_plan():
    plans = {tuple(launch.role.kind for launch in plan_launches(seed, 60)) for seed in range(20)}
    assert len(plans) > 15


@given(seeds, st.sampled_from([20, 30, 60, 300]))
def test_a_token_is_launched_about_every_five_seconds_and_the_first_within_two(seed, duration):
    times = [launch.at_ms for launch in plan_launches(seed, duration)]
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert times[0] <= 2_000
    assert all(3_000 <= pause <= 6_000 for pause in pauses)
    assert times[-1] <= duration * 1000 - 4_000


@given(seeds, st.integers(min_value=0, max_value=60))
def test_any_minute_holds_honest_taxed_pulled_and_eight_kinds_of_trapped_tokens(seed, from_launch):
    launches = plan_launches(seed, 400)[from_launch : from_launch + ACT]
    kinds = Counter(launch.role.kind for launch in launches)
    assert launches[-1].at_ms - launches[0].at_ms < 60_000
    assert kinds["honest"] == 2
    assert kinds["taxed"] == kinds["overtaxed"] == kinds["late_opening"] == kinds["rug_pull"] == 1
    assert len(TRAP_KINDS & set(kinds)) == 8


@given(seeds)
def test_a_minute_s_plan_has_a_whole_act(seed):
    assert len(plan_launches(seed, 60)) == ACT


@given(seeds)
def test_an_act_is_mostly_on_v2_and_has_an_honest_token_without_a_tax_on_each_protocol(seed):
    act = plan_launches(seed, 60)
    where = Counter(launch.protocol for launch in act)
    assert where[Protocol.V2] >= 6
    assert where[Protocol.V3] >= 2
    assert where[Protocol.V4] >= 2
    honest = [launch.protocol for launch in act if launch.role.kind in ("honest", "late_opening")]
    assert sorted(honest) == sorted(Protocol)


@given(seeds)
def test_nothing_is_listed_where_its_story_could_not_be_played(seed):
    for launch in plan_launches(seed, 120):
        assert launch.fee in FEES[launch.protocol]
        # V3's pools take no less than they ask for, so that a taxed token could not be sold to one.
        assert not (launch.role.taxing and launch.protocol is Protocol.V3)
        # A large holder sells coins that somebody must have put in.
        assert not (launch.tokens_only and launch.script is Script.FADE)
        assert not (launch.tokens_only and launch.protocol is Protocol.V2)


def test_on_a_chain_without_the_newer_exchanges_the_same_tokens_are_listed_on_v2():
    everywhere, only_v2 = plan_launches(7, 60), plan_launches(7, 60, protocols=(Protocol.V2,))
    assert only_v2 == [on_v2(launch) for launch in everywhere]
    assert {launch.protocol for launch in only_v2} == {Protocol.V2}
    assert any(launch.tokens_only for launch in everywhere)


@given(seeds)
def test_the_first_minute_has_time_for_every_way_a_price_can_go(seed):
    opened = {launch.script: launch.opened_ms for launch in plan_launches(seed, 60)}
    assert set(opened) == set(Script)
    assert opened[Script.REST] < 17_500
    # The longest script takes fourteen seconds from the opening.
    assert max(opened[script] for script in (Script.SOAR, Script.SWING, Script.FADE)) < 45_000


@given(seeds)
def test_every_rug_is_pulled_some_seconds_after_its_launch_and_within_the_first_minute(seed):
    for launch in plan_launches(seed, 60):
        if launch.role.kind == "rug_pull":
            assert launch.pulled_ms is not None
            assert 8_000 <= launch.pulled_ms - launch.listed_ms <= 11_000
            assert launch.pulled_ms < 55_000
            assert not launch.burns_liquidity
        else:
            assert launch.pulled_ms is None


@given(seeds)
def test_a_minute_s_tokens_bear_different_names(seed):
    names = [launch.name.name for launch in plan_launches(seed, 60)]
    assert len(set(names)) == len(names)


@given(seeds)
def test_a_launch_has_its_steps_in_order_and_never_lists_more_than_there_is(seed):
    for launch in plan_launches(seed, 120):
        assert launch.at_ms <= launch.listed_ms <= launch.opened_ms
        assert launch.pair_first is (launch.listed_ms > launch.at_ms)
        assert 0 < launch.listed <= launch.supply
        assert launch.pool_wei >= 3 * 10**18
        assert (launch.taxes is not None) is (launch.role.contract == "Taxed")


@given(seeds, st.integers(min_value=1, max_value=40))
def test_a_later_start_continues_the_same_seed_with_further_tokens(seed, start):
    whole = {launch.index: launch for launch in plan_launches(seed, 300)}
    for launch in plan_launches(seed, 60, start_index=start):
        same = whole[launch.index]
        assert (launch.role, launch.name, launch.supply) == (same.role, same.name, same.supply)

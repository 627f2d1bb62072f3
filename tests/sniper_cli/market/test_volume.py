"""Volume adds up exactly, however a stretch is cut, and no second's is more than its book can give."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from sniper_cli.market.instruments import INSTRUMENTS
from sniper_cli.market.simulated import HOUR, LEVELS, MOODS, PricePath, SimulatedMarket
from sniper_cli.market.volume import SECONDS_A_DEPTH, volume

START = 1_795_176_000  # 2026-11-20T12:00:00Z

paths = st.builds(PricePath, st.integers(-(2**63), 2**63), st.sampled_from([*INSTRUMENTS.values()]))
steps = st.integers(0, 2**33)


@settings(deadline=None)
@given(paths, steps, st.lists(st.integers(1, 200_000), min_size=1, max_size=8))
def test_the_parts_add_up_to_the_whole(path: PricePath, first: int, lengths: list[int]) -> None:
    cuts = [first]
    for length in lengths:
        cuts.append(cuts[-1] + length)
    parts = [volume(path, a, b - 1) for a, b in pairwise(cuts)]
    assert sum(parts) == volume(path, cuts[0], cuts[-1] - 1)


@settings(max_examples=30, deadline=None)
@given(paths, steps)
def test_seconds_add_up_across_the_border_of_two_blocks(path: PricePath, near: int) -> None:
    border = (near >> HOUR << HOUR) - path.phase
    each = [volume(path, step, step) for step in range(border - 40, border + 40)]
    assert sum(each) == volume(path, border - 40, border + 39)
    assert min(each) > 0


@settings(max_examples=200, deadline=None)
@given(paths, steps)
def test_a_second_trades_less_than_a_side_of_its_book_holds(path: PricePath, step: int) -> None:
    book, traded = path.book(step), volume(path, step, step)
    assert 0 < traded < min(sum(level.lots for level in side) for side in (book.asks, book.bids))


def test_the_bound_on_a_second_s_volume_follows_from_the_constants() -> None:
    """In depths: the stormiest block with all its luck, all of it towards one second; against the thinnest book."""
    weather = MOODS[-1] ** 2 / 256
    luck = (48 + 31) / 64
    share = (32_768 + 32 * 255) / 65_536
    most = weather * luck * (2 * share) ** HOUR / SECONDS_A_DEPTH
    thinnest = sum(level + 2 for level in range(LEVELS)) * 32 / 256
    assert 7.8 < most < 7.9
    assert 8.1 < thinnest < 8.2


def test_a_day_of_bitcoin_trades_what_it_trades_in_the_world() -> None:
    """Some thousand coins, as on the largest exchange; more on a stormy day than on a calm one."""
    path = SimulatedMarket(7).path("paper:BTC/USDT")
    days = [volume(path, START + day * 86_400, START + day * 86_400 + 86_399) for day in range(60)]
    coins = [lots * path.spec.lot for lots in days]
    assert 3_000 < sum(coins) / len(coins) < 20_000
    assert max(coins) > 3 * min(coins)

"""Prints lie in the book of their second, are the second's volume, and are the same for everybody who looks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from sniper_cli.market.instruments import INSTRUMENTS, Spec
from sniper_cli.market.simulated import Level, PricePath, SimulatedMarket
from sniper_cli.market.trades import _Side, latest_trades, trades, trades_of
from sniper_cli.market.volume import volume

START = 1_795_176_000  # 2026-11-20T12:00:00Z
BTC = "paper:BTC/USDT"

paths = st.builds(PricePath, st.integers(-(2**63), 2**63), st.sampled_from([*INSTRUMENTS.values()]))
steps = st.integers(0, 2**33)


@settings(max_examples=200, deadline=None)
@given(paths, steps)
def test_a_print_is_at_a_level_of_its_side_and_better_levels_go_first(path: PricePath, step: int) -> None:
    book, prints = path.book(step), trades_of(path, step)
    for bought, side in ((True, book.asks), (False, book.bids)):
        there = {level.ticks: level.lots for level in side}
        took: Counter[int] = Counter()
        for each in prints:
            if each.bought is bought:
                took[each.ticks] += each.lots
        assert all(lots <= there[ticks] for ticks, lots in took.items())
        reached = [took[level.ticks] == level.lots for level in side[: len(took)]]
        assert all(reached[:-1])
        assert list(took) == [level.ticks for level in side[: len(took)]]


@settings(max_examples=200, deadline=None)
@given(paths, steps)
def test_the_prints_of_a_second_are_its_volume(path: PricePath, step: int) -> None:
    prints = trades_of(path, step)
    assert sum(each.lots for each in prints) == volume(path, step, step)
    assert all(each.lots > 0 and each.step == step for each in prints)
    assert prints


def test_ids_grow_and_say_when() -> None:
    prints = list(trades(SimulatedMarket(7).path(BTC), START, START + 600))
    assert all(a.id < b.id for a, b in pairwise(prints))
    assert all(each.id // 100 == each.step for each in prints)
    assert [each.index for each in prints if each.step == START] == list(
        range(len([each for each in prints if each.step == START]))
    )


def test_another_process_reads_the_same_tape() -> None:
    program = (
        "from sniper_cli.market.simulated import SimulatedMarket\n"
        "from sniper_cli.market.trades import trades\n"
        "from sniper_cli.market.candles import Interval, candles\n"
        f"path = SimulatedMarket(7).path({BTC!r})\n"
        f"print(list(trades(path, {START}, {START} + 30)))\n"
        f"print(list(candles(path, Interval.H1, {START}, {START} + 9000)))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "PYTHONHASHSEED": "3"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    from sniper_cli.market.candles import Interval, candles

    path = SimulatedMarket(7).path(BTC)
    here = [list(trades(path, START, START + 30)), list(candles(path, Interval.H1, START, START + 9000))]
    assert done.stdout == f"{here[0]}\n{here[1]}\n"


def test_the_tape_is_what_it_has_always_been() -> None:
    """Whoever changes it changes history: charts and backtests are made of it."""
    first, second, *_ = trades_of(SimulatedMarket(7).path(BTC), START)
    assert (first.id, first.side, first.ticks, first.lots) == (179517600000, "buy", 7756986, 161)
    assert (second.id, second.side, second.ticks, second.lots) == (179517600001, "sell", 7756211, 7)


@settings(max_examples=50, deadline=None)
@given(paths, st.integers(2000, 2**33), st.integers(1, 60))
def test_the_latest_are_the_end_of_the_tape_turned_round(path: PricePath, step: int, count: int) -> None:
    assert latest_trades(path, step, count) == list(trades(path, step - count, step))[-count:][::-1]


def test_takers_lean_towards_the_last_move_and_know_nothing_of_the_next() -> None:
    path = SimulatedMarket(7).path(BTC)
    prices = dict(path.span(START - 1, START + 6001))
    with_last, with_next = Counter[bool](), Counter[bool]()
    for each in trades(path, START, START + 6000):
        with_last[each.bought is (prices[each.step] > prices[each.step - 1])] += 1
        with_next[each.bought is (prices[each.step + 1] > prices[each.step])] += 1
    assert 0.56 < with_last[True] / with_last.total() < 0.63
    assert 0.48 < with_next[True] / with_next.total() < 0.52


def test_a_sweep_prints_at_every_level_it_takes() -> None:
    side = _Side((Level(100, 5), Level(101, 7), Level(103, 2)))
    assert list(side.take(3)) == [(100, 3)]
    assert list(side.take(9)) == [(100, 2), (101, 7)]
    assert list(side.take(4)) == [(103, 4)]


def test_where_the_price_is_a_tick_nobody_can_sell_and_all_takers_buy() -> None:
    """Two ticks to start with: in many seconds there is no bid above zero."""
    spec = Spec("DUST", "Dust", Decimal("0.00002"), Decimal("0.00001"), Decimal(1), 300, Decimal(5000))
    path = PricePath(7, spec)
    bare = [step for step in range(START, START + 400_000, 997) if not path.book(step).bids]
    assert bare
    for step in bare[:20]:
        assert {each.side for each in trades_of(path, step)} == {"buy"}

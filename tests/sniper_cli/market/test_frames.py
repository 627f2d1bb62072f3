"""A live frame has the figures, the chart, the ladder and the tape, and never more lines than the terminal."""

from __future__ import annotations

import io
import sys
from decimal import Decimal

import pytest

from sniper_cli.market import frames
from sniper_cli.market.candles import Interval
from sniper_cli.market.frames import bars_that_fit, chart_lines, depth_bar, frame, live, seconds
from sniper_cli.market.instruments import INSTRUMENTS
from sniper_cli.market.views import Market

START = 1_795_176_000  # 2026-11-20T12:00:00Z
BTC = INSTRUMENTS["paper:BTC/USDT"]


@pytest.fixture
def market() -> Market:
    return Market(7)


def test_a_frame_tells_figures_chart_ladder_and_tape(market: Market) -> None:
    lines = frame(market, BTC, Interval.M1, START, width=100, height=30)
    assert len(lines) == 30
    assert lines[0].startswith("BTC/USDT   77,563.66   ▲ +2.59%")
    assert "12:00:00Z" in lines[0]
    assert any("┤77,563.66" in line for line in lines)
    assert any("77,569.86" in line and "█" in line for line in lines)
    assert any(line.lstrip().startswith("spread") and "7.75" in line for line in lines)
    assert any("12:00:00 ▲ 77,569.86" in line for line in lines)


@pytest.mark.parametrize("height", [1, 5, 12, 18, 24])
@pytest.mark.parametrize("width", [20, 30, 42, 60, 80])
def test_a_small_terminal_gets_what_fits(market: Market, width: int, height: int) -> None:
    lines = frame(market, BTC, Interval.M1, START, width=width, height=height)
    assert len(lines) <= height
    assert max(map(len, lines)) <= width
    assert any("▲" in line for line in lines[1:]) is (width >= 80 and height > 3)


def test_without_colour_no_escape_byte_and_rising_bodies_are_hollow(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    found = market.latest(BTC, Interval.M5, START, 60)
    text = "\n".join(chart_lines(BTC, found, Interval.M5, width=100))
    assert "\x1b" not in text
    assert "║" in text


def test_in_colour_rising_is_green_and_falling_red(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    found = market.latest(BTC, Interval.M5, START, 60)
    text = "\n".join(chart_lines(BTC, found, Interval.M5, width=100))
    assert "\x1b[32m" in text
    assert "\x1b[31m" in text
    assert "║" not in text


def test_an_ascii_terminal_gets_ascii(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    found = market.latest(BTC, Interval.M5, START, 60)
    lines = [
        *chart_lines(BTC, found, Interval.M5, width=100),
        *frame(market, BTC, Interval.M5, START, width=90, height=24),
    ]
    assert "\n".join(lines).isascii()
    assert "O" in "".join(lines)
    assert depth_bar(Decimal(50)) == "######"


def test_a_depth_bar_is_never_empty() -> None:
    assert depth_bar(Decimal("0.1")) == "█"
    assert depth_bar(Decimal(100)) == "█" * 12


def test_as_many_bars_fit_as_are_drawn(market: Market) -> None:
    found = market.latest(BTC, Interval.M1, START, 200)
    room = bars_that_fit(BTC, found, 80)
    assert room == 80 - len("77,563.66") - 2


@pytest.mark.parametrize(("every", "seen"), [(True, [100, 101, 102]), (False, [100, 105, 110])])
def test_a_slow_reader_misses_frames_or_none(
    monkeypatch: pytest.MonkeyPatch, every: bool, seen: list[int]
) -> None:
    """The clock runs five seconds ahead at each look; nobody has to wait for seconds that have passed."""
    clock = iter(range(100, 200, 5))
    monkeypatch.setattr(frames, "this_second", lambda: next(clock))
    monkeypatch.setattr(frames.time, "time", lambda: 10_000.0)
    monkeypatch.setattr(frames.time, "sleep", lambda pause: pytest.fail("waited") if pause else None)
    assert list(seconds(3, every=every)) == seen


def test_it_waits_for_the_next_second(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(frames, "this_second", lambda: 100)
    monkeypatch.setattr(frames.time, "time", lambda: 100.25)
    monkeypatch.setattr(frames.time, "sleep", waited.append)
    assert list(seconds(2, every=True)) == [100, 101]
    assert waited == [0.75]


@pytest.mark.parametrize("colour", ["1", ""])
def test_live_frames_replace_each_other_only_where_escape_bytes_may_go(
    market: Market, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, colour: str
) -> None:
    monkeypatch.setenv("FORCE_COLOR", colour)
    monkeypatch.setenv("COLUMNS", "90")
    monkeypatch.setattr(frames, "seconds", lambda _count, *, every: iter([START, START + 1]))
    live(market, BTC, Interval.M1, 2)
    written = capsys.readouterr().out
    assert "12:00:00Z" in written
    assert "12:00:01Z" in written
    assert written.count("\x1b[H") == (2 if colour else 0)
    assert written.count("\x1b[2J") == (1 if colour else 0)
    assert ("\x1b" in written) is bool(colour)

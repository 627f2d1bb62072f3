"""The market screen driven by keys: a list with prices, and of one instrument candles, book and tape."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList

from docs.scene_acts import NOW
from sniper_cli.context import Context
from sniper_cli.market.candles import Interval, candles
from sniper_cli.market.instruments import INSTRUMENTS
from sniper_cli.market.simulated import SimulatedMarket, step_of
from sniper_cli.market.views import Market
from sniper_cli.output.chart import Piece
from tests.tui.conftest import until
from tests.tui.test_dashboard import WIDE, settled, text_of
from tui.app import SniperApp
from tui.screens.dashboard import DashboardScreen
from tui.screens.help import HelpBox
from tui.screens.market import INTERVALS, MarketScreen
from tui.widgets.candle_chart import CandleChart
from tui.widgets.ladder import Ladder
from tui.widgets.tape import Tape

STEP = step_of(NOW)
SEED = 7
BTC, ETH = "paper:BTC/USDT", "paper:ETH/USDT"
SMALL = (80, 24)


async def opened(app: SniperApp, pilot: Pilot[None], *keys: str) -> MarketScreen:
    for key in ("m", *keys):
        await pilot.press(key)
        await settled(app, pilot)
    assert isinstance(app.screen, MarketScreen)
    return app.screen


def price(instrument: str, step: int = STEP) -> str:
    path = SimulatedMarket(SEED).path(instrument)
    return f"{path.spec.price(path.ticks(step)):,}"


@pytest.mark.parametrize("size", [WIDE, SMALL, (200, 60)])
async def test_m_opens_the_market_with_every_price_candles_book_and_tape(
    app: SniperApp, size: tuple[int, int]
):
    async with app.run_test(size=size) as pilot:
        screen = await opened(app, pilot)
        text = text_of(app)
        book = SimulatedMarket(SEED).path(BTC).book(STEP)

        assert screen.table.total == len(INSTRUMENTS)
        assert "BTC/USDT · 1m" in text
        assert f"BTC   {price(BTC):>10}" in text
        assert f"{book.best_ask:,}" in text
        assert f"{book.best_bid:,}" in text
        assert "spread" in text
        assert "simulated, seed 7" in text
        for widget in (CandleChart, Ladder, Tape):
            region = screen.query_one(widget).region
            assert region.width >= 20
            assert region.height >= 6


async def test_moving_the_cursor_shows_another_instrument(app: SniperApp):
    async with app.run_test(size=WIDE) as pilot:
        screen = await opened(app, pilot, "down")

        assert "ETH/USDT · 1m" in text_of(app)
        assert f"┤{price(ETH)}" in text_of(app)
        assert screen.sight is not None
        assert screen.sight.spec.id == ETH


async def test_brackets_make_candles_shorter_and_longer_and_stop_at_the_ends(app: SniperApp):
    async with app.run_test(size=WIDE) as pilot:
        screen = await opened(app, pilot, "right_square_bracket")
        assert screen.interval is Interval.M3
        for _ in range(len(INTERVALS)):
            await pilot.press("left_square_bracket")
        await settled(app, pilot)
        assert screen.interval is Interval.S1
        assert "BTC/USDT · 1s" in text_of(app)
        for _ in range(2 * len(INTERVALS)):
            await pilot.press("right_square_bracket")
        await settled(app, pilot)

        assert "BTC/USDT · 1d" in text_of(app)


@pytest.mark.parametrize(
    ("key", "interval"), [("1", "1m"), ("2", "5m"), ("3", "15m"), ("4", "1h"), ("5", "4h"), ("6", "1d")]
)
async def test_a_number_goes_to_an_interval(app: SniperApp, key: str, interval: str):
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(app, pilot, key)
        path = SimulatedMarket(SEED).path(BTC)
        expected = list(candles(path, Interval(interval), STEP - 9 * Interval(interval).seconds, STEP))

        assert f"BTC/USDT · {interval}" in text_of(app)
        assert screen.sight is not None
        assert screen.sight.candles[-10:] == expected


async def test_enter_gives_the_chart_the_whole_screen_and_the_cursor_still_moves(app: SniperApp):
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(app, pilot, "enter")
        assert screen.query_one(CandleChart).region.width == 78
        assert not screen.query_one(Ladder).region.height
        await pilot.press("down")
        await settled(app, pilot)
        assert "ETH/USDT · 1m" in text_of(app)
        await pilot.press("escape")
        await settled(app, pilot)

        assert screen.query_one(Ladder).region.height
        assert app.focused is screen.table


async def test_a_sorted_list_shows_what_the_cursor_is_on(app: SniperApp):
    async with app.run_test(size=WIDE) as pilot:
        screen = await opened(app, pilot, "H")
        changes = [quote.change_pct for quote in (screen.table._rows[key] for key in screen.table.shown)]

        assert changes == sorted(changes, reverse=True)
        assert screen.sight is not None
        assert screen.sight.spec.id == screen.table.shown[0]
        assert f"{screen.sight.spec.symbol} · 1m" in text_of(app)


async def test_escape_steps_out_of_the_zoom_the_sorting_and_the_screen(app: SniperApp):
    async with app.run_test(size=WIDE) as pilot:
        screen = await opened(app, pilot, "H", "z")
        await pilot.press("escape")
        assert not screen.has_class("-zoomed")
        await pilot.press("escape")
        assert screen.table.sorted_by is None
        await pilot.press("escape")

        assert isinstance(app.screen, DashboardScreen)


async def test_each_second_brings_new_figures(evening: Context):
    now = NOW
    app = SniperApp(evening, clock=lambda: now, poll_seconds=0)
    async with app.run_test(size=WIDE) as pilot:
        screen = await opened(app, pilot)
        first = screen.sight
        screen.tick()
        await settled(app, pilot)
        assert screen.sight is first
        now += timedelta(seconds=1)
        screen.tick()
        await settled(app, pilot)

        assert screen.sight is not None
        assert screen.sight.step == STEP + 1
        assert f"┤{price(BTC, STEP + 1)}" in text_of(app)
        assert screen.sight.tape[0].at == datetime.fromtimestamp(STEP + 1, tz=NOW.tzinfo)


async def test_a_pause_holds_the_second_also_for_what_is_looked_at_meanwhile(evening: Context):
    now = NOW
    app = SniperApp(evening, clock=lambda: now, poll_seconds=0)
    async with app.run_test(size=WIDE) as pilot:
        screen = await opened(app, pilot, "p")
        now += timedelta(seconds=5)
        await pilot.press("down")
        await settled(app, pilot)

        assert "PAUSED" in text_of(app)
        assert screen.sight is not None
        assert (screen.sight.spec.id, screen.sight.step) == (ETH, STEP)


async def test_the_help_tells_the_keys_of_the_market(app: SniperApp):
    async with app.run_test(size=WIDE) as pilot:
        await opened(app, pilot)
        await pilot.press("question_mark")
        await pilot.pause()
        text = text_of(app)

        assert isinstance(app.screen, HelpBox)
        assert "shorter and longer candles" in text
        assert "candles of 1m, 5m, 15m, 1h, 4h, 1d" in text
        assert "Sort instruments" in text


async def test_the_help_of_the_dashboard_tells_the_way_to_the_market(app: SniperApp):
    async with app.run_test(size=WIDE) as pilot:
        assert "m Market" in text_of(app)
        await pilot.press("question_mark")
        await pilot.pause()

        assert "the market: prices, candles, book and trades" in text_of(app)


async def test_the_palette_finds_an_instrument_by_its_symbol(app: SniperApp):
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("ctrl+p", *"market sol/usdt")
        await until(pilot, lambda: app.screen.query_one(OptionList).option_count)
        await settled(app, pilot)
        await pilot.press("enter", "enter")
        await settled(app, pilot)

        assert isinstance(app.screen, MarketScreen)
        assert "SOL/USDT · 1m" in text_of(app)


def test_a_ladder_keeps_the_best_prices_in_the_middle_of_what_room_there_is():
    ladder = Ladder()
    ladder.lines = Market(SEED).book(INSTRUMENTS[BTC], STEP, 10)
    for height in range(3, 23):
        lines = ["".join(text for text, _ in line) for line in ladder.draw(30, height)]
        middle = next(number for number, line in enumerate(lines) if "spread" in line)
        assert len(lines) <= height
        assert len(lines) == 2 * ((height - 1) // 2) + 1
        assert lines[middle - 1].startswith(f"{ladder.lines[9].price:,}")
        assert lines[middle + 1].startswith(f"{ladder.lines[10].price:,}")
    assert ladder.draw(30, 2) == ()


def test_the_depth_behind_the_figures_is_as_wide_as_the_total():
    ladder = Ladder()
    ladder.lines = Market(SEED).book(INSTRUMENTS[BTC], STEP, 5)
    rungs = ladder.draw(40, 11)
    most = max(line.total for line in ladder.lines)
    for line, rung in zip(ladder.lines, [*rungs[:5], *rungs[6:]], strict=True):
        assert filled(rung) == int(line.total * 40 / most)
        assert sum(len(text) for text, _ in rung) == 40


def filled(line: list[Piece]) -> int:
    return sum(len(text) for text, tone in line if "fill" in tone)


def test_a_tape_leaves_out_the_time_where_it_is_narrow():
    tape = Tape()
    tape.prints = Market(SEED).tape(INSTRUMENTS[BTC], STEP, 5)
    wide = ["".join(text for text, _ in line) for line in tape.draw(34, 5)]
    narrow = ["".join(text for text, _ in line) for line in tape.draw(22, 5)]
    assert all(line.startswith("20:15:42 ") for line in wide)
    assert [line[9:] for line in wide] == narrow

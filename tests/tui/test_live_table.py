"""The live table: what it shows for the room it has, how it sorts and filters, and that it repaints little."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from textual.app import App, ComposeResult

from tests.tui.conftest import until
from tui.widgets.live_table import Column, LiveTable, fit


@dataclass(frozen=True)
class Coin:
    name: str
    price: int | None


COLUMNS: list[Column[Coin]] = [
    Column("name", 8, lambda coin: coin.name, key="N", flex=1),
    Column("price", 8, lambda coin: f"{coin.price}", right=True, key="P", order=lambda coin: coin.price),
    Column("extra", 20, lambda _: "more", drop=1),
]


class Shown(App[None]):
    """An app with one table, which counts the lines it paints."""

    def __init__(self, rows: dict[Any, Coin]) -> None:
        super().__init__()
        self.rows = rows
        self.painted: list[int] = []

    def compose(self) -> ComposeResult:
        table: LiveTable[Coin] = LiveTable(COLUMNS, id="coins", empty="no coin")
        paint = table.render_line
        table.render_line = lambda y: (self.painted.append(y), paint(y))[1]  # type: ignore[method-assign]
        yield table

    def on_mount(self) -> None:
        self.table.show(self.rows)
        self.table.focus()

    @property
    def table(self) -> LiveTable[Coin]:
        return self.query_one(LiveTable)

    def lines(self) -> list[str]:
        return [self.table.render_line(y).text for y in range(self.table.size.height)]


def coins(count: int) -> dict[Any, Coin]:
    return {number: Coin(f"coin{number:03}", number) for number in range(count)}


def test_a_column_without_room_goes_whole_and_the_rest_grow():
    assert [(column.title, width) for column, width in fit(COLUMNS, 40)] == [
        ("name", 10),
        ("price", 8),
        ("extra", 20),
    ]
    assert [(column.title, width) for column, width in fit(COLUMNS, 30)] == [("name", 21), ("price", 8)]


async def test_the_first_line_is_the_header_and_rows_follow_in_their_order():
    app = Shown(coins(3))
    async with app.run_test(size=(40, 10)):
        lines = app.lines()

    assert lines[0].split() == ["name", "price", "extra"]
    assert [line.split()[0] for line in lines[1:4]] == ["coin000", "coin001", "coin002"]


async def test_a_capital_letter_sorts_figures_from_the_highest_then_turns_then_ends():
    app = Shown({1: Coin("b", 5), 2: Coin("a", None), 3: Coin("c", 9)})
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.press("P")
        down = app.table.shown
        await pilot.press("P")
        up = app.table.shown
        await pilot.press("P")

        assert (down, up, app.table.shown) == ([3, 1, 2], [1, 3, 2], [1, 2, 3])


async def test_words_are_sorted_from_a_and_the_header_says_so():
    app = Shown({1: Coin("b", 5), 2: Coin("a", 1)})
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.press("N")

        assert app.table.shown == [2, 1]
        assert "name ▲" in app.lines()[0]


@pytest.mark.parametrize(
    ("words", "kept"),
    [("coin00", [0, 1, 2]), ("COIN001", [1]), ("coin more", [0, 1, 2]), ("!001", [0, 2]), ("", [0, 1, 2])],
)
async def test_a_filter_keeps_rows_with_every_word_and_an_inverse_one_the_others(words: str, kept: list[int]):
    app = Shown(coins(3))
    async with app.run_test(size=(40, 10)):
        app.table.filter(words)

        assert app.table.shown == kept


async def test_the_cursor_stays_on_its_row_when_rows_come_in_above_it():
    app = Shown({1: Coin("b", 5), 2: Coin("a", 1)})
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.press("down")
        app.table.show({0: Coin("new", 7), 1: Coin("b", 5), 2: Coin("a", 1)})

        assert app.table.current == Coin("a", 1)


async def test_the_cursor_on_the_first_line_stays_there():
    app = Shown({1: Coin("b", 5)})
    async with app.run_test(size=(40, 10)):
        app.table.show({0: Coin("new", 7), 1: Coin("b", 5)})

        assert app.table.current == Coin("new", 7)


async def test_moving_past_the_edge_scrolls_and_stops_at_the_ends():
    app = Shown(coins(50))
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.press("end")
        await pilot.pause()
        assert "coin049" in app.lines()[-1]
        await pilot.press("down", "home", "up")
        await pilot.pause()

        assert "coin000" in app.lines()[1]
        assert app.table.cursor == 0


async def test_one_changed_row_of_two_hundred_repaints_one_line():
    app = Shown(coins(200))
    async with app.run_test(size=(60, 40)) as pilot:
        await pilot.pause()
        app.painted.clear()
        app.table.show({**app.rows, 7: Coin("coin007", 1000)})
        await until(pilot, lambda: app.painted)
        await pilot.pause(0.1)

        assert set(app.painted) == {8}


async def test_rows_out_of_view_and_equal_rows_repaint_nothing():
    app = Shown(coins(200))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        app.painted.clear()
        app.table.show({number: Coin(coin.name, coin.price) for number, coin in app.rows.items()})
        app.table.touch(150, Coin("coin150", 0))
        await pilot.pause(0.25)

        assert app.painted == []


async def test_an_empty_table_says_so_and_a_filter_that_nothing_matches_too():
    app = Shown({})
    async with app.run_test(size=(60, 10)) as pilot:
        assert "no coin" in app.lines()[2]
        app.table.show(coins(3))
        app.table.filter("zzz")
        await pilot.pause()

        assert "no line matches /zzz" in app.lines()[2]


async def test_a_long_word_ends_in_an_ellipsis_and_wide_characters_keep_the_columns_straight():
    app = Shown({1: Coin("a-very-long-name-that-does-not-fit", 5), 2: Coin("寿司寿司寿司寿司寿司", 5)})
    async with app.run_test(size=(40, 10)):
        first, second = app.lines()[1:3]

        assert "…" in first
        assert first.index("5") + 1 == len("a" * 10 + " " * 9)
        assert app.table.render_line(2).cell_length == 40
        assert "…" in second

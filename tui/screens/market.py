"""The market: every instrument with its price, and of one the candles, the book and the tape, second by second."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.reactive import reactive
from textual.widget import Widget

from sniper_cli.market.candles import Candle, Interval
from sniper_cli.market.instruments import INSTRUMENTS, Spec
from sniper_cli.market.simulated import LEVELS, step_of
from sniper_cli.market.views import BookLine, Market, Quote, TradeLine
from tui import figures
from tui.screens.detail import FRAME
from tui.screens.live import LiveScreen
from tui.widgets.candle_chart import CandleChart
from tui.widgets.ladder import Ladder
from tui.widgets.live_table import Column, LiveTable
from tui.widgets.tape import Tape
from tui.widgets.titles import entitle

INTERVALS = tuple(Interval)
DIRECT = (Interval.M1, Interval.M5, Interval.M15, Interval.H1, Interval.H4, Interval.D1)
"""The intervals that a number key goes to."""
PRINTS = 40
"""Of the tape: more than any terminal is high beside a chart."""


@dataclass(frozen=True, slots=True)
class Sight:
    """One second of the market, as this screen shows it."""

    step: int
    quotes: list[Quote]
    spec: Spec
    interval: Interval
    candles: list[Candle]
    book: list[BookLine]
    tape: list[TradeLine]


class MarketScreen(LiveScreen):
    """A list at the left; chart, book and tape of what its cursor is on at the right."""

    DEFAULT_CSS = f"""
    MarketScreen {{
        background: $background;
        & .frame {{ {FRAME} }}
        & .frame:focus {{ border: round $primary; border-title-color: $primary; }}
        & #instruments {{ width: 42; height: 100%; }}
        & #sight {{ width: 1fr; height: 100%; }}
        & #chart-frame {{ height: 3fr; }}
        & #lower {{ height: 2fr; }}
        & #book-frame {{ width: 1fr; }}
        & #tape-frame {{ width: 1fr; }}
        &.-zoomed #instruments, &.-zoomed #lower {{ display: none; }}
        &.-zoomed #chart-frame {{ height: 1fr; }}
    }}
    MarketScreen.-narrow {{
        & #instruments {{ width: 31; }}
        & .frame {{ padding: 0; }}
        & #chart-frame {{ height: 11fr; }}
        & #lower {{ height: 10fr; }}
    }}
    MarketScreen.-live {{ border: heavy $error; }}
    """
    NAME = "Market"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual's own shape
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012 - Textual's own shape
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left_square_bracket", "interval(-1)", "Interval", key_display="[ ]"),
        Binding("right_square_bracket", "interval(1)", "Longer", show=False),
        *(
            Binding(str(number), f"interval_of('{interval}')", str(interval), show=False)
            for number, interval in enumerate(DIRECT, start=1)
        ),
        Binding("z", "zoom", "Zoom", show=False),
        Binding("up,k", "select(-1)", "Up", show=False),
        Binding("down,j", "select(1)", "Down", show=False),
        Binding("escape,backspace", "back", "Back"),
    ]

    interval: reactive[Interval] = reactive(Interval.M1, init=False)
    """How long a candle lasts."""

    def __init__(self, instrument: str | None = None) -> None:
        """`instrument`: the id of the one to begin with."""
        super().__init__()
        self.sight: Sight | None = None
        self._first = instrument
        self._market: Market | None = None

    @property
    def market(self) -> Market:
        if self._market is None:
            self._market = Market(self.sniper.context.settings.market_seed)
        return self._market

    @property
    def table(self) -> LiveTable[Quote]:
        return self.query_one("#instruments", LiveTable)

    @property
    def spec(self) -> Spec:
        """What the cursor is on."""
        quote = self.table.current
        return INSTRUMENTS[quote.id] if quote is not None else next(iter(INSTRUMENTS.values()))

    def body(self) -> Iterable[Widget]:
        table: LiveTable[Quote] = LiveTable(quote_columns(), id="instruments", classes="frame")
        with Horizontal():
            yield table
            with Vertical(id="sight"):
                with Vertical(id="chart-frame", classes="frame"):
                    yield CandleChart(id="chart")
                with Horizontal(id="lower"):
                    with Vertical(id="book-frame", classes="frame"):
                        yield Ladder(id="book")
                    with Vertical(id="tape-frame", classes="frame"):
                        yield Tape(id="tape")

    def on_mount(self) -> None:
        super().on_mount()
        seed = self.sniper.context.settings.market_seed
        entitle(self.table, "Market", f"simulated, seed {seed}")
        entitle(self.query_one("#tape-frame"), "Trades")
        self.watch(self.table, "cursor", self.look, init=False)
        self.table.focus()
        self.look()

    def tick(self) -> None:
        super().tick()
        if self.sight is None or step_of(self.sniper.clock()) != self.sight.step:
            self.look()

    def look(self) -> None:
        """Look at the market; an unfinished look at what nobody is interested in any more is dropped."""
        self.run_worker(self._look(), exclusive=True, group="market")

    async def _look(self) -> None:
        paused = self.sniper.paused and self.sight is not None
        step = self.sight.step if paused and self.sight else step_of(self.sniper.clock())
        sight = await asyncio.to_thread(self._see, step, self.spec, self.interval, max(1, self.size.width))
        if self.is_mounted:
            self.show(sight)

    def _see(self, step: int, spec: Spec, interval: Interval, count: int) -> Sight:
        """In a thread: the first look at all instruments takes 60 ms."""
        market = self.market
        return Sight(
            step,
            market.quotes(step),
            spec,
            interval,
            market.latest(spec, interval, step, count),
            market.book(spec, step, LEVELS),
            market.tape(spec, step, PRINTS),
        )

    def show(self, sight: Sight) -> None:
        """Show a second."""
        self.sight = sight
        self.table.show({quote.id: quote for quote in sight.quotes})
        if self._first is not None:
            self._go_to(self._first)
            self._first = None
        spec, last = sight.spec, sight.candles[-1]
        self.query_one("#chart", CandleChart).show(spec, sight.interval, sight.candles)
        self.query_one("#book", Ladder).show(sight.book)
        self.query_one("#tape", Tape).show(sight.tape)
        quote = next(quote for quote in sight.quotes if quote.id == spec.id)
        entitle(
            self.query_one("#chart-frame"),
            f"{spec.symbol} · {sight.interval}",
            f"{spec.price(last.close):,}  24 h {_change(quote)}",
        )
        entitle(self.query_one("#book-frame"), "Book", f"in {spec.base}")

    def _go_to(self, instrument: str) -> None:
        shown = self.table.shown
        if instrument in shown:
            self.table.cursor = shown.index(instrument)

    # Keys

    def watch_interval(self) -> None:
        self.look()

    def action_interval(self, by: int) -> None:
        place = INTERVALS.index(self.interval) + by
        self.interval = INTERVALS[min(max(place, 0), len(INTERVALS) - 1)]

    def action_interval_of(self, name: str) -> None:
        self.interval = Interval(name)

    def action_select(self, by: int) -> None:
        """The list's own keys, also while it is not to be seen."""
        self.table.action_move(by)

    def action_zoom(self) -> None:
        """The chart alone, and back."""
        self.toggle_class("-zoomed")
        if not self.has_class("-zoomed"):
            self.table.focus()

    def on_live_table_chosen(self, message: LiveTable.Chosen) -> None:
        message.stop()
        self.action_zoom()

    def on_live_table_arranged(self, message: LiveTable.Arranged) -> None:
        """Sorted otherwise, the cursor may be on another instrument."""
        message.stop()
        if self.sight is not None and self.spec is not self.sight.spec:
            self.look()

    def action_back(self) -> None:
        """Step back: out of the zoom, then the sorting, then the screen."""
        if self.has_class("-zoomed"):
            self.action_zoom()
        elif self.table.sorted_by is not None:
            self.table.sort(None)
        else:
            self.dismiss()


def quote_columns() -> list[Column[Quote]]:
    """Instruments: the coin, its price, its day."""
    return [
        Column("coin", 5, lambda q: q.instrument.partition("/")[0], lambda _: "strong", key="C"),
        Column("price", 10, lambda q: f"{q.last:,}", right=True, key="P", order=lambda q: q.last),
        Column("24 h", 10, _change, lambda q: figures.tone(_percent(q)), True, key="H", order=lambda q: q.change_pct),
        Column("turnover", 9, _turnover, lambda _: "muted", True, drop=2, key="T", order=lambda q: q.turnover),
    ]  # fmt: skip


def _percent(quote: Quote) -> Any:
    return quote.change_pct or 0


def _change(quote: Quote) -> str:
    return f"{figures.sign(_percent(quote))} {figures.percent(quote.change_pct, 2)}"


def _turnover(quote: Quote) -> str:
    return figures.compact(int(quote.turnover or 0), 0)

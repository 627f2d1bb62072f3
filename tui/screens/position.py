"""A position: what it is worth, how far each exit is, the orders that made it and the way it went."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar
from uuid import UUID

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.strip import Strip
from textual.widget import Widget

from sniper_cli.monitoring.rows import Dashboard, EventRow, Gauge, OrderRow, PositionRow
from sniper_cli.monitoring.stories import Asked, PositionStory, position_story
from sniper_cli.sniping.exits import ExitRule, ExitRules
from state.identifiers import short
from tui import columns, figures
from tui.screens.detail import DetailScreen, fill, timeline_columns
from tui.widgets.alarm import fraction, gwei
from tui.widgets.facts import Fact, Facts
from tui.widgets.live_table import Column, LiveTable, Piece
from tui.widgets.titles import entitle

SHOWN_FAILURES = 4
"""So many of the sales that failed stand on the side; all are in the timeline."""

EXPLAINED: dict[ExitRule, str] = {
    ExitRule.STOP_LOSS: "sells when worth {level} or less",
    ExitRule.TAKE_PROFIT: "sells when worth {level} or more",
    ExitRule.TRAILING_STOP: "sells when worth {level} or less",
    ExitRule.LIQUIDITY: "sells when the pool holds less than {level}",
    ExitRule.TIME: "sells after {level}",
    ExitRule.BREAK_EVEN: "sells when back at {level}",
    ExitRule.VOLUME_STALL: "sells when less than {level} is traded",
    ExitRule.PRICE_STALL: "sells when the price stands still",
}


class Trend(Widget):
    """The worth over the last blocks, as tall as there is room."""

    DEFAULT_CSS = """
    Trend {
        height: 1fr; background: $surface;
        & .trend--good { color: $success-darken-1; } & .trend--bad { color: $error-darken-1; }
        & .trend--muted { color: $secondary; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"trend--good", "trend--bad", "trend--muted"}

    row: PositionRow | None = None

    def show(self, row: PositionRow) -> None:
        if row != self.row:
            self.row = row
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width, height = self.size
        base = self.rich_style
        if self.row is None or len(self.row.trend) < 2:
            text = "the trend begins with the second mark" if y == height // 2 else ""
            muted = self.get_component_rich_style("trend--muted", partial=True)
            return Strip([Segment(text.center(width), base + muted)]).adjust_cell_length(width, base)
        style: Style = base + self.get_component_rich_style(
            f"trend--{figures.tone(self.row.profit)}", partial=True
        )
        return Strip([Segment(tall_trend(self.row.trend, width, height, y), style)]).adjust_cell_length(
            width, base
        )


def tall_trend(values: tuple[int, ...], width: int, height: int, line: int) -> str:
    """One line, from the top, of a trend drawn over several: an eighth of a line is the step."""
    shown = [values[place * len(values) // width] for place in range(width)]
    (low, span), eighths = figures.scale(shown), height * 8
    floor = (height - 1 - line) * 8
    cells = (1 + (value - low) * (eighths - 1) // span - floor for value in shown)
    return "".join(" " if cell <= 0 else figures.STEPS[min(cell, 8) - 1] for cell in cells)


class PositionScreen(DetailScreen[PositionStory]):
    """One position, open or closed."""

    DEFAULT_CSS = """
    PositionScreen {
        & #exits { height: 8; }
        & #trend-frame { height: 8; }
        & #timeline { height: 1fr; }
    }
    PositionScreen.-short #trend-frame { height: 6; }
    """
    NAME = "Position"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "close_position", "Close"),
        Binding("h", "sell_half", "Sell half"),
        Binding("e", "edit_exits", "Exits"),
        Binding("o", "hold_position", "Hold, resume"),
    ]

    def body(self) -> Iterable[Widget]:
        exits: LiveTable[Gauge] = LiveTable(
            exit_columns(), id="exits", classes="frame", empty="this position is closed"
        )
        timeline: LiveTable[EventRow] = LiveTable(
            timeline_columns(
                lambda: self.story.timeline[0].at if self.story and self.story.timeline else None
            ),
            id="timeline",
            classes="frame",
        )
        with Horizontal():
            with Vertical(classes="main"):
                yield exits
                with Vertical(id="trend-frame", classes="frame"):
                    yield Trend(id="trend")
                yield timeline
            with VerticalScroll(classes="side"):
                yield Facts(id="figures")

    def on_mount(self) -> None:
        super().on_mount()
        for selector, title in (("#exits", "Exits"), ("#trend-frame", "Worth"), ("#timeline", "Timeline")):
            entitle(self.query_one(selector), title)
        self.query_one("#exits").focus()

    @property
    def position(self) -> UUID:
        return self.identifier

    def read(self) -> PositionStory:
        return position_story(
            self.sniper.context.database, self.identifier, money=self.money, now=self.sniper.clock()
        )

    def take(self, dashboard: Dashboard) -> None:
        super().take(dashboard)
        row = next((row for row in dashboard.positions if row.id == self.identifier), None)
        if row is not None:
            self._show_row(row)

    def _show_row(self, row: PositionRow) -> None:
        exits = self.query_one("#exits", LiveTable)
        exits.show({gauge.rule: gauge for gauge in row.gauges})
        self.query_one("#trend", Trend).show(row)
        gained = f"{figures.gain(row.profit, row.quote_decimals)} {figures.percent(row.profit_pct)}"
        entitle(self.query_one("#trend-frame"), subtitle=gained)
        orders = self.story.orders if self.story else ()
        told = (*_alarms(self.story, row), *_figures(row, orders), *_steps(self.story))
        self.query_one("#figures", Facts).show(told)
        entitle(self.query_one(".side"), f"{row.symbol} · {short(row.id)}")

    def tell(self, story: PositionStory) -> None:
        fill(self.query_one("#timeline", LiveTable), story.timeline)
        if self.sniper.dashboard is not None:
            rows = {row.id: row for row in self.sniper.dashboard.positions}
            self._show_row(rows.get(self.identifier, story.row))

    def on_live_table_chosen(self, message: LiveTable.Chosen) -> None:
        message.stop()
        if self.story and message.table.id == "timeline" and isinstance(message.key, int):
            self.sniper.open_record(self.story.timeline[message.key].seq)

    def action_sell_half(self) -> None:
        self._ask(lambda row: self.sniper.ask_exit(row, "50"))

    def action_edit_exits(self) -> None:
        rules = ExitRules.from_json(self.story.exit_rules) if self.story else ExitRules()
        self._ask(lambda row: self.sniper.ask_exits(row, rules))

    def action_hold_position(self) -> None:
        held = bool(self.story and self.story.exit_rules.get("held"))
        self._ask(lambda row: self.sniper.ask_hold(row, held=not held))

    def _ask(self, ask: Callable[[PositionRow], None]) -> None:
        if self.story is None or not self.story.row.is_open:
            self.notify("this position is closed already", severity="warning", markup=False)
        else:
            ask(self.story.row)

    def action_close_position(self) -> None:
        """Sell everything: by the sniper at work, whose sale and ours would meet, or else from here."""
        if self.story is not None and self.story.sniper:
            self._ask(lambda row: self.sniper.ask_exit(row, "100"))
        else:
            self._ask(self.sniper.ask_close)


def exit_columns() -> list[Column[Gauge]]:
    """Exit rules: how much of the way has been gone, and to where."""
    fills = dict.fromkeys(ExitRule, "fill-warn") | {rule: tone for rule, _, tone in columns.EXIT_TITLES}

    def paint(gauge: Gauge, room: int) -> list[Piece]:
        text = columns.gauge_figure(gauge).center(room)
        return columns.bar(text, gauge.progress, fills[gauge.rule] if gauge.active else "fill-muted")

    return [
        Column("rule", 14, lambda g: columns.rule_name(g.rule), lambda g: "strong" if g.active else "muted"),
        Column("still to go", 24, columns.gauge_figure, paint=paint, flex=1),
        Column("what it does", 34, _explained, lambda _: "muted", drop=1),
    ]


def _explained(gauge: Gauge) -> str:
    if gauge.rule is ExitRule.TIME:
        return f"sells after {gauge.level} s"
    if gauge.rule is ExitRule.NO_PROFIT:
        return f"sells without profit after {gauge.level} s"
    if not gauge.active:
        return f"wakes when worth {figures.amount(gauge.level)}"
    return EXPLAINED.get(gauge.rule, "").format(level=figures.amount(gauge.level))


def _alarms(story: PositionStory | None, row: PositionRow) -> Iterator[Fact]:
    """What somebody must know before anything else: a sale that fails and fails, a hold."""
    if story is None or not story.row.is_open:
        return
    if story.failed:
        count = len(story.failed)
        yield "ALARM" if row.alarm else "failed", f"{count} sale{'s' * (count != 1)} in vain", "bad"
        yield from _failed(story)
    if story.asked is not None:
        yield from _asked(story.asked, sniper=story.sniper)
    if story.unread(row.marked_at):
        yield "exits", "changed", "warn"
        yield from _waits(sniper=story.sniper)
    if story.exit_rules.get("held"):
        yield "held", "only fleeing rules and you sell it", "warn"


def _failed(story: PositionStory) -> Iterator[Fact]:
    """The last attempts: the part that was tried, its bid, the price it would have taken, and why not."""
    whole = max(attempt.quantity for attempt in story.failed)
    shown = story.failed[-SHOWN_FAILURES:]
    for attempt, following in zip(shown, (*shown[1:], None), strict=True):
        bid = "not signed" if attempt.max_fee is None else f"{gwei(attempt.max_fee)} gwei"
        worse = "" if attempt.max_slippage_bps is None else f", −{figures.bps(attempt.max_slippage_bps)}"
        yield f"sale {attempt.number}", f"{fraction(attempt.quantity, whole)}, {bid}{worse}", ""
        if following is None or following.reason != attempt.reason:
            yield "", attempt.reason, "bad"
    yield "", "", ""


def _asked(asked: Asked, *, sniper: bool) -> Iterator[Fact]:
    """A sale that somebody asked for, until it is done, and who will do it."""
    how = f"{asked.share} %{' at once' if asked.urgent else ''}, by {asked.by}"
    yield "asked", how, "warn"
    if asked.tried:
        yield "", "the sniper has taken it up", "accent"
    else:
        yield from _waits(sniper=sniper)


def _waits(*, sniper: bool) -> Iterator[Fact]:
    """Who will carry it out, and that he has not yet."""
    if sniper:
        yield "", "waits for the sniper's next block", "warn"
    else:
        yield "", "waits: no sniper is at work", "bad"


def _steps(story: PositionStory | None) -> Iterator[Fact]:
    """The ladder: which steps are done, and which is next."""
    if story is None or len(story.steps) < 2:
        return
    yield "", "", ""
    for gain, share, done in story.steps:
        yield f"at +{gain} %", f"{share} % {'sold' if done else 'waits'}", "good" if done else "muted"


def _figures(row: PositionRow, orders: tuple[OrderRow, ...]) -> Iterator[Fact]:
    yield "state", "open" if row.is_open else f"closed by {columns.rule_name(row.exit_rule)}", "strong"
    yield "quantity", figures.exact(row.quantity, row.decimals), ""
    yield "paid", figures.exact(row.spent, row.quote_decimals), ""
    yield "received", figures.exact(row.received, row.quote_decimals), "muted" if not row.received else ""
    if row.is_open:
        yield "worth", figures.exact(row.value, row.quote_decimals), ""
    yield "fees, gas", figures.exact(row.fees, row.quote_decimals), "muted"
    yield (
        "profit",
        f"{figures.sign(row.profit)} {figures.exact(abs(row.profit), row.quote_decimals)}",
        figures.tone(row.profit),
    )
    yield "", figures.percent(row.profit_pct), figures.tone(row.profit)
    yield "opened", figures.clock(row.opened_at), ""
    if row.closed_at is not None:
        yield (
            "closed",
            f"{figures.clock(row.closed_at)} after {figures.age(row.closed_at - row.opened_at)}",
            "",
        )
    for order in orders:
        word, tone = columns.ORDER_STATES[order.state]
        yield "", "", ""
        yield str(order.side), f"{word} {short(order.id)}", tone
        yield "value", figures.exact(order.filled_notional or order.budget, order.quote_decimals), ""
        yield "gas", figures.exact(order.gas), "muted"
        yield "sent as", figures.address(order.tx_hash, 10, 8), "muted"
        yield "why", columns.rule_name(order.origin), ""

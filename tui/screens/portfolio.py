"""The portfolio: equity, positions with their marks, the lots of the chosen one, profit by day and by strategy."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from datetime import timedelta
from decimal import Decimal
from time import monotonic
from typing import Any, ClassVar
from uuid import UUID

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widget import Widget

from sniper_cli.errors import SniperError
from sniper_cli.monitoring.rows import Dashboard
from sniper_cli.portfolio.overview import LotLine, PositionLine
from sniper_cli.portfolio.profits import ProfitLine
from sniper_cli.portfolio.report import PortfolioReport, report
from tui import columns, figures
from tui.screens.detail import FRAME
from tui.screens.live import LiveScreen
from tui.widgets.facts import Fact, Facts
from tui.widgets.live_table import Column, LiveTable, Piece
from tui.widgets.titles import entitle

LOOK_SECONDS = 1.0
"""Marks are those of a second: to look more often shows nothing new."""
TREND = 24
"""Days of the profit's line."""


class PortfolioScreen(LiveScreen):
    """What there is and what was earned, on all accounts of the database."""

    DEFAULT_CSS = f"""
    PortfolioScreen {{
        background: $background;
        & .frame {{ {FRAME} }}
        & .frame:focus {{ border: round $primary; border-title-color: $primary; }}
        & #main {{ width: 1fr; height: 100%; }}
        & #positions {{ height: 2fr; }}
        & #lots {{ height: 1fr; min-height: 5; }}
        & #profits {{ height: 1fr; min-height: 6; }}
        & #days {{ width: 1fr; height: 100%; }}
        & #strategies {{ width: 1fr; height: 100%; }}
        & .side {{ width: 33; height: 100%; scrollbar-size-vertical: 1; {FRAME} }}
        & .side:focus {{ border: round $primary; border-title-color: $primary; }}
    }}
    PortfolioScreen.-narrow {{
        & .side {{ width: 27; padding: 0; }}
        & .frame {{ padding: 0; }}
        & #strategies {{ display: none; }}
    }}
    PortfolioScreen.-short #lots {{ min-height: 4; }}
    PortfolioScreen.-live {{ border: heavy $error; }}
    """
    NAME = "Portfolio"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual's own shape
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012 - Textual's own shape
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "back", "Back"),
        Binding("tab", "app.focus_next", "Next table", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.report: PortfolioReport | None = None
        self._looked = 0.0

    def body(self) -> Iterable[Widget]:
        positions: LiveTable[PositionLine] = LiveTable(
            position_columns(), id="positions", classes="frame", empty="nothing is held"
        )
        lots: LiveTable[LotLine] = LiveTable(lot_columns(), id="lots", classes="frame", empty="no lots")
        days: LiveTable[ProfitLine] = LiveTable(
            profit_columns("day", _day), id="days", classes="frame", empty="nothing was traded yet"
        )
        strategies: LiveTable[ProfitLine] = LiveTable(
            profit_columns("strategy", lambda line: line.strategy or ""),
            id="strategies",
            classes="frame",
            empty="nothing was traded yet",
        )
        with Horizontal():
            with Vertical(id="main"):
                yield positions
                yield lots
                with Horizontal(id="profits"):
                    yield days
                    yield strategies
            with VerticalScroll(classes="side"):
                yield Facts(id="figures", label_width=11)

    def on_mount(self) -> None:
        super().on_mount()
        for selector, title in (
            ("#positions", "Positions"),
            ("#lots", "Lots"),
            ("#days", "Profit by day"),
            ("#strategies", "By strategy"),
            (".side", "Equity"),
        ):
            entitle(self.query_one(selector), title)
        table = self.query_one("#positions", LiveTable)
        self.watch(table, "cursor", self._show_lots, init=False)
        table.focus()
        self.look()

    def take(self, dashboard: Dashboard) -> None:
        super().take(dashboard)
        if monotonic() - self._looked >= LOOK_SECONDS and not self.sniper.paused:
            self.look()

    def look(self) -> None:
        """Read what there is."""
        self._looked = monotonic()
        # The function and not its coroutine: one that is dropped before it begins would never be awaited.
        work: Any = self._look
        self.run_worker(work, exclusive=True, group="portfolio")

    async def _look(self) -> None:
        try:
            found = await asyncio.to_thread(report, self.sniper.context, self.sniper.clock())
        except SniperError as error:
            self.sniper.show_error(error)
            return
        if self.is_mounted:
            self.show(found)

    def show(self, found: PortfolioReport) -> None:
        """Show one look."""
        self.report = found
        portfolio = found.portfolio
        positions = self.query_one("#positions", LiveTable)
        positions.show({line.id: line for line in portfolio.positions})
        stale = (
            f"{portfolio.stale} with a stale mark" if portfolio.stale else f"{len(portfolio.positions)} open"
        )
        entitle(positions, "Positions", stale)
        self.query_one("#days", LiveTable).show({(line.day, line.currency): line for line in found.days})
        self.query_one("#strategies", LiveTable).show(
            {(line.strategy, line.currency): line for line in found.strategies}
        )
        entitle(self.query_one(".side"), f"Equity in {portfolio.currency}")
        self.query_one("#figures", Facts).show(_figures(found))
        self._show_lots()

    def _show_lots(self) -> None:
        """The lots of the position under the cursor."""
        line = self.query_one("#positions", LiveTable).current
        lots = self.query_one("#lots", LiveTable)
        held: tuple[LotLine, ...] = line.lots if isinstance(line, PositionLine) else ()
        lots.show({lot.id: lot for lot in held})
        name = f"Lots of {line.instrument}" if isinstance(line, PositionLine) else "Lots"
        entitle(lots, name, f"{len(held)} open" if held else "")

    def on_live_table_chosen(self, message: LiveTable.Chosen) -> None:
        message.stop()
        if message.table.id == "positions" and isinstance(message.key, UUID):
            self.sniper.open_detail("positions", message.key)


def position_columns() -> list[Column[PositionLine]]:
    """Positions: how much, what it cost, what it is worth, and how good the mark is."""
    return [
        Column("instrument", 11, lambda p: p.instrument, lambda _: "strong", key="I"),
        Column("quantity", 10, lambda p: f"{p.quantity:f}", _side, True, key="Q", order=lambda p: p.quantity),
        Column("cost", 12, lambda p: _money(p.cost), lambda _: "muted", True, drop=2, key="C", order=_cost),
        Column("worth", 12, lambda p: _money(p.value), right=True, drop=1, key="W", order=lambda p: p.value),
        Column("open profit", 14, _profit_of, lambda p: _tone(p.unrealised), True, key="O", order=_open),
        Column("%", 7, lambda p: _pct(p.unrealised_pct), lambda p: _tone(p.unrealised), True, drop=3),
        Column("of equity", 9, _weight, paint=_weight_bar, flex=1, drop=4, key="E", order=_weighted),
        Column("mark", 10, _mark, lambda p: "warn" if p.stale else "muted", True, drop=5),
    ]


def lot_columns() -> list[Column[LotLine]]:
    """Lots: when, how much is left of it, at what price."""
    return [
        Column("opened", 16, lambda lot: lot.opened_at.strftime("%Y-%m-%d %H:%M"), lambda _: "muted"),
        Column("left", 12, lambda lot: f"{lot.remaining:f}", right=True),
        Column("of", 12, lambda lot: f"{lot.quantity:f}", lambda _: "muted", True, drop=2),
        Column("price", 13, lambda lot: "–" if lot.price is None else _money(lot.price), right=True, drop=1),
        Column("cost", 13, lambda lot: _money(lot.cost), lambda _: "muted", True, drop=3),
        Column(
            "open profit", 16, lambda lot: _signed(lot.unrealised), lambda lot: _tone(lot.unrealised), True
        ),
    ]


def profit_columns(title: str, name: Any) -> list[Column[ProfitLine]]:
    """A profit and loss: of what, what was realised, what it cost, what is left."""
    return [
        Column(title, 11, name, lambda _: "strong"),
        Column("net", 14, lambda line: _signed(line.net), lambda line: _tone(line.net), True, flex=1),
        Column("fees", 10, lambda line: _money(line.fees), lambda _: "muted", True, drop=1),
        Column("fills", 6, lambda line: f"{line.fills:,}", lambda _: "muted", True, drop=2),
    ]


def _figures(found: PortfolioReport) -> Iterator[Fact]:
    portfolio = found.portfolio
    yield "equity", _money(portfolio.equity), "strong"
    yield "cash", _money(portfolio.cash), ""
    yield "positions", _money(portfolio.positions_value), ""
    yield "reserved", _money(portfolio.reserved), "muted"
    yield "available", _money(portfolio.available), ""
    yield "", "", ""
    yield "open", _signed(portfolio.unrealised), _tone(portfolio.unrealised)
    yield "realised", _signed(portfolio.realised), _tone(portfolio.realised)
    yield "fees", _money(portfolio.fees), "muted"
    if line := _trend(found.days):
        yield "net by day", line, ""
    if portfolio.unpriced:
        yield "", "", ""
        yield "not priced", ", ".join(portfolio.unpriced), "warn"
    for account in portfolio.accounts if len(portfolio.accounts) > 1 else ():
        yield "", "", ""
        yield account.account, f"{_money(account.equity)} {account.currency}", ""
        yield "open", _signed(account.unrealised), _tone(account.unrealised)
    yield "", "", ""
    for balance in portfolio.balances:
        yield balance.asset, f"{balance.amount:,f}", ""


def _trend(days: tuple[ProfitLine, ...]) -> str:
    """What the days came to, one added to the other, the oldest first."""
    currency = days[0].currency if days else ""
    total, line = Decimal(0), []
    for day in reversed([day for day in days if day.currency == currency]):
        total += day.net
        line.append(int(total * 100))
    lowest = min(line, default=0)
    return figures.trend([value - lowest for value in line], TREND)


def _day(line: ProfitLine) -> str:
    return "" if line.day is None else line.day.isoformat()


def _money(value: Decimal) -> str:
    """For reading: thousands apart, two digits; more where there would be nothing else."""
    return f"{value:,.2f}" if abs(value) >= 1 or not value else f"{value:f}"[:12]


def _signed(value: Decimal) -> str:
    return f"{figures.sign(value)} {_money(abs(value))}"


def _tone(value: Decimal) -> str:
    return figures.tone(value)


def _side(line: PositionLine) -> str:
    return "warn" if line.side == "short" else ""


def _cost(line: PositionLine) -> Decimal:
    return line.cost


def _open(line: PositionLine) -> Decimal:
    return line.unrealised


def _weighted(line: PositionLine) -> Decimal:
    return line.weight_pct or Decimal(0)


def _profit_of(line: PositionLine) -> str:
    return _signed(line.unrealised)


def _pct(value: Decimal | None) -> str:
    return figures.percent(value, 2)


def _weight(line: PositionLine) -> str:
    return "–" if line.weight_pct is None else f"{line.weight_pct:.2f}%"


def _weight_bar(line: PositionLine, room: int) -> list[Piece]:
    share = min(1000, int(abs(_weighted(line)) * 10))
    return columns.bar(
        _weight(line).center(room), share, "fill-warn" if line.side == "short" else "fill-good"
    )


def _mark(line: PositionLine) -> str:
    """Who marked it, or how long ago, when that matters."""
    if line.age is None:
        return "at cost"
    return "now" if line.age < timedelta(seconds=1) else f"{figures.age(line.age)} ago"

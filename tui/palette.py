"""What the command palette offers beside themes: panels, acts, and every instrument, launch and position by name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.types import IgnoreReturnCallbackType

from sniper_cli.market.instruments import INSTRUMENTS
from tui.screens.dashboard import PANELS

if TYPE_CHECKING:
    from tui.app import SniperApp

Offer = tuple[str, str, IgnoreReturnCallbackType]


class SniperCommands(Provider):
    """The dashboard's own commands."""

    @property
    def sniper(self) -> SniperApp:
        return cast("SniperApp", self.app)

    async def discover(self) -> Hits:
        for name, text, run in self._commands():
            yield DiscoveryHit(name, run, help=text)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for name, text, run in (*self._commands(), *self._things()):
            score = matcher.match(name)
            if score > 0:
                yield Hit(score, matcher.highlight(name), run, help=text)

    def _commands(self) -> Iterator[Offer]:
        app = self.sniper
        for number, panel in enumerate(PANELS, start=1):
            yield f"Go to {panel}", f"panel {number}", partial(app.go_to_panel, panel)
        yield "Go to risk", "limits as bars, breaches, the kill switch by scope", app.open_risk
        yield (
            "Go to the portfolio",
            "equity, positions and lots, profit by day and strategy",
            app.open_portfolio,
        )
        yield "Go to the nodes", "heads, lags, latencies, breakers", app.open_nodes
        yield (
            "Go to the transactions",
            "what waits, its bid against the base fee, what happens next",
            app.open_transactions,
        )
        yield "Go to the market", "prices, candles, book and trades", app.open_market
        tripped = app.dashboard is not None and app.dashboard.facts.switch is not None
        name = "Resume trading" if tripped else "Trip the kill switch"
        yield name, "asks for a word first", app.action_kill_switch
        yield (
            "Pause" if not app.paused else "Go on",
            "the screen stands still, nothing else does",
            app.action_pause,
        )
        yield "Help for this view", "keys, signs, sorting", app.action_help

    def _things(self) -> Iterator[Offer]:
        """Instruments by their symbol, launches and positions by their token."""
        for spec in INSTRUMENTS.values():
            yield f"Market {spec.symbol}", spec.name, partial(self.sniper.open_market, spec.id)
        dashboard = self.sniper.dashboard
        if dashboard is None:
            return
        for launch in dashboard.launches:
            verdict = str(launch.verdict).replace("_", " ")
            run = partial(self.sniper.open_detail, "launches", launch.id)
            yield f"Launch {launch.symbol}", f"{verdict}, block {launch.block_number:,}, {launch.token}", run
        for position in dashboard.positions:
            run = partial(self.sniper.open_detail, "positions", position.id)
            yield f"Position {position.symbol}", "open" if position.is_open else "closed", run
            if position.is_open:
                yield (
                    f"Close position {position.symbol}",
                    "asks first",
                    partial(self.sniper.ask_close, position),
                )

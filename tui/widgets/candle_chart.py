"""Candles as a chart that fills its frame: the renderer of `sniper market candles` in the theme's colours."""

from __future__ import annotations

from collections.abc import Sequence

from sniper_cli.market.candles import Candle, Interval
from sniper_cli.market.instruments import Spec
from sniper_cli.market.views import axes
from sniper_cli.output.chart import Piece, chart
from tui.widgets.drawing import Drawing


class CandleChart(Drawing):
    """The last candles that there is room for."""

    subject: tuple[Spec, Interval, Sequence[Candle]] | None = None

    def show(self, spec: Spec, interval: Interval, found: Sequence[Candle]) -> None:
        """Take new candles."""
        if (spec, interval, found) != self.subject:
            self.subject = (spec, interval, found)
            self.redraw()

    def draw(self, width: int, height: int) -> Sequence[Sequence[Piece]]:
        if self.subject is None:
            return ()
        spec, interval, found = self.subject
        lettering = axes(spec, found, interval)
        return chart(found, lettering, width=width, height=height, hollow=self.app.no_color)

"""The last trades of others, newest first."""

from __future__ import annotations

from collections.abc import Sequence

from sniper_cli.market.views import TradeLine
from sniper_cli.output.chart import Piece
from tui import figures
from tui.widgets.drawing import Drawing


class Tape(Drawing):
    """As many prints as there is room for; without their time where it is narrow."""

    prints: Sequence[TradeLine] = ()

    def show(self, prints: Sequence[TradeLine]) -> None:
        """Take new prints."""
        if prints != self.prints:
            self.prints = prints
            self.redraw()

    def draw(self, width: int, height: int) -> Sequence[Sequence[Piece]]:
        shown = self.prints[:height]
        price = max((len(f"{each.price:,}") for each in shown), default=0)
        size = max((len(f"{each.quantity:,}") for each in shown), default=0)
        timed = width >= price + size + len("12:00:00 ▲   ")
        return [
            [
                (f"{figures.clock(each.at)} " if timed else "", "muted"),
                (f"{'▲' if each.side == 'buy' else '▼'} {each.price:>{price},}", SIDES[each.side]),
                (f"  {each.quantity:>{size},}", ""),
            ]
            for each in shown
        ]


SIDES = {"buy": "bid", "sell": "ask"}
"""A buyer's print has the colour of a rise."""

"""The order book as a ladder: asks down to the best, the spread, bids from the best on, depth behind the figures."""

from __future__ import annotations

from collections.abc import Sequence

from sniper_cli.market.views import BookLine
from sniper_cli.output.chart import Piece
from tui.widgets.drawing import Drawing


class Ladder(Drawing):
    """As many levels as there is room for, the best ones in the middle."""

    lines: Sequence[BookLine] = ()

    def show(self, lines: Sequence[BookLine]) -> None:
        """Take a new book."""
        if lines != self.lines:
            self.lines = lines
            self.redraw()

    def draw(self, width: int, height: int) -> Sequence[Sequence[Piece]]:
        levels = (height - 1) // 2
        asks = [line for line in self.lines if line.side == "ask"][-levels:] if levels else []
        bids = [line for line in self.lines if line.side == "bid"][:levels]
        if not asks or not bids:
            return ()
        shown = [*asks, *bids]
        columns = [[f"{line.price:,}", f"{line.quantity:,}", f"{line.total:,}"] for line in shown]
        sizes = [max(map(len, column)) for column in zip(*columns, strict=True)]
        if sum(sizes) + 2 > width:
            columns, sizes = [texts[:2] for texts in columns], sizes[:2]
        most = max(line.total for line in shown)
        rungs = [
            _rung(line.side, texts, sizes, width, int(line.total * width / most))
            for line, texts in zip(shown, columns, strict=True)
        ]
        spread = f"{asks[-1].price - bids[0].price:,}".rjust(sizes[0]) + " spread"
        blank: list[list[Piece]] = [[]] * (levels - len(asks))
        return [*blank, *rungs[: len(asks)], [(spread[:width], "muted")], *rungs[len(asks) :]]


def _rung(side: str, texts: Sequence[str], sizes: Sequence[int], width: int, filled: int) -> list[Piece]:
    """One level: its price in the side's colour, its depth as the ground of the first `filled` cells."""
    gap = max(1, (width - sum(sizes)) // max(1, len(sizes) - 1)) if len(sizes) > 1 else 1
    price, *rest = (text.rjust(size) for text, size in zip(texts, sizes, strict=True))
    others = "".join(" " * min(gap, 3) + text for text in rest).ljust(width - len(price))
    return [
        (price[:filled], f"{side}-fill"),
        (price[filled:], side),
        (others[: max(0, filled - len(price))], f"fill-{side}"),
        (others[max(0, filled - len(price)) :], ""),
    ]

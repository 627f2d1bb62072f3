"""A market drawn for a terminal: the chart, the ladder of the book, the tape, and all of them as one live frame."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import zip_longest

from sniper_cli.market.candles import Candle, Interval
from sniper_cli.market.instruments import Spec
from sniper_cli.market.simulated import EPOCH, time_of
from sniper_cli.market.views import BookLine, Market, TradeLine, axes, this_second
from sniper_cli.output.chart import ASCII, LEAST, Piece, capacity, chart
from sniper_cli.output.terminal import coloured, encodable, paint
from sniper_cli.output.terminal import width as terminal_width

STYLES: dict[str, str | None] = {
    "up": "good",
    "down": "bad",
    "volume-up": "dim",
    "volume-down": "dim",
    "axis": "dim",
    "last": "strong",
}
SIDES = {"ask": "bad", "bid": "good", "sell": "bad", "buy": "good"}
CHART_LINES = 22
"""Of a chart that stands by itself."""
LADDER_LEVELS = 5
"""Of a side, in a live frame."""
BAR = 12
"""Characters of a full depth bar."""
PIPE_WIDTH = 100
CLEAR, HOME, REST_OF_LINE, REST = "\x1b[H\x1b[2J", "\x1b[H", "\x1b[K\n", "\x1b[J"


def bars_that_fit(spec: Spec, found: Sequence[Candle], width: int) -> int:
    """How many candles a chart of this width has room for."""
    letters = axes(spec, found, Interval.M1)
    return capacity(width, max((len(letters.price(each.high)) for each in found), default=0))


def chart_lines(
    spec: Spec, found: Sequence[Candle], interval: Interval, *, width: int | None, height: int = CHART_LINES
) -> list[str]:
    """A chart, in colour where colours may go."""
    plain = not coloured(sys.stdout)
    size = max(width or PIPE_WIDTH, LEAST[0])
    drawn = chart(found, axes(spec, found, interval), width=size, height=height, hollow=plain)
    return [_painted(line) for line in drawn]


def depth_bar(share: Decimal) -> str:
    """A share in per cent as a bar; what is there is seen, however little."""
    return encodable("█", "#") * max(1, int(share * BAR + 50) // 100)


def frame(market: Market, spec: Spec, interval: Interval, step: int, *, width: int, height: int) -> list[str]:
    """One second of a market: the figures, a chart, and the ladder beside the tape. No more lines than `height`."""
    lower = _side_by_side(
        _ladder(market.book(spec, step, LADDER_LEVELS), width),
        _tape(market.tape(spec, step, 2 * LADDER_LEVELS + 1)),
        width,
    )
    lines = [_headline(market, spec, step, width)]
    if (left := height - len(lower) - len(lines)) >= LEAST[1] and width >= LEAST[0]:
        found = market.latest(spec, interval, step, width)
        lines += chart_lines(spec, found, interval, width=width, height=left)
    return [*lines, *lower][:height]


def live(market: Market, spec: Spec, interval: Interval, count: int | None) -> None:
    """Frame after frame in the terminal, in its place; below each other where no escape byte may go."""
    for number, step in enumerate(seconds(count, every=False)):
        rows = shutil.get_terminal_size().lines - 1
        lines = frame(market, spec, interval, step, width=terminal_width() or PIPE_WIDTH, height=rows)
        if coloured(sys.stdout):
            begin = CLEAR if number == 0 else HOME
            sys.stdout.write(f"{begin}{''.join(f'{line}{REST_OF_LINE}' for line in lines)}{REST}")
        else:
            sys.stdout.write("".join(f"{line}\n" for line in [*lines, ""]))
        sys.stdout.flush()


def seconds(count: int | None, *, every: bool) -> Iterator[int]:
    """The present second, and each next one when it comes; the first `count` of them.

    `every`: none is left out, though the reader be slow.
    """
    step, shown = this_second(), 0
    while True:
        yield step
        shown += 1
        if shown == count:
            return
        time.sleep(max(0.0, (time_of(step + 1) - EPOCH).total_seconds() - time.time()))
        step = step + 1 if every else max(step + 1, this_second())


def _headline(market: Market, spec: Spec, step: int, width: int) -> str:
    """The figures of a second; the last ones go where the line would be too long."""
    quote = market.quote(spec, step)
    change = quote.change_pct or Decimal(0)
    sign = encodable("▲" if change > 0 else "▼" if change < 0 else "=", "")
    parts: list[tuple[str, str | None]] = [
        (quote.instrument, "strong"),
        (f"{quote.last:,}", "strong"),
        (f"{sign} {change:+}%".strip(), "good" if change >= 0 else "bad"),
        (time_of(step).strftime("%H:%M:%SZ"), None),
        (f"24h {quote.low:,} {encodable('–', '-')} {quote.high:,}", None),
        (f"{quote.volume:,} {spec.base}", None),
    ]
    while len("   ".join(text for text, _ in parts)) > width:
        parts.pop()
    return "   ".join(paint(text, style) for text, style in parts)


def _ladder(lines: Sequence[BookLine], width: int) -> list[tuple[str, str]]:
    """(plain text, painted text) of each line of the book, and of the spread between its sides."""
    sizes = [
        max(len(text) for text in column) for column in zip(*(_figures(line) for line in lines), strict=True)
    ]
    bar = BAR if sum(sizes) + 2 * len(sizes) + BAR <= width else 0
    if sum(sizes) + 4 > width:
        sizes = sizes[:2]
    asks = [line for line in lines if line.side == "ask"]
    drawn = []
    for number, line in enumerate(lines):
        if number == len(asks):
            text = f"{'spread':>{sizes[0]}}  {asks[-1].price - line.price:>{sizes[1]},}"
            drawn.append((text, paint(text, "dim")))
        price, *rest = (text.rjust(size) for text, size in zip(_figures(line), sizes, strict=False))
        figures = "".join(f"  {text}" for text in rest)
        depth = f"  {depth_bar(line.depth_pct):<{BAR}}" if bar else ""
        tone = SIDES[line.side]
        drawn.append((price + figures + depth, paint(price, tone) + figures + paint(depth, tone)))
    return drawn


def _figures(line: BookLine) -> tuple[str, str, str]:
    return f"{line.price:,}", f"{line.quantity:,}", f"{line.total:,}"


def _tape(prints: Sequence[TradeLine]) -> list[tuple[str, str]]:
    """(plain text, painted text) of each print."""
    prices = max((len(f"{each.price:,}") for each in prints), default=0)
    quantities = max((len(f"{each.quantity:,}") for each in prints), default=0)
    drawn = []
    for each in prints:
        sign = encodable("▲" if each.side == "buy" else "▼", "+" if each.side == "buy" else "-")
        text = f"{each.at:%H:%M:%S} {sign} {each.price:>{prices},}  {each.quantity:>{quantities},}"
        drawn.append((text, paint(text, SIDES[each.side])))
    return drawn


def _side_by_side(left: Sequence[tuple[str, str]], right: Sequence[tuple[str, str]], width: int) -> list[str]:
    """Two columns of lines; the right one goes where both do not fit."""
    size = max((len(plain) for plain, _ in left), default=0)
    if size + 2 + max((len(plain) for plain, _ in right), default=0) > width:
        return [painted for _, painted in left]
    return [
        f"{here[1]}{' ' * (size - len(here[0]))}  {there[1]}".rstrip()
        for here, there in zip_longest(left, right, fillvalue=("", ""))
    ]


def _painted(line: Sequence[Piece]) -> str:
    """Pieces in the terminal's colours, in ASCII where it has no more."""
    texts = [(encodable(text, text.translate(ASCII)), STYLES.get(style)) for text, style in line]
    return "".join(paint(text, style) if text.strip() else text for text, style in texts).rstrip()

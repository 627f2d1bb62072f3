"""What people look at in a market: quotes, books, tape and candles in whole coins, for commands and screens alike.

Everything is asked for at a second, so that what stands side by side on a screen belongs together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import accumulate

from sniper_cli.errors import UsageProblem
from sniper_cli.market.candles import Candle, Interval, candle, merged, stretches
from sniper_cli.market.instruments import INSTRUMENTS, QUOTE_DECIMALS, Spec
from sniper_cli.market.simulated import Level, SimulatedMarket, step_of, time_of
from sniper_cli.market.trades import latest_trades, trades_of
from sniper_cli.output.chart import Axes

DAY_SECONDS = 86_400
MINUTE = 60
CENT = Decimal("0.01")

KEPT = 4096
"""Complete candles remembered, of all instruments together."""
MOST_CANDLES = 20_000
"""Of one request: two years of hours take 16 s of a core."""


@dataclass(frozen=True, slots=True)
class Quote:
    """An instrument now and over the last day; what a market cannot tell is None."""

    instrument: str
    id: str
    venue: str
    name: str
    tick: Decimal | None
    lot: Decimal | None
    minimum: Decimal | None
    """The smallest order, in quote."""
    maximum: Decimal | None = None
    """The largest order, in quote …"""
    maximum_quantity: Decimal | None = None
    """… and in base."""
    at: datetime | None = None
    last: Decimal | None = None
    """The middle price: what candles are made of."""
    bid: Decimal | None = None
    ask: Decimal | None = None
    change_pct: Decimal | None = None
    """Against 24 hours ago."""
    high: Decimal | None = None
    low: Decimal | None = None
    volume: Decimal | None = None
    """In base."""
    turnover: Decimal | None = None
    """In quote, about: the volume at the middle between the day's high and low."""


@dataclass(frozen=True, slots=True)
class BookLine:
    """One level of a book."""

    side: str
    price: Decimal
    quantity: Decimal
    total: Decimal
    """This level and all better ones."""
    depth_pct: Decimal
    """The total as a share of the larger side's, of the levels shown."""


@dataclass(frozen=True, slots=True)
class TradeLine:
    """One print of the tape."""

    id: int
    at: datetime
    side: str
    """The taker's."""
    price: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class CandleLine:
    """One candle in whole coins."""

    at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    complete: bool
    """False for the present one, which is still being made."""


@dataclass(frozen=True, slots=True)
class Second:
    """What one second brought: a line of `market watch`."""

    at: datetime
    instrument: str
    last: Decimal
    bid: Decimal
    ask: Decimal
    bid_quantity: Decimal
    ask_quantity: Decimal
    change_pct: Decimal
    high: Decimal
    low: Decimal
    volume: Decimal
    trades: tuple[TradeLine, ...]


class Market:
    """The simulated market of one seed, as it is shown."""

    def __init__(self, seed: int) -> None:
        self.simulated = SimulatedMarket(seed)
        # A day's extremes stand still within a minute: only the present minute is looked at every second.
        self._before = lru_cache(maxsize=4 * len(INSTRUMENTS))(self._before_this_minute)
        # … and a candle that is complete never changes.
        self._complete = lru_cache(maxsize=KEPT)(self._candle)

    def quotes(self, step: int) -> list[Quote]:
        """Every instrument."""
        return [self.quote(spec, step) for spec in INSTRUMENTS.values()]

    def quote(self, spec: Spec, step: int) -> Quote:
        """One instrument."""
        day, book = self.day(spec, step), self.simulated.path(spec.id).book(step)
        return Quote(
            instrument=spec.symbol,
            id=spec.id,
            venue="paper",
            name=spec.name,
            tick=spec.tick,
            lot=spec.lot,
            minimum=_whole(spec.minimum_notional),
            maximum=_whole(spec.maximum_notional),
            maximum_quantity=quantity(spec, spec.maximum_lots).quantize(Decimal(1)),
            at=time_of(step),
            last=spec.price(day.close),
            bid=book.best_bid,
            ask=book.best_ask,
            change_pct=change_pct(day),
            high=spec.price(day.high),
            low=spec.price(day.low),
            volume=quantity(spec, day.lots),
            turnover=_whole(spec.notional(day.high + day.low, day.lots) // 2).quantize(Decimal(1)),
        )

    def day(self, spec: Spec, step: int) -> Candle:
        """The last 24 hours as one candle; it begins with a full minute."""
        minute = step - step % MINUTE
        return merged([self._before(spec.id, minute), self._candle(spec.id, minute, step)])

    def _before_this_minute(self, instrument_id: str, minute: int) -> Candle:
        return self._candle(instrument_id, minute - DAY_SECONDS, minute - 1)

    def book(self, spec: Spec, step: int, levels: int) -> list[BookLine]:
        """The asks from the farthest to the best, then the bids from the best on: as a ladder stands."""
        book = self.simulated.path(spec.id).book(step)
        asks, bids = book.asks[:levels], book.bids[:levels]
        most = max(1, _lots(asks), _lots(bids))
        return [*_ladder(spec, "ask", asks, most)[::-1], *_ladder(spec, "bid", bids, most)]

    def tape(self, spec: Spec, step: int, count: int) -> list[TradeLine]:
        """The last prints, newest first."""
        prints = latest_trades(self.simulated.path(spec.id), step, count)
        return [
            TradeLine(
                each.id, time_of(each.step), each.side, spec.price(each.ticks), quantity(spec, each.lots)
            )
            for each in prints
        ]

    def candles(self, spec: Spec, interval: Interval, first: int, last: int) -> list[Candle]:
        """The candles of the seconds from `first` to `last`, in ticks and lots. Raises UsageProblem for too many."""
        count = (last - first) // interval.seconds + 1
        if count > MOST_CANDLES:
            raise UsageProblem(
                f"{count:,} candles are more than the {MOST_CANDLES:,} of one request",
                hint="a longer --interval, or a later --since",
            )
        length = interval.seconds
        return [
            (self._complete if end - begin == length - 1 else self._candle)(spec.id, begin, end)
            for begin, end in stretches(interval, first, last)
        ]

    def _candle(self, instrument_id: str, first: int, last: int) -> Candle:
        return candle(self.simulated.path(instrument_id), first, last)

    def latest(self, spec: Spec, interval: Interval, step: int, count: int) -> list[Candle]:
        """The last candles, the present one included."""
        return self.candles(spec, interval, step - (count - 1) * interval.seconds, step)

    def second(self, spec: Spec, step: int) -> Second:
        """What one second brought."""
        day, book = self.day(spec, step), self.simulated.path(spec.id).book(step)
        prints = trades_of(self.simulated.path(spec.id), step)
        return Second(
            at=time_of(step),
            instrument=spec.symbol,
            last=spec.price(day.close),
            bid=book.best_bid,
            ask=book.best_ask,
            bid_quantity=quantity(spec, book.bids[0].lots),
            ask_quantity=quantity(spec, book.asks[0].lots),
            change_pct=change_pct(day),
            high=spec.price(day.high),
            low=spec.price(day.low),
            volume=quantity(spec, sum(each.lots for each in prints)),
            trades=tuple(self.tape(spec, step, len(prints))[::-1]),
        )


def this_second() -> int:
    """The present second."""
    return step_of(datetime.now(UTC))


def candle_lines(spec: Spec, found: Sequence[Candle], interval: Interval) -> Iterator[CandleLine]:
    """Candles in whole coins."""
    for each in found:
        yield CandleLine(
            at=time_of(each.first),
            open=spec.price(each.open),
            high=spec.price(each.high),
            low=spec.price(each.low),
            close=spec.price(each.close),
            volume=quantity(spec, each.lots),
            complete=each.last == each.first + interval.seconds - 1,
        )


def axes(spec: Spec, found: Sequence[Candle], interval: Interval) -> Axes:
    """How a chart of these candles is lettered."""
    spelling = moment_format(interval)
    return Axes(
        price=lambda ticks: f"{spec.price(ticks):,}",
        moment=lambda number: time_of(found[number].first).strftime(spelling),
    )


def change_pct(day: Candle) -> Decimal:
    """By how much the close differs from the open, in per cent."""
    return (Decimal(day.close - day.open) * 100 / day.open).quantize(CENT)


def quantity(spec: Spec, lots: int) -> Decimal:
    """Lots as base coins."""
    return lots * spec.lot


def moment_format(interval: Interval) -> str:
    """How the moments of such candles are written: what is the same for all of them is left out."""
    if interval.seconds < MINUTE:
        return "%H:%M:%S"
    if interval.seconds < 60 * MINUTE:
        return "%H:%M"
    return "%m-%d %H:%M" if interval.seconds < DAY_SECONDS else "%Y-%m-%d"


def _ladder(spec: Spec, side: str, levels: Sequence[Level], most: int) -> list[BookLine]:
    """One side, best first."""
    totals = accumulate(level.lots for level in levels)
    return [
        BookLine(
            side,
            spec.price(level.ticks),
            quantity(spec, level.lots),
            quantity(spec, total),
            (Decimal(total) * 100 / most).quantize(Decimal("0.1")),
        )
        for level, total in zip(levels, totals, strict=True)
    ]


def _lots(levels: Sequence[Level]) -> int:
    return sum(level.lots for level in levels)


def _whole(units: int) -> Decimal:
    """Quote units as whole quote coins, without zeros at the end."""
    amount = Decimal(units).scaleb(-QUOTE_DECIMALS)
    return amount.quantize(Decimal(1)) if amount == amount.to_integral() else amount

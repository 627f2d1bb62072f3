"""A market that nobody has to run: its prices are a pure function of seed, instrument and second.

So a command, the TUI and a job see the same market at the same moment without talking to each other, and an order's
fills can be worked out later, from the path that the price took meanwhile.

The logarithm of the price is a Brownian path by Lévy's construction (P. Lévy 1948; Karatzas & Shreve, Brownian
Motion and Stochastic Calculus, §2.3): between two known points the middle one lies on the chord plus a Gaussian
displacement of standard deviation σ·√length/2, drawn from a hash of the interval. Any second is 26 halvings away
from the ends of a two-year interval. Days and hours have their own volatility, so calm and storm come in clusters.

All of it is integer arithmetic on BLAKE2b: floating point would not give the same ticks on every machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from math import isqrt, log
from struct import Struct

from sniper_cli.market.instruments import Spec, find_spec

STEP = timedelta(seconds=1)
"""The market's heartbeat: price and book stay as they are until the next second."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

TOP = 26
"""The root interval is 2^26 seconds, about two years."""

DAY, HOUR = 17, 12
"""Intervals of 2^17 s (a day and a half) and 2^12 s (68 minutes) each have a volatility of their own."""

MOODS = (8, 10, 12, 14, 16, 18, 21, 26)
"""The factors of that volatility, in sixteenths; the mean of their squares is near 1."""

SCALE = 40
"""Binary digits of the logarithm's fixed point."""

LN2 = 762123384785
"""ln 2 · 2^40, rounded down."""

GAUSS_SPREAD = 37837
"""Standard deviation of the sum of four 16-bit numbers: √(4·(2^32-1)/12)."""
GAUSS_CENTRE = 2 * 0xFFFF
"""… and its mean, which is also its greatest distance from the mean: 3.46 standard deviations."""

FOUR_NUMBERS = Struct(">4H")

YEAR_SECONDS = 31_536_000

NEAR = 6
"""The ends of intervals of 2^6 s and more are remembered: neighbouring seconds are six halvings away, not 26."""
KEPT, BOOKS = 1024, 8
"""How many ends and books an instrument remembers: a batch of orders meets the book of one second."""

LEVELS = 10
"""Prices on each side of the book."""

FARTHEST = 30 << SCALE
"""No price is further than e^30 times from the start."""

SLACK = 4 * TOP
"""What rounding can add to a reach: a unit for each level and factor."""


@dataclass(frozen=True, slots=True)
class Level:
    """A price of the book and what stands there."""

    ticks: int
    lots: int


@dataclass(frozen=True, slots=True)
class Book:
    """Bids and asks at one second, best first, in ticks and lots."""

    spec: Spec
    step: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]

    @property
    def best_bid(self) -> Decimal:
        return self.spec.price(self.bids[0].ticks)

    @property
    def best_ask(self) -> Decimal:
        return self.spec.price(self.asks[0].ticks)


class SimulatedMarket:
    """The market of one seed. Holds nothing but what it can compute again."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._paths: dict[str, PricePath] = {}

    def path(self, instrument_id: str) -> PricePath:
        """The price path of an instrument. Raises NotFound."""
        if instrument_id not in self._paths:
            self._paths[instrument_id] = PricePath(self.seed, find_spec(instrument_id))
        return self._paths[instrument_id]

    def price(self, instrument_id: str, at: datetime) -> Decimal:
        """The middle price at a moment."""
        path = self.path(instrument_id)
        return path.spec.price(path.ticks(step_of(at)))

    def book(self, instrument_id: str, at: datetime) -> Book:
        """Bids and asks at a moment."""
        return self.path(instrument_id).book(step_of(at))


def step_of(at: datetime) -> int:
    """The second that a moment falls in."""
    return (at - EPOCH) // STEP


def time_of(step: int) -> datetime:
    """When a second begins."""
    return EPOCH + step * STEP


class PricePath:
    """One instrument's price at every second, and its book."""

    def __init__(self, seed: int, spec: Spec) -> None:
        self.spec = spec
        self._origin = hashlib.blake2b(f"sniper-market-1|{seed}|{spec.id}|".encode())
        self.phase = int.from_bytes(self.draw(b"phase", 8)) % (1 << TOP)
        """Where in the root interval the second 0 lies: a second's position is the second plus this."""
        self._amplitudes = tuple(_amplitude(spec.volatility_pct, level) for level in range(TOP + 1))
        self._reaches = _reaches(self._amplitudes)
        self._levels = tuple(self._begun(b"z" + level.to_bytes()) for level in range(TOP + 2))
        self.mood = lru_cache(maxsize=512)(self._draw_mood)
        self._ends = lru_cache(maxsize=KEPT)(self._find_ends)
        self._books = lru_cache(maxsize=BOOKS)(self._draw_book)

    def ticks(self, step: int) -> int:
        """The middle price in ticks at a second; at least one tick."""
        return self._in_ticks(self._logarithm(step + self.phase))

    def span(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """(second, middle price in ticks) for every second from `first` to `last`."""
        for position, logarithm in self._walk(first + self.phase, last + self.phase):
            yield position - self.phase, self._in_ticks(logarithm)

    def extremes(self, first: int, last: int) -> tuple[int, int]:
        """The lowest and the highest middle price in ticks of the seconds from `first` to `last`.

        Of a day's 86,400 seconds only some hundred are computed: see `_extremes`.
        """
        low, high = self._extremes(first + self.phase, last + self.phase)
        return self._in_ticks(low), self._in_ticks(high)

    def book(self, step: int) -> Book:
        """The book at a second: some tenths of a basis point around the middle, thicker further out."""
        return self._books(step)

    def _draw_book(self, step: int) -> Book:
        middle = self.ticks(step)
        draw = self.draw(b"book" + step.to_bytes(8, signed=True), 64)
        unit = max(1, middle // 50_000)
        asks, bids = [], []
        ask, bid = middle + unit * (1 + draw[0] % 4), middle - unit * (1 + draw[1] % 4)
        for level in range(LEVELS):
            size = self.spec.depth_lots * (level + 2)
            asks.append(Level(ask, 1 + size * (32 + draw[2 + level]) // 256))
            if bid >= 1:
                bids.append(Level(bid, 1 + size * (32 + draw[2 + LEVELS + level]) // 256))
            ask += unit * (1 + draw[2 + 2 * LEVELS + level] % 3)
            bid -= unit * (1 + draw[2 + 3 * LEVELS + level] % 3)
        return Book(self.spec, step, tuple(bids), tuple(asks))

    def next_below(self, ticks: int, after: int, until: int) -> int | None:
        """The first second in (after, until] whose middle price is under `ticks`; None if there is none."""
        return self.next_beyond(ticks, None, after, until)

    def next_above(self, ticks: int, after: int, until: int) -> int | None:
        """The first second in (after, until] whose middle price is over `ticks`; None if there is none."""
        return self.next_beyond(None, ticks, after, until)

    def next_beyond(self, below: int | None, above: int | None, after: int, until: int) -> int | None:
        """The first second in (after, until] whose middle price is under `below` or over `above`, if there is one.

        Whole intervals are passed over when the price, as far as it can stray from the chord, stays between the two.
        """
        low = -2 * FARTHEST if below is None else self._threshold(below)
        high = 2 * FARTHEST if above is None else self._threshold(above + 1)
        first, last = after + 1 + self.phase, until + self.phase
        for root in range(first >> TOP, (last >> TOP) + 1):
            found = self._descend(root, first, last, low, high)
            if found is not None:
                return found - self.phase
        return None

    def _descend(self, root: int, first: int, last: int, low: int, high: int) -> int | None:
        """Depth first, left to right, through the halvings of one root interval, to a logarithm outside [low, high)."""
        pending = [(TOP, root, self._knot(root), self._knot(root + 1))]
        while pending:
            level, index, left, right = pending.pop()
            start = index << level
            if start > last or start + (1 << level) <= first:
                continue
            if level == 0:
                if left < low or left >= high:
                    return start
                continue
            reach = self._reach(level, index)
            if min(left, right) - reach >= low and max(left, right) + reach < high:
                continue
            middle = self._middle(level, index, left, right)
            pending.append((level - 1, 2 * index + 1, middle, right))
            pending.append((level - 1, 2 * index, left, middle))
        return None

    def _walk(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """(position, logarithm) of each second in turn: two halvings a second, not twelve."""
        for block in range(first >> HOUR, (last >> HOUR) + 1):
            pending = [(HOUR, block, *self._ends(HOUR, block))]
            while pending:
                level, index, left, right = pending.pop()
                start = index << level
                if start > last or start + (1 << level) <= first:
                    continue
                if level == 0:
                    yield start, left
                    continue
                middle = self._middle(level, index, left, right)
                pending.append((level - 1, 2 * index + 1, middle, right))
                pending.append((level - 1, 2 * index, left, middle))

    def _extremes(self, first: int, last: int) -> tuple[int, int]:
        """The lowest and the highest logarithm from one position to another.

        Level by level, all intervals at once: an interval is halved only while the path inside it could still stray
        beyond the extremes found so far. That leaves a dozen a level beside each extreme, however long the range, for
        near its maximum the path is a Bessel process and leaves quickly: an hour takes 300 halvings, a day 700.
        """
        low = high = self._logarithm(first)
        layer, moods = [], {}
        for block in range(first >> HOUR, (last >> HOUR) + 1):
            left, right = self._ends(HOUR, block)
            layer.append((block, left, right))
            moods[block] = self.mood(DAY, block >> (DAY - HOUR)), self.mood(HOUR, block)
            if block << HOUR >= first:
                low, high = min(low, left), max(high, left)
        for level in range(HOUR, 0, -1):
            half, amplitude, reach = 1 << (level - 1), self._amplitudes[level], self._reaches[level][2]
            halves = []
            for index, left, right in layer:
                by_day, by_hour = moods[index >> (HOUR - level)]
                room = reach * by_day * by_hour // 256 + SLACK
                if left > right:
                    inside = left + room <= high and right - room >= low
                else:
                    inside = right + room <= high and left - room >= low
                centre = (index << level) + half
                if inside or centre - half > last or centre + half <= first:
                    continue
                displacement = amplitude * self._gauss(level, index) // GAUSS_SPREAD
                middle = ((left + right) >> 1) + displacement * by_day // 16 * by_hour // 16
                if first <= centre <= last:
                    if middle > high:
                        high = middle
                    elif middle < low:
                        low = middle
                halves.append((2 * index, left, middle))
                halves.append((2 * index + 1, middle, right))
            layer = halves
        return low, high

    def _find_ends(self, level: int, index: int) -> tuple[int, int]:
        """The logarithms at the two ends of an interval."""
        if level == TOP:
            return self._knot(index), self._knot(index + 1)
        left, right = self._ends(level + 1, index >> 1)
        middle = self._middle(level + 1, index >> 1, left, right)
        return (middle, right) if index & 1 else (left, middle)

    def _logarithm(self, position: int) -> int:
        """ln(price / start) at a position, by halving the interval around it until it is reached."""
        left, right = self._ends(NEAR, position >> NEAR)
        for level in range(NEAR, 0, -1):
            index = position >> level
            within = position - (index << level)
            if within == 0:
                return left
            middle = self._middle(level, index, left, right)
            if within < 1 << (level - 1):
                right = middle
            else:
                left = middle
        return left

    def _knot(self, root: int) -> int:
        """The logarithm at the border of two root intervals, some tenths around the start."""
        return self._amplitudes[TOP] * self._gauss(TOP + 1, root) // (2 * GAUSS_SPREAD)

    def _middle(self, level: int, index: int, left: int, right: int) -> int:
        displacement = self._amplitudes[level] * self._gauss(level, index) // GAUSS_SPREAD
        if level <= DAY:
            displacement = displacement * self.mood(DAY, index >> (DAY - level)) // 16
        if level <= HOUR:
            displacement = displacement * self.mood(HOUR, index >> (HOUR - level)) // 16
        return ((left + right) >> 1) + displacement

    def _reach(self, level: int, index: int) -> int:
        """How far the path inside an interval can stray from its ends."""
        by_day = MOODS[-1] if level > DAY else self.mood(DAY, index >> (DAY - level))
        by_hour = MOODS[-1] if level > HOUR else self.mood(HOUR, index >> (HOUR - level))
        wide, daily, hourly = self._reaches[level]
        return wide + daily * by_day // 16 + hourly * by_day * by_hour // 256 + SLACK

    def _gauss(self, level: int, index: int) -> int:
        """A Gaussian number in units of 1/GAUSS_SPREAD: the sum of four uniform ones (Irwin-Hall), never over 3.5 σ."""
        digest = self._levels[level].copy()
        digest.update(index.to_bytes(8, signed=True))
        one, two, three, four = FOUR_NUMBERS.unpack_from(digest.digest())
        return int(one + two + three + four - GAUSS_CENTRE)

    def _draw_mood(self, level: int, index: int) -> int:
        return MOODS[self.draw(b"m" + level.to_bytes() + index.to_bytes(8, signed=True), 1)[0] % len(MOODS)]

    def draw(self, place: bytes, size: int) -> bytes:
        """Bytes that belong to a place of this path and to no other."""
        return self._begun(place).digest()[:size]

    def _begun(self, place: bytes) -> hashlib.blake2b:
        """The hash of a place's beginning, to be copied and continued."""
        digest = self._origin.copy()
        digest.update(place)
        return digest

    def _in_ticks(self, logarithm: int) -> int:
        return max(1, self.spec.start_ticks * exponential(logarithm) >> SCALE)

    def _threshold(self, ticks: int) -> int:
        """The least logarithm whose price is `ticks` or more: the price grows with it, so halving finds it.

        The floating point number only says where to begin: the answer is the same on every machine.
        """
        if ticks <= 1:
            return -FARTHEST
        guess = int(log(ticks / self.spec.start_ticks) * (1 << SCALE))
        low, high = max(guess - 256, -FARTHEST), min(guess + 256, FARTHEST)
        if self._in_ticks(low) >= ticks or self._in_ticks(high) < ticks:
            low, high = -FARTHEST, FARTHEST
        while low < high:
            middle = (low + high) >> 1
            if self._in_ticks(middle) >= ticks:
                high = middle
            else:
                low = middle + 1
        return low


def exponential(x: int) -> int:
    """e^x in fixed point, never falling where x grows.

    e^x = 2^n · e^r with r in [0, ln 2), and e^r by its series, kept in 24 more digits than are returned.
    """
    turns, rest = divmod(x, LN2)
    guard = SCALE + 24
    rest <<= 24
    total = term = 1 << guard
    for order in range(1, 24):
        term = (term * rest >> guard) // order
        total += term
    shift = 24 - turns
    return total >> shift if shift >= 0 else total << -shift


def _amplitude(volatility_pct: int, level: int) -> int:
    """σ·√(2^level)/2 in fixed point: the standard deviation of the middle of an interval of 2^level seconds."""
    return isqrt((volatility_pct**2 << (2 * SCALE + level)) // (10_000 * YEAR_SECONDS)) // 2


def _reaches(amplitudes: tuple[int, ...]) -> tuple[tuple[int, int, int], ...]:
    """For each level, how far the displacements up to it can lift the path above the higher end of its interval.

    Apart for those of no mood, of the day's, of day's and hour's: each has its own factors.
    """
    largest = [amplitude * GAUSS_CENTRE // GAUSS_SPREAD + 1 for amplitude in amplitudes]
    hourly, daily, wide = largest[1 : HOUR + 1], largest[HOUR + 1 : DAY + 1], largest[DAY + 1 :]
    return tuple(
        (
            _lift(wide[: max(0, level - DAY)]),
            _lift(daily[: max(0, level - HOUR)]),
            _lift(hourly[:level]),
        )
        for level in range(TOP + 1)
    )


def _lift(displacements: Sequence[int]) -> int:
    """The highest point of a path between two ends at zero whose every middle is displaced upwards by so much.

    `displacements` are the levels' from the finest up. A middle lies on its chord, not on its higher end, so they do
    not add up: the highest point is at a third of the way, where every half taken is the other one than before (the
    maximum of a Takagi-Landsberg function; A. Schied, J. Math. Anal. Appl. 433, 2016): two thirds of the plain sum.
    """
    before = height = 0
    for displacement in reversed(displacements):
        before, height = height, ((before + height + 1) >> 1) + displacement
    return height

"""The gate before the wire: every limit that binds an order, with its figures, in a few millionths of a second.

Limits are compiled once into whole numbers: for an instrument and a strategy a plan, with a line for each scope that
counts something (the account; the strategy; the instrument), in which a limit that nobody set is None. An order that
passes costs comparisons and a tuple for each limit; words are made when somebody reads them, or when it fails.

What reduces a position passes every bound on size, and whatever waits for better days (losses, a cooldown, a pace); a
price far worse than the market's it may not take either. Where the market has carried something over its limit, an
order passes that does not carry it further.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from sniper_cli.books.book import REORGANISED, Book
from sniper_cli.books.changes import InstrumentFigures, StrategyFigures
from sniper_cli.books.events import WIDE
from sniper_cli.books.holdings import BookedOrder, BookedPosition
from sniper_cli.risk.at_stake import NOTHING, Exposure, Group
from sniper_cli.risk.equity import Equity
from sniper_cli.risk.limits import Limit
from sniper_cli.risk.marks import Marks, Rate, worth
from sniper_cli.risk.pace import DayResult, Pace, Streak, Working
from sniper_cli.risk.refusals import Over, refusal
from sniper_cli.trading.checks import Figure, Proposal
from sniper_cli.trading.intents import CheckResult, OrderIntent
from sniper_cli.trading.listings import Listing
from state.orders import Side
from state.writing import Writer, day_of

if TYPE_CHECKING:
    from sniper_cli.risk.at_stake import Claims

SECOND = 1_000_000
BPS = 10_000
_BUY = Side.BUY


@dataclass(slots=True)
class Line:
    """What one scope allows an order in one instrument; None is without a bound. Money in quote units."""

    label: str
    """Whose limits these are, where it is not the account's: `strategy grid`."""
    limits: dict[str, Limit]
    """Where each comes from, by name (and group)."""
    exposure: Exposure | None = None
    entering: Callable[[], int] | None = None
    working: Callable[[], int] | None = None
    sizes: bool = False
    position_quantity: int | None = None
    position_notional: int | None = None
    concentration: int | None = None
    gross: int | None = None
    net: int | None = None
    leverage: tuple[int, int] | None = None
    groups: tuple[tuple[Group, int, str], ...] = ()
    total_spend: int | None = None
    open_positions: int | None = None
    open_orders: int | None = None
    pace: Pace | None = None
    day: tuple[DayResult, int] | None = None
    drawdown: int | None = None
    streak: tuple[Streak, int, int] | None = None
    """Losses in a row, how many are too many, and for how long that rests (µs)."""


@dataclass(slots=True)
class Plan:
    """Everything that binds orders of one strategy in one instrument."""

    limits: dict[str, Limit]
    collar: int | None = None
    order_quantity: int | None = None
    order_notional: int | None = None
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that was broken and says that the kill switch shall trip."""

    limit: Limit
    sentence: str


Planner = Callable[[str, str | None, Listing | None], Plan]


@dataclass(slots=True)
class Gate:
    """The limits of one account, compiled, and what they count beside its book. Implements `checks.Limiter`."""

    book: Book
    planner: Planner
    asset: str
    """What money is counted in: the asset that the account reports in."""
    wide: bool
    """Amounts pass 2^53 (wei): they are written as text."""
    limits: list[Limit] = field(default_factory=list)
    """All that bind this account somewhere."""
    equity: Equity | None = None
    exposures: list[Exposure] = field(default_factory=list)
    followers: list[Callable[[BookedOrder, int], None]] = field(default_factory=list)
    """Who counts orders as they change."""
    paces: list[tuple[Working, Pace]] = field(default_factory=list)
    days: list[tuple[str, str, DayResult]] = field(default_factory=list)
    """(`strategy` or `instrument` or nothing, its name, the result)."""
    streaks: list[tuple[str | None, Streak]] = field(default_factory=list)
    breaches: list[Breach] = field(default_factory=list)
    """Since the page began, of limits that trip the switch."""
    now: int = 0
    _second: int = -1
    _plans: dict[tuple[str, str | None], Plan] = field(default_factory=dict)

    def begin(self, writer: Writer, now: int, marks: Marks) -> None:
        """A page begins: its moment and its prices. Prices are those of the second."""
        self.now = now
        self.breaches.clear()
        second = now // SECOND
        if second != self._second:
            self._second = second
            for exposure in self.exposures:
                exposure.reprice(marks)
            today = day_of(now)
            for _, _, result in self.days:
                result.turn(today)
        if self.equity is not None:
            self.equity.look(now)
        del writer

    # -- examining ----------------------------------------------------------------------------------------------

    def examine(self, book: Book, proposal: Proposal) -> tuple[list[Figure], list[CheckResult]]:
        """What passed, and what did not."""
        intent = proposal.intent
        plan = self._plans.get((intent.instrument_id, intent.strategy))
        if plan is None:
            plan = self.planner(intent.instrument_id, intent.strategy, proposal.listing)
            self._plans[intent.instrument_id, intent.strategy] = plan
        passed: list[Figure] = []
        over: list[Over] = []
        limit = plan.collar
        if limit is not None and proposal.middle:
            bps = _beyond(proposal)
            if bps > limit:
                over.append(Over("collar", bps, limit, "", plan.limits, waived=False))
            else:
                passed.append(("collar", max(0, bps), limit))
        limit = plan.order_quantity
        if limit is not None:
            _hold(passed, over, "order_quantity", proposal.quantity, limit, plan.limits)
        limit = plan.order_notional
        if limit is not None:
            _hold(passed, over, "order_notional", proposal.notional, limit, plan.limits)
        for line in plan.lines:
            if line.sizes:
                self._sizes(line, book, proposal, passed, over)
            self._times(line, passed, over)
        if self.wide:
            passed = [_widened(figure) for figure in passed]
        if not over:
            return passed, []
        return self._decide(book, proposal, passed, over)

    def _sizes(
        self, line: Line, book: Book, proposal: Proposal, passed: list[Figure], over: list[Over]
    ) -> None:
        exposure, intent, limits = line.exposure, proposal.intent, line.limits
        assert exposure is not None
        if exposure.stirred:
            exposure.renew()
        name, label = intent.instrument_id, line.label
        cell = exposure.cells.get(name, NOTHING)
        buying = intent.side is _BUY
        rate: Rate | None = None
        if intent.quantity is None:
            added = intent.budget or 0
        else:
            rate = exposure.rate(name, proposal.notional, intent.quantity)
            added = worth(intent.quantity, rate) if rate is not None else proposal.notional
        up, down = cell.up, cell.down
        if buying:
            up += added
        else:
            down -= added
            if down < 0 and not exposure.short:
                down = 0
        after = up if up > 0 else -up
        if down > after:
            after = down
        elif -down > after:
            after = -down
        grown = after - cell.gross

        bound = line.position_quantity
        if bound is not None:
            was, will = _quantities(exposure.claims(name), proposal.quantity, buying, exposure.short)
            _grow(passed, over, "position_quantity", was, will, bound, label, limits)
        bound = line.position_notional
        if bound is not None:
            if after <= bound:
                passed.append(
                    ("position_notional", after, bound, label)
                    if label
                    else ("position_notional", after, bound)
                )
            else:
                _grow(passed, over, "position_notional", cell.gross, after, bound, label, limits)
        bound = line.gross
        if bound is not None:
            gross = exposure.gross + grown
            if gross <= bound:
                passed.append(
                    ("gross_exposure", gross, bound, label) if label else ("gross_exposure", gross, bound)
                )
            else:
                _grow(passed, over, "gross_exposure", exposure.gross, gross, bound, label, limits)
        bound = line.net
        if bound is not None:
            net = max(abs(exposure.up + up - cell.up), abs(exposure.down + down - cell.down))
            _grow(passed, over, "net_exposure", exposure.net(), net, bound, label, limits)
        for group, most, part in line.groups:
            if name in group.members:
                net = max(abs(group.up + up - cell.up), abs(group.down + down - cell.down))
                was = max(abs(group.up), abs(group.down))
                _grow(passed, over, "correlated_exposure", was, net, most, part, limits)
        if line.concentration is not None or line.leverage is not None:
            assert self.equity is not None
            equity = self.equity.now()
            if line.concentration is not None:
                most = equity * line.concentration // BPS
                _grow(passed, over, "concentration", cell.gross, after, most, label, limits)
            if line.leverage is not None:
                most = equity * line.leverage[0] // line.leverage[1]
                _grow(passed, over, "leverage", exposure.gross, exposure.gross + grown, most, label, limits)
        bound = line.open_positions
        if bound is not None:
            live = exposure.live
            new = not cell.live and (buying or exposure.short)
            _grow(passed, over, "open_positions", live, live + new, bound, label, limits)
        bound = line.total_spend
        if bound is not None and buying:
            assert line.entering is not None
            spent = exposure.basis + line.entering()
            cost = intent.budget if intent.budget is not None else proposal.notional
            _grow(passed, over, "total_spend", spent, spent + cost, bound, label, limits)

    def _times(self, line: Line, passed: list[Figure], over: list[Over]) -> None:
        label, limits = line.label, line.limits
        if line.open_orders is not None:
            assert line.working is not None
            _hold(passed, over, "open_orders", line.working() + 1, line.open_orders, limits, label)
        if line.pace is not None:
            drops = line.pace.drops(self.now) + 1
            _hold(passed, over, "orders_per_second", drops, line.pace.rate, limits, label)
        if line.day is not None:
            result, most = line.day
            _hold(passed, over, "daily_loss", max(0, result.loss), most, limits, label)
        if line.drawdown is not None:
            assert self.equity is not None
            peak, equity = self.equity.peak(), self.equity.now()
            _hold(
                passed, over, "drawdown", max(0, peak - equity), max(0, peak) * line.drawdown // BPS, limits
            )
        if line.streak is not None:
            streak, most, rest = line.streak
            if streak.losses >= most and self.now < streak.at + rest:
                over.append(Over("losing_streak", streak.losses, most, label, limits, until=streak.at + rest))
            else:
                passed.append(
                    ("losing_streak", streak.losses, most, label)
                    if label
                    else ("losing_streak", streak.losses, most)
                )

    def _decide(
        self, book: Book, proposal: Proposal, passed: list[Figure], over: list[Over]
    ) -> tuple[list[Figure], list[CheckResult]]:
        """What is over a limit fails, but for a reduction."""
        failed: list[CheckResult] = []
        closing = closes(proposal.intent, book)
        for one in over:
            if closing and one.waived:
                passed.append(_widened(one.figure))
                continue
            found = refusal(one, proposal, None if self.equity is None else self.equity.asset)
            failed.append(found)
            limit = one.limit
            if limit is not None and limit.trips:
                self.breaches.append(Breach(limit, f"{found.name}: {found.detail}"))
        return passed, failed

    # -- following the book -------------------------------------------------------------------------------------

    def held(self, order: BookedOrder, sign: int) -> None:
        """An order is about to change (−1), or has changed (+1)."""
        name = order.instrument_id
        for exposure in self.exposures:
            exposure.stirred.add(name)
        for follow in self.followers:
            follow(order, sign)

    def recorded(self, order: BookedOrder) -> None:
        """An order was taken."""
        for which, pace in self.paces:
            if which.concerns(order):
                pace.note(order.at)

    def moved(self, instrument: str) -> None:
        """A position is about to change."""
        for exposure in self.exposures:
            exposure.stirred.add(instrument)

    def closed(self, position: BookedPosition, rule: str, at: int) -> None:
        """A position has ended; what a reorganisation took back says nothing about luck."""
        if rule == REORGANISED:
            return
        for strategy, streak in self.streaks:
            if strategy is None or position.strategy == strategy:
                streak.take(position, at)

    def counted(
        self,
        strategy: tuple[date, str, str],
        traded: StrategyFigures,
        instrument: tuple[date, str],
        figures: InstrumentFigures,
    ) -> None:
        """A trade was added to the day's sums."""
        day, who, quote = strategy
        for kind, name, result in self.days:
            if kind == "instrument":
                if name == instrument[1]:
                    result.take(day, name, figures)
            elif quote == self.asset and (kind == "" or name == who):
                result.take(day, who, traded)

    def flowed(self, asset: str, movement: str, amount: int) -> None:
        """Money came or went without a trade."""
        if self.equity is not None:
            self.equity.flowed(asset, movement, amount)


def closes(intent: OrderIntent, book: Book) -> bool:
    """The order takes off what is held and cannot open the other side, whatever else of its kind is at work."""
    position = book.positions.get(intent.instrument_id)
    held = position.quantity if position is not None else 0
    selling = intent.side is Side.SELL
    if not book.margin:
        return selling
    if held == 0 or (held > 0) is not selling:
        return False
    if intent.terms is not None and intent.terms.reduce_only:
        return True
    working = (book.selling if selling else book.buying).get(intent.instrument_id, 0)
    return intent.quantity is not None and intent.quantity + working <= abs(held)


def _beyond(proposal: Proposal) -> int:
    """By how many basis points the worst price is worse than the market's, rounded up; a trigger's own price counts."""
    intent, reference = proposal.intent, proposal.middle
    if intent.terms is not None and intent.terms.trigger_price is not None:
        reference = int(intent.terms.trigger_price / proposal.tick)
    far = proposal.worst - reference if intent.side is _BUY else reference - proposal.worst
    return -(-far * BPS // reference)


def _quantities(claims: Claims, quantity: int, buying: bool, short: bool) -> tuple[int, int]:
    """A position with its working orders, on its worse side, before and after."""
    up, down = claims.held + claims.buying, claims.held - claims.selling
    if not short:
        down = max(0, down)
    before = max(abs(up), abs(down))
    if buying:
        up += quantity
    else:
        down -= quantity
        if not short:
            down = max(0, down)
    return before, max(abs(up), abs(down))


def _hold(
    passed: list[Figure],
    over: list[Over],
    name: str,
    value: int,
    most: int,
    limits: dict[str, Limit],
    label: str = "",
) -> None:
    if value <= most:
        passed.append((name, value, most, label) if label else (name, value, most))
    else:
        over.append(Over(name, value, most, label, limits))


def _grow(
    passed: list[Figure],
    over: list[Over],
    name: str,
    before: int,
    after: int,
    most: int,
    label: str,
    limits: dict[str, Limit],
) -> None:
    """What is over its limit already may stay there, not grow."""
    if after <= most or after <= before:
        passed.append((name, after, most, label) if label else (name, after, most))
    else:
        over.append(Over(name, after, most, label, limits))


def _widened(figure: Figure) -> Figure:
    """Numbers that a JSON reader would make doubles of, as text."""
    return tuple(
        str(value) if isinstance(value, int) and not -WIDE < value < WIDE else value for value in figure
    )


__all__ = ["Breach", "Gate", "Line", "Plan", "closes"]

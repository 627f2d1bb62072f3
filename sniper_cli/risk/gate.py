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

from sniper_cli.books.book import Book
from sniper_cli.books.events import WIDE
from sniper_cli.books.holdings import BookedOrder, BookedPosition
from sniper_cli.books.undoing import REORGANISED
from sniper_cli.risk.at_stake import NOTHING, Exposure
from sniper_cli.risk.equity import Equity
from sniper_cli.risk.limits import Limit
from sniper_cli.risk.lines import NONE, Bound, Line, Plan
from sniper_cli.risk.marks import Marks
from sniper_cli.risk.pace import DayResult, Pace, Streak, Working
from sniper_cli.risk.refusals import Over, refusal
from sniper_cli.trading.checks import Figure, Proposal
from sniper_cli.trading.intents import CheckResult, OrderIntent
from sniper_cli.trading.listings import Listing
from state.accounts import Asset
from state.limits import LimitScope
from state.orders import Side
from state.writing import day_of

SECOND = 1_000_000
BPS = 10_000
_BUY = Side.BUY


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
    asset: Asset
    """What money is counted in: the one that the account reports in."""
    wide: bool
    """Amounts pass 2^53 (wei): they are written as text."""
    limits: list[Limit] = field(default_factory=list)
    """All that bind this account somewhere."""
    trips: bool = False
    """One of them trips the kill switch."""
    lines: dict[tuple[LimitScope, str], Line] = field(default_factory=dict)
    """What each scope counts, whatever the instrument."""
    bases: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Symbol and decimals of instruments' base assets, where a quantity is bounded."""
    equity: Equity | None = None
    whole: Exposure = NONE
    """Of the account."""
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
    _plans: dict[str | None, dict[str, Plan]] = field(default_factory=dict)
    """By strategy and instrument."""

    def begin(self, now: int, marks: Marks) -> None:
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
        for _, pace in self.paces:
            pace.begin(now)
        if self.equity is not None:
            self.equity.look()

    def plan(self, instrument: str, strategy: str | None, listing: Listing | None) -> Plan:
        """What binds an order of a strategy in an instrument."""
        plans = self._plans.setdefault(strategy, {})
        plan = plans.get(instrument)
        if plan is None:
            plan = plans[instrument] = self.planner(instrument, strategy, listing)
        return plan

    # -- examining ----------------------------------------------------------------------------------------------

    def examine(  # noqa: PLR0912 - unrolled: a call for each would cost as much again
        self, book: Book, proposal: Proposal
    ) -> tuple[list[Figure], list[CheckResult]]:
        """What passed, and what did not."""
        intent = proposal.intent
        plans = self._plans.get(intent.strategy)
        plan = None if plans is None else plans.get(intent.instrument_id)
        if plan is None:
            plan = self.plan(intent.instrument_id, intent.strategy, proposal.listing)
        passed: list[Figure] = []
        over: list[Over] = []
        most, reference = plan.collar, proposal.middle
        if most is not None and reference:
            if intent.terms is not None:
                reference = _reference(proposal)
            far = proposal.worst - reference if intent.side is _BUY else reference - proposal.worst
            bps = -(-far * BPS // reference)
            if bps > most:
                over.append(Over("collar", bps, most, plan.limits, waived=False))
            else:
                passed.append(("collar", bps if bps > 0 else 0, most))  # noqa: FURB136 - a call costs more
        most = plan.order_quantity
        if most is not None:
            _hold(passed, over, ("order_quantity", most), proposal.quantity, plan.limits)
        most = plan.order_notional
        if most is not None:
            value = proposal.notional
            if value <= most:
                passed.append(("order_notional", value, most))
            else:
                over.append(Over("order_notional", value, most, plan.limits))
        for line in plan.lines:
            if line.sizes:
                self._sizes(line, proposal, passed, over)
            if line.times:
                self._times(line, passed, over)
        if self.wide:
            passed = [_widened(figure) for figure in passed]
        if not over:
            return passed, []
        return self._decide(book, proposal, passed, over)

    def _sizes(  # noqa: PLR0912 - unrolled
        self, line: Line, proposal: Proposal, passed: list[Figure], over: list[Over]
    ) -> None:
        """What would be at stake with this order."""
        exposure, intent = line.exposure, proposal.intent
        name, quantity = intent.instrument_id, intent.quantity
        if exposure.stirred:
            exposure.renew()
        cell = exposure.cells.get(name, NOTHING)
        rate = exposure.rates.get(name)
        if quantity is not None and rate is not None:
            added = -(-quantity * rate[0] // rate[1])
        else:
            added = exposure.added(name, intent, proposal.notional)
        if intent.side is _BUY:
            raised, lowered = added, 0
            pushed = cell.up + added
        else:
            raised, lowered = 0, added
            pushed = added - cell.down
            if pushed > 0 and not exposure.short:
                pushed, lowered = 0, cell.down
        # Of its instrument an order is held against the side that it pushes to; of all of them against the worse side.
        after = pushed if pushed > cell.gross else cell.gross  # noqa: FURB136 - a call costs more
        bound = line.position_notional
        if bound is not None:
            if pushed <= bound[1]:
                passed.append((bound[0], pushed if pushed > 0 else 0, bound[1]))  # noqa: FURB136
            else:
                over.append(Over(bound[0], pushed, bound[1], line.limits))
        bound = line.gross
        if bound is not None:
            gross = exposure.gross + after - cell.gross
            if gross <= bound[1]:
                passed.append((bound[0], gross, bound[1]))
            else:
                _grow(passed, over, bound, exposure.gross, gross, line.limits)
        if line.leverage is not None or line.concentration is not None:
            self._shares(line, after - cell.gross, pushed, passed, over)
        bound = line.open_positions
        if bound is not None:
            live = exposure.live
            new = not cell.live and (raised > 0 or exposure.short)
            _grow(passed, over, bound, live, live + new, line.limits)
        bound = line.total_spend
        if bound is not None and intent.side is _BUY:
            spent = exposure.basis + line.entering()
            cost = intent.budget if intent.budget is not None else proposal.needed
            _grow(passed, over, bound, spent, spent + cost, line.limits)
        if line.net is not None or line.groups:
            _nets(line, exposure, name, raised, lowered, passed, over)
        bound = line.position_quantity
        if bound is not None:
            _hold(passed, over, bound, _quantity(exposure, proposal), line.limits)

    def _shares(self, line: Line, grown: int, pushed: int, passed: list[Figure], over: list[Over]) -> None:
        """What is at stake as a share of the equity."""
        assert self.equity is not None
        equity = self.equity.now()
        if line.concentration is not None:
            name, bps = line.concentration
            _hold(passed, over, (name, equity * bps // BPS), max(0, pushed), line.limits)
        if line.leverage is not None:
            name, times, under = line.leverage
            gross = line.exposure.gross
            _grow(passed, over, (name, equity * times // under), gross, gross + grown, line.limits)

    def _times(  # noqa: PLR0912 - unrolled
        self, line: Line, passed: list[Figure], over: list[Over]
    ) -> None:
        """How many orders there are, how fast they come, and how the day has gone."""
        bound = line.open_orders
        if bound is not None:
            value = line.working() + 1
            if value <= bound[1]:
                passed.append((bound[0], value, bound[1]))
            else:
                over.append(Over(bound[0], value, bound[1], line.limits))
        if line.pace is not None:
            pace, bound = line.pace
            value = pace.used + 1
            if value <= bound[1]:
                passed.append((bound[0], value, bound[1]))
            else:
                over.append(Over(bound[0], value, bound[1], line.limits))
        if line.day is not None:
            result, bound = line.day
            value = result.loss
            if value <= bound[1]:
                passed.append((bound[0], value if value > 0 else 0, bound[1]))  # noqa: FURB136 - a call costs more
            else:
                over.append(Over(bound[0], value, bound[1], line.limits))
        if line.drawdown is not None:
            assert self.equity is not None
            peak, equity = self.equity.peak(), self.equity.now()
            name, bps = line.drawdown
            _hold(passed, over, (name, max(0, peak) * bps // BPS), max(0, peak - equity), line.limits)
        if line.streak is not None:
            streak, bound, rest = line.streak
            if streak.losses >= bound[1] and self.now < streak.at + rest:
                over.append(Over(bound[0], streak.losses, bound[1], line.limits, until=streak.at + rest))
            else:
                passed.append((bound[0], streak.losses, bound[1]))

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
            found = refusal(one, proposal, self.asset)
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

    def counted(self, day: date, strategy: str, quote: str, instrument: str, lost: int) -> None:
        """A trade was added to the day's sums, or taken off them."""
        if quote != self.asset.id:
            return
        for kind, name, result in self.days:
            if kind == "" or name == (instrument if kind == "instrument" else strategy):
                result.add(day, lost)

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


def _reference(proposal: Proposal) -> int:
    """The price that an order's own is held against: the market's, or that of its trigger."""
    terms = proposal.intent.terms
    if terms is not None and terms.trigger_price is not None:
        return int(terms.trigger_price / proposal.tick)
    return proposal.middle


def _nets(
    line: Line,
    exposure: Exposure,
    instrument: str,
    raised: int,
    lowered: int,
    passed: list[Figure],
    over: list[Over],
) -> None:
    """What would stand open to one side, of everything and of each group."""
    if line.net is not None:
        after = max(abs(exposure.up + raised), abs(exposure.down - lowered))
        _grow(passed, over, line.net, exposure.net, after, line.limits)
    for group, bound in line.groups:
        if instrument in group.members:
            after = max(abs(group.up + raised), abs(group.down - lowered))
            _grow(passed, over, bound, group.net, after, line.limits)


def _quantity(exposure: Exposure, proposal: Proposal) -> int:
    """A position on the side that an order pushes it to, with all that is at work on that side."""
    held, _, buying, selling, _ = exposure.claims(proposal.intent.instrument_id)
    if proposal.intent.side is _BUY:
        return max(0, held + buying + proposal.quantity)
    return max(0, selling + proposal.quantity - held) if exposure.short else 0


def _hold(passed: list[Figure], over: list[Over], bound: Bound, value: int, limits: dict[str, Limit]) -> None:
    name, most = bound
    if value <= most:
        passed.append((name, value, most))
    else:
        over.append(Over(name, value, most, limits))


def _grow(
    passed: list[Figure], over: list[Over], bound: Bound, before: int, after: int, limits: dict[str, Limit]
) -> None:
    """What is over its limit already may stay there, not grow."""
    name, most = bound
    if after <= most or after <= before:
        passed.append((name, after, most))
    else:
        over.append(Over(name, after, most, limits))


def _widened(figure: Figure) -> Figure:
    """Numbers that a JSON reader would make doubles of, as text."""
    return tuple(
        str(value) if isinstance(value, int) and not -WIDE < value < WIDE else value for value in figure
    )


__all__ = ["Breach", "Gate", "Line", "Plan", "closes"]

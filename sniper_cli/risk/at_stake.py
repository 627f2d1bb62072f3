"""What a scope has at stake, kept with every change of the book: whole numbers, one instrument renewed at a time.

A limit on exposure counts what could come true: of each instrument what is held and whatever its working orders may
still bring or take, at the market's price now, on the side that is worse. Adding that up over a thousand positions for
every order would cost a millisecond; so the sums are kept, and only instruments that something happened in are renewed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sniper_cli.books.book import Book
from sniper_cli.books.holdings import BookedOrder
from sniper_cli.risk.marks import Marks, Rate
from sniper_cli.trading.intents import OrderIntent
from state.orders import AT_VENUE, Side

_BUY = Side.BUY

Claims = tuple[int, int, int, int, int]
"""What stands open in one instrument: held, its cost, being bought, being sold, being spent. Base units, but for the
cost and for what purchases spend that say no quantity: those are quote units."""


@dataclass(slots=True)
class Cell:
    """One instrument in quote units."""

    value: int = 0
    """Of what is held; a short position's is negative."""
    up: int = 0
    """If all purchases were filled."""
    down: int = 0
    """If all sales were filled."""
    gross: int = 0
    """The greater of the two, whichever the side."""
    basis: int = 0
    live: bool = False
    """Something is held, or being bought or sold short."""


NOTHING = Cell()


@dataclass(slots=True)
class Group:
    """Instruments that move together."""

    members: frozenset[str]
    up: int = 0
    down: int = 0

    @property
    def net(self) -> int:
        return max(abs(self.up), abs(self.down))


class Exposure:
    """The sums of one scope: an account, or a strategy in it."""

    def __init__(self, claims: Callable[[str], Claims], *, short: bool) -> None:
        """`short`: the account may hold less than nothing."""
        self.claims = claims
        self.short = short
        self.groups: Sequence[Group] = ()
        self.cells: dict[str, Cell] = {}
        self.stirred: set[str] = set()
        """Instruments that something happened in since the last look."""
        self.gross = 0
        self.up = 0
        self.down = 0
        self.value = 0
        """Of everything held."""
        self.basis = 0
        self.live = 0
        """Instruments with something in them."""
        self.rates: dict[str, Rate] = {}
        """Of the present second, as far as they were asked for."""
        self.marks: Marks = _nobody
        self._last: dict[str, Rate] = {}
        """The price that an instrument was last asked for at, where nobody marks it."""

    def reprice(self, marks: Marks) -> None:
        """Prices have moved: everything is renewed at the next look."""
        self.marks = marks
        self.rates.clear()
        self.stirred.update(self.cells)

    def renew(self) -> None:
        """Bring the sums to what the book says."""
        stirred = self.stirred
        while stirred:
            self._renew(stirred.pop())

    def rate(self, instrument: str) -> Rate | None:
        """The price of an instrument in this second, or the last one that somebody asked for it at."""
        rate = self.rates.get(instrument) or self.marks(instrument) or self._last.get(instrument)
        if rate is not None:
            self.rates[instrument] = rate
        return rate

    def added(self, instrument: str, intent: OrderIntent, notional: int) -> int:
        """What an order would add to one side. Where nobody knows a price its own counts, and is remembered."""
        if intent.quantity is None:
            return intent.budget or 0
        rate = self.rate(instrument)
        if rate is None:
            self._last[instrument] = (notional, intent.quantity)
            return notional
        return -(-intent.quantity * rate[0] // rate[1])

    @property
    def net(self) -> int:
        """What stands open to one side, if all orders of that side were filled."""
        return max(abs(self.up), abs(self.down))

    def _renew(self, instrument: str) -> None:
        held, basis, buying, selling, spending = self.claims(instrument)
        cell = self.cells.get(instrument)
        live = True if held or buying or spending or (selling and self.short) else False  # noqa: SIM210 - no call
        if cell is None:
            if not live:
                return
            cell = self.cells[instrument] = Cell()
        value = up = down = 0
        if live:
            over, under = self.rates.get(instrument) or self.rate(instrument) or (basis, abs(held) or 1)
            value = up = down = -(-held * over // under) if held >= 0 else held * over // under
            if buying:
                most = held + buying
                up = -(-most * over // under) if most >= 0 else most * over // under
            if selling:
                least = held - selling
                short = least * over // under if self.short else 0
                down = -(-least * over // under) if least >= 0 else short
            up += spending
            if held < 0:
                basis = 0  # what a short sale brought in was not spent
        gross = up if up > -down else -down  # noqa: FURB136 - a call costs more; the upper side is never below the lower
        self.gross += gross - cell.gross
        self.value += value - cell.value
        self.basis += basis - cell.basis
        self.up += up - cell.up
        self.down += down - cell.down
        self.live += live - cell.live
        for group in self.groups:
            if instrument in group.members:
                group.up += up - cell.up
                group.down += down - cell.down
        if not live:
            del self.cells[instrument]
            return
        cell.value, cell.up, cell.down, cell.gross, cell.basis, cell.live = (
            value,
            up,
            down,
            gross,
            basis,
            True,
        )


class AccountClaims:
    """Of an account: what its book has counted already, and what purchases by budget may still spend."""

    def __init__(self, book: Book, *, counts: bool) -> None:
        """`counts`: what purchases may still cost is asked for, not only what they may bring."""
        self.book = book
        self.counts = counts
        self.spending: dict[str, int] = {}
        self.entering = 0
        """Quote units that working purchases may still put into positions."""
        for order in book.orders.values():
            self.held(order, 1)

    def of(self, instrument: str) -> Claims:
        """What stands open in an instrument."""
        book = self.book
        position = book.positions.get(instrument)
        buying, selling = book.buying.get(instrument, 0), book.selling.get(instrument, 0)
        spending = self.spending.get(instrument, 0) if self.spending else 0
        if position is None:
            return 0, 0, buying, selling, spending
        return position.quantity, position.basis, buying, selling, spending

    def held(self, order: BookedOrder, sign: int) -> None:
        """An order is about to change (−1), or has changed (+1)."""
        if order.quantity is not None and not self.counts:
            return
        if order.side is not _BUY or order.state not in AT_VENUE:
            return
        if order.quantity is not None:
            left = order.reserved - order.filled_notional
        else:
            left = (order.budget or 0) - order.filled_notional
        if left <= 0:
            return
        self.entering += sign * left
        if order.quantity is None:
            name = order.instrument_id
            self.spending[name] = self.spending.get(name, 0) + sign * left


@dataclass(slots=True)
class StrategyClaims:
    """Of a strategy: its own orders, and the positions that it opened."""

    book: Book
    strategy: str
    buying: dict[str, int] = field(default_factory=dict)
    selling: dict[str, int] = field(default_factory=dict)
    spending: dict[str, int] = field(default_factory=dict)
    entering: int = 0

    def __post_init__(self) -> None:
        for order in self.book.orders.values():
            self.held(order, 1)

    def of(self, instrument: str) -> Claims:
        """What stands open in an instrument."""
        position = self.book.positions.get(instrument)
        held = basis = 0
        if position is not None and position.strategy == self.strategy:
            held, basis = position.quantity, position.basis
        buying, selling = self.buying.get(instrument, 0), self.selling.get(instrument, 0)
        return held, basis, buying, selling, self.spending.get(instrument, 0)

    def held(self, order: BookedOrder, sign: int) -> None:
        """An order is about to change (−1), or has changed (+1). What only reduces brings nothing."""
        if order.strategy != self.strategy or order.state not in AT_VENUE:
            return
        if order.terms_json is not None and '"reduce_only":true' in order.terms_json:
            return
        name = order.instrument_id
        if order.quantity is not None:
            side = self.buying if order.side is _BUY else self.selling
            side[name] = side.get(name, 0) + sign * (order.quantity - order.filled_quantity)
            if order.side is _BUY:
                self.entering += sign * max(0, order.reserved - order.filled_notional)
        else:
            left = max(0, (order.budget or 0) - order.filled_notional)
            self.spending[name] = self.spending.get(name, 0) + sign * left
            self.entering += sign * left


def _nobody(instrument: str) -> Rate | None:
    del instrument
    return None


__all__ = ["AccountClaims", "Cell", "Claims", "Exposure", "Group", "StrategyClaims"]

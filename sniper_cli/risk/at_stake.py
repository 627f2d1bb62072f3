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
from sniper_cli.risk.marks import Marks, Rate, worth
from state.orders import AT_VENUE, Side

_BUY = Side.BUY


@dataclass(slots=True)
class Claims:
    """What stands open in one instrument: base units, but for money."""

    held: int = 0
    basis: int = 0
    buying: int = 0
    selling: int = 0
    spending: int = 0
    """Quote units of purchases that say what to spend."""


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


class Exposure:
    """The sums of one scope: an account, or a strategy in it."""

    def __init__(self, claims: Callable[[str], Claims], groups: Sequence[Group] = (), *, short: bool) -> None:
        """`short`: the account may hold less than nothing."""
        self.claims = claims
        self.groups = groups
        self.short = short
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
        self._marks: Marks = _nobody
        self._last: dict[str, Rate] = {}
        """The price that an instrument was last asked for at, where nobody marks it."""

    def reprice(self, marks: Marks) -> None:
        """Prices have moved: everything is renewed at the next look."""
        self._marks = marks
        self.stirred.update(self.cells)

    def renew(self) -> None:
        """Bring the sums to what the book says."""
        while self.stirred:
            self._renew(self.stirred.pop())

    def rate(self, instrument: str, notional: int, quantity: int) -> Rate | None:
        """The price of an instrument; where nobody knows one, that of this order, if it has one."""
        rate = self._marks(instrument)
        if rate is None and quantity > 0:
            rate = self._last[instrument] = (notional, quantity)
        return rate or self._last.get(instrument)

    def net(self) -> int:
        """What stands open to one side, if all orders of that side were filled."""
        return max(abs(self.up), abs(self.down))

    def _renew(self, instrument: str) -> None:
        claims = self.claims(instrument)
        before = self.cells.get(instrument, NOTHING)
        cell = self._cell(instrument, claims)
        self.gross += cell.gross - before.gross
        self.up += cell.up - before.up
        self.down += cell.down - before.down
        self.value += cell.value - before.value
        self.basis += cell.basis - before.basis
        self.live += cell.live - before.live
        for group in self.groups:
            if instrument in group.members:
                group.up += cell.up - before.up
                group.down += cell.down - before.down
        if cell.live or cell.gross:
            self.cells[instrument] = cell
        else:
            self.cells.pop(instrument, None)

    def _cell(self, instrument: str, claims: Claims) -> Cell:
        held, buying, selling, spending = claims.held, claims.buying, claims.selling, claims.spending
        live = bool(held or buying or spending or (self.short and selling))
        if not live:
            return NOTHING
        rate = self._marks(instrument) or self._last.get(instrument)
        if rate is None:
            rate = (claims.basis, abs(held)) if held else (0, 1)
        value = worth(held, rate)
        up = (worth(held + buying, rate) if buying else value) + spending
        down = worth(held - selling, rate) if selling else value
        if not self.short and down < 0:
            down = 0
        return Cell(value, up, down, max(abs(up), abs(down)), claims.basis, live)


class AccountClaims:
    """Of an account: what its book has counted already, and what purchases by budget may still spend."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.spending: dict[str, int] = {}
        self.entering = 0
        """Quote units that working purchases may still put into positions."""
        for order in book.orders.values():
            self.held(order, 1)

    def of(self, instrument: str) -> Claims:
        """What stands open in an instrument."""
        book = self.book
        position = book.positions.get(instrument)
        held, basis = (position.quantity, position.basis) if position is not None else (0, 0)
        buying, selling = book.buying.get(instrument, 0), book.selling.get(instrument, 0)
        return Claims(held, basis, buying, selling, self.spending.get(instrument, 0))

    def held(self, order: BookedOrder, sign: int) -> None:
        """An order is about to change (−1), or has changed (+1)."""
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
        position = self.book.positions.get(instrument)
        mine = position is not None and position.strategy == self.strategy
        held, basis = (position.quantity, position.basis) if position is not None and mine else (0, 0)
        return Claims(
            held,
            basis,
            self.buying.get(instrument, 0),
            self.selling.get(instrument, 0),
            self.spending.get(instrument, 0),
        )

    def held(self, order: BookedOrder, sign: int) -> None:
        if order.strategy != self.strategy or order.state not in AT_VENUE:
            return
        if order.terms_json is not None and '"reduce_only":true' in order.terms_json:
            return
        name = order.instrument_id
        if order.quantity is not None:
            left = order.quantity - order.filled_quantity
            side = self.buying if order.side is _BUY else self.selling
            side[name] = side.get(name, 0) + sign * left
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

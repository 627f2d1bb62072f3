"""Disposals as the United States count them: lots by method, short or long term, wash sales where they are wanted.

Fees belong to the lot (bought) or lower the proceeds (sold): IRS Publication 550. Held more than one year is long
term: the count begins on the day after the purchase, so a sale on the anniversary is short and the day after is long
(Revenue Ruling 66-7). A loss whose shares are bought again from 30 days before to 30 days after is put off: added to
the cost of the shares that replaced them, which also inherit the time held (IRC § 1091; Reg. 1.1091-1). What is left
of the purchase that was sold from replaces nothing (Revenue Ruling 56-602). The rule is written for stock and
securities; for coins it is off unless asked for.

Amounts are whole units. This is arithmetic, not advice.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from sniper_cli.books.lots import Choice, OpenLot, Part, after, share_of_cost, take

WASH_DAYS = timedelta(days=30)


class Term(StrEnum):
    SHORT = "short"
    LONG = "long"


class TradeKind(StrEnum):
    BUY = "buy"
    SELL = "sell"
    GIFT = "gift"
    """Leaves without proceeds: the receiver takes over the cost, and nothing is gained."""


@dataclass(frozen=True, slots=True)
class Trade:
    """One purchase or sale. `amount` is the price paid or received, the fee apart."""

    at: date
    kind: TradeKind
    quantity: int
    amount: int
    fee: int = 0
    id: Hashable = None
    """Of the lot that a purchase opens; its place in the list if none."""
    chosen: Choice | None = None
    """Lots that a sale names."""


@dataclass(frozen=True, slots=True)
class Disposal:
    """A part of a sale from one lot."""

    lot: Hashable
    acquired: date
    """For the holding period: earlier than bought where a wash sale handed time on."""
    sold: date
    quantity: int
    proceeds: int
    basis: int
    disallowed: int = 0
    """Loss that a wash sale puts off; 0 or more."""

    @property
    def gain(self) -> int:
        """What counts this time."""
        return self.proceeds - self.basis + self.disallowed

    @property
    def term(self) -> Term:
        return term(self.acquired, self.sold)


@dataclass(frozen=True, slots=True)
class TaxLots:
    """Everything sold, and what is left."""

    disposals: tuple[Disposal, ...]
    remaining: tuple[OpenLot, ...]
    inherited: Mapping[Hashable, date]
    """Lots that took over the time of the shares they replaced: since when they count as held."""

    @property
    def short_term(self) -> int:
        return self._total(Term.SHORT)

    @property
    def long_term(self) -> int:
        return self._total(Term.LONG)

    @property
    def total_gain(self) -> int:
        return self.short_term + self.long_term

    @property
    def disallowed(self) -> int:
        return sum(disposal.disallowed for disposal in self.disposals)

    def _total(self, wanted: Term) -> int:
        return sum(disposal.gain for disposal in self.disposals if disposal.term is wanted)


def term(acquired: date, sold: date) -> Term:
    """Long from the day on which more than a year is over."""
    return Term.LONG if sold >= long_from(acquired) else Term.SHORT


def long_from(acquired: date) -> date:
    """A year after the day that follows the purchase. Bought on 28 or 29 February: 1 March, leap year or not."""
    first = acquired + timedelta(days=1)
    try:
        return first.replace(year=first.year + 1)
    except ValueError:
        return first.replace(year=first.year + 1, month=3, day=1)


def us_disposals(trades: Iterable[Trade], method: str = "fifo", *, wash_sales: bool = False) -> TaxLots:
    """Walk the trades by day (as given within a day) and say what was gained.

    Raises `LotsDoNotReach` where more is sold than was bought.
    """
    if wash_sales and method == "average":
        raise ValueError("a pool has no shares that could replace others: wash sales need another lot method")
    state = _Walk(method, wash_sales)
    for place, trade in enumerate(sorted(trades, key=lambda trade: trade.at)):
        if trade.kind is TradeKind.BUY:
            lot_id = place if trade.id is None else trade.id
            cost = trade.amount + trade.fee
            state.buy(OpenLot(lot_id, trade.at, trade.quantity, trade.quantity, cost))
        else:
            state.sell(trade)
    return TaxLots(tuple(state.disposals), tuple(state.lots), state.acquired)


def by_year(disposals: Iterable[Disposal]) -> Mapping[int, int]:
    """Gain of each calendar year."""
    years: dict[int, int] = {}
    for disposal in disposals:
        years[disposal.sold.year] = years.get(disposal.sold.year, 0) + disposal.gain
    return years


class _Walk:
    """The lots and disposals so far. A lot that replaces sold shares is cut: only the cut-off piece is changed."""

    def __init__(self, method: str, wash_sales: bool) -> None:
        self.method, self.wash_sales = method, wash_sales
        self.lots: list[OpenLot] = []
        self.disposals: list[Disposal] = []
        self.acquired: dict[Hashable, date] = {}
        """Pieces that replaced something: since when they count as held. Each share replaces once."""
        self._washable: dict[int, int] = {}
        """Disposals at a loss, by their place: units that nothing has replaced yet."""
        self._parents: dict[Hashable, Hashable] = {}
        """Pieces, by the purchase that they were cut from."""

    def buy(self, lot: OpenLot) -> None:
        self.lots.append(lot)
        for place in [*self._washable]:
            if lot.opened_at - self.disposals[place].sold <= WASH_DAYS:
                self._replace(place, lot.id)
            else:
                del self._washable[place]

    def sell(self, trade: Trade) -> None:
        proceeds = trade.amount - trade.fee if trade.kind is TradeKind.SELL else 0
        parts = take(self.lots, trade.quantity, self.method, proceeds=proceeds, chosen=trade.chosen)
        self.lots = after(self.lots, parts, self.method)
        if trade.kind is TradeKind.GIFT:
            return
        for part in parts:
            self.disposals.append(self._disposal(part, trade.at))
            if self.wash_sales and self.disposals[-1].gain < 0:
                place = len(self.disposals) - 1
                self._washable[place] = part.quantity
                self._look_back(place)

    def _disposal(self, part: Part, sold: date) -> Disposal:
        acquired = self.acquired.get(part.lot, part.opened_at)
        return Disposal(part.lot, acquired, sold, part.quantity, part.proceeds, part.cost)

    def _look_back(self, place: int) -> None:
        """What had been bought in the thirty days before the loss, and is still held."""
        sold = self.disposals[place].sold
        for lot in [*self.lots]:
            if sold - lot.opened_at <= WASH_DAYS:
                self._replace(place, lot.id)

    def _replace(self, place: int, lot_id: Hashable) -> None:
        """Let the lot's units replace what the disposal sold, as far as they go."""
        left, sale = self._washable.get(place, 0), self.disposals[place]
        same_purchase = self._parent(lot_id) == self._parent(sale.lot)
        index = next((i for i, lot in enumerate(self.lots) if lot.id == lot_id), None)
        if not left or same_purchase or index is None or lot_id in self.acquired:
            return  # nothing to replace, or nothing that may: another loss has used it up
        lot = self.lots[index]
        units = min(left, lot.remaining)
        put_off = _put_off(sale, sale.quantity - left, units)
        cost = share_of_cost(lot, units) + put_off
        piece = OpenLot((lot_id, "replaces", place), lot.opened_at, units, units, cost)
        rest = replace(lot, remaining=lot.remaining - units)
        self.lots[index : index + 1] = [piece, rest] if rest.remaining else [piece]
        self._parents[piece.id] = self._parent(lot_id)
        self.acquired[piece.id] = lot.opened_at - (sale.sold - sale.acquired)
        self.disposals[place] = replace(sale, disallowed=sale.disallowed + put_off)
        if left > units:
            self._washable[place] = left - units
        else:
            del self._washable[place]

    def _parent(self, lot_id: Hashable) -> Hashable:
        return self._parents.get(lot_id, lot_id)


def _put_off(sale: Disposal, done: int, units: int) -> int:
    """The replaced units' share of the loss, by cumulative division like every share."""
    loss = sale.basis - sale.proceeds
    return loss * (done + units) // sale.quantity - loss * done // sale.quantity


__all__ = [
    "Disposal",
    "TaxLots",
    "Term",
    "Trade",
    "TradeKind",
    "by_year",
    "long_from",
    "term",
    "us_disposals",
]

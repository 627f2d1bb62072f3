"""An account's book in memory: what its events add up to.

`apply` takes one event and changes the book; everything that an event decided stands in the event. So the same events
give the same book, whether they are being written, read after another process wrote them, or read from the first on
to prove the tables right. The book keeps what is at work (open orders, positions, lots, cash); what is over it asks
its shelf for, where a late fill or a reorganisation needs it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import partial

from sniper_cli.books import events as ev
from sniper_cli.books.around import Shelf, Watch
from sniper_cli.books.changes import Changes, Entry, InstrumentFigures, StrategyFigures
from sniper_cli.books.claims import Claims, hold
from sniper_cli.books.filling import close, fill, take_lot
from sniper_cli.books.holdings import BookedLot, BookedMatch, BookedOrder, BookedPosition
from sniper_cli.books.timetable import Timetable
from sniper_cli.books.undoing import pool_lots, reverse
from state.errors import RowNotFound
from state.orders import WORKING, OrderState, OrderType, Side, TimeInForce
from state.positions import LotMethod

RECENT = 50_000
"""Client order ids kept in memory before the tables are trusted with them."""

SIDES = {side.value: side for side in Side}
TYPES = {kind.value: kind for kind in OrderType}
TIMES = {tif.value: tif for tif in TimeInForce}
STATES = {state.value: state for state in OrderState}


class Book:
    """One account's orders, positions, lots and cash, and what has changed since the last `take_changes`."""

    def __init__(self, account_key: str, shelf: Shelf, pairs: dict[str, tuple[str, str]]) -> None:
        """`pairs`: the base and quote assets of instruments by their ids."""
        self.account_key = account_key
        self.shelf = shelf
        self.pairs = pairs
        self.version = -1
        """The account row's version that this book is of."""
        self.seq = 0
        """The last trading record of the account in it."""
        self.lot_method = LotMethod.FIFO
        self.margin = Decimal(0)
        self.cash: dict[str, int] = {}
        self.reserved: dict[str, int] = {}
        """Quote units held aside for open orders, by asset."""
        self.selling: dict[str, int] = {}
        """Base units that open sales may still take, by instrument."""
        self.buying: dict[str, int] = {}
        """Base units that open purchases may still bring, by instrument; those by budget not counted."""
        self.groups: dict[str, dict[str, Claims]] = {}
        """What the orders of a group claim, of which only the largest counts: a fill of one is taken off the others."""
        self.orders: dict[str, BookedOrder] = {}
        """At work, in the order of their recording."""
        self.positions: dict[str, BookedPosition] = {}
        """Open ones, by instrument."""
        self.settled = 0
        """The second up to which the paper market has been replayed."""
        self.last_client_id = ""
        """The greatest client order id so far: a greater one is new without a look."""
        self._recent: dict[str, str] = {}
        """Client order ids of orders that the tables may not show yet."""
        self.timetable = Timetable(self.orders)
        self.watch: Watch | None = None
        """Limits that count something; none where there are no such limits."""
        self.changes = Changes()
        self._new: dict[str, BookedOrder] = {}
        self.strategy_days: dict[tuple[date, str, str], StrategyFigures] = {}
        self.instrument_days: dict[tuple[date, str], InstrumentFigures] = {}
        self._apply = {
            ev.Recorded: self._recorded,
            ev.Moved: self._moved,
            ev.Amended: self._amended,
            ev.Filled: partial(fill, self),
            ev.Reversed: partial(reverse, self),
            ev.Movement: self._movement,
            ev.WrittenOff: self._written_off,
            ev.Renamed: self._renamed,
            ev.Settled: self._settled,
            ev.CarriedBalance: self._carried_balance,
            ev.CarriedPosition: self._carried_position,
        }

    # -- reading ------------------------------------------------------------------------------------------------

    def find_order(self, key: str) -> BookedOrder:
        """An order at work, one of this record, or one from the shelf. Raises RowNotFound."""
        order = (
            self.orders.get(key) or self._new.get(key) or self.changes.moved.get(key) or self.shelf.order(key)
        )
        if order is None:
            raise RowNotFound(f"there is no order {key}", hint="sniper order list")
        return order

    def held(self, asset_id: str) -> int:
        """Base units of an asset."""
        return self.cash.get(asset_id, 0)

    def available(self, asset_id: str) -> int:
        """What of an asset no open purchase has a claim on."""
        return self.cash.get(asset_id, 0) - self.reserved.get(asset_id, 0)

    def known(self, client_id: str) -> str | None:
        """The order under a client order id. Ids that grow with time cost nothing; others are looked for."""
        if client_id > self.last_client_id:
            return None
        return self._recent.get(client_id) or self.shelf.find_client_id(client_id)

    def figures_of(
        self, day: date
    ) -> tuple[dict[tuple[date, str, str], StrategyFigures], dict[tuple[date, str], InstrumentFigures]]:
        """A day's sums as far as they are kept here: where the tables have the same ones, these are newer."""
        return (
            {key: one for key, one in self.strategy_days.items() if key[0] == day},
            {key: one for key, one in self.instrument_days.items() if key[0] == day},
        )

    def position_for(self, order: BookedOrder) -> BookedPosition | None:
        """The position that an order's fills belong to: the one it names, else the open one of its instrument."""
        mine = self.positions.get(order.instrument_id)
        if order.position_key is None or (mine is not None and mine.key == order.position_key):
            return mine
        found = self.changes.positions.get(order.position_key) or self.shelf.position(order.position_key)
        return found if found is not None else mine

    # -- applying -----------------------------------------------------------------------------------------------

    def apply(self, event: ev.Event, seq: int) -> None:
        """Take one event of record `seq` in. Raises IllegalTransition for what may not happen."""
        self._apply[type(event)](event, seq)  # type: ignore[operator]

    def take_in(self, events: Iterable[ev.Event], seq: int, *, written: bool) -> Changes:
        """A record of another process; what it changed. Raises NotHere where that is more than memory knows.

        `written`: the tables show it. Sums of days that are not kept here are then theirs to tell, and not begun.
        """
        strategies, instruments = set(self.strategy_days), set(self.instrument_days)
        for event in events:
            self.apply(event, seq)
        if written:
            for day in self.strategy_days.keys() - strategies:
                del self.strategy_days[day]
            for traded in self.instrument_days.keys() - instruments:
                del self.instrument_days[traded]
        self.seq = seq
        return self.take_changes()

    def take_changes(self) -> Changes:
        """What has changed since the last time, to be written; the book forgets what is over."""
        changes, self.changes = self.changes, Changes()
        self._new = {}
        return changes

    def _recorded(self, event: ev.Recorded, seq: int) -> None:
        order = BookedOrder(
            event.order,
            event.client_id,
            event.instrument,
            SIDES[event.side],
            TYPES[event.type],
            TIMES[event.tif],
            ev.whole(event.quantity),
            ev.whole(event.budget),
            None if event.price is None else Decimal(event.price),
            STATES[event.state],
            int(event.reserved),
            event.at,
            bytes(event.checks).decode(),
            bytes(event.reason).decode(),
            ev.text_of(event.terms),
            event.explanation,
            event.venue_reference,
            event.position,
            event.launch,
            event.strategy,
            event.parent,
            int(event.filled_quantity),
            int(event.filled_notional),
            event.at,
            0,
            seq,
            self.account_key,
        )
        self.add(order)

    def add(self, order: BookedOrder) -> None:
        """Take a new order in (the desk makes it together with its event)."""
        self._new[order.key] = order
        self.changes.orders.append(order)
        client_id = order.client_order_id
        self._recent[client_id] = order.key
        if client_id > self.last_client_id:  # noqa: PLR1730 - `max` is a call, ten times as dear
            self.last_client_id = client_id
        if order.state in WORKING:
            self.orders[order.key] = order
            if self.watch is not None:
                self.watch.recorded(order)
            hold(self, order, 1)
            if order.terms_json is not None:
                self.timetable.note(order)

    def forget_recent(self) -> None:
        """The tables show everything: client order ids need not be kept."""
        if len(self._recent) > RECENT:
            self._recent.clear()

    def _changed(self, order: BookedOrder) -> None:
        if order.key not in self._new:
            self.changes.moved[order.key] = order

    def _moved(self, event: ev.Moved, _seq: int) -> None:
        order = self.find_order(event.order)
        hold(self, order, -1)
        state = STATES[event.state]
        if state is order.state:
            order.version += 1
            order.updated = event.at
            if event.explanation is not None:
                order.explanation = event.explanation or None
        else:
            order.move_to(state, event.at, event.explanation or "")
        if event.venue_reference is not None:
            order.venue_reference = event.venue_reference
        self.settle(order)
        self.tell(order)

    def settle(self, order: BookedOrder) -> None:
        """After a change: the order is at work, or over."""
        self._changed(order)
        if order.state in WORKING:
            self.orders[order.key] = order
            hold(self, order, 1)
        else:
            self.orders.pop(order.key, None)

    def tell(self, order: BookedOrder) -> None:
        if order.key not in self._new and order.key not in self.changes.told[-1:]:
            self.changes.told.append(order.key)

    def _amended(self, event: ev.Amended, _seq: int) -> None:
        order = self.find_order(event.order)
        hold(self, order, -1)
        order.quantity = ev.whole(event.quantity)
        order.limit_price = None if event.price is None else Decimal(event.price)
        order.reserved = int(event.reserved)
        order.terms_json = ev.text_of(event.terms)
        if order.terms_json is not None:
            self.timetable.note(order)
        order.updated = event.at
        order.version += 1
        self.settle(order)
        self.tell(order)

    # -- what is written off, moved --------------------------------------------------------------------------------

    def _movement(self, event: ev.Movement, _seq: int) -> None:
        amount = int(event.amount)
        self.cash[event.asset] = self.cash.get(event.asset, 0) + amount
        self.changes.balances.add(event.asset)
        if self.watch is not None:
            self.watch.flowed(event.asset, event.movement, amount)
        self.changes.entries.append(Entry(event.asset, event.movement, amount, event.reference, event.at))
        if event.order is None:
            return
        order = self.find_order(event.order)
        self.tell(order)
        position = self.position_for(order) if order.position_key is not None else None
        if position is not None:
            position.fees -= amount
            position.version += 1
            self.changes.positions[position.key] = position

    def _written_off(self, event: ev.WrittenOff, _seq: int) -> None:
        position = next((p for p in self.positions.values() if p.key == event.position), None)
        if position is None:
            raise RowNotFound(f"there is no open position {event.position}", hint="sniper position list")
        if self.watch is not None:
            self.watch.moved(position.instrument_id)
        sign = 1 if position.quantity > 0 else -1
        for match in event.matches:
            take_lot(self, position, match)
            position.quantity -= sign * int(match.quantity)
            position.realised -= sign * int(match.cost)
            self.changes.matches.append(
                BookedMatch(event.act, match.lot, int(match.quantity), int(match.cost), 0)
            )
        position.version += 1
        self.changes.positions[position.key] = position
        if not position.quantity:
            close(self, position, event.rule, event.at)

    def _renamed(self, event: ev.Renamed, _seq: int) -> None:
        self.lot_method, self.margin = LotMethod(event.lot_method), Decimal(event.margin)
        self.changes.rules = True
        if self.lot_method is LotMethod.AVERAGE:
            for position in self.positions.values():
                pool_lots(self, position)

    def _settled(self, event: ev.Settled, _seq: int) -> None:
        self.settled = event.until
        self.changes.settled = event.until

    def _carried_balance(self, event: ev.CarriedBalance, _seq: int) -> None:
        self.cash[event.asset] = int(event.amount)
        self.changes.balances.add(event.asset)

    def _carried_position(self, event: ev.CarriedPosition, _seq: int) -> None:
        position = BookedPosition(
            event.position,
            event.instrument,
            event.at,
            int(event.quantity),
            int(event.spent),
            int(event.received),
            int(event.basis),
            int(event.fees),
            int(event.realised),
            launch_key=event.launch,
            strategy=event.strategy,
            version=event.version,
        )
        for one in event.lots:
            lot = BookedLot(
                one.lot, event.position, int(one.quantity), int(one.remaining), int(one.cost), one.at
            )
            position.lots[lot.key] = lot
            self.changes.lots[lot.key] = lot
        self.positions[event.instrument] = position
        self.changes.positions[position.key] = position

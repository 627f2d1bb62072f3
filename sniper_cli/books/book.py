"""An account's book in memory: what its events add up to.

`apply` takes one event and changes the book; everything that an event decided stands in the event. So the same events
give the same book, whether they are being written, read after another process wrote them, or read from the first on
to prove the tables right. The book keeps what is at work (open orders, positions, lots, cash); what is over it asks
its shelf for, where a late fill or a reorganisation needs it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from heapq import heappop, heappush
from typing import Protocol

import msgspec

from sniper_cli.books import events as ev
from sniper_cli.books.changes import Changes, Entry, InstrumentFigures, StrategyFigures
from sniper_cli.books.holdings import BookedFill, BookedLot, BookedMatch, BookedOrder, BookedPosition
from state.accounts import Movement
from state.errors import IllegalTransition, RowNotFound
from state.orders import AT_VENUE, TRANSITIONS, WORKING, OrderState, OrderType, Side, TimeInForce
from state.positions import LotMethod, PositionState
from state.writing import day_of

REORGANISED = "reorganised"
"""The exit rule of a position whose opening trade a reorganisation took back."""
NOTHING_RECEIVED = "nothing_received"
"""The exit rule of a position that a token never delivered."""

_BUY, _FILLED, _PARTIAL = Side.BUY, OrderState.FILLED, OrderState.PARTIALLY_FILLED

RECENT = 50_000
"""Client order ids kept in memory before the tables are trusted with them."""

SECOND = 1_000_000

Claims = dict[tuple[str, str], int]
"""By kind (`reserved`, `selling`, `buying`) and the asset's or instrument's id."""

SIDES = {side.value: side for side in Side}
TYPES = {kind.value: kind for kind in OrderType}
TIMES = {tif.value: tif for tif in TimeInForce}
STATES = {state.value: state for state in OrderState}


class Shelf(Protocol):
    """Where a book finds what is over: the tables, or in a rebuild everything read so far."""

    def order(self, key: str) -> BookedOrder | None: ...
    def find_client_id(self, client_id: str) -> str | None: ...
    def position(self, key: str) -> BookedPosition | None: ...
    def fill(self, key: str) -> BookedFill | None: ...
    def knows_trade(self, order_key: str, trade: str) -> bool: ...
    def knows_movement(self, asset: str, movement: str, reference: str) -> bool: ...
    def lot(self, key: str) -> BookedLot | None: ...
    def matches(self, fill_key: str) -> list[BookedMatch]: ...
    def strategy_day(self, key: tuple[object, str, str]) -> StrategyFigures | None: ...
    def instrument_day(self, key: tuple[object, str]) -> InstrumentFigures | None: ...


class Watch(Protocol):
    """Counts beside the book what limits are held against (`sniper_cli.risk.gate`); told of every change."""

    def held(self, order: BookedOrder, sign: int) -> None: ...
    def recorded(self, order: BookedOrder) -> None: ...
    def moved(self, instrument: str) -> None: ...
    def closed(self, position: BookedPosition, rule: str, at: int) -> None: ...
    def counted(self, day: date, strategy: str, quote: str, instrument: str, lost: int) -> None: ...
    def flowed(self, asset: str, movement: str, amount: int) -> None: ...


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
        self._groups: dict[str, dict[str, Claims]] = {}
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
        self._due: list[tuple[int, str]] = []
        """(time, order): when held orders are sent and those with an end expire."""
        self.watch: Watch | None = None
        """Limits that count something; none where there are no such limits."""
        self.changes = Changes()
        self._new: dict[str, BookedOrder] = {}
        self._strategy_days: dict[tuple[date, str, str], StrategyFigures] = {}
        self._instrument_days: dict[tuple[date, str], InstrumentFigures] = {}
        self._apply = {
            ev.Recorded: self._recorded,
            ev.Moved: self._moved,
            ev.Amended: self._amended,
            ev.Filled: self._filled,
            ev.Reversed: self._reversed,
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
            {key: one for key, one in self._strategy_days.items() if key[0] == day},
            {key: one for key, one in self._instrument_days.items() if key[0] == day},
        )

    def next_due(self) -> int | None:
        """When the next order begins or ends by the clock."""
        while self._due:
            moment, key = self._due[0]
            order = self.orders.get(key)
            if order is not None and moment in _times(order):
                return moment
            heappop(self._due)
        return None

    def due(self, until: int) -> list[BookedOrder]:
        """Orders whose time has come, earliest first; they are not given twice."""
        found = []
        while (moment := self.next_due()) is not None and moment <= until:
            _, key = heappop(self._due)
            found.append(self.orders[key])
        return found

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
        strategies, instruments = set(self._strategy_days), set(self._instrument_days)
        for event in events:
            self.apply(event, seq)
        if written:
            for day in self._strategy_days.keys() - strategies:
                del self._strategy_days[day]
            for traded in self._instrument_days.keys() - instruments:
                del self._instrument_days[traded]
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
            self._hold(order, 1)
            if order.terms_json is not None:
                self.note_times(order)

    def note_times(self, order: BookedOrder) -> None:
        """Remember when an order begins or ends by the clock."""
        for moment in _times(order):
            heappush(self._due, (moment, order.key))

    def forget_recent(self) -> None:
        """The tables show everything: client order ids need not be kept."""
        if len(self._recent) > RECENT:
            self._recent.clear()

    def reserve(self, order: BookedOrder) -> None:
        """Put aside what an order read from the tables may still take."""
        self._hold(order, 1)

    def _hold(self, order: BookedOrder, sign: int) -> None:
        """Put aside, or give back, what an order may still take. What is held here takes nothing until it is sent."""
        if self.watch is not None:
            self.watch.held(order, sign)
        if order.state not in AT_VENUE:
            return
        if order.terms_json is not None:
            if '"reduce_only":true' in order.terms_json:
                return  # it is cut to what is held as that changes
            if '"cancels":' in order.terms_json:
                self._hold_together(order, sign)
                return
        instrument = order.instrument_id
        left = None if order.quantity is None else order.quantity - order.filled_quantity
        if order.side is Side.BUY:
            held = order.reserved - order.filled_notional
            if held > 0:
                quote = self.pairs[instrument][1]
                self.reserved[quote] = self.reserved.get(quote, 0) + sign * held
            if left:
                self.buying[instrument] = self.buying.get(instrument, 0) + sign * left
        elif left:
            self.selling[instrument] = self.selling.get(instrument, 0) + sign * left

    def _hold_together(self, order: BookedOrder, sign: int) -> None:
        """The same for one of a group: the group claims what the largest of its claims is."""
        group = _group(order)
        claims = self._groups.setdefault(group, {})
        before = _largest(claims)
        if sign > 0:
            claims[order.key] = self._claims(order)
        else:
            claims.pop(order.key, None)
        after = _largest(claims)
        for kind, name in before | after:
            known = getattr(self, kind)
            known[name] = known.get(name, 0) + after.get((kind, name), 0) - before.get((kind, name), 0)
        if not claims:
            del self._groups[group]

    def _claims(self, order: BookedOrder) -> Claims:
        left = 0 if order.quantity is None else order.quantity - order.filled_quantity
        if order.side is Side.SELL:
            return {("selling", order.instrument_id): left}
        quote = self.pairs[order.instrument_id][1]
        held = max(0, order.reserved - order.filled_notional)
        return {("reserved", quote): held, ("buying", order.instrument_id): left}

    def claimed(self, group: str | None, kind: str, name: str) -> int:
        """What a group has put aside already: `reserved` of a quote asset, `selling` or `buying` of an instrument."""
        claims = self._groups.get(group) if group is not None else None
        return 0 if claims is None else _largest(claims).get((kind, name), 0)

    @contextmanager
    def without(self, order: BookedOrder) -> Iterator[None]:
        """The book as if an order claimed nothing: what another one in its place would find."""
        self._hold(order, -1)
        try:
            yield
        finally:
            self._hold(order, 1)

    def _changed(self, order: BookedOrder) -> None:
        if order.key not in self._new:
            self.changes.moved[order.key] = order

    def _moved(self, event: ev.Moved, _seq: int) -> None:
        order = self.find_order(event.order)
        self._hold(order, -1)
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
        self._settle(order)
        self._tell(order)

    def _settle(self, order: BookedOrder) -> None:
        """After a change: the order is at work, or over."""
        self._changed(order)
        if order.state in WORKING:
            self.orders[order.key] = order
            self._hold(order, 1)
        else:
            self.orders.pop(order.key, None)

    def _tell(self, order: BookedOrder) -> None:
        if order.key not in self._new and order.key not in self.changes.told[-1:]:
            self.changes.told.append(order.key)

    def _amended(self, event: ev.Amended, _seq: int) -> None:
        order = self.find_order(event.order)
        self._hold(order, -1)
        order.quantity = ev.whole(event.quantity)
        order.limit_price = None if event.price is None else Decimal(event.price)
        order.reserved = int(event.reserved)
        order.terms_json = ev.text_of(event.terms)
        if order.terms_json is not None:
            self.note_times(order)
        order.updated = event.at
        order.version += 1
        self._settle(order)
        self._tell(order)

    # -- trades -------------------------------------------------------------------------------------------------

    def _filled(self, event: ev.Filled, seq: int) -> None:
        order = self.orders.get(event.order) or self.find_order(event.order)
        base, quote = self.pairs[order.instrument_id]
        quantity, notional, fee = int(event.quantity), int(event.notional), int(event.fee)
        if order.side is _BUY:
            self._trade(base, "buy", quantity)
            self._trade(quote, "buy", -notional)
        else:
            self._trade(base, "sell", -quantity)
            self._trade(quote, "sell", notional)
        if fee:
            self._trade(event.fee_asset, "fee", -fee)
        self._hold(order, -1)
        order.filled_quantity += quantity
        order.filled_notional += notional
        order.updated = event.at
        order.version += 1
        self._progress(order)
        fill = BookedFill(
            event.fill,
            order.key,
            order.instrument_id,
            event.flipped or event.position,
            event.trade,
            order.side,
            quantity,
            notional,
            event.fee_asset,
            fee,
            int(event.fee_value),
            int(event.realised),
            event.at,
            None,
            seq,
        )
        self.changes.fills.append(fill)
        position = None if event.position is None else self._book_position(event, order, fill)
        if fill.position_key is not None:
            order.position_key = fill.position_key
        self._settle(order)
        self._count(order, fill, quote, position)

    @staticmethod
    def _progress(order: BookedOrder) -> None:
        """A fill implies a state; of a budget only the venue knows whether it is spent."""
        done = order.quantity is not None and order.filled_quantity >= order.quantity
        state = _FILLED if done else _PARTIAL
        if order.state is not state and state in TRANSITIONS[order.state]:
            order.state = state

    def _trade(self, asset: str, movement: str, amount: int) -> None:
        self.cash[asset] = self.cash.get(asset, 0) + amount
        trades = self.changes.trades
        key = (asset, movement)
        trades[key] = trades.get(key, 0) + amount

    def _book_position(self, event: ev.Filled, order: BookedOrder, fill: BookedFill) -> BookedPosition:
        """Close what the event says, open what it says; the position that it leaves."""
        assert event.position is not None
        sign = 1 if order.side is _BUY else -1
        position = self._open_or_new(event.position, order, event.at)
        closed = 0
        for match in event.closed:
            closed += int(match.quantity)
            self._take(position, match)
            self.changes.matches.append(
                BookedMatch(event.fill, match.lot, int(match.quantity), int(match.cost), int(match.proceeds))
            )
        opened, cost = int(event.opened), int(event.cost)
        position.quantity += sign * closed
        position.realised += fill.realised
        position.fees += fill.fee_value
        self._pay(position, sign, fill.notional - cost)
        if event.closed and not position.quantity:
            self._close(position, _exit_rule(order), event.at)
        if event.flipped is not None:
            position = self._open_or_new(event.flipped, order, event.at)
        if opened or not event.closed:
            self._pay(position, sign, cost)
            self._enter(position, event, sign, opened, cost)
        position.version += 1
        return position

    def _pay(self, position: BookedPosition, sign: int, amount: int) -> None:
        if sign > 0:
            position.spent += amount
        else:
            position.received += amount

    def _open_or_new(self, key: str, order: BookedOrder, at: int) -> BookedPosition:
        position = self.positions.get(order.instrument_id)
        if position is None or position.key != key:
            position = self.changes.positions.get(key) or self.shelf.position(key)
        if position is None:
            position = BookedPosition(
                key, order.instrument_id, at, launch_key=order.launch_key, strategy=order.strategy
            )
        position.state, position.exit_rule, position.closed = PositionState.OPEN, None, None
        self.positions[order.instrument_id] = position
        self.changes.positions[key] = position
        if self.watch is not None:
            self.watch.moved(order.instrument_id)
        return position

    def _enter(self, position: BookedPosition, event: ev.Filled, sign: int, opened: int, cost: int) -> None:
        position.quantity += sign * opened
        position.basis += cost
        if opened:
            assert event.lot is not None
            lot = position.lots.get(event.lot)
            if lot is None:
                lot = position.lots[event.lot] = BookedLot(event.lot, position.key, 0, 0, 0, event.at)
            if lot.remaining != lot.quantity:
                # A pooled lot that has been sold from begins anew with what is left: one unit cost for all of it.
                lot.quantity, lot.cost = lot.remaining, lot.left
            lot.quantity += opened
            lot.remaining += opened
            lot.cost += cost
            self.changes.lots[lot.key] = lot
        elif not position.quantity:
            self._close(position, NOTHING_RECEIVED, event.at)

    def _take(self, position: BookedPosition, match: ev.Match) -> None:
        lot = position.lots.get(match.lot) or self.changes.lots.get(match.lot) or self.shelf.lot(match.lot)
        if lot is None:
            raise RowNotFound(f"there is no lot {match.lot}", hint="sniper portfolio verify")
        lot.remaining -= int(match.quantity)
        position.basis -= int(match.cost)
        self.changes.lots[lot.key] = lot
        if not lot.remaining:
            position.lots.pop(lot.key, None)

    def _close(self, position: BookedPosition, rule: str, at: int) -> None:
        position.state, position.exit_rule, position.closed = PositionState.CLOSED, rule, at
        if self.positions.get(position.instrument_id) is position:
            del self.positions[position.instrument_id]
        if self.watch is not None:
            self.watch.closed(position, rule, at)

    def _count(
        self, order: BookedOrder, fill: BookedFill, quote: str, position: BookedPosition | None, sign: int = 1
    ) -> None:
        """The day's sums of the strategy and of the instrument."""
        day = day_of(fill.at)
        first = (day, order.strategy or "", quote)
        strategy = self._strategy_days.get(first)
        if strategy is None:
            strategy = self.shelf.strategy_day(first) or StrategyFigures()
            self._strategy_days[first] = strategy
        self.changes.strategy_days[first] = strategy
        realised = fill.realised
        strategy.realised += sign * realised
        strategy.fees += sign * fill.fee_value
        strategy.fills += sign
        if fill.side is Side.BUY:
            strategy.bought += sign * fill.notional
        else:
            strategy.sold += sign * fill.notional
        if realised > 0:
            strategy.wins += sign
            strategy.won += sign * realised
        elif realised < 0:
            strategy.losses += sign
            strategy.lost += sign * -realised
        second = (day, fill.instrument_id)
        traded = self._instrument_days.get(second)
        if traded is None:
            traded = self.shelf.instrument_day(second) or InstrumentFigures()
            self._instrument_days[second] = traded
        self.changes.instrument_days[second] = traded
        traded.quantity += sign * fill.quantity
        traded.notional += sign * fill.notional
        traded.fills += sign
        traded.realised += sign * realised
        traded.fees += sign * fill.fee_value
        now = position or self.positions.get(fill.instrument_id)
        traded.held, traded.basis = (now.quantity, now.basis) if now is not None else (0, 0)
        if self.watch is not None:
            lost = sign * (fill.fee_value - realised)
            self.watch.counted(day, order.strategy or "", quote, fill.instrument_id, lost)

    # -- what is taken back, written off, moved -----------------------------------------------------------------

    def _reversed(self, event: ev.Reversed, _seq: int) -> None:
        fill = self.shelf.fill(event.fill)
        if fill is None or fill.reversed_at is not None:
            raise RowNotFound(f"there is no fill {event.fill} to take back", hint="sniper portfolio verify")
        order = self.find_order(event.order)
        base, quote = self.pairs[order.instrument_id]
        fill.reversed_at = event.at
        self.changes.reversed_fills.append(fill)
        sign = 1 if fill.side is Side.BUY else -1
        self._trade(base, "buy" if sign > 0 else "sell", -sign * fill.quantity)
        self._trade(quote, "buy" if sign > 0 else "sell", sign * fill.notional)
        if fill.fee:
            self._trade(fill.fee_asset, "fee", fill.fee)
        self._hold(order, -1)
        order.filled_quantity -= fill.quantity
        order.filled_notional -= fill.notional
        order.version += 1
        order.updated = event.at
        position = self._reverse_position(order, fill, sign, event.at)
        self._settle(order)
        self._tell(order)
        self._count(order, fill, quote, position, -1)

    def _reverse_position(
        self, order: BookedOrder, fill: BookedFill, sign: int, at: int
    ) -> BookedPosition | None:
        """What the fill opened goes first, then what it had closed is open again: a turn touches two positions."""
        if fill.position_key is None:
            return None
        matches = self.shelf.matches(fill.key)
        lot = self._find_lot(fill.instrument_id, fill.key)
        position = None
        if lot is not None or not matches:
            position = self._unopen(order, fill, lot, matches, sign, at)
        if matches:
            position = self._unclose(order, fill, matches, sign, at)
        assert position is not None
        position.realised -= fill.realised
        position.fees -= fill.fee_value
        order.position_key = position.key
        return position

    def _unopen(
        self,
        order: BookedOrder,
        fill: BookedFill,
        lot: BookedLot | None,
        matches: list[BookedMatch],
        sign: int,
        at: int,
    ) -> BookedPosition:
        """Take back what a fill opened: its own lot, and what of it was pooled with another's."""
        assert fill.position_key is not None
        position = self._open_or_new(fill.position_key, order, at)
        base, _ = self.pairs[fill.instrument_id]
        kept = fill.fee if sign > 0 and fill.fee_asset == base else 0
        units = fill.quantity - kept - sum(match.quantity for match in matches)
        paid = cost = fill.notional - sum(match.proceeds for match in matches)
        if lot is not None:
            if lot.remaining != lot.quantity or lot.quantity > units:
                raise _too_early(fill)
            units, cost = units - lot.quantity, cost - lot.cost
            position.quantity -= sign * lot.quantity
            position.basis -= lot.cost
            self._drop(position, lot)
        if units:
            self._leave_pool(position, fill, units, cost, sign)
        self._pay(position, sign, -paid)
        position.version += 1
        if not position.quantity:
            self._close(position, REORGANISED, at)
        return position

    def _leave_pool(
        self, position: BookedPosition, fill: BookedFill, units: int, cost: int, sign: int
    ) -> None:
        """Take what a fill added to a pooled lot out of it."""
        lot = next(iter(position.lots.values()), None)
        if lot is None or lot.remaining != lot.quantity or lot.quantity < units:
            raise _too_early(fill)
        lot.quantity -= units
        lot.remaining -= units
        lot.cost -= cost
        position.quantity -= sign * units
        position.basis -= cost
        self.changes.lots[lot.key] = lot
        if not lot.quantity:
            self._drop(position, lot)

    def _drop(self, position: BookedPosition, lot: BookedLot) -> None:
        position.lots.pop(lot.key, None)
        self.changes.lots.pop(lot.key, None)
        self.changes.gone_lots.append(lot.key)

    def _unclose(
        self, order: BookedOrder, fill: BookedFill, matches: list[BookedMatch], sign: int, at: int
    ) -> BookedPosition:
        """Give back to their lots the units that a fill took."""
        position = None
        for match in matches:
            lot = self._find_lot(fill.instrument_id, match.lot_key)
            if lot is None:
                raise RowNotFound(f"there is no lot {match.lot_key}", hint="sniper portfolio verify")
            position = self._open_or_new(lot.position_key, order, at)
            if match.quantity > lot.quantity - lot.remaining:
                # A pool that has begun anew since: it takes back more than was sold of it.
                lot.quantity, lot.cost = lot.remaining + match.quantity, lot.left + match.cost
            lot.remaining += match.quantity
            position.lots[lot.key] = lot
            position.quantity -= sign * match.quantity
            position.basis += match.cost
            self.changes.lots[lot.key] = lot
        assert position is not None
        self.changes.gone_matches.append(fill.key)
        position.lots = dict(sorted(position.lots.items()))
        self._pay(position, sign, -sum(match.proceeds for match in matches))
        position.version += 1
        return position

    def _find_lot(self, instrument: str, key: str) -> BookedLot | None:
        """A lot, wherever it is: open, changed in this record, or used up."""
        position = self.positions.get(instrument)
        found = position.lots.get(key) if position is not None else None
        return found or self.changes.lots.get(key) or self.shelf.lot(key)

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
        self._tell(order)
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
            self._take(position, match)
            position.quantity -= sign * int(match.quantity)
            position.realised -= sign * int(match.cost)
            self.changes.matches.append(
                BookedMatch(event.act, match.lot, int(match.quantity), int(match.cost), 0)
            )
        position.version += 1
        self.changes.positions[position.key] = position
        if not position.quantity:
            self._close(position, event.rule, event.at)

    def _renamed(self, event: ev.Renamed, _seq: int) -> None:
        self.lot_method, self.margin = LotMethod(event.lot_method), Decimal(event.margin)
        self.changes.rules = True
        if self.lot_method is LotMethod.AVERAGE:
            for position in self.positions.values():
                self._pool(position)

    def _pool(self, position: BookedPosition) -> None:
        """Put what is left of a position's lots into its first: one unit cost for all. The others keep what is sold."""
        first, *others = position.lots.values()
        if not others:
            return
        first.quantity = first.remaining = abs(position.quantity)
        first.cost = position.basis
        self.changes.lots[first.key] = first
        for lot in others:
            lot.cost -= lot.left
            lot.quantity -= lot.remaining
            lot.remaining = 0
            if lot.quantity:
                position.lots.pop(lot.key)
                self.changes.lots[lot.key] = lot
            else:
                self._drop(position, lot)

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


class _Times(msgspec.Struct):
    """Of an order's terms, what the clock decides, and its group."""

    expires_at: int | None = None
    starts_at: int | None = None
    arrives_at: int | None = None
    cancels: str | None = None


_READ_TIMES = msgspec.json.Decoder(_Times)


def _times(order: BookedOrder) -> list[int]:
    """When something happens to an order by the clock. It ends in the first whole second at or after its expiry."""
    if order.terms_json is None or "s_at" not in order.terms_json:
        return []
    times = _READ_TIMES.decode(order.terms_json)
    found = [moment for moment in (times.starts_at, times.arrives_at) if moment is not None]
    if times.expires_at is not None:
        found.append(-(-times.expires_at // SECOND) * SECOND)
    return found


def _group(order: BookedOrder) -> str:
    assert order.terms_json is not None
    return _READ_TIMES.decode(order.terms_json).cancels or order.key


def _largest(claims: dict[str, Claims]) -> Claims:
    found: Claims = {}
    for claim in claims.values():
        for name, amount in claim.items():
            found[name] = max(amount, found.get(name, 0))
    return found


def _too_early(fill: BookedFill) -> IllegalTransition:
    return IllegalTransition(
        f"the trade {fill.trade} cannot be undone before those that closed what it opened"
    )


def _exit_rule(order: BookedOrder) -> str:
    """Which rule closed a position, by the reason of the order that did."""
    reason = order.reason if order.reason_json != "{}" else {}
    return str(reason.get("rule") or reason.get("origin") or "sold")


def ordered_lots(lots: Iterable[BookedLot], method: LotMethod) -> list[BookedLot]:
    """Open lots in the order in which a method takes them; average has one pooled lot."""
    oldest_first = list(lots)
    if method is LotMethod.LIFO:
        return oldest_first[::-1]
    if method is LotMethod.HIFO:
        return sorted(oldest_first, key=lambda lot: _Ratio(-lot.cost, lot.quantity))
    if method is LotMethod.LOFO:
        return sorted(oldest_first, key=lambda lot: _Ratio(lot.cost, lot.quantity))
    return oldest_first


class _Ratio:
    """A fraction that compares exactly, by cross-multiplication."""

    __slots__ = ("below", "over")

    def __init__(self, over: int, below: int) -> None:
        self.over, self.below = over, below

    def __lt__(self, other: _Ratio) -> bool:
        return self.over * other.below < other.over * self.below


__all__ = ["NOTHING_RECEIVED", "REORGANISED", "Book", "Movement", "Shelf", "ordered_lots"]

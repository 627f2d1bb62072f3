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

import msgspec

from sniper_cli.books import events as ev
from sniper_cli.books.around import Shelf, Watch
from sniper_cli.books.changes import Changes, Entry, InstrumentFigures, StrategyFigures
from sniper_cli.books.holdings import BookedFill, BookedLot, BookedMatch, BookedOrder, BookedPosition
from sniper_cli.books.undoing import pool_lots, reverse
from state.errors import RowNotFound
from state.orders import AT_VENUE, TRANSITIONS, WORKING, OrderState, OrderType, Side, TimeInForce
from state.positions import LotMethod, PositionState
from state.writing import day_of

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
            self.hold(order, 1)
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
        self.hold(order, 1)

    def hold(self, order: BookedOrder, sign: int) -> None:
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
        self.hold(order, -1)
        try:
            yield
        finally:
            self.hold(order, 1)

    def _changed(self, order: BookedOrder) -> None:
        if order.key not in self._new:
            self.changes.moved[order.key] = order

    def _moved(self, event: ev.Moved, _seq: int) -> None:
        order = self.find_order(event.order)
        self.hold(order, -1)
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
            self.hold(order, 1)
        else:
            self.orders.pop(order.key, None)

    def tell(self, order: BookedOrder) -> None:
        if order.key not in self._new and order.key not in self.changes.told[-1:]:
            self.changes.told.append(order.key)

    def _amended(self, event: ev.Amended, _seq: int) -> None:
        order = self.find_order(event.order)
        self.hold(order, -1)
        order.quantity = ev.whole(event.quantity)
        order.limit_price = None if event.price is None else Decimal(event.price)
        order.reserved = int(event.reserved)
        order.terms_json = ev.text_of(event.terms)
        if order.terms_json is not None:
            self.note_times(order)
        order.updated = event.at
        order.version += 1
        self.settle(order)
        self.tell(order)

    # -- trades -------------------------------------------------------------------------------------------------

    def _filled(self, event: ev.Filled, seq: int) -> None:
        order = self.orders.get(event.order) or self.find_order(event.order)
        base, quote = self.pairs[order.instrument_id]
        quantity, notional, fee = int(event.quantity), int(event.notional), int(event.fee)
        if order.side is _BUY:
            self.trade(base, "buy", quantity)
            self.trade(quote, "buy", -notional)
        else:
            self.trade(base, "sell", -quantity)
            self.trade(quote, "sell", notional)
        if fee:
            self.trade(event.fee_asset, "fee", -fee)
        self.hold(order, -1)
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
        self.settle(order)
        self.count(order, fill, quote, position)

    @staticmethod
    def _progress(order: BookedOrder) -> None:
        """A fill implies a state; of a budget only the venue knows whether it is spent."""
        done = order.quantity is not None and order.filled_quantity >= order.quantity
        state = _FILLED if done else _PARTIAL
        if order.state is not state and state in TRANSITIONS[order.state]:
            order.state = state

    def trade(self, asset: str, movement: str, amount: int) -> None:
        self.cash[asset] = self.cash.get(asset, 0) + amount
        trades = self.changes.trades
        key = (asset, movement)
        trades[key] = trades.get(key, 0) + amount

    def _book_position(self, event: ev.Filled, order: BookedOrder, fill: BookedFill) -> BookedPosition:
        """Close what the event says, open what it says; the position that it leaves."""
        assert event.position is not None
        sign = 1 if order.side is _BUY else -1
        position = self.open_or_new(event.position, order, event.at)
        closed = 0
        for match in event.closed:
            closed += int(match.quantity)
            self.take_lot(position, match)
            self.changes.matches.append(
                BookedMatch(event.fill, match.lot, int(match.quantity), int(match.cost), int(match.proceeds))
            )
        opened, cost = int(event.opened), int(event.cost)
        position.quantity += sign * closed
        position.realised += fill.realised
        position.fees += fill.fee_value
        self.pay(position, sign, fill.notional - cost)
        if event.closed and not position.quantity:
            self.close(position, _exit_rule(order), event.at)
        if event.flipped is not None:
            position = self.open_or_new(event.flipped, order, event.at)
        if opened or not event.closed:
            self.pay(position, sign, cost)
            self._enter(position, event, sign, opened, cost)
        position.version += 1
        return position

    def pay(self, position: BookedPosition, sign: int, amount: int) -> None:
        if sign > 0:
            position.spent += amount
        else:
            position.received += amount

    def open_or_new(self, key: str, order: BookedOrder, at: int) -> BookedPosition:
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
            self.close(position, NOTHING_RECEIVED, event.at)

    def take_lot(self, position: BookedPosition, match: ev.Match) -> None:
        lot = position.lots.get(match.lot) or self.changes.lots.get(match.lot) or self.shelf.lot(match.lot)
        if lot is None:
            raise RowNotFound(f"there is no lot {match.lot}", hint="sniper portfolio verify")
        lot.remaining -= int(match.quantity)
        position.basis -= int(match.cost)
        self.changes.lots[lot.key] = lot
        if not lot.remaining:
            position.lots.pop(lot.key, None)

    def close(self, position: BookedPosition, rule: str, at: int) -> None:
        position.state, position.exit_rule, position.closed = PositionState.CLOSED, rule, at
        if self.positions.get(position.instrument_id) is position:
            del self.positions[position.instrument_id]
        if self.watch is not None:
            self.watch.closed(position, rule, at)

    def count(
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
        reverse(self, event)

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
            self.take_lot(position, match)
            position.quantity -= sign * int(match.quantity)
            position.realised -= sign * int(match.cost)
            self.changes.matches.append(
                BookedMatch(event.act, match.lot, int(match.quantity), int(match.cost), 0)
            )
        position.version += 1
        self.changes.positions[position.key] = position
        if not position.quantity:
            self.close(position, event.rule, event.at)

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


def _exit_rule(order: BookedOrder) -> str:
    """Which rule closed a position, by the reason of the order that did."""
    reason = order.reason if order.reason_json != "{}" else {}
    return str(reason.get("rule") or reason.get("origin") or "sold")

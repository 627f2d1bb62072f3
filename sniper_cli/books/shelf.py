"""What is over, read back for the rare event that still concerns it: from the tables, or what they do not show yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from sniper_cli.books.changes import Changes, InstrumentFigures, StrategyFigures
from sniper_cli.books.holdings import BookedFill, BookedLot, BookedMatch, BookedOrder, BookedPosition
from state.orders import OrderState, OrderType, Side, TimeInForce
from state.positions import PositionState
from state.writing import Writer, read_hex, read_micros

ORDER = (
    "id, client_order_id, instrument_id, side, type, time_in_force, quantity, budget, limit_price, state, reserved, "
    "created_at, checks, reason, terms, explanation, venue_reference, position_id, launch_id, strategy, parent_id, "
    "filled_quantity, filled_notional, updated_at, version, recorded_seq, account_id"
)
POSITION = (
    "id, instrument_id, opened_at, quantity, spent, received, basis, fees, realised, state, exit_rule, closed_at, "
    "launch_id, strategy, version"
)
LOT = "id, position_id, quantity, remaining, cost, opened_at"
FILL = (
    "id, order_id, instrument_id, position_id, venue_trade_id, side, quantity, notional, fee_asset, fee, fee_value, "
    "realised, at, reversed_at, seq"
)


class Unwritten:
    """Changes that the tables do not show yet, by the record that made them.

    The structs are the book's own, so that what a later record changed of them is seen here too. Looked through from
    the newest on, one by one: that is rare, and the tables are half a second behind at most.
    """

    def __init__(self) -> None:
        self._changes: deque[tuple[int, Changes]] = deque()

    def keep(self, seq: int, changes: Changes) -> None:
        """A record was committed without its rows."""
        self._changes.append((seq, changes))

    def drop(self, seq: int) -> None:
        """The tables have been brought so far."""
        while self._changes and self._changes[0][0] <= seq:
            self._changes.popleft()

    def newest(self) -> Iterator[Changes]:
        return (changes for _, changes in reversed(self._changes))

    def order(self, key: str) -> BookedOrder | None:
        for changes in self.newest():
            found = changes.moved.get(key) or next((one for one in changes.orders if one.key == key), None)
            if found is not None:
                return found
        return None

    def fill(self, key: str) -> BookedFill | None:
        for changes in self.newest():
            for fill in (*changes.reversed_fills, *changes.fills):
                if fill.key == key:
                    return fill
        return None

    def knows_trade(self, order_key: str, trade: str) -> bool:
        fills = (fill for changes in self.newest() for fill in changes.fills)
        return any(fill.order_key == order_key and fill.trade == trade for fill in fills)

    def knows_movement(self, asset: str, movement: str, reference: str) -> bool:
        entries = (entry for changes in self.newest() for entry in changes.entries)
        return any(
            entry.asset_id == asset and entry.movement == movement and entry.reference == reference
            for entry in entries
        )

    def lot(self, key: str) -> tuple[bool, BookedLot | None]:
        """Whether anything became of it, and what: None where it is gone."""
        for changes in self.newest():
            if key in changes.lots:
                return True, changes.lots[key]
            if key in changes.gone_lots:
                return True, None
        return False, None

    def matches(self, fill_key: str) -> tuple[bool, list[BookedMatch]]:
        """Those that the tables lack, and whether they lack all: the fill is new, or was taken back."""
        for changes in self.newest():
            if fill_key in changes.gone_matches:
                return True, []
            found = [match for match in changes.matches if match.fill_key == fill_key]
            if found:
                return True, sorted(found, key=lambda match: match.lot_key)
        return False, []

    def position(self, key: str) -> BookedPosition | None:
        return next((changes.positions[key] for changes in self.newest() if key in changes.positions), None)


class TableShelf:
    """One account's rows, through the connection of the transaction at hand."""

    def __init__(self, writer: Writer, account_key: str) -> None:
        self.writer = writer
        self.account_key = account_key
        self.unwritten = Unwritten()

    def order(self, key: str) -> BookedOrder | None:
        return self.unwritten.order(key) or self._order(key)

    def _order(self, key: str) -> BookedOrder | None:
        row = self.writer.row(f'SELECT {ORDER} FROM "order" WHERE id = ?', (key,))  # noqa: S608
        return None if row is None else read_order(row)

    def find_client_id(self, client_id: str) -> str | None:
        query = 'SELECT id FROM "order" WHERE account_id = ? AND client_order_id = ?'
        row = self.writer.row(query, (self.account_key, client_id))
        return None if row is None else read_hex(row[0])

    def position(self, key: str) -> BookedPosition | None:
        return self.unwritten.position(key) or self._position(key)

    def _position(self, key: str) -> BookedPosition | None:
        row = self.writer.row(f"SELECT {POSITION} FROM position WHERE id = ?", (key,))  # noqa: S608
        if row is None:
            return None
        position = read_position(row)
        rows = self.writer.rows(f"SELECT {LOT} FROM lot WHERE position_id = ? ORDER BY id", (key,))  # noqa: S608
        lots = (read_lot(one) for one in rows)
        position.lots = {lot.key: lot for lot in lots if lot.remaining}
        return position

    def fill(self, key: str) -> BookedFill | None:
        found = self.unwritten.fill(key)
        if found is not None:
            return found
        row = self.writer.row(f"SELECT {FILL} FROM fill WHERE id = ?", (key,))  # noqa: S608
        return None if row is None else read_fill(row)

    def knows_trade(self, order_key: str, trade: str) -> bool:
        if self.unwritten.knows_trade(order_key, trade):
            return True
        query = "SELECT 1 FROM fill WHERE order_id = ? AND venue_trade_id = ?"
        return self.writer.row(query, (order_key, trade)) is not None

    def knows_movement(self, asset: str, movement: str, reference: str) -> bool:
        if self.unwritten.knows_movement(asset, movement, reference):
            return True
        query = "SELECT 1 FROM ledger_entry WHERE account_id = ? AND asset_id = ? AND movement = ? AND reference = ?"
        return self.writer.row(query, (self.account_key, asset, movement, reference)) is not None

    def lot(self, key: str) -> BookedLot | None:
        changed, lot = self.unwritten.lot(key)
        if changed:
            return lot
        row = self.writer.row(f"SELECT {LOT} FROM lot WHERE id = ?", (key,))  # noqa: S608
        return None if row is None else read_lot(row)

    def matches(self, fill_key: str) -> list[BookedMatch]:
        changed, found = self.unwritten.matches(fill_key)
        if changed:
            return found
        query = "SELECT fill_id, lot_id, quantity, cost, proceeds FROM lot_match WHERE fill_id = ? ORDER BY lot_id"
        return [
            BookedMatch(read_hex(a), read_hex(b), int(c), int(d), int(e))
            for a, b, c, d, e in self.writer.rows(query, (fill_key,))
        ]

    def strategy_day(self, key: tuple[object, str, str]) -> StrategyFigures | None:
        query = (
            "SELECT realised, fees, bought, sold, fills, wins, won, losses, lost FROM strategy_day "
            "WHERE account_id = ? AND day = ? AND strategy = ? AND quote_asset = ?"
        )
        row = self.writer.row(query, (self.account_key, str(key[0]), key[1], key[2]))
        return None if row is None else StrategyFigures(*(int(value) for value in row))

    def instrument_day(self, key: tuple[object, str]) -> InstrumentFigures | None:
        query = (
            "SELECT quantity, notional, fills, realised, fees, held, basis FROM instrument_day "
            "WHERE account_id = ? AND day = ? AND instrument_id = ?"
        )
        row = self.writer.row(query, (self.account_key, str(key[0]), key[1]))
        return None if row is None else InstrumentFigures(*(int(value) for value in row))

    def strategy_days(self, day: date) -> dict[tuple[date, str, str], StrategyFigures]:
        query = (
            "SELECT strategy, quote_asset, realised, fees, bought, sold, fills, wins, won, losses, lost "
            "FROM strategy_day WHERE account_id = ? AND day = ?"
        )
        return {
            (day, strategy, quote): StrategyFigures(*(int(value) for value in figures))
            for strategy, quote, *figures in self.writer.rows(query, (self.account_key, str(day)))
        }

    def instrument_days(self, day: date) -> dict[tuple[date, str], InstrumentFigures]:
        query = (
            "SELECT instrument_id, quantity, notional, fills, realised, fees, held, basis "
            "FROM instrument_day WHERE account_id = ? AND day = ?"
        )
        return {
            (day, instrument): InstrumentFigures(*(int(value) for value in figures))
            for instrument, *figures in self.writer.rows(query, (self.account_key, str(day)))
        }


class NotHere(Exception):
    """Something is asked for that only the tables know."""


class Elsewhere:
    """The shelf while records of another process are taken in.

    The tables may show already what these records do: what is not in memory cannot be brought forward from there.
    `days`: where a day's sums are, for a record that the tables do not show.
    """

    def __init__(self, days: TableShelf | None) -> None:
        self._days = days

    def order(self, key: str) -> BookedOrder | None:
        raise NotHere(key)

    def find_client_id(self, client_id: str) -> str | None:
        raise NotHere(client_id)

    def position(self, key: str) -> BookedPosition | None:
        raise NotHere(key)

    def fill(self, key: str) -> BookedFill | None:
        raise NotHere(key)

    def knows_trade(self, order_key: str, trade: str) -> bool:
        raise NotHere(order_key, trade)

    def knows_movement(self, asset: str, movement: str, reference: str) -> bool:
        raise NotHere(asset, movement, reference)

    def lot(self, key: str) -> BookedLot | None:
        raise NotHere(key)

    def matches(self, fill_key: str) -> list[BookedMatch]:
        raise NotHere(fill_key)

    def strategy_day(self, key: tuple[object, str, str]) -> StrategyFigures | None:
        return None if self._days is None else self._days.strategy_day(key)

    def instrument_day(self, key: tuple[object, str]) -> InstrumentFigures | None:
        return None if self._days is None else self._days.instrument_day(key)


def read_order(row: Any) -> BookedOrder:
    """A row of `ORDER`'s columns."""
    return BookedOrder(
        read_hex(row[0]),
        row[1],
        row[2],
        Side(row[3]),
        OrderType(row[4]),
        TimeInForce(row[5]),
        _whole(row[6]),
        _whole(row[7]),
        None if row[8] is None else Decimal(row[8]),
        OrderState(row[9]),
        int(row[10]),
        read_micros(row[11]),
        row[12],
        row[13],
        row[14],
        row[15],
        row[16],
        _key(row[17]),
        _key(row[18]),
        row[19],
        _key(row[20]),
        int(row[21]),
        int(row[22]),
        read_micros(row[23]),
        row[24],
        row[25],
        read_hex(row[26]),
    )


def read_position(row: Any) -> BookedPosition:
    """A row of `POSITION`'s columns, without its lots."""
    return BookedPosition(
        read_hex(row[0]),
        row[1],
        read_micros(row[2]),
        int(row[3]),
        int(row[4]),
        int(row[5]),
        int(row[6]),
        int(row[7]),
        int(row[8]),
        PositionState(row[9]),
        row[10],
        None if row[11] is None else read_micros(row[11]),
        _key(row[12]),
        row[13],
        row[14],
    )


def read_lot(row: Any) -> BookedLot:
    """A row of `LOT`'s columns."""
    return BookedLot(
        read_hex(row[0]), read_hex(row[1]), int(row[2]), int(row[3]), int(row[4]), read_micros(row[5])
    )


def read_fill(row: Any) -> BookedFill:
    """A row of `FILL`'s columns."""
    return BookedFill(
        read_hex(row[0]),
        read_hex(row[1]),
        row[2],
        _key(row[3]),
        row[4],
        Side(row[5]),
        int(row[6]),
        int(row[7]),
        row[8],
        int(row[9]),
        int(row[10]),
        int(row[11]),
        read_micros(row[12]),
        None if row[13] is None else read_micros(row[13]),
        row[14],
    )


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)


def _key(value: Any) -> str | None:
    return None if value is None else read_hex(value)

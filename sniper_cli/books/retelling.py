"""The journal told again from its first trading record on, and held against the tables while it is being told.

The books of all accounts are folded by the same `Book.apply` that wrote them. What a stretch of records changed is
compared with the tables at its end: a row that is as told is let go of, and what a later record changes of it is read
back from the table, which has just been proved. So memory holds what is at work, what the tables tell otherwise and a
number for every position and lot; not a million orders.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from typing import Any

from sniper_cli.books.book import Book
from sniper_cli.books.changes import Changes, Entry, InstrumentFigures, StrategyFigures
from sniper_cli.books.differences import THERE, UNTOLD, Difference
from sniper_cli.books.events import decode
from sniper_cli.books.holdings import BookedFill, BookedLot, BookedMatch, BookedOrder, BookedPosition
from sniper_cli.books.shelf import FILL, LOT, ORDER, POSITION, read_fill, read_lot, read_order, read_position
from sniper_cli.books.tables import (
    BALANCES,
    CHANGES,
    ENTRIES,
    FILLS,
    INSTRUMENT_DAYS,
    LOTS,
    MATCHES,
    ORDERS,
    POSITIONS,
    RULES,
    STRATEGY_DAYS,
    InstrumentDayKey,
    Spelling,
    StrategyDayKey,
    key_of,
)
from sniper_cli.books.tallies import Entries, Tally, against
from sniper_cli.books.upgraded import Carry
from state.errors import SniperError
from state.reading import Reader
from state.writing import read_hex, read_micros

STRETCH = 20_000
"""Events between two comparisons."""

RECORDS = "SELECT seq, at, subject, body FROM journal WHERE kind LIKE 'desk.%' AND seq <= ? ORDER BY seq"

Progress = Callable[[int], None]
"""Called with the last record told."""


class Telling:
    """One account as its records tell it; the shelf of its own book."""

    def __init__(
        self,
        account: str,
        reader: Reader,
        pairs: dict[str, tuple[str, str]],
        carry: Carry | None,
        remember: Container[str] = (),
    ) -> None:
        self.account = account
        self.reader = reader
        self.carry = carry
        self.book = Book(account, self, pairs)
        self._orders = Tally(ORDERS, reader, account, remember)
        self._changes = Tally(CHANGES, reader, account, remember)
        self._fills = Tally(FILLS, reader, account, remember)
        self._positions = Tally(POSITIONS, reader, account, remember)
        self._lots = Tally(LOTS, reader, account, remember)
        self._matches = Tally(MATCHES, reader, account, remember)
        self._entries = Entries(ENTRIES, reader, account, remember)
        self.strategy_days: dict[StrategyDayKey, StrategyFigures] = {}
        self.instrument_days: dict[InstrumentDayKey, InstrumentFigures] = {}
        self._known_positions: set[int] = set()
        self._known_lots: set[int] = set()
        self._undone: dict[str, list[str]] = {}
        """Lots that a fill had been taken from when it was taken back."""

    @property
    def tallies(self) -> tuple[Tally[Any], ...]:
        return (
            self._orders, self._changes, self._fills, self._positions, self._lots, self._matches, self._entries,
        )  # fmt: skip

    # -- the shelf ----------------------------------------------------------------------------------------------

    def order(self, key: str) -> BookedOrder | None:
        found = self._orders.find(key)
        if found is None and (row := self._row(ORDER, "order", key)) is not None:
            found = read_order(row)
        return found

    def position(self, key: str) -> BookedPosition | None:
        if _tail(key) not in self._known_positions:
            return None  # the table's row is what it will have become
        found = self._positions.find(key)
        if found is None and (row := self._row(POSITION, "position", key)) is not None:
            found = read_position(row)
        return found

    def fill(self, key: str) -> BookedFill | None:
        found = self._fills.find(key)
        if found is None and (row := self._row(FILL, "fill", key)) is not None:
            found = read_fill(row)
        return found

    def lot(self, key: str) -> BookedLot | None:
        if _tail(key) not in self._known_lots:
            return None
        found = self._lots.find(key)
        if found is None and (row := self._row(LOT, "lot", key)) is not None:
            found = read_lot(row)
        return found

    def matches(self, fill_key: str) -> list[BookedMatch]:
        query = "SELECT fill_id, lot_id, quantity, cost, proceeds FROM lot_match WHERE fill_id = ?"
        rows = self.reader.rows(query, (fill_key,))
        found = {
            read_hex(lot): BookedMatch(fill_key, read_hex(lot), *(int(amount) for amount in amounts))
            for _, lot, *amounts in rows
        }
        found |= {match.lot_key: match for match in self._matches.unfound() if match.fill_key == fill_key}
        self._undone[fill_key] = list(found)
        return [found[lot] for lot in sorted(found)]

    def find_client_id(self, client_id: str) -> str | None:
        raise AssertionError(f"nobody places {client_id} while the journal is told")

    def knows_trade(self, order_key: str, trade: str) -> bool:
        raise AssertionError(f"nobody trades {trade} of {order_key} while the journal is told")

    def knows_movement(self, asset: str, movement: str, reference: str) -> bool:
        raise AssertionError(f"nobody moves {asset} for {reference} ({movement}) while the journal is told")

    def strategy_day(self, key: Any) -> StrategyFigures | None:
        return None if self.carry is None else self.carry.strategy_days.get(key)

    def instrument_day(self, key: Any) -> InstrumentFigures | None:
        return None if self.carry is None else self.carry.instrument_days.get(key)

    def _row(self, columns: str, table: str, key: str) -> Any:
        return self.reader.row(f'SELECT {columns} FROM "{table}" WHERE id = ?', (key,))  # noqa: S608

    # -- telling ------------------------------------------------------------------------------------------------

    def tell(self, seq: int, at: int, body: str) -> int:
        """One record; how many events it has."""
        events = decode(body).data.events
        apply = self.book.apply
        for event in events:
            apply(event, seq)
        self.book.seq = seq
        self._take(self.book.take_changes(), seq, at)
        return len(events)

    def _take(self, changes: Changes, seq: int, at: int) -> None:
        for order in changes.orders:
            self._orders.tell(order.key, order)
        self._orders.told += len(changes.orders)
        for key, order in changes.moved.items():
            self._orders.tell(key, order)
        for key in dict.fromkeys(changes.told):
            self._changes.tell((key, seq), (key, seq))
            self._changes.told += 1
        for fill in changes.fills:
            self._fills.tell(fill.key, fill)
        self._fills.told += len(changes.fills)
        for fill in changes.reversed_fills:
            self._fills.tell(fill.key, fill)
        self._take_lots(changes)
        self._take_cash(changes, seq, at)
        self.strategy_days |= changes.strategy_days
        self.instrument_days |= changes.instrument_days

    def _take_lots(self, changes: Changes) -> None:
        for key, position in changes.positions.items():
            self._positions.tell(key, position)
            self._known_positions.add(_tail(key))
        self._positions.told = len(self._known_positions)
        for key, lot in changes.lots.items():
            self._lots.tell(key, lot)
            self._known_lots.add(_tail(key))
        for match in changes.matches:
            self._matches.tell((match.fill_key, match.lot_key), match)
        self._matches.told += len(changes.matches)
        for fill_key in changes.gone_matches:
            for lot_key in self._undone.pop(fill_key):
                self._matches.forget((fill_key, lot_key))
        for key in changes.gone_lots:
            self._lots.forget(key)
            self._known_lots.discard(_tail(key))
        self._lots.told = len(self._known_lots)

    def _take_cash(self, changes: Changes, seq: int, at: int) -> None:
        for (asset, movement), amount in changes.trades.items():
            entry = Entry(asset, movement, amount, f"record:{seq}", at)
            self._entries.tell((self.account, asset, movement, entry.reference), entry)
        for entry in changes.entries:
            self._entries.tell((self.account, entry.asset_id, entry.movement, entry.reference), entry)
        self._entries.told += len(changes.trades) + len(changes.entries)

    def compare(self) -> None:
        """Hold the last stretch against the tables."""
        for tally in self.tallies:
            tally.compare()
        self.book.forget_recent()
        self.book.timetable.next()

    # -- the end ------------------------------------------------------------------------------------------------

    def differences(self) -> Iterator[Difference]:
        """Everything of this account that the tables tell otherwise."""
        for tally in self.tallies:
            yield from tally.differences()
        yield from self._small(BALANCES, self.book.cash.items())
        before = self.carry.strategy_days if self.carry is not None else {}
        yield from self._small(STRATEGY_DAYS, (before | self.strategy_days).items())
        yield from self._small(INSTRUMENT_DAYS, self._instrument_days())
        yield from self._small(RULES, [self.book], column="id")

    def _small(
        self,
        spelling: Spelling[Any],
        things: Iterable[Any],
        *,
        column: str = "account_id",
    ) -> Iterator[Difference]:
        """A table with few rows an account, compared as a whole."""
        names = self.reader.columns(spelling.model, spelling.names)
        query = f'SELECT {names} FROM "{spelling.table}" WHERE {column} = ?'  # noqa: S608
        rows = {tuple(row[: spelling.keys]): tuple(row) for row in self.reader.stream(query, (self.account,))}
        for thing in things:
            expected = spelling.row(self.account, thing)
            yield from against(spelling, expected, rows.pop(expected[: spelling.keys], None))
        for key in rows:
            yield Difference(spelling.table, key_of(key), "row", UNTOLD, THERE)

    def _instrument_days(self) -> Iterator[tuple[InstrumentDayKey, InstrumentFigures]]:
        """The days told, and those before: what was held at their ends stands in the table alone."""
        yield from self.instrument_days.items()
        if self.carry is None:
            return
        query = (
            "SELECT held, basis FROM instrument_day WHERE account_id = ? AND day = ? AND instrument_id = ?"
        )
        for (day, instrument), figures in self.carry.instrument_days.items():
            if (day, instrument) not in self.instrument_days:
                row = self.reader.row(query, (self.account, str(day), instrument))
                if row is not None:
                    figures.held, figures.basis = (int(amount) for amount in row)
                yield (day, instrument), figures


class Retelling:
    """All accounts, told from the journal's first trading record up to the place that the tables have reached."""

    def __init__(self, reader: Reader, carried: dict[str, Carry], *, remember: Container[str] = ()) -> None:
        """`remember`: tables whose told keys are kept."""
        self.reader = reader
        self.carried = carried
        self.remember = remember
        self.pairs = {
            row[0]: (row[1], row[2])
            for row in reader.rows("SELECT id, base_asset, quote_asset FROM instrument")
        }
        self.accounts: dict[str, Telling] = {}
        self.records = 0
        self.unreadable: dict[str, Difference] = {}
        """Accounts whose telling ended at a record that cannot follow what came before it."""

    def tell(self, until: int, progress: Progress = lambda _: None) -> None:
        """Fold every trading record up to `until`; an account's telling ends where one cannot follow."""
        events = 0
        for seq, at, subject, body in self.reader.stream(RECORDS, (until,), size=50):
            self.records += 1
            telling = self.of(subject)
            if telling.account in self.unreadable:
                continue
            try:
                events += telling.tell(seq, read_micros(at), body)
            except (SniperError, LookupError, ValueError, TypeError) as error:
                said = error.message if isinstance(error, SniperError) else repr(error)
                broken = Difference("journal", str(seq), "record", "can be told", said)
                self.unreadable[telling.account] = broken
            if events >= STRETCH:
                events = 0
                self.compare()
                progress(seq)
        self.compare()

    def of(self, subject: str) -> Telling:
        """The telling of the account that a record names."""
        account = read_hex(subject.replace("-", ""))
        telling = self.accounts.get(account)
        if telling is None:
            carry = self.carried.get(account)
            telling = Telling(account, self.reader, self.pairs, carry, self.remember)
            self.accounts[account] = telling
        return telling

    def compare(self) -> None:
        for telling in self.accounts.values():
            telling.compare()

    def differences(self) -> Iterator[Difference]:
        """What the tables tell otherwise, of every account that could be told to its end."""
        for account, telling in self.accounts.items():
            if account in self.unreadable:
                yield self.unreadable[account]
            else:
                yield from telling.differences()

    def told(self) -> dict[str, int]:
        """How many rows of each table the journal tells."""
        counts: dict[str, int] = {}
        for tally in self._tallies():
            table = tally.spelling.table
            counts[table] = counts.get(table, 0) + tally.told
        return counts

    def keys(self, table: str) -> set[Any]:
        """The keys of a remembered table."""
        found = [tally.keys for tally in self._tallies() if tally.spelling.table == table and tally.keys]
        return set().union(*found)

    def _tallies(self) -> Iterator[Tally[Any]]:
        for telling in self.accounts.values():
            yield from telling.tallies


def _tail(key: str) -> int:
    """An id's random half: enough to know it again, in a third of the memory."""
    return int(key[16:], 16)

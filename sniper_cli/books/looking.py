"""What events do not repeat, looked up in the tables for a page of records at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session

from sniper_cli.books import events as ev
from state.orders import Order
from state.reading import Reader
from state.writing import read_hex, read_micros

LISTINGS = (
    "SELECT i.id, i.symbol, b.symbol, b.decimals, q.symbol, q.decimals FROM instrument i "
    "JOIN asset b ON b.id = i.base_asset JOIN asset q ON q.id = i.quote_asset WHERE i.id IN ({keys})"
)
ORDERS = 'SELECT id, side, instrument_id FROM "order" WHERE id IN ({keys})'
POSITIONS = (
    "SELECT id, instrument_id, closed_at, exit_rule, spent, received, fees, realised FROM position "
    "WHERE id IN ({keys})"
)
FILLS = "SELECT id, quantity, notional FROM fill WHERE id IN ({keys})"
ASSETS = "SELECT id, symbol, decimals FROM asset WHERE id IN ({keys})"


@dataclass(frozen=True, slots=True)
class Listed:
    """An instrument's names and decimals; of a bare asset only `quote`."""

    symbol: str
    base: str = ""
    base_decimals: int = 0
    quote: str = ""
    decimals: int = 0


@dataclass(slots=True)
class Known:
    """What was found."""

    orders: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Side and instrument."""
    positions: dict[str, Sequence[Any]] = field(default_factory=dict)
    fills: dict[str, tuple[str, str]] = field(default_factory=dict)
    listings: dict[str, Listed] = field(default_factory=dict)
    assets: dict[str, Listed] = field(default_factory=dict)
    endings: dict[str, str] = field(default_factory=dict)
    """The trade, or the act, that closed a position."""

    def side(self, order: str) -> str | None:
        found = self.orders.get(order)
        return None if found is None else found[0]

    def listed(self, order: str) -> Listed | None:
        """The instrument of an order."""
        found = self.orders.get(order)
        return None if found is None else self.listings.get(found[1])

    def listed_position(self, position: str) -> Listed | None:
        """The instrument of a position."""
        found = self.positions.get(position)
        return None if found is None else self.listings.get(found[1])

    def counted_in(self, asset: str) -> Listed | None:
        """An asset, as what an amount is counted in."""
        return self.assets.get(asset)

    def fill(self, key: str) -> dict[str, Any]:
        """What a trade had moved."""
        found = self.fills.get(key)
        return {} if found is None else {"quantity": found[0], "notional": found[1]}

    def ended(self, position: str, cause: str) -> bool:
        """Whether this trade, or act, was the one that closed the position; not if it is open again."""
        return self.endings.get(position) == cause

    def outcome(self, position: str) -> dict[str, Any]:
        """What a closed position brought, by which rule."""
        _, _, _, rule, *amounts = self.positions[position]
        spent, received, fees, realised = (str(int(amount)) for amount in amounts)
        return {"rule": rule, "spent": spent, "received": received, "fees": fees, "realised": realised}


def places(session: Session, orders: Sequence[Order]) -> list[int]:
    """Where the journal tells these orders: their recording, their changes, their fills."""
    if not orders:
        return []
    keys = [order.id.hex for order in orders]
    reader = Reader(session)
    found = {order.recorded_seq for order in orders}
    for query in (
        "SELECT seq FROM order_change WHERE order_id IN ({keys})",
        "SELECT seq FROM fill WHERE order_id IN ({keys})",
    ):
        found |= {row[0] for row in reader.by_keys(query, keys)}
    return sorted(found - {0})  # what the first edition wrote has no place here: its records name the order


class Look:
    """One page's look into the tables."""

    def __init__(self, session: Session) -> None:
        self._reader = Reader(session)

    def at(self, events: Sequence[ev.Event]) -> Known:
        """Everything that these events refer to and do not say."""
        known = Known()
        if not events:
            return known
        self._orders(known, events)
        self._positions(known, events)
        undone = {event.fill for event in events if isinstance(event, ev.Reversed)}
        for key, quantity, notional in self._read(FILLS, undone):
            known.fills[read_hex(key)] = str(int(quantity)), str(int(notional))
        instruments = {instrument for _, instrument in known.orders.values()}
        instruments |= {row[1] for row in known.positions.values()}
        for key, *names in self._read(LISTINGS, instruments):
            known.listings[key] = Listed(*names)
        assets = {event.asset for event in events if isinstance(event, ev.Movement)}
        for key, symbol, decimals in self._read(ASSETS, assets):
            known.assets[key] = Listed(symbol, quote=symbol, decimals=decimals)
        return known

    def _orders(self, known: Known, events: Iterable[ev.Event]) -> None:
        told = (event for event in events if isinstance(event, ev.Recorded))
        known.orders |= {event.order: (event.side, event.instrument) for event in told}
        about = (ev.Moved, ev.Amended, ev.Filled, ev.Reversed, ev.Movement)
        meant = {event.order for event in events if isinstance(event, about) and event.order is not None}
        for key, side, instrument in self._read(ORDERS, meant - known.orders.keys()):
            known.orders[read_hex(key)] = side, instrument

    def _positions(self, known: Known, events: Sequence[ev.Event]) -> None:
        """Positions that were left, and which of these events was the last to take from each."""
        left: dict[str, list[tuple[int, str]]] = {}
        for event in events:
            if isinstance(event, ev.Filled) and event.position and (event.closed or not int(event.opened)):
                left.setdefault(event.position, []).append((event.at, event.fill))
            elif isinstance(event, ev.WrittenOff):
                left.setdefault(event.position, []).append((event.at, event.act))
        for row in self._read(POSITIONS, left):
            key = read_hex(row[0])
            known.positions[key] = row
            if row[2] is not None:
                closed = read_micros(row[2])
                causes = [cause for at, cause in left[key] if at == closed]
                known.endings |= {key: causes[-1]} if causes else {}

    def _read(self, query: str, keys: Iterable[str]) -> Iterable[Any]:
        return self._reader.by_keys(query, list(keys))

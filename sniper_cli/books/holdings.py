"""What a book holds in memory: orders, positions and lots as plain structs, without the database's weight.

A struct of msgspec without the garbage collector's header is made in 0.2 µs and never walked by a collection; the
tables' classes take a hundred times that. The field names are those of the tables.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from state.errors import IllegalTransition
from state.orders import AT_VENUE, TRANSITIONS, WORKING, Order, OrderState, OrderType, Side, TimeInForce
from state.positions import PositionState
from state.writing import instant


class BookedOrder(msgspec.Struct, gc=False):
    """An order as the book knows it; what the table's `Order` shows once it is projected."""

    key: str
    """Its id as 32 hexadecimal digits."""
    client_order_id: str
    instrument_id: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    quantity: int | None
    budget: int | None
    limit_price: Decimal | None
    state: OrderState
    reserved: int
    at: int
    checks_json: str = "[]"
    reason_json: str = "{}"
    terms_json: str | None = None
    explanation: str | None = None
    venue_reference: str | None = None
    position_key: str | None = None
    launch_key: str | None = None
    strategy: str | None = None
    parent_key: str | None = None
    filled_quantity: int = 0
    filled_notional: int = 0
    updated: int = 0
    version: int = 0
    seq: int = 0
    account_key: str = ""

    @property
    def id(self) -> UUID:
        return UUID(self.key)

    @property
    def account_id(self) -> UUID:
        return UUID(self.account_key)

    @property
    def position_id(self) -> UUID | None:
        return None if self.position_key is None else UUID(self.position_key)

    @property
    def launch_id(self) -> UUID | None:
        return None if self.launch_key is None else UUID(self.launch_key)

    @property
    def parent_id(self) -> UUID | None:
        return None if self.parent_key is None else UUID(self.parent_key)

    @property
    def created_at(self) -> datetime:
        return instant(self.at)

    @property
    def updated_at(self) -> datetime:
        return instant(self.updated or self.at)

    @property
    def recorded_seq(self) -> int:
        return self.seq

    @property
    def checks(self) -> list[Any]:
        found: list[Any] = msgspec.json.decode(self.checks_json)
        return found

    @property
    def reason(self) -> dict[str, Any]:
        found: dict[str, Any] = msgspec.json.decode(self.reason_json)
        return found

    @property
    def terms(self) -> dict[str, Any] | None:
        found: dict[str, Any] | None = (
            None if self.terms_json is None else msgspec.json.decode(self.terms_json)
        )
        return found

    @property
    def is_working(self) -> bool:
        return self.state in WORKING

    @property
    def is_at_venue(self) -> bool:
        return self.state in AT_VENUE

    @property
    def left(self) -> int | None:
        """Base units still to trade; None for a budget."""
        return None if self.quantity is None else self.quantity - self.filled_quantity

    @property
    def still_reserved(self) -> int:
        """What of the reservation its fills have not used up; nothing while it is held here, and once it is over."""
        return max(0, self.reserved - self.filled_notional) if self.state in AT_VENUE else 0

    def move_to(self, state: OrderState, at: int, explanation: str | None = None) -> None:
        """Take a legal next state; raises IllegalTransition for any other."""
        if state not in TRANSITIONS[self.state]:
            raise IllegalTransition(f"order {self.id} is {self.state} and cannot become {state}")
        self.state = state
        self.updated = at
        self.version += 1
        if explanation is not None:
            self.explanation = explanation or None


AnyOrder = BookedOrder | Order
"""An order as the book has it or as the table shows it: alike to whoever reads it."""


class BookedLot(msgspec.Struct, gc=False):
    """What one fill opened, and what is left of it."""

    key: str
    position_key: str
    quantity: int
    remaining: int
    cost: int
    at: int

    @property
    def left(self) -> int:
        """What of the cost is in the units that are left; cut so that all cuts add up to the cost."""
        return (
            self.cost - self.cost * (self.quantity - self.remaining) // self.quantity if self.quantity else 0
        )

    @property
    def id(self) -> str:
        return self.key

    @property
    def opened_at(self) -> datetime:
        return instant(self.at)


class BookedPosition(msgspec.Struct, gc=False):
    """Holdings of one instrument, from the first trade until nothing is left."""

    key: str
    instrument_id: str
    at: int
    quantity: int = 0
    spent: int = 0
    received: int = 0
    basis: int = 0
    fees: int = 0
    realised: int = 0
    state: PositionState = PositionState.OPEN
    exit_rule: str | None = None
    closed: int | None = None
    launch_key: str | None = None
    strategy: str | None = None
    version: int = 0
    lots: dict[str, BookedLot] = {}
    """Open lots, oldest first."""


class BookedFill(msgspec.Struct, gc=False):
    """A trade of ours, as it will stand in the table."""

    key: str
    order_key: str
    instrument_id: str
    position_key: str | None
    trade: str
    side: Side
    quantity: int
    notional: int
    fee_asset: str
    fee: int
    fee_value: int
    realised: int
    at: int
    reversed_at: int | None = None
    seq: int = 0


class BookedMatch(msgspec.Struct, gc=False):
    """Which lot a closing fill was taken from."""

    fill_key: str
    lot_key: str
    quantity: int
    cost: int
    proceeds: int

"""What can happen to an account, as the journal keeps it: the only source of orders, fills, positions, lots and cash.

An event is written where it is decided and carries every figure of the decision (which lots a sale was taken from,
which position it closed), so that whoever reads it later has nothing to decide. In a record's bytes an event is a JSON
array that begins with its letter; a thousand of them are one record of some 200 kB.

Ids are 32 hexadecimal digits, times microseconds since 1970 in UTC, amounts base units. A number that a JSON reader
might take for a double (2^53 and more: token amounts) is written as text.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from state.columns import canonical

Whole = int | str

WIDE = 2**53

if TYPE_CHECKING:
    Given = msgspec.Raw | None
else:
    Given = msgspec.Raw
"""A JSON value or nothing. The decoder takes no `Raw | None` for anything but null; null it gives back as a `Raw`."""

NOTHING = msgspec.Raw(b"null")
EMPTY = msgspec.Raw(b"{}")
NONE_TRIED = msgspec.Raw(b"[]")


class Recorded(msgspec.Struct, array_like=True, tag="R", tag_field="event", gc=False):
    """An order was asked for; `state` says whether it was refused, is held here, or goes to the venue."""

    order: str
    client_id: str
    instrument: str
    side: str
    type: str
    tif: str
    quantity: Whole | None
    budget: Whole | None
    price: str | None
    state: str
    reserved: Whole
    at: int
    checks: msgspec.Raw = NONE_TRIED
    reason: msgspec.Raw = EMPTY
    terms: Given = None
    explanation: str | None = None
    venue_reference: str | None = None
    position: str | None = None
    launch: str | None = None
    strategy: str | None = None
    parent: str | None = None
    filled_quantity: Whole = 0
    filled_notional: Whole = 0


class Moved(msgspec.Struct, array_like=True, tag="M", tag_field="event", gc=False):
    """An order took another state, or something was said of it (`state` then is the one it has)."""

    order: str
    state: str
    at: int
    explanation: str | None = None
    venue_reference: str | None = None
    facts: Given = None


class Amended(msgspec.Struct, array_like=True, tag="A", tag_field="event", gc=False):
    """An order's terms were changed; everything it now has."""

    order: str
    quantity: Whole | None
    price: str | None
    reserved: Whole
    terms: Given
    at: int
    facts: Given = None
    """What it was before."""


class Match(msgspec.Struct, array_like=True, gc=False):
    """A part of a lot that a closing trade took."""

    lot: str
    quantity: Whole
    cost: Whole
    proceeds: Whole


class Filled(msgspec.Struct, array_like=True, tag="F", tag_field="event", gc=False):
    """A trade of ours: what it moved, what it closed and what it opened."""

    fill: str
    order: str
    trade: str
    quantity: Whole
    notional: Whole
    fee_asset: str
    fee: Whole
    fee_value: Whole
    """The fee in quote units; 0 where it was taken from the units bought."""
    at: int
    position: str | None = None
    """The position that it closes a part of, or adds to."""
    closed: tuple[Match, ...] = ()
    realised: Whole = 0
    opened: Whole = 0
    """Base units that it opened, into the lot `lot`."""
    cost: Whole = 0
    lot: str | None = None
    flipped: str | None = None
    """The position on the other side that what it opened belongs to."""


class Reversed(msgspec.Struct, array_like=True, tag="U", tag_field="event", gc=False):
    """A reorganisation took a fill back."""

    fill: str
    order: str
    trade: str
    at: int


class Movement(msgspec.Struct, array_like=True, tag="C", tag_field="event", gc=False):
    """Cash or coins moved without a trade: a deposit, gas, funding, a transfer. The same reference counts once."""

    asset: str
    movement: str
    amount: Whole
    reference: str
    at: int
    order: str | None = None
    """The order whose position bears the cost."""
    facts: Given = None


class WrittenOff(msgspec.Struct, array_like=True, tag="W", tag_field="event", gc=False):
    """Units of a position are gone without a trade; its lots shrink for no proceeds."""

    act: str
    position: str
    rule: str
    matches: tuple[Match, ...]
    at: int


class Renamed(msgspec.Struct, array_like=True, tag="L", tag_field="event", gc=False):
    """The account's own rules changed: its lot method or its margin."""

    lot_method: str
    margin: str


class Settled(msgspec.Struct, array_like=True, tag="S", tag_field="event", gc=False):
    """The market has been replayed for the account up to this second (paper)."""

    until: int


class CarriedBalance(msgspec.Struct, array_like=True, tag="K", tag_field="event", gc=False):
    """What the books held when this journal began to tell them."""

    asset: str
    amount: Whole


class CarriedLot(msgspec.Struct, array_like=True, gc=False):
    """A lot as it stood then."""

    lot: str
    quantity: Whole
    remaining: Whole
    cost: Whole
    at: int


class CarriedPosition(msgspec.Struct, array_like=True, tag="P", tag_field="event", gc=False):
    """A position as it stood then."""

    position: str
    instrument: str
    quantity: Whole
    spent: Whole
    received: Whole
    basis: Whole
    fees: Whole
    realised: Whole
    at: int
    launch: str | None
    strategy: str | None
    lots: tuple[CarriedLot, ...]
    version: int = 0


Event = (
    Recorded
    | Moved
    | Amended
    | Filled
    | Reversed
    | Movement
    | WrittenOff
    | Renamed
    | Settled
    | CarriedBalance
    | CarriedPosition
)


class Batch(msgspec.Struct, gc=False):
    """The data of a trading record."""

    events: list[Event]


class Body(msgspec.Struct, gc=False):
    """A trading record's bytes. The fields stand in alphabetical order: the journal's one spelling."""

    actor: str
    at: str
    data: Batch
    kind: str
    seq: int
    subject: str


_ENCODER = msgspec.json.Encoder(decimal_format="string")
_BODIES = msgspec.json.Decoder(Body)


def encode(body: Body) -> str:
    """The bytes that are hashed, as text."""
    return _ENCODER.encode(body).decode()


def decode(body: str | bytes) -> Body:
    """A trading record read back."""
    return _BODIES.decode(body)


def wide(units: int) -> Whole:
    """A whole number as it may stand in JSON."""
    return units if -WIDE < units < WIDE else str(units)


def wide_or_none(units: int | None) -> Whole | None:
    return None if units is None else wide(units)


def whole(value: Whole | None) -> int | None:
    """A whole number as it stood in JSON."""
    return None if value is None else int(value)


def raw(value: Any) -> msgspec.Raw:
    """A JSON value in the journal's spelling, ready to stand in an event."""
    return msgspec.Raw(canonical(value).encode())


def text_of(value: Given) -> str | None:
    """The JSON of such a value; None for nothing."""
    return None if value is None or value == NOTHING else bytes(value).decode()


def price_text(price: Decimal | None) -> str | None:
    return None if price is None else format(price, "f")

"""Orders and fills, and the one table of what may follow what.

Both are projections of the journal. An order stands in the journal, committed, before any venue hears of it. A
crash in between leaves it RECORDED or SENT with its fate unknown; reconciliation settles that before anything
else happens on the account.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, Session, SQLModel, col, select

from state.columns import (
    BinaryText,
    Exact,
    json_field,
    optional_json,
    optional_units,
    units_field,
    utc_now,
    word_field,
)
from state.errors import IllegalTransition
from state.identifiers import new_id


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"


class OrderType(StrEnum):
    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    """At the market, once the price has come through the trigger against us."""
    STOP_LIMIT = "stop_limit"
    TAKE_PROFIT = "take_profit"
    """At the market, once the price has come through the trigger in our favour."""
    TRAILING_STOP = "trailing_stop"
    """At the market, once the price has turned back from its best by an amount or a share."""


TRIGGERED = frozenset({OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT, OrderType.TRAILING_STOP})
"""Types that wait for a price before they trade."""


class TimeInForce(StrEnum):
    GTC = "gtc"
    """Good till cancelled."""
    IOC = "ioc"
    """Immediate or cancel: what does not fill at once is cancelled."""
    FOK = "fok"
    """Fill or kill: all at once or nothing."""
    GTD = "gtd"
    """Good till a date: `expires_at` in the terms."""
    DAY = "day"
    """Good till the end of the day in UTC."""


RESTING = frozenset({TimeInForce.GTC, TimeInForce.GTD, TimeInForce.DAY})
"""Times in force under which what is not filled at once waits in the book."""


class OrderState(StrEnum):
    REFUSED = "refused"
    """A check said no; no venue heard of it."""
    HELD = "held"
    """Waits here, not at the venue: for a trigger, a time, or another order's fill."""
    RECORDED = "recorded"
    """Committed here, not yet sent. After a crash its fate is to be found out."""
    SENT = "sent"
    """Given to the venue, not yet acknowledged or mined."""
    OPEN = "open"
    """Acknowledged: resting in a book or waiting in a mempool."""
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    """The venue said no, or the transaction reverted."""
    DROPPED = "dropped"
    """It can no longer happen: another transaction took its nonce, or it was never sent and is given up."""


S = OrderState

TRANSITIONS: dict[OrderState, frozenset[OrderState]] = {
    S.HELD: frozenset(
        {S.RECORDED, S.OPEN, S.PARTIALLY_FILLED, S.FILLED, S.CANCELLED, S.EXPIRED, S.REJECTED, S.REFUSED}
    ),
    S.RECORDED: frozenset(
        {S.SENT, S.OPEN, S.PARTIALLY_FILLED, S.FILLED, S.REJECTED, S.DROPPED, S.CANCELLED, S.EXPIRED}
    ),
    S.SENT: frozenset({S.OPEN, S.PARTIALLY_FILLED, S.FILLED, S.REJECTED, S.DROPPED, S.CANCELLED, S.EXPIRED}),
    S.OPEN: frozenset({S.PARTIALLY_FILLED, S.FILLED, S.REJECTED, S.DROPPED, S.CANCELLED, S.EXPIRED}),
    S.PARTIALLY_FILLED: frozenset({S.PARTIALLY_FILLED, S.FILLED, S.CANCELLED, S.EXPIRED}),
    # A fill may still arrive for an order believed gone: a venue's late report, or a transaction given up too early.
    S.CANCELLED: frozenset({S.PARTIALLY_FILLED, S.FILLED}),
    S.EXPIRED: frozenset({S.PARTIALLY_FILLED, S.FILLED}),
    # A reorganisation of the chain undoes what was mined: the order is on its way again.
    S.DROPPED: frozenset({S.SENT, S.PARTIALLY_FILLED, S.FILLED, S.REJECTED}),
    S.REJECTED: frozenset({S.SENT}),
    S.FILLED: frozenset({S.SENT}),
    S.REFUSED: frozenset(),
}
"""What may follow each state. Anything else raises, and nothing is written."""

AT_VENUE = frozenset({S.RECORDED, S.SENT, S.OPEN, S.PARTIALLY_FILLED})
"""States in which something may still happen at the venue."""

WORKING = AT_VENUE | {S.HELD}
"""States in which something may still happen."""

UNRESOLVED = frozenset({S.RECORDED, S.SENT})
"""States whose fate a restart must find out."""


def _where_given(column: str) -> sa.Index:
    """An index of the few rows that have a value there."""
    given = sa.text(f"{column} IS NOT NULL")
    return sa.Index(f"ix_order_{column}", column, sqlite_where=given)


class Order(SQLModel, table=True):
    """An order, refused ones included. Quantities are base units of the instrument's assets."""

    __tablename__ = "order"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    account_id: UUID
    client_order_id: str = Field(sa_type=BinaryText)
    instrument_id: str
    side: Side = word_field(Side)
    type: OrderType = word_field(OrderType)
    time_in_force: TimeInForce = word_field(TimeInForce)
    quantity: int | None = optional_units()
    """Base units to buy or sell; none for a buy that says what to spend."""
    budget: int | None = optional_units()
    """Quote units to spend, for a buy."""
    limit_price: Decimal | None = Field(default=None, sa_column=sa.Column(Exact, nullable=True))
    """Quote per base, in whole assets (not units)."""
    terms: dict[str, Any] | None = optional_json()
    """What only some orders have: trigger, trail, display, expiry, links to other orders."""
    state: OrderState = word_field(OrderState)
    reason: dict[str, Any] = json_field()
    """Why it was asked for: origin, rule, signal and their figures."""
    checks: list[Any] = json_field(list)
    """Every check tried, with its figures: `[name, value, bound, …]`, or an object where a sentence was needed."""
    explanation: str | None = None
    """Why it was refused, rejected or dropped, for a person."""
    reserved: int = units_field(default=0)
    """Quote units held aside for it while it works: what it may cost at most, gas included."""
    venue_reference: str | None = None
    """The venue's own id: an exchange's order id or a transaction hash."""
    filled_quantity: int = units_field(default=0)
    filled_notional: int = units_field(default=0)
    strategy: str | None = None
    """Which strategy asked; none for a person."""
    parent_id: UUID | None = None
    """The order that this one belongs to: a bracket's entry, a ladder, a schedule."""
    launch_id: UUID | None = None
    position_id: UUID | None = None
    created_at: datetime = Field(default_factory=utc_now)
    updated_at: datetime = Field(default_factory=utc_now)
    version: int = 0
    recorded_seq: int = Field(default=0, sa_type=sa.BigInteger)
    """The journal record that it was recorded in; 0 for an order older than that."""

    __table_args__ = (
        sa.UniqueConstraint("account_id", "client_order_id"),
        sa.Index("ix_order_history", "account_id", "id"),
        _where_given("venue_reference"),
        _where_given("launch_id"),
        _where_given("position_id"),
        _where_given("parent_id"),
    )

    def move_to(
        self, state: OrderState, *, at: datetime | None = None, explanation: str | None = None
    ) -> None:
        """Take a legal next state; raises IllegalTransition for any other."""
        if state not in TRANSITIONS[self.state]:
            raise IllegalTransition(f"order {self.id} is {self.state} and cannot become {state}")
        self.state = state
        self.updated_at = at or utc_now()
        self.version += 1
        if explanation is not None:
            self.explanation = explanation

    @property
    def is_working(self) -> bool:
        return self.state in WORKING

    @property
    def is_at_venue(self) -> bool:
        return self.state in AT_VENUE

    @property
    def still_reserved(self) -> int:
        """What of the reservation its fills have not used up; nothing while it is held here, and once it is over."""
        return max(0, self.reserved - self.filled_notional) if self.is_at_venue else 0


_WORDS = ", ".join(f"'{state.value}'" for state in sorted(WORKING))
_ORDERS = sa.inspect(Order).local_table
_OPEN = sa.text(f"state IN ({_WORDS})")
sa.Index(
    "ix_order_open",
    _ORDERS.c.account_id,
    _ORDERS.c.id,
    sqlite_where=_OPEN,
)


def is_working() -> sa.ColumnElement[bool]:
    """Orders with something still to happen. Spelled out, for only so does the partial index serve a query."""
    return sa.literal_column(f'"order".state IN ({_WORDS})', sa.Boolean)


class OrderChange(SQLModel, table=True):
    """Where the journal tells what became of an order after it was recorded, its fills apart (they know theirs)."""

    __tablename__ = "order_change"

    order_id: UUID = Field(primary_key=True)
    seq: int = Field(primary_key=True, sa_type=sa.BigInteger)


class Fill(SQLModel, table=True):
    """What a venue really did. Keyed by the venue's own trade id: applied twice, it counts once.

    Both sides of a trade may be ours, so the key is the order with the trade.
    """

    id: UUID = Field(default_factory=new_id, primary_key=True)
    order_id: UUID
    account_id: UUID
    instrument_id: str
    position_id: UUID | None = None
    venue_trade_id: str = Field(sa_type=BinaryText)
    side: Side = word_field(Side)
    quantity: int = units_field()
    """Base units that reached us or left us."""
    notional: int = units_field()
    """Quote units paid or received."""
    fee_asset: str
    fee: int = units_field()
    fee_value: int = units_field(default=0)
    """The fee in quote units; 0 where it was taken from the units bought."""
    realised: int = units_field(default=0)
    """Profit in quote units on what of it closed, fees apart."""
    at: datetime = Field(default_factory=utc_now)
    reversed_at: datetime | None = None
    """When a reorganisation took it back; a reversed fill counts for nothing and stays for the record."""
    seq: int = Field(default=0, sa_type=sa.BigInteger)
    """The journal record that tells it."""

    __table_args__ = (
        sa.UniqueConstraint("order_id", "venue_trade_id"),
        sa.Index("ix_fill_account_at", "account_id", "at"),
    )


def find_by_client_id(session: Session, account_id: UUID, client_order_id: str) -> Order | None:
    """The order recorded under a client order id."""
    query = select(Order).where(Order.account_id == account_id, Order.client_order_id == client_order_id)
    return session.exec(query).first()


def working_orders(session: Session, account_id: UUID) -> list[Order]:
    """Orders with something still to happen, oldest first."""
    query = select(Order).where(Order.account_id == account_id, is_working()).order_by(col(Order.id))
    return list(session.exec(query).all())


def fills_of(session: Session, order_id: UUID) -> list[Fill]:
    """An order's fills, oldest first."""
    return list(session.exec(select(Fill).where(Fill.order_id == order_id).order_by(col(Fill.id))).all())

"""Orders and fills, and the one table of what may follow what.

An order stands here, committed, before any venue hears of it. A crash in between leaves it RECORDED or SENT
with its fate unknown; reconciliation settles that before anything else happens on the account.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, Session, SQLModel, col, select

from state.columns import Exact, json_field, optional_units, units_field, utc_now, word_field
from state.errors import IllegalTransition
from state.identifiers import new_id


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"


class OrderType(StrEnum):
    MARKET = "market"
    LIMIT = "limit"


class TimeInForce(StrEnum):
    GTC = "gtc"
    """Good till cancelled."""
    IOC = "ioc"
    """Immediate or cancel: what does not fill at once is cancelled."""
    FOK = "fok"
    """Fill or kill: all at once or nothing."""


class OrderState(StrEnum):
    REFUSED = "refused"
    """A check said no; no venue heard of it."""
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

WORKING = frozenset({S.RECORDED, S.SENT, S.OPEN, S.PARTIALLY_FILLED})
"""States in which something may still happen at the venue."""

UNRESOLVED = frozenset({S.RECORDED, S.SENT})
"""States whose fate a restart must find out."""


class Order(SQLModel, table=True):
    """An order, refused ones included. Quantities are base units of the instrument's assets."""

    __tablename__ = "order"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    account_id: UUID = Field(foreign_key="account.id", index=True)
    client_order_id: str
    fingerprint: str
    """SHA-256 of the intent: the same client order id with another one is refused."""
    instrument_id: str = Field(foreign_key="instrument.id", index=True)
    side: Side = word_field(Side)
    type: OrderType = word_field(OrderType)
    time_in_force: TimeInForce = word_field(TimeInForce)
    quantity: int | None = optional_units()
    """Base units to buy or sell; none for a buy that says what to spend."""
    budget: int | None = optional_units()
    """Quote units to spend, for a buy."""
    limit_price: Decimal | None = Field(default=None, sa_column=sa.Column(Exact, nullable=True))
    """Quote per base, in whole assets (not units)."""
    state: OrderState = word_field(OrderState, index=True)
    reason: dict[str, Any] = json_field()
    """Why it was asked for: origin, rule, signal and their figures."""
    checks: list[dict[str, Any]] = json_field(list)
    """Every check tried, with its figures, pass or fail."""
    explanation: str | None = None
    """Why it was refused, rejected or dropped, for a person."""
    reserved: int = units_field(default=0)
    """Quote units held aside for it while it works: what it may cost at most, gas included."""
    venue_reference: str | None = Field(default=None, index=True)
    """The venue's own id: an exchange's order id or a transaction hash."""
    filled_quantity: int = units_field(default=0)
    filled_notional: int = units_field(default=0)
    launch_id: UUID | None = Field(default=None, index=True)
    position_id: UUID | None = Field(default=None, index=True)
    created_at: datetime = Field(default_factory=utc_now)
    updated_at: datetime = Field(default_factory=utc_now)
    version: int = 0

    __table_args__ = (sa.UniqueConstraint("account_id", "client_order_id"),)

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
    def still_reserved(self) -> int:
        """What of the reservation its fills have not used up; nothing once it is over."""
        return max(0, self.reserved - self.filled_notional) if self.is_working else 0


class Fill(SQLModel, table=True):
    """What a venue really did. Keyed by the venue's own trade id: applied twice, it counts once."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    order_id: UUID = Field(foreign_key="order.id", index=True)
    account_id: UUID = Field(foreign_key="account.id")
    venue_trade_id: str
    side: Side = word_field(Side)
    quantity: int = units_field()
    """Base units that reached us or left us."""
    notional: int = units_field()
    """Quote units paid or received."""
    fee_asset: str = Field(foreign_key="asset.id")
    fee: int = units_field()
    at: datetime = Field(default_factory=utc_now)
    reversed_at: datetime | None = None
    """When a reorganisation took it back; a reversed fill counts for nothing and stays for the record."""

    __table_args__ = (sa.UniqueConstraint("account_id", "venue_trade_id"),)


def find_by_client_id(session: Session, account_id: UUID, client_order_id: str) -> Order | None:
    """The order recorded under a client order id."""
    query = select(Order).where(Order.account_id == account_id, Order.client_order_id == client_order_id)
    return session.exec(query).first()


def working_orders(session: Session, account_id: UUID) -> list[Order]:
    """Orders with something still to happen, oldest first."""
    query = (
        select(Order)
        .where(Order.account_id == account_id, col(Order.state).in_(WORKING))
        .order_by(col(Order.id))
    )
    return list(session.exec(query).all())


def fills_of(session: Session, order_id: UUID) -> list[Fill]:
    """An order's fills, oldest first."""
    return list(session.exec(select(Fill).where(Fill.order_id == order_id).order_by(col(Fill.id))).all())

"""Positions and their lots: what is held, what it cost, what it is worth now, and how it shall be left."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, Session, SQLModel, col, select

from state.columns import json_field, optional_units, units_field, utc_now, word_field
from state.identifiers import new_id


class PositionState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class LotMethod(StrEnum):
    """Which lots a closing trade takes first."""

    FIFO = "fifo"
    LIFO = "lifo"
    HIFO = "hifo"
    """Highest unit cost first: the smallest gain."""
    LOFO = "lofo"
    AVERAGE = "average"
    """One pooled lot a position: every unit cost the same."""
    SPECIFIC = "specific"
    """Those that the order names."""


class Position(SQLModel, table=True):
    """Holdings of one instrument in one account, from the first trade until nothing is left.

    Amounts of the base asset are its units; all values are quote units. A projection of the journal, but for the
    marks and the exit rules, which are observations and plans.
    """

    id: UUID = Field(default_factory=new_id, primary_key=True)
    account_id: UUID = Field(index=True)
    instrument_id: str = Field(index=True)
    launch_id: UUID | None = Field(default=None, index=True)
    strategy: str | None = None
    """Of the order that opened it."""
    state: PositionState = word_field(PositionState, default=PositionState.OPEN, index=True)
    quantity: int = units_field(default=0)
    """Signed: a short position is negative."""
    spent: int = units_field(default=0)
    """Everything paid for buys, fees and gas apart."""
    received: int = units_field(default=0)
    """Everything that sales brought in."""
    basis: int = units_field(default=0)
    """What the open lots cost; of a short position, what their sale brought in."""
    fees: int = units_field(default=0)
    """Fees and gas in quote units (on a chain: wei, including approvals and failed attempts)."""
    realised: int = units_field(default=0)
    """Profit on what was closed, fees apart: what the closing side brought less what the opening side cost."""
    mark_value: int | None = optional_units()
    """What selling everything now would bring, by the venue's exact formula."""
    marked_at: datetime | None = None
    peak_value: int = units_field(default=0)
    """The highest mark so far: the trailing stop hangs on it."""
    exit_rules: dict[str, Any] = json_field()
    exit_rule: str | None = None
    """Which rule closed it."""
    opened_at: datetime = Field(default_factory=utc_now)
    closed_at: datetime | None = None
    version: int = 0

    __table_args__ = (
        sa.Index(
            "ix_position_closed",
            "account_id",
            "closed_at",
            sqlite_where=sa.text("state = 'closed'"),
        ),
    )

    @property
    def profit(self) -> int:
        """Received plus mark less everything paid, in quote units."""
        return (
            self.received
            + (self.mark_value or 0) * (self.state is PositionState.OPEN)
            - self.spent
            - self.fees
        )

    @property
    def cost(self) -> int:
        """What is still in it: the cost of the lots not yet closed, in quote units."""
        return self.basis

    @property
    def is_long(self) -> bool:
        return self.quantity >= 0


class Lot(SQLModel, table=True):
    """What one fill opened, and what is left of it. It has the fill's id; a pooled lot has the first fill's."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    position_id: UUID = Field(index=True)
    quantity: int = units_field()
    """Base units, whichever the side."""
    remaining: int = units_field()
    cost: int = units_field()
    """Quote units paid for `quantity`; of a short lot, received for it."""
    opened_at: datetime = Field(default_factory=utc_now)


class LotMatch(SQLModel, table=True):
    """Which lot a closing fill was taken from: profit, stories and tax lots add up by it, and it can be undone."""

    __tablename__ = "lot_match"

    fill_id: UUID = Field(primary_key=True)
    """The closing fill, or the act that wrote units off."""
    lot_id: UUID = Field(primary_key=True)
    quantity: int = units_field()
    cost: int = units_field()
    """This part's share of what the lot cost (short: brought in)."""
    proceeds: int = units_field()
    """Its share of what closing brought in (short: cost)."""


def open_positions(session: Session, account_id: UUID | None = None) -> list[Position]:
    """Positions not yet closed, oldest first."""
    query = select(Position).where(Position.state == PositionState.OPEN).order_by(col(Position.id))
    if account_id is not None:
        query = query.where(Position.account_id == account_id)
    return list(session.exec(query).all())


def open_position(session: Session, account_id: UUID, instrument_id: str) -> Position | None:
    """The open position in an instrument."""
    query = select(Position).where(
        Position.account_id == account_id,
        Position.instrument_id == instrument_id,
        Position.state == PositionState.OPEN,
    )
    return session.exec(query).first()


def lots_of(session: Session, position_id: UUID) -> list[Lot]:
    """A position's lots with something left, oldest first (FIFO)."""
    query = select(Lot).where(Lot.position_id == position_id).order_by(col(Lot.id))
    return [lot for lot in session.exec(query).all() if lot.remaining > 0]


def matches_of(session: Session, fill_id: UUID) -> list[LotMatch]:
    """The lots that a sale was taken from, oldest first."""
    return list(
        session.exec(select(LotMatch).where(LotMatch.fill_id == fill_id).order_by(col(LotMatch.lot_id))).all()
    )


def positions_newest_first(session: Session, limit: int) -> list[Position]:
    """The latest positions, open and closed."""
    return list(session.exec(select(Position).order_by(sa.desc(col(Position.id))).limit(limit)).all())

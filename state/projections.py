"""How far the tables follow the journal, and the sums that reports read in place of a million rows.

The tables of orders, fills, positions, lots and cash are projections of the journal. `Projection` says which record
they have reached; the day tables are kept with them, in the same transaction, because a profit by day over a
million fills would take a second to add up.
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, Session, SQLModel

from state.columns import units_field

DESK = "desk"


class Projection(SQLModel, table=True):
    """`seq`: the last trading record that the tables contain. The last one written is the journal head's `desk_seq`."""

    name: str = Field(primary_key=True)
    seq: int = Field(default=0, sa_type=sa.BigInteger)


def lag(session: Session) -> int:
    """How many records the tables are behind the journal, at most; 0 where they show everything."""
    query = sa.text(
        "SELECT h.desk_seq - p.seq FROM journal_head h, projection p WHERE h.name = 'journal' AND p.name = 'desk'"
    )
    return max(0, int(session.execute(query).scalar() or 0))


class StrategyDay(SQLModel, table=True):
    """What a strategy did in an account on one day (UTC), in units of one quote asset."""

    __tablename__ = "strategy_day"

    account_id: UUID = Field(primary_key=True)
    day: date = Field(primary_key=True)
    strategy: str = Field(primary_key=True)
    """Empty for what a person did."""
    quote_asset: str = Field(primary_key=True)
    realised: int = units_field(default=0)
    """Before fees."""
    fees: int = units_field(default=0)
    bought: int = units_field(default=0)
    sold: int = units_field(default=0)
    fills: int = 0
    wins: int = 0
    """Closing fills that made money, and how much together."""
    won: int = units_field(default=0)
    losses: int = 0
    lost: int = units_field(default=0)


class InstrumentDay(SQLModel, table=True):
    """What an account traded in an instrument on one day, and what it held at the day's last trade."""

    __tablename__ = "instrument_day"

    account_id: UUID = Field(primary_key=True)
    day: date = Field(primary_key=True)
    instrument_id: str = Field(primary_key=True)
    quantity: int = units_field(default=0)
    """Base units traded, both sides: notional over quantity is the volume-weighted price."""
    notional: int = units_field(default=0)
    fills: int = 0
    realised: int = units_field(default=0)
    fees: int = units_field(default=0)
    held: int = units_field(default=0)
    """Base units of the position after the day's last fill, signed."""
    basis: int = units_field(default=0)
    """What they cost."""

    __table_args__ = (sa.Index("ix_instrument_day", "instrument_id", "day"),)

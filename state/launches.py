"""Launches: pools that appeared, what was found out about their tokens, and what was decided."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, Session, SQLModel, col, select

from state.columns import json_field, optional_units, utc_now, word_field
from state.identifiers import new_id


class Verdict(StrEnum):
    """Three-valued on purpose: what is not proven is never shown or counted as safe."""

    PENDING = "pending"
    SAFE = "safe"
    UNSAFE = "unsafe"
    NOT_PROVEN = "not_proven"


class Decision(StrEnum):
    WAITING = "waiting"
    BOUGHT = "bought"
    REFUSED = "refused"
    """The token did not pass."""
    SKIPPED = "skipped"
    """The token passed; a limit, a missing fund or the kill switch kept us out."""


class Source(StrEnum):
    """How a launch came to our notice."""

    LOG = "log"
    PENDING = "pending"
    """A waiting transaction announced it; its block is not known before its log arrives."""
    SCAN = "scan"
    """Found when history was read; never bought."""


class Occasion(StrEnum):
    """Why a token was judged."""

    LAUNCH = "launch"
    HOLDING = "holding"
    """Again, while a position in it was held."""
    FOLLOW_UP = "follow_up"
    """Afterwards, to learn whether the verdict had been right."""
    COMMAND = "command"


class Launch(SQLModel, table=True):
    """A pool seen for the first time. Unique by chain and pool: seen twice, judged and bought once."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    chain_id: int = Field(sa_type=sa.BigInteger)
    protocol: str
    factory: str
    pool: str
    token: str = Field(index=True)
    quote_token: str
    """The wrapped coin; in a v4 pool also the zero address, which stands for the coin itself."""
    fee: int | None = None
    """The pool's fee in hundredths of a basis point."""
    tick_spacing: int | None = None
    hooks: str | None = None
    """The contract that a v4 pool calls around every swap."""
    source: Source = word_field(Source, default=Source.LOG)
    deployer: str | None = None
    """Who sent the transaction that made the pool."""
    symbol: str = ""
    name: str = ""
    decimals: int | None = None
    liquidity: int | None = optional_units()
    """The pool's reserve of the quote token when it was judged."""
    block_number: int = Field(sa_type=sa.BigInteger)
    block_hash: str
    tx_hash: str
    seen_at: datetime = Field(default_factory=utc_now)
    vanished_at: datetime | None = None
    """When a reorganisation took its block away; none while its block stands, and again once it has come back."""
    judged_at: datetime | None = None
    latency_us: int | None = Field(default=None, sa_type=sa.BigInteger)
    """Microseconds from the event's arrival to the verdict."""
    verdict: Verdict = word_field(Verdict, default=Verdict.PENDING)
    classification: str | None = None
    """What the scenarios say it is: `ok`, `tax`, `honeypot`, `time_trap`, `cooldown` …"""
    reasons: list[str] = json_field(list)
    report: dict[str, Any] = json_field()
    """The whole safety report: every check with its figure."""
    decision: Decision = word_field(Decision, default=Decision.WAITING)
    order_id: UUID | None = None

    __table_args__ = (sa.UniqueConstraint("chain_id", "pool"),)


class Judgement(SQLModel, table=True):
    """One judgement of a token: the verdict of a moment, with the dossier it rests on. Never changed afterwards."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    chain_id: int = Field(sa_type=sa.BigInteger)
    launch_id: UUID | None = Field(default=None, index=True)
    position_id: UUID | None = None
    token: str = Field(index=True)
    pool: str
    occasion: Occasion = word_field(Occasion)
    block_number: int = Field(sa_type=sa.BigInteger)
    block_hash: str
    verdict: Verdict = word_field(Verdict)
    classification: str
    reasons: list[str] = json_field(list)
    dossier: dict[str, Any] = json_field()
    latency_us: int | None = Field(default=None, sa_type=sa.BigInteger)
    at: datetime = Field(default_factory=utc_now)


class ChainCursor(SQLModel, table=True):
    """How far a stream of a chain has been read, with the hash that proves it is still the same chain."""

    __tablename__ = "chain_cursor"

    chain_id: int = Field(primary_key=True, sa_type=sa.BigInteger)
    stream: str = Field(primary_key=True)
    block_number: int = Field(sa_type=sa.BigInteger)
    block_hash: str
    updated_at: datetime = Field(default_factory=utc_now)


def judgements_of(session: Session, launch_id: UUID) -> list[Judgement]:
    """A launch's judgements, oldest first."""
    query = select(Judgement).where(Judgement.launch_id == launch_id).order_by(col(Judgement.id))
    return list(session.exec(query).all())


def find_launch(session: Session, chain_id: int, pool: str) -> Launch | None:
    """The launch of a pool, if it was ever seen."""
    return session.exec(select(Launch).where(Launch.chain_id == chain_id, Launch.pool == pool)).first()

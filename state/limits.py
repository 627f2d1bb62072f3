"""Limits on what may be at stake, as people set them. What they mean stands in `sniper_cli.risk`."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlmodel import Field, Session, SQLModel, col, select

from state.columns import json_field, units_field, utc_now, word_field


class LimitScope(StrEnum):
    """Whom a limit binds. What is set on a wide scope holds in every narrower one."""

    TENANT = "tenant"
    """Each account of the tenant, by itself."""
    ACCOUNT = "account"
    STRATEGY = "strategy"
    """A strategy's orders, in whatever account."""
    INSTRUMENT = "instrument"
    """Orders in an instrument, in whatever account."""


class OnBreach(StrEnum):
    """What happens when an order would break a limit, or when what is held has broken it by itself."""

    REFUSE = "refuse"
    TRIP = "trip"
    """The kill switch of the account (of a strategy's limit: of the strategy) trips as well."""
    FLATTEN = "flatten"
    """… and positions are closed."""


class RiskLimit(SQLModel, table=True):
    """One limit. Value and unit are text as a person gave them, checked when they were given."""

    __tablename__ = "risk_limit"

    scope_kind: LimitScope = word_field(LimitScope, primary_key=True)
    scope_id: str = Field(primary_key=True)
    """The tenant's or the strategy's name, the account's or the instrument's id."""
    name: str = Field(primary_key=True)
    part: str = Field(default="", primary_key=True)
    """Which group of instruments, for a limit that there may be several of."""
    value: str
    unit: str
    on_breach: OnBreach = word_field(OnBreach, default=OnBreach.REFUSE)
    terms: dict[str, Any] = json_field()
    """What only some limits have: the members of a group, the seconds of a cooldown."""
    version: int = 0
    actor: str = ""
    at: datetime = Field(default_factory=utc_now)


class EquityPeak(SQLModel, table=True):
    """The highest equity that an account was seen at since a limit on its fall was set. An observation, like a mark."""

    __tablename__ = "equity_peak"

    account_id: UUID = Field(primary_key=True)
    peak: int = units_field()
    flow: int = units_field()
    """Deposits less withdrawals up to then: money moved in or out is neither a gain nor a fall."""
    at: datetime = Field(default_factory=utc_now)


def limits_in_order(session: Session) -> list[RiskLimit]:
    """Every limit, by scope, name and part."""
    query = select(RiskLimit).order_by(
        col(RiskLimit.scope_kind), col(RiskLimit.scope_id), col(RiskLimit.name), col(RiskLimit.part)
    )
    return list(session.exec(query).all())

"""Endpoints: the nodes, relays and venues' addresses that an operator works with, and how each was last found.

The list is the desk's, shared by all its processes. A reading is what one process found about one endpoint a
moment ago: written now and then for whoever looks (a screen, a command), never read on the way of an order.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, Session, SQLModel, col, select

from state.columns import json_field, utc_now, word_field
from state.identifiers import new_id


class EndpointKind(StrEnum):
    NODE = "node"
    """A chain's node: JSON-RPC over HTTP, subscriptions over WebSocket."""
    RELAY = "relay"
    """Takes transactions and bundles past the public mempool."""
    REST = "rest"
    """A venue's or a data source's API."""


class Endpoint(SQLModel, table=True):
    """One address. `url` may hold `{secret:NAME}`, which is filled in from the secret stores where it is used."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    name: str = Field(unique=True)
    kind: EndpointKind = word_field(EndpointKind)
    url: str
    ws_url: str = ""
    """Derived from `url` when empty."""
    chain_id: int | None = Field(default=None, sa_type=sa.BigInteger, index=True)
    venue: str | None = None
    weight: int = 1
    """Its share of the load where a pool spreads by weight."""
    enabled: bool = True
    terms: dict[str, Any] = json_field()
    """Rate limit, headers by name of their secret, what a relay understands."""
    created_at: datetime = Field(default_factory=utc_now)


class EndpointReading(SQLModel, table=True):
    """What one process last found about one endpoint."""

    __tablename__ = "endpoint_reading"

    endpoint_id: UUID = Field(primary_key=True)
    observer: str = Field(primary_key=True)
    """Host and process."""
    state: str
    """`healthy`, `lagging`, `frozen`, `failing`, `open`, `half_open`, `wrong_chain`, `unknown`."""
    head: int | None = Field(default=None, sa_type=sa.BigInteger)
    figures: dict[str, Any] = json_field()
    """Head lag and age, latencies (microseconds), calls, errors, capabilities."""
    at: datetime = Field(default_factory=utc_now)


def endpoints(
    session: Session, *, kind: EndpointKind | None = None, chain_id: int | None = None
) -> list[Endpoint]:
    """The endpoints in the order in which they were added."""
    query = select(Endpoint).order_by(col(Endpoint.id))
    if kind is not None:
        query = query.where(Endpoint.kind == kind)
    if chain_id is not None:
        query = query.where(Endpoint.chain_id == chain_id)
    return list(session.exec(query).all())


def find_endpoint(session: Session, name: str) -> Endpoint | None:
    """The endpoint of a name."""
    return session.exec(select(Endpoint).where(Endpoint.name == name)).first()


__all__ = ["Endpoint", "EndpointKind", "EndpointReading", "endpoints", "find_endpoint"]

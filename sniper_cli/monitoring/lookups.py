"""Orders and positions together with what their instruments say of them, and orders' transactions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from sniper_cli.monitoring.rows import Found
from state.accounts import Asset, Instrument
from state.orders import Order
from state.positions import Position
from state.transactions import ChainTransaction


def find_orders(
    session: Session, condition: Any, *, limit: int | None = None, newest: bool = False
) -> list[Found[Order]]:
    """Orders that fulfil a condition, oldest first or newest first."""
    place = col(Order.id)
    query = _with_instrument(Order, col(Order.instrument_id)).where(condition)
    return _found(session, query.order_by(sa.desc(place) if newest else place).limit(limit))


def find_positions(
    session: Session, condition: Any, *, order_by: Any, limit: int | None = None
) -> list[Found[Position]]:
    """Positions that fulfil a condition."""
    query = _with_instrument(Position, col(Position.instrument_id)).where(condition)
    return _found(session, query.order_by(order_by).limit(limit))


def transactions_by_order(session: Session, orders: Iterable[UUID]) -> dict[UUID, list[Any]]:
    """What orders' transactions cost and where they stand, without their bytes, oldest first."""
    wanted = list(orders)
    if not wanted:
        return {}
    names = ("id", "order_id", "tx_hash", "block_number", "gas_cost")
    columns = [ChainTransaction.__table__.c[name] for name in names]  # type: ignore[attr-defined]
    query = (
        sa.select(*columns)
        .where(col(ChainTransaction.order_id).in_(wanted))
        .order_by(col(ChainTransaction.id))
    )
    found: dict[UUID, list[Any]] = {}
    for row in session.connection().execute(query):
        found.setdefault(row.order_id, []).append(row)
    return found


def _with_instrument(model: Any, instrument_id: Any) -> Any:
    base, quote = aliased(Asset), aliased(Asset)
    return (
        select(model, Instrument.symbol, base.decimals, quote.decimals)
        .join(Instrument, col(Instrument.id) == instrument_id)
        .join(base, col(base.id) == col(Instrument.base_asset))
        .join(quote, col(quote.id) == col(Instrument.quote_asset))
    )


def _found(session: Session, query: Any) -> list[Found[Any]]:
    return [Found(*row) for row in session.exec(query)]

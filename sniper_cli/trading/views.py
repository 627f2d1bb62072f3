"""Orders and positions as people and programs read them: whole assets in place of base units, exact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Context as Precision
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from sniper_cli.books.holdings import AnyOrder
from sniper_cli.trading.amounts import trimmed, whole
from sniper_cli.trading.figures import checks_in_words
from sniper_cli.trading.kinship import relatives, told_terms
from state.accounts import Account, Asset, Instrument
from state.identifiers import short
from state.orders import WORKING, Fill, Order, OrderState, is_working
from state.positions import Lot, Position, PositionState

PRICE_DIGITS = Precision(prec=12)
"""An average price is a ratio; the exact amounts stand beside it."""


Named = TypeVar("Named", Account, Asset, Instrument)


@dataclass(frozen=True, slots=True)
class OrderView:
    """One order, in whole assets."""

    id: UUID
    created_at: datetime
    account: str
    client_order_id: str
    instrument: str
    side: str
    type: str
    time_in_force: str
    quantity: Decimal | None
    budget: Decimal | None
    limit_price: Decimal | None
    state: str
    filled_quantity: Decimal
    filled_notional: Decimal
    average_price: Decimal | None
    explanation: str | None
    venue_reference: str | None
    launch_id: UUID | None
    position_id: UUID | None
    updated_at: datetime
    reason: dict[str, Any]
    checks: list[dict[str, Any]]
    fills: tuple[dict[str, Any], ...] = ()
    trigger_price: Decimal | None = None
    trail: str | None = None
    """How far a trailing stop stays behind: an amount, or `2%`."""
    display: Decimal | None = None
    expires_at: datetime | None = None
    waits_for: str | None = None
    """What a held order waits for, in words."""
    options: tuple[str, ...] = ()
    """`post_only`, `reduce_only`, `emulated`, `triggered`, `in_flight`."""
    strategy: str | None = None
    parent_id: UUID | None = None
    family: tuple[dict[str, Any], ...] = ()
    """Parent, children and orders that cancel each other."""

    @property
    def short_id(self) -> str:
        return short(self.id)


@dataclass(frozen=True, slots=True)
class PositionView:
    """One position, in whole assets; money in the quote asset."""

    id: UUID
    opened_at: datetime
    account: str
    instrument: str
    quote: str
    state: str
    quantity: Decimal
    cost: Decimal
    value: Decimal | None
    profit: Decimal
    profit_pct: Decimal | None
    spent: Decimal
    received: Decimal
    fees: Decimal
    realised: Decimal
    exit_rule: str | None
    launch_id: UUID | None
    marked_at: datetime | None
    closed_at: datetime | None
    exit_rules: dict[str, Any]
    lots: tuple[dict[str, Any], ...] = ()

    @property
    def short_id(self) -> str:
        return short(self.id)


def order_view(session: Session, order: AnyOrder, *, fills: bool = False) -> OrderView:
    """An order with the names of what it trades; an unsaved one (a rehearsal) too."""
    instrument, base, quote = instrument_of(session, order.instrument_id)
    account = _kept(session, Account, order.account_id)
    found = (
        session.exec(select(Fill).where(Fill.order_id == order.id).order_by(col(Fill.id))).all()
        if fills
        else ()
    )
    return OrderView(
        id=order.id,
        created_at=order.created_at,
        account=account.name,
        client_order_id=order.client_order_id,
        instrument=instrument.symbol,
        side=order.side.value,
        type=order.type.value,
        time_in_force=order.time_in_force.value,
        quantity=None if order.quantity is None else whole(base, order.quantity),
        budget=None if order.budget is None else whole(quote, order.budget),
        limit_price=None if order.limit_price is None else trimmed(order.limit_price),
        state=order.state.value,
        filled_quantity=whole(base, order.filled_quantity),
        filled_notional=whole(quote, order.filled_notional),
        average_price=_price(whole(base, order.filled_quantity), whole(quote, order.filled_notional)),
        explanation=order.explanation,
        venue_reference=order.venue_reference,
        launch_id=order.launch_id,
        position_id=order.position_id,
        updated_at=order.updated_at,
        reason=order.reason,
        checks=checks_in_words(order, instrument, base, quote),
        fills=tuple(_fill(session, fill, base, quote) for fill in found),
        strategy=order.strategy,
        parent_id=order.parent_id,
        **(told_terms(session, order, instrument, base) if order.terms else {}),
    )


def whole_view(session: Session, found: AnyOrder) -> OrderView:
    """An order with its fills, and with those that hang on it or it on them."""
    view = order_view(session, found, fills=True)
    row = session.get(Order, found.id)
    if row is None:  # a rehearsal: nothing of it stands in the tables
        return view
    family = tuple(_relative(relation, order_view(session, one)) for relation, one in relatives(session, row))
    return replace(view, family=family)


def _relative(relation: str, view: OrderView) -> dict[str, Any]:
    names = ("id", "client_order_id", "side", "type", "quantity", "limit_price", "trigger_price", "trail", "state",
             "filled_quantity", "waits_for")  # fmt: skip
    told = {name: getattr(view, name) for name in names}
    return {"relation": relation, **told, "id": str(view.id)}


def position_view(session: Session, position: Position, *, lots: bool = False) -> PositionView:
    """A position with the names of what it holds."""
    instrument, base, quote = instrument_of(session, position.instrument_id)
    query = select(Lot).where(Lot.position_id == position.id).order_by(col(Lot.id))
    found = session.exec(query).all() if lots else ()
    return PositionView(
        id=position.id,
        opened_at=position.opened_at,
        account=_kept(session, Account, position.account_id).name,
        instrument=instrument.symbol,
        quote=quote.symbol,
        state=position.state.value,
        quantity=whole(base, position.quantity),
        cost=whole(quote, position.cost),
        value=None if position.mark_value is None else whole(quote, position.mark_value),
        profit=whole(quote, _profit(position)),
        profit_pct=_percent(_profit(position), position.spent),
        spent=whole(quote, position.spent),
        received=whole(quote, position.received),
        fees=whole(quote, position.fees),
        realised=whole(quote, position.realised),
        exit_rule=position.exit_rule,
        launch_id=position.launch_id,
        marked_at=position.marked_at,
        closed_at=position.closed_at,
        exit_rules=position.exit_rules,
        lots=tuple(_lot(lot, base, quote) for lot in found),
    )


def latest_orders(
    session: Session,
    *,
    state: OrderState | None = None,
    after: UUID | None = None,
    since: datetime | None = None,
    limit: int | None = None,
    conditions: Sequence[Any] = (),
) -> list[Order]:
    """Orders, newest first; those before the order `after`."""
    query = select(Order).order_by(sa.desc(col(Order.id))).where(*conditions)
    if state is not None:
        query = query.where(Order.state == state)
    if state in WORKING:
        query = query.where(is_working())  # said twice, for the index of what is at work to serve it
    if after is not None:
        query = query.where(Order.id < after)
    if since is not None:
        query = query.where(Order.created_at >= since)
    return list(session.exec(query if limit is None else query.limit(limit)).all())


def latest_positions(
    session: Session,
    *,
    closed: bool,
    after: UUID | None = None,
    since: datetime | None = None,
    limit: int | None = None,
) -> list[Position]:
    """Positions, newest first: the open ones, with `closed` all."""
    query = select(Position).order_by(sa.desc(col(Position.id)))
    if not closed:
        query = query.where(Position.state == PositionState.OPEN)
    if after is not None:
        query = query.where(Position.id < after)
    if since is not None:
        query = query.where(Position.opened_at >= since)
    return list(session.exec(query if limit is None else query.limit(limit)).all())


def instrument_of(session: Session, instrument_id: str) -> tuple[Instrument, Asset, Asset]:
    """An instrument and its two assets."""
    instrument = _kept(session, Instrument, instrument_id)
    return (
        instrument,
        _kept(session, Asset, instrument.base_asset),
        _kept(session, Asset, instrument.quote_asset),
    )


def _kept(session: Session, model: type[Named], key: object) -> Named:
    """A row that many lines name. A session forgets what nobody holds, and would ask for it again at every line."""
    kept = session.info.setdefault("named", {})
    found: Named | None = kept.get((model, key))
    if found is None:
        found = kept[model, key] = session.get_one(model, key)
    return found


def _profit(position: Position) -> int:
    """An unmarked open position counts at cost: it has neither won nor lost yet."""
    if position.state is PositionState.OPEN and position.mark_value is None:
        return position.realised - position.fees
    return position.profit


def _price(quantity: Decimal, notional: Decimal) -> Decimal | None:
    return trimmed(PRICE_DIGITS.divide(notional, quantity)) if quantity else None


def _percent(part: int, whole: int) -> Decimal | None:
    return (Decimal(part) * 100 / Decimal(whole)).quantize(Decimal("0.01")) if whole else None


def _fill(session: Session, fill: Fill, base: Asset, quote: Asset) -> dict[str, Any]:
    fee_asset = _kept(session, Asset, fill.fee_asset)
    return {
        "id": str(fill.id),
        "at": fill.at,
        "venue_trade_id": fill.venue_trade_id,
        "quantity": whole(base, fill.quantity),
        "notional": whole(quote, fill.notional),
        "price": _price(whole(base, fill.quantity), whole(quote, fill.notional)),
        "fee": whole(fee_asset, fill.fee),
        "fee_asset": fee_asset.symbol,
        "reversed_at": fill.reversed_at,
    }


def _lot(lot: Lot, base: Asset, quote: Asset) -> dict[str, Any]:
    return {
        "id": str(lot.id),
        "opened_at": lot.opened_at,
        "quantity": whole(base, lot.quantity),
        "remaining": whole(base, lot.remaining),
        "cost": whole(quote, lot.cost),
    }

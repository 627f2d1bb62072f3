"""What hangs together, told: an order's terms in words, its parent, its children and those that cancel each other."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlmodel import Session, col, select

from sniper_cli.books.holdings import AnyOrder
from sniper_cli.trading.amounts import trimmed, whole
from sniper_cli.trading.conditions import in_words
from sniper_cli.trading.intents import Terms
from state.accounts import Asset, Instrument
from state.columns import timestamp
from state.identifiers import short
from state.orders import Order, OrderState
from state.writing import instant

MINUTE_OF_IDS = 60_000 << 80
SIBLINGS = 1_000
"""Members of a family shown at most."""


def read_terms(order: AnyOrder) -> Terms:
    """The terms of an order of the book or of the table."""
    return msgspec.convert(order.terms or {}, Terms, strict=False)


def told_terms(session: Session, order: AnyOrder, instrument: Instrument, base: Asset) -> dict[str, Any]:
    """What an order's terms say, as fields of a view."""
    terms = read_terms(order)
    flags = {
        "post_only": terms.post_only,
        "reduce_only": terms.reduce_only,
        "emulated": terms.emulated,
        "triggered": terms.triggered_at is not None,
        "in_flight": terms.arrives_at is not None and order.is_working,
    }
    return {
        "trigger_price": None if terms.trigger_price is None else trimmed(terms.trigger_price),
        "trail": _trail(terms),
        "display": None if terms.display is None else whole(base, terms.display),
        "expires_at": None if terms.expires_at is None else instant(terms.expires_at),
        "waits_for": _waits_for(session, order, terms, instrument),
        "options": tuple(name for name, on in flags.items() if on),
    }


def _trail(terms: Terms) -> str | None:
    if terms.trail_bps is not None:
        return f"{terms.trail_bps // 100}.{terms.trail_bps % 100:02}".rstrip("0").rstrip(".") + "%"
    return None if terms.trail_amount is None else format(trimmed(terms.trail_amount), "f")


def _waits_for(session: Session, order: AnyOrder, terms: Terms, instrument: Instrument) -> str | None:
    """What has to come before a held order goes."""
    if order.state is not OrderState.HELD:
        return None
    if terms.ladder is not None:
        return "its orders"
    words = []
    if terms.after is not None and terms.queued is None:
        words.append(f"order {short(UUID(terms.after))} to be filled")
    if terms.starts_at is not None:
        words.append(_clock(instant(terms.starts_at)))
    if terms.condition is not None:
        watched = terms.condition.instrument
        other = None if watched is None else session.get(Instrument, watched)
        words.append(in_words(terms.condition, instrument.symbol if other is None else other.symbol))
    if not words and terms.emulated:
        words.append("the venue's price")
    return ", then ".join(words) or None


def _clock(moment: datetime) -> str:
    return timestamp(moment)


def _near(order: Order) -> tuple[Any, Any]:
    """Ids of about the same time: their head is a time in milliseconds, and what was recorded together is close by."""
    margin = MINUTE_OF_IDS
    return Order.id > UUID(int=max(0, order.id.int - margin)), Order.id < UUID(int=order.id.int + margin)


def relatives(session: Session, order: Order) -> list[tuple[str, Order]]:
    """`parent`, `child` and `sibling` orders, each group in the order of recording."""
    found: list[tuple[str, Order]] = []
    if order.parent_id is not None:
        parent = session.get(Order, order.parent_id)
        found += [("parent", parent)] if parent is not None else []
    query = select(Order).where(Order.parent_id == order.id).order_by(col(Order.id)).limit(SIBLINGS)
    found += [("child", child) for child in session.exec(query).all()]
    group = read_terms(order).cancels
    if group is not None:
        query = (
            select(Order)
            .where(
                Order.account_id == order.account_id,
                *_near(order),
                Order.recorded_seq == order.recorded_seq,
                Order.instrument_id == order.instrument_id,
                col(Order.terms).is_not(None),
                Order.id != order.id,
            )
            .order_by(col(Order.id))
            .limit(SIBLINGS)
        )
        found += [("sibling", one) for one in session.exec(query).all() if read_terms(one).cancels == group]
    return found

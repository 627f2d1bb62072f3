"""A journal record taken apart into acts: one thing that was done each, with what it was done to and its figures.

A trading record carries many events, spelled for machines. Whoever shows the journal to a person (the audit, the
screens, explanations) reads it through here: an order recorded, refused, sent, filled, in another state; a position
opened by a fill or closed by it; a deposit. Other records are one act as they are.

What an event does not repeat (an order's side, what a closed position brought) is looked up in the tables, for all
records of a page together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from sqlmodel import Session

from sniper_cli.books import events as ev
from sniper_cli.books.looking import Known, Listed, Look
from state.identifiers import dashed
from state.journal import JournalRecord
from state.writing import instant

MANY = 12
"""A record of more acts than this is told as one: a line each would drown the reader."""

CARRIED = "desk.carried"


@dataclass(frozen=True, slots=True)
class Act:
    """What was done, to what (an id, or a name), and its figures."""

    kind: str
    subject: str
    data: dict[str, Any] = field(default_factory=dict)
    at: datetime | None = None
    listed: Listed | None = None
    """The instrument that its amounts are of."""


def acts_of(
    session: Session,
    records: Sequence[JournalRecord],
    *,
    most: int | None = MANY,
    about: Collection[str] | None = None,
) -> list[list[Act]]:
    """Each record's acts, in their order. `most`: records of more are summed up into one; None: never.

    `about`: only what concerns these orders and positions (32 digits); a batch tells of a thousand others.
    """
    told = [_Telling(record, most, about) for record in records]
    known = Look(session).at([event for telling in told for event in telling.events])
    return [telling.acts(known) for telling in told]


class _Telling:
    """One record, and which of its events are told one by one."""

    def __init__(self, record: JournalRecord, most: int | None, about: Collection[str] | None = None) -> None:
        self.record = record
        self.events: list[ev.Event] = []
        self.summary: Act | None = None
        if not record.is_trading:
            return
        events: list[ev.Event] = ev.decode(record.body).data.events
        if (most is not None and len(events) > most) or record.kind == CARRIED:
            summed = _summed(record.kind, events)
            self.summary = Act(record.kind, record.subject, summed, record.at)
        # That the market was replayed up to a second says something only where nothing else is said.
        shown: list[ev.Event] = [event for event in events if not isinstance(event, ev.Settled)]
        if about is not None:
            shown = events = [event for event in shown if _concerns(event, about)]
        self.events = [] if self.summary is not None else shown or events

    def acts(self, known: Known) -> list[Act]:
        if not self.record.is_trading:
            record = self.record
            return [Act(record.kind, record.subject, record.data, record.at)]
        if self.summary is not None:
            return [self.summary]
        return [act for event in self.events for act in told(event, self.record, known)]


def _concerns(event: ev.Event, about: Collection[str]) -> bool:
    return any(getattr(event, name, None) in about for name in ("order", "position", "flipped"))


def told(event: ev.Event, record: JournalRecord, known: Known) -> Iterator[Act]:
    """What one event tells: mostly one act, a fill up to three."""
    match event:
        case ev.Recorded():
            yield _recorded(event, known)
        case ev.Moved():
            yield _moved(event, known)
        case ev.Amended():
            yield _amended(event, known)
        case ev.Filled():
            yield from _filled(event, known)
        case ev.Reversed():
            facts = {"reversed": event.trade, "fill": dashed(event.fill), **known.fill(event.fill)}
            yield _of_order("order.state", event.order, facts, event.at, known)
        case ev.Movement():
            yield _movement(event, record, known)
        case ev.WrittenOff():
            yield from _written_off(event, known)
        case ev.Renamed():
            rules = {"lot_method": event.lot_method, "margin": event.margin}
            yield Act("account.rules", record.subject, rules, record.at)
        case ev.Settled():
            yield Act("account.settled", record.subject, {"until": event.until}, record.at)
        case _:
            raise TypeError(f"{type(event).__name__} is told in a carried record only")


def _of_order(kind: str, order: str, data: dict[str, Any], at: int, known: Known) -> Act:
    return Act(kind, dashed(order), _present(data), instant(at), known.listed(order))


def _recorded(event: ev.Recorded, known: Known) -> Act:
    refused = event.state == "refused"
    listed = known.listed(event.order)
    data = {
        "client_order_id": event.client_id,
        "instrument": event.instrument if listed is None else listed.symbol,
        "side": event.side,
        "type": event.type,
        "time_in_force": event.tif,
        "quantity": event.quantity,
        "budget": event.budget,
        "limit_price": event.price,
        "reserved": event.reserved or None,
        "state": None if refused or event.state == "recorded" else event.state,
        "why": event.explanation,
        "reason": _read(event.reason),
        "terms": _read(event.terms),
        "checks": _read(event.checks),
        "strategy": event.strategy,
        "venue_reference": event.venue_reference,
        "launch_id": _dashed(event.launch),
        "position_id": _dashed(event.position),
        "parent_id": _dashed(event.parent),
    }
    return _of_order("order.refused" if refused else "order.recorded", event.order, data, event.at, known)


def _moved(event: ev.Moved, known: Known) -> Act:
    data = {
        "state": event.state,
        "explanation": event.explanation,
        "venue_reference": event.venue_reference,
        **(_read(event.facts) or {}),
    }
    # An order that a reorganisation took back is `sent` again too; only then something is said of it.
    sent = event.state == "sent" and not event.explanation
    return _of_order("order.sent" if sent else "order.state", event.order, data, event.at, known)


def _amended(event: ev.Amended, known: Known) -> Act:
    data = {
        "quantity": event.quantity,
        "limit_price": event.price,
        "reserved": event.reserved or None,
        "terms": _read(event.terms),
        "before": _read(event.facts),
    }
    return _of_order("order.amended", event.order, data, event.at, known)


def _filled(event: ev.Filled, known: Known) -> Iterator[Act]:
    """A fill; before it the position that it opens, after it the one that it closes."""
    listed = known.listed(event.order)
    opened = event.flipped or event.position
    # Whoever opens a position names it just after the fill; one that was there has an older id.
    is_new = event.flipped is not None or (event.position is not None and event.position > event.fill)
    if opened is not None and is_new:
        spent = event.cost or event.notional
        begun = {"quantity": event.opened, "spent": spent, "fill": dashed(event.fill)}
        yield _of_position("position.opened", opened, begun, event.at, listed)
    data: dict[str, Any] = {
        "fill": dashed(event.fill),
        "venue_trade_id": event.trade,
        "side": known.side(event.order),
        "quantity": event.quantity,
        "notional": event.notional,
        "fee": event.fee,
        "fee_asset": event.fee_asset,
        "position": _dashed(opened),
        "realised": event.realised if event.closed else None,
        "lots": [
            {"lot": dashed(one.lot), "quantity": one.quantity, "cost": one.cost, "proceeds": one.proceeds}
            for one in event.closed
        ],
    }
    yield _of_order("order.filled", event.order, data, event.at, known)
    if event.position is not None and known.ended(event.position, event.fill):
        yield _closed(event.position, event.at, listed, known)


def _written_off(event: ev.WrittenOff, known: Known) -> Iterator[Act]:
    listed = known.listed_position(event.position)
    quantity = sum(int(match.quantity) for match in event.matches)
    cost = sum(int(match.cost) for match in event.matches)
    data = {"rule": event.rule, "quantity": ev.wide(quantity), "cost": ev.wide(cost)}
    yield _of_position("position.written_off", event.position, data, event.at, listed)
    if known.ended(event.position, event.act):
        yield _closed(event.position, event.at, listed, known)


def _closed(position: str, at: int, listed: Listed | None, known: Known) -> Act:
    return _of_position("position.closed", position, known.outcome(position), at, listed)


def _of_position(kind: str, position: str, data: dict[str, Any], at: int, listed: Listed | None) -> Act:
    named = {"instrument": listed.symbol} if listed is not None else {}
    return Act(kind, dashed(position), _present({**named, **data}), instant(at), listed)


def _movement(event: ev.Movement, record: JournalRecord, known: Known) -> Act:
    """Gas is its order's; what came from outside, or went there, is a deposit of the account, signed."""
    data = {
        "movement": event.movement,
        "asset": event.asset,
        "amount": event.amount,
        "reference": event.reference,
        **(_read(event.facts) or {}),
    }
    listed = known.counted_in(event.asset)
    if event.order is not None:
        return Act("order.cost", dashed(event.order), _present(data), instant(event.at), listed)
    outside = event.movement in ("deposit", "withdrawal", "adjustment")
    kind = "account.deposit" if outside else f"account.{event.movement}"
    return Act(kind, record.subject, _present(data), instant(event.at), listed)


# -- many at once -----------------------------------------------------------------------------------------------


def _summed(kind: str, events: Iterable[ev.Event]) -> dict[str, Any]:
    """How many of what: orders by the state that the record leaves them in, fills, and the rest."""
    states: dict[str, str] = {}
    asked: dict[str, int | None] = {}
    counts: dict[str, int] = {}
    new = 0
    for event in events:
        if isinstance(event, ev.Recorded):
            new += 1
            states[event.order] = event.state
            asked[event.order] = ev.whole(event.quantity)
        elif isinstance(event, ev.Moved):
            states[event.order] = event.state
        elif isinstance(event, ev.Filled):
            _count_fill(event, states, asked, counts)
        elif isinstance(event, ev.CarriedBalance):
            counts["balances"] = counts.get("balances", 0) + 1
        elif isinstance(event, ev.CarriedPosition):
            counts["positions"] = counts.get("positions", 0) + 1
        elif not isinstance(event, ev.Settled):
            name = NAMES[type(event)]
            counts[name] = counts.get(name, 0) + 1
    by_state: dict[str, int] = {}
    for state in states.values():
        by_state[state] = by_state.get(state, 0) + 1
    orders = {"carried_orders" if kind == CARRIED else "orders": new}
    others = {"changed_orders": len(states) - new}
    return {name: count for name, count in {**orders, **others, **by_state, **counts}.items() if count}


def _count_fill(
    event: ev.Filled, states: dict[str, str], asked: dict[str, int | None], counts: dict[str, int]
) -> None:
    counts["fills"] = counts.get("fills", 0) + 1
    left = asked.get(event.order)
    if event.order in asked:  # an order of before is in a state that only the tables know
        asked[event.order] = left = None if left is None else left - int(event.quantity)
        states[event.order] = "filled" if left == 0 else "partially_filled"


NAMES: dict[type, str] = {
    ev.Amended: "amended",
    ev.Reversed: "reversed",
    ev.Movement: "movements",
    ev.WrittenOff: "written_off",
    ev.Renamed: "rules",
}


def _present(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if value not in (None, "", [], {})}


def _read(value: msgspec.Raw | None) -> Any:
    return None if value is None else msgspec.json.decode(value)


def _dashed(key: str | None) -> str | None:
    return None if key is None else dashed(key)

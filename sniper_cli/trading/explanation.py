"""The whole story of an order, a launch or a position, read back from the record.

    launch → its safety checks → orders → their checks → transactions → fills → lots → journal records

Everything here was written where it was decided; nothing is reckoned anew. The story is a tree of plain values:
the same for a terminal and for a program.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from sniper_cli.books.acts import Act, acts_of
from sniper_cli.books.looking import places
from sniper_cli.monitoring.sentences import Money, sentence
from sniper_cli.trading.amounts import spelled, whole
from sniper_cli.trading.kinship import relatives
from sniper_cli.trading.lookup import find_subject
from sniper_cli.trading.views import OrderView, instrument_of, order_view, position_view
from state.accounts import Asset
from state.identifiers import short
from state.journal import JournalRecord
from state.launches import Launch, Source
from state.orders import Fill, Order, Side, fills_of
from state.positions import Lot, Position, matches_of
from state.transactions import ChainTransaction, transactions_of


@dataclass(frozen=True, slots=True)
class Chapter:
    """One thing in the story: what kind it is, one line on it, its figures, and what followed from it."""

    kind: str
    title: str
    id: str | None = None
    at: datetime | None = None
    ok: bool | None = None
    """For a check: whether it passed. None where that means nothing."""
    facts: dict[str, Any] = field(default_factory=dict)
    chapters: tuple[Chapter, ...] = ()


def explain(session: Session, text: str) -> Chapter:
    """The story of whatever has this id, tail, client order id, token or pool. Raises NotFound, UsageProblem."""
    subject = find_subject(session, text)
    if isinstance(subject, Launch):
        return launch_story(session, subject)
    if isinstance(subject, Position):
        return position_story(session, subject)
    return order_story(session, subject, with_origin=True)


def launch_story(session: Session, launch: Launch) -> Chapter:
    """A launch: what was found out, what was decided, what came of it."""
    orders = _orders(session, Order.launch_id == launch.id)
    positions = session.exec(
        select(Position).where(Position.launch_id == launch.id).order_by(col(Position.id))
    ).all()
    return Chapter(
        kind="launch",
        title=f"{launch.symbol or launch.token} {_seen(launch)}: "
        f"{launch.verdict.value.replace('_', ' ')}, {launch.decision.value}",
        id=str(launch.id),
        at=launch.seen_at,
        facts=_present(
            token=launch.token,
            pool=launch.pool,
            transaction=launch.tx_hash,
            classification=launch.classification,
            reasons=list(launch.reasons),
            liquidity=None if launch.liquidity is None else str(launch.liquidity),
            judged_at=launch.judged_at,
            latency_us=launch.latency_us,
        ),
        chapters=(
            *_safety_checks(launch),
            *(order_story(session, order) for order in orders),
            *(_outcome(session, position, recorded=True) for position in positions),
            *_journal(session, [launch.id]),
        ),
    )


def _seen(launch: Launch) -> str:
    """Where it was seen: mined, or waiting, and whether it was taken back."""
    where = f"in block {launch.block_number}"
    if launch.source is not Source.PENDING:
        return f"seen {where}"
    if not launch.block_hash:
        return (
            "announced, and withdrawn" if launch.vanished_at else f"announced for block {launch.block_number}"
        )
    return f"seen waiting, mined {where}"


def position_story(session: Session, position: Position) -> Chapter:
    """A position: where it came from, how it was left, and its lots."""
    orders = _orders(session, Order.position_id == position.id)
    launch = session.get(Launch, position.launch_id) if position.launch_id else None
    told = _outcome(session, position)
    origin = (_origin(launch),) if launch is not None else ()
    stories = (order_story(session, order) for order in orders)
    return Chapter(
        told.kind,
        told.title,
        told.id,
        told.at,
        None,
        told.facts,
        (*origin, *stories, *told.chapters, *_journal(session, [position.id], orders)),
    )


def order_story(session: Session, order: Order, *, with_origin: bool = False) -> Chapter:
    """An order: why, the checks with their figures, what was sent, what was filled, and the lots."""
    view = order_view(session, order)
    launch = session.get(Launch, order.launch_id) if with_origin and order.launch_id else None
    position = session.get(Position, order.position_id) if with_origin and order.position_id else None
    transactions = transactions_of(session, order.id)
    return Chapter(
        kind="order",
        title=order_title(view),
        id=str(order.id),
        at=order.created_at,
        facts=_present(
            client_order_id=order.client_order_id,
            why=_why(order.reason),
            explanation=order.explanation,
            limit_price=order.limit_price,
            trigger_price=view.trigger_price,
            trail=view.trail,
            expires_at=view.expires_at,
            waits_for=view.waits_for,
            options=list(view.options),
            venue_reference=order.venue_reference,
            filled_quantity=view.filled_quantity,
            filled_notional=view.filled_notional,
            average_price=view.average_price,
            reason=order.reason or None,
        ),
        chapters=(
            *((_origin(launch),) if launch is not None else ()),
            *(_check(check) for check in view.checks),
            *(_transaction(transaction) for transaction in transactions),
            *(_fill(session, order, fill) for fill in fills_of(session, order.id)),
            *((_outcome(session, position),) if position is not None else ()),
            *(_family(session, order) if with_origin else ()),
            # The first edition's records are about the order itself.
            *_journal(session, [order.id, *(sent.id for sent in transactions)], [order]),
        ),
    )


def order_title(view: OrderView) -> str:
    """`buy 0.1 BTC/USDT limit: open`."""
    if view.quantity is not None:
        amount = f"{view.quantity:f} "
    else:
        amount = "" if view.budget is None else f"for {view.budget:f} "
    return (
        f"{view.side} {amount}{view.instrument} {view.type.replace('_', ' ')}: {view.state.replace('_', ' ')}"
    )


def _family(session: Session, order: Order) -> Iterator[Chapter]:
    """Parent and siblings by their titles, children with their whole stories: they are what the order did."""
    for relation, one in relatives(session, order):
        told = order_story(session, one)
        chapters = told.chapters if relation == "child" else ()
        yield Chapter(relation, told.title, told.id, told.at, None, told.facts, chapters)


def _origin(launch: Launch) -> Chapter:
    """Where an order came from: the launch and what the judgement said, without the rest of its story."""
    return Chapter(
        kind="launch",
        title=f"{launch.symbol or launch.token} {_seen(launch)}, "
        f"judged {launch.verdict.value.replace('_', ' ')}",
        id=str(launch.id),
        at=launch.seen_at,
        facts=_present(token=launch.token, pool=launch.pool, classification=launch.classification),
        chapters=tuple(_safety_checks(launch)),
    )


def _safety_checks(launch: Launch) -> Iterator[Chapter]:
    for check in launch.report.get("checks", []):
        outcome = str(check.get("outcome", ""))
        yield Chapter(
            kind="safety_check",
            title=f"{check.get('name')}: {check.get('detail') or outcome}",
            ok=None if outcome == "not_proven" else outcome == "pass",
            facts=_present(outcome=outcome, figure=check.get("figure"), limit=check.get("limit")),
        )


def _check(check: dict[str, Any]) -> Chapter:
    return Chapter(
        kind="check",
        title=f"{check['name']}: {check['detail']}",
        ok=bool(check["passed"]),
        facts=dict(check.get("figures") or {}),
    )


def _transaction(transaction: ChainTransaction) -> Chapter:
    where = f" in block {transaction.block_number}" if transaction.block_number is not None else ""
    return Chapter(
        kind="transaction",
        title=f"{transaction.purpose.value} with nonce {transaction.nonce}: {transaction.state.value}{where}",
        id=transaction.tx_hash,
        at=transaction.created_at,
        facts=_present(
            to=transaction.to,
            value=str(transaction.value),
            gas_limit=transaction.gas_limit,
            max_fee=str(transaction.max_fee),
            priority_fee=str(transaction.priority_fee),
            gas_used=transaction.gas_used,
            gas_cost=None if transaction.gas_cost is None else str(transaction.gas_cost),
            error=transaction.error,
            reorganised=transaction.undone or None,
        ),
    )


def _fill(session: Session, order: Order, fill: Fill) -> Chapter:
    _, base, quote = instrument_of(session, order.instrument_id)
    undone = ", taken back by a reorganisation" if fill.reversed_at else ""
    verb = "got" if fill.side is Side.BUY else "sold"
    title = f"{verb} {spelled(base, fill.quantity)} for {spelled(quote, fill.notional)}"
    return Chapter(
        kind="fill",
        title=title + undone,
        id=fill.venue_trade_id,
        at=fill.at,
        facts=_present(fee=spelled(quote, fill.fee) if fill.fee else None),
        chapters=tuple(_lots(session, fill, base, quote)),
    )


def _lots(session: Session, fill: Fill, base: Asset, quote: Asset) -> Iterator[Chapter]:
    for lot in session.exec(select(Lot).where(Lot.id == fill.id)).all():
        yield Chapter(
            kind="lot",
            title=f"{spelled(base, lot.quantity)}, {whole(base, lot.remaining):f} left",
            id=str(lot.id),
            facts={"cost": spelled(quote, lot.cost)},
        )
    for match in matches_of(session, fill.id):
        gain = spelled(quote, match.proceeds - match.cost, sign=True)
        yield Chapter(
            kind="lot_sold",
            title=f"{spelled(base, match.quantity)} from lot {short(match.lot_id)}: {gain}",
            id=str(match.lot_id),
            facts={"cost": spelled(quote, match.cost), "proceeds": spelled(quote, match.proceeds)},
        )


def _outcome(session: Session, position: Position, *, recorded: bool = False) -> Chapter:
    view = position_view(session, position, lots=True)
    how = f" by {view.exit_rule.replace('_', ' ')}" if view.exit_rule else ""
    return Chapter(
        kind="position",
        title=f"{view.quantity:f} {view.instrument} {view.state}{how}: {view.profit:+f} {view.quote}",
        id=str(position.id),
        at=position.opened_at,
        facts=_present(
            spent=view.spent,
            received=view.received,
            fees=view.fees,
            realised=view.realised,
            value=view.value,
            exit_rules=position.exit_rules or None,
            closed_at=view.closed_at,
        ),
        chapters=tuple(_journal(session, [position.id], _sold(session, position))) if recorded else (),
    )


def _journal(session: Session, subjects: Iterable[UUID], orders: Sequence[Order] = ()) -> Iterator[Chapter]:
    """What the journal tells of these, act by act; `orders`: those whose records it is told in."""
    names = {str(subject) for subject in subjects}
    at = places(session, orders)
    query = (
        select(JournalRecord)
        .where(sa.or_(col(JournalRecord.subject).in_(names), col(JournalRecord.seq).in_(at)))
        .order_by(col(JournalRecord.seq))
    )
    records = session.exec(query).all()
    keys = {name.replace("-", "") for name in names}
    for record, acts in zip(records, acts_of(session, records, most=None, about=keys), strict=True):
        for act in acts:
            if act.subject in names:
                yield _record(record, act)


def _record(record: JournalRecord, act: Act) -> Chapter:
    listed = act.listed
    money = Money()
    if listed is not None:
        money = Money(listed.quote, listed.decimals, listed.base, listed.base_decimals)
    words = sentence(act.kind, act.data, money)
    return Chapter(
        kind="record",
        title=f"#{record.seq} {act.kind} by {record.actor}" + (f": {words}" if words else ""),
        id=str(record.seq),
        at=act.at or record.at,
        facts={"hash": record.hash},
    )


def _sold(session: Session, position: Position) -> list[Order]:
    return _orders(session, Order.position_id == position.id)


def _orders(session: Session, condition: Any) -> list[Order]:
    return list(session.exec(select(Order).where(condition).order_by(col(Order.id))).all())


def _why(reason: dict[str, Any]) -> str | None:
    """The reason in a few words: where it came from, which rule, and its sentence."""
    parts = [str(reason[name]).replace("_", " ") for name in ("origin", "rule", "detail") if reason.get(name)]
    return ", ".join(parts) or None


def _present(**facts: Any) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value not in (None, "", [], {})}

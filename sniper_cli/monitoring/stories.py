"""Everything known about one launch, one position or one order, read in one transaction for a detail screen."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from sniper_cli.books.acts import acts_of
from sniper_cli.books.looking import places
from sniper_cli.monitoring.lookups import find_orders, find_positions, transactions_by_order
from sniper_cli.monitoring.rows import (
    EventRow,
    LaunchRow,
    OrderRow,
    PositionRow,
    event_rows,
    launch_row,
    order_row,
    position_row,
    with_result,
)
from sniper_cli.monitoring.sentences import Money
from sniper_cli.safety.lines import Group
from sniper_cli.safety.report import Outcome
from sniper_cli.sniping.attempts import Attempt, failing, sales_of, sold_by_steps, sold_for, sold_of
from sniper_cli.sniping.attempts import told as as_attempts
from sniper_cli.sniping.exits import ladder_of
from sniper_cli.trading.figures import checks_in_words
from sniper_cli.trading.views import instrument_of
from state.columns import utc_now
from state.database import Database
from state.errors import RowNotFound
from state.journal import JournalRecord
from state.launches import Launch
from state.leases import Lease
from state.orders import Order, fills_of
from state.positions import Position, PositionState
from state.transactions import ChainTransaction

MONEY = Money()
PAGE = 500
"""How many journal records a timeline shows at most."""
RULES_CHANGED = frozenset({"exit.edited", "exit.held", "exit.resumed"})
IN_FULL = 100
"""How many acts of one record are spelled out."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What was asked of the chain for a line of a dossier, and what came of it."""

    what: str
    sender: str
    to: str
    data: str
    block: int | None
    result: str


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One check of a safety report or of an order, or one line of a dossier."""

    name: str
    outcome: Outcome
    detail: str
    figure: str
    limit: str
    group: str = ""
    """Of a dossier; empty elsewhere."""
    weight: str = ""
    """What the level makes of it: `refuse`, `warn`, `ignore`."""
    evidence: tuple[Proof, ...] = ()


@dataclass(frozen=True, slots=True)
class LaunchStory:
    """A launch with its report, its orders, its position and every record about them."""

    row: LaunchRow
    tx_hash: str
    judged_at: datetime | None
    report: dict[str, Any]
    checks: tuple[CheckLine, ...]
    orders: tuple[OrderRow, ...]
    position: PositionRow | None
    timeline: tuple[EventRow, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A sale that somebody asked for and that is not done."""

    share: str
    by: str
    at: str
    urgent: bool
    quantity: int
    sold: int
    tried: bool
    """Whether a sniper has taken it up: an order carries the request."""


@dataclass(frozen=True, slots=True)
class PositionStory:
    """A position with its orders and every record about them."""

    row: PositionRow
    exit_rules: dict[str, Any]
    orders: tuple[OrderRow, ...]
    timeline: tuple[EventRow, ...]
    failed: tuple[Attempt, ...] = ()
    """The sales that have failed in a row, oldest first."""
    steps: tuple[tuple[str, str, bool], ...] = ()
    """The ladder: gain, share, and whether it is done."""
    asked: Asked | None = None
    sniper: bool = False
    """Whether a sniper is at work on its account: who acts on what is changed here."""

    def unread(self, looked_at: datetime | None) -> bool:
        """Whether its rules were changed, suspended or resumed after a sniper looked at it last."""
        changed = [event.at for event in self.timeline if event.kind in RULES_CHANGED]
        return self.row.is_open and bool(changed) and (looked_at is None or changed[-1] > looked_at)


@dataclass(frozen=True, slots=True)
class TransactionLine:
    """A signed transaction of an order. Fees in wei."""

    purpose: str
    state: str
    nonce: int
    tx_hash: str
    block_number: int | None
    gas_used: int | None
    gas_cost: int | None
    max_fee: int
    error: str


@dataclass(frozen=True, slots=True)
class FillLine:
    """A fill of an order, in base units."""

    at: datetime
    quantity: int
    notional: int
    fee: int


@dataclass(frozen=True, slots=True)
class OrderStory:
    """An order with its checks, transactions, fills and every record about it."""

    row: OrderRow
    client_order_id: str
    reason: dict[str, Any]
    checks: tuple[CheckLine, ...]
    transactions: tuple[TransactionLine, ...]
    fills: tuple[FillLine, ...]
    timeline: tuple[EventRow, ...]


def launch_story(
    database: Database, identifier: UUID, *, money: Money = MONEY, now: datetime | None = None
) -> LaunchStory:
    """All about a launch. Raises RowNotFound."""
    with database.read() as session:
        launch = session.get(Launch, identifier)
        if launch is None:
            raise RowNotFound(f"there is no launch {identifier}", hint="sniper snipe launches")
        position = _position(session, col(Position.launch_id) == identifier, now or utc_now())
        report = launch.report
        orders, subjects, told = _orders(session, col(Order.launch_id) == identifier)
        row = launch_row(launch, (launch.seen_at, report.get("buy_tax_bps"), report.get("sell_tax_bps")))
        subjects += [launch.id, *([position.id] if position else [])]
        return LaunchStory(
            row=with_result(row, position),
            tx_hash=launch.tx_hash,
            judged_at=launch.judged_at,
            report=report,
            checks=tuple(_dossier_lines(report) or _safety_checks(report.get("checks") or ())),
            orders=orders,
            position=position,
            timeline=_timeline(session, subjects, told, money),
        )


def position_story(
    database: Database, identifier: UUID, *, money: Money = MONEY, now: datetime | None = None
) -> PositionStory:
    """All about a position. Raises RowNotFound."""
    with database.read() as session:
        position = session.get(Position, identifier)
        row = _position(session, col(Position.id) == identifier, now or utc_now())
        if position is None or row is None:
            raise RowNotFound(f"there is no position {identifier}", hint="sniper position list")
        orders, subjects, told = _orders(session, col(Order.position_id) == identifier)
        timeline = _timeline(session, [identifier, *subjects], told, money)
        sales = sales_of(session, position.account_id, [identifier])[identifier]
        failed = as_attempts(session, failing(sales))
        lease = session.get(Lease, f"sniper:{position.account_id}")
        return PositionStory(
            row,
            position.exit_rules,
            orders,
            timeline,
            failed,
            ladder_of(position, sold_by_steps(sales)),
            _asked(position, sales),
            lease is not None and lease.is_held(now or utc_now()),
        )


def _asked(position: Position, sales: Sequence[Order]) -> Asked | None:
    request = position.exit_rules.get("request")
    if not request or position.state is PositionState.CLOSED:
        return None
    sold = sold_for(str(request["id"]), sales)
    if sold >= int(request["quantity"]):
        return None
    return Asked(
        share=str(request["share"]),
        by=str(request["by"]),
        at=str(request["at"]),
        urgent=bool(request["urgent"]),
        quantity=int(request["quantity"]),
        sold=sold,
        tried=any(order.reason.get("request") == request["id"] for order in sales),
    )


def order_story(database: Database, identifier: UUID, *, money: Money = MONEY) -> OrderStory:
    """All about an order. Raises RowNotFound."""
    with database.read() as session:
        order = session.get(Order, identifier)
        rows, subjects, told = _orders(session, col(Order.id) == identifier)
        if order is None or not rows:
            raise RowNotFound(f"there is no order {identifier}", hint="sniper order list")
        query = select(ChainTransaction).where(ChainTransaction.order_id == identifier)
        transactions = session.exec(query.order_by(col(ChainTransaction.id))).all()
        return OrderStory(
            row=rows[0],
            client_order_id=order.client_order_id,
            reason=order.reason,
            checks=tuple(_order_checks(checks_in_words(order, *instrument_of(session, order.instrument_id)))),
            transactions=tuple(_transaction_line(transaction) for transaction in transactions),
            fills=tuple(FillLine(f.at, f.quantity, f.notional, f.fee) for f in fills_of(session, identifier)),
            timeline=_timeline(session, subjects, told, money),
        )


def _position(session: Session, condition: Any, now: datetime) -> PositionRow | None:
    found = find_positions(session, condition, order_by=sa.desc(col(Position.id)), limit=1)
    if not found:
        return None
    sold = sold_of(session, [found[0].row])
    return position_row(found[0], now, sold.get(found[0].row.id, ()))


def _orders(session: Session, condition: Any) -> tuple[tuple[OrderRow, ...], list[UUID], list[Order]]:
    """Orders, oldest first; the ids that the journal has for them and their transactions; and their rows."""
    found = find_orders(session, condition)
    transactions = transactions_by_order(session, (order.row.id for order in found))
    rows = tuple(order_row(order, transactions.get(order.row.id, ())) for order in found)
    subjects = [*(row.id for row in rows), *(sent.id for group in transactions.values() for sent in group)]
    return rows, subjects, [order.row for order in found]


def _timeline(
    session: Session, subjects: Iterable[UUID], orders: Sequence[Order], money: Money
) -> tuple[EventRow, ...]:
    """What the journal tells of these, act by act, oldest first; `orders`: those whose records it is told in."""
    names = {str(subject) for subject in subjects}
    told_in = col(JournalRecord.seq).in_(places(session, orders))
    query = (
        select(JournalRecord)
        .where(sa.or_(col(JournalRecord.subject).in_(names), told_in))
        .order_by(col(JournalRecord.seq))
        .limit(PAGE)
    )
    rows = event_rows(session, session.exec(query).all(), money, most=None)
    return tuple(row for row in rows if row.subject in names)


def record_in_full(database: Database, seq: int) -> tuple[str, str] | None:
    """Everything that a record says, for reading, and its hash; None where there is none of this place.

    Of a trading record the acts, each with its figures, in place of the events' own spelling.
    """
    with database.read() as session:
        record = session.get(JournalRecord, seq)
        if record is None:
            return None
        body = json.loads(record.body)
        if record.is_trading:
            [acts] = acts_of(session, [record], most=None)
            shown = [{"kind": act.kind, "subject": act.subject, **act.data} for act in acts[:IN_FULL]]
            body["data"] = {"acts": shown}
            if len(acts) > IN_FULL:
                body["data"]["more"] = f"{len(acts) - IN_FULL:,}: sniper audit export --after {seq - 1}"
        return json.dumps(body, indent=2, ensure_ascii=False), record.hash


def _dossier_lines(report: dict[str, Any]) -> list[CheckLine]:
    """All groups of a dossier; none for a launch that was judged before there were dossiers."""
    return [
        CheckLine(
            name=_words(line["name"]),
            outcome=Outcome(line["outcome"]),
            detail=str(line.get("detail") or ""),
            figure=str(line.get("figure") or ""),
            limit=str(line.get("limit") or ""),
            group=group,
            weight=str(line.get("weight") or ""),
            evidence=tuple(
                Proof(
                    **{
                        part: str(proof.get(part) or "")
                        for part in ("what", "sender", "to", "data", "result")
                    },
                    block=proof.get("block"),
                )
                for proof in line.get("evidence") or ()
            ),
        )
        # A database may return the groups in another order than they were written in.
        for group in _in_order(report.get("groups") or {})
        for line in report["groups"][group]
    ]


def _in_order(groups: dict[str, Any]) -> list[str]:
    """As the dossier shows them; a group that this version does not know comes last, and is not kept back."""
    known = [group.value for group in Group]
    return sorted(groups, key=lambda name: known.index(name) if name in known else len(known))


def _safety_checks(checks: Iterable[dict[str, Any]]) -> Iterable[CheckLine]:
    for check in checks:
        yield CheckLine(
            name=_words(check["name"]),
            outcome=Outcome(check["outcome"]),
            detail=str(check.get("detail") or ""),
            figure=str(check.get("figure") or ""),
            limit=str(check.get("limit") or ""),
        )


def _order_checks(checks: Iterable[dict[str, Any]]) -> Iterable[CheckLine]:
    for check in checks:
        outcome = Outcome.PASS if check.get("passed") else Outcome.FAIL
        yield CheckLine(_words(check["name"]), outcome, str(check.get("detail") or ""), "", "")


def _transaction_line(transaction: ChainTransaction) -> TransactionLine:
    return TransactionLine(
        purpose=str(transaction.purpose),
        state=str(transaction.state),
        nonce=transaction.nonce,
        tx_hash=transaction.tx_hash,
        block_number=transaction.block_number,
        gas_used=transaction.gas_used,
        gas_cost=transaction.gas_cost,
        max_fee=transaction.max_fee,
        error=transaction.error or "",
    )


def _words(name: object) -> str:
    return str(name).replace("_", " ")

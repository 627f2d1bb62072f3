"""What sniping came to: seen, refused and why, bought, left by which rule at what profit, how fast, and was it right.

Everything is counted from rows of the state, so that it can be counted again; money in base units of the coin.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from sniper_cli.books.holdings import AnyOrder
from sniper_cli.sniping.attempts import FAILED, failing, sales_of
from sniper_cli.sniping.follow_up import Hindsight, hindsight
from sniper_cli.sniping.trial import RULE
from state.accounts import Account
from state.journal import JournalRecord
from state.launches import Decision, Judgement, Launch, Occasion, Verdict
from state.orders import Order, Side
from state.positions import Position, PositionState, open_positions
from state.transactions import ChainTransaction, TransactionState

COIN = 18


@dataclass(frozen=True, slots=True)
class ExitTally:
    """The positions that one rule closed. Coins."""

    rule: str
    count: int
    won: int
    profit: Decimal
    """After gas."""


@dataclass(frozen=True, slots=True)
class AccountTally:
    """What one account made of it. Coins."""

    account: str
    bought: int
    open: int
    closed: int
    won: int
    spent: Decimal
    received: Decimal
    gas: Decimal
    profit: Decimal


@dataclass(frozen=True, slots=True)
class Spread:
    """Of so many, the middle one, the one that 5 % exceed, and the worst."""

    count: int
    p50: int | None = None
    p95: int | None = None
    worst: int | None = None


@dataclass(frozen=True, slots=True)
class SnipeReport:
    """A time of sniping in figures."""

    since: datetime | None
    until: datetime | None
    seen: int
    by_protocol: dict[str, int]
    by_source: dict[str, int]
    decisions: dict[str, int]
    refused_by: dict[str, int]
    """By classification, or by the group of the first reason."""
    bought: int
    open: int
    closed: int
    won: int
    win_rate_pct: Decimal | None
    spent: Decimal
    received: Decimal
    gas: Decimal
    profit: Decimal
    by_account: tuple[AccountTally, ...]
    exits: tuple[ExitTally, ...]
    verdict_us: Spread
    buy_sent_us: Spread
    """From the launch row's writing to the purchase's first sending."""
    blocks_after_launch: Spread
    hindsight: dict[str, int] = field(default_factory=dict)
    stuck_exits: int = 0
    stuck_now: int = 0


def report(
    session: Session,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    account_id: UUID | None = None,
) -> SnipeReport:
    """Count a time of sniping: launches by when they were seen, positions of launches by when they opened.

    `account_id`: only what this account bought and left; launches belong to none.
    """
    launches = _within(session, select(Launch), Launch.seen_at, since, until)
    every = [
        position
        for position in _within(session, select(Position), Position.opened_at, since, until)
        if position.launch_id is not None and account_id in (None, position.account_id)
    ]
    # A trial is part of a purchase, or of a refusal: its money counts, it does not.
    positions = [position for position in every if position.exit_rule != RULE]
    closed = [position for position in positions if position.state is PositionState.CLOSED]
    won = sum(position.profit > 0 for position in closed)
    purchases = _purchases(session, positions)
    by_id = {launch.id: launch for launch in launches}
    return SnipeReport(
        since=since,
        until=until,
        seen=len(launches),
        by_protocol=_counted(launch.protocol for launch in launches),
        by_source=_counted(launch.source.value for launch in launches),
        decisions=_counted(launch.decision.value for launch in launches),
        refused_by=_counted(reason_of(launch) for launch in launches if launch.decision is Decision.REFUSED),
        bought=len(positions),
        open=len(positions) - len(closed),
        closed=len(closed),
        won=won,
        win_rate_pct=round(Decimal(won) * 100 / len(closed), 2) if closed else None,
        spent=_coins(sum(position.spent for position in every)),
        received=_coins(sum(position.received for position in every)),
        gas=_coins(sum(position.fees for position in every)),
        profit=_coins(sum(position.profit for position in every)),
        by_account=_by_account(session, every),
        exits=_exits(closed),
        verdict_us=spread([one.latency_us for one in launches if one.latency_us is not None]),
        buy_sent_us=spread(_sent_after(purchases, by_id)),
        blocks_after_launch=spread(_blocks_after(purchases, by_id)),
        hindsight=_hindsight(session, launches),
        stuck_exits=_stuck(session, positions),
        stuck_now=_stuck_now(session, positions),
    )


def reason_of(launch: Launch) -> str:
    """Why a launch was refused, as a group: what the scenarios call it, or the check that it failed first."""
    if launch.classification and launch.classification not in ("ok", "unknown"):
        return launch.classification
    if launch.verdict is Verdict.SAFE:  # only its trial can have been against it
        return RULE
    checks = launch.report.get("checks") or []
    failed = next((c["name"] for c in checks if c.get("outcome") == "fail"), None)
    if failed is not None:
        return str(failed)
    groups: Any = launch.report.get("groups") or []
    lines = [line for group in groups if isinstance(group, dict) for line in group.get("lines") or ()]
    found = next((line["name"] for line in lines if line.get("outcome") == "fail"), None)
    return str(found or launch.verdict.value)


def spread(values: Iterable[int]) -> Spread:
    """The nearest ranks of a list of figures; exact, as they were measured."""
    ordered = sorted(values)
    if not ordered:
        return Spread(0)
    return Spread(len(ordered), _ranked(ordered, 50), _ranked(ordered, 95), ordered[-1])


def _ranked(ordered: Sequence[int], percent: int) -> int:
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def _within(
    session: Session, query: Any, column: Any, since: datetime | None, until: datetime | None
) -> list[Any]:
    if since is not None:
        query = query.where(col(column) >= since)
    if until is not None:
        query = query.where(col(column) < until)
    return list(session.exec(query).all())


def _counted(words: Iterable[str]) -> dict[str, int]:
    """How often each, the most frequent first."""
    return dict(sorted(Counter(words).items(), key=lambda item: (-item[1], item[0])))


def _exits(closed: Sequence[Position]) -> tuple[ExitTally, ...]:
    by_rule: dict[str, list[Position]] = defaultdict(list)
    for position in closed:
        by_rule[position.exit_rule or "closed by hand"].append(position)
    tallies = [
        ExitTally(
            rule,
            len(mine),
            sum(position.profit > 0 for position in mine),
            _coins(sum(position.profit for position in mine)),
        )
        for rule, mine in by_rule.items()
    ]
    return tuple(sorted(tallies, key=lambda tally: (-tally.count, tally.rule)))


def _by_account(session: Session, every: Sequence[Position]) -> tuple[AccountTally, ...]:
    """Each account's part, in the order of their names."""
    mine: dict[UUID, list[Position]] = defaultdict(list)
    for position in every:
        mine[position.account_id].append(position)
    query = select(Account.name, Account.id).where(col(Account.id).in_(mine)).order_by(col(Account.name))
    return tuple(_tally(name, mine[key]) for name, key in session.exec(query).all())


def _tally(account: str, every: Sequence[Position]) -> AccountTally:
    bought = [position for position in every if position.exit_rule != RULE]
    closed = [position for position in bought if position.state is PositionState.CLOSED]
    return AccountTally(
        account,
        len(bought),
        len(bought) - len(closed),
        len(closed),
        sum(position.profit > 0 for position in closed),
        _coins(sum(position.spent for position in every)),
        _coins(sum(position.received for position in every)),
        _coins(sum(position.fees for position in every)),
        _coins(sum(position.profit for position in every)),
    )


def _purchases(session: Session, positions: Sequence[Position]) -> list[tuple[Order, ChainTransaction]]:
    """The first mined transaction of each launch's purchase."""
    ids = [position.launch_id for position in positions]
    query = (
        select(Order, ChainTransaction)
        .join(ChainTransaction, col(ChainTransaction.order_id) == col(Order.id))
        .where(
            col(Order.launch_id).in_(ids),
            Order.side == Side.BUY,
            ChainTransaction.state == TransactionState.MINED,
        )
        .order_by(col(ChainTransaction.id))
    )
    first: dict[UUID | None, tuple[Order, ChainTransaction]] = {}
    for order, transaction in session.exec(query).all():
        first.setdefault(order.launch_id, (order, transaction))
    return list(first.values())


def _sent_after(
    purchases: Sequence[tuple[Order, ChainTransaction]], launches: dict[UUID, Launch]
) -> list[int]:
    found = []
    for order, transaction in purchases:
        launch = None if order.launch_id is None else launches.get(order.launch_id)
        if launch is not None and transaction.sent_at is not None:
            found.append(round((transaction.sent_at - launch.seen_at).total_seconds() * 1_000_000))
    return found


def _blocks_after(
    purchases: Sequence[tuple[Order, ChainTransaction]], launches: dict[UUID, Launch]
) -> list[int]:
    return [
        transaction.block_number - launches[order.launch_id].block_number
        for order, transaction in purchases
        if order.launch_id in launches and transaction.block_number is not None
    ]


def _hindsight(session: Session, launches: Sequence[Launch]) -> dict[str, int]:
    """What launches that were refused did afterwards, by the last look at each."""
    refused = [launch.id for launch in launches if launch.decision is Decision.REFUSED]
    query = (
        select(Judgement.launch_id, Judgement.verdict)
        .where(col(Judgement.launch_id).in_(refused), Judgement.occasion == Occasion.FOLLOW_UP)
        .order_by(col(Judgement.block_number), col(Judgement.id))
    )
    last: dict[UUID | None, Verdict] = {row[0]: Verdict(row[1]) for row in session.exec(query).all()}
    counted = Counter(hindsight(last.get(launch_id)) for launch_id in refused)
    return {kind.value: counted[kind] for kind in Hindsight}


def _stuck(session: Session, positions: Sequence[Position]) -> int:
    """Positions of which an exit was ever reported as stuck."""
    subjects = [str(position.id) for position in positions]
    query = select(sa.func.count(sa.distinct(col(JournalRecord.subject)))).where(
        JournalRecord.kind == "exit.stuck", col(JournalRecord.subject).in_(subjects)
    )
    return int(session.exec(query).one())


def _stuck_now(session: Session, positions: Sequence[Position]) -> int:
    """Open positions whose last sales all failed."""
    stuck = stuck_positions(session, after=1)
    return sum(position.id in stuck for position in positions)


def stuck_positions(session: Session, *, after: int) -> dict[UUID, int]:
    """Open positions of which so many sales in a row have failed; how many."""
    return {key: len(failed) for key, failed in stuck_sales(session, after=after).items()}


def stuck_sales(session: Session, *, after: int) -> dict[UUID, list[AnyOrder]]:
    """The same with the sales that failed, oldest first. Only positions with a failure have their sales read."""
    held = {position.id: position.account_id for position in open_positions(session)}
    query = (
        select(Order.position_id)
        .where(col(Order.position_id).in_(held), Order.side == Side.SELL, col(Order.state).in_(FAILED))
        .distinct()
    )
    tried: dict[UUID, list[UUID]] = defaultdict(list)
    for key in session.exec(query).all():
        if key is not None:
            tried[held[key]].append(key)
    found: dict[UUID, list[AnyOrder]] = {}
    for account_id, keys in tried.items():
        for key, orders in sales_of(session, account_id, keys).items():
            failed = failing(orders)
            if failed and len(failed) >= after:
                found[key] = failed
    return found


def _coins(units: int) -> Decimal:
    amount = Decimal(units).scaleb(-COIN)
    return amount.normalize() if amount else Decimal(0)

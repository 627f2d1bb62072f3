"""The lines and the header of the dashboard as plain values, and how each is made from its table's row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlmodel import Session

from sniper_cli.books.acts import MANY, Act, acts_of
from sniper_cli.monitoring.sentences import Money, sentence
from sniper_cli.settings.model import Mode
from sniper_cli.sniping.attempts import Attempt
from sniper_cli.sniping.distances import distances
from sniper_cli.sniping.exits import ExitRule, ExitRules, PositionFigures, figures_of, rules_of
from state.journal import JournalRecord
from state.launches import Decision, Source, Verdict
from state.orders import WORKING, Order, OrderState, Side
from state.positions import Position, PositionState

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Found(Generic[Row]):
    """A row of a table with what its instrument says of it."""

    row: Row
    symbol: str
    decimals: int
    quote_decimals: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What stands in the header of every screen. Money is base units of the reporting asset."""

    profile: str
    mode: Mode
    chain_id: int
    coin: str
    decimals: int
    account: str | None = None
    head_number: int | None = None
    head_at: datetime | None = None
    block_time: timedelta = timedelta(seconds=12)
    cash: int | None = None
    equity: int | None = None
    realised: int = 0
    """Profit of the closed positions, fees and gas paid."""
    unrealised: int = 0
    """Profit of the open ones at their last mark, fees and gas paid."""
    switch: Switch | None = None
    seen: int = 0
    safe: int = 0
    bought: int = 0
    open: int = 0
    journal: int = 0
    lag: int = 0
    """Records of a bulk desk that the tables do not show yet."""
    trend: tuple[int, ...] = ()
    """The equity at its last changes, oldest first."""

    def stale(self, now: datetime) -> bool:
        """Whether the chain's head is older than two blocks' time: what is shown may no longer be so."""
        return self.head_at is not None and now - self.head_at > 2 * self.block_time


@dataclass(frozen=True, slots=True)
class Switch:
    """A tripped kill switch."""

    scope: str
    actor: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LaunchRow:
    """A launch as a line of a table. Taxes in basis points, liquidity in base units of the coin."""

    id: UUID
    seen_at: datetime
    block_number: int
    token: str
    pool: str
    symbol: str
    name: str
    verdict: Verdict
    classification: str
    reasons: tuple[str, ...]
    decision: Decision
    liquidity: int | None
    latency_us: int | None
    buy_tax_bps: int | None = None
    sell_tax_bps: int | None = None
    position: UUID | None = None
    profit: int | None = None
    spent: int | None = None
    exit_rule: str | None = None
    protocol: str = ""
    fee: int | None = None
    """The pool's, in hundredths of a basis point."""
    hooks: str | None = None
    source: Source = Source.LOG
    vanished_at: datetime | None = None
    """When a reorganisation took its block away, or its announcement was withdrawn."""
    announced: bool = False
    """Whether only a waiting transaction has told of it: its block's number is what is expected."""

    @property
    def gone(self) -> str:
        """In a word how it went; empty while it stands, or may still come."""
        if self.vanished_at is None:
            return ""
        return "withdrawn" if self.announced else "vanished"


@dataclass(frozen=True, slots=True)
class Gauge:
    """How near an exit rule is to firing: `progress` in thousandths of the way, `share_pct` what is still to go."""

    rule: ExitRule
    progress: int
    share_pct: Decimal
    level: int
    now: int
    active: bool = True


@dataclass(frozen=True, slots=True)
class PositionRow:
    """A position as a line of a table; amounts in quote units."""

    id: UUID
    launch_id: UUID | None
    account_id: UUID
    instrument_id: str
    symbol: str
    state: PositionState
    quantity: int
    decimals: int
    quote_decimals: int
    spent: int
    received: int
    fees: int
    value: int | None
    profit: int
    opened_at: datetime
    closed_at: datetime | None
    exit_rule: str | None
    gauges: tuple[Gauge, ...] = ()
    trend: tuple[int, ...] = ()
    alarm: str = ""
    """Why somebody must look at it: its sales fail, or one is not mined."""
    marked_at: datetime | None = None
    """When a sniper, or whoever marks it, looked at it last."""

    @property
    def is_open(self) -> bool:
        return self.state is PositionState.OPEN

    @property
    def profit_pct(self) -> Decimal | None:
        """Profit over everything paid, fees and gas with it."""
        return Decimal(self.profit) * 100 / self.spent if self.spent else None


@dataclass(frozen=True, slots=True)
class Alarm:
    """An open position whose exit does not get out: what is wrong, and every sale that was tried."""

    position_id: UUID
    token: str
    problem: str
    attempts: tuple[Attempt, ...]
    since: datetime

    @property
    def reason(self) -> str:
        """Why the last one failed."""
        return self.attempts[-1].reason if self.attempts else ""


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order as a line of a table."""

    id: UUID
    created_at: datetime
    symbol: str
    side: Side
    type: str
    state: OrderState
    origin: str
    quantity: int | None
    budget: int | None
    filled_quantity: int
    filled_notional: int
    decimals: int
    quote_decimals: int
    gas: int | None
    tx_hash: str | None
    block_number: int | None
    explanation: str
    launch_id: UUID | None
    position_id: UUID | None

    @property
    def is_working(self) -> bool:
        return self.state in WORKING


@dataclass(frozen=True, slots=True)
class EventRow:
    """A journal record as a line of a log."""

    seq: int
    at: datetime
    kind: str
    subject: str
    actor: str
    text: str
    about: str = ""
    """The token it is about, where that is known."""
    order: str = ""
    """The order it belongs to, for a transaction's record."""
    part: int = 0
    """Which of its record's acts it is."""

    @property
    def key(self) -> tuple[int, int]:
        """What tells it from every other line."""
        return self.seq, self.part


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One moment of one profile. Newest first, open positions before closed ones."""

    facts: Facts
    at: datetime
    launches: tuple[LaunchRow, ...] = ()
    positions: tuple[PositionRow, ...] = ()
    orders: tuple[OrderRow, ...] = ()
    events: tuple[EventRow, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    """Exits that do not get out, the longest standing first."""


def token_of(symbol: str) -> str:
    """The traded half of an instrument's symbol: `PEPE` of `PEPE/ETH`."""
    return symbol.rpartition("/")[0] or symbol


def event_rows(
    session: Session, records: Sequence[JournalRecord], money: Money, *, most: int | None = MANY
) -> list[EventRow]:
    """Records as lines, one an act: its kind and a sentence. `most`: more acts than this are one line.

    Gas has no line of its own: the line of the transaction that was mined tells it.
    """
    return [
        _event_row(record, act, part, money)
        for record, acts in zip(records, acts_of(session, records, most=most), strict=True)
        for part, act in enumerate(acts)
        if (act.kind, act.data.get("movement")) != ("order.cost", "gas")
    ]


def _event_row(record: JournalRecord, act: Act, part: int, money: Money) -> EventRow:
    listed = act.listed
    if listed is not None:
        money = Money(listed.quote, listed.decimals, listed.base, listed.base_decimals)
    return EventRow(
        record.seq,
        record.at,
        act.kind,
        act.subject,
        record.actor,
        sentence(act.kind, act.data, money),
        about=token_of(listed.symbol) if listed is not None and listed.base else "",
        order=str(act.data.get("order") or ""),
        part=part,
    )


def launch_row(row: Any, taxes: tuple[datetime, int | None, int | None] | None) -> LaunchRow:
    return LaunchRow(
        id=row.id,
        seen_at=row.seen_at,
        block_number=row.block_number,
        token=row.token,
        pool=row.pool,
        symbol=row.symbol,
        name=row.name,
        verdict=row.verdict,
        classification=row.classification or "",
        reasons=tuple(row.reasons),
        decision=row.decision,
        liquidity=row.liquidity,
        latency_us=row.latency_us,
        buy_tax_bps=taxes[1] if taxes else None,
        sell_tax_bps=taxes[2] if taxes else None,
        protocol=row.protocol,
        fee=row.fee,
        hooks=row.hooks if row.hooks and int(row.hooks, 16) else None,
        source=row.source,
        vanished_at=row.vanished_at,
        announced=not row.block_hash,
    )


def with_result(row: LaunchRow, position: PositionRow | None) -> LaunchRow:
    if position is None:
        return row
    rule = None if position.is_open else position.exit_rule or "closed"
    return replace(row, position=position.id, profit=position.profit, spent=position.spent, exit_rule=rule)


def order_row(found: Found[Order], transactions: Iterable[Any] = ()) -> OrderRow:
    """An order as a line; the last transaction is the one that counts, the gas is that of all."""
    order, sent = found.row, list(transactions)
    costs = [row.gas_cost for row in sent if row.gas_cost is not None]
    return OrderRow(
        id=order.id,
        created_at=order.created_at,
        symbol=found.symbol,
        side=order.side,
        type=str(order.type),
        state=order.state,
        origin=str(order.reason.get("rule") or order.reason.get("origin") or ""),
        quantity=order.quantity,
        budget=order.budget,
        filled_quantity=order.filled_quantity,
        filled_notional=order.filled_notional,
        decimals=found.decimals,
        quote_decimals=found.quote_decimals,
        gas=sum(costs) if costs else None,
        tx_hash=sent[-1].tx_hash if sent else order.venue_reference,
        block_number=sent[-1].block_number if sent else None,
        explanation=order.explanation or "",
        launch_id=order.launch_id,
        position_id=order.position_id,
    )


def position_row(
    found: Found[Position], now: datetime, sold: tuple[tuple[Decimal, int], ...] = ()
) -> PositionRow:
    """A position as a line, with its exits' gauges while it is open; `sold`: by each step of its ladder."""
    position = found.row
    is_open = position.state is PositionState.OPEN
    return PositionRow(
        id=position.id,
        launch_id=position.launch_id,
        account_id=position.account_id,
        instrument_id=position.instrument_id,
        symbol=found.symbol,
        state=position.state,
        quantity=position.quantity,
        decimals=found.decimals,
        quote_decimals=found.quote_decimals,
        spent=position.spent,
        received=position.received,
        fees=position.fees,
        value=position.mark_value if is_open else None,
        profit=position.profit,
        opened_at=position.opened_at,
        closed_at=position.closed_at,
        exit_rule=position.exit_rule,
        marked_at=position.marked_at,
        gauges=gauges(rules_of(position), figures_of(position, sold=sold), now) if is_open else (),
    )


def gauges(rules: ExitRules, figures: PositionFigures, now: datetime) -> tuple[Gauge, ...]:
    """Each exit rule that is on, with how much of the way to it has been gone."""
    return tuple(
        Gauge(
            rule=distance.rule,
            progress=_progress(
                _start(distance.rule, figures, active=distance.active), distance.level, distance.now
            ),
            share_pct=distance.share_pct,
            level=distance.level,
            now=distance.now,
            active=distance.active,
        )
        for distance in distances(rules, figures, now)
    )


def _start(rule: ExitRule, figures: PositionFigures, *, active: bool) -> int:
    """Where a rule's figure stood when nothing of the way had been gone."""
    if rule is ExitRule.LIQUIDITY:
        return figures.entry_liquidity or 0
    if rule is ExitRule.TIME:
        return 0
    if rule is ExitRule.TRAILING_STOP and active:
        return figures.peak
    return figures.paid


def _progress(start: int, level: int, now: int) -> int:
    way = level - start
    return max(0, min(1000, (now - start) * 1000 // way)) if way else 1000

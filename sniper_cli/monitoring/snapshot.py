"""The dashboard as one value: everything a screen shows, read in one transaction, so that its figures agree.

A screen asks several times a second while a sniper writes beside it. So a read costs four small queries
as long as the journal has not grown (head, switch, balances, open positions with their marks); only when
it has are the other tables read again, in pages of bounded length.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from sniper_cli.books.projector import Projector
from sniper_cli.monitoring.alarms import Tried, alarms, tried_in_vain
from sniper_cli.monitoring.lookups import find_orders, find_positions, transactions_by_order
from sniper_cli.monitoring.rows import (
    Dashboard,
    EventRow,
    Facts,
    LaunchRow,
    OrderRow,
    PositionRow,
    Switch,
    event_rows,
    launch_row,
    order_row,
    position_row,
    token_of,
    with_result,
)
from sniper_cli.monitoring.sentences import Money
from sniper_cli.settings.model import Mode, Settings
from sniper_cli.sniping.attempts import sold_of
from state.accounts import Account, Asset, Balance, VenueKind
from state.columns import utc_now
from state.controls import GLOBAL, TENANT, KillSwitch, account_scope, scope_name
from state.database import Database
from state.journal import JournalHead, JournalRecord
from state.launches import ChainCursor, Decision, Launch, Verdict
from state.orders import Order
from state.positions import Position, PositionState
from state.projections import DESK, Projection

BRINGING_SECONDS = 0.1
"""In one reading at most; the next one goes on."""

"""In one reading: ten thousand orders' rows on the machine that `make bench` was run on."""

TRAIL = 60
"""How many marks of a position, and of the equity, are kept for a trend line."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many rows of each kind a dashboard holds; older ones are in the commands' lists."""

    launches: int = 300
    orders: int = 200
    closed: int = 100
    events: int = 500


class Monitor:
    """Reads dashboards of one profile and remembers what the last one found."""

    def __init__(
        self,
        database: Database,
        *,
        profile: str,
        settings: Settings,
        limits: Limits | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.database = database
        self.profile = profile
        self.settings = settings
        self.limits = limits or Limits()
        self.clock = clock
        self._seq = -1
        self._launches: tuple[LaunchRow, ...] = ()
        self._orders: tuple[OrderRow, ...] = ()
        self._closed: tuple[PositionRow, ...] = ()
        self._named: tuple[EventRow, ...] = ()
        self._events: deque[EventRow] = deque(maxlen=self.limits.events)
        self._taxes: dict[UUID, tuple[datetime, int | None, int | None]] = {}
        self._counts: tuple[int, int, int] = (0, 0, 0)
        self._realised = 0
        self._tried: dict[UUID, Tried] = {}
        self._lag = 0
        self._projector: Projector | None = None
        self._trends: dict[UUID | str, deque[int]] = {}

    def read(self) -> Dashboard:
        """The present moment. Raises DatabaseUnavailable."""
        now = self.clock()
        if self._lag:
            self._bring()
        with self.database.read() as session:
            reached = self._read_places(session)
            accounts = _accounts(session, self.profile, self.settings)
            if reached != self._seq:
                self._refresh(session, reached, accounts)
            live = _positions(session, accounts, PositionState.OPEN, limit=None, now=now)
            facts = self._facts(session, accounts, live)
        return self._assemble(facts, live, now)

    def _read_places(self, session: Session) -> int:
        """The last record that the tables show all of, and by how many the journal is further."""
        places = sa.select(col(JournalHead.seq), col(JournalHead.desk_seq), col(Projection.seq))
        query = places.join_from(JournalHead, Projection, col(Projection.name) == DESK)
        found = session.connection().execute(query).first()
        if found is None:
            return 0
        head, written, shown = found
        self._lag = max(0, written - shown)
        return int(shown if self._lag else head)

    def _bring(self) -> None:
        """Bring in, for a moment, what a bulk desk left behind: a screen shows how far it is, it does not wait."""
        if self._projector is None:
            self._projector = Projector(self.database)
        until = monotonic() + BRINGING_SECONDS
        while monotonic() < until and self._projector.step():
            pass

    def _refresh(self, session: Session, reached: int, accounts: list[Account]) -> None:
        """Read again what the journal may have changed."""
        place = max(self._seq, 0), reached
        self._events.extend(_events(session, place, self.limits.events, self._money(session, accounts)))
        self._launches = self._read_launches(session)
        self._orders = _orders(session, accounts, self.limits.orders)
        self._closed = _positions(
            session, accounts, PositionState.CLOSED, limit=self.limits.closed, now=self.clock()
        )
        self._counts = _launch_counts(session, self.settings.chain.chain_id)
        self._realised = _realised(session, accounts)
        if self.settings.mode is not Mode.PAPER:
            self._tried = tried_in_vain(session, after=self.settings.sniping.exits.stuck_after)
        self._named = self._name_events()
        self._seq = reached

    def _name_events(self) -> tuple[EventRow, ...]:
        """The records, newest first, with the tokens they are about."""
        names = {str(row.id): row.symbol for row in self._launches}
        names |= {str(order.id): token_of(order.symbol) for order in self._orders}
        names |= {str(row.position_id): token_of(row.symbol) for row in self._orders if row.position_id}
        return tuple(
            replace(event, about=event.about or names.get(event.subject) or names.get(event.order) or "")
            for event in reversed(self._events)
        )

    def _read_launches(self, session: Session) -> tuple[LaunchRow, ...]:
        """The latest launches; the report, long and parsed for two figures, only of those judged since."""
        columns = [
            c
            for c in Launch.__table__.columns  # type: ignore[attr-defined]
            if c.name not in ("report", "quote_token", "factory", "tx_hash")
        ]
        if self.settings.mode is Mode.PAPER:
            return ()
        query = (
            sa.select(*columns)
            .where(col(Launch.chain_id) == self.settings.chain.chain_id)
            .order_by(sa.desc(col(Launch.id)))
            .limit(self.limits.launches)
        )
        rows = session.connection().execute(query).all()
        stale = [
            row.id for row in rows if row.judged_at and self._taxes.get(row.id, (None,))[0] != row.judged_at
        ]
        self._learn_taxes(session, stale)
        return tuple(launch_row(row, self._taxes.get(row.id)) for row in rows)

    def _learn_taxes(self, session: Session, ids: list[UUID]) -> None:
        if not ids:
            return
        query = sa.select(col(Launch.id), col(Launch.judged_at), col(Launch.report)).where(
            col(Launch.id).in_(ids)
        )
        for identifier, judged_at, report in session.connection().execute(query):
            self._taxes[identifier] = (judged_at, report.get("buy_tax_bps"), report.get("sell_tax_bps"))

    def _money(self, session: Session, accounts: list[Account]) -> Money:
        asset = _reporting_asset(session, accounts)
        return Money(asset.symbol, asset.decimals) if asset else Money(self.settings.chain.coin)

    def _facts(self, session: Session, accounts: list[Account], live: tuple[PositionRow, ...]) -> Facts:
        money = self._money(session, accounts)
        cash = _cash(session, accounts, accounts[0].reporting_asset) if accounts else None
        equity = None if cash is None else cash + sum(row.value or 0 for row in live)
        head = _head(session, self.settings.chain.chain_id)
        return Facts(
            profile=self.profile,
            mode=self.settings.mode,
            chain_id=self.settings.chain.chain_id,
            coin=money.coin,
            decimals=money.decimals,
            account=accounts[0].name if accounts else None,
            head_number=head[0] if head else None,
            head_at=head[1] if head else None,
            block_time=timedelta(seconds=float(self.settings.chain.block_seconds)),
            cash=cash,
            equity=equity,
            realised=self._realised,
            unrealised=sum(row.profit for row in live),
            switch=_tripped(session, accounts),
            seen=self._counts[0],
            safe=self._counts[1],
            bought=self._counts[2],
            open=len(live),
            journal=self._seq,
            lag=self._lag,
            trend=self._follow("equity", equity),
        )

    def _assemble(self, facts: Facts, live: tuple[PositionRow, ...], now: datetime) -> Dashboard:
        raised = alarms(self._tried, live, facts.head_number)
        problems = {alarm.position_id: alarm.problem for alarm in raised}
        opened = [
            replace(row, trend=self._follow(row.id, row.value), alarm=problems.get(row.id, ""))
            for row in reversed(live)
        ]
        # Those with an alarm first: a table is longer than its panel.
        positions = (*sorted(opened, key=lambda row: not row.alarm), *self._closed)
        results = {row.launch_id: row for row in reversed(positions) if row.launch_id}
        return Dashboard(
            facts=facts,
            at=now,
            launches=tuple(with_result(row, results.get(row.id)) for row in self._launches),
            positions=positions,
            orders=self._orders,
            events=self._named,
            alarms=raised,
        )

    def _follow(self, key: UUID | str, value: int | None) -> tuple[int, ...]:
        """Remember a figure when it has changed; all remembered ones, oldest first."""
        trend = self._trends.setdefault(key, deque(maxlen=TRAIL))
        if value is not None and (not trend or trend[-1] != value):
            trend.append(value)
        return tuple(trend)


def _accounts(session: Session, profile: str, settings: Settings) -> list[Account]:
    """The accounts a profile's screen is about: its own by name, or else all of its market."""
    query = select(Account).order_by(col(Account.id))
    named = session.exec(query.where(Account.name == (settings.account or profile))).all()
    if named or settings.account:
        return list(named)
    if settings.mode is Mode.PAPER:
        return list(session.exec(query.where(Account.venue == VenueKind.PAPER)).all())
    query = query.where(Account.venue == VenueKind.EVM, Account.chain_id == settings.chain.chain_id)
    return list(session.exec(query).all())


def _reporting_asset(session: Session, accounts: list[Account]) -> Asset | None:
    return session.get(Asset, accounts[0].reporting_asset) if accounts else None


def _cash(session: Session, accounts: list[Account], asset_id: str) -> int:
    ids = [account.id for account in accounts]
    query = select(Balance.amount).where(col(Balance.account_id).in_(ids), Balance.asset_id == asset_id)
    return sum(session.exec(query).all())


def _head(session: Session, chain_id: int) -> tuple[int, datetime] | None:
    """The newest block any stream of this chain has been read to, and when that was."""
    query = (
        select(ChainCursor)
        .where(ChainCursor.chain_id == chain_id)
        .order_by(sa.desc(col(ChainCursor.block_number)))
        .limit(1)
    )
    cursor = session.exec(query).first()
    return (cursor.block_number, cursor.updated_at) if cursor else None


def _tripped(session: Session, accounts: list[Account]) -> Switch | None:
    tenants = (scope_name(TENANT, account.tenant_id) for account in accounts)
    scopes = [GLOBAL, *tenants, *(account_scope(account.id) for account in accounts)]
    query = select(KillSwitch).where(col(KillSwitch.scope).in_(scopes), col(KillSwitch.tripped).is_(True))
    found = session.exec(query).first()
    return Switch(found.scope, found.actor, found.reason, found.at) if found else None


def _launch_counts(session: Session, chain_id: int) -> tuple[int, int, int]:
    """Launches seen, found safe, and bought."""
    query = sa.select(
        sa.func.count(),
        sa.func.count().filter(col(Launch.verdict) == Verdict.SAFE),
        sa.func.count().filter(col(Launch.decision) == Decision.BOUGHT),
    ).where(col(Launch.chain_id) == chain_id)
    seen, safe, bought = session.connection().execute(query).one()
    return int(seen), int(safe), int(bought)


def _realised(session: Session, accounts: list[Account]) -> int:
    """Profit of all closed positions. Units are text on SQLite, so Python sums them."""
    query = sa.select(col(Position.received), col(Position.spent), col(Position.fees)).where(
        col(Position.account_id).in_([account.id for account in accounts]),
        col(Position.state) == PositionState.CLOSED,
    )
    return sum(received - spent - fees for received, spent, fees in session.connection().execute(query))


def _events(session: Session, place: tuple[int, int], limit: int, money: Money) -> list[EventRow]:
    """The acts of the records after one place up to another, oldest first, of the last `limit` records."""
    query = (
        select(JournalRecord)
        .where(col(JournalRecord.seq) > place[0], col(JournalRecord.seq) <= place[1])
        .order_by(sa.desc(col(JournalRecord.seq)))
        .limit(limit)
    )
    return event_rows(session, session.exec(query).all()[::-1], money)


def _orders(session: Session, accounts: list[Account], limit: int) -> tuple[OrderRow, ...]:
    """The latest orders with their transactions, newest first."""
    mine = col(Order.account_id).in_([account.id for account in accounts])
    found = find_orders(session, mine, limit=limit, newest=True)
    transactions = transactions_by_order(session, (order.row.id for order in found))
    return tuple(order_row(order, transactions.get(order.row.id, ())) for order in found)


def _positions(
    session: Session, accounts: list[Account], state: PositionState, *, limit: int | None, now: datetime
) -> tuple[PositionRow, ...]:
    """Open positions, oldest first, or the latest closed ones, newest first."""
    mine = sa.and_(
        col(Position.account_id).in_([account.id for account in accounts]), col(Position.state) == state
    )
    order_by = sa.desc(col(Position.closed_at)) if state is PositionState.CLOSED else col(Position.id)
    rows = find_positions(session, mine, order_by=order_by, limit=limit)
    sold = sold_of(session, (found.row for found in rows)) if state is PositionState.OPEN else {}
    return tuple(position_row(found, now, sold.get(found.row.id, ())) for found in rows)

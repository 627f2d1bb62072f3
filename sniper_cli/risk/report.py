"""Where an account stands: its switches, what is at stake, how much of each limit is used. Only read, never held up.

The figures come from the gate itself, built over the account's book as the tables have it, so that what a person sees
is what the next order will be held against.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlmodel import Session, col, select

from sniper_cli.books.loading import Pairs, load_book
from sniper_cli.books.projector import catch_up
from sniper_cli.risk.compiling import compile_gate
from sniper_cli.risk.gate import Gate
from sniper_cli.risk.kinds import KINDS, Unit, spelled_value
from sniper_cli.risk.limits import UNITS, Limits
from sniper_cli.risk.marks import Marks, TableMarks
from sniper_cli.risk.setting import account_named
from sniper_cli.risk.usage import Use, usage
from sniper_cli.settings.model import Mode
from sniper_cli.trading.amounts import trimmed
from state.accounts import Account, Asset, Instrument, VenueKind, find_account
from state.columns import utc_now
from state.controls import GLOBAL, KillSwitch, account_scope, tripped_for
from state.database import Database
from state.writing import Writer, micros

if TYPE_CHECKING:
    from sniper_cli.context import Context
    from sniper_cli.settings.model import Settings


@dataclass(frozen=True, slots=True)
class SwitchView:
    """A tripped switch."""

    scope: str
    by: str
    reason: str
    at: datetime
    resting: str
    flatten: bool


@dataclass(frozen=True, slots=True)
class LimitUse:
    """A limit and how much of it is used, in whole assets; no value where each order is looked at alone."""

    name: str
    scope: str
    of: str
    group: str | None
    value: Decimal | None
    limit: Decimal | None
    """In the unit of the value: of a share of the equity, what that comes to now."""
    unit: str
    set_to: str
    """As it was set: `10%`."""
    share_pct: Decimal | None
    broken: bool
    on_breach: str
    instrument: str | None
    """The position that is nearest to it."""
    until: str | None


@dataclass(frozen=True, slots=True)
class RiskReport:
    """One account."""

    kill_switch: str
    by: str | None
    reason: str | None
    at: datetime | None
    switches: tuple[SwitchView, ...]
    account: str
    equity: Decimal
    gross_exposure: Decimal
    net_exposure: Decimal
    leverage: Decimal | None
    open_orders: int
    open_positions: int
    max_open_positions: int | None
    """None where there is no limit."""
    spent: Decimal
    max_total_spend: Decimal | None
    unit: str
    limits: tuple[LimitUse, ...]
    account_scope: str | None = None
    """The account's name as the kill switch knows it; none before it is opened."""
    strategies: tuple[str, ...] = ()
    """Those with orders at work or positions."""

    @property
    def breaches(self) -> list[str]:
        """What is over its limit now."""
        return [
            one.name if one.group is None else f"{one.name} {one.group}" for one in self.limits if one.broken
        ]


def report(context: Context, account: str | None = None) -> RiskReport:
    """Where an account stands, by default the profile's. Raises NotFound for an account that nobody opened."""
    catch_up(context.database)
    name = account or context.account_name
    with context.database.read() as session:
        found = find_account(session, name) if account is None else account_named(session, name)
        if found is None:
            return _unopened(session, context, name)
        gate = read_gate(session, context.database, found, context.settings)
        return _report(session, found, gate)


def read_gate(session: Session, database: Database, account: Account, settings: Settings) -> Gate:
    """An account's gate over its book as the tables have it."""
    writer = Writer(database, session=session)
    book = load_book(writer, account.id.hex, Pairs(writer))
    now = micros(utc_now())
    gate = compile_gate(writer, book, account, limits_of(account, settings), now=now, exposed=True)
    gate.begin(now, marks_of(account, writer, settings))
    gate.whole.renew()
    return gate


def limits_of(account: Account, settings: Settings) -> Limits | None:
    """The sniper's limits bind the chain account of its profile, not the paper one."""
    if settings.mode is Mode.PAPER or account.venue is VenueKind.PAPER:
        return None
    return Limits.from_settings(settings.sniping)


def marks_of(account: Account, writer: Writer, settings: Settings) -> Marks:
    """What the account's instruments are worth now."""
    if account.venue is not VenueKind.PAPER:
        return TableMarks(writer, account.id.hex)
    from sniper_cli.market.simulated import SimulatedMarket
    from sniper_cli.venues.paper import PaperVenue

    return PaperVenue(SimulatedMarket(settings.market_seed), clock=utc_now).rate


def _report(session: Session, account: Account, gate: Gate) -> RiskReport:
    switches = tripped_for(session, account.id, account.tenant_id).tripped
    first = switches[0] if switches and not switches[0].scope.startswith("strategy:") else None
    money, whole = gate.asset, gate.whole
    equity = gate.book.cash.get(money.id, 0) + whole.value
    uses = usage(gate)
    names = _names(session)
    return RiskReport(
        kill_switch="tripped" if first is not None else "not tripped",
        by=first.actor if first else None,
        reason=first.reason if first else None,
        at=first.at if first else None,
        switches=tuple(_switch(one) for one in switches),
        account=account.name,
        equity=_whole(money, equity),
        gross_exposure=_whole(money, whole.gross),
        net_exposure=_whole(money, whole.net),
        leverage=(Decimal(whole.gross) / equity).quantize(Decimal("0.01")) if equity > 0 else None,
        open_orders=len(gate.book.orders),
        open_positions=whole.live,
        max_open_positions=_least(uses, "open_positions"),
        spent=_whole(money, whole.basis),
        max_total_spend=None if (most := _least(uses, "total_spend")) is None else _whole(money, most),
        unit=money.symbol,
        limits=tuple(_shown(use, gate, names) for use in uses),
        account_scope=account_scope(account.id),
        strategies=tuple(sorted(_strategies(gate))),
    )


def _strategies(gate: Gate) -> set[str]:
    found = {order.strategy for order in gate.book.orders.values()}
    found |= {position.strategy for position in gate.book.positions.values()}
    return {name for name in found if name is not None}


def _unopened(session: Session, context: Context, name: str) -> RiskReport:
    """An account that trades for the first time later: only what stops it is known."""
    switch = session.get(KillSwitch, GLOBAL)
    tripped = switch if switch is not None and switch.tripped else None
    limits = None if context.settings.mode is Mode.PAPER else context.settings.sniping
    return RiskReport(
        kill_switch="tripped" if tripped else "not tripped",
        by=tripped.actor if tripped else None,
        reason=tripped.reason if tripped else None,
        at=tripped.at if tripped else None,
        switches=(_switch(tripped),) if tripped else (),
        account=name,
        equity=Decimal(0),
        gross_exposure=Decimal(0),
        net_exposure=Decimal(0),
        leverage=None,
        open_orders=0,
        open_positions=0,
        max_open_positions=limits.max_open_positions if limits else None,
        spent=Decimal(0),
        max_total_spend=limits.max_total_spend if limits else None,
        unit=context.settings.chain.coin,
        limits=(),
    )


def _switch(switch: KillSwitch) -> SwitchView:
    return SwitchView(
        switch.scope, switch.actor, switch.reason, switch.at, switch.resting.value, switch.flatten
    )


def _least(uses: Sequence[Use], name: str) -> int | None:
    return min((use.most for use in uses if use.limit.name == name and use.most is not None), default=None)


def _names(session: Session) -> dict[str, str]:
    """Symbols and names of what limits are about."""
    names = {row.id: row.symbol for row in session.exec(select(Instrument)).all()}
    accounts = session.exec(select(Account).order_by(col(Account.name))).all()
    return names | {str(account.id): account.name for account in accounts}


def _shown(use: Use, gate: Gate, names: dict[str, str]) -> LimitUse:
    limit = use.limit
    money = limit.unit == UNITS
    scale = _scale(use, gate)
    return LimitUse(
        name=limit.name,
        scope=use.house or limit.scope.value,
        of="" if use.house else names.get(limit.scope_id, limit.scope_id),
        group=limit.part or None,
        value=None if use.value is None else trimmed(Decimal(use.value).scaleb(-scale)),
        limit=None if use.most is None else trimmed(Decimal(use.most).scaleb(-scale)),
        unit=_unit(use, gate),
        set_to=spelled_value(
            limit.number.scaleb(-gate.asset.decimals) if money else limit.number,
            gate.asset.symbol if money else limit.unit,
        ),
        share_pct=use.share,
        broken=use.broken,
        on_breach=limit.on_breach.value,
        instrument=None if use.instrument is None else names.get(use.instrument, use.instrument),
        until=use.until,
    )


def _scale(use: Use, gate: Gate) -> int:
    unit = KINDS[use.limit.name].unit
    if unit is Unit.BASE:
        return next((places for symbol, places in gate.bases.values() if symbol == use.limit.unit), 0)
    return gate.asset.decimals if unit is Unit.MONEY or _is_money(use) else 0


def _unit(use: Use, gate: Gate) -> str:
    if KINDS[use.limit.name].unit is Unit.MONEY or _is_money(use):
        return gate.asset.symbol
    return use.limit.unit


def _is_money(use: Use) -> bool:
    """Shares of the equity are held against money."""
    return use.limit.name in ("leverage", "concentration", "drawdown")


def _whole(asset: Asset, units: int) -> Decimal:
    return trimmed(asset.amount(units))


__all__ = ["LimitUse", "RiskReport", "SwitchView", "limits_of", "marks_of", "read_gate", "report"]

"""A position's exits for people: what would sell it and how far away that is, other rules, a hold, a sale now.

A sale asked for is written down first, whoever carries it out. Where a sniper holds the account, it does so at its next
block, and we only watch; where none does, we take its place for as long as the sale needs. Either way the request is
the same row, and two of us cannot both sell for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sniper_cli.errors import OrderRefused, UsageProblem
from sniper_cli.sniping import overrides
from sniper_cli.sniping.attempts import failing, sales_of, sold_by_steps, sold_for
from sniper_cli.sniping.distances import distances
from sniper_cli.sniping.exits import figures_of, gain_level, percent_of, step_left
from sniper_cli.sniping.rules import ExitRule, rules_of
from sniper_cli.trading.lookup import find_position
from state.accounts import Account
from state.columns import utc_now
from state.errors import LeaseLost
from state.identifiers import short
from state.positions import Position, PositionState, open_positions

if TYPE_CHECKING:
    from sniper_cli.context import Context
    from sniper_cli.trading.assembly import OpenDesk

Agree = Callable[[str], None]
LOOK_SECONDS = 0.2
WHOLE = Decimal(100)


@dataclass(frozen=True, slots=True)
class ExitLine:
    """One rule of a position: where it fires, where it stands, how far that is. Amounts in quote units."""

    position_id: UUID
    rule: str
    setting: str
    level: str | None
    now: str | None
    distance_pct: Decimal | None
    state: str
    """`on`, `asleep` (a trailing stop not yet awake), `due`, `done` (a step), `held`, `off`."""


@dataclass(frozen=True, slots=True)
class EditedView:
    """A position's rules after an edit, and which of them were changed."""

    position_id: UUID
    changed: tuple[str, ...]
    rules: dict[str, Any]
    before: dict[str, Any]
    dry_run: bool


@dataclass(frozen=True, slots=True)
class HeldView:
    """A position that was put on hold, or taken off it."""

    position_id: UUID
    held: bool
    changed: bool
    dry_run: bool


@dataclass(frozen=True, slots=True)
class ExitView:
    """What came of a sale that was asked for."""

    position_id: UUID
    request_id: str | None
    carried_out_by: str
    """`sniper` where one is running, `here` where none is."""
    state: str
    """`planned`, `asked`, `sold`, `failed`."""
    quantity: int
    sold: int
    orders: tuple[str, ...]
    explanation: str | None
    dry_run: bool


def lines(context: Context, text: str) -> list[ExitLine]:
    """All rules of a position. Raises NotFound, UsageProblem."""
    with context.database.read() as session:
        position = find_position(session, text)
        sales = sales_of(session, position.account_id, [position.id])[position.id]
        return lines_of(position, sold_by_steps(sales), stuck=len(failing(sales)))


def lines_of(position: Position, sold: tuple[tuple[Decimal, int], ...], *, stuck: int = 0) -> list[ExitLine]:
    """A line a rule, then a line a step of the ladder."""
    rules, figures, now = rules_of(position), figures_of(position, sold=sold), utc_now()
    known = {row.rule: row for row in distances(rules, figures, now)}
    held, found = overrides.is_held(position), []

    def line(rule: str, setting: str, level: int | None, at: int | None, share: Any, state: str) -> None:
        if held and state in ("on", "due", "asleep"):
            state = "held"
        found.append(
            ExitLine(
                position.id,
                rule,
                setting,
                None if level is None else str(level),
                None if at is None else str(at),
                None if share is None else round(share, 2),
                state,
            )
        )

    for rule, setting in _settings(rules).items():
        row = known.get(rule)
        if row is None:
            line(rule.value, setting, None, None, None, "on" if setting else "off")
        else:
            state = "asleep" if not row.active else "due" if row.share_pct <= 0 else "on"
            line(rule.value, setting, row.level, row.now, row.share_pct, state)
    value, cost = figures.rest
    for number, step in enumerate(rules.steps, 1):
        level = gain_level(step.gain, cost)
        done = step_left(step, figures) == 0
        share = Decimal(level - value) * 100 / value if value else None
        setting = f"+{step.gain.normalize():f} %: {step.share.normalize():f} %"
        state = "done" if done else "due" if value >= level else "on"
        line(f"take_profit_{number}", setting, level, value, share, state)
    if stuck:
        line("failed_sales", str(stuck), None, None, None, "stuck")
    return found


def _settings(rules: Any) -> dict[ExitRule, str]:
    """What stands behind each rule, in words; empty: it is off."""
    blocks = rules.volume_stall_blocks, rules.price_stall_blocks
    armed = [f"+{rules.break_even_pct} %"] if rules.break_even_pct else []
    armed += [f"{rules.break_even_steps} steps"] if rules.break_even_steps else []
    trailing = f"{rules.trailing_pct} % from +{rules.trailing_activation_pct} %" if rules.trailing_pct else ""
    return {
        ExitRule.LIQUIDITY_PENDING: "watched" if rules.watch_pending else "",
        ExitRule.LIQUIDITY: f"-{rules.liquidity_drop_pct} %" if rules.liquidity_drop_pct else "",
        ExitRule.STOP_LOSS: f"-{rules.stop_loss_pct} %" if rules.stop_loss_pct else "",
        ExitRule.BREAK_EVEN: " or ".join(armed),
        ExitRule.TRAILING_STOP: trailing,
        ExitRule.NO_PROFIT: f"{rules.no_profit_seconds} s" if rules.no_profit_seconds else "",
        ExitRule.VOLUME_STALL: f"{rules.volume_stall_coins} in {blocks[0]} blocks" if blocks[0] else "",
        ExitRule.PRICE_STALL: f"{rules.price_stall_pct} % in {blocks[1]} blocks" if blocks[1] else "",
        ExitRule.TIME: f"{rules.max_age_seconds} s" if rules.max_age_seconds else "",
    }


def set_exits(
    context: Context, text: str, changes: dict[str, Any], agree: Agree, *, dry_run: bool
) -> EditedView:
    """Change some of a position's rules. Raises NotFound, UsageProblem, OrderRefused."""
    if not changes:
        raise UsageProblem("nothing to change was given", hint="sniper position exits set --help")
    position_id = _id_of(context, text)
    planned = overrides.edit(context.database, position_id, changes, actor=context.actor, dry_run=True)
    if not dry_run and planned.changed:
        after = planned.after.as_json()
        words = ", ".join(f"{name} {after[name]}" for name in planned.changed)
        agree(f"Change the exits of {short(position_id)}: {words}?")
        planned = overrides.edit(context.database, position_id, changes, actor=context.actor)
    return EditedView(
        position_id, planned.changed, planned.after.as_json(), planned.before.as_json(), dry_run
    )


def hold(
    context: Context, text: str | None, *, held: bool, everything: bool, dry_run: bool
) -> list[HeldView]:
    """Put positions on hold or take them off it. Raises NotFound, UsageProblem, OrderRefused."""
    if (text is None) != everything:
        raise UsageProblem("name one position, or --all", hint="sniper position hold --help")
    with context.database.read() as session:
        chosen = open_positions(session) if text is None else [find_position(session, text)]
        before = {position.id: overrides.is_held(position) for position in chosen}
        if text is not None and chosen[0].state is PositionState.CLOSED:
            raise OrderRefused("the position is closed already", hint="sniper position list")
    views = []
    for key, was in before.items():
        changed = was != held
        if changed and not dry_run:
            overrides.hold(context.database, key, actor=context.actor, held=held)
        views.append(HeldView(key, held, changed, dry_run))
    return views


async def exit_now(
    context: Context,
    text: str,
    agree: Agree,
    *,
    share: Decimal = WHOLE,
    urgent: bool = False,
    max_slippage_bps: int | None = None,
    dry_run: bool = False,
    live: bool = False,
    wait_seconds: float = 30,
) -> ExitView:
    """Sell a share of a position now. Raises NotFound, UsageProblem, OrderRefused, NetworkError, LiveNotConfirmed."""
    from sniper_cli.sniping.station import require_chain

    require_chain(context)
    if not 0 < share <= WHOLE:
        raise UsageProblem("a share is above 0 and at most 100 %", hint="sniper position exit --help")
    with context.database.read() as session:
        position = find_position(session, text)
        session.expunge(position)
    if position.state is PositionState.CLOSED:
        raise OrderRefused(
            "the position is closed already", hint=f"sniper position show {short(position.id)}"
        )
    quantity = percent_of(position.quantity, share)
    if dry_run:
        return ExitView(position.id, None, "nobody", "planned", quantity, 0, (), None, True)
    how = "at almost any price, at once" if urgent else "at the market"
    agree(f"Sell {share.normalize():f} % of position {short(position.id)} ({quantity} units) {how}?")
    request = overrides.ask(
        context.database,
        position.id,
        share=share,
        urgent=urgent,
        max_slippage_bps=max_slippage_bps,
        actor=context.actor,
    )
    try:
        return await _carry_out(context, position, request, quantity, live=live, seconds=wait_seconds)
    except LeaseLost:
        return await _watch(context, position, request, quantity, wait_seconds)


async def _carry_out(
    context: Context, position: Position, request: str, quantity: int, *, live: bool, seconds: float
) -> ExitView:
    """No sniper is at work: take its place until the sale is through. Raises LeaseLost where one is."""
    from sniper_cli.sniping.lease import RunnerLease
    from sniper_cli.trading.assembly import open_desk

    with context.database.read() as session:
        address = session.get_one(Account, position.account_id).address
    lease = RunnerLease(context.database, position.account_id)
    lease.take()
    try:
        try:
            async with open_desk(context, live=live, address=address) as opened:
                opened.desk.fence = lease
                return await _sell(context, opened, lease, position, request, quantity, seconds)
        finally:
            view = _told(context, position, request, quantity, "here")
            if view.state == "failed" or not view.orders:
                overrides.withdraw(context.database, position.id, request, actor=context.actor)
    finally:
        lease.release()


async def _sell(
    context: Context,
    opened: OpenDesk,
    lease: Any,
    position: Position,
    request: str,
    quantity: int,
    seconds: float,
) -> ExitView:
    from sniper_cli.safety.policy import SafetyPolicy
    from sniper_cli.sniping.book import Book
    from sniper_cli.sniping.marks import read_marks
    from sniper_cli.sniping.run import Run
    from sniper_cli.sniping.sales import Sales
    from sniper_cli.sniping.session import narrate
    from sniper_cli.venues.evm import EvmVenue

    assert opened.node is not None
    assert opened.exchange is not None
    assert isinstance(opened.venue, EvmVenue)
    settings = context.settings.sniping
    run = Run(
        database=context.database,
        node=opened.node,
        exchange=opened.exchange,
        exchanges=opened.venue.exchanges,
        desk=opened.desk,
        settings=settings,
        account_id=opened.account.id,
        address=(opened.account.address or "").lower(),
        policy=SafetyPolicy.from_settings(settings, block_seconds=context.settings.chain.block_seconds),
        lease=lease,
        listener=narrate,
    )
    book, sales, loop = Book(run), Sales(run), asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        run.heads.push(await opened.node.head())
        await opened.desk.refresh(opened.account.id)
        book.look(quietly=True)
        holding = book.holdings.get(position.id)
        signal = None if holding is None else overrides.signal_of(holding.position, holding.asked)
        if holding is None or signal is None or loop.time() >= deadline:
            return _told(context, position, request, quantity, "here")
        marks = await read_marks(run, [holding])
        await sales.sell(holding, signal, marks.get(holding.id))
        lease.renew()
        await asyncio.sleep(LOOK_SECONDS)


async def _watch(
    context: Context, position: Position, request: str, quantity: int, seconds: float
) -> ExitView:
    """A sniper is at work: it reads the request at its next block."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        view = _told(context, position, request, quantity, "sniper")
        if view.state == "sold" or loop.time() >= deadline:
            return view
        await asyncio.sleep(LOOK_SECONDS)


def _told(context: Context, position: Position, request: str, quantity: int, by: str) -> ExitView:
    with context.database.read() as session:
        sales = sales_of(session, position.account_id, [position.id])[position.id]
        mine = [order for order in sales if order.reason.get("request") == request]
        done = sold_for(request, sales)
        row = session.get_one(Position, position.id)
        closed = row.state is PositionState.CLOSED
        at_work = any(order.is_working for order in mine)
        last = mine[-1].explanation if mine else None
        state = "sold" if done >= quantity or closed else "asked" if at_work or not mine else "failed"
        return ExitView(
            position.id,
            request,
            by,
            state,
            quantity,
            done,
            tuple(short(order.id) for order in mine),
            None if state == "sold" else last,
            False,
        )


def _id_of(context: Context, text: str) -> UUID:
    with context.database.read() as session:
        return find_position(session, text).id


__all__ = [
    "EditedView",
    "ExitLine",
    "ExitView",
    "HeldView",
    "exit_now",
    "hold",
    "lines",
    "lines_of",
    "set_exits",
]

"""Tripping and resetting the kill switch as a person does it: on what, with what becoming of orders and positions.

The switch is tripped first, in a transaction of its own; from then on no process opens anything more. What it says of
orders and positions is then done for every account that this profile reaches. An account on a chain needs its wallet
and its node: where they are not at hand, the runner that has them does it at its next look, and the answer says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlmodel import Session, col, select

from sniper_cli.errors import LiveNotConfirmed, NotFound, SniperError, UsageProblem
from sniper_cli.risk import switch as switches
from sniper_cli.risk.setting import account_named
from sniper_cli.settings.model import Mode
from sniper_cli.trading.controls import Obeyed
from sniper_cli.trading.halting import obey
from state.accounts import Account, Instrument, VenueKind
from state.controls import ACCOUNT, GLOBAL, STRATEGY, TENANT, KillSwitch, Resting, scope_name
from state.orders import Order, is_working
from state.positions import Position, open_positions

if TYPE_CHECKING:
    from sniper_cli.context import Context


@dataclass(frozen=True, slots=True)
class Target:
    """What to stop, as a person names it. Nothing named: everything."""

    account: str | None = None
    tenant: str | None = None
    strategy: str | None = None


@dataclass(frozen=True, slots=True)
class AccountStopped:
    """What was done, or would be done, to one account."""

    account: str
    orders: int
    """Cancelled, or at work and to be cancelled."""
    positions: int
    """Closed, or open and to be closed."""
    left: tuple[str, ...] = ()
    """Instruments in which something is still held."""
    troubles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stopped:
    """The switch, and what became of the accounts."""

    scope: str
    kill_switch: str
    by: str
    reason: str
    at: datetime | None
    resting: str
    flatten: bool
    accounts: tuple[AccountStopped, ...] = ()
    dry_run: bool = False

    @property
    def orders(self) -> int:
        """Of all accounts."""
        return sum(one.orders for one in self.accounts)

    @property
    def positions(self) -> int:
        """Of all accounts."""
        return sum(one.positions for one in self.accounts)

    @property
    def troubles(self) -> list[str]:
        """What could not be done, account by account."""
        return [f"{one.account}: {trouble}" for one in self.accounts for trouble in one.troubles]


def scope_of(context: Context, target: Target) -> str:
    """The switch's scope. Raises UsageProblem for two of them, NotFound."""
    given = [name for name in ("account", "tenant", "strategy") if getattr(target, name) is not None]
    if len(given) > 1:
        options = " and ".join(f"--{name}" for name in given)
        raise UsageProblem(
            f"{options} are two scopes: stop one after the other", hint="sniper risk kill --help"
        )
    if not given:
        return GLOBAL
    with context.database.read() as session:
        if given[0] == ACCOUNT:
            return scope_name(ACCOUNT, account_named(session, str(target.account)).id)
        if given[0] == TENANT:
            tenants = sorted(set(session.exec(select(Account.tenant_id)).all()))
            if target.tenant not in tenants:
                known = ", ".join(tenants) or "none yet"
                raise NotFound(f"there is no tenant {target.tenant!r}", hint=f"tenants: {known}")
    return scope_name(given[0], getattr(target, given[0]))


def foreseen(
    context: Context, scope: str, reason: str, *, resting: Resting = Resting.CANCEL, flatten: bool = False
) -> Stopped:
    """What tripping a switch would do."""
    with context.database.read() as session:
        accounts = tuple(
            AccountStopped(
                account.name,
                len(_orders(session, account, scope)) if resting is not Resting.KEEP else 0,
                len(_positions(session, account, scope)) if flatten else 0,
            )
            for account in _concerned(session, scope)
        )
    return Stopped(
        scope, "tripped", context.actor, reason, None, resting.value, flatten, accounts, dry_run=True
    )


async def stop(
    context: Context,
    scope: str,
    reason: str,
    *,
    resting: Resting = Resting.CANCEL,
    flatten: bool = False,
    live: bool = False,
) -> Stopped:
    """Trip a switch and do what it says. Raises LiveNotConfirmed where positions on live money are to be closed."""
    if flatten and context.settings.mode is Mode.LIVE and not live:
        raise LiveNotConfirmed(
            f"the profile {context.profile!r} trades live money, and closing positions trades",
            hint="add --live to mean it, or leave out --flatten",
        )
    switch = switches.trip(context.database, context.actor, reason, scope, resting=resting, flatten=flatten)
    with context.database.read() as session:
        accounts = _concerned(session, scope)
        session.expunge_all()
    done = [] if resting is Resting.KEEP and not flatten else await _obeyed(context, accounts)
    return _told(context, switch, done)


def resume(context: Context, scope: str, reason: str, *, by: str | None = None) -> Stopped:
    """Reset a switch, by a named person. Raises NotAllowed, NotFound for a switch that is not tripped."""
    tripped = [one for one in switches.status(context.database, scope) if one.tripped]
    if not tripped:
        others = [one.scope for one in switches.status(context.database) if one.tripped]
        raise NotFound(
            f"no kill switch is tripped on {scope}",
            hint=f"tripped: {', '.join(others)}" if others else "sniper risk status",
        )
    actor = f"user:{by.strip()}" if by and by.strip() else context.actor
    switch = switches.reset(context.database, actor, reason, scope)
    return _told(context, switch, [])


def _told(context: Context, switch: KillSwitch, done: Sequence[tuple[Account, Obeyed | str]]) -> Stopped:
    told = []
    with context.database.read() as session:
        for account, outcome in done:
            if isinstance(outcome, str):
                told.append(AccountStopped(account.name, 0, 0, troubles=(outcome,)))
                continue
            left = tuple(session.get_one(Instrument, name).symbol for name in outcome.left)
            told.append(
                AccountStopped(
                    account.name, len(outcome.cancelled), len(outcome.closed), left, tuple(outcome.troubles)
                )
            )
    return Stopped(
        switch.scope,
        "tripped" if switch.tripped else "not tripped",
        switch.actor,
        switch.reason,
        switch.at,
        switch.resting.value,
        switch.flatten,
        tuple(told),
    )


# -- accounts -----------------------------------------------------------------------------------------------------


async def _obeyed(context: Context, accounts: Sequence[Account]) -> list[tuple[Account, Obeyed | str]]:
    done: list[tuple[Account, Obeyed | str]] = []
    done += await _on_paper(context, [one for one in accounts if one.venue is VenueKind.PAPER])
    for account in accounts:
        if account.venue is not VenueKind.PAPER:
            done.append((account, await _on_chain(context, account)))
    return done


async def _on_paper(context: Context, accounts: Sequence[Account]) -> list[tuple[Account, Obeyed | str]]:
    from sniper_cli.market.simulated import SimulatedMarket
    from sniper_cli.trading.desk import OrderDesk
    from sniper_cli.venues.paper import PaperVenue

    if not accounts:
        return []
    venue = PaperVenue(SimulatedMarket(context.settings.market_seed))
    desk = OrderDesk(context.database, {VenueKind.PAPER: venue}, actor=context.actor)
    done: list[tuple[Account, Obeyed | str]] = []
    try:
        for account in accounts:
            try:
                done.append((account, await obey(desk, account.id)))
            except SniperError as error:
                done.append((account, error.message))
    finally:
        desk.close()
    return done


async def _on_chain(context: Context, account: Account) -> Obeyed | str:
    """Through the profile's own desk, if it is the profile's account."""
    from sniper_cli.trading.assembly import open_desk

    nothing = Obeyed(account.id)
    with context.database.read() as session:
        at_work = session.exec(select(Order.id).where(Order.account_id == account.id, is_working())).first()
        if at_work is None and not open_positions(session, account.id):
            return nothing
    if context.settings.mode is Mode.PAPER or account.name != context.account_name:
        return (
            f"this profile does not reach chain {account.chain_id}: its runner ends its orders at the next block, "
            "or do it with its own profile"
        )
    try:
        async with open_desk(context, live=True, recover=False) as opened:
            return await obey(opened.desk, opened.account.id)
    except SniperError as error:
        return error.message


def _concerned(session: Session, scope: str) -> list[Account]:
    """The accounts that a switch stops."""
    query = select(Account).order_by(col(Account.name))
    kind, _, identifier = scope.partition(":")
    accounts = list(session.exec(query).all())
    if kind == TENANT:
        return [one for one in accounts if one.tenant_id == identifier]
    if kind == ACCOUNT:
        return [one for one in accounts if str(one.id) == identifier]
    return accounts


def _orders(session: Session, account: Account, scope: str) -> list[Order]:
    query = select(Order).where(Order.account_id == account.id, is_working())
    return [order for order in session.exec(query).all() if _concerns(scope, order.strategy)]


def _positions(session: Session, account: Account, scope: str) -> list[Position]:
    return [one for one in open_positions(session, account.id) if _concerns(scope, one.strategy)]


def _concerns(scope: str, strategy: str | None) -> bool:
    return not scope.startswith(f"{STRATEGY}:") or scope == f"{STRATEGY}:{strategy}"


__all__ = ["AccountStopped", "Stopped", "Target", "foreseen", "resume", "scope_of", "stop"]

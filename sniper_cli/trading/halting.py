"""Doing what a tripped kill switch says: orders at work are ended, positions are closed; and tripping one by rule.

The switch itself stops an account at once and in every process. Whatever else it asks for is done by whoever comes by
the account next: the process that tripped it, a runner at its next look, the dashboard. It may be begun several times
and by several processes: only orders older than the switch are ended, and a sale that closes a position has a name.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from sniper_cli.books.book import Book
from sniper_cli.books.holdings import AnyOrder
from sniper_cli.errors import NetworkError, OrderRefused
from sniper_cli.risk import switch as switches
from sniper_cli.risk.equity import save_peak
from sniper_cli.risk.usage import overruns, told
from sniper_cli.trading.controls import Held, Obeyed
from sniper_cli.trading.intents import OrderIntent, OrderOutcome, Terms
from sniper_cli.venues.paper.venue import PaperVenue
from state.accounts import Account
from state.columns import timestamp
from state.controls import STRATEGY, KillSwitch, Resting, account_scope, scope_name
from state.limits import LimitScope, OnBreach
from state.orders import OrderState, Side
from state.writing import micros

if TYPE_CHECKING:
    from sniper_cli.trading.desk import OrderDesk
    from sniper_cli.trading.local import LocalWalk

FIRST = "0-"
"""Client order ids that sort before those of time: the next order of a runner is still known to be new by its id."""

SECOND = 1_000_000

ATTEMPTS = 20
"""Market orders that close one position: each takes what a thin book has."""


async def obey(desk: OrderDesk, account_id: UUID) -> Obeyed:
    """Do to an account what its tripped switches say."""
    account = desk.account(account_id)
    venue = desk.venue_of(account)
    if isinstance(venue, PaperVenue):
        desk.walk_here(account, venue, lambda _: None)
        return desk.held(account_id).done
    held = desk.held(account_id)
    held.obeyed = True
    for switch in held.switches.tripped:
        if switch.resting is not Resting.KEEP:
            await _end_there(desk, switch, held.done)
        if switch.flatten:
            await _close_there(desk, switch, held.done)
    return held.done


def keep_in_check_here(desk: OrderDesk, account: Account, venue: PaperVenue, ended: Sequence[UUID]) -> None:
    """What a broken limit or a tripped switch asks for beyond refusing orders. The page has ended orders."""
    held = desk.controls.known(account.id)
    if held is None:
        return
    if not held.obeyed:
        held.obeyed = True
        held.done.cancelled += ended
        close_here(desk, account, venue, held)
    if _tripped(desk, held):
        desk.walk_here(account, venue, lambda _: None)


async def keep_in_check(desk: OrderDesk, account_id: UUID) -> None:
    """The same elsewhere: the venue has to be asked."""
    held = desk.controls.known(account_id)
    if held is not None and (_tripped(desk, held) or not held.obeyed):
        await obey(desk, account_id)


def _tripped(desk: OrderDesk, held: Held) -> bool:
    """Keep the highest equity seen, and see whether a limit has tripped a switch just now."""
    if held.gate.equity is not None and held.gate.equity.unsaved:
        save_peak(desk.database, held.gate.equity)
    return held.gate.trips and enforce(desk, held)


# -- orders at work -----------------------------------------------------------------------------------------------


def end_here(walk: LocalWalk, held: Held) -> list[UUID]:
    """End them on the first page after the switch, as of its moment: what the price did until then still counts."""
    ended: list[UUID] = []
    if held.obeyed:
        return ended
    for switch in held.switches.tripped:
        if switch.resting is Resting.KEEP:
            continue
        walk.settle(micros(switch.at) // SECOND)
        for order in list(walk.book.orders.values()):
            if order.is_working and _is_to_end(order, switch, walk):
                walk.cancel(order, _words(switch))
                ended.append(order.id)
    return ended


async def _end_there(desk: OrderDesk, switch: KillSwitch, done: Obeyed) -> None:
    for order in [order for order in desk.working(done.account_id) if _is_to_end(order, switch)]:
        try:
            ended = await desk.cancel(order.id, _words(switch))
        except (NetworkError, OrderRefused) as error:
            done.troubles.append(f"order {order.id} could not be cancelled: {error.message}")
        else:
            done.cancelled.append(ended.id)


def _is_to_end(order: AnyOrder, switch: KillSwitch, walk: LocalWalk | None = None) -> bool:
    """Older than the switch, of its strategy, and no way out that may stay."""
    if order.created_at > switch.at or not _concerns(switch, order.strategy):
        return False
    return switch.resting is Resting.CANCEL or not _is_exit(order, walk)


def _is_exit(order: AnyOrder, walk: LocalWalk | None) -> bool:
    """It can only take off what is held."""
    terms = order.terms or {}
    if terms.get("reduce_only") or order.position_id is not None:
        return True
    if walk is not None and walk.book.margin:
        return False
    return order.side is Side.SELL


# -- positions ----------------------------------------------------------------------------------------------------


def close_here(desk: OrderDesk, account: Account, venue: PaperVenue, held: Held) -> None:
    """Close positions at the market, each as often as a thin book makes it necessary."""
    for switch in held.switches.tripped:
        if not switch.flatten:
            continue
        for _ in range(ATTEMPTS):
            intents = desk.look(account.id, partial(_closing, account.id, switch))
            if not intents or not _note(desk.place_here(account, venue, intents), held.done):
                break
        _note_left(desk, switch, held.done)


async def _close_there(desk: OrderDesk, switch: KillSwitch, done: Obeyed) -> None:
    intents = desk.look(done.account_id, partial(_closing, done.account_id, switch))
    if intents:
        _note(await desk.submit(intents), done)
    _note_left(desk, switch, done)


def _note(outcomes: Sequence[OrderOutcome], done: Obeyed) -> bool:
    """Take down what came of the sales; whether any of them got something."""
    fresh = [outcome.order for outcome in outcomes if not outcome.replayed]
    for order in fresh:
        if order.state is OrderState.REFUSED:
            done.troubles.append(
                f"a position in {order.instrument_id} could not be closed: {order.explanation}"
            )
        else:
            done.closed.append(order.id)
    return any(order.filled_quantity for order in fresh)


def _note_left(desk: OrderDesk, switch: KillSwitch, done: Obeyed) -> None:
    remaining = desk.look(done.account_id, lambda book: list(book.positions.values()))
    done.left += [one.instrument_id for one in remaining if _concerns(switch, one.strategy)]


def _closing(account_id: UUID, switch: KillSwitch, book: Book) -> list[OrderIntent]:
    """A market order for all of each position. Its name has the position's version: what is left gets another."""
    return [
        OrderIntent(
            account_id,
            position.instrument_id,
            Side.SELL if position.quantity > 0 else Side.BUY,
            f"{FIRST}kill-{switch.scope}-{switch.version}-{position.key}-{position.version}",
            quantity=abs(position.quantity),
            reason={"origin": "kill_switch", "rule": "flattened", "scope": switch.scope},
            launch_id=None if position.launch_key is None else UUID(position.launch_key),
            position_id=None if book.margin else UUID(position.key),
            terms=Terms(reduce_only=True) if book.margin else None,
            strategy=position.strategy,
        )
        for position in book.positions.values()
        if position.quantity and _concerns(switch, position.strategy)
    ]


# -- by rule ------------------------------------------------------------------------------------------------------


def enforce(desk: OrderDesk, held: Held) -> bool:
    """Trip the switch where a limit that says so is broken; whether one was tripped now.

    Nobody may be looking: orders that only reduce stay, unless positions are closed as well.
    """
    broken = [(breach.limit, breach.sentence) for breach in held.gate.breaches]
    broken += [(use.limit, told(use, held.gate)) for use in overruns(held.gate)]
    tripped = False
    for limit, sentence in broken:
        strategy = limit.scope is LimitScope.STRATEGY
        scope = (
            scope_name(STRATEGY, limit.scope_id) if strategy else account_scope(held.gate.book.account_key)
        )
        if any(switch.scope == scope for switch in held.switches.tripped):
            continue
        flatten = limit.on_breach is OnBreach.FLATTEN
        resting = Resting.CANCEL if flatten else Resting.KEEP_EXITS
        switches.trip(desk.database, switches.RULE, sentence, scope, resting=resting, flatten=flatten)
        tripped = True
    held.gate.breaches.clear()
    return tripped


def _concerns(switch: KillSwitch, strategy: str | None) -> bool:
    prefix = f"{STRATEGY}:"
    return not switch.scope.startswith(prefix) or switch.scope == f"{prefix}{strategy}"


def _words(switch: KillSwitch) -> str:
    return f"kill switch of {timestamp(switch.at)}, tripped by {switch.actor}: {switch.reason}"

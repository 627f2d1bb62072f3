"""What people do to orders and positions that are there: change, cancel, cancel many, close, make flat.

Everything that ends more than one thing says how many first, from a rehearsal that is the act itself taken back; so
what was agreed to is what is done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlmodel import Session

from sniper_cli.books.holdings import AnyOrder
from sniper_cli.errors import NetworkError, OrderRefused, PartlyDone, UsageProblem
from sniper_cli.moments import parse_duration, parse_future
from sniper_cli.trading import amending
from sniper_cli.trading.amending import Amendment
from sniper_cli.trading.amounts import spelled, trimmed, whole
from sniper_cli.trading.assembly import (
    OpenDesk,
    address_behind,
    close_held,
    open_desk,
    raise_unless_taken,
    sell_position,
)
from sniper_cli.trading.bulk import Closed, Selection, cancel_here, flatten_here
from sniper_cli.trading.local import LocalWalk
from sniper_cli.trading.lookup import find_instrument, find_order, find_position
from sniper_cli.trading.reading import OrderFilter
from sniper_cli.trading.views import OrderView, instrument_of, order_view, whole_view
from sniper_cli.trading.words import Units, read_number, read_side, read_trail, read_type
from sniper_cli.venues.paper.venue import PaperVenue
from state.accounts import Asset
from state.columns import timestamp, utc_now
from state.identifiers import new_id, short
from state.orders import Order, working_orders
from state.positions import Position, PositionState, open_positions
from state.writing import instant, micros

if TYPE_CHECKING:
    from sniper_cli.context import Context

Agree = Callable[[str], None]


# -- amending -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AmendmentWords:
    """What shall be other than it is, as typed."""

    quantity: str | None = None
    price: str | None = None
    trigger: str | None = None
    trail: str | None = None
    display: str | None = None
    expires: str | None = None


@dataclass(frozen=True, slots=True)
class AmendedView:
    """An order after a change."""

    order: OrderView
    before: dict[str, Any]
    keeps_place: bool
    dry_run: bool


async def amend(
    context: Context,
    text: str,
    words: AmendmentWords,
    agree: Agree,
    *,
    dry_run: bool = False,
    live: bool = False,
) -> AmendedView:
    """Change an order; rehearsed first. Raises NotFound, UsageProblem, OrderRefused."""
    async with open_desk(context, live=live) as opened:
        with context.database.read() as session:
            order = find_order(session, text)
            _, base, quote = instrument_of(session, order.instrument_id)
            session.expunge_all()
        wanted = _amendment(words, Units(base.symbol, quote.symbol), base.units)
        rehearsed = amending.amend(opened.desk, order.id, wanted, dry_run=True)
        changes = ", ".join(_changes(rehearsed, words))
        if not dry_run:
            agree(f"Change the {order.side.value} of {order.instrument_id.partition(':')[2]} ({changes})?")
            rehearsed = amending.amend(opened.desk, order.id, wanted)
        with context.database.read() as session:
            told = order_view(session, rehearsed.order) if dry_run else whole_view(session, rehearsed.order)
        return AmendedView(told, _told_before(rehearsed.before, base), rehearsed.keeps_place, dry_run)


def _amendment(words: AmendmentWords, units: Units, base_units: Callable[[Decimal], int]) -> Amendment:
    amount, bps = (None, None) if words.trail is None else read_trail(words.trail, "--trail")
    never = words.expires is not None and words.expires.strip().lower() in ("never", "none")
    try:
        return Amendment(
            None if words.quantity is None else base_units(read_number(words.quantity, "--quantity", units)),
            None if words.price is None else read_number(words.price, "--price"),
            None if words.trigger is None else read_number(words.trigger, "--trigger"),
            amount,
            bps,
            None if words.display is None else base_units(read_number(words.display, "--display", units)),
            None if words.expires is None or never else micros(parse_future(words.expires)),
            never,
        )
    except ValueError as error:
        raise UsageProblem(str(error), hint="sniper order amend --help") from error


def _told_before(before: dict[str, Any], base: Asset) -> dict[str, Any]:
    """What was changed, in whole assets and times."""
    told = dict(before)
    for name in ("quantity", "display"):
        if told.get(name) is not None:
            told[name] = format(whole(base, int(told[name])), "f")
    if told.get("expires_at") is not None:
        told["expires_at"] = timestamp(instant(int(told["expires_at"])))
    return told


def _changes(rehearsed: amending.Amended, words: AmendmentWords) -> list[str]:
    given = {
        name: getattr(words, name) for name in ("quantity", "price", "trigger", "trail", "display", "expires")
    }
    told = [f"{name} {value}" for name, value in given.items() if value is not None]
    told.append("keeps its place" if rehearsed.keeps_place else "queues up anew")
    return told


# -- cancelling many ----------------------------------------------------------------------------------------------


async def cancel_all(
    context: Context,
    wanted: OrderFilter,
    agree: Agree,
    *,
    older_than: str | None = None,
    dry_run: bool = False,
    live: bool = False,
) -> list[OrderView]:
    """Cancel the orders at work that a filter takes. Raises NotFound, UsageProblem, PartlyDone."""
    async with open_desk(context, live=live) as opened:
        selection = _selection(opened, wanted, older_than)
        chosen = _rehearse(opened, selection)
        if not chosen or dry_run:
            return _views(context, chosen)
        agree(f"Cancel {_counted(len(chosen), 'order')}?")
        if isinstance(opened.venue, PaperVenue):
            return _views(context, _cancel_here(opened, selection, dry_run=False))
        return _views(context, await _cancel_there(opened, chosen))


def _selection(opened: OpenDesk, wanted: OrderFilter, older_than: str | None) -> Selection:
    before = None
    if older_than is not None:
        before = micros(utc_now() - parse_duration(older_than))
    with opened.desk.database.read() as session:
        return Selection(
            None
            if wanted.instrument is None
            else find_instrument(session, wanted.instrument, opened.account.venue).id,
            None if wanted.side is None else read_side(wanted.side),
            wanted.strategy,
            None if wanted.type is None else read_type(wanted.type),
            None if wanted.parent is None else find_order(session, wanted.parent).id.hex,
            before,
        )


def _rehearse(opened: OpenDesk, selection: Selection) -> list[AnyOrder]:
    if isinstance(opened.venue, PaperVenue):
        return _cancel_here(opened, selection, dry_run=True)
    with opened.desk.database.read() as session:
        orders = working_orders(session, opened.account.id)
        session.expunge_all()
    return [order for order in orders if _takes(selection, order)]


def _takes(selection: Selection, order: Order) -> bool:
    return (
        (selection.instrument_id is None or order.instrument_id == selection.instrument_id)
        and (selection.side is None or order.side is selection.side)
        and (selection.strategy is None or order.strategy == selection.strategy)
        and (selection.type is None or order.type is selection.type)
        and (
            selection.parent is None
            or (order.parent_id is not None and order.parent_id.hex == selection.parent)
        )
        and (selection.before is None or micros(order.created_at) < selection.before)
    )


def _cancel_here(opened: OpenDesk, selection: Selection, *, dry_run: bool) -> list[AnyOrder]:
    assert isinstance(opened.venue, PaperVenue)

    def work(walk: LocalWalk) -> list[AnyOrder]:
        return list(cancel_here(walk, selection, "cancelled by request"))

    return opened.desk.walk_here(opened.account, opened.venue, work, dry_run=dry_run)


async def _cancel_there(opened: OpenDesk, chosen: list[AnyOrder]) -> list[AnyOrder]:
    """One by one: each is a transaction that may come too late."""
    done: list[AnyOrder] = []
    troubles: list[str] = []
    for order in chosen:
        try:
            done.append(await opened.desk.cancel(order.id))
        except (OrderRefused, NetworkError) as error:
            troubles.append(f"{short(order.id)}: {error.message}")
    if troubles:
        raise PartlyDone(
            f"{len(done)} of {len(chosen)} orders were cancelled; {troubles[0]}",
            hint="sniper order list --open",
            troubles=troubles,
        )
    return done


def _views(context: Context, orders: list[AnyOrder]) -> list[OrderView]:
    with context.database.read() as session:
        return [order_view(session, order) for order in orders]


# -- closing ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ClosedView:
    """What came of closing a position."""

    position_id: UUID | None
    instrument: str
    order_id: UUID | None
    state: str
    quantity: Decimal
    """What the orders got."""
    left: Decimal
    """What is still held."""
    cancelled: int
    """Orders that were ended first."""
    dry_run: bool
    orders: tuple[str, ...] = field(default_factory=tuple)


async def close(
    context: Context,
    text: str,
    agree: Agree,
    *,
    quantity: str | None = None,
    dry_run: bool = False,
    live: bool = False,
    wait_seconds: float = 30,
) -> ClosedView:
    """Close a position at the market, or a part of it. Raises NotFound, UsageProblem, OrderRefused, NetworkError."""
    with context.database.read() as session:
        named = find_position(session, text).id
    async with open_desk(context, live=live, address=address_behind(context, Position, named)) as opened:
        await opened.desk.refresh(opened.account.id)
        with context.database.read() as session:
            position = find_position(session, text)
            instrument, base, quote = instrument_of(session, position.instrument_id)
            session.expunge_all()
        if position.state is PositionState.CLOSED:
            raise OrderRefused(
                "the position is closed already", hint=f"sniper position show {short(position.id)}"
            )
        units = Units(base.symbol, quote.symbol)
        part = None if quantity is None else base.units(read_number(quantity, "--quantity", units))
        if part is not None and part > abs(position.quantity):
            raise OrderRefused(
                f"{spelled(base, abs(position.quantity))} is held; the nearest is all of it",
                hint=f"sniper position close {short(position.id)}",
            )
        if not isinstance(opened.venue, PaperVenue):
            return await _close_there(
                opened, position, part, agree, dry_run=dry_run, wait_seconds=wait_seconds
            )
        closed = close_held(opened, position, part, dry_run=True)
        if not dry_run:
            agree(_question(position, part, closed, instrument.symbol, base, quote))
            closed = close_held(opened, position, part)
            raise_unless_taken(closed.orders[0])
        return _closed_view(position, instrument.symbol, base.amount, closed, dry_run=dry_run)


def _question(
    position: Position, part: int | None, closed: Closed, symbol: str, base: Asset, quote: Asset
) -> str:
    verb = "Sell" if position.quantity > 0 else "Buy back"
    words = (
        f"{verb} {spelled(base, abs(position.quantity) if part is None else part)} of {symbol} at the market"
    )
    if position.mark_value is not None and part is None:
        words += f", worth {spelled(quote, abs(position.mark_value))} now"
    if closed.cancelled:
        words += f", and cancel {_counted(len(closed.cancelled), 'order')} that would close it"
    return words + "?"


def _closed_view(
    position: Position, symbol: str, amount: Callable[[int], Decimal], closed: Closed, *, dry_run: bool
) -> ClosedView:
    got = sum(order.filled_quantity for order in closed.orders)
    last = closed.orders[-1]
    return ClosedView(
        position.id,
        symbol,
        last.id,
        last.state.value,
        trimmed(amount(got)),
        trimmed(amount(abs(closed.left.get(position.instrument_id, 0)))),
        len(closed.cancelled),
        dry_run,
        tuple(short(order.id) for order in closed.orders),
    )


async def _close_there(
    opened: OpenDesk,
    position: Position,
    part: int | None,
    agree: Agree,
    *,
    dry_run: bool,
    wait_seconds: float,
) -> ClosedView:
    with opened.desk.database.read() as session:
        instrument, base, _ = instrument_of(session, position.instrument_id)
        session.expunge_all()
    size = position.quantity if part is None else part
    view = ClosedView(
        position.id,
        instrument.symbol,
        None,
        position.state.value,
        Decimal(0),
        whole(base, position.quantity),
        0,
        dry_run,
    )
    if dry_run:
        return view
    agree(f"Sell {spelled(base, size)} of {instrument.symbol} at the market?")
    sold = await sell_position(opened, position.id, quantity=part, wait_seconds=wait_seconds)
    left = position.quantity - sold.filled_quantity
    return ClosedView(
        position.id,
        instrument.symbol,
        sold.id,
        sold.state.value,
        whole(base, sold.filled_quantity),
        whole(base, left),
        0,
        dry_run,
        (short(sold.id),),
    )


async def flatten(
    context: Context, agree: Agree, *, dry_run: bool = False, live: bool = False, wait_seconds: float = 30
) -> list[ClosedView]:
    """End every order, then close every position. Raises PartlyDone where something is left."""
    async with open_desk(context, live=live) as opened:
        await opened.desk.refresh(opened.account.id)
        with context.database.read() as session:
            held = [p for p in _open_positions(session, opened) if p.quantity]
            facts = {p.instrument_id: instrument_of(session, p.instrument_id) for p in held}
            at_work = len(working_orders(session, opened.account.id))
            session.expunge_all()
        if not held and not at_work:
            return []
        if not dry_run:
            agree(
                f"Cancel {_counted(at_work, 'order')} and close {_counted(len(held), 'position')} at the market?"
            )
        if isinstance(opened.venue, PaperVenue):
            name = f"flatten-{new_id().hex}"
            venue = opened.venue
            closed = opened.desk.walk_here(
                opened.account, venue, lambda walk: flatten_here(walk, name), dry_run=dry_run
            )
            views = [_of_flat(p, facts, closed, dry_run=dry_run) for p in held]
        else:
            if not dry_run:
                await _cancel_there(opened, _rehearse(opened, Selection()))
            views = [
                await _close_there(
                    opened, p, None, lambda _: None, dry_run=dry_run, wait_seconds=wait_seconds
                )
                for p in held
            ]
        left = [view for view in views if view.left and not view.dry_run]
        if left:
            raise PartlyDone(
                f"{_counted(len(left), 'position')} could not be closed whole: "
                f"{left[0].left:f} of {left[0].instrument} left",
                hint="sniper position list",
            )
        return views


def _open_positions(session: Session, opened: OpenDesk) -> list[Position]:
    return list(open_positions(session, opened.account.id))


def _of_flat(position: Position, facts: dict[str, Any], closed: Closed, *, dry_run: bool) -> ClosedView:
    instrument, base, _ = facts[position.instrument_id]
    mine = Closed(
        [order for order in closed.cancelled if order.instrument_id == position.instrument_id],
        [order for order in closed.orders if order.instrument_id == position.instrument_id],
        closed.left,
    )
    return _closed_view(position, instrument.symbol, base.amount, mine, dry_run=dry_run)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


__all__ = ["AmendedView", "AmendmentWords", "ClosedView", "amend", "cancel_all", "close", "flatten"]

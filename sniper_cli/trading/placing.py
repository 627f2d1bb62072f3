"""An order as a person asks for it: read, checked and rehearsed, shown with its cost, agreed to, placed, followed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sniper_cli.errors import NotFound, OrderRefused
from sniper_cli.trading.amounts import spelled, trimmed
from sniper_cli.trading.asking import Asked, read
from sniper_cli.trading.assembly import (
    OpenDesk,
    failed_checks,
    open_desk,
    raise_unless_taken,
    resolve_instrument,
)
from sniper_cli.trading.families import Family
from sniper_cli.trading.intents import OrderOutcome
from sniper_cli.trading.listings import Listing
from sniper_cli.trading.lookup import find_order
from sniper_cli.trading.requests import Ground, OrderRequest
from sniper_cli.trading.views import OrderView, order_view, whole_view
from sniper_cli.trading.words import read_side
from sniper_cli.venues.paper.venue import PaperVenue
from sniper_cli.venues.venue import Asked as Wanted
from sniper_cli.venues.venue import QuotingVenue
from state.columns import utc_now
from state.identifiers import short
from state.orders import Side
from state.writing import micros

if TYPE_CHECKING:
    from sniper_cli.context import Context


@dataclass(frozen=True, slots=True)
class Placed:
    """What came of it."""

    order: OrderView
    replayed: bool
    dry_run: bool
    plan: dict[str, Any] = field(default_factory=dict)
    legs: tuple[OrderView, ...] = ()
    """The orders that hang on it."""


async def place(
    context: Context,
    request: OrderRequest,
    agree: Callable[[str], None],
    *,
    tell: Callable[[str], None] = lambda _: None,
    dry_run: bool = False,
    live: bool = False,
    wait_seconds: float = 30,
    shape: Callable[[Family], Family] = lambda family: family,
) -> Placed:
    """Rehearse, have it agreed to, place and follow an order. `shape` says of it what a request has no word for.

    `agree` is shown market, side, size, cost and worst price, and raises to refuse; `tell` is shown what the person
    should know. Raises OrderRefused, NetworkError, UsageProblem, NotFound, LiveNotConfirmed.
    """
    async with open_desk(context, live=live) as opened:
        ground = await ground_of(opened, request)
        asked = read(request, ground)
        asked.family = shape(asked.family)
        for note in asked.notes:
            tell(note)
        rehearsal = (await opened.desk.place(opened.account.id, [asked.family], dry_run=True))[0]
        head = rehearsal[0]
        if dry_run or head.replayed:
            raise_if_refused(request, ground, head)
            return _placed(
                opened, rehearsal, dry_run=dry_run
            )  # one placed before is given back, not rehearsed
        if not head.refused:
            agree(question(context, asked, ground, head.summary))
        outcomes = (await opened.desk.place(opened.account.id, [asked.family]))[0]
        order = outcomes[0].order
        try:
            raise_unless_taken(order)
        except OrderRefused as refused:
            refused.hint = _better_hint(request, ground, outcomes[0]) or refused.hint
            raise
        outcomes[0].order = await opened.settled(order, wait_seconds)  # type: ignore[assignment]
        return _placed(opened, outcomes, dry_run=False)


async def ground_of(opened: OpenDesk, request: OrderRequest) -> Ground:
    """What a request stands on. Raises NotFound with the near match."""
    read_side(request.side, request.instrument)  # told before the instrument, where the two were swapped
    instrument, base, quote = await resolve_instrument(opened, request.instrument)
    listing = Listing(
        instrument.id,
        instrument.venue,
        instrument.symbol,
        instrument.tick,
        instrument.lot,
        instrument.minimum_notional,
        instrument.maximum_notional,
        base,
        quote,
        instrument.pool,
        base.id,
        quote.id,
    )
    return Ground(
        opened.account.id,
        listing,
        await _reference(opened, listing, request),
        micros(utc_now()),
        on_chain=opened.exchange is not None,
        instrument=lambda text: _instrument(opened, text),
        order=lambda text: order_before(opened, text),
    )


async def _reference(opened: OpenDesk, listing: Listing, request: OrderRequest) -> Decimal | None:
    """The middle price now; on a chain only where something is reckoned from it."""
    venue = opened.venue
    if isinstance(venue, PaperVenue):
        return venue.price(listing.id)
    words = (request.take_profit, request.stop_loss, request.stop_limit, request.grid_low, request.steps)
    if not isinstance(venue, QuotingVenue) or not any(words):
        return None
    found = (await venue.quotes([Wanted(listing, Side.BUY)]))[0]
    return None if found is None else found.middle


def _instrument(opened: OpenDesk, text: str) -> str:
    from sniper_cli.trading.lookup import find_instrument

    with opened.desk.database.read() as session:
        return find_instrument(session, text, opened.account.venue).id


def order_before(opened: OpenDesk, text: str) -> str:
    """The key of an order that another one shall come after. Raises NotFound, OrderRefused when it is over."""
    with opened.desk.database.read() as session:
        found = find_order(session, text)
        if found.account_id != opened.account.id:
            raise NotFound(f"the order {text!r} is of another account", hint="sniper order list")
        if not found.is_working:
            word = found.state.value.replace("_", " ")
            raise OrderRefused(
                f"the order {text!r} is {word} already: nothing can come after it",
                hint="place the order without --after",
            )
        return found.id.hex


def raise_if_refused(request: OrderRequest, ground: Ground, rehearsal: OrderOutcome) -> None:
    """A rehearsal that would be refused is refused, though nothing was recorded."""
    if rehearsal.refused and not rehearsal.replayed:
        raise OrderRefused(
            f"the order would be refused: {rehearsal.order.explanation}",
            hint=_better_hint(request, ground, rehearsal) or "sniper order place --help",
            checks=failed_checks(rehearsal.order),
        )


def _better_hint(request: OrderRequest, ground: Ground, outcome: OrderOutcome) -> str | None:
    """Where a number was probably meant for another option, that one."""
    failed = {check["name"]: check for check in failed_checks(outcome.order)}
    listing = ground.listing
    quantity = outcome.order.quantity
    if request.quantity is not None and quantity and {"funds", "maximum_notional"} & failed.keys():
        typed = trimmed(listing.base.amount(quantity))
        cash = failed.get("funds", {}).get("figures", {}).get("cash")
        if request.side.lower().startswith("b") and (
            cash is None or typed <= listing.quote.amount(int(cash))
        ):
            return (
                f"--quantity counts {listing.base.symbol}; to spend {typed:f} {listing.quote.symbol}: "
                f"--budget {typed:f}"
            )
    misfit = any("the nearest is" in check["detail"] for check in failed.values())
    if misfit and listing.tick and not request.round and "reduce_only" not in failed:
        return "--round takes the nearest that fits"
    if "trigger" in failed:
        return "--type take-profit" if request.type != "take_profit" else "--type stop"
    return None


def question(context: Context, asked: Asked, ground: Ground, plan: dict[str, Any]) -> str:
    """What the person agrees to."""
    head, listing = asked.family.head, ground.listing
    base, quote = listing.base, listing.quote
    spent = f"for {spelled(quote, head.budget or 0)}"
    size = spelled(base, head.quantity) if head.quantity is not None else spent
    words = [f"{head.side.value.capitalize()} {size} of {listing.symbol} on {context.profile}"]
    if head.terms is not None and head.terms.ladder is not None:
        words[0] += f" in {len(asked.family.legs)} orders"
    if head.limit_price is not None:
        words.append(f"at {trimmed(head.limit_price):f} or better")
    if head.terms is not None and head.terms.trigger_price is not None:
        words.append(f"once the price is at {trimmed(head.terms.trigger_price):f}")
    for name, leg in zip(asked.family.names, asked.family.legs, strict=True):
        price = leg.limit_price or (leg.terms.trigger_price if leg.terms is not None else None)
        if price is not None and leg.terms is not None and leg.terms.rung is None:
            words.append(f"{name} at {trimmed(price):f}")
    for name, asset, label in (
        ("spend", quote, "spending"),
        ("notional_now", quote, "worth"),
        ("expected_quantity", base, "expected"),
        ("least_quantity", base, "at least"),
        ("expected", quote, "expected"),
        ("least", quote, "at least"),
        ("gas_cost_at_most", quote, "gas at most"),
    ):
        if plan.get(name) is not None:
            words.append(f"{label} {spelled(asset, int(plan[name]))}")
    if plan.get("worst_price") is not None:
        words.append(f"worst price {plan['worst_price']}")
    return ", ".join(words) + "?"


def _placed(opened: OpenDesk, outcomes: Sequence[OrderOutcome], *, dry_run: bool) -> Placed:
    head = outcomes[0]
    with opened.desk.database.read() as session:
        view = order_view(session, head.order, fills=True) if dry_run else whole_view(session, head.order)
        legs = tuple(order_view(session, one.order) for one in outcomes[1:])
    return Placed(view, head.replayed, dry_run, head.summary, legs)


__all__ = ["OrderRequest", "Placed", "place", "question", "short"]

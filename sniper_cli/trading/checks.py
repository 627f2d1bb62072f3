"""Every check an intent must pass, each with its figures, pass or fail.

The checks read the account's book, which is true to the journal under the account's lock. What passes is written in a
compact spelling (`["funds", needed, available]`), for a sentence an order and a check would cost more than the trade;
`sniper_cli.trading.figures` gives it its words when somebody reads it. What fails gets its sentence at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from decimal import Decimal
from typing import Protocol

import msgspec

from sniper_cli.books.book import Book
from sniper_cli.books.claims import claimed
from sniper_cli.books.events import wide
from sniper_cli.books.holdings import BookedOrder
from sniper_cli.trading.amounts import spelled, whole
from sniper_cli.trading.combinations import senseless
from sniper_cli.trading.intents import CheckResult, OrderIntent
from sniper_cli.trading.listings import Listing
from state.accounts import VenueKind
from state.columns import canonical
from state.controls import KillSwitch
from state.orders import OrderType, Side
from state.positions import PositionState

Figure = tuple[str | int, ...]
"""A check that passed: its name, and where it has any, the value, what it was held against, and whose that is."""


class Proposal(msgspec.Struct, gc=False):
    """An intent in figures, as limits want it. Amounts in base and quote units."""

    intent: OrderIntent
    listing: Listing
    quantity: int
    """Base units; for a budget, what it buys at `price` about."""
    notional: int
    """Quote units at the worst price."""
    worst: int
    """In steps of `tick`: the limit, or the worst price a market order takes; 0 where the venue has none yet."""
    middle: int
    """The market's price now, in the same steps; 0 where nobody knows it."""
    tick: Decimal
    at: int
    needed: int = 0
    """Quote units that a purchase may cost at most, fees with it."""

    @property
    def price(self) -> Decimal | None:
        """The worst price, quote per base in whole assets."""
        return self.worst * self.tick if self.worst else None


_ENCODER = msgspec.json.Encoder()


class Limiter(Protocol):
    """Rules on what an account may do, compiled for it: `sniper_cli.risk` has the real one."""

    def begin(self, now: int, marks: Callable[[str], tuple[int, int] | None]) -> None:
        """What follows happens at this moment, at these prices (quote units for so many base units)."""
        ...

    def examine(self, book: Book, proposal: Proposal) -> tuple[list[Figure], list[CheckResult]]:
        """What passed, and what did not."""
        ...


class Examination(msgspec.Struct, gc=False):
    """What the checks found."""

    passed: list[Figure] = []
    failed: list[CheckResult] = []

    @property
    def explanation(self) -> str | None:
        return "; ".join(f"{result.name}: {result.detail}" for result in self.failed) or None

    def json(self) -> str:
        """As it stands with the order: what passed compact, what failed in words."""
        if self.failed:
            return canonical([*self.passed, *(asdict(result) for result in self.failed)])
        return _ENCODER.encode(self.passed).decode()


def examine(
    intent: OrderIntent,
    listing: Listing | None,
    venue: VenueKind,
    book: Book,
    *,
    switch: KillSwitch | None,
    limiter: Limiter | None,
    problem: CheckResult | None = None,
    proposal: Proposal | None = None,
    needed: int | None = None,
    held: bool = False,
) -> Examination:
    """All checks; those on limits only with a well-formed `proposal`, on funds once it is known what is `needed`.

    `problem`: what `malformed` found. `held`: it is not sent yet; limits, holdings and funds are asked for when it is.
    """
    found = Examination()
    if listing is None or listing.venue is not venue:
        found.failed.append(_unknown(intent, listing, venue))
        _kill_switch(found, intent, book, switch)
        return found
    found.passed.append(("instrument",))
    _kill_switch(found, intent, book, switch)
    if problem is not None:
        found.failed.append(problem)
        return found
    found.passed.append(("quantity",))
    _notional(found, intent, listing, proposal, book)
    if held:
        return found
    if limiter is not None and proposal is not None:
        passed, failed = limiter.examine(book, proposal)
        found.passed += passed
        found.failed += failed
    if intent.terms is not None and intent.terms.reduce_only:
        _reduction(found, intent, listing, book)
    if intent.side is Side.SELL:
        _holdings(found, intent, listing, book)
    if needed is not None:
        _funds(found, needed, listing, book, intent.terms.cancels if intent.terms is not None else None)
    return found


def _unknown(intent: OrderIntent, listing: Listing | None, venue: VenueKind) -> CheckResult:
    if listing is None:
        return CheckResult("instrument", False, f"there is no instrument {intent.instrument_id}")
    detail = f"{listing.symbol} trades on {listing.venue}, the account is on {venue}"
    return CheckResult("instrument", False, detail, {"venue": listing.venue.value, "account": venue.value})


def _kill_switch(found: Examination, intent: OrderIntent, book: Book, switch: KillSwitch | None) -> None:
    if switch is None:
        found.passed.append(("kill_switch",))
        return
    figures = {"scope": switch.scope, "by": switch.actor, "reason": switch.reason}
    if reduces(intent, book):
        found.passed.append(("kill_switch", switch.scope, switch.actor))
    else:
        found.failed.append(
            CheckResult("kill_switch", False, f"tripped by {switch.actor}: {switch.reason}", figures)
        )


def reduces(intent: OrderIntent, book: Book) -> bool:
    """The order closes a part of what is held, and opens nothing."""
    position = book.positions.get(intent.instrument_id)
    held = position.quantity if position is not None else 0
    if intent.side is Side.SELL:
        pair = book.pairs.get(intent.instrument_id)
        owned = held if book.margin else max(held, book.held(pair[0]) if pair else 0)
        return owned > 0 and (not book.margin or (intent.quantity or 0) <= owned)
    return held < 0 and intent.quantity is not None and intent.quantity <= -held


def closable(book: Book, order: BookedOrder | OrderIntent) -> int:
    """Base units that an order of this side and instrument may take before it opens something."""
    position = book.positions.get(order.instrument_id)
    held = position.quantity if position is not None else 0
    if order.side is Side.BUY:
        return max(0, -held)
    pair = book.pairs.get(order.instrument_id)
    return max(0, held if book.margin or pair is None else max(held, book.held(pair[0])))


def malformed(intent: OrderIntent, listing: Listing) -> CheckResult | None:
    """What is wrong with the amounts and prices, if anything, with the nearest that would do."""
    problem = _bad_amount(intent, listing) or _bad_price(intent, listing)
    if problem is None and (intent.terms is not None or intent.type is not OrderType.LIMIT):
        problem = senseless(intent, listing)
    if problem is None:
        return None
    asked = {"quantity": intent.quantity, "budget": intent.budget, "limit_price": intent.limit_price}
    figures = {name: str(value) for name, value in asked.items() if value is not None}
    return CheckResult("quantity", False, problem, figures)


def _bad_amount(intent: OrderIntent, listing: Listing) -> str | None:
    if intent.terms is not None and intent.terms.after is not None and intent.quantity is intent.budget:
        return None  # as much as the order before it fills
    if intent.side is Side.SELL and (intent.budget is not None or intent.quantity is None):
        return "a sale says how much to sell"
    if intent.side is Side.BUY and (intent.quantity is None) == (intent.budget is None):
        return "a purchase says either how much to buy or how much to spend"
    amount = intent.quantity if intent.quantity is not None else intent.budget
    if amount is None or amount <= 0:
        return "the amount must be above zero"
    if listing.lot and intent.quantity is not None and intent.quantity % listing.lot:
        down = intent.quantity - intent.quantity % listing.lot
        nearest = spelled(listing.base, down or listing.lot)
        return f"the quantity must be a multiple of {spelled(listing.base, listing.lot)}; the nearest is {nearest}"
    return None


def _bad_price(intent: OrderIntent, listing: Listing) -> str | None:
    price, terms = intent.limit_price, intent.terms
    if intent.type in (OrderType.LIMIT, OrderType.STOP_LIMIT) and price is None:
        return f"a {intent.type.value.replace('_', ' ')} order says its price"
    prices = [price]
    if terms is not None:
        prices += [terms.trigger_price, terms.activation_price, terms.trail_amount]
    for one in prices:
        if one is not None and one <= 0:
            return "the price must be above zero"
        if one is not None and listing.tick and one % listing.tick:
            nearest = max(listing.tick, (one / listing.tick).to_integral_value() * listing.tick)
            return f"the price must be a multiple of {listing.tick:f}; the nearest is {nearest:f}"
    return None


def _notional(
    found: Examination, intent: OrderIntent, listing: Listing, proposal: Proposal | None, book: Book
) -> None:
    notional = proposal.notional if proposal is not None else _plain_notional(intent, listing)
    if notional is None or (intent.terms is not None and intent.terms.ladder is not None):
        return  # the venue sees a ladder's orders one by one
    least, most = listing.minimum_notional, listing.maximum_notional
    # The last units of a position may be worth less than the minimum: they would stay for ever.
    rest = intent.quantity is not None and intent.quantity == closable(book, intent)
    rest = rest or (intent.terms is not None and intent.terms.reduce_only)
    if least is not None and notional < least and not rest:
        detail = f"{spelled(listing.quote, notional)}, at least {whole(listing.quote, least):f}"
        figures = {"notional": str(notional), "minimum": str(least)}
        found.failed.append(
            CheckResult("minimum_notional", False, detail + _enough(proposal, least), figures)
        )
    elif least is not None:
        found.passed.append(("minimum_notional", wide(notional), least))
    if most is not None and notional > most:
        detail = f"{spelled(listing.quote, notional)}, at most {whole(listing.quote, most):f}"
        figures = {"notional": str(notional), "maximum": str(most)}
        found.failed.append(CheckResult("maximum_notional", False, detail, figures))


def _enough(proposal: Proposal | None, least: int) -> str:
    """The smallest quantity that would do."""
    if proposal is None or proposal.intent.quantity is None or not proposal.price:
        return ""
    lot = proposal.listing.lot or 1
    unit = proposal.listing.base.units(Decimal(1))
    price_units = proposal.price.scaleb(proposal.listing.quote.decimals)
    wanted = int((Decimal(least) * unit / price_units).to_integral_value(rounding="ROUND_CEILING"))
    return f"; the nearest is {spelled(proposal.listing.base, -(-wanted // lot) * lot)}"


def _plain_notional(intent: OrderIntent, listing: Listing) -> int | None:
    if intent.budget is not None:
        return intent.budget
    if intent.quantity is None or intent.limit_price is None:
        return None
    return listing.notional(intent.quantity, intent.limit_price)


def _holdings(found: Examination, intent: OrderIntent, listing: Listing, book: Book) -> None:
    terms = intent.terms
    selling = book.selling.get(intent.instrument_id, 0)
    if terms is not None and terms.cancels is not None:
        selling -= claimed(book, terms.cancels, "selling", intent.instrument_id)
    held, wanted = book.held(listing.base.id), intent.quantity or 0
    if not book.margin and not (terms is not None and terms.reduce_only):
        free = held - selling
        if wanted <= free:
            found.passed.append(("holdings", wide(wanted), wide(free)))
        else:
            detail = (
                f"{whole(listing.base, wanted):f} of {spelled(listing.base, free)} not being sold already"
            )
            figures = {"wanted": str(wanted), "held": str(held), "being_sold": str(selling)}
            found.failed.append(CheckResult("holdings", False, detail, figures))
    if intent.position_id is not None:
        _exit(found, intent, book)


def _exit(found: Examination, intent: OrderIntent, book: Book) -> None:
    """One sale at a time closes a position that somebody named."""
    key = intent.position_id.hex if intent.position_id is not None else ""
    position = next((p for p in book.positions.values() if p.key == key), None)
    if position is not None and position.state is PositionState.OPEN:
        found.passed.append(("position_open",))
    else:
        found.failed.append(CheckResult("position_open", False, "there is no such open position"))
    others = list(_other_exits(intent, book, key))
    if others:
        detail = f"already being sold by order {others[0]}"
        found.failed.append(CheckResult("single_exit", False, detail, {"orders": others}))
    else:
        found.passed.append(("single_exit",))


def _other_exits(intent: OrderIntent, book: Book, position: str) -> Iterator[str]:
    if not book.selling.get(intent.instrument_id):
        return
    for order in book.orders.values():
        same = order.instrument_id == intent.instrument_id and order.position_key == position
        if same and order.side is Side.SELL:
            yield str(order.id)


def _reduction(found: Examination, intent: OrderIntent, listing: Listing, book: Book) -> None:
    """What only reduces takes no more than there is; the nearest is all of it."""
    wanted, free = intent.quantity or 0, closable(book, intent)
    if wanted <= free:
        found.passed.append(("reduce_only", wide(wanted), wide(free)))
        return
    detail = (
        f"it may only reduce what is held; the nearest is all of it, {spelled(listing.base, free)}"
        if free
        else "it may only reduce what is held, and nothing is held that it could reduce"
    )
    figures = {"wanted": str(wanted), "there": str(free)}
    found.failed.append(CheckResult("reduce_only", False, detail, figures))


def over_budget(needed: int, listing: Listing, book: Book) -> list[CheckResult]:
    """What is said against a purchase that costs more than there is; nothing if it does not."""
    found = Examination()
    _funds(found, needed, listing, book)
    return found.failed


def _funds(found: Examination, needed: int, listing: Listing, book: Book, group: str | None = None) -> None:
    if book.margin:
        return  # the margin limit stands in place of cash at hand
    quote = listing.quote
    available = book.available(quote.id)
    if group is not None:
        available += claimed(book, group, "reserved", quote.id)
    if needed <= available:
        found.passed.append(("funds", wide(needed), wide(available)))
        return
    detail = f"{whole(quote, needed):f} needed at most, {spelled(quote, available)} available"
    figures = {
        "needed": str(needed),
        "cash": str(book.held(quote.id)),
        "reserved": str(book.reserved.get(quote.id, 0)),
    }
    found.failed.append(CheckResult("funds", False, detail, figures))

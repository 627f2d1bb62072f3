"""What callers hand to the order desk, and what they get back: plain values.

A command, a strategy, the sniper, an exit rule: whoever wants to trade builds an `OrderIntent`. There is no other way
in. Structs without the collector's header: a batch has a thousand of them, and they cost 0.2 µs each.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from sniper_cli.books.holdings import BookedOrder
from state.orders import OrderState, OrderType, Side, TimeInForce

DAY = 86_400_000_000


class Condition(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What must come true before an order is sent: a price, or what is held. All that is given must hold."""

    instrument: str | None = None
    """Whose price or position is meant; the order's own instrument if none."""
    above: Decimal | None = None
    below: Decimal | None = None
    position: str | None = None
    """`open`, `closed`, `long` or `short`."""


class Terms(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What only some orders have. Prices: quote per base, whole assets; amounts: base units; times: µs since 1970."""

    trigger_price: Decimal | None = None
    trail_amount: Decimal | None = None
    trail_bps: int | None = None
    activation_price: Decimal | None = None
    """A trailing stop begins to follow once the price has been here."""
    best_price: Decimal | None = None
    """The best price that a trailing stop has seen so far."""
    triggered_at: int | None = None
    display: int | None = None
    """An iceberg shows so much of itself at a time."""
    post_only: bool = False
    reduce_only: bool = False
    expires_at: int | None = None
    starts_at: int | None = None
    condition: Condition | None = None
    after: str | None = None
    """The order that must fill first; this one then covers what it filled."""
    cancels: str | None = None
    """A group of orders of which one's fill takes as much off the others."""
    lots: tuple[str, ...] = ()
    """The lots that it closes first."""
    arrives_at: int | None = None
    """On its way to the market until then."""
    queued: int | None = None
    """Since when it stands in its queue, where that is later than its recording."""
    slice: int | None = None
    """What an iceberg had filled when the slice that it shows came forward."""
    rung: int | None = None
    """Which step of its parent's ladder it stands on."""
    laid: int = 0
    """How many orders came before it there."""
    asked: dict[str, Any] | None = None
    """What it asked for before it was amended: under its client order id that is still meant."""
    slippage_bps: int | None = None
    emulated: bool = False
    """The venue has no such order: the desk watches the price and sends a plain one."""
    ladder: dict[str, Any] | None = None
    """A parent's plan: a grid, an average, a schedule."""


NO_TERMS = Terms()

_TERMS = msgspec.json.Encoder(decimal_format="string", order="sorted")
_READ_TERMS = msgspec.json.Decoder(Terms)


def terms_json(terms: Terms | None) -> str | None:
    """Terms as they stand in an order; None where there is nothing to say."""
    if terms is None or terms == NO_TERMS:
        return None
    return _TERMS.encode(terms).decode()


def terms_of(order: BookedOrder) -> Terms:
    """The terms of an order."""
    return NO_TERMS if order.terms_json is None else _READ_TERMS.decode(order.terms_json)


class Behind(msgspec.Struct, frozen=True):
    """A waiting transaction that an order must come right after, and what a simulation on top of it found."""

    tx_hash: str
    max_fee: int
    priority_fee: int
    expected: int
    """What the trade brings there, in base units: of a pool that does not stand yet nobody else can say it."""


class OrderIntent(msgspec.Struct, frozen=True, gc=False):
    """One wish to trade. Amounts are base units: `quantity` of the base asset, `budget` of the quote asset.

    A sell says `quantity`; a buy says `quantity` or, to spend a fixed sum, `budget`.
    """

    account_id: UUID
    instrument_id: str
    side: Side
    client_order_id: str
    type: OrderType = OrderType.MARKET
    time_in_force: TimeInForce = TimeInForce.GTC
    quantity: int | None = None
    budget: int | None = None
    limit_price: Decimal | None = None
    """Quote per base in whole assets."""
    max_slippage_bps: int | None = None
    """How far below the expected outcome a market order may still execute; the venue's default if none."""
    urgency: int = 0
    """0 normal; 1 and more bid for earlier inclusion (an exit before a rug bids above what it flees from)."""
    outbid_fee: int | None = None
    """A fee cap in wei per gas that this order's must exceed: the pending transaction it must get ahead of."""
    behind: Behind | None = None
    """A waiting transaction that it follows in the same block; none: the order stands by itself."""
    tax_bps: int | None = None
    """What the token is known to keep of this trade; unknown, the venue looks for a judgement of the token."""
    gas_hint: int | None = None
    """Gas that a simulation of this trade used; unknown, the venue estimates."""
    reason: dict[str, Any] = {}
    """Origin, rule, signal and their figures: `{"origin": "exit", "rule": "take_profit", …}`. No floats."""
    launch_id: UUID | None = None
    position_id: UUID | None = None
    terms: Terms | None = None
    strategy: str | None = None
    parent_id: UUID | None = None
    route: tuple[str, ...] | None = None
    """Trade over whatever pools bring the most, these tokens' among them; none: in the instrument's own pool."""

    def asks_as(self, order: BookedOrder) -> bool:
        """It asks for what a recorded order asked for; why, how urgently and under which market may differ."""
        terms = terms_of(order)
        asked = asked_first(order, terms)
        return (
            self.instrument_id == order.instrument_id
            and self.side is order.side
            and self.type is order.type
            and self.time_in_force is order.time_in_force
            and self.quantity == asked["quantity"]
            and self.budget == order.budget
            and (
                self.limit_price == asked["limit_price"]
                or (self.limit_price is None and self.budget is not None)
            )
            and _lasting(self.type, self.terms or NO_TERMS) == _lasting(order.type, terms, asked)
        )


AMENDABLE = ("trigger_price", "trail_amount", "trail_bps", "display")
"""Terms that an amendment may change."""


def asked_first(order: BookedOrder, terms: Terms) -> dict[str, Any]:
    """An order's size, price and amendable terms before anybody, or a fill elsewhere, changed them."""
    if terms.asked is None:
        now: dict[str, Any] = {"quantity": order.quantity, "limit_price": order.limit_price}
        return now | {name: getattr(terms, name) for name in AMENDABLE}
    read = {"quantity": int, "trail_bps": int, "display": int}
    asked = {name: read.get(name, Decimal)(value) for name, value in terms.asked.items()}
    return dict.fromkeys(("quantity", "limit_price", *AMENDABLE)) | asked


def _lasting(kind: OrderType, terms: Terms, asked: dict[str, Any] | None = None) -> tuple[Any, ...]:
    """What of terms was asked for and does not change by itself."""
    changing = {name: getattr(terms, name) if asked is None else asked[name] for name in AMENDABLE}
    if kind is OrderType.TRAILING_STOP:
        changing["trigger_price"] = None  # it moves along with the price
    return (*changing.values(), terms.activation_price, terms.post_only, terms.reduce_only)


def remember(order: BookedOrder, terms: Terms) -> Terms:
    """The terms of an order that is about to change, with what it first asked for."""
    if terms.asked is not None:
        return terms
    asked = {
        name: format(value, "f") if isinstance(value, Decimal) else str(value)
        for name, value in asked_first(order, terms).items()
        if value is not None
    }
    return msgspec.structs.replace(terms, asked=asked)


def intent_of(order: BookedOrder, terms: Terms) -> OrderIntent:
    """The wish that an order stands for, for the checks to look at anew."""
    return OrderIntent(
        order.account_id,
        order.instrument_id,
        order.side,
        order.client_order_id,
        order.type,
        order.time_in_force,
        order.quantity,
        order.budget,
        order.limit_price,
        reason=order.reason,
        launch_id=order.launch_id,
        position_id=order.position_id,
        terms=terms,
        strategy=order.strategy,
        parent_id=order.parent_id,
    )


def dated(intent: OrderIntent, moment: int) -> Terms:
    """An intent's terms, with the end of the day where that is the time in force."""
    terms = intent.terms or NO_TERMS
    if intent.time_in_force is TimeInForce.DAY and terms.expires_at is None:
        return msgspec.structs.replace(terms, expires_at=(moment // DAY + 1) * DAY)
    return terms


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check before the wire: its name, whether it passed, and its figures (no floats)."""

    name: str
    passed: bool
    detail: str
    figures: dict[str, Any] = field(default_factory=dict)


class OrderOutcome(msgspec.Struct):
    """The recorded order after the walk, and whether this intent had been seen before."""

    order: BookedOrder
    replayed: bool = False
    dry_run: bool = False
    """Nothing was written or sent: the order is what would have been recorded."""
    summary: dict[str, Any] = {}
    """What the venue would do, or does, with exact figures; empty for a refused or replayed order."""

    @property
    def refused(self) -> bool:
        return self.order.state is OrderState.REFUSED

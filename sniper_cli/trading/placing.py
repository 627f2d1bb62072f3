"""An order as a person asks for it: checked and rehearsed, shown with its cost, agreed to, placed, followed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from sniper_cli.books.holdings import AnyOrder
from sniper_cli.errors import UsageProblem
from sniper_cli.trading.amounts import spelled
from sniper_cli.trading.assembly import (
    OpenDesk,
    failed_checks,
    open_desk,
    raise_unless_taken,
    resolve_instrument,
)
from sniper_cli.trading.intents import OrderIntent, OrderOutcome
from sniper_cli.trading.views import OrderView, order_view
from state.accounts import Asset, Instrument
from state.identifiers import new_id
from state.orders import OrderType, Side, TimeInForce

if TYPE_CHECKING:
    from sniper_cli.context import Context


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What was typed."""

    side: str
    instrument: str
    quantity: str | None = None
    budget: str | None = None
    type: str = "market"
    price: str | None = None
    time_in_force: str = "gtc"
    slippage_bps: int | None = None
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """What came of it."""

    order: OrderView
    replayed: bool
    dry_run: bool
    plan: dict[str, Any] = field(default_factory=dict)


async def place(
    context: Context,
    request: OrderRequest,
    agree: Callable[[str], None],
    *,
    dry_run: bool = False,
    live: bool = False,
    wait_seconds: float = 30,
) -> Placed:
    """Rehearse, have it agreed to, place and follow an order.

    `agree` is shown market, side, size, cost and worst price, and raises to refuse. Raises OrderRefused,
    NetworkError, UsageProblem, NotFound, LiveNotConfirmed.
    """
    async with open_desk(context, live=live) as opened:
        instrument, base, quote = await resolve_instrument(opened, request.instrument)
        intent = _intent(opened, request, instrument, base, quote)
        rehearsal = (await opened.desk.submit([intent], dry_run=True))[0]
        if dry_run or rehearsal.replayed:
            raise_if_refused(rehearsal)
            rehearsal.dry_run = dry_run  # an order placed before is given back, not rehearsed
            return _placed(opened, rehearsal)
        if not rehearsal.refused:
            agree(question(context, request, instrument, rehearsal.summary, base, quote))
        outcome = (await opened.desk.submit([intent]))[0]
        raise_unless_taken(outcome.order)
        settled = await opened.settled(outcome.order, wait_seconds)
        return _placed(opened, outcome, settled)


def raise_if_refused(rehearsal: OrderOutcome) -> None:
    """A rehearsal that would be refused is refused, though nothing was recorded."""
    if rehearsal.refused and not rehearsal.replayed:
        from sniper_cli.errors import OrderRefused

        failed = failed_checks(rehearsal.order)
        raise OrderRefused(
            f"the order would be refused: {rehearsal.order.explanation}",
            hint="sniper order place --help",
            checks=failed,
        )


def question(
    context: Context,
    request: OrderRequest,
    instrument: Instrument,
    plan: dict[str, Any],
    base: Asset,
    quote: Asset,
) -> str:
    """What the person agrees to."""
    size = f"{request.quantity} {base.symbol}" if request.quantity else f"for {request.budget} {quote.symbol}"
    words = [f"{request.side.capitalize()} {size} of {instrument.symbol} on {context.profile}"]
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


def _intent(
    opened: OpenDesk, request: OrderRequest, instrument: Instrument, base: Asset, quote: Asset
) -> OrderIntent:
    limit_price = None if request.price is None else _decimal(request.price, "--price")
    on_chain = opened.exchange is not None
    return OrderIntent(
        account_id=opened.account.id,
        instrument_id=instrument.id,
        side=Side(request.side),
        client_order_id=request.client_id or f"cli-{new_id().hex}",
        type=OrderType.LIMIT if limit_price is not None else OrderType(request.type),
        # A pool keeps no resting orders: there, a limit bounds an order that trades at once.
        time_in_force=TimeInForce.IOC
        if on_chain and limit_price is not None
        else TimeInForce(request.time_in_force),
        quantity=_units(request.quantity, base, "--quantity"),
        budget=_units(request.budget, quote, "--budget"),
        limit_price=limit_price,
        max_slippage_bps=request.slippage_bps,
        reason={"origin": "command"},
    )


def _units(text: str | None, asset: Asset, option: str) -> int | None:
    if text is None:
        return None
    try:
        return asset.units(_decimal(text, option))
    except ValueError as error:
        raise UsageProblem(str(error), hint="sniper order place --help") from error


def _decimal(text: str, option: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise UsageProblem(f"{option} {text!r} is no number", hint="sniper order place --help") from error
    if not number.is_finite() or number <= 0:
        raise UsageProblem(f"{option} must be above zero, not {text}", hint="sniper order place --help")
    return number


def _placed(opened: OpenDesk, outcome: OrderOutcome, settled: AnyOrder | None = None) -> Placed:
    with opened.desk.database.read() as session:
        view = order_view(session, settled or outcome.order, fills=True)
    return Placed(view, outcome.replayed, outcome.dry_run, outcome.summary)

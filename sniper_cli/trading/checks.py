"""Every check an intent must pass, each with its figures, pass or fail.

The facts are read once into a `Standing`; the checks are pure functions of it. Under the account's lock the desk
compares versions: unchanged, the facts are still good; changed, they are read again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlmodel import Session

from sniper_cli.risk.limits import Limits
from sniper_cli.trading.amounts import spelled, whole
from sniper_cli.trading.intents import CheckResult, OrderIntent
from state.accounts import Account, Asset, Instrument, balance_of
from state.controls import KillSwitch, tripped_switch
from state.orders import Order, OrderType, Side, working_orders
from state.positions import Position, PositionState, open_positions


@dataclass(frozen=True, slots=True)
class Standing:
    """What the checks need to know of an account, as of its version."""

    account: Account
    version: int
    instrument: Instrument | None
    base: Asset | None
    quote: Asset | None
    cash: int
    held: int
    working: tuple[Order, ...]
    positions: tuple[Position, ...]
    position: Position | None
    switch: KillSwitch | None

    @property
    def reserved(self) -> int:
        """Quote units that working orders may still cost."""
        return sum(order.still_reserved for order in self.working)

    def exits(self, instrument_id: str) -> list[Order]:
        return [o for o in self.working if o.side is Side.SELL and o.instrument_id == instrument_id]

    def entries(self) -> list[Order]:
        return [o for o in self.working if o.side is Side.BUY]


def read_standing(session: Session, account: Account, intent: OrderIntent) -> Standing:
    """Read the facts for one intent."""
    instrument = session.get(Instrument, intent.instrument_id)
    positions = open_positions(session, account.id)
    return Standing(
        account=account,
        version=account.version,
        instrument=instrument,
        base=session.get(Asset, instrument.base_asset) if instrument else None,
        quote=session.get(Asset, instrument.quote_asset) if instrument else None,
        cash=balance_of(session, account.id, instrument.quote_asset) if instrument else 0,
        held=balance_of(session, account.id, instrument.base_asset) if instrument else 0,
        working=tuple(working_orders(session, account.id)),
        positions=tuple(positions),
        position=_position(session, positions, intent),
        switch=tripped_switch(session, str(account.id)),
    )


def run_checks(
    intent: OrderIntent, standing: Standing, limits: Limits | None, *, needed: int | None = None
) -> list[CheckResult]:
    """All checks; those on funds only once the venue has said what the order `needed` at most."""
    results = [*_known(intent, standing), _kill_switch(intent, standing)]
    if standing.instrument is None or standing.quote is None or standing.base is None:
        return results
    results += _quantity(intent, standing.instrument, standing.base, standing.quote)
    if intent.side is Side.SELL:
        results += _holdings(intent, standing, standing.base)
    elif limits is not None:
        results += _exposure(intent, standing, limits, needed, standing.quote)
    if needed is not None:
        results.append(_funds(standing, needed, standing.quote))
    return results


def failures(results: list[CheckResult]) -> list[CheckResult]:
    return [result for result in results if not result.passed]


def _position(session: Session, positions: list[Position], intent: OrderIntent) -> Position | None:
    if intent.position_id is not None:
        return session.get(Position, intent.position_id)
    return next((p for p in positions if p.instrument_id == intent.instrument_id), None)


def _known(intent: OrderIntent, standing: Standing) -> Iterator[CheckResult]:
    instrument, venue = standing.instrument, standing.account.venue
    if instrument is None:
        yield CheckResult("instrument", False, f"there is no instrument {intent.instrument_id}")
    elif instrument.venue is not venue:
        detail = f"{instrument.symbol} trades on {instrument.venue}, the account is on {venue}"
        yield CheckResult(
            "instrument", False, detail, {"venue": instrument.venue.value, "account": venue.value}
        )
    else:
        yield CheckResult(
            "instrument", True, f"{instrument.symbol} on {venue}", {"instrument": instrument.id}
        )


def _kill_switch(intent: OrderIntent, standing: Standing) -> CheckResult:
    switch = standing.switch
    if switch is None:
        return CheckResult("kill_switch", True, "not tripped")
    reduces = intent.side is Side.SELL and standing.held > 0
    figures = {"scope": switch.scope, "by": switch.actor, "reason": switch.reason}
    if reduces:
        return CheckResult("kill_switch", True, "tripped, but this order reduces what is held", figures)
    return CheckResult("kill_switch", False, f"tripped by {switch.actor}: {switch.reason}", figures)


def _quantity(
    intent: OrderIntent, instrument: Instrument, base: Asset, quote: Asset
) -> Iterator[CheckResult]:
    problem = _malformed(intent, instrument, base)
    asked = {"quantity": intent.quantity, "budget": intent.budget, "limit_price": intent.limit_price}
    figures = {name: str(value) for name, value in asked.items() if value is not None}
    yield CheckResult("quantity", problem is None, problem or _asked(intent, base, quote), figures)
    notional = _notional(intent, base, quote)
    if instrument.minimum_notional is not None and notional is not None:
        least = instrument.minimum_notional
        yield CheckResult(
            "minimum_notional",
            notional >= least,
            f"{spelled(quote, notional)}, at least {whole(quote, least):f}",
            {"notional": str(notional), "minimum": str(least)},
        )


def _malformed(intent: OrderIntent, instrument: Instrument, base: Asset) -> str | None:
    """What is wrong with the amounts and prices, if anything."""
    if intent.side is Side.SELL and (intent.budget is not None or intent.quantity is None):
        return "a sale says how much to sell"
    if intent.side is Side.BUY and (intent.quantity is None) == (intent.budget is None):
        return "a purchase says either how much to buy or how much to spend"
    amount = intent.quantity if intent.quantity is not None else intent.budget
    if amount is None or amount <= 0:
        return "the amount must be above zero"
    if instrument.lot and intent.quantity is not None and intent.quantity % instrument.lot:
        return f"the quantity must be a multiple of {spelled(base, instrument.lot)}"
    return _bad_price(intent, instrument)


def _bad_price(intent: OrderIntent, instrument: Instrument) -> str | None:
    price = intent.limit_price
    if intent.type is OrderType.LIMIT and price is None:
        return "a limit order says its price"
    if price is not None and price <= 0:
        return "the price must be above zero"
    if price is not None and instrument.tick and price % instrument.tick:
        return f"the price must be a multiple of {instrument.tick:f}"
    return None


def _asked(intent: OrderIntent, base: Asset, quote: Asset) -> str:
    if intent.quantity is not None:
        return spelled(base, intent.quantity)
    return f"for {spelled(quote, intent.budget or 0)}"


def _notional(intent: OrderIntent, base: Asset, quote: Asset) -> int | None:
    if intent.budget is not None:
        return intent.budget
    if intent.quantity is None or intent.limit_price is None:
        return None
    return int((base.amount(intent.quantity) * intent.limit_price).scaleb(quote.decimals))


def _holdings(intent: OrderIntent, standing: Standing, base: Asset) -> Iterator[CheckResult]:
    exits = standing.exits(intent.instrument_id)
    selling = sum(max(0, (order.quantity or 0) - order.filled_quantity) for order in exits)
    free, wanted = standing.held - selling, intent.quantity or 0
    yield CheckResult(
        "holdings",
        wanted <= free,
        f"{whole(base, wanted):f} of {spelled(base, free)} not being sold already",
        {"wanted": str(wanted), "held": str(standing.held), "being_sold": str(selling)},
    )
    if intent.position_id is None:
        return
    position = standing.position
    is_open = position is not None and position.state is PositionState.OPEN
    yield CheckResult("position_open", is_open, "open" if is_open else "there is no such open position")
    others = [str(order.id) for order in exits if order.position_id == intent.position_id]
    detail = f"already being sold by order {others[0]}" if others else "no other sale at work"
    yield CheckResult("single_exit", not others, detail, {"orders": others})


def _exposure(
    intent: OrderIntent, standing: Standing, limits: Limits, needed: int | None, quote: Asset
) -> Iterator[CheckResult]:
    held = {position.instrument_id for position in standing.positions}
    entries = standing.entries()
    count = len(held | {order.instrument_id for order in entries} | {intent.instrument_id})
    yield CheckResult(
        "open_positions",
        count <= limits.max_open_positions,
        f"{count} with this one, at most {limits.max_open_positions}",
        {"positions": count, "limit": limits.max_open_positions},
    )
    budget = intent.budget if intent.budget is not None else needed
    if budget is None:
        return
    spent = sum(position.cost for position in standing.positions)
    working = sum(_outstanding(order) for order in entries)
    total = spent + working + budget
    yield CheckResult(
        "total_spend",
        total <= limits.max_total_spend,
        f"{whole(quote, total):f} with this one, at most {spelled(quote, limits.max_total_spend)}",
        {
            "positions": str(spent),
            "working": str(working),
            "this": str(budget),
            "limit": str(limits.max_total_spend),
        },
    )


def _outstanding(order: Order) -> int:
    """What a working purchase may still put into a position."""
    return max(0, order.budget - order.filled_notional) if order.budget is not None else order.still_reserved


def _funds(standing: Standing, needed: int, quote: Asset) -> CheckResult:
    available = standing.cash - standing.reserved
    return CheckResult(
        "funds",
        needed <= available,
        f"{whole(quote, needed):f} needed at most, {spelled(quote, available)} available",
        {"needed": str(needed), "cash": str(standing.cash), "reserved": str(standing.reserved)},
    )


__all__ = ["Limits", "Standing", "failures", "read_standing", "run_checks"]

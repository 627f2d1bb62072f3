"""Why an order did not get what it asked for, in words that name what there was."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from sniper_cli.books.holdings import BookedOrder
from sniper_cli.trading.intents import Terms
from sniper_cli.venues.paper.matching import Execution
from sniper_cli.venues.paper.pit import Pit
from sniper_cli.venues.paper.triggers import trigger_of
from state.orders import OrderType, Side, TimeInForce

if TYPE_CHECKING:
    from sniper_cli.venues.paper.floor import Floor


def passed(floor: Floor, order: BookedOrder, terms: Terms, step: int) -> str | None:
    """What to say of a trigger that would go off at once."""
    pit = floor.pit(order.instrument_id)
    trigger, middle = trigger_of(order, terms, pit.tick), pit.path.ticks(step)
    if not trigger.touched(middle):
        return None
    kind = order.type.value.replace("_", " ")
    verb = "buys" if order.side is Side.BUY else "sells"
    way = "rises" if trigger.above else "falls"
    other = "stop" if order.type is OrderType.TAKE_PROFIT else "take profit"
    return (
        f"a {kind} that {verb} goes off when the price {way} to its trigger; the price is "
        f"{plain(pit.spec.price(middle))} and beyond {plain(pit.spec.price(trigger.ticks))} already (a {other} "
        "waits for the other direction)"
    )


def cut_short(pit: Pit, order: BookedOrder, worst: int, taken: tuple[Execution, ...]) -> str:
    """Why an order that had to be filled at once is over."""
    whole = order.time_in_force is TimeInForce.FOK
    said = "not all of it could be had at once" if whole else "the rest was not to be had at once"
    return f"{said}: {_there(pit, order, worst, taken)}"


def _there(pit: Pit, order: BookedOrder, worst: int, taken: tuple[Execution, ...]) -> str:
    there = sum(one.lots for one in taken)
    verb = "stood" if order.side is Side.BUY else "were bid for"
    spec = pit.spec
    return f"{plain(there * spec.lot)} {spec.base} {verb} at {plain(spec.price(worst))} or better"


def plain(value: Decimal) -> str:
    """A Decimal without an exponent and without zeros at the end."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text

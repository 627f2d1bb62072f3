"""The words of a check that passed, made when somebody reads them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sniper_cli.books.holdings import AnyOrder
from sniper_cli.risk.kinds import KINDS
from sniper_cli.risk.refusals import in_words, parted
from sniper_cli.trading.amounts import spelled, whole
from state.accounts import Asset, Instrument

Words = Callable[[AnyOrder, Instrument, Asset, Asset, Sequence[Any]], str]


def checks_in_words(
    order: AnyOrder, instrument: Instrument, base: Asset, quote: Asset
) -> list[dict[str, Any]]:
    """Every check of an order as `{name, passed, detail, figures}`."""
    return [
        check if isinstance(check, dict) else _told(check, order, instrument, base, quote)
        for check in order.checks
    ]


def _told(
    check: Sequence[Any], order: AnyOrder, instrument: Instrument, base: Asset, quote: Asset
) -> dict[str, Any]:
    label, *values = check
    name, whose = parted(label)
    names = FIGURES.get(name, ("value", "limit"))
    figures = {key: str(value) for key, value in zip(names, values, strict=False)}
    if name in KINDS:
        detail = _limit(name, int(values[0]), int(values[1]), base, quote)
    else:
        detail = WORDS.get(name, _plain)(order, instrument, base, quote, values)
    if whose:
        detail, figures = f"{detail} ({whose})", figures | {"of": whose}
    return {"name": name, "passed": True, "detail": detail, "figures": figures}


def _limit(name: str, value: int, most: int, base: Asset, quote: Asset) -> str:
    """A limit of `sniper_cli.risk` that an order passed."""
    if name == "collar" and not value:
        return f"no worse than the market, at most {most} bps"
    counted, allowed = in_words(name, value, most, base, quote)
    over = ": over it, but this order adds nothing" if value > most and name != "losing_streak" else ""
    return f"{counted}, at most {allowed}{over}"


def _instrument(
    order: AnyOrder, instrument: Instrument, base: Asset, quote: Asset, values: Sequence[Any]
) -> str:
    del order, base, quote, values
    return f"{instrument.symbol} on {instrument.venue}"


def _switch(order: AnyOrder, instrument: Instrument, base: Asset, quote: Asset, values: Sequence[Any]) -> str:
    del order, instrument, base, quote
    return "tripped, but this order reduces what is held" if values else "not tripped"


def _quantity(
    order: AnyOrder, instrument: Instrument, base: Asset, quote: Asset, values: Sequence[Any]
) -> str:
    del instrument, values
    if order.quantity is not None:
        return spelled(base, order.quantity)
    if order.budget is None:
        return "as much as the order before it fills"
    return f"for {spelled(quote, order.budget or 0)}"


def _least(order: AnyOrder, instrument: Instrument, base: Asset, quote: Asset, values: Sequence[Any]) -> str:
    del order, instrument, base
    return f"{spelled(quote, int(values[0]))}, at least {whole(quote, int(values[1])):f}"


def _holdings(
    order: AnyOrder, instrument: Instrument, base: Asset, quote: Asset, values: Sequence[Any]
) -> str:
    del order, instrument, quote
    return f"{whole(base, int(values[0])):f} of {spelled(base, int(values[1]))} not being sold already"


def _reduction(
    order: AnyOrder, instrument: Instrument, base: Asset, quote: Asset, values: Sequence[Any]
) -> str:
    del order, instrument, quote
    return f"{whole(base, int(values[0])):f} of {spelled(base, int(values[1]))} that it may reduce"


def _funds(order: AnyOrder, instrument: Instrument, base: Asset, quote: Asset, values: Sequence[Any]) -> str:
    del order, instrument, base
    needed, available = int(values[0]), int(values[1])
    return f"{whole(quote, needed):f} needed at most, {spelled(quote, available)} available"


def _open(order: AnyOrder, instrument: Instrument, base: Asset, quote: Asset, values: Sequence[Any]) -> str:
    del order, instrument, base, quote, values
    return "open"


def _alone(order: AnyOrder, instrument: Instrument, base: Asset, quote: Asset, values: Sequence[Any]) -> str:
    del order, instrument, base, quote, values
    return "no other sale at work"


def _plain(order: AnyOrder, instrument: Instrument, base: Asset, quote: Asset, values: Sequence[Any]) -> str:
    del order, instrument, base, quote
    return (
        f"{values[0]}, at most {values[1]}" if len(values) > 1 else ", ".join(str(value) for value in values)
    )


WORDS: dict[str, Words] = {
    "instrument": _instrument,
    "kill_switch": _switch,
    "quantity": _quantity,
    "minimum_notional": _least,
    "holdings": _holdings,
    "funds": _funds,
    "reduce_only": _reduction,
    "position_open": _open,
    "single_exit": _alone,
}

FIGURES: dict[str, tuple[str, ...]] = {
    "kill_switch": ("scope", "by"),
    "minimum_notional": ("notional", "minimum"),
    "holdings": ("wanted", "free"),
    "reduce_only": ("wanted", "there"),
    "funds": ("needed", "available"),
}
"""What the compact spelling's values are called."""

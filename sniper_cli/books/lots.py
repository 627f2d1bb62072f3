"""Which lots a closing trade takes, how much of each, and their exact shares of cost and proceeds.

A pure function on whole units, for whoever keeps the lots: the books, a what-if before a sale, a tax return. A lot's
cost is cut by cumulative floor division: after n of its q units have gone, floor(cost·n/q) of its cost has, whatever
the sizes of the sales. So the parts add up to the whole to the last unit, and the last part takes the rounding.
Unit costs are compared by cross-multiplication; a quotient would call two lots equal that are not.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cmp_to_key
from typing import Protocol


class LotLike(Protocol):
    """What a lot must tell: all amounts whole units, `cost` that of the whole `quantity`."""

    @property
    def id(self) -> Hashable: ...
    @property
    def opened_at(self) -> date: ...
    @property
    def quantity(self) -> int: ...
    @property
    def remaining(self) -> int: ...
    @property
    def cost(self) -> int: ...


@dataclass(frozen=True, slots=True)
class OpenLot:
    """A lot as a value. Of a short position, `cost` is what its sale brought in."""

    id: Hashable
    opened_at: date
    quantity: int
    remaining: int
    cost: int

    @property
    def cost_left(self) -> int:
        """The cost of what remains."""
        return cost_left(self)


@dataclass(frozen=True, slots=True)
class Part:
    """What is taken of one lot."""

    lot: Hashable
    opened_at: date
    quantity: int
    cost: int
    proceeds: int

    @property
    def gain(self) -> int:
        return self.proceeds - self.cost


class LotsDoNotReach(ValueError):
    """More is to be taken than stands open, or than the named lots hold."""


Choice = Mapping[Hashable, int] | Sequence[Hashable]
"""Lots named by an order: how much of each, or in which order to use them up."""


def take(
    lots: Sequence[LotLike],
    quantity: int,
    method: str = "fifo",
    *,
    proceeds: int = 0,
    of: int | None = None,
    chosen: Choice | None = None,
) -> list[Part]:
    """Take `quantity` units by a `LotMethod`, and split the `proceeds` of a trade of `of` units over them.

    `of` is more than `quantity` where a trade closes more than is held; the proceeds beyond belong to no lot. With
    the average method several lots count as one pool, which has the oldest lot's id: see `pooled`.
    """
    if quantity < 0:
        raise ValueError("a trade takes units, it does not give them back")
    open_lots = [lot for lot in lots if lot.remaining > 0]
    parts, left, done = [], quantity, 0
    for lot, most in _candidates(open_lots, method, chosen):
        if not left:
            break
        taken = min(most, left)
        share = proceeds * (done + taken) // (of or quantity) - proceeds * done // (of or quantity)
        parts.append(Part(lot.id, lot.opened_at, taken, share_of_cost(lot, taken), share))
        left, done = left - taken, done + taken
    if left:
        held = "the named lots hold" if chosen is not None else "there are"
        raise LotsDoNotReach(f"{quantity} units are to be taken, {held} {done}")
    return parts


def after(lots: Sequence[LotLike], parts: Sequence[Part], method: str = "fifo") -> list[OpenLot]:
    """What stands open once the parts are gone, in the order given; the average method leaves its pool."""
    open_lots = [lot for lot in lots if lot.remaining > 0]
    kept = _pool(open_lots) if method == "average" else [_as_value(lot) for lot in open_lots]
    gone = {part.lot: part.quantity for part in parts}
    reduced = [replace(lot, remaining=lot.remaining - gone.get(lot.id, 0)) for lot in kept]
    return [lot for lot in reduced if lot.remaining]


def pooled(lots: Sequence[LotLike]) -> OpenLot:
    """Lots as one, every unit at the same cost. What was sold from them before is forgotten: only what remains
    and what that cost count, or a later purchase would change the cost of earlier sales."""
    oldest = min(lots, key=lambda lot: lot.opened_at)
    remaining = sum(lot.remaining for lot in lots)
    return OpenLot(oldest.id, oldest.opened_at, remaining, remaining, sum(cost_left(lot) for lot in lots))


def share_of_cost(lot: LotLike, taken: int) -> int:
    """The cost of the next `taken` units of a lot."""
    gone = lot.quantity - lot.remaining
    return lot.cost * (gone + taken) // lot.quantity - lot.cost * gone // lot.quantity


def cost_left(lot: LotLike) -> int:
    """The cost of what remains of a lot."""
    return share_of_cost(lot, lot.remaining)


def in_order(lots: Sequence[LotLike], method: str) -> list[LotLike]:
    """Open lots as a method takes them. Lots of the same time or unit cost: the first given first (LIFO: the last)."""
    oldest_first = sorted(lots, key=lambda lot: lot.opened_at)
    try:
        return _ORDERS[method](oldest_first)
    except KeyError:
        known = ", ".join([*_ORDERS, "average", "specific"])
        raise ValueError(f"no lot method {method!r}; there are {known}") from None


def _candidates(lots: Sequence[LotLike], method: str, chosen: Choice | None) -> list[tuple[LotLike, int]]:
    """Lots in turn, with how much may be taken of each."""
    if chosen is not None:
        return _named(lots, chosen)
    if method == "specific":
        raise LotsDoNotReach("the specific method takes the lots that the order names, and it names none")
    turn = _pool(lots) if method == "average" else in_order(lots, method)
    return [(lot, lot.remaining) for lot in turn]


def _named(lots: Sequence[LotLike], chosen: Choice) -> list[tuple[LotLike, int]]:
    by_id = {lot.id: lot for lot in lots}
    for name in chosen:
        if name not in by_id:
            raise LotsDoNotReach(f"there is no open lot {name}")
    if not isinstance(chosen, Mapping):
        return [(by_id[name], by_id[name].remaining) for name in dict.fromkeys(chosen)]
    for name, most in chosen.items():
        if not 0 <= most <= by_id[name].remaining:
            raise LotsDoNotReach(f"of lot {name} {by_id[name].remaining} units are open, not {most}")
    return [(by_id[name], most) for name, most in chosen.items() if most]


def _pool(lots: Sequence[LotLike]) -> list[OpenLot]:
    return [pooled(lots)] if lots else []


def _as_value(lot: LotLike) -> OpenLot:
    return OpenLot(lot.id, lot.opened_at, lot.quantity, lot.remaining, lot.cost)


def _dearer(one: LotLike, other: LotLike) -> int:
    """Below zero where a unit of `one` cost more."""
    return other.cost * one.quantity - one.cost * other.quantity


def _cheaper(one: LotLike, other: LotLike) -> int:
    return -_dearer(one, other)


_ORDERS: dict[str, Callable[[list[LotLike]], list[LotLike]]] = {
    "fifo": lambda lots: lots,
    "lifo": lambda lots: lots[::-1],
    "hifo": lambda lots: sorted(lots, key=cmp_to_key(_dearer)),
    "lofo": lambda lots: sorted(lots, key=cmp_to_key(_cheaper)),
}

__all__ = [
    "Choice", "LotLike", "LotsDoNotReach", "OpenLot", "Part", "after", "cost_left", "in_order", "pooled",
    "share_of_cost", "take",
]  # fmt: skip

"""An amount divided over several paths so that all of it together brings the most, in whole units.

What a path pays grows ever slower with what goes in. So the amount is poured like water: portion by portion into the
path that pays the most for the next one, then smaller and smaller portions are taken from the path that loses the least
by it and given to the one that gains the most, until none of the least size is worth moving. Without fixed costs, and
with paths that share no pool, that is the optimum to the size of the last portion (Angeris, Chitra, Evans, Boyd,
"Optimal Routing for Constant Function Market Makers", 2021: the problem is convex).

Each path in use costs gas. With fixed costs the problem is a mixed-integer one; here the path that could be spared best
is left out, again and again, what stood in it is poured into the others, and what brings the most net of gas is kept.
The best single path is always among what is compared, so a split is never worse than it.

Paths that share a pool are worth what they pay one after another, in the order given: the order of execution.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sniper_cli.pricing.constant_product import ImpossibleSwap
from sniper_cli.pricing.routes import Path, PoolsAfter, RoutePool, path_pays

PORTIONS = 16
"""How many the amount is poured in at first."""
FINEST = 1024
"""… and how small a part of it is moved in any case."""
ENOUGH = 10**7
"""Smaller parts are moved as long as that promises a thousandth of a basis point: a path may be worth only a little."""
Shares = tuple[tuple[int, int], ...]
"""Paths, by their places, and what goes down each."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One path of a split with what goes down it."""

    path: Path
    amount_in: int
    paid: tuple[int, ...]
    """By each hop, when the legs are executed in their order."""

    @property
    def amount_out(self) -> int:
        return self.paid[-1]


@dataclass(frozen=True, slots=True)
class Split:
    """An amount divided over paths; the legs in the order of their execution."""

    legs: tuple[Leg, ...]
    cost: int = 0
    """Of all legs' gas, in units of what comes out."""

    @property
    def amount_in(self) -> int:
        return sum(leg.amount_in for leg in self.legs)

    @property
    def amount_out(self) -> int:
        return sum(leg.amount_out for leg in self.legs)

    @property
    def net(self) -> int:
        """What comes out, less the gas."""
        return self.amount_out - self.cost


def executed(shares: Sequence[tuple[Path, int]], pools: Mapping[str, RoutePool], cost: int = 0) -> Split:
    """What paths pay for their shares, one after another in this order. Raises ImpossibleSwap."""
    after = PoolsAfter(pools)
    return Split(tuple(Leg(path, share, after.trade(path, share)) for path, share in shares), cost)


def best_single(
    amount: int, paths: Sequence[Path], pools: Mapping[str, RoutePool], costs: Sequence[int] = ()
) -> Split:
    """The whole amount down the one path that brings the most net of its cost. Raises ImpossibleSwap."""
    found = [
        executed([(path, amount)], pools, cost)
        for path, cost in zip(paths, costs or [0] * len(paths), strict=True)
        if _bearable(path, amount, pools)
    ]
    if not found:
        raise ImpossibleSwap(f"no path takes all of {amount}")
    return max(found, key=lambda split: split.net)


def best_split(
    amount: int, paths: Sequence[Path], pools: Mapping[str, RoutePool], costs: Sequence[int] = ()
) -> Split:
    """The amount over as many of the paths as is worth it. `costs`: what each path's gas is worth in what comes out.

    Raises ImpossibleSwap where the paths together do not take the amount.
    """
    if amount <= 0:
        raise ImpossibleSwap("nothing goes in")
    costs = costs or [0] * len(paths)
    found: list[Split] = []
    try:
        found.append(best_single(amount, paths, pools, costs))
    except ImpossibleSwap:
        if len(paths) < 2:
            raise
    found += _fillings(amount, paths, pools, costs)
    if not found:
        raise ImpossibleSwap(f"no paths together take all of {amount}")
    # The first of equals is the single path: fewer legs for the same.
    return max(found, key=lambda split: split.net)


def _fillings(
    amount: int, paths: Sequence[Path], pools: Mapping[str, RoutePool], costs: Sequence[int]
) -> list[Split]:
    """The amount poured over all paths, then over ever fewer as long as leaving one out could save what it loses."""
    basin = _Basin(amount, paths, pools)
    try:
        basin.fill()
    except ImpossibleSwap:
        return []
    found = [basin.executed(costs)]
    while (spare := basin.sparable(costs)) is not None:
        try:
            basin.leave_out(spare)
        except ImpossibleSwap:
            break
        found.append(basin.executed(costs))
    return found


class _Basin:
    """Paths side by side, and how much of the amount stands in each."""

    def __init__(self, amount: int, paths: Sequence[Path], pools: Mapping[str, RoutePool]) -> None:
        self.amount, self.paths, self.pools = amount, paths, pools
        self.shares = [0] * len(paths)
        self.open = list(range(len(paths)))
        self.groups = _sharing(paths)
        self._worth: dict[Shares, int | None] = {}
        self._states: dict[Shares, tuple[int, PoolsAfter] | None] = {}

    @property
    def least(self) -> int:
        """The smallest portion that is moved."""
        return max(1, self.amount // FINEST)

    def fill(self) -> None:
        """Pour the whole amount. Raises ImpossibleSwap."""
        self._pour(self.amount, self.amount // PORTIONS)
        self._level(self.amount // (2 * PORTIONS))

    def leave_out(self, place: int) -> None:
        """Pour one path's share into the others. Raises ImpossibleSwap."""
        share, self.shares[place] = self.shares[place], 0
        self.open.remove(place)
        self._pour(share, share // (PORTIONS // 4))
        self._level(share // (PORTIONS // 2))

    def sparable(self, costs: Sequence[int]) -> int | None:
        """The path whose leaving could save the most, if any could save more than it loses.

        The others would gain by its share no more than they gain by the next portion of that size: they flatten.
        """
        slopes = {place: self._change({place: self.least}) or 0 for place in self.open}
        used = [place for place in self.open if self.shares[place]]
        most: dict[int, int] = {}
        for place in used if len(used) > 1 else []:
            slope = max(slopes[other] for other in self.open if other != place)
            lost = -(self._change({place: -self.shares[place]}) or 0)
            most[place] = costs[place] + slope * self.shares[place] // self.least - lost
        best = max(most, key=most.__getitem__, default=None)
        return best if best is not None and costs[best] and most[best] > 0 else None

    def executed(self, costs: Sequence[int]) -> Split:
        """The shares as legs, one after another. Raises ImpossibleSwap."""
        used = [place for place in self.open if self.shares[place]]
        shares = [(self.paths[place], self.shares[place]) for place in used]
        return executed(shares, self.pools, sum(costs[place] for place in used))

    def _pour(self, left: int, portion: int) -> None:
        """Portion by portion to whichever path pays the most for it. Raises ImpossibleSwap."""
        portion = max(1, portion)
        gains: dict[int, int | None] = {}
        while left:
            size = min(portion, left)
            if size < portion:
                gains.clear()
            for place in self.open:
                if place not in gains:
                    gains[place] = self._change({place: size})
            worth = {place: gain for place, gain in gains.items() if gain is not None}
            if not worth:
                raise ImpossibleSwap(f"the paths together do not take all of {self.amount}")
            best = max(worth, key=worth.__getitem__)
            self.shares[best] += size
            left -= size
            for place in self.groups[best]:
                gains.pop(place, None)

    def _level(self, size: int) -> None:
        """Move ever smaller portions until none is worth moving."""
        while size:
            while (change := self._best_move(size)) is not None:
                self._move(size, *change)
            size //= 2
            if size < self.least and not self._promises(size):
                return

    def _promises(self, size: int) -> bool:
        """Whether a portion of that size may bring anything to speak of: no more than its sixteenth does, each time."""
        part = max(1, size // 16)
        change = self._best_move(part)
        if change is None:
            return False
        return self._gain(part, *change) * (size // part) * ENOUGH > self.worth

    def _best_move(self, size: int) -> tuple[int, int] | None:
        """From which path to which so much is best moved; none where that gains nothing."""
        gains = {place: gain for place in self.open if (gain := self._change({place: size})) is not None}
        full = [place for place in self.open if self.shares[place] >= size]
        losses = {place: loss for place in full if (loss := self._change({place: -size})) is not None}
        to = max(gains, key=gains.__getitem__, default=None)
        source = max((place for place in losses if place != to), key=losses.__getitem__, default=None)
        if to is None or source is None or self._gain(size, source, to) <= 0:
            return None
        return source, to

    def _gain(self, size: int, source: int, to: int) -> int:
        return self._change({to: size, source: -size}) or 0

    def _move(self, size: int, source: int, to: int) -> None:
        self.shares[source] -= size
        self.shares[to] += size

    @property
    def worth(self) -> int:
        """What all paths together pay now."""
        return sum(self._group_pays(group, {}) or 0 for group in set(self.groups))

    def _change(self, by: Mapping[int, int]) -> int | None:
        """What all paths together pay more with these shares changed; None where a pool cannot bear it."""
        total = 0
        for group in {self.groups[place] for place in by}:
            now = self._group_pays(group, {})
            then = self._group_pays(group, by)
            if then is None or now is None:
                return None
            total += then - now
        return total

    def _group_pays(self, group: tuple[int, ...], by: Mapping[int, int]) -> int | None:
        """What paths that share pools pay one after another; alone, what the path pays."""
        shares = tuple((place, self.shares[place] + by.get(place, 0)) for place in group)
        if len(group) > 1:
            poured = self._poured(tuple(each for each in shares if each[1]))
            return None if poured is None else poured[0]
        if shares not in self._worth:
            self._worth[shares] = self._alone(*shares[0])
        return self._worth[shares]

    def _alone(self, place: int, share: int) -> int | None:
        try:
            return path_pays(self.paths[place], share, self.pools) if share else 0
        except ImpossibleSwap:
            return None

    def _poured(self, shares: Shares) -> tuple[int, PoolsAfter] | None:
        """What the paths pay in turn, and the pools then. Where only a later share differs, the earlier are known."""
        if not shares:
            return 0, PoolsAfter(self.pools)
        if shares not in self._states:
            self._states[shares] = self._poured_on(self._poured(shares[:-1]), *shares[-1])
        return self._states[shares]

    def _poured_on(
        self, before: tuple[int, PoolsAfter] | None, place: int, share: int
    ) -> tuple[int, PoolsAfter] | None:
        if before is None:
            return None
        pools = before[1].copy()
        try:
            return before[0] + pools.trade(self.paths[place], share)[-1], pools
        except ImpossibleSwap:
            return None


def _sharing(paths: Sequence[Path]) -> list[tuple[int, ...]]:
    """For each path all those it is tied to by common pools, itself among them."""
    groups: list[set[int]] = []
    for place, path in enumerate(paths):
        tied = [group for group in groups if any(set(paths[each].pools) & set(path.pools) for each in group)]
        groups = [group for group in groups if group not in tied] + [{place}.union(*tied)]
    return [tuple(sorted(next(group for group in groups if place in group))) for place in range(len(paths))]


def _bearable(path: Path, amount: int, pools: Mapping[str, RoutePool]) -> bool:
    try:
        path_pays(path, amount, pools)
    except ImpossibleSwap:
        return False
    return True

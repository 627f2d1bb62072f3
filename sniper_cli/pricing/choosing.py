"""Which of many paths are worth dividing an amount over.

Between two tokens with a few others beside them lie dozens of paths, most of them through the same pools, and only over
a few is a division quick. Each alone does not tell: two shallow pools behind a deep one rank last one by one, and take
a good part together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest

from sniper_cli.pricing.constant_product import ImpossibleSwap
from sniper_cli.pricing.routes import Hop, Path, PoolsAfter, RoutePool, path_pays
from sniper_cli.pricing.splitting import Split, best_split

MOST_PATHS = 8
TASTES = (1, 20, 100)
"""Paths are compared by the whole amount, by a twentieth and by a hundredth: a shallow pool with a good price is worth
a part of it."""


def best_of_many(
    amount: int,
    paths: Sequence[Path],
    pools: Mapping[str, RoutePool],
    costs: Mapping[Path, int] | None = None,
    *,
    most: int = MOST_PATHS,
) -> Split:
    """The amount over the best of many paths, most of them through the same pools.

    Which of them are worth it together is not seen from each alone. So it begins with the best two, and the path that
    pays the most for a little more on the pools as the division leaves them is taken in, again and again, as long as
    that helps. Raises ImpossibleSwap where the paths together do not take the amount.
    """
    costs = costs or {}

    def divided(few: list[Path]) -> Split:
        return best_split(amount, few, pools, [costs.get(path, 0) for path in few])

    chosen = candidates(amount, paths, pools, most=2, costs=costs)
    try:
        best = divided(chosen)
    except ImpossibleSwap:  # two do not take it; more may
        chosen = candidates(amount, paths, pools, most=most, costs=costs)
        best = divided(chosen)
    while len(chosen) < most:
        further = _next_path(amount, [path for path in paths if path not in chosen], best, pools)
        if further is None:
            break
        chosen.append(further)
        wider = divided(chosen)
        if wider.net <= best.net:
            break
        best = wider
    return best


def _next_path(
    amount: int, paths: Iterable[Path], split: Split, pools: Mapping[str, RoutePool]
) -> Path | None:
    """The path that pays the most for a hundredth of the amount once a division has been executed."""
    after = PoolsAfter(pools)
    for leg in split.legs:
        after.trade(leg.path, leg.amount_in)
    worth = _worths(paths, max(1, amount // TASTES[-1]), after.states)
    return max(worth, key=worth.__getitem__, default=None)


def _worths(paths: Iterable[Path], amount: int, pools: Mapping[str, RoutePool]) -> dict[Path, int]:
    """What each path pays for an amount; without those that cannot bear it. Paths that begin alike are walked once."""
    after: dict[tuple[Hop, ...], int | None] = {(): amount}

    def paid(hops: tuple[Hop, ...]) -> int | None:
        if hops not in after:
            coming, last = paid(hops[:-1]), hops[-1]
            try:
                after[hops] = (
                    None if coming is None else pools[last.pool].pays(coming, last.token_in, last.token_out)
                )
            except ImpossibleSwap:
                after[hops] = None
        return after[hops]

    worth: dict[Path, int] = {}
    for path in paths:
        twice = len(set(path.pools)) < len(path.hops)
        found = _paid(path, amount, pools) if twice else paid(path.hops)
        if found is not None:
            worth[path] = found
    return worth


def candidates(
    amount: int,
    paths: Iterable[Path],
    pools: Mapping[str, RoutePool],
    *,
    most: int = 5,
    costs: Mapping[Path, int] | None = None,
) -> list[Path]:
    """The paths worth dividing an amount over: in turn those that pay the most for all of it and for a taste of it."""
    paths, costs = list(paths), costs or {}
    rankings: list[list[Path]] = []
    for taste in TASTES:
        worth = {
            path: paid - costs.get(path, 0) // taste
            for path, paid in _worths(paths, max(1, amount // taste), pools).items()
        }
        rankings.append(sorted(worth, key=worth.__getitem__, reverse=True))
    in_turn = (path for places in zip_longest(*rankings) for path in places if path is not None)
    return list(dict.fromkeys(in_turn))[:most]


def _paid(path: Path, amount: int, pools: Mapping[str, RoutePool]) -> int | None:
    try:
        return path_pays(path, amount, pools)
    except ImpossibleSwap:
        return None

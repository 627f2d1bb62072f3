"""How long a quote takes in each kind of pool, and a division over five paths of all kinds.

Pure Python, one thread, no chain: processor time, for nothing is waited for. The five paths are one pool each of V2, V3
(two fees), StableSwap and a weighted one between the same two tokens, the best case of a split; and five of two and
three hops through pools that they share, the usual one.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

from sniper_cli.pricing.choosing import best_of_many, candidates
from sniper_cli.pricing.routes import Hop, Path, RoutePool, paths_between
from sniper_cli.pricing.splitting import best_single, best_split
from tests.mixed_pools import concentrated, product, stable, weighted

DEPTH = 10**22
ROUNDS = 100
SIZES = {"1 %": DEPTH // 100, "10 %": DEPTH // 10, "all": DEPTH}
"""Of what stands in the deepest pool."""


def measure() -> dict[str, str]:
    """Quotes, then divisions."""
    pools = _side_by_side()
    figures = {
        f"quote, {name}": f"{_micro(lambda p=pool: p.pays(DEPTH // 100, 'a', 'b')):.1f} µs"  # type: ignore[misc]
        for name, pool in pools.items()
    }
    direct = [Path((Hop(name, "a", "b"),)) for name in pools]
    for size, amount in SIZES.items():
        figures[f"five single pools, {size} of the deepest"] = _division(amount, direct, pools)
    mesh = _mesh()
    many = paths_between(mesh.values(), "a", "b")
    for size, amount in SIZES.items():
        five = candidates(amount, many, mesh)
        figures[f"five of {len(many)} paths, {size}"] = _division(amount, five, mesh)
        wide = best_of_many(amount, many, mesh)
        single = best_single(amount, five, mesh)
        gain = (wide.amount_out - single.amount_out) * 10_000 / single.amount_out
        took = _milli(lambda a=amount: best_of_many(a, many, mesh))  # type: ignore[misc]
        figures[f"the best of all {len(many)}, {size}"] = (
            f"{took}; {len(wide.legs)} legs, +{gain:.1f} bp over the best path"
        )
    return figures


def _division(amount: int, paths: list[Path], pools: Mapping[str, RoutePool]) -> str:
    gas = [amount // 20_000] * len(paths)
    split = best_split(amount, paths, pools)
    single = best_single(amount, paths, pools)
    gain = (split.amount_out - single.amount_out) * 10_000 / single.amount_out
    free, priced = (_milli(lambda c=costs: best_split(amount, paths, pools, c)) for costs in ([], gas))  # type: ignore[misc]
    hops = sum(len(leg.path.hops) for leg in split.legs)
    return (
        f"{free}, with gas {priced}; {len(split.legs)} legs, {hops} hops, +{gain:.1f} bp over the best path"
    )


def _side_by_side() -> dict[str, RoutePool]:
    pair = ("a", "b")
    return {
        "V2": product("V2", pair, DEPTH),
        "V3, 5 bp": concentrated("V3, 5 bp", pair, DEPTH, fee=500),
        "V3, 30 bp": concentrated("V3, 30 bp", pair, DEPTH // 2),
        "StableSwap": stable("StableSwap", pair, DEPTH // 3),
        "weighted": weighted("weighted", pair, DEPTH // 2, 50),
    }


def _mesh() -> dict[str, RoutePool]:
    """Four tokens, a V2 and two V3 pools between any two, the prices a little apart."""
    tokens = ("a", "b", "c", "d")
    pools: dict[str, RoutePool] = {}
    for place, (one, other) in enumerate((x, y) for x in tokens for y in tokens if x < y):
        ratio = 9_990 + 4 * place
        for pool in (
            product(f"V2 {one}{other}", (one, other), DEPTH, ratio),
            concentrated(f"500 {one}{other}", (one, other), DEPTH, ratio, 500),
            concentrated(f"3000 {one}{other}", (one, other), DEPTH, ratio, 3000),
        ):
            pools[pool.id] = pool
    return pools


def _micro(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(5):
        begun = time.process_time()
        for _ in range(ROUNDS):
            work()
        best = min(best, (time.process_time() - begun) / ROUNDS * 1e6)
    return best


def _milli(work: Callable[[], object]) -> str:
    times = []
    for _ in range(10):
        begun = time.process_time()
        work()
        times.append((time.process_time() - begun) * 1000)
    return f"p50 {statistics.median(times):.1f} ms, max {max(times):.1f} ms"

"""Pools of every mathematics between a few tokens, as hypothesis draws them and as benchmarks take them."""

from __future__ import annotations

from collections.abc import Mapping
from math import isqrt

from hypothesis import strategies as st

from sniper_cli.pricing.concentrated import pool_of_positions
from sniper_cli.pricing.constant_product import Reserves
from sniper_cli.pricing.fixed_point import ONE
from sniper_cli.pricing.routes import Hop, Path, RoutePool
from sniper_cli.pricing.stable import StablePool
from sniper_cli.pricing.weighted import WeightedPool

TOKENS = ("coin", "dollar", "euro", "token")
SPACINGS = {500: 10, 3000: 60, 10_000: 200}
KINDS = ("product", "concentrated", "stable", "weighted")


def product(id_: str, pair: tuple[str, str], depth: int, ratio_bps: int = 10_000) -> RoutePool:
    return RoutePool(id_, pair, Reserves(depth, depth * ratio_bps // 10_000))


def concentrated(
    id_: str,
    pair: tuple[str, str],
    depth: int,
    ratio_bps: int = 10_000,
    fee: int = 3000,
    bands: tuple[int, ...] = (1, 2, 8, 40),
) -> RoutePool:
    """Liquidity in nested bands around the price, widest 40 words of ticks, and all of the range under them."""
    price = isqrt((ratio_bps << 192) // 10_000)
    spacing = SPACINGS[fee]
    whole = 887_272 // spacing * spacing
    middle = pool_of_positions(price, (), fee=fee, tick_spacing=spacing).tick // spacing * spacing
    positions = [(-whole, whole, depth)]
    positions += [(middle - width * spacing, middle + width * spacing, depth) for width in bands]
    return RoutePool(id_, pair, pool_of_positions(price, positions, fee=fee, tick_spacing=spacing))


def stable(id_: str, coins: tuple[str, ...], depth: int, amplification: int = 200) -> RoutePool:
    balances = tuple(depth * (10 + place) // 10 for place in range(len(coins)))
    return RoutePool(id_, coins, StablePool(balances, amplification, 4_000_000, admin_fee=5 * 10**9))


def weighted(id_: str, pair: tuple[str, str], depth: int, first: int = 80) -> RoutePool:
    weights = (first * ONE // 100, ONE - first * ONE // 100)
    balances = (depth * first // 50, depth * (100 - first) // 50)
    return RoutePool(id_, pair, WeightedPool(balances, weights, ONE // 500))


@st.composite
def pool(draw: st.DrawFn, id_: str, pair: tuple[str, str]) -> RoutePool:
    """One pool of two tokens, of some kind and depth, its price within a few percent of one."""
    depth = draw(st.integers(10**20, 10**23))
    match draw(st.sampled_from(KINDS)):
        case "product":
            return product(id_, pair, depth, draw(st.integers(9_500, 10_500)))
        case "concentrated":
            fee = draw(st.sampled_from(sorted(SPACINGS)))
            return concentrated(id_, pair, depth, draw(st.integers(9_500, 10_500)), fee)
        case "stable":
            return stable(id_, pair, depth, draw(st.integers(20, 1_000)))
        case _:
            return weighted(id_, pair, depth, draw(st.integers(20, 80)))


@st.composite
def market(draw: st.DrawFn, most: int = 6) -> Mapping[str, RoutePool]:
    """Some pools between some of the tokens, at least one of them between the first and the last."""
    pairs = [("coin", "token")]
    pairs += draw(
        st.lists(
            st.sampled_from([(a, b) for a in TOKENS for b in TOKENS if a < b]), min_size=2, max_size=most - 1
        )
    )
    return {str(place): draw(pool(str(place), pair)) for place, pair in enumerate(pairs)}


@st.composite
def side_by_side(draw: st.DrawFn) -> tuple[list[Path], dict[str, RoutePool]]:
    """Two to five paths that share no pool, of one or two hops."""
    paths: list[Path] = []
    pools: dict[str, RoutePool] = {}
    for place in range(draw(st.integers(2, 5))):
        ways = [("coin", "token")] if draw(st.booleans()) else [("coin", "euro"), ("euro", "token")]
        hops = []
        for step, pair in enumerate(ways):
            id_ = f"{place}-{step}"
            pools[id_] = draw(pool(id_, pair))
            hops.append(Hop(id_, *pair))
        paths.append(Path(tuple(hops)))
    return paths, pools

"""What a route pays: the best of all routers' paths and splits, gas counted, with the least that shall come out.

Gas decides how many paths are worth it, so it is put into the currency of what comes out: by the best path from the
coin, or where none leads there not at all. The figures are what the steps took on Uniswap's own contracts with a plain
ERC-20 (92,000 to 103,000 for one pool, 168,000 for V2 and V3 side by side, 122,000 for one of v4, 184,000 for V2 and
v4); what a route really takes, a simulation tells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sniper_cli.chains.exchange import Protocol
from sniper_cli.pools.pool import Pool
from sniper_cli.pricing.choosing import MOST_PATHS, best_of_many, candidates
from sniper_cli.pricing.constant_product import BPS, ImpossibleSwap
from sniper_cli.pricing.routes import MOST_HOPS, Path, RoutePool, path_pays, paths_between
from sniper_cli.pricing.splitting import Split, best_single
from sniper_cli.routing.market import Market, Reach

BASE_GAS = 45_000
"""The transaction itself, the multicall, and what is handed out at the end."""
HOP_GAS: Mapping[Protocol, int] = {Protocol.V2: 55_000, Protocol.V3: 65_000, Protocol.V4: 75_000}
"""A hop with its share of transfers. A V3 pool's initialised ticks cost 20,000 to 30,000 each on top.

Of v4 with the unlocking of its manager: a second hop in a row there takes 35,000; the coin wrapped between two 49,000.
"""


@dataclass(frozen=True, slots=True)
class RouteQuote:
    """What a route pays at one block."""

    market: Market
    reach: Reach
    split: Split
    single: Split | None
    """The best single path, on whatever router; none where no path takes the amount alone."""
    gas: int
    gas_price: int
    """Wei for a unit of it."""
    priced_gas: bool
    """Whether the gas could be counted in what comes out."""

    @property
    def gain_bps(self) -> int | None:
        """What dividing the amount gains over the best single path, net of gas; none where there is none to compare."""
        if self.single is None or self.single.net <= 0:
            return None
        return (self.split.net - self.single.net) * BPS // self.single.net

    def least(self, slippage_bps: int) -> int:
        """The least that the transaction lets come out."""
        return max(1, self.split.amount_out * (BPS - slippage_bps) // BPS)


def best_route(
    market: Market,
    token_in: str,
    token_out: str,
    amount: int,
    *,
    wrapped: str,
    gas_price: int,
    splits: bool = True,
    most_hops: int = MOST_HOPS,
    most: int = MOST_PATHS,
) -> RouteQuote:
    """The route that brings the most net of gas. Raises ImpossibleSwap where none takes the amount."""
    found: list[_Best] = []
    reached: list[set[str]] = []
    for reach in market.reaches:
        pools = market.within(reach)
        if reach.splits and set(pools) in reached:
            continue
        reached += [set(pools)] if reach.splits else []
        rate = _Rate(wrapped, token_out, gas_price, pools)
        paths = paths_between(pools.values(), token_in, token_out, most_hops=most_hops)
        costs = {path: rate.of(path_gas(path, market.known)) for path in paths}
        try:
            found.append(_best(reach, amount, paths, pools, costs, most if splits and reach.splits else 1))
        except ImpossibleSwap:
            continue
        found[-1].priced = rate.known
    if not found:
        raise ImpossibleSwap(f"no route takes {amount}")
    best = max(found, key=lambda each: each.split.net)
    singles = [each.single for each in found if each.single is not None]
    single = max(singles, key=lambda each: each.net, default=None)
    # Without a pool of v4 in it a route needs none of Permit2's approvals.
    reach = next(each for each in market.reaches if each.trades(best.split, market.known))
    gas = BASE_GAS + sum(path_gas(leg.path, market.known) for leg in best.split.legs)
    return RouteQuote(market, reach, best.split, single, gas, gas_price, best.priced)


@dataclass(slots=True)
class _Best:
    """What one router can do best."""

    reach: Reach
    split: Split
    single: Split | None
    """None where no single path takes the amount."""
    priced: bool = True


def _best(
    reach: Reach,
    amount: int,
    paths: Sequence[Path],
    pools: Mapping[str, RoutePool],
    costs: Mapping[Path, int],
    most: int,
) -> _Best:
    single: Split | None = None
    try:
        first = candidates(amount, paths, pools, most=1, costs=costs)
        single = best_single(amount, first, pools, [costs[path] for path in first])
    except ImpossibleSwap:
        if most == 1:
            raise
    if most == 1 and single is not None:
        return _Best(reach, single, single)
    return _Best(reach, best_of_many(amount, paths, pools, costs, most=most), single)


def path_gas(path: Path, known: Mapping[str, Pool]) -> int:
    """What a path's hops take, without what every transaction takes."""
    return sum(HOP_GAS[known[hop.pool].protocol] for hop in path.hops)


class _Rate:
    """Gas in the currency of what comes out."""

    def __init__(self, wrapped: str, token_out: str, gas_price: int, pools: Mapping[str, RoutePool]) -> None:
        self.gas_price, self.pools = gas_price, pools
        self.same = wrapped == token_out
        self.paths = [] if self.same else paths_between(pools.values(), wrapped, token_out, most_hops=2)
        self._for_one: dict[int, int | None] = {}

    @property
    def known(self) -> bool:
        return self.same or bool(self.paths)

    def of(self, gas: int) -> int:
        """Nothing where no path leads from the coin to what comes out."""
        if self.same:
            return gas * self.gas_price
        if gas not in self._for_one:
            self._for_one[gas] = self._exchanged(gas * self.gas_price)
        return self._for_one[gas] or 0

    def _exchanged(self, wei: int) -> int | None:
        worth = []
        for path in self.paths:
            try:
                worth.append(path_pays(path, wei, self.pools))
            except ImpossibleSwap:
                continue
        return max(worth, default=None)

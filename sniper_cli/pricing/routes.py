"""Paths of one token into another over pools of any mathematics, each hop to the wei.

A path goes through at most three pools (Uniswap's router looks no further either) and never through a token twice. What
one hop pays goes into the next. A pool that a path, or an earlier path of the same split, has traded in already is
quoted as that trade leaves it: `PoolsAfter` keeps the states, so a quote is what the contracts pay when the hops are
executed in the same order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sniper_cli.pricing.concentrated import ConcentratedPool
from sniper_cli.pricing.constant_product import MAX_RESERVE, ImpossibleSwap, Reserves
from sniper_cli.pricing.sqrt_price_math import Reverts
from sniper_cli.pricing.stable import StablePool
from sniper_cli.pricing.weighted import WeightedPool

MOST_HOPS = 3

State = Reserves | ConcentratedPool | StablePool | WeightedPool


@dataclass(frozen=True, slots=True)
class RoutePool:
    """A pool with all its tokens, as a route passes through it: whichever in, whichever out."""

    id: str
    tokens: tuple[str, ...]
    """In the order of the state's balances; of two, token0 first."""
    state: State

    def pays(self, amount: int, token_in: str, token_out: str) -> int:
        """What an exact input brings. Raises ImpossibleSwap."""
        coming, going = self._places(token_in, token_out)
        if amount <= 0:
            raise ImpossibleSwap("nothing goes in")
        match self.state:
            case Reserves() as reserves:
                side = reserves.reversed if coming else reserves
                if side.coming + amount > MAX_RESERVE:
                    raise ImpossibleSwap("the pair cannot keep so much: its reserves are uint112")
                if not (paid := side.pays(amount)):
                    raise ImpossibleSwap("nothing comes out, and the pair refuses to pay nothing")
                return paid
            case ConcentratedPool() as pool:
                return pool.amount_out(amount, zero_for_one=coming == 0)
            case StablePool() | WeightedPool() as pool:
                return pool.amount_out(amount, coming, going)

    def trade(self, amount: int, token_in: str, token_out: str) -> tuple[int, RoutePool]:
        """What an exact input brings, and the pool afterwards. Raises ImpossibleSwap."""
        coming, going = self._places(token_in, token_out)
        paid = 0 if isinstance(self.state, ConcentratedPool) else self.pays(amount, token_in, token_out)
        after: State
        match self.state:
            case Reserves() as reserves:
                side = (reserves.reversed if coming else reserves).after(amount, paid)
                after = side.reversed if coming else side
            case ConcentratedPool() as pool:
                paid, after = _swapped(pool, amount, zero_for_one=coming == 0)
            case StablePool() as pool:
                after = pool.after(amount, coming, going)
            case WeightedPool() as weighted:
                after = weighted.after(amount, paid, coming, going)
        return paid, replace(self, state=after)

    def _places(self, token_in: str, token_out: str) -> tuple[int, int]:
        if token_in == token_out or token_in not in self.tokens or token_out not in self.tokens:
            raise ImpossibleSwap(f"the pool {self.id} does not trade {token_in} for {token_out}")
        return self.tokens.index(token_in), self.tokens.index(token_out)


def _swapped(pool: ConcentratedPool, amount: int, *, zero_for_one: bool) -> tuple[int, ConcentratedPool]:
    """Both from one walk over the ticks, which is what a quote takes its time for."""
    if amount <= 0:
        raise ImpossibleSwap("nothing goes in")
    try:
        swap = pool.swap(amount, zero_for_one=zero_for_one)
    except Reverts as reverts:
        raise ImpossibleSwap(str(reverts)) from reverts
    if swap.amount_in != amount:
        raise ImpossibleSwap(f"the pool takes only {swap.amount_in} of {amount}")
    return swap.amount_out, swap.after


@dataclass(frozen=True, slots=True)
class Hop:
    """One trade on a path."""

    pool: str
    token_in: str
    token_out: str


@dataclass(frozen=True, slots=True)
class Path:
    """One way of a token into another."""

    hops: tuple[Hop, ...]

    @property
    def pools(self) -> tuple[str, ...]:
        return tuple(hop.pool for hop in self.hops)

    @property
    def tokens(self) -> tuple[str, ...]:
        """All tokens on the way, the first and the last among them."""
        return (self.hops[0].token_in, *(hop.token_out for hop in self.hops))


class PoolsAfter:
    """Pools as trades leave them, one after another; what has not been traded in stands as it was read."""

    def __init__(self, pools: Mapping[str, RoutePool]) -> None:
        self._read = pools
        self._moved: dict[str, RoutePool] = {}

    def __getitem__(self, pool: str) -> RoutePool:
        return self._moved.get(pool) or self._read[pool]

    @property
    def states(self) -> dict[str, RoutePool]:
        """All pools as they stand now."""
        return {**self._read, **self._moved}

    def copy(self) -> PoolsAfter:
        """The same, to go on from here in another way."""
        other = PoolsAfter(self._read)
        other._moved = dict(self._moved)
        return other

    def trade(self, path: Path, amount: int) -> tuple[int, ...]:
        """Send an amount down a path: what each hop pays. Raises ImpossibleSwap, and then nothing has moved."""
        paid: list[int] = []
        former = dict(self._moved)
        try:
            for hop in path.hops:
                amount, self._moved[hop.pool] = self[hop.pool].trade(amount, hop.token_in, hop.token_out)
                paid.append(amount)
        except ImpossibleSwap:
            self._moved = former
            raise
        return tuple(paid)


def path_pays(path: Path, amount: int, pools: Mapping[str, RoutePool]) -> int:
    """What a path pays for an exact input, on the pools as they were read. Raises ImpossibleSwap."""
    if len(set(path.pools)) < len(path.hops):
        return PoolsAfter(pools).trade(path, amount)[-1]
    for hop in path.hops:
        amount = pools[hop.pool].pays(amount, hop.token_in, hop.token_out)
    return amount


def paths_between(
    pools: Iterable[RoutePool], token_in: str, token_out: str, *, most_hops: int = MOST_HOPS
) -> list[Path]:
    """Every path of one token into the other, the short ones first."""
    at: dict[str, list[RoutePool]] = {}
    for pool in pools:
        for token in pool.tokens:
            at.setdefault(token, []).append(pool)
    if token_in == token_out:
        return []
    return sorted(_onwards((), token_in, token_out, at, most_hops), key=lambda path: len(path.hops))


def _onwards(
    gone: tuple[Hop, ...], here: str, goal: str, at: Mapping[str, Sequence[RoutePool]], left: int
) -> Iterator[Path]:
    been = {hop.token_in for hop in gone} | {here}
    for pool in at.get(here, ()):
        for token in pool.tokens:
            if token in been:
                continue
            hops = (*gone, Hop(pool.id, here, token))
            if token == goal:
                yield Path(hops)
            elif left > 1:
                yield from _onwards(hops, token, goal, at, left - 1)

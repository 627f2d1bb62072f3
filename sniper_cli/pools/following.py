"""Pools that are looked at again and again: one batch a look, however many they are, the same for every protocol.

A V2 pool is one question. A concentrated pool's price and liquidity are two, and its ticks are kept: they change when
somebody puts liquidity in or takes some out, of which the pools' logs tell, asked for in the same batch. Read anew,
in two rounds more, are only the ticks of a pool that is new here, whose liquidity was moved, whose price has come near
the end of what was read, and all of them where a reorganisation took away the block they were read at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Protocol
from sniper_cli.chains.node import Head, Node, head_from
from sniper_cli.errors import NodeRefused
from sniper_cli.pools.pool import Pool
from sniper_cli.pools.states import price_of, questions_of, with_ticks
from sniper_cli.pricing.concentrated import ConcentratedPool
from sniper_cli.pricing.constant_product import Reserves
from sniper_cli.pricing.sides import ConcentratedSide, PoolSide
from sniper_cli.pricing.tick_math import MAX_TICK, MIN_TICK

MOST_BLOCKS = 500
"""Logs of a longer time are not asked for: the ticks are read anew."""
MOST_POOLS = 500
MARGIN = 4
"""A price in the outer quarter of what was read has its ticks read anew around it."""
LIQUIDITY_MOVED = (abi.MINT_V3, abi.BURN_V3, abi.MODIFY_LIQUIDITY_V4)


class Look(NamedTuple):
    """What one look saw."""

    head: Head
    sides: list[PoolSide | None]
    """Each pool as a purchase sees it, be it empty; None where there is none, or the node refuses to answer."""
    answers: list[Any]
    """To the questions that came along; a refusal stands as its NodeRefused."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A pool with its ticks, and the block at which they were known to hold."""

    state: ConcentratedPool
    number: int
    hash: str


class Sights:
    """The ticks of the pools seen so far."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}

    async def look(
        self, node: Node, pools: Sequence[Pool], questions: Sequence[tuple[str, list[Any]]] = ()
    ) -> Look:
        """Look at pools, and ask other things along with it, at the newest block. Raises NetworkError."""
        if all(pool.protocol is Protocol.V2 for pool in pools):
            return await self._look(node, pools, questions)
        # The rounds belong together: another node may not have the block yet.
        return await node.steadily(lambda one: self._look(one, pools, questions))

    def keep(self, pools: Iterable[str]) -> None:
        """Give up the ticks of all pools but these."""
        wanted = set(pools)
        self._kept = {key: kept for key, kept in self._kept.items() if key in wanted}

    async def _look(
        self, node: Node, pools: Sequence[Pool], questions: Sequence[tuple[str, list[Any]]]
    ) -> Look:
        known = {pool.id: self._kept[pool.id] for pool in pools if pool.id in self._kept}
        since = sorted({(kept.number, kept.hash) for kept in known.values()})
        moves = _moves([pool for pool in pools if pool.id in known], since[0][0]) if since else []
        asked = [questions_of(pool) for pool in pools]
        answers = iter(
            await node.batch(
                [
                    ("eth_getBlockByNumber", ["latest", False]),
                    *(("eth_getBlockByNumber", [hex(number), False]) for number, _ in since),
                    *moves,
                    *(question for mine in asked for question in mine),
                    *questions,
                ],
                return_errors=True,
            )
        )
        newest = next(answers)
        if isinstance(newest, NodeRefused):
            raise newest
        head = head_from(newest)
        stands = {place: _hash(answer) == place[1] for place, answer in zip(since, answers, strict=False)}
        told = list(islice(answers, len(moves)))
        moved = _moved(told)
        stale = {
            key
            for key, kept in known.items()
            if moved is None
            or moved.get(key, 0) > kept.number
            or not stands[kept.number, kept.hash]
            or head.number - kept.number > MOST_BLOCKS
        }
        found: list[PoolSide | None] = []
        fresh: dict[int, ConcentratedPool] = {}
        for place, (pool, mine) in enumerate(zip(pools, asked, strict=True)):
            said = list(islice(answers, len(mine)))
            if pool.protocol is Protocol.V2:
                found.append(_pair(pool, said[0]))
                continue
            found.append(None)
            bare = price_of(pool, said)
            if bare is None:
                continue
            state = None if pool.id in stale else _with_known(bare, known.get(pool.id))
            if state is None:
                fresh[place] = bare
            else:
                self._note(pool, state, head)
                found[place] = ConcentratedSide(state, zero_for_one=pool.coin_first)
        for place, state in (await with_ticks(node, pools, fresh, hex(head.number))).items():
            self._note(pools[place], state, head)
            found[place] = ConcentratedSide(state, zero_for_one=pools[place].coin_first)
        return Look(head, found, list(answers))

    def _note(self, pool: Pool, state: ConcentratedPool, head: Head) -> None:
        """The latest last; what was looked at longest ago goes."""
        self._kept.pop(pool.id, None)
        self._kept[pool.id] = _Kept(state, head.number, head.hash)
        while len(self._kept) > MOST_POOLS:
            del self._kept[next(iter(self._kept))]


def _pair(pool: Pool, answer: Any) -> Reserves | None:
    """A V2 pool, also where a side of it is empty: of what is held that is told, too."""
    if not isinstance(answer, str) or len(answer) < 2 + 64 * 2:
        return None
    first, second = abi.reserves(answer)
    coins, tokens = (first, second) if pool.coin_first else (second, first)
    return Reserves(coins, tokens, pool.fee // 100)


def _moves(pools: Sequence[Pool], since: int) -> list[tuple[str, list[Any]]]:
    """The questions for what was put into pools and taken out since a block."""
    found: list[tuple[str, list[Any]]] = []
    span = {"fromBlock": hex(since), "toBlock": "latest"}
    third = sorted({pool.id for pool in pools if pool.protocol is Protocol.V3})
    if third:
        topics: list[Any] = [[abi.MINT_V3, abi.BURN_V3]]
        found.append(("eth_getLogs", [{**span, "address": third, "topics": topics}]))
    fourth = [pool for pool in pools if pool.protocol is Protocol.V4]
    if fourth:
        managers = sorted({pool.exchange.factory for pool in fourth})
        topics = [[abi.MODIFY_LIQUIDITY_V4], sorted({pool.id for pool in fourth})]
        found.append(("eth_getLogs", [{**span, "address": managers, "topics": topics}]))
    return found


def _moved(told: Sequence[Any]) -> dict[str, int] | None:
    """The pools whose liquidity was moved, and in which block last; None where the node does not say."""
    found: dict[str, int] = {}
    for answer in told:
        if isinstance(answer, NodeRefused):
            return None
        for log in answer:
            key = moved_in(log)
            found[key] = max(found.get(key, 0), int(log["blockNumber"], 16))
    return found


def moved_in(log: abi.Log) -> str:
    """The pool of a log that tells of moved liquidity."""
    by_id = log["topics"][0] == abi.MODIFY_LIQUIDITY_V4
    return str(log["topics"][1] if by_id else log["address"]).lower()


def _with_known(bare: ConcentratedPool, kept: _Kept | None) -> ConcentratedPool | None:
    """A pool's new price among the ticks that are known; None where it comes near the end of those."""
    if kept is None:
        return None
    known = kept.state.known
    if known is not None:
        low, high = known
        margin = (high - low) // 2 // MARGIN
        below = low > MIN_TICK and bare.tick < low + margin
        if below or (high < MAX_TICK and bare.tick > high - margin):
            return None
    return bare.knowing(kept.state.ticks, known)


def _hash(answer: Any) -> str | None:
    return answer["hash"] if isinstance(answer, dict) else None


__all__ = ["LIQUIDITY_MOVED", "Look", "Sights", "moved_in"]

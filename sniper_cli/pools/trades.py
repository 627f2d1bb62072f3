"""What moved through a pool, by the pool's own events: it is the exchange's code, and no token can fake them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Protocol
from sniper_cli.pools.pool import Pool
from sniper_cli.pools.states import signed

SWAP_TOPICS = {Protocol.V2: abi.SWAP_V2, Protocol.V3: abi.SWAP_V3}


class Moved(NamedTuple):
    """A trade in a pool: positive amounts went in, negative ones came out."""

    coins: int
    tokens: int


def trades_in(pool: Pool, logs: Sequence[abi.Log]) -> list[Moved]:
    """The trades in a pool that a receipt or a simulation tells of, in their order."""
    topic = SWAP_TOPICS.get(pool.protocol)
    return [
        _moved(pool, log)
        for log in logs
        if log["topics"] and log["topics"][0] == topic and log["address"].lower() == pool.id
    ]


def _moved(pool: Pool, log: abi.Log) -> Moved:
    if pool.protocol is Protocol.V2:
        swap = abi.swap(log)
        first, second = swap.amount0_in - swap.amount0_out, swap.amount1_in - swap.amount1_out
    else:
        first, second = signed(abi.word(log["data"], 0)), signed(abi.word(log["data"], 1))
    return Moved(first, second) if pool.coin_first else Moved(second, first)

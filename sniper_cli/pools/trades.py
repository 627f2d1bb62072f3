"""What moved through a pool, by the pool's own events: it is the exchange's code, and no token can fake them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Protocol
from sniper_cli.pools.pool import Pool
from sniper_cli.pools.states import is_of, signed

SWAP_TOPICS = {Protocol.V2: abi.SWAP_V2, Protocol.V3: abi.SWAP_V3, Protocol.V4: abi.SWAP_V4}


class Moved(NamedTuple):
    """A trade in a pool: positive amounts went in, negative ones came out."""

    coins: int
    tokens: int


def trades_in(pool: Pool, logs: Sequence[abi.Log]) -> list[Moved]:
    """The trades in a pool that a receipt or a simulation tells of, in their order."""
    topic = SWAP_TOPICS.get(pool.protocol)
    return [_moved(pool, log) for log in logs if is_of(pool, log) and log["topics"][0] == topic]


def coins_paid(pool: Pool, value: int, logs: Sequence[abi.Log]) -> int:
    """Coins that a purchase of ours took of the `value` sent along, by the receipt's logs.

    V2's router wraps all of it. V3's wraps what the pool takes and gives the rest back: the last coins it wrapped, for
    a token may have it trade within the purchase, before the pool is paid. v4's wraps all and unwraps the rest;
    where it deals in the chain's own coin, which leaves no log, the manager tells of each swap who asked for it.
    """
    if pool.protocol is Protocol.V2:
        return value
    if pool.protocol is Protocol.V4 and int(pool.quote, 16) == 0:
        return sum(max(0, trade.coins) for trade in _asked_for(pool, logs))
    if pool.protocol is Protocol.V4:
        return value - _last(pool, logs, abi.WITHDRAWAL)
    return _last(pool, logs, abi.DEPOSIT)


def coins_brought(pool: Pool, logs: Sequence[abi.Log]) -> int:
    """Coins that a sale of ours brought: the last that the router unwrapped, for a taxed token may sell for itself
    within our transfer, and the router unwraps ours after that.
    """
    if pool.protocol is Protocol.V4 and int(pool.quote, 16) == 0:
        return sum(max(0, -trade.coins) for trade in _asked_for(pool, logs))
    return _last(pool, logs, abi.WITHDRAWAL)


def _asked_for(pool: Pool, logs: Sequence[abi.Log]) -> list[Moved]:
    """The swaps in a v4 pool that its router, ours, asked the manager for."""
    router = abi.address_topic(pool.exchange.router)
    return trades_in(pool, [log for log in logs if len(log["topics"]) == 3 and log["topics"][2] == router])


def _last(pool: Pool, logs: Sequence[abi.Log], topic: str) -> int:
    """The amount of the router's last deposit or withdrawal of wrapped coins; 0 where there is none."""
    router, wrapped = abi.address_topic(pool.exchange.router), pool.exchange.wrapped
    amounts = [
        abi.word(log["data"], 0)
        for log in logs
        if log["address"].lower() == wrapped
        and log["topics"][0] == topic
        and log["topics"][1].lower() == router
    ]
    return amounts[-1] if amounts else 0


def _moved(pool: Pool, log: abi.Log) -> Moved:
    if pool.protocol is Protocol.V2:
        swap = abi.swap(log)
        first, second = swap.amount0_in - swap.amount0_out, swap.amount1_in - swap.amount1_out
    else:
        first, second = signed(abi.word(log["data"], 0)), signed(abi.word(log["data"], 1))
        if pool.protocol is Protocol.V4:  # tells the swapper's view
            first, second = -first, -second
    return Moved(first, second) if pool.coin_first else Moved(second, first)

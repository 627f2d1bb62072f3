"""A pool at another price, without the trades that would bring it there.

Tokens that shut when the price has trebled or halved behave in every simulation that cannot move it so far: buying
it up takes more than a limit on wallets lets through, and letting it fall takes tokens that only holders have. The
pair's code is Uniswap's and its storage is known, so the coins that others brought or took are written into it: into
the pair's reserves and into the wrapped coin's balances, both held against what they stand at first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from eth_utils.crypto import keccak

from sniper_cli.errors import NodeRefused
from sniper_cli.pricing.constant_product import ImpossibleSwap, Reserves, amount_out
from sniper_cli.safety.trades import Market

if TYPE_CHECKING:
    from sniper_cli.chains.node import Node
    from sniper_cli.safety.simulation import Surroundings

RESERVES = 8
"""UniswapV2Pair: reserve0 and reserve1, 112 bits each, and the time of the last change."""
WRAPPED_BALANCES = 3
"""WETH9: balanceOf, a mapping."""
LOWER = (1 << 112) - 1


def wrapped_slot(holder: str) -> str:
    """Where WETH9 keeps a balance."""
    return "0x" + keccak(int(holder, 16).to_bytes(32) + WRAPPED_BALANCES.to_bytes(32)).hex()


async def storage_is_known(node: Node, around: Surroundings, wrapped: str, pool: str) -> bool:
    """Whether pair and wrapped coin keep their figures where Uniswap's and WETH9 do. Raises NetworkError."""
    at = hex(around.head.number)
    answers = await node.batch(
        [
            ("eth_getStorageAt", [pool, hex(RESERVES), at]),
            ("eth_getStorageAt", [wrapped, wrapped_slot(pool), at]),
            ("eth_call", [{"to": pool, "data": "0x0902f1ac"}, at]),
        ],
        return_errors=True,
    )
    if any(isinstance(answer, NodeRefused) or len(answer) < 66 for answer in answers):
        return False
    packed, coins, read = answers[0], int(answers[1], 16), answers[2]
    first, second = int(packed, 16) & LOWER, int(packed, 16) >> 112 & LOWER
    told = int(read[2:66], 16), int(read[66:130] or "0", 16)
    return told == (first, second) and coins in (first, second) and coins > 0


def repriced(reserves: Reserves, coins_pct: int) -> Reserves:
    """The reserves with so much of their coins."""
    return replace(reserves, coming=reserves.coming * coins_pct // 100)


def repricing(market: Market, coins_pct: int) -> Mapping[str, Mapping[str, str]]:
    """What to write so that after the purchase the pool holds so much of its coins."""
    reserves = market.reserves
    try:
        reserves = reserves.after(market.amount, amount_out(market.amount, reserves))
    except ImpossibleSwap:
        return {}
    moved = repriced(reserves, coins_pct)
    first, second = (moved.coming, moved.going) if market.coin_first else (moved.going, moved.coming)
    return {
        market.pool: {f"0x{RESERVES:064x}": f"0x{second << 112 | first:064x}"},
        market.exchange.wrapped: {wrapped_slot(market.pool): f"0x{moved.coming:064x}"},
    }

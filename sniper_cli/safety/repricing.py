"""A pool at another price, without the trades that would bring it there.

Tokens that shut when the price has trebled or halved behave in every simulation that cannot move it so far: buying
it up takes more than a limit on wallets lets through, and letting it fall takes tokens that only holders have. The
pool's code is Uniswap's and its storage is known, so the coins that others brought or took are written into it: into
a pair's reserves or a concentrated pool's price and liquidity, and into the wrapped coin's balances; all of it is
held against what it stands at first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from eth_utils.crypto import keccak

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Protocol
from sniper_cli.errors import NodeRefused
from sniper_cli.pools.states import SLOT0
from sniper_cli.pools.storage import first_slots
from sniper_cli.pricing.constant_product import ImpossibleSwap, Reserves
from sniper_cli.pricing.sides import ConcentratedSide, PoolSide

if TYPE_CHECKING:
    from sniper_cli.chains.node import Node
    from sniper_cli.pools.pool import Pool
    from sniper_cli.safety.simulation import Surroundings
    from sniper_cli.safety.trades import Market

RESERVES = 8
"""UniswapV2Pair: reserve0 and reserve1, 112 bits each, and the time of the last change."""
V3_SLOT0, V3_LIQUIDITY = 0, 4
"""UniswapV3Pool: price (160 bits), tick (24) and the rest; liquidity."""
WRAPPED_BALANCES = 3
"""WETH9: balanceOf, a mapping."""
LOWER = (1 << 112) - 1
PRICE_BITS, TICK_BITS = 160, 24
PERCENT = 100


@dataclass(frozen=True, slots=True)
class Stored:
    """Where a pool keeps its price, and what stands there at the head."""

    slot: int
    word: int
    liquidity_slot: int
    coins: int | None
    """The wrapped coins that it holds; none where it holds the chain's own, or others' besides."""
    payer: str
    """Who pays coins out in the end, the wrapped coin's contract or the manager, …"""
    purse: int
    """… and how many it has: what others would have brought must lie there."""


def wrapped_slot(holder: str) -> str:
    """Where WETH9 keeps a balance."""
    return "0x" + keccak(int(holder, 16).to_bytes(32) + WRAPPED_BALANCES.to_bytes(32)).hex()


async def read_stored(node: Node, around: Surroundings, place: Pool) -> Stored | None:
    """The pool's storage, if it and the wrapped coin keep their figures where Uniswap's and WETH9 do.

    Raises NetworkError.
    """
    at = hex(around.head.number)
    keeper, wrapped = place.keeper, place.exchange.wrapped
    payer = keeper if int(place.quote, 16) == 0 else wrapped
    slot, liquidity_slot, questions = places(place)
    answers = await node.batch(
        [
            ("eth_getStorageAt", [keeper, hex(slot), at]),
            ("eth_getStorageAt", [keeper, hex(liquidity_slot), at]),
            ("eth_getStorageAt", [wrapped, wrapped_slot(keeper), at]),
            ("eth_call", [{"to": wrapped, "data": abi.CALL_BALANCE_OF + f"{int(keeper, 16):064x}"}, at]),
            ("eth_getBalance", [payer, at]),
            *(("eth_call", [{"to": place.id, "data": data}, at]) for data in questions),
        ],
        return_errors=True,
    )
    if any(isinstance(answer, NodeRefused) for answer in answers):
        return None
    word, liquidity, coins, held, purse = (int(answer[:66], 16) for answer in answers[:5])
    alone = place.protocol is not Protocol.V4
    stored = Stored(slot, word, liquidity_slot, coins if alone else None, payer, purse)
    if coins != held or not word or any(len(answer) < 66 for answer in answers[5:]):
        return None
    return stored if _tells(place, stored, liquidity, answers[5:]) else None


def places(place: Pool) -> tuple[int, int, tuple[str, ...]]:
    """The slots of price and liquidity, and the questions whose answers they must equal."""
    if place.protocol is Protocol.V2:
        return RESERVES, RESERVES, (abi.CALL_GET_RESERVES,)
    if place.protocol is Protocol.V3:
        return V3_SLOT0, V3_LIQUIDITY, (SLOT0, abi.CALL_LIQUIDITY)
    return *first_slots(place), ()


def _tells(place: Pool, stored: Stored, liquidity: int, answers: list[Any]) -> bool:
    """Whether the storage says what the pool says. A v4 pool is read from its storage in any case."""
    if place.protocol is Protocol.V4:
        return True
    told = [abi.word(answer, 0) for answer in answers]
    if place.protocol is Protocol.V3:
        return told == [stored.word & (1 << PRICE_BITS) - 1, liquidity]
    first, second = stored.word & LOWER, stored.word >> 112 & LOWER
    mine = first if place.coin_first else second
    return (told[0], abi.word(answers[0], 1)) == (first, second) and stored.coins == mine


def repriced(side: PoolSide, coins_pct: int) -> PoolSide | None:
    """The pool with so much of its coins, or at so much of its price; None where no trade could bring it there."""
    if isinstance(side, Reserves):
        return replace(side, coming=side.coming * coins_pct // PERCENT)
    assert isinstance(side, ConcentratedSide)
    moved = side.at_price(coins_pct)
    return None if moved is None else moved[0]


def repricing(market: Market, coins_pct: int) -> Mapping[str, Mapping[str, str]] | None:
    """What to write so that after the purchase the pool stands at so much of its price; None where it cannot."""
    stored, place = market.stored, market.place
    try:
        side = market.side.moved(market.amount)
    except ImpossibleSwap:
        return None
    if stored is None:
        return None
    if isinstance(side, Reserves):
        moved = replace(side, coming=side.coming * coins_pct // PERCENT)
        first, second = (moved.coming, moved.going) if place.coin_first else (moved.going, moved.coming)
        return written(place, {stored.slot: second << 112 | first}, moved.coming)
    assert isinstance(side, ConcentratedSide)
    found = side.at_price(coins_pct)
    if found is None:
        return None
    to, coins = found[0].pool, found[1]
    tick = to.tick % (1 << TICK_BITS)
    word = stored.word >> PRICE_BITS + TICK_BITS << PRICE_BITS + TICK_BITS
    slots = {stored.slot: word | tick << PRICE_BITS | to.sqrt_price_x96, stored.liquidity_slot: to.liquidity}
    held = None if stored.coins is None else max(0, stored.coins + market.amount + coins)
    return written(place, slots, held)


def written(place: Pool, slots: Mapping[int, int], coins: int | None) -> Mapping[str, Mapping[str, str]]:
    found = {place.keeper: {f"0x{slot:064x}": f"0x{word:064x}" for slot, word in slots.items()}}
    if coins is not None:
        found[place.exchange.wrapped] = {wrapped_slot(place.keeper): f"0x{coins:064x}"}
    return found

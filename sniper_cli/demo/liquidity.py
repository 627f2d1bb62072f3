"""How a launch's pool is made, filled and emptied on each protocol: the deployer's side of a market.

A listing is one transaction. V2's router does all of it; the position managers of V3 and v4 take it as a `multicall`
that makes the pool, sets its price and mints a position: over all prices, or as launchpads do over those at which the
token is dearer than at first, which takes no coins. Who lists lets the router or the manager take his tokens before.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isqrt
from typing import Any, NamedTuple

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Exchange, Exchanges, Protocol
from sniper_cli.chains.profiles import UNISWAP_V3_INIT_CODE_HASH
from sniper_cli.demo.plan import PlannedLaunch
from sniper_cli.pools import universal
from sniper_cli.pools.finding import SPACINGS
from sniper_cli.pools.keys import key_words, keyed_pool
from sniper_cli.pools.pool import ZERO_ADDRESS, Pool, pair_of
from sniper_cli.pools.words import WORD, byte_string, byte_strings, words
from sniper_cli.pricing.liquidity_amounts import liquidity_for_amounts
from sniper_cli.pricing.tick_math import MAX_TICK, sqrt_ratio_at_tick, tick_at_sqrt_ratio

NO_DEADLINE = 2**40
MOST = 2**128 - 1
CALL_REFUND = "0x12210e8a"
"""refundETH()"""
CALL_COLLECT = "0xfc6f7865"
"""collect((uint256 position, address to, uint128 most0, uint128 most1))"""
CALL_UNWRAP = "0x49404b7c"
"""unwrapWETH9(uint256 least, address to)"""
CALL_SWEEP = "0xdf2ab5bb"
"""sweepToken(address token, uint256 least, address to)"""
CALL_INITIALIZE = "0xf7020405"
"""v4's manager: initializePool((key), uint160 sqrtPriceX96)"""
INCREASED = "0x3067048beee31b25b2f1681f88dac838c8bba36af25bfb2b7cf7473a5847e35f"
"""IncreaseLiquidity(uint256 indexed position, uint128 liquidity, uint256 amount0, uint256 amount1), of V3's manager"""
MINT, BURN, SETTLE_PAIR, TAKE_PAIR, SWEEP = "02", "03", "0d", "11", "14"
"""Actions of v4's position manager; Actions.sol."""
HELD_BACK = 1_000_000
"""Of so many units of v4's liquidity one is left out: what goes in is rounded up, and the amounts must suffice."""


class Position(NamedTuple):
    """A position in a pool of V3 or v4, as its manager numbers it."""

    number: int
    liquidity: int


def planned_pool(launch: PlannedLaunch, exchanges: Exchanges, token: str) -> Pool:
    """The pool that a launch will make; all that names it is known before it stands."""
    exchange = exchanges.of(launch.protocol)[0]
    spacing = SPACINGS[launch.fee]
    if exchange.protocol is Protocol.V2:
        return pair_of(exchange, token)
    if exchange.protocol is Protocol.V4:
        return keyed_pool(exchange, token, fee=launch.fee, tick_spacing=spacing)
    address = abi.pool_address_v3(
        exchange.factory, token, exchange.wrapped, launch.fee, UNISWAP_V3_INIT_CODE_HASH
    )
    return Pool(exchange, address, token, exchange.wrapped, launch.fee, spacing)


def taker(exchange: Exchange) -> str:
    """Who takes the deployer's tokens when he lists them."""
    return {Protocol.V3: exchange.position_manager, Protocol.V4: exchange.permit2}.get(
        exchange.protocol, exchange.router
    )


def permit_data(pool: Pool) -> str:
    """Let v4's position manager take the deployer's tokens through Permit2."""
    manager = pool.exchange.position_manager
    return universal.PERMIT2_APPROVE + words(pool.token, manager, universal.MOST_PERMITTED, universal.NEVER)


def creation_call(launch: PlannedLaunch, pool: Pool) -> tuple[str, str]:
    """Make the pool and put nothing in."""
    if pool.protocol is Protocol.V2:
        return pool.exchange.factory, abi.CALL_CREATE_PAIR + words(pool.token, pool.quote)
    return pool.exchange.position_manager, _creation(launch, pool)


def listing_call(launch: PlannedLaunch, pool: Pool, owner: str, sender: str) -> tuple[str, str]:
    """Fill the pool, and make it if it is not there; `owner` gets its shares or its position."""
    if pool.protocol is Protocol.V2:
        data = abi.CALL_ADD_LIQUIDITY_ETH + words(pool.token, launch.listed, 0, 0, owner, NO_DEADLINE)
        return pool.exchange.router, data
    mint = (
        _mint_v3(launch, pool, owner)
        if pool.protocol is Protocol.V3
        else _mint_v4(launch, pool, owner, sender)
    )
    return pool.exchange.position_manager, _multicall(_creation(launch, pool), *mint)


def removal_call(pool: Pool, shares: int, position: Position | None, owner: str) -> tuple[str, str]:
    """Take it all out again: so many shares of a V2 pair, or a position."""
    if pool.protocol is Protocol.V2:
        data = abi.CALL_REMOVE_LIQUIDITY_ETH + words(pool.token, shares, 0, 0, owner, NO_DEADLINE)
        return pool.exchange.router, data
    assert position is not None, "nothing is removed before it was put in"
    data = (
        _burn_v3(pool, position, owner) if pool.protocol is Protocol.V3 else _burn_v4(pool, position, owner)
    )
    return pool.exchange.position_manager, data


def position_from(pool: Pool, receipt: Mapping[str, Any]) -> Position | None:
    """The position that a listing made, by its receipt: an NFT that the manager moved from nobody."""
    if pool.protocol is Protocol.V2:
        return None
    logs = [log for log in receipt["logs"] if log["address"].lower() == pool.exchange.position_manager]
    number = next(int(log["topics"][3], 16) for log in logs if log["topics"][0] == abi.TRANSFER)
    # v4's burns a position whatever is in it, V3's must be told how much to take out.
    told = [abi.word(log["data"], 0) for log in logs if log["topics"][0] == INCREASED]
    return Position(number, *told or [0])


def _creation(launch: PlannedLaunch, pool: Pool) -> str:
    price = first_price(launch, pool)
    if pool.protocol is Protocol.V4:
        return CALL_INITIALIZE + key_words(pool) + words(price)
    return abi.CALL_CREATE_POOL + words(*pool.currencies, pool.fee, price)


def first_price(launch: PlannedLaunch, pool: Pool) -> int:
    """√(currency1/currency0) in Q64.96."""
    first, second = _ordered(pool, launch.pool_wei, launch.listed)
    return isqrt((second << 192) // first)


def span_of(launch: PlannedLaunch, pool: Pool) -> tuple[int, int]:
    """The ticks between which the position lies."""
    spacing = pool.tick_spacing
    edge = MAX_TICK // spacing * spacing
    if not launch.tokens_only:
        return -edge, edge
    below = tick_at_sqrt_ratio(first_price(launch, pool)) // spacing * spacing
    # Buying moves the price towards where the token is dear: down, where the coin is currency0.
    return (-edge, below) if pool.coin_first else (below + spacing, edge)


def _mint_v3(launch: PlannedLaunch, pool: Pool, owner: str) -> tuple[str, ...]:
    amounts = _ordered(pool, coins_listed(launch), launch.listed)
    fields = (*pool.currencies, pool.fee, *span_of(launch, pool), *amounts, 0, 0, owner, NO_DEADLINE)
    return abi.CALL_MINT_POSITION + words(*fields), CALL_REFUND


def _mint_v4(launch: PlannedLaunch, pool: Pool, owner: str, sender: str) -> tuple[str, ...]:
    amounts = _ordered(pool, coins_listed(launch), launch.listed)
    ends = [sqrt_ratio_at_tick(tick) for tick in span_of(launch, pool)]
    liquidity = liquidity_for_amounts(first_price(launch, pool), ends[0], ends[1], *amounts)
    liquidity -= liquidity // HELD_BACK + 1
    mint = key_words(pool) + words(*span_of(launch, pool), liquidity, MOST, MOST, owner, 12 * WORD, 0)
    return (
        _actions((MINT, mint), (SETTLE_PAIR, words(*pool.currencies)), (SWEEP, words(ZERO_ADDRESS, sender))),
    )


def _burn_v3(pool: Pool, position: Position, owner: str) -> str:
    """All of it, coins unwrapped."""
    return _multicall(
        abi.CALL_DECREASE_LIQUIDITY + words(*position, 0, 0, NO_DEADLINE),
        CALL_COLLECT + words(position.number, ZERO_ADDRESS, MOST, MOST),
        CALL_UNWRAP + words(0, owner),
        CALL_SWEEP + words(pool.token, 0, owner),
    )


def _burn_v4(pool: Pool, position: Position, owner: str) -> str:
    burn = words(position.number, 0, 0, 4 * WORD, 0)
    return _actions((BURN, burn), (TAKE_PAIR, words(*pool.currencies, owner)))


def _actions(*steps: tuple[str, str]) -> str:
    """modifyLiquidities(bytes plan, uint256 deadline)"""
    planned = universal.plan(*steps)
    return abi.CALL_MODIFY_LIQUIDITIES + words(2 * WORD, NO_DEADLINE) + byte_string(planned)


def _multicall(*calls: str) -> str:
    return abi.CALL_MULTICALL + words(WORD) + byte_strings(*(call.removeprefix("0x") for call in calls))


def coins_listed(launch: PlannedLaunch) -> int:
    """What the deployer himself puts in."""
    return 0 if launch.tokens_only else launch.pool_wei


def _ordered(pool: Pool, coins: int, tokens: int) -> tuple[int, int]:
    return (coins, tokens) if pool.coin_first else (tokens, coins)

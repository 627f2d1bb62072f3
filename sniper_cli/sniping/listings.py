"""What the chain's raw messages say: a new pool's log, a waiting transaction that takes liquidity out.

Both are on the hot path and are read by slicing; see `sniper_cli.chains.abi`. A log counts only from the factory that
its protocol's exchange names: anyone can emit an event of that name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Exchange, Exchanges, Protocol
from sniper_cli.pools.pool import ZERO_ADDRESS

ARGUMENTS = 10
"""Where the arguments begin in calldata: after `0x` and the selector."""

NAMING_ONE_TOKEN = frozenset(
    {
        abi.CALL_REMOVE_LIQUIDITY_ETH,
        abi.CALL_REMOVE_LIQUIDITY_ETH_TAXED,
        abi.CALL_REMOVE_LIQUIDITY_ETH_PERMIT,
        abi.CALL_REMOVE_LIQUIDITY_ETH_TAXED_PERMIT,
    }
)
"""The router's removals that name the token and mean the wrapped coin as the other side."""

NAMING_BOTH_TOKENS = frozenset({abi.CALL_REMOVE_LIQUIDITY, abi.CALL_REMOVE_LIQUIDITY_PERMIT})


CREATED = {
    Protocol.V2: abi.PAIR_CREATED,
    Protocol.V3: abi.POOL_CREATED,
    Protocol.V4: abi.INITIALIZE_V4,
}
"""The event by which each protocol tells of a new pool."""


class Listing(NamedTuple):
    """A pool of a token against the coin, as its creation log tells it. Addresses in lower case.

    A tuple: a frozen dataclass of thirteen fields takes longer to make than its log to read.
    """

    pool: str
    """Its address; of a v4 pool its id of 32 bytes."""
    token: str
    quote_token: str
    factory: str
    block_number: int
    block_hash: str
    tx_hash: str
    received_at: int
    """When the log reached us: nanoseconds of the monotonic clock."""
    protocol: Protocol = Protocol.V2
    fee: int = 3000
    """Hundredths of a basis point; a v4 pool whose hooks set the fee says 0x800000."""
    tick_spacing: int | None = None
    hooks: str | None = None
    sqrt_price: int | None = None
    """The price that a v4 pool begins with, as Q64.96."""


@dataclass(frozen=True, slots=True)
class Removal:
    """A waiting transaction that takes liquidity out of a pool."""

    token: str | None
    """Named by the router's call; none when the pool itself is called."""
    pool: str | None
    shares: int | None
    """Pool shares to be burnt, where the call says so."""
    tx_hash: str
    max_fee: int
    """Its fee cap in wei per gas: what a sale must exceed to come first."""


def topics_of(exchanges: Exchanges) -> tuple[str, ...]:
    """The events to ask for: one a protocol that is watched."""
    return tuple(topic for protocol, topic in CREATED.items() if exchanges.of(protocol))


def read_listing(log: abi.Log, exchanges: Exchanges, received_at: int) -> Listing | None:
    """The listing in a pool's creation log; none if the pool is not against the coin, or of no exchange of ours."""
    factory, topics = str(log["address"]).lower(), log["topics"]
    exchange = exchanges.by_factory(factory)
    if exchange is None or topics[0] != CREATED[exchange.protocol] or log.get("removed"):
        return None
    data = log["data"]
    fee, spacing, hooks, sqrt_price = exchange.fee, None, None, None
    if exchange.protocol is Protocol.V4:
        pool = str(topics[1]).lower()
        sides = abi.topic_address(topics[2]), abi.topic_address(topics[3])
        fee, spacing = abi.word(data, 0), abi.signed_word(data, 1)
        hooks, sqrt_price = abi.address_word(data, 2), abi.word(data, 3)
    else:
        sides = abi.topic_address(topics[1]), abi.topic_address(topics[2])
        if exchange.protocol is Protocol.V3:
            fee, spacing = int(topics[3], 16), abi.signed_word(data, 0)
        pool = abi.address_word(data, 1 if exchange.protocol is Protocol.V3 else 0)
    quote = _coin_in(sides, exchange)
    if quote is None:
        return None
    return Listing(
        pool=pool,
        token=sides[1] if sides[0] == quote else sides[0],
        quote_token=quote,
        factory=factory,
        block_number=int(log["blockNumber"], 16),
        block_hash=log["blockHash"],
        tx_hash=log["transactionHash"],
        received_at=received_at,
        protocol=exchange.protocol,
        fee=fee,
        tick_spacing=spacing,
        hooks=hooks,
        sqrt_price=sqrt_price,
    )


def _coin_in(sides: tuple[str, str], exchange: Exchange) -> str | None:
    """The side that is the coin; none where neither is, and where both are: a v4 pool of the coin and its wrapping."""
    first, second = sides
    wrapped = exchange.wrapped
    if exchange.protocol is not Protocol.V4:
        return wrapped if (first == wrapped) != (second == wrapped) else None
    is_coin = first in (wrapped, ZERO_ADDRESS)
    if is_coin == (second in (wrapped, ZERO_ADDRESS)):
        return None
    return first if is_coin else second


def read_removal(transaction: dict[str, Any], exchanges: Exchanges) -> Removal | None:
    """The removal of liquidity that a waiting transaction asks for, if it asks for one."""
    called, data = str(transaction.get("to") or "").lower(), str(transaction.get("input") or "")
    selector = data[:ARGUMENTS]
    is_router = any(called == exchange.router for exchange in exchanges.of(Protocol.V2))
    if is_router and selector in NAMING_ONE_TOKEN and _words(data) >= 2:
        return Removal(_address(data, 0), None, _number(data, 1), transaction["hash"], _fee(transaction))
    if is_router and selector in NAMING_BOTH_TOKENS and _words(data) >= 3:
        named = [token for token in (_address(data, 0), _address(data, 1)) if token != exchanges.wrapped]
        token = named[0] if named else None
        return Removal(token, None, _number(data, 2), transaction["hash"], _fee(transaction))
    if selector == abi.CALL_PAIR_BURN:
        return Removal(None, called, None, transaction["hash"], _fee(transaction))
    return _shares_sent_home(transaction, called, data)


def _shares_sent_home(transaction: dict[str, Any], called: str, data: str) -> Removal | None:
    """Pool shares sent to the pool itself: the first half of a removal that goes around the router."""
    selector = data[:ARGUMENTS]
    recipient = {abi.CALL_TRANSFER: 0, abi.CALL_TRANSFER_FROM: 1}.get(selector)
    if recipient is None or _words(data) < recipient + 2 or _address(data, recipient) != called:
        return None
    return Removal(None, called, _number(data, recipient + 1), transaction["hash"], _fee(transaction))


def _fee(transaction: dict[str, Any]) -> int:
    return int(transaction.get("maxFeePerGas") or transaction.get("gasPrice") or "0x0", 16)


def _words(data: str) -> int:
    return (len(data) - ARGUMENTS) // 64


def _address(data: str, index: int) -> str:
    start = ARGUMENTS + 64 * index
    return "0x" + data[start + 24 : start + 64].lower()


def _number(data: str, index: int) -> int:
    start = ARGUMENTS + 64 * index
    return int(data[start : start + 64], 16)

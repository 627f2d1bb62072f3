"""What the chain's raw messages say: a new pool's log, a waiting transaction that takes liquidity out.

Both are on the hot path and are read by slicing; see `sniper_cli.chains.abi`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Exchange

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


@dataclass(frozen=True, slots=True)
class Listing:
    """A pool of a token against the wrapped coin, as its creation log tells it. Addresses in lower case."""

    pool: str
    token: str
    quote_token: str
    factory: str
    block_number: int
    block_hash: str
    tx_hash: str
    received_at: int
    """When the log reached us: nanoseconds of the monotonic clock."""


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


def read_listing(log: abi.Log, exchange: Exchange, received_at: int) -> Listing | None:
    """The listing in a PairCreated log; none if the pool is not against the wrapped coin."""
    created = abi.pair_created(log)
    if exchange.wrapped not in (created.token0, created.token1) or log.get("removed"):
        return None
    return Listing(
        pool=created.pair,
        token=created.token1 if created.token0 == exchange.wrapped else created.token0,
        quote_token=exchange.wrapped,
        factory=str(log["address"]).lower(),
        block_number=int(log["blockNumber"], 16),
        block_hash=log["blockHash"],
        tx_hash=log["transactionHash"],
        received_at=received_at,
    )


def read_removal(transaction: dict[str, Any], exchange: Exchange) -> Removal | None:
    """The removal of liquidity that a waiting transaction asks for, if it asks for one."""
    called, data = str(transaction.get("to") or "").lower(), str(transaction.get("input") or "")
    selector = data[:ARGUMENTS]
    if called == exchange.router and selector in NAMING_ONE_TOKEN and _words(data) >= 2:
        return Removal(_address(data, 0), None, _number(data, 1), transaction["hash"], _fee(transaction))
    if called == exchange.router and selector in NAMING_BOTH_TOKENS and _words(data) >= 3:
        named = [token for token in (_address(data, 0), _address(data, 1)) if token != exchange.wrapped]
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

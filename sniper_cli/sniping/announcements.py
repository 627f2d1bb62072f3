"""What a waiting transaction announces: a pool's first liquidity, or the word by which a token opens.

Read by slicing, like logs: on a busy chain hundreds of waiting transactions come a second, and one in a thousand means
something. Whether the pool is really new, and whether the call will go through, is not said here: the chain is asked,
and the simulation that puts the call before everything else shows it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Exchange, Exchanges, Protocol
from sniper_cli.chains.fees import Fees
from sniper_cli.chains.profiles import UNISWAP_V3_INIT_CODE_HASH
from sniper_cli.pools.finding import SPACINGS
from sniper_cli.pools.keys import keyed_pool
from sniper_cli.pools.pool import ZERO_ADDRESS, Pool
from sniper_cli.safety.simulation import Call
from sniper_cli.sniping.listings import ARGUMENTS, Listing

MOST_WAITING = 20_000
"""Waiting transactions remembered: some minutes of the busiest chain."""
MOST_BEFORE = 8
"""A sender's transactions that may stand before the one that counts: deploying, approving, setting up."""
MINT = 0x02
"""The action of v4's position manager (v4-periphery, Actions.sol) that makes a position."""
MOST_ACTIONS = 64
MOST_INNER = 16
"""Calls that are looked at in a multicall: more is nobody's listing, and a stranger writes the count."""
EVERYDAY = frozenset({abi.CALL_TRANSFER, abi.CALL_TRANSFER_FROM, abi.CALL_APPROVE})
"""What everybody calls on a token; none of it opens one."""


class Announcement(NamedTuple):
    """A waiting transaction after which a token can be bought."""

    listing: Listing
    """The pool; its block is not known, its transaction is the waiting one."""
    place: Pool
    sender: str
    nonce: int
    fees: Fees
    data: str
    value: int

    @property
    def tx_hash(self) -> str:
        return self.listing.tx_hash

    def asks_as(self, other: Announcement) -> bool:
        """Whether the other is the same wish at another price: a sender raises his bid."""
        return (self.sender, self.nonce, self.data, self.value) == (
            other.sender,
            other.nonce,
            other.data,
            other.value,
        )


class Waiting:
    """The latest waiting transactions, by sender and nonce."""

    def __init__(self, most: int = MOST_WAITING) -> None:
        self._most = most
        self._known: OrderedDict[tuple[str, int], dict[str, Any]] = OrderedDict()

    def note(self, transaction: dict[str, Any]) -> str | None:
        """Remember one; the hash of the other that it takes the place of, if there was one."""
        key = (str(transaction["from"]).lower(), _number(transaction.get("nonce")))
        before = self._known.pop(key, None)
        self._known[key] = transaction
        if len(self._known) > self._most:
            self._known.popitem(last=False)
        return None if before is None or before["hash"] == transaction["hash"] else str(before["hash"])

    def run_up(self, sender: str, first: int, last: int) -> tuple[Call, ...] | None:
        """A sender's transactions from one nonce to another as they are tried; None where not all are known.

        None also where one of them makes a contract: what it makes cannot be looked into before it stands.
        """
        if not 0 <= last - first < MOST_BEFORE:
            return None
        found = [self._known.get((sender, nonce)) for nonce in range(first, last + 1)]
        if any(each is None or not each.get("to") for each in found):
            return None
        return tuple(as_call(each) for each in found if each is not None)


def as_call(transaction: Mapping[str, Any]) -> Call:
    """A waiting transaction as a simulation tries it: with its own gas and its own fees."""
    return Call(
        sender=str(transaction["from"]).lower(),
        to=str(transaction["to"]).lower(),
        data=str(transaction.get("input") or "0x"),
        value=_number(transaction.get("value")),
        gas=_number(transaction.get("gas")),
        fees=fees_of(transaction),
    )


def fees_of(transaction: Mapping[str, Any]) -> Fees:
    """Both fee fields; of a transaction with one gas price, that price in both."""
    if transaction.get("maxFeePerGas") is None:
        price = _number(transaction.get("gasPrice"))
        return Fees(price, price)
    return Fees(_number(transaction["maxFeePerGas"]), _number(transaction.get("maxPriorityFeePerGas")))


def read_announcement(
    transaction: Mapping[str, Any], exchanges: Exchanges, received_at: int
) -> Announcement | None:
    """The first liquidity of a pool against the coin that a waiting transaction would bring, if it brings any."""
    called, data = str(transaction.get("to") or "").lower(), str(transaction.get("input") or "")
    for exchange in exchanges.listed:
        place: Pool | None = None
        if exchange.protocol is Protocol.V2:
            place = _added_v2(exchange, data) if called == exchange.router else None
        elif exchange.position_manager and called == exchange.position_manager:
            minted = _minted_v3 if exchange.protocol is Protocol.V3 else _minted_v4
            place = minted(exchange, data)
        if place is not None:
            return announced(transaction, place, received_at)
    return None


def announced(transaction: Mapping[str, Any], place: Pool, received_at: int) -> Announcement:
    """What a waiting transaction means for a pool."""
    concentrated = place.protocol is not Protocol.V2
    listing = Listing(
        pool=place.id,
        token=place.token,
        quote_token=place.quote,
        factory=place.exchange.factory,
        block_number=0,
        block_hash="",
        tx_hash=str(transaction["hash"]),
        received_at=received_at,
        protocol=place.protocol,
        fee=place.fee,
        tick_spacing=place.tick_spacing if concentrated else None,
        hooks=place.hooks if place.protocol is Protocol.V4 else None,
    )
    return Announcement(
        listing,
        place,
        str(transaction["from"]).lower(),
        _number(transaction.get("nonce")),
        fees_of(transaction),
        str(transaction.get("input") or "0x"),
        _number(transaction.get("value")),
    )


def may_open(transaction: Mapping[str, Any]) -> bool:
    """Whether a call to a closed token may be the one that opens it: whatever not everybody calls."""
    data = str(transaction.get("input") or "")
    return len(data) >= ARGUMENTS and data[:ARGUMENTS].lower() not in EVERYDAY


def inner_calls(data: str) -> Iterator[str]:
    """The calls in a `multicall(bytes[])`; the call itself where it is none. Ends where the data is broken."""
    if data[:ARGUMENTS] != abi.CALL_MULTICALL:
        yield data
        return
    body = data[ARGUMENTS:]
    try:
        at = _word_at(body, 0)
        count = _word_at(body, at)
        for index in range(min(count, MOST_INNER)):
            yield "0x" + bytes_at(body, at + 32 + _word_at(body, at + 32 + 32 * index))
    except ValueError:
        return


def _word_at(body: str, place: int) -> int:
    """The word at a place in bytes. Raises ValueError where there is none."""
    return int(body[2 * place : 2 * place + 64], 16)


def bytes_at(body: str, place: int) -> str:
    """The byte string that begins with its length at a place. Raises ValueError where it is not whole."""
    size = _word_at(body, place)
    found = body[2 * place + 64 : 2 * (place + 32 + size)]
    if len(found) != 2 * size:
        raise ValueError("the data ends before the byte string does")
    return found


def _added_v2(exchange: Exchange, data: str) -> Pool | None:
    """The pool that the router's addLiquidity or addLiquidityETH fills, against the coin."""
    selector, words = data[:ARGUMENTS], (len(data) - ARGUMENTS) // 64
    if selector == abi.CALL_ADD_LIQUIDITY_ETH and words >= 6:
        token = _address(data, 0)
    elif selector == abi.CALL_ADD_LIQUIDITY and words >= 8:
        sides = [side for side in (_address(data, 0), _address(data, 1)) if side != exchange.wrapped]
        if len(sides) != 1:
            return None
        token = sides[0]
    else:
        return None
    return Pool(exchange, exchange.pool_of(token), token, exchange.wrapped, exchange.fee)


def _minted_v3(exchange: Exchange, data: str) -> Pool | None:
    """The pool in which the position manager mints a position, against the coin."""
    for call in inner_calls(data):
        if call[:ARGUMENTS] != abi.CALL_MINT_POSITION or (len(call) - ARGUMENTS) // 64 < 11:
            continue
        sides, fee = (_address(call, 0), _address(call, 1)), _argument(call, 2)
        tokens = [side for side in sides if side != exchange.wrapped]
        spacing = SPACINGS.get(fee)  # others can be voted in, and are then heard of by their log
        if len(tokens) != 1 or spacing is None:
            continue
        return Pool(exchange, v3_pool(exchange, *sides, fee), tokens[0], exchange.wrapped, fee, spacing)
    return None


def _minted_v4(exchange: Exchange, data: str) -> Pool | None:
    """The pool in which v4's position manager mints a position, against the coin or its wrapping."""
    for call in inner_calls(data):
        for action, given in actions_of(call):
            if action != MINT or len(given) < 5 * 64:
                continue
            sides, hooks = (
                (abi.address_word("0x" + given, 0), abi.address_word("0x" + given, 1)),
                abi.address_word("0x" + given, 4),
            )
            coins = [side for side in sides if side in (exchange.wrapped, ZERO_ADDRESS)]
            if len(coins) != 1:
                continue
            token = sides[1] if sides[0] == coins[0] else sides[0]
            fee, spacing = _word_at(given, 64), abi.signed_word("0x" + given, 3)
            return keyed_pool(exchange, token, quote=coins[0], fee=fee, tick_spacing=spacing, hooks=hooks)
    return None


def actions_of(call: str) -> list[tuple[int, str]]:
    """The actions in v4's modifyLiquidities, each with its parameters as hex; what is broken is read so far."""
    found: list[tuple[int, str]] = []
    if call[:ARGUMENTS] != abi.CALL_MODIFY_LIQUIDITIES:
        return found
    try:
        body = call[ARGUMENTS:]
        inner = bytes_at(body, _word_at(body, 0))
        actions = bytes_at(inner, _word_at(inner, 0))
        params = _word_at(inner, 32)
        for index in range(min(len(actions) // 2, MOST_ACTIONS)):
            given = bytes_at(inner, params + 32 + _word_at(inner, params + 32 + 32 * index))
            found.append((int(actions[2 * index : 2 * index + 2], 16), given))
    except ValueError:
        return found
    return found


def v3_pool(exchange: Exchange, a: str, b: str, fee: int) -> str:
    """Where a V3 exchange's pool of two tokens stands, or would stand."""
    code = exchange.init_code_hash
    if code == abi.UNISWAP_V2_INIT_CODE_HASH:  # an exchange in the settings that says nothing of it
        code = UNISWAP_V3_INIT_CODE_HASH
    return abi.pool_address_v3(exchange.factory, a, b, fee, code)


def _address(data: str, index: int) -> str:
    start = ARGUMENTS + 64 * index
    return "0x" + data[start + 24 : start + 64].lower()


def _argument(data: str, index: int) -> int:
    start = ARGUMENTS + 64 * index
    return int(data[start : start + 64], 16)


def _number(value: Any) -> int:
    return int(value or "0x0", 16) if isinstance(value, str | None) else int(value)

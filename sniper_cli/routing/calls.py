"""The one transaction that trades along a route: every leg, and the least that must come out of all together.

SwapRouter02 does it in one `multicall(deadline, …)`. Each run of hops of one protocol is one step. What a step pays
goes to the router itself where another step takes it on, which takes all that is there (an amount of zero means that).
Several legs, and what shall be unwrapped, meet in the router, and the last step hands out all of it or reverts.

A V2 fork's Router02 knows one path a transaction. Where a pool of v4 is among them, UniversalRouter does it
(`routing.universal`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Protocol
from sniper_cli.pools.pool import Pool
from sniper_cli.pools.swaps import MULTICALL, REFUND, ROUTER_ITSELF, UNWRAP, SwapCall
from sniper_cli.pools.words import WORD, byte_string, byte_strings, words
from sniper_cli.pricing.routes import Hop
from sniper_cli.pricing.splitting import Leg, Split
from sniper_cli.routing.market import Reach
from sniper_cli.routing.universal import is_universal, is_universal_route, route_data, v3_path

V2_TOKENS = "0x5c11d795"
"""Router02: swapExactTokensForTokensSupportingFeeOnTransferTokens(amount, least, path, to, deadline)"""
V2_STEP = "0x472b43f3"
"""SwapRouter02: swapExactTokensForTokens(amount, least, path, to)"""
V3_STEP = "0xb858183f"
"""SwapRouter02: exactInput((bytes path, address to, uint256 amount, uint256 least))"""
SWEEP = "0xdf2ab5bb"
"""sweepToken(token, least, to)"""
ALL_THAT_IS_THERE = 0
"""As an amount: what the router itself holds of the token."""


@dataclass(frozen=True, slots=True)
class Errand:
    """Who trades, and on what terms."""

    owner: str
    least: int
    deadline: int
    coin_in: bool = False
    """Paid with the chain's coin, which the router wraps."""
    coin_out: bool = False
    """Paid out as the chain's coin, unwrapped."""


def route_call(reach: Reach, split: Split, known: Mapping[str, Pool], errand: Errand) -> SwapCall:
    """The transaction of a route."""
    value = split.amount_in if errand.coin_in else 0
    if reach.exchange.protocol is Protocol.V4:
        return SwapCall(reach.router, route_data(split, known, errand), value)
    if not reach.splits:
        return SwapCall(reach.router, _single_path(split, errand), value)
    token_out = split.legs[0].path.tokens[-1]
    gathered = errand.coin_out or len(split.legs) > 1
    to, least = (ROUTER_ITSELF, 0) if gathered else (errand.owner, errand.least)
    steps = [step for leg in split.legs for step in _steps(leg, known, to, least)]
    if errand.coin_out:
        steps.append(UNWRAP + words(errand.least, errand.owner))
    elif gathered:
        steps.append(SWEEP + words(token_out, errand.least, errand.owner))
    if errand.coin_in:
        # What a V3 pool could not take comes back; without this it would stand in the router for anybody.
        steps.append(REFUND)
    inner = byte_strings(*(step.removeprefix("0x") for step in steps))
    return SwapCall(reach.router, MULTICALL + words(errand.deadline, 2 * WORD) + inner, value)


def is_route(data: str) -> bool:
    """Whether calldata is such a transaction, as no trade in one pool is: of SwapRouter02 the first step tells."""
    if is_universal(data):
        return is_universal_route(data)
    if not data.startswith(MULTICALL):
        return False
    count = abi.word(data[:2] + data[10:], 2)
    begins = len(MULTICALL) + 64 * (3 + count + 1)
    return "0x" + data[begins : begins + 8] in (V2_STEP, V3_STEP)


def coins_moved(call: SwapCall, wrapped: str, logs: Sequence[abi.Log]) -> tuple[int, int]:
    """The coins that a route took of the value sent along, and those that it brought.

    Each leg wraps its own; never more than was sent, whatever a token has the router do meanwhile. What came out is
    unwrapped at the end, at once. UniversalRouter takes all that was sent, and unwraps what is to be given back.
    """
    router, value = call.to.lower(), call.value
    mine = [
        log
        for log in logs
        if log["address"].lower() == wrapped
        and len(log["topics"]) == 2
        and abi.topic_address(log["topics"][1]) == router
    ]
    paid = sum(abi.word(log["data"], 0) for log in mine if log["topics"][0] == abi.DEPOSIT)
    brought = [abi.word(log["data"], 0) for log in mine if log["topics"][0] == abi.WITHDRAWAL]
    last = brought[-1] if brought else 0
    if is_universal(call.data):
        return max(0, value - last), last
    return min(value, paid), last


def _steps(leg: Leg, known: Mapping[str, Pool], to: str, least: int) -> Iterator[str]:
    """A leg's runs of one protocol each, the last one paying to `to`."""
    runs = [
        (protocol, tuple(hops))
        for protocol, hops in groupby(leg.path.hops, key=lambda hop: known[hop.pool].protocol)
    ]
    for place, (protocol, hops) in enumerate(runs):
        amount = ALL_THAT_IS_THERE if place else leg.amount_in
        last = place == len(runs) - 1
        step = _v2_step if protocol is Protocol.V2 else _v3_step
        yield step(hops, known, amount, least if last else 0, to if last else ROUTER_ITSELF)


def _v2_step(hops: tuple[Hop, ...], _known: Mapping[str, Pool], amount: int, least: int, to: str) -> str:
    path = (hops[0].token_in, *(hop.token_out for hop in hops))
    return V2_STEP + words(amount, least, 4 * WORD, to, len(path), *path)


def _v3_step(hops: tuple[Hop, ...], known: Mapping[str, Pool], amount: int, least: int, to: str) -> str:
    return V3_STEP + words(WORD, 4 * WORD, to, amount, least) + byte_string(v3_path(hops, known))


def _single_path(split: Split, errand: Errand) -> str:
    (leg,) = split.legs
    path = leg.path.tokens
    if errand.coin_in:
        return abi.CALL_BUY + words(errand.least, 4 * WORD, errand.owner, errand.deadline, len(path), *path)
    selector = abi.CALL_SELL if errand.coin_out else V2_TOKENS
    head = words(split.amount_in, errand.least, 5 * WORD, errand.owner, errand.deadline)
    return selector + head + words(len(path), *path)

"""Calldata of routes through v4 is what eth_abi would write for UniversalRouter's commands and v4's actions."""

from __future__ import annotations

from typing import Any

from eth_abi import encode
from eth_utils import keccak

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Exchange, Protocol
from sniper_cli.pools import swaps
from sniper_cli.pools.keys import keyed_pool
from sniper_cli.pools.pool import ZERO_ADDRESS, Pool
from sniper_cli.pools.swaps import SwapCall
from sniper_cli.pricing.routes import Hop, Path
from sniper_cli.pricing.splitting import Leg, Split
from sniper_cli.routing.calls import Errand, coins_moved, is_route, route_call
from sniper_cli.routing.market import Reach

A, B, WRAPPED, ROUTER, OWNER, PERMIT2 = ("0x" + digit * 40 for digit in "12345a")
SELF = "0x" + "0" * 39 + "2"
ALL = 2**255
"""Of the router's own balance."""
V2 = Exchange(1, WRAPPED, "0x" + "7" * 40, "0x" + "8" * 40)
V3 = Exchange(1, WRAPPED, "0x" + "9" * 40, "0x" + "b" * 40, protocol=Protocol.V3)
V4 = Exchange(1, WRAPPED, "0x" + "c" * 40, ROUTER, protocol=Protocol.V4, permit2=PERMIT2)
KNOWN = {
    "aw2": Pool(V2, "aw2", A, WRAPPED),
    "aw3": Pool(V3, "aw3", A, WRAPPED, 500, 10),
    "ae4": keyed_pool(V4, A),
    "be4": keyed_pool(V4, B, fee=500, tick_spacing=10),
    "bw4": keyed_pool(V4, B, quote=WRAPPED),
}
REACH = Reach(V4, frozenset({V2.factory, V3.factory, V4.factory}), splits=True)
ERRAND = Errand(OWNER, 7, 99, coin_in=True)
KEY = "(address,address,uint24,int24,address)"


def leg(amount: int, *hops: tuple[str, str, str]) -> Leg:
    return Leg(Path(tuple(Hop(*hop) for hop in hops)), amount, tuple(amount for _ in hops))


def executed(deadline: int, *commands: tuple[int, bytes]) -> str:
    selector = keccak(text="execute(bytes,bytes[],uint256)")[:4]
    named = bytes(command for command, _ in commands)
    body = encode(["bytes", "bytes[]", "uint256"], [named, [each for _, each in commands], deadline])
    return "0x" + (selector + body).hex()


def wrap(amount: int) -> tuple[int, bytes]:
    return 0x0B, encode(["address", "uint256"], [SELF, amount])


def unwrap(to: str, least: int = 0) -> tuple[int, bytes]:
    return 0x0C, encode(["address", "uint256"], [to, least])


def on_v2(to: str, amount: int, least: int, path: list[str], users: bool) -> tuple[int, bytes]:
    types = ["address", "uint256", "uint256", "address[]", "bool"]
    return 0x08, encode(types, [to, amount, least, path, users])


def on_v3(to: str, amount: int, least: int, path: bytes, users: bool) -> tuple[int, bytes]:
    return 0x00, encode(["address", "uint256", "uint256", "bytes", "bool"], [to, amount, least, path, users])


def on_v4(
    paid: tuple[str, int, bool], *hops: tuple[str, bool, int], taken: tuple[str, str]
) -> tuple[int, bytes]:
    """Pay, swap in pools by their names, take; of each hop the direction and the least."""
    actions = [encode(["address", "uint256", "bool"], paid)]
    for name, downwards, least in hops:
        pool = KNOWN[name]
        key = (*pool.currencies, pool.fee, pool.tick_spacing, pool.hooks)
        fields = (key, downwards, 0, least, b"")
        actions.append(encode([f"({KEY},bool,uint128,uint128,bytes)"], [fields]))
    actions.append(encode(["address", "address", "uint256"], [*taken, 0]))
    named = bytes([0x0B, *(0x06 for _ in hops), 0x0E])
    return 0x10, encode(["bytes", "bytes[]"], [named, actions])


def test_two_hops_of_v4_are_one_command_that_pays_the_owner() -> None:
    split = Split((leg(5, ("ae4", A, WRAPPED), ("be4", WRAPPED, B)),))
    swap = on_v4((A, 5, True), ("ae4", False, 0), ("be4", True, 7), taken=(B, OWNER))

    assert route_call(REACH, split, KNOWN, Errand(OWNER, 7, 99)) == (ROUTER, executed(99, swap), 0)


def test_the_coin_is_wrapped_and_unwrapped_between_pools() -> None:
    split = Split(
        (
            leg(5, ("aw2", A, WRAPPED), ("be4", WRAPPED, B)),
            leg(3, ("ae4", A, WRAPPED), ("bw4", WRAPPED, B)),
        )
    )
    commands = (
        on_v2(SELF, 5, 0, [A, WRAPPED], True),
        unwrap(SELF),
        on_v4((ZERO_ADDRESS, ALL, False), ("be4", True, 0), taken=(B, SELF)),
        on_v4((A, 3, True), ("ae4", False, 0), taken=(ZERO_ADDRESS, SELF)),
        wrap(ALL),
        on_v4((WRAPPED, ALL, False), ("bw4", False, 0), taken=(B, SELF)),
        (0x04, encode(["address", "address", "uint256"], [B, OWNER, 7])),
    )

    assert route_call(REACH, split, KNOWN, Errand(OWNER, 7, 99)) == (ROUTER, executed(99, *commands), 0)


def test_of_the_coins_sent_along_is_wrapped_what_needs_it() -> None:
    split = Split((leg(5, ("ae4", WRAPPED, A)), leg(3, ("aw3", WRAPPED, A)), leg(2, ("aw2", WRAPPED, A))))
    packed = bytes.fromhex(WRAPPED[2:]) + (500).to_bytes(3) + bytes.fromhex(A[2:])
    commands = (
        wrap(5),
        on_v4((ZERO_ADDRESS, 5, False), ("ae4", True, 0), taken=(A, SELF)),
        on_v3(SELF, 3, 0, packed, False),
        on_v2(SELF, 2, 0, [WRAPPED, A], False),
        (0x04, encode(["address", "address", "uint256"], [A, OWNER, 7])),
        unwrap(OWNER),
    )

    paying = route_call(REACH, split, KNOWN, ERRAND)
    assert paying == (ROUTER, executed(99, *commands), 10)


def test_coins_come_out_by_one_unwrapping_that_tells_of_all() -> None:
    split = Split((leg(5, ("ae4", A, WRAPPED)), leg(3, ("aw2", A, WRAPPED))))
    commands = (
        on_v4((A, 5, True), ("ae4", False, 0), taken=(ZERO_ADDRESS, SELF)),
        wrap(ALL),
        on_v2(SELF, 3, 0, [A, WRAPPED], True),
        unwrap(OWNER, 7),
    )

    paid = route_call(REACH, split, KNOWN, Errand(OWNER, 7, 99, coin_out=True))
    assert paid == (ROUTER, executed(99, *commands), 0)


def test_wrapped_coins_of_the_owners_are_unwrapped_for_the_first_pool() -> None:
    split = Split((leg(5, ("ae4", WRAPPED, A)),))
    commands = (
        (0x02, encode(["address", "address", "uint160"], [WRAPPED, SELF, 5])),
        unwrap(SELF),
        on_v4((ZERO_ADDRESS, 5, False), ("ae4", True, 7), taken=(A, OWNER)),
    )

    assert route_call(REACH, split, KNOWN, Errand(OWNER, 7, 99)) == (ROUTER, executed(99, *commands), 0)


def test_a_route_is_told_from_a_trade_in_a_v4_pool_of_the_coin() -> None:
    """A purchase there leaves no log of the wrapped coin; in a pool of the wrapped coin it moves what a route would."""
    bought, sold = Split((leg(5, ("ae4", WRAPPED, A)),)), Split((leg(5, ("ae4", A, WRAPPED)),))

    assert is_route(route_call(REACH, bought, KNOWN, ERRAND).data)
    assert is_route(route_call(REACH, sold, KNOWN, Errand(OWNER, 7, 99, coin_out=True)).data)
    assert not is_route(swaps.buy_call(KNOWN["ae4"], OWNER, 5, 7, 99).data)
    assert not is_route(swaps.sell_call(KNOWN["ae4"], OWNER, 5, 7, 99).data)


def test_all_coins_are_paid_but_those_given_back() -> None:
    call = SwapCall(ROUTER, route_call(REACH, Split((leg(5, ("ae4", WRAPPED, A)),)), KNOWN, ERRAND).data, 9)
    deposit, withdrawal = coins(abi.DEPOSIT, 4), coins(abi.WITHDRAWAL, 2)

    assert coins_moved(call, WRAPPED, [deposit]) == (9, 0)
    assert coins_moved(call, WRAPPED, [deposit, withdrawal]) == (7, 2)
    # Of what somebody else left with the router nothing is paid.
    assert coins_moved(call, WRAPPED, [coins(abi.WITHDRAWAL, 11)]) == (0, 11)


def coins(topic: str, amount: int) -> dict[str, Any]:
    return {"address": WRAPPED, "topics": [topic, abi.address_topic(ROUTER)], "data": f"0x{amount:064x}"}


def test_which_router_does_what() -> None:
    mixed = Split((leg(5, ("aw2", A, WRAPPED), ("be4", WRAPPED, B)),))
    plain = Split((leg(5, ("aw2", A, WRAPPED)), leg(5, ("aw3", A, WRAPPED))))
    third, own = (
        Reach(V3, frozenset({V2.factory, V3.factory}), splits=True),
        Reach(V2, frozenset({V2.factory, V3.factory}), splits=False),
    )

    assert [reach.trades(mixed, KNOWN) for reach in (REACH, third, own)] == [True, False, False]
    assert [reach.trades(plain, KNOWN) for reach in (REACH, third, own)] == [True, True, False]
    assert swaps.spender(REACH.taking(A)) == PERMIT2
    assert swaps.spender(third.taking(A)) == V3.router

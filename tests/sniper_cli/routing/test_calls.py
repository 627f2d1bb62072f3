"""Calldata of routes is what eth_abi would write for the routers' published functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eth_abi import encode
from eth_utils import keccak

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Exchange, Protocol
from sniper_cli.pools import swaps
from sniper_cli.pools.pool import Pool
from sniper_cli.pools.swaps import SwapCall
from sniper_cli.pricing.routes import Hop, Path
from sniper_cli.pricing.splitting import Leg, Split
from sniper_cli.routing.calls import Errand, coins_moved, is_route, route_call
from sniper_cli.routing.market import FACTORY_V2, Reach

A, B, C, WRAPPED, ROUTER, OWNER = ("0x" + digit * 40 for digit in "123456")
ROUTER_ITSELF = "0x" + "0" * 39 + "2"
V2 = Exchange(1, WRAPPED, "0x" + "7" * 40, "0x" + "8" * 40)
V3 = Exchange(1, WRAPPED, "0x" + "9" * 40, ROUTER, protocol=Protocol.V3)
KNOWN = {
    "ab2": Pool(V2, "ab2", B, A),
    "bc2": Pool(V2, "bc2", C, B),
    "bc3": Pool(V3, "bc3", C, B, 500, 10),
    "ac3": Pool(V3, "ac3", C, A, 10_000, 200),
}
REACH = Reach(V3, frozenset({V2.factory, V3.factory}), splits=True)
OWN = Reach(V2, frozenset({V2.factory}), splits=False)
V2_STEP = "swapExactTokensForTokens(uint256,uint256,address[],address)"
V2_TYPES = ["uint256", "uint256", "address[]", "address"]


def leg(amount: int, *hops: tuple[str, str, str]) -> Leg:
    return Leg(Path(tuple(Hop(*hop) for hop in hops)), amount, tuple(amount for _ in hops))


def spoken(signature: str, types: Sequence[str], values: Sequence[Any]) -> bytes:
    return keccak(text=signature)[:4] + encode(types, values)


def together(deadline: int, *steps: bytes) -> str:
    types = ["uint256", "bytes[]"]
    return "0x" + spoken("multicall(uint256,bytes[])", types, [deadline, list(steps)]).hex()


def exact_input(path: bytes, to: str, amount: int, least: int) -> bytes:
    signature = "exactInput((bytes,address,uint256,uint256))"
    return spoken(signature, ["(bytes,address,uint256,uint256)"], [(path, to, amount, least)])


def packed(*parts: str | int) -> bytes:
    return b"".join(
        part.to_bytes(3, "big") if isinstance(part, int) else bytes.fromhex(part[2:]) for part in parts
    )


def test_selectors() -> None:
    assert "0x" + keccak(text="factoryV2()")[:4].hex() == FACTORY_V2


def test_one_leg_through_both_protocols_pays_the_owner_at_its_end() -> None:
    split = Split((leg(5, ("ab2", A, B), ("bc3", B, C)),))
    steps = (
        spoken(V2_STEP, V2_TYPES, [5, 0, [A, B], ROUTER_ITSELF]),
        exact_input(packed(B, 500, C), OWNER, 0, 7),
    )

    assert route_call(REACH, split, KNOWN, Errand(OWNER, 7, 99)) == (ROUTER, together(99, *steps), 0)


def test_two_legs_meet_in_the_router_and_are_handed_out_together() -> None:
    split = Split((leg(5, ("ab2", A, B), ("bc2", B, C)), leg(3, ("ac3", A, C))))
    steps = (
        spoken(V2_STEP, V2_TYPES, [5, 0, [A, B, C], ROUTER_ITSELF]),
        exact_input(packed(A, 10_000, C), ROUTER_ITSELF, 3, 0),
        spoken("sweepToken(address,uint256,address)", ["address", "uint256", "address"], [C, 7, OWNER]),
    )

    assert route_call(REACH, split, KNOWN, Errand(OWNER, 7, 99)) == (ROUTER, together(99, *steps), 0)


def test_the_coin_is_wrapped_and_unwrapped_on_the_way() -> None:
    split = Split((leg(5, ("ac3", A, C)),))
    step = exact_input(packed(A, 10_000, C), OWNER, 5, 7)
    back = spoken("refundETH()", [], [])
    paying = route_call(REACH, split, KNOWN, Errand(OWNER, 7, 99, coin_in=True))
    assert paying == (ROUTER, together(99, step, back), 5)

    step = exact_input(packed(A, 10_000, C), ROUTER_ITSELF, 5, 0)
    unwrap = spoken("unwrapWETH9(uint256,address)", ["uint256", "address"], [7, OWNER])
    paid = route_call(REACH, split, KNOWN, Errand(OWNER, 7, 99, coin_out=True))
    assert paid == (ROUTER, together(99, step, unwrap), 0)


def test_a_forks_own_router() -> None:
    split = Split((leg(5, ("ab2", A, B), ("bc2", B, C)),))
    name = "SupportingFeeOnTransferTokens(uint256,uint256,address[],address,uint256)"
    types = ["uint256", "uint256", "address[]", "address", "uint256"]
    whole = [5, 7, [A, B, C], OWNER, 99]
    errand = Errand(OWNER, 7, 99)

    tokens = spoken(f"swapExactTokensForTokens{name}", types, whole)
    assert route_call(OWN, split, KNOWN, errand) == (V2.router, "0x" + tokens.hex(), 0)

    out = spoken(f"swapExactTokensForETH{name}", types, whole)
    errand = Errand(OWNER, 7, 99, coin_out=True)
    assert route_call(OWN, split, KNOWN, errand) == (V2.router, "0x" + out.hex(), 0)

    into = spoken(
        "swapExactETHForTokensSupportingFeeOnTransferTokens(uint256,address[],address,uint256)",
        types[1:],
        whole[1:],
    )
    errand = Errand(OWNER, 7, 99, coin_in=True)
    assert route_call(OWN, split, KNOWN, errand) == (V2.router, "0x" + into.hex(), 5)


def test_a_route_is_told_from_a_swap_in_one_pool() -> None:
    split = Split((leg(5, ("ac3", A, C)), leg(5, ("ab2", A, B), ("bc2", B, C))))
    plain = Pool(V3, "0x" + "a" * 40, B, WRAPPED, 500, 10)

    assert is_route(route_call(REACH, split, KNOWN, Errand(OWNER, 7, 99)).data)
    assert is_route(route_call(REACH, Split(split.legs[1:]), KNOWN, Errand(OWNER, 7, 99)).data)
    assert not is_route(swaps.buy_call(plain, OWNER, 5, 7, 99).data)
    assert not is_route(swaps.sell_call(plain, OWNER, 5, 7, 99).data)
    assert not is_route(route_call(OWN, Split(split.legs[1:]), KNOWN, Errand(OWNER, 7, 99)).data)


def wrapped(topic: str, who: str, amount: int, token: str = WRAPPED) -> dict[str, Any]:
    return {"address": token, "topics": [topic, abi.address_topic(who)], "data": f"0x{amount:064x}"}


def test_coins_of_all_legs_count_and_nobody_elses() -> None:
    logs = [
        wrapped(abi.DEPOSIT, ROUTER, 3),
        wrapped(abi.DEPOSIT, OWNER, 100),
        wrapped(abi.DEPOSIT, ROUTER, 4),
        wrapped(abi.DEPOSIT, ROUTER, 50, token=A),
        wrapped(abi.WITHDRAWAL, ROUTER, 1),
        wrapped(abi.WITHDRAWAL, ROUTER, 9),
        wrapped(abi.WITHDRAWAL, OWNER, 100),
    ]

    def moved(value: int, of: list[dict[str, Any]]) -> tuple[int, int]:
        return coins_moved(SwapCall(ROUTER, swaps.MULTICALL, value), WRAPPED, of)

    assert moved(8, logs) == (7, 9)
    # Never more than was sent along, whatever a token had the router wrap.
    assert moved(5, logs) == (5, 9)
    assert moved(5, []) == (0, 0)

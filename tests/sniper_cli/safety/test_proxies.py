"""Proxies of every standard, as bytecode that really delegates: whose code runs, and who can exchange it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from eth_abi.abi import encode

from sniper_cli.safety.proxies import (
    CALL_FACETS,
    CALL_IMPLEMENTATION,
    FIRST_SLOT,
    SLOTS,
    Code,
    clone_of,
    judge_proxy,
    read_code,
)
from sniper_cli.safety.report import Outcome
from tests.chain_fixtures import ADDRESSES, Chain
from tests.zoo import anvil_account, balance_of, deploy_token

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("pools_and_purchases")]

PROXY, BEACON, TIMELOCK = ("0x" + f"{number:02x}" * 20 for number in (0xA1, 0xA2, 0xA3))
ODD_SLOT = "0x" + "5c" * 32
"""Where no standard keeps anything."""
HOLDER = anvil_account(9).address
COMPARE, ANSWER = 15, 14
"""Bytes of code that look for one selector, and that answer it."""


def delegating(fetch: str, answers: Mapping[str, bytes] | None = None) -> str:
    """Code that delegates to the address that `fetch` leaves on the stack; some calls it answers itself."""
    listed = list((answers or {}).items())
    forward = fetch + "365f5f375f5f365f845af43d5f5f3e61{:04x}573d5ffd5b3d5ff3"
    size = len(bytes.fromhex(forward.format(0)))
    first_block = COMPARE * len(listed) + size
    data = first_block + ANSWER * len(listed)
    head = blocks = tables = ""
    for at, (selector, answer) in enumerate(listed):
        head += f"5f3560e01c63{selector[2:]}1461{first_block + ANSWER * at:04x}57"
        blocks += f"5b61{len(answer):04x}61{data + len(tables) // 2:04x}5f3961{len(answer):04x}5ff3"
        tables += answer.hex()
    return "0x" + head + forward.format(COMPARE * len(listed) + size - 4) + blocks + tables


def from_slot(slot: str) -> str:
    return f"7f{slot[2:]}54"


def word(address: str) -> str:
    return "0x" + address[2:].rjust(64, "0")


async def put(chain: Chain, where: str, code: str, slots: Mapping[str, str] | None = None) -> None:
    await chain.node.call("anvil_setCode", [where, code])
    for slot, address in (slots or {}).items():
        await chain.node.call("anvil_setStorageAt", [where, slot, word(address)])


async def found(chain: Chain, token: str = PROXY) -> Code:
    return await read_code(chain.node, token, "latest")


async def told(chain: Chain, code: Code, token: str = PROXY) -> tuple[Outcome, str]:
    head = await chain.node.head()
    [line] = await judge_proxy(chain.node, token, code, head.number)
    return line.outcome, line.detail


@pytest.mark.parametrize(
    ("kind", "slot"),
    [
        ("eip1967", SLOTS["eip1967"]),
        ("eip1822", SLOTS["eip1822"]),
        ("zeppelinos", SLOTS["zeppelinos"]),
        ("safe", FIRST_SLOT),
    ],
)
async def test_code_behind_a_slot_is_found_and_can_be_exchanged(anvil: Chain, kind: str, slot: str) -> None:
    token = await deploy_token(anvil.node, "Normal")
    await put(anvil, PROXY, delegating(from_slot(slot)), {slot: token})
    code = await found(anvil)
    assert (code.kinds, code.changeable, code.delegates) == ((kind,), True, False)
    assert list(code.implementations) == [token]
    assert code.implementations[token] == bytes.fromhex(
        (await anvil.node.call("eth_getCode", [token, "latest"]))[2:]
    )
    assert (await told(anvil, code))[0] is Outcome.FAIL
    assert await balance_of(anvil.node, PROXY, HOLDER) == 0  # it delegates: the token's code, its own storage


async def test_a_beacon_is_asked_whose_code_runs(anvil: Chain) -> None:
    token = await deploy_token(anvil.node, "Normal")
    slot = SLOTS["beacon"]
    ask = f"635c60da1b60e01b5f5260205f60045f{from_slot(slot)}5afa505f51"
    await put(anvil, BEACON, "0x5f545f5260205ff3", {FIRST_SLOT: token})
    await put(anvil, PROXY, delegating(ask), {slot: BEACON})
    code = await found(anvil)
    assert (code.kinds, list(code.implementations)) == (("beacon",), [token])
    assert code.changeable
    assert await balance_of(anvil.node, PROXY, HOLDER) == 0


async def test_a_proxy_of_no_slot_tells_its_code_by_implementation(anvil: Chain) -> None:
    token = await deploy_token(anvil.node, "Normal")
    answers = {CALL_IMPLEMENTATION: bytes.fromhex(word(token)[2:])}
    await put(anvil, PROXY, delegating(from_slot(ODD_SLOT), answers), {ODD_SLOT: token})
    code = await found(anvil)
    assert (code.kinds, list(code.implementations)) == (("eip897",), [token])


async def test_every_facet_of_a_diamond_runs_in_its_storage(anvil: Chain) -> None:
    tokens = sorted([await deploy_token(anvil.node, kind) for kind in ("Normal", "Mintable")])
    listed = encode(["(address,bytes4[])[]"], [[(token, [b"\x01\x02\x03\x04"]) for token in tokens]])
    await put(anvil, PROXY, delegating(from_slot(ODD_SLOT), {CALL_FACETS: listed}), {ODD_SLOT: tokens[0]})
    code = await found(anvil)
    assert (code.kinds, sorted(code.implementations)) == (("eip2535",), tokens)
    assert len(code.all) == 3


async def test_what_delegates_by_no_standard_is_not_proven(anvil: Chain) -> None:
    token = await deploy_token(anvil.node, "Normal")
    await put(anvil, PROXY, delegating(from_slot(ODD_SLOT)), {ODD_SLOT: token})
    code = await found(anvil)
    assert (code.delegates, code.implementations) == (True, {})
    outcome, words = await told(anvil, code)
    assert (outcome, "no standard names" in words) == (Outcome.NOT_PROVEN, True)


async def test_a_slot_in_code_that_never_delegates_is_decoration(anvil: Chain) -> None:
    token = await deploy_token(anvil.node, "Normal")
    await anvil.node.call("anvil_setStorageAt", [token, SLOTS["eip1967"], word(BEACON)])
    code = await found(anvil, token)
    assert (code.kinds, code.changeable) == ((), False)
    assert await told(anvil, code, token) == (Outcome.PASS, "runs its own code")


async def test_who_can_exchange_the_code_is_told_behind_its_admin(anvil: Chain) -> None:
    """The admin slot names a contract whose owner() is an account: that account decides, alone."""
    token = await deploy_token(anvil.node, "Normal")
    slots = {SLOTS["eip1967"]: token, SLOTS["admin"]: BEACON}
    await put(anvil, PROXY, delegating(from_slot(SLOTS["eip1967"])), slots)
    owner_only = "0x5f3560e01c638da5cb5b146011575f5ffd5b73" + ADDRESSES[1][2:] + "5f5260205ff3"
    await put(anvil, BEACON, owner_only)
    code = await found(anvil)
    outcome, words = await told(anvil, code)
    assert outcome is Outcome.FAIL
    assert f"{ADDRESSES[1]} (eoa) can put other code behind it" in words


async def test_a_timelock_is_told_with_its_delay(anvil: Chain) -> None:
    token = await deploy_token(anvil.node, "Normal")
    slots = {SLOTS["eip1967"]: token, SLOTS["admin"]: TIMELOCK}
    await put(anvil, PROXY, delegating(from_slot(SLOTS["eip1967"])), slots)
    # getMinDelay() answers two days, anything else reverts.
    await put(anvil, TIMELOCK, "0x5f3560e01c63f27a0c92146011575f5ffd5b6202a3005f5260205ff3")
    _, words = await told(anvil, await found(anvil))
    assert f"{TIMELOCK} (timelock of 172800 s) can put other code behind it" in words


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (
            "363d3d373d3d3d363d73" + "be" * 20 + "5af43d82803e903d91602b57fd5bf3",
            ("eip1167", "0x" + "be" * 20),
        ),
        (
            "363d3d373d3d3d363d6f" + "be" * 16 + "5af43d82803e903d91602b57fd5bf3",
            ("eip1167", "0x" + "00" * 4 + "be" * 16),
        ),
        (
            "365f5f375f5f365f73" + "be" * 20 + "5af43d5f5f3e5f3d91602a57fd5bf3",
            ("eip1167", "0x" + "be" * 20),
        ),
        (
            "363d3d373d3d3d3d60368038038091363936013d73" + "be" * 20 + "5af43d3d93803e603457fd5bf3",
            ("eip3448", "0x" + "be" * 20),
        ),
        ("ef0100" + "be" * 20, ("eip7702", "0x" + "be" * 20)),
        ("363d3d373d3d3d363d73" + "be" * 20 + "5af4", None),
        ("", None),
    ],
)
def test_a_clone_names_its_code_in_its_own(code: str, expected: tuple[str, str] | None) -> None:
    assert clone_of(bytes.fromhex(code)) == expected

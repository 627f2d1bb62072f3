"""Who holds the positions of real V3 and v4 pools, and what is told of him."""

from __future__ import annotations

import pytest
from eth_utils import keccak

from sniper_cli.pools.pool import ZERO_ADDRESS, Pool
from sniper_cli.pools.states import read_side
from sniper_cli.pricing.sides import ConcentratedSide
from sniper_cli.safety import positions
from sniper_cli.safety.dossier import Subject
from sniper_cli.safety.lines import Line
from sniper_cli.safety.liquidity import judge_liquidity
from sniper_cli.safety.policy import SafetyPolicy
from sniper_cli.safety.positions import held_in_all
from sniper_cli.safety.report import Outcome
from sniper_cli.safety.simulation import surroundings
from tests import concentrated_zoo, v4_zoo, zoo
from tests.chain_fixtures import Chain

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("anvil")]

ONE = 10**18
DEPLOYER, FRIEND = zoo.anvil_account(9), zoo.anvil_account(8)
DEAD = "0x000000000000000000000000000000000000dead"
KINDS = ["v3", "v4", "v4 wrapped"]


def test_the_managers_functions_are_those_of_their_signatures() -> None:
    for signature, known in (
        ("ownerOf(uint256)", positions.CALL_OWNER_OF),
        ("positions(uint256)", positions.CALL_POSITION),
        ("positions(bytes32)", positions.CALL_POOL_POSITION),
        ("decreaseLiquidity((uint256,uint128,uint256,uint256,uint256))", positions.CALL_DECREASE),
        ("collect((uint256,address,uint128,uint128))", positions.CALL_COLLECT),
        ("modifyLiquidities(bytes,uint256)", positions.CALL_MODIFY),
    ):
        assert v4_zoo.selector(signature) == known
    increased = keccak(text="IncreaseLiquidity(uint256,uint128,uint256,uint256)").hex()
    assert "0x" + increased == positions.INCREASED


async def launched(chain: Chain, kind: str, **options: object) -> Pool:
    if kind == "v3":
        return await concentrated_zoo.list_on_v3(chain.node, chain.v3, **options)  # type: ignore[arg-type]
    quote = chain.v4.wrapped if kind == "v4 wrapped" else ZERO_ADDRESS
    return await v4_zoo.list_on_v4(chain.node, chain.v4, quote=quote, **options)  # type: ignore[arg-type]


async def minted(chain: Chain, pool: Pool, account: object, lower: int, upper: int, coins: int) -> None:
    put = concentrated_zoo.mint if pool.exchange == chain.v3 else v4_zoo.mint
    await put(chain.node, pool, account, lower, upper, coins, 10**24)  # type: ignore[operator]


async def line_of(chain: Chain, pool: Pool) -> Line:
    around = surroundings(await chain.node.head(), SafetyPolicy())
    [line] = await judge_liquidity(Subject(chain.node, pool, ONE, around))
    return line


async def give(chain: Chain, pool: Pool, to: str, number: int = 1) -> None:
    data = zoo.calldata("transferFrom(address,address,uint256)", DEPLOYER.address, to, number)
    assert (await zoo.transact(chain.node, DEPLOYER, pool.exchange.position_manager, data)).ok


@pytest.mark.parametrize("kind", KINDS)
async def test_a_deployer_who_can_take_his_position_out_fails(anvil: Chain, kind: str) -> None:
    line = await line_of(anvil, await launched(anvil, kind))

    assert line.outcome is Outcome.FAIL
    assert (
        f"100.00 % of the liquidity can be withdrawn, most of it by {DEPLOYER.address.lower()}" in line.detail
    )
    [evidence] = line.evidence
    assert "a withdrawal goes through now and goes through in 31 days" in evidence.result
    assert evidence.result.startswith("position 1 from tick -887220 to 887220: 100.00 %, account")
    sent = await zoo.transact(anvil.node, DEPLOYER, evidence.to, evidence.data)
    assert sent.ok  # it is his withdrawal, and not only in a simulation


@pytest.mark.parametrize("kind", KINDS)
async def test_a_position_at_a_dead_address_stays(anvil: Chain, kind: str) -> None:
    pool = await launched(anvil, kind)
    await give(anvil, pool, DEAD)

    line = await line_of(anvil, pool)

    assert line.outcome is Outcome.PASS
    assert line.detail == "100.00 % of the liquidity is burned"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_position_in_a_contract_is_not_proven_to_stay(anvil: Chain, kind: str) -> None:
    pool = await launched(anvil, kind)
    await give(anvil, pool, pool.token)

    line = await line_of(anvil, pool)

    assert line.outcome is Outcome.NOT_PROVEN
    assert "100.00 % lies in contracts that nobody vouches for" in line.detail


@pytest.mark.parametrize("kind", KINDS)
async def test_positions_weigh_by_what_they_hold(anvil: Chain, kind: str) -> None:
    """10 coins and as much in tokens are burned, a tenth of each beyond the window; a friend's half coin is 1 of 37."""
    pool = await launched(anvil, kind)
    await give(anvil, pool, DEAD)
    send = zoo.calldata("transfer(address,uint256)", FRIEND.address, 10_000 * ONE)
    assert (await zoo.transact(anvil.node, DEPLOYER, pool.token, send)).ok
    if pool.exchange == anvil.v3:
        let = zoo.calldata("approve(address,uint256)", pool.exchange.position_manager, zoo.MAX_UINT)
        assert (await zoo.transact(anvil.node, FRIEND, pool.token, let)).ok
    side = await read_side(anvil.node, pool)
    assert isinstance(side, ConcentratedSide)
    middle = side.pool.tick // 60 * 60
    span = (middle + 600, middle + 1200) if pool.coin_first else (middle - 1200, middle - 600)
    await minted(anvil, pool, FRIEND, *span, ONE // 2)

    line = await line_of(anvil, pool)

    assert line.outcome is Outcome.PASS
    assert line.figure is not None
    assert 250 <= int(line.figure.split()[0]) <= 275
    assert [each.sender for each in line.evidence] == [DEAD, FRIEND.address.lower()]
    assert "a withdrawal goes through now" in line.evidence[1].result


@pytest.mark.parametrize("kind", KINDS)
async def test_what_all_positions_hold_is_what_was_put_in(anvil: Chain, kind: str) -> None:
    pool = await launched(anvil, kind)
    side = await read_side(anvil.node, pool)
    assert isinstance(side, ConcentratedSide)
    low, high = side.pool.known or (0, 0)

    whole = held_in_all(pool, side.pool)

    # 10 coins and as much in tokens, less what stands beyond what was read: a hundredfold up and down and more.
    assert low < side.pool.tick < high
    assert 18 * ONE < whole <= 20 * ONE


async def test_a_v4_hook_that_opens_later_is_told(anvil: Chain) -> None:
    opens = int((await anvil.node.head()).timestamp) + 20 * 86_400
    # TIMESTAMP < opens: revert; else answer with beforeRemoveLiquidity's selector.
    code = f"0x63{opens:08x}421060135763" + "21d0ee70" + "60e01b5f5260205ff3" + "5b5f5ffd"
    hooks = "0x" + "1" * 36 + "0200"
    await anvil.node.call("anvil_setCode", [hooks, code])
    pool = await v4_zoo.list_on_v4(anvil.node, anvil.v4, hooks=hooks)

    line = await line_of(anvil, pool)

    assert line.outcome is Outcome.FAIL
    assert "a withdrawal fails now and goes through in 31 days" in line.evidence[0].result


async def test_without_liquidity_nothing_is_proven(anvil: Chain) -> None:
    pool = await v4_zoo.list_on_v4(anvil.node, anvil.v4)
    await v4_zoo.remove(anvil.node, pool, DEPLOYER, 1)

    line = await line_of(anvil, pool)

    assert line.outcome is Outcome.NOT_PROVEN
    assert line.detail == "the pool has no liquidity"

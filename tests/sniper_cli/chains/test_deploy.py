"""The exchange on a devnet is Uniswap's own, at the same addresses every time."""

import pytest
from eth_utils.crypto import keccak

from sniper_cli.chains import abi
from sniper_cli.chains.devnet.anvil import Anvil
from sniper_cli.chains.devnet.deploy import DEPLOYER, deploy_exchange, deploy_exchanges, wait_mined
from sniper_cli.chains.exchange import Protocol
from sniper_cli.chains.node import Node
from tests.chain_fixtures import Chain

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("anvil")]


async def test_the_router_knows_the_factory_and_the_wrapped_coin(anvil: Chain) -> None:
    exchange = anvil.exchange
    for selector, expected in ((abi.CALL_FACTORY, exchange.factory), (abi.CALL_WETH, exchange.wrapped)):
        answer = await anvil.node.call("eth_call", [{"to": exchange.router, "data": selector}, "latest"])
        assert abi.address_word(answer, 0) == expected


async def test_a_second_deployment_finds_the_first(anvil: Chain) -> None:
    before = await anvil.node.call("eth_blockNumber")
    assert await deploy_exchange(anvil.node) == anvil.exchange
    assert await deploy_exchanges(anvil.node) == anvil.exchanges
    assert await anvil.node.call("eth_blockNumber") == before


async def test_the_factory_creates_a_pool_where_it_was_foretold(anvil: Chain) -> None:
    token = "0x" + "ab" * 20
    data = abi.encode_call(abi.CALL_CREATE_PAIR, ["address", "address"], [token, anvil.exchange.wrapped])
    receipt = await anvil.send("0x70997970c51812dc3a010c7d01b50e0d17dc79c8", anvil.exchange.factory, data)
    created = abi.pair_created(receipt["logs"][0])
    assert receipt["logs"][0]["topics"][0] == abi.PAIR_CREATED
    assert created.pair == anvil.exchange.pool_of(token)
    assert {created.token0, created.token1} == {token, anvil.exchange.wrapped}


async def test_every_test_gets_a_chain_as_good_as_new(anvil: Chain) -> None:
    async with Node(anvil.node.url) as node:
        assert (
            int(
                await node.call(
                    "eth_getTransactionCount", ["0x70997970c51812dc3a010c7d01b50e0d17dc79c8", "latest"]
                ),
                16,
            )
            == 0
        )


async def asked(chain: Chain, to: str, signature: str) -> str:
    answer = await chain.node.call(
        "eth_call", [{"to": to, "data": "0x" + keccak(text=signature)[:4].hex()}, "latest"]
    )
    return abi.address_word(answer, 0)


async def test_v4_knows_itself(anvil: Chain) -> None:
    v4 = anvil.v4
    assert await asked(anvil, v4.router, "poolManager()") == v4.factory
    assert await asked(anvil, v4.router, "V4_POSITION_MANAGER()") == v4.position_manager
    assert await asked(anvil, v4.position_manager, "poolManager()") == v4.factory
    assert await asked(anvil, v4.position_manager, "permit2()") == v4.permit2
    assert await asked(anvil, v4.position_manager, "WETH9()") == v4.wrapped
    assert await anvil.node.call("eth_getCode", [v4.permit2, "latest"]) != "0x"


async def test_a_chain_begun_with_fewer_keeps_to_them_once_it_went_on() -> None:
    async with Anvil(block_seconds=0) as process, Node(process.http_url) as node:
        await deploy_exchange(node)
        await wait_mined(node, await node.call("eth_sendTransaction", [{"from": DEPLOYER, "to": DEPLOYER}]))

        assert [each.protocol for each in (await deploy_exchanges(node)).listed] == [Protocol.V2]

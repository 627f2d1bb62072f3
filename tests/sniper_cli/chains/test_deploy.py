"""The exchange on a devnet is Uniswap's own, at the same addresses every time."""

from sniper_cli.chains import abi
from sniper_cli.chains.devnet.deploy import deploy_exchange
from sniper_cli.chains.node import Node
from tests.chain_fixtures import Chain


async def test_the_router_knows_the_factory_and_the_wrapped_coin(anvil: Chain) -> None:
    exchange = anvil.exchange
    for selector, expected in ((abi.CALL_FACTORY, exchange.factory), (abi.CALL_WETH, exchange.wrapped)):
        answer = await anvil.node.call("eth_call", [{"to": exchange.router, "data": selector}, "latest"])
        assert abi.address_word(answer, 0) == expected


async def test_a_second_deployment_finds_the_first(anvil: Chain) -> None:
    before = await anvil.node.call("eth_blockNumber")
    assert await deploy_exchange(anvil.node) == anvil.exchange
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

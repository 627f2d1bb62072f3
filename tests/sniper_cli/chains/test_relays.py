"""A relay is spoken to as it wants to be, on a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from eth_account import Account

from sniper_cli.chains.broadcast import Fate
from sniper_cli.chains.relays import Bundle, Identity, Relay, Style, bundles_for
from sniper_cli.errors import NodeUnreachable
from tests.chain_fixtures import ADDRESSES, KEYS, Chain
from tests.relay import StubRelay, tx_hash

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("anvil")]

GWEI = 10**9
IDENTITY = Identity("0x" + "11" * 32)


def signed(nonce: int = 0, *, to: str = ADDRESSES[2], data: str = "0x", value: int = 1) -> str:
    raw = Account.sign_transaction(
        {
            "to": bytes.fromhex(to[2:]),
            "value": value,
            "data": data,
            "gas": 100_000,
            "chainId": 31337,
            "maxFeePerGas": 100 * GWEI,
            "maxPriorityFeePerGas": 2 * GWEI,
            "nonce": nonce,
        },
        KEYS[1],
    ).raw_transaction
    return "0x" + bytes(raw).hex()


@pytest.fixture
async def stub(anvil: Chain) -> AsyncIterator[StubRelay]:
    await anvil.node.call("evm_setAutomine", [False])
    relay = StubRelay(anvil.node)
    await relay.start()
    yield relay
    await relay.stop()
    await anvil.node.call("anvil_dropAllTransactions")
    await anvil.node.call("evm_setAutomine", [True])


@pytest.fixture
async def relay(stub: StubRelay) -> AsyncIterator[Relay]:
    async with Relay("stub", stub.url, identity=IDENTITY) as client:
        yield client


async def head(stub: StubRelay) -> int:
    return int(await stub.node.call("eth_blockNumber"), 16)


async def sent_by(stub: StubRelay) -> int:
    return int(await stub.node.call("eth_getTransactionCount", [ADDRESSES[1], "latest"]), 16)


async def test_every_request_is_signed_by_an_identity_that_is_no_wallet(
    stub: StubRelay, relay: Relay
) -> None:
    said = await relay.send_private(signed(), until_block=await head(stub) + 5)
    assert said.fate is Fate.ACCEPTED
    assert stub.signers == [IDENTITY.address]
    assert IDENTITY.address.lower() not in ADDRESSES


async def test_a_request_without_a_signature_is_refused(stub: StubRelay) -> None:
    async with Relay("stub", stub.url) as nobody:
        said = await nobody.send_private(signed(), until_block=10**6)
    assert said.fate is Fate.REFUSED
    assert "signature" in said.words


async def test_what_is_private_never_lies_in_the_mempool_and_is_mined_in_its_time(
    stub: StubRelay, relay: Relay
) -> None:
    await relay.send_private(signed(), until_block=await head(stub) + 5)
    status = await stub.node.call("txpool_status")
    assert int(status["pending"], 16) == 0
    await stub.build()
    assert await sent_by(stub) == 1


async def test_after_its_last_block_a_private_transaction_is_not_placed(
    stub: StubRelay, relay: Relay
) -> None:
    await relay.send_private(signed(), until_block=await head(stub))
    await stub.build(2)
    assert await sent_by(stub) == 0


async def test_a_private_transaction_is_taken_back(stub: StubRelay, relay: Relay) -> None:
    raw = signed()
    await relay.send_private(raw, until_block=await head(stub) + 5)
    assert await relay.cancel_private(tx_hash(raw))
    assert not await relay.cancel_private(tx_hash(raw))
    await stub.build()
    assert await sent_by(stub) == 0


async def test_a_protecting_node_is_given_the_bytes_as_any_node_is(stub: StubRelay) -> None:
    async with Relay("protect", stub.url, style=Style.PROTECT) as protect:
        assert (await protect.send_private(signed(), until_block=0)).fate is Fate.ACCEPTED
        assert not await protect.cancel_private(tx_hash(signed()))
    assert stub.heard == ["eth_sendRawTransaction"]
    await stub.build()
    assert await sent_by(stub) == 1


async def test_a_bundle_stands_in_the_first_of_its_blocks_and_once(stub: StubRelay, relay: Relay) -> None:
    first = await head(stub) + 1
    await relay.send_bundles(bundles_for(uuid4(), [signed(0), signed(1)], range(first, first + 3)))
    assert len(stub.bundles) == 3
    await stub.build(3)
    assert await sent_by(stub) == 2


async def test_a_bundle_that_would_fail_is_not_placed_and_costs_nothing(
    stub: StubRelay, relay: Relay, anvil: Chain
) -> None:
    before = await stub.node.call("eth_getBalance", [ADDRESSES[1], "latest"])
    failing = signed(1, to=anvil.exchange.router, data="0xdeadbeef", value=0)
    bundle = Bundle((signed(0), failing), await head(stub) + 1, uuid4())
    rehearsed = await relay.rehearse(bundle)
    assert ["error" in each for each in rehearsed] == [False, True]
    await relay.send_bundles([bundle])
    await stub.build()
    assert await stub.node.call("eth_getBalance", [ADDRESSES[1], "latest"]) == before


async def test_a_bundle_may_name_what_is_allowed_to_fail(stub: StubRelay, relay: Relay, anvil: Chain) -> None:
    failing = signed(1, to=anvil.exchange.router, data="0xdeadbeef", value=0)
    bundle = Bundle((signed(0), failing), await head(stub) + 1, uuid4(), may_revert=(tx_hash(failing),))
    await relay.send_bundles([bundle])
    await stub.build()
    assert await sent_by(stub) == 2


async def test_bundles_are_taken_back_block_by_block(stub: StubRelay, relay: Relay) -> None:
    order, first = uuid4(), await head(stub) + 1
    await relay.send_bundles(bundles_for(order, [signed(0)], range(first, first + 3)))
    assert await relay.cancel_bundles(order, [first])
    await stub.build()
    assert await sent_by(stub) == 0
    await stub.build()
    assert await sent_by(stub) == 1


async def test_a_new_bundle_of_an_order_takes_the_place_of_its_old_one(stub: StubRelay, relay: Relay) -> None:
    order, first = uuid4(), await head(stub) + 1
    await relay.send_bundles(bundles_for(order, [signed(0)], [first]))
    await relay.send_bundles(bundles_for(order, [signed(0), signed(1)], [first]))
    assert [len(each.txs) for each in stub.bundles] == [2]


async def test_a_relay_that_does_not_answer_leaves_the_fate_open() -> None:
    async with Relay("dead", "http://127.0.0.1:9/", identity=IDENTITY) as dead:
        with pytest.raises(NodeUnreachable):
            await dead.send_private(signed(), until_block=1)


@pytest.mark.parametrize("count", [0, 101])
def test_what_no_relay_takes_is_no_bundle(count: int) -> None:
    with pytest.raises(ValueError, match="no relay takes"):
        Bundle((signed(),) * count, 1, uuid4())

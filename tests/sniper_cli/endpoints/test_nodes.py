"""A pool of three nodes over sockets: what happens when one dies, freezes, lags, lies or refuses."""

from __future__ import annotations

from typing import Any

import pytest
from eth_account import Account
from eth_utils.address import to_checksum_address

from sniper_cli.chains.broadcast import Fate, broadcast
from sniper_cli.chains.node import Node
from sniper_cli.endpoints.nodes import NodePool
from sniper_cli.endpoints.spreading import Spread
from sniper_cli.errors import NetworkError, NodeRefused, NodesDisagree, NodeUnreachable, NoQuorum, WrongChain
from tests.chain_fixtures import ADDRESSES, KEYS
from tests.sniper_cli.endpoints.conftest import CHAIN, Trio, member_of, until

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("anvil")]


def states(pool: NodePool) -> str:
    return " ".join(pool.pool.state_of(member).value for member in pool.members)


async def healthy(pool: NodePool) -> None:
    await pool.check_chain(CHAIN)
    await until(lambda: states(pool) == "healthy healthy healthy")


async def signed(node: Node, number: int = 0, key: str = KEYS[2]) -> str:
    account = Account.from_key(key)
    transaction = {
        "to": to_checksum_address(ADDRESSES[3]),
        "value": 1,
        "gas": 21_000,
        "maxFeePerGas": 10**11,
        "maxPriorityFeePerGas": 1,
        "nonce": int(await node.call("eth_getTransactionCount", [account.address, "latest"]), 16) + number,
        "chainId": CHAIN,
    }
    return "0x" + bytes(account.sign_transaction(transaction).raw_transaction).hex()


# -- reads ----------------------------------------------------------------------------------------------------------


async def test_it_answers_as_a_node_does(trio: Trio, pool: NodePool) -> None:
    await healthy(pool)
    plain = trio.chain.node
    assert await pool.head() == await plain.head()
    assert await pool.block(0) == await plain.block(0)
    calls = [("eth_chainId", []), ("eth_getBalance", [ADDRESSES[1], "latest"])]
    assert await pool.batch(calls) == await plain.batch(calls)
    assert await pool.call("eth_getTransactionReceipt", ["0x" + "00" * 32]) is None
    with pytest.raises(NodeRefused, match="no block 99999"):
        await pool.block(99_999)


async def test_reads_are_spread_over_all(trio: Trio) -> None:
    members = [member_of(node) for node in trio.nodes]
    async with NodePool(
        members, CHAIN, spread=Spread.ROUND_ROBIN, hedge=False, poll_seconds=0.1
    ) as pool:  # a hedge would be one more call
        await healthy(pool)
        for _ in range(60):
            await pool.call("eth_gasPrice")

    assert [node.methods.count("eth_gasPrice") for node in trio.nodes] == [20, 20, 20]


async def test_a_slow_node_is_hardly_asked(trio: Trio, pool: NodePool) -> None:
    trio.b.slow_seconds = 0.1
    await healthy(pool)
    for _ in range(60):
        await pool.call("eth_gasPrice")

    assert trio.b.methods.count("eth_gasPrice") <= 3


async def test_a_node_that_dies_fails_nobody_and_comes_back_by_itself(trio: Trio, pool: NodePool) -> None:
    await healthy(pool)
    await trio.a.die()
    for _ in range(50):
        await pool.call("eth_gasPrice")
    await until(lambda: states(pool) in ("open healthy healthy", "half_open healthy healthy"))
    await trio.a.restart()

    await until(lambda: states(pool) == "healthy healthy healthy")


async def test_a_frozen_node_costs_a_hedge_and_not_a_timeout(trio: Trio) -> None:
    """Its timeout is longer than this test may take: whoever waited for it would never get here."""
    members = [member_of(node, timeout_seconds=600) for node in trio.nodes]
    async with NodePool(members, CHAIN, poll_seconds=0.1) as pool:
        await healthy(pool)
        for _ in range(40):
            await pool.call("eth_gasPrice")
        trio.b.freeze()
        for _ in range(40):
            await pool.call("eth_gasPrice")

        await until(lambda: states(pool).split()[1] in ("frozen", "open", "half_open"))


async def test_a_lagging_node_is_left_out_until_it_has_caught_up(trio: Trio, pool: NodePool) -> None:
    await trio.chain.mine(10)
    await healthy(pool)
    trio.c.lag = 5
    await until(lambda: states(pool) == "healthy healthy lagging")
    head = await trio.chain.node.head()
    assert {(await pool.head()).hash for _ in range(20)} == {head.hash}
    trio.c.lag = 0

    await until(lambda: states(pool) == "healthy healthy healthy")


async def test_a_block_that_one_node_has_not_yet_is_asked_of_another(trio: Trio, pool: NodePool) -> None:
    await trio.chain.mine(10)
    await healthy(pool)
    trio.a.lag = trio.b.lag = 1
    newest = await trio.chain.node.head()
    for _ in range(20):
        assert (await pool.block(newest.number)).hash == newest.hash
        answer = await pool.call("eth_getBalance", [ADDRESSES[1], hex(newest.number)])
        assert int(answer, 16) > 0
        block, _ = await pool.batch(
            [("eth_getBlockByNumber", [hex(newest.number), False]), ("eth_chainId", [])], return_errors=True
        )
        assert block["hash"] == newest.hash


async def test_what_a_node_refuses_is_not_asked_of_the_next(trio: Trio, pool: NodePool) -> None:
    await healthy(pool)
    before = sum(node.methods.count("eth_call") for node in trio.nodes)
    with pytest.raises(NodeRefused):
        await pool.call("eth_call", [{"to": trio.chain.exchange.router, "data": "0xdeadbeef"}, "latest"])

    assert sum(node.methods.count("eth_call") for node in trio.nodes) == before + 1
    assert states(pool) == "healthy healthy healthy"


async def test_a_node_that_serves_another_chain_is_never_asked(trio: Trio, pool: NodePool) -> None:
    trio.a.chain_id = "0x1"
    await pool.check_chain(CHAIN)
    await until(lambda: states(pool) == "wrong_chain healthy healthy")
    for _ in range(30):
        await pool.call("eth_gasPrice")
    assert "eth_gasPrice" not in trio.a.methods
    trio.a.chain_id = None

    await until(lambda: states(pool) == "healthy healthy healthy")


async def test_a_node_that_comes_back_as_another_chain_is_asked_for_its_chain_first(
    trio: Trio, pool: NodePool
) -> None:
    await healthy(pool)
    await trio.a.die()
    await until(lambda: states(pool).split()[0] in ("failing", "open", "half_open"))
    trio.a.chain_id = "0x1"
    del trio.a.methods[:]
    await trio.a.restart()
    for _ in range(50):
        await pool.call("eth_gasPrice")
    await until(lambda: states(pool).split()[0] == "wrong_chain")

    assert set(trio.a.methods) <= {"eth_chainId", "eth_getBlockByNumber"}


async def test_where_all_serve_another_chain_the_profile_is_wrong(trio: Trio, pool: NodePool) -> None:
    for node in trio.nodes:
        node.chain_id = "0x1"
    with pytest.raises(WrongChain) as raised:
        await pool.check_chain(CHAIN)

    assert raised.value.details["served"] == {"a": 1, "b": 1, "c": 1}


async def test_where_nobody_answers_the_error_says_so(trio: Trio, pool: NodePool) -> None:
    for node in trio.nodes:
        await node.die()
    with pytest.raises(NodeUnreachable, match="no node answers"):
        await pool.check_chain(CHAIN)


async def test_retries_stop_when_their_budget_is_spent(trio: Trio, pool: NodePool) -> None:
    await healthy(pool)
    for node in trio.nodes:
        node.status = 500
    asked = [node.requests for node in trio.nodes]
    failed = 0
    for _ in range(200):
        try:
            await pool.call("eth_gasPrice")
        except NodeRefused:
            failed += 1
    extra = sum(node.requests for node in trio.nodes) - sum(asked) - 200

    assert failed == 200
    assert pool.pool.budget.refused > 0
    assert extra < 200


# -- reads that belong together --------------------------------------------------------------------------------------


async def test_sticky_reads_stay_on_one_node_that_has_the_block(trio: Trio, pool: NodePool) -> None:
    await trio.chain.mine(10)
    await healthy(pool)
    trio.a.lag = trio.c.lag = 5
    await until(lambda: states(pool) == "lagging healthy lagging")
    head = await trio.chain.node.head()
    async with pool.sticky(head) as node:
        assert {(await node.head()).hash for _ in range(5)} == {head.hash}
        assert node is pool.members[1].client


async def test_steady_work_that_fails_on_one_node_is_begun_anew_on_another(
    trio: Trio, pool: NodePool
) -> None:
    await healthy(pool)
    done: list[str] = []

    async def work(node: Node) -> int:
        await node.call("eth_gasPrice")
        done.append(node.url)
        if len(done) == 1:
            await next(one for one in trio.nodes if one.url == node.url).die()
        return int(await node.call("eth_blockNumber"), 16)

    assert await pool.steadily(work) == (await trio.chain.node.head()).number
    assert len(set(done)) == 2


async def test_work_that_went_on_without_a_failed_read_is_begun_anew_too(trio: Trio, pool: NodePool) -> None:
    """A judgement makes "not proven" of what could not be simulated; on another node it can be."""
    await healthy(pool)
    done: list[str] = []

    async def work(node: Node) -> str:
        done.append(node.url)
        if len(done) == 1:
            await next(one for one in trio.nodes if one.url == node.url).die()
        try:
            await node.call("eth_gasPrice")
        except NetworkError:
            return "not proven"
        return "safe"

    assert await pool.steadily(work) == "safe"
    assert len(set(done)) == 2


async def test_where_no_node_can_do_better_the_work_stands_as_it_is(trio: Trio) -> None:
    async def work(node: Node) -> str:
        for one in trio.nodes:
            one.status = 500
        try:
            await node.call("eth_gasPrice")
        except NetworkError:
            return "not proven"
        return "safe"

    async with NodePool([member_of(node) for node in trio.nodes], CHAIN, poll_seconds=0) as pool:
        await healthy(pool)
        assert await pool.steadily(work) == "not proven"


# -- sending ---------------------------------------------------------------------------------------------------------


async def test_a_transaction_goes_to_all_and_is_mined_once(trio: Trio, pool: NodePool) -> None:
    await healthy(pool)
    raw = await signed(trio.chain.node)
    before = int(await trio.chain.node.call("eth_getBalance", [ADDRESSES[3], "latest"]), 16)
    sent = await broadcast(pool, raw)
    await until(lambda: all(node.sent_raw == [raw] for node in trio.nodes))
    await until(lambda: len(next(iter(pool.fates.values()))) == 3)

    assert sent.fate is Fate.ACCEPTED
    after = int(await trio.chain.node.call("eth_getBalance", [ADDRESSES[3], "latest"]), 16)
    assert after == before + 1
    assert "accepted" in next(iter(pool.fates.values())).values()


async def test_a_dead_and_a_frozen_node_do_not_keep_a_transaction_back(trio: Trio, pool: NodePool) -> None:
    await healthy(pool)
    raw = await signed(trio.chain.node)
    await trio.a.die()
    trio.b.freeze()
    sent = await broadcast(pool, raw)

    assert sent.fate is Fate.ACCEPTED
    assert "b" not in next(iter(pool.fates.values())), "its timeout was not waited for"
    trio.b.thaw()


async def test_what_all_refuse_is_refused_in_their_words(trio: Trio, pool: NodePool) -> None:
    await trio.chain.send(ADDRESSES[2], ADDRESSES[3], value=1)
    await healthy(pool)
    raw = await signed(trio.chain.node, number=-1)
    sent = await broadcast(pool, raw)

    assert sent.fate is Fate.NONCE_USED
    assert list(pool.fates.values()) == [{"a": "nonce_used", "b": "nonce_used", "c": "nonce_used"}]


async def test_bytes_that_every_node_has_already_are_as_good_as_accepted(trio: Trio, pool: NodePool) -> None:
    await healthy(pool)
    await trio.chain.node.call("evm_setAutomine", [False])
    raw = await signed(trio.chain.node)
    tx_hash = await trio.chain.node.call("eth_sendRawTransaction", [raw])
    sent = await pool.call("eth_sendRawTransaction", [raw])
    await trio.chain.node.call("evm_setAutomine", [True])
    await trio.chain.mine()

    assert sent == tx_hash
    assert set(pool.fates[tx_hash].values()) == {"known"}


async def test_silence_counts_before_a_refusal(trio: Trio, pool: NodePool) -> None:
    """The silent node may have taken it: only asking for its hash tells."""
    await trio.chain.send(ADDRESSES[2], ADDRESSES[3], value=1)
    await healthy(pool)
    raw = await signed(trio.chain.node, number=-1)
    await trio.a.die()

    with pytest.raises(NodeUnreachable):
        await broadcast(pool, raw)


# -- money -----------------------------------------------------------------------------------------------------------

COUNT: list[tuple[str, list[Any]]] = [
    ("eth_blockNumber", []),
    ("eth_getTransactionCount", [ADDRESSES[1], "latest"]),
]


async def test_money_is_decided_as_of_one_block_that_enough_nodes_have(trio: Trio, pool: NodePool) -> None:
    await healthy(pool)
    receipt = await trio.chain.send(ADDRESSES[1], ADDRESSES[2], value=5)
    trio.c.lag = 1
    calls = [*COUNT, ("eth_getTransactionReceipt", [receipt["transactionHash"]])]
    number, count, found = await pool.decided(calls)

    assert number == receipt["blockNumber"]
    assert count == await trio.chain.node.call("eth_getTransactionCount", [ADDRESSES[1], "latest"])
    assert found["blockHash"] == receipt["blockHash"]
    trio.b.lag = 1
    number, earlier, found = await pool.decided(calls)
    assert int(number, 16) == int(receipt["blockNumber"], 16) - 1
    assert int(earlier, 16) == int(count, 16) - 1
    assert found is None


async def test_a_node_that_lies_about_money_is_outvoted_and_noted(trio: Trio, pool: NodePool) -> None:
    await healthy(pool)
    true = await trio.chain.node.call("eth_getTransactionCount", [ADDRESSES[1], "latest"])
    trio.a.doctor = lambda method, result: "0x999" if method == "eth_getTransactionCount" else result
    for _ in range(10):
        assert (await pool.decided(COUNT))[1] == true

    assert all(set(decided.by) == {"b", "c"} for decided in pool.dissents)


async def test_nodes_that_disagree_decide_nothing_and_are_named(trio: Trio, pool: NodePool) -> None:
    await healthy(pool)
    for node, lie in zip(trio.nodes, ("0x1", "0x2", "0x3"), strict=True):
        node.doctor = lambda method, result, lie=lie: lie if method == "eth_getTransactionCount" else result
    with pytest.raises(NodesDisagree) as raised:
        await pool.decided(COUNT)

    assert set(raised.value.details["said"]) == {"a", "b", "c"}
    assert "0x2" in raised.value.details["said"]["b"]


async def test_two_dead_of_three_leave_no_quorum(trio: Trio, pool: NodePool) -> None:
    await healthy(pool)
    await trio.a.die()
    await trio.b.die()
    with pytest.raises(NoQuorum):
        await pool.decided(COUNT)


async def test_of_two_nodes_one_is_enough(trio: Trio) -> None:
    async with NodePool([member_of(trio.a), member_of(trio.b)], CHAIN, poll_seconds=0.1) as pair:
        await pair.check_chain(CHAIN)
        await trio.a.die()
        number, _ = await pair.decided(COUNT)

        assert pair.quorum == 1
        assert int(number, 16) == (await trio.chain.node.head()).number

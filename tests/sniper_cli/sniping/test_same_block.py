"""Listings and openings seen while they wait: judged as though they were mined, bought right behind them, or let go."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from sniper_cli.chains.exchange import Exchanges
from sniper_cli.chains.subscriptions import Subscriptions
from sniper_cli.errors import NodeRefused
from sniper_cli.pools.keys import keyed_pool
from sniper_cli.pools.pool import ZERO_ADDRESS, Pool
from sniper_cli.sniping.announcements import v3_pool
from sniper_cli.sniping.events import (
    BuyFailed,
    BuySent,
    HeadSeen,
    LaunchAnnounced,
    LaunchDecided,
    LaunchJudged,
    LaunchSeen,
    LaunchWithdrawn,
    PositionOpened,
    RunnerTrouble,
)
from sniper_cli.sniping.purchases import buy_client_id
from sniper_cli.trading.explanation import explain
from state.launches import Decision, Launch, Source, judgements_of
from state.orders import Order, OrderState, find_by_client_id
from state.positions import positions_newest_first
from tests import concentrated_zoo, v4_zoo
from tests.sniper_cli.sniping.conftest import OWNER, Hunt, sniping
from tests.v4_zoo import permit
from tests.zoo import FOREVER, LISTED, POOL_WEI, approve, calldata, deploy_token, transact

pytestmark = pytest.mark.anvil

GWEI = 10**9
LISTING = {"maxFeePerGas": hex(50 * GWEI), "maxPriorityFeePerGas": hex(3 * GWEI)}
RAISED = {"maxFeePerGas": hex(70 * GWEI), "maxPriorityFeePerGas": hex(5 * GWEI)}
ON = {"same_block": "on", "level": "daring"}


@pytest.fixture
async def watched(hunt: Hunt) -> AsyncIterator[Hunt]:
    """A hunt whose blocks are mined by hand, once `hold` was called."""
    yield hunt
    await hunt.chain.node.call("evm_setAutomine", [True])


async def start(hunt: Hunt, exchanges: Exchanges | None = None, **chosen: Any) -> None:
    """A sniper that hears the chain: it tells of a block that was mined after it began."""
    await hunt.start(sniping(**(chosen or ON)), exchanges=exchanges)
    begun = (await hunt.chain.node.head()).number
    await hunt.chain.mine()
    await hunt.until(HeadSeen, lambda event: event.number > begun)


async def hold(hunt: Hunt) -> None:
    """From now on a transaction waits until a block is asked for."""
    await hunt.chain.node.call("evm_setAutomine", [False])


async def prepared(hunt: Hunt, kind: str, *, approved: bool = True) -> tuple[str, str]:
    """A token that waits for nothing but its listing, and the pool it will have."""
    token = await deploy_token(hunt.chain.node, kind, account=OWNER)
    pool = hunt.chain.exchange.pool_of(token)
    assert (await transact(hunt.chain.node, OWNER, token, calldata("setPair(address)", pool))).ok
    if approved:
        assert (await approve(hunt.chain.node, hunt.chain.exchange, token, OWNER)).ok
    return token, pool


async def send(hunt: Hunt, to: str, data: str = "0x", value: int = 0, **fields: Any) -> str:
    """The deployer sends something that waits."""
    call = {
        "from": OWNER.address, "to": to, "data": data, "value": hex(value), "gas": hex(6_000_000),
        **(fields or LISTING),
    }  # fmt: skip
    sent: str = await hunt.chain.node.call("eth_sendTransaction", [call])
    return sent


async def announce(hunt: Hunt, token: str, pool_wei: int = POOL_WEI, **fields: Any) -> str:
    """The listing, sent and waiting."""
    signature = "addLiquidityETH(address,uint256,uint256,uint256,address,uint256)"
    data = calldata(signature, token, LISTED, 0, 0, OWNER.address, FOREVER)
    return await send(hunt, hunt.chain.exchange.router, data, pool_wei, **fields)


async def place(hunt: Hunt, tx_hash: str) -> tuple[int, int, bool]:
    """Block, index, and whether it went through."""
    receipt = await hunt.chain.node.call("eth_getTransactionReceipt", [tx_hash])
    return (
        int(receipt["blockNumber"], 16), int(receipt["transactionIndex"], 16), receipt["status"] == "0x1",
    )  # fmt: skip


def order_of(hunt: Hunt, launch: Launch) -> Order:
    with hunt.database.read() as session:
        order = find_by_client_id(session, hunt.account.id, buy_client_id(launch.id))
        assert order is not None
        session.expunge_all()
        return order


def positions(hunt: Hunt) -> int:
    with hunt.database.read() as session:
        return len(positions_newest_first(session, limit=10))


async def test_a_listing_is_bought_in_its_own_block_right_behind_it(watched: Hunt) -> None:
    token, pool = await prepared(watched, "Normal")
    await start(watched)
    await hold(watched)
    listing = await announce(watched, token)
    announced = await watched.until(LaunchAnnounced)
    assert (announced.token, announced.tx_hash) == (token, listing)
    sent = await watched.until(BuySent)
    assert watched.launch(pool).block_hash == ""
    await watched.chain.mine()
    opened = await watched.until(PositionOpened)
    assert opened.blocks_after_launch == 0
    listed, bought = await place(watched, listing), await place(watched, sent.tx_hash)
    assert listed[2]
    assert bought == (listed[0], listed[1] + 1, True)
    launch = watched.launch(pool)
    assert (launch.source, launch.decision, launch.block_number) == (
        Source.PENDING,
        Decision.BOUGHT,
        listed[0],
    )
    assert launch.block_hash
    with watched.database.read() as session:
        assert len(judgements_of(session, launch.id)) == 1
    assert order_of(watched, launch).reason["behind"] == listing
    with watched.database.read() as session:
        story = explain(session, pool)
    assert f"seen waiting, mined in block {listed[0]}" in story.title
    await watched.chain.node.call("evm_setAutomine", [True])
    await watched.stop()
    await watched.require_true_ledger()


async def test_an_approval_that_waits_before_the_listing_is_taken_as_mined_too(watched: Hunt) -> None:
    token, _ = await prepared(watched, "Normal", approved=False)
    await start(watched)
    await hold(watched)
    router = watched.chain.exchange.router
    await send(watched, token, calldata("approve(address,uint256)", router, 2**255), **RAISED)
    listing = await announce(watched, token)
    sent = await watched.until(BuySent)
    await watched.chain.mine()
    assert (await place(watched, sent.tx_hash))[0] == (await place(watched, listing))[0]


async def test_a_trap_is_refused_while_its_listing_waits_and_not_judged_twice(watched: Hunt) -> None:
    token, pool = await prepared(watched, "SellFlag")
    await start(watched)
    await hold(watched)
    await announce(watched, token)
    decided = await watched.until(LaunchDecided)
    assert decided.decision == Decision.REFUSED
    await watched.chain.mine()
    await watched.until(HeadSeen)
    await watched.chain.mine()
    await watched.until(HeadSeen)
    launch = watched.launch(pool)
    assert (launch.decision, bool(launch.block_hash)) == (Decision.REFUSED, True)
    with watched.database.read() as session:
        assert len(judgements_of(session, launch.id)) == 1


async def test_what_is_mined_later_than_it_was_judged_for_is_judged_anew(watched: Hunt) -> None:
    token, pool = await prepared(watched, "SellFlag")
    await start(watched)
    await hold(watched)
    listing = await announce(watched, token)
    await watched.until(LaunchDecided)
    await watched.chain.node.call("anvil_dropTransaction", [listing])
    await watched.chain.mine()
    await watched.until(HeadSeen)
    assert await announce(watched, token) == listing
    await watched.chain.mine()
    await watched.until(LaunchJudged)
    await watched.until(LaunchDecided)
    with watched.database.read() as session:
        assert len(judgements_of(session, watched.launch(pool).id)) == 2


async def test_a_purchase_behind_a_listing_that_is_taken_back_is_taken_back(watched: Hunt) -> None:
    token, pool = await prepared(watched, "Normal")
    await start(watched)
    await hold(watched)
    await announce(watched, token)
    await watched.until(BuySent)
    nonce = await watched.chain.node.call("eth_getTransactionCount", [OWNER.address, "latest"])
    await send(watched, OWNER.address, nonce=nonce, **RAISED)
    withdrawn = await watched.until(LaunchWithdrawn)
    assert "took its place" in withdrawn.reason
    await watched.chain.mine()
    failed = await watched.until(BuyFailed)
    assert failed.token == token
    assert order_of(watched, watched.launch(pool)).state is OrderState.DROPPED
    assert watched.launch(pool).vanished_at is not None
    with watched.database.read() as session:
        assert "announced, and withdrawn" in explain(session, pool).title
    assert positions(watched) == 0
    await watched.chain.node.call("evm_setAutomine", [True])
    await watched.stop()
    await watched.require_true_ledger()


async def test_a_purchase_that_is_mined_without_its_listing_costs_gas_and_nothing_else(watched: Hunt) -> None:
    token, pool = await prepared(watched, "Normal")
    await start(watched)
    await hold(watched)
    listing = await announce(watched, token)
    await watched.until(BuySent)
    await watched.chain.node.call("anvil_dropTransaction", [listing])
    await watched.chain.mine()
    await watched.until(BuyFailed)
    assert order_of(watched, watched.launch(pool)).state is OrderState.REJECTED
    assert positions(watched) == 0
    await watched.chain.mine()
    await watched.until(LaunchWithdrawn)
    await watched.chain.node.call("evm_setAutomine", [True])
    await watched.stop()
    await watched.require_true_ledger()


async def test_a_listing_that_is_sent_again_at_a_higher_bid_is_still_followed_once(watched: Hunt) -> None:
    token, pool = await prepared(watched, "Normal")
    await start(watched)
    await hold(watched)
    await announce(watched, token)
    sent = await watched.until(BuySent)
    nonce = await watched.chain.node.call("eth_getTransactionCount", [OWNER.address, "latest"])
    raised = await announce(watched, token, nonce=nonce, **RAISED)
    await watched.chain.mine()
    await watched.until(PositionOpened)
    assert (await place(watched, sent.tx_hash))[0] == (await place(watched, raised))[0]
    assert watched.launch(pool).tx_hash == raised
    assert positions(watched) == 1


async def test_a_call_that_opens_a_closed_token_is_bought_behind(watched: Hunt) -> None:
    await start(watched)
    token, pool = await watched.list("NotOpen")
    judged = await watched.until(LaunchJudged)
    assert judged.classification == "not_open"
    await hold(watched)
    opening = await send(watched, token, calldata("openTrading()"))
    sent = await watched.until(BuySent)
    await watched.chain.mine()
    await watched.until(PositionOpened)
    opened, bought = await place(watched, opening), await place(watched, sent.tx_hash)
    assert bought == (opened[0], opened[1] + 1, True)
    assert watched.launch(pool).decision is Decision.BOUGHT
    assert positions(watched) == 1


async def test_what_everybody_calls_opens_nothing(watched: Hunt) -> None:
    await start(watched)
    token, pool = await watched.list("NotOpen")
    await watched.until(LaunchJudged)
    await hold(watched)
    await send(watched, token, calldata("approve(address,uint256)", OWNER.address, 1))
    await watched.chain.mine()
    await watched.until(HeadSeen)
    assert not [event for event in watched.events if isinstance(event, BuySent)]
    assert watched.launch(pool).decision is Decision.WAITING


async def test_a_purchase_left_by_a_run_that_died_is_ended_by_the_next_one(watched: Hunt) -> None:
    token, pool = await prepared(watched, "Normal")
    await start(watched)
    await hold(watched)
    listing = await announce(watched, token)
    await watched.until(BuySent)
    await watched.die()
    await watched.chain.node.call("anvil_dropTransaction", [listing])
    order = order_of(watched, watched.launch(pool))
    await watched.chain.node.call("anvil_dropTransaction", [order.venue_reference])
    await start(watched)
    with watched.ticking():
        await watched.until(LaunchWithdrawn)
        await watched.until(HeadSeen)
        await watched.until(HeadSeen)
    assert not order_of(watched, watched.launch(pool)).is_working
    assert positions(watched) == 0


async def test_a_pool_of_v3_made_and_filled_by_one_call_is_bought_in_its_block(watched: Hunt) -> None:
    chain = watched.chain
    exchange = chain.v3
    token = await deploy_token(chain.node, "Normal", account=OWNER)
    pool = Pool(exchange, v3_pool(exchange, token, exchange.wrapped, 3000), token, exchange.wrapped, 3000, 60)
    assert (await transact(chain.node, OWNER, token, calldata("setPair(address)", pool.id))).ok
    let = calldata("approve(address,uint256)", exchange.position_manager, 2**255)
    assert (await transact(chain.node, OWNER, token, let)).ok
    await start(watched, exchanges=chain.exchanges, **ON)
    await hold(watched)
    listing = await send(watched, exchange.position_manager, concentrated_zoo.filling(pool, OWNER), POOL_WEI)
    sent = await watched.until(BuySent)
    await chain.mine()
    opened = await watched.until(PositionOpened)
    assert (opened.token, opened.blocks_after_launch) == (token, 0)
    listed, bought = await place(watched, listing), await place(watched, sent.tx_hash)
    assert bought == (listed[0], listed[1] + 1, True)
    launch = watched.launch(pool.id)
    assert (launch.source, launch.fee, launch.tick_spacing) == (Source.PENDING, 3000, 60)
    await chain.node.call("evm_setAutomine", [True])
    await watched.stop()
    await watched.require_true_ledger()


async def test_a_pool_of_v4_made_and_filled_by_one_call_is_bought_in_its_block(watched: Hunt) -> None:
    chain = watched.chain
    exchange = chain.v4
    token = await deploy_token(chain.node, "Normal", account=OWNER)
    pool = keyed_pool(exchange, token)
    await permit(chain.node, pool, token, OWNER)
    await start(watched, exchanges=chain.exchanges, **ON)
    await hold(watched)
    listing = await send(watched, exchange.position_manager, v4_zoo.filling(pool, OWNER), POOL_WEI)
    sent = await watched.until(BuySent)
    await chain.mine()
    assert (await watched.until(PositionOpened)).token == token
    listed, bought = await place(watched, listing), await place(watched, sent.tx_hash)
    assert bought == (listed[0], listed[1] + 1, True)
    launch = watched.launch(pool.id)
    assert (launch.source, launch.hooks, launch.block_number) == (Source.PENDING, ZERO_ADDRESS, listed[0])


async def test_a_pool_that_was_made_before_anybody_watched_is_completed_by_its_filling(watched: Hunt) -> None:
    """Its creation log is past: the receipt of the listing tells the block."""
    token, pool = await prepared(watched, "Normal")
    making = calldata("createPair(address,address)", token, watched.chain.exchange.wrapped)
    assert (await transact(watched.chain.node, OWNER, watched.chain.exchange.factory, making)).ok
    await start(watched)
    await hold(watched)
    listing = await announce(watched, token)
    sent = await watched.until(BuySent)
    await watched.chain.mine()
    await watched.until(PositionOpened)
    assert (await place(watched, sent.tx_hash))[0] == (await place(watched, listing))[0]
    receipt = await watched.chain.node.call("eth_getTransactionReceipt", [listing])
    assert watched.launch(pool).block_hash == receipt["blockHash"]


async def test_liquidity_added_to_a_pool_that_trades_is_no_listing(watched: Hunt) -> None:
    token, _ = await watched.list("Normal")
    assert (await approve(watched.chain.node, watched.chain.exchange, token, OWNER)).ok
    await start(watched)
    await hold(watched)
    signature = "addLiquidityETH(address,uint256,uint256,uint256,address,uint256)"
    data = calldata(signature, token, LISTED // 100, 0, 0, OWNER.address, FOREVER)
    await send(watched, watched.chain.exchange.router, data, POOL_WEI // 100)
    await watched.chain.mine()
    await watched.until(HeadSeen)
    assert not [event for event in watched.events if isinstance(event, LaunchAnnounced | BuySent)]


async def test_a_node_that_shows_nothing_that_waits_is_told(
    watched: Hunt, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_: Subscriptions) -> None:
        raise NodeRefused("no such subscription")

    monkeypatch.setattr(Subscriptions, "follow_pending", refuse)
    await watched.start(sniping(**ON))
    told = await watched.until(RunnerTrouble)
    assert "no node shows waiting transactions" in told.problem


async def test_off_nothing_is_done_before_the_log(watched: Hunt) -> None:
    token, pool = await prepared(watched, "Normal")
    await start(watched, level="daring")
    await hold(watched)
    await announce(watched, token)
    await watched.chain.mine()
    seen = await watched.until(LaunchSeen)
    assert seen.pool == pool
    sent = await watched.until(BuySent)
    assert watched.launch(pool).source is Source.LOG
    await watched.chain.mine()
    opened = await watched.until(PositionOpened)
    assert (opened.blocks_after_launch, sent.token) == (1, token)

"""The chain is reorganised under a working sniper: what vanished is believed no longer, and nothing is bought twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlmodel import select

from sniper_cli.chains.devnet.anvil import Anvil
from sniper_cli.chains.devnet.deploy import deploy_exchange
from sniper_cli.chains.node import Node
from sniper_cli.portfolio.accounts import ensure_evm_account
from sniper_cli.sniping.events import (
    BuySent,
    HeadSeen,
    LaunchDecided,
    LaunchJudged,
    LaunchSeen,
    LaunchVanished,
    PositionOpened,
)
from sniper_cli.sniping.launches import is_announced
from state.database import Database
from state.launches import Decision, Judgement
from state.orders import Order, Side
from tests.chain_fixtures import KEYS, Chain
from tests.conftest import PATIENCE
from tests.desk_fixtures import assert_books_balance
from tests.sniper_cli.sniping.conftest import OWNER, Hunt, LocalSigner, sniping
from tests.sniper_cli.sniping.test_same_block import announce
from tests.zoo import LISTED, POOL_WEI, approve, calldata, deploy_token, transact

pytestmark = pytest.mark.anvil


@pytest.fixture
async def own(sqlite_database: Database) -> AsyncIterator[Hunt]:
    """A chain of this test's own, mining what is sent at once: a reorganised one is not given back."""
    async with Anvil(block_seconds=0) as process, Node(process.http_url, ws_url=process.ws_url) as node:
        exchange = await deploy_exchange(node)
        address = LocalSigner(KEYS[1]).address
        account = await ensure_evm_account(sqlite_database, node, exchange, address, "hunter")
        hunt = Hunt(Chain(process, node, exchange), sqlite_database, account)
        yield hunt
        await hunt.stop()


async def prepared(hunt: Hunt, kind: str = "Normal") -> str:
    """A token ready to be listed by one transaction."""
    node, exchange = hunt.chain.node, hunt.chain.exchange
    token = await deploy_token(node, kind, account=OWNER)
    await approve(node, exchange, token, OWNER)
    await transact(node, OWNER, token, calldata("setPair(address)", exchange.pool_of(token)))
    return token


async def listed(hunt: Hunt, token: str) -> str:
    signature = "addLiquidityETH(address,uint256,uint256,uint256,address,uint256)"
    data = calldata(signature, token, LISTED, 0, 0, OWNER.address, 2**40)
    await transact(hunt.chain.node, OWNER, hunt.chain.exchange.router, data, value=POOL_WEI)
    return hunt.chain.exchange.pool_of(token)


async def reorganise(hunt: Hunt, depth: int) -> None:
    await hunt.chain.node.call("anvil_reorg", [depth, []])
    # Of a reorganisation to the same height no node need send a head; the next block shows it.
    await hunt.chain.mine()


async def reorganise_from(hunt: Hunt, number: int) -> None:
    """From a block on, or from the empty one before it: the sniper's own approval may add a block meanwhile."""
    head = await hunt.chain.node.head()
    await reorganise(hunt, head.number - number + 2)


def purchases(hunt: Hunt) -> list[Order]:
    with hunt.database.read() as session:
        found = list(session.exec(select(Order).where(Order.side == Side.BUY)).all())
        session.expunge_all()
        return found


async def test_a_launch_whose_block_vanished_is_marked_and_comes_back_judged_anew(own: Hunt) -> None:
    token = await prepared(own, "SellFlag")
    await own.chain.mine(3)
    await own.start(sniping())
    pool = await listed(own, token)
    await own.until(LaunchDecided)
    before = own.launch(pool)
    assert before.decision is Decision.REFUSED
    await reorganise(own, 1)
    vanished = await own.until(LaunchVanished)
    assert (vanished.pool, vanished.block_number) == (pool, before.block_number)
    gone = own.launch(pool)
    assert gone.vanished_at is not None
    assert gone.decision is Decision.REFUSED
    assert await listed(own, token) == pool
    assert (await own.until(LaunchSeen)).launch_id == before.id
    await own.until(LaunchDecided)
    after = own.launch(pool)
    assert after.vanished_at is None
    assert after.block_hash != before.block_hash
    assert after.decision is Decision.REFUSED
    with own.database.read() as session:
        judged = session.exec(select(Judgement).where(Judgement.launch_id == before.id)).all()
        assert len({judgement.block_hash for judgement in judged}) == 2
    await own.stop()
    assert_books_balance(own.database)


async def test_a_purchase_that_vanished_with_its_launch_is_not_made_twice(own: Hunt) -> None:
    token = await prepared(own)
    await own.chain.mine(3)
    await own.start(sniping())
    pool = await listed(own, token)
    await own.until(PositionOpened)
    await reorganise_from(own, own.launch(pool).block_number)
    await own.until(LaunchVanished)
    assert await listed(own, token) == pool
    await own.until(LaunchSeen)
    for _ in range(3):
        await own.chain.mine()
        await own.until(HeadSeen)
    assert own.launch(pool).decision is Decision.BOUGHT
    assert own.launch(pool).vanished_at is None
    assert len(purchases(own)) == 1
    assert [event for event in own.events if isinstance(event, BuySent)] == []
    await own.stop()
    await own.require_true_ledger()
    assert_books_balance(own.database)


async def test_a_purchase_behind_its_listing_that_vanished_with_it_is_not_made_twice(own: Hunt) -> None:
    token = await prepared(own)
    await own.chain.mine(3)
    await own.start(sniping(same_block="on", level="daring"))
    begun = (await own.chain.node.head()).number
    await own.chain.mine()
    await own.until(HeadSeen, lambda event: event.number > begun)
    await own.chain.node.call("evm_setAutomine", [False])
    await announce(own, token)
    await own.until(BuySent)
    await own.chain.mine()
    opened = await own.until(PositionOpened)
    assert opened.blocks_after_launch == 0
    await own.chain.node.call("evm_setAutomine", [True])
    pool = own.chain.exchange.pool_of(token)
    async with asyncio.timeout(PATIENCE):
        # The receipt of the purchase may be read before the listing's log comes; only what had a block can lose it.
        while is_announced(own.launch(pool)):  # noqa: ASYNC110 - another connection's message has no event here
            await asyncio.sleep(0.01)
    await reorganise_from(own, own.launch(pool).block_number)
    await own.until(LaunchVanished)
    assert await listed(own, token) == pool
    await own.until(LaunchSeen)
    for _ in range(3):
        await own.chain.mine()
        await own.until(HeadSeen)
    assert own.launch(pool).decision is Decision.BOUGHT
    assert own.launch(pool).vanished_at is None
    assert len(purchases(own)) == 1
    assert [event for event in own.events if isinstance(event, BuySent)] == []
    await own.stop()
    await own.require_true_ledger()
    assert_books_balance(own.database)


async def test_a_judgement_made_on_a_vanished_block_is_made_anew(own: Hunt) -> None:
    token = await prepared(own, "SellFlag")
    await own.chain.mine(3)
    await own.start(sniping())
    pool = await listed(own, token)
    await own.until(LaunchDecided)
    launch = own.launch(pool)
    await own.stop()
    # The same launch, judged on a block that stands above the one of its creation.
    await own.chain.mine(2)
    head = await own.chain.node.head()
    with own.database.write() as session:
        first = session.exec(select(Judgement).where(Judgement.launch_id == launch.id)).one()
        fields = first.model_dump(exclude={"id", "block_hash", "block_number", "at"})
        session.add(Judgement(**fields, block_hash=head.hash, block_number=head.number))
    await own.start(sniping())
    await own.chain.mine()
    await own.until(HeadSeen, lambda event: event.number > head.number)
    await reorganise(own, 2)
    judged = await own.until(LaunchJudged)
    assert judged.launch_id == launch.id
    await own.until(LaunchDecided)
    assert own.launch(pool).vanished_at is None
    assert own.launch(pool).decision is Decision.REFUSED

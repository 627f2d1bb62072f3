"""Nonces on a real chain: a gap that nobody fills, a node that forgot everything, nodes that say different things."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from threading import Thread
from typing import Any

import pytest

from sniper_cli.chains.node import Node
from sniper_cli.endpoints.nodes import NodePool
from sniper_cli.errors import NetworkError, NodesDisagree
from sniper_cli.trading.mending import apply_remedies
from sniper_cli.venues.evm import ExecutionPolicy
from sniper_cli.venues.evm.nonces import least_nonce
from sniper_cli.venues.evm.remedies import examine
from sniper_cli.venues.venue import RemedyKind
from state.database import Database
from state.orders import OrderState
from state.transactions import ChainTransaction, Purpose, TransactionState
from tests.chain_fixtures import Chain
from tests.desk_fixtures import WEI, Trader, assert_books_balance, make_desk, make_trader
from tests.sniper_cli.trading.test_crashes import pool_trades
from tests.sniper_cli.trading.test_fates import chain, mine, rpc
from tests.zoo import list_token

__all__ = ["chain"]
pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("anvil")]


@pytest.fixture
async def trader(chain: Chain, sqlite_database: Database) -> AsyncIterator[Trader]:
    listing = await list_token(chain.node, chain.exchange, "Normal")
    yield await make_trader(
        sqlite_database, chain.node, chain.exchange, listing.token, listing.pool, stuck_blocks=2
    )
    await chain.node.call("anvil_dropAllTransactions")


async def assert_true(trader: Trader) -> None:
    result = await trader.desk.reconcile(trader.account.id)
    assert result.equal, result.differences
    assert_books_balance(trader.database)


async def leave_a_gap(trader: Trader, chain: Chain) -> ChainTransaction:
    """Two purchases; the node refuses the first when the second has been sent already: nobody uses nonce 0."""

    async def second() -> None:
        url = trader.database.url.render_as_string(hide_password=False)
        with Database(url) as database:
            async with Node(chain.node.url) as node:
                desk = make_desk(database, node, chain.exchange, trader.key)
                outcome = (await desk.submit(trader.buy_intent(client_order_id="second")))[0]
                assert outcome.order.state is OrderState.SENT, outcome.order.explanation

    def meanwhile(step: str) -> None:
        if step == "before_send":
            trader.desk.checkpoint = lambda _step: None
            other = Thread(target=lambda: asyncio.run(second()))
            other.start()
            other.join()
            rpc(chain, "anvil_setBalance", trader.venue.address, "0x0")

    await trader.node.call("evm_setAutomine", [False])
    trader.desk.checkpoint = meanwhile
    refused = await trader.buy(client_order_id="first")
    assert refused.order.state is OrderState.DROPPED
    await trader.node.call("anvil_setBalance", [trader.venue.address, hex(10 * WEI)])
    first, waiting = trader.rows(ChainTransaction)
    assert (first.nonce, first.state) == (0, TransactionState.DROPPED)
    assert (waiting.nonce, waiting.state) == (1, TransactionState.SENT)
    return waiting


async def test_a_gap_is_filled_with_nothing_and_what_waited_behind_it_is_mined(
    trader: Trader, chain: Chain
) -> None:
    waiting = await leave_a_gap(trader, chain)
    await mine(trader)
    await trader.refresh()
    assert len(trader.rows(ChainTransaction)) == 2  # what is missing may only be on its way
    await mine(trader)
    await trader.refresh()
    filler = trader.rows(ChainTransaction)[-1]
    assert (filler.nonce, filler.purpose, filler.order_id) == (0, Purpose.CANCEL, waiting.order_id)
    assert (filler.to, filler.value) == (trader.venue.address, 0)
    await mine(trader)
    await trader.refresh()
    assert waiting.order_id is not None
    assert trader.order(waiting.order_id).state is OrderState.FILLED
    assert await pool_trades(trader) == (1, 0)
    await trader.node.call("evm_setAutomine", [True])
    await trader.refresh(2)
    await assert_true(trader)


async def test_the_next_order_fills_a_gap_by_itself_and_no_filler_is_signed(
    trader: Trader, chain: Chain
) -> None:
    await leave_a_gap(trader, chain)
    third = await trader.buy()
    assert trader.rows(ChainTransaction)[-1].nonce == 0
    await mine(trader, 2)
    await trader.refresh()
    assert trader.order(third.order.id).state is OrderState.FILLED
    assert [t.purpose for t in trader.rows(ChainTransaction) if t.nonce < 2] == [Purpose.BUY] * 3
    assert await pool_trades(trader) == (2, 0)


async def test_two_of_us_who_see_the_gap_fill_it_once(trader: Trader, chain: Chain) -> None:
    await leave_a_gap(trader, chain)
    await mine(trader, 2)
    other = await trader.another_process()
    await asyncio.gather(trader.desk.refresh(trader.account.id), other.refresh(trader.account.id))
    fillers = [t for t in trader.rows(ChainTransaction) if t.purpose is Purpose.CANCEL]
    assert [t.nonce for t in fillers] == [0]


async def test_what_one_decided_before_another_acted_is_not_done(trader: Trader) -> None:
    """A sniper has found a transaction stuck; before it records the next rung, somebody else has raised the bid."""
    await trader.node.call("evm_setAutomine", [False])
    order = (await trader.buy()).order
    for _ in range(2):  # blocks too dear for its bid
        await trader.node.call("anvil_setNextBlockBaseFeePerGas", [hex(50 * 10**9)])
        await mine(trader)
    decided = await trader.venue.remedies([trader.order(order.id)])
    assert [remedy.kind for remedy in decided] == [RemedyKind.REPLACE]
    other = await trader.another_process()
    await other.hasten(order.id)
    assert await apply_remedies(trader.desk, trader.account.id, trader.venue, decided) == []
    assert [t.state for t in trader.rows(ChainTransaction)] == [
        TransactionState.REPLACED,
        TransactionState.SENT,
    ]
    await mine(trader, 1)
    await trader.refresh()
    assert await pool_trades(trader) == (1, 0)


async def test_a_node_that_forgot_everything_is_told_everything_again(trader: Trader) -> None:
    await trader.node.call("evm_setAutomine", [False])
    orders = [(await trader.buy()).order for _ in range(3)]
    sent = {t.tx_hash for t in trader.rows(ChainTransaction)}
    await trader.node.call("anvil_dropAllTransactions")
    await trader.refresh()
    await mine(trader)
    await trader.refresh()
    assert [trader.order(order.id).state for order in orders] == [OrderState.FILLED] * 3
    assert {t.tx_hash for t in trader.rows(ChainTransaction) if t.purpose is Purpose.BUY} == sent
    assert [t.nonce for t in trader.rows(ChainTransaction) if t.purpose is Purpose.BUY] == [0, 1, 2]
    assert await pool_trades(trader) == (3, 0)


async def test_a_foreign_transaction_under_the_next_nonce_is_no_gap(trader: Trader, chain: Chain) -> None:
    """Somebody who has the key sends too: ours waits behind it, and nothing is signed against it."""
    await leave_a_gap(trader, chain)
    await trader.node.call("anvil_impersonateAccount", [trader.venue.address])
    foreign = {"from": trader.venue.address, "to": chain.exchange.router, "nonce": "0x0", "gas": hex(21_000)}
    await trader.node.call("eth_sendTransaction", [foreign])
    limit = (await trader.node.head()).gas_limit
    await trader.node.call("evm_setBlockGasLimit", [hex(20_000)])  # blocks that have no room for it
    await mine(trader, 3)
    await trader.refresh()
    await trader.node.call("evm_setBlockGasLimit", [hex(limit)])
    assert {t.purpose for t in trader.rows(ChainTransaction)} == {Purpose.BUY}


@pytest.mark.parametrize("cap", ["gas_per_trade", "gas_per_day"])
async def test_no_cap_on_gas_stops_a_sale_nor_its_ladder(trader: Trader, cap: str) -> None:
    await trader.buy()
    await trader.refresh(2)
    await trader.node.call("evm_setAutomine", [False])
    trader.venue.policy = ExecutionPolicy(stuck_blocks=2, **{cap: 1})
    sold = await trader.sell(trader.ledger(trader.token_asset))
    assert sold.order.state is OrderState.SENT, sold.order.explanation
    await trader.desk.hasten(sold.order.id, urgency=2)
    low, high = [t for t in trader.rows(ChainTransaction) if t.purpose is Purpose.SELL]
    assert (low.nonce, low.state) == (high.nonce, TransactionState.REPLACED)
    assert high.max_fee > low.max_fee
    await mine(trader)
    await trader.refresh()
    assert trader.order(sold.order.id).state is OrderState.FILLED


# -- several nodes --------------------------------------------------------------------------------------------------


class Liar(Node):
    """A node that says of our address whatever it likes."""

    count: int | None = None

    async def batch(self, calls: Any, *, return_errors: bool = False) -> list[Any]:
        answers = await super().batch(calls, return_errors=return_errors)
        for place, (method, _) in enumerate(calls):
            if method == "eth_getTransactionCount" and self.count is not None:
                answers[place] = hex(self.count)
        return answers


@pytest.fixture
async def liars(chain: Chain) -> AsyncIterator[tuple[NodePool, list[Liar]]]:
    from sniper_cli.endpoints.member import Member

    nodes = [Liar(chain.node.url) for _ in range(3)]
    members: list[Member[Node]] = [Member(f"node-{n}", node) for n, node in enumerate(nodes)]
    async with NodePool(members, chain.exchange.chain_id, poll_seconds=0) as pool:
        yield pool, nodes


async def test_a_node_that_lags_cannot_make_a_used_nonce_the_next(
    trader: Trader, liars: tuple[NodePool, list[Liar]]
) -> None:
    await trader.buy()
    await trader.refresh(2)
    mined = int(await trader.node.call("eth_getTransactionCount", [trader.venue.address, "latest"]), 16)
    pool, nodes = liars
    nodes[0].count = 0
    trader.venue.node = pool
    assert await least_nonce(pool, trader.venue.address, must_agree=True) == mined
    for _ in range(3):  # whoever of the three is asked
        plan = await trader.venue.plan(trader.account, _instrument(trader), trader.buy_intent())
        assert plan.request.pending_nonce == mined
    _, patients = await examine(pool, trader.venue.address, [], [])
    assert patients == []


async def test_where_all_say_something_else_nothing_is_bought_and_a_sale_is_tried(
    trader: Trader, liars: tuple[NodePool, list[Liar]]
) -> None:
    await trader.buy()
    await trader.refresh(2)
    pool, nodes = liars
    for count, node in enumerate(nodes, 7):
        node.count = count
    trader.venue.node = pool
    with pytest.raises(NodesDisagree):
        await trader.venue.plan(trader.account, _instrument(trader), trader.buy_intent())
    sale = trader.sell_intent(trader.ledger(trader.token_asset))
    plan = await trader.venue.plan(trader.account, _instrument(trader), sale)
    assert plan.request.pending_nonce in (7, 8, 9)
    assert issubclass(NodesDisagree, NetworkError)  # the launch is judged and tried again at the next block


def _instrument(trader: Trader) -> Any:
    from state.accounts import Instrument

    with trader.database.read() as session:
        found = session.get_one(Instrument, trader.instrument_id)
        session.expunge_all()
    return found

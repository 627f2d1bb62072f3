"""What can happen to a transaction: lost, stuck, outbid, cancelled, overtaken, undone. It counts once or not at all."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from sqlmodel import col

from sniper_cli.chains.node import Node
from sniper_cli.errors import OrderRefused
from sniper_cli.trading import reconciliation
from state.accounts import LedgerEntry, Movement
from state.database import Database
from state.orders import Fill, Order, OrderState
from state.positions import Position, PositionState
from state.transactions import ChainTransaction, Purpose, TransactionState
from tests.chain_fixtures import ADDRESSES, Chain
from tests.desk_fixtures import WEI, Trader, assert_books_balance, make_trader
from tests.sniper_cli.trading.test_crashes import Host, new_life, pool_trades
from tests.zoo import list_token

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("anvil")]

NOBODY = "http://127.0.0.1:1"
"""Where no node listens."""


@pytest.fixture
async def chain(anvil: Chain) -> AsyncIterator[Chain]:
    yield anvil
    # What a snapshot does not hold: the way of mining, and the base fee.
    await anvil.node.call("anvil_setNextBlockBaseFeePerGas", [hex(10**9)])
    await anvil.node.call("evm_mine")
    await anvil.node.call("evm_setAutomine", [True])


@pytest.fixture
async def trader(chain: Chain, database: Database) -> Trader:
    listing = await list_token(chain.node, chain.exchange, "Normal")
    return await make_trader(database, chain.node, chain.exchange, listing.token, listing.pool)


async def mine(trader: Trader, blocks: int = 1) -> None:
    for _ in range(blocks):
        await trader.node.call("evm_mine")


async def assert_true(trader: Trader) -> None:
    result = await trader.desk.reconcile(trader.account.id)
    assert result.equal, result.differences
    assert_books_balance(trader.database)


async def test_a_node_dead_between_record_and_send_loses_nothing(trader: Trader) -> None:
    alive = trader.venue.node
    async with Node(NOBODY, timeout_seconds=1) as dead:

        def cut(step: str) -> None:
            if step == "before_send":
                trader.venue.node = dead

        trader.desk.checkpoint = cut
        outcome = await trader.buy()
    assert outcome.order.state is OrderState.RECORDED
    assert "not known to be sent" in (outcome.order.explanation or "")
    trader.desk.checkpoint = lambda _step: None
    trader.venue.node = alive
    summary = await trader.desk.recover(trader.account.id)
    assert summary.examined == 1
    await trader.refresh(2)
    assert trader.order(outcome.order.id).state is OrderState.FILLED
    assert len([t for t in trader.rows(ChainTransaction) if t.purpose is Purpose.BUY]) == 1
    await assert_true(trader)


async def test_a_transaction_the_node_forgot_is_sent_again_with_the_same_bytes(trader: Trader) -> None:
    await trader.node.call("evm_setAutomine", [False])
    outcome = await trader.buy()
    assert outcome.order.venue_reference is not None
    await trader.node.call("anvil_dropTransaction", [outcome.order.venue_reference])
    await trader.refresh()
    await mine(trader)
    await trader.refresh()
    assert trader.order(outcome.order.id).state is OrderState.FILLED
    assert trader.order(outcome.order.id).venue_reference == outcome.order.venue_reference


async def test_a_stuck_transaction_is_replaced_under_its_nonce_and_counts_once(trader: Trader) -> None:
    await trader.node.call("evm_setAutomine", [False])
    outcome = await trader.buy()
    first = outcome.order.venue_reference
    for _ in range(3):  # blocks too dear for its bid
        await trader.node.call("anvil_setNextBlockBaseFeePerGas", [hex(50 * 10**9)])
        await mine(trader)
    await trader.refresh()
    transactions = [t for t in trader.rows(ChainTransaction) if t.purpose is Purpose.BUY]
    assert [t.state for t in transactions] == [TransactionState.REPLACED, TransactionState.SENT]
    assert transactions[0].nonce == transactions[1].nonce
    assert transactions[1].max_fee * 8 >= transactions[0].max_fee * 9
    assert transactions[1].priority_fee * 8 >= transactions[0].priority_fee * 9
    await mine(trader)
    await trader.refresh()
    order = trader.order(outcome.order.id)
    assert order.state is OrderState.FILLED
    assert order.venue_reference != first
    assert await pool_trades(trader) == (1, 0)
    await trader.node.call("evm_setAutomine", [True])
    await trader.refresh(2)
    await assert_true(trader)


async def test_a_cancelled_order_can_never_be_mined(trader: Trader) -> None:
    await trader.node.call("evm_setAutomine", [False])
    outcome = await trader.buy()
    assert (await trader.desk.cancel(outcome.order.id)).state is OrderState.SENT
    await mine(trader)
    await trader.refresh()
    assert trader.order(outcome.order.id).state is OrderState.DROPPED
    assert await pool_trades(trader) == (0, 0)
    with pytest.raises(OrderRefused, match="already"):
        await trader.desk.cancel(outcome.order.id)
    await assert_true(trader)


async def test_a_cancel_that_comes_too_late_is_a_fill(trader: Trader) -> None:
    outcome = await trader.buy()
    with pytest.raises(OrderRefused):
        await trader.desk.cancel(outcome.order.id)
        await trader.refresh()
        raise OrderRefused("mined before")
    await trader.refresh(2)
    assert trader.order(outcome.order.id).state is OrderState.FILLED
    assert await pool_trades(trader) == (1, 0)
    await assert_true(trader)


async def test_a_hastened_sale_bids_above_what_it_flees_from(trader: Trader) -> None:
    await trader.buy()
    await trader.refresh(2)
    await trader.node.call("evm_setAutomine", [False])
    sold = await trader.sell(trader.ledger(trader.token_asset))
    await trader.desk.hasten(sold.order.id, outbid_fee=40 * 10**9)
    newest = trader.rows(ChainTransaction)[-1]
    assert newest.max_fee > 40 * 10**9
    await mine(trader)
    await trader.refresh()
    assert trader.order(sold.order.id).state is OrderState.FILLED
    assert await pool_trades(trader) == (1, 1)


async def test_a_nonce_taken_from_outside_drops_the_order_and_the_next_one_works(trader: Trader) -> None:
    await trader.node.call("evm_setAutomine", [False])
    outcome = await trader.buy()
    await trader.node.call("anvil_dropTransaction", [outcome.order.venue_reference])
    await trader.node.call("anvil_impersonateAccount", [trader.venue.address])
    await trader.node.call(
        "eth_sendTransaction",
        [{"from": trader.venue.address, "to": ADDRESSES[3], "value": "0x1", "nonce": "0x0"}],
    )
    await mine(trader)
    await trader.refresh()
    order = trader.order(outcome.order.id)
    assert order.state is OrderState.DROPPED
    assert "not in the record" in (order.explanation or "")
    await trader.node.call("evm_setAutomine", [True])
    again = await trader.buy()
    await trader.refresh(2)
    assert trader.order(again.order.id).state is OrderState.FILLED
    result = await trader.desk.reconcile(trader.account.id)
    assert [line.asset_id for line in result.differences] == [trader.coin]  # the coin and gas spent outside
    assert await reconciliation.sync(trader.desk, trader.account.id) == result.differences[0].difference < 0
    await assert_true(trader)


async def test_bytes_that_the_node_refused_give_their_nonce_back(trader: Trader, chain: Chain) -> None:
    def impoverish(step: str) -> None:
        if step == "before_send":
            rpc(chain, "anvil_setBalance", trader.venue.address, "0x0")

    trader.desk.checkpoint = impoverish
    outcome = await trader.buy()
    assert outcome.order.state is OrderState.DROPPED
    assert "nsufficient funds" in (outcome.order.explanation or "")
    trader.desk.checkpoint = lambda _step: None
    await trader.node.call("anvil_setBalance", [trader.venue.address, hex(10 * WEI)])
    again = await trader.buy()
    await trader.refresh(2)
    assert trader.order(again.order.id).state is OrderState.FILLED
    assert [t.nonce for t in trader.rows(ChainTransaction)][:2] == [0, 0]
    await assert_true(trader)


async def test_a_reorganisation_takes_a_purchase_back_and_it_is_mined_anew(
    trader: Trader, chain: Chain
) -> None:
    before = await trader.node.call("evm_snapshot")
    outcome = await trader.buy()
    await trader.refresh(2)
    first = trader.rows(Fill)[0]
    await trader.node.call("evm_revert", [before])
    await trader.node.call("evm_setAutomine", [False])
    await trader.refresh()
    order = trader.order(outcome.order.id)
    assert order.state is OrderState.SENT
    assert trader.position() is None
    assert trader.ledger(trader.coin) == 10 * WEI
    assert trader.ledger(trader.token_asset) == 0
    assert_books_balance(trader.database)
    # On the new branch somebody else is first: the same bytes bring less.
    await rival_buys(trader)
    await mine(trader)
    await trader.node.call("evm_setAutomine", [True])
    await trader.refresh(3)
    assert trader.order(outcome.order.id).state is OrderState.FILLED
    second = trader.rows(Fill, col(Fill.reversed_at).is_(None))[0]
    assert second.venue_trade_id == f"{first.venue_trade_id}#1"
    assert second.quantity < first.quantity
    position = trader.position()
    assert position is not None
    assert position.quantity == second.quantity
    assert len(trader.rows(Position)) == 1
    await assert_true(trader)


async def test_a_reorganisation_of_a_whole_round_trip_is_undone_in_the_right_order(trader: Trader) -> None:
    before = await trader.node.call("evm_snapshot")
    await trader.buy()
    await trader.refresh(2)
    sold = await trader.sell(trader.ledger(trader.token_asset))
    await trader.refresh()
    assert trader.position() is None
    await trader.node.call("evm_revert", [before])
    await trader.refresh(4)
    assert trader.order(sold.order.id).state is OrderState.FILLED
    assert [p.state for p in trader.rows(Position)] == [PositionState.CLOSED]
    assert len(trader.rows(Fill)) == 4
    await assert_true(trader)


async def test_a_deposit_from_outside_is_noticed_and_booked_only_when_asked(
    trader: Trader, chain: Chain
) -> None:
    await chain.send(ADDRESSES[2], trader.venue.address, value=WEI)
    assert not (await trader.desk.reconcile(trader.account.id)).equal
    assert await reconciliation.sync(trader.desk, trader.account.id) == WEI
    assert trader.rows(LedgerEntry)[-1].movement is Movement.DEPOSIT
    await assert_true(trader)


async def test_tokens_that_a_contract_took_away_are_written_off_only_when_asked(
    trader: Trader, chain: Chain
) -> None:
    await trader.buy()
    await trader.refresh(2)
    held = trader.ledger(trader.token_asset)
    await chain.node.call("anvil_dealERC20", [trader.venue.address, trader.token, hex(held // 3)])
    assert not (await trader.desk.reconcile(trader.account.id)).equal
    changed = await reconciliation.adjust(trader.desk, trader.account.id)
    assert [line.asset_id for line in changed] == [trader.token_asset]
    position = trader.position()
    assert position is not None
    assert position.quantity == held // 3
    await assert_true(trader)


@pytest.mark.parametrize("kind", ["Fot5", "BuySellTax", "CappedTax"])
async def test_taxed_tokens_are_booked_at_what_really_arrived(
    chain: Chain, sqlite_database: Database, kind: str
) -> None:
    listing = await list_token(chain.node, chain.exchange, kind)
    trader = await make_trader(sqlite_database, chain.node, chain.exchange, listing.token, listing.pool)
    await trader.buy(tax_bps=500)
    await trader.refresh(2)
    sold = await trader.sell(trader.ledger(trader.token_asset), tax_bps=700)
    await trader.refresh()
    assert trader.order(sold.order.id).state is OrderState.FILLED
    await assert_true(trader)


@pytest.fixture
def two_hosts() -> Iterator[tuple[Host, Host]]:
    hosts = Host(), Host()
    yield hosts
    for host in hosts:
        host.close()


async def test_two_processes_with_the_same_client_order_id_make_one_order(
    chain: Chain, database: Database, two_hosts: tuple[Host, Host]
) -> None:
    listing = await list_token(chain.node, chain.exchange, "Normal", pool_wei=1000 * WEI)
    await chain.node.call("evm_setAutomine", [False])
    trader, job = await new_life(chain, database, listing.token, listing.pool)
    await asyncio.gather(*(host.run(job) for host in two_hosts))
    assert await pool_trades(trader) == (1, 1)
    assert sorted(order.client_order_id for order in trader.rows(Order)) == ["crash-buy", "crash-sell"]
    buys = [t for t in trader.rows(ChainTransaction) if t.purpose is Purpose.BUY]
    assert len({t.nonce for t in buys}) == 1
    await assert_true(trader)


async def rival_buys(trader: Trader) -> None:
    from sniper_cli.pools.pool import Pool
    from sniper_cli.pools.swaps import buy_call

    rival = ADDRESSES[1]
    transaction = {
        "from": rival,
        "to": trader.exchange.router,
        "value": hex(WEI // 10),
        "gas": hex(500_000),
        "maxFeePerGas": hex(10**12),
        "maxPriorityFeePerGas": hex(10**11),
        "data": buy_call(
            Pool(trader.exchange, trader.pool, trader.token, trader.exchange.wrapped), rival, 0, 0, 2**40
        ).data,
    }
    await trader.node.call("eth_sendTransaction", [transaction])


def rpc(chain: Chain, method: str, *params: Any) -> Any:
    """A call from inside a checkpoint, which cannot await."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    request = urllib.request.Request(chain.node.url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.loads(answer.read())["result"]

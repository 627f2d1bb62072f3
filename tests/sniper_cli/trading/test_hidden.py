"""What goes past the mempool: it happens once, under one nonce, and nobody reads it before it is mined."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from sniper_cli.chains.relays import Identity, Relay
from sniper_cli.errors import OrderRefused
from sniper_cli.venues.evm.policy import ExecutionPolicy
from state.database import Database
from state.orders import OrderState
from state.transactions import ChainTransaction, Channel, Purpose, TransactionState
from tests.chain_fixtures import Chain
from tests.desk_fixtures import WEI, Trader, assert_books_balance, make_trader
from tests.relay import StubRelay
from tests.sniper_cli.trading.test_crashes import pool_trades
from tests.zoo import list_token

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("anvil")]

HIDDEN = ExecutionPolicy(
    channel=Channel.PRIVATE, exit_channel=Channel.PRIVATE, relay_blocks=3, stale_blocks=50
)
BUNDLED = replace(HIDDEN, channel=Channel.BUNDLE, exit_channel=Channel.BUNDLE)


@pytest.fixture
async def stub(anvil: Chain) -> AsyncIterator[StubRelay]:
    relay = StubRelay(anvil.node)
    await relay.start()
    yield relay
    await relay.stop()
    await anvil.node.call("anvil_dropAllTransactions")
    await anvil.node.call("evm_setAutomine", [True])


@pytest.fixture
async def trader(anvil: Chain, database: Database, stub: StubRelay) -> AsyncIterator[Trader]:
    listing = await list_token(anvil.node, anvil.exchange, "Normal")
    trader = await make_trader(database, anvil.node, anvil.exchange, listing.token, listing.pool)
    client = Relay("stub", stub.url, identity=Identity("0x" + "22" * 32))
    trader.venue.doors.relays = {"stub": client}
    trader.venue.policy = HIDDEN
    await anvil.node.call("evm_setAutomine", [False])
    yield trader
    await trader.venue.doors.close()


async def in_the_mempool(trader: Trader) -> int:
    status = await trader.node.call("txpool_status")
    return int(status["pending"], 16) + int(status["queued"], 16)


async def assert_true(trader: Trader) -> None:
    result = await trader.desk.reconcile(trader.account.id)
    assert result.equal, result.differences
    assert_books_balance(trader.database)


def buys(trader: Trader) -> list[ChainTransaction]:
    return [t for t in trader.rows(ChainTransaction) if t.purpose is Purpose.BUY]


async def test_a_private_purchase_is_never_seen_before_it_is_mined(trader: Trader, stub: StubRelay) -> None:
    trader.desk.prepare_exits = False
    outcome = await trader.buy()
    assert outcome.order.state is OrderState.SENT, outcome.order.explanation
    sent = buys(trader)[0]
    assert (sent.channel, sent.relay) == (Channel.PRIVATE, "stub")
    assert sent.until_block == (sent.planned_block or 0) + 3
    await trader.refresh(3)  # looked for again and again, and not sent to a node once
    assert await in_the_mempool(trader) == 0
    await stub.build()
    await trader.refresh()
    assert trader.order(outcome.order.id).state is OrderState.FILLED
    assert len(buys(trader)) == 1
    await assert_true(trader)


async def test_what_its_relay_does_not_place_in_time_is_asked_for_anew_under_its_nonce(
    trader: Trader, stub: StubRelay
) -> None:
    trader.desk.prepare_exits = False
    outcome = await trader.buy()
    stub.private.clear()
    await stub.build(3)
    await trader.refresh()
    first, second = buys(trader)
    assert (first.state, second.state) == (TransactionState.REPLACED, TransactionState.SENT)
    assert first.nonce == second.nonce
    assert second.channel is Channel.PRIVATE
    assert (second.until_block or 0) > (first.until_block or 0)
    assert await in_the_mempool(trader) == 0
    await stub.build()
    await trader.refresh()
    assert trader.order(outcome.order.id).state is OrderState.FILLED
    assert await pool_trades(trader) == (1, 0)
    await assert_true(trader)


async def test_only_a_setting_lets_it_out_to_the_mempool(trader: Trader, stub: StubRelay) -> None:
    trader.venue.policy = replace(HIDDEN, public_after_blocks=3)
    trader.desk.prepare_exits = False
    await trader.buy()
    stub.private.clear()
    await stub.build(3)
    await trader.refresh()
    first, second = buys(trader)
    assert first.nonce == second.nonce
    assert (second.channel, second.relay, second.until_block) == (Channel.PUBLIC, None, None)
    assert "as the settings say" in (first.error or "")
    assert await in_the_mempool(trader) == 1


async def test_a_purchase_too_late_is_ended_under_its_nonce_and_the_relay_forgets_it(
    trader: Trader, stub: StubRelay
) -> None:
    outcome = await trader.buy()
    assert len(stub.private) == 1
    await trader.desk.cancel(outcome.order.id)
    assert stub.private == {}
    end = trader.rows(ChainTransaction)[-1]
    assert (end.purpose, end.channel, end.nonce) == (Purpose.CANCEL, Channel.PUBLIC, buys(trader)[0].nonce)
    await stub.build()
    await trader.refresh()
    assert trader.order(outcome.order.id).state is OrderState.DROPPED
    assert await pool_trades(trader) == (0, 0)
    await assert_true(trader)


async def test_a_relay_that_places_what_was_ended_loses_to_the_nonce(trader: Trader, stub: StubRelay) -> None:
    outcome = await trader.buy()
    kept = dict(stub.private)
    await trader.desk.cancel(outcome.order.id)
    await trader.node.call("evm_mine")  # the end is mined
    stub.private.update(kept)
    await stub.build()
    await trader.refresh()
    assert trader.order(outcome.order.id).state is OrderState.DROPPED
    assert await pool_trades(trader) == (0, 0)


async def test_a_sale_with_its_approval_is_one_bundle(trader: Trader, stub: StubRelay) -> None:
    trader.desk.prepare_exits = False
    await trader.buy()
    await stub.build()
    await trader.refresh()
    trader.venue.policy = BUNDLED
    sold = await trader.sell(trader.ledger(trader.token_asset))
    assert sold.order.state is OrderState.SENT, sold.order.explanation
    assert [len(each.txs) for each in stub.bundles] == [2, 2, 2]  # one for each of three blocks
    assert await in_the_mempool(trader) == 0
    await stub.build()
    await trader.refresh()
    assert trader.order(sold.order.id).state is OrderState.FILLED
    mined = [t for t in trader.rows(ChainTransaction) if t.channel is Channel.BUNDLE]
    assert [t.purpose for t in mined] == [Purpose.APPROVE, Purpose.SELL]
    assert len({t.block_number for t in mined}) == 1
    assert await pool_trades(trader) == (1, 1)
    await assert_true(trader)


async def test_a_bundle_that_no_block_took_is_given_in_again_under_the_same_nonces(
    trader: Trader, stub: StubRelay
) -> None:
    trader.desk.prepare_exits = False
    await trader.buy()
    await stub.build()
    await trader.refresh()
    trader.venue.policy = BUNDLED
    sold = await trader.sell(trader.ledger(trader.token_asset))
    stub.bundles.clear()
    await stub.build(3)
    await trader.refresh()
    assert {len(each.txs) for each in stub.bundles} == {2}
    nonces = [t.nonce for t in trader.rows(ChainTransaction) if t.channel is Channel.BUNDLE]
    assert sorted(set(nonces)) == [1, 2]
    await stub.build()
    await trader.refresh()
    assert trader.order(sold.order.id).state is OrderState.FILLED
    assert await pool_trades(trader) == (1, 1)
    await assert_true(trader)


async def test_bytes_that_the_relay_refused_give_their_nonce_back(trader: Trader, stub: StubRelay) -> None:
    stub.refuses = True
    outcome = await trader.buy()
    assert outcome.order.state is OrderState.DROPPED
    assert "rate limit" in (outcome.order.explanation or "")
    stub.refuses = False
    trader.desk.prepare_exits = False
    again = await trader.buy()
    await stub.build()
    await trader.refresh()
    assert trader.order(again.order.id).state is OrderState.FILLED
    assert [t.nonce for t in buys(trader)] == [0, 0]


async def test_a_relay_that_is_silent_leaves_the_purchase_recorded_and_it_is_given_in_again(
    trader: Trader, stub: StubRelay
) -> None:
    relay = trader.venue.doors.relays["stub"]
    url, relay.url = relay.url, "http://127.0.0.1:9/"
    outcome = await trader.buy()
    assert outcome.order.state is OrderState.RECORDED
    assert "not known to be sent" in (outcome.order.explanation or "")
    relay.url = url
    trader.desk.prepare_exits = False
    await trader.refresh()
    assert await in_the_mempool(trader) == 0
    await stub.build()
    await trader.refresh()
    assert trader.order(outcome.order.id).state is OrderState.FILLED
    assert len(buys(trader)) == 1


async def test_without_a_relay_what_should_be_hidden_is_refused_and_not_sent_openly(trader: Trader) -> None:
    trader.venue.doors.relays = {}
    outcome = await trader.buy()
    assert outcome.order.state is OrderState.REFUSED
    assert "no relay" in (outcome.order.explanation or "")
    assert trader.rows(ChainTransaction) == []
    assert await in_the_mempool(trader) == 0


async def test_a_dry_run_of_a_hidden_purchase_gives_the_relay_nothing(
    trader: Trader, stub: StubRelay
) -> None:
    outcome = (await trader.desk.submit([trader.buy_intent(WEI // 10)], dry_run=True))[0]
    assert outcome.dry_run
    assert stub.heard == []


async def test_a_purchase_over_the_relay_s_ways_is_refused_where_it_takes_no_bundles(trader: Trader) -> None:
    from sniper_cli.chains.relays import Style

    trader.venue.policy = BUNDLED
    trader.venue.doors.relays["stub"].style = Style.PROTECT
    with pytest.raises(OrderRefused, match="no relay that takes it"):
        await trader.venue.plan(trader.account, _instrument(trader), trader.buy_intent())


def _instrument(trader: Trader):
    from state.accounts import Instrument

    with trader.database.read() as session:
        found = session.get_one(Instrument, trader.instrument_id)
        session.expunge_all()
    return found

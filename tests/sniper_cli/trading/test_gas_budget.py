"""Gas has caps, by trade and by day: purchases are refused with the figures, sales never."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sniper_cli.venues.evm import ExecutionPolicy
from sniper_cli.venues.evm.gas_budget import gas_of_day
from state.accounts import Account
from state.database import Database
from state.orders import OrderState
from state.transactions import ChainTransaction
from tests.chain_fixtures import Chain
from tests.desk_fixtures import Trader, make_trader
from tests.zoo import list_token

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("anvil")]


@pytest.fixture
async def trader(anvil: Chain, database: Database) -> Trader:
    listing = await list_token(anvil.node, anvil.exchange, "Normal")
    return await make_trader(database, anvil.node, anvil.exchange, listing.token, listing.pool)


def gas_today(trader: Trader) -> int:
    with trader.database.read() as session:
        account = session.get_one(Account, trader.account.id)
        return gas_of_day(session, account, datetime.now(UTC))


async def test_a_purchase_dearer_than_the_cap_of_a_trade_is_refused(trader: Trader) -> None:
    trader.venue.policy = ExecutionPolicy(gas_per_trade=1)

    outcome = await trader.buy()

    assert outcome.order.state is OrderState.REFUSED
    assert "gas_budget" in (outcome.order.explanation or "")
    assert trader.rows(ChainTransaction) == []


async def test_a_day_s_gas_counts_what_was_paid_and_what_waits(trader: Trader) -> None:
    await trader.buy()
    waiting = gas_today(trader)
    assert waiting == sum(t.gas_limit * t.max_fee for t in trader.rows(ChainTransaction))
    await trader.refresh(2)
    paid = gas_today(trader)
    assert 0 < paid == sum(t.gas_cost for t in trader.rows(ChainTransaction)) < waiting

    trader.venue.policy = ExecutionPolicy(gas_per_day=paid)
    refused = await trader.buy()
    position = trader.position()
    assert position is not None
    sold = await trader.sell(position.quantity, position_id=position.id)

    assert refused.order.state is OrderState.REFUSED
    assert "of a day" in (refused.order.explanation or "")
    assert sold.order.state is OrderState.SENT, sold.order.explanation


async def test_yesterday_s_gas_does_not_count(trader: Trader) -> None:
    await trader.buy()
    await trader.refresh(2)

    with trader.database.read() as session:
        account = session.get_one(Account, trader.account.id)
        assert gas_of_day(session, account, datetime.now(UTC) + timedelta(days=1)) == 0

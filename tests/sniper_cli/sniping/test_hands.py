"""Several wallets under one sniper: a launch divided or bought in turn, each with its own nonces, limits and exits."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError
from sqlmodel import select

from sniper_cli.portfolio.accounts import ensure_evm_account
from sniper_cli.risk.limits import Limits
from sniper_cli.settings.model import SnipingSettings
from sniper_cli.sniping.events import (
    BuySent,
    HeadSeen,
    PositionClosed,
    PositionOpened,
    RunnerTrouble,
    TrialDone,
)
from sniper_cli.sniping.telling import report
from sniper_cli.trading.desk import OrderDesk
from sniper_cli.venues.evm import EvmVenue, ExecutionPolicy, LocalSigner
from state.accounts import Account, VenueKind
from state.errors import LeaseLost
from state.launches import Decision, Launch
from state.orders import Order, OrderState
from state.positions import Position
from state.transactions import ChainTransaction
from tests.chain_fixtures import KEYS
from tests.sniper_cli.sniping.conftest import WEI, Hunt, exits, sniping
from tests.sniper_cli.sniping.test_same_block import announce, hold, place, prepared

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("anvil")]


@dataclass
class Pair:
    """A hunt with a second account beside the first."""

    hunt: Hunt
    second: Account

    def desk(self, settings: SnipingSettings) -> OrderDesk:
        policy = ExecutionPolicy.from_settings(settings)
        chain = self.hunt.chain
        venue = EvmVenue(self.hunt.database, chain.node, chain.exchange, LocalSigner(KEYS[2]), policy)
        limits = Limits.from_settings(settings)
        return OrderDesk(self.hunt.database, {VenueKind.EVM: venue}, limits=limits)

    async def start(self, settings: SnipingSettings) -> None:
        await self.hunt.start(settings, others=[(self.desk(settings), self.second)])

    def rows(self, model: type[Any]) -> dict[str, list[Any]]:
        """By account."""
        found: dict[str, list[Any]] = defaultdict(list)
        with self.hunt.database.read() as session:
            names = {a.id: a.name for a in session.exec(select(Account)).all()}
            for row in session.exec(select(model).order_by(model.id)).all():
                found[names[row.account_id]].append(row)
            session.expunge_all()
        return found


@pytest.fixture
async def pair(hunt: Hunt) -> Pair:
    second = await ensure_evm_account(
        hunt.database, hunt.chain.node, hunt.chain.exchange, LocalSigner(KEYS[2]).address, "second"
    )
    return Pair(hunt, second)


async def test_a_launch_is_divided_among_the_accounts_and_each_leaves_by_itself(pair: Pair) -> None:
    hunt = pair.hunt
    await pair.start(sniping(exits(stop_loss_pct="0.001")))
    _, pool = await hunt.list("Normal")
    sent = [await hunt.until(BuySent) for _ in range(2)]
    opened = [await hunt.until(PositionOpened) for _ in range(2)]
    for _ in range(2):
        await hunt.until(PositionClosed)
    await hunt.stop()

    assert {event.account for event in sent} == {"hunter", "second"}
    assert [event.spent for event in opened] == [WEI // 20, WEI // 20]
    orders, positions = pair.rows(Order), pair.rows(Position)
    assert {name: len(found) for name, found in positions.items()} == {"hunter": 1, "second": 1}
    assert {p.exit_rule for found in positions.values() for p in found} == {"stop_loss"}
    for found in orders.values():
        assert [order.state for order in found] == [OrderState.FILLED] * 2
    launch = hunt.launch(pool)
    assert (launch.decision, launch.order_id) == (Decision.BOUGHT, orders["hunter"][0].id)
    nonces = {name: [t.nonce for t in found] for name, found in pair.rows(ChainTransaction).items()}
    assert all(found == list(range(len(found))) for found in nonces.values()), nonces
    await hunt.require_true_ledger()
    (await pair.desk(sniping()).reconcile(pair.second.id)).require_equal()


async def test_every_account_buys_behind_a_listing_that_waits(pair: Pair) -> None:
    hunt = pair.hunt
    token, _ = await prepared(hunt, "Normal")
    await pair.start(sniping(same_block="on", level="daring"))
    begun = (await hunt.chain.node.head()).number
    await hunt.chain.mine()
    await hunt.until(HeadSeen, lambda event: event.number > begun)
    await hold(hunt)
    try:
        listing = await announce(hunt, token)
        sent = [await hunt.until(BuySent) for _ in range(2)]
        await hunt.chain.mine()
        opened = [await hunt.until(PositionOpened) for _ in range(2)]
    finally:
        await hunt.chain.node.call("evm_setAutomine", [True])
    assert {event.account for event in sent} == {"hunter", "second"}
    assert [event.spent for event in opened] == [WEI // 20, WEI // 20]
    block, index, _ = await place(hunt, listing)
    bought = {await place(hunt, event.tx_hash) for event in sent}
    assert bought == {(block, index + 1, True), (block, index + 2, True)}


async def test_launches_go_in_turn_and_none_is_bought_twice(pair: Pair) -> None:
    hunt = pair.hunt
    await pair.start(sniping(spreading="rotate"))
    turns = []
    for _ in range(3):
        await hunt.list("Normal")
        sent = await hunt.until(BuySent)
        assert sent.amount == WEI // 10
        turns.append(sent.account)
        await hunt.until(PositionOpened)
    await hunt.stop()
    assert turns == ["hunter", "second", "hunter"]
    # A new run remembers whose turn it is.
    await pair.start(sniping(spreading="rotate"))
    await hunt.list("Normal")
    assert (await hunt.until(BuySent)).account == "second"


async def test_only_one_tries_and_all_buy_the_rest(pair: Pair) -> None:
    hunt = pair.hunt
    await pair.start(sniping(trial_amount=Decimal("0.01")))
    await hunt.list("Normal")
    assert (await hunt.until(TrialDone)).passed
    for _ in range(2):
        await hunt.until(PositionOpened)
    budgets = {name: [o.budget for o in found if o.budget] for name, found in pair.rows(Order).items()}
    assert budgets == {"hunter": [WEI // 100, WEI // 25], "second": [WEI // 20]}


async def test_an_account_at_its_limit_stays_out_and_the_other_buys(pair: Pair) -> None:
    hunt = pair.hunt
    await hunt.start(sniping(max_open_positions=1))
    await hunt.list("Normal")
    await hunt.until(PositionOpened)
    await hunt.stop()
    await pair.start(sniping(max_open_positions=1))
    _, pool = await hunt.list("Normal")
    assert (await hunt.until(BuySent)).account == "second"
    trouble = await hunt.until(RunnerTrouble, lambda event: "hunter does not buy" in event.problem)
    assert "open_positions" in trouble.problem
    assert hunt.launch(pool).decision is Decision.BOUGHT


async def test_the_report_tells_each_account_apart(pair: Pair) -> None:
    hunt = pair.hunt
    await pair.start(sniping(exits(stop_loss_pct="0.001")))
    await hunt.list("Normal")
    for _ in range(2):
        await hunt.until(PositionClosed)
    await hunt.stop()
    with hunt.database.read() as session:
        told = report(session)
        alone = report(session, account_id=pair.second.id)
    assert [(t.account, t.bought, t.closed, t.spent) for t in told.by_account] == [
        ("hunter", 1, 1, Decimal("0.05")),
        ("second", 1, 1, Decimal("0.05")),
    ]
    assert sum(t.profit for t in told.by_account) == told.profit
    assert (alone.bought, alone.spent) == (1, Decimal("0.05"))


async def test_a_second_sniper_on_one_of_the_accounts_does_not_begin(pair: Pair) -> None:
    settings = sniping()
    await pair.start(settings)
    other = pair.hunt.sniper(settings)
    with pytest.raises(LeaseLost):
        await other.run(asyncio.Event())


async def test_what_a_killed_run_bought_for_one_is_bought_for_the_other_and_not_again(pair: Pair) -> None:
    hunt = pair.hunt
    await hunt.start(sniping(amount=Decimal("0.05")))
    _, pool = await hunt.list("Normal")
    await hunt.until(PositionOpened)
    await hunt.stop()
    with hunt.database.write() as session:  # killed before it had decided
        launch = session.get_one(Launch, hunt.launch(pool).id)
        launch.decision = Decision.WAITING
        session.add(launch)
    await pair.start(sniping())
    await hunt.until(PositionOpened, lambda event: event.spent == WEI // 20)
    assert {name: len(found) for name, found in pair.rows(Order).items()} == {"hunter": 1, "second": 1}
    assert hunt.launch(pool).decision is Decision.BOUGHT


def test_a_trial_is_a_part_of_one_wallet_s_part() -> None:
    with pytest.raises(ValidationError, match="one wallet's part"):
        SnipingSettings(amount=Decimal("0.1"), trial_amount=Decimal("0.05"), wallets=("second",))

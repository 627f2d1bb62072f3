"""What limits count is the same after a restart, in another process, and in what a person is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from sniper_cli.market.simulated import SimulatedMarket
from sniper_cli.risk.usage import usage
from sniper_cli.trading.desk import OrderDesk
from sniper_cli.venues.paper import PaperVenue
from state.accounts import VenueKind
from state.database import Database
from tests.risk_fixtures import BTC, BUY, COIN, ETH, SELL, OnBreach, RiskDesk, risk_desk

TENTH = COIN // 10
CENT = COIN // 100


@pytest.fixture
def desk(database: Database) -> Iterator[RiskDesk]:
    with risk_desk(database) as found:
        for name, value in (
            ("gross_exposure", 90_000),
            ("net_exposure", 90_000),
            ("open_orders", 90),
            ("open_positions", 9),
            ("total_spend", 90_000),
            ("orders_per_second", 50),
            ("daily_loss", 9_000),
            ("losing_streak", 9),
            ("drawdown", "50%"),
            ("leverage", 3),
        ):
            found.limit(name, value)
        for name, value in (
            ("open_orders", 20),
            ("daily_loss", 500),
            ("losing_streak", 5),
            ("gross_exposure", 9_999),
        ):
            found.limit(name, value, strategy="grid")
        found.limit("daily_loss", 400, instrument="ETH/USDT")
        yield found


def trade(desk: RiskDesk, strategy: str | None = None) -> None:
    """A bit of everything: gains and losses, resting orders, budgets, a second later each."""
    desk.place(BUY, TENTH, strategy=strategy)
    desk.clock.forward(seconds=1)
    desk.place(SELL, TENTH, strategy=strategy)
    desk.clock.forward(seconds=1)
    desk.place(BUY, COIN, ETH, strategy=strategy)
    desk.place(BUY, CENT, price=desk.paper.near("0.5"), strategy=strategy)
    desk.place(BUY, budget=200 * 10**6, price=desk.paper.near("0.6"), strategy=strategy)
    desk.clock.forward(seconds=1)
    desk.place(SELL, COIN, ETH, strategy=strategy)


def counted(desk: OrderDesk, account: object) -> dict[tuple[str, str], tuple[int | None, int | None]]:
    found = usage(desk.held(account).gate)  # type: ignore[arg-type]
    return {(use.limit.name, use.limit.scope_id): (use.value, use.most) for use in found}


def test_after_a_restart_everything_is_counted_as_before(desk: RiskDesk) -> None:
    trade(desk)
    trade(desk, "grid")
    assert desk.paper.desk is not None
    before = counted(desk.paper.desk, desk.paper.account.id)
    assert {name for (name, _), (value, _) in before.items() if value} >= {
        "gross_exposure", "open_orders", "total_spend", "daily_loss", "losing_streak", "orders_per_second",
    }  # fmt: skip
    desk.paper.restart()
    assert counted(desk.paper.desk, desk.paper.account.id) == before


def test_two_processes_in_turns_count_the_same(desk: RiskDesk) -> None:
    """Each sees the other's trades when it takes the account, from the journal."""
    venue = PaperVenue(SimulatedMarket(7), clock=desk.clock)
    mine = desk.paper.desk
    assert mine is not None
    other = OrderDesk(desk.database, {VenueKind.PAPER: venue}, actor="other")
    account = desk.paper.account.id
    for turn, strategy in enumerate(["grid", None, "trend", "grid", None, "grid"]):
        desk.paper.desk = (mine, other)[turn % 2]
        trade(desk, strategy)
        assert counted(mine, account) == counted(other, account)
    other.close()
    desk.paper.desk = mine
    before = counted(mine, account)
    desk.paper.restart()
    assert desk.paper.desk is not None
    assert counted(desk.paper.desk, account) == before


def test_what_the_account_counts_is_what_its_fills_add_up_to(desk: RiskDesk) -> None:
    trade(desk)
    trade(desk, "grid")
    from state.orders import Fill

    fills = [fill for fill in desk.paper.rows(Fill) if fill.reversed_at is None]
    lost = sum(fill.fee_value - fill.realised for fill in fills)
    uses = {(use.limit.name, use.limit.scope_id): use.value for use in usage(_gate(desk))}
    assert uses["daily_loss", str(desk.paper.account.id)] == lost
    grid = {order.id for order in desk.paper.orders().values() if order.strategy == "grid"}
    assert uses["daily_loss", "grid"] == sum(
        fill.fee_value - fill.realised for fill in fills if fill.order_id in grid
    )
    assert uses["daily_loss", "paper:ETH/USDT"] == sum(
        fill.fee_value - fill.realised for fill in fills if fill.instrument_id == ETH
    )


def _gate(desk: RiskDesk):  # type: ignore[no-untyped-def]
    assert desk.paper.desk is not None
    return desk.paper.desk.held(desk.paper.account.id).gate


def test_money_that_is_moved_is_no_drawdown_and_no_gain(desk: RiskDesk) -> None:
    from sniper_cli.books.cash import move_cash
    from state.accounts import Movement

    desk.place(BUY, CENT, price=desk.paper.near("0.5"))
    assert desk.paper.desk is not None
    usdt = desk.paper.account.reporting_asset

    def move(kind: Movement, amount: int, reference: str) -> None:
        assert desk.paper.desk is not None
        desk.paper.desk.books.turn(
            desk.paper.account.id, lambda page: move_cash(page, usdt, kind, amount, reference=reference)
        )

    peak = 100_000 * 10**6
    for kind, amount, reference in (
        (Movement.WITHDRAWAL, -40_000 * 10**6, "out"),
        (Movement.DEPOSIT, 15_000 * 10**6, "in"),
    ):
        move(kind, amount, reference)
        peak += amount
        use = next(use for use in usage(_gate(desk)) if use.limit.name == "drawdown")
        assert (use.value, use.most) == (0, peak // 2)
        desk.paper.restart()
        use = next(use for use in usage(_gate(desk)) if use.limit.name == "drawdown")
        assert (use.value, use.most) == (0, peak // 2)


def test_a_limit_without_counters_costs_the_book_nothing(sqlite_database: Database) -> None:
    """An account with the house's collar alone is not watched at all."""
    with risk_desk(sqlite_database) as desk:
        assert desk.paper.desk is not None
        desk.place(BUY, CENT)
        assert desk.paper.desk.look(desk.paper.account.id, lambda book: book.watch) is None
        desk.limit("order_notional", 5_000, on_breach=OnBreach.TRIP)
        desk.place(BUY, CENT)
        assert desk.paper.desk.look(desk.paper.account.id, lambda book: book.watch) is None
        desk.limit("gross_exposure", 5_000)
        desk.place(BUY, CENT)
        assert desk.paper.desk.look(desk.paper.account.id, lambda book: book.watch) is not None
        assert BTC in _gate(desk).whole.cells


def test_a_batch_is_answered_alike_whether_it_comes_whole_or_in_parts(desk: RiskDesk) -> None:
    desk.limit("gross_exposure", "500")
    wishes = [desk.intent(BUY, CENT // 10, price=desk.paper.near("0.5")) for _ in range(20)]
    whole = [order.state for order in desk.batch(wishes)]
    desk.paper.walk(lambda walk: [walk.cancel(one, "test") for one in list(walk.book.orders.values())])
    desk.clock.forward(seconds=1)
    again = [desk.intent(BUY, CENT // 10, price=desk.paper.near("0.5")) for _ in range(20)]
    assert desk.paper.desk is not None
    parts = [asyncio.run(desk.paper.desk.submit(wish))[0].order.state for wish in again]
    assert parts == whole

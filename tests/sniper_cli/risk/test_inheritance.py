"""Whom a limit binds: the tenant's hold in each account, the account's in its strategies and instruments; the strictest
counts. What a strategy or an instrument has of its own is counted apart. What reduces passes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sniper_cli.risk import switch
from state.database import Database
from tests.risk_fixtures import (
    BTC,
    BUY,
    COIN,
    DOLLAR,
    ETH,
    SELL,
    OrderState,
    RiskDesk,
    passed,
    refused_by,
    risk_desk,
)

TENTH = COIN // 10
CENT = COIN // 100


@pytest.fixture
def desk(sqlite_database: Database) -> Iterator[RiskDesk]:
    with risk_desk(sqlite_database) as found:
        yield found


def low(desk: RiskDesk, instrument: str = BTC) -> object:
    return desk.paper.near("0.5", instrument)


@pytest.mark.parametrize(
    ("tenant", "account", "strategy", "instrument", "binding"),
    [
        (4_000, 3_000, 2_000, 1_000, 1_000),
        (1_000, 2_000, 3_000, 4_000, 1_000),
        (4_000, 1_000, 3_000, 2_000, 1_000),
        (4_000, 2_000, 1_000, 3_000, 1_000),
        (None, 2_000, None, 3_000, 2_000),
        (3_000, None, None, None, 3_000),
    ],
)
def test_of_several_limits_on_an_order_the_strictest_counts(
    desk: RiskDesk,
    tenant: int | None,
    account: int | None,
    strategy: int | None,
    instrument: int | None,
    binding: int,
) -> None:
    for value, whom in (
        (tenant, {"tenant": "main"}),
        (account, {}),
        (strategy, {"strategy": "grid"}),
        (instrument, {"instrument": "BTC/USDT"}),
    ):
        if value is not None:
            desk.limit("order_notional", value, **whom)
    order = desk.place(BUY, budget=binding * DOLLAR, strategy="grid")
    assert order.state is not OrderState.REFUSED
    assert passed(order, "order_notional") == [binding * DOLLAR, binding * DOLLAR]
    over = desk.place(BUY, budget=binding * DOLLAR + DOLLAR, strategy="grid")
    assert refused_by(over) == {"order_notional"}


def test_a_limit_of_another_tenant_strategy_or_instrument_binds_nobody_here(desk: RiskDesk) -> None:
    desk.limit("order_notional", 10, tenant="another")
    desk.limit("order_notional", 10, strategy="grid")
    desk.limit("order_notional", 10, instrument="ETH/USDT")
    assert desk.place(BUY, budget=1_000 * DOLLAR, strategy="trend").state is OrderState.FILLED


def test_a_refusal_says_whose_limit_it_was(desk: RiskDesk) -> None:
    desk.limit("order_notional", 10, tenant="main")
    desk.limit("open_orders", 1, strategy="grid")
    order = desk.place(BUY, budget=20 * DOLLAR)
    assert order.explanation == "order_notional: 20 USDT, at most 10 (tenant main)"
    desk.unlimit("order_notional", tenant="main")
    for _ in range(2):
        order = desk.place(BUY, CENT, price=low(desk), strategy="grid")
    assert order.explanation == "open_orders: 2, at most 1 (strategy grid)"


def test_a_strategy_s_own_orders_and_exposure_are_counted_apart(desk: RiskDesk) -> None:
    desk.place(BUY, TENTH)
    desk.place(BUY, CENT, price=low(desk))
    mine = desk.worth(CENT)
    desk.limit("gross_exposure", desk.dollars(mine), strategy="grid")
    desk.limit("open_orders", 1, strategy="grid")
    assert desk.place(BUY, CENT, ETH, price=low(desk, ETH), strategy="trend").state is OrderState.OPEN
    assert desk.place(BUY, CENT, price=low(desk), strategy="grid").state is OrderState.OPEN
    second = desk.place(BUY, CENT, price=low(desk), strategy="grid")
    assert refused_by(second) == {"gross_exposure", "open_orders"}


def test_both_the_account_s_and_the_strategy_s_count_bind(desk: RiskDesk) -> None:
    desk.limit("open_orders", 2)
    desk.limit("open_orders", 5, strategy="grid")
    for _ in range(2):
        desk.place(BUY, CENT, price=low(desk), strategy="grid")
    order = desk.place(BUY, CENT, price=low(desk), strategy="grid")
    assert order.explanation == "open_orders: 3, at most 2"


def test_an_instrument_s_orders_pace_and_losses_are_its_own(desk: RiskDesk) -> None:
    desk.limit("open_orders", 1, instrument="BTC/USDT")
    desk.limit("orders_per_second", 2, instrument="BTC/USDT")
    desk.place(BUY, CENT, ETH, price=low(desk, ETH))
    desk.place(BUY, CENT, ETH, price=low(desk, ETH))
    desk.place(BUY, CENT, ETH, price=low(desk, ETH))
    assert desk.place(BUY, CENT, price=low(desk)).state is OrderState.OPEN
    assert refused_by(desk.place(BUY, CENT, price=low(desk))) == {"open_orders"}


def test_what_reduces_passes_every_bound_on_size(desk: RiskDesk) -> None:
    desk.place(BUY, TENTH)
    for name, value in (
        ("order_notional", 10),
        ("position_notional", 10),
        ("gross_exposure", 10),
        ("concentration", "1bps"),
        ("open_orders", 1),
        ("daily_loss", "0.01"),
        ("orders_per_second", 1),
        ("losing_streak", 1),
    ):
        desk.limit(name, value)
    desk.limit("order_quantity", "0.0001 BTC")
    assert "order_notional" in refused_by(desk.place(BUY, CENT))
    sold = desk.place(SELL, TENTH // 2)
    assert sold.state is OrderState.FILLED
    assert passed(sold, "order_quantity") == [TENTH // 2, 10_000]
    assert desk.place(SELL, TENTH // 2).state is OrderState.FILLED, "and once more in the same second"


def test_but_not_at_a_price_far_from_the_market(desk: RiskDesk) -> None:
    desk.place(BUY, TENTH)
    assert refused_by(desk.place(SELL, TENTH, price=low(desk))) == {"collar"}


def test_a_short_position_is_reduced_by_buying(desk: RiskDesk) -> None:
    desk.margin("5")
    desk.place(SELL, TENTH)
    desk.limit("position_notional", 10)
    assert refused_by(desk.place(SELL, CENT)) == {"position_notional"}
    assert refused_by(desk.place(BUY, 2 * TENTH)) == {"position_notional"}, "it would turn the position round"
    assert desk.place(BUY, TENTH).state is OrderState.FILLED


def test_of_two_exits_at_work_the_second_opens_the_other_side_and_is_bounded(desk: RiskDesk) -> None:
    """Long a tenth; three sales of a tenth each rest: if all fill, two tenths are short."""
    desk.margin("5")
    desk.place(BUY, TENTH)
    desk.limit("position_notional", desk.dollars(desk.worth(TENTH)))
    high = desk.paper.near("1.05")
    states = [desk.place(SELL, TENTH, price=high).state for _ in range(3)]
    assert states == [OrderState.OPEN, OrderState.OPEN, OrderState.REFUSED]


def test_what_is_over_its_limit_may_stay_but_not_grow(desk: RiskDesk) -> None:
    desk.place(BUY, TENTH)
    desk.limit("open_positions", 1)
    desk.limit("gross_exposure", 100)
    assert refused_by(desk.place(BUY, CENT, ETH, price=low(desk, ETH))) == {
        "gross_exposure",
        "open_positions",
    }
    desk.unlimit("gross_exposure")
    desk.place(BUY, CENT)
    desk.limit("open_positions", 1)
    assert desk.place(BUY, CENT).state is OrderState.FILLED


def test_a_batch_shares_its_limits(desk: RiskDesk) -> None:
    desk.limit("gross_exposure", desk.dollars(3 * desk.worth(CENT)))
    orders = desk.batch([desk.intent(BUY, CENT, price=low(desk)) for _ in range(5)])
    assert [order.state for order in orders] == [OrderState.OPEN] * 3 + [OrderState.REFUSED] * 2


def test_a_limit_that_another_process_sets_binds_the_very_next_order(desk: RiskDesk) -> None:
    assert desk.place(BUY, CENT).state is OrderState.FILLED
    with Database(desk.database.url.render_as_string(hide_password=False)) as elsewhere:
        from sniper_cli.risk.setting import Wanted, set_limit

        set_limit(elsewhere, Wanted("order_notional", "10"), account="paper", actor="user:bob")
    assert refused_by(desk.place(BUY, CENT)) == {"order_notional"}


def test_money_of_another_asset_binds_no_account_that_does_not_report_in_it(desk: RiskDesk) -> None:
    desk.limit("order_notional", "1 ETH", tenant="main")
    assert desk.place(BUY, CENT).state is OrderState.FILLED
    assert "order_notional" not in desk.uses()


def test_the_dry_run_of_an_order_leaves_nothing_counted(desk: RiskDesk) -> None:
    import asyncio

    desk.limit("orders_per_second", 1)
    desk.limit("gross_exposure", desk.dollars(desk.worth(CENT)))
    assert desk.paper.desk is not None
    for _ in range(3):
        intent = desk.intent(BUY, CENT, price=low(desk))
        outcome = asyncio.run(desk.paper.desk.submit(intent, dry_run=True))[0]
        assert outcome.order.state is OrderState.OPEN
    assert desk.place(BUY, CENT, price=low(desk)).state is OrderState.OPEN


@pytest.mark.parametrize(
    ("scope", "stops"),
    [
        ("global", {"grid", None}),
        ("tenant:main", {"grid", None}),
        ("account", {"grid", None}),
        ("strategy:grid", {"grid"}),
        ("tenant:another", set()),
        ("strategy:trend", set()),
    ],
)
def test_a_switch_stops_what_it_is_for(desk: RiskDesk, scope: str, stops: set[str | None]) -> None:
    switch.trip(desk.database, "user:ada", "a drill", desk.scope if scope == "account" else scope)
    for strategy in ("grid", None):
        refused = refused_by(desk.place(BUY, CENT, strategy=strategy))
        assert refused == ({"kill_switch"} if strategy in stops else set())

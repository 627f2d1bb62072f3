"""Whatever is asked, in whatever batches: no limit is passed by what was accepted, also after a restart."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sniper_cli.market.instruments import INSTRUMENTS
from sniper_cli.risk.usage import Use
from state.database import Database
from tests.risk_fixtures import BTC, BUY, DOLLAR, ETH, SELL, SOL, RiskDesk, risk_desk

LIMITS = {
    "position_notional": "4000",
    "gross_exposure": "9000",
    "net_exposure": "6000",
    "open_positions": "2",
    "total_spend": "7000",
    "leverage": "0.08x",
    "concentration": "4%",
}

ORDER = st.tuples(
    st.sampled_from([BTC, ETH, SOL]),
    st.sampled_from([BUY, SELL]),
    st.integers(50, 3_000),  # dollars, about
    st.sampled_from([None, "0.99", "0.7", "1.01", "1.05"]),
    st.booleans(),
)
STEP = st.one_of(
    st.lists(ORDER, min_size=1, max_size=6),
    st.sampled_from(["restart", "cancel", "second"]),
)


def act(desk: RiskDesk, step: object) -> None:
    if step == "restart":
        desk.paper.restart()
    elif step == "cancel":
        desk.paper.walk(
            lambda walk: [walk.cancel(one, "test") for one in list(walk.book.orders.values())[:1]]
        )
    elif step == "second":
        desk.clock.forward(seconds=1)
    else:
        desk.batch([intent(desk, *wish) for wish in step])  # type: ignore[attr-defined]


def intent(
    desk: RiskDesk, instrument: str, side: object, money: int, at: str | None, by_budget: bool
) -> object:
    spec = INSTRUMENTS[instrument]
    price = None if at is None else desk.paper.near(at, instrument)
    lots = max(1, int(Decimal(money) / desk.paper.price(instrument) / spec.lot))
    if by_budget and side is BUY:
        return desk.intent(BUY, None, instrument, budget=money * DOLLAR, price=price)
    return desk.intent(side, lots * spec.lot_units, instrument, price=price)  # type: ignore[arg-type]


def over(uses: dict[str, Use]) -> dict[str, tuple[int | None, int | None]]:
    return {name: (use.value, use.most) for name, use in uses.items() if use.broken}


@pytest.mark.parametrize("margin", [None, "4"])
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(STEP, min_size=1, max_size=10))
def test_accepted_orders_never_exceed_a_limit(
    tmp_path: Path, sqlite_template: Path, margin: str | None, steps: list[object]
) -> None:
    file = tmp_path / f"{uuid4()}.db"
    shutil.copy(sqlite_template, file)
    with Database(f"sqlite:///{file}") as database, risk_desk(database) as desk:
        if margin is not None:
            desk.margin(margin)
        for name, value in LIMITS.items():
            desk.limit(name, value)
        for step in steps:
            before = over(desk.uses())
            act(desk, step)
            after = over(desk.uses())
            # Time moves prices, and prices carry what is held over a limit; an order may not carry it further.
            grown = {
                name: figures
                for name, figures in after.items()
                if step != "second" and (name not in before or figures[0] > before[name][0])
            }
            assert grown == {}
        counted = {name: (use.value, use.most) for name, use in desk.uses().items()}
        desk.paper.restart()
        assert {name: (use.value, use.most) for name, use in desk.uses().items()} == counted

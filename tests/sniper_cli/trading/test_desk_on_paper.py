"""The desk's rules, held on the paper venue: idempotency, checks, limits, the kill switch, one exit a position."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from sniper_cli.audit.reading import entries
from sniper_cli.books.projector import catch_up
from sniper_cli.books.records import PATIENCE
from sniper_cli.errors import OrderRefused
from sniper_cli.market.simulated import SimulatedMarket
from sniper_cli.risk import switch
from sniper_cli.risk.limits import Limits
from sniper_cli.trading.assembly import failed_checks
from sniper_cli.trading.desk import OrderDesk
from sniper_cli.trading.explanation import explain
from sniper_cli.trading.intents import OrderIntent, OrderOutcome
from sniper_cli.venues.paper import PaperVenue, ensure_account
from state import journal
from state.accounts import VenueKind
from state.database import Database
from state.errors import LeaseLost
from state.locks import HeldLease, break_lease
from state.orders import Order, OrderState, OrderType, Side
from state.positions import Position
from tests.desk_fixtures import assert_books_balance

BTC, ETH = "paper:BTC/USDT", "paper:ETH/USDT"
USDT = 10**6


class Paper:
    """A paper account and its desk."""

    def __init__(self, database: Database, limits: Limits | None = None, **options: Any) -> None:
        self.database = database
        self.account = ensure_account(database)
        venues = {VenueKind.PAPER: PaperVenue(SimulatedMarket(7))}
        self.desk = OrderDesk(database, venues, limits=limits, actor="test", **options)

    def intent(self, side: Side = Side.BUY, instrument: str = BTC, **fields: Any) -> OrderIntent:
        fields = {"client_order_id": str(uuid4()), **fields}
        if side is Side.BUY and "quantity" not in fields:
            fields.setdefault("budget", 100 * USDT)
        return OrderIntent(self.account.id, instrument, side, **fields)

    async def submit(self, side: Side = Side.BUY, instrument: str = BTC, **fields: Any) -> OrderOutcome:
        return (await self.desk.submit(self.intent(side, instrument, **fields)))[0]

    def all(self, model: type[Any]) -> list[Any]:
        with self.database.read() as session:
            rows = list(session.exec(select(model).order_by(model.id)).all())
            session.expunge_all()
            return rows


@pytest.fixture
def open_paper(database: Database) -> Iterator[Callable[..., Paper]]:
    """Opens paper accounts' desks, and gives their connections back."""
    with ExitStack() as stack:

        def build(*args: Any, **options: Any) -> Paper:
            paper = Paper(database, *args, **options)
            stack.callback(paper.desk.close)
            return paper

        yield build


@pytest.fixture
def paper(open_paper: Callable[..., Paper]) -> Paper:
    return open_paper()


def failed(outcome: OrderOutcome) -> set[str]:
    return {check["name"] for check in failed_checks(outcome.order)}


async def test_a_market_order_is_filled_and_booked(paper: Paper) -> None:
    outcome = await paper.submit()
    assert outcome.order.state is OrderState.FILLED
    assert len(paper.all(Position)) == 1
    assert_books_balance(paper.database)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(ids=st.lists(st.sampled_from("abc"), min_size=1, max_size=6))
def test_an_id_makes_one_order_however_often_and_in_whatever_batches(
    tmp_path: Path, sqlite_template: Path, ids: list[str]
) -> None:
    file = tmp_path / f"{uuid4()}.db"
    file.write_bytes(sqlite_template.read_bytes())
    with Database(f"sqlite:///{file}") as database:
        paper = Paper(database)
        intents = [paper.intent(client_order_id=name) for name in ids]

        async def several_times() -> list[OrderOutcome]:
            batch = await paper.desk.submit(intents)
            apart = await asyncio.gather(*(paper.desk.submit(intent) for intent in intents))
            return [*batch, *(outcome for outcomes in apart for outcome in outcomes)]

        outcomes = asyncio.run(several_times())
        paper.desk.close()
        orders = paper.all(Order)
        assert sorted(order.client_order_id for order in orders) == sorted(set(ids))
        assert sum(not outcome.replayed for outcome in outcomes) == len(set(ids))
        assert_books_balance(database)


async def test_another_intent_under_a_used_id_is_refused_and_changes_nothing(paper: Paper) -> None:
    await paper.submit(client_order_id="mine")
    with pytest.raises(OrderRefused, match="has been used"):
        await paper.submit(client_order_id="mine", budget=200 * USDT)
    assert len(paper.all(Order)) == 1


async def test_why_and_how_urgently_may_differ_on_a_repeat(paper: Paper) -> None:
    await paper.submit(client_order_id="mine", reason={"origin": "a"})
    assert (await paper.submit(client_order_id="mine", reason={"origin": "b"}, urgency=2)).replayed


async def test_an_unknown_instrument_is_refused_by_name(paper: Paper) -> None:
    outcome = await paper.submit(instrument="paper:NOPE/USDT")
    assert outcome.refused
    assert failed(outcome) == {"instrument"}


@pytest.mark.parametrize(
    ("fields", "check"),
    [
        ({"budget": 10**15}, "funds"),
        ({"budget": 1}, "minimum_notional"),
        ({"quantity": 1, "budget": None}, "quantity"),
        ({"budget": None}, "quantity"),
        ({"type": OrderType.LIMIT}, "quantity"),
        ({"type": OrderType.LIMIT, "limit_price": Decimal("0.001")}, "quantity"),
        ({"side": Side.SELL, "quantity": 10**8}, "holdings"),
    ],
)
async def test_an_order_that_does_not_fit_is_refused_with_the_check_and_its_figures(
    paper: Paper, fields: dict[str, Any], check: str
) -> None:
    outcome = await paper.submit(**fields)
    assert outcome.refused
    assert check in failed(outcome)
    recorded = paper.all(Order)[0]
    assert recorded.state is OrderState.REFUSED
    assert check in (recorded.explanation or "")
    told = entries(paper.database, limit=1).entries[0]
    assert (told.kind, told.subject) == ("order.refused", str(recorded.id))
    refusal = next(one for one in told.data["checks"] if isinstance(one, dict) and one["name"] == check)
    assert refusal["detail"] in told.what


async def test_working_orders_keep_their_money_aside(paper: Paper) -> None:
    resting = {"type": OrderType.LIMIT, "limit_price": Decimal(10_000), "quantity": 5 * 10**8, "budget": None}
    first = await paper.submit(**resting)
    assert first.order.state is OrderState.OPEN
    second = await paper.submit(**resting)
    assert second.order.state is OrderState.REFUSED  # 50,000 of 100,000 are spoken for, and the fee is on top
    assert failed(second) == {"funds"}
    await paper.desk.cancel(first.order.id)
    assert (await paper.submit(**resting)).order.state is OrderState.OPEN


async def test_what_is_being_sold_cannot_be_sold_twice(paper: Paper) -> None:
    await paper.submit()
    position = paper.all(Position)[0]
    resting = {"type": OrderType.LIMIT, "limit_price": Decimal(10**6), "quantity": position.quantity}
    assert (await paper.submit(Side.SELL, position_id=position.id, **resting)).order.state is OrderState.OPEN
    again = await paper.submit(Side.SELL, position_id=position.id, **resting)
    assert failed(again) == {"holdings", "single_exit"}


async def test_the_kill_switch_lets_only_reductions_pass(paper: Paper) -> None:
    await paper.submit()
    switch.trip(paper.database, "test", "a drill")
    bought = await paper.submit()
    assert failed(bought) == {"kill_switch"}
    assert "a drill" in (bought.order.explanation or "")
    position = paper.all(Position)[0]
    sold = await paper.submit(Side.SELL, quantity=position.quantity, position_id=position.id)
    assert sold.order.state is OrderState.FILLED
    switch.reset(paper.database, "test", "over")
    assert (await paper.submit()).order.state is OrderState.FILLED


async def test_a_switch_that_another_process_trips_stops_the_next_order(paper: Paper) -> None:
    assert (await paper.submit()).order.state is OrderState.FILLED
    with Database(paper.database.url.render_as_string(hide_password=False)) as elsewhere:
        switch.trip(elsewhere, "test", "just in time")
    assert failed(await paper.submit()) == {"kill_switch"}


async def test_a_switch_tripped_between_the_checks_and_the_record_still_stops_the_order(
    open_paper: Callable[..., Paper],
) -> None:
    """A bulk desk works before it takes the lock: what was decided meanwhile makes it work again."""
    paper = open_paper(defer_above=0)
    for _ in range(PATIENCE + 1):  # until it trusts that nobody else is about
        assert (await paper.submit()).order.state is OrderState.FILLED
    tripped: list[str] = []

    def trip(step: str) -> None:
        if step == "before_record_commit" and not tripped:
            tripped.append(step)
            with Database(paper.database.url.render_as_string(hide_password=False)) as elsewhere:
                switch.trip(elsewhere, "test", "just in time")

    paper.desk.checkpoint = trip
    assert failed(await paper.submit()) == {"kill_switch"}
    assert tripped


async def test_who_lost_the_lease_places_nothing(paper: Paper) -> None:
    lease = HeldLease(paper.database, "grid:main")
    lease.take()
    paper.desk.fence = lease
    placed = await paper.submit(client_order_id="first", reason={"origin": "grid"})
    assert paper.all(Order)[0].reason == {"origin": "grid", "lease_epoch": 1}
    assert (await paper.submit(client_order_id="first")).order.id == placed.order.id

    paper.database.transact(lambda session: break_lease(session, "grid:main"))
    with pytest.raises(LeaseLost):
        await paper.submit(client_order_id="second")
    assert [order.client_order_id for order in paper.all(Order)] == ["first"]
    lease.take()
    assert (await paper.submit(client_order_id="third")).order.reason["lease_epoch"] == 3
    assert_books_balance(paper.database)


async def test_a_lease_lost_between_the_checks_and_the_record_places_nothing(
    open_paper: Callable[..., Paper],
) -> None:
    paper = open_paper(defer_above=0)
    lease = HeldLease(paper.database, "grid:main")
    lease.take()
    paper.desk.fence = lease
    for _ in range(PATIENCE + 1):
        await paper.submit()

    def lose(step: str) -> None:
        if step == "before_record_commit":
            with Database(paper.database.url.render_as_string(hide_password=False)) as elsewhere:
                elsewhere.transact(lambda session: break_lease(session, "grid:main"))

    paper.desk.checkpoint = lose
    with pytest.raises(LeaseLost):
        await paper.submit(client_order_id="late")
    catch_up(paper.database)
    assert len(paper.all(Order)) == PATIENCE + 1


async def test_limits_bound_positions_and_spending_but_never_sales(open_paper: Callable[..., Paper]) -> None:
    paper = open_paper(Limits(max_open_positions=1, max_total_spend=150 * USDT))
    assert (await paper.submit()).order.state is OrderState.FILLED
    assert failed(await paper.submit(instrument=ETH, budget=20 * USDT)) == {"open_positions"}
    assert failed(await paper.submit(budget=100 * USDT)) == {"total_spend"}
    position = paper.all(Position)[0]
    assert (await paper.submit(Side.SELL, quantity=position.quantity)).order.state is OrderState.FILLED


async def test_a_batch_shares_the_limits(open_paper: Callable[..., Paper]) -> None:
    paper = open_paper(Limits(max_open_positions=1, max_total_spend=1000 * USDT))
    outcomes = await paper.desk.submit([paper.intent(), paper.intent(instrument=ETH)])
    assert [outcome.order.state for outcome in outcomes] == [OrderState.FILLED, OrderState.REFUSED]


async def test_a_batch_is_one_record_and_an_outcome_each_in_its_order(paper: Paper) -> None:
    wishes = [
        paper.intent(client_order_id=f"b{number}", budget=(number + 1) * 20 * USDT) for number in range(9)
    ]
    wishes[4] = paper.intent(client_order_id="b4", budget=10**15)
    with paper.database.read() as session:
        before = session.get_one(journal.JournalHead, "journal").seq
    outcomes = await paper.desk.submit([*wishes, wishes[0]])
    assert [outcome.order.client_order_id for outcome in outcomes] == [f"b{n}" for n in range(9)] + ["b0"]
    assert [outcome.replayed for outcome in outcomes] == [False] * 9 + [True]
    assert [number for number, outcome in enumerate(outcomes) if outcome.refused] == [4]
    with paper.database.read() as session:
        assert session.get_one(journal.JournalHead, "journal").seq == before + 1
    assert_books_balance(paper.database)


async def test_the_story_of_an_order_goes_from_its_checks_to_its_lots_and_records(paper: Paper) -> None:
    await paper.submit(client_order_id="told", reason={"origin": "test"})
    position = paper.all(Position)[0]
    await paper.submit(
        Side.SELL, quantity=position.quantity, client_order_id="sold", reason={"rule": "by_hand"}
    )
    with paper.database.read() as session:
        bought, sold = explain(session, "told"), explain(session, "sold")
        whole = explain(session, str(position.id)[-12:])
    kinds = [chapter.kind for chapter in bought.chapters]
    assert {"check", "fill", "position", "record"} <= set(kinds)
    fill = next(chapter for chapter in sold.chapters if chapter.kind == "fill")
    assert [chapter.kind for chapter in fill.chapters] == ["lot_sold"]
    assert whole.kind == "position"
    assert "by hand" in whole.title
    assert [chapter.kind for chapter in whole.chapters][:2] == ["order", "order"]


async def test_every_act_stands_in_a_journal_that_holds(paper: Paper) -> None:
    await paper.submit()
    await paper.submit(budget=10**15)
    with paper.database.read() as session:
        assert journal.verify(session).whole
    kinds = [entry.kind for entry in entries(paper.database, limit=None).entries]
    assert {"order.recorded", "position.opened", "order.filled", "order.refused"} <= set(kinds)
    # A purchase by budget is over because the market says so, not because of a quantity.
    assert entries(paper.database, limit=None, kind="order.state").entries[0].data == {"state": "filled"}

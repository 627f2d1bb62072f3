"""What the dashboard reads: true figures, in one transaction, and little work while nothing has happened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from docs import scene
from docs.scene_acts import ACTS, NATIVE, NOW, SETTINGS, STAKE
from sniper_cli.books.records import Books
from sniper_cli.monitoring.rows import Dashboard
from sniper_cli.monitoring.sentences import Money
from sniper_cli.monitoring.snapshot import Limits, Monitor
from sniper_cli.monitoring.stories import launch_story, order_story, position_story
from sniper_cli.risk import switch
from sniper_cli.safety.report import Outcome
from sniper_cli.settings.model import Mode, Settings
from sniper_cli.sniping.exits import ExitRule
from state import schema
from state.accounts import Account, Balance
from state.database import Database
from state.errors import RowNotFound
from state.identifiers import new_id
from state.journal import append
from state.launches import Launch, Verdict
from state.positions import Position, PositionState
from tests.books_fixtures import Ledger
from tests.conftest import Begun


def monitor(database: Database, limits: Limits | None = None, settings: Settings = SETTINGS) -> Monitor:
    return Monitor(database, profile="demo", settings=settings, limits=limits, clock=lambda: NOW)


def lay(url: str) -> None:
    with Database(url) as database:
        schema.upgrade(database)
        scene.stage(database)


@pytest.fixture
def evening(begun_with: Begun) -> Database:
    """The scene, on both kinds of database."""
    return begun_with("scene", lay)


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """The SQL that is sent meanwhile."""
    sent: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", note)
    yield sent
    sa.event.remove(database.engine, "before_cursor_execute", note)


def test_the_header_s_money_is_that_of_the_ledger_and_the_positions(evening: Database):
    facts = monitor(evening).read().facts
    with evening.read() as session:
        cash = session.exec(select(Balance.amount).where(Balance.asset_id == NATIVE)).one()
        profits = dict.fromkeys(PositionState, 0)
        for position in session.exec(select(Position)):
            profits[position.state] += position.profit

    assert facts.cash == cash
    assert facts.realised == profits[PositionState.CLOSED]
    assert facts.unrealised == profits[PositionState.OPEN]
    assert facts.equity is not None
    assert facts.equity - 100 * 10**18 == facts.realised + facts.unrealised


def test_counts_and_head_are_those_of_the_tables(evening: Database):
    facts = monitor(evening).read().facts

    assert (facts.seen, facts.bought, facts.open) == (len(ACTS), 11, 5)
    assert facts.safe == sum(act.verdict is Verdict.SAFE for act in ACTS)
    assert (facts.head_number, facts.account, facts.coin) == (214, "demo", "ETH")
    assert not facts.stale(NOW)
    assert facts.stale(NOW + timedelta(seconds=3))


def test_launches_come_newest_first_with_taxes_reasons_and_what_came_of_them(evening: Database):
    rows = {row.symbol: row for row in monitor(evening).read().launches}

    assert list(rows) == [act.symbol for act in reversed(ACTS)]
    assert rows["SAFEMARS"].sell_tax_bps == 9000
    assert rows["EMBER"].exit_rule == "take_profit"
    assert rows["WAVE"].exit_rule is None
    assert rows["WAVE"].profit is not None
    assert rows["DRIFT"].verdict is Verdict.PENDING


def test_open_positions_come_before_closed_ones_with_a_gauge_for_each_rule(evening: Database):
    positions = monitor(evening).read().positions
    wave = next(row for row in positions if row.symbol == "WAVE/ETH")
    gauges = {gauge.rule: gauge for gauge in wave.gauges}

    assert [row.is_open for row in positions] == [True] * 5 + [False] * 6
    # Worth 0.1488 of the 0.16 at which profit is taken: 81.3 % of the way, 7.5 % to go.
    assert gauges[ExitRule.TAKE_PROFIT].progress == 813
    assert round(gauges[ExitRule.TAKE_PROFIT].share_pct, 1) == Decimal("7.5")
    # Its peak was 0.1502, 12 % below is 0.132176: awake, a tenth of the way gone.
    assert gauges[ExitRule.TRAILING_STOP].active
    assert gauges[ExitRule.TRAILING_STOP].level == STAKE * 1502 // 1000 * 88 // 100
    assert gauges[ExitRule.STOP_LOSS].progress == 0


def test_events_name_the_token_they_are_about(evening: Database):
    events = monitor(evening).read().events
    sent = next(event for event in events if event.kind == "transaction.mined")

    assert [event.seq for event in events] == sorted((event.seq for event in events), reverse=True)
    assert len({event.key for event in events}) == len(events)
    assert sent.about == "PIXEL"
    assert sent.text.startswith("approve mined in block")


def test_nothing_new_costs_few_queries_and_touches_no_long_table(evening: Database):
    reader = monitor(evening)
    first = reader.read()
    with statements(evening) as sent:
        second = reader.read()

    asked = [text for text in sent if text.startswith("SELECT")]
    assert len(asked) <= 7
    assert not any(
        table in text for text in asked for table in ("FROM launch", "FROM journal ", "chain_transaction")
    )
    assert second.launches == first.launches


def test_marks_move_without_the_journal_and_leave_a_trend(evening: Database):
    reader = monitor(evening)
    for step in range(-5, 1):
        scene.advance(evening, step)
        board = reader.read()
    wave = next(row for row in board.positions if row.symbol == "WAVE/ETH")

    assert wave.value == STAKE * 1488 // 1000
    assert len(wave.trend) == 6
    assert wave.trend[-1] == wave.value
    assert len(board.facts.trend) == 6


def test_what_the_journal_tells_of_is_read_again(evening: Database):
    reader = monitor(evening)
    reader.read()
    with evening.write() as session:
        launch = session.exec(select(Launch).where(Launch.symbol == "DRIFT")).one()
        launch.verdict, launch.judged_at = Verdict.SAFE, NOW
        launch.report = {"buy_tax_bps": 120, "sell_tax_bps": 130}
        append(session, "launch.judged", launch.id, {"verdict": "safe"}, actor="sniper")
    board = reader.read()

    assert board.launches[0].verdict is Verdict.SAFE
    assert (board.launches[0].buy_tax_bps, board.launches[0].sell_tax_bps) == (120, 130)
    assert board.events[0].kind == "launch.judged"
    assert board.events[0].about == "DRIFT"


def test_a_tripped_switch_shows_with_who_and_why(evening: Database):
    switch.trip(evening, "user:ada", "strange fills")
    found = monitor(evening).read().facts.switch

    assert found is not None
    assert (found.actor, found.reason) == ("user:ada", "strange fills")


def test_rows_are_limited_and_counts_are_not(evening: Database):
    board = monitor(evening, Limits(launches=5, orders=4, closed=3, events=10)).read()

    assert lengths(board) == (5, 5 + 3, 4, 10)
    assert board.facts.seen == len(ACTS)


def lengths(board: Dashboard) -> tuple[int, int, int, int]:
    return len(board.launches), len(board.positions), len(board.orders), len(board.events)


def test_an_empty_database_is_an_empty_dashboard(database: Database):
    board = monitor(database).read()

    assert lengths(board)[:3] == (0, 0, 0)
    assert {event.kind for event in board.events} <= {"schema.upgraded"}
    assert board.facts.equity is None
    assert board.facts.head_number is None


def test_a_paper_profile_shows_no_launches_of_a_chain(evening: Database):
    board = monitor(evening, settings=Settings(mode=Mode.PAPER)).read()

    assert board.launches == ()


def test_the_account_named_like_the_profile_is_the_one_shown(evening: Database):
    with evening.write() as session:
        other = session.exec(select(Account)).one().model_copy(update={"id": new_id(), "name": "another"})
        session.add(Account(**other.model_dump()))

    assert monitor(evening).read().facts.account == "demo"


def launch_named(session: Session, symbol: str) -> Launch:
    return session.exec(select(Launch).where(Launch.symbol == symbol)).one()


def test_a_launch_s_story_has_its_checks_orders_position_and_records(evening: Database):
    with evening.read() as session:
        identifier = launch_named(session, "EMBER").id
    story = launch_story(evening, identifier, money=Money("ETH"), now=NOW)

    assert all(check.outcome is Outcome.PASS for check in story.checks)
    assert [str(order.side) for order in story.orders] == ["buy", "sell"]
    assert story.position is not None
    assert story.position.exit_rule == "take_profit"
    kinds = [event.kind for event in story.timeline]
    assert kinds[:3] == ["launch.seen", "launch.judged", "launch.decided"]
    assert kinds.count("transaction.mined") == 3
    assert kinds[-2:] == ["order.filled", "position.closed"]
    assert story.timeline[-1].text == "closed by take profit with a profit of 0.0598 ETH"
    assert kinds.count("order.recorded") == kinds.count("order.sent") == 2
    assert kinds.count("position.opened") == 1


def test_a_position_s_and_an_order_s_story(evening: Database):
    board = monitor(evening).read()
    wave = next(row for row in board.positions if row.symbol == "WAVE/ETH")
    position = position_story(evening, wave.id, now=NOW)
    order = order_story(evening, position.orders[0].id)

    assert replace(position.row, trend=wave.trend) == wave
    assert [line.purpose for line in order.transactions] == ["buy", "approve"]
    assert order.fills[0].notional == STAKE
    assert order.checks[0].name == "kill switch"


@pytest.mark.parametrize("story", [launch_story, position_story, order_story])
def test_a_story_of_nothing_is_an_error_with_a_hint(database: Database, story: object):
    with pytest.raises(RowNotFound) as caught:
        story(database, new_id())  # type: ignore[operator]

    assert caught.value.hint is not None


def test_thousands_of_rows_are_read_in_bounded_pages(database: Database, tmp_path: Path):
    del tmp_path
    with database.write() as session:
        for number in range(1500):
            launch = Launch(
                chain_id=31337,
                protocol="uniswap_v2",
                factory="0x0",
                pool=f"0x{number:040x}",
                token=f"0x{number:040x}",
                quote_token="0x0",
                block_number=number,
                block_hash="0x0",
                tx_hash="0x0",
            )
            session.add(launch)
            append(session, "launch.seen", launch.id, {"block_number": number}, actor="sniper")
    board = monitor(database).read()

    assert lengths(board) == (300, 0, 0, 500)
    assert board.facts.seen == 1500


def bulk_ledger(database: Database) -> Ledger:
    """An account whose bulk desk died before its rows were brought in."""
    ledger = Ledger(database)
    ledger.books.close()
    ledger.books = Books(database, actor="bulk", defer_above=0)
    ledger.books._leave_to_projector = lambda: None  # type: ignore[method-assign]
    for number in range(12):
        ledger.buy(100, 1000 + number, strategy="grid")
    ledger.books.close()
    return ledger


def test_a_screen_says_how_far_behind_it_is_and_brings_the_rest_in(database: Database):
    bulk_ledger(database)
    reader = Monitor(database, profile="any", settings=Settings(mode=Mode.PAPER))
    first = reader.read()
    assert (first.facts.lag, first.orders) == (12, ())
    assert "order.recorded" not in {event.kind for event in first.events}

    boards = [reader.read() for _ in range(12)]
    last = boards[-1]
    assert [board.facts.lag for board in boards] == sorted((b.facts.lag for b in boards), reverse=True)
    assert (last.facts.lag, len(last.orders)) == (0, 12)
    kinds = [event.kind for event in last.events]
    assert (kinds.count("order.recorded"), kinds.count("position.opened")) == (12, 1)
    assert len({event.key for event in last.events}) == len(last.events)

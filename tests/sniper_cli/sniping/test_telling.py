"""What sniping came to: counted from rows that were written down by hand, and what was refused looked at again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from sqlmodel import Session, select

from sniper_cli.chains.exchange import Exchange, Exchanges
from sniper_cli.sniping.events import HeadSeen, LaunchDecided
from sniper_cli.sniping.follow_up import Hindsight, due, hindsight
from sniper_cli.sniping.telling import report, spread, stuck_positions
from state.database import Database
from state.launches import Decision, Judgement, Launch, Occasion, Source, Verdict
from state.orders import Order, OrderState, OrderType, Side, TimeInForce
from state.positions import Position, PositionState
from tests.sniper_cli.sniping.conftest import WEI, Hunt, exits, sniping

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
ACCOUNT = uuid4()
EXCHANGES = Exchanges((Exchange(1, "0xc", "0xf", "0xe"),))


def launch(number: int, decision: Decision, **more: object) -> Launch:
    known = {
        "chain_id": 1, "protocol": "uniswap_v2", "factory": "0xf", "pool": f"0x{number}", "token": f"0xa{number}",
        "quote_token": "0xc", "block_number": 100, "block_hash": "0xb", "tx_hash": "0xd", "decision": decision,
        "seen_at": NOON + timedelta(minutes=number),
    }  # fmt: skip
    return Launch(**{**known, **more})


def position(launch_id: UUID, received: int, fees: int, rule: str) -> Position:
    return Position(
        account_id=ACCOUNT, instrument_id="i", launch_id=launch_id, state=PositionState.CLOSED, spent=WEI,
        received=received, fees=fees, exit_rule=rule, opened_at=NOON, closed_at=NOON,
    )  # fmt: skip


def judged(one: Launch, block: int, verdict: Verdict) -> Judgement:
    return Judgement(
        chain_id=1, launch_id=one.id, token=one.token, pool=one.pool, occasion=Occasion.FOLLOW_UP,
        block_number=block, block_hash="0x", verdict=verdict, classification="ok",
    )  # fmt: skip


def written(session: Session) -> None:
    """Two bought, one won and one lost; three refused, of which one was wrong, one right, one never looked at."""
    good, bad = launch(1, Decision.BOUGHT, latency_us=30), launch(2, Decision.BOUGHT, latency_us=50)
    wrong = launch(3, Decision.REFUSED, classification="tax", verdict=Verdict.UNSAFE, source=Source.PENDING)
    right = launch(4, Decision.REFUSED, classification="honeypot", verdict=Verdict.UNSAFE)
    never = launch(5, Decision.REFUSED, classification="honeypot", verdict=Verdict.UNSAFE)
    for one in (good, bad, wrong, right, never):
        session.add(one)
    session.flush()
    session.add(position(good.id, 2 * WEI, WEI // 10, "take_profit"))
    session.add(position(bad.id, WEI // 2, WEI // 10, "stop_loss"))
    session.add(judged(wrong, 150, Verdict.UNSAFE))
    session.add(judged(wrong, 600, Verdict.SAFE))
    session.add(judged(right, 150, Verdict.UNSAFE))


def test_a_report_adds_up_by_hand(sqlite_database: Database) -> None:
    sqlite_database.transact(written)
    with sqlite_database.read() as session:
        told = report(session)
    assert (told.seen, told.bought, told.closed, told.won, told.win_rate_pct) == (5, 2, 2, 1, Decimal(50))
    assert told.by_source == {"log": 4, "pending": 1}
    assert told.refused_by == {"honeypot": 2, "tax": 1}
    # 2 + 0.5 came in, 2 went out, 0.2 was gas.
    assert (told.spent, told.received, told.gas, told.profit) == (
        Decimal(2), Decimal("2.5"), Decimal("0.2"), Decimal("0.3"),
    )  # fmt: skip
    assert [(x.rule, x.count, x.won, x.profit) for x in told.exits] == [
        ("stop_loss", 1, 0, Decimal("-0.6")),
        ("take_profit", 1, 1, Decimal("0.9")),
    ]
    assert (told.verdict_us.p50, told.verdict_us.p95, told.verdict_us.worst) == (30, 50, 50)
    assert told.hindsight == {"right": 1, "wrong": 1, "unknown": 1}


def test_a_report_of_a_time_counts_that_time(sqlite_database: Database) -> None:
    sqlite_database.transact(written)
    with sqlite_database.read() as session:
        told = report(session, since=NOON + timedelta(minutes=3), until=NOON + timedelta(minutes=5))
    assert (told.seen, told.bought, told.win_rate_pct) == (2, 0, None)


def test_ranks_are_figures_that_were_measured() -> None:
    assert (spread(range(1, 101)).p50, spread(range(1, 101)).p95) == (50, 95)
    assert spread([]).count == 0


def test_what_could_not_have_been_bought_is_not_looked_at_again(sqlite_database: Database) -> None:
    def write(session: Session) -> None:
        session.add(launch(1, Decision.SKIPPED, factory="0x0f", protocol="uniswap_v3"))
        session.add(launch(2, Decision.SKIPPED, source=Source.SCAN))
        session.add(launch(3, Decision.SKIPPED))

    sqlite_database.transact(write)
    with sqlite_database.read() as session:
        assert [one.launch.token for one in due(session, EXCHANGES, 150, [50])] == ["0xa3"]


def test_a_launch_is_due_at_each_age_once(sqlite_database: Database) -> None:
    sqlite_database.transact(written)

    def tokens(head: int) -> list[tuple[str, int]]:
        with sqlite_database.read() as session:
            return [(one.launch.token, one.age) for one in due(session, EXCHANGES, head, [50, 500])]

    # Listed in block 100. 0xa3 was looked at in blocks 150 and 600, 0xa4 in 150, 0xa5 never.
    assert tokens(149) == []
    assert tokens(150) == [("0xa5", 50)]
    assert tokens(700) == [("0xa4", 500), ("0xa5", 500)]
    assert tokens(5_000) == []


def test_only_what_is_proven_counts_as_right_or_wrong() -> None:
    assert hindsight(Verdict.SAFE) is Hindsight.WRONG
    assert hindsight(Verdict.UNSAFE) is Hindsight.RIGHT
    assert hindsight(Verdict.NOT_PROVEN) is Hindsight.UNKNOWN
    assert hindsight(None) is Hindsight.UNKNOWN


def test_what_could_not_be_sold_is_found_by_its_orders(sqlite_database: Database) -> None:
    held = Position(account_id=ACCOUNT, instrument_id="i", spent=WEI)

    def write(session: Session) -> None:
        session.add(held)
        for attempt in range(3):
            session.add(
                Order(
                    account_id=ACCOUNT,
                    client_order_id=f"position-{held.id}-exit-{attempt}",
                    instrument_id="i",
                    side=Side.SELL,
                    type=OrderType.MARKET,
                    time_in_force=TimeInForce.GTC,
                    state=OrderState.REJECTED,
                    quantity=1,
                    position_id=held.id,
                )
            )

    sqlite_database.transact(write)
    with sqlite_database.read() as session:
        assert list(stuck_positions(session, after=3).values()) == [3]
        assert stuck_positions(session, after=4) == {}


@pytest.mark.anvil
async def test_a_refused_launch_is_looked_at_again_while_the_sniper_runs(hunt: Hunt) -> None:
    await hunt.start(sniping(exits(follow_up_blocks=("3",))))
    _, pool = await hunt.list("Sell99")
    await hunt.until(LaunchDecided)
    for _ in range(6):
        await hunt.chain.mine()
        await hunt.until(HeadSeen)
    with hunt.database.read() as session:
        query = select(Judgement).where(Judgement.occasion == Occasion.FOLLOW_UP)
        found = [(row.pool, row.verdict) for row in session.exec(query).all()]
    assert found == [(pool, Verdict.UNSAFE)]

"""From a listing on a real chain to a purchase, a refusal, or a reason to stay out."""

from __future__ import annotations

import pytest
from sqlmodel import select

from sniper_cli.audit.reading import entries
from sniper_cli.books.verification import verify
from sniper_cli.risk import switch
from sniper_cli.sniping.events import (
    BuySent,
    LaunchDecided,
    LaunchJudged,
    LaunchSeen,
    LaunchWaiting,
    PositionClosed,
    PositionOpened,
)
from state import journal
from state.errors import LeaseLost
from state.launches import Decision, Launch, Verdict
from state.orders import Order
from tests.sniper_cli.sniping.conftest import OWNER, WEI, Hunt, exits, sniping
from tests.zoo import anvil_account, calldata, transact

pytestmark = pytest.mark.anvil


async def test_a_good_token_is_seen_judged_and_bought(hunt: Hunt) -> None:
    await hunt.start(sniping())
    token, pool = await hunt.list("Normal")
    assert (await hunt.until(LaunchSeen)).token == token
    assert (await hunt.until(LaunchJudged)).verdict == Verdict.SAFE
    await hunt.until(BuySent)
    opened = await hunt.until(PositionOpened)
    assert (opened.token, opened.spent, opened.blocks_after_launch) == (token, WEI // 10, 1)
    launch = hunt.launch(pool)
    assert (launch.verdict, launch.decision, launch.symbol) == (Verdict.SAFE, Decision.BOUGHT, "NORMAL")
    assert launch.latency_us
    assert launch.report["checks"]
    await hunt.stop()
    await hunt.require_true_ledger()


@pytest.mark.parametrize(("kind", "words"), [("SellFlag", "selling fails"), ("Sell99", "sell tax 99")])
async def test_a_bad_token_is_refused_with_its_reason_and_never_ordered(
    hunt: Hunt, kind: str, words: str
) -> None:
    await hunt.start(sniping())
    _, pool = await hunt.list(kind)
    decided = await hunt.until(LaunchDecided)
    assert decided.decision == Decision.REFUSED
    assert words in decided.reason
    assert hunt.launch(pool).verdict is Verdict.UNSAFE
    with hunt.database.read() as session:
        assert session.exec(select(Order)).all() == []


async def test_a_token_that_opens_later_is_judged_again_and_bought_then(hunt: Hunt) -> None:
    await hunt.start(sniping())
    token, pool = await hunt.list("NotOpen")
    assert (await hunt.until(LaunchJudged)).classification == "not_open"
    await hunt.until(LaunchWaiting)
    await transact(hunt.chain.node, OWNER, token, calldata("openTrading()"))
    assert (await hunt.until(LaunchJudged)).verdict == Verdict.SAFE
    await hunt.until(PositionOpened)
    assert hunt.launch(pool).decision is Decision.BOUGHT


async def test_a_token_that_never_opens_is_refused_when_its_time_is_over(hunt: Hunt) -> None:
    await hunt.start(sniping(recheck_blocks=3))
    await hunt.list("NotOpen")
    await hunt.until(LaunchWaiting)
    await hunt.chain.mine(5)
    assert (await hunt.until(LaunchDecided)).decision == Decision.REFUSED


async def test_several_launches_at_once_are_each_bought(hunt: Hunt) -> None:
    await hunt.start(sniping())
    tokens = {(await hunt.list("Normal"))[0] for _ in range(3)}
    opened = {(await hunt.until(PositionOpened)).token for _ in range(3)}
    assert opened == tokens


async def test_a_dry_run_judges_and_buys_nothing(hunt: Hunt) -> None:
    await hunt.start(sniping(), dry_run=True)
    _, pool = await hunt.list("Normal")
    decided = await hunt.until(LaunchDecided)
    assert (decided.decision, hunt.launch(pool).verdict) == (Decision.SKIPPED, Verdict.SAFE)
    assert "dry run" in decided.reason


async def test_a_tripped_kill_switch_keeps_out_and_says_so(hunt: Hunt) -> None:
    switch.trip(hunt.database, actor="tests", reason="enough for today")
    await hunt.start(sniping())
    _, pool = await hunt.list("Normal")
    decided = await hunt.until(LaunchDecided)
    assert decided.decision == Decision.SKIPPED
    assert "enough for today" in decided.reason
    assert any("enough for today" in reason for reason in hunt.launch(pool).reasons)


async def test_an_account_without_funds_keeps_out_and_says_so(hunt: Hunt) -> None:
    purse = 10_000 * WEI
    await hunt.start(
        sniping(amount=9_999, max_total_spend=10_000, max_share_of_pool_bps=10_000, min_liquidity=0)
    )
    await transact(hunt.chain.node, anvil_account(1), OWNER.address, value=purse // 2)
    rich = anvil_account(9).address  # who lists; a purchase as large as its pool would prove nothing
    await hunt.chain.node.call("anvil_setBalance", [rich, hex(200_000 * WEI)])
    await hunt.list("Normal", pool_wei=100_000 * WEI)
    decided = await hunt.until(LaunchDecided)
    assert decided.decision == Decision.SKIPPED
    assert "funds" in decided.reason


async def test_the_limit_of_open_positions_keeps_out(hunt: Hunt) -> None:
    await hunt.start(sniping(max_open_positions=1))
    await hunt.list("Normal")
    await hunt.until(PositionOpened)
    await hunt.list("Normal")
    decided = await hunt.until(LaunchDecided)
    assert decided.decision == Decision.SKIPPED
    assert "at most 1" in decided.reason


async def test_what_was_listed_while_nobody_watched_is_bought_if_it_is_young(hunt: Hunt) -> None:
    await hunt.start(sniping(recheck_blocks=10))
    await hunt.stop()
    token, _ = await hunt.list("Normal")
    await hunt.start(sniping(recheck_blocks=10))
    assert (await hunt.until(PositionOpened)).token == token


async def test_what_was_listed_long_ago_while_nobody_watched_is_too_old(hunt: Hunt) -> None:
    await hunt.start(sniping(recheck_blocks=5))
    await hunt.stop()
    _, pool = await hunt.list("Normal")
    await hunt.chain.mine(10)
    await hunt.start(sniping(recheck_blocks=5))
    decided = await hunt.until(LaunchDecided)
    assert "too old" in decided.reason
    assert hunt.launch(pool).decision is Decision.SKIPPED


async def test_a_restart_buys_nothing_twice_and_takes_up_its_positions(hunt: Hunt) -> None:
    await hunt.start(sniping())
    await hunt.list("Normal")
    await hunt.until(PositionOpened)
    await hunt.stop()
    await hunt.start(sniping(exits(max_age_seconds=1)))
    await hunt.chain.mine(2)
    # The rules of a position are those it was opened with: this one knows no time.
    with hunt.database.read() as session:
        assert len(session.exec(select(Launch)).all()) == 1
        buys = [order for order in session.exec(select(Order)).all() if order.side == "buy"]
        assert len(buys) == 1
    assert not [event for event in hunt.events if isinstance(event, BuySent | PositionClosed)]


async def test_two_snipers_on_one_account_do_not_run_at_once(hunt: Hunt) -> None:
    await hunt.start(sniping())
    with pytest.raises(LeaseLost):
        await hunt.sniper(sniping()).run(hunt._stop)


async def test_each_step_of_a_launch_stands_in_the_journal(hunt: Hunt) -> None:
    await hunt.start(sniping())
    await hunt.list("Normal")
    await hunt.until(PositionOpened)
    await hunt.stop()
    kinds = [entry.kind for entry in entries(hunt.database, limit=None).entries]
    with hunt.database.read() as session:
        assert journal.verify(session).whole
    proved = verify(hunt.database)
    assert proved.whole, proved.findings
    steps = [
        "launch.seen",
        "launch.judged",
        "order.recorded",
        "launch.decided",
        "position.opened",
        "runner.stopped",
    ]
    places = [kinds.index(step) for step in steps]
    assert places == sorted(places)

"""Judgements are kept, and what is held is judged by its whole dossier."""

from __future__ import annotations

import pytest

from sniper_cli.safety.deployers import Record, record_of
from sniper_cli.sniping.events import ExitDecided, LaunchDecided, LaunchJudged, PositionClosed, PositionOpened
from sniper_cli.sniping.exits import ExitRule
from state.database import Database
from state.launches import Decision, Judgement, Launch, Occasion, Verdict, judgements_of
from tests.sniper_cli.sniping.conftest import OWNER, Hunt, sniping
from tests.zoo import calldata, transact

DEPLOYER = "0x" + "de" * 20


@pytest.mark.anvil
async def test_a_launchs_judgement_is_kept_with_its_dossier(hunt: Hunt) -> None:
    await hunt.start(sniping(dossier_budget_ms=5_000))
    _, pool = await hunt.list("HiddenOwner")
    decided = await hunt.until(LaunchDecided)
    assert decided.decision == Decision.REFUSED
    assert "a hidden authority" in decided.reason
    launch = hunt.launch(pool)
    with hunt.database.read() as session:
        [kept] = judgements_of(session, launch.id)
        assert (kept.occasion, kept.verdict) == (Occasion.LAUNCH, Verdict.UNSAFE)
        assert kept.reasons == launch.reasons
        names = {line["name"]: line["outcome"] for line in kept.dossier["groups"]["powers"]}
    assert names["hidden_powers"] == "fail"
    assert launch.report["groups"]["powers"]


@pytest.mark.anvil
async def test_who_launched_a_bad_token_is_remembered_at_his_next_launch(hunt: Hunt) -> None:
    await hunt.start(sniping(dossier_budget_ms=5_000))
    _, bad = await hunt.list("AutoBlacklist")
    await hunt.until(LaunchDecided)
    assert hunt.launch(bad).deployer == OWNER.address.lower()

    _, good = await hunt.list("Normal")
    await hunt.until(PositionOpened)
    [line] = [
        line for line in hunt.launch(good).report["groups"]["deployer"] if line["name"] == "deployer_record"
    ]
    assert (line["outcome"], line["figure"]) == ("fail", "1 of 1")


@pytest.mark.anvil
async def test_what_had_no_time_at_the_launch_is_found_while_held_and_left(hunt: Hunt) -> None:
    await hunt.start(sniping(dossier_budget_ms=0))
    _, pool = await hunt.list("BalanceBurn")
    assert (await hunt.until(LaunchJudged)).verdict == Verdict.SAFE
    await hunt.until(PositionOpened)
    with hunt.ticking():
        closed = await hunt.until(PositionClosed)
    assert closed.rule == ExitRule.SAFETY
    with hunt.database.read() as session:
        kept = judgements_of(session, hunt.launch(pool).id)
        assert [each.verdict for each in kept[:2]] == [Verdict.SAFE, Verdict.UNSAFE]
        assert kept[1].occasion is Occasion.HOLDING
        assert kept[1].position_id is not None
        assert "can take a holder's tokens" in kept[1].reasons[0]


@pytest.mark.anvil
async def test_a_holder_whom_the_owner_locks_in_is_told_so(hunt: Hunt) -> None:
    """No simulated stranger is on the list; only the sale from the own account shows it."""
    await hunt.start(sniping())
    token, _ = await hunt.list("OwnerBlacklist")
    await hunt.until(PositionOpened)
    listed = calldata("blacklist(address,bool)", hunt.account.address, True)
    assert (await transact(hunt.chain.node, OWNER, token, listed)).ok
    with hunt.ticking():
        decided = await hunt.until(ExitDecided)
    assert decided.rule == ExitRule.SAFETY
    assert "selling fails from the holder's account" in decided.detail


def seen(database: Database, pool: str, verdict: Verdict, *, later: Verdict | None = None) -> None:
    """A launch of the deployer, and what it was judged afterwards."""
    with database.write() as session:
        launch = Launch(
            chain_id=1, protocol="uniswap_v2", factory="0x1", pool=pool, token="0x" + "2" * 40, quote_token="0x3",
            block_number=1, block_hash="0x4", tx_hash="0x5", deployer=DEPLOYER, verdict=verdict,
        )  # fmt: skip
        session.add(launch)
        session.flush()
        if later is not None:
            session.add(
                Judgement(
                    chain_id=1, launch_id=launch.id, token=launch.token, pool=pool, occasion=Occasion.FOLLOW_UP,
                    block_number=2, block_hash="0x6", verdict=later, classification="honeypot",
                )
            )  # fmt: skip


def test_a_deployers_record_counts_what_was_bad_and_what_turned_bad(database: Database) -> None:
    seen(database, "0xa", Verdict.SAFE)
    seen(database, "0xb", Verdict.UNSAFE)
    seen(database, "0xc", Verdict.SAFE, later=Verdict.UNSAFE)
    seen(database, "0xd", Verdict.UNSAFE, later=Verdict.UNSAFE)
    seen(database, "0xe", Verdict.UNSAFE)
    with database.read() as session:
        assert record_of(session, 1, DEPLOYER.upper().replace("0X", "0x"), besides="0xe") == Record(4, 2, 1)
        assert record_of(session, 2, DEPLOYER, besides="") == Record()

"""The record of every launch: seen once, what was found out about it, what was decided, all journalled.

Each function runs inside the caller's write transaction, so that the row and its journal record stand together.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from sniper_cli.safety.report import Classification, SafetyReport
from sniper_cli.sniping.listings import Listing
from state import journal
from state.columns import utc_now
from state.database import lock_row
from state.errors import RowNotFound
from state.launches import Decision, Judgement, Launch, Occasion, Source, find_launch
from state.positions import Position, PositionState

NO_BLOCK = ""
"""The block's hash of a launch that only a waiting transaction has told of."""
MOST_CLOSED = 500
"""Tokens not open yet whose opening is listened for, the latest."""


def record_seen(
    session: Session, chain_id: int, listing: Listing, *, actor: str, source: Source = Source.LOG
) -> tuple[Launch, bool]:
    """Record a pool, or find it: the launch, and whether it is new or has come back in another block."""
    known = find_launch(session, chain_id, listing.pool)
    if known is not None and is_announced(known):
        return known, _listed_as_announced(session, known, listing, actor=actor)
    if known is not None:
        return known, _mined_again(session, known, listing, actor=actor)
    launch = _new(session, chain_id, listing, source, actor=actor)
    return launch, True


def record_announced(
    session: Session, chain_id: int, listing: Listing, next_block: int, *, deployer: str, actor: str
) -> Launch:
    """Record a pool that a waiting transaction will fill, or find it. Until its log comes it has no block's hash."""
    known = find_launch(session, chain_id, listing.pool)
    if known is None:
        expected = listing._replace(block_number=next_block, block_hash=NO_BLOCK)
        launch = _new(session, chain_id, expected, Source.PENDING, actor=actor)
        launch.deployer = deployer
        session.add(launch)
        return launch
    if is_announced(known) and known.tx_hash != listing.tx_hash:
        known = _locked(session, known.id)
        known.tx_hash, known.block_number, known.vanished_at = listing.tx_hash, next_block, None
        known.deployer = deployer
        session.add(known)
        journal.append(session, "launch.announced", known.id, {"tx_hash": known.tx_hash}, actor=actor)
    return known


def is_announced(launch: Launch) -> bool:
    """Whether a launch is known by a waiting transaction alone: no log has told of its pool."""
    return launch.block_hash == NO_BLOCK


def _new(session: Session, chain_id: int, listing: Listing, source: Source, *, actor: str) -> Launch:
    launch = Launch(
        chain_id=chain_id,
        protocol=listing.protocol.value,
        fee=listing.fee,
        tick_spacing=listing.tick_spacing,
        hooks=listing.hooks,
        source=source,
        factory=listing.factory,
        pool=listing.pool,
        token=listing.token,
        quote_token=listing.quote_token,
        block_number=listing.block_number,
        block_hash=listing.block_hash,
        tx_hash=listing.tx_hash,
    )
    session.add(launch)
    session.flush()
    data = {
        "chain_id": chain_id,
        "pool": launch.pool,
        "token": launch.token,
        "block_number": launch.block_number,
        "block_hash": launch.block_hash,
        "tx_hash": launch.tx_hash,
        "protocol": launch.protocol,
        "source": launch.source.value,
    }
    journal.append(session, "launch.seen", launch.id, data, actor=actor)
    return launch


def _listed_as_announced(session: Session, launch: Launch, listing: Listing, *, actor: str) -> bool:
    """An announced pool's log came: it has its block now. True where it is to be followed: nothing was decided, or
    what was refused was another transaction, or in another block, than what is mined."""
    launch = _locked(session, launch.id)
    judged = latest_judgement(session, launch.id)
    foreseen = (
        launch.tx_hash == listing.tx_hash
        and judged is not None
        and judged.block_number + 1 == listing.block_number
    )
    launch.block_number, launch.block_hash = listing.block_number, listing.block_hash
    launch.tx_hash, launch.vanished_at = listing.tx_hash, None
    if launch.decision is Decision.REFUSED and not foreseen:
        _reopen(launch)
    session.add(launch)
    data = {
        "block_number": launch.block_number,
        "block_hash": launch.block_hash,
        "tx_hash": launch.tx_hash,
        "foreseen": foreseen,
    }
    journal.append(session, "launch.listed", launch.id, data, actor=actor)
    return launch.decision is Decision.WAITING


def record_withdrawn(session: Session, launch_id: UUID, reason: str, *, actor: str) -> Launch:
    """The waiting transaction will not be mined as it was announced. Should a log tell of the pool after all, an
    undecided launch is followed like any other; what was bought stays bought: its order tells what became of it."""
    launch = _locked(session, launch_id)
    if is_announced(launch):
        launch.vanished_at = utc_now()
    session.add(launch)
    journal.append(session, "launch.withdrawn", launch.id, {"reason": reason}, actor=actor)
    return launch


def latest_judgement(session: Session, launch_id: UUID) -> Judgement | None:
    """The last judgement of a launch as one, if it was judged."""
    query = (
        select(Judgement)
        .where(Judgement.launch_id == launch_id, Judgement.occasion == Occasion.LAUNCH)
        .order_by(col(Judgement.id).desc())
    )
    return session.exec(query).first()


def announced(session: Session, chain_id: int) -> list[Launch]:
    """Launches whose announcement a former run saw, and no log yet."""
    query = select(Launch).where(
        Launch.chain_id == chain_id,
        Launch.source == Source.PENDING,
        Launch.block_hash == NO_BLOCK,
        col(Launch.vanished_at).is_(None),
    )
    return list(session.exec(query).all())


def is_closed(launch: Launch) -> bool:
    """Whether it was judged not to be open yet, and nothing was bought since."""
    return (
        launch.classification == Classification.NOT_OPEN.value
        and launch.decision in (Decision.WAITING, Decision.REFUSED)
        and launch.vanished_at is None
    )


def closed(session: Session, chain_id: int) -> dict[str, UUID]:
    """The latest launches whose opening is listened for, by token."""
    query = (
        select(Launch)
        .where(Launch.chain_id == chain_id, Launch.classification == Classification.NOT_OPEN.value)
        .order_by(col(Launch.id).desc())
        .limit(MOST_CLOSED)
    )
    return {launch.token: launch.id for launch in reversed(session.exec(query).all()) if is_closed(launch)}


def _mined_again(session: Session, launch: Launch, listing: Listing, *, actor: str) -> bool:
    """A pool whose creation had vanished, or is told of in another block, stands again; undecided unless bought."""
    if launch.vanished_at is None and launch.block_hash == listing.block_hash:
        return False
    launch = _locked(session, launch.id)
    launch.vanished_at = None
    launch.block_number, launch.block_hash = listing.block_number, listing.block_hash
    launch.tx_hash = listing.tx_hash
    _reopen(launch)
    session.add(launch)
    data = {"block_number": launch.block_number, "block_hash": launch.block_hash, "tx_hash": launch.tx_hash}
    journal.append(session, "launch.returned", launch.id, data, actor=actor)
    return True


def record_vanished(
    session: Session, chain_id: int, from_number: int, blocks: Collection[str], *, actor: str
) -> tuple[list[Launch], list[Launch]]:
    """A reorganisation took blocks away: the launches that went with theirs, and those only judged on one of them.

    The first stand again when their log is told again; the second are undecided again, unless bought.
    """
    gone, to_judge = [], []
    recent = select(Launch).where(
        Launch.chain_id == chain_id, col(Launch.vanished_at).is_(None), Launch.block_hash != NO_BLOCK
    )
    for launch in session.exec(recent.where(col(Launch.block_number) >= from_number)).all():
        launch.vanished_at = utc_now()
        data = {"block_number": launch.block_number, "block_hash": launch.block_hash}
        journal.append(session, "launch.vanished", launch.id, data, actor=actor)
        gone.append(launch)
    if blocks:
        on_them = select(Judgement.launch_id).where(
            Judgement.chain_id == chain_id,
            Judgement.occasion == Occasion.LAUNCH,
            col(Judgement.block_hash).in_(blocks),
        )
        judged = recent.where(col(Launch.block_number) < from_number, col(Launch.id).in_(on_them))
        for launch in session.exec(judged.where(Launch.decision == Decision.REFUSED)).all():
            _reopen(launch)
            journal.append(session, "launch.reopened", launch.id, {"from_number": from_number}, actor=actor)
            to_judge.append(launch)
    session.add_all([*gone, *to_judge])
    return gone, to_judge


def _reopen(launch: Launch) -> None:
    """Undecided again. What was bought stays bought: its order tells what became of it."""
    if launch.decision is not Decision.BOUGHT and launch.source is not Source.SCAN:
        launch.decision, launch.reasons = Decision.WAITING, []


def record_verdict(
    session: Session, launch_id: UUID, report: SafetyReport, latency_us: int, *, actor: str
) -> Launch:
    """Write what the simulations found. A later judgement of a launch that waited replaces the earlier one."""
    launch = _locked(session, launch_id)
    launch.verdict = report.verdict
    launch.classification = report.classification.value
    launch.reasons = list(report.reasons)
    launch.report = report.as_json()
    launch.symbol, launch.name, launch.decimals = clean(report.symbol), clean(report.name), report.decimals
    launch.liquidity = report.liquidity
    launch.deployer = report.deployer or launch.deployer
    launch.judged_at = utc_now()
    launch.latency_us = latency_us
    session.add(launch)
    data = {
        "symbol": launch.symbol,
        "verdict": report.verdict.value,
        "classification": report.classification.value,
        "reasons": list(report.reasons),
        "latency_us": latency_us,
        "block_number": report.block_number,
        "block_hash": report.block_hash,
        "liquidity": report.liquidity,
        "buy_tax_bps": report.buy_tax_bps,
        "sell_tax_bps": report.sell_tax_bps,
        "checks": launch.report.get("checks", []),
    }
    journal.append(session, "launch.judged", launch.id, data, actor=actor)
    keep_judgement(session, report, Occasion.LAUNCH, launch_id=launch.id, latency_us=latency_us)
    return launch


def keep_judgement(
    session: Session,
    report: SafetyReport,
    occasion: Occasion,
    *,
    launch_id: UUID | None = None,
    position_id: UUID | None = None,
    latency_us: int | None = None,
) -> Judgement:
    """Write a judgement down; it is never changed afterwards."""
    if launch_id is None:
        launch = find_launch(session, report.chain_id, report.pool)
        launch_id = None if launch is None else launch.id
    judgement = Judgement(
        chain_id=report.chain_id,
        launch_id=launch_id,
        position_id=position_id,
        token=report.token,
        pool=report.pool,
        occasion=occasion,
        block_number=report.block_number,
        block_hash=report.block_hash,
        verdict=report.verdict,
        classification=report.classification.value,
        reasons=list(report.reasons),
        dossier=report.as_json(),
        latency_us=latency_us,
    )
    session.add(judgement)
    return judgement


def record_decision(
    session: Session,
    launch_id: UUID,
    decision: Decision,
    reason: str,
    *,
    actor: str,
    order_id: UUID | None = None,
) -> Launch:
    """Write what was decided. A skipped launch keeps its verdict; why it was skipped joins the reasons."""
    launch = _locked(session, launch_id)
    launch.decision = decision
    launch.order_id = order_id or launch.order_id
    if decision is Decision.SKIPPED and reason not in launch.reasons:
        launch.reasons = [*launch.reasons, reason]
    session.add(launch)
    data = {
        "symbol": launch.symbol,
        "decision": decision.value,
        "reason": reason,
        "order_id": None if order_id is None else str(order_id),
    }
    journal.append(session, "launch.decided", launch.id, data, actor=actor)
    return launch


def add_reason(session: Session, launch_id: UUID, reason: str) -> None:
    """What was found out after the verdict, beside what the verdict says."""
    launch = _locked(session, launch_id)
    if reason not in launch.reasons:
        launch.reasons = [*launch.reasons, reason]
        session.add(launch)


def bought_elsewhere(session: Session, launch: Launch) -> str | None:
    """Another pool in which this launch's token was bought and is held still."""
    query = (
        select(Launch.pool)
        .join(Position, col(Position.launch_id) == col(Launch.id))
        .where(
            Launch.chain_id == launch.chain_id,
            Launch.token == launch.token,
            Launch.id != launch.id,
            Position.state == PositionState.OPEN,
        )
    )
    return session.exec(query).first()


def undecided(session: Session, chain_id: int) -> list[Launch]:
    """Launches that a former run saw and had not decided when it ended, oldest first."""
    query = select(Launch).where(
        Launch.chain_id == chain_id,
        Launch.decision == Decision.WAITING,
        Launch.source != Source.SCAN,
        Launch.block_hash != NO_BLOCK,
        col(Launch.vanished_at).is_(None),
    )
    return list(session.exec(query.order_by(col(Launch.id))).all())


def sell_tax_bps(launch: Launch | None) -> int:
    """The tax that the simulations measured on a sale."""
    return int((launch.report.get("sell_tax_bps") if launch is not None else None) or 0)


def exact(value: Any) -> Any:
    """A report as plain JSON values: enums by their value, tuples as lists."""
    if isinstance(value, dict):
        return {str(key): exact(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [exact(item) for item in value]
    return value


def clean(text: str, limit: int = 40) -> str:
    """A name that a stranger wrote into a contract, fit for one line of a terminal: no control characters."""
    return "".join(letter for letter in text if letter.isprintable())[:limit].strip()


def _locked(session: Session, launch_id: UUID) -> Launch:
    launch = lock_row(session, Launch, launch_id)
    if launch is None:
        raise RowNotFound(f"there is no launch {launch_id}", hint="sniper snipe launches")
    return launch

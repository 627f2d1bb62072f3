"""What launches that were not bought did afterwards: whether the verdict was right can only be known later.

At fixed ages, in blocks, a refused or skipped token is judged again by the same simulations, without its dossier, and
the judgement is kept. It runs behind everything else: one launch a block, none while a launch is being judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from sqlmodel import Session, col, select

from sniper_cli.errors import NetworkError
from sniper_cli.sniping.launches import keep_judgement
from state.launches import Decision, Judgement, Launch, Occasion, Source, Verdict

if TYPE_CHECKING:
    from sniper_cli.chains.exchange import Exchanges
    from sniper_cli.chains.node import Head, Node
    from sniper_cli.context import Context
    from sniper_cli.safety.policy import SafetyPolicy
    from sniper_cli.sniping.run import Run
    from state.database import Database

AT_ONCE = 50
"""Launches looked for in one go."""


class Hindsight(StrEnum):
    """What later judgements say of a launch that was not bought."""

    RIGHT = "right"
    """It could not be sold, cost too much to sell, or has lost its liquidity."""
    WRONG = "wrong"
    """It is still sold freely: it might have been bought."""
    UNKNOWN = "unknown"
    """Not looked at again, or not proven either way."""


@dataclass(frozen=True, slots=True)
class Due:
    """A launch to look at again, and the age that this look is for."""

    launch: Launch
    age: int


@dataclass(frozen=True, slots=True)
class FollowUp:
    """One launch looked at again."""

    launch_id: UUID
    token: str
    symbol: str
    age: int
    decision: str
    before: str
    now: str
    classification: str
    reasons: tuple[str, ...]
    liquidity: str | None
    liquidity_before: str | None
    hindsight: str


def due(
    session: Session, exchanges: Exchanges, head: int, ages: Sequence[int], *, limit: int = AT_ONCE
) -> list[Due]:
    """Launches not bought whose next age has come, the longest due first. An age that was missed is not made up for.

    Only those that could have been bought: on an exchange that is traded on, and not found in history.
    """
    youngest = min(ages, default=0)
    if not youngest:
        return []
    query = (
        select(Launch)
        .where(
            Launch.chain_id == exchanges.chain_id,
            col(Launch.factory).in_(exchanges.traded),
            Launch.source != Source.SCAN,
            col(Launch.decision).in_((Decision.REFUSED, Decision.SKIPPED)),
            col(Launch.vanished_at).is_(None),
            Launch.block_number <= head - youngest,
            Launch.block_number > head - 2 * max(ages),
        )
        .order_by(col(Launch.block_number))
    )
    launches = session.exec(query).all()
    last = _last_looks(session, [launch.id for launch in launches])
    found = []
    for launch in launches:
        reached = max(age for age in ages if head - launch.block_number >= age)
        if last.get(launch.id, -1) - launch.block_number < reached:
            found.append(Due(launch, reached))
    return found[:limit]


def _last_looks(session: Session, ids: list[UUID]) -> dict[UUID, int]:
    query = select(Judgement.launch_id, Judgement.block_number).where(
        col(Judgement.launch_id).in_(ids), Judgement.occasion == Occasion.FOLLOW_UP
    )
    looks: dict[UUID, int] = {}
    for launch_id, block in session.exec(query).all():
        if launch_id is not None:
            looks[launch_id] = max(block, looks.get(launch_id, -1))
    return looks


async def look_again(
    database: Database,
    node: Node,
    exchanges: Exchanges,
    one: Due,
    *,
    amount: int,
    policy: SafetyPolicy,
    sender: str | None,
    head: Head | None = None,
) -> FollowUp:
    """Judge a launch again, by trading alone, and keep the judgement. Raises NetworkError."""
    from sniper_cli.safety.judge import judge
    from sniper_cli.venues.evm.instruments import launched_pool

    launch = one.launch
    place = launched_pool(launch, exchanges)
    assert place is not None  # `due` asks for launches of these exchanges only
    report = await judge(node, place, amount=amount, policy=policy, head=head, sender=sender)
    database.transact(
        lambda session: keep_judgement(session, report, Occasion.FOLLOW_UP, launch_id=launch.id)
    )
    return FollowUp(
        launch.id,
        launch.token,
        launch.symbol,
        one.age,
        launch.decision.value,
        launch.verdict.value,
        report.verdict.value,
        report.classification.value,
        report.reasons,
        None if report.liquidity is None else str(report.liquidity),
        None if launch.liquidity is None else str(launch.liquidity),
        hindsight(report.verdict).value,
    )


def hindsight(later: Verdict | None) -> Hindsight:
    """Whether it was right not to buy, by the latest look."""
    if later is Verdict.SAFE:
        return Hindsight.WRONG
    return Hindsight.RIGHT if later is Verdict.UNSAFE else Hindsight.UNKNOWN


async def follow_one(run: Run, head: Head) -> FollowUp | None:
    """The runner's part: the launch longest due, if any. A node that fails leaves it to the next block."""
    ages = [int(age) for age in run.settings.exits.follow_up_blocks]
    with run.database.read() as session:
        found = due(session, run.watched, head.number, ages, limit=1)
        session.expunge_all()
    if not found:
        return None
    try:
        return await look_again(
            run.database,
            run.node,
            run.watched,
            found[0],
            amount=run.amount,
            policy=run.policy,
            sender=run.address,
            head=head,
        )
    except NetworkError:
        return None  # due still: at the next block again


async def follow_up(context: Context, *, limit: int, dry_run: bool) -> list[FollowUp]:
    """All launches that are due, by hand. Raises ConfigurationError, NetworkError."""
    from sniper_cli.chains.exchange import exchanges_from
    from sniper_cli.safety.policy import SafetyPolicy
    from sniper_cli.sniping.station import address_of, require_chain
    from sniper_cli.trading.assembly import open_market

    require_chain(context)
    settings = context.settings.sniping
    policy = SafetyPolicy.from_settings(settings, block_seconds=context.settings.chain.block_seconds)
    async with open_market(context) as (node, _):
        exchanges, head = exchanges_from(context.settings.chain, context.paths), await node.head()
        ages = [int(age) for age in settings.exits.follow_up_blocks]
        with context.database.read() as session:
            found = due(session, exchanges, head.number, ages, limit=limit)
            session.expunge_all()
        if dry_run:
            return [_planned(one) for one in found]
        return [
            await look_again(
                context.database,
                node,
                exchanges,
                one,
                amount=int(settings.amount.scaleb(18)),
                policy=policy,
                sender=address_of(context),
                head=head,
            )
            for one in found
        ]


def _planned(one: Due) -> FollowUp:
    launch = one.launch
    before = None if launch.liquidity is None else str(launch.liquidity)
    return FollowUp(
        launch.id, launch.token, launch.symbol, one.age, launch.decision.value, launch.verdict.value, "", "", (),
        None, before, Hindsight.UNKNOWN.value,
    )  # fmt: skip

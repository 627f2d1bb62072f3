"""Everything that is known of one token in its pool at one block, and the verdict that a policy makes of it.

The judgement of trading and all other parts run side by side; on a node that shares our cores the many simulations of
powers let trading go first, for both would only be slower together. A launch does not wait for ever: what is not in
when the budget is over is not proven, and the level decides whether that matters. A token that trading refuses is not
looked into any further. A check by hand and the judgements of what is held have no budget: they wait for everything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from sniper_cli.chains.exchange import Exchange
from sniper_cli.chains.node import Head, Node
from sniper_cli.errors import NetworkError
from sniper_cli.pools.pool import Pool
from sniper_cli.safety.deployers import find_deployer
from sniper_cli.safety.levels import Level
from sniper_cli.safety.levels import weigh as weigh_lines
from sniper_cli.safety.lines import Group, Line, of_check, unproven
from sniper_cli.safety.methods import judge_by_best
from sniper_cli.safety.policy import SafetyPolicy
from sniper_cli.safety.report import SafetyReport
from sniper_cli.safety.simulation import Call, Surroundings, surroundings
from sniper_cli.safety.trades import Market
from state.launches import Verdict

if TYPE_CHECKING:
    from sniper_cli.safety.deployers import Record
    from sniper_cli.safety.sidecar import SideCar

T = TypeVar("T")
Part = Callable[[], Awaitable[Sequence[Line]]]
History = Callable[[str], "Record"]
"""What our own records say of a deployer."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a dossier is about, and as of when."""

    node: Node
    place: Pool
    amount: int
    around: Surroundings
    deployer: str | None = None
    """Who sent the transaction that made the pool, where it is known already."""
    hurried: bool = False
    """There is a budget."""
    judged: asyncio.Event = field(default_factory=asyncio.Event)
    """Trading has been judged."""
    shared: dict[str, asyncio.Future[Any]] = field(default_factory=dict)
    """What several parts need and one of them asks for."""

    async def once(self, what: str, ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The answer to a question that is asked once, whoever needs it first. Raises NetworkError."""
        if what not in self.shared:
            self.shared[what] = asyncio.ensure_future(ask())
        answer: T = await asyncio.shield(self.shared[what])
        return answer

    @property
    def block(self) -> int:
        return self.around.head.number

    @property
    def market(self) -> Market:
        return Market(self.place, self.amount)

    @property
    def exchange(self) -> Exchange:
        return self.place.exchange

    @property
    def token(self) -> str:
        return self.place.token

    @property
    def pool(self) -> str:
        return self.place.id


@dataclass(frozen=True, slots=True)
class Dossier:
    """The lines of a token, and what a level makes of them."""

    report: SafetyReport
    """Trading's own report, with the whole dossier's verdict and reasons, and all groups."""
    lines: tuple[Line, ...]
    level: Level
    late: tuple[str, ...] = ()
    """Groups that were not in when the budget was over."""

    @property
    def verdict(self) -> Verdict:
        return self.report.verdict

    def of(self, group: Group) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.group is group)

    def line(self, name: str) -> Line | None:
        """A line by its name."""
        return next((line for line in self.lines if line.name == name), None)

    def as_json(self) -> dict[str, Any]:
        """The report with `groups`; the shape is documented in the guide to dossiers and does not change."""
        return self.report.as_json()


@dataclass(frozen=True, slots=True)
class Extras:
    """What a dossier may use beside the chain."""

    history: History | None = None
    opinions: Sequence[Callable[[int, str, str], Awaitable[Line]]] = ()
    """Asked with chain, token and pool; see `opinions.py`."""
    side_car: SideCar | None = None
    """A fork to work on where the node does not simulate."""


async def compile_dossier(
    node: Node,
    place: Pool,
    *,
    amount: int,
    policy: SafetyPolicy,
    level: Level,
    head: Head | None = None,
    sender: str | None = None,
    deployer: str | None = None,
    budget_ms: int | None = None,
    extras: Extras | None = None,
    prelude: Sequence[Call] = (),
) -> Dossier:
    """Judge a token and look into everything else. Raises NetworkError only where the head cannot be read.

    `prelude` waits to be mined: whatever is tried is tried on top of it, whatever is read is read without it.
    """
    extras = extras or Extras()
    head = head or await node.head()
    ordered = partial(
        _compile,
        place=place,
        amount=amount,
        policy=policy,
        level=level,
        head=head,
        sender=sender,
        deployer=deployer,
        budget_ms=budget_ms,
        extras=extras,
        prelude=prelude,
    )
    if extras.side_car is None:
        return await ordered(node)
    async with extras.side_car.proving(node, head) as (prover, method):
        dossier = await ordered(prover)
    if prover is node:
        return dossier
    return replace(dossier, report=replace(dossier.report, method=method))


async def _compile(
    node: Node,
    *,
    place: Pool,
    amount: int,
    policy: SafetyPolicy,
    level: Level,
    head: Head,
    sender: str | None,
    deployer: str | None,
    budget_ms: int | None,
    extras: Extras,
    prelude: Sequence[Call],
) -> Dossier:
    begun = monotonic()
    subject = Subject(
        node,
        place,
        amount,
        surroundings(head, policy, prelude),
        deployer,
        hurried=budget_ms is not None,
    )
    work = {
        group: asyncio.ensure_future(_line_or_doubt(group, part))
        for group, part in _parts(subject, extras).items()
    }
    try:
        report = await judge_by_best(
            node,
            place,
            amount=amount,
            policy=policy,
            head=head,
            sender=sender,
            prelude=prelude,
        )
        subject.judged.set()
        await _wait(report, list(work.values()), begun, budget_ms)
        report = replace(report, deployer=await _deployer(subject))
    finally:
        late = [group for group, task in work.items() if not task.done()]
        for task in (*work.values(), *subject.shared.values()):
            task.cancel()  # of what is done it changes nothing
        await asyncio.gather(*work.values(), *subject.shared.values(), return_exceptions=True)
    lines = [of_check(check) for check in report.checks]
    for group, task in work.items():
        lines += [_late(group, report, budget_ms)] if group in late else task.result()
    return _weighed(report, lines, level, [group.value for group in late])


def _parts(subject: Subject, extras: Extras) -> dict[Group, Part]:
    """Each part of the dossier beside trading."""
    from sniper_cli.safety import inquiries

    return inquiries.parts(subject, extras)


async def _deployer(subject: Subject) -> str | None:
    """Who launched it. Asked for at the very beginning, it is in by now; a bad one is worth a moment more."""
    asked = asyncio.ensure_future(subject.once("deployer", partial(find_deployer, subject.node, subject)))
    done, _ = await asyncio.wait([asked], timeout=DEPLOYER_SECONDS)
    if not done:
        asked.cancel()
        return subject.deployer
    return subject.deployer if asked.exception() is not None else asked.result()


async def _wait(
    report: SafetyReport, work: list[asyncio.Future[Sequence[Line]]], begun: float, budget_ms: int | None
) -> None:
    if budget_ms is None:
        await asyncio.wait(work)
    elif report.verdict is Verdict.SAFE:
        left = budget_ms / 1000 - (monotonic() - begun)
        await asyncio.wait(work, timeout=max(0.0, left))


async def _line_or_doubt(group: Group, part: Part) -> Sequence[Line]:
    """A part's lines; where the node failed, one that says so."""
    try:
        return await part()
    except NetworkError as error:
        return [unproven(DOUBTS[group], group, f"could not be found out: {error.message}")]


DEPLOYER_SECONDS = 0.25
DOUBTS = {
    Group.POWERS: "powers_tried",
    Group.PROXY: "upgradeable",
    Group.LIQUIDITY: "liquidity_held",
    Group.DEPLOYER: "deployer_record",
    Group.METADATA: "impersonation",
    Group.HOLDERS: "holders_sell",
    Group.OPINIONS: "goplus",
}
"""The line that stands for a whole group that is not in."""


def _late(group: Group, report: SafetyReport, budget_ms: int | None) -> Line:
    if report.verdict is not Verdict.SAFE:
        words = "not looked into: trading is refused already"
    else:
        words = f"not in within the {budget_ms} ms of the budget"
    return unproven(DOUBTS[group], group, f"{group.value}: {words}")


def _weighed(report: SafetyReport, lines: list[Line], level: Level, late: list[str]) -> Dossier:
    order = list(Group)
    lines.sort(key=lambda line: order.index(line.group))
    counted = [] if report.verdict is Verdict.UNSAFE and late else lines
    verdict, reasons, warnings = weigh_lines(level, report, counted)
    groups: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        plain = line.as_json() | {"weight": level.weigh(line).value}
        groups.setdefault(line.group.value, []).append(plain)
    weighed = replace(
        report,
        verdict=verdict,
        reasons=tuple(dict.fromkeys(reasons)),
        level=level.name,
        warnings=tuple(dict.fromkeys(warnings)),
        groups=groups,
    )
    return Dossier(weighed, tuple(lines), level, tuple(late))

"""Asks one endpoint of several: chosen by health and strategy, hedged when it is late, another one when it fails.

Who may be asked: those in good condition; where there are none, those that lag or are not known yet; where there are
none, everybody except who serves another chain, for a bad endpoint is better than none. Extra calls, whether retries
or hedges, are paid out of one budget, so that a bad day never doubles the load.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Generic, TypeVar

from sniper_cli.endpoints.budget import RetryBudget
from sniper_cli.endpoints.faults import Fault, fault_of
from sniper_cli.endpoints.health import State
from sniper_cli.endpoints.hedging import hedged
from sniper_cli.endpoints.member import Member
from sniper_cli.endpoints.spreading import Spread, Spreader
from sniper_cli.errors import NetworkError, NoEndpoint

C = TypeVar("C")
T = TypeVar("T")

MOST_LAG = 2
"""Blocks that a node may be behind the best one: a block's way through the network."""
HEDGE_AT_LEAST_SECONDS = 0.05
"""Below, the pause of a garbage collector would cost a call."""
HEDGE_UNKNOWN_SECONDS = 0.5
"""Before anything was measured."""
HEDGE_AT_MOST_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Question(Generic[C, T]):
    """Something to ask an endpoint, and how it may be asked."""

    work: Callable[[C], Awaitable[T]]
    method: str = ""
    """Its name, where an endpoint may say that it does not offer it."""
    calls: int = 1
    """What it costs of a rate limit."""
    fitting: Callable[[Member[C]], bool] | None = None
    """Prefers some members without shutting out the rest."""
    repeatable: bool = True
    """May be asked twice: a read."""
    timed: bool = True
    """One call, whose time tells about the endpoint."""


class Pool(Generic[C]):
    """Endpoints that can stand in for each other."""

    def __init__(
        self,
        members: Sequence[Member[C]],
        *,
        spread: Spread = Spread.FASTEST,
        budget: RetryBudget | None = None,
        hedge: bool = True,
        most_lag: int = MOST_LAG,
        prepare: Callable[[Member[C]], Awaitable[None]] | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """At least one member; their names differ. `prepare` is awaited before each attempt, and may refuse it."""
        self.members = tuple(members)
        self.most_lag = most_lag
        self.hedge = hedge
        self.budget = budget or RetryBudget(clock=clock)
        self.hedges = 0
        """Second attempts while the first was late."""
        self.retries = 0
        """Attempts after one that failed."""
        self._spreader = Spreader(spread)
        self._prepare = prepare

    @property
    def best_head(self) -> int | None:
        """The highest head that a member of the right chain shows, which still answers."""
        best: int | None = None
        for member in self.members:
            head = member.health.head
            if head is not None and member.health.answers and (best is None or head > best):
                best = head
        return best

    def state_of(self, member: Member[C]) -> State:
        return member.state(self.best_head, self.most_lag)

    def sound(self) -> list[Member[C]]:
        """Those in good condition."""
        best = self.best_head
        return [m for m in self.members if m.state(best, self.most_lag) is State.HEALTHY]

    def usable(self, tried: Sequence[Member[C]] = (), *, method: str = "") -> list[Member[C]]:
        """Who may be asked now, besides those that were tried; the best class that has anybody."""
        best = self.best_head
        sound, late, rest = [], [], []
        for member in self.members:
            if member in tried or method in member.unable:
                continue
            state = member.state(best, self.most_lag)
            if state is State.HEALTHY or (
                state is State.HALF_OPEN and not member.watched and member.breaker.permits
            ):
                sound.append(member)
            elif state in (State.LAGGING, State.UNKNOWN):
                late.append(member)
            elif state is not State.WRONG_CHAIN:
                rest.append(member)
        found = sound or late or rest
        return [m for m in found if not m.rate.wait_seconds()] or sorted(
            found, key=lambda member: member.rate.wait_seconds()
        )[:1]

    async def ask(self, question: Question[C, T], *, hedge_after: float | None = None) -> T:
        """The answer of one endpoint. Raises NoEndpoint, and what the last one raised."""
        self.budget.deposit()
        tried: list[Member[C]] = []
        while True:
            member = self._choose(tried, question)
            tried.append(member)
            try:
                if not (self.hedge and question.repeatable and len(self.members) > 1):
                    return await self.attempt(member, question)
                return await hedged(
                    self.attempt(member, question),
                    lambda: self._second(tried, question),
                    after=self._hedge_after(member) if hedge_after is None else hedge_after,
                    settles=_is_answer,
                )
            except NetworkError as error:
                if not question.repeatable or _is_answer(error):
                    raise
                if not self.usable(tried, method=question.method) or not self.budget.withdraw():
                    raise
                self.retries += 1

    async def attempt(self, member: Member[C], question: Question[C, T]) -> T:
        """Ask one member, and keep what its answer says of it."""
        if not member.rate.take(question.calls):
            await _for_its_turn(member, question.calls)
        begun = member.begin()
        try:
            if self._prepare is not None:
                await self._prepare(member)
            result = await question.work(member.client)
        except NetworkError as error:
            fault = member.failed(begun, error, timed=question.timed)
            if fault is Fault.UNABLE and question.method:
                member.unable.add(question.method)
            raise
        except BaseException:
            member.abandoned()
            raise
        member.ended(begun, timed=question.timed)
        return result

    def choose(self, fitting: Callable[[Member[C]], bool] | None = None) -> Member[C]:
        """Whom to ask. Raises NoEndpoint."""

        async def nothing(_: C) -> None: ...

        return self._choose((), Question(nothing, fitting=fitting))

    def _choose(self, tried: Sequence[Member[C]], question: Question[C, Any]) -> Member[C]:
        among = self.usable(tried, method=question.method) or self.usable(tried)
        if not among:
            raise self.nobody()
        if question.fitting is not None and (fit := [m for m in among if question.fitting(m)]):
            among = fit
        return self._spreader.choose(among)

    def nobody(self) -> NoEndpoint:
        """The error where nobody can be asked, naming everybody's condition."""
        states = {member.name: self.state_of(member).value for member in self.members}
        told = "; ".join(f"{name} is {state.replace('_', ' ')}" for name, state in states.items())
        return NoEndpoint(
            f"none of the endpoints can be asked: {told}", hint="sniper endpoints check", states=states
        )

    def _second(self, tried: list[Member[C]], question: Question[C, T]) -> Coroutine[Any, Any, T] | None:
        """Another attempt beside one that is late, or none: nobody else can be asked, or the budget is spent."""
        likely = (State.HEALTHY, State.UNKNOWN, State.LAGGING)
        among = [m for m in self.usable(tried, method=question.method) if self.state_of(m) in likely]
        if not among or not self.budget.withdraw():
            return None
        member = self._choose(tried, question)
        tried.append(member)
        self.hedges += 1
        return self.attempt(member, question)

    def _hedge_after(self, member: Member[C]) -> float:
        taken = member.latencies.quantile(0.95)
        if taken is None:
            return HEDGE_UNKNOWN_SECONDS
        return min(max(taken, HEDGE_AT_LEAST_SECONDS), HEDGE_AT_MOST_SECONDS)


async def _for_its_turn(member: Member[Any], calls: int) -> None:
    """Wait until the member's rate limit lets the calls through."""
    await asyncio.sleep(member.rate.wait_seconds(calls))
    while not member.rate.take(calls):  # noqa: ASYNC110 - time fills the bucket, nobody sets an event
        await asyncio.sleep(max(0.001, member.rate.wait_seconds(calls)))


def _is_answer(error: BaseException) -> bool:
    return fault_of(error) is Fault.ANSWER

"""One endpoint of a pool: its client, and what the pool knows about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, Generic, TypeVar
from uuid import UUID

from sniper_cli.endpoints.breaker import Breaker, BreakerState
from sniper_cli.endpoints.budget import RateLimit
from sniper_cli.endpoints.faults import Fault, fault_of, harms
from sniper_cli.endpoints.health import Health, Outcomes, State
from sniper_cli.endpoints.latency import Latencies

C = TypeVar("C")


class Member(Generic[C]):
    """`client` is whatever speaks to it; the rest is the same for all kinds."""

    def __init__(
        self,
        name: str,
        client: C,
        *,
        shown: str = "",
        hides: Mapping[str, str] | None = None,
        weight: int = 1,
        per_second: float = 0,
        endpoint_id: UUID | None = None,
        clock: Callable[[], float] = monotonic,
        breaker: Breaker | None = None,
        watched: bool = False,
    ) -> None:
        """`endpoint_id`: its row in the desk's list; none for one that only the settings name.

        `hides`: what must not be shown, and what stands in its place. `watched`: somebody polls it, and will find
        out when it works again; nobody else needs to try.
        """
        self.name = name
        self.client = client
        self.shown = shown
        self.weight = weight
        self._hides = dict(hides or {})
        self.endpoint_id = endpoint_id
        self.watched = watched
        self.outstanding = 0
        self.latencies = Latencies(clock=clock)
        self.outcomes = Outcomes(clock=clock)
        self.breaker = breaker or Breaker(clock=clock)
        self.rate = RateLimit(per_second, clock=clock)
        self.health = Health(clock=clock)
        self.unable: set[str] = set()
        """Methods that it said it does not offer."""
        self._clock = clock

    @property
    def average(self) -> float | None:
        return self.latencies.average

    def hidden(self, text: str) -> str:
        """A text without what must not be shown."""
        for secret, placeholder in self._hides.items():
            text = text.replace(secret, placeholder)
        return text

    def state(self, best_head: int | None, most_lag: int) -> State:
        """The word for its condition; the worst that applies."""
        if self.health.wrong_chain:
            return State.WRONG_CHAIN
        if self.health.frozen:
            return State.FROZEN
        if self.breaker.state is BreakerState.OPEN:
            return State.OPEN
        if self.breaker.state is BreakerState.HALF_OPEN:
            return State.HALF_OPEN
        if self.health.failing:
            return State.FAILING
        if (self.health.lag(best_head) or 0) > most_lag:
            return State.LAGGING
        return State.UNKNOWN if self.watched and self.health.head is None else State.HEALTHY

    def figures(self, best_head: int | None) -> dict[str, Any]:
        """What a reading tells of it; times in whole microseconds."""
        quantiles = {
            f"p{percent}_us": None if taken is None else round(taken * 1e6)
            for percent in (50, 95, 99)
            for taken in (self.latencies.quantile(percent / 100),)
        }
        age = self.health.head_age
        return {
            "lag": self.health.lag(best_head),
            "age_ms": None if age is None else round(age * 1000),
            **quantiles,
            "calls": self.outcomes.calls,
            "errors": self.outcomes.errors,
            "error_bps": round(self.outcomes.error_share * 10_000),
            "breaker": self.breaker.state.value,
            "chain": self.health.served_chain,
            "trouble": self.hidden(self.health.trouble),
        }

    # -- around a call ------------------------------------------------------------------------------------------

    def begin(self) -> float:
        """A call begins; the moment, for `ended` and `failed`."""
        self.outstanding += 1
        self.breaker.begin()
        return self._clock()

    def ended(self, begun: float, *, timed: bool = True) -> None:
        """It answered. Not `timed`: it was more than one call, and says nothing about how long one takes."""
        self.outstanding -= 1
        if timed:
            self.latencies.record(self._clock() - begun)
        self.outcomes.note(failed=False)
        self.breaker.succeeded()

    def failed(self, begun: float, error: BaseException, *, timed: bool = True) -> Fault:
        """It failed, or said no: what that says of it."""
        fault = fault_of(error)
        if not harms(fault):
            self.ended(begun, timed=timed)
            return fault
        self.outstanding -= 1
        self.outcomes.note(failed=True)
        self.breaker.failed()
        if self.watched and fault is not Fault.BUSY:
            self.health.lost(frozen=fault is Fault.FROZEN, words=str(getattr(error, "message", error)))
        return fault

    def abandoned(self) -> None:
        """The call was given up, for another one answered first."""
        self.outstanding -= 1
        self.breaker.abandoned()

"""What the sniper tells its audience: one frozen value an event, each with enough for one line.

The runner knows no screen. A command prints `event.line()`, the TUI shows the same values, tests look at types.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sniper_cli.sniping.attempts import Attempt
from sniper_cli.sniping.rules import ExitRule
from state.columns import utc_now
from state.identifiers import short

COIN_DECIMALS = 18
GWEI = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class SniperEvent(ABC):
    """Something that happened, and when."""

    at: datetime = field(default_factory=utc_now)

    @abstractmethod
    def line(self) -> str:
        """The event in one line, without its time."""


Listener = Callable[[SniperEvent], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerStarted(SniperEvent):
    account: str
    address: str
    head: int
    coins: int
    same_block: bool = False
    """Listings are judged and bought while they wait."""

    def line(self) -> str:
        early = "; what waits is bought in its own block" if self.same_block else ""
        return (
            f"watching from block {self.head} as {self.account} ({self.address})"
            f" with {coins(self.coins)} ETH{early}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CoinsMoved(SniperEvent):
    """Coins came from outside, or went there, while nobody watched; the ledger has been told."""

    amount: int

    def line(self) -> str:
        came = "came from" if self.amount > 0 else "went"
        return f"booked   {coins(abs(self.amount))} ETH that {came} outside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered(SniperEvent):
    """What a former run left behind was found out about."""

    orders: int
    positions: int

    def line(self) -> str:
        return f"recovered {self.orders} unsettled orders and {self.positions} open positions of a former run"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerStopped(SniperEvent):
    reason: str

    def line(self) -> str:
        return f"stopped: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadSeen(SniperEvent):
    """A new block was worked through: positions are marked."""

    number: int
    open_positions: int

    def line(self) -> str:
        return f"block {self.number}, {self.open_positions} open positions"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLost(SniperEvent):
    reason: str

    def line(self) -> str:
        return f"the node does not answer ({self.reason}); everything is kept, waiting for it"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionBack(SniperEvent):
    def line(self) -> str:
        return "the node answers again; catching up from the last block seen"


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchSeen(SniperEvent):
    launch_id: UUID
    token: str
    pool: str
    block_number: int

    def line(self) -> str:
        return (
            f"seen     {self.token} in pool {self.pool}, block {self.block_number} ({short(self.launch_id)})"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchAnnounced(SniperEvent):
    """A transaction that lists a token, or opens it, waits in the mempool: it is judged as though it were mined."""

    launch_id: UUID
    token: str
    pool: str
    tx_hash: str
    max_fee: int

    def line(self) -> str:
        bid = Decimal(self.max_fee) / GWEI
        return (
            f"announced {self.token} by a waiting transaction at {bid:.2f} gwei, tx {self.tx_hash}"
            f" ({short(self.launch_id)})"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchWithdrawn(SniperEvent):
    """What announced a launch will not be mined as it was announced: a purchase behind it is taken back."""

    launch_id: UUID
    token: str
    tx_hash: str
    reason: str

    def line(self) -> str:
        return f"withdrawn {self.token}: {self.reason} (tx {self.tx_hash})"


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchVanished(SniperEvent):
    """A reorganisation took away the block in which the pool was created; it may be mined again."""

    launch_id: UUID
    token: str
    pool: str
    block_number: int

    def line(self) -> str:
        return f"vanished {self.token} with block {self.block_number}: not bought unless it is mined again"


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchJudged(SniperEvent):
    launch_id: UUID
    token: str
    symbol: str
    verdict: str
    classification: str
    reasons: tuple[str, ...]
    latency_us: int

    def line(self) -> str:
        why = f": {'; '.join(self.reasons)}" if self.reasons else ""
        milliseconds = Decimal(self.latency_us) / 1000
        name = self.symbol or self.token
        return f"judged   {name} {self.verdict} ({self.classification}) in {milliseconds:.1f} ms{why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchWaiting(SniperEvent):
    launch_id: UUID
    token: str
    symbol: str
    reason: str

    def line(self) -> str:
        return f"waiting  {self.symbol or self.token}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchDecided(SniperEvent):
    """Refused or skipped: nothing was bought, and why."""

    launch_id: UUID
    token: str
    symbol: str
    decision: str
    reason: str

    def line(self) -> str:
        return f"{self.decision:<8} {self.symbol or self.token}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialSent(SniperEvent):
    """One of the two orders of a trial went out."""

    launch_id: UUID
    order_id: UUID
    token: str
    symbol: str
    side: str
    tx_hash: str

    def line(self) -> str:
        act = "buying" if self.side == "buy" else "selling"
        return f"trial    {act} a little {self.symbol or self.token}, tx {self.tx_hash}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialDone(SniperEvent):
    """A trial came to its end: the rest is bought, or nothing is."""

    launch_id: UUID
    token: str
    symbol: str
    passed: bool
    reason: str
    spent: int
    received: int

    def line(self) -> str:
        then = "the rest is bought" if self.passed else "nothing more is bought"
        return f"trial    {self.symbol or self.token}: {self.reason}; {then}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuySent(SniperEvent):
    launch_id: UUID
    order_id: UUID
    token: str
    symbol: str
    amount: int
    tx_hash: str
    latency_us: int
    """From the launch event's arrival to the node's answer to the buy."""
    account: str = ""
    """Whose purchase it is, where several accounts buy."""

    def line(self) -> str:
        milliseconds = Decimal(self.latency_us) / 1000
        name = self.symbol or self.token
        whose = f" by {self.account}" if self.account else ""
        return (
            f"buying   {name} for {coins(self.amount)} ETH{whose}, sent after {milliseconds:.1f} ms, "
            f"tx {self.tx_hash}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionOpened(SniperEvent):
    position_id: UUID
    launch_id: UUID | None
    token: str
    symbol: str
    quantity: int
    decimals: int
    spent: int
    block_number: int | None
    blocks_after_launch: int | None

    def line(self) -> str:
        after = "" if self.blocks_after_launch is None else f", block +{self.blocks_after_launch}"
        amount = whole(self.quantity, self.decimals)
        return f"bought   {amount} {self.symbol or self.token} for {coins(self.spent)} ETH{after}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyFailed(SniperEvent):
    order_id: UUID
    token: str
    symbol: str
    reason: str

    def line(self) -> str:
        return f"not bought {self.symbol or self.token}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitDecided(SniperEvent):
    position_id: UUID
    token: str
    symbol: str
    rule: ExitRule
    detail: str
    attempt: int

    def line(self) -> str:
        again = f" (attempt {self.attempt})" if self.attempt > 1 else ""
        return f"selling  {self.symbol or self.token}, {self.rule}: {self.detail}{again}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SellFailed(SniperEvent):
    position_id: UUID
    token: str
    symbol: str
    attempt: int
    reason: str

    def line(self) -> str:
        return f"not sold {self.symbol or self.token}, attempt {self.attempt}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitStuck(SniperEvent):
    """A position that should be left cannot be: everything that was tried. It is tried on."""

    position_id: UUID
    token: str
    symbol: str
    rule: ExitRule
    problem: str
    attempts: tuple[Attempt, ...]

    def line(self) -> str:
        tried = "; ".join(
            f"#{one.number} at {Decimal(one.max_fee or 0) / GWEI:.2f} gwei, "
            f"{Decimal(one.max_slippage_bps or 0) / 100:.0f} % below: {one.reason}"
            for one in self.attempts
        )
        return f"ALARM    {self.symbol or self.token} cannot be sold ({self.rule}): {self.problem}. Tried {tried}"

    def as_json(self) -> dict[str, Any]:
        """For the journal."""
        return {
            "token": self.token,
            "symbol": self.symbol,
            "rule": self.rule.value,
            "problem": self.problem,
            "attempts": [asdict(one) for one in self.attempts],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionClosed(SniperEvent):
    position_id: UUID
    token: str
    symbol: str
    rule: str
    spent: int
    received: int
    costs: int
    profit: int

    def line(self) -> str:
        sign = "+" if self.profit >= 0 else "-"
        return (
            f"sold     {self.symbol or self.token} for {coins(self.received)} ETH by {self.rule}: "
            f"{sign}{coins(abs(self.profit))} ETH after {coins(self.costs)} gas"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingRemoval(SniperEvent):
    """Liquidity of a held token is about to leave: seen in the mempool."""

    token: str
    symbol: str
    tx_hash: str
    max_fee: int

    def line(self) -> str:
        name, bid = self.symbol or self.token, Decimal(self.max_fee) / GWEI
        return f"danger   {name}: a removal of liquidity is pending at {bid:.2f} gwei, tx {self.tx_hash}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerTrouble(SniperEvent):
    """Something failed that the run survives; it is tried again."""

    problem: str

    def line(self) -> str:
        return f"trouble  {self.problem}"


def coins(wei: int) -> str:
    """Wei as coins, exact, without trailing zeros."""
    return whole(wei, COIN_DECIMALS)


def whole(units: int, decimals: int) -> str:
    """Base units as whole assets, exact, without trailing zeros."""
    sign, digits = ("-" if units < 0 else ""), str(abs(units)).rjust(decimals + 1, "0")
    head, tail = (digits[:-decimals], digits[-decimals:].rstrip("0")) if decimals else (digits, "")
    return f"{sign}{head}.{tail}" if tail else f"{sign}{head}"

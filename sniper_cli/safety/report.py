"""What a judgement of a token consists of: checks with figures, three-valued, and the verdict they lead to."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec

from state.launches import Verdict


class Outcome(StrEnum):
    """Not proven is an outcome of its own and never counts as a pass."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    NOT_PROVEN = "not_proven"


class Classification(StrEnum):
    """What the scenarios, taken together, say the token is."""

    OK = "ok"
    TAX = "tax"
    """Sells, at a tax above what the policy takes."""
    HONEYPOT = "honeypot"
    NOT_OPEN = "not_open"
    """Cannot be bought yet."""
    MAX_TRANSACTION = "max_transaction"
    PARTIAL_SELL = "partial_sell"
    SECOND_SELL = "second_sell"
    TIME_TRAP = "time_trap"
    LAUNCH_TAX = "launch_tax"
    COOLDOWN = "cooldown"
    GAS_GRIEF = "gas_grief"
    NO_LIQUIDITY = "no_liquidity"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SafetyCheck:
    """One line of the report: what was tried, how it ended, the figure and the limit it was held against."""

    name: str
    outcome: Outcome
    detail: str
    figure: str | None = None
    """With its unit: `312 bps`, `184211 gas`."""
    limit: str | None = None


@dataclass(frozen=True, slots=True)
class SafetyReport:
    """The judgement of one token in one pool at one block. Taxes in basis points of what was sent."""

    chain_id: int
    token: str
    pool: str
    block_number: int
    block_hash: str
    verdict: Verdict
    classification: Classification
    checks: tuple[SafetyCheck, ...]
    reasons: tuple[str, ...]
    """Why it is not safe, one sentence each; empty for a safe token."""
    symbol: str = ""
    name: str = ""
    decimals: int | None = None
    buy_tax_bps: int | None = None
    sell_tax_bps: int | None = None
    buy_gas: int | None = None
    sell_gas: int | None = None
    expected_quantity: int | None = None
    """Token units that the simulated buy of the policy's size received, after tax."""
    liquidity: int | None = None
    """The pool's reserve of the wrapped coin, in wei."""
    simulations: int = 0
    method: str = "eth_simulateV1"
    figures: dict[str, Any] = field(default_factory=dict)
    level: str = ""
    """The level whose weights made the verdict; empty for a judgement of trading alone."""
    warnings: tuple[str, ...] = ()
    """What the level warns of and buys nevertheless."""
    groups: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """The whole dossier by group (`dossier.py`); `checks` are the group `trading` once more."""
    deployer: str | None = None
    """Who sent the transaction that made the pool; none where it was not found out."""

    def as_json(self) -> dict[str, Any]:
        """The report with exact figures, as stored and shown: plain values, enums by their value."""
        # `dataclasses.asdict` takes 2.5 ms for a whole dossier, on the way from the verdict to the purchase.
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain

"""What the venue hands from a plan to its record: transactions not yet signed, in their order."""

from __future__ import annotations

from dataclasses import dataclass

from sniper_cli.chains.fees import Fees
from sniper_cli.chains.node import Head
from state.transactions import Purpose

APPROVE_GAS = 100_000
"""An approval takes 46,000; tokens with hooks more. What is not used is not paid."""


@dataclass(frozen=True, slots=True)
class Call:
    """One transaction to be signed: what, to whom, for how much gas at most."""

    purpose: Purpose
    to: str
    data: str
    value: int
    gas_limit: int


@dataclass(frozen=True, slots=True)
class SwapRequest:
    """What `record` signs: the calls in their order, under consecutive nonces."""

    calls: tuple[Call, ...]
    fees: Fees
    pending_nonce: int
    head: Head
    deadline: int


__all__ = ["APPROVE_GAS", "Call", "SwapRequest"]

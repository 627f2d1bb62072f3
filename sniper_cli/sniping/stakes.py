"""How much one launch is bought for: a fixed amount, or what its stop may lose of the account.

Sized by risk, the amount is equity · risk / (what the stop loses of a coin); where no stop-loss is set, all of it is at
risk. Whatever the risk allows, it is never more than `sniping.amount`, which is what the simulations bought: more was
not proven.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlmodel import Session

from sniper_cli.risk.sizing import FixedFractional, TradeRules, size_order, spelled
from state.orders import Side, working_orders
from state.positions import open_positions

if TYPE_CHECKING:
    from sniper_cli.settings.model import SnipingSettings
    from state.accounts import Account

COIN = 18
BPS = 10_000
RULES = TradeRules(COIN, COIN)
"""A stake is sized like anything that costs one coin a coin."""
ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Purse:
    """What an account can spend, in base units of the coin."""

    equity: int
    available: int
    standing: int
    """In open positions and working purchases together."""


@dataclass(frozen=True, slots=True)
class Stake:
    """What a launch is bought for, in base units of the coin, and why so much. Nothing: not at all."""

    amount: int
    bound_by: str
    """What decided: `fixed`, `risk`, or the cap that cut it."""
    figures: dict[str, str] = field(default_factory=dict)
    refusal: str | None = None

    @property
    def words(self) -> str:
        """In a sentence."""
        if self.refusal is not None:
            return self.refusal
        return f"{coins(self.amount)} coins, by {WHY.get(self.bound_by, self.bound_by)}"

    def as_json(self) -> dict[str, object]:
        """For reports and an order's reason; amounts as strings."""
        return {
            "amount": coins(self.amount),
            "bound_by": self.bound_by,
            "words": self.words,
            "figures": dict(self.figures),
        }


WHY = {
    "fixed": "sniping.amount",
    "risk": "what its stop may lose of the equity",
    "amount": "sniping.amount, which is what was simulated",
    "pool_share": "its share of the pool",
    "total_spend": "what may stand in positions together",
    "cash": "what is left to spend",
}


def purse_of(session: Session, account: Account) -> Purse:
    """An account's purse as the ledger knows it."""
    from sniper_cli.portfolio.accounts import summary

    found = summary(session, account)
    held = sum(position.cost for position in open_positions(session, account.id))
    buying = sum(o.still_reserved for o in working_orders(session, account.id) if o.side is Side.BUY)
    return Purse(found.equity, found.available, held + buying)


def stake_of(
    settings: SnipingSettings, purse: Purse | None, liquidity: int | None, *, parts: int = 1
) -> Stake:
    """One account's stake in a launch. `purse`: none where no account is known yet; `liquidity`: coins in the pool.

    `parts`: how many accounts buy the same launch, of whose purchases the amount and the share are the sum.
    """
    most = int(settings.amount.scaleb(COIN)) // parts
    if settings.sizing == "fixed":
        return Stake(most, "fixed", {"amount": coins(most)})
    if purse is None:
        return Stake(0, "risk", refusal="sized by risk, and there is no account whose equity could be risked")
    bounds = {"risk": _by_risk(settings, purse), "amount": most, "cash": max(0, purse.available)}
    bounds["total_spend"] = max(0, int(settings.max_total_spend.scaleb(COIN)) - purse.standing)
    if liquidity is not None:
        bounds["pool_share"] = liquidity * settings.max_share_of_pool_bps // BPS // parts
    bound_by = min(bounds, key=lambda name: bounds[name])
    figures = {
        "equity": coins(purse.equity),
        "risk_pct": spelled(settings.risk_pct),
        "stop_loss_pct": spelled(settings.exits.stop_loss_pct or Decimal(100)),
        **{name: coins(amount) for name, amount in bounds.items()},
    }
    amount = bounds[bound_by]
    least = int(settings.trial_amount.scaleb(COIN))
    if amount <= least:
        floor = f", no more than its trial of {coins(least)}" if least else ""
        words = f"sized by risk, {WHY[bound_by]} allows {coins(amount)} coins{floor}: not bought"
        return Stake(0, bound_by, figures, words)
    return Stake(amount, bound_by, figures)


def _by_risk(settings: SnipingSettings, purse: Purse) -> int:
    """Coins whose stop loses just the risk, rounded down."""
    share, lost = settings.risk_pct / 100, settings.exits.stop_loss_pct / 100
    if not lost:
        return int(purse.equity * share)
    sized = size_order(FixedFractional(share), equity=purse.equity, price=ONE, rules=RULES, stop=ONE - lost)
    return sized.quantity


def coins(units: int) -> str:
    """Base units as whole coins, exact."""
    return f"{Decimal(units).scaleb(-COIN).normalize() or Decimal(0):f}"


__all__ = ["Purse", "Stake", "purse_of", "stake_of"]

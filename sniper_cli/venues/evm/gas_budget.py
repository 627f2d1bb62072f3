"""What gas may cost: a purchase by itself, and an account's purchases of one day.

A bidding war or a token that burns gas must not eat an account one transaction at a time. What counts is the worst:
the gas limit at the fee cap for what waits, what was really paid for what is mined. A sale is never refused: it is the
way out, and it counts like everything else.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlmodel import Session, col, select

from sniper_cli.trading.intents import CheckResult
from sniper_cli.venues.evm.calls import SwapRequest
from sniper_cli.venues.evm.policy import ExecutionPolicy
from state.accounts import Account
from state.columns import utc_now
from state.transactions import PENDING, SETTLED, ChainTransaction

GAS = "gas_budget"


def check_gas(
    session: Session, account: Account, request: SwapRequest, policy: ExecutionPolicy, *, coin: str
) -> CheckResult | None:
    """What a purchase's gas would break; none where it stays within both caps. Zero turns a cap off."""
    worst = sum(call.gas_limit for call in request.calls) * request.fees.max_fee
    if policy.gas_per_trade and worst > policy.gas_per_trade:
        words = (
            f"up to {coins(worst, coin)} for gas, over the {coins(policy.gas_per_trade, coin)} of one trade"
        )
        return CheckResult(GAS, False, words, {"worst": str(worst), "per_trade": str(policy.gas_per_trade)})
    if not policy.gas_per_day:
        return None
    spent = gas_of_day(session, account, utc_now())
    if spent + worst <= policy.gas_per_day:
        return None
    words = (
        f"{coins(spent, coin)} for gas today and up to {coins(worst, coin)} more, "
        f"over the {coins(policy.gas_per_day, coin)} of a day"
    )
    figures = {"spent": str(spent), "worst": str(worst), "per_day": str(policy.gas_per_day)}
    return CheckResult(GAS, False, words, figures)


def gas_of_day(session: Session, account: Account, now: datetime) -> int:
    """Wei paid for gas since midnight UTC, with the worst case of what still waits."""
    midnight = datetime(now.year, now.month, now.day, tzinfo=UTC)
    query = select(ChainTransaction).where(
        ChainTransaction.account_id == account.id,
        sa.or_(
            col(ChainTransaction.state).in_(PENDING),
            sa.and_(col(ChainTransaction.state).in_(SETTLED), col(ChainTransaction.settled_at) >= midnight),
        ),
    )
    return sum(
        t.gas_limit * t.max_fee if t.gas_cost is None else t.gas_cost for t in session.exec(query).all()
    )


def day_allows(session: Session, account: Account, more: int, policy: ExecutionPolicy) -> bool:
    """Whether a waiting purchase's bid may grow by so many wei in the worst case."""
    if not policy.gas_per_day:
        return True
    return gas_of_day(session, account, utc_now()) + more <= policy.gas_per_day


def coins(wei: int, coin: str) -> str:
    """Wei as coins, exact."""
    return f"{Decimal(wei).scaleb(-18).normalize():f} {coin}"

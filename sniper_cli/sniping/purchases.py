"""The orders that a launch is bought with: its purchase, the trial before it, the purchase right behind its listing."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from sniper_cli.sniping.trial import Trial
from sniper_cli.trading.intents import Behind, OrderIntent
from state.orders import Side

if TYPE_CHECKING:
    from sniper_cli.safety.report import SafetyReport
    from sniper_cli.sniping.run import Run
    from sniper_cli.sniping.stakes import Stake
    from state.launches import Launch


def buy_client_id(launch_id: UUID) -> str:
    """The client order id of a launch's purchase: the same launch can be bought once only."""
    return f"launch-{launch_id}-buy"


def trial_of(run: Run, launch: Launch) -> Trial:
    """A launch's trial, as the settings want it."""
    settings = run.settings
    return Trial(
        launch_id=launch.id,
        account_id=run.account_id,
        instrument_id=run.instrument_id(launch.pool),
        amount=int(settings.trial_amount.scaleb(18)),
        buy_slippage_bps=settings.slippage_bps,
        sell_slippage_bps=settings.exits.slippage_bps,
        most_missing_buying_bps=settings.max_buy_tax_bps,
        most_missing_selling_bps=settings.max_sell_tax_bps,
    )


def buy_intent(run: Run, launch: Launch, report: SafetyReport, stake: Stake, tried: int = 0) -> OrderIntent:
    """The purchase of a launch, with the figures that led to it; what a trial was made with is part of the stake."""
    return OrderIntent(
        account_id=run.account_id,
        instrument_id=run.instrument_id(launch.pool),
        side=Side.BUY,
        client_order_id=buy_client_id(launch.id),
        budget=stake.amount - tried,
        max_slippage_bps=run.settings.slippage_bps,
        reason={
            "origin": "launch",
            "launch": str(launch.id),
            "verdict": report.verdict.value,
            "classification": report.classification.value,
            "judged_at_block": report.block_number,
            "expected_quantity": report.expected_quantity,
            "liquidity": report.liquidity,
            "buy_tax_bps": report.buy_tax_bps,
            "sell_tax_bps": report.sell_tax_bps,
            **({} if stake.bound_by == "fixed" else {"stake": stake.as_json()}),
        },
        launch_id=launch.id,
    )


def behind_intent(
    run: Run, launch: Launch, report: SafetyReport, stake: Stake, behind: Behind
) -> OrderIntent:
    """The purchase of a launch right behind the transaction that lists or opens it.

    Judged was one for the whole amount; of a smaller one a pool pays no less in proportion.
    """
    expected = behind.expected * min(stake.amount, run.amount) // run.amount
    intent = buy_intent(run, launch, report, stake)
    return msgspec.structs.replace(
        intent,
        behind=msgspec.structs.replace(behind, expected=expected),
        gas_hint=report.buy_gas,
        reason=intent.reason | {"origin": "announcement", "behind": behind.tx_hash},
    )

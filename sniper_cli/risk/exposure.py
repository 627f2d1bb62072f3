"""How much of each limit is used, for a person to see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from sniper_cli.settings.model import Mode
from state.accounts import Asset, find_account
from state.controls import GLOBAL, KillSwitch
from state.positions import open_positions

if TYPE_CHECKING:
    from sniper_cli.context import Context


@dataclass(frozen=True, slots=True)
class Exposure:
    """The switch and the limits of a profile's account; empty figures for an account that is not opened yet."""

    kill_switch: str
    by: str | None
    reason: str | None
    at: datetime | None
    account: str
    open_positions: int
    max_open_positions: int | None
    """None where there is no limit: the sniper's limits bind its chain account, not the paper one."""
    spent: Decimal
    max_total_spend: Decimal | None
    unit: str


def exposure(context: Context) -> Exposure:
    """Read the switch and what stands in open positions."""
    limits = None if context.settings.mode is Mode.PAPER else context.settings.sniping
    with context.database.read() as session:
        switch = session.get(KillSwitch, GLOBAL)
        tripped = switch is not None and switch.tripped
        account = find_account(session, context.account_name)
        positions = open_positions(session, account.id) if account is not None else []
        asset = session.get(Asset, account.reporting_asset) if account is not None else None
        cost = sum(position.cost for position in positions)
        return Exposure(
            kill_switch="tripped" if tripped else "not tripped",
            by=switch.actor if switch is not None and tripped else None,
            reason=switch.reason if switch is not None and tripped else None,
            at=switch.at if switch is not None and tripped else None,
            account=context.account_name,
            open_positions=len(positions),
            max_open_positions=limits.max_open_positions if limits else None,
            spent=asset.amount(cost) if asset is not None else Decimal(0),
            max_total_spend=limits.max_total_spend if limits else None,
            unit=asset.symbol if asset is not None else context.settings.chain.coin,
        )
